//! What the operator sees: numbers about the server, its children, its channels, for Prometheus.
//!
//! Receives the snapshots and counters of the stages before; gives one text ([`Exporter`]) when it is asked for, and
//! nothing is read or summed before. Promises that every series has a name and labels of the table in [`names`], and that
//! no counter goes back while the server lives. No stage knows that this one exists.

mod channels;
mod mirror;
pub mod names;
pub mod page;
mod process;
mod sheet;
pub mod task;
mod viewers;
mod workshop;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use task::Exporter;

use crate::channel::Counters;
use crate::clock::Clock;
use crate::config::reloads::Reloads;
use crate::ffmpeg::Family;
use crate::http::{ChannelView, Tally};
use crate::library::Library;
use crate::prepare::Preparer;
use crate::store::Store;
use crate::units::ChannelId;

/// Where the numbers of the station come from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The channels as they are now.
    pub channels: watch::Receiver<Arc<[ChannelSource]>>,
    /// The mirrors as they are now; none where none are kept.
    pub mirrors: watch::Receiver<Arc<BTreeMap<ChannelId, Arc<crate::mirror::Counters>>>>,
    /// The workshop.
    pub preparer: Preparer,
    /// What survives a restart.
    pub store: Store,
    /// The public listener's numbers.
    pub tally: Arc<Tally>,
    /// How many connections it serves at once.
    pub connections_max: usize,
    /// Tells the station's time.
    pub clock: Clock,
    /// Whether the station wants viewers.
    pub ready: watch::Receiver<bool>,
    /// Ends the station.
    pub token: CancellationToken,
    /// Readings of the configuration.
    pub reloads: Arc<Reloads>,
    /// When the server was started.
    pub started: Timestamp,
    /// ffmpeg's version, as it tells it.
    pub ffmpeg: Arc<str>,
}

/// Where the numbers of one channel come from.
#[derive(Clone, Debug)]
pub struct ChannelSource {
    /// As viewers see it.
    pub view: Arc<ChannelView>,
    /// What it has done.
    pub counters: Arc<Counters>,
    /// Its library.
    pub library: Library,
    /// Its children.
    pub family: Family,
}

/// Returns a count as Prometheus takes it.
#[expect(clippy::cast_precision_loss, reason = "exact up to nine thousand million million")]
fn number(count: u64) -> f64 {
    count as f64
}

/// Returns a moment in seconds since the epoch.
#[expect(clippy::cast_precision_loss, reason = "milliseconds since the epoch are exact")]
fn seconds(moment: Timestamp) -> f64 {
    moment.as_millisecond() as f64 / 1000.0
}
