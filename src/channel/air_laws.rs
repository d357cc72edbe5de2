//! The air's promises, with a copier that lives in the test: it closes a chunk when the next GOP is fed, as ffmpeg does.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::prepare::{Gop, MezzanineId};
use crate::units::ContentKey;

const START: i64 = 1_795_000_000;

fn mezzanine(gops: usize, signature: &str) -> Arc<Mezzanine> {
    let gop = |n| Gop { offset: n as u64 * 188, len: 188, duration: MediaTime::from_secs(2), sum: None };
    Arc::new(Mezzanine {
        id: MezzanineId { key: ContentKey("k".into()), profile: "p".into() },
        path: "k-p.ts".into(),
        tables_len: 564,
        gops: (0..gops).map(gop).collect(),
        signature: signature.into(),
        complete: true,
    })
}

/// A world with a copier, stepped from deadline to deadline.
struct World {
    air: Air,
    now: Timestamp,
    /// GOPs given to the copier and not yet closed.
    inside: VecDeque<(RunId, u64, MediaTime, u64)>,
    chunks: u64,
    fed: Vec<(u64, usize)>,
    published: Vec<Msn>,
    starts: u64,
    stalls: bool,
}

impl World {
    fn new() -> Self {
        let now = Timestamp::from_second(START).unwrap();
        Self {
            air: Air::new(Msn(1), 0, now - SignedDuration::from_secs(18), now, 1.0),
            now,
            inside: VecDeque::new(),
            chunks: 0,
            fed: Vec::new(),
            published: Vec::new(),
            starts: 0,
            stalls: false,
        }
    }

    fn airing(&mut self, gops: usize, signature: &str) {
        let airing = Airing {
            id: 0,
            programme: None,
            key: ContentKey("k".into()),
            from: MediaTime::ZERO,
            begins: Timestamp::UNIX_EPOCH,
        };
        self.air.begin(airing, mezzanine(gops, signature), 0);
    }

    /// One step of the air and of the copier, with an endless row of items.
    fn step(&mut self) {
        if self.air.current().is_none() && self.air.is_due(self.now) {
            self.airing(5, "s");
        }
        for action in self.air.step(self.now) {
            match action {
                AirAction::Start(_) => {
                    self.starts += 1;
                    self.chunks = 0;
                }
                AirAction::GiveUp(..) => self.inside.clear(),
                AirAction::Feed { run, gop, .. } => {
                    self.inside.push_back((run, self.chunks, gop.duration(), gop.airing.id));
                    self.chunks += 1;
                    self.fed.push((gop.airing.id, gop.index));
                }
                AirAction::Published => self.published.extend(self.air.snapshot().newest),
                AirAction::Begun(..) | AirAction::LetGo(_) => {}
            }
        }
        while !self.stalls && self.inside.len() > 1 {
            let (run, number, duration, airing) = self.inside.pop_front().expect("there is one");
            self.air.chunk(run, number, vec![vec![Bytes::from(airing.to_string())]], duration, false);
        }
        if self.air.current().is_none() && self.air.is_due(self.now) {
            self.airing(5, "s");
        }
    }

    /// Lives on until a moment, jumping from deadline to deadline.
    fn live_until(&mut self, end: Timestamp) {
        for _ in 0..100_000 {
            self.step();
            let deadline = self.air.deadline().max(self.now + SignedDuration::from_millis(1));
            if deadline > end {
                self.now = end;
                return;
            }
            self.now = deadline;
        }
        panic!("the air never rests");
    }

    fn live(&mut self, secs: i64) {
        self.live_until(self.now + SignedDuration::from_secs(secs));
    }

    fn kill(&mut self) {
        self.inside.clear();
        self.air.run_ended(self.air.run(), self.now);
    }

    fn late(&self) -> SignedDuration {
        self.now.duration_since(self.air.edge())
    }
}

#[test]
fn the_first_playlist_holds_a_full_window() {
    let mut world = World::new();
    for _ in 0..10 {
        world.step();
        world.now += SignedDuration::from_millis(1);
    }
    let snapshot = world.air.snapshot();
    assert!(snapshot.segments.len() >= 8, "{:?}", snapshot.segments.keys());
}

#[test]
fn the_edge_keeps_wall_clock_time_for_a_month() {
    let mut world = World::new();
    world.live(60);
    for day in 0..30 {
        world.live(24 * 3600 / 50);
        let late = world.late();
        assert!(late >= SignedDuration::ZERO && late < SignedDuration::from_secs(3), "day {day}: {late:?}");
    }
    assert_eq!(world.starts, 1);
}

#[test]
fn a_killed_copier_loses_no_gop_and_repeats_none() {
    let mut world = World::new();
    world.live(30);
    for n in 0..50 {
        world.live(1 + n % 7);
        world.kill();
    }
    world.live(60);
    // Everything that was published carries its airing's number, once for each of its five GOPs, in order.
    let newest = world.air.snapshot().newest.expect("on air");
    assert_eq!(world.published.last(), Some(&newest));
    let numbers: Vec<u64> = world.published.iter().map(|msn| msn.0).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(world.late() < SignedDuration::from_secs(4), "{:?}", world.late());
}

#[test]
fn a_stalled_copier_is_given_up_and_replaced() {
    let mut world = World::new();
    world.live(30);
    world.stalls = true;
    world.live(8);
    assert!(world.starts > 1, "it was replaced");
    world.stalls = false;
    world.live(30);
    assert!(world.late() < SignedDuration::from_secs(4), "{:?}", world.late());
}

#[test]
fn a_chunk_that_was_never_fed_ends_the_run() {
    let mut world = World::new();
    world.live(10);
    let run = world.air.run();
    world.air.chunk(run, 999, Vec::new(), MediaTime::from_secs(2), false);
    world.step();
    assert!(world.starts == 2 || world.air.deadline() > world.now);
    world.live(10);
    assert_eq!(world.starts, 2);
}

/// At the end of its list ffmpeg guesses how long its last chunk is; what was planned stays as long as it is.
#[test]
fn the_last_chunk_of_a_run_is_as_long_as_its_index_says() {
    for (last, off) in [(true, 0), (false, 125)] {
        let mut world = World::new();
        world.live(10);
        let planned = world.air.fed_edge();
        let (run, number, duration, airing) = world.inside.pop_front().expect("one is not closed yet");
        let guessed = duration + MediaTime::from_millis(125);
        world.air.chunk(run, number, vec![vec![Bytes::from(airing.to_string())]], guessed, last);
        assert_eq!(world.air.fed_edge(), planned + SignedDuration::from_millis(off), "last: {last}");
    }
}

#[test]
fn lost_time_is_given_up_with_a_discontinuity() {
    let mut world = World::new();
    world.live(30);
    world.now += SignedDuration::from_hours(1);
    assert!(world.air.is_lost(world.now));
    let _actions = world.air.resync(world.now - SignedDuration::from_secs(6), world.now);
    world.inside.clear();
    world.live(20);
    let snapshot = world.air.snapshot();
    assert!(snapshot.segments.values().any(|segment| segment.discontinuity));
    assert!(world.late() < SignedDuration::from_secs(4), "{:?}", world.late());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever happens to the copier, the fed order is that of the items, and the edge comes back to the clock.
    #[test]
    fn any_mix_of_kills_and_stalls_is_healed(events in prop::collection::vec((0..3_u8, 0..20_i64), 1..30)) {
        let mut world = World::new();
        for (event, secs) in events {
            match event {
                0 => world.kill(),
                1 => world.stalls = true,
                _ => world.stalls = false,
            }
            world.live(secs);
            if world.air.is_lost(world.now) {
                let edge = world.now - SignedDuration::from_secs(6);
                let _actions = world.air.resync(edge, world.now);
                world.inside.clear();
            }
        }
        world.stalls = false;
        world.live(120);
        prop_assert!(world.late() < SignedDuration::from_secs(4), "{:?}", world.late());
        prop_assert!(world.air.is_up());
    }
}

/// Three runs that choke on an airing let it go; of runs that the machine could not begin there may be any number.
#[test]
fn an_airing_is_let_go_for_runs_that_choked_and_never_for_runs_that_could_not_begin() {
    for (choked, kept) in [(false, true), (true, false)] {
        let mut world = World::new();
        world.airing(5, "s");
        let mut told = 0;
        for _ in 0..BARREN_MAX + 4 {
            world.now = world.now.max(world.air.deadline());
            told += world.air.step(world.now).iter().filter(|one| matches!(one, AirAction::LetGo(_))).count();
            let run = world.air.run();
            if choked {
                world.air.run_ended(run, world.now);
            } else {
                world.air.run_not_begun(run, world.now);
            }
            world.now += SignedDuration::from_secs(10);
        }
        assert_eq!(world.air.oldest_airing().is_some(), kept, "choked: {choked}");
        assert_eq!(told > 0, choked, "the operator is told");
    }
}
