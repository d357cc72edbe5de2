//! The feed's one promise, under any order of events: every GOP comes out exactly once, in order.

use proptest::prelude::*;

use super::*;
use crate::prepare::{Gop, MezzanineId};

#[derive(Clone, Debug)]
enum Step {
    Feed,
    Return,
    RunEnds,
}

fn mezzanine(gops: usize) -> Arc<Mezzanine> {
    let gop = |n| Gop { offset: n as u64 * 188, len: 188, duration: MediaTime::from_secs(2), sum: None };
    Arc::new(Mezzanine {
        id: MezzanineId { key: ContentKey("k".into()), profile: "p".into() },
        path: "k-p.ts".into(),
        tables_len: 564,
        gops: (0..gops).map(gop).collect(),
        signature: "s".into(),
        complete: true,
    })
}

fn airing(id: u64) -> Arc<Airing> {
    let (key, from) = (ContentKey("k".into()), MediaTime::ZERO);
    Arc::new(Airing { id, programme: None, key, from, begins: Timestamp::UNIX_EPOCH })
}

proptest! {
    #[test]
    fn every_gop_comes_out_exactly_once_and_in_order(
        steps in prop::collection::vec(
            prop_oneof![4 => Just(Step::Feed), 3 => Just(Step::Return), 1 => Just(Step::RunEnds)], 1..300),
        lengths in prop::collection::vec(1_usize..6, 60),
    ) {
        let mut feed = Feed::default();
        let mut airings = 0;
        let mut out = Vec::new();
        let mut slots_open = false;
        for step in steps {
            match step {
                Step::Feed => match feed.take_next() {
                    Next::Gop { new_slot, .. } => {
                        prop_assert!(slots_open || new_slot, "a run begins with a new slot");
                        slots_open = true;
                    }
                    Next::Ended => {
                        feed.begin(airing(airings), mezzanine(lengths[usize::try_from(airings).unwrap() % 60]), 0);
                        airings += 1;
                    }
                    Next::Starved => prop_assert!(false, "a complete mezzanine never starves"),
                },
                Step::Return => match feed.returned(MediaTime::from_secs(2)) {
                    Ok(gop) => out.push((gop.airing.id, gop.index)),
                    Err(mismatch) => {
                        prop_assert_eq!(mismatch, Mismatch::NothingFed);
                        prop_assert_eq!(feed.in_flight(), 0);
                    }
                },
                Step::RunEnds => {
                    feed.run_ended();
                    slots_open = false;
                }
            }
        }
        let all = (0..airings).flat_map(|id| {
            (0..lengths[usize::try_from(id).unwrap() % 60]).map(move |index| (id, index))
        });
        let expected: Vec<_> = all.take(out.len()).collect();
        prop_assert_eq!(out, expected);
    }
}

#[test]
fn a_slot_is_one_airing_and_a_join_in_the_middle_is_a_slot_of_its_own() {
    let mut feed = Feed::default();
    let mut slots = Vec::new();
    for (id, from) in [(1, 0), (2, 2)] {
        feed.begin(airing(id), mezzanine(4), from);
        while let Next::Gop { gop, new_slot } = feed.take_next() {
            slots.push((gop.airing.id, gop.index, new_slot));
        }
    }
    let expected = [(1, 0, true), (1, 1, false), (1, 2, false), (1, 3, false), (2, 2, true), (2, 3, false)].to_vec();
    assert_eq!(slots, expected);
}

#[test]
fn a_growing_item_starves_and_goes_on() {
    let mut feed = Feed::default();
    let growing = Arc::new(Mezzanine { complete: false, ..(*mezzanine(1)).clone() });
    feed.begin(airing(1), growing, 0);
    assert!(matches!(feed.take_next(), Next::Gop { .. }));
    assert!(matches!(feed.take_next(), Next::Starved));
    assert!(feed.grow(&mezzanine(2)));
    assert!(matches!(feed.take_next(), Next::Gop { new_slot: false, .. }));
    assert!(matches!(feed.take_next(), Next::Ended));
}

#[test]
fn an_item_begun_anew_does_not_go_on_in_the_old_one() {
    let mut feed = Feed::default();
    feed.begin(airing(1), Arc::new(Mezzanine { complete: false, ..(*mezzanine(2)).clone() }), 0);
    let nothing_yet = Mezzanine { complete: false, ..(*mezzanine(0)).clone() };
    assert!(!feed.grow(&Arc::new(nothing_yet)));
    let other = Gop { offset: 500, len: 7, duration: MediaTime::from_secs(2), sum: None };
    assert!(!feed.grow(&Arc::new(Mezzanine { gops: [other; 3].into(), ..(*mezzanine(0)).clone() })));
}

#[test]
fn a_chunk_of_another_length_is_not_taken_for_the_gop() {
    let mut feed = Feed::default();
    feed.begin(airing(1), mezzanine(1), 0);
    let _gop = feed.take_next();
    let mismatch = feed.returned(MediaTime::from_secs(1)).unwrap_err();
    assert_eq!(mismatch.to_string(), "a chunk of 1000 ms came back for a GOP of 2000 ms");
    assert_eq!(feed.in_flight(), 1);
}
