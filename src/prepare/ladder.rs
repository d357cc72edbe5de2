//! The renditions of an item: the size of each, never larger than the original. Pure.

use super::plan::manner;
use super::recipe::{fitted, nearest_even, shown_shape};
use crate::config::{Profile, Rendition};
use crate::ffmpeg::extent::Extent;
use crate::ffmpeg::prepare_args::Encoder;
use crate::ffmpeg::rate::Rate;
use crate::ffmpeg::renditions::{REORDER_MAX, Scaled};
use crate::library::VideoInfo;

/// The smallest side of a frame in pixels: encoders and players were not made for less. Tiny pictures get bars around them.
const SIDE_MIN: u32 = 96;

/// Returns how a film is made in each rendition of a profile; nothing where it has none.
///
/// A rendition's frame shrinks with a picture that does not fill it, and keeps its shape: all renditions of an item have the
/// same bars.
#[must_use]
pub fn of_film(video: &VideoInfo, profile: &Profile, rate: Rate, frames: u64) -> Vec<Scaled> {
    let scale = |rendition: &Rendition| {
        let (size, fitted) = frame(video, (rendition.width, rendition.height));
        Scaled { fitted, encoder: encoder(profile, rendition, size, rate, frames) }
    };
    profile.renditions.iter().map(scale).collect()
}

/// Returns how the renditions below the first are made where the first is the original itself; none where that cannot be:
/// where it does not fill a frame of the shape that all renditions have, or holds back more frames than the encoder can.
#[must_use]
pub fn below_the_original(video: &VideoInfo, extent: &Extent, profile: &Profile) -> Option<(u32, Vec<Scaled>)> {
    let rate = Rate { num: video.fps.0.max(1), den: video.fps.1.max(1) };
    let scaled = of_film(video, profile, rate, extent.video.packets);
    let (first, below) = scaled.split_first()?;
    let own = (video.width, video.height);
    let reorder = extent.streams.get(video.index as usize)?.reorder;
    let fits = first.fitted == own && first.encoder.size == own && reorder <= REORDER_MAX;
    fits.then(|| (reorder, below.to_vec()))
}

/// Returns how a card is drawn in each rendition of a profile: as large as they are.
#[must_use]
pub fn of_card(profile: &Profile, rate: Rate, frames: u64) -> Vec<Scaled> {
    let scale = |rendition: &Rendition| {
        let size = (rendition.width, rendition.height);
        Scaled { fitted: size, encoder: encoder(profile, rendition, size, rate, frames) }
    };
    profile.renditions.iter().map(scale).collect()
}

fn encoder(profile: &Profile, rendition: &Rendition, size: (u32, u32), rate: Rate, frames: u64) -> Encoder {
    Encoder {
        size,
        rate,
        frames,
        quality: rendition.quality,
        preset: profile.preset.as_str(),
        kbps_max: rendition.video_kbps_max,
        manner: manner(&profile.style, rendition.video_kbps),
    }
}

/// Returns the frame and the picture in it: at most `most`, and at most as large as the picture is.
fn frame(video: &VideoInfo, most: (u32, u32)) -> ((u32, u32), (u32, u32)) {
    let shape = shown_shape(video);
    let upright = if video.rotation % 180 == 90 { (video.height, video.width) } else { (video.width, video.height) };
    // Pixels that are not square are stretched in width, so that no line is lost.
    let height = u64::from(upright.1.max(1));
    let width = (height * shape.0).div_ceil(shape.1.max(1)).max(1);
    let (most_width, most_height) = (u64::from(most.0), u64::from(most.1));
    if width >= most_width || height >= most_height {
        return (most, fitted(shape, most));
    }
    // The side that comes nearer to the frame's decides.
    let size = if width * most_height >= height * most_width {
        (nearest_even(width, 1, most_width), nearest_even(most_height * width, most_width, most_height))
    } else {
        (nearest_even(most_width * height, most_height, most_width), nearest_even(height, 1, most_height))
    };
    let inner = fitted(shape, size);
    let least = |side: u32, most: u32| side.max(SIDE_MIN.min(most));
    ((least(size.0, most.0), least(size.1, most.1)), inner)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::library::sample;

    fn video(width: u32, height: u32, sar: (u32, u32), rotation: u32) -> VideoInfo {
        VideoInfo { sar, rotation, ..sample::video(width, height) }
    }

    #[test]
    fn no_rendition_is_larger_than_the_original() {
        const FULL: (u32, u32) = (1920, 1080);
        for (sentence, video, most, expected) in [
            ("it fills the frame", video(1920, 1080, (1, 1), 0), FULL, (FULL, FULL)),
            ("it is larger", video(3840, 2160, (1, 1), 0), FULL, (FULL, FULL)),
            ("it is smaller", video(1280, 720, (1, 1), 0), FULL, ((1280, 720), (1280, 720))),
            ("it is smaller, of another shape", video(640, 480, (1, 1), 0), FULL, ((854, 480), (640, 480))),
            ("it is as high", video(1440, 1080, (1, 1), 0), FULL, (FULL, (1440, 1080))),
            ("it is wide", video(1280, 544, (1, 1), 0), FULL, ((1280, 720), (1280, 544))),
            ("its pixels are wide", video(720, 576, (16, 11), 0), FULL, ((1048, 590), (1048, 576))),
            ("it stands upright", video(640, 360, (1, 1), 90), FULL, ((1138, 640), (360, 640))),
            ("it is tiny", video(64, 48, (1, 1), 0), FULL, ((96, 96), (64, 48))),
            ("it has odd sides", video(321, 181, (1, 1), 0), FULL, ((322, 182), (322, 182))),
        ] {
            assert_eq!(frame(&video, most), expected, "{sentence}");
        }
    }

    proptest! {
        #[test]
        fn frames_are_even_keep_the_picture_inside_and_get_smaller_down_the_ladder(
            (width, height) in (2_u32..4000, 2_u32..3000), sar in (1_u32..4, 1_u32..4), upright in any::<bool>(),
        ) {
            let video = video(width, height, sar, if upright { 90 } else { 0 });
            let mut above = (u32::MAX, u32::MAX);
            for most in [(1920, 1080), (1280, 720), (854, 480), (640, 360), (426, 240)] {
                let (size, inner) = frame(&video, most);
                prop_assert!(size.0 % 2 == 0 && size.1 % 2 == 0 && inner.0 % 2 == 0 && inner.1 % 2 == 0);
                prop_assert!(inner.0 <= size.0 && inner.1 <= size.1, "{:?} {:?}", inner, size);
                prop_assert!(size.0 <= most.0 && size.1 <= most.1, "{:?}", size);
                // 854x480 is not quite of the shape of the others.
                prop_assert!(size.0 <= above.0.saturating_add(2) && size.1 <= above.1.saturating_add(2), "{:?} below {:?}", size, above);
                let tall = if upright { width } else { height };
                prop_assert!(inner.1 <= tall + 2, "never scaled up: {:?} of {}", inner, tall);
                above = size;
            }
        }
    }
}
