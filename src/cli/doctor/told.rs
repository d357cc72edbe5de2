//! Findings written down: for people on a terminal of eighty columns, and for scripts as JSON. Pure.

use serde::Serialize;

use super::{Finding, Severity};
use crate::cli::args::Exit;
use crate::cli::table::harmless;

/// How wide a line may be; only a word that is longer goes beyond.
const WIDTH: usize = 80;

/// How far the lines below a finding's first one are moved in.
const INDENT: usize = 10;

/// Returns the exit code: what is only worth knowing is nothing wrong.
#[must_use]
pub fn exit(findings: &[Finding]) -> Exit {
    if findings.iter().any(|finding| finding.severity > Severity::Note) { Exit::Unwell } else { Exit::Done }
}

/// Returns the findings for people; `channels` tells how many were looked at, where the station answered.
#[must_use]
pub fn text(findings: &[Finding], channels: Option<usize>) -> String {
    let mut lines = Vec::new();
    for finding in findings {
        let word = match finding.severity {
            Severity::Critical => "CRITICAL",
            Severity::Warning => "WARNING",
            Severity::Note => "note",
        };
        lines.extend(paragraph(&format!("{word:<INDENT$}"), &finding.what));
        lines.extend(paragraph("", &finding.evidence));
        lines.extend(paragraph("", &format!("Do: {}", finding.remedy)));
        if let Some(section) = finding.runbook {
            lines.push(format!("{:INDENT$}More: docs/runbook.md, {section}", ""));
        }
        lines.push(String::new());
    }
    let wrong = findings.iter().filter(|finding| finding.severity > Severity::Note).count();
    let notes = findings.len() - wrong;
    let seen = channels.map(|channels| format!(" ({channels} channel{})", if channels == 1 { "" } else { "s" }));
    lines.push(match (wrong, notes) {
        (0, 0) => format!("Nothing is wrong{}.", seen.unwrap_or_default()),
        (0, _) => format!("Nothing is wrong{}; worth knowing: {notes}.", seen.unwrap_or_default()),
        (wrong, notes) => format!("Wrong: {wrong}; worth knowing: {notes}."),
    });
    lines.join("\n")
}

/// Returns the findings for scripts.
#[must_use]
pub fn json(findings: &[Finding]) -> String {
    #[derive(Serialize)]
    struct Told<'f> {
        ok: bool,
        findings: &'f [Finding],
    }
    let told = Told { ok: exit(findings) == Exit::Done, findings };
    serde_json::to_string_pretty(&told).unwrap_or_default()
}

/// Returns a text moved in, `first` before its first line. Lines that fit stay as they are, with what stands under one
/// another in them; longer ones are broken between words.
fn paragraph(first: &str, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut beginning = format!("{first:<INDENT$}");
    for part in text.lines().map(harmless).filter(|part| !part.trim().is_empty()) {
        if INDENT + part.chars().count() <= WIDTH {
            lines.push(beginning + part.trim_end());
        } else {
            let inside = (part.chars().count() - part.trim_start().chars().count()).min(WIDTH / 2);
            let mut line = format!("{beginning}{:inside$}", "");
            let mut empty = true;
            for word in part.split_whitespace() {
                if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                    lines.push(std::mem::replace(&mut line, format!("{:INDENT$}{:inside$}", "", "")));
                    empty = true;
                }
                if !empty {
                    line.push(' ');
                }
                line.push_str(word);
                empty = false;
            }
            lines.push(line);
        }
        beginning = format!("{:INDENT$}", "");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, evidence: &str) -> Finding {
        Finding {
            severity,
            what: "The channel \"cats\" stands still: viewers see no new picture, and that has been so for a while"
                .to_owned(),
            evidence: evidence.to_owned(),
            remedy: "look at the log".to_owned(),
            runbook: Some("NightcastChannelDark"),
        }
    }

    #[test]
    fn findings_are_readable_on_eighty_columns() {
        let told = text(&[finding(Severity::Critical, "its newest segment ended 45 s ago")], Some(1));
        assert_eq!(
            told,
            "CRITICAL  The channel \"cats\" stands still: viewers see no new picture, and that\n          has been so for \
             a while\n          its newest segment ended 45 s ago\n          Do: look at the log\n          More: \
             docs/runbook.md, NightcastChannelDark\n\nWrong: 1; worth knowing: 0."
        );
        let long = "a ".repeat(500) + "\n  |   below\n\n" + &"b".repeat(120);
        let told = text(&[finding(Severity::Note, &long)], None);
        let too_long = told.lines().filter(|line| line.chars().count() > WIDTH).collect::<Vec<_>>();
        assert_eq!(too_long, [format!("{:INDENT$}{}", "", "b".repeat(120))], "a word is never broken");
        assert!(told.contains("\n            |   below\n"), "{told}");
    }

    #[test]
    fn what_a_file_is_called_does_no_harm_to_a_terminal() {
        assert!(!text(&[finding(Severity::Warning, "\u{1b}[2J.mp4")], None).contains('\u{1b}'));
    }

    #[test]
    fn only_what_is_wrong_decides_the_exit_code() {
        assert_eq!(exit(&[]), Exit::Done);
        assert_eq!(exit(&[finding(Severity::Note, "")]), Exit::Done);
        assert_eq!(exit(&[finding(Severity::Note, ""), finding(Severity::Warning, "")]), Exit::Unwell);
        assert_eq!(text(&[], Some(2)), "Nothing is wrong (2 channels).");
    }

    #[test]
    fn scripts_get_every_field() {
        let told: serde_json::Value = serde_json::from_str(&json(&[finding(Severity::Warning, "x")])).unwrap();
        assert_eq!((&told["ok"], &told["findings"][0]["severity"]), (&false.into(), &"warning".into()));
        assert_eq!(told["findings"][0]["runbook"], "NightcastChannelDark");
    }
}
