//! Every kind of file there is, dropped in at once while a film is on air.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use jiff::SignedDuration;

use crate::ground::{PICTURE, begun, film, home_with_subtitles, live, wait_for};
use crate::support::bad_files::{
    Address, DENIED, Neighbour, PLAYLIST, bad_files, unprivileged_ffprobe, write_playlists,
};
use crate::support::clips::{make, picture, tone};
use crate::support::ffmpegs;
use crate::support::films::{X264, films};
use crate::support::hls_reader::Rules;
use crate::support::media::decode_errors;
use crate::support::station::{Home, Station, rest};
use crate::support::viewer::{watch, watched};

/// How long it may take to look through and prepare all of it on a busy machine.
const PREPARING_MAX: Duration = Duration::from_mins(5);

/// Names that are only names, however they look to a shell, to ffmpeg or to a terminal.
const ODD_NAMES: [&[u8]; 10] = [
    b"with blanks.mp4",
    b"it's \"quoted\".mp4",
    b"%d %03d.mp4",
    b"new\nline.mp4",
    "\u{1f408}.mp4".as_bytes(),
    b"-i.mp4",
    b"\xff\xfe.mp4",
    b"pipe:0.mp4",
    b"concat:a|b.MP4",
    b"$(id).mp4",
];

/// What becomes of a file, by its name as the station tells it.
type Expected = BTreeMap<String, Fate>;

#[derive(Clone, Debug, PartialEq)]
enum Fate {
    Aired,
    Quarantined(&'static str),
}

/// Films that people own beside those every preparation is tried on.
fn more_films() -> Vec<(&'static str, String)> {
    let two = |size: &str| format!("{} {}", picture(size, "25", 2.0), tone(48_000, 2.0));
    vec![
        ("853x481.mp4", format!("{} -c:v libx264 -preset ultrafast -pix_fmt yuv444p -c:a aac", two("853x481"))),
        (
            "timecode.mov",
            format!("{} -c:v libx264 -preset ultrafast -timecode 10:00:00:00 -c:a pcm_s16le", two("320x180")),
        ),
        (
            "subtitles.mkv",
            format!(
                "{} -i words.srt -map 0 -map 1 -map 2 -attach words.srt -metadata:s:t mimetype=text/plain {X264} -g 25 -c:a aac -c:s srt",
                two("320x180")
            ),
        ),
        (
            "subtitles.mp4",
            format!("-i words.srt {} -map 1 -map 0 -map 2 {X264} -g 25 -c:a aac -c:s mov_text", two("320x180")),
        ),
        ("mpeg2.mpg", format!("{} -c:v mpeg2video -c:a mp2", two("320x180"))),
    ]
}

/// Makes everything that must air, in a folder of its own, and returns the names.
fn make_films(folder: &Path) -> Vec<String> {
    fs::write(folder.join("words.srt"), "1\n00:00:00,000 --> 00:00:01,000\nHello\n").unwrap();
    let films = films().into_iter().map(|(name, args, ..)| (name, args)).chain(more_films());
    let mut names: Vec<String> = films
        .map(|(name, args)| {
            make(folder, name, &args);
            name.to_owned()
        })
        .collect();
    fs::remove_file(folder.join("words.srt")).unwrap();
    make(folder, "rotated.mp4", "-i portrait.mp4 -c copy -metadata:s:v rotate=90");
    names.push("rotated.mp4".to_owned());
    let whole = film(folder, "whole.mkv", 4.0, "Whole");
    let bytes = fs::read(&whole).unwrap();
    fs::write(folder.join("half.mkv"), &bytes[..bytes.len() / 2]).unwrap();
    fs::remove_file(whole).unwrap();
    names.push("half.mkv".to_owned());
    for (number, name) in ODD_NAMES.iter().enumerate() {
        // Other metadata make other content, and so an item of its own.
        let plain = make(folder, "odd.mp4", &format!("-i plain.mp4 -c copy -metadata title=Odd{number}"));
        fs::rename(plain, folder.join(OsStr::from_bytes(name))).unwrap();
        names.push(told(name));
    }
    names
}

/// A name as people are told it.
fn told(name: &[u8]) -> String {
    String::from_utf8_lossy(name).replace('\n', "\u{fffd}")
}

/// Traps, and a home whose ffprobe has no privileges, so that a file nobody may read is one also where tests run as
/// root.
struct Ground {
    home: Home,
    neighbour: Neighbour,
    address: Address,
}

impl Ground {
    fn new() -> Self {
        let home = home_with_subtitles("settle-seconds = 0.3\nffprobe = \"./ffprobe.sh\"");
        // So that an ffprobe without privileges gets as far as the file.
        fs::set_permissions(home.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        unprivileged_ffprobe(&home.path("ffprobe.sh"), &home.path("calls"));
        fs::create_dir(home.path("outside")).unwrap();
        let neighbour = Neighbour::new(&home.path("outside/neighbour.ts"));
        Self { home, neighbour, address: Address::new() }
    }

    /// Makes all files beside the channel's folder, and returns what must become of each.
    fn make_all(&self) -> (PathBuf, Expected) {
        let folder = self.home.path("arriving");
        fs::create_dir(&folder).unwrap();
        let mut expected: Expected = make_films(&folder).into_iter().map(|name| (name, Fate::Aired)).collect();
        let mut refuse = |name: &str, reason| expected.insert(name.to_owned(), Fate::Quarantined(reason));
        for (name, reason) in bad_files(&folder, &folder.join("plain.mp4"), &self.home.path("outside")) {
            refuse(name, reason);
        }
        write_playlists(&folder, ["near.mp4", "near binary.mp4"], &self.neighbour.address());
        write_playlists(&folder, ["far.mp4", "far binary.mp4"], &self.address.address());
        for name in ["near.mp4", "near binary.mp4", "far.mp4", "far binary.mp4"] {
            refuse(name, PLAYLIST);
        }
        let closed = film(&folder, "closed.mp4", 2.0, "Closed");
        fs::set_permissions(closed, fs::Permissions::from_mode(0o000)).unwrap();
        refuse("closed.mp4", DENIED);
        symlink(self.home.path("media/one"), folder.join("loop")).unwrap();
        (folder, expected)
    }
}

/// What lies in a folder: sizes and times by name.
fn listing(folder: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let about = |path: PathBuf| {
        let about = fs::symlink_metadata(&path).unwrap();
        (path, (about.len(), about.modified().unwrap()))
    };
    entries.map(about).collect()
}

/// Moves everything of one folder into another, all at once.
fn drop_in(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::rename(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Waits until every file is prepared or quarantined.
fn wait_for_all(station: &Station, files: usize) {
    let deadline = Instant::now() + PREPARING_MAX;
    loop {
        let library = station.channel("one")["library"].clone();
        let count = |state: &str| usize::try_from(library[state].as_u64().unwrap()).unwrap();
        if count("settling") == 0 && count("prepared") + count("quarantined") == files {
            return;
        }
        assert!(Instant::now() < deadline, "{library} of {files} files\n{}", station.log());
        rest();
    }
}

/// Compares what `nightcast library` tells, beside the running station, with what must become of each file.
fn judge_library(home: &Home, expected: &Expected) {
    let (status, answer, complaints) = home.ask(&["library", "--json"]);
    assert!(status.success(), "{complaints}");
    let report: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let rows = report["files"].as_array().unwrap().iter();
    let found: BTreeMap<_, _> =
        rows.map(|row| (text(row, "file"), (text(row, "state"), text(row, "reason")))).collect();
    let state = |fate: &Fate| match fate {
        Fate::Aired => ("prepared".to_owned(), String::new()),
        Fate::Quarantined(reason) => ("quarantined".to_owned(), (*reason).to_owned()),
    };
    let wanted: BTreeMap<_, _> = expected.iter().map(|(name, fate)| (name.clone(), state(fate))).collect();
    assert_eq!(found, wanted);
    let problems = report["folder_problems"].as_array().unwrap();
    let reasons: Vec<_> = problems.iter().map(|problem| text(problem, "reason")).collect();
    assert_eq!(reasons, ["This link leads back to a folder it lies in, so it is not followed."]);
}

/// Lives at twenty times speed until everything that must air has been on air, and judges what a viewer got.
fn judge_air(home: &Home, expected: &Expected) {
    let wanted: BTreeSet<_> = expected.iter().filter(|(_, fate)| **fate == Fate::Aired).map(|(name, _)| name).collect();
    let station = home.start_at(20.0);
    // A whole cycle and most of another, an item lasting some seconds.
    let end = station.now() + SignedDuration::from_mins(20);
    let rules = Rules { future_allowance: SignedDuration::from_millis(500), ..Rules::default() };
    let missing = || {
        let began: BTreeSet<_> = begun(&station).into_iter().map(|(name, _)| name).collect();
        wanted.iter().filter(|name| !began.contains(**name)).copied().cloned().collect::<Vec<_>>()
    };
    let recording = watch(&station, PICTURE, rules, |_| !missing().is_empty() && station.now() < end);
    assert_eq!(missing(), Vec::<String>::new(), "never on air\n{}", station.log());
    assert_eq!(recording.violations, Vec::<String>::new(), "{}", station.log());
    assert_eq!(station.channel("one")["restarts"], 0, "{}", station.log());
    let refused: Vec<_> = begun(&station).into_iter().filter(|(name, _)| !wanted.contains(name)).collect();
    assert!(refused.is_empty(), "{refused:?}");
    station.signal("TERM");
    assert!(station.wait().0.success());
    let joined = home.path("joined.ts");
    fs::write(&joined, recording.joined()).unwrap();
    for ffmpeg in ffmpegs::all() {
        assert_eq!(decode_errors(&ffmpeg, &joined), Vec::<String>::new(), "{}", ffmpeg.version);
    }
}

#[test]
fn every_file_airs_rightly_or_is_quarantined_with_a_reason_while_the_channel_stays_on_air() {
    let ground = Ground::new();
    let home = &ground.home;
    let media = home.path("media/one");
    film(&media, "good.mp4", 4.0, "Good");
    let (folder, mut expected) = ground.make_all();
    expected.insert("good.mp4".to_owned(), Fate::Aired);
    let station = home.start_at(1.0);
    wait_for(&station, "good.mp4", 1);
    let mut before = BTreeMap::new();
    let ((), recording) = watched(&station, PICTURE, live(), || {
        drop_in(&folder, &media);
        before = listing(&media);
        // Something else than the film on air must have been seen before all are counted.
        station.until("files arrive", || (station.channel("one")["library"]["quarantined"] != 0).then_some(()));
        wait_for_all(&station, expected.len());
        judge_library(home, &expected);
    });
    assert!(recording.segments.len() > 5, "{} segments", recording.segments.len());
    assert_eq!(station.channel("one")["restarts"], 0, "{}", station.log());
    station.signal("TERM");
    assert!(station.wait().0.success());
    judge_air(home, &expected);
    assert_eq!(listing(&media), before, "nothing in the folder was touched");
    ground.neighbour.was_left_alone();
    ground.address.was_left_alone();
}
