//! The soak: days of channel in minutes, watched from outside. The real program and the real ffmpeg under a fast clock;
//! everything a viewer gets is judged, and what the machine pays is measured.
#![expect(clippy::disallowed_methods, reason = "starts programs, reads clocks and files")]

pub mod as_run;
pub mod boundary;
pub mod history;
pub mod ledger;
pub mod library;
pub mod machine;
pub mod page;
pub mod report;
pub mod station;
pub mod transport;
pub mod trend;
pub mod viewer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};

use self::as_run::{Announced, Judge, Piece, Word};
use self::boundary::{Boundary, Decoded};
use self::ledger::{Law, Ledger};
use self::machine::Sample;
use self::report::{Facts, Report};
use self::station::{Home, StationClock};
use self::viewer::{Shared, Viewer};
use crate::support::ffmpegs::Ffmpeg;

/// What is to be soaked, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    pub program: PathBuf,
    pub ffmpeg: Ffmpeg,
    /// How many hours of channel.
    pub hours: f64,
    pub speed: f64,
    /// What the stamps of each run begin with, in seconds.
    pub first_timestamp: u32,
    /// Lines of a run's list, one for each airing: fewer than [`SLOTS`] where the end of a list is to be seen sooner.
    pub slots: usize,
    /// How the program was built, for the report.
    pub build: &'static str,
}

/// How far it is.
#[derive(Clone, Debug)]
pub struct Progress {
    pub hours: f64,
    pub of: f64,
    pub segments: u64,
    pub airings: u64,
    /// How many violations, and the last of those that are told.
    pub wrong: (u64, Option<String>),
    /// Of the world's time.
    pub passed: Duration,
}

/// The station is looked at this often, in the world's time.
const LOOK: Duration = Duration::from_millis(700);

/// Segments that may wait to be judged, and boundaries to be decoded; beyond, a boundary is judged by its stamps alone.
const PIECES_MAX: usize = 4096;
const BOUNDARIES_MAX: usize = 400;

/// Boundaries decoded in one go.
const BATCH: usize = 40;

/// Plans told so far, by serial, and when the station was last asked.
#[derive(Debug, Default)]
struct Plan {
    told: BTreeMap<u64, Announced>,
    asked: Vec<Timestamp>,
}

/// Runs the soak to its end.
///
/// # Errors
/// When it cannot be run at all. What it finds wrong is in the report.
pub fn run(settings: &Settings, mut progress: impl FnMut(Progress)) -> Result<Report> {
    let home = Home::new(settings)?;
    let patient = home.patient(&settings.ffmpeg);
    prepare(&home)?;

    let began = Instant::now();
    let station = home.start(settings.speed, settings.first_timestamp, "station.log")?;
    let mut client = station.on_air()?;
    let clock = StationClock::ask(&mut client, settings.speed)?;
    let first = clock.earliest(Instant::now());
    let end = first + SignedDuration::try_from_secs_f64(settings.hours * 3600.0)?;

    let shared = Shared::default();
    let (plan, airings, done) = (Mutex::new(Plan::default()), AtomicU64::new(0), AtomicBool::new(false));
    let (pieces, to_judge) = sync_channel(PIECES_MAX);
    let (boundaries, to_decode) = sync_channel(BOUNDARIES_MAX);
    let mut samples = Vec::new();
    let (judge, decoded, skipped) = std::thread::scope(|scope| -> Result<(Judge, Decoded, u64)> {
        let (shared, plan, airings, done, folder) = (&shared, &plan, &airings, &done, home.path(""));
        let patient = &patient;
        let client_of_viewer = station.client();
        let viewer = scope.spawn(move || {
            let watched = Viewer::new(clock, client_of_viewer, shared, pieces).watch(end);
            done.store(true, Ordering::Relaxed);
            watched
        });
        let judge = scope.spawn(move || judge(&to_judge, &boundaries, shared, plan, airings));
        let decoder = scope.spawn(move || decode(&to_decode, patient, &folder, shared));
        while !done.load(Ordering::Relaxed) {
            ask_for_plan(&mut client, plan)?;
            let hours = clock.earliest(Instant::now()).duration_since(first).as_secs_f64() / 3600.0;
            samples.push(Sample::take(station.pid(), &home.path("data"), &station.log, hours));
            progress(Progress {
                hours,
                of: settings.hours,
                segments: shared.seen.lock().unwrap_or_else(PoisonError::into_inner).segments,
                airings: airings.load(Ordering::Relaxed),
                wrong: shared.ledger.lock().unwrap_or_else(PoisonError::into_inner).told(),
                passed: began.elapsed(),
            });
            std::thread::park_timeout(LOOK);
        }
        viewer.join().expect("the viewer does not panic").context("the viewer was turned away")?;
        let (judge, skipped) = judge.join().expect("the judge does not panic");
        Ok((judge, decoder.join().expect("the decoder does not panic"), skipped))
    })?;

    let took = began.elapsed();
    let restarts = client.json("/api/channels/one")?["restarts"].as_u64().unwrap_or(0);
    let log = station.log.clone();
    station.stop()?;
    let mut ledger = shared.ledger.into_inner().unwrap_or_else(PoisonError::into_inner);
    let rows = history::read(&home.path("data/station.sqlite"))?;
    let compared = history::compare(&rows, &judge.aired, &mut ledger);
    let warnings = judge_log(&log, restarts, &mut ledger)?;
    judge_restarts(&judge, restarts, settings.slots, &mut ledger);
    let seen = shared.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    let facts = Facts {
        settings: settings.clone(),
        uncertainty: clock.uncertainty(),
        took,
        seen,
        judge,
        decoded,
        skipped,
        restarts,
        history_rows: rows.len(),
        history_compared: compared,
        warnings,
        samples,
    };
    Ok(Report::new(facts, &ledger))
}

/// The station's first life: everything is made ready, at the world's speed.
fn prepare(home: &Home) -> Result<()> {
    let mut station = home.start(1.0, 0, "preparing.log")?;
    station.prepared(library::kinds().len())?;
    station.rests()?;
    station.stop()
}

/// A run ends when its list does, and for no other reason.
fn judge_restarts(judge: &Judge, restarts: u64, slots: usize, ledger: &mut Ledger) {
    ledger.holds(Law::Runs, judge.runs == restarts + 1, || {
        format!("{} runs were seen, and the station tells {restarts} restarts", judge.runs)
    });
    // The feed is ahead of what is seen by an airing or two.
    let (least, most) = (judge.aired.len() / slots, (judge.aired.len() + AHEAD_MAX) / slots);
    let due = least as u64..=most as u64;
    ledger.holds(Law::Runs, due.contains(&restarts), || {
        format!("{restarts} restarts, and {due:?} lists came to their end")
    });
}

/// Lines of a run's list, as the station writes it.
pub const SLOTS: usize = 10_000;

/// How many airings may have been fed that were not judged yet.
const AHEAD_MAX: usize = 20;

/// Notes what the station says will come.
fn ask_for_plan(client: &mut station::Client, plan: &Mutex<Plan>) -> Result<()> {
    let told = client.json("/api/channels/one")?;
    let asked: Timestamp = told["server_time"].as_str().context("no server_time")?.parse()?;
    let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
    plan.asked.push(asked);
    for next in told["next"].as_array().into_iter().flatten() {
        let announced = || {
            let start = next["start"].as_str()?.parse().ok()?;
            let (secs, title) = (next["duration_seconds"].as_f64()?, next["title"].as_str()?.to_owned());
            Some((next["serial"].as_u64()?, Announced { asked, start, secs, title }))
        };
        if let Some((serial, announced)) = announced() {
            // The first word counts.
            plan.told.entry(serial).or_insert(announced);
        }
    }
    Ok(())
}

/// Judges segments as they come; returns the judge and how many boundaries could not be handed on to be decoded.
fn judge(
    pieces: &Receiver<Piece>,
    boundaries: &SyncSender<Boundary>,
    shared: &Shared,
    plan: &Mutex<Plan>,
    airings: &AtomicU64,
) -> (Judge, u64) {
    let (mut judge, mut skipped) = (Judge::default(), 0);
    while let Ok(piece) = pieces.recv() {
        let word = piece.begins.as_ref().map(|begun| {
            let plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
            Word {
                announced: plan.told.get(&begun.serial).cloned(),
                before: plan.told.range(..begun.serial).next_back().map(|(serial, _)| *serial),
                asked: plan.asked.iter().rev().find(|asked| **asked <= piece.date).copied(),
            }
        });
        let mut ledger = shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let boundary = judge.take(piece, &word.unwrap_or_default(), &mut ledger);
        drop(ledger);
        airings.store(judge.aired.len() as u64, Ordering::Relaxed);
        if let Some(boundary) = boundary
            && boundaries.try_send(boundary).is_err()
        {
            skipped += 1;
        }
    }
    (judge, skipped)
}

/// Decodes boundaries, many in one go, after everybody else: it is the one who can wait.
fn decode(boundaries: &Receiver<Boundary>, ffmpeg: &Ffmpeg, folder: &Path, shared: &Shared) -> Decoded {
    // Of this thread, and of the children it will have. Where it is forbidden, nothing is lost but speed.
    let _as_it_is = rustix::process::nice(5);
    let mut sum = Decoded::default();
    let mut batch: Vec<Boundary> = Vec::new();
    let mut flush = |batch: &mut Vec<Boundary>| {
        if batch.is_empty() {
            return;
        }
        let decoded = boundary::decode(ffmpeg, folder, batch);
        batch.clear();
        sum.boundaries += decoded.boundaries;
        sum.pairs += decoded.pairs;
        (sum.least_ms, sum.most_ms) = (sum.least_ms.min(decoded.least_ms), sum.most_ms.max(decoded.most_ms));
        let mut ledger = shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        decoded.faults.into_iter().for_each(|fault| ledger.breach(Law::InStep, || fault));
    };
    while let Ok(next) = boundaries.recv() {
        if batch.len() >= BATCH || !boundary::goes_after(&batch, &next) {
            flush(&mut batch);
        }
        batch.push(next);
    }
    flush(&mut batch);
    sum
}

/// Counts warnings and errors by what they say; all but those of a list's end are breaches.
fn judge_log(log: &Path, restarts: u64, ledger: &mut ledger::Ledger) -> Result<Vec<(String, u64)>> {
    let text = std::fs::read_to_string(log)?;
    let mut counts: Vec<(String, u64)> = Vec::new();
    for line in text.lines() {
        let Ok(told) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        if !matches!(told["level"].as_str(), Some("WARN" | "ERROR")) {
            continue;
        }
        let message = told["fields"]["message"].as_str().or(told["message"].as_str()).unwrap_or("?").to_owned();
        match counts.iter_mut().find(|(known, _)| *known == message) {
            Some((_, count)) => *count += 1,
            None => counts.push((message.clone(), 1)),
        }
        // Programmes begin so often under a fast clock that not every line about them is written.
        let hurried = message.contains("came too often") && told["fields"]["level"] == "INFO";
        let expected = hurried || (message.contains("on-air ffmpeg ended") && restarts > 0);
        ledger.holds(Law::Errors, expected, || line.chars().take(300).collect());
    }
    Ok(counts)
}
