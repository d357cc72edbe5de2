//! The sound without a picture.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::support::aired::packet_digests;
use super::support::ffmpegs::Ffmpeg;
use super::support::media::{decode_errors, file, run};
use super::support::station::Home;
use super::support::viewer::Recording;

/// Goal: it is the very sound that the others have, at the same times, and nothing else. Method: the segments that both
/// viewers fetched are joined; packets and their times are compared, and all of it is decoded.
pub(crate) fn is_the_sound_of_the_smallest(home: &Home, ffmpeg: &Ffmpeg, smallest: &Recording, audio: &Recording) {
    let both: Vec<u64> = smallest.segments.keys().filter(|msn| audio.segments.contains_key(msn)).copied().collect();
    assert!(both.len() > 10, "{} segments were seen in both", both.len());
    let joined = |name: &str, recording: &Recording| {
        let path = home.path(name);
        let bytes = both.iter().flat_map(|msn| recording.segments[msn].iter().copied());
        fs::write(&path, bytes.collect::<Vec<u8>>()).unwrap();
        path
    };
    let (smallest, audio) = (joined("smallest.ts", smallest), joined("audio.ts", audio));
    assert_eq!(kinds(&audio), ["audio"]);
    assert!(packet_digests(&audio, "a:0").len() > 1000);
    assert_eq!(packet_digests(&audio, "a:0"), packet_digests(&smallest, "a:0"));
    assert_eq!(times(&audio), times(&smallest));
    assert_eq!(decode_errors(ffmpeg, &audio), Vec::<String>::new());
    let bytes = |path: &Path| fs::metadata(path).unwrap().len();
    assert!(bytes(&audio) < bytes(&smallest), "{} of {} bytes", bytes(&audio), bytes(&smallest));
}

/// The kinds of streams in a file.
fn kinds(path: &Path) -> Vec<String> {
    probed(path, &["-show_entries", "stream=codec_type"])
}

/// The times of all packets of sound.
fn times(path: &Path) -> Vec<String> {
    probed(path, &["-select_streams", "a:0", "-show_entries", "packet=pts_time"])
}

fn probed(path: &Path, what: &[&str]) -> Vec<String> {
    let mut probe = Command::new("ffprobe");
    probe.args(["-v", "error"]).args(what).args(["-of", "csv=p=0", &file(path)]);
    let text = String::from_utf8(run(&mut probe).stdout).unwrap();
    let mut lines: Vec<String> = text.lines().map(|line| line.trim_end_matches(',').to_owned()).collect();
    lines.retain(|line| !line.is_empty());
    // Programs and streams are both listed where there are programs.
    if what[1].starts_with("stream") {
        lines.dedup();
    }
    lines
}
