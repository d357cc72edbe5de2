//! The composition root: builds every task, follows the configuration, waits for all of them.

mod alive;
mod channels;
mod mirrors;
pub mod reload;
mod rewinds;
mod startup;
pub mod token;
mod tuner;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::config::reloads::Reloads;
use crate::config::{self, Config};
use crate::ffmpeg::Children;
use crate::http::desk::{Desk, Order, Token};
use crate::http::{self, Limits};
use crate::metrics::{self, Sources};
use crate::prepare::subtitles::task::Titles;
use crate::prepare::trial::task::DEVICES;
use crate::prepare::{MezzanineId, Preparer, Settings};
use crate::service::task as service;
use crate::store::Store;
use crate::units::ChannelId;
use channels::{Begun, Channels, Common, Ground};
pub use mirrors::MirrorError;
use mirrors::{Mirrors, Wanted};
use rewinds::Rewinds;
pub use startup::StartupError;
pub(crate) use startup::handles_max;
use startup::{connections_max, listen, listen_for_metrics, lock, make_folders};

/// How long everything together may take to stop; a person who asked waits no longer than ten seconds.
const STOP_MAX: Duration = Duration::from_secs(8);

/// How often failures of preparing are written down.
const FAILURES_EVERY: Duration = Duration::from_secs(5);

/// What a station is started with.
#[derive(Debug)]
pub struct Start {
    /// What it is to be.
    pub config: Config,
    /// The file that says so; the station follows it.
    pub path: PathBuf,
    /// Its time.
    pub clock: Clock,
    /// What each run's timestamps begin with, in seconds.
    pub first_timestamp: u32,
    /// ffmpeg's version, as it tells it.
    pub ffmpeg_version: Arc<str>,
}

/// How the station stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything ended in time.
    Clean,
    /// Something had to be left behind.
    Late,
}

/// Runs the station until the token ends; `started` is told the address once it serves.
///
/// # Errors
/// [`StartupError`] when it cannot start; nothing is left running then.
pub async fn run(
    start: Start,
    token: CancellationToken,
    started: impl FnOnce(SocketAddr),
) -> Result<Ending, StartupError> {
    let Start { config, path, clock, first_timestamp, ffmpeg_version } = start;
    let (begun_at, station) = (clock.wall(), config.station.clone());
    let run_folder = station.data.join("run");
    // Nothing is touched before it is sure that no other station is at work on it.
    let (token_told, token_seen) = watch::channel(token::present(&config.admin)?);
    let mirror = Wanted::read(config.mirror.as_ref())?;
    let listener = listen(station.listen).map_err(|source| StartupError::Listen { address: station.listen, source })?;
    let metrics_listener = listen_for_metrics(config.metrics.listen)?;
    let _until_the_end = lock(&station.data)?;
    make_folders(&station.data, &run_folder)?;
    let address = listener.local_addr().unwrap_or(station.listen);
    let store = open_store(&station.data, &clock).await?;
    let (tracker, root) = (TaskTracker::new(), token.child_token());
    let ground =
        Ground { store: store.clone(), children: Children::default(), root: root.clone(), tracker: tracker.clone() };

    // Before the folders: where the system has few watches to give, saving the configuration is noticed all the same.
    let file = reload::Watched::new(&path);

    // Folders are walked and the first files looked into while the preparer asks ffmpeg what it can do.
    let off = off_the_air(&store).await;
    let begin = |one: &config::Channel| Begun::new(one, &station, &ground, off.contains_key(&one.id));
    let begun: Vec<Begun> = config.channels.iter().map(begin).collect();
    let preparer = match start_preparer(&station, &ground, clock.clone()).await {
        Ok(preparer) => preparer,
        Err(error) => {
            root.cancel();
            tracker.close();
            // What does not end in time ends with the process.
            let _ended = tokio::time::timeout(STOP_MAX, tracker.wait()).await;
            return Err(error);
        }
    };
    tracker.spawn(clock.clone().follow(root.clone()));
    let (turns, tuner) = (channels::turns(), tuner::begin(&config.apps, &station.data, address, &tracker, &root));
    let (preparing, time, life) = (preparer.clone(), clock.clone(), (tracker.clone(), root.clone()));
    let titles = Titles::new((&station.ffmpeg, &station.ffprobe), &station.data, &ground.children, life);
    let common = Common { ground, preparer: preparing, titles, clock: time, first_timestamp, run_folder, turns, tuner };
    let mut channels = Channels::new(config, begun, off, common);
    let mut mirrors = Mirrors::new(clock.clone(), root.clone(), tracker.clone());
    mirrors.follow(mirror, &channels.sources().borrow());
    let mut rewinds = Rewinds::begin(&station.data, &clock, &root, &tracker, &channels).await;
    let (reloads, tally) = (Arc::new(Reloads::since(begun_at)), Arc::<http::Tally>::default());
    tracker.spawn(service::watch(channels.roster(), root.clone()));
    let (ready, ready_view) = watch::channel(true);
    let connections_max = connections_max(&station, channels.roster().borrow().channels.len());
    if let Some(listener) = metrics_listener {
        let sources = Sources {
            channels: channels.sources(),
            mirrors: mirrors.numbers(),
            preparer,
            store: store.clone(),
            tally: Arc::clone(&tally),
            connections_max,
            clock: clock.clone(),
            ready: ready_view.clone(),
            token: root.clone(),
            reloads: Arc::clone(&reloads),
            started: begun_at,
            ffmpeg: ffmpeg_version,
        };
        tracker.spawn(metrics::task::serve(listener, sources, root.clone()));
    }
    let view = channels.view(&station.ffmpeg, ready_view);
    let limits = Limits { connections_max, ..Limits::default() };
    let (desk, orders) = Desk::new(token_seen);
    tracker.spawn(http::serve(listener, http::pages(view, &desk), limits, tally, root.clone()));
    started(address);
    service::ready();

    let operator = Operator { path, file, orders, token: token_told };
    operator.follow(&mut channels, (&mut mirrors, &mut rewinds), &reloads, &clock, &token).await;
    service::stopping();
    ready.send_replace(false);
    Ok(wind_down(&tracker, store).await)
}

/// Waits for every task, and for what they wrote.
async fn wind_down(tracker: &TaskTracker, store: Store) -> Ending {
    tracker.close();
    let in_time = tokio::time::timeout(STOP_MAX, tracker.wait()).await.is_ok();
    if !in_time {
        tracing::error!(tasks = tracker.len(), "some tasks did not stop in time and are left behind");
    }
    store.close().await;
    tracing::info!("stopped");
    if in_time { Ending::Clean } else { Ending::Late }
}

/// Whom the station obeys: the configuration file, and orders.
struct Operator {
    path: PathBuf,
    file: reload::Watched,
    orders: mpsc::Receiver<Order>,
    /// Where the token is told that opens the desk.
    token: watch::Sender<Option<Token>>,
}

impl Operator {
    /// Does what the configuration says whenever it is saved, or the station is sent SIGHUP, and what is ordered, until the
    /// token ends. A configuration with problems changes nothing.
    async fn follow(
        mut self,
        channels: &mut Channels,
        (mirrors, rewinds): (&mut Mirrors, &mut Rewinds),
        reloads: &Reloads,
        clock: &Clock,
        end: &CancellationToken,
    ) {
        loop {
            tokio::select! {
                biased;
                () = end.cancelled() => return,
                text = self.file.next() => match text.and_then(|text| self.understand(&text)) {
                    Ok((config, token, mirror)) => {
                        let change = channels.follow(&config).await;
                        mirrors.follow(mirror, &channels.sources().borrow());
                        rewinds.follow(channels).await;
                        self.token.send_replace(token);
                        reloads.taken(clock.wall());
                        tracing::info!(change = change.words(), "configuration was read again");
                        if !change.at_restart.is_empty() {
                            let keys = change.at_restart.join(", ");
                            tracing::warn!(keys, "these keys are followed when the station is started again");
                        }
                    }
                    Err(problems) => {
                        reloads.refused();
                        tracing::error!("the configuration is not followed, the station goes on as it was:\n{problems}");
                    }
                },
                Some(Order { action, answer }) = self.orders.recv() => {
                    let done = tokio::select! {
                        biased;
                        () = end.cancelled() => return,
                        done = channels.carry_out(action) => done,
                    };
                    // Whoever asked may have gone; what was done is done.
                    let _gone = answer.send(done);
                }
            }
        }
    }

    fn understand(&self, text: &str) -> Result<(Config, Option<Token>, Option<Wanted>), String> {
        let told = |problems: config::Problems| problems.to_a_running_station().to_string();
        let config = reload::parse(text, &self.path).map_err(told)?;
        let token = token::present(&config.admin).map_err(|error| error.to_string())?;
        let mirror = Wanted::read(config.mirror.as_ref()).map_err(|error| error.to_string())?;
        Ok((config, token, mirror))
    }
}

/// Returns the channels that the operator took off the air in an earlier life.
async fn off_the_air(store: &Store) -> BTreeMap<ChannelId, Timestamp> {
    let off = store.off().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "failed to read which channels are off the air; all go on");
        Vec::new()
    });
    for (id, since) in &off {
        tracing::info!(channel = %id, %since, "the channel is off the air by the operator's order");
    }
    off.into_iter().collect()
}

async fn open_store(data: &Path, clock: &Clock) -> Result<Store, StartupError> {
    let path = data.join("station.sqlite");
    let opened = Store::open(&path, clock.now()).await;
    opened.map_err(|error| StartupError::Store { path, source: Box::new(error) })
}

async fn start_preparer(station: &config::Station, ground: &Ground, clock: Clock) -> Result<Preparer, StartupError> {
    let Ground { store, children, root, tracker } = ground;
    let failures = store.failures().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "failed to read which items cannot be prepared; they are tried again");
        Vec::new()
    });
    let settings = Settings {
        ffmpeg: station.ffmpeg.clone(),
        ffprobe: station.ffprobe.clone(),
        data: station.data.clone(),
        cache_budget_bytes: station.cache_budget_bytes,
        workers: station.workers,
        encoder: station.encoder,
        devices: DEVICES.into(),
        failures: failures.into_iter().map(|failure| (failure.id, failure.reason.into())).collect(),
        children: children.clone(),
    };
    let started = Preparer::start(settings, clock, root.clone(), tracker).await;
    let preparer = started.map_err(|source| StartupError::Data { path: station.data.clone(), source })?;
    tracker.spawn(remember_failures(preparer.clone(), store.clone(), root.clone()));
    Ok(preparer)
}

/// Writes down what cannot be prepared, so that a restart does not try it all again; at the end once more.
async fn remember_failures(preparer: Preparer, store: Store, token: CancellationToken) {
    let mut known = store.failures().await.unwrap_or_default().into_iter().map(|failure| failure.id).collect();
    let mut changed = preparer.subscribe();
    while !token.is_cancelled() {
        write_failures(&preparer, &store, &mut known).await;
        tokio::select! {
            biased;
            () = token.cancelled() => break,
            // States change many times a second while items grow; failures are rare and can wait.
            _ = async { tokio::time::sleep(FAILURES_EVERY).await; changed.changed().await } => {}
        }
    }
    write_failures(&preparer, &store, &mut known).await;
}

async fn write_failures(preparer: &Preparer, store: &Store, known: &mut BTreeSet<MezzanineId>) {
    let failures: BTreeMap<MezzanineId, Arc<str>> = preparer.failures().into_iter().collect();
    let forgiven: Vec<_> = known.iter().filter(|id| !failures.contains_key(id)).cloned().collect();
    for id in forgiven {
        if store.forget_failure(id.clone()).await.is_ok() {
            known.remove(&id);
        }
    }
    let new: Vec<_> = failures.into_iter().filter(|(id, _)| !known.contains(id)).collect();
    for (id, reason) in new {
        match store.put_failure(id.clone(), reason.to_string()).await {
            Ok(()) => {
                known.insert(id);
            }
            Err(error) => tracing::debug!(%error, "failed to write down what cannot be prepared; it is tried again"),
        }
    }
}
