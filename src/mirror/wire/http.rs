//! The HTTP client of the store: hyper and rustls, which the station has anyway, where `object_store` expects another.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpResponseBody,
    HttpService,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long a connection may take to be made.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// How long a connection is kept for the next object: segments come every two to six seconds.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// How many connections are kept. All channels share them.
const IDLE_CONNECTIONS_MAX: usize = 64;

/// How much of an answer is read, in bytes: a list of a thousand objects takes some 300,000.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// Makes a client of the store.
#[derive(Clone, Debug)]
pub struct Wire {
    client: Client<Dial, HttpRequestBody>,
}

impl Wire {
    /// Returns a client; `trust` is for addresses with `https`.
    #[must_use]
    pub fn new(trust: Option<ClientConfig>) -> Self {
        let dial = Dial { tls: trust.map(|trust| TlsConnector::from(Arc::new(trust))) };
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_MAX).pool_max_idle_per_host(IDLE_CONNECTIONS_MAX);
        Self { client: builder.build(dial) }
    }
}

impl HttpConnector for Wire {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait::async_trait]
impl HttpService for Wire {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.client.request(request).await.map_err(failed)?;
        let broken = |error: Box<dyn Error + Send + Sync>| HttpError::new_boxed(HttpErrorKind::Interrupted, error);
        Ok(answer.map(|body| HttpResponseBody::new(Limited::new(body, ANSWER_BYTES_MAX).map_err(broken))))
    }
}

fn failed(error: ClientError) -> HttpError {
    let kind = if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Request };
    // The client's own words hide what the system said.
    match error.source().map(ToString::to_string) {
        Some(why) => HttpError::new(kind, io::Error::other(why)),
        None => HttpError::new(kind, error),
    }
}

/// Trusts whom the machine trusts.
///
/// # Errors
/// When it trusts nobody, in words.
pub fn trusting_as_the_machine() -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err("this machine trusts nobody: the package ca-certificates is missing".to_owned());
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Connects to the host of an address.
#[derive(Clone)]
struct Dial {
    tls: Option<TlsConnector>,
}

impl std::fmt::Debug for Dial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dial").field("tls", &self.tls.is_some()).finish()
    }
}

impl tower::Service<Uri> for Dial {
    type Response = Line;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Line>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let dialled = dial(address, self.tls.clone());
        Box::pin(async move {
            let slow = |_| io::Error::new(io::ErrorKind::TimedOut, "no connection was made in time");
            tokio::time::timeout(CONNECT_MAX, dialled).await.map_err(slow)?
        })
    }
}

async fn dial(address: Uri, tls: Option<TlsConnector>) -> io::Result<Line> {
    let secure = address.scheme_str() == Some("https");
    let host = address.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = address.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    stream.set_nodelay(true)?;
    let stream: Box<dyn Stream> = match tls.filter(|_| secure) {
        Some(tls) => {
            let name = ServerName::try_from(host).map_err(io::Error::other)?;
            Box::new(tls.connect(name, stream).await?)
        }
        None if secure => return Err(io::Error::other("the station was not made ready for https")),
        None => Box::new(stream),
    };
    Ok(Line(TokioIo::new(stream)))
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection, secure or not.
struct Line(TokioIo<Box<dyn Stream>>);

impl Connection for Line {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Line {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buf)
    }
}

impl Write for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
