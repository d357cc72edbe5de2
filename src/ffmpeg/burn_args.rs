//! What is burned into pictures: lines of text by libass; lines that are pictures, and a logo, by laying them over. Pure.
//!
//! Numbers only: no text of a film's, a subtitle's or a logo's making stands here. Files lie under names of ours in
//! ffmpeg's working directory.

use std::ffi::OsString;
use std::fmt::Write as _;

use super::prepare_args::Encoder;
use super::rate::Rate;
use crate::config::Corner;
use crate::units::MediaTime;

/// The file of the lines, an ASS script; libass reads it, and no demuxer.
pub const SCRIPT: &str = "lines.ass";

/// The folder of the fonts that came with them.
pub const FONTS: &str = "fonts";

/// The file of the logo, a PNG of our own making.
pub const LOGO: &str = "logo.png";

/// How far a logo stands from the picture's edges, in hundredths of its width and height: televisions cut off less (EBU R 95).
const MARGIN: u32 = 5;

/// How wide a logo is at the most, in hundredths of the picture's width.
const LOGO_WIDTH_MAX: u32 = 30;

/// What is burned into the pictures of one item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Burned {
    /// What is said.
    pub lines: Option<Lines>,
    /// The channel's logo.
    pub logo: Option<Logo>,
}

/// Where the lines come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// From [`SCRIPT`].
    Script {
        /// What must be added to its times so that they are the item's.
        shift: MediaTime,
        /// Whether its places are places in the film's own picture, and not in the frame with its bars.
        placed: bool,
        /// Whether there are [`FONTS`].
        fonts: bool,
    },
    /// From a stream of pictures in the film.
    Pictures {
        /// ffmpeg's index of it.
        stream: u32,
        /// The shape of the screen that they were made for, where it is another than the film's picture: width and height.
        shape: Option<(u64, u64)>,
    },
}

/// A logo at a corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logo {
    /// Which.
    pub corner: Corner,
    /// How high it is at the most, in hundredths of the picture's height.
    pub size: u32,
    /// How much of what lies behind it is hidden, in hundredths.
    pub opacity: u32,
}

/// A place within the frame: width and height, and what is left of it and above it.
type Place = ((u32, u32), (u32, u32));

impl Burned {
    /// Whether there is nothing to burn in.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the input that the logo is read from.
    pub(super) fn inputs(&self) -> Vec<OsString> {
        let Some(Logo { .. }) = self.logo else { return Vec::new() };
        let only = ["-protocol_whitelist", "file", "-format_whitelist", "png_pipe", "-codec_whitelist", "png"];
        let read = ["-f", "png_pipe", "-i"].into_iter().map(OsString::from).chain([format!("file:{LOGO}").into()]);
        only.into_iter().map(OsString::from).chain(read).collect()
    }

    /// Returns what comes before the renditions: what is laid over them, once for each of so many. `logo` is the number of
    /// the logo's input.
    pub(super) fn sources(&self, count: usize, logo: usize) -> String {
        let mut graph = String::new();
        let mut source = |input: String, name: char| {
            let _infallible = write!(graph, ";[{input}]split={count}");
            (0..count).for_each(|n| {
                let _infallible = write!(graph, "[{name}{n}]");
            });
        };
        if let Some(Lines::Pictures { stream, .. }) = self.lines {
            source(format!("0:{stream}"), 't');
        }
        if self.logo.is_some() {
            source(format!("{logo}:v"), 'l');
        }
        graph
    }

    /// Returns the filters between a rendition's scaling and its bars, each after a comma.
    pub(super) fn on_picture(&self, rate: Rate) -> String {
        match self.lines {
            Some(Lines::Script { shift, placed: true, fonts }) => {
                format!(",format=yuv420p{}", script(shift, fonts, rate))
            }
            _ => String::new(),
        }
    }

    /// Returns the filters behind a rendition's bars, each after a comma; it is the `n`th.
    pub(super) fn on_frame(&self, n: usize, encoder: &Encoder, fitted: (u32, u32)) -> String {
        let (rate, frame) = (encoder.rate, encoder.size);
        let mut graph = match self.lines {
            Some(Lines::Script { shift, placed: false, fonts }) => script(shift, fonts, rate),
            Some(Lines::Pictures { shape, .. }) => {
                let ((width, height), (x, y)) = screen(shape, fitted, frame);
                let scaled = format!("scale={width}:{height}:flags=bicubic:{BT709}");
                let over = format!("overlay=x={x}:y={y}:eof_action=pass:format=yuv420");
                format!("[b{n}];[t{n}]{scaled}[c{n}];[b{n}][c{n}]{over}")
            }
            _ => String::new(),
        };
        if let Some(logo) = self.logo {
            let opacity = f64::from(logo.opacity) / 100.0;
            let (width, height) = (frame.0 * LOGO_WIDTH_MAX / 100, frame.1 * logo.size / 100);
            let fits = "force_original_aspect_ratio=decrease:flags=bicubic";
            let scaled = smaller(&format!("scale={}:{}:{fits}", width.max(2), height.max(2)));
            let seen = format!("colorchannelmixer=aa={opacity:.2},scale={BT709}");
            let (x, y) = at_corner(logo.corner, frame);
            let over = format!("overlay=x={x}:y={y}:eof_action=repeat:format=yuv420");
            let _infallible = write!(graph, "[d{n}];[l{n}]{scaled},{seen}[e{n}];[d{n}][e{n}]{over}");
        }
        if graph.contains("overlay") {
            // Laying over counts in microseconds; the frames keep their own time.
            let _infallible = write!(graph, ",settb={}/{}", rate.den, rate.num);
        }
        graph
    }
}

/// Returns the filters that scale a picture which can be seen through: what cannot be seen of it lends its edges no colour.
pub(super) fn smaller(scale: &str) -> String {
    format!("format=gbrap,premultiply=inplace=1,{scale},format=gbrap,unpremultiply=inplace=1")
}

/// What is laid over has the colours of what it is laid on.
const BT709: &str = "out_color_matrix=bt709:out_range=tv,format=yuva420p";

/// The lines of [`SCRIPT`]. Their times may count from elsewhere: the frames are told theirs for as long as libass looks, in
/// whole frames.
fn script(shift: MediaTime, fonts: bool, rate: Rate) -> String {
    let fonts = if fonts { format!(":fontsdir={FONTS}") } else { String::new() };
    let lines = format!("ass={SCRIPT}{fonts}");
    match frames(shift, rate) {
        0 => format!(",{lines}"),
        by => format!(",setpts=PTS-({by}),{lines},setpts=PTS+({by})"),
    }
}

/// Returns how many frames are nearest to a time, which may be negative.
fn frames(time: MediaTime, rate: Rate) -> i64 {
    let (of, by) = (i128::from(time.0) * i128::from(rate.num), i128::from(rate.den.max(1)) * 90_000);
    i64::try_from((2 * of + by).div_euclid(2 * by)).unwrap_or(0)
}

/// Returns where the screen lies that lines were made for: over the picture; or, where it has another shape, around it as far
/// as the frame goes, since discs put lines into the bars that films lost.
fn screen(shape: Option<(u64, u64)>, fitted: (u32, u32), frame: (u32, u32)) -> Place {
    let size = match shape {
        Some(shape) if shape.0 > 0 && shape.1 > 0 => {
            let around = sized(shape, fitted, true);
            if around.0 <= frame.0 && around.1 <= frame.1 { around } else { sized(shape, frame, false) }
        }
        _ => fitted,
    };
    // Offsets are even, as the picture's own.
    (size, (frame.0.saturating_sub(size.0) / 4 * 2, frame.1.saturating_sub(size.1) / 4 * 2))
}

/// Returns the smallest even size of a shape around another, or the largest within it.
fn sized(shape: (u64, u64), (width, height): (u32, u32), around: bool) -> (u32, u32) {
    let even = |of: u64, by: u64| u32::try_from((of + by) / (2 * by) * 2).unwrap_or(u32::MAX).max(2);
    let wider = shape.0 * u64::from(height) >= shape.1 * u64::from(width);
    if wider == around {
        (even(u64::from(height) * shape.0, shape.1), height)
    } else {
        (width, even(u64::from(width) * shape.1, shape.0))
    }
}

/// Returns the place of a logo of whatever size.
fn at_corner(corner: Corner, frame: (u32, u32)) -> (String, String) {
    let margin = |side: u32| side * MARGIN / 200 * 2;
    let (x, y) = (margin(frame.0), margin(frame.1));
    let (left, right) = (x.to_string(), format!("W-w-{x}"));
    let (top, bottom) = (y.to_string(), format!("H-h-{y}"));
    match corner {
        Corner::TopLeft => (left, top),
        Corner::TopRight => (right, top),
        Corner::BottomLeft => (left, bottom),
        Corner::BottomRight => (right, bottom),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ffmpeg::prepare_args;

    const ENCODER: Encoder = Encoder { rate: Rate { num: 30_000, den: 1001 }, ..prepare_args::tests::ENCODER };

    #[test]
    fn lines_lie_where_the_screen_lay_that_they_were_made_for() {
        const FRAME: (u32, u32) = (1280, 720);
        for (sentence, shape, fitted, expected) in [
            ("the film's own screen", None, (960, 720), ((960, 720), (160, 0))),
            ("a film that lost its bars", Some((1920, 1080)), (1280, 534), ((1280, 720), (0, 0))),
            ("a narrow film on a wide disc", Some((1920, 1080)), (960, 720), ((1280, 720), (0, 0))),
            ("a disc of the old shape under a wide film", Some((4, 3)), (1280, 720), ((960, 720), (160, 0))),
            ("a small picture", Some((16, 9)), (320, 136), ((320, 180), (480, 270))),
            ("a shape that is none", Some((0, 9)), (320, 180), ((320, 180), (480, 270))),
        ] {
            assert_eq!(screen(shape, fitted, FRAME), expected, "{sentence}");
        }
    }

    #[test]
    fn a_logo_stands_at_its_corner_in_every_rendition_in_proportion() {
        let logo = Some(Logo { corner: Corner::BottomRight, size: 10, opacity: 50 });
        let burned = Burned { lines: None, logo };
        assert_eq!(burned.sources(2, 1), ";[1:v]split=2[l0][l1]");
        for (size, scaled, place) in [
            ((1280, 720), "scale=384:72:", "overlay=x=W-w-64:y=H-h-36:"),
            ((640, 360), "scale=192:36:", "overlay=x=W-w-32:y=H-h-18:"),
        ] {
            let graph = burned.on_frame(1, &Encoder { size, ..ENCODER }, size);
            assert!(graph.contains(scaled) && graph.contains(place) && graph.contains("aa=0.50"), "{graph}");
            assert!(graph.starts_with("[d1];[l1]format=gbrap") && graph.ends_with(",settb=1001/30000"), "{graph}");
        }
    }

    #[test]
    fn lines_of_text_are_moved_by_whole_frames_and_back() {
        let with = |millis, placed, fonts| Burned {
            lines: Some(Lines::Script { shift: MediaTime::from_millis(millis), placed, fonts }),
            logo: None,
        };
        let plain = with(0, false, false);
        assert_eq!(plain.on_frame(0, &ENCODER, (1280, 720)), ",ass=lines.ass");
        assert_eq!(plain.on_picture(ENCODER.rate), "");
        assert_eq!(
            with(-1001, false, true).on_frame(0, &ENCODER, (1280, 720)),
            ",setpts=PTS-(-30),ass=lines.ass:fontsdir=fonts,setpts=PTS+(-30)"
        );
        assert_eq!(with(16, true, false).on_picture(ENCODER.rate), ",format=yuv420p,ass=lines.ass");
        assert_eq!(with(0, true, false).on_frame(0, &ENCODER, (1280, 720)), "");
    }

    proptest! {
        #[test]
        fn a_screen_is_even_and_within_the_frame(
            shape in (1_u64..5000, 1_u64..5000), (width, height) in (1_u32..640, 1_u32..360),
        ) {
            let frame = (1280, 720);
            let ((wide, high), (x, y)) = screen(Some(shape), (width * 2, height * 2), frame);
            prop_assert!(wide % 2 == 0 && high % 2 == 0 && x % 2 == 0 && y % 2 == 0);
            prop_assert!(x + wide <= frame.0 && y + high <= frame.1, "{wide}x{high} at {x},{y}");
        }
    }
}
