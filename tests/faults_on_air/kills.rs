//! The on-air ffmpeg is killed, again and again.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::support::aired::{
    Programme, assert_every_frame_once, assert_whole, packet_digests, until_programmes_begin, whole_programmes,
};
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
const BETWEEN_MAX: Duration = Duration::from_millis(300);

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
    every_frame_is_there_once(&home, &recording, &log);
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

/// Frame by frame: what was seen is what was prepared, programme by programme, without a hole and without a repeat.
fn every_frame_is_there_once(home: &Home, recording: &Recording, log: &str) {
    none_was_left_out(&whole_programmes(recording), log);
    let items: Vec<Vec<String>> = items(home).iter().map(|path| packet_digests(path, "v:0")).collect();
    assert_every_frame_once(&home.path("joined.ts"), recording, &items, log);
}

/// The numbers of one plan leave none out, but for programmes that began earlier, out of their turn, because they were
/// prepared sooner. A new plan begins with a number that is higher by thousands.
fn none_was_left_out(programmes: &[Programme], log: &str) {
    let serial = |programme: &Programme| programme.id.split('-').next().unwrap().parse::<u64>().unwrap();
    for pair in programmes.windows(2) {
        let between = serial(&pair[0]) + 1..serial(&pair[1]);
        if between.end.saturating_sub(between.start) < 1000 {
            let begun = |serial: u64| log.contains(&format!("\"programme began\",\"serial\":{serial},"));
            assert_eq!(between.filter(|serial| !begun(*serial)).collect::<Vec<_>>(), Vec::<u64>::new(), "{log}");
        }
    }
}

/// The streams of the prepared items.
fn items(home: &Home) -> Vec<PathBuf> {
    let cache = home.path("data/cache");
    let is_item = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        path.parent() == Some(&cache) && name.ends_with(".ts") && !name.starts_with("slate")
    };
    let items: Vec<PathBuf> = files_below(&cache).into_iter().filter(is_item).collect();
    assert_eq!(items.len(), TITLES.len(), "{items:?}");
    items
}

/// Every segment decodes. A new run begins with timestamps of its own, so they are read file by file, as a list.
fn everything_decodes(home: &Home, recording: &Recording) {
    let mut list = "ffconcat version 1.0\n".to_owned();
    for (msn, segment) in &recording.segments {
        std::fs::write(home.path(&format!("{msn}.ts")), segment).unwrap();
        writeln!(list, "file '{msn}.ts'").unwrap();
    }
    let path = home.path("all.ffconcat");
    std::fs::write(&path, list).unwrap();
    assert_eq!(decode_errors(&ffmpegs::system(), &path), Vec::<String>::new());
}
