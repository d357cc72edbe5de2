//! The mirrors, where there are any.

use super::names::{self, Metric};
use super::number;
use super::sheet::Sheet;
use crate::mirror::Numbers;
use crate::mirror::trouble::Errand;

/// Writes down what the mirror of a channel has done and how far behind it is.
pub(super) fn channel(sheet: &mut Sheet, id: &str, numbers: &Numbers) {
    sheet.add(names::MIRROR_UPLOADS, &[id, "segment"], number(numbers.segments));
    sheet.add(names::MIRROR_UPLOADS, &[id, "playlist"], number(numbers.playlists));
    for (errand, count) in Errand::ALL.into_iter().zip(numbers.failures) {
        sheet.add(names::MIRROR_FAILURES, &[id, errand.label()], number(count));
    }
    let rows: [(&'static Metric, f64); 5] = [
        (names::MIRROR_UPLOAD_BYTES, number(numbers.bytes)),
        (names::MIRROR_DELETES, number(numbers.deleted)),
        (names::MIRROR_SKIPS, number(numbers.skips)),
        (names::MIRROR_OBJECTS, number(numbers.objects)),
        (names::MIRROR_LAG, numbers.lag.as_secs_f64()),
    ];
    for (metric, value) in rows {
        sheet.add(metric, &[id], value);
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_mirror_is_written_down() {
        let mut sheet = Sheet::default();
        let lag = SignedDuration::from_millis(2500);
        channel(&mut sheet, "cats", &Numbers { segments: 7, failures: [1, 0, 2], lag, ..Numbers::default() });
        let lines = sheet.lines();
        for line in [
            "nightcast_mirror_uploads_total{channel=\"cats\",kind=\"segment\"} 7",
            "nightcast_mirror_failures_total{channel=\"cats\",errand=\"delete\"} 2",
            "nightcast_mirror_lag_seconds{channel=\"cats\"} 2.5",
        ] {
            assert!(lines.iter().any(|found| found == line), "{line}\n{}", lines.join("\n"));
        }
    }
}
