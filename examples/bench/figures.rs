//! Figures out of measurements. Pure.

use std::time::Duration;

/// Median, least and most of what was measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    /// The middle one, or the mean of the two in the middle.
    pub(crate) median: Duration,
    /// The least.
    pub(crate) min: Duration,
    /// The most.
    pub(crate) max: Duration,
}

/// Returns the spread; nothing of nothing.
pub(crate) fn spread(measured: &[Duration]) -> Option<Spread> {
    let mut sorted = measured.to_vec();
    sorted.sort();
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    let half = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2 };
    Some(Spread { median, min, max })
}

/// Returns a length in seconds, to the millisecond.
pub(crate) fn seconds(length: Duration) -> String {
    format!("{:.3} s", length.as_secs_f64())
}

/// Returns CPU time as a share of one core.
pub(crate) fn share(cpu: Duration, of: Duration) -> String {
    format!("{:.3} %", percent(cpu, of))
}

/// Returns CPU time in per cent of one core.
pub(crate) fn percent(cpu: Duration, of: Duration) -> f64 {
    100.0 * cpu.as_secs_f64() / of.as_secs_f64().max(0.001)
}

/// Returns kibibytes, as the kernel tells them, in megabytes.
#[expect(clippy::cast_precision_loss, reason = "gigabytes at most")]
pub(crate) fn megabytes(kibibytes: u64) -> String {
    format!("{:.1} MB", kibibytes as f64 * 1024.0 / 1e6)
}
