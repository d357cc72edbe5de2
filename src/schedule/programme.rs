//! One item placed on the schedule.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::library::Metadata;
use crate::units::{ContentKey, MediaTime};

/// One item placed on the schedule, or the card where a timetable wants none.
#[derive(Clone, Debug, PartialEq)]
pub struct Programme {
    /// Counts up over the channel's whole life, also over restarts; names the airing.
    pub serial: u64,
    /// Which item.
    pub key: ContentKey,
    /// The item's path below the channel's folder: finds it again when the bytes changed.
    pub name: Arc<str>,
    /// What viewers are told, as it was when planned.
    pub metadata: Arc<Metadata>,
    /// Planned start, wall clock.
    pub start: Timestamp,
    /// Planned length: the container's until the item is prepared, then exact.
    pub duration: MediaTime,
    /// What it is there for.
    pub role: Role,
}

/// What a programme is there for; without a timetable all are alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Role {
    /// What viewers may take it for.
    pub kind: Kind,
    /// What it was picked for: a block, a fixed time, a hole; empty where it was picked as ever.
    pub part: Arc<str>,
    /// The moment it is bound to: when it is to begin; of a card, when it ends.
    pub due: Option<Timestamp>,
}

/// What viewers may take a programme for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A programme of its own.
    #[default]
    Item,
    /// It fills the hole before a fixed time.
    Filler,
    /// It comes between programmes.
    Ident,
    /// The card, for what is left of a hole.
    Pause,
    /// The card, while the channel is off the air.
    SignOff,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Item, Self::Filler, Self::Ident, Self::Pause, Self::SignOff];

    /// Returns the word that scripts and the store read.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Filler => "filler",
            Self::Ident => "ident",
            Self::Pause => "pause",
            Self::SignOff => "sign_off",
        }
    }

    /// Returns the words that people read.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::SignOff => "off the air",
            other => other.as_str(),
        }
    }

    /// Returns what a word of [`Self::as_str`] means; an item where it means nothing.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or_default()
    }

    /// Whether it is the card and not an item.
    #[must_use]
    pub fn is_card(self) -> bool {
        matches!(self, Self::Pause | Self::SignOff)
    }

    /// Whether viewers wait for it: not for what only stands between.
    #[must_use]
    pub fn is_announced(self) -> bool {
        matches!(self, Self::Item | Self::SignOff)
    }
}

impl Programme {
    /// Returns when the programme is planned to end.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        match self.role.due {
            Some(due) if self.is_card() => due.max(self.start),
            _ => self.duration.after(self.start),
        }
    }

    /// Whether it is the card and not an item.
    #[must_use]
    pub fn is_card(&self) -> bool {
        self.role.kind.is_card()
    }

    /// Returns when it is bound to begin, if it is.
    #[must_use]
    pub fn bound_to(&self) -> Option<Timestamp> {
        self.role.due.filter(|_| !self.is_card())
    }
}
