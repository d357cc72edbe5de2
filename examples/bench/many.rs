//! Many channels at once: what grows with their number, and whether they keep in step.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result};

use super::Settings;
use super::clips::{self, Kind};
use super::figures::{megabytes, percent, seconds};
use super::on_air::{self, Cost};
use super::page::table;
use super::process::{self, Holdings};
use super::samples::Samples;
use super::station::{Home, Station};

/// The films of all channels.
const KIND: Kind = clips::FIT_1M5;

/// A player begins with three segments.
const SEGMENTS: usize = 3;

/// How long preparing may take, and how long it may take until all channels have their segments.
const PREPARED_MAX: Duration = Duration::from_mins(5);
const START_MAX: Duration = Duration::from_mins(2);

/// How long the station rests between its start and being watched: its windows of segments fill.
const REST: Duration = Duration::from_secs(30);

/// How many children there may be besides: a channel's card is drawn once in its life, one after the other.
const DRAWING_MAX: usize = 4;

/// From this age on, in seconds, the newest segment is late: segments last two seconds, and publishing takes a moment.
const LATE_S: f64 = 2.5;

/// One number of channels, measured.
struct Many {
    channels: usize,
    cold: Duration,
    warm: Duration,
    cost: Cost,
    server: Holdings,
    step: Step,
    warnings: usize,
}

/// Whether channels kept in step, over all looks.
#[derive(Default)]
struct Step {
    looks: usize,
    /// Dates against the wall clock, the greatest difference in seconds.
    clock_error: f64,
    /// The oldest newest segment, in seconds, and how many were late.
    oldest: f64,
    late: usize,
    /// Media published against the time that passed, the greatest difference of a channel, in seconds.
    media_error: f64,
    /// Children that stalled, runs that were replaced.
    stalled: f64,
    restarts: f64,
    begun: Option<(Instant, BTreeMap<String, f64>)>,
}

/// Measures each number of channels.
pub(crate) fn measure(settings: &Settings) -> Result<String> {
    let all = settings.many.iter().map(|&channels| one(settings, channels)).collect::<Result<Vec<_>>>()?;
    let rows = |row: fn(&Many) -> Vec<String>| all.iter().map(row).collect::<Vec<_>>();
    Ok(format!(
        "One folder of {} films for all channels ({}), prepared before; nobody watching, but for the metrics, which \
         were read every five seconds. The first start knows the prepared films and one of the channels: all others \
         begin their lives. The second continues them.\n\n{}\nCPU time by /proc over {:.0} s at real time, of the server and the on-air ffmpegs. Shares are of one core. At the \
         lowest priority, and not counted, an ffmpeg draws the channels' cards meanwhile, once in their lives.\n\n{}\nMemory by /proc. PSS is resident memory with what processes share divided among them, so that it \
         can be summed; with the server's is what its memory files hold, the segments that have cooled.\n\n{}\n{}\nIn step, over all looks at the metrics. The newest segment of a channel is as old as the \
         next one has grown: up to 2 s. Published media may differ from the time that passed by one segment, since a \
         look falls anywhere in it.\n\n{}",
        clips::CLIPS,
        KIND.words,
        table(&START, &rows(Many::start_row)),
        settings.many_watched.as_secs_f64(),
        table(&CPU, &rows(Many::cpu_row)),
        table(&MEMORY, &rows(Many::memory_row)),
        table(&HANDLES, &rows(Many::handles_row)),
        table(&STEP, &rows(Many::step_row))
    ))
}

const START: [&str; 4] = ["Channels", "First start until all have 3 segments", "Restart", "Warnings in the log"];
const CPU: [&str; 6] = ["Channels", "Server", "All ffmpegs", "Together", "Server a channel", "Together a channel"];
const MEMORY: [&str; 8] = [
    "Channels",
    "Server resident",
    "of that its own",
    "Older segments, beside",
    "Each ffmpeg resident",
    "ffmpegs, PSS",
    "All, PSS",
    "PSS a channel",
];
const HANDLES: [&str; 5] =
    ["Channels", "Handles of the server", "of each ffmpeg", "Threads of the server", "of each ffmpeg"];
const STEP: [&str; 7] = [
    "Channels",
    "Looks",
    "Greatest clock error",
    "Oldest newest segment",
    "Late",
    "Greatest difference of media and time",
    "Stalls, new runs",
];

fn one(settings: &Settings, channels: usize) -> Result<Many> {
    let media = clips::folder(&settings.clips, KIND)?;
    let home = Home::new(&settings.program, &media, 1)?;
    let mut station = home.start()?;
    station.wait_prepared(clips::CLIPS, PREPARED_MAX)?;
    station.stop()?;
    home.furnish(&media, channels)?;
    let mut station = home.start()?;
    let cold = station.all_have(channels, SEGMENTS, START_MAX)?;
    std::thread::sleep(REST);
    let metrics = station.metrics_address()?;
    let mut step = Step::default();
    let cost =
        on_air::watch_with(&station, channels, settings.many_watched, DRAWING_MAX, || step.look(&station, &metrics))?;
    let server = process::holdings(station.pid())?;
    let mut warnings = station.warnings();
    station.stop()?;
    let mut station = home.start()?;
    let warm = station.all_have(channels, SEGMENTS, START_MAX)?;
    warnings.extend(station.warnings());
    station.stop()?;
    for warning in warnings.iter().take(5) {
        eprintln!("bench: {channels} channels: {warning}");
    }
    Ok(Many { channels, cold, warm, cost, server, step, warnings: warnings.len() })
}

impl Step {
    fn look(&mut self, station: &Station, address: &str) -> Result<()> {
        let text = station.get_from(address, "/metrics")?.context("no metrics")?;
        let (at, now) = (Instant::now(), SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs_f64());
        let samples = Samples::read(&text);
        self.looks += 1;
        self.clock_error =
            samples.of("nightcast_channel_clock_error_seconds").map(f64::abs).fold(self.clock_error, f64::max);
        for published in samples.of("nightcast_channel_last_segment_timestamp_seconds") {
            self.oldest = self.oldest.max(now - published);
            self.late += usize::from(now - published > LATE_S);
        }
        self.stalled = samples.with("nightcast_child_ends_total", "reason", "stalled").sum();
        self.restarts = samples.of("nightcast_on_air_restarts_total").sum();
        let media = samples.by("nightcast_channel_media_seconds_total", "channel");
        let (begun, first) = self.begun.get_or_insert_with(|| (at, media.clone()));
        let passed = at.duration_since(*begun).as_secs_f64();
        for (channel, published) in &media {
            let before = first.get(channel).copied().unwrap_or_default();
            self.media_error = self.media_error.max((published - before - passed).abs());
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a thousand channels, gigabytes")]
impl Many {
    fn start_row(&self) -> Vec<String> {
        vec![
            self.channels.to_string(),
            format!("**{}**", seconds(self.cold)),
            format!("**{}**", seconds(self.warm)),
            self.warnings.to_string(),
        ]
    }

    fn cpu_row(&self) -> Vec<String> {
        let (cost, channels) = (&self.cost, self.channels as f64);
        let share = |cpu: Duration| percent(cpu, cost.lasted);
        let both = share(cost.server + cost.carriers);
        vec![
            self.channels.to_string(),
            format!("{:.1} %", share(cost.server)),
            format!("{:.1} %", share(cost.carriers)),
            format!("{both:.1} %"),
            format!("{:.3} %", share(cost.server) / channels),
            format!("**{:.3} %**", both / channels),
        ]
    }

    /// Returns the PSS of all ffmpegs, and of everything, in KiB.
    fn proportional(&self) -> (u64, u64) {
        let carried = self.cost.holdings.iter().map(|one| one.proportional).sum();
        (carried, carried + self.server.proportional + self.cost.memory.spooled)
    }

    fn memory_row(&self) -> Vec<String> {
        let (carried, all) = self.proportional();
        vec![
            self.channels.to_string(),
            megabytes(self.cost.memory.resident),
            megabytes(self.cost.memory.anonymous),
            megabytes(self.cost.memory.spooled),
            range(self.cost.carried.iter().map(|one| one.resident), megabytes),
            megabytes(carried),
            format!("**{}**", megabytes(all)),
            megabytes(all / self.channels.max(1) as u64),
        ]
    }

    fn handles_row(&self) -> Vec<String> {
        let carried = &self.cost.holdings;
        vec![
            self.channels.to_string(),
            self.server.handles.to_string(),
            range(carried.iter().map(|one| one.handles), |handles| handles.to_string()),
            self.server.threads.to_string(),
            range(carried.iter().map(|one| one.threads), |threads| threads.to_string()),
        ]
    }

    fn step_row(&self) -> Vec<String> {
        let step = &self.step;
        vec![
            self.channels.to_string(),
            step.looks.to_string(),
            format!("**{:.0} ms**", step.clock_error * 1000.0),
            format!("{:.2} s", step.oldest),
            format!("**{}**", step.late),
            format!("{:.2} s", step.media_error),
            format!("{}, {}", step.stalled, step.restarts),
        ]
    }
}

/// Returns the least and the most, or the one there is.
fn range<T: Ord + Copy>(all: impl Iterator<Item = T>, told: impl Fn(T) -> String) -> String {
    let sorted = all.collect::<std::collections::BTreeSet<_>>();
    match (sorted.first(), sorted.last()) {
        (Some(least), Some(most)) if least != most => format!("{} to {}", told(*least), told(*most)),
        (Some(only), _) => told(*only),
        _ => "–".to_owned(),
    }
}
