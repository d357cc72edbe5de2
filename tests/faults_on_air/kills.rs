//! The on-air ffmpeg is killed, again and again.

use std::path::PathBuf;
use std::time::Duration;

use nightcast::ffmpeg::rate::Rate;
use nightcast::prepare::length;
use nightcast::units::MediaTime;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::support::aired::{assert_whole, packet_digests, programmes};
use super::support::faults::{STILL_MAX, Seen};
use super::support::ffmpegs;
use super::support::media::decode_errors;
use super::support::station::{Home, Settings, files_below, signal};
use super::support::viewer::{Recording, watched};
use super::{TITLES, carrier, count, pass, prepared, rules};

/// How often it is killed.
const KILLS: usize = 100;

/// The station lives so many times faster than the world, so that a hundred deaths fit into a minute. It makes things
/// harder, not easier: a new ffmpeg starts no faster, and what is fed ahead lasts two seconds of the world instead of four.
const SPEED: f64 = 2.0;

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
                let run = format!("\"run\":\"{}\"", deaths + 1);
                let delivers = |line: &str| line.contains("on-air ffmpeg delivers") && line.contains(&run);
                station.wait_for_log("it delivers", delivers);
            }
            pass(BETWEEN_MAX.mul_f64(chance.random()));
        }
        // The last programme that was harmed is seen to its end.
        pass(Duration::from_secs_f64(20.0 / SPEED));
    });
    let log = station.log();
    assert_eq!(count(&station, "is given up"), 0, "{log}");
    let whole = assert_whole(&recording, &log);
    assert!(whole >= 8, "{whole} programmes");
    every_frame_is_there_once(&home, &recording);
    everything_decodes(&home, &recording);
    let stood_still = recording.stood_still.mul_f64(SPEED);
    assert!(stood_still < STILL_MAX, "{stood_still:?}\n{log}");
    let saw = format!("{} discontinuities, no frame lost or repeated", recording.discontinuities);
    Seen { fault: "on-air ffmpeg killed 100 times in a minute", stood_still, saw }.tell();
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
