//! Goal: when the machine runs short of something, channels stay in step and come back by themselves. Method: the real
//! program, its limits lowered while it runs, its time taken away, watched throughout by a strict viewer.
#![expect(clippy::disallowed_methods, reason = "tests start programs and read the clock")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use nightcast::ffmpeg::Limits;
use support::aired::{assert_whole, until_programmes_begin};
use support::faults::{STILL_MAX, Seen};
use support::ffmpegs;
use support::hls_reader::Rules;
use support::media::decode_errors;
use support::shim::shim;
use support::station::{Home, Settings, Station, rest, signal};
use support::sync::{Codecs, FlashBeep};
use support::viewer::{Recording, watched};

/// Where the machine's own time does not matter, the station lives so many times faster than the world.
const SPEED: f64 = 2.0;

const CHANNEL: &str = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\norder = \"sequential\"\n\
    [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";

/// A station with two short items, both prepared and of one kind, so that no seam is a discontinuity.
fn prepared(settings: Settings) -> (Home, Station) {
    let station = "settle-seconds = 0.1".to_owned();
    let home = Home::new(Settings { channels: CHANNEL.to_owned(), station, ..settings });
    let ffmpeg = ffmpegs::system();
    let fit = FlashBeep { size: (320, 180), codecs: Codecs::HevcAac, flashes: 3, ..FlashBeep::default() };
    fit.make(&ffmpeg, &home.path("media/one/a.mp4"));
    FlashBeep { flashes: 4, ..fit }.make(&ffmpeg, &home.path("media/one/b.mp4"));
    let station = home.start();
    station.until("both are prepared", || (station.channel("one")["library"]["prepared"] == 2).then_some(()));
    (home, station)
}

fn rules() -> Rules {
    Rules { future_allowance: SignedDuration::from_millis(100), ..Rules::default() }
}

fn pass(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        rest();
    }
}

/// Sets a soft limit of a running process, in the words of `prlimit`: `--nofile=20:`.
fn limit(pid: u32, words: &str) {
    let status = Command::new("prlimit").arg("--pid").arg(pid.to_string()).arg(words).status().unwrap();
    assert!(status.success(), "prlimit {words}");
}

/// How many lines of the log hold a text.
fn count(station: &Station, text: &str) -> usize {
    station.log().lines().filter(|line| line.contains(text)).count()
}

/// Asserts that the newest segment seen ended no longer ago than the edge may be behind: the channel is in step.
fn assert_in_step(station: &Station, recording: &Recording) {
    let newest = recording.begins.values().max().unwrap();
    let behind = station.now().duration_since(*newest);
    assert!(behind < SignedDuration::from_secs(12), "{behind:?}\n{}", station.log());
}

/// Goal: without file handles nothing is thrown away, and when they are back the channel is, too. Method: forbid the running
/// server to open anything, kill its on-air ffmpeg so that it must, wait, and allow it again.
#[test]
fn without_file_handles_nothing_is_lost_and_the_channel_comes_back_by_itself() {
    let (_home, station) = prepared(Settings::default());
    let ((), recording) = watched(&station, "one", rules(), || {
        until_programmes_begin(&station, 1);
        limit(station.pid(), "--nofile=5:");
        signal(station.children("slots.ffconcat")[0], "KILL");
        // The viewer's requests wait in the kernel's queue meanwhile.
        pass(Duration::from_secs(6));
        limit(station.pid(), "--nofile=1024:");
        until_programmes_begin(&station, 3);
    });
    let log = station.log();
    assert_eq!(count(&station, "connections are not accepted"), 1, "{log}");
    assert_eq!(count(&station, "connections are accepted again"), 1, "{log}");
    assert!(count(&station, "on-air ffmpeg ended") < 10, "{log}");
    assert_eq!(count(&station, "quarantined"), 0, "{log}");
    assert_eq!(station.channel("one")["library"]["prepared"], 2, "{log}");
    assert!(assert_whole(&recording, &log) >= 2, "{log}");
    assert!(recording.discontinuities <= 1, "{log}");
    assert!(recording.stood_still < Duration::from_secs(18), "{:?}\n{log}", recording.stood_still);
    assert_in_step(&station, &recording);
    Seen::of("no file handles for 6 s, and on-air ffmpeg killed", &recording).tell();
}

/// Goal: a server that stood still is in step again at once. Method: SIGSTOP it for ten seconds of its time.
#[test]
fn a_server_that_was_stopped_for_ten_seconds_is_back_in_step() {
    let (_home, station) = prepared(Settings { speed: SPEED, ..Settings::default() });
    let ((), recording) = watched(&station, "one", rules(), || {
        until_programmes_begin(&station, 1);
        signal(station.pid(), "STOP");
        pass(Duration::from_secs_f64(10.0 / SPEED));
        signal(station.pid(), "CONT");
        until_programmes_begin(&station, 6);
    });
    assert!(recording.discontinuities <= 1, "{}", station.log());
    assert!(assert_whole(&recording, &station.log()) >= 2);
    // Ten seconds nobody can do anything about, and what a segment takes.
    let seen = Seen::at_speed("server stopped (SIGSTOP) for 10 s", &recording, SPEED);
    assert!(seen.stood_still < Duration::from_secs(10) + STILL_MAX, "{:?}", seen.stood_still);
    assert_in_step(&station, &recording);
    seen.tell();
}

/// Goal: an on-air ffmpeg that needs more memory than it may have is replaced. Method: from some moment on it is refused
/// whatever is larger than 256 bytes, as when its address space is full. Its true limit, which is far above what it uses, is
/// looked at; a lower one set while it runs would show nothing, as a copier that has found its size never asks for more.
#[test]
fn a_copier_that_gets_no_more_memory_is_replaced_and_no_gop_is_lost_or_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let starving = folder.path().join("starving");
    let starve = |pid: i32, from: i32| {
        let words: Vec<u8> = [pid, from].into_iter().flat_map(i32::to_ne_bytes).collect();
        // In place: it is mapped by all.
        let file = File::options().write(true).create(true).truncate(false).open(&starving).unwrap();
        file.write_all_at(&words, 0).unwrap();
    };
    starve(0, 0);
    let environment =
        vec![("LD_PRELOAD".into(), shim("memory").into()), ("NIGHTCAST_TEST_MEMORY".into(), starving.clone().into())];
    let (home, station) = prepared(Settings { environment, speed: SPEED, ..Settings::default() });
    let ((), recording) = watched(&station, "one", rules(), || {
        let starved = station.children("slots.ffconcat")[0];
        let limits = std::fs::read_to_string(format!("/proc/{starved}/limits")).unwrap();
        let own = limits.lines().find(|line| line.starts_with("Max address space")).unwrap();
        let due = Limits::ON_AIR.memory_bytes.unwrap().to_string();
        assert!(own.split_whitespace().any(|word| word == due), "it has a limit from birth: {own}");
        until_programmes_begin(&station, 1);
        starve(starved.cast_signed(), 256);
        station.until("another", || station.children("slots.ffconcat").into_iter().find(|pid| *pid != starved));
        until_programmes_begin(&station, 3);
    });
    let piece = home.path("piece.ts");
    for segment in recording.segments.values() {
        std::fs::write(&piece, segment).unwrap();
        assert_eq!(decode_errors(&ffmpegs::system(), &piece), Vec::<String>::new());
    }
    assert!(assert_whole(&recording, &station.log()) >= 2, "{}", station.log());
    let seen = Seen::at_speed("on-air ffmpeg out of memory", &recording, SPEED);
    assert!(seen.stood_still < STILL_MAX, "{:?}", seen.stood_still);
    assert!(recording.discontinuities <= 1, "{}", station.log());
    seen.tell();
}

/// Processes that do nothing but compute; killed when dropped.
struct Busy(Vec<Child>);

impl Busy {
    fn new(many: usize) -> Self {
        let one = || Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        Self((0..many).map(|_| one()).collect())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        for one in &mut self.0 {
            let _gone = one.kill();
            let _gone = one.wait();
        }
    }
}

/// Goal: viewers notice nothing of a machine that has too much to do. Method: eight programs compute for fifteen seconds while
/// an item is prepared that takes longer than that.
#[test]
fn a_machine_with_too_much_to_do_keeps_the_channels_pace() {
    let (home, station) = prepared(Settings::default());
    let long = FlashBeep { codecs: Codecs::Mpeg2Mp2, size: (640, 360), flashes: 60, ..FlashBeep::default() };
    long.make(&ffmpegs::system(), &home.path("media/one/long.mkv"));
    let ((), recording) = watched(&station, "one", rules(), || {
        let _busy = Busy::new(8);
        pass(Duration::from_secs(15));
    });
    assert_eq!(count(&station, "on-air ffmpeg started"), 1, "{}", station.log());
    assert!(recording.stood_still < STILL_MAX, "{:?}", recording.stood_still);
    assert_in_step(&station, &recording);
    Seen::of("8 busy programs on 2 cores, preparing under way", &recording).tell();
}
