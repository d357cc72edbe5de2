//! One question to a server elsewhere, over HTTP/1.1: a connection for each, and every answer bounded.

use std::error::Error;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::task::TaskTracker;

/// How long the head of an answer may be, in bytes.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Why the body of an answer was not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// It has more bytes than are wanted.
    TooLarge,
    /// It broke off.
    Broken(Box<dyn Error + Send + Sync>),
}

/// Asks on a connection that is made for this question. Returns the head of the answer; its body is still to come.
///
/// # Errors
/// When what answers does not speak HTTP, or breaks off.
pub(super) async fn ask<S>(stream: S, question: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    // Ends when the answer was read, or is given up.
    TaskTracker::new().spawn(connection);
    sender.send_request(question).await
}

/// Returns the body of an answer, where it has at most so many bytes.
///
/// # Errors
/// [`Unread`].
pub(super) async fn whole(body: Incoming, bytes_max: usize) -> Result<Bytes, Unread> {
    let collected = Limited::new(body, bytes_max).collect().await;
    let failed = |error: Box<dyn Error + Send + Sync>| {
        if error.is::<LengthLimitError>() { Unread::TooLarge } else { Unread::Broken(error) }
    };
    Ok(collected.map_err(failed)?.to_bytes())
}
