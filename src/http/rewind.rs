//! The past of a channel, for those who go back: its playlists, and its segments from the disk.

use std::io::{self, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::TryFutureExt;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::caching::{not_modified, takes_gzip};
use super::error::HttpError;
use super::hls::{PLAYLIST_CACHE, PLAYLIST_TYPE, TS_TYPE, VTT_TYPE, segment_response, segment_tag};
use super::state::{ChannelView, StationView};
use super::tally::wants_body;
use super::viewers::Peer;
use crate::hls::rewind::playlist::{Text, of_renditions};
use crate::hls::rewind::{Of, Place, Window};
use crate::hls::{PlaylistBody, subtitles};
use crate::units::Msn;

/// How much of a segment is read at once and held for a viewer, in bytes: however many go back, each to another moment, and
/// however slowly they take it, memory stays bounded.
const PIECE: usize = 64 << 10;

/// What a player asks that has looked a moment ago (RFC 8216bis §6.2.5.1).
const SKIP: &str = "_HLS_skip=YES";

/// Answers with the playlist of a channel's past: of its renditions, or its media playlist where it has none.
pub(super) async fn playlist(
    State(view): State<Arc<StationView>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let (channel, window) = open(&view, &id, peer, &headers)?;
    if window.pictures().is_empty() {
        return written(window, Of::Pictures, query.as_deref(), &headers).await;
    }
    let live = channel.snapshot().multivariant.clone().ok_or(HttpError::Starting)?;
    answer(&of_renditions(&live), None, &headers)
}

/// Answers with the media playlist of a rendition's past, or of a language's subtitles.
pub(super) async fn rendition_playlist(
    State(view): State<Arc<StationView>>,
    Path((id, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let (channel, window) = open(&view, &id, peer, &headers)?;
    let of = if window.pictures().iter().any(|known| **known == *name) {
        Of::Pictures
    } else if channel.snapshot().subtitles_of(&name).is_some() {
        Of::Subtitles
    } else {
        return Err(HttpError::NoSuchPage);
    };
    written(window, of, query.as_deref(), &headers).await
}

/// Returns a channel's past, where one may go back; whoever asks is a viewer.
fn open(
    view: &StationView,
    id: &str,
    peer: Option<Extension<Peer>>,
    headers: &HeaderMap,
) -> Result<(Arc<ChannelView>, Arc<Window>), HttpError> {
    let channel = view.channel(id).ok_or(HttpError::NoSuchChannel)?;
    if channel.is_off() {
        return Err(HttpError::OffAir);
    }
    let window = channel.rewind.window();
    if !window.is_open() {
        return Err(HttpError::NoSuchPage);
    }
    channel.viewers.asked(peer.map(|peer| peer.0), headers);
    Ok((channel, window))
}

async fn written(window: Arc<Window>, of: Of, query: Option<&str>, headers: &HeaderMap) -> Result<Response, HttpError> {
    let skip = query.is_some_and(|query| query.split('&').any(|one| one == SKIP));
    let text = match window.written(of, skip) {
        Some(text) => Some(text.clone()),
        // The first who asks for it: a long one takes milliseconds, in which nobody else is to wait.
        None => {
            tokio::task::spawn_blocking(move || window.text(of, skip).cloned()).await.map_err(|_| HttpError::Fault)?
        }
    };
    let Text { plain, packed } = text.ok_or(HttpError::NoSuchPage)?;
    answer(&plain, Some(packed), headers)
}

fn answer(plain: &PlaylistBody, packed: Option<bytes::Bytes>, headers: &HeaderMap) -> Result<Response, HttpError> {
    let etag = HeaderValue::from_str(&plain.etag).map_err(|_| HttpError::Fault)?;
    let vary = HeaderValue::from_static("accept-encoding");
    let common = [(header::CACHE_CONTROL, PLAYLIST_CACHE), (header::ETAG, etag), (header::VARY, vary)];
    if not_modified(headers, &plain.etag) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let kind = [(header::CONTENT_TYPE, PLAYLIST_TYPE)];
    Ok(match packed.filter(|_| takes_gzip(headers)) {
        Some(packed) => (common, kind, [(header::CONTENT_ENCODING, "gzip")], packed).into_response(),
        None => (common, kind, plain.text.clone()).into_response(),
    })
}

/// Answers with a segment that has left the live window, or a part of it; `name` is of a rendition or of subtitles.
pub(super) async fn segment(
    channel: &ChannelView,
    name: Option<&str>,
    msn: Msn,
    is_subtitles: bool,
    (method, headers): (&Method, &HeaderMap),
) -> Result<Response, HttpError> {
    let window = channel.rewind.window();
    let kept = window.find(msn).ok_or(HttpError::SegmentGone)?;
    let place = if is_subtitles { name.and_then(|name| kept.subtitles(name)) } else { kept.picture(name) };
    let Some(place) = place else {
        // The language was not offered then.
        let empty = subtitles::empty();
        return if is_subtitles {
            let etag = segment_tag(msn, empty.len());
            Ok(segment_response(&etag, VTT_TYPE, empty.len(), headers, |range| Body::from(empty.slice(range))))
        } else {
            Err(HttpError::SegmentGone)
        };
    };
    let file = File::open(window.path(kept)).await.map_err(|error| {
        tracing::debug!(%error, %msn, "a segment of the past cannot be read");
        HttpError::SegmentGone
    })?;
    let len = usize::try_from(place.len).map_err(|_| HttpError::Fault)?;
    let kind = if is_subtitles { VTT_TYPE } else { TS_TYPE };
    let mut sent = None;
    let response = segment_response(&segment_tag(msn, len), kind, len, headers, |range| {
        sent = Some(range.len());
        pieces(file, place, range)
    });
    if let Some(sent) = sent.filter(|_| wants_body(method)) {
        channel.viewers.sent(sent);
    }
    Ok(response)
}

/// Reads a part of a segment as it is taken.
fn pieces(mut file: File, place: Place, range: Range<usize>) -> Body {
    let (at, len) = (place.at + range.start as u64, range.len() as u64);
    let read = async move {
        file.seek(SeekFrom::Start(at)).await?;
        Ok::<_, io::Error>(ReaderStream::with_capacity(file.take(len), PIECE))
    };
    Body::from_stream(TryFutureExt::try_flatten_stream(read))
}
