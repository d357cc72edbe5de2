//! What is wrong with a request's head, beyond what hyper refuses itself. Pure.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::HttpError;

/// The longest target of a request in bytes: RFC 9110 §4.1 asks for 8000 at least, our own have a hundred.
const TARGET_BYTES_MAX: usize = 8 * 1024;

/// Refuses what cannot be understood in one way only, and closes the connection: what follows on it may not be what it
/// seems.
pub(super) async fn understood(request: Request, next: Next) -> Response {
    let Some(error) = refusal(&request) else { return next.run(request).await };
    let mut response = error.into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn refusal(request: &Request) -> Option<HttpError> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > TARGET_BYTES_MAX {
        return Some(HttpError::TargetTooLong);
    }
    // Nothing here takes a body. One whose end must be found in it, on a request that has no use for one, is how a
    // second request is hidden from a proxy (RFC 9112 §11.2); with a length of its own hyper passes over it.
    let hidden = request.headers().contains_key(header::TRANSFER_ENCODING);
    let unclear = hidden || !names_one_host(request.version(), request.headers());
    unclear.then_some(HttpError::Malformed)
}

/// RFC 9112 §3.2: one Host, which may be empty; HTTP/1.0 may leave it out. Which host it is makes no difference here:
/// the public addresses only read, and the same for everyone, so a name that was bound anew to ours tells nobody more.
fn names_one_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => is_host(host.as_bytes()),
        (Some(_), Some(_)) => false,
    }
}

/// Whether a value could be a host and a port: the letters of RFC 3986 §3.2.2, not their grammar.
pub(super) fn is_host(value: &[u8]) -> bool {
    value.len() <= 300 && value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(byte))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn a_head_that_can_be_understood_in_two_ways_is_refused() {
        let long = format!("/{}", "a".repeat(TARGET_BYTES_MAX));
        let longest = &long[..TARGET_BYTES_MAX];
        for (sentence, target, version, headers, expected) in [
            ("one host", "/", Version::HTTP_11, &[("host", "tv.example:8080")][..], None),
            ("a literal", "/", Version::HTTP_11, &[("host", "[::1]:8080")], None),
            ("an empty one", "/", Version::HTTP_11, &[("host", "")], None),
            ("none", "/", Version::HTTP_11, &[], Some(HttpError::Malformed)),
            ("none, and old", "/", Version::HTTP_10, &[], None),
            ("two", "/", Version::HTTP_11, &[("host", "a"), ("host", "a")], Some(HttpError::Malformed)),
            ("two, and old", "/", Version::HTTP_10, &[("host", "a"), ("host", "b")], Some(HttpError::Malformed)),
            ("no host at all", "/", Version::HTTP_11, &[("host", "a b")], Some(HttpError::Malformed)),
            ("a page", "/", Version::HTTP_11, &[("host", "<script>")], Some(HttpError::Malformed)),
            ("a user", "/", Version::HTTP_11, &[("host", "a@b")], Some(HttpError::Malformed)),
            ("a path", "/", Version::HTTP_11, &[("host", "a/b")], Some(HttpError::Malformed)),
            ("another in the target", "http://b/", Version::HTTP_11, &[("host", "a")], None),
            (
                "a body without length",
                "/",
                Version::HTTP_11,
                &[("host", "a"), ("transfer-encoding", "chunked")],
                Some(HttpError::Malformed),
            ),
            ("a body", "/", Version::HTTP_11, &[("host", "a"), ("content-length", "5")], None),
            ("the longest target", longest, Version::HTTP_11, &[("host", "a")], None),
            ("one more", &long, Version::HTTP_11, &[("host", "a")], Some(HttpError::TargetTooLong)),
        ] {
            let mut request = Request::get(target).version(version).body(Body::empty()).unwrap();
            for (name, value) in headers {
                request.headers_mut().append(*name, HeaderValue::from_static(value));
            }
            assert_eq!(refusal(&request), expected, "{sentence}");
        }
    }
}
