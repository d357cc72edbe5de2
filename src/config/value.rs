//! Reads the values that have a little language of their own: sizes on disk, sizes of pictures, lengths, ids made from names.

use std::time::Duration;

use crate::units::ChannelId;

/// Returns the bytes of a text such as `50GB`, `1.5 TB` or `512 MiB`; one without a known unit gives none.
///
/// Units as disks are sold (GB, a thousand million bytes) and as memory is counted (GiB, 2³⁰ bytes), in any case.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit_start = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(unit_start);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    #[expect(clippy::cast_precision_loss, reason = "the factors are exact")]
    let total = number * factor as f64;
    // 2^53, nine thousand terabytes: up to there the sum is exact, and nobody owns more.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    (0.0..9_007_199_254_740_992.0).contains(&total).then_some(total.round() as u64)
}

/// Returns the length of a text such as `2h`, `1.5 h`, `90min` or `90 s`; one without a known unit gives none.
pub(super) fn length(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit_start = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(unit_start);
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "s" | "sec" | "seconds" => 1.0,
        "m" | "min" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    Duration::try_from_secs_f64(number * factor).ok()
}

/// Returns width and height of a text such as `1280x720`.
pub(super) fn picture_size(text: &str) -> Option<(u32, u32)> {
    let (width, height) = text.split_once(['x', 'X', '×'])?;
    Some((width.trim().parse().ok()?, height.trim().parse().ok()?))
}

/// Returns the id made from a channel's name: lower case, dashes, letters without their accents; none where nothing
/// is left of the name.
pub(super) fn slug(name: &str) -> Option<ChannelId> {
    let mut slug = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        match character {
            'a'..='z' | '0'..='9' => slug.push(character),
            // "Don't" is one word.
            '\'' | '’' | '\u{300}'..='\u{36f}' => {}
            other => match plain(other) {
                Some(letters) => slug.push_str(letters),
                None if slug.ends_with('-') => {}
                None => slug.push('-'),
            },
        }
    }
    let slug = slug.trim_matches('-');
    if slug.len() <= ChannelId::LEN_MAX {
        return ChannelId::new(slug);
    }
    // Rather a word less than half a word.
    let cut = &slug[..=ChannelId::LEN_MAX];
    let end = cut.rfind('-').unwrap_or(ChannelId::LEN_MAX);
    ChannelId::new(cut[..end].trim_end_matches('-'))
}

/// Returns the plain letters for an accented one of the Latin script (lower case).
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ä' | 'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'ö' | 'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ț' => "t",
        'þ' => "th",
        'ù' | 'ú' | 'û' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ü' => "ue",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_on_disk_are_read_in_both_countings() {
        for (text, expected) in [
            ("50GB", Some(50_000_000_000)),
            ("50 gb", Some(50_000_000_000)),
            ("1.5TB", Some(1_500_000_000_000)),
            ("500MB", Some(500_000_000)),
            ("512MiB", Some(536_870_912)),
            ("2 GiB", Some(2_147_483_648)),
            ("7B", Some(7)),
            ("50", None),
            ("50G", None),
            ("GB", None),
            ("-5GB", None),
            ("1.2.3GB", None),
            ("99999999TB", None),
            ("", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn lengths_are_read_in_seconds_minutes_and_hours() {
        for (text, expected) in [
            ("2h", Some(7200)),
            ("1.5 hours", Some(5400)),
            ("90min", Some(5400)),
            ("90 M", Some(5400)),
            ("30s", Some(30)),
            ("2", None),
            ("h", None),
            ("-2h", None),
            ("2d", None),
            ("99999999999999999999999999h", None),
            ("", None),
        ] {
            assert_eq!(length(text), expected.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn an_id_is_made_from_a_name() {
        for (name, expected) in [
            ("Night Lights", Some("night-lights")),
            ("  24/7!  News ", Some("24-7-news")),
            ("Don't Panic", Some("dont-panic")),
            ("Café Größe", Some("cafe-groesse")),
            ("E\u{301}clair", Some("eclair")),
            ("Łódź & Malmø", Some("lodz-malmo")),
            ("Новости", None),
            ("!!!", None),
            ("A very long name of a channel that goes on", Some("a-very-long-name-of-a-channel-that-goes")),
            (&"x".repeat(60), Some(&"x".repeat(40))),
        ] {
            assert_eq!(slug(name).as_ref().map(ChannelId::as_str), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_name_breaks_the_making_of_ids(name in ".{0,80}") {
            let has_plain_letters = name.chars().any(|c| c.is_ascii_alphanumeric());
            prop_assert_eq!(slug(&name).is_some() || !has_plain_letters, true);
        }
    }
}
