//! What is kept and what goes as laws over random channels' lives, on disks of every size.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::hls::rewind::Of;
use crate::hls::{SEGMENT_MAX, WINDOW};

const START: i64 = 1_795_000_000;

/// What happens to a channel.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A segment of so many ticks and bytes, whether a discontinuity stands before it, published so late (ms).
    Segment(i64, u32, bool, i64),
    /// The station is started again so many seconds later; numbers jump, and the last seconds air once more.
    Restart(i64),
    /// So many segments were not kept: the disk took nothing.
    Missed(u64),
    /// The disk has no more: so many bytes are given up.
    Squeeze(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let segment = (90_000..=SEGMENT_MAX.0, 1..400_u32, prop::bool::weighted(0.2), 0..9_000_i64)
        .prop_map(|(ticks, bytes, discontinuity, late)| Step::Segment(ticks, bytes, discontinuity, late));
    let step = prop_oneof![
        40 => segment,
        1 => (0..400_i64).prop_map(Step::Restart),
        1 => (1..20_u64).prop_map(Step::Missed),
        1 => (1..4_000_u64).prop_map(Step::Squeeze),
    ];
    prop::collection::vec(step, 1..120)
}

/// A channel's life, and the disk beside it.
struct Life {
    ledger: Ledger,
    limits: Limits,
    now: Timestamp,
    next: u64,
    edge: Timestamp,
    /// What is on the disk, and since when it has left the playlist.
    disk: BTreeMap<Msn, u64>,
    left: BTreeMap<Msn, Timestamp>,
    /// Whether the last step had to give up what was promised.
    squeezed: bool,
}

impl Life {
    fn new(window: i64, space: u64) -> Self {
        let limits = Limits { window: MediaTime::from_secs(window), space };
        let now = Timestamp::from_second(START).unwrap();
        let (disk, left) = Default::default();
        Self { ledger: Ledger::new(limits), limits, now, next: 1000, edge: now, disk, left, squeezed: false }
    }

    fn step(&mut self, step: Step) {
        self.squeezed = false;
        match step {
            Step::Segment(ticks, len, discontinuity, late_ms) => {
                let duration = MediaTime(ticks);
                let body = SegmentBody::in_memory(vec![Bytes::from(vec![0; len as usize])], duration, discontinuity);
                let (msn, body) = (Msn(self.next), body.dated(self.edge));
                self.next += 1;
                self.edge = duration.after(self.edge);
                self.now = self.now.max(self.edge) + SignedDuration::from_millis(late_ms);
                let target = Snapshot {
                    newest: Some(msn),
                    oldest: Some(msn),
                    segments: [(msn, Arc::new(body.with(body.renditions.clone())))].into(),
                    ..Snapshot::default()
                };
                if self.ledger.missing(&target) != [msn] {
                    return;
                }
                let gone = self.ledger.room(u64::from(len), self.now);
                self.removed(&gone);
                self.disk.insert(msn, u64::from(len));
                let names = Arc::new(Names::of(&target));
                let _kept = self.ledger.keep(msn, &body, &names, [len].into(), self.now);
            }
            Step::Restart(secs) => {
                self.next += 64;
                self.now += SignedDuration::from_secs(secs);
                self.edge = self.now - SignedDuration::from_secs(20);
                let kept = self.ledger.listed().map(|kept| Kept::clone(kept)).collect();
                let listed: Vec<_> = self.ledger.listed().map(|kept| kept.msn).collect();
                let (ledger, gone) = Ledger::restored(self.limits, kept, self.now);
                self.ledger = ledger;
                // What had left is swept when a life begins.
                self.disk.retain(|msn, _| listed.contains(msn));
                self.left.clear();
                self.removed(&gone);
            }
            Step::Missed(count) => {
                self.next += count;
                self.edge += SignedDuration::from_secs(2 * i64::try_from(count).unwrap());
            }
            Step::Squeeze(bytes) => {
                let before = self.ledger.bytes();
                let gone = self.ledger.squeeze(bytes);
                let (freed, newest) = (before - self.ledger.bytes(), self.disk.values().next_back().unwrap_or(&0));
                assert!(freed >= bytes.min(before - newest), "as much as was asked for");
                self.squeezed = true;
                self.removed(&gone);
            }
        }
        let listed: Vec<_> = self.ledger.listed().map(|kept| kept.msn).collect();
        for msn in self.disk.keys().filter(|msn| !listed.contains(msn)) {
            self.left.entry(*msn).or_insert(self.now);
        }
    }

    fn removed(&mut self, gone: &[Msn]) {
        for msn in gone {
            assert_eq!(self.disk.keys().next(), Some(msn), "the oldest goes first");
            self.disk.remove(msn);
            if let Some(since) = self.left.remove(msn) {
                let full = self.ledger.bytes() + 400 > self.limits.space / 2;
                let stayed = self.now.duration_since(since) >= GRACE;
                assert!(stayed || self.squeezed || full, "{msn} left at {since} and was removed at {}", self.now);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is on the disk is what the ledger says, it never exceeds the budget, and it is no longer than wanted.
    #[test]
    fn the_budget_is_never_exceeded_and_the_oldest_goes_first(
        steps in steps(), window in 30..600_i64, space in 1_000..60_000_u64,
    ) {
        let mut life = Life::new(window, space);
        for step in steps {
            life.step(step);
            let ledger = &life.ledger;
            prop_assert_eq!(life.disk.values().sum::<u64>(), ledger.bytes());
            prop_assert!(ledger.bytes() <= space, "{} of {space}", ledger.bytes());
            let told = ledger.window(Path::new("/"));
            prop_assert_eq!((told.bytes(), told.listed().len()), (ledger.bytes(), ledger.listed().len()));
            prop_assert!(told.length() < life.limits.window + SEGMENT_MAX);
            for kept in ledger.listed() {
                prop_assert!(life.disk.contains_key(&kept.msn), "{} is listed and gone", kept.msn);
                prop_assert!(told.find(kept.msn).is_some());
            }
            for msn in life.disk.keys() {
                prop_assert!(told.find(*msn).is_some(), "{msn} is there and cannot be found");
            }
        }
    }

    /// RFC 8216 §6.2.1, §6.2.2: from one playlist to the next segments leave at the front and join at the end; numbers,
    /// addresses, dates and discontinuities are what they were, over restarts, too; none lists less than three target
    /// durations.
    #[test]
    fn each_playlist_follows_from_the_one_before(steps in steps(), window in 30..600_i64, space in 4_000..60_000_u64) {
        let mut life = Life::new(window, space);
        let mut known = BTreeMap::new();
        let mut first = 0;
        for step in steps {
            life.step(step);
            let told = life.ledger.window(Path::new("/"));
            let Some(text) = told.text(Of::Pictures, false) else { continue };
            let text = m3u8_rs::parse_media_playlist_res(&text.plain.text).expect("it parses");
            prop_assert!(!text.end_list && text.media_sequence >= first);
            first = text.media_sequence;
            let length: f32 = text.segments.iter().map(|segment| segment.duration).sum();
            prop_assert!(f64::from(length) >= WINDOW.as_secs_f64() - 0.01, "{length}");
            let mut discontinuities = text.discontinuity_sequence;
            for (number, segment) in (text.media_sequence..).zip(&text.segments) {
                discontinuities += u64::from(segment.discontinuity);
                let one = (segment.uri.clone(), segment.program_date_time, segment.discontinuity, discontinuities);
                let before = known.entry(number).or_insert_with(|| one.clone());
                prop_assert_eq!(&*before, &one, "number {}", number);
            }
            let joins = text.segments.windows(2).all(|pair| {
                let [Some(a), Some(b)] = [&pair[0], &pair[1]].map(|one| one.program_date_time) else { return false };
                let apart = f64::from(i32::try_from((b - a).num_milliseconds()).unwrap_or(i32::MAX));
                let off = apart - f64::from(pair[0].duration) * 1000.0;
                pair[1].discontinuity || off.abs() <= 2.0
            });
            prop_assert!(joins, "a hole without a discontinuity");
        }
    }

    /// RFC 8216bis §6.2.5.1: what a player has that looked a moment ago, and what it is told then, make the whole.
    #[test]
    fn what_is_skipped_is_what_the_player_has(lengths in prop::collection::vec(90_000..=SEGMENT_MAX.0, 30..80)) {
        let mut life = Life::new(120, 1 << 20);
        let mut before: Vec<String> = Vec::new();
        for ticks in lengths {
            life.step(Step::Segment(ticks, 1, false, 0));
            let told = life.ledger.window(Path::new("/"));
            let (Some(whole), Some(part)) = (told.text(Of::Pictures, false), told.text(Of::Pictures, true)) else {
                continue;
            };
            let lines = |text: &Bytes| -> Vec<String> {
                let text = String::from_utf8_lossy(text).into_owned();
                text.split("#EXT-X-PROGRAM-DATE-TIME").skip(1).map(str::to_owned).collect()
            };
            let (whole, part_lines) = (lines(&whole.plain.text), lines(&part.plain.text));
            let skipped = whole.len() - part_lines.len();
            let told = format!("#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}\n");
            prop_assert_eq!(skipped > 0, String::from_utf8_lossy(&part.plain.text).contains(&told));
            prop_assert_eq!(&whole[skipped..], &part_lines[..]);
            prop_assert!(whole[..skipped].iter().all(|one| before.contains(one)));
            before = whole;
        }
    }
}

#[test]
fn a_station_that_airs_the_last_seconds_again_is_kept_from_where_it_was() {
    let mut life = Life::new(600, 1 << 20);
    (0..20).for_each(|_| life.step(Step::Segment(180_000, 10, false, 0)));
    let (before, end) = (life.ledger.listed().len(), life.edge);
    life.step(Step::Restart(4));
    (0..20).for_each(|_| life.step(Step::Segment(180_000, 10, false, 0)));
    let dates: Vec<_> = life.ledger.listed().map(|kept| kept.date).collect();
    assert_eq!(dates.len(), before + 20 - 8, "16 s of 40 came again");
    assert!(dates[before] >= end && dates.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(life.ledger.listed().nth(before).is_some_and(|kept| kept.discontinuity));
}

#[test]
fn other_renditions_begin_a_past_of_their_own() {
    let mut life = Life::new(600, 1 << 20);
    (0..20).for_each(|_| life.step(Step::Segment(180_000, 10, false, 0)));
    let body = SegmentBody::in_memory(vec![Bytes::new()], MediaTime::from_secs(2), false).dated(life.edge);
    let names = Arc::new(Names { pictures: vec!["720p".into()], subtitles: Vec::new() });
    let _kept = life.ledger.keep(Msn(life.next), &body, &names, [10].into(), life.now);
    let told = life.ledger.window(Path::new("/"));
    assert_eq!((told.listed().len(), told.is_open(), told.pictures().len()), (1, false, 1));
    assert!(told.find(Msn(1000)).is_some_and(|kept| kept.picture(None).is_some()), "for those who still ask");
}
