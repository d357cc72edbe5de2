//! What holds of picking and planning whatever happens: laws over random libraries, orders and operations.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::plan::{PROGRAMMES_MAX, Plan};
use super::{Candidate, HORIZON, PickerState, Programme};
use crate::config::Order;
use crate::library::Metadata;
use crate::units::{ContentKey, MediaTime};

pub(super) fn key(id: usize) -> ContentKey {
    ContentKey(format!("{id:032x}").into())
}

/// An item of about four minutes; its id tells its name and length.
pub(super) fn item(id: usize) -> Candidate {
    let title = format!("Film {id}");
    Candidate {
        key: key(id),
        name: format!("{}/film {id}.mp4", if id.is_multiple_of(3) { "rare" } else { "often" }).into(),
        duration: MediaTime(21_600_000 + 3_003 * i64::try_from(id % 100).unwrap()),
        metadata: Arc::new(Metadata { title, ..Metadata::default() }),
    }
}

fn items(ids: impl IntoIterator<Item = usize>) -> Vec<Candidate> {
    ids.into_iter().map(item).collect()
}

pub(super) fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn picks(state: &mut PickerState, order: &Order, candidates: &[Candidate], count: usize) -> Vec<usize> {
    (0..count).map(|_| state.pick(order, candidates).unwrap()).collect()
}

fn orders() -> impl Strategy<Value = Order> {
    let weights = prop::collection::vec((prop_oneof!["often", "rare", "none"], 0.1..20.0_f64), 0..3);
    prop_oneof![
        Just(Order::Shuffle),
        Just(Order::Sequential),
        (0..30_usize).prop_map(|spacing| Order::Random { spacing }),
        (weights, 0..30_usize).prop_map(|(weights, spacing)| Order::Weighted { weights, spacing }),
    ]
}

/// A thing that may happen to a plan; numbers are brought into range where they are used.
#[derive(Clone, Debug)]
enum Happening {
    Ended,
    Extended,
    Changed { ids: BTreeSet<usize>, announced: usize },
    Measured { id: usize, millis: i64 },
    Retimed { secs: i64 },
    Promoted { index: usize },
    Quarantined { id: usize, on_air: bool },
    Repeated { id: usize },
    Restarted { after_secs: i64 },
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let ids = prop::collection::btree_set(0..20_usize, 0..20);
    let happening = prop_oneof![
        4 => Just(Happening::Ended),
        2 => Just(Happening::Extended),
        1 => (ids, 0..3_usize).prop_map(|(ids, announced)| Happening::Changed { ids, announced }),
        1 => (0..20_usize, 0..600_000_i64).prop_map(|(id, millis)| Happening::Measured { id, millis }),
        1 => (-60..60_i64).prop_map(|secs| Happening::Retimed { secs }),
        1 => (0..400_usize).prop_map(|index| Happening::Promoted { index }),
        1 => (0..20_usize, any::<bool>()).prop_map(|(id, on_air)| Happening::Quarantined { id, on_air }),
        1 => (0..20_usize).prop_map(|id| Happening::Repeated { id }),
        1 => (-100..200_000_i64).prop_map(|after_secs| Happening::Restarted { after_secs }),
    ];
    prop::collection::vec(happening, 0..25)
}

/// A plan, the library it is made from, and the station's time.
struct World {
    plan: Plan,
    order: Order,
    library: Vec<Candidate>,
    now: Timestamp,
}

impl World {
    fn new(seed: u64, order: Order) -> Self {
        let mut world = Self { plan: Plan::new(seed), order, library: items(0..12), now: start() };
        world.plan.extend(&world.order, &world.library, world.now);
        world
    }

    fn apply(&mut self, happening: &Happening) {
        let on_air = self.plan.programmes().front().map(|first| first.serial);
        match happening {
            Happening::Ended => {
                self.now = self.plan.pop_front().map_or(self.now, |ended| ended.end());
            }
            Happening::Extended => {
                self.plan.extend(&self.order, &self.library, self.now);
            }
            Happening::Changed { ids, announced } => {
                self.library = items(ids.iter().copied());
                self.plan.library_changed(&self.order, &self.library, *announced, self.now);
            }
            Happening::Measured { id, millis } => self.plan.set_duration(&key(*id), MediaTime::from_millis(*millis)),
            Happening::Retimed { secs } => {
                self.now += SignedDuration::from_secs(*secs);
                self.plan.retime(self.now);
            }
            Happening::Promoted { index } => {
                let serial = self.plan.programmes().get(*index).map_or(0, |programme| programme.serial);
                self.plan.promote(serial, 1);
            }
            Happening::Quarantined { id, on_air: airing } => {
                self.plan.remove_item(&key(*id), on_air.filter(|_| *airing));
            }
            Happening::Repeated { id } => {
                self.plan.insert(&item(*id), 1, self.now);
            }
            Happening::Restarted { after_secs } => {
                self.now += SignedDuration::from_secs(*after_secs);
                let picker = serde_json::to_string(self.plan.picker()).unwrap();
                let picker = serde_json::from_str(&picker).unwrap();
                self.plan = Plan::restore(self.plan.programmes().clone(), self.plan.next_serial(), picker);
                self.plan.catch_up(&self.order, &self.library, self.now);
            }
        }
    }

    fn apply_all(&mut self, happenings: &[Happening]) {
        for happening in happenings {
            self.apply(happening);
        }
    }

    fn serials(&self) -> HashSet<u64> {
        self.plan.programmes().iter().map(|programme| programme.serial).collect()
    }
}

fn keys<'a>(programmes: impl IntoIterator<Item = &'a Programme>) -> Vec<ContentKey> {
    programmes.into_iter().map(|programme| programme.key.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_same_seed_gives_the_same_sequence_also_over_a_restart(
        seed: u64, order in orders(), count in 1..20_usize, restart_at in 0..60_usize,
    ) {
        let library = items(0..count);
        let whole = picks(&mut PickerState::new(seed), &order, &library, 60);
        let mut state = PickerState::new(seed);
        let mut parts = picks(&mut state, &order, &library, restart_at);
        let mut state: PickerState = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        parts.extend(picks(&mut state, &order, &library, 60 - restart_at));
        prop_assert_eq!(whole, parts);
    }

    #[test]
    fn a_plan_is_the_same_however_often_the_server_restarts(seed: u64, order in orders(), airings in 0..20_usize) {
        let library = items(0..9);
        let whole = { let mut plan = Plan::new(seed); plan.extend(&order, &library, start()); plan };
        let mut parts = PickerState::new(seed);
        let expected: Vec<_> = whole.programmes().iter().map(|p| p.key.clone()).collect();
        let alone: Vec<_> = (0..expected.len()).map(|_| library[parts.pick(&order, &library).unwrap()].key.clone()).collect();
        prop_assert_eq!(&expected, &alone, "a plan is nothing but picks");
        let mut world = World { plan: whole, order, library, now: start() };
        for _ in 0..airings {
            world.apply(&Happening::Ended);
            world.apply(&Happening::Restarted { after_secs: 0 });
        }
        prop_assert_eq!(&expected[airings..], &keys(world.plan.programmes())[..expected.len() - airings]);
    }

    #[test]
    fn the_order_of_the_walk_does_not_matter(seed: u64, order in orders(), count in 1..20_usize) {
        let library = items(0..count);
        let turned = items((0..count).rev());
        let one = picks(&mut PickerState::new(seed), &order, &library, 40);
        let other = picks(&mut PickerState::new(seed), &order, &turned, 40);
        prop_assert_eq!(one, other.into_iter().map(|index| count - 1 - index).collect::<Vec<_>>());
    }

    #[test]
    fn spacing_is_kept_as_far_as_the_library_allows(seed: u64, count in 1..20_usize, spacing in 0..30_usize, weigh: bool) {
        let order = if weigh {
            Order::Weighted { weights: vec![("rare".to_owned(), 9.0)], spacing }
        } else {
            Order::Random { spacing }
        };
        let chosen = picks(&mut PickerState::new(seed), &order, &items(0..count), 200);
        for window in chosen.windows(spacing.min(count - 1) + 1) {
            prop_assert_eq!(window.iter().collect::<HashSet<_>>().len(), window.len(), "{:?}", window);
        }
    }

    #[test]
    fn nothing_repeats_within_a_deck_nor_soon_after_its_seam(seed: u64, count in 1..40_usize) {
        let chosen = picks(&mut PickerState::new(seed), &Order::Shuffle, &items(0..count), count * 4);
        for deck in chosen.chunks(count) {
            prop_assert_eq!(deck.iter().collect::<HashSet<_>>().len(), count);
        }
        let guard = (count / 4).max(1).min(count - 1);
        for window in chosen.windows(guard + 1) {
            prop_assert_eq!(window.iter().collect::<HashSet<_>>().len(), window.len(), "{:?}", window);
        }
    }

    #[test]
    fn a_file_added_joins_the_present_deck_and_a_file_removed_drops_out(
        seed: u64, count in 4..30_usize, done in 1..30_usize, removed in 0..30_usize,
    ) {
        let (done, removed) = (done.min(count), removed % count);
        let mut state = PickerState::new(seed);
        let before = picks(&mut state, &Order::Shuffle, &items(0..count), done);
        let library = items((0..=count).filter(|&id| id != removed));
        let was_on: HashSet<_> = before.into_iter().map(key).collect();
        let left: HashSet<_> = library.iter().map(|i| i.key.clone()).filter(|k| !was_on.contains(k)).collect();
        let rest = picks(&mut state, &Order::Shuffle, &library, left.len());
        prop_assert_eq!(rest.into_iter().map(|index| library[index].key.clone()).collect::<HashSet<_>>(), left);
    }

    #[test]
    fn every_item_comes_up_within_a_bounded_number_of_picks(seed: u64, order in orders(), count in 1..12_usize) {
        // A deck and an order by name take one round. Chance has no bound, but with weights of at most 200 to 1 a
        // miss of so many picks has a probability below 1e-8.
        let bound = match &order {
            Order::Shuffle | Order::Sequential => count,
            Order::Random { .. } => count * 40,
            Order::Weighted { .. } => count * 4_000,
        };
        let library = items(0..count);
        let mut plan = PickerState::new(seed);
        let mut missing: HashSet<usize> = (0..count).collect();
        for _ in 0..bound {
            missing.remove(&plan.pick(&order, &library).unwrap());
            if missing.is_empty() {
                break;
            }
        }
        prop_assert!(missing.is_empty(), "{:?} never came", missing);
    }

    #[test]
    fn one_item_alone_still_plays(seed: u64, order in orders()) {
        prop_assert_eq!(picks(&mut PickerState::new(seed), &order, &items([7]), 5), vec![0; 5]);
    }

    #[test]
    fn after_whatever_happens_programmes_join_and_serials_are_used_once(
        seed: u64, order in orders(), happenings in happenings(),
    ) {
        let mut world = World::new(seed, order);
        for happening in &happenings {
            let (before, next) = (world.serials(), world.plan.next_serial());
            world.apply(happening);
            let programmes: Vec<_> = world.plan.programmes().iter().collect();
            for pair in programmes.windows(2) {
                prop_assert_eq!(pair[0].end(), pair[1].start, "after {:?}", happening);
            }
            prop_assert!(programmes.len() <= PROGRAMMES_MAX + 1);
            prop_assert!(programmes.iter().all(|programme| programme.duration > MediaTime::ZERO));
            prop_assert_eq!(world.serials().len(), programmes.len(), "a serial names one airing");
            for serial in world.serials().difference(&before) {
                prop_assert!((next..world.plan.next_serial()).contains(serial), "{} is used again", serial);
            }
            prop_assert!(world.plan.next_serial() >= next);
            prop_assert!(world.plan.picker().openers.is_subset(&world.serials().into_iter().collect()));
        }
    }

    #[test]
    fn a_plan_that_was_kept_is_found_again_and_goes_on_alike(seed: u64, order in orders(), happenings in happenings()) {
        let mut world = World::new(seed, order);
        world.apply_all(&happenings);
        let (programmes, next) = (world.plan.programmes().clone(), world.plan.next_serial());
        let mut by_time: Vec<_> = programmes.iter().cloned().collect();
        by_time.sort_by_key(|programme| (programme.start, programme.serial));
        let picker: PickerState = serde_json::from_str(&serde_json::to_string(world.plan.picker()).unwrap()).unwrap();
        let mut found = Plan::restore(by_time.into(), next, picker);
        prop_assert_eq!((found.programmes(), found.next_serial()), (&programmes, next), "what is kept by time is kept");
        prop_assert_eq!(found.picker(), world.plan.picker());
        // An hour on, both have something to pick. Lengths that were measured are measured again after a restart.
        for plan in [&mut found, &mut world.plan] {
            let now = (0..15).fold(world.now, |now, _| plan.pop_front().map_or(now, |ended| ended.end()));
            plan.extend(&world.order, &world.library, now);
        }
        let (here, there) = (keys(found.programmes()), keys(world.plan.programmes()));
        let both = here.len().min(there.len());
        prop_assert_eq!(&here[..both], &there[..both]);
    }

    #[test]
    fn by_name_each_comes_once_a_round_and_in_order(seed: u64, count in 1..30_usize, begun in 0..30_usize) {
        let library = items(0..count);
        let mut state = PickerState::new(seed);
        picks(&mut state, &Order::Sequential, &library, begun);
        let round = picks(&mut state, &Order::Sequential, &library, count);
        let names: Vec<_> = round.iter().map(|&index| &library[index].name).collect();
        let turns = names.windows(2).filter(|pair| super::natural::natural_cmp(pair[0], pair[1]).is_gt()).count();
        prop_assert!(turns <= 1, "{:?}", names);
        prop_assert_eq!(round.iter().collect::<HashSet<_>>().len(), count);
    }

    #[test]
    fn a_plan_that_was_extended_covers_the_horizon(seed: u64, order in orders(), happenings in happenings()) {
        let mut world = World::new(seed, order);
        world.apply_all(&happenings);
        world.apply(&Happening::Extended);
        if !world.library.is_empty() {
            let programmes = world.plan.programmes();
            let end = programmes.back().map(Programme::end);
            prop_assert!(programmes.len() >= PROGRAMMES_MAX || end >= Some(world.now + HORIZON));
        }
    }

    #[test]
    fn a_change_of_the_library_keeps_the_announced_and_plans_only_what_is_there(
        seed: u64, order in orders(), happenings in happenings(),
        ids in prop::collection::btree_set(0..20_usize, 0..20), announced in 0..4_usize,
    ) {
        let mut world = World::new(seed, order);
        world.apply_all(&happenings);
        let before: Vec<_> = world.plan.programmes().iter().cloned().collect();
        world.apply(&Happening::Changed { ids: ids.clone(), announced });
        let after: Vec<_> = world.plan.programmes().iter().cloned().collect();
        let there: HashSet<_> = ids.iter().map(|&id| key(id)).collect();
        let kept = before.iter().take(announced).enumerate();
        let kept: Vec<_> = kept.filter(|(at, p)| *at == 0 || there.contains(&p.key)).map(|(_, p)| p.serial).collect();
        prop_assert_eq!(&kept, &after.iter().take(kept.len()).map(|p| p.serial).collect::<Vec<_>>());
        let planned = after.iter().skip(usize::from(announced > 0));
        prop_assert!(planned.clone().all(|programme| there.contains(&programme.key)));
        prop_assert_eq!(before.first().filter(|_| !after.is_empty()).map(|p| p.start),
            after.first().filter(|_| !before.is_empty()).map(|p| p.start));
    }

    #[test]
    fn a_change_that_changes_nothing_changes_nothing(seed: u64, order in orders(), airings in 0..30_usize, announced in 0..3_usize) {
        let mut world = World::new(seed, order);
        (0..airings).for_each(|_| world.apply(&Happening::Ended));
        world.apply(&Happening::Extended);
        let before = world.plan.clone();
        world.apply(&Happening::Changed { ids: (0..12).collect(), announced });
        prop_assert_eq!(before, world.plan);
    }

    #[test]
    fn after_a_downtime_the_first_programme_covers_now(
        seed: u64, order in orders(), happenings in happenings(), after_secs in -1_000..400_000_i64,
    ) {
        let mut world = World::new(seed, order);
        world.apply_all(&happenings);
        world.now += SignedDuration::from_secs(after_secs);
        let offset = world.plan.catch_up(&world.order, &world.library, world.now);
        prop_assert_eq!(offset.is_some(), !world.library.is_empty());
        if let Some((offset, first)) = offset.zip(world.plan.programmes().front()) {
            prop_assert!(first.start <= world.now && world.now < first.end());
            prop_assert_eq!(offset, MediaTime::between(first.start, world.now));
        }
    }

    #[test]
    fn after_a_downtime_the_channel_is_where_it_would_have_been(seed: u64, order in orders(), down_secs in 0..150_000_i64) {
        let mut world = World::new(seed, order);
        let mut stayed = World { plan: world.plan.clone(), order: world.order.clone(), library: items(0..12), now: start() };
        let back = start() + SignedDuration::from_secs(down_secs);
        while stayed.plan.programmes()[0].end() <= back {
            stayed.apply(&Happening::Ended);
            if stayed.plan.programmes().len() < 50 {
                stayed.apply(&Happening::Extended);
            }
        }
        world.apply(&Happening::Restarted { after_secs: down_secs });
        let (there, here) = (&stayed.plan.programmes()[0], &world.plan.programmes()[0]);
        prop_assert_eq!((&there.key, there.start), (&here.key, here.start));
    }
}
