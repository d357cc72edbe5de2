//! Languages of subtitles: what files, discs and people call them, as one short tag. Pure.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest tag that is believed: `zh-hant-hk`, and some room.
const TAG_LEN_MAX: usize = 16;

/// What is known of a language: its tag of two letters, those of three (ISO 639-2 has two for some), its English name and
/// what it calls itself.
type Known = (&'static str, &'static [&'static str], &'static str, &'static str);

/// The languages that most films with subtitles have. Others keep the tag they come with.
const KNOWN: &[Known] = &[
    ("ar", &["ara"], "Arabic", "العربية"),
    ("bg", &["bul"], "Bulgarian", "Български"),
    ("bn", &["ben"], "Bengali", "বাংলা"),
    ("bs", &["bos"], "Bosnian", "Bosanski"),
    ("ca", &["cat"], "Catalan", "Català"),
    ("cs", &["ces", "cze"], "Czech", "Čeština"),
    ("cy", &["cym", "wel"], "Welsh", "Cymraeg"),
    ("da", &["dan"], "Danish", "Dansk"),
    ("de", &["deu", "ger"], "German", "Deutsch"),
    ("el", &["ell", "gre"], "Greek", "Ελληνικά"),
    ("en", &["eng"], "English", "English"),
    ("eo", &["epo"], "Esperanto", "Esperanto"),
    ("es", &["spa"], "Spanish", "Español"),
    ("et", &["est"], "Estonian", "Eesti"),
    ("eu", &["eus", "baq"], "Basque", "Euskara"),
    ("fa", &["fas", "per"], "Persian", "فارسی"),
    ("fi", &["fin"], "Finnish", "Suomi"),
    ("fr", &["fra", "fre"], "French", "Français"),
    ("ga", &["gle"], "Irish", "Gaeilge"),
    ("gl", &["glg"], "Galician", "Galego"),
    ("he", &["heb"], "Hebrew", "עברית"),
    ("hi", &["hin"], "Hindi", "हिन्दी"),
    ("hr", &["hrv"], "Croatian", "Hrvatski"),
    ("hu", &["hun"], "Hungarian", "Magyar"),
    ("hy", &["hye", "arm"], "Armenian", "Հայերեն"),
    ("id", &["ind"], "Indonesian", "Bahasa Indonesia"),
    ("is", &["isl", "ice"], "Icelandic", "Íslenska"),
    ("it", &["ita"], "Italian", "Italiano"),
    ("ja", &["jpn"], "Japanese", "日本語"),
    ("ka", &["kat", "geo"], "Georgian", "ქართული"),
    ("ko", &["kor"], "Korean", "한국어"),
    ("la", &["lat"], "Latin", "Latina"),
    ("lt", &["lit"], "Lithuanian", "Lietuvių"),
    ("lv", &["lav"], "Latvian", "Latviešu"),
    ("mk", &["mkd", "mac"], "Macedonian", "Македонски"),
    ("ms", &["msa", "may"], "Malay", "Bahasa Melayu"),
    ("nb", &["nob"], "Bokmål", "Norsk bokmål"),
    ("nl", &["nld", "dut"], "Dutch", "Nederlands"),
    ("nn", &["nno"], "Nynorsk", "Norsk nynorsk"),
    ("no", &["nor"], "Norwegian", "Norsk"),
    ("pl", &["pol"], "Polish", "Polski"),
    ("pt", &["por"], "Portuguese", "Português"),
    ("ro", &["ron", "rum"], "Romanian", "Română"),
    ("ru", &["rus"], "Russian", "Русский"),
    ("sk", &["slk", "slo"], "Slovak", "Slovenčina"),
    ("sl", &["slv"], "Slovenian", "Slovenščina"),
    ("sq", &["sqi", "alb"], "Albanian", "Shqip"),
    ("sr", &["srp"], "Serbian", "Српски"),
    ("sv", &["swe"], "Swedish", "Svenska"),
    ("ta", &["tam"], "Tamil", "தமிழ்"),
    ("te", &["tel"], "Telugu", "తెలుగు"),
    ("th", &["tha"], "Thai", "ไทย"),
    ("tr", &["tur"], "Turkish", "Türkçe"),
    ("uk", &["ukr"], "Ukrainian", "Українська"),
    ("ur", &["urd"], "Urdu", "اردو"),
    ("vi", &["vie"], "Vietnamese", "Tiếng Việt"),
    ("zh", &["zho", "chi"], "Chinese", "中文"),
];

/// What files and discs write where they do not say which language it is.
const NOT_TOLD: &[&str] = &["und", "mis", "mul", "zxx"];

/// A language as a tag in small letters, two of them where there is one of two: `en`, `pt-br`; `und` where it is not told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Language(Arc<str>);

impl Default for Language {
    fn default() -> Self {
        Self(NOT_TOLD[0].into())
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Language {
    /// Reads a tag: `eng`, `EN`, `pt_BR`. None for what cannot be one; what says that it is not told is not told.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase().replace('_', "-");
        let (primary, rest) = text.split_once('-').map_or((&*text, None), |(primary, rest)| (primary, Some(rest)));
        let is_part = |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
        let is_primary = (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_lowercase());
        if !is_primary || text.len() > TAG_LEN_MAX || !rest.is_none_or(|rest| rest.split('-').all(is_part)) {
            return None;
        }
        if NOT_TOLD.contains(&primary) {
            return Some(Self::default());
        }
        let primary = known(primary).map_or(primary, |(tag, ..)| tag);
        Some(Self(rest.map_or_else(|| primary.into(), |rest| format!("{primary}-{rest}").into())))
    }

    /// Reads what stands in a file's name: a tag of a language that is known, or its name. Anything else may be anything.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        let lower = text.trim().to_lowercase();
        let by_name = |(_, _, english, own): &&Known| english.to_lowercase() == lower || own.to_lowercase() == lower;
        if let Some((tag, ..)) = KNOWN.iter().find(by_name) {
            return Some(Self((*tag).into()));
        }
        Self::read(&lower).filter(|language| known(language.primary()).is_some())
    }

    /// Returns the tag.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.0
    }

    /// Whether nobody told which language it is.
    #[must_use]
    pub fn is_not_told(&self) -> bool {
        *self == Self::default()
    }

    /// Whether both are the same but for where it is spoken: `pt` and `pt-br`.
    #[must_use]
    pub fn is_kin(&self, other: &Self) -> bool {
        self.primary() == other.primary()
    }

    /// Returns what viewers read: what the language calls itself.
    #[must_use]
    pub fn name(&self) -> String {
        if self.is_not_told() {
            return "Subtitles".to_owned();
        }
        let own = known(self.primary()).map_or_else(|| self.primary().to_uppercase(), |(.., own)| (*own).to_owned());
        match self.0.split_once('-') {
            Some((_, place)) => format!("{own} ({})", place.to_uppercase()),
            None => own,
        }
    }

    fn primary(&self) -> &str {
        self.0.split_once('-').map_or(&*self.0, |(primary, _)| primary)
    }
}

fn known(primary: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|(two, three, ..)| *two == primary || three.contains(&primary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_language_has_one_tag_whatever_it_is_called() {
        for (text, tag) in [
            ("eng", "en"),
            ("EN", "en"),
            ("ger", "de"),
            ("deu", "de"),
            ("pt_BR", "pt-br"),
            ("zh-Hant", "zh-hant"),
            ("es-419", "es-419"),
            ("tlh", "tlh"),
            ("und", "und"),
            ("zxx", "und"),
        ] {
            assert_eq!(Language::read(text).as_ref().map(Language::tag), Some(tag), "{text}");
        }
        for text in ["", "e", "english", "en/..", "en-", "e1", "en-a", "\u{e9}n", "en-aaaaaaaa-bbbbbbbb"] {
            assert_eq!(Language::read(text), None, "{text}");
        }
    }

    #[test]
    fn only_known_languages_are_taken_from_a_name() {
        for (text, tag) in [("en", "en"), ("English", "en"), ("FRENCH", "fr"), ("deutsch", "de"), ("pt-BR", "pt-br")] {
            assert_eq!(Language::named(text).as_ref().map(Language::tag), Some(tag), "{text}");
        }
        for text in ["xx", "cut", "2", "part2", "tlh", "und"] {
            assert_eq!(Language::named(text), None, "{text}");
        }
    }

    #[test]
    fn viewers_read_what_a_language_calls_itself() {
        for (text, name) in [("ger", "Deutsch"), ("pt-br", "Português (BR)"), ("tlh", "TLH"), ("und", "Subtitles")] {
            assert_eq!(Language::read(text).unwrap().name(), name);
        }
        assert!(Language::read("pt").unwrap().is_kin(&Language::read("por-BR").unwrap()));
    }

    #[test]
    fn no_tag_stands_twice_in_the_table() {
        let mut all: Vec<&str> =
            KNOWN.iter().flat_map(|(two, three, ..)| [*two].into_iter().chain(three.iter().copied())).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
