//! What must be had before a station can begin: its address, its folders for itself alone, handles enough.
#![expect(clippy::disallowed_methods, reason = "makes the station's folders")]

use std::fs::{self, TryLockError};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket};

use super::mirrors::MirrorError;
use super::token::TokenError;
use crate::config;

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
    /// The metrics' address is not to be had.
    #[error(
        "failed to listen on {address} for metrics (hint: is another station running? \"listen\" in [metrics] sets the \
         port, \"off\" does without)"
    )]
    Metrics {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The operator's token is named and of no use.
    #[error("failed to start: {0}")]
    Token(#[from] TokenError),
    /// The mirror's keys are named and of no use.
    #[error("failed to start: {0}")]
    Mirror(#[from] MirrorError),
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

/// Listens with room for a crowd that comes at once: a connection that finds no room in the kernel's queue is tried again
/// by its peer after a second, and tokio's own queue is full with 128.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // So that a restart need not wait for connections of the life before to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE_MAX)
}

/// Listens for those who read the metrics, where that is wanted, and says where.
pub(super) fn listen_for_metrics(address: Option<SocketAddr>) -> Result<Option<TcpListener>, StartupError> {
    let Some(address) = address else { return Ok(None) };
    let listener = listen(address).map_err(|source| StartupError::Metrics { address, source })?;
    let address = listener.local_addr().unwrap_or(address);
    tracing::info!("metrics are at http://{address}/metrics");
    Ok(Some(listener))
}

/// Returns how many connections are served at once, and says so where that is not what was asked for.
pub(super) fn connections_max(station: &config::Station, channels: usize) -> usize {
    let connections_max = connections_that_fit(station.connections_max, handles_max(), channels);
    if connections_max < station.connections_max {
        tracing::warn!(
            connections_max,
            configured = station.connections_max,
            "the system allows fewer open files than connections-max needs (hint: raise the limit, \"ulimit -n\")"
        );
    }
    connections_max
}

/// Raises the number of handles this process may hold as far as it may by itself, and returns it. The usual 1024 are for
/// programs of another time.
pub(crate) fn handles_max() -> u64 {
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

/// Takes the data folder for this station alone, as long as the returned file is open. The system lets go of it also
/// when the process is killed.
pub(super) fn lock(data: &Path) -> Result<fs::File, StartupError> {
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

pub(super) fn make_folders(data: &Path, run_folder: &Path) -> Result<(), StartupError> {
    let failed = |source| StartupError::Data { path: data.to_owned(), source };
    // Run folders of an earlier life hold nothing of worth.
    match fs::remove_dir_all(run_folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    fs::create_dir_all(run_folder).map_err(failed)
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
