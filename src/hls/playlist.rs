//! The window as text: a media playlist by RFC 8216.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::snapshot::PlaylistBody;
use super::timeline::{DateRange, Entry};

/// What stands above the first segment.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// EXT-X-TARGETDURATION.
    pub target_secs: i64,
    /// EXT-X-DISCONTINUITY-SEQUENCE: how many discontinuities have left the window.
    pub discontinuity_sequence: u64,
}

/// How segments' addresses begin.
const SEGMENTS: &str = "segments/";

/// How many characters of a title a playlist carries.
const TITLE_LEN_MAX: usize = 120;

/// Returns the playlist text of a window.
///
/// Units: EXTINF is seconds with six decimals, so that 90 kHz ticks survive; dates have milliseconds and are UTC.
/// Segment addresses are relative to the playlist's: `segments/17.ts`. Version 6 is the least that allows every tag
/// used (RFC 8216 §7: EXTINF with decimals needs 3). Nothing ever writes EXT-X-ENDLIST.
///
/// Source: RFC 8216 §4.3.3.1-3 (head), §4.3.2 (segments).
#[must_use]
pub fn render(head: Head, entries: &VecDeque<Entry>) -> PlaylistBody {
    let mut text = String::with_capacity(256 + entries.len() * 160);
    let first = entries.front().map_or(0, |entry| entry.msn.0);
    // Writing into a String cannot fail.
    let _infallible = write!(
        text,
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:{first}\n\
         #EXT-X-DISCONTINUITY-SEQUENCE:{}\n#EXT-X-INDEPENDENT-SEGMENTS\n",
        head.target_secs, head.discontinuity_sequence
    );
    for entry in entries {
        write_entry(&mut text, entry);
    }
    let newest = entries.back().map_or(first, |entry| entry.msn.0);
    let etag = etag(&[first, newest, head.discontinuity_sequence]);
    PlaylistBody { text: Bytes::from(text), etag }
}

/// Returns the playlist of subtitles beside a media playlist: numbers, lengths, dates and discontinuities are the same, only
/// the segments are called otherwise.
#[must_use]
pub fn of_subtitles(media: &PlaylistBody) -> PlaylistBody {
    let own = String::from_utf8_lossy(&media.text);
    let mut text = String::with_capacity(own.len() + 64);
    for line in own.lines() {
        match line.strip_suffix(".ts").filter(|name| name.starts_with(SEGMENTS)) {
            Some(name) => text.extend([name, ".vtt"]),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    let etag = format!("\"vtt-{}", media.etag.trim_start_matches('"')).into();
    PlaylistBody { text: Bytes::from(text), etag }
}

/// Returns the entity tag of a text that is another one whenever one of these numbers is.
pub(super) fn etag(numbers: &[u64]) -> Arc<str> {
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    format!("\"{}\"", numbers.join("-")).into()
}

fn write_entry(text: &mut String, entry: &Entry) {
    if entry.body.discontinuity {
        text.push_str("#EXT-X-DISCONTINUITY\n");
    }
    if let Some(range) = &entry.date_range {
        write_date_range(text, range);
    }
    let secs = entry.body.duration.as_secs_f64();
    let date = date_text(entry.date);
    let _infallible =
        write!(text, "#EXT-X-PROGRAM-DATE-TIME:{date}\n#EXTINF:{secs:.6},\n{SEGMENTS}{}.ts\n", entry.msn.0);
}

fn write_date_range(text: &mut String, range: &DateRange) {
    let DateRange { id, start, planned, title } = range;
    let (start, planned) = (date_text(*start), planned.as_secs_f64());
    let title = quoted(title);
    let _infallible = writeln!(
        text,
        "#EXT-X-DATERANGE:ID=\"{id}\",CLASS=\"nightcast.programme\",START-DATE=\"{start}\",\
         PLANNED-DURATION={planned:.3},X-TITLE=\"{title}\""
    );
}

/// A quoted string "MUST NOT contain a line feed, carriage return, or double quote" (RFC 8216 §4.2).
fn quoted(text: &str) -> String {
    let clean = text.chars().map(|c| match c {
        '"' => '\'',
        c if c.is_control() => ' ',
        c => c,
    });
    clean.take(TITLE_LEN_MAX).collect()
}

fn date_text(date: Timestamp) -> String {
    format!("{date:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::SegmentBody;
    use crate::units::{MediaTime, Msn};

    #[test]
    fn a_window_reads_as_the_specification_says() {
        let body = |millis, discontinuity| {
            let duration = MediaTime::from_millis(millis);
            Arc::new(SegmentBody::in_memory(vec![Bytes::from_static(b"x")], duration, discontinuity))
        };
        let start: Timestamp = "2026-11-21T02:03:04.5Z".parse().unwrap();
        let range = DateRange {
            id: "p7".to_owned(),
            start,
            planned: MediaTime::from_millis(90_500),
            title: "The \"Night\"\nTrain".to_owned(),
        };
        let entries = VecDeque::from([
            Entry { msn: Msn(41), body: body(2000, false), date: start, date_range: None },
            Entry { msn: Msn(42), body: body(1001, true), date: start, date_range: Some(range) },
        ]);
        let playlist = render(Head { target_secs: 6, discontinuity_sequence: 3 }, &entries);
        let expected = "\
#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:41
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T02:03:04.500Z
#EXTINF:2.000000,
segments/41.ts
#EXT-X-DISCONTINUITY
#EXT-X-DATERANGE:ID=\"p7\",CLASS=\"nightcast.programme\",START-DATE=\"2026-11-21T02:03:04.500Z\",PLANNED-DURATION=90.500,X-TITLE=\"The 'Night' Train\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T02:03:04.500Z
#EXTINF:1.001000,
segments/42.ts
";
        assert_eq!(String::from_utf8_lossy(&playlist.text), expected);
        assert_eq!(&*playlist.etag, "\"41-42-3\"");
        let subtitles = of_subtitles(&playlist);
        let expected = expected.replace("41.ts", "41.vtt").replace("42.ts", "42.vtt");
        assert_eq!(String::from_utf8_lossy(&subtitles.text), expected);
        assert_eq!(&*subtitles.etag, "\"vtt-41-42-3\"");
    }
}
