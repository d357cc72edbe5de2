//! What a listener has done, in numbers that anyone may read at any time: a few relaxed additions for each request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;

/// The templates of the routes, as the router knows them; the last stands for what has none.
pub const ROUTES: [&str; 48] = [
    "/",
    "/watch/{id}",
    "/channels/{id}/index.m3u8",
    "/channels/{id}/segments/{file}",
    "/channels/{id}/{rendition}/index.m3u8",
    "/channels/{id}/{rendition}/segments/{file}",
    "/channels/{id}/live.ts",
    "/api/channels",
    "/api/channels/{id}",
    "/api/guide",
    "/channels.m3u",
    "/guide.xml",
    "/channels/{id}/logo",
    "/channels/{id}/logo.png",
    "/brand.css",
    "/discover.json",
    "/lineup_status.json",
    "/lineup.json",
    "/lineup.m3u",
    "/device.xml",
    "/lineup.post",
    "/assets/{*path}",
    "/vendor/{*path}",
    "/favicon.ico",
    "/healthz",
    "/readyz",
    "/api/admin/rescan",
    "/api/admin/quarantine",
    "/api/admin/channels/{id}/skip",
    "/api/admin/channels/{id}/rescan",
    "/api/admin/channels/{id}/requeue",
    "/api/admin/channels/{id}/off",
    "/api/admin/channels/{id}/on",
    "/channels/{id}/thumbnail.jpg",
    "/guide",
    "/watch/{id}/{item}",
    "/library/{id}",
    "/api/channels/{id}/library",
    "/api/channels/{id}/library/{item}",
    "/vod/{id}/{item}/index.m3u8",
    "/vod/{id}/{item}/{version}/{name}/index.m3u8",
    "/vod/{id}/{item}/{version}/{name}/{file}",
    "/manifest.webmanifest",
    "/sw.js",
    "/offline",
    "/channels/{id}/rewind.m3u8",
    "/channels/{id}/{rendition}/rewind.m3u8",
    "other",
];

/// The methods that are answered; the last stands for all others.
pub const METHODS: [&str; 5] = ["GET", "HEAD", "OPTIONS", "POST", "other"];

/// The status codes that are given; the last stands for all others.
pub const CODES: [&str; 18] = [
    "200", "204", "206", "304", "400", "401", "404", "405", "408", "409", "412", "413", "414", "416", "429", "500",
    "503", "other",
];

/// With more connections than this, those who take files are a crowd. Among 400 the longer pieces that a crowd is sent were
/// a tenth slower than nginx, and short ones a third faster; among 600 short ones took a third more CPU than nginx, and the
/// longer ones a third less.
const CROWD: u64 = 500;

/// Where the buckets of answering times end, in seconds; beyond the last is one more.
pub const DURATION_BUCKETS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Why a connection was refused or cut; a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No seat was left.
    Seats,
    /// Its seat was given to a newcomer.
    Evicted,
    /// Its head did not come in time.
    HeadSlow,
    /// Its head was no HTTP.
    HeadMalformed,
    /// Its head was longer than a head may be.
    HeadTooLarge,
    /// It began with another version of HTTP.
    OtherVersion,
    /// It took an answer too slowly.
    TooSlow,
}

impl Refusal {
    /// Every reason, in their order.
    pub const ALL: [Self; 7] = [
        Self::Seats,
        Self::Evicted,
        Self::HeadSlow,
        Self::HeadMalformed,
        Self::HeadTooLarge,
        Self::OtherVersion,
        Self::TooSlow,
    ];

    /// Returns its name in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Seats => "seats",
            Self::Evicted => "evicted",
            Self::HeadSlow => "head_slow",
            Self::HeadMalformed => "head_malformed",
            Self::HeadTooLarge => "head_too_large",
            Self::OtherVersion => "other_version",
            Self::TooSlow => "too_slow",
        }
    }
}

/// The routes that are answered without the router, by their place in [`ROUTES`].
#[derive(Clone, Copy, Debug)]
pub(super) enum HotRoute {
    Playlist = 2,
    Segment = 3,
    RenditionPlaylist = 4,
    RenditionSegment = 5,
}

/// The answers to one route.
#[derive(Debug, Default)]
struct Answers {
    counts: [[AtomicU64; CODES.len()]; METHODS.len()],
    times: [AtomicU64; DURATION_BUCKETS.len() + 1],
    micros: AtomicU64,
}

/// The numbers of one listener.
#[derive(Debug)]
pub struct Tally {
    answers: [Answers; ROUTES.len()],
    accepted: AtomicU64,
    closed: AtomicU64,
    refusals: [AtomicU64; Refusal::ALL.len()],
}

impl Default for Tally {
    fn default() -> Self {
        let (accepted, closed, refusals) = Default::default();
        Self { answers: std::array::from_fn(|_| Answers::default()), accepted, closed, refusals }
    }
}

/// How long the answers to a route took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Times {
    /// How many took as long as each of [`DURATION_BUCKETS`] at the most, and how many longer than the last.
    pub counts: [u64; DURATION_BUCKETS.len() + 1],
    /// All together, in seconds.
    pub seconds: f64,
}

impl Tally {
    /// Counts an answer; indices are those of [`ROUTES`], [`METHODS`] and [`CODES`].
    fn answered(&self, route: usize, method: usize, code: usize, took: Duration) {
        let answers = &self.answers[route];
        answers.counts[method][code].fetch_add(1, Ordering::Relaxed);
        let bucket = DURATION_BUCKETS.partition_point(|bound| *bound < took.as_secs_f64());
        answers.times[bucket].fetch_add(1, Ordering::Relaxed);
        answers.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Counts a whole answer to a GET that never saw the router.
    pub(super) fn answered_hot(&self, route: HotRoute, took: Duration) {
        self.answered(route as usize, 0, 0, took);
    }

    /// Counts a connection that was accepted; it is open until what is returned is dropped.
    #[must_use]
    pub(super) fn accepted(self: &Arc<Self>) -> Open {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }

    /// Counts a connection that was refused or cut.
    pub(super) fn refused(&self, refusal: Refusal) {
        self.refusals[refusal as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the answers that were given at least once: route, method, code, how often.
    pub fn requests(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str, u64)> {
        let routes = self.answers.iter().zip(ROUTES);
        routes.flat_map(|(answers, route)| {
            answers.counts.iter().zip(METHODS).flat_map(move |(counts, method)| {
                let counts = counts.iter().zip(CODES).map(|(count, code)| (code, count.load(Ordering::Relaxed)));
                counts.filter(|(_, count)| *count > 0).map(move |(code, count)| (route, method, code, count))
            })
        })
    }

    /// Returns how long answers took, for each route.
    pub fn times(&self) -> impl Iterator<Item = (&'static str, Times)> {
        self.answers.iter().zip(ROUTES).map(|(answers, route)| {
            let counts = answers.times.each_ref().map(|count| count.load(Ordering::Relaxed));
            let seconds = Duration::from_micros(answers.micros.load(Ordering::Relaxed)).as_secs_f64();
            (route, Times { counts, seconds })
        })
    }

    /// Returns how many connections were accepted, and how many of them are open.
    #[must_use]
    pub fn connections(&self) -> (u64, u64) {
        // In this order, or more might be closed than were accepted.
        let closed = self.closed.load(Ordering::Acquire);
        let accepted = self.accepted.load(Ordering::Relaxed);
        (accepted, accepted.saturating_sub(closed))
    }

    /// Whether many are connected.
    pub(super) fn is_crowded(&self) -> bool {
        let (_, open) = self.connections();
        open > CROWD
    }

    /// Returns how many were refused or cut, in the order of [`Refusal::ALL`].
    #[must_use]
    pub fn refusals(&self) -> [u64; Refusal::ALL.len()] {
        self.refusals.each_ref().map(|count| count.load(Ordering::Relaxed))
    }
}

/// A connection that is open.
#[derive(Debug)]
pub(super) struct Open(Arc<Tally>);

impl Open {
    /// Counts why it was refused or cut.
    pub(super) fn refused(&self, refusal: Refusal) {
        self.0.refused(refusal);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.closed.fetch_add(1, Ordering::Release);
    }
}

/// Counts every answer with its time.
#[expect(clippy::disallowed_methods, reason = "measures how long an answer takes")]
pub(super) async fn counted(State(tally): State<Arc<Tally>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = place(&ROUTES, request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str));
    let method = place(&METHODS, request.method().as_str());
    let response = next.run(request).await;
    tally.answered(route, method, place(&CODES, response.status().as_str()), begun.elapsed());
    response
}

/// Returns where a word is in a list whose last stands for all that are not in it.
fn place(words: &[&str], word: &str) -> usize {
    words.iter().position(|known| *known == word).unwrap_or(words.len() - 1)
}

/// Whether it is a request for the body, too, and not for the head alone.
pub(super) fn wants_body(method: &Method) -> bool {
    method == Method::GET
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_counted_by_route_method_and_code_and_in_the_bucket_of_its_time() {
        let tally = Tally::default();
        let playlist = place(&ROUTES, "/channels/{id}/index.m3u8");
        for (micros, bucket) in [(0, 0), (500, 0), (501, 1), (250_000, 8), (5_000_000, 10), (60_000_000, 11)] {
            let before = tally.times().nth(playlist).unwrap().1;
            tally.answered(playlist, place(&METHODS, "GET"), place(&CODES, "200"), Duration::from_micros(micros));
            let after = tally.times().nth(playlist).unwrap().1;
            let grown = (0..after.counts.len()).find(|n| after.counts[*n] > before.counts[*n]);
            assert_eq!(grown, Some(bucket), "{micros} µs");
        }
        tally.answered(place(&ROUTES, "/no/such"), place(&METHODS, "PATCH"), place(&CODES, "418"), Duration::ZERO);
        let counted: Vec<_> = tally.requests().collect();
        assert_eq!(counted, [("/channels/{id}/index.m3u8", "GET", "200", 6), ("other", "other", "other", 1)]);
        assert!((tally.times().nth(playlist).unwrap().1.seconds - 65.251_001).abs() < 1e-9);
    }

    #[test]
    fn a_crowd_is_of_connections_that_are_open() {
        let tally = Arc::<Tally>::default();
        drop((0..=CROWD).map(|_| tally.accepted()).collect::<Vec<_>>());
        let mut open: Vec<_> = (0..CROWD).map(|_| tally.accepted()).collect();
        assert!(!tally.is_crowded(), "half of those that ever came");
        open.push(tally.accepted());
        assert!(tally.is_crowded(), "one more");
    }

    #[test]
    fn what_never_saw_the_router_is_counted_as_if_it_had() {
        let tally = Tally::default();
        for route in [HotRoute::Playlist, HotRoute::Segment, HotRoute::RenditionPlaylist, HotRoute::RenditionSegment] {
            tally.answered_hot(route, Duration::ZERO);
        }
        let routes = [
            "/channels/{id}/index.m3u8",
            "/channels/{id}/segments/{file}",
            "/channels/{id}/{rendition}/index.m3u8",
            "/channels/{id}/{rendition}/segments/{file}",
        ];
        assert!(tally.requests().eq(routes.map(|route| (route, "GET", "200", 1))));
    }

    #[test]
    fn a_connection_is_open_until_it_is_dropped() {
        let tally = Arc::<Tally>::default();
        let (one, two) = (tally.accepted(), tally.accepted());
        assert_eq!(tally.connections(), (2, 2));
        one.refused(Refusal::Evicted);
        drop(one);
        assert_eq!((tally.connections(), tally.refusals()[Refusal::Evicted as usize]), ((2, 1), 1));
        drop(two);
        assert_eq!(tally.connections(), (2, 0));
    }
}
