//! What must be done to an item: keep its picture (remux) or make it anew (transcode), and why. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ladder;
use super::length::{self, ExactLength};
use crate::config::{PrepareMode, Profile};
use crate::ffmpeg::extent::Extent;
use crate::ffmpeg::rate::Rate;
use crate::library::{MediaInfo, VideoInfo};
use crate::units::MediaTime;

/// The longest GOP that may air. Segments are whole GOPs and the playlists' target duration is 6: "The EXTINF duration
/// of each Media Segment ..., when rounded to the nearest integer, MUST be less than or equal to the target duration"
/// (RFC 8216 §4.3.3.1).
pub const GOP_MAX: MediaTime = MediaTime::from_millis(6490);

/// The shortest item that may air: below it a channel would be all seams, and no GOP would last a second.
pub const ITEM_MIN: MediaTime = MediaTime::from_secs(1);

/// The longest item: a day. A file that claims more is damaged or means harm (two frames, years apart).
pub const ITEM_MAX: MediaTime = MediaTime::from_secs(24 * 3600);

/// Sound that outlasts the picture by more than this is heard to its end over the held last frame; less is cut off.
pub const SOUND_TAIL: MediaTime = MediaTime::from_millis(500);

/// Sound that begins earlier than this before the picture must not be cut off; less is an encoder's run-up.
const SOUND_LEAD: MediaTime = MediaTime::from_millis(100);

/// Sound that begins more than this before the picture is cut: nobody looks at a still for longer.
const SOUND_LEAD_MAX: MediaTime = MediaTime::from_secs(10);

/// How far the mean bit rate of an original may lie above the profile's ceiling: originals are steadier than ours.
const BIT_RATE_EXCESS: f64 = 1.6;

/// Why an item's picture must be made anew. Reads as the end of "transcoded because …".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The channel wants all items alike.
    Always,
    /// The channel has several renditions, and the original cannot be the first of them.
    Renditions,
    /// It is not H.264.
    Codec(String),
    /// More than 8 bits, or another chroma format.
    PixelFormat(String),
    /// An H.264 profile or level beyond what every player decodes.
    Profile(String),
    /// Fields instead of frames.
    Interlaced,
    /// Rotated by its container.
    Rotated(u32),
    /// Pixels that are not square.
    PixelAspect,
    /// Larger or much smaller than the channel, or odd.
    Size(u32, u32),
    /// A frame rate that is variable, unknown or not the channel's.
    FrameRate,
    /// High dynamic range.
    Hdr,
    /// GOPs that are too long.
    LongGops(MediaTime),
    /// GOPs that need the one before.
    OpenGops,
    /// Damaged packets, hidden frames or time going back.
    Damaged,
    /// A higher bit rate than the channel's.
    BitRate(u64),
    /// Sound outlasts the picture, or begins before it.
    SoundBeyondPicture,
    /// The file was too large to be looked through.
    NotScanned,
    /// Copying was tried and its result failed the check.
    RemuxFailed(String),
    /// Its subtitles in this language are burned in.
    Subtitles(String),
    /// The channel's logo is burned in.
    Logo,
    /// Its subtitles were to be burned in, and for this reason were not.
    WithoutSubtitles(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("the channel prepares every item alike"),
            Self::Renditions => f.write_str("the channel prepares every item in several renditions"),
            Self::Codec(codec) => write!(f, "its picture is {codec}"),
            Self::PixelFormat(format) => write!(f, "its pixels are {format}"),
            Self::Profile(profile) => write!(f, "its H.264 profile is {profile}"),
            Self::Interlaced => f.write_str("it is interlaced"),
            Self::Rotated(degrees) => write!(f, "it is rotated by {degrees} degrees"),
            Self::PixelAspect => f.write_str("its pixels are not square"),
            Self::Size(width, height) => write!(f, "its size is {width}x{height}"),
            Self::FrameRate => f.write_str("its frame rate is variable or not the channel's"),
            Self::Hdr => f.write_str("it is HDR"),
            Self::LongGops(longest) => write!(f, "its keyframes are up to {:.1} s apart", longest.as_secs_f64()),
            Self::OpenGops => f.write_str("its GOPs are open"),
            Self::Damaged => f.write_str("its packets are damaged or out of order"),
            Self::BitRate(bits) => write!(f, "its bit rate is {} kbit/s", bits / 1000),
            Self::SoundBeyondPicture => f.write_str("its sound reaches beyond its picture"),
            Self::NotScanned => f.write_str("it is too large to be looked through"),
            Self::RemuxFailed(why) => write!(f, "its picture could not be kept ({why})"),
            Self::Subtitles(language) => write!(f, "its subtitles ({language}) are burned in"),
            Self::Logo => f.write_str("the channel's logo is burned in"),
            Self::WithoutSubtitles(why) => write!(f, "its subtitles could not be burned in ({why})"),
        }
    }
}

/// What must be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recipe {
    /// The picture is copied, the sound made anew.
    Remux,
    /// The picture is copied as the first of several renditions; the others and the sound are made anew.
    KeepFirst,
    /// Picture and sound are made anew.
    Transcode {
        /// Why, at least one.
        reasons: Vec<Reason>,
    },
}

impl Recipe {
    /// Whether the original's own picture airs.
    #[must_use]
    pub fn keeps_picture(&self) -> bool {
        matches!(self, Self::Remux | Self::KeepFirst)
    }

    /// Why the subtitles of an item that was made with this recipe are not in its picture, though they should be.
    #[must_use]
    pub fn without_subtitles(&self) -> Option<&str> {
        let Self::Transcode { reasons } = self else { return None };
        reasons.iter().find_map(|reason| match reason {
            Reason::WithoutSubtitles(why) => Some(why.as_str()),
            _ => None,
        })
    }
}

/// Why an item cannot be prepared at all; sentences for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Shorter than [`ITEM_MIN`].
    #[error("it lasts only {:.2} s; the shortest that can air is {} s", .0.as_secs_f64(), ITEM_MIN.0 / 90_000)]
    TooShort(MediaTime),
    /// Longer than [`ITEM_MAX`].
    #[error("it claims to last {0}; the longest that can air is a day")]
    TooLong(MediaTime),
}

/// Where an item lies on its own time, which begins at its first frame (or at sound shortly before it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// What ffmpeg must add to the times it reads (it counts from the container's start) so that they begin at 0.
    pub shift: MediaTime,
    /// Where it begins in the container's time.
    pub zero: MediaTime,
    /// When the picture ends.
    pub video_end: MediaTime,
    /// When picture and sound end: the item's length.
    pub content_end: MediaTime,
}

/// Decides what must be done to an item.
#[must_use]
pub fn decide(media: &MediaInfo, extent: &Extent, profile: &Profile) -> Recipe {
    let mut reasons = Vec::new();
    if profile.prepare == PrepareMode::Always {
        reasons.push(Reason::Always);
    }
    let below = ladder::below_the_original(&media.video, extent, profile);
    if !profile.renditions.is_empty() && below.is_none() {
        reasons.push(Reason::Renditions);
    }
    picture_reasons(&media.video, profile, &mut reasons);
    if extent.complete {
        extent_reasons(extent, profile, &mut reasons);
    } else {
        reasons.push(Reason::NotScanned);
    }
    match below {
        _ if !reasons.is_empty() => Recipe::Transcode { reasons },
        Some((_, below)) if !below.is_empty() => Recipe::KeepFirst,
        _ => Recipe::Remux,
    }
}

/// Whether a picture looks as if it could stay as it is; only the scan of its packets can tell for certain.
#[must_use]
pub fn looks_fit(media: &MediaInfo, profile: &Profile) -> bool {
    let mut reasons = Vec::new();
    picture_reasons(&media.video, profile, &mut reasons);
    profile.prepare == PrepareMode::Auto && profile.renditions.is_empty() && reasons.is_empty()
}

fn picture_reasons(video: &VideoInfo, profile: &Profile, reasons: &mut Vec<Reason>) {
    let mut unless = |fits: bool, reason: Reason| {
        if !fits {
            reasons.push(reason);
        }
    };
    let is_h264 = video.codec == "h264";
    unless(is_h264, Reason::Codec(video.codec.clone()));
    if is_h264 {
        let name = video.profile.as_deref().unwrap_or("unknown");
        let common = matches!(name, "Baseline" | "Constrained Baseline" | "Main" | "High");
        let level = video.level.unwrap_or(u32::MAX);
        unless(common && level <= 42, Reason::Profile(format!("{name}, level {}", f64::from(level.min(999)) / 10.0)));
        unless(video.pix_fmt == "yuv420p", Reason::PixelFormat(video.pix_fmt.clone()));
    }
    unless(!video.interlaced, Reason::Interlaced);
    unless(video.rotation == 0, Reason::Rotated(video.rotation));
    unless(is_square(video.sar), Reason::PixelAspect);
    let (width, height) = (video.width, video.height);
    let even = width.is_multiple_of(2) && height.is_multiple_of(2);
    let not_larger = width <= profile.width && height <= profile.height;
    let not_tiny = width.saturating_mul(4) >= profile.width || height.saturating_mul(4) >= profile.height;
    unless(even && not_larger && not_tiny, Reason::Size(width, height));
    unless(!is_hdr(video), Reason::Hdr);
    let rate = f64::from(video.fps.0) / f64::from(video.fps.1.max(1));
    let wanted = profile.fps.is_none_or(|fps| (rate - f64::from(fps)).abs() < 0.01);
    unless((5.0..=60.5).contains(&rate) && wanted, Reason::FrameRate);
}

fn extent_reasons(extent: &Extent, profile: &Profile, reasons: &mut Vec<Reason>) {
    let (video, gops) = (&extent.video, &extent.gops);
    if gops.open {
        reasons.push(Reason::OpenGops);
    }
    if gops.longest > GOP_MAX {
        reasons.push(Reason::LongGops(gops.longest));
    }
    if gops.headless || gops.discarded || gops.damaged || !video.monotonic {
        reasons.push(Reason::Damaged);
    }
    if !gops.constant_rate {
        reasons.push(Reason::FrameRate);
    }
    let bits = bits_a_second(video.bytes, video.length());
    #[expect(clippy::cast_precision_loss, reason = "bit rates are far below 2^53")]
    if bits as f64 > f64::from(profile.video_kbps_max) * 1000.0 * BIT_RATE_EXCESS {
        reasons.push(Reason::BitRate(bits));
    }
    if let Some(audio) = &extent.audio
        && (audio.end - video.end > SOUND_TAIL || video.first - audio.first > SOUND_LEAD)
    {
        reasons.push(Reason::SoundBeyondPicture);
    }
}

fn bits_a_second(bytes: u64, length: MediaTime) -> u64 {
    let ticks = u128::from(length.0.max(1).unsigned_abs());
    u64::try_from(u128::from(bytes) * 8 * 90_000 / ticks).unwrap_or(u64::MAX)
}

/// Whether a picture is HDR: PQ or HLG.
#[must_use]
pub fn is_hdr(video: &VideoInfo) -> bool {
    matches!(video.color_transfer.as_deref(), Some("smpte2084" | "arib-std-b67"))
}

fn is_square(sar: (u32, u32)) -> bool {
    sar.0 == sar.1 || sar.0 == 0 || sar.1 == 0
}

/// Lays an item on its own time; `rate` is that of a transcode.
///
/// The picture's first frame lies on the grid of the new rate, or all of them would be moved by up to half a frame against
/// the sound: where sound begins well before it, the picture begins whole frames after 0.
///
/// # Errors
/// [`Unfit`] when it is too short or too long to air.
pub fn timeline(extent: &Extent, recipe: &Recipe, rate: Rate) -> Result<Timeline, Unfit> {
    let video = &extent.video;
    let transcode = matches!(recipe, Recipe::Transcode { .. });
    let begins = extent.audio.as_ref().map_or(video.first, |audio| audio.first.min(video.first));
    let lead = video.first - begins;
    let frames = if transcode && lead > SOUND_LEAD && lead <= SOUND_LEAD_MAX { rate.frames_in(lead) + 1 } else { 0 };
    let zero = video.first - rate.length_of(frames);
    let container = match extent.container_start {
        Some(start) => start,
        // Looked through and no start told: ffmpeg counts from 0. Not looked through: it counts from the first packet.
        None if extent.complete => MediaTime::ZERO,
        None => begins,
    };
    let video_end = video.end - zero;
    let audio_end = extent.audio.as_ref().map_or(MediaTime::ZERO, |audio| audio.end - zero);
    let content_end = if transcode && audio_end - video_end > SOUND_TAIL { audio_end } else { video_end };
    match content_end {
        short if short < ITEM_MIN => Err(Unfit::TooShort(short)),
        long if long > ITEM_MAX => Err(Unfit::TooLong(long)),
        _ => Ok(Timeline { shift: container - zero, zero, video_end, content_end }),
    }
}

/// The rates items are brought to, unless a channel forces its own.
const STANDARD_RATES: [Rate; 5] = [
    Rate { num: 24_000, den: 1001 },
    Rate { num: 24, den: 1 },
    Rate { num: 25, den: 1 },
    Rate { num: 30_000, den: 1001 },
    Rate { num: 30, den: 1 },
];

/// Returns the frame rate an item is transcoded to: the channel's, or the standard rate that its own is a simple multiple
/// or part of (59.94 → 29.97, 50 → 25, 120 → 30, 15 → 30), or else 30.
#[must_use]
pub fn frame_rate(video: &VideoInfo, profile: &Profile) -> Rate {
    if let Some(fps) = profile.fps {
        return Rate::whole(fps);
    }
    let value = |fraction: (u32, u32)| f64::from(fraction.0) / f64::from(fraction.1.max(1));
    let (average, base) = (value(video.fps), value(video.fps_base));
    // The base rate is exact where the average is only near it: a phone's 29.83 is 30 with a few frames missing.
    let base_holds = base > 0.0 && (average / base - 1.0).abs() < 0.05;
    let exact = if base_holds { standard(base, 0.0005) } else { None };
    exact.or_else(|| standard(average, 0.01)).unwrap_or(Rate::whole(Profile::FPS_MAX))
}

fn standard(fps: f64, tolerance: f64) -> Option<Rate> {
    let multiples = [1.0, 2.0, 4.0, 5.0, 8.0, 10.0, 0.5, 0.25];
    let apart = |rate: &Rate, multiple: f64| (fps / (rate.as_f64() * multiple) - 1.0).abs();
    // The simplest relation first: 48 is twice 24, though it is also near to other multiples of others.
    multiples.iter().find_map(|multiple| {
        let nearest = STANDARD_RATES.iter().min_by(|a, b| apart(a, *multiple).total_cmp(&apart(b, *multiple)))?;
        (apart(nearest, *multiple) < tolerance).then_some(*nearest)
    })
}

/// Returns the size of a picture within the channel's, square pixels, upright: even, and the aspect ratio kept.
#[must_use]
pub fn fitted_size(video: &VideoInfo, profile: &Profile) -> (u32, u32) {
    fitted(shown_shape(video), (profile.width, profile.height))
}

/// Returns the shape a picture is shown in, upright, as a ratio of width and height.
pub(super) fn shown_shape(video: &VideoInfo) -> (u64, u64) {
    let sar = if is_square(video.sar) { (1, 1) } else { video.sar };
    let shown = (u64::from(video.width.max(1)) * u64::from(sar.0), u64::from(video.height.max(1)) * u64::from(sar.1));
    if video.rotation % 180 == 90 { (shown.1, shown.0) } else { shown }
}

/// Returns the largest even size of that shape within a frame.
pub(super) fn fitted(shape: (u64, u64), frame: (u32, u32)) -> (u32, u32) {
    let (width, height) = (u64::from(frame.0), u64::from(frame.1));
    if shape.0 * height >= shape.1 * width {
        (frame.0, nearest_even(width * shape.1, shape.0, height))
    } else {
        (nearest_even(height * shape.0, shape.1, width), frame.1)
    }
}

/// Returns the even number nearest to a fraction.
pub(super) fn nearest_even(of: u64, by: u64, max: u64) -> u32 {
    u32::try_from(((of + by) / (2 * by) * 2).clamp(2, max)).unwrap_or(2)
}

/// Returns the exact length of a transcode.
#[must_use]
pub fn exact_length(timeline: &Timeline, rate: Rate) -> ExactLength {
    length::exact(timeline.content_end, rate)
}

#[cfg(test)]
#[path = "recipe_tests.rs"]
mod tests;
