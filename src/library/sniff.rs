//! What the first bytes of a file give away before ffprobe is asked.

use crate::ffmpeg::probe::Refusal;

/// How many bytes are looked at.
pub const HEAD_BYTES: usize = 1024;

/// Returns why a file with this head is no video, when the head alone shows it.
///
/// No container that is opened begins with a kilobyte of text; playlists, scripts and web pages do, and never get as
/// far as ffprobe.
#[must_use]
pub fn refuse_by_head(head: &[u8]) -> Option<Refusal> {
    let head = &head[..head.len().min(HEAD_BYTES)];
    if head.is_empty() {
        return Some(Refusal::Empty);
    }
    if !is_text(head) {
        return None;
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let playlist = [&b"#EXTM3U"[..], b"ffconcat", b"[playlist]", b"<MPD", b"<smil", b"v=0"];
    Some(if playlist.iter().any(|start| text.starts_with(start)) { Refusal::Playlist } else { Refusal::Text })
}

/// Puts right what ffprobe says of anything named `.mp4`: that its index is missing, even if it never was an MP4.
#[must_use]
pub fn refine(refusal: Refusal, head: &[u8]) -> Refusal {
    const BOXES: [&[u8]; 9] = [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid", b"styp"];
    let is_mp4 = head.get(4..8).is_some_and(|kind| BOXES.contains(&kind));
    if refusal == Refusal::NoIndex && !is_mp4 { Refusal::Unreadable } else { refusal }
}

fn is_text(head: &[u8]) -> bool {
    let plain = |byte: &u8| *byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    // The head may end in the middle of a character.
    let utf8 = std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true);
    utf8 && head.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_known_by_its_head() {
        let long = "\u{e9}".repeat(700);
        for (head, expected) in [
            (&b""[..], Some(Refusal::Empty)),
            (b"hello\nworld\n", Some(Refusal::Text)),
            (b"<!DOCTYPE html>", Some(Refusal::Text)),
            (&long.as_bytes()[1..], None),
            (&[b"x", long.as_bytes()].concat(), Some(Refusal::Text)),
            (b"#EXTM3U\n#EXTINF:2,\nfile:a", Some(Refusal::Playlist)),
            (b"\xef\xbb\xbf \nffconcat version 1.0\n", Some(Refusal::Playlist)),
            (b"\0\0\0\x20ftypisom", None),
            (b"\x47\x40\x11\x10\0", None),
            (b"RIFF\x10\0\0\0AVI LIST", None),
        ] {
            assert_eq!(refuse_by_head(head), expected, "{:?}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn only_an_mp4_can_miss_its_index() {
        assert_eq!(refine(Refusal::NoIndex, b"\0\0\0\x20ftypisom"), Refusal::NoIndex);
        assert_eq!(refine(Refusal::NoIndex, b"\x13\x37junk and more"), Refusal::Unreadable);
        assert_eq!(refine(Refusal::EndsEarly, b""), Refusal::EndsEarly);
    }
}
