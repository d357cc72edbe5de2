//! What a channel hands over to be kept: its plan, its numbers, what was on.

use std::sync::Arc;

use jiff::Timestamp;

use super::Shell;
use crate::channel::keep;
use crate::feed::Airing;
use crate::store::{Aired, Continuity};
use crate::units::MediaTime;

impl Shell {
    pub(super) fn note_aired(&self, airing: &Airing, since: Timestamp, length: MediaTime) {
        let Some(programme) = &airing.programme else { return };
        let aired = Aired {
            serial: Some(programme.serial),
            key: Some(airing.key.clone()),
            kind: programme.role.kind,
            metadata: Arc::clone(&programme.metadata),
            start: since,
            duration: programme.duration,
            from: airing.from,
            aired: length,
        };
        if self.aired.try_send(aired).is_err() {
            tracing::warn!("the store is behind: an airing is missing from the history");
        }
    }

    pub(super) fn keep(&mut self, now: Timestamp) {
        let plan = self.core.plan().plan();
        let since = now.duration_since(self.plan_kept);
        let is_old = since >= keep::plan_every(plan.programmes().len());
        let is_wrong = || {
            since >= keep::PLAN_REST
                && !keep::agrees(self.kept.borrow().plan.as_ref(), plan, self.parts.clock.stepped())
        };
        if self.plan_changed && (is_old || is_wrong()) {
            self.plan_changed = false;
            self.plan_kept = now;
            let stored = keep::to_store(&self.core);
            self.kept.send_modify(|kept| kept.plan = stored);
        }
        if now.duration_since(self.continuity_kept) >= keep::CONTINUITY_EVERY {
            self.continuity_kept = now;
            let continuity = self.continuity();
            self.kept.send_modify(|kept| kept.continuity = Some(continuity));
        }
    }

    pub(super) fn continuity(&self) -> Continuity {
        let (msn, discontinuity_sequence) = self.core.air().continuity();
        Continuity { msn: msn.0, discontinuity_sequence, edge: self.core.dated(self.core.air().edge()) }
    }
}
