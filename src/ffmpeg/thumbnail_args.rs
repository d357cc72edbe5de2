//! The command line that makes a still picture of a piece of a channel.

use std::ffi::OsString;

/// How wide the picture is, in pixels: a tile of the wall on a dense screen.
pub const WIDTH: u32 = 480;

/// How high it may be at most, whatever the film's shape claims, in pixels.
pub const HEIGHT_MAX: u32 = 960;

/// Returns the ffmpeg command line that reads MPEG-TS from stdin and writes its first picture to stdout, as JPEG.
///
/// Segments begin with a frame that needs no other, so one frame is decoded, by one thread, and nothing is looked for
/// beyond what tells its shape.
#[must_use]
pub fn thumbnail_args() -> Vec<OsString> {
    let scale = format!("scale=w={WIDTH}:h='clip(trunc({WIDTH}/dar/2)*2,2,{HEIGHT_MAX})':flags=area,setsar=1");
    let line = [
        "-hide_banner",
        "-nostdin",
        "-loglevel",
        "error",
        "-protocol_whitelist",
        "pipe",
        "-format_whitelist",
        "mpegts",
        "-codec_whitelist",
        "h264,aac",
        "-f",
        "mpegts",
        "-probesize",
        PROBE_BYTES,
        "-analyzeduration",
        "0",
        "-threads",
        "1",
        "-i",
        "pipe:0",
        "-map",
        "0:v:0",
        "-frames:v",
        "1",
        "-vf",
        &scale,
        "-filter_threads",
        "1",
        "-c:v",
        "mjpeg",
        "-threads",
        "1",
        "-q:v",
        "6",
        "-f",
        "image2pipe",
        "pipe:1",
    ];
    line.map(OsString::from).into()
}

/// How much ffmpeg may read to learn what it is given, in bytes.
const PROBE_BYTES: &str = "200000";
