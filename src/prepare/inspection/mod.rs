//! Looking through kept pictures after they were made ready: piece by piece, when nothing else is to be done.
//!
//! Receives what is kept and how far it was looked through; gives the next piece, and what became of one. Promises that
//! each picture is looked through once in its life. Does not decode, and does not make anew what is damaged. Pure.

pub mod task;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::mezzanine::{Mezzanine, MezzanineId};
use crate::units::MediaTime;

/// How much is decoded in one go: between two pieces whoever waits for a worker comes first (1080p: six seconds of a core).
const PIECE: MediaTime = MediaTime::from_secs(60);

/// How often in a row looking through one picture may be interrupted before it is left to the station's next life.
const INTERRUPTIONS_MAX: u32 = 3;

/// How long nothing is looked through after an interruption.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// How far a kept picture was looked through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// How many of its GOPs were decoded, from the first on.
    pub gops: usize,
    /// What was found, so that it must be made anew.
    pub damage: Option<Arc<str>>,
}

/// What is to be decoded next.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Of which mezzanine.
    pub mezzanine: Arc<Mezzanine>,
    /// Which of its GOPs.
    pub gops: RangeInclusive<usize>,
}

/// How decoding a piece ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Every picture could be decoded.
    Clean,
    /// Not every one: why, for people.
    Damage(Arc<str>),
    /// The file is not what was made: its disk lost it.
    Spoilt,
    /// It ended by no fault of the picture.
    Interrupted,
}

/// What is to be told and kept after a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// So far nothing is wrong.
    Onward(Inspection),
    /// Nothing is wrong with it.
    Sound(Inspection),
    /// It is damaged, and is to be made anew.
    Damaged(Inspection),
    /// It was interrupted, and is tried again, or left alone in this life.
    Interrupted {
        /// Whether it is left alone.
        over: bool,
    },
    /// Its file is of no use any more.
    Spoilt,
    /// It is not there any more.
    Gone,
}

/// The kept pictures of which something is left to be looked through, or that are damaged.
#[derive(Debug, Default)]
pub struct Inspections {
    open: BTreeMap<MezzanineId, (Inspection, u32)>,
    /// What is being decoded.
    piece: Option<Piece>,
    not_before: Option<Timestamp>,
}

impl Inspections {
    /// Takes in a mezzanine with a kept picture, unless it was looked through whole.
    pub fn add(&mut self, mezzanine: &Mezzanine, inspection: Inspection) {
        if inspection.damage.is_some() || inspection.gops < mezzanine.gops.len() {
            self.open.insert(mezzanine.id.clone(), (inspection, 0));
        }
    }

    /// Forgets one that is not there any more.
    pub fn remove(&mut self, id: &MezzanineId) {
        self.open.remove(id);
    }

    /// Returns what is wrong with one.
    #[must_use]
    pub fn damage(&self, id: &MezzanineId) -> Option<Arc<str>> {
        self.open.get(id)?.0.damage.clone()
    }

    /// Whether something of one is left to be looked through, or it is damaged.
    #[must_use]
    pub fn is_open(&self, id: &MezzanineId) -> bool {
        self.open.contains_key(id)
    }

    /// Whether there may be a piece to decode now: asked first, since it takes nothing to answer.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        let rests = self.not_before.is_some_and(|moment| now < moment);
        self.piece.is_none() && !rests && self.open.values().any(is_left)
    }

    /// Returns the piece to decode now, which is noted as begun: the first left of `soonest`, those that are wanted, the
    /// soonest first. Nothing while another is being decoded.
    pub fn next(&mut self, soonest: impl Iterator<Item = Arc<Mezzanine>>, now: Timestamp) -> Option<Piece> {
        if !self.is_due(now) {
            return None;
        }
        let mut soonest = soonest;
        let piece = soonest.find_map(|mezzanine| {
            let entry = self.open.get(&mezzanine.id).filter(|entry| is_left(entry))?;
            piece_from(entry.0.gops, mezzanine)
        });
        self.piece.clone_from(&piece);
        piece
    }

    /// Takes note of how the piece ended, given the mezzanine as it is now.
    pub fn ended(&mut self, seen: Seen, present: Option<&Arc<Mezzanine>>, now: Timestamp) -> Finding {
        let Some(piece) = self.piece.take() else { return Finding::Gone };
        let id = &piece.mezzanine.id;
        let entry = self.open.get_mut(id).filter(|_| present.is_some_and(|one| Arc::ptr_eq(one, &piece.mezzanine)));
        let Some((inspection, interrupted)) = entry else { return Finding::Gone };
        match seen {
            Seen::Interrupted => {
                *interrupted += 1;
                self.not_before = now.checked_add(PAUSE).ok();
                return Finding::Interrupted { over: *interrupted >= INTERRUPTIONS_MAX };
            }
            Seen::Spoilt => return Finding::Spoilt,
            Seen::Damage(why) => inspection.damage = Some(why),
            Seen::Clean => (inspection.gops, *interrupted) = (piece.gops.end() + 1, 0),
        }
        let inspection = inspection.clone();
        if inspection.damage.is_some() {
            return Finding::Damaged(inspection);
        }
        if inspection.gops < piece.mezzanine.gops.len() {
            return Finding::Onward(inspection);
        }
        self.open.remove(id);
        Finding::Sound(inspection)
    }
}

fn is_left((inspection, interrupted): &(Inspection, u32)) -> bool {
    inspection.damage.is_none() && *interrupted < INTERRUPTIONS_MAX
}

fn piece_from(first: usize, mezzanine: Arc<Mezzanine>) -> Option<Piece> {
    let mut length = MediaTime::ZERO;
    let rest = mezzanine.gops.iter().skip(first).take_while(|gop| {
        let more = length < PIECE;
        length += gop.duration;
        more
    });
    let count = rest.count();
    (count > 0).then(|| Piece { gops: first..=first + count - 1, mezzanine })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prepare::mezzanine::Gop;
    use crate::units::ContentKey;

    /// A mezzanine with so many GOPs of two seconds.
    fn mezzanine(name: &str, gops: usize) -> Arc<Mezzanine> {
        let gop = |n: usize| Gop { offset: n as u64, len: 1, duration: MediaTime::from_secs(2), sum: None };
        Arc::new(Mezzanine {
            id: MezzanineId { key: ContentKey(name.into()), profile: "p".into() },
            path: name.into(),
            tables_len: 0,
            gops: (0..gops).map(gop).collect(),
            signature: "s".into(),
            complete: true,
        })
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    fn with(all: &[&Arc<Mezzanine>]) -> Inspections {
        let mut inspections = Inspections::default();
        for one in all {
            inspections.add(one, Inspection::default());
        }
        inspections
    }

    fn next(
        inspections: &mut Inspections,
        all: &[&Arc<Mezzanine>],
        now: i64,
    ) -> Option<(String, RangeInclusive<usize>)> {
        let piece = inspections.next(all.iter().map(|one| Arc::clone(one)), at(now))?;
        Some((piece.mezzanine.id.key.to_string(), piece.gops))
    }

    #[test]
    fn each_picture_is_looked_through_once_a_minute_at_a_time_and_the_soonest_first() {
        let (a, b) = (mezzanine("a", 70), mezzanine("b", 1));
        let mut inspections = with(&[&a, &b]);
        for (gops, finding) in [(0..=29, "onward"), (30..=59, "onward"), (60..=69, "sound")] {
            assert_eq!(next(&mut inspections, &[&a, &b], 0), Some(("a".to_owned(), gops.clone())));
            assert_eq!(next(&mut inspections, &[&a, &b], 0), None, "one at a time");
            let done = Inspection { gops: gops.end() + 1, damage: None };
            let expected = if finding == "sound" { Finding::Sound(done) } else { Finding::Onward(done) };
            assert_eq!(inspections.ended(Seen::Clean, Some(&a), at(0)), expected);
        }
        assert_eq!(next(&mut inspections, &[&a, &b], 0), Some(("b".to_owned(), 0..=0)));
        assert!(!inspections.is_open(&a.id) && inspections.is_open(&b.id));
    }

    #[test]
    fn what_an_earlier_life_saw_is_not_looked_at_again() {
        let (a, b, c) = (mezzanine("a", 40), mezzanine("b", 40), mezzanine("c", 40));
        let mut inspections = Inspections::default();
        inspections.add(&a, Inspection { gops: 40, damage: None });
        inspections.add(&b, Inspection { gops: 3, damage: Some("broken".into()) });
        inspections.add(&c, Inspection { gops: 30, damage: None });
        assert_eq!(next(&mut inspections, &[&a, &b, &c], 0), Some(("c".to_owned(), 30..=39)));
        assert_eq!(inspections.damage(&b.id).as_deref(), Some("broken"));
        assert_eq!(inspections.damage(&c.id), None);
    }

    #[test]
    fn damage_ends_the_look_and_stays_known() {
        let a = mezzanine("a", 40);
        let mut inspections = with(&[&a]);
        assert!(next(&mut inspections, &[&a], 0).is_some());
        let finding = inspections.ended(Seen::Damage("broken".into()), Some(&a), at(0));
        assert_eq!(finding, Finding::Damaged(Inspection { gops: 0, damage: Some("broken".into()) }));
        assert_eq!(next(&mut inspections, &[&a], 0), None);
        inspections.remove(&a.id);
        assert!(!inspections.is_open(&a.id));
    }

    #[test]
    fn an_interrupted_look_is_tried_again_after_a_pause_and_left_alone_in_the_end() {
        let a = mezzanine("a", 1);
        let mut inspections = with(&[&a]);
        for (now, over) in [(0, false), (30, false), (60, true)] {
            assert!(now == 0 || next(&mut inspections, &[&a], now - 1).is_none(), "{now}");
            assert!(next(&mut inspections, &[&a], now).is_some(), "{now}");
            assert_eq!(inspections.ended(Seen::Interrupted, Some(&a), at(now)), Finding::Interrupted { over });
        }
        assert_eq!(next(&mut inspections, &[&a], 1000), None);
        assert!(inspections.is_open(&a.id), "a later life looks again");
    }

    #[test]
    fn what_was_replaced_meanwhile_is_not_judged_by_what_it_was() {
        let (a, anew) = (mezzanine("a", 1), mezzanine("a", 1));
        for present in [None, Some(&anew)] {
            let mut inspections = with(&[&a]);
            assert!(next(&mut inspections, &[&a], 0).is_some());
            assert_eq!(inspections.ended(Seen::Damage("x".into()), present, at(0)), Finding::Gone);
            assert_eq!(inspections.damage(&a.id), None);
        }
    }
}
