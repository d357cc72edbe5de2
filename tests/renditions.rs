//! Goal: a channel with several renditions is one channel: whoever changes from one to another at any segment sees the same
//! programme at the same moment. Method: the real program and both real ffmpegs; a strict viewer on every rendition at once.
#![expect(clippy::disallowed_methods, reason = "tests start programs and read what they wrote")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

#[path = "renditions/audio_only.rs"]
mod audio_only;
#[path = "renditions/ladder.rs"]
mod ladder;
#[path = "renditions/on_demand.rs"]
mod on_demand;
#[path = "renditions/past.rs"]
mod past;
#[path = "renditions/subtitles.rs"]
mod subtitles;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use jiff::SignedDuration;
use support::aired::{assert_every_frame_once, assert_whole, packet_digests, until_programmes_begin};
use support::ffmpegs::{self, Ffmpeg};
use support::hls_reader::Rules;
use support::hls_text;
use support::media::{Kind, decode_errors, largest_gap, packets};
use support::station::{Home, Settings, Station, files_below, signal};
use support::sync::{Codecs, FlashBeep, measure};
use support::viewer::{Recording, watch};

/// How fast the station lives where nothing is harmed.
const SPEED: f64 = 8.0;

/// The same where its ffmpeg is killed: a new one starts no faster, and the window is no longer.
const SPEED_KILLED: f64 = 2.0;

/// How much of the channel is watched on every rendition at once.
const WATCHED: SignedDuration = SignedDuration::from_secs(40);

/// The renditions: name, size, what the picture may take.
const RENDITIONS: [(&str, (u32, u32), u32); 3] =
    [("large", (320, 180), 500), ("middle", (256, 144), 250), ("small", (170, 96), 100)];

/// The sound of the last of them, without its picture.
const AUDIO: &str = "audio";

/// A channel with these renditions, and the sound alone.
fn channel() -> String {
    let one = |(name, (width, height), kbps): (&str, (u32, u32), u32)| {
        format!("{{ name = \"{name}\", size = \"{width}x{height}\", max-kbps = {kbps} }}")
    };
    format!(
        "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\norder = \"sequential\"\non-demand = true\nrewind = \"10min\"\nrewind-space = \"100MB\"\nrenditions = [{}, \"{AUDIO}\"]\n\
         [channel.picture]\npreset = \"ultrafast\"\n",
        RENDITIONS.map(one).join(", ")
    )
}

/// A station whose items are all prepared, started again at speed.
fn prepared(ffmpeg: &Ffmpeg, clips: &[(&str, FlashBeep)], speed: f64) -> (Home, Station) {
    let home = Home::new(Settings {
        ffmpeg: ffmpeg.program.clone().into(),
        speed,
        station: "settle-seconds = 0.1".to_owned(),
        channels: channel(),
        ..Settings::default()
    });
    for (name, clip) in clips {
        clip.make(&ffmpegs::system(), &home.path("media/one").join(name));
    }
    let station = home.start_at(1.0);
    station.until("everything is prepared", || {
        let library = station.channel("one")["library"].clone();
        assert_eq!(library["quarantined"], 0, "{}", station.log());
        (library["prepared"] == clips.len()).then_some(())
    });
    station.signal("TERM");
    assert!(station.wait().0.success());
    let station = home.start();
    (home, station)
}

/// What is forgiven: a playlist's text is a moment old when it is judged.
fn rules() -> Rules {
    Rules { future_allowance: SignedDuration::from_millis(500), ..Rules::default() }
}

/// Watches every rendition at once while `more` says so; the sound alone is the last.
fn watch_all(station: &Station, more: impl Fn() -> bool + Sync) -> Vec<Recording> {
    let more = &more;
    let recordings: Vec<Recording> = std::thread::scope(|scope| {
        let viewer = |name| scope.spawn(move || watch(station, &format!("one/{name}"), rules(), |_| more()));
        let names = RENDITIONS.map(|(name, _, _)| name).into_iter().chain([AUDIO]);
        let viewers: Vec<_> = names.map(viewer).collect();
        viewers.into_iter().map(|viewer| viewer.join().unwrap()).collect()
    });
    for recording in &recordings {
        assert_eq!(recording.violations, Vec::<String>::new(), "{}", station.log());
    }
    agree(&recordings);
    recordings
}

/// What a playlist tells of a segment: milliseconds, whether and which discontinuity, date.
type Told = (String, bool, u64, Option<jiff::Timestamp>);

/// Every segment is told alike in every rendition.
fn agree(recordings: &[Recording]) {
    let told: Vec<BTreeMap<u64, Told>> = recordings
        .iter()
        .map(|recording| {
            let playlists = recording.playlists.iter().map(|text| hls_text::read(text).0);
            let segments = playlists.flat_map(|playlist| playlist.segments);
            let told = segments.map(|one| {
                let secs = format!("{:.6}", one.secs);
                (one.msn, (secs, one.discontinuity, one.discontinuity_number, one.date_time))
            });
            told.collect()
        })
        .collect();
    for other in &told[1..] {
        let both: Vec<u64> = told[0].keys().filter(|msn| other.contains_key(msn)).copied().collect();
        assert!(both.len() > 10, "{} segments were seen in both", both.len());
        for msn in both {
            assert_eq!(told[0][&msn], other[&msn], "segment {msn}");
        }
    }
}

/// Goal: every rendition is a whole channel, and they are in step. Method: items of other rates, codecs and sizes, one of
/// them smaller than the largest rendition; all playlists are compared segment by segment, each rendition is joined,
/// decoded and measured by flash and beep.
fn all_agree_and_are_in_step(ffmpeg: &Ffmpeg, looked_into: usize) {
    let plain = FlashBeep { size: (320, 180), ..FlashBeep::default() };
    let clips = [
        ("a fit.mp4", plain.clone()),
        ("b hevc.mkv", FlashBeep { codecs: Codecs::HevcAac, fps: (30, 1), sample_rate: 44_100, ..plain.clone() }),
        ("c small.mp4", FlashBeep { size: (160, 120), fps: (24, 1), ..plain.clone() }),
        ("d mpeg2.ts", FlashBeep { codecs: Codecs::Mpeg2Mp2, fps: (30_000, 1001), flashes: 7, ..plain }),
    ];
    let (home, station) = prepared(ffmpeg, &clips, SPEED);
    let end = station.now() + WATCHED;
    let recordings = watch_all(&station, || station.now() < end);
    ladder::tells_the_truth(&home, &station, &recordings);
    ladder::keeps_what_fits(&home, ffmpeg, &items(&home), clips[0].0);
    audio_only::is_the_sound_of_the_smallest(&home, ffmpeg, &recordings[2], &recordings[3]);
    let names: Vec<&str> = RENDITIONS.iter().map(|(name, ..)| *name).chain([AUDIO]).collect();
    on_demand::each_film_plays_whole(&home, &station, ffmpeg, &names, looked_into);
    assert_eq!(station.channel("one")["restarts"], 0, "{}", station.log());
    past::is_what_was_live(&station, &["large", "middle", "small", AUDIO], &recordings);
    drop(past::lives_on(&home, station, "middle"));
    for (recording, (name, _, _)) in recordings.iter().zip(RENDITIONS) {
        let numbers: Vec<u64> = recording.segments.keys().copied().collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{name}: segments were missed: {numbers:?}");
        let joined = home.path(&format!("{name}.ts"));
        fs::write(&joined, recording.joined()).unwrap();
        assert_eq!(decode_errors(ffmpeg, &joined), Vec::<String>::new(), "{name}");
        let packets = packets(&joined);
        for (kind, frame) in [(Kind::Video, 1.0 / 23.9), (Kind::Audio, 1024.0 / 48_000.0)] {
            let (gap, at) = largest_gap(&packets, kind).unwrap();
            assert!(gap <= frame + 0.001, "{name}: a gap of {gap} s of {kind:?} at {at} s");
        }
        let measured = measure(ffmpeg, &joined);
        let offsets: Vec<f64> = measured.offsets.iter().map(|offset| offset.offset_ms).collect();
        assert!(offsets.len() > 25, "{name}: {} pairs of flash and beep", offsets.len());
        let (least, most) = offsets.iter().fold((f64::MAX, f64::MIN), |(l, m), one| (l.min(*one), m.max(*one)));
        assert!(most - least < 20.0, "{name}: offsets from {least} to {most} ms");
    }
}

#[test]
fn all_renditions_agree_and_are_in_step_on_the_systems_ffmpeg() {
    all_agree_and_are_in_step(&ffmpegs::system(), 0);
}

#[test]
fn all_renditions_agree_and_are_in_step_on_the_newest_ffmpeg() {
    all_agree_and_are_in_step(&ffmpegs::all().pop().unwrap(), 2);
}

/// Goal: what is shown when nothing else can be is in every rendition, too, in its whole size. Method: a channel without
/// films, each rendition's newest segment looked into.
#[test]
fn the_slate_is_in_every_rendition() {
    let home = Home::new(Settings { speed: 4.0, channels: channel(), ..Settings::default() });
    let station = home.start();
    station.until("the slate", || (station.channel("one")["state"] == "slate").then_some(()));
    for (name, (width, height), _) in RENDITIONS {
        let playlist = station.playlist(&format!("one/{name}")).unwrap();
        let newest = hls_text::read(&playlist).0.segments.pop().unwrap();
        let answer = station.get(&format!("/channels/one/{name}/{}", newest.uri));
        let path = home.path("newest.ts");
        fs::write(&path, answer.body).unwrap();
        assert_eq!(decode_errors(&ffmpegs::system(), &path), Vec::<String>::new(), "{name}");
        assert_eq!(ladder::size(&path), (width, height), "{name}");
    }
}

/// Goal: an ffmpeg that dies costs viewers of every rendition one discontinuity and no frame. Method: kill it three times
/// while all are watched; frame by frame, each rendition must be the prepared items in their order, without a hole and
/// without a repeat.
#[test]
fn a_killed_copier_costs_no_rendition_a_frame() {
    let plain = FlashBeep { size: (320, 180), ..FlashBeep::default() };
    let clips = [("a.mp4", 4), ("b.mp4", 5), ("c.mp4", 3)]
        .map(|(name, flashes)| (name, FlashBeep { flashes, codecs: Codecs::HevcAac, ..plain.clone() }));
    let (home, station) = prepared(&ffmpegs::system(), &clips, SPEED_KILLED);
    let done = std::sync::atomic::AtomicBool::new(false);
    let recordings = std::thread::scope(|scope| {
        let viewers = scope.spawn(|| watch_all(&station, || !done.load(std::sync::atomic::Ordering::Relaxed)));
        for deaths in 1..=3 {
            until_programmes_begin(&station, 1);
            let carrier = station.until("an on-air ffmpeg", || station.children("slots.ffconcat").first().copied());
            signal(carrier, "KILL");
            let ended = || station.log().lines().filter(|line| line.contains("on-air ffmpeg ended")).count();
            station.until("the death was noticed", || (ended() >= deaths).then_some(()));
        }
        until_programmes_begin(&station, 4);
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        viewers.join().unwrap()
    });
    let log = station.log();
    assert_eq!(station.channel("one")["restarts"], 3, "{log}");
    for (n, (recording, (name, _, _))) in recordings.iter().zip(RENDITIONS).enumerate() {
        assert!(assert_whole(recording, &log) >= 3, "{name}\n{log}");
        let items: Vec<_> = items(&home).iter().map(|path| packet_digests(path, &format!("v:{n}"))).collect();
        assert_every_frame_once(&home.path("joined.ts"), recording, &items, &log);
    }
}

/// The streams of the prepared items.
fn items(home: &Home) -> Vec<PathBuf> {
    let cache = home.path("data/cache");
    let is_item = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        path.parent() == Some(&cache) && name.ends_with(".ts") && !name.starts_with("slate")
    };
    files_below(&cache).into_iter().filter(is_item).collect()
}
