//! What the library knows about one file.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::subtitles::{SubtitleFile, SubtitleTrack};
use crate::units::{ContentKey, MediaTime};

/// One playable file of a channel's folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Identity of the bytes; the cache and the history go by it.
    pub key: ContentKey,
    /// Where it lies now: absolute, as found (may hold any bytes).
    pub path: PathBuf,
    /// Its path below the channel's folder, lossy UTF-8, `/`-separated: for orders, weights and people.
    pub name: Arc<str>,
    /// Size in bytes and time of change in nanoseconds since the epoch, when it settled.
    pub stamp: FileStamp,
    /// What ffprobe saw.
    pub media: MediaInfo,
    /// Its subtitle files.
    pub subtitles: Arc<[SubtitleFile]>,
    /// What viewers are told.
    pub metadata: Metadata,
}

/// Size and time of change of a file: a file whose stamp is unchanged is not read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileStamp {
    /// Size in bytes.
    pub size: u64,
    /// Time of change in nanoseconds since the epoch.
    pub mtime_ns: i64,
}

/// What viewers are told about an item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Never empty: the file's name where nothing better is known.
    pub title: String,
    /// Author, artist or director.
    pub author: Option<String>,
    /// As written: a year, or year-month-day.
    pub date: Option<String>,
    /// Free text.
    pub description: Option<String>,
}

/// What ffprobe saw of a file: the streams that would air, and what `prepare` must know of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MediaInfo {
    /// The demuxer's names, as ffprobe prints them: `mov,mp4,m4a,3gp,3g2,mj2`.
    pub format: String,
    /// The container's idea of the length. The exact length is known once it is prepared.
    pub duration: MediaTime,
    /// The picture that would air: the first real video stream, never cover art.
    pub video: VideoInfo,
    /// The sound that would air: the default audio stream, else the first.
    pub audio: Option<AudioInfo>,
    /// Its subtitle tracks, text or pictures.
    #[serde(default)]
    pub subtitles: Vec<SubtitleTrack>,
}

/// The picture of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VideoInfo {
    /// ffmpeg's stream index in the file.
    pub index: u32,
    /// ffmpeg's codec name: `h264`.
    pub codec: String,
    /// ffmpeg's profile name, where it has one: `High`.
    pub profile: Option<String>,
    /// H.264 level times ten, where known.
    pub level: Option<u32>,
    /// Coded width in pixels.
    pub width: u32,
    /// Coded height in pixels.
    pub height: u32,
    /// Sample (pixel) aspect ratio as a fraction; 1/1 for square pixels.
    pub sar: (u32, u32),
    /// ffmpeg's pixel format: `yuv420p`.
    pub pix_fmt: String,
    /// Average frame rate as a fraction; 0/1 where unknown.
    pub fps: (u32, u32),
    /// Base frame rate (`r_frame_rate`) as a fraction; differs from `fps` in variable-rate files.
    pub fps_base: (u32, u32),
    /// Whether frames are two fields (`field_order` other than progressive).
    pub interlaced: bool,
    /// Clockwise degrees by the display matrix: 0, 90, 180 or 270.
    pub rotation: u32,
    /// `smpte2084` (PQ) or `arib-std-b67` (HLG) mean HDR.
    pub color_transfer: Option<String>,
    /// The stream's own length where the container has one.
    pub duration: Option<MediaTime>,
    /// When the stream begins in the container's time.
    pub start: MediaTime,
    /// Bits a second where known.
    pub bit_rate: Option<u64>,
}

/// The sound of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AudioInfo {
    /// ffmpeg's stream index in the file.
    pub index: u32,
    /// ffmpeg's codec name: `aac`.
    pub codec: String,
    /// Samples a second.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: u32,
    /// The stream's own length where the container has one.
    pub duration: Option<MediaTime>,
    /// When the stream begins in the container's time.
    pub start: MediaTime,
}
