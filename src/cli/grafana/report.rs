//! What was done, or would be, for people and scripts.

use serde_json::{Value, json};

use crate::cli::table::{Align, aligned, harmless};

/// What happened to one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// It was not there.
    Created,
    /// It was another.
    Updated,
    /// It was in another folder.
    Moved,
    /// Nothing: it was as it should be, or is not ours.
    Unchanged,
}

impl Did {
    fn word(self, dry_run: bool) -> &'static str {
        match (self, dry_run) {
            (Self::Created, false) => "created",
            (Self::Created, true) => "would create",
            (Self::Updated, false) => "updated",
            (Self::Updated, true) => "would update",
            (Self::Moved, false) => "moved",
            (Self::Moved, true) => "would move",
            (Self::Unchanged, _) => "unchanged",
        }
    }
}

/// One thing and what happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is: `folder`, `dashboard`, `data source`.
    pub kind: &'static str,
    /// By which people know it.
    pub name: String,
    /// What happened.
    pub did: Did,
    /// More about it: where it is, or what was replaced.
    pub note: String,
}

/// All that happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushReport {
    /// Where Grafana is.
    pub url: String,
    /// Which Grafana it is.
    pub version: String,
    /// Whether nothing was done and this is what would be.
    pub dry_run: bool,
    /// Whether it ended before all was done.
    pub failed: bool,
    /// In the order it was done.
    pub entries: Vec<Entry>,
}

impl PushReport {
    /// Whether anything is or would be other than before.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.entries.iter().any(|entry| entry.did != Did::Unchanged)
    }
}

/// Returns the report for people.
#[must_use]
pub fn push_text(report: &PushReport) -> String {
    let row = |entry: &Entry| {
        let did = entry.did.word(report.dry_run).to_owned();
        [did, entry.kind.to_owned(), harmless(&entry.name), harmless(&entry.note)]
    };
    let rows: Vec<_> = report.entries.iter().map(row).collect();
    let last = match (report.changed(), report.dry_run) {
        _ if report.failed => "The rest was not done.",
        (false, _) => "Nothing to do: Grafana has all of it already.",
        (true, true) => "Nothing was done: this was a dry run.",
        (true, false) => "Done.",
    };
    format!("{}{last}\n", aligned([Align::Left; 4], &rows))
}

/// Returns the report for scripts.
#[must_use]
pub fn push_json(report: &PushReport) -> String {
    let entry = |entry: &Entry| -> Value {
        let did = entry.did.word(false);
        json!({"kind": entry.kind, "name": entry.name, "action": did, "note": entry.note})
    };
    let entries: Vec<_> = report.entries.iter().map(entry).collect();
    let (changed, dry_run) = (report.changed(), report.dry_run);
    let json = json!({
        "url": report.url, "grafana": report.version, "dry_run": dry_run, "complete": !report.failed, "changed": changed, "entries": entries,
    });
    format!("{json:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_scripts_are_told_the_same() {
        let entry = |kind, name: &str, did| Entry { kind, name: name.to_owned(), did, note: String::new() };
        let entries = vec![entry("folder", "Nightcast", Did::Unchanged), entry("dashboard", "A", Did::Moved)];
        let mut report = PushReport { entries, ..PushReport::default() };
        assert_eq!(push_text(&report), "unchanged  folder     Nightcast\nmoved      dashboard  A\nDone.\n");
        let json: Value = serde_json::from_str(&push_json(&report)).unwrap();
        assert_eq!((&json["changed"], &json["entries"][1]["action"]), (&json!(true), &json!("moved")));
        report.dry_run = true;
        assert!(push_text(&report).contains("would move  dashboard"), "{}", push_text(&report));
        report.entries.pop();
        assert!(push_text(&report).ends_with("Nothing to do: Grafana has all of it already.\n"));
    }
}
