//! Which sounds are copied.

use super::*;
use crate::config::{PrepareMode, Preset};
use crate::ffmpeg::extent::StreamLine;
use crate::library::sample;

/// A film of ten seconds whose sound is ours already: one packet of priming, and as many as the picture is long.
fn film() -> (MediaInfo, Extent, Profile) {
    let length = MediaTime::from_secs(10);
    let media = MediaInfo { audio: Some(sample::audio(48_000)), ..sample::media(sample::video(1280, 720), length) };
    let track = |packets, seamless| Track {
        first: MediaTime(7200),
        end: length + MediaTime(7200),
        packets,
        bytes: 200_000,
        monotonic: true,
        priming: u64::from(seamless),
        seamless,
    };
    let stream =
        |codec: &str, size| StreamLine { codec: codec.to_owned(), size, color_space: None, ..StreamLine::default() };
    let extent = Extent {
        video: track(250, false),
        audio: Some(track(469, true)),
        gops: GopShape::default(),
        container_start: Some(MediaTime(7200)),
        streams: vec![stream("h264", (1280, 720)), stream("aac", (48_000, 2))],
        complete: true,
    };
    let profile = Profile {
        width: 1280,
        height: 720,
        fps: None,
        quality: 21,
        preset: Preset::Veryfast,
        video_kbps_max: 4000,
        style: Style::default(),
        audio_kbps: 160,
        loudness_lufs: None,
        prepare: PrepareMode::Auto,
        renditions: Vec::new(),
        burn: crate::config::Burn::default(),
    };
    (media, extent, profile)
}

#[test]
fn a_sound_is_copied_only_where_it_joins_as_it_is() {
    type Change = fn(&mut Extent, &mut Profile);
    fn audio(extent: &mut Extent) -> &mut Track {
        extent.audio.as_mut().unwrap()
    }
    let table: [(&str, Change, Option<u64>); 13] = [
        ("it is ours", |_, _| {}, Some(1)),
        ("without priming", |e, _| audio(e).priming = 0, Some(0)),
        ("a rounding early", |e, _| audio(e).first.0 -= 2, Some(1)),
        ("three packets early", |e, _| (audio(e).first.0, audio(e).packets) = (7200 - 3 * 1920, 471), Some(4)),
        ("three packets early, and then too short", |e, _| audio(e).first.0 -= 3 * 1920, None),
        ("half a millisecond early", |e, _| audio(e).first.0 -= 45, None),
        ("late by a packet", |e, _| audio(e).first.0 += 1920, None),
        ("a packet too short", |e, _| audio(e).packets = 467, None),
        ("it has holes", |e, _| audio(e).seamless = false, None),
        ("44.1 kHz", |e, _| e.streams[1].size = (44_100, 2), None),
        ("surround", |e, _| e.streams[1].size = (48_000, 6), None),
        ("MP3", |e, _| e.streams[1].codec = "mp3".to_owned(), None),
        ("far above the channel's bit rate", |e, p| (audio(e).bytes, p.audio_kbps) = (400_000, 160), None),
    ];
    for (sentence, change, expected) in table {
        let (media, mut extent, mut profile) = film();
        change(&mut extent, &mut profile);
        let plan = plan(&media, &extent, &profile, &Recipe::Remux, false).unwrap();
        assert_eq!(kept_sound(&media, &extent, &plan, &profile), expected, "{sentence}");
    }
    let (media, extent, profile) = film();
    let plan = plan(&media, &extent, &profile, &instead_of_remux("x".to_owned()), false).unwrap();
    assert_eq!(kept_sound(&media, &extent, &plan, &profile), None, "beside a picture that is made anew");
}
