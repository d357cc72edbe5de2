//! An item's subtitles as they air: for each language the cues, on the item's own time.
//!
//! Files and tracks of any kind go in as bytes; cues come out that every player shows alike. What is not understood is left
//! out, and never stops an item. Everything is pure but [`task`], which reads the files, has tracks taken out of films, and
//! keeps what came of it.

pub mod choice;
mod markup;
pub mod read;
pub mod task;
pub mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::config::Language;
use crate::units::MediaTime;

/// How much of a file or track is read, in bytes; long films with every sign translated stay below 1 MB.
pub const BYTES_MAX: usize = 8 << 20;

/// How many cues a track may have: one in a second for five hours and a half.
pub const CUES_MAX: usize = 20_000;

/// How many characters a cue may have; no screen shows more.
pub const CUE_LEN_MAX: usize = 1000;

/// How long all cues of a track together may be, in bytes.
pub const TEXT_BYTES_MAX: usize = 2 << 20;

/// The longest cue: what claims to stand longer stands for so long.
pub const CUE_MAX: MediaTime = MediaTime::from_secs(600);

/// What is shown from one moment to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// When it comes.
    pub start: MediaTime,
    /// When it goes; later than `start`.
    pub end: MediaTime,
    /// `WebVTT` cue text: lines without an empty one, `&`, `<` and `>` written as entities but for the tags i, b and u.
    pub text: String,
}

/// The cues of one language in the order of their coming.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Track {
    cues: Arc<[Cue]>,
    /// How long the longest stands: none that came earlier can still be there.
    longest: MediaTime,
}

impl Track {
    /// Returns a track of these cues: ordered, none twice, none that never stands, and no more than is allowed.
    #[must_use]
    pub fn new(mut cues: Vec<Cue>) -> Self {
        cues.retain(|cue| cue.end > cue.start && !cue.text.is_empty());
        cues.sort_by_key(|cue| (cue.start, cue.end));
        cues.dedup();
        cues.truncate(CUES_MAX);
        let mut bytes = 0;
        let fits = |cue: &Cue| {
            bytes += cue.text.len();
            bytes <= TEXT_BYTES_MAX
        };
        let count = cues.iter().map(fits).take_while(|fits| *fits).count();
        cues.truncate(count);
        for cue in &mut cues {
            cue.end = cue.end.min(cue.start + CUE_MAX);
        }
        let longest = cues.iter().map(|cue| cue.end - cue.start).max().unwrap_or_default();
        Self { cues: cues.into(), longest }
    }

    /// Returns the cues.
    #[must_use]
    pub fn cues(&self) -> &[Cue] {
        &self.cues
    }

    /// Returns the cues that stand at any moment from one to another.
    pub fn between(&self, from: MediaTime, to: MediaTime) -> impl Iterator<Item = &Cue> {
        let first = self.cues.partition_point(|cue| cue.start + self.longest <= from);
        let after = self.cues.partition_point(|cue| cue.start < to).max(first);
        self.cues[first..after].iter().filter(move |cue| cue.end > from)
    }

    /// Moves all cues by so much; what would come before 0 is cut there.
    #[must_use]
    pub fn shifted(&self, by: MediaTime) -> Self {
        let moved = self.cues.iter().map(|cue| Cue {
            start: (cue.start + by).max(MediaTime::ZERO),
            end: cue.end + by,
            text: cue.text.clone(),
        });
        Self::new(moved.collect())
    }
}

/// The subtitles of an item by their language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captions(BTreeMap<Language, Track>);

impl Captions {
    /// Adds a track; one that has no cue is none.
    pub fn add(&mut self, language: Language, track: Track) {
        if !track.cues.is_empty() {
            self.0.insert(language, track);
        }
    }

    /// Returns the track of a language, or of its nearest kin: `pt` for `pt-br`.
    #[must_use]
    pub fn track(&self, language: &Language) -> Option<&Track> {
        let kin = || self.0.iter().find(|(other, _)| other.is_kin(language)).map(|(_, track)| track);
        self.0.get(language).or_else(kin)
    }

    /// Takes a track whose language nobody told for one in this language, where there is no other.
    #[must_use]
    pub fn told_as(mut self, language: Option<&Language>) -> Self {
        if let Some(language) = language.filter(|language| self.track(language).is_none())
            && let Some(track) = self.0.remove(&Language::default())
        {
            self.0.insert(language.clone(), track);
        }
        self
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns all as text to be kept.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let tracks: BTreeMap<&Language, &[Cue]> = self.0.iter().map(|(name, track)| (name, track.cues())).collect();
        serde_json::to_vec(&tracks).unwrap_or_default()
    }

    /// Reads what was kept; none where it is not understood.
    #[must_use]
    pub fn from_json(bytes: &[u8]) -> Option<Self> {
        let tracks: BTreeMap<Language, Vec<Cue>> = serde_json::from_slice(bytes).ok()?;
        Some(Self(tracks.into_iter().map(|(name, cues)| (name, Track::new(cues))).collect()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cue(start: i64, end: i64, text: &str) -> Cue {
        Cue { start: MediaTime::from_millis(start), end: MediaTime::from_millis(end), text: text.to_owned() }
    }

    #[test]
    fn a_track_is_in_order_and_bounded() {
        let track = Track::new(vec![cue(5, 9, "b"), cue(1, 2, "a"), cue(5, 9, "b"), cue(7, 7, "never"), cue(8, 9, "")]);
        assert_eq!(track.cues(), [cue(1, 2, "a"), cue(5, 9, "b")]);
        let endless = Track::new(vec![cue(0, i64::from(u32::MAX), "a")]);
        assert_eq!(endless.cues()[0].end, CUE_MAX);
        let count = |number: usize| i64::try_from(number).unwrap();
        let many = (0..count(CUES_MAX) + 5).map(|n| cue(n, n + 1, "a"));
        assert_eq!(Track::new(many.collect()).cues().len(), CUES_MAX);
        let long = (0..count(TEXT_BYTES_MAX) / 1000 + 5).map(|n| cue(n, n + 1, &"a".repeat(1000)));
        assert_eq!(Track::new(long.collect()).cues().len(), TEXT_BYTES_MAX / 1000);
    }

    #[test]
    fn a_language_has_its_own_track_or_that_of_its_kin() {
        let language = |tag: &str| Language::read(tag).unwrap();
        let mut captions = Captions::default();
        captions.add(language("pt-br"), Track::new(vec![cue(0, 1, "a")]));
        captions.add(language("en"), Track::default());
        assert!(captions.track(&language("pt")).is_some() && captions.track(&language("en")).is_none());
        let mut untold = captions.clone();
        untold.add(Language::default(), Track::new(vec![cue(0, 1, "b")]));
        let text =
            |captions: &Captions, tag: &str| captions.track(&language(tag)).map(|track| track.cues()[0].text.clone());
        assert_eq!(text(&untold.clone().told_as(Some(&language("pt"))), "pt").as_deref(), Some("a"), "it has one");
        assert_eq!(text(&untold.told_as(Some(&language("en"))), "en").as_deref(), Some("b"));
        assert_eq!(Captions::from_json(&captions.to_json()), Some(captions));
        assert_eq!(Captions::from_json(b"{"), None);
    }

    proptest! {
        #[test]
        fn between_two_moments_stands_exactly_what_stands_there(
            all in prop::collection::vec((0_i64..100, 1_i64..30), 0..30), from in 0_i64..100, length in 1_i64..20,
        ) {
            let cues = all.iter().enumerate().map(|(n, (start, length))| cue(*start, start + length, &n.to_string()));
            let track = Track::new(cues.collect());
            let (from, to) = (MediaTime::from_millis(from), MediaTime::from_millis(from + length));
            let found: Vec<&Cue> = track.between(from, to).collect();
            let expected: Vec<&Cue> = track.cues().iter().filter(|cue| cue.start < to && cue.end > from).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
