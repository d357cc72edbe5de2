//! Peers in great numbers.

use std::net::TcpStream;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::ground::{Held, at_the_station, carries_on, station};
use super::wire::{ask, connect, never, read_until, whole};
use crate::support::station::{Settings, signal};

const ASK: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

/// How many come and say nothing.
const CROWD: usize = 5000;

/// How many come and go.
const COMING_AND_GOING: usize = 10_000;

/// The station's seats where the configuration names none.
const SEATS: usize = 2000;

/// How many may be on their way out beside them.
const LEAVING_MAX: usize = 40;

/// How much more memory a crowd may cost: 50 kB for each seat, as the configuration's manual says.
const MEMORY_MORE_MAX_KB: u64 = 50 * SEATS as u64;

/// What the test itself and its neighbours need beside the crowd.
const OWN_HANDLES: usize = 1000;

/// Lets this process hold as many handles as it may, and returns how many of a crowd fit.
fn crowd_that_fits(wanted: usize) -> usize {
    let Some(hard) = getrlimit(Resource::Nofile).maximum else { return wanted };
    setrlimit(Resource::Nofile, Rlimit { current: Some(hard), maximum: Some(hard) }).unwrap();
    wanted.min(usize::try_from(hard).unwrap().saturating_sub(OWN_HANDLES))
}

/// Goal: a crowd of idle connections keeps nobody out and costs a bounded price. Method: more than twice as many as there
/// are seats, from one address, then newcomers; then thousands that come and go at once.
#[test]
fn a_crowd_of_idle_connections_keeps_nobody_out() {
    let crowd = crowd_that_fits(CROWD);
    let (_home, station) = station(Settings::default());
    let meanwhile = at_the_station(&station, MEMORY_MORE_MAX_KB, || {
        let own = Held::by(station.pid()).sockets;
        let mut seated: Vec<TcpStream> = (0..crowd).map(|_| connect(&station)).collect();
        for _ in 0..100 {
            assert_eq!(ask(&station, ASK, whole).statuses(), [200], "a newcomer finds a seat at once");
        }
        let held = Held::by(station.pid());
        assert!(held.sockets <= own + SEATS + LEAVING_MAX, "{held:?}");
        if crowd > 2 * SEATS {
            let first = read_until(&mut seated[0], never);
            assert!(first.closed && first.bytes.is_empty(), "the longest idle has gone: {}", first.text());
        }
        let last = seated.last_mut().unwrap();
        std::io::Write::write_all(last, ASK).unwrap();
        assert_eq!(read_until(last, whole).statuses(), [200], "the newest has kept its seat");
        drop(seated);
        for _ in 0..COMING_AND_GOING {
            drop(connect(&station));
        }
    });
    meanwhile.judge(&station, 0);
    let idle = format!("{crowd} connections that say nothing");
    meanwhile.tell(
        "a crowd of idle connections",
        &[
            (&idle, "a seat each, until somebody newer wants it: the longest idle goes"),
            ("newcomers in that crowd", "200 at once"),
            ("10,000 that connect and close", "nothing"),
        ],
    );
}

/// Goal: a crowd never takes the handles that a channel needs. Method: a station that may hold few, a crowd that would
/// take them all, and an on-air ffmpeg killed in the middle of it, so that pipes and sockets are needed.
#[test]
fn a_crowd_leaves_the_handles_that_channels_need() {
    let few = "--nofile=400:400";
    let under = ["prlimit", few, "--"].map(Into::into).to_vec();
    let (_home, station) = station(Settings { under, ..Settings::default() });
    station.wait_for_log("it says so", |line| line.contains("allows fewer open files than connections-max needs"));
    let meanwhile = at_the_station(&station, MEMORY_MORE_MAX_KB, || {
        let crowd: Vec<TcpStream> = (0..1000).map(|_| connect(&station)).collect();
        let on_air = || station.children("slots.ffconcat");
        let killed = on_air()[0];
        signal(killed, "KILL");
        station.until("a new run", || on_air().iter().any(|pid| *pid != killed).then_some(()));
        carries_on(&station, 8);
        assert!(Held::by(station.pid()).handles < 400);
        drop(crowd);
    });
    assert!(!station.log().contains("connection not accepted"), "{}", station.log());
    meanwhile.judge(&station, 1);
    meanwhile.tell(
        "an ffmpeg killed amid a crowd at a station with few handles",
        &[(
            "1,000 connections at a station that may open 400 files",
            "seats as far as the station can spare handles, which it keeps for its channels",
        )],
    );
}
