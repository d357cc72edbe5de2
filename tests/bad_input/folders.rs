//! What happens to a channel's folders while it is on air.

use std::fs;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::ground::{begun, film, home, live, wait_for, wait_for_library};
use crate::support::station::Station;
use crate::support::viewer::{Recording, watched};

/// How long a film may take from its last byte into the catalogue.
const CATALOGUE_MAX: Duration = Duration::from_secs(10);

fn wait_for_slate(station: &Station, reason: &str) {
    station.until(reason, || {
        let channel = station.channel("one");
        (channel["state"] == "slate" && channel["reason"] == reason).then_some(())
    });
}

/// Returns the live edge once an item is ready.
fn edge_when_ready(station: &Station) -> Timestamp {
    station.until("a film is ready", || {
        let channel = station.channel("one");
        (channel["library"]["prepared"] == 1).then(|| channel["edge"].as_str().unwrap().parse().unwrap())
    })
}

/// How many segments began at or after an edge and before a film.
fn segments_between(recording: &Recording, edge: Timestamp, film: Timestamp) -> usize {
    recording.begins.values().filter(|begin| **begin >= edge && **begin < film).count()
}

#[test]
fn an_empty_folder_shows_the_slate_until_a_film_is_dropped_in() {
    let home = home("");
    let made = film(&home.path(""), "a.mp4", 5.0, "A");
    let station = home.start();
    let ((edge, began), recording) = watched(&station, "one", live(), || {
        wait_for_slate(&station, "Nothing to show yet. Drop videos into the channel's folder.");
        fs::copy(&made, home.path("media/one/a.mp4")).unwrap();
        let copied = Instant::now();
        station.until("it is in the catalogue", || (station.channel("one")["library"]["items"] == 1).then_some(()));
        let taken = copied.elapsed();
        println!("in the catalogue after {taken:?}");
        assert!(taken < CATALOGUE_MAX, "in the catalogue after {taken:?}");
        let edge = edge_when_ready(&station);
        (edge, wait_for(&station, "a.mp4", 1))
    });
    let between = segments_between(&recording, edge, began);
    println!("{between} segments of slate after the film was ready");
    assert!(between <= 2, "{between} segments of slate after the film was ready");
    let channel = station.channel("one");
    assert_eq!(
        (&channel["state"], &channel["reason"], &channel["restarts"]),
        (&"on_air".into(), &serde_json::Value::Null, &0.into())
    );
}

#[test]
fn a_folder_that_is_missing_appears_and_its_film_outlives_it() {
    let home = home("settle-seconds = 0.3");
    let (media, away) = (home.path("media/one"), home.path("away"));
    film(&media, "a.mp4", 3.0, "A");
    fs::rename(&media, &away).unwrap();
    let station = home.start();
    let told = |text: &str, times| {
        station.until(text, || (station.log().matches(text).count() == times).then_some(()));
    };
    watched(&station, "one", live(), || {
        wait_for_slate(&station, "The channel's folder cannot be reached.");
        fs::rename(&away, &media).unwrap();
        wait_for_library(&station, 1, 0);
        wait_for(&station, "a.mp4", 1);
        assert_eq!(station.channel("one")["reason"], serde_json::Value::Null);
        fs::rename(&media, &away).unwrap();
        told("a folder cannot be used", 2);
        wait_for(&station, "a.mp4", begun(&station).len() + 2);
        assert_eq!(station.channel("one")["state"], "on_air", "{}", station.log());
        fs::rename(&away, &media).unwrap();
        told("a folder can be used again", 2);
        wait_for(&station, "a.mp4", begun(&station).len() + 1);
    });
    assert_eq!(station.channel("one")["restarts"], 0, "{}", station.log());
}

#[test]
fn a_nested_folder_moved_in_whole_airs() {
    let home = home("settle-seconds = 0.3");
    film(&home.path("media/one"), "a.mp4", 3.0, "A");
    fs::create_dir_all(home.path("season/one/part")).unwrap();
    film(&home.path("season/one/part"), "b.mp4", 3.0, "B");
    film(&home.path("season"), "c.mp4", 3.0, "C");
    let station = home.start();
    watched(&station, "one", live(), || {
        wait_for(&station, "a.mp4", 1);
        fs::rename(home.path("season"), home.path("media/one/season")).unwrap();
        wait_for(&station, "season/one/part/b.mp4", 1);
        wait_for(&station, "season/c.mp4", 1);
    });
    assert_eq!(station.channel("one")["restarts"], 0, "{}", station.log());
}
