//! The command line that draws an ident: a few seconds in which a channel says who it is.

use std::ffi::OsString;
use std::fmt::Write as _;

use super::burn_args::{LOGO, smaller};
use super::prepare_args::COLOURS;
use super::rate::Rate;
use super::slate_args::{BAND, INK, INK_DIM, NIGHT, STILL, Slate, SlateText, TO_BT709, font_size, made_of, written};

/// What comes when, in seconds: from when, and for how long. The light comes up; then logo, name, the colours of the test
/// card, which gather below it, and last the station's name.
const LIGHT: (f64, f64) = (0.0, 1.6);
const MARK: (f64, f64) = (0.5, 1.0);
const NAME: (f64, f64) = (0.7, 1.0);
const COLOURS_OF_THE_CARD: (f64, f64) = (0.9, 0.7);
const STATION: (f64, f64) = (1.5, 1.0);

/// How long before its end it begins to go dark and quiet, and how long its picture takes for that.
const LEAVING: f64 = 0.7;
const DARKENING: f64 = 0.6;

/// The bells: hertz, when they are struck, and how hard. A fifth and a ninth above one another, which neither ask nor answer.
const BELLS: [(f64, f64, f64); 3] = [(293.66, 0.7, 0.5), (440.0, 1.1, 0.34), (659.26, 1.5, 0.2)];

/// The hum below them, an octave lower: hertz, how loud, and for how many seconds it swells and goes.
const HUM: (f64, f64, f64) = (146.83, 0.16, 4.6);

/// By how much the right side is higher than the left: so little is width, and no other note.
const WIDER: f64 = 1.0015;

/// How loud bells and hum are together, in LUFS (measured), and how much less loud than films they are to be.
const LOUDNESS: f64 = -13.7;
const QUIETER: f64 = 9.0;

/// Returns the ffmpeg command line that draws an ident for films of so many LUFS: a dark room in which a lamp of the channel's
/// colour goes on; logo and name, the test card's colours, the station's name; three quiet bells.
///
/// Only what moves is drawn for each frame: the room is drawn once.
#[must_use]
pub fn ident_args(slate: &Slate<'_>, lufs: f64) -> Vec<OsString> {
    let encoder = &slate.encoder;
    let end = encoder.rate.length_of(encoder.frames).as_secs_f64() - LEAVING;
    let mut graph = room(slate);
    if slate.logo {
        graph.push_str(&logo(encoder.size, encoder.rate));
    }
    for text in slate.texts.iter().flat_map(|texts| names(texts, slate)) {
        let _infallible = write!(graph, ",{text}");
    }
    graph.push_str(&gathering(slate));
    let _infallible =
        write!(graph, ",fade=t=out:st={end:.3}:d={DARKENING},{TO_BT709},trim=end_frame={},{COLOURS}", encoder.frames);
    made_of(slate, &graph, &sound(lufs, end))
}

/// Draws the room, and lets its lamp go on. It stands below the edge of the screen, out of focus; the grain, which is laid over
/// the light as it comes up, hides the steps between so few dark tones.
fn room(slate: &Slate<'_>) -> String {
    let ((width, height), rate) = (slate.encoder.size, slate.encoder.rate);
    let (left, lamp) = (width * 27 / 100, (height * 8 / 100).max(1));
    let (across, top, colour) = (width - 2 * left, height - lamp, slate.colour());
    let (wide, high, (from, secs)) = (width / 8, height / 6, LIGHT);
    format!(
        "color=c={NIGHT}:s={width}x{height}:r={rate},format=rgb24,\
         drawbox=x={left}:y={top}:w={across}:h={lamp}:c={colour}@0.95:t=fill,\
         format=gbrp,gblur=sigma={wide}:sigmaV={high}:steps=3,{STILL},\
         fade=t=in:st={from}:d={secs}:color={NIGHT},noise=all_seed=7:alls=5,format=rgb24"
    )
}

/// Lays the logo above the name, as large as it may be.
fn logo((width, height): (u32, u32), rate: Rate) -> String {
    let (wide, high) = ((width * 40 / 100).max(2), (height * 26 / 100).max(2));
    let scaled = smaller(&format!("scale={wide}:{high}:force_original_aspect_ratio=decrease:flags=bicubic"));
    let (middle, (from, secs)) = (height * 33 / 100, MARK);
    // A picture by itself has the times of 25 frames a second.
    let timed = format!("loop=loop=-1:size=1:start=0,setpts=N*{}/{}/TB", rate.den, rate.num);
    format!(
        "[room];movie={LOGO},{scaled},format=rgba,{timed},fade=t=in:st={from}:d={secs}:alpha=1[logo];\
         [room][logo]overlay=x=(W-w)/2:y={middle}-h/2:format=rgb,format=rgb24"
    )
}

/// Returns what writes the channel's name, and below it the station's where it is another.
fn names(texts: &SlateText<'_>, slate: &Slate<'_>) -> Vec<String> {
    let (width, height) = slate.encoder.size;
    let (name_y, station_y, size_max) = if slate.logo { (605, 785, height / 9) } else { (450, 660, height / 7) };
    let place = |y: u32, (from, secs): (f64, f64)| {
        let y = height * y / 1000;
        format!("x=(w-text_w)/2:y={y}-text_h/2:alpha='clip((t-{from})/{secs},0,1)'")
    };
    let (of_names, plain) = texts.fonts;
    let size = font_size(size_max, texts.name_len, width);
    let name = written("name.txt", of_names, INK, size, &place(name_y, NAME));
    let size = font_size(height / 24, texts.station_len, width);
    let station = written("station.txt", plain, INK_DIM, size, &place(station_y, STATION));
    if texts.station_len > 0 { vec![name, station] } else { vec![name] }
}

/// Lays the colours of the test card below the name: seven pieces that come from the sides, and become one line.
fn gathering(slate: &Slate<'_>) -> String {
    let ((width, height), rate) = (slate.encoder.size, slate.encoder.rate);
    let (piece, thick) = ((width * 28 / 1000).max(2), (height / 110).max(2));
    let (left, apart) = ((width - 7 * piece) / 2, width * 55 / 1000);
    let (y, (from, secs)) = (height * if slate.logo { 700 } else { 565 } / 1000, COLOURS_OF_THE_CARD);
    let mut graph = String::new();
    for (n, colour) in (0u32..).zip(BAND) {
        let (x, off) = (left + n * piece, i64::from(apart) * (i64::from(n) - 3));
        let _infallible = write!(
            graph,
            "[at{n}];color=c={colour}:s={piece}x{thick}:r={rate},format=rgba,fade=t=in:st={from}:d={secs}:alpha=1[of{n}];\
             [at{n}][of{n}]overlay=x='{x}+round({off}*exp(-2.6*max(t-{from},0)))':y={y}:format=rgb"
        );
    }
    graph + ",format=rgb24"
}

/// Returns the source of the sound: each side the bells and the hum, brought to its loudness, gone when the picture is.
fn sound(lufs: f64, end: f64) -> String {
    let side = |higher: f64| {
        let (hertz, loud, secs) = HUM;
        let hum = format!("{loud}*pow(sin(PI*min(t/{secs},1)),2)*sin(2*PI*{:.3}*t)", hertz * higher);
        let bell = |(hertz, from, loud): (f64, f64, f64)| {
            let (hertz, t) = (hertz * higher, format!("(t-{from})"));
            format!(
                "{loud}*gte(t,{from})*(1-exp(-40*{t}))*exp(-1.6*{t})\
                 *(sin(2*PI*{hertz:.3}*{t})+0.22*exp(-2*{t})*sin(2*PI*{:.3}*{t}))",
                2.0 * hertz
            )
        };
        BELLS.map(bell).into_iter().fold(hum, |all, bell| all + "+" + &bell)
    };
    let gain = lufs - QUIETER - LOUDNESS;
    format!(
        "aevalsrc=exprs='{}|{}':s=48000:c=stereo,volume={gain:.2}dB,afade=t=out:st={end:.3}:d={LEAVING}",
        side(1.0),
        side(WIDER)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffmpeg::slate_args::tests::slate;

    fn sources(logo: bool, texts: Option<SlateText<'_>>) -> [String; 2] {
        let args = ident_args(&slate(Rate { num: 30_000, den: 1001 }, 160, logo, texts), -23.0);
        let mut inputs =
            args.windows(2).filter(|pair| pair[0] == "-i").map(|pair| pair[1].to_string_lossy().into_owned());
        [inputs.next().unwrap(), inputs.next().unwrap()]
    }

    const TEXTS: SlateText<'_> = SlateText { name_len: 4, reason_len: 0, station_len: 9, fonts: (None, None) };

    #[test]
    fn an_ident_has_the_colour_the_logo_and_the_names_and_gives_no_reason() {
        let [all, _] = sources(true, Some(TEXTS));
        for part in ["c=0x4cc9d8@", "movie=logo.png,", "textfile=name.txt", "textfile=station.txt"] {
            assert_eq!(all.matches(part).count(), 1, "{part} in {all}");
        }
        assert!(!all.contains("reason.txt"), "{all}");
        let [alone, _] = sources(false, Some(SlateText { station_len: 0, ..TEXTS }));
        assert!(!alone.contains("movie=") && !alone.contains("station.txt"), "{alone}");
    }

    #[test]
    fn picture_and_sound_are_gone_before_the_end() {
        let [picture, sound] = sources(false, None);
        assert!(picture.contains("fade=t=out:st=4.639:d=0.6,"), "{picture}");
        assert!(sound.ends_with("afade=t=out:st=4.639:d=0.7") && sound.contains("volume=-18.30dB"), "{sound}");
    }
}
