//! Speaks HTTP or HTTPS with Grafana: one connection for each question, no redirect followed, every answer bounded.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::address::Address;
use super::problem::{Problem, shown};
use crate::cli::exchange::{self, Unread};
use crate::mirror::wire::http::trusting_as_the_machine;

/// How long a connection may take to be made, at most; less where `--timeout` says less.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// How much of an answer is read, in bytes: a list of a thousand folders or data sources is well below.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// What Grafana answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// Asks Grafana.
pub(crate) struct Client {
    address: Address,
    token: HeaderValue,
    tls: Option<TlsConnector>,
    timeout: Duration,
}

impl Client {
    /// Makes a client. A token is what may stand in a header; it is shown nowhere.
    pub(crate) fn new(address: Address, token: &str, timeout: Duration) -> Result<Self, Problem> {
        let mut token = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| Problem::Token { said: "it holds signs that no token holds".to_owned() })?;
        token.set_sensitive(true);
        let tls = if address.https() { Some(tls(&address)?) } else { None };
        Ok(Self { address, token, tls, timeout })
    }

    /// Returns the answer to a question; `what` says in words what is asked.
    pub(crate) async fn ask(
        &self,
        what: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Problem> {
        let limit = CONNECT_MAX.min(self.timeout);
        let connecting = TcpStream::connect((self.address.host(), self.address.port()));
        let at = self.address.authority();
        let unreachable = |why| Problem::Unreachable { at: at.clone(), why };
        let stream = tokio::time::timeout(limit, connecting)
            .await
            .map_err(|_| unreachable(format!("nothing came back within {} s", limit.as_secs_f64())))?
            .map_err(|error| unreachable(error.to_string()))?;
        let talk = async {
            match &self.tls {
                None => self.talk(stream, what, method, path, body).await,
                Some(tls) => {
                    let unsafe_ = |why: String| Problem::Unsafe { at: at.clone(), why };
                    let name = ServerName::try_from(self.address.host().to_owned());
                    let name = name.map_err(|error| unsafe_(error.to_string()))?;
                    let stream = tls.connect(name, stream).await.map_err(|error| unsafe_(error.to_string()))?;
                    self.talk(stream, what, method, path, body).await
                }
            }
        };
        let slow = |_| Problem::Slow { what: what.to_owned(), limit: self.timeout };
        tokio::time::timeout(self.timeout, talk).await.map_err(slow)?
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.address.path()));
        let agent = concat!("nightcast/", env!("CARGO_PKG_VERSION"));
        request = request.header(HOST, self.address.called()).header(USER_AGENT, agent);
        request =
            request.header(ACCEPT, "application/json").header(AUTHORIZATION, &self.token).header(CONNECTION, "close");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        request.body(Full::new(bytes))
    }

    async fn talk<S>(
        &self,
        stream: S,
        what: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Problem>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let garbled =
            |error: &dyn std::error::Error| Problem::Garbled { what: what.to_owned(), why: error.to_string() };
        let request = self.request(method, path, body).map_err(|error| garbled(&error))?;
        let answer = exchange::ask(stream, request).await.map_err(|error| garbled(&error))?;
        let status = answer.status();
        if status.is_redirection() {
            let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
            return Err(Problem::Elsewhere { what: what.to_owned(), to: shown(to) });
        }
        let body = exchange::whole(answer.into_body(), ANSWER_BYTES_MAX).await.map_err(|unread| match unread {
            Unread::TooLarge => Problem::TooLarge { what: what.to_owned(), limit: ANSWER_BYTES_MAX },
            Unread::Broken(error) => garbled(&*error),
        })?;
        Ok(Answer { status, body })
    }
}

/// Trusts whom the machine trusts.
fn tls(address: &Address) -> Result<TlsConnector, Problem> {
    let unsafe_ = |why: String| Problem::Unsafe { at: address.authority(), why };
    let trust = trusting_as_the_machine().map_err(unsafe_)?;
    Ok(TlsConnector::from(Arc::new(trust)))
}
