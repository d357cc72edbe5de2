//! The records as other stages see them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::library::{FileStamp, MediaInfo, Metadata};
use crate::prepare::MezzanineId;
use crate::schedule::{Kind, Programme};
use crate::units::{ContentKey, MediaTime};

/// What is known of a file as long as its stamp stays.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownFile {
    /// Absolute path; may hold any bytes.
    pub path: PathBuf,
    /// Size and time of change when it was looked into.
    pub stamp: FileStamp,
    /// Its bytes.
    pub key: ContentKey,
    /// What came of looking into it.
    pub verdict: StoredVerdict,
}

/// What came of looking into a file.
#[derive(Clone, Debug, PartialEq)]
pub enum StoredVerdict {
    /// It may be played.
    Accepted {
        /// What ffprobe saw.
        media: Box<MediaInfo>,
        /// What its tags and its name tell; a sidecar file beside it may say better.
        metadata: Metadata,
    },
    /// It may not.
    Quarantined {
        /// A sentence for people.
        reason: String,
    },
}

/// An item that could not be prepared to a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFailure {
    /// Which bytes, to which profile.
    pub id: MezzanineId,
    /// A sentence for people.
    pub reason: String,
}

/// A channel's plan as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPlan {
    /// What was planned, soonest first: serials are out of order where a programme was moved forward.
    pub programmes: Vec<Programme>,
    /// The serial the next programme gets.
    pub next_serial: u64,
    /// The picker's own state; only the picker knows what is in it.
    pub picker: serde_json::Value,
}

/// One airing as it happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Aired {
    /// The programme's serial; none for the slate.
    pub serial: Option<u64>,
    /// The item's bytes; none for the slate.
    pub key: Option<ContentKey>,
    /// What it was there for; of what was on before this was kept, an item.
    pub kind: Kind,
    /// What viewers were told.
    pub metadata: Arc<Metadata>,
    /// When its first aired frame was on air.
    pub start: Timestamp,
    /// How long the item is.
    pub duration: MediaTime,
    /// How far into the item the airing began; above zero when joined in the middle.
    pub from: MediaTime,
    /// How much of it was on air.
    pub aired: MediaTime,
}

/// Where a channel's playlist stands, so that no player ever sees a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Continuity {
    /// The media sequence number the next segment gets.
    pub msn: u64,
    /// The discontinuity sequence number of the next segment.
    pub discontinuity_sequence: u64,
    /// When the newest published segment ends.
    pub edge: Timestamp,
}

/// Since when files are refused, and items cannot be prepared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgements {
    /// Files of the library, by path.
    pub files: BTreeMap<PathBuf, Timestamp>,
    /// Items of the workshop.
    pub items: BTreeMap<MezzanineId, Timestamp>,
}
