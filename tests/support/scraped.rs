//! What a station tells Prometheus, taken apart. Reads the text by the format's own rules, not by ours.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use super::station::{Station, get_from};

/// One line of the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// One look at a station.
#[derive(Clone, Debug)]
pub struct Scraped {
    pub text: String,
    pub series: Vec<Series>,
}

/// Where a station's metrics are: told in its log.
pub fn address(station: &Station) -> String {
    let line = station.wait_for_log("metrics are served", |line| line.contains("metrics are at http://"));
    line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned()
}

/// Asks a station for its metrics.
pub fn scrape(station: &Station) -> Scraped {
    let answer = get_from(&address(station), "/metrics").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.head);
    assert!(answer.head.contains("text/plain; version=0.0.4"), "{}", answer.head);
    Scraped::read(answer.text())
}

impl Scraped {
    pub fn read(text: String) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let series = lines.map(|line| series(line).unwrap_or_else(|| panic!("not understood: {line}"))).collect();
        Self { text, series }
    }

    /// The series of a name that have these labels among theirs.
    pub fn all(&self, name: &str, labels: &[(&str, &str)]) -> Vec<&Series> {
        let fits = |series: &&Series| {
            let has = |(label, value): &(&str, &str)| series.labels.get(*label).is_some_and(|found| found == value);
            series.name == name && labels.iter().all(has)
        };
        self.series.iter().filter(fits).collect()
    }

    /// The value of the only such series; none where there is none.
    pub fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let all = self.all(name, labels);
        assert!(all.len() <= 1, "{name} {labels:?}: {all:?}");
        all.first().map(|series| series.value)
    }

    /// The value of a series that must be there.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.get(name, labels).unwrap_or_else(|| panic!("there is no {name} {labels:?}\n{}", self.text))
    }
}

fn series(line: &str) -> Option<Series> {
    let (name, mut rest) = line.split_at(line.find(['{', ' '])?);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"")?;
            let mut value = String::new();
            let mut letters = after.char_indices();
            let end = loop {
                match letters.next()? {
                    (at, '"') => break at + 1,
                    (_, '\\') => value.push(match letters.next()?.1 {
                        'n' => '\n',
                        other => other,
                    }),
                    (_, letter) => value.push(letter),
                }
            };
            labels.insert(label.trim_start_matches(',').to_owned(), value);
            rest = &after[end..];
        }
        rest = &rest[1..];
    }
    Some(Series { name: name.to_owned(), labels, value: rest.trim().parse().ok()? })
}
