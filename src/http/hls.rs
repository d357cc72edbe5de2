//! Playlist and segments, as they lie in memory.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::caching::{Part, not_modified, part};
use super::error::HttpError;
use super::rewind;
use super::state::{ChannelView, StationView};
use super::tally::wants_body;
use super::viewers::Peer;
use crate::hls::{self, PlaylistBody, Snapshot};
use crate::units::Msn;

/// How long a request for a playlist waits for a channel that is starting. Most channels start within a second, so a
/// player's first request succeeds; a longer wait would meet the time-outs of players and proxies.
const FIRST_PLAYLIST_WAIT: Duration = Duration::from_secs(3);

pub(super) const PLAYLIST_CACHE: HeaderValue = HeaderValue::from_static(hls::PLAYLIST_CACHE);
const SEGMENT_CACHE: HeaderValue = HeaderValue::from_static(hls::SEGMENT_CACHE);
pub(super) const VTT_TYPE: HeaderValue = HeaderValue::from_static(hls::VTT_TYPE);
pub(super) const PLAYLIST_TYPE: HeaderValue = HeaderValue::from_static(hls::PLAYLIST_TYPE);
pub(super) const TS_TYPE: HeaderValue = HeaderValue::from_static(hls::TS_TYPE);

/// Answers with a channel's playlist: of its renditions, or its media playlist where it has none.
pub(super) async fn playlist(
    State(view): State<Arc<StationView>>,
    Path(id): Path<String>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let snapshot = published(&view, &id, peer, &headers).await?;
    playlist_response(snapshot.multivariant.as_ref().or(snapshot.playlist.as_ref()), &headers)
}

/// Answers with the media playlist of a rendition, or of a language's subtitles. All have the same text: numbers, dates and
/// discontinuities agree, and the segments' addresses are relative to its own; only those of subtitles end otherwise.
pub(super) async fn rendition_playlist(
    State(view): State<Arc<StationView>>,
    Path((id, name)): Path<(String, String)>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let snapshot = published(&view, &id, peer, &headers).await?;
    playlist_response(snapshot.playlist_of(&name).ok_or(HttpError::NoSuchPage)?, &headers)
}

fn playlist_response(body: Option<&PlaylistBody>, headers: &HeaderMap) -> Result<Response, HttpError> {
    let body = body.ok_or(HttpError::Starting)?;
    let etag = HeaderValue::from_str(&body.etag).map_err(|_| HttpError::Fault)?;
    let common = [(header::CACHE_CONTROL, PLAYLIST_CACHE), (header::ETAG, etag)];
    if not_modified(headers, &body.etag) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    Ok((common, [(header::CONTENT_TYPE, PLAYLIST_TYPE)], body.text.clone()).into_response())
}

/// Returns what a channel offers as soon as there is something; whoever asks is a viewer.
async fn published(
    view: &StationView,
    id: &str,
    peer: Option<Extension<Peer>>,
    headers: &HeaderMap,
) -> Result<Arc<Snapshot>, HttpError> {
    let channel = view.channel(id).ok_or(HttpError::NoSuchChannel)?;
    if channel.is_off() {
        return Err(HttpError::OffAir);
    }
    channel.viewers.asked(peer.map(|peer| peer.0), headers);
    first_snapshot(channel.snapshot.clone(), &view.token).await
}

/// Returns the snapshot as soon as there is a playlist in it.
pub(super) async fn first_snapshot(
    mut snapshot: watch::Receiver<Arc<Snapshot>>,
    token: &CancellationToken,
) -> Result<Arc<Snapshot>, HttpError> {
    let published = snapshot.wait_for(|snapshot| snapshot.playlist.is_some());
    let waited = tokio::select! {
        biased;
        // The playlist that is already there is given even while the station stops.
        waited = tokio::time::timeout(FIRST_PLAYLIST_WAIT, published) => waited,
        () = token.cancelled() => return Err(HttpError::Stopping),
    };
    match waited {
        Ok(Ok(snapshot)) => Ok(Arc::clone(&snapshot)),
        // Too long, or the channel ended before it published anything.
        Ok(Err(_)) | Err(_) => Err(HttpError::Starting),
    }
}

/// Answers with one segment of a channel without renditions, or a part of it.
pub(super) async fn segment(
    State(view): State<Arc<StationView>>,
    Path((id, file)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let channel = view.channel(&id).ok_or(HttpError::NoSuchChannel)?;
    let snapshot = channel.snapshot();
    let place = snapshot.renditions.is_empty().then_some(0).zip(segment_number(&file));
    let live = send(&channel, &snapshot, place, TS_TYPE, &method, &headers).await;
    match segment_number(&file).filter(|_| is_past(&live)) {
        Some(msn) => rewind::segment(&channel, None, msn, false, (&method, &headers)).await,
        None => live,
    }
}

/// Whether a segment is one that only those may still ask for who have gone back.
fn is_past(live: &Result<Response, HttpError>) -> bool {
    matches!(live, Err(HttpError::SegmentGone))
}

/// Answers with one segment of a rendition or of a language's subtitles, or a part of it.
pub(super) async fn rendition_segment(
    State(view): State<Arc<StationView>>,
    Path((id, name, file)): Path<(String, String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let channel = view.channel(&id).ok_or(HttpError::NoSuchChannel)?;
    let snapshot = channel.snapshot();
    let (place, kind) = match subtitles_number(&file) {
        Some(msn) => (snapshot.subtitles_of(&name).map(|n| (n, msn)), VTT_TYPE),
        None => (snapshot.rendition(&name).zip(segment_number(&file)), TS_TYPE),
    };
    let live = send(&channel, &snapshot, place, kind, &method, &headers).await;
    let (number, is_subtitles) = match subtitles_number(&file) {
        Some(msn) => (Some(msn), true),
        None => (segment_number(&file), false),
    };
    match number.filter(|_| is_past(&live)) {
        Some(msn) => rewind::segment(&channel, Some(&name), msn, is_subtitles, (&method, &headers)).await,
        None => live,
    }
}

async fn send(
    channel: &ChannelView,
    snapshot: &Snapshot,
    place: Option<(usize, Msn)>,
    kind: HeaderValue,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, HttpError> {
    let (rendition, msn) = place.ok_or(HttpError::NoSuchPage)?;
    let segment = snapshot.segments.get(&msn);
    let Some(content) = segment.and_then(|segment| segment.renditions.get(rendition)) else {
        if channel.is_off() {
            return Err(HttpError::OffAir);
        }
        let to_come = snapshot.newest.is_none_or(|newest| msn > newest);
        return Err(if to_come { HttpError::SegmentNotYet } else { HttpError::SegmentGone });
    };
    let bytes = content.bytes().await.map_err(|error| {
        tracing::warn!(%error, %msn, "a spooled segment cannot be read");
        HttpError::SegmentGone
    })?;
    let etag = segment_tag(msn, bytes.len());
    let response = segment_response(&etag, kind, bytes.len(), headers, |range| Body::from(bytes.slice(range)));
    let sent = response.body().size_hint().exact().and_then(|len| usize::try_from(len).ok());
    if let Some(sent @ 1..) = sent.filter(|_| wants_body(method)) {
        channel.viewers.sent(sent);
    }
    Ok(response)
}

/// Returns the number that a segment's file name says: only the one way we write it.
pub(super) fn segment_number(file: &str) -> Option<Msn> {
    number(file.strip_suffix(".ts")?)
}

/// Returns the number that the file name of a segment of subtitles says.
pub(super) fn subtitles_number(file: &str) -> Option<Msn> {
    number(file.strip_suffix(".vtt")?)
}

fn number(digits: &str) -> Option<Msn> {
    let bare = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    bare.then(|| digits.parse().ok()).flatten().map(Msn)
}

/// Returns the entity tag of a segment of so many bytes: the same live and in the past.
pub(super) fn segment_tag(msn: Msn, len: usize) -> String {
    format!("\"{msn}-{len}\"")
}

/// Answers with so many bytes that never change under their address, or the part of them that is asked for; `body` gives a
/// range of them.
pub(super) fn segment_response(
    etag: &str,
    kind: HeaderValue,
    len: usize,
    headers: &HeaderMap,
    body: impl FnOnce(Range<usize>) -> Body,
) -> Response {
    let (status, sent, range) = match part(headers, etag, len) {
        _ if not_modified(headers, etag) => (StatusCode::NOT_MODIFIED, None, None),
        Part::Whole => (StatusCode::OK, Some(0..len), None),
        Part::Bytes(range) => {
            let told = format!("bytes {}-{}/{len}", range.start, range.end - 1);
            (StatusCode::PARTIAL_CONTENT, Some(range), Some(told))
        }
        Part::Unsatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, None, Some(format!("bytes */{len}"))),
    };
    let mut response = match sent {
        Some(range) => {
            let length = [(header::CONTENT_LENGTH, HeaderValue::from(range.len()))];
            (length, [(header::CONTENT_TYPE, kind)], body(range)).into_response()
        }
        None => Body::empty().into_response(),
    };
    *response.status_mut() = status;
    let out = response.headers_mut();
    out.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let cache = if status == StatusCode::RANGE_NOT_SATISFIABLE { NO_STORE } else { SEGMENT_CACHE };
    out.insert(header::CACHE_CONTROL, cache);
    out.extend(HeaderValue::try_from(etag).ok().map(|etag| (header::ETAG, etag)));
    out.extend(range.and_then(|range| HeaderValue::try_from(range).ok()).map(|range| (header::CONTENT_RANGE, range)));
    response
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_has_exactly_one_name() {
        assert_eq!(segment_number("17.ts"), Some(Msn(17)));
        for other in ["017.ts", "+17.ts", "17", ".ts", "17.ts.ts", "-1.ts", "1e3.ts", "99999999999999999999.ts", "a.ts"]
        {
            assert_eq!(segment_number(other), None, "{other}");
        }
        assert_eq!(
            (subtitles_number("17.vtt"), subtitles_number("17.ts"), segment_number("17.vtt")),
            (Some(Msn(17)), None, None)
        );
    }
}
