//! The accept loop: bounded in connections, in the time a peer may be silent, and in the time it takes to stop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{Accepted, Answers, converse, household, refuse};
use super::express::Hot;
use super::seats::Seats;
use super::tally::{Refusal, Tally, counted};
use super::{StationView, head, page};

/// What a listener allows its peers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections are served at once. One more takes the place of an idle one; where none is idle it gets a
    /// short 503.
    pub connections_max: usize,
    /// How long a peer may take to send a request's head, counted from the connection's beginning or from the last
    /// answer: thus also how long an idle connection is kept. Longer than any playlist poll.
    pub head_wait: Duration,
    /// How long a peer may keep an answer waiting without taking a byte of it.
    pub stall: Duration,
    /// How many bytes a second a peer must take in the long run of an answer that waits for it.
    pub rate_min: u32,
    /// How long answers under way may go on once a stop was asked for.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 2048,
            head_wait: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            // 64 kbit/s: a quarter of the thinnest channel that can be configured, so nobody who can watch is slower.
            rate_min: 8 * 1024,
            drain: Duration::from_secs(3),
        }
    }
}

/// What a listener serves.
#[derive(Clone, Debug)]
pub struct Pages {
    /// Everything.
    pub router: Router,
    /// Where playlists and segments are looked up without the router, which gives the same answers; none: never.
    pub view: Option<StationView>,
}

impl From<Router> for Pages {
    fn from(router: Router) -> Self {
        Self { router, view: None }
    }
}

/// How many refused connections are told so at once; more are closed without a word.
const REFUSALS_MAX: usize = 64;

/// How many may be on their way out, their seats being others' already, before newcomers wait for them to be gone.
const LEAVING_MAX: usize = 32;

/// The wait after an accept that failed: such errors (too many open files) pass only when something is closed, and
/// trying at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves pages on `listener` until the token is cancelled, then lets answers under way end within the drain limit;
/// `tally` counts what happens.
///
/// Over the connection limit a peer that finds nobody idle is answered 503 at once rather than left waiting in the
/// kernel's queue: players and proxies then try again or elsewhere instead of timing out, and a health check sees what is
/// wrong.
#[expect(clippy::disallowed_methods, reason = "begins the clock by which idle connections are compared")]
pub async fn serve(
    listener: TcpListener,
    pages: impl Into<Pages>,
    limits: Limits,
    tally: Arc<Tally>,
    token: CancellationToken,
) {
    let Pages { router, view } = pages.into();
    let counting = from_fn_with_state(Arc::clone(&tally), counted);
    let hot = view.map(|view| Arc::new(Hot::new(view, Arc::clone(&tally))));
    let router = router.layer(from_fn(head::understood)).layer(from_fn(page::secure)).layer(counting);
    let begin = Instant::now();
    let connections = TaskTracker::new();
    let seats = Seats::new(limits.connections_max);
    // Whoever loses their seat is on the way out for a moment.
    let places = Arc::new(Semaphore::new(limits.connections_max + LEAVING_MAX));
    let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
    // How often accepting has failed in a row: told once, and when it works again.
    let mut failures = 0_u64;
    loop {
        let accepted = tokio::select! {
            biased;
            () = token.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => {
                if std::mem::take(&mut failures) > 0 {
                    tracing::info!("connections are accepted again");
                }
                accepted
            }
            Err(error) if belongs_to_the_peer(&error) => continue,
            Err(error) => {
                if failures == 0 {
                    tracing::error!(%error, "connections are not accepted (hint: raise the limit of open files)");
                }
                failures += 1;
                tokio::select! {
                    () = token.cancelled() => break,
                    () = tokio::time::sleep(ACCEPT_PAUSE) => continue,
                }
            }
        };
        if let Some(ticket) = seats.seat(household(peer.ip()), begin.elapsed()) {
            let place = tokio::select! {
                biased;
                () = token.cancelled() => break,
                place = Arc::clone(&places).acquire_owned() => place,
            };
            let stream = Accepted { stream, peer: peer.ip(), open: tally.accepted() };
            let answers = Answers { hot: hot.clone(), router: router.clone() };
            let connection = converse(stream, answers, limits, ticket, begin, token.clone());
            connections.spawn(async move {
                connection.await;
                drop(place);
            });
            continue;
        }
        tally.refused(Refusal::Seats);
        if let Ok(seat) = Arc::clone(&refusals).try_acquire_owned() {
            tracing::debug!(limit = limits.connections_max, "connection refused");
            connections.spawn(async move {
                refuse(stream).await;
                drop(seat);
            });
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Returns whether the connection failed before it was accepted, which says nothing about our own state.
fn belongs_to_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
