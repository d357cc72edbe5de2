//! Prometheus' own tool has the last word: on the rules, on their tests, and on every expression of a panel.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

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
