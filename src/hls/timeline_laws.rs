//! RFC 8216's rules for a live playlist as laws over random channels' lives.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use m3u8_rs::MediaPlaylist;
use proptest::prelude::*;

use super::*;
use crate::hls::{SEGMENT_MAX, Segment};

const START: i64 = 1_795_000_000;

/// One segment of a random life: its length in ticks, whether it is discontinuous, how late it is published (ms).
type Step = (i64, bool, i64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((3_600..=SEGMENT_MAX.0, prop::bool::weighted(0.2), 0..20_000_i64), 1..60)
}

/// Plays a life and returns each playlist as m3u8-rs reads it, with the moment and the snapshot it came from.
fn live(steps: &[Step]) -> Vec<(MediaPlaylist, Timestamp, Snapshot)> {
    let start = Timestamp::from_second(START).unwrap();
    let mut timeline = Timeline::new(Msn(1000), 7, start);
    let mut now = start;
    steps
        .iter()
        .enumerate()
        .map(|(n, &(ticks, discontinuity, late_ms))| {
            let duration = MediaTime(ticks);
            now = now.max(duration.after(timeline.edge())) + SignedDuration::from_millis(late_ms);
            let bytes = Bytes::from(n.to_string());
            let renditions = vec![bytes];
            let segment =
                Segment { renditions, duration, airing: 1, first_of_airing: false, discontinuity, new_run: false };
            timeline.publish(segment, None, now);
            let snapshot = timeline.snapshot();
            let text = snapshot.playlist.clone().expect("something was published").text;
            (m3u8_rs::parse_media_playlist_res(&text).expect("it parses"), now, snapshot)
        })
        .collect()
}

/// The playlist's segments by number: address, discontinuity.
fn numbered(playlist: &MediaPlaylist) -> BTreeMap<u64, (String, bool)> {
    let segments = playlist.segments.iter().map(|segment| (segment.uri.clone(), segment.discontinuity));
    (playlist.media_sequence..).zip(segments).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// RFC 8216 §6.2.1: the target duration never changes. §4.3.3.1: no rounded EXTINF exceeds it.
    #[test]
    fn the_target_duration_is_constant_and_never_exceeded(steps in steps()) {
        for (playlist, _, _) in live(&steps) {
            prop_assert_eq!(playlist.target_duration, 6);
            for segment in &playlist.segments {
                prop_assert!(segment.duration.round() <= 6.0, "{}", segment.duration);
            }
        }
    }

    /// RFC 8216 §6.2.2: the media sequence rises by exactly the number of segments removed; §3: a number names one
    /// segment for ever.
    #[test]
    fn a_segment_keeps_its_number_for_ever(steps in steps()) {
        let mut known = BTreeMap::new();
        let mut last: Option<MediaPlaylist> = None;
        for (playlist, _, _) in live(&steps) {
            for (msn, segment) in numbered(&playlist) {
                let before = known.entry(msn).or_insert_with(|| segment.clone());
                prop_assert_eq!(&*before, &segment);
            }
            if let Some(last) = last {
                let kept = last.segments.iter().filter(|old| playlist.segments.iter().any(|new| new.uri == old.uri));
                let removed = (last.segments.len() - kept.count()) as u64;
                prop_assert_eq!(playlist.media_sequence, last.media_sequence + removed);
            }
            last = Some(playlist);
        }
    }

    /// RFC 8216 §6.2.2: the discontinuity sequence rises by one exactly when a segment that carries the tag leaves.
    #[test]
    fn discontinuities_are_counted_when_their_segment_leaves(steps in steps()) {
        for (playlist, _, _) in live(&steps) {
            let left = usize::try_from(playlist.media_sequence - 1000).unwrap();
            let gone = steps[..left].iter().filter(|step| step.1).count() as u64;
            prop_assert_eq!(playlist.discontinuity_sequence, 7 + gone);
        }
    }

    /// RFC 8216 §6.2.2: no removal leaves less than three target durations; and the window does not grow without need.
    #[test]
    fn the_window_holds_three_target_durations_and_little_more(steps in steps()) {
        for (playlist, _, _) in live(&steps) {
            let total: f32 = playlist.segments.iter().map(|segment| segment.duration).sum();
            let removed = playlist.media_sequence > 1000;
            prop_assert!(!removed || total >= 17.999, "{total}");
            prop_assert!(total <= 18.0 + 6.5, "{total}");
        }
    }

    /// RFC 8216 §6.2.2: a removed segment stays for its own length and that of the longest playlist that listed it.
    #[test]
    fn an_expired_segment_is_served_as_long_as_promised(steps in steps()) {
        let life = live(&steps);
        let longest = |upto: usize| life[..=upto].iter().map(|(playlist, _, _)| playlist.segments.iter().map(|s| f64::from(s.duration)).sum::<f64>()).fold(0.0, f64::max);
        for (n, step) in steps.iter().enumerate() {
            let msn = 1000 + n as u64;
            let Some(left) = life.iter().position(|(playlist, _, _)| playlist.media_sequence > msn) else { break };
            let promised = MediaTime(step.0).as_secs_f64() + longest(left) - 0.01;
            for (_, now, snapshot) in &life[left..] {
                let since = now.duration_since(life[left].1).as_secs_f64();
                let served = snapshot.segments.contains_key(&Msn(msn));
                prop_assert!(served || since >= promised, "{msn} gone after {since} s of {promised} s");
            }
        }
    }

    /// RFC 8216 §4.3.2.6: every segment has a date, dates go on by EXTINF, and none lies in the future.
    #[test]
    fn dates_are_contiguous_and_never_in_the_future(steps in steps()) {
        for (playlist, now, _) in live(&steps) {
            let dates: Vec<_> = playlist.segments.iter().map(|s| s.program_date_time.expect("a date").timestamp_millis()).collect();
            for (pair, segment) in dates.windows(2).zip(&playlist.segments) {
                let length = f64::from(segment.duration) * 1000.0;
                let step = f64::from(i32::try_from(pair[1] - pair[0]).unwrap());
                prop_assert!((step - length).abs() <= 1.5, "{step} ms for {length} ms");
            }
            prop_assert!(dates.iter().all(|date| *date <= now.as_millisecond()));
        }
    }

    /// RFC 8216 §6.2.1: what was published does not change; a jump of the clock moves only what is still to come.
    #[test]
    fn jumps_of_the_clock_move_no_date_back_and_none_that_was_told(
        jumps in prop::collection::vec((-100_000..100_000_i64, 3_600..=SEGMENT_MAX.0), 1..40),
    ) {
        let mut timeline = Timeline::new(Msn(1000), 0, Timestamp::from_second(START).unwrap());
        let mut told = BTreeMap::new();
        for (jump_ms, ticks) in jumps {
            let before = timeline.edge();
            timeline.jump_to(before + SignedDuration::from_millis(jump_ms));
            prop_assert!(timeline.edge() >= before);
            let (bytes, duration) = (Bytes::from_static(b"x"), MediaTime(ticks));
            let (discontinuity, new_run) = (true, false);
            let renditions = vec![bytes];
            let segment = Segment { renditions, duration, airing: 1, first_of_airing: false, discontinuity, new_run };
            timeline.publish(segment, None, duration.after(timeline.edge()));
            let text = timeline.snapshot().playlist.expect("something was published").text;
            let playlist = m3u8_rs::parse_media_playlist_res(&text).expect("it parses");
            let mut last = None;
            for (msn, segment) in (playlist.media_sequence..).zip(&playlist.segments) {
                let date = segment.program_date_time;
                prop_assert_eq!(*told.entry(msn).or_insert(date), date);
                prop_assert!(date > last);
                last = date;
            }
        }
    }

    /// RFC 8216 §4.3.3.4: a live playlist has no end.
    #[test]
    fn nothing_writes_an_end(steps in steps()) {
        for (playlist, _, _) in live(&steps) {
            prop_assert!(!playlist.end_list);
        }
    }
}

#[test]
fn segments_cool_when_six_seconds_are_newer() {
    let start = Timestamp::from_second(START).unwrap();
    let mut timeline = Timeline::new(Msn(1), 0, start);
    for n in 1..=8_i64 {
        let bytes = Bytes::from(n.to_string());
        let duration = MediaTime::from_secs(2);
        let (discontinuity, new_run) = (false, false);
        let renditions = vec![bytes];
        let segment = Segment { renditions, duration, airing: 1, first_of_airing: false, discontinuity, new_run };
        timeline.publish(segment, None, duration.after(timeline.edge()));
    }
    let cooled: Vec<u64> = timeline.cooled().iter().map(|(place, _)| place.msn.0).collect();
    assert_eq!(cooled, [1, 2, 3, 4, 5], "of eight, the newest three are hot");
}

#[test]
fn a_jump_moves_dates_forward_only() {
    let start = Timestamp::from_second(START).unwrap();
    let mut timeline = Timeline::new(Msn(1), 0, start);
    timeline.jump_to(start - SignedDuration::from_hours(1));
    assert_eq!(timeline.edge(), start);
    timeline.jump_to(start + SignedDuration::from_hours(1));
    assert_eq!(timeline.edge(), start + SignedDuration::from_hours(1));
}
