//! Finds the largest crowd that is held: doubled until one is not, then halved in between. Pure.

/// The crowd a search begins with.
const FIRST: usize = 512;

/// How many crowds are tried at the most.
pub const TRIALS_MAX: usize = 12;

/// The answer is exact to an eighth of it: two searches one after the other differ by as much.
const EXACT: usize = 8;

/// A search under way.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    held: usize,
    too_many: Option<usize>,
    max: usize,
    trials: usize,
}

impl Search {
    /// Begins; no crowd larger than this is tried.
    #[must_use]
    pub fn up_to(max: usize) -> Self {
        Self { held: 0, too_many: None, max, trials: 0 }
    }

    /// Returns the next crowd to try; none when the answer is known.
    #[must_use]
    pub fn next(&self) -> Option<usize> {
        if self.trials >= TRIALS_MAX {
            return None;
        }
        match self.too_many {
            None if self.held >= self.max => None,
            None => Some((self.held * 2).clamp(FIRST.min(self.max), self.max)),
            Some(too_many) if too_many - self.held <= (self.held / EXACT).max(1) => None,
            Some(too_many) => Some(self.held.midpoint(too_many)),
        }
    }

    /// Takes what came of a crowd.
    pub fn tried(&mut self, viewers: usize, held: bool) {
        self.trials += 1;
        if held {
            self.held = self.held.max(viewers);
        } else {
            self.too_many = Some(self.too_many.map_or(viewers, |known| known.min(viewers)));
        }
    }

    /// Returns the largest crowd that was held; nought when none was.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn find(limit: usize, max: usize) -> (usize, Vec<usize>) {
        let (mut search, mut tried) = (Search::up_to(max), Vec::new());
        while let Some(viewers) = search.next() {
            tried.push(viewers);
            search.tried(viewers, viewers <= limit);
        }
        (search.held(), tried)
    }

    #[test]
    fn crowds_are_doubled_then_halved_in_between() {
        for (sentence, limit, max, held, tried) in [
            ("more than are allowed", 9999, 1000, 1000, &[512, 1000][..]),
            ("some", 300, 20_000, 288, &[512, 256, 384, 320, 288]),
            ("few", 3, 20_000, 3, &[512, 256, 128, 64, 32, 16, 8, 4, 2, 3]),
            ("none", 0, 20_000, 0, &[512, 256, 128, 64, 32, 16, 8, 4, 2, 1]),
            ("fewer allowed than the first crowd", 99, 10, 10, &[10]),
        ] {
            assert_eq!(find(limit, max), (held, tried.to_vec()), "{sentence}");
        }
    }

    proptest! {
        #[test]
        fn what_is_found_was_held_and_little_more_is_not(limit in 0_usize..30_000) {
            let (held, tried) = find(limit, 20_000);
            prop_assert!(held <= limit && held + held / EXACT + 1 > limit.min(19_999), "{} {:?}", held, tried);
            prop_assert!(tried.len() < TRIALS_MAX);
        }
    }
}
