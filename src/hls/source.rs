//! ffmpeg's own live playlist, read as what it is to us: a log of the chunks it closed.
//!
//! It never reaches a viewer: it has no discontinuity sequence and its target duration moves.

use crate::units::MediaTime;

/// One line of ffmpeg's playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceChunk {
    /// The chunk's number in its run, from 0: the name we told ffmpeg to use is `%d.ts`.
    pub number: u64,
    /// Its EXTINF: from its first frame to the next chunk's first.
    pub duration: MediaTime,
    /// Whether no chunk follows, for ffmpeg ends: then its length is a guess that was 125 ms off.
    pub last: bool,
}

/// The longest chunk that is believed, in seconds: a day. Chunks are GOPs of some seconds.
const CHUNK_SECS_MAX: f32 = 86_400.0;

/// Why a playlist of ffmpeg's was not understood.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SourceError {
    /// It is not a media playlist.
    #[error("failed to read ffmpeg's playlist: not a media playlist")]
    NotAPlaylist,
    /// It names something that is not one of our chunks.
    #[error("failed to read ffmpeg's playlist: {uri:?} is not a chunk's name")]
    BadName {
        /// The name found, at most 100 characters of it.
        uri: String,
    },
    /// A length that cannot be.
    #[error("failed to read ffmpeg's playlist: chunk {number} has the length {secs}")]
    BadDuration {
        /// The chunk's number.
        number: u64,
        /// The length in seconds.
        secs: f32,
    },
}

/// Returns the newest chunk that a playlist of ffmpeg's lists, or none where it lists nothing yet.
///
/// # Errors
/// [`SourceError`] for anything ffmpeg would not have written; m3u8-rs itself takes a truncated file for a segment
/// named `#EXTINF:6`, so every name is checked.
pub fn newest_chunk(text: &[u8]) -> Result<Option<SourceChunk>, SourceError> {
    let list = m3u8_rs::parse_media_playlist_res(text).map_err(|_| SourceError::NotAPlaylist)?;
    let Some(segment) = list.segments.last() else { return Ok(None) };
    let name = segment.uri.rsplit('/').next().unwrap_or_default();
    let number = name.strip_suffix(".ts").and_then(|n| n.parse().ok());
    let number = number.ok_or_else(|| SourceError::BadName { uri: segment.uri.chars().take(100).collect() })?;
    let secs = segment.duration;
    if !(0.0..=CHUNK_SECS_MAX).contains(&secs) {
        return Err(SourceError::BadDuration { number, secs });
    }
    // m3u8-rs holds an f32: exact to a microsecond below 8 s, and a chunk is never longer than that.
    let duration = MediaTime::from_secs_f64(f64::from(secs));
    Ok(Some(SourceChunk { number, duration, last: list.end_list }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n";

    fn check(body: &str, expected: &Result<Option<SourceChunk>, SourceError>) {
        assert_eq!(&newest_chunk(format!("{HEAD}{body}").as_bytes()), expected, "{body:?}");
    }

    #[test]
    fn the_newest_chunk_is_the_last_line() {
        let chunk = SourceChunk { number: 8, duration: MediaTime::from_millis(800), last: false };
        check("#EXTINF:2.000000,\n7.ts\n#EXTINF:0.800000,\n8.ts\n", &Ok(Some(chunk)));
        check("", &Ok(None));
    }

    #[test]
    fn the_last_chunk_of_all_is_known() {
        let chunk = SourceChunk { number: 9, duration: MediaTime::from_millis(2125), last: true };
        check("#EXTINF:2.125000,\n9.ts\n#EXT-X-ENDLIST\n", &Ok(Some(chunk)));
    }

    #[test]
    fn a_full_address_is_a_name_too() {
        let chunk = SourceChunk { number: 3, duration: MediaTime::from_secs(2), last: false };
        check("#EXTINF:2.000000,\nhttp://127.0.0.1:1/abc/3.ts\n", &Ok(Some(chunk)));
    }

    #[test]
    fn a_length_that_cannot_be_is_not_believed() {
        for length in ["222222222222222222222222222222222222220.8", "86401"] {
            let found = newest_chunk(format!("{HEAD}#EXTINF:{length},\n8.ts\n").as_bytes());
            assert!(matches!(found, Err(SourceError::BadDuration { number: 8, .. })), "{length}: {found:?}");
        }
    }

    #[test]
    fn a_truncated_playlist_is_an_error_not_a_chunk() {
        check("#EXTINF:6", &Err(SourceError::BadName { uri: "#EXTINF:6".to_owned() }));
        assert_eq!(newest_chunk(b"hello"), Err(SourceError::NotAPlaylist));
    }
}
