//! What is burned into pictures: words and pictures of words at their time and place, a logo at its corner; and nothing that
//! is broken costs the picture.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use nightcast::config::{Burn, BurnedLogo, Corner, Language, Profile, Rendition};
use nightcast::library::subtitles::{FileKind, Purpose, SubtitleFile, SubtitleTrack};
use nightcast::library::{FileStamp, Item};
use nightcast::prepare::Mezzanine;

use super::assert_joins_exactly;
use super::items::item;
use super::pgs;
use super::preparing::{Station, ffmpegs, profile};
use super::support::clips::make;
use super::support::films::X264;

/// The size of every picture but the small ones.
const WHOLE: (usize, usize) = (320, 180);

/// A dark film of three seconds, so that whatever is light was burned in.
fn dark(size: &str) -> String {
    format!("-f lavfi -i color=c=black:s={size}:r=25:d=3")
}

/// What is said from the second second to the third.
const SRT: &str = "1\n00:00:01,000 --> 00:00:02,000\nNight & day\n";

/// The same as an author would place it: a box that fills the first quarter of a picture of 240x180, or words in a font.
fn ass(style: &str, said: &str) -> String {
    format!(
        "[Script Info]\nScriptType: v4.00+\nPlayResX: 240\nPlayResY: 180\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, \
         Outline, Shadow, Alignment\nStyle: Own,{style},&H00FFFFFF,0,0,7\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, \
         MarginV, Effect, Text\nDialogue: 0,0:00:01.00,0:00:02.00,Own,,0,0,0,,{said}\n"
    )
}

fn language(tag: &str) -> Language {
    Language::read(tag).unwrap()
}

fn burning() -> Profile {
    Profile { burn: Burn { subtitles: Some([language("en"), language("de")].into()), logo: None }, ..profile() }
}

/// A film with a file beside it.
fn beside(film: &Path, name: &str, kind: FileKind, bytes: &[u8]) -> Arc<Item> {
    let path = film.with_file_name(name);
    std::fs::write(&path, bytes).unwrap();
    let stamp = FileStamp { size: bytes.len() as u64, mtime_ns: 1 };
    let file = SubtitleFile { path, stamp, kind, language: language("en"), purpose: Purpose::Full };
    Arc::new(Item { subtitles: [file].into(), ..Item::clone(&item(film)) })
}

/// A film with a track in it.
fn within(film: &Path, index: u32, codec: &str) -> Arc<Item> {
    let mut item = Item::clone(&item(film));
    let (codec, language) = (codec.to_owned(), language("de"));
    item.media.subtitles = vec![SubtitleTrack { index, codec, language, purpose: Purpose::Full, default: true }];
    Arc::new(item)
}

/// A part of a picture: what is left of it and above it, its width and height.
type Part = (usize, usize, usize, usize);

/// Every frame of one of a mezzanine's pictures, in grey.
struct Seen {
    size: (usize, usize),
    pixels: Vec<u8>,
}

impl Seen {
    fn of(path: &Path, picture: usize, size: (usize, usize)) -> Self {
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-nostdin", "-i"]).arg(path).args(["-map", &format!("0:v:{picture}")]);
        command.args(["-vf", "format=gray", "-fps_mode", "passthrough", "-f", "rawvideo", "-"]);
        Self { size, pixels: command.output().unwrap().stdout }
    }

    /// Tells of each frame where in a part of it the first and the last light column is; none where it is dark.
    fn light(&self, (x, y, width, height): Part) -> Vec<Option<(usize, usize)>> {
        let of_frame = |frame: &[u8]| {
            let is_light = |column: &usize| (y..y + height).any(|row| frame[row * self.size.0 + x + column] > 120);
            Some(((0..width).find(is_light)?, (0..width).rev().find(is_light)?))
        };
        self.pixels.chunks_exact(self.size.0 * self.size.1).map(of_frame).collect()
    }
}

/// Fails unless a part of a picture is light from the second second to the third and dark otherwise; returns its light columns.
fn assert_said_in_time(name: &str, mezzanine: &Mezzanine, part: Part) -> (usize, usize) {
    let frames = Seen::of(&mezzanine.path, 0, WHOLE).light(part);
    assert!(frames.len() >= 75, "{name}: {} frames", frames.len());
    let lit: Vec<usize> = (0..frames.len()).filter(|n| frames[*n].is_some()).collect();
    // Discs count in their own ticks: a frame more or less.
    assert!(lit.first().is_some_and(|n| (24..=26).contains(n)), "{name}: light in {lit:?}");
    assert!(lit.last().is_some_and(|n| (48..=50).contains(n)), "{name}: light in {lit:?}");
    assert_eq!(lit.len(), lit[lit.len() - 1] - lit[0] + 1, "{name}: {lit:?}");
    frames[37].unwrap()
}

fn recipe(mezzanine: &Mezzanine) -> String {
    std::fs::read_to_string(mezzanine.path.with_extension("json")).unwrap()
}

/// A font that no machine has: one of Debian's under another name.
fn font(folder: &Path) -> String {
    let mut bytes = std::fs::read("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf").unwrap();
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    for (from, to) in [(b"DejaVu".to_vec(), b"Qwzxyk".to_vec()), (wide("DejaVu"), wide("Qwzxyk"))] {
        let places: Vec<usize> = (0..bytes.len() - from.len()).filter(|n| bytes[*n..].starts_with(&from)).collect();
        for place in places {
            bytes[place..place + to.len()].copy_from_slice(&to);
        }
    }
    std::fs::write(folder.join("own.ttf"), bytes).unwrap();
    "Qwzxyk Sans Mono".to_owned()
}

/// A dark film with streams of another input, and more.
fn muxed(folder: &Path, name: &str, size: &str, more: &str) -> std::path::PathBuf {
    let film = make(folder, &format!("film {name}"), &format!("{} {X264} -g 25", dark(size)));
    make(folder, name, &format!("-i '{}' {more}", film.display()))
}

/// Goal: what is said is seen at its time, where it belongs, in the letters that came with it, and at no other time. Method: dark
/// films with subtitles of every kind, made ready by both ffmpegs; what is light is where and when it should be.
#[tokio::test(flavor = "multi_thread")]
async fn words_are_burned_in_at_their_time_and_place() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    write("said.srt", SRT.as_bytes());
    write("own.ass", ass(&format!("{},20", font(folder)), "iiiiiiiiii").as_bytes());
    // On the disc's screen it stands below the film's own picture.
    let bar = (480, 990, 960, 60);
    write("disc.sup", &pgs::sup((1920, 1080), bar, (1.0, 2.0), false));
    write("black.sup", &pgs::sup((1920, 1080), bar, (1.0, 2.0), true));
    make(folder, "old.mkv", "-i black.sup -c:s dvdsub");
    let fit = make(folder, "fit.mp4", &format!("{} {X264} -g 25", dark("320x180")));
    let narrow = make(folder, "narrow.mp4", &format!("{} {X264} -g 25", dark("240x180")));
    let late = make(folder, "late.ts", &format!("{} {X264} -g 25 -output_ts_offset 70", dark("320x180")));
    let utf16: Vec<u8> = SRT.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let placed = ass("DejaVu Sans,20", "{\\p1}m 0 0 l 60 0 60 45 0 45{\\p0}{\\fs1}.");
    let evil = folder.join("evil.ttf");
    let attached = format!(
        "-i own.ass -map 0 -map 1 -c copy -attach own.ttf -metadata:s:t mimetype=font/ttf -metadata:s:t filename={}",
        evil.display()
    );
    let (lower, all_of_it, below) = ((0, 90, 320, 90), (0, 0, 320, 180), (0, 160, 320, 20));
    let items = [
        (beside(&fit, "fit.en.srt", FileKind::Srt, &[b"\xff\xfe".as_slice(), &utf16].concat()), lower),
        (beside(&late, "late.vtt", FileKind::Vtt, format!("WEBVTT\n\n{}", SRT.replace(',', ".")).as_bytes()), lower),
        (beside(&narrow, "narrow.ass", FileKind::Ass, placed.as_bytes()), all_of_it),
        (within(&muxed(folder, "text.mkv", "320x180", "-i said.srt -map 0 -map 1 -c copy"), 1, "subrip"), lower),
        (within(&muxed(folder, "font.mkv", "320x180", &attached), 1, "ass"), all_of_it),
        (
            within(&muxed(folder, "disc.mkv", "320x136", "-i disc.sup -map 0 -map 1 -c copy"), 1, "hdmv_pgs_subtitle"),
            below,
        ),
        (
            within(&muxed(folder, "old disc.mkv", "320x180", "-i old.mkv -map 0 -map 1 -c copy"), 1, "dvd_subtitle"),
            lower,
        ),
    ];
    let all: Vec<_> = items.iter().map(|(item, _)| Arc::clone(item)).collect();
    for ffmpeg in ffmpegs() {
        let station = Station::start(&ffmpeg).await;
        let ids = station.want(&all, &burning());
        for (n, ((item, part), id)) in items.iter().zip(&ids).enumerate() {
            let name = format!("{} by {}", item.name, ffmpeg.display());
            let mezzanine = station.settled(id).await.unwrap_or_else(|reason| panic!("{name}: {reason}"));
            assert_joins_exactly(&name, &mezzanine, 1920);
            assert!(recipe(&mezzanine).contains("\"Subtitles\""), "{name}: {}", recipe(&mezzanine));
            let (first, last) = assert_said_in_time(&name, &mezzanine, *part);
            match n {
                // In the picture's own corner, beside its bars; half-lit edges are a column wide.
                2 => assert!(first.abs_diff(40) <= 1 && last.abs_diff(99) <= 1, "{name}: {first} to {last}"),
                // Ten narrow letters as wide as any: some 12 columns each, and not 6.
                4 => assert!(last - first > 95, "{name}: {first} to {last}"),
                5 => assert!(first.abs_diff(80) <= 2 && last.abs_diff(239) <= 2, "{name}: {first} to {last}"),
                _ => {}
            }
        }
        let left: Vec<_> = std::fs::read_dir(station.data.path().join("cache/tmp")).unwrap().flatten().collect();
        assert!(left.iter().all(|one| !one.path().is_dir()), "{left:?}");
        station.stop().await;
    }
    assert!(!evil.exists(), "a film says where its font is written");
}

/// Goal: broken subtitles cost the subtitles, and nothing else; where there are none the picture is kept. Method: a file that is
/// none, one that calls itself a playlist, a pipe, a track that is not there, and a film without any.
#[tokio::test(flavor = "multi_thread")]
async fn subtitles_that_are_broken_never_cost_the_picture() {
    let home = tempfile::tempdir().unwrap();
    let film = |name: &str| make(home.path(), name, &format!("{} {X264} -g 25", dark("320x180")));
    let pipe = beside(&film("pipe.mp4"), "pipe.srt", FileKind::Srt, b"");
    std::fs::remove_file(&pipe.subtitles[0].path).unwrap();
    assert!(Command::new("mkfifo").arg(&pipe.subtitles[0].path).status().unwrap().success());
    let items = [
        (
            beside(&film("garbage.mp4"), "garbage.srt", FileKind::Srt, &[0, 159, 146, 150]),
            Some("nothing in it is understood"),
        ),
        (
            beside(&film("list.mp4"), "list.ass", FileKind::Ass, b"#EXTM3U\n/etc/passwd\n"),
            Some("nothing in it is understood"),
        ),
        (pipe, Some("not a plain file")),
        (within(&film("gone.mp4"), 7, "hdmv_pgs_subtitle"), Some("ffmpeg failed")),
        (item(&film("silent.mp4")), None),
    ];
    let all: Vec<_> = items.iter().map(|(item, _)| Arc::clone(item)).collect();
    let station = Station::start(&ffmpegs()[0]).await;
    for (id, (item, why)) in station.want(&all, &burning()).iter().zip(&items) {
        let mezzanine = station.settled(id).await.unwrap_or_else(|reason| panic!("{}: {reason}", item.name));
        assert!(
            Seen::of(&mezzanine.path, 0, WHOLE).light((0, 0, 320, 180)).iter().all(Option::is_none),
            "{}",
            item.name
        );
        let recipe = recipe(&mezzanine);
        match why {
            Some(why) => {
                assert!(recipe.contains("WithoutSubtitles") && recipe.contains(why), "{}: {recipe}", item.name);
            }
            None => assert!(recipe.contains("\"Remux\""), "{}: {recipe}", item.name),
        }
    }
    station.stop().await;
}

/// Goal: a logo stands at the corner that was asked for, in every rendition in proportion, and one that is broken costs nothing but
/// itself. Method: a dark film in two sizes; each corner is looked at, by both ffmpegs and for each kind of file.
#[tokio::test(flavor = "multi_thread")]
async fn a_logo_stands_at_its_corner_in_every_rendition() {
    let home = tempfile::tempdir().unwrap();
    let film = make(home.path(), "film.mp4", &format!("{} {X264} -g 25", dark("320x180")));
    let film = beside(&film, "film.srt", FileKind::Srt, SRT.as_bytes());
    for name in ["logo.png", "logo.jpg", "logo.webp"] {
        make(home.path(), name, "-f lavfi -i color=c=white:s=200x200 -frames:v 1");
    }
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"20\" height=\"20\"><rect width=\"20\" height=\"20\" fill=\"#fff\"/></svg>";
    std::fs::write(home.path().join("logo.svg"), svg).unwrap();
    let png = std::fs::read(home.path().join("logo.png")).unwrap();
    std::fs::write(home.path().join("cut.png"), &png[..40]).unwrap();
    let rendition = |name: &str, width, height| Rendition {
        name: name.into(),
        width,
        height,
        quality: 28,
        video_kbps: None,
        video_kbps_max: 1000,
    };
    let with = |file: &str, corner| {
        let logo = BurnedLogo { file: home.path().join(file), sum: None, corner, size: 20, opacity: 90 };
        let renditions = vec![rendition("a", 320, 180), rendition("b", 160, 90)];
        let subtitles = Some([language("en")].into());
        Profile { burn: Burn { subtitles, logo: Some(logo) }, renditions, ..profile() }
    };
    let (old, new) = (ffmpegs()[0].clone(), ffmpegs()[1].clone());
    for (ffmpeg, file, corner, expected) in [
        (&old, "logo.png", Corner::TopLeft, Some((16, 8))),
        (&new, "logo.webp", Corner::BottomRight, Some((268, 136))),
        (&new, "logo.svg", Corner::TopRight, Some((268, 8))),
        (&old, "logo.jpg", Corner::BottomLeft, Some((16, 136))),
        (&old, "cut.png", Corner::TopLeft, None),
    ] {
        let station = Station::start(ffmpeg).await;
        let profile = station.preparer.possible(&with(file, corner));
        assert!(profile.burn.logo.as_ref().is_some_and(|logo| logo.sum.is_some()), "{file} is known by its bytes");
        let id = station.want(std::slice::from_ref(&film), &profile).remove(0);
        let mezzanine = station.settled(&id).await.unwrap_or_else(|reason| panic!("{file}: {reason}"));
        for (picture, part) in [(0, 1), (1, 2)] {
            let name = format!("{file} in picture {picture}");
            let seen = Seen::of(&mezzanine.path, picture, (320 / part, 180 / part));
            for (x, y) in [(16, 8), (268, 8), (16, 136), (268, 136)] {
                let frames = seen.light((x / part, y / part, 36 / part, 36 / part));
                assert!(frames.len() >= 75, "{name}: {} frames", frames.len());
                let is_light = |n: usize| frames[n].is_some_and(|(first, last)| last - first >= 32 / part);
                let wanted = expected == Some((x, y));
                assert_eq!([0, 10, 74].map(is_light), [wanted; 3], "{name} at {x},{y}");
            }
            // And the words between the corners.
            let frames = seen.light((80 / part, 120 / part, 160 / part, 60 / part));
            assert!(frames[10].is_none() && frames[37].is_some() && frames[60].is_none(), "{name}");
        }
        station.stop().await;
    }
    let station = Station::start(&old).await;
    std::fs::write(home.path().join("text.png"), "no picture").unwrap();
    assert_eq!(station.preparer.possible(&with("text.png", Corner::TopLeft)).burn.logo, None);
    assert_eq!(station.preparer.possible(&with("gone.png", Corner::TopLeft)).burn.logo, None);
    station.stop().await;
}
