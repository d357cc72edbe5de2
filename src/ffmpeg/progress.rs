//! `-progress` lines → how far an ffmpeg has got.

use crate::units::MediaTime;

/// How far an ffmpeg has got.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Media made so far.
    pub made: MediaTime,
    /// Whether ffmpeg said that this is the end.
    pub end: bool,
}

/// Collects `key=value` lines; a block ends with `progress=continue` or `progress=end`.
#[derive(Debug, Default)]
pub struct ProgressReader {
    block: Progress,
}

impl ProgressReader {
    /// Takes one line and returns the block it completes, if it does.
    ///
    /// `out_time_us` is `N/A` until the first frame, and is negative for a moment where B-frames are delayed.
    pub fn feed(&mut self, line: &str) -> Option<Progress> {
        let (key, value) = line.split_once('=')?;
        match (key.trim(), value.trim()) {
            ("out_time_us", value) => {
                if let Ok(micros) = value.parse::<i64>() {
                    let micros = micros.clamp(0, i64::MAX / 90);
                    self.block.made = self.block.made.max(MediaTime(micros * 9 / 100));
                }
                None
            }
            ("progress", value) => {
                self.block.end = value == "end";
                Some(self.block)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_told_when_it_is_complete() {
        let mut reader = ProgressReader::default();
        for line in ["frame=0", "out_time_us=N/A", "speed=N/A"] {
            assert_eq!(reader.feed(line), None);
        }
        assert_eq!(reader.feed("progress=continue"), Some(Progress { made: MediaTime::ZERO, end: false }));
        assert_eq!(reader.feed("out_time_us=2500000"), None);
        assert_eq!(reader.feed("progress=end"), Some(Progress { made: MediaTime::from_millis(2500), end: true }));
    }

    #[test]
    fn a_line_that_means_nothing_changes_nothing() {
        let mut reader = ProgressReader::default();
        for line in ["", "=", "nonsense", "out_time_us=-9223372036854775808", "out_time_us=99999999999999999999"] {
            assert_eq!(reader.feed(line), None, "{line}");
        }
        assert_eq!(reader.feed("progress=continue").unwrap().made, MediaTime::ZERO);
    }
}
