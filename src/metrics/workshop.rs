//! Preparing, and the disk it fills.

use super::names;
use super::number;
use super::sheet::Sheet;
use crate::prepare::numbers::RECIPES;
use crate::prepare::{Numbers, Outcome, Work};
use crate::units::ChannelId;

/// Writes down what the workshop does for all channels together.
pub(super) fn all(sheet: &mut Sheet, numbers: &Numbers) {
    sheet.add(names::PREPARE_WORKERS, &[], number(numbers.workers as u64));
    sheet.add(names::PREPARE_RUNNING, &[], number(numbers.running as u64));
    sheet.add(names::PREPARE_QUEUE, &[], number(numbers.waiting as u64));
    sheet.add(names::CACHE_BYTES, &[], number(numbers.cache_bytes));
    sheet.add(names::CACHE_BUDGET, &[], number(numbers.cache_budget_bytes));
    sheet.add(names::CACHE_EVICTIONS, &[], number(numbers.evictions));
    if let Some(free) = numbers.free_bytes {
        sheet.add(names::DATA_FREE, &[], number(free));
    }
}

/// Writes down what it does and has done for one channel.
pub(super) fn channel(sheet: &mut Sheet, channel: &ChannelId, numbers: &Numbers) {
    let id = channel.as_str();
    sheet.add(names::PREPARE_SPEED, &[id], numbers.speeds.get(channel).copied().unwrap_or(0.0));
    let none = Work::default();
    let work = numbers.work.get(channel).unwrap_or(&none);
    for (recipe, (media, took)) in RECIPES.into_iter().zip(work.made) {
        sheet.add(names::PREPARE_MEDIA, &[id, recipe], media.as_secs_f64());
        sheet.add(names::PREPARE_SECONDS, &[id, recipe], took.as_secs_f64());
    }
    sheet.add(names::PREPARE_BYTES, &[id], number(work.bytes));
    for (outcome, count) in Outcome::ALL.into_iter().zip(work.jobs) {
        sheet.add(names::PREPARE_JOBS, &[id, outcome.label()], number(count));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::units::MediaTime;

    #[test]
    fn work_is_told_by_channel_and_a_channel_without_work_has_noughts() {
        let (cats, dogs) = (ChannelId::new("cats").unwrap(), ChannelId::new("dogs").unwrap());
        let made = [(MediaTime::ZERO, Duration::ZERO), (MediaTime::from_secs(90), Duration::from_secs(30))];
        let mut numbers = Numbers { waiting: 7, ..Numbers::default() };
        numbers.work.insert(cats.clone(), Work { made, bytes: 5, jobs: [2, 1, 0] });
        numbers.speeds.insert(cats.clone(), 3.0);
        let mut sheet = Sheet::default();
        all(&mut sheet, &numbers);
        channel(&mut sheet, &cats, &numbers);
        channel(&mut sheet, &dogs, &numbers);
        let lines = sheet.lines();
        for line in [
            "nightcast_prepare_queue_items 7",
            "nightcast_prepare_speed_ratio{channel=\"cats\"} 3",
            "nightcast_prepare_speed_ratio{channel=\"dogs\"} 0",
            "nightcast_prepare_media_seconds_total{channel=\"cats\",recipe=\"transcode\"} 90",
            "nightcast_prepare_seconds_total{channel=\"cats\",recipe=\"transcode\"} 30",
            "nightcast_prepare_jobs_total{channel=\"cats\",outcome=\"failed\"} 1",
            "nightcast_prepare_jobs_total{channel=\"dogs\",outcome=\"failed\"} 0",
        ] {
            assert!(lines.iter().any(|found| found == line), "{line}\n{lines:#?}");
        }
        assert!(!lines.iter().any(|line| line.contains("data_free")), "the disk does not tell");
    }
}
