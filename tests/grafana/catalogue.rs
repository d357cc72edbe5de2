//! Expressions against the catalogue of metrics: each name, label and label value is one that there is.

use std::collections::BTreeSet;

use super::names::{ALL, Kind, Label, Metric, Values};
use super::{check, dashboards, expression, rules};

/// Metrics that neither a panel nor a rule uses, and why.
const UNUSED: &[(&str, &str)] = &[
    (
        "nightcast_channel_on_air_seconds_total",
        "for reports over months; panels take the state, whose share is right for a channel of an hour, too",
    ),
    ("nightcast_mirror_uploads_total", MIRROR),
    ("nightcast_mirror_upload_bytes_total", MIRROR),
    ("nightcast_mirror_deletes_total", MIRROR),
    ("nightcast_mirror_failures_total", MIRROR),
    ("nightcast_mirror_skips_total", MIRROR),
    ("nightcast_mirror_objects", MIRROR),
    ("nightcast_rewind_failures_total", REWIND),
    ("nightcast_channel_on_demand_segments_total", ON_DEMAND),
];

/// Why the segments sent on demand are on no panel.
const ON_DEMAND: &str = "their bytes are; a count is asked for by whoever wonders how films are cut";

/// Why failures to keep the past are on no panel.
const REWIND: &str = "what is kept then falls, which is; a disk that is full has an alert";

/// Why a mirror's numbers are on no panel.
const MIRROR: &str = "few stations have a mirror; the alert watches its lag, and these are asked for when it is raised";

/// Labels that Prometheus gives itself.
const OF_PROMETHEUS: [&str; 3] = ["job", "instance", "le"];

/// Functions that a counter must be given to, and nothing else may.
const OF_COUNTERS: [&str; 3] = ["rate", "increase", "changes"];

fn metric(name: &str) -> Option<&'static Metric> {
    ALL.iter().copied().find(|metric| {
        let histogram = matches!(metric.kind, Kind::Histogram);
        metric.name == name
            || (histogram && ["_bucket", "_sum", "_count"].iter().any(|end| name == format!("{}{end}", metric.name)))
    })
}

fn label(metric: &Metric, name: &str) -> Option<&'static Label> {
    metric.labels.iter().find(|label| label.name == name)
}

/// Everything that is wrong with an expression, as the catalogue knows it.
pub(crate) fn judge(expression: &str) -> Vec<String> {
    let mut broken = Vec::new();
    let selectors = expression::selectors(expression);
    let mut labels: BTreeSet<&str> = OF_PROMETHEUS.into();
    for selector in &selectors {
        let name = selector.metric.as_str();
        if name.starts_with("nightcast:") {
            // A recorded rule; it has the labels it was recorded with.
            labels.insert("channel");
            continue;
        }
        let Some(metric) = metric(name) else {
            if !["up", "ALERTS"].contains(&name) {
                broken.push(format!("there is no metric {name}"));
            }
            continue;
        };
        labels.extend(metric.labels.iter().map(|label| label.name));
        for (label_name, operator, value) in &selector.matchers {
            if OF_PROMETHEUS.contains(&label_name.as_str()) {
                continue;
            }
            match label(metric, label_name).map(|label| label.values) {
                None => broken.push(format!("{name} has no label {label_name}")),
                Some(Values::Among(known)) => {
                    let asked = if operator.contains('~') { value.split('|').collect() } else { vec![value.as_str()] };
                    let unknown = asked.into_iter().filter(|one| !known.contains(one));
                    broken.extend(unknown.map(|one| format!("{label_name} of {name} is never {one:?}")));
                }
                Some(Values::Configured(_)) => {}
            }
        }
        let grows = !matches!(metric.kind, Kind::Gauge);
        let differentiated = OF_COUNTERS.contains(&selector.function.as_str());
        if grows != differentiated {
            broken.push(format!("{name} is a {:?} and is given to {:?}", metric.kind, selector.function));
        }
        if differentiated && selector.range.is_none() {
            broken.push(format!("{name} has no range"));
        }
    }
    let strange = expression::groupings(expression).into_iter().filter(|name| !labels.contains(name));
    broken.extend(strange.map(|name| format!("groups by {name}, which nothing in it has")));
    broken
}

/// Goal: no panel stays empty and no alert silent because a metric changed its name.
#[test]
fn expressions_name_only_metrics_labels_and_values_that_there_are() {
    let of_dashboards = dashboards::all().into_iter().flat_map(|board| board.expressions());
    let all: Vec<_> = of_dashboards.chain(rules::expressions()).collect();
    assert!(all.len() > 100, "{}", all.len());
    let broken = all.iter().flat_map(|(place, text)| {
        judge(text).into_iter().map(move |problem| format!("{place}: {problem}\n    {text}"))
    });
    check(&broken.collect::<Vec<_>>());
}

#[test]
fn every_metric_is_shown_or_judged_or_said_to_be_unused() {
    let of_dashboards = dashboards::all().into_iter().flat_map(|board| board.expressions());
    let texts = of_dashboards.chain(rules::expressions()).flat_map(|(_, text)| expression::selectors(&text));
    let used: BTreeSet<_> = texts.filter_map(|selector| metric(&selector.metric)).map(|metric| metric.name).collect();
    let listed = |name: &str| UNUSED.iter().any(|(unused, _)| *unused == name);
    let silent = ALL.iter().filter(|metric| !used.contains(metric.name) && !listed(metric.name));
    let mut broken: Vec<_> = silent.map(|metric| format!("{} is used by no panel and no rule", metric.name)).collect();
    broken.extend(UNUSED.iter().filter(|(name, _)| used.contains(name)).map(|(name, _)| format!("{name} is used")));
    check(&broken);
}

#[test]
fn what_is_wrong_with_an_expression_is_found() {
    for (expression, words) in [
        ("nightcast_channel_vieuers", "no metric"),
        ("nightcast_channel_viewers{role=\"prepare\"}", "no label role"),
        ("nightcast_channel_state{state=~\"on_air|dark\"}", "never \"dark\""),
        ("nightcast_channel_segments_total", "given to \"\""),
        ("rate(nightcast_channel_viewers[1m])", "given to \"rate\""),
        ("increase(nightcast_channel_segments_total)", "no range"),
        ("sum by (role) (nightcast_channel_viewers)", "groups by role"),
    ] {
        let told = judge(expression);
        assert!(told.len() == 1 && told[0].contains(words), "{expression}: {told:?}");
    }
    assert_eq!(
        judge("sum by (channel) (rate(nightcast_channel_segments_total{channel=\"a\"}[1m]))"),
        Vec::<String>::new()
    );
}
