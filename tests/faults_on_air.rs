//! Goal: whatever happens to the on-air ffmpeg, viewers see one discontinuity and no GOP is lost or repeated. Method: the
//! real program and the real ffmpeg, harmed from outside, watched throughout by a strict viewer.
#![expect(clippy::disallowed_methods, reason = "tests start programs and read the clock")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

#[path = "faults_on_air/ends.rs"]
mod ends;
#[path = "faults_on_air/kills.rs"]
mod kills;
#[path = "faults_on_air/meddler.rs"]
mod meddler;
#[path = "faults_on_air/spoilt_chunks.rs"]
mod spoilt_chunks;

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use support::ffmpegs;
use support::hls_reader::Rules;
use support::station::{Home, Settings, Station, rest};
use support::sync::{Codecs, FlashBeep};

/// The titles of the items in the order they air, and how many seconds they last.
const TITLES: [(&str, u32); 3] = [("a", 4), ("b", 5), ("c", 3)];

const CHANNEL: &str = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\norder = \"sequential\"\n\
    [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";

/// Where the copier's own time does not matter, the station lives so many times faster than the world. It makes things
/// harder, not easier: a new ffmpeg starts no faster, and what is fed ahead lasts two seconds of the world instead of four.
const SPEED: f64 = 2.0;

/// A station whose three short items are all prepared; they are of one kind, so that no seam is a discontinuity.
fn prepared(settings: Settings) -> (Home, Station) {
    let station = "settle-seconds = 0.1".to_owned();
    let home = Home::new(Settings { channels: CHANNEL.to_owned(), station, ..settings });
    let kind = FlashBeep { size: (320, 180), codecs: Codecs::HevcAac, ..FlashBeep::default() };
    for (title, flashes) in TITLES {
        let path = home.path(&format!("media/one/{title}.mp4"));
        FlashBeep { flashes, ..kind.clone() }.make(&ffmpegs::system(), &path);
    }
    let station = home.start();
    let all = TITLES.len();
    station.until("everything is prepared", || (station.channel("one")["library"]["prepared"] == all).then_some(()));
    (home, station)
}

/// What is forgiven: the playlist's text is a moment old when it is judged.
fn rules() -> Rules {
    Rules { future_allowance: SignedDuration::from_millis(100), ..Rules::default() }
}

/// The on-air ffmpeg, once there is one.
fn carrier(station: &Station) -> u32 {
    station.until("an on-air ffmpeg", || station.children("slots.ffconcat").first().copied())
}

/// How many lines of the log hold a text.
fn count(station: &Station, text: &str) -> usize {
    station.log().lines().filter(|line| line.contains(text)).count()
}

/// Lets time pass in which something is to happen on its own.
fn pass(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        rest();
    }
}
