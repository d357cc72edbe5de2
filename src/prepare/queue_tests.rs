//! Who is prepared next, and how often one that fails is tried.

use proptest::prelude::*;

use super::*;
use crate::config::{PrepareMode, Preset, Style};
use crate::library::sample;
use crate::units::MediaTime;

pub(in crate::prepare) fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(secs).unwrap()
}

pub(crate) fn want(name: &str, due: i64) -> Want {
    let item = sample::item(name, sample::media(sample::video(2, 2), MediaTime::ZERO));
    let profile = Profile {
        width: 2,
        height: 2,
        fps: None,
        quality: 20,
        preset: Preset::Ultrafast,
        video_kbps_max: 1,
        style: Style::default(),
        audio_kbps: 1,
        loudness_lufs: None,
        prepare: PrepareMode::Auto,
        renditions: Vec::new(),
        burn: crate::config::Burn::default(),
    };
    Want { item: Arc::new(item), profile: Arc::new(profile), due: at(due) }
}

pub(in crate::prepare) fn channel(name: &str) -> ChannelId {
    ChannelId::new(name).unwrap()
}

/// Begins everything there is a worker for at `now` and returns the names in order.
fn begin(queue: &mut Queue, workers: usize, now: i64) -> String {
    let mut names = Vec::new();
    while let Some(next) = queue.next(|_| false, workers, at(now)) {
        queue.started(&next.id);
        names.push(format!("{}{}", next.id.key, if next.urgent { "!" } else { "" }));
    }
    names.join(" ")
}

fn id(name: &str) -> MezzanineId {
    let want = want(name, 0);
    MezzanineId::of(&want.item, &want.profile)
}

#[test]
fn the_soonest_due_of_all_channels_comes_first_and_each_item_once() {
    let mut queue = Queue::default();
    queue.set(channel("a"), vec![want("late", 900), want("mid", 500)]);
    queue.set(channel("b"), vec![want("mid", 400), want("soon", 300)]);
    assert_eq!(begin(&mut queue, 3, 0), "soon mid late");
}

#[test]
fn no_more_run_than_there_are_workers_but_for_one_that_is_urgent() {
    let mut queue = Queue::default();
    queue.set(channel("a"), vec![want("x", 300), want("y", 400)]);
    assert_eq!(begin(&mut queue, 1, 0), "x");
    queue.set(channel("b"), vec![want("now", 10), want("also", 11)]);
    assert_eq!(begin(&mut queue, 1, 0), "now!");
}

#[test]
fn a_channels_new_wants_replace_its_old_ones() {
    let mut queue = Queue::default();
    queue.set(channel("a"), vec![want("x", 300)]);
    queue.set(channel("a"), vec![want("y", 300)]);
    assert_eq!(begin(&mut queue, 5, 0), "y");
    queue.set(channel("a"), Vec::new());
    assert!(queue.dues().is_empty());
}

#[test]
fn an_interrupted_preparation_is_tried_twice_more() {
    let mut queue = Queue::default();
    queue.set(channel("a"), vec![want("x", 300)]);
    for (now, over) in [(0, false), (10, false), (20, true)] {
        assert_eq!(begin(&mut queue, 1, now), "x", "at {now}");
        assert_eq!(queue.ended(&id("x"), Ended::Interrupted, at(now)), over, "at {now}");
    }
}

#[test]
fn one_that_cannot_go_on_waits_and_is_never_given_up() {
    let mut queue = Queue::default();
    queue.set(channel("a"), vec![want("x", 99_000), want("y", 99_001)]);
    for round in 0..10 {
        let now = round * 100;
        assert_eq!(begin(&mut queue, 1, now), "x");
        assert!(!queue.ended(&id("x"), Ended::Blocked, at(now)));
        assert_eq!(queue.next_retry(at(now)), Some(at(now + 30)));
        assert_eq!(begin(&mut queue, 1, now + 1), "y", "others go on");
        assert!(queue.ended(&id("y"), Ended::Settled, at(now + 2)));
    }
}

#[test]
fn the_first_few_of_each_channel_are_pinned() {
    let mut queue = Queue::default();
    queue.set(channel("a"), (0..10).map(|n| want(&format!("i{n}"), n)).collect());
    let pinned = queue.dues().values().filter(|(_, pinned)| *pinned).count();
    assert_eq!(pinned, PINS_PER_CHANNEL);
}

proptest! {
    #[test]
    fn whatever_happens_nothing_runs_twice_and_the_limit_holds(
        steps in prop::collection::vec((0_u8..4, 0_u8..6, 0_i64..1000), 1..60), workers in 1_usize..4,
    ) {
        let mut queue = Queue::default();
        let mut running: Vec<MezzanineId> = Vec::new();
        for (now, (step, item, due)) in (0_i64..).zip(steps) {
            match step {
                0 => queue.set(channel("a"), vec![want(&format!("i{item}"), due), want("fixed", due + 1)]),
                1 => queue.set(channel("b"), vec![want(&format!("i{item}"), due)]),
                2 => if let Some(next) = queue.next(|_| false, workers, at(now)) {
                    prop_assert!(!running.contains(&next.id));
                    queue.started(&next.id);
                    running.push(next.id);
                },
                _ => if let Some(id) = running.pop() {
                    let ended = [Ended::Settled, Ended::Interrupted, Ended::Blocked][usize::from(item % 3)];
                    let _over = queue.ended(&id, ended, at(now));
                },
            }
            prop_assert!(running.len() <= workers + URGENT_EXTRA);
        }
    }
}

#[test]
fn what_nobody_wants_any_more_is_given_up_after_a_grace_and_may_begin_again_at_once() {
    let mut queue = Queue::default();
    queue.set(channel("a"), vec![want("film", 900)]);
    assert_eq!(begin(&mut queue, 1, 0), "film");
    assert!(queue.unwanted(at(5)).is_empty(), "it is wanted");
    queue.set(channel("a"), Vec::new());
    assert!(queue.unwanted(at(10)).is_empty(), "a folder may be away for a moment");
    queue.set(channel("a"), vec![want("film", 900)]);
    assert!(queue.unwanted(at(20)).is_empty());
    queue.set(channel("a"), Vec::new());
    assert!(queue.unwanted(at(30)).is_empty());
    assert!(queue.unwanted(at(59)).is_empty(), "counted from when it was last wanted");
    assert_eq!(queue.unwanted(at(60)), [id("film")]);
    assert!(!queue.ended(&id("film"), Ended::GivenUp, at(61)));
    queue.set(channel("a"), vec![want("film", 900)]);
    assert_eq!(begin(&mut queue, 1, 62), "film");
}
