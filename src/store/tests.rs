//! What survives a restart, and what happens to a damaged database.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::config::Order;
use crate::library::{FileStamp, MediaInfo, Metadata, VideoInfo, sample};
use crate::schedule::{Candidate, Kind, Plan, Programme, Role};
use crate::store::StoredVerdict;
use crate::units::{ContentKey, MediaTime};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(secs).unwrap()
}

fn cats() -> ChannelId {
    ChannelId::new("cats").unwrap()
}

fn metadata(title: &str) -> Metadata {
    Metadata { title: title.to_owned(), author: Some("\u{e9}".to_owned()), ..Metadata::default() }
}

fn media() -> MediaInfo {
    let rate = (30_000, 1001);
    let video = VideoInfo { fps: rate, fps_base: rate, bit_rate: Some(3_000_000), ..sample::video(1280, 720) };
    sample::media(video, MediaTime(123_456_789))
}

fn known(path: impl Into<PathBuf>, verdict: StoredVerdict) -> KnownFile {
    let stamp = FileStamp { size: u64::from(u32::MAX) + 5, mtime_ns: -7 };
    KnownFile { path: path.into(), stamp, key: ContentKey("0123".into()), verdict }
}

fn accepted(path: impl Into<PathBuf>) -> KnownFile {
    known(path, StoredVerdict::Accepted { media: Box::new(media()), metadata: metadata("A cat") })
}

fn id(key: &str) -> MezzanineId {
    MezzanineId { key: ContentKey(key.into()), profile: "720p".into() }
}

#[tokio::test]
async fn what_is_known_of_a_file_is_given_back_whatever_its_name() {
    let store = Store::in_memory().await.unwrap();
    let odd = PathBuf::from(OsString::from_vec(b"/media/a \xff\n'\"%d.mp4".to_vec()));
    let files =
        vec![accepted(odd), known("/media/b.mp4", StoredVerdict::Quarantined { reason: "It is empty.".into() })];
    store.put_files(files.clone()).await.unwrap();
    assert_eq!(store.known_files(Path::new("/media")).await.unwrap(), files);
}

#[tokio::test]
async fn only_files_below_the_folder_are_given() {
    let store = Store::in_memory().await.unwrap();
    for path in ["/m/a.mp4", "/m/b/c.mp4", "/m-x/d.mp4", "/m0.mp4", "/e.mp4"] {
        store.put_files(vec![accepted(path)]).await.unwrap();
    }
    for root in ["/m", "/m/"] {
        let found: Vec<_> = store.known_files(Path::new(root)).await.unwrap().into_iter().map(|f| f.path).collect();
        assert_eq!(found, [PathBuf::from("/m/a.mp4"), PathBuf::from("/m/b/c.mp4")]);
    }
}

#[tokio::test]
async fn what_was_judged_by_other_rules_is_not_known() {
    let store = Store::in_memory().await.unwrap();
    store.put_files(vec![accepted("/m/a.mp4"), accepted("/m/b.mp4")]).await.unwrap();
    let other = |connection: &mut Connection| {
        Ok(connection.execute("UPDATE file SET rules = rules + 1 WHERE path = ?1", [&b"/m/a.mp4"[..]])?)
    };
    assert_eq!(store.ask(other).await.unwrap(), 1);
    assert_eq!(store.known_files(Path::new("/m")).await.unwrap(), [accepted("/m/b.mp4")]);
}

#[tokio::test]
async fn a_file_is_replaced_and_forgotten_by_its_path() {
    let store = Store::in_memory().await.unwrap();
    store.put_files(vec![accepted("/m/a.mp4")]).await.unwrap();
    let refused = known("/m/a.mp4", StoredVerdict::Quarantined { reason: "It is empty.".into() });
    store.put_files(vec![refused.clone()]).await.unwrap();
    assert_eq!(store.known_files(Path::new("/m")).await.unwrap(), [refused]);
    store.forget_files(vec!["/m/a.mp4".into()]).await.unwrap();
    assert_eq!(store.known_files(Path::new("/m")).await.unwrap(), []);
}

#[tokio::test]
async fn failures_to_prepare_are_kept_until_forgotten() {
    let store = Store::in_memory().await.unwrap();
    store.put_failure(id("aa"), "Its sound is broken.".into()).await.unwrap();
    store.put_failure(id("bb"), "first".into()).await.unwrap();
    store.put_failure(id("bb"), "second".into()).await.unwrap();
    store.forget_failure(id("aa")).await.unwrap();
    assert_eq!(store.failures().await.unwrap(), [StoredFailure { id: id("bb"), reason: "second".into() }]);
}

#[tokio::test]
async fn a_plan_is_replaced_whole_and_given_back_exactly() {
    let store = Store::in_memory().await.unwrap();
    assert_eq!(store.load_plan(cats()).await.unwrap(), None);
    let programme = |serial: u64| Programme {
        serial,
        key: ContentKey("aa".into()),
        name: "cats/a.mp4".into(),
        metadata: Arc::new(metadata("A cat")),
        start: Timestamp::from_nanosecond(1_790_000_000_123_456_789).unwrap(),
        duration: MediaTime(7),
        role: Role {
            kind: Kind::ALL[usize::try_from(serial).unwrap() % 5],
            part: "block Series".into(),
            due: (serial.is_multiple_of(2)).then(|| at(1_790_000_300)),
        },
    };
    let plan = |serials: std::ops::Range<u64>| StoredPlan {
        next_serial: serials.end,
        programmes: serials.map(programme).collect(),
        picker: json!({"deck": [1, 2]}),
    };
    store.save_plan(cats(), plan(1..50)).await.unwrap();
    store.save_plan(cats(), plan(20..30)).await.unwrap();
    assert_eq!(store.load_plan(cats()).await.unwrap(), Some(plan(20..30)));
    assert_eq!(store.load_plan(ChannelId::new("dogs").unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn a_programme_that_was_moved_forward_keeps_its_place() {
    let store = Store::in_memory().await.unwrap();
    let item = |name: &str| Candidate {
        key: ContentKey(name.into()),
        name: name.into(),
        duration: MediaTime::from_secs(7_200),
        metadata: Arc::new(metadata("A cat")),
    };
    let library = ["a", "b", "c", "d", "e"].map(item);
    let mut plan = Plan::new(1);
    plan.extend(&Order::Shuffle, &library, at(1_790_000_000));
    assert!(plan.promote(plan.programmes()[4].serial, 0));
    let programmes: Vec<_> = plan.programmes().iter().cloned().collect();
    let kept = StoredPlan { programmes, next_serial: plan.next_serial(), picker: json!({}) };
    store.save_plan(cats(), kept.clone()).await.unwrap();
    assert_eq!(store.load_plan(cats()).await.unwrap(), Some(kept));
}

#[tokio::test]
async fn of_a_long_plan_only_what_changed_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("nightcast.db"), NOW).await.unwrap();
    let programme = |serial: u64| Programme {
        serial,
        key: ContentKey(format!("{serial:032}").into()),
        name: format!("clips/{serial}.mp4").into(),
        metadata: Arc::new(metadata("A clip")),
        start: at(30 * serial.cast_signed()),
        duration: MediaTime::from_secs(30),
        role: Role::default(),
    };
    let plan =
        StoredPlan { programmes: (0..3000).map(programme).collect(), next_serial: 3000, picker: json!([1, 2, 3]) };
    store.save_plan(cats(), plan.clone()).await.unwrap();
    let written = |store: Store| async move { store.ask(|connection| Ok(connection.total_changes())).await.unwrap() };
    let before = written(store.clone()).await;
    let mut later = plan.clone();
    later.programmes.remove(0);
    later.programmes[5].duration = MediaTime::from_secs(31);
    let begun = std::time::Instant::now();
    store.save_plan(cats(), later.clone()).await.unwrap();
    println!("a plan of 3,000 programmes was saved in {:?}", begun.elapsed());
    assert_eq!(store.load_plan(cats()).await.unwrap(), Some(later));
    assert!(written(store).await - before < 10, "only what changed is written");
}

fn aired(secs: i64) -> Aired {
    Aired {
        serial: (secs % 2 == 0).then_some(5),
        key: (secs % 2 == 0).then(|| ContentKey("aa".into())),
        kind: if secs % 200 == 0 { Kind::Ident } else { Kind::Item },
        metadata: Arc::new(metadata("A cat")),
        start: at(secs),
        duration: MediaTime::from_secs(60),
        from: MediaTime::from_secs(10),
        aired: MediaTime::from_secs(50),
    }
}

#[tokio::test]
async fn history_gives_the_newest_airings_oldest_first() {
    let store = Store::in_memory().await.unwrap();
    for secs in [300, 100, 200] {
        store.add_aired(cats(), aired(secs)).await.unwrap();
    }
    assert_eq!(store.aired_since(cats(), at(150), 9).await.unwrap(), [aired(200), aired(300)]);
    assert_eq!(store.aired_since(cats(), at(0), 1).await.unwrap(), [aired(300)]);
}

/// Goal: a history that was kept before it said what each programme was there for is read on. Method: a database as the version
/// before left it.
#[tokio::test]
async fn what_was_on_before_kinds_were_kept_is_an_item() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("station.sqlite");
    let store = Store::open(&path, NOW).await.unwrap();
    store.add_aired(cats(), aired(200)).await.unwrap();
    store.close().await;
    let older = Connection::open(&path).unwrap();
    older.execute_batch("ALTER TABLE aired DROP COLUMN kind; PRAGMA user_version = 3").unwrap();
    older.close().unwrap();
    let store = Store::open(&path, NOW).await.unwrap();
    store.add_aired(cats(), aired(400)).await.unwrap();
    let kinds: Vec<Kind> = store.aired_since(cats(), at(0), 9).await.unwrap().iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [Kind::Item, Kind::Ident]);
    store.close().await;
}

#[tokio::test]
async fn history_is_bounded_in_days_and_in_rows() {
    let store = Store::in_memory().await.unwrap();
    let later = queries::HISTORY_DAYS * 86_400 + 150;
    for secs in [100, 200, later] {
        store.add_aired(cats(), aired(secs)).await.unwrap();
    }
    let starts = |aired: Vec<Aired>| aired.iter().map(|a| a.start.as_second()).collect::<Vec<_>>();
    assert_eq!(starts(store.aired_since(cats(), at(0), 9).await.unwrap()), [200, later]);
    store.ask(|connection| queries::keep_newest(connection, "cats", 1)).await.unwrap();
    assert_eq!(starts(store.aired_since(cats(), at(0), 9).await.unwrap()), [later]);
}

#[tokio::test]
async fn continuity_survives_closing_and_opening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/nightcast.db");
    let here = Continuity { msn: 1_790_000_000, discontinuity_sequence: 7, edge: at(12) };
    let store = Store::open(&path, NOW).await.unwrap();
    assert_eq!(store.load_continuity(cats()).await.unwrap(), None);
    store.save_continuity(cats(), here).await.unwrap();
    let other = store.clone();
    store.close().await;
    assert!(matches!(other.load_continuity(cats()).await, Err(StoreError::Closed)));
    let store = Store::open(&path, NOW).await.unwrap();
    assert_eq!(store.load_continuity(cats()).await.unwrap(), Some(here));
}

#[tokio::test]
async fn a_damaged_database_is_moved_aside_and_begun_anew() {
    for damage in ["not a database at all", "pages overwritten"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nightcast.db");
        if damage == "pages overwritten" {
            let store = Store::open(&path, NOW).await.unwrap();
            store.put_files((0..500).map(|n| accepted(format!("/m/{n}"))).collect()).await.unwrap();
            store.close().await;
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[8192..40_000].fill(0x5a);
            std::fs::write(&path, bytes).unwrap();
        } else {
            std::fs::write(&path, damage.repeat(100)).unwrap();
        }
        let store = Store::open(&path, at(1234)).await.unwrap();
        assert_eq!(store.known_files(Path::new("/m")).await.unwrap(), [], "{damage}");
        store.put_files(vec![accepted("/m/a")]).await.unwrap();
        assert!(folder.path().join("nightcast.db.corrupt-1234").exists(), "{damage}");
    }
}

/// What lies beside a database that was moved aside.
fn aside(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.contains(".corrupt-") && !name.ends_with("-shm")).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_database_that_is_removed_or_replaced_while_open_is_written_again_whole() {
    for foreign in [None, Some("a file of somebody's")] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nightcast.db");
        let store = Store::open(&path, NOW).await.unwrap();
        store.put_files((0..50).map(|n| accepted(format!("/m/{n}"))).collect()).await.unwrap();
        std::fs::remove_file(&path).unwrap();
        if let Some(text) = foreign {
            std::fs::write(&path, text).unwrap();
        }
        store.put_files(vec![accepted("/m/new")]).await.unwrap();
        store.close().await;
        let store = Store::open(&path, NOW).await.unwrap();
        assert_eq!(store.known_files(Path::new("/m")).await.unwrap().len(), 51, "{foreign:?}");
        let kept = aside(folder.path())
            .iter()
            .any(|name| std::fs::read(folder.path().join(name)).unwrap() == foreign.unwrap_or_default().as_bytes());
        assert_eq!(kept, foreign.is_some(), "what lay there is not deleted");
    }
}

#[tokio::test]
async fn a_database_that_is_overwritten_or_emptied_while_open_is_begun_anew() {
    for damage in [vec![0x5a; 100_000], Vec::new()] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nightcast.db");
        let store = Store::open(&path, NOW).await.unwrap();
        store.put_files((0..50).map(|n| accepted(format!("/m/{n}"))).collect()).await.unwrap();
        // In place: the file that is open is the one that is damaged.
        std::fs::write(&path, &damage).unwrap();
        store.put_files(vec![accepted("/m/new")]).await.unwrap();
        store.close().await;
        assert!(!aside(folder.path()).is_empty());
        let store = Store::open(&path, NOW).await.unwrap();
        assert_eq!(store.known_files(Path::new("/m")).await.unwrap(), [accepted("/m/new")]);
    }
}

#[tokio::test]
async fn a_database_of_another_program_is_moved_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nightcast.db");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE file (of TEXT); CREATE TABLE theirs (a TEXT)").unwrap();
    drop(connection);
    let store = Store::open(&path, NOW).await.unwrap();
    store.put_files(vec![accepted("/m/a")]).await.unwrap();
    assert_eq!(aside(folder.path()), ["nightcast.db.corrupt-0"]);
    let theirs = Connection::open(folder.path().join("nightcast.db.corrupt-0")).unwrap();
    assert!(theirs.table_exists(None, "theirs").unwrap());
}

#[tokio::test]
async fn a_database_of_a_later_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nightcast.db");
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(matches!(Store::open(&path, NOW).await, Err(StoreError::Newer { found: 99, .. })));
    assert!(path.exists());
}

#[tokio::test]
async fn ten_thousand_known_files_are_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("nightcast.db"), NOW).await.unwrap();
    store.put_files((0..10_000).map(|n| accepted(format!("/media/films/{n:05}.mkv"))).collect()).await.unwrap();
    let begun = std::time::Instant::now();
    let files = store.known_files(Path::new("/media")).await.unwrap();
    println!("10,000 known files were read in {:?}", begun.elapsed());
    assert_eq!(files.len(), 10_000);
}

/// Goal: a channel that was taken off the air is still off after a restart. Method: close and open; take one back.
#[tokio::test]
async fn what_is_off_the_air_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("station.sqlite");
    let (a, b) = (ChannelId::new("a").unwrap(), ChannelId::new("b").unwrap());
    let since = Timestamp::from_second(1_795_000_000).unwrap();
    let store = Store::open(&path, since).await.unwrap();
    store.set_off(a.clone(), Some(since)).await.unwrap();
    store.set_off(b.clone(), Some(since)).await.unwrap();
    store.set_off(b, None).await.unwrap();
    store.close().await;
    let store = Store::open(&path, since).await.unwrap();
    assert_eq!(store.off().await.unwrap(), [(a, since)]);
    store.close().await;
}

/// Goal: it is known since when a file is refused; for one that may be played nothing is told. Method: judge both.
#[tokio::test]
async fn it_is_noted_since_when_a_file_is_refused() {
    let store = Store::in_memory().await.unwrap();
    let reason = "It is cut off.".to_owned();
    let files = vec![known("/m/bad.mp4", StoredVerdict::Quarantined { reason: reason.clone() }), accepted("/m/a.mp4")];
    store.put_files(files).await.unwrap();
    let id = MezzanineId { key: ContentKey("k".into()), profile: "p".into() };
    store.put_failure(id.clone(), reason).await.unwrap();
    let judged = store.judgements().await.unwrap();
    assert_eq!(judged.files.keys().collect::<Vec<_>>(), [Path::new("/m/bad.mp4")]);
    assert_eq!(judged.items.keys().collect::<Vec<_>>(), [&id]);
    assert!(judged.files.values().chain(judged.items.values()).all(|since| since.as_second() > 1_700_000_000));
}
