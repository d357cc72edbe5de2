//! What a file beside a video tells about it: Kodi's `.nfo`, or JSON of our own or of yt-dlp.

use serde_json::Value;

use super::metadata::Notes;

/// How much of a sidecar is read. `.nfo` files with whole casts stay below 20 kB; yt-dlp's `.info.json` lists formats
/// and can reach megabytes.
pub const NFO_BYTES_MAX: u64 = 64 << 10;
/// As [`NFO_BYTES_MAX`], for JSON, which is of no use when it is cut.
pub const JSON_BYTES_MAX: u64 = 4 << 20;

/// Returns what a sidecar tells; `None` where nothing in it is understood.
#[must_use]
pub fn read(is_nfo: bool, bytes: &[u8]) -> Option<Notes> {
    let notes = if is_nfo { of_nfo(&String::from_utf8_lossy(bytes)) } else { of_json(bytes)? };
    let notes = notes.cleaned();
    (notes != Notes::default()).then_some(notes)
}

/// Reads the few elements we want wherever they stand: people write these files by hand, and many are not XML.
fn of_nfo(text: &str) -> Notes {
    let first = |names: &[&str]| names.iter().find_map(|name| element(text, name));
    Notes {
        title: first(&["title"]),
        author: first(&["director", "artist", "studio"]),
        date: first(&["premiered", "aired", "releasedate", "year"]),
        description: first(&["plot", "outline", "description"]),
    }
}

/// Returns the text of the first element of a name that has any, entities decoded.
fn element(text: &str, name: &str) -> Option<String> {
    let (open, close) = (format!("<{name}"), format!("</{name}"));
    let mut rest = text;
    while let Some((_, after)) = find_ignoring_case(rest, &open) {
        rest = after;
        // `<titles>` is another element.
        if !after.starts_with(['>', '/']) && !after.starts_with(char::is_whitespace) {
            continue;
        }
        let Some((attributes, body)) = after.split_once('>') else { break };
        // `<title/>` has no text. Nothing is looked through twice, or a hostile file would take a minute.
        rest = body;
        if attributes.ends_with('/') {
            continue;
        }
        let (inner, _) = find_ignoring_case(body, &close)?;
        let inner = inner.trim();
        let plain = inner.strip_prefix("<![CDATA[").and_then(|inner| inner.strip_suffix("]]>"));
        let found = plain.map_or_else(|| decoded(inner), str::to_owned);
        if !found.trim().is_empty() {
            return Some(found);
        }
    }
    None
}

/// Returns what stands before and after the first place where ASCII text stands in any case.
fn find_ignoring_case<'a>(text: &'a str, wanted: &str) -> Option<(&'a str, &'a str)> {
    let place = text.as_bytes().windows(wanted.len()).position(|part| part.eq_ignore_ascii_case(wanted.as_bytes()))?;
    // Both ends are at ASCII characters, hence at character boundaries.
    Some((&text[..place], &text[place + wanted.len()..]))
}

fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known = reference(after).and_then(|(name, after)| Some((entity(name)?, after)));
        let (c, after) = known.unwrap_or(('&', after));
        out.push(c);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The longest name of a character that is known, `#x0010FFFF`, and some zeros more.
const REFERENCE_LEN_MAX: usize = 16;

/// Returns what stands before and after a semicolon that is near.
fn reference(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().take(REFERENCE_LEN_MAX + 1).position(|byte| byte == b';')?;
    Some((&text[..end], &text[end + 1..]))
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let hex = number.strip_prefix(['x', 'X']).map(|digits| u32::from_str_radix(digits, 16));
            char::from_u32(hex.unwrap_or_else(|| number.parse()).ok()?)
        }
    }
}

fn of_json(bytes: &[u8]) -> Option<Notes> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let first = |names: &[&str]| {
        names.iter().find_map(|&name| match value.get(name)? {
            Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    };
    Some(Notes {
        title: first(&["title", "fulltitle"]),
        author: first(&["author", "artist", "director", "creator", "uploader", "channel"]),
        date: first(&["date", "release_date", "upload_date", "release_year", "year"]),
        description: first(&["description", "plot", "synopsis"]),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn notes(parts: [&str; 4]) -> Notes {
        let [title, author, date, description] = parts.map(|text| (!text.is_empty()).then(|| text.to_owned()));
        Notes { title, author, date, description }
    }

    #[test]
    fn sidecars_of_several_kinds_are_understood() {
        for (sentence, is_nfo, text, expected) in [
            (
                "Kodi's film",
                true,
                "<?xml version=\"1.0\"?>\n<movie><titles>x</titles><title>Cats &amp; D&#xF6;gs</title><originaltitle>o\
                 </originaltitle><plot><![CDATA[One <b>\ntwo]]></plot><director clear=\"true\">A B</director>\
                 <premiered>2008-04-10</premiered><year>2009</year></movie>",
                ["Cats & D\u{f6}gs", "A B", "2008-04-10", "One <b>\ntwo"],
            ),
            ("capitals, an empty element first", true, "<TITLE/><Title></Title><Title>a</TITLE>", ["a", "", "", ""]),
            ("a bare ampersand", true, "<title>A & B &nosuch; C</title>", ["A & B &nosuch; C", "", "", ""]),
            (
                "our own",
                false,
                r#"{"title":"T","author":"A","date":"2008","description":"D"}"#,
                ["T", "A", "2008", "D"],
            ),
            (
                "yt-dlp's",
                false,
                "\u{feff}{\"title\":\"T\",\"uploader\":\"U\",\"upload_date\":\"20080410\",\"description\":\"\",\"formats\":[]}",
                ["T", "U", "2008-04-10", ""],
            ),
            ("a number for a year", false, r#"{"title":"T","year":2008}"#, ["T", "", "2008", ""]),
        ] {
            assert_eq!(read(is_nfo, text.as_bytes()), Some(notes(expected)), "{sentence}");
        }
    }

    #[test]
    fn what_is_not_understood_tells_nothing() {
        for (is_nfo, text) in
            [(true, "https://example.org/tt1"), (true, "<title>"), (false, "{"), (false, "[1]"), (true, "")]
        {
            assert_eq!(read(is_nfo, text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_sidecar_made_to_be_slow_is_read_once() {
        let long = |before: &str, piece: &str, after: &str| [before, &*piece.repeat(100_000), after].concat();
        for text in [long("", "<titlex", ">"), long("", "<title ", "/>"), long("<title/>", "<title/>", "")] {
            assert_eq!(read(true, text.as_bytes()), None);
        }
        let title = read(true, long("<title>", "&", ";</title>").as_bytes()).unwrap().title.unwrap();
        assert_eq!(title, "&".repeat(200));
    }

    proptest! {
        #[test]
        fn no_sidecar_breaks_the_reader(text in "(<|>|/|&|;|#|é|title|!\\[CDATA\\[|\\]\\]| ){0,40}", is_nfo in any::<bool>()) {
            let _any = read(is_nfo, text.as_bytes());
        }
    }
}
