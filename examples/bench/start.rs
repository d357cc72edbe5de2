//! From the start of the process to a playlist a player can begin with.

use std::time::Duration;

use anyhow::Result;

use super::Settings;
use super::clips::{self, Kind};
use super::figures::{seconds, spread};
use super::page::table;
use super::station::{Home, Station};

/// A player begins with three segments.
const SEGMENTS: usize = 3;

/// How long a start may take before it counts as failed.
const START_MAX: Duration = Duration::from_mins(1);

/// How long preparing all clips may take, before a warm start.
const PREPARED_MAX: Duration = Duration::from_mins(10);

/// What the log says when a phase is over, and the phase in words.
const PHASES: [(&str, &str); 8] = [
    ("preparing is ready", "ffmpeg's abilities known, cache read"),
    ("is on air: open http://", "serves"),
    ("the library is complete", "library complete"),
    ("preparing begins", "first preparation begins"),
    ("\"prepared\"", "first item prepared"),
    ("on-air ffmpeg started", "on-air ffmpeg started"),
    ("programme began", "first segment published"),
    ("", "three segments"),
];

/// One start, measured.
struct Start {
    took: Duration,
    phases: [Option<Duration>; PHASES.len()],
}

/// Measures cold starts on three kinds of library, and warm ones.
pub(crate) fn measure(settings: &Settings) -> Result<String> {
    let kinds = [
        ("fit originals, empty data folder", clips::FIT_3M),
        ("first item transcoded, empty data folder", clips::MPEG4),
        ("first item transcoded, empty data folder", clips::HEVC),
    ];
    let mut measured = Vec::new();
    for (what, kind) in kinds {
        let starts = (0..settings.runs).map(|_| cold(settings, kind)).collect::<Result<Vec<_>>>()?;
        measured.push((what, kind.words, starts));
    }
    measured.push(("warm restart, data folder kept", clips::FIT_3M.words, warm(settings)?));

    let row = |(what, words, starts): &(&str, &str, Vec<Start>)| {
        let took: Vec<Duration> = starts.iter().map(|start| start.took).collect();
        let figures = spread(&took).map_or_else(Vec::new, |s| vec![seconds(s.median), seconds(s.min), seconds(s.max)]);
        [vec![(*what).to_owned(), format!("{} × {words}", clips::CLIPS), took.len().to_string()], figures].concat()
    };
    let rows: Vec<_> = measured.iter().map(row).collect();
    Ok(format!(
        "From the start of the process to a playlist with {SEGMENTS} segments over HTTP, asked every 10 ms; clips of {} \
         s.\n\n{}\nWhen each phase was over, after the start of the process (medians, from the log):\n\n{}",
        clips::LENGTH,
        table(&["Start", "Library", "Runs", "Median", "Least", "Most"], &rows),
        phases(&measured)
    ))
}

fn phases(measured: &[(&str, &str, Vec<Start>)]) -> String {
    let head: Vec<&str> = ["Phase"]
        .into_iter()
        .chain(measured.iter().map(|(what, words, _)| if what.starts_with("warm") { "warm restart" } else { *words }))
        .collect();
    let mut rows = Vec::new();
    for (n, (_, phase)) in PHASES.iter().enumerate() {
        let cells: Vec<String> = measured
            .iter()
            .map(|(_, _, starts)| {
                let times: Vec<Duration> = starts.iter().filter_map(|start| start.phases[n]).collect();
                spread(&times).map_or_else(|| "–".to_owned(), |spread| seconds(spread.median))
            })
            .collect();
        if cells.iter().any(|cell| cell != "–") {
            rows.push([vec![(*phase).to_owned()], cells].concat());
        }
    }
    table(&head, &rows)
}

fn cold(settings: &Settings, kind: Kind) -> Result<Start> {
    let home = Home::new(&settings.program, &clips::folder(&settings.clips, kind)?, 1)?;
    let mut station = home.start()?;
    let start = watch(&mut station)?;
    station.stop()?;
    Ok(start)
}

fn warm(settings: &Settings) -> Result<Vec<Start>> {
    let home = Home::new(&settings.program, &clips::folder(&settings.clips, clips::FIT_3M)?, 1)?;
    let mut station = home.start()?;
    station.wait_prepared(clips::CLIPS, PREPARED_MAX)?;
    station.stop()?;
    let once = || {
        let mut station = home.start()?;
        let start = watch(&mut station)?;
        station.stop()?;
        Ok(start)
    };
    (0..settings.runs).map(|_| once()).collect()
}

/// Waits for the playlist and reads the phases out of the log.
fn watch(station: &mut Station) -> Result<Start> {
    let took = station.until("a playlist of three segments", START_MAX, |station| {
        Ok((station.segments(0)? >= SEGMENTS).then(|| station.age()))
    })?;
    let phases =
        PHASES.map(|(said, _)| if said.is_empty() { Some(took) } else { station.said(said).map(|(at, _)| at) });
    Ok(Start { took, phases })
}
