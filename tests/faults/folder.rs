//! Goal: whatever happens to a watched folder, what was prepared stays on air as long as is sensible, and what comes is
//! found. Method: the real station on a folder that is taken away, emptied, renamed, closed, disturbed; a strict viewer
//! watches throughout.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::faults::{STILL_MAX, Seen};
use crate::support::ffmpegs;
use crate::support::hls_reader::Rules;
use crate::support::shim::shim;
use crate::support::station::{Home, Settings, Station, rest};
use crate::support::sync::FlashBeep;
use crate::support::viewer::watched;
use jiff::SignedDuration;

/// How soon a change must be known that no event tells.
const KNOWN_MAX: Duration = Duration::from_secs(20);

fn film(path: &Path, flashes: u32) {
    FlashBeep { size: (320, 180), flashes, ..FlashBeep::default() }.make(&ffmpegs::system(), path);
}

/// A home whose folder is media/one, with two films; so seldom walked that nothing is found by chance.
fn home(environment: Vec<(OsString, OsString)>) -> Home {
    let channels = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\norder = \"sequential\"\n\
        [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";
    let station = "settle-seconds = 0.5\nrescan-seconds = 3600".to_owned();
    let home = Home::new(Settings { channels: channels.to_owned(), station, environment, ..Settings::default() });
    film(&home.path("media/one/a.mp4"), 5);
    film(&home.path("media/one/b.mp4"), 6);
    home
}

fn wait_for_items(station: &Station, items: usize) {
    station.until("the items", || {
        let library = station.channel("one")["library"].clone();
        (library["items"] == items && library["prepared"] == items && library["settling"] == 0).then_some(())
    });
}

/// A station with both films prepared and one of them on air: the end of the slate is no part of a fault.
fn started(home: &Home) -> Station {
    let station = home.start();
    wait_for_items(&station, 2);
    station.until("a film", || (station.channel("one")["state"] == "on_air").then_some(()));
    station
}

/// Watches a station through a fault; nothing of it may reach the viewer.
fn unseen(fault: &str, station: &Station, act: impl FnOnce()) {
    let rules = Rules { future_allowance: SignedDuration::from_millis(100), ..Rules::default() };
    let ((), recording) = watched(station, "one", rules, act);
    assert!(recording.stood_still < STILL_MAX, "{:?}\n{}", recording.stood_still, station.log());
    assert_eq!(station.channel("one")["restarts"], 0, "{}", station.log());
    Seen::of(fault, &recording).tell();
}

/// Waits until a log line holding a text has come so many times.
fn wait_for_lines(station: &Station, text: &str, times: usize) {
    station.until(text, || (station.log().matches(text).count() >= times).then_some(()));
}

/// Both films must be on air again, from now on.
fn both_go_on(station: &Station) {
    let began = station.log().matches("programme began").count();
    wait_for_lines(station, "programme began", began + 3);
    let channel = station.channel("one");
    assert_eq!((&channel["state"], &channel["library"]["items"]), (&"on_air".into(), &2.into()), "{}", station.log());
}

const LOST: &str = "a folder cannot be used";
const BACK: &str = "a folder can be used again";

/// Goal: an unmounted disk takes nothing off the air, whether its mount point is gone or empty; a disk that is back is
/// watched again. Method: the folder is renamed away; then an empty one put in its place; then it comes back.
#[test]
fn an_unmounted_folder_goes_on_airing_what_was_prepared() {
    let home = home(Vec::new());
    let station = started(&home);
    let (folder, away) = (home.path("media/one"), home.path("away"));
    unseen("the folder is unmounted, and back", &station, || {
        fs::rename(&folder, &away).unwrap();
        wait_for_lines(&station, LOST, 1);
        both_go_on(&station);
        fs::create_dir(&folder).unwrap();
        wait_for_lines(&station, "is its disk mounted?", 1);
        both_go_on(&station);
        fs::remove_dir(&folder).unwrap();
        fs::rename(&away, &folder).unwrap();
        wait_for_lines(&station, BACK, 2);
        film(&folder.join("c.mp4"), 4);
        wait_for_items(&station, 3);
    });
}

/// Goal: files that were deleted stop airing soon, and come back when they do. Method: delete all of them in a folder
/// that stays; the one on air ends, then the slate comes; put them back.
#[test]
fn deleted_files_leave_the_air_and_return() {
    let home = home(Vec::new());
    let station = started(&home);
    unseen("all files are deleted, and back", &station, || {
        fs::create_dir(home.path("kept")).unwrap();
        for name in ["a.mp4", "b.mp4"] {
            fs::rename(home.path("media/one").join(name), home.path("kept").join(name)).unwrap();
        }
        wait_for_items(&station, 0);
        station.until("the slate", || (station.channel("one")["state"] == "slate").then_some(()));
        for name in ["a.mp4", "b.mp4"] {
            fs::rename(home.path("kept").join(name), home.path("media/one").join(name)).unwrap();
        }
        wait_for_items(&station, 2);
        station.until("a film", || (station.channel("one")["state"] == "on_air").then_some(()));
        both_go_on(&station);
    });
}

/// Goal: a rename of the folder above is noticed although no event tells it. Method: rename it, and back; then a new
/// film must be found.
#[test]
fn a_renamed_parent_is_noticed_soon_and_takes_nothing_off_the_air() {
    let home = home(Vec::new());
    let station = started(&home);
    unseen("the folder above is renamed, and back", &station, || {
        fs::rename(home.path("media"), home.path("moved")).unwrap();
        let renamed = Instant::now();
        wait_for_lines(&station, LOST, 1);
        println!("noticed after {:?}", renamed.elapsed());
        assert!(renamed.elapsed() < KNOWN_MAX, "{:?}\n{}", renamed.elapsed(), station.log());
        both_go_on(&station);
        fs::rename(home.path("moved"), home.path("media")).unwrap();
        wait_for_lines(&station, BACK, 1);
        film(&home.path("media/one/c.mp4"), 4);
        wait_for_items(&station, 3);
    });
}

/// Goal: without file watches the operator is told once, with the remedy, and new films still come. Method: a shim
/// refuses them; a film is dropped in.
fn without_watches(fault: &str, failing: &str) {
    let shim =
        vec![("LD_PRELOAD".into(), shim("inotify").into()), ("NIGHTCAST_TEST_INOTIFY".into(), OsString::from(failing))];
    let home = home(shim);
    let station = started(&home);
    unseen(fault, &station, || {
        film(&home.path("c.mp4"), 4);
        fs::rename(home.path("c.mp4"), home.path("media/one/c.mp4")).unwrap();
        let dropped = Instant::now();
        station.until("it is found", || (station.channel("one")["library"]["items"] == 3).then_some(()));
        assert!(dropped.elapsed() < KNOWN_MAX, "{:?}\n{}", dropped.elapsed(), station.log());
        wait_for_items(&station, 3);
    });
    let told = station.log().lines().filter(|line| line.contains("fs.inotify.max_user_watches")).count();
    assert_eq!(told, 1, "{}", station.log());
}

#[test]
fn without_inotify_instances_new_films_are_found_by_walking() {
    without_watches("no inotify instance is left", "instances");
}

#[test]
fn without_inotify_watches_new_films_are_found_by_walking() {
    without_watches("no inotify watch is left", "watches");
}

/// Goal: a folder that may not be read, or whose disk has errors, goes on airing. Method: a shim refuses to open it,
/// with EACCES and then EIO, which holds for root as well; then lets go.
#[test]
fn a_folder_that_cannot_be_read_goes_on_airing_what_was_prepared() {
    let control = tempfile::tempdir().unwrap();
    let errno = control.path().join("errno");
    let shim = vec![
        ("LD_PRELOAD".into(), shim("folder").into()),
        ("NIGHTCAST_TEST_FOLDER".into(), errno.clone().into_os_string()),
    ];
    let home = home(shim);
    let station = started(&home);
    // What has it walked: a file that is no video.
    let touch = || fs::write(home.path("media/one/notes.txt"), "look").unwrap();
    unseen("the folder cannot be read, and can again", &station, || {
        for number in ["13", "5"] {
            let (lost, back) = (station.log().matches(LOST).count(), station.log().matches(BACK).count());
            fs::write(&errno, number).unwrap();
            touch();
            wait_for_lines(&station, LOST, lost + 1);
            both_go_on(&station);
            fs::remove_file(&errno).unwrap();
            touch();
            wait_for_lines(&station, BACK, back + 1);
        }
        both_go_on(&station);
    });
}

/// Goal: a file that never rests is never an item, and disturbs nobody; at rest it is one. Method: write to a film again
/// and again for ten seconds while the channel is on air.
#[test]
fn a_file_that_changes_all_the_time_disturbs_nobody() {
    let home = home(Vec::new());
    film(&home.path("c.mp4"), 4);
    let whole = fs::read(home.path("c.mp4")).unwrap();
    let station = started(&home);
    unseen("a file changes all the time", &station, || {
        let begun = Instant::now();
        let mut written = 0;
        while begun.elapsed() < Duration::from_secs(10) {
            let end = whole.len().min(1000 + written * 100);
            let mut file = fs::File::create(home.path("media/one/c.mp4")).unwrap();
            file.write_all(&whole[..end]).unwrap();
            drop(file);
            written += 1;
            rest();
            assert_eq!(station.channel("one")["library"]["items"], 2, "{}", station.log());
        }
        fs::write(home.path("media/one/c.mp4"), &whole).unwrap();
        wait_for_items(&station, 3);
    });
}
