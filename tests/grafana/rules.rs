//! The rules: each alert says what is wrong and what to do, and is proved to be raised and not to be.

use std::collections::BTreeSet;

use super::{check, expression, read};

/// One entry of the rules' file: the lines between its first and the next entry's.
struct Rule {
    name: String,
    alert: bool,
    block: String,
}

/// Reads the rules; `promtool` has the last word on whether they are YAML.
fn rules() -> Vec<Rule> {
    let text = read("grafana/rules.yml");
    let mut rules: Vec<Rule> = Vec::new();
    for line in text.lines() {
        let begun = ["- alert: ", "- record: "].into_iter().find_map(|word| line.trim_start().strip_prefix(word));
        if let Some(name) = begun {
            let alert = line.contains("- alert: ");
            rules.push(Rule { name: name.to_owned(), alert, block: String::new() });
        } else if let Some(rule) = rules.last_mut().filter(|_| !line.trim_start().starts_with('#')) {
            rule.block.push_str(line);
            rule.block.push('\n');
        }
    }
    rules
}

impl Rule {
    /// What stands behind a key: on its line, or on the lines below it that stand deeper.
    fn value(&self, key: &str) -> Option<String> {
        let mut lines = self.block.lines().skip_while(|line| !line.trim_start().starts_with(&format!("{key}: ")));
        let first = lines.next()?;
        let depth = first.len() - first.trim_start().len();
        let value = first.trim_start().strip_prefix(key)?.strip_prefix(": ")?;
        if value != "|" {
            return Some(value.trim_matches('\'').to_owned());
        }
        let below = lines.take_while(|line| line.len() - line.trim_start().len() > depth);
        Some(below.collect::<Vec<_>>().join("\n"))
    }
}

/// Every expression of a rule.
pub(crate) fn expressions() -> Vec<(String, String)> {
    let of = |rule: Rule| (format!("rules: {}", rule.name), rule.value("expr").unwrap());
    rules().into_iter().map(of).collect()
}

#[test]
fn every_alert_tells_what_is_wrong_and_leads_to_a_section_that_says_what_to_do() {
    let mut broken = Vec::new();
    let mut alerts = 0;
    for rule in rules().iter().filter(|rule| rule.alert) {
        alerts += 1;
        let value = |key| rule.value(key).unwrap_or_default();
        let name = &rule.name;
        let facts = [
            (name.starts_with("Nightcast"), "the name does not begin with Nightcast"),
            (["critical", "warning", "info"].contains(&&*value("severity")), "no severity"),
            (value("summary").len() > 10, "no summary"),
            (value("description").ends_with('.') && value("description").contains("{{ $labels."), "no description"),
            (value("runbook") == format!("docs/runbook.md#{}", name.to_lowercase()), "no runbook of its own"),
            (!value("summary").contains("$value"), "a summary that changes is another alert at each look"),
        ];
        broken.extend(facts.iter().filter(|(good, _)| !good).map(|(_, words)| format!("{name}: {words}")));
    }
    assert!(alerts >= 8, "{alerts}");
    check(&broken);
}

#[test]
fn the_runbook_has_a_section_for_each_alert_and_none_for_others() {
    let text = read("docs/runbook.md");
    let sections: Vec<(&str, &str)> =
        text.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap()).collect();
    let names: BTreeSet<_> = sections.iter().map(|(name, _)| (*name).to_owned()).collect();
    let alerts: BTreeSet<_> = rules().into_iter().filter(|rule| rule.alert).map(|rule| rule.name).collect();
    assert_eq!(names, alerts);
    for (name, section) in sections {
        let at = |word: &str| section.find(word).unwrap_or_else(|| panic!("{name}: no {word}"));
        assert!(at("**Means.**") < at("**Look at.**") && at("**Look at.**") < at("**Do.**"), "{name}");
    }
}

#[test]
fn what_is_recorded_is_used_and_what_is_used_is_recorded() {
    let recorded: BTreeSet<_> = rules().into_iter().filter(|rule| !rule.alert).map(|rule| rule.name).collect();
    let named = expressions().into_iter().flat_map(|(_, text)| expression::selectors(&text));
    let used: BTreeSet<_> =
        named.map(|selector| selector.metric).filter(|name| name.starts_with("nightcast:")).collect();
    assert_eq!(recorded, used);
}

/// Goal: an alert that can never be raised, or that never rests, is no alert. Method: the tests of the rules must
/// expect each both silent and raised; `promtool` then proves them right.
#[test]
fn every_alert_is_tested_silent_and_raised() {
    let tests = read("grafana/rules.test.yml");
    let mut broken = Vec::new();
    for rule in rules().iter().filter(|rule| rule.alert) {
        let marker = format!("alertname: {}\n", rule.name);
        let expectations: Vec<&str> = tests.split(&marker).skip(1).collect();
        let silent = |after: &&str| after.trim_start().starts_with("exp_alerts: []");
        if !expectations.iter().any(silent) {
            broken.push(format!("{}: never expected to be silent", rule.name));
        }
        if expectations.iter().all(silent) {
            broken.push(format!("{}: never expected to be raised", rule.name));
        }
    }
    check(&broken);
}
