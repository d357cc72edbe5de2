//! What a key is worth when it is not written, and how far it may go; each with its reason.

use std::ops::RangeInclusive;

use super::{PrepareMode, Preset};

/// The station's name where the owner gave none.
pub const NAME: &str = "Nightcast";
/// Only this machine can reach it: opening a station to the network is a decision, not an accident.
pub const LISTEN: &str = "127.0.0.1:8080";
/// Where Prometheus looks on the same machine; the numbers are for the operator and not for viewers.
pub const METRICS_LISTEN: &str = "127.0.0.1:9191";
/// Beside the configuration file, so that a station is one folder.
pub const DATA: &str = "data";
/// About 50 hours at the default sound and a typical 2 Mbit/s picture; a third of that at the ceiling.
pub const CACHE_BUDGET: &str = "50GB";
/// Below this not even what airs next is sure to fit: three minutes at the default ceiling.
pub const CACHE_BUDGET_BYTES_MIN: u64 = 100_000_000;
/// Largest number of workers; more would only wait for one another's disk.
pub const WORKERS: RangeInclusive<i64> = 1..=64;
/// A copying program that pauses longer than this between two writes is rare; twice as long is felt as slowness.
pub const SETTLE_SECONDS: f64 = 2.0;
/// Zero would take files that are still being copied.
pub const SETTLE_SECONDS_RANGE: RangeInclusive<f64> = 0.1..=3600.0;
/// Network folders report no changes: five minutes is how late a new file may be noticed there.
pub const RESCAN_SECONDS: f64 = 300.0;
/// More often than every second would be one endless walk.
pub const RESCAN_SECONDS_RANGE: RangeInclusive<f64> = 1.0..=86_400.0;
/// A viewer holds one or two connections, each a file handle and some 50 kB.
pub const CONNECTIONS_MAX: i64 = 2000;
/// Fewer than ten and one page with its player could lock others out.
pub const CONNECTIONS_MAX_RANGE: RangeInclusive<i64> = 10..=100_000;
/// Looked up in PATH.
pub const FFMPEG: &str = "ffmpeg";
/// Looked up in PATH.
pub const FFPROBE: &str = "ffprobe";

/// The longest name, in characters: it must fit a page's heading and a player's title.
pub const NAME_LEN_MAX: usize = 100;
/// How many folders a channel may have; each is watched and walked.
pub const FOLDERS_MAX: usize = 100;
/// How many weights a channel may have; each item is held against each.
pub const WEIGHTS_MAX: usize = 1000;
/// The heaviest weight; against a weight of 1 anything else would practically never be on.
pub const WEIGHT_MAX: f64 = 1000.0;
/// Nothing comes again within ten programmes, an evening of half-hour films.
pub const SPACING: i64 = 10;
/// Beyond this the history that is looked through at every pick grows without use.
pub const SPACING_RANGE: RangeInclusive<i64> = 0..=10_000;

/// 720p: sharp on a laptop, and prepared at several times real time on two cores.
pub const SIZE: (u32, u32) = (1280, 720);
/// From a thumbnail (H.264 wants a few macroblocks) to what x264 prepares in bearable time (UHD).
pub const WIDTH_RANGE: RangeInclusive<u32> = 128..=4096;
/// As for the width.
pub const HEIGHT_RANGE: RangeInclusive<u32> = 96..=2304;
/// Slower looks broken, faster doubles the work for what few screens show.
pub const FPS_RANGE: RangeInclusive<u32> = 5..=60;
/// x264's own default: differences to the original are hard to see.
pub const QUALITY: u8 = 23;
/// Lower is wasted on viewers, higher is visibly smeared.
pub const QUALITY_RANGE: RangeInclusive<i64> = 16..=35;
/// The best trade of work and size: each step slower costs a third more time for a few per cent of bytes.
pub const PRESET: Preset = Preset::Veryfast;
/// Enough for busy 720p; what a 10 Mbit/s line carries with room to spare.
pub const MAX_KBPS: u32 = 5000;
/// From a slide show to UHD.
pub const MAX_KBPS_RANGE: RangeInclusive<i64> = 200..=50_000;
/// From a stamp's size for the worst of lines to UHD.
pub const RENDITION_KBPS_RANGE: RangeInclusive<i64> = 50..=50_000;
/// The rendition that is sound without a picture.
pub const AUDIO_ONLY: &str = "audio";
/// How the names of subtitles begin in addresses: `subs-en`.
pub const SUBTITLES_BEGIN: &str = "subs-";
/// What the one picture of a channel is called in addresses, where it has subtitles beside it.
pub const ONE_PICTURE: &str = "picture";
/// Width and height of a rendition, and its ceiling in kbit/s.
pub type Ceiling = ((u32, u32), u32);
/// The renditions that have a name: what x264 takes for busy films of that size at the default quality.
pub const RENDITIONS: &[(&str, Ceiling)] = &[
    ("1080p", ((1920, 1080), 6000)),
    ("720p", ((1280, 720), 3500)),
    ("480p", ((854, 480), 1600)),
    ("360p", ((640, 360), 900)),
    ("240p", ((426, 240), 450)),
];
/// One segment: players begin, and change their rendition, where a group of pictures begins.
pub const GOP_SECONDS: u32 = 2;
/// The last of a film may be half as long again, and none may last longer than a segment's 6.49 s.
pub const GOP_SECONDS_RANGE: RangeInclusive<i64> = 1..=4;
/// -18 LUFS, AES TD1008's level for speech-led streaming. Television's -23 (EBU R128) is too quiet for laptops and
/// phones beside everything else on them; music services' -14 would cost films their loud passages.
pub const LOUDNESS_LUFS: f64 = -18.0;
/// -31 is the quietest broadcast practice, -5 the loudest that ffmpeg's `loudnorm` takes.
pub const LOUDNESS_RANGE: RangeInclusive<f64> = -31.0..=-5.0;
/// Transparent for stereo AAC to nearly everyone.
pub const KBPS: u32 = 160;
/// From clearly audible damage to what a player still decodes everywhere.
pub const KBPS_RANGE: RangeInclusive<i64> = 64..=320;
/// Keeping a picture that fits costs no time and no quality.
pub const PREPARE: PrepareMode = PrepareMode::Auto;

/// Returns how many items are prepared at once on a machine with so many cores: x264 uses more than one core an item,
/// and the other half is left for airing and for the person at the machine.
#[must_use]
pub fn workers(cores: usize) -> usize {
    (cores / 2).clamp(1, 64)
}

/// Returns the seed of a channel that names none: always the same for the same id (FNV-1a, 32 bits), so that a station
/// is reproducible, and different from channel to channel, so that two channels with one folder differ.
#[must_use]
pub fn seed(id: &str) -> u64 {
    u64::from(id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)))
}
