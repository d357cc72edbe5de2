//! The logo of a channel: its file, or its number on its colour.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use tokio::io::AsyncReadExt as _;

use super::tagged;
use crate::config::Colour;
use crate::config::brand::NIGHT;
use crate::http::error::HttpError;
use crate::http::state::StationView;
use crate::units::ChannelId;

/// The largest file that is a logo, in bytes: it is read for each who asks, and a wall shows a hundred of them.
const LOGO_BYTES_MAX: u64 = 1 << 20;

/// Apps ask for a logo whenever they show it; a new one is seen after this.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// What a logo that is opened as a page may do: show itself.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");

/// The side of a drawn logo in pixels.
const SIDE: usize = 256;

/// The radius of its corners.
const CORNER: usize = 40;

/// Digits as a television of old shows them: five cells wide, seven high, the leftmost in the highest of five bits.
const DIGITS: [[u8; 7]; 10] = [
    [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
    [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
    [0b01110, 0b10001, 0b00001, 0b00010, 0b00100, 0b01000, 0b11111],
    [0b11111, 0b00010, 0b00100, 0b00010, 0b00001, 0b10001, 0b01110],
    [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
    [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
    [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
    [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
    [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
    [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
];

/// Returns the path of a channel's logo on this server.
pub(in crate::http) fn path_of(id: &ChannelId) -> String {
    format!("/channels/{id}/logo")
}

/// Answers with a channel's logo.
pub(super) async fn logo(
    State(view): State<Arc<StationView>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let (number, colour, file) = look(&view, &id)?;
    if let Some(file) = file {
        match read(&file).await {
            Ok((kind, bytes)) => return Ok(answer(kind, bytes, &headers)),
            Err(reason) => {
                tracing::warn!(channel = id, file = %file.display(), reason, "a logo cannot be shown; a drawn one is");
            }
        }
    }
    Ok(answer("image/svg+xml", svg(number, colour), &headers))
}

/// Answers with a logo drawn in points, for apps that show no SVG.
pub(super) async fn drawn(
    State(view): State<Arc<StationView>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let (number, colour, _) = look(&view, &id)?;
    let picture = png(number, colour).map_err(|_| HttpError::Fault)?;
    Ok(answer("image/png", picture, &headers))
}

/// Returns a channel's number, its colour, and the file of its logo.
fn look(view: &StationView, id: &str) -> Result<(usize, Colour, Option<std::path::PathBuf>), HttpError> {
    let roster = view.roster();
    let place = roster.channels.iter().position(|channel| channel.id.as_str() == id).ok_or(HttpError::NoSuchChannel)?;
    let id = &roster.channels[place].id;
    let file = roster.brand.logo_of(id).map(FilePath::to_path_buf);
    Ok((place + 1, roster.brand.colour_of(id, place), file))
}

fn answer(kind: &'static str, body: impl Into<Bytes>, headers: &HeaderMap) -> Response {
    let mut response = tagged(kind, CACHE, body, headers);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}

/// Reads the file of a logo, and tells by its bytes what it is.
///
/// # Errors
/// Why it cannot be shown, in words.
pub async fn read(path: &FilePath) -> Result<(&'static str, Vec<u8>), String> {
    let file = tokio::fs::File::open(path).await.map_err(|error| error.to_string())?;
    let metadata = file.metadata().await.map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(LOGO_BYTES_MAX + 1).read_to_end(&mut bytes).await.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LOGO_BYTES_MAX {
        return Err(format!("it is larger than {LOGO_BYTES_MAX} bytes"));
    }
    let kind = kind(&bytes).ok_or("it is neither PNG, JPEG, WebP nor SVG")?;
    Ok((kind, bytes))
}

/// Returns the type of a picture by how it begins.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        Some("image/jpeg")
    } else if webp {
        Some("image/webp")
    } else {
        let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}').trim_start();
        (text.starts_with('<') && text.contains("<svg")).then_some("image/svg+xml")
    }
}

/// Returns the side of a cell, and where each cell of a number lies: left, top.
fn cells(number: usize) -> (usize, Vec<(usize, usize)>) {
    let digits: Vec<usize> = number.to_string().bytes().map(|digit| usize::from(digit - b'0')).collect();
    // One cell lies between two digits.
    let wide = 6 * digits.len() - 1;
    let side = (176 / wide.max(8)).max(1);
    let (left, top) = ((SIDE - wide * side) / 2, (SIDE - 7 * side) / 2);
    let of_digit = |(n, digit): (usize, usize)| {
        let all = (0..7).flat_map(|row| (0..5).map(move |column| (row, column)));
        let drawn = all.filter(move |(row, column)| DIGITS[digit][*row] >> (4 - column) & 1 == 1);
        drawn.map(move |(row, column)| (left + (6 * n + column) * side, top + row * side))
    };
    (side, digits.into_iter().enumerate().flat_map(of_digit).collect())
}

/// Writes a number on a colour as SVG.
fn svg(number: usize, colour: Colour) -> String {
    let (side, cells) = cells(number);
    let mut squares = String::new();
    for (x, y) in cells {
        let _infallible = write!(squares, "M{x} {y}h{side}v{side}h-{side}z");
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {SIDE} {SIDE}\" width=\"{SIDE}\" height=\"{SIDE}\">\
         <title>{number}</title><rect width=\"{SIDE}\" height=\"{SIDE}\" rx=\"{CORNER}\" fill=\"{colour}\"/>\
         <path fill=\"{NIGHT}\" d=\"{squares}\"/></svg>\n"
    )
}

/// Draws the same in points.
fn png(number: usize, colour: Colour) -> std::io::Result<Vec<u8>> {
    // How far a point is from the straight part of its side; beyond the corner's radius there is nothing.
    let off = |at: usize| CORNER.saturating_sub(at).max((at + CORNER + 1).saturating_sub(SIDE));
    let outside = |at: usize| off(at % SIDE).pow(2) + off(at / SIDE).pow(2) > CORNER.pow(2);
    let mut points: Vec<u8> = (0..SIDE * SIDE).map(|at| u8::from(!outside(at))).collect();
    let (side, cells) = cells(number);
    for (x, y) in cells {
        for line in points.chunks_exact_mut(SIDE).skip(y).take(side) {
            line[x..x + side].fill(2);
        }
    }
    indexed_png(&points, [NIGHT, colour, NIGHT])
}

/// Writes a picture of three colours as PNG (ISO/IEC 15948); the first is not seen.
fn indexed_png(points: &[u8], colours: [Colour; 3]) -> std::io::Result<Vec<u8>> {
    let mut lines = ZlibEncoder::new(Vec::new(), Compression::default());
    for line in points.chunks_exact(SIDE) {
        lines.write_all(&[0])?;
        lines.write_all(line)?;
    }
    let side = u32::try_from(SIDE).unwrap_or(u32::MAX).to_be_bytes();
    // Eight bits a point, by palette.
    let head = [&side[..], &side, &[8, 3, 0, 0, 0]].concat();
    let mut picture = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, body) in [
        (b"IHDR", head),
        (b"PLTE", colours.map(|colour| colour.0).concat()),
        (b"tRNS", vec![0]),
        (b"IDAT", lines.finish()?),
        (b"IEND", Vec::new()),
    ] {
        picture.extend(u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
        let named = [&name[..], &body].concat();
        picture.extend(&named);
        picture.extend(crc32fast::hash(&named).to_be_bytes());
    }
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_bytes() {
        for (bytes, expected) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], Some("image/png")),
            (&[0xff, 0xd8, 0xff, 0xe0], Some("image/jpeg")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\x10\0\0\0AVI ", None),
            (b"\n<?xml version=\"1.0\"?>\n<svg xmlns=\"\"/>", Some("image/svg+xml")),
            ("\u{feff}<svg/>".as_bytes(), Some("image/svg+xml")),
            (b"<!doctype html><p>", None),
            (b"GIF89a", None),
            (b"", None),
        ] {
            assert_eq!(kind(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_number_is_drawn_on_its_colour() {
        for number in [1, 7, 42, 999, 1000] {
            let (side, cells) = cells(number);
            assert!(cells.iter().all(|(x, y)| x + side <= SIDE - CORNER / 2 && y + side <= SIDE), "{number}");
            assert!(svg(number, Colour([1, 2, 3])).contains(&format!("<title>{number}</title>")));
            let picture = png(number, Colour([1, 2, 3])).unwrap();
            assert!(picture.starts_with(b"\x89PNG") && picture.len() < 4096, "{number}: {} bytes", picture.len());
        }
    }
}
