//! Goal: whatever happens to folders, what is in them is found. Method: folders are moved, deleted, linked and made below
//! and above a watched one.

use std::fs;
use std::os::unix::fs::symlink;

use nightcast::library::LibrarySettings;

use crate::station::{Ground, Running, SHORT};

#[tokio::test]
async fn a_loop_of_links_is_told_of_and_links_elsewhere_are_followed() {
    let ground = Ground::new();
    fs::create_dir_all(ground.at("sub")).unwrap();
    let film = ground.film();
    fs::copy(&film, ground.at("sub/a.mp4")).unwrap();
    symlink(ground.media(), ground.at("sub/loop")).unwrap();
    symlink(ground.outside(""), ground.at("elsewhere")).unwrap();
    symlink("/no/such/file", ground.at("dangling.mp4")).unwrap();
    let mut running = Running::new(ground.settings(SHORT)).await;
    running.item(&ground.at("sub/a.mp4")).await;
    running.item(&ground.at("elsewhere/film.mp4")).await;
    let catalogue = running.complete().await;
    assert_eq!((catalogue.items.len(), catalogue.refused.len()), (2, 0));
    let looped = ground.at("sub/loop");
    let problem = "This link leads back to a folder it lies in, so it is not followed.".to_owned();
    assert_eq!(catalogue.folder_problems, [(looped, problem)]);
    running.end().await;
}

#[tokio::test]
async fn an_empty_folder_is_complete_and_no_problem() {
    let ground = Ground::new();
    let mut running = Running::new(ground.settings(SHORT)).await;
    let catalogue = running.complete().await;
    assert!(catalogue.items.is_empty() && catalogue.refused.is_empty() && catalogue.folder_problems.is_empty());
    running.end().await;
}

#[tokio::test]
async fn a_missing_folder_is_told_of_and_seen_when_it_appears() {
    let ground = Ground::new();
    let missing = ground.at("not/yet/there");
    let settings = LibrarySettings { folders: vec![missing.clone()], ..ground.settings(SHORT) };
    let mut running = Running::new(settings).await;
    let problem = (missing.clone(), "The folder does not exist.".to_owned());
    assert_eq!(running.complete().await.folder_problems, [problem]);
    fs::create_dir_all(&missing).unwrap();
    fs::copy(ground.film(), missing.join("a.mp4")).unwrap();
    let item = running.item(&missing.join("a.mp4")).await;
    assert_eq!(&*item.name, "a.mp4");
    running.until("no problem", |now| now.folder_problems.is_empty()).await;
    running.end().await;
}

#[tokio::test]
async fn a_folder_that_vanished_keeps_its_items_and_returned_is_not_probed_again() {
    let ground = Ground::new();
    fs::copy(ground.film(), ground.at("a.mp4")).unwrap();
    let mut running =
        Running::new(LibrarySettings { ffprobe: ground.counting_ffprobe(), ..ground.settings(SHORT) }).await;
    let before = running.item(&ground.at("a.mp4")).await;
    fs::rename(ground.media(), ground.outside("away")).unwrap();
    running.until("the problem", |now| now.items.len() == 1 && now.folder_problems.len() == 1).await;
    fs::rename(ground.outside("away"), ground.media()).unwrap();
    running.until("no problem", |now| now.folder_problems.is_empty()).await;
    assert_eq!(running.item(&ground.at("a.mp4")).await, before);
    assert_eq!(ground.calls(), 1);
    // The folder is watched again, not only found again.
    fs::copy(ground.film(), ground.at("b.mp4")).unwrap();
    running.item(&ground.at("b.mp4")).await;
    running.end().await;
}

#[tokio::test]
async fn a_folder_deleted_and_made_again_keeps_its_items_until_something_is_in_it() {
    let ground = Ground::new();
    fs::copy(ground.film(), ground.at("a.mp4")).unwrap();
    let mut running = Running::new(ground.settings(SHORT)).await;
    running.item(&ground.at("a.mp4")).await;
    for name in ["b.mp4", "c.mp4"] {
        fs::remove_dir_all(ground.media()).unwrap();
        fs::create_dir(ground.media()).unwrap();
        running.until("it is told of", |now| now.items.len() == 1 && now.folder_problems.len() == 1).await;
        fs::copy(ground.film(), ground.at(name)).unwrap();
        let now = running.until("the new item", |now| now.items.contains_key(&ground.at(name))).await;
        assert_eq!((now.items.len(), now.folder_problems.len()), (1, 0));
    }
    running.end().await;
}

#[tokio::test]
async fn a_nested_folder_moved_in_whole_is_found_and_goes_on_being_watched() {
    let ground = Ground::new();
    let deep = ground.outside("season/one/part");
    fs::create_dir_all(&deep).unwrap();
    fs::copy(ground.film(), deep.join("a.mp4")).unwrap();
    let mut running = Running::new(ground.settings(SHORT)).await;
    running.complete().await;
    fs::rename(ground.outside("season"), ground.at("season")).unwrap();
    let item = running.item(&ground.at("season/one/part/a.mp4")).await;
    assert_eq!(&*item.name, "season/one/part/a.mp4");
    fs::create_dir_all(ground.at("season/one/part/deeper/still")).unwrap();
    fs::copy(ground.film(), ground.at("season/one/part/deeper/still/b.mp4")).unwrap();
    running.item(&ground.at("season/one/part/deeper/still/b.mp4")).await;
    running.end().await;
}

#[tokio::test]
async fn hidden_names_and_the_stations_own_data_are_left_alone() {
    let ground = Ground::new();
    let film = ground.film();
    for name in ["data/cache/a.ts", ".hidden/b.mp4", "sub/.c.mp4", "sub/d.mp4", "sub/notes.txt"] {
        fs::create_dir_all(ground.at(name).parent().unwrap()).unwrap();
        fs::copy(&film, ground.at(name)).unwrap();
    }
    let mut running =
        Running::new(LibrarySettings { exclude: vec![ground.at("data")], ..ground.settings(SHORT) }).await;
    running.item(&ground.at("sub/d.mp4")).await;
    let catalogue = running.complete().await;
    assert_eq!((catalogue.items.len(), catalogue.refused.len()), (1, 0));
    running.end().await;
}
