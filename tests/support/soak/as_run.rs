//! Segments in, the log of what was on out; every airing is held to the plan and to the first airing of its item. Pure.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::boundary::{Boundary, Seam};
use super::ledger::{Law, Ledger};
use super::transport::{Contents, Demux, Picture, SOUND_FRAME, TICKS, Unwrapped};

/// One segment as a viewer got it.
#[derive(Clone, Debug)]
pub struct Piece {
    pub msn: u64,
    /// EXT-X-PROGRAM-DATE-TIME.
    pub date: Timestamp,
    /// EXTINF.
    pub secs: f64,
    pub discontinuity: bool,
    /// The programme that begins with it, by its EXT-X-DATERANGE.
    pub begins: Option<Begun>,
    pub bytes: Vec<u8>,
}

/// A programme as its EXT-X-DATERANGE tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Begun {
    pub serial: u64,
    /// When its first frame is, or would have been, on air.
    pub start: Timestamp,
    pub planned: f64,
    pub title: String,
}

/// What the station had announced when a programme began.
#[derive(Clone, Debug, Default)]
pub struct Word {
    /// Of the programme itself.
    pub announced: Option<Announced>,
    /// The serial of the programme announced before it.
    pub before: Option<u64>,
    /// When the station was asked last.
    pub asked: Option<Timestamp>,
}

/// What the station announced of a programme, first, and when it was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Announced {
    pub asked: Timestamp,
    pub start: Timestamp,
    pub secs: f64,
    pub title: String,
}

/// One airing, from its first segment on.
#[derive(Clone, Debug)]
pub struct Airing {
    pub begun: Begun,
    /// The date of its first segment.
    pub date: Timestamp,
    /// How long it has been on, by EXTINF.
    pub secs: f64,
    /// The stamp of its first picture.
    stamp: i64,
    print: Print,
    /// Whether it was there from its first frame to its last.
    whole: bool,
}

/// What every airing of an item has in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Print {
    pictures: usize,
    sound_frames: usize,
    digest: u64,
    sound_digest: u64,
    /// By how many ticks sound begins after the picture, and ends after it where a picture follows in the same run.
    sound_begins: i64,
    sound_ends: Option<i64>,
}

/// The largest of everything that has a limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extremes {
    pub seam_ms: f64,
    pub length_ms: f64,
    pub announced_ms: f64,
    pub dates_ms: f64,
    pub stamp_drift_ms: f64,
    pub stamps_ticks: i64,
}

/// At a seam the last picture may be shown up to one frame of sound (21.3 ms) shorter: the next item begins where the
/// sound ends.
const SEAM_CUT: i64 = SOUND_FRAME + TICKS / 1000;
/// Containers that count milliseconds move a frame by as much.
const STEP_TOLERANCE: i64 = 2 * TICKS / 1000;
const LENGTH_TOLERANCE_MS: f64 = 60.0;
const ANNOUNCED_TOLERANCE_MS: f64 = 500.0;
/// Dates are written in milliseconds.
const DATE_TOLERANCE_MS: f64 = 2.0;
/// How far the stamps of a run may drift from its dates.
const DRIFT_TOLERANCE_MS: f64 = 50.0;
/// A longer leap of the stamps is a new run.
const LEAP: i64 = 2 * TICKS;
/// The station is asked for its plan more often than this; where it was not, it is not its fault.
const ASKED_EVERY: SignedDuration = SignedDuration::from_secs(900);

/// How long after the beginning the library has been found again: seconds of the world.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Holds what is aired to what should be.
#[derive(Debug)]
pub struct Judge {
    /// Ticks of a frame of each item, as its first airing showed them.
    frames: HashMap<String, i64>,
    /// Frames of sound that belong to no finished airing yet: stamp and digest. A packet of sound may hold the end of one
    /// item and the beginning of the next, so they are told apart by their time.
    heard: VecDeque<(i64, u64)>,
    demux: Demux,
    pictures: Unwrapped,
    sounds: Unwrapped,
    /// Where picture and sound end so far; none before the first segment of a run.
    ends: Option<(i64, i64)>,
    last_dts: i64,
    /// Date and stamp of the run's first picture.
    anchor: Option<(Timestamp, i64)>,
    firsts: HashMap<String, Print>,
    airing: Option<Airing>,
    seam: Seam,
    pub aired: Vec<Airing>,
    pub extremes: Extremes,
    pub runs: u64,
    pub wraps: u64,
    pub unasked: u64,
    pub discontinuities: u64,
}

impl Default for Judge {
    fn default() -> Self {
        Self {
            frames: HashMap::new(),
            heard: VecDeque::new(),
            demux: Demux::default(),
            pictures: Unwrapped::default(),
            sounds: Unwrapped::default(),
            ends: None,
            last_dts: i64::MIN,
            anchor: None,
            firsts: HashMap::new(),
            airing: None,
            seam: Seam::default(),
            aired: Vec::new(),
            extremes: Extremes::default(),
            runs: 0,
            wraps: 0,
            unasked: 0,
            discontinuities: 0,
        }
    }
}

impl Judge {
    /// Takes the next segment; returns a boundary when both its sides are there.
    pub fn take(&mut self, piece: Piece, word: &Word, ledger: &mut Ledger) -> Option<Boundary> {
        // A viewer joins in the middle of an item: what is judged begins with the next.
        if self.airing.is_none() && piece.begins.is_none() {
            return None;
        }
        let mut contents = self.demux.read(&piece.bytes);
        contents.order_as_shown();
        let Some(stamp) = contents.pictures.first().map(|first| first.pts).filter(|_| !contents.sounds.is_empty())
        else {
            ledger.breach(Law::Transport, || format!("segment {} has no picture or no sound", piece.msn));
            return None;
        };
        self.discontinuities += u64::from(piece.discontinuity);
        let new_run = self.leaps(stamp);
        if new_run {
            self.begin_run(&piece, &mut contents, ledger);
        }
        for fault in &contents.faults {
            ledger.breach(Law::Transport, || format!("{} segment {}: {fault}", piece.date, piece.msn));
        }
        let before = self.listen(&contents);
        let mut boundary = None;
        if let Some(begun) = &piece.begins {
            let stamp = before.unwrap_or(stamp);
            self.end_airing(stamp, ledger);
            self.hold_to_plan(begun, piece.date, word, ledger);
            let whole = begun.start.duration_since(piece.date).as_millis().abs() < 5;
            let print = Print::default();
            let airing = Airing { begun: begun.clone(), date: piece.date, secs: 0.0, stamp, print, whole };
            let title = self.airing.replace(airing).map(|before| before.begun.title);
            let title = title.filter(|_| !new_run);
            boundary = self.seam.begin(title, &begun.title, contents.pictures[0].pts, piece.date);
        }
        self.follow(&piece, &contents, ledger);
        boundary.or_else(|| self.seam.add(piece.bytes, contents.pictures[0].pts, piece.secs))
    }

    /// Takes the frames of sound of a segment; returns the stamp of its first picture.
    fn listen(&mut self, contents: &Contents) -> Option<i64> {
        let (mut pictures, mut sounds) = (self.pictures, self.sounds);
        let stamp = contents.pictures.first().map(|first| pictures.next(first.pts));
        for sound in &contents.sounds {
            let mut pts = sounds.next(sound.pts);
            for digest in &sound.frames {
                self.heard.push_back((pts, *digest));
                pts += SOUND_FRAME;
            }
        }
        stamp
    }

    /// Whether the stamps do not go on.
    fn leaps(&self, stamp: i64) -> bool {
        let mut clock = self.pictures;
        self.ends.is_none_or(|(picture, _)| (clock.next(stamp) - picture).abs() > LEAP)
    }

    fn begin_run(&mut self, piece: &Piece, contents: &mut Contents, ledger: &mut Ledger) {
        ledger.holds(Law::Runs, piece.discontinuity, || {
            format!("{}: stamps leap at segment {} without a discontinuity", piece.date, piece.msn)
        });
        contents.faults.retain(|fault| !fault.contains("continuity counter"));
        // Nothing follows in a run that ended: all its sound is this airing's, also where it ends within a frame.
        self.hear(None);
        self.runs += 1;
        self.wraps += self.pictures.wraps;
        (self.pictures, self.sounds) = (Unwrapped::default(), Unwrapped::default());
        (self.ends, self.last_dts, self.anchor) = (None, i64::MIN, None);
        self.seam.forget();
    }

    /// Follows the stamps through a segment.
    fn follow(&mut self, piece: &Piece, contents: &Contents, ledger: &mut Ledger) {
        let Some(airing) = &mut self.airing else { return };
        let title = airing.begun.title.as_str();
        let frame = *self.frames.entry(title.to_owned()).or_insert_with(|| frame_of(&contents.pictures));
        let at_seam = piece.begins.is_some();
        let mut holes = Vec::new();
        let (mut picture_end, mut sound_end) = self.ends.unzip();
        for picture in &contents.pictures {
            let pts = self.pictures.next(picture.pts);
            self.anchor.get_or_insert((piece.date, pts));
            holes.extend(picture_end.map(|end| ("picture", pts - end)));
            picture_end = Some(pts + frame);
        }
        for sound in &contents.sounds {
            let pts = self.sounds.next(sound.pts);
            holes.extend(sound_end.map(|end| ("sound", pts - end)));
            sound_end = Some(pts + i64::try_from(sound.frames.len()).unwrap_or(0) * SOUND_FRAME);
        }
        let mut largest = 0;
        for (n, (what, hole)) in holes.iter().enumerate() {
            // The first of each stream may stand at a seam.
            let first = n == 0 || holes[n - 1].0 != *what;
            let least = if at_seam && first && *what == "picture" { SEAM_CUT } else { STEP_TOLERANCE };
            largest = largest.max(if first { hole.abs() } else { 0 });
            ledger.holds(Law::Continuous, (-least..=STEP_TOLERANCE).contains(hole), || {
                format!("{}: a hole of {hole} ticks of {what} in segment {} of {title}", piece.date, piece.msn)
            });
        }
        self.extremes.seam_ms = self.extremes.seam_ms.max(millis(largest));
        self.ends = picture_end.zip(sound_end);
        airing.print.pictures += contents.pictures.len();
        airing.print.digest = stirred(airing.print.digest, contents.digest);
        airing.secs += piece.secs;
        self.hold_to_dates(piece, contents, ledger);
    }

    /// Decoding times rise, and the stamps keep step with the dates of the playlist.
    fn hold_to_dates(&mut self, piece: &Piece, contents: &Contents, ledger: &mut Ledger) {
        let Some((date, anchor)) = self.anchor else { return };
        let mut clock = self.pictures;
        let mut dts: Vec<i64> = contents.pictures.iter().map(|picture| clock.next(picture.dts)).collect();
        dts.sort_unstable();
        let rising =
            dts.windows(2).all(|two| two[0] < two[1]) && dts.first().is_some_and(|first| *first > self.last_dts);
        ledger
            .holds(Law::Continuous, rising, || format!("{}: decoding times do not rise in {}", piece.date, piece.msn));
        self.last_dts = dts.last().copied().unwrap_or(self.last_dts);
        let mut clock = self.pictures;
        let stamp = contents.pictures.first().map_or(anchor, |first| clock.next(first.pts));
        let drift = millis(stamp - anchor) - piece.date.duration_since(date).as_secs_f64() * 1e3;
        self.extremes.stamp_drift_ms = self.extremes.stamp_drift_ms.max(drift.abs());
        ledger.holds(Law::Clock, drift.abs() <= DRIFT_TOLERANCE_MS, || {
            format!("{}: stamps are {drift:.1} ms from the dates", piece.date)
        });
    }

    /// Gives the present airing its sound: what was heard until the next picture, or all of it.
    fn hear(&mut self, end: Option<i64>) {
        // Half a frame: what begins with the next picture belongs to it.
        let ours = |pts: i64| end.is_none_or(|end| pts < end - SOUND_FRAME / 2);
        let Some(airing) = &mut self.airing else {
            self.heard.retain(|(pts, _)| !ours(*pts));
            return;
        };
        while let Some((pts, digest)) = self.heard.pop_front_if(|(pts, _)| ours(*pts)) {
            if airing.print.sound_frames == 0 {
                airing.print.sound_begins = pts - airing.stamp;
            }
            airing.print.sound_frames += 1;
            airing.print.sound_digest = stirred(airing.print.sound_digest, digest);
            airing.print.sound_ends = end.map(|end| pts + SOUND_FRAME - end);
        }
    }

    /// Ends the present airing where the next begins.
    fn end_airing(&mut self, end: i64, ledger: &mut Ledger) {
        self.hear(Some(end));
        let Some(airing) = &self.airing else { return };
        let Begun { serial, title, planned, .. } = &airing.begun;
        if airing.whole {
            let off = (airing.secs - planned) * 1e3;
            self.extremes.length_ms = self.extremes.length_ms.max(off.abs());
            ledger.holds(Law::Length, off.abs() <= LENGTH_TOLERANCE_MS, || {
                format!("{}: {serial} {title} was on for {:.3} s of {planned:.3} s", airing.date, airing.secs)
            });
            let print = airing.print;
            let first = self.firsts.entry(title.clone()).or_insert(print);
            first.sound_ends = first.sound_ends.or(print.sound_ends);
            let first = *first;
            let bytes = |print: Print| (print.pictures, print.sound_frames, print.digest, print.sound_digest);
            ledger.holds(Law::SameBytes, bytes(first) == bytes(print), || {
                format!("{}: {serial} {title} was {first:?} and is {print:?}", airing.date)
            });
            let ends = first.sound_ends.zip(print.sound_ends).map_or(0, |(first, now)| (first - now).abs());
            let off = (first.sound_begins - print.sound_begins).abs().max(ends);
            self.extremes.stamps_ticks = self.extremes.stamps_ticks.max(off);
            // A tenth of a millisecond: times are rounded when items are joined.
            ledger.holds(Law::Stamps, off <= TICKS / 10_000, || {
                format!("{}: sound of {serial} {title} was {first:?} and is {print:?}", airing.date)
            });
        }
        self.aired.push(airing.clone());
    }

    fn hold_to_plan(&mut self, begun: &Begun, date: Timestamp, word: &Word, ledger: &mut Ledger) {
        let Begun { serial, title, .. } = begun;
        if let Some(last) = &self.airing {
            // While the files are found again, file by file, what was not announced is planned anew, with new serials;
            // later a serial may be missing that was given to what never came to be announced.
            let settled = self.aired.first().is_some_and(|first| date.duration_since(first.date) > SETTLED_AFTER);
            let skipped = settled && word.before.is_some_and(|before| before > last.begun.serial);
            let consecutive = *serial > last.begun.serial && !skipped;
            ledger.holds(Law::Order, consecutive, || {
                format!("{date}: {serial} {title} came after {} {}", last.begun.serial, last.begun.title)
            });
            let gap = date.duration_since(last.date).as_secs_f64() - last.secs;
            self.extremes.dates_ms = self.extremes.dates_ms.max(gap.abs() * 1e3);
            ledger.holds(Law::Dark, gap.abs() * 1e3 <= DATE_TOLERANCE_MS, || {
                format!("{date}: {serial} {title} begins {gap:.3} s after the end of the one before")
            });
        }
        match word.announced.as_ref().filter(|announced| announced.asked <= date) {
            Some(announced) => {
                let off = begun.start.duration_since(announced.start).as_secs_f64() * 1e3;
                self.extremes.announced_ms = self.extremes.announced_ms.max(off.abs());
                let same = announced.title == *title && (announced.secs - begun.planned).abs() < 0.002;
                ledger.holds(Law::Announced, same && off.abs() <= ANNOUNCED_TOLERANCE_MS, || {
                    format!("{date}: {begun:?} was announced as {announced:?}")
                });
            }
            None if word.asked.is_some_and(|asked| asked <= date && date.duration_since(asked) < ASKED_EVERY) => {
                ledger.breach(Law::Announced, || format!("{date}: {serial} {title} was never announced"));
            }
            None => self.unasked += 1,
        }
    }

    /// Returns how often the stamps began anew within a run.
    pub fn wraps(&self) -> u64 {
        self.wraps + self.pictures.wraps
    }
}

/// How long a frame is: the median of the steps.
fn frame_of(pictures: &[Picture]) -> i64 {
    let mut steps: Vec<i64> = pictures.windows(2).map(|two| two[1].pts - two[0].pts).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied().unwrap_or(TICKS / 25)
}

fn stirred(sum: u64, digest: u64) -> u64 {
    (sum ^ digest).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17)
}

#[expect(clippy::cast_precision_loss, reason = "some seconds")]
fn millis(ticks: i64) -> f64 {
    ticks as f64 / 90.0
}
