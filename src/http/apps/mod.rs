//! What TV apps and media servers ask for: the playlist of all channels, the programme guide, logos, colours.

mod brand;
mod guide_xml;
mod logo;
mod origin;
mod playlist;
mod xml;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::caching::not_modified;
use super::state::{Roster, StationView};
use crate::units::ChannelId;

pub use guide_xml::render as render_guide;
pub(super) use logo::path_of as logo_path;
pub use logo::read as read_logo;
pub(super) use origin::Origin;
pub use playlist::render as render_playlist;
pub(super) use playlist::{CHANNELS_TYPE, Stream};
pub(super) use xml::Text as XmlText;

/// They change with the configuration or the plan, so whoever has one asks each time, and mostly hears 304.
const CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// Returns what players on other sites may read, too.
pub(super) fn open_routes() -> Router<Arc<StationView>> {
    Router::new()
        .route("/channels.m3u", get(playlist::channels))
        .route("/guide.xml", get(guide_xml::guide))
        .route("/channels/{id}/logo", get(logo::logo))
        .route("/channels/{id}/logo.png", get(logo::drawn))
}

/// Returns what only our own pages read.
pub(super) fn own_routes() -> Router<Arc<StationView>> {
    Router::new().route("/brand.css", get(brand::colours))
}

/// A channel as apps know it.
#[derive(Clone, Debug)]
pub struct Listed<'s> {
    /// Its id in addresses.
    pub id: &'s ChannelId,
    /// What keys tune to it, from 1.
    pub number: usize,
    /// The name viewers see.
    pub name: Arc<str>,
    /// The path of a picture that apps can show.
    pub logo: String,
}

impl Listed<'_> {
    /// Returns its name in guides, which never changes: the form of a domain that XMLTV asks for (RFC 2838).
    #[must_use]
    pub fn guide_id(&self) -> String {
        format!("{}.nightcast", self.id)
    }
}

/// Returns the station's channels in their order.
fn listed(roster: &Roster) -> Vec<Listed<'_>> {
    let all = roster.channels.iter().enumerate().map(|(place, channel)| Listed {
        id: &channel.id,
        number: place + 1,
        name: Arc::clone(&channel.status.borrow().name),
        // Many apps show no SVG, which is what a logo without a file is to browsers.
        logo: match roster.brand.logo_of(&channel.id) {
            Some(_) => logo_path(&channel.id),
            None => format!("{}.png", logo_path(&channel.id)),
        },
    });
    all.collect()
}

/// Returns the playlist of a station's channels.
pub(super) fn playlist_of(origin: &Origin, roster: &Roster, stream: Stream) -> String {
    render_playlist(origin, &roster.name, &listed(roster), stream)
}

/// Answers with a text or picture and its tag; or with nothing, where the viewer has it.
pub(super) fn tagged(kind: &'static str, cache: HeaderValue, body: impl Into<Bytes>, headers: &HeaderMap) -> Response {
    let body = body.into();
    // Weak, because the same text goes out compressed and not.
    let mut etag = String::from("W/\"");
    for byte in &Sha256::digest(&body)[..8] {
        let _ = write!(etag, "{byte:02x}");
    }
    etag.push('"');
    let mut response = if not_modified(headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response()
    };
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    response.headers_mut().extend(HeaderValue::try_from(etag).ok().map(|etag| (header::ETAG, etag)));
    response
}
