//! Asks a running station over HTTP: one question a connection, everything bounded.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cli::operator::Url;

/// The longest answer that is read, in bytes: the metrics of a thousand channels are shorter.
const ANSWER_BYTES_MAX: u64 = 32 << 20;

/// A question.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'q> {
    pub(super) method: &'q str,
    pub(super) path: &'q str,
    /// The operator's token.
    pub(super) token: Option<&'q str>,
    /// JSON.
    pub(super) body: &'q str,
    /// How long the answer may take.
    pub(super) patience: Duration,
}

impl<'q> Question<'q> {
    pub(super) fn get(path: &'q str, patience: Duration) -> Self {
        Self { method: "GET", path, token: None, body: "", patience }
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Asks, and waits for the whole answer.
pub(super) async fn ask(url: &Url, question: Question<'_>) -> io::Result<Answer> {
    let asked = tokio::time::timeout(question.patience, converse(url, question)).await;
    asked.unwrap_or_else(|_| {
        let seconds = question.patience.as_secs();
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {seconds} s")))
    })
}

async fn converse(url: &Url, question: Question<'_>) -> io::Result<Answer> {
    let Question { method, path, token, body, .. } = question;
    let mut stream = TcpStream::connect((url.host.as_str(), url.port)).await?;
    let host = url.place();
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\naccept: application/json\r\n{authorization}\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes).await?;
    answer(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "what answers there does not speak HTTP"))
}

/// Takes an answer apart that ends with its connection.
fn answer(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: String::from_utf8_lossy(&bytes[end + 4..]).into_owned() })
}

/// Returns where this machine reaches an address that it listens on: "everywhere" is nowhere to go.
pub(super) fn here(listen: SocketAddr) -> Url {
    let ip = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    Url { host: ip.to_string(), port: listen.port() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_station_that_listens_everywhere_is_asked_on_this_machine() {
        for (listen, asked) in [
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:8080", "http://[::1]:8080"),
            ("192.0.2.1:8080", "http://192.0.2.1:8080"),
        ] {
            assert_eq!(here(listen.parse().unwrap()).to_string(), asked);
        }
    }

    #[test]
    fn an_answer_is_taken_apart_and_noise_is_none() {
        let told = answer(b"HTTP/1.1 409 Conflict\r\nx: y\r\n\r\n{}").unwrap();
        assert_eq!((told.status, told.body.as_str()), (409, "{}"));
        for noise in
            [&b""[..], b"SSH-2.0\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 \xff\r\n\r\n"]
        {
            assert!(answer(noise).is_none());
        }
    }
}
