//! The items there are to pick from, laid out once for many picks.

use std::collections::HashMap;
use std::sync::Arc;

use super::natural::natural_cmp;
use crate::config::Order;
use crate::library::{Item, Metadata};
use crate::units::{ContentKey, MediaTime};

/// One item that may be picked.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Which item.
    pub key: ContentKey,
    /// Its path below the channel's folder, `/`-separated.
    pub name: Arc<str>,
    /// How long it plays, as well as is known; zero where it is not.
    pub duration: MediaTime,
    /// What viewers are told.
    pub metadata: Arc<Metadata>,
}

impl From<&Item> for Candidate {
    fn from(item: &Item) -> Self {
        Self {
            key: item.key.clone(),
            name: Arc::clone(&item.name),
            duration: item.media.duration,
            metadata: Arc::new(item.metadata.clone()),
        }
    }
}

/// How a shelf is picked from.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    /// Along the shelf by name.
    ByName,
    /// By chance, each place once a deck.
    Deck,
    /// By chance, every place alike.
    Even,
    /// By chance; the running sums of the places' weights.
    Weighted(Vec<f64>),
}

/// The candidates of a channel in the order its rule needs, and where each lies.
///
/// Of several candidates with one key only the first by name counts: to the channel a copy is the same item.
/// Building costs O(n log n), so that each of the thousands of picks of a plan need not.
#[derive(Debug)]
pub struct Shelf<'a> {
    candidates: &'a [Candidate],
    /// Place on the shelf → index of the candidate.
    places: Vec<usize>,
    by_key: HashMap<&'a ContentKey, usize>,
    pub(super) rule: Rule,
    /// How many programmes lie between two airings, already cut down to what the shelf allows.
    pub(super) spacing: usize,
}

impl<'a> Shelf<'a> {
    /// The widest spacing that is kept: the history behind it is stored with the plan, and a thousand programmes are
    /// more than a viewer remembers.
    pub const SPACING_MAX: usize = 1_000;

    /// Weights are brought into this range, so that their sum stays finite and every item has its chance.
    const WEIGHT_RANGE: (f64, f64) = (1e-6, 1e6);

    /// Lays the candidates out for an order.
    #[must_use]
    pub fn new(order: &Order, candidates: &'a [Candidate]) -> Self {
        let by_name = |&a: &usize, &b: &usize| natural_cmp(&candidates[a].name, &candidates[b].name);
        let by_key = |&a: &usize, &b: &usize| candidates[a].key.cmp(&candidates[b].key);
        let mut places: Vec<usize> = (0..candidates.len()).collect();
        // By key, so that a renamed file or another order of the walk does not change what chance says.
        places.sort_by(|a, b| by_key(a, b).then_with(|| by_name(a, b)));
        places.dedup_by(|a, b| candidates[*a].key == candidates[*b].key);
        if matches!(order, Order::Sequential) {
            places.sort_by(by_name);
        }
        let (rule, spacing) = match order {
            Order::Sequential => (Rule::ByName, 0),
            Order::Shuffle => (Rule::Deck, (places.len() / 4).max(1)),
            Order::Random { spacing } => (Rule::Even, *spacing),
            Order::Weighted { weights, spacing } => (Rule::Weighted(sums(weights, candidates, &places)), *spacing),
        };
        let spacing = spacing.min(places.len().saturating_sub(1)).min(Self::SPACING_MAX);
        let by_key = places.iter().enumerate().map(|(place, &at)| (&candidates[at].key, place)).collect();
        Self { candidates, places, by_key, rule, spacing }
    }

    /// Returns how many different items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is nothing to pick.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns the candidate with a key.
    #[must_use]
    pub fn find(&self, key: &ContentKey) -> Option<&'a Candidate> {
        self.place(key).map(|place| self.at(place))
    }

    /// Returns the caller's slice.
    pub(super) fn candidates(&self) -> &'a [Candidate] {
        self.candidates
    }

    /// Returns the candidate at an index of the caller's slice, as [`Pick::index`](super::Pick) gives it.
    pub(super) fn candidate(&self, index: usize) -> &'a Candidate {
        &self.candidates[index]
    }

    pub(super) fn place(&self, key: &ContentKey) -> Option<usize> {
        self.by_key.get(key).copied()
    }

    pub(super) fn at(&self, place: usize) -> &'a Candidate {
        &self.candidates[self.places[place]]
    }

    /// Returns the index in the caller's slice of the candidate at a place.
    pub(super) fn index(&self, place: usize) -> usize {
        self.places[place]
    }

    /// Returns the first place whose name stands after `name`, beginning again after the last.
    pub(super) fn place_after(&self, name: Option<&str>) -> usize {
        let passed = |&at: &usize| name.is_some_and(|last| natural_cmp(&self.candidates[at].name, last).is_le());
        let place = self.places.partition_point(passed);
        if place == self.places.len() { 0 } else { place }
    }
}

/// Returns the running sums of the weights; the first prefix that matches counts, unnamed items weigh 1.
fn sums(weights: &[(String, f64)], candidates: &[Candidate], places: &[usize]) -> Vec<f64> {
    let (least, most) = Shelf::WEIGHT_RANGE;
    let mut sum = 0.0;
    let weigh = |&at: &usize| {
        let named = weights.iter().find(|(prefix, _)| candidates[at].name.starts_with(prefix.as_str()));
        sum += named.map_or(1.0, |&(_, weight)| if weight.is_nan() { 1.0 } else { weight.clamp(least, most) });
        sum
    };
    places.iter().map(weigh).collect()
}
