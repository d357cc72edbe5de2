//! The page of all metrics, `docs/metrics.md`, made from the table.

use std::fmt::Write as _;

use super::names::{ALL, Metric, Values};

/// The parts of the page: what they are about, and how the names in them begin after the prefix.
const PARTS: [(&str, &[&str]); 9] = [
    ("The server", &["build_", "ready", "process_"]),
    ("Every ffmpeg and ffprobe", &["child", "on_air_"]),
    ("Channels", &["channel_"]),
    ("Going back", &["rewind_"]),
    ("The library", &["library_"]),
    ("Preparing", &["prepare_", "cache_", "data_"]),
    ("The mirror", &["mirror_"]),
    ("Viewers' side", &["http_"]),
    ("Database and configuration", &["store_", "config_"]),
];

const HEAD: &str = "# Metrics

What a station tells Prometheus at `/metrics` of the address that `listen` in `[metrics]` names. This page is made from
`src/metrics/names.rs` and held against it by a test: change the table, then run
`NIGHTCAST_RENEW=1 cargo test --locked --test metrics the_page`.

Counters begin at nought with the server and never go back while it lives, also when a channel begins anew inside or a
child is replaced. `channel` is always a channel's id; no label's values come from viewers or files.
";

/// Returns the page.
#[must_use]
pub fn render() -> String {
    let mut page = HEAD.to_owned();
    for (title, beginnings) in PARTS {
        let _ = write!(page, "\n## {title}\n\n| Name | Kind | Labels | Unit | What it says |\n");
        page.push_str("| --- | --- | --- | --- | --- |\n");
        for metric in ALL.iter().filter(|metric| is_about(metric, beginnings)) {
            let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{}`", label.name)).collect();
            let (name, kind, unit, help) = (metric.name, metric.kind.word(), metric.unit, metric.help);
            let _ = writeln!(page, "| `{name}` | {kind} | {} | {unit} | {help} |", labels.join(", "));
        }
    }
    page.push_str("\n## Labels\n\n| Label | Of | May be |\n| --- | --- | --- |\n");
    for (label, metrics, values) in labels() {
        let _ = writeln!(page, "| `{label}` | {metrics} | {values} |");
    }
    page
}

fn is_about(metric: &Metric, beginnings: &[&str]) -> bool {
    let name = metric.name.trim_start_matches("nightcast_");
    beginnings.iter().any(|beginning| name.starts_with(beginning))
}

/// Returns each label with the metrics it belongs to and its values; one line for those of the same values.
fn labels() -> Vec<(&'static str, String, String)> {
    let mut found: Vec<(&'static str, Values, Vec<&'static str>)> = Vec::new();
    for metric in ALL {
        for label in metric.labels {
            match found.iter_mut().find(|(name, values, _)| *name == label.name && *values == label.values) {
                Some((_, _, metrics)) => metrics.push(metric.name),
                None => found.push((label.name, label.values, vec![metric.name])),
            }
        }
    }
    let told = |(name, values, metrics): (&'static str, Values, Vec<&'static str>)| {
        let values = match values {
            Values::Among(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            Values::Configured(what) => what.to_owned(),
        };
        let of = match metrics[..] {
            [.., _, _, _, _] => format!("{} metrics", metrics.len()),
            _ => metrics.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        };
        (name, of, values)
    };
    found.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_stands_in_one_part() {
        for metric in ALL {
            let parts = PARTS.iter().filter(|(_, beginnings)| is_about(metric, beginnings)).count();
            assert_eq!(parts, 1, "{}", metric.name);
            let row = format!("| `{}` | ", metric.name);
            assert_eq!(render().lines().filter(|line| line.starts_with(&row)).count(), 1, "{}", metric.name);
        }
    }
}
