//! What Grafana and the rules ask Prometheus, written out as they write it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::prometheus::{INTERVAL, Prometheus, Row};
use super::read;

/// One expression that somebody asks.
#[derive(Debug)]
pub(crate) struct Question {
    /// Who asks: `station: Viewers`, `station: annotation Restarts of ffmpeg`, `rule: NightcastChannelDark`.
    pub(crate) place: String,
    /// As it stands in the file.
    pub(crate) text: String,
    /// Of this moment alone, or of the time that is shown.
    instant: bool,
    /// Labels that each row must have, because its legend tells them.
    each: Vec<String>,
    /// Labels that some row must have, because a column tells them.
    some: Vec<String>,
}

/// The variables as Grafana fills them in: all, but for the dashboard of one channel.
pub(crate) fn filled_in(text: &str, channel: &str) -> String {
    // max(interval + scrape, 4 scrapes), and a step of one scrape.
    let rate = format!("{}s", 4.0 * INTERVAL);
    let mut filled = text.to_owned();
    for (name, value) in [("$__rate_interval", &*rate), ("$job", ".+"), ("$instance", ".+"), ("$channel", channel)] {
        filled = filled.replace(name, value);
    }
    // $1 is a group of a regular expression.
    assert!(!filled.replace("$1", "").contains('$'), "a variable that is not known: {filled}");
    filled
}

impl Question {
    /// Asks it as its panel does.
    pub(crate) fn ask(&self, prometheus: &Prometheus, start: f64) -> Vec<Row> {
        let channel = if self.place.starts_with("channel: ") { "one" } else { ".+" };
        let expr = filled_in(&self.text, channel);
        if self.instant { prometheus.now(&expr) } else { prometheus.since(start, &expr) }
    }

    /// What its rows lack that its panel tells of them.
    pub(crate) fn lacks(&self, rows: &[Row]) -> Vec<String> {
        let missing = rows.iter().flat_map(|row| self.each.iter().filter(|name| !row.labels.contains_key(*name)));
        let missing: BTreeSet<_> = missing.collect();
        let has = |name: &str| rows.iter().any(|row| row.labels.contains_key(name));
        let nowhere = self.some.iter().filter(|name| !rows.is_empty() && !has(name));
        missing.into_iter().chain(nowhere).map(|name| format!("{}: no label {name}", self.place)).collect()
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The labels that a legend names.
fn named(legend: &str) -> Vec<String> {
    legend.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap().trim().to_owned()).collect()
}

/// The dashboards by name.
pub(crate) fn dashboards() -> Vec<(&'static str, Value)> {
    let load = |name| (name, serde_json::from_str(&read(&format!("grafana/dashboards/{name}.json"))).unwrap());
    ["station", "channel", "machine"].into_iter().map(load).collect()
}

/// What all panels and annotations ask, in the order of the files.
pub(crate) fn of_dashboards() -> Vec<Question> {
    let mut all = Vec::new();
    for (name, board) in dashboards() {
        for panel in list(&board["panels"]) {
            let renamed =
                list(&panel["transformations"]).iter().filter_map(|one| one["options"]["renameByName"].as_object());
            let columns: Vec<String> = renamed.flat_map(|names| names.keys().cloned()).collect();
            let is_label = |column: &String| !column.starts_with("Value") && column != "Time";
            for target in list(&panel["targets"]) {
                all.push(Question {
                    place: format!("{name}: {}", text(&panel["title"])),
                    text: text(&target["expr"]),
                    instant: target["instant"] == true,
                    each: named(&text(&target["legendFormat"])),
                    // The first query of a table has them all; the others bring figures.
                    some: if target["refId"] == "A" {
                        columns.iter().filter(|one| is_label(one)).cloned().collect()
                    } else {
                        Vec::new()
                    },
                });
            }
        }
        for note in list(&board["annotations"]["list"]).iter().filter(|note| note["builtIn"] != 1) {
            all.push(Question {
                place: format!("{name}: annotation {}", text(&note["name"])),
                text: text(&note["expr"]),
                instant: false,
                each: named(&text(&note["textFormat"])),
                some: Vec::new(),
            });
        }
    }
    all
}

/// What the rules ask, as Prometheus understood them.
pub(crate) fn of_rules(prometheus: &Prometheus) -> Vec<(Question, Value)> {
    let groups = prometheus.ask("rules", &[]).unwrap();
    let rules = list(&groups["groups"]).iter().flat_map(|group| list(&group["rules"]));
    let question = |rule: &Value| {
        let told = rule["annotations"].as_object().into_iter().flat_map(|all| all.values());
        let labels: BTreeSet<String> = told.flat_map(|words| labels_told(&text(words))).collect();
        let question = Question {
            place: format!("rule: {}", text(&rule["name"])),
            text: text(&rule["query"]),
            instant: true,
            each: labels.into_iter().collect(),
            some: Vec::new(),
        };
        (question, rule.clone())
    };
    rules.map(question).collect()
}

/// The labels that an alert's words name: `{{ $labels.channel }}`.
fn labels_told(words: &str) -> Vec<String> {
    let rest = words.split("$labels.").skip(1);
    rest.map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned()).collect()
}

/// Takes an alert's expression apart at its thresholds and its words between conditions: what it measures.
pub(crate) fn measured(expr: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut quoted) = (0_i32, false);
    for word in expr.split_inclusive([' ', '\n']) {
        let splits = ["and", "or", "unless", "<", ">", "==", "!=", "<=", ">="].contains(&word.trim());
        if depth == 0 && !quoted && splits {
            parts.push(String::new());
            continue;
        }
        for c in word.chars() {
            match c {
                '"' => quoted = !quoted,
                '(' | '{' if !quoted => depth += 1,
                ')' | '}' if !quoted => depth -= 1,
                _ => {}
            }
        }
        parts.last_mut().unwrap().push_str(word);
    }
    let trimmed = parts.into_iter().map(|part| part.trim().to_owned());
    trimmed.filter(|part| part.parse::<f64>().is_err()).collect()
}

#[test]
fn an_alert_is_taken_apart_into_what_it_measures() {
    let expr = r#"up{job="a > b"} == 0 or absent(up > 1) and sum by (x) (rate(a[5m]) or b) <= 1e+09"#;
    assert_eq!(measured(expr), ["up{job=\"a > b\"}", "absent(up > 1)", "sum by (x) (rate(a[5m]) or b)"]);
}
