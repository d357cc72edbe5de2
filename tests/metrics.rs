//! What Prometheus reads of a real station of two channels.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::disallowed_methods, reason = "tests start programs, read files and the clock")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nightcast::metrics::names::{ALL, Kind, Metric, Values};
use nightcast::metrics::page;
use support::ffmpegs;
use support::scraped::{Scraped, Series, address, scrape};
use support::station::{Home, Settings, Station, get_from, rest, signal};
use support::sync::{Codecs, FlashBeep};

const CHANNELS: &str = "[metrics]\nlisten = \"127.0.0.1:0\"\n\n\
    [[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\norder = \"sequential\"\n\
    [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n\n\
    [[channel]]\nid = \"two\"\nname = \"Two \\\"& more\\\"\"\nfolder = \"media/two\"\n\
    [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";

/// A station of two channels on air with everything prepared: one remuxes, the other encodes, and has a bad file.
fn station() -> (Home, Station) {
    let settings =
        Settings { station: "settle-seconds = 0.1".to_owned(), channels: CHANNELS.to_owned(), ..Settings::default() };
    let home = Home::new(settings);
    fs::create_dir_all(home.path("media/two")).unwrap();
    let ffmpeg = ffmpegs::system();
    let fit = FlashBeep { size: (320, 180), gop: 50, flashes: 8, ..FlashBeep::default() };
    fit.make(&ffmpeg, &home.path("media/one/a.mp4"));
    FlashBeep { codecs: Codecs::HevcAac, flashes: 4, ..fit }.make(&ffmpeg, &home.path("media/two/b.mp4"));
    fs::write(home.path("media/two/c.mp4"), "not a film").unwrap();
    let station = home.start();
    for channel in ["one", "two"] {
        station.until("it is on air", || {
            let told = station.channel(channel);
            (told["state"] == "on_air" && told["library"]["prepared"] == 1 && told["published"] == true).then_some(())
        });
    }
    (home, station)
}

/// Goal: whatever a station tells is in the table, and whatever is in the table is told. Method: viewers of every kind ask
/// for something, then each series is held against the table, and each metric of the table is looked for.
#[test]
fn every_series_is_of_the_table_and_every_metric_of_the_table_is_there() {
    let (home, station) = station();
    // The mirror's are told as soon as there is one.
    let kept = CHANNELS.replace("folder = \"media/one\"\n", "folder = \"media/one\"\nrewind = \"10min\"\n");
    home.save(&format!("[mirror]\nurl = \"file://{}\"\n\n{kept}", home.path("copies").display()));
    // And its past, without the channel beginning anew for it.
    station.wait_for_log("what was done", |line| line.contains("names, order, looks and rewind follow"));
    let playlist = station.playlist("one").unwrap();
    let segment = playlist.lines().rfind(|line| line.starts_with("segments/")).unwrap();
    let sent = station.get(&format!("/channels/one/{segment}")).body.len();
    assert_eq!(station.get("/no/such/page").status, 404);
    let picture = station.until("a picture of what is on", || {
        let got = station.get("/channels/one/thumbnail.jpg");
        (got.status == 200).then_some(got.body)
    });
    assert!(picture.starts_with(&[0xff, 0xd8]) && picture.ends_with(&[0xff, 0xd9]), "{} bytes", picture.len());
    let live = station.live_ts("one");
    let scraped = station.until("a whole look", || {
        let scraped = scrape(&station);
        let mirrored =
            scraped.get("nightcast_mirror_objects", &[("channel", "two")]).is_some_and(|objects| objects > 0.0);
        let kept = scraped.get("nightcast_rewind_bytes", &[("channel", "one")]).is_some_and(|bytes| bytes > 0.0);
        (mirrored && kept && scraped.value("nightcast_channel_live_ts_viewers", &[("channel", "one")]) > 0.0)
            .then_some(scraped)
    });
    promtool_is_content(&scraped.text);
    every_series_is_known(&scraped);
    every_metric_is_told(&scraped);
    let one = [("channel", "one")];
    assert!(scraped.value("nightcast_channel_viewers", &one) >= 2.0, "{}", scraped.text);
    assert!(scraped.value("nightcast_channel_sent_bytes_total", &one) >= f64::from(u32::try_from(sent).unwrap()));
    let states: f64 = scraped.all("nightcast_channel_state", &one).iter().map(|series| series.value).sum();
    assert!((states - 1.0).abs() < f64::EPSILON, "in one state");
    for (name, labels, expected) in [
        ("nightcast_ready", &[][..], 1.0),
        ("nightcast_library_items", &[("channel", "two"), ("status", "prepared")], 1.0),
        ("nightcast_library_quarantined_items", &[("channel", "two"), ("cause", "not_media")], 1.0),
        ("nightcast_prepare_jobs_total", &[("channel", "one"), ("outcome", "done")], 1.0),
        ("nightcast_children", &[("channel", "two"), ("role", "on_air")], 1.0),
        ("nightcast_child_starts_total", &[("channel", "two"), ("role", "thumbnail")], 0.0),
        ("nightcast_http_requests_total", &[("route", "other"), ("code", "404")], 1.0),
    ] {
        let value = scraped.value(name, labels);
        assert!((value - expected).abs() < f64::EPSILON, "{name} {labels:?}: {value}\n{}", scraped.text);
    }
    for (channel, recipe) in [("one", "remux"), ("two", "transcode")] {
        let made = scraped.value("nightcast_prepare_media_seconds_total", &[("channel", channel), ("recipe", recipe)]);
        assert!(made > 3.0, "{channel}: {made} s");
    }
    drop(live);
    station.until("live.ts was left", || {
        let left = scrape(&station);
        (left.value("nightcast_channel_live_ts_viewers", &one) == 0.0).then_some(())
    });
    assert!(scraped.value("nightcast_rewind_bytes", &one) > 0.0 && home.path("data/rewind/one/index").exists());
    home.save(CHANNELS);
    station.until("nothing is kept any more", || {
        let told = scrape(&station).get("nightcast_rewind_bytes", &one);
        (told.is_none() && !home.path("data/rewind/one").exists()).then_some(())
    });
    assert_eq!(get_from(&address(&station), "/").unwrap().status, 404);
    assert_eq!(station.get("/metrics").status, 404, "they are not the public's");
}

fn promtool_is_content(text: &str) {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = promtool.spawn().expect("promtool is installed: scripts/machine.sh test");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
}

fn every_series_is_known(scraped: &Scraped) {
    let mut told = BTreeSet::new();
    for series in &scraped.series {
        let metric = metric_of(series).unwrap_or_else(|| panic!("not in the table: {series:?}"));
        let mut labels = series.labels.clone();
        if series.name.ends_with("_bucket") && metric.kind == Kind::Histogram {
            assert!(labels.remove("le").is_some(), "{series:?}");
        }
        let names: BTreeSet<&str> = labels.keys().map(String::as_str).collect();
        assert_eq!(names, metric.labels.iter().map(|label| label.name).collect(), "{series:?}");
        for label in metric.labels {
            let value = labels[label.name].as_str();
            let bounded = match label.values {
                Values::Among(words) => words.contains(&value),
                Values::Configured(_) if label.name == "channel" => ["one", "two"].contains(&value),
                Values::Configured(_) if label.name == "name" => ["One", "Two \"& more\""].contains(&value),
                Values::Configured(_) => value.starts_with(|first: char| first.is_ascii_alphanumeric()),
            };
            assert!(bounded, "{} may not be {value:?}: {series:?}", label.name);
        }
        let key = format!("{} {:?}", series.name, series.labels);
        assert!(told.insert(key), "told twice: {series:?}");
        let is_counter = metric.kind != Kind::Gauge;
        assert!(!is_counter || series.value >= 0.0, "{series:?}");
    }
}

fn metric_of(series: &Series) -> Option<&'static Metric> {
    let is_of = |metric: &Metric| match series.name.strip_prefix(metric.name) {
        Some("") => metric.kind != Kind::Histogram,
        Some("_bucket" | "_sum" | "_count") => metric.kind == Kind::Histogram,
        _ => false,
    };
    ALL.iter().copied().find(|metric| is_of(metric))
}

fn every_metric_is_told(scraped: &Scraped) {
    for metric in ALL {
        let told = scraped.series.iter().any(|series| metric_of(series) == Some(metric));
        assert!(told, "{} is not told\n{}", metric.name, scraped.text);
        let kind = format!("# TYPE {} {}", metric.name, metric.kind.word());
        let help = format!("# HELP {} {}", metric.name, metric.help);
        for line in [kind, help] {
            assert!(scraped.text.lines().any(|found| found == line), "{line}");
        }
    }
}

/// Goal: an operator sees that an ffmpeg was killed, which channel's, and that its work went on. Method: kill it and look
/// on: the counts of that channel move, those of the other do not, and no counter falls although the pid is another.
#[test]
fn a_killed_ffmpeg_is_counted_and_its_channels_series_go_on_without_a_fall() {
    let (_home, station) = station();
    let killed = [("channel", "one"), ("reason", "killed")];
    let cpu = |scraped: &Scraped| {
        scraped.value("nightcast_child_cpu_seconds_total", &[("channel", "one"), ("role", "on_air")])
    };
    let carrier = || {
        let runs = |pid: &u32| {
            let folder = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
            folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("one-"))
        };
        station.children("slots.ffconcat").into_iter().find(runs)
    };
    let before = station.until("it has used something", || Some(scrape(&station)).filter(|seen| cpu(seen) > 0.0));
    let pid = carrier().unwrap();
    signal(pid, "KILL");
    let mut last = before.clone();
    let deadline = Instant::now() + Duration::from_secs(30);
    // Until the new one has used something, too.
    while cpu(&last) < cpu(&before) + 0.02 || last.value("nightcast_on_air_restarts_total", &killed) < 1.0 {
        assert!(Instant::now() < deadline, "{}", last.text);
        rest();
        let seen = scrape(&station);
        no_counter_fell(&last, &seen);
        last = seen;
    }
    assert_ne!(carrier(), Some(pid));
    let (on_air, start) = ([("channel", "one"), ("role", "on_air")], "nightcast_child_start_time_seconds");
    assert!(last.value(start, &on_air) > before.value(start, &on_air), "it is another");
    for (name, labels, moved) in [
        ("nightcast_on_air_restarts_total", &killed[..], 1.0),
        ("nightcast_child_ends_total", &[("channel", "one"), ("role", "on_air"), ("reason", "killed")], 1.0),
        ("nightcast_child_ends_total", &[("channel", "one"), ("role", "on_air"), ("reason", "stopped")], 0.0),
        ("nightcast_child_starts_total", &on_air, 1.0),
        ("nightcast_children", &on_air, 0.0),
        ("nightcast_on_air_restarts_total", &[("channel", "two"), ("reason", "killed")], 0.0),
        ("nightcast_child_starts_total", &[("channel", "two"), ("role", "on_air")], 0.0),
    ] {
        let by = last.value(name, labels) - before.value(name, labels);
        assert!((by - moved).abs() < f64::EPSILON, "{name} {labels:?} moved by {by}\n{}", last.text);
    }
    station.until("viewers are told of the break", || {
        let restarts = [("channel", "one"), ("cause", "restart")];
        let seen = scrape(&station).value("nightcast_channel_discontinuities_total", &restarts);
        (seen > before.value("nightcast_channel_discontinuities_total", &restarts)).then_some(())
    });
}

fn no_counter_fell(before: &Scraped, after: &Scraped) {
    for series in &before.series {
        if metric_of(series).is_none_or(|metric| metric.kind == Kind::Gauge) {
            continue;
        }
        let labels: Vec<_> = series.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let now = after.value(&series.name, &labels);
        assert!(now >= series.value, "{series:?} fell to {now}");
    }
}

#[test]
fn a_taken_port_for_metrics_is_told_with_the_key_that_sets_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let channels = CHANNELS.replace("127.0.0.1:0", &taken.local_addr().unwrap().to_string());
    let home = Home::new(Settings { channels, ..Settings::default() });
    let (status, _, complaints) = home.ask(&["run"]);
    assert_eq!(status.code(), Some(3), "{complaints}");
    for words in ["failed to listen on 127.0.0.1:", "for metrics", "\"listen\" in [metrics]", "\"off\""] {
        assert!(complaints.contains(words), "{words}: {complaints}");
    }
}

/// Goal: the page says what the table says. Method: it is made again and compared; `NIGHTCAST_RENEW=1` writes it.
#[test]
fn the_page_of_metrics_is_what_the_table_makes_of_it() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let made = page::render();
    if std::env::var_os("NIGHTCAST_RENEW").is_some() {
        fs::write(path, &made).unwrap();
    }
    let told = fs::read_to_string(path).unwrap_or_default();
    let hint = "docs/metrics.md is not what src/metrics/names.rs makes of it; renew it with\n    \
        NIGHTCAST_RENEW=1 cargo test --locked --test metrics the_page";
    assert!(told == made, "{hint}");
}

#[test]
fn names_follow_prometheus_customs() {
    let mut names = BTreeSet::new();
    for metric in ALL {
        let name = metric.name;
        assert!(names.insert(name), "{name} is there twice");
        let plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit());
        assert!(name.starts_with("nightcast_") && plain(name), "{name}");
        assert_eq!(name.ends_with("_total"), metric.kind == Kind::Counter, "{name}");
        for (unit, ending) in [("seconds", "_seconds"), ("bytes", "_bytes"), ("ratio", "_ratio")] {
            let is_in = name.trim_end_matches("_total").ends_with(ending);
            assert_eq!(is_in, metric.unit == unit, "{name} in {}", metric.unit);
        }
        assert!(metric.help.ends_with('.') && !metric.help.contains(['\n', '|', '\\']), "{name}: {}", metric.help);
        for label in metric.labels {
            assert!(plain(label.name) && label.name != "le", "{name}: {}", label.name);
        }
    }
}
