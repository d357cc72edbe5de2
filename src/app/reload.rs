//! The configuration file while the station runs: told when it was saved, or when SIGHUP asks for it to be read.
#![expect(clippy::disallowed_methods, reason = "reads the configuration")]

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::config::{self, Config, Problems};

/// How long a file must have been left alone before it is read: editors write in several steps.
const REST: Duration = Duration::from_millis(250);

/// Why the file is to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    Touched,
    Asked,
}

/// The configuration file.
pub(super) struct Watched {
    path: PathBuf,
    /// What was read last; the same again is no news.
    seen: Option<String>,
    touched: Arc<Notify>,
    /// Whether the file was touched, or reading was asked for, and it was not read since: [`Self::next`] may be given up and
    /// called again.
    due: Option<Due>,
    /// None where the station has a terminal: there the signal tells that the terminal is gone, and ends it.
    hangup: Option<Signal>,
    _watcher: Option<RecommendedWatcher>,
}

impl Watched {
    /// Begins to watch; what stands in the file now is known already.
    pub(super) fn new(path: &Path) -> Self {
        let touched = Arc::new(Notify::new());
        let watcher = watch(path, Arc::clone(&touched)).map_err(|error| {
            tracing::warn!(%error, "saving the configuration will not be noticed (hint: send SIGHUP after saving)");
        });
        let hangup = (!std::io::stdin().is_terminal()).then(|| signal(SignalKind::hangup()).ok()).flatten();
        let seen = std::fs::read_to_string(path).ok();
        Self { path: path.to_owned(), seen, touched, due: None, hangup, _watcher: watcher.ok() }
    }

    /// Returns the text of the file when it was saved with another one, or when SIGHUP came. May be given up and called
    /// again: nothing is missed.
    ///
    /// # Errors
    /// When SIGHUP came and it cannot be read, in words.
    pub(super) async fn next(&mut self) -> Result<String, String> {
        loop {
            if self.due.is_none() {
                tokio::select! {
                    biased;
                    Some(()) = heard(&mut self.hangup) => self.due = Some(Due::Asked),
                    () = self.touched.notified() => self.due = Some(Due::Touched),
                }
            }
            let asked = self.due == Some(Due::Asked);
            if !asked {
                // Until nothing came for a while.
                while tokio::time::timeout(REST, self.touched.notified()).await.is_ok() {}
            }
            let read = tokio::fs::read_to_string(&self.path).await;
            self.due = None;
            match read {
                Ok(text) if asked || self.seen.as_ref() != Some(&text) => {
                    self.seen = Some(text.clone());
                    return Ok(text);
                }
                Err(error) if asked => return Err(format!("failed to read {}: {error}", self.path.display())),
                // Nothing new, or it is just being replaced.
                _ => {}
            }
        }
    }
}

async fn heard(signal: &mut Option<Signal>) -> Option<()> {
    match signal {
        Some(signal) => signal.recv().await,
        None => std::future::pending().await,
    }
}

/// Watches the folder and not the file: most programs save by putting a new file in its place. Where the file is a link,
/// the folder it leads to is watched, too.
fn watch(path: &Path, touched: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if event.is_ok_and(|event| changes_something(event.kind)) {
            touched.notify_one();
        }
    })?;
    let folder = |path: &Path| path.parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_path_buf);
    let own = folder(path).unwrap_or_else(|| PathBuf::from("."));
    watcher.watch(&own, RecursiveMode::NonRecursive)?;
    if let Some(other) = path.canonicalize().ok().as_deref().and_then(folder).filter(|other| *other != own) {
        watcher.watch(&other, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

/// Whether a file may have other bytes after it: our own reading does not count.
fn changes_something(kind: EventKind) -> bool {
    !matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

/// Reads the text of a configuration as one for this machine.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str, path: &Path) -> Result<Config, Problems> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    config::parse(text, path, cores)
}
