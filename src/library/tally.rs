//! What a library has done, in numbers that anyone may read at any time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Walks through the folders.
#[derive(Debug, Default)]
pub struct Tally {
    scans: AtomicU64,
    last_micros: AtomicU64,
}

impl Tally {
    /// Counts a walk through all folders and how long it took.
    pub fn walked(&self, took: Duration) {
        self.last_micros.store(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.scans.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how many walks there were.
    #[must_use]
    pub fn scans(&self) -> u64 {
        self.scans.load(Ordering::Relaxed)
    }

    /// Returns how long the last one took; none before the first.
    #[must_use]
    pub fn last(&self) -> Option<Duration> {
        (self.scans() > 0).then(|| Duration::from_micros(self.last_micros.load(Ordering::Relaxed)))
    }
}
