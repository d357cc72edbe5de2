//! The private listener of one run: it finds the run's own ffmpeg among whoever knocks, and then closes its door.
#![expect(clippy::disallowed_methods, reason = "asks the system whose connection it is")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::{AbortHandle, JoinSet};

use super::{Target, Upload, owner, target};
use crate::hls::source;

/// How many uploads may wait for the channel: one chunk and one playlist make a pair, and ffmpeg sends the next only
/// when the last was answered.
pub const UPLOADS_MAX: usize = 8;

/// How many connections may wait to be accepted. ffmpeg waits behind strangers in it, which is shorter than the second
/// after which a connection that finds no room is tried again.
pub const QUEUE_MAX: u32 = 1024;

/// How many connections may be held that have not proved to be ffmpeg's. The newest come in and the oldest go: ffmpeg
/// speaks as soon as it is connected, so no crowd of silent ones keeps it out.
const STRANGERS_MAX: usize = 256;

/// How long the oldest of them is heard before a newer one may take its place: else a crowd in the queue could push
/// ffmpeg out before anybody has looked at what it says.
const HEARING: Duration = Duration::from_millis(100);

/// How long a connection may take to prove that it is ffmpeg's.
const PROOF_WAIT: Duration = Duration::from_secs(5);

/// How much is read at once, and so the longest head of a request, in bytes. ffmpeg's heads have two hundred, but a chunk
/// has a megabyte: at 8 KiB, hyper's smallest, each took a hundred reads (measured: a twentieth of what a channel costs).
const READ_BYTES_MAX: usize = 64 * 1024;

/// The most header lines of a request; ffmpeg sends seven.
const HEADER_LINES_MAX: usize = 32;

/// How long ffmpeg may take to end once it has closed its connection. What it says in ending tells more than that.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The wait after an accept that failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the connections of a run share.
struct Door {
    secret: Arc<str>,
    uploads: mpsc::Sender<Upload>,
    /// The serial numbers of ffmpeg's connections, as far as they are known: one for each rendition.
    own: Box<[OnceLock<u64>]>,
    found: Notify,
    /// Told when one of ffmpeg's connections has ended.
    ended: Notify,
    /// Whether a stranger was told of: a crowd of them must not fill the log.
    told: AtomicBool,
}

impl Door {
    /// Whether a connection is one of ffmpeg's.
    fn knows(&self, serial: u64) -> bool {
        self.own.iter().any(|own| own.get() == Some(&serial))
    }

    /// Takes note of one of ffmpeg's connections; returns whether it was still awaited.
    fn admit(&self, serial: u64) -> bool {
        let is_admitted = self.own.iter().any(|own| own.set(serial).is_ok());
        if self.own.iter().all(|own| own.get().is_some()) {
            self.found.notify_one();
        }
        is_admitted
    }
}

/// Takes uploads until ffmpeg closes its connections. ffmpeg opens one for each rendition for the whole run (5.1 and 9.0
/// alike), so the first that prove to be its own are the only ones: the listener is closed behind them and every stranger
/// sent away.
///
/// Those connections must never time out while the run lives: ffmpeg does not recover from a closed one.
pub async fn serve(listener: TcpListener, secret: Arc<str>, renditions: usize, uploads: mpsc::Sender<Upload>) {
    let own = (0..renditions).map(|_| OnceLock::new()).collect();
    let door = Arc::new(Door {
        secret,
        uploads,
        own,
        found: Notify::new(),
        ended: Notify::new(),
        told: AtomicBool::new(false),
    });
    let mut connections = JoinSet::new();
    let mut strangers: VecDeque<(u64, Instant, AbortHandle)> = VecDeque::new();
    let mut serial = 0;
    loop {
        while connections.try_join_next().is_some() {}
        strangers.retain(|(_, _, task)| !task.is_finished());
        // Full, and nobody has been heard for long enough to be sent away: who waits in the queue is not lost.
        let oldest = strangers.front().filter(|_| strangers.len() == STRANGERS_MAX);
        let pause = oldest.map_or(Duration::ZERO, |(_, since, _)| HEARING.saturating_sub(since.elapsed()));
        let accepted = tokio::select! {
            biased;
            () = door.found.notified() => break,
            // Without one of them the run gives nothing back any more.
            () = door.ended.notified() => return tokio::time::sleep(LAST_WORDS).await,
            () = tokio::time::sleep(pause), if !pause.is_zero() => continue,
            accepted = listener.accept(), if pause.is_zero() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                serial += 1;
                if strangers.len() == STRANGERS_MAX
                    && let Some((_, _, oldest)) = strangers.pop_front()
                {
                    oldest.abort();
                }
                let task = connections.spawn(connection(stream, peer, serial, Arc::clone(&door)));
                strangers.push_back((serial, Instant::now(), task));
            }
            Err(error) => {
                tracing::warn!(%error, "private listener failed to accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    for (serial, _, task) in strangers {
        if !door.knows(serial) {
            task.abort();
        }
    }
    tokio::select! {
        () = door.ended.notified() => {}
        () = async { while connections.join_next().await.is_some() {} } => {}
    }
    tokio::time::sleep(LAST_WORDS).await;
}

async fn connection(stream: TcpStream, peer: SocketAddr, serial: u64, door: Arc<Door>) {
    let local = stream.local_addr();
    let shared = Arc::clone(&door);
    let service = service_fn(move |request: Request<Incoming>| {
        let (door, local) = (Arc::clone(&shared), local.as_ref().ok().copied());
        async move {
            let own = proves(&request, serial, &door, peer, local).await;
            let status = if own { take(request, &door).await } else { StatusCode::NOT_FOUND };
            let mut response = Response::new(Empty::<Bytes>::new());
            *response.status_mut() = status;
            if !own {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let spoken = http1::Builder::new()
        .max_buf_size(READ_BYTES_MAX)
        .max_headers(HEADER_LINES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = spoken => ended,
        () = unproved_too_long(serial, &door) => return,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "private connection ended");
    }
    if door.knows(serial) {
        door.ended.notify_one();
    }
}

/// Returns when a connection has had its time to prove itself and has not; else never.
async fn unproved_too_long(serial: u64, door: &Door) {
    tokio::time::sleep(PROOF_WAIT).await;
    if door.knows(serial) {
        pending::<()>().await;
    }
}

/// Whether a request comes by ffmpeg's own connection. One is proved by its first request: it knows the secret, and its
/// other end belongs to our user. The secret alone stands in ffmpeg's command line, which every user can read.
async fn proves(
    request: &Request<Incoming>,
    serial: u64,
    door: &Door,
    peer: SocketAddr,
    local: Option<SocketAddr>,
) -> bool {
    if door.knows(serial) {
        return true;
    }
    if door.own.iter().all(|own| own.get().is_some()) {
        return false;
    }
    let named = target(request.uri().path(), &door.secret, door.own.len()).is_some() && request.method() == Method::PUT;
    if !named || !ours(peer, local).await {
        if !door.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(%peer, named, "a stranger knocked at a private listener; more of them are not told");
        }
        return false;
    }
    door.admit(serial)
}

/// Whether the other end of a connection belongs to the user that we run as.
async fn ours(peer: SocketAddr, local: Option<SocketAddr>) -> bool {
    let (SocketAddr::V4(peer), Some(SocketAddr::V4(local))) = (peer, local) else { return false };
    let table = tokio::task::spawn_blocking(|| std::fs::read_to_string("/proc/self/net/tcp")).await;
    match table.map_err(std::io::Error::other).flatten() {
        Ok(table) => owner(&table, peer, local) == Some(rustix::process::geteuid().as_raw()),
        Err(error) => {
            tracing::warn!(%error, "the system does not tell whose connections are: the secret must do");
            true
        }
    }
}

/// Takes one request of ffmpeg's and returns the status to answer with.
async fn take(request: Request<Incoming>, door: &Door) -> StatusCode {
    let Some(target) = target(request.uri().path(), &door.secret, door.own.len()) else { return StatusCode::NOT_FOUND };
    if request.method() != Method::PUT {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let Some(pieces) = collect(request.into_body(), target.bytes_max()).await else {
        return StatusCode::PAYLOAD_TOO_LARGE;
    };
    let upload = match target {
        Target::Chunk { rendition, number } => Upload::Chunk { rendition, number, pieces },
        Target::List { rendition } => match source::newest_chunk(&pieces.concat()) {
            Ok(Some(chunk)) => Upload::Listed { rendition, chunk },
            Ok(None) => return StatusCode::OK,
            Err(error) => {
                tracing::warn!(%error, "ffmpeg's playlist was not understood");
                return StatusCode::BAD_REQUEST;
            }
        },
    };
    if door.uploads.send(upload).await.is_err() {
        return StatusCode::GONE;
    }
    StatusCode::OK
}

async fn collect(body: Incoming, bytes_max: usize) -> Option<Vec<Bytes>> {
    let mut body = Limited::new(body, bytes_max);
    let mut pieces = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.ok()?.into_data() {
            pieces.push(data);
        }
    }
    Some(pieces)
}
