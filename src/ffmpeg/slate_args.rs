//! The command line that draws the slate.

use std::ffi::OsString;
use std::path::Path;

use super::burn_args::{LOGO, smaller};
use super::prepare_args::{COLOURS, Encoder, output, quiet, sound_encoder, sound_filters};
use super::renditions::{self, Scaled};
use crate::config::Colour;

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
    /// The channel's colour.
    pub colour: Colour,
    /// Whether there is a logo: it lies in [`LOGO`] in ffmpeg's working directory.
    pub logo: bool,
    /// What is written on it; none where ffmpeg cannot write text.
    pub texts: Option<SlateText<'a>>,
    /// The MPEG-TS file to write.
    pub ts: &'a Path,
    /// The playlist that becomes the GOP index.
    pub playlist: &'a Path,
}

impl Slate<'_> {
    /// Returns the channel's colour as ffmpeg reads it.
    pub(super) fn colour(&self) -> String {
        let [red, green, blue] = self.colour.0;
        format!("0x{red:02x}{green:02x}{blue:02x}")
    }
}

/// The texts of a slate: they lie in `name.txt`, `reason.txt` and `station.txt` in ffmpeg's working directory.
#[derive(Clone, Copy, Debug)]
pub struct SlateText<'a> {
    /// How many characters the name has.
    pub name_len: usize,
    /// How many characters the reason has.
    pub reason_len: usize,
    /// How many characters the station's name has; none where it is not drawn.
    pub station_len: usize,
    /// The fonts' files, of names and of all else, paths of ours (no quote, colon or comma); ffmpeg's own choice where none is
    /// given.
    pub fonts: (Option<&'a Path>, Option<&'a Path>),
}

/// The night that everything stands on, and the ink it is written in.
pub(super) const NIGHT: &str = "0x07080b";
pub(super) const INK: &str = "0xf1eee7";
pub(super) const INK_DIM: &str = "0xa9adb8";

/// The colours of the test card, from the left.
pub(super) const BAND: [&str; 7] = ["0xc9c6bf", "0xe8d44d", "0x4cc9d8", "0x58c470", "0xd462c4", "0xe5484d", "0x6d8bff"];

/// Returns the ffmpeg command line that draws the slate: a dark room lit from below in the channel's colour; logo, name and
/// reason; the station's name, and a thin line of the test card's colours.
///
/// The picture stands still: one frame is drawn and repeated.
#[must_use]
pub fn slate_args(slate: &Slate<'_>) -> Vec<OsString> {
    let mut drawn = room(slate);
    if slate.logo {
        drawn.push_str(&logo(slate.encoder.size));
    }
    let mut chain = vec![drawn];
    chain.extend(slate.texts.iter().flat_map(|texts| words(texts, slate)));
    chain.push(TO_BT709.to_owned());
    chain.push(STILL.to_owned());
    chain.push(format!("trim=end_frame={}", slate.encoder.frames));
    chain.push(COLOURS.to_owned());
    made_of(slate, &chain.join(","), "anullsrc=r=48000:cl=stereo")
}

/// The first frame again and again.
pub(super) const STILL: &str = "trim=end_frame=1,loop=loop=-1:size=1:start=0,setpts=N/FRAME_RATE/TB";

/// From what is drawn to what is encoded.
pub(super) const TO_BT709: &str = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,setsar=1";

/// Returns the ffmpeg command line that makes a mezzanine of a source of pictures and one of sound.
pub(super) fn made_of(slate: &Slate<'_>, picture: &str, sound: &str) -> Vec<OsString> {
    let mut args = quiet();
    for source in [picture, sound] {
        args.extend(["-f", "lavfi", "-i", source].map(Into::into));
    }
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

/// Draws what is behind everything: light from below, and the line of colours.
fn room(slate: &Slate<'_>) -> String {
    let (width, height) = slate.encoder.size;
    let colour = slate.colour();
    let mut chain = vec![format!("color=c={NIGHT}:s={width}x{height}:r={},format=rgb24", slate.encoder.rate)];
    // A lamp below the edge of the screen, out of focus; the grain hides the steps between so few dark tones.
    let (left, lamp) = (width * 12 / 100, height * 7 / 100);
    let (across, top) = (width - 2 * left, height - lamp);
    chain.push(format!("drawbox=x={left}:y={top}:w={across}:h={lamp}:c={colour}@0.85:t=fill"));
    chain.push(format!("format=gbrp,gblur=sigma={}:steps=3,noise=all_seed=7:alls=3,format=rgb24", height / 7));
    let (top, band, step) = (height * 965 / 1000, (height / 120).max(2), width / 7);
    for (n, colour) in (0u32..).zip(BAND) {
        let length = if n == 6 { width - 6 * step } else { step };
        chain.push(format!("drawbox=x={}:y={top}:w={length}:h={band}:c={colour}:t=fill", n * step));
    }
    // Between name and reason.
    let (bar, thick) = ((width * 6 / 100).max(2), (height / 150).max(2));
    let (x, y) = ((width - bar) / 2, height * if slate.logo { 665 } else { 525 } / 1000);
    chain.push(format!("drawbox=x={x}:y={y}:w={bar}:h={thick}:c={colour}:t=fill"));
    chain.join(",")
}

/// Lays the logo above the name, as large as it may be.
fn logo((width, height): (u32, u32)) -> String {
    let (wide, high) = ((width * 40 / 100).max(2), (height * 26 / 100).max(2));
    let fits = format!("scale={wide}:{high}:force_original_aspect_ratio=decrease:flags=bicubic");
    let (scaled, middle) = (smaller(&fits), height * 30 / 100);
    format!(
        "[room];movie={LOGO},{scaled},format=rgba[logo];[room][logo]overlay=x=(W-w)/2:y={middle}-h/2:format=rgb,format=rgb24"
    )
}

fn words(texts: &SlateText<'_>, slate: &Slate<'_>) -> Vec<String> {
    let (width, height) = slate.encoder.size;
    let text = |file: &str, font: Option<&Path>, colour: &str, (size_max, len): (u32, usize), place: String| {
        written(file, font, colour, font_size(size_max, len, width), &place)
    };
    let centred = |y: u32| format!("x=(w-text_w)/2:y={y}-text_h/2");
    let (name_y, reason_y) = if slate.logo { (570, 750) } else { (420, 620) };
    let (of_names, plain) = texts.fonts;
    let mut all = vec![
        text("name.txt", of_names, INK, (height / 9, texts.name_len), centred(height * name_y / 1000)),
        text("reason.txt", plain, INK_DIM, (height / 24, texts.reason_len), centred(height * reason_y / 1000)),
    ];
    if texts.station_len > 0 {
        let place = format!("x={}:y={}-text_h/2", width * 5 / 100, height * 9 / 100);
        all.push(text("station.txt", of_names, INK_DIM, (height / 30, texts.station_len), place));
    }
    all
}

/// Returns how high letters are that may be so high, where so many of them stand in a line of so wide a picture.
pub(super) fn font_size(size_max: u32, len: usize, width: u32) -> u32 {
    // A letter is about six tenths as wide as it is high: the line takes nine tenths of the width at most.
    let len = u32::try_from(len).unwrap_or(u32::MAX).max(1);
    size_max.min(width * 3 / 2 / len).max(8)
}

/// Returns the filter that writes a file's text.
pub(super) fn written(file: &str, font: Option<&Path>, colour: &str, size: u32, place: &str) -> String {
    let font = font.map_or_else(String::new, |font| format!("fontfile={}:", font.to_string_lossy()));
    format!("drawtext={font}textfile={file}:expansion=none:fontcolor={colour}:fontsize={size}:{place}")
}

#[cfg(test)]
pub(in crate::ffmpeg) mod tests {
    use super::*;
    use crate::ffmpeg::prepare_args::tests::ENCODER;
    use crate::ffmpeg::rate::Rate;

    /// Something to draw.
    pub(in crate::ffmpeg) fn slate(rate: Rate, frames: u64, logo: bool, texts: Option<SlateText<'_>>) -> Slate<'_> {
        Slate {
            encoder: Encoder { rate, frames, ..ENCODER },
            renditions: &[],
            audio_packets: 9,
            audio_kbps: 96,
            colour: Colour([0x4c, 0xc9, 0xd8]),
            logo,
            texts,
            ts: Path::new("/c/a.ts"),
            playlist: Path::new("/c/a.m3u8"),
        }
    }

    #[test]
    fn a_card_has_the_colour_the_logo_and_the_names_of_its_station() {
        let texts = SlateText { name_len: 4, reason_len: 30, station_len: 9, fonts: (None, None) };
        let card = |logo, texts| {
            let slate = slate(Rate::whole(25), 100, logo, texts);
            let args = slate_args(&slate);
            let place = args.iter().position(|arg| arg == "-i").unwrap();
            args[place + 1].to_string_lossy().into_owned()
        };
        let all = card(true, Some(texts));
        for part in
            ["c=0x4cc9d8@", "movie=logo.png,", "textfile=name.txt", "textfile=station.txt", "textfile=reason.txt"]
        {
            assert_eq!(all.matches(part).count(), 1, "{part} in {all}");
        }
        let least = card(false, None);
        assert!(!least.contains("movie=") && !least.contains("drawtext"), "{least}");
        let unnamed = card(false, Some(SlateText { station_len: 0, ..texts }));
        assert!(!unnamed.contains("station.txt") && unnamed.contains("name.txt"), "{unnamed}");
    }
}
