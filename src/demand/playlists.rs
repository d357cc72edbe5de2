//! The playlists of a film that is watched on demand: media playlists of the kind VOD, and the list of them. Pure.

use std::fmt::Write as _;
use std::sync::Arc;

use super::parts::{Part, target_secs};
use crate::config::Language;
use crate::hls::h264::Sps;
use crate::hls::ladder::{Offer, bits_a_second, multivariant};
use crate::hls::snapshot::{RenditionTold, SubtitlesTold};
use crate::units::MediaTime;

/// What the one segment of a language's subtitles is called.
pub const SUBTITLES_FILE: &str = "0.vtt";

/// A film as its viewers are told of it.
#[derive(Clone, Debug)]
pub struct Told<'f> {
    /// What it is offered in, by [`crate::channel::task::offers`].
    pub offers: &'f [Offer],
    /// The pictures of its mezzanine, in their order; as many as could be read.
    pub pictures: &'f [Option<Sps>],
    /// The languages of its subtitles.
    pub languages: &'f [Language],
    /// Its segments.
    pub parts: &'f [Part],
}

impl Told<'_> {
    /// Returns the playlist of a film's playlists, which lie in a folder of this name beside it.
    #[must_use]
    pub fn multivariant(&self, folder: &str) -> String {
        let subtitles: Vec<_> = self.languages.iter().map(SubtitlesTold::of).collect();
        multivariant(&self.renditions(), &subtitles, &format!("{folder}/"))
    }

    fn renditions(&self) -> Vec<RenditionTold> {
        let mut pictures = self.pictures.iter();
        // The bytes of a segment are those of one picture only where there is one.
        let (peak, mean) = if self.pictures.len() == 1 { self.measured() } else { (0, 0) };
        let one = |offer: &Offer| RenditionTold {
            name: Arc::clone(&offer.name),
            picture: if offer.audio_only { None } else { pictures.next().copied().flatten() },
            audio_only: offer.audio_only,
            bandwidth: if peak > 0 && !offer.audio_only { peak } else { offer.bits_max },
            average: if offer.audio_only { 0 } else { mean },
        };
        self.offers.iter().map(one).collect()
    }

    /// Returns the bit rate that no set of segments exceeds, and that of the whole.
    fn measured(&self) -> (u64, u64) {
        let peak = self.parts.iter().map(|part| bits_a_second(part.bytes, part.duration)).max().unwrap_or_default();
        let bytes = self.parts.iter().map(|part| part.bytes).sum();
        (peak, bits_a_second(bytes, self.parts.iter().map(|part| part.duration).sum()))
    }
}

/// Returns the media playlist of one rendition: segments are `0.ts` and so on, beside it.
///
/// Source: RFC 8216 §4.3.3 (with EXT-X-PLAYLIST-TYPE and EXT-X-ENDLIST: nothing is ever added) and §4.3.2.
#[must_use]
pub fn media(parts: &[Part]) -> String {
    let mut text = String::with_capacity(192 + parts.len() * 32);
    head(&mut text, target_secs(parts));
    for (number, part) in parts.iter().enumerate() {
        // Writing into a String cannot fail.
        let _infallible = write!(text, "#EXTINF:{:.6},\n{number}.ts\n", part.duration.as_secs_f64());
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

/// Returns the media playlist of a language's subtitles: all of them are one segment.
#[must_use]
pub fn subtitles(duration: MediaTime) -> String {
    let mut text = String::new();
    head(&mut text, target_secs(&[Part { gops: 0..1, duration, bytes: 0 }]));
    let secs = duration.as_secs_f64();
    let _infallible = write!(text, "#EXTINF:{secs:.6},\n{SUBTITLES_FILE}\n#EXT-X-ENDLIST\n");
    text
}

fn head(text: &mut String, target_secs: i64) {
    let _infallible = write!(
        text,
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:{target_secs}\n#EXT-X-MEDIA-SEQUENCE:0\n\
         #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(millis: i64, bytes: u64) -> Part {
        Part { gops: 0..1, duration: MediaTime::from_millis(millis), bytes }
    }

    fn offer(name: &str, bits_max: u64) -> Offer {
        Offer { name: name.into(), bits_max, audio_only: name == "audio" }
    }

    const HIGH: Sps = Sps { codec: [0x64, 0, 0x1f], width: 1280, height: 720, fps: Some(25.0) };

    #[test]
    fn a_film_is_a_playlist_with_an_end() {
        assert_eq!(
            media(&[part(2002, 1), part(5500, 1)]),
            "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n\
             #EXT-X-INDEPENDENT-SEGMENTS\n#EXTINF:2.002000,\n0.ts\n#EXTINF:5.500000,\n1.ts\n#EXT-X-ENDLIST\n"
        );
        let lines = subtitles(MediaTime::from_millis(7_301_400));
        assert!(
            lines.contains("#EXT-X-TARGETDURATION:7301\n") && lines.contains("\n#EXTINF:7301.400000,\n0.vtt\n"),
            "{lines}"
        );
    }

    #[test]
    fn one_picture_is_measured_and_has_its_subtitles() {
        let told = Told {
            offers: &[offer("picture", 9)],
            pictures: &[Some(HIGH)],
            languages: &[Language::read("en").unwrap()],
            parts: &[part(2000, 1000), part(2000, 3000)],
        };
        assert_eq!(
            told.multivariant("abc"),
            "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n\
             #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subs\",NAME=\"English\",LANGUAGE=\"en\",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI=\"abc/subs-en/index.m3u8\"\n\
             #EXT-X-STREAM-INF:BANDWIDTH=12000,AVERAGE-BANDWIDTH=8000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=25.000,SUBTITLES=\"subs\"\n\
             abc/picture/index.m3u8\n"
        );
    }

    #[test]
    fn of_several_pictures_the_ceiling_is_told_and_sound_alone_is_told_as_that() {
        let small = Sps { width: 320, height: 180, ..HIGH };
        let told = Told {
            offers: &[offer("720p", 7000), offer("180p", 700), offer("audio", 70)],
            pictures: &[Some(HIGH), Some(small)],
            languages: &[],
            parts: &[part(2000, 9000)],
        };
        let text = told.multivariant("v");
        let lines: Vec<&str> = text.lines().skip(3).collect();
        assert_eq!(
            lines,
            [
                "#EXT-X-STREAM-INF:BANDWIDTH=7000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=25.000",
                "v/720p/index.m3u8",
                "#EXT-X-STREAM-INF:BANDWIDTH=700,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=320x180,FRAME-RATE=25.000",
                "v/180p/index.m3u8",
                "#EXT-X-STREAM-INF:BANDWIDTH=70,CODECS=\"mp4a.40.2\"",
                "v/audio/index.m3u8",
            ]
        );
    }
}
