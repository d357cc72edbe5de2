//! What can be watched on demand: the films' playlists and segments, the list of them, and their pages.
//!
//! Everything here is asked of a channel's [`Shelf`]; a channel without one does not allow it. Whoever watches on demand is no
//! viewer of the channel and is not counted among them; what they were sent is counted apart.

mod films;
mod library;
mod pages;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use super::error::HttpError;
use super::state::{ChannelView, StationView};
use crate::channel::AiringStatus;
use crate::demand::{Shelf, Trouble};

/// Returns what players and other sites' pages may read.
pub(super) fn open_routes() -> Router<Arc<StationView>> {
    Router::new()
        .route("/vod/{id}/{item}/index.m3u8", get(films::playlist))
        .route("/vod/{id}/{item}/{version}/{name}/index.m3u8", get(films::media))
        .route("/vod/{id}/{item}/{version}/{name}/{file}", get(films::segment))
        .route("/api/channels/{id}/library", get(library::list))
        .route("/api/channels/{id}/library/{item}", get(library::one))
}

/// Returns the pages.
pub(super) fn own_routes() -> Router<Arc<StationView>> {
    Router::new().route("/watch/{id}/{item}", get(pages::film)).route("/library/{id}", get(pages::library))
}

/// Returns a channel and what of it can be watched.
fn shelf(view: &StationView, id: &str) -> Result<(Arc<ChannelView>, Arc<Shelf>), HttpError> {
    let channel = view.channel(id).ok_or(HttpError::NoSuchChannel)?;
    let shelf = view.roster.borrow().shelves.get(&channel.id).map(Arc::clone);
    Ok((channel, shelf.ok_or(HttpError::NotOnDemand)?))
}

/// Returns the page on which a programme can be watched by itself, where it can be now.
pub(super) fn page_of(shelf: Option<&Arc<Shelf>>, channel: &str, airing: &AiringStatus) -> Option<String> {
    let item = shelf?.playable(airing.key.as_ref()?)?;
    Some(format!("/watch/{channel}/{item}"))
}

impl From<Trouble> for HttpError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NoSuchItem => Self::NoSuchItem,
            Trouble::NotReady => Self::NotReady,
            Trouble::NoSuchPart => Self::NoSuchPage,
            Trouble::Busy => Self::Busy,
        }
    }
}
