//! Watches the channel as a player does, some thousand times a minute: every new playlist is judged, every segment
//! fetched once and some of them again after they left.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;

use super::as_run::{Begun, Piece};
use super::ledger::{Law, Ledger};
use super::station::{Client, StationClock};
use crate::support::hls_reader::{Reader, Rules};
use crate::support::hls_text::{self, Playlist};

/// The playlist is asked for this often, in station time, but not more often than the machine's millisecond.
const EVERY_SECS: f64 = 1.5;

/// Two target durations: an older edge is a dark channel.
pub const OLD_SECS: f64 = 12.0;

/// How much of the world's time the edge may be late beyond that: timers, schedulers and requests do not run faster with
/// the clock, and the machine has other work.
pub const MACHINE_SECS: f64 = 0.25;

/// What is still served after it left is looked at with every such change of the playlist.
const AGAIN_EVERY: u64 = 50;

/// How long a segment that left is served at least: the window's length, 18 s, and its own.
const PROMISED_SECS: f64 = 18.0;

/// How far the edge was behind the clock in one hour, in seconds of the station.
#[derive(Clone, Copy, Debug)]
pub struct Hour {
    pub number: f64,
    pub least: f64,
    pub most: f64,
}

/// What a viewer saw, in figures.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub polls: u64,
    pub playlists: u64,
    pub segments: u64,
    pub bytes: u64,
    pub again: u64,
    pub too_late_to_ask: u64,
    /// Refreshes with an edge older than [`OLD_SECS`], and the longest of the world's time beyond it.
    pub old: u64,
    pub late_world_secs: f64,
    /// Seconds of the station with an edge older than allowed.
    pub dark_secs: f64,
    pub lags: Vec<f64>,
    pub hours: Vec<Hour>,
    pub first: Option<Timestamp>,
    pub now: Option<Timestamp>,
}

/// What the threads of a soak share.
#[derive(Debug, Default)]
pub struct Shared {
    pub ledger: Mutex<Ledger>,
    pub seen: Mutex<Seen>,
}

/// One who watches.
pub struct Viewer<'a> {
    clock: StationClock,
    client: Client,
    shared: &'a Shared,
    pieces: SyncSender<Piece>,
    reader: Reader,
    text: Vec<u8>,
    playlist: Playlist,
    /// When the last playlist was asked for.
    asked: Option<Instant>,
    next: Option<u64>,
    newest: Vec<(u64, Vec<u8>)>,
}

impl<'a> Viewer<'a> {
    pub fn new(clock: StationClock, client: Client, shared: &'a Shared, pieces: SyncSender<Piece>) -> Self {
        // The reader is told the latest the time can be, so nothing it calls the future is excusable.
        let reader = Reader::with_rules(Rules::default());
        Self {
            clock,
            client,
            shared,
            pieces,
            reader,
            text: Vec::new(),
            playlist: Playlist::default(),
            asked: None,
            next: None,
            newest: Vec::new(),
        }
    }

    /// Watches until the station's clock shows `end`.
    pub fn watch(&mut self, end: Timestamp) -> Result<()> {
        let rest = Duration::from_secs_f64((EVERY_SECS / self.clock.speed).max(0.001));
        while self.clock.earliest(Instant::now()) < end {
            self.refresh()?;
            std::thread::park_timeout(rest);
        }
        Ok(())
    }

    fn refresh(&mut self) -> Result<()> {
        let before = Instant::now();
        let (status, body) = self.client.get("/channels/one/index.m3u8")?;
        let after = Instant::now();
        if status != 200 {
            bail!("the playlist answered {status}");
        }
        let changed = body != self.text;
        let left = self.playlist.segments.first().map(|first| first.msn);
        if changed {
            self.text = body.to_vec();
            let text = std::str::from_utf8(&self.text).context("the playlist is not UTF-8")?;
            if let Err(found) = self.reader.observe(text, self.clock.latest(after)) {
                let mut ledger = self.shared.ledger.lock().expect("no thread panicked");
                for violation in found {
                    ledger.breach(Law::Playlist, || format!("{}: {violation}", self.clock.latest(after)));
                }
            }
            self.playlist = hls_text::read(text).0;
        }
        self.judge_time(before, after, changed);
        if changed {
            self.fetch_new()?;
            if let Some(left) = left.filter(|left| *left < self.playlist.media_sequence) {
                self.ask_again(left)?;
            }
        }
        self.asked = Some(before);
        Ok(())
    }

    /// The end of the newest segment is the clock: not after it, and not long before.
    fn judge_time(&self, before: Instant, after: Instant, changed: bool) {
        let edge = self.playlist.segments.last().and_then(|last| Some((last.date_time?, last.secs)));
        let Some((date, secs)) = edge else { return };
        let early = date.duration_since(self.clock.latest(after)).as_secs_f64() + secs;
        let lag = -(date.duration_since(self.clock.earliest(before)).as_secs_f64() + secs);
        let now = self.clock.earliest(before);
        let mut seen = self.shared.seen.lock().expect("no thread panicked");
        let first = *seen.first.get_or_insert(now);
        let passed = seen.now.replace(now).map_or(0.0, |last| now.duration_since(last).as_secs_f64());
        seen.polls += 1;
        seen.playlists += u64::from(changed);
        let late_world = (lag - OLD_SECS) / self.clock.speed;
        let mut breaches = Vec::new();
        if late_world > 0.0 {
            seen.old += 1;
            seen.late_world_secs = seen.late_world_secs.max(late_world);
            if late_world > MACHINE_SECS {
                seen.dark_secs += passed;
                breaches.push((Law::Fresh, format!("{now}: the edge is {lag:.1} s old")));
            }
        }
        if early > 0.002 {
            breaches.push((Law::Clock, format!("{now}: the edge is {early:.3} s ahead of the clock")));
        }
        if seen.polls.is_multiple_of(16) {
            seen.lags.push(lag);
        }
        let hour = (now.duration_since(first).as_secs_f64() / 3600.0).floor();
        match seen.hours.last_mut().filter(|last| (last.number - hour).abs() < 0.5) {
            Some(last) => (last.least, last.most) = (last.least.min(lag), last.most.max(lag)),
            None => seen.hours.push(Hour { number: hour, least: lag, most: lag }),
        }
        drop(seen);
        if !breaches.is_empty() {
            let mut ledger = self.shared.ledger.lock().expect("no thread panicked");
            for (law, what) in breaches {
                ledger.breach(law, || what);
            }
        }
    }

    /// Fetches every segment that is new, by its number: also those that came and went between two refreshes.
    fn fetch_new(&mut self) -> Result<()> {
        let Some(newest) = self.playlist.segments.last().map(|last| last.msn) else { return Ok(()) };
        let first = self.next.unwrap_or(self.playlist.media_sequence);
        let mut begins = programmes(std::str::from_utf8(&self.text).unwrap_or_default());
        for msn in first..=newest {
            let (status, body) = self.client.get(&format!("/channels/one/segments/{msn}.ts"))?;
            let (whole, bytes) = (status == 200, body.to_vec());
            let listed = self.playlist.segments.iter().find(|segment| segment.msn == msn);
            let listed = listed.and_then(|segment| Some((segment, segment.date_time?)));
            let mut ledger = self.shared.ledger.lock().expect("no thread panicked");
            ledger.holds(Law::Fetched, whole, || {
                format!("{}: segment {msn} answered {status}", self.clock.latest(Instant::now()))
            });
            // Its length and date were never listed to us: what is held to them cannot be judged.
            ledger
                .holds(Law::Fetched, listed.is_some(), || format!("segment {msn} came and went between two refreshes"));
            drop(ledger);
            let mut seen = self.shared.seen.lock().expect("no thread panicked");
            seen.segments += 1;
            seen.bytes += bytes.len() as u64;
            drop(seen);
            if let Some((segment, date)) = listed.filter(|_| whole) {
                let begins = begins.remove(&segment.uri);
                let (secs, discontinuity) = (segment.secs, segment.discontinuity);
                self.newest.push((msn, bytes.clone()));
                let piece = Piece { msn, date, secs, discontinuity, begins, bytes };
                self.pieces.send(piece).map_err(|_| anyhow::anyhow!("nobody judges the segments"))?;
            }
        }
        let kept = self.newest.len().saturating_sub(32);
        self.newest.drain(..kept);
        self.next = Some(newest + 1);
        Ok(())
    }

    /// Fetches one that has just left, if it is certain that it is still promised.
    fn ask_again(&mut self, left: u64) -> Result<()> {
        if !left.is_multiple_of(AGAIN_EVERY) {
            return Ok(());
        }
        let Some(listed) = self.asked else { return Ok(()) };
        let (status, body) = self.client.get(&format!("/channels/one/segments/{left}.ts"))?;
        let same = self.newest.iter().find(|(msn, _)| *msn == left).is_none_or(|(_, bytes)| bytes == body);
        // It was listed when we asked last, so it left later than that.
        let late = listed.elapsed().as_secs_f64() * self.clock.speed > PROMISED_SECS;
        let mut seen = self.shared.seen.lock().expect("no thread panicked");
        if late {
            seen.too_late_to_ask += 1;
            return Ok(());
        }
        seen.again += 1;
        drop(seen);
        let mut ledger = self.shared.ledger.lock().expect("no thread panicked");
        ledger.holds(Law::Promised, status == 200 && same, || {
            format!("{}: segment {left} answered {status}, same bytes: {same}", self.clock.latest(Instant::now()))
        });
        Ok(())
    }
}

/// Returns the programmes that begin with a segment, by its address.
pub fn programmes(text: &str) -> BTreeMap<String, Begun> {
    let mut begins = BTreeMap::new();
    let mut waiting = None;
    for line in text.lines() {
        if let Some(attributes) = line.strip_prefix("#EXT-X-DATERANGE:") {
            waiting = begun(attributes);
        } else if !line.starts_with('#')
            && let Some(begun) = waiting.take()
        {
            begins.insert(line.to_owned(), begun);
        }
    }
    begins
}

fn begun(attributes: &str) -> Option<Begun> {
    let value = |name: &str| attributes.split(name).nth(1)?.split('"').next();
    Some(Begun {
        serial: value("ID=\"")?.split('-').next()?.parse().ok()?,
        start: value("START-DATE=\"")?.parse().ok()?,
        planned: attributes.split("PLANNED-DURATION=").nth(1)?.split(',').next()?.parse().ok()?,
        title: value("X-TITLE=\"")?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programmes_are_found_with_their_first_segment() {
        let text = "#EXTM3U\n#EXTINF:2.0,\nsegments/1.ts\n#EXT-X-DISCONTINUITY\n\
            #EXT-X-DATERANGE:ID=\"7-1795000000\",CLASS=\"nightcast.programme\",\
            START-DATE=\"2026-11-21T02:03:04.500Z\",PLANNED-DURATION=90.500,X-TITLE=\"Night, Train\"\n\
            #EXT-X-PROGRAM-DATE-TIME:2026-11-21T02:03:04.500Z\n#EXTINF:1.001000,\nsegments/2.ts\n";
        let start = "2026-11-21T02:03:04.500Z".parse().unwrap();
        let begun = Begun { serial: 7, start, planned: 90.5, title: "Night, Train".to_owned() };
        assert_eq!(programmes(text), BTreeMap::from([("segments/2.ts".to_owned(), begun)]));
    }
}
