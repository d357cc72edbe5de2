//! How often the configuration was read anew, in numbers that anyone may read at any time.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;

/// Readings of the configuration while the station runs.
#[derive(Debug)]
pub struct Reloads {
    taken: AtomicU64,
    refused: AtomicU64,
    last_ms: AtomicI64,
}

impl Reloads {
    /// Begins with the configuration the station started with.
    #[must_use]
    pub fn since(start: Timestamp) -> Self {
        let last_ms = AtomicI64::new(start.as_millisecond());
        Self { taken: AtomicU64::new(0), refused: AtomicU64::new(0), last_ms }
    }

    /// Counts a configuration that took the place of the one before.
    pub fn taken(&self, now: Timestamp) {
        self.last_ms.store(now.as_millisecond(), Ordering::Relaxed);
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a configuration with problems, in whose place the one before stayed.
    pub fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how many were taken and how many refused.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.taken.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }

    /// Returns when the present configuration was taken.
    #[must_use]
    pub fn last(&self) -> Timestamp {
        Timestamp::from_millisecond(self.last_ms.load(Ordering::Relaxed)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_configuration_does_not_count_as_the_last() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let reloads = Reloads::since(at(5));
        reloads.refused();
        assert_eq!((reloads.counts(), reloads.last()), ((0, 1), at(5)));
        reloads.taken(at(9));
        assert_eq!((reloads.counts(), reloads.last()), ((1, 1), at(9)));
    }
}
