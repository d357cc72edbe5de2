//! The thread that owns the connection, and the handle everyone else holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::file::task::Database;
use super::records::{Aired, Continuity, Judgements, KnownFile, StoredFailure, StoredPlan};
use super::{StoreError, queries, schema};
use crate::prepare::MezzanineId;
use crate::units::ChannelId;

/// How many requests may wait for the thread before the askers wait too. Requests take well under a millisecond each.
const JOBS_MAX: usize = 256;

/// What the thread does next, which tells whether it failed; `None` ends it.
type Job = Option<Box<dyn FnOnce(&mut Connection) -> Result<(), ()> + Send>>;

/// A handle to the store; cheap to clone.
///
/// # Cancel safety
/// A dropped future loses the answer only: what was asked for is still done, whole.
#[derive(Clone, Debug)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
    begun: Arc<AtomicU64>,
    errors: Arc<AtomicU64>,
}

impl Store {
    /// Opens the database, makes it where there is none, and moves a damaged one aside to
    /// `<name>.corrupt-<seconds since the epoch>`, `now` naming it.
    ///
    /// # Errors
    /// [`StoreError::Open`] when the folder cannot be used, [`StoreError::Newer`] when a later version wrote it.
    pub async fn open(path: &Path, now: Timestamp) -> Result<Self, StoreError> {
        let path = path.to_owned();
        Self::start(move || Database::open(&path, now)).await
    }

    /// Opens a store that is gone when the last handle is; for tests and for looking without touching.
    pub async fn in_memory() -> Result<Self, StoreError> {
        Self::start(|| {
            let mut connection = Connection::open_in_memory()?;
            schema::prepare(&mut connection)?;
            Ok(Database::in_memory(connection))
        })
        .await
    }

    async fn start(open: impl FnOnce() -> Result<Database, StoreError> + Send + 'static) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel(JOBS_MAX);
        let (opened, answer) = oneshot::channel();
        let begun = Arc::<AtomicU64>::default();
        let errors = Arc::<AtomicU64>::default();
        let (count, failures) = (Arc::clone(&begun), Arc::clone(&errors));
        let life = move || match open() {
            Ok(database) => {
                // Nobody waits for the answer when the opener was dropped; then the queue is closed as well.
                let _nobody = opened.send(Ok(()));
                work(database, queue, &count, &failures);
            }
            Err(error) => {
                let _nobody = opened.send(Err(error));
            }
        };
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(life)
            .map_err(|source| StoreError::Open { path: PathBuf::from("a thread"), source })?;
        answer.await.map_err(|_| StoreError::Closed)??;
        Ok(Self { jobs, begun, errors })
    }

    /// Finishes what was asked for before, writes everything into the one file and ends the thread.
    ///
    /// Every other handle then answers [`StoreError::Closed`].
    pub async fn close(self) {
        let (done, answer) = oneshot::channel::<()>();
        let last = Box::new(move |connection: &mut Connection| {
            if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
                tracing::warn!(%error, "the store's log was not folded in; it will be at the next start");
            }
            drop(done);
            Ok(())
        });
        if self.jobs.send(Some(last)).await.is_ok() {
            let _dropped_when_done = answer.await;
            let _already_closed = self.jobs.send(None).await;
            self.jobs.closed().await;
        }
    }

    /// Returns how often the database was begun anew: what was written before is missing then.
    #[must_use]
    pub fn begun_anew(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Returns how many reads and writes have failed.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, answer) = oneshot::channel();
        let job = Box::new(move |connection: &mut Connection| {
            let answer = question(connection);
            let outcome = answer.as_ref().map(drop).map_err(drop);
            let _nobody_waits = sender.send(answer);
            outcome
        });
        self.jobs.send(Some(job)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Returns what is known of the files at or below a folder.
    pub async fn known_files(&self, root: &Path) -> Result<Vec<KnownFile>, StoreError> {
        let root = root.to_owned();
        self.ask(move |connection| queries::known_files(connection, &root)).await
    }

    /// Notes what is known of files, all of them or none.
    pub async fn put_files(&self, files: Vec<KnownFile>) -> Result<(), StoreError> {
        self.ask(move |connection| queries::put_files(connection, &files)).await
    }

    /// Forgets files.
    pub async fn forget_files(&self, paths: Vec<PathBuf>) -> Result<(), StoreError> {
        self.ask(move |connection| queries::forget_files(connection, &paths)).await
    }

    /// Notes that an item cannot be prepared, with a sentence for people.
    pub async fn put_failure(&self, id: MezzanineId, reason: String) -> Result<(), StoreError> {
        self.ask(move |connection| queries::put_failure(connection, &id, &reason)).await
    }

    /// Returns every item that could not be prepared.
    pub async fn failures(&self) -> Result<Vec<StoredFailure>, StoreError> {
        self.ask(|connection| queries::failures(connection)).await
    }

    /// Forgets that an item could not be prepared, so that it is tried again.
    pub async fn forget_failure(&self, id: MezzanineId) -> Result<(), StoreError> {
        self.ask(move |connection| queries::forget_failure(connection, &id)).await
    }

    /// Replaces a channel's plan.
    pub async fn save_plan(&self, channel: ChannelId, plan: StoredPlan) -> Result<(), StoreError> {
        self.ask(move |connection| queries::save_plan(connection, &channel, &plan)).await
    }

    /// Returns a channel's plan, if it ever had one.
    pub async fn load_plan(&self, channel: ChannelId) -> Result<Option<StoredPlan>, StoreError> {
        self.ask(move |connection| queries::load_plan(connection, &channel)).await
    }

    /// Adds an airing; the history is bounded by [`super::HISTORY_DAYS`] and [`super::HISTORY_ROWS_MAX`].
    pub async fn add_aired(&self, channel: ChannelId, aired: Aired) -> Result<(), StoreError> {
        self.ask(move |connection| queries::add_aired(connection, &channel, &aired)).await
    }

    /// Returns the airings that began at or after a moment: the newest `limit` of them, oldest first.
    pub async fn aired_since(
        &self,
        channel: ChannelId,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Aired>, StoreError> {
        self.ask(move |connection| queries::aired_since(connection, &channel, since, limit)).await
    }

    /// Notes where a channel's playlist stands.
    pub async fn save_continuity(&self, channel: ChannelId, at: Continuity) -> Result<(), StoreError> {
        self.ask(move |connection| queries::save_continuity(connection, &channel, &at)).await
    }

    /// Returns since when files are refused and items cannot be prepared.
    pub async fn judgements(&self) -> Result<Judgements, StoreError> {
        self.ask(|connection| queries::judgements(connection)).await
    }

    /// Notes that a channel is off the air since a moment, by the operator's will, or that it is not.
    pub async fn set_off(&self, channel: ChannelId, since: Option<Timestamp>) -> Result<(), StoreError> {
        self.ask(move |connection| queries::set_off(connection, &channel, since)).await
    }

    /// Returns the channels that are off the air by the operator's will, and since when.
    pub async fn off(&self) -> Result<Vec<(ChannelId, Timestamp)>, StoreError> {
        self.ask(|connection| queries::off(connection)).await
    }

    /// Returns where a channel's playlist stood, if it ever had one.
    pub async fn load_continuity(&self, channel: ChannelId) -> Result<Option<Continuity>, StoreError> {
        self.ask(move |connection| queries::load_continuity(connection, &channel)).await
    }
}

fn work(mut database: Database, mut queue: mpsc::Receiver<Job>, begun: &AtomicU64, errors: &AtomicU64) {
    while let Some(Some(job)) = queue.blocking_recv() {
        database.look_after();
        begun.store(database.begun_anew(), Ordering::Relaxed);
        if let Err(()) = job(database.connection()) {
            errors.fetch_add(1, Ordering::Relaxed);
            database.examine();
            begun.store(database.begun_anew(), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "breaks files")]
#[path = "tests.rs"]
mod tests;
