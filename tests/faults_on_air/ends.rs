//! The on-air ffmpeg stands still, or ends as if all were well.

use std::path::Path;

use super::support::aired::{assert_whole, until_programmes_begin};
use super::support::faults::{STILL_MAX, Seen};
use super::support::ffmpegs;
use super::support::station::{Settings, signal};
use super::support::viewer::watched;
use super::{SPEED, carrier, count, prepared, rules};

/// Goal: an ffmpeg that lives and does nothing is replaced. Method: stop it with SIGSTOP, as a debugger or a frozen
/// container would.
#[test]
fn a_stopped_copier_is_replaced_and_no_gop_is_lost_or_repeated() {
    let (_home, station) = prepared(Settings::default());
    let ((), recording) = watched(&station, "one", rules(), || {
        until_programmes_begin(&station, 1);
        let stopped = carrier(&station);
        signal(stopped, "STOP");
        station.wait_for_log("it is given up", |line| line.contains("stalled: what was fed does not come back"));
        station.until("another", || station.children("slots.ffconcat").into_iter().find(|pid| *pid != stopped));
        until_programmes_begin(&station, 3);
        assert_eq!(station.children("slots.ffconcat").len(), 1, "never two at once");
        assert!(!Path::new(&format!("/proc/{stopped}")).exists(), "the stopped one is gone");
    });
    assert!(assert_whole(&recording, &station.log()) >= 2);
    assert!(recording.stood_still < STILL_MAX, "{:?}", recording.stood_still);
    assert!(recording.discontinuities <= 1, "{}", station.log());
    Seen::of("on-air ffmpeg stopped (SIGSTOP)", &recording).tell();
}

/// Goal: exit code 0 is a failure, too, and the end of a run's list of slots, which takes months to reach, is one
/// discontinuity. Method: the first run gets a list of twelve slots: more than
/// the window it fills at once.
#[test]
fn a_copier_that_ends_with_code_0_at_the_end_of_its_list_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let once = folder.path().join("once");
    // In its folder stands the list; what is not the list's head is left out, once.
    let shorter = format!(
        "if mkdir '{}' 2>/dev/null; then head -n 13 slots.ffconcat > short && mv short slots.ffconcat; fi",
        once.display()
    );
    let ffmpeg = ffmpegs::system().that(folder.path(), &shorter);
    let (_home, station) = prepared(Settings { ffmpeg: ffmpeg.into(), speed: SPEED, ..Settings::default() });
    let ((), recording) = watched(&station, "one", rules(), || {
        let said = |line: &str| line.contains("on-air ffmpeg ended") && line.contains("exit code 0");
        station.wait_for_log("its end", said);
        until_programmes_begin(&station, 3);
    });
    assert_eq!(count(&station, "on-air ffmpeg ended"), 1, "{}", station.log());
    assert!(assert_whole(&recording, &station.log()) >= 2);
    let seen = Seen::at_speed("on-air ffmpeg ends with exit code 0", &recording, SPEED);
    assert!(seen.stood_still < STILL_MAX, "{:?}", seen.stood_still);
    assert_eq!(recording.discontinuities, 1, "{}", station.log());
    seen.tell();
}
