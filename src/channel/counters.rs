//! What a channel has done since the server started, in numbers that anyone may read at any time.
//!
//! One for each channel, made before it and kept when it begins anew inside: no count goes back. Written by the channel,
//! a few times a second and without waiting for anybody.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::status::ChannelState;
use crate::on_air::Cause;
use crate::units::MediaTime;

/// Why a discontinuity stands before a segment; a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discontinuity {
    /// Another run of ffmpeg carries on.
    Restart,
    /// The system's clock was set.
    ClockStep,
    /// An item of other parameters begins.
    Item,
    /// Time was lost that could not be caught up.
    Recovery,
}

impl Discontinuity {
    /// Every cause, in their order.
    pub const ALL: [Self; 4] = [Self::Restart, Self::ClockStep, Self::Item, Self::Recovery];

    /// Returns its name in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::ClockStep => "clock_step",
            Self::Item => "item",
            Self::Recovery => "recovery",
        }
    }
}

/// What was published in one life of a channel's inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Segments.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their length.
    pub media: MediaTime,
    /// Discontinuities, in the order of [`Discontinuity::ALL`].
    pub discontinuities: [u64; Discontinuity::ALL.len()],
}

/// The numbers of a channel.
#[derive(Debug, Default)]
pub struct Counters {
    segments: AtomicU64,
    bytes: AtomicU64,
    media_ticks: AtomicI64,
    airings: AtomicU64,
    discontinuities: [AtomicU64; Discontinuity::ALL.len()],
    restarts: [AtomicU64; Cause::ALL.len()],
    /// When something was last published, by the wall clock, in milliseconds since the epoch; 0 before.
    published_ms: AtomicI64,
    /// Up to when media was fed, by the station's own time, in milliseconds since the epoch; 0 before.
    fed_ms: AtomicI64,
    spooled: AtomicU64,
    states: Mutex<States>,
}

/// How long the channel was in which state.
#[derive(Debug, Default)]
struct States {
    now: Option<(ChannelState, Timestamp)>,
    on_air: SignedDuration,
    slate: SignedDuration,
}

/// The numbers at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Numbers {
    /// All that was published.
    pub published: Published,
    /// Items that began.
    pub airings: u64,
    /// Ends of runs that another followed, in the order of [`Cause::ALL`].
    pub restarts: [u64; Cause::ALL.len()],
    /// When something was last published, by the wall clock.
    pub published_at: Option<Timestamp>,
    /// How much media is fed ahead of its time; negative when it is late.
    pub feed_lead: Option<SignedDuration>,
    /// Memory that segments take beside the server's own, in bytes.
    pub spooled: u64,
    /// How long something was going out.
    pub on_air: SignedDuration,
    /// How much of that was the slate.
    pub slate: SignedDuration,
}

impl Counters {
    /// Adds what was published since `before`, a while ago in the same life.
    pub fn published(&self, before: &Published, after: &Published, wall: Timestamp) {
        self.segments.fetch_add(after.segments - before.segments, Ordering::Relaxed);
        self.bytes.fetch_add(after.bytes - before.bytes, Ordering::Relaxed);
        self.media_ticks.fetch_add((after.media - before.media).0, Ordering::Relaxed);
        let counts = after.discontinuities.iter().zip(before.discontinuities);
        for (sum, (after, before)) in self.discontinuities.iter().zip(counts) {
            sum.fetch_add(after - before, Ordering::Relaxed);
        }
        self.published_ms.store(wall.as_millisecond(), Ordering::Relaxed);
    }

    /// Counts an item that began.
    pub fn airing_began(&self) {
        self.airings.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a run that came to its end and is followed by another.
    pub fn restarted(&self, cause: Cause) {
        self.restarts[cause as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Takes up to when media was fed, by the station's own time.
    pub fn fed_to(&self, edge: Timestamp) {
        self.fed_ms.store(edge.as_millisecond(), Ordering::Relaxed);
    }

    /// Takes how much memory segments take beside the server's own, in bytes.
    pub fn spooled(&self, bytes: u64) {
        self.spooled.store(bytes, Ordering::Relaxed);
    }

    /// Takes the state from now on, by the station's own time.
    pub fn state(&self, state: ChannelState, now: Timestamp) {
        let mut states = self.states();
        if states.now.is_none_or(|(before, _)| before != state) {
            (states.on_air, states.slate) = states.until(now);
            states.now = Some((state, now));
        }
    }

    /// Returns the numbers, `now` by the station's own time.
    #[must_use]
    pub fn read(&self, now: Timestamp) -> Numbers {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let moment = |ms: &AtomicI64| Some(ms.load(Ordering::Relaxed)).filter(|ms| *ms != 0);
        let moment = |ms| moment(ms).and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let (on_air, slate) = self.states().until(now);
        Numbers {
            published: Published {
                segments: count(&self.segments),
                bytes: count(&self.bytes),
                media: MediaTime(self.media_ticks.load(Ordering::Relaxed)),
                discontinuities: self.discontinuities.each_ref().map(count),
            },
            airings: count(&self.airings),
            restarts: self.restarts.each_ref().map(count),
            published_at: moment(&self.published_ms),
            feed_lead: moment(&self.fed_ms).map(|fed| fed.duration_since(now)),
            spooled: count(&self.spooled),
            on_air,
            slate,
        }
    }

    /// Never held for longer than it takes to add.
    fn states(&self) -> MutexGuard<'_, States> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl States {
    /// Returns for how long something was going out until now, and for how long the slate was.
    fn until(&self, now: Timestamp) -> (SignedDuration, SignedDuration) {
        let Some((state, since)) = self.now else { return (self.on_air, self.slate) };
        let passed = now.duration_since(since).max(SignedDuration::ZERO);
        match state {
            ChannelState::OnAir => (self.on_air + passed, self.slate),
            ChannelState::Slate => (self.on_air + passed, self.slate + passed),
            ChannelState::Starting | ChannelState::Recovering | ChannelState::Off => (self.on_air, self.slate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    #[test]
    fn time_is_counted_by_state_and_goes_on_while_it_lasts() {
        let counters = Counters::default();
        for (state, since) in [
            (ChannelState::Starting, 0),
            (ChannelState::OnAir, 10),
            (ChannelState::OnAir, 15),
            (ChannelState::Slate, 20),
            (ChannelState::Recovering, 25),
            // The channel began anew inside.
            (ChannelState::Starting, 26),
            (ChannelState::OnAir, 30),
            (ChannelState::Off, 33),
        ] {
            counters.state(state, at(since));
        }
        let told = |now| {
            let numbers = counters.read(at(now));
            (numbers.on_air.as_secs(), numbers.slate.as_secs())
        };
        assert_eq!((told(33), told(50)), ((18, 5), (18, 5)));
    }

    #[test]
    fn what_one_life_published_is_added_to_what_others_did() {
        let counters = Counters::default();
        let life = |segments| Published {
            segments,
            bytes: segments * 100,
            media: MediaTime::from_secs(2 * i64::try_from(segments).unwrap()),
            discontinuities: [1, 0, segments, 0],
        };
        counters.published(&Published::default(), &life(3), at(5));
        counters.published(&life(3), &life(5), at(6));
        counters.published(&Published::default(), &life(2), at(7));
        let numbers = counters.read(at(8));
        let Published { segments, bytes, media, discontinuities } = numbers.published;
        assert_eq!((segments, bytes, media, discontinuities), (7, 700, MediaTime::from_secs(14), [2, 0, 7, 0]));
        assert_eq!((numbers.published_at, numbers.feed_lead), (Some(at(7)), None));
        counters.fed_to(at(12));
        assert_eq!(counters.read(at(8)).feed_lead, Some(SignedDuration::from_secs(4)));
    }

    #[test]
    fn restarts_are_counted_by_cause() {
        let counters = Counters::default();
        counters.restarted(Cause::Killed);
        counters.restarted(Cause::Killed);
        counters.restarted(Cause::Internal);
        let restarts = counters.read(at(0)).restarts;
        assert_eq!((restarts[Cause::Killed as usize], restarts[Cause::Internal as usize]), (2, 1));
        assert_eq!(restarts.iter().sum::<u64>(), 3);
    }
}
