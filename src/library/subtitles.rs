//! Where an item's subtitles are: files beside it, and tracks in it. Pure; nothing is opened here.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::FileStamp;
use super::names::is_hidden;
use crate::config::Language;

/// How many files and tracks an item may have of either kind; discs have up to thirty-two.
pub const SOURCES_MAX: usize = 40;

/// The tracks that are text, by ffmpeg's names; it brings them all into one form.
const TEXTS: &[&str] = &["subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"];

/// The tracks that are pictures of text, by ffmpeg's names.
const PICTURES: &[&str] = &["hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub"];

/// What a name may say beside the language, and what that means.
const MARKS: &[(&str, Mark)] = &[
    ("forced", Mark::Forced),
    ("foreign", Mark::Forced),
    ("sdh", Mark::Hearing),
    ("cc", Mark::Hearing),
    ("hi", Mark::Hearing),
    ("default", Mark::None),
    ("full", Mark::None),
];

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Forced,
    Hearing,
    None,
}

/// How a subtitle file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `SubRip`.
    Srt,
    /// `WebVTT`.
    Vtt,
    /// `SubStation Alpha`, advanced or not.
    Ass,
}

/// Whom subtitles are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Purpose {
    /// Everything that is said.
    #[default]
    Full,
    /// That, and what is heard.
    Hearing,
    /// Only what is said in another language than the film's.
    Forced,
}

/// A subtitle file beside a video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubtitleFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its stamp in the walk: another one is another file.
    pub stamp: FileStamp,
    /// How it is written, by its ending.
    pub kind: FileKind,
    /// Its language, by its name.
    pub language: Language,
    /// Whom it is for, by its name.
    pub purpose: Purpose,
}

/// A subtitle track in a video.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubtitleTrack {
    /// ffmpeg's stream index in the file.
    pub index: u32,
    /// ffmpeg's codec name: `subrip`.
    pub codec: String,
    /// Its language, by its tag.
    pub language: Language,
    /// Whom it is for.
    pub purpose: Purpose,
    /// Whether players show it unless told otherwise.
    pub default: bool,
}

impl SubtitleTrack {
    /// Whether it is text, and not pictures of it.
    #[must_use]
    pub fn is_text(&self) -> bool {
        TEXTS.contains(&self.codec.as_str())
    }

    /// Whether it is pictures of text.
    #[must_use]
    pub fn is_picture(&self) -> bool {
        PICTURES.contains(&self.codec.as_str())
    }
}

/// Whether a file of this name may hold the subtitles of a video.
#[must_use]
pub fn is_subtitle_name(name: &OsStr) -> bool {
    !is_hidden(name) && kind_of(Path::new(name)).is_some()
}

fn kind_of(path: &Path) -> Option<FileKind> {
    match path.extension()?.to_ascii_lowercase().to_str()? {
        "srt" => Some(FileKind::Srt),
        "vtt" => Some(FileKind::Vtt),
        "ass" | "ssa" => Some(FileKind::Ass),
        _ => None,
    }
}

/// Returns the subtitle files of a video among those that a walk found: `film.srt`, `film.en.srt`, `film.en.forced.ass`.
#[must_use]
pub fn beside(video: &Path, found: &BTreeMap<PathBuf, FileStamp>) -> Vec<SubtitleFile> {
    let Some(stem) = video.file_stem() else { return Vec::new() };
    let mut first = stem.to_owned();
    first.push(".");
    // In the order of paths, what begins with the film's name and a point stands together.
    let from = video.with_file_name(&first);
    let beginning = first.as_encoded_bytes();
    let of_film = |path: &Path| {
        path.parent() == video.parent()
            && path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(beginning))
    };
    let files = found.range(from..).take_while(|(path, _)| of_film(path)).filter_map(|(path, stamp)| {
        let kind = kind_of(path)?;
        let rest = path.file_stem()?.as_encoded_bytes().get(stem.len()..)?;
        let (language, purpose) = marks(std::str::from_utf8(rest).ok()?)?;
        Some(SubtitleFile { path: path.clone(), stamp: *stamp, kind, language, purpose })
    });
    files.take(SOURCES_MAX).collect()
}

/// Reads what stands between a film's name and the ending: `.en.forced`. None where it is something else: another film's.
fn marks(rest: &str) -> Option<(Language, Purpose)> {
    let (mut language, mut purpose) = (None, Purpose::Full);
    for part in rest.split('.').skip(1) {
        // "hi" is Hindi where no language stands before it.
        let mark = MARKS.iter().find(|(word, _)| part.eq_ignore_ascii_case(word)).map(|(_, mark)| *mark);
        match (mark, Language::named(part)) {
            (Some(Mark::Hearing), Some(named)) if language.is_none() => language = Some(named),
            (Some(Mark::Forced), _) => purpose = Purpose::Forced,
            (Some(Mark::Hearing), _) => purpose = Purpose::Hearing,
            (Some(Mark::None), _) => {}
            (None, Some(named)) if language.is_none() => language = Some(named),
            (None, _) => return None,
        }
    }
    Some((language.unwrap_or_default(), purpose))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: FileStamp = FileStamp { size: 1, mtime_ns: 1 };

    #[test]
    fn a_film_has_the_files_that_are_called_like_it() {
        let names = [
            "/m/film.ass",
            "/m/film.de.forced.srt",
            "/m/film.en.hi.srt",
            "/m/film.en.srt",
            "/m/film.hi.vtt",
            "/m/film.json",
            "/m/film.part2.srt",
            "/m/film.pt-BR.SRT",
            "/m/film2.srt",
            "/m/film/film.srt",
            "/m/other.srt",
        ];
        let found = names.iter().map(|name| (PathBuf::from(name), STAMP)).collect();
        let told: Vec<_> = beside(Path::new("/m/film.mkv"), &found)
            .into_iter()
            .map(|file| format!("{} {:?} {:?}", file.language, file.purpose, file.kind))
            .collect();
        assert_eq!(
            told,
            ["und Full Ass", "de Forced Srt", "en Hearing Srt", "en Full Srt", "hi Full Vtt", "pt-br Full Srt"]
        );
        let part: Vec<_> = beside(Path::new("/m/film.part2.mkv"), &found);
        assert_eq!(part.len(), 1);
        assert!(beside(Path::new("/m/nothing.mkv"), &found).is_empty());
    }

    #[test]
    fn a_name_tells_whether_it_may_be_one() {
        for (name, is_one) in
            [("a.srt", true), ("A.VTT", true), ("a.ssa", true), (".a.srt", false), ("srt", false), ("a.sub", false)]
        {
            assert_eq!(is_subtitle_name(OsStr::new(name)), is_one, "{name}");
        }
    }
}
