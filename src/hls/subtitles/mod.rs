//! Subtitles in step with the picture: for each segment and language a `WebVTT` segment. Pure.
//!
//! Times in it count from the first frame of the airing in its run; X-TIMESTAMP-MAP names that frame's timestamp, so it is
//! the same in every segment until timestamps change. A cue that stands across a boundary is in both segments with the very
//! same times: players know it again by them. No cue reaches beyond its item's end, so none crosses a seam.

mod pes;
pub mod whole;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;

use super::packer::Segment;
use crate::config::Language;
use crate::config::subtitles::LANGUAGES_MAX;
use crate::prepare::subtitles::{Captions, Cue, Track};
use crate::units::MediaTime;

/// How many airings' subtitles are held: the one on air, and those that were begun and are not published yet.
const HELD_MAX: usize = 64;

/// How many cues a segment may have: no screen shows more.
const CUES_MAX: usize = 100;

/// Timestamps of MPEG-TS have 33 bits.
const WRAP_MASK: u64 = (1 << 33) - 1;

/// What has no cue.
const EMPTY: &str = "WEBVTT\n\n";

/// Writes the subtitles of a channel.
#[derive(Debug, Default)]
pub struct Subtitler {
    /// In the order of the segments' bytes; only ever more once something was published.
    languages: Vec<Language>,
    /// By airing.
    held: BTreeMap<u64, Held>,
    stretch: Option<Stretch>,
}

/// The subtitles of an airing.
#[derive(Clone, Debug)]
struct Held {
    captions: Arc<Captions>,
    /// When the item ends, where that is known.
    end: Option<MediaTime>,
}

/// An airing as far as one run carries it: timestamps go on in it.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    airing: u64,
    /// Where in the item it begins.
    begins: MediaTime,
    /// The timestamp of its first frame; none where it could not be read.
    timestamp: Option<u64>,
    /// Up to where in the item it was published.
    reached: MediaTime,
}

impl Subtitler {
    /// Returns the languages that are offered.
    #[must_use]
    pub fn languages(&self) -> &[Language] {
        &self.languages
    }

    /// Offers exactly these languages: before anything was published.
    pub fn offer(&mut self, languages: &[Language]) {
        self.languages = languages.iter().take(LANGUAGES_MAX).cloned().collect();
    }

    /// Offers these languages, too, as far as there may be more; returns how many came.
    pub fn offer_more(&mut self, languages: &[Language]) -> usize {
        let before = self.languages.len();
        for language in languages {
            if self.languages.len() < LANGUAGES_MAX && !self.languages.contains(language) {
                self.languages.push(language.clone());
            }
        }
        self.languages.len() - before
    }

    /// Takes the subtitles of an airing that was begun; `end` is when its item ends, where that is known.
    pub fn hold(&mut self, airing: u64, captions: Arc<Captions>, end: Option<MediaTime>) {
        self.held.insert(airing, Held { captions, end });
        while self.held.len() > HELD_MAX {
            self.held.pop_first();
        }
    }

    /// Adds its subtitles to a segment that is about to be published, of an airing that began `from` in its item.
    pub fn complete(&mut self, segment: &mut Segment, from: MediaTime) {
        let picture = segment.renditions.first().map(|bytes| &bytes[..]).unwrap_or_default();
        let timestamp = pes::first_timestamp(picture);
        let before = self.stretch.filter(|stretch| stretch.airing == segment.airing);
        let mut stretch = match before {
            Some(stretch) if !segment.new_run => stretch,
            before => {
                let begins = before.map_or(from, |stretch| stretch.reached);
                Stretch { airing: segment.airing, begins, timestamp, reached: begins }
            }
        };
        // Lengths in a playlist are rounded, timestamps are not.
        let at = match (stretch.timestamp, timestamp) {
            (Some(first), Some(now)) => {
                let ticks = i64::try_from(now.wrapping_sub(first) & WRAP_MASK).unwrap_or_default();
                stretch.begins + MediaTime(ticks)
            }
            _ => stretch.reached,
        };
        stretch.reached = at + segment.duration;
        self.stretch = Some(stretch);
        self.held = self.held.split_off(&segment.airing);
        let held = self.held.get(&segment.airing);
        for language in &self.languages {
            let track = held.and_then(|held| Some((held.captions.track(language)?, held.end)));
            segment.renditions.push(stretch.written(track, at));
        }
    }
}

impl Stretch {
    /// Writes the segment that begins at a moment of the item and ends where it was published to.
    fn written(&self, track: Option<(&Track, Option<MediaTime>)>, at: MediaTime) -> Bytes {
        let Some(timestamp) = self.timestamp else { return Bytes::from_static(EMPTY.as_bytes()) };
        let mut text = format!("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{timestamp},LOCAL:00:00:00.000\n\n");
        let Some((track, end)) = track else { return text.into() };
        let end = end.unwrap_or(MediaTime(i64::MAX));
        for cue in track.between(at, self.reached.min(end)).take(CUES_MAX) {
            let Cue { start, end: goes, text: said } = cue;
            let (comes, goes) = (local(*start - self.begins), local((*goes).min(end) - self.begins));
            // Writing into a String cannot fail.
            let _infallible = write!(text, "{comes} --> {goes}\n{said}\n\n");
        }
        text.into()
    }
}

/// Returns a time of a cue as `WebVTT` writes it; what came before the beginning stands from the beginning.
fn local(time: MediaTime) -> String {
    let millis = (time.0.max(0) + 45) / 90;
    let (secs, millis) = (millis / 1000, millis % 1000);
    format!("{:02}:{:02}:{:02}.{millis:03}", secs / 3600, secs / 60 % 60, secs % 60)
}

/// Returns what stands in place of subtitles in segments from before a language was offered.
#[must_use]
pub fn empty() -> Bytes {
    Bytes::from_static(EMPTY.as_bytes())
}

#[cfg(test)]
#[path = "laws.rs"]
mod laws;
