//! What happens to viewers when damage is found in a kept picture after it was made ready.

use std::fs;
use std::path::Path;

use jiff::SignedDuration;

use super::clock::nothing_was_lost;
use super::prepare::wrapper;
use crate::items;
use crate::support::faults::Seen;
use crate::support::ffmpegs;
use crate::support::hls_reader::Rules;
use crate::support::station::{Home, Settings, Station};
use crate::support::sync::FlashBeep;
use crate::support::viewer::watched;

const CHANNEL: &str = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\norder = \"sequential\"\n\
    [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";

/// Overwrites the data of a film's middle keyframe, which changes no packet's place, length or time.
fn damage_the_middle(film: &Path) {
    let entries = ["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pos,size,flags", "-of", "csv=p=0"];
    let listed = items::run("ffprobe", &entries, film);
    let keys: Vec<&str> = listed.lines().filter(|line| line.contains('K')).collect();
    let mut fields = keys[keys.len() / 2].split(',').map(str::parse::<usize>);
    let (size, place) = (fields.next().unwrap().unwrap(), fields.next().unwrap().unwrap());
    let mut bytes = fs::read(film).unwrap();
    bytes[place + size / 2..][..40].fill(0xa5);
    fs::write(film, bytes).unwrap();
}

/// How often a programme of a title began.
fn began(station: &Station, title: &str) -> usize {
    let title = format!("\"title\":\"{title}\"");
    station.log().lines().filter(|line| line.contains("programme began") && line.contains(&title)).count()
}

/// Goal: what is found to be damaged is not cut off the air, is told, and airs anew once it was made anew. Method: a film
/// with a damaged keyframe; the ffmpeg that makes it anew is held until the film has aired as it is.
#[test]
fn a_film_found_to_be_damaged_airs_on_until_it_was_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let hold = format!("while [ ! -e '{}' ]; do sleep 0.1; done; exec ffmpeg \"$@\"", go.display());
    let ffmpeg = wrapper(folder.path(), "b.mp4*libx264", &hold);
    let home = Home::new(Settings { channels: CHANNEL.to_owned(), ffmpeg, ..Settings::default() });
    for (name, flashes) in [("a.mp4", 4), ("b.mp4", 6)] {
        let film = FlashBeep { size: (320, 180), gop: 25, flashes, ..FlashBeep::default() };
        film.make(&ffmpegs::system(), &home.path("media/one").join(name));
    }
    damage_the_middle(&home.path("media/one/b.mp4"));
    let station = home.start();
    station.until("both are ready, and on air", || {
        let channel = station.channel("one");
        (channel["library"]["prepared"] == 2 && channel["state"] == "on_air").then_some(())
    });
    let rules = Rules { future_allowance: SignedDuration::from_millis(100), ..Rules::default() };
    let ((), recording) = watched(&station, "one", rules, || {
        station.wait_for_log("it is found", |line| line.contains("its kept picture is damaged"));
        let (status, table, said) = home.ask(&["library"]);
        assert!(status.success(), "{said}");
        let told = "it airs as it is until it was made anew";
        assert!(table.contains("damaged") && table.contains(told), "{table}");
        let seen = began(&station, "b");
        station.until("it airs as it is", || (began(&station, "b") > seen).then_some(()));
        fs::write(&go, "").unwrap();
        station.wait_for_log("it is made anew", |line| line.contains("\"prepared\"") && line.contains("RemuxFailed"));
        let (_, table, _) = home.ask(&["library"]);
        assert!(!table.contains("damaged"), "{table}");
        let seen = began(&station, "b");
        station.until("it airs anew", || (began(&station, "b") > seen).then_some(()));
        let seen = began(&station, "a");
        station.until("to its end", || (began(&station, "a") > seen).then_some(()));
    });
    nothing_was_lost(&recording, &station);
    // What it was and what it is differ in their parameters: seams between them are told, and nothing else is.
    assert_eq!(station.log().matches("on-air ffmpeg started").count(), 1, "{}", station.log());
    Seen::of("damage found in a kept picture", &recording).tell();
}
