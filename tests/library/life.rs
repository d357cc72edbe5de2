//! Goal: starts are quick, ends are clean. Method: lives of a library on one database, ffprobes that fail or hang.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use nightcast::library::{FileStamp, LibrarySettings, MediaInfo, Metadata, VideoInfo, scan_once};
use nightcast::store::{KnownFile, Store, StoredVerdict};
use nightcast::units::{ContentKey, MediaTime};
use tokio_util::sync::CancellationToken;

use crate::station::{DEADLINE, Ground, Running, SHORT, reason_of};
use crate::support::bad_files::make_pipe;

#[tokio::test]
async fn after_a_restart_nothing_is_probed_again() {
    let ground = Ground::new();
    fs::copy(ground.film(), ground.at("a.mp4")).unwrap();
    fs::write(ground.at("b.mp4"), [0; 4000]).unwrap();
    let settings = LibrarySettings { ffprobe: ground.counting_ffprobe(), ..ground.settings(SHORT) };
    let database = ground.outside("nightcast.db");
    let mut before = Vec::new();
    for _life in 0..2 {
        let store = Store::open(&database, jiff::Timestamp::UNIX_EPOCH).await.unwrap();
        let mut running = Running::with_store(settings.clone(), store.clone());
        running.reason(&ground.at("b.mp4")).await;
        before.push(running.item(&ground.at("a.mp4")).await);
        running.end().await;
        store.close().await;
    }
    assert_eq!((ground.calls(), &before[0]), (2, &before[1]));
}

#[tokio::test]
async fn a_missing_ffprobe_is_told_and_condemns_no_file() {
    let ground = Ground::new();
    fs::copy(ground.film(), ground.at("a.mp4")).unwrap();
    let store = Store::in_memory().await.unwrap();
    let settings = LibrarySettings { ffprobe: "/no/such/ffprobe".into(), ..ground.settings(SHORT) };
    let mut running = Running::with_store(settings, store.clone());
    assert!(running.reason(&ground.at("a.mp4")).await.contains("/no/such/ffprobe"));
    running.end().await;
    assert_eq!(store.known_files(&ground.media()).await.unwrap(), []);
}

#[tokio::test]
async fn the_end_does_not_wait_for_a_probe_that_hangs_and_leaves_no_child() {
    let ground = Ground::new();
    fs::copy(ground.film(), ground.at("a.mp4")).unwrap();
    let (script, pipe) = (ground.outside("hang.sh"), ground.outside("alive"));
    make_pipe(&pipe);
    // Each child holds the pipe open until it dies; reading it to its end is waiting for that.
    fs::write(&script, format!("#!/bin/sh\nexec 3> '{}'\necho >&3\nsleep 600\n", pipe.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let running = Running::new(LibrarySettings { ffprobe: script, ..ground.settings(SHORT) }).await;
    let open = tokio::task::spawn_blocking(move || {
        let mut pipe = File::open(pipe).unwrap();
        pipe.read_exact(&mut [0]).unwrap();
        pipe
    });
    let mut pipe = tokio::time::timeout(DEADLINE, open).await.expect("the probe begins").unwrap();
    running.end().await;
    let dead = tokio::task::spawn_blocking(move || std::io::copy(&mut pipe, &mut std::io::sink()));
    tokio::time::timeout(DEADLINE, dead).await.expect("no child is left").unwrap().unwrap();
}

#[tokio::test]
async fn a_scan_for_the_command_line_ends_by_itself() {
    let ground = Ground::new();
    fs::copy(ground.film(), ground.at("a.mp4")).unwrap();
    fs::write(ground.at("b.mp4"), "text").unwrap();
    for name in ["a.mp4", "b.mp4"] {
        File::options().write(true).open(ground.at(name)).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
    let store = Store::in_memory().await.unwrap();
    let (mut told, token) = (0, CancellationToken::new());
    let catalogue = scan_once(ground.settings(SHORT), store.clone(), token, |now| told = now.items.len()).await;
    assert!(catalogue.complete && catalogue.items.contains_key(&ground.at("a.mp4")));
    assert_eq!(reason_of(&catalogue, &ground.at("b.mp4")).as_deref(), Some("It is a text file, not a video."));
    assert_eq!((told, store.known_files(&ground.media()).await.unwrap().len()), (1, 2));
}

fn known(path: &Path, stamp: FileStamp) -> KnownFile {
    let video = VideoInfo {
        index: 0,
        codec: "h264".to_owned(),
        profile: Some("High".to_owned()),
        level: Some(40),
        width: 1280,
        height: 720,
        sar: (1, 1),
        pix_fmt: "yuv420p".to_owned(),
        fps: (25, 1),
        fps_base: (25, 1),
        interlaced: false,
        rotation: 0,
        color_transfer: None,
        duration: None,
        start: MediaTime::ZERO,
        bit_rate: None,
    };
    let media = Box::new(MediaInfo {
        format: "matroska,webm".to_owned(),
        duration: MediaTime::from_secs(5000),
        video,
        audio: None,
        subtitles: Vec::new(),
    });
    let metadata = Metadata { title: "A film".to_owned(), ..Metadata::default() };
    let key = ContentKey(path.to_string_lossy().into());
    KnownFile { path: path.to_owned(), stamp, key, verdict: StoredVerdict::Accepted { media, metadata } }
}

#[tokio::test]
async fn ten_thousand_known_files_are_a_catalogue_without_a_probe() {
    let ground = Ground::new();
    let stamp = FileStamp { size: 1, mtime_ns: 1_000_000_000 };
    let files: Vec<_> = (0..10_000).map(|n| ground.at(format!("{:02}/{n:05}.mkv", n % 100))).collect();
    for path in &files {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
        File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
    }
    let store = Store::open(&ground.outside("nightcast.db"), jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    store.put_files(files.iter().map(|path| known(path, stamp)).collect()).await.unwrap();
    let settings = LibrarySettings { ffprobe: ground.counting_ffprobe(), ..ground.settings(SHORT) };
    let begun = std::time::Instant::now();
    let mut running = Running::with_store(settings, store);
    let catalogue = running.complete().await;
    println!("10,000 known files were a complete catalogue after {:?}", begun.elapsed());
    assert_eq!((catalogue.items.len(), ground.calls()), (10_000, 0));
    running.end().await;
}
