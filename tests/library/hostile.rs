//! Goal: no file does harm and each gets a reason a person understands. Method: real broken and malicious files, with
//! traps for whoever reads what they name.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::station::{Ground, Running, SHORT, ffmpeg};
use crate::support::bad_files::{Address, Neighbour, PLAYLIST, bad_files, write_playlists};

#[tokio::test]
async fn odd_names_are_only_names() {
    let ground = Ground::new();
    let film = ground.film();
    let names: [&[u8]; 11] = [
        b"with blanks.mp4",
        b"it's \"quoted\".mp4",
        b"%d %s.mp4",
        b"new\nline.mp4",
        "\u{1f408}.mp4".as_bytes(),
        b"-i.mp4",
        b"\xff\xfe.mp4",
        b"a:b.mp4",
        b"pipe:0.mp4",
        b"concat:a|b.MP4",
        b"$(id).mp4",
    ];
    for name in names {
        fs::copy(&film, ground.at(OsStr::from_bytes(name))).unwrap();
    }
    let mut running = Running::new(ground.settings(SHORT)).await;
    let catalogue = running.until("all", |now| now.items.len() == names.len()).await;
    assert!(catalogue.refused.is_empty());
    assert!(catalogue.items.values().all(|item| !item.metadata.title.is_empty()));
    assert_eq!(&*catalogue.items[&ground.at(OsStr::from_bytes(b"new\nline.mp4"))].name, "new\u{fffd}line.mp4");
    running.end().await;
}

#[tokio::test]
async fn bad_files_are_quarantined_with_a_reason_and_good_ones_beside_them_play() {
    let ground = Ground::new();
    fs::copy(ground.film(), ground.at("good.mp4")).unwrap();
    let film = ground.film();
    let expected = bad_files(&ground.media(), &film, &ground.outside(""));
    let mut running = Running::new(ground.settings(SHORT)).await;
    for (name, reason) in &expected {
        assert_eq!(running.reason(&ground.at(name)).await, *reason, "{name}");
    }
    running.item(&ground.at("good.mp4")).await;
    running.end().await;
}

#[tokio::test]
async fn cover_art_beside_a_real_picture_is_left_aside() {
    let ground = Ground::new();
    let (film, cover, both) = (ground.film(), ground.outside("cover.png"), ground.at("both.mp4"));
    ffmpeg(&["-f", "lavfi", "-i", "testsrc2=s=320x320:d=1", "-frames:v", "1", cover.to_str().unwrap()]);
    ffmpeg(&[
        "-i",
        cover.to_str().unwrap(),
        "-i",
        film.to_str().unwrap(),
        "-map",
        "0",
        "-map",
        "1",
        "-c",
        "copy",
        "-disposition:v:0",
        "attached_pic",
        both.to_str().unwrap(),
    ]);
    let mut running = Running::new(ground.settings(SHORT)).await;
    assert_eq!(running.item(&both).await.media.video.width, 64);
    running.end().await;
}

#[tokio::test]
async fn a_playlist_named_mp4_does_not_read_its_neighbour() {
    let ground = Ground::new();
    let neighbour = Neighbour::new(&ground.outside("neighbour.ts"));
    write_playlists(&ground.media(), ["plain.mp4", "binary.mp4"], &neighbour.address());
    let mut running = Running::new(ground.settings(SHORT)).await;
    for name in ["plain.mp4", "binary.mp4"] {
        assert_eq!(running.reason(&ground.at(name)).await, PLAYLIST, "{name}");
    }
    neighbour.was_left_alone();
    running.end().await;
}

#[tokio::test]
async fn a_playlist_named_mp4_does_not_fetch_an_address() {
    let ground = Ground::new();
    let address = Address::new();
    write_playlists(&ground.media(), ["plain.mp4", "binary.mp4"], &address.address());
    let mut running = Running::new(ground.settings(SHORT)).await;
    for name in ["plain.mp4", "binary.mp4"] {
        assert_eq!(running.reason(&ground.at(name)).await, PLAYLIST, "{name}");
    }
    address.was_left_alone();
    running.end().await;
}
