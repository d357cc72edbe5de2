//! All subtitles of an item in one `WebVTT` text, for those who watch it by itself. Pure.

use std::fmt::Write as _;

use bytes::Bytes;

use super::{local, pes};
use crate::prepare::subtitles::{Cue, Track};
use crate::units::MediaTime;

/// How much of an item's beginning must be looked at to find the time of its first frame, in bytes.
pub const BEGINNING: usize = pes::PACKETS_MAX * pes::PACKET;

/// Returns all cues of an item until its end. `beginning` are the first bytes of the item: players place cues by the
/// timestamp of its first frame.
#[must_use]
pub fn text(track: &Track, end: MediaTime, beginning: &[u8]) -> Bytes {
    let mut text = String::from("WEBVTT\n");
    if let Some(timestamp) = pes::first_timestamp(beginning) {
        // Writing into a String cannot fail.
        let _infallible = writeln!(text, "X-TIMESTAMP-MAP=MPEGTS:{timestamp},LOCAL:00:00:00.000");
    }
    text.push('\n');
    for Cue { start, end: goes, text: said } in track.between(MediaTime::ZERO, end) {
        let _infallible = write!(text, "{} --> {}\n{said}\n\n", local(*start), local((*goes).min(end)));
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(start: i64, end: i64, text: &str) -> Cue {
        Cue { start: MediaTime::from_millis(start), end: MediaTime::from_millis(end), text: text.to_owned() }
    }

    #[test]
    fn every_line_stands_at_its_time_and_none_outlives_the_film() {
        let track = Track::new(vec![
            cue(500, 2_000, "one"),
            cue(3_725_250, 3_800_000, "two\nlines"),
            cue(4_000_000, 4_001_000, "late"),
        ]);
        let beginning = pes::tests::frame(126_000);
        let written = text(&track, MediaTime::from_secs(3_730), &beginning);
        assert_eq!(
            String::from_utf8_lossy(&written),
            "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:126000,LOCAL:00:00:00.000\n\n\
             00:00:00.500 --> 00:00:02.000\none\n\n01:02:05.250 --> 01:02:10.000\ntwo\nlines\n\n"
        );
        assert_eq!(text(&Track::default(), MediaTime::from_secs(9), b""), "WEBVTT\n\n");
    }
}
