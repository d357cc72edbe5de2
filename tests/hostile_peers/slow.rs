//! Peers that take their time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::ground::{DEADLINE, Held, at_the_station, station_of_large_segments};
use super::wire::{connect, connect_narrow, drip, never, read_until};
use crate::support::station::{Station, rest};

/// How much more memory they may cost: what 300 connections buffer, and the segments that slow readers hold after they
/// have cooled, each once: 60 s of 5 Mbit/s.
const MEMORY_MORE_MAX_KB: u64 = 96 << 10;

/// How many of each kind there are.
const EACH: usize = 40;

fn newest_segment(station: &Station) -> String {
    let playlist = station.playlist("one").unwrap();
    let name = playlist.lines().rfind(|line| line.starts_with("segments/")).unwrap();
    format!("/channels/one/{name}")
}

fn asking(station: &Station, path: &str) -> TcpStream {
    let mut stream = connect_narrow(station);
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    stream
}

fn half_a_request(station: &Station) -> TcpStream {
    let mut stream = connect(station);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n").unwrap();
    stream
}

/// Thousands of requests in one write, the answers unread.
fn thousands_at_once(station: &Station, path: &str) -> TcpStream {
    let mut stream = connect_narrow(station);
    stream.set_nonblocking(true).unwrap();
    let requests = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").repeat(5000);
    let _as_much_as_fits = stream.write(requests.as_bytes());
    stream
}

/// Says a request byte by byte until the station has enough, and returns the status it is told.
fn head_byte_by_byte(station: &Station) -> Vec<u16> {
    let mut stream = connect(station);
    let mut said = b"GET / HTTP/1.1\r\nHost: a\r\n".iter().copied().chain(std::iter::repeat(b'x'));
    let begun = Instant::now();
    stream.set_nonblocking(true).unwrap();
    let mut start = [0; 1];
    // Until something can be read: an answer, or the end.
    while stream.peek(&mut start).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock) {
        let _refused = stream.write(&[said.next().unwrap()]);
        assert!(begun.elapsed() < DEADLINE, "it goes on for ever");
        rest();
    }
    stream.set_nonblocking(false).unwrap();
    read_until(&mut stream, never).statuses()
}

/// An honest viewer on a thin line: 100 kB/s, and away for longer than ten seconds in the middle.
fn thin_line(station: &Station) {
    let path = newest_segment(station);
    let mut stream = asking(station, &path);
    let (first, closed) = {
        let begun = Instant::now();
        drip(&mut stream, 5000, || begun.elapsed().as_secs() < 4)
    };
    assert!(!closed);
    let tunnel = Instant::now();
    while tunnel.elapsed().as_secs() < 12 {
        rest();
    }
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let got = read_until(&mut stream, |bytes| first + bytes.len() >= 700_000);
    assert!(!got.closed, "an honest viewer was cut off after {} bytes", first + got.bytes.len());
}

/// Goal: peers who are slow on purpose are let go and hold little, and honest ones on thin lines are served. Method: many
/// of each kind at once beside an honest one, with the station's own limits.
#[test]
fn slow_peers_are_let_go_and_thin_lines_are_served() {
    let (_home, station) = station_of_large_segments();
    let meanwhile = at_the_station(&station, MEMORY_MORE_MAX_KB, || {
        let before = Held::by(station.pid()).sockets;
        let (segment, size) = station.until("a segment that fits into no socket", || {
            let segment = newest_segment(&station);
            let size = station.get(&segment).body.len();
            (size > 700_000).then_some((segment, size))
        });
        let idle: Vec<TcpStream> = (0..EACH).map(|_| connect(&station)).collect();
        let half: Vec<TcpStream> = (0..EACH).map(|_| half_a_request(&station)).collect();
        // One who takes nothing, and one who takes a byte now and then, of a segment and of the endless stream.
        let mut takers: Vec<TcpStream> =
            (0..EACH).flat_map(|_| [asking(&station, &segment), asking(&station, "/channels/one/live.ts")]).collect();
        let mut drips = [asking(&station, &segment), asking(&station, "/channels/one/live.ts")];
        let pipes: Vec<TcpStream> = (0..EACH / 4).map(|_| thousands_at_once(&station, &segment)).collect();
        // What was sent before the end is read after it: the station's side tells when it let go.
        let gone = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let honest = scope.spawn(|| thin_line(&station));
            let slow_head = scope.spawn(|| head_byte_by_byte(&station));
            let dripping: Vec<_> = drips
                .iter_mut()
                .map(|stream| scope.spawn(|| drip(stream, 1, || !gone.load(Ordering::Relaxed))))
                .collect();
            let slow_head = slow_head.join();
            let honest = honest.join();
            station.until("nobody slow is left", || (Held::by(station.pid()).sockets <= before + 3).then_some(()));
            gone.store(true, Ordering::Relaxed);
            assert_eq!(slow_head.unwrap(), [408]);
            honest.unwrap();
            for stream in dripping {
                let (taken, _) = stream.join().unwrap();
                assert!(taken < 10_000, "{taken} bytes");
            }
        });
        for stream in &mut drips {
            let got = read_until(stream, never);
            assert!(got.closed && got.bytes.len() < size, "{} of {size} bytes", got.bytes.len());
        }
        for mut stream in half {
            assert_eq!(read_until(&mut stream, never).statuses(), [408]);
        }
        for mut stream in idle {
            assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0, "closed in order, without a word");
        }
        for stream in &mut takers {
            let got = read_until(stream, never);
            assert!(got.closed && got.bytes.len() < size, "{} of {size} bytes", got.bytes.len());
        }
        drop(pipes);
        reset_in_the_middle(&station, &segment);
    });
    meanwhile.judge(&station, 0);
    meanwhile.tell(
        "slow peers of every kind",
        &[
            ("half a request, a header a byte at a time", "408 after 30 s, closed"),
            ("no byte at all", "closed after 30 s"),
            ("readers who take nothing, of a segment and of live.ts", "cut off after 30 s"),
            ("readers who take a byte now and then", "cut off after 30 s: in the long run 8 KiB/s must be taken"),
            ("5,000 requests at once, answers unread", "answered one by one as they are read; cut off after 30 s"),
            ("an honest viewer at 100 kB/s, away for 12 s", "served whole"),
            ("resets in the middle of answers", "nothing; the connection is given back"),
        ],
    );
}

/// Connections that are reset while their answer is on its way.
fn reset_in_the_middle(station: &Station, segment: &str) {
    for path in [segment, "/channels/one/live.ts", "/channels/one/index.m3u8", "/"] {
        for _ in 0..100 {
            let mut stream = asking(station, path);
            let _some = stream.read(&mut [0; 100]).unwrap();
            socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
        }
    }
}
