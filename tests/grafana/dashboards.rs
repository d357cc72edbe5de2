//! The dashboards as Grafana reads them: schema, variables, datasources, names.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{check, expression, read};

const NAMES: [&str; 3] = ["station", "channel", "machine"];

/// Panels that are part of every Grafana.
const CORE: [&str; 8] = ["stat", "gauge", "bargauge", "timeseries", "state-timeline", "table", "heatmap", "text"];

/// Keys that make a dashboard need the import dialog, a plugin or a Grafana of its own.
const FOREIGN: [&str; 6] = ["__inputs", "__requires", "__elements", "libraryPanel", "alert", "pluginVersion"];

/// One dashboard.
pub(crate) struct Board {
    pub(crate) name: &'static str,
    pub(crate) json: Value,
}

pub(crate) fn all() -> Vec<Board> {
    let load = |name| {
        let text = read(&format!("grafana/dashboards/{name}.json"));
        Board { name, json: serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")) }
    };
    NAMES.into_iter().map(load).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Every object of a tree that has a key, with what it has there.
fn with_key<'v>(tree: &'v Value, key: &str, found: &mut Vec<(&'v Value, &'v Value)>) {
    match tree {
        Value::Object(fields) => {
            found.extend(fields.get(key).map(|value| (tree, value)));
            fields.values().for_each(|value| with_key(value, key, found));
        }
        Value::Array(values) => values.iter().for_each(|value| with_key(value, key, found)),
        _ => {}
    }
}

impl Board {
    /// Panels that show something, with a name for messages.
    pub(crate) fn panels(&self) -> Vec<(String, &Value)> {
        let shown = list(&self.json["panels"]).iter().filter(|panel| panel["type"] != "row");
        shown.map(|panel| (format!("{}: {}", self.name, text(&panel["title"])), panel)).collect()
    }

    /// What each panel asks for.
    pub(crate) fn targets(&self) -> Vec<(String, &Value)> {
        let mut targets = Vec::new();
        for (name, panel) in self.panels() {
            targets.extend(list(&panel["targets"]).iter().map(|target| (name.clone(), target)));
        }
        targets
    }

    fn annotations(&self) -> impl Iterator<Item = &Value> {
        list(&self.json["annotations"]["list"]).iter().filter(|note| note["builtIn"] != 1)
    }

    fn variables(&self) -> &[Value] {
        list(&self.json["templating"]["list"])
    }

    /// Everything Prometheus is asked by panels and annotations.
    pub(crate) fn expressions(&self) -> Vec<(String, String)> {
        let notes = self.annotations().map(|note| (format!("{}: annotation {}", self.name, text(&note["name"])), note));
        let all = self.targets().into_iter().chain(notes);
        all.map(|(place, holder)| (place, text(&holder["expr"]).to_owned())).collect()
    }
}

#[test]
fn dashboards_are_of_the_classic_schema_and_need_nothing_but_grafana() {
    let mut broken = Vec::new();
    let mut uids = BTreeSet::new();
    for Board { name, json } in all() {
        let version = json["schemaVersion"].as_i64().unwrap_or_default();
        let uid = text(&json["uid"]).to_owned();
        let facts = [
            ((39..=41).contains(&version), "schemaVersion is not 39 to 41"),
            (json["id"].is_null() && json.get("id").is_some(), "id is not null: it would take another's place"),
            (uid.starts_with("nightcast-") && uid.len() <= 40, "uid does not begin with nightcast- or is too long"),
            (json["editable"] == true, "not editable"),
            (json["timezone"] == "browser", "the time zone is not the reader's"),
            (list(&json["tags"]) == [json!("nightcast")], "the tag nightcast is missing"),
            (text(&json["title"]).starts_with("Nightcast: "), "the title does not begin with Nightcast:"),
            (!text(&json["description"]).is_empty(), "no description"),
            (["10s", "30s"].contains(&text(&json["refresh"])), "does not refresh every 10 or 30 s"),
        ];
        broken.extend(facts.iter().filter(|(good, _)| !good).map(|(_, words)| format!("{name}: {words}")));
        for key in FOREIGN {
            let mut found = Vec::new();
            with_key(&json, key, &mut found);
            if !found.is_empty() {
                broken.push(format!("{name}: has {key}"));
            }
        }
        if !uids.insert(uid) {
            broken.push(format!("{name}: its uid is another's"));
        }
    }
    check(&broken);
}

#[test]
fn panels_are_core_panels_with_expressions_of_their_own() {
    let mut broken = Vec::new();
    for board in all() {
        for (place, panel) in board.panels() {
            if !CORE.contains(&text(&panel["type"])) {
                broken.push(format!("{place}: {} is no core panel", panel["type"]));
            }
            let targets = list(&panel["targets"]);
            let letters: BTreeSet<_> = targets.iter().map(|target| text(&target["refId"])).collect();
            if targets.is_empty() || letters.len() != targets.len() {
                broken.push(format!("{place}: no target, or two with one refId"));
            }
            for target in targets {
                let table = panel["type"] == "table";
                if (text(&target["format"]) == "table") != table || (table && target["instant"] != true) {
                    broken.push(format!("{place}: a table asks for a table of this moment, and nothing else does"));
                }
            }
        }
    }
    check(&broken);
}

/// Goal: a dashboard works with whatever Prometheus its Grafana has, imported by hand or provisioned.
#[test]
fn everything_asks_the_datasource_that_was_chosen() {
    let chosen = json!({"type": "prometheus", "uid": "${datasource}"});
    let mut broken = Vec::new();
    for board in all() {
        let first = &board.variables()[0];
        if first["name"] != "datasource" || first["type"] != "datasource" || first["query"] != "prometheus" {
            broken.push(format!("{}: the first variable is not the datasource", board.name));
        }
        let queries = board.variables()[1..].iter().map(|variable| (text(&variable["name"]).to_owned(), variable));
        let notes = board.annotations().map(|note| (text(&note["name"]).to_owned(), note));
        for (place, holder) in board.panels().into_iter().chain(board.targets()).chain(queries).chain(notes) {
            if holder["datasource"] != chosen {
                broken.push(format!("{}: {place}: asks {}", board.name, holder["datasource"]));
            }
        }
        let mut all = Vec::new();
        with_key(&board.json, "datasource", &mut all);
        let strange = all.into_iter().filter(|(holder, value)| **value != chosen && holder["builtIn"] != 1);
        broken.extend(strange.map(|(_, value)| format!("{}: asks {value}", board.name)));
    }
    check(&broken);
}

#[test]
fn channels_and_stations_come_by_variables_and_every_metric_is_chosen_by_them() {
    let mut broken = Vec::new();
    for board in all() {
        let known: Vec<_> = board.variables().iter().map(|variable| text(&variable["name"])).collect();
        for variable in &board.variables()[1..] {
            // 2: whenever the time range changes, so that new channels appear by themselves.
            let good = variable["type"] == "query" && variable["refresh"] == 2 && list(&variable["options"]).is_empty();
            if !good || variable["query"]["query"] != variable["definition"] {
                broken.push(format!("{}: variable {} does not follow Prometheus", board.name, variable["name"]));
            }
            let all_are_some = variable["includeAll"] != true || variable["allValue"] == ".+";
            if !all_are_some {
                broken.push(format!("{}: variable {}: All is not everything", board.name, variable["name"]));
            }
        }
        for (place, text) in board.expressions() {
            let used = text
                .split('$')
                .skip(1)
                .map(|rest| rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap());
            // $1 is a group of a regular expression, which Grafana leaves to Prometheus.
            let unknown = used.filter(|name| !known.contains(name) && !["__rate_interval", "1"].contains(name));
            broken.extend(unknown.map(|name| format!("{place}: there is no variable {name}")));
            for selector in expression::selectors(&text) {
                let mut wanted = vec!["job", "instance"];
                let of_channels = selector.metric.contains("_channel_") || selector.metric.contains("_library_");
                if of_channels && known.contains(&"channel") {
                    wanted.push("channel");
                }
                for label in wanted {
                    let wanted = (label.to_owned(), "=~".to_owned(), format!("${label}"));
                    if !selector.matchers.contains(&wanted) {
                        broken.push(format!("{place}: {} is not chosen by {label}", selector.metric));
                    }
                }
            }
        }
    }
    check(&broken);
}

#[test]
fn programmes_and_restarts_are_marked() {
    let names = |board: &Board| board.annotations().map(|note| text(&note["name"]).to_owned()).collect::<Vec<_>>();
    let [station, channel, machine] = &all()[..] else { panic!("three dashboards") };
    assert_eq!(names(station), ["Restarts of ffmpeg", "Starts of the server"]);
    assert_eq!(names(channel), ["Programmes", "Restarts of ffmpeg", "Starts of the server"]);
    assert_eq!(names(machine), ["Starts of the server"]);
}

/// Goal: a click leads somewhere. Method: paths of dashboards are looked up among the uids.
#[test]
fn links_lead_to_dashboards_and_variables_that_there_are() {
    let boards = all();
    let mut broken = Vec::new();
    let mut links = 0;
    for board in &boards {
        let mut found = Vec::new();
        with_key(&board.json, "url", &mut found);
        for url in found.into_iter().map(|(_, url)| text(url)).filter(|url| !url.is_empty()) {
            links += 1;
            let (path, query) = url.split_once('?').unwrap_or((url, ""));
            let target = boards.iter().find(|other| path == format!("/d/{}", text(&other.json["uid"])));
            let Some(target) = target else {
                broken.push(format!("{}: {url} leads nowhere", board.name));
                continue;
            };
            let known: Vec<_> = target.variables().iter().map(|variable| text(&variable["name"])).collect();
            let given = query.split("var-").skip(1).map(|rest| rest.split('=').next().unwrap());
            let unknown = given.filter(|name| !known.contains(name));
            broken.extend(unknown.map(|name| format!("{}: {url}: there is no {name}", board.name)));
        }
    }
    assert!(links > 0, "no panel leads to a channel");
    check(&broken);
}
