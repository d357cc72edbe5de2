//! What all simulated viewers saw, summed up. Pure.

use std::time::Duration;

use serde::Serialize;

use crate::cli::table::{Align, aligned};

/// A playlist that is answered later is late: players and people do not notice less.
pub const LATE: Duration = Duration::from_millis(100);

/// Steps of a histogram for each doubling: a figure is at most a thirty-second too large.
const STEPS: usize = 32;

/// Doublings of a microsecond: up to some twenty minutes.
const DOUBLINGS: usize = 31;

/// How long things took, in steps that grow with the length: small, however many are counted.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    max: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; STEPS * DOUBLINGS], count: 0, max: Duration::ZERO }
    }
}

impl Histogram {
    /// Counts one.
    pub fn add(&mut self, took: Duration) {
        let micros = usize::try_from(took.as_micros()).unwrap_or(usize::MAX);
        self.counts[step(micros).min(STEPS * DOUBLINGS - 1)] += 1;
        self.count += 1;
        self.max = self.max.max(took);
    }

    /// Returns how many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns how long the quickest part took at the most, as a share of a thousand; nought of nothing.
    #[must_use]
    pub fn within(&self, of_a_thousand: u64) -> Duration {
        let wanted = (self.count * of_a_thousand).div_ceil(1000);
        let mut passed = 0;
        for (step, count) in self.counts.iter().enumerate() {
            passed += count;
            if passed >= wanted && passed > 0 {
                return end(step).min(self.max);
            }
        }
        self.max
    }

    fn delays(&self) -> Delays {
        let millis = |took: Duration| (took.as_secs_f64() * 1e6).round() / 1000.0;
        let [p50, p95, p99] = [500, 950, 990].map(|share| millis(self.within(share)));
        Delays { count: self.count, p50_ms: p50, p95_ms: p95, p99_ms: p99, max_ms: millis(self.max) }
    }
}

/// Returns the step of so many microseconds: exact up to [`STEPS`], then so many for each doubling.
fn step(micros: usize) -> usize {
    if micros < STEPS {
        return micros;
    }
    let doublings = (micros / STEPS).ilog2() as usize;
    (doublings + 1) * STEPS + (micros >> doublings) - STEPS
}

/// Returns the longest time that belongs to a step.
fn end(step: usize) -> Duration {
    let (doublings, within) = ((step / STEPS).saturating_sub(1), step % STEPS);
    let micros = if step < STEPS { step } else { ((within + STEPS + 1) << doublings) - 1 };
    Duration::from_micros(micros as u64)
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No connection could be made.
    Connect,
    /// The station said that it has no seats left.
    NoSeat,
    /// The station closed a connection: as a rule its seat was given to a newcomer.
    Closed,
    /// An answer with another status than 200.
    Status,
    /// No answer within the limit.
    Silent,
    /// An answer that no viewer understands.
    Unclear,
}

impl Fault {
    /// Every kind, in their order.
    pub const ALL: [Self; 6] = [Self::Connect, Self::NoSeat, Self::Closed, Self::Status, Self::Silent, Self::Unclear];

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Connect => ("connect", "no connection"),
            Self::NoSeat => ("no_seat", "no seat left (503)"),
            Self::Closed => ("closed", "connection closed by the station"),
            Self::Status => ("status", "status other than 200"),
            Self::Silent => ("silent", "no answer in time"),
            Self::Unclear => ("unclear", "answer not understood"),
        }
    }
}

/// What is counted while viewers watch.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// From the request for a playlist to its last byte.
    pub playlists: Histogram,
    /// The same of segments.
    pub segments: Histogram,
    /// Playlists that did not change for too long.
    pub old: u64,
    /// Segments that took longer to come than they play.
    pub slow: u64,
    /// Bytes of all bodies.
    pub bytes: u64,
    late: u64,
    faults: [u64; Fault::ALL.len()],
}

impl Tally {
    /// Begins to measure: what went wrong while the viewers came stays counted, all else begins again.
    pub fn begin(&mut self) {
        let faults = self.faults;
        *self = Self { faults, ..Self::default() };
    }

    /// Counts a playlist.
    pub fn playlist(&mut self, took: Duration, bytes: usize) {
        self.playlists.add(took);
        self.late += u64::from(took > LATE);
        self.bytes += bytes as u64;
    }

    /// Counts a segment that plays so long.
    pub fn segment(&mut self, took: Duration, length: Duration, bytes: usize) {
        self.segments.add(took);
        self.slow += u64::from(took > length);
        self.bytes += bytes as u64;
    }

    /// Counts what went wrong.
    pub fn fault(&mut self, fault: Fault) {
        self.faults[fault as usize] += 1;
    }

    /// Returns how often anything went wrong.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.faults.iter().sum()
    }

    /// Returns the figures of so many viewers over so long.
    #[must_use]
    pub fn summary(&self, viewers: usize, lasted: Duration) -> Summary {
        let per_second = |count: u64| (precise(count) / lasted.as_secs_f64().max(0.001)).round();
        let limited = self.faults[Fault::NoSeat as usize] + self.faults[Fault::Closed as usize] > 0;
        let told = Fault::ALL.iter().zip(self.faults).filter(|(_, count)| *count > 0);
        let p99_in_time = self.playlists.within(990) < LATE;
        let nothing_wrong = self.late + self.old + self.slow + self.faults() == 0;
        Summary {
            viewers,
            seconds: (lasted.as_secs_f64() * 10.0).round() / 10.0,
            held: self.playlists.count() > 0 && p99_in_time && nothing_wrong,
            playlists: self.playlists.delays(),
            segments: self.segments.delays(),
            playlists_late: self.late,
            playlists_old: self.old,
            segments_slow: self.slow,
            playlists_per_second: per_second(self.playlists.count()),
            bytes_per_second: per_second(self.bytes),
            errors: told.map(|(fault, count)| (fault.words().0.to_owned(), count)).collect(),
            seats_ran_out: limited,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "bytes of minutes: far below 2^53")]
fn precise(count: u64) -> f64 {
    count as f64
}

/// How long answers took, in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Delays {
    count: u64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

/// What came of a crowd.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How many watched.
    pub viewers: usize,
    /// How long was measured, after all had come.
    pub seconds: f64,
    /// Whether nobody noticed the others: 99 of 100 playlists within 100 ms, none late or old, no segment slower than it
    /// plays, and nothing went wrong.
    pub held: bool,
    playlists: Delays,
    segments: Delays,
    playlists_late: u64,
    playlists_old: u64,
    segments_slow: u64,
    playlists_per_second: f64,
    bytes_per_second: f64,
    errors: std::collections::BTreeMap<String, u64>,
    /// Whether the station's own limit of connections was met.
    pub seats_ran_out: bool,
}

/// What is said where the station's own limit is what was measured.
const SEATS: &str = "The station had no seats for all of them: its own limit is measured here, not the machine (hint: raise \
                     \"connections-max\" in [station]; a viewer needs one connection here, and a browser up to two).";

impl Summary {
    /// Returns the figures as a table for people, with what was concluded.
    #[must_use]
    pub fn text(&self) -> String {
        let row = |what: &str, delays: &Delays| {
            let millis = [delays.p50_ms, delays.p95_ms, delays.p99_ms, delays.max_ms].map(|ms| format!("{ms:.1} ms"));
            let [p50, p95, p99, max] = millis;
            [what.to_owned(), delays.count.to_string(), p50, p95, p99, max]
        };
        let head = ["", "answers", "p50", "p95", "p99", "max"].map(str::to_owned);
        let rows = [head, row("playlists", &self.playlists), row("segments", &self.segments)];
        let mut columns = [Align::Right; 6];
        columns[0] = Align::Left;
        let mut text = aligned(columns, &rows);
        let line = |what: &str, count: String| format!("{what:<34}{count}\n");
        text.push('\n');
        text += &line("playlists later than 100 ms", self.playlists_late.to_string());
        text += &line("playlists older than 2 targets", self.playlists_old.to_string());
        text += &line("segments slower than they play", self.segments_slow.to_string());
        for fault in Fault::ALL {
            if let Some(count) = self.errors.get(fault.words().0) {
                text += &line(fault.words().1, count.to_string());
            }
        }
        text += &line("playlists a second", format!("{:.0}", self.playlists_per_second));
        text += &line("bytes a second", format!("{:.1} MB", self.bytes_per_second / 1e6));
        let verdict = if self.held { "held" } else { "not held" };
        text += "\n";
        text += &line(&format!("{} viewers over {:.0} s", self.viewers, self.seconds), verdict.to_owned());
        if self.seats_ran_out {
            text.push_str(SEATS);
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Change = fn(&mut Tally);

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_slowest_of_a_thousand_is_found_where_it_is() {
        let mut times = Histogram::default();
        (1..=1000).for_each(|millis| times.add(Duration::from_millis(millis)));
        for (share, millis) in [(500, 500.0), (950, 950.0), (990, 990.0), (1000, 1000.0)] {
            let got = times.within(share).as_secs_f64() * 1000.0;
            assert!((millis..=millis * 1.032).contains(&got), "{share}: {got}");
        }
        assert_eq!((Histogram::default().within(990), times.count()), (Duration::ZERO, 1000));
    }

    #[test]
    fn a_crowd_is_held_when_nobody_notices_it() {
        let ms = Duration::from_millis;
        let good = |tally: &mut Tally| (0..200).for_each(|_| tally.playlist(ms(5), 1000));
        let cases: [(&str, Change, bool); 7] = [
            ("all is well", |_| {}, true),
            ("one playlist is late", |tally| tally.playlist(Duration::from_millis(101), 1), false),
            ("one playlist is just in time", |tally| tally.playlist(Duration::from_millis(99), 1), true),
            ("one is old", |tally| tally.old += 1, false),
            ("a segment as long as it plays", |tally| tally.segment(SECOND, SECOND, 1), true),
            ("a segment longer than it plays", |tally| tally.segment(2 * SECOND, SECOND, 1), false),
            ("no seat", |tally| tally.fault(Fault::NoSeat), false),
        ];
        for (sentence, change, held) in cases {
            let mut tally = Tally::default();
            good(&mut tally);
            change(&mut tally);
            let summary = tally.summary(10, SECOND);
            assert_eq!(summary.held, held, "{sentence}");
            assert!(summary.text().contains(if held { " held" } else { "not held" }), "{sentence}");
        }
        assert!(!Tally::default().summary(10, SECOND).held, "nothing was measured");
    }

    #[test]
    fn it_is_told_when_the_stations_own_limit_is_measured() {
        let mut tally = Tally::default();
        tally.fault(Fault::Closed);
        tally.begin();
        let summary = tally.summary(10, SECOND);
        assert!(summary.seats_ran_out && summary.text().contains("connections-max"), "{}", summary.text());
        assert_eq!(summary.errors, [("closed".to_owned(), 1)].into());
    }

    #[test]
    fn what_came_before_the_measuring_is_not_in_the_figures() {
        let mut tally = Tally::default();
        tally.playlist(9 * SECOND, 100);
        tally.begin();
        tally.playlist(Duration::from_millis(4), 500);
        tally.segment(Duration::from_millis(40), 2 * SECOND, 1500);
        let json = serde_json::to_value(tally.summary(3, 2 * SECOND)).unwrap();
        assert_eq!((json["playlists"]["count"].as_u64(), json["bytes_per_second"].as_f64()), (Some(1), Some(1000.0)));
        assert_eq!((json["playlists"]["max_ms"].as_f64(), json["held"].as_bool()), (Some(4.0), Some(true)));
    }

    proptest! {
        /// Every time is within its step, and steps are at most a thirty-second wide.
        #[test]
        fn a_step_ends_at_or_a_little_after_what_is_counted_in_it(micros in 0_usize..1_000_000_000) {
            let end = end(step(micros)).as_micros() as usize;
            prop_assert!(end >= micros && end <= micros + micros / STEPS, "{} {}", micros, end);
        }
    }
}
