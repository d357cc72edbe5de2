//! The command lines that find an item's first frames and take its text tracks out of it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::extent;
use super::input::{file_url, hostile_input};
use super::prepare_args::quiet;

/// How much of an item's beginning is looked at: sound may begin ten seconds before the picture.
const BEGINNING: &str = "%+12";

/// Returns the ffprobe command line that lists the first packets of an original: where its time begins.
#[must_use]
pub fn beginning_args(input: &Path, format: &str) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["-v", "error", "-read_intervals", BEGINNING].map(Into::into).into();
    args.extend(["-show_entries", extent::SHOW_ENTRIES, "-of", "csv"].map(Into::into));
    args.extend(hostile_input(format, input));
    args
}

/// Returns the ffmpeg command line that writes text tracks, each by its stream's index, as `WebVTT` into files of their own.
///
/// Their times count from the container's start.
#[must_use]
pub fn extract_args(input: &Path, format: &str, tracks: &[(u32, PathBuf)]) -> Vec<OsString> {
    let mut args = quiet();
    args.extend(hostile_input(format, input));
    for (index, out) in tracks {
        args.extend(["-map".into(), format!("0:{index}").into()]);
        args.extend(["-map_metadata", "-1", "-map_chapters", "-1", "-c:s", "webvtt", "-f", "webvtt"].map(Into::into));
        args.push(file_url(out));
    }
    args
}

/// Returns the ffmpeg command line that takes one track out of a film in a form that keeps its looks (`ass`) or its words
/// (`webvtt`), and the files that are attached to it into files of ours, whatever they call themselves. Without a track, those
/// alone.
#[must_use]
pub fn script_args(
    input: &Path,
    format: &str,
    track: Option<(u32, &'static str)>,
    out: &Path,
    attached: &[PathBuf],
) -> Vec<OsString> {
    let mut args = quiet();
    for (n, file) in attached.iter().enumerate() {
        args.extend([format!("-dump_attachment:t:{n}").into(), file_url(file)]);
    }
    args.extend(hostile_input(format, input));
    match track {
        Some((index, form)) => {
            args.extend(["-map".into(), format!("0:{index}").into()]);
            args.extend(["-map_metadata", "-1", "-map_chapters", "-1", "-c:s", form, "-f", form].map(Into::into));
            args.push(file_url(out));
        }
        // Opening it is enough.
        None => args.extend(["-map", "0:v", "-c", "copy", "-t", "0", "-f", "null", "-"].map(Into::into)),
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_track_goes_into_its_own_file() {
        let tracks = [(2, PathBuf::from("/c/a.vtt")), (5, PathBuf::from("/c/b.vtt"))];
        let line: Vec<_> = extract_args(Path::new("/m/-i.mkv"), "matroska,webm", &tracks)
            .iter()
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect();
        let after = |arg: &str| line.iter().position(|have| have == arg).map(|place| line[place + 1].clone());
        assert_eq!(
            (after("-i"), after("-format_whitelist")),
            (Some("file:/m/-i.mkv".into()), Some("matroska,webm".into()))
        );
        assert_eq!(line.iter().filter(|arg| arg.starts_with("file:/c/")).count(), 2);
        assert_eq!(line.iter().filter(|arg| *arg == "0:2" || *arg == "0:5").count(), 2);
    }

    #[test]
    fn what_is_attached_to_a_film_gets_a_name_of_ours() {
        let (film, out, fonts) = (Path::new("/m/a.mkv"), Path::new("/c/track"), [PathBuf::from("/c/fonts/0")]);
        for track in [None, Some((3, "ass"))] {
            let args = script_args(film, "matroska,webm", track, out, &fonts);
            let line: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
            let place = line.iter().position(|arg| arg == "-dump_attachment:t:0").unwrap();
            assert_eq!(line[place + 1], "file:/c/fonts/0");
            assert!(place < line.iter().position(|arg| arg == "-i").unwrap(), "it is an option of the input");
            assert_eq!(line.iter().any(|arg| arg == "file:/c/track"), track.is_some());
        }
    }
}
