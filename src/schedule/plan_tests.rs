//! What may happen to a plan, case by case; the laws stand in `laws.rs`.

use jiff::SignedDuration;

use super::super::laws::{item, key, start};
use super::*;

fn planned(order: &Order, count: usize) -> (Plan, Vec<Candidate>) {
    let library: Vec<_> = (0..count).map(item).collect();
    let mut plan = Plan::new(4);
    assert!(plan.extend(order, &library, start()));
    (plan, library)
}

fn serials(plan: &Plan, count: usize) -> Vec<u64> {
    plan.programmes().iter().take(count).map(|programme| programme.serial).collect()
}

#[test]
fn very_short_items_do_not_make_an_endless_plan() {
    for millis in [1, 2_000] {
        let library = [Candidate { duration: MediaTime::from_millis(millis), ..item(1) }];
        let mut plan = Plan::new(4);
        plan.extend(&Order::Shuffle, &library, start());
        assert_eq!(plan.programmes().len(), PROGRAMMES_MAX);
        assert!(!plan.extend(&Order::Shuffle, &library, start()), "it is full");
    }
}

#[test]
fn an_item_that_does_not_tell_its_length_is_taken_for_a_minute() {
    let library = [Candidate { duration: MediaTime::ZERO, ..item(1) }];
    let mut plan = Plan::new(4);
    plan.extend(&Order::Shuffle, &library, start());
    assert_eq!(plan.programmes().len(), 25 * 60);
}

#[test]
fn an_item_that_claims_to_last_for_ever_does_not_overflow_time() {
    let library = [Candidate { duration: MediaTime(i64::MAX), ..item(1) }];
    let mut plan = Plan::new(4);
    plan.extend(&Order::Shuffle, &library, start());
    assert_eq!(plan.programmes().len(), 1);
}

#[test]
fn an_exact_length_moves_what_follows_and_is_remembered() {
    let (mut plan, library) = planned(&Order::Sequential, 3);
    let first = plan.programmes()[0].key.clone();
    plan.set_duration(&first, MediaTime::from_secs(100));
    assert_eq!(plan.programmes()[1].start, start() + SignedDuration::from_secs(100));
    plan.library_changed(&Order::Sequential, &library, 1, start());
    let airings: Vec<_> = plan.programmes().iter().filter(|programme| programme.key == first).collect();
    assert!(airings.len() > 100, "planned again up to the horizon");
    assert!(airings.iter().all(|programme| programme.duration == MediaTime::from_secs(100)));
}

#[test]
fn a_prepared_programme_is_brought_forward_to_stand_next() {
    let (mut plan, _) = planned(&Order::Shuffle, 8);
    assert!(plan.promote(5, 1));
    assert_eq!(serials(&plan, 6), [1, 5, 2, 3, 4, 6]);
    assert!(plan.promote(5, 1), "it stands there already");
    assert!(!plan.promote(1, 1), "the one on air cannot be next");
    assert!(!plan.promote(0, 1), "there is no such programme");
    assert_eq!(serials(&plan, 6), [1, 5, 2, 3, 4, 6]);
}

#[test]
fn a_repeat_stands_next_and_counts_as_on() {
    let (mut plan, library) = planned(&Order::Random { spacing: 3 }, 8);
    let serial = plan.insert(&library[0], 1, start());
    assert_eq!(serials(&plan, 3), [1, serial, 2]);
    let mut empty = Plan::new(1);
    empty.insert(&library[0], 1, start());
    assert_eq!(empty.programmes()[0].start, start());
}

#[test]
fn a_quarantined_item_leaves_the_plan_unless_it_is_on_air() {
    let (mut plan, _) = planned(&Order::Shuffle, 4);
    let first = plan.programmes()[0].key.clone();
    assert!(plan.remove_item(&first, Some(1)) > 0);
    assert_eq!(plan.programmes().iter().filter(|programme| programme.key == first).count(), 1);
    assert_eq!(plan.remove_item(&first, None), 1);
    assert_eq!(plan.programmes()[0].start, start(), "the next begins in its place");
}

#[test]
fn a_deck_whose_first_programme_is_dropped_or_moved_opens_with_the_one_after() {
    let opens = |plan: &Plan, index: usize| plan.picker().openers.contains(&plan.programmes()[index].serial);
    let (plan, _) = planned(&Order::Shuffle, 4);
    assert!(opens(&plan, 4) && opens(&plan, 8), "decks of four");
    let mut dropped = plan.clone();
    dropped.remove_item(&plan.programmes()[4].key, None);
    assert!(opens(&dropped, 3) && opens(&dropped, 6) && !opens(&dropped, 4), "decks of three");
    let mut moved = plan.clone();
    moved.promote(plan.programmes()[4].serial, 1);
    assert!(opens(&moved, 5) && !opens(&moved, 1) && !opens(&moved, 4));
}

#[test]
fn a_renamed_item_keeps_its_place_under_its_new_name() {
    let (mut plan, mut library) = planned(&Order::Shuffle, 4);
    let before = plan.programmes().clone();
    for item in &mut library {
        item.name = format!("new/{}", item.name).into();
    }
    plan.library_changed(&Order::Shuffle, &library, 2, start());
    let same = |(old, new): (&Programme, &Programme)| {
        old.serial == new.serial && old.start == new.start && new.name.strip_prefix("new/") == Some(&old.name)
    };
    assert!(before.iter().zip(plan.programmes()).all(same));
}

#[test]
fn a_new_item_of_a_shuffled_library_comes_within_the_present_deck() {
    let (mut plan, mut library) = planned(&Order::Shuffle, 6);
    library.push(item(99));
    plan.library_changed(&Order::Shuffle, &library, 2, start());
    assert!(plan.programmes().iter().take(7).any(|programme| programme.key == key(99)));
}

#[test]
fn after_a_long_downtime_the_plan_starts_afresh_with_new_serials() {
    let (mut plan, library) = planned(&Order::Shuffle, 4);
    let next = plan.next_serial();
    let now = start() + HORIZON + HORIZON + SignedDuration::from_hours(1);
    assert_eq!(plan.catch_up(&Order::Shuffle, &library, now), Some(MediaTime::ZERO));
    assert_eq!((plan.programmes()[0].start, plan.programmes()[0].serial), (now, next));
}

#[test]
fn a_clock_that_was_set_back_does_not_leave_a_hole() {
    let (mut plan, library) = planned(&Order::Shuffle, 4);
    let now = start() - SignedDuration::from_hours(30);
    assert_eq!(plan.catch_up(&Order::Shuffle, &library, now), Some(MediaTime::ZERO));
    assert_eq!(serials(&plan, 1), [1]);
}

#[test]
fn what_is_stored_for_the_picker_stays_small_over_months() {
    let (mut plan, library) = planned(&Order::Shuffle, 100);
    for _ in 0..400 {
        let now = plan.pop_front().unwrap().end();
        plan.extend(&Order::Shuffle, &library, now);
    }
    let bytes = serde_json::to_string(plan.picker()).unwrap().len();
    assert!(bytes < 10_000, "{bytes} bytes");
}

#[test]
fn a_plan_stored_badly_is_mended() {
    let (plan, _) = planned(&Order::Shuffle, 4);
    let mut programmes = plan.programmes().clone();
    programmes[1].start = start() - SignedDuration::from_hours(1);
    let twice = programmes[2].clone();
    programmes.push_back(twice);
    programmes.push_back(Programme { serial: u64::MAX, ..programmes[0].clone() });
    let mended = Plan::restore(programmes, 0, plan.picker().clone());
    assert_eq!(mended, plan);
}

#[test]
fn lengths_and_counters_stored_badly_stop_nothing() {
    let (plan, library) = planned(&Order::Shuffle, 4);
    let mut programmes: VecDeque<_> = plan.programmes().iter().take(3).cloned().collect();
    programmes[0].duration = MediaTime(i64::MIN);
    programmes[1].duration = MediaTime(i64::MAX);
    let picker = r#"{"seed":1,"draws":18446744073709551615,"deck":[],"recent":[],"last_name":null,"openers":[77]}"#;
    let mut mended = Plan::restore(programmes, u64::MAX, serde_json::from_str(picker).unwrap());
    let lengths: Vec<_> = mended.programmes().iter().take(2).map(|programme| programme.duration).collect();
    assert_eq!(lengths, [DURATION_MIN, DURATION_MAX]);
    assert!(mended.picker().openers.is_empty(), "what is not planned opens no deck");
    mended.catch_up(&Order::Shuffle, &library, start());
    while mended.pop_front().is_some() {}
    assert!(mended.extend(&Order::Shuffle, &library, start()));
}
