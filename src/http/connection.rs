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

use super::express::{Express, Hot, Leaves};
use super::seats::{Seat, Ticket};
use super::stall::{Patience, StallGuard};
use super::tally::{Open, Refusal};
use super::task::Limits;
use super::viewers::Peer;

/// The longest head of a request in bytes; hyper's smallest is 8 KiB. Cookies of other services on the host pass.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// The most header lines of a request.
const HEADER_LINES_MAX: usize = 64;

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

/// What a connection is answered from.
pub(super) struct Answers {
    pub(super) hot: Option<Arc<Hot>>,
    pub(super) router: Router,
}

/// What both ways of answering need.
struct Talk {
    limits: Limits,
    ticket: Ticket,
    begin: Instant,
    token: CancellationToken,
    open: Open,
    peer: IpAddr,
}

/// How a way of answering came to its end.
enum Turn {
    /// What comes next is for the router; its head may take so long.
    Over(StallGuard<TcpStream>, Duration),
    /// Nothing more is answered.
    End { line: StallGuard<TcpStream>, refusal: Option<Refusal>, in_order: bool },
    /// The connection is gone.
    Gone,
}

/// Speaks HTTP/1.1 with one peer until either has enough, the seat is wanted by another, or the station stops.
pub(super) async fn converse(
    Accepted { stream, peer, open }: Accepted,
    Answers { hot, router }: Answers,
    limits: Limits,
    ticket: Ticket,
    begin: Instant,
    token: CancellationToken,
) {
    prepare(&stream);
    let patience = Patience::new(limits.stall, limits.rate_min);
    let mut line = StallGuard::new(stream, patience).telling(Arc::clone(&ticket.seat), begin);
    line.hold(false);
    let talk = Talk { limits, ticket, begin, token, open, peer };
    let mut turn = match hot {
        Some(hot) => by_express(hot, line, &talk).await,
        None => Turn::Over(line, limits.head_wait),
    };
    if let Turn::Over(line, head_wait) = turn {
        // In a box: most connections never come here, and need not carry the room for it.
        turn = Box::pin(by_router(router, line, head_wait, &talk)).await;
    }
    if let Turn::End { line, refusal, in_order } = turn {
        part(line, refusal, in_order, &talk).await;
    }
}

/// Answers what is asked for most, until something else is.
async fn by_express(hot: Arc<Hot>, line: StallGuard<TcpStream>, talk: &Talk) -> Turn {
    let mut express = Express::new(hot, line, talk.peer, Arc::clone(&talk.ticket.seat), talk.limits.head_wait);
    let leaves = tokio::select! {
        biased;
        leaves = express.run() => leaves,
        // At once: whoever takes the seat waits for it.
        () = talk.ticket.seat.wanted.cancelled() => {
            talk.open.refused(Refusal::Evicted);
            cut(express.into_line());
            return Turn::Gone;
        }
        () = talk.token.cancelled() => match timeout(talk.limits.drain, express.finish()).await {
            // The router answers what was asked before the stop, and says that it is the last.
            Ok(Ok(())) if express.has_unread() => Leaves::Other { left: talk.limits.head_wait },
            Ok(ended) => Leaves::Ended(ended),
            Err(_) => return Turn::Gone,
        },
    };
    let line = express.into_line();
    match leaves {
        Leaves::Other { left } => Turn::Over(line, left),
        Leaves::Ended(Ok(())) => Turn::End { line, refusal: None, in_order: true },
        Leaves::Ended(Err(error)) => {
            tracing::trace!(%error, "connection ended early");
            let refusal = (error.kind() == io::ErrorKind::TimedOut).then_some(Refusal::TooSlow);
            Turn::End { line, refusal, in_order: false }
        }
        Leaves::Idle => Turn::End { line, refusal: None, in_order: false },
        Leaves::HeadSlow => Turn::End { line, refusal: Some(Refusal::HeadSlow), in_order: false },
    }
}

/// Answers everything, by hyper and the router.
async fn by_router(router: Router, line: StallGuard<TcpStream>, head_wait: Duration, talk: &Talk) -> Turn {
    let (seat, peer) = (Arc::clone(&talk.ticket.seat), talk.peer);
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
        .header_read_timeout(head_wait)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADER_LINES_MAX)
        .serve_connection(TokioIo::new(line), service);
    let ended = tokio::select! {
        biased;
        ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => ended,
        // At once: whoever takes the seat waits for it.
        () = talk.ticket.seat.wanted.cancelled() => {
            talk.open.refused(Refusal::Evicted);
            cut(connection.into_parts().io.into_inner());
            return Turn::Gone;
        }
        () = talk.token.cancelled() => {
            Pin::new(&mut connection).graceful_shutdown();
            match timeout(talk.limits.drain, poll_fn(|cx| connection.poll_without_shutdown(cx))).await {
                Ok(ended) => ended,
                Err(_) => return Turn::Gone,
            }
        }
    };
    let parts = connection.into_parts();
    let refusal = ended.as_ref().err().and_then(|error| refusal(error, &parts.read_buf));
    if let Err(error) = &ended {
        // Viewers leave in the middle of answers all the time; nothing is wrong with us.
        tracing::trace!(%error, "connection ended early");
    }
    Turn::End { line: parts.io.into_inner(), refusal, in_order: ended.is_ok() }
}

/// Tells a peer why it ends, where there is something to tell, and waits for it to go.
async fn part(mut line: StallGuard<TcpStream>, refusal: Option<Refusal>, in_order: bool, talk: &Talk) {
    let Talk { limits, ticket, begin, token, open, .. } = talk;
    if let Some(refusal) = refusal {
        open.refused(refusal);
    }
    let text = match refusal {
        Some(Refusal::OtherVersion) => Some(OTHER_VERSION),
        Some(Refusal::HeadSlow) => Some(TOO_SLOW),
        _ => None,
    };
    let wait = if in_order { limits.head_wait } else { FAREWELL_WAIT };
    // Nothing is owed to it any more: it goes at once when its seat is wanted.
    ticket.seat.handed_over();
    ticket.seat.taken(begin.elapsed());
    let stopped = async {
        token.cancelled().await;
        tokio::time::sleep(FAREWELL_WAIT).await;
    };
    let over = tokio::select! {
        biased;
        said = timeout(wait, farewell(&mut line, text)) => said.is_ok_and(|said| said.is_ok()),
        () = ticket.seat.wanted.cancelled() => false,
        () = stopped => true,
    };
    if !over {
        cut(line);
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
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX));
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
