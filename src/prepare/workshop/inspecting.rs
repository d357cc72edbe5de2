//! What the workshop does when it has nothing else to do: it looks through kept pictures. Pure.

use std::sync::Arc;

use jiff::Timestamp;

use super::Workshop;
use crate::prepare::inspection::{Finding, Piece, Seen};
use crate::prepare::{MezzanineId, Prepared};

impl Workshop {
    /// Whether nothing of a mezzanine is left to be looked through, and nothing is wrong with it.
    #[must_use]
    pub fn is_sound(&self, id: &MezzanineId) -> bool {
        self.is_ready(id) && !self.inspections.is_open(id)
    }

    /// Returns what is to be looked through now, which is noted as begun: only while no preparation waits for a worker.
    pub fn inspect(&mut self, now: Timestamp) -> Option<Piece> {
        if self.running.len() >= self.workers.max(1) || !self.inspections.is_due(now) {
            return None;
        }
        let mut soonest: Vec<_> = self.queue.dues().into_iter().map(|(id, (due, _))| (due, id)).collect();
        soonest.sort();
        let ready = soonest.into_iter().filter_map(|(_, id)| match self.prepared.get(&id) {
            Some(Prepared::Ready(mezzanine)) => Some(Arc::clone(mezzanine)),
            _ => None,
        });
        self.inspections.next(ready, now)
    }

    /// Takes note of how looking through a piece ended.
    pub fn inspected(&mut self, piece: &Piece, seen: Seen, now: Timestamp) -> Finding {
        let present = match self.prepared.get(&piece.mezzanine.id) {
            Some(Prepared::Ready(mezzanine)) => Some(mezzanine),
            _ => None,
        };
        self.inspections.ended(seen, present, now)
    }

    pub(super) fn is_settled(&self, id: &MezzanineId) -> bool {
        match self.prepared.get(id) {
            // A damaged one is made anew, unless that was interrupted again and again.
            Some(Prepared::Ready(_)) => self.inspections.damage(id).is_none() || self.forgive.contains_key(id),
            prepared => matches!(prepared, Some(Prepared::Failed(_))),
        }
    }
}
