//! Goal: what people own is playable. Method: one small film of each common kind, made by real encoders, probed under the
//! same whitelists and limits as any other file.

use std::fs;

use crate::station::{Ground, Running, SHORT, ffmpeg};

/// Name, video codec as it is read, arguments that make it.
const KINDS: &[(&str, &str, &[&str])] = &[
    ("h264-aac.mp4", "h264", &["-c:v", "libx264", "-c:a", "aac"]),
    ("h264-subtitles.mkv", "h264", &["-c:v", "libx264", "-c:a", "ac3", "-c:s", "ass", "-map", "2"]),
    ("h264-text.mov", "h264", &["-c:v", "libx264", "-c:a", "alac", "-c:s", "mov_text", "-map", "2"]),
    ("h264-ac3.m2ts", "h264", &["-c:v", "libx264", "-c:a", "eac3"]),
    ("hevc-10bit.mkv", "hevc", &["-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-c:a", "flac"]),
    ("av1-opus.webm", "av1", &["-c:v", "libsvtav1", "-preset", "12", "-c:a", "libopus"]),
    ("vp9-opus.webm", "vp9", &["-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus"]),
    ("vp8-vorbis.webm", "vp8", &["-c:v", "libvpx", "-c:a", "libvorbis"]),
    ("mpeg2-mp2.mpg", "mpeg2video", &["-c:v", "mpeg2video", "-c:a", "mp2"]),
    ("mpeg2-ac3.vob", "mpeg2video", &["-c:v", "mpeg2video", "-c:a", "ac3", "-f", "vob"]),
    ("mpeg2-pcm.mxf", "mpeg2video", &["-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ar", "48000"]),
    ("mpeg4-mp3.avi", "mpeg4", &["-c:v", "mpeg4", "-c:a", "libmp3lame"]),
    ("msmpeg4.avi", "msmpeg4v3", &["-c:v", "msmpeg4", "-c:a", "adpcm_ms"]),
    ("mjpeg-pcm.avi", "mjpeg", &["-c:v", "mjpeg", "-c:a", "pcm_s16le"]),
    ("wmv.wmv", "wmv2", &["-c:v", "wmv2", "-c:a", "wmav2"]),
    ("flv1.flv", "flv1", &["-c:v", "flv", "-c:a", "libmp3lame", "-ar", "44100"]),
    ("theora.ogv", "theora", &["-c:v", "libtheora", "-c:a", "libvorbis"]),
    ("h263.3gp", "h263", &["-c:v", "h263", "-c:a", "aac"]),
    ("prores.mov", "prores", &["-c:v", "prores", "-c:a", "pcm_s24le"]),
    ("ffv1.mkv", "ffv1", &["-c:v", "ffv1", "-c:a", "flac"]),
    ("silent.mp4", "h264", &["-c:v", "libx264", "-an"]),
];

#[tokio::test]
async fn films_of_every_common_kind_are_items() {
    let ground = Ground::new();
    let subtitles = ground.outside("a.srt");
    fs::write(&subtitles, "1\n00:00:00,000 --> 00:00:01,000\nHello\n").unwrap();
    for (name, _, how) in KINDS {
        let mut args = vec!["-f", "lavfi", "-i", "testsrc2=s=176x144:r=25:d=1.4", "-f", "lavfi", "-i", "sine=d=1.4"];
        args.extend(["-i", subtitles.to_str().unwrap(), "-map", "0", "-map", "1", "-ac", "2"]);
        args.extend(*how);
        let path = ground.at(name);
        args.push(path.to_str().unwrap());
        ffmpeg(&args);
    }
    let mut running = Running::new(ground.settings(SHORT)).await;
    for (name, codec, _) in KINDS {
        let catalogue = running
            .until(name, |now| {
                now.complete && !now.refused.values().any(|why| *why == nightcast::library::Refused::Settling)
            })
            .await;
        let item = catalogue.items.get(&ground.at(name));
        let item = item.unwrap_or_else(|| panic!("{name}: {:?}", catalogue.refused.get(&ground.at(name))));
        assert_eq!(item.media.video.codec, *codec, "{name}");
        assert_eq!(item.media.audio.is_none(), *name == "silent.mp4", "{name}");
    }
    running.end().await;
}
