//! The mirror, with a real station, a real ffmpeg and a real S3-compatible store.
//!
//! Goal: viewers who never come to the station see all of the channel, and whatever the store does is not noticed by those who
//! do. Method: s3rver, a store from a Node package that speaks S3 over HTTP; a viewer who forgives nothing reads it.
#![expect(clippy::disallowed_methods, reason = "tests start programs and read the clock")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

#[path = "mirror/signed.rs"]
mod signed;
#[path = "mirror/store.rs"]
mod store;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use jiff::SignedDuration;
use support::ffmpegs;
use support::hls_reader::{Reader, Rules};
use support::scraped::scrape;
use support::station::{Home, Settings, Station, rest};
use support::sync::FlashBeep;
use support::viewer::watched;

use store::Store;

/// How fast the stations live: four segments come in a second.
const SPEED: f64 = 8.0;

/// How much of a channel is watched.
const WATCHED_SECS: f64 = 26.0;

const RENDITIONS: &str = "renditions = [{ name = \"large\", size = \"320x180\", max-kbps = 500 }, \
    { name = \"small\", size = \"170x96\", max-kbps = 100 }]\n";

fn channel(id: &str, more: &str) -> String {
    format!(
        "[[channel]]\nid = \"{id}\"\nname = \"Channel {id}\"\nfolder = \"media/one\"\norder = \"sequential\"\n{more}\
         [channel.picture]\npreset = \"ultrafast\"\n\n"
    )
}

/// The configuration of a mirror in this store.
fn mirror(store: &Store) -> String {
    let address = store.address();
    format!(
        "[metrics]\nlisten = \"127.0.0.1:0\"\n\n[mirror]\nurl = \"s3://films/tv\"\nendpoint = \"http://{address}\"\n\
         credentials-file = \"keys\"\n\n"
    )
}

/// A station on air with two short films, with this configuration.
fn on_air(channels: &str, key_id: &str) -> (Home, Station) {
    let station = "settle-seconds = 0.1".to_owned();
    let home = Home::new(Settings { speed: SPEED, station, channels: channels.to_owned(), ..Settings::default() });
    let keys = home.path("keys");
    fs::write(&keys, format!("[default]\naws_access_key_id = {key_id}\naws_secret_access_key = S3RVER\n")).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
    let film = FlashBeep { size: (320, 180), gop: 50, flashes: 6, ..FlashBeep::default() };
    film.make(&ffmpegs::system(), &home.path("media/one/a.mp4"));
    FlashBeep { flashes: 7, ..film }.make(&ffmpegs::system(), &home.path("media/one/b.mp4"));
    let station = home.start();
    station.until("it is on air", || (station.channel("one")["state"] == "on_air").then_some(()));
    (home, station)
}

/// What is forgiven: a playlist is a moment old when it is judged.
fn rules() -> Rules {
    Rules { future_allowance: SignedDuration::from_secs(2), ..Rules::default() }
}

/// Watches a playlist in the store: each is judged, each segment it names is fetched at once. Returns how much was seen.
fn watch_in(store: &Store, station: &Station, playlist: &str, seconds: f64) -> BTreeSet<String> {
    let folder = playlist.strip_suffix("index.m3u8").unwrap();
    let (mut reader, mut fetched, mut seen) = (Reader::with_rules(rules()), BTreeSet::new(), 0.0);
    station.until("the channel is in the store", || (store.get(playlist).status == 200).then_some(()));
    // A channel that begins late on a busy machine publishes what went by at once: more than a store takes in that time.
    station.until("it is in step", || {
        let prepared = station.channel("one")["library"]["prepared"] == 2;
        (prepared && value(station, "lag_seconds", &[]) < 4.0).then_some(())
    });
    station.until("enough was seen", || {
        let answer = store.playlist(playlist);
        assert_headers(&answer.head, "application/vnd.apple.mpegurl", "public, max-age=1");
        let observed = reader.observe(&answer.text(), station.now());
        let observed = observed.unwrap_or_else(|faults| panic!("{faults:?}\n{}", answer.text()));
        assert_eq!(observed.missed, 0, "segments came and went unseen: {}\n{}", answer.text(), station.log());
        for segment in &observed.segments {
            if fetched.insert(segment.uri.clone()) {
                let answer = store.get(&format!("{folder}{}", segment.uri));
                assert_eq!(answer.status, 200, "{} is named and is not there\n{}", segment.uri, station.log());
                assert_headers(&answer.head, "video/mp2t", "public, max-age=31536000, immutable");
                assert!(answer.body.len().is_multiple_of(188) && answer.body.first() == Some(&0x47), "{}", segment.uri);
                seen += segment.secs;
            }
        }
        (seen >= seconds).then_some(())
    });
    fetched
}

fn assert_headers(head: &str, kind: &str, cache: &str) {
    let head = head.to_lowercase();
    assert!(
        head.contains(&format!("content-type: {kind}\r\n")) && head.contains(&format!("cache-control: {cache}\r\n")),
        "{head}"
    );
}

fn value(station: &Station, name: &str, labels: &[(&str, &str)]) -> f64 {
    let scraped = scrape(station);
    let labels = [&[("channel", "one")], labels].concat();
    scraped.get(&format!("nightcast_mirror_{name}"), &labels).unwrap_or_else(|| panic!("{name}\n{}", scraped.text))
}

/// Goal: whoever reads only the store sees the channel by the rules, in each rendition; what has expired goes, what is
/// somebody else's stays; the bytes are the station's. Method: 26 s of channel from the store, with objects of an earlier
/// life and of others in it; a second channel that wants no copies.
#[test]
fn a_channel_is_watched_from_the_store_alone() {
    let store = Store::start();
    for name in ["one/segments/17.ts", "one/old/index.m3u8", "one/old/segments/18.ts"] {
        store.put(&format!("tv/{name}"), "of an earlier life");
    }
    let others = ["tv/one/notes.txt", "tv/two/segments/17.ts", "other/one/segments/17.ts"];
    for name in others {
        store.put(name, "somebody else's");
    }
    let two = channel("two", "mirror = false\n");
    let (_home, station) = on_air(&(mirror(&store) + &channel("one", RENDITIONS) + &two), "S3RVER");
    let multivariant = station.until("the renditions are told", || {
        let is_there = store.get("tv/one/index.m3u8").status == 200;
        is_there.then(|| store.playlist("tv/one/index.m3u8").text())
    });
    assert!(
        multivariant.contains("\nlarge/index.m3u8\n") && multivariant.contains("\nsmall/index.m3u8\n"),
        "{multivariant}"
    );
    let seen = std::thread::scope(|scope| {
        let (store, station) = (&store, &station);
        let watch =
            |name| scope.spawn(move || watch_in(store, station, &format!("tv/one/{name}/index.m3u8"), WATCHED_SECS));
        ["large", "small"].map(watch).map(|viewer| viewer.join().unwrap())
    });
    let newest = seen[0].last().unwrap();
    for name in ["large", "small"] {
        let (copy, own) = (format!("tv/one/{name}/{newest}"), format!("/channels/one/{name}/{newest}"));
        assert_eq!(store.get(&copy).body, station.get(&own).body, "{name}/{newest}");
    }
    let oldest = seen[0].first().unwrap();
    station.until("what has expired is gone", || {
        let gone = |name: &str| store.get(&format!("tv/one/{name}")).status == 404;
        let old = ["segments/17.ts", "old/index.m3u8", "old/segments/18.ts"].iter().all(|name| gone(name));
        (old && gone(&format!("large/{oldest}")) && gone(&format!("small/{oldest}"))).then_some(())
    });
    for name in others {
        assert_eq!(store.get(name).status, 200, "{name} is not ours");
    }
    assert_eq!(store.get("tv/two/index.m3u8").status, 404, "this channel wants no copies");
    assert!(value(&station, "uploads_total", &[("kind", "segment")]) >= 2.0 * 12.0);
    assert!(value(&station, "deletes_total", &[]) >= 5.0);
    let objects = value(&station, "objects", &[]);
    assert!(objects < 120.0, "{objects} objects are held");
    assert_eq!(scrape(&station).all("nightcast_mirror_lag_seconds", &[("channel", "two")]).len(), 0);
    let refusals = value(&station, "failures_total", &[("errand", "put")]);
    assert!(refusals < f64::EPSILON, "{refusals} puts failed\n{}", station.log());
}

/// Goal: a store that is away, and one that knows us not, disturb nobody, are told of once with the remedy, and are used again
/// by themselves; a configuration without a mirror ends it. Method: a strict viewer at the station while the store is killed,
/// started again, and taken out of the configuration.
#[test]
fn a_store_that_goes_away_is_not_noticed_by_viewers_of_the_station() {
    let mut store = Store::start();
    let one = channel("one", "");
    let (home, station) = on_air(&(mirror(&store) + &one), "S3RVER");
    let playlist = "tv/one/index.m3u8";
    station.until("the channel is in the store", || (store.get(playlist).status == 200).then_some(()));
    let lagging =
        |least: f64| station.until("the lag is told", || (value(&station, "lag_seconds", &[]) > least).then_some(()));
    let ((), origin) = watched(&station, "one", rules(), || {
        store.stop();
        // Longer than a window: what was missed is never put.
        lagging(32.0);
        store.start_again();
        station.until("it is in step again", || (value(&station, "lag_seconds", &[]) < 4.0).then_some(()));
        watch_in(&store, &station, playlist, 10.0);
        // The keys are another's.
        fs::write(home.path("keys"), "aws_access_key_id = NOBODY\naws_secret_access_key = S3RVER\n").unwrap();
        station.signal("HUP");
        let refused = |line: &str| line.contains("takes no copies") && line.contains("credentials-file");
        station.wait_for_log("the refusal", refused);
        home.save(&format!("[metrics]\nlisten = \"127.0.0.1:0\"\n\n{one}"));
        station.wait_for_log("the end", |line| line.contains("the mirror of this channel ends"));
        station.until("there are no numbers", || {
            scrape(&station).all("nightcast_mirror_objects", &[]).is_empty().then_some(())
        });
        let (before, last) = (store.playlist(playlist).text(), station.playlist("one"));
        station.until("the channel goes on", || (station.playlist("one") != last).then_some(()));
        rest();
        assert_eq!(store.playlist(playlist).text(), before, "nothing is put any more");
    });
    assert_eq!(origin.discontinuities, 0, "{}", station.log());
    let log = station.log();
    let told = |words: &str| log.matches(words).count();
    let away =
        log.lines().filter(|line| line.contains("takes no copies") && line.contains("can this machine reach it"));
    assert_eq!(away.count(), 1, "{log}");
    assert_eq!(told("the mirror takes copies again"), 1, "{log}");
    assert_eq!(told("segments were left out"), 1, "{log}");
    assert!(!log.contains("S3RVER"), "the keys are in the log");
}

/// Goal: a mirror may be a folder that a web server shows. Method: the files of a channel, read by their playlist.
#[test]
fn a_folder_is_a_mirror_too() {
    let folder = tempfile::tempdir().unwrap();
    let below = |name: &str| folder.path().join("tv/one").join(name);
    let url = format!("[mirror]\nurl = \"file://{}\"\n\n", folder.path().join("tv").display());
    let (_home, station) = on_air(&(url + &channel("one", "")), "S3RVER");
    let text = station.until("a playlist", || {
        fs::read_to_string(below("index.m3u8")).ok().filter(|text| text.matches(".ts\n").count() >= 9)
    });
    for address in text.lines().filter(|line| !line.starts_with('#')) {
        assert_eq!(
            fs::read(below(address)).unwrap(),
            station.get(&format!("/channels/one/{address}")).body,
            "{address}"
        );
    }
    let first = text.lines().find(|line| !line.starts_with('#')).unwrap();
    station.until("it expires", || (!below(first).exists()).then_some(()));
}
