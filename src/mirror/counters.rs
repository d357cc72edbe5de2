//! What the mirror of a channel has done, in numbers that anyone may read at any time. Written by its task alone.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};

use super::trouble::Errand;
use crate::units::Msn;

/// The numbers of a channel's mirror.
#[derive(Debug, Default)]
pub struct Counters {
    segments: AtomicU64,
    playlists: AtomicU64,
    bytes: AtomicU64,
    deleted: AtomicU64,
    failures: [AtomicU64; Errand::ALL.len()],
    skips: AtomicU64,
    objects: AtomicU64,
    /// The newest segment that the store's playlist lists; 0 before.
    newest: AtomicU64,
    /// When that playlist was put, or when the mirror began, in milliseconds of the station's time.
    since_ms: AtomicI64,
}

/// The numbers at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Segments that were put, each rendition by itself.
    pub segments: u64,
    /// Playlists that were put.
    pub playlists: u64,
    /// Bytes of both.
    pub bytes: u64,
    /// Objects that were deleted.
    pub deleted: u64,
    /// What failed, in the order of [`Errand::ALL`].
    pub failures: [u64; Errand::ALL.len()],
    /// Times the store was so far behind that segments were left out.
    pub skips: u64,
    /// Objects that are at the store, or may be.
    pub objects: u64,
    /// For how long the store's playlist has been older than the station's.
    pub lag: SignedDuration,
}

impl Counters {
    /// Takes note that the mirror begins.
    pub fn begun(&self, now: Timestamp) {
        self.since_ms.store(now.as_millisecond(), Ordering::Relaxed);
    }

    /// Counts an object that was put.
    pub fn put(&self, is_playlist: bool, bytes: usize) {
        let count = if is_playlist { &self.playlists } else { &self.segments };
        count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts objects that were deleted.
    pub fn deleted(&self, count: usize) {
        self.deleted.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Counts something that failed.
    pub fn failed(&self, errand: Errand) {
        self.failures[errand as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a time that segments were left out.
    pub fn skipped(&self) {
        self.skips.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes how many objects there are.
    pub fn holds(&self, objects: usize) {
        self.objects.store(objects as u64, Ordering::Relaxed);
    }

    /// Takes note that the store lists everything up to this segment.
    pub fn published(&self, newest: Msn, now: Timestamp) {
        self.newest.store(newest.0, Ordering::Relaxed);
        self.since_ms.store(now.as_millisecond(), Ordering::Relaxed);
    }

    /// Returns the numbers, where the station's own playlist ends with `newest`, and `now` by the station's time.
    #[must_use]
    pub fn read(&self, newest: Option<Msn>, now: Timestamp) -> Numbers {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let since = Timestamp::from_millisecond(self.since_ms.load(Ordering::Relaxed)).unwrap_or(now);
        let is_behind = newest.is_some_and(|newest| newest.0 > count(&self.newest));
        let lag = if is_behind { now.duration_since(since).max(SignedDuration::ZERO) } else { SignedDuration::ZERO };
        Numbers {
            segments: count(&self.segments),
            playlists: count(&self.playlists),
            bytes: count(&self.bytes),
            deleted: count(&self.deleted),
            failures: self.failures.each_ref().map(count),
            skips: count(&self.skips),
            objects: count(&self.objects),
            lag,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    /// Goal: the lag is how long viewers of the store have been behind. Method: a table of moments.
    #[test]
    fn the_lag_grows_while_the_store_is_behind_and_ends_with_a_playlist() {
        let counters = Counters::default();
        counters.begun(at(100));
        let lag = |newest: Option<u64>, now| counters.read(newest.map(Msn), at(now)).lag.as_secs();
        assert_eq!(lag(None, 150), 0, "there is nothing to be behind of");
        assert_eq!(lag(Some(7), 107), 7, "nothing was ever put");
        counters.published(Msn(7), at(108));
        assert_eq!((lag(Some(7), 110), lag(Some(8), 110), lag(Some(20), 130)), (0, 2, 22));
        counters.published(Msn(20), at(131));
        assert_eq!(lag(Some(20), 131), 0);
    }

    #[test]
    fn everything_is_counted_by_what_it_is() {
        let counters = Counters::default();
        counters.put(false, 1000);
        counters.put(false, 500);
        counters.put(true, 10);
        counters.deleted(3);
        counters.failed(Errand::Delete);
        counters.skipped();
        counters.holds(9);
        let numbers = counters.read(None, at(0));
        assert_eq!((numbers.segments, numbers.playlists, numbers.bytes, numbers.deleted), (2, 1, 1510, 3));
        assert_eq!((numbers.failures, numbers.skips, numbers.objects), ([0, 0, 1], 1, 9));
    }
}
