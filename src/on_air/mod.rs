//! GOPs in, chunks out: the one persistent ffmpeg of a channel, supervised.
//!
//! Receives GOPs in order; gives each back as a chunk with its exact length, and the end of a run with its evidence.
//! Does not decide what airs, and nothing it says reaches a viewer before [`crate::hls`] has seen it.

pub mod pairing;
pub mod receive;
pub mod slots;
pub mod supervisor;
pub mod task;

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;

use crate::ffmpeg::{Ending, Evidence};
use crate::units::{MediaTime, RunId};

/// One GOP to be given to the run.
#[derive(Clone, Debug)]
pub struct GopOrder {
    /// The mezzanine, opened when its airing began: a file that is evicted or deleted airs to its end all the same.
    pub file: Arc<File>,
    /// The airing it belongs to.
    pub airing: u64,
    /// Where the GOP begins, in bytes.
    pub offset: u64,
    /// How long it is, in bytes.
    pub len: u32,
    /// The checksum its bytes must have, where it is known.
    pub sum: Option<u32>,
    /// Whether it opens a new slot.
    pub new_slot: bool,
}

/// Why a run came to its end, in one word; a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// ffmpeg ended with code 0: its list came to its end.
    Ended,
    /// ffmpeg ended with another code, or crashed.
    Exited,
    /// A signal from elsewhere ended ffmpeg.
    Killed,
    /// It made no progress and was given up.
    Stalled,
    /// It could not be started.
    Refused,
    /// Something between it and us was wrong, and it was given up.
    Internal,
}

impl Cause {
    /// Every cause, in their order.
    pub const ALL: [Self; 6] = [Self::Ended, Self::Exited, Self::Killed, Self::Stalled, Self::Refused, Self::Internal];

    /// Returns its name in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Exited => "exited",
            Self::Killed => "killed",
            Self::Stalled => "stalled",
            Self::Refused => "refused",
            Self::Internal => "internal",
        }
    }

    /// Returns what the end of its ffmpeg means for a run.
    #[must_use]
    pub fn of(ending: Ending) -> Self {
        match ending {
            Ending::Done => Self::Ended,
            Ending::Failed | Ending::Limit => Self::Exited,
            Ending::Killed => Self::Killed,
            Ending::Stalled | Ending::Timeout => Self::Stalled,
            Ending::Stopped => Self::Internal,
        }
    }
}

/// What a run tells its channel.
#[derive(Debug)]
pub enum RunEvent {
    /// A chunk was closed: the oldest GOP fed and not yet returned.
    Chunk {
        /// Its run: a chunk of a run that was given up is ignored.
        run: RunId,
        /// Its number in the run, from 0.
        number: u64,
        /// The bytes of each of its renditions as they came.
        renditions: Vec<Vec<Bytes>>,
        /// Its length: exact, but for the last of a run.
        duration: MediaTime,
        /// Whether the run ended with it.
        last: bool,
    },
    /// The bytes of an airing cannot be read: it must not be fed again.
    Unreadable {
        /// Which run noticed.
        run: RunId,
        /// Which airing.
        airing: u64,
        /// What the system said.
        reason: String,
    },
    /// The run is over. Whatever the exit code, it is a failure: a channel has no end.
    Ended {
        /// Which.
        run: RunId,
        /// What is known; none when it could not be started or was given up.
        evidence: Option<Evidence>,
        /// In one word.
        cause: Cause,
        /// In a few words, for the log: `exit code 1`, `could not be started: …`.
        reason: String,
    },
}
