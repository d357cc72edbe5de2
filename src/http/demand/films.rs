//! Playlists, segments and subtitles of films.

use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::Response;

use super::shelf;
use crate::demand::playlists::SUBTITLES_FILE;
use crate::hls;
use crate::http::apps::tagged;
use crate::http::error::HttpError;
use crate::http::hls::{TS_TYPE, segment_number, segment_response};
use crate::http::state::StationView;
use crate::http::tally::wants_body;

/// What they tell changes when the film is prepared anew; whoever has it mostly hears 304.
const CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// Answers with the playlist of a film's playlists.
pub(super) async fn playlist(
    State(view): State<Arc<StationView>>,
    Path((id, item)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let (_, shelf) = shelf(&view, &id)?;
    let text = shelf.playlist(&item).await?;
    Ok(tagged(hls::PLAYLIST_TYPE, CACHE, text, &headers))
}

/// Answers with the media playlist of a rendition, or of the subtitles in a language.
pub(super) async fn media(
    State(view): State<Arc<StationView>>,
    Path((id, item, version, name)): Path<(String, String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let (_, shelf) = shelf(&view, &id)?;
    let text = shelf.media(&item, &version, &name).await?;
    Ok(tagged(hls::PLAYLIST_TYPE, CACHE, text, &headers))
}

/// Answers with a segment of a rendition, or with the subtitles in a language.
pub(super) async fn segment(
    State(view): State<Arc<StationView>>,
    Path((id, item, version, name, file)): Path<(String, String, String, String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let (channel, shelf) = shelf(&view, &id)?;
    if file == SUBTITLES_FILE {
        let text = shelf.captions(&item, &version, &name).await?;
        // A file beside the film may change.
        return Ok(tagged(hls::VTT_TYPE, CACHE, text, &headers));
    }
    let number = segment_number(&file).and_then(|number| usize::try_from(number.0).ok());
    let number = number.ok_or(HttpError::NoSuchPage)?;
    let bytes = shelf.segment(&item, &version, &name, number).await?;
    let etag = format!("\"{version}-{name}-{number}\"");
    let response = segment_response(&etag, TS_TYPE, bytes.len(), &headers, |range| Body::from(bytes.slice(range)));
    let sent = response.body().size_hint().exact().and_then(|len| usize::try_from(len).ok());
    if let Some(sent @ 1..) = sent.filter(|_| wants_body(&method)) {
        channel.viewers.sent_on_demand(sent);
    }
    Ok(response)
}
