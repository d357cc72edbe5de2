//! Heads of answers, written as text: the same lines that the router's layers give.

use std::cell::RefCell;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::units::Msn;

/// What stands in every answer: any page may read it and what it tells of itself, and it is what it says.
const COMMON: &str = "access-control-allow-origin: *\r\n\
    access-control-expose-headers: content-length,content-range,date,etag\r\n\
    x-content-type-options: nosniff\r\nreferrer-policy: same-origin\r\n";

const PLAYLIST: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.apple.mpegurl\r\ncache-control: public, max-age=1\r\n\
    vary: accept-encoding\r\n";

const SEGMENT: &str = "accept-ranges: bytes\r\ncache-control: public, max-age=31536000, immutable\r\n";

/// What a segment is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Picture and sound.
    Media,
    /// Subtitles.
    Subtitles,
}

impl Kind {
    fn head(self) -> &'static str {
        match self {
            Self::Media => "HTTP/1.1 200 OK\r\ncontent-type: video/mp2t\r\n",
            Self::Subtitles => "HTTP/1.1 200 OK\r\ncontent-type: text/vtt\r\n",
        }
    }
}

/// What follows a head.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// Nothing: it was written behind the head.
    Written,
    /// Bytes that are shared.
    Memory(Bytes),
    /// A file of the kernel's memory, with its length.
    File(Arc<File>, usize),
}

/// Writes head and body of a playlist; `packed` is the same text by gzip.
pub(super) fn playlist(out: &mut Vec<u8>, etag: &str, text: &Bytes, packed: Option<&Bytes>) {
    out.clear();
    for part in [PLAYLIST, COMMON, "etag: ", etag, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    if packed.is_some() {
        out.extend_from_slice(b"content-encoding: gzip\r\n");
    }
    let body = packed.unwrap_or(text);
    end(out, body.len());
    out.extend_from_slice(body);
}

/// Writes the head of a segment.
pub(super) fn segment(out: &mut Vec<u8>, kind: Kind, msn: Msn, len: usize) {
    out.clear();
    for part in [kind.head(), SEGMENT, COMMON] {
        out.extend_from_slice(part.as_bytes());
    }
    // Writing into a Vec cannot fail.
    let _infallible = write!(out, "etag: \"{msn}-{len}\"\r\n");
    end(out, len);
}

fn end(out: &mut Vec<u8>, len: usize) {
    let _infallible = write!(out, "content-length: {len}\r\ndate: ");
    DATE.with_borrow_mut(|date| out.extend_from_slice(date.now()));
    out.extend_from_slice(b"\r\n\r\n");
}

thread_local! {
    static DATE: RefCell<Date> = const { RefCell::new(Date { second: i64::MIN, text: Vec::new() }) };
}

/// The date of answers (RFC 9110 §5.6.7), written once a second.
struct Date {
    second: i64,
    text: Vec<u8>,
}

impl Date {
    #[expect(clippy::disallowed_methods, reason = "answers tell the world's time")]
    fn now(&mut self) -> &[u8] {
        let now = Timestamp::now();
        if now.as_second() != self.second {
            self.second = now.as_second();
            self.text = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string().into_bytes();
        }
        &self.text
    }
}
