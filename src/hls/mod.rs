//! Chunks in, playlists viewers can trust out. Pure.
//!
//! Receives the chunks of the on-air ffmpeg with what is known of each; gives segments ([`packer`]), the live window
//! ([`timeline`]) and its text ([`playlist`]). Promises the rules of RFC 8216; each has a law in the tests. Does not
//! know files, sockets or the time.

pub mod cut;
pub mod h264;
pub mod ladder;
pub mod packer;
pub mod playlist;
pub mod rewind;
pub mod snapshot;
pub mod source;
pub mod spool;
pub mod subtitles;
pub mod timeline;

pub use packer::{Chunk, Packer, Segment};
pub use snapshot::{PlaylistBody, RenditionTold, SegmentBody, Snapshot, SubtitlesTold};
pub use timeline::Timeline;

use crate::units::MediaTime;

/// EXT-X-TARGETDURATION in seconds, for the channel's whole life (RFC 8216 §6.2.1 forbids a change).
///
/// Six is what Apple asks for, and lets originals with keyframes up to 6.49 s apart keep their picture.
pub const TARGET_DURATION_SECS: i64 = 6;

/// The longest segment: its length rounded to the nearest second may not exceed the target (RFC 8216 §4.3.3.1).
pub const SEGMENT_MAX: MediaTime = MediaTime::from_millis(TARGET_DURATION_SECS * 1000 + 499);

/// A segment is closed at the first GOP boundary at or after this length.
///
/// Two seconds is one GOP of what we encode: shorter segments tune in faster, longer ones only save requests.
pub const SEGMENT_GOAL: MediaTime = MediaTime::from_millis(1_950);

/// The playlist always lists at least this much once it has it: three target durations (RFC 8216 §6.2.2).
pub const WINDOW: MediaTime = MediaTime::from_secs(3 * TARGET_DURATION_SECS);

/// What caches are told of a playlist. They change about every two seconds (one segment): a second keeps a cache in front of
/// a crowd useful and costs a viewer at most that second of the 6 to 8 they stay behind the edge.
pub const PLAYLIST_CACHE: &str = "public, max-age=1";

/// What caches are told of a segment. Its number never returns, not even after a restart, so its bytes never change.
pub const SEGMENT_CACHE: &str = "public, max-age=31536000, immutable";

/// The media type of a playlist (RFC 8216 §4).
pub const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";

/// The media type of a segment of subtitles: `WebVTT` (RFC 8216 §3.5).
pub const VTT_TYPE: &str = "text/vtt";

/// The media type of a segment: MPEG-2 transport stream (RFC 3555 §4.2).
pub const TS_TYPE: &str = "video/mp2t";
