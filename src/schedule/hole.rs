//! What fills the hole before a fixed time: fillers that fit, as well as they can, and none twice in a row where others
//! would do. Pure.

use crate::units::MediaTime;

/// How many fillers one hole takes at most: 80 minutes of ten seconds each.
const FILLERS_MAX: usize = 500;

/// How many are combined for the end of a hole: those that rested longest. Their pairs and a third are tried.
const COMBINED_MAX: usize = 96;

/// A long hole is filled by turns until no more than this many of the longest are left to fit.
const TURNS_UNTIL: i64 = 3;

/// One filler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filler {
    pub(super) length: MediaTime,
    /// The number of the filler that was on when this one was last; none where that is not known.
    pub(super) last_on: Option<u64>,
}

/// Returns which fillers are on one after the other in a hole, by their places; together no longer than the hole.
pub(super) fn fill(hole: MediaTime, fillers: &[Filler]) -> Vec<usize> {
    let mut hole = Hole { left: hole, rested: Vec::new(), last: None, chosen: Vec::new() };
    let mut places: Vec<usize> = (0..fillers.len()).filter(|at| fillers[*at].length > MediaTime::ZERO).collect();
    places.sort_by_key(|at| (fillers[*at].last_on, *at));
    let newest = fillers.iter().filter_map(|filler| filler.last_on).max();
    hole.last = newest.and_then(|newest| fillers.iter().position(|filler| filler.last_on == Some(newest)));
    hole.rested = places;
    hole.by_turns(fillers);
    while hole.chosen.len() < FILLERS_MAX {
        let row = hole.best_row(fillers);
        if row.is_empty() {
            break;
        }
        for place in row {
            hole.take(place, fillers);
        }
    }
    hole.chosen
}

struct Hole {
    left: MediaTime,
    /// The places, longest rest first.
    rested: Vec<usize>,
    last: Option<usize>,
    chosen: Vec<usize>,
}

impl Hole {
    fn take(&mut self, place: usize, fillers: &[Filler]) {
        self.left = self.left - fillers[place].length;
        self.rested.retain(|at| *at != place);
        self.rested.push(place);
        self.last = Some(place);
        self.chosen.push(place);
    }

    /// Whether one may follow another: itself only where no other fits.
    fn may_follow(&self, place: usize, last: Option<usize>, left: MediaTime, fillers: &[Filler]) -> bool {
        let others = || self.rested.iter().any(|at| *at != place && fillers[*at].length <= left);
        fillers[place].length <= left && (last != Some(place) || !others())
    }

    /// Takes those that rested longest while there is room for any.
    fn by_turns(&mut self, fillers: &[Filler]) {
        while self.chosen.len() < FILLERS_MAX {
            let fitting = self.rested.iter().filter(|at| fillers[**at].length <= self.left);
            let longest = fitting.map(|at| fillers[*at].length).max().unwrap_or_default();
            if longest == MediaTime::ZERO || self.left.0 <= longest.0.saturating_mul(TURNS_UNTIL) {
                return;
            }
            let next = self.rested.iter().find(|at| self.may_follow(**at, self.last, self.left, fillers));
            let Some(next) = next.copied() else { return };
            self.take(next, fillers);
        }
    }

    /// Returns the row of up to three that leaves least; of several such the one that rested longest.
    fn best_row(&self, fillers: &[Filler]) -> Vec<usize> {
        let length = |at: usize| fillers[at].length;
        let mut by_length: Vec<usize> = self.rested.iter().copied().take(COMBINED_MAX).collect();
        by_length.sort_by_key(|at| length(*at));
        let longest_after = |before: usize, left: MediaTime| {
            let fitting = &by_length[..by_length.partition_point(|at| length(*at) <= left)];
            fitting.iter().rev().take(2).copied().find(|at| self.may_follow(*at, Some(before), left, fillers))
        };
        let mut best = (MediaTime::ZERO, Vec::new());
        let mut offer = |filled: MediaTime, row: &[usize]| {
            if filled > best.0 {
                best = (filled, row.to_vec());
            }
        };
        for &first in self.rested.iter().take(COMBINED_MAX) {
            if !self.may_follow(first, self.last, self.left, fillers) {
                continue;
            }
            let left = self.left - length(first);
            offer(length(first), &[first]);
            for &second in &by_length {
                if !self.may_follow(second, Some(first), left, fillers) {
                    continue;
                }
                let two = length(first) + length(second);
                offer(two, &[first, second]);
                if let Some(third) = longest_after(second, self.left - two) {
                    offer(two + length(third), &[first, second, third]);
                }
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fillers(secs: &[i64]) -> Vec<Filler> {
        secs.iter().map(|secs| Filler { length: MediaTime::from_secs(*secs), last_on: None }).collect()
    }

    #[test]
    fn the_row_that_leaves_least_is_found() {
        for (hole, lengths, expected) in [
            (40, &[30, 20][..], 40),
            (45, &[30, 20, 15], 45),
            (100, &[60, 50, 49], 99),
            (19, &[20], 0),
            (65, &[20], 60),
            (0, &[20], 0),
        ] {
            let fillers = fillers(lengths);
            let filled: MediaTime =
                fill(MediaTime::from_secs(hole), &fillers).iter().map(|at| fillers[*at].length).sum();
            assert_eq!(filled, MediaTime::from_secs(expected), "{hole} s of {lengths:?}");
        }
    }

    proptest! {
        #[test]
        fn a_hole_is_filled_as_far_as_anything_fits_and_nothing_repeats_where_another_would_do(
            hole in 0..7_200_i64, lengths in prop::collection::vec(0..300_i64, 0..12), last in 0..12_usize,
        ) {
            let mut fillers = fillers(&lengths);
            if let Some(filler) = fillers.get_mut(last) {
                filler.last_on = Some(7);
            }
            let row = fill(MediaTime::from_secs(hole), &fillers);
            let mut left = MediaTime::from_secs(hole);
            let mut before = fillers.iter().position(|filler| filler.last_on.is_some());
            for at in row.iter().copied() {
                let fits = |other: &Filler| other.length > MediaTime::ZERO && other.length <= left;
                let another = fillers.iter().enumerate().any(|(n, other)| n != at && fits(other));
                prop_assert!(before != Some(at) || !another, "{row:?} of {lengths:?}");
                left = left - fillers[at].length;
                before = Some(at);
            }
            prop_assert!(left >= MediaTime::ZERO);
            let fits = fillers.iter().any(|other| other.length > MediaTime::ZERO && other.length <= left);
            prop_assert!(!fits || row.len() >= FILLERS_MAX, "{left:?} are left by {row:?} of {lengths:?}");
        }
    }
}
