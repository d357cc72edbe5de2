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

/// Returns the least value that so great a share of all values does not exceed: 0.95 is p95. Nought of nothing.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "thousands")]
pub(crate) fn quantile(all: &[f64], share: f64) -> f64 {
    let mut sorted = all.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).or(sorted.last()).copied().unwrap_or_default()
}

/// Returns a length in seconds, to the millisecond.
pub(crate) fn seconds(length: Duration) -> String {
    format!("{:.3} s", length.as_secs_f64())
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
