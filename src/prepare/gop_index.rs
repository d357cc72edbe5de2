//! The HLS muxer's byte-range playlist → where each GOP of a growing file lies.

use m3u8_rs::{Playlist, parse_playlist};

use super::mezzanine::Gop;
use super::recipe::ITEM_MAX;
use crate::units::MediaTime;

/// Why a playlist is no index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// It is not a media playlist.
    #[error("failed to read the index: it is not a media playlist")]
    NotAPlaylist,
    /// An entry has no byte range, no length, or no duration that can be.
    #[error("failed to read entry {entry} of the index")]
    Entry {
        /// Which, from 0.
        entry: usize,
    },
    /// An entry does not begin where the one before ends.
    #[error("entry {entry} of the index does not follow the one before")]
    Hole {
        /// Which, from 0.
        entry: usize,
    },
}

/// Returns the GOPs a playlist lists, in order; offsets are contiguous from 0.
///
/// ffmpeg (5.1 and 9.0) replaces the playlist by renaming, so what is read is never torn; every field is checked all
/// the same, for m3u8-rs reads half a line as a segment with duration 0.
///
/// # Errors
/// [`IndexError`] as its variants tell.
pub fn parse(text: &[u8]) -> Result<Vec<Gop>, IndexError> {
    let Ok((_, Playlist::MediaPlaylist(playlist))) = parse_playlist(text) else {
        return Err(IndexError::NotAPlaylist);
    };
    let mut gops: Vec<Gop> = Vec::with_capacity(playlist.segments.len());
    for (entry, segment) in playlist.segments.iter().enumerate() {
        let range = segment.byte_range.as_ref().ok_or(IndexError::Entry { entry })?;
        let len = u32::try_from(range.length).ok().filter(|len| *len > 0).ok_or(IndexError::Entry { entry })?;
        let duration = MediaTime::from_secs_f64(f64::from(segment.duration));
        if duration <= MediaTime::ZERO || duration > ITEM_MAX {
            return Err(IndexError::Entry { entry });
        }
        let expected = gops.last().map_or(0, |gop| gop.offset + u64::from(gop.len));
        if range.offset.unwrap_or(expected) != expected {
            return Err(IndexError::Hole { entry });
        }
        gops.push(Gop { offset: expected, len, duration, sum: None });
    }
    Ok(gops)
}

/// Returns the checksum of a GOP's bytes.
#[must_use]
pub fn sum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// The same checksum of a GOP that comes in pieces.
#[derive(Clone, Debug, Default)]
pub struct Sum(crc32fast::Hasher);

impl Sum {
    /// Adds the next bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the checksum.
    #[must_use]
    pub fn finish(self) -> u32 {
        self.0.finalize()
    }
}

/// Returns how many of the GOPs have all their bytes in a file of `file_len` bytes.
///
/// The playlist may be renamed into place before the last bytes of its newest GOP reach the file.
#[must_use]
pub fn count_on_disk(gops: &[Gop], file_len: u64) -> usize {
    gops.partition_point(|gop| gop.offset + u64::from(gop.len) <= file_len)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FFMPEG_5_1: &str = "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n\
        #EXTINF:2.002000,\n#EXT-X-BYTERANGE:96632@0\nitem.ts\n\
        #EXTINF:2.002000,\n#EXT-X-BYTERANGE:109980@96632\nitem.ts\n\
        #EXTINF:1.301300,\n#EXT-X-BYTERANGE:72380@206612\nitem.ts\n#EXT-X-ENDLIST\n";
    const FFMPEG_9_0: &str = "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n\
        #EXTINF:2.000000,\n#EXT-X-BYTERANGE:96820@0\nitem.ts\n";

    #[test]
    fn the_playlists_of_both_ffmpegs_are_indexes() {
        let gops = parse(FFMPEG_5_1.as_bytes()).unwrap();
        assert_eq!(gops.len(), 3);
        assert_eq!(gops[1], Gop { offset: 96_632, len: 109_980, duration: MediaTime(180_180), sum: None });
        assert_eq!(gops[2].duration, MediaTime(117_117));
        let gops = parse(FFMPEG_9_0.as_bytes()).unwrap();
        assert_eq!(gops, [Gop { offset: 0, len: 96_820, duration: MediaTime::from_secs(2), sum: None }]);
    }

    #[test]
    fn what_is_no_index_is_refused() {
        let with = |from: &str, to: &str| FFMPEG_5_1.replacen(from, to, 1).into_bytes();
        let table = [
            ("not a playlist", b"hello".to_vec(), IndexError::NotAPlaylist),
            ("no byte range", with("#EXT-X-BYTERANGE:109980@96632\n", ""), IndexError::Entry { entry: 1 }),
            ("a hole", with("@96632", "@96633"), IndexError::Hole { entry: 1 }),
            ("no length", with("72380@", "0@"), IndexError::Entry { entry: 2 }),
            ("no duration", with("2.002000", "0.000000"), IndexError::Entry { entry: 0 }),
            ("a GOP of an age", with("1.301300", "999999999999999999999.0"), IndexError::Entry { entry: 2 }),
        ];
        for (sentence, text, error) in table {
            assert_eq!(parse(&text), Err(error), "{sentence}");
        }
    }

    #[test]
    fn a_checksum_is_the_same_in_pieces() {
        let mut pieces = Sum::default();
        [b"ab".as_slice(), b"", b"c"].iter().for_each(|piece| pieces.add(piece));
        assert_eq!(pieces.finish(), sum(b"abc"));
    }

    #[test]
    fn a_gop_counts_when_its_last_byte_is_on_disk() {
        let gops = parse(FFMPEG_5_1.as_bytes()).unwrap();
        for (file_len, count) in [(0, 0), (96_631, 0), (96_632, 1), (206_611, 1), (206_612, 2), (999_999, 3)] {
            assert_eq!(count_on_disk(&gops, file_len), count, "{file_len}");
        }
    }
}
