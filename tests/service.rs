//! Goal: systemd and containers know how the station is, and the service may do no more than it must. Method: the real
//! program beside a socket that listens as systemd does; systemd's own tools judge the unit.
#![expect(clippy::disallowed_methods, reason = "tests start programs and touch the disk")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use support::clips::{make, picture, tone};
use support::films::X264;
use support::station::{Home, PATIENCE, Settings};

/// What systemd may find exposed of the unit, in tenths: 100 is everything, and 20 is called OK.
const EXPOSURE_MAX: u32 = 14;

/// A socket as systemd holds it.
struct Manager(UnixDatagram);

impl Manager {
    fn word(&self) -> String {
        let mut bytes = [0; 4096];
        let length = self.0.recv(&mut bytes).expect("a word before the patience is over");
        String::from_utf8_lossy(&bytes[..length]).trim().to_owned()
    }

    /// Waits for a word, and returns those before it.
    fn until(&self, wanted: &str) -> BTreeSet<String> {
        std::iter::repeat_with(|| self.word()).take_while(|word| word != wanted).collect()
    }
}

#[test]
fn systemd_is_told_when_the_station_serves_lives_and_stops_and_anybody_may_ask() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = Manager(UnixDatagram::bind(&path).unwrap());
    manager.0.set_read_timeout(Some(PATIENCE)).unwrap();
    let home = Home::new(Settings {
        station: format!("listen = \"127.0.0.1:{port}\""),
        environment: vec![("NOTIFY_SOCKET".into(), path.into()), ("WATCHDOG_USEC".into(), "1500000".into())],
        ..Settings::default()
    });
    let (status, _, complaints) = home.ask(&["healthcheck"]);
    assert_eq!(status.code(), Some(1), "{complaints}");
    assert!(complaints.contains(&format!("does not answer at 127.0.0.1:{port}")), "{complaints}");

    let station = home.start();
    let alive = || BTreeSet::from(["WATCHDOG=1".to_owned()]);
    assert!(manager.until("READY=1").is_subset(&alive()));
    for _ in 0..3 {
        assert_eq!(manager.word(), "WATCHDOG=1");
    }
    let (status, answer, complaints) = home.ask(&["healthcheck"]);
    assert_eq!((status.code(), answer.as_str()), (Some(0), "alive\n"), "{complaints}");

    station.signal("TERM");
    assert!(manager.until("STOPPING=1").is_subset(&alive()));
    assert_eq!(station.wait().0.code(), Some(0));
}

#[test]
fn a_healthcheck_that_cannot_read_the_configuration_is_no_health() {
    let home = Home::new(Settings { channels: "[[channel]]\nnam = \"One\"\n".to_owned(), ..Settings::default() });
    let (status, _, complaints) = home.ask(&["healthcheck"]);
    assert_eq!(status.code(), Some(1), "containers give 2 another meaning: {complaints}");
    assert!(complaints.contains("nam"), "{complaints}");
}

/// Goal: what the unit forbids is nothing that the station or an ffmpeg needs. Method: a station under the unit's own
/// system calls, socket families and memory rules prepares a film of each recipe and airs both.
#[test]
fn a_station_prepares_and_airs_with_what_the_unit_allows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let under = ["tests/support/as_service.py", "packaging/nightcast.service"].map(|path| root.join(path).into());
    let home = Home::new(Settings {
        under: std::iter::once("python3".into()).chain(under).collect(),
        channels: "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\n[channel.picture]\n\
            size = \"320x180\"\npreset = \"ultrafast\"\n"
            .to_owned(),
        ..Settings::default()
    });
    let (picture, tone) = (picture("320x180", "25", 4.0), tone(48_000, 4.0));
    let folder = home.path("media/one");
    make(&folder, "kept.mp4", &format!("{picture} {tone} {X264} -g 25 -c:a aac"));
    make(&folder, "anew.avi", &format!("{picture} {tone} -c:v mpeg4 -c:a mp2"));
    let station = home.start();
    let both = || (station.channel("one")["library"]["prepared"] == 2).then_some(());
    station.until("both films are prepared", both);
    station.until("a film is on air", || (station.channel("one")["now"]["slate"] == false).then_some(()));
    station.signal("TERM");
    assert_eq!(station.wait().0.code(), Some(0));
}

fn unit() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/nightcast.service")).unwrap()
}

/// Runs systemd's own tool on the unit, with the program where it was built.
fn analyze(args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nightcast.service");
    std::fs::write(&path, unit().replace("/usr/bin/nightcast", env!("CARGO_BIN_EXE_nightcast"))).unwrap();
    let started = Command::new("systemd-analyze").args(args).arg(&path).output();
    let output = started.unwrap_or_else(|error| panic!("systemd-analyze: {error} (hint: make tools)"));
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{args:?}:\n{said}");
    said
}

#[test]
fn systemd_understands_the_unit() {
    // It says nothing when nothing is wrong.
    assert_eq!(analyze(&["verify", "--man=no"]), "");
}

#[test]
fn the_service_may_do_no_more_than_it_must() {
    let said = analyze(&["security", "--offline=true", "--no-pager", &format!("--threshold={EXPOSURE_MAX}")]);
    assert!(said.contains("Overall exposure level for nightcast.service: 1.4 OK"), "{said}");
}

#[test]
fn the_unit_waits_longer_than_the_station_takes_to_stop_and_spares_its_other_channels() {
    let unit = unit();
    for line in [
        "Type=notify",
        "WatchdogSec=60",
        "TimeoutStopSec=30",
        "Restart=always",
        // Else one ffmpeg that the kernel kills for want of memory would stop all channels.
        "OOMPolicy=continue",
    ] {
        assert!(unit.lines().any(|one| one == line), "{line}");
    }
}
