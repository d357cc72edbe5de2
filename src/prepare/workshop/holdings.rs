//! What the workshop has on the disk and what it is at, in numbers. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Workshop;
use crate::prepare::cache::Kept;
use crate::prepare::numbers::Numbers;
use crate::prepare::sizes::size;
use crate::prepare::{Mezzanine, Prepared};

impl Workshop {
    /// Returns what was done and what is being done.
    #[must_use]
    pub fn numbers(&self, free_bytes: Option<u64>) -> Numbers {
        let mut speeds = BTreeMap::new();
        for (id, running) in &self.running {
            if let Some(Prepared::Growing { speed, .. }) = self.prepared.get(id) {
                *speeds.entry(running.channel.clone()).or_default() += *speed;
            }
        }
        Numbers {
            workers: self.workers,
            running: self.running.len(),
            waiting: self.queue.waiting(|id| self.is_settled(id)),
            speeds,
            work: self.work.clone(),
            cache_bytes: self.on_disk(),
            cache_budget_bytes: self.budget,
            evictions: self.evictions,
            free_bytes,
        }
    }

    /// How many bytes of mezzanines are on the disk, whole or growing.
    pub(super) fn on_disk(&self) -> u64 {
        let bytes = |prepared: &Prepared| match prepared {
            Prepared::Ready(mezzanine) | Prepared::Growing { mezzanine, .. } => size(mezzanine),
            Prepared::Waiting | Prepared::Failed(_) => 0,
        };
        self.prepared.values().map(bytes).fold(0, u64::saturating_add)
    }

    /// Returns what takes room in the cache: what is ready, and what is being made, at the size it will have.
    pub(super) fn kept(&self) -> Vec<Kept> {
        let dues = self.queue.dues();
        let ready = self.prepared.values().filter_map(|prepared| match prepared {
            Prepared::Ready(mezzanine) => Some(mezzanine),
            _ => None,
        });
        let one = |mezzanine: &Arc<Mezzanine>| {
            let due = dues.get(&mezzanine.id);
            Kept {
                id: mezzanine.id.clone(),
                bytes: size(mezzanine),
                used: self.used.get(&mezzanine.id).copied().unwrap_or_default(),
                due: due.map(|(due, _)| *due),
                pinned: due.is_some_and(|(_, pinned)| *pinned),
            }
        };
        let running = self.running.iter().map(|(id, running)| Kept {
            id: id.clone(),
            bytes: running.bytes,
            used: Timestamp::MAX,
            due: None,
            pinned: true,
        });
        ready.map(one).chain(running).collect()
    }
}
