//! Goal: what players, browsers and caches may rely on. Method: the router without a socket, except for what only a
//! socket can show (silence, crowds, slow readers, stopping): see `socket`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its fixtures too")]

mod apps;
mod both_ways;
mod desk;
mod guide;
mod on_demand;
mod renditions;
mod rewind;
mod socket;
mod station;
mod thumbnails;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use jiff::Timestamp;
use nightcast::units::Msn;
use tower::ServiceExt;

use station::{DEADLINE, Station, segment_bytes, snapshot};

#[tokio::test]
async fn every_address_answers_with_its_type_and_its_life_in_caches() {
    let station = Station::new();
    for (path, status, kind, cache) in [
        ("/channels/night/index.m3u8", 200, "application/vnd.apple.mpegurl", "public, max-age=1"),
        ("/channels/night/segments/105.ts", 200, "video/mp2t", "public, max-age=31536000, immutable"),
        ("/channels/night/segments/97.ts", 200, "video/mp2t", "public, max-age=31536000, immutable"),
        ("/channels/night/segments/96.ts", 404, "text/plain; charset=utf-8", "no-store"),
        ("/channels/night/segments/110.ts", 404, "text/plain; charset=utf-8", "no-store"),
        ("/channels/night/segments/0105.ts", 404, "text/plain; charset=utf-8", "no-store"),
        ("/channels/nobody/index.m3u8", 404, "text/plain; charset=utf-8", "no-store"),
        ("/channels/nobody/segments/1.ts", 404, "text/plain; charset=utf-8", "no-store"),
        ("/channels/nobody/live.ts", 404, "text/plain; charset=utf-8", "no-store"),
        ("/api/channels", 200, "application/json", "no-store"),
        ("/api/channels/night", 200, "application/json", "no-store"),
        ("/api/channels/nobody", 404, "text/plain; charset=utf-8", "no-store"),
        ("/api/guide", 200, "application/json", "no-store"),
        ("/channels/night/logo", 200, "image/svg+xml", "public, max-age=300"),
        ("/channels/night/logo.png", 200, "image/png", "public, max-age=300"),
        ("/channels/nobody/logo", 404, "text/plain; charset=utf-8", "no-store"),
        ("/brand.css", 200, "text/css; charset=utf-8", "no-cache"),
        ("/discover.json", 404, "text/plain; charset=utf-8", "no-store"),
        ("/lineup.json", 404, "text/plain; charset=utf-8", "no-store"),
        ("/device.xml", 404, "text/plain; charset=utf-8", "no-store"),
        ("/", 200, "text/html; charset=utf-8", "no-cache"),
        ("/watch/night", 200, "text/html; charset=utf-8", "no-cache"),
        ("/watch/nobody", 404, "text/plain; charset=utf-8", "no-store"),
        ("/assets/watch.js", 200, "text/javascript; charset=utf-8", "no-cache"),
        ("/assets/base.css", 200, "text/css; charset=utf-8", "no-cache"),
        ("/vendor/hls.min.js?v=1.7.4", 200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/vendor/hls.min.js", 200, "text/javascript; charset=utf-8", "no-cache"),
        ("/favicon.ico", 200, "image/svg+xml", "no-cache"),
        ("/guide", 200, "text/html; charset=utf-8", "no-cache"),
        ("/offline", 200, "text/html; charset=utf-8", "no-cache"),
        ("/manifest.webmanifest", 200, "application/manifest+json", "no-cache"),
        ("/sw.js", 200, "text/javascript; charset=utf-8", "no-cache"),
        ("/assets/icon-192.png", 200, "image/png", "no-cache"),
        ("/channels/night/thumbnail.jpg", 404, "text/plain; charset=utf-8", "no-store"),
        ("/channels/nobody/thumbnail.jpg", 404, "text/plain; charset=utf-8", "no-store"),
        ("/healthz", 200, "text/plain; charset=utf-8", "no-store"),
        ("/nothing", 404, "text/plain; charset=utf-8", "no-store"),
    ] {
        let got = station.get(path, &[]).await;
        assert_eq!(got.status, status, "{path}");
        assert_eq!(got.header("content-type"), kind, "{path}");
        assert_eq!(got.header("cache-control"), cache, "{path}");
        assert_eq!(got.header("x-content-type-options"), "nosniff", "{path}");
    }
}

#[tokio::test]
async fn segment_and_playlist_bytes_are_those_of_the_snapshot() {
    let station = Station::new();
    let got = station.get("/channels/night/segments/105.ts", &[]).await;
    assert_eq!(got.body, segment_bytes(105));
    assert_eq!(got.header("content-length"), got.body.len().to_string());
    assert_eq!(station.get("/channels/night/index.m3u8", &[]).await.text(), "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:100\n");
}

#[tokio::test]
async fn what_the_viewer_already_has_is_not_sent_again() {
    let station = Station::new();
    for path in [
        "/channels/night/index.m3u8",
        "/channels/night/segments/105.ts",
        "/assets/watch.js",
        "/vendor/hls.min.js?v=1.7.4",
        "/favicon.ico",
    ] {
        let first = station.get(path, &[]).await;
        let tag = first.header("etag");
        assert!(!tag.is_empty(), "{path}");
        let second = station.get(path, &[("if-none-match", tag)]).await;
        assert_eq!((second.status, second.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        assert_eq!(second.header("etag"), tag, "{path}");
        assert_eq!(second.header("cache-control"), first.header("cache-control"), "{path}");
        assert_eq!(station.get(path, &[("if-none-match", "\"other\"")]).await.status, StatusCode::OK, "{path}");
    }
    let old = station.get("/channels/night/index.m3u8", &[]).await;
    station.night.send_replace(Arc::new(snapshot(98, 101, 110)));
    let new = station.get("/channels/night/index.m3u8", &[("if-none-match", old.header("etag"))]).await;
    assert_eq!(new.status, StatusCode::OK, "a playlist that changed is sent");
}

#[tokio::test]
async fn a_part_of_a_segment_may_be_asked_for() {
    let station = Station::new();
    let path = "/channels/night/segments/105.ts";
    let whole = segment_bytes(105);
    let len = whole.len();
    for (range, status, told, body) in [
        ("bytes=0-9", 206, format!("bytes 0-9/{len}"), whole.slice(0..10)),
        ("bytes=-5", 206, format!("bytes {}-{}/{len}", len - 5, len - 1), whole.slice(len - 5..)),
        ("bytes=10-", 206, format!("bytes 10-{}/{len}", len - 1), whole.slice(10..)),
        ("bytes=999999-", 416, format!("bytes */{len}"), Bytes::new()),
        ("bytes=0-1,5-6", 200, String::new(), whole.clone()),
    ] {
        let got = station.get(path, &[("range", range)]).await;
        assert_eq!(got.status, status, "{range}");
        assert_eq!(got.header("content-range"), told, "{range}");
        assert_eq!(got.body, body, "{range}");
        assert_eq!(got.header("accept-ranges"), "bytes", "{range}");
    }
}

#[tokio::test]
async fn what_viewers_are_sent_is_counted_and_what_they_are_not_is_not() {
    let station = Station::new();
    let sums = || station.view.channel("night").unwrap().viewers.sums();
    let (path, whole) = ("/channels/night/segments/105.ts", segment_bytes(105).len() as u64);
    let etag = station.get(path, &[]).await.header("etag").to_owned();
    assert_eq!(sums(), (1, whole));
    station.get(path, &[("range", "bytes=0-99")]).await;
    assert_eq!(sums(), (2, whole + 100), "a part");
    for (method, headers) in [
        (Method::HEAD, &[][..]),
        (Method::GET, &[("if-none-match", etag.as_str())]),
        (Method::GET, &[("range", "bytes=900000-")]),
    ] {
        station.ask(method.clone(), path, headers).await;
        assert_eq!(sums(), (2, whole + 100), "{method} {headers:?}");
    }
    let (mut stream, viewers) = (live(&station).await, &station.view.channel("night").unwrap().viewers);
    assert_eq!((viewers.live_ts(), viewers.watching()), (1, 1));
    let first = piece(&mut stream).await.unwrap().unwrap().len() as u64;
    assert_eq!(sums(), (3, whole + 100 + first), "live.ts");
    drop(stream);
    station.get("/channels/night/index.m3u8", &[("user-agent", "a")]).await;
    station.get("/channels/night/index.m3u8", &[("user-agent", "b")]).await;
    assert_eq!((viewers.live_ts(), viewers.watching()), (0, 2), "who asks for the playlist watches");
}

#[tokio::test]
async fn head_tells_the_same_without_the_body() {
    let station = Station::new();
    for path in [
        "/",
        "/watch/night",
        "/assets/watch.js",
        "/channels/night/index.m3u8",
        "/channels/night/segments/105.ts",
        "/channels/night/segments/1.ts",
        "/api/channels/night",
        "/healthz",
    ] {
        let (get, head) = (station.get(path, &[]).await, station.ask(Method::HEAD, path, &[]).await);
        assert_eq!(head.status, get.status, "{path}");
        assert!(head.body.is_empty(), "{path}");
        for name in ["content-type", "etag", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
    let segment = station.ask(Method::HEAD, "/channels/night/segments/105.ts", &[]).await;
    assert_eq!(segment.header("content-length"), segment_bytes(105).len().to_string());
    let live = station.ask(Method::HEAD, "/channels/night/live.ts", &[]).await;
    assert_eq!((live.status, live.header("content-type")), (StatusCode::OK, "video/mp2t"));
}

#[tokio::test]
async fn players_on_other_sites_may_read_channels_and_api_and_nothing_else() {
    let station = Station::new();
    let origin = [("origin", "https://elsewhere.example")];
    for path in [
        "/channels/night/index.m3u8",
        "/channels/night/segments/105.ts",
        "/channels/night/segments/1.ts",
        "/api/channels",
        "/api/channels/night",
    ] {
        let got = station.get(path, &origin).await;
        assert_eq!(got.header("access-control-allow-origin"), "*", "{path}");
        let exposed = got.header("access-control-expose-headers").to_lowercase();
        for name in ["content-length", "content-range", "date"] {
            assert!(exposed.contains(name), "{path} {name}");
        }
        let ask = [origin[0], ("access-control-request-method", "GET"), ("access-control-request-headers", "range")];
        let preflight = station.ask(Method::OPTIONS, path, &ask).await;
        assert!(preflight.status.is_success(), "{path}");
        assert!(preflight.header("access-control-allow-headers").contains("range"), "{path}");
        assert!(preflight.header("access-control-allow-methods").contains("GET"), "{path}");
    }
    for path in ["/", "/watch/night", "/healthz", "/readyz"] {
        assert_eq!(station.get(path, &origin).await.header("access-control-allow-origin"), "", "{path}");
    }
}

#[tokio::test]
async fn nothing_can_be_changed_from_here() {
    let station = Station::new();
    for path in ["/", "/channels/night/index.m3u8", "/api/channels/night", "/nothing", "/assets/watch.js"] {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE, Method::CONNECT] {
            let got = station.ask(method.clone(), path, &[]).await;
            assert_eq!(got.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(got.header("allow"), "GET, HEAD, OPTIONS", "{method} {path}");
            assert_eq!(got.header("x-content-type-options"), "nosniff", "{method} {path}");
        }
    }
    let options = station.ask(Method::OPTIONS, "/", &[]).await;
    assert_eq!((options.status, options.header("allow")), (StatusCode::NO_CONTENT, "GET, HEAD, OPTIONS"));
}

#[tokio::test]
async fn no_address_leads_out_of_the_web_folder() {
    let station = Station::new();
    for path in [
        "/assets/../index.html",
        "/assets/../../Cargo.toml",
        "/assets/%2e%2e/%2e%2e/Cargo.toml",
        "/assets/..%2f..%2fCargo.toml",
        "/assets/..%5c..%5cCargo.toml",
        "/assets//etc/passwd",
        "/assets/%2fetc%2fpasswd",
        "/assets/watch.js%00.css",
        "/vendor/../../Cargo.toml",
        "/watch/..%2f..%2fCargo.toml",
        "/channels/..%2f..%2fetc/index.m3u8",
        "/channels/night/segments/..%2f..%2fCargo.toml",
    ] {
        assert_eq!(station.get(path, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_refusal_is_a_page_for_people_and_a_line_for_programs() {
    let station = Station::new();
    for path in ["/watch/nobody", "/nothing", "/channels/night/segments/1.ts"] {
        let page = station.get(path, &[("accept", "text/html,application/xhtml+xml")]).await;
        assert_eq!((page.status, page.header("content-type")), (StatusCode::NOT_FOUND, "text/html; charset=utf-8"));
        assert!(page.text().contains("Tom &amp; Co") && page.text().contains("href=\"/\""), "{path}");
        assert!(!page.header("content-security-policy").is_empty(), "{path}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        let line = station.get(path, &[("accept", "*/*")]).await;
        assert_eq!(line.text().lines().count(), 1, "{path}");
    }
}

#[tokio::test]
async fn pages_name_station_and_channel_and_run_nothing_but_our_own_files() {
    let station = Station::new();
    let page = station.get("/watch/night", &[]).await;
    assert!(page.text().contains("Night &lt;Lights&gt;") && !page.text().contains("Night <Lights>"));
    assert!(page.text().contains("data-channel=\"night\""));
    let policy = page.header("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self';", "worker-src 'self' blob:", "media-src 'self' blob: data:"]
    {
        assert!(policy.contains(part), "{part}");
    }
    assert!(!policy.contains("unsafe"));
    let wall = station.get("/", &[]).await;
    assert!(wall.text().contains("href=\"/watch/night\"") && wall.text().contains("href=\"/watch/new\""));
}

#[tokio::test]
async fn every_file_a_page_names_is_there() {
    let station = Station::new();
    for page in ["/", "/guide", "/offline", "/watch/night", "/watch/nobody", "/sw.js", "/manifest.webmanifest"] {
        let got = station.get(page, &[("accept", "text/html")]).await;
        let text = got.text();
        let named = text.split(['"', '\'']).filter(|part| part.starts_with("/assets/") || part.starts_with("/vendor/"));
        let mut seen = 0;
        for path in named {
            assert_eq!(station.get(path, &[]).await.status, StatusCode::OK, "{page}: {path}");
            seen += 1;
        }
        assert!(seen > 1, "{page}");
    }
}

#[tokio::test]
async fn text_is_compressed_and_media_never() {
    let station = Station::new();
    let gzip = [("accept-encoding", "gzip")];
    for (path, packed) in [
        ("/assets/watch.js", true),
        ("/watch/night", true),
        ("/vendor/hls.min.js?v=1.7.4", true),
        ("/channels/night/segments/105.ts", false),
    ] {
        let got = station.get(path, &gzip).await;
        assert_eq!(got.header("content-encoding") == "gzip", packed, "{path}");
        assert_eq!(got.body.starts_with(&[0x1f, 0x8b]), packed, "{path}");
        let plain = station.get(path, &[]).await;
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        assert!(!packed || got.body.len() < plain.body.len() / 2 + 1024, "{path}");
    }
}

#[tokio::test]
async fn the_api_tells_what_is_on_how_far_and_what_comes() {
    let station = Station::new();
    let list = station.get("/api/channels", &[]).await.json();
    assert_eq!(list["station"], "Tom & Co");
    assert_eq!(list["channels"][0]["now"]["title"], "Two");
    assert_eq!(list["channels"][0]["next"].as_array().unwrap().len(), 2);
    assert!(list["channels"][0].get("aired").is_none());
    assert_eq!(list["channels"][1]["state"], "starting");
    assert_eq!(list["channels"][1]["reason"], "Warming up.");
    assert!(list["channels"][1]["now"].is_null());
    let one = station.get("/api/channels/night", &[]).await.json();
    assert_eq!(one["state"], "on_air");
    assert_eq!(one["position_seconds"], 40.0);
    assert_eq!(one["now"]["duration_seconds"], 100.0);
    assert_eq!(one["aired"].as_array().unwrap().len(), 2);
    assert_eq!(one["next"].as_array().unwrap().len(), 3);
    assert_eq!(one["library"]["items"], 5);
    assert_eq!(one["urls"]["playlist"], "/channels/night/index.m3u8");
    for key in ["server_time", "edge"] {
        one[key].as_str().unwrap().parse::<Timestamp>().unwrap();
    }
}

#[tokio::test]
async fn readiness_is_that_every_channel_has_published_and_nobody_stops() {
    let station = Station::new();
    let got = station.get("/readyz", &[]).await;
    assert_eq!((got.status, got.text()), (StatusCode::SERVICE_UNAVAILABLE, "new: nothing published yet\n"));
    station.new.send_replace(Arc::new(snapshot(1, 1, 3)));
    assert_eq!(station.get("/readyz", &[]).await.status, StatusCode::OK);
    station.ready.send_replace(false);
    assert_eq!(station.get("/readyz", &[]).await.status, StatusCode::SERVICE_UNAVAILABLE);
    station.ready.send_replace(true);
    station.view.token.cancel();
    assert_eq!(station.get("/readyz", &[]).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(station.get("/healthz", &[]).await.status, StatusCode::OK, "alive to the end");
}

#[tokio::test(start_paused = true)]
async fn a_playlist_that_is_about_to_exist_is_waited_for() {
    let station = Station::new();
    let (got, ()) = tokio::join!(station.get("/channels/new/index.m3u8", &[]), async {
        // By now the request waits.
        tokio::time::advance(Duration::from_secs(2)).await;
        station.new.send_replace(Arc::new(snapshot(1, 1, 3)));
    });
    assert_eq!(got.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_playlist_that_does_not_come_is_not_waited_for_long() {
    let station = Station::new();
    let got = station.get("/channels/new/index.m3u8", &[]).await;
    assert_eq!((got.status, got.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "1"));
    assert_eq!(got.header("cache-control"), "no-store");
}

#[tokio::test]
async fn stopping_ends_the_wait_for_a_playlist() {
    let station = Station::new();
    station.view.token.cancel();
    assert_eq!(station.get("/channels/new/index.m3u8", &[]).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(station.get("/channels/night/index.m3u8", &[]).await.status, StatusCode::OK, "what is there is given");
}

async fn live(station: &Station) -> Body {
    let request = Request::get("/channels/night/live.ts").body(Body::empty()).unwrap();
    let response = station.router().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "video/mp2t");
    assert!(!response.headers().contains_key(header::CONTENT_LENGTH));
    response.into_body()
}

async fn piece(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
    let frame = tokio::time::timeout(DEADLINE, body.frame()).await.expect("a piece or the end")?;
    Some(frame.map(|frame| frame.into_data().unwrap()))
}

#[tokio::test]
async fn the_endless_stream_begins_behind_the_edge_and_goes_on_with_each_segment() {
    let station = Station::new();
    let mut body = live(&station).await;
    for msn in [108, 109] {
        let bytes = piece(&mut body).await.unwrap().unwrap();
        assert_eq!(bytes, segment_bytes(msn));
        let segment = std::sync::Arc::clone(&station.night.borrow().segments[&Msn(msn)]);
        let kept = segment.renditions[0].bytes().await.unwrap();
        assert_eq!(bytes.as_ptr(), kept.as_ptr(), "the bytes are shared, not copied");
    }
    for newest in 110..=115 {
        station.night.send_replace(Arc::new(snapshot(newest - 12, newest - 9, newest)));
        assert_eq!(piece(&mut body).await.unwrap().unwrap(), segment_bytes(newest));
    }
    station.night.send_replace(Arc::new(snapshot(106, 109, 118)));
    for msn in 116..=118 {
        assert_eq!(piece(&mut body).await.unwrap().unwrap(), segment_bytes(msn), "none is left out");
    }
    station.view.token.cancel();
    assert!(piece(&mut body).await.is_none(), "stopping ends it");
}

#[tokio::test]
async fn a_reader_who_falls_out_of_the_window_is_cut_off() {
    let station = Station::new();
    let mut body = live(&station).await;
    piece(&mut body).await.unwrap().unwrap();
    station.night.send_replace(Arc::new(snapshot(200, 203, 212)));
    assert!(piece(&mut body).await.unwrap().is_err(), "an error, not an orderly end");
}

#[tokio::test]
async fn the_endless_stream_of_a_channel_that_is_starting_waits_for_it() {
    let station = Station::new();
    let request = Request::get("/channels/new/live.ts").body(Body::empty()).unwrap();
    let mut body = station.router().oneshot(request).await.unwrap().into_body();
    let (got, ()) = tokio::join!(piece(&mut body), async {
        station.new.send_replace(Arc::new(snapshot(7, 7, 7)));
    });
    assert_eq!(got.unwrap().unwrap(), segment_bytes(7));
}
