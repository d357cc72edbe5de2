//! What a channel asks of its library and of the workshop, and what it does with their answers.

use std::io;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::ident::Ident;
use super::{Parts, Shell};
use crate::channel::director::Idle;
use crate::channel::keep;
use crate::channel::status::LibraryCounts;
use crate::config::defaults;
use crate::library::{Catalogue, Refused, Reproach};
use crate::prepare::slate::SlateCard;
use crate::prepare::{Look, Mezzanine, MezzanineId, Prepared, Want};
use crate::schedule::{Plan, Timetable};
use crate::units::ContentKey;

/// How long after its beginning a channel that expects an item waits with drawing the slate, in station time: it takes
/// half a second of two cores, just when the first item needs them. The other half of the time until it is shown
/// ([`crate::channel::director::FIRST_WAIT`]) is left for it.
pub(super) const SLATE_REST: SignedDuration = SignedDuration::from_secs(2);

/// A group of pictures of a card that ends at its time, in seconds: it may be cut behind any.
const CARD_GOP_SECS: u32 = 1;

/// How long after a slate's file turned out to be of no use another is drawn, in station time.
const SLATE_AGAIN: SignedDuration = SignedDuration::from_secs(1);

/// What is drawn for a channel.
#[derive(Debug)]
pub(super) enum Drawing {
    /// The slate or a card of the timetable.
    Card(Idle),
    /// The ident.
    Ident,
}

/// What was drawn, how the channel looked then, and what became of it.
pub(super) type Drawn = (Drawing, Look, Result<Arc<Mezzanine>, String>);

impl Shell {
    pub(super) fn library_changed(&mut self, catalogue: Arc<Catalogue>) {
        let now = self.parts.clock.now();
        self.refused = reproaches(catalogue.refused.values());
        self.core.director().library_changed(catalogue, now);
        let items = self.core.plan().items();
        self.names.follow(items, &self.profile);
        self.plan_changed = true;
        self.offer_subtitles();
        self.ask_for_items();
        self.workshop_changed();
    }

    /// Takes what the workshop has to tell of the items that are wanted.
    pub(super) fn workshop_changed(&mut self) {
        let now = self.parts.clock.now();
        let is_failed =
            |key: &ContentKey| matches!(self.parts.preparer.state(&self.names.of(key)), Prepared::Failed(_));
        let failures = self.core.plan().failures().keys();
        let forgiven: Vec<ContentKey> = failures.filter(|key| !is_failed(key)).cloned().collect();
        let mut failed = !forgiven.is_empty();
        self.core.director().forgive(&forgiven, now);
        for (item, _) in self.core.plan().wants() {
            match self.parts.preparer.state(&self.names.of(&item.key)) {
                Prepared::Ready(mezzanine) => self.core.director().prepared(&item.key, mezzanine.duration()),
                Prepared::Failed(reason) => {
                    tracing::warn!(item = %item.name, %reason, "item is quarantined");
                    self.core.director().failed(&item.key, reason, now);
                    failed = true;
                }
                Prepared::Waiting | Prepared::Growing { .. } => {}
            }
        }
        if failed {
            self.plan_changed = true;
            self.ask_for_items();
        }
        self.count_library();
    }

    fn count_library(&mut self) {
        let catalogue = self.core.plan().catalogue();
        let failures = self.core.plan().failures();
        let state = |key: &ContentKey| self.parts.preparer.state(&self.names.of(key));
        let refused = |wanted: fn(&Refused) -> bool| catalogue.refused.values().filter(|r| wanted(r)).count();
        let (mut prepared, mut preparing) = (0, 0);
        for item in catalogue.items.values() {
            match state(&item.key) {
                Prepared::Ready(_) => prepared += 1,
                Prepared::Growing { .. } => preparing += 1,
                Prepared::Waiting | Prepared::Failed(_) => {}
            }
        }
        let mut reproaches = self.refused;
        for reason in failures.values() {
            reproaches[Reproach::of(reason) as usize] += 1;
        }
        self.library = LibraryCounts {
            items: catalogue.items.len() - failures.len().min(catalogue.items.len()),
            prepared,
            preparing,
            settling: refused(|r| *r == Refused::Settling),
            quarantined: refused(|r| matches!(r, Refused::Quarantined(_))) + failures.len(),
            reproaches,
        };
    }

    pub(super) fn ask_for_items(&mut self) {
        self.read_ahead();
        let wants = self.core.plan().wants().into_iter();
        let wants = wants.map(|(item, due)| Want { item, profile: Arc::clone(&self.profile), due });
        self.parts.preparer.want(&self.parts.config.id, wants.collect());
    }

    /// Has the slate made that fits the situation; one is always at hand, also while items are on air.
    pub(super) fn ask_for_slate(&mut self, now: Timestamp) {
        let idle = self.core.idle().cloned().unwrap_or(Idle::Preparing);
        let known = self.slate_for.is_some() && self.core.idle().is_none();
        if known || self.slate_for.as_ref() == Some(&idle) || now < self.slate_again {
            return;
        }
        if now < self.slate_rest && matches!(idle, Idle::Preparing | Idle::Settling) {
            return;
        }
        self.slate_for = Some(idle.clone());
        self.draw(idle, defaults::GOP_SECONDS, self.core.idle().is_some());
    }

    /// Has the next card made that the timetable wants.
    pub(super) fn ask_for_card(&mut self, now: Timestamp) {
        if self.card_for.is_some() || now < self.card_again {
            return;
        }
        if let Some(told) = self.core.card_wanted(now) {
            self.card_for = Some(Arc::clone(&told));
            self.draw(Idle::Planned(told), CARD_GOP_SECS, true);
        }
    }

    fn draw(&self, idle: Idle, gop_secs: u32, shown: bool) {
        let card = SlateCard {
            look: self.parts.look.borrow().clone(),
            name: self.parts.config.name.as_str().into(),
            reason: Some(idle.sentence().into()),
            profile: Arc::clone(&self.profile),
            rate: None,
            gop_secs,
        };
        self.have_drawn(Drawing::Card(idle), card, shown);
    }

    /// Has something drawn; the answer comes back with what it is for.
    pub(super) fn have_drawn(&self, what: Drawing, card: SlateCard, shown: bool) {
        let (preparer, drawings) = (self.parts.preparer.clone(), self.drawings.clone());
        let channel = self.parts.config.id.clone();
        self.parts.tracker.spawn(async move {
            let made = preparer.slate(&channel, &card, shown).await;
            let _gone = drawings.send((what, card.look, made.map_err(|error| error.to_string()))).await;
        });
    }

    /// Takes what was drawn, where the channel still looks so: else another was asked for meanwhile.
    pub(super) fn drawn(&mut self, (what, look, made): Drawn) {
        if look != *self.parts.look.borrow() {
            return;
        }
        match what {
            Drawing::Card(idle) => self.slate_made(&idle, made),
            Drawing::Ident => self.ident_made(made),
        }
    }

    /// Has everything drawn again that shows how the channel looks. Cards stay until others are there.
    pub(super) fn look_changed(&mut self) {
        (self.slate_for, self.card_for) = (None, None);
        self.core.cards_outdated();
        self.ident_looks_otherwise(self.parts.clock.now());
    }

    fn slate_made(&mut self, idle: &Idle, made: Result<Arc<Mezzanine>, String>) {
        if let Idle::Planned(told) = idle {
            self.card_for = None;
            match made {
                Ok(card) => self.core.card(Arc::clone(told), card),
                Err(error) => {
                    tracing::error!(error, told = %told, "a card of the timetable could not be made");
                    self.card_again = self.parts.clock.now() + SignedDuration::from_secs(10);
                }
            }
            return;
        }
        match made {
            _ if self.slate_for.as_ref() != Some(idle) => {} // Of two in the making, the older must not win by being slower.
            Ok(slate) => self.core.slate(slate),
            Err(error) => {
                tracing::error!(error, ?idle, "slate could not be made");
                self.slate_for = None;
                self.slate_again = self.parts.clock.now() + SignedDuration::from_secs(10);
            }
        }
    }

    /// Has a mezzanine made again whose file is of no use any more.
    pub(super) fn lost(&mut self, id: &MezzanineId, now: Timestamp) {
        self.parts.preparer.lost(id);
        self.ident_lost(id, now);
        if self.core.slate_lost(id) {
            self.slate_for = None;
            self.slate_again = now + SLATE_AGAIN;
        }
    }
}

/// Returns the plan of the channel's last life, or a new one, by the timetable that it has now; in the station's own time.
pub(super) async fn kept_plan(parts: &Parts, ident: &Ident, stepped: SignedDuration) -> Plan {
    let kept = keep::task::plan(&parts.store, &parts.config.id).await;
    let mut plan = kept.unwrap_or_else(|| Plan::new(parts.config.seed));
    // It was kept by the wall clock.
    plan.shift(-stepped);
    let timetable = Timetable::new(&parts.config.timetable, TimeZone::system());
    plan.with_timetable(timetable.map(|table| table.stepped(stepped).with_ident(ident.candidate())))
}

/// Counts the files in quarantine by why they are there.
fn reproaches<'r>(refused: impl Iterator<Item = &'r Refused>) -> [usize; Reproach::ALL.len()] {
    let mut counts = [0; Reproach::ALL.len()];
    for refused in refused {
        if let Refused::Quarantined(reason) = refused {
            counts[Reproach::of(reason) as usize] += 1;
        }
    }
    counts
}

/// Whether a file could not be opened because the system has run out of something, which says nothing about the file.
pub(super) fn is_for_now(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let out_of = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::INTR, Errno::AGAIN];
    out_of.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
