//! The private listener of one run.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::{CHUNK_BYTES_MAX, Target, Upload, target};
use crate::hls::source;

/// How many uploads may wait for the channel: one chunk and one playlist make a pair, and ffmpeg sends the next only
/// when the last was answered.
pub const UPLOADS_MAX: usize = 8;

/// How many connections a run's listener holds at once: ffmpeg opens one, and a second when it lost the first.
const CONNECTIONS_MAX: usize = 4;

/// Takes uploads for as long as it is polled. The connection must never time out while the run lives: ffmpeg does not
/// recover from a closed one.
pub async fn serve(listener: TcpListener, secret: Arc<str>, uploads: mpsc::Sender<Upload>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) if connections.len() < CONNECTIONS_MAX => {
                connections.spawn(connection(stream, Arc::clone(&secret), uploads.clone()));
            }
            Ok(_) => tracing::warn!("more connections than ffmpeg needs on a private listener"),
            Err(error) => {
                tracing::warn!(%error, "private listener failed to accept");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, secret: Arc<str>, uploads: mpsc::Sender<Upload>) {
    let service = service_fn(move |request| {
        let (secret, uploads) = (Arc::clone(&secret), uploads.clone());
        async move {
            let status = take(request, &secret, &uploads).await;
            let mut response = Response::new(Empty::<Bytes>::new());
            *response.status_mut() = status;
            Ok::<_, Infallible>(response)
        }
    });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "private connection ended");
    }
}

/// Takes one request and returns the status to answer with.
async fn take(request: Request<Incoming>, secret: &str, uploads: &mpsc::Sender<Upload>) -> StatusCode {
    let Some(target) = target(request.uri().path(), secret) else { return StatusCode::NOT_FOUND };
    if request.method() != Method::PUT {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let Some(pieces) = collect(request.into_body()).await else { return StatusCode::PAYLOAD_TOO_LARGE };
    let upload = match target {
        Target::Chunk(number) => Upload::Chunk { number, pieces },
        Target::List => match source::newest_chunk(&pieces.concat()) {
            Ok(Some(chunk)) => Upload::Listed(chunk),
            Ok(None) => return StatusCode::OK,
            Err(error) => {
                tracing::warn!(%error, "ffmpeg's playlist was not understood");
                return StatusCode::BAD_REQUEST;
            }
        },
    };
    if uploads.send(upload).await.is_err() {
        return StatusCode::GONE;
    }
    StatusCode::OK
}

async fn collect(body: Incoming) -> Option<Vec<Bytes>> {
    let mut body = Limited::new(body, CHUNK_BYTES_MAX);
    let mut pieces = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.ok()?.into_data() {
            pieces.push(data);
        }
    }
    Some(pieces)
}
