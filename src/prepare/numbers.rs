//! What the workshop has done and does, in numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use super::job::JobError;
use super::recipe::Recipe;
use crate::units::{ChannelId, MediaTime};

/// How a preparation ended; a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its item is ready.
    Done,
    /// It is not, for now or for good.
    Failed,
    /// Nobody waited for it any more.
    Stopped,
}

impl Outcome {
    /// Every outcome, in their order.
    pub const ALL: [Self; 3] = [Self::Done, Self::Failed, Self::Stopped];

    /// Returns its name in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// The recipes as metric labels, in the order of [`Work::made`].
pub const RECIPES: [&str; 2] = ["remux", "transcode"];

/// What was done for a channel; preparations count for the first channel that wanted them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// By recipe, in the order of [`RECIPES`]: media made ready, and how long that took.
    pub made: [(MediaTime, Duration); 2],
    /// Bytes made ready.
    pub bytes: u64,
    /// Preparations that ended, in the order of [`Outcome::ALL`].
    pub jobs: [u64; Outcome::ALL.len()],
}

impl Work {
    /// Adds a preparation that ended.
    pub fn add(&mut self, ended: Result<(&Recipe, MediaTime, u64), &JobError>, took: Duration) {
        let outcome = match ended {
            Ok((recipe, length, bytes)) => {
                let (media, time) = &mut self.made[usize::from(*recipe != Recipe::Remux)];
                *media += length;
                *time += took;
                self.bytes += bytes;
                Outcome::Done
            }
            Err(JobError::Cancelled) => Outcome::Stopped,
            Err(_) => Outcome::Failed,
        };
        self.jobs[outcome as usize] += 1;
    }
}

/// The workshop at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// How many items may be prepared at once.
    pub workers: usize,
    /// How many are.
    pub running: usize,
    /// How many are wanted and wait.
    pub waiting: usize,
    /// Media seconds made in a second for each channel for which something is being made.
    pub speeds: BTreeMap<ChannelId, f64>,
    /// What was done for each channel.
    pub work: BTreeMap<ChannelId, Work>,
    /// Bytes of mezzanines on the disk.
    pub cache_bytes: u64,
    /// Bytes of mezzanines that may be kept.
    pub cache_budget_bytes: u64,
    /// Mezzanines removed to make room.
    pub evictions: u64,
    /// Bytes that are free on the data folder's disk; none where it does not tell.
    pub free_bytes: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_summed_by_recipe_and_outcome() {
        let mut work = Work::default();
        let (minute, second) = (MediaTime::from_secs(60), Duration::from_secs(1));
        let transcode = Recipe::Transcode { reasons: Vec::new() };
        work.add(Ok((&Recipe::Remux, minute, 10)), second);
        work.add(Ok((&transcode, minute, 20)), second * 5);
        work.add(Ok((&transcode, minute, 30)), second * 5);
        work.add(Err(&JobError::Cancelled), second);
        work.add(Err(&JobError::DiskFull), second);
        let made = [(minute, second), (minute + minute, second * 10)];
        assert_eq!(work, Work { made, bytes: 60, jobs: [3, 1, 1] });
    }
}
