//! The playlist of all channels, `/channels.m3u`: extended M3U as IPTV apps read it.

use std::fmt::{self, Display, Write as _};
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde::Deserialize;

use super::{CACHE, Listed, Origin, playlist_of, tagged};
use crate::http::error::HttpError;
use crate::http::state::StationView;

/// Not the type of HLS: browsers and players would take the list for a stream.
pub(in crate::http) const CHANNELS_TYPE: &str = "audio/x-mpegurl; charset=utf-8";

/// Which address of a channel is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// HLS: what nearly all apps play best.
    #[default]
    Hls,
    /// Endless MPEG-TS, for players without HLS.
    Ts,
}

impl Stream {
    /// Returns the last part of a channel's address.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Hls => "index.m3u8",
            Self::Ts => "live.ts",
        }
    }
}

/// What is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    format: Stream,
}

/// Answers with the playlist of all channels.
pub(super) async fn channels(
    State(view): State<Arc<StationView>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let Query(wanted) = wanted.map_err(|_| HttpError::Malformed)?;
    let roster = view.roster();
    let origin = Origin::of(&roster, &uri, &headers)?;
    Ok(tagged(CHANNELS_TYPE, CACHE, playlist_of(&origin, &roster, wanted.format), &headers))
}

/// Writes the playlist. `origin` stands before every path.
#[must_use]
pub fn render(origin: &impl Display, station: &str, channels: &[Listed<'_>], stream: Stream) -> String {
    // Both spellings are in use.
    let mut text = format!("#EXTM3U url-tvg=\"{origin}/guide.xml\" x-tvg-url=\"{origin}/guide.xml\"\n");
    for channel in channels {
        let (name, station) = (Word(&channel.name), Word(station));
        let _infallible = write!(
            text,
            "#EXTINF:-1 tvg-id=\"{}\" tvg-chno=\"{}\" tvg-name=\"{name}\" tvg-logo=\"{origin}{}\" group-title=\"{station}\",{name}\n\
             {origin}/channels/{}/{}\n",
            channel.guide_id(),
            channel.number,
            channel.logo,
            channel.id,
            stream.file(),
        );
    }
    text
}

/// A text in an attribute or behind the comma: there is no way to write a quote or a line break in either.
struct Word<'t>(&'t str);

impl Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = self.0.split(|c: char| c.is_control() || "\u{2028}\u{2029}".contains(c));
        let whole = |word: &&str| !word.is_empty();
        let first = words.by_ref().find(whole);
        for (n, word) in first.into_iter().chain(words.filter(whole)).enumerate() {
            if n > 0 {
                f.write_char(' ')?;
            }
            for c in word.chars() {
                f.write_char(if c == '"' { '\'' } else { c })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::ChannelId;

    fn channel<'s>(id: &'s ChannelId, number: usize, name: &str) -> Listed<'s> {
        Listed { id, number, name: name.into(), logo: format!("/channels/{id}/logo.png") }
    }

    #[test]
    fn a_playlist_is_as_apps_read_it() {
        let (cats, dogs) = (ChannelId::new("cats").unwrap(), ChannelId::new("dogs").unwrap());
        let channels = [channel(&cats, 1, "Cats, \"all\" of them"), channel(&dogs, 2, "Dogs")];
        let expected = "#EXTM3U url-tvg=\"http://tv:80/guide.xml\" x-tvg-url=\"http://tv:80/guide.xml\"\n\
            #EXTINF:-1 tvg-id=\"cats.nightcast\" tvg-chno=\"1\" tvg-name=\"Cats, 'all' of them\" \
            tvg-logo=\"http://tv:80/channels/cats/logo.png\" group-title=\"Tom & Co\",Cats, 'all' of them\n\
            http://tv:80/channels/cats/live.ts\n\
            #EXTINF:-1 tvg-id=\"dogs.nightcast\" tvg-chno=\"2\" tvg-name=\"Dogs\" \
            tvg-logo=\"http://tv:80/channels/dogs/logo.png\" group-title=\"Tom & Co\",Dogs\n\
            http://tv:80/channels/dogs/live.ts\n";
        assert_eq!(render(&"http://tv:80", "Tom & Co", &channels, Stream::Ts), expected);
        assert!(render(&"http://tv:80", "Tom & Co", &channels, Stream::Hls).ends_with("/channels/dogs/index.m3u8\n"));
    }

    proptest! {
        /// Goal: no name breaks the list. Method: any names; a reader that takes lines and quotes as they stand finds as many
        /// channels as there are, with the attributes that were meant.
        #[test]
        fn any_name_leaves_the_list_whole(station in any::<String>(), names in prop::collection::vec(any::<String>(), 0..5)) {
            let id = ChannelId::new("cats").unwrap();
            let channels: Vec<_> = names.iter().enumerate().map(|(n, name)| channel(&id, n + 1, name)).collect();
            let text = render(&"http://tv", &station, &channels, Stream::Hls);
            let lines: Vec<&str> = text.split('\n').collect();
            prop_assert_eq!(lines.len(), 2 * names.len() + 2);
            prop_assert!(!text.contains('\r') && lines[0].starts_with("#EXTM3U "));
            for pair in lines[1..lines.len() - 1].chunks(2) {
                prop_assert_eq!(pair[0].matches('"').count(), 10, "{}", pair[0]);
                let attributes: Vec<&str> = pair[0].split('"').step_by(2).collect();
                let expected = ["#EXTINF:-1 tvg-id=", " tvg-chno=", " tvg-name=", " tvg-logo=", " group-title="];
                prop_assert_eq!(&attributes[..5], &expected);
                prop_assert!(attributes[5].starts_with(','));
                prop_assert_eq!(pair[1], "http://tv/channels/cats/index.m3u8");
            }
        }
    }
}
