//! Uploads in, whole chunks out: each GOP in all its renditions, with the length that ffmpeg's playlists tell. Pure.
//!
//! ffmpeg writes the renditions of a GOP one after the other, each by a connection of its own; what is read of one
//! connection may be some GOPs ahead of another.

use std::collections::VecDeque;

use bytes::Bytes;

use super::receive::{Upload, is_transport_stream};
use crate::feed::IN_FLIGHT_MAX;
use crate::hls::source::SourceChunk;
use crate::units::MediaTime;

/// How far the lengths of one GOP may lie apart in two renditions: the playlists tell microseconds.
const APART_MAX: MediaTime = MediaTime(2);

/// One GOP that came back, whole.
#[derive(Debug)]
pub struct Whole {
    /// Its number in the run, from 0.
    pub number: u64,
    /// The bytes of each rendition as they came.
    pub renditions: Vec<Vec<Bytes>>,
    /// Its length: exact, but for the last of a run.
    pub duration: MediaTime,
    /// Whether the run ended with it.
    pub last: bool,
}

/// One rendition of a run.
#[derive(Debug, Default)]
struct Lane {
    /// A chunk that is not listed yet.
    unlisted: Option<(u64, Vec<Bytes>)>,
    /// Chunks of which another rendition is missing; as many as may be in flight.
    waiting: VecDeque<(SourceChunk, Vec<Bytes>)>,
}

/// Joins the chunks of a run.
#[derive(Debug)]
pub struct Pairing {
    lanes: Vec<Lane>,
}

impl Pairing {
    /// Returns one for so many renditions.
    #[must_use]
    pub fn new(renditions: usize) -> Self {
        Self { lanes: (0..renditions).map(|_| Lane::default()).collect() }
    }

    /// Takes an upload and returns the GOP that is whole with it.
    ///
    /// # Errors
    /// In a few words, what no sound run would send.
    pub fn take(&mut self, upload: Upload) -> Result<Option<Whole>, String> {
        let (Upload::Chunk { rendition, .. } | Upload::Listed { rendition, .. }) = upload;
        let lane = self.lanes.get_mut(rendition).ok_or_else(|| format!("there is no rendition {rendition}"))?;
        match upload {
            Upload::Chunk { number, pieces, .. } => {
                if !is_transport_stream(&pieces) {
                    return Err(format!("chunk {number} is no transport stream"));
                }
                match lane.unlisted.replace((number, pieces)) {
                    Some((unlisted, _)) => Err(format!("chunk {unlisted} was never listed")),
                    None => Ok(None),
                }
            }
            Upload::Listed { chunk, .. } => {
                let Some((_, pieces)) = lane.unlisted.take_if(|(number, _)| *number == chunk.number) else {
                    return Ok(None);
                };
                if lane.waiting.len() == IN_FLIGHT_MAX {
                    return Err(format!("rendition {rendition} is too far ahead of the others"));
                }
                lane.waiting.push_back((chunk, pieces));
                self.whole()
            }
        }
    }

    fn whole(&mut self) -> Result<Option<Whole>, String> {
        if self.lanes.iter().any(|lane| lane.waiting.is_empty()) {
            return Ok(None);
        }
        let (chunks, renditions): (Vec<SourceChunk>, Vec<_>) =
            self.lanes.iter_mut().filter_map(|lane| lane.waiting.pop_front()).unzip();
        let Some(first) = chunks.first() else { return Ok(None) };
        let SourceChunk { number, duration, .. } = *first;
        for chunk in &chunks {
            let apart = chunk.duration - duration;
            if chunk.number != number || apart.0.abs() > APART_MAX.0 {
                let (other, millis, own) = (chunk.number, chunk.duration.0 / 90, duration.0 / 90);
                return Err(format!(
                    "the renditions do not agree: chunk {number} of {own} ms, chunk {other} of {millis} ms"
                ));
            }
        }
        let last = chunks.iter().any(|chunk| chunk.last);
        Ok(Some(Whole { number, renditions, duration, last }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(mark: u8) -> Vec<Bytes> {
        let mut packet = vec![mark; 188];
        packet[0] = 0x47;
        vec![Bytes::from(packet)]
    }

    fn chunk(rendition: usize, number: u64) -> Upload {
        Upload::Chunk { rendition, number, pieces: packet(u8::try_from(rendition).unwrap()) }
    }

    fn listed(rendition: usize, number: u64, millis: i64) -> Upload {
        let chunk = SourceChunk { number, duration: MediaTime::from_millis(millis), last: false };
        Upload::Listed { rendition, chunk }
    }

    /// Takes uploads in order; returns the numbers of the GOPs that became whole, or the first complaint.
    fn wholes(renditions: usize, uploads: Vec<Upload>) -> Result<Vec<u64>, String> {
        let mut pairing = Pairing::new(renditions);
        let mut numbers = Vec::new();
        for upload in uploads {
            numbers.extend(pairing.take(upload)?.map(|whole| whole.number));
        }
        Ok(numbers)
    }

    #[test]
    fn a_gop_is_back_when_every_rendition_has_returned_it() {
        let (c, l) = (chunk, |rendition, number| listed(rendition, number, 2000));
        for (sentence, renditions, uploads, expected) in [
            ("one rendition", 1, vec![c(0, 0), l(0, 0), c(0, 1), l(0, 1)], Ok(vec![0, 1])),
            ("a list without a chunk", 1, vec![l(0, 0)], Ok(vec![])),
            ("a chunk that is never listed", 1, vec![c(0, 0), c(0, 1)], Err("chunk 0 was never listed")),
            ("half a GOP", 2, vec![c(0, 0), l(0, 0), c(1, 0)], Ok(vec![])),
            ("side by side", 2, vec![c(0, 0), c(1, 0), l(0, 0), l(1, 0)], Ok(vec![0])),
            (
                "the second is ahead",
                2,
                vec![c(1, 0), l(1, 0), c(1, 1), l(1, 1), c(0, 0), l(0, 0), c(0, 1), l(0, 1)],
                Ok(vec![0, 1]),
            ),
            (
                "of different lengths",
                2,
                vec![c(0, 0), l(0, 0), c(1, 0), listed(1, 0, 2040)],
                Err("the renditions do not agree: chunk 0 of 2000 ms, chunk 0 of 2040 ms"),
            ),
            (
                "of different numbers",
                2,
                vec![c(0, 0), l(0, 0), c(1, 1), l(1, 1)],
                Err("the renditions do not agree: chunk 0 of 2000 ms, chunk 1 of 2000 ms"),
            ),
            ("of nobody", 2, vec![c(2, 0)], Err("there is no rendition 2")),
        ] {
            assert_eq!(wholes(renditions, uploads), expected.map_err(str::to_owned), "{sentence}");
        }
    }

    #[test]
    fn a_rendition_that_runs_away_ends_the_run() {
        let ahead = 0..=u64::try_from(IN_FLIGHT_MAX).unwrap();
        let uploads = ahead.flat_map(|number| [chunk(0, number), listed(0, number, 2000)]).collect();
        assert_eq!(wholes(2, uploads), Err("rendition 0 is too far ahead of the others".to_owned()));
    }

    proptest! {
        #[test]
        fn in_whatever_order_connections_are_read_each_gop_comes_once_with_its_own_bytes(
            order in prop::collection::vec(0_usize..3, 0..200),
        ) {
            let mut pairing = Pairing::new(3);
            let mut sent = [0_u64; 3];
            let mut next = 0;
            for rendition in order {
                let number = sent[rendition];
                if number - next == u64::try_from(IN_FLIGHT_MAX).unwrap() {
                    continue;
                }
                sent[rendition] += 1;
                prop_assert!(pairing.take(chunk(rendition, number)).unwrap().is_none());
                if let Some(whole) = pairing.take(listed(rendition, number, 2000)).unwrap() {
                    prop_assert_eq!(whole.number, next);
                    let marks: Vec<u8> = whole.renditions.iter().map(|pieces| pieces[0][1]).collect();
                    prop_assert_eq!(marks, [0, 1, 2]);
                    next += 1;
                }
            }
            prop_assert_eq!(next, *sent.iter().min().unwrap());
        }
    }
}
