//! Goal: the measurement of audio against video that the other tests rely on is itself right, on every ffmpeg.
//! Method: clips whose offset is known, made with every codec set and moved by known amounts.
#![expect(clippy::disallowed_methods, reason = "tests start programs and write files")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::ffmpegs::{self, Ffmpeg};
use support::media::{self, Kind};
use support::sync::{Codecs, FlashBeep, Measured, measure};

/// How far the measurement may be off: codecs smear a tone's first millisecond.
const TOLERANCE_MS: f64 = 5.0;

fn made(ffmpeg: &Ffmpeg, folder: &Path, name: &str, clip: &FlashBeep) -> PathBuf {
    let path = folder.join(name);
    clip.make(ffmpeg, &path);
    path
}

fn assert_offset(measured: &Measured, flashes: u32, expected_ms: f64, what: &str) {
    assert_eq!(measured.offsets.len(), flashes as usize, "{what}: {measured:?}");
    assert!(measured.flashes_alone.is_empty() && measured.beeps_alone.is_empty(), "{what}: {measured:?}");
    for offset in &measured.offsets {
        assert!((offset.offset_ms - expected_ms).abs() < TOLERANCE_MS, "{what}, {expected_ms} ms: {offset:?}");
    }
}

#[test]
fn every_codec_set_is_measured_as_in_step() {
    let folder = tempfile::tempdir().unwrap();
    let plain = FlashBeep { flashes: 3, ..FlashBeep::default() };
    let clips = [
        ("a.mp4", 0.0, plain.clone()),
        (
            "b.mkv",
            0.0,
            FlashBeep { codecs: Codecs::HevcAac, fps: (24_000, 1_001), sample_rate: 44_100, ..plain.clone() },
        ),
        // ffmpeg moves the picture by the 6.5 ms that Opus needs to get going, and does not move the sound.
        ("c.webm", -7.0, FlashBeep { codecs: Codecs::Vp9Opus, fps: (50, 1), ..plain.clone() }),
        ("d.mpg", 0.0, FlashBeep { codecs: Codecs::Mpeg2Mp2, size: (352, 288), sample_rate: 32_000, ..plain.clone() }),
        ("e.mkv", 0.0, FlashBeep { codecs: Codecs::Mpeg4Mp3, channels: 1, sample_rate: 22_050, ..plain.clone() }),
        ("f.ts", 0.0, FlashBeep { b_frames: 0, fps: (30_000, 1_001), size: (854, 480), ..plain.clone() }),
        ("g.mov", 0.0, FlashBeep { channels: 6, fps: (60, 1), b_frames: 3, ..plain.clone() }),
    ];
    for (name, expected_ms, clip) in clips {
        let path = made(&ffmpegs::system(), folder.path(), name, &clip);
        let measured = measure(&ffmpegs::system(), &path);
        assert_offset(&measured, 3, expected_ms, name);
        let apart = measured.offsets[1].video_secs - measured.offsets[0].video_secs;
        assert!((apart - clip.period_secs()).abs() < 0.002, "{name}: flashes {apart} s apart");
    }
}

#[test]
fn a_known_offset_is_found_by_every_ffmpeg() {
    for ffmpeg in ffmpegs::all() {
        let folder = tempfile::tempdir().unwrap();
        for late_ms in [-120, -10, 40, 250] {
            let clip = FlashBeep { flashes: 3, beep_late_ms: late_ms, ..FlashBeep::default() };
            let path = made(&ffmpeg, folder.path(), "late.ts", &clip);
            assert_offset(&measure(&ffmpeg, &path), 3, f64::from(late_ms), &ffmpeg.version);
        }
    }
}

#[test]
fn a_stream_moved_by_its_timestamps_is_found() {
    for ffmpeg in ffmpegs::all() {
        let folder = tempfile::tempdir().unwrap();
        let plain = made(&ffmpeg, folder.path(), "plain.mp4", &FlashBeep::default());
        let moved = folder.path().join("moved.ts");
        let mut command = Command::new(&ffmpeg.program);
        command.args(["-v", "error", "-nostdin", "-i", &media::file(&plain), "-itsoffset", "0.040"]);
        command.args(["-i", &media::file(&plain), "-map", "0:v", "-map", "1:a", "-c", "copy"]);
        command.args(["-output_ts_offset", "95400", &media::file(&moved)]);
        media::run(&mut command);
        assert_offset(&measure(&ffmpeg, &moved), 6, 40.0, &ffmpeg.version);
    }
}

#[test]
fn a_flash_without_its_beep_and_a_beep_without_its_flash_are_told() {
    let ffmpeg = ffmpegs::system();
    let folder = tempfile::tempdir().unwrap();
    let plain = made(&ffmpeg, folder.path(), "plain.mp4", &FlashBeep::default());
    let muted = folder.path().join("muted.mkv");
    let mut command = Command::new(&ffmpeg.program);
    command.args(["-v", "error", "-nostdin", "-i", &media::file(&plain)]);
    command.args(["-af", "volume=0:enable='between(t,1,2)'", "-vf", "drawbox=c=black:t=fill:enable='between(t,3,4)'"]);
    media::run(command.args(["-preset", "ultrafast", &media::file(&muted)]));
    let measured = measure(&ffmpeg, &muted);
    assert_eq!((measured.offsets.len(), measured.flashes_alone.len(), measured.beeps_alone.len()), (4, 1, 1));
    assert!((measured.flashes_alone[0] - 1.48).abs() < 0.05 && (measured.beeps_alone[0] - 3.48).abs() < 0.05);
}

#[test]
fn drift_between_two_halves_of_a_file_is_seen() {
    let ffmpeg = ffmpegs::system();
    let folder = tempfile::tempdir().unwrap();
    let early = made(&ffmpeg, folder.path(), "early.ts", &FlashBeep { flashes: 4, ..FlashBeep::default() });
    let late =
        made(&ffmpeg, folder.path(), "late.ts", &FlashBeep { flashes: 4, beep_late_ms: 30, ..FlashBeep::default() });
    let (list, joined) = (folder.path().join("list.txt"), folder.path().join("joined.ts"));
    std::fs::write(&list, format!("file '{}'\nfile '{}'\n", early.display(), late.display())).unwrap();
    let mut command = Command::new(&ffmpeg.program);
    command.args(["-v", "error", "-nostdin", "-f", "concat", "-safe", "0", "-i", &media::file(&list)]);
    media::run(command.args(["-c", "copy", &media::file(&joined)]));
    let offsets = measure(&ffmpeg, &joined).offsets;
    assert_eq!(offsets.len(), 8);
    let change = offsets[7].offset_ms - offsets[0].offset_ms;
    assert!((change - 30.0).abs() < 25.0 && change > 10.0, "the join itself may cost an AAC frame: {offsets:?}");
}

#[test]
fn packets_are_listed_and_their_largest_gap_is_found() {
    let ffmpeg = ffmpegs::system();
    let folder = tempfile::tempdir().unwrap();
    let whole = made(&ffmpeg, folder.path(), "whole.ts", &FlashBeep::default());
    let packets = media::packets(&whole);
    assert_eq!(packets.iter().filter(|packet| packet.kind == Kind::Video).count(), 150);
    assert_eq!(packets.iter().filter(|packet| packet.kind == Kind::Video && packet.key).count(), 3);
    for kind in [Kind::Video, Kind::Audio] {
        let (gap, _) = media::largest_gap(&packets, kind).unwrap();
        assert!(gap.abs() < 0.001, "{kind:?}: {gap}");
    }
    assert_eq!(media::dts_that_do_not_rise(&packets), Vec::<f64>::new());
    let cut = |packet: &media::Packet| !(3.0..3.5).contains(&packet.pts);
    let holed: Vec<_> = packets.iter().filter(|packet| cut(packet)).cloned().collect();
    for kind in [Kind::Video, Kind::Audio] {
        let (gap, at) = media::largest_gap(&holed, kind).unwrap();
        assert!((gap - 0.5).abs() < 0.05 && (at - 3.0).abs() < 0.05, "{kind:?}: {gap} at {at}");
    }
    let turned: Vec<_> = packets.iter().rev().cloned().collect();
    assert!(media::dts_that_do_not_rise(&turned).len() > 100);
}

#[test]
fn a_sound_file_decodes_in_silence_and_a_broken_one_does_not() {
    for ffmpeg in ffmpegs::all() {
        let folder = tempfile::tempdir().unwrap();
        let path = made(&ffmpeg, folder.path(), "sound.ts", &FlashBeep::default());
        assert_eq!(media::decode_errors(&ffmpeg, &path), Vec::<String>::new(), "{}", ffmpeg.version);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 4_000].fill(0x55);
        std::fs::write(&path, bytes).unwrap();
        assert_ne!(media::decode_errors(&ffmpeg, &path), Vec::<String>::new(), "{}", ffmpeg.version);
    }
}
