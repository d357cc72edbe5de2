//! Which of an item's files and tracks airs in which language. Pure.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::config::Language;
use crate::config::subtitles::LANGUAGES_MAX;
use crate::ffmpeg::rate::Rate;
use crate::library::Item;
use crate::library::subtitles::{Purpose, SubtitleFile, SubtitleTrack};
use crate::prepare::annexb::hex;

/// Counts up with every change of how subtitles are read: what was kept of them is then made anew.
const VERSION: u32 = 2;

/// Where the subtitles of a language come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// A file beside the film.
    File(&'a SubtitleFile),
    /// A track in it.
    Track(&'a SubtitleTrack),
}

impl Source<'_> {
    fn purpose(&self) -> Purpose {
        match self {
            Self::File(file) => file.purpose,
            Self::Track(track) => track.purpose,
        }
    }

    /// The best has the least: all that is said before a part of it; a file, which somebody put there, before a track.
    fn rank(&self) -> (Purpose, bool, bool) {
        match self {
            Self::File(_) => (self.purpose(), false, false),
            Self::Track(track) => (self.purpose(), true, !track.default),
        }
    }
}

/// Returns the languages an item has as text, each with its best source; the commonest dozen of them at most.
#[must_use]
pub fn texts(item: &Item) -> BTreeMap<&Language, Source<'_>> {
    let files = item.subtitles.iter().map(|file| (&file.language, Source::File(file)));
    let tracks = item.media.subtitles.iter().filter(|track| track.is_text());
    let mut best: BTreeMap<&Language, Source<'_>> = BTreeMap::new();
    for (language, source) in files.chain(tracks.map(|track| (&track.language, Source::Track(track)))) {
        if best.len() >= LANGUAGES_MAX && !best.contains_key(language) {
            continue;
        }
        let held = best.entry(language).or_insert(source);
        if source.rank() < held.rank() {
            *held = source;
        }
    }
    best
}

/// Returns the languages that items have, those of the most items first, no more than a channel offers.
#[must_use]
pub fn languages<'i>(items: impl Iterator<Item = &'i Item>) -> Vec<Language> {
    let mut counts: BTreeMap<&Language, usize> = BTreeMap::new();
    for item in items {
        let files = item.subtitles.iter().map(|file| &file.language);
        let tracks = item.media.subtitles.iter().filter(|track| track.is_text()).map(|track| &track.language);
        for language in files.chain(tracks).collect::<BTreeSet<_>>() {
            *counts.entry(language).or_default() += 1;
        }
    }
    let mut all: Vec<_> = counts.into_iter().collect();
    all.sort_by_key(|(language, count)| (std::cmp::Reverse(*count), *language));
    all.into_iter().take(LANGUAGES_MAX).map(|(language, _)| language.clone()).collect()
}

/// Returns the name under which an item's subtitles are kept: another one whenever a file changes. None where it has none.
#[must_use]
pub fn name(item: &Item, rate: Rate) -> Option<String> {
    let chosen = texts(item);
    if chosen.is_empty() {
        return None;
    }
    let mut hash = Sha256::new_with_prefix(format!("{VERSION} {} {rate}", item.key));
    for (language, source) in chosen {
        let told = match source {
            Source::File(SubtitleFile { path, stamp, kind, .. }) => {
                format!(" {language} {kind:?} {} {} {}", stamp.size, stamp.mtime_ns, path.display())
            }
            Source::Track(SubtitleTrack { index, codec, .. }) => format!(" {language} {index} {codec}"),
        };
        hash.update(told);
    }
    Some(hex(&hash.finalize()[..16]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::sample::{self, language, track};
    use crate::prepare::queue::tests::want;

    fn item(name: &str) -> Item {
        Item::clone(&want(name, 9).item)
    }

    fn file(tag: &str, purpose: Purpose, mtime_ns: i64) -> SubtitleFile {
        sample::subtitles("/m/a.srt", tag, purpose, mtime_ns)
    }

    #[test]
    fn each_language_airs_from_its_best_source() {
        let mut film = item("a");
        film.media.subtitles = vec![
            track(2, "subrip", "en", Purpose::Forced, true),
            track(3, "ass", "en", Purpose::Full, false),
            track(4, "subrip", "en", Purpose::Full, true),
            track(5, "hdmv_pgs_subtitle", "fr", Purpose::Full, true),
            track(6, "mov_text", "de", Purpose::Full, false),
        ];
        film.subtitles = [file("de", Purpose::Forced, 1), file("es", Purpose::Full, 1)].into();
        let chosen: Vec<_> = texts(&film)
            .into_iter()
            .map(|(language, source)| match source {
                Source::File(_) => format!("{language} file"),
                Source::Track(track) => format!("{language} {}", track.index),
            })
            .collect();
        assert_eq!(chosen, ["de 6", "en 4", "es file"]);
        let other = item("b");
        assert_eq!(languages([&film, &other, &film].into_iter()), ["de", "en", "es"].map(language));
    }

    #[test]
    fn what_is_kept_goes_by_what_it_was_made_of() {
        let rate = Rate::whole(25);
        let with = |mtime| {
            let mut film = item("a");
            film.subtitles = [file("en", Purpose::Full, mtime)].into();
            name(&film, rate)
        };
        assert_eq!(name(&item("a"), rate), None);
        assert_eq!(with(1), with(1));
        assert_ne!(with(1), with(2), "a file that changed");
    }
}
