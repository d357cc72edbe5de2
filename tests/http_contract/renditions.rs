//! A channel with several renditions: one address for players, one more for each rendition.

use std::sync::Arc;

use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::BodyExt;
use nightcast::config::Language;
use nightcast::hls::h264::Sps;
use nightcast::hls::{PlaylistBody, RenditionTold, SegmentBody, Snapshot, SubtitlesTold};
use nightcast::units::{MediaTime, Msn};

use crate::station::{Station, snapshot};

fn bytes(name: &str, msn: u64) -> Bytes {
    Bytes::from(format!("{name} {msn} ").repeat(300))
}

/// A channel with a large and a small picture, and English subtitles.
pub(crate) fn several() -> Snapshot {
    let body = |msn| {
        let renditions = vec![bytes("large", msn), bytes("small", msn), bytes("lines", msn)];
        Arc::new(SegmentBody::in_memory(renditions, MediaTime::from_secs(2), false))
    };
    let told = |name: &str, picture, bandwidth| RenditionTold {
        name: name.into(),
        picture,
        audio_only: false,
        bandwidth,
        average: 1,
    };
    let picture = Sps { codec: [0x64, 0, 0x1f], width: 1280, height: 720, fps: None };
    let text = Bytes::from_static(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlarge/index.m3u8\n");
    Snapshot {
        multivariant: Some(PlaylistBody { text, etag: "\"m109\"".into() }),
        renditions: [told("large", Some(picture), 3_700_000), told("small", None, 500_000)].into(),
        subtitles: [SubtitlesTold::of(&Language::read("en").unwrap())].into(),
        subtitles_playlist: Some(PlaylistBody {
            text: Bytes::from_static(b"#EXTM3U\n#vtt\n"),
            etag: "\"v109\"".into(),
        }),
        segments: (97..=109).map(|msn| (Msn(msn), body(msn))).collect(),
        ..snapshot(97, 100, 109)
    }
}

fn station() -> Station {
    let station = Station::new();
    station.night.send_replace(Arc::new(several()));
    station
}

#[tokio::test]
async fn the_channels_address_lists_the_renditions_and_theirs_list_the_segments() {
    let station = station();
    let list = station.get("/channels/night/index.m3u8", &[]).await;
    assert!(list.text().contains("large/index.m3u8"), "{}", list.text());
    let media = station.get("/channels/night/small/index.m3u8", &[]).await;
    assert_eq!(media.text(), "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:100\n");
    for (got, path) in [(&list, "/channels/night/index.m3u8"), (&media, "/channels/night/small/index.m3u8")] {
        assert_eq!(got.header("content-type"), "application/vnd.apple.mpegurl", "{path}");
        assert_eq!(got.header("cache-control"), "public, max-age=1", "{path}");
        let again = station.get(path, &[("if-none-match", got.header("etag"))]).await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
    }
    assert_ne!(list.header("etag"), media.header("etag"));
}

#[tokio::test]
async fn every_rendition_has_segments_of_its_own() {
    let station = station();
    for (path, expected) in [
        ("/channels/night/large/segments/105.ts", Some(bytes("large", 105))),
        ("/channels/night/small/segments/97.ts", Some(bytes("small", 97))),
        ("/channels/night/small/segments/96.ts", None),
        ("/channels/night/small/segments/110.ts", None),
        ("/channels/night/subs-en/segments/105.vtt", Some(bytes("lines", 105))),
        ("/channels/night/subs-en/segments/105.ts", None),
        ("/channels/night/subs-en/segments/96.vtt", None),
        ("/channels/night/subs-de/segments/105.vtt", None),
        ("/channels/night/subs-de/index.m3u8", None),
        ("/channels/night/small/segments/105.vtt", None),
        ("/channels/night/small/segments/0105.ts", None),
        ("/channels/night/tiny/segments/105.ts", None),
        ("/channels/night/tiny/index.m3u8", None),
        ("/channels/nobody/small/index.m3u8", None),
        ("/channels/night/segments/105.ts", None),
    ] {
        let got = station.get(path, &[]).await;
        match expected {
            Some(body) => assert_eq!((got.status, got.body), (StatusCode::OK, body), "{path}"),
            None => assert_eq!(got.status, StatusCode::NOT_FOUND, "{path}"),
        }
    }
    let part = station.get("/channels/night/small/segments/105.ts", &[("range", "bytes=0-4")]).await;
    assert_eq!((part.status, part.text()), (StatusCode::PARTIAL_CONTENT, "small"));
}

#[tokio::test]
async fn subtitles_are_text_and_their_playlist_is_their_own() {
    let station = station();
    let list = station.get("/channels/night/subs-en/index.m3u8", &[]).await;
    assert_eq!((list.text(), list.header("etag")), ("#EXTM3U\n#vtt\n", "\"v109\""));
    let segment = station.get("/channels/night/subs-en/segments/105.vtt", &[("accept-encoding", "gzip")]).await;
    assert_eq!(segment.header("content-type"), "text/vtt");
    assert_eq!(segment.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(segment.body, bytes("lines", 105), "as the short way sends it");
}

#[tokio::test]
async fn a_channel_with_one_picture_has_no_other_addresses_than_ever() {
    let station = Station::new();
    for path in ["/channels/night/large/index.m3u8", "/channels/night/large/segments/105.ts"] {
        assert_eq!(station.get(path, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(station.get("/channels/night/segments/105.ts", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_endless_stream_is_of_the_rendition_asked_for_or_the_first() {
    let station = station();
    for (path, expected) in [
        ("/channels/night/live.ts", Some("large")),
        ("/channels/night/live.ts?rendition=large", Some("large")),
        ("/channels/night/live.ts?rendition=small", Some("small")),
        ("/channels/night/live.ts?rendition=tiny", None),
    ] {
        let request = axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap();
        let answer = tower::ServiceExt::oneshot(station.router(), request).await.unwrap();
        let Some(name) = expected else {
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
            continue;
        };
        let first = answer.into_body().frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first, bytes(name, 108), "{path}");
    }
}

/// Goal: programs choose as players do. Method: what the list of renditions says, as JSON, in the list of channels and alone.
#[tokio::test]
async fn the_api_tells_the_renditions_as_the_list_for_players_does() {
    let station = station();
    let expected = serde_json::json!([
        { "name": "large", "width": 1280, "height": 720, "audio_only": false, "bandwidth": 3_700_000,
          "playlist": "/channels/night/large/index.m3u8" },
        { "name": "small", "width": null, "height": null, "audio_only": false, "bandwidth": 500_000,
          "playlist": "/channels/night/small/index.m3u8" },
    ]);
    let all = station.get("/api/channels", &[]).await.json();
    assert_eq!(all["channels"][0]["renditions"], expected);
    assert_eq!(all["channels"][1]["renditions"], serde_json::json!([]), "one picture is no choice");
    assert_eq!(station.get("/api/channels/night", &[]).await.json()["renditions"], expected);
}
