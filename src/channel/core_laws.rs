//! A whole channel in a world of its own: a copier, a workshop, a clock that jumps from deadline to deadline.

use std::collections::VecDeque;

use bytes::Bytes;
use proptest::prelude::*;

use super::super::director::tests::{catalogue, mezzanine, profile};
use super::*;
use crate::config::Order;
use crate::feed::FedGop;
use crate::on_air::Cause;
use crate::schedule::Plan;
use crate::units::{ContentKey, Msn, RunId};

const START: i64 = 1_795_000_000;

struct World {
    core: Core,
    now: Timestamp,
    run: Option<RunId>,
    inside: VecDeque<(u64, FedGop)>,
    chunks: u64,
    /// Which items can air: those with names below this.
    ready_below: &'static str,
    begun: Vec<(String, Timestamp)>,
}

impl World {
    fn new(names: &[&str]) -> Self {
        Self::at_speed(names, 1.0)
    }

    fn at_speed(names: &[&str], speed: f64) -> Self {
        let now = Timestamp::from_second(START).expect("in range");
        let mut director = Director::new(Order::Sequential, profile(), Plan::new(1), speed);
        director.library_changed(catalogue(names), now);
        let mut core = Core::new(director, Air::new(Msn(1), 0, now - BACKLOG * 2, now, speed));
        core.slate(mezzanine(&ContentKey("slate".into()), 2, true));
        Self { core, now, run: None, inside: VecDeque::new(), chunks: 0, ready_below: "~", begun: Vec::new() }
    }

    fn step(&mut self) {
        let below = self.ready_below;
        let workshop = |key: &ContentKey| {
            if &*key.0 < below { Prepared::Ready(mezzanine(key, 5, true)) } else { Prepared::Waiting }
        };
        for action in self.core.step(self.now, &workshop) {
            match action {
                Action::Air(AirAction::Start(run)) => {
                    self.run = Some(run);
                    self.chunks = 0;
                }
                Action::Air(AirAction::GiveUp(..)) => self.inside.clear(),
                Action::Air(AirAction::Feed { gop, .. }) => {
                    self.inside.push_back((self.chunks, gop));
                    self.chunks += 1;
                }
                Action::Air(AirAction::Begun(airing, date)) => {
                    let title = airing.programme.as_ref().map_or("slate", |programme| &programme.metadata.title);
                    self.begun.push((title.to_owned(), date));
                }
                _ => {}
            }
        }
        while self.inside.len() > 1 {
            let (number, gop) = self.inside.pop_front().expect("there is one");
            let (run, duration) = (self.run.expect("it was fed to a run"), gop.duration());
            let renditions = vec![vec![Bytes::from_static(b"x")]];
            self.core.run_event(RunEvent::Chunk { run, number, renditions, duration, last: false }, self.now);
        }
    }

    fn live(&mut self, secs: i64) {
        let end = self.now + SignedDuration::from_secs(secs);
        for _ in 0..200_000 {
            self.step();
            let deadline = self.core.deadline(self.now).max(self.now + SignedDuration::from_millis(1));
            if deadline > end {
                self.now = end;
                return;
            }
            self.now = deadline;
        }
        panic!("the channel never rests");
    }

    fn kill(&mut self) {
        self.inside.clear();
        if let Some(run) = self.run {
            let reason = "signal 9".to_owned();
            self.core.run_event(RunEvent::Ended { run, evidence: None, cause: Cause::Killed, reason }, self.now);
        }
    }

    fn titles(&self) -> Vec<&str> {
        self.begun.iter().map(|(title, _)| title.as_str()).collect()
    }
}

#[test]
fn a_channel_begins_at_once_with_a_full_window() {
    let mut world = World::new(&["a", "b", "c"]);
    world.live(1);
    let listed = world.core.air().snapshot().segments.len();
    assert!(listed >= 9, "{listed}");
    assert_eq!(world.core.state(), ChannelState::OnAir);
}

#[test]
fn items_follow_each_other_without_a_gap() {
    let mut world = World::new(&["a", "b", "c"]);
    world.live(100);
    let starts: Vec<_> = world.begun.iter().map(|(_, date)| *date).collect();
    let steps: Vec<_> = starts.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs()).collect();
    assert!(steps.len() >= 9 && steps.iter().all(|step| *step == 10), "{steps:?}");
    assert_eq!(&world.titles()[..4], ["a", "b", "c", "a"]);
}

#[test]
fn the_slate_goes_within_two_segments_once_there_is_something_to_play() {
    let mut world = World::new(&["a"]);
    world.ready_below = "";
    world.live(30);
    assert_eq!(world.core.state(), ChannelState::Slate);
    let before = world.core.air().snapshot().newest.expect("the slate is on air");
    world.ready_below = "~";
    world.live(6);
    let (title, date) = world.begun.last().expect("something began").clone();
    assert_eq!(title, "a");
    // Segments published between the moment there was something and its first frame.
    let slates = date.duration_since(world.now - SignedDuration::from_secs(6)).as_secs_f64() / 2.0;
    assert!(slates <= 2.0, "{slates} segments of slate after {before}");
}

#[test]
fn to_viewers_the_looping_slate_is_one_thing() {
    let mut world = World::new(&["a"]);
    world.ready_below = "";
    world.live(60);
    assert_eq!(world.core.aired().len(), 1);
}

#[test]
fn next_never_names_what_is_on_at_the_edge() {
    let mut world = World::new(&["a", "b", "c"]);
    for _ in 0..60 {
        world.live(1);
        let (aired, next) = (world.core.aired(), world.core.what_comes());
        let on = aired.last().expect("on air").serial;
        assert!(next.iter().all(|coming| coming.serial != on));
        let end = MediaTime::after(aired.last().expect("on air").duration, aired.last().expect("on air").start);
        assert!(next[0].start.duration_since(end).abs() < SignedDuration::from_millis(50), "next joins what is on");
    }
}

/// Goal: a plan of a day costs nothing to tell while it stays as it is. Method: a channel that lives on within an item and
/// then goes on to the next; the slice that is told is the same one, and another.
#[test]
fn what_comes_is_told_by_the_same_slice_until_the_plan_changes() {
    let mut world = World::new(&["a", "b", "c"]);
    world.live(1);
    let begun = world.begun.len();
    let (first, again) = (world.core.what_comes(), world.core.what_comes());
    assert!(Arc::ptr_eq(&first, &again) && first.len() > 1000, "{}", first.len());
    world.live(10);
    assert!(world.begun.len() > begun);
    let later = world.core.what_comes();
    assert!(!Arc::ptr_eq(&first, &later) && later[0].serial > first[0].serial);
}

/// Many short items, or a fast clock: several are fed before the first of them is at the edge.
#[test]
fn items_that_were_fed_and_wait_for_their_time_are_told_and_kept() {
    let mut world = World::at_speed(&["a", "b", "c"], 100.0);
    world.live(120);
    let (aired, next) = (world.core.aired(), world.core.what_comes());
    let on = aired.last().expect("on air").serial.expect("an item");
    let fed = world.core.plan().plan().programmes()[0].serial;
    assert!(fed > on + 1, "{fed} is being fed while {on} is on");
    let serials: Vec<u64> = next.iter().filter_map(|coming| coming.serial).collect();
    assert_eq!(serials, (on + 1..).take(serials.len()).collect::<Vec<_>>());
    let kept: Vec<u64> = world.core.just_aired().iter().map(|programme| programme.serial).collect();
    assert!(kept.contains(&on) && kept.ends_with(&[fed - 1]), "{kept:?}");
}

#[test]
fn an_hour_asleep_is_given_up_and_the_plan_goes_on_by_the_clock() {
    let mut world = World::new(&["a", "b", "c"]);
    world.live(60);
    world.now += SignedDuration::from_secs(3605);
    world.live(20);
    let late = world.now.duration_since(world.core.air().edge());
    assert!(late < SignedDuration::from_secs(4), "{late:?}");
    assert_eq!(world.core.state(), ChannelState::OnAir);
}

#[test]
fn a_new_run_is_given_enough_to_close_its_first_chunk_at_once_wherever_it_begins() {
    let mut world = World::new(&["a", "b", "c"]);
    world.live(30);
    for millis in (0..20_000).step_by(370) {
        world.now += SignedDuration::from_millis(370);
        world.step();
        world.kill();
        world.step();
        assert!(world.chunks >= 3, "after {millis} ms: {} GOPs", world.chunks);
    }
}

/// Goal: a skipped item ends at a GOP within the lead, what follows is whole, and a second word changes nothing. Method:
/// skip at every part of an item's ten seconds, twice in a row.
#[test]
fn a_skipped_item_ends_at_the_next_gop_that_was_not_fed() {
    for millis in (0..10_000).step_by(730) {
        let mut world = World::new(&["a", "b", "c"]);
        world.live(40);
        world.now += SignedDuration::from_millis(millis);
        world.step();
        let begun = world.begun.len();
        let (on, since) = world.begun[begun - 1].clone();
        let skipped = world.core.skip().expect("an item is on air");
        assert_eq!(skipped.title, on);
        world.live(1);
        let again = world.core.skip().expect("an item is on air");
        world.live(20);
        let ends = world.begun[begun].1;
        let length = ends.duration_since(since);
        assert!(length.as_millis() % 2000 == 0 && length <= SignedDuration::from_secs(10), "{length:?}");
        let lead = ends.duration_since(skipped.ends).abs();
        assert!(lead < SignedDuration::from_millis(10), "told {}, was {ends}", skipped.ends);
        assert!(ends.duration_since(world.now - SignedDuration::from_secs(21)) <= SignedDuration::from_secs(6));
        let after = world.begun[begun + 1].1.duration_since(ends);
        assert!(
            again.serial > skipped.serial || after == SignedDuration::from_secs(10),
            "the next is whole: {after:?}"
        );
    }
}

#[test]
fn the_slate_cannot_be_skipped() {
    let mut world = World::new(&["a"]);
    world.ready_below = "";
    world.live(30);
    assert_eq!(world.core.skip(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is killed and whatever is ready when: the channel is on air and in step a little later.
    #[test]
    fn never_dark(events in prop::collection::vec((0..6_u8, 0..30_i64), 1..25)) {
        let mut world = World::new(&["a", "b", "c"]);
        for (event, secs) in events {
            match event {
                0 => world.kill(),
                1 => world.ready_below = "",
                2 => world.ready_below = "b",
                5 => drop(world.core.skip()),
                3 => world.core.director().library_changed(catalogue(&["b", "d"]), world.now),
                _ => {
                    world.ready_below = "~";
                    world.core.director().library_changed(catalogue(&["a", "b", "c"]), world.now);
                }
            }
            world.live(secs);
        }
        world.live(30);
        let late = world.now.duration_since(world.core.air().edge());
        prop_assert!(late < SignedDuration::from_secs(4), "{:?}", late);
    }
}
