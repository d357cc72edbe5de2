//! The channel's air: what is fed when, which run carries it, what comes out to viewers. Pure.
//!
//! Joins [`Feed`], [`Supervisor`], [`Packer`] and [`Timeline`] under one clock. It is told what airs; it knows nothing
//! of schedules and folders.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::counters::{Discontinuity, Published};
use crate::config::Language;
use crate::feed::{Airing, FedGop, Feed, IN_FLIGHT_MAX, Mismatch, Next};
use crate::hls::ladder::Offer;
use crate::hls::spool::Place;
use crate::hls::spool::task::Spooled;
use crate::hls::timeline::DateRange;
use crate::hls::{Chunk, Packer, Segment, Snapshot, Timeline};
use crate::on_air::Cause;
use crate::on_air::supervisor::{Patience, Supervisor};
use crate::prepare::Mezzanine;
use crate::prepare::subtitles::Captions;
use crate::units::{MediaTime, Msn, RunId};

/// How many GOPs a new run is given whether they are due or not.
const PRIMING_GOPS: usize = 3;

/// After this many runs in a row that began, ended and gave nothing back, the airing they choked on is let go: no item may take a channel
/// off the air.
const BARREN_MAX: u32 = 3;

/// How far ahead of the clock things happen, in station time.
#[derive(Clone, Copy, Debug)]
pub struct Lead {
    /// A GOP of an item is fed this long before its first frame is due. At a seam ffmpeg looks into up to two GOPs of
    /// the new item before it closes the old one's last chunk.
    pub item: SignedDuration,
    /// The same for the slate: short, so that it is soon gone when there is something to play.
    pub slate: SignedDuration,
    /// How late the edge may be before the lost time is given up: viewers have no more than this in their buffers.
    pub late_max: SignedDuration,
}

impl Lead {
    /// Returns the leads for a clock that runs `speed` times as fast as the world: the machine needs the same time of
    /// the world to do its work.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a few minutes in milliseconds")]
    pub fn at_speed(speed: f64) -> Self {
        let scaled = |millis: f64| SignedDuration::from_millis((millis * (speed / 4.0).max(1.0)) as i64);
        Self { item: scaled(4_000.0), slate: scaled(2_000.0), late_max: scaled(12_000.0) }
    }
}

/// Something the shell must do.
#[derive(Debug)]
pub enum AirAction {
    /// Start this run.
    Start(RunId),
    /// End this run at once, because …
    GiveUp(RunId, Cause, String),
    /// Give this GOP to the run.
    Feed {
        /// The run.
        run: RunId,
        /// The GOP.
        gop: FedGop,
        /// Whether it opens a new slot.
        new_slot: bool,
    },
    /// The first segment of an airing was published; its first frame is dated so.
    Begun(Arc<Airing>, Timestamp),
    /// The playlist changed.
    Published,
    /// Nothing more of this airing will air: runs that were given it end one after the other.
    LetGo(u64),
}

/// A channel's air.
#[derive(Debug)]
pub struct Air {
    lead: Lead,
    feed: Feed,
    supervisor: Supervisor,
    packer: Packer,
    timeline: Timeline,
    /// Closed segments whose time has not come.
    pending: VecDeque<Segment>,
    /// Airings that were begun and are not yet published to their end.
    airings: BTreeMap<u64, Arc<Airing>>,
    next_airing: u64,
    next_chunk: u64,
    /// How many runs in a row began and gave nothing back; those the machine could not begin do not count.
    choked: u32,
    /// A run to be ended with the next step.
    give_up: Option<(Cause, String)>,
    /// An airing that was let go, to be told with the next step.
    let_go: Option<u64>,
    /// Whether time was lost since the last segment.
    recovering: bool,
    published: Published,
}

impl Air {
    /// Returns an air whose first segment has this number and begins at `edge`.
    #[must_use]
    pub fn new(first: Msn, discontinuity_sequence: u64, edge: Timestamp, now: Timestamp, speed: f64) -> Self {
        Self {
            lead: Lead::at_speed(speed),
            feed: Feed::default(),
            supervisor: Supervisor::new(Patience::at_speed(speed), now),
            packer: Packer::default(),
            timeline: Timeline::new(first, discontinuity_sequence, edge).at_speed(speed),
            pending: VecDeque::new(),
            airings: BTreeMap::new(),
            next_airing: 1,
            next_chunk: 0,
            choked: 0,
            give_up: None,
            let_go: None,
            recovering: false,
            published: Published::default(),
        }
    }

    /// Publishes these renditions side by side.
    #[must_use]
    pub fn with_renditions(mut self, offers: &[Offer]) -> Self {
        self.timeline = self.timeline.with_renditions(offers);
        self
    }

    /// Offers subtitles in these languages; returns whether they can be. See [`Timeline::offer_subtitles`].
    pub fn offer_subtitles(&mut self, languages: &[Language], one_picture: &Offer) -> bool {
        self.timeline.offer_subtitles(languages, one_picture)
    }

    /// Takes the subtitles of an airing that was begun, and when its item ends, where that is known.
    pub fn hold_subtitles(&mut self, airing: u64, captions: Arc<Captions>, end: Option<MediaTime>) {
        self.timeline.hold_subtitles(airing, captions, end);
    }

    /// Returns when the next GOP to be taken from the airing will be on air: everything before it is fed.
    #[must_use]
    pub fn fed_edge(&self) -> Timestamp {
        let pending: MediaTime = self.pending.iter().map(|segment| segment.duration).sum();
        (pending + self.packer.duration() + self.feed.ahead()).after(self.timeline.edge())
    }

    /// Takes how much later the wall clock is than the station's own time: segments are dated by it.
    pub fn follow(&mut self, stepped: SignedDuration) {
        self.timeline.follow(stepped);
    }

    /// Returns when the newest published segment ends.
    #[must_use]
    pub fn edge(&self) -> Timestamp {
        self.timeline.edge()
    }

    /// Returns the number of the next segment and the discontinuity sequence after all that was published.
    #[must_use]
    pub fn continuity(&self) -> (Msn, u64) {
        (self.timeline.next_msn(), self.timeline.discontinuities())
    }

    /// Returns what was published so far.
    #[must_use]
    pub fn published(&self) -> &Published {
        &self.published
    }

    /// Returns the present or last run.
    #[must_use]
    pub fn run(&self) -> RunId {
        self.supervisor.run()
    }

    /// Whether a run lives.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.supervisor.is_up()
    }

    /// Returns the airing being fed, while it lasts.
    #[must_use]
    pub fn current(&self) -> Option<&Arc<Airing>> {
        self.feed.current()
    }

    /// Returns the mezzanine being fed.
    #[must_use]
    pub fn mezzanine(&self) -> Option<&Arc<Mezzanine>> {
        self.feed.mezzanine()
    }

    /// Returns the airings after one that were begun and are not published yet, soonest first.
    #[must_use]
    pub fn coming(&self, after: u64) -> impl DoubleEndedIterator<Item = &Arc<Airing>> {
        self.airings.range(after + 1..).map(|(_, airing)| airing)
    }

    /// Returns the oldest airing of which something is still to be fed or to come back.
    #[must_use]
    pub fn oldest_airing(&self) -> Option<u64> {
        self.feed.oldest_airing()
    }

    /// Returns the segments whose bytes may go to files.
    #[must_use]
    pub fn cooled(&self) -> Vec<(Place, Bytes)> {
        self.timeline.cooled()
    }

    /// Takes note that a segment's bytes are in a file now.
    pub fn spooled(&mut self, place: Place, spooled: Spooled) {
        self.timeline.spooled(place, spooled);
    }

    /// Returns what viewers are served.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.timeline.snapshot()
    }

    /// Moves the edge forward before anything was fed: where the channel begins.
    pub fn start_at(&mut self, edge: Timestamp) {
        self.timeline.jump_to(edge);
    }

    /// Begins an airing at a GOP; the one before is cut at the boundary it has reached. Returns its number.
    pub fn begin(&mut self, airing: Airing, mezzanine: Arc<Mezzanine>, from_gop: usize) -> Arc<Airing> {
        let airing = Arc::new(Airing { id: self.next_airing, begins: self.fed_edge(), ..airing });
        self.next_airing += 1;
        self.airings.insert(airing.id, Arc::clone(&airing));
        self.feed.begin(Arc::clone(&airing), mezzanine, from_gop);
        airing
    }

    /// Takes note that the item on air has grown; what was begun anew instead is cut at the GOP reached.
    pub fn grow(&mut self, mezzanine: &Arc<Mezzanine>) {
        if !self.feed.grow(mezzanine) {
            self.feed.cut();
        }
    }

    /// Ends the present airing at the GOP boundary it has reached.
    pub fn cut(&mut self) {
        self.feed.cut();
    }

    /// Whether it is time to feed, and there may be nothing to feed: the caller should begin an airing if the present
    /// one has ended.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        (self.feed_at() <= now || self.is_priming()) && self.feed.in_flight() < IN_FLIGHT_MAX
    }

    /// A chunk is closed by the GOP after it: a new run is given two more than are due, so that its first chunk comes at
    /// once, also where the second begins a new item that ffmpeg must first look into.
    fn is_priming(&self) -> bool {
        self.supervisor.is_up() && self.next_chunk == 0 && self.feed.in_flight() < PRIMING_GOPS
    }

    fn feed_at(&self) -> Timestamp {
        let slate = self.feed.current().is_none_or(|airing| airing.programme.is_none());
        self.fed_edge() - if slate { self.lead.slate } else { self.lead.item }
    }

    /// Whether the edge is so late that the time is lost.
    #[must_use]
    pub fn is_lost(&self, now: Timestamp) -> bool {
        now.duration_since(self.fed_edge()) > self.lead.late_max
    }

    /// Gives up lost time: publishes what is there, lets go of the run, and goes on at `edge`.
    pub fn resync(&mut self, edge: Timestamp, now: Timestamp) -> Vec<AirAction> {
        let mut actions = Vec::new();
        self.pending.extend(self.packer.close());
        self.publish_due(now, &mut actions);
        self.feed.abandon();
        self.airings.clear();
        self.timeline.jump_to(edge);
        self.recovering = true;
        self.give_up = Some((Cause::Internal, "the channel lost time".to_owned()));
        actions.extend(self.give_up(now));
        actions
    }

    /// Does everything that is due, as far as there is something to feed.
    pub fn step(&mut self, now: Timestamp) -> Vec<AirAction> {
        let mut actions = Vec::new();
        if self.supervisor.stalled(now) {
            self.give_up = Some((Cause::Stalled, "stalled: what was fed does not come back".to_owned()));
        }
        actions.extend(self.give_up(now));
        actions.extend(self.let_go.take().map(AirAction::LetGo));
        if let Some(run) = self.supervisor.start(now) {
            self.next_chunk = 0;
            actions.push(AirAction::Start(run));
        }
        while self.supervisor.is_up() && (self.is_due(now) || self.feed.again() > MediaTime::ZERO) {
            let Next::Gop { gop, new_slot } = self.feed.take_next() else { break };
            self.supervisor.fed(now);
            actions.push(AirAction::Feed { run: self.supervisor.run(), gop, new_slot });
        }
        self.publish_due(now, &mut actions);
        actions
    }

    fn give_up(&mut self, now: Timestamp) -> Option<AirAction> {
        let (cause, reason) = self.give_up.take()?;
        let run = self.supervisor.run();
        let was_up = self.supervisor.is_up();
        self.run_ended(run, now);
        was_up.then_some(AirAction::GiveUp(run, cause, reason))
    }

    /// Returns when the next step is due if nothing happens before.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        let publish = self.pending.front().map(|segment| segment.duration.after(self.timeline.edge()));
        let feed = self.supervisor.is_up().then(|| self.feed_at());
        let dates = [publish, feed, self.supervisor.deadline()];
        dates.into_iter().flatten().min().unwrap_or(Timestamp::MAX)
    }

    /// Takes a chunk of a run; one that belongs to a run given up is ignored, one that cannot be what was fed ends the
    /// run.
    ///
    /// The length that ffmpeg gives the `last` of a run is a guess; the index knows better.
    pub fn chunk(&mut self, run: RunId, number: u64, renditions: Vec<Vec<Bytes>>, duration: MediaTime, last: bool) {
        if run != self.supervisor.run() || !self.supervisor.is_up() || self.give_up.is_some() {
            return;
        }
        if number != self.next_chunk {
            let reason = format!("chunk {number} came where {} was due", self.next_chunk);
            self.give_up = Some((Cause::Internal, reason));
            return;
        }
        match self.feed.returned(duration) {
            Ok(gop) => {
                self.next_chunk += 1;
                self.supervisor.returned();
                let chunk = Chunk {
                    renditions,
                    duration: if last { gop.duration() } else { duration },
                    airing: gop.airing.id,
                    run,
                    signature: Arc::clone(&gop.mezzanine.signature),
                    remaining: gop.remaining(),
                };
                self.pending.extend(self.packer.push(chunk));
            }
            Err(mismatch @ (Mismatch::NothingFed | Mismatch::Duration { .. })) => {
                self.give_up = Some((Cause::Internal, mismatch.to_string()));
            }
        }
    }

    /// Takes note that a run is over, by what it was given or by itself; the next step starts another when its time has
    /// come.
    pub fn run_ended(&mut self, run: RunId, now: Timestamp) {
        if run == self.supervisor.run() && self.supervisor.is_up() {
            self.run_not_begun(run, now);
            self.choked = if self.supervisor.barren() == 0 { 0 } else { self.choked.saturating_add(1) };
            if self.choked >= BARREN_MAX
                && let Some(airing) = self.feed.oldest_airing()
            {
                self.feed.drop_airing(airing);
                self.let_go = Some(airing);
            }
        }
    }

    /// Takes note that the machine could not begin a run, or feed it: nothing is let go for that, however often.
    pub fn run_not_begun(&mut self, run: RunId, now: Timestamp) {
        if run == self.supervisor.run() && self.supervisor.is_up() {
            self.supervisor.ended(now);
            self.feed.run_ended();
            // What waits in the packer belongs to the dead run: it goes out as it is, however short.
            self.pending.extend(self.packer.close());
        }
    }

    /// Takes note that an airing's bytes cannot be read: it is fed no more, the run that waits for it is let go.
    pub fn unreadable(&mut self, airing: u64, now: Timestamp) {
        let run = self.supervisor.run();
        self.run_ended(run, now);
        self.feed.drop_airing(airing);
    }

    /// "EXT-X-PROGRAM-DATE-TIME never in the future": a segment goes out when its last frame is due.
    fn publish_due(&mut self, now: Timestamp, actions: &mut Vec<AirAction>) {
        let before = actions.len();
        while let Some(mut segment) = self.pending.pop_front() {
            if segment.duration.after(self.timeline.edge()) > now {
                self.pending.push_front(segment);
                break;
            }
            let airing = self.airings.get(&segment.airing).cloned();
            let item = |airing: &Arc<Airing>| airing.programme.as_ref().is_some_and(|programme| !programme.is_card());
            if airing.as_ref().is_some_and(item) {
                self.timeline.aired(&segment);
            }
            let from = airing.as_ref().map_or(MediaTime::ZERO, |airing| airing.from);
            let begun = airing.filter(|_| segment.first_of_airing);
            let date = self.timeline.edge();
            if segment.first_of_airing {
                self.airings = self.airings.split_off(&segment.airing);
            }
            let range = begun.as_deref().and_then(|airing| date_range(airing, self.timeline.date()));
            self.timeline.complete(&mut segment, from);
            self.count(&segment);
            self.timeline.publish(segment, range, now);
            actions.extend(begun.map(|airing| AirAction::Begun(airing, date)));
            actions.push(AirAction::Published);
        }
        // One rendering for all that went out together.
        if actions.len() > before {
            actions.retain(|action| !matches!(action, AirAction::Published));
            actions.push(AirAction::Published);
        }
    }
}

impl Air {
    /// Counts a segment that is about to be published.
    fn count(&mut self, segment: &Segment) {
        let is_redated = self.timeline.is_redated();
        self.published.segments += 1;
        self.published.bytes += segment.renditions.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
        self.published.media += segment.duration;
        if segment.discontinuity || is_redated {
            let cause = match std::mem::take(&mut self.recovering) {
                _ if is_redated => Discontinuity::ClockStep,
                true => Discontinuity::Recovery,
                false if segment.new_run => Discontinuity::Restart,
                false => Discontinuity::Item,
            };
            self.published.discontinuities[cause as usize] += 1;
        }
    }
}

fn date_range(airing: &Airing, date: Timestamp) -> Option<DateRange> {
    let programme = airing.programme.as_ref().filter(|programme| !programme.is_card())?;
    Some(DateRange {
        id: format!("{}-{}", programme.serial, date.as_second()),
        start: date - airing.from.to_duration(),
        planned: programme.duration,
        title: programme.metadata.title.clone(),
    })
}

#[cfg(test)]
#[path = "air_laws.rs"]
mod laws;
