//! The station's clock: wall-clock time that may run faster than the world's, for tests that live through months.
#![expect(clippy::disallowed_methods, reason = "the one place that reads the time")]

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Tells the station's time and sleeps by it; cheap to copy and given to every task.
///
/// At speed 1 it is the wall clock as it was at start, carried on by the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    wall_start: Timestamp,
    monotonic_start: Instant,
    speed: f64,
}

impl Clock {
    /// The fastest clock there is: beyond it a segment is shorter than a millisecond, the resolution of timers.
    pub const SPEED_MAX: f64 = 2000.0;

    /// Returns a clock that starts at the present moment and runs `speed` times as fast as the world (0.1 to
    /// [`Self::SPEED_MAX`]; anything else is brought into that range).
    #[must_use]
    pub fn new(speed: f64) -> Self {
        let speed = if speed.is_finite() { speed.clamp(0.1, Self::SPEED_MAX) } else { 1.0 };
        Self { wall_start: Timestamp::now(), monotonic_start: Instant::now(), speed }
    }

    /// Returns how many station seconds pass in a second of the world.
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Returns the station's wall-clock time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let elapsed = self.monotonic_start.elapsed().mul_f64(self.speed);
        self.wall_start + SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX)
    }

    /// Sleeps until the station's clock shows `moment`; returns at once when it is past.
    pub async fn sleep_until(&self, moment: Timestamp) {
        let station = moment.duration_since(self.wall_start);
        let world = Duration::try_from(station).unwrap_or(Duration::ZERO).div_f64(self.speed);
        tokio::time::sleep_until(self.monotonic_start + world).await;
    }

    /// Sleeps for a length of the station's time.
    pub async fn sleep(&self, station: Duration) {
        tokio::time::sleep(station.div_f64(self.speed)).await;
    }
}
