//! What the on-air ffmpeg gives back is not what it was given.

use super::meddler::{Meddler, Spoil};
use super::support::aired::{assert_whole, until_programmes_begin};
use super::support::faults::{STILL_MAX, Seen};
use super::support::ffmpegs;
use super::support::media::decode_errors;
use super::support::station::Settings;
use super::support::viewer::watched;
use super::{SPEED, count, prepared, rules};

/// Goal: no spoilt chunk reaches a viewer, and the GOP it was made of is on air all the same, once. Method: somebody stands
/// between ffmpeg and the station and spoils one chunk in each of three ways, with time to recover between.
#[test]
fn half_a_chunk_garbage_and_a_wrong_length_never_reach_viewers() {
    let folder = tempfile::tempdir().unwrap();
    let meddler = Meddler::new();
    let ffmpeg = meddler.ffmpeg(folder.path()).into();
    let (home, station) = prepared(Settings { ffmpeg, speed: SPEED, ..Settings::default() });
    for (how, told, fault) in [
        // Its line is cut, and ffmpeg ends by itself.
        (Spoil::Half, "on-air ffmpeg ended", "half a chunk from the on-air ffmpeg"),
        (Spoil::Garbage, "is no transport stream", "garbage from the on-air ffmpeg"),
        (Spoil::Duration, "on-air run is given up", "a chunk of a wrong length from the on-air ffmpeg"),
    ] {
        let ((), recording) = watched(&station, "one", rules(), || {
            until_programmes_begin(&station, 1);
            let before = count(&station, told);
            meddler.spoil(how);
            station.until("the end of the run is told", || (count(&station, told) > before).then_some(()));
            until_programmes_begin(&station, 3);
        });
        assert!(assert_whole(&recording, &station.log()) >= 2, "{how:?}");
        let seen = Seen::at_speed(fault, &recording, SPEED);
        assert!(seen.stood_still < STILL_MAX, "{how:?} {:?}", seen.stood_still);
        assert!(recording.discontinuities <= 1, "{how:?}\n{}", station.log());
        let piece = home.path("piece.ts");
        for segment in recording.segments.values() {
            std::fs::write(&piece, segment).unwrap();
            assert_eq!(decode_errors(&ffmpegs::system(), &piece), Vec::<String>::new(), "{how:?}");
        }
        seen.tell();
    }
}
