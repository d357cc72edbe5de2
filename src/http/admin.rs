//! What the operator may do from elsewhere: `/api/admin/`. Without a token there is nothing at these addresses.

use std::sync::LazyLock;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::desk::{Action, Desk, Refused, Which};
use super::error::HttpError;
use crate::units::ChannelId;

/// How all of these addresses begin.
pub(super) const BEGINNING: &str = "/api/admin/";

/// The longest body in bytes: one path.
const BODY_BYTES_MAX: usize = 16 << 10;

/// How long a body may take to come.
const BODY_WAIT: Duration = Duration::from_secs(10);

/// How long an order may take: the longest that a channel may take to end, and one order before it.
const ORDER_WAIT: Duration = Duration::from_secs(20);

/// What opens the desk, as RFC 6750 has it.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"nightcast admin\"");

/// Seconds of wrong tries are counted from here.
#[expect(clippy::disallowed_methods, reason = "begins the clock by which wrong tries are counted")]
static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Returns the routes of the desk.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(desk: &Desk) -> Router<S> {
    // Not by the router's own methods: it would tell of them where there is no token.
    let changes = from_fn(|request, next| only(Method::POST, request, next));
    let tells = from_fn(|request, next| only(Method::GET, request, next));
    Router::new()
        .route("/api/admin/quarantine", any(quarantine).layer(tells))
        .route("/api/admin/rescan", any(rescan_all).layer(changes.clone()))
        .route("/api/admin/channels/{id}/skip", any(skip).layer(changes.clone()))
        .route("/api/admin/channels/{id}/rescan", any(rescan).layer(changes.clone()))
        .route("/api/admin/channels/{id}/requeue", any(requeue).layer(changes.clone()))
        .route("/api/admin/channels/{id}/off", any(off).layer(changes.clone()))
        .route("/api/admin/channels/{id}/on", any(on).layer(changes))
        .route_layer(from_fn_with_state(desk.clone(), guarded))
        .with_state(desk.clone())
}

/// Lets those in who have the token. They are never kept out by others' wrong tries.
async fn guarded(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    if !desk.is_open() {
        return HttpError::NoSuchPage.into_response();
    }
    let mut response = if bearer(request.headers()).is_some_and(|said| desk.admits(said)) {
        next.run(request).await
    } else if let Some(seconds) = desk.refuse(BEGIN.elapsed()) {
        let mut response = failure(StatusCode::TOO_MANY_REQUESTS, "Too many tries without the right token.");
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        response
    } else {
        tracing::warn!(path = request.uri().path(), "somebody without the right token asked for an admin address");
        let mut response = failure(StatusCode::UNAUTHORIZED, "This needs the operator's token.");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
        response
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Returns what stands after `Bearer` in the one header that may carry it.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(one), None) = (all.next(), all.next()) else { return None };
    let (scheme, token) = one.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token.trim_ascii())
}

async fn skip(State(desk): State<Desk>, Path(id): Path<String>) -> Response {
    about(&desk, &id, Action::Skip).await
}

async fn rescan(State(desk): State<Desk>, Path(id): Path<String>) -> Response {
    about(&desk, &id, |id| Action::Rescan(Some(id))).await
}

async fn off(State(desk): State<Desk>, Path(id): Path<String>) -> Response {
    about(&desk, &id, Action::Off).await
}

async fn on(State(desk): State<Desk>, Path(id): Path<String>) -> Response {
    about(&desk, &id, Action::On).await
}

async fn rescan_all(State(desk): State<Desk>) -> Response {
    answer(&desk, Action::Rescan(None)).await
}

async fn quarantine(State(desk): State<Desk>) -> Response {
    answer(&desk, Action::Quarantine).await
}

async fn requeue(State(desk): State<Desk>, Path(id): Path<String>, body: Body) -> Response {
    let Ok(read) = tokio::time::timeout(BODY_WAIT, to_bytes(body, BODY_BYTES_MAX)).await else {
        return failure(StatusCode::REQUEST_TIMEOUT, "The body took too long to come.");
    };
    let Ok(bytes) = read else {
        return failure(StatusCode::PAYLOAD_TOO_LARGE, "The body is longer than 16 KiB, or broke off.");
    };
    match which(&bytes) {
        Some(which) => about(&desk, &id, |id| Action::Requeue(id, which)).await,
        None => failure(StatusCode::BAD_REQUEST, "Send {\"file\": \"a path\"} or {\"all\": true}."),
    }
}

/// Which files are meant by a body; none where it is not understood.
fn which(body: &[u8]) -> Option<Which> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        file: Option<String>,
        #[serde(default)]
        all: bool,
    }
    match serde_json::from_slice(body).ok()? {
        Body { file: Some(file), all: false } => Some(Which::File(file)),
        Body { file: None, all: true } => Some(Which::All),
        Body { .. } => None,
    }
}

/// Refuses every other method.
async fn only(wanted: Method, request: Request, next: Next) -> Response {
    if *request.method() == wanted {
        return next.run(request).await;
    }
    let mut response = failure(StatusCode::METHOD_NOT_ALLOWED, "POST what changes something, GET what only tells.");
    response.headers_mut().extend(HeaderValue::from_str(wanted.as_str()).ok().map(|allowed| (header::ALLOW, allowed)));
    response
}

async fn about(desk: &Desk, id: &str, action: impl FnOnce(ChannelId) -> Action) -> Response {
    match ChannelId::new(id) {
        Some(id) => answer(desk, action(id)).await,
        None => refusal(&Refused::NoSuchChannel),
    }
}

async fn answer(desk: &Desk, action: Action) -> Response {
    match desk.order(action, ORDER_WAIT).await {
        Ok(told) => Json(told).into_response(),
        Err(refused) => refusal(&refused),
    }
}

fn refusal(refused: &Refused) -> Response {
    let status = match refused {
        Refused::NoSuchChannel | Refused::NoSuchFile => StatusCode::NOT_FOUND,
        Refused::NotNow(_) => StatusCode::CONFLICT,
        Refused::Busy => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = failure(status, &refused.to_string());
    if *refused == Refused::Busy {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("3"));
    }
    response
}

fn failure(status: StatusCode, sentence: &str) -> Response {
    (status, Json(json!({ "error": sentence }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_read_from_one_header_only() {
        for (sentence, values, expected) in [
            ("as it should be", &["Bearer abc"][..], Some(&b"abc"[..])),
            ("in small letters, with blanks", &["bearer  abc "], Some(b"abc")),
            ("another scheme", &["Basic abc"], None),
            ("no scheme", &["abc"], None),
            ("nothing", &[], None),
            ("nothing after it", &["Bearer "], Some(b"")),
            ("twice", &["Bearer abc", "Bearer abc"], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            assert_eq!(bearer(&headers), expected, "{sentence}");
        }
    }

    #[test]
    fn a_requeue_names_one_file_or_all() {
        for (body, expected) in [
            (r#"{"file": "a b.mp4"}"#, Some(Which::File("a b.mp4".to_owned()))),
            (r#"{"all": true}"#, Some(Which::All)),
            (r#"{"all": false}"#, None),
            (r#"{"file": "a", "all": true}"#, None),
            (r#"{"files": ["a"]}"#, None),
            ("{}", None),
            ("", None),
            ("[]", None),
        ] {
            assert_eq!(which(body.as_bytes()), expected, "{body}");
        }
    }
}
