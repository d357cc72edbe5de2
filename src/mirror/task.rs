//! The mirror of one channel: follows its snapshots, and does at the store what the ledger says.
#![expect(clippy::disallowed_methods, reason = "the one place that writes to the store")]

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use object_store::{PutOptions, PutPayload};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::counters::Counters;
use super::ledger::{FOUND_MAX, Ledger};
use super::names::Name;
use super::trouble::{Errand, Health, Kind, Trouble};
use super::wire::{Depot, PUT_MAX, TIDY_MAX};
use crate::clock::Clock;
use crate::hls::{SEGMENT_MAX, Snapshot};
use crate::units::{ChannelId, MediaTime};

/// How many objects of a channel are put at once: renditions side by side, and a window that is to be caught up with.
const PUTS_AT_ONCE: usize = 4;

/// How many objects are deleted at once, as many as S3 takes with one request.
const DELETES_AT_ONCE: usize = 1000;

/// How often expired objects are deleted.
const TIDY_EVERY: SignedDuration = SignedDuration::from_secs(10);

/// What the mirror of a channel works with.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The channel.
    pub id: ChannelId,
    /// The store.
    pub depot: Depot,
    /// What the channel publishes.
    pub snapshot: watch::Receiver<Arc<Snapshot>>,
    /// What was done.
    pub counters: Arc<Counters>,
    /// The station's time.
    pub clock: Clock,
    /// Ends the mirror.
    pub token: CancellationToken,
}

/// Keeps copies of a channel until the token ends; what is there then stays, and is tidied by the next.
pub async fn run(parts: Parts) {
    let token = parts.token.clone();
    parts.counters.begun(parts.clock.now());
    let mut shell = Shell {
        ledger: Ledger::default(),
        puts: Work::new("copies"),
        tidying: Work::new("deletions"),
        looked: false,
        tidied: parts.clock.now(),
        skipping: false,
        parts,
    };
    let _ended = token.run_until_cancelled(shell.live()).await;
}

struct Shell {
    parts: Parts,
    ledger: Ledger,
    puts: Work,
    tidying: Work,
    /// Whether all that an earlier life left was found.
    looked: bool,
    /// When expired objects were last deleted.
    tidied: Timestamp,
    /// Whether the last window that was published left segments out.
    skipping: bool,
}

/// How putting or tidying goes.
struct Work {
    what: &'static str,
    health: Health,
}

impl Shell {
    async fn live(&mut self) {
        // The first look may find a whole window.
        self.parts.snapshot.mark_changed();
        loop {
            let again = self.tidied + TIDY_EVERY;
            tokio::select! {
                biased;
                changed = self.parts.snapshot.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.follow().await;
                }
                () = self.parts.clock.sleep_until(again) => {}
            }
            if self.parts.clock.now() >= again {
                self.tidy().await;
            }
            self.parts.counters.holds(self.ledger.len());
        }
    }

    /// Publishes the newest window; rests where that fails, and comes again with what is newest then.
    async fn follow(&mut self) {
        let target = Arc::clone(&self.parts.snapshot.borrow_and_update());
        let done = self.publish(&target).await;
        let now = self.parts.clock.now();
        match done {
            Ok(()) => self.puts.well(&self.parts.depot, now),
            Err(trouble) => {
                self.ledger.failed(&target, now);
                self.parts.counters.failed(trouble.errand);
                self.puts.failed(&trouble, &self.parts.depot, now);
                tokio::time::sleep(self.puts.health.rest()).await;
                self.parts.snapshot.mark_changed();
            }
        }
    }

    async fn publish(&mut self, target: &Snapshot) -> Result<(), Trouble> {
        for batch in self.ledger.missing(target).chunks(PUTS_AT_ONCE) {
            if self.is_behind(target) {
                // All of it has left the window meanwhile: this is the most that a mirror keeps to be done.
                return Ok(());
            }
            for name in batch {
                self.ledger.tried(name, length(target, name));
            }
            let shell = &*self;
            let done = join_all(batch.iter().map(|name| async move { shell.put_segment(target, name).await })).await;
            for (name, _) in batch.iter().zip(&done).filter(|(_, done)| done.is_ok()) {
                self.ledger.stored(name);
            }
            done.into_iter().collect::<Result<(), _>>()?;
        }
        let playlists = self.ledger.playlists(target, self.parts.clock.now());
        if playlists.is_empty() {
            return Ok(());
        }
        for (name, text) in playlists {
            self.ledger.playlist_tried(&name);
            self.put(&name, text.clone().into()).await?;
            self.ledger.playlist_stored(&name, text, self.parts.clock.now());
        }
        self.published(target);
        Ok(())
    }

    fn published(&mut self, target: &Snapshot) {
        let now = self.parts.clock.now();
        let Some(progress) = self.ledger.published(target, now) else { return };
        self.parts.counters.published(progress.newest, now);
        if progress.skipped {
            self.parts.counters.skipped();
            if !self.skipping {
                let at = &*self.parts.depot.called;
                tracing::warn!(at, "the mirror was behind and went on with the newest window; segments were left out");
            }
        }
        self.skipping = progress.skipped;
    }

    /// Whether nothing of a window is in the newest.
    fn is_behind(&self, target: &Snapshot) -> bool {
        let newest = self.parts.snapshot.borrow();
        newest.oldest.zip(target.newest).is_some_and(|(oldest, done)| oldest > done)
    }

    async fn put_segment(&self, target: &Snapshot, name: &Name) -> Result<(), Trouble> {
        let rendition = name.rendition.as_ref().map_or(Some(0), |part| target.place_of(part));
        let body = name.segment.and_then(|msn| target.segments.get(&msn));
        let Some(content) = rendition.and_then(|n| body?.renditions.get(n)) else { return Ok(()) };
        // Shared from memory while it is new.
        let bytes = content.bytes().await.map_err(|error| {
            let said = format!("{name} cannot be read: {error}");
            Trouble { errand: Errand::Put, kind: Kind::Other, said }
        })?;
        self.put(name, bytes.into()).await
    }

    async fn put(&self, name: &Name, payload: PutPayload) -> Result<(), Trouble> {
        let Parts { depot, id, counters, .. } = &self.parts;
        let (path, len) = (depot.path(id, name), payload.content_length());
        let options = PutOptions { attributes: depot.headers(name), ..PutOptions::default() };
        let put = tokio::time::timeout(PUT_MAX, depot.store.put_opts(&path, payload, options));
        let put = put.await.map_err(|_| Trouble::slow(Errand::Put, PUT_MAX))?;
        put.map_err(|error| Trouble::of(Errand::Put, &error))?;
        counters.put(name.is_playlist(), len);
        Ok(())
    }

    /// Finds what an earlier life left, and deletes what has expired.
    async fn tidy(&mut self) {
        self.tidied = self.parts.clock.now();
        let found = if self.looked { Ok(()) } else { self.look().await };
        let done = match found {
            Ok(()) => self.delete().await,
            trouble => trouble,
        };
        let now = self.parts.clock.now();
        match done {
            Ok(()) => self.tidying.well(&self.parts.depot, now),
            Err(trouble) => {
                self.parts.counters.failed(trouble.errand);
                self.tidying.failed(&trouble, &self.parts.depot, now);
            }
        }
    }

    async fn look(&mut self) -> Result<(), Trouble> {
        let Parts { depot, id, .. } = &self.parts;
        let folder = depot.channel(id);
        let objects = depot.store.list(Some(&folder)).take(FOUND_MAX).try_collect::<Vec<_>>();
        let objects =
            tokio::time::timeout(TIDY_MAX, objects).await.map_err(|_| Trouble::slow(Errand::List, TIDY_MAX))?;
        let objects = objects.map_err(|error| Trouble::of(Errand::List, &error))?;
        self.looked = objects.len() < FOUND_MAX;
        for name in objects.iter().filter_map(|object| depot.name(id, &object.location)) {
            self.ledger.found(name);
        }
        Ok(())
    }

    async fn delete(&mut self) -> Result<(), Trouble> {
        let expired = self.ledger.expired(self.parts.clock.now(), DELETES_AT_ONCE);
        if expired.is_empty() {
            return Ok(());
        }
        let Parts { depot, id, counters, .. } = &self.parts;
        let paths: Vec<_> = expired.iter().map(|name| Ok(depot.path(id, name))).collect();
        let answers = depot.store.delete_stream(stream::iter(paths).boxed()).collect::<Vec<_>>();
        let answers =
            tokio::time::timeout(TIDY_MAX, answers).await.map_err(|_| Trouble::slow(Errand::Delete, TIDY_MAX))?;
        let mut trouble = Ok(());
        for answer in answers {
            match answer {
                Ok(path) => {
                    if let Some(name) = depot.name(id, &path) {
                        self.ledger.deleted(&name);
                        counters.deleted(1);
                    }
                }
                // A file that is gone is what was wanted.
                Err(object_store::Error::NotFound { path, .. }) if !depot.has_headers => {
                    expired
                        .iter()
                        .filter(|name| path.ends_with(&name.to_string()))
                        .for_each(|name| self.ledger.deleted(name));
                }
                Err(error) => trouble = Err(Trouble::of(Errand::Delete, &error)),
            }
        }
        trouble
    }
}

/// Returns how long a segment of a window is.
fn length(target: &Snapshot, name: &Name) -> MediaTime {
    let body = name.segment.and_then(|msn| target.segments.get(&msn));
    body.map_or(SEGMENT_MAX, |body| body.duration)
}

impl Work {
    fn new(what: &'static str) -> Self {
        Self { what, health: Health::default() }
    }

    fn failed(&mut self, trouble: &Trouble, depot: &Depot, now: Timestamp) {
        if self.health.failed(trouble.kind, now) {
            let (at, said, what, remedy) = (&*depot.called, &trouble.said, self.what, trouble.kind.remedy());
            tracing::error!(
                at,
                said,
                "the mirror takes no {what} for now; the air goes on, and it is tried again (hint: {remedy})"
            );
        }
    }

    fn well(&mut self, depot: &Depot, now: Timestamp) {
        if let Some(passed) = self.health.well(now) {
            let (at, seconds, what) = (&*depot.called, passed.as_secs(), self.what);
            tracing::info!(at, seconds, "the mirror takes {what} again");
        }
    }
}
