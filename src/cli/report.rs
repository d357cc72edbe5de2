//! The answers of `check`, `plan` and `library`: text for people, JSON for scripts. Pure; nothing is printed here.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::args::Exit;
use super::table::{Align, aligned, counted, harmless};
use crate::schedule::Kind;
use crate::units::{ChannelId, MediaTime};

/// One thing that `check` looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at, in a word or two: `ffmpeg`, `folder of night-lights`.
    pub name: String,
    /// How it is.
    pub outcome: Outcome,
    /// What was found.
    pub fact: String,
    /// What to do about it, where something is to be done.
    pub hint: Option<String>,
}

/// How a thing is; the later, the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// The station runs, but less well than it could.
    Warning,
    /// The station cannot run like this.
    Failed,
}

impl Outcome {
    /// Returns the word that people and scripts read.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// Returns the exit code that checks of the machine deserve; warnings are no failure.
#[must_use]
pub fn check_exit(checks: &[Check]) -> Exit {
    if checks.iter().any(|check| check.outcome == Outcome::Failed) { Exit::Environment } else { Exit::Done }
}

/// Returns the checks as text: one line each, its hint below, and a count at the end.
#[must_use]
pub fn check_text(checks: &[Check]) -> String {
    let row = |check: &Check| [check.outcome.as_str().to_owned(), harmless(&check.name), harmless(&check.fact)];
    let rows: Vec<_> = checks.iter().map(row).collect();
    let lines = aligned([Align::Left; 3], &rows);
    let mut text = String::new();
    for (line, check) in lines.lines().zip(checks) {
        text.extend([line, "\n"]);
        if let Some(hint) = &check.hint {
            text.extend(["         hint: ", &harmless(hint), "\n"]);
        }
    }
    let counts = [Outcome::Ok, Outcome::Warning, Outcome::Failed].map(|outcome| {
        let count = checks.iter().filter(|check| check.outcome == outcome).count();
        format!("{count} {}", outcome.as_str())
    });
    text.extend(["\n", &counted(checks.len(), "check"), ": ", &counts.join(", "), "\n"]);
    text
}

/// Returns the checks as JSON: `{"ok": true, "checks": [...]}`; `ok` means that nothing failed.
#[must_use]
pub fn check_json(checks: &[Check]) -> String {
    #[derive(Serialize)]
    struct Answer<'a> {
        ok: bool,
        checks: &'a [Check],
    }
    json(&Answer { ok: check_exit(checks) == Exit::Done, checks })
}

/// One planned programme.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanRow {
    /// Where it is on.
    pub channel: ChannelId,
    /// What viewers may take it for.
    pub kind: Kind,
    /// When its first frame is on air; may be past for the one that is on now.
    pub start: Timestamp,
    /// How long it is.
    #[serde(rename = "length_seconds", serialize_with = "in_seconds")]
    pub length: MediaTime,
    /// What viewers are told.
    pub title: String,
    /// Whether it is on now.
    pub on_air: bool,
}

/// Returns a plan as a table; `zone` is that of the person who reads it.
#[must_use]
pub fn plan_text(rows: &[PlanRow], zone: &TimeZone) -> String {
    if rows.is_empty() {
        return "Nothing is planned: there are no videos that can be played (hint: see nightcast library).\n"
            .to_owned();
    }
    let mut cells = vec![["CHANNEL", "STARTS", "LENGTH", "", "TITLE"].map(str::to_owned)];
    cells.extend(rows.iter().map(|row| {
        [
            row.channel.to_string(),
            row.start.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M:%S").to_string(),
            row.length.to_string(),
            match (row.on_air, row.kind) {
                (true, Kind::Item) => "now".to_owned(),
                (false, Kind::Item) => String::new(),
                (on_air, kind) => format!("{}{}", if on_air { "now, " } else { "" }, kind.words()),
            },
            harmless(&row.title),
        ]
    }));
    aligned([Align::Left, Align::Left, Align::Right, Align::Left, Align::Left], &cells)
}

/// Returns a plan as a JSON list; `start` is UTC by RFC 3339.
#[must_use]
pub fn plan_json(rows: &[PlanRow]) -> String {
    json(&rows)
}

/// What `library` found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LibraryReport {
    /// Every file that looks like a video.
    pub files: Vec<LibraryRow>,
    /// Folders that could not be read.
    pub folder_problems: Vec<FolderProblem>,
}

/// One file of a channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LibraryRow {
    /// Whose folder it is in.
    pub channel: ChannelId,
    /// Its path below the folder, lossy UTF-8.
    pub file: String,
    /// How long it is, once that is known.
    #[serde(rename = "length_seconds", serialize_with = "in_seconds_if_known")]
    pub length: Option<MediaTime>,
    /// How far it has come.
    #[serde(flatten)]
    pub state: FileState,
}

/// How far a file has come on its way to the air.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "reason")]
pub enum FileState {
    /// Playable, and its picture may stay as it is; not prepared yet.
    Fit,
    /// Ready to air.
    Prepared,
    /// Ready to air, without something that it should have, as told here.
    #[serde(rename = "prepared")]
    Wanting(String),
    /// Ready to air, with damage that was found since, as told here: it is made anew and airs as it is until then.
    Damaged(String),
    /// Playable, and must be made anew before it airs.
    Waiting,
    /// Still being written.
    Settling,
    /// Cannot be played, for this reason; tried again when it changes.
    Quarantined(String),
}

impl FileState {
    /// Returns the word that people read.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Prepared | Self::Wanting(_) => "prepared",
            Self::Damaged(_) => "damaged",
            Self::Waiting => "waiting",
            Self::Settling => "settling",
            Self::Quarantined(_) => "quarantined",
        }
    }
}

/// A folder that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FolderProblem {
    /// Whose folder it is.
    pub channel: ChannelId,
    /// The folder; in JSON its lossy UTF-8.
    #[serde(serialize_with = "lossily")]
    pub folder: PathBuf,
    /// A sentence for people.
    pub reason: String,
}

/// Returns the library as a table, the folders that could not be read, and a count by state.
#[must_use]
pub fn library_text(report: &LibraryReport) -> String {
    let mut text = String::new();
    if !report.files.is_empty() {
        let mut cells = vec![["CHANNEL", "STATE", "LENGTH", "FILE"].map(str::to_owned)];
        cells.extend(report.files.iter().map(|row| {
            let length = row.length.map_or_else(|| "-".to_owned(), |length| length.to_string());
            [row.channel.to_string(), row.state.as_str().to_owned(), length, harmless(&row.file)]
        }));
        let table = aligned([Align::Left, Align::Left, Align::Right, Align::Left], &cells);
        let reasons = std::iter::once(None).chain(report.files.iter().map(|row| match &row.state {
            FileState::Quarantined(reason) | FileState::Damaged(reason) | FileState::Wanting(reason) => Some(reason),
            _ => None,
        }));
        for (line, reason) in table.lines().zip(reasons) {
            text.extend([line, "\n"]);
            if let Some(reason) = reason {
                text.extend(["    why: ", &harmless(reason), "\n"]);
            }
        }
        text.push('\n');
    }
    for problem in &report.folder_problems {
        let (channel, folder) = (&problem.channel, harmless(&problem.folder.to_string_lossy()));
        text.extend([channel.as_str(), ": folder ", &folder, ": ", &harmless(&problem.reason), "\n"]);
    }
    text.push_str(&counts(&report.files));
    text
}

fn counts(files: &[LibraryRow]) -> String {
    let states = ["prepared", "fit", "waiting", "settling", "quarantined"];
    let counts = states.map(|state| (files.iter().filter(|row| row.state.as_str() == state).count(), state));
    let told: Vec<_> = counts.iter().filter(|(count, _)| *count > 0).map(|(count, s)| format!("{count} {s}")).collect();
    let colon = if told.is_empty() { "" } else { ": " };
    format!("{}{colon}{}\n", counted(files.len(), "file"), told.join(", "))
}

/// Returns the library as JSON: `{"files": [...], "folder_problems": [...]}`.
#[must_use]
pub fn library_json(report: &LibraryReport) -> String {
    json(report)
}

fn json<T: Serialize + ?Sized>(value: &T) -> String {
    let text = serde_json::to_string_pretty(value).expect("texts, numbers and lists can always be written as JSON");
    text + "\n"
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn in_seconds<S: serde::Serializer>(time: &MediaTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

#[expect(clippy::ref_option, reason = "serde asks for a reference")]
fn in_seconds_if_known<S: serde::Serializer>(time: &Option<MediaTime>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(MediaTime::as_secs_f64).serialize(serializer)
}

fn lossily<S: serde::Serializer>(path: &std::path::Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ChannelId {
        ChannelId::new(text).unwrap()
    }

    fn checks() -> Vec<Check> {
        let check = |name: &str, outcome, fact: &str, hint: Option<&str>| Check {
            name: name.to_owned(),
            outcome,
            fact: fact.to_owned(),
            hint: hint.map(str::to_owned),
        };
        vec![
            check("configuration", Outcome::Ok, "channels.toml: 2 channels", None),
            check("filters", Outcome::Warning, "zscale is missing", Some("HDR films will look pale")),
            check("port", Outcome::Failed, "127.0.0.1:8080 is taken", Some("stop the other program, or change listen")),
        ]
    }

    #[test]
    fn checks_read_as_a_list_with_hints_and_a_count() {
        let expected = "\
ok       configuration  channels.toml: 2 channels
warning  filters        zscale is missing
         hint: HDR films will look pale
failed   port           127.0.0.1:8080 is taken
         hint: stop the other program, or change listen

3 checks: 1 ok, 1 warning, 1 failed
";
        assert_eq!(check_text(&checks()), expected);
    }

    #[test]
    fn checks_are_told_to_scripts_with_the_verdict_first() {
        let expected = r#"{
  "ok": true,
  "checks": [
    {
      "name": "filters",
      "outcome": "warning",
      "fact": "zscale is missing",
      "hint": "HDR films will look pale"
    }
  ]
}
"#;
        assert_eq!(check_json(&checks()[1..2]), expected);
    }

    #[test]
    fn a_failed_check_is_an_environment_that_is_not_ready_and_a_warning_is_not() {
        assert_eq!(check_exit(&checks()), Exit::Environment);
        assert_eq!(check_exit(&checks()[..2]), Exit::Done);
        assert_eq!(check_exit(&[]), Exit::Done);
    }

    fn plan() -> Vec<PlanRow> {
        let row = |channel, start: &str, secs, title: &str, on_air| PlanRow {
            channel: id(channel),
            kind: if title == "Ident" { Kind::Ident } else { Kind::Item },
            start: start.parse().unwrap(),
            length: MediaTime::from_secs(secs),
            title: title.to_owned(),
            on_air,
        };
        vec![
            row("night-lights", "2026-11-21T21:58:10Z", 245, "Aurora", true),
            row("night-lights", "2026-11-21T22:02:15Z", 3723, "Tide \u{1b}[31mand\nMoon", false),
            row("cats", "2026-11-21T23:00:00Z", 9, "Ünder the Sofa", false),
            row("cats", "2026-11-21T23:00:09Z", 5, "Ident", false),
        ]
    }

    #[test]
    fn a_plan_reads_as_a_table_in_the_readers_time() {
        let expected = "\
CHANNEL       STARTS                    LENGTH         TITLE
night-lights  Sat 2026-11-21 22:58:10     4:05  now    Aurora
night-lights  Sat 2026-11-21 23:02:15  1:02:03         Tide \u{fffd}[31mand\u{fffd}Moon
cats          Sun 2026-11-22 00:00:00     0:09         Ünder the Sofa
cats          Sun 2026-11-22 00:00:09     0:05  ident  Ident
";
        assert_eq!(plan_text(&plan(), &TimeZone::fixed(jiff::tz::offset(1))), expected);
    }

    #[test]
    fn a_plan_is_told_to_scripts_in_universal_time_and_seconds() {
        let expected = r#"[
  {
    "channel": "night-lights",
    "kind": "item",
    "start": "2026-11-21T21:58:10Z",
    "length_seconds": 245.0,
    "title": "Aurora",
    "on_air": true
  }
]
"#;
        assert_eq!(plan_json(&plan()[..1]), expected);
    }

    #[test]
    fn an_empty_plan_says_why() {
        assert!(plan_text(&[], &TimeZone::UTC).starts_with("Nothing is planned"));
        assert_eq!(plan_json(&[]), "[]\n");
    }

    fn library() -> LibraryReport {
        let row = |channel, file: &str, secs: Option<i64>, state| LibraryRow {
            channel: id(channel),
            file: file.to_owned(),
            length: secs.map(MediaTime::from_secs),
            state,
        };
        let reason = "the file is empty".to_owned();
        let folder_problem = FolderProblem {
            channel: id("night"),
            folder: "/mnt/gone".into(),
            reason: "there is no such folder".to_owned(),
        };
        LibraryReport {
            files: vec![
                row("cats", "a.mp4", Some(245), FileState::Prepared),
                row("cats", "b/broken.mp4", None, FileState::Quarantined(reason)),
                row("cats", "c.mkv", Some(3723), FileState::Waiting),
                row("night", "d.mp4", Some(9), FileState::Fit),
                row("night", "e.mp4", None, FileState::Settling),
            ],
            folder_problems: vec![folder_problem],
        }
    }

    #[test]
    fn a_library_reads_as_a_table_with_the_reason_below_what_is_quarantined() {
        let expected = "\
CHANNEL  STATE         LENGTH  FILE
cats     prepared        4:05  a.mp4
cats     quarantined        -  b/broken.mp4
    why: the file is empty
cats     waiting      1:02:03  c.mkv
night    fit             0:09  d.mp4
night    settling           -  e.mp4

night: folder /mnt/gone: there is no such folder
5 files: 1 prepared, 1 fit, 1 waiting, 1 settling, 1 quarantined
";
        assert_eq!(library_text(&library()), expected);
        assert_eq!(library_text(&LibraryReport::default()), "0 files\n");
    }

    #[test]
    fn what_a_prepared_film_wants_is_told_below_it() {
        let mut report = library();
        report.files.truncate(1);
        report.files[0].state = FileState::Wanting("Its subtitles could not be burned in.".to_owned());
        let text = library_text(&report);
        assert!(text.contains("a.mp4\n    why: Its subtitles could not be burned in.\n"), "{text}");
        assert!(text.ends_with("1 file: 1 prepared\n"), "{text}");
        let json = library_json(&report);
        assert!(json.contains("\"state\": \"prepared\"") && json.contains("\"reason\": \"Its subtitles"), "{json}");
    }

    #[test]
    fn a_library_is_told_to_scripts_with_state_and_reason() {
        let mut report = library();
        report.files.drain(..1);
        report.files.truncate(2);
        let expected = r#"{
  "files": [
    {
      "channel": "cats",
      "file": "b/broken.mp4",
      "length_seconds": null,
      "state": "quarantined",
      "reason": "the file is empty"
    },
    {
      "channel": "cats",
      "file": "c.mkv",
      "length_seconds": 3723.0,
      "state": "waiting"
    }
  ],
  "folder_problems": [
    {
      "channel": "night",
      "folder": "/mnt/gone",
      "reason": "there is no such folder"
    }
  ]
}
"#;
        assert_eq!(library_json(&report), expected);
    }
}
