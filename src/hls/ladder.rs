//! A channel's renditions as they are, measured, and the playlist that lists them.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;

use super::h264::Sps;
use super::packer::Segment;
use super::snapshot::{PlaylistBody, RenditionTold, SegmentBody, SubtitlesTold};
use super::timeline::Entry;
use super::{TARGET_DURATION_SECS, cut, playlist};
use crate::prepare::annexb;
use crate::units::MediaTime;

/// "The peak segment bit rate … is the largest bit rate of any contiguous set of segments whose total duration is between 0.5
/// and 1.5 times the target duration" (RFC 8216 §4.1).
const PEAK_SET_MIN: MediaTime = MediaTime::from_millis(TARGET_DURATION_SECS * 500);
/// The same, the other end.
const PEAK_SET_MAX: MediaTime = MediaTime::from_millis(TARGET_DURATION_SECS * 1500);

/// For how long programmes are measured before the peak is believed to be that of those to come: "the BANDWIDTH value SHOULD
/// be the BANDWIDTH value of a representative period of similar content, encoded using the same settings" (RFC 8216
/// §4.3.4.2). Before, what the encoder is held to is told. A player that was told of the card before a film stays too long
/// in a rendition its line does not carry (hls.js 1.7.4: a stall of 1.2 s).
const REPRESENTATIVE: MediaTime = MediaTime::from_secs(3600);

/// How many bytes of a segment are looked at for its parameter set, which stands before the first slice.
const LOOK: usize = 64 << 10;

/// What every rendition of the picture says its subtitles are called together.
const SUBTITLES_GROUP: &str = "subs";

/// The sound of every segment: AAC-LC.
const SOUND_CODEC: &str = "mp4a.40.2";

/// A rendition as it is meant.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Its name in addresses.
    pub name: Arc<str>,
    /// What picture and sound together are held to, in bits a second.
    pub bits_max: u64,
    /// Whether it is the sound of the one before it, without a picture.
    pub audio_only: bool,
}

/// What is known of a channel's renditions.
#[derive(Debug, Default)]
pub struct Ladder {
    rungs: Vec<Rung>,
    /// How long programmes were measured.
    measured: MediaTime,
}

/// One rendition.
#[derive(Clone, Debug, Default)]
struct Rung {
    name: Arc<str>,
    /// The largest of each that was published since the channel began: a player chooses once and stays, so what it was told
    /// of the card between two films must hold for the films, too.
    picture: Option<Sps>,
    /// Bits a second, likewise.
    peak: u64,
    /// What it is held to.
    bits_max: u64,
    /// Whether it has no picture.
    audio_only: bool,
}

impl Ladder {
    /// Returns one of these renditions; it does nothing where there are none.
    #[must_use]
    pub fn new(offers: &[Offer]) -> Self {
        let rung = |offer: &Offer| Rung {
            name: Arc::clone(&offer.name),
            bits_max: offer.bits_max,
            audio_only: offer.audio_only,
            ..Rung::default()
        };
        Self { rungs: offers.iter().map(rung).collect(), measured: MediaTime::ZERO }
    }

    /// Whether there is one picture that has no name.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.rungs.is_empty()
    }

    /// Returns how many of a segment's bytes are pictures and sound; subtitles stand after them.
    #[must_use]
    pub fn pictures(&self) -> usize {
        self.rungs.len().max(1)
    }

    /// Takes note that so much of a programme, and not of the card between two, was published.
    pub fn aired(&mut self, duration: MediaTime) {
        self.measured += duration;
    }

    /// Adds to a segment what is not made by ffmpeg: its sound without a picture, taken from the smallest.
    pub fn complete(&self, segment: &mut Segment) {
        if self.rungs.last().is_some_and(|last| last.audio_only)
            && let Some(smallest) = segment.renditions.last()
        {
            segment.renditions.push(cut::without_pictures(smallest));
        }
    }

    /// Takes note of the pictures of a segment that is about to be published; they change with the item only.
    pub fn meet(&mut self, segment: &Segment) {
        if !segment.first_of_airing && !segment.discontinuity {
            return;
        }
        for (rung, bytes) in self.rungs.iter_mut().zip(&segment.renditions) {
            let head = annexb::head(&bytes[..bytes.len().min(LOOK)], 1).ok();
            let met = head.and_then(|head| Sps::read(&head.pictures.first()?.sps));
            rung.picture = match (rung.picture, met) {
                (Some(known), Some(met)) => Some(larger(known, met)),
                (known, met) => known.or(met),
            };
        }
    }

    /// Measures the sets of segments that end with the newest, given newest first.
    pub fn measure<'s>(&mut self, newest_first: &(impl Iterator<Item = &'s SegmentBody> + Clone)) {
        for (n, rung) in self.rungs.iter_mut().enumerate() {
            let (mut bytes, mut length) = (0, MediaTime::ZERO);
            for body in newest_first.clone() {
                bytes += len(body, n);
                length += body.duration;
                if length > PEAK_SET_MAX {
                    break;
                }
                if length >= PEAK_SET_MIN {
                    rung.peak = rung.peak.max(bits_a_second(bytes, length));
                }
            }
        }
    }

    /// Returns what viewers are told of each rendition while these segments are listed.
    #[must_use]
    pub fn told(&self, listed: &VecDeque<Entry>) -> Arc<[RenditionTold]> {
        let length = listed.iter().map(|entry| entry.body.duration).sum();
        let expected = |rung: &Rung| if self.measured < REPRESENTATIVE { rung.bits_max } else { 0 };
        let told = self.rungs.iter().enumerate().map(|(n, rung)| {
            let average = bits_a_second(listed.iter().map(|entry| len(&entry.body, n)).sum(), length);
            let bandwidth = rung.peak.max(average).max(expected(rung));
            let Rung { picture, audio_only, .. } = *rung;
            RenditionTold { name: Arc::clone(&rung.name), picture, audio_only, bandwidth, average }
        });
        told.collect()
    }

    /// Returns the multivariant playlist; none without renditions or before anything was published.
    ///
    /// Source: RFC 8216 §4.3.4.2. Addresses are relative to its own: `720p/index.m3u8`.
    #[must_use]
    pub fn render(
        told: &[RenditionTold],
        subtitles: &[SubtitlesTold],
        listed: &VecDeque<Entry>,
    ) -> Option<PlaylistBody> {
        let (oldest, newest) = (listed.front()?.msn, listed.back()?.msn);
        if told.is_empty() {
            return None;
        }
        let text = multivariant(told, subtitles, "");
        // Everything in it changes with what is listed only, but for the languages: there are only ever more.
        let etag = playlist::etag(&[oldest.0, newest.0, (told.len() + subtitles.len()) as u64]);
        Some(PlaylistBody { text: Bytes::from(text), etag })
    }
}

/// Returns the text of a multivariant playlist whose media playlists lie in a folder beside it: `{folder}720p/index.m3u8`.
///
/// Source: RFC 8216 §4.3.4.
#[must_use]
pub fn multivariant(told: &[RenditionTold], subtitles: &[SubtitlesTold], folder: &str) -> String {
    let mut text = String::with_capacity(128 + told.len() * 192);
    text.push_str("#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    for one in subtitles {
        write_subtitles(&mut text, one, folder);
    }
    for RenditionTold { name, picture, audio_only, bandwidth, average } in told {
        // Writing into a String cannot fail.
        let _infallible = write!(text, "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth}");
        // Of what was never measured nothing is told.
        if *average > 0 {
            let _infallible = write!(text, ",AVERAGE-BANDWIDTH={average}");
        }
        if let Some(picture) = picture {
            let Sps { width, height, fps, .. } = picture;
            let codec = picture.codec_name();
            let _infallible = write!(text, ",CODECS=\"{codec},{SOUND_CODEC}\",RESOLUTION={width}x{height}");
            if let Some(fps) = fps {
                let _infallible = write!(text, ",FRAME-RATE={fps:.3}");
            }
        }
        if *audio_only {
            let _infallible = write!(text, ",CODECS=\"{SOUND_CODEC}\"");
        }
        if !subtitles.is_empty() {
            let _infallible = write!(text, ",SUBTITLES=\"{SUBTITLES_GROUP}\"");
        }
        let _infallible = write!(text, "\n{folder}{name}/index.m3u8\n");
    }
    text
}

/// Names a language's subtitles (RFC 8216 §4.3.4.1). A player turns them on when its viewer has said so.
fn write_subtitles(text: &mut String, SubtitlesTold { name, language }: &SubtitlesTold, folder: &str) {
    let called = language.name();
    let _infallible = write!(text, "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"{SUBTITLES_GROUP}\",NAME=\"{called}\"");
    if !language.is_not_told() {
        let _infallible = write!(text, ",LANGUAGE=\"{language}\"");
    }
    let _infallible = writeln!(text, ",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI=\"{folder}{name}/index.m3u8\"");
}

/// Joins what must hold for both: what decodes the larger profile and the higher level decodes the others. A profile's
/// constraints hold where they hold for both.
fn larger(a: Sps, b: Sps) -> Sps {
    let area = |sps: &Sps| u64::from(sps.width) * u64::from(sps.height);
    let most = if area(&b) > area(&a) { b } else { a };
    let ([a_profile, a_constraints, a_level], [b_profile, b_constraints, b_level]) = (a.codec, b.codec);
    let constraints = match a_profile.cmp(&b_profile) {
        Ordering::Less => b_constraints,
        Ordering::Equal => a_constraints & b_constraints,
        Ordering::Greater => a_constraints,
    };
    let codec = [a_profile.max(b_profile), constraints, a_level.max(b_level)];
    let fps = a.fps.into_iter().chain(b.fps).reduce(f64::max);
    Sps { codec, fps, ..most }
}

fn len(body: &SegmentBody, rendition: usize) -> u64 {
    body.renditions.get(rendition).map_or(0, |content| content.len() as u64)
}

/// Returns a bit rate, rounded up: a viewer's line must carry all of it.
#[must_use]
pub fn bits_a_second(bytes: u64, length: MediaTime) -> u64 {
    let ticks = u128::from(length.0.max(1).unsigned_abs());
    u64::try_from((u128::from(bytes) * 8 * 90_000).div_ceil(ticks)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::units::Msn;

    fn ladder(names: &[&str]) -> Ladder {
        let offer = |name: &&str| Offer { name: Arc::from(*name), bits_max: 7000, audio_only: *name == "audio" };
        Ladder::new(&names.iter().map(offer).collect::<Vec<_>>())
    }

    fn entry(msn: u64, millis: i64, lens: &[usize]) -> Entry {
        let renditions = lens.iter().map(|len| Bytes::from(vec![0; *len])).collect();
        let body = Arc::new(SegmentBody::in_memory(renditions, MediaTime::from_millis(millis), false));
        Entry { msn: Msn(msn), body, date: Timestamp::UNIX_EPOCH, date_range: None }
    }

    fn render(ladder: &Ladder, listed: &VecDeque<Entry>) -> Option<PlaylistBody> {
        Ladder::render(&ladder.told(listed), &[], listed)
    }

    /// Publishes entries one by one.
    fn published(ladder: &mut Ladder, entries: Vec<Entry>) -> VecDeque<Entry> {
        let mut listed = VecDeque::new();
        for entry in entries {
            listed.push_back(entry);
            ladder.measure(&listed.iter().rev().map(|entry: &Entry| &*entry.body));
        }
        listed
    }

    #[test]
    fn the_list_reads_as_the_specification_says() {
        let mut ladder = ladder(&["720p", "240p"]);
        let high = Sps { codec: [0x64, 0, 0x1f], width: 1280, height: 720, fps: Some(30_000.0 / 1001.0) };
        ladder.rungs[0].picture = Some(high);
        let entries = vec![entry(7, 2000, &[1000, 100]), entry(8, 2000, &[3000, 100]), entry(9, 2000, &[1000, 100])];
        let listed = published(&mut ladder, entries);
        let expected = "\
#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=8000,AVERAGE-BANDWIDTH=6667,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=29.970
720p/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=7000,AVERAGE-BANDWIDTH=400
240p/index.m3u8
";
        let list = render(&ladder, &listed).unwrap();
        assert_eq!(String::from_utf8_lossy(&list.text), expected, "of what is not yet known the ceiling is told");
        assert_eq!(&*list.etag, "\"7-9-2\"");
        ladder.aired(REPRESENTATIVE);
        let list = render(&ladder, &listed).unwrap();
        let measured = expected.replace("=7000,", "=400,");
        assert_eq!(String::from_utf8_lossy(&list.text), measured, "after an hour what was measured is");
    }

    #[test]
    fn sound_without_a_picture_is_told_as_that() {
        let mut ladder = ladder(&["720p", "audio"]);
        let mut segment = Segment {
            renditions: vec![Bytes::from(vec![0; 188])],
            duration: MediaTime::from_secs(2),
            airing: 1,
            first_of_airing: true,
            discontinuity: false,
            new_run: false,
        };
        ladder.complete(&mut segment);
        assert_eq!(segment.renditions.len(), 2, "one for each name");
        let listed = published(&mut ladder, vec![entry(1, 2000, &[1000, 100])]);
        let text = String::from_utf8(render(&ladder, &listed).unwrap().text.to_vec()).unwrap();
        assert!(text.ends_with("CODECS=\"mp4a.40.2\"\naudio/index.m3u8\n"), "{text}");
        assert_eq!(text.matches("CODECS").count(), 1, "{text}");
    }

    #[test]
    fn every_picture_has_the_subtitles_of_every_language() {
        let mut ladder = ladder(&["picture", "audio"]);
        let listed = published(&mut ladder, vec![entry(7, 2000, &[1000, 100, 10, 10])]);
        let told = ["en", "und"].map(|tag| SubtitlesTold::of(&crate::config::Language::read(tag).unwrap()));
        let list = Ladder::render(&ladder.told(&listed), &told, &listed).unwrap();
        let text = String::from_utf8(list.text.to_vec()).unwrap();
        let media: Vec<&str> = text.lines().filter(|line| line.starts_with("#EXT-X-MEDIA:")).collect();
        assert_eq!(
            media,
            [
                "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subs\",NAME=\"English\",LANGUAGE=\"en\",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI=\"subs-en/index.m3u8\"",
                "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subs\",NAME=\"Subtitles\",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI=\"subs-und/index.m3u8\"",
            ]
        );
        assert_eq!(text.matches(",SUBTITLES=\"subs\"\n").count(), 2, "{text}");
        assert_eq!(&*list.etag, "\"7-7-4\"");
    }

    #[test]
    fn there_is_no_list_of_one_picture_or_of_nothing() {
        assert!(render(&Ladder::default(), &[entry(1, 2000, &[10])].into()).is_none());
        assert!(render(&ladder(&["a"]), &VecDeque::new()).is_none());
    }

    #[test]
    fn what_was_told_of_a_card_holds_for_the_film_after_it() {
        let sps = |level, width, fps| Sps { codec: [0x64, 0, level], width, height: 100, fps };
        let joined = larger(sps(31, 300, Some(25.0)), sps(30, 400, Some(24.0)));
        assert_eq!(joined, sps(31, 400, Some(25.0)));
        let baseline = Sps { codec: [0x42, 0xc0, 0x28], ..sps(0, 300, None) };
        assert_eq!(larger(sps(31, 300, None), baseline).codec, [0x64, 0, 0x28], "of an original that is kept");
        assert_eq!(larger(baseline, Sps { codec: [0x42, 0x40, 0x1e], ..baseline }).codec, [0x42, 0x40, 0x28]);
        assert_eq!(larger(sps(30, 400, None), sps(31, 300, Some(24.0))), sps(31, 400, Some(24.0)));
    }

    proptest! {
        /// RFC 8216 §4.1: no set of three to nine seconds has a larger bit rate than the one told, and one has it.
        #[test]
        fn the_bandwidth_is_that_of_the_dearest_set(
            segments in prop::collection::vec((500_i64..6_490, 1_usize..100_000), 1..30),
        ) {
            let mut ladder = ladder(&["a"]);
            let entries = segments.iter().enumerate().map(|(n, (millis, len))| entry(n as u64, *millis, &[*len]));
            published(&mut ladder, entries.collect());
            let mut peak = 0;
            for from in 0..segments.len() {
                for to in from..segments.len() {
                    let set = &segments[from..=to];
                    let millis: i64 = set.iter().map(|(millis, _)| millis).sum();
                    if (3_000..=9_000).contains(&millis) {
                        let bytes: usize = set.iter().map(|(_, len)| len).sum();
                        peak = peak.max((bytes as u64 * 8000).div_ceil(millis.unsigned_abs()));
                    }
                }
            }
            prop_assert_eq!(ladder.rungs[0].peak, peak);
        }
    }
}
