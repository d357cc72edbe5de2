//! What to prepare next: wants of all channels by due time, each once. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::mezzanine::MezzanineId;
use crate::config::Profile;
use crate::library::Item;
use crate::units::ChannelId;

/// An item due sooner than this is urgent: it is prepared at a higher priority, and may use one worker more than
/// allowed, so that a two-hour film in the works does not keep a channel dark.
pub const URGENT: SignedDuration = SignedDuration::from_secs(30);

/// How many workers urgent items may use beyond the configured number.
pub const URGENT_EXTRA: usize = 1;

/// How often a preparation that ended for no fault of the item (its ffmpeg was killed) is begun again.
pub const RETRIES_MAX: u32 = 2;

/// How long a preparation that could not go on (disk full, file away) waits.
pub const BLOCKED_PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// How long one that was interrupted waits.
pub const RETRY_PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// How long a preparation that nobody wants any more goes on: a folder may be away for a moment, and a plan be made anew.
pub const UNWANTED_GRACE: SignedDuration = SignedDuration::from_secs(30);

/// How many of a channel's wants, soonest first, are never evicted.
pub const PINS_PER_CHANNEL: usize = 6;

/// How many wants of one channel are looked at: a day of ten-second clips.
pub const WANTS_MAX: usize = 10_000;

/// An item that is to be prepared.
#[derive(Clone, Debug)]
pub struct Want {
    /// The item.
    pub item: Arc<Item>,
    /// What it is to be prepared to.
    pub profile: Arc<Profile>,
    /// When it airs.
    pub due: Timestamp,
}

/// How a preparation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Ready, or failed for good.
    Settled,
    /// By no fault of the item: counts towards [`RETRIES_MAX`].
    Interrupted,
    /// It could not go on for now (disk full, file away); does not count.
    Blocked,
    /// It was ended because nobody wanted it any more; when somebody does again, it may begin at once.
    GivenUp,
}

/// The wants of all channels and what is being done about them.
#[derive(Debug, Default)]
pub struct Queue {
    wants: BTreeMap<ChannelId, Vec<(MezzanineId, Want)>>,
    /// What is being made, and since when nobody wants it.
    running: BTreeMap<MezzanineId, Option<Timestamp>>,
    interrupted: BTreeMap<MezzanineId, u32>,
    not_before: BTreeMap<MezzanineId, Timestamp>,
}

impl Queue {
    /// Replaces what a channel wants.
    pub fn set(&mut self, channel: ChannelId, mut wants: Vec<Want>) {
        wants.sort_by_key(|want| want.due);
        wants.truncate(WANTS_MAX);
        let named = |want: Want| (MezzanineId::of(&want.item, &want.profile), want);
        if wants.is_empty() {
            self.wants.remove(&channel);
        } else {
            self.wants.insert(channel, wants.into_iter().map(named).collect());
        }
        let wanted: BTreeSet<&MezzanineId> = self.wants.values().flatten().map(|(id, _)| id).collect();
        self.interrupted.retain(|id, _| wanted.contains(id));
        self.not_before.retain(|id, _| wanted.contains(id));
    }

    /// Returns what to begin with, if a worker is free: the soonest due of what is not `settled`, not running and not
    /// waiting for another try.
    pub fn next(&self, settled: impl Fn(&MezzanineId) -> bool, workers: usize, now: Timestamp) -> Option<Next> {
        let free = |id: &MezzanineId| {
            !self.running.contains_key(id)
                && !settled(id)
                && self.not_before.get(id).is_none_or(|moment| *moment <= now)
        };
        let wants = self.wants.iter().flat_map(|(channel, wants)| wants.iter().map(move |want| (channel, want)));
        let candidates = wants.filter(|(_, (id, _))| free(id));
        let soonest = candidates.min_by(|(_, (a, x)), (_, (b, y))| x.due.cmp(&y.due).then_with(|| a.cmp(b)))?;
        let (channel, (id, want)) = soonest;
        let urgent = want.due <= now.saturating_add(URGENT).unwrap_or(Timestamp::MAX);
        let limit = workers.max(1) + if urgent { URGENT_EXTRA } else { 0 };
        let awaited = want.due <= now;
        let next = || Next { id: id.clone(), channel: channel.clone(), want: want.clone(), urgent, awaited };
        (self.running.len() < limit).then(next)
    }

    /// Returns how many are wanted, are not `settled` and are not being made.
    #[must_use]
    pub fn waiting(&self, settled: impl Fn(&MezzanineId) -> bool) -> usize {
        let wanted: BTreeSet<&MezzanineId> = self.wants.values().flatten().map(|(id, _)| id).collect();
        wanted.into_iter().filter(|id| !self.running.contains_key(id) && !settled(id)).count()
    }

    /// Notes that a preparation was begun.
    pub fn started(&mut self, id: &MezzanineId) {
        self.running.insert(id.clone(), None);
    }

    /// Notes that one ended; returns whether it is over, for good or after too many interruptions.
    pub fn ended(&mut self, id: &MezzanineId, ended: Ended, now: Timestamp) -> bool {
        self.running.remove(id);
        let pause = match ended {
            Ended::Settled => {
                self.interrupted.remove(id);
                self.not_before.remove(id);
                return true;
            }
            Ended::Interrupted => {
                let count = self.interrupted.entry(id.clone()).or_default();
                *count += 1;
                if *count > RETRIES_MAX {
                    self.interrupted.remove(id);
                    return true;
                }
                RETRY_PAUSE
            }
            Ended::Blocked => BLOCKED_PAUSE,
            Ended::GivenUp => return false,
        };
        self.not_before.insert(id.clone(), now.saturating_add(pause).unwrap_or(Timestamp::MAX));
        false
    }

    /// Returns what is being made although nobody has wanted it for [`UNWANTED_GRACE`]; to be asked now and then.
    pub fn unwanted(&mut self, now: Timestamp) -> Vec<MezzanineId> {
        let wanted: BTreeSet<&MezzanineId> = self.wants.values().flatten().map(|(id, _)| id).collect();
        let mut unwanted = Vec::new();
        for (id, since) in &mut self.running {
            if wanted.contains(id) {
                *since = None;
            } else if now.duration_since(*since.get_or_insert(now)) >= UNWANTED_GRACE {
                unwanted.push(id.clone());
            }
        }
        unwanted
    }

    /// Returns the next moment at which something that waits may be tried again.
    #[must_use]
    pub fn next_retry(&self, now: Timestamp) -> Option<Timestamp> {
        self.not_before.values().filter(|moment| **moment > now).min().copied()
    }

    /// Returns when each wanted mezzanine airs next, and whether it must stay.
    #[must_use]
    pub fn dues(&self) -> BTreeMap<MezzanineId, (Timestamp, bool)> {
        let mut dues: BTreeMap<MezzanineId, (Timestamp, bool)> = BTreeMap::new();
        for wants in self.wants.values() {
            for (place, (id, want)) in wants.iter().enumerate() {
                let pinned = place < PINS_PER_CHANNEL;
                let entry = dues.entry(id.clone()).or_insert((want.due, pinned));
                entry.0 = entry.0.min(want.due);
                entry.1 |= pinned;
            }
        }
        dues
    }
}

/// What to begin with.
#[derive(Clone, Debug)]
pub struct Next {
    /// The mezzanine to make.
    pub id: MezzanineId,
    /// The channel that wants it; of several, the one that wants it soonest.
    pub channel: ChannelId,
    /// From what.
    pub want: Want,
    /// Whether it airs within [`URGENT`].
    pub urgent: bool,
    /// Whether it should be on air already: viewers wait for it.
    pub awaited: bool,
}

#[cfg(test)]
#[path = "queue_tests.rs"]
pub(crate) mod tests;
