//! What must be remembered of a timetable's parts: where each block stopped, and what was bound to begin and has.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::PickerState;
use super::programme::{Kind, Programme};

/// What must be remembered of a timetable's parts, as it was before the first programme of the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parts {
    /// By the part's name; see [`super::Role::part`].
    states: BTreeMap<Arc<str>, PickerState>,
    /// How many programmes went since the last ident.
    pub(super) since_ident: usize,
    /// Everything bound to begin until then has had its turn.
    pub(super) passed: Option<Timestamp>,
}

impl Parts {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn state(&self, part: &str) -> Option<&PickerState> {
        self.states.get(part)
    }

    /// Remembers that a programme of a part was on.
    pub(super) fn note(&mut self, base: &PickerState, programme: &Programme, opens_deck: bool) {
        let state = self.states.entry(Arc::clone(&programme.role.part));
        let state = state.or_insert_with(|| base.branch(&programme.role.part));
        state.note(&programme.key, &programme.name, opens_deck);
    }

    /// Counts a programme of any part.
    pub(super) fn count(&mut self, programme: &Programme) {
        self.since_ident = counted(self.since_ident, programme.role.kind);
        self.passed = self.passed.max(programme.bound_to());
    }

    /// Forgets parts that there are no more, and of the others what no pick will look at.
    pub(super) fn keep(&mut self, parts: &BTreeMap<&str, (usize, bool)>) {
        self.states.retain(|part, _| parts.contains_key(&**part));
        for (part, state) in &mut self.states {
            let Some((spacing, has_deck)) = parts.get(&**part) else { continue };
            state.keep_history_for(*spacing);
            if !has_deck {
                state.forget_deck();
            }
        }
    }
}

/// Returns how many programmes went since the last ident, after one more.
pub(super) fn counted(since_ident: usize, kind: Kind) -> usize {
    match kind {
        Kind::Item => since_ident.saturating_add(1),
        Kind::Ident => 0,
        Kind::Filler | Kind::Pause | Kind::SignOff => since_ident,
    }
}
