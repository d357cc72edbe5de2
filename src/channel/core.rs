//! One channel as a pure state machine: director and air joined. Events in, actions out.

mod told;

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::air::{Air, AirAction};
use super::cards::{Cards, cut_to};
use super::director::{Choice, Director, Idle, Workshop};
use super::status::{AiringStatus, ChannelState, ChannelStatus};
use crate::config::Language;
use crate::feed::Airing;
use crate::hls::ladder::Offer;
use crate::hls::spool::Place;
use crate::hls::spool::task::Spooled;
use crate::on_air::RunEvent;
use crate::prepare::subtitles::Captions;
use crate::prepare::{Mezzanine, MezzanineId, Prepared};
use crate::schedule::Programme;
use crate::units::MediaTime;

/// How much of the past the first playlist holds when the item is there: a window and a segment, so that the first
/// viewer finds a full playlist.
pub const BACKLOG: SignedDuration = SignedDuration::from_secs(20);

/// The same for an item that is still growing: three segments.
pub const BACKLOG_GROWING: SignedDuration = SignedDuration::from_secs(6);

/// An item that grows slowly may be this late before it is cut at the GOP reached.
const LATE_MAX_SLOW: SignedDuration = SignedDuration::from_secs(1);

/// The same for one that grows faster than it plays: at a cold start it begins late and catches up.
const LATE_MAX_FAST: SignedDuration = SignedDuration::from_secs(9);

/// How much of what was on is kept with the plan: more than [`BACKLOG`] and the time a restart takes.
const JUST_AIRED: SignedDuration = SignedDuration::from_mins(2);

/// How far from each other two programmes may be that joined on air: frames and packets do not end at the same time.
const JOIN_TOLERANCE: SignedDuration = SignedDuration::from_millis(300);

/// How many decisions one step may take: many short items fit into a burst, an endless row does not.
const DECISIONS_MAX: usize = 64;

/// Something the shell must do.
#[derive(Debug)]
pub enum Action {
    /// Something of the air.
    Air(AirAction),
    /// An airing was begun: open its file before its first GOP is fed.
    Open(Arc<Airing>, Arc<Mezzanine>),
    /// An airing is over: it was on air from this wall-clock moment for this long.
    Aired(Arc<Airing>, Timestamp, MediaTime),
    /// The plan changed: keep it.
    Plan,
}

/// An item that ends before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The programme's serial.
    pub serial: u64,
    /// Its title.
    pub title: String,
    /// When the next begins: what was given to ffmpeg already still airs.
    pub ends: Timestamp,
}

/// One channel.
#[derive(Debug)]
pub struct Core {
    director: Director,
    air: Air,
    /// The slate, once it is made, and why it is wanted.
    slate: Option<Arc<Mezzanine>>,
    idle: Option<Idle>,
    /// The cards of the timetable, and the serial of the last that was begun.
    cards: Cards,
    card_begun: Option<u64>,
    /// Whether anything was fed yet: before, the edge may still be moved.
    begun: bool,
    /// What was and is at the live edge, newest last.
    aired: VecDeque<(Arc<Airing>, Timestamp)>,
    /// How much later the wall clock is than the station's own time, which is meant wherever nothing else is said.
    stepped: SignedDuration,
    /// Counts changes of what viewers are told.
    generation: u64,
    /// What comes next, as it was told last.
    coming: Arc<[AiringStatus]>,
}

impl Core {
    /// Returns a channel that begins as soon as something can air.
    #[must_use]
    pub fn new(director: Director, air: Air) -> Self {
        Self {
            director,
            air,
            slate: None,
            idle: None,
            cards: Cards::default(),
            card_begun: None,
            begun: false,
            aired: VecDeque::new(),
            stepped: SignedDuration::ZERO,
            generation: 0,
            coming: Arc::default(),
        }
    }

    /// Offers subtitles in these languages; returns whether they can be.
    pub fn offer_subtitles(&mut self, languages: &[Language], one_picture: &Offer) -> bool {
        self.air.offer_subtitles(languages, one_picture)
    }

    /// Takes the subtitles of an airing that was begun, and when its item ends, where that is known.
    pub fn hold_subtitles(&mut self, airing: u64, captions: Arc<Captions>, end: Option<MediaTime>) {
        self.air.hold_subtitles(airing, captions, end);
    }

    /// Returns the director, for what concerns the plan.
    pub fn director(&mut self) -> &mut Director {
        &mut self.director
    }

    /// Returns the plan and the library, to read.
    #[must_use]
    pub fn plan(&self) -> &Director {
        &self.director
    }

    /// Returns the air, to read.
    #[must_use]
    pub fn air(&self) -> &Air {
        &self.air
    }

    /// Takes how much later the wall clock is than the station's own time; returns whether it was set since.
    ///
    /// Nothing on air moves: what is told is dated by it from now on, and so is the plan that is kept.
    pub fn follow(&mut self, stepped: SignedDuration) -> bool {
        let is_set = self.stepped != stepped;
        if is_set {
            self.stepped = stepped;
            self.air.follow(stepped);
            self.director.follow(stepped);
            self.generation += 1;
        }
        is_set
    }

    /// Returns a moment of the station's own time as the wall clock shows it.
    #[must_use]
    pub fn dated(&self, moment: Timestamp) -> Timestamp {
        moment + self.stepped
    }

    /// Takes note that a segment's bytes are in a file now.
    pub fn spooled(&mut self, place: Place, spooled: Spooled) {
        self.air.spooled(place, spooled);
    }

    /// Returns why there is nothing to air, while that is so.
    #[must_use]
    pub fn idle(&self) -> Option<&Idle> {
        self.idle.as_ref()
    }

    /// Takes the slate that was made.
    pub fn slate(&mut self, mezzanine: Arc<Mezzanine>) {
        self.slate = Some(mezzanine);
    }

    /// Returns what is to be told on the next card of the timetable that is not made yet.
    #[must_use]
    pub fn card_wanted(&self, now: Timestamp) -> Option<Arc<str>> {
        self.cards.wanted(self.director.plan(), now)
    }

    /// Takes a card of the timetable that was made.
    pub fn card(&mut self, told: Arc<str>, mezzanine: Arc<Mezzanine>) {
        self.cards.put(told, mezzanine);
    }

    /// Has the cards of the timetable made again: what is on them looks otherwise now.
    pub fn cards_outdated(&mut self) {
        self.cards.outdate();
    }

    /// Takes what a run tells.
    pub fn run_event(&mut self, event: RunEvent, now: Timestamp) {
        match event {
            RunEvent::Chunk { run, number, renditions, duration, last } => {
                self.air.chunk(run, number, renditions, duration, last);
            }
            RunEvent::Unreadable { airing, .. } => self.air.unreadable(airing, now),
            RunEvent::Ended { run, evidence: Some(evidence), .. } if !evidence.tells_of_the_machine() => {
                self.air.run_ended(run, now);
            }
            RunEvent::Ended { run, .. } => self.air.run_not_begun(run, now),
        }
    }

    /// Takes note that an airing's file could not be opened: what comes next begins. The item stays planned, for it is
    /// made again.
    pub fn unreadable(&mut self, airing: u64, now: Timestamp) {
        self.air.unreadable(airing, now);
    }

    /// Ends the item at the live edge at the GOP that was reached, so that the next programme begins. Returns what is
    /// skipped; none while no item is on air.
    ///
    /// What comes after it is never touched: where all of it was fed already, it ends by itself in a few seconds.
    pub fn skip(&mut self) -> Option<Skipped> {
        if self.state() != ChannelState::OnAir {
            return None;
        }
        let (airing, _) = self.aired.back()?;
        let programme = airing.programme.as_ref().filter(|programme| !programme.is_card())?;
        let id = airing.id;
        let (serial, title) = (programme.serial, programme.metadata.title.clone());
        if self.air.current().is_some_and(|fed| fed.id == id) {
            self.air.cut();
        }
        let after = self.air.coming(id).next().map(|next| next.begins);
        Some(Skipped { serial, title, ends: after.unwrap_or_else(|| self.air.fed_edge()) })
    }

    /// Forgets a card of the timetable, or the slate if it is this one, whose file is of no use any more; returns whether it was.
    pub fn slate_lost(&mut self, id: &MezzanineId) -> bool {
        self.cards.lost(id);
        self.slate.take_if(|slate| slate.id == *id).is_some()
    }

    /// Does everything that is due.
    pub fn step(&mut self, now: Timestamp, workshop: Workshop<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        self.director.settle(now);
        if self.begun && self.air.is_lost(now) {
            self.give_up_lost_time(now, &mut actions);
        }
        for _ in 0..DECISIONS_MAX {
            self.follow_growth(now, workshop);
            if self.on_slate() && self.director.can_air(self.air.fed_edge(), workshop) {
                self.air.cut();
            }
            if self.air.current().is_none() && self.air.is_due(now) && !self.begin_next(now, workshop, &mut actions) {
                break;
            }
            self.air_step(now, &mut actions);
            if self.air.current().is_some() || !self.air.is_due(now) {
                break;
            }
        }
        // Chunks and dead runs are looked after whatever is on the plan.
        self.air_step(now, &mut actions);
        actions
    }

    fn air_step(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        for action in self.air.step(now) {
            if let AirAction::Begun(airing, date) = &action {
                self.note_begun(airing, *date, actions);
            }
            actions.push(Action::Air(action));
        }
    }

    fn on_slate(&self) -> bool {
        self.air.current().is_some_and(|airing| airing.programme.is_none())
    }

    fn give_up_lost_time(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        let edge = now - BACKLOG_GROWING;
        actions.extend(self.air.resync(edge, now).into_iter().map(Action::Air));
        self.director.catch_up(edge);
        actions.push(Action::Plan);
    }

    /// Keeps an item that airs while it grows going, or cuts it when it cannot keep pace or has failed.
    fn follow_growth(&mut self, now: Timestamp, workshop: Workshop<'_>) {
        let Some(growing) = self.air.mezzanine().filter(|mezzanine| !mezzanine.complete) else { return };
        let key = growing.id.key.clone();
        match workshop(&key) {
            Prepared::Ready(mezzanine) => {
                self.air.grow(&mezzanine);
                self.director.prepared(&key, mezzanine.duration());
            }
            Prepared::Growing { mezzanine, speed, .. } => {
                self.air.grow(&mezzanine);
                let late = now.duration_since(self.air.fed_edge());
                let patience = if self.director.grows_fast(speed) { LATE_MAX_FAST } else { LATE_MAX_SLOW };
                if late > patience {
                    self.air.cut();
                }
            }
            Prepared::Failed(reason) => {
                self.air.cut();
                self.director.failed(&key, reason, now);
            }
            Prepared::Waiting => self.air.cut(),
        }
    }

    /// Begins what airs next; returns whether there is anything.
    fn begin_next(&mut self, now: Timestamp, workshop: Workshop<'_>, actions: &mut Vec<Action>) -> bool {
        let edge = if self.begun { self.air.fed_edge() } else { now - BACKLOG };
        let choice = self.director.choose(edge, now, workshop);
        if self.director.take_hurried() {
            actions.push(Action::Plan);
        }
        let (programme, mezzanine, from_gop, resumed) = match choice {
            Choice::Wait => {
                self.told(Some(self.director.idle()));
                return false;
            }
            Choice::Slate(idle) => {
                self.told(Some(idle));
                let Some(slate) = self.slate.clone() else { return false };
                (None, slate, 0, None)
            }
            Choice::Pause(programme) => {
                self.told(None);
                let Some(card) = self.cards.of(&programme).or(self.slate.as_ref()) else { return false };
                let card = cut_to(card, MediaTime::between(edge, programme.end()));
                (Some(programme), card, 0, None)
            }
            Choice::Item { programme, mezzanine, from_gop, resumed } => {
                self.told(None);
                (Some(programme), mezzanine, from_gop, resumed)
            }
        };
        let from: MediaTime = mezzanine.gops[..from_gop].iter().map(|gop| gop.duration).sum();
        if let Some(at) = resumed {
            self.air.start_at(at);
            self.begun = true;
        } else if !self.begun {
            let full = programme.is_some() && mezzanine.complete;
            self.begin_the_edge(full, now);
        }
        // The card is made of short loops; to the plan it is one thing.
        let card = programme.as_ref().filter(|programme| programme.is_card()).map(|card| card.serial);
        let planned = programme.is_some() && (card.is_none() || card != self.card_begun);
        self.card_begun = card;
        let key = mezzanine.id.key.clone();
        let airing = Airing { id: 0, programme, key, from, begins: now };
        let airing = self.air.begin(airing, Arc::clone(&mezzanine), from_gop);
        actions.push(Action::Open(airing, mezzanine));
        if planned {
            actions.push(Action::Plan);
        }
        true
    }

    /// Sets where the channel's first segment stands: so that the first playlist is full.
    fn begin_the_edge(&mut self, full: bool, now: Timestamp) {
        let edge = now - if full { BACKLOG } else { BACKLOG_GROWING };
        self.air.start_at(edge);
        self.director.retime_first(edge);
        self.begun = true;
    }

    fn told(&mut self, idle: Option<Idle>) {
        if self.idle != idle {
            self.idle = idle;
            self.generation += 1;
        }
    }

    fn note_begun(&mut self, airing: &Arc<Airing>, date: Timestamp, actions: &mut Vec<Action>) {
        // The slate is made of short loops, as is the card; to viewers it is one thing.
        let same = self.aired.back().is_some_and(|(last, _)| is_same_card(last, airing));
        if let Some((before, since)) = self.aired.back().filter(|_| !same) {
            let length = MediaTime::between(*since, date);
            actions.push(Action::Aired(Arc::clone(before), self.dated(*since), length));
        }
        if !same {
            self.aired.push_back((Arc::clone(airing), date));
        }
        if self.aired.len() > ChannelStatus::AIRED_MAX {
            self.aired.pop_front();
        }
        self.generation += 1;
    }

    /// Returns when the next step is due if nothing happens before.
    #[must_use]
    pub fn deadline(&self, now: Timestamp) -> Timestamp {
        let waiting = self.air.current().is_none() || self.air.mezzanine().is_some_and(|m| !m.complete);
        // Waiting for the workshop: it tells of itself, this only bounds the wait.
        if waiting { self.air.deadline().max(now + SignedDuration::from_millis(200)) } else { self.air.deadline() }
    }

    /// Returns what is going out.
    #[must_use]
    pub fn state(&self) -> ChannelState {
        match self.aired.back() {
            None => ChannelState::Starting,
            Some(_) if !self.air.is_up() => ChannelState::Recovering,
            Some((airing, _)) if airing.programme.is_none() => ChannelState::Slate,
            Some(_) => ChannelState::OnAir,
        }
    }

    /// Returns what was on just before the plan's first programme and joins it, oldest first: kept with the plan, so that
    /// a restarted channel finds the backlog of its first playlist in it.
    #[must_use]
    pub fn just_aired(&self) -> Vec<Programme> {
        let plan = self.director.plan().programmes();
        let Some(first) = plan.front() else { return Vec::new() };
        let mut joined = first.start;
        let mut before = Vec::new();
        let edge = self.aired.back().map_or(0, |(airing, _)| airing.id);
        let fed = self.air.coming(edge).rev().map(|airing| (airing, &airing.begins));
        for (airing, date) in fed.chain(self.aired.iter().rev().map(|(airing, date)| (airing, date))) {
            let Some(programme) = &airing.programme else { break };
            if before.last().is_some_and(|last: &Programme| last.serial == programme.serial) {
                continue;
            }
            let programme = Programme { start: *date - airing.from.to_duration(), ..programme.clone() };
            if programme.serial >= first.serial && plan.iter().any(|planned| planned.serial == programme.serial) {
                continue;
            }
            let joins = programme.end().duration_since(joined).abs() < JOIN_TOLERANCE;
            if !joins || first.start.duration_since(joined) > JUST_AIRED {
                break;
            }
            joined = programme.start;
            before.push(programme);
        }
        before.reverse();
        before
    }

    /// Returns a number that changes whenever what viewers are told does.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

/// Whether both are rounds of one card, or of the slate.
fn is_same_card(one: &Airing, other: &Airing) -> bool {
    match (&one.programme, &other.programme) {
        (None, None) => true,
        (Some(one), Some(other)) => one.is_card() && one.serial == other.serial,
        _ => false,
    }
}

#[cfg(test)]
#[path = "core_laws.rs"]
mod laws;

#[cfg(test)]
#[path = "core_week.rs"]
mod week;
