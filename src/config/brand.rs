//! `colour` and `logo`: how a station and its channels look where the pages leave room for it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::file::At;
use super::validate::Judge;
use crate::units::ChannelId;

/// What the pages' letters stand on.
pub const NIGHT: Colour = Colour([0x07, 0x08, 0x0b]);

/// The least contrast of letters to what they stand on (WCAG 2.2 §1.4.3).
pub const CONTRAST_MIN: f64 = 4.5;

/// The colours of the test card, by which channels differ that have none of their own.
pub const TEST_CARD: [Colour; 6] = [
    Colour([0xe8, 0xd4, 0x4d]),
    Colour([0x4c, 0xc9, 0xd8]),
    Colour([0x58, 0xc4, 0x70]),
    Colour([0xd4, 0x62, 0xc4]),
    Colour([0xe5, 0x48, 0x4d]),
    Colour([0x6d, 0x8b, 0xff]),
];

/// The endings that the file of a logo may have.
const PICTURES: [&str; 5] = ["png", "jpg", "jpeg", "webp", "svg"];

/// A colour: red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

impl Colour {
    /// Reads `#rrggbb`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        // A sign would be read, too.
        let whole = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        whole.then(|| Some(Self([part(0)?, part(2)?, part(4)?]))).flatten()
    }

    /// Returns how bright it is, between 0 and 1 (WCAG 2.2, "relative luminance").
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Returns the contrast between two colours, from 1 to 21 (WCAG 2.2, "contrast ratio").
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Returns the nearest lighter one that can be read on the pages.
    fn lightened(self) -> Self {
        let mixed = |white: u16| {
            let part = |part: u8| u16::from(part) + (255 - u16::from(part)) * white / 100;
            Self(self.0.map(|one| u8::try_from(part(one)).unwrap_or(u8::MAX)))
        };
        (0..=100).map(mixed).find(|mixed| mixed.contrast(NIGHT) >= CONTRAST_MIN).unwrap_or(Self([255; 3]))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// How a station looks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Brand {
    /// The colour of the station.
    pub colour: Option<Colour>,
    /// Those of the channels that have anything of their own.
    pub channels: BTreeMap<ChannelId, ChannelBrand>,
}

/// How a channel looks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelBrand {
    /// The colour of the channel.
    pub colour: Option<Colour>,
    /// The file of its logo.
    pub logo: Option<PathBuf>,
}

impl Brand {
    /// Returns the colour of the channel at a place in the station's list, counted from 0: its own, the station's, or one of
    /// the test card.
    #[must_use]
    pub fn colour_of(&self, id: &ChannelId, place: usize) -> Colour {
        let own = self.channels.get(id).and_then(|channel| channel.colour);
        own.or(self.colour).unwrap_or(TEST_CARD[place % TEST_CARD.len()])
    }

    /// Returns the file of a channel's logo, where it has one.
    #[must_use]
    pub fn logo_of(&self, id: &ChannelId) -> Option<&Path> {
        self.channels.get(id)?.logo.as_deref()
    }
}

impl Judge<'_> {
    /// Returns a colour that can be read on the pages.
    pub(super) fn colour(&mut self, written: &At<String>) -> Option<Colour> {
        let text = written.get_ref().trim();
        if text == "off" {
            return None;
        }
        let Some(colour) = Colour::read(text) else {
            let hint = "# and six digits of 0-9 and a-f, as in CSS: \"#e8d44d\"; or \"off\"".to_owned();
            self.complain(&written.span(), format!("colour is not one: {text:?}"), Some(hint));
            return None;
        };
        let contrast = colour.contrast(NIGHT);
        if contrast >= CONTRAST_MIN {
            return Some(colour);
        }
        let message = format!(
            "colour {colour} cannot be read on the dark pages: its contrast is {contrast:.1}, and {CONTRAST_MIN} is needed"
        );
        let hint = format!("a lighter one of the same hue: \"{}\"", colour.lightened());
        self.complain(&written.span(), message, Some(hint));
        None
    }

    /// Returns the file of a logo.
    pub(super) fn logo(&mut self, written: &At<String>) -> Option<PathBuf> {
        let ending = Path::new(written.get_ref()).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if PICTURES.iter().any(|known| ending.eq_ignore_ascii_case(known)) {
            return self.path(written, "logo");
        }
        let message = format!("logo is no picture that apps show: {:?}", written.get_ref());
        let hint = "a .png, which all of them show, or .jpg, .webp, .svg: \"logos/cats.png\"".to_owned();
        self.complain(&written.span(), message, Some(hint));
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::parse;

    fn load(station: &str, channel: &str) -> Result<Brand, String> {
        let text = format!("[station]\n{station}\n[[channel]]\nname = \"Cats\"\nfolder = \"cats\"\n{channel}\n");
        parse(&text, Path::new("/etc/tv/channels.toml"), 2)
            .map(|config| config.brand)
            .map_err(|problems| problems.to_string())
    }

    #[test]
    fn a_brand_is_understood() {
        let cats = ChannelId::new("cats").unwrap();
        assert_eq!(load("", "").unwrap(), Brand::default());
        let brand = load("colour = \"#E8D44D\"", "logo = \"logos/cats.PNG\"").unwrap();
        assert_eq!(brand.colour_of(&cats, 1).to_string(), "#e8d44d", "the station's");
        assert_eq!(brand.logo_of(&cats), Some(Path::new("/etc/tv/logos/cats.PNG")));
        assert_eq!(load("colour = \"off\"", "").unwrap(), Brand::default());
        let brand = load("colour = \"#e8d44d\"", "colour = \"#ffffff\"").unwrap();
        assert_eq!((brand.colour_of(&cats, 1), brand.logo_of(&cats)), (Colour([255; 3]), None));
        let plain = Brand::default();
        assert_eq!((plain.colour_of(&cats, 0), plain.colour_of(&cats, 7)), (TEST_CARD[0], TEST_CARD[1]));
    }

    #[test]
    fn slips_are_told_with_their_remedy() {
        for (station, channel, words) in [
            ("colour = \"yellow\"", "", "colour is not one: \"yellow\""),
            ("colour = \"#fff\"", "", "# and six digits"),
            ("colour = \"#+1+1+1\"", "", "# and six digits"),
            ("colour = \"#\u{e9}\u{e9}\u{e9}\"", "", "# and six digits"),
            ("colour = 7", "", "colour must be text in quotes"),
            (
                "",
                "colour = \"#102040\"",
                "colour #102040 cannot be read on the dark pages: its contrast is 1.2, and 4.5",
            ),
            ("", "colour = \"#102040\"", "a lighter one of the same hue: \"#6f798c\""),
            ("", "logo = \"logo.gif\"", "logo is no picture that apps show: \"logo.gif\""),
            ("", "logo = \"\"", "a .png, which all of them show"),
            ("", "logo = \"~/logo.png\"", "write the whole path"),
            ("logo = \"logo.png\"", "", "it belongs to [[channel]]"),
        ] {
            let told = load(station, channel).expect_err(words);
            assert!(told.contains(words), "{words}\n{told}");
        }
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        for (a, b, expected) in
            [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#ff0000", "#ff0000", 1.0)]
        {
            let (a, b) = (Colour::read(a).unwrap(), Colour::read(b).unwrap());
            assert!((a.contrast(b) - expected).abs() < 0.01, "{a} {b}: {}", a.contrast(b));
        }
        for colour in TEST_CARD {
            assert!(colour.contrast(NIGHT) >= CONTRAST_MIN, "{colour}");
        }
    }

    proptest! {
        #[test]
        fn every_colour_is_read_as_it_is_written_and_can_be_made_readable(parts in any::<[u8; 3]>()) {
            let colour = Colour(parts);
            prop_assert_eq!(Colour::read(&colour.to_string()), Some(colour));
            let lightened = colour.lightened();
            prop_assert!(lightened.contrast(NIGHT) >= CONTRAST_MIN);
            prop_assert!(colour.contrast(NIGHT) < CONTRAST_MIN || lightened == colour);
        }
    }
}
