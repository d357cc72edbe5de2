//! What happens to single files while the channel is on air.

use std::fs::{self, File};
use std::io::Write;

use jiff::Timestamp;

use crate::ground::{begun, film, home, live, wait_for, wait_for_library};
use crate::support::station::rest;
use crate::support::viewer::watched;

/// One frame of the films: a seam is where the sound ends, up to a frame from the picture's end.
const FRAME_SECS: f64 = 0.04;

#[test]
fn a_file_still_being_copied_airs_only_when_it_is_whole() {
    let home = home("");
    let media = home.path("media/one");
    film(&media, "a.mp4", 4.0, "A");
    // Half of a Matroska file could be played as it is.
    let bytes = fs::read(film(&home.path(""), "b.mkv", 5.0, "B")).unwrap();
    let station = home.start();
    wait_for(&station, "a.mp4", 1);
    watched(&station, "one", live(), || {
        let mut copy = File::create(media.join("b.mkv")).unwrap();
        for part in bytes.chunks(bytes.len() / 70 + 1) {
            copy.write_all(part).unwrap();
            let library = station.channel("one")["library"].clone();
            assert_eq!((&library["items"], &library["quarantined"]), (&1.into(), &0.into()), "{}", station.log());
            rest();
        }
        drop(copy);
        wait_for(&station, "b.mkv", 1);
    });
    let channel = station.channel("one");
    let aired = channel["aired"].as_array().unwrap().iter().find(|airing| airing["title"] == "B").unwrap();
    assert!((aired["duration_seconds"].as_f64().unwrap() - 5.0).abs() < 0.1, "{aired}");
    assert_eq!(channel["restarts"], 0, "{}", station.log());
}

#[test]
fn a_file_replaced_while_on_air_airs_to_its_end_and_the_new_one_after_it() {
    let home = home("settle-seconds = 0.3");
    let media = home.path("media/one");
    film(&media, "a.mp4", 6.0, "Old");
    film(&media, "b.mp4", 3.0, "B");
    let new = film(&home.path(""), "new.mp4", 3.0, "New");
    let station = home.start();
    wait_for_library(&station, 2, 0);
    let times = begun(&station).iter().filter(|(name, _)| name == "a.mp4").count();
    watched(&station, "one", live(), || {
        wait_for(&station, "a.mp4", times + 1);
        fs::rename(&new, media.join("a.mp4")).unwrap();
        station.until("the new film", || (station.channel("one")["now"]["title"] == "New").then_some(()));
    });
    let channel = station.channel("one");
    // On a busy machine the first film may be late, and the slate before it.
    let aired: Vec<_> = channel["aired"].as_array().unwrap().iter().skip_while(|one| one["slate"] == true).collect();
    let time = |airing: &serde_json::Value, which: &str| airing[which].as_str().unwrap().parse::<Timestamp>().unwrap();
    // The slate between them has no length of its own: it is there when the new one was not prepared in time.
    for (airing, next) in aired.iter().zip(&aired[1..]).filter(|(airing, _)| airing["slate"] == false) {
        let apart = time(next, "start").duration_since(time(airing, "end")).as_secs_f64();
        assert!(apart.abs() < FRAME_SECS, "{apart} s between {airing} and {next}");
    }
    assert_eq!(channel["restarts"], 0, "{}", station.log());
}

#[test]
fn a_file_deleted_while_on_air_airs_to_its_end_and_leaves_the_plan() {
    let home = home("settle-seconds = 0.3");
    let media = home.path("media/one");
    let a = film(&media, "a.mp4", 8.0, "A");
    film(&media, "b.mp4", 3.0, "B");
    let station = home.start();
    wait_for_library(&station, 2, 0);
    let times = begun(&station).iter().filter(|(name, _)| name == "a.mp4").count();
    let ((), recording) = watched(&station, "one", live(), || {
        let began = wait_for(&station, "a.mp4", times + 1);
        fs::remove_file(&a).unwrap();
        station.until("it left the plan", || {
            let next = station.channel("one")["next"].clone();
            next.as_array().unwrap().iter().all(|airing| airing["title"] == "B").then_some(())
        });
        let next = station.until("something after it", || begun(&station).into_iter().find(|(_, date)| *date > began));
        assert_eq!(next.0, "b.mp4");
        let length = next.1.duration_since(began).as_secs_f64();
        assert!((length - 8.0).abs() < 0.1, "it was on air for {length} s");
        wait_for_library(&station, 1, 0);
    });
    assert!(!recording.segments.is_empty());
    assert_eq!(station.channel("one")["restarts"], 0, "{}", station.log());
}
