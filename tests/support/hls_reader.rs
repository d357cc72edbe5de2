//! A viewer who forgives nothing: reads a media playlist at each refresh and tells every breach of RFC 8216.
//!
//! Written from the RFC and sharing no code with the station.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::hls_text::{self, Playlist};
pub use super::hls_text::{Segment, Violation};

/// What the RFC leaves open.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How far a segment's date-time may be from the end of the one before it, in the same discontinuity.
    pub date_time_tolerance: SignedDuration,
    /// How far a segment's date-time may lie after the moment of the refresh.
    pub future_allowance: SignedDuration,
    /// After how many target durations without a new segment the playlist is stale (§6.2.2 says 1.5). None where the
    /// refreshes are too rare to tell.
    pub stale_after: Option<f64>,
    /// Whether the wall clock is set while the viewer watches: then dates may go back, at a discontinuity only, and what
    /// was dated before may lie in the future afterwards.
    pub clock_is_set: bool,
}

impl Default for Rules {
    fn default() -> Self {
        let date_time_tolerance = SignedDuration::from_millis(50);
        Self { date_time_tolerance, future_allowance: SignedDuration::ZERO, stale_after: None, clock_is_set: false }
    }
}

/// What a refresh without a violation brought.
#[derive(Clone, Debug)]
pub struct Observation {
    /// EXT-X-TARGETDURATION in seconds.
    pub target_secs: u64,
    /// EXT-X-MEDIA-SEQUENCE.
    pub media_sequence: u64,
    /// EXT-X-DISCONTINUITY-SEQUENCE.
    pub discontinuity_sequence: u64,
    /// All segments listed.
    pub segments: Vec<Segment>,
    /// How many of them, at the end, are new.
    pub new: usize,
    /// How many segments came and went between two refreshes, never seen.
    pub missed: u64,
}

impl Observation {
    /// Returns the segments that are new.
    pub fn new_segments(&self) -> &[Segment] {
        &self.segments[self.segments.len() - self.new..]
    }
}

/// Remembers all it has seen of one playlist.
#[derive(Debug, Default)]
pub struct Reader {
    rules: Rules,
    last: Option<Playlist>,
    last_new_at: Option<Timestamp>,
    was_long: bool,
    numbers: HashMap<String, u64>,
    date_ranges: BTreeMap<String, BTreeMap<String, String>>,
}

impl Reader {
    /// Returns a reader that has seen nothing, with the usual rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a reader with other rules.
    pub fn with_rules(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Reads the playlist as it was at a moment of the station's clock.
    ///
    /// # Errors
    /// Every rule broken by this text or by the change since the last. The text counts as seen all the same.
    pub fn observe(&mut self, text: &str, at: Timestamp) -> Result<Observation, Vec<Violation>> {
        let (playlist, mut violations) = hls_text::read(text);
        let mut laws = Laws { violations: &mut violations };
        laws.date_times(&playlist, &self.rules, at);
        laws.numbers(&playlist, &mut self.numbers);
        laws.date_ranges(&playlist, &mut self.date_ranges);
        let (mut new, mut missed) = (playlist.segments.len(), 0);
        if let Some(last) = &self.last {
            laws.refresh(last, &playlist);
            let end = last.media_sequence + last.segments.len() as u64;
            new = playlist.segments.iter().filter(|segment| segment.msn >= end).count();
            missed = playlist.media_sequence.saturating_sub(end);
        }
        laws.window(&playlist, &mut self.was_long);
        laws.freshness(&playlist, &self.rules, self.last_new_at, new, at);
        if new > 0 || self.last_new_at.is_none() {
            self.last_new_at = Some(at);
        }
        let observation = Observation {
            target_secs: playlist.target_secs.unwrap_or(0),
            media_sequence: playlist.media_sequence,
            discontinuity_sequence: playlist.discontinuity_sequence,
            segments: playlist.segments.clone(),
            new,
            missed,
        };
        self.last = Some(playlist);
        if violations.is_empty() { Ok(observation) } else { Err(violations) }
    }
}

struct Laws<'a> {
    violations: &'a mut Vec<Violation>,
}

impl Laws<'_> {
    fn fault(&mut self, section: &'static str, what: String) {
        self.violations.push(Violation { section, what });
    }

    /// Date-times join within a discontinuity, never go back and never lie in the future.
    fn date_times(&mut self, playlist: &Playlist, rules: &Rules, at: Timestamp) {
        let dated = playlist.segments.iter().filter_map(|segment| segment.date_time.map(|start| (segment, start)));
        let mut before: Option<(&Segment, Timestamp)> = None;
        for (segment, start) in dated {
            if start.duration_since(at) > rules.future_allowance && !rules.clock_is_set {
                self.fault("station", format!("{} begins at {start}, but it is {at} (§4.3.2.6)", segment.uri));
            }
            if let Some((last, last_start)) = before {
                let end = last_start + SignedDuration::try_from_secs_f64(last.secs).unwrap_or_default();
                let apart = start.duration_since(end);
                let same = segment.discontinuity_number == last.discontinuity_number;
                if start < last_start && (same || !rules.clock_is_set) {
                    self.fault("§4.3.2.6", format!("{} begins at {start}, before {}", segment.uri, last.uri));
                } else if same && apart.abs() > rules.date_time_tolerance {
                    let what = format!("{} begins {apart:?} after the end of {}", segment.uri, last.uri);
                    self.fault("§4.3.2.6", what);
                }
            }
            before = Some((segment, start));
        }
    }

    /// A URI keeps its number for ever, so it comes once.
    fn numbers(&mut self, playlist: &Playlist, numbers: &mut HashMap<String, u64>) {
        let mut listed = BTreeSet::new();
        for segment in &playlist.segments {
            if !listed.insert(&segment.uri) {
                self.fault("§6.2.2", format!("{} is listed twice", segment.uri));
                continue;
            }
            let number = *numbers.entry(segment.uri.clone()).or_insert(segment.msn);
            if number != segment.msn {
                let what = format!("{} had number {number} and has number {} now", segment.uri, segment.msn);
                self.fault("§6.2.2", what);
            }
        }
    }

    fn date_ranges(&mut self, playlist: &Playlist, known: &mut BTreeMap<String, BTreeMap<String, String>>) {
        for (id, attributes) in &playlist.date_ranges {
            let before = known.entry(id.clone()).or_default();
            for (name, value) in attributes {
                let old = before.entry(name.clone()).or_insert_with(|| value.clone());
                if old != value {
                    self.fault("§4.3.2.7", format!("{name} of date range {id} was {old} and is {value} now"));
                }
            }
        }
    }

    /// Between two refreshes only these may happen: segments leave at the front, segments join at the end, and the two
    /// sequence numbers follow (§6.2.1).
    fn refresh(&mut self, last: &Playlist, now: &Playlist) {
        if last.target_secs != now.target_secs {
            self.fault("§6.2.1", format!("TARGETDURATION was {:?} and is {:?}", last.target_secs, now.target_secs));
        }
        let changed: Vec<_> = last.constant_lines.symmetric_difference(&now.constant_lines).collect();
        if !changed.is_empty() {
            self.fault("§6.2.1", format!("{changed:?} came, went or changed"));
        }
        if now.media_sequence < last.media_sequence {
            self.fault("§6.2.2", format!("MEDIA-SEQUENCE fell from {} to {}", last.media_sequence, now.media_sequence));
        }
        if now.discontinuity_sequence < last.discontinuity_sequence {
            let (old, new) = (last.discontinuity_sequence, now.discontinuity_sequence);
            self.fault("§6.2.2", format!("DISCONTINUITY-SEQUENCE fell from {old} to {new}"));
        }
        let listed: HashMap<u64, &Segment> = now.segments.iter().map(|segment| (segment.msn, segment)).collect();
        for old in last.segments.iter().filter(|old| old.msn >= now.media_sequence) {
            let Some(new) = listed.get(&old.msn) else {
                self.fault("§6.2.1", format!("{} left, but not at the front", old.uri));
                continue;
            };
            if old.uri != new.uri {
                self.fault("§6.2.2", format!("number {} was {} and is {} now", old.msn, old.uri, new.uri));
                continue;
            }
            if old.discontinuity_number != new.discontinuity_number {
                let (was, is) = (old.discontinuity_number, new.discontinuity_number);
                self.fault("§6.2.2", format!("discontinuity number of {} was {was} and is {is} now", old.uri));
            }
            let same = old.discontinuity == new.discontinuity && old.date_time == new.date_time;
            if !same || (old.secs - new.secs).abs() > f64::EPSILON {
                self.fault("§6.2.1", format!("a tag of {} changed", old.uri));
            }
        }
        self.gone(last, now);
    }

    /// The discontinuity sequence number rises by exactly the tags whose segments left.
    fn gone(&mut self, last: &Playlist, now: &Playlist) {
        let gone = last.segments.iter().filter(|old| old.msn < now.media_sequence);
        let tags = gone.filter(|old| old.discontinuity).count() as u64;
        let (old, new) = (last.discontinuity_sequence, now.discontinuity_sequence);
        let overlap = now.media_sequence <= last.media_sequence + last.segments.len() as u64;
        // With segments missed between, there may have been more tags than seen.
        if new < old + tags || overlap && new != old + tags {
            let what = format!("DISCONTINUITY-SEQUENCE went from {old} to {new}, with {tags} tagged segments removed");
            self.fault("§4.3.3.3", what);
        }
    }

    /// "The server MUST NOT remove a Media Segment ... if that operation would produce a Playlist whose duration is
    /// less than three times the target duration."
    fn window(&mut self, playlist: &Playlist, was_long: &mut bool) {
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        let least = 3.0 * playlist.target_secs.unwrap_or(0) as f64;
        let secs: f64 = playlist.segments.iter().map(|segment| segment.secs).sum();
        // A microsecond for the sum of decimals.
        let long = secs + 1e-6 >= least;
        if *was_long && !long {
            self.fault("§6.2.2", format!("the window shrank to {secs} s, less than {least} s"));
        }
        *was_long |= long;
    }

    fn freshness(
        &mut self,
        playlist: &Playlist,
        rules: &Rules,
        last_new_at: Option<Timestamp>,
        new: usize,
        at: Timestamp,
    ) {
        let Some((limit, since)) = rules.stale_after.zip(last_new_at).filter(|_| new == 0) else { return };
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        let limit = limit * playlist.target_secs.unwrap_or(0) as f64;
        let waited = at.duration_since(since).as_secs_f64();
        if waited > limit {
            self.fault("§6.2.2", format!("no new segment for {waited:.3} s, more than {limit} s"));
        }
    }
}
