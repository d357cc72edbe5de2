//! What is kept, what is made anew, and to which size, rate and length.

use super::*;
use crate::config::{Preset, Rendition, Style};
use crate::ffmpeg::extent::{GopShape, StreamLine, Track};
use crate::library::sample;

fn profile() -> Profile {
    Profile {
        width: 1280,
        height: 720,
        fps: None,
        quality: 21,
        preset: Preset::Veryfast,
        video_kbps_max: 4000,
        style: Style::default(),
        audio_kbps: 160,
        loudness_lufs: Some(-23.0),
        prepare: PrepareMode::Auto,
        renditions: Vec::new(),
        burn: crate::config::Burn::default(),
    }
}

fn video() -> VideoInfo {
    VideoInfo { profile: Some("High".to_owned()), level: Some(31), ..sample::video(1280, 720) }
}

fn media(video: VideoInfo) -> MediaInfo {
    MediaInfo { audio: Some(sample::audio(44_100)), ..sample::media(video, MediaTime::from_secs(10)) }
}

fn extent() -> Extent {
    let track = |bytes| Track {
        first: MediaTime::ZERO,
        end: MediaTime::from_secs(10),
        packets: 250,
        bytes,
        monotonic: true,
        ..Track::default()
    };
    Extent {
        video: track(2_500_000),
        audio: Some(track(200_000)),
        gops: GopShape { longest: MediaTime::from_secs(2), constant_rate: true, ..GopShape::default() },
        container_start: Some(MediaTime::ZERO),
        streams: Vec::new(),
        complete: true,
    }
}

#[test]
fn an_original_that_fits_keeps_its_picture() {
    assert_eq!(decide(&media(video()), &extent(), &profile()), Recipe::Remux);
}

#[test]
fn an_original_that_fits_is_the_first_rendition_where_the_others_can_meet_it() {
    type Change = fn(&mut VideoInfo, &mut Extent, &mut Profile);
    let transcode = |reason| Recipe::Transcode { reasons: vec![reason] };
    let rendition = |(width, height)| Rendition {
        name: "a".into(),
        width,
        height,
        quality: 23,
        video_kbps: None,
        video_kbps_max: 900,
    };
    let table: [(&str, Change, Recipe); 7] = [
        ("it fits", |_, _, _| {}, Recipe::KeepFirst),
        ("it is smaller than the first", |v, _, _| (v.width, v.height) = (854, 480), Recipe::KeepFirst),
        ("there is no other", |_, _, p| p.renditions.truncate(1), Recipe::Remux),
        ("it needs bars", |v, _, _| (v.width, v.height) = (960, 720), transcode(Reason::Renditions)),
        ("more frames are held back", |_, e, _| e.streams[0].reorder = 3, transcode(Reason::Renditions)),
        ("nobody knows how many are", |_, e, _| e.streams.clear(), transcode(Reason::Renditions)),
        ("it does not fit", |_, e, _| e.gops.open = true, transcode(Reason::OpenGops)),
    ];
    for (sentence, change, expected) in table {
        let (mut video, mut extent, mut profile) = (video(), extent(), profile());
        extent.streams = vec![StreamLine { reorder: 2, ..StreamLine::default() }];
        profile.renditions = vec![rendition((profile.width, profile.height)), rendition((320, 180))];
        change(&mut video, &mut extent, &mut profile);
        assert_eq!(decide(&media(video), &extent, &profile), expected, "{sentence}");
    }
}

#[test]
fn each_thing_that_does_not_fit_is_a_reason() {
    type Change = fn(&mut VideoInfo, &mut Extent, &mut Profile);
    let table: [(&str, Change, Reason); 20] = [
        ("always", |_, _, p| p.prepare = PrepareMode::Always, Reason::Always),
        ("hevc", |v, _, _| v.codec = "hevc".to_owned(), Reason::Codec("hevc".to_owned())),
        ("10 bit", |v, _, _| v.pix_fmt = "yuv420p10le".to_owned(), Reason::PixelFormat("yuv420p10le".to_owned())),
        ("level", |v, _, _| v.level = Some(51), Reason::Profile("High, level 5.1".to_owned())),
        ("interlaced", |v, _, _| v.interlaced = true, Reason::Interlaced),
        ("rotated", |v, _, _| v.rotation = 90, Reason::Rotated(90)),
        ("anamorphic", |v, _, _| v.sar = (64, 45), Reason::PixelAspect),
        ("odd", |v, _, _| (v.width, v.height) = (853, 480), Reason::Size(853, 480)),
        ("large", |v, _, _| (v.width, v.height) = (1920, 1080), Reason::Size(1920, 1080)),
        ("tiny", |v, _, _| (v.width, v.height) = (160, 120), Reason::Size(160, 120)),
        ("fast", |v, _, _| v.fps = (120, 1), Reason::FrameRate),
        ("forced", |_, _, p| p.fps = Some(30), Reason::FrameRate),
        ("variable", |_, e, _| e.gops.constant_rate = false, Reason::FrameRate),
        ("hdr", |v, _, _| v.color_transfer = Some("smpte2084".to_owned()), Reason::Hdr),
        ("long gops", |_, e, _| e.gops.longest = MediaTime::from_secs(7), Reason::LongGops(MediaTime::from_secs(7))),
        ("open gops", |_, e, _| e.gops.open = true, Reason::OpenGops),
        ("back in time", |_, e, _| e.video.monotonic = false, Reason::Damaged),
        ("heavy", |_, e, _| e.video.bytes = 12_500_000, Reason::BitRate(10_000_000)),
        (
            "sound to the end",
            |_, e, _| e.audio.as_mut().unwrap().end = MediaTime::from_secs(11),
            Reason::SoundBeyondPicture,
        ),
        ("unscanned", |_, e, _| e.complete = false, Reason::NotScanned),
    ];
    for (sentence, change, reason) in table {
        let (mut video, mut extent, mut profile) = (video(), extent(), profile());
        change(&mut video, &mut extent, &mut profile);
        let recipe = decide(&media(video), &extent, &profile);
        assert_eq!(recipe, Recipe::Transcode { reasons: vec![reason] }, "{sentence}");
    }
}

#[test]
fn rates_come_down_to_the_standard_rate_they_are_made_of() {
    let table = [
        ((24_000, 1001), (24_000, 1001), "24000/1001"),
        ((24, 1), (24, 1), "24"),
        ((25, 1), (25, 1), "25"),
        ((30_000, 1001), (30_000, 1001), "30000/1001"),
        ((48, 1), (48, 1), "24"),
        ((50, 1), (50, 1), "25"),
        ((60_000, 1001), (60_000, 1001), "30000/1001"),
        ((60, 1), (60, 1), "30"),
        ((120, 1), (120, 1), "30"),
        ((100, 1), (100, 1), "25"),
        ((15, 1), (15, 1), "30"),
        ((25, 1), (50, 1), "25"),
        ((2983, 100), (30, 1), "30"),
        ((17, 1), (90_000, 1), "30"),
        ((0, 1), (0, 1), "30"),
        ((0, 0), (0, 0), "30"),
    ];
    for (fps, fps_base, expected) in table {
        let video = VideoInfo { fps, fps_base, ..video() };
        assert_eq!(frame_rate(&video, &profile()).to_string(), expected, "{fps:?} {fps_base:?}");
    }
    let forced = Profile { fps: Some(50), ..profile() };
    assert_eq!(frame_rate(&video(), &forced), Rate::whole(50));
}

#[test]
fn pictures_keep_their_shape_within_the_channels_size() {
    let table = [
        ("the same", (1280, 720), (1, 1), 0, (1280, 720)),
        ("odd", (853, 481), (1, 1), 0, (1276, 720)),
        ("cinema", (1920, 800), (1, 1), 0, (1280, 534)),
        ("old television, wide", (720, 576), (64, 45), 0, (1280, 720)),
        ("old television, narrow", (720, 576), (16, 15), 0, (960, 720)),
        ("portrait", (1080, 1920), (1, 1), 0, (406, 720)),
        ("rotated", (1920, 1080), (1, 1), 90, (406, 720)),
        ("upside down", (1920, 1080), (1, 1), 180, (1280, 720)),
        ("a line", (2, 4000), (1, 1), 0, (2, 720)),
        ("unknown aspect", (640, 360), (0, 1), 0, (1280, 720)),
    ];
    for (sentence, (width, height), sar, rotation, size) in table {
        let video = VideoInfo { width, height, sar, rotation, ..video() };
        assert_eq!(fitted_size(&video, &profile()), size, "{sentence}");
    }
}

#[test]
fn time_begins_with_the_first_frame_or_sound_shortly_before() {
    let hour = MediaTime::from_secs(3600);
    let transcode = Recipe::Transcode { reasons: vec![Reason::Always] };
    let mut extent = extent();
    extent.video.first = hour + MediaTime::from_secs(2);
    extent.video.end = hour + MediaTime::from_secs(12);
    extent.container_start = Some(hour);
    let audio = extent.audio.as_mut().unwrap();
    (audio.first, audio.end) = (hour, hour + MediaTime::from_secs(15));
    let frame = MediaTime::from_millis(40);
    let expected = Timeline {
        shift: frame,
        zero: hour - frame,
        video_end: MediaTime::from_millis(12_040),
        content_end: MediaTime::from_millis(15_040),
    };
    let rate = Rate::whole(25);
    assert_eq!(timeline(&extent, &transcode, rate), Ok(expected), "sound is kept whole, the picture stays on its grid");
    let (two, ten) = (MediaTime::from_secs(2), MediaTime::from_secs(10));
    let expected = Timeline { shift: MediaTime::ZERO - two, zero: hour + two, video_end: ten, content_end: ten };
    assert_eq!(timeline(&extent, &Recipe::Remux, rate), Ok(expected), "a copied picture is its own length");
    extent.audio.as_mut().unwrap().first = hour + two - MediaTime::from_millis(21);
    extent.audio.as_mut().unwrap().end = extent.video.end;
    assert_eq!(timeline(&extent, &transcode, rate), Ok(expected), "an encoder's run-up moves nothing");
}

#[test]
fn what_is_too_short_or_too_long_to_air_is_told() {
    let mut extent = extent();
    extent.audio = None;
    extent.video.end = MediaTime::from_millis(300);
    let error = timeline(&extent, &Recipe::Remux, Rate::whole(25)).unwrap_err();
    assert_eq!(error.to_string(), "it lasts only 0.30 s; the shortest that can air is 1 s");
    extent.video.end = MediaTime::from_secs(90_000_000);
    assert!(matches!(timeline(&extent, &Recipe::Remux, Rate::whole(25)), Err(Unfit::TooLong(_))));
}
