//! How many bytes a mezzanine takes, and how many one that is yet to be made may take. Pure.

use super::mezzanine::Mezzanine;
use super::queue::Want;
use crate::units::MediaTime;

/// How much more than a good codec's picture a file may take before its ffmpeg is called endless.
const ENDLESS: u64 = 2;

/// How many times its file an item may grow by when a good codec's picture is made anew.
const GROWTH_MAX: u64 = 8;

/// What is added to that, in bytes, since a file of nothing but a title grows by more.
const SHORT_BYTES: u64 = 64 << 20;

/// Returns how many bytes a mezzanine takes on the disk, as far as it has got.
#[must_use]
pub fn size(mezzanine: &Mezzanine) -> u64 {
    mezzanine.gops.last().map_or(0, |gop| gop.offset + u64::from(gop.len))
}

/// Returns about how many bytes a mezzanine will take: what the ceiling of its bit rate allows, but no more than a good
/// codec's picture can grow by. (The container's word on the length may be off by a day, the file's size is not.)
#[must_use]
pub fn estimate(want: &Want) -> u64 {
    at_ceiling(want).min(as_grown(want))
}

/// Returns how many bytes no mezzanine needs, whatever its container says of its length.
#[must_use]
pub fn endless(want: &Want) -> u64 {
    at_ceiling(want).saturating_add(as_grown(want)).saturating_mul(ENDLESS)
}

fn at_ceiling(want: &Want) -> u64 {
    let bits_a_second = u64::from(want.profile.kbps_max()) * 1000;
    let seconds = want.item.media.duration.max(MediaTime::ZERO).0.unsigned_abs() / 90_000 + 1;
    seconds.saturating_mul(bits_a_second / 8)
}

fn as_grown(want: &Want) -> u64 {
    want.item.stamp.size.saturating_mul(GROWTH_MAX).saturating_add(SHORT_BYTES)
}
