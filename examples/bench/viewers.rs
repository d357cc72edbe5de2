//! How many viewers the station holds: `nightcast bench viewers max` on a station of its own.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::Settings;
use super::clips;
use super::page::table;
use super::station::Home;

/// How many seats the station has: more than viewers are tried.
const SEATS: usize = 20_500;

/// How long each crowd is measured, in seconds.
const SECONDS: &str = "10";

/// How often the largest crowd is searched for: a search takes up to two minutes.
const SEARCHES: usize = 1;

/// How long preparing may take.
const PREPARED_MAX: std::time::Duration = std::time::Duration::from_mins(10);

/// Measures two bit rates.
pub(crate) fn measure(settings: &Settings) -> Result<String> {
    let mut rows = Vec::new();
    for (rate, kind) in [("3 Mbit/s", clips::FIT_3M), ("1.5 Mbit/s", clips::FIT_1M5)] {
        let home = Home::new(&settings.program, &clips::folder(&settings.clips, kind)?, 1)?.with_seats(SEATS)?;
        let mut station = home.start()?;
        station.wait_prepared(clips::CLIPS, PREPARED_MAX)?;
        for _ in 0..SEARCHES {
            let mut command = Command::new(&settings.program);
            command.args(["bench", "viewers", "max", "--json", "--seconds", SECONDS]);
            let url = format!("http://{}", station.address());
            let output = command.args(["--url", &url]).output().context("the program could not be started")?;
            let found: serde_json::Value = serde_json::from_slice(&output.stdout).context("no answer")?;
            let held = &found["held"];
            let trials = found["trials"].as_array().map(Vec::as_slice).unwrap_or_default();
            let best = trials.iter().find(|trial| trial["viewers"] == *held).context("no crowd was held")?;
            let number = |value: &serde_json::Value| value.as_f64().unwrap_or_default();
            rows.push(vec![
                rate.to_owned(),
                format!("**{held}**"),
                format!("{:.0}", number(&best["playlists_per_second"])),
                format!("{:.1} ms", number(&best["playlists"]["p50_ms"])),
                format!("{:.1} ms", number(&best["playlists"]["p99_ms"])),
                format!("{:.1} ms", number(&best["playlists"]["max_ms"])),
                format!("{:.0} MB", number(&best["bytes_per_second"]) / 1e6),
                trials.len().to_string(),
            ]);
        }
        station.stop()?;
    }
    let head =
        ["Rate", "Viewers held", "Playlists a second", "p50", "p99", "Slowest", "Bytes a second", "Crowds tried"];
    Ok(format!(
        "`nightcast bench viewers max --seconds {SECONDS}` on one channel, searched for by doubling and halving, viewers and station \
         on the same machine. Each viewer does what hls.js does: a playlist every two seconds, every segment. Held means \
         that no playlist came later than 100 ms, none was old, no segment was slower than it plays, and nothing went \
         wrong.\n\n{}",
        table(&head, &rows)
    ))
}
