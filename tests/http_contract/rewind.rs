//! The past of a channel: its playlists, and segments that lie on the disk.
#![expect(clippy::disallowed_methods, reason = "what is kept lies in files")]

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use nightcast::hls::rewind::{Kept, Names, Window};
use nightcast::units::{MediaTime, Msn};

use crate::renditions::several;
use crate::station::Station;

/// A folder with segments 10 to 49 of two seconds: a picture of 400,000 bytes, and subtitles from 30 on.
fn past(pictures: &[&str]) -> (tempfile::TempDir, Window) {
    let folder = tempfile::tempdir().unwrap();
    let begins = Timestamp::from_second(1_795_000_000).unwrap();
    let list = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect();
    let kept = (10..50_u64).map(|n| {
        let subtitles: &[&str] = if n < 30 { &[] } else { &["subs-en"] };
        let bytes = [picture(n), if n < 30 { Vec::new() } else { b"WEBVTT\n\nlines".to_vec() }].concat();
        std::fs::write(folder.path().join(format!("{n}.segment")), &bytes).unwrap();
        let lens: &[u32] = if n < 30 { &[400_000] } else { &[400_000, 13] };
        Arc::new(Kept {
            number: n + 5,
            msn: Msn(n),
            duration: MediaTime::from_secs(2),
            date: begins + SignedDuration::from_secs(i64::try_from(n).unwrap() * 2),
            discontinuity: n == 10,
            discontinuities: 1,
            names: Arc::new(Names { pictures: list(pictures), subtitles: list(subtitles) }),
            lens: lens.into(),
        })
    });
    // The oldest two have left the playlist.
    let window = Window::new(folder.path().to_owned(), kept.collect(), 2);
    (folder, window)
}

fn picture(n: u64) -> Vec<u8> {
    (0..400_000_u64).map(|at| u8::try_from((at + n) % 251).unwrap()).collect()
}

/// Goal: whoever goes back is told all that is kept, and only what they lack when they look again. Method: the playlist before
/// and after there is one, whole, compressed, in part and unchanged.
#[tokio::test]
async fn the_past_has_a_playlist_of_its_own() {
    let station = Station::new();
    let path = "/channels/night/rewind.m3u8";
    assert_eq!(station.get(path, &[]).await.status, StatusCode::NOT_FOUND, "nothing is kept");
    let (_folder, window) = past(&[]);
    station.view.channel("night").unwrap().rewind.publish(window);
    let whole = station.get(path, &[]).await;
    assert_eq!(whole.header("content-type"), "application/vnd.apple.mpegurl");
    assert_eq!((whole.header("cache-control"), whole.header("vary")), ("public, max-age=1", "accept-encoding"));
    assert!(whole.text().contains("#EXT-X-MEDIA-SEQUENCE:17\n") && whole.text().ends_with("\nsegments/49.ts\n"));
    assert_eq!(whole.text().matches("#EXTINF").count(), 38);
    let packed = station.get(path, &[("accept-encoding", "gzip")]).await;
    assert_eq!((packed.header("content-encoding"), packed.body.len() < 1000), ("gzip", true));
    let part = station.get(&format!("{path}?a=b&_HLS_skip=YES"), &[]).await;
    assert!(part.text().contains("#EXT-X-SKIP:SKIPPED-SEGMENTS=20\n"), "{}", part.text());
    assert_ne!(part.header("etag"), whole.header("etag"));
    let again = station.get(path, &[("if-none-match", whole.header("etag"))]).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(station.get("/channels/night/720p/rewind.m3u8", &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(station.get("/channels/nothing/rewind.m3u8", &[]).await.status, StatusCode::NOT_FOUND);
    let told = station.get("/api/channels/night", &[]).await.json();
    assert!(told["rewind"].is_null(), "it is told where it is wanted");
}

/// Goal: a segment that is no longer live is answered like one that is. Method: whole, without its body, in part, beyond its
/// end; of a language that was not offered then; and one that nobody has.
#[tokio::test]
async fn a_segment_of_the_past_is_answered_as_a_live_one_is() {
    let station = Station::new();
    station.night.send_replace(Arc::new(several()));
    let path = "/channels/night/large/segments/10.ts".to_owned();
    assert_eq!(station.get(&path, &[]).await.status, StatusCode::NOT_FOUND, "nothing is kept");
    let (_folder, window) = past(&["large"]);
    station.view.channel("night").unwrap().rewind.publish(window);
    let whole = station.get(&path, &[]).await;
    assert_eq!((whole.status, whole.body == picture(10)), (StatusCode::OK, true));
    assert_eq!((whole.header("content-length"), whole.header("content-type")), ("400000", "video/mp2t"));
    assert_eq!(whole.header("cache-control"), "public, max-age=31536000, immutable");
    let head = station.ask(Method::HEAD, &path, &[]).await;
    assert_eq!((head.header("content-length"), head.body.len()), ("400000", 0));
    let part = station.get(&path, &[("range", "bytes=100000-299999")]).await;
    assert_eq!((part.status, part.body == picture(10)[100_000..300_000]), (StatusCode::PARTIAL_CONTENT, true));
    let beyond = station.get(&path, &[("range", "bytes=400000-")]).await.status;
    assert_eq!(beyond, StatusCode::RANGE_NOT_SATISFIABLE);
    for (n, lines) in [("20", "WEBVTT\n\n"), ("40", "WEBVTT\n\nlines")] {
        let answer = station.get(&format!("/channels/night/subs-en/segments/{n}.vtt"), &[]).await;
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, lines), "{n}");
    }
    let list = station.get("/channels/night/rewind.m3u8", &[]).await;
    assert!(list.text().contains("\nlarge/rewind.m3u8\n"), "{}", list.text());
    let lines = station.get("/channels/night/subs-en/rewind.m3u8", &[]).await;
    assert!(lines.text().ends_with("\nsegments/49.vtt\n"), "{}", lines.text());
    for gone in ["large/segments/9.ts", "large/segments/50.ts", "small/segments/20.ts", "small/rewind.m3u8"] {
        let status = station.get(&format!("/channels/night/{gone}"), &[]).await.status;
        assert_eq!(status, StatusCode::NOT_FOUND, "{gone}");
    }
}
