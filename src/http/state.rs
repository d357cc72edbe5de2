//! What the pages and routes read: the station's channels by snapshot, nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::hdhomerun::DeviceId;
use super::thumbnail::task::Thumbnails;
use super::viewers::Viewers;
use crate::channel::{ChannelState, ChannelStatus};
use crate::clock::Clock;
use crate::config::Brand;
use crate::demand::Shelf;
use crate::hls::{Snapshot, rewind};
use crate::units::ChannelId;

/// The station as viewers may see it; cheap to clone.
#[derive(Clone, Debug)]
pub struct StationView {
    /// Name and channels; they change when the configuration does.
    pub roster: watch::Receiver<Arc<Roster>>,
    /// Whether the station wants viewers: false before every channel was started and once a stop was asked for.
    pub ready: watch::Receiver<bool>,
    /// Tells the station's time.
    pub clock: Clock,
    /// Still pictures of what is on.
    pub thumbnails: Thumbnails,
    /// Ends waiting requests and endless answers.
    pub token: CancellationToken,
}

impl StationView {
    /// Returns name and channels as they stand.
    #[must_use]
    pub fn roster(&self) -> Arc<Roster> {
        Arc::clone(&self.roster.borrow())
    }

    /// Returns the channel of that name.
    #[must_use]
    pub fn channel(&self, id: &str) -> Option<Arc<ChannelView>> {
        self.roster.borrow().channels.iter().find(|channel| channel.id.as_str() == id).map(Arc::clone)
    }
}

/// What the station is made of; immutable, replaced as a whole.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// The station's name, for people.
    pub name: Arc<str>,
    /// The channels in the order of the configuration.
    pub channels: Vec<Arc<ChannelView>>,
    /// How it and they look.
    pub brand: Brand,
    /// What stands before every path that apps are told; none for the address they asked.
    pub address: Option<Arc<str>>,
    /// What the station is known by as a tuner; none where it is not one.
    pub tuner: Option<DeviceId>,
    /// What can be watched on demand, of the channels that allow it.
    pub shelves: BTreeMap<ChannelId, Arc<Shelf>>,
}

/// One channel as viewers may see it; cheap to clone.
#[derive(Clone, Debug)]
pub struct ChannelView {
    /// Its name in URLs.
    pub id: ChannelId,
    /// What is on, and why.
    pub status: watch::Receiver<Arc<ChannelStatus>>,
    /// Playlist and segments.
    pub snapshot: watch::Receiver<Arc<Snapshot>>,
    /// Who watches.
    pub viewers: Arc<Viewers>,
    /// What is kept of its past.
    pub rewind: Arc<rewind::Told>,
}

impl ChannelView {
    /// Returns the status as it stands.
    #[must_use]
    pub fn status(&self) -> Arc<ChannelStatus> {
        Arc::clone(&self.status.borrow())
    }

    /// Returns playlist and segments as they stand.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.borrow())
    }

    /// Returns whether the operator took it off the air.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.status.borrow().state == ChannelState::Off
    }

    /// Returns whether there is something to watch.
    #[must_use]
    pub fn published(&self) -> bool {
        self.snapshot.borrow().playlist.is_some()
    }
}
