//! Requests to the router, without a socket: a line `GET /path?query`, then lines `name: value`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use jiff::SignedDuration;
use nightcast::channel::{AiringStatus, ChannelState, ChannelStatus, LibraryCounts};
use nightcast::clock::Clock;
use nightcast::hls::{PlaylistBody, SegmentBody, Snapshot};
use nightcast::http::{ChannelView, Roster, StationView, Thumbnails, router};
use nightcast::library::Metadata;
use nightcast::on_air::receive::{self, Target};
use nightcast::units::{ChannelId, MediaTime, Msn, RunId};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How long any answer may take: the longest that the router itself waits is three seconds.
const DEADLINE: Duration = Duration::from_secs(8);

/// Every request is answered, with a status that says what it is, and nothing is a fault of ours.
pub(super) fn request(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let path = text.lines().next().and_then(|line| line.split_once(' ')).map_or("", |(_, path)| path);
    for renditions in [1, 3] {
        if let Some(Target::Chunk { rendition, number }) = receive::target(path, "s3cret", renditions) {
            assert!(path.starts_with("/s3cret/") && path.contains(&number.to_string()));
            assert!(rendition < renditions);
        }
    }
    let Some(request) = parsed(data) else { return };
    let (method, path) = (request.method().clone(), request.uri().clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let (view, _senders) = station();
        let answer = tokio::time::timeout(DEADLINE, router(view).oneshot(request)).await.expect("an answer comes");
        judge(&method, &path, answer.expect("a router does not fail")).await;
    });
}

fn parsed(data: &[u8]) -> Option<Request<Body>> {
    let mut lines = data.split(|byte| *byte == b'\n');
    let line = lines.next()?;
    let blank = line.iter().position(|byte| *byte == b' ')?;
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::from_bytes(&line[..blank]).ok()?;
    *request.uri_mut() = Uri::try_from(&line[blank + 1..]).ok()?;
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&line[..colon]), value) {
            request.headers_mut().append(name, value);
        }
    }
    Some(request)
}

async fn judge(method: &Method, path: &Uri, answer: Response<Body>) {
    let (parts, body) = answer.into_parts();
    assert_ne!(parts.status, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}");
    assert_eq!(parts.headers["x-content-type-options"], "nosniff", "{method} {path}");
    let reading = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
    assert_eq!(parts.status == StatusCode::METHOD_NOT_ALLOWED, !reading, "{method} {path}");
    let given = parts.status == StatusCode::OK && method != Method::OPTIONS;
    assert!(!given || !path.path().contains(".."), "{method} {path}");
    let kind = parts.headers.get("content-type").map_or(&b""[..], HeaderValue::as_bytes);
    if kind == b"video/mp2t" && body.size_hint().exact().is_none() {
        // The endless stream.
        return;
    }
    let bytes =
        tokio::time::timeout(DEADLINE, body.collect()).await.expect("an answer ends").expect("whole").to_bytes();
    if method == Method::HEAD || parts.status == StatusCode::NOT_MODIFIED {
        assert!(bytes.is_empty(), "{method} {path}");
    }
    if parts.status == StatusCode::PARTIAL_CONTENT {
        let told = parts.headers["content-range"].to_str().expect("text");
        let (first, last) = told[6..].split_once('/').and_then(|(part, _)| part.split_once('-')).expect("a part");
        let (first, last): (usize, usize) = (first.parse().expect("a number"), last.parse().expect("a number"));
        let sent = if method == Method::HEAD { Bytes::new() } else { segment(105).slice(first..=last) };
        assert_eq!(bytes, sent, "{told}");
    }
}

/// A station of two channels, and what keeps them: `night` is on air, `gone` has ended before it published anything.
fn station() -> (StationView, (watch::Sender<Arc<Snapshot>>, watch::Sender<bool>)) {
    let clock = Clock::new(1.0);
    let channel = |id: &str, snapshot| {
        let id = ChannelId::new(id).expect("an id");
        let airing = AiringStatus {
            serial: Some(1),
            key: None,
            kind: nightcast::schedule::Kind::Item,
            metadata: Arc::new(Metadata { title: "<One>".to_owned(), ..Metadata::default() }),
            start: clock.now() - SignedDuration::from_secs(40),
            duration: MediaTime::from_secs(100),
        };
        let status = ChannelStatus {
            id: id.clone(),
            name: "Night <Lights>".into(),
            state: ChannelState::OnAir,
            reason: None,
            aired: [airing.clone()].into(),
            before: [].into(),
            next: [airing].into(),
            run: RunId(1),
            restarts: 0,
            library: LibraryCounts::default(),
            edge: Some(clock.now()),
        };
        ChannelView {
            id,
            status: watch::channel(Arc::new(status)).1,
            snapshot,
            viewers: Arc::default(),
            rewind: Arc::default(),
        }
    };
    let (sender, night) = watch::channel(Arc::new(snapshot()));
    let (ready_sender, ready) = watch::channel(true);
    let gone = watch::channel(Arc::new(Snapshot::default())).1;
    let channels = vec![Arc::new(channel("night", night)), Arc::new(channel("gone", gone))];
    let roster = watch::channel(Arc::new(Roster { name: "Tom & Co".into(), channels, ..Roster::default() })).1;
    let view = StationView { roster, ready, clock, thumbnails: Thumbnails::default(), token: CancellationToken::new() };
    (view, (sender, ready_sender))
}

fn segment(msn: u64) -> Bytes {
    Bytes::from(format!("segment {msn} ").repeat(50))
}

fn snapshot() -> Snapshot {
    let body = |msn| SegmentBody::in_memory(vec![segment(msn)], MediaTime::from_secs(2), false);
    let text = Bytes::from_static(b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:105\n");
    Snapshot {
        playlist: Some(PlaylistBody { text, etag: "\"p105\"".into() }),
        segments: [(Msn(105), Arc::new(body(105)))].into(),
        newest: Some(Msn(105)),
        oldest: Some(Msn(105)),
        ..Snapshot::default()
    }
}
