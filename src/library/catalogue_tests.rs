//! How files become items, wait, are refused and are forgotten.

use proptest::prelude::*;

use super::*;
use crate::library::sample;
use crate::units::MediaTime;

const SETTLE: SignedDuration = SignedDuration::from_secs(2);

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + secs).unwrap()
}

fn stamp(size: u64, changed: Timestamp) -> FileStamp {
    FileStamp { size, mtime_ns: i64::try_from(changed.as_nanosecond()).unwrap() }
}

fn walk(files: &[(&str, FileStamp)]) -> Walk {
    Walk { files: files.iter().map(|&(path, stamp)| (path.into(), (0, stamp))).collect(), ..Walk::default() }
}

fn inventory() -> Inventory {
    Inventory::new(vec!["/m".into()], SETTLE, Vec::new())
}

fn media() -> Box<MediaInfo> {
    Box::new(sample::media(sample::video(64, 48), MediaTime::from_secs(9)))
}

fn accepted(title: &str) -> Outcome {
    let metadata = Metadata { title: title.to_owned(), ..Metadata::default() };
    Outcome::Accepted { key: ContentKey(title.into()), media: media(), metadata }
}

fn refused(reason: &str) -> Outcome {
    Outcome::Refused { key: ContentKey("k".into()), reason: reason.to_owned() }
}

/// Probes everything that wants it, with one outcome.
fn probe_all(inventory: &mut Inventory, outcome: &Outcome, now: Timestamp) -> Vec<KnownFile> {
    let mut stored = Vec::new();
    while let Some((path, stamp)) = inventory.next_probe(usize::MAX) {
        stored.extend(inventory.probed(&path, stamp, outcome.clone(), now));
    }
    stored
}

fn titles(inventory: &Inventory) -> Vec<String> {
    inventory.snapshot().items.values().map(|item| item.metadata.title.clone()).collect()
}

fn refusal_of(inventory: &Inventory, path: &str) -> Option<Refused> {
    inventory.snapshot().refused.get(Path::new(path)).cloned()
}

#[test]
fn a_file_that_grows_is_not_probed_until_it_rests() {
    let mut inventory = inventory();
    inventory.walked(walk(&[("/m/a.mp4", stamp(1, at(0)))]), at(0));
    for secs in 1..10_i64 {
        assert_eq!(inventory.next_probe(9), None, "at {secs} s");
        inventory.restamped(vec![("/m/a.mp4".into(), Some(stamp(1 + secs.unsigned_abs(), at(secs))))], at(secs));
    }
    assert_eq!(inventory.next_settled(), Some(at(11)));
    assert_eq!(inventory.due(at(10)), Vec::<PathBuf>::new());
    assert_eq!(inventory.due(at(11)), [PathBuf::from("/m/a.mp4")]);
    assert_eq!(refusal_of(&inventory, "/m/a.mp4"), Some(Refused::Settling));
    inventory.restamped(vec![("/m/a.mp4".into(), Some(stamp(10, at(9))))], at(11));
    probe_all(&mut inventory, &accepted("a"), at(11));
    assert_eq!((titles(&inventory), inventory.next_settled()), (vec!["a".to_owned()], None));
}

#[test]
fn an_old_file_is_probed_at_first_sight() {
    let mut inventory = inventory();
    inventory.walked(walk(&[("/m/new.mp4", stamp(1, at(-9))), ("/m/old.mp4", stamp(1, at(-11)))]), at(0));
    assert_eq!(inventory.next_probe(9).unwrap().0, PathBuf::from("/m/old.mp4"));
    assert_eq!(inventory.next_probe(9), None);
}

#[test]
fn a_file_from_the_future_settles_by_being_watched() {
    let mut inventory = inventory();
    let future = stamp(1, at(1_000_000));
    inventory.walked(walk(&[("/m/a.mp4", future)]), at(0));
    assert_eq!(inventory.next_probe(9), None);
    inventory.walked(walk(&[("/m/a.mp4", future)]), at(2));
    assert!(inventory.next_probe(9).is_some());
}

#[test]
fn a_known_file_is_an_item_without_a_probe() {
    let known = stamp(5, at(-1));
    let mut first = inventory();
    first.walked(walk(&[("/m/a.mp4", known)]), at(0));
    first.walked(walk(&[("/m/a.mp4", known)]), at(3));
    let stored = probe_all(&mut first, &accepted("a"), at(3));
    let mut second = Inventory::new(vec!["/m".into()], SETTLE, stored);
    second.walked(walk(&[("/m/a.mp4", known)]), at(4));
    assert_eq!((titles(&second), second.next_probe(9)), (vec!["a".to_owned()], None));
    assert!(second.snapshot().complete);
}

#[test]
fn a_changed_file_leaves_at_once_and_comes_back_when_it_rests() {
    let mut inventory = inventory();
    inventory.walked(walk(&[("/m/a.mp4", stamp(1, at(-99)))]), at(0));
    probe_all(&mut inventory, &accepted("old"), at(0));
    inventory.walked(walk(&[("/m/a.mp4", stamp(2, at(1)))]), at(1));
    assert_eq!(titles(&inventory), Vec::<String>::new());
    inventory.walked(walk(&[("/m/a.mp4", stamp(2, at(1)))]), at(3));
    probe_all(&mut inventory, &accepted("new"), at(3));
    assert_eq!(titles(&inventory), ["new"]);
}

#[test]
fn a_file_that_changes_while_it_is_probed_is_not_believed() {
    for told_by_walk in [true, false] {
        let mut inventory = inventory();
        let (before, after) = (stamp(1, at(-99)), stamp(2, at(1)));
        inventory.walked(walk(&[("/m/a.mp4", before)]), at(0));
        let (path, probed) = inventory.next_probe(9).unwrap();
        let outcome = if told_by_walk {
            inventory.walked(walk(&[("/m/a.mp4", after)]), at(1));
            accepted("half")
        } else {
            Outcome::Changed(Some(after))
        };
        assert_eq!(inventory.probed(&path, probed, outcome, at(1)), None);
        assert_eq!(refusal_of(&inventory, "/m/a.mp4"), Some(Refused::Settling));
        assert_eq!(inventory.next_settled(), Some(at(3)));
    }
}

#[test]
fn a_quarantined_file_is_tried_again_when_it_changes() {
    let mut inventory = inventory();
    inventory.walked(walk(&[("/m/a.mp4", stamp(1, at(-99)))]), at(0));
    let stored = probe_all(&mut inventory, &refused("It is empty."), at(0));
    assert!(matches!(&stored[0].verdict, StoredVerdict::Quarantined { reason } if reason == "It is empty."));
    assert_eq!(refusal_of(&inventory, "/m/a.mp4"), Some(Refused::Quarantined("It is empty.".to_owned())));
    inventory.walked(walk(&[("/m/a.mp4", stamp(1, at(-99)))]), at(100));
    assert_eq!(inventory.next_probe(9), None, "unchanged");
    inventory.walked(walk(&[("/m/a.mp4", stamp(2, at(-50)))]), at(200));
    inventory.walked(walk(&[("/m/a.mp4", stamp(2, at(-50)))]), at(202));
    assert!(inventory.next_probe(9).is_some(), "changed");
}

#[test]
fn what_failed_for_another_reason_is_tried_again_after_its_pause_and_not_stored() {
    let mut inventory = inventory();
    let file = [("/m/a.mp4", stamp(1, at(-99)))];
    inventory.walked(walk(&file), at(0));
    let failed = Outcome::Failed { reason: "No.".to_owned(), pause: SignedDuration::from_secs(60) };
    assert_eq!(probe_all(&mut inventory, &failed, at(0)), []);
    inventory.walked(walk(&file), at(59));
    assert_eq!(inventory.next_probe(9), None);
    inventory.walked(walk(&file), at(60));
    assert!(inventory.next_probe(9).is_some());
    assert_eq!(refusal_of(&inventory, "/m/a.mp4"), Some(Refused::Quarantined("No.".to_owned())), "told meanwhile");
}

#[test]
fn a_folder_that_comes_back_is_not_probed_again() {
    let mut inventory = inventory();
    let files = [("/m/a.mp4", stamp(1, at(-99))), ("/m/b.mp4", stamp(1, at(-99)))];
    inventory.walked(walk(&files), at(0));
    probe_all(&mut inventory, &accepted("x"), at(0));
    let problem = ("/m".into(), "The folder does not exist.".to_owned());
    inventory.walked(Walk { problems: vec![problem], ..Walk::default() }, at(5));
    let gone = inventory.snapshot();
    assert_eq!((gone.items.len(), gone.folder_problems.len(), gone.complete), (0, 1, true));
    inventory.walked(walk(&files), at(9));
    assert_eq!((titles(&inventory).len(), inventory.unprobed()), (2, 0));
}

#[test]
fn verdicts_on_absent_files_are_bounded() {
    let known = |n: usize| KnownFile {
        path: format!("/m/{n}.mp4").into(),
        stamp: stamp(1, at(0)),
        key: ContentKey("k".into()),
        verdict: StoredVerdict::Quarantined { reason: String::new() },
    };
    let mut few = Inventory::new(vec!["/m".into()], SETTLE, (0..10).map(known).collect());
    assert_eq!(few.walked(Walk::default(), at(0)), Vec::<PathBuf>::new());
    let mut many = Inventory::new(vec!["/m".into()], SETTLE, (0..=ABSENT_MAX).map(known).collect());
    assert_eq!(many.walked(Walk::default(), at(0)).len(), ABSENT_MAX + 1);
}

#[test]
fn a_sidecar_beats_the_tags_and_leaves_with_its_file() {
    let mut inventory = inventory();
    let film = walk(&[("/m/a.mp4", stamp(1, at(-99)))]);
    let with = |size: u64| Walk {
        sidecars: BTreeMap::from([("/m/a.nfo".into(), stamp(size, at(0))), ("/m/other.nfo".into(), stamp(1, at(0)))]),
        ..film.clone()
    };
    inventory.walked(with(1), at(0));
    let notes = |title: &str| Some(Notes { title: Some(title.to_owned()), ..Notes::default() });
    let wants = inventory.sidecars_to_read();
    assert_eq!(wants.len(), 1);
    inventory.sidecar_read(&wants[0], notes("told"));
    probe_all(&mut inventory, &accepted("tag"), at(0));
    assert_eq!((titles(&inventory), inventory.sidecars_to_read().len()), (vec!["told".to_owned()], 0));
    inventory.walked(with(2), at(1));
    let wants = inventory.sidecars_to_read();
    inventory.sidecar_read(&wants[0], notes("told better"));
    assert_eq!(titles(&inventory), ["told better"]);
    inventory.walked(film.clone(), at(2));
    assert_eq!(titles(&inventory), ["tag"]);
}

#[test]
fn a_snapshot_is_given_only_when_something_changed() {
    let mut inventory = inventory();
    let files = [("/m/a.mp4", stamp(1, at(0)))];
    inventory.walked(walk(&files), at(0));
    assert!(inventory.take_changed().is_some());
    inventory.walked(walk(&files), at(1));
    assert!(inventory.take_changed().is_none());
}

#[test]
fn no_more_are_probed_at_once_than_allowed() {
    let mut inventory = inventory();
    inventory.walked(walk(&["/m/a.mp4", "/m/b.mp4", "/m/c.mp4"].map(|path| (path, stamp(1, at(-99))))), at(0));
    let (path, probed) = inventory.next_probe(2).unwrap();
    assert!(inventory.next_probe(2).is_some() && inventory.next_probe(2).is_none());
    inventory.probed(&path, probed, accepted("a"), at(0));
    assert!(inventory.next_probe(2).is_some());
    assert!(!inventory.snapshot().complete);
}

#[derive(Clone, Debug)]
enum Step {
    /// What each of three files is in this walk: absent, or a size.
    Walk(Vec<Option<u64>>),
    Look,
    Begin,
    Finish(usize, bool),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        prop::collection::vec(prop::option::of(1..3_u64), 3).prop_map(Step::Walk),
        Just(Step::Look),
        Just(Step::Begin),
        (0..3_usize, any::<bool>()).prop_map(|(n, good)| Step::Finish(n, good)),
        (0..4_i64).prop_map(Step::Wait),
    ]
}

proptest! {
    /// Whatever happens in whatever order: each file that is there is told of exactly once, an item was probed with the
    /// bytes it has, and once the world rests everything is decided.
    #[test]
    fn every_file_is_told_of_once_and_all_is_decided_in_the_end(steps in prop::collection::vec(step(), 0..60)) {
        let (mut inventory, mut now, mut running) = (inventory(), 0, Vec::new());
        let mut disk: BTreeMap<PathBuf, FileStamp> = BTreeMap::new();
        let as_walk = |disk: &BTreeMap<PathBuf, FileStamp>| Walk {
            files: disk.iter().map(|(path, &stamp)| (path.clone(), (0, stamp))).collect(),
            ..Walk::default()
        };
        for step in steps {
            match step {
                Step::Walk(sizes) => {
                    for (n, size) in sizes.into_iter().enumerate() {
                        let path = PathBuf::from(format!("/m/{n}.mp4"));
                        match size {
                            Some(size) => disk.insert(path, stamp(size, at(0))),
                            None => disk.remove(&path),
                        };
                    }
                    inventory.walked(as_walk(&disk), at(now));
                    let told = inventory.snapshot();
                    let all: BTreeSet<_> = told.items.keys().chain(told.refused.keys()).cloned().collect();
                    prop_assert_eq!(told.items.len() + told.refused.len(), all.len());
                    prop_assert_eq!(all, disk.keys().cloned().collect::<BTreeSet<_>>());
                    for (path, item) in &told.items {
                        prop_assert_eq!(item.stamp, disk[path]);
                    }
                }
                Step::Look => {
                    let stamps = inventory.due(at(now)).into_iter().map(|path| (path.clone(), disk.get(&path).copied()));
                    inventory.restamped(stamps.collect(), at(now));
                }
                Step::Begin => running.extend(inventory.next_probe(2)),
                Step::Finish(n, good) if n < running.len() => {
                    let (path, stamp) = running.remove(n);
                    inventory.probed(&path, stamp, if good { accepted("x") } else { refused("no") }, at(now));
                }
                Step::Finish(..) => {}
                Step::Wait(secs) => now += secs,
            }
        }
        for (path, stamp) in running {
            inventory.probed(&path, stamp, accepted("x"), at(now));
        }
        for _ in 0..2 {
            inventory.walked(as_walk(&disk), at(now));
            probe_all(&mut inventory, &accepted("x"), at(now));
            now += 2;
        }
        let told = inventory.snapshot();
        prop_assert!(told.complete && !told.refused.values().any(|refused| *refused == Refused::Settling));
        prop_assert_eq!(inventory.next_settled(), None);
    }
}

/// Goal: a file in quarantine is looked into again when somebody asks, and others are left alone. Method: ask for one that
/// was refused, one that is an item and one that is not there.
#[test]
fn a_requeued_file_is_looked_into_as_if_it_were_new() {
    let mut inventory = inventory();
    let old = stamp(5, at(-1000));
    inventory.walked(walk(&[("/m/bad.mp4", old)]), at(0));
    probe_all(&mut inventory, &refused("It is cut off."), at(0));
    inventory.walked(walk(&[("/m/bad.mp4", old), ("/m/good.mp4", old)]), at(1));
    probe_all(&mut inventory, &accepted("good"), at(1));
    inventory.take_changed();
    inventory.requeue(&["/m/bad.mp4", "/m/good.mp4", "/m/none.mp4"].map(PathBuf::from).into());
    let catalogue = inventory.take_changed().expect("it is told");
    assert_eq!(catalogue.refused[Path::new("/m/bad.mp4")], Refused::Settling);
    assert!(catalogue.items.contains_key(Path::new("/m/good.mp4")));
    let (path, stamp) = inventory.next_probe(1).expect("it is probed at once");
    assert_eq!((path.as_path(), stamp), (Path::new("/m/bad.mp4"), old));
    assert!(inventory.next_probe(2).is_none(), "and nothing else");
    inventory.probed(&path, stamp, accepted("mended"), at(2));
    assert_eq!(inventory.take_changed().expect("it is told").items.len(), 2);
}
