//! What is read from ffprobe's answers, and what is refused.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A healthy file, with fields of its video stream added or replaced.
fn film(video: Value, format: Value) -> Value {
    let mut stream = json!({"index": 0, "codec_type": "video", "codec_name": "h264", "width": 1280, "height": 720,
        "pix_fmt": "yuv420p", "avg_frame_rate": "25/1", "r_frame_rate": "25/1"});
    let mut container = json!({"format_name": "mov,mp4,m4a,3gp,3g2,mj2", "duration": "10.500000"});
    for (target, more) in [(&mut stream, video), (&mut container, format)] {
        target.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    }
    json!({"streams": [stream], "format": container})
}

fn with_streams(first: &[Value], mut film: Value) -> Value {
    let streams = film["streams"].as_array_mut().unwrap();
    streams.splice(0..0, first.iter().cloned());
    film
}

fn read_value(value: &Value) -> Result<Probed, Refusal> {
    read(&serde_json::to_vec(value).unwrap())
}

#[test]
fn facts_are_read_from_strings_and_numbers() {
    let more = json!({"index": 1, "profile": "High", "level": 40, "sample_aspect_ratio": "64:45", "field_order": "tt",
        "color_transfer": "smpte2084", "start_time": "1.600000", "duration": "9.0", "bit_rate": "3000000",
        "avg_frame_rate": "30000/1001", "r_frame_rate": "60000/1001"});
    let audio = json!({"index": 0, "codec_type": "audio", "codec_name": "ac3", "sample_rate": "48000", "channels": 6,
        "start_time": "-0.021"});
    let media = read_value(&with_streams(&[audio], film(more, json!({})))).unwrap().media;
    let video = &media.video;
    assert_eq!((media.duration, video.index, video.level), (MediaTime::from_millis(10_500), 1, Some(40)));
    assert_eq!((video.sar, video.fps, video.fps_base), ((64, 45), (30000, 1001), (60000, 1001)));
    assert_eq!((video.interlaced, video.color_transfer.as_deref()), (true, Some("smpte2084")));
    assert_eq!((video.start, video.duration), (MediaTime::from_millis(1600), Some(MediaTime::from_secs(9))));
    let audio = media.audio.unwrap();
    assert_eq!((audio.sample_rate, audio.channels, audio.start), (48_000, 6, MediaTime::from_millis(-21)));
}

#[test]
fn what_is_unknown_has_a_safe_value() {
    let bare = json!({"avg_frame_rate": "0/0", "sample_aspect_ratio": "0:1", "level": -99, "profile": "unknown"});
    let media = read_value(&film(bare, json!({}))).unwrap().media;
    let video = media.video;
    assert_eq!((video.fps, video.sar, video.level, video.profile), ((0, 1), (1, 1), None, None));
    assert_eq!((video.interlaced, video.rotation, video.start), (false, 0, MediaTime::ZERO));
    assert_eq!(media.audio, None);
}

#[test]
fn rotation_is_clockwise_in_quarter_turns() {
    let matrix = |degrees: Value| json!({"side_data_list": [{"side_data_type": "x"}, {"rotation": degrees}]});
    for (sentence, stream, expected) in [
        ("no rotation", json!({}), 0),
        ("matrices turn counter-clockwise", matrix(json!(-90)), 90),
        ("the other way", matrix(json!(90)), 270),
        ("half a turn", matrix(json!(-180)), 180),
        ("newer versions write fractions", matrix(json!(-89.999)), 90),
        ("a whole turn is none", matrix(json!(360)), 0),
        ("the tag turns clockwise", json!({"tags": {"rotate": "90"}}), 90),
        ("the matrix beats the tag", json!({"tags": {"rotate": "180"}, "side_data_list": [{"rotation": -90}]}), 90),
        ("nonsense is none", json!({"tags": {"rotate": "inf"}}), 0),
    ] {
        assert_eq!(read_value(&film(stream, json!({}))).unwrap().media.video.rotation, expected, "{sentence}");
    }
}

#[test]
fn the_picture_is_the_first_real_video_and_the_sound_the_default() {
    let cover = json!({"index": 5, "codec_type": "video", "codec_name": "mjpeg", "width": 600, "height": 600,
        "disposition": {"attached_pic": 1}});
    let audio = |index: u32, default: u32| {
        json!({"index": index, "codec_type": "audio", "codec_name": "aac",
        "channels": 2, "sample_rate": "48000", "disposition": {"default": default}})
    };
    let data = json!({"index": 9, "codec_type": "data"});
    let value = with_streams(&[data, cover, audio(6, 0), audio(7, 1)], film(json!({}), json!({})));
    let media = read_value(&value).unwrap().media;
    assert_eq!((media.video.index, media.audio.unwrap().index), (0, 7));
    let value = with_streams(&[audio(6, 0), audio(7, 0)], film(json!({}), json!({})));
    assert_eq!(read_value(&value).unwrap().media.audio.unwrap().index, 6);
}

#[test]
fn what_cannot_air_is_refused_with_a_sentence() {
    let sound = json!({"codec_type": "audio", "codec_name": "aac", "channels": 2});
    let cover = json!({"codec_type": "video", "width": 600, "height": 600, "disposition": {"attached_pic": 1}});
    let mp3 = json!({"format_name": "mov,mp4", "duration": "10.0"});
    for (value, sentence) in [
        (json!({"streams": [sound], "format": mp3}), "It has sound but no picture."),
        (json!({"streams": [sound, cover], "format": mp3}), "Its only picture is cover art."),
        (json!({}), "It is not a video, or it is damaged: nothing in it can be read."),
        (film(json!({"width": 0}), json!({})), "It is not a video, or it is damaged: nothing in it can be read."),
        (film(json!({}), json!({"duration": "N/A"})), "Its length is unknown."),
        (film(json!({}), json!({"duration": "0.04"})), "It is 0.04 s long; the shortest that can air is 1 s."),
        (
            film(json!({}), json!({"duration": "999999999"})),
            "It claims to be 277777 hours long; the longest that can air is 48 hours.",
        ),
        (
            film(json!({"width": 16384}), json!({})),
            "Its picture of 16384x720 is too large; the largest that can air is 8192x8192.",
        ),
        (
            film(json!({"height": 2}), json!({})),
            "Its picture of 1280x2 is too small; the smallest that can air is 16x16.",
        ),
        (film(json!({"codec_tag_string": "encv"}), json!({})), "It is encrypted."),
    ] {
        assert_eq!(read_value(&value).unwrap_err().to_string(), sentence, "{value}");
    }
}

#[test]
fn a_length_is_found_where_any_stream_has_one() {
    let value = film(json!({"duration": "7.0"}), json!({"duration": null}));
    assert_eq!(read_value(&value).unwrap().media.duration, MediaTime::from_secs(7));
}

#[test]
fn tags_have_lower_case_names_and_come_from_streams_in_ogg_only() {
    let tagged =
        |format| film(json!({"tags": {"TITLE": "track"}}), json!({"format_name": format, "tags": {"Artist": "A"}}));
    let of = |format| read_value(&tagged(format)).unwrap().tags;
    assert_eq!(of("ogg").get("title").map(String::as_str), Some("track"));
    assert_eq!(of("matroska,webm").get("title"), None);
    assert_eq!(of("matroska,webm").get("artist").map(String::as_str), Some("A"));
}

#[test]
fn last_words_of_ffprobe_become_sentences() {
    for (said, expected) in [
        ("[hls @ 0x5] Format not on whitelist 'mov'\nfile:a.mp4: Invalid argument", Refusal::Playlist),
        ("[concat @ 0x5] Format not on whitelist 'mov'\nfile:a.mp4: Invalid argument", Refusal::Playlist),
        ("[mp3 @ 0x5] Format not on whitelist 'x'\nf: Invalid argument", Refusal::OtherFormat { format: "mp3".into() }),
        ("[png @ 0x5] Codec (png) not on whitelist 'h264'", Refusal::OtherCodec { codec: "png".into() }),
        ("[mov @ 0x5] moov atom not found\nfile:a: Invalid data found when processing input", Refusal::NoIndex),
        ("file:a.avi: End of file", Refusal::EndsEarly),
        ("file:a.avi: Invalid data found when processing input", Refusal::Unreadable),
        ("file:a: b.avi: Permission denied", Refusal::Denied),
        ("file:a: b.avi: Bad address", Refusal::Other { said: "Bad address".into() }),
        ("[vorbis @ 0x559264db2400] Setup header corrupt.", Refusal::Other { said: "Setup header corrupt".into() }),
        ("", Refusal::Other { said: "exit code 1".into() }),
    ] {
        let evidence = Evidence { command_line: String::new(), code: Some(1), signal: None, stderr: said.to_owned() };
        assert_eq!(refusal(&evidence), expected, "{said}");
    }
    let killed = Evidence { command_line: String::new(), code: None, signal: Some(24), stderr: String::new() };
    assert_eq!(refusal(&killed), Refusal::TooCostly);
}

proptest! {
    #[test]
    fn no_answer_whatever_breaks_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _any = read(&bytes);
    }

    #[test]
    fn no_value_in_a_known_field_breaks_the_reader(
        text in ".{0,20}", number in any::<f64>(), size in any::<u32>(), field in 0_usize..8,
    ) {
        let name = ["duration", "start_time", "bit_rate", "sample_aspect_ratio", "avg_frame_rate", "field_order",
            "r_frame_rate", "pix_fmt"][field];
        let value = film(
            json!({name: text, "width": size, "side_data_list": [{"rotation": number}]}),
            json!({"duration": number.to_string()}),
        );
        if let Ok(probed) = read_value(&value) {
            prop_assert!(probed.media.duration >= DURATION_MIN && probed.media.duration <= DURATION_MAX);
            prop_assert!(probed.media.video.rotation % 90 == 0 && probed.media.video.rotation < 360);
            prop_assert!(probed.media.video.sar.0 > 0 && probed.media.video.sar.1 > 0);
        }
    }
}
