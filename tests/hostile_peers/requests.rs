//! Requests that no honest peer sends.

use std::path::Path;

use super::ground::{at_the_station, station};
use super::wire::{Got, ask, never, whole};
use crate::support::station::{Settings, Station};

/// How much more memory they may cost: heads are bounded by 32 KiB each, one at a time.
const MEMORY_MORE_MAX_KB: u64 = 48 << 10;

fn repeated(before: &str, piece: &str, times: usize, after: &str) -> Vec<u8> {
    format!("{before}{}{after}", piece.repeat(times)).into_bytes()
}

/// What is said, and the statuses of the only answers; after each the station closes.
fn refused() -> Vec<(&'static str, Vec<u8>, u16)> {
    let plain = |text: &str| text.as_bytes().to_vec();
    let get = "GET /healthz HTTP/1.1\r\nHost: a\r\n";
    let hidden = "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n";
    vec![
        ("TLS", [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], &[0xaa; 500]].concat(), 400),
        ("zero bytes", vec![0; 4096], 400),
        ("HTTP/0.9", plain("GET /healthz\r\n\r\n"), 400),
        ("HTTP/3 in words", plain("GET /healthz HTTP/3.0\r\nHost: a\r\n\r\n"), 400),
        ("HTTP/2", [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"[..], &[0; 900]].concat(), 505),
        ("no Host", plain("GET /healthz HTTP/1.1\r\n\r\n"), 400),
        ("two Hosts", plain("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400),
        ("a Host that is none", plain("GET /healthz HTTP/1.1\r\nHost: a b/<i>\r\n\r\n"), 400),
        ("a space before the colon", plain("GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n"), 400),
        ("a folded line", plain(&format!("{get}X: a\r\n b\r\n\r\n")), 400),
        ("a line that ends in CR", plain(&format!("{get}X: a\rY: b\r\n\r\n")), 400),
        ("NUL in a header", plain(&format!("{get}X: a\0b\r\n\r\n")), 400),
        ("two lengths", plain(&format!("{get}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd{hidden}")), 400),
        ("a length with a sign", plain(&format!("{get}Content-Length: +4\r\n\r\nabcd{hidden}")), 400),
        ("a list of lengths", plain(&format!("{get}Content-Length: 4, 5\r\n\r\nabcd{hidden}")), 400),
        ("a length beyond all numbers", plain(&format!("{get}Content-Length: {}\r\n\r\n", "9".repeat(40))), 400),
        (
            "length and chunks",
            plain(&format!("{get}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}")),
            400,
        ),
        (
            "chunks and length",
            plain(&format!("{get}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n{hidden}")),
            400,
        ),
        ("chunks", plain(&format!("{get}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}")), 400),
        ("chunks that are none", plain(&format!("{get}Transfer-Encoding: chunked\r\n\r\nzz\r\n{hidden}")), 400),
        ("another coding", plain(&format!("{get}Transfer-Encoding: gzip\r\n\r\n{hidden}")), 400),
        ("nearly chunks", plain(&format!("{get}Transfer-Encoding: xchunked\r\n\r\n{hidden}")), 400),
        ("a broken octet in the path", b"GET /watch/\xc0\xae\xc0\xaf HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), 400),
        ("an address of 10 kB", repeated("GET /", "a", 10_000, " HTTP/1.1\r\nHost: a\r\n\r\n"), 414),
        ("an address of 10 MB", repeated("GET /", "a", 10_000_000, " HTTP/1.1\r\nHost: a\r\n\r\n"), 431),
        ("a header without end", repeated(get, "x", 10_000_000, ""), 431),
        ("a name of a header without end", repeated(&format!("{get}X: "), "x", 10_000_000, ""), 431),
        ("headers without end", repeated(get, "x: y\r\n", 1_000_000, ""), 431),
        ("65 headers", repeated(get, "x: y\r\n", 64, "\r\n"), 431),
    ]
}

/// What is said, and what answers it: all of one request, after which the connection is as before.
const ANSWERED: &[(&str, &str, u16)] = &[
    (
        "h2c, which is not spoken",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
        200,
    ),
    (
        "a web socket",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAA\r\nSec-WebSocket-Version: 13\r\n\r\n",
        200,
    ),
    ("another Host in the target", "GET http://elsewhere.example/healthz HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    ("an absurd Host", "GET /healthz HTTP/1.1\r\nHost: ..:99999999\r\n\r\n", 200),
    ("bare LF, which RFC 9112 §2.2 allows", "GET /healthz HTTP/1.1\nHost: a\n\n", 200),
    ("a name as if for a proxy", "GET elsewhere.example:80 HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    ("everything at once", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 204),
    ("a tunnel", "CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
];

/// Every address pattern of the router, from its source: a new one is covered by itself.
fn routes() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let mut routes = Vec::new();
    let entries = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    for entry in entries.filter(|entry| entry.file_type().is_file()) {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        for hidden in [".nest(", ".nest_service(", ".route_service("] {
            assert!(!text.contains(hidden), "{hidden} adds addresses that this test does not see");
        }
        let named = text.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next());
        routes.extend(named.map(str::to_owned));
    }
    assert!(routes.len() >= 12, "{routes:?}");
    routes
}

/// Ways out of a folder.
const WAYS_OUT: &[&str] = &[
    "../../../../etc/passwd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "..%2f..%2f..%2f..%2fetc%2fpasswd",
    "..%5c..%5c..%5c..%5cetc%5cpasswd",
    "..\\..\\..\\..\\etc\\passwd",
    "%252e%252e%252f%252e%252e%252fetc%252fpasswd",
    "%c0%ae%c0%ae%c0%af%c0%ae%c0%ae%c0%afetc%c0%afpasswd",
    "%e0%80%ae%e0%80%ae/etc/passwd",
    "..;/..;/etc/passwd",
    "....//....//etc/passwd",
    "%00",
    "one%00.ts",
    "%2e",
    "%",
    "%zz",
    "~root/.profile",
    "file:%2f%2f%2fetc%2fpasswd",
];

/// A pattern with something else than meant at each place where something is meant, and behind it.
fn led_astray(route: &str, way: &str) -> Vec<String> {
    let meant = |part: &str| part.starts_with('{');
    let parts: Vec<&str> = route.split('/').collect();
    let places = (0..parts.len()).filter(|place| meant(parts[*place]));
    let mut paths: Vec<String> = places
        .map(|place| {
            let fill = |(n, part): (usize, &&str)| match (n == place, meant(part)) {
                (true, _) => way.to_owned(),
                (false, true) => "one".to_owned(),
                (false, false) => (*part).to_owned(),
            };
            parts.iter().enumerate().map(fill).collect::<Vec<_>>().join("/")
        })
        .collect();
    let whole: Vec<&str> = parts.iter().map(|part| if meant(part) { "one" } else { *part }).collect();
    paths.push(format!("{}/{way}", whole.join("/")));
    paths
}

fn get(station: &Station, target: &str, headers: &str) -> Got {
    ask(station, format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n").as_bytes(), never)
}

fn no_way_leads_out(station: &Station) {
    for route in routes() {
        for path in WAYS_OUT.iter().flat_map(|way| led_astray(&route, way)) {
            for target in [path.clone(), format!("http://a{path}")] {
                let got = get(station, &target, "");
                assert!(matches!(got.statuses()[..], [400 | 404]), "{target}: {}", got.text());
                let text = got.text();
                assert!(!text.contains("root:") && !text.contains("/etc/"), "{target}: {text}");
            }
        }
    }
}

fn no_method_changes_anything(station: &Station) {
    for route in routes() {
        let path = route.split('/').map(|part| if part.starts_with('{') { "one" } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        for method in
            ["POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "BREW", "get", "Get", "M-SEARCH"]
        {
            let said = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nX-Told: back\r\nConnection: close\r\n\r\n");
            let got = ask(station, said.as_bytes(), never);
            assert_eq!(got.statuses(), [405], "{method} {path}");
            let text = got.text().to_lowercase();
            assert!(text.contains("allow: get, head, options") && !text.contains("x-told"), "{method} {path}: {text}");
        }
    }
}

fn ranges_give_what_there_is(station: &Station) {
    let playlist = station.playlist("one").unwrap();
    let segment = playlist.lines().rfind(|line| line.starts_with("segments/")).unwrap();
    let path = format!("/channels/one/{segment}");
    let length = station.get(&path).body.len();
    let many = format!("Range: bytes=0-{}\r\n", ",0-".repeat(5000));
    let twice = "Range: bytes=0-0\r\nRange: bytes=1-1\r\n";
    for (range, status) in [
        ("Range: bytes=0-0\r\n", 206),
        ("Range: bytes=-1\r\n", 206),
        (twice, 206),
        ("Range: bytes=0-99999999999999\r\n", 206),
        ("Range: bytes=99999999999-\r\n", 416),
        ("Range: bytes=-0\r\n", 416),
        ("Range: bytes=18446744073709551615-18446744073709551616\r\n", 200),
        ("Range: bytes=5-2\r\n", 200),
        ("Range: bytes=--1\r\n", 200),
        ("Range: items=0-0\r\n", 200),
        ("Range: bytes=0-0, 2-2, 0-, 0-, 0-\r\n", 200),
        (&many, 200),
    ] {
        let got = get(station, &path, range);
        assert_eq!(got.statuses()[0], status, "{range:.80}");
        let split = got.bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let body = got.bytes.len() - split - 4;
        assert!(body <= length && (status != 200 || body == length), "{range:.80}: {body} of {length}");
    }
}

fn nothing_a_peer_says_is_said_again(station: &Station) {
    let told = "%0d%0aSet-Cookie:%20injected=1%0d%0a%0d%0a<b>injected</b>";
    for path in ["/watch/", "/channels/", "/assets/", "/api/channels/", "/"] {
        for headers in ["", "Accept: text/html\r\n", "User-Agent: injected\u{1b}[31m\r\nReferer: injected\r\n"] {
            let got = get(station, &format!("{path}{told}"), headers);
            assert!(matches!(got.statuses()[..], [400 | 404]), "{path}");
            assert!(!got.text().contains("injected"), "{path}: {}", got.text());
        }
    }
    for line in station.log().lines() {
        let _parsed: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(!line.contains("injected"), "{line}");
    }
}

/// Goal: each is refused with its status, and nothing hidden behind it is answered. Method: tables, and every address of
/// the router with every way out of a folder and every method, at a station on air.
#[test]
fn requests_that_no_honest_peer_sends_get_their_status_and_nothing_else() {
    let (_home, station) = station(Settings::default());
    let meanwhile = at_the_station(&station, MEMORY_MORE_MAX_KB, || {
        for (sentence, said, status) in refused() {
            let got = ask(&station, &said, never);
            assert_eq!((got.statuses(), got.closed), (vec![status], true), "{sentence}: {}", got.text());
        }
        for (sentence, said, status) in ANSWERED {
            let got = ask(&station, said.as_bytes(), whole);
            assert_eq!(got.statuses(), [*status], "{sentence}: {}", got.text());
        }
        let (here, elsewhere) = (get(&station, "/api/channels", ""), station.get("/api/channels"));
        assert_eq!((here.statuses(), elsewhere.status), (vec![200], 200), "every name gets the same");
        no_way_leads_out(&station);
        no_method_changes_anything(&station);
        ranges_give_what_there_is(&station);
        nothing_a_peer_says_is_said_again(&station);
    });
    meanwhile.judge(&station, 0);
    meanwhile.tell("requests that no honest peer sends", &[
        ("HTTP/2 without asking", "505, closed; `Upgrade: h2c` is passed over"),
        ("TLS, HTTP/0.9, garbage", "400, closed"),
        ("no Host, two Hosts, a Host that is none", "400, closed; any other name gets what all get: everything is public and only read, so DNS rebinding gains nothing"),
        ("two lengths, length and chunks, odd codings, folded lines", "400, closed; what is hidden behind is not answered"),
        ("an address of 10 kB, of 10 MB", "414, 431; closed"),
        ("headers without end, in size or number", "431, closed at 32 KiB or 64 lines"),
        ("ways out of a folder, on every route", "400 or 404"),
        ("POST, PUT, DELETE, TRACE, CONNECT, made-up methods, on every route", "405"),
        ("absurd ranges", "206, 416, or the whole; never more than the segment"),
    ]);
}
