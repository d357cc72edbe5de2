//! The slate: what is shown when nothing else can be. A short mezzanine that is joined to itself without end. And the ident,
//! which is drawn of the same names and colours.

pub mod task;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::identity;
use super::length::{self, ExactLength};
use super::mezzanine::MezzanineId;
use crate::config::{Colour, Profile, defaults};
use crate::ffmpeg::rate::Rate;
use crate::units::{ContentKey, MediaTime};

/// How long one round of the slate is, at least.
const ROUND: MediaTime = MediaTime::from_secs(4);

/// How long an ident is, at least: time to read two names, between a light that comes up and one that goes down.
const IDENT: MediaTime = MediaTime::from_secs(5);

/// By how many frames a round may be longer so that its sound ends exactly with its picture.
const HOLD_FRAMES_MAX: u64 = 63;

/// The longest name that is drawn, in characters.
const NAME_MAX: usize = 40;

/// The longest reason that is drawn, in characters.
const REASON_MAX: usize = 90;

/// How many slates are kept over a restart: one or two for each of a thousand channels, some 300 kB each, idents among them. Drawing those of
/// a large station anew takes minutes.
const KEPT_MAX: usize = 2000;

/// How many slates are drawn at once that are waited for, and how many that only lie ready. Each keeps a core busy for a
/// second or two, and the channels of a station ask for theirs in the same moment.
const SHOWN_AT_ONCE: usize = 2;
const SPARE_AT_ONCE: usize = 1;

/// Who is to draw next, of those who wait.
#[derive(Debug)]
pub struct Turns {
    shown: Semaphore,
    spare: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Self { shown: Semaphore::new(SHOWN_AT_ONCE), spare: Semaphore::new(SPARE_AT_ONCE) }
    }
}

impl Turns {
    /// Returns whose turns a slate waits for: one that is shown as soon as it is there never waits for those that are not.
    #[must_use]
    pub fn of(&self, shown: bool) -> &Semaphore {
        if shown { &self.shown } else { &self.spare }
    }
}

/// Begins the key of every slate; no digest does.
const KEY_PREFIX: &str = "slate";

/// Changes with the drawing, so that older slates are drawn anew.
const DRAWING: &str = "2";
const DRAWING_OF_IDENTS: &str = "ident 1";

/// How the cards of a channel look: as its station does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The station's name.
    pub station: Arc<str>,
    /// The channel's colour.
    pub colour: Colour,
    /// The file of the channel's logo and the digest of its bytes; none where there is none that can be read.
    pub logo: Option<(PathBuf, Arc<str>)>,
}

/// What is drawn, and to which profile.
#[derive(Clone, Debug)]
pub struct SlateCard {
    /// How it looks.
    pub look: Look,
    /// The channel's name.
    pub name: Arc<str>,
    /// One line: why nothing else is on. An ident has none: it tells no more than names.
    pub reason: Option<Arc<str>>,
    /// The channel's profile: the slate joins with items of the same profile and rate without a discontinuity.
    pub profile: Arc<Profile>,
    /// The rate of most items; the profile's, or else 25, where none is given.
    pub rate: Option<Rate>,
    /// How many seconds a group of pictures lasts: behind any of them it may end.
    pub gop_secs: u32,
}

impl SlateCard {
    /// Returns the frame rate.
    #[must_use]
    pub fn frame_rate(&self) -> Rate {
        self.profile.fps.map(Rate::whole).or(self.rate).unwrap_or(Rate::whole(25))
    }

    /// Returns frames and packets of one round.
    #[must_use]
    pub fn length(&self) -> ExactLength {
        let least = if self.is_ident() { IDENT } else { ROUND };
        length::exact_within(least, self.frame_rate(), HOLD_FRAMES_MAX)
    }

    /// Whether it comes between programmes, once, and is no card that stands in for them.
    #[must_use]
    pub fn is_ident(&self) -> bool {
        self.reason.is_none()
    }

    /// Returns name, reason and the station's name as they are drawn: one line each, short enough to be read. The last is
    /// nothing where it would say the same again.
    #[must_use]
    pub fn texts(&self) -> (String, String, String) {
        let (name, station) = (one_line(&self.name, NAME_MAX), one_line(&self.look.station, NAME_MAX));
        let station = if station == name { String::new() } else { station };
        (name, one_line(self.reason.as_deref().unwrap_or_default(), REASON_MAX), station)
    }

    /// Returns the name of the mezzanine.
    #[must_use]
    pub fn id(&self) -> MezzanineId {
        let (name, reason, station) = self.texts();
        let colour = self.look.colour.to_string();
        let rate = self.frame_rate().to_string();
        let gop = self.gop_secs.to_string();
        let drawing = if self.is_ident() { DRAWING_OF_IDENTS } else { DRAWING };
        let mut texts = vec![drawing, &name, &reason, &rate, &station, &colour];
        texts.extend(self.look.logo.as_ref().map(|(_, sum)| &**sum));
        if self.gop_secs != defaults::GOP_SECONDS {
            texts.push(&gop);
        }
        let digest = identity::texts_digest(&texts);
        MezzanineId {
            key: ContentKey(format!("{KEY_PREFIX}{}", &digest[..27]).into()),
            profile: identity::profile_digest(&self.profile),
        }
    }
}

fn one_line(text: &str, len_max: usize) -> String {
    let line: String = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .fold(String::new(), |line, word| if line.is_empty() { word.to_owned() } else { format!("{line} {word}") });
    if line.chars().count() <= len_max {
        return line;
    }
    line.chars().take(len_max - 1).chain(['…']).collect()
}

/// Why there is no slate.
#[derive(Debug, thiserror::Error)]
pub enum SlateError {
    /// Its files could not be written.
    #[error("failed to write the slate")]
    Io(#[from] std::io::Error),
    /// It could not be drawn.
    #[error("failed to draw the slate: {0}")]
    Draw(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a card that viewers wait for is drawn while those that only lie ready wait. Method: turns are taken until none
    /// is left.
    #[test]
    fn a_card_that_is_waited_for_never_waits_for_those_that_are_not() {
        let turns = Turns::default();
        let spare: Vec<_> = std::iter::from_fn(|| turns.of(false).try_acquire().ok()).collect();
        let shown: Vec<_> = std::iter::from_fn(|| turns.of(true).try_acquire().ok()).collect();
        assert_eq!((spare.len(), shown.len()), (SPARE_AT_ONCE, SHOWN_AT_ONCE));
    }

    #[test]
    fn texts_are_one_short_line() {
        assert_eq!(one_line("  Cats\n &\tDogs ", 40), "Cats & Dogs");
        assert_eq!(one_line("abcdef", 4), "abc…");
        assert_eq!(one_line("", 4), "");
    }

    #[test]
    fn a_round_of_the_slate_ends_with_its_sound() {
        for rate in [Rate::whole(24), Rate::whole(25), Rate::whole(30), Rate::whole(50), Rate::whole(60)] {
            let length = length::exact_within(ROUND, rate, HOLD_FRAMES_MAX);
            assert_eq!(length::packets_length(length.audio_packets), rate.length_of(length.frames), "{rate}");
        }
    }
}
