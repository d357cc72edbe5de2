//! What happens to viewers when the disk or what lies on it fails: full, read-only, damaged, removed, shared.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::faults::{STILL_MAX, Seen};
use crate::support::ffmpegs;
use crate::support::hls_reader::Rules;
use crate::support::media::decode_errors;
use crate::support::shim::shim;
use crate::support::station::{Home, Settings, Station, rest};
use crate::support::sync::FlashBeep;
use crate::support::viewer::{Recording, watched};
use jiff::SignedDuration;
use rusqlite::Connection;

/// Every film is encoded alike, so that seams are seamless and each discontinuity is the fault's.
const CHANNEL: &str = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\norder = \"sequential\"\nprepare = \"always\"\nrewind = \"1h\"\n\
    [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";

fn rules() -> Rules {
    Rules { future_allowance: SignedDuration::from_millis(100), ..Rules::default() }
}

fn fit(flashes: u32) -> FlashBeep {
    FlashBeep { size: (320, 180), gop: 50, flashes, ..FlashBeep::default() }
}

/// A home with so many short films whose picture stays.
fn home(films: u32, environment: Vec<(std::ffi::OsString, std::ffi::OsString)>) -> Home {
    let home = Home::new(Settings { channels: CHANNEL.to_owned(), environment, ..Settings::default() });
    for n in 0..films {
        fit(7 + n).make(&ffmpegs::system(), &home.path(&format!("media/one/{n}.mp4")));
    }
    home
}

fn prepared(station: &Station, films: u32) {
    station.until("everything is prepared", || (station.channel("one")["library"]["prepared"] == films).then_some(()));
    // Until then the card may be on, or a film that was not whole when it began.
    let seams = lines_of(station, "programme began");
    station.until("a whole film is on", || (lines_of(station, "programme began") > seams).then_some(()));
}

/// Lets time pass while a viewer watches.
fn pass(secs: u64) {
    let end = Instant::now() + Duration::from_secs(secs);
    while Instant::now() < end {
        rest();
    }
}

/// What every fault here must leave the viewer with; returns the row's values.
fn judge(fault: &str, recording: &Recording, discontinuities_max: usize, station: &Station) {
    assert!(recording.stood_still < STILL_MAX, "{:?}\n{}", recording.stood_still, station.log());
    assert!(
        recording.discontinuities <= discontinuities_max,
        "{} discontinuities\n{}",
        recording.discontinuities,
        station.log()
    );
    Seen::of(fault, recording).tell();
}

/// How many lines of the log hold a text.
fn lines_of(station: &Station, holding: &str) -> usize {
    station.log().lines().filter(|line| line.contains(holding)).count()
}

fn database(home: &Home) -> PathBuf {
    home.path("data/station.sqlite")
}

fn rows(home: &Home, table: &str) -> i64 {
    let connection = Connection::open(database(home)).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    connection.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap_or(0)
}

fn set_aside(home: &Home) -> Vec<PathBuf> {
    let names = fs::read_dir(home.path("data")).unwrap().map(|entry| entry.unwrap().path());
    names.filter(|path| path.to_string_lossy().contains(".corrupt-")).collect()
}

/// The environment in which a disk can be made to take nothing, and the switch.
struct Disk {
    control: PathBuf,
    _folder: tempfile::TempDir,
}

impl Disk {
    fn new() -> (Self, Vec<(std::ffi::OsString, std::ffi::OsString)>) {
        let folder = tempfile::tempdir().unwrap();
        let control = folder.path().join("control");
        let environment = vec![
            ("LD_PRELOAD".into(), shim("disk").into_os_string()),
            ("SHIM_DISK_CONTROL".into(), control.clone().into_os_string()),
        ];
        (Self { control, _folder: folder }, environment)
    }

    fn fails(&self, how: &str, below: &Path) {
        let half = self.control.with_extension("half");
        fs::write(&half, format!("{how}\n{}\n", below.canonicalize().unwrap().display())).unwrap();
        fs::rename(half, &self.control).unwrap();
    }

    fn works(&self) {
        fs::remove_file(&self.control).unwrap();
    }
}

/// A disk that takes nothing for a while: what is prepared airs on, new films wait, everything goes on by itself.
fn a_disk_that_takes_nothing(how: &str, fault: &str) {
    let (disk, environment) = Disk::new();
    let home = home(3, environment);
    let station = home.start();
    prepared(&station, 3);
    let ((), recording) = watched(&station, "one", rules(), || {
        disk.fails(how, &home.path("data"));
        // It is noticed by what must be kept and by what must be made.
        fit(11).make(&ffmpegs::system(), &home.path("media/one/late.mp4"));
        station.wait_for_log("told what to do", |line| line.contains("nothing can be prepared (hint: make room"));
        station.wait_for_log("told that nothing is kept", |line| line.contains("are not kept for now (hint:"));
        station.wait_for_log("told that the past is not kept", |line| {
            line.contains("past is not kept for now (hint:") || line.contains("can go back less far")
        });
        pass(8);
        let aired = |table: &str| rows(&home, table);
        let before = aired("aired");
        disk.works();
        station.wait_for_log("kept again", |line| line.contains("plan and history are kept again"));
        station.until("the history has what aired meanwhile", || (aired("aired") > before).then_some(()));
        // The new film comes by itself once the pause after a failure is over.
        station.until("it is made", || (station.channel("one")["library"]["prepared"] == 4).then_some(()));
    });
    station.wait_for_log("the past is kept again", |line| line.contains("the channel's past is kept again"));
    station.until("one may go back again", || (station.get("/channels/one/rewind.m3u8").status == 200).then_some(()));
    judge(fault, &recording, 0, &station);
    for told in ["nothing can be prepared", "are not kept for now"] {
        assert_eq!(lines_of(&station, told), 1, "told once\n{}", station.log());
    }
    assert_eq!(lines_of(&station, "quarantined"), 0, "{}", station.log());
}

/// Goal: a full disk takes nothing from viewers. Method: writes below the data folder fail with ENOSPC, in the station and
/// in its ffmpegs, while a new film waits; then there is room again.
#[test]
fn a_full_disk_stops_preparing_and_keeping_but_not_the_air_and_both_go_on_by_themselves() {
    a_disk_that_takes_nothing("full", "disk full for half a minute");
}

/// Goal: the same where the disk was mounted read-only. Method: EROFS.
#[test]
fn a_data_folder_that_becomes_read_only_stops_preparing_and_keeping_but_not_the_air() {
    a_disk_that_takes_nothing("readonly", "data folder read-only for half a minute");
}

/// Goal: who cannot write says so and what to do. Method: the first start below a read-only folder.
#[test]
fn a_station_that_cannot_write_its_data_does_not_start_and_says_what_to_do() {
    let (disk, environment) = Disk::new();
    let home = home(0, environment);
    fs::create_dir_all(home.path("data")).unwrap();
    disk.fails("readonly", &home.path("data"));
    let (status, _, said) = home.ask(&["run"]);
    assert_eq!(status.code(), Some(3), "{said}");
    assert!(said.contains("it must be writable by the user that runs nightcast"), "{said}");
    assert!(said.contains("Read-only file system"), "{said}");
}

/// Goal: a second station does no harm. Method: start one on the same folder while a viewer watches the first; then kill the
/// first, and start at once.
#[test]
fn a_second_station_on_the_same_data_is_refused_and_told_by_whom_and_the_first_goes_on() {
    let home = home(2, Vec::new());
    let station = home.start();
    prepared(&station, 2);
    let ((), recording) = watched(&station, "one", rules(), || {
        let (status, _, said) = home.ask(&["run"]);
        assert_eq!(status.code(), Some(3), "{said}");
        let by = format!("another station (process {}) is using the data folder", station.pid());
        assert!(said.contains(&by), "{said}");
        pass(5);
    });
    judge("a second station on the same data", &recording, 0, &station);
    station.signal("KILL");
    let _killed = station.wait();
    let next = home.start();
    next.until("the next is on air", || next.playlist("one"));
}

/// Goal: a database that another program holds costs nothing but patience. Method: an exclusive lock for longer than the
/// station waits for one, while it runs.
#[test]
fn a_locked_database_is_waited_for_and_what_aired_meanwhile_is_kept() {
    let home = home(2, Vec::new());
    let station = home.start();
    prepared(&station, 2);
    station.until("something was kept", || (rows(&home, "plan") == 1).then_some(()));
    let before = rows(&home, "aired");
    let ((), recording) = watched(&station, "one", rules(), || {
        let holder = Connection::open(database(&home)).unwrap();
        holder.busy_timeout(Duration::from_secs(5)).unwrap();
        holder.execute_batch("BEGIN IMMEDIATE").unwrap();
        station.wait_for_log("told", |line| line.contains("are not kept for now (hint:"));
        holder.execute_batch("ROLLBACK").unwrap();
        station.wait_for_log("kept again", |line| line.contains("plan and history are kept again"));
        station.until("what aired meanwhile is kept", || (rows(&home, "aired") > before).then_some(()));
    });
    judge("database locked by another program", &recording, 0, &station);
}

/// Goal: whatever is done to the database of a running station, it goes on, and has one that the next start finds sound.
/// Method: break it in four ways, one after the other, while a viewer watches.
#[test]
fn a_database_that_is_removed_emptied_or_overwritten_while_it_runs_is_replaced() {
    type Break = fn(&Path);
    let ways: [(&str, Break, bool); 4] = [
        ("removed", |path| fs::remove_file(path).unwrap(), false),
        ("emptied", |path| fs::write(path, "").unwrap(), true),
        ("overwritten with random bytes", |path| fs::write(path, noise(200_000)).unwrap(), true),
        (
            "replaced by a foreign file",
            |path| {
                fs::remove_file(path).unwrap();
                fs::write(path, "somebody's notes").unwrap();
            },
            true,
        ),
    ];
    let home = home(2, Vec::new());
    let station = home.start();
    prepared(&station, 2);
    let ((), recording) = watched(&station, "one", rules(), || {
        let mut aside = 0;
        for (name, break_it, keeps) in ways {
            station.until("a plan is kept", || (rows(&home, "plan") == 1).then_some(()));
            break_it(&database(&home));
            // Opening an emptied file would make it a database: the station must be the first to look.
            station.until(name, || {
                let told = lines_of(&station, "the database was") + lines_of(&station, "begun anew");
                let now = set_aside(&home).iter().filter(|path| !is_log(path)).count();
                (told > 0
                    && (now > aside || !keeps)
                    && fs::read(database(&home)).is_ok_and(|all| all.starts_with(b"SQLite format 3")))
                .then(|| aside = now)
            });
        }
        station.until("a plan is kept", || (rows(&home, "plan") == 1).then_some(()));
    });
    judge("database removed, emptied, overwritten while running", &recording, 0, &station);
    station.signal("TERM");
    assert!(station.wait().0.success());
    let checked: String =
        Connection::open(database(&home)).unwrap().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(checked, "ok");
    let notes = set_aside(&home).iter().any(|path| fs::read(path).unwrap() == b"somebody's notes");
    assert!(notes, "nothing is deleted: {:?}", set_aside(&home));
}

fn is_log(path: &Path) -> bool {
    let name = path.to_string_lossy();
    name.ends_with("-wal") || name.ends_with("-shm")
}

/// Bytes without an order, the same each time.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

/// Goal: whatever lies where the database should be, the station starts, keeps what it found, and need not prepare anew.
/// Method: stop it, break the database, start it again, in four ways.
#[test]
fn a_station_with_a_broken_database_starts_sets_it_aside_and_finds_what_was_prepared() {
    type Break = fn(&Path);
    let ways: [(&str, Break, usize); 4] = [
        ("deleted", |path| fs::remove_file(path).unwrap(), 0),
        ("empty", |path| fs::write(path, "").unwrap(), 0),
        (
            "cut",
            |path| {
                let len = path.metadata().unwrap().len();
                fs::File::options().write(true).open(path).unwrap().set_len(len / 2 + 100).unwrap();
            },
            1,
        ),
        ("noise", |path| fs::write(path, noise(50_000)).unwrap(), 1),
    ];
    let home = home(2, Vec::new());
    let first = home.start();
    prepared(&first, 2);
    first.signal("TERM");
    assert!(first.wait().0.success());
    let mut aside = 0;
    for (name, break_it, kept) in ways {
        break_it(&database(&home));
        let station = home.start();
        prepared(&station, 2);
        assert_eq!(lines_of(&station, "preparing begins"), 0, "{name}\n{}", station.log());
        aside += kept;
        let found = set_aside(&home).iter().filter(|path| !is_log(path)).count();
        assert_eq!(found, aside, "{name}: {:?}", set_aside(&home));
        assert_eq!(lines_of(&station, "was damaged and is begun anew"), kept, "{name}\n{}", station.log());
        let ((), recording) = watched(&station, "one", rules(), || pass(2));
        judge(&format!("started with its database {name}"), &recording, 0, &station);
        station.signal("TERM");
        assert!(station.wait().0.success());
    }
}

/// The prepared files in the cache, by size; slates not among them.
fn mezzanines(home: &Home) -> Vec<PathBuf> {
    let files = fs::read_dir(home.path("data/cache")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| {
            path.extension().is_some_and(|ending| ending == "ts") && !path.to_string_lossy().contains("/slate")
        })
        .collect();
    files.sort_by_key(|path| path.metadata().unwrap().len());
    files
}

/// Breaks every prepared file while one is on air: viewers see one discontinuity at worst, nothing broken reaches them, and
/// the items are made again.
fn broken_files(fault: &str, break_it: impl Fn(&Path)) {
    let home = home(3, Vec::new());
    let station = home.start();
    prepared(&station, 3);
    assert_eq!(mezzanines(&home).len(), 3);
    let made = lines_of(&station, "\"prepared\"");
    let ((), recording) = watched(&station, "one", rules(), || {
        pass(3);
        for path in mezzanines(&home) {
            break_it(&path);
        }
        station.until("all are made again", || {
            (lines_of(&station, "\"prepared\"") >= made + 3 && station.channel("one")["library"]["prepared"] == 3)
                .then_some(())
        });
        pass(6);
    });
    assert_eq!(lines_of(&station, "quarantined"), 0, "{}", station.log());
    // One for the fault, and one for each change to and from the card where nothing is left.
    judge(fault, &recording, 3, &station);
    let piece = home.path("piece.ts");
    for bytes in recording.segments.values() {
        fs::write(&piece, bytes).unwrap();
        assert_eq!(decode_errors(&ffmpegs::system(), &piece), Vec::<String>::new());
    }
}

#[test]
fn prepared_files_deleted_while_on_air_are_made_again() {
    broken_files("all prepared files deleted", |path| fs::remove_file(path).unwrap());
}

#[test]
fn prepared_files_truncated_while_on_air_are_made_again() {
    broken_files("all prepared files truncated", |path| {
        fs::File::options().write(true).open(path).unwrap().set_len(1000).unwrap();
    });
}

#[test]
fn prepared_files_with_flipped_bits_are_not_aired_and_made_again() {
    broken_files("all prepared files with flipped bits", |path| {
        let file = fs::File::options().read(true).write(true).open(path).unwrap();
        let len = file.metadata().unwrap().len();
        for at in (500..len).step_by(4001) {
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
        }
    });
}
