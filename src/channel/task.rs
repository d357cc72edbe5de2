//! One channel: performs what its core decides. The only place where a channel touches the world.
#![expect(clippy::disallowed_methods, reason = "opens mezzanines")]

mod ident;
mod memory;
mod offers;
mod skip;
mod supply;
mod titles;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::ident::Ident;
pub use self::ident::drawn_ident;
pub use self::offers::{offers, one_picture};
use self::skip::{SKIPS_MAX, Skip};
pub use self::skip::{Skips, ask_to_skip};
use self::supply::{Drawn, SLATE_REST, is_for_now, kept_plan};
use self::titles::{Captioned, Reading};
use super::air::{Air, AirAction};
use super::core::{Action, BACKLOG, Core};
use super::counters::{Counters, Published};
use super::director::{Director, Idle};
use super::keep::{self, Kept};
use super::names::Names;
use super::report::{begun, report_end, report_list_end};
use super::status::{AiringStatus, ChannelState, ChannelStatus, LibraryCounts};
use crate::clock::Clock;
use crate::config;
use crate::feed::{Airing, FedGop, IN_FLIGHT_MAX};
use crate::ffmpeg::Family;
use crate::hls::Snapshot;
use crate::hls::spool::task::Spool;
use crate::library::{Catalogue, Reproach};
use crate::on_air::slots::SLOTS;
use crate::on_air::task::RunSettings;
use crate::on_air::{self, Cause, GopOrder, RunEvent};
use crate::prepare::subtitles::task::Titles;
use crate::prepare::{Look, Mezzanine, MezzanineId, Prepared, Preparer};
use crate::store::{Aired, Store};
use crate::units::{ContentKey, Msn, RunId};

/// How many events of the runs may wait for the channel.
const EVENTS_MAX: usize = 64;

/// What a channel works with.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Its configuration.
    pub config: Arc<config::Channel>,
    /// The ffmpeg program.
    pub ffmpeg: PathBuf,
    /// Where runs have their folders.
    pub run_folder: PathBuf,
    /// The station's time.
    pub clock: Clock,
    /// What each run's timestamps begin with, in seconds.
    pub first_timestamp: u32,
    /// What survives a restart.
    pub store: Store,
    /// The workshop.
    pub preparer: Preparer,
    /// How its cards look, now and whenever that changes.
    pub look: watch::Receiver<Look>,
    /// The subtitles of its items.
    pub titles: Titles,
    /// Whose children its ffmpegs are.
    pub family: Family,
    /// Its library.
    pub catalogue: watch::Receiver<Arc<Catalogue>>,
    /// Ends the channel.
    pub token: CancellationToken,
    /// Everything the channel starts is waited for here.
    pub tracker: TaskTracker,
}

/// Where a channel tells what it does.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// What is on, and why.
    pub status: Arc<watch::Sender<Arc<ChannelStatus>>>,
    /// Playlist and segments.
    pub snapshot: Arc<watch::Sender<Arc<Snapshot>>>,
    /// What it has done.
    pub counters: Arc<Counters>,
    /// Where its present life may be asked for a skip; none before it has begun.
    pub skips: Arc<watch::Sender<Option<Skips>>>,
}

impl Outputs {
    /// Tells that the channel is off the air: there is nothing to watch, and it will not begin by itself.
    pub fn lie_still(&self, config: &config::Channel, now: Timestamp) {
        let status = ChannelStatus::lifeless(&config.id, &config.name, ChannelState::Off);
        self.skips.send_replace(None);
        self.status.send_replace(Arc::new(status));
        self.snapshot.send_replace(Arc::default());
        self.counters.state(ChannelState::Off, now);
    }
}

/// Lives a channel until its token ends.
pub async fn run(parts: Parts, outputs: Outputs) {
    let (mut shell, mut inbox) = Shell::begin(parts, outputs).await;
    loop {
        shell.step();
        let deadline = shell.core.deadline(shell.parts.clock.now());
        tokio::select! {
            biased;
            () = shell.parts.token.cancelled() => break,
            Some(event) = inbox.events.recv() => {
                shell.event(event);
                while let Ok(event) = inbox.events.try_recv() {
                    shell.event(event);
                }
            }
            Some(skip) = inbox.skips.recv() => shell.skip(skip),
            Some(captioned) = inbox.captioned.recv() => shell.captioned(captioned),
            Some(drawn) = inbox.drawings.recv() => shell.drawn(drawn),
            Ok(()) = inbox.catalogue.changed() => {
                let catalogue = Arc::clone(&inbox.catalogue.borrow_and_update());
                shell.library_changed(catalogue);
            }
            Ok(()) = inbox.workshop.changed() => shell.workshop_changed(),
            Ok(()) = inbox.look.changed() => shell.look_changed(),
            () = shell.parts.clock.sleep_until(deadline) => {}
        }
    }
    shell.stop();
}

/// What a channel listens to.
struct Inbox {
    events: mpsc::Receiver<RunEvent>,
    drawings: mpsc::Receiver<Drawn>,
    skips: mpsc::Receiver<Skip>,
    captioned: mpsc::Receiver<Captioned>,
    catalogue: watch::Receiver<Arc<Catalogue>>,
    workshop: watch::Receiver<u64>,
    look: watch::Receiver<Look>,
}

/// A run that lives.
struct LiveRun {
    run: RunId,
    gops: mpsc::Sender<GopOrder>,
    token: CancellationToken,
    stalled: Arc<AtomicBool>,
    /// How many slots of its list were opened.
    slots: usize,
}

struct Shell {
    parts: Parts,
    outputs: Outputs,
    core: Core,
    profile: Arc<config::Profile>,
    /// What its items are called in the workshop.
    names: Names,
    live: Option<LiveRun>,
    /// What airs, opened, and which mezzanine it is.
    files: BTreeMap<u64, (Arc<File>, MezzanineId)>,
    spool: Spool,
    events: mpsc::Sender<RunEvent>,
    drawings: mpsc::Sender<Drawn>,
    reading: Reading,
    /// Which slate is there or being made, and until when a failed one is not tried again.
    slate_for: Option<Idle>,
    slate_again: Timestamp,
    /// Which card of the timetable is being made, and until when a failed one is not tried again.
    card_for: Option<Arc<str>>,
    card_again: Timestamp,
    ident: Ident,
    /// Until when a channel that expects an item leaves the machine to it.
    slate_rest: Timestamp,
    kept: watch::Sender<Kept>,
    aired: mpsc::Sender<Aired>,
    plan_changed: bool,
    plan_kept: Timestamp,
    continuity_kept: Timestamp,
    library: LibraryCounts,
    /// Why the files that the library refused were refused.
    refused: [usize; Reproach::ALL.len()],
    /// What was published when it was last counted.
    counted: Published,
    told: Option<(u64, Timestamp, ChannelState)>,
    /// What was on in earlier lives.
    before: Arc<[AiringStatus]>,
}

impl Shell {
    async fn begin(parts: Parts, outputs: Outputs) -> (Self, Inbox) {
        let (now, stepped) = (parts.clock.now(), parts.clock.stepped());
        let id = parts.config.id.clone();
        let continuity = parts.store.load_continuity(id.clone()).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "failed to read the sequence numbers that were kept");
            None
        });
        let first = Msn(keep::first_number(continuity.map(|at| at.msn), now + stepped));
        let discontinuities = keep::first_discontinuity(continuity.map(|at| at.discontinuity_sequence));
        let speed = parts.clock.speed();
        let profile = Arc::new(parts.config.profile.clone());
        let ident = Ident::new(&parts, &profile, now);
        let plan = kept_plan(&parts, &ident, stepped).await;
        let director = Director::new(parts.config.order.clone(), Arc::clone(&profile), plan, speed).stepped(stepped);
        let air =
            Air::new(first, discontinuities, now - BACKLOG * 2, now, speed).with_renditions(&offers(&parts.config));

        let (events, events_inbox) = mpsc::channel(EVENTS_MAX);
        let (drawings, drawings_inbox) = mpsc::channel(4);
        let (reading, captioned) = Reading::new();
        let (kept, kept_inbox) = watch::channel(Kept::default());
        let (aired, aired_inbox) = mpsc::channel(keep::AIRED_WAITING_MAX);
        let keeper = keep::task::run(id, parts.store.clone(), kept_inbox, aired_inbox, CancellationToken::new());
        parts.tracker.spawn(keeper);
        let (skips, skips_inbox) = mpsc::channel(SKIPS_MAX);
        outputs.skips.send_replace(Some(skips));
        let mut catalogue = parts.catalogue.clone();
        catalogue.mark_changed();
        let inbox = Inbox {
            events: events_inbox,
            drawings: drawings_inbox,
            skips: skips_inbox,
            captioned,
            catalogue,
            workshop: parts.preparer.subscribe(),
            look: parts.look.clone(),
        };
        let shell = Self {
            core: Core::new(director, air),
            profile,
            names: Names::new(&parts.config.profile),
            live: None,
            files: BTreeMap::new(),
            spool: Spool::default(),
            events,
            drawings,
            reading,
            slate_for: None,
            slate_again: now,
            card_for: None,
            card_again: now,
            ident,
            slate_rest: now + SLATE_REST,
            kept,
            aired,
            plan_changed: false,
            plan_kept: now - SignedDuration::from_hours(1),
            continuity_kept: now - SignedDuration::from_hours(1),
            library: LibraryCounts::default(),
            refused: Default::default(),
            counted: Published::default(),
            told: None,
            before: keep::task::before(&parts.store, &parts.config.id, now + stepped).await,
            parts,
            outputs,
        };
        (shell, inbox)
    }

    /// Lets the core decide and does what it says.
    fn step(&mut self) {
        let now = self.parts.clock.now();
        self.plan_changed |= self.core.follow(self.parts.clock.stepped());
        let (preparer, names, ident) = (&self.parts.preparer, &self.names, &self.ident);
        let state = |key: &ContentKey| ident.of(key).map_or_else(|| preparer.state(&names.of(key)), Prepared::Ready);
        let actions = self.core.step(now, &state);
        let decided = actions.iter().any(|action| matches!(action, Action::Plan));
        for action in actions {
            self.perform(action, now);
        }
        if decided {
            self.plan_changed = true;
            self.ask_for_items();
        }
        self.ask_for_slate(now);
        self.ask_for_card(now);
        self.ask_for_ident(now);
        self.keep(now);
        self.tell();
        self.outputs.counters.state(self.core.state(), now);
        self.outputs.counters.fed_to(self.core.air().fed_edge());
    }

    fn perform(&mut self, action: Action, now: Timestamp) {
        match action {
            Action::Air(AirAction::Start(run)) => self.start(run),
            Action::Air(AirAction::GiveUp(run, cause, reason)) => {
                tracing::error!(%run, reason, "on-air run is given up");
                self.give_up_run(cause);
            }
            Action::Air(AirAction::Feed { run, gop, new_slot }) => self.feed(run, &gop, new_slot, now),
            Action::Air(AirAction::Begun(airing, date)) => {
                if begun(&airing, date, self.core.dated(date)) {
                    self.outputs.counters.airing_began();
                }
            }
            Action::Air(AirAction::Published) => {
                let published = *self.core.air().published();
                self.outputs.counters.published(&self.counted, &published, self.core.dated(now));
                self.counted = published;
                for (place, bytes) in self.core.air().cooled() {
                    if let Some(spooled) = self.spool.put(&bytes, now) {
                        self.core.spooled(place, spooled);
                    }
                }
                self.outputs.counters.spooled(self.spool.taken());
                self.outputs.snapshot.send_replace(Arc::new(self.core.air().snapshot()));
            }
            Action::Air(AirAction::LetGo(airing)) => {
                let item = self.files.get(&airing).map(|(_, id)| id.key.to_string());
                tracing::error!(item, "an airing is let go: every run that was given it ended and gave nothing back");
            }
            Action::Open(airing, mezzanine) => self.open(&airing, &mezzanine, now),
            Action::Aired(airing, since, length) => self.note_aired(&airing, since, length),
            Action::Plan => {}
        }
    }

    fn feed(&mut self, run: RunId, gop: &FedGop, new_slot: bool, now: Timestamp) {
        let airing = gop.airing.id;
        if self.live.as_ref().is_none_or(|live| live.run != run) {
            return;
        }
        let file = match self.files.get(&airing) {
            Some((file, _)) => Ok(Arc::clone(file)),
            // It could not be opened when its airing began.
            None => File::open(&gop.mezzanine.path).map(Arc::new),
        };
        let file = match file {
            Ok(file) => Arc::clone(&self.files.entry(airing).or_insert_with(|| (file, gop.mezzanine.id.clone())).0),
            Err(error) => {
                // What this run has not returned is kept for the next, which begins after a rest.
                let reason = format!("a mezzanine could not be opened: {error}");
                let cause = Cause::Internal;
                self.give_up_run(cause);
                return self.core.run_event(RunEvent::Ended { run, evidence: None, cause, reason }, now);
            }
        };
        let place = gop.mezzanine.gops[gop.index];
        let order = GopOrder { file, airing, offset: place.offset, len: place.len, sum: place.sum, new_slot };
        if let Some(live) = &mut self.live {
            live.slots += usize::from(new_slot);
            if live.gops.try_send(order).is_err() {
                tracing::debug!(%run, "the run takes no more");
            }
        }
    }

    fn start(&mut self, run: RunId) {
        self.end_run();
        let (gops, orders) = mpsc::channel(IN_FLIGHT_MAX);
        let (token, stalled) = (self.parts.token.child_token(), Arc::<AtomicBool>::default());
        let settings = RunSettings {
            ffmpeg: self.parts.ffmpeg.clone(),
            folder: self.parts.run_folder.join(format!("{}-{run}", self.parts.config.id)),
            run,
            first_timestamp: self.parts.first_timestamp,
            renditions: self.profile.pictures(),
            family: self.parts.family.clone(),
            stalled: Arc::clone(&stalled),
        };
        let life = on_air::task::run(settings, orders, self.events.clone(), token.clone());
        self.parts.tracker.spawn(tracing::Instrument::instrument(life, tracing::info_span!("run", %run)));
        self.live = Some(LiveRun { run, gops, token, stalled, slots: 0 });
    }

    fn end_run(&mut self) {
        if let Some(live) = self.live.take() {
            live.token.cancel();
        }
    }

    /// Ends the run, which another is to follow.
    fn give_up_run(&mut self, cause: Cause) {
        if let Some(live) = &self.live {
            live.stalled.store(cause == Cause::Stalled, Ordering::Relaxed);
            self.outputs.counters.restarted(cause);
        }
        self.end_run();
    }

    fn open(&mut self, airing: &Arc<Airing>, mezzanine: &Mezzanine, now: Timestamp) {
        self.files = self.files.split_off(&self.core.air().oldest_airing().unwrap_or(airing.id));
        match File::open(&mezzanine.path) {
            Ok(file) => {
                self.files.insert(airing.id, (Arc::new(file), mezzanine.id.clone()));
                self.caption(airing, mezzanine);
            }
            // The file may be there, the handles are not: the item airs when they are back.
            Err(error) if is_for_now(&error) => tracing::warn!(%error, "mezzanine could not be opened for now"),
            Err(error) => {
                tracing::error!(%error, path = %mezzanine.path.display(), "mezzanine could not be opened; it is made again");
                self.lost(&mezzanine.id, now);
                self.core.unreadable(airing.id, now);
                self.give_up_run(Cause::Internal);
            }
        }
    }

    fn event(&mut self, event: RunEvent) {
        match &event {
            RunEvent::Ended { run, evidence, cause, reason } => {
                if let Some(live) = self.live.take_if(|live| live.run == *run) {
                    self.outputs.counters.restarted(*cause);
                    if *cause == Cause::Ended && live.slots >= SLOTS {
                        report_list_end(*run);
                    } else {
                        report_end(*run, evidence.as_ref(), reason, self.core.air().current());
                    }
                }
            }
            RunEvent::Unreadable { run, airing, reason } => {
                tracing::error!(%run, airing, reason, "mezzanine could not be read; it is made again");
                if let Some((_, id)) = self.files.get(airing) {
                    self.lost(&id.clone(), self.parts.clock.now());
                }
                self.give_up_run(Cause::Internal);
            }
            RunEvent::Chunk { run, number: 0, .. } => tracing::info!(%run, "on-air ffmpeg delivers"),
            RunEvent::Chunk { .. } => {}
        }
        self.core.run_event(event, self.parts.clock.now());
    }

    fn tell(&mut self) {
        let state = self.core.state();
        let now_told = (self.core.generation(), self.core.air().edge(), state);
        if self.told == Some(now_told) && self.outputs.status.borrow().library == self.library {
            return;
        }
        self.told = Some(now_told);
        let begun = state != ChannelState::Starting;
        let status = ChannelStatus {
            id: self.parts.config.id.clone(),
            name: self.parts.config.name.as_str().into(),
            state,
            reason: self.core.idle().map(|idle| idle.sentence().into()),
            aired: self.core.aired(),
            before: Arc::clone(&self.before),
            next: self.core.what_comes(),
            run: self.core.air().run(),
            restarts: self.core.air().run().0.saturating_sub(1),
            library: self.library,
            edge: begun.then(|| self.core.dated(self.core.air().edge())),
        };
        self.outputs.status.send_replace(Arc::new(status));
    }

    fn stop(mut self) {
        self.end_run();
        let (plan, continuity) = (keep::to_store(&self.core), self.continuity());
        // The keeper writes the newest once its channel, this shell, is gone.
        self.kept.send_modify(|kept| *kept = Kept { plan, continuity: Some(continuity) });
    }
}
