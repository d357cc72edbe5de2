//! One connection on the short way: heads in, answers out, nothing allocated in between.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWrite as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::Hot;
use super::answer::{self, Body};
use super::request::{self, Head, Plain, Target};
use super::shelf::Found;
use crate::hls::Snapshot;
use crate::hls::spool::Content;
use crate::http::seats::Seat;
use crate::http::stall::StallGuard;
use crate::http::tally::HotRoute;
use crate::units::Msn;

/// Why a connection leaves the short way.
#[derive(Debug)]
pub(in crate::http) enum Leaves {
    /// What it sent is for hyper and the router.
    Other {
        /// How long the head may still take to come.
        left: Duration,
    },
    /// It was closed by the peer, or failed.
    Ended(io::Result<()>),
    /// Nothing came for as long as a connection may be idle.
    Idle,
    /// A head began and did not end in time.
    HeadSlow,
}

/// An answer on its way.
#[derive(Debug)]
struct Answer {
    body: Body,
    /// Bytes of head and body that were taken.
    sent: usize,
}

/// A connection on the short way. Whatever awaits in it may be dropped and called again: nothing is lost.
pub(in crate::http) struct Express {
    hot: Arc<Hot>,
    line: StallGuard<TcpStream>,
    peer: IpAddr,
    seat: Arc<Seat>,
    /// What came and was not answered yet.
    unread: Vec<u8>,
    /// The head of the answer under way.
    head: Vec<u8>,
    answer: Option<Answer>,
    head_wait: Duration,
    idle_since: Instant,
    /// Set once and looked at when it fires: setting it for each request would cost more than the request.
    timer: Pin<Box<Sleep>>,
}

impl Express {
    /// Begins with a connection.
    #[expect(clippy::disallowed_methods, reason = "an idle connection is given up after a while")]
    pub(in crate::http) fn new(
        hot: Arc<Hot>,
        line: StallGuard<TcpStream>,
        peer: IpAddr,
        seat: Arc<Seat>,
        head_wait: Duration,
    ) -> Self {
        let idle_since = Instant::now();
        let timer = Box::pin(sleep_until(idle_since + head_wait));
        let (unread, head) = (Vec::new(), Vec::new());
        Self { hot, line, peer, seat, unread, head, answer: None, head_wait, idle_since, timer }
    }

    /// Answers requests until something else comes, or nothing.
    pub(in crate::http) async fn run(&mut self) -> Leaves {
        loop {
            if let Err(error) = self.finish().await {
                return Leaves::Ended(Err(error));
            }
            match request::read(&self.unread) {
                Head::Part => {
                    let begun = self.unread.len();
                    match poll_fn(|cx| self.poll_receive(cx)).await {
                        Some(Ok(0)) => return Leaves::Ended(Ok(())),
                        Some(Ok(_)) => {}
                        Some(Err(error)) => return Leaves::Ended(Err(error)),
                        None if begun == 0 => return Leaves::Idle,
                        None => return Leaves::HeadSlow,
                    }
                }
                Head::Plain(plain) => {
                    let len = plain.len;
                    let Some(body) = answered(&self.hot, &self.seat, self.peer, plain, &mut self.head).await else {
                        return Leaves::Other { left: self.head_wait };
                    };
                    self.unread.drain(..len);
                    // Playlists are short: they change nothing.
                    if !matches!(body, Body::Written) {
                        self.line.hold(matches!(body, Body::File(..)) && self.hot.tally.is_crowded());
                    }
                    self.answer = Some(Answer { body, sent: 0 });
                }
                Head::Other => {
                    let whole = self.unread.windows(4).any(|end| end == b"\r\n\r\n");
                    let waited = if whole { Duration::ZERO } else { self.idle_since.elapsed() };
                    return Leaves::Other { left: self.head_wait.saturating_sub(waited) };
                }
            }
        }
    }

    /// Sends what is left of the answer under way.
    #[expect(clippy::disallowed_methods, reason = "an idle connection is given up after a while")]
    pub(in crate::http) async fn finish(&mut self) -> io::Result<()> {
        if self.answer.is_none() {
            return Ok(());
        }
        poll_fn(|cx| self.poll_send(cx)).await?;
        self.answer = None;
        self.seat.handed_over();
        poll_fn(|cx| Pin::new(&mut self.line).poll_flush(cx)).await?;
        self.idle_since = Instant::now();
        Ok(())
    }

    /// Whether something came that was not answered.
    pub(in crate::http) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Returns the connection, which will read again what was not answered.
    pub(in crate::http) fn into_line(mut self) -> StallGuard<TcpStream> {
        self.line.hold(false);
        self.line.reading_again(self.unread)
    }

    /// Receives more; none when the time for it is over.
    #[expect(clippy::disallowed_methods, reason = "an idle connection is given up after a while")]
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<usize>>> {
        if self.unread.capacity() == 0 {
            self.unread.reserve_exact(HEAD_USUAL);
        }
        let read = std::pin::pin!(self.line.read_buf(&mut self.unread)).poll(cx);
        if let Poll::Ready(read) = read {
            return Poll::Ready(Some(read));
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            let until = self.idle_since + self.head_wait;
            if Instant::now() >= until {
                return Poll::Ready(None);
            }
            self.timer.as_mut().reset(until);
        }
        Poll::Pending
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(Answer { body, sent }) = &mut self.answer else { return Poll::Ready(Ok(())) };
        let (head, mut line) = (self.head.as_slice(), Pin::new(&mut self.line));
        loop {
            let (rest, of_body) = (head.get(*sent..).unwrap_or_default(), sent.saturating_sub(head.len()));
            let len = match body {
                Body::Written => 0,
                Body::Memory(bytes) => bytes.len(),
                Body::File(_, len) => *len,
            };
            if rest.is_empty() && of_body >= len {
                return Poll::Ready(Ok(()));
            }
            let taken = match body {
                Body::Memory(bytes) => {
                    let parts = [IoSlice::new(rest), IoSlice::new(&bytes[of_body..])];
                    let parts = if rest.is_empty() { &parts[1..] } else { &parts[..] };
                    ready!(line.as_mut().poll_write_vectored(cx, parts))?
                }
                Body::File(file, _) if rest.is_empty() => {
                    ready!(line.poll_send_file(cx, file, of_body as u64, len - of_body))?
                }
                Body::Written | Body::File(..) => ready!(line.as_mut().poll_write(cx, rest))?,
            };
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *sent += taken;
        }
    }
}

/// Makes the answer to a plain request, its head in `head`; none when it is not for this way after all.
#[expect(clippy::disallowed_methods, reason = "measures how long an answer takes")]
async fn answered(hot: &Arc<Hot>, seat: &Seat, peer: IpAddr, plain: Plain<'_>, head: &mut Vec<u8>) -> Option<Body> {
    let begun = Instant::now();
    let (route, body) = match plain.target {
        Target::Playlist(id, rendition) => {
            let channel = hot.view.channel(id).filter(|channel| !channel.is_off())?;
            let snapshot = channel.snapshot.borrow();
            let playlist = match rendition {
                None => snapshot.multivariant.as_ref().or(snapshot.playlist.as_ref())?,
                Some(name) => snapshot.playlist_of(name)??,
            };
            seat.asked();
            channel.viewers.asked_by(Some(peer), plain.forwarded, plain.agent);
            let packed = plain.gzip.then(|| hot.shelf.packed(playlist)).flatten();
            answer::playlist(head, &playlist.etag, &playlist.text, packed.as_ref());
            (rendition.map_or(HotRoute::Playlist, |_| HotRoute::RenditionPlaylist), Body::Written)
        }
        Target::Segment(id, rendition, msn) => {
            let channel = hot.view.channel(id)?;
            let content = content(&channel.snapshot.borrow(), rendition, msn)?;
            seat.asked();
            let len = content.len();
            let body = body_of(hot, content).await?;
            channel.viewers.sent(len);
            answer::segment(head, answer::Kind::Media, msn, len);
            (rendition.map_or(HotRoute::Segment, |_| HotRoute::RenditionSegment), body)
        }
        Target::Subtitles(id, name, msn) => {
            let channel = hot.view.channel(id)?;
            let content = subtitles(&channel.snapshot.borrow(), name, msn)?;
            seat.asked();
            let bytes = content.bytes().await.ok()?;
            channel.viewers.sent(bytes.len());
            answer::segment(head, answer::Kind::Subtitles, msn, bytes.len());
            (HotRoute::RenditionSegment, Body::Memory(bytes))
        }
    };
    hot.tally.answered_hot(route, begun.elapsed());
    Some(body)
}

/// Returns a segment of a rendition, or of the one picture.
fn content(snapshot: &Snapshot, rendition: Option<&str>, msn: Msn) -> Option<Arc<Content>> {
    let rendition = match rendition {
        None => snapshot.renditions.is_empty().then_some(0)?,
        Some(name) => snapshot.rendition(name)?,
    };
    snapshot.segments.get(&msn)?.renditions.get(rendition).map(Arc::clone)
}

fn subtitles(snapshot: &Snapshot, name: &str, msn: Msn) -> Option<Arc<Content>> {
    snapshot.segments.get(&msn)?.renditions.get(snapshot.subtitles_of(name)?).map(Arc::clone)
}

/// Returns a segment's bytes, from where they cost least; none where they cannot be read: the router finds out why.
async fn body_of(hot: &Arc<Hot>, content: Arc<Content>) -> Option<Body> {
    let len = content.len();
    let found = hot.shelf.find(&content);
    if let Found::File(file) = found {
        return Some(Body::File(file, len));
    }
    let bytes = content.bytes().await.ok()?;
    let made = match found {
        Found::Make => hot.shelf.make(content, bytes.clone()).await,
        _ => None,
    };
    Some(made.map_or(Body::Memory(bytes), |file| Body::File(file, len)))
}

/// The memory for a head, in bytes: what browsers send.
const HEAD_USUAL: usize = 1024;
