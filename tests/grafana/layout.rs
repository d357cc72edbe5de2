//! What a person sees: where panels stand, in what they are counted, and what is said about them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::dashboards::{self, text};
use super::{check, expression, read};

/// The columns of Grafana's grid.
const COLUMNS: u64 = 24;

/// Units that Grafana knows, as far as they are used here.
const UNITS: [&str; 12] = [
    "none",
    "short",
    "s",
    "dtdurations",
    "percentunit",
    "bytes",
    "Bps",
    "bps",
    "cps",
    "reqps",
    "dateTimeAsIso",
    "suffix: ×",
];

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn panels_have_ids_of_their_own_and_do_not_cover_each_other() {
    let mut broken = Vec::new();
    for board in dashboards::all() {
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        let mut last = (0, 0);
        for panel in list(&board.json["panels"]) {
            let place = format!("{}: {}", board.name, text(&panel["title"]));
            let id = panel["id"].as_u64().unwrap_or_default();
            if id == 0 || !ids.insert(id) {
                broken.push(format!("{place}: id {id} is nought or another's"));
            }
            let of = |key: &str| panel["gridPos"][key].as_u64().unwrap_or_else(|| panic!("{place}: no {key}"));
            let (x, y, w, h) = (of("x"), of("y"), of("w"), of("h"));
            if w == 0 || h == 0 || x + w > COLUMNS {
                broken.push(format!("{place}: does not fit into {COLUMNS} columns"));
            }
            let cells = (y..y + h).flat_map(|row| (x..x + w).map(move |column| (row, column)));
            if cells.filter(|cell| !taken.insert(*cell)).count() > 0 {
                broken.push(format!("{place}: covers another"));
            }
            // So that the file reads in the order of the screen.
            if (y, x) < last {
                broken.push(format!("{place}: stands before what it comes after"));
            }
            last = (y, x);
        }
    }
    check(&broken);
}

#[test]
fn every_panel_has_a_title_and_says_what_is_normal_and_what_to_do() {
    let runbook = read("docs/runbook.md");
    let mut broken = Vec::new();
    for board in dashboards::all() {
        let mut titles = BTreeSet::new();
        for (place, panel) in board.panels() {
            let description = text(&panel["description"]);
            let parts = description.split_once(" Normal: ").and_then(|(what, rest)| {
                let (normal, otherwise) = rest.split_once(" If not: ")?;
                Some([what, normal, otherwise])
            });
            match parts {
                Some(parts) if parts.iter().all(|part| part.len() > 1 && part.ends_with('.')) => {}
                _ => broken.push(format!("{place}: does not say what it shows, what is normal, and what to do if not")),
            }
            let named =
                description.split("the runbook, ").skip(1).map(|rest| rest.split(['.', ',', ';']).next().unwrap());
            let unknown = named.filter(|name| !runbook.contains(&format!("\n## {name}\n")));
            broken.extend(unknown.map(|name| format!("{place}: the runbook has no section {name}")));
            if text(&panel["title"]).is_empty() {
                broken.push(format!("{place}: no title"));
            }
            titles.insert(text(&panel["title"]));
        }
        // A row may tell again in a chart what the figure above tells.
        assert!(titles.len() > 10, "{}", board.name);
    }
    check(&broken);
}

#[test]
fn every_panel_has_a_unit_that_fits_what_it_asks() {
    let mut broken = Vec::new();
    for board in dashboards::all() {
        for (place, panel) in board.panels() {
            let unit = text(&panel["fieldConfig"]["defaults"]["unit"]);
            let in_overrides = list(&panel["fieldConfig"]["overrides"]).iter().flat_map(|one| list(&one["properties"]));
            let others =
                in_overrides.filter(|property| property["id"] == "unit").map(|property| text(&property["value"]));
            for one in std::iter::once(unit).chain(others) {
                if !UNITS.contains(&one) {
                    broken.push(format!("{place}: the unit {one:?} is not known"));
                }
            }
            for target in list(&panel["targets"]) {
                let expr = text(&target["expr"]);
                if expr.contains(" * 8") != (unit == "bps") {
                    broken.push(format!("{place}: eight bits are a byte only where bits are shown"));
                }
                let bytes =
                    expression::selectors(expr).iter().any(|selector| selector.metric.ends_with("_bytes_total"));
                if bytes && !["bps", "Bps"].contains(&unit) {
                    broken.push(format!("{place}: bytes a second are shown as {unit}"));
                }
            }
        }
    }
    check(&broken);
}

/// Goal: a rate is right at every zoom. Method: what is drawn over time uses Grafana's own interval, and what is one
/// figure for a named length says so in its title or beside it.
#[test]
fn rates_over_time_use_the_interval_of_the_screen() {
    let mut broken = Vec::new();
    for board in dashboards::all() {
        for (place, target) in board.targets() {
            for selector in expression::selectors(text(&target["expr"])) {
                let range = selector.range.as_deref().unwrap_or("$__rate_interval");
                let fixed = ["1m", "15m", "1h", "24h"].contains(&range) && target["instant"] == true;
                if range != "$__rate_interval" && !fixed {
                    broken.push(format!("{place}: {} over [{range}]", selector.metric));
                }
            }
        }
    }
    check(&broken);
}

/// Goal: colours and units reach the columns they are meant for. Method: each name that is matched is one that the
/// panel's queries or transformations give.
#[test]
fn overrides_name_columns_and_series_that_there_are() {
    let mut broken = Vec::new();
    for board in dashboards::all() {
        for (place, panel) in board.panels() {
            let targets = list(&panel["targets"]);
            let mut given: BTreeSet<&str> = targets.iter().map(|target| text(&target["legendFormat"])).collect();
            for transformation in list(&panel["transformations"]) {
                let renamed = transformation["options"]["renameByName"].as_object();
                for (field, name) in renamed.into_iter().flatten() {
                    given.insert(text(name));
                    let letter = field.strip_prefix("Value #");
                    if letter.is_some_and(|letter| !targets.iter().any(|target| target["refId"] == letter)) {
                        broken.push(format!("{place}: there is no query for {field}"));
                    }
                }
            }
            for one in list(&panel["fieldConfig"]["overrides"]) {
                let name = text(&one["matcher"]["options"]);
                if one["matcher"]["id"] != "byName" || !given.contains(name) {
                    broken.push(format!("{place}: nothing is called {name:?}"));
                }
            }
        }
    }
    check(&broken);
}
