//! What it costs to be read by Prometheus: CPU of the server for one look, and how long the answer is.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::Settings;
use super::clips::{self, Kind};
use super::page::table;
use super::process;
use super::station::{Home, Station};

/// How often it is read in a row: the kernel counts CPU time in hundredths of a second.
const LOOKS: u32 = 200;

/// How long preparing all clips may take.
const PREPARED_MAX: Duration = Duration::from_mins(10);

/// The clips that are on air.
const KIND: Kind = clips::FIT_1M5;

/// Measures one look at a station, for each number of channels on air.
pub(crate) fn measure(settings: &Settings) -> Result<String> {
    let rows = settings.scraped.iter().map(|&channels| row(settings, channels)).collect::<Result<Vec<_>>>()?;
    let head = ["Channels on air", "Series", "Answer", "CPU of the server a look", "Time a look"];
    Ok(format!(
        "CPU time by /proc over {LOOKS} looks at `/metrics` one after the other, less what the station took in the same \
         time without being read; nobody watching.\n\n{}",
        table(&head, &rows)
    ))
}

fn row(settings: &Settings, channels: usize) -> Result<Vec<String>> {
    let home = Home::new(&settings.program, &clips::folder(&settings.clips, KIND)?, channels)?;
    let mut station = home.start()?;
    station.wait_prepared(clips::CLIPS, PREPARED_MAX)?;
    let metrics = station.metrics_address()?;
    let first = look(&station, &metrics, channels)?;
    // The station works while it is read: what it takes without being read is taken off.
    let (idle, idle_lasted) = spent(&station, || {
        std::thread::sleep(Duration::from_secs(20));
        Ok(())
    })?;
    let (busy, lasted) = spent(&station, || {
        for _ in 0..LOOKS {
            look(&station, &metrics, channels)?;
        }
        Ok(())
    })?;
    let meanwhile = idle.mul_f64(lasted.as_secs_f64() / idle_lasted.as_secs_f64());
    let each = busy.saturating_sub(meanwhile) / LOOKS;
    let (bytes, series) = (first.len(), first.lines().filter(|line| !line.starts_with('#')).count());
    station.stop()?;
    Ok(vec![
        channels.to_string(),
        series.to_string(),
        format!("**{} kB**", bytes / 1000),
        format!("**{:.1} ms**", each.as_secs_f64() * 1000.0),
        format!("{:.1} ms", lasted.as_secs_f64() * 1000.0 / f64::from(LOOKS)),
    ])
}

fn look(station: &Station, address: &str, channels: usize) -> Result<String> {
    let text = station.get_from(address, "/metrics")?.context("no metrics")?;
    if text.matches("nightcast_channel_info{").count() != channels {
        bail!("the metrics tell of other channels than there are");
    }
    Ok(text)
}

/// Returns the CPU time the server took while something was done, and how long that lasted.
fn spent(station: &Station, mut work: impl FnMut() -> Result<()>) -> Result<(Duration, Duration)> {
    let (before, begun) = (process::cpu(station.pid())?.own, station.age());
    work()?;
    Ok((process::cpu(station.pid())?.own.saturating_sub(before), station.age().saturating_sub(begun)))
}
