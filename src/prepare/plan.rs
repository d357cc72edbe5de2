//! Item, extent and recipe in, the numbers for ffmpeg and for the check out. Pure.

use super::ladder;
use super::length;
use super::recipe::{self, Reason, Recipe, Unfit};
use super::verify::Expected;
use crate::config::{Profile, Style, Tune};
use crate::ffmpeg::encoders::{Codec, Manner};
use crate::ffmpeg::extent::{Extent, GopShape, Track};
use crate::ffmpeg::prepare_args::{Encoder, Filters, Hdr, Matrix, Picture};
use crate::ffmpeg::renditions::Kept;
use crate::library::{MediaInfo, VideoInfo};
use crate::units::MediaTime;

/// How much longer than needed the last frame may be held: decoders drop a frame or two at the end of damaged files.
const HOLD_SLACK: MediaTime = MediaTime::from_secs(1);

/// Which part of an item's frames must have come out for it to be prepared again at its true length; below, it is said to
/// be damaged.
const FRAMES_KEPT_MIN: f64 = 0.9;

/// The numbers for ffmpeg and for the check.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Added to the times ffmpeg reads.
    pub shift: MediaTime,
    /// Where the item's own time begins in the container's.
    pub zero: MediaTime,
    /// How the picture is made.
    pub picture: Picture,
    /// Packets of sound.
    pub audio_packets: u64,
    /// What must come out.
    pub expected: Expected,
}

/// Lays out the work.
///
/// # Errors
/// [`Unfit`] when the item is too short or too long to air.
pub fn plan(
    media: &MediaInfo,
    extent: &Extent,
    profile: &Profile,
    recipe: &Recipe,
    can_tone_map: bool,
) -> Result<Plan, Unfit> {
    let video = &media.video;
    let rate = recipe::frame_rate(video, profile);
    let timeline = recipe::timeline(extent, recipe, rate)?;
    if recipe.keeps_picture() {
        let length = timeline.content_end;
        let below = ladder::below_the_original(video, extent, profile).filter(|_| *recipe == Recipe::KeepFirst);
        let kept = |(reorder, scaled)| Picture::Kept(Kept { matrix: matrix(video, extent), reorder, scaled });
        return Ok(Plan {
            shift: timeline.shift,
            zero: timeline.zero,
            picture: below.map_or(Picture::Copy, kept),
            audio_packets: length::packets_in(length),
            expected: Expected { frames: extent.video.packets, length },
        });
    }
    let exact = recipe::exact_length(&timeline, rate);
    let held = exact.frames.saturating_sub(rate.frames_in(timeline.video_end));
    let scaled = ladder::of_film(video, profile, rate, exact.frames);
    let filters = Filters {
        deinterlace: video.interlaced,
        tone_map: hdr(video).filter(|_| can_tone_map),
        matrix: matrix(video, extent),
        fitted: scaled.first().map_or_else(|| recipe::fitted_size(video, profile), |first| first.fitted),
        hold_frames: held + rate.frames_in(HOLD_SLACK),
    };
    let picture = if scaled.is_empty() {
        Picture::Encode(filters, encoder(profile, rate, exact.frames))
    } else {
        Picture::Renditions(filters, scaled)
    };
    Ok(Plan {
        shift: timeline.shift,
        zero: timeline.zero,
        picture,
        audio_packets: exact.audio_packets,
        expected: Expected { frames: exact.frames, length: rate.length_of(exact.frames) },
    })
}

/// Returns the encoder of a profile: the same for items and the slate.
#[must_use]
pub fn encoder(profile: &Profile, rate: crate::ffmpeg::rate::Rate, frames: u64) -> Encoder {
    Encoder {
        size: (profile.width, profile.height),
        rate,
        frames,
        quality: profile.quality,
        preset: profile.preset.as_str(),
        kbps_max: profile.video_kbps_max,
        manner: manner(&profile.style, profile.style.video_kbps),
    }
}

/// Returns how a profile has pictures made; what makes them is chosen when the work begins.
#[must_use]
pub(super) fn manner(style: &Style, kbps: Option<u32>) -> Manner {
    Manner { kbps, tune: style.tune.map(Tune::as_str), gop_secs: style.gop_secs, codec: Codec::X264 }
}

fn hdr(video: &VideoInfo) -> Option<Hdr> {
    match video.color_transfer.as_deref() {
        Some("smpte2084") => Some(Hdr::Pq),
        Some("arib-std-b67") => Some(Hdr::Hlg),
        _ => None,
    }
}

/// A picture that does not tell its matrix has that of its size; swscale would take all for standard definition.
fn matrix(video: &VideoInfo, extent: &Extent) -> Matrix {
    let told = extent.streams.get(video.index as usize).and_then(|stream| stream.color_space.as_deref());
    match told {
        Some(_) => Matrix::Told,
        None if video.width >= 1280 || video.height >= 720 => Matrix::Bt709,
        None => Matrix::Bt601,
    }
}

/// Returns the extent a container tells, for files too large to be looked through.
#[must_use]
pub fn container_extent(media: &MediaInfo) -> Extent {
    let track = |start: MediaTime, length: MediaTime| Track {
        first: start,
        end: start + length,
        monotonic: true,
        ..Track::default()
    };
    Extent {
        video: track(media.video.start, media.video.duration.unwrap_or(media.duration)),
        audio: media.audio.as_ref().map(|audio| track(audio.start, audio.duration.unwrap_or(media.duration))),
        gops: GopShape::default(),
        container_start: None,
        streams: Vec::new(),
        complete: false,
    }
}

/// Returns the recipe and the extent to try after a transcode that made only `made` of `wanted` frames: the true length
/// is known now. None when so much is missing that the file must be called damaged.
#[must_use]
pub fn shortened(extent: &Extent, plan: &Plan, made: u64) -> Option<Extent> {
    let encoder = plan.picture.encoder()?;
    #[expect(clippy::cast_precision_loss, reason = "frame counts are far below 2^53")]
    let kept = made as f64 / plan.expected.frames.max(1) as f64;
    if made >= plan.expected.frames || kept < FRAMES_KEPT_MIN {
        return None;
    }
    let end = plan.zero + encoder.rate.length_of(made);
    let mut shorter = extent.clone();
    shorter.video.end = end;
    if let Some(audio) = &mut shorter.audio {
        audio.end = audio.end.min(end);
    }
    Some(shorter)
}

/// Returns the recipe after a remux that failed.
#[must_use]
pub fn instead_of_remux(why: String) -> Recipe {
    Recipe::Transcode { reasons: vec![Reason::RemuxFailed(why)] }
}

/// How far from the picture's first frame a copied sound may begin, in ticks: what ffprobe's microseconds hide.
const SOUND_APART: u64 = 2;

/// How much more than the channel's bit rate a copied sound may take.
const SOUND_EXCESS: f64 = 1.6;

/// Returns how many packets of an original's sound come before the first that is to be heard, where its packets can be
/// copied beside a picture that is kept: AAC in our own layout, whole from beginning to end, whose packets begin with the
/// picture. That its loudness is right is for others to know, and only its bytes tell whether every player can decode it.
#[must_use]
pub fn kept_sound(media: &MediaInfo, extent: &Extent, plan: &Plan, profile: &Profile) -> Option<u64> {
    let keeps_picture = matches!(plan.picture, Picture::Copy | Picture::Kept(_));
    let (audio, track) = (media.audio.as_ref()?, extent.audio.as_ref()?);
    let stream = extent.streams.get(audio.index as usize)?;
    let ours = stream.codec == "aac" && stream.size == (length::SAMPLE_RATE, 2);
    if !(keeps_picture && ours && track.seamless) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a day of sound is far below 2^53 bits")]
    let kbps = track.bytes as f64 * 0.008 / track.length().as_secs_f64().max(1.0);
    let earlier = (plan.zero - track.first).0;
    let packet = length::packets_length(1).0;
    let before = u64::try_from((earlier + packet / 2).div_euclid(packet)).ok()?;
    let apart = length::packets_length(before).0.abs_diff(earlier);
    let enough = track.packets >= before.saturating_add(plan.audio_packets);
    let fits = kbps <= f64::from(profile.audio_kbps) * SOUND_EXCESS;
    (enough && fits && apart <= SOUND_APART).then_some(track.priming + before)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
