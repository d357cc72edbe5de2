//! Entity tags, byte ranges and compression: the parts of RFC 9110 that players use. Pure.

use std::ops::Range;

use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};

use crate::hls;

/// Below this many bytes compression saves no packet worth its work. A playlist of twelve segments stays below.
const COMPRESS_MIN_BYTES: u64 = 2048;

/// Returns whether the viewer already has what `etag` names (RFC 9110 §13.1.2, weak comparison).
pub(super) fn not_modified(headers: &HeaderMap, etag: &str) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let wanted = strong(etag);
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || strong(tag) == wanted)
}

/// What part of a body is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// These bytes.
    Bytes(Range<usize>),
    /// Bytes it does not have: status 416.
    Unsatisfiable,
}

/// Returns which part of a body of `len` bytes is asked for (RFC 9110 §14).
///
/// A header that is not understood, names several ranges, or is bound by `If-Range` to another version gives the
/// whole: the RFC allows a server to ignore any Range.
pub(super) fn part(headers: &HeaderMap, etag: &str, len: usize) -> Part {
    let Some(range) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else { return Part::Whole };
    if headers.get(header::IF_RANGE).is_some_and(|value| value.as_bytes() != etag.as_bytes()) {
        return Part::Whole;
    }
    let Some((first, last)) = range.trim().strip_prefix("bytes=").and_then(|spec| spec.split_once('-')) else {
        return Part::Whole;
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(first) || !digits(last) || first.len().max(last.len()) > DIGITS_MAX {
        return Part::Whole;
    }
    match (first.parse::<usize>().ok(), last.parse::<usize>().ok()) {
        (None, Some(0)) => Part::Unsatisfiable,
        (None, Some(_)) if len == 0 => Part::Unsatisfiable,
        (None, Some(suffix)) => Part::Bytes(len.saturating_sub(suffix)..len),
        (Some(first), Some(last)) if last < first => Part::Whole,
        (Some(first), _) if first >= len => Part::Unsatisfiable,
        (Some(first), last) => Part::Bytes(first..last.map_or(len, |last| (last + 1).min(len))),
        (None, None) => Part::Whole,
    }
}

/// More digits than any segment's size has: keeps the numbers within `usize` without overflow.
const DIGITS_MAX: usize = 15;

/// Returns whether the viewer takes gzip: named, and not with quality 0.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(names_gzip)
}

/// The same of one line of the head.
pub(super) fn names_gzip(value: &str) -> bool {
    value.split(',').any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = quality.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// Returns whether a body is text and long enough to be compressed on its way. Media never is: it does not shrink, and
/// its bytes are shared by all viewers.
pub(super) fn worth_compressing(status: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = [
        "text/",
        "application/json",
        "application/vnd.apple.mpegurl",
        "image/svg+xml",
        "audio/x-mpegurl",
        "application/xml",
    ];
    let long = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
        .is_none_or(|length| length >= COMPRESS_MIN_BYTES);
    // Whole segments go the short way, uncompressed; those of subtitles are small.
    let segment = kind == hls::VTT_TYPE;
    status != StatusCode::PARTIAL_CONTENT && long && !segment && text.iter().any(|prefix| kind.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn a_tag_the_viewer_holds_is_recognised() {
        for (sent, held) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(not_modified(&headers(&[(header::IF_NONE_MATCH, sent)]), "\"a\""), held, "{sent}");
        }
        assert!(!not_modified(&HeaderMap::new(), "\"a\""));
    }

    #[test]
    fn single_ranges_are_cut_to_the_body_and_others_ignored() {
        for (range, expected) in [
            ("bytes=0-0", Part::Bytes(0..1)),
            ("bytes=2-5", Part::Bytes(2..6)),
            ("bytes=2-", Part::Bytes(2..10)),
            ("bytes=5-99", Part::Bytes(5..10)),
            ("bytes=-3", Part::Bytes(7..10)),
            ("bytes=-99", Part::Bytes(0..10)),
            ("bytes=-0", Part::Unsatisfiable),
            ("bytes=10-", Part::Unsatisfiable),
            ("bytes=99-100", Part::Unsatisfiable),
            ("bytes=5-2", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("bytes=0-99999999999999999999999", Part::Whole),
            ("items=0-1", Part::Whole),
        ] {
            assert_eq!(part(&headers(&[(header::RANGE, range)]), "\"e\"", 10), expected, "{range}");
        }
    }

    #[test]
    fn a_range_bound_to_another_version_gives_the_whole() {
        let bound = |tag| headers(&[(header::RANGE, "bytes=0-1"), (header::IF_RANGE, tag)]);
        assert_eq!(part(&bound("\"e\""), "\"e\"", 10), Part::Bytes(0..2));
        assert_eq!(part(&bound("\"old\""), "\"e\"", 10), Part::Whole);
    }

    #[test]
    fn gzip_is_used_only_where_it_is_named() {
        for (sent, takes) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("br", false),
            ("", false),
            ("xgzip", false),
        ] {
            assert_eq!(takes_gzip(&headers(&[(header::ACCEPT_ENCODING, sent)])), takes, "{sent}");
        }
    }

    #[test]
    fn only_long_text_is_compressed() {
        for (kind, length, worth) in [
            ("application/vnd.apple.mpegurl", "9000", true),
            ("application/vnd.apple.mpegurl", "900", false),
            ("application/json", "9000", true),
            ("text/html; charset=utf-8", "9000", true),
            ("audio/x-mpegurl; charset=utf-8", "9000", true),
            ("application/xml; charset=utf-8", "9000", true),
            ("video/mp2t", "900000", false),
            ("image/png", "9000", false),
        ] {
            let headers = headers(&[(header::CONTENT_TYPE, kind), (header::CONTENT_LENGTH, length)]);
            let worth_it = worth_compressing(StatusCode::OK, Version::HTTP_11, &headers, &Extensions::new());
            assert_eq!(worth_it, worth, "{kind} {length}");
        }
    }

    proptest! {
        #[test]
        fn a_range_never_reaches_outside_the_body(range in "bytes=[0-9]{0,17}-[0-9]{0,17}", len in 0_usize..5000) {
            if let Part::Bytes(bytes) = part(&headers(&[(header::RANGE, &range)]), "\"e\"", len) {
                prop_assert!(bytes.start < bytes.end && bytes.end <= len);
            }
        }
    }
}
