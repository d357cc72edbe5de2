//! How a file nobody trusts is opened: local files only, one demuxer, known decoders.

use std::ffi::OsString;
use std::path::Path;

use super::probe_args::CODEC_WHITELIST;

/// Returns the input options and the input itself for a file of which ffprobe said that its demuxer is `format`.
///
/// Only that demuxer is allowed: a file whose bytes were exchanged for a playlist since it was probed is refused.
/// `-protocol_whitelist file` keeps every demuxer from the network and from `concat:` and `subfile:`.
#[must_use]
pub fn hostile_input(format: &str, path: &Path) -> Vec<OsString> {
    let mut args = hostile_options(format);
    args.extend(["-i".into(), file_url(path)]);
    args
}

/// Returns the options that must stand before a hostile input.
///
/// The decoders are those of the library's look into the file: with fewer, ffprobe would now give up on files that were
/// accepted, for one stream of subtitles or cover art that never airs.
#[must_use]
pub fn hostile_options(format: &str) -> Vec<OsString> {
    // The name comes from ffprobe, but it becomes an argument: keep only what a demuxer's name may hold.
    let clean = |c: &char| c.is_ascii_alphanumeric() || matches!(c, ',' | '_' | '-');
    let format: String = format.chars().filter(clean).collect();
    let options = ["-protocol_whitelist", "file", "-format_whitelist", &format, "-codec_whitelist", CODEC_WHITELIST];
    options.iter().map(OsString::from).collect()
}

/// Returns a path as ffmpeg takes it, so that neither a leading dash nor a colon has a meaning.
#[must_use]
pub fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffmpeg::probe_args::probe_args;

    #[test]
    fn only_the_probed_demuxer_and_local_files_are_allowed() {
        let args = hostile_input("mov,mp4; rm -rf", Path::new("/films/-i %d.mp4"));
        let line: Vec<_> = args.iter().map(|a| a.to_string_lossy().into_owned()).collect();
        assert_eq!(line[..4], ["-protocol_whitelist", "file", "-format_whitelist", "mov,mp4rm-rf"]);
        assert_eq!(line[6..], ["-i", "file:/films/-i %d.mp4"]);
    }

    #[test]
    fn what_was_looked_into_can_be_opened_again() {
        let decoders = |args: &[OsString]| {
            let place = args.iter().position(|arg| arg == "-codec_whitelist").unwrap();
            args[place + 1].clone()
        };
        let film = Path::new("a.mkv");
        assert_eq!(decoders(&hostile_input("matroska,webm", film)), decoders(&probe_args(film)));
    }
}
