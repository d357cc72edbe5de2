//! Which bytes of a file name its content.

use sha2::{Digest, Sha256};

use crate::units::ContentKey;

/// How much of the head and of the tail is read: indexes of MP4 and Matroska lie there and differ between any two films.
pub const END_BYTES: u64 = 1 << 20;

/// How many blocks are read between head and tail, against files that differ in the middle only.
pub const SAMPLES: u64 = 16;

/// How long each of them is.
pub const SAMPLE_BYTES: u64 = 64 << 10;

/// Returns where to read: offset and length, in order, without overlap. Small files are read whole.
///
/// Three megabytes name a film of any size: ten thousand new films cost 30 GB of reading, not 30 TB.
#[must_use]
pub fn sample_ranges(size: u64) -> Vec<(u64, u64)> {
    let sampled = SAMPLES * SAMPLE_BYTES;
    if size <= 2 * END_BYTES + sampled {
        return if size == 0 { Vec::new() } else { vec![(0, size)] };
    }
    let between = size - 2 * END_BYTES;
    let sample = |n: u64| (END_BYTES + (between - SAMPLE_BYTES) / (SAMPLES - 1) * n, SAMPLE_BYTES);
    let mut ranges = vec![(0, END_BYTES)];
    ranges.extend((0..SAMPLES).map(sample));
    ranges.push((size - END_BYTES, END_BYTES));
    ranges
}

/// Takes in the blocks in the order of [`sample_ranges`] and gives the key.
#[derive(Clone, Debug)]
pub struct KeyDigest(Sha256);

impl KeyDigest {
    /// Begins with the file's size: two films with equal samples and different lengths are different.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self(Sha256::new_with_prefix(size.to_le_bytes()))
    }

    /// Takes in more bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the key: the first 128 bits of the digest, in hexadecimal.
    #[must_use]
    pub fn finish(self) -> ContentKey {
        use std::fmt::Write;
        let digest = self.0.finalize();
        let mut text = String::with_capacity(32);
        for byte in digest.iter().take(16) {
            write!(text, "{byte:02x}").expect("writing into a string cannot fail");
        }
        ContentKey(text.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_size_is_part_of_the_key() {
        assert_ne!(KeyDigest::new(1).finish(), KeyDigest::new(2).finish());
        assert_eq!(KeyDigest::new(1).finish().0.len(), 32);
    }

    proptest! {
        #[test]
        fn ranges_are_in_order_inside_the_file_and_bounded(size in prop_oneof![0..1_u64 << 23, any::<u64>()]) {
            let ranges = sample_ranges(size);
            let mut end = 0;
            for &(offset, len) in &ranges {
                prop_assert!(offset >= end && len > 0);
                end = offset + len;
            }
            prop_assert!(end == size, "the last byte is read");
            prop_assert!(ranges.iter().map(|range| range.1).sum::<u64>() <= 3 << 20);
        }
    }
}
