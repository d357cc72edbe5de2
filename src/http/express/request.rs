//! Heads of requests as players write them. Pure.
//!
//! Deliberately narrow: a head that could be understood in another way than here, or whose answer depends on more than
//! its target, is no plain one. What is accepted here hyper accepts, too, and understands as the same.

use crate::http::caching::names_gzip;
use crate::http::head::is_host;
use crate::http::hls::{segment_number, subtitles_number};
use crate::units::Msn;

/// The longest head that is looked at, in bytes; hyper takes longer ones.
pub(super) const HEAD_MAX: usize = 8 * 1024;

/// The most lines of a plain head.
const LINES_MAX: usize = 48;

/// How every plain head begins.
const BEGINNING: &[u8] = b"GET /channels/";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// The playlist of the channel with this id, or of one of its renditions.
    Playlist(&'a str, Option<&'a str>),
    /// A segment of it, or of one of its renditions.
    Segment(&'a str, Option<&'a str>, Msn),
    /// A segment of the subtitles of this name.
    Subtitles(&'a str, &'a str, Msn),
}

/// A plain request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plain<'a> {
    /// What is asked for.
    pub(super) target: Target<'a>,
    /// How many bytes its head has.
    pub(super) len: usize,
    /// Whether gzip is taken.
    pub(super) gzip: bool,
    /// User-Agent.
    pub(super) agent: Option<&'a [u8]>,
    /// X-Forwarded-For.
    pub(super) forwarded: Option<&'a [u8]>,
}

/// What the bytes of a connection begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head<'a> {
    /// A plain request.
    Plain(Plain<'a>),
    /// Something that may become one.
    Part,
    /// Something else.
    Other,
}

/// Reads the head that bytes begin with.
pub(super) fn read(bytes: &[u8]) -> Head<'_> {
    if !bytes.starts_with(&BEGINNING[..BEGINNING.len().min(bytes.len())]) {
        return Head::Other;
    }
    let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
        return if bytes.len() < HEAD_MAX { Head::Part } else { Head::Other };
    };
    plain(&bytes[..end], end + 4).map_or(Head::Other, Head::Plain)
}

/// Reads a whole head without its empty line.
fn plain(head: &[u8], len: usize) -> Option<Plain<'_>> {
    let visible = |byte: u8| (0x20..0x7f).contains(&byte) || byte == b'\t' || byte == b'\r' || byte == b'\n';
    if !head.iter().all(|byte| visible(*byte)) {
        return None;
    }
    let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
    let target = target(lines.next()?.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?)?;
    let mut plain = Plain { target, len, gzip: false, agent: None, forwarded: None };
    let (mut hosts, mut count) = (0, 0);
    for line in lines {
        count += 1;
        let (name, value) = line.split_once(':')?;
        let value = value.trim_matches([' ', '\t']);
        if count > LINES_MAX || !is_name(name) || value.contains(['\r', '\n']) {
            return None;
        }
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let first = |seen: &mut Option<&_>| seen.is_none();
        match name.len() {
            4 if is("host") => {
                hosts += 1;
                if !is_host(value.as_bytes()) {
                    return None;
                }
            }
            10 if is("user-agent") && first(&mut plain.agent) => plain.agent = Some(value.as_bytes()),
            15 if is("x-forwarded-for") && first(&mut plain.forwarded) => plain.forwarded = Some(value.as_bytes()),
            15 if is("accept-encoding") => plain.gzip |= names_gzip(value),
            10 if is("connection") && value.eq_ignore_ascii_case("keep-alive") => {}
            _ if matters(name) => return None,
            _ => {}
        }
    }
    (hosts == 1).then_some(plain)
}

/// Whether a line changes what is answered, or how the connection goes on, in a way that is not looked at here.
fn matters(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "connection",
        "content-length",
        "transfer-encoding",
        "expect",
        "upgrade",
        "range",
        "te",
        // A second one.
        "user-agent",
        "x-forwarded-for",
    ];
    let conditional = name.get(..3).is_some_and(|begin| begin.eq_ignore_ascii_case("if-"));
    conditional || NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Returns what a path leads to, if it is written in the one way we write it.
fn target(path: &str) -> Option<Target<'_>> {
    let (id, rest) = path.strip_prefix("/channels/")?.split_once('/')?;
    let (rendition, rest) = match rest.split_once('/') {
        Some((first, rest)) if first != "segments" => (Some(first), rest),
        _ => (None, rest),
    };
    if rest == "index.m3u8" {
        return Some(Target::Playlist(id, rendition));
    }
    let file = rest.strip_prefix("segments/")?;
    if let (Some(name), Some(msn)) = (rendition, subtitles_number(file)) {
        return Some(Target::Subtitles(id, name, msn));
    }
    Some(Target::Segment(id, rendition, segment_number(file)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(target: &str, lines: &str) -> String {
        format!("GET {target} HTTP/1.1\r\nhost: a\r\n{lines}\r\n")
    }

    #[test]
    fn what_players_write_is_plain() {
        let playlist = "/channels/cats/index.m3u8";
        for (sentence, text, target, gzip) in [
            ("a playlist", head(playlist, ""), Target::Playlist("cats", None), false),
            ("a segment", head("/channels/a-1/segments/17.ts", ""), Target::Segment("a-1", None, Msn(17)), false),
            ("a rendition", head("/channels/a/720p/index.m3u8", ""), Target::Playlist("a", Some("720p")), false),
            (
                "subtitles",
                head("/channels/a/subs-en/segments/7.vtt", ""),
                Target::Subtitles("a", "subs-en", Msn(7)),
                false,
            ),
            ("its segment", head("/channels/a/b/segments/0.ts", ""), Target::Segment("a", Some("b"), Msn(0)), false),
            (
                "a browser",
                head(playlist, "Accept-Encoding: gzip, br\r\nOrigin: x\r\n"),
                Target::Playlist("cats", None),
                true,
            ),
            ("kept", head(playlist, "Connection: Keep-Alive\r\n"), Target::Playlist("cats", None), false),
            ("cookies", head(playlist, "cookie: a=b; c=d\r\nX-Y_Z:\r\n"), Target::Playlist("cats", None), false),
            ("gzip refused", head(playlist, "accept-encoding: gzip;q=0\r\n"), Target::Playlist("cats", None), false),
        ] {
            let more = format!("{text}GET /next");
            let Head::Plain(plain) = read(more.as_bytes()) else { panic!("{sentence}") };
            assert_eq!((plain.target, plain.gzip, plain.len), (target, gzip, text.len()), "{sentence}");
        }
        let text = head(playlist, "user-agent: VLC\r\nx-forwarded-for: 192.0.2.1\r\n");
        let Head::Plain(plain) = read(text.as_bytes()) else { panic!() };
        assert_eq!((plain.agent, plain.forwarded), (Some(&b"VLC"[..]), Some(&b"192.0.2.1"[..])));
    }

    #[test]
    fn whatever_needs_a_second_thought_is_not_plain() {
        let playlist = "/channels/cats/index.m3u8";
        let line = |line: &str| head(playlist, &format!("{line}\r\n"));
        for text in [
            line("range: bytes=0-1"),
            line("If-None-Match: \"a\""),
            line("if-modified-since: x"),
            line("content-length: 0"),
            line("transfer-encoding: chunked"),
            line("connection: close"),
            line("connection: keep-alive, x"),
            line("upgrade: h2c"),
            line("expect: 100-continue"),
            line("te: trailers"),
            line("host: a"),
            line("user-agent: a\r\nuser-agent: b"),
            line(" folded"),
            line("no colon"),
            line("bad name: x"),
            line("x: \u{7f}"),
            line("x: \u{e9}"),
            line("x: a\rb"),
            line("x: a\nb: c"),
            head(playlist, &"x: y\r\n".repeat(LINES_MAX)),
            head("/channels/cats/index.m3u8?x", ""),
            head("/channels/cats/live.ts", ""),
            head("/channels/cats/segments/index.m3u8", ""),
            head("/channels/cats/720p/x/index.m3u8", ""),
            head("/channels/cats/segments/017.ts", ""),
            head("/channels/cats/segments/17.vtt", ""),
            head("/channels/cats/subs-en/segments/017.vtt", ""),
            head("/channels/%63ats/index.m3u8", "").replace("%63", "c%"),
            head("/channels//segments/1.ts/x", ""),
            head("/api/channels", ""),
            head(playlist, "").replace("GET", "HEAD"),
            head(playlist, "").replace("1.1", "1.0"),
            head(playlist, "").replace("host: a", "host: <a>"),
            head(playlist, "").replace("host: a\r\n", ""),
            head(playlist, "").replace("\r\n", "\n"),
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
            "\u{16}\u{3}\u{1}".to_owned(),
        ] {
            let read = read(text.as_bytes());
            let other = matches!(read, Head::Other) || matches!(read, Head::Plain(Plain { target, .. }) if odd(target));
            assert!(other || (!text.contains("\r\n\r\n") && read == Head::Part), "{text:?}: {read:?}");
        }
    }

    /// A channel's id that no channel has: it is looked for, not found, and left to the router.
    fn odd(target: Target<'_>) -> bool {
        let (Target::Playlist(id, _) | Target::Segment(id, ..) | Target::Subtitles(id, ..)) = target;
        crate::units::ChannelId::new(id).is_none()
    }

    #[test]
    fn half_a_head_may_become_one() {
        let whole = head("/channels/cats/index.m3u8", "");
        for len in 0..whole.len() {
            assert_eq!(read(&whole.as_bytes()[..len]), Head::Part, "{len}");
        }
        let endless = head(&format!("/channels/{}", "a".repeat(HEAD_MAX)), "");
        assert_eq!(read(&endless.as_bytes()[..HEAD_MAX]), Head::Other, "too long for this way");
    }

    proptest! {
        /// A plain head stays what it is when other harmless lines stand in it, and never reaches beyond its end.
        #[test]
        fn a_plain_head_ends_where_its_empty_line_ends(lines in "([a-z]{1,9}x: [ -~]{0,20}\r\n){0,9}", after in ".{0,30}") {
            let text = head("/channels/cats/index.m3u8", &lines);
            let bytes = format!("{text}{after}");
            if let Head::Plain(plain) = read(bytes.as_bytes()) {
                prop_assert_eq!(plain.len, text.len());
            } else {
                prop_assert!(false, "{:?}", bytes);
            }
        }

        #[test]
        fn no_bytes_are_too_strange_to_be_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            read(&[BEGINNING, &bytes].concat());
            read(&bytes);
        }
    }
}
