//! Asks a running station over HTTP: one question a connection, everything bounded.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::cli::exchange::{self, Unread};
use crate::cli::operator::Url;

/// The longest answer that is read, in bytes: the metrics of a thousand channels are shorter.
const ANSWER_BYTES_MAX: usize = 32 << 20;

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
    let stream = TcpStream::connect((url.host.as_str(), url.port)).await?;
    talk(stream, &url.place(), question).await
}

async fn talk<S>(stream: S, host: &str, question: Question<'_>) -> io::Result<Answer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Question { method, path, token, body, .. } = question;
    let mut request = Request::builder().method(method).uri(path).header(HOST, host).header(CONNECTION, "close");
    request = request.header(ACCEPT, "application/json").header(CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).map_err(io::Error::other)?;
    let answer = exchange::ask(stream, request).await.map_err(unheard)?;
    let status = answer.status().as_u16();
    let body = exchange::whole(answer.into_body(), ANSWER_BYTES_MAX).await.map_err(|unread| match unread {
        Unread::TooLarge => io::Error::new(io::ErrorKind::InvalidData, "the answer is too long"),
        Unread::Broken(error) => io::Error::other(error),
    })?;
    Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
}

/// Why there was no answer, in the system's words where it was the system.
fn unheard(error: hyper::Error) -> io::Error {
    if error.is_parse() || error.is_incomplete_message() {
        return io::Error::new(io::ErrorKind::InvalidData, "what answers there does not speak HTTP");
    }
    match std::error::Error::source(&error).and_then(|source| source.downcast_ref::<io::Error>()) {
        Some(source) => io::Error::new(source.kind(), source.to_string()),
        None => io::Error::other(error),
    }
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
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

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

    /// Asks somebody who says this and no more.
    async fn told(said: &'static [u8]) -> io::Result<Answer> {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        let asked = talk(ours, "a", Question::get("/healthz", Duration::ZERO));
        let speaking = async move {
            let mut question = [0; 1024];
            let _heard = theirs.read(&mut question).await;
            let _said = theirs.write_all(said).await;
        };
        tokio::join!(asked, speaking).0
    }

    #[tokio::test]
    async fn an_answer_is_taken_apart_and_noise_is_none() {
        let answer = told(b"HTTP/1.1 409 Conflict\r\nx: y\r\n\r\n{}").await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (409, "{}"));
        let answer = told(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n").await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "{}"), "in pieces, as proxies send it");
        for noise in
            [&b""[..], b"SSH-2.0\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 \xff\r\n\r\n"]
        {
            let error = told(noise).await.unwrap_err();
            assert_eq!(error.to_string(), "what answers there does not speak HTTP", "{noise:?}");
        }
    }
}
