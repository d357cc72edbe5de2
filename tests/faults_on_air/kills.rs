//! The on-air ffmpeg is killed, again and again.

use std::path::PathBuf;
use std::time::Duration;

use nightcast::ffmpeg::rate::Rate;
use nightcast::prepare::length;
use nightcast::units::MediaTime;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::support::aired::{assert_whole, packet_digests, programmes, until_programmes_begin};
use super::support::faults::{STILL_MAX, Seen};
use super::support::ffmpegs;
use super::support::media::decode_errors;
use super::support::station::{Home, Settings, Station, files_below, signal};
use super::support::viewer::{Recording, watched};
use super::{SPEED, TITLES, carrier, count, pass, prepared, rules};

/// How often it is killed.
const KILLS: usize = 100;

/// Longest wait between two kills; the shortest is none. A new run gives its first chunk after 0.1 to 0.2 s, so some die
/// before they gave anything.
const BETWEEN_MAX: Duration = Duration::from_millis(500);

/// Goal: an ffmpeg that dies at any moment costs viewers a discontinuity and nothing else. Method: kill it a hundred times at
/// random moments while a strict viewer watches. Every programme must have played exactly its length, and frame by frame
/// what was seen must be what was prepared, in its order, without a hole and without a repeat.
///
/// Each third kill waits for a chunk of the new run: three runs in a row that give nothing back are taken for the item's
/// fault.
#[test]
fn of_a_hundred_killed_copiers_no_frame_is_lost_and_none_repeated() {
    let (home, station) = prepared(Settings { speed: SPEED, ..Settings::default() });
    let mut chance = StdRng::seed_from_u64(20_261_121);
    let ((), recording) = watched(&station, "one", rules(), || {
        for kill in 0..KILLS {
            signal(carrier(&station), "KILL");
            let deaths = kill + 1;
            station.until("the death was noticed", || (count(&station, "on-air ffmpeg ended") >= deaths).then_some(()));
            if deaths % 3 == 0 {
                station.until("it delivers", || delivers(&station).then_some(()));
            }
            pass(BETWEEN_MAX.mul_f64(chance.random()));
        }
        // The last programme that was harmed is seen to its end.
        until_programmes_begin(&station, 3);
    });
    let log = station.log();
    // On a busy machine a run may be too slow. Nothing it gave back was ever out of place.
    assert_eq!(count(&station, "is given up"), count(&station, "\"reason\":\"stalled"), "{log}");
    let whole = assert_whole(&recording, &log);
    assert!(whole >= 8, "{whole} programmes");
    every_frame_is_there_once(&home, &recording);
    everything_decodes(&home, &recording);
    let stood_still = recording.stood_still.mul_f64(SPEED);
    assert!(stood_still < STILL_MAX, "{stood_still:?}\n{log}");
    let saw = format!("{} discontinuities, no frame lost or repeated", recording.discontinuities);
    Seen { fault: "on-air ffmpeg killed 100 times in a minute", stood_still, saw }.tell();
}

/// Whether the present run has given something back.
fn delivers(station: &Station) -> bool {
    let log = station.log();
    let told = ["on-air ffmpeg delivers", "on-air ffmpeg ended", "is given up"];
    let newest = log.lines().rev().find_map(|line| told.iter().position(|told| line.contains(told)));
    newest == Some(0)
}

/// Frame by frame: what was seen goes round and round through what was prepared, without a hole and without a repeat.
fn every_frame_is_there_once(home: &Home, recording: &Recording) {
    // What was in the first playlist aired while the items were being prepared, and not all in their order.
    let first = programmes(recording)[4].first;
    let joined = home.path("joined.ts");
    let segments: Vec<u8> = recording.segments.range(first..).flat_map(|(_, bytes)| bytes).copied().collect();
    std::fs::write(&joined, segments).unwrap();
    let seen = packet_digests(&joined, "v:0");
    let round: Vec<String> = mezzanines(home).iter().flat_map(|path| packet_digests(path, "v:0")).collect();
    let goes_round_from = |first: usize| {
        let due = round.iter().cycle().skip(first);
        seen.iter().zip(due).position(|(frame, due)| frame != due)
    };
    let begins = (0..round.len()).max_by_key(|&first| goes_round_from(first).unwrap_or(seen.len())).unwrap();
    assert_eq!(goes_round_from(begins), None, "the first frame out of its place, of {}", seen.len());
    assert!(seen.len() > 2 * round.len(), "{} frames", seen.len());
}

/// The prepared items in the order they air: they are told apart by their numbers of frames, which are those of the film and
/// a few more, so that sound and picture end together.
fn mezzanines(home: &Home) -> Vec<PathBuf> {
    let in_cache = files_below(&home.path("data/cache"))
        .into_iter()
        .filter(|path| path.parent() == Some(&home.path("data/cache")));
    let streams: Vec<PathBuf> = in_cache.filter(|path| path.extension().is_some_and(|ending| ending == "ts")).collect();
    let frames: Vec<usize> = streams.iter().map(|path| packet_digests(path, "v:0").len()).collect();
    let of_length = |secs: u32| {
        let due = length::exact(MediaTime::from_secs(secs.into()), Rate::whole(25)).frames;
        let fits = frames.iter().position(|frames| *frames as u64 == due);
        streams[fits.unwrap_or_else(|| panic!("none has {due} frames: {frames:?} in {streams:?}"))].clone()
    };
    TITLES.map(|(_, secs)| of_length(secs)).to_vec()
}

/// A new run begins with timestamps of its own: each segment is decoded by itself.
fn everything_decodes(home: &Home, recording: &Recording) {
    let piece = home.path("piece.ts");
    for segment in recording.segments.values() {
        std::fs::write(&piece, segment).unwrap();
        assert_eq!(decode_errors(&ffmpegs::system(), &piece), Vec::<String>::new());
    }
}
