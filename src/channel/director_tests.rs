//! What the director chooses, sentence by sentence.

use super::*;
use crate::library::sample;
use crate::prepare::{Gop, MezzanineId};

const GOP: MediaTime = MediaTime::from_secs(2);

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + secs).expect("in range")
}

pub(in crate::channel) fn item(name: &str, secs: i64) -> Arc<Item> {
    Arc::new(sample::item(name, sample::media(sample::video(640, 360), MediaTime::from_secs(secs))))
}

pub(in crate::channel) fn profile() -> Arc<Profile> {
    let text = "[[channel]]\nname = \"One\"\nfolder = \"one\"\n";
    let config = crate::config::parse(text, std::path::Path::new("/channels.toml"), 2).expect("it is right");
    Arc::new(config.channels[0].profile.clone())
}

pub(in crate::channel) fn catalogue(names: &[&str]) -> Arc<Catalogue> {
    let items = names.iter().map(|name| (name.into(), item(name, 10))).collect();
    Arc::new(Catalogue { items, complete: true, ..Catalogue::default() })
}

pub(in crate::channel) fn mezzanine(key: &ContentKey, gops: usize, complete: bool) -> Arc<Mezzanine> {
    let gop = |n| Gop { offset: n as u64 * 188, len: 188, duration: GOP, sum: None };
    Arc::new(Mezzanine {
        id: MezzanineId { key: key.clone(), profile: "p".into() },
        path: "k-p.ts".into(),
        tables_len: 564,
        gops: (0..gops).map(gop).collect(),
        signature: "s".into(),
        complete,
    })
}

fn ready(key: &ContentKey) -> Prepared {
    Prepared::Ready(mezzanine(key, 5, true))
}

fn only_ready(name: &str) -> impl Fn(&ContentKey) -> Prepared {
    move |key| if &*key.0 == name { ready(key) } else { Prepared::Waiting }
}

fn director(names: &[&str]) -> Director {
    let mut director = Director::new(Order::Sequential, profile(), Plan::new(1), 1.0);
    director.library_changed(catalogue(names), at(0));
    director
}

/// Chooses at a moment and returns the title, `slate` or `wait`.
fn choose(director: &mut Director, secs: i64, workshop: Workshop<'_>) -> String {
    match director.choose(at(secs), at(secs), workshop) {
        Choice::Item { programme, .. } => programme.metadata.title.clone(),
        Choice::Slate(idle) => format!("slate: {idle:?}"),
        Choice::Wait => "wait".to_owned(),
        Choice::Pause(card) => format!("card: {}", card.metadata.title),
    }
}

#[test]
fn items_air_in_the_order_of_the_plan_when_all_are_ready() {
    let mut director = director(&["a", "b", "c"]);
    let shown: Vec<_> = (0..5).map(|n| choose(&mut director, n * 10, &ready)).collect();
    assert_eq!(shown, ["a", "b", "c", "a", "b"]);
}

#[test]
fn what_is_ready_is_brought_forward() {
    let mut director = director(&["a", "b", "c"]);
    assert_eq!(choose(&mut director, 0, &only_ready("b")), "b");
    assert_eq!(choose(&mut director, 10, &ready), "a", "what was passed over comes next");
}

#[test]
fn an_original_that_keeps_its_picture_is_brought_forward_while_nothing_can_air() {
    let mut fit = (*item("c", 10)).clone();
    fit.media.video.profile = Some("High".to_owned());
    fit.media.video.level = Some(31);
    let mut items = (*catalogue(&["a", "b"])).clone();
    items.items.insert("c".into(), Arc::new(fit));
    let mut director = director(&[]);
    director.library_changed(Arc::new(items), at(0));
    assert_eq!(choose(&mut director, 0, &|_| Prepared::Waiting), "wait");
    assert!(director.take_hurried());
    assert_eq!(&*director.wants()[0].0.name, "c");
    assert_eq!(choose(&mut director, 1, &only_ready("c")), "c");
    assert_eq!(choose(&mut director, 11, &ready), "a", "what it overtook comes next");
}

#[test]
fn the_first_item_being_prepared_is_not_overtaken_by_files_found_later() {
    let mut director = Director::new(Order::Shuffle, profile(), Plan::new(7), 1.0);
    director.library_changed(catalogue(&["m"]), at(0));
    for names in [&["m", "a"][..], &["m", "a", "z"], &["m", "a", "z", "b", "c", "d"]] {
        director.library_changed(catalogue(names), at(1));
        assert_eq!(&*director.wants()[0].0.name, "m", "{names:?}");
    }
}

#[test]
fn what_was_on_longest_ago_is_repeated_when_nothing_ahead_is_ready() {
    let names: Vec<String> = (0..40).map(|n| format!("{n:02}")).collect();
    let mut director = director(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let some = |key: &ContentKey| if &*key.0 < "02" { ready(key) } else { Prepared::Waiting };
    let shown: Vec<_> = (0..6).map(|n| choose(&mut director, n * 10, &some)).collect();
    assert_eq!(shown, ["00", "01", "00", "01", "00", "01"]);
}

#[test]
fn the_slate_comes_when_the_first_item_takes_too_long() {
    let mut director = director(&["a"]);
    let waiting = |_: &ContentKey| Prepared::Waiting;
    assert_eq!(choose(&mut director, 0, &waiting), "wait");
    assert_eq!(choose(&mut director, 3, &waiting), "wait");
    assert_eq!(choose(&mut director, 4, &waiting), "slate: Preparing");
    assert!(director.can_air(at(6), &ready));
    assert_eq!(choose(&mut director, 6, &ready), "a");
}

#[test]
fn an_empty_folder_is_the_slate_at_once() {
    assert_eq!(choose(&mut director(&[]), 0, &ready), "slate: Empty");
}

#[test]
fn an_item_may_air_while_it_grows_when_it_is_safely_ahead() {
    let cases = [
        ("three GOPs and fast", 3, 4.0, "a"),
        ("two GOPs are no playlist", 2, 4.0, "wait"),
        ("slower than one and a half times real time", 3, 1.4, "wait"),
    ];
    for (sentence, gops, speed, expected) in cases {
        let growing =
            |key: &ContentKey| Prepared::Growing { mezzanine: mezzanine(key, gops, false), speed, progress: 0.5 };
        assert_eq!(choose(&mut director(&["a"]), 0, &growing), expected, "{sentence}");
    }
}

#[test]
fn an_item_that_cannot_be_prepared_leaves_the_plan() {
    let mut director = director(&["a", "b"]);
    director.failed(&ContentKey("a".into()), "it is broken".into(), at(0));
    let shown: Vec<_> = (0..2).map(|n| choose(&mut director, n * 10, &ready)).collect();
    assert_eq!(shown, ["b", "b"]);
    director.failed(&ContentKey("b".into()), "it is broken too".into(), at(20));
    assert_eq!(choose(&mut director, 30, &|_| Prepared::Waiting), "slate: Quarantined");
}

/// What a channel that aired `a` at 0 and was stopped begins with at `secs`: title, first GOP, start, and where it resumed.
fn restarted_at(secs: i64) -> (String, usize, Timestamp, Option<Timestamp>) {
    let mut before = director(&["a", "b", "c"]);
    assert_eq!(choose(&mut before, 0, &ready), "a");
    let stored = before.plan();
    let plan = Plan::restore(stored.programmes().clone(), stored.next_serial(), stored.picker().clone());
    let mut after = Director::new(Order::Sequential, profile(), plan, 1.0);
    assert_eq!(choose(&mut after, secs, &ready), "wait", "the library is not there yet");
    after.library_changed(catalogue(&["a", "b", "c"]), at(secs));
    match after.choose(at(secs), at(secs), &ready) {
        Choice::Item { programme, from_gop, resumed, .. } => {
            (programme.metadata.title.clone(), from_gop, programme.start, resumed)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_restarted_channel_is_where_it_would_have_been() {
    // 15 s after the start of a (10 s), b is 5 s in: its next GOP begins at 6 s.
    assert_eq!(restarted_at(15), ("b".into(), 3, at(10), Some(at(16))));
}

/// It was aired whole, and all that came after it later by its length. (Found by restarting a busy station.)
#[test]
fn a_channel_restarted_in_the_last_gop_of_an_item_goes_on_with_what_comes_next() {
    for secs in [19, 20] {
        assert_eq!(restarted_at(secs), ("c".into(), 0, at(20), Some(at(20))), "at {secs} s");
    }
}

/// The place is sought a backlog ago, which may hold several short programmes; one was brought forward, so a new plan would
/// have another order. (Found by killing a busy station.)
#[test]
fn a_restarted_channel_keeps_all_that_would_have_been_on() {
    let names = ["a", "b", "c", "d"];
    let mut plan = director(&names).plan().clone();
    plan.promote(plan.programmes()[3].serial, 2);
    let mut after = Director::new(Order::Sequential, profile(), plan, 1.0);
    after.library_changed(catalogue(&names), at(25));
    let aired: Vec<String> = (0..4)
        .map(|place| match after.choose(at(5 + 10 * place), at(25), &ready) {
            Choice::Item { programme, .. } => programme.metadata.title.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(aired, ["a", "b", "d", "c"]);
}

#[test]
fn times_on_the_plan_follow_what_is_really_on_air() {
    let mut director = director(&["a", "b"]);
    assert_eq!(choose(&mut director, 7, &ready), "a");
    let starts: Vec<_> = director.plan().programmes().iter().take(3).map(|programme| programme.start).collect();
    assert_eq!(starts, [at(7), at(17), at(27)]);
}
