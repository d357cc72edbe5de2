//! Films for the tests of this crate, plain in all that a test does not name.

use super::subtitles::{FileKind, Purpose, SubtitleFile, SubtitleTrack};
use super::{AudioInfo, FileStamp, Item, MediaInfo, Metadata, VideoInfo};
use crate::config::Language;
use crate::units::{ContentKey, MediaTime};

/// Returns a picture of so many pixels, 25 a second, as every phone and camera writes it.
pub(crate) fn video(width: u32, height: u32) -> VideoInfo {
    VideoInfo {
        index: 0,
        codec: "h264".to_owned(),
        profile: None,
        level: None,
        width,
        height,
        sar: (1, 1),
        pix_fmt: "yuv420p".to_owned(),
        fps: (25, 1),
        fps_base: (25, 1),
        interlaced: false,
        rotation: 0,
        color_transfer: None,
        duration: None,
        start: MediaTime::ZERO,
        bit_rate: None,
    }
}

/// Returns two channels of AAC.
pub(crate) fn audio(sample_rate: u32) -> AudioInfo {
    AudioInfo { index: 1, codec: "aac".to_owned(), sample_rate, channels: 2, duration: None, start: MediaTime::ZERO }
}

/// Returns a silent film without subtitles.
pub(crate) fn media(video: VideoInfo, duration: MediaTime) -> MediaInfo {
    MediaInfo { format: "mov".to_owned(), duration, video, audio: None, subtitles: Vec::new() }
}

/// Returns a film that goes by one name everywhere.
pub(crate) fn item(name: &str, media: MediaInfo) -> Item {
    Item {
        key: ContentKey(name.into()),
        path: name.into(),
        name: name.into(),
        stamp: FileStamp { size: 1, mtime_ns: 1 },
        media,
        subtitles: [].into(),
        metadata: Metadata { title: name.to_owned(), ..Metadata::default() },
    }
}

/// Returns a language by its tag.
pub(crate) fn language(tag: &str) -> Language {
    Language::read(tag).expect("it is one")
}

/// Returns a subtitle track in a film.
pub(crate) fn track(index: u32, codec: &str, tag: &str, purpose: Purpose, default: bool) -> SubtitleTrack {
    SubtitleTrack { index, codec: codec.to_owned(), language: language(tag), purpose, default }
}

/// Returns a file of subtitles, an .srt.
pub(crate) fn subtitles(path: &str, tag: &str, purpose: Purpose, mtime_ns: i64) -> SubtitleFile {
    let stamp = FileStamp { size: 1, mtime_ns };
    SubtitleFile { path: path.into(), stamp, kind: FileKind::Srt, language: language(tag), purpose }
}
