//! A player that follows X-TIMESTAMP-MAP shows each cue when the picture is there, over seams, new runs and the wrap.

use proptest::prelude::*;

use super::pes::tests::frame;
use super::*;

fn language(tag: &str) -> Language {
    Language::read(tag).unwrap()
}

fn captions(cues: &[(i64, i64)]) -> Arc<Captions> {
    let cue = |(n, (start, end)): (usize, &(i64, i64))| Cue {
        start: MediaTime::from_millis(*start),
        end: MediaTime::from_millis(*end),
        text: format!("cue {n}"),
    };
    let mut captions = Captions::default();
    captions.add(language("en"), Track::new(cues.iter().enumerate().map(cue).collect()));
    Arc::new(captions)
}

fn segment(airing: u64, timestamp: u64, millis: i64, new_run: bool) -> Segment {
    Segment {
        renditions: vec![Bytes::copy_from_slice(&frame(timestamp & WRAP_MASK))],
        duration: MediaTime::from_millis(millis),
        airing,
        first_of_airing: false,
        discontinuity: new_run,
        new_run,
    }
}

/// Returns what a `WebVTT` segment says: which timestamp is which local time, and the cues in milliseconds of that.
fn read(text: &[u8]) -> (Option<u64>, Vec<(i64, i64, String)>) {
    let text = std::str::from_utf8(text).unwrap();
    let mut blocks = text.split("\n\n");
    let head = blocks.next().unwrap();
    assert!(head.starts_with("WEBVTT"), "{text}");
    let timestamp = head.lines().find_map(|line| {
        line.strip_prefix("X-TIMESTAMP-MAP=MPEGTS:")?.strip_suffix(",LOCAL:00:00:00.000")?.parse().ok()
    });
    let millis = |time: &str| {
        let parts: Vec<i64> = time.split([':', '.']).map(|part| part.parse().unwrap()).collect();
        ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1000 + parts[3]
    };
    let cues = blocks.filter(|block| !block.is_empty()).map(|block| {
        let (times, said) = block.split_once('\n').unwrap();
        let (start, end) = times.split_once(" --> ").unwrap();
        (millis(start), millis(end), said.to_owned())
    });
    (timestamp, cues.collect())
}

#[test]
fn a_segment_says_what_is_shown_in_it() {
    let mut subtitler = Subtitler::default();
    subtitler.offer(&[language("en"), language("de")]);
    subtitler.hold(1, captions(&[(500, 2_500), (1_900, 9_000), (4_000, 5_000)]), Some(MediaTime::from_millis(4_500)));
    let mut first = segment(1, 900_000, 2_000, true);
    subtitler.complete(&mut first, MediaTime::ZERO);
    let said = |n: usize, segment: &Segment| String::from_utf8(segment.renditions[n].to_vec()).unwrap();
    let head = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n";
    let (one, two) = ("00:00:00.500 --> 00:00:02.500\ncue 0\n\n", "00:00:01.900 --> 00:00:04.500\ncue 1\n\n");
    assert_eq!(said(1, &first), format!("{head}{one}{two}"));
    assert_eq!(said(2, &first), head, "a language that the item has not");
    let mut second = segment(1, 900_000 + 180_000, 2_500, false);
    subtitler.complete(&mut second, MediaTime::ZERO);
    let last = "00:00:04.000 --> 00:00:04.500\ncue 2\n\n";
    assert_eq!(
        said(1, &second),
        format!("{head}{one}{two}{last}"),
        "what stands across a boundary is said again alike"
    );
    let mut slate = segment(2, 900_000 + 405_000, 2_000, false);
    subtitler.complete(&mut slate, MediaTime::ZERO);
    assert_eq!(said(1, &slate), head.replace("900000", "1305000"), "nothing of it is left after the seam");
}

#[test]
fn what_has_no_picture_to_follow_says_nothing() {
    let mut subtitler = Subtitler::default();
    subtitler.offer(&[language("en")]);
    subtitler.hold(1, captions(&[(0, 9_000)]), None);
    let mut strange = Segment { renditions: vec![Bytes::from_static(b"x")], ..segment(1, 0, 2_000, true) };
    subtitler.complete(&mut strange, MediaTime::ZERO);
    assert_eq!(strange.renditions[1], EMPTY);
}

#[test]
fn no_more_languages_come_than_a_player_lists() {
    let mut subtitler = Subtitler::default();
    subtitler.offer(&[language("en")]);
    let many: Vec<_> = ('a'..='z').map(|c| language(&format!("x{c}"))).collect();
    assert_eq!(subtitler.offer_more(&many), LANGUAGES_MAX - 1);
    assert_eq!(subtitler.offer_more(&[language("en"), language("zz")]), 0);
}

proptest! {
    /// Method: airings of random lengths, joined anywhere, carried by runs that begin with any timestamp; a player that puts
    /// each cue where the map says compares it with the item's own time at each picture.
    #[test]
    fn each_cue_is_shown_when_its_picture_is(
        airings in prop::collection::vec(
            (0_i64..20_000, prop::collection::vec((500_i64..6_000, prop::bool::weighted(0.2)), 1..8)), 1..5,
        ),
        first in prop_oneof![Just(WRAP_MASK - 300_000), 0..WRAP_MASK],
        cues in prop::collection::vec((0_i64..60_000, 1_i64..9_000), 0..20),
    ) {
        let all: Vec<(i64, i64)> = cues.iter().map(|(start, length)| (*start, start + length)).collect();
        let mut subtitler = Subtitler::default();
        subtitler.offer(&[language("en")]);
        let mut clock = first;
        for (airing, (from, segments)) in (1..).zip(&airings) {
            let length: i64 = segments.iter().map(|(millis, _)| millis).sum();
            let end = MediaTime::from_millis(from + length);
            subtitler.hold(airing, captions(&all), Some(end));
            let mut position = *from;
            for (millis, new_run) in segments {
                if *new_run {
                    clock = clock.wrapping_mul(7).wrapping_add(1) & WRAP_MASK;
                }
                let mut segment = segment(airing, clock, *millis, *new_run || clock == first);
                subtitler.complete(&mut segment, MediaTime::from_millis(*from));
                let (map, shown) = read(&segment.renditions[1]);
                let map = map.expect("a map");
                // Where the player stands at the segment's first frame, on the segment's own local time.
                let local = i64::try_from(clock.wrapping_sub(map) & WRAP_MASK).unwrap() / 90;
                let expected = all.iter().filter(|(start, goes)| {
                    *start < position + millis && *goes > position && *start < from + length
                });
                prop_assert_eq!(shown.len(), {
                    let track = captions(&all);
                    let found = track.track(&language("en")).map_or(0, |track| track
                        .between(MediaTime::from_millis(position), MediaTime::from_millis(position + millis)).count());
                    prop_assert!(found <= expected.count());
                    found
                });
                for (start, goes, said) in shown {
                    // As times in the item.
                    let (start, goes) = (start - local + position, goes - local + position);
                    let own = all.iter().enumerate().filter(|(n, _)| said == format!("cue {n}"));
                    for (_, (comes, ends)) in own {
                        prop_assert!(start == *comes || (*comes < start && start <= position), "{start} for {comes}");
                        prop_assert_eq!(goes, (*ends).min(from + length));
                    }
                    prop_assert!(goes <= from + length, "beyond the seam");
                }
                position += millis;
                clock = (clock + u64::try_from(millis * 90).unwrap()) & WRAP_MASK;
            }
        }
    }
}
