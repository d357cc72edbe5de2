//! The command lines that look through, measure and prepare an item.

use std::ffi::OsString;
use std::path::Path;

use super::burn_args::Burned;
use super::encoders::{Codec, Manner};
use super::extent;
use super::input::{file_url, hostile_input};
use super::rate::Rate;
use super::renditions::{self, Kept, Scaled};
use crate::units::MediaTime;

/// Samples of content that are given up for the AAC encoder's priming, which then takes their place: without it the
/// first packet would begin 21 ms before the picture, and every seam would grow by as much.
const PRIMING: u64 = 1024;

/// What is prepared, from which file, into which files. Numbers and enums only; no text of the file's making.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The original.
    pub input: &'a Path,
    /// Its demuxer, as ffprobe told.
    pub format: &'a str,
    /// Added to the times ffmpeg reads, so that the item begins at 0.
    pub shift: MediaTime,
    /// The picture's stream.
    pub video: u32,
    /// How the picture is made.
    pub picture: Picture,
    /// What is burned into it, where it is made anew.
    pub burned: Burned,
    /// The sound's stream; silence where there is none.
    pub audio: Option<Sound>,
    /// How many AAC packets to make.
    pub audio_packets: u64,
    /// Their bit rate.
    pub audio_kbps: u32,
    /// Whether somebody waits for its first GOPs: then progress is told more often, as it is of a copy.
    pub urgent: bool,
    /// The MPEG-TS file to write.
    pub ts: &'a Path,
    /// The playlist that becomes the GOP index.
    pub playlist: &'a Path,
}

impl Job<'_> {
    /// Whether nothing is made anew and nobody waits: then it is over in a moment, and its GOPs are told at the end.
    #[must_use]
    pub fn is_copy(&self) -> bool {
        let copies_sound = self.audio.is_some_and(|sound| sound.kept.is_some());
        self.picture == Picture::Copy && copies_sound && !self.urgent
    }
}

/// The sound's stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sound {
    /// ffmpeg's stream index.
    pub index: u32,
    /// How many channels it has.
    pub channels: u32,
    /// What is done to its loudness.
    pub loudness: Loudness,
    /// Where its packets are copied: how many come before the first that is to be heard. None where it is made anew.
    pub kept: Option<u64>,
}

/// What is done to the loudness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loudness {
    /// Nothing.
    AsIs,
    /// One gain in dB for the whole item, measured before.
    Gain(f64),
    /// Brought to so many LUFS while going along, for items that must air before they could be measured.
    Dynamic(f64),
}

/// How the picture is made.
#[derive(Clone, Debug, PartialEq)]
pub enum Picture {
    /// Copied.
    Copy,
    /// Made anew.
    Encode(Filters, Encoder),
    /// Made anew in several renditions, with the same frames and keyframes.
    Renditions(Filters, Vec<Scaled>),
    /// Copied, and made anew in smaller renditions with the original's own frames and keyframes.
    Kept(Kept),
}

impl Picture {
    /// Returns the encoder of the first picture; none where that is copied.
    #[must_use]
    pub fn encoder(&self) -> Option<&Encoder> {
        match self {
            Self::Copy | Self::Kept(_) => None,
            Self::Encode(_, encoder) => Some(encoder),
            Self::Renditions(_, scaled) => scaled.first().map(|first| &first.encoder),
        }
    }

    /// Lets another codec make it; one that is copied stays so, and beside an original x264 alone can be told to hold back
    /// frames exactly as it does.
    pub fn make_by(&mut self, codec: Codec) {
        match self {
            Self::Copy | Self::Kept(_) => {}
            Self::Encode(_, encoder) => encoder.manner.codec = codec,
            Self::Renditions(_, scaled) => scaled.iter_mut().for_each(|one| one.encoder.manner.codec = codec),
        }
    }
}

/// What is done to frames before they are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filters {
    /// Two fields become one frame.
    pub deinterlace: bool,
    /// The transfer of an HDR picture that is brought to SDR.
    pub tone_map: Option<Hdr>,
    /// The colour matrix of a picture that does not tell its own.
    pub matrix: Matrix,
    /// Size of the picture within the frame, even.
    pub fitted: (u32, u32),
    /// For how many frames the last may be held.
    pub hold_frames: u64,
}

/// Transfers of HDR pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hdr {
    /// SMPTE ST 2084.
    Pq,
    /// ARIB STD-B67.
    Hlg,
}

/// Colour matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrix {
    /// The frames tell.
    Told,
    /// Standard definition.
    Bt601,
    /// High definition.
    Bt709,
}

/// The encoder's settings: everything that makes the SPS and PPS what they are, so that items of one channel and rate
/// join without a discontinuity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoder {
    /// Size of the frame, even.
    pub size: (u32, u32),
    /// Frames a second.
    pub rate: Rate,
    /// How many frames to make.
    pub frames: u64,
    /// x264's constant rate factor.
    pub quality: u8,
    /// x264's preset.
    pub preset: &'static str,
    /// Ceiling of the bit rate.
    pub kbps_max: u32,
    /// What makes it, and how.
    pub manner: Manner,
}

impl Encoder {
    /// Returns how many frames a GOP has.
    #[must_use]
    pub fn gop_frames(&self) -> u64 {
        self.rate.frames_in(MediaTime::from_secs(i64::from(self.manner.gop_secs))).max(1)
    }

    /// Returns the last frame that may begin a GOP, so that the last GOP is no shorter than half a regular one.
    #[must_use]
    pub fn last_key(&self) -> u64 {
        let gop = self.gop_frames();
        self.frames.saturating_sub(gop.div_ceil(2)) / gop * gop
    }

    /// Returns the H.264 level times ten that size and rate need (ITU-T H.264 table A-1: macroblocks a second).
    #[must_use]
    pub fn level(&self) -> u32 {
        let macroblocks = u64::from(self.size.0.div_ceil(16)) * u64::from(self.size.1.div_ceil(16));
        let a_second = macroblocks * u64::from(self.rate.num.div_ceil(self.rate.den));
        match (macroblocks, a_second) {
            (..=1620, ..=40_500) => 30,
            (..=3600, ..=108_000) => 31,
            (..=8192, ..=245_760) => 40,
            (..=8704, ..=522_240) => 42,
            _ => 51,
        }
    }

    /// Returns what is said of the encoder of one picture.
    pub(super) fn args(&self) -> Vec<OsString> {
        let mut args = self.common_args();
        args.extend(self.own_args(""));
        args
    }

    /// Returns the filters that make frames of another size ours: bars around them, square pixels, 8 bits, BT.709.
    pub(super) fn framing(&self, fitted: (u32, u32)) -> String {
        let ((width, height), (inner_width, inner_height)) = (self.size, fitted);
        // Offsets are even, or the chroma would be shifted by half a pixel.
        let x = (width.saturating_sub(inner_width)) / 4 * 2;
        let y = (height.saturating_sub(inner_height)) / 4 * 2;
        format!("pad={width}:{height}:{x}:{y},setsar=1,format=yuv420p")
    }
}

/// Returns the ffmpeg command line that prepares an item.
#[must_use]
pub fn prepare_args(job: &Job<'_>) -> Vec<OsString> {
    let mut args = quiet();
    // A copy is over in a moment, and is looked at while it grows.
    let period = if job.urgent || job.picture == Picture::Copy { "0.1" } else { "0.5" };
    args.extend(["-progress", "pipe:1", "-stats_period", period].map(Into::into));
    args.extend(job.picture.encoder().map(|encoder| encoder.manner.codec.device()).unwrap_or_default());
    args.extend(["-itsoffset".into(), format!("{:.6}", job.shift.as_secs_f64()).into()]);
    args.extend(hostile_input(job.format, job.input));
    if job.audio.is_none() {
        args.extend(["-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo"].map(Into::into));
    }
    let logo = 1 + usize::from(job.audio.is_none());
    let burned = (&job.burned, logo);
    args.extend(if job.picture.encoder().is_some() { job.burned.inputs() } else { Vec::new() });
    let audio_map = job.audio.map_or_else(|| "1:a:0".to_owned(), |sound| format!("0:{}", sound.index));
    match &job.picture {
        Picture::Renditions(filters, scaled) => args.extend(renditions::from_film(job.video, filters, scaled, burned)),
        Picture::Kept(kept) => args.extend(renditions::beside_the_original(job.video, kept)),
        Picture::Encode(filters, encoder) if !job.burned.is_nothing() => {
            let one = [Scaled { fitted: filters.fitted, encoder: *encoder }];
            args.extend(renditions::from_film(job.video, filters, &one, burned));
        }
        Picture::Copy | Picture::Encode(..) => args.extend(["-map".into(), format!("0:{}", job.video).into()]),
    }
    args.extend(["-map".into(), audio_map.into()]);
    match &job.picture {
        Picture::Copy => args.extend(["-c:v", "copy", "-bsf:v", JOINABLE].map(Into::into)),
        Picture::Encode(_, encoder) if !job.burned.is_nothing() => args.extend(encoder.args()),
        Picture::Encode(filters, encoder) => {
            args.extend(["-vf".into(), picture_filters(filters, encoder).into()]);
            args.extend(encoder.args());
        }
        Picture::Renditions(_, scaled) => args.extend(renditions::encoders(scaled)),
        Picture::Kept(kept) => args.extend(renditions::encoders_beside_the_original(kept)),
    }
    if let Some(before) = job.audio.and_then(|sound| sound.kept) {
        args.extend(["-c:a", "copy", "-bsf:a"].map(Into::into));
        args.push(whole_packets(before, job.audio_packets).into());
    } else {
        args.extend(["-af".into(), sound_filters(job.audio, job.audio_packets).into()]);
        args.extend(sound_encoder(job.audio_kbps));
    }
    // A film with many faults is shown with its faults: the check of its length decides, not the count.
    args.extend(["-max_error_rate", "1"].map(Into::into));
    // Streams far apart in the file are still written side by side.
    args.extend(["-max_interleave_delta", "0", "-max_muxing_queue_size", "4096"].map(Into::into));
    if job.is_copy() {
        // ffmpeg writes the list of all GOPs anew after each: half of what a copy takes, and more the longer the film.
        args.extend(["-hls_playlist_type", "vod"].map(Into::into));
    }
    args.extend(output(job.ts, job.playlist));
    args
}

/// SPS and PPS before every keyframe of a copied picture: a viewer may begin at any of them.
pub(super) const JOINABLE: &str = "h264_mp4toannexb,dump_extra=freq=keyframe";

pub(super) fn quiet() -> Vec<OsString> {
    ["-hide_banner", "-nostdin", "-nostats", "-v", "warning", "-y"].map(Into::into).into()
}

/// `-hls_time` below a frame closes an entry at every keyframe; `single_file` makes each entry a byte range.
pub(super) fn output(ts: &Path, playlist: &Path) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1"].map(Into::into).into();
    args.extend(["-f", "hls", "-hls_time", "0.05", "-hls_list_size", "0"].map(Into::into));
    args.extend(["-hls_flags", "single_file", "-hls_segment_filename"].map(Into::into));
    args.extend([file_url(ts), file_url(playlist)]);
    args
}

/// The cheaper of its two ways takes less than half the time, and at our bit rates it is the better one, too (measured at
/// 160 kbit/s, 5.1 and 9.0: noise 0.4 dB, tones 2 dB and more nearer to the original; at 64 kbit/s, 1 and 3 dB).
pub(super) fn sound_encoder(kbps: u32) -> Vec<OsString> {
    let rate = format!("{kbps}k");
    ["-c:a", "aac", "-aac_coder", "fast", "-profile:a", "aac_low", "-ar", "48000", "-ac", "2", "-b:a", &rate]
        .map(Into::into)
        .into()
}

fn picture_filters(filters: &Filters, encoder: &Encoder) -> String {
    let mut chain = first_filters(filters, encoder.rate);
    chain.extend(scaling(filters));
    chain.push(encoder.framing(filters.fitted));
    chain.push(COLOURS.to_owned());
    chain.extend(exact_frames(filters, encoder));
    chain.join(",") + encoder.manner.codec.upload()
}

/// What the encoder is told of every frame's colours.
pub(super) const COLOURS: &str = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709";

/// Frames are dropped before the dear work. The first is repeated back to 0 where the picture begins late.
pub(super) fn first_filters(filters: &Filters, rate: Rate) -> Vec<String> {
    let deinterlace = filters.deinterlace.then(|| "bwdif=mode=send_frame:deint=all".to_owned());
    deinterlace.into_iter().chain([format!("fps={rate}:start_time=0")]).collect()
}

/// Returns the filters that bring a picture to its size within the frame, and to BT.709.
pub(super) fn scaling(filters: &Filters) -> Vec<String> {
    let (width, height) = filters.fitted;
    if let Some(hdr) = filters.tone_map {
        let transfer = if hdr == Hdr::Pq { "smpte2084" } else { "arib-std-b67" };
        return vec![
            format!("scale={width}:{height}:flags=bicubic"),
            // Mobius leaves what lies below paper white nearly as it was (measured: luma 168 → 144; hable: 81).
            // Brought to light, narrowed to BT.709's colours, highlights bent down, back to television's curve.
            format!("zscale=tin={transfer}:min=2020_ncl:pin=2020:rin=limited:t=linear:npl=100,format=gbrpf32le"),
            "zscale=p=709,tonemap=tonemap=mobius:desat=0:peak=10,zscale=t=709:m=709:r=limited".to_owned(),
        ];
    }
    let matrix = match filters.matrix {
        Matrix::Told => "auto",
        Matrix::Bt601 => "bt601",
        Matrix::Bt709 => "bt709",
    };
    let colour = format!("in_color_matrix={matrix}:out_color_matrix=bt709:out_range=tv");
    vec![format!("scale={width}:{height}:flags=bicubic:{colour}")]
}

/// Returns the filters that give a picture exactly the frames it is to have.
pub(super) fn exact_frames(filters: &Filters, encoder: &Encoder) -> [String; 2] {
    // Not `-frames:v`: that ends the sound of the same file, too, before its padding is written (5.1).
    [format!("tpad=stop={}:stop_mode=clone", filters.hold_frames), format!("trim=end_frame={}", encoder.frames)]
}

pub(super) fn sound_filters(sound: Option<Sound>, packets: u64) -> String {
    let mut chain = Vec::new();
    if let Some(sound) = sound {
        if sound.channels > 8 {
            // Beyond 7.1 there is no layout to mix down by: the first two are the stereo pair.
            chain.push("pan=stereo|c0=c0|c1=c1".to_owned());
        }
        chain.push("aresample=48000:async=1:first_pts=0".to_owned());
        chain.push(STEREO.to_owned());
        // The limiter catches what the gain lifts over -1 dBFS, and its delay is made good.
        let limiter = "alimiter=limit=0.891:level=0:latency=1";
        match sound.loudness {
            Loudness::AsIs => {}
            Loudness::Gain(db) => chain.push(format!("volume={db:.2}dB,{limiter}")),
            // loudnorm answers in 192 kHz: bring it back.
            Loudness::Dynamic(lufs) => {
                chain.push(format!("loudnorm=I={lufs:.1}:TP=-1.5:LRA=11,aresample=48000:first_pts=0,{STEREO}"));
            }
        }
    }
    let samples = packets * 1024;
    chain.push(format!("apad=whole_len={samples}"));
    chain.push(format!("atrim=start_sample={PRIMING}:end_sample={}", samples.max(PRIMING + 1)));
    chain.join(",")
}

/// Returns the bitstream filter that passes on so many packets of a copied sound, unchanged, each at its own time. Not
/// `-frames:a`, which ends the picture, too (5.1); and no `setts`, whose time base 5.1 and 9.0 understand differently.
fn whole_packets(before: u64, packets: u64) -> String {
    let end = before.saturating_add(packets);
    format!("noise=drop='lt(n,{before})+gte(n,{end})'")
}

const STEREO: &str = "aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=stereo";

/// Returns the ffmpeg command line that measures the loudness of an item's sound, as it will be heard: in stereo.
#[must_use]
pub fn measure_args(input: &Path, format: &str, sound: Sound) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["-hide_banner", "-nostdin", "-nostats", "-v", "info"].map(Into::into).into();
    args.extend(hostile_input(format, input));
    args.extend(["-map".into(), format!("0:{}", sound.index).into(), "-vn".into(), "-sn".into(), "-dn".into()]);
    let pan = if sound.channels > 8 { "pan=stereo|c0=c0|c1=c1," } else { "" };
    // Frame lines at the level "verbose" are not printed; ffmpeg 5.1 knows no "quiet" here.
    args.extend(["-af".into(), format!("{pan}aresample=48000,{STEREO},ebur128=framelog=verbose").into()]);
    args.extend(["-f", "null", "-"].map(Into::into));
    args
}

/// Returns the ffprobe command line that lists the packets of an original.
#[must_use]
pub fn scan_args(input: &Path, format: &str) -> Vec<OsString> {
    let mut args: Vec<OsString> =
        ["-v", "error", "-show_entries", extent::SHOW_ENTRIES, "-of", "csv"].map(Into::into).into();
    args.extend(hostile_input(format, input));
    args
}

#[cfg(test)]
pub(in crate::ffmpeg) mod tests {
    use super::*;

    pub(in crate::ffmpeg) const ENCODER: Encoder = Encoder {
        size: (1280, 720),
        rate: Rate::whole(25),
        frames: 130,
        quality: 21,
        preset: "veryfast",
        kbps_max: 4000,
        manner: Manner { codec: Codec::X264, kbps: None, tune: None, gop_secs: 2 },
    };

    #[test]
    fn the_last_gop_is_never_shorter_than_a_second() {
        let table = [(1, 0), (25, 0), (50, 0), (74, 0), (75, 50), (100, 50), (124, 50), (125, 100), (130, 100)];
        for (frames, last_key) in table {
            assert_eq!(Encoder { frames, ..ENCODER }.last_key(), last_key, "{frames} frames");
        }
    }

    #[test]
    fn the_level_follows_from_size_and_rate() {
        let table = [
            ((640, 360), 30, 30),
            ((1280, 720), 30, 31),
            ((1920, 1080), 30, 40),
            ((1920, 1080), 60, 42),
            ((3840, 2160), 30, 51),
        ];
        for (size, fps, level) in table {
            assert_eq!(Encoder { size, rate: Rate::whole(fps), ..ENCODER }.level(), level, "{size:?} {fps}");
        }
    }

    #[test]
    fn a_name_is_never_part_of_a_filter() {
        let job = Job {
            input: Path::new("/films/a,b'[x];%d.mp4"),
            format: "mov",
            shift: MediaTime::from_secs(-2),
            video: 0,
            picture: Picture::Copy,
            burned: Burned::default(),
            audio: Some(Sound { index: 1, channels: 6, loudness: Loudness::Gain(-3.5), kept: None }),
            audio_packets: 100,
            audio_kbps: 160,
            urgent: false,
            ts: Path::new("/data/a.ts"),
            playlist: Path::new("/data/a.m3u8"),
        };
        let line: Vec<_> = prepare_args(&job).iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let with_name: Vec<_> = line.iter().filter(|arg| arg.contains("a,b'")).collect();
        assert_eq!(with_name, ["file:/films/a,b'[x];%d.mp4"]);
        let position = |arg: &str| line.iter().position(|have| have == arg);
        assert!(position("-itsoffset") < position("-i") && position("-protocol_whitelist") < position("-i"));
        assert!(line.contains(&"-2.000000".to_owned()));
    }

    #[test]
    fn sound_is_cut_to_whole_packets_with_room_for_the_priming() {
        let chain = sound_filters(None, 100);
        assert_eq!(chain, "apad=whole_len=102400,atrim=start_sample=1024:end_sample=102400");
    }

    #[test]
    fn a_copied_sound_is_cut_to_whole_packets() {
        assert_eq!(whole_packets(1, 100), "noise=drop='lt(n,1)+gte(n,101)'");
    }
}
