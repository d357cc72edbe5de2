//! The channels that live. Each has a token and tasks of its own, so that it can end or begin anew without the others.

mod orders;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::STOP_MAX;
use super::alive::PANIC_REST;
use crate::channel::task::{Outputs, Parts};
use crate::channel::{ChannelState, ChannelStatus};
use crate::clock::Clock;
use crate::config::{self, Change, Config};
use crate::demand::{Reader, Shelf};
use crate::ffmpeg::Children;
use crate::hls::rewind;
use crate::http::hdhomerun::DeviceId;
use crate::http::{ChannelView, Roster, StationView, Thumbnails, Viewers};
use crate::library::{self, Library, LibrarySettings};
use crate::metrics::ChannelSource;
use crate::on_air::Cause;
use crate::prepare::burn::task::logo_sum;
use crate::prepare::subtitles::task::Titles;
use crate::prepare::{Look, Preparer};
use crate::store::Store;
use crate::{channel, units::ChannelId};

/// How many channels may begin at once for each core: an ffmpeg that begins reads its list and is given the seconds that
/// went by, and hundreds of them in one moment would come too late all together.
const BEGIN_AT_ONCE: usize = 2;

/// For how long one may keep the others waiting that has something to air, and one that has nothing yet. A busy machine takes
/// seconds for what is else done in a tenth of one.
const BEGIN_MAX: Duration = Duration::from_secs(8);
const BEGIN_EMPTY_MAX: Duration = Duration::from_secs(1);

/// What a channel's library needs, before there is anything to air with.
pub(super) struct Ground {
    pub(super) store: Store,
    pub(super) children: Children,
    pub(super) root: CancellationToken,
    /// Everything that ever lived is waited for here.
    pub(super) tracker: TaskTracker,
}

/// What every channel is given alike.
pub(super) struct Common {
    pub(super) ground: Ground,
    pub(super) preparer: Preparer,
    pub(super) titles: Titles,
    pub(super) clock: Clock,
    pub(super) first_timestamp: u32,
    pub(super) run_folder: PathBuf,
    /// Whose turn it is to begin.
    pub(super) turns: Arc<Semaphore>,
    /// What the station is known by as a tuner, where it is one.
    pub(super) tuner: Option<DeviceId>,
}

/// Returns the turns to begin, for as many cores as there are.
pub(super) fn turns() -> Arc<Semaphore> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Arc::new(Semaphore::new(BEGIN_AT_ONCE * cores.max(2)))
}

/// A channel whose library is being read already, or that is off the air; it is not on air yet.
pub(super) struct Begun {
    config: config::Channel,
    library: Library,
    token: CancellationToken,
    tracker: TaskTracker,
    off: bool,
}

/// A channel that lives, or is off the air.
struct Life {
    config: config::Channel,
    /// By the operator's will: nothing of it runs.
    off: bool,
    token: CancellationToken,
    tracker: TaskTracker,
    /// Where it is told how its cards look.
    looks: watch::Sender<Look>,
    face: Face,
    source: ChannelSource,
    /// What of it can be watched on demand, where that is allowed.
    shelf: Arc<Shelf>,
}

/// What stays of a channel while it begins anew: what viewers hold, and what was counted.
struct Face {
    outputs: Outputs,
    viewers: Arc<Viewers>,
    rewind: Arc<rewind::Told>,
}

/// All of them, in the order of the configuration.
pub(super) struct Channels {
    common: Common,
    /// What reads films for those who watch on demand.
    reader: Reader,
    /// What the station lives by: keys that wait for a restart have their old values.
    config: Config,
    lives: Vec<Life>,
    /// The channels that the operator took off the air, also those that the configuration does not name now.
    off: BTreeMap<ChannelId, Timestamp>,
    roster: watch::Sender<Arc<Roster>>,
    sources: watch::Sender<Arc<[ChannelSource]>>,
}

impl Begun {
    /// Begins to read a channel's library, where it is not to be off the air.
    pub(super) fn new(config: &config::Channel, station: &config::Station, ground: &Ground, off: bool) -> Self {
        let settings = LibrarySettings {
            channel: config.id.clone(),
            folders: config.folders.clone(),
            exclude: vec![station.data.clone()],
            settle: station.settle,
            rescan: station.rescan,
            ffprobe: station.ffprobe.clone(),
            family: ground.children.of(&config.id),
        };
        let (token, tracker) = (ground.root.child_token(), TaskTracker::new());
        let (task, library) = library::start(settings, ground.store.clone(), token.clone());
        if off {
            token.cancel();
        } else {
            tracker.spawn(task);
            let (ended, all) = (token.clone(), tracker.clone());
            ground.tracker.spawn(async move {
                ended.cancelled().await;
                all.close();
                all.wait().await;
            });
        }
        Self { config: config.clone(), library, token, tracker, off }
    }

    /// Puts the channel on air, where it is not to be off; to viewers it goes on where `outputs` stand.
    fn go_on_air(mut self, config: &Config, common: &Common, reader: &Reader, face: Face) -> Life {
        let (looks, look) = watch::channel(look(&self.config.id, config));
        let span = tracing::info_span!("channel", id = %self.config.id);
        self.config.profile = span.in_scope(|| common.preparer.possible(&self.config.profile));
        let Face { outputs, viewers, rewind } = face;
        let parts = Parts {
            config: Arc::new(self.config.clone()),
            ffmpeg: config.station.ffmpeg.clone(),
            run_folder: common.run_folder.clone(),
            clock: common.clock.clone(),
            first_timestamp: common.first_timestamp,
            store: common.ground.store.clone(),
            preparer: common.preparer.clone(),
            look,
            titles: common.titles.clone(),
            family: common.ground.children.of(&self.config.id),
            catalogue: self.library.catalogue(),
            token: self.token.clone(),
            tracker: self.tracker.clone(),
        };
        let shelf = Arc::new(Shelf::new(&self.config, self.library.catalogue(), reader.clone()));
        let (status, snapshot) = (outputs.status.subscribe(), outputs.snapshot.subscribe());
        let view = ChannelView {
            id: self.config.id.clone(),
            status,
            snapshot,
            viewers: Arc::clone(&viewers),
            rewind: Arc::clone(&rewind),
        };
        let source = ChannelSource {
            view: Arc::new(view),
            counters: Arc::clone(&outputs.counters),
            library: self.library,
            family: parts.family.clone(),
        };
        let Self { config, token, tracker, off, .. } = self;
        if off {
            outputs.lie_still(&config, common.clock.now());
        } else {
            tracker.spawn(keep_alive(parts, outputs.clone(), Arc::clone(&common.turns)).instrument(span));
        }
        Life { config, off, token, tracker, looks, face: Face { outputs, viewers, rewind }, source, shelf }
    }
}

impl Life {
    /// Ends the channel and waits for it, as long as is allowed.
    async fn end(self) -> Face {
        self.token.cancel();
        self.tracker.close();
        if tokio::time::timeout(STOP_MAX, self.tracker.wait()).await.is_err() {
            tracing::error!(channel = %self.config.id, "channel did not end in time and is left behind");
        }
        self.face
    }
}

impl Channels {
    /// Puts all channels on air.
    pub(super) fn new(config: Config, begun: Vec<Begun>, off: BTreeMap<ChannelId, Timestamp>, common: Common) -> Self {
        let Ground { root, tracker, .. } = &common.ground;
        let reader = Reader::new(common.preparer.clone(), common.titles.clone(), tracker.clone(), root.clone());
        let first = |one: Begun| {
            let face = Face::new(&one.config);
            one.go_on_air(&config, &common, &reader, face)
        };
        let lives = begun.into_iter().map(first).collect();
        let (roster, sources) = (watch::Sender::default(), watch::Sender::new([].into()));
        let mut channels = Self { common, reader, config, lives, off, roster, sources };
        channels.tell();
        channels
    }

    /// Returns what viewers see of the station, now and whenever it changes.
    pub(super) fn roster(&self) -> watch::Receiver<Arc<Roster>> {
        self.roster.subscribe()
    }

    /// Returns the station as viewers may see it, with stills that this ffmpeg makes; `ready` tells whether they may come.
    pub(super) fn view(&self, ffmpeg: &Path, ready: watch::Receiver<bool>) -> StationView {
        let Ground { children, root, tracker, .. } = &self.common.ground;
        StationView {
            roster: self.roster(),
            ready,
            clock: self.common.clock.clone(),
            thumbnails: Thumbnails::new(ffmpeg.to_owned(), children.clone(), tracker.clone(), root.clone()),
            token: root.clone(),
        }
    }

    /// Returns where the numbers of all channels come from, now and whenever they change.
    pub(super) fn sources(&self) -> watch::Receiver<Arc<[ChannelSource]>> {
        self.sources.subscribe()
    }

    /// Returns how far back viewers may go, of the channels where they may; and all channels as they are now.
    pub(super) fn rewinds(&self) -> (&BTreeMap<ChannelId, config::Rewind>, Arc<[ChannelSource]>) {
        (&self.config.rewinds, Arc::clone(&self.sources.borrow()))
    }

    /// Becomes what a new configuration says, as far as that is possible without a restart; returns what was done.
    /// Channels of which nothing changed are not touched.
    pub(super) async fn follow(&mut self, new: &Config) -> Change {
        let change = Change::between(&self.config, new);
        self.config.station.name.clone_from(&new.station.name);
        self.config.brand.clone_from(&new.brand);
        self.config.rewinds.clone_from(&new.rewinds);
        self.config.apps.address.clone_from(&new.apps.address);
        self.config.on_demand.clone_from(&new.on_demand);
        self.config.channels.clone_from(&new.channels);
        for id in &change.removed {
            self.remove(id);
        }
        let ends = change.changed.iter().filter_map(|config| Some((config, self.take(&config.id)?)));
        let ends: Vec<_> = ends.map(|(config, life)| async move { (config, life.end().await) }).collect();
        for (config, face) in join_all(ends).await {
            self.begin(config, face);
        }
        for config in &change.added {
            self.begin(config, Face::new(config));
        }
        self.tell();
        for life in &self.lives {
            let new = look(&life.config.id, &self.config);
            life.looks.send_if_modified(|old| {
                *old != new && {
                    *old = new;
                    true
                }
            });
        }
        change
    }

    fn begin(&mut self, config: &config::Channel, face: Face) {
        let off = self.off.contains_key(&config.id);
        let begun = Begun::new(config, &self.config.station, &self.common.ground, off);
        self.lives.push(begun.go_on_air(&self.config, &self.common, &self.reader, face));
    }

    fn take(&mut self, id: &ChannelId) -> Option<Life> {
        let place = self.lives.iter().position(|life| life.config.id == *id)?;
        Some(self.lives.remove(place))
    }

    /// Ends a channel for good; nobody waits for it.
    fn remove(&mut self, id: &ChannelId) {
        let Some(life) = self.take(id) else { return };
        let (preparer, id) = (self.common.preparer.clone(), id.clone());
        self.common.ground.tracker.spawn(async move {
            let _gone = life.end().await;
            preparer.want(&id, Vec::new());
        });
    }

    /// Brings all into the order of the configuration, and tells of them.
    fn tell(&mut self) {
        let places = &self.config.channels;
        self.lives.sort_by_key(|life| places.iter().position(|channel| channel.id == life.config.id));
        let name = self.config.station.name.as_str().into();
        let channels = self.lives.iter().map(|life| Arc::clone(&life.source.view)).collect();
        let (brand, tuner) = (self.config.brand.clone(), self.common.tuner);
        let address = self.config.apps.address.as_deref().map(Into::into);
        let allowed = self.lives.iter().filter(|life| self.config.on_demand.contains(&life.config.id));
        let shelves = allowed.map(|life| (life.config.id.clone(), Arc::clone(&life.shelf))).collect();
        self.roster.send_replace(Arc::new(Roster { name, channels, brand, address, tuner, shelves }));
        self.sources.send_replace(self.lives.iter().map(|life| life.source.clone()).collect());
    }
}

impl Face {
    fn new(config: &config::Channel) -> Self {
        let starting = ChannelStatus::lifeless(&config.id, &config.name, ChannelState::Starting);
        let status = Arc::new(watch::Sender::new(Arc::new(starting)));
        let outputs = Outputs { status, snapshot: Arc::default(), counters: Arc::default(), skips: Arc::default() };
        Self { outputs, viewers: Arc::default(), rewind: Arc::default() }
    }
}

/// Returns how a channel's cards look.
fn look(id: &ChannelId, config: &Config) -> Look {
    let place = config.channels.iter().position(|channel| channel.id == *id).unwrap_or_default();
    let logo = config.brand.logo_of(id).and_then(|file| Some((file.to_owned(), logo_sum(file)?)));
    Look { station: config.station.name.as_str().into(), colour: config.brand.colour_of(id, place), logo }
}

/// Holds a turn until the channel has published something, or has nothing to begin with.
async fn hold<T>(turn: T, outputs: Outputs, token: CancellationToken) {
    let mut published = outputs.snapshot.subscribe();
    for wait in [BEGIN_EMPTY_MAX, BEGIN_MAX.saturating_sub(BEGIN_EMPTY_MAX)] {
        let begun = tokio::select! {
            () = token.cancelled() => true,
            begun = tokio::time::timeout(wait, published.changed()) => begun.is_ok(),
        };
        if begun || outputs.status.borrow().library.prepared == 0 {
            break;
        }
    }
    drop(turn);
}

/// Lives a channel; a panic in it is caught here, told, and answered by a new beginning.
async fn keep_alive(parts: Parts, outputs: Outputs, turns: Arc<Semaphore>) {
    while !parts.token.is_cancelled() {
        let turn = tokio::select! {
            biased;
            () = parts.token.cancelled() => return,
            turn = Arc::clone(&turns).acquire_owned() => turn,
        };
        parts.tracker.spawn(hold(turn, outputs.clone(), parts.token.clone()));
        let life = channel::task::run(parts.clone(), outputs.clone()).in_current_span();
        if let Err(error) = parts.tracker.spawn(life).await {
            tracing::error!(%error, "channel failed inside and begins again");
            outputs.counters.restarted(Cause::Internal);
            tokio::time::sleep(PANIC_REST).await;
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a task and a clock of the test's own")]
mod tests {
    use super::*;

    /// Goal: channels begin one after the other, and none keeps the others waiting for long. Method: a turn held over a
    /// clock that stands still until nothing else can happen: by a channel that publishes, one that has nothing to publish,
    /// one that has and does not, and one that is ended.
    #[tokio::test(start_paused = true)]
    async fn a_turn_ends_with_the_first_segment_the_time_or_the_channel() {
        for (prepared, publishes, ends, expected) in [
            (3, true, false, Duration::ZERO),
            (0, false, false, BEGIN_EMPTY_MAX),
            (3, false, false, BEGIN_MAX),
            (3, false, true, Duration::ZERO),
        ] {
            let (turns, token) = (Arc::new(Semaphore::new(1)), CancellationToken::new());
            let id = ChannelId::new("cats").unwrap();
            let mut status = ChannelStatus::lifeless(&id, "Cats", ChannelState::Starting);
            status.library.prepared = prepared;
            let status = Arc::new(watch::Sender::new(Arc::new(status)));
            let (snapshot, counters, skips) = Default::default();
            let outputs = Outputs { status, snapshot, counters, skips };
            let turn = Arc::clone(&turns).try_acquire_owned();
            assert!(turn.is_ok() && turns.try_acquire().is_err());
            let begun = tokio::time::Instant::now();
            let held = tokio::spawn(hold(turn, outputs.clone(), token.clone()));
            tokio::task::yield_now().await;
            if publishes {
                outputs.snapshot.send_replace(Arc::default());
            }
            if ends {
                token.cancel();
            }
            assert!(held.await.is_ok());
            assert_eq!((turns.available_permits(), begun.elapsed()), (1, expected), "{prepared} {publishes} {ends}");
        }
    }
}
