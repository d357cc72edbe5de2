//! What TV apps and media servers are told: playlist, guide, logos, colours, the tuner's documents.

#![expect(clippy::disallowed_methods, reason = "a logo is a file")]

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use nightcast::config::Colour;
use nightcast::config::brand::ChannelBrand;
use nightcast::http::Roster;
use nightcast::http::hdhomerun::{DeviceId, TUNERS};
use nightcast::units::ChannelId;

use crate::station::Station;

const HOST: (&str, &str) = ("host", "tv.example:8080");

fn changed(change: impl FnOnce(&mut Roster)) -> Station {
    let station = Station::new();
    station.roster.send_modify(|roster| change(Arc::make_mut(roster)));
    station
}

/// Goal: an app that is given the one address finds everything. Method: the list as a whole, and every address in it.
#[tokio::test]
async fn the_playlist_names_every_channel_by_the_address_that_was_asked() {
    let station = Station::new();
    let got = station.get("/channels.m3u", &[HOST]).await;
    assert_eq!(got.header("content-type"), "audio/x-mpegurl; charset=utf-8");
    assert_eq!(got.header("cache-control"), "no-cache");
    assert_eq!(got.header("access-control-allow-origin"), "*", "apps that are pages read it, too");
    let expected = "#EXTM3U url-tvg=\"http://tv.example:8080/guide.xml\" x-tvg-url=\"http://tv.example:8080/guide.xml\"\n\
        #EXTINF:-1 tvg-id=\"night.nightcast\" tvg-chno=\"1\" tvg-name=\"Night <Lights>\" \
        tvg-logo=\"http://tv.example:8080/channels/night/logo.png\" group-title=\"Tom & Co\",Night <Lights>\n\
        http://tv.example:8080/channels/night/index.m3u8\n\
        #EXTINF:-1 tvg-id=\"new.nightcast\" tvg-chno=\"2\" tvg-name=\"New\" \
        tvg-logo=\"http://tv.example:8080/channels/new/logo.png\" group-title=\"Tom & Co\",New\n\
        http://tv.example:8080/channels/new/index.m3u8\n";
    assert_eq!(got.text(), expected);
    let again = station.get("/channels.m3u", &[HOST, ("if-none-match", got.header("etag"))]).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let ts = station.get("/channels.m3u?format=ts", &[HOST]).await;
    assert_eq!(ts.text().matches("/live.ts\n").count(), 2);
    for word in got.text().split(['"', '\n']).filter_map(|word| word.strip_prefix("http://tv.example:8080")) {
        if word != "/channels/new/index.m3u8" {
            assert_eq!(station.get(word, &[HOST]).await.status, StatusCode::OK, "{word}");
        }
    }
}

#[tokio::test]
async fn a_list_without_an_address_to_name_is_refused() {
    let station = Station::new();
    for path in ["/channels.m3u", "/guide.xml"] {
        assert_eq!(station.get(path, &[]).await.status, StatusCode::BAD_REQUEST, "{path}: no host");
    }
    let wrong = station.get("/channels.m3u?format=avi", &[HOST]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let station = changed(|roster| roster.address = Some("https://tv.example.org".into()));
    let text = station.get("/channels.m3u", &[HOST, ("x-forwarded-host", "evil")]).await.text().to_owned();
    assert!(text.contains("\nhttps://tv.example.org/channels/night/index.m3u8\n") && !text.contains("8080"), "{text}");
}

/// Goal: the guide and the list speak of the same channels. Method: ids of both; the programmes of the channel that has some.
#[tokio::test]
async fn the_guide_tells_what_was_is_and_comes_for_the_channels_of_the_list() {
    let station = Station::new();
    let got = station.get("/guide.xml", &[HOST]).await;
    assert_eq!(got.header("content-type"), "application/xml; charset=utf-8");
    let text = got.text();
    for part in [
        "<channel id=\"night.nightcast\">\n    <display-name>Night &lt;Lights&gt;</display-name>\n    \
         <display-name>1</display-name>\n    <icon src=\"http://tv.example:8080/channels/night/logo.png\"/>",
        "<channel id=\"new.nightcast\">",
        "source-info-name=\"Tom &amp; Co\"",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let titles: Vec<&str> = text.split("<title>").skip(1).map(|rest| rest.split_once('<').unwrap().0).collect();
    assert_eq!(titles, ["Nought", "One", "Two", "Three", "Four", "Five"]);
    let packed = station.get("/guide.xml", &[HOST, ("accept-encoding", "gzip")]).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
}

/// Goal: a logo is the channel's file, whatever that is, or else is drawn. Method: files that are pictures, that are none,
/// that are too large, and none at all.
#[tokio::test]
async fn a_logo_is_the_file_or_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let night = ChannelId::new("night").unwrap();
    let (file, svg) = (folder.path().join("a.png"), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    let large = [&b"\x89PNG\r\n\x1a\n"[..], &vec![0; 1 << 20]].concat();
    for (sentence, bytes, expected) in [
        ("a picture", Some(&b"\x89PNG\r\n\x1a\n...."[..]), "image/png"),
        ("another, whatever it is called", Some(svg.as_bytes()), "image/svg+xml"),
        ("a page", Some(b"<!doctype html><script>alert(1)</script>"), "drawn"),
        ("a file too large", Some(&large), "drawn"),
        ("no file", None, "drawn"),
    ] {
        let _removed = std::fs::remove_file(&file);
        if let Some(bytes) = bytes {
            std::fs::write(&file, bytes).unwrap();
        }
        let station = changed(|roster| {
            let brand = ChannelBrand { logo: Some(file.clone()), colour: None };
            roster.brand.channels.insert(night.clone(), brand);
        });
        let got = station.get("/channels/night/logo", &[]).await;
        assert_eq!(got.status, StatusCode::OK, "{sentence}");
        assert_eq!(got.header("content-security-policy"), "default-src 'none'; style-src 'unsafe-inline'; sandbox");
        if expected == "drawn" {
            assert!(
                got.text().contains("<title>1</title>") && got.text().contains("#e8d44d"),
                "{sentence}: {}",
                got.text()
            );
        } else {
            assert_eq!((got.header("content-type"), Some(&got.body[..])), (expected, bytes), "{sentence}");
        }
        let list = station.get("/channels.m3u", &[HOST]).await;
        assert!(list.text().contains("tvg-logo=\"http://tv.example:8080/channels/night/logo\""), "{}", list.text());
        let again = station.get("/channels/night/logo", &[("if-none-match", got.header("etag"))]).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{sentence}");
    }
}

#[tokio::test]
async fn pages_and_programs_are_told_the_colours() {
    let station = Station::new();
    let css = station.get("/brand.css", &[]).await;
    let expected = ":root { --accent: var(--ink, #f1eee7); }\n\
        [data-id=\"night\"], [data-channel=\"night\"] { --accent: #e8d44d; }\n\
        [data-id=\"new\"], [data-channel=\"new\"] { --accent: #4cc9d8; }\n";
    assert_eq!(css.text(), expected);
    let station = changed(|roster| {
        roster.brand.colour = Colour::read("#ffffff");
        let brand = ChannelBrand { logo: None, colour: Colour::read("#ffaa00") };
        roster.brand.channels.insert(ChannelId::new("new").unwrap(), brand);
    });
    let css = station.get("/brand.css", &[]).await;
    assert!(css.text().starts_with(":root { --accent: #ffffff; }\n") && css.text().ends_with("--accent: #ffaa00; }\n"));
    let all = station.get("/api/channels", &[]).await.json();
    let one = station.get("/api/channels/new", &[]).await.json();
    let guide = station.get("/api/guide", &[]).await.json();
    for (channel, colour) in [
        (&all["channels"][0], "#ffffff"),
        (&all["channels"][1], "#ffaa00"),
        (&one, "#ffaa00"),
        (&guide["channels"][1], "#ffaa00"),
    ] {
        assert_eq!(channel["colour"], colour);
    }
    assert_eq!(one["urls"]["logo"], "/channels/new/logo");
    assert_eq!(guide["channels"][1]["logo"], "/channels/new/logo");
}

/// Goal: a media server that was told the address finds a tuner and its channels. Method: what each document must hold.
#[tokio::test]
async fn the_tuner_tells_who_it_is_and_what_there_is_to_tune() {
    let device = DeviceId::made_of(1);
    let station = changed(|roster| roster.tuner = Some(device));
    let discover = station.get("/discover.json", &[HOST]).await.json();
    assert_eq!(discover["FriendlyName"], "Tom & Co");
    assert_eq!(discover["DeviceID"], device.to_string());
    assert_eq!(discover["BaseURL"], "http://tv.example:8080");
    assert_eq!(discover["LineupURL"], "http://tv.example:8080/lineup.json");
    assert_eq!(discover["TunerCount"], TUNERS);
    let status = station.get("/lineup_status.json", &[HOST]).await.json();
    assert_eq!((&status["ScanInProgress"], &status["ScanPossible"]), (&0.into(), &1.into()));
    let lineup = station.get("/lineup.json", &[HOST]).await.json();
    let expected = serde_json::json!([
        { "GuideNumber": "1", "GuideName": "Night <Lights>", "VideoCodec": "H264", "AudioCodec": "AAC", "HD": 1,
          "URL": "http://tv.example:8080/channels/night/live.ts" },
        { "GuideNumber": "2", "GuideName": "New", "VideoCodec": "H264", "AudioCodec": "AAC", "HD": 1,
          "URL": "http://tv.example:8080/channels/new/live.ts" },
    ]);
    assert_eq!(lineup, expected);
    let m3u = station.get("/lineup.m3u", &[HOST]).await;
    assert_eq!(m3u.text(), station.get("/channels.m3u?format=ts", &[HOST]).await.text());
    let xml = station.get("/device.xml", &[HOST]).await;
    assert!(xml.text().contains("<friendlyName>Tom &amp; Co</friendlyName>"), "{}", xml.text());
    for method in [Method::POST, Method::GET] {
        assert_eq!(station.ask(method, "/lineup.post?scan=start", &[HOST]).await.status, StatusCode::OK);
    }
    for path in ["/lineup.json", "/discover.json"] {
        assert_eq!(station.ask(Method::POST, path, &[HOST]).await.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

#[tokio::test]
async fn where_there_is_no_tuner_nothing_is_at_its_addresses() {
    let station = Station::new();
    for path in ["/discover.json", "/lineup_status.json", "/lineup.json", "/lineup.m3u", "/device.xml", "/lineup.post"]
    {
        assert_eq!(station.get(path, &[HOST]).await.status, StatusCode::NOT_FOUND, "{path}");
        let got = station.ask(Method::POST, path, &[HOST]).await;
        assert_eq!((got.status, got.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD, OPTIONS"), "{path}");
    }
}
