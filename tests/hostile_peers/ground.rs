//! The ground of these tests: a station on air that is watched and measured while peers are at it, and the table of what
//! came of it.
#![expect(clippy::print_stdout, reason = "the rows of the table are told")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::clips;
use crate::support::faults::{STILL_MAX, Seen};
use crate::support::ffmpegs;
use crate::support::hls_reader::Rules;
use crate::support::station::{Home, Settings, Station};
use crate::support::sync::FlashBeep;
use crate::support::viewer::{Recording, watched};

const CHANNEL: &str = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\n\
    [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";

/// A station with a short film of small segments, on air and prepared.
pub fn station(settings: Settings) -> (Home, Station) {
    let home = Home::new(Settings { channels: CHANNEL.to_owned(), ..settings });
    let film = FlashBeep { size: (320, 180), gop: 50, flashes: 12, ..FlashBeep::default() };
    film.make(&ffmpegs::system(), &home.path("media/one/a.mp4"));
    on_air(home)
}

/// The same with segments of megabytes, as no socket holds them.
pub fn station_of_large_segments() -> (Home, Station) {
    let home = Home::new(Settings { channels: CHANNEL.to_owned(), ..Settings::default() });
    let noise = "-f lavfi -i nullsrc=s=320x180:r=25:d=10 -f lavfi -i sine=f=440:r=48000:d=10 \
        -vf geq=random(1)*255:128:128 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 50 -bf 0 -b:v 4500k \
        -maxrate 4500k -bufsize 4500k -c:a aac";
    clips::make(&home.path("media/one"), "noise.mp4", noise);
    on_air(home)
}

fn on_air(home: Home) -> (Home, Station) {
    let station = home.start();
    station.until("the film is on", || (station.channel("one")["now"]["slate"] == false).then_some(()));
    // The seam behind the slate is listed before anybody watches.
    carries_on(&station, 2);
    (home, station)
}

/// Waits until what is on air lies some seconds after this moment.
pub fn carries_on(station: &Station, secs: i64) {
    let later = station.now() + jiff::SignedDuration::from_secs(secs);
    station.until("it carries on", || {
        let edge: jiff::Timestamp = station.channel("one")["edge"].as_str()?.parse().ok()?;
        (edge > later).then_some(())
    });
}

/// What a process holds.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub memory_kb: u64,
    pub memory_peak_kb: u64,
    pub handles: usize,
    pub sockets: usize,
}

impl Held {
    pub fn by(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        let handles: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().filter_map(Result::ok).collect();
        let is_socket = |entry: &fs::DirEntry| {
            fs::read_link(entry.path()).is_ok_and(|target| target.to_string_lossy().starts_with("socket:"))
        };
        let sockets = handles.iter().filter(|entry| is_socket(entry)).count();
        Self { memory_kb: field("VmRSS:"), memory_peak_kb: field("VmHWM:"), handles: handles.len(), sockets }
    }
}

/// What came of a test's peers.
#[derive(Debug)]
pub struct Meanwhile {
    recording: Recording,
    before: Held,
    after: Held,
    runs: usize,
}

/// How many connections the viewer, and somebody who looks, have at a moment.
const OWN_SOCKETS: usize = 3;

/// Files of the station that come and go: segments being written, items being opened.
const OWN_HANDLES: usize = 12;

/// Watches the channel while peers are at the station; afterwards the viewer must have seen nothing of it, memory must
/// have stayed within a bound, and every connection must be given back.
pub fn at_the_station(station: &Station, memory_more_max_kb: u64, act: impl FnOnce()) -> Meanwhile {
    // Buffers of the start are no fault of the peers'.
    let before = Held::by(station.pid());
    let rules = Rules { future_allowance: jiff::SignedDuration::from_millis(100), ..Rules::default() };
    let (after, recording) = watched(station, "one", rules, || {
        act();
        station.until("every connection is given back", || {
            let held = Held::by(station.pid());
            let back = held.sockets <= before.sockets + OWN_SOCKETS && held.handles <= before.handles + OWN_HANDLES;
            back.then_some(held)
        })
    });
    let more = after.memory_peak_kb.saturating_sub(before.memory_kb);
    assert!(more <= memory_more_max_kb, "{more} kB more memory: {before:?} {after:?}");
    assert!(recording.stood_still <= STILL_MAX, "{:?}", recording.stood_still);
    assert!(!recording.segments.is_empty(), "the viewer saw something");
    let runs = station.log().matches("on-air ffmpeg started").count();
    Meanwhile { recording, before, after, runs }
}

impl Meanwhile {
    /// Fails where runs ended that nobody killed, or where viewers saw more of it than one discontinuity for each kill.
    pub fn judge(&self, station: &Station, kills: usize) {
        assert_eq!((self.runs, self.recording.discontinuities), (kills + 1, kills), "{}", station.log());
    }

    /// Leaves a row for the table of faults, and one for each peer in the table of peers: a file below
    /// `target/tmp/peers` and a line on the test's output.
    pub fn tell(&self, fault: &str, peers: &[(&str, &str)]) {
        Seen::of(fault, &self.recording).tell();
        let Self { recording, before, after, .. } = self;
        let meanwhile = format!(
            "in step, nothing new for at most {:.1} s; at most {} MB more memory; handles {} before, {} after",
            recording.stood_still.as_secs_f64(),
            after.memory_peak_kb.saturating_sub(before.memory_kb).div_ceil(1024),
            before.handles,
            after.handles
        );
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
        fs::create_dir_all(&folder).unwrap();
        for (peer, gets) in peers {
            let name: String = peer.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).collect();
            let row = format!("| {peer} | {gets} | {meanwhile} |\n");
            print!("{row}");
            fs::write(folder.join(name), row).unwrap();
        }
    }
}

/// How long a test's peer may wait for an answer or its end: beyond every limit of the station.
pub const DEADLINE: Duration = Duration::from_secs(75);
