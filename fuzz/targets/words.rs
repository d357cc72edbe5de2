//! What ffmpeg and ffprobe say, about files of strangers.

use nightcast::ffmpeg::Evidence;
use nightcast::ffmpeg::extent::{Extent, PacketScan};
use nightcast::ffmpeg::loudness;
use nightcast::ffmpeg::probe::{self, Refusal};
use nightcast::ffmpeg::progress::ProgressReader;
use nightcast::hls::source::{self, SourceError};
use nightcast::library::MediaInfo;
use nightcast::library::metadata::Notes;
use nightcast::prepare::recipe::{self, ITEM_MAX, ITEM_MIN};
use nightcast::prepare::{length, plan};
use nightcast::units::MediaTime;

use super::profile;

/// ffprobe's JSON: what is accepted can be planned with, whatever numbers stand in it.
pub(super) fn probe(data: &[u8]) {
    match probe::read(data) {
        Ok(probed) => {
            let media = probed.media;
            assert!((probe::DURATION_MIN..=probe::DURATION_MAX).contains(&media.duration));
            let sides = [media.video.width, media.video.height];
            assert!(sides.iter().all(|side| (probe::SIDE_MIN..=probe::SIDE_MAX).contains(side)));
            let _notes = Notes::of_tags(&probed.tags);
            planned(&media, &plan::container_extent(&media));
        }
        Err(refusal) => sentence(&refusal),
    }
}

/// Fails where an item that was accepted cannot be planned.
fn planned(media: &MediaInfo, extent: &Extent) {
    let profile = profile();
    let _fit = recipe::looks_fit(media, &profile);
    let recipe = recipe::decide(media, extent, &profile);
    let rate = recipe::frame_rate(&media.video, &profile);
    assert!((5.0..=120.0).contains(&rate.as_f64()), "{rate}");
    let (width, height) = recipe::fitted_size(&media.video, &profile);
    assert!((2..=profile.width).contains(&width) && (2..=profile.height).contains(&height), "{width}x{height}");
    let Ok(timeline) = recipe::timeline(extent, &recipe, rate) else { return };
    assert!((ITEM_MIN..=ITEM_MAX).contains(&timeline.content_end), "{timeline:?}");
    let exact = recipe::exact_length(&timeline, rate);
    assert!(exact.frames > 0 && exact.audio_packets > 0);
    assert!(length::packets_in(timeline.content_end) > 0);
}

fn sentence(refusal: &Refusal) {
    let text = refusal.to_string();
    assert!(text.starts_with("It") || text.starts_with("The") || text.starts_with("Looking"), "{text}");
    assert!(text.ends_with('.'), "{text}");
}

/// ffmpeg's live playlist: the newest chunk has a number and a length that can be.
pub(super) fn live_list(data: &[u8]) {
    match source::newest_chunk(data) {
        Ok(Some(chunk)) => {
            assert!(chunk.duration >= MediaTime::ZERO);
            let twice = chunk.duration + chunk.duration;
            assert!(twice >= chunk.duration, "lengths can be summed");
        }
        Ok(None) => {}
        Err(SourceError::BadName { uri }) => assert!(uri.chars().count() <= 100),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Lines and last words: packets as CSV, progress, loudness, and why a file was refused.
pub(super) fn said(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut made = MediaTime::ZERO;
    let mut reader = ProgressReader::default();
    for progress in text.lines().filter_map(|line| reader.feed(line)) {
        assert!(progress.made >= made, "what was made is never unmade");
        made = progress.made;
    }
    if let Some(measured) = loudness::integrated_lufs(&text) {
        let gain = loudness::gain_db(measured, -18.0).unwrap_or(0.0);
        assert!((loudness::GAIN_MIN_DB..=loudness::GAIN_MAX_DB).contains(&gain), "{gain}");
    }
    for format in ["mpegts", "matroska,webm"] {
        let mut scan = PacketScan::new(0, Some(1), format);
        text.lines().for_each(|line| scan.feed(line));
        if let Some(extent) = scan.finish(true) {
            assert!(extent.streams.len() <= PacketScan::STREAMS_MAX);
            planned(&media(), &extent);
        }
    }
    let evidence =
        Evidence { command_line: "ffprobe".to_owned(), code: Some(1), signal: None, stderr: text.into_owned() };
    sentence(&probe::refusal(&evidence));
}

/// A film that every recipe takes.
fn media() -> MediaInfo {
    let json = br#"{"streams":[{"index":0,"codec_type":"video","codec_name":"h264","width":640,"height":360,
        "avg_frame_rate":"25/1"}],"format":{"format_name":"matroska,webm","duration":"60"}}"#;
    probe::read(json).expect("it is a film").media
}
