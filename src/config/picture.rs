//! `[channel.picture]` as written in; how pictures are encoded out.

use std::ops::Range;

use super::file::{At, PictureFile, Scalar};
use super::validate::Judge;
use super::{EncoderChoice, Preset, Style, Tune, defaults};

/// What the keys `prefer` and `encoder` and their like may say.
type Words<T> = &'static [(&'static str, T)];

const PRESETS: Words<Preset> = &[
    ("ultrafast", Preset::Ultrafast),
    ("superfast", Preset::Superfast),
    ("veryfast", Preset::Veryfast),
    ("faster", Preset::Faster),
    ("fast", Preset::Fast),
    ("medium", Preset::Medium),
];

const PREFERRED: Words<Preset> =
    &[("fast", Preset::Superfast), ("balanced", Preset::Veryfast), ("small", Preset::Medium)];

const TUNES: Words<Option<Tune>> = &[
    ("none", None),
    ("film", Some(Tune::Film)),
    ("animation", Some(Tune::Animation)),
    ("grain", Some(Tune::Grain)),
    ("still", Some(Tune::Still)),
];

const ENCODERS: Words<EncoderChoice> = &[
    ("auto", EncoderChoice::Auto),
    ("x264", EncoderChoice::X264),
    ("vaapi", EncoderChoice::Vaapi),
    ("nvenc", EncoderChoice::Nvenc),
    ("qsv", EncoderChoice::Qsv),
];

/// How a mean bit rate is said to be too high or too low.
const KBPS_HINT: &str = "in thousand bits a second: 2500 suits 1280x720";

impl Judge<'_> {
    pub(super) fn encoder(&mut self, word: &At<String>) -> Option<EncoderChoice> {
        self.word("encoder", word, ENCODERS)
    }

    /// Returns the preset, by its own name or by what is preferred; both may be said if they say the same.
    pub(super) fn speed(&mut self, picture: &PictureFile) -> Option<Preset> {
        let preset = picture.preset.as_ref().and_then(|preset| self.word("preset", preset, PRESETS));
        let prefer = picture.prefer.as_ref().and_then(|prefer| self.word("prefer", prefer, PREFERRED));
        if let (Some(preset), Some(preferred), Some(span)) = (preset, prefer, picture.prefer.as_ref().map(At::span))
            && preset != preferred
        {
            let message = format!("prefer stands for the preset {:?}, and preset says otherwise", preferred.as_str());
            self.complain(&span, message, Some("leave one of them out".to_owned()));
        }
        preset.or(prefer)
    }

    /// Returns the rest of what the encoder is told; `kbps_max` is the ceiling.
    pub(super) fn style(&mut self, picture: &PictureFile, kbps_max: u32) -> Style {
        let video_kbps = picture.kbps.as_ref().and_then(|kbps| self.mean_or_off(kbps, kbps_max));
        if let (Some(_), Some(quality)) = (video_kbps, &picture.quality) {
            let hint = "leave one of them out: films of one quality, or of one bit rate".to_owned();
            self.complain(&quality.span(), "quality has no meaning beside kbps".to_owned(), Some(hint));
        }
        let tune = picture.tune.as_ref().and_then(|tune| self.word("tune", tune, TUNES)).flatten();
        let gop_secs = picture.gop_seconds.as_ref().and_then(|seconds| {
            let hint = "2 is usual: players begin, and change their rendition, where a group begins";
            self.within("gop-seconds", seconds, &defaults::GOP_SECONDS_RANGE, hint)
        });
        Style { video_kbps, tune, gop_secs: gop_secs.unwrap_or(defaults::GOP_SECONDS) }
    }

    fn mean_or_off(&mut self, kbps: &At<Scalar>, kbps_max: u32) -> Option<u32> {
        match kbps.get_ref() {
            Scalar::Word(word) if word == "off" => None,
            Scalar::Number(number) if number.fract() == 0.0 && number.abs() < 1e9 => {
                #[expect(clippy::cast_possible_truncation, reason = "whole, and below 10^9")]
                let whole = At::new(kbps.span(), *number as i64);
                self.mean(&whole, kbps_max)
            }
            _ => {
                let message = "kbps must be \"off\" or a whole number".to_owned();
                self.complain(&kbps.span(), message, Some(KBPS_HINT.to_owned()));
                None
            }
        }
    }

    /// Returns a mean bit rate that is not above its ceiling.
    pub(super) fn mean(&mut self, kbps: &At<i64>, kbps_max: u32) -> Option<u32> {
        let mean: u32 = self.within("kbps", kbps, &defaults::RENDITION_KBPS_RANGE, KBPS_HINT)?;
        if mean > kbps_max {
            let message = format!("kbps must not be above max-kbps, which is {kbps_max}");
            self.complain(&kbps.span(), message, Some("it is what films take on the mean".to_owned()));
            return None;
        }
        Some(mean)
    }

    /// Complains of a key of the picture that every rendition has for itself.
    pub(super) fn each_has_its_own(&mut self, key: &str, span: &Range<usize>) {
        let hint = "every rendition has its own: leave it out".to_owned();
        self.complain(span, format!("{key} has no meaning beside renditions"), Some(hint));
    }
}

/// Whether a mean bit rate was chosen.
pub(super) fn is_number(kbps: &At<Scalar>) -> bool {
    matches!(kbps.get_ref(), Scalar::Number(_))
}
