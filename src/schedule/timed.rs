//! A plan with a timetable: what is bound to its time keeps it, and the card before it gives way.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Candidate;
use super::parts::Parts;
use super::plan::{CATCH_UP_MAX, DURATION_MAX, DURATION_MIN, Plan};
use super::programme::{Kind, Programme, Role};
use super::timetable::Timetable;
use super::weave::{Piece, Stock, Weaver};
use crate::config::Order;
use crate::library::Metadata;
use crate::units::{ContentKey, MediaTime};

/// A card that grows by this much leaves room for something better.
const LOOSE_HOLE: MediaTime = MediaTime::from_secs(10);

/// What is bound to its time and is this late may be had in time by planning anew.
const LOOSE_LATE: SignedDuration = SignedDuration::from_secs(1);

/// How many of the old programmes are looked through for one that is planned again: it keeps its serial.
const TAKEN_OVER_MAX: usize = 64;

/// The part of programmes that were repeated out of their turn.
const REPEATED: &str = "repeated";

/// The key of the card; no digest is so short.
const CARD: &str = "card";

impl Plan {
    /// Goes by a timetable from now on; what is planned is planned anew with the next change.
    #[must_use]
    pub fn with_timetable(mut self, timetable: Option<Timetable>) -> Self {
        if timetable.is_none() {
            self.picker.parts = Parts::default();
        }
        self.timetable = timetable.map(Arc::new);
        self.join();
        self
    }

    /// Whether it goes by a timetable.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        self.timetable.is_some()
    }

    /// Takes the ident that was drawn for the channel, or none where there is none any more; planned with the next change.
    pub fn draw_ident(&mut self, ident: Option<Candidate>) {
        self.timetable = self.timetable.as_ref().map(|table| Arc::new(table.with_ident(ident)));
    }

    /// Whether this is the ident that was drawn for the channel.
    #[must_use]
    pub fn draws(&self, key: &ContentKey) -> bool {
        let ident = self.timetable.as_ref().and_then(|table| table.ident());
        ident.is_some_and(|ident| ident.key == *key)
    }

    /// Returns what tells of a programme whether it is there without an item: a card, or the ident that was drawn.
    pub(super) fn made_by_the_station(&self) -> impl Fn(&Programme) -> bool + use<> {
        let table = self.timetable.clone();
        move |programme| {
            let drawn = |table: &Timetable| table.ident().is_some_and(|ident| ident.key == programme.key);
            table.as_ref().is_some_and(|table| programme.is_card() || drawn(table))
        }
    }

    /// Whether it should be planned anew, because something bound to its time cannot keep it, or a card has become longer
    /// than it need be; asked once.
    pub fn take_loose(&mut self) -> bool {
        std::mem::take(&mut self.loose)
    }

    /// Moves the whole plan, also what is bound to its time: it was dated by another clock.
    pub fn shift(&mut self, by: SignedDuration) {
        let moved = |moment: Timestamp| moment.checked_add(by).unwrap_or(moment);
        if let Some(first) = self.programmes.front_mut() {
            first.start = moved(first.start);
        }
        self.shift_dues(by);
        self.join();
    }

    /// Takes note that the wall clock is so much later than the plan's own time: what is bound to it moves, what is on
    /// does not.
    pub fn follow(&mut self, stepped: SignedDuration, before: SignedDuration) {
        if let Some(table) = &self.timetable {
            self.timetable = Some(Arc::new(table.stepped(stepped)));
            self.shift_dues(before - stepped);
            self.join();
            self.loose = true;
        }
    }

    fn shift_dues(&mut self, by: SignedDuration) {
        let moved = |moment: Timestamp| moment.checked_add(by).unwrap_or(moment);
        for programme in &mut self.programmes {
            programme.role.due = programme.role.due.map(moved);
        }
        self.picker.parts.passed = self.picker.parts.passed.map(moved);
    }

    /// Returns the first programme behind the first that is bound to its time, and that time.
    #[must_use]
    pub fn next_bound(&self) -> Option<(u64, Timestamp)> {
        self.programmes.iter().skip(1).find_map(|programme| Some((programme.serial, programme.bound_to()?)))
    }

    /// Puts the card before the first programme where that is bound to a time that has not come.
    pub fn hold_first(&mut self, now: Timestamp) {
        let early = |first: &Programme| first.bound_to().filter(|due| due.duration_since(now) > LOOSE_LATE);
        if let Some(due) = self.programmes.front().and_then(early) {
            let card = self.card(now, due, Kind::Pause, Arc::default());
            self.programmes.push_front(card);
            self.join();
            self.loose = true;
        }
    }

    /// Forgets the deck where the order has none, or it would grow with every file there ever was.
    pub(super) fn keep_deck_only_for(&mut self, order: &Order) {
        if self.timetable.is_none() {
            self.picker.keep_deck_only_for(order);
        } else if !matches!(order, Order::Shuffle) {
            // Decks of the timetable's parts are opened by programmes, too.
            self.picker.forget_deck();
        }
    }

    pub(super) fn part_of_repeats(&self) -> Arc<str> {
        if self.timetable.is_some() { REPEATED.into() } else { Arc::default() }
    }

    /// Takes everything off the plan that was not on; serials are found again by what is planned instead.
    pub(super) fn take_all(&mut self) -> VecDeque<Programme> {
        for programme in &self.programmes {
            self.picker.openers.remove(&programme.serial);
        }
        std::mem::take(&mut self.programmes)
    }

    /// Remembers that a programme was on, in the state of its part.
    pub(super) fn note_part(&mut self, programme: &Programme, opens_deck: bool) {
        let mut parts = std::mem::take(&mut self.picker.parts);
        if !programme.is_card() {
            if programme.role.part.is_empty() {
                self.picker.note(&programme.key, &programme.name, opens_deck);
            } else {
                parts.note(&self.picker, programme, opens_deck);
            }
        }
        parts.count(programme);
        self.picker.parts = parts;
    }

    /// Adds what the timetable wants until the plan reaches far enough; what was planned before keeps its serial.
    pub(super) fn weave(
        &mut self,
        table: &Timetable,
        order: &Order,
        candidates: &[Candidate],
        start: Timestamp,
        now: Timestamp,
        mut old: VecDeque<Programme>,
    ) {
        if candidates.is_empty() {
            return;
        }
        let stock = Stock::new(table, order, candidates, |candidate| self.duration(candidate));
        let shelves = stock.shelves();
        self.picker.keep_history_for(shelves[0].spacing);
        self.picker.parts.keep(&stock.kept(&shelves));
        let first = self.programmes.front().map_or(start, |first| first.start);
        let mut weaver = Weaver::new(table, &stock, &shelves, &self.picker, first);
        for programme in &self.programmes {
            weaver.note(programme, self.picker.openers.contains(&programme.serial));
        }
        let mut start = self.programmes.back().map_or(start, Programme::end);
        // A hole is never parted: its rest would be filled otherwise.
        while (!self.reaches(now) || weaver.is_filling())
            && let Some(piece) = weaver.next(start)
        {
            let opens_deck = piece.opens_deck;
            let mut programme = self.woven(&piece, start);
            let key = |old: &Programme| old.key == programme.key && old.role == programme.role;
            match old.iter().take(TAKEN_OVER_MAX).position(key) {
                Some(at) => programme.serial = old.drain(..=at).next_back().map_or(programme.serial, |old| old.serial),
                None => self.next_serial += 1,
            }
            if opens_deck {
                self.picker.openers.insert(programme.serial);
            }
            start = programme.end();
            self.programmes.push_back(programme);
        }
    }

    /// Weaves from `start` on what would have been on, and leaves the plan with the programme on at `now`, if any.
    pub(super) fn live_by(
        &mut self,
        table: &Timetable,
        order: &Order,
        candidates: &[Candidate],
        mut start: Timestamp,
        now: Timestamp,
    ) {
        if candidates.is_empty() {
            return;
        }
        let stock = Stock::new(table, order, candidates, |candidate| self.duration(candidate));
        let shelves = stock.shelves();
        let mut weaver = Weaver::new(table, &stock, &shelves, &self.picker, start);
        for _ in 0..CATCH_UP_MAX {
            let Some(piece) = weaver.next(start) else { return };
            let programme = self.woven(&piece, start);
            if programme.end() > now {
                self.next_serial += 1;
                if piece.opens_deck {
                    self.picker.openers.insert(programme.serial);
                }
                self.programmes.push_back(programme);
                return;
            }
            self.note_part(&programme, piece.opens_deck);
            start = programme.end();
        }
    }

    /// Returns a programme with the next serial, which is not used up by that.
    fn woven(&mut self, piece: &Piece<'_>, start: Timestamp) -> Programme {
        let due = piece.role.due.unwrap_or(start);
        let programme = if let Some(candidate) = piece.candidate {
            Programme { role: piece.role.clone(), ..self.programme(candidate, start) }
        } else {
            self.card(start, due, piece.role.kind, Arc::clone(&piece.card))
        };
        self.next_serial -= 1;
        programme
    }

    fn card(&mut self, start: Timestamp, due: Timestamp, kind: Kind, metadata: Arc<Metadata>) -> Programme {
        let serial = self.next_serial;
        self.next_serial += 1;
        let metadata = if metadata.title.is_empty() { Arc::new(self.announcement(due)) } else { metadata };
        Programme {
            serial,
            key: ContentKey(CARD.into()),
            name: Arc::default(),
            metadata,
            start,
            duration: length(start, due),
            role: Role { kind, part: Arc::default(), due: Some(due) },
        }
    }

    fn announcement(&self, due: Timestamp) -> Metadata {
        let at = self.timetable.as_ref().map(|table| table.shown(due)).unwrap_or_default();
        Metadata { title: format!("The programme goes on at {at}"), ..Metadata::default() }
    }

    /// Moves each programme to the end of the one before it. A card ends at its time; what is bound to a later time than
    /// that has a card before it. Only the first is left where it is: it is on air.
    pub(super) fn join_by_due(&mut self) {
        let mut rest = std::mem::take(&mut self.programmes);
        let mut end = None;
        while let Some(mut programme) = rest.pop_front() {
            let start: Timestamp = end.unwrap_or(programme.start);
            let was = programme.duration;
            programme.start = start;
            match programme.role.due {
                Some(due) if programme.is_card() => {
                    if due <= start && end.is_some() {
                        continue;
                    }
                    programme.duration = length(start, due);
                    let grown = programme.duration - was > LOOSE_HOLE;
                    self.loose |= grown && programme.role.kind == Kind::Pause;
                }
                Some(due) if end.is_some() && due > start => {
                    let card = self.card(start, due, Kind::Pause, Arc::default());
                    self.loose |= card.duration > LOOSE_HOLE;
                    self.programmes.push_back(card);
                    programme.start = due;
                }
                Some(due) if end.is_some() => self.loose |= start.duration_since(due) > LOOSE_LATE,
                _ => {}
            }
            end = Some(programme.end());
            self.programmes.push_back(programme);
        }
    }
}

fn length(start: Timestamp, due: Timestamp) -> MediaTime {
    MediaTime::between(start, due).clamp(DURATION_MIN, DURATION_MAX)
}

/// Forgets what a plan that was stored badly is bound to, and cards without an end.
pub(super) fn keep_what_can_be_due(programmes: &mut VecDeque<Programme>) {
    for programme in programmes.iter_mut() {
        let near = |due: &Timestamp| MediaTime::between(programme.start, *due).0.abs() < DURATION_MAX.0;
        programme.role.due = programme.role.due.filter(near);
    }
    programmes.retain(|programme| !programme.is_card() || programme.role.due.is_some());
}

#[cfg(test)]
#[path = "timed_laws.rs"]
mod laws;
