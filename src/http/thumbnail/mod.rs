//! Still pictures of what is on, for the wall: made of segments that lie in memory, and only when somebody asks.
//!
//! Receives a channel's snapshot; gives one JPEG, at most every [`album::EVERY`] a channel a new one, and one at a time in
//! the station ([`task`]). What is kept of a channel and when there is to be a new picture is decided in [`album`], pure.

pub(super) mod album;
pub mod task;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::caching::not_modified;
use super::error::HttpError;
use super::state::StationView;
use crate::channel::ChannelState;
use crate::hls::Snapshot;
use task::Still;

/// What caches are told: for less than the time after which there is a new one, so that a cache adds little to its age.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=10");

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Answers with the picture of a channel: the newest there is, or the first, which is waited for.
pub(super) async fn thumbnail(
    State(view): State<Arc<StationView>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let channel = view.channel(&id).ok_or(HttpError::NoSuchChannel)?;
    let picture = match view.thumbnails.of(&channel).await {
        Still::Picture(picture) => picture,
        // No failure: pages ask again, and browsers need not complain.
        Still::NotYet => return Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, NO_STORE)]).into_response()),
        Still::Nothing => return Err(HttpError::NoPicture),
    };
    let etag = HeaderValue::from_str(&picture.etag).map_err(|_| HttpError::Fault)?;
    let common = [(header::CACHE_CONTROL, CACHE), (header::ETAG, etag)];
    if not_modified(&headers, &picture.etag) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"))];
    Ok((common, kind, picture.jpeg.clone()).into_response())
}

/// Whether a channel in this state has a picture: the card is no programme, and neither is the dark.
pub(super) fn has_picture(state: ChannelState) -> bool {
    matches!(state, ChannelState::OnAir | ChannelState::Recovering)
}

/// Returns which of the segments' renditions is the cheapest to decode; none where all are sound alone.
fn smallest(snapshot: &Snapshot) -> Option<usize> {
    if snapshot.renditions.is_empty() {
        return Some(0);
    }
    let pictures = snapshot.renditions.iter().enumerate().filter(|(_, told)| !told.audio_only);
    pictures.min_by_key(|(_, told)| told.bandwidth).map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::RenditionTold;

    #[test]
    fn the_smallest_picture_is_taken_and_sound_alone_never() {
        let told = |bandwidth, audio_only| RenditionTold {
            name: "a".into(),
            picture: None,
            audio_only,
            bandwidth,
            average: bandwidth,
        };
        let snapshot =
            |renditions: Vec<RenditionTold>| Snapshot { renditions: renditions.into(), ..Snapshot::default() };
        for (renditions, expected) in [
            (vec![], Some(0)),
            (vec![told(900, false), told(300, false), told(100, true)], Some(1)),
            (vec![told(100, true)], None),
        ] {
            assert_eq!(smallest(&snapshot(renditions.clone())), expected, "{renditions:?}");
        }
    }
}
