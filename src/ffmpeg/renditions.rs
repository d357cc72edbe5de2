//! Several pictures of one film in one pass: the same frames, split, each scaled and encoded for itself.

use std::ffi::OsString;
use std::fmt::Write as _;

use super::burn_args::Burned;
use super::prepare_args::{COLOURS, Encoder, Filters, JOINABLE, Matrix, exact_frames, first_filters, scaling};

/// One rendition of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scaled {
    /// Size of the picture within the frame, even.
    pub fitted: (u32, u32),
    /// What encodes it; frames and rate are the same for all renditions.
    pub encoder: Encoder,
}

/// The renditions below an original that is itself the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The colour matrix of a picture that does not tell its own.
    pub matrix: Matrix,
    /// By how many frames showing comes after decoding in the original: at most [`REORDER_MAX`].
    pub reorder: u32,
    /// The renditions that are made, at least one.
    pub scaled: Vec<Scaled>,
}

/// x264 holds no more frames back than this: B-frames, and B-frames that others need.
pub const REORDER_MAX: u32 = 2;

/// Returns filters and maps for the renditions of a film's stream, and what is burned into them; with the number of the
/// logo's input.
#[must_use]
pub(super) fn from_film(stream: u32, filters: &Filters, scaled: &[Scaled], burned: (&Burned, usize)) -> Vec<OsString> {
    let Some(first) = scaled.first() else { return Vec::new() };
    let mut chain = first_filters(filters, first.encoder.rate);
    let mut each = *filters;
    // Tone mapping is dear: it is done once, in the largest size. All else is scaled from the original each time.
    if filters.tone_map.is_some() {
        chain.extend(scaling(filters));
        chain.extend(["format=yuv420p".to_owned(), COLOURS.to_owned()]);
        (each.tone_map, each.matrix) = (None, Matrix::Told);
    }
    chain.extend(exact_frames(filters, &first.encoder));
    let branch = |one: &Scaled| scaling(&Filters { fitted: one.fitted, ..each }).join(",");
    split(&format!("0:{stream}"), &chain, scaled, branch, burned)
}

/// Returns filters and maps for the renditions of a card that was drawn in the size of the first.
#[must_use]
pub(super) fn from_card(scaled: &[Scaled]) -> Vec<OsString> {
    split(
        "0:v",
        &[],
        scaled,
        |one| format!("scale={}:{}:flags=bicubic", one.fitted.0, one.fitted.1),
        (&Burned::default(), 0),
    )
}

/// Returns the encoders of all renditions, in their order.
#[must_use]
pub(super) fn encoders(scaled: &[Scaled]) -> Vec<OsString> {
    let common = scaled.first().map(|first| first.encoder.common_args()).unwrap_or_default();
    let own = scaled.iter().enumerate().flat_map(|(n, one)| one.encoder.own_args(&format!(":{n}")));
    common.into_iter().chain(own).collect()
}

/// Returns filters and maps for an original's own packets, followed by smaller renditions of its frames.
#[must_use]
pub(super) fn beside_the_original(stream: u32, kept: &Kept) -> Vec<OsString> {
    let Kept { matrix, scaled, .. } = kept;
    let branch = |one: &Scaled| {
        let filters =
            Filters { deinterlace: false, tone_map: None, matrix: *matrix, fitted: one.fitted, hold_frames: 0 };
        scaling(&filters).join(",")
    };
    let mut args = split(&format!("0:{stream}"), &[], scaled, branch, (&Burned::default(), 0));
    // After the graph, before its pictures: the first stream's keyframes are where the file is cut.
    args.splice(2..2, ["-map".into(), format!("0:{stream}").into()]);
    args
}

/// Returns the encoders of renditions that meet an original: at its frames' own times, with its keyframes, each decoded as
/// long before it is shown as the original's. So the GOPs of all lie side by side in the file.
#[must_use]
pub(super) fn encoders_beside_the_original(kept: &Kept) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["-c:v:0", "copy", "-bsf:v:0", JOINABLE].map(Into::into).into();
    for (n, one) in (1..).zip(&kept.scaled) {
        let own = [
            ("-force_key_frames", "source"),
            // GOPs of an original are shorter.
            ("-g", "9999"),
            ("-bf", if kept.reorder == 0 { "0" } else { "2" }),
            ("-b-pyramid", if kept.reorder < REORDER_MAX { "none" } else { "normal" }),
            ("-fps_mode", "passthrough"),
            ("-enc_time_base", "1:90000"),
        ];
        // Nothing may be said of all streams: the copied one has no encoder, and ffmpeg refuses what it cannot set there.
        for pair in one.encoder.common_args().chunks_exact(2) {
            let option = pair[0].to_string_lossy().trim_end_matches(":v").to_owned();
            if !own.iter().any(|(name, _)| *name == option) {
                args.extend([format!("{option}:v:{n}").into(), pair[1].clone()]);
            }
        }
        args.extend(own.into_iter().flat_map(|(option, value)| [format!("{option}:v:{n}").into(), value.into()]));
        args.extend(one.encoder.own_args(&format!(":{n}")));
    }
    args
}

fn split(
    input: &str,
    chain: &[String],
    scaled: &[Scaled],
    branch: impl Fn(&Scaled) -> String,
    (burned, logo): (&Burned, usize),
) -> Vec<OsString> {
    let numbers = 0..scaled.len();
    let first = chain.iter().cloned().chain([format!("split={}", scaled.len())]).collect::<Vec<_>>().join(",");
    let mut graph = format!("[{input}]{first}");
    // Writing into a String cannot fail.
    for n in numbers.clone() {
        let _infallible = write!(graph, "[s{n}]");
    }
    graph.push_str(&burned.sources(scaled.len(), logo));
    for (n, one) in scaled.iter().enumerate() {
        let (scaling, framing) = (branch(one) + &burned.on_picture(one.encoder.rate), one.encoder.framing(one.fitted));
        let over = burned.on_frame(n, &one.encoder, one.fitted);
        let upload = one.encoder.manner.codec.upload();
        let _infallible = write!(graph, ";[s{n}]{scaling},{framing},{COLOURS}{over}{upload}[v{n}]");
    }
    let maps = numbers.flat_map(|n| ["-map".into(), format!("[v{n}]").into()]);
    ["-filter_complex".into(), graph.into()].into_iter().chain(maps).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffmpeg::encoders::Manner;
    use crate::ffmpeg::prepare_args::Hdr;
    use crate::ffmpeg::rate::Rate;

    fn scaled(size: (u32, u32), kbps_max: u32) -> Scaled {
        let (rate, preset) = (Rate::whole(25), "veryfast");
        let manner = Manner::default();
        Scaled { fitted: size, encoder: Encoder { size, rate, frames: 130, quality: 23, preset, kbps_max, manner } }
    }

    const FILTERS: Filters =
        Filters { deinterlace: false, tone_map: None, matrix: Matrix::Told, fitted: (640, 360), hold_frames: 9 };

    fn graph(args: &[OsString]) -> String {
        args[1].to_string_lossy().into_owned()
    }

    #[test]
    fn every_rendition_is_made_of_the_same_frames() {
        let both = [scaled((640, 360), 900), scaled((320, 180), 300)];
        let args = from_film(3, &FILTERS, &both, (&Burned::default(), 1));
        let graph = graph(&args);
        let (first, branches) = graph.split_once(';').unwrap();
        let expected = "[0:3]fps=25:start_time=0,tpad=stop=9:stop_mode=clone,trim=end_frame=130,split=2[s0][s1]";
        assert_eq!(first, expected);
        assert!(branches.starts_with("[s0]scale=640:360:") && branches.contains(";[s1]scale=320:180:"), "{branches}");
        assert_eq!(args[2..], ["-map", "[v0]", "-map", "[v1]"].map(OsString::from));
    }

    #[test]
    fn a_bright_picture_is_brought_down_once() {
        let both = [scaled((640, 360), 900), scaled((320, 180), 300)];
        let bright = Filters { tone_map: Some(Hdr::Pq), matrix: Matrix::Bt601, ..FILTERS };
        let graph = graph(&from_film(0, &bright, &both, (&Burned::default(), 1)));
        assert_eq!(graph.matches("tonemap=tonemap").count(), 1);
        assert!(graph.find("tonemap=").unwrap() < graph.find("split=").unwrap());
        assert!(!graph.contains("in_color_matrix=bt601"), "what comes out of it is BT.709 and says so");
    }

    #[test]
    fn an_original_that_is_kept_leads_the_renditions_made_of_it() {
        let kept = |reorder| Kept { matrix: Matrix::Told, reorder, scaled: vec![scaled((320, 180), 300)] };
        let args = beside_the_original(3, &kept(2));
        assert!(graph(&args).starts_with("[0:3]split=1[s0];[s0]scale=320:180:"), "{}", graph(&args));
        assert_eq!(args[2..], ["-map", "0:3", "-map", "[v0]"].map(OsString::from));
        for (reorder, expected) in [(0, ["0", "none"]), (1, ["2", "none"]), (2, ["2", "normal"])] {
            let args = encoders_beside_the_original(&kept(reorder));
            let after = |option: &str| {
                let place = args.iter().rposition(|arg| arg == option).unwrap();
                args[place + 1].to_string_lossy().into_owned()
            };
            assert_eq!([after("-bf:v:1"), after("-b-pyramid:v:1")], expected, "{reorder} frames held back");
            assert_eq!(
                [after("-c:v:0"), after("-force_key_frames:v:1"), after("-maxrate:v:1")],
                ["copy", "source", "300k"]
            );
        }
    }

    #[test]
    fn keyframes_are_told_once_and_rates_for_each() {
        let args = encoders(&[scaled((1280, 720), 3500), scaled((320, 180), 300)]);
        let line: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
        let after = |option: &str| {
            let place = line.iter().position(|arg| arg == option).unwrap();
            line[place + 1].to_string()
        };
        assert_eq!(line.iter().filter(|arg| *arg == "-force_key_frames").count(), 1);
        assert_eq!([after("-maxrate:v:0"), after("-maxrate:v:1")], ["3500k", "300k"]);
        assert_eq!([after("-level:v:0"), after("-level:v:1")], ["3.1", "3.0"]);
    }
}
