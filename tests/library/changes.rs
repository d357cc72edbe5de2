//! Goal: what happens to single files is in the catalogue soon. Method: films are copied, moved, cut and deleted below a
//! watched folder.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use nightcast::library::{Catalogue, Item, LibrarySettings, Refused};
use nightcast::units::MediaTime;

use crate::station::{Ground, LONG, Running, SHORT, make_film};

#[tokio::test]
async fn a_video_dropped_into_the_folder_becomes_an_item() {
    let ground = Ground::new();
    let film = ground.outside("a.mp4");
    make_film(&film, "1.5", &["-metadata", "title=A film", "-metadata", "artist=Ann", "-metadata", "date=2008"]);
    let mut running = Running::new(ground.settings(Duration::from_secs(2))).await;
    assert!(running.complete().await.items.is_empty());
    fs::copy(&film, ground.at("a.mp4")).unwrap();
    let copied = std::time::Instant::now();
    let item = running.item(&ground.at("a.mp4")).await;
    println!("with a settle time of 2 s it was an item {:?} after its last byte", copied.elapsed());
    assert_eq!((&*item.name, item.stamp.size), ("a.mp4", film.metadata().unwrap().len()));
    let told = &item.metadata;
    assert_eq!(
        (told.title.as_str(), told.author.as_deref(), told.date.as_deref()),
        ("A film", Some("Ann"), Some("2008"))
    );
    let (video, audio) = (&item.media.video, item.media.audio.as_ref().unwrap());
    assert_eq!((video.codec.as_str(), video.width, video.height, video.fps), ("h264", 64, 48, (10, 1)));
    assert_eq!((audio.codec.as_str(), audio.sample_rate, audio.channels), ("aac", 44_100, 1));
    assert_eq!(item.media.duration, MediaTime::from_millis(1500));
    running.end().await;
}

#[tokio::test]
async fn a_file_still_being_copied_is_not_yet_an_item() {
    let ground = Ground::new();
    let film = ground.film();
    fs::copy(&film, ground.at("whole.mp4")).unwrap();
    File::options().write(true).open(ground.at("whole.mp4")).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    fs::copy(&film, ground.at("copying.mp4")).unwrap();
    let mut running = Running::new(ground.settings(LONG)).await;
    let catalogue = running.complete().await;
    assert_eq!(catalogue.items.keys().collect::<Vec<_>>(), [&ground.at("whole.mp4")]);
    assert_eq!(catalogue.refused.get(&ground.at("copying.mp4")), Some(&Refused::Settling));
    running.end().await;
}

#[tokio::test]
async fn a_copy_that_broke_off_is_quarantined_until_it_is_completed() {
    let ground = Ground::new();
    let film = fs::read(ground.film()).unwrap();
    let path = ground.at("a.mp4");
    let mut running = Running::new(ground.settings(SHORT)).await;
    fs::write(&path, &film[..film.len() / 2]).unwrap();
    let reason = running.reason(&path).await;
    assert_eq!(reason, "Its index is missing (no moov atom): the copy was probably cut short.");
    fs::write(&path, &film).unwrap();
    running.item(&path).await;
    running.end().await;
}

#[tokio::test]
async fn a_name_that_says_unfinished_is_waited_for() {
    let ground = Ground::new();
    let film = ground.film();
    fs::copy(&film, ground.at("a.mp4.part")).unwrap();
    let mut running = Running::new(ground.settings(SHORT)).await;
    assert!(running.complete().await.refused.is_empty());
    fs::rename(ground.at("a.mp4.part"), ground.at("a.mp4")).unwrap();
    running.item(&ground.at("a.mp4")).await;
    running.end().await;
}

#[tokio::test]
async fn a_replaced_file_is_another_item_and_a_deleted_one_is_none() {
    let ground = Ground::new();
    let (path, longer) = (ground.at("a.mp4"), ground.outside("longer.mp4"));
    fs::copy(ground.film(), &path).unwrap();
    make_film(&longer, "2", &[]);
    let mut running = Running::new(ground.settings(SHORT)).await;
    let before = running.item(&path).await;
    fs::rename(&longer, &path).unwrap();
    let two = MediaTime::from_secs(2);
    let is_new = |item: &Item| item.media.duration == two;
    let after = running.until("the new item", |now| now.items.get(&path).is_some_and(|item| is_new(item))).await;
    assert_ne!(after.items[&path].key, before.key);
    fs::remove_file(&path).unwrap();
    running.until("no item", |now| now.items.is_empty() && now.refused.is_empty()).await;
    running.end().await;
}

#[tokio::test]
async fn a_renamed_file_keeps_its_key() {
    let ground = Ground::new();
    fs::copy(ground.film(), ground.at("a.mp4")).unwrap();
    let mut running = Running::new(ground.settings(SHORT)).await;
    let before = running.item(&ground.at("a.mp4")).await;
    fs::rename(ground.at("a.mp4"), ground.at("b.mp4")).unwrap();
    assert_eq!(running.item(&ground.at("b.mp4")).await.key, before.key);
    running.end().await;
}

#[tokio::test]
async fn an_unreadable_file_is_told_of_and_tried_again_when_it_may_be_read() {
    let ground = Ground::new();
    let (closed, open) = (ground.at("closed.mp4"), ground.at("open.mp4"));
    for path in [&closed, &open] {
        fs::copy(ground.film(), path).unwrap();
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let mut running =
        Running::new(LibrarySettings { ffprobe: ground.counting_ffprobe(), ..ground.settings(SHORT) }).await;
    assert_eq!(running.reason(&closed).await, "The server may not read it (permission denied).");
    running.item(&open).await;
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o644)).unwrap();
    running.item(&closed).await;
    running.end().await;
}

#[tokio::test]
async fn a_sidecar_that_comes_later_changes_what_viewers_are_told() {
    let ground = Ground::new();
    fs::copy(ground.film(), ground.at("Big.Buck.Bunny.2008.1080p.mp4")).unwrap();
    let path = ground.at("Big.Buck.Bunny.2008.1080p.mp4");
    let mut running = Running::new(ground.settings(SHORT)).await;
    let told = running.item(&path).await.metadata.clone();
    assert_eq!((told.title.as_str(), told.date.as_deref()), ("Big Buck Bunny", Some("2008")));
    let title = |now: &Catalogue| now.items.get(&path).map(|item| item.metadata.title.clone());
    fs::write(path.with_extension("json"), r#"{"title": "From JSON"}"#).unwrap();
    running.until("the title", |now| title(now).as_deref() == Some("From JSON")).await;
    fs::write(path.with_extension("nfo"), "<movie><title>From NFO</title></movie>").unwrap();
    running.until("the title", |now| title(now).as_deref() == Some("From NFO")).await;
    fs::remove_file(path.with_extension("nfo")).unwrap();
    fs::remove_file(path.with_extension("json")).unwrap();
    running.until("the title", |now| title(now).as_deref() == Some("Big Buck Bunny")).await;
    running.end().await;
}

#[tokio::test]
async fn a_walk_that_is_asked_for_finds_what_no_event_tells() {
    let ground = Ground::new();
    let path = ground.at("a.mp4");
    fs::copy(ground.film(), &path).unwrap();
    let mut running = Running::new(ground.settings(SHORT)).await;
    let before = running.item(&path).await;
    // Writes into a file that stays open are told by nothing that is listened to.
    let mut file = File::options().append(true).open(&path).unwrap();
    file.write_all(&[0; 64]).unwrap();
    running.library.rescan();
    let grown = before.stamp.size + 64;
    running.until("the new size", |now| now.items.get(&path).is_some_and(|item| item.stamp.size == grown)).await;
    running.end().await;
}
