//! What is around a boundary of two items, decoded: flash and beep must be one on both sides.

use std::collections::VecDeque;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use jiff::Timestamp;

use super::transport::{TICKS, WRAP};
use crate::support::ffmpegs::Ffmpeg;
use crate::support::sync::{self, Measured};

/// How much is decoded on each side, in seconds at least: one flash a second.
const SIDE: f64 = 1.9;

/// How far flash and beep may be apart.
const APART_MAX_MS: f64 = 20.0;

/// The end of one item and the beginning of the next, as they were aired.
#[derive(Clone, Debug)]
pub struct Boundary {
    pub bytes: Vec<u8>,
    /// Stamps of its first picture, of the second item's first, and an end: 33 bits, later ones may be smaller.
    pub from: i64,
    pub seam: i64,
    pub to: i64,
    pub what: String,
}

/// Collects both sides of boundaries out of segments.
#[derive(Debug, Default)]
pub struct Seam {
    /// The newest segments of the present item: bytes, first stamp, seconds.
    tail: VecDeque<(Vec<u8>, i64, f64)>,
    open: Option<(Boundary, f64)>,
}

impl Seam {
    /// An item begins; `before` is the one whose end was there. Returns the boundary that was still open.
    pub fn begin(&mut self, before: Option<String>, after: &str, stamp: i64, date: Timestamp) -> Option<Boundary> {
        let ready = self.open.take().map(|(boundary, _)| boundary);
        let tail: Vec<_> = self.tail.drain(..).collect();
        if let (Some(before), Some((_, from, _))) = (before, tail.first()) {
            let bytes = tail.iter().flat_map(|(bytes, ..)| bytes).copied().collect();
            let what = format!("{date}: {before} to {after}");
            self.open = Some((Boundary { bytes, from: *from, seam: stamp, to: stamp, what }, 0.0));
        }
        ready
    }

    /// Takes a segment of the present item.
    pub fn add(&mut self, bytes: Vec<u8>, stamp: i64, secs: f64) -> Option<Boundary> {
        let mut ready = None;
        if let Some((mut boundary, mut length)) = self.open.take() {
            boundary.bytes.extend_from_slice(&bytes);
            length += secs;
            #[expect(clippy::cast_possible_truncation, reason = "some seconds")]
            let ticks = (secs * 90_000.0) as i64;
            boundary.to = (stamp + ticks).rem_euclid(WRAP);
            if length >= SIDE {
                ready = Some(boundary);
            } else {
                self.open = Some((boundary, length));
            }
        }
        self.tail.push_back((bytes, stamp, secs));
        let mut length: f64 = self.tail.iter().map(|one| one.2).sum();
        while let Some(first) = self.tail.front().filter(|first| length - first.2 >= SIDE) {
            length -= first.2;
            self.tail.pop_front();
        }
        ready
    }

    /// A new run: its stamps do not join what was before.
    pub fn forget(&mut self) {
        self.tail.clear();
        self.open = None;
    }
}

/// Whether a boundary may stand in one file after another: stamps must rise.
pub fn goes_after(batch: &[Boundary], next: &Boundary) -> bool {
    let wraps = |boundary: &Boundary| boundary.to < boundary.from;
    batch.last().is_none_or(|last| !wraps(last) && !wraps(next) && next.from > last.to)
}

/// What came of decoding boundaries.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    pub boundaries: u64,
    /// Offsets of all flashes and beeps: how many, the least and the most, in milliseconds.
    pub pairs: u64,
    pub least_ms: f64,
    pub most_ms: f64,
    pub faults: Vec<String>,
}

/// Decodes boundaries in one go and judges them.
pub fn decode(ffmpeg: &Ffmpeg, folder: &Path, batch: &[Boundary]) -> Decoded {
    let path = folder.join("boundaries.ts");
    let bytes: Vec<u8> = batch.iter().flat_map(|boundary| &boundary.bytes).copied().collect();
    let measured = fs::write(&path, bytes).map_err(|error| error.to_string()).and_then(|()| {
        catch_unwind(AssertUnwindSafe(|| sync::measure(ffmpeg, &path))).map_err(|_| "see above".to_owned())
    });
    match measured {
        Ok(measured) => judge(batch, &measured),
        Err(error) => {
            let faults = vec![format!("{} and {} more could not be decoded: {error}", batch[0].what, batch.len() - 1)];
            Decoded { faults, ..Decoded::default() }
        }
    }
}

fn judge(batch: &[Boundary], measured: &Measured) -> Decoded {
    let mut decoded = Decoded { boundaries: batch.len() as u64, ..Decoded::default() };
    for boundary in batch {
        let (from, seam, to) = (secs(boundary.from), after(boundary, boundary.seam), after(boundary, boundary.to));
        let time = |at: f64| if at + secs(WRAP) / 2.0 < from { at + secs(WRAP) } else { at };
        let within = |at: f64| (from - 0.001..to).contains(&time(at));
        let pairs: Vec<_> = measured.offsets.iter().filter(|offset| within(offset.video_secs)).collect();
        let before = pairs.iter().filter(|offset| time(offset.video_secs) < seam).count();
        for pair in &pairs {
            decoded.least_ms = decoded.least_ms.min(pair.offset_ms);
            decoded.most_ms = decoded.most_ms.max(pair.offset_ms);
            if pair.offset_ms.abs() > APART_MAX_MS {
                decoded.faults.push(format!(
                    "{}: {:.1} ms apart {:.3} s from the seam",
                    boundary.what,
                    pair.offset_ms,
                    time(pair.video_secs) - seam
                ));
            }
        }
        if before == 0 || before == pairs.len() {
            let what = format!("{}: {before} flashes before and {} after", boundary.what, pairs.len() - before);
            decoded.faults.push(what);
        }
        let alone = measured.flashes_alone.iter().chain(&measured.beeps_alone).filter(|at| within(**at));
        decoded.faults.extend(alone.map(|at| format!("{}: a flash or a beep alone at {at:.3} s", boundary.what)));
        decoded.pairs += pairs.len() as u64;
    }
    decoded
}

#[expect(clippy::cast_precision_loss, reason = "33 bits")]
fn secs(ticks: i64) -> f64 {
    ticks as f64 / TICKS as f64
}

/// A stamp of a boundary in seconds, not before its first.
fn after(boundary: &Boundary, stamp: i64) -> f64 {
    secs(boundary.from + (stamp - boundary.from).rem_euclid(WRAP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::sync::Offset;

    fn boundary(from: i64) -> Boundary {
        let at = |secs: i64| (from + secs * TICKS).rem_euclid(WRAP);
        Boundary { bytes: Vec::new(), from, seam: at(2), to: at(4), what: "a to b".to_owned() }
    }

    fn measured(at: &[(f64, f64)]) -> Measured {
        let offset = |&(video_secs, offset_ms): &(f64, f64)| Offset {
            video_secs,
            audio_secs: video_secs + offset_ms / 1e3,
            offset_ms,
        };
        Measured { offsets: at.iter().map(offset).collect(), ..Measured::default() }
    }

    /// When a flash was seen, in seconds, and how far its beep was from it, in milliseconds.
    type Offsets = &'static [(f64, f64)];

    #[test]
    fn both_sides_of_a_boundary_must_flash_and_beep_as_one() {
        let cases: [(&str, Offsets, usize); 5] = [
            ("as it should be", &[(10.5, 1.0), (12.5, -1.0)], 0),
            ("nothing before", &[(12.5, 0.0)], 1),
            ("nothing after", &[(10.5, 0.0)], 1),
            ("out of step after", &[(10.5, 0.0), (12.5, 30.0)], 1),
            ("elsewhere", &[(30.0, 0.0)], 1),
        ];
        for (sentence, offsets, faults) in cases {
            let decoded = judge(&[boundary(10 * TICKS)], &measured(offsets));
            assert_eq!(decoded.faults.len(), faults, "{sentence}: {:?}", decoded.faults);
        }
        let alone = Measured { beeps_alone: vec![11.0, 99.0], ..measured(&[(10.5, 0.0), (12.5, 0.0)]) };
        assert_eq!(judge(&[boundary(10 * TICKS)], &alone).faults.len(), 1);
    }

    #[test]
    fn a_boundary_at_the_end_of_33_bits_is_judged_by_itself() {
        let wrapping = boundary(WRAP - TICKS);
        assert!(!goes_after(&[boundary(TICKS)], &wrapping) && goes_after(&[], &wrapping));
        assert!(!goes_after(std::slice::from_ref(&wrapping), &boundary(9 * TICKS)));
        assert!(goes_after(&[boundary(TICKS)], &boundary(9 * TICKS)));
        assert!(!goes_after(&[boundary(9 * TICKS)], &boundary(TICKS)));
        for ahead in [0.0, secs(WRAP)] {
            let offsets = [(secs(WRAP) - 0.5, 0.0), (1.5 + ahead, 0.0)];
            assert_eq!(judge(std::slice::from_ref(&wrapping), &measured(&offsets)).faults, Vec::<String>::new());
        }
    }

    #[test]
    fn both_sides_are_collected() {
        let date = Timestamp::UNIX_EPOCH;
        let mut seam = Seam::default();
        assert!(seam.begin(None, "a", 0, date).is_none());
        for n in 0..3 {
            assert!(seam.add(vec![n], i64::from(n) * 2 * TICKS, 2.0).is_none());
        }
        assert!(seam.begin(Some("a".to_owned()), "b", 6 * TICKS, date).is_none());
        assert!(seam.add(vec![3], 6 * TICKS, 1.0).is_none());
        let ready = seam.add(vec![4], 7 * TICKS, 1.0).unwrap();
        assert_eq!((ready.bytes, ready.from, ready.seam, ready.to), (vec![2, 3, 4], 4 * TICKS, 6 * TICKS, 8 * TICKS));
    }
}
