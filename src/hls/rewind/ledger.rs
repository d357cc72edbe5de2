//! Which segments are kept and which go: the oldest first, within a length and a budget of bytes. Pure.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{GRACE, Kept, Names, Window};
use crate::hls::{SegmentBody, Snapshot};
use crate::units::{MediaTime, Msn};

/// A station that is started again airs the last seconds once more, so that its playlist is full at once. What is as near
/// as this before the end of what is kept is the same again; what is further back was dated by a clock that was set.
const AGAIN_MAX: SignedDuration = SignedDuration::from_secs(60);

/// Lengths are rounded to the tick: nearer than this to the end is after it.
const AGAIN_MIN: SignedDuration = SignedDuration::from_millis(500);

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long.
    pub window: MediaTime,
    /// How many bytes, of what is listed and of what has just left.
    pub space: u64,
}

/// What is remembered of the newest segment, also when nothing is kept any more.
#[derive(Clone, Debug)]
struct Newest {
    number: u64,
    msn: Msn,
    end: Timestamp,
    discontinuities: u64,
    names: Arc<Names>,
}

impl From<&Kept> for Newest {
    fn from(kept: &Kept) -> Self {
        let Kept { number, msn, discontinuities, .. } = *kept;
        Self { number, msn, end: kept.end(), discontinuities, names: Arc::clone(&kept.names) }
    }
}

/// What a channel keeps of its past.
#[derive(Debug)]
pub struct Ledger {
    limits: Limits,
    listed: VecDeque<Arc<Kept>>,
    /// What has left the playlist, and until when its file stays.
    left: VecDeque<(Arc<Kept>, Timestamp)>,
    length: MediaTime,
    bytes_listed: u64,
    bytes: u64,
    newest: Option<Newest>,
}

impl Ledger {
    /// Keeps nothing yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let (listed, left) = Default::default();
        Self { limits, listed, left, length: MediaTime::ZERO, bytes_listed: 0, bytes: 0, newest: None }
    }

    /// Goes on with what an earlier life kept, the oldest first; returns the segments that are too many.
    #[must_use]
    pub fn restored(limits: Limits, kept: Vec<Kept>, now: Timestamp) -> (Self, Vec<Msn>) {
        let mut ledger = Self::new(limits);
        for one in kept {
            ledger.add(Arc::new(one), now);
        }
        let gone = ledger.room(0, now);
        (ledger, gone)
    }

    /// Returns how many bytes are kept.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the number of the oldest segment that is listed, and nothing before the first.
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        self.listed.front().map(|kept| kept.number)
    }

    /// Returns what is listed, the oldest first.
    #[must_use]
    pub fn listed(&self) -> impl ExactSizeIterator<Item = &Arc<Kept>> {
        self.listed.iter()
    }

    /// Whether a channel counts from lower numbers than those that are kept, so that one name would mean two segments: its
    /// database was lost, and its clock set back.
    #[must_use]
    pub fn contradicts(&self, target: &Snapshot) -> bool {
        self.newest.as_ref().is_some_and(|kept| target.newest.is_some_and(|newest| newest < kept.msn))
    }

    /// Lets everything go; returns what it was.
    pub fn forget(&mut self) -> Vec<Msn> {
        let all = self.left.iter().map(|(kept, _)| kept.msn).chain(self.listed.iter().map(|kept| kept.msn)).collect();
        *self = Self::new(self.limits);
        all
    }

    /// Returns the segments that a channel offers and that are still to be kept, the oldest first.
    #[must_use]
    pub fn missing(&self, target: &Snapshot) -> Vec<Msn> {
        let mut before = self.newest.as_ref().map(|newest| (newest.msn, newest.end));
        let mut missing = Vec::new();
        for (msn, body) in &target.segments {
            let wanted = before.is_none_or(|(last, end)| {
                let again = end.duration_since(body.date);
                let is_again = again > AGAIN_MIN && again <= AGAIN_MAX;
                msn.0 > last.0 && (msn.0 == last.0 + 1 || !is_again)
            });
            if wanted {
                missing.push(*msn);
                before = Some((*msn, body.duration.after(body.date)));
            }
        }
        missing
    }

    /// Makes room for so many bytes; returns what is to be removed before they are written.
    pub fn room(&mut self, bytes: u64, now: Timestamp) -> Vec<Msn> {
        // What leaves stays for a while: as much of the budget is not listed.
        let leaving = self.bytes_of_grace().min(self.limits.space / 2);
        while self.bytes_listed + bytes + leaving > self.limits.space && !self.listed.is_empty() {
            self.leave(now);
        }
        let mut gone = self.tidy(now);
        while self.bytes + bytes > self.limits.space {
            let Some(oldest) = self.drop_oldest() else { break };
            gone.push(oldest.msn);
        }
        gone
    }

    /// Keeps a segment that was written.
    pub fn keep(
        &mut self,
        msn: Msn,
        body: &SegmentBody,
        names: &Arc<Names>,
        lens: Box<[u32]>,
        now: Timestamp,
    ) -> Arc<Kept> {
        let follows = self.newest.as_ref().is_some_and(|newest| msn.0 == newest.msn.0 + 1);
        let discontinuity = body.discontinuity || !follows;
        let (number, before) = match &self.newest {
            Some(newest) => (newest.number + 1, newest.discontinuities),
            // Above all that an earlier life may have told, as the channel's own numbers are.
            None => (u64::try_from(body.date.as_second()).unwrap_or(0), 0),
        };
        // Most segments consist of the same.
        let known = self.newest.as_ref().map(|newest| &newest.names).filter(|known| *known == names);
        let kept = Arc::new(Kept {
            number,
            msn,
            duration: body.duration,
            date: body.date,
            discontinuity,
            discontinuities: before + u64::from(discontinuity),
            names: Arc::clone(known.unwrap_or(names)),
            lens,
        });
        self.add(Arc::clone(&kept), now);
        kept
    }

    fn add(&mut self, kept: Arc<Kept>, now: Timestamp) {
        // A rendition's playlist cannot list what has no such rendition.
        if self.newest.as_ref().is_some_and(|newest| newest.names.pictures != kept.names.pictures) {
            while !self.listed.is_empty() {
                self.leave(now);
            }
        }
        let bytes = kept.bytes();
        self.newest = Some((&*kept).into());
        self.length += kept.duration;
        self.bytes_listed += bytes;
        self.bytes += bytes;
        let oldest_date = kept.end() - self.limits.window.to_duration();
        self.listed.push_back(kept);
        while self
            .listed
            .front()
            .is_some_and(|oldest| self.length - oldest.duration >= self.limits.window || oldest.end() <= oldest_date)
        {
            self.leave(now);
        }
    }

    /// Returns what need not stay any longer.
    pub fn tidy(&mut self, now: Timestamp) -> Vec<Msn> {
        let mut gone = Vec::new();
        while self.left.front().is_some_and(|(_, until)| *until <= now) {
            gone.extend(self.drop_oldest().map(|kept| kept.msn));
        }
        gone
    }

    /// Gives up so many bytes at once: the disk has no more. Returns what is to be removed; nothing where no more can be. The
    /// newest stays, so that the next life knows which numbers were told.
    pub fn squeeze(&mut self, bytes: u64) -> Vec<Msn> {
        let (mut gone, enough) = (Vec::new(), self.bytes.saturating_sub(bytes));
        while self.bytes > enough && self.left.len() + self.listed.len() > 1 {
            gone.extend(self.drop_oldest().map(|oldest| oldest.msn));
        }
        gone
    }

    /// Returns what those who go back are told.
    #[must_use]
    pub fn window(&self, folder: &Path) -> Window {
        let left = self.left.iter().map(|(kept, _)| kept);
        let segments = left.chain(&self.listed).map(Arc::clone).collect();
        Window::new(folder.to_owned(), segments, self.left.len())
    }

    /// Takes the oldest out of the playlist.
    fn leave(&mut self, now: Timestamp) {
        if let Some(kept) = self.listed.pop_front() {
            self.length = self.length - kept.duration;
            self.bytes_listed -= kept.bytes();
            self.left.push_back((kept, now + GRACE));
        }
    }

    /// Forgets the oldest of all.
    fn drop_oldest(&mut self) -> Option<Arc<Kept>> {
        if self.left.is_empty() {
            self.leave(Timestamp::MIN + GRACE);
        }
        let (kept, _) = self.left.pop_front()?;
        self.bytes -= kept.bytes();
        Some(kept)
    }

    /// Returns what the newest segments take that last as long as what has left stays.
    fn bytes_of_grace(&self) -> u64 {
        let (mut length, mut bytes) = (MediaTime::ZERO, 0);
        for kept in self.listed.iter().rev() {
            if length.to_duration() >= GRACE {
                break;
            }
            length += kept.duration;
            bytes += kept.bytes();
        }
        bytes
    }
}

#[cfg(test)]
#[path = "laws.rs"]
mod laws;
