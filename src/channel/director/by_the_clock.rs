//! What airs next where a timetable says so: what is bound to its time waits for nobody, and nothing is begun that would
//! keep it waiting.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Choice, Director, LOOKAHEAD, Workshop};
use crate::prepare::Mezzanine;
use crate::schedule::plan::DURATION_MAX;
use crate::schedule::{Candidate, Programme};
use crate::units::MediaTime;

/// What is bound to its time may begin this much early: the card is made of groups of pictures of a second. What is left of
/// a card that is shorter is left out.
const EARLY_MAX: SignedDuration = SignedDuration::from_millis(500);

/// What can air at an edge.
#[derive(Debug)]
pub(super) enum Step {
    /// The programme at this place of the plan, after what is left out before it.
    Planned(usize, Arc<Mezzanine>),
    /// The card at this place of the plan, after what is left out before it.
    Card(usize),
    /// The card until the first of the plan is due.
    Hold,
    /// An item out of its turn.
    Repeat(Candidate, Arc<Mezzanine>),
}

impl Director {
    /// Takes how much later the wall clock is than the station's own time: the timetable goes by it.
    pub fn follow(&mut self, stepped: SignedDuration) {
        if self.stepped != stepped {
            self.plan.follow(stepped, self.stepped);
            self.stepped = stepped;
        }
    }

    /// Plans anew what is bound to its time, where that no longer can keep it and might.
    pub fn settle(&mut self, now: Timestamp) {
        if self.plan.is_timed() && self.placed && self.plan.take_loose() {
            self.plan_behind_what_is_on(now);
        }
    }

    /// Takes the ident that was drawn for the channel, or none where its file is lost: what has not begun is planned anew.
    pub fn draw_ident(&mut self, ident: Option<Candidate>, now: Timestamp) {
        self.plan.draw_ident(ident);
        if self.placed {
            self.plan_behind_what_is_on(now);
        }
    }

    /// Plans anew everything that has not begun, where there is a timetable.
    pub(super) fn plan_behind_what_is_on(&mut self, now: Timestamp) {
        if !self.plan.is_timed() || !self.catalogue.complete {
            return;
        }
        let begun = self.plan.programmes().iter().take_while(|programme| programme.start <= now).count();
        let kept = if self.on_air { begun.max(1) } else { 0 };
        self.plan.library_changed(&self.order, &self.candidates, kept, now);
        self.plan.take_loose();
    }

    /// Returns the card that is on air and lasts beyond the edge.
    pub(super) fn pause_goes_on(&self, edge: Timestamp) -> Option<Choice> {
        let first = self.plan.programmes().front().filter(|first| self.on_air && first.is_card())?;
        (first.end().duration_since(edge) > EARLY_MAX).then(|| Choice::Pause(first.clone()))
    }

    /// Returns what can air at the edge.
    pub(super) fn by_the_clock(&self, edge: Timestamp, workshop: Workshop<'_>) -> Option<Step> {
        let ahead = || self.plan.programmes().iter().enumerate().skip(usize::from(self.on_air)).take(LOOKAHEAD);
        let ready = |programme: &Programme| {
            let known = self.items.contains_key(&programme.key) || self.plan.draws(&programme.key);
            if known { self.airable(workshop(&programme.key)) } else { None }
        };
        let is_due = |programme: &Programme| programme.bound_to().is_some_and(|due| due <= edge + EARLY_MAX);
        let mut due = ahead().filter(|(_, programme)| is_due(programme));
        if let Some((place, mezzanine)) = due.find_map(|(place, programme)| Some((place, ready(programme)?))) {
            return Some(Step::Planned(place, mezzanine));
        }
        let is_over = |programme: &Programme| programme.is_card() && programme.end().duration_since(edge) <= EARLY_MAX;
        let (place, first) = ahead().find(|(_, programme)| !is_over(programme))?;
        if first.is_card() {
            return Some(Step::Card(place));
        }
        let waits = |programme: &Programme| programme.bound_to().is_some_and(|due| due > edge + EARLY_MAX);
        if waits(first) {
            return Some(Step::Hold);
        }
        if let Some(mezzanine) = ready(first).filter(|_| first.bound_to().is_none()) {
            return Some(Step::Planned(place, mezzanine));
        }
        let room = self.plan.programmes().iter().find(|programme| waits(programme)).and_then(Programme::bound_to);
        let room = room.map_or(DURATION_MAX, |due| MediaTime::between(edge, due));
        let fits = |programme: &Programme| programme.role.due.is_none() && programme.duration <= room;
        let mut others = ahead().filter(|(_, programme)| fits(programme));
        if let Some((place, mezzanine)) = others.find_map(|(place, programme)| Some((place, ready(programme)?))) {
            return Some(Step::Planned(place, mezzanine));
        }
        self.repeat(workshop, room).map(|(candidate, mezzanine)| Step::Repeat(candidate, mezzanine))
    }

    /// Moves what comes next to the edge, where it is not bound to its time: what was to begin long ago begins now.
    pub(super) fn move_to(&mut self, edge: Timestamp) {
        let first = self.plan.programmes().front();
        if self.resume.is_none() && first.is_some_and(|first| first.bound_to().is_none()) {
            self.plan.retime(edge);
        }
    }

    /// Begins what can air.
    pub(super) fn take_step(&mut self, step: Step, edge: Timestamp) -> Choice {
        if !matches!(step, Step::Card(0)) {
            self.resume = None;
        }
        match step {
            Step::Planned(place, mezzanine) => {
                let serial = self.plan.programmes()[place].serial;
                self.plan.promote(serial, 0);
                self.begin(mezzanine, 0, edge)
            }
            Step::Card(place) => {
                for _ in 0..place {
                    self.plan.pop_front();
                }
                self.begin_card(edge)
            }
            Step::Hold => {
                self.plan.hold_first(edge);
                self.begin_card(edge)
            }
            Step::Repeat(candidate, mezzanine) => {
                self.plan.insert(&candidate, 0, edge);
                self.begin(mezzanine, 0, edge)
            }
        }
    }

    fn begin_card(&mut self, edge: Timestamp) -> Choice {
        // A channel that resumes in the middle of a card says since when it lasts.
        let begun = self.plan.programmes().front().is_some_and(|first| first.start <= edge);
        if self.resume.take().is_none() || !begun {
            self.plan.retime(edge);
        }
        self.on_air = true;
        self.patience = Some(edge);
        match self.plan.programmes().front() {
            Some(card) => Choice::Pause(card.clone()),
            None => Choice::Wait,
        }
    }
}
