//! Goal: peers that are silent, slow or too many, and stopping. Method: raw TCP against `serve` with short limits.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nightcast::hls::SegmentBody;
use nightcast::hls::spool::Content;
use nightcast::http::tally::Refusal;
use nightcast::http::{Desk, Limits, Tally, pages, serve};
use nightcast::units::{MediaTime, Msn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::station::{DEADLINE, Station, snapshot};

/// A station on a socket with limits short enough for a test.
pub(crate) struct Served {
    pub(crate) station: Station,
    address: std::net::SocketAddr,
    pub(crate) tally: Arc<Tally>,
    task: JoinHandle<()>,
}

pub(crate) const SHORT: Limits = Limits {
    connections_max: 2,
    head_wait: Duration::from_millis(300),
    stall: Duration::from_millis(300),
    rate_min: 1,
    drain: Duration::from_millis(300),
};
pub(crate) const LONG: Duration = Duration::from_mins(1);

impl Served {
    #[expect(clippy::disallowed_methods, reason = "the test is the task's owner and awaits it")]
    pub(crate) async fn new(limits: Limits) -> Self {
        let station = Station::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tally, token) = (Arc::<Tally>::default(), station.view.token.clone());
        let task = tokio::spawn(serve(
            listener,
            pages(station.view.clone(), &Desk::closed()),
            limits,
            Arc::clone(&tally),
            token,
        ));
        Self { station, address, tally, task }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Stops, and returns which refusals were counted, each as often as it was.
    pub(crate) async fn stop(self) -> Vec<(Refusal, u64)> {
        self.station.view.token.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.expect("it stops").unwrap();
        assert_eq!(self.tally.connections().1, 0, "none is open");
        let counts = Refusal::ALL.into_iter().zip(self.tally.refusals());
        counts.filter(|(_, count)| *count > 0).collect()
    }
}

/// Reads until the peer closes; a reset counts as closed.
async fn to_the_end(stream: &mut TcpStream) -> String {
    let mut got = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(read) = tokio::time::timeout(DEADLINE, stream.read(&mut piece)).await.expect("the server closes") {
        if read == 0 {
            break;
        }
        got.extend_from_slice(&piece[..read]);
    }
    String::from_utf8_lossy(&got).into_owned()
}

#[tokio::test]
async fn peers_that_say_nothing_or_stop_in_the_middle_are_closed() {
    let served = Served::new(SHORT).await;
    for (sentence, said) in [
        ("nothing at all", &b""[..]),
        ("one byte", b"G"),
        ("half a head", b"GET / HTTP/1.1\r\nhost: a\r\n"),
        ("half a player's head", b"GET /channels/night/index.m3u8 HTTP/1.1\r\nhost: a\r\n"),
        ("the beginning of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("what is no HTTP", b"hello\r\n\r\n"),
        ("an idle connection", b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"),
        ("an idle player", b"GET /channels/night/index.m3u8 HTTP/1.1\r\nhost: a\r\n\r\n"),
    ] {
        let expected = match sentence {
            "nothing at all" => "",
            "an idle connection" | "an idle player" => "HTTP/1.1 200",
            "the beginning of HTTP/2" => "HTTP/1.1 505",
            "what is no HTTP" => "HTTP/1.1 400",
            _ => "HTTP/1.1 408",
        };
        let mut stream = served.connect().await;
        stream.write_all(said).await.unwrap();
        let got = to_the_end(&mut stream).await;
        assert!(got.starts_with(expected) && got.is_empty() == expected.is_empty(), "{sentence}: {got}");
    }
    let counted = [(Refusal::HeadSlow, 3), (Refusal::HeadMalformed, 1), (Refusal::OtherVersion, 1)];
    assert_eq!(served.stop().await, counted);
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let served = Served::new(Limits { head_wait: LONG, ..SHORT }).await;
    let mut stream = served.connect().await;
    let head = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    // The server may close before it has read everything.
    let _ = stream.write_all(head.as_bytes()).await;
    let got = to_the_end(&mut stream).await;
    assert!(got.starts_with("HTTP/1.1 431"), "{got}");
    assert_eq!(served.stop().await, [(Refusal::HeadTooLarge, 1)]);
}

#[tokio::test]
async fn a_body_nobody_asked_for_does_no_harm() {
    let served = Served::new(Limits { head_wait: LONG, ..SHORT }).await;
    let mut stream = served.connect().await;
    let request = b"GET /healthz HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
    stream.write_all(request).await.unwrap();
    assert!(to_the_end(&mut stream).await.ends_with("ok\n"));
    assert!(served.stop().await.is_empty(), "nobody was refused");
}

#[tokio::test]
async fn the_crowd_beyond_the_limit_is_told_so_and_seats_are_given_back() {
    let served = Served::new(Limits { head_wait: LONG, stall: LONG, ..SHORT }).await;
    let ask = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut seated = Vec::new();
    for _ in 0..SHORT.connections_max {
        let mut stream = served.connect().await;
        stream.write_all(b"GET /channels/night/live.ts HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
        seated.push(stream);
    }
    let mut beyond = served.connect().await;
    beyond.write_all(ask).await.unwrap();
    let got = to_the_end(&mut beyond).await;
    assert!(got.starts_with("HTTP/1.1 503") && got.contains("retry-after: 5"), "{got}");
    drop(seated);
    let served_again = async {
        loop {
            let mut stream = served.connect().await;
            stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
            if to_the_end(&mut stream).await.starts_with("HTTP/1.1 200") {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, served_again).await.expect("a seat becomes free");
    let counted = served.stop().await;
    assert!(matches!(counted[..], [(Refusal::Seats, 1..)]), "{counted:?}");
}

#[tokio::test]
async fn the_longest_idle_makes_room_and_whoever_is_served_stays() {
    let served = Served::new(Limits { head_wait: LONG, stall: LONG, ..SHORT }).await;
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
    let mut watching = served.connect().await;
    watching.write_all(ask("/channels/night/live.ts").as_bytes()).await.unwrap();
    let mut start = [0; 12];
    watching.read_exact(&mut start).await.unwrap();
    // Each of them takes the seat of the one before, whether that has asked for something or not.
    let mut before = served.connect().await;
    for silent in [true, false, false] {
        let mut next = served.connect().await;
        if !silent {
            next.write_all(ask("/healthz").as_bytes()).await.unwrap();
            next.read_exact(&mut start).await.unwrap();
            assert_eq!(&start, b"HTTP/1.1 200");
        }
        to_the_end(&mut before).await;
        before = next;
    }
    served.station.night.send_replace(Arc::new(snapshot(98, 101, 110)));
    let mut bytes = 0;
    let mut piece = vec![0; 65_536];
    while bytes < 12_000 {
        let read = tokio::time::timeout(DEADLINE, watching.read(&mut piece)).await.expect("it goes on").unwrap();
        assert!(read > 0, "whoever watches keeps the seat");
        bytes += read;
    }
    drop(watching);
    assert_eq!(served.stop().await, [(Refusal::Evicted, 3)]);
}

#[tokio::test]
async fn a_reader_who_takes_nothing_is_given_up() {
    let served = Served::new(Limits { head_wait: LONG, ..SHORT }).await;
    let huge =
        Arc::new(SegmentBody::in_memory(vec![Bytes::from(vec![0x47; 64 << 20])], MediaTime::from_secs(2), false));
    let mut snapshot = snapshot(1, 1, 1);
    snapshot.segments.insert(Msn(1), Arc::clone(&huge));
    served.station.night.send_replace(Arc::new(snapshot));
    let mut stream = served.connect().await;
    stream.write_all(b"GET /channels/night/segments/1.ts HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    // Once the answer is abandoned, nobody but the snapshot and this test holds the segment's bytes.
    let abandoned = async {
        let mut holders = false;
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        loop {
            let unique = matches!(&*huge.renditions[0], Content::Memory(bytes) if bytes.is_unique());
            holders |= !unique;
            if holders && unique {
                break;
            }
            looks.tick().await;
        }
    };
    tokio::time::timeout(DEADLINE, abandoned).await.expect("the server gives up");
    assert!(to_the_end(&mut stream).await.len() < huge.renditions[0].len(), "the answer was cut");
    assert_eq!(served.stop().await, [(Refusal::TooSlow, 1)]);
}

#[tokio::test]
async fn stopping_lets_answers_finish_and_closes_what_is_idle_or_endless() {
    let served = Served::new(Limits { connections_max: 8, head_wait: LONG, stall: LONG, drain: LONG, ..SHORT }).await;
    let mut idle = served.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut endless = served.connect().await;
    endless.write_all(b"GET /channels/night/live.ts HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut waiting = served.connect().await;
    waiting.write_all(b"GET /channels/new/index.m3u8 HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    for stream in [&mut idle, &mut endless] {
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
    }
    served.station.view.token.cancel();
    let (rest, stream, answer) =
        tokio::join!(to_the_end(&mut idle), to_the_end(&mut endless), to_the_end(&mut waiting));
    assert!(rest.ends_with("ok\n"));
    assert!(stream.ends_with("0\r\n\r\n"), "an orderly end of the chunked body");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 503"), "{answer}");
    tokio::time::timeout(DEADLINE, served.task).await.expect("it stops").unwrap();
    assert!(TcpStream::connect(served.address).await.is_err(), "nobody is accepted any more");
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_reader_who_never_reads() {
    let served = Served::new(Limits { head_wait: LONG, stall: LONG, ..SHORT }).await;
    let mut snapshot = snapshot(1, 1, 1);
    let bytes = Bytes::from(vec![0x47; 64 << 20]);
    snapshot.segments.insert(Msn(1), Arc::new(SegmentBody::in_memory(vec![bytes], MediaTime::from_secs(2), false)));
    served.station.night.send_replace(Arc::new(snapshot));
    let mut stream = served.connect().await;
    stream.write_all(b"GET /channels/night/segments/1.ts HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    assert!(served.stop().await.is_empty(), "nobody was refused");
}
