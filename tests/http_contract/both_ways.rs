//! Goal: whether the short way answers or the router, it is one answer. Method: the same question written as players write
//! it, and with a line that only the router takes; several times, since segments are sent from elsewhere then.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use nightcast::hls::{PlaylistBody, SegmentBody};
use nightcast::http::Limits;
use nightcast::http::tally::Refusal;
use nightcast::units::{MediaTime, Msn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::renditions::several;
use super::socket::{LONG, SHORT, Served};
use super::station::{DEADLINE, snapshot};

const PATIENT: Limits = Limits { connections_max: 16, head_wait: LONG, stall: LONG, ..SHORT };

/// What only the router takes, and what changes nothing.
const ROUTER: &str = "te: trailers\r\n";

#[derive(Debug, PartialEq)]
struct Got {
    status: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// Asks on a connection that is kept, and reads the whole answer.
async fn ask(stream: &mut TcpStream, method: &str, path: &str, lines: &str) -> Got {
    let head = format!("{method} {path} HTTP/1.1\r\nhost: a\r\n{lines}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    read(stream).await
}

async fn read(stream: &mut TcpStream) -> Got {
    let mut bytes = Vec::new();
    let got = async {
        while !bytes.ends_with(b"\r\n\r\n") {
            bytes.push(stream.read_u8().await.unwrap());
        }
        let text = String::from_utf8(std::mem::take(&mut bytes)).unwrap();
        let mut lines = text.trim_end().split("\r\n");
        let status = lines.next().unwrap().to_owned();
        let lines = lines.map(|line| line.split_once(": ").unwrap());
        let mut headers: BTreeMap<_, _> = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let date = headers.remove("date").unwrap();
        assert!(date.len() == 29 && date.ends_with(" GMT"), "{date}");
        let mut body = Vec::new();
        if let Some(length) = headers.get("content-length") {
            body.resize(length.parse().unwrap(), 0);
            stream.read_exact(&mut body).await.unwrap();
        } else if headers.contains_key("transfer-encoding") {
            body = chunks(stream).await;
        }
        Got { status, headers, body }
    };
    tokio::time::timeout(DEADLINE, got).await.expect("it answers")
}

async fn chunks(stream: &mut TcpStream) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let mut size = Vec::new();
        while !size.ends_with(b"\r\n") {
            size.push(stream.read_u8().await.unwrap());
        }
        let size = usize::from_str_radix(std::str::from_utf8(&size).unwrap().trim_end(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk).await.unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

fn segment(len: usize) -> Arc<SegmentBody> {
    let bytes: Vec<u8> = (0..=250).cycle().take(len).collect();
    Arc::new(SegmentBody::in_memory(vec![bytes.into()], MediaTime::from_secs(2), false))
}

/// Returns how many segments of this process lie in the kernel's memory.
fn laid_ready() -> usize {
    let handles = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(Result::ok);
    let files = handles.filter_map(|handle| std::fs::read_link(handle.path()).ok());
    files.filter(|file| file.to_string_lossy().contains("nightcast-segment")).count()
}

#[tokio::test]
async fn both_ways_give_the_same_answers() {
    let served = Served::new(PATIENT).await;
    let mut window = snapshot(97, 100, 109);
    window.segments.insert(Msn(105), segment(3_000_000));
    served.station.night.send_replace(Arc::new(window));
    let mut short = served.connect().await;
    for path in ["/channels/night/index.m3u8", "/channels/night/segments/104.ts", "/channels/night/segments/105.ts"] {
        let expected = ask(&mut served.connect().await, "GET", path, ROUTER).await;
        assert_eq!(expected.status, "HTTP/1.1 200 OK", "{path}");
        for time in 1..=4 {
            let got = ask(&mut short, "GET", path, "accept-encoding: deflate\r\n").await;
            assert_eq!(
                (&got.status, &got.headers),
                (&expected.status, &expected.headers),
                "{path} for the {time}th time"
            );
            assert!(got.body == expected.body, "{path}: the bytes are others for the {time}th time");
        }
    }
    assert!(laid_ready() >= 1, "what several wanted lies in the kernel's memory");
    let routes: BTreeMap<_, u64> = served.tally.requests().map(|(route, _, _, count)| (route, count)).collect();
    assert_eq!(routes.into_values().collect::<Vec<_>>(), [5, 10], "every answer is counted, by either way");
    let (segments, bytes) = served.station.view.channel("night").unwrap().viewers.sums();
    assert_eq!((segments, bytes), (10, 5 * (3_000_000 + super::segment_bytes(104).len() as u64)));
    assert_eq!(served.station.view.channel("night").unwrap().viewers.watching(), 1);
    drop(short);
    served.stop().await;
}

#[tokio::test]
async fn both_ways_know_the_same_renditions() {
    let served = Served::new(PATIENT).await;
    served.station.night.send_replace(Arc::new(several()));
    let mut short = served.connect().await;
    for path in [
        "index.m3u8",
        "large/index.m3u8",
        "small/index.m3u8",
        "small/segments/97.ts",
        "large/segments/105.ts",
        "subs-en/index.m3u8",
        "subs-en/segments/105.vtt",
    ] {
        let path = format!("/channels/night/{path}");
        let expected = ask(&mut served.connect().await, "GET", &path, ROUTER).await;
        assert_eq!(expected.status, "HTTP/1.1 200 OK", "{path}");
        assert_eq!(ask(&mut short, "GET", &path, "").await, expected, "{path}");
    }
    let routes: Vec<_> = served.tally.requests().map(|(route, _, _, count)| (route, count)).collect();
    let expected = [
        ("/channels/{id}/index.m3u8", 2),
        ("/channels/{id}/{rendition}/index.m3u8", 6),
        ("/channels/{id}/{rendition}/segments/{file}", 6),
    ];
    assert_eq!(routes, expected, "every answer is counted, by either way");
    for path in
        ["segments/105.ts", "tiny/index.m3u8", "tiny/segments/105.ts", "small/segments/96.ts", "subs-en/segments/9.vtt"]
    {
        let path = format!("/channels/night/{path}");
        let got = ask(&mut served.connect().await, "GET", &path, "").await;
        assert_eq!(got.status, "HTTP/1.1 404 Not Found", "{path}");
    }
    drop(short);
    served.stop().await;
}

#[tokio::test]
async fn a_compressed_playlist_tells_the_same() {
    let served = Served::new(PATIENT).await;
    let mut window = snapshot(97, 100, 109);
    let text = "#EXTINF:2.000000,\nsegments/17.ts\n".repeat(200);
    window.playlist = Some(PlaylistBody { text: text.clone().into(), etag: "\"long\"".into() });
    served.station.night.send_replace(Arc::new(window));
    let path = "/channels/night/index.m3u8";
    let unpacked = |body: &[u8]| {
        let mut text = String::new();
        flate2::read::GzDecoder::new(body).read_to_string(&mut text).unwrap();
        text
    };
    let mut short = served.connect().await;
    let mut expected =
        ask(&mut served.connect().await, "GET", path, &format!("{ROUTER}accept-encoding: gzip\r\n")).await;
    assert_eq!(unpacked(&expected.body), text);
    // The router compresses as it sends, and cannot tell the length beforehand.
    expected.headers.remove("transfer-encoding").unwrap();
    for _ in 0..2 {
        let mut got = ask(&mut short, "GET", path, "accept-encoding: br;q=0.3, gzip\r\n").await;
        assert_eq!(unpacked(&got.body), text);
        assert_eq!(got.headers.remove("content-length").unwrap(), got.body.len().to_string());
        assert_eq!(got.headers, expected.headers);
    }
    let plain = ask(&mut short, "GET", path, "").await;
    assert_eq!(plain, ask(&mut served.connect().await, "GET", path, ROUTER).await);
    assert_eq!(plain.body, text.as_bytes());
    drop(short);
    served.stop().await;
}

#[tokio::test]
async fn a_connection_goes_on_by_the_router_where_the_short_way_ends() {
    let served = Served::new(PATIENT).await;
    let playlist = "/channels/night/index.m3u8";
    for (method, path, lines, status, length) in [
        ("HEAD", playlist, "", "200 OK", None),
        ("GET", "/channels/nobody/index.m3u8", "", "404 Not Found", None),
        ("GET", "/channels/night/segments/1.ts", "", "404 Not Found", None),
        ("GET", "/healthz", "", "200 OK", Some(3)),
        ("GET", "/channels/night/segments/105.ts", "range: bytes=0-9\r\n", "206 Partial Content", Some(10)),
        ("OPTIONS", playlist, "access-control-request-method: GET\r\n", "200 OK", Some(0)),
        ("POST", playlist, "", "405 Method Not Allowed", None),
    ] {
        let mut stream = served.connect().await;
        let first = ask(&mut stream, "GET", playlist, "").await;
        if method == "HEAD" {
            // Its length is that of a body that does not come, so the next answer is read as well.
            let text = format!("HEAD {path} HTTP/1.1\r\nhost: a\r\n\r\n");
            stream.write_all(text.as_bytes()).await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            assert!(head.starts_with(b"HTTP/1.1 200 OK"));
        } else {
            let got = ask(&mut stream, method, path, lines).await;
            assert_eq!(got.status, format!("HTTP/1.1 {status}"), "{method} {path}");
            assert!(length.is_none_or(|length| got.body.len() == length), "{method} {path}");
        }
        assert_eq!(ask(&mut stream, "GET", playlist, "").await, first, "after {method} {path}");
    }
    let tag = ask(&mut served.connect().await, "GET", playlist, "").await.headers["etag"].clone();
    let got = ask(&mut served.connect().await, "GET", playlist, &format!("if-none-match: {tag}\r\n")).await;
    assert_eq!((got.status.as_str(), got.body.len()), ("HTTP/1.1 304 Not Modified", 0));
    served.stop().await;
}

/// Goal: a peer is given up from whatever a segment is sent. Method: a segment that two have taken, so that it lies in the
/// kernel's memory, and a third who asks and never reads.
#[tokio::test]
async fn a_reader_who_takes_nothing_of_what_lies_ready_is_given_up() {
    let served = Served::new(Limits { stall: SHORT.stall, ..PATIENT }).await;
    let mut window = snapshot(97, 100, 109);
    window.segments.insert(Msn(105), segment(32 << 20));
    served.station.night.send_replace(Arc::new(window));
    let path = "/channels/night/segments/105.ts";
    let mut stream = served.connect().await;
    for _ in 0..3 {
        assert_eq!(ask(&mut stream, "GET", path, "").await.body.len(), 32 << 20);
    }
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).await.unwrap();
    let given_up = async {
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        while served.tally.refusals()[Refusal::TooSlow as usize] == 0 {
            looks.tick().await;
        }
    };
    tokio::time::timeout(DEADLINE, given_up).await.expect("the server gives up");
    drop(stream);
    assert_eq!(served.stop().await, [(Refusal::TooSlow, 1)]);
}

#[tokio::test]
async fn heads_may_come_in_pieces_and_several_at_once() {
    let served = Served::new(PATIENT).await;
    let playlist = "/channels/night/index.m3u8";
    let mut stream = served.connect().await;
    let expected = ask(&mut stream, "GET", playlist, "").await;
    let head = format!("GET {playlist} HTTP/1.1\r\nhost: a\r\n\r\n");
    for cut in [1, 14, 20, head.len() - 1] {
        for part in [&head[..cut], &head[cut..]] {
            stream.write_all(part.as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
        }
        assert_eq!(read(&mut stream).await, expected, "cut at {cut}");
    }
    let unusual = head.replace("host: a", "host: a\r\nte: trailers");
    stream.write_all(format!("{head}{head}{unusual}{head}").as_bytes()).await.unwrap();
    for _ in 0..4 {
        assert_eq!(read(&mut stream).await, expected);
    }
    drop(stream);
    served.stop().await;
}
