//! Where the station is, to whoever asks: apps are given whole addresses.

use std::fmt;

use axum::http::{HeaderMap, Uri, header};

use crate::http::error::HttpError;
use crate::http::head::is_host;
use crate::http::state::Roster;

/// What stands before every path: `http://192.168.1.5:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct Origin(String);

impl Origin {
    /// Returns what the configuration says, or else the address that was asked. No other header is believed: whoever asks may
    /// write into it what they like.
    pub(in crate::http) fn of(roster: &Roster, uri: &Uri, headers: &HeaderMap) -> Result<Self, HttpError> {
        if let Some(address) = &roster.address {
            return Ok(Self(address.to_string()));
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = uri.authority().map(axum::http::uri::Authority::as_str).or(host);
        let host = host.filter(|host| !host.is_empty() && is_host(host.as_bytes())).ok_or(HttpError::Malformed)?;
        Ok(Self(format!("http://{host}")))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: apps are sent where they came to. Method: a table of requests.
    #[test]
    fn addresses_are_those_that_were_asked() {
        let roster = |address: Option<&str>| Roster { address: address.map(Into::into), ..Roster::default() };
        for (sentence, address, target, host, expected) in [
            ("by its name", None, "/a", Some("tv.example:8080"), Some("http://tv.example:8080")),
            ("a literal", None, "/a", Some("[::1]:80"), Some("http://[::1]:80")),
            ("in the target", None, "http://other:1/a", Some("tv"), Some("http://other:1")),
            ("none", None, "/a", None, None),
            ("an empty one", None, "/a", Some(""), None),
            ("a quote", None, "/a", Some("a\"b"), None),
            ("configured", Some("https://tv.example"), "/a", Some("127.0.0.1"), Some("https://tv.example")),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(host.map(|host| (header::HOST, host.parse().unwrap())));
            headers.insert("x-forwarded-host", "evil.example".parse().unwrap());
            let origin = Origin::of(&roster(address), &target.parse().unwrap(), &headers);
            assert_eq!(origin.ok().map(|origin| origin.to_string()).as_deref(), expected, "{sentence}");
        }
    }
}
