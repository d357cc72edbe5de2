//! Each trouble alone: what is found, how serious it is, and that nothing else is.

use std::time::Duration;

use super::*;
use crate::cli::doctor::LibrarySeen;
use crate::cli::doctor::samples::Samples;

const NOW: i64 = 1_795_000_000;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(secs).unwrap()
}

fn cats(state: &str) -> ChannelSeen {
    ChannelSeen {
        id: "cats".to_owned(),
        state: state.to_owned(),
        reason: (state != "on_air").then(|| "Nothing to show yet.".to_owned()),
        edge: Some(at(NOW - 1)),
        library: LibrarySeen { items: 5, prepared: 5, ..LibrarySeen::default() },
    }
}

fn guide(channel: ChannelSeen) -> StationSeen {
    StationSeen::Answers(Guide { server_time: Some(at(NOW)), channels: vec![channel], not_ready: String::new() })
}

/// The figures of a station that is well, two hours old.
const WELL: &str = "\
nightcast_build_info{version=\"1\",ffmpeg=\"5\"} 1
nightcast_process_start_time_seconds 1794992800
nightcast_process_open_handles 100
nightcast_process_max_handles 65536
nightcast_on_air_restarts_total{channel=\"cats\",reason=\"killed\"} 0
nightcast_on_air_restarts_total{channel=\"cats\",reason=\"ended\"} 3
nightcast_channel_feed_lead_seconds{channel=\"cats\"} 4.1
nightcast_channel_clock_error_seconds{channel=\"cats\"} 0.01
nightcast_channel_clock_error_seconds{channel=\"dogs\"} 0.01
nightcast_library_folder_reachable{channel=\"cats\"} 1
nightcast_library_quarantined_items{channel=\"cats\",cause=\"damaged\"} 0
nightcast_prepare_queue_items 2
nightcast_prepare_jobs 1
nightcast_prepare_speed_ratio{channel=\"cats\"} 4
nightcast_cache_bytes 1e9
nightcast_cache_budget_bytes 50e9
nightcast_data_free_bytes 90e9
nightcast_http_connections 10
nightcast_http_connections_max 2000
nightcast_http_refusals_total{reason=\"seats\"} 0
nightcast_mirror_lag_seconds{channel=\"cats\"} 2
nightcast_store_errors_total 0
nightcast_config_reloads_total{outcome=\"refused\"} 0
nightcast_config_last_reload_timestamp_seconds 1794992800
";

/// The same with other values: `name=value` for each.
fn figures(changes: &[&str]) -> Samples {
    let mut text = String::new();
    for line in WELL.lines() {
        let name = line.split([' ', '{']).next().unwrap().trim_start_matches("nightcast_");
        let changed = changes.iter().find_map(|change| change.split_once('=').filter(|(known, _)| *known == name));
        match changed {
            Some((_, value)) => text.extend([line.rsplit_once(' ').unwrap().0, " ", value, "\n"]),
            None => text.extend([line, "\n"]),
        }
    }
    Samples::read(&text)
}

fn machine() -> MachineSeen {
    MachineSeen { holder: Some(7), watches: Some((100, 8192)), ..MachineSeen::default() }
}

fn well() -> Observed {
    Observed {
        config: ConfigSeen {
            path: "/etc/tv/channels.toml".to_owned(),
            saved: Some(at(NOW - 9000)),
            connections_max: Some(2000),
            ..ConfigSeen::default()
        },
        machine: Some(machine()),
        station: guide(cats("on_air")),
        metrics: MetricsSeen::Read(figures(&[]), figures(&[]), Duration::from_secs(3)),
    }
}

/// Both looks with the same other values.
fn steady(changes: &[&str]) -> Observed {
    let metrics = MetricsSeen::Read(figures(changes), figures(changes), Duration::from_secs(3));
    Observed { metrics, ..well() }
}

/// Other values at the second look.
fn grown(changes: &[&str]) -> Observed {
    let metrics = MetricsSeen::Read(figures(&[]), figures(changes), Duration::from_secs(3));
    Observed { metrics, ..well() }
}

/// Judges, and holds the one finding against how serious it is, words of it and its evidence, and its section.
fn found(sentence: &str, seen: &Observed, expected: Option<(Severity, &str, &str, Option<&str>)>) {
    let findings = judge(seen);
    let Some((severity, what, evidence, runbook)) = expected else {
        assert_eq!(findings, [], "{sentence}");
        return;
    };
    assert_eq!(findings.len(), 1, "{sentence}: {findings:#?}");
    let one = &findings[0];
    assert_eq!((one.severity, one.runbook), (severity, runbook), "{sentence}");
    assert!(one.what.contains(what), "{sentence}: {}", one.what);
    assert!(one.evidence.contains(evidence), "{sentence}: {}", one.evidence);
    assert!(!one.remedy.is_empty(), "{sentence}");
}

/// A sentence, figures that are so at both looks, how serious it is, words of it and of its evidence, its section.
type Case = (&'static str, &'static [&'static str], Severity, &'static str, &'static str, Option<&'static str>);

const STEADY: [Case; 15] = [
    (
        "away",
        &["library_folder_reachable=0"],
        Severity::Warning,
        "could not be read by the station",
        "at its last look",
        Some("NightcastFolderAway"),
    ),
    (
        "no lead",
        &["channel_feed_lead_seconds=0.3"],
        Severity::Warning,
        "too little lead",
        "0.3 s",
        Some("NightcastChannelDark"),
    ),
    (
        "clock",
        &["channel_clock_error_seconds=-0.9"],
        Severity::Warning,
        "wall clock",
        "-0.90 s",
        Some("NightcastClockError"),
    ),
    (
        "quarantine",
        &["library_quarantined_items=3"],
        Severity::Note,
        "3 files set aside",
        "3 damaged",
        Some("NightcastQuarantines"),
    ),
    (
        "slow",
        &["prepare_speed_ratio=0.5"],
        Severity::Warning,
        "slower than they play",
        "0.50 times real time; 2 films waiting",
        Some("NightcastPreparingSlow"),
    ),
    (
        "nothing done",
        &["prepare_jobs=0", "prepare_speed_ratio=0"],
        Severity::Warning,
        "nothing is done",
        "2 films waiting",
        Some("NightcastPreparingSlow"),
    ),
    (
        "cache",
        &["cache_bytes=51e9"],
        Severity::Warning,
        "more than its budget",
        "51.0 GB of 50.0",
        Some("NightcastCacheTooSmall"),
    ),
    ("disk", &["data_free_bytes=2e9"], Severity::Warning, "cannot hold", "2.0 GB free", Some("NightcastDiskBudget")),
    ("full", &["data_free_bytes=5e8"], Severity::Critical, "almost full", "0.5 GB", Some("NightcastDiskAlmostFull")),
    (
        "crowd",
        &["http_connections=1900"],
        Severity::Warning,
        "Nearly all connections",
        "1900 of 2000",
        Some("NightcastViewersRefused"),
    ),
    (
        "turned away",
        &["http_refusals_total=4"],
        Severity::Note,
        "turned away",
        "4 since",
        Some("NightcastViewersRefused"),
    ),
    ("handles", &["process_open_handles=60000"], Severity::Warning, "may have open", "60000 of 65536", None),
    (
        "fewer than asked for",
        &["http_connections_max=700"],
        Severity::Warning,
        "Fewer connections",
        "700 of the 2000",
        Some("NightcastViewersRefused"),
    ),
    (
        "mirror",
        &["mirror_lag_seconds=40"],
        Severity::Warning,
        "copies of the channel \"cats\"",
        "40 s",
        Some("NightcastMirrorBehind"),
    ),
    (
        "store",
        &["store_errors_total=2"],
        Severity::Note,
        "database failed",
        "2 since the start, 0 in",
        Some("NightcastStoreErrors"),
    ),
];

#[test]
fn every_trouble_that_figures_show_is_found_and_a_healthy_station_has_none() {
    use Severity::{Note, Warning};
    let restarting = Some("NightcastEncoderRestarting");
    found("well", &well(), None);
    found(
        "one restart in two hours",
        &steady(&["on_air_restarts_total=1"]),
        Some((Note, "started again", "1 time in 2.0 h: 1 killed", restarting)),
    );
    found(
        "many",
        &steady(&["on_air_restarts_total=5"]),
        Some((Warning, "started again", "5 times in 2.0 h: 5 killed", restarting)),
    );
    found("one just now", &grown(&["on_air_restarts_total=4"]), Some((Warning, "", "just now again", restarting)));
    for (sentence, changes, severity, what, evidence, runbook) in STEADY {
        found(sentence, &steady(changes), Some((severity, what, evidence, runbook)));
    }
    found(
        "turned away now",
        &grown(&["http_refusals_total=4"]),
        Some((Warning, "turned away", "4 in the last 3 s", Some("NightcastViewersRefused"))),
    );
    found(
        "store now",
        &grown(&["store_errors_total=2"]),
        Some((Warning, "", "2 in the last", Some("NightcastStoreErrors"))),
    );
    found("a lead that was short for a moment", &grown(&["channel_feed_lead_seconds=0.3"]), None);
}

#[test]
fn a_station_that_does_not_answer_is_told_by_who_holds_its_folder() {
    use Severity::Critical;
    let silent = || StationSeen::Silent { place: "http://127.0.0.1:8080".to_owned(), why: "refused".to_owned() };
    let dead = |holder| Observed {
        station: silent(),
        machine: Some(MachineSeen { holder, ..machine() }),
        metrics: MetricsSeen::Silent("m".to_owned(), "refused".to_owned()),
        ..well()
    };
    let down = Some("NightcastServerDown");
    found("dead", &dead(None), Some((Critical, "is not running", "nobody holds the data folder", down)));
    found("hanging", &dead(Some(7)), Some((Critical, "does not answer, though", "process 7 holds", down)));
    let stranger = StationSeen::Stranger { place: "http://127.0.0.1:8080".to_owned(), said: "status 404".to_owned() };
    let seen = Observed { station: stranger, metrics: MetricsSeen::NotAsked, ..well() };
    found("taken", &seen, Some((Critical, "Something else has", "status 404", down)));
    let said = "cats: nothing published yet\nthe station is stopping\n";
    let guide = Guide { server_time: Some(at(NOW)), channels: Vec::new(), not_ready: said.to_owned() };
    let seen = Observed { station: StationSeen::Answers(guide), ..well() };
    found("stopping", &seen, Some((Severity::Warning, "wants no viewers", "the station is stopping", down)));
}

#[test]
fn each_state_of_a_channel_is_told_for_what_it_is() {
    use Severity::{Critical, Note, Warning};
    let dark = Some("NightcastChannelDark");
    let slate = Some("NightcastSlateTooLong");
    let seen = |channel: ChannelSeen| Observed { station: guide(channel), ..well() };
    let empty = ChannelSeen { library: LibrarySeen::default(), ..cats("slate") };
    let still = ChannelSeen { edge: Some(at(NOW - 40)), ..cats("on_air") };
    found("off", &seen(cats("off")), Some((Note, "is off the air", "Nothing", None)));
    found("slate", &seen(empty), Some((Warning, "nothing to play", "0 playable", slate)));
    found("still", &seen(still), Some((Critical, "stands still", "40 s ago", dark)));
    found("recovering", &seen(cats("recovering")), Some((Critical, "it is recovering", "5 playable", dark)));
    found("long starting", &seen(cats("starting")), Some((Critical, "it is starting", "", dark)));
    let young = |seen: Observed| {
        let young = &["process_start_time_seconds=1794999990"][..];
        Observed { metrics: MetricsSeen::Read(figures(young), figures(young), Duration::from_secs(3)), ..seen }
    };
    found("just starting", &young(seen(cats("starting"))), Some((Warning, "it is starting", "", dark)));
}

#[test]
fn what_is_wrong_with_file_and_machine_is_told() {
    use Severity::{Critical, Note, Warning};
    let config = |config: ConfigSeen| Observed { config, ..well() };
    let refused = Some("NightcastReloadRefused");
    let broken = || ConfigSeen { problems: Some("line 3: no".to_owned()), ..well().config };
    found("broken", &config(broken()), Some((Warning, "goes on with an older one", "line 3", refused)));
    let younger = || ConfigSeen { saved: Some(at(NOW - 100)), ..well().config };
    found("younger", &config(younger()), Some((Note, "younger than", "refused 0 times", refused)));
    let told = Observed { config: younger(), ..steady(&["config_reloads_total=1"]) };
    found("younger and refused", &told, Some((Warning, "younger than", "refused 1 time", refused)));
    let open = ConfigSeen { token: Some("it is open to others".to_owned()), ..well().config };
    found("token", &config(open), Some((Warning, "token is refused", "open to others", None)));
    let on = |machine: MachineSeen| Observed { machine: Some(machine), ..well() };
    let words = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    found(
        "no ffmpeg",
        &on(MachineSeen { programs: vec![words("ffmpeg", "does not start")], ..machine() }),
        Some((Critical, "ffmpeg cannot be used", "does not start", Some("NightcastChannelDark"))),
    );
    found(
        "a folder",
        &on(MachineSeen { folders: vec![("cats".to_owned(), "/m".to_owned(), "gone".to_owned())], ..machine() }),
        Some((Warning, "folder of the channel \"cats\"", "/m: gone", Some("NightcastFolderAway"))),
    );
    found(
        "data",
        &on(MachineSeen { data: Some("read-only".to_owned()), ..machine() }),
        Some((Critical, "data folder cannot be written", "read-only", Some("NightcastStoreErrors"))),
    );
    found(
        "watches",
        &on(MachineSeen { watches: Some((7000, 8192)), ..machine() }),
        Some((Warning, "watches", "7000 of", None)),
    );
    let full = Observed { metrics: MetricsSeen::NotAsked, ..on(MachineSeen { free: Some(500_000_000), ..machine() }) };
    found("full", &full, Some((Critical, "almost full", "0.5 GB free", Some("NightcastDiskAlmostFull"))));
    let off = Observed { metrics: MetricsSeen::Off, ..well() };
    found("no figures", &off, Some((Note, "figures are not to be had", "\"off\"", None)));
    let gone = Observed { metrics: MetricsSeen::Silent("m".to_owned(), "refused".to_owned()), ..well() };
    found("no answer", &gone, Some((Warning, "figures are not to be had", "m: refused", None)));
}

#[test]
fn the_most_serious_stands_first() {
    let mut seen = steady(&["data_free_bytes=5e8", "store_errors_total=1"]);
    seen.station = guide(ChannelSeen { library: LibrarySeen::default(), ..cats("slate") });
    let order: Vec<Severity> = judge(&seen).iter().map(|finding| finding.severity).collect();
    assert_eq!(order, [Severity::Critical, Severity::Warning, Severity::Note]);
}
