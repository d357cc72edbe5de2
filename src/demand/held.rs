//! What is open while somebody watches it: so many at the most, and none longer than it is watched. Pure.
//!
//! A film that leaves the cache goes on being readable while its file is open, and its bytes take room on the disk until it
//! is closed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How many films are open at once: the one that was not asked for the longest gives way.
pub const HELD_MAX: usize = 32;

/// For how long after it was last asked for a film stays open: whoever watches asks every few seconds, and whoever has paused
/// comes back soon or later.
pub const IDLE_MAX: Duration = Duration::from_mins(2);

/// Films by the names of their bytes, each with the moment it was last asked for. Moments are any that only grow.
#[derive(Debug)]
pub struct Held<F>(BTreeMap<Arc<str>, (F, Duration)>);

impl<F> Default for Held<F> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<F: Clone> Held<F> {
    /// Returns what is open under a name, which counts as asked for now.
    pub fn get(&mut self, version: &str, now: Duration) -> Option<F> {
        let (film, used) = self.0.get_mut(version)?;
        *used = now;
        Some(film.clone())
    }

    /// Takes in what was opened.
    pub fn insert(&mut self, version: Arc<str>, film: F, now: Duration) {
        self.0.insert(version, (film, now));
        if self.0.len() > HELD_MAX {
            let oldest = self.0.iter().min_by_key(|(_, (_, used))| *used).map(|(version, _)| Arc::clone(version));
            oldest.and_then(|version| self.0.remove(&version));
        }
    }

    /// Lets go of one.
    pub fn remove(&mut self, version: &str) {
        self.0.remove(version);
    }

    /// Lets go of what nobody asked for lately; returns the others.
    pub fn look_after(&mut self, now: Duration) -> Vec<F> {
        self.0.retain(|_, (_, used)| now.saturating_sub(*used) < IDLE_MAX);
        self.0.values().map(|(film, _)| film.clone()).collect()
    }

    /// Whether nothing is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn what_is_watched_stays_and_the_rest_goes() {
        let mut held = Held::default();
        held.insert("a".into(), 1, at(0));
        held.insert("b".into(), 2, at(0));
        assert_eq!((held.get("a", at(100)), held.get("c", at(100))), (Some(1), None));
        assert_eq!(held.look_after(at(119)), [1, 2]);
        assert_eq!(held.look_after(at(120)), [1]);
        assert!(held.look_after(at(500)).is_empty() && held.is_empty());
    }

    #[test]
    fn there_are_never_more_than_so_many_and_the_oldest_gives_way() {
        let mut held = Held::default();
        for n in 0..HELD_MAX {
            held.insert(n.to_string().into(), n, at(n as u64));
        }
        held.get("0", at(100));
        held.insert("new".into(), 99, at(101));
        let left = held.look_after(at(101));
        assert_eq!(left.len(), HELD_MAX);
        assert!(left.contains(&0) && left.contains(&99) && !left.contains(&1));
        held.remove("0");
        assert_eq!(held.get("0", at(102)), None);
    }
}
