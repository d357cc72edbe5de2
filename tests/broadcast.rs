//! A whole channel on real ffmpeg, watched from outside as a viewer would: thirty minutes at thirty times speed.
#![expect(clippy::disallowed_methods, reason = "tests start programs and read what they wrote")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::SignedDuration;
use support::ffmpegs::{self, Ffmpeg};
use support::hls_reader::Rules;
use support::media::{Kind, decode_errors, largest_gap, packets};
use support::station::{Home, Settings};
use support::sync::{Codecs, FlashBeep, measure};
use support::viewer::{Recording, watch};

/// How fast the station lives.
const SPEED: f64 = 30.0;

/// How much of the channel is watched.
const WATCHED: SignedDuration = SignedDuration::from_mins(30);

/// The channel everything is watched on: a small picture, so that two cores carry two stations at thirty times speed.
const CHANNEL: &str = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\n\
    [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";

/// Items that are out of step by less than a millisecond from birth, of six kinds; two of them fit as they are.
fn make_mixed_library(folder: &Path) {
    let ffmpeg = ffmpegs::system();
    let plain = FlashBeep::default();
    let kinds = [
        ("a fit.mp4", FlashBeep { gop: 50, size: (320, 180), ..plain.clone() }),
        ("b hevc.mkv", FlashBeep { codecs: Codecs::HevcAac, fps: (30, 1), sample_rate: 44_100, ..plain.clone() }),
        ("c mpeg2.ts", FlashBeep { codecs: Codecs::Mpeg2Mp2, fps: (30_000, 1001), ..plain.clone() }),
        ("d fast.mp4", FlashBeep { fps: (50, 1), channels: 1, flashes: 7, ..plain.clone() }),
        ("e fit.mkv", FlashBeep { fps: (24, 1), size: (256, 144), b_frames: 0, gop: 24, ..plain.clone() }),
        ("f wide.mov", FlashBeep { size: (426, 240), channels: 6, fps: (24_000, 1001), gop: 240, ..plain }),
    ];
    for (name, clip) in kinds {
        clip.make(&ffmpeg, &folder.join(name));
    }
}

/// Thirty minutes of channel with one ffmpeg.
///
/// Goal: nothing a viewer sees breaks a rule, at some three hundred item boundaries. Method: flash-and-beep items of six
/// kinds at thirty times speed; every playlist is read by three strict readers, all segments are joined and decoded.
fn every_rule_holds_for_thirty_minutes(ffmpeg: &Ffmpeg) {
    let home = Home::new(Settings {
        ffmpeg: ffmpeg.program.clone().into(),
        speed: SPEED,
        station: "settle-seconds = 0.1".to_owned(),
        channels: CHANNEL.to_owned(),
        ..Settings::default()
    });
    make_mixed_library(&home.path("media/one"));
    prepare_everything(&home);
    let station = home.start();
    // The reader's own clock is read before the request: it may be a little behind the station's, thirty times as fast.
    let rules = Rules { future_allowance: SignedDuration::from_millis(500), ..Rules::default() };
    let end = station.now() + WATCHED;
    let recording = watch(&station, "one", rules, |_| station.now() < end);
    assert_eq!(recording.violations, Vec::<String>::new(), "{}", station.log());
    let channel = station.channel("one");
    assert_eq!(channel["restarts"], 0, "{}", station.log());
    drop(station);

    judge_playlists(&home.path("judged"), &recording.playlists);
    judge_media(ffmpeg, &home.path("joined.ts"), &recording);
}

/// Lives at real time until every item is prepared, so that the fast life has nothing else to do.
fn prepare_everything(home: &Home) {
    let station = home.start_at(1.0);
    station.until("everything is prepared", || {
        let library = station.channel("one")["library"].clone();
        assert_eq!(library["quarantined"], 0, "{}", station.log());
        (library["prepared"] == 6).then_some(())
    });
    station.signal("TERM");
    assert!(station.wait().0.success());
}

/// Three opinions on each playlist: our own reader's was heard while watching.
fn judge_playlists(folder: &Path, playlists: &[String]) {
    fs::create_dir_all(folder).unwrap();
    // Every tenth: they change by one segment each.
    let paths: Vec<PathBuf> = playlists
        .iter()
        .step_by(10)
        .enumerate()
        .map(|(n, text)| {
            let path = folder.join(format!("{n}.m3u8"));
            fs::write(&path, text).unwrap();
            path
        })
        .collect();
    assert!(paths.len() > 50, "{} playlists", playlists.len());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("NIGHTCAST_TEST_PYTHON").map_or(root.join(".tools/python/bin/python"), PathBuf::from);
    for (program, script) in
        [(python.as_path(), "tests/strict_m3u8.py"), (Path::new("node"), "tests/browser/strict.mjs")]
    {
        let output = Command::new(program).arg(root.join(script)).args(&paths).output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error} (run: make tools)", program.display()));
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn judge_media(ffmpeg: &Ffmpeg, joined: &Path, recording: &Recording) {
    let numbers: Vec<u64> = recording.segments.keys().copied().collect();
    let missed: Vec<_> = numbers.windows(2).filter(|pair| pair[1] != pair[0] + 1).collect();
    assert!(missed.is_empty(), "segments were missed between {missed:?}");
    fs::write(joined, recording.joined()).unwrap();
    assert_eq!(decode_errors(ffmpeg, joined), Vec::<String>::new());
    let packets = packets(joined);
    for (kind, frame) in [(Kind::Video, 1.0 / 23.9), (Kind::Audio, 1024.0 / 48_000.0)] {
        let (gap, at) = largest_gap(&packets, kind).unwrap();
        assert!(gap <= frame + 0.001, "a gap of {gap} s of {kind:?} at {at} s");
    }
    let measured = measure(ffmpeg, joined);
    let offsets: Vec<f64> = measured.offsets.iter().map(|offset| offset.offset_ms).collect();
    // Six or seven flashes an item: fifteen hundred make more than two hundred boundaries.
    assert!(offsets.len() > 1500, "{} pairs of flash and beep", offsets.len());
    let (least, most) = offsets.iter().fold((f64::MAX, f64::MIN), |(l, m), offset| (l.min(*offset), m.max(*offset)));
    #[expect(clippy::print_stdout, reason = "the figure is worth reading: cargo test -- --nocapture")]
    {
        println!("{}: {} pairs, offsets from {least:.2} to {most:.2} ms", ffmpeg.version, offsets.len());
    }
    assert!(most - least < 20.0, "offsets from {least} to {most} ms");
}

#[test]
fn every_rule_holds_for_thirty_minutes_on_the_systems_ffmpeg() {
    every_rule_holds_for_thirty_minutes(&ffmpegs::system());
}

#[test]
fn every_rule_holds_for_thirty_minutes_on_the_newest_ffmpeg() {
    let newest = ffmpegs::all().pop().unwrap();
    every_rule_holds_for_thirty_minutes(&newest);
}
