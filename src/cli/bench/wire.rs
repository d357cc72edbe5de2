//! The connection of one simulated viewer: HTTP/1.1, kept, as cheap as can be, since it shares the machine with the
//! station it measures.

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::figures::Fault;

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// The longest head of an answer, in bytes.
const HEAD_MAX: usize = 16 << 10;

/// The longest body that is read and not thrown away, in bytes: playlists, and the list of channels.
const TEXT_MAX: usize = 4 << 20;

/// How much of a body the kernel throws away at once, in bytes.
const DISCARD: usize = 256 << 10;

/// `MSG_TRUNC` of Linux: what a TCP socket holds is thrown away and only counted. A player on another machine would not
/// take this machine's time to copy what it received.
const MSG_TRUNC: i32 = 0x20;

/// One connection, opened when it is needed.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    /// What follows the target of each request.
    common: String,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// What is done with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// It is read.
    Read,
    /// It is thrown away as it comes.
    Discard,
}

impl Wire {
    /// Returns the connection of a viewer with this number, by which a station tells viewers apart.
    #[must_use]
    pub fn new(address: SocketAddr, viewer: usize) -> Self {
        let common =
            format!(" HTTP/1.1\r\nhost: {address}\r\nuser-agent: nightcast-bench/{viewer}\r\naccept: */*\r\n\r\n");
        Self { address, common, stream: None, buffer: Vec::new() }
    }

    /// Asks for a path and returns the length of the body; a body that was read is [`Self::text`] until the next.
    ///
    /// # Errors
    /// What went wrong; the connection is closed then.
    pub async fn get(&mut self, path: &str, body: Body) -> Result<usize, Fault> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.address).await?,
        };
        let asked = timeout(ANSWER_MAX, self.ask(&mut stream, path, body)).await.unwrap_or(Err(Fault::Silent));
        if asked.is_ok() {
            self.stream = Some(stream);
        }
        asked
    }

    /// Returns the body that was read last.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.buffer).unwrap_or_default()
    }

    async fn ask(&mut self, stream: &mut TcpStream, path: &str, body: Body) -> Result<usize, Fault> {
        self.buffer.clear();
        for part in ["GET ", path, &self.common] {
            self.buffer.extend_from_slice(part.as_bytes());
        }
        let closed = |_: io::Error| Fault::Closed;
        // A station that is full answers before it is asked: what was written says nothing.
        let _answered_anyway = stream.write_all(&self.buffer).await;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|end| end == b"\r\n\r\n") {
                break end + 4;
            }
            if self.buffer.len() > HEAD_MAX {
                return Err(Fault::Unclear);
            }
            self.buffer.reserve(4096);
            if stream.read_buf(&mut self.buffer).await.map_err(closed)? == 0 {
                return Err(Fault::Closed);
            }
        };
        let (status, length) = understood(&self.buffer[..head]).ok_or(Fault::Unclear)?;
        let came = self.buffer.len() - head;
        if body == Body::Discard && status == 200 {
            discard(stream, length.checked_sub(came).ok_or(Fault::Unclear)?).await.map_err(closed)?;
            return Ok(length);
        }
        if length > TEXT_MAX {
            return Err(Fault::Unclear);
        }
        self.buffer.drain(..head);
        while self.buffer.len() < length {
            if stream.read_buf(&mut self.buffer).await.map_err(closed)? == 0 {
                return Err(Fault::Closed);
            }
        }
        match status {
            200 => Ok(length),
            503 if self.text().contains("no seats left") => Err(Fault::NoSeat),
            _ => Err(Fault::Status),
        }
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream, Fault> {
    let stream = timeout(ANSWER_MAX, TcpStream::connect(address)).await.map_err(|_| Fault::Connect)?;
    let stream = stream.map_err(|_| Fault::Connect)?;
    let _slower = stream.set_nodelay(true);
    Ok(stream)
}

/// Returns status and length of an answer whose head this is.
fn understood(head: &[u8]) -> Option<(u16, usize)> {
    let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let mut fields = lines.filter_map(|line| line.split_once(':'));
    let (_, length) = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    Some((status, length.trim().parse().ok()?))
}

async fn discard(stream: &TcpStream, mut left: usize) -> io::Result<()> {
    // Never written to: it only says how much.
    let mut nothing = Vec::<MaybeUninit<u8>>::new();
    nothing.resize(left.min(DISCARD), MaybeUninit::uninit());
    while left > 0 {
        stream.readable().await?;
        let most = left.min(nothing.len());
        let took = stream
            .try_io(Interest::READABLE, || SockRef::from(stream).recv_with_flags(&mut nothing[..most], MSG_TRUNC));
        match took {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(took) => left -= took,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_length_are_found_in_a_head() {
        for (head, expected) in [
            ("HTTP/1.1 200 OK\r\ncontent-type: a\r\nContent-Length: 17\r\n\r\n", Some((200, 17))),
            ("HTTP/1.1 503 Service Unavailable\r\ncontent-length:0\r\n\r\n", Some((503, 0))),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", None),
            ("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", None),
            ("HTTP/1.1 20", None),
            ("SSH-2.0\r\n\r\n", None),
        ] {
            assert_eq!(understood(head.as_bytes()), expected, "{head}");
        }
    }
}
