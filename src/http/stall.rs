//! A connection that fails when its peer takes bytes too slowly, and that knows when it is idle.

use std::fs::File;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::fs::sendfile;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::seats::Seat;

/// How much of an answer the kernel holds that was not sent yet. Without a limit it takes up to four megabytes for each
/// peer that does not read, and no peer is ever seen to be slow; what is under way to a fast peer does not count.
const UNSENT_BYTES_MAX: u32 = 128 * 1024;

/// The same of a file that goes out to a crowd ([`super::tally`]): the kernel does not copy it, and each piece is a
/// waking. A thousand viewers at once took 0.23 s of CPU a gigabyte with 128 KiB, 0.16 s with 512 KiB and 0.12 s with 2 MiB.
/// To few viewers short pieces are faster, by half for 256: they are still in the processor's caches when they are read.
const UNSENT_CROWD_BYTES_MAX: u32 = 2 * 1024 * 1024;

/// How long a peer may keep an answer waiting: what it has is spent by waiting and earned by bytes taken.
///
/// So a peer may stand still for as long as the limit (a train in a tunnel), but must in the long run take the lowest
/// rate: one that takes a byte now and then holds its connection and a segment no longer than one that takes none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    limit: Duration,
    rate_min: u32,
    left: Duration,
}

impl Patience {
    pub(super) fn new(limit: Duration, rate_min: u32) -> Self {
        Self { limit, rate_min, left: limit }
    }

    /// Counts a wait and the bytes that ended it.
    fn waited(&mut self, wait: Duration, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(1).saturating_mul(bytes) / self.rate_min.max(1);
        self.left = self.left.saturating_sub(wait).saturating_add(earned).min(self.limit);
    }
}

/// Wraps a connection; a write for which patience runs out is an error.
///
/// Without it a peer that asks for a segment and never reads holds a connection, and the segment's bytes, until the
/// kernel gives up after some fifteen minutes.
pub(super) struct StallGuard<T> {
    inner: T,
    patience: Patience,
    /// Since when a write waits.
    waiting: Option<Instant>,
    /// Set late only: moving it for each of a segment's many waits would cost more than the wait.
    timer: Option<Pin<Box<Sleep>>>,
    /// How much the kernel was told to hold; 0 before it was told.
    held: u32,
    /// Told when everything was taken, with the time since the beginning of this listener's clock.
    seat: Option<(Arc<Seat>, Instant)>,
    /// What was read before and is to be read again.
    again: Vec<u8>,
}

impl<T> StallGuard<T> {
    /// Wraps a connection.
    pub(super) fn new(inner: T, patience: Patience) -> Self {
        Self { inner, patience, waiting: None, timer: None, held: 0, seat: None, again: Vec::new() }
    }

    /// Tells a seat when everything was taken, on a clock that began at `begin`.
    pub(super) fn telling(self, seat: Arc<Seat>, begin: Instant) -> Self {
        Self { seat: Some((seat, begin)), ..self }
    }

    /// Reads these bytes first.
    pub(super) fn reading_again(self, again: Vec<u8>) -> Self {
        Self { again, ..self }
    }

    /// Returns the connection.
    pub(super) fn into_inner(self) -> T {
        self.inner
    }

    /// Passes on what a write said, or an error once patience is at its end.
    #[expect(clippy::disallowed_methods, reason = "measures the wait")]
    fn judge<R>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<R>>,
        bytes: impl FnOnce(&R) -> usize,
    ) -> Poll<io::Result<R>> {
        if let Poll::Ready(outcome) = written {
            let wait = self.waiting.take().map_or(Duration::ZERO, |since| since.elapsed());
            self.patience.waited(wait, outcome.as_ref().map_or(0, bytes));
            return Poll::Ready(outcome);
        }
        let until = *self.waiting.get_or_insert_with(Instant::now) + self.patience.left;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if timer.deadline() > until {
            timer.as_mut().reset(until);
        }
        loop {
            ready!(timer.as_mut().poll(cx));
            if Instant::now() >= until {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "peer takes too few bytes")));
            }
            timer.as_mut().reset(until);
        }
    }
}

impl StallGuard<TcpStream> {
    /// Lets the kernel hold as much as it may, which is more of a file that goes out to a crowd. Where it does not follow,
    /// peers are only held less tightly.
    pub(super) fn hold(&mut self, crowd: bool) {
        let most = if crowd { UNSENT_CROWD_BYTES_MAX } else { UNSENT_BYTES_MAX };
        if self.held != most {
            let _ = SockRef::from(&self.inner).set_tcp_notsent_lowat(most);
            self.held = most;
        }
    }

    /// Sends a part of a file, from the kernel's memory to the kernel's socket; returns how much was taken.
    pub(super) fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        file: &File,
        mut offset: u64,
        len: usize,
    ) -> Poll<io::Result<usize>> {
        let sent = loop {
            match self.inner.poll_write_ready(cx) {
                Poll::Pending => break Poll::Pending,
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) => {}
            }
            let send = || Ok(sendfile(&self.inner, file, Some(&mut offset), len)?);
            match self.inner.try_io(Interest::WRITABLE, send) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => break Poll::Ready(sent),
            }
        };
        self.judge(cx, sent, |bytes| *bytes)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for StallGuard<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.again.is_empty() {
            let len = self.again.len().min(buf.remaining());
            buf.put_slice(&self.again[..len]);
            self.again.drain(..len);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for StallGuard<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.judge(cx, written, |bytes| *bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.judge(cx, written, |bytes| *bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    /// Called when there is nothing left to write.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        let flushed = ready!(self.judge(cx, flushed, |()| 0));
        if let Some((seat, begin)) = &self.seat {
            seat.taken(begin.elapsed());
        }
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.judge(cx, closed, |()| 0)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);
    const RATE: u32 = 100;
    /// What the pipe between the two holds.
    const PIPE: usize = 64;

    /// Writes `all` bytes to a peer that takes `bytes` every `every`, and returns what came of it and after how long.
    #[expect(clippy::disallowed_methods, reason = "tokio's paused time is the test's clock")]
    async fn write_to_a_peer_that_takes(bytes: usize, every: Duration, all: usize) -> (io::Result<()>, Duration) {
        let (ours, mut theirs) = duplex(PIPE);
        let mut guarded = StallGuard::new(ours, Patience::new(PATIENCE, RATE));
        let begin = Instant::now();
        let reading = async {
            let mut piece = vec![0; bytes];
            let mut takes = tokio::time::interval_at(begin + every, every);
            loop {
                takes.tick().await;
                theirs.read_exact(&mut piece).await.unwrap();
            }
        };
        let data = vec![0; all];
        let written = tokio::select! {
            written = guarded.write_all(&data) => written,
            () = reading => unreachable!("it takes without end"),
        };
        (written, begin.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_is_given_up_when_it_takes_too_little_for_too_long() {
        let secs = Duration::from_secs;
        for (sentence, bytes, every, served) in [
            ("a twentieth more than the lowest rate, little by little", 21, secs(1).mul_f64(0.2), true),
            ("a pipe full, with long rests", PIPE, secs(19), false),
            ("a byte every second", 1, secs(1), false),
            ("half the lowest rate", 50, secs(1), false),
            ("nothing", 1, secs(100_000), false),
        ] {
            let (written, took) = write_to_a_peer_that_takes(bytes, every, 100_000).await;
            assert_eq!(written.is_ok(), served, "{sentence}: {took:?}");
            if !served {
                assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut, "{sentence}");
                assert!(took >= PATIENCE && took < 3 * PATIENCE, "{sentence}: {took:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_was_away_for_less_than_the_limit_is_served_to_the_end() {
        let (ours, mut theirs) = duplex(PIPE);
        let mut guarded = StallGuard::new(ours, Patience::new(PATIENCE, RATE));
        let data = vec![0; 50_000];
        let reading = async {
            let mut got = vec![0; 50_000];
            for piece in got.chunks_mut(10_000) {
                // Through a tunnel, then at full speed for a while.
                tokio::time::advance(Duration::from_secs(25)).await;
                theirs.read_exact(piece).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(guarded.write_all(&data), reading);
        written.unwrap();
    }

    #[test]
    fn patience_is_spent_by_waiting_and_earned_by_bytes_and_never_more_than_the_limit() {
        let mut patience = Patience::new(PATIENCE, RATE);
        for (sentence, wait, bytes, left) in [
            ("a wait", 10, 0, 20),
            ("a wait ended by bytes worth five seconds", 10, 500, 15),
            ("bytes without a wait", 0, 300, 18),
            ("many bytes", 0, 1_000_000, 30),
            ("a wait longer than all of it", 40, 0, 0),
        ] {
            patience.waited(Duration::from_secs(wait), bytes);
            assert_eq!(patience.left, Duration::from_secs(left), "{sentence}");
        }
    }
}
