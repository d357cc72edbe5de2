//! The configuration is changed while the station is on air.
#![expect(clippy::disallowed_methods, reason = "tests write files and read the clock")]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use support::ffmpegs;
use support::hls_reader::Rules;
use support::hls_text;
use support::station::{Home, Settings, Station};
use support::sync::FlashBeep;
use support::viewer::watched;

/// How often the configuration is saved.
const RELOADS: usize = 20;

/// No playlist may be older than two target durations.
const STILL_MAX: Duration = Duration::from_secs(12);

/// Two pictures instead of one, below a channel's other keys.
const SEVERAL: &str = "renditions = [{ name = \"large\", size = \"320x180\", max-kbps = 500 }, \
    { name = \"small\", size = \"170x96\", max-kbps = 200 }]\n[channel.picture]\n";

fn channel(id: &str, order: &str) -> String {
    format!(
        "[[channel]]\nid = \"{id}\"\nname = \"Channel {id}\"\nfolder = \"media/one\"\norder = \"{order}\"\n\
         [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n\n"
    )
}

fn channels(ids: &[&str]) -> String {
    ids.iter().map(|id| channel(id, "shuffle")).collect()
}

/// A station with these channels, all on air with the same two films.
fn on_air(ids: &[&str]) -> (Home, Station) {
    let home = Home::new(Settings { channels: channels(ids), ..Settings::default() });
    let film = FlashBeep { size: (320, 180), gop: 50, flashes: 8, ..FlashBeep::default() };
    film.make(&ffmpegs::system(), &home.path("media/one/a.mp4"));
    FlashBeep { flashes: 9, ..film }.make(&ffmpegs::system(), &home.path("media/one/b.mp4"));
    let station = home.start();
    for id in ids {
        station.until("everything is prepared", || (station.channel(id)["library"]["prepared"] == 2).then_some(()));
        station.until("it is on air", || (station.channel(id)["state"] == "on_air").then_some(()));
    }
    (home, station)
}

fn told(station: &Station, words: &str) -> usize {
    station.log().matches(words).count()
}

/// Saves a configuration and waits until the station has followed it.
fn follow(home: &Home, station: &Station, channels: &str) {
    let before = told(station, "configuration was read again");
    home.save(channels);
    station.until("it is followed", || (told(station, "configuration was read again") > before).then_some(()));
}

/// Goal: channels of which nothing changed do not notice that others come, change and go, nor that their films can be watched on
/// demand from now on. Method: five channels on air, two of them watched strictly; the configuration is saved twenty times, each
/// time with another third, fourth, fifth, and with films of the first on demand or not.
#[test]
fn twenty_reloads_leave_the_channels_that_did_not_change_alone() {
    let (home, station) = on_air(&["a", "b", "c", "d", "e"]);
    let runs = ["a", "b"].map(|id| station.children(&format!("{id}-1")));
    let (((), b), a) = {
        let act = || {
            for n in 0..RELOADS {
                let order = if n % 2 == 0 { "sequential" } else { "shuffle" };
                let fifth = if n % 2 == 0 { "f" } else { "e" };
                let wish = if n % 2 == 0 { "on-demand = true\n[channel.picture]" } else { "[channel.picture]" };
                let first = channel("a", "shuffle").replace("[channel.picture]", wish);
                let changed = channel("b", "shuffle")
                    + &channel("c", order)
                    + &channel("d", "shuffle")
                    + &channel(fifth, "shuffle");
                follow(&home, &station, &(first + &changed));
                let status = if n % 2 == 0 { 200 } else { 404 };
                assert_eq!(station.get("/api/channels/a/library").status, status);
            }
        };
        watched(&station, "a", Rules::default(), || watched(&station, "b", Rules::default(), act))
    };
    for (id, recording) in [("a", &a), ("b", &b)] {
        assert_eq!(recording.discontinuities, 0, "{id}");
        assert!(recording.stood_still < STILL_MAX, "{id} stood still for {:?}", recording.stood_still);
        let numbers: Vec<u64> = recording.segments.keys().copied().collect();
        assert!(numbers.windows(2).all(|two| two[1] == two[0] + 1), "{id}: {numbers:?}");
        assert_eq!(station.channel(id)["restarts"], 0, "{id}");
    }
    assert_eq!(runs, ["a", "b"].map(|id| station.children(&format!("{id}-1"))), "the same ffmpegs");
}

/// Goal: a channel that is changed goes on where it was, and is never away. Method: rename it and change its order; ask
/// for its playlist all the time until it has gone on by two target durations.
#[test]
fn a_changed_channel_goes_on_where_it_was() {
    let (home, station) = on_air(&["a"]);
    let edge = |station: &Station| {
        assert!(station.playlist("a").is_some(), "the playlist is there throughout");
        station.channel("a")["edge"].as_str().and_then(|text| text.parse::<Timestamp>().ok())
    };
    let before = edge(&station).expect("it is on air");
    follow(&home, &station, &channel("a", "sequential").replace("Channel a", "Night and day"));
    let (mut newest, mut still) = ((Some(before), Instant::now()), Duration::ZERO);
    station.until("it goes on", || {
        let now = edge(&station);
        if now > newest.0 {
            newest = (now, Instant::now());
        }
        still = still.max(newest.1.elapsed());
        (now? > before + SignedDuration::from_secs(12)).then_some(())
    });
    assert!(still < STILL_MAX, "it stood still for {still:?}");
    assert_eq!(station.channel("a")["name"], "Night and day");
}

/// Goal: a channel that gets several pictures, and then one again, is never away, and its numbers go on. Method: ask for its
/// one address all the time until films are on air in the new way, each way once.
#[test]
fn a_channel_gets_several_pictures_and_one_again() {
    let (home, station) = on_air(&["a"]);
    let one = channel("a", "shuffle");
    let several = one.replace("[channel.picture]\nsize = \"320x180\"\n", SEVERAL);
    let newest = |rendition: &str| {
        let text = station.playlist(&format!("a{rendition}"))?;
        hls_text::read(&text).0.segments.last().map(|segment| (segment.msn, segment.uri.clone()))
    };
    let mut before = newest("").expect("it is on air").0;
    for (channels, rendition) in [(several, "/small"), (one, "")] {
        follow(&home, &station, &channels);
        let (msn, uri) = station.until("films are on air in the new way", || {
            let list = station.playlist("a").expect("the playlist is there throughout");
            let is_new = list.contains("small/index.m3u8") != rendition.is_empty();
            let (msn, uri) = newest(rendition).filter(|_| is_new && station.channel("a")["state"] == "on_air")?;
            (msn > before).then_some((msn, uri))
        });
        assert_eq!(station.get(&format!("/channels/a{rendition}/{uri}")).status, 200, "{uri}");
        before = msn;
    }
}

/// Goal: channels come and go without a restart, and look otherwise without beginning anew. Method: one is added and one
/// removed; what is left of the removed one is looked for; the new one, which has an ident drawn, is given another colour.
#[test]
fn channels_come_and_go() {
    let (home, station) = on_air(&["a", "b"]);
    // The new one has an ident drawn of its looks.
    let new = |keys: &str| channel("c", "shuffle").replace("[channel.picture]", &format!("{keys}[channel.picture]"));
    let drawn = "idents = { drawn = true, every = 1 }\n";
    follow(&home, &station, &(new(drawn) + &channels(&["a"])));
    assert_eq!(station.get("/channels/b/index.m3u8").status, 404);
    station.until("the new one is on air", || station.playlist("c"));
    let listed = station.get("/api/channels").json();
    let ids: Vec<_> = listed["channels"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["c", "a"], "in the order of the configuration");
    station.until("its ffmpeg has ended", || station.children("b-1").is_empty().then_some(()));
    let is_drawn = |times: usize| (told(&station, "the ident is drawn") == times).then_some(());
    station.until("the ident is drawn", || is_drawn(1));
    let runs = station.children("c-1");
    follow(&home, &station, &(new(&format!("{drawn}colour = \"#6d8bff\"\n")) + &channels(&["a"])));
    station.until("it is drawn in the new colour", || is_drawn(2));
    assert_eq!(station.children("c-1"), runs, "the channel did not begin anew for it");
    station.signal("TERM");
    let (status, _) = station.wait();
    assert!(status.success());
}

/// Goal: a configuration with problems changes nothing, and people are told all of them. Method: save a broken one, one
/// that cannot be followed without a restart, and a good one.
#[test]
fn a_configuration_with_problems_changes_nothing() {
    let (home, station) = on_air(&["a"]);
    home.save("[[channel]]\nid = \"a\"\nname = \"A\"\nfolder = \"media/one\"\norder = \"backwards\"\n");
    station
        .wait_for_log("the problem is told", |line| line.contains("backwards") && line.contains("nothing was changed"));
    assert_eq!(station.channel("a")["restarts"], 0);

    let text = fs::read_to_string(home.save(&channels(&["a"]))).unwrap();
    fs::write(home.path("channels.toml"), text.replace("[station]\n", "[station]\nworkers = 3\n")).unwrap();
    station.wait_for_log("what must wait is told", |line| line.contains("workers") && line.contains("started again"));

    follow(&home, &station, &channels(&["a", "b"]));
    station.until("the new one is on air", || station.playlist("b"));
}

/// Goal: SIGHUP has the configuration read again, also where saving is not noticed. Method: send it; the file is as it was.
#[test]
fn a_hangup_has_the_configuration_read_again() {
    let (_home, station) = on_air(&["a"]);
    station.signal("HUP");
    station.wait_for_log("it is read", |line| line.contains("nothing to do"));
    assert_eq!(station.channel("a")["restarts"], 0);
}
