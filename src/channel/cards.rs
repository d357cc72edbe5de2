//! The cards that a timetable wants: made before their time, and cut to the length that is wanted. Pure.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::prepare::{Mezzanine, MezzanineId};
use crate::schedule::{Plan, Programme};
use crate::units::MediaTime;

/// How many cards are at hand: the one on air and those that come next.
const CARDS_MAX: usize = 4;

/// How long before its time a card is asked for.
const AHEAD: SignedDuration = SignedDuration::from_hours(2);

/// How many programmes ahead cards are looked for.
const LOOK: usize = 64;

/// The cards that were made, by what is told on them; newest last.
#[derive(Debug, Default)]
pub struct Cards(VecDeque<Card>);

#[derive(Debug)]
struct Card {
    told: Arc<str>,
    mezzanine: Arc<Mezzanine>,
    /// Whether it is to be made again; until then it serves.
    outdated: bool,
}

impl Cards {
    /// Returns the card of a programme, if it was made.
    #[must_use]
    pub fn of(&self, programme: &Programme) -> Option<&Arc<Mezzanine>> {
        self.made(programme).map(|made| &made.mezzanine)
    }

    fn made(&self, programme: &Programme) -> Option<&Card> {
        let told = programme.metadata.title.as_str();
        self.0.iter().find(|made| *made.told == *told)
    }

    /// Takes a card that was made.
    pub fn put(&mut self, told: Arc<str>, card: Arc<Mezzanine>) {
        self.0.retain(|made| made.told != told);
        self.0.push_back(Card { told, mezzanine: card, outdated: false });
        if self.0.len() > CARDS_MAX {
            self.0.pop_front();
        }
    }

    /// Has all of them made again.
    pub fn outdate(&mut self) {
        self.0.iter_mut().for_each(|made| made.outdated = true);
    }

    /// Forgets a card whose file is of no use any more; returns whether there was one.
    pub fn lost(&mut self, id: &MezzanineId) -> bool {
        let before = self.0.len();
        self.0.retain(|made| made.mezzanine.id != *id);
        self.0.len() < before
    }

    /// Returns what is to be told on the next card that is not at hand.
    #[must_use]
    pub fn wanted(&self, plan: &Plan, now: Timestamp) -> Option<Arc<str>> {
        let soon = plan.programmes().iter().take(LOOK).take_while(|programme| programme.start < now + AHEAD);
        let mut cards = soon.filter(|programme| programme.is_card()).take(CARDS_MAX);
        let missing = cards.find(|programme| self.made(programme).is_none_or(|made| made.outdated))?;
        Some(missing.metadata.title.as_str().into())
    }
}

/// Returns a round of a card, or as many groups of pictures of it as come closest to a length; at least one.
#[must_use]
pub fn cut_to(card: &Arc<Mezzanine>, length: MediaTime) -> Arc<Mezzanine> {
    let mut reached = MediaTime::ZERO;
    let fits = card.gops.iter().take_while(|gop| {
        // More than half of it is wanted.
        let wanted = (length - reached).0 >= gop.duration.0 / 2;
        reached += gop.duration;
        wanted
    });
    let count = fits.count().max(1);
    if count >= card.gops.len() {
        return Arc::clone(card);
    }
    Arc::new(Mezzanine { gops: card.gops[..count].into(), ..Mezzanine::clone(card) })
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::super::director::tests::mezzanine;
    use super::*;
    use crate::config::Order;
    use crate::config::timetable::{self as config, SignOff, TimeOfDay};
    use crate::schedule::{Candidate, Timetable};
    use crate::units::ContentKey;

    #[test]
    fn a_card_is_cut_to_the_nearest_group_of_pictures() {
        let card = mezzanine(&ContentKey("card".into()), 4, true);
        for (millis, gops) in [(60_000, 4), (8_000, 4), (6_900, 3), (7_100, 4), (2_000, 1), (900, 1), (0, 1)] {
            let cut = cut_to(&card, MediaTime::from_millis(millis));
            assert_eq!(cut.gops.len(), gops, "{millis} ms");
        }
    }

    /// Goal: a card that looks otherwise now is made again, and airs as it was until then. Method: a plan with a rest.
    #[test]
    fn a_card_that_is_outdated_is_wanted_again_and_serves_until_then() {
        let off = SignOff { from: TimeOfDay::parse("00:00").unwrap(), to: TimeOfDay::parse("23:00").unwrap() };
        let wanted = config::Timetable { sign_off: Some(off), ..config::Timetable::default() };
        let now: Timestamp = "2026-11-16T12:00:00Z".parse().unwrap();
        let mut plan = Plan::new(1).with_timetable(Timetable::new(&wanted, TimeZone::UTC));
        let film = Candidate {
            key: ContentKey("film".into()),
            name: "film".into(),
            duration: MediaTime::from_secs(60),
            metadata: Arc::default(),
        };
        plan.extend(&Order::Shuffle, &[film], now);
        let mut cards = Cards::default();
        let told = cards.wanted(&plan, now).unwrap();
        let [old, new] = ["old", "new"].map(|name| mezzanine(&ContentKey(name.into()), 4, true));
        cards.put(Arc::clone(&told), Arc::clone(&old));
        assert_eq!(cards.wanted(&plan, now), None);
        cards.outdate();
        assert_eq!((cards.wanted(&plan, now), cards.of(&plan.programmes()[0])), (Some(Arc::clone(&told)), Some(&old)));
        cards.put(told, Arc::clone(&new));
        assert_eq!((cards.wanted(&plan, now), cards.of(&plan.programmes()[0])), (None, Some(&new)));
    }
}
