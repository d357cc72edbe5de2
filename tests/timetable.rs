//! A real station with a timetable, at many times the world's speed: what it told beforehand against what it aired.
#![expect(clippy::disallowed_methods, reason = "tests start programs and read what they wrote")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeMap;
use std::fs;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use nightcast::on_air::slots::SLOTS;
use support::ffmpegs;
use support::station::{Home, Settings, Station};
use support::sync::FlashBeep;

/// How fast the station lives, and for how many minutes of its own: a week is `make week`.
const SPEED: f64 = 150.0;
const MINUTES: i64 = 49;

/// The channel before it has a timetable.
const PLAIN: &str = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\n\
    [channel.picture]\nsize = \"160x96\"\npreset = \"ultrafast\"\n";

/// How long before its time a programme is announced that is judged: as long as the shortest chain of programmes allows.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Folder, how many items, how many seconds the first lasts, and by how many each is longer.
const ITEMS: [(&str, u32, u32, u32); 5] =
    [("films", 3, 51, 13), ("series", 3, 37, 5), ("news", 2, 33, 9), ("fillers", 3, 7, 4), ("idents", 1, 5, 0)];

fn make_films(home: &Home) -> usize {
    let plain = FlashBeep { size: (160, 96), fps: (6, 1), gop: 36, ..FlashBeep::default() };
    for (folder, count, first, more) in ITEMS {
        fs::create_dir_all(home.path(&format!("media/one/{folder}"))).unwrap();
        for n in 0..count {
            let film = FlashBeep { flashes: first + more * n, ..plain.clone() };
            film.make(&ffmpegs::system(), &home.path(&format!("media/one/{folder}/{folder} {n}.mp4")));
        }
    }
    ITEMS.iter().map(|(_, count, ..)| *count as usize).sum()
}

/// Returns a moment as a clock in UTC shows it.
fn clock(moment: Timestamp) -> String {
    moment.to_zoned(TimeZone::UTC).strftime("%H:%M").to_string()
}

/// The whole minute at or after a moment.
fn minute(moment: Timestamp) -> Timestamp {
    Timestamp::from_second((moment.as_second() + 59).div_euclid(60) * 60).unwrap()
}

/// A channel whose day is packed into an hour from `base` on: news at the 15th, 28th and 46th minute, a series from the
/// 18th to the 26th, off the air from the 32nd to the 42nd.
fn channel(base: Timestamp) -> String {
    let at = |minutes: i64| clock(base + SignedDuration::from_mins(minutes));
    let news = [15, 28, 46]
        .map(|minute| format!("[[channel.fixed]]\nname = \"News\"\nat = \"{}\"\nfolder = \"news/\"\n", at(minute)));
    format!(
        "{}fillers = \"fillers/\"\nidents = {{ folder = \"idents/\", drawn = true, every = 3 }}\nsign-off = {{ from = \"{}\", to = \"{}\" }}\n\
         [channel.picture]\nsize = \"160x96\"\npreset = \"ultrafast\"\n\
         [[channel.block]]\nname = \"Series\"\nfrom = \"{}\"\nto = \"{}\"\nfolder = \"series/\"\norder = \"sequential\"\nsharp = true\n{}",
        PLAIN.split("[channel.picture]").next().unwrap_or_default(),
        at(32),
        at(42),
        at(18),
        at(26),
        news.concat()
    )
}

/// What was on, as the station keeps it: serial number, title, when it began. The log leaves out what comes too often.
fn aired(home: &Home) -> Vec<(u64, String, Timestamp)> {
    let query = "SELECT serial, metadata ->> 'title', start_ns FROM aired WHERE serial IS NOT NULL ORDER BY id";
    home.kept(query, |row| {
        let (serial, start): (i64, i64) = (row.get(0)?, row.get(2)?);
        Ok((serial.cast_unsigned(), row.get(1)?, Timestamp::from_nanosecond(start.into()).unwrap()))
    })
}

/// Goal: what a real station tells beforehand is what it airs, and what is bound to its time begins within a second of it.
/// Method: a channel with every kind of entry in its timetable; the coming programmes are read again and again and held
/// against what the station kept of what was on.
#[test]
fn what_was_announced_is_what_airs() {
    let home = Home::new(Settings {
        ffmpeg: ffmpegs::system().program.into(),
        station: "settle-seconds = 0.1\ntime-zone = \"UTC\"".to_owned(),
        ..Settings::default()
    });
    let items = make_films(&home);
    let hours = std::env::var("NIGHTCAST_TIMETABLE_HOURS").ok().and_then(|hours| hours.parse::<i64>().ok());
    let span = hours.map_or(SignedDuration::from_mins(MINUTES), SignedDuration::from_hours);
    // The first life prepares everything; the second has a timetable, which the plan that was kept knows nothing of.
    let station = home.start_with(PLAIN, 1.0);
    station.until("everything is prepared", || (station.channel("one")["library"]["prepared"] == items).then_some(()));
    station.signal("TERM");
    assert!(station.wait().0.success());
    let base = minute(Timestamp::now());
    let station = home.start_with(&channel(base), SPEED);
    let (mut announced, mut kinds) = (BTreeMap::new(), BTreeMap::new());
    let end = base + span;
    // Until the plan that was kept has become one with a timetable, and its ident is drawn.
    station.until("the ident is drawn", || station.log().contains("the ident is drawn").then_some(()));
    let settled = station.now() + SignedDuration::from_mins(3);
    while station.now() < end {
        let told = station.channel("one");
        let now: Timestamp = told["server_time"].as_str().unwrap().parse().unwrap();
        for coming in told["next"].as_array().unwrap() {
            let start: Timestamp = coming["start"].as_str().unwrap().parse().unwrap();
            if start - AHEAD >= now && now >= settled {
                announced.insert(coming["serial"].as_u64(), start);
            }
        }
        if let (Some(kind), Some(title)) = (told["now"]["kind"].as_str(), told["now"]["title"].as_str()) {
            kinds.insert(kind.to_owned(), title.to_owned());
        }
        support::station::rest();
    }
    // Each is kept when it has ended, in their order.
    let aired = station.until("all of it is kept", || {
        let aired = aired(&home);
        aired.last().is_some_and(|(.., start)| *start > end).then_some(aired)
    });
    judge(&aired, &announced, base, end, &station);
    // A run ends when its list does, and for no other reason; some wait in it to be aired.
    let slots = aired.len() + 100;
    let of_the_timetable: Vec<_> = aired.into_iter().filter(|(.., date)| *date >= settled).collect();
    judge_idents(&of_the_timetable, &station);
    let off = clock(base + SignedDuration::from_mins(42));
    assert_eq!(kinds.get("sign_off"), Some(&format!("Off the air until {off}")), "{kinds:?}");
    assert!(kinds.contains_key("item"), "{kinds:?}");
    let restarts = station.channel("one")["restarts"].as_u64().unwrap();
    assert!(
        restarts <= (slots / SLOTS) as u64,
        "{restarts} runs ended, though {slots} programmes want less\n{}",
        station.log()
    );
}

fn judge(
    aired: &[(u64, String, Timestamp)],
    announced: &BTreeMap<Option<u64>, Timestamp>,
    base: Timestamp,
    end: Timestamp,
    station: &Station,
) {
    let off = |one: Timestamp, other: Timestamp| one.duration_since(other).abs().as_secs_f64();
    let (mut bound, mut all) = (Vec::new(), Vec::new());
    for (serial, item, date) in aired {
        all.extend(announced.get(&Some(*serial)).map(|told| (off(*date, *told), item)));
    }
    let days = end.duration_since(base).as_hours() / 24;
    for day in 0..=days {
        let begins = |minutes: i64| base + SignedDuration::from_hours(24 * day) + SignedDuration::from_mins(minutes);
        for (folder, minute) in [("news", 15), ("series", 18), ("news", 28), ("", 42), ("news", 46)] {
            let due = begins(minute);
            let of = aired.iter().filter(|(_, item, date)| item.starts_with(folder) && off(*date, due) < 60.0);
            if due + SignedDuration::from_secs(30) < end {
                bound.push(of.map(|(.., date)| off(*date, due)).fold(f64::MAX, f64::min));
            }
        }
    }
    let worst = |errors: &[f64]| errors.iter().copied().fold(0.0, f64::max);
    let announced: Vec<f64> = all.iter().map(|(error, _)| *error).collect();
    #[expect(clippy::print_stdout, reason = "the figures are worth reading: cargo test -- --nocapture")]
    {
        println!("{} bound to their time, at most {:.3} s from it", bound.len(), worst(&bound));
        println!("{} announced, at most {:.3} s from what was told", announced.len(), worst(&announced));
    }
    assert!(bound.len() >= 5 && worst(&bound) < 1.0, "{bound:?}\n{}", station.log());
    assert!(announced.len() >= 15 && worst(&announced) < 1.5, "{all:?}\n{}", station.log());
}

/// Goal: the ident that is drawn airs where ident films air, and is told as they are. Method: what began between two idents,
/// drawn or filmed, which take turns; and what the station tells of what was on.
fn judge_idents(aired: &[(u64, String, Timestamp)], station: &Station) {
    let is_drawn = |title: &str| title == "One";
    let (mut drawn, mut films_between, mut since) = (0, Vec::new(), None);
    for (_, item, _) in aired {
        drawn += usize::from(is_drawn(item));
        if is_drawn(item) || item.starts_with("idents") {
            films_between.extend(since.replace(0));
        } else if !item.starts_with("fillers") {
            since = since.map(|films: usize| films + 1);
        }
    }
    assert!(drawn >= 2 && films_between.len() >= 4 && films_between.iter().all(|films| *films >= 3), "{aired:?}");
    let told = station.channel("one");
    let told: Vec<_> = told["aired"].as_array().unwrap().iter().filter(|one| one["title"] == "One").collect();
    assert!(!told.is_empty() && told.iter().all(|one| one["kind"] == "ident"), "{told:?}");
}
