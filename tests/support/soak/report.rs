//! From figures to verdicts: what held, what did not, and by which rule. Pure.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::Settings;
use super::as_run::Judge;
use super::boundary::Decoded;
use super::ledger::{Law, Ledger};
use super::machine::Sample;
use super::trend::{RULE, Trend, binned, quantile};
use super::viewer::{MACHINE_SECS, OLD_SECS, Seen};

/// Everything that was measured.
#[derive(Debug)]
pub struct Facts {
    pub settings: Settings,
    /// How exactly the station's clock was known, in seconds of the station.
    pub uncertainty: f64,
    pub took: Duration,
    pub seen: Seen,
    pub judge: Judge,
    pub decoded: Decoded,
    /// Boundaries that were not decoded because the decoder was behind.
    pub skipped: u64,
    pub restarts: u64,
    pub history_rows: usize,
    pub history_compared: usize,
    pub warnings: Vec<(String, u64)>,
    pub samples: Vec<Sample>,
}

/// One line of the report.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub claim: String,
    pub holds: bool,
    pub figures: String,
    pub examples: Vec<String>,
}

/// What came of a soak.
#[derive(Debug)]
pub struct Report {
    pub facts: Facts,
    pub verdicts: Vec<Verdict>,
}

/// Growth that would matter, in KiB a day: two MB in a month.
const GROWTH_MATTERS: f64 = 64.0;

/// Fewer days than this have no trend, only limits.
const TREND_DAYS_MIN: f64 = 4.0;

/// What memory may rise from the second quarter to the last where there is no trend, in KiB.
const RISE_MAX: f64 = 16.0 * 1024.0;

/// What the database may take for each airing kept, in bytes; the number of airings kept has a limit.
const BYTES_AN_AIRING_MAX: f64 = 700.0;

/// What lies in the run folder, at most, in bytes: playlists.
const RUN_FOLDER_MAX: u64 = 1 << 20;

impl Report {
    pub fn new(facts: Facts, ledger: &Ledger) -> Self {
        let mut verdicts: Vec<Verdict> = Law::ALL.into_iter().map(|law| of_law(law, &facts, ledger)).collect();
        verdicts.push(enough(&facts));
        verdicts.extend(of_machine(&facts));
        Self { facts, verdicts }
    }

    /// Whether everything held.
    pub fn holds(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.holds)
    }

    /// Returns hours of channel that were watched.
    pub fn hours(&self) -> f64 {
        hours(&self.facts)
    }

    /// Returns the report as text for a terminal.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.summary());
        for verdict in &self.verdicts {
            let word = if verdict.holds { "held  " } else { "BROKEN" };
            let _infallible = writeln!(text, "{word}  {}\n        {}", verdict.claim, verdict.figures);
            for example in &verdict.examples {
                let _infallible = writeln!(text, "          - {example}");
            }
        }
        let _infallible = writeln!(text, "\nTrend: {RULE}");
        text
    }

    /// Returns the whole in a sentence.
    pub fn summary(&self) -> String {
        let Facts { settings, took, judge, .. } = &self.facts;
        let broken = self.verdicts.iter().filter(|verdict| !verdict.holds).count();
        format!(
            "{:.2} days of channel in {} at {} times the world's speed ({} build, ffmpeg {}): {} airings, {} runs, {} wraps \
             of the time stamps. {}",
            self.hours() / 24.0,
            clock(*took),
            settings.speed,
            settings.build,
            settings.ffmpeg.version,
            judge.aired.len(),
            judge.runs,
            judge.wraps(),
            if broken == 0 { "Every law held.".to_owned() } else { format!("{broken} laws were broken.") }
        )
    }

    /// Returns verdicts and figures for programs.
    pub fn json(&self) -> serde_json::Value {
        let Facts { settings, seen, judge, decoded, .. } = &self.facts;
        let extremes = judge.extremes;
        let verdicts: Vec<_> = self.verdicts.iter().map(|verdict| {
            json!({ "claim": verdict.claim, "holds": verdict.holds, "figures": verdict.figures, "examples": verdict.examples })
        }).collect();
        let samples: Vec<_> = self
            .facts
            .samples
            .iter()
            .map(|s| {
                json!([
                    s.hours,
                    s.resident,
                    s.anonymous,
                    s.carrier,
                    s.files,
                    s.carrier_files,
                    s.children,
                    s.database,
                    s.database_log,
                    s.run_folder,
                    s.log,
                    s.cpu
                ])
            })
            .collect();
        json!({
            "holds": self.holds(),
            "days": self.hours() / 24.0,
            "speed": settings.speed,
            "took_seconds": self.facts.took.as_secs_f64(),
            "build": settings.build,
            "ffmpeg": settings.ffmpeg.version,
            "airings": judge.aired.len(),
            "segments": seen.segments,
            "polls": seen.polls,
            "runs": judge.runs,
            "restarts": self.facts.restarts,
            "wraps": judge.wraps(),
            "pairs_of_flash_and_beep": decoded.pairs,
            "boundaries_decoded": decoded.boundaries,
            "boundaries_not_decoded": self.facts.skipped,
            "offset_ms": [decoded.least_ms, decoded.most_ms],
            "seam_ms_max": extremes.seam_ms,
            "length_ms_max": extremes.length_ms,
            "announced_ms_max": extremes.announced_ms,
            "dark_seconds": seen.dark_secs,
            "late_world_seconds_max": seen.late_world_secs,
            "verdicts": verdicts,
            "sample_columns": ["hours", "resident_kib", "anonymous_kib", "carrier_resident_kib", "files", "carrier_files",
                "children", "database", "database_log", "run_folder", "log", "cpu_seconds"],
            "samples": samples,
        })
    }
}

fn hours(facts: &Facts) -> f64 {
    facts.seen.first.zip(facts.seen.now).map_or(0.0, |(first, now)| now.duration_since(first).as_secs_f64() / 3600.0)
}

fn clock(time: Duration) -> String {
    let secs = time.as_secs();
    format!("{}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
}

fn of_law(law: Law, facts: &Facts, ledger: &Ledger) -> Verdict {
    let count = ledger.count(law);
    let mut figures = figures(law, facts);
    if count > 0 {
        figures = format!("{count} times broken; {figures}");
    }
    Verdict { claim: law.sentence().to_owned(), holds: count == 0, figures, examples: ledger.examples(law).to_vec() }
}

fn figures(law: Law, facts: &Facts) -> String {
    let Facts { seen, judge, decoded, .. } = facts;
    let extremes = judge.extremes;
    #[expect(clippy::cast_precision_loss, reason = "gigabytes at most")]
    let megabytes = seen.bytes as f64 / 1e6;
    match law {
        Law::Playlist => format!("{} playlists in {} refreshes", seen.playlists, seen.polls),
        Law::Fetched => format!("{} segments, {megabytes:.0} MB", seen.segments),
        Law::Promised => {
            format!(
                "{} asked for again after they left; the viewer came too late for {}",
                seen.again, seen.too_late_to_ask
            )
        }
        Law::Transport | Law::SameBytes => format!("{} airings, every packet", judge.aired.len()),
        Law::Continuous => {
            format!("stamps at seams at most {:.2} ms off; {} wraps crossed", extremes.seam_ms, judge.wraps())
        }
        Law::Runs => {
            format!("{} runs, {} restarts, {} discontinuities", judge.runs, facts.restarts, judge.discontinuities)
        }
        Law::InStep => format!(
            "{} boundaries decoded, {} pairs, {:.2} to {:.2} ms; {} not decoded (their stamps were judged)",
            decoded.boundaries, decoded.pairs, decoded.least_ms, decoded.most_ms, facts.skipped
        ),
        Law::Stamps => format!("at most {} ticks of 1/90,000 s", extremes.stamps_ticks),
        Law::Order => format!("{} airings", judge.aired.len()),
        Law::Length => format!("at most {:.1} ms off", extremes.length_ms),
        Law::Announced => {
            format!("at most {:.1} ms from the first word; not asked in time: {}", extremes.announced_ms, judge.unasked)
        }
        Law::History => format!("{} of {} rows compared", facts.history_compared, facts.history_rows),
        Law::Clock => format!(
            "stamps and dates {:.1} ms apart at most; the clock was known to {:.0} ms",
            extremes.stamp_drift_ms,
            facts.uncertainty * 1e3
        ),
        Law::Fresh => {
            let lag = |part| quantile(seen.lags.clone(), part);
            format!(
                "edge {:.1} s old at the median, {:.1} s at 99 %, {:.1} s at 99.9 %; {} refreshes beyond {OLD_SECS} s, by \
                 {:.0} ms of the world at most ({:.0} ms are the machine's)",
                lag(0.5),
                lag(0.99),
                lag(0.999),
                seen.old,
                seen.late_world_secs * 1e3,
                MACHINE_SECS * 1e3
            )
        }
        Law::Dark => format!("{:.1} dark seconds; dates {:.2} ms apart at most", seen.dark_secs, extremes.dates_ms),
        Law::Errors => {
            let told: Vec<String> = facts.warnings.iter().map(|(what, count)| format!("{count} × {what:?}")).collect();
            if told.is_empty() { "none".to_owned() } else { told.join(", ") }
        }
    }
}

/// A soak that saw too little proves nothing.
fn enough(facts: &Facts) -> Verdict {
    let (hours, airings) = (hours(facts), facts.judge.aired.len());
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let runs = facts.judge.runs.max(1) as f64;
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let (airings_due, boundaries, decoded) = (hours * 20.0, airings as f64, facts.decoded.boundaries as f64);
    let wraps_due = hours / runs + f64::from(facts.settings.first_timestamp) / 3600.0 > 26.6;
    let holds = hours >= facts.settings.hours * 0.99
        && boundaries >= airings_due
        && decoded >= boundaries * 0.25
        && (!wraps_due || facts.judge.wraps() > 0);
    Verdict {
        claim: "Enough was seen to say so".to_owned(),
        holds,
        figures: format!("{hours:.1} h, {airings} airings, {decoded} boundaries decoded"),
        examples: Vec::new(),
    }
}

fn of_machine(facts: &Facts) -> Vec<Verdict> {
    let samples = &facts.samples;
    let points = |value: &dyn Fn(&Sample) -> Option<f64>| -> Vec<(f64, f64)> {
        samples.iter().filter_map(|sample| Some((sample.hours / 24.0, value(sample)?))).collect()
    };
    let kib = |value: u64| {
        #[expect(clippy::cast_precision_loss, reason = "KiB of memory")]
        let kib = value as f64;
        kib
    };
    let mut verdicts = vec![
        grows("Memory of the server does not grow", "KiB", &points(&|sample| Some(kib(sample.resident)))),
        grows("Memory of the on-air ffmpeg does not grow", "KiB", &carried(samples)),
    ];
    let mut bounded = |claim: &str, holds: bool, figures: String| {
        verdicts.push(Verdict { claim: claim.to_owned(), holds, figures, examples: Vec::new() });
    };
    let third = samples.len() / 3;
    let most = |part: &[Sample], value: fn(&Sample) -> usize| part.iter().map(value).max().unwrap_or(0);
    let (early, late) = (&samples[..samples.len() - third], &samples[samples.len() - third..]);
    for (claim, value) in [
        ("File handles of the server do not grow", (|sample| sample.files) as fn(&Sample) -> usize),
        ("File handles of the on-air ffmpeg do not grow", |sample| sample.carrier_files),
    ] {
        let (before, after) = (most(early, value), most(late, value));
        bounded(claim, after <= before + 4, format!("at most {before} in the first two thirds, {after} in the last"));
    }
    let children = most(samples, |sample| sample.children);
    bounded(
        "The station has one child for a channel",
        children <= 2,
        format!("at most {children}, two where a run follows another"),
    );
    if let (Some(first), Some(last)) = (samples.first(), samples.last()) {
        let airings = facts.judge.aired.len().max(1);
        #[expect(clippy::cast_precision_loss, reason = "bytes of a small database")]
        let each = last.database.saturating_sub(first.database) as f64 / airings as f64;
        let log = samples.iter().map(|sample| sample.database_log).max().unwrap_or(0);
        let run = samples.iter().map(|sample| sample.run_folder).max().unwrap_or(0);
        let days = (hours(facts) / 24.0).max(0.01);
        // A database that began small grows to its working size first: its plan, its log.
        let holds = (each <= BYTES_AN_AIRING_MAX || last.database < 8 << 20) && log < 32 << 20;
        let figures = format!(
            "{:.2} MB after {airings} airings, {each:.0} bytes each (a history of at most 100,000); its log at most {:.1} MB",
            kib(last.database) / 1e6,
            kib(log) / 1e6
        );
        bounded("The database grows by its history alone, and that has a limit", holds, figures);
        bounded("The run folder has a limit", run <= RUN_FOLDER_MAX, format!("at most {:.2} MB", kib(run) / 1e6));
        // The slate is drawn while the first items are on air already.
        let settled = samples.get(samples.len() / 3).unwrap_or(first);
        bounded("The cache is as it was", last.cache == settled.cache, format!("{:.2} MB", kib(last.cache) / 1e6));
        let logged = kib(last.log) / days / 1e6;
        bounded("The log is modest", logged < 5.0, format!("{logged:.2} MB a day"));
        let cpu = (last.cpu - first.cpu) / (hours(facts) * 3600.0).max(1.0);
        bounded("CPU", true, format!("server {:.4} % of a core at the world's speed", cpu * 100.0));
    }
    verdicts
}

/// The on-air ffmpeg's memory, counted from where each run stood after its first tenth: a new run begins anew.
fn carried(samples: &[Sample]) -> Vec<(f64, f64)> {
    let mut points = Vec::new();
    for run in samples.chunk_by(|a, b| a.carrier_pid == b.carrier_pid).filter(|run| run[0].carrier_pid > 0) {
        #[expect(clippy::cast_precision_loss, reason = "KiB of memory")]
        let values = run.iter().skip(run.len() / 10).filter_map(|s| Some((s.hours / 24.0, s.carrier? as f64)));
        points.extend(values);
    }
    points
}

/// Judges whether memory grows: by its trend where there are days enough, else by a limit.
fn grows(claim: &str, unit: &str, points: &[(f64, f64)]) -> Verdict {
    let values = |part: &[(f64, f64)]| part.iter().map(|point| point.1).collect::<Vec<_>>();
    let most = quantile(values(points), 1.0);
    let days = points.last().map_or(0.0, |last| last.0);
    let trend = (days >= TREND_DAYS_MIN).then(|| {
        let late: Vec<_> = points.iter().copied().filter(|point| point.0 >= days / 3.0).collect();
        Trend::of(&binned(&late, 1.0 / 8.0))
    });
    let (holds, figures) = if let Some(Some(trend)) = trend {
        let harmless = trend.high < GROWTH_MATTERS;
        let word = match (trend.is_flat(), harmless) {
            (true, _) => "no growth to be told from zero".to_owned(),
            (false, true) if trend.high < 0.0 => "it shrinks".to_owned(),
            (false, true) => format!("not zero, and below the {GROWTH_MATTERS} {unit} a day that would matter"),
            (false, false) => "IT GROWS".to_owned(),
        };
        let Trend { slope, low, high } = trend;
        (
            trend.is_flat() || harmless,
            format!("{slope:.2} {unit} a day ({low:.2} to {high:.2}): {word}; at most {most:.0} {unit}"),
        )
    } else {
        let quarter = points.len() / 4;
        let second = quantile(values(&points[quarter..2 * quarter]), 0.5);
        let last = quantile(values(&points[points.len() - quarter..]), 0.5);
        let figures =
            format!("{second:.0} {unit} in the second quarter, {last:.0} in the last; too few days for a trend");
        (last <= second + RISE_MAX && most > 0.0, figures)
    };
    Verdict { claim: claim.to_owned(), holds, figures, examples: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Points = Vec<(f64, f64)>;

    fn month(value: impl Fn(f64) -> f64) -> Points {
        (0..1440).map(|n| f64::from(n) / 48.0).map(|day| (day, value(day))).collect()
    }

    #[test]
    fn growth_of_memory_is_judged() {
        let cases: [(&str, bool, Points); 5] = [
            ("flat", true, month(|day| 20_000.0 + (day * 50.0).sin() * 100.0)),
            ("filling up in the first days", true, month(|day| 20_000.0 + day.min(8.0) * 1000.0)),
            ("a megabyte a day", false, month(|day| 20_000.0 + day * 1024.0)),
            ("a kilobyte a day", true, month(|day| 20_000.0 + day)),
            (
                "a short look that jumps",
                false,
                month(|day| 20_000.0 + day * 1e4).into_iter().take(96).map(|p| (p.0, p.1 * 2.0)).collect(),
            ),
        ];
        for (sentence, holds, points) in cases {
            let verdict = grows("memory", "KiB", &points);
            assert_eq!(verdict.holds, holds, "{sentence}: {}", verdict.figures);
        }
    }

    #[test]
    fn each_run_of_ffmpeg_is_counted_without_its_beginning() {
        let sample =
            |n: u32, pid, carrier| Sample { hours: f64::from(n), carrier_pid: pid, carrier, ..Sample::default() };
        let runs = (0..30).map(|n| sample(n, if n < 20 { 7 } else { 8 }, Some(u64::from(n))));
        let gone = [sample(30, 0, None)];
        let points = carried(&runs.chain(gone).collect::<Vec<_>>());
        assert_eq!(points.len(), 18 + 9);
        assert!((points[0].1 - 2.0).abs() < 1e-9 && (points[18].1 - 21.0).abs() < 1e-9);
    }
}
