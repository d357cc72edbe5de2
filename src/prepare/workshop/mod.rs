//! What is made, kept, lost and forgiven: everything the workshop decides. Pure.
//!
//! Times, free bytes and the ends of preparations are arguments; what is to be begun, removed and told is returned.

mod holdings;
mod inspecting;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Prepared;
use super::cache;
use super::inspection::{Inspection, Inspections};
use super::job::{JobError, sentence};
use super::mezzanine::{Mezzanine, MezzanineId};
use super::numbers::Work;
use super::queue::{Ended, Next, Queue, RETRIES_MAX, Want};
use super::recipe::Recipe;
use super::sizes::{estimate, size};
use crate::units::ChannelId;

/// How long an item rests whose preparation was interrupted again and again: by no fault of its own, perhaps.
const FORGIVE_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// How the reason of such an item ends: a later life of the station tries it at once.
const TRIED_AGAIN: &str = "it is tried again in half an hour";
/// How often a disk that takes nothing is told of.
const BLOCKED_TOLD_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// The state of the preparing service.
#[derive(Debug)]
pub struct Workshop {
    workers: usize,
    budget: u64,
    queue: Queue,
    prepared: BTreeMap<MezzanineId, Prepared>,
    /// When each mezzanine on the disk was last wanted or made.
    used: BTreeMap<MezzanineId, Timestamp>,
    running: BTreeMap<MezzanineId, Running>,
    /// What was done for each channel; there are as many as were ever configured.
    work: BTreeMap<ChannelId, Work>,
    evictions: u64,
    /// Failures that are forgotten at a moment.
    forgive: BTreeMap<MezzanineId, Timestamp>,
    /// Why nothing is begun although something is wanted: told once.
    held: bool,
    /// When it was last told that the disk takes nothing.
    blocked: Option<Timestamp>,
    jobs: u64,
    /// Kept pictures that were not looked through yet, or are damaged.
    inspections: Inspections,
}

/// A preparation under way.
#[derive(Debug)]
struct Running {
    /// What it will take on the disk, in bytes.
    bytes: u64,
    channel: ChannelId,
    since: Timestamp,
}

/// What is to be done next.
#[derive(Debug)]
pub enum Step {
    /// Begin a preparation, which is noted as begun.
    Begin(Box<Begin>),
    /// Nothing, and say why: the cache is full of what airs sooner.
    Held {
        /// How many bytes may be kept.
        budget: u64,
        /// How many the next item needs.
        needed: u64,
    },
}

/// A preparation to begin.
#[derive(Debug)]
pub struct Begin {
    /// The item, and for whom.
    pub next: Next,
    /// How the names of its files begin.
    pub stem: String,
    /// What is wrong with its mezzanine, which is ready: a kept picture that is to be made anew.
    pub damage: Option<Arc<str>>,
    /// What goes from the cache to make room: its files are to be removed.
    pub evicted: Vec<MezzanineId>,
}

/// What is to be looked after now and then.
#[derive(Debug, Default, PartialEq)]
pub struct Round {
    /// Preparations to end, since nobody wants them any more.
    pub unwanted: Vec<MezzanineId>,
    /// Mezzanines that air soon: their files must be there.
    pub watched: Vec<Arc<Mezzanine>>,
    /// Whether failures were forgotten, so that something can be begun.
    pub forgiven: bool,
}

/// What is to be told of a preparation that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is ready; and the disk takes files again where it did not before.
    Ready {
        /// Whether it did not before.
        recovered: bool,
    },
    /// The disk takes nothing: told once in a while, however many items wait for it.
    Blocked,
    /// The same, told a moment ago.
    StillBlocked,
    /// It failed, for good or until it is tried again.
    Failed {
        /// Whether for good.
        over: bool,
    },
}

impl Workshop {
    /// Returns one with nothing in it, which makes so many items at once and keeps so many bytes.
    #[must_use]
    pub fn new(workers: usize, budget: u64) -> Self {
        Self {
            workers,
            budget,
            queue: Queue::default(),
            prepared: BTreeMap::new(),
            used: BTreeMap::new(),
            running: BTreeMap::new(),
            work: BTreeMap::new(),
            evictions: 0,
            forgive: BTreeMap::new(),
            held: false,
            blocked: None,
            jobs: 0,
            inspections: Inspections::default(),
        }
    }

    /// Takes in a mezzanine of an earlier life; and how far its picture was looked through, where it was kept.
    pub fn found(&mut self, mezzanine: Arc<Mezzanine>, changed: Timestamp, kept: Option<Inspection>) {
        if let Some(inspection) = kept {
            self.inspections.add(&mezzanine, inspection);
        }
        self.used.insert(mezzanine.id.clone(), changed);
        self.prepared.insert(mezzanine.id.clone(), Prepared::Ready(mezzanine));
    }

    /// Takes in what failed for good in an earlier life.
    pub fn failed_before(&mut self, failures: &[(MezzanineId, Arc<str>)]) {
        for (id, reason) in failures.iter().filter(|(_, reason)| !reason.ends_with(TRIED_AGAIN)) {
            self.prepared.entry(id.clone()).or_insert_with(|| Prepared::Failed(Arc::clone(reason)));
        }
    }

    /// Returns how many mezzanines are ready.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.used.len()
    }

    /// Replaces what a channel wants.
    pub fn want(&mut self, channel: &ChannelId, wants: Vec<Want>, now: Timestamp) {
        self.queue.set(channel.clone(), wants);
        let dues = self.queue.dues();
        for (id, used) in &mut self.used {
            if dues.contains_key(id) {
                *used = now;
            }
        }
        self.held = false;
    }

    /// Takes note that a mezzanine on the disk is watched by itself: by its age it is young.
    pub fn watched(&mut self, id: &MezzanineId, now: Timestamp) {
        if let Some(used) = self.used.get_mut(id) {
            *used = now;
        }
    }

    /// Returns how far a mezzanine has got.
    #[must_use]
    pub fn state(&self, id: &MezzanineId) -> Prepared {
        self.prepared.get(id).cloned().unwrap_or(Prepared::Waiting)
    }

    /// Takes note of how far a mezzanine has got. One that is ready and is made anew stays so meanwhile.
    pub fn grown(&mut self, id: &MezzanineId, prepared: Prepared) {
        if !self.is_ready(id) {
            self.prepared.insert(id.clone(), prepared);
        }
    }

    /// Returns what failed for good, with the reasons.
    #[must_use]
    pub fn failures(&self) -> Vec<(MezzanineId, Arc<str>)> {
        let failed = |(id, prepared): (&MezzanineId, &Prepared)| match prepared {
            Prepared::Failed(reason) => Some((id.clone(), Arc::clone(reason))),
            _ => None,
        };
        self.prepared.iter().filter_map(failed).collect()
    }

    /// Forgets that a mezzanine failed; false where it had not.
    pub fn forget_failure(&mut self, id: &MezzanineId) -> bool {
        let failed = matches!(self.prepared.get(id), Some(Prepared::Failed(_)));
        self.forgive.remove(id);
        failed && self.prepared.remove(id).is_some()
    }

    /// Forgets a mezzanine whose file is of no use; false where it is being made, and must not be touched.
    pub fn lost(&mut self, id: &MezzanineId) -> bool {
        if self.running.contains_key(id) {
            return false;
        }
        self.used.remove(id);
        self.prepared.remove(id);
        self.inspections.remove(id);
        true
    }

    /// Returns what is to be done now, given how many more bytes the disk takes.
    pub fn next(&mut self, room: impl FnOnce() -> u64, now: Timestamp) -> Option<Step> {
        // What is damaged can air: it comes after all that cannot, and nobody waits for it.
        let first = self.queue.next(|id| self.is_settled(id) || self.is_ready(id), self.workers, now);
        let calm = |next: Next| Next { urgent: false, awaited: false, ..next };
        let next = first.or_else(|| self.queue.next(|id| self.is_settled(id), self.workers, now).map(calm))?;
        let bytes = estimate(&next.want);
        let kept = self.kept();
        // A disk with less room than the budget is the budget.
        let budget = self.budget.min(self.on_disk().saturating_add(room()));
        if !next.urgent && !cache::worth_making(&kept, budget, bytes, next.want.due) {
            let told = std::mem::replace(&mut self.held, true);
            return (!told).then_some(Step::Held { budget, needed: bytes });
        }
        let evicted: Vec<_> = cache::evict(&kept, budget, bytes).into_iter().filter(|id| *id != next.id).collect();
        for id in &evicted {
            self.prepared.remove(id);
            self.used.remove(id);
            self.inspections.remove(id);
            self.evictions += 1;
        }
        self.queue.started(&next.id);
        self.jobs += 1;
        let stem = format!("{}-{}", next.id.file_stem(), self.jobs);
        let damage = self.inspections.damage(&next.id);
        self.running.insert(next.id.clone(), Running { bytes, channel: next.channel.clone(), since: now });
        Some(Step::Begin(Box::new(Begin { next, stem, damage, evicted })))
    }

    /// Returns the next moment at which something that waits may be tried again.
    #[must_use]
    pub fn next_retry(&self, now: Timestamp) -> Option<Timestamp> {
        self.queue.next_retry(now)
    }

    /// Returns what nobody tells of, to be asked now and then: work that nobody wants, files that may have gone away.
    pub fn look_after(&mut self, now: Timestamp) -> Round {
        let mut unwanted = self.queue.unwanted(now);
        unwanted.retain(|id| self.running.contains_key(id));
        let old: Vec<_> = self.forgive.extract_if(.., |_, moment| *moment <= now).collect();
        for (id, _) in &old {
            if !self.is_ready(id) {
                self.prepared.remove(id);
            }
        }
        let soon = self.queue.dues().into_iter().filter(|(_, (_, pinned))| *pinned);
        let ready = soon.filter_map(|(id, _)| match self.prepared.get(&id) {
            Some(Prepared::Ready(mezzanine)) => Some(Arc::clone(mezzanine)),
            _ => None,
        });
        Round { unwanted, watched: ready.collect(), forgiven: !old.is_empty() }
    }

    /// Takes note that what is made anew is done, before its files take the place of those of the mezzanine that airs
    /// meanwhile: from now on whoever begins to air it airs the new one.
    pub fn replaced(&mut self, made: &Mezzanine) {
        if self.is_ready(&made.id) {
            self.prepared.insert(made.id.clone(), Prepared::Ready(Arc::new(made.clone())));
        }
    }

    /// Takes note of how a preparation ended, at `speed` times the world's pace.
    pub fn ended(
        &mut self,
        id: &MezzanineId,
        outcome: Result<(Mezzanine, &Recipe), &JobError>,
        now: Timestamp,
        speed: f64,
    ) -> Verdict {
        if let Some(running) = self.running.remove(id) {
            let made = outcome.as_ref().map(|(mezzanine, recipe)| (*recipe, mezzanine.duration(), size(mezzanine)));
            let took = now.duration_since(running.since).unsigned_abs().div_f64(speed);
            self.work.entry(running.channel).or_default().add(made.map_err(|error| *error), took);
        }
        match outcome {
            Ok((mezzanine, recipe)) => {
                self.queue.ended(id, Ended::Settled, now);
                self.used.insert(id.clone(), now);
                self.inspections.remove(id);
                if recipe.keeps_picture() {
                    self.inspections.add(&mezzanine, Inspection::default());
                }
                self.prepared.insert(id.clone(), Prepared::Ready(Arc::new(mezzanine)));
                Verdict::Ready { recovered: self.blocked.take().is_some() }
            }
            Err(error) => self.failed(id, error, now),
        }
    }

    fn failed(&mut self, id: &MezzanineId, error: &JobError, now: Timestamp) -> Verdict {
        let ended = match error {
            JobError::Unfit(_) => Ended::Settled,
            JobError::Interrupted(_) => Ended::Interrupted,
            JobError::Cancelled => Ended::GivenUp,
            JobError::Changed | JobError::DiskFull | JobError::Exhausted(_) | JobError::Unwritable(_) => Ended::Blocked,
        };
        let over = self.queue.ended(id, ended, now);
        if over {
            let mut reason = error.to_string();
            if ended == Ended::Interrupted {
                self.forgive.insert(id.clone(), now + FORGIVE_AFTER);
                reason = format!("{reason}, {} times in a row; {TRIED_AGAIN}", RETRIES_MAX + 1);
            }
            // A damaged mezzanine airs on where nothing is said against its item.
            if ended == Ended::Settled || !self.is_ready(id) {
                self.used.remove(id);
                self.inspections.remove(id);
                self.prepared.insert(id.clone(), Prepared::Failed(sentence(&reason).into()));
            }
        } else if !self.is_ready(id) {
            self.prepared.remove(id);
        }
        if !matches!(error, JobError::DiskFull | JobError::Unwritable(_)) {
            return Verdict::Failed { over };
        }
        if self.blocked.is_some_and(|told| now.duration_since(told) < BLOCKED_TOLD_EVERY) {
            return Verdict::StillBlocked;
        }
        self.blocked = Some(now);
        Verdict::Blocked
    }

    fn is_ready(&self, id: &MezzanineId) -> bool {
        matches!(self.prepared.get(id), Some(Prepared::Ready(_)))
    }
}

#[cfg(test)]
mod tests;
