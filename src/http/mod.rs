//! The viewers' side: pages, playlists, segments, endless MPEG-TS, API.
//!
//! Receives the channels' immutable snapshots ([`StationView`]); gives an [`axum::Router`] that answers from memory, and
//! [`serve`], the accept loop that keeps slow, silent and too many peers away from it. Promises that segment bytes are
//! shared and never copied or compressed, that everything is read-only but the operator's [`desk`], which is not there without
//! a token, and that no answer waits longer than a named limit. Does not decide what is on air, and keeps no state of its
//! own.

mod admin;
mod api;
pub mod apps;
mod caching;
mod connection;
mod demand;
pub mod desk;
mod error;
mod express;
mod guide;
pub mod hdhomerun;
mod head;
mod hls;
mod live;
mod page;
mod rewind;
mod seats;
mod shell;
mod stall;
mod state;
pub mod tally;
mod task;
pub mod thumbnail;
pub mod viewers;
mod wall;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any, CorsLayer};

pub use desk::Desk;
pub use error::HttpError;
pub use state::{ChannelView, Roster, StationView};
pub use tally::Tally;
pub use task::{Limits, Pages, serve};
pub use thumbnail::task::Thumbnails;
pub use viewers::Viewers;

/// How long a browser may remember the answer to a CORS preflight: a day, the most that browsers accept.
const PREFLIGHT_AGE: Duration = Duration::from_hours(24);

/// Returns everything the public listener answers, with the short way to what is asked for most.
#[must_use]
pub fn pages(view: StationView, desk: &Desk) -> Pages {
    Pages { router: router_with(view.clone(), desk), view: Some(view) }
}

/// Returns everything the public listener answers without a desk.
pub fn router(view: StationView) -> Router {
    router_with(view, &Desk::closed())
}

/// Returns everything the public listener answers. Layers are read from the bottom up: the last sees a request first.
pub fn router_with(view: StationView, desk: &Desk) -> Router {
    let view = Arc::new(view);
    // What players and other sites' pages may read: everything about a channel, from anywhere.
    let open = Router::new()
        .route("/channels/{id}/index.m3u8", get(hls::playlist))
        .route("/channels/{id}/segments/{file}", get(hls::segment))
        .route("/channels/{id}/{rendition}/index.m3u8", get(hls::rendition_playlist))
        .route("/channels/{id}/{rendition}/segments/{file}", get(hls::rendition_segment))
        .route("/channels/{id}/rewind.m3u8", get(rewind::playlist))
        .route("/channels/{id}/{rendition}/rewind.m3u8", get(rewind::rendition_playlist))
        .route("/channels/{id}/live.ts", get(live::live_ts))
        .route("/channels/{id}/thumbnail.jpg", get(thumbnail::thumbnail))
        .route("/api/channels", get(api::channels))
        .route("/api/channels/{id}", get(api::channel))
        .route("/api/guide", get(guide::guide))
        .merge(apps::open_routes())
        .merge(demand::open_routes())
        .layer(cors());
    Router::new()
        .merge(open)
        .merge(admin::routes(desk))
        .merge(apps::own_routes())
        .merge(demand::own_routes())
        .merge(hdhomerun::documents::routes())
        .route("/", get(page::index))
        .route("/watch/{id}", get(page::watch))
        .route("/assets/{*path}", get(page::asset))
        .route("/vendor/{*path}", get(page::vendor))
        .route("/favicon.ico", get(page::favicon))
        .route("/guide", get(page::guide))
        .route("/manifest.webmanifest", get(shell::manifest))
        .route("/sw.js", get(shell::service_worker))
        .route("/offline", get(shell::offline))
        .route("/healthz", get(api::healthz))
        .route("/readyz", get(api::readyz))
        .fallback(|| async { HttpError::NoSuchPage })
        .layer(from_fn_with_state(Arc::clone(&view), error::for_people))
        .layer(CompressionLayer::new().compress_when(caching::worth_compressing))
        .layer(from_fn_with_state(desk.clone(), error::reading_only))
        .layer(CatchPanicLayer::custom(error::panicked))
        // Outermost, so that refusals are told to be what they are, too.
        .layer(from_fn(page::secure))
        .with_state(view)
}

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::OPTIONS])
        .allow_headers([header::RANGE, header::IF_NONE_MATCH, header::IF_RANGE, header::CACHE_CONTROL])
        .expose_headers(EXPOSED)
        .max_age(PREFLIGHT_AGE)
}

/// What scripts of other origins may read of an answer: enough to measure bandwidth and the clock's offset.
const EXPOSED: [HeaderName; 4] = [header::CONTENT_LENGTH, header::CONTENT_RANGE, header::DATE, header::ETAG];

/// Returns an answer of nothing but a status.
fn bare(status: StatusCode) -> axum::response::Response {
    axum::response::IntoResponse::into_response(status)
}
