//! The ident of a channel that is drawn and not filmed. What is planned can air: it is planned once it lies there.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::supply::Drawing;
use super::{Parts, Shell};
use crate::channel::status::ChannelState;
use crate::config::{Profile, defaults};
use crate::library::Metadata;
use crate::prepare::slate::SlateCard;
use crate::prepare::{Mezzanine, MezzanineId};
use crate::schedule::{Candidate, Kind, Plan, Programme};
use crate::units::ContentKey;

/// How long after it could not be drawn it is tried again, in station time: until then there is none.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// What it is called where other items have their path.
const NAME: &str = "drawn ident";

/// The ident of a channel, where one is to be drawn.
#[derive(Debug)]
pub(super) struct Ident {
    /// What is drawn; none where the timetable wants none.
    card: Option<SlateCard>,
    drawn: Option<Arc<Mezzanine>>,
    asked: bool,
    /// Until when a failed one is not tried again.
    again: Timestamp,
    /// Whether it was said that it failed.
    told: bool,
}

/// Returns the ident that a plan was made with, where it is one that was drawn.
#[must_use]
pub fn drawn_ident(plan: &Plan) -> Option<Candidate> {
    let is_drawn = |programme: &&Programme| programme.role.kind == Kind::Ident && *programme.name == *NAME;
    let Programme { key, name, duration, metadata, .. } = plan.programmes().iter().find(is_drawn)?.clone();
    Some(Candidate { key, name, duration, metadata })
}

impl Ident {
    /// Returns the ident of a channel that begins: with what was drawn in an earlier life, so that it finds its place in the
    /// plan again.
    pub(super) fn new(parts: &Parts, profile: &Arc<Profile>, now: Timestamp) -> Self {
        let wanted = parts.config.timetable.idents.as_ref().is_some_and(|idents| idents.drawn);
        let card = wanted.then(|| SlateCard {
            look: parts.look.borrow().clone(),
            name: parts.config.name.as_str().into(),
            reason: None,
            profile: Arc::clone(profile),
            rate: None,
            gop_secs: defaults::GOP_SECONDS,
        });
        let drawn = card.as_ref().and_then(|card| parts.preparer.drawn(card));
        Self { card, drawn, asked: false, again: now, told: false }
    }

    /// Returns what may be planned, once it is there.
    pub(super) fn candidate(&self) -> Option<Candidate> {
        let (card, drawn) = (self.card.as_ref()?, self.drawn.as_ref()?);
        let metadata = Metadata { title: card.name.to_string(), ..Metadata::default() };
        Some(Candidate {
            key: drawn.id.key.clone(),
            name: NAME.into(),
            duration: drawn.duration(),
            metadata: Arc::new(metadata),
        })
    }

    /// Returns what is fed of it, if this is its key.
    pub(super) fn of(&self, key: &ContentKey) -> Option<Arc<Mezzanine>> {
        self.drawn.as_ref().filter(|drawn| drawn.id.key == *key).cloned()
    }
}

impl Shell {
    /// Has the ident drawn that the timetable wants, at leisure: nobody waits for it, and what is on air comes first.
    pub(super) fn ask_for_ident(&mut self, now: Timestamp) {
        let ident = &self.ident;
        if ident.drawn.is_some() || ident.asked || now < ident.again || self.core.state() == ChannelState::Starting {
            return;
        }
        let Some(card) = ident.card.clone() else { return };
        self.ident.asked = true;
        self.have_drawn(Drawing::Ident, card, false);
    }

    /// Has another ident drawn where the channel looks otherwise now; the one that there was is planned no more.
    pub(super) fn ident_looks_otherwise(&mut self, now: Timestamp) {
        self.ident = Ident::new(&self.parts, &self.profile, now);
        self.plan_ident(now);
    }

    /// Takes the ident, and plans it from now on.
    pub(super) fn ident_made(&mut self, made: Result<Arc<Mezzanine>, String>) {
        let now = self.parts.clock.now();
        self.ident.asked = false;
        match made {
            Ok(drawn) => {
                tracing::info!("the ident is drawn");
                self.ident.drawn = Some(drawn);
                self.ident.told = false;
                self.plan_ident(now);
            }
            Err(error) => {
                self.ident.again = now + AGAIN;
                if !std::mem::replace(&mut self.ident.told, true) {
                    tracing::warn!(
                        error,
                        "the ident could not be drawn, and the channel goes on without (hint: is there a font, such as \
                         fonts-dejavu? it is tried again every ten minutes)"
                    );
                }
            }
        }
    }

    /// Plans no ident whose file is of no use any more, and has it drawn again.
    pub(super) fn ident_lost(&mut self, id: &MezzanineId, now: Timestamp) {
        if self.ident.drawn.take_if(|drawn| drawn.id == *id).is_some() {
            self.plan_ident(now);
        }
    }

    fn plan_ident(&mut self, now: Timestamp) {
        if self.ident.card.is_none() {
            return;
        }
        let ident = self.ident.candidate();
        self.core.director().draw_ident(ident, now);
        self.plan_changed = true;
        self.ask_for_items();
    }
}
