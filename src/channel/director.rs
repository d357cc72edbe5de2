//! What airs next. Pure.
//!
//! The plan says what should; the workshop says what can. Where the two differ the director brings forward what can,
//! repeats what was, and only then shows the slate.

mod by_the_clock;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::config::{Order, Profile};
use crate::library::{Catalogue, Item, Refused};
use crate::prepare::burn::looks_fit;
use crate::prepare::{Mezzanine, Prepared};
use crate::schedule::plan::DURATION_MAX;
use crate::schedule::{Candidate, Plan, Programme};
use crate::units::{ContentKey, MediaTime};

/// How many programmes ahead are looked at for one that can air, when the next cannot: beyond that a repeat is nearer
/// to what the viewer expects than tomorrow's programme.
pub const LOOKAHEAD: usize = 12;

/// An item may air while it grows when this much of it is there: the first window of a playlist.
pub const GROWN_MIN: MediaTime = MediaTime::from_millis(5_900);

/// An item may air while it grows when it grows this much faster than it plays.
pub const GROWTH_MIN: f64 = 1.5;

/// How long a channel waits for its first item before it shows the slate, in station time.
pub const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(4);

/// A programme must have been on for this long to be resumed from its beginning: less leaves nothing to publish.
const BEGUN_MIN: SignedDuration = SignedDuration::from_secs(3);

/// How many programmes are announced: the one on air and the one after it.
const ANNOUNCED: usize = 2;

/// How many items are asked of the workshop ahead of time.
const WANTS_MAX: usize = 64;

/// What can be known of an item's preparing.
pub type Workshop<'a> = &'a dyn Fn(&ContentKey) -> Prepared;

/// What airs next.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    /// An item, from this GOP on.
    Item {
        /// Its programme, already first of the plan.
        programme: Programme,
        /// What to feed.
        mezzanine: Arc<Mezzanine>,
        /// The first GOP to feed; above zero when the item is joined in the middle.
        from_gop: usize,
        /// When that GOP is on air, where the plan says so and not the edge: a restarted channel resumes.
        resumed: Option<Timestamp>,
    },
    /// The card, as planned, from the edge to the programme's end.
    Pause(Programme),
    /// Nothing can air.
    Slate(Idle),
    /// Nothing can air yet, and it is too early for the slate.
    Wait,
}

/// Why nothing can air.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Idle {
    /// There is no video at all.
    Empty,
    /// Files are being copied or looked into.
    Settling,
    /// The first videos are being made ready.
    Preparing,
    /// A folder cannot be read: the problem as the library tells it.
    Folder(String),
    /// There are videos and none can be played.
    Quarantined,
    /// Nothing is to air, by the timetable: what viewers are told meanwhile.
    Planned(Arc<str>),
}

impl Idle {
    /// Returns a sentence for viewers.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Planned(told) => told.to_string(),
            Self::Empty => "Nothing to show yet. Drop videos into the channel's folder.".to_owned(),
            Self::Settling => "New videos are arriving.".to_owned(),
            Self::Preparing => "The first videos are being made ready.".to_owned(),
            Self::Folder(_) => "The channel's folder cannot be reached.".to_owned(),
            Self::Quarantined => "None of the videos in the channel's folder can be played.".to_owned(),
        }
    }
}

/// The director of one channel.
#[derive(Debug)]
pub struct Director {
    order: Order,
    profile: Arc<Profile>,
    plan: Plan,
    catalogue: Arc<Catalogue>,
    candidates: Vec<Candidate>,
    items: HashMap<ContentKey, Arc<Item>>,
    /// Items that failed to prepare: out of the plan until their bytes change.
    failed: HashMap<ContentKey, Arc<str>>,
    /// Lengths learnt from mezzanines.
    exact: HashMap<ContentKey, MediaTime>,
    /// When each item was last begun, for repeats.
    begun: HashMap<ContentKey, Timestamp>,
    /// Whether the plan's first programme is being fed.
    on_air: bool,
    /// Whether the channel found its place in the stored plan: not before its library is there.
    placed: bool,
    /// How far into the plan's first programme a restarted channel resumes.
    resume: Option<MediaTime>,
    /// Until when the slate waits for the first item.
    patience: Option<Timestamp>,
    /// Whether something quick was brought forward and nobody was told yet.
    hurried: bool,
    /// How fast the station's clock runs: growth is measured in seconds of the world.
    speed: f64,
    /// How much later the wall clock is, by which the timetable goes, than the station's own time.
    stepped: SignedDuration,
}

impl Director {
    /// Returns the director of a channel with a plan, stored or new.
    #[must_use]
    pub fn new(order: Order, profile: Arc<Profile>, plan: Plan, speed: f64) -> Self {
        // A plan that was never on air has no place to find.
        let placed = plan.programmes().is_empty();
        Self {
            order,
            profile,
            plan,
            catalogue: Arc::default(),
            candidates: Vec::new(),
            items: HashMap::new(),
            failed: HashMap::new(),
            exact: HashMap::new(),
            begun: HashMap::new(),
            on_air: false,
            placed,
            resume: None,
            patience: None,
            hurried: false,
            speed,
            stepped: SignedDuration::ZERO,
        }
    }

    /// The wall clock is so much later than the station's own time.
    #[must_use]
    pub fn stepped(self, stepped: SignedDuration) -> Self {
        Self { stepped, ..self }
    }

    /// Returns the plan: what is on air first, if anything is, then what comes.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Takes the library as it is now and plans anew what was not announced.
    pub fn library_changed(&mut self, catalogue: Arc<Catalogue>, now: Timestamp) {
        self.catalogue = catalogue;
        self.items = self.catalogue.items.values().map(|item| (item.key.clone(), Arc::clone(item))).collect();
        self.failed.retain(|key, _| self.items.contains_key(key));
        self.replan(now);
    }

    fn replan(&mut self, now: Timestamp) {
        let playable = self.items.values().filter(|item| !self.failed.contains_key(&item.key));
        let candidate = |item: &Arc<Item>| Candidate {
            key: item.key.clone(),
            name: Arc::clone(&item.name),
            duration: self.exact.get(&item.key).copied().unwrap_or(item.media.duration),
            metadata: Arc::new(item.metadata.clone()),
        };
        self.candidates = playable.map(candidate).collect();
        self.candidates.sort_by(|a, b| a.name.cmp(&b.name));
        // A stored plan is kept until the channel has found its place in it, and while the first walk is still under way:
        // its items are about to be found again.
        if self.placed && (self.catalogue.complete || self.plan.programmes().is_empty()) {
            // Before anything is on air the first stays, too: it is being prepared, and another would only be a second job
            // on the same cores.
            let announced = if self.on_air { self.announced(now) } else { 1 };
            self.plan.library_changed(&self.order, &self.candidates, announced, now);
        }
        if self.placed {
            self.plan.extend(&self.order, &self.candidates, now);
        }
    }

    /// How many programmes a change of the library leaves: all that have begun, and what was announced after them. A
    /// channel that has just found its place begins a backlog ago, and that may hold several short programmes.
    fn announced(&self, now: Timestamp) -> usize {
        let begun = self.plan.programmes().iter().take_while(|programme| programme.start <= now).count();
        begun.max(1) + ANNOUNCED - 1
    }

    /// Whether enough of the library is there to find the place in the plan.
    fn can_be_placed(&self, moment: Timestamp) -> bool {
        let mut planned = self.plan.programmes().iter();
        let there = planned.find(|programme| programme.end() > moment);
        self.catalogue.complete || there.is_some_and(|programme| self.items.contains_key(&programme.key))
    }

    /// Finds the place where the channel would be at `moment` had it never stopped.
    pub fn catch_up(&mut self, moment: Timestamp) {
        self.on_air = false;
        self.placed = true;
        self.resume = self.plan.catch_up(&self.order, &self.candidates, moment);
    }

    /// Takes note that an item cannot be prepared.
    pub fn failed(&mut self, key: &ContentKey, reason: Arc<str>, now: Timestamp) {
        if self.items.contains_key(key) && self.failed.insert(key.clone(), reason).is_none() {
            let on_air = if self.on_air { self.plan.programmes().front().map(|first| first.serial) } else { None };
            self.plan.remove_item(key, on_air);
            self.candidates.retain(|candidate| candidate.key != *key);
            self.plan.extend(&self.order, &self.candidates, now);
            self.plan_behind_what_is_on(now);
        }
    }

    /// Takes note that items may be tried again that could not be prepared.
    pub fn forgive(&mut self, keys: &[ContentKey], now: Timestamp) {
        let before = self.failed.len();
        self.failed.retain(|key, _| !keys.contains(key));
        if self.failed.len() < before {
            self.replan(now);
        }
    }

    /// Takes note of an item's exact length.
    pub fn prepared(&mut self, key: &ContentKey, duration: MediaTime) {
        if self.exact.insert(key.clone(), duration) != Some(duration) {
            self.plan.set_duration(key, duration);
            for candidate in self.candidates.iter_mut().filter(|candidate| candidate.key == *key) {
                candidate.duration = duration;
            }
        }
    }

    /// Returns the items to be prepared, soonest first, with the moment each is due.
    #[must_use]
    pub fn wants(&self) -> Vec<(Arc<Item>, Timestamp)> {
        let mut seen = std::collections::HashSet::new();
        let distinct = self.plan.programmes().iter().filter(|programme| seen.insert(&programme.key));
        let found = distinct.filter_map(|p| Some((Arc::clone(self.items.get(&p.key)?), p.start)));
        found.take(WANTS_MAX).collect()
    }

    /// Returns the reason of every item that failed to prepare.
    #[must_use]
    pub fn failures(&self) -> &HashMap<ContentKey, Arc<str>> {
        &self.failed
    }

    /// Whether something planned, or anything at all, can air now: the slate may go.
    #[must_use]
    pub fn can_air(&self, edge: Timestamp, workshop: Workshop<'_>) -> bool {
        if self.plan.is_timed() {
            return self.by_the_clock(edge, workshop).is_some();
        }
        self.airable_ahead(workshop).is_some() || self.repeat(workshop, DURATION_MAX).is_some()
    }

    /// Chooses what airs from `edge` on; the airing before has ended. The plan is retimed to it.
    pub fn choose(&mut self, edge: Timestamp, now: Timestamp, workshop: Workshop<'_>) -> Choice {
        if let Some(choice) = self.pause_goes_on(edge) {
            return choice;
        }
        if self.on_air {
            self.plan.pop_front();
            self.on_air = false;
        }
        let until = *self.patience.get_or_insert(now + FIRST_WAIT);
        if !self.placed {
            if !self.can_be_placed(edge) && now < until {
                return Choice::Wait;
            }
            self.catch_up(self.began_since(edge, now).unwrap_or(edge));
            // What came while the station was away may come soon; what would be on stays.
            let announced = self.announced(now);
            self.plan.library_changed(&self.order, &self.candidates, announced, now);
        }
        self.plan.extend(&self.order, &self.candidates, edge);
        if let Some(choice) = self.resumed(workshop) {
            return choice;
        }
        if self.plan.is_timed() {
            self.move_to(edge);
            self.settle(now);
            if let Some(step) = self.by_the_clock(edge, workshop) {
                return self.take_step(step, edge);
            }
        } else if let Some((place, mezzanine)) = self.airable_ahead(workshop) {
            let serial = self.plan.programmes()[place].serial;
            self.plan.promote(serial, 0);
            return self.begin(mezzanine, 0, edge);
        } else if let Some((candidate, mezzanine)) = self.repeat(workshop, DURATION_MAX) {
            self.plan.insert(&candidate, 0, edge);
            return self.begin(mezzanine, 0, edge);
        }
        self.bring_forward_what_is_quick();
        let promising = !self.catalogue.complete || !self.candidates.is_empty();
        if now < until && promising { Choice::Wait } else { Choice::Slate(self.idle()) }
    }

    /// While nothing can air, an original that keeps its picture comes first: it is ready at once.
    fn bring_forward_what_is_quick(&mut self) {
        // What is bound to its time stays there, and what comes before it.
        let free = |programme: &&Programme| programme.role.due.is_none();
        let mut ahead = self.plan.programmes().iter().take(LOOKAHEAD).take_while(free);
        let quick =
            ahead.find(|programme| self.items.get(&programme.key).is_some_and(|item| looks_fit(item, &self.profile)));
        if let Some(serial) = quick.map(|programme| programme.serial)
            && self.plan.programmes()[0].serial != serial
        {
            self.plan.promote(serial, 0);
            self.hurried = true;
        }
    }

    /// Whether what comes next was changed because nothing could air; the workshop must be told.
    pub fn take_hurried(&mut self) -> bool {
        std::mem::take(&mut self.hurried)
    }

    /// Resumes in the middle of an item where the channel would have been; forgotten when that is not possible.
    fn resumed(&mut self, workshop: Workshop<'_>) -> Option<Choice> {
        // The card needs no place in it.
        if self.plan.programmes().front().is_some_and(Programme::is_card) {
            return None;
        }
        let from = self.resume.take()?;
        let first = self.plan.programmes().front()?;
        let Prepared::Ready(mezzanine) = workshop(&first.key) else { return None };
        let mut position = MediaTime::ZERO;
        let place = mezzanine.gops.iter().position(|gop| {
            let reached = position >= from;
            position += gop.duration;
            reached
        });
        let Some(place) = place else {
            // Its last GOP has begun: what comes next begins at its own time.
            self.plan.pop_front();
            self.resume = Some(MediaTime::ZERO);
            return self.resumed(workshop);
        };
        let before: MediaTime = mezzanine.gops[..place].iter().map(|gop| gop.duration).sum();
        let edge = before.after(first.start);
        match self.begin(mezzanine, place, edge) {
            Choice::Item { programme, mezzanine, from_gop, .. } => {
                Some(Choice::Item { programme, mezzanine, from_gop, resumed: Some(edge) })
            }
            other => Some(other),
        }
    }

    /// A channel that was young when it stopped has nothing planned at `edge`: it resumes with its first programme, if
    /// that has begun since.
    fn began_since(&self, edge: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let first = self.plan.programmes().front()?;
        (edge < first.start && first.start + BEGUN_MIN <= now).then_some(first.start)
    }

    fn begin(&mut self, mezzanine: Arc<Mezzanine>, from_gop: usize, edge: Timestamp) -> Choice {
        let before: MediaTime = mezzanine.gops[..from_gop].iter().map(|gop| gop.duration).sum();
        self.plan.retime(edge - before.to_duration());
        if mezzanine.complete {
            self.prepared(&mezzanine.id.key, mezzanine.duration());
        }
        self.on_air = true;
        self.patience = Some(edge);
        self.begun.insert(mezzanine.id.key.clone(), edge);
        match self.plan.programmes().front() {
            Some(programme) => Choice::Item { programme: programme.clone(), mezzanine, from_gop, resumed: None },
            None => Choice::Slate(Idle::Empty),
        }
    }

    /// Returns the first of the coming programmes that can air now, by its place in the plan.
    fn airable_ahead(&self, workshop: Workshop<'_>) -> Option<(usize, Arc<Mezzanine>)> {
        let first = usize::from(self.on_air);
        let ahead = self.plan.programmes().iter().enumerate().skip(first).take(LOOKAHEAD);
        let known = ahead.filter(|(_, programme)| self.items.contains_key(&programme.key));
        known.into_iter().find_map(|(place, programme)| Some((place, self.airable(workshop(&programme.key))?)))
    }

    /// Returns the ready item that was on longest ago, of those no longer than this.
    fn repeat(&self, workshop: Workshop<'_>, longest: MediaTime) -> Option<(Candidate, Arc<Mezzanine>)> {
        let fitting = self.candidates.iter().filter(|candidate| candidate.duration <= longest);
        let ready = fitting.filter_map(|candidate| match workshop(&candidate.key) {
            Prepared::Ready(mezzanine) => Some((candidate, mezzanine)),
            _ => None,
        });
        let oldest = ready.min_by_key(|(candidate, _)| self.begun.get(&candidate.key))?;
        Some((oldest.0.clone(), oldest.1))
    }

    fn airable(&self, prepared: Prepared) -> Option<Arc<Mezzanine>> {
        match prepared {
            Prepared::Ready(mezzanine) => Some(mezzanine),
            Prepared::Growing { mezzanine, speed, .. } => {
                let grown = mezzanine.duration() >= GROWN_MIN;
                (grown && self.grows_fast(speed)).then_some(mezzanine)
            }
            Prepared::Waiting | Prepared::Failed(_) => None,
        }
    }

    /// Whether media made at this speed (seconds in a second of the world) stays ahead of the air.
    #[must_use]
    pub fn grows_fast(&self, speed: f64) -> bool {
        speed >= GROWTH_MIN * self.speed
    }

    /// Takes note that the channel's first programme begins at `edge` in truth.
    pub fn retime_first(&mut self, edge: Timestamp) {
        if self.on_air {
            self.plan.retime(edge);
        }
    }

    /// Returns why nothing can air.
    #[must_use]
    pub fn idle(&self) -> Idle {
        let refused = || self.catalogue.refused.values();
        if !self.candidates.is_empty() {
            Idle::Preparing
        } else if let Some((_, problem)) = self.catalogue.folder_problems.first() {
            Idle::Folder(problem.clone())
        } else if refused().any(|refused| *refused == Refused::Settling) || !self.catalogue.complete {
            Idle::Settling
        } else if !self.failed.is_empty() || refused().next().is_some() {
            Idle::Quarantined
        } else {
            Idle::Empty
        }
    }

    /// Returns all items, each once.
    pub fn items(&self) -> impl Iterator<Item = &Arc<Item>> {
        self.items.values()
    }

    /// Returns the item of these bytes.
    #[must_use]
    pub fn item(&self, key: &ContentKey) -> Option<&Arc<Item>> {
        self.items.get(key)
    }

    /// Returns the library behind the plan.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }
}

#[cfg(test)]
#[path = "director_tests.rs"]
pub(in crate::channel) mod tests;
