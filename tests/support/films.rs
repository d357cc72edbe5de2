//! Films of every kind that people own and that must air.

use super::clips::{picture, tone};

/// A quick encoder for fit films.
pub const X264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";

/// Name, ffmpeg's arguments, expected length in seconds, and whether the picture is kept.
#[expect(clippy::too_many_lines, reason = "a table")]
pub fn films() -> Vec<(&'static str, String, f64, bool)> {
    let p = |size: &str, rate: &str, secs: f64| picture(size, rate, secs);
    vec![
        (
            "plain.mp4",
            format!("{} {} {X264} -g 50 -bf 2 -c:a aac", p("320x180", "25", 3.0), tone(44_100, 3.0)),
            3.0,
            true,
        ),
        (
            "ntsc.mkv",
            format!("{} {} {X264} -g 30 -c:a aac", p("320x180", "30000/1001", 3.0), tone(48_000, 3.0)),
            3.0,
            true,
        ),
        (
            "pal50.ts",
            format!("{} {} {X264} -g 100 -bf 2 -c:a mp2", p("320x180", "50", 3.0), tone(48_000, 3.0)),
            3.0,
            true,
        ),
        ("silent.mp4", format!("{} {X264} -g 50", p("320x180", "24", 2.0)), 2.0, true),
        (
            "hour.ts",
            format!("{} {} {X264} -g 25 -c:a aac -output_ts_offset 3600", p("320x180", "25", 2.0), tone(48_000, 2.0)),
            2.0,
            true,
        ),
        (
            "audiofirst.mp4",
            format!("{} {} -map 1 -map 0 {X264} -g 25 -c:a aac", p("320x180", "25", 2.0), tone(22_050, 2.0)),
            2.0,
            true,
        ),
        (
            "many.mkv",
            format!(
                "{} {} {} -f lavfi -i anullsrc -map 0 -map 1 -map 2 -shortest {X264} -g 25 -c:a aac",
                p("320x180", "25", 2.0),
                tone(48_000, 2.0),
                tone(44_100, 2.0)
            ),
            2.0,
            true,
        ),
        (
            "shortsound.mp4",
            format!("{} {} {X264} -g 25 -c:a aac", p("320x180", "25", 3.0), tone(48_000, 1.0)),
            3.0,
            true,
        ),
        (
            "longsound.mp4",
            format!("{} {} {X264} -g 25 -c:a aac", p("320x180", "25", 2.0), tone(48_000, 4.0)),
            4.0,
            false,
        ),
        (
            "opengop.mp4",
            format!(
                "{} {} {X264} -bf 2 -g 25 -flags -cgop -x264-params open-gop=1 -c:a aac",
                p("320x180", "25", 3.0),
                tone(48_000, 3.0)
            ),
            3.0,
            false,
        ),
        (
            "longgop.mp4",
            format!("{} {} {X264} -g 999 -sc_threshold 0 -c:a aac", p("160x90", "25", 8.0), tone(48_000, 8.0)),
            8.0,
            false,
        ),
        (
            "odd.mkv",
            format!("{} {} -c:v ffv1 -pix_fmt yuv444p -c:a flac", p("213x121", "25", 2.0), tone(48_000, 2.0)),
            2.0,
            false,
        ),
        ("portrait.mp4", format!("{} {X264}", p("180x320", "30", 2.0)), 2.0, false),
        (
            "interlaced.ts",
            format!(
                "{} {} -vf 'tinterlace=interleave_top,fieldorder=tff' -c:v mpeg2video -flags +ildct+ilme -c:a mp2",
                p("320x180", "50", 2.0),
                tone(48_000, 2.0)
            ),
            2.0,
            false,
        ),
        (
            "hevc10.mkv",
            format!(
                "{} {} -c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p10le -c:a libopus",
                p("320x180", "24000/1001", 2.0),
                tone(48_000, 2.0)
            ),
            2.0,
            false,
        ),
        (
            "hdr.mp4",
            format!(
                "{} -c:v libx265 -preset ultrafast -x265-params log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc -pix_fmt yuv420p10le -color_trc smpte2084 -color_primaries bt2020 -colorspace bt2020nc",
                p("320x180", "25", 2.0)
            ),
            2.0,
            false,
        ),
        (
            "vp9.webm",
            format!(
                "{} {} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus",
                p("320x180", "60000/1001", 2.0),
                tone(48_000, 2.0)
            ),
            2.0,
            false,
        ),
        (
            "av1.mkv",
            format!(
                "{} {} -c:v libaom-av1 -cpu-used 8 -usage realtime -c:a libopus",
                p("160x90", "25", 1.2),
                tone(48_000, 1.2)
            ),
            1.2,
            false,
        ),
        (
            "old.avi",
            format!("{} {} -c:v mpeg4 -c:a libmp3lame", p("320x180", "30", 2.0), tone(44_100, 2.0)),
            2.0,
            false,
        ),
        ("fast.mp4", format!("{} {} {X264} -c:a aac", p("320x180", "120", 2.0), tone(48_000, 2.0)), 2.0, false),
        (
            "vfr.mkv",
            format!(
                "{} {} -vf 'select=not(eq(mod(n\\,7)\\,3))' -fps_mode vfr {X264} -c:a aac",
                p("320x180", "30", 3.0),
                tone(48_000, 3.0)
            ),
            3.0,
            false,
        ),
        (
            "anamorphic.mp4",
            format!("{} {} -vf setsar=64/45 {X264} -c:a aac", p("180x144", "25", 2.0), tone(48_000, 2.0)),
            2.0,
            false,
        ),
        (
            "surround.mkv",
            format!(
                "{} -f lavfi -i 'aevalsrc=0.1*sin(440*t)|0|0|0|0|0:c=5.1:d=2' {X264} -g 25 -c:a ac3",
                p("320x180", "25", 2.0)
            ),
            2.0,
            true,
        ),
    ]
}
