//! The bytes of a subtitle file as text: UTF-8 or UTF-16 by their mark, UTF-8 where they are that, or else Windows-1252. Pure.

/// What the bytes 0x80 to 0x9f are in Windows-1252; the five it leaves open are control characters.
const WINDOWS_1252: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2c6}', '\u{2030}',
    '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}',
    '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}',
    '\u{17e}', '\u{178}',
];

/// Returns bytes as text. Nothing is refused: what is damaged becomes U+FFFD.
#[must_use]
pub fn decoded(bytes: &[u8]) -> String {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            // The end of a file that was cut may lie within a character.
            Err(error) if error.error_len().is_none() => String::from_utf8_lossy(bytes).into_owned(),
            Err(_) => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
        },
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.as_chunks().0.iter().map(|two| unit(*two));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_whatever_wrote_it() {
        let cases: [(&str, &[u8], &str); 7] = [
            ("UTF-8", "Grüße €".as_bytes(), "Grüße €"),
            ("with its mark", b"\xef\xbb\xbfabc", "abc"),
            ("UTF-16, little first", b"\xff\xfea\0\xfc\0", "aü"),
            ("UTF-16, big first", b"\xfe\xff\0a\x20\xac", "a€"),
            ("half of a pair", b"\xfe\xff\xd8\x00\0a", "\u{fffd}a"),
            ("Windows-1252", b"Gr\xfc\xdfe \x80 \x93x\x94", "Grüße € \u{201c}x\u{201d}"),
            ("UTF-8 that was cut", b"abc\xc3", "abc\u{fffd}"),
        ];
        for (sentence, bytes, expected) in cases {
            assert_eq!(decoded(bytes), expected, "{sentence}");
        }
    }
}
