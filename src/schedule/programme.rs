//! One item placed on the schedule.

use std::sync::Arc;

use jiff::Timestamp;

use crate::library::Metadata;
use crate::units::{ContentKey, MediaTime};

/// One item placed on the schedule.
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
}

impl Programme {
    /// Returns when the programme is planned to end.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.duration.after(self.start)
    }
}
