//! Damages films as bad cables, broken downloads and people who mean harm do.

use rand::{Rng, RngExt};

/// Numbers that programs get wrong.
const EXTREMES: [u64; 12] =
    [0, 1, 7, 8, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000];

/// What stands before or after a length, a count or a time in a container.
const MARKS: [&[u8]; 41] = [
    // MP4: the length stands before, counts and times after.
    b"ftyp",
    b"moov",
    b"mdat",
    b"trak",
    b"mdia",
    b"minf",
    b"stbl",
    b"stsd",
    b"stts",
    b"ctts",
    b"stsc",
    b"stsz",
    b"stco",
    b"co64",
    b"elst",
    b"mvhd",
    b"tkhd",
    b"mdhd",
    b"avcC",
    b"esds",
    b"moof",
    b"trun",
    b"tfdt",
    b"sidx",
    b"avc1",
    // Matroska: the length stands after.
    b"\x1a\x45\xdf\xa3",
    b"\x18\x53\x80\x67",
    b"\x1f\x43\xb6\x75",
    b"\x16\x54\xae\x6b",
    b"\x15\x49\xa9\x66",
    b"\x1c\x53\xbb\x6b",
    b"\x63\xa2",
    // AVI, Ogg, ASF, FLV.
    b"LIST",
    b"strf",
    b"strh",
    b"avih",
    b"idx1",
    b"00dc",
    b"OggS",
    b"\xa1\xdc\xab\x8c",
    b"FLV\x01",
];

/// One way to damage a film.
type Damage = (&'static str, fn(&mut dyn Rng, &mut Vec<u8>, &[u8]));

const DAMAGES: [Damage; 12] = [
    ("bits", |rng, film, _| bits(rng, film)),
    ("bits in the head", |rng, film, _| head_bits(rng, film)),
    ("a run of bytes", |rng, film, _| run(rng, film)),
    ("cut short", cut_short),
    ("cut out", cut_out),
    ("zeroed", |rng, film, _| zeroed(rng, film)),
    ("repeated", repeated),
    ("spliced", spliced),
    ("a longer tail", longer_tail),
    ("a length", |rng, film, _| length(rng, film)),
    ("several lengths", |rng, film, _| several_lengths(rng, film)),
    ("packets", |rng, film, _| packets(rng, film)),
];

/// Damages a film in one or two ways and returns which; `other` is another film.
pub(crate) fn damage(rng: &mut dyn Rng, film: &mut Vec<u8>, other: &[u8]) -> &'static str {
    let (name, first) = DAMAGES[rng.random_range(0..DAMAGES.len())];
    first(rng, film, other);
    if rng.random_range(0..4) == 0 {
        DAMAGES[rng.random_range(0..DAMAGES.len())].1(rng, film, other);
    }
    name
}

fn place(rng: &mut dyn Rng, film: &[u8]) -> usize {
    rng.random_range(0..film.len().max(1))
}

/// A range within a film, of up to an eighth of it.
fn range(rng: &mut dyn Rng, film: &[u8]) -> std::ops::Range<usize> {
    let start = place(rng, film);
    let len = rng.random_range(0..=film.len() / 8);
    start.min(film.len())..(start + len).min(film.len())
}

fn bits(rng: &mut dyn Rng, film: &mut [u8]) {
    for _ in 0..rng.random_range(1..100) {
        let at = place(rng, film);
        if let Some(byte) = film.get_mut(at) {
            *byte ^= 1 << rng.random_range(0..8);
        }
    }
}

fn head_bits(rng: &mut dyn Rng, film: &mut [u8]) {
    for _ in 0..rng.random_range(1..20) {
        let at = rng.random_range(0..film.len().clamp(1, 700));
        if let Some(byte) = film.get_mut(at) {
            *byte ^= 1 << rng.random_range(0..8);
        }
    }
}

fn run(rng: &mut dyn Rng, film: &mut [u8]) {
    let range = range(rng, film);
    rng.fill_bytes(&mut film[range]);
}

fn cut_short(rng: &mut dyn Rng, film: &mut Vec<u8>, _: &[u8]) {
    film.truncate(place(rng, film));
}

fn cut_out(rng: &mut dyn Rng, film: &mut Vec<u8>, _: &[u8]) {
    film.drain(range(rng, film));
}

fn zeroed(rng: &mut dyn Rng, film: &mut [u8]) {
    let range = range(rng, film);
    film[range].fill(0);
}

fn repeated(rng: &mut dyn Rng, film: &mut Vec<u8>, _: &[u8]) {
    let range = range(rng, film);
    let (piece, at) = (film[range.clone()].to_vec(), range.end);
    film.splice(at..at, piece);
}

fn spliced(rng: &mut dyn Rng, film: &mut Vec<u8>, other: &[u8]) {
    let at = place(rng, film).min(film.len());
    let from = place(rng, other);
    film.truncate(at);
    film.extend_from_slice(&other[from..]);
}

fn longer_tail(rng: &mut dyn Rng, film: &mut Vec<u8>, other: &[u8]) {
    let len = rng.random_range(1..200_000);
    match rng.random_range(0..4) {
        0 => film.resize(film.len() + len, 0),
        1 => film.extend_from_slice(other),
        2 => film.extend_from_within(..),
        _ => {
            let end = film.len();
            film.resize(end + len, 0);
            rng.fill_bytes(&mut film[end..]);
        }
    }
}

/// Sets a length, a count or a time near something that marks one.
fn length(rng: &mut dyn Rng, film: &mut [u8]) {
    let first = rng.random_range(0..MARKS.len());
    let marks = MARKS[first..].iter().chain(&MARKS[..first]);
    let found = marks.filter_map(|mark| {
        let places: Vec<usize> = (0..film.len()).filter(|at| film[*at..].starts_with(mark)).collect();
        (!places.is_empty()).then_some((places, mark.len()))
    });
    let Some((places, len)) = found.take(1).next() else { return packets(rng, film) };
    let mark = places[rng.random_range(0..places.len())];
    let at = match rng.random_range(0..4) {
        0 => mark.saturating_sub(4),
        1 => mark + len,
        2 => mark + len + 4,
        _ => mark + len + rng.random_range(0..40),
    };
    set(rng, film, at);
}

/// Writes an extreme number at a place, in one of the widths and orders there are.
fn set(rng: &mut dyn Rng, film: &mut [u8], at: usize) {
    let number = EXTREMES[rng.random_range(0..EXTREMES.len())];
    let width = [1, 2, 3, 4, 8][rng.random_range(0..5)];
    let mut bytes = number.to_be_bytes()[8 - width..].to_vec();
    if rng.random_range(0..2) == 0 {
        bytes.reverse();
    }
    for (to, byte) in film.iter_mut().skip(at).zip(bytes) {
        *to = byte;
    }
}

fn several_lengths(rng: &mut dyn Rng, film: &mut [u8]) {
    (0..rng.random_range(2..6)).for_each(|_| length(rng, film));
}

/// Damages the heads of transport packets; where there are none, any numbers.
fn packets(rng: &mut dyn Rng, film: &mut [u8]) {
    for _ in 0..rng.random_range(1..12) {
        let at = place(rng, film) / 188 * 188 + rng.random_range(0..30);
        set(rng, film, at);
    }
}
