//! One connection: HTTP/1.1 with one peer, until either has enough.

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::seats::{Seat, Ticket};
use super::stall::{Patience, StallGuard};
use super::tally::{Open, Refusal};
use super::task::Limits;
use super::viewers::Peer;

/// The longest head of a request in bytes; hyper's smallest is 8 KiB. Cookies of other services on the host pass.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// The most header lines of a request.
const HEADER_LINES_MAX: usize = 64;

/// How much of an answer the kernel holds that was not sent yet. Without a limit it takes up to four megabytes for each
/// peer that does not read, and no peer is ever seen to be slow; what is under way to a fast peer does not count.
const UNSENT_BYTES_MAX: u32 = 128 * 1024;

/// How long the kernel keeps what a peer that is gone has not acknowledged.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_mins(1);

/// How long a peer that was refused may take to read why.
const FAREWELL_WAIT: Duration = Duration::from_secs(1);

/// What a peer over the limit is told.
const FULL: &str = "503 Service Unavailable\r\nretry-after: 5\r\n\r\nThe station has no seats left for now.\n";

/// What a peer is told that began a request and did not end it.
const TOO_SLOW: &str = "408 Request Timeout\r\n\r\nThe request took too long to come.\n";

/// What a peer is told that begins with HTTP/2.
const OTHER_VERSION: &str = "505 HTTP Version Not Supported\r\n\r\nThis is HTTP/1.1.\n";

/// How every connection with HTTP/2 begins (RFC 9113 §3.4).
const HTTP2_BEGINNING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection that was accepted.
pub(super) struct Accepted {
    pub(super) stream: TcpStream,
    pub(super) peer: IpAddr,
    pub(super) open: Open,
}

/// Speaks HTTP/1.1 with one peer until either has enough, the seat is wanted by another, or the station stops.
pub(super) async fn converse(
    Accepted { stream, peer, open }: Accepted,
    router: Router,
    limits: Limits,
    ticket: Ticket,
    begin: Instant,
    token: CancellationToken,
) {
    prepare(&stream);
    let seat = Arc::clone(&ticket.seat);
    let patience = Patience::new(limits.stall, limits.rate_min);
    let guarded = StallGuard::new(stream, patience).telling(Arc::clone(&seat), begin);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let answering = Answering::begin(&seat);
        request.extensions_mut().insert(Peer(peer));
        let answer = router.clone().oneshot(request.map(Body::new));
        let answer =
            async move { answer.await.map(|answer| answer.map(|body| Counted { body, _answering: answering })) };
        Box::pin(answer) as Pin<Box<dyn Future<Output = _> + Send>>
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_wait)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADER_LINES_MAX)
        .serve_connection(TokioIo::new(guarded), service);
    let ended = tokio::select! {
        biased;
        ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => ended,
        // At once: whoever takes the seat waits for it.
        () = ticket.seat.wanted.cancelled() => {
            open.refused(Refusal::Evicted);
            return cut(connection.into_parts().io.into_inner());
        }
        () = token.cancelled() => {
            Pin::new(&mut connection).graceful_shutdown();
            match timeout(limits.drain, poll_fn(|cx| connection.poll_without_shutdown(cx))).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    let parts = connection.into_parts();
    let refusal = ended.as_ref().err().and_then(|error| refusal(error, &parts.read_buf));
    if let Some(refusal) = refusal {
        open.refused(refusal);
    }
    let text = match refusal {
        Some(Refusal::OtherVersion) => Some(OTHER_VERSION),
        Some(Refusal::HeadSlow) => Some(TOO_SLOW),
        _ => None,
    };
    let wait = if ended.is_ok() { limits.head_wait } else { FAREWELL_WAIT };
    if let Err(error) = ended {
        // Viewers leave in the middle of answers all the time; nothing is wrong with us.
        tracing::trace!(%error, "connection ended early");
    }
    // Nothing is owed to it any more: it goes at once when its seat is wanted.
    ticket.seat.handed_over();
    ticket.seat.taken(begin.elapsed());
    let mut stream = parts.io.into_inner();
    let stopped = async {
        token.cancelled().await;
        tokio::time::sleep(FAREWELL_WAIT).await;
    };
    let over = tokio::select! {
        biased;
        said = timeout(wait, farewell(&mut stream, text)) => said.is_ok_and(|said| said.is_ok()),
        () = ticket.seat.wanted.cancelled() => false,
        () = stopped => true,
    };
    if !over {
        cut(stream);
    }
}

/// Returns which limit of ours a peer met with, if it was one; `unread` is what it sent that was not understood.
fn refusal(error: &hyper::Error, unread: &[u8]) -> Option<Refusal> {
    if unread.starts_with(HTTP2_BEGINNING) {
        return Some(Refusal::OtherVersion);
    }
    if error.is_timeout() {
        return (!unread.is_empty()).then_some(Refusal::HeadSlow);
    }
    if error.is_parse() {
        return Some(if error.is_parse_too_large() { Refusal::HeadTooLarge } else { Refusal::HeadMalformed });
    }
    // What the guard says when patience is at its end.
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.filter(|cause| cause.kind() == io::ErrorKind::TimedOut).map(|_| Refusal::TooSlow)
}

/// Closes a connection without waiting for anything: what its peer has not taken goes with it. Else the kernel would
/// keep that for as long as the peer takes a byte now and then, and without any limit of ours.
fn cut(stream: StallGuard<TcpStream>) {
    let _ = socket2::SockRef::from(&stream.into_inner()).set_linger(Some(Duration::ZERO));
}

/// Tells a peer that there are too many.
pub(super) async fn refuse(stream: TcpStream) {
    let mut guarded = StallGuard::new(stream, Patience::new(FAREWELL_WAIT, 1));
    let _ = timeout(FAREWELL_WAIT, farewell(&mut guarded, Some(FULL))).await;
}

/// Says a last word and waits for the peer to have read everything: closing a connection with unread bytes of the
/// peer's in it would reset it and lose the answer.
async fn farewell(stream: &mut StallGuard<TcpStream>, text: Option<&str>) -> io::Result<()> {
    if let Some(text) = text {
        stream.write_all(last_word(text).as_bytes()).await?;
    }
    stream.shutdown().await?;
    let mut unread = [0; 4096];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

/// Returns a whole answer from its status, headers of its own, and body.
fn last_word(text: &str) -> String {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let common = "content-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\nconnection: close";
    format!("HTTP/1.1 {head}\r\n{common}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Sets what the kernel is to do; where it does not, peers are only held less tightly.
fn prepare(stream: &TcpStream) {
    // Answers are written whole; waiting for more bytes would only make playlists later.
    let _ = stream.set_nodelay(true);
    let socket = socket2::SockRef::from(stream);
    let _ = socket.set_tcp_notsent_lowat(UNSENT_BYTES_MAX);
    let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX));
}

/// Returns whom a connection is counted for: IPv6 hands each household 2^64 addresses.
pub(super) fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Says when an answer begins and when its last byte was handed over: it goes with the body.
struct Answering(Arc<Seat>);

impl Answering {
    fn begin(seat: &Arc<Seat>) -> Self {
        seat.asked();
        Self(Arc::clone(seat))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.handed_over();
    }
}

/// A body whose end is told.
struct Counted {
    body: Body,
    _answering: Answering,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_whole_answers() {
        for text in [FULL, TOO_SLOW, OTHER_VERSION] {
            let said = last_word(text);
            let (head, body) = said.split_once("\r\n\r\n").unwrap();
            assert!(head.ends_with(&format!("content-length: {}", body.len())) && body.ends_with(".\n"), "{said}");
            assert!(head.starts_with("HTTP/1.1 ") && head.contains("\r\nconnection: close\r\n"), "{said}");
        }
    }

    #[test]
    fn a_household_is_one_address_or_one_network() {
        for (address, expected) in
            [("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
        {
            assert_eq!(household(address.parse().unwrap()), expected.parse::<IpAddr>().unwrap());
        }
    }
}
