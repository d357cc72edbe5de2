//! What becomes of a brand: an ident that comes between programmes like a film, in every picture of its channel.

use std::path::Path;
use std::sync::Arc;

use nightcast::config::{Colour, Profile, Rendition};
use nightcast::prepare::{Look, Mezzanine, SlateCard};
use nightcast::units::{ChannelId, MediaTime};

use super::items::{item, run};
use super::preparing::{Station, always, ffmpegs};
use super::support::clips::{make, picture, tone};
use super::support::films::X264;
use super::{assert_concat_is_clean, assert_joins_exactly, detect, packets};

/// The ident of a channel whose logo is this file.
fn ident(profile: &Profile, logo: Option<&Path>, sum: &str) -> SlateCard {
    SlateCard {
        look: Look {
            station: "Nightcast of the Upper Valley".into(),
            colour: Colour([0x4c, 0xc9, 0xd8]),
            logo: logo.map(|file| (file.to_owned(), sum.into())),
        },
        name: "Cats' %d: \"night\", and a name that is far too long for any picture".into(),
        reason: None,
        profile: Arc::new(profile.clone()),
        rate: None,
        gop_secs: 2,
    }
}

/// The luma of a frame at a moment: its mean, and how much of it is letters and colours.
fn light(mezzanine: &Mezzanine, secs: &str) -> (f64, f64) {
    let output = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(&mezzanine.path)
        .args(["-ss", secs, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"])
        .output()
        .unwrap();
    let pixels = output.stdout;
    assert!(!pixels.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let of = |wanted: fn(u8) -> bool| pixels.iter().filter(|luma| wanted(**luma)).count();
    #[expect(clippy::cast_precision_loss, reason = "pixels of a small picture")]
    (pixels.iter().map(|luma| f64::from(*luma)).sum::<f64>() / pixels.len() as f64, of(|luma| luma > 110) as f64)
}

/// Goal: a drawn ident comes between programmes as a film does: it joins with them without a discontinuity, begins and ends
/// dark, has its sound, and is drawn anew when the brand changes. Method: one of a channel with a logo and far too long names
/// beside a film of its profile, by both ffmpegs, looked at and listened to.
#[tokio::test(flavor = "multi_thread")]
async fn a_drawn_ident_joins_with_films_and_begins_and_ends_in_the_dark() {
    let folder = tempfile::tempdir().unwrap();
    let film = format!("{} {} {X264} -c:a aac", picture("640x360", "25", 1.5), tone(44_100, 1.5));
    let film = item(&make(folder.path(), "film.mp4", &film));
    let logo = make(folder.path(), "logo.png", "-f lavfi -i color=c=white:s=90x60 -frames:v 1");
    let channel = ChannelId::new("test").unwrap();
    for ffmpeg in ffmpegs() {
        let station = Station::start(&ffmpeg).await;
        let card = ident(&always(), Some(&logo), "1");
        assert!(station.preparer.drawn(&card).is_none());
        let drawn = station.preparer.slate(&channel, &card, false).await.unwrap();
        assert_joins_exactly("ident", &drawn, 1);
        assert_eq!((drawn.gops.len(), drawn.duration()), (3, MediaTime::from_millis(5_120)), "{ffmpeg:?}");
        let [first, middle, last] = ["0", "3", "5.05"].map(|secs| light(&drawn, secs));
        assert!(first.1 + last.1 < 1.0 && middle.1 > 500.0, "{first:?} {middle:?} {last:?}");
        assert!(middle.0 > first.0 + 1.0 && middle.0 < 60.0, "a lamp in a dark room: {first:?} {middle:?}");
        let heard = detect(&drawn.path, "-af", "silencedetect=n=-60dB:d=0.05", "silence_end: ");
        let begins = MediaTime(packets(&drawn.path, "a:0")[0].0).as_secs_f64();
        assert!(heard - begins < 1.0, "silent from {begins} to {heard}");
        let id = station.want(std::slice::from_ref(&film), &always()).remove(0);
        let film = station.settled(&id).await.unwrap();
        assert_eq!(film.signature, drawn.signature, "{ffmpeg:?}");
        assert_concat_is_clean(folder.path(), &[film, Arc::clone(&drawn)]);
        assert_eq!(station.preparer.drawn(&card), Some(drawn), "drawn once");
        let other =
            SlateCard { look: Look { colour: Colour([0xe8, 0xd4, 0x4d]), ..card.look.clone() }, ..card.clone() };
        for changed in [other, ident(&always(), Some(&logo), "2"), SlateCard { name: "Dogs".into(), ..card.clone() }] {
            assert_ne!(changed.id(), card.id(), "{changed:?}");
        }
        station.stop().await;
    }
}

/// Goal: a channel of several pictures has its ident in each, and a logo that is no picture takes nothing but itself away.
/// Method: two renditions, and a text file that is called a logo.
#[tokio::test(flavor = "multi_thread")]
async fn an_ident_is_in_every_rendition_also_where_the_logo_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("logo.png");
    std::fs::write(&broken, "no picture").unwrap();
    let rendition = |(width, height): (u32, u32)| Rendition {
        name: format!("{height}p").into(),
        width,
        height,
        quality: 28,
        video_kbps: None,
        video_kbps_max: 800,
    };
    let profile = Profile { renditions: [(320, 180), (160, 90)].map(rendition).into(), ..always() };
    let channel = ChannelId::new("test").unwrap();
    for ffmpeg in ffmpegs() {
        let station = Station::start(&ffmpeg).await;
        let card = ident(&profile, Some(&broken), "1");
        let drawn = station.preparer.slate(&channel, &card, false).await.unwrap();
        let sizes = run("ffprobe", &["-v", "error", "-show_entries", "stream=width,height", "-of", "csv"], &drawn.path);
        for (n, size) in ["320,180", "160,90"].iter().enumerate() {
            assert!(sizes.contains(size), "{ffmpeg:?}: {sizes}");
            assert_eq!(packets(&drawn.path, &format!("v:{n}")).len(), 128, "{ffmpeg:?}");
        }
        assert!(light(&drawn, "3").1 > 50.0, "its names are there");
        station.stop().await;
    }
}

/// Goal: an ident that would say nothing is not drawn. Method: an ffmpeg that says it cannot write text, with a logo and
/// without one.
#[tokio::test(flavor = "multi_thread")]
async fn an_ident_without_names_is_its_logo_or_is_not() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("wordless");
    let script =
        "#!/bin/sh\ncase \"$*\" in *-filters*) ffmpeg \"$@\" | grep -v drawtext; exit 0;; esac\nexec ffmpeg \"$@\"\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let logo = make(folder.path(), "logo.png", "-f lavfi -i color=c=white:s=90x60 -frames:v 1");
    let (station, channel) = (Station::start(&program).await, ChannelId::new("test").unwrap());
    let refused = station.preparer.slate(&channel, &ident(&always(), None, ""), false).await.unwrap_err();
    assert!(refused.to_string().contains("no text, and there is no logo"), "{refused}");
    let drawn = station.preparer.slate(&channel, &ident(&always(), Some(&logo), "1"), false).await.unwrap();
    assert!(light(&drawn, "3").1 > 500.0, "its logo is there");
    station.stop().await;
}
