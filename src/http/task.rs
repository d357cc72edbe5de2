//! The accept loop: bounded in connections, in the time a peer may be silent, and in the time it takes to stop.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::stall::StallGuard;

/// What a listener allows its peers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections are served at once. Those beyond it get a short 503.
    pub connections_max: usize,
    /// How long a peer may take to send a request's head, counted from the connection's beginning or from the last
    /// answer: thus also how long an idle connection is kept. Longer than any playlist poll.
    pub head_wait: Duration,
    /// How long a peer may take no byte of an answer.
    pub stall: Duration,
    /// How long answers under way may go on once a stop was asked for.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 2048,
            head_wait: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            drain: Duration::from_secs(3),
        }
    }
}

/// The longest head of a request in bytes; hyper's smallest is 8 KiB. Cookies of other services on the host pass.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// The most header lines of a request.
const HEADER_LINES_MAX: usize = 64;

/// How many refused connections are told so at once; more are closed without a word.
const REFUSALS_MAX: usize = 64;

/// How long a refused peer may take to read why.
const REFUSAL_WAIT: Duration = Duration::from_secs(1);

/// The wait after an accept that failed: such errors (too many open files) pass only when something is closed, and
/// trying at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What a peer over the limit is told. The connection ends with it.
const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n\
    content-length: 38\r\nretry-after: 5\r\ncache-control: no-store\r\nconnection: close\r\n\r\n\
    The station has no seats left for now.";

/// Serves `router` on `listener` until the token is cancelled, then lets answers under way end within the drain limit.
///
/// Over the connection limit a peer is answered 503 at once rather than left waiting in the kernel's queue: players and
/// proxies then try again or elsewhere instead of timing out, and a health check sees what is wrong.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, token: CancellationToken) {
    let connections = TaskTracker::new();
    let seats = Arc::new(Semaphore::new(limits.connections_max));
    let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
    // How often accepting has failed in a row: told once, and when it works again.
    let mut failures = 0_u64;
    loop {
        let accepted = tokio::select! {
            biased;
            () = token.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => {
                if std::mem::take(&mut failures) > 0 {
                    tracing::info!("connections are accepted again");
                }
                stream
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
        if let Ok(seat) = Arc::clone(&seats).try_acquire_owned() {
            let connection = converse(stream, router.clone(), limits, token.clone());
            connections.spawn(async move {
                connection.await;
                drop(seat);
            });
        } else if let Ok(seat) = Arc::clone(&refusals).try_acquire_owned() {
            tracing::debug!(limit = limits.connections_max, "connection refused");
            connections.spawn(async move {
                let _ = tokio::time::timeout(REFUSAL_WAIT, refuse(stream)).await;
                drop(seat);
            });
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Speaks HTTP/1.1 with one peer until either has enough.
async fn converse(stream: TcpStream, router: Router, limits: Limits, token: CancellationToken) {
    // Answers are written whole; waiting for more bytes would only make playlists later.
    let _ = stream.set_nodelay(true);
    let service = router.map_request(|request: Request<Incoming>| request.map(Body::new));
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_wait)
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEADER_LINES_MAX)
            .serve_connection(TokioIo::new(StallGuard::new(stream, limits.stall)), TowerToHyperService::new(service))
    );
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = token.cancelled() => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(limits.drain, connection).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        // Viewers leave in the middle of answers all the time; nothing is wrong with us.
        tracing::trace!(%error, "connection ended early");
    }
}

/// Tells a peer that there are too many, and waits for it to have read that: closing a connection with unread bytes
/// of the peer's in it would reset it and lose the answer.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(REFUSAL).await?;
    stream.shutdown().await?;
    let mut unread = [0; 1024];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

/// Returns whether the connection failed before it was accepted, which says nothing about our own state.
fn belongs_to_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_says_its_own_length() {
        let text = std::str::from_utf8(REFUSAL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
    }
}
