//! Watches a channel as a viewer does: every playlist is judged, every segment fetched.
#![expect(clippy::disallowed_methods, reason = "tests read the clock")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::hls_reader::{Reader, Rules};
use super::station::{Station, rest};

/// What a viewer kept of a channel.
#[derive(Debug, Default)]
pub struct Recording {
    /// Segments by media sequence number.
    pub segments: BTreeMap<u64, Vec<u8>>,
    /// When each of them begins, as the playlist told, where it was seen there.
    pub begins: BTreeMap<u64, Timestamp>,
    /// Playlists as they were, those with something new.
    pub playlists: Vec<String>,
    /// What the strict reader found.
    pub violations: Vec<String>,
    /// The longest time without anything new, in the world's time.
    pub stood_still: Duration,
    /// How many segments said EXT-X-DISCONTINUITY, the first playlist's not counted.
    pub discontinuities: usize,
}

/// Watches a channel while `more` says so, from its first playlist on.
pub fn watch(station: &Station, channel: &str, rules: Rules, mut more: impl FnMut(&Recording) -> bool) -> Recording {
    let mut reader = Reader::with_rules(rules);
    let mut recording = Recording::default();
    station.until("a playlist", || station.playlist(channel));
    let mut last_new: Option<Instant> = None;
    while more(&recording) {
        let Some(text) = station.playlist(channel) else {
            recording.violations.push("the playlist was not to be had".to_owned());
            break;
        };
        match reader.observe(&text, station.now()) {
            Ok(seen) if seen.new > 0 => {
                if let Some(last) = last_new.replace(Instant::now()) {
                    recording.stood_still = recording.stood_still.max(last.elapsed());
                    recording.discontinuities += seen.new_segments().iter().filter(|one| one.discontinuity).count();
                }
                recording.begins.extend(seen.segments.iter().filter_map(|one| Some((one.msn, one.date_time?))));
                let (newest, ending) = seen.new_segments().last().map(|segment| number(&segment.uri)).unwrap();
                recording.fetch(station, channel, newest, ending);
                recording.playlists.push(text);
            }
            Ok(_) => rest(),
            Err(found) => recording.violations.extend(found.iter().map(|violation| format!("{violation:?}"))),
        }
    }
    recording.stood_still = last_new.map_or(Duration::MAX, |last| recording.stood_still.max(last.elapsed()));
    recording
}

impl Recording {
    fn fetch(&mut self, station: &Station, channel: &str, newest: u64, ending: &str) {
        // At twenty times speed a busy machine may sleep through a refresh: what has left the window by then is still
        // promised.
        let first = self.segments.keys().last().map_or(newest, |last| last + 1);
        for msn in first..=newest {
            let answer = station.get(&format!("/channels/{channel}/segments/{msn}.{ending}"));
            if answer.status != 200 {
                self.violations.push(format!("segment {msn} answered {}", answer.status));
            }
            self.segments.insert(msn, answer.body);
        }
    }

    /// Every byte, joined.
    pub fn joined(&self) -> Vec<u8> {
        self.segments.values().flatten().copied().collect()
    }
}

/// Watches a channel while something else is done beside it; fails on any violation.
pub fn watched<T>(station: &Station, channel: &str, rules: Rules, act: impl FnOnce() -> T) -> (T, Recording) {
    /// Ends the watching also when the act fails, so that its failure is told.
    struct Done<'a>(&'a Mutex<bool>);
    impl Drop for Done<'_> {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = true;
        }
    }
    let done = Mutex::new(false);
    let (outcome, recording) = std::thread::scope(|scope| {
        // One look more when all is done: what the act waited for is seen, too.
        let (mut last, done) = (false, &done);
        let more = move |_: &Recording| !std::mem::replace(&mut last, *done.lock().unwrap());
        let viewer = scope.spawn(move || watch(station, channel, rules, more));
        let end = Done(done);
        let outcome = act();
        drop(end);
        (outcome, viewer.join().unwrap())
    });
    assert_eq!(recording.violations, Vec::<String>::new(), "{}", station.log());
    (outcome, recording)
}

/// Returns a segment's number, and how its name ends.
fn number(uri: &str) -> (u64, &str) {
    let (number, ending) = uri.rsplit('/').next().unwrap().split_once('.').unwrap();
    (number.parse().unwrap(), ending)
}
