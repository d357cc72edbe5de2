//! Chooses what comes next.
//!
//! A pick depends on nothing but the state and the shelf: each takes its chance from a stream of its own, numbered by
//! how many picks went before, so a restart goes on exactly where the channel was. A shuffled deck is kept as the set
//! of what was already on: a pick is any of the rest, hence a file added joins the rest at a random place and a file
//! removed drops out, with nothing to repair.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::parts::Parts;
use super::shelf::{Candidate, Rule, Shelf};
use crate::config::Order;
use crate::units::{ContentKey, MediaTime};

/// What must be remembered of the past to pick the next item; stored with the plan.
///
/// A deck of keys and twice the spacing: as JSON some 6 kB for a hundred items, 400 kB for ten thousand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickerState {
    seed: u64,
    /// How many programmes went before.
    draws: u64,
    /// What was on in the present deck.
    deck: BTreeSet<ContentKey>,
    /// The last programmes, newest last.
    recent: VecDeque<ContentKey>,
    /// The last programme's name: an order by name goes on after it, even when its file is gone.
    last_name: Option<Arc<str>>,
    /// Serials of planned programmes that open a new deck; kept by the plan.
    #[serde(default)]
    pub(super) openers: BTreeSet<u64>,
    /// The same of each part of the timetable, where there is one.
    #[serde(default, skip_serializing_if = "Parts::is_empty")]
    pub(super) parts: Parts,
}

impl PickerState {
    /// How many programmes are remembered at least, so that a library that grows finds a history to keep apart from.
    const HISTORY_MIN: usize = 64;

    /// More draws than any channel lives to make; leaves room to count on.
    const DRAWS_MAX: u64 = 1 << 60;

    /// Returns the state of a channel on which nothing was on yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            draws: 0,
            deck: BTreeSet::new(),
            recent: VecDeque::new(),
            last_name: None,
            openers: BTreeSet::new(),
            parts: Parts::default(),
        }
    }

    /// Returns the state of a part of the channel's timetable on which nothing was on yet: its chance is its own (FNV-1a).
    pub(super) fn branch(&self, part: &str) -> Self {
        let mixed = part.bytes().fold(self.seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self::new(mixed)
    }

    /// Picks one item and remembers it; returns its index in `candidates`, or none when there are none.
    ///
    /// Lays out the whole shelf for one pick; for many use [`Picker`].
    pub fn pick(&mut self, order: &Order, candidates: &[Candidate]) -> Option<usize> {
        let shelf = Shelf::new(order, candidates);
        let pick = Picker::new(&shelf, self).pick()?;
        let chosen = &candidates[pick.index];
        self.note(&chosen.key, &chosen.name, pick.opens_deck);
        Some(pick.index)
    }

    /// Remembers that a programme was on.
    pub(super) fn note(&mut self, key: &ContentKey, name: &Arc<str>, opens_deck: bool) {
        if opens_deck {
            self.deck.clear();
        }
        self.deck.insert(key.clone());
        self.recent.push_back(key.clone());
        if self.recent.len() > Shelf::SPACING_MAX {
            self.recent.pop_front();
        }
        self.draws += 1;
        self.last_name = Some(Arc::clone(name));
    }

    /// Brings what was stored to what picking can have left, given the serials that are planned.
    pub(super) fn keep_what_can_be(&mut self, serials: &BTreeSet<u64>) {
        self.draws = self.draws.min(Self::DRAWS_MAX);
        self.openers.retain(|serial| serials.contains(serial));
    }

    /// Forgets what is further back than any pick will look. Twice the spacing leaves room for a library that grows.
    pub(super) fn keep_history_for(&mut self, spacing: usize) {
        let surplus = self.recent.len().saturating_sub((2 * spacing).max(Self::HISTORY_MIN));
        self.recent.drain(..surplus);
    }

    /// Forgets the deck where the order has none, or it would grow with every file there ever was.
    pub(super) fn keep_deck_only_for(&mut self, order: &Order) {
        if !matches!(order, Order::Shuffle) {
            self.forget_deck();
            self.openers.clear();
        }
    }

    /// Forgets what was on in the present deck.
    pub(super) fn forget_deck(&mut self) {
        self.deck.clear();
    }
}

/// One pick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick {
    /// Index in the candidates the shelf was made of.
    pub index: usize,
    /// Whether everything was on and a new deck begins with this one.
    pub opens_deck: bool,
}

/// Picks many times from one shelf, each in constant time on average.
#[derive(Debug)]
pub struct Picker<'a> {
    shelf: &'a Shelf<'a>,
    seed: u64,
    draws: u64,
    last_name: Option<Arc<str>>,
    /// By place: the number of the programme in which it was last on, where remembered.
    last_on: Vec<Option<u64>>,
    /// By place: whether it was on in the present deck.
    in_deck: Vec<bool>,
    left_in_deck: usize,
}

impl<'a> Picker<'a> {
    /// How often chance may name an item that is barred before the rest is listed: the list costs a walk along the
    /// shelf, and it takes a deck with 97 % gone to need it as a rule.
    const TRIES: u32 = 32;

    /// Goes on from a state.
    #[must_use]
    pub fn new(shelf: &'a Shelf<'a>, state: &PickerState) -> Self {
        let mut last_on = vec![None; shelf.len()];
        for (age, key) in (1..).zip(state.recent.iter().rev()) {
            if let Some(place) = shelf.place(key) {
                last_on[place] = last_on[place].or(Some(state.draws.saturating_sub(age)));
            }
        }
        let mut in_deck = vec![false; shelf.len()];
        state.deck.iter().filter_map(|key| shelf.place(key)).for_each(|place| in_deck[place] = true);
        let left_in_deck = in_deck.iter().filter(|&&on| !on).count();
        let (seed, draws, last_name) = (state.seed, state.draws, state.last_name.clone());
        Self { shelf, seed, draws, last_name, last_on, in_deck, left_in_deck }
    }

    /// Remembers a programme that was chosen before, so that the next pick comes after it.
    pub fn note(&mut self, key: &ContentKey, name: &Arc<str>, opens_deck: bool) {
        if opens_deck {
            self.open_deck();
        }
        if let Some(place) = self.shelf.place(key) {
            self.last_on[place] = Some(self.draws);
            self.left_in_deck -= usize::from(!self.in_deck[place]);
            self.in_deck[place] = true;
        }
        self.draws += 1;
        self.last_name = Some(Arc::clone(name));
    }

    /// Picks the next item and remembers it; none when the shelf is empty.
    pub fn pick(&mut self) -> Option<Pick> {
        if self.shelf.is_empty() {
            return None;
        }
        let opens_deck = matches!(self.shelf.rule, Rule::Deck) && self.left_in_deck == 0;
        if opens_deck {
            self.open_deck();
        }
        let place = match self.shelf.rule {
            Rule::ByName => self.shelf.place_after(self.last_name.as_deref()),
            Rule::Deck | Rule::Even | Rule::Weighted(_) => self.by_chance(false),
        };
        let chosen = self.shelf.at(place);
        self.note(&chosen.key, &chosen.name, false);
        Some(Pick { index: self.shelf.index(place), opens_deck })
    }

    /// Returns what [`Self::pick`] would pick now.
    pub(super) fn peek(&self) -> Option<&'a Candidate> {
        if self.shelf.is_empty() {
            return None;
        }
        let opens_deck = matches!(self.shelf.rule, Rule::Deck) && self.left_in_deck == 0;
        Some(self.shelf.at(match self.shelf.rule {
            Rule::ByName => self.shelf.place_after(self.last_name.as_deref()),
            Rule::Deck | Rule::Even | Rule::Weighted(_) => self.by_chance(opens_deck),
        }))
    }

    /// Picks the longest of the items that are no longer than this, and remembers it; none where none may be on yet, and
    /// none of an order by name, which is kept. `again`: also one that was on in the present deck.
    pub(super) fn pick_longest(&mut self, longest: MediaTime, again: bool) -> Option<Pick> {
        let is_deck = matches!(self.shelf.rule, Rule::Deck);
        let opens_deck = is_deck && self.left_in_deck == 0;
        if matches!(self.shelf.rule, Rule::ByName) {
            return None;
        }
        let fits =
            |place: &usize| self.shelf.at(*place).duration <= longest && self.allowed(*place, opens_deck || again);
        let place = (0..self.shelf.len()).filter(fits).max_by_key(|place| self.shelf.at(*place).duration)?;
        if opens_deck {
            self.open_deck();
        }
        let chosen = self.shelf.at(place);
        self.note(&chosen.key, &chosen.name, false);
        Some(Pick { index: self.shelf.index(place), opens_deck })
    }

    /// Returns each item of the shelf and the number of the programme in which it was last on, where remembered.
    pub(super) fn rested(&self) -> impl Iterator<Item = (&'a Candidate, Option<u64>)> {
        (0..self.shelf.len()).map(|place| (self.shelf.at(place), self.last_on[place]))
    }

    fn open_deck(&mut self) {
        self.in_deck.fill(false);
        self.left_in_deck = self.in_deck.len();
    }

    /// Chooses among what may be on; `fresh`: as if a new deck had begun.
    fn by_chance(&self, fresh: bool) -> usize {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(self.draws);
        for _ in 0..Self::TRIES {
            let place = match &self.shelf.rule {
                Rule::Weighted(sums) => weighted(&mut rng, sums),
                Rule::Deck | Rule::Even | Rule::ByName => rng.random_range(0..self.shelf.len()),
            };
            if self.allowed(place, fresh) {
                return place;
            }
        }
        let rest: Vec<usize> = (0..self.shelf.len()).filter(|&place| self.allowed(place, fresh)).collect();
        match (&self.shelf.rule, rest.as_slice()) {
            // What is left of a deck was last on before the deck began, and spacing is less than the shelf, so only a
            // state that was not made by picking comes here; the channel plays on.
            (_, []) => rng.random_range(0..self.shelf.len()),
            (Rule::Weighted(sums), rest) => {
                let mut sum = 0.0;
                let weigh = |&place: &usize| {
                    sum += sums[place] - place.checked_sub(1).map_or(0.0, |before| sums[before]);
                    sum
                };
                let sums: Vec<f64> = rest.iter().map(weigh).collect();
                rest[weighted(&mut rng, &sums)]
            }
            (_, rest) => rest[rng.random_range(0..rest.len())],
        }
    }

    /// Whether the spacing and the deck let a place be picked.
    fn allowed(&self, place: usize, fresh: bool) -> bool {
        let spacing = self.shelf.spacing as u64;
        let rested = self.last_on[place].is_none_or(|last| self.draws - last > spacing);
        rested && !(!fresh && matches!(self.shelf.rule, Rule::Deck) && self.in_deck[place])
    }
}

/// Returns a place by chance in proportion to weights, given their running sums; at least one place.
fn weighted(rng: &mut ChaCha8Rng, sums: &[f64]) -> usize {
    let total = sums.last().copied().unwrap_or(0.0);
    let point = rng.random::<f64>() * total;
    sums.partition_point(|&sum| sum <= point).min(sums.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::super::laws::item;
    use super::*;
    use crate::config::Order;

    fn named(names: &[&str]) -> Vec<Candidate> {
        let items = names.iter().enumerate();
        items.map(|(id, &name)| Candidate { name: name.into(), ..item(id) }).collect()
    }

    fn play(state: &mut PickerState, order: &Order, candidates: &[Candidate], count: usize) -> Vec<String> {
        let picks = (0..count).map(|_| state.pick(order, candidates).unwrap());
        picks.map(|index| candidates[index].name.to_string()).collect()
    }

    #[test]
    fn sequential_goes_by_name_with_numbers_by_value_and_begins_again() {
        let library = named(&["b/part 10", "b/part 9", "a/x", "B/part 1"]);
        let order = play(&mut PickerState::new(1), &Order::Sequential, &library, 5);
        assert_eq!(order, ["a/x", "B/part 1", "b/part 9", "b/part 10", "a/x"]);
    }

    #[test]
    fn sequential_goes_on_after_the_last_name_even_when_its_file_is_gone() {
        let mut state = PickerState::new(1);
        play(&mut state, &Order::Sequential, &named(&["1", "2", "3"]), 2);
        assert_eq!(play(&mut state, &Order::Sequential, &named(&["1", "3"]), 1), ["3"]);
        assert_eq!(play(&mut state, &Order::Sequential, &named(&["1", "2"]), 1), ["1"]);
    }

    #[test]
    fn weights_go_by_the_first_prefix_that_matches() {
        let library = named(&["news/a", "news/old/b", "films/c"]);
        let weights = vec![("news/old/".to_owned(), 0.25), ("news/".to_owned(), 2.75)];
        let order = Order::Weighted { weights, spacing: 0 };
        let picks = play(&mut PickerState::new(3), &order, &library, 4_000);
        let share = |name: &str| picks.iter().filter(|pick| *pick == name).count();
        // Expected 2,750, 250 and 1,000; the seed is fixed, and the bounds are four standard deviations.
        assert!((2_635..2_865).contains(&share("news/a")), "{}", share("news/a"));
        assert!((190..310).contains(&share("news/old/b")), "{}", share("news/old/b"));
        assert!((890..1_110).contains(&share("films/c")), "{}", share("films/c"));
    }

    #[test]
    fn weights_that_make_no_sense_stop_nothing() {
        let weights = [f64::NAN, f64::INFINITY, 0.0, -1.0].map(|weight| ("often".to_owned(), weight));
        for weight in weights {
            let order = Order::Weighted { weights: vec![weight], spacing: 1 };
            let library: Vec<_> = (0..4).map(item).collect();
            assert_eq!(play(&mut PickerState::new(3), &order, &library, 20).len(), 20);
        }
    }

    #[test]
    fn a_copy_of_a_file_is_the_same_item() {
        let library = [item(1), Candidate { name: "copy".into(), ..item(1) }, item(2)];
        let picks = play(&mut PickerState::new(1), &Order::Shuffle, &library, 20);
        assert!(picks.iter().all(|name| *name != "often/film 1.mp4"), "the first by name stands for both");
        assert!(picks.windows(2).all(|pair| pair[0] != pair[1]), "{picks:?}");
    }

    #[test]
    fn an_empty_library_gives_nothing() {
        assert_eq!(PickerState::new(1).pick(&Order::Shuffle, &[]), None);
    }
}
