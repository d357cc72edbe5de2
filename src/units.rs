//! Newtypes of the field: times, numbers and names that must not be mixed up.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Ticks a second in [`MediaTime`]: the MPEG-TS time base (ISO/IEC 13818-1 §2.4.2.1).
pub const TICKS_PER_SECOND: i64 = 90_000;

/// A length or position in media, in 90,000ths of a second.
///
/// Integer, so that sums over months stay exact. Sums beyond three million years stop there: files claim such lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MediaTime(pub i64);

impl MediaTime {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// Returns the time of a number of whole seconds.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * TICKS_PER_SECOND)
    }

    /// Returns the time of a number of milliseconds.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * (TICKS_PER_SECOND / 1000))
    }

    /// Returns the nearest tick to a number of seconds; not-a-number and infinities give zero.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "saturates, which is what is wanted")]
    #[expect(clippy::cast_precision_loss, reason = "90,000 is exact")]
    pub fn from_secs_f64(secs: f64) -> Self {
        if secs.is_finite() { Self((secs * TICKS_PER_SECOND as f64).round() as i64) } else { Self::ZERO }
    }

    /// Returns the time in seconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 ticks, three thousand years")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / TICKS_PER_SECOND as f64
    }

    /// Returns the time as a signed duration, rounded down to a nanosecond.
    #[must_use]
    pub fn to_duration(self) -> SignedDuration {
        let secs = self.0.div_euclid(TICKS_PER_SECOND);
        let ticks = self.0.rem_euclid(TICKS_PER_SECOND);
        SignedDuration::from_secs(secs) + SignedDuration::from_nanos(ticks * 1_000_000_000 / TICKS_PER_SECOND)
    }

    /// Returns the nearest tick to a duration.
    #[must_use]
    pub fn from_duration(duration: SignedDuration) -> Self {
        let nanos = i64::from(duration.subsec_nanos());
        let ticks = (nanos * TICKS_PER_SECOND + nanos.signum() * 500_000_000) / 1_000_000_000;
        Self(duration.as_secs() * TICKS_PER_SECOND + ticks)
    }

    /// Returns the wall-clock moment this long after `start`; at most the last there is.
    #[must_use]
    pub fn after(self, start: Timestamp) -> Timestamp {
        let bound = if self < Self::ZERO { Timestamp::MIN } else { Timestamp::MAX };
        start.checked_add(self.to_duration()).unwrap_or(bound)
    }

    /// Returns how much later `end` is than `start`; negative when it is earlier.
    #[must_use]
    pub fn between(start: Timestamp, end: Timestamp) -> Self {
        Self::from_duration(end.duration_since(start))
    }
}

impl Add for MediaTime {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for MediaTime {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for MediaTime {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl std::iter::Sum for MediaTime {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for MediaTime {
    /// Writes hours, minutes and seconds: `1:02:03` or `4:05`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0 / TICKS_PER_SECOND;
        let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
        if hours > 0 { write!(f, "{hours}:{minutes:02}:{secs:02}") } else { write!(f, "{minutes}:{secs:02}") }
    }
}

/// A channel's name in URLs, folders, logs and metrics: `[a-z0-9-]`, 1 to [`ChannelId::LEN_MAX`] characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ChannelId(std::sync::Arc<str>);

impl ChannelId {
    /// The longest id, in characters: it is part of paths and metric labels.
    pub const LEN_MAX: usize = 40;

    /// Returns the id, or `None` where the text has other characters, a dash at an end, or a wrong length.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.len() <= Self::LEN_MAX;
        let clean = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        (fits && clean && !text.starts_with('-') && !text.ends_with('-')).then(|| Self(text.into()))
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a file holds, whatever it is called: 32 hexadecimal digits of a digest over its size and samples of its bytes.
///
/// Two files with one key are one item to the cache: a renamed or copied file is not prepared again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentKey(pub std::sync::Arc<str>);

impl fmt::Display for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A media sequence number: a segment's number in the channel's whole life (RFC 8216 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Msn(pub u64);

impl fmt::Display for Msn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One life of a channel's on-air ffmpeg; counts up from 1 in each life of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RunId(pub u64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_time_keeps_durations_to_the_tick() {
        for ticks in [0, 1, 89_999, 90_000, 123_456_789, -1, -90_001] {
            assert_eq!(MediaTime::from_duration(MediaTime(ticks).to_duration()), MediaTime(ticks), "{ticks}");
        }
    }

    #[test]
    fn no_length_that_a_file_claims_breaks_a_sum() {
        let (longest, tick) = (MediaTime::from_secs_f64(1e300), MediaTime(1));
        assert_eq!([longest + tick, longest + longest, [longest, tick].into_iter().sum()], [longest; 3]);
        assert_eq!(MediaTime(i64::MIN) - tick, MediaTime(i64::MIN));
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!((longest.after(now), MediaTime(i64::MIN).after(now)), (Timestamp::MAX, Timestamp::MIN));
    }

    #[test]
    fn media_time_reads_as_a_clock() {
        assert_eq!(MediaTime::from_secs(245).to_string(), "4:05");
        assert_eq!(MediaTime::from_secs(3723).to_string(), "1:02:03");
    }

    #[test]
    fn channel_ids_are_safe_in_urls_and_paths() {
        for good in ["a", "night-lights", "24-7"] {
            assert!(ChannelId::new(good).is_some(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a b", "../x", "a/b", "é", &"x".repeat(41)] {
            assert!(ChannelId::new(bad).is_none(), "{bad}");
        }
    }
}
