//! The HLS muxer's byte-range playlist → where each GOP of a growing file lies.

use m3u8_rs::{Playlist, parse_playlist};

use super::annexb;
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

/// The checksums of a file that is read once, before it is known where its GOPs lie: one from each table to the next, for
/// every GOP begins with one.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    read: u64,
    cuts: Vec<(u64, crc32fast::Hasher)>,
}

impl Sums {
    /// Adds the file's next bytes, whole packets of MPEG-TS.
    pub fn add(&mut self, bytes: &[u8]) {
        let mut begin = 0;
        for at in annexb::tables(bytes) {
            self.extend(&bytes[begin..at]);
            self.cuts.push((self.read, crc32fast::Hasher::new()));
            begin = at;
        }
        self.extend(&bytes[begin..]);
    }

    fn extend(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.cuts.is_empty() {
            self.cuts.push((0, crc32fast::Hasher::new()));
        }
        if let Some((_, sum)) = self.cuts.last_mut() {
            sum.update(bytes);
        }
        self.read += bytes.len() as u64;
    }

    /// Returns how many bytes were read.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read
    }

    /// Returns the checksum of each GOP, in order; none where one begins or ends at no table, or was not read.
    #[must_use]
    pub fn of(&self, gops: &[Gop]) -> Vec<Option<u32>> {
        let at = |offset: u64| match self.cuts.binary_search_by_key(&offset, |cut| cut.0) {
            Ok(cut) => Some(cut),
            Err(_) => (offset == self.read).then_some(self.cuts.len()),
        };
        let of = |gop: &Gop| {
            let (first, end) = (at(gop.offset)?, at(gop.offset + u64::from(gop.len))?);
            let mut sum = crc32fast::Hasher::new();
            self.cuts.get(first..end)?.iter().for_each(|cut| sum.combine(&cut.1));
            Some(sum.finalize())
        };
        gops.iter().map(of).collect()
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
    fn a_gop_has_the_same_checksum_however_its_file_was_read() {
        let packet = |pid: u8, fill: u8| [&[0x47, 0, pid, 0x10][..], &[fill; 184]].concat();
        let gops: Vec<Vec<u8>> = (0..6)
            .map(|gop| [packet(17, gop), packet(0, gop), packet(9, gop), packet(0, 7), packet(9, gop)].concat())
            .collect();
        let (file, len) = (gops.concat(), u32::try_from(gops[0].len()).unwrap());
        let gop = |offset: u64, len: u32| Gop { offset, len, duration: MediaTime::ZERO, sum: None };
        let index: Vec<Gop> = (0..6).map(|at| gop(at * u64::from(len), len)).collect();
        let expected: Vec<_> = gops.iter().map(|gop| Some(sum(gop))).collect();
        for packets in [1, 2, 3, 7, 100] {
            let mut sums = Sums::default();
            file.chunks(188 * packets).for_each(|piece| sums.add(piece));
            assert_eq!((sums.of(&index), sums.read()), (expected.clone(), file.len() as u64), "{packets} at once");
            let elsewhere = [gop(2 * 188, 188), gop(0, len - 188), gop(5 * u64::from(len), len + 188)];
            assert_eq!(sums.of(&elsewhere), [None; 3], "{packets} at once");
        }
    }

    #[test]
    fn a_gop_counts_when_its_last_byte_is_on_disk() {
        let gops = parse(FFMPEG_5_1.as_bytes()).unwrap();
        for (file_len, count) in [(0, 0), (96_631, 0), (96_632, 1), (206_611, 1), (206_612, 2), (999_999, 3)] {
            assert_eq!(count_on_disk(&gops, file_len), count, "{file_len}");
        }
    }
}
