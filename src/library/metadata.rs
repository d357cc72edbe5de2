//! What viewers are told about an item: sidecar before tags before the file's name.

use std::collections::BTreeMap;

use super::item::Metadata;

/// The longest title, author and description, in characters: pages and guides show no more.
pub const TITLE_LEN_MAX: usize = 200;
/// As [`TITLE_LEN_MAX`].
pub const AUTHOR_LEN_MAX: usize = 200;
/// The longest date: a year, or year-month-day, or a few words.
pub const DATE_LEN_MAX: usize = 40;
/// As [`TITLE_LEN_MAX`].
pub const DESCRIPTION_LEN_MAX: usize = 4000;

/// What one source tells; each part may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The title.
    pub title: Option<String>,
    /// Author, artist or director.
    pub author: Option<String>,
    /// A year, or year-month-day.
    pub date: Option<String>,
    /// Free text.
    pub description: Option<String>,
}

impl Notes {
    /// Returns the notes with every part cleaned and bounded; empty parts are none.
    #[must_use]
    pub fn cleaned(self) -> Self {
        Self {
            title: self.title.and_then(|text| line(&text, TITLE_LEN_MAX)),
            author: self.author.and_then(|text| line(&text, AUTHOR_LEN_MAX)),
            date: self.date.and_then(|text| date(&text)),
            description: self.description.and_then(|text| paragraphs(&text, DESCRIPTION_LEN_MAX)),
        }
    }

    /// Returns what a container's tags tell; names in lower case.
    #[must_use]
    pub fn of_tags(tags: &BTreeMap<String, String>) -> Self {
        let first = |names: &[&str]| {
            names.iter().find_map(|&name| tags.get(name).filter(|text| !text.trim().is_empty())).cloned()
        };
        // Encoders without a clock write the epoch of their container.
        let made = || first(&["creation_time"]).filter(|text| !text.starts_with("1970-") && !text.starts_with("1904-"));
        let notes = Self {
            title: first(&["title"]),
            author: first(&["artist", "author", "director", "album_artist", "composer"]),
            date: first(&["date", "date_released", "year"]).or_else(made),
            description: first(&["description", "synopsis", "comment"]),
        };
        notes.cleaned()
    }
}

/// Returns the metadata with everything a better source tells put in its place.
#[must_use]
pub fn overlay(base: &Metadata, better: &Notes) -> Metadata {
    let pick = |better: &Option<String>, base: &Option<String>| better.clone().or_else(|| base.clone());
    Metadata {
        title: better.title.clone().unwrap_or_else(|| base.title.clone()),
        author: pick(&better.author, &base.author),
        date: pick(&better.date, &base.date),
        description: pick(&better.description, &base.description),
    }
}

/// Returns what a file's name without its ending tells; the title is never empty.
///
/// `Big.Buck.Bunny.2008.1080p.x264-GRP` is "Big Buck Bunny" of 2008; `Talk [dQw4w9WgXcQ]` is "Talk".
#[must_use]
pub fn of_name(stem: &str) -> Metadata {
    let mut text = without_brackets(stem).replace('_', " ");
    if !text.contains(' ') {
        text = text.replace('.', " ");
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let release = words.iter().skip(1).position(|word| is_release_word(word)).map_or(words.len(), |n| n + 1);
    let words = &words[..release];
    // A year counts where the name ends with it: "2001 A Space Odyssey 1968", never "New Year 1999 in Rome".
    let (words, year) = match words.split_last() {
        Some((last, rest)) if !rest.is_empty() && year(last).is_some() => (rest, year(last)),
        _ => (words, None),
    };
    let title = words.join(" ");
    let title = line(title.trim_matches(|c: char| c == '-' || c.is_whitespace()), TITLE_LEN_MAX)
        .or_else(|| line(stem, TITLE_LEN_MAX))
        .unwrap_or_else(|| "Untitled".to_owned());
    Metadata { title, date: year.map(str::to_owned), ..Metadata::default() }
}

/// Drops `[…]`, where sites and groups put their marks, unless nothing else is there.
fn without_brackets(stem: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::with_capacity(stem.len());
    for c in stem.chars() {
        match c {
            '[' => depth += 1,
            ']' if depth > 0 => depth -= 1,
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    if kept.trim().is_empty() { stem.to_owned() } else { kept }
}

fn year(word: &str) -> Option<&str> {
    let digits = word.strip_prefix('(').and_then(|word| word.strip_suffix(')')).unwrap_or(word);
    let plain = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let value: u32 = if plain { digits.parse().ok()? } else { return None };
    (1888..=2100).contains(&value).then_some(digits)
}

fn is_release_word(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "480p", "576p", "720p", "1080p", "1080i", "1440p", "2160p", "4k", "uhd", "bluray", "blu-ray", "bdrip", "brrip",
        "dvdrip", "hdrip", "hdtv", "web-dl", "webdl", "webrip", "web", "x264", "x265", "h264", "h265", "hevc", "remux",
        "xvid", "divx", "proper", "repack",
    ];
    let lower = word.trim_matches(['(', ')', '-', ',']).to_lowercase();
    // "x264-GRP": the group hangs on the last word.
    let head = lower.split('-').next().unwrap_or("");
    WORDS.contains(&lower.as_str()) || (lower.contains('-') && ["x264", "x265", "h264", "h265", "hevc"].contains(&head))
}

/// Returns `2008-04-10` for `20080410` and `2008-04-10T00:00:00Z`, other text as it is.
fn date(text: &str) -> Option<String> {
    let text = line(text, DATE_LEN_MAX)?;
    let bytes = text.as_bytes();
    let digits =
        |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    if bytes.len() == 8 && digits(0..8) {
        return Some(format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]));
    }
    let iso = digits(0..4) && digits(5..7) && digits(8..10) && bytes[4] == b'-' && bytes[7] == b'-';
    Some(if iso { text[..10].to_owned() } else { text })
}

/// One line: blanks of any kind become one blank, invisible characters go.
fn line(text: &str, len_max: usize) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join(" ");
    bounded(joined.chars().filter(|&c| !is_invisible(c)), len_max)
}

/// As [`line`], but line breaks stay.
fn paragraphs(text: &str, len_max: usize) -> Option<String> {
    let text = text.replace("\r\n", "\n");
    let visible = text.trim().chars().map(|c| if c == '\t' { ' ' } else { c });
    bounded(visible.filter(|&c| c == '\n' || !(c.is_control() || is_invisible(c))), len_max)
}

fn bounded(chars: impl Iterator<Item = char>, len_max: usize) -> Option<String> {
    let text: String = chars.take(len_max).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Characters that turn the direction of the text around them, or hide: they could make one title look like another.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn file_names_become_titles() {
        for (stem, title, date) in [
            ("Big.Buck.Bunny.2008.1080p", "Big Buck Bunny", Some("2008")),
            ("Big.Buck.Bunny.2008.1080p.x264-GRP", "Big Buck Bunny", Some("2008")),
            ("big_buck_bunny", "big buck bunny", None),
            ("Big Buck Bunny (2008)", "Big Buck Bunny", Some("2008")),
            ("Blade.Runner.2049.2017.2160p.UHD", "Blade Runner 2049", Some("2017")),
            ("2001 A Space Odyssey 1968", "2001 A Space Odyssey", Some("1968")),
            ("New Year 1999 in Rome", "New Year 1999 in Rome", None),
            ("1984", "1984", None),
            ("Talk [dQw4w9WgXcQ]", "Talk", None),
            ("[only brackets]", "[only brackets]", None),
            ("-rf", "rf", None),
            ("a %d 'b' \"c\"\n\u{1f408}", "a %d 'b' \"c\" \u{1f408}", None),
            ("Dr. Who - 01. Rose", "Dr. Who - 01. Rose", None),
            ("\u{1}", "Untitled", None),
        ] {
            let found = of_name(stem);
            assert_eq!((found.title.as_str(), found.date.as_deref()), (title, date), "{stem:?}");
        }
    }

    #[test]
    fn tags_of_many_names_are_understood() {
        let tags = |pairs: &[(&str, &str)]| pairs.iter().map(|&(n, v)| (n.to_owned(), v.to_owned())).collect();
        let notes = Notes::of_tags(&tags(&[
            ("title", " A \u{202e}cat\n"),
            ("director", "B"),
            ("date", "20080410"),
            ("comment", "one\r\ntwo\u{0}"),
        ]));
        let some = |text: &str| Some(text.to_owned());
        let expected =
            Notes { title: some("A cat"), author: some("B"), date: some("2008-04-10"), description: some("one\ntwo") };
        assert_eq!(notes, expected);
        let made = |text| Notes::of_tags(&tags(&[("creation_time", text)])).date;
        assert_eq!(made("2019-02-03T04:05:06.000000Z"), some("2019-02-03"));
        assert_eq!(made("1970-01-01T00:00:00.000000Z"), None);
        assert_eq!(Notes::of_tags(&tags(&[("artist", " "), ("author", "C")])).author, some("C"));
    }

    #[test]
    fn the_better_source_wins_part_by_part() {
        let base = Metadata { title: "a".into(), author: Some("b".into()), ..Metadata::default() };
        let better = Notes { title: Some("A".into()), date: Some("2008".into()), ..Notes::default() };
        let both = overlay(&base, &better);
        assert_eq!((both.title.as_str(), both.author.as_deref(), both.date.as_deref()), ("A", Some("b"), Some("2008")));
    }

    proptest! {
        #[test]
        fn a_title_is_never_empty_nor_long_nor_more_than_a_line(stem in any::<String>()) {
            let title = of_name(&stem).title;
            prop_assert!(!title.is_empty() && title.chars().count() <= TITLE_LEN_MAX);
            prop_assert!(!title.chars().any(char::is_control));
        }

        #[test]
        fn dates_are_short_whatever_they_are(text in any::<String>()) {
            prop_assert!(date(&text).is_none_or(|date| date.chars().count() <= DATE_LEN_MAX));
        }
    }
}
