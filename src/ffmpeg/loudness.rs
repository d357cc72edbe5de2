//! The `ebur128` filter's last words → how much louder or softer an item must be made.

/// The quietest integrated loudness that counts as sound, in LUFS: below it there is silence or noise, and bringing that
/// up to the target would be a roar (the absolute gate of EBU R128 itself is at -70).
pub const QUIETEST_LUFS: f64 = -50.0;

/// The most an item is made louder, in dB: beyond it the hiss of a bad recording is what one hears.
pub const GAIN_MAX_DB: f64 = 20.0;

/// The most an item is made softer, in dB.
pub const GAIN_MIN_DB: f64 = -30.0;

/// Changes smaller than this are not made: nobody hears them.
const GAIN_AUDIBLE_DB: f64 = 0.3;

/// Returns the integrated loudness in LUFS from the filter's summary on stderr, or `None` where there is none.
///
/// The summary's line is `    I:         -22.9 LUFS`; the last one counts, for the filter is set up anew, with a summary
/// each, when the sound changes its format in the middle.
#[must_use]
pub fn integrated_lufs(stderr: &str) -> Option<f64> {
    let value = |line: &str| line.trim().strip_prefix("I:")?.trim().strip_suffix("LUFS")?.trim().parse().ok();
    stderr.lines().rev().find_map(value).filter(|lufs: &f64| lufs.is_finite())
}

/// Returns the gain in dB that brings `measured` to `target`, or `None` where none should be applied.
#[must_use]
pub fn gain_db(measured: f64, target: f64) -> Option<f64> {
    if measured < QUIETEST_LUFS || !measured.is_finite() {
        return None;
    }
    let gain = (target - measured).clamp(GAIN_MIN_DB, GAIN_MAX_DB);
    (gain.abs() >= GAIN_AUDIBLE_DB).then_some(gain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMMARY: &str = "[Parsed_ebur128_1 @ 0x55cd37be5c80] Summary:\n\n  Integrated loudness:\n    \
        I:         -22.9 LUFS\n    Threshold: -32.9 LUFS\n\n  Loudness range:\n    LRA:         0.9 LU\n";

    #[test]
    fn the_summary_is_read() {
        assert_eq!(integrated_lufs(SUMMARY), Some(-22.9));
        assert_eq!(integrated_lufs("I: nan LUFS"), None);
        assert_eq!(integrated_lufs("Conversion failed!"), None);
    }

    #[test]
    fn the_gain_is_bounded_and_silence_is_left_alone() {
        let table = [
            ("a loud film is made softer", -12.0, Some(-11.0)),
            ("a soft one louder", -30.0, Some(7.0)),
            ("but not without end", -48.0, Some(20.0)),
            ("nobody hears a tenth", -23.1, None),
            ("silence stays silent", -70.0, None),
            ("nothing measured", f64::NEG_INFINITY, None),
        ];
        for (sentence, measured, gain) in table {
            assert_eq!(gain_db(measured, -23.0), gain, "{sentence}");
        }
    }
}
