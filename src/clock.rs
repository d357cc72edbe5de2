//! The station's clock: wall-clock time that may run faster than the world's, for tests that live through months.
#![expect(clippy::disallowed_methods, reason = "the one place that reads the time")]

pub mod course;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use course::{Course, Follower};

/// How often the two clocks are read to find a moment at which both were: a machine may be taken away between them.
const READINGS: usize = 3;

/// Tells the station's time and sleeps by it; cheap to clone and given to every task.
///
/// The station's own time ([`Self::now`]) is the wall clock as it was at start, carried on by the monotonic clock: it
/// never jumps, so nothing that is paced by it can stumble. At speed 1 it follows small differences by running a little
/// faster or slower. A wall clock that is set while the station runs does not move it: [`Self::stepped`] tells how far
/// that is, and whatever leaves the process (playlists, pages, the store) is dated by [`Self::wall`].
#[derive(Clone, Debug)]
pub struct Clock {
    start: Instant,
    speed: f64,
    course: Arc<RwLock<Course>>,
}

impl Clock {
    /// The fastest clock there is: beyond it a segment is shorter than a millisecond, the resolution of timers.
    pub const SPEED_MAX: f64 = 2000.0;

    /// Returns a clock that starts at the present moment and runs `speed` times as fast as the world (0.1 to
    /// [`Self::SPEED_MAX`]; anything else is brought into that range).
    #[must_use]
    pub fn new(speed: f64) -> Self {
        let speed = if speed.is_finite() { speed.clamp(0.1, Self::SPEED_MAX) } else { 1.0 };
        let course = Course::new(Timestamp::now(), speed);
        Self { start: Instant::now(), speed, course: Arc::new(RwLock::new(course)) }
    }

    /// Returns how many station seconds pass in a second of the world.
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.speed
    }

    fn course(&self) -> Course {
        *self.course.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the station's own time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.course().at(self.start.elapsed())
    }

    /// Returns how much later the wall clock is than the station's own time: by how much it was set since start.
    #[must_use]
    pub fn stepped(&self) -> SignedDuration {
        self.course().stepped()
    }

    /// Returns the wall clock's time.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        let course = self.course();
        course.at(self.start.elapsed()) + course.stepped()
    }

    /// Returns how much later the dates told ([`Self::wall`]) are than the wall clock, which is read for it; negative when
    /// they are earlier.
    #[must_use]
    pub fn error(&self) -> SignedDuration {
        let (elapsed, wall) = self.read();
        let course = self.course();
        (course.at(elapsed) + course.stepped()).duration_since(wall)
    }

    /// Sleeps until the station's own time is `moment`, or a hundredth less when the clock is corrected meanwhile;
    /// returns at once when it is past.
    pub async fn sleep_until(&self, moment: Timestamp) {
        tokio::time::sleep_until(self.start + self.course().reaches(moment)).await;
    }

    /// Sleeps for a length of the station's time.
    pub async fn sleep(&self, station: Duration) {
        tokio::time::sleep(station.div_f64(self.speed)).await;
    }

    /// Follows the wall clock until the token ends. A clock that runs faster than the world follows nothing.
    pub async fn follow(self, token: CancellationToken) {
        if (self.speed - 1.0).abs() > f64::EPSILON {
            return;
        }
        let mut follower = Follower::new(self.course());
        let mut again = course::LOOK_EVERY;
        while token.run_until_cancelled(tokio::time::sleep(again)).await.is_some() {
            let (elapsed, wall) = self.read();
            let look = follower.look(elapsed, wall);
            *self.course.write().unwrap_or_else(PoisonError::into_inner) = follower.course();
            again = look.again;
            if let Some(step) = look.step {
                let seconds = step.as_secs_f64();
                tracing::warn!(seconds, "the system's clock was set: programmes go on, and are dated anew");
            }
        }
    }

    /// Reads both clocks, as nearly at once as can be had.
    fn read(&self) -> (Duration, Timestamp) {
        let reading = || {
            let before = self.start.elapsed();
            let wall = Timestamp::now();
            (self.start.elapsed().saturating_sub(before), before, wall)
        };
        let rest = (1..READINGS).map(|_| reading());
        let (_, elapsed, wall) = rest.fold(reading(), |best, next| if next.0 < best.0 { next } else { best });
        (elapsed, wall)
    }
}
