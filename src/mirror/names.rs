//! What a channel's objects are called in a store: as the addresses at the station, so that playlists need no other text.

use std::fmt;
use std::sync::Arc;

use crate::config::defaults;
use crate::units::Msn;

/// The longest name of a rendition that is believed to be ours.
const RENDITION_LEN_MAX: usize = 40;

/// An object of a channel: its name below the channel's id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The rendition; none where there is one picture, and for the playlist of all renditions.
    pub rendition: Option<Arc<str>>,
    /// The segment's number; none for a playlist.
    pub segment: Option<Msn>,
}

impl Name {
    /// Returns the name of a playlist.
    #[must_use]
    pub fn playlist(rendition: Option<&Arc<str>>) -> Self {
        Self { rendition: rendition.cloned(), segment: None }
    }

    /// Returns the name of a segment.
    #[must_use]
    pub fn segment(rendition: Option<&Arc<str>>, msn: Msn) -> Self {
        Self { rendition: rendition.cloned(), segment: Some(msn) }
    }

    /// Returns what has this name below the channel's id; none for what we never write, which is somebody else's.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (rendition, file) = match text.split('/').collect::<Vec<_>>()[..] {
            ["index.m3u8"] => (None, None),
            [rendition, "index.m3u8"] => (Some(rendition), None),
            ["segments", file] => (None, Some(file)),
            [rendition, "segments", file] => (Some(rendition), Some(file)),
            _ => return None,
        };
        let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let is_ours = |name: &str| (1..=RENDITION_LEN_MAX).contains(&name.len()) && name.bytes().all(fits);
        if !rendition.is_none_or(is_ours) {
            return None;
        }
        let segment = match file {
            Some(file) => Some(number(file, ending(rendition))?),
            None => None,
        };
        Some(Self { rendition: rendition.map(Arc::from), segment })
    }

    /// Whether it is of subtitles.
    #[must_use]
    pub fn is_of_subtitles(&self) -> bool {
        is_subtitles(self.rendition.as_deref())
    }

    /// Whether it is a playlist, whose bytes change.
    #[must_use]
    pub fn is_playlist(&self) -> bool {
        self.segment.is_none()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(rendition) = &self.rendition {
            write!(f, "{rendition}/")?;
        }
        match self.segment {
            Some(msn) => write!(f, "segments/{msn}{}", ending(self.rendition.as_deref())),
            None => f.write_str("index.m3u8"),
        }
    }
}

/// Returns how the names of a rendition's segments end.
fn ending(rendition: Option<&str>) -> &'static str {
    if is_subtitles(rendition) { ".vtt" } else { ".ts" }
}

/// Whether what stands where a rendition's name does is that of subtitles: no rendition may be called so.
fn is_subtitles(rendition: Option<&str>) -> bool {
    rendition.is_some_and(|name| name.starts_with(defaults::SUBTITLES_BEGIN))
}

/// Returns the number that a segment's file name says: only the one way we write it.
fn number(file: &str, ending: &str) -> Option<Msn> {
    let digits = file.strip_suffix(ending)?;
    let bare = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    bare.then(|| digits.parse().ok()).flatten().map(Msn)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Goal: what we write is known again, and nothing else is. Method: a table of names.
    #[test]
    fn only_what_we_write_is_ours() {
        let ours = ["index.m3u8", "segments/0.ts", "segments/1795212345.ts", "720p/index.m3u8", "720p/segments/7.ts"];
        let subtitles = ["subs-en/index.m3u8", "subs-pt-br/segments/7.vtt"];
        for text in ours.into_iter().chain(["segments/segments/7.ts"]).chain(subtitles) {
            assert_eq!(Name::read(text).map(|name| name.to_string()).as_deref(), Some(text));
        }
        for other in [
            "",
            "index.html",
            "segments/",
            "segments/007.ts",
            "segments/7.mp4",
            "segments/+7.ts",
            "segments/7.ts.ts",
            "a/b/index.m3u8",
            "UPPER/index.m3u8",
            "/index.m3u8",
            "720p/segments/x/7.ts",
            "7.ts",
            "subs-en/segments/7.ts",
            "720p/segments/7.vtt",
            "segments/7.vtt",
            "segments/99999999999999999999.ts",
            "notes.txt",
            "720p/notes.txt",
        ] {
            assert_eq!(Name::read(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(rendition in prop::option::of("[a-z0-9-]{1,20}"), segment in prop::option::of(any::<u64>())) {
            let name = Name { rendition: rendition.map(Arc::from), segment: segment.map(Msn) };
            prop_assert_eq!(Name::read(&name.to_string()), Some(name));
        }

        #[test]
        fn no_name_breaks_the_reader(text in "[a-z0-9/.]{0,40}|.{0,40}") {
            if let Some(name) = Name::read(&text) {
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }
}
