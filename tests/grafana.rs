//! Goal: dashboards and alerts work in a Grafana and a Prometheus that this project never met, and name only metrics that
//! there are. Method: the files are read as Grafana reads them and judged by strict rules; expressions are parsed by
//! Prometheus' own tool, which also plays the alerts through.
#![expect(clippy::disallowed_methods, reason = "tests read the tree and start programs")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "grafana/catalogue.rs"]
mod catalogue;
#[path = "grafana/dashboards.rs"]
mod dashboards;
#[path = "grafana/expression.rs"]
mod expression;
#[path = "grafana/layout.rs"]
mod layout;
#[path = "grafana/promtool.rs"]
mod promtool;
#[path = "grafana/rules.rs"]
mod rules;

use std::path::Path;

use nightcast::metrics::names;

fn read(path: &str) -> String {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&full).unwrap_or_else(|error| panic!("{}: {error}", full.display()))
}

/// Fails with every broken rule, one a line.
fn check(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}
