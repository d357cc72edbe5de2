//! `subtitles = "burn"` and `logo-burn`: what becomes part of a channel's pictures when its films are made ready.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::DeValue;

use super::file::At;
use super::language::Language;
use super::problem::Problems;
use super::subtitles::{SubtitleMode, Subtitles};
use super::table::Section;
use super::validate::Judge;

/// How high a logo is where nobody says otherwise, in hundredths of the picture's height.
pub const LOGO_SIZE: i64 = 8;

/// How high it may be.
pub const LOGO_SIZE_RANGE: RangeInclusive<i64> = 3..=30;

/// How much of what lies behind it a logo hides where nobody says otherwise, in hundredths.
pub const LOGO_OPACITY: i64 = 75;

/// How much of it a logo may hide; less would not be seen.
pub const LOGO_OPACITY_RANGE: RangeInclusive<i64> = 10..=100;

/// The keys of a table `logo-burn`.
pub(super) const LOGO_BURN_KEYS: &[&str] = &["corner", "size", "opacity"];

/// What becomes part of the pictures of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Burn {
    /// Whether subtitles do: the languages, the dearest first; any where none is named. None where they do not.
    pub subtitles: Option<Arc<[Language]>>,
    /// The logo.
    pub logo: Option<BurnedLogo>,
}

/// A logo at a corner of every picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BurnedLogo {
    /// Its file.
    pub file: PathBuf,
    /// The digest of its bytes, once they were read: another picture makes other mezzanines.
    pub sum: Option<Arc<str>>,
    /// Where it stands.
    pub corner: Corner,
    /// How high it is at the most, in hundredths of the picture's height.
    pub size: u32,
    /// How much of what lies behind it is hidden, in hundredths.
    pub opacity: u32,
}

/// A corner of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corner {
    /// Above, to the left.
    TopLeft,
    /// Above, to the right.
    TopRight,
    /// Below, to the left.
    BottomLeft,
    /// Below, to the right.
    BottomRight,
}

impl Corner {
    /// Returns its name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TopLeft => "top-left",
            Self::TopRight => "top-right",
            Self::BottomLeft => "bottom-left",
            Self::BottomRight => "bottom-right",
        }
    }
}

const CORNERS: &[(&str, Option<Corner>)] = &[
    ("top-left", Some(Corner::TopLeft)),
    ("top-right", Some(Corner::TopRight)),
    ("bottom-left", Some(Corner::BottomLeft)),
    ("bottom-right", Some(Corner::BottomRight)),
    ("off", None),
];

/// `logo-burn` as it is written: a corner, or a table.
#[derive(Debug, Default)]
pub(super) struct LogoBurnFile {
    pub(super) corner: Option<At<String>>,
    pub(super) size: Option<At<i64>>,
    pub(super) opacity: Option<At<i64>>,
}

/// Reads `"top-right"` or `{ corner = "top-right", size = 8, opacity = 75 }`.
pub(super) fn read(section: &Section<'_>, problems: &mut Problems) -> Option<LogoBurnFile> {
    const WANTED: &str = "a corner such as \"top-right\", or a table";
    let (_, value) = section.value("logo-burn")?;
    match value.get_ref() {
        DeValue::String(corner) => {
            let corner = Some(Spanned::new(value.span(), corner.clone().into_owned()));
            Some(LogoBurnFile { corner, ..LogoBurnFile::default() })
        }
        DeValue::Table(table) => {
            let place = format!("logo-burn of {}", section.place());
            let own = Section::open(table, value.span(), place, LOGO_BURN_KEYS, problems);
            own.require("corner", "where it stands: corner = \"top-right\"", problems);
            Some(LogoBurnFile {
                corner: own.text("corner", problems),
                size: own.whole("size", problems),
                opacity: own.whole("opacity", problems),
            })
        }
        _ => {
            section.wrong_type("logo-burn", value, WANTED, problems);
            None
        }
    }
}

impl Judge<'_> {
    /// Returns what becomes part of a channel's pictures, given its subtitles, the file of its logo, and whether one is named.
    pub(super) fn burn(
        &mut self,
        written: Option<&LogoBurnFile>,
        subtitles: &Subtitles,
        logo: Option<&Path>,
        has_logo: bool,
    ) -> Burn {
        let burned = subtitles.mode == SubtitleMode::Burn;
        Burn {
            subtitles: burned.then(|| Arc::clone(&subtitles.languages)),
            logo: written.and_then(|written| self.logo_burn(written, logo, has_logo)),
        }
    }

    fn logo_burn(&mut self, written: &LogoBurnFile, logo: Option<&Path>, has_logo: bool) -> Option<BurnedLogo> {
        let corner_written = written.corner.as_ref()?;
        let corner = self.word("logo-burn", corner_written, CORNERS);
        let hint = "in hundredths of the picture's height: 8 is usual";
        let size = written.size.as_ref().and_then(|size| self.within("size", size, &LOGO_SIZE_RANGE, hint));
        let hint = "in hundredths: 100 hides what lies behind it, 75 is usual";
        let opacity = written.opacity.as_ref();
        let opacity = opacity.and_then(|opacity| self.within("opacity", opacity, &LOGO_OPACITY_RANGE, hint));
        let corner = corner??;
        let Some(file) = logo else {
            if has_logo {
                // What is wrong with it has been complained about.
                return None;
            }
            let hint = "name its file, too: logo = \"logos/cats.png\"".to_owned();
            self.complain(&corner_written.span(), "there is no logo that could be burned in".to_owned(), Some(hint));
            return None;
        };
        let or = |given: Option<u32>, usual: i64| given.or(u32::try_from(usual).ok()).unwrap_or_default();
        let (size, opacity) = (or(size, LOGO_SIZE), or(opacity, LOGO_OPACITY));
        Some(BurnedLogo { file: file.to_owned(), sum: None, corner, size, opacity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn load(channel: &str) -> Result<Burn, String> {
        let text = format!("[[channel]]\nname = \"Cats\"\nfolder = \"cats\"\n{channel}\n");
        parse(&text, Path::new("/etc/tv/channels.toml"), 2)
            .map(|config| config.channels[0].profile.burn.clone())
            .map_err(|problems| problems.to_string())
    }

    #[test]
    fn what_is_burned_in_is_understood() {
        assert_eq!(load(""), Ok(Burn::default()));
        assert_eq!(load("subtitles = \"tracks\"\nlogo = \"a.png\"\nlogo-burn = \"off\""), Ok(Burn::default()));
        let burn = load("subtitles = \"burn\"\nsubtitle-languages = [\"eng\", \"de\"]").unwrap();
        let tags: Vec<_> = burn.subtitles.iter().flat_map(|all| all.iter().map(Language::tag)).collect();
        assert_eq!(tags, ["en", "de"]);
        assert_eq!(load("subtitles = \"burn\"").unwrap().subtitles.map(|all| all.len()), Some(0), "whatever there is");
        let file = PathBuf::from("/etc/tv/a.png");
        let logo = BurnedLogo { file, sum: None, corner: Corner::TopRight, size: 8, opacity: 75 };
        let short = load("logo = \"a.png\"\nlogo-burn = \"top-right\"").unwrap();
        assert_eq!(short.logo, Some(logo.clone()));
        let long = "logo = \"a.png\"\nlogo-burn = { corner = \"bottom-left\", size = 12, opacity = 100 }";
        let expected = BurnedLogo { corner: Corner::BottomLeft, size: 12, opacity: 100, ..logo };
        assert_eq!(load(long).unwrap().logo, Some(expected));
        for (word, corner) in CORNERS {
            assert_eq!(corner.map_or("off", Corner::as_str), *word);
        }
    }

    #[test]
    fn slips_are_told_with_their_remedy() {
        for (channel, words) in [
            ("logo-burn = \"top-right\"", "there is no logo that could be burned in"),
            ("logo = \"a.png\"\nlogo-burn = \"top\"", "logo-burn cannot be \"top\""),
            ("logo = \"a.png\"\nlogo-burn = true", "a corner such as \"top-right\", or a table, got true"),
            ("logo = \"a.png\"\nlogo-burn = { size = 8 }", "corner is missing"),
            (
                "logo = \"a.png\"\nlogo-burn = { corner = \"top-left\", size = 1 }",
                "size must be between 3 and 30, got 1",
            ),
            ("logo = \"a.png\"\nlogo-burn = { corner = \"top-left\", opacity = 0 }", "between 10 and 100, got 0"),
            ("logo = \"a.png\"\nlogo-burn = { corner = \"top-left\", wide = 1 }", "the keys are corner, size, opacity"),
        ] {
            let told = load(channel).expect_err(words);
            assert!(told.contains(words), "{words}\n{told}");
        }
    }
}
