//! What the multivariant playlist says is so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::support::ffmpegs::Ffmpeg;
use super::support::media::{file, run};
use super::support::station::{Home, Station};
use super::support::viewer::Recording;
use super::{AUDIO, RENDITIONS, hls_text};

/// One line of the multivariant playlist.
#[derive(Debug)]
struct Variant {
    attributes: String,
    uri: String,
}

impl Variant {
    fn attribute(&self, name: &str) -> &str {
        let sought = format!("{name}=");
        // AVERAGE-BANDWIDTH ends like BANDWIDTH.
        let begins = |at: &usize| [b':', b','].contains(&self.attributes.as_bytes()[at - 1]);
        let place = self.attributes.match_indices(&sought).map(|(at, _)| at).find(begins);
        let place = place.unwrap_or_else(|| panic!("there is no {name} in {self:?}"));
        let rest = &self.attributes[place + sought.len()..];
        match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next().unwrap(),
            None => rest.split(',').next().unwrap(),
        }
    }

    fn number(&self, name: &str) -> f64 {
        self.attribute(name).parse().unwrap_or_else(|error| panic!("{name}: {error} in {self:?}"))
    }
}

/// Goal: players choose by what the list tells, so it is true. Method: two strict readers; sizes, codecs and rates as ffprobe
/// sees them in the segments; bandwidths as a viewer's own sums give them.
pub(crate) fn tells_the_truth(home: &Home, station: &Station, recordings: &[Recording]) {
    let text = station.playlist("one").unwrap();
    strict_readers_take(home, &text);
    let lines: Vec<&str> = text.lines().collect();
    let variants: Vec<Variant> = lines
        .windows(2)
        .filter(|pair| pair[0].starts_with("#EXT-X-STREAM-INF:"))
        .map(|pair| Variant { attributes: pair[0].to_owned(), uri: pair[1].to_owned() })
        .collect();
    let uris: Vec<&str> = variants.iter().map(|variant| variant.uri.as_str()).collect();
    let names = RENDITIONS.map(|(name, _, _)| name).into_iter().chain([AUDIO]);
    assert_eq!(uris, names.map(|name| format!("{name}/index.m3u8")).collect::<Vec<_>>(), "{text}");
    let (audio, recording) = (&variants[RENDITIONS.len()], &recordings[RENDITIONS.len()]);
    assert_eq!(audio.attribute("CODECS"), "mp4a.40.2", "{text}");
    assert!(!audio.attributes.contains("RESOLUTION") && !audio.attributes.contains("FRAME-RATE"), "{text}");
    let (peak, _, _) = bandwidths(recording);
    assert!(audio.number("BANDWIDTH") >= peak, "{peak} seen in\n{text}");
    for ((variant, recording), (name, _, _)) in variants.iter().zip(recordings).zip(RENDITIONS) {
        let seen = seen(home, recording);
        let size = format!("{}x{}", seen.size.0, seen.size.1);
        assert_eq!(variant.attribute("RESOLUTION"), size, "{name}: the largest that was on\n{text}");
        assert_eq!(
            variant.attribute("CODECS"),
            format!("avc1.{}{:02x},mp4a.40.2", seen.profile, seen.level),
            "{name}\n{text}"
        );
        assert!((variant.number("FRAME-RATE") - seen.fps).abs() < 0.001, "{name}: {} in\n{text}", seen.fps);
        let (peak, least, most) = bandwidths(recording);
        let (told, average) = (variant.number("BANDWIDTH"), variant.number("AVERAGE-BANDWIDTH"));
        assert!(told >= peak, "{name}: {told} told, {peak} seen");
        assert!((least..=most).contains(&average) && average <= told, "{name}: {average}, {least} to {most} seen");
    }
}

pub(crate) fn strict_readers_take(home: &Home, text: &str) {
    let path = home.path("multivariant.m3u8");
    fs::write(&path, text).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("NIGHTCAST_TEST_PYTHON").map_or(root.join(".tools/python/bin/python"), PathBuf::from);
    for (program, script) in
        [(python.as_path(), "tests/strict_m3u8.py"), (Path::new("node"), "tests/browser/strict.mjs")]
    {
        run(Command::new(program).arg(root.join(script)).arg(&path));
    }
}

/// The largest of what is in a rendition's segments.
struct Seen {
    size: (u32, u32),
    /// As RFC 6381 writes it: profile and constraints.
    profile: &'static str,
    level: u32,
    fps: f64,
}

/// Looks into the segments with which something changes.
fn seen(home: &Home, recording: &Recording) -> Seen {
    let mut seen = Seen { size: (0, 0), profile: "", level: 0, fps: 0.0 };
    let segments = recording.playlists.iter().flat_map(|text| hls_text::read(text).0.segments);
    let changes: BTreeSet<u64> = segments.filter(|one| one.discontinuity).map(|one| one.msn).collect();
    for bytes in changes.iter().filter_map(|msn| recording.segments.get(msn)) {
        let path = home.path("one.ts");
        fs::write(&path, bytes).unwrap();
        let stream = stream(&path);
        let (top, bottom) = stream["r_frame_rate"].as_str().unwrap().split_once('/').unwrap();
        let fps = top.parse::<f64>().unwrap() / bottom.parse::<f64>().unwrap();
        seen.profile = match stream["profile"].as_str().unwrap() {
            "High" => "6400",
            // Without what makes it high, x264 says so: "ultrafast".
            "Main" => "4d40",
            other => panic!("nobody asked for the profile {other}"),
        };
        seen.size = seen.size.max(size(&path));
        seen.level = seen.level.max(number(&stream, "level"));
        seen.fps = seen.fps.max(fps);
    }
    seen
}

/// The size of the picture in a segment.
pub(crate) fn size(path: &Path) -> (u32, u32) {
    let stream = stream(path);
    (number(&stream, "width"), number(&stream, "height"))
}

fn number(stream: &serde_json::Value, name: &str) -> u32 {
    u32::try_from(stream[name].as_u64().unwrap()).unwrap()
}

/// What ffprobe says of the picture in a segment.
fn stream(path: &Path) -> serde_json::Value {
    let mut probe = Command::new("ffprobe");
    probe.args(["-v", "error", "-select_streams", "v"]);
    probe.args(["-show_entries", "stream=profile,width,height,level,r_frame_rate", "-of", "json", &file(path)]);
    let answer: serde_json::Value = serde_json::from_slice(&run(&mut probe).stdout).unwrap();
    answer["streams"][0].clone()
}

/// The peak by RFC 8216 §4.1, and the least and the most that single segments take, all in bits a second.
fn bandwidths(recording: &Recording) -> (f64, f64, f64) {
    let playlists = recording.playlists.iter().map(|text| hls_text::read(text).0);
    let secs: BTreeMap<u64, f64> =
        playlists.flat_map(|playlist| playlist.segments).map(|one| (one.msn, one.secs)).collect();
    // A busy viewer may have slept through the playlist that told a segment's length.
    let segments: Vec<(f64, Option<f64>)> = recording
        .segments
        .iter()
        .map(|(msn, bytes)| (f64::from(u32::try_from(bytes.len()).unwrap()) * 8.0, secs.get(msn).copied()))
        .collect();
    let mut peak: f64 = 0.0;
    for from in 0..segments.len() {
        let (mut bits, mut length) = (0.0, 0.0);
        for (own_bits, own_length) in &segments[from..] {
            let Some(own_length) = own_length else { break };
            (bits, length) = (bits + own_bits, length + own_length);
            // A little inside, for playlists round.
            if (3.001..=8.999).contains(&length) {
                peak = peak.max(bits / length - 1.0);
            }
        }
    }
    let single = segments.iter().filter_map(|(bits, secs)| Some(bits / (*secs)?));
    (peak, single.clone().fold(f64::MAX, f64::min), single.fold(0.0, f64::max))
}

/// Goal: an original that fits is the first rendition, frame by frame. Method: what was prepared, by its sidecar, and every
/// frame decoded.
pub(crate) fn keeps_what_fits(home: &Home, ffmpeg: &Ffmpeg, items: &[PathBuf], fit: &str) {
    let kept = |path: &&PathBuf| {
        let sidecar = fs::read(path.with_extension("json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&sidecar).unwrap()["recipe"] == "KeepFirst"
    };
    let kept: Vec<&PathBuf> = items.iter().filter(kept).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let original = frames(ffmpeg, &home.path("media/one").join(fit));
    assert!(original.len() > 100, "{} frames", original.len());
    assert_eq!(frames(ffmpeg, kept[0]), original);
}

/// The digests of all frames of a file's first picture.
fn frames(ffmpeg: &Ffmpeg, path: &Path) -> Vec<String> {
    let mut command = Command::new(&ffmpeg.program);
    command.args([
        "-v",
        "error",
        "-i",
        &file(path),
        "-map",
        "0:v:0",
        "-fps_mode",
        "passthrough",
        "-f",
        "framemd5",
        "-",
    ]);
    let text = String::from_utf8(run(&mut command).stdout).unwrap();
    let frames = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit(',').next());
    frames.map(|digest| digest.trim().to_owned()).collect()
}
