//! The playlist of those who go back: a live playlist with a long window.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Kept, Of};
use crate::hls::{PlaylistBody, TARGET_DURATION_SECS};
use crate::units::MediaTime;

/// How far before the end a player that looks again may leave out what it has: the least that is allowed, six target
/// durations (RFC 8216bis §4.4.3.8). Without it each look at two hours would be a third of a megabyte.
const SKIP_UNTIL: MediaTime = MediaTime::from_secs(6 * TARGET_DURATION_SECS);

/// A playlist's text, as it is and compressed: both once for all who ask.
#[derive(Clone, Debug)]
pub struct Text {
    /// As it is.
    pub plain: PlaylistBody,
    /// By gzip.
    pub packed: Bytes,
}

/// Returns the text of a playlist of these segments, the oldest first; `skip` leaves out those that a player has that looked
/// a moment ago.
///
/// Source: RFC 8216 §4.3; what is skipped, RFC 8216bis §4.4.5.2. Programmes are not named: the guide tells more.
#[must_use]
pub(super) fn render(listed: &[Arc<Kept>], of: Of, skip: bool) -> Text {
    let skipped = if skip { skippable(listed) } else { 0 };
    let (first, newest) = (listed.first(), listed.last().map_or(0, |kept| kept.number));
    let number = first.map_or(0, |kept| kept.number);
    let discontinuities = first.map_or(0, |kept| kept.discontinuities - u64::from(kept.discontinuity));
    let version = if skipped > 0 { 9 } else { 6 };
    let mut text = String::with_capacity(256 + (listed.len() - skipped) * 110);
    // Writing into a String cannot fail.
    let _infallible = write!(
        text,
        "#EXTM3U\n#EXT-X-VERSION:{version}\n#EXT-X-TARGETDURATION:{TARGET_DURATION_SECS}\n\
         #EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL={:.1}\n#EXT-X-MEDIA-SEQUENCE:{number}\n\
         #EXT-X-DISCONTINUITY-SEQUENCE:{discontinuities}\n#EXT-X-INDEPENDENT-SEGMENTS\n",
        SKIP_UNTIL.as_secs_f64()
    );
    if skipped > 0 {
        let _infallible = writeln!(text, "#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}");
    }
    let ending = if of == Of::Subtitles { "vtt" } else { "ts" };
    for kept in &listed[skipped..] {
        if kept.discontinuity {
            text.push_str("#EXT-X-DISCONTINUITY\n");
        }
        let (date, secs, msn) = (kept.date, kept.duration.as_secs_f64(), kept.msn);
        let _infallible =
            write!(text, "#EXT-X-PROGRAM-DATE-TIME:{date:.3}\n#EXTINF:{secs:.6},\nsegments/{msn}.{ending}\n");
    }
    let etag = format!("\"rewind-{ending}-{number}-{newest}-{skipped}\"").into();
    let packed = packed(text.as_bytes());
    Text { plain: PlaylistBody { text: text.into(), etag }, packed }
}

/// Returns how many of the oldest segments end before the boundary.
fn skippable(listed: &[Arc<Kept>]) -> usize {
    let mut newer = MediaTime::ZERO;
    for (place, kept) in listed.iter().enumerate().rev() {
        if newer >= SKIP_UNTIL {
            return place + 1;
        }
        newer += kept.duration;
    }
    0
}

fn packed(text: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing into a Vec cannot fail.
    let _infallible = encoder.write_all(text);
    encoder.finish().unwrap_or_default().into()
}

/// Returns the list of renditions for those who go back: the live one's, with the other playlists in it.
#[must_use]
pub fn of_renditions(live: &PlaylistBody) -> PlaylistBody {
    let own = String::from_utf8_lossy(&live.text);
    let text = own.replace("/index.m3u8", "/rewind.m3u8");
    let etag = format!("\"rewind-{}", live.etag.trim_start_matches('"')).into();
    PlaylistBody { text: text.into(), etag }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use jiff::Timestamp;

    use super::*;
    use crate::units::Msn;

    fn kept(number: u64, secs: i64) -> Arc<Kept> {
        let date = Timestamp::from_second(1_795_000_000).unwrap() + MediaTime::from_secs(secs).to_duration();
        Arc::new(Kept {
            number,
            msn: Msn(number + 1000),
            duration: MediaTime::from_secs(4),
            date,
            discontinuity: number == 7,
            discontinuities: 3,
            names: Arc::default(),
            lens: [1].into(),
        })
    }

    #[test]
    fn a_window_reads_as_the_specification_says() {
        let text = render(&[kept(7, 0), kept(8, 4)], Of::Pictures, true);
        let expected = "\
#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:6
#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=36.0
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:2
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-11-18T11:06:40.000Z
#EXTINF:4.000000,
segments/1007.ts
#EXT-X-PROGRAM-DATE-TIME:2026-11-18T11:06:44.000Z
#EXTINF:4.000000,
segments/1008.ts
";
        assert_eq!(String::from_utf8_lossy(&text.plain.text), expected, "nothing can be skipped of so little");
        let mut read = String::new();
        GzDecoder::new(&text.packed[..]).read_to_string(&mut read).unwrap();
        assert_eq!(read, expected);
        let subtitles = render(&[kept(7, 0), kept(8, 4)], Of::Subtitles, false);
        assert_eq!(String::from_utf8_lossy(&subtitles.plain.text), expected.replace(".ts", ".vtt"));
        assert_ne!(subtitles.plain.etag, text.plain.etag);
    }

    #[test]
    fn who_looked_a_moment_ago_is_told_the_end_alone() {
        let listed: Vec<_> = (0..20_u64).map(|n| kept(n + 10, i64::try_from(n).unwrap() * 4)).collect();
        let text = render(&listed, Of::Pictures, true).plain.text;
        let text = String::from_utf8_lossy(&text);
        assert!(text.contains("#EXT-X-VERSION:9\n") && text.contains("#EXT-X-SKIP:SKIPPED-SEGMENTS=11\n"), "{text}");
        assert_eq!(text.matches("#EXTINF").count(), 9, "36 s: {text}");
        assert!(text.contains("#EXT-X-MEDIA-SEQUENCE:10\n"), "{text}");
    }

    #[test]
    fn the_renditions_are_the_live_ones_with_other_playlists() {
        let live =
            PlaylistBody { text: "#X:URI=\"subs-en/index.m3u8\"\n720p/index.m3u8\n".into(), etag: "\"1\"".into() };
        let rewind = of_renditions(&live);
        assert_eq!(rewind.text, "#X:URI=\"subs-en/rewind.m3u8\"\n720p/rewind.m3u8\n");
        assert_eq!(&*rewind.etag, "\"rewind-1\"");
    }
}
