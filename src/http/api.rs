//! The JSON that pages and programs read, and the two health checks.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;

use super::apps::logo_path;
use super::demand::page_of;
use super::error::HttpError;
use super::state::{ChannelView, Roster, StationView};
use crate::channel::{AiringStatus, ChannelState, ChannelStatus, LibraryCounts};
use crate::demand::Shelf;
use crate::hls::Snapshot;
use crate::units::MediaTime;

/// How many coming programmes the list of all channels tells for each: a page shows one, and one more is at hand when
/// it begins.
const NEXT_IN_LIST: usize = 2;

/// How many the answer about one channel tells; `/api/guide` tells all.
const NEXT_MAX: usize = 20;

/// The state changes by the second, and an answer from a cache would carry a wrong `server_time`.
pub(super) const FRESH: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// Everything about all channels that a guide needs.
#[derive(Serialize)]
struct Guide {
    station: Arc<str>,
    server_time: Timestamp,
    channels: Vec<Channel>,
}

/// One channel, as viewers' pages and programs see it.
#[derive(Serialize)]
struct Channel {
    id: String,
    name: Arc<str>,
    /// As in CSS: by what the pages tell channels apart.
    colour: String,
    server_time: Timestamp,
    state: ChannelState,
    reason: Option<Arc<str>>,
    published: bool,
    edge: Option<Timestamp>,
    now: Option<Airing>,
    position_seconds: Option<f64>,
    next: Vec<Airing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aired: Option<Vec<Airing>>,
    library: LibraryCounts,
    restarts: u64,
    renditions: Vec<Rendition>,
    /// Whether its films can be watched on demand, too.
    on_demand: bool,
    /// None where viewers cannot go back.
    rewind: Option<Rewind>,
    urls: Urls,
}

/// How far back viewers may go.
#[derive(Serialize)]
struct Rewind {
    /// How far it will be when enough was kept, in seconds.
    window_seconds: f64,
    /// The oldest moment there is.
    from: Timestamp,
    playlist: String,
}

/// One of several pictures of a channel, as the list of them tells it to players.
#[derive(Serialize)]
struct Rendition {
    name: Arc<str>,
    /// None until a picture was read.
    width: Option<u32>,
    height: Option<u32>,
    /// Whether there is no picture.
    audio_only: bool,
    /// Bits a second that a line must carry.
    bandwidth: u64,
    playlist: String,
}

/// Where a channel is found, as paths on this server.
#[derive(Serialize)]
struct Urls {
    page: String,
    playlist: String,
    live_ts: String,
    api: String,
    logo: String,
    /// The page of its films; none where they cannot be watched on demand.
    library: Option<String>,
}

/// One programme.
#[derive(Serialize)]
struct Airing {
    serial: Option<u64>,
    kind: &'static str,
    title: String,
    author: Option<String>,
    date: Option<String>,
    description: Option<String>,
    slate: bool,
    start: Timestamp,
    end: Timestamp,
    duration_seconds: f64,
    /// The page on which it can be watched by itself, where it can be now.
    on_demand: Option<String>,
}

/// Returns what an airing is, in a word.
pub(super) fn kind(airing: &AiringStatus) -> &'static str {
    airing.serial.map_or("slate", |_| airing.kind.as_str())
}

impl Airing {
    fn told(airing: &AiringStatus, channel: &ChannelView, shelf: Option<&Arc<Shelf>>) -> Self {
        let metadata = &airing.metadata;
        Self {
            serial: airing.serial,
            kind: kind(airing),
            title: metadata.title.clone(),
            author: metadata.author.clone(),
            date: metadata.date.clone(),
            description: metadata.description.clone(),
            slate: airing.serial.is_none(),
            start: airing.start,
            end: airing.duration.after(airing.start),
            duration_seconds: airing.duration.as_secs_f64(),
            on_demand: page_of(shelf, channel.id.as_str(), airing),
        }
    }
}

/// Answers with every channel, what is on and what is next.
pub(super) async fn channels(State(view): State<Arc<StationView>>) -> Response {
    let now = view.clock.wall();
    let roster = view.roster();
    let channels =
        roster.channels.iter().enumerate().map(|(place, channel)| describe(&roster, place, channel, now, NEXT_IN_LIST));
    let body = Guide { station: Arc::clone(&roster.name), server_time: now, channels: channels.collect() };
    ([FRESH], Json(body)).into_response()
}

/// Answers with one channel: also what was on, so that a viewer behind the edge can look up what they see.
pub(super) async fn channel(
    State(view): State<Arc<StationView>>,
    Path(id): Path<String>,
) -> Result<Response, HttpError> {
    let roster = view.roster();
    let place = roster.channels.iter().position(|channel| channel.id.as_str() == id).ok_or(HttpError::NoSuchChannel)?;
    let channel = &roster.channels[place];
    let mut told = describe(&roster, place, channel, view.clock.wall(), NEXT_MAX);
    let (shelf, status) = (roster.shelves.get(&channel.id), channel.status());
    // Who goes back may come to what was on in an earlier life.
    let since = told.rewind.as_ref().map(|rewind| rewind.from);
    let within = |airing: &&AiringStatus| since.is_some_and(|since| airing.duration.after(airing.start) > since);
    let aired = status.before.iter().filter(within).chain(&*status.aired);
    told.aired = Some(aired.map(|airing| Airing::told(airing, channel, shelf)).collect());
    Ok(([FRESH], Json(told)).into_response())
}

fn describe(roster: &Roster, place: usize, channel: &ChannelView, server_time: Timestamp, next_max: usize) -> Channel {
    let (status, shelf) = (channel.status(), roster.shelves.get(&channel.id));
    let airing = |airing: &AiringStatus| Airing::told(airing, channel, shelf);
    let on = airing_at_edge(&status, server_time);
    let page = format!("/watch/{}", channel.id);
    let base = format!("/channels/{}", channel.id);
    Channel {
        id: channel.id.to_string(),
        name: Arc::clone(&status.name),
        colour: roster.brand.colour_of(&channel.id, place).to_string(),
        server_time,
        state: status.state,
        reason: status.reason.clone(),
        published: channel.published(),
        edge: status.edge,
        now: on.map(|(on, _)| airing(on)),
        position_seconds: on.map(|(_, position)| position.as_secs_f64()),
        next: status.announced().take(next_max).map(airing).collect(),
        aired: None,
        library: status.library,
        restarts: status.restarts,
        renditions: renditions(&channel.snapshot(), &base),
        on_demand: shelf.is_some(),
        rewind: rewind(channel, &base),
        urls: Urls {
            page,
            playlist: format!("{base}/index.m3u8"),
            live_ts: format!("{base}/live.ts"),
            api: format!("/api{base}"),
            logo: logo_path(&channel.id),
            library: shelf.map(|_| format!("/library/{}", channel.id)),
        },
    }
}

fn rewind(channel: &ChannelView, base: &str) -> Option<Rewind> {
    let (wanted, from) = (channel.rewind.wanted()?, channel.rewind.window().since()?);
    let playlist = format!("{base}/rewind.m3u8");
    Some(Rewind { window_seconds: wanted.window.as_secs_f64(), from, playlist })
}

fn renditions(snapshot: &Snapshot, base: &str) -> Vec<Rendition> {
    let told = snapshot.renditions.iter().map(|told| Rendition {
        name: Arc::clone(&told.name),
        width: told.picture.map(|picture| picture.width),
        height: told.picture.map(|picture| picture.height),
        audio_only: told.audio_only,
        bandwidth: told.bandwidth,
        playlist: format!("{base}/{}/index.m3u8", told.name),
    });
    told.collect()
}

/// Returns what is on at the live edge, or by the server's clock where nothing is published yet, and how far in.
pub(super) fn airing_at_edge(status: &ChannelStatus, server_time: Timestamp) -> Option<(&AiringStatus, MediaTime)> {
    let moment = status.edge.unwrap_or(server_time);
    // The edge is the *end* of the newest segment: a programme that begins exactly there has shown nothing yet.
    let begun = |airing: &&AiringStatus| airing.start < moment;
    let airing = status.aired.iter().rev().find(begun).or_else(|| status.aired.first())?;
    let position =
        MediaTime::between(airing.start, moment).clamp(MediaTime::ZERO, airing.duration.max(MediaTime::ZERO));
    Some((airing, position))
}

/// Answers that the process lives, and nothing more: a channel in trouble must not get the whole station restarted.
pub(super) async fn healthz() -> Response {
    ([FRESH], "ok\n").into_response()
}

/// Answers whether viewers may be sent here: every channel has something to watch, or is off the air on
/// purpose, and no stop was asked for.
pub(super) async fn readyz(State(view): State<Arc<StationView>>) -> Response {
    let stopping = view.token.is_cancelled();
    let mut text = String::new();
    for channel in view.roster().channels.iter().filter(|channel| !channel.published() && !channel.is_off()) {
        let _ = writeln!(text, "{}: nothing published yet", channel.id);
    }
    if stopping {
        text.push_str("the station is stopping\n");
    } else if !*view.ready.borrow() {
        text.push_str("the station is not ready\n");
    }
    if text.is_empty() {
        return ([FRESH], "ready\n").into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, [FRESH, (header::RETRY_AFTER, HeaderValue::from_static("1"))], text)
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Metadata;
    use crate::schedule::Kind;
    use crate::units::{ChannelId, RunId};

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    fn status(edge: Option<i64>) -> ChannelStatus {
        let airing = |serial: u64, start: i64| AiringStatus {
            serial: Some(serial),
            key: None,
            kind: Kind::Item,
            metadata: Arc::new(Metadata { title: format!("film {serial}"), ..Metadata::default() }),
            start: at(start),
            duration: MediaTime::from_secs(100),
        };
        ChannelStatus {
            id: ChannelId::new("night").unwrap(),
            name: "Night".into(),
            state: ChannelState::OnAir,
            reason: None,
            aired: [airing(1, 1000), airing(2, 1100)].into(),
            before: [].into(),
            next: [airing(3, 1200)].into(),
            run: RunId(1),
            restarts: 0,
            library: LibraryCounts::default(),
            edge: edge.map(at),
        }
    }

    #[test]
    fn what_is_on_is_told_for_the_live_edge() {
        for (sentence, edge, server_time, expected) in [
            ("in the first", Some(1050), 5000, (1, 50.0)),
            ("the first ends at the edge", Some(1100), 5000, (1, 100.0)),
            ("in the second", Some(1130), 5000, (2, 30.0)),
            ("an item that stands still is over, not longer than it is", Some(1500), 5000, (2, 100.0)),
            ("without an edge by the clock", None, 1120, (2, 20.0)),
            ("before the first", None, 900, (1, 0.0)),
        ] {
            let status = status(edge);
            let (airing, position) = airing_at_edge(&status, at(server_time)).unwrap();
            assert_eq!((airing.serial.unwrap(), position.as_secs_f64()), expected, "{sentence}");
        }
    }

    #[test]
    fn a_channel_that_aired_nothing_has_nothing_on() {
        let status = ChannelStatus { aired: [].into(), ..status(None) };
        assert!(airing_at_edge(&status, at(0)).is_none());
    }
}
