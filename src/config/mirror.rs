//! `[mirror]`: where copies of what viewers fetch are kept, so that they need not come to the station.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::file::{At, MirrorFile};
use super::validate::Judge;
use crate::units::ChannelId;

/// The region where none is named and the environment names none: what S3-compatible stores of one's own take.
pub const REGION: &str = "us-east-1";

/// The longest name of a bucket (S3: 63), in bytes.
const BUCKET_LEN_MAX: usize = 63;

/// The longest path within a bucket, in bytes: a key has 1024, and a channel's id and a file's name follow.
const PREFIX_LEN_MAX: usize = 512;

/// Where copies are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Mirror {
    /// The store.
    pub place: Place,
    /// The channels of which none are kept there.
    pub without: BTreeSet<ChannelId>,
}

impl Mirror {
    /// Returns its folder, where it is one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::Folder(path) => Some(path),
            Place::Bucket(_) => None,
        }
    }
}

/// A store.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// One that speaks S3.
    Bucket(Bucket),
    /// A folder, which some web server shows.
    Folder(PathBuf),
}

/// A bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// What stands before the channels' ids in it, without slashes around; may be empty.
    pub prefix: String,
    /// Where the store is, `https://s3.example.org`; none for Amazon's, or the environment's.
    pub endpoint: Option<String>,
    /// The store's region; none for the environment's, or [`REGION`].
    pub region: Option<String>,
    /// The file that holds the keys; none where the environment holds them.
    pub credentials_file: Option<PathBuf>,
}

/// What a channel says of the mirror.
pub(super) struct MirrorWish {
    pub(super) id: ChannelId,
    /// For messages.
    pub(super) place: String,
    pub(super) wish: At<bool>,
}

impl Judge<'_> {
    /// Returns the mirror, where one is wanted.
    pub(super) fn mirror(&mut self, file: Option<MirrorFile>, wishes: Vec<MirrorWish>) -> Option<Mirror> {
        let Some(file) = file else {
            for MirrorWish { place, wish, .. } in wishes.into_iter().filter(|wish| *wish.wish.get_ref()) {
                self.place = place;
                let hint = "say where to: [mirror] with url = \"s3://bucket/tv\"".to_owned();
                self.complain(&wish.span(), "there is no mirror to keep copies in".to_owned(), Some(hint));
            }
            return None;
        };
        "[mirror]".clone_into(&mut self.place);
        let credentials_file = file.credentials_file.as_ref().and_then(|path| self.path(path, "credentials-file"));
        let endpoint = file.endpoint.as_ref().and_then(|endpoint| self.endpoint(endpoint));
        let region = file.region.as_ref().and_then(|region| self.region(region));
        let place = self.place_of(file.url.as_ref()?)?;
        let place = match place {
            Place::Bucket(bucket) => Place::Bucket(Bucket { endpoint, region, credentials_file, ..bucket }),
            Place::Folder(path) => {
                let keys = [("endpoint", &file.endpoint), ("region", &file.region)];
                let keys = keys.into_iter().chain([("credentials-file", &file.credentials_file)]);
                for (key, written) in keys.filter_map(|(key, written)| Some((key, written.as_ref()?))) {
                    let hint = "it belongs to url = \"s3://...\": leave it out".to_owned();
                    self.complain(&written.span(), format!("{key} has no meaning for a folder"), Some(hint));
                }
                Place::Folder(path)
            }
        };
        let without = wishes.into_iter().filter(|wish| !wish.wish.get_ref()).map(|wish| wish.id).collect();
        Some(Mirror { place, without })
    }

    fn place_of(&mut self, url: &At<String>) -> Option<Place> {
        const SUCH_AS: &str = "\"s3://bucket/tv\", or a folder: \"file:///srv/www/tv\"";
        let text = url.get_ref();
        let (message, hint) = if let Some(rest) = text.strip_prefix("s3://") {
            let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            let prefix = prefix.trim_matches('/');
            if name.contains('@') {
                let hint = "keys stand in credentials-file, or in the environment: AWS_ACCESS_KEY_ID".to_owned();
                ("url may hold no keys".to_owned(), hint)
            } else if !is_bucket(name) {
                let hint = "3 to 63 of a-z, 0-9, - and ., beginning and ending with a letter or digit".to_owned();
                (format!("no bucket can be called {name:?}"), hint)
            } else if !is_prefix(prefix) {
                let hint = "letters, digits and -_.~ between single slashes, without . and ..".to_owned();
                (format!("the path in the bucket is not plain: {prefix:?}"), hint)
            } else {
                let (name, prefix) = (name.to_owned(), prefix.to_owned());
                return Some(Place::Bucket(Bucket {
                    name,
                    prefix,
                    endpoint: None,
                    region: None,
                    credentials_file: None,
                }));
            }
        } else if let Some(path) = text.strip_prefix("file://") {
            if path.starts_with('/') && !path.trim_matches('/').is_empty() && !path.contains('\0') {
                return Some(Place::Folder(PathBuf::from(path)));
            }
            (format!("url names no folder: {text:?}"), "with three slashes: \"file:///srv/www/tv\"".to_owned())
        } else {
            (format!("url is no place for copies: {text:?}"), SUCH_AS.to_owned())
        };
        self.complain(&url.span(), message, Some(hint));
        None
    }

    /// Returns an address without a path: `https://s3.example.org`.
    fn endpoint(&mut self, endpoint: &At<String>) -> Option<String> {
        let text = endpoint.get_ref().trim_end_matches('/');
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
        if rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(plain) && text.parse::<hyper::Uri>().is_ok()) {
            return Some(text.to_owned());
        }
        let hint = "the store's address without bucket and keys: \"https://s3.example.org\", \"http://127.0.0.1:9000\"";
        let message = format!("endpoint is not an address: {:?}", endpoint.get_ref());
        self.complain(&endpoint.span(), message, Some(hint.to_owned()));
        None
    }

    fn region(&mut self, region: &At<String>) -> Option<String> {
        let text = region.get_ref();
        if !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return Some(text.clone());
        }
        let hint = "\"eu-central-1\"; stores of one's own mostly take \"us-east-1\"".to_owned();
        self.complain(&region.span(), format!("region is not one: {text:?}"), Some(hint));
        None
    }
}

fn is_bucket(name: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = name.bytes().next().is_some_and(fine) && name.bytes().next_back().is_some_and(fine);
    (3..=BUCKET_LEN_MAX).contains(&name.len()) && ends && name.bytes().all(|byte| fine(byte) || b"-.".contains(&byte))
}

fn is_prefix(prefix: &str) -> bool {
    let part = |part: &str| {
        let plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
        !part.is_empty() && plain && part != "." && part != ".."
    };
    prefix.is_empty() || (prefix.len() <= PREFIX_LEN_MAX && prefix.split('/').all(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    const CHANNELS: &str = "[[channel]]\nname = \"A\"\nfolder = \"a\"\n[[channel]]\nname = \"B\"\nfolder = \"b\"\n";

    fn load(mirror: &str, more: &str) -> Result<Option<Mirror>, String> {
        let text = format!("{mirror}\n{CHANNELS}{more}\n");
        parse(&text, Path::new("/etc/tv/channels.toml"), 2)
            .map(|config| config.mirror)
            .map_err(|problems| problems.to_string())
    }

    fn bucket(name: &str, prefix: &str) -> Bucket {
        let (name, prefix) = (name.to_owned(), prefix.to_owned());
        Bucket { name, prefix, endpoint: None, region: None, credentials_file: None }
    }

    /// Goal: what is written is what is meant. Method: a table of all that can be said.
    #[test]
    fn a_mirror_is_understood() {
        let place = |text: &str| load(text, "").unwrap().map(|mirror| mirror.place);
        assert_eq!(place(""), None);
        let tv = |bucket| Some(Place::Bucket(bucket));
        assert_eq!(place("[mirror]\nurl = \"s3://films\""), tv(bucket("films", "")));
        assert_eq!(place("[mirror]\nurl = \"s3://films/tv/one/\""), tv(bucket("films", "tv/one")));
        assert_eq!(place("[mirror]\nurl = \"file:///srv/tv\""), Some(Place::Folder("/srv/tv".into())));
        let all = "[mirror]\nurl = \"s3://films/tv\"\nendpoint = \"http://127.0.0.1:9000/\"\nregion = \"here-1\"\n\
                   credentials-file = \"keys\"\n";
        let full = Bucket {
            endpoint: Some("http://127.0.0.1:9000".to_owned()),
            region: Some("here-1".to_owned()),
            credentials_file: Some("/etc/tv/keys".into()),
            ..bucket("films", "tv")
        };
        assert_eq!(place(all), tv(full));
        let without = load("[mirror]\nurl = \"s3://films\"", "mirror = false").unwrap().unwrap().without;
        assert_eq!(without, [ChannelId::new("b").unwrap()].into());
        assert!(load("[mirror]\nurl = \"s3://films\"", "mirror = true").unwrap().unwrap().without.is_empty());
        assert_eq!(load("", "mirror = false").unwrap(), None);
    }

    /// Goal: whoever slips is told where, and what to write. Method: a table of slips and the words of the answer.
    #[test]
    fn slips_are_told_with_their_remedy() {
        for (mirror, more, words) in [
            ("[mirror]", "", "url is missing"),
            ("[mirror]\nurl = \"films\"", "", "url is no place for copies"),
            ("[mirror]\nurl = \"https://s3.example.org/films\"", "", "such as \"s3://bucket/tv\""),
            ("[mirror]\nurl = \"s3://\"", "", "no bucket can be called \"\""),
            ("[mirror]\nurl = \"s3://My_Films\"", "", "3 to 63 of a-z"),
            ("[mirror]\nurl = \"s3://key:secret@films\"", "", "url may hold no keys"),
            ("[mirror]\nurl = \"s3://films/a/../b\"", "", "the path in the bucket is not plain"),
            ("[mirror]\nurl = \"file://srv/tv\"", "", "with three slashes"),
            ("[mirror]\nurl = \"file:///\"", "", "url names no folder"),
            ("[mirror]\nurl = \"file:///srv\"\nregion = \"x\"", "", "region has no meaning for a folder"),
            ("[mirror]\nurl = \"s3://films\"\nendpoint = \"s3.example.org\"", "", "endpoint is not an address"),
            (
                "[mirror]\nurl = \"s3://films\"\nendpoint = \"https://a:b@s3.example.org\"",
                "",
                "without bucket and keys",
            ),
            ("[mirror]\nurl = \"s3://films\"\nregion = \"\"", "", "region is not one"),
            ("[mirror]\nurl = \"s3://films\"\ncredentials-file = \"~/keys\"", "", "write the whole path"),
            ("[mirror]\nurl = \"s3://films\"\nsecret-access-key = \"x\"", "", "the keys are url, endpoint, region"),
            (
                "[mirror]\nurl = \"file:///etc/tv/a/copies\"",
                "",
                "the mirror's folder /etc/tv/a/copies and /etc/tv/a overlap",
            ),
            ("[mirror]\nurl = \"file:///etc/tv/data\"", "", "keep the mirror apart"),
            ("", "mirror = true", "there is no mirror to keep copies in"),
            ("[mirror]\nurl = \"s3://films\"", "mirror = \"no\"", "mirror must be true or false"),
            ("mirror = \"s3://films\"", "", "mirror must be a table, [mirror]"),
            ("[miror]\nurl = \"s3://films\"", "", "did you mean [mirror]?"),
        ] {
            let told = load(mirror, more).expect_err(mirror);
            let told = told.replace("hint: ", "such as ");
            assert!(told.contains(words), "{mirror} {more}: {words}\n{told}");
        }
    }
}
