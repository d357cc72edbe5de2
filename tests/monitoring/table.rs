//! The page of what was asked and how much came back.

use std::fmt::Write as _;

use super::prometheus::{Row, leave};
use super::questions::Question;
use super::read;

const HEAD: &str = "# What the dashboards and rules ask

Every expression of every panel, annotation and rule, and how many series a real Prometheus answered with, which read a
real station of two channels with one bad file, one viewer and one killed ffmpeg. Made by
`cargo test --locked --test monitoring`, which fails when an expression is refused, answers nothing that it should, or
lacks a label that its legend names. `…` stands for what the dashboard's variables choose. An alert that answers nothing
is at rest.

";

/// How the variables' choice is written in the files.
const CHOSEN: [&str; 2] =
    [r#"job=~"$job", instance=~"$instance", channel=~"$channel""#, r#"job=~"$job", instance=~"$instance""#];

fn render(answers: &[(Question, Vec<Row>)]) -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| Who asks | What | Rows |\n| --- | --- | --- |\n");
    for (question, rows) in answers {
        let mut text = question.text.split_whitespace().collect::<Vec<_>>().join(" ");
        for chosen in CHOSEN {
            text = text.replace(chosen, "…");
        }
        let text = text.replace('|', "\\|");
        writeln!(page, "| {} | `{text}` | {} |", question.place, rows.len()).unwrap();
    }
    page
}

/// The page without its figures: they differ from run to run.
fn without_figures(page: &str) -> Vec<&str> {
    page.lines().map(|line| line.trim_end_matches(|c: char| c == '|' || c == ' ' || c.is_ascii_digit())).collect()
}

/// Leaves the page of this run in `target/tmp/monitoring`, and holds the one in the tree against it.
pub(crate) fn check(answers: &[(Question, Vec<Row>)]) {
    let made = render(answers);
    leave("panels.md", &made);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/panels.md");
    if std::env::var_os("NIGHTCAST_RENEW").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let hint = "docs/panels.md is not what the dashboards and rules ask; renew it with\n    \
        NIGHTCAST_RENEW=1 cargo test --locked --test monitoring";
    assert!(without_figures(&read("docs/panels.md")) == without_figures(&made), "{hint}");
}
