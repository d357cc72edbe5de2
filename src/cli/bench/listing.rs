//! What a simulated viewer reads: where the station is, and playlists by RFC 8216. Pure.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// How many segments of one playlist are read: more than any live window lists.
const SEGMENTS_MAX: usize = 1000;

/// The port where an address names none.
const PORT: u16 = 80;

/// Returns where a station is; only this machine can be asked.
///
/// # Errors
/// A sentence that says what is wrong with the address.
pub fn station(url: &str) -> Result<SocketAddr, String> {
    let rest = url.strip_prefix("http://").ok_or("the address must begin with http://")?;
    let host = rest.strip_suffix('/').unwrap_or(rest);
    let local = || host.strip_prefix("localhost").map(|port| format!("{}{port}", Ipv4Addr::LOCALHOST));
    let host = local().unwrap_or_else(|| host.to_owned());
    let bare = || host.trim_matches(['[', ']']).parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, PORT));
    let address = host.parse::<SocketAddr>().ok().or_else(bare);
    match address {
        Some(address) if address.ip().to_canonical().is_loopback() => Ok(address),
        Some(address) => Err(format!(
            "{} is another machine: a crowd is let loose on this one only, at 127.0.0.1 or [::1] (hint: run the command \
             where the station runs)",
            address.ip()
        )),
        None => {
            Err("the address must be like http://127.0.0.1:8080, with a number and no name but localhost".to_owned())
        }
    }
}

/// One segment of a playlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its media sequence number.
    pub number: u64,
    /// How long it plays.
    pub length: Duration,
    /// Its path on the station.
    pub path: String,
}

/// What a playlist says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// The paths of other playlists of the same programme, the first of which players begin with.
    Variants(Vec<String>),
    /// Segments, oldest first.
    Media {
        /// EXT-X-TARGETDURATION.
        target: Duration,
        /// The segments.
        segments: Vec<Listed>,
    },
}

/// Reads a playlist that was found at a path.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn read(text: &str, path: &str) -> Result<Listing, &'static str> {
    let mut lines = text.lines();
    if lines.next() != Some("#EXTM3U") {
        return Err("the playlist does not begin with #EXTM3U");
    }
    let (mut target, mut number, mut length, mut is_variant) = (None, 0_u64, None, false);
    let (mut segments, mut variants) = (Vec::new(), Vec::new());
    for line in lines.filter(|line| !line.is_empty()) {
        if let Some(value) = line.strip_prefix("#EXT-X-TARGETDURATION:") {
            target = value.parse().ok().map(Duration::from_secs);
        } else if let Some(value) = line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:") {
            number = value.parse().map_err(|_| "its media sequence is no number")?;
        } else if let Some(value) = line.strip_prefix("#EXTINF:") {
            let secs = value.split(',').next().and_then(|secs| secs.parse().ok());
            length = secs.and_then(|secs| Duration::try_from_secs_f64(secs).ok());
        } else if line.starts_with("#EXT-X-STREAM-INF:") {
            is_variant = true;
        } else if !line.starts_with('#') && is_variant {
            variants.push(resolved(line, path));
            is_variant = false;
        } else if !line.starts_with('#') && segments.len() < SEGMENTS_MAX {
            let length = length.take().ok_or("a segment has no length")?;
            segments.push(Listed { number, length, path: resolved(line, path) });
            number = number.saturating_add(1);
        }
    }
    match target {
        _ if !variants.is_empty() => Ok(Listing::Variants(variants)),
        Some(target) if !segments.is_empty() => Ok(Listing::Media { target, segments }),
        Some(_) => Err("the playlist lists no segment"),
        None => Err("the playlist has no target duration"),
    }
}

/// Returns the path that a reference in a playlist leads to.
fn resolved(reference: &str, path: &str) -> String {
    if reference.starts_with('/') {
        return reference.to_owned();
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{reference}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked() {
        for (url, expected) in [
            ("http://127.0.0.1:8080", Ok("127.0.0.1:8080")),
            ("http://127.3.2.1:9/", Ok("127.3.2.1:9")),
            ("http://localhost:8080", Ok("127.0.0.1:8080")),
            ("http://localhost", Ok("127.0.0.1:80")),
            ("http://[::1]:8080", Ok("[::1]:8080")),
            ("http://[::1]", Ok("[::1]:80")),
            ("http://192.0.2.1:8080", Err("another machine")),
            ("http://0.0.0.0:8080", Err("another machine")),
            ("http://[2001:db8::1]:80", Err("another machine")),
            ("http://tv.example:8080", Err("no name but localhost")),
            ("http://localhost.example", Err("no name but localhost")),
            ("https://127.0.0.1:8080", Err("must begin with http://")),
            ("127.0.0.1:8080", Err("must begin with http://")),
        ] {
            match (station(url), expected) {
                (Ok(address), Ok(expected)) => assert_eq!(address, expected.parse().unwrap(), "{url}"),
                (Err(error), Err(words)) => assert!(error.contains(words), "{url}: {error}"),
                (got, _) => panic!("{url}: {got:?}"),
            }
        }
    }

    #[test]
    fn a_media_playlist_is_read_with_numbers_lengths_and_paths() {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:17\n#EXT-X-PROGRAM-DATE-TIME:x\n\
                    #EXTINF:2.000000,\nsegments/17.ts\n#EXTINF:1.5,a title\n/elsewhere/18.ts\n";
        let listed = |number, millis, path: &str| Listed {
            number,
            length: Duration::from_millis(millis),
            path: path.to_owned(),
        };
        let expected = Listing::Media {
            target: Duration::from_secs(6),
            segments: vec![listed(17, 2000, "/channels/a/segments/17.ts"), listed(18, 1500, "/elsewhere/18.ts")],
        };
        assert_eq!(read(text, "/channels/a/index.m3u8"), Ok(expected));
    }

    #[test]
    fn of_a_multivariant_playlist_the_playlists_are_read() {
        let text =
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=3\nvideo.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/low/video.m3u8\n";
        let paths = ["/channels/a/video.m3u8", "/low/video.m3u8"].map(str::to_owned).to_vec();
        assert_eq!(read(text, "/channels/a/index.m3u8"), Ok(Listing::Variants(paths)));
    }

    #[test]
    fn what_is_no_playlist_is_named() {
        for (text, words) in [
            ("", "#EXTM3U"),
            ("<html>", "#EXTM3U"),
            ("#EXTM3U\n", "no target duration"),
            ("#EXTM3U\n#EXT-X-TARGETDURATION:6\n", "lists no segment"),
            ("#EXTM3U\n#EXT-X-TARGETDURATION:6\na.ts\n", "no length"),
            ("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:-1,\na.ts\n", "no length"),
            ("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:x\n", "no number"),
        ] {
            assert!(read(text, "/a").unwrap_err().contains(words), "{text}");
        }
    }
}
