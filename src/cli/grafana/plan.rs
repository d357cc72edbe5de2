//! What must be done, from what is wanted and what Grafana has: pure.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::boards::Board;
use super::problem::Problem;

/// The folder that is made where none is named.
pub const FOLDER: &str = "Nightcast";
/// By which Grafana knows that folder again when somebody renames it.
const FOLDER_UID: &str = "nightcast";
/// The name of the data source that is made.
const DATASOURCE: &str = "Prometheus";
/// Its name where that one is taken by something else.
const DATASOURCE_OTHER: &str = "Prometheus (Nightcast)";
/// As `scrape_interval` in `grafana/prometheus.yml`: the shortest interval that rates are taken over follows from it.
const SCRAPE_INTERVAL: &str = "10s";

/// A folder of Grafana's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// By which it is asked for.
    pub uid: String,
    /// By which people know it.
    pub title: String,
}

/// What becomes of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderStep {
    /// It is there.
    Keep(Folder),
    /// It must be made; Grafana chooses its uid where none is given.
    Create {
        /// Its title.
        title: String,
        /// Its uid, for the folder that nobody chose.
        uid: Option<&'static str>,
    },
}

/// Why a dashboard is saved again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// What it shows differs.
    Content,
    /// It lies in another folder.
    Folder(String),
}

/// What becomes of a dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoardStep {
    /// It is not there.
    Create,
    /// It is there and differs.
    Update {
        /// In what.
        difference: Difference,
        /// The version that is replaced; it stays in Grafana's history.
        version: i64,
        /// Who saved that one.
        by: String,
    },
    /// It is there as it should be.
    Keep,
}

/// What becomes of the data source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceStep {
    /// A Prometheus is known already, by this name, and is left alone.
    Keep(String),
    /// One must be made, with this name.
    Create(&'static str),
}

fn strange(what: &str, why: &str) -> Problem {
    Problem::Strange { what: what.to_owned(), why: why.to_owned() }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Decides about the folder, given Grafana's list of them.
///
/// A title that was asked for is found by its title; without one, the folder of an earlier time is found whatever it is
/// called today.
pub fn folder(list: &Value, wanted: Option<&str>) -> Result<FolderStep, Problem> {
    let list = list.as_array().ok_or_else(|| strange("the list of folders", "it is no list"))?;
    let all: Vec<Folder> =
        list.iter().map(|one| Folder { uid: text(&one["uid"]), title: text(&one["title"]) }).collect();
    let ours = all.iter().find(|folder| wanted.is_none() && folder.uid == FOLDER_UID);
    let title = wanted.unwrap_or(FOLDER);
    let found = ours.or_else(|| all.iter().find(|folder| folder.title == title));
    // A uid that is another's, under another title, is not asked for again.
    let free = !all.iter().any(|folder| folder.uid == FOLDER_UID);
    Ok(found.map_or_else(
        || FolderStep::Create { title: title.to_owned(), uid: (title == FOLDER && free).then_some(FOLDER_UID) },
        |folder| FolderStep::Keep(folder.clone()),
    ))
}

/// Returns the note with which a dashboard is saved: by it its content is known again, however Grafana keeps it.
#[must_use]
pub fn message(board: &Board) -> String {
    let sum = Sha256::digest(board.json.to_string());
    let sum = sum.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("nightcast {} ({sum:016x})", env!("CARGO_PKG_VERSION"))
}

/// Whether Grafana tells a dashboard in other words than it was given. Those that bring old dashboards up to date when
/// they are read do so with every one; the history then tells whether it is the one that was saved.
#[must_use]
pub fn is_told_otherwise(ours: &Board, theirs: Option<&Value>) -> bool {
    theirs.and_then(|answer| Board::read(&answer["dashboard"])).is_some_and(|found| found.json != ours.json)
}

/// Whether the newest version in a history is this dashboard, saved by this program and by nobody since.
#[must_use]
pub fn is_newest(ours: &Board, theirs: Option<&Value>, history: &Value) -> bool {
    // A list until Grafana 11, then an object that holds one.
    let list = history.as_array().or_else(|| history["versions"].as_array());
    let version = |one: &&Value| one["version"].as_i64();
    let newest = list.into_iter().flatten().max_by_key(version);
    newest.is_some_and(|newest| {
        let current = theirs.is_some_and(|answer| answer["dashboard"]["version"] == newest["version"]);
        current && newest["message"] == message(ours)
    })
}

/// Decides about one dashboard, given what Grafana has under its uid, whether the history knows it as ours, and the
/// folder it should lie in.
pub fn board(ours: &Board, theirs: Option<&Value>, newest: bool, folder: &FolderStep) -> Result<BoardStep, Problem> {
    let Some(answer) = theirs else { return Ok(BoardStep::Create) };
    let what = format!("the dashboard {}", ours.uid);
    let found = Board::read(&answer["dashboard"]).ok_or_else(|| strange(&what, "it holds no dashboard"))?;
    let meta = &answer["meta"];
    let version = answer["dashboard"]["version"].as_i64().ok_or_else(|| strange(&what, "it has no version"))?;
    let there = matches!(folder, FolderStep::Keep(folder) if meta["folderUid"] == folder.uid.as_str());
    let difference = match (newest || found.json == ours.json, there) {
        (true, true) => return Ok(BoardStep::Keep),
        (false, _) => Difference::Content,
        (true, false) => Difference::Folder(text(&meta["folderTitle"])),
    };
    if meta["provisioned"] == true {
        return Err(Problem::Provisioned { title: ours.title.clone() });
    }
    Ok(BoardStep::Update { difference, version, by: text(&meta["updatedBy"]) })
}

/// Decides about the data source, given Grafana's list of them.
pub fn source(list: &Value) -> Result<SourceStep, Problem> {
    let list = list.as_array().ok_or_else(|| strange("the list of data sources", "it is no list"))?;
    let prometheus = list.iter().find(|one| one["type"] == "prometheus");
    let taken = list.iter().any(|one| one["name"] == DATASOURCE);
    Ok(match prometheus {
        Some(one) => SourceStep::Keep(text(&one["name"])),
        None => SourceStep::Create(if taken { DATASOURCE_OTHER } else { DATASOURCE }),
    })
}

/// Returns what Grafana must be sent to make a folder.
#[must_use]
pub fn folder_body(title: &str, uid: Option<&str>) -> Value {
    uid.map_or_else(|| json!({"title": title}), |uid| json!({"title": title, "uid": uid}))
}

/// Returns what Grafana must be sent to save a dashboard: over the version that was seen, unless all is to be overwritten.
#[must_use]
pub fn board_body(board: &Board, step: &BoardStep, folder: &str, overwrite: bool) -> Value {
    let mut json = board.json.clone();
    // By its uid it is known; a number would be that of another Grafana.
    json["id"] = Value::Null;
    if let BoardStep::Update { version, .. } = step {
        json["version"] = (*version).into();
    }
    json!({"dashboard": json, "folderUid": folder, "message": message(board), "overwrite": overwrite})
}

/// Returns what Grafana must be sent to make a data source.
#[must_use]
pub fn source_body(name: &str, url: &str) -> Value {
    json!({
        "name": name,
        "type": "prometheus",
        "access": "proxy",
        "url": url,
        "jsonData": {"httpMethod": "POST", "timeInterval": SCRAPE_INTERVAL},
    })
}

#[cfg(test)]
mod tests {
    use super::super::boards;
    use super::*;

    #[test]
    fn a_folder_is_found_by_its_title_and_ours_by_its_uid() {
        let list = json!([{"uid": "x1", "title": "Ops"}, {"uid": "nightcast", "title": "Television"}]);
        let keep = |uid: &str, title: &str| FolderStep::Keep(Folder { uid: uid.to_owned(), title: title.to_owned() });
        let create = |title: &str, uid| FolderStep::Create { title: title.to_owned(), uid };
        for (list, wanted, step) in [
            (&list, Some("Ops"), keep("x1", "Ops")),
            (&list, None, keep("nightcast", "Television")),
            (&list, Some("Nightcast"), create("Nightcast", None)),
            (&list, Some("New"), create("New", None)),
            (&json!([]), None, create("Nightcast", Some("nightcast"))),
            (&json!([{"uid": "q", "title": "Nightcast"}]), None, keep("q", "Nightcast")),
        ] {
            assert_eq!(folder(list, wanted), Ok(step), "{list} {wanted:?}");
        }
        assert!(folder(&json!({}), None).is_err());
    }

    #[test]
    fn a_dashboard_is_saved_only_when_it_differs() {
        let ours = &boards::all()[0];
        let home = FolderStep::Keep(Folder { uid: "n".to_owned(), title: "N".to_owned() });
        let answer = |change: &dyn Fn(&mut Value), folder: &str, provisioned: bool| {
            let mut json = ours.json.clone();
            json["id"] = 17.into();
            json["version"] = 4.into();
            change(&mut json);
            let meta = json!({"folderUid": folder, "folderTitle": "F", "updatedBy": "ann", "provisioned": provisioned});
            json!({"dashboard": json, "meta": meta})
        };
        let update = |difference| BoardStep::Update { difference, version: 4, by: "ann".to_owned() };
        let same: &dyn Fn(&mut Value) = &|_| ();
        let other: &dyn Fn(&mut Value) = &|json| json["panels"][0]["title"] = "Mine".into();
        let wanted = |theirs: &Value| board(ours, Some(theirs), false, &home);
        assert_eq!(board(ours, None, false, &home), Ok(BoardStep::Create));
        assert_eq!(wanted(&answer(same, "n", false)), Ok(BoardStep::Keep));
        assert_eq!(wanted(&answer(same, "n", true)), Ok(BoardStep::Keep));
        assert_eq!(wanted(&answer(same, "m", false)), Ok(update(Difference::Folder("F".to_owned()))));
        assert_eq!(wanted(&answer(other, "m", false)), Ok(update(Difference::Content)));
        assert_eq!(wanted(&answer(other, "n", true)), Err(Problem::Provisioned { title: ours.title.clone() }));
        for strange in [json!({}), json!({"dashboard": {"uid": "u", "title": "t"}})] {
            assert!(matches!(wanted(&strange), Err(Problem::Strange { .. })), "{strange}");
        }
    }

    #[test]
    fn a_history_tells_whose_the_newest_version_is() {
        let ours = &boards::all()[0];
        let theirs = json!({"dashboard": {"uid": ours.uid, "title": ours.title, "version": 7, "migrated": true}});
        let (saved, other) = (message(ours), message(&boards::all()[1]));
        let list = |version: i64, message: &str| json!([{"version": version, "message": message}]);
        assert!(is_told_otherwise(ours, Some(&theirs)) && !is_told_otherwise(ours, None));
        for (history, newest) in [
            (list(7, &saved), true),
            (json!({"versions": [{"version": 6, "message": ""}, {"version": 7, "message": saved}]}), true),
            (json!([{"version": 6, "message": saved}, {"version": 7, "message": "mine"}]), false),
            (list(7, &other), false),
            (list(6, &saved), false),
            (json!({}), false),
        ] {
            assert_eq!(is_newest(ours, Some(&theirs), &history), newest, "{history}");
        }
        let home = FolderStep::Keep(Folder { uid: "n".to_owned(), title: "N".to_owned() });
        let mut theirs = theirs;
        theirs["meta"] = json!({"folderUid": "n"});
        assert_eq!(board(ours, Some(&theirs), true, &home), Ok(BoardStep::Keep));
    }

    #[test]
    fn a_prometheus_that_is_there_is_left_alone() {
        let loki = json!({"name": "Prometheus", "type": "loki"});
        let theirs = json!({"name": "Mimir", "type": "prometheus"});
        assert_eq!(source(&json!([loki, theirs])), Ok(SourceStep::Keep("Mimir".to_owned())));
        assert_eq!(source(&json!([loki])), Ok(SourceStep::Create(DATASOURCE_OTHER)));
        assert_eq!(source(&json!([])), Ok(SourceStep::Create(DATASOURCE)));
        assert!(source(&json!(null)).is_err());
    }

    #[test]
    fn what_is_sent_carries_the_version_that_was_seen() {
        let ours = &boards::all()[0];
        let step = BoardStep::Update { difference: Difference::Content, version: 9, by: String::new() };
        let body = board_body(ours, &step, "f", false);
        assert_eq!((&body["dashboard"]["version"], &body["dashboard"]["id"]), (&json!(9), &Value::Null));
        assert!(board_body(ours, &BoardStep::Create, "f", true)["dashboard"].get("version").is_none());
    }
}
