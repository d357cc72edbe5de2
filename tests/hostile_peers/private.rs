//! Strangers at the listener that is for a run's own ffmpeg.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nightcast::on_air::receive::Upload;
use nightcast::on_air::receive::task::{UPLOADS_MAX, serve};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::ground::{DEADLINE, at_the_station, carries_on, station};
use super::wire::{Got, never, read_until, whole};
use crate::support::station::{Settings, Station, rest, signal};

const SECRET: &str = "5ec7e7";

/// How much more memory strangers may cost.
const MEMORY_MORE_MAX_KB: u64 = 48 << 10;

/// A listener as a run has it.
struct Private {
    address: SocketAddr,
    uploads: mpsc::Receiver<Upload>,
    task: JoinHandle<()>,
}

impl Private {
    async fn new(renditions: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, uploads) = mpsc::channel(UPLOADS_MAX);
        let task = tokio::spawn(serve(listener, Arc::from(SECRET), renditions, sender));
        Self { address, uploads, task }
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

fn put(path: &str, body: &str) -> String {
    format!("PUT {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn say(stream: &mut TcpStream, said: &[u8], enough: fn(&[u8]) -> bool) -> Got {
    let _refused_early = stream.write_all(said);
    read_until(stream, enough)
}

/// Off the threads that serve.
async fn beside<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(act).await.unwrap()
}

/// Goal: a stranger gets nothing but a refusal, and ffmpeg comes in all the same. Method: wrong requests one by one, a
/// crowd that says nothing, then the right one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_refused_and_the_right_one_comes_in() {
    let mut private = Private::new(1).await;
    let address = private.address;
    beside(move || {
        let list = format!("/{SECRET}/live.m3u8");
        for (sentence, said, status) in [
            ("a wrong secret", put("/5ec7e8/0.ts", "x"), 404),
            ("the beginning of the secret", put("/5ec7e/0.ts", "x"), 404),
            ("no secret", put("/0.ts", "x"), 404),
            ("a way around", put(&format!("/x/../{SECRET}/0.ts"), "x"), 404),
            ("encoded", put("/%35ec7e7/0.ts", "x"), 404),
            ("another name", put(&format!("/{SECRET}/passwd"), "x"), 404),
            ("another method", format!("GET {list} HTTP/1.1\r\nHost: a\r\n\r\n"), 404),
            ("a method made up", format!("BREW {list} HTTP/1.1\r\nHost: a\r\n\r\n"), 404),
            ("a long head", format!("PUT {list} HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(300_000)), 431),
            ("many lines", format!("PUT {list} HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(33)), 431),
            ("no HTTP", "\x16\x03\x01\x02\0\x01\0".to_owned(), 400),
        ] {
            let got = say(&mut connect(address), said.as_bytes(), never);
            assert!(got.closed, "{sentence}");
            // Of a head that is cut off the refusal may be lost with what was not read.
            let lost = status == 431 && got.bytes.is_empty();
            assert!(lost || got.statuses() == [status], "{sentence}: {}", got.text());
        }
    })
    .await;
    assert!(private.uploads.try_recv().is_err(), "nothing was taken");
    let (crowd, mut own) = beside(move || {
        let crowd: Vec<TcpStream> = (0..300).map(|_| connect(address)).collect();
        let mut own = connect(address);
        let got = say(&mut own, put(&format!("/{SECRET}/0.ts"), "chunk").as_bytes(), whole);
        assert_eq!(got.statuses(), [200], "ffmpeg comes in: {}", got.text());
        (crowd, own)
    })
    .await;
    assert!(matches!(private.uploads.recv().await, Some(Upload::Chunk { number: 0, .. })));
    let own = beside(move || {
        for mut stranger in crowd {
            assert!(read_until(&mut stranger, never).closed, "strangers are sent away");
        }
        let refused = TcpStream::connect(address).is_err();
        assert!(refused, "the door is closed behind ffmpeg");
        let too_long = format!("PUT /{SECRET}/live.m3u8 HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n");
        let got = say(&mut own, format!("{too_long}{}", "x".repeat(70_000)).as_bytes(), whole);
        assert_eq!(got.statuses(), [413], "its playlist is a short one");
        own
    })
    .await;
    assert!(!private.task.is_finished());
    drop(own);
    tokio::time::timeout(DEADLINE, private.task).await.expect("ends with its connection").unwrap();
}

/// Goal: the door stays open for as many connections as ffmpeg opens, one for each rendition, and for no one else; without
/// one of them the run is over. Method: two renditions; a stranger before, between and after; then one of the two ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rendition_comes_in_and_nobody_else() {
    let mut private = Private::new(2).await;
    let address = private.address;
    let stranger = move || say(&mut connect(address), put("/x/0/0.ts", "x").as_bytes(), whole).statuses();
    let own = move |rendition: usize| {
        let mut own = connect(address);
        let got = say(&mut own, put(&format!("/{SECRET}/{rendition}/0.ts"), "chunk").as_bytes(), whole);
        assert_eq!(got.statuses(), [200], "rendition {rendition}: {}", got.text());
        own
    };
    let connections = beside(move || {
        assert_eq!(stranger(), [404], "before");
        let first = own(0);
        assert_eq!(stranger(), [404], "between");
        let third = say(&mut connect(address), put(&format!("/{SECRET}/2/0.ts"), "x").as_bytes(), whole);
        assert_eq!(third.statuses(), [404], "there is no third rendition");
        (first, own(1))
    })
    .await;
    for expected in 0..2 {
        let upload = private.uploads.recv().await;
        assert!(
            matches!(upload, Some(Upload::Chunk { rendition, number: 0, .. }) if rendition == expected),
            "{upload:?}"
        );
    }
    beside(move || {
        let deadline = Instant::now() + DEADLINE;
        while TcpStream::connect(address).is_ok() {
            assert!(Instant::now() < deadline, "the door is not closed behind both");
            rest();
        }
    })
    .await;
    assert!(!private.task.is_finished());
    let (first, second) = connections;
    drop(second);
    tokio::time::timeout(DEADLINE, private.task).await.expect("ends with one of its connections").unwrap();
    drop(first);
}

/// Goal: whoever read the secret from the command line gets no further as another user. Method: such a user, where this
/// test may become one (it must be root); then our own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_secret_is_worth_nothing_to_another_user() {
    let mut private = Private::new(1).await;
    let address = private.address;
    if rustix::process::geteuid().is_root() {
        let (host, port) = (address.ip(), address.port());
        let script = format!("exec 3<>/dev/tcp/{host}/{port}; printf '%b' \"$1\" >&3; cat <&3");
        let said = put(&format!("/{SECRET}/0.ts"), "fake");
        let answer = beside(move || {
            let mut stranger = std::process::Command::new("setpriv");
            stranger.args(["--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c", &script, "bash", &said]);
            stranger.output().unwrap()
        })
        .await;
        let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        assert!(private.uploads.try_recv().is_err(), "nothing was taken");
    }
    let got = beside(move || say(&mut connect(address), put(&format!("/{SECRET}/0.ts"), "x").as_bytes(), whole)).await;
    assert_eq!(got.statuses(), [200]);
    assert!(private.uploads.recv().await.is_some());
}

/// The private address of the run on air: who it belongs to, where it listens, and its secret, as any user can read them.
fn read_from_the_command_line(station: &Station) -> Option<(u32, SocketAddr, String)> {
    let pid = *station.children("slots.ffconcat").first()?;
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let line = String::from_utf8_lossy(&line).replace('\0', " ");
    let (address, rest) = line.split_once("http://")?.1.split_once('/')?;
    Some((pid, address.parse().ok()?, rest.split_once('/')?.0.to_owned()))
}

/// Goal: strangers at the private listener disturb no run. Method: on air, all they can try with and without the secret;
/// then the run is killed again and again, and each new listener is flooded from its first moment.
#[test]
fn strangers_at_the_private_listener_disturb_no_run() {
    const KILLS: usize = 3;
    let (_home, station) = station(Settings::default());
    let meanwhile = at_the_station(&station, MEMORY_MORE_MAX_KB, || {
        let (_, address, secret) = read_from_the_command_line(&station).unwrap();
        for path in ["/", &format!("/{secret}/0.ts"), &format!("/{secret}/live.m3u8")] {
            // Replayed and guessed alike: there is nobody to say it to.
            assert!(TcpStream::connect(address).is_err(), "{path}");
        }
        let mut seen = BTreeSet::new();
        let (mut flooded, mut last) = (0, Instant::now());
        while seen.len() <= KILLS || last.elapsed() < Duration::from_secs(2) {
            let Some((pid, address, _)) = read_from_the_command_line(&station) else { continue };
            if seen.insert(pid) {
                last = Instant::now();
            }
            let mut crowd = Vec::new();
            // As long as the door is open.
            while let Ok(mut stream) = TcpStream::connect(address) {
                let said = match crowd.len() % 4 {
                    0 => String::new(),
                    1 => "\0\0\0\0".to_owned(),
                    2 => put("/00000000000000000000000000000000/0.ts", "fake"),
                    _ => "PUT /".to_owned(),
                };
                let _refused = stream.write_all(said.as_bytes());
                crowd.push(stream);
                if crowd.len() == 200 {
                    flooded += crowd.len();
                    crowd.clear();
                }
                // Some four hundred a second: what fills the kernel's queue for good delays ffmpeg as it does everybody.
                if crowd.len().is_multiple_of(20) {
                    rest();
                }
            }
            flooded += crowd.len();
            let more = seen.len() <= KILLS;
            if more && last.elapsed() > Duration::from_secs(3) {
                assert!(std::path::Path::new(&format!("/proc/{pid}")).exists(), "{}", station.log());
                signal(pid, "KILL");
                station.until("a new run", || read_from_the_command_line(&station).filter(|(new, ..)| *new != pid));
            }
        }
        println!("{flooded} strangers");
        carries_on(&station, 6);
        assert!(flooded > 0, "nobody came to an open door");
    });
    meanwhile.judge(&station, KILLS);
    meanwhile.tell(
        "an ffmpeg killed three times, each new listener flooded",
        &[
            (
                "strangers at a run's private listener before ffmpeg is in",
                "404 or 400, closed; the newest 256 are heard, for 5 s at most",
            ),
            (
                "strangers there while on air, replaying the secret or not",
                "connection refused: nobody listens any more",
            ),
        ],
    );
}
