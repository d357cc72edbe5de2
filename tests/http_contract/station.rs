//! A station of two channels made of nothing, and the questions tests ask it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use nightcast::channel::{AiringStatus, ChannelState, ChannelStatus, LibraryCounts};
use nightcast::clock::Clock;
use nightcast::hls::{PlaylistBody, SegmentBody, Snapshot};
use nightcast::http::{ChannelView, Roster, StationView, Thumbnails, router};
use nightcast::library::Metadata;
use nightcast::units::{ChannelId, MediaTime, Msn, RunId};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// No test waits longer than this for something that must happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A station of two channels: `night` has segments 100 to 109 listed and 97 to 99 expired, `new` has published nothing.
pub(crate) struct Station {
    pub(crate) view: StationView,
    pub(crate) night: watch::Sender<Arc<Snapshot>>,
    pub(crate) new: watch::Sender<Arc<Snapshot>>,
    pub(crate) ready: watch::Sender<bool>,
    pub(crate) roster: watch::Sender<Arc<Roster>>,
    _statuses: Vec<watch::Sender<Arc<ChannelStatus>>>,
}

impl Station {
    pub(crate) fn new() -> Self {
        let clock = Clock::new(1.0);
        let (night, night_snapshot) = watch::channel(Arc::new(snapshot(97, 100, 109)));
        let (new, new_snapshot) = watch::channel(Arc::new(Snapshot::default()));
        let (ready, is_ready) = watch::channel(true);
        let mut statuses = Vec::new();
        let mut channel = |id: &str, name: &str, state, snapshot| {
            let id = ChannelId::new(id).unwrap();
            let (sender, status) = watch::channel(Arc::new(status(&id, name, state, clock.now())));
            statuses.push(sender);
            ChannelView { id, status, snapshot, viewers: Arc::default(), rewind: Arc::default() }
        };
        let channels = vec![
            Arc::new(channel("night", "Night <Lights>", ChannelState::OnAir, night_snapshot)),
            Arc::new(channel("new", "New", ChannelState::Starting, new_snapshot)),
        ];
        let (roster, roster_view) =
            watch::channel(Arc::new(Roster { name: "Tom & Co".into(), channels, ..Roster::default() }));
        let view = StationView {
            roster: roster_view,
            ready: is_ready,
            clock,
            thumbnails: Thumbnails::default(),
            token: CancellationToken::new(),
        };
        Self { view, night, new, ready, roster, _statuses: statuses }
    }

    pub(crate) fn router(&self) -> Router {
        router(self.view.clone())
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(Method::GET, path, headers).await
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = tokio::time::timeout(DEADLINE, body.collect()).await.expect("the answer ends").unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) fn segment_bytes(msn: u64) -> Bytes {
    Bytes::from(format!("segment {msn} ").repeat(500))
}

pub(crate) fn snapshot(kept: u64, oldest: u64, newest: u64) -> Snapshot {
    let body = |msn| SegmentBody::in_memory(vec![segment_bytes(msn)], MediaTime::from_secs(2), false);
    Snapshot {
        playlist: Some(PlaylistBody {
            text: Bytes::from(format!("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:{oldest}\n")),
            etag: format!("\"p{newest}\"").into(),
        }),
        segments: (kept..=newest).map(|msn| (Msn(msn), Arc::new(body(msn)))).collect(),
        newest: Some(Msn(newest)),
        oldest: Some(Msn(oldest)),
        ..Snapshot::default()
    }
}

fn status(id: &ChannelId, name: &str, state: ChannelState, now: Timestamp) -> ChannelStatus {
    let airing = |serial, title: &str, begun_secs_ago| AiringStatus {
        serial: Some(serial),
        key: None,
        kind: nightcast::schedule::Kind::Item,
        metadata: Arc::new(Metadata { title: title.to_owned(), ..Metadata::default() }),
        start: now - SignedDuration::from_secs(begun_secs_ago),
        duration: MediaTime::from_secs(100),
    };
    let on_air = state == ChannelState::OnAir;
    ChannelStatus {
        id: id.clone(),
        name: name.into(),
        state,
        reason: (!on_air).then(|| "Warming up.".into()),
        aired: if on_air { [airing(1, "One", 140), airing(2, "Two", 40)].into() } else { [].into() },
        before: if on_air { [airing(0, "Nought", 240)].into() } else { [].into() },
        next: if on_air {
            [airing(3, "Three", -60), airing(4, "Four", -160), airing(5, "Five", -260)].into()
        } else {
            [].into()
        },
        run: RunId(1),
        restarts: 0,
        library: LibraryCounts { items: 5, ..LibraryCounts::default() },
        edge: on_air.then_some(now),
    }
}
