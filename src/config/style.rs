//! How a channel's picture is encoded, beside its size: what may be chosen.

use super::defaults;

/// x264's presets that make sense for a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Largest files, least work.
    Ultrafast,
    /// Between.
    Superfast,
    /// The default: about eight times real time for 720p on two cores.
    Veryfast,
    /// Smaller files.
    Faster,
    /// Smaller still.
    Fast,
    /// x264's own default.
    Medium,
}

impl Preset {
    /// Returns x264's name of it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ultrafast => "ultrafast",
            Self::Superfast => "superfast",
            Self::Veryfast => "veryfast",
            Self::Faster => "faster",
            Self::Fast => "fast",
            Self::Medium => "medium",
        }
    }
}

/// What an encoder is told of a channel's picture beside its size, rate, quality and ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Mean bit rate in kbit/s, instead of the quality.
    pub video_kbps: Option<u32>,
    /// What kind of picture it is.
    pub tune: Option<Tune>,
    /// How long a GOP is, in seconds.
    pub gop_secs: u32,
}

impl Default for Style {
    fn default() -> Self {
        Self { video_kbps: None, tune: None, gop_secs: defaults::GOP_SECONDS }
    }
}

/// Kinds of picture that x264 has settings for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tune {
    /// Good material of real things.
    Film,
    /// Flat areas, sharp edges.
    Animation,
    /// Old material whose grain is to stay.
    Grain,
    /// Slides and photographs.
    Still,
}

impl Tune {
    /// Returns x264's name of it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Film => "film",
            Self::Animation => "animation",
            Self::Grain => "grain",
            Self::Still => "stillimage",
        }
    }
}

/// What makes pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EncoderChoice {
    /// The first chip that passes its trial, or else x264.
    #[default]
    Auto,
    /// x264, by the processor.
    X264,
    /// A chip of Intel or AMD, by VA-API.
    Vaapi,
    /// A chip of NVIDIA.
    Nvenc,
    /// A chip of Intel, by Quick Sync Video.
    Qsv,
}
