//! The composition root: builds every task, waits for all of them.
#![expect(clippy::disallowed_methods, reason = "makes the station's folders")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, TryLockError};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::channel::task::{Outputs, Parts, first_status};
use crate::clock::Clock;
use crate::config::Config;
use crate::hls::Snapshot;
use crate::http::{self, ChannelView, Limits, StationView};
use crate::library::{self, Library, LibrarySettings};
use crate::prepare::{MezzanineId, Preparer, Settings};
use crate::service::task as service;
use crate::store::Store;
use crate::{channel, config};

/// How long everything together may take to stop; a person who asked waits no longer than ten seconds.
const STOP_MAX: Duration = Duration::from_secs(8);

/// How long a channel that panicked rests before it begins again.
const PANIC_REST: Duration = Duration::from_secs(1);

/// How often failures of preparing are written down.
const FAILURES_EVERY: Duration = Duration::from_secs(5);

/// How many connections may wait to be accepted; the system may allow fewer (4096 since Linux 5.4).
const QUEUE_MAX: u32 = 4096;

/// Handles for the store, the log, workers, pages being read and refusals being told.
const HANDLES_OF_STATION: u64 = 256;

/// Handles for a channel: its run, its mezzanines on air and next, its segments being written, strangers at its listener.
const HANDLES_OF_CHANNEL: u64 = 64;

/// Even a station with too few handles lets somebody in.
const CONNECTIONS_MIN: usize = 10;

/// Why the station could not start: the only errors that end the process. Exit code 3.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// A folder of the station's own cannot be used.
    #[error("failed to use the data folder {path} (hint: it must be writable by the user that runs nightcast)")]
    Data {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another station lives on the same data.
    #[error(
        "failed to start: another station{by} is using the data folder {path} (hint: stop it, or set \"data\" in [station])"
    )]
    Shared {
        /// The folder.
        path: PathBuf,
        /// Which process, as words.
        by: String,
    },
    /// The address is not to be had.
    #[error(
        "failed to listen on {address} (hint: is another station running? \"listen\" in the configuration sets the port)"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The database cannot be used.
    #[error("failed to open the station's database in {path}")]
    Store {
        /// The file.
        path: PathBuf,
        /// What the store said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
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
    config: Config,
    clock: Clock,
    first_timestamp: u32,
    token: CancellationToken,
    started: impl FnOnce(SocketAddr),
) -> Result<Ending, StartupError> {
    let station = config.station.clone();
    let run_folder = station.data.join("run");
    // Nothing is touched before it is sure that no other station is at work on it.
    let listener = listen(station.listen).map_err(|source| StartupError::Listen { address: station.listen, source })?;
    let _until_the_end = lock(&station.data)?;
    make_folders(&station.data, &run_folder)?;
    let address = listener.local_addr().unwrap_or(station.listen);
    let store = open_store(&station.data, &clock).await?;
    let tracker = TaskTracker::new();
    let root = token.child_token();

    // Folders are walked and the first files looked into while the preparer asks ffmpeg what it can do.
    let begin = |one| start_library(one, &station, &store, &root, &tracker);
    let libraries: Vec<Library> = config.channels.iter().map(begin).collect();
    let preparer = match start_preparer(&station, &store, clock.clone(), &root, &tracker).await {
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
    let parts = Common {
        store: store.clone(),
        preparer,
        clock: clock.clone(),
        first_timestamp,
        root: root.clone(),
        tracker: tracker.clone(),
        run_folder,
    };
    let both = config.channels.iter().zip(&libraries);
    let channels: Arc<[ChannelView]> =
        both.map(|(one, library)| start_channel(one, library, &station, &parts)).collect();
    tracker.spawn(service::watch(watch::channel(Arc::clone(&channels)).1, root.clone()));
    let (ready, ready_view) = watch::channel(true);
    let view =
        StationView { name: station.name.as_str().into(), channels, ready: ready_view, clock, token: root.clone() };
    let connections_max = connections_that_fit(station.connections_max, handles_max(), config.channels.len());
    if connections_max < station.connections_max {
        tracing::warn!(
            connections_max,
            configured = station.connections_max,
            "the system allows fewer open files than connections-max needs (hint: raise the limit, \"ulimit -n\")"
        );
    }
    let limits = Limits { connections_max, ..Limits::default() };
    tracker.spawn(http::serve(listener, http::router(view), limits, root.clone()));
    started(address);
    service::ready();

    token.cancelled().await;
    service::stopping();
    ready.send_replace(false);
    tracker.close();
    let in_time = tokio::time::timeout(STOP_MAX, tracker.wait()).await.is_ok();
    if !in_time {
        tracing::error!(tasks = tracker.len(), "some tasks did not stop in time and are left behind");
    }
    store.close().await;
    tracing::info!("stopped");
    Ok(if in_time { Ending::Clean } else { Ending::Late })
}

/// Listens with room for a crowd that comes at once: a connection that finds no room in the kernel's queue is tried again
/// by its peer after a second, and tokio's own queue is full with 128.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // So that a restart need not wait for connections of the life before to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE_MAX)
}

/// Raises the number of handles this process may hold as far as it may by itself, and returns it. The usual 1024 are for
/// programs of another time.
fn handles_max() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let Some(hard) = limit.maximum else { return u64::MAX };
    match setrlimit(Resource::Nofile, Rlimit { current: Some(hard), maximum: Some(hard) }) {
        Ok(()) => hard,
        Err(_) => limit.current.unwrap_or(hard),
    }
}

/// Returns how many connections leave the station the handles it needs itself: a crowd must never keep a channel from
/// starting its ffmpeg or from opening its next item.
fn connections_that_fit(wanted: usize, handles_max: u64, channels: usize) -> usize {
    let own = HANDLES_OF_STATION + HANDLES_OF_CHANNEL * channels as u64;
    wanted.min(usize::try_from(handles_max.saturating_sub(own)).unwrap_or(usize::MAX)).max(CONNECTIONS_MIN)
}

/// What every channel is given alike.
struct Common {
    store: Store,
    preparer: Preparer,
    clock: Clock,
    first_timestamp: u32,
    root: CancellationToken,
    tracker: TaskTracker,
    run_folder: PathBuf,
}

/// Takes the data folder for this station alone, as long as the returned file is open. The system lets go of it also
/// when the process is killed.
fn lock(data: &Path) -> Result<fs::File, StartupError> {
    let failed = |source| StartupError::Data { path: data.to_owned(), source };
    fs::create_dir_all(data).map_err(failed)?;
    let path = data.join("lock");
    let file = fs::File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let pid = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse::<u32>().ok());
            let by = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
            Err(StartupError::Shared { path: data.to_owned(), by })
        }
        Err(TryLockError::Error(error)) => {
            tracing::warn!(%error, "the data folder cannot be locked: nothing keeps a second station from using it");
            Ok(file)
        }
        Ok(()) => {
            // Who it is, for the second: a disk that is full keeps nobody from starting.
            let _untold = file.set_len(0).and_then(|()| writeln!(&file, "{}", std::process::id()));
            Ok(file)
        }
    }
}

fn make_folders(data: &Path, run_folder: &Path) -> Result<(), StartupError> {
    let failed = |source| StartupError::Data { path: data.to_owned(), source };
    // Run folders of an earlier life hold nothing of worth.
    match fs::remove_dir_all(run_folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    fs::create_dir_all(run_folder).map_err(failed)
}

async fn open_store(data: &Path, clock: &Clock) -> Result<Store, StartupError> {
    let path = data.join("station.sqlite");
    let opened = Store::open(&path, clock.now()).await;
    opened.map_err(|error| StartupError::Store { path, source: Box::new(error) })
}

async fn start_preparer(
    station: &config::Station,
    store: &Store,
    clock: Clock,
    root: &CancellationToken,
    tracker: &TaskTracker,
) -> Result<Preparer, StartupError> {
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
        failures: failures.into_iter().map(|failure| (failure.id, failure.reason.into())).collect(),
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

fn start_library(
    one: &config::Channel,
    station: &config::Station,
    store: &Store,
    root: &CancellationToken,
    tracker: &TaskTracker,
) -> Library {
    let settings = LibrarySettings {
        channel: one.id.clone(),
        folders: one.folders.clone(),
        exclude: vec![station.data.clone()],
        settle: station.settle,
        rescan: station.rescan,
        ffprobe: station.ffprobe.clone(),
    };
    let (task, library) = library::start(settings, store.clone(), root.child_token());
    tracker.spawn(task);
    library
}

fn start_channel(one: &config::Channel, library: &Library, station: &config::Station, common: &Common) -> ChannelView {
    let (status, status_view) = watch::channel(Arc::new(first_status(one)));
    let (snapshot, snapshot_view) = watch::channel(Arc::new(Snapshot::default()));
    let outputs = Outputs { status: Arc::new(status), snapshot: Arc::new(snapshot) };
    let parts = Parts {
        config: Arc::new(one.clone()),
        ffmpeg: station.ffmpeg.clone(),
        run_folder: common.run_folder.clone(),
        clock: common.clock.clone(),
        first_timestamp: common.first_timestamp,
        store: common.store.clone(),
        preparer: common.preparer.clone(),
        catalogue: library.catalogue(),
        token: common.root.child_token(),
        tracker: common.tracker.clone(),
    };
    let span = tracing::info_span!("channel", id = %one.id);
    common.tracker.spawn(keep_alive(parts, outputs).instrument(span));
    ChannelView { id: one.id.clone(), status: status_view, snapshot: snapshot_view }
}

/// Lives a channel; a panic in it is caught here, told, and answered by a new beginning.
async fn keep_alive(parts: Parts, outputs: Outputs) {
    while !parts.token.is_cancelled() {
        let life = channel::task::run(parts.clone(), outputs.clone()).in_current_span();
        if let Err(error) = parts.tracker.spawn(life).await {
            tracing::error!(%error, "channel failed inside and begins again");
            tokio::time::sleep(PANIC_REST).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_station_keeps_the_handles_it_needs_itself() {
        for (wanted, handles, channels, expected) in [
            (2000, 1_048_576, 3, 2000),
            (2000, u64::MAX, 3, 2000),
            (2000, 1024, 1, 704),
            (2000, 1024, 100, 10),
            (500, 1024, 1, 500),
        ] {
            assert_eq!(connections_that_fit(wanted, handles, channels), expected, "{wanted} of {handles}");
        }
    }
}
