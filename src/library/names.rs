//! What a file's name alone tells.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Names that end so are looked into; every other file is silently no video.
const VIDEO_EXTENSIONS: &[&str] = &[
    "mp4", "m4v", "mov", "qt", "mkv", "webm", "avi", "divx", "mpg", "mpeg", "mpe", "m2v", "ts", "m2ts", "mts", "vob",
    "wmv", "asf", "flv", "f4v", "ogv", "ogm", "3gp", "3g2", "mxf", "dv", "nut", "wtv",
];

/// Names that end so are being written by a browser, a download or a copying program.
const UNFINISHED_ENDINGS: &[&str] =
    &[".part", ".partial", ".crdownload", ".download", ".tmp", ".temp", ".!qb", ".!ut", ".aria2", ".ytdl", "~"];

/// What may lie beside `film.mp4` and tell about it, best first.
const SIDECAR_ENDINGS: &[&str] = &[".nfo", ".json", ".info.json"];

/// Whether a file or folder of this name is left alone, whatever it holds.
#[must_use]
pub fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
}

/// Whether a file of this name is looked into.
#[must_use]
pub fn is_video_name(name: &OsStr) -> bool {
    let lower = name.to_ascii_lowercase();
    let ends = |ending: &str| lower.as_bytes().ends_with(ending.as_bytes());
    if is_hidden(name) || UNFINISHED_ENDINGS.iter().any(|ending| ends(ending)) {
        return false;
    }
    let extension = Path::new(&lower).extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| VIDEO_EXTENSIONS.contains(&extension))
}

/// Whether a file of this name may be the sidecar of a video.
#[must_use]
pub fn is_sidecar_name(name: &OsStr) -> bool {
    !is_hidden(name) && SIDECAR_ENDINGS.iter().any(|ending| name.as_bytes().ends_with(ending.as_bytes()))
}

/// Returns where the sidecars of a video would lie, best first.
#[must_use]
pub fn sidecar_paths(video: &Path) -> Vec<PathBuf> {
    let beside = |ending: &str| {
        let mut name = video.file_stem().map(OsString::from).unwrap_or_default();
        name.push(ending);
        video.with_file_name(name)
    };
    SIDECAR_ENDINGS.iter().map(|ending| beside(ending)).collect()
}

/// Returns a path below its folder as text for people: lossy UTF-8, without control characters.
#[must_use]
pub fn name_below(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.to_string_lossy().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_whole_videos_are_looked_into() {
        for name in ["a.mp4", "A.MKV", "-rf.webm", "%d.ts", "a b'\"\n.avi", "\u{1f408}.mov", "a.part.mp4", "x.m2ts"] {
            assert!(is_video_name(OsStr::new(name)), "{name:?}");
        }
        for name in
            ["a.txt", "mp4", ".mp4", ".a.mp4", "a.mp4.part", "a.mp4.crdownload", "a.mp4~", "a.mp4.!qB", "a.m3u8"]
        {
            assert!(!is_video_name(OsStr::new(name)), "{name:?}");
        }
        assert!(is_video_name(OsStr::from_bytes(b"\xff\xfe.mp4")));
    }

    #[test]
    fn sidecars_lie_beside_their_video() {
        let paths = sidecar_paths(Path::new("/m/a.b.mp4"));
        assert_eq!(paths, ["/m/a.b.nfo", "/m/a.b.json", "/m/a.b.info.json"].map(PathBuf::from));
        assert!(paths.iter().all(|path| is_sidecar_name(path.file_name().unwrap())));
    }

    #[test]
    fn names_for_people_hold_no_control_characters() {
        assert_eq!(name_below(Path::new("/m"), Path::new("/m/a/b\n.mp4")), "a/b\u{fffd}.mp4");
    }
}
