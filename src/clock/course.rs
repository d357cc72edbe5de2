//! How the station's time follows the wall clock. Pure: what two clocks showed goes in, a course comes out.
//!
//! The station's own time never jumps and never stands still: everything on air is paced by it. A wall clock that is a
//! little off (drift, slewing, a leap second) is approached by running a little faster or slower; one that was set is
//! not approached at all. It is noted how far it was set, and what is told to others is dated by that much later.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// From this difference on a clock was set and does not drift: more than a leap second, less than anyone sets by hand.
pub const STEP_MIN: SignedDuration = SignedDuration::from_secs(2);

/// How far two readings may differ to tell of the same step.
const STEP_AGREES: SignedDuration = SignedDuration::from_millis(500);

/// How much faster or slower than the world the station runs at most while it approaches the wall clock: nobody hears a
/// hundredth, and two seconds are made good in a few minutes.
pub const SLEW_MAX: f64 = 0.01;

/// A small difference is approached as if it were to be gone after so many seconds: longer than [`LOOK_EVERY`], so that
/// it never swings.
const SLEW_SECS: f64 = 20.0;

/// How often the wall clock is looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How soon it is looked at again when it seems to have been set.
pub const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What the station's clock shows, now and until it is corrected. Elapsed time is monotonic, since the clock began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    since: Duration,
    shows: Timestamp,
    /// Station seconds in a second of the world.
    rate: f64,
    stepped: SignedDuration,
}

impl Course {
    /// Returns a course that begins now and runs `speed` times as fast as the world.
    #[must_use]
    pub fn new(shows: Timestamp, speed: f64) -> Self {
        Self { since: Duration::ZERO, shows, rate: speed, stepped: SignedDuration::ZERO }
    }

    /// Returns the station's own time.
    #[must_use]
    pub fn at(&self, elapsed: Duration) -> Timestamp {
        let passed = elapsed.saturating_sub(self.since).mul_f64(self.rate);
        self.shows + SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX)
    }

    /// Returns when the station's own time reaches a moment; what is past was reached when the course began.
    #[must_use]
    pub fn reaches(&self, moment: Timestamp) -> Duration {
        let ahead = Duration::try_from(moment.duration_since(self.shows)).unwrap_or(Duration::ZERO);
        self.since + ahead.div_f64(self.rate)
    }

    /// Returns how far the wall clock was set, in all, since the clock began.
    #[must_use]
    pub fn stepped(&self) -> SignedDuration {
        self.stepped
    }
}

/// What came of a look at the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// How far it was set since the last look.
    pub step: Option<SignedDuration>,
    /// When to look again.
    pub again: Duration,
}

/// Keeps a course by looking at the wall clock now and then.
#[derive(Debug)]
pub struct Follower {
    course: Course,
    /// The step that the last look seemed to show: one reading alone may be a hiccup.
    suspected: Option<SignedDuration>,
}

impl Follower {
    /// Returns a follower of a course of speed 1.
    #[must_use]
    pub fn new(course: Course) -> Self {
        Self { course, suspected: None }
    }

    /// Returns the course as it is now.
    #[must_use]
    pub fn course(&self) -> Course {
        self.course
    }

    /// Takes what both clocks showed at one moment.
    pub fn look(&mut self, elapsed: Duration, wall: Timestamp) -> Look {
        let own = self.course.at(elapsed);
        let error = wall.duration_since(own).saturating_sub(self.course.stepped);
        let set = error.abs() >= STEP_MIN;
        let same = |before: SignedDuration| error.saturating_sub(before).abs() <= STEP_AGREES;
        let step = Some(error).filter(|_| set && self.suspected.is_some_and(same));
        self.suspected = Some(error).filter(|_| set && step.is_none());
        let slew = if set { 0.0 } else { (error.as_secs_f64() / SLEW_SECS).clamp(-SLEW_MAX, SLEW_MAX) };
        let stepped = self.course.stepped.saturating_add(step.unwrap_or_default());
        self.course = Course { since: elapsed, shows: own, rate: 1.0 + slew, stepped };
        Look { step, again: if self.suspected.is_some() { LOOK_AGAIN } else { LOOK_EVERY } }
    }
}

#[cfg(test)]
#[path = "course_laws.rs"]
mod laws;
