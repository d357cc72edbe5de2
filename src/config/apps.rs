//! `[apps]`: what TV apps and media servers are told beside the playlist and the guide.

use super::file::{AppsFile, At};
use super::validate::Judge;

/// What apps are told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Apps {
    /// Whether the station answers as a tuner of the kind HDHomeRun, which media servers find by themselves.
    pub hdhomerun: bool,
    /// The address that stands before every path in playlists and guides, without a slash at its end; none for the one that
    /// whoever asks has used.
    pub address: Option<String>,
}

impl Judge<'_> {
    /// Returns what apps are told.
    pub(super) fn apps(&mut self, file: AppsFile) -> Apps {
        "[apps]".clone_into(&mut self.place);
        let hdhomerun = file.hdhomerun.is_some_and(toml::Spanned::into_inner);
        Apps { hdhomerun, address: file.address.and_then(|address| self.address(&address)) }
    }

    /// Returns an address without a path.
    fn address(&mut self, address: &At<String>) -> Option<String> {
        let text = address.get_ref().trim().trim_end_matches('/');
        if text == "off" {
            return None;
        }
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        if rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(plain) && text.parse::<hyper::Uri>().is_ok()) {
            return Some(text.to_owned());
        }
        let message = format!("address is not one that apps could ask: {:?}", address.get_ref());
        let hint = "as a browser shows it, without a path: \"https://tv.example.org\"".to_owned();
        self.complain(&address.span(), message, Some(hint));
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::parse;

    /// Goal: what is written is what is meant, and a slip is told its remedy. Method: a table.
    #[test]
    fn apps_are_told_what_is_written() {
        let load = |apps: &str| {
            let text = format!("{apps}\n[[channel]]\nname = \"A\"\nfolder = \"a\"\n");
            parse(&text, Path::new("channels.toml"), 2)
                .map(|config| config.apps)
                .map_err(|problems| problems.to_string())
        };
        assert_eq!(load("").unwrap(), super::Apps::default());
        assert!(load("[apps]\nhdhomerun = true").unwrap().hdhomerun);
        for (written, expected) in [
            ("https://tv.example.org/", "https://tv.example.org"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            (" http://tv_1:80 ", "http://tv_1:80"),
        ] {
            assert_eq!(load(&format!("[apps]\naddress = \"{written}\"")).unwrap().address.as_deref(), Some(expected));
        }
        assert_eq!(load("[apps]\naddress = \"off\"").unwrap().address, None);
        for (written, words) in [
            ("address = \"tv.example.org\"", "without a path: \"https://tv.example.org\""),
            ("address = \"https://tv.example.org/tv\"", "address is not one that apps could ask"),
            ("address = \"https://a:b@tv.example.org\"", "address is not one that apps could ask"),
            ("address = \"https://\"", "address is not one that apps could ask"),
            ("address = \"https://tv\\\"\"", "address is not one that apps could ask"),
            ("hdhomerun = \"yes\"", "hdhomerun must be true or false"),
            ("hdhr = true", "the keys are hdhomerun, address"),
        ] {
            let told = load(&format!("[apps]\n{written}")).expect_err(written);
            assert!(told.contains(words), "{told}");
        }
    }
}
