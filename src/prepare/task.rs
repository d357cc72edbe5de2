//! The preparing service: a handle to it, and what it shares with its workers.

mod inspections;
mod one;
mod rounds;
mod tools;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Prepared;
use super::burn;
use super::folder::task::Folder;
use super::job::Tools;
use super::mezzanine::{Mezzanine, MezzanineId};
use super::numbers::Numbers;
use super::queue::Want;
use super::slate::{self, SlateCard, SlateError};
use super::workshop::Workshop;
use crate::clock::Clock;
use crate::config::{EncoderChoice, Profile};
use crate::ffmpeg::family::Children;
use crate::units::ChannelId;

/// What the service needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The ffmpeg program.
    pub ffmpeg: PathBuf,
    /// The ffprobe program.
    pub ffprobe: PathBuf,
    /// The station's data folder; the cache is the folder `cache` in it.
    pub data: PathBuf,
    /// How many bytes of mezzanines to keep.
    pub cache_budget_bytes: u64,
    /// How many items are prepared at once.
    pub workers: usize,
    /// What is to make pictures.
    pub encoder: EncoderChoice,
    /// Where the machine's devices are: [`trial::DEVICES`](super::trial::task::DEVICES).
    pub devices: PathBuf,
    /// Items that failed in an earlier life, with the reasons.
    pub failures: Vec<(MezzanineId, Arc<str>)>,
    /// Where its ffmpegs are counted, each for the channel that wants it.
    pub children: Children,
}

/// A handle to the service; cheap to clone.
#[derive(Clone, Debug)]
pub struct Preparer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    workshop: Mutex<Workshop>,
    changed: watch::Sender<u64>,
    wake: Notify,
    folder: Folder,
    settings: Settings,
    tools: Tools,
    slates: slate::Turns,
    clock: Clock,
    token: CancellationToken,
    tracker: TaskTracker,
}

impl Preparer {
    /// Starts the service: looks what ffmpeg can do, finds the mezzanines of earlier lives, waits for wants.
    ///
    /// It ends with the token, its workers with it, and leaves no temporary file; `tracker` waits for that.
    ///
    /// # Errors
    /// When the cache folder cannot be made or read.
    pub async fn start(
        settings: Settings,
        clock: Clock,
        token: CancellationToken,
        tracker: &TaskTracker,
    ) -> io::Result<Self> {
        let data = settings.data.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let folder = Folder::open(&data)?;
            let found = folder.scan()?;
            Ok::<_, io::Error>((folder, found))
        });
        // At the same time, for both take a moment and somebody waits for the first picture.
        let (opened, tools) = tokio::join!(opened, tools::abilities(&settings, &token));
        let (folder, found) = opened.map_err(io::Error::other)??;
        let mut workshop = Workshop::new(settings.workers, settings.cache_budget_bytes);
        for one in slate::task::retain_newest(found, &folder) {
            let kept = one.recipe.is_some_and(|recipe| recipe.keeps_picture());
            workshop.found(one.mezzanine, one.changed, kept.then_some(one.inspection));
        }
        workshop.failed_before(&settings.failures);
        tracing::info!(
            mezzanines = workshop.ready(),
            tone_map = tools.can_tone_map,
            text = tools.can_write_text,
            "preparing is ready"
        );
        // Whoever waits for a picture does not wait for this.
        tracker.spawn(tools::choose_encoder(settings.clone(), tools.encoder.clone(), token.clone()));
        let shared = Arc::new(Shared {
            workshop: Mutex::new(workshop),
            changed: watch::channel(0).0,
            wake: Notify::new(),
            folder,
            settings,
            tools,
            slates: slate::Turns::default(),
            clock,
            token,
            tracker: tracker.clone(),
        });
        tracker.spawn(rounds::run(Arc::clone(&shared)));
        Ok(Self { shared })
    }

    /// Returns a channel's profile as this machine and the channel's files allow; what is left out is told in the log.
    #[must_use]
    pub fn possible(&self, profile: &Profile) -> Profile {
        burn::task::possible(profile, self.shared.tools.can_burn_text)
    }

    /// Replaces what a channel wants, soonest first or not; what it wanted before and does not now is given up, but for
    /// what is already being made.
    pub fn want(&self, channel: &ChannelId, wants: Vec<Want>) {
        let now = self.shared.clock.now();
        self.shared.lock().want(channel, wants, now);
        self.shared.wake.notify_one();
    }

    /// Returns how far a mezzanine has got.
    #[must_use]
    pub fn state(&self, id: &MezzanineId) -> Prepared {
        self.shared.lock().state(id)
    }

    /// Returns how far each of several has got, all at one moment.
    pub fn states<'i>(&self, ids: impl Iterator<Item = &'i MezzanineId>) -> Vec<Prepared> {
        let workshop = self.shared.lock();
        ids.map(|id| workshop.state(id)).collect()
    }

    /// Takes note that somebody watches a mezzanine although it is not on air: of those that nobody wants to air it is the
    /// last to go.
    pub fn watched(&self, id: &MezzanineId) {
        let now = self.shared.clock.now();
        self.shared.lock().watched(id, now);
    }

    /// Whether a mezzanine is ready and all of its picture was decoded without a fault. One whose picture was kept is ready
    /// before that.
    #[must_use]
    pub fn is_sound(&self, id: &MezzanineId) -> bool {
        self.shared.lock().is_sound(id)
    }

    /// Returns a number that changes whenever any state does.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Returns what failed for good, with the reasons, so that it can be remembered over a restart.
    #[must_use]
    pub fn failures(&self) -> Vec<(MezzanineId, Arc<str>)> {
        self.shared.lock().failures()
    }

    /// Forgets that a mezzanine failed, so that it is tried again when wanted.
    pub fn forget_failure(&self, id: &MezzanineId) {
        let forgotten = self.shared.lock().forget_failure(id);
        if forgotten {
            self.shared.tell();
            self.shared.wake.notify_one();
        }
    }

    /// Takes note that a mezzanine's file is of no use any more: what is left of it is removed, and it is made again when
    /// wanted. One that is being made is not touched.
    pub fn lost(&self, id: &MezzanineId) {
        self.shared.lost(id);
        self.shared.wake.notify_one();
    }

    /// Returns what was done and what is being done.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        let free_bytes = self.shared.folder.free();
        self.shared.lock().numbers(free_bytes)
    }

    /// Returns a slate or an ident where it was drawn before.
    #[must_use]
    pub fn drawn(&self, card: &SlateCard) -> Option<Arc<Mezzanine>> {
        self.shared.folder.read(&card.id()).map(|found| found.mezzanine)
    }

    /// Returns a slate or an ident from the cache, or drawn when it is its turn: soon where it is to be shown, at leisure where it only
    /// lies ready.
    ///
    /// # Errors
    /// [`SlateError`] when ffmpeg cannot draw it.
    pub async fn slate(
        &self,
        channel: &ChannelId,
        card: &SlateCard,
        shown: bool,
    ) -> Result<Arc<Mezzanine>, SlateError> {
        if let Some(found) = self.drawn(card) {
            return Ok(found);
        }
        // Never closed. Whoever drew before may have drawn this one: it is looked for again.
        let _turn = self.shared.slates.of(shown).acquire().await;
        let (folder, tools) = (&self.shared.folder, &self.shared.tools);
        let family = self.shared.settings.children.of(channel);
        slate::task::make(card, shown, folder, tools, &family, &self.shared.token).await
    }
}

impl Shared {
    /// The lock is never held over an await, and nothing that holds it can panic half-way through a change.
    fn lock(&self) -> MutexGuard<'_, Workshop> {
        self.workshop.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.changed.send_modify(|generation| *generation = generation.wrapping_add(1));
    }

    fn lost(&self, id: &MezzanineId) {
        let lost = self.lock().lost(id);
        if lost {
            self.folder.remove(id);
            self.tell();
        }
    }
}
