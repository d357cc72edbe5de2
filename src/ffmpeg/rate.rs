//! Frame rates.

use serde::{Deserialize, Serialize};

use crate::units::{MediaTime, TICKS_PER_SECOND};

/// A frame rate as a fraction, above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rate {
    /// Frames …
    pub num: u32,
    /// … in so many seconds.
    pub den: u32,
}

impl Rate {
    /// Returns the rate of whole frames a second.
    #[must_use]
    pub const fn whole(fps: u32) -> Self {
        Self { num: fps, den: 1 }
    }

    /// Returns frames a second.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }

    /// Returns the number of frames nearest to a length.
    #[must_use]
    pub fn frames_in(self, length: MediaTime) -> u64 {
        let ticks = i128::from(length.0.max(0)) * i128::from(self.num);
        let per_frame = i128::from(TICKS_PER_SECOND) * i128::from(self.den);
        u64::try_from((ticks + per_frame / 2) / per_frame).unwrap_or(u64::MAX)
    }

    /// Returns how long so many frames last, to the nearest tick.
    #[must_use]
    pub fn length_of(self, frames: u64) -> MediaTime {
        let ticks = i128::from(frames) * i128::from(TICKS_PER_SECOND) * i128::from(self.den);
        let num = i128::from(self.num);
        MediaTime(i64::try_from((ticks + num / 2) / num).unwrap_or(i64::MAX))
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.den == 1 { write!(f, "{}", self.num) } else { write!(f, "{}/{}", self.num, self.den) }
    }
}
