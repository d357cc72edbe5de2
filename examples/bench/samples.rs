//! Reads what `/metrics` answers, as far as measuring needs it. Pure.

use std::collections::BTreeMap;

/// The samples of one answer.
#[derive(Debug)]
pub(crate) struct Samples<'a>(Vec<(&'a str, &'a str, f64)>);

impl<'a> Samples<'a> {
    /// Reads lines such as `name{label="value"} 1.5`; others are left out.
    pub(crate) fn read(text: &'a str) -> Self {
        let sample = |line: &'a str| {
            let (series, value) = line.rsplit_once(' ')?;
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            Some((name, labels.trim_end_matches('}'), value.parse().ok()?))
        };
        Self(text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect())
    }

    /// Returns the values of a metric.
    pub(crate) fn of(&self, name: &str) -> impl Iterator<Item = f64> {
        self.0.iter().filter(move |(found, ..)| *found == name).map(|(.., value)| *value)
    }

    /// Returns those of its values that have a label.
    pub(crate) fn with(&self, name: &str, label: &str, wanted: &str) -> impl Iterator<Item = f64> {
        let pair = format!("{label}=\"{wanted}\"");
        let has = move |labels: &str| labels.split(',').any(|one| one == pair);
        self.0.iter().filter(move |(found, labels, _)| *found == name && has(labels)).map(|(.., value)| *value)
    }

    /// Returns its values by one of its labels.
    pub(crate) fn by(&self, name: &str, label: &str) -> BTreeMap<String, f64> {
        let begin = format!("{label}=\"");
        let value = |labels: &str| {
            labels.split(',').find_map(|one| one.strip_prefix(&begin)?.strip_suffix('"').map(str::to_owned))
        };
        let ours = self.0.iter().filter(|(found, ..)| *found == name);
        ours.filter_map(|(_, labels, number)| Some((value(labels)?, *number))).collect()
    }
}
