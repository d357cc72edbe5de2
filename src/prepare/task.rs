//! The preparing service: bounded workers, their states, the cache on the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::cache::{self, Kept};
use super::folder::task::Folder;
use super::job::{Growth, JobError, Made, Request, Tools, sentence};
use super::mezzanine::{Mezzanine, MezzanineId};
use super::numbers::{Numbers, Work};
use super::queue::{Ended, Next, Queue, RETRIES_MAX, Want};
use super::slate::{self, SlateCard, SlateError};
use super::trial::Chosen;
use super::{Prepared, job::task as job_task, trial::task as trial};
use crate::clock::Clock;
use crate::config::EncoderChoice;
use crate::ffmpeg::child::{ChildSpec, Limits, Role};
use crate::ffmpeg::encoders::Codec;
use crate::ffmpeg::family::{Children, Family};
use crate::ffmpeg::task as child;
use crate::library::Item;
use crate::units::{ChannelId, MediaTime};

/// How long ffmpeg may take to list its filters.
const ABILITIES_LIMIT: Duration = Duration::from_secs(20);
/// How long that list may be, in bytes (9.0: 40 kB).
const ABILITIES_MAX: u64 = 1 << 20;
/// How often to look again although nothing happened: somebody may have made room on the disk, or removed a mezzanine.
const LOOK_PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// How long an item rests whose preparation was interrupted again and again: by no fault of its own, perhaps.
const FORGIVE_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// How the reason of such an item ends: a later life of the station tries it at once.
const TRIED_AGAIN: &str = "it is tried again in half an hour";
/// How often a disk that takes nothing is told of.
const BLOCKED_TOLD_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// How much more than a good codec's picture a file may take before its ffmpeg is called endless.
const ENDLESS: u64 = 2;
/// How many ends of preparations may wait to be noted: there are only as many as workers.
const ENDS_MAX: usize = 64;

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
    state: Mutex<State>,
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

#[derive(Debug, Default)]
struct State {
    queue: Queue,
    prepared: BTreeMap<MezzanineId, Prepared>,
    /// When each mezzanine on the disk was last wanted or made.
    used: BTreeMap<MezzanineId, Timestamp>,
    running: BTreeMap<MezzanineId, Running>,
    /// What was done for each channel; there are as many as were ever configured.
    work: BTreeMap<ChannelId, Work>,
    evictions: u64,
    /// Failures that are forgotten at a moment.
    forgive: BTreeMap<MezzanineId, Timestamp>,
    /// Why nothing is begun although something is wanted: told once.
    held: bool,
    /// When it was last told that the disk takes nothing.
    blocked: Option<Timestamp>,
    jobs: u64,
}

/// A preparation under way.
#[derive(Debug)]
struct Running {
    /// What it will take on the disk, in bytes.
    bytes: u64,
    /// Ends it.
    token: CancellationToken,
    channel: ChannelId,
    since: Timestamp,
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
        let (opened, tools) = tokio::join!(opened, abilities(&settings, &token));
        let (folder, found) = opened.map_err(io::Error::other)??;
        let mut state = State::default();
        for one in slate::task::retain_newest(found, &folder) {
            state.used.insert(one.mezzanine.id.clone(), one.changed);
            state.prepared.insert(one.mezzanine.id.clone(), Prepared::Ready(one.mezzanine));
        }
        for (id, reason) in settings.failures.iter().filter(|(_, reason)| !reason.ends_with(TRIED_AGAIN)) {
            state.prepared.entry(id.clone()).or_insert_with(|| Prepared::Failed(Arc::clone(reason)));
        }
        tracing::info!(
            mezzanines = state.used.len(),
            tone_map = tools.can_tone_map,
            text = tools.can_write_text,
            "preparing is ready"
        );
        // Whoever waits for a picture does not wait for this.
        tracker.spawn(choose_encoder(settings.clone(), tools.encoder.clone(), token.clone()));
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
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
        tracker.spawn(run(Arc::clone(&shared)));
        Ok(Self { shared })
    }

    /// Replaces what a channel wants, soonest first or not; what it wanted before and does not now is given up, but for
    /// what is already being made.
    pub fn want(&self, channel: &ChannelId, wants: Vec<Want>) {
        let now = self.shared.clock.now();
        {
            let mut state = self.shared.lock();
            state.queue.set(channel.clone(), wants);
            let dues = state.queue.dues();
            for (id, used) in &mut state.used {
                if dues.contains_key(id) {
                    *used = now;
                }
            }
            state.held = false;
        }
        self.shared.wake.notify_one();
    }

    /// Returns how far a mezzanine has got.
    #[must_use]
    pub fn state(&self, id: &MezzanineId) -> Prepared {
        self.shared.lock().prepared.get(id).cloned().unwrap_or(Prepared::Waiting)
    }

    /// Returns a number that changes whenever any state does.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Returns what failed for good, with the reasons, so that it can be remembered over a restart.
    #[must_use]
    pub fn failures(&self) -> Vec<(MezzanineId, Arc<str>)> {
        let state = self.shared.lock();
        let failed = |(id, prepared): (&MezzanineId, &Prepared)| match prepared {
            Prepared::Failed(reason) => Some((id.clone(), Arc::clone(reason))),
            _ => None,
        };
        state.prepared.iter().filter_map(failed).collect()
    }

    /// Forgets that a mezzanine failed, so that it is tried again when wanted.
    pub fn forget_failure(&self, id: &MezzanineId) {
        let forgotten = {
            let mut state = self.shared.lock();
            let failed = matches!(state.prepared.get(id), Some(Prepared::Failed(_)));
            state.forgive.remove(id);
            failed && state.prepared.remove(id).is_some()
        };
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
        let state = self.shared.lock();
        let settled =
            |id: &MezzanineId| matches!(state.prepared.get(id), Some(Prepared::Ready(_) | Prepared::Failed(_)));
        let mut speeds = BTreeMap::new();
        for (id, running) in &state.running {
            if let Some(Prepared::Growing { speed, .. }) = state.prepared.get(id) {
                *speeds.entry(running.channel.clone()).or_default() += *speed;
            }
        }
        Numbers {
            workers: self.shared.settings.workers,
            running: state.running.len(),
            waiting: state.queue.waiting(settled),
            speeds,
            work: state.work.clone(),
            cache_bytes: on_disk(&state),
            cache_budget_bytes: self.shared.settings.cache_budget_bytes,
            evictions: state.evictions,
            free_bytes,
        }
    }

    /// Returns a slate from the cache, or drawn when it is its turn: soon where it is to be shown, at leisure where it only
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
        if let Some(found) = self.shared.folder.read(&card.id()) {
            return Ok(found.mezzanine);
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
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.changed.send_modify(|generation| *generation = generation.wrapping_add(1));
    }

    fn lost(&self, id: &MezzanineId) {
        {
            let mut state = self.lock();
            if state.running.contains_key(id) {
                return;
            }
            state.used.remove(id);
            state.prepared.remove(id);
        }
        self.folder.remove(id);
        self.tell();
    }

    fn set(&self, id: &MezzanineId, prepared: Prepared) {
        self.lock().prepared.insert(id.clone(), prepared);
        self.tell();
    }
}

impl State {
    /// Tells of a failure: of a disk that takes nothing once, with what to do, however many items wait for it.
    fn tell_failure(&mut self, id: &MezzanineId, error: &JobError, over: bool, now: Timestamp) {
        let blocked = matches!(error, JobError::DiskFull | JobError::Unwritable(_));
        if blocked && self.blocked.is_some_and(|told| now.duration_since(told) < BLOCKED_TOLD_EVERY) {
            tracing::debug!(item = %id.key, %error, "preparing waits");
        } else if blocked {
            self.blocked = Some(now);
            tracing::error!(
                %error,
                "nothing can be prepared (hint: make room on the disk of the data folder, or make it writable; it goes on by itself)"
            );
        } else {
            tracing::warn!(item = %id.key, %error, over, "preparing failed");
        }
    }
}

type EndOf = (MezzanineId, Result<Made, JobError>);

/// Begins what is next whenever something changed, and notes what ended.
async fn run(shared: Arc<Shared>) {
    let (ends, mut ended) = mpsc::channel::<EndOf>(ENDS_MAX);
    let mut running = 0_usize;
    let mut look = shared.clock.now() + LOOK_PAUSE;
    loop {
        while let Some(begun) = choose(&shared) {
            running += 1;
            shared.tell();
            begin(&shared, begun, ends.clone());
        }
        let now = shared.clock.now();
        if now >= look {
            look = now + LOOK_PAUSE;
            look_after(&shared, now).await;
        }
        let retry = shared.lock().queue.next_retry(now).map_or(look, |retry| retry.min(look));
        tokio::select! {
            biased;
            () = shared.token.cancelled() => break,
            Some((id, outcome)) = ended.recv() => {
                running -= 1;
                note(&shared, &id, outcome).await;
            }
            () = shared.wake.notified() => {}
            () = shared.clock.sleep_until(retry) => {}
        }
    }
    // The workers were cancelled by the same token; their files go when the last has ended.
    while running > 0 && ended.recv().await.is_some() {
        running -= 1;
    }
    shared.folder.clear_tmp();
}

/// Looks after what nobody tells of: files that went away, work that nobody wants, failures that are old.
async fn look_after(shared: &Shared, now: Timestamp) {
    let (watched, forgiven) = {
        let mut state = shared.lock();
        let state = &mut *state;
        for id in state.queue.unwanted(now) {
            if let Some(running) = state.running.get(&id) {
                tracing::info!(item = %id.key, "nobody wants it any more: preparing ends");
                running.token.cancel();
            }
        }
        let old: Vec<_> = state.forgive.extract_if(.., |_, moment| *moment <= now).collect();
        for (id, _) in &old {
            state.prepared.remove(id);
        }
        let soon = state.queue.dues().into_iter().filter(|(_, (_, pinned))| *pinned);
        let ready = soon.filter_map(|(id, _)| match state.prepared.get(&id) {
            Some(Prepared::Ready(mezzanine)) => Some(Arc::clone(mezzanine)),
            _ => None,
        });
        (ready.collect::<Vec<_>>(), !old.is_empty())
    };
    if forgiven {
        shared.tell();
        shared.wake.notify_one();
    }
    let gone = |all: Vec<Arc<Mezzanine>>| all.into_iter().filter(|one| !Folder::is_whole(one)).collect::<Vec<_>>();
    let gone = tokio::task::spawn_blocking(move || gone(watched)).await.unwrap_or_default();
    for one in gone {
        tracing::error!(path = %one.path.display(), "a prepared file went away or was cut; it is made again");
        shared.lost(&one.id);
        shared.wake.notify_one();
    }
}

/// What was begun: the item, the beginning of its files' names, what ends it.
type Begun = (Next, String, CancellationToken);

/// Returns what is to be begun now, having noted it as begun and made room for it.
fn choose(shared: &Shared) -> Option<Begun> {
    let now = shared.clock.now();
    let mut evicted = Vec::new();
    let chosen = {
        let mut state = shared.lock();
        let state = &mut *state;
        let settled =
            |id: &MezzanineId| matches!(state.prepared.get(id), Some(Prepared::Ready(_) | Prepared::Failed(_)));
        let next = state.queue.next(settled, shared.settings.workers, now)?;
        let bytes = estimate(&next.want);
        let kept = kept(state);
        // A disk with less room than the budget is the budget.
        let held = on_disk(state);
        let budget = shared.settings.cache_budget_bytes.min(held.saturating_add(shared.folder.room()));
        if !next.urgent && !cache::worth_making(&kept, budget, bytes, next.want.due) {
            if !std::mem::replace(&mut state.held, true) {
                tracing::warn!(budget, needed = bytes, "cache full of what airs sooner; preparing waits");
            }
            return None;
        }
        for id in cache::evict(&kept, budget, bytes) {
            if id != next.id {
                state.prepared.remove(&id);
                state.used.remove(&id);
                state.evictions += 1;
                evicted.push(id);
            }
        }
        state.queue.started(&next.id);
        state.jobs += 1;
        let stem = format!("{}-{}", next.id.file_stem(), state.jobs);
        let token = shared.token.child_token();
        let running = Running { bytes, token: token.clone(), channel: next.channel.clone(), since: now };
        state.running.insert(next.id.clone(), running);
        (next, stem, token)
    };
    for id in evicted {
        tracing::debug!(item = %id.key, "evicted from the cache");
        shared.folder.remove(&id);
    }
    Some(chosen)
}

/// How many bytes of mezzanines are on the disk, whole or growing.
fn on_disk(state: &State) -> u64 {
    let bytes = |prepared: &Prepared| match prepared {
        Prepared::Ready(mezzanine) | Prepared::Growing { mezzanine, .. } => size(mezzanine),
        Prepared::Waiting | Prepared::Failed(_) => 0,
    };
    state.prepared.values().map(bytes).fold(0, u64::saturating_add)
}

fn size(mezzanine: &Mezzanine) -> u64 {
    mezzanine.gops.last().map_or(0, |gop| gop.offset + u64::from(gop.len))
}

/// Returns what takes room in the cache: what is ready, and what is being made, at the size it will have.
fn kept(state: &State) -> Vec<Kept> {
    let dues = state.queue.dues();
    let ready = state.prepared.values().filter_map(|prepared| match prepared {
        Prepared::Ready(mezzanine) => Some(mezzanine),
        _ => None,
    });
    let one = |mezzanine: &Arc<Mezzanine>| {
        let due = dues.get(&mezzanine.id);
        Kept {
            id: mezzanine.id.clone(),
            bytes: size(mezzanine),
            used: state.used.get(&mezzanine.id).copied().unwrap_or_default(),
            due: due.map(|(due, _)| *due),
            pinned: due.is_some_and(|(_, pinned)| *pinned),
        }
    };
    let running = state.running.iter().map(|(id, running)| Kept {
        id: id.clone(),
        bytes: running.bytes,
        used: Timestamp::MAX,
        due: None,
        pinned: true,
    });
    ready.map(one).chain(running).collect()
}

/// Returns about how many bytes a mezzanine will take: what the ceiling of its bit rate allows, but no more than a good
/// codec's picture can grow by. (The container's word on the length may be off by a day, the file's size is not.)
fn estimate(want: &Want) -> u64 {
    at_ceiling(want).min(as_grown(want))
}

/// Returns how many bytes no mezzanine needs, whatever its container says of its length.
fn endless(want: &Want) -> u64 {
    at_ceiling(want).saturating_add(as_grown(want)).saturating_mul(ENDLESS)
}

fn at_ceiling(want: &Want) -> u64 {
    let profile = &want.profile;
    let bits_a_second = u64::from(profile.kbps_max()) * 1000;
    let seconds = want.item.media.duration.max(MediaTime::ZERO).0.unsigned_abs() / 90_000 + 1;
    seconds.saturating_mul(bits_a_second / 8)
}

fn as_grown(want: &Want) -> u64 {
    const GROWTH_MAX: u64 = 8;
    const SHORT_BYTES: u64 = 64 << 20;
    want.item.stamp.size.saturating_mul(GROWTH_MAX).saturating_add(SHORT_BYTES)
}

fn begin(shared: &Arc<Shared>, (next, stem, token): Begun, ends: mpsc::Sender<EndOf>) {
    let span = tracing::info_span!("prepare", item = %next.want.item.name, urgent = next.urgent);
    let shared_job = Arc::clone(shared);
    let work = async move {
        let id = next.id.clone();
        let outcome = prepare(&shared_job, next, stem, &token).await;
        // The receiver lives until every worker has ended.
        let _sent = ends.send((id, outcome)).await;
    };
    shared.tracker.spawn(work.instrument(span));
}

async fn prepare(shared: &Shared, next: Next, stem: String, token: &CancellationToken) -> Result<Made, JobError> {
    try_writing(shared).await?;
    if shared.folder.room() < estimate(&next.want) {
        return Err(JobError::DiskFull);
    }
    let bytes_max = endless(&next.want);
    let request = Request {
        id: next.id,
        item: next.want.item,
        profile: next.want.profile,
        urgent: next.urgent,
        awaited: next.awaited,
        bytes_max,
        folder: shared.folder.tmp().to_owned(),
        stem,
        family: shared.settings.children.of(&next.channel),
    };
    tracing::info!("preparing begins");
    let report = |growth: Growth| {
        let Growth { mezzanine, speed, progress } = growth;
        shared.set(&request.id, Prepared::Growing { mezzanine, speed, progress });
    };
    let mut outcome = job_task::run(&request, &shared.tools, token, &report).await;
    if outcome.is_err() && !is_as_looked_into(&request.item).await {
        // What went wrong is no verdict on the item, which may come back as it was.
        outcome = Err(JobError::Changed);
    }
    if outcome.is_err() {
        shared.folder.remove_tmp(&request.stem);
    }
    match outcome {
        // An ffmpeg that cannot write says so in many ways; none of them is a verdict on the item.
        Err(JobError::Unfit(_) | JobError::Interrupted(_)) => try_writing(shared).await.and(outcome),
        outcome => outcome,
    }
}

async fn try_writing(shared: &Shared) -> Result<(), JobError> {
    let folder = shared.folder.clone();
    let tried = tokio::task::spawn_blocking(move || folder.try_writing()).await;
    tried.map_err(io::Error::other).flatten().map_err(|error| JobError::Unwritable(error.to_string()))
}

/// Whether an item's file is there with the size it had.
async fn is_as_looked_into(item: &Item) -> bool {
    tokio::fs::metadata(&item.path).await.is_ok_and(|about| about.len() == item.stamp.size)
}

/// Notes how a preparation ended and tells it.
async fn note(shared: &Arc<Shared>, id: &MezzanineId, outcome: Result<Made, JobError>) {
    let outcome = match outcome {
        Ok(made) => {
            let (folder, recipe, codec) = (shared.folder.clone(), made.recipe.clone(), made.codec);
            let keep = tokio::task::spawn_blocking(move || folder.keep(&made.mezzanine, Some(made.recipe)));
            let kept = keep.await.map_err(io::Error::other).and_then(|kept| kept);
            if kept.is_err() {
                shared.folder.remove_tmp(&id.file_stem());
            }
            let encoder = codec.map_or("kept", Codec::name);
            kept.map(|mezzanine| (mezzanine, recipe, encoder)).map_err(|error| JobError::Unwritable(error.to_string()))
        }
        Err(error) => Err(error),
    };
    let now = shared.clock.now();
    let mut state = shared.lock();
    if let Some(running) = state.running.remove(id) {
        let made = outcome.as_ref().map(|(mezzanine, recipe, _)| (recipe, mezzanine.duration(), size(mezzanine)));
        let took = now.duration_since(running.since).unsigned_abs().div_f64(shared.clock.speed());
        state.work.entry(running.channel).or_default().add(made, took);
    }
    match outcome {
        Ok((mezzanine, recipe, encoder)) => {
            tracing::info!(item = %id.key, ?recipe, encoder, length = %mezzanine.duration(), "prepared");
            state.queue.ended(id, Ended::Settled, now);
            if state.blocked.take().is_some() {
                tracing::info!("the data folder takes files again: preparing goes on");
            }
            state.used.insert(id.clone(), now);
            state.prepared.insert(id.clone(), Prepared::Ready(Arc::new(mezzanine)));
        }
        Err(error) => {
            let ended = match &error {
                JobError::Unfit(_) => Ended::Settled,
                JobError::Interrupted(_) => Ended::Interrupted,
                JobError::Cancelled => Ended::GivenUp,
                JobError::Changed | JobError::DiskFull | JobError::Exhausted(_) | JobError::Unwritable(_) => {
                    Ended::Blocked
                }
            };
            let over = state.queue.ended(id, ended, now);
            state.tell_failure(id, &error, over, now);
            if over {
                let mut reason = error.to_string();
                if ended == Ended::Interrupted {
                    state.forgive.insert(id.clone(), now + FORGIVE_AFTER);
                    reason = format!("{reason}, {} times in a row; {TRIED_AGAIN}", RETRIES_MAX + 1);
                }
                state.prepared.insert(id.clone(), Prepared::Failed(sentence(&reason).into()));
            } else {
                state.prepared.remove(id);
            }
        }
    }
    drop(state);
    shared.tell();
}

/// Finds out what makes pictures on this machine, and says so.
async fn choose_encoder(settings: Settings, chosen: Chosen, token: CancellationToken) {
    let Settings { ffmpeg, encoder, devices, .. } = settings;
    let tried = trial::choose(encoder, &ffmpeg, &devices, &Family::default(), &token).await;
    let words = tried.words();
    if encoder == EncoderChoice::Auto || encoder == EncoderChoice::X264 || tried.codec.is_hardware() {
        tracing::info!(encoder = tried.codec.name(), "{words}");
    } else {
        tracing::warn!(encoder = tried.codec.name(), "{words}");
    }
    chosen.set(tried.codec);
}

/// Asks ffmpeg which of the filters we could do without it has.
async fn abilities(settings: &Settings, token: &CancellationToken) -> Tools {
    let args = ["-hide_banner", "-nostdin", "-v", "error", "-filters"].map(Into::into).into();
    let limits = Limits::PROBE;
    // The station's own question, no channel's.
    let family = Family::default();
    let spec = ChildSpec { program: settings.ffmpeg.clone(), args, folder: None, role: Role::Probe, limits, family };
    let listed = child::run_to_end(&spec, ABILITIES_LIMIT, ABILITIES_MAX, token).await;
    let text = listed.map(|(_, text)| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
    let filters: BTreeSet<&str> = text.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    Tools {
        ffmpeg: settings.ffmpeg.clone(),
        ffprobe: settings.ffprobe.clone(),
        can_tone_map: filters.contains("zscale") && filters.contains("tonemap"),
        can_write_text: filters.contains("drawtext"),
        encoder: Chosen::default(),
    }
}
