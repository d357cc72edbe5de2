//! Mezzanines in, GOPs in the order they air out. Pure.
//!
//! Slot n of a run's concat playlist is one airing, or what is left of one: its GOPs from a to b. The feed knows which
//! GOPs were given to the on-air ffmpeg and have not come back as chunks; when a run dies they are fed again, so that
//! a killed ffmpeg loses no GOP and repeats none. It does not know the time, files or sockets.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use crate::prepare::{Gop, Mezzanine};
use crate::schedule::Programme;
use crate::units::{ContentKey, MediaTime};

/// How many GOPs may be given to a run without coming back: far above what the lead needs, far below what a stalled
/// ffmpeg could pile up.
pub const IN_FLIGHT_MAX: usize = 64;

/// One uninterrupted stay of an item, or of the slate, on the air.
#[derive(Clone, Debug, PartialEq)]
pub struct Airing {
    /// Counts up over the server's life.
    pub id: u64,
    /// What airs; none for the slate.
    pub programme: Option<Programme>,
    /// Identity of the bytes.
    pub key: ContentKey,
    /// How far into the item it begins: zero unless it is joined in the middle.
    pub from: MediaTime,
    /// When its first GOP was planned to be on air.
    pub begins: Timestamp,
}

/// One GOP on its way through the on-air ffmpeg.
#[derive(Clone, Debug)]
pub struct FedGop {
    /// The airing it belongs to.
    pub airing: Arc<Airing>,
    /// Where its bytes are.
    pub mezzanine: Arc<Mezzanine>,
    /// Its place in the mezzanine.
    pub index: usize,
}

impl FedGop {
    /// Returns how long it plays by the mezzanine's index.
    #[must_use]
    pub fn duration(&self) -> MediaTime {
        self.mezzanine.gops[self.index].duration
    }

    /// Returns how long the rest of the item plays after it, or none while the item is still being prepared.
    #[must_use]
    pub fn remaining(&self) -> Option<MediaTime> {
        let rest = &self.mezzanine.gops[self.index + 1..];
        self.mezzanine.complete.then(|| rest.iter().map(|gop| gop.duration).sum())
    }
}

/// What the feed has to give.
#[derive(Clone, Debug)]
pub enum Next {
    /// This GOP.
    Gop {
        /// The GOP.
        gop: FedGop,
        /// Whether it opens a new slot: the connection before it is to be closed.
        new_slot: bool,
    },
    /// The item is still being prepared and its next GOP is not there yet.
    Starved,
    /// The airing has ended, or there was none: begin another.
    Ended,
}

/// How a chunk that came back differs from the GOP that was fed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// More came back than was fed.
    #[error("a chunk came back that was never fed")]
    NothingFed,
    /// It is longer or shorter than what was fed.
    #[error("a chunk of {returned_ms} ms came back for a GOP of {fed_ms} ms")]
    Duration {
        /// Length by the index.
        fed_ms: i64,
        /// ffmpeg's EXTINF.
        returned_ms: i64,
    },
}

/// How far a chunk's length may differ from the index: the last GOP of an item ends where its sound ends, at most an
/// AAC frame earlier (21.3 ms), and an original's last frame has no known length.
pub const DURATION_TOLERANCE: MediaTime = MediaTime::from_millis(250);

/// The GOPs of a channel in the order they air.
#[derive(Debug, Default)]
pub struct Feed {
    current: Option<FedGop>,
    again: VecDeque<FedGop>,
    in_flight: VecDeque<FedGop>,
    /// Airing and index of the GOP last given to the present run.
    last: Option<(u64, usize)>,
}

impl Feed {
    /// Begins an airing at a GOP of its mezzanine; what was left of the one before is cut.
    pub fn begin(&mut self, airing: Arc<Airing>, mezzanine: Arc<Mezzanine>, from: usize) {
        self.current = Some(FedGop { airing, mezzanine, index: from });
    }

    /// Takes note that the item on air has grown; returns false where it was begun anew instead (a remux that failed its
    /// check is encoded) and what was fed so far does not go on in it.
    #[must_use]
    pub fn grow(&mut self, mezzanine: &Arc<Mezzanine>) -> bool {
        let Some(current) = &mut self.current else { return true };
        let place = |gop: &Gop| (gop.offset, gop.len);
        let known = current.mezzanine.gops.len();
        let goes_on = current.mezzanine.id == mezzanine.id
            && known
                .checked_sub(1)
                .is_none_or(|last| mezzanine.gops.get(last).map(place) == current.mezzanine.gops.last().map(place));
        if goes_on {
            current.mezzanine = Arc::clone(mezzanine);
        }
        goes_on
    }

    /// Ends the present airing at the GOP boundary reached.
    pub fn cut(&mut self) {
        self.current = None;
    }

    /// Returns the airing whose GOPs come next, while it lasts.
    #[must_use]
    pub fn current(&self) -> Option<&Arc<Airing>> {
        self.current.as_ref().map(|current| &current.airing)
    }

    /// Returns the mezzanine being fed.
    #[must_use]
    pub fn mezzanine(&self) -> Option<&Arc<Mezzanine>> {
        self.current.as_ref().map(|current| &current.mezzanine)
    }

    /// Returns the next GOP and notes it as given to the present run.
    pub fn take_next(&mut self) -> Next {
        let gop = match self.again.pop_front() {
            Some(gop) => gop,
            None => match self.current.take() {
                None => return Next::Ended,
                Some(current) if current.index < current.mezzanine.gops.len() => {
                    self.current = Some(FedGop { index: current.index + 1, ..current.clone() });
                    current
                }
                Some(current) if current.mezzanine.complete => return Next::Ended,
                starved => {
                    self.current = starved;
                    return Next::Starved;
                }
            },
        };
        let goes_on = gop.index.checked_sub(1).map(|before| (gop.airing.id, before));
        let new_slot = goes_on.is_none() || self.last != goes_on;
        self.last = Some((gop.airing.id, gop.index));
        self.in_flight.push_back(gop.clone());
        Next::Gop { gop, new_slot }
    }

    /// Takes back the oldest GOP given to the run: it has come out as a chunk of this length.
    ///
    /// # Errors
    /// [`Mismatch`] when the chunk cannot be that GOP; the run is not to be trusted then, and nothing is taken back.
    pub fn returned(&mut self, duration: MediaTime) -> Result<FedGop, Mismatch> {
        let gop = self.in_flight.front().ok_or(Mismatch::NothingFed)?;
        let difference = duration - gop.duration();
        if difference.0.abs() > DURATION_TOLERANCE.0 {
            return Err(Mismatch::Duration { fed_ms: gop.duration().0 / 90, returned_ms: duration.0 / 90 });
        }
        self.in_flight.pop_front().ok_or(Mismatch::NothingFed)
    }

    /// Takes note that the run has ended: what it did not return is fed again, in the same order, to the next.
    pub fn run_ended(&mut self) {
        while let Some(gop) = self.in_flight.pop_back() {
            self.again.push_front(gop);
        }
        self.last = None;
    }

    /// Forgets every GOP of an airing: its bytes cannot be read. Call it when no run holds any of them.
    pub fn drop_airing(&mut self, airing: u64) {
        self.again.retain(|gop| gop.airing.id != airing);
        self.current.take_if(|current| current.airing.id == airing);
    }

    /// Forgets everything not yet returned: the channel has lost too much time to catch up.
    pub fn abandon(&mut self) {
        *self = Self::default();
    }

    /// Returns how long everything that was taken out of its mezzanine and not returned plays.
    #[must_use]
    pub fn ahead(&self) -> MediaTime {
        self.in_flight.iter().chain(&self.again).map(FedGop::duration).sum()
    }

    /// Returns the oldest airing that is not wholly returned.
    #[must_use]
    pub fn oldest_airing(&self) -> Option<u64> {
        let oldest = self.in_flight.iter().chain(&self.again).chain(&self.current);
        oldest.map(|gop| gop.airing.id).min()
    }

    /// Returns how many GOPs were given to the present run and have not come back.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Returns the length of what is to be fed again before anything new.
    #[must_use]
    pub fn again(&self) -> MediaTime {
        self.again.iter().map(FedGop::duration).sum()
    }
}

#[cfg(test)]
#[path = "laws.rs"]
mod laws;
