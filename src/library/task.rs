//! Watches a channel's folders and keeps its catalogue; the only part of the library that touches the world.
#![expect(clippy::disallowed_methods, reason = "walks folders and reads files")]

mod examine;
mod walk;
mod watch;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch as latest;
use tokio::task::{self, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

pub use examine::{PROBES_MAX, ProbeTrouble, probe_file};

use super::catalogue::{Inventory, Outcome};
use super::pace::Pace;
use super::reach::FolderId;
use super::{Catalogue, FileStamp, Tally};
use crate::clock::Clock;
use crate::ffmpeg::Family;
use crate::store::{KnownFile, Store};
use crate::units::ChannelId;
use watch::{Signals, Watches};

/// How long after the first event of a burst the folders are walked.
const DEBOUNCE: SignedDuration = SignedDuration::from_millis(300);

/// How often it is asked whether the folders are still the same: no event tells that a folder above was renamed, or that
/// a disk was mounted over one. One call to the system for each.
const IDENTITY_EVERY: SignedDuration = SignedDuration::from_secs(3);

/// The least time between two snapshots while many files are probed: a snapshot of a large library takes milliseconds.
const PUBLISH_GAP: SignedDuration = SignedDuration::from_millis(100);

/// What a library is made of.
#[derive(Clone, Debug)]
pub struct LibrarySettings {
    /// For logs.
    pub channel: ChannelId,
    /// Where the videos lie.
    pub folders: Vec<PathBuf>,
    /// Folders that are left out though they may lie below: the station's own data.
    pub exclude: Vec<PathBuf>,
    /// How long size and time of a file must rest before it becomes an item, in the world's time.
    pub settle: Duration,
    /// How often every folder is walked although nothing was reported, in the world's time.
    pub rescan: Duration,
    /// The ffprobe program.
    pub ffprobe: PathBuf,
    /// Whose children the probes are.
    pub family: Family,
}

/// A running library as others see it; cheap to clone.
#[derive(Clone, Debug)]
pub struct Library {
    catalogue: latest::Receiver<Arc<Catalogue>>,
    signals: Arc<Signals>,
    tally: Arc<Tally>,
}

impl Library {
    /// Returns what it has done.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Returns the catalogue, now and whenever it changes.
    #[must_use]
    pub fn catalogue(&self) -> latest::Receiver<Arc<Catalogue>> {
        self.catalogue.clone()
    }

    /// Asks for files in quarantine to be looked into again, as if they were new. Others are left alone.
    pub fn requeue(&self, files: impl IntoIterator<Item = PathBuf>) {
        self.signals.requeue(files);
    }

    /// Asks for a walk through all folders, soon.
    pub fn rescan(&self) {
        self.signals.grew.store(true, Ordering::SeqCst);
        self.signals.dirty.notify_one();
    }
}

/// Returns the task that keeps the catalogue until `token` is cancelled, to be spawned, and the library as others see it.
///
/// What is known from earlier runs is published at once after the first walk; new files follow as they are probed.
pub fn start(
    settings: LibrarySettings,
    store: Store,
    token: CancellationToken,
) -> (impl Future<Output = ()> + Send + 'static, Library) {
    let (publish, catalogue) = latest::channel(Arc::default());
    let signals = Arc::new(Signals::default());
    let tally = Arc::<Tally>::default();
    let library = Library { catalogue, signals: Arc::clone(&signals), tally: Arc::clone(&tally) };
    let span = tracing::info_span!("library", channel = %settings.channel);
    let task = async move {
        let mut keeper = Keeper::new(settings, store, token, publish, tally).await;
        keeper.keep(&signals).await;
        keeper.end().await;
    };
    (task.instrument(span), library)
}

/// Walks and probes once, without watching: for the command line. `progress` is told each new snapshot.
///
/// Files changed within the last seconds stay [`super::Refused::Settling`].
pub async fn scan_once(
    settings: LibrarySettings,
    store: Store,
    token: CancellationToken,
    mut progress: impl FnMut(&Catalogue),
) -> Arc<Catalogue> {
    let (publish, catalogue) = latest::channel(Arc::default());
    let mut keeper = Keeper::new(settings, store, token.clone(), publish, Arc::default()).await;
    keeper.walk(None).await;
    keeper.begin_probes();
    while !token.is_cancelled()
        && let Some(result) = keeper.probes.join_next_with_id().await
    {
        keeper.finish_probe(result);
        keeper.begin_probes();
        if keeper.clock.now() >= keeper.publish_at {
            keeper.publish().await;
            progress(&catalogue.borrow());
        }
    }
    keeper.end().await;
    progress(&catalogue.borrow());
    catalogue.borrow().clone()
}

struct Keeper {
    settings: LibrarySettings,
    store: Store,
    token: CancellationToken,
    publish: latest::Sender<Arc<Catalogue>>,
    tally: Arc<Tally>,
    /// The world's time, carried on by the monotonic clock.
    clock: Clock,
    inventory: Inventory,
    probes: JoinSet<Option<Outcome>>,
    /// Which file each of them looks into: a probe that panicked can tell no more than its id.
    probing: HashMap<task::Id, (PathBuf, FileStamp)>,
    /// Verdicts that are not stored yet.
    verdicts: Vec<KnownFile>,
    /// What was logged already.
    problems: BTreeSet<(PathBuf, String)>,
    /// Which folders they were when they were last asked for, and when to ask again.
    ids: Vec<Option<FolderId>>,
    ids_at: Timestamp,
    walk_at: Timestamp,
    pace: Pace,
    /// Not before then, whatever is reported.
    rest_until: Timestamp,
    publish_at: Timestamp,
}

impl Keeper {
    async fn new(
        mut settings: LibrarySettings,
        store: Store,
        token: CancellationToken,
        publish: latest::Sender<Arc<Catalogue>>,
        tally: Arc<Tally>,
    ) -> Self {
        for path in settings.folders.iter_mut().chain(&mut settings.exclude) {
            *path = absolute(path);
        }
        let mut known = Vec::new();
        for folder in &settings.folders {
            match store.known_files(folder).await {
                Ok(files) => known.extend(files),
                Err(error) => {
                    tracing::warn!(%error, folder = %folder.display(), "known files could not be read; they are probed again");
                }
            }
        }
        let clock = Clock::new(1.0);
        let now = clock.now();
        let settle = SignedDuration::try_from(settings.settle).unwrap_or(SignedDuration::MAX);
        Self {
            inventory: Inventory::new(settings.folders.clone(), settle, known),
            settings,
            store,
            token,
            publish,
            tally,
            clock,
            probes: JoinSet::new(),
            probing: HashMap::new(),
            verdicts: Vec::new(),
            problems: BTreeSet::new(),
            ids: Vec::new(),
            ids_at: now,
            walk_at: now,
            pace: Pace::default(),
            rest_until: now,
            publish_at: now,
        }
    }

    async fn keep(&mut self, signals: &Arc<Signals>) {
        let mut watches =
            Some(Watches::new(self.settings.folders.clone(), self.settings.exclude.clone(), Arc::clone(signals)));
        while !self.token.is_cancelled() {
            self.look_for_other_folders().await;
            let now = self.clock.now();
            if self.walk_at <= now {
                watches = self.walk(watches).await;
                self.plan_next_walk(signals);
            }
            self.inventory.requeue(&signals.take_requeued());
            self.look_again().await;
            self.begin_probes();
            if self.clock.now() >= self.publish_at {
                self.publish().await;
            }
            let wake = self.wake_at();
            tokio::select! {
                biased;
                () = self.token.cancelled() => {}
                Some(result) = self.probes.join_next_with_id() => self.finish_probe(result),
                () = signals.dirty.notified() => {
                    let soon = self.clock.now().saturating_add(DEBOUNCE).unwrap_or(Timestamp::MAX);
                    self.walk_at = self.walk_at.min(soon.max(self.rest_until));
                }
                () = self.clock.sleep_until(wake) => {}
            }
        }
    }

    /// The soonest of everything that is to be done at a time.
    fn wake_at(&self) -> Timestamp {
        let publish = self.inventory.has_changed().then_some(self.publish_at);
        let settled = self.inventory.next_settled();
        [publish, settled].into_iter().flatten().fold(self.walk_at.min(self.ids_at), Timestamp::min)
    }

    /// Has the folders walked when one of them is another than before, or is there again, or is not.
    async fn look_for_other_folders(&mut self) {
        let now = self.clock.now();
        if self.ids_at > now {
            return;
        }
        let folders = self.settings.folders.clone();
        let looking = examine::on_thread(move || walk::identities(&folders));
        let ids = tokio::select! {
            biased;
            () = self.token.cancelled() => return,
            ids = looking => ids.unwrap_or_default(),
        };
        if ids != self.ids {
            self.ids = ids;
            self.walk_at = self.walk_at.min(now.max(self.rest_until));
        }
        self.ids_at = self.clock.now().saturating_add(IDENTITY_EVERY).unwrap_or(Timestamp::MAX);
    }

    fn plan_next_walk(&mut self, signals: &Signals) {
        let now = self.clock.now();
        let rescan = SignedDuration::try_from(self.settings.rescan).unwrap_or(SignedDuration::MAX);
        let mut pause = rescan.max(DEBOUNCE);
        if signals.exhausted.load(Ordering::SeqCst) || signals.remote.load(Ordering::SeqCst) {
            pause = pause.min(self.pace.untold());
        }
        // A new folder's watch is set a moment after it was made: what came in that moment is found by a second walk.
        if signals.grew.swap(false, Ordering::SeqCst) {
            pause = pause.min(SignedDuration::try_from(self.settings.settle).unwrap_or(pause).max(DEBOUNCE));
        }
        self.walk_at = now.saturating_add(pause).unwrap_or(Timestamp::MAX).max(self.rest_until);
    }

    /// Walks all folders, after setting the watches, so that nothing falls between the two.
    async fn walk(&mut self, mut watches: Option<Watches>) -> Option<Watches> {
        let begun = self.clock.now();
        let (folders, exclude) = (self.settings.folders.clone(), self.settings.exclude.clone());
        let walking = examine::on_thread(move || {
            if let Some(watches) = &mut watches {
                watches.refresh();
            }
            (walk::walk(&folders, &exclude), watches)
        });
        // A network folder may keep the thread for minutes; the server's end does not wait for it.
        let (walk, watches) = tokio::select! {
            biased;
            () = self.token.cancelled() => return None,
            walked = walking => walked?,
        };
        let now = self.clock.now();
        let took = now.duration_since(begun);
        self.tally.walked(took.unsigned_abs());
        self.pace.walked(took);
        self.rest_until = now.saturating_add(self.pace.rest()).unwrap_or(now);
        let forgotten = self.inventory.walked(walk, now);
        self.log_problems();
        if !forgotten.is_empty()
            && let Err(error) = self.store.forget_files(forgotten).await
        {
            tracing::warn!(%error, "files that are gone could not be forgotten");
        }
        let wants = self.inventory.sidecars_to_read();
        if !wants.is_empty() {
            for (want, notes) in examine::on_thread(move || examine::read_sidecars(wants)).await? {
                self.inventory.sidecar_read(&want, notes);
            }
        }
        watches
    }

    /// Looks again at the files that should have settled by now.
    async fn look_again(&mut self) {
        let due = self.inventory.due(self.clock.now());
        if due.is_empty() {
            return;
        }
        let looking = examine::on_thread(move || walk::stamps(due));
        let stamps = tokio::select! {
            biased;
            () = self.token.cancelled() => None,
            stamps = looking => stamps,
        };
        self.inventory.restamped(stamps.unwrap_or_default(), self.clock.now());
    }

    fn begin_probes(&mut self) {
        while let Some((path, stamp)) = self.inventory.next_probe(PROBES_MAX) {
            let (ffprobe, token) = (self.settings.ffprobe.clone(), self.token.clone());
            let family = self.settings.family.clone();
            let probe = examine::examine(path.clone(), stamp, ffprobe, family, token).in_current_span();
            let handle = self.probes.spawn(probe);
            self.probing.insert(handle.id(), (path, stamp));
        }
    }

    fn finish_probe(&mut self, result: Result<(task::Id, Option<Outcome>), JoinError>) {
        let (id, outcome) = result.unwrap_or_else(|error| (error.id(), None));
        let Some((path, stamp)) = self.probing.remove(&id) else { return };
        if self.token.is_cancelled() {
            return;
        }
        let outcome = outcome.unwrap_or_else(examine::broken);
        match &outcome {
            Outcome::Refused { reason, .. } | Outcome::Failed { reason, .. } => {
                tracing::warn!(path = %path.display(), reason, "a file cannot be played");
            }
            Outcome::Accepted { .. } => tracing::debug!(path = %path.display(), "a file became an item"),
            Outcome::Changed(_) => tracing::debug!(path = %path.display(), "a file changed while it was probed"),
        }
        self.verdicts.extend(self.inventory.probed(&path, stamp, outcome, self.clock.now()));
    }

    async fn publish(&mut self) {
        let Some(catalogue) = self.inventory.take_changed() else { return };
        if catalogue.complete && !self.publish.borrow().complete {
            tracing::info!(items = catalogue.items.len(), refused = catalogue.refused.len(), "the library is complete");
        }
        self.publish.send_replace(Arc::new(catalogue));
        self.publish_at = self.clock.now().saturating_add(PUBLISH_GAP).unwrap_or(Timestamp::MAX);
        if self.verdicts.is_empty() {
            return;
        }
        match self.store.put_files(self.verdicts.clone()).await {
            Ok(()) => self.verdicts.clear(),
            Err(error) => tracing::warn!(%error, "what was found in files could not be stored; it is tried again"),
        }
    }

    async fn end(&mut self) {
        self.probes.shutdown().await;
        self.publish().await;
    }

    fn log_problems(&mut self) {
        let now: BTreeSet<_> = self.inventory.problems().iter().cloned().collect();
        for (path, reason) in now.difference(&self.problems) {
            tracing::warn!(path = %path.display(), reason, "a folder cannot be used");
        }
        for (path, _) in self.problems.difference(&now) {
            tracing::info!(path = %path.display(), "a folder can be used again");
        }
        self.problems = now;
    }
}

/// Without resolving links, so that folders keep the names people gave them, also those that do not exist yet.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
