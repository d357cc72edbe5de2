//! Chunks into segments: whole GOPs that never span an item boundary.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::{SEGMENT_GOAL, SEGMENT_MAX};
use crate::units::{MediaTime, RunId};

/// Remainders shorter than this are drawn into the segment before: players make holes at very short segments.
const REMAINDER_MIN: MediaTime = MediaTime::from_secs(1);

/// One GOP as it came back from the on-air ffmpeg.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The bytes of each of its renditions, in the pieces in which they came; of all chunks of a channel equally many.
    pub renditions: Vec<Vec<Bytes>>,
    /// ffmpeg's EXTINF.
    pub duration: MediaTime,
    /// Which airing it belongs to, counted over the server's life.
    pub airing: u64,
    /// Which run made it.
    pub run: RunId,
    /// Digest of its codec parameters; empty where unknown.
    pub signature: Arc<str>,
    /// How long the rest of the airing plays after it, as far as is known; none where it is open-ended.
    pub remaining: Option<MediaTime>,
}

/// One segment, not yet published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The bytes of each rendition.
    pub renditions: Vec<Bytes>,
    /// The sum of its chunks' EXTINF.
    pub duration: MediaTime,
    /// Which airing it belongs to.
    pub airing: u64,
    /// Whether it is the airing's first.
    pub first_of_airing: bool,
    /// Whether timestamps or parameters change before it (RFC 8216 §4.3.2.3).
    pub discontinuity: bool,
    /// Whether another run made it than the segment before.
    pub new_run: bool,
}

/// Collects chunks until they make a segment.
#[derive(Debug, Default)]
pub struct Packer {
    open: Vec<Chunk>,
    /// Airing, run and signature of the chunk before the open ones; none at the start of the channel's life.
    last: Option<(u64, RunId, Arc<str>)>,
}

impl Packer {
    /// Adds a chunk and returns the segments that are complete now, oldest first: none, one, or two when the chunk
    /// belongs to another airing or run than those that were waiting.
    pub fn push(&mut self, chunk: Chunk) -> Vec<Segment> {
        let mut closed = Vec::new();
        let joins = self.open.last().is_none_or(|last| {
            let fits = self.duration() + chunk.duration <= SEGMENT_MAX;
            fits && last.airing == chunk.airing && last.run == chunk.run
        });
        if !joins {
            closed.extend(self.close());
        }
        let remaining = chunk.remaining;
        self.open.push(chunk);
        let short_rest = remaining.is_some_and(|rest| rest > MediaTime::ZERO && rest < REMAINDER_MIN)
            && self.has_room_for(remaining);
        if self.duration() >= SEGMENT_GOAL && !short_rest {
            closed.extend(self.close());
        }
        closed
    }

    /// Closes what is waiting: the airing it belongs to has ended.
    pub fn close(&mut self) -> Option<Segment> {
        let first = self.open.first()?;
        let (airing, run, signature) = (first.airing, first.run, Arc::clone(&first.signature));
        let before = self.last.as_ref();
        let first_of_airing = before.is_none_or(|(last, _, _)| *last != airing);
        let discontinuity = before.is_none_or(|(last, last_run, last_signature)| {
            *last_run != run || (*last != airing && (signature.is_empty() || *last_signature != signature))
        });
        let new_run = before.is_none_or(|(_, last_run, _)| *last_run != run);
        let duration = self.duration();
        let pieces = |n: usize| self.open.iter().filter_map(move |chunk| chunk.renditions.get(n)).flatten();
        let renditions = (0..first.renditions.len()).map(|n| joined(pieces(n))).collect();
        // A growing item's signature becomes known on the way: the newest chunk knows best what the next is joined to.
        let last = self.open.last().map_or(signature, |chunk| Arc::clone(&chunk.signature));
        self.last = Some((airing, run, last));
        self.open.clear();
        Some(Segment { renditions, duration, airing, first_of_airing, discontinuity, new_run })
    }

    /// Returns how long the waiting chunks play.
    #[must_use]
    pub fn duration(&self) -> MediaTime {
        self.open.iter().map(|chunk| chunk.duration).sum()
    }

    fn has_room_for(&self, rest: Option<MediaTime>) -> bool {
        self.duration() + rest.unwrap_or_default() <= SEGMENT_MAX
    }
}

/// Joins pieces into one allocation of exactly their size: the pieces share large read buffers that must go.
fn joined<'a>(pieces: impl Iterator<Item = &'a Bytes> + Clone) -> Bytes {
    let mut whole = BytesMut::with_capacity(pieces.clone().map(Bytes::len).sum());
    pieces.for_each(|piece| whole.extend_from_slice(piece));
    whole.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(airing: u64, millis: i64, remaining_millis: Option<i64>) -> Chunk {
        Chunk {
            renditions: ["a", "b"].map(|name| vec![Bytes::from(format!("{name}{airing}:{millis} "))]).into(),
            duration: MediaTime::from_millis(millis),
            airing,
            run: RunId(1),
            signature: "s".into(),
            remaining: remaining_millis.map(MediaTime::from_millis),
        }
    }

    /// Pushes chunks and returns the lengths of the segments in milliseconds.
    fn lengths(chunks: impl IntoIterator<Item = Chunk>) -> Vec<i64> {
        let mut packer = Packer::default();
        let mut segments: Vec<_> = chunks.into_iter().flat_map(|chunk| packer.push(chunk)).collect();
        segments.extend(packer.close());
        segments.iter().map(|segment| segment.duration.0 / 90).collect()
    }

    #[test]
    fn a_gop_of_two_seconds_is_a_segment() {
        assert_eq!(lengths([chunk(1, 2000, None), chunk(1, 2002, None)]), [2000, 2002]);
    }

    #[test]
    fn short_gops_are_collected_to_the_goal() {
        assert_eq!(lengths((0..5).map(|_| chunk(1, 500, None))), [2000, 500]);
    }

    #[test]
    fn a_segment_never_spans_an_item_boundary() {
        assert_eq!(lengths([chunk(1, 500, Some(0)), chunk(2, 500, None)]), [500, 500]);
    }

    #[test]
    fn a_segment_never_spans_two_runs() {
        let second = Chunk { run: RunId(2), ..chunk(1, 500, None) };
        assert_eq!(lengths([chunk(1, 500, None), second]), [500, 500]);
    }

    #[test]
    fn a_very_short_rest_is_drawn_into_the_segment_before() {
        assert_eq!(lengths([chunk(1, 2000, Some(40)), chunk(1, 40, Some(0)), chunk(2, 2000, None)]), [2040, 2000]);
    }

    #[test]
    fn no_segment_is_longer_than_the_target_allows() {
        let long = SEGMENT_MAX.0 / 90;
        assert_eq!(lengths([chunk(1, 1000, None), chunk(1, long, None)]), [1000, long]);
        assert_eq!(lengths([chunk(1, long, Some(900)), chunk(1, 900, Some(0))]), [long, 900]);
    }

    #[test]
    fn discontinuities_come_with_new_runs_and_new_parameters_only() {
        let cases = [
            ("the channel's first segment", vec![chunk(1, 2000, None)], vec![true]),
            (
                "the same parameters in the same run",
                vec![chunk(1, 2000, None), chunk(2, 2000, None)],
                vec![true, false],
            ),
            (
                "other parameters",
                vec![chunk(1, 2000, None), Chunk { signature: "t".into(), ..chunk(2, 2000, None) }],
                vec![true, true],
            ),
            (
                "unknown parameters of another item",
                vec![chunk(1, 2000, None), Chunk { signature: "".into(), ..chunk(2, 2000, None) }],
                vec![true, true],
            ),
            (
                "a new run in the same item",
                vec![chunk(1, 2000, None), Chunk { run: RunId(2), ..chunk(1, 2000, None) }],
                vec![true, true],
            ),
        ];
        for (sentence, chunks, expected) in cases {
            let mut packer = Packer::default();
            let flags: Vec<_> = chunks.into_iter().flat_map(|c| packer.push(c)).map(|s| s.discontinuity).collect();
            assert_eq!(flags, expected, "{sentence}");
        }
    }

    #[test]
    fn bytes_are_joined_in_order() {
        let mut packer = Packer::default();
        assert!(packer.push(chunk(1, 900, None)).is_empty());
        let segment = packer.push(chunk(1, 1100, None)).remove(0);
        assert_eq!(segment.renditions, ["a1:900 a1:1100 ", "b1:900 b1:1100 "].map(Bytes::from));
    }
}
