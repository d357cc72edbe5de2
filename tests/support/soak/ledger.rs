//! What was found wrong, by law, with the first examples of each. Pure.

use std::collections::BTreeMap;

/// How many examples of a broken law are kept.
const EXAMPLES_MAX: usize = 8;

/// The laws a channel is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    Playlist,
    Fetched,
    Promised,
    Transport,
    Continuous,
    Runs,
    InStep,
    Stamps,
    SameBytes,
    Order,
    Length,
    Announced,
    History,
    Clock,
    Fresh,
    Dark,
    Errors,
}

impl Law {
    pub const ALL: [Self; 17] = [
        Self::Playlist,
        Self::Fetched,
        Self::Promised,
        Self::Transport,
        Self::Continuous,
        Self::Runs,
        Self::InStep,
        Self::Stamps,
        Self::SameBytes,
        Self::Order,
        Self::Length,
        Self::Announced,
        Self::History,
        Self::Clock,
        Self::Fresh,
        Self::Dark,
        Self::Errors,
    ];

    /// Returns the law in a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Playlist => "Every playlist, and every change of it, is as RFC 8216 asks",
            Self::Fetched => "Every segment was served, none was missed",
            Self::Promised => "What left the playlist is still served for as long as promised",
            Self::Transport => "Every segment is a whole transport stream, its counters unbroken",
            Self::Continuous => {
                "Picture and sound go on without a hole or an overlap, seams and the 33-bit wrap included"
            }
            Self::Runs => "Time stamps begin anew only with a new run, and a run is new only when its list has ended",
            Self::InStep => "Flash and beep are less than 20 ms apart on both sides of every boundary decoded",
            Self::Stamps => {
                "Sound is to picture as it was in the item's first airing, at begin and end of every airing"
            }
            Self::SameBytes => {
                "Every airing of an item has the very bytes of its first: nothing lost, nothing repeated"
            }
            Self::Order => "What aired is consecutive on the plan: nothing skipped, nothing twice",
            Self::Length => "Every airing is as long as it was planned, within one frame of sound and picture",
            Self::Announced => "What aired was announced before, with its title, its length and its time",
            Self::History => "The history that the station keeps is what a viewer saw",
            Self::Clock => "The dates in the playlist are the clock: none in the future, none drifting",
            Self::Fresh => "The playlist's edge is never older than two target durations",
            Self::Dark => "No dark second: no slate, no hole between dates",
            Self::Errors => "The station logs no error and no warning, but for the end of a run's list",
        }
    }
}

/// What was found wrong.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    broken: BTreeMap<Law, (u64, Vec<String>)>,
    newest: Option<String>,
}

impl Ledger {
    /// Notes one breach.
    pub fn breach(&mut self, law: Law, what: impl FnOnce() -> String) {
        let (count, examples) = self.broken.entry(law).or_default();
        *count += 1;
        if examples.len() < EXAMPLES_MAX {
            let what = what();
            self.newest = Some(format!("{law:?}: {what}"));
            examples.push(what);
        }
    }

    /// Notes a breach where something does not hold.
    pub fn holds(&mut self, law: Law, good: bool, what: impl FnOnce() -> String) {
        if !good {
            self.breach(law, what);
        }
    }

    /// Returns how often a law was broken.
    pub fn count(&self, law: Law) -> u64 {
        self.broken.get(&law).map_or(0, |(count, _)| *count)
    }

    /// Returns the first breaches of a law.
    pub fn examples(&self, law: Law) -> &[String] {
        self.broken.get(&law).map_or(&[], |(_, examples)| examples)
    }

    /// Returns how many breaches there were, and the last that is kept as an example.
    pub fn told(&self) -> (u64, Option<String>) {
        (self.total(), self.newest.clone())
    }

    /// Returns how many breaches there were of all laws.
    pub fn total(&self) -> u64 {
        self.broken.values().map(|(count, _)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaches_are_counted_and_the_first_are_told() {
        let mut ledger = Ledger::default();
        for n in 0..20 {
            ledger.holds(Law::Order, n % 2 == 0, || n.to_string());
        }
        assert_eq!((ledger.count(Law::Order), ledger.count(Law::Clock), ledger.total()), (10, 0, 10));
        assert_eq!(ledger.examples(Law::Order), ["1", "3", "5", "7", "9", "11", "13", "15"]);
    }
}
