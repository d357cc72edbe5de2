//! What the tests of bad input have in common: small channels, small films, and what the station tells of them.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::support::clips::{make, picture, tone};
use crate::support::films::X264;
use crate::support::hls_reader::Rules;
use crate::support::station::{Home, Settings, Station};

/// A channel of small pictures.
const CHANNEL: &str = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\n\
    [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";

/// A home with one channel; `station` is TOML.
pub(crate) fn home(station: &str) -> Home {
    Home::new(Settings { station: station.to_owned(), channels: CHANNEL.to_owned(), ..Settings::default() })
}

/// The same with subtitles, whatever its films have: its picture is the rendition [`PICTURE`].
pub(crate) fn home_with_subtitles(station: &str) -> Home {
    let channels = CHANNEL.replace("[channel.picture]", "subtitle-languages = [\"en\"]\n[channel.picture]");
    Home::new(Settings { station: station.to_owned(), channels, ..Settings::default() })
}

/// What the one picture of that channel is watched as.
pub(crate) const PICTURE: &str = "one/picture";

/// What the viewer of a station at real time insists on: also that something new comes in time (RFC 8216 §6.2.2).
pub(crate) fn live() -> Rules {
    Rules { stale_after: Some(1.5), ..Rules::default() }
}

/// Makes a fit film of some seconds.
pub(crate) fn film(folder: &Path, name: &str, secs: f64, title: &str) -> PathBuf {
    let (picture, tone) = (picture("320x180", "25", secs), tone(48_000, secs));
    make(folder, name, &format!("{picture} {tone} {X264} -g 25 -c:a aac -metadata 'title={title}'"))
}

/// When each programme began that a station has put on air so far, with the item's name.
pub(crate) fn begun(station: &Station) -> Vec<(String, Timestamp)> {
    let lines = station.log();
    let began = lines.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let began = began.filter(|line| line["fields"]["message"] == "programme began");
    let text = |line: &serde_json::Value, field: &str| line["fields"][field].as_str().unwrap().to_owned();
    began.map(|line| (text(&line, "item"), text(&line, "date").parse().unwrap())).collect()
}

/// Waits until an item has begun for the given time, and returns when that was.
pub(crate) fn wait_for(station: &Station, item: &str, time: usize) -> Timestamp {
    station.until(item, || {
        let mut times = begun(station).into_iter().filter(|(name, _)| name == item);
        times.nth(time - 1).map(|(_, date)| date)
    })
}

/// Waits until so many items are prepared and so many files quarantined.
pub(crate) fn wait_for_library(station: &Station, prepared: usize, quarantined: usize) {
    station.until("the library is looked through", || {
        let library = station.channel("one")["library"].clone();
        let done = library["settling"] == 0 && library["prepared"] == prepared;
        (done && library["quarantined"] == quarantined).then_some(())
    });
}
