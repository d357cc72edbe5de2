//! The programs and chips that can make an H.264 picture, and how each is told the same things. Pure.
//!
//! Whatever makes it, the law of the mezzanine is one: every GOP begins with an IDR frame, at the places we force and
//! nowhere else. Each encoder has its own words for that. What a chip really did is looked at before it airs.

use std::ffi::OsString;

use super::prepare_args::{COLOURS, Encoder};
use super::rate::Rate;

/// What makes the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// x264, by the processor: always there.
    #[default]
    X264,
    /// A chip behind the kernel's render node of this number (Intel, AMD).
    Vaapi(u16),
    /// NVIDIA's.
    Nvenc,
    /// Intel's, by its own library.
    Qsv,
}

impl Codec {
    /// Returns its name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::X264 => "x264",
            Self::Vaapi(_) => "vaapi",
            Self::Nvenc => "nvenc",
            Self::Qsv => "qsv",
        }
    }

    /// Whether a chip does the work.
    #[must_use]
    pub fn is_hardware(self) -> bool {
        self != Self::X264
    }

    /// Returns what ffmpeg must hear before its inputs.
    #[must_use]
    pub(super) fn device(self) -> Vec<OsString> {
        match self {
            Self::Vaapi(node) => {
                ["-vaapi_device".into(), format!("/dev/dri/renderD{node}").into()].into_iter().collect()
            }
            Self::X264 | Self::Nvenc | Self::Qsv => Vec::new(),
        }
    }

    /// Returns the filters that bring finished frames to where it reads them, each after a comma.
    #[must_use]
    pub(super) fn upload(self) -> &'static str {
        match self {
            Self::X264 | Self::Nvenc => "",
            Self::Vaapi(_) => ",format=nv12,hwupload",
            Self::Qsv => ",format=nv12",
        }
    }
}

/// How a picture is encoded, beside its size, rate and quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// What makes it.
    pub codec: Codec,
    /// The mean bit rate in kbit/s; none where the quality is the measure.
    pub kbps: Option<u32>,
    /// x264's word for the kind of picture.
    pub tune: Option<&'static str>,
    /// How long a GOP is, in seconds.
    pub gop_secs: u32,
}

impl Manner {
    /// How long a GOP is where nobody said otherwise: one segment.
    pub const GOP_SECS: u32 = 2;
}

impl Default for Manner {
    fn default() -> Self {
        Self { codec: Codec::X264, kbps: None, tune: None, gop_secs: Self::GOP_SECS }
    }
}

/// The quality at which [`MEAN_OF_CEILING`] holds.
const QUALITY_USUAL: i32 = 23;
/// Which part of the ceiling a chip is given on the mean that knows no constant quality, in per cent.
const MEAN_OF_CEILING: u64 = 60;
/// By so much quality the bit rate halves or doubles: x264's own rule of thumb.
const QUALITY_HALVES: f64 = 6.0;

impl Encoder {
    /// Returns what differs from rendition to rendition; `place` is `:0` for the first picture, or nothing for all.
    pub(super) fn own_args(&self, place: &str) -> Vec<OsString> {
        let level = self.level();
        let level = match self.manner.codec {
            // It reads a plain number, ten times the level.
            Codec::Qsv => level.to_string(),
            _ => format!("{}.{}", level / 10, level % 10),
        };
        let mut args = vec![(format!("-level:v{place}"), level)];
        args.extend(self.rate_args(place));
        args.push((format!("-maxrate:v{place}"), format!("{}k", self.kbps_max)));
        args.push((format!("-bufsize:v{place}"), format!("{}k", self.kbps_max * 2)));
        args.into_iter().flat_map(|(option, value)| [option.into(), value.into()]).collect()
    }

    fn rate_args(&self, place: &str) -> Vec<(String, String)> {
        let mean = |kbps: u32| (format!("-b:v{place}"), format!("{kbps}k"));
        match (self.manner.kbps, self.manner.codec) {
            (Some(kbps), _) => vec![mean(kbps)],
            (None, Codec::X264) => vec![(format!("-crf:v{place}"), self.quality.to_string())],
            (None, Codec::Nvenc) => vec![(format!("-cq:v{place}"), self.quality.to_string()), mean(0)],
            // Not every driver knows constant quality under a ceiling; a mean under a ceiling all of them know.
            (None, Codec::Vaapi(_) | Codec::Qsv) => vec![mean(self.mean_kbps())],
        }
    }

    /// Returns the mean bit rate that stands for the quality, in kbit/s.
    fn mean_kbps(&self) -> u32 {
        let factor = 2_f64.powf(f64::from(QUALITY_USUAL - i32::from(self.quality)) / QUALITY_HALVES);
        #[expect(clippy::cast_precision_loss, reason = "a bit rate in kbit/s")]
        let kbps = (u64::from(self.kbps_max) * MEAN_OF_CEILING / 100) as f64 * factor;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the ceiling")]
        let kbps = kbps.clamp(1.0, f64::from(self.kbps_max)) as u32;
        kbps
    }

    /// Returns what all renditions have in common; so their keyframes and decoding times are the same.
    pub(super) fn common_args(&self) -> Vec<OsString> {
        let gop = self.gop_frames();
        let keys = format!("expr:not(mod(n,{gop}))*lte(n,{})", self.last_key());
        // Longer than any GOP we force: no encoder may add a keyframe of its own.
        let longest = (gop * 2).to_string();
        let mut args: Vec<[&str; 2]> = match self.manner.codec {
            Codec::X264 => {
                vec![["-c:v", "libx264"], ["-preset", self.preset], ["-profile:v", "high"], ["-g", &longest]]
            }
            codec => vec![["-c:v", hardware_name(codec)], ["-profile:v", "high"], ["-g", &longest]],
        };
        args.extend(match self.manner.codec {
            Codec::X264 => [["-sc_threshold", "0"], ["-bf", "2"], ["-forced-idr", "1"]].to_vec(),
            Codec::Nvenc => {
                // The preset stands before what it would otherwise set.
                let preset = nvenc_preset(self.preset);
                let first = [["-preset", preset], ["-rc", "vbr"], ["-bf", "2"], ["-b_ref_mode", "disabled"]];
                [first.as_slice(), &[["-no-scenecut", "1"], ["-strict_gop", "1"], ["-forced-idr", "1"]]].concat()
            }
            // Its forced keyframes are IDR frames, and it looks for no others.
            Codec::Vaapi(_) => [["-bf", "2"], ["-idr_interval", "0"]].to_vec(),
            Codec::Qsv => {
                let first = [["-preset", self.qsv_preset()], ["-bf", "2"], ["-idr_interval", "0"]];
                [first.as_slice(), &[["-adaptive_i", "0"], ["-adaptive_b", "0"], ["-forced_idr", "1"]]].concat()
            }
        });
        args.push(["-force_key_frames", &keys]);
        // The frame's own colour notes would make the SPS differ from item to item: the filters brought every frame to
        // BT.709, and these words go into the SPS whatever the frames say.
        if self.manner.codec.is_hardware() {
            args.extend([["-color_primaries", "bt709"], ["-color_trc", "bt709"], ["-colorspace", "bt709"]]);
            args.extend([["-color_range", "tv"], ["-chroma_sample_location", "left"]]);
        } else {
            args.push([
                "-x264-params",
                "open-gop=0:colorprim=bt709:transfer=bt709:colormatrix=bt709:range=tv:chromaloc=0",
            ]);
            args.extend(self.manner.tune.map(|tune| ["-tune", tune]));
            // It asks for twice the reference frames, which may be more than the level lets players keep.
            args.extend((self.manner.tune == Some("animation")).then_some(["-refs", "4"]));
        }
        args.as_flattened().iter().map(OsString::from).collect()
    }

    /// Intel's library names its presets as x264 does, but for the two fastest.
    fn qsv_preset(&self) -> &'static str {
        if matches!(self.preset, "ultrafast" | "superfast") { "veryfast" } else { self.preset }
    }
}

fn hardware_name(codec: Codec) -> &'static str {
    match codec {
        Codec::X264 => "libx264",
        Codec::Vaapi(_) => "h264_vaapi",
        Codec::Nvenc => "h264_nvenc",
        Codec::Qsv => "h264_qsv",
    }
}

/// NVIDIA's presets are numbered from the fastest.
fn nvenc_preset(preset: &str) -> &'static str {
    match preset {
        "ultrafast" => "p1",
        "superfast" => "p2",
        "veryfast" => "p4",
        "faster" | "fast" => "p5",
        _ => "p6",
    }
}

/// The encoder that a codec is tried with: two GOPs and a little, small enough to be done at once on any chip.
#[must_use]
pub fn trial(codec: Codec) -> Encoder {
    Encoder {
        size: (640, 360),
        rate: Rate::whole(25),
        frames: 120,
        quality: 23,
        preset: "veryfast",
        kbps_max: 2000,
        manner: Manner { codec, ..Manner::default() },
    }
}

/// Returns the ffmpeg command line of that trial: a moving picture in, plain H.264 on stdout out.
#[must_use]
pub fn trial_args(codec: Codec) -> Vec<OsString> {
    let encoder = trial(codec);
    let (width, height) = encoder.size;
    let mut args: Vec<OsString> = ["-hide_banner", "-nostdin", "-nostats", "-v", "error"].map(Into::into).into();
    args.extend(codec.device());
    let source = format!("testsrc2=s={width}x{height}:r={}", encoder.rate);
    args.extend(["-f".into(), "lavfi".into(), "-i".into(), source.into()]);
    let filters = format!("trim=end_frame={},format=yuv420p,{COLOURS}{}", encoder.frames, codec.upload());
    args.extend(["-vf".into(), filters.into()]);
    args.extend(encoder.args());
    args.extend(["-f", "h264", "pipe:1"].map(Into::into));
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(args: &[OsString]) -> String {
        args.iter().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    fn by(codec: Codec, change: fn(&mut Encoder)) -> String {
        let mut encoder = trial(codec);
        change(&mut encoder);
        words(&encoder.args())
    }

    const ALL: [Codec; 4] = [Codec::X264, Codec::Vaapi(128), Codec::Nvenc, Codec::Qsv];

    #[test]
    fn every_encoder_is_told_where_gops_begin_and_that_there_are_two_b_frames() {
        for codec in ALL {
            let told = by(codec, |_| {});
            assert!(told.contains("-force_key_frames expr:not(mod(n,50))*lte(n,50)"), "{told}");
            assert!(told.contains("-bf 2") && told.contains("-g 100"), "{told}");
            assert!(told.contains("forced") || matches!(codec, Codec::Vaapi(_)), "{told}");
            assert!(told.contains("-maxrate:v 2000k -bufsize:v 4000k"), "{told}");
        }
    }

    #[test]
    fn quality_is_told_in_each_encoders_own_words() {
        for (codec, at_23, at_29) in [
            (Codec::X264, "-crf:v 23 ", "-crf:v 29 "),
            (Codec::Nvenc, "-cq:v 23 -b:v 0k ", "-cq:v 29 -b:v 0k "),
            (Codec::Vaapi(128), "-b:v 1200k ", "-b:v 600k "),
            (Codec::Qsv, "-b:v 1200k ", "-b:v 600k "),
        ] {
            let told = by(codec, |_| {}) + " ";
            assert!(told.contains(at_23), "{told}");
            let told = by(codec, |encoder| encoder.quality = 29) + " ";
            assert!(told.contains(at_29), "{told}");
            let told = by(codec, |encoder| encoder.manner.kbps = Some(700));
            assert!(told.contains("-b:v 700k") && !told.contains("-crf") && !told.contains("-cq"), "{told}");
        }
        assert_eq!(Encoder { quality: 16, ..trial(Codec::Qsv) }.mean_kbps(), 2000, "never above the ceiling");
    }

    #[test]
    fn what_nobody_asked_for_is_not_said_to_x264() {
        assert_eq!(
            by(Codec::X264, |_| {}),
            "-c:v libx264 -preset veryfast -profile:v high -g 100 -sc_threshold 0 -bf 2 -forced-idr 1 \
             -force_key_frames expr:not(mod(n,50))*lte(n,50) \
             -x264-params open-gop=0:colorprim=bt709:transfer=bt709:colormatrix=bt709:range=tv:chromaloc=0 \
             -level:v 3.0 -crf:v 23 -maxrate:v 2000k -bufsize:v 4000k"
        );
        let tuned = by(Codec::X264, |encoder| encoder.manner.tune = Some("animation"));
        assert!(tuned.contains("-tune animation -refs 4"), "{tuned}");
        assert!(!by(Codec::Nvenc, |encoder| encoder.manner.tune = Some("grain")).contains("grain"));
    }

    #[test]
    fn frames_reach_the_chip_that_reads_them() {
        let told = words(&trial_args(Codec::Vaapi(129)));
        assert!(told.contains("-vaapi_device /dev/dri/renderD129 -f lavfi -i"), "{told}");
        assert!(told.contains(",format=nv12,hwupload -c:v h264_vaapi"), "{told}");
        assert!(words(&trial_args(Codec::Qsv)).contains(",format=nv12 -c:v h264_qsv"));
        assert!(words(&trial_args(Codec::X264)).contains("colorspace=bt709 -c:v libx264"));
    }
}
