//! The server and its children.

use super::names::{self, Metric};
use super::sheet::Sheet;
use super::{number, seconds};
use crate::ffmpeg::family::{Reading, Sums};
use crate::ffmpeg::{Ending, Role};

/// Writes down what the server itself uses; `handles_max` is none where there is no limit.
pub(super) fn server(sheet: &mut Sheet, reading: &Reading, handles_max: Option<u64>) {
    let rows: [(&'static Metric, f64); 7] = [
        (names::PROCESS_CPU, reading.used.cpu.as_secs_f64()),
        (names::PROCESS_MEMORY, number(reading.memory_bytes)),
        (names::PROCESS_THREADS, number(reading.threads)),
        (names::PROCESS_HANDLES, number(reading.handles)),
        (names::PROCESS_HANDLES_MAX, handles_max.map_or(f64::INFINITY, number)),
        (names::PROCESS_READ, number(reading.used.read_bytes)),
        (names::PROCESS_WRITTEN, number(reading.used.written_bytes)),
    ];
    for (metric, value) in rows {
        sheet.add(metric, &[], value);
    }
}

/// Writes down the children of a channel and role.
pub(super) fn children(sheet: &mut Sheet, channel: &str, role: Role, sums: &Sums) {
    let labels = [channel, role.label()];
    let rows: [(&'static Metric, f64); 8] = [
        (names::CHILDREN, number(sums.living)),
        (names::CHILD_CPU, sums.used.cpu.as_secs_f64()),
        (names::CHILD_MEMORY, number(sums.memory_bytes)),
        (names::CHILD_THREADS, number(sums.threads)),
        (names::CHILD_HANDLES, number(sums.handles)),
        (names::CHILD_READ, number(sums.used.read_bytes)),
        (names::CHILD_WRITTEN, number(sums.used.written_bytes)),
        (names::CHILD_STARTS, number(sums.starts)),
    ];
    for (metric, value) in rows {
        sheet.add(metric, &labels, value);
    }
    if let Some(newest) = sums.newest {
        sheet.add(names::CHILD_START, &labels, seconds(newest));
    }
    for (ending, count) in Ending::ALL.into_iter().zip(sums.ends) {
        sheet.add(names::CHILD_ENDS, &[channel, role.label(), ending.label()], number(count));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::ffmpeg::family::Usage;

    #[test]
    fn children_are_told_by_channel_and_role() {
        let used = Usage { cpu: Duration::from_millis(1230), read_bytes: 4, written_bytes: 5 };
        let newest = Timestamp::from_millisecond(1_795_000_000_250).ok();
        let ends = [0, 1, 0, 2, 0, 0, 0];
        let sums = Sums { living: 1, used, memory_bytes: 6, threads: 7, handles: 8, newest, starts: 4, ends };
        let mut sheet = Sheet::default();
        children(&mut sheet, "cats", Role::OnAir, &sums);
        let lines = sheet.lines();
        for line in [
            "nightcast_child_cpu_seconds_total{channel=\"cats\",role=\"on_air\"} 1.23",
            "nightcast_child_start_time_seconds{channel=\"cats\",role=\"on_air\"} 1795000000.25",
            "nightcast_child_ends_total{channel=\"cats\",role=\"on_air\",reason=\"killed\"} 2",
            "nightcast_child_ends_total{channel=\"cats\",role=\"on_air\",reason=\"limit\"} 0",
        ] {
            assert!(lines.iter().any(|found| found == line), "{line}\n{lines:#?}");
        }
        let mut sheet = Sheet::default();
        children(&mut sheet, "cats", Role::Probe, &Sums::default());
        assert!(!sheet.lines().iter().any(|line| line.contains("start_time")), "none lives");
    }
}
