//! How often folders are walked. Pure.
//!
//! What a walk costs is told by the shorter of the last two: on a busy machine the walk of a few files waits for its turn
//! now and then, which says nothing about the folders, and must not keep new films waiting for long.

use jiff::SignedDuration;

/// How often folders are walked when the system tells too little: it gives no more watches, or the disk is another
/// machine's. New files are still found within 5 s, while a walk takes less than [`UNTOLD_REST`] of it.
pub const RESCAN_UNTOLD: SignedDuration = SignedDuration::from_secs(3);

/// Walks that nothing asked for are followed by a rest this many times as long: at most 5 % of a core.
pub const UNTOLD_REST: i32 = 20;

/// A walk is followed by a rest this many times as long, so that a huge library or a slow disk is not walked all the
/// time: at most a fifth of a core.
pub const WALK_REST: i32 = 5;

/// How long the last walks took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    last: Option<SignedDuration>,
    before: Option<SignedDuration>,
}

impl Pace {
    /// Takes note of a walk.
    pub fn walked(&mut self, took: SignedDuration) {
        (self.last, self.before) = (Some(took), self.last);
    }

    fn cost(self) -> SignedDuration {
        [self.last, self.before].into_iter().flatten().min().unwrap_or_default()
    }

    /// Returns how long nothing is walked after a walk, whatever is reported.
    #[must_use]
    pub fn rest(self) -> SignedDuration {
        self.cost().saturating_mul(WALK_REST)
    }

    /// Returns how long nothing is walked while nothing is reported, where the system tells too little.
    #[must_use]
    pub fn untold(self) -> SignedDuration {
        self.cost().saturating_mul(UNTOLD_REST).max(RESCAN_UNTOLD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_folders_are_walked_seldom_and_a_walk_that_had_to_wait_changes_nothing() {
        for (sentence, walks_ms, rest_ms, untold_ms) in [
            ("never walked", vec![], 0, 3_000),
            ("a few files", vec![1, 1], 5, 3_000),
            ("the first walk of slow ones", vec![4_000], 20_000, 80_000),
            ("slow ones", vec![4_000, 3_000], 15_000, 60_000),
            ("one that waited for its turn", vec![1, 5_000], 5, 3_000),
            ("the next after it", vec![1, 5_000, 2], 10, 3_000),
            ("they became slow", vec![1, 4_000, 4_000], 20_000, 80_000),
        ] {
            let mut pace = Pace::default();
            for ms in walks_ms {
                pace.walked(SignedDuration::from_millis(ms));
            }
            let told = (pace.rest().as_millis(), pace.untold().as_millis());
            assert_eq!(told, (rest_ms, untold_ms), "{sentence}");
        }
    }
}
