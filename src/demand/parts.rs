//! GOPs → the segments of a film that is watched on demand, and the name of its bytes. Pure.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::prepare::annexb::hex;
use crate::prepare::{Gop, Mezzanine};
use crate::units::{MediaTime, TICKS_PER_SECOND};

/// Counts up with every change of how GOPs are joined or cut: addresses of before then lead nowhere, since what they named
/// may lie in caches for ever.
const VERSION: u32 = 1;

/// GOPs are joined while they last no longer than this together: what Apple asks for, and few requests for a film.
pub const PART_GOAL: MediaTime = MediaTime::from_secs(6);

/// And while they are no longer than this, in bytes: what one viewer may have in memory.
pub const PART_BYTES_MAX: u64 = 32 << 20;

/// One segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its GOPs, by their places in the mezzanine.
    pub gops: Range<usize>,
    /// How long it plays.
    pub duration: MediaTime,
    /// How many bytes its GOPs have, with all pictures.
    pub bytes: u64,
}

/// Returns the segments of a mezzanine, in order: every GOP is in exactly one. The first is one GOP, so that a film begins
/// soon.
#[must_use]
pub fn parts(gops: &[Gop]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::with_capacity(gops.len() / 2 + 1);
    for (place, gop) in gops.iter().enumerate() {
        let (duration, bytes) = (gop.duration, u64::from(gop.len));
        // Not the first of all, which stays alone.
        match parts.last_mut().filter(|last| last.gops.start > 0) {
            Some(last) if last.duration + duration <= PART_GOAL && last.bytes + bytes <= PART_BYTES_MAX => {
                last.gops.end = place + 1;
                last.duration += duration;
                last.bytes += bytes;
            }
            _ => parts.push(Part { gops: place..place + 1, duration, bytes }),
        }
    }
    parts
}

/// Returns EXT-X-TARGETDURATION: the longest, rounded to the nearest second (RFC 8216 §4.3.3.1).
#[must_use]
pub fn target_secs(parts: &[Part]) -> i64 {
    let rounded = |part: &Part| (part.duration.0 + TICKS_PER_SECOND / 2) / TICKS_PER_SECOND;
    parts.iter().map(rounded).max().unwrap_or_default().max(1)
}

/// Returns the name of a mezzanine's bytes as they are now: another one when it was made anew.
#[must_use]
pub fn version(mezzanine: &Mezzanine) -> Arc<str> {
    let mut hash = Sha256::new_with_prefix(format!("{VERSION} {} ", mezzanine.id.file_stem()));
    let mut text = String::new();
    for Gop { offset: _, len, duration, sum } in &*mezzanine.gops {
        text.clear();
        // Writing into a String cannot fail.
        let _infallible = write!(text, "{len} {} {sum:?},", duration.0);
        hash.update(&text);
    }
    hex(&hash.finalize()[..8]).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prepare::MezzanineId;
    use crate::units::ContentKey;

    fn gops(told: &[(i64, u32)]) -> Vec<Gop> {
        let mut offset = 0;
        let one = |(millis, len): &(i64, u32)| {
            let gop = Gop { offset, len: *len, duration: MediaTime::from_millis(*millis), sum: Some(*len) };
            offset += u64::from(*len);
            gop
        };
        told.iter().map(one).collect()
    }

    #[test]
    fn a_film_begins_with_one_group_and_goes_on_with_six_seconds() {
        let film = gops(&[(2000, 1), (2000, 1), (2000, 1), (2000, 1), (2000, 1), (1000, 1)]);
        let ranges: Vec<_> = parts(&film).into_iter().map(|part| part.gops).collect();
        assert_eq!(ranges, [0..1, 1..4, 4..6]);
        let large = gops(&[(1000, 1), (1000, 20 << 20), (1000, 20 << 20)]);
        assert_eq!(parts(&large).len(), 3, "no more than memory is to hold");
        assert_eq!((parts(&[]), target_secs(&[])), (Vec::new(), 1));
    }

    #[test]
    fn bytes_that_differ_have_another_name() {
        let mezzanine = |key: &str, told: &[(i64, u32)]| Mezzanine {
            id: MezzanineId { key: ContentKey(key.into()), profile: "p".into() },
            path: "/p".into(),
            tables_len: 0,
            gops: gops(told).into(),
            signature: "s".into(),
            complete: true,
        };
        let one = mezzanine("a", &[(2000, 5), (2000, 6)]);
        assert_eq!(version(&one), version(&one.clone()));
        assert_eq!(version(&one).len(), 16);
        for other in [mezzanine("b", &[(2000, 5), (2000, 6)]), mezzanine("a", &[(2000, 6), (2000, 5)])] {
            assert_ne!(version(&one), version(&other));
        }
    }

    proptest! {
        /// The segments are the film: nothing is left out or told twice, lengths add up to the tick, and the target duration
        /// is true (RFC 8216 §4.3.3.1) and no longer than need be.
        #[test]
        fn the_segments_are_the_film(told in prop::collection::vec((1_i64..6_490, 1_u32..9_000_000), 0..60)) {
            let film = gops(&told);
            let parts = parts(&film);
            let places: Vec<usize> = parts.iter().flat_map(|part| part.gops.clone()).collect();
            prop_assert_eq!(places, (0..film.len()).collect::<Vec<_>>());
            let whole: MediaTime = film.iter().map(|gop| gop.duration).sum();
            prop_assert_eq!(parts.iter().map(|part| part.duration).sum::<MediaTime>(), whole);
            for part in &parts {
                let inside = &film[part.gops.clone()];
                prop_assert_eq!(inside.iter().map(|gop| gop.duration).sum::<MediaTime>(), part.duration);
                prop_assert_eq!(inside.iter().map(|gop| u64::from(gop.len)).sum::<u64>(), part.bytes);
                prop_assert!(part.gops.len() == 1 || (part.duration <= PART_GOAL && part.bytes <= PART_BYTES_MAX));
                let rounded = part.duration.as_secs_f64().round();
                prop_assert!(rounded <= f64::from(i32::try_from(target_secs(&parts)).unwrap()));
            }
            prop_assert!(target_secs(&parts) <= 6);
        }
    }
}
