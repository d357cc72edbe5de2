//! Prometheus' own tool has the last word: on the rules, on their tests, and on every expression of a panel.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::{dashboards, read};

fn promtool(args: &[&str]) -> String {
    let started = Command::new("promtool").args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let output = started.unwrap_or_else(|error| panic!("promtool: {error} (hint: make tools)"));
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "promtool {args:?}:\n{said}");
    said
}

#[test]
fn prometheus_takes_the_configuration_and_the_rules() {
    promtool(&["check", "config", "--lint=all", "--lint-fatal", "grafana/prometheus.yml"]);
    let said = promtool(&["check", "rules", "--lint=all", "--lint-fatal", "grafana/rules.yml"]);
    assert!(said.contains("SUCCESS: "), "{said}");
    // The file of targets that the containers use is another one in the same place.
    for targets in ["grafana/targets.yml", "grafana/targets.compose.yml"] {
        assert!(read(targets).lines().any(|line| line.starts_with("- targets: [\"")), "{targets}");
    }
}

#[test]
fn the_alerts_are_raised_when_they_should_be_and_only_then() {
    let said = promtool(&["test", "rules", "grafana/rules.test.yml"]);
    assert!(said.contains("SUCCESS"), "{said}");
}

/// Goal: no panel asks for something that Prometheus cannot read. Method: each expression becomes a recorded rule.
#[test]
fn prometheus_reads_the_expressions_of_all_panels() {
    let mut file = "groups:\n- name: panels\n  rules:\n".to_owned();
    let mut count = 0;
    for (n, (_, text)) in dashboards::all().into_iter().flat_map(|board| board.expressions()).enumerate() {
        let asked = text.replace("$__rate_interval", "1m");
        // A JSON string is a YAML string.
        let quoted = serde_json::to_string(&asked).unwrap();
        writeln!(file, "  - record: panel:n{n}\n    expr: {quoted}").unwrap();
        count = n + 1;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("panels.yml");
    std::fs::write(&path, file).unwrap();
    let said = promtool(&["check", "rules", "--lint=none", path.to_str().unwrap()]);
    assert!(said.contains(&format!("SUCCESS: {count} rules found")), "{said}");
}

#[test]
fn grafana_is_told_the_interval_of_the_scrapes() {
    let of = |text: &str, key: &str| {
        let line = text.lines().find_map(|line| line.trim_start().strip_prefix(key)).unwrap();
        line.trim_start_matches(':').trim().to_owned()
    };
    let scrape = of(&read("grafana/prometheus.yml"), "scrape_interval");
    let datasource = read("grafana/provisioning/datasources/prometheus.yml");
    assert_eq!(scrape, of(&datasource, "timeInterval"));
    assert!(
        !datasource.lines().any(|line| line.trim_start().starts_with("uid:")),
        "the datasource has a uid of its own"
    );
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana/dashboards").is_dir());
}

/// What one target of a panel answers at the end of an hour in which each series had a sample a minute.
fn answers(title: &str, target: usize, series: &[(&str, &str)], expected: &[(&str, f64)]) {
    let boards = dashboards::all();
    let panels = boards.iter().flat_map(dashboards::Board::panels);
    let panel = panels.into_iter().find(|(place, _)| place == title).unwrap_or_else(|| panic!("no panel {title}")).1;
    let mut expr = panel["targets"][target]["expr"].as_str().unwrap().replace("$__rate_interval", "5m");
    for variable in ["$job", "$instance", "$channel"] {
        expr = expr.replace(variable, ".+");
    }
    let series: Vec<_> = series.iter().map(|(name, values)| json!({"series": name, "values": values})).collect();
    let samples: Vec<_> = expected.iter().map(|(labels, value)| json!({"labels": labels, "value": value})).collect();
    let test = json!({
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": series,
            "promql_expr_test": [{"expr": expr, "eval_time": "1h", "exp_samples": samples}],
        }],
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("panel.yml");
    // JSON is YAML.
    std::fs::write(&path, test.to_string()).unwrap();
    promtool(&["test", "rules", path.to_str().unwrap()]);
}

/// Goal: the table that a person looks at first names every trouble, and is empty when all is well.
#[test]
fn what_needs_attention_is_named_with_its_figure_and_nothing_else_is() {
    let title = "station: What needs attention";
    let well = [
        ("up{job=\"n\", instance=\"s\"}", "1x60"),
        ("nightcast_channel_last_segment_timestamp_seconds{job=\"n\", instance=\"s\", channel=\"dogs\"}", "0+60x60"),
        ("nightcast_channel_state{job=\"n\", instance=\"s\", channel=\"dogs\", state=\"on_air\"}", "1x60"),
        ("nightcast_channel_state{job=\"n\", instance=\"s\", channel=\"dogs\", state=\"slate\"}", "0x60"),
        ("nightcast_channel_state{job=\"n\", instance=\"s\", channel=\"dogs\", state=\"recovering\"}", "0x60"),
        ("nightcast_channel_slate_seconds_total{job=\"n\", instance=\"s\", channel=\"dogs\"}", "30x60"),
        ("nightcast_on_air_restarts_total{job=\"n\", instance=\"s\", channel=\"dogs\", reason=\"killed\"}", "0x60"),
        ("nightcast_on_air_restarts_total{job=\"n\", instance=\"s\", channel=\"dogs\", reason=\"ended\"}", "0x30 1x30"),
        ("nightcast_channel_clock_error_seconds{job=\"n\", instance=\"s\", channel=\"dogs\"}", "-0.02x60"),
        ("nightcast_library_folder_reachable{job=\"n\", instance=\"s\", channel=\"dogs\"}", "1x60"),
        ("nightcast_library_items{job=\"n\", instance=\"s\", channel=\"dogs\", status=\"quarantined\"}", "0x60"),
        ("nightcast_prepare_speed_ratio{job=\"n\", instance=\"s\", channel=\"dogs\"}", "0x60"),
        ("nightcast_prepare_jobs{job=\"n\", instance=\"s\"}", "0x60"),
        ("nightcast_data_free_bytes{job=\"n\", instance=\"s\"}", "100e9x60"),
        ("nightcast_cache_bytes{job=\"n\", instance=\"s\"}", "10e9x60"),
        ("nightcast_cache_budget_bytes{job=\"n\", instance=\"s\"}", "50e9x60"),
        ("nightcast_http_refusals_total{job=\"n\", instance=\"s\", reason=\"seats\"}", "0x60"),
        ("nightcast_store_errors_total{job=\"n\", instance=\"s\"}", "0x60"),
    ];
    answers(title, 0, &well, &[]);
    let ill = [
        ("up{job=\"n\", instance=\"other\"}", "0x60"),
        ("nightcast_channel_last_segment_timestamp_seconds{job=\"n\", instance=\"s\", channel=\"cats\"}", "600x60"),
        ("nightcast_channel_state{job=\"n\", instance=\"s\", channel=\"cats\", state=\"recovering\"}", "0x57 1x3"),
        ("nightcast_channel_clock_error_seconds{job=\"n\", instance=\"s\", channel=\"owls\"}", "-2x60"),
        ("nightcast_library_folder_reachable{job=\"n\", instance=\"s\", channel=\"owls\"}", "0x60"),
        ("nightcast_library_items{job=\"n\", instance=\"s\", channel=\"owls\", status=\"quarantined\"}", "3x60"),
        ("nightcast_on_air_restarts_total{job=\"n\", instance=\"s\", channel=\"owls\", reason=\"killed\"}", "0+1x60"),
        ("nightcast_channel_slate_seconds_total{job=\"n\", instance=\"s\", channel=\"bats\"}", "0x59 30"),
        ("nightcast_channel_state{job=\"n\", instance=\"s\", channel=\"bats\", state=\"slate\"}", "0x59 1x1"),
        ("nightcast_channel_slate_seconds_total{job=\"n\", instance=\"s\", channel=\"owls\"}", "0+60x60"),
        ("nightcast_prepare_speed_ratio{job=\"n\", instance=\"s\", channel=\"owls\"}", "0.5x60"),
        ("nightcast_prepare_jobs{job=\"n\", instance=\"s\"}", "1x60"),
        ("nightcast_data_free_bytes{job=\"n\", instance=\"s\"}", "512e6x60"),
        ("nightcast_cache_bytes{job=\"n\", instance=\"s\"}", "10e9x60"),
        ("nightcast_cache_budget_bytes{job=\"n\", instance=\"s\"}", "50e9x60"),
        ("nightcast_http_refusals_total{job=\"n\", instance=\"s\", reason=\"seats\"}", "0+2x60"),
        ("nightcast_store_errors_total{job=\"n\", instance=\"s\"}", "0+1x60"),
    ];
    let line = |urgency: &str, problem: &str, channel: &str| match channel {
        "" => format!("{{instance=\"s\", problem=\"{problem}\", urgency=\"{urgency}\"}}"),
        channel => format!("{{channel=\"{channel}\", instance=\"s\", problem=\"{problem}\", urgency=\"{urgency}\"}}"),
    };
    let down = "{instance=\"other\", problem=\"The server does not answer Prometheus\", urgency=\"1 now\"}".to_owned();
    let lines = [
        (down, 0.0),
        (line("1 now", "Dark: seconds since the last segment", "cats"), 3000.0),
        (line("1 now", "Nothing goes out: starting or recovering", "cats"), 1.0),
        (line("1 now", "Disk almost full: bytes free", ""), 512e6),
        (line("2 soon", "The slate was shown: seconds of it in the last hour", "owls"), 3600.0),
        (line("2 soon", "Shows the slate now: seconds of it in the last hour", "bats"), 30.0),
        (line("2 soon", "ffmpeg restarts in the last hour: killed", "owls"), 60.0),
        (line("2 soon", "Dates differ from the wall clock: seconds", "owls"), 2.0),
        (line("2 soon", "A folder cannot be read", "owls"), 0.0),
        (line("2 soon", "Preparing slower than films play: times real time", ""), 0.5),
        (line("2 soon", "The disk cannot hold the cache budget: bytes free", ""), 512e6),
        (line("2 soon", "Viewers were turned away in the last hour", ""), 120.0),
        (line("2 soon", "Errors of the database in the last hour", ""), 60.0),
        (line("3 when you have time", "Files in quarantine", "owls"), 3.0),
    ];
    let expected: Vec<_> = lines.iter().map(|(labels, value)| (labels.as_str(), *value)).collect();
    answers(title, 0, &ill, &expected);
}

#[test]
fn the_timeline_shows_each_state_by_its_number() {
    let state = |channel: &str, state: &str| {
        format!("nightcast_channel_state{{job=\"n\", instance=\"s\", channel=\"{channel}\", state=\"{state}\"}}")
    };
    let names: Vec<(&str, &str)> =
        vec![("a", "on_air"), ("b", "slate"), ("c", "recovering"), ("d", "starting"), ("e", "off")];
    let mut series = Vec::new();
    for (channel, now) in &names {
        for (_, other) in &names {
            series.push((state(channel, other), if other == now { "1x60" } else { "0x60" }));
        }
    }
    let series: Vec<_> = series.iter().map(|(name, values)| (name.as_str(), *values)).collect();
    let expected = [
        ("{channel=\"a\", instance=\"s\"}", 1.0),
        ("{channel=\"b\", instance=\"s\"}", 2.0),
        ("{channel=\"c\", instance=\"s\"}", 3.0),
        ("{channel=\"d\", instance=\"s\"}", 4.0),
        ("{channel=\"e\", instance=\"s\"}", 5.0),
    ];
    answers("station: What each channel shows", 0, &series, &expected);
    answers("channel: What the channel shows", 0, &series, &expected);
}
