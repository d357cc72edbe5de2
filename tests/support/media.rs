//! Judges real media: what a decoder complains of, and which packets there are.
#![expect(clippy::disallowed_methods, reason = "tests start programs")]

use std::path::Path;
use std::process::{Command, Output};

use serde::Deserialize;

use super::ffmpegs::Ffmpeg;

/// Runs a program to its end.
///
/// # Panics
/// When it cannot be started or fails, with its last words.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}: {words}", output.status);
    output
}

/// Returns the path as ffmpeg must be given it: never an option, never a URL.
pub fn file(path: &Path) -> String {
    format!("file:{}", path.to_str().expect("tests use names in UTF-8"))
}

/// Decodes every stream of a file and returns the lines of complaint; none when all is well.
pub fn decode_errors(ffmpeg: &Ffmpeg, path: &Path) -> Vec<String> {
    let mut command = Command::new(&ffmpeg.program);
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-i", &file(path), "-map", "0"]);
    // Frames keep their own times: the null muxer would else count them at the first item's rate, and complain.
    command.args(["-fps_mode", "passthrough", "-enc_time_base:v", "1:90000", "-f", "null", "-"]);
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let mut lines: Vec<String> = String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned).collect();
    if !output.status.success() {
        lines.push(format!("ffmpeg ended with {}", output.status));
    }
    lines
}

/// What a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
    /// Anything else.
    #[serde(other)]
    Other,
}

/// One packet; times in seconds on the file's own clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
    /// What its stream carries.
    pub kind: Kind,
    /// Its stream's number.
    pub stream: u32,
    /// When it is shown.
    pub pts: f64,
    /// When it is decoded.
    pub dts: f64,
    /// How long it is shown; 0 where the file does not say.
    pub duration: f64,
    /// Whether a decoder may begin with it.
    pub key: bool,
}

/// As ffprobe prints it: numbers as text, missing where unknown.
#[derive(Deserialize)]
struct Printed {
    codec_type: Kind,
    stream_index: u32,
    pts_time: Option<String>,
    dts_time: Option<String>,
    duration_time: Option<String>,
    flags: String,
}

/// Returns every packet of a file, in the order of the file.
///
/// # Panics
/// When ffprobe fails, or a packet has no time at all.
pub fn packets(path: &Path) -> Vec<Packet> {
    #[derive(Deserialize)]
    struct Answer {
        packets: Vec<Printed>,
    }
    let entries = "packet=codec_type,stream_index,pts_time,dts_time,duration_time,flags";
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-show_entries", entries, "-of", "json", &file(path)]);
    let answer: Answer = serde_json::from_slice(&run(&mut command).stdout).expect("ffprobe writes JSON");
    let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<f64>().ok());
    let packet = |printed: Printed| {
        let (pts, dts) = (number(&printed.pts_time), number(&printed.dts_time));
        let some = pts.or(dts).expect("every packet has a time");
        Packet {
            kind: printed.codec_type,
            stream: printed.stream_index,
            pts: pts.unwrap_or(some),
            dts: dts.unwrap_or(some),
            duration: number(&printed.duration_time).unwrap_or(0.0),
            key: printed.flags.starts_with('K'),
        }
    };
    answer.packets.into_iter().map(packet).collect()
}

/// Returns the longest time in which a kind of stream shows nothing between two of its packets, and when it begins;
/// negative where every packet reaches beyond the next one's beginning, none below two packets.
///
/// Where packets do not tell how long they are shown, the median distance stands for it. With several streams of the
/// kind the first one counts.
pub fn largest_gap(packets: &[Packet], kind: Kind) -> Option<(f64, f64)> {
    let first = packets.iter().filter(|packet| packet.kind == kind).map(|packet| packet.stream).min()?;
    let mut shown: Vec<&Packet> = packets.iter().filter(|packet| packet.stream == first).collect();
    shown.sort_by(|a, b| a.pts.total_cmp(&b.pts));
    let mut steps: Vec<f64> = shown.windows(2).map(|pair| pair[1].pts - pair[0].pts).collect();
    steps.sort_by(f64::total_cmp);
    let median = *steps.get(steps.len() / 2)?;
    let gap = |pair: &[&Packet]| {
        let duration = if pair[0].duration > 0.0 { pair[0].duration } else { median };
        let end = pair[0].pts + duration;
        (pair[1].pts - end, end)
    };
    shown.windows(2).map(gap).max_by(|a, b| a.0.total_cmp(&b.0))
}

/// Whether the dts of each stream rise from packet to packet; otherwise where they do not, in seconds.
pub fn dts_that_do_not_rise(packets: &[Packet]) -> Vec<f64> {
    let mut last = std::collections::BTreeMap::new();
    let mut faults = Vec::new();
    for packet in packets {
        if last.insert(packet.stream, packet.dts).is_some_and(|before| packet.dts <= before) {
            faults.push(packet.dts);
        }
    }
    faults
}
