//! What a channel tells the outside: pages, API and metrics read this and nothing else.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::library::{Metadata, Reproach};
use crate::schedule::Kind;
use crate::units::{ChannelId, ContentKey, MediaTime, RunId};

/// A channel at one moment; immutable, shared by `watch`.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelStatus {
    /// Its id.
    pub id: ChannelId,
    /// The name viewers see.
    pub name: Arc<str>,
    /// What is going out.
    pub state: ChannelState,
    /// In a sentence, why, when it is not an item: "No videos in media/cats yet."
    pub reason: Option<Arc<str>>,
    /// What was and is on air at the live edge, newest last: at least the whole playlist window and two hours, so that
    /// a viewer behind the edge can look up what they see. At most [`ChannelStatus::AIRED_MAX`].
    pub aired: Arc<[AiringStatus]>,
    /// What was on in earlier lives of the channel, oldest first, as it was and for as long as it was: at most
    /// [`ChannelStatus::AIRED_MAX`].
    pub before: Arc<[AiringStatus]>,
    /// Everything that is planned, soonest first: the same slice for as long as the plan is the same.
    pub next: Arc<[AiringStatus]>,
    /// The present or last on-air run.
    pub run: RunId,
    /// How often the on-air ffmpeg had to be started again.
    pub restarts: u64,
    /// Items that may be played, are being prepared, are quarantined.
    pub library: LibraryCounts,
    /// When the newest published segment ends: the live edge.
    pub edge: Option<Timestamp>,
}

impl ChannelStatus {
    /// Returns what is told of a channel that does not live: before it has begun, or off the air.
    #[must_use]
    pub fn lifeless(id: &ChannelId, name: &str, state: ChannelState) -> Self {
        let reason = (state == ChannelState::Off).then(|| Self::OFF.into());
        Self {
            id: id.clone(),
            name: name.into(),
            state,
            reason,
            aired: Arc::default(),
            before: Arc::default(),
            next: Arc::default(),
            run: RunId(0),
            restarts: 0,
            library: LibraryCounts::default(),
            edge: None,
        }
    }

    /// Returns what viewers wait for of all that comes: not what only stands between.
    pub fn announced(&self) -> impl Iterator<Item = &AiringStatus> {
        self.next.iter().filter(|coming| coming.kind.is_announced())
    }

    /// What viewers read of a channel that is off the air.
    pub const OFF: &str = "This channel is off the air for now.";
    /// How many past airings are told, at most.
    pub const AIRED_MAX: usize = 200;
}

/// What is going out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelState {
    /// Nothing was published yet.
    Starting,
    /// An item is on air.
    OnAir,
    /// The slate is on air: there is nothing to play.
    Slate,
    /// The on-air ffmpeg ended and the next run has not published yet.
    Recovering,
    /// Nothing, by the operator's will.
    Off,
}

/// One airing, past, present or planned.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AiringStatus {
    /// The programme's serial; none for the slate.
    pub serial: Option<u64>,
    /// Which item; none for the slate.
    #[serde(skip)]
    pub key: Option<ContentKey>,
    /// What viewers may take it for.
    pub kind: Kind,
    /// What viewers are told.
    pub metadata: Arc<Metadata>,
    /// When its first frame is (or was) on air. For an item joined in the middle, when its first frame would have been.
    pub start: Timestamp,
    /// How long the item is.
    #[serde(serialize_with = "seconds")]
    pub duration: MediaTime,
}

/// How many files are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LibraryCounts {
    /// Playable.
    pub items: usize,
    /// Of those, prepared.
    pub prepared: usize,
    /// Still being written or probed.
    pub settling: usize,
    /// Refused until they change.
    pub quarantined: usize,
    /// Of the playable, those a worker is at now.
    #[serde(skip)]
    pub preparing: usize,
    /// Why those in quarantine are there, in the order of [`Reproach::ALL`].
    #[serde(skip)]
    pub reproaches: [usize; Reproach::ALL.len()],
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn seconds<S: serde::Serializer>(time: &MediaTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}
