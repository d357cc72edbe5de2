//! Zapping: from a click on another channel in the real page, in a real browser, to its first picture.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::Settings;
use super::clips;
use super::figures::quantile;
use super::page::table;
use super::station::Home;

/// Between so many channels.
const CHANNELS: usize = 5;

/// How long preparing may take, and how long it may take until all channels can be watched.
const PREPARED_MAX: Duration = Duration::from_mins(5);
const START_MAX: Duration = Duration::from_mins(1);

/// A playlist is full from here on: tuning in finds what it finds in an old channel.
const SEGMENTS: usize = 9;

/// What a viewer would wait for at two rates.
const KINDS: [(&str, clips::Kind); 2] = [("3 Mbit/s", clips::FIT_3M), ("1.5 Mbit/s", clips::FIT_1M5)];

/// Zaps through a station's channels in Chromium.
pub(crate) fn measure(settings: &Settings) -> Result<String> {
    let mut rows = Vec::new();
    for (rate, kind) in KINDS {
        let home = Home::new(&settings.program, &clips::folder(&settings.clips, kind)?, CHANNELS)?;
        let mut station = home.start()?;
        station.wait_prepared(clips::CLIPS, PREPARED_MAX)?;
        station.all_have(CHANNELS, SEGMENTS, START_MAX)?;
        let zaps = zap(&format!("http://{}", station.address()), settings.zaps)?;
        station.stop()?;
        for (what, key) in [("first frame shown", "frameMs"), ("picture moves", "playingMs")] {
            let times = zaps.iter().map(|zap| zap[key].as_f64()).collect::<Option<Vec<_>>>();
            rows.push(row(rate, what, &times.context("a zap without a time")?));
        }
    }
    let head = ["Rate", "From the click until", "Zaps", "p50", "p95", "Least", "Most"];
    Ok(format!(
        "A viewer with the mouse in Chromium (Debian's, without a graphics card) on the page's own list of {CHANNELS} \
         channels, browser and station on the same machine; 720p25, a zap every 0.3 to 3.1 s, so that clicks come at all \
         moments of a segment. Measured in the page, from the browser's time of the click to the time at which the new \
         channel's first frame is shown (`requestVideoFrameCallback`), and to its moving on (`playing`).\n\n{}",
        table(&head, &rows)
    ))
}

fn row(rate: &str, what: &str, times: &[f64]) -> Vec<String> {
    let milliseconds = |share: f64| format!("{:.0} ms", quantile(times, share));
    let bold = |share: f64| format!("**{}**", milliseconds(share));
    [rate.to_owned(), what.to_owned(), times.len().to_string()]
        .into_iter()
        .chain([bold(0.5), bold(0.95), milliseconds(0.0), milliseconds(1.0)])
        .collect()
}

/// Runs the viewer and returns what it tells of each zap.
fn zap(url: &str, zaps: usize) -> Result<Vec<serde_json::Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/zap.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg(url).arg(zaps.to_string()).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().context("node could not be started (hint: make tools)")?;
    if !output.status.success() {
        bail!("the viewer ended with {} (hint: make tools)", output.status);
    }
    let text = String::from_utf8(output.stdout)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}
