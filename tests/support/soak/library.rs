//! What the soak's channel plays: flashes and beeps of eight kinds, in small pictures, from twenty seconds to minutes.

use std::path::Path;

use crate::support::ffmpegs::Ffmpeg;
use crate::support::sync::{Codecs, FlashBeep};

/// One item.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Its name without its ending: what viewers are told.
    pub title: &'static str,
    ending: &'static str,
    /// What it is, for the report.
    pub what: &'static str,
    clip: FlashBeep,
}

/// The picture every item fits into.
pub const SIZE: &str = "160x96";

/// Returns the items. Half of them keep their picture; GOPs are up to six seconds long, so that a month is fewer chunks.
pub fn kinds() -> Vec<Kind> {
    let fit = FlashBeep { size: (160, 96), ..FlashBeep::default() };
    let kind = |title, ending, what, clip: FlashBeep| Kind { title, ending, what, clip };
    let at = |fps: u32, gop, flashes| FlashBeep { fps: (fps, 1), gop, flashes, ..fit.clone() };
    let ntsc = (30_000, 1001);
    let film = (24_000, 1001);
    vec![
        kind("alder", "mp4", "H.264 10/s, B-frames, GOP 6 s, kept", at(10, 60, 96)),
        kind("birch", "mkv", "H.264 12/s, no B-frames, GOP 5 s, kept", FlashBeep { b_frames: 0, ..at(12, 60, 210) }),
        kind("elm", "mp4", "H.264 24/s, GOP 2 s, kept", at(24, 48, 24)),
        kind("ginkgo", "mkv", "H.264 6/s, GOP 6 s, kept", at(6, 36, 150)),
        kind(
            "cedar",
            "mkv",
            "HEVC 15/s with 44.1 kHz, made anew",
            FlashBeep { codecs: Codecs::HevcAac, sample_rate: 44_100, ..at(15, 60, 42) },
        ),
        kind(
            "dogwood",
            "ts",
            "MPEG-2 30000/1001 with MP2, made anew",
            FlashBeep { codecs: Codecs::Mpeg2Mp2, fps: ntsc, ..at(30, 60, 30) },
        ),
        kind(
            "fir",
            "mov",
            "H.264 24000/1001 with 5.1, GOP 10 s, made anew",
            FlashBeep { fps: film, channels: 6, ..at(24, 240, 20) },
        ),
        kind("hazel", "mp4", "H.264 60/s, mono, made anew at 30/s", FlashBeep { channels: 1, ..at(60, 600, 25) }),
    ]
}

/// Writes every item into a folder.
pub fn make(ffmpeg: &Ffmpeg, folder: &Path) {
    for kind in kinds() {
        kind.clip.make(ffmpeg, &folder.join(format!("{}.{}", kind.title, kind.ending)));
    }
}
