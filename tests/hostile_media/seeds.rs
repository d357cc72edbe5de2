//! The good films that hostile ones are made of: one small film of each kind of container.

use std::fs;
use std::path::Path;

use crate::support::clips::{make, picture, tone};
use crate::support::films::X264;

/// A good film.
pub(crate) struct Seed {
    pub(crate) ending: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// Name and ffmpeg's arguments after picture and sound.
const KINDS: [(&str, &str); 17] = [
    ("plain.mp4", "{X264} -g 10 -bf 2 -c:a aac"),
    ("fragments.mp4", "{X264} -g 10 -c:a aac -movflags frag_keyframe+empty_moov+default_base_moof"),
    ("front.m4v", "{X264} -g 10 -c:a aac -movflags faststart"),
    ("prores.mov", "-c:v prores -pix_fmt yuv422p10le -c:a pcm_s16le"),
    ("plain.mkv", "{X264} -g 10 -bf 2 -c:a libopus"),
    ("lossless.mkv", "-c:v ffv1 -c:a flac"),
    ("hevc.mkv", "-c:v libx265 -preset ultrafast -x265-params log-level=none -c:a ac3"),
    ("old.webm", "-c:v libvpx -deadline realtime -c:a libvorbis"),
    ("new.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"),
    ("old.avi", "-c:v mpeg4 -c:a libmp3lame"),
    ("stills.avi", "-c:v mjpeg -c:a pcm_s16le"),
    ("broadcast.ts", "{X264} -g 10 -bf 2 -c:a mp2"),
    ("old.ts", "-c:v mpeg2video -c:a ac3"),
    ("plain.flv", "{X264} -g 10 -c:a aac"),
    ("disc.mpg", "-c:v mpeg2video -c:a mp2"),
    ("windows.wmv", "-c:v wmv2 -c:a wmav2"),
    ("free.ogv", "-c:v libtheora -c:a libvorbis"),
];

/// Makes all of them in a folder, which is theirs.
pub(crate) fn seeds(folder: &Path) -> Vec<Seed> {
    let one = |(name, how): &(&'static str, &str)| {
        let inputs = format!("{} {} -pix_fmt yuv420p", picture("160x90", "25", 1.4), tone(48_000, 1.4));
        let path = make(folder, name, &format!("{inputs} -ac 2 {}", how.replace("{X264}", X264)));
        Seed { ending: name.rsplit('.').next().unwrap(), bytes: fs::read(path).unwrap() }
    };
    KINDS.iter().map(one).collect()
}
