//! What happens to viewers when something dies: the copier, the station.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::disallowed_methods, reason = "tests start programs and read the clock")]

mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use support::ffmpegs;
use support::hls_reader::{Reader, Rules};
use support::media::decode_errors;
use support::station::{Home, Settings, Station, children_of, files_below, rest, signal};
use support::sync::{Codecs, FlashBeep};

const CHANNEL: &str = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\norder = \"sequential\"\n\
    [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";

/// A station whose three short items are all prepared.
fn prepared_home() -> (Home, Station) {
    let home = Home::new(Settings { channels: CHANNEL.to_owned(), ..Settings::default() });
    let ffmpeg = ffmpegs::system();
    let fit = FlashBeep { size: (320, 180), gop: 50, flashes: 8, ..FlashBeep::default() };
    fit.make(&ffmpeg, &home.path("media/one/a.mp4"));
    FlashBeep { fps: (30, 1), flashes: 9, ..fit.clone() }.make(&ffmpeg, &home.path("media/one/b.mkv"));
    FlashBeep { codecs: Codecs::HevcAac, flashes: 7, ..fit }.make(&ffmpeg, &home.path("media/one/c.mp4"));
    let station = home.start();
    station.until("everything is prepared", || (station.channel("one")["library"]["prepared"] == 3).then_some(()));
    (home, station)
}

fn carriers(station: &Station) -> Vec<u32> {
    station.children("slots.ffconcat")
}

/// Pulls "timestamp" out of JSON log lines that hold a text.
fn times_of(log: &str, holding: &str) -> Vec<Timestamp> {
    let lines = log.lines().filter(|line| line.contains(holding));
    let time = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok()?["timestamp"].as_str()?.parse().ok();
    lines.filter_map(time).collect()
}

/// Returns the programme that begins with a segment, by its EXT-X-DATERANGE: id and planned length in seconds.
fn programme_at(playlist: &str, uri: &str) -> Option<(String, f64)> {
    let head = playlist.split(uri).next()?;
    let own = head.rsplit(".ts\n").next()?;
    let range = own.lines().find(|line| line.starts_with("#EXT-X-DATERANGE"))?;
    let id = range.split("ID=\"").nth(1)?.split('"').next()?.to_owned();
    Some((id, range.split("PLANNED-DURATION=").nth(1)?.split(',').next()?.parse().ok()?))
}

/// Goal: a killed copier costs viewers nothing but a discontinuity. Method: kill it five times at odd moments while a
/// strict reader watches; afterwards every programme must have played exactly its length, and everything must decode.
#[test]
fn a_killed_copier_is_replaced_and_no_gop_is_lost_or_repeated() {
    let (home, station) = prepared_home();
    let rules = Rules { future_allowance: jiff::SignedDuration::from_millis(100), ..Rules::default() };
    let mut reader = Reader::with_rules(rules);
    let mut segments = BTreeMap::new();
    let mut programmes: Vec<(String, f64, f64)> = Vec::new();
    let (mut kills, mut longest, mut last_new) = (0, Duration::ZERO, Instant::now());
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(45) {
        let text = station.playlist("one").expect("a playlist");
        let seen = reader.observe(&text, Timestamp::now()).unwrap_or_else(|v| panic!("{v:?}\n{}", station.log()));
        if seen.new == 0 {
            longest = longest.max(last_new.elapsed());
            rest();
        } else {
            last_new = Instant::now();
        }
        for segment in seen.new_segments() {
            let body = station.get(&format!("/channels/one/{}", segment.uri)).body;
            segments.insert(segment.uri.clone(), body);
            if let Some((id, planned)) = programme_at(&text, &segment.uri) {
                programmes.push((id, planned, 0.0));
            }
            if let Some((_, _, played)) = programmes.last_mut() {
                *played += segment.secs;
            }
        }
        if kills < 5 && begun.elapsed() > Duration::from_millis(5_000 + kills * 5_300) {
            signal(carriers(&station)[0], "KILL");
            kills += 1;
        }
    }
    assert_eq!(kills, 5);
    // One and a half target durations without anything new is late for every player. How fast it really is, is measured
    // and not asserted: the machine may be busy.
    assert!(longest < Duration::from_secs(9), "nothing new for {longest:?}");
    let whole = &programmes[..programmes.len() - 1];
    assert!(whole.len() >= 4, "{programmes:?}");
    for (id, planned, played) in &whole[1..] {
        assert!((planned - played).abs() < 0.06, "{id}: {played} s of {planned} s\n{}", station.log());
    }
    let log = station.log();
    let (deaths, deliveries) = (times_of(&log, "on-air ffmpeg ended"), times_of(&log, "on-air ffmpeg delivers"));
    for (death, delivery) in deaths.iter().zip(&deliveries[1..]) {
        let wait = delivery.duration_since(*death).as_millis();
        println!("first chunk {wait} ms after the death");
        assert!(wait < 6_000, "the next chunk came {wait} ms after the death\n{log}");
    }
    let joined = home.path("joined.ts");
    // A new run begins with timestamps of its own: each is decoded by itself.
    for piece in segments.values() {
        std::fs::write(&joined, piece).unwrap();
        assert_eq!(decode_errors(&ffmpegs::system(), &joined), Vec::<String>::new());
    }
}

/// What is on at the live edge once that has come up to the clock: title and start of the programme.
fn on_now(station: &Station) -> (String, Timestamp) {
    let time = |value: &serde_json::Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    station.until("something on", || {
        let channel = station.channel("one");
        let edge = time(&channel["edge"])?;
        let title = channel["now"]["title"].as_str()?.to_owned();
        let in_step = Timestamp::now().duration_since(edge) < jiff::SignedDuration::from_secs(4);
        in_step.then_some((title, time(&channel["now"]["start"])?))
    })
}

fn newest_msn(playlist: &str) -> u64 {
    let name = playlist.lines().rfind(|line| line.starts_with("segments/")).unwrap();
    name.trim_start_matches("segments/").trim_end_matches(".ts").parse().unwrap()
}

/// Goal: after a restart the channel is where it would have been. Method: note the plan, stop by a signal, start again,
/// and compare what is on with what the plan said for this moment.
fn a_restarted_station_is_where_it_would_have_been(signal_name: &str) {
    let (home, station) = prepared_home();
    // The plan is kept every few seconds; wait until one is kept that knows the exact lengths.
    let kept = Instant::now() + Duration::from_secs(12);
    station.until("the plan was kept", || (Instant::now() > kept).then_some(()));
    let before = newest_msn(&station.playlist("one").unwrap());
    let planned: Vec<(String, Timestamp)> = {
        let channel = station.channel("one");
        let all = std::iter::once(&channel["now"]).chain(channel["next"].as_array().unwrap());
        let row = |one: &serde_json::Value| {
            (one["title"].as_str().unwrap().to_owned(), one["start"].as_str().unwrap().parse().unwrap())
        };
        all.map(row).collect()
    };
    let pid = station.pid();
    station.signal(signal_name);
    let (_, took) = station.wait();
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(children_of(pid, ""), Vec::<u32>::new());

    let station = home.start();
    let first = station.until("a playlist", || station.playlist("one"));
    assert!(newest_msn(&first) > before, "sequence numbers go on");
    let (title, start) = on_now(&station);
    let expected = planned.iter().min_by_key(|(_, at)| at.duration_since(start).abs()).unwrap();
    let off = expected.1.duration_since(start).abs();
    assert_eq!(expected.0, title, "{start} {:?}\n{}", &planned[..4], station.log());
    assert!(off.as_millis() < 300, "{title} began {off:?} from its planned time: {planned:?}\n{}", station.log());
}

#[test]
fn a_stopped_station_is_where_it_would_have_been() {
    a_restarted_station_is_where_it_would_have_been("TERM");
}

#[test]
fn a_killed_station_is_where_it_would_have_been() {
    a_restarted_station_is_where_it_would_have_been("KILL");
}

/// Goal: SIGTERM ends the station in time and leaves nothing behind. Method: stop it while it prepares.
#[test]
fn an_orderly_stop_leaves_no_child_and_no_temporary_file() {
    let home = Home::new(Settings { channels: CHANNEL.replace("ultrafast", "medium"), ..Settings::default() });
    let long = FlashBeep { codecs: Codecs::HevcAac, size: (640, 360), flashes: 90, ..FlashBeep::default() };
    long.make(&ffmpegs::system(), &home.path("media/one/long.mkv"));
    let station = home.start();
    station.wait_for_log("preparing began", |line| line.contains("preparing begins"));
    let pid = station.pid();
    station.signal("TERM");
    let (status, took) = station.wait();
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(children_of(pid, ""), Vec::<u32>::new());
    for folder in ["data/cache/tmp", "data/run"] {
        assert_eq!(files_below(&home.path(folder)), Vec::<std::path::PathBuf>::new(), "{folder}");
    }
}
