//! What an operator sees of a real station through a real Prometheus.
//!
//! Goal: no panel stays empty and no alert silent because Prometheus answers otherwise than was thought. Method: Prometheus
//! with the settings and rules of `grafana/` reads a station of two channels; every expression of every panel, annotation,
//! variable and rule is asked over its HTTP interface, as Grafana asks it. Grafana itself is not there.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::disallowed_methods, reason = "tests start programs, read files and the clock")]

#[path = "monitoring/prometheus.rs"]
mod prometheus;
#[path = "monitoring/questions.rs"]
mod questions;
mod support;
#[path = "monitoring/table.rs"]
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpStream;
use std::path::Path;

use prometheus::{Prometheus, Row};
use questions::Question;
use support::ffmpegs;
use support::scraped::address;
use support::station::{Home, Settings, Station, signal};
use support::sync::{Codecs, FlashBeep};

/// A small budget, so that no machine's disk is too small for it.
const STATION: &str = "settle-seconds = 0.1\ncache-budget = \"1GB\"";

const CHANNELS: &str = "[metrics]\nlisten = \"127.0.0.1:0\"\n\n\
    [[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\norder = \"sequential\"\nrewind = \"10min\"\n\
    [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n\n\
    [[channel]]\nid = \"two\"\nname = \"Two\"\nfolder = \"media/two\"\n\
    [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";

/// What rightly answers nothing while all is well, and why.
const EMPTY_WHEN_WELL: &[(&str, &str)] = &[
    ("station: annotation Restarts of ffmpeg", "nothing was started again"),
    ("channel: annotation Restarts of ffmpeg", "nothing was started again"),
];

/// How often the station was asked before Prometheus is.
const LOOKS: f64 = 8.0;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A station of two channels on air: one remuxes, the other encodes and has a bad file. What they get later lies aside.
fn station() -> (Home, Station) {
    let settings = Settings { station: STATION.to_owned(), channels: CHANNELS.to_owned(), ..Settings::default() };
    let home = Home::new(settings);
    for folder in ["media/two", "aside"] {
        fs::create_dir_all(home.path(folder)).unwrap();
    }
    let ffmpeg = ffmpegs::system();
    let fit = FlashBeep { size: (320, 180), gop: 50, flashes: 8, ..FlashBeep::default() };
    // Of two lengths: the same film would not be prepared again.
    for (flashes, to) in [(8, ["media/one/a.mp4", "media/two/a.mp4"]), (6, ["aside/one.mp4", "aside/two.mp4"])] {
        let fit = FlashBeep { flashes, ..fit };
        fit.make(&ffmpeg, &home.path(to[0]));
        FlashBeep { codecs: Codecs::HevcAac, ..fit }.make(&ffmpeg, &home.path(to[1]));
    }
    fs::write(home.path("media/two/bad.mp4"), "not a film").unwrap();
    let station = home.start();
    prepared(&station, 1);
    home.save(&format!("[mirror]\nurl = \"file://{}\"\n\n{CHANNELS}", home.path("copies").display()));
    (home, station)
}

/// Waits until both channels are on air with so many films.
fn prepared(station: &Station, films: u32) {
    for channel in ["one", "two"] {
        station.until("it is on air", || {
            let told = station.channel(channel);
            (told["state"] == "on_air" && told["library"]["prepared"] == films && told["published"] == true)
                .then_some(())
        });
    }
}

/// Watches channel one as a player does, and by its endless stream.
fn watch(station: &Station) -> TcpStream {
    let playlist = station.playlist("one").unwrap();
    let segment = playlist.lines().rfind(|line| line.starts_with("segments/")).unwrap();
    assert_eq!(station.get(&format!("/channels/one/{segment}")).status, 200);
    station.live_ts("one")
}

/// Asks everything; returns the answers, and what is wrong with them.
fn ask_all(prometheus: &Prometheus, start: f64) -> (Vec<(Question, Vec<Row>)>, Vec<String>) {
    let mut answers = Vec::new();
    let mut broken = Vec::new();
    let of_rules = questions::of_rules(prometheus).into_iter().map(|(question, _)| question);
    for question in questions::of_dashboards().into_iter().chain(of_rules) {
        let rows = question.ask(prometheus, start);
        broken.extend(question.lacks(&rows));
        answers.push((question, rows));
    }
    (answers, broken)
}

/// Goal and method: as this file's. Then an ffmpeg is killed, and what tells of it must move, for its channel alone.
#[test]
fn every_panel_and_rule_answers_and_a_killed_ffmpeg_is_seen() {
    let (home, station) = station();
    let prometheus = Prometheus::start(&address(&station));
    let start = now();
    let viewer = watch(&station);
    // Something to prepare while it looks.
    for channel in ["one", "two"] {
        fs::rename(home.path(&format!("aside/{channel}.mp4")), home.path(&format!("media/{channel}/b.mp4"))).unwrap();
    }
    prepared(&station, 2);
    let looks = || prometheus.now("sum(count_over_time(up[1h]))").first().map_or(0.0, Row::last);
    let before = looks();
    prometheus.until("it has looked often enough", |_| looks() >= before + LOOKS);
    // On a machine with other work a scrape may come late, and an alert be about to be raised.
    let broken = prometheus.at_last(|prometheus| when_all_is_well(prometheus, start));
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    an_ffmpeg_is_killed(&station, &prometheus);
    let (answers, broken) = ask_all(&prometheus, start);
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    drop(viewer);
    table::check(&answers);
}

fn now() -> f64 {
    let millis = jiff::Timestamp::now().as_millisecond();
    f64::from(u32::try_from(millis / 1000).unwrap())
}

/// What is wrong when all is well: everything answers but what is listed, and rules are understood and rest.
fn when_all_is_well(prometheus: &Prometheus, start: f64) -> Vec<String> {
    let (answers, mut broken) = ask_all(prometheus, start);
    assert!(answers.len() > 100, "{}", answers.len());
    for (question, rows) in &answers {
        let place = &question.place;
        let empty = EMPTY_WHEN_WELL.iter().any(|(listed, _)| listed == place);
        // What alerts measure is looked at below.
        let is_alert = place.starts_with("rule: Nightcast");
        match (rows.is_empty(), empty) {
            (true, false) if !is_alert => broken.push(format!("{place}: answers nothing\n    {}", question.text)),
            (false, true) => broken.push(format!("{place}: is listed as empty and answers")),
            _ => {}
        }
    }
    broken.extend(variables(prometheus));
    broken.extend(rules(prometheus));
    broken
}

/// What is wrong with the choices that the dashboards offer.
fn variables(prometheus: &Prometheus) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, board) in questions::dashboards() {
        for variable in &board["templating"]["list"].as_array().unwrap()[1..] {
            // label_values(metric{...}, label)
            let definition = questions::filled_in(variable["definition"].as_str().unwrap(), ".+");
            let inside = definition.strip_prefix("label_values(").unwrap().strip_suffix(')').unwrap();
            let (metric, label) = inside.rsplit_once(", ").unwrap();
            let values = prometheus.ask(&format!("label/{label}/values"), &[("match[]", metric)]).unwrap();
            let good = match label {
                "job" => values == serde_json::json!(["nightcast"]),
                "channel" => values == serde_json::json!(["one", "two"]),
                _ => values.as_array().is_some_and(|values| values.len() == 1),
            };
            if !good {
                broken.push(format!("{name}: variable {label}: offers {values}"));
            }
        }
    }
    broken
}

/// What is wrong with the rules of a station that is well but for one file.
fn rules(prometheus: &Prometheus) -> Vec<String> {
    let mut broken = Vec::new();
    for (question, rule) in questions::of_rules(prometheus) {
        let place = &question.place;
        if rule["health"] != "ok" {
            broken.push(format!("{place}: {} {}", rule["health"], rule["lastError"]));
        }
        if rule["type"] != "alerting" {
            continue;
        }
        let expected = if place.ends_with("NightcastQuarantines") { "pending" } else { "inactive" };
        if rule["state"] != expected {
            broken.push(format!("{place}: is {} and should be {expected}: {}", rule["state"], rule["alerts"]));
        }
        for part in questions::measured(&question.text) {
            // That there is none at all is what it asks.
            let rows =
                prometheus.now(part.strip_prefix("absent(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(&part));
            if rows.is_empty() {
                broken.push(format!("{place}: measures nothing: {part}"));
            }
            let instance = rows.iter().all(|row| row.labels.contains_key("instance"));
            if !instance {
                broken.push(format!("{place}: does not tell the station: {part}"));
            }
        }
    }
    broken
}

/// A panel, which of its queries, what its row must have, and how much there must be at some moment.
type Moved = (&'static str, usize, &'static [(&'static str, &'static str)], f64);

/// Kills channel one's ffmpeg and waits until all that should tell of it has.
fn an_ffmpeg_is_killed(station: &Station, prometheus: &Prometheus) {
    let born = "nightcast_child_start_time_seconds{role=\"on_air\"}";
    let age = |channel: &str| {
        let all = prometheus.now(born);
        all.iter().find(|row| row.labels["channel"] == channel).map(Row::last)
    };
    let before = ["one", "two"].map(|channel| age(channel).unwrap());
    let moment = now();
    let runs_one = |pid: &u32| {
        let folder = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("one-"))
    };
    signal(station.children("slots.ffconcat").into_iter().find(runs_one).unwrap(), "KILL");
    let asked: Vec<_> = questions::of_dashboards();
    let told = |place: &str, n: usize| {
        let question = asked.iter().filter(|question| question.place == place).nth(n);
        question.unwrap_or_else(|| panic!("no panel {place}")).ask(prometheus, moment)
    };
    let moved: [Moved; 8] = [
        ("station: Restarts of the on-air ffmpeg", 0, &[("channel", "one")], 0.9),
        ("station: All channels", 5, &[("channel", "one")], 0.9),
        (
            "station: What needs attention",
            0,
            &[("channel", "one"), ("problem", "ffmpeg restarts in the last hour: killed")],
            0.5,
        ),
        ("station: annotation Restarts of ffmpeg", 0, &[("channel", "one"), ("reason", "killed")], 0.9),
        ("channel: Seams", 0, &[("cause", "restart")], 0.9),
        ("channel: Restarts of ffmpeg", 0, &[("reason", "killed")], 0.9),
        ("channel: Starts and bad ends", 1, &[("reason", "killed")], 0.9),
        ("machine: Ends of children", 0, &[("role", "on_air"), ("reason", "killed")], 0.9),
    ];
    let has = |row: &Row, labels: &[(&str, &str)]| {
        labels.iter().all(|(name, value)| row.labels.get(*name).is_some_and(|found| found == value))
    };
    for (place, n, labels, most) in moved {
        prometheus.until(&format!("{place} tells of it"), |_| {
            told(place, n).iter().any(|row| has(row, labels) && row.most() >= most)
        });
    }
    prometheus.until("the rule records it", |it| {
        it.now("nightcast:on_air_restarts:increase15m{channel=\"one\"} > 0.5").len() == 1
    });
    prometheus.until("another began", |_| age("one").is_some_and(|born| born > before[0]));
    // The other channel's stand still.
    for place in ["station: Restarts of the on-air ffmpeg", "station: annotation Restarts of ffmpeg"] {
        let strange: BTreeSet<_> = told(place, 0)
            .into_iter()
            .filter(|row| row.labels["channel"] != "one" && row.most() > 0.0)
            .map(|row| row.labels["channel"].clone())
            .collect();
        assert!(strange.is_empty(), "{place}: {strange:?}");
    }
    assert!((age("two").unwrap() - before[1]).abs() < 0.5, "channel two's ffmpeg is another");
}
