//! The command line that draws the slate.

use std::ffi::OsString;
use std::path::Path;

use super::prepare_args::{COLOURS, Encoder, output, quiet, sound_encoder, sound_filters};
use super::renditions::{self, Scaled};

/// The card that is shown when nothing else can be.
#[derive(Clone, Copy, Debug)]
pub struct Slate<'a> {
    /// The same settings as the channel's transcodes have.
    pub encoder: Encoder,
    /// The same in each of its renditions, the first drawn; none where there is one picture.
    pub renditions: &'a [Scaled],
    /// Packets of silence.
    pub audio_packets: u64,
    /// Their bit rate.
    pub audio_kbps: u32,
    /// What is written on it; none where ffmpeg cannot write text.
    pub texts: Option<SlateText<'a>>,
    /// The MPEG-TS file to write.
    pub ts: &'a Path,
    /// The playlist that becomes the GOP index.
    pub playlist: &'a Path,
}

/// The texts of a slate: they lie in `name.txt` and `reason.txt` in ffmpeg's working directory.
#[derive(Clone, Copy, Debug)]
pub struct SlateText<'a> {
    /// How many characters the name has.
    pub name_len: usize,
    /// How many characters the reason has.
    pub reason_len: usize,
    /// The font's file, a path of ours (no quote, colon or comma); ffmpeg's own choice where none is given.
    pub font: Option<&'a Path>,
}

/// Returns the ffmpeg command line that draws the slate: night blue, a low band of soft colours, name and reason.
///
/// The picture stands still: one frame is drawn and repeated.
#[must_use]
pub fn slate_args(slate: &Slate<'_>) -> Vec<OsString> {
    const BAND: [&str; 7] = ["0x6b7280", "0x8a7a3f", "0x3f7f86", "0x3f7a4f", "0x7a4676", "0x7d3b40", "0x36457f"];
    let (width, height) = slate.encoder.size;
    let mut chain = vec![format!("color=c=0x0d1220:s={width}x{height}:r={}", slate.encoder.rate)];
    let (top, band, step) = (height * 84 / 100, height * 5 / 100, width / 7);
    for (n, colour) in (0u32..).zip(BAND) {
        let length = if n == 6 { width - 6 * step } else { step };
        chain.push(format!("drawbox=x={}:y={top}:w={length}:h={band}:c={colour}:t=fill", n * step));
    }
    if let Some(texts) = slate.texts {
        let text = |file: &str, colour: &str, size_max: u32, len: usize, y: u32| {
            // A letter is about six tenths as wide as it is high: the line takes nine tenths of the width at most.
            let len = u32::try_from(len).unwrap_or(u32::MAX).max(1);
            let size = size_max.min(width * 3 / 2 / len).max(8);
            let font = texts.font.map_or_else(String::new, |font| format!("fontfile={}:", font.to_string_lossy()));
            let place = format!("fontsize={size}:x=(w-text_w)/2:y={y}-text_h/2");
            format!("drawtext={font}textfile={file}:expansion=none:fontcolor={colour}:{place}")
        };
        chain.push(text("name.txt", "0xe8eaf0", height / 8, texts.name_len, height * 40 / 100));
        chain.push(text("reason.txt", "0x9aa3b5", height / 22, texts.reason_len, height * 58 / 100));
    }
    chain.push("trim=end_frame=1".to_owned());
    chain.push(format!("loop=loop=-1:size=1:start=0,setpts=N/FRAME_RATE/TB,trim=end_frame={}", slate.encoder.frames));
    chain.push(slate.encoder.framing((width, height)));
    chain.push(COLOURS.to_owned());
    let mut args = quiet();
    args.extend(["-f".into(), "lavfi".into(), "-i".into(), chain.join(",").into()]);
    args.extend(["-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo"].map(Into::into));
    if slate.renditions.is_empty() {
        args.extend(["-map", "0:v", "-map", "1:a"].map(Into::into));
        args.extend(slate.encoder.args());
    } else {
        args.extend(renditions::from_card(slate.renditions));
        args.extend(["-map", "1:a"].map(Into::into));
        args.extend(renditions::encoders(slate.renditions));
    }
    args.extend(["-af".into(), sound_filters(None, slate.audio_packets).into()]);
    args.extend(sound_encoder(slate.audio_kbps));
    args.extend(output(slate.ts, slate.playlist));
    args
}
