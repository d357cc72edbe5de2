//! The programmes of a day ahead, and everything that may happen to them.
//!
//! Two things hold after every call: each programme begins when the one before it ends, and a serial is used once.
//! What was *picked* is kept apart from what *was on*: the picker's state stands before the first programme and moves
//! only when one leaves at the front, so a plan may be thrown away and made anew from any place in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::picker::{Picker, PickerState};
use super::shelf::{Candidate, Shelf};
use super::timetable::Timetable;
use super::{HORIZON, Programme, Role};
use crate::config::Order;
use crate::units::{ContentKey, MediaTime};

/// How many programmes are planned at most, where items are so short that [`HORIZON`] would take more: stored and shown
/// whole, five thousand cost a megabyte; clips of 2 s are then planned for 2 h 46 min.
pub const PROGRAMMES_MAX: usize = 5_000;

/// How many programmes a downtime may be lived through after the fact; beyond it the plan starts afresh. 25 h of clips
/// of 2 s are 45,000, which took 0.9 s in an unoptimised build.
pub const CATCH_UP_MAX: usize = 100_000;

/// What a programme is taken to last whose item does not tell its length, until it is prepared. A guess too short would
/// fill the plan with one item.
pub const DURATION_GUESS: MediaTime = MediaTime::from_secs(60);

/// The shortest a programme is taken for: one frame at 100 a second. A length of nothing would be planned for ever.
pub const DURATION_MIN: MediaTime = MediaTime::from_millis(10);

/// The longest a programme is taken for: a container may claim any length, and no sum of times may overflow.
pub const DURATION_MAX: MediaTime = MediaTime::from_secs(30 * 24 * 3600);

/// Serials stay below this: at one a second it takes longer than there have been stars, and what is stored beyond it was
/// never one of ours.
pub const SERIAL_MAX: u64 = 1 << 60;

/// A channel's programmes, soonest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub(super) programmes: VecDeque<Programme>,
    pub(super) next_serial: u64,
    /// As it was before the first of `programmes`.
    pub(super) picker: PickerState,
    /// Lengths learnt since start, for programmes yet to be planned.
    exact: BTreeMap<ContentKey, MediaTime>,
    /// What stands at a time of its own, if anything does.
    pub(super) timetable: Option<Arc<Timetable>>,
    /// Whether what is planned no longer fits its timetable as well as it could.
    pub(super) loose: bool,
}

impl Plan {
    /// Returns the empty plan of a channel that was never on air; serials begin at 1.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::restore(VecDeque::new(), 1, PickerState::new(seed))
    }

    /// Returns the plan as it was stored, whatever became of it meanwhile: programmes that do not join are moved until
    /// they do, one with a serial that is used already or beyond [`SERIAL_MAX`] is dropped, lengths are brought into
    /// range, and `next_serial` is raised above every serial in use.
    #[must_use]
    pub fn restore(mut programmes: VecDeque<Programme>, next_serial: u64, mut picker: PickerState) -> Self {
        let mut serials = BTreeSet::new();
        programmes.retain(|programme| programme.serial < SERIAL_MAX && serials.insert(programme.serial));
        for programme in &mut programmes {
            programme.duration = programme.duration.clamp(DURATION_MIN, DURATION_MAX);
        }
        super::timed::keep_what_can_be_due(&mut programmes);
        picker.keep_what_can_be(&serials);
        let used = serials.last().map_or(0, |last| last + 1);
        let next_serial = next_serial.min(SERIAL_MAX).max(used);
        let mut plan = Self { programmes, next_serial, picker, exact: BTreeMap::new(), timetable: None, loose: false };
        plan.join();
        plan
    }

    /// Returns the programmes, soonest first; the first is the one on air once the channel is.
    #[must_use]
    pub fn programmes(&self) -> &VecDeque<Programme> {
        &self.programmes
    }

    /// Returns the serial the next new programme will have; stored with the programmes.
    #[must_use]
    pub fn next_serial(&self) -> u64 {
        self.next_serial
    }

    /// Returns what the picker must remember; stored with the programmes, and valid for exactly them.
    #[must_use]
    pub fn picker(&self) -> &PickerState {
        &self.picker
    }

    /// Plans until [`HORIZON`] after `now` or [`PROGRAMMES_MAX`], going on where the last programme ends, or at `now` if
    /// there is none. Returns whether programmes were added. Cheap when there is nothing to do.
    ///
    /// Does not drop what is past: after a pause call [`Self::catch_up`].
    pub fn extend(&mut self, order: &Order, candidates: &[Candidate], now: Timestamp) -> bool {
        self.keep_deck_only_for(order);
        let before = self.programmes.len();
        if !self.reaches(now) && !candidates.is_empty() {
            self.fill(order, &Shelf::new(order, candidates), now, now, VecDeque::new());
        }
        self.programmes.len() > before
    }

    /// Lives through the time since the plan was stored as if the channel had been on air, so that the first programme
    /// is the one that would be on at `now`; returns how far into it that is, or none when there is nothing to play.
    ///
    /// Programmes whose item is gone are skipped. After more than [`HORIZON`] beyond the plan's end, or more than
    /// [`CATCH_UP_MAX`] programmes, the plan starts afresh at `now`.
    pub fn catch_up(&mut self, order: &Order, candidates: &[Candidate], now: Timestamp) -> Option<MediaTime> {
        self.keep_deck_only_for(order);
        let shelf = Shelf::new(order, candidates);
        let mut planned_until = None;
        while let Some(ended) = self.programmes.pop_front_if(|first| first.end() <= now) {
            planned_until = Some(ended.end());
            self.was_on(&ended);
        }
        let due = self.programmes.front().map(|first| first.serial);
        let made = self.made_by_the_station();
        self.drop_where(|programme| shelf.find(&programme.key).is_none() && !made(programme));
        let skipped = due.is_some() && due != self.programmes.front().map(|first| first.serial);
        if let Some(end) = planned_until.filter(|_| due.is_none()) {
            self.live_through(order, &shelf, end, now);
        }
        let mut old = VecDeque::new();
        // The clock may have been set back, or the programme that would be on skipped: then the next begins now.
        if skipped || self.programmes.front().is_some_and(|first| first.start > now) {
            match self.timetable {
                // What is bound to its time does not move: the plan is made anew around it.
                Some(_) => old = self.take_all(),
                None => self.retime(now),
            }
        }
        self.fill(order, &shelf, now, now, old);
        self.programmes.front().map(|first| MediaTime::between(first.start, now))
    }

    /// Takes note that items came, went or were renamed, and plans anew everything after the first `announced`
    /// programmes, so that what is new may come soon.
    ///
    /// Of the announced, the first is on air and stays whatever became of its item; the others stay unless their item
    /// is gone. With `announced` 0 nothing is on air, and the new plan begins where the old one did. Where the new plan
    /// agrees with the old one, programmes keep their serials.
    pub fn library_changed(&mut self, order: &Order, candidates: &[Candidate], announced: usize, now: Timestamp) {
        self.keep_deck_only_for(order);
        let shelf = Shelf::new(order, candidates);
        self.exact.retain(|key, _| shelf.find(key).is_some());
        let start = self.programmes.front().map_or(now, |first| first.start);
        let mut later = self.programmes.split_off(announced.min(self.programmes.len()));
        for programme in &later {
            self.picker.openers.remove(&programme.serial);
        }
        let on_air = self.programmes.front().map(|first| first.serial);
        let made = self.made_by_the_station();
        self.drop_where(|programme| {
            let is_there = shelf.find(&programme.key).is_some() || made(programme);
            Some(programme.serial) != on_air && !is_there
        });
        for programme in self.programmes.iter_mut().chain(&mut later) {
            if let Some(item) = shelf.find(&programme.key) {
                programme.name = Arc::clone(&item.name);
                programme.metadata = Arc::clone(&item.metadata);
            }
        }
        self.fill(order, &shelf, start, now, later);
    }

    /// Takes note of an item's exact length: all its programmes get it, and all after them their times.
    pub fn set_duration(&mut self, key: &ContentKey, duration: MediaTime) {
        let duration = duration.clamp(DURATION_MIN, DURATION_MAX);
        self.exact.insert(key.clone(), duration);
        let airings = self.programmes.iter_mut().filter(|programme| programme.key == *key);
        airings.for_each(|programme| programme.duration = duration);
        self.join();
    }

    /// Takes note that the first programme begins at `start` in truth, and moves all others with it.
    pub fn retime(&mut self, start: Timestamp) {
        if let Some(first) = self.programmes.front_mut() {
            first.start = start;
        }
        self.join();
    }

    /// Takes the first programme off the plan because it was on, and remembers that for later picks.
    pub fn pop_front(&mut self) -> Option<Programme> {
        let ended = self.programmes.pop_front()?;
        self.was_on(&ended);
        Some(ended)
    }

    /// Moves a later programme forward to a place: 1 is after the one on air, 0 is next while nothing is on air. Returns
    /// whether it stands at or before that place now.
    pub fn promote(&mut self, serial: u64, place: usize) -> bool {
        let Some(index) = self.programmes.iter().position(|programme| programme.serial == serial) else {
            return false;
        };
        if index > place
            && let Some(programme) = self.programmes.remove(index)
        {
            let first = self.programmes.front().map(|first| first.start).filter(|_| place == 0);
            // The deck it would have opened begins with the programme after it.
            if self.picker.openers.remove(&serial)
                && let Some(follower) = self.programmes.get(index)
            {
                self.picker.openers.insert(follower.serial);
            }
            let start = first.unwrap_or(programme.start);
            self.programmes.insert(place, Programme { start, ..programme });
            self.join();
        }
        index >= place
    }

    /// Drops an item's programmes, because it cannot be prepared; the airing with the serial `on_air` stays. Returns how
    /// many were dropped.
    pub fn remove_item(&mut self, key: &ContentKey, on_air: Option<u64>) -> usize {
        let before = self.programmes.len();
        self.exact.remove(key);
        self.drop_where(|programme| programme.key == *key && Some(programme.serial) != on_air);
        before - self.programmes.len()
    }

    /// Puts an airing of an item at a place (see [`Self::promote`]) because nothing planned is prepared; at `now` where
    /// it becomes the first. Returns its serial.
    pub fn insert(&mut self, candidate: &Candidate, place: usize, now: Timestamp) -> u64 {
        let place = place.min(self.programmes.len());
        let start = if place == 0 { now } else { self.programmes[place - 1].end() };
        let mut programme = self.programme(candidate, start);
        programme.role.part = self.part_of_repeats();
        let serial = programme.serial;
        self.programmes.insert(place, programme);
        self.join();
        serial
    }

    /// Whether there is nothing more to plan.
    pub(super) fn reaches(&self, now: Timestamp) -> bool {
        let last = self.programmes.back();
        self.programmes.len() >= PROGRAMMES_MAX || last.is_some_and(|last| last.end() >= now + HORIZON)
    }

    /// Adds picks until the plan reaches far enough; takes them over from `old` as long as they are the same.
    fn fill(
        &mut self,
        order: &Order,
        shelf: &Shelf<'_>,
        start: Timestamp,
        now: Timestamp,
        mut old: VecDeque<Programme>,
    ) {
        if let Some(table) = self.timetable.clone() {
            return self.weave(&table, order, shelf.candidates(), start, now, old);
        }
        self.picker.keep_history_for(shelf.spacing);
        let mut picker = Picker::new(shelf, &self.picker);
        for programme in &self.programmes {
            picker.note(&programme.key, &programme.name, self.picker.openers.contains(&programme.serial));
        }
        let mut start = self.programmes.back().map_or(start, Programme::end);
        while !self.reaches(now)
            && let Some(pick) = picker.pick()
        {
            let candidate = shelf.candidate(pick.index);
            let programme = match old.pop_front() {
                Some(same) if same.key == candidate.key => Programme { start, ..same },
                _ => {
                    old.clear();
                    self.programme(candidate, start)
                }
            };
            if pick.opens_deck {
                self.picker.openers.insert(programme.serial);
            }
            start = programme.end();
            self.programmes.push_back(programme);
        }
    }

    /// Picks from `start` on what would have been on, and leaves the plan with the programme on at `now`, if any.
    fn live_through(&mut self, order: &Order, shelf: &Shelf<'_>, mut start: Timestamp, now: Timestamp) {
        if now.duration_since(start) > HORIZON {
            return;
        }
        if let Some(table) = self.timetable.clone() {
            return self.live_by(&table, order, shelf.candidates(), start, now);
        }
        let mut picker = Picker::new(shelf, &self.picker);
        for _ in 0..CATCH_UP_MAX {
            let Some(pick) = picker.pick() else { return };
            let candidate = shelf.candidate(pick.index);
            let end = self.duration(candidate).after(start);
            if end > now {
                let programme = self.programme(candidate, start);
                if pick.opens_deck {
                    self.picker.openers.insert(programme.serial);
                }
                self.programmes.push_back(programme);
                return;
            }
            self.picker.note(&candidate.key, &candidate.name, pick.opens_deck);
            start = end;
        }
    }

    pub(super) fn duration(&self, candidate: &Candidate) -> MediaTime {
        let known = self.exact.get(&candidate.key).copied();
        let told = Some(candidate.duration).filter(|told| *told > MediaTime::ZERO);
        known.or(told).unwrap_or(DURATION_GUESS).clamp(DURATION_MIN, DURATION_MAX)
    }

    pub(super) fn programme(&mut self, candidate: &Candidate, start: Timestamp) -> Programme {
        let serial = self.next_serial;
        self.next_serial += 1;
        Programme {
            serial,
            key: candidate.key.clone(),
            name: Arc::clone(&candidate.name),
            metadata: Arc::clone(&candidate.metadata),
            start,
            duration: self.duration(candidate),
            role: Role::default(),
        }
    }

    fn was_on(&mut self, programme: &Programme) {
        let opens_deck = self.picker.openers.remove(&programme.serial);
        if self.timetable.is_some() {
            self.note_part(programme, opens_deck);
        } else if !programme.is_card() {
            self.picker.note(&programme.key, &programme.name, opens_deck);
        }
    }

    /// Drops programmes; those that follow move up, and the deck one would have opened begins with its follower.
    fn drop_where(&mut self, gone: impl Fn(&Programme) -> bool) {
        let start = self.programmes.front().map(|first| first.start);
        let openers = &mut self.picker.openers;
        let mut opens = false;
        self.programmes.retain(|programme| {
            opens |= openers.remove(&programme.serial);
            let stays = !gone(programme);
            if stays && std::mem::take(&mut opens) {
                openers.insert(programme.serial);
            }
            stays
        });
        if let Some(start) = start {
            self.retime(start);
        }
    }

    /// Moves each programme to the end of the one before it.
    pub(super) fn join(&mut self) {
        if self.timetable.is_some() {
            return self.join_by_due();
        }
        let mut programmes = self.programmes.iter_mut();
        let mut end = programmes.next().map(|first| first.end());
        for programme in programmes {
            programme.start = end.unwrap_or(programme.start);
            end = Some(programme.end());
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
