//! What happens to viewers when the station dies or is stopped.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::disallowed_methods, reason = "tests start programs and read the clock")]

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use jiff::Timestamp;
use support::ffmpegs;
use support::station::{Home, Settings, Station, children_of, files_below};
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

/// The coming programmes as the station tells them: title and start.
fn planned(station: &Station) -> Vec<(String, Timestamp)> {
    let channel = station.channel("one");
    let all = std::iter::once(&channel["now"]).chain(channel["next"].as_array().unwrap());
    all.map(|one| (one["title"].as_str().unwrap().to_owned(), one["start"].as_str().unwrap().parse().unwrap()))
        .collect()
}

/// The same as it keeps them for its next life.
fn kept(home: &Home) -> Vec<(String, Timestamp)> {
    home.kept("SELECT metadata ->> 'title', start_ns FROM programme ORDER BY serial", |row| {
        let start: i64 = row.get(1)?;
        Ok((row.get(0)?, Timestamp::from_nanosecond(start.into()).unwrap()))
    })
}

/// Waits until the plan that is told was kept for the next minute, exact lengths and all, and returns it. What has just
/// begun would begin anew: three seconds of it leave nothing to publish.
fn planned_and_kept(home: &Home, station: &Station) -> Vec<(String, Timestamp)> {
    station.until("the first has been on for a while", || {
        let (_, start) = on_now(station);
        (Timestamp::now().duration_since(start) > jiff::SignedDuration::from_secs(3)).then_some(())
    });
    station.until("the plan was kept", || {
        let (told, kept) = (planned(station), kept(home));
        let near = |a: Timestamp, b: Timestamp| a.duration_since(b).abs().as_millis() < 200;
        let is_kept =
            |(title, start): &(String, Timestamp)| kept.iter().any(|(name, at)| name == title && near(*at, *start));
        (told.len() > 8 && told.iter().take(8).all(is_kept)).then_some(told)
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
    let planned = planned_and_kept(&home, &station);
    let before = newest_msn(&station.playlist("one").unwrap());
    let pid = station.pid();
    station.signal(signal_name);
    let (_, took) = station.wait();
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(children_of(pid, ""), Vec::<u32>::new());

    let station = home.start();
    let first = station.until("a playlist", || station.playlist("one"));
    assert!(newest_msn(&first) > before, "sequence numbers go on: {before}\n{first}\n{}", station.log());
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

/// Goal: whoever looks into the database of a living station takes nothing from it: `sqlite3` removes the log on leaving,
/// and all that is written to it later, where it believes that nobody else has the file open. Method: the lock that tells
/// it otherwise is held, also after the station has looked at the file itself, which it does before each write.
#[test]
fn another_program_may_read_the_database_meanwhile() {
    let home = Home::new(Settings { channels: CHANNEL.to_owned(), ..Settings::default() });
    let station = home.start();
    let numbers = || home.kept("SELECT msn FROM continuity", |row| row.get::<_, i64>(0));
    station.until("sequence numbers are kept", || (!numbers().is_empty()).then_some(()));
    let file = fs::metadata(home.path("data/station.sqlite")).unwrap().ino();
    let (pid, file) = (format!(" READ {} ", station.pid()), format!(":{file} "));
    let locks = fs::read_to_string("/proc/locks").unwrap();
    assert!(locks.lines().any(|lock| lock.contains(&pid) && lock.contains(&file)), "{pid}{file}\n{locks}");
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
