//! The cache folder: mezzanines and what is known of them, kept over restarts.
//!
//! Promises that a mezzanine's file is only removed with its sidecar, and that what is found at start is whole. Does not
//! decide what to keep.

pub mod task;

/// What of a disk is never filled, in bytes: the system, the catalogue and the run folders live on it too.
pub const FREE_MIN_BYTES: u64 = 1 << 30;

/// The same for small disks: one part in so many, where that is less than [`FREE_MIN_BYTES`].
pub const FREE_MIN_PART: u64 = 20;

/// Returns how many more bytes may be written to a disk of `total` bytes of which `free` are free.
#[must_use]
pub fn room(total: u64, free: u64) -> u64 {
    free.saturating_sub(FREE_MIN_BYTES.min(total / FREE_MIN_PART))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gigabyte_or_a_twentieth_stays_free() {
        const GIB: u64 = 1 << 30;
        for (total, free, expected) in
            [(100 * GIB, 3 * GIB, 2 * GIB), (10 * GIB, GIB, GIB / 2), (100 * GIB, GIB / 2, 0), (0, 0, 0)]
        {
            assert_eq!(room(total, free), expected, "{total} {free}");
        }
    }
}
