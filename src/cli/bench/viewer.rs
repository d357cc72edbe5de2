//! What a simulated viewer does next, as hls.js 1.7 would. Pure: time is an argument, counted from any beginning.
//!
//! A player begins three segments behind the live edge, loads one segment after the other, and asks for the playlist
//! again one segment's length after it changed, or half of it where it did not (RFC 8216 §6.3.4 allows a target duration
//! and half of it; hls.js takes the mean length of the segments, or the last one's where that is shorter).

use std::collections::VecDeque;
use std::time::Duration;

use super::listing::Listed;

/// How many segments behind the live edge a player begins.
const BEHIND: usize = 3;

/// How many segments a viewer means to load at the most; older ones are left out, as a player leaps to the edge.
const QUEUE_MAX: usize = 8;

/// How long a viewer waits after something went wrong (hls.js: one second at first).
const RETRY: Duration = Duration::from_secs(1);

/// A playlist that has not changed for so many target durations is old: the station stands still.
const OLD_TARGETS: u32 = 2;

/// The next thing a viewer does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask for the playlist.
    Playlist,
    /// Load a segment.
    Segment(Listed),
    /// Nothing before this moment.
    Wait(Duration),
}

/// What a playlist was to a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It lists a segment that was not there before.
    Fresh,
    /// It is the one before.
    Same,
    /// It has been the same for longer than two target durations.
    Old,
}

/// One viewer of one channel.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// When the playlist is due.
    due: Duration,
    /// The newest segment that was listed, and since when.
    newest: Option<(u64, Duration)>,
    queue: VecDeque<Listed>,
}

impl Viewer {
    /// Returns a viewer who begins at this moment.
    #[must_use]
    pub fn new(begins: Duration) -> Self {
        Self { due: begins, newest: None, queue: VecDeque::new() }
    }

    /// Returns what to do next. The playlist comes first: a player asks for it beside what it loads.
    pub fn next(&mut self, now: Duration) -> Step {
        if now >= self.due {
            return Step::Playlist;
        }
        self.queue.pop_front().map_or(Step::Wait(self.due), Step::Segment)
    }

    /// Takes a playlist that came.
    pub fn took(&mut self, target: Duration, segments: &[Listed], now: Duration) -> News {
        let Some(last) = segments.last() else { return News::Same };
        let mean = segments.iter().map(|segment| segment.length).sum::<Duration>()
            / u32::try_from(segments.len()).unwrap_or(u32::MAX);
        let (news, interval) = match self.newest {
            Some((newest, since)) if newest == last.number => {
                let old = now.saturating_sub(since) > OLD_TARGETS * target;
                (if old { News::Old } else { News::Same }, mean / 2)
            }
            _ => (News::Fresh, mean.min(last.length)),
        };
        if news == News::Fresh {
            let known = self.newest.filter(|(newest, _)| *newest < last.number).map(|(newest, _)| newest);
            let first = known.map_or(last.number.saturating_sub(BEHIND as u64 - 1), |newest| newest + 1);
            self.queue.extend(segments.iter().filter(|segment| segment.number >= first).cloned());
            while self.queue.len() > QUEUE_MAX {
                self.queue.pop_front();
            }
            self.newest = Some((last.number, now));
        }
        // Counted from when it was due, so that the station's delay and the timer's do not add up; never in the past.
        self.due = (self.due + interval).max(now);
        news
    }

    /// Takes note that something did not come: a playlist is tried again, a segment is left out.
    pub fn failed(&mut self, now: Duration) {
        self.due = self.due.max(now + RETRY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_secs(6);

    fn secs(secs: f64) -> Duration {
        Duration::from_secs_f64(secs)
    }

    /// Returns a window of segments of these lengths.
    fn window(first: u64, lengths: &[f64]) -> Vec<Listed> {
        let listed =
            |(number, length): (u64, &f64)| Listed { number, length: secs(*length), path: format!("/{number}") };
        (first..).zip(lengths).map(listed).collect()
    }

    fn loads(viewer: &mut Viewer, now: Duration) -> Vec<u64> {
        std::iter::from_fn(|| match viewer.next(now) {
            Step::Segment(listed) => Some(listed.number),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn a_viewer_begins_three_segments_behind_the_edge_and_takes_each_new_one_once() {
        let mut viewer = Viewer::new(secs(5.0));
        assert_eq!(viewer.next(secs(4.0)), Step::Wait(secs(5.0)));
        assert_eq!(viewer.next(secs(5.0)), Step::Playlist);
        for (sentence, first, now, news, segments) in [
            ("the first look", 100, 5.1, News::Fresh, &[107, 108, 109][..]),
            ("nothing new", 100, 7.1, News::Same, &[]),
            ("one more", 101, 8.1, News::Fresh, &[110]),
            ("three more at once", 104, 10.1, News::Fresh, &[111, 112, 113]),
            ("a long absence: only the newest", 150, 100.0, News::Fresh, &[152, 153, 154, 155, 156, 157, 158, 159]),
            ("another life of the station", 40, 102.0, News::Fresh, &[47, 48, 49]),
        ] {
            assert_eq!(viewer.took(TARGET, &window(first, &[2.0; 10]), secs(now)), news, "{sentence}");
            // The playlist that is due may come first, so the time does not go on.
            viewer.due = viewer.due.max(secs(now + 0.1));
            assert_eq!(loads(&mut viewer, secs(now)), segments, "{sentence}");
        }
    }

    #[test]
    fn the_playlist_is_asked_for_again_by_the_lengths_of_its_segments() {
        for (sentence, lengths, expected) in [
            ("all alike", &[2.0, 2.0, 2.0][..], (2.0, 1.0)),
            ("as long as the target", &[6.0, 6.0, 6.0], (6.0, 3.0)),
            ("the last is shorter", &[4.0, 4.0, 1.0], (1.0, 1.5)),
            ("the last is longer", &[2.0, 2.0, 5.0], (3.0, 1.5)),
        ] {
            let mut viewer = Viewer::new(secs(10.0));
            viewer.took(TARGET, &window(1, lengths), secs(10.001));
            loads(&mut viewer, secs(10.001));
            assert_eq!(viewer.next(secs(10.001)), Step::Wait(secs(10.0 + expected.0)), "{sentence}: new");
            viewer.took(TARGET, &window(1, lengths), secs(10.0 + expected.0));
            let again = Step::Wait(secs(10.0 + expected.0 + expected.1));
            assert_eq!(viewer.next(secs(10.0 + expected.0)), again, "{sentence}: the same");
        }
    }

    #[test]
    fn a_playlist_that_stands_still_is_old_after_two_target_durations() {
        let mut viewer = Viewer::new(secs(0.0));
        let same = window(1, &[2.0; 3]);
        for (now, news) in [(0.0, News::Fresh), (12.0, News::Same), (12.1, News::Old), (30.0, News::Old)] {
            assert_eq!(viewer.took(TARGET, &same, secs(now)), news, "{now}");
        }
        assert_eq!(viewer.took(TARGET, &window(2, &[2.0; 3]), secs(31.0)), News::Fresh);
    }

    #[test]
    fn what_went_wrong_is_tried_again_after_a_second_and_nothing_is_due_in_the_past() {
        let mut viewer = Viewer::new(secs(0.0));
        viewer.failed(secs(0.2));
        assert_eq!(viewer.next(secs(0.2)), Step::Wait(secs(1.2)));
        viewer.took(TARGET, &window(1, &[2.0; 3]), secs(9.0));
        viewer.failed(secs(9.0));
        loads(&mut viewer, secs(9.0));
        assert_eq!(viewer.next(secs(9.0)), Step::Wait(secs(10.0)));
    }
}
