//! Films as the library would know them.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use nightcast::library::{AudioInfo, FileStamp, Item, MediaInfo, Metadata, VideoInfo};
use nightcast::units::{ContentKey, MediaTime};

/// Runs a program and returns its stdout as text.
pub(crate) fn run(program: &str, args: &[&str], path: &Path) -> String {
    let output = Command::new(program).args(args).arg(path).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Probes a film into an item as the library would; the key is the file's name.
pub(crate) fn item(path: &Path) -> Arc<Item> {
    let args = ["-v", "error", "-show_streams", "-show_format", "-of", "json"];
    let probe: serde_json::Value = serde_json::from_str(&run("ffprobe", &args, path)).unwrap();
    let streams = probe["streams"].as_array().unwrap();
    let of_kind = |kind: &str| streams.iter().find(|s| s["codec_type"] == kind);
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let clean: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let video = of_kind("video").expect("a picture");
    let media = MediaInfo {
        format: text(&probe["format"], "format_name").unwrap(),
        duration: time(&probe["format"], "duration").unwrap_or_default(),
        video: video_info(video),
        audio: of_kind("audio").map(audio_info),
        subtitles: Vec::new(),
    };
    Arc::new(Item {
        key: ContentKey(clean.into()),
        path: path.to_owned(),
        name: name.into(),
        stamp: FileStamp { size: path.metadata().unwrap().len(), mtime_ns: 0 },
        media,
        subtitles: [].into(),
        metadata: Metadata::default(),
    })
}

fn video_info(stream: &serde_json::Value) -> VideoInfo {
    let number = |key: &str| u32::try_from(stream[key].as_u64().unwrap_or(0)).unwrap();
    let field_order = text(stream, "field_order");
    let rotation = stream["side_data_list"].as_array().into_iter().flatten().find_map(|s| s["rotation"].as_i64());
    VideoInfo {
        index: number("index"),
        codec: text(stream, "codec_name").unwrap(),
        profile: text(stream, "profile"),
        level: stream["level"].as_i64().and_then(|level| u32::try_from(level).ok()),
        width: number("width"),
        height: number("height"),
        sar: fraction(stream, "sample_aspect_ratio", ':').unwrap_or((1, 1)),
        pix_fmt: text(stream, "pix_fmt").unwrap(),
        fps: fraction(stream, "avg_frame_rate", '/').unwrap_or((0, 1)),
        fps_base: fraction(stream, "r_frame_rate", '/').unwrap_or((0, 1)),
        interlaced: field_order.is_some_and(|order| !matches!(order.as_str(), "progressive" | "unknown")),
        rotation: u32::try_from(rotation.unwrap_or(0).rem_euclid(360)).unwrap(),
        color_transfer: text(stream, "color_transfer"),
        duration: time(stream, "duration"),
        start: time(stream, "start_time").unwrap_or_default(),
        bit_rate: None,
    }
}

fn audio_info(stream: &serde_json::Value) -> AudioInfo {
    AudioInfo {
        index: u32::try_from(stream["index"].as_u64().unwrap()).unwrap(),
        codec: text(stream, "codec_name").unwrap(),
        sample_rate: text(stream, "sample_rate").unwrap().parse().unwrap(),
        channels: u32::try_from(stream["channels"].as_u64().unwrap()).unwrap(),
        duration: time(stream, "duration"),
        start: time(stream, "start_time").unwrap_or_default(),
    }
}

fn text(value: &serde_json::Value, key: &str) -> Option<String> {
    value[key].as_str().map(str::to_owned)
}

fn time(value: &serde_json::Value, key: &str) -> Option<MediaTime> {
    value[key].as_str()?.parse().ok().map(MediaTime::from_secs_f64)
}

fn fraction(value: &serde_json::Value, key: &str, by: char) -> Option<(u32, u32)> {
    let (a, b) = value[key].as_str()?.split_once(by)?;
    Some((a.parse().ok()?, b.parse().ok()?))
}
