//! Which subtitles are burned in, and when that makes another mezzanine.

use std::sync::Arc;

use super::*;
use crate::library::sample::{self, language, track};
use crate::library::subtitles::{Purpose, SubtitleFile};
use crate::prepare::MezzanineId;
use crate::prepare::queue::tests::want;

fn item(name: &str) -> Item {
    Item::clone(&want(name, 9).item)
}

fn file(path: &str, tag: &str, mtime_ns: i64) -> SubtitleFile {
    sample::subtitles(path, tag, Purpose::Full, mtime_ns)
}

fn burn(tags: &[&str]) -> Burn {
    Burn { subtitles: Some(tags.iter().map(|tag| language(tag)).collect()), logo: None }
}

fn chosen(film: &Item, tags: &[&str]) -> String {
    match lines(film, &burn(tags)) {
        Some((language, Source::File(_))) => format!("{language} file"),
        Some((language, Source::Track(track))) => format!("{language} {}", track.index),
        None => "none".to_owned(),
    }
}

#[test]
fn the_first_wanted_language_that_there_is_is_burned_in() {
    let mut film = item("a");
    film.media.subtitles = vec![
        track(2, "hdmv_pgs_subtitle", "en", Purpose::Full, true),
        track(3, "subrip", "en", Purpose::Forced, false),
        track(4, "subrip", "de", Purpose::Full, false),
        track(5, "ass", "de", Purpose::Full, true),
        track(6, "dvb_teletext", "fr", Purpose::Full, true),
        track(7, "dvd_subtitle", "pt-br", Purpose::Full, false),
        track(8, "subrip", "ja", Purpose::Forced, false),
    ];
    for (tags, expected) in [
        (&["en"][..], "en 2"),
        (&["de", "en"], "de 5"),
        (&["fr"], "none"),
        (&["fr", "pt"], "pt-br 7"),
        (&["ja", "de"], "ja 8"),
        (&[], "de 5"),
    ] {
        assert_eq!(chosen(&film, tags), expected, "{tags:?}");
    }
    film.subtitles = [file("/m/a.srt", "und", 1)].into();
    for (tags, expected) in [(&["en"][..], "en 2"), (&["fr", "en"], "und file"), (&[], "und file")] {
        assert_eq!(chosen(&film, tags), expected, "{tags:?} and one that tells no language");
    }
    assert_eq!(lines(&film, &Burn::default()), None, "nobody asked");
}

#[test]
fn another_mezzanine_is_made_exactly_where_something_else_is_burned_in() {
    let plain = want("a", 9).profile;
    let with = |burn: Burn| Profile { burn, ..Profile::clone(&plain) };
    let (english, both) = (with(burn(&["en"])), with(burn(&["en", "de"])));
    let of = |files: Vec<SubtitleFile>, profile: &Profile| {
        let mut film = item("a");
        film.subtitles = files.into();
        MezzanineId::of(&film, profile)
    };
    let unburned = of(vec![], &plain);
    let burned = of(vec![file("/m/a.en.srt", "en", 1)], &english);
    for (sentence, id, same) in [
        ("nothing to burn in", of(vec![], &english), &unburned),
        ("only in another language", of(vec![file("/m/a.de.srt", "de", 1)], &english), &unburned),
        ("nobody asked", of(vec![file("/m/a.en.srt", "en", 1)], &plain), &unburned),
        (
            "a language less dear came",
            of(vec![file("/m/a.de.srt", "de", 1), file("/m/a.en.srt", "en", 1)], &both),
            &burned,
        ),
        ("the film was moved", of(vec![file("/n/a.en.srt", "en", 1)], &english), &burned),
    ] {
        assert_eq!(id, *same, "{sentence}");
    }
    let logo = |size| BurnedLogo {
        file: "a.png".into(),
        sum: Some("s".into()),
        corner: crate::config::Corner::TopLeft,
        size,
        opacity: 75,
    };
    let other_logo = BurnedLogo { sum: Some("t".into()), ..logo(8) };
    let ids = [
        unburned,
        burned,
        of(vec![file("/m/a.en.srt", "en", 2)], &english),
        of(vec![file("/m/a.de.srt", "de", 1)], &both),
        of(vec![], &with(Burn { subtitles: None, logo: Some(logo(8)) })),
        of(vec![], &with(Burn { subtitles: None, logo: Some(logo(9)) })),
        of(vec![], &with(Burn { subtitles: None, logo: Some(other_logo) })),
    ];
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "{ids:?}");
}

#[test]
fn a_picture_is_kept_only_where_nothing_is_burned_into_it() {
    let profile = Profile { burn: burn(&["en"]), ..Profile::clone(&want("a", 9).profile) };
    let mut film = item("a");
    assert_eq!(decided(Recipe::Remux, &film, &profile), Recipe::Remux);
    film.subtitles = Arc::new([file("/m/a.en.srt", "en", 1)]);
    let said = Reason::Subtitles("en".to_owned());
    for (recipe, reasons) in [
        (Recipe::Remux, vec![said.clone()]),
        (Recipe::KeepFirst, vec![said.clone()]),
        (Recipe::Transcode { reasons: vec![Reason::Hdr] }, vec![Reason::Hdr, said.clone()]),
    ] {
        assert_eq!(decided(recipe, &film, &profile), Recipe::Transcode { reasons });
    }
    let without = without_lines(decided(Recipe::Remux, &film, &profile), "they are broken".to_owned());
    assert_eq!(without, Recipe::Transcode { reasons: vec![Reason::WithoutSubtitles("they are broken".to_owned())] });
    assert_eq!(without.without_subtitles(), Some("they are broken"));
}

#[test]
fn the_screen_of_pictures_is_known_by_their_disc() {
    let mut film = item("a");
    (film.media.video.width, film.media.video.height) = (1280, 544);
    let (width, height) = (film.media.video.width, film.media.video.height);
    for (sentence, codec, size, expected) in [
        ("it is the film's", "hdmv_pgs_subtitle", (width, height), None),
        ("it is not told", "dvd_subtitle", (0, 0), None),
        ("a disc", "hdmv_pgs_subtitle", (1920, 1080), Some((1920, 1080))),
        ("an older disc", "dvd_subtitle", (720, 576), Some((16, 9))),
    ] {
        let mut extent = Extent::default();
        let stream = crate::ffmpeg::extent::StreamLine { size, ..Default::default() };
        extent.streams = vec![stream.clone(), stream.clone(), stream];
        let track = track(2, codec, "en", Purpose::Full, false);
        assert_eq!(screen(&film, &track, &extent), expected, "{sentence}");
    }
}
