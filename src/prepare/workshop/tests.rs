//! What is begun, evicted, forgiven and told.

use super::*;
use crate::prepare::inspection::{Finding, Seen};
use crate::prepare::mezzanine::Gop;
use crate::prepare::queue::tests::{at, channel, want};
use crate::prepare::queue::{BLOCKED_PAUSE, RETRY_PAUSE, UNWANTED_GRACE};
use crate::units::MediaTime;

/// What any item here is taken to need on the disk.
const NEEDED: u64 = 250;

fn id(name: &str) -> MezzanineId {
    let want = want(name, 0);
    MezzanineId::of(&want.item, &want.profile)
}

fn mezzanine(name: &str, len: u32) -> Mezzanine {
    Mezzanine {
        id: id(name),
        path: name.into(),
        tables_len: 0,
        gops: [Gop { offset: 0, len, duration: MediaTime::from_secs(2), sum: None }].into(),
        signature: "s".into(),
        complete: true,
    }
}

/// A workshop with one worker that keeps so many bytes and is asked for items, due at these seconds.
fn asked(budget: u64, wants: &[(&str, i64)]) -> Workshop {
    let mut workshop = Workshop::new(1, budget);
    let wants = wants.iter().map(|(name, due)| want(name, *due)).collect();
    workshop.want(&channel("one"), wants, at(0));
    workshop
}

/// What is begun at a second and what goes for it: `a, without b c`.
fn next(workshop: &mut Workshop, now: i64) -> String {
    let names = |ids: &[MezzanineId]| ids.iter().map(|id| id.key.to_string()).collect::<Vec<_>>().join(" ");
    match workshop.next(|| u64::MAX, at(now)) {
        None => "nothing".to_owned(),
        Some(Step::Held { budget, needed }) => format!("held: {needed} in {budget}"),
        Some(Step::Begin(begin)) if begin.evicted.is_empty() => begin.next.id.key.to_string(),
        Some(Step::Begin(begin)) => format!("{}, without {}", begin.next.id.key, names(&begin.evicted)),
    }
}

fn end(workshop: &mut Workshop, name: &str, outcome: Result<(), &JobError>, now: i64) -> Verdict {
    let outcome = outcome.map(|()| (mezzanine(name, 100), &Recipe::Remux));
    workshop.ended(&id(name), outcome, at(now), 1.0)
}

fn failed_with(workshop: &Workshop, name: &str) -> String {
    match workshop.state(&id(name)) {
        Prepared::Failed(reason) => reason.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn the_soonest_is_begun_and_what_airs_latest_makes_room_for_it() {
    let mut workshop = asked(1000, &[("a", 100), ("b", 200)]);
    for (name, len) in [("old", 500), ("older", 490)] {
        workshop.found(Arc::new(mezzanine(name, len)), at(if name == "old" { 2 } else { 1 }), None);
    }
    assert_eq!(next(&mut workshop, 0), "a, without older");
    assert_eq!(next(&mut workshop, 0), "nothing", "there is one worker");
    assert_eq!(end(&mut workshop, "a", Ok(()), 1), Verdict::Ready { recovered: false });
    assert!(matches!(workshop.state(&id("a")), Prepared::Ready(_)));
    assert_eq!(next(&mut workshop, 1), "b");
    assert_eq!(workshop.numbers(None).evictions, 1);
}

#[test]
fn a_cache_full_of_what_airs_sooner_holds_the_rest_and_says_so_once() {
    let mut workshop = asked(200, &[("a", 100), ("b", 200)]);
    workshop.found(Arc::new(mezzanine("a", 100)), at(0), None);
    assert_eq!(next(&mut workshop, 0), format!("held: {NEEDED} in 200"));
    assert_eq!(next(&mut workshop, 0), "nothing");
    assert_eq!(next(&mut workshop, 180), "b", "somebody waits for it");
}

#[test]
fn how_a_preparation_ended_decides_when_it_is_tried_again() {
    let secs = |pause: SignedDuration| pause.as_secs();
    let interrupted = || JobError::Interrupted("x".to_owned());
    for (sentence, error, pause) in [
        ("it cannot be prepared", JobError::Unfit("x".to_owned()), None),
        ("its ffmpeg was killed", interrupted(), Some(secs(RETRY_PAUSE))),
        ("its file is away", JobError::Changed, Some(secs(BLOCKED_PAUSE))),
        ("no handles", JobError::Exhausted("x".to_owned()), Some(secs(BLOCKED_PAUSE))),
        ("nobody wanted it for a moment", JobError::Cancelled, Some(0)),
    ] {
        let mut workshop = asked(1000, &[("a", 100)]);
        assert_eq!(next(&mut workshop, 0), "a");
        assert_eq!(end(&mut workshop, "a", Err(&error), 1), Verdict::Failed { over: pause.is_none() }, "{sentence}");
        let again = pause.unwrap_or(10_000);
        assert!(again == 0 || next(&mut workshop, again) == "nothing", "{sentence}");
        assert_eq!(next(&mut workshop, 1 + again), if pause.is_some() { "a" } else { "nothing" }, "{sentence}");
    }
}

#[test]
fn a_disk_that_takes_nothing_is_told_of_once_in_a_while_and_when_it_does_again() {
    let mut workshop = asked(1000, &[("a", 100)]);
    let fail = |workshop: &mut Workshop, now: i64, error: &JobError| {
        assert_eq!(next(workshop, now), "a", "{now}");
        end(workshop, "a", Err(error), now)
    };
    assert_eq!(fail(&mut workshop, 0, &JobError::DiskFull), Verdict::Blocked);
    assert_eq!(fail(&mut workshop, 100, &JobError::Unwritable("x".to_owned())), Verdict::StillBlocked);
    assert_eq!(fail(&mut workshop, 700, &JobError::DiskFull), Verdict::Blocked);
    assert_eq!(next(&mut workshop, 800), "a");
    assert_eq!(end(&mut workshop, "a", Ok(()), 801), Verdict::Ready { recovered: true });
}

#[test]
fn an_item_that_is_interrupted_again_and_again_rests_for_half_an_hour_and_a_later_life_tries_it_at_once() {
    let mut workshop = asked(1000, &[("a", 10_000)]);
    for now in [0, 10, 20] {
        assert_eq!(next(&mut workshop, now), "a");
        end(&mut workshop, "a", Err(&JobError::Interrupted("ffmpeg was killed".to_owned())), now);
    }
    assert_eq!(
        failed_with(&workshop, "a"),
        "Its preparing was interrupted: ffmpeg was killed, 3 times in a row; it is tried again in half an hour."
    );
    assert!(!workshop.look_after(at(1819)).forgiven);
    assert!(workshop.look_after(at(1820)).forgiven);
    assert_eq!(next(&mut workshop, 1820), "a");
    let reasons = [("a", "Killed; it is tried again in half an hour"), ("b", "It is damaged.")];
    let reasons = reasons.map(|(name, reason)| (id(name), Arc::from(reason)));
    let mut later = asked(1000, &[("a", 10_000)]);
    later.failed_before(&reasons);
    assert_eq!(later.failures(), [(id("b"), Arc::from("It is damaged."))]);
    assert!(later.forget_failure(&id("b")) && !later.forget_failure(&id("b")));
    assert!(later.failures().is_empty());
}

#[test]
fn what_is_lost_is_made_again_unless_it_is_being_made() {
    let mut workshop = asked(1000, &[("a", 100)]);
    workshop.found(Arc::new(mezzanine("a", 100)), at(0), None);
    assert_eq!(next(&mut workshop, 0), "nothing");
    assert_eq!(workshop.look_after(at(0)).watched, [Arc::new(mezzanine("a", 100))]);
    assert!(workshop.lost(&id("a")));
    assert_eq!(next(&mut workshop, 0), "a");
    assert!(!workshop.lost(&id("a")));
}

#[test]
fn what_nobody_wants_is_ended_after_a_grace() {
    let mut workshop = asked(1000, &[("a", 100)]);
    assert_eq!(next(&mut workshop, 0), "a");
    workshop.want(&channel("one"), Vec::new(), at(5));
    assert_eq!(workshop.look_after(at(5)).unwanted, []);
    assert_eq!(workshop.look_after(at(5 + UNWANTED_GRACE.as_secs())).unwanted, [id("a")]);
    let numbers = workshop.numbers(Some(7));
    assert_eq!((numbers.running, numbers.waiting, numbers.free_bytes), (1, 0, Some(7)));
}

/// What is looked through at a second.
fn looked_at(workshop: &mut Workshop, now: i64) -> Option<String> {
    workshop.inspect(at(now)).map(|piece| piece.mezzanine.id.key.to_string())
}

#[test]
fn kept_pictures_are_looked_through_only_while_no_worker_is_needed_and_only_if_they_are_wanted() {
    let mut workshop = asked(1000, &[("b", 200), ("a", 300), ("c", 400)]);
    for name in ["a", "b", "nobody's"] {
        workshop.found(Arc::new(mezzanine(name, 10)), at(0), Some(Inspection::default()));
    }
    assert_eq!(next(&mut workshop, 0), "c");
    assert_eq!(looked_at(&mut workshop, 0), None, "the one worker is at something");
    end(&mut workshop, "c", Ok(()), 1);
    let mut order = Vec::new();
    while let Some(piece) = workshop.inspect(at(1)) {
        assert_eq!(looked_at(&mut workshop, 1), None, "one at a time");
        assert!(!workshop.is_sound(&piece.mezzanine.id));
        assert!(matches!(workshop.inspected(&piece, Seen::Clean, at(2)), Finding::Sound(_)));
        assert!(workshop.is_sound(&piece.mezzanine.id));
        order.push(piece.mezzanine.id.key.to_string());
    }
    assert_eq!(order, ["b", "a", "c"]);
    assert!(!workshop.is_sound(&id("nobody's")));
}

/// A workshop in which the kept picture of `a` was found to be damaged.
fn damaged() -> Workshop {
    let mut workshop = asked(1000, &[("a", 100), ("b", 200)]);
    workshop.found(Arc::new(mezzanine("a", 10)), at(0), Some(Inspection::default()));
    assert_eq!(next(&mut workshop, 0), "b");
    end(&mut workshop, "b", Err(&JobError::Unfit("x".to_owned())), 0);
    let piece = workshop.inspect(at(0)).unwrap();
    assert!(matches!(workshop.inspected(&piece, Seen::Damage("broken".into()), at(0)), Finding::Damaged(_)));
    workshop
}

#[test]
fn a_damaged_picture_airs_until_it_was_made_anew_and_nobody_waits_for_that() {
    let mut workshop = damaged();
    let old = workshop.state(&id("a"));
    let Some(Step::Begin(begin)) = workshop.next(|| u64::MAX, at(1000)) else { panic!("nothing is begun") };
    assert_eq!((begin.damage.as_deref(), begin.next.urgent, begin.next.awaited), (Some("broken"), false, false));
    workshop.grown(&id("a"), Prepared::Waiting);
    assert_eq!(workshop.state(&id("a")), old, "ready all the while");
    let made = mezzanine("a", 77);
    workshop.replaced(&made);
    assert_eq!(workshop.state(&id("a")), Prepared::Ready(Arc::new(made.clone())), "also while its files are laid down");
    let transcode = Recipe::Transcode { reasons: Vec::new() };
    workshop.ended(&id("a"), Ok((made, &transcode)), at(1001), 1.0);
    assert!(workshop.is_sound(&id("a")));
    assert_eq!(next(&mut workshop, 1002), "nothing");
}

#[test]
fn what_cannot_air_is_made_before_what_is_damaged() {
    let mut workshop = damaged();
    workshop.want(&channel("two"), vec![want("late", 5000)], at(1));
    assert_eq!(next(&mut workshop, 1), "late");
    end(&mut workshop, "late", Ok(()), 2);
    assert_eq!(next(&mut workshop, 2), "a");
}

#[test]
fn a_damaged_picture_whose_item_cannot_be_made_anew_airs_on_unless_the_item_is_to_blame() {
    let interrupted = || JobError::Interrupted("ffmpeg was killed".to_owned());
    for (sentence, error, airs) in [
        ("no room", JobError::DiskFull, true),
        ("its file is away", JobError::Changed, true),
        ("killed", interrupted(), true),
        ("too much is missing", JobError::Unfit("x".to_owned()), false),
    ] {
        let mut workshop = damaged();
        assert_eq!(next(&mut workshop, 1), "a");
        end(&mut workshop, "a", Err(&error), 2);
        assert_eq!(matches!(workshop.state(&id("a")), Prepared::Ready(_)), airs, "{sentence}");
    }
    let mut workshop = damaged();
    for now in [10, 20, 30] {
        assert_eq!(next(&mut workshop, now), "a");
        end(&mut workshop, "a", Err(&interrupted()), now);
    }
    assert!(matches!(workshop.state(&id("a")), Prepared::Ready(_)));
    assert_eq!(next(&mut workshop, 1000), "nothing", "it rests");
    workshop.look_after(at(1830));
    assert!(matches!(workshop.state(&id("a")), Prepared::Ready(_)));
    assert_eq!(next(&mut workshop, 1830), "a");
}

#[test]
fn what_is_watched_by_itself_goes_last_of_what_nobody_wants() {
    let mut workshop = asked(1000, &[("a", 100)]);
    for (name, used) in [("old", 1), ("older", 0)] {
        workshop.found(Arc::new(mezzanine(name, 490)), at(used), None);
    }
    workshop.watched(&id("older"), at(2));
    workshop.watched(&id("nothing"), at(2));
    assert_eq!(next(&mut workshop, 3), "a, without old");
    assert_eq!(workshop.ready(), 1, "what is not there is not noted");
}
