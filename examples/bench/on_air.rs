//! What a channel costs that has nothing to prepare: CPU of server and on-air ffmpegs at real time, and memory.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::Settings;
use super::clips::{self, Kind};
use super::figures::{megabytes, percent};
use super::page::table;
use super::process::{self, Holdings, Memory};
use super::station::{Home, Station};

/// How long preparing all clips may take.
const PREPARED_MAX: Duration = Duration::from_mins(10);

/// How long the station rests between preparing and measuring: its window of segments fills.
const REST: Duration = Duration::from_secs(45);

/// How often it is looked whether all children live.
const LOOK: Duration = Duration::from_secs(5);

/// What channels on air cost.
#[derive(Debug)]
pub(crate) struct Cost {
    /// How long it was measured.
    pub(crate) lasted: Duration,
    /// CPU of the server.
    pub(crate) server: Duration,
    /// CPU of all on-air ffmpegs.
    pub(crate) carriers: Duration,
    /// How many there were.
    pub(crate) channels: usize,
    /// The server's memory: the most resident, and the most of its own, of all looks.
    pub(crate) memory: Memory,
    /// Memory of each on-air ffmpeg at the end.
    pub(crate) carried: Vec<Memory>,
    /// What else each of them holds.
    pub(crate) holdings: Vec<Holdings>,
}

/// Measures each number of channels, and the largest at half the bit rate.
pub(crate) fn measure(settings: &Settings) -> Result<String> {
    let most = settings.channels.iter().copied().max().unwrap_or(1);
    let mut wanted: Vec<(usize, Kind, &str)> =
        settings.channels.iter().map(|channels| (*channels, clips::FIT_3M, "3 Mbit/s")).collect();
    wanted.push((most, clips::FIT_1M5, "1.5 Mbit/s"));
    let mut costs = Vec::new();
    for (channels, kind, rate) in wanted {
        let home = Home::new(&settings.program, &clips::folder(&settings.clips, kind)?, channels)?;
        let mut station = home.start()?;
        station.wait_prepared(clips::CLIPS, PREPARED_MAX)?;
        std::thread::sleep(REST);
        let cost = watch(&station, channels, settings.on_air)?;
        station.stop()?;
        costs.push((rate, cost));
    }
    let cpu_head =
        ["Channels", "Rate", "CPU server", "CPU ffmpegs", "Server a channel", "ffmpeg a channel", "Total a channel"];
    let memory_head = [
        "Channels",
        "Rate",
        "Server resident",
        "of that its own",
        "Server's peak ever",
        "Older segments, beside",
        "Each ffmpeg",
    ];
    Ok(format!(
        "CPU time by /proc over {:.0} s at real time, everything prepared before, nobody watching; 720p25, a new item \
         every {} s. Shares are of one core.\n\n{}\nResident memory; the server's is the most of all looks, without \
         its children. Segments that have cooled lie in memory files, which are counted beside it. Channels share \
         the films.\n\n{}",
        settings.on_air.as_secs_f64(),
        clips::LENGTH,
        table(&cpu_head, &costs.iter().map(|(rate, cost)| cost.cpu_row(rate)).collect::<Vec<_>>()),
        table(&memory_head, &costs.iter().map(|(rate, cost)| cost.memory_row(rate)).collect::<Vec<_>>())
    ))
}

#[expect(clippy::cast_precision_loss, reason = "a few channels")]
impl Cost {
    fn cpu_row(&self, rate: &str) -> Vec<String> {
        let a_channel = |cpu: Duration| format!("{:.3} %", percent(cpu, self.lasted) / self.channels as f64);
        vec![
            self.channels.to_string(),
            rate.to_owned(),
            format!("{:.2} s", self.server.as_secs_f64()),
            format!("{:.2} s", self.carriers.as_secs_f64()),
            a_channel(self.server),
            a_channel(self.carriers),
            format!("**{}**", a_channel(self.server + self.carriers)),
        ]
    }

    fn memory_row(&self, rate: &str) -> Vec<String> {
        let resident = || self.carried.iter().map(|memory| memory.resident);
        let (least, most) = (resident().min().unwrap_or_default(), resident().max().unwrap_or_default());
        vec![
            self.channels.to_string(),
            rate.to_owned(),
            format!("**{}**", megabytes(self.memory.resident)),
            megabytes(self.memory.anonymous),
            megabytes(self.memory.peak),
            megabytes(self.memory.spooled),
            format!("{} to {}", megabytes(least), megabytes(most)),
        ]
    }
}

/// Watches a station that has nothing to prepare; fails when a child dies or another is started.
pub(crate) fn watch(station: &Station, channels: usize, length: Duration) -> Result<Cost> {
    watch_with(station, channels, length, 0, || Ok(()))
}

/// The same, with so many other children allowed, and something that is looked at besides, every few seconds.
pub(crate) fn watch_with(
    station: &Station,
    channels: usize,
    length: Duration,
    others_max: usize,
    mut look: impl FnMut() -> Result<()>,
) -> Result<Cost> {
    let pid = station.pid();
    let restarts = restarts(station)?;
    let (carriers, _) = process::carriers(pid)?;
    if carriers.len() != channels {
        bail!("{} on-air ffmpegs for {channels} channels", carriers.len());
    }
    let begun = Instant::now();
    let (server, carried) = (process::cpu(pid)?, carried(&carriers)?);
    let mut memory = Memory::default();
    while begun.elapsed() < length {
        std::thread::sleep(LOOK.min(length.saturating_sub(begun.elapsed())));
        let (now, others) = process::carriers(pid)?;
        if now != carriers || others > others_max {
            bail!("on-air ffmpegs were {carriers:?} and are {now:?}, with {others} other children");
        }
        let seen = process::memory(pid)?;
        memory.resident = memory.resident.max(seen.resident);
        memory.anonymous = memory.anonymous.max(seen.anonymous);
        memory.peak = seen.peak;
        memory.spooled = memory.spooled.max(seen.spooled);
        look()?;
    }
    let (server_after, carried_after, lasted) = (process::cpu(pid)?, self::carried(&carriers)?, begun.elapsed());
    let others_came = others_max == 0 && server_after.ended_children != server.ended_children;
    if others_came || self::restarts(station)? != restarts {
        bail!("children of the station came and went while it was measured");
    }
    Ok(Cost {
        lasted,
        server: server_after.own.saturating_sub(server.own),
        carriers: carried_after.saturating_sub(carried),
        channels,
        memory,
        carried: carriers.iter().map(|pid| process::memory(*pid)).collect::<Result<_>>()?,
        holdings: carriers.iter().map(|pid| process::holdings(*pid)).collect::<Result<_>>()?,
    })
}

fn carried(carriers: &BTreeSet<u32>) -> Result<Duration> {
    carriers.iter().map(|pid| Ok(process::cpu(*pid)?.own)).sum()
}

fn restarts(station: &Station) -> Result<Vec<Option<u64>>> {
    let guide = station.guide()?;
    let channels = guide["channels"].as_array();
    Ok(channels.into_iter().flatten().map(|channel| channel["restarts"].as_u64()).collect())
}
