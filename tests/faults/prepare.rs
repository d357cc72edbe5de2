//! What happens to viewers when preparing fails: its ffmpeg killed, hanging, writing without end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use crate::support::faults::{STILL_MAX, Seen};
use crate::support::ffmpegs;
use crate::support::hls_reader::Rules;
use crate::support::station::{Home, Settings, Station, files_below, signal};
use crate::support::sync::{Codecs, FlashBeep};
use crate::support::viewer::{Recording, watched};
use jiff::SignedDuration;
use nightcast::config::{PrepareMode, Preset, Profile, Style};
use nightcast::ffmpeg::Family;
use nightcast::ffmpeg::encoders::Codec;
use nightcast::prepare::MezzanineId;
use nightcast::prepare::job::{JobError, Request, Tools, task as job};
use nightcast::prepare::trial::Chosen;
use tokio_util::sync::CancellationToken;

/// Every film is encoded alike, so that seams are seamless and each discontinuity is the fault's.
const CHANNEL: &str = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\norder = \"sequential\"\nprepare = \"always\"\n\
    [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";

fn rules() -> Rules {
    Rules { future_allowance: SignedDuration::from_millis(100), ..Rules::default() }
}

/// A station on air with one film, and where to put more.
fn on_air(ffmpeg: std::ffi::OsString) -> (Home, Station) {
    let home = Home::new(Settings {
        channels: CHANNEL.to_owned(),
        ffmpeg,
        station: "workers = 2".to_owned(),
        ..Settings::default()
    });
    let fit = FlashBeep { size: (320, 180), gop: 50, flashes: 9, ..FlashBeep::default() };
    fit.make(&ffmpegs::system(), &home.path("media/one/a.mp4"));
    let station = home.start();
    station.until("it is prepared", || is_prepared(&station, 1));
    let seams = station.log().matches("programme began").count();
    station.until("it is on", || (station.log().matches("programme began").count() > seams).then_some(()));
    (home, station)
}

/// Adds a film that must be encoded.
fn add(home: &Home, name: &str) {
    let long = FlashBeep { codecs: Codecs::HevcAac, size: (320, 180), flashes: 30, ..FlashBeep::default() };
    let half = home.path(name);
    long.make(&ffmpegs::system(), &half);
    // At once and whole: a file that grows is waited for.
    fs::rename(&half, home.path(&format!("media/one/{name}"))).unwrap();
}

/// The ffmpegs that make a film's mezzanine.
fn makers(station: &Station, name: &str) -> Vec<u32> {
    let holding = station.children(name);
    holding.into_iter().filter(|pid| station.children(".m3u8").contains(pid)).collect()
}

fn is_prepared(station: &Station, films: u32) -> Option<()> {
    (station.channel("one")["library"]["prepared"] == films).then_some(())
}

/// Temporary files that belong to no mezzanine in the cache: each of those has its first name there as long as the station
/// lives.
fn left_over(home: &Home) -> Vec<String> {
    let stems: BTreeSet<String> = fs::read_dir(home.path("data/cache"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "ts"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let names = files_below(&home.path("data/cache/tmp")).into_iter();
    let names = names.map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
    let is_mezzanine = |name: &str| Path::new(name).extension().is_some_and(|ending| ending == "ts");
    names.filter(|name| !is_mezzanine(name) || !stems.iter().any(|stem| name.starts_with(stem.as_str()))).collect()
}

fn judge(fault: &str, recording: &Recording, station: &Station) {
    assert!(recording.stood_still < STILL_MAX, "{:?}\n{}", recording.stood_still, station.log());
    assert!(recording.discontinuities <= 1, "{} discontinuities\n{}", recording.discontinuities, station.log());
    assert_eq!(station.log().matches("on-air ffmpeg started").count(), 1, "{}", station.log());
    Seen::of(fault, recording).tell();
}

/// What `nightcast library` says of every film, once it holds these words: a failure is written down every few seconds.
fn told(home: &Home, station: &Station, words: &str) {
    station.until(words, || home.ask(&["library", "--json"]).1.contains(words).then_some(()));
}

/// Goal: a killed workshop costs nobody anything: what is interrupted is made again, what is killed every time is set aside
/// with a reason. Method: kill the makers of two films twice each, and that of a third whenever it is seen.
#[test]
fn a_killed_ffmpeg_is_started_again_and_after_three_kills_its_film_is_set_aside_for_a_while() {
    let (home, station) = on_air("ffmpeg".into());
    let ((), recording) = watched(&station, "one", rules(), || {
        for name in ["b.mkv", "c.mkv", "doomed.mkv"] {
            add(&home, name);
        }
        let mut killed: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        station.until("two are prepared and one is set aside", || {
            for (name, most) in [("b.mkv", 2), ("c.mkv", 2), ("doomed.mkv", 9)] {
                let done = killed.entry(name).or_default();
                for pid in makers(&station, name) {
                    if done.len() < most && done.insert(pid) {
                        // It may have ended by itself in this moment.
                        let _gone = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status();
                    }
                }
            }
            is_prepared(&station, 3)?;
            (station.channel("one")["library"]["quarantined"] == 1).then_some(())
        });
        println!("kills: {:?}", killed.values().map(BTreeSet::len).collect::<Vec<_>>());
        assert!(killed["b.mkv"].len() + killed["c.mkv"].len() >= 2, "{killed:?}\n{}", station.log());
        let reason =
            "ffmpeg was killed (signal 9; was memory short?), 3 times in a row; it is tried again in half an hour";
        told(&home, &station, reason);
    });
    judge("preparing ffmpeg killed, again and again", &recording, &station);
    assert_eq!(left_over(&home), Vec::<String>::new());
}

/// Goal: an ffmpeg that hangs holds up its own worker and nobody else. Method: of two workers' ffmpegs, stop the first one (SIGSTOP) and see the others made;
/// when it is ended its film is made, too.
#[test]
fn a_hanging_ffmpeg_keeps_neither_the_air_nor_other_films_waiting() {
    let (home, station) = on_air("ffmpeg".into());
    let ((), recording) = watched(&station, "one", rules(), || {
        add(&home, "stopped.mkv");
        let pid = station.until("it is being made", || makers(&station, "stopped.mkv").first().copied());
        signal(pid, "STOP");
        add(&home, "b.mkv");
        add(&home, "c.mkv");
        station.until("the others are made", || is_prepared(&station, 3));
        signal(pid, "KILL");
        station.until("it is made, too", || is_prepared(&station, 4));
    });
    judge("preparing ffmpeg hangs", &recording, &station);
    assert_eq!(left_over(&home), Vec::<String>::new());
}

/// Writes a program that does what an ffmpeg does, but for the mezzanines of films whose name holds a word.
pub(crate) fn wrapper(folder: &Path, word: &str, instead: &str) -> std::ffi::OsString {
    let path = folder.join("ffmpeg-wrapper");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *{word}*.m3u8*)\n  for last; do :; done\n  {instead};;\nesac\nexec ffmpeg \"$@\"\n"
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.into_os_string()
}

/// Goal: an ffmpeg that writes without end does not fill the disk. Method: one that does nothing else.
#[test]
fn an_ffmpeg_that_writes_without_end_is_ended_and_its_film_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let (home, station) =
        on_air(wrapper(folder.path(), "endless", "last=${last#file:}; exec cat /dev/zero > \"${last%.m3u8}.ts\""));
    let ((), recording) = watched(&station, "one", rules(), || {
        add(&home, "endless.mkv");
        add(&home, "b.mkv");
        station.until("it is set aside", || (station.channel("one")["library"]["quarantined"] == 1).then_some(()));
        station.until("the other is made", || is_prepared(&station, 2));
        told(&home, &station, "became far larger than its length should");
    });
    judge("preparing ffmpeg writes without end", &recording, &station);
    assert_eq!(left_over(&home), Vec::<String>::new());
}

/// Goal: an ffmpeg that does nothing is ended, and its film is not to blame. Method: one that sleeps, and a clock that skips
/// the two minutes.
#[tokio::test(start_paused = true)]
async fn an_ffmpeg_that_does_nothing_is_ended_and_the_film_may_be_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("a.mkv");
    FlashBeep { codecs: Codecs::HevcAac, ..FlashBeep::default() }.make(&ffmpegs::system(), &film);
    let item = crate::items::item(&film);
    let profile = Profile {
        width: 320,
        height: 180,
        fps: None,
        quality: 28,
        preset: Preset::Ultrafast,
        video_kbps_max: 2000,
        style: Style::default(),
        audio_kbps: 96,
        loudness_lufs: None,
        prepare: PrepareMode::Auto,
        renditions: Vec::new(),
        burn: nightcast::config::Burn::default(),
    };
    let request = Request {
        id: MezzanineId::of(&item, &profile),
        item,
        profile: Arc::new(profile),
        damage: None,
        urgent: false,
        awaited: false,
        bytes_max: 1 << 20,
        folder: folder.path().to_owned(),
        stem: "a".to_owned(),
        family: Family::default(),
    };
    let ffmpeg = wrapper(folder.path(), "a.mkv", "exec sleep 600").into();
    let encoder = Chosen::of(Codec::X264);
    let tools = Tools {
        ffmpeg,
        ffprobe: "ffprobe".into(),
        can_tone_map: false,
        can_write_text: false,
        can_burn_text: false,
        encoder,
    };
    let outcome = job::run(&request, &tools, &CancellationToken::new(), &|_| ()).await;
    assert_eq!(outcome.unwrap_err(), JobError::Interrupted("ffmpeg made no progress for 120 s".to_owned()));
    let names = files_below(folder.path()).into_iter().map(|path| path.file_name().unwrap().to_owned());
    assert_eq!(names.collect::<BTreeSet<_>>(), ["a.mkv".into(), "ffmpeg-wrapper".into()].into());
}
