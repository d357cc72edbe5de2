//! The films: what is in them, how they are encoded, and the arguments that make them. Pure.
//!
//! They are as unlike each other as the files of a real library: containers, codecs, sizes, rates, pixel shapes and
//! sound layouts differ, so that the demo is also a trial of everything a channel must join.

use std::ffi::OsString;

use super::pictures::{night_lights, small_hours};
use super::sounds::{self, Piece};

/// One film.
#[derive(Clone, Debug)]
pub struct Film {
    /// The folder it goes to, below the demo folder.
    pub folder: &'static str,
    /// Its file name.
    pub file: &'static str,
    /// Its title, in the picture and in the tags.
    pub title: &'static str,
    /// Its date tag.
    pub date: &'static str,
    /// What is written below the title, one after the other.
    pub lines: [&'static str; 3],
    /// Its length in seconds.
    pub secs: u32,
    /// The encoders it needs.
    pub encoders: &'static [&'static str],
    width: u32,
    height: u32,
    /// Where the title stands, in hundredths of the height.
    title_at: u32,
    picture: fn() -> Vec<String>,
    sound: Option<&'static Piece>,
    encode: &'static str,
}

/// Who made them, as far as the tags are concerned.
const ARTIST: &str = "Nightcast";

/// The font of the titles, as a file name in the working folder.
pub const TITLE_FONT: &str = "title.ttf";
/// The font of the lines, as a file name in the working folder.
pub const LINE_FONT: &str = "line.ttf";

/// How it is written in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Captions {
    /// Title and lines, with [`TITLE_FONT`] and [`LINE_FONT`].
    Drawn,
    /// Nothing: this ffmpeg cannot write, or there is no font.
    None,
}

impl Film {
    /// Returns the name of the unfinished file, which begins with a dot so that no library takes it for an item.
    #[must_use]
    pub fn unfinished(&self) -> String {
        format!(".{}", self.file)
    }

    /// Returns the text files that must lie in the working folder: name and content.
    ///
    /// No text is put into a filter graph, where it could be read as options.
    #[must_use]
    pub fn texts(&self) -> Vec<(String, &'static str)> {
        let lines = (1..).zip(self.lines).map(|(n, line)| (format!("line{n}.txt"), line));
        std::iter::once(("title.txt".to_owned(), self.title)).chain(lines).collect()
    }

    /// Returns ffmpeg's arguments; they write [`Self::unfinished`] in the working folder.
    #[must_use]
    pub fn args(&self, captions: Captions) -> Vec<OsString> {
        let mut args: Vec<String> = Vec::new();
        let mut put = |words: &str| args.extend(words.split(' ').map(str::to_owned));
        put("-hide_banner -nostdin -nostats -v error -progress pipe:1 -y");
        let secs = self.secs.to_string();
        if let Some(piece) = self.sound {
            // The sound is an input of its own: 5.1 hands an encoder frames of the wrong size when a graph without
            // inputs ends in sound ("more samples than frame size").
            args.extend(["-f".to_owned(), "lavfi".to_owned(), "-i".to_owned(), piece.graph(self.secs)]);
        }
        args.extend(["-filter_complex".to_owned(), self.graph(captions)]);
        args.extend(["-map", "[out]"].map(str::to_owned));
        if self.sound.is_some() {
            args.extend(["-map", "0:a"].map(str::to_owned));
        }
        args.extend(["-t".to_owned(), secs]);
        args.extend(self.encode.split_whitespace().map(str::to_owned));
        for (key, value) in [
            ("title", self.title.to_owned()),
            ("artist", ARTIST.to_owned()),
            ("date", self.date.to_owned()),
            ("description", self.lines.join(" ")),
            ("comment", self.lines.join(" ")),
        ] {
            args.extend(["-metadata".to_owned(), format!("{key}={value}")]);
        }
        args.push(format!("file:{}", self.unfinished()));
        args.into_iter().map(OsString::from).collect()
    }

    /// Returns the picture's graph with captions and fades, ending in `[out]`.
    fn graph(&self, captions: Captions) -> String {
        // A round number of pixels scaled up may leave pixels that are not quite square.
        let mut finish = vec!["setsar=1".to_owned()];
        if captions == Captions::Drawn {
            finish.extend(self.captions());
        }
        let out = f64::from(self.secs) - 0.8;
        finish.push(format!("fade=in:st=0:d=0.6,fade=out:st={out}:d=0.8"));
        format!("{};[v]{}[out]", (self.picture)().join(";"), finish.join(","))
    }

    fn captions(&self) -> Vec<String> {
        // On a phone held upright a line may take the width; on a wide picture a twentieth of the height is enough.
        let portrait = self.height > self.width;
        let measure = f64::from(if portrait { self.width } else { self.height });
        let (large, small) =
            if portrait { (measure * 0.11, measure * 0.056) } else { (measure * 0.085, measure * 0.044) };
        let (x, y) = (f64::from(self.width) * 0.06, f64::from(self.height * self.title_at) / 100.0);
        let text = |file: &str, font: &str, size: f64, colour: &str, y: f64, from: f64, to: f64| {
            format!(
                "drawtext=fontfile={font}:textfile={file}:expansion=none:fontsize={size:.0}:fontcolor={colour}\
                 :x={x:.0}:y={y:.0}:shadowcolor=black@0.6:shadowx=2:shadowy=2\
                 :alpha='clip((t-{from:.2})/1.5,0,1)*clip(({to:.2}-t)/1.2,0,1)':enable='between(t,{from:.2},{to:.2})'"
            )
        };
        // A second of picture alone, then three lines of equal time, then a second and a half of picture alone.
        let step = (f64::from(self.secs) - 3.0) / 3.0;
        let mut written = vec![text("title.txt", TITLE_FONT, large, "white", y - large / 2.0, 1.0, 1.5 + step)];
        let mut from = 1.5;
        for n in 1..=3 {
            let begin = if n == 1 { from + 0.8 } else { from + 0.3 };
            let file = format!("line{n}.txt");
            written.push(text(&file, LINE_FONT, small, "0xe8ecf4", y + large * 0.75, begin, from + step));
            from += step;
        }
        written
    }
}

/// Returns the films in the order they are best made: first one for each channel that is quick to make and fit to air
/// as it is, so that a station started meanwhile is on air soon.
#[must_use]
pub fn films() -> Vec<Film> {
    let (one, two) = (night_lights_films(), small_hours_films());
    one.into_iter().zip(two).flat_map(|(a, b)| [a, b]).collect()
}

const NIGHT_LIGHTS: &str = "night-lights";
const SMALL_HOURS: &str = "small-hours";

#[expect(clippy::too_many_lines, reason = "a table")]
fn night_lights_films() -> [Film; 5] {
    [
        Film {
            folder: NIGHT_LIGHTS,
            file: "Aurora.mp4",
            title: "Aurora",
            date: "2024-02-11",
            lines: ["Sixty-nine degrees north.", "The sky has something to say.", "It says it slowly."],
            secs: 20,
            encoders: &["libx264", "aac"],
            width: 1280,
            height: 720,
            title_at: 79,
            picture: night_lights::aurora,
            sound: Some(&sounds::AURORA),
            // Fit to air as it is: H.264 High, closed GOPs of two seconds.
            encode: "-c:v libx264 -preset superfast -profile:v high -crf 21 -maxrate 3M -bufsize 6M -g 50 \
                     -keyint_min 50 -sc_threshold 0 -flags +cgop -c:a aac -b:a 160k -ar 48000 -movflags +faststart",
        },
        Film {
            folder: NIGHT_LIGHTS,
            file: "Night Train.mpg",
            title: "Night Train",
            date: "1998-11-03",
            lines: [
                "The 23:40, calling nowhere soon.",
                "Villages go by with their lamps on.",
                "Your stop is a long way off.",
            ],
            secs: 24,
            encoders: &["mpeg2video", "mp2"],
            width: 720,
            height: 480,
            title_at: 76,
            picture: night_lights::night_train,
            sound: Some(&sounds::NIGHT_TRAIN),
            encode: "-c:v mpeg2video -q:v 4 -maxrate 8M -bufsize 1835k -g 15 -bf 2 -aspect 16:9 -c:a mp2 -b:a 192k \
                     -ar 48000 -f mpeg",
        },
        Film {
            folder: NIGHT_LIGHTS,
            file: "Lava.webm",
            title: "Lava",
            date: "1973",
            lines: ["It has nowhere to be.", "Up takes as long as down.", "Watch the big one."],
            secs: 24,
            encoders: &["libvpx-vp9", "libopus"],
            width: 640,
            height: 360,
            title_at: 79,
            picture: night_lights::lava,
            sound: Some(&sounds::LAVA),
            encode: "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -row-mt 1 -b:v 900k -c:a libopus -b:a 96k \
                     -ar 48000",
        },
        Film {
            folder: NIGHT_LIGHTS,
            file: "City Windows.mkv",
            title: "City Windows",
            date: "2025-01-17",
            lines: [
                "Half past two. Somebody is still reading.",
                "Somebody has just come home.",
                "Leave yours on as well.",
            ],
            secs: 22,
            encoders: &["libx264", "ac3"],
            width: 1920,
            height: 1080,
            title_at: 13,
            picture: night_lights::city_windows,
            sound: Some(&sounds::CITY_WINDOWS),
            encode: "-c:v libx264 -preset superfast -crf 22 \
                     -af pan=5.1|FL=FL|FR=FR|FC=0.5*FL+0.5*FR|LFE=0.2*FL+0.2*FR|BL=0.5*FL|BR=0.5*FR \
                     -c:a ac3 -b:a 384k -ar 48000",
        },
        Film {
            folder: NIGHT_LIGHTS,
            file: "Rain on Glass.mp4",
            title: "Rain on Glass",
            date: "2026-10-05",
            lines: ["Inside is a good place for rain.", "The lights melt a little.", "No umbrella needed."],
            secs: 20,
            encoders: &["libx264", "aac"],
            width: 720,
            height: 1280,
            title_at: 80,
            picture: night_lights::rain_on_glass,
            sound: Some(&sounds::RAIN_ON_GLASS),
            encode: "-c:v libx264 -preset superfast -crf 23 -c:a aac -b:a 128k -ar 48000 -movflags +faststart",
        },
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn small_hours_films() -> [Film; 5] {
    [
        Film {
            folder: SMALL_HOURS,
            file: "Plankton.mp4",
            title: "Plankton",
            date: "2023-08-19",
            lines: ["Very small, very many.", "They light up when the sea is stirred.", "Nobody told them it is late."],
            secs: 20,
            encoders: &["libx264", "aac"],
            width: 1280,
            height: 720,
            title_at: 79,
            picture: small_hours::plankton,
            sound: Some(&sounds::PLANKTON),
            // Fit to air as it is, too.
            encode: "-c:v libx264 -preset superfast -profile:v high -crf 22 -maxrate 4M -bufsize 8M -g 50 \
                     -keyint_min 50 -sc_threshold 0 -flags +cgop -c:a aac -b:a 160k -ar 48000 -movflags +faststart",
        },
        Film {
            folder: SMALL_HOURS,
            file: "Tide.avi",
            title: "Tide",
            date: "2004-07-02",
            lines: ["Out, and in again.", "The moon does the heavy work.", "Breathe with it, if you like."],
            secs: 25,
            encoders: &["mpeg4", "libmp3lame"],
            width: 720,
            height: 576,
            title_at: 79,
            picture: small_hours::tide,
            sound: Some(&sounds::TIDE),
            encode: "-c:v mpeg4 -q:v 4 -g 100 -aspect 16:9 -c:a libmp3lame -b:a 160k -ar 44100",
        },
        Film {
            folder: SMALL_HOURS,
            file: "Fireflies.mp4",
            title: "Fireflies",
            date: "2022-06-21",
            lines: ["No sound in this one. Listen anyway.", "Each blink is a question.", "Wait for the answer."],
            secs: 20,
            encoders: &["libx264"],
            width: 960,
            height: 540,
            title_at: 79,
            picture: small_hours::fireflies,
            sound: None,
            encode: "-c:v libx264 -preset superfast -crf 23 -movflags +faststart",
        },
        Film {
            folder: SMALL_HOURS,
            file: "Slow Snow.mp4",
            title: "Slow Snow",
            date: "2019-12-24",
            lines: ["It began about midnight.", "The road is gone already.", "There is soup on the stove."],
            secs: 22,
            encoders: &["libx264", "aac"],
            width: 1280,
            height: 720,
            title_at: 79,
            picture: small_hours::slow_snow,
            sound: Some(&sounds::SLOW_SNOW),
            encode: "-c:v libx264 -preset superfast -crf 23 -c:a aac -b:a 96k -ar 44100 -ac 1 -movflags +faststart",
        },
        Film {
            folder: SMALL_HOURS,
            file: "Deep Field.mkv",
            title: "Deep Field",
            date: "2021-12-25",
            lines: [
                "Hold still long enough and the sky turns.",
                "That light set out before you.",
                "There is no hurry out here.",
            ],
            secs: 20,
            encoders: &["libx265", "aac"],
            width: 1280,
            height: 544,
            title_at: 77,
            picture: small_hours::deep_field,
            sound: Some(&sounds::DEEP_FIELD),
            encode: "-c:v libx265 -preset ultrafast -crf 24 -x265-params log-level=error -c:a aac -b:a 160k -ar 48000",
        },
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn there_are_two_channels_of_films_with_names_of_their_own() {
        let films = films();
        let names: HashSet<_> = films.iter().map(|film| (film.folder, film.file)).collect();
        let folders: HashSet<_> = films.iter().map(|film| film.folder).collect();
        assert_eq!((films.len(), names.len(), folders.len()), (10, 10, 2));
    }

    #[test]
    fn the_first_film_of_each_channel_is_made_first() {
        let films = films();
        assert_ne!(films[0].folder, films[1].folder);
    }

    #[test]
    fn no_text_reaches_a_filter_graph() {
        for film in films() {
            let graph = film.graph(Captions::Drawn);
            assert!(film.texts().iter().all(|(_, text)| !graph.contains(text)), "{}", film.title);
            assert!(film.texts().iter().all(|(name, _)| graph.contains(name.as_str())), "{}", film.title);
        }
    }

    #[test]
    fn a_film_without_captions_asks_for_no_font() {
        for film in films() {
            assert!(!film.graph(Captions::None).contains("drawtext"), "{}", film.title);
        }
    }

    #[test]
    fn an_unfinished_film_is_hidden_and_keeps_its_extension() {
        assert_eq!(films()[0].unfinished(), ".Aurora.mp4");
    }
}
