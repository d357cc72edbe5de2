//! How long an item will be, to the frame: sound that ends with the picture, or as little before it as can be.
//!
//! On air the next item begins where the longest stream of this one ends. AAC comes in packets of 1,024 samples, which
//! no frame rate divides, so a picture is held for a few frames until a packet's end nearly meets a frame's.

use crate::ffmpeg::rate::Rate;
use crate::units::{MediaTime, TICKS_PER_SECOND};

/// Samples a second of every mezzanine.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples in an AAC packet (ISO/IEC 14496-3, AAC-LC).
pub const SAMPLES_PER_PACKET: u64 = 1024;

/// How many frames the picture may be held for the sake of a better meeting: less than a third of a second, and enough
/// that the worst remainder is under 8 ms, but for 24 and 23.976 frames a second: two packets less 48 samples are a
/// frame there, and the worst remainder is 14.6 ms (13 held frames would bring it to 8, and show).
#[must_use]
pub fn hold_frames_max(rate: Rate) -> u64 {
    if rate.as_f64() > 30.5 { 15 } else { 7 }
}

/// The exact length of a transcoded item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExactLength {
    /// Frames of picture, at least 1.
    pub frames: u64,
    /// Packets of sound, at least 1.
    pub audio_packets: u64,
}

/// Returns the length of an item whose content lasts `content` at a frame rate: never shorter than the content (but for
/// half a frame), at most [`hold_frames_max`] frames longer, with the sound's end closest before the picture's.
#[must_use]
pub fn exact(content: MediaTime, rate: Rate) -> ExactLength {
    exact_within(content, rate, hold_frames_max(rate))
}

/// The same with a picture that may be held for at most `hold_frames`.
#[must_use]
pub fn exact_within(content: MediaTime, rate: Rate, hold_frames: u64) -> ExactLength {
    let base = rate.frames_in(content).max(1);
    let best = (base..=base + hold_frames).min_by_key(|frames| remainder(*frames, rate));
    let frames = best.unwrap_or(base);
    ExactLength { frames, audio_packets: packets_in_frames(frames, rate).max(1) }
}

/// Returns how many whole packets of sound fit into a picture of a given length: for pictures that are copied.
#[must_use]
pub fn packets_in(length: MediaTime) -> u64 {
    let samples = u128::from(length.0.max(0).unsigned_abs()) * u128::from(SAMPLE_RATE);
    let packets = samples / u128::from(SAMPLES_PER_PACKET * TICKS_PER_SECOND.unsigned_abs());
    u64::try_from(packets).unwrap_or(u64::MAX).max(1)
}

/// Returns how long so many packets last, to the nearest tick: a packet is exactly 1,920 ticks.
#[must_use]
pub fn packets_length(packets: u64) -> MediaTime {
    MediaTime(i64::try_from(packets).unwrap_or(i64::MAX).saturating_mul(1920))
}

fn packets_in_frames(frames: u64, rate: Rate) -> u64 {
    let samples = u128::from(frames) * u128::from(rate.den) * u128::from(SAMPLE_RATE);
    u64::try_from(samples / (u128::from(SAMPLES_PER_PACKET) * u128::from(rate.num))).unwrap_or(u64::MAX)
}

/// What is left of the picture after the last whole packet, in units of 1 / (48,000 × `rate.num`) s.
fn remainder(frames: u64, rate: Rate) -> u128 {
    let samples = u128::from(frames) * u128::from(rate.den) * u128::from(SAMPLE_RATE);
    samples % (u128::from(SAMPLES_PER_PACKET) * u128::from(rate.num))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATES: [Rate; 9] = [
        Rate { num: 24_000, den: 1001 },
        Rate::whole(24),
        Rate::whole(25),
        Rate { num: 30_000, den: 1001 },
        Rate::whole(30),
        Rate::whole(50),
        Rate { num: 60_000, den: 1001 },
        Rate::whole(60),
        Rate::whole(15),
    ];

    #[test]
    fn at_25_frames_a_second_sound_and_picture_end_together() {
        for millis in 1000..1400 {
            let length = exact(MediaTime::from_millis(millis), Rate::whole(25));
            assert_eq!(packets_length(length.audio_packets), Rate::whole(25).length_of(length.frames), "{millis}");
        }
    }

    #[test]
    fn a_content_without_length_still_has_a_frame() {
        let length = exact(MediaTime::ZERO, Rate::whole(30));
        assert!(length.frames >= 1 && length.audio_packets >= 1, "{length:?}");
    }

    proptest! {
        #[test]
        fn sound_never_outlasts_the_picture_and_is_hardly_shorter(
            rate in prop::sample::select(&RATES), content in 90_000_i64..90_000 * 40_000,
        ) {
            let content = MediaTime(content);
            let length = exact(content, rate);
            let picture = rate.length_of(length.frames);
            let sound = packets_length(length.audio_packets);
            prop_assert!(sound.0 <= picture.0 + 1, "{sound:?} {picture:?}");
            let bound = if (rate.as_f64() - 24.0).abs() < 0.1 { 1320 } else { 90 * 8 };
            prop_assert!((picture - sound).0 < bound, "{} ticks", (picture - sound).0);
            let frame = rate.length_of(1).0;
            prop_assert!(picture.0 >= content.0 - frame / 2 - 1, "nothing is cut off");
            prop_assert!(picture.0 <= content.0 + frame * 16, "nor held for long");
        }

        #[test]
        fn a_copied_picture_has_all_the_packets_that_fit(length in 1920_i64..90_000 * 40_000) {
            let length = MediaTime(length);
            let sound = packets_length(packets_in(length));
            prop_assert!(sound <= length);
            prop_assert!((length - sound).0 < 1920);
        }
    }
}
