//! What a viewer is told when there is nothing to give: plain text for players, a page for people.

use std::any::Any;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::desk::Desk;
use super::state::StationView;
use super::{admin, bare, hdhomerun, page};
use crate::channel::ChannelStatus;

/// Why a request gets no content. The message is shown to viewers, so it is a sentence and names nothing internal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The path leads nowhere.
    #[error("There is nothing at this address. The channels are listed at /.")]
    NoSuchPage,
    /// The station has no channel of that name.
    #[error("This station has no such channel. The channels are listed at / and at /api/channels.")]
    NoSuchChannel,
    /// The segment has left the window, and the time for which it was still promised is over.
    #[error("This segment is gone: it has left the playlist. Load index.m3u8 again to continue at the live edge.")]
    SegmentGone,
    /// The segment has not been published.
    #[error("This segment is not on air yet. Load index.m3u8 for those that are.")]
    SegmentNotYet,
    /// Nothing is on of which there could be a picture.
    #[error("There is no picture of this channel now.")]
    NoPicture,
    /// The channel has not published anything, and the request has waited long enough.
    #[error("The channel is starting. Try again in a second.")]
    Starting,
    /// The operator took the channel off the air.
    #[error("{}", ChannelStatus::OFF)]
    OffAir,
    /// The server is shutting down.
    #[error("The station is restarting. Try again in a few seconds.")]
    Stopping,
    /// A method that would change something.
    #[error("Only GET, HEAD and OPTIONS are answered here.")]
    ReadOnly,
    /// A request that can be understood in more ways than one.
    #[error("This request cannot be understood.")]
    Malformed,
    /// A target longer than any of ours.
    #[error("This address is too long.")]
    TargetTooLong,
    /// A guide was asked for a time that is none, or too long.
    #[error("A guide goes from one moment to a later one, such as 2026-01-31T20:00:00Z, at most seven days apart.")]
    Span,
    /// The channel's programmes cannot be watched on demand.
    #[error("The films of this channel cannot be watched on demand, only when they are on.")]
    NotOnDemand,
    /// The channel has no such item, or has it no more.
    #[error("This channel has no such film. Those that it has are listed in its library.")]
    NoSuchItem,
    /// The item is not prepared now.
    #[error(
        "This film is not ready to be watched now. It is made ready before it is on the next time: the guide tells when, and \
         the channel's library lists what can be watched meanwhile."
    )]
    NotReady,
    /// Too many watch on demand at this moment.
    #[error("Too many are watching films on demand at this moment. Try again in a few seconds.")]
    Busy,
    /// A library was asked for something that it does not understand.
    #[error(
        "A library is asked with q (words), order (title or newest), ready (true), from (how many to leave out) and limit (1 \
         to 200)."
    )]
    Question,
    /// A fault of ours; the cause is in the log.
    #[error("Something went wrong here. It has been noted.")]
    Fault,
}

impl HttpError {
    /// Returns the status code that says the same to programs.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::NoSuchPage | Self::NoSuchChannel | Self::SegmentGone | Self::SegmentNotYet | Self::NoPicture => {
                StatusCode::NOT_FOUND
            }
            Self::NotOnDemand | Self::NoSuchItem | Self::NotReady => StatusCode::NOT_FOUND,
            Self::Starting | Self::OffAir | Self::Stopping | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::ReadOnly => StatusCode::METHOD_NOT_ALLOWED,
            Self::Malformed | Self::Span | Self::Question => StatusCode::BAD_REQUEST,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns after how many seconds it is worth asking again.
    fn retry_after(self) -> Option<&'static str> {
        match self {
            Self::Starting => Some("1"),
            Self::Stopping | Self::Busy => Some("3"),
            Self::OffAir => Some("10"),
            _ => None,
        }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), format!("{self}\n")).into_response();
        let headers = response.headers_mut();
        // A remembered 404 would hide the segment or channel that appears a second later.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        if self == Self::ReadOnly {
            headers.insert(header::ALLOW, HeaderValue::from_static(METHODS));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The methods that are answered.
const METHODS: &str = "GET, HEAD, OPTIONS";

/// Turns an error's text into a page where the viewer is a browser that asked for one.
pub(super) async fn for_people(State(view): State<Arc<StationView>>, request: Request, next: Next) -> Response {
    let wants_page = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions().get::<HttpError>().copied() {
        if wants_page {
            let headers = std::mem::take(response.headers_mut());
            response = page::failure(&view, error);
            for name in [header::CACHE_CONTROL, header::RETRY_AFTER, header::ALLOW, header::ACCESS_CONTROL_ALLOW_ORIGIN]
            {
                if let Some(value) = headers.get(&name) {
                    response.headers_mut().insert(name, value.clone());
                }
            }
        }
        // The answer depends on it, so caches between us and the viewer must know.
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    }
    response
}

/// Refuses every method that could change something, but for POST at the operator's desk, and at the tuner, which changes
/// nothing by it; answers OPTIONS where no CORS layer has.
pub(super) async fn reading_only(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let at_the_desk = method == Method::POST
        && desk.is_open()
        && request.extensions().get::<MatchedPath>().is_some_and(|path| path.as_str().starts_with(admin::BEGINNING));
    let at_the_tuner = method == Method::POST && request.uri().path() == hdhomerun::documents::SCAN;
    if !at_the_desk && !at_the_tuner && !matches!(method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return HttpError::ReadOnly.into_response();
    }
    // RFC 9110 §9.3.7: about the server as a whole.
    let about_all = method == Method::OPTIONS && request.uri().path() == "*";
    let mut response = if about_all { bare(StatusCode::NO_CONTENT) } else { next.run(request).await };
    if method == Method::OPTIONS {
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            response = bare(StatusCode::NO_CONTENT);
        }
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(METHODS));
    }
    response
}

/// Answers for a handler that panicked; the cause goes to the log.
#[expect(clippy::needless_pass_by_value, reason = "the shape that the layer calls")]
pub(super) fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    tracing::error!(cause = text.unwrap_or("no message"), "request handler panicked");
    HttpError::Fault.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [HttpError; 18] = [
        HttpError::NoSuchPage,
        HttpError::NoSuchChannel,
        HttpError::SegmentGone,
        HttpError::SegmentNotYet,
        HttpError::NoPicture,
        HttpError::Starting,
        HttpError::OffAir,
        HttpError::Stopping,
        HttpError::ReadOnly,
        HttpError::Malformed,
        HttpError::TargetTooLong,
        HttpError::Span,
        HttpError::NotOnDemand,
        HttpError::NoSuchItem,
        HttpError::NotReady,
        HttpError::Busy,
        HttpError::Question,
        HttpError::Fault,
    ];

    #[test]
    fn every_refusal_is_a_sentence_and_is_never_cached() {
        for error in ALL {
            let text = error.to_string();
            assert!(text.ends_with('.') && text.starts_with(char::is_uppercase), "{text}");
            let response = error.into_response();
            assert!(!response.status().is_success());
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store", "{text}");
        }
    }

    #[test]
    fn what_passes_says_when_to_ask_again() {
        for error in ALL {
            let unavailable = error.status() == StatusCode::SERVICE_UNAVAILABLE;
            assert_eq!(error.into_response().headers().contains_key(header::RETRY_AFTER), unavailable, "{error}");
        }
    }
}
