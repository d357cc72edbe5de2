//! What went out, against what was prepared: every programme its length, every frame once and in its place.
#![expect(clippy::disallowed_methods, reason = "tests start programs and read what they wrote")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::Command;

use super::hls_text::{self, Segment};
use super::media::{file, run};
use super::station::Station;
use super::viewer::Recording;

/// A programme as a viewer saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Programme {
    /// The identifier of its EXT-X-DATERANGE.
    pub id: String,
    /// The media sequence number of its first segment.
    pub first: u64,
    /// Its planned length in seconds.
    pub planned: f64,
    /// The sum of its segments in seconds.
    pub played: f64,
}

/// Returns the programmes of a recording in their order; the first and the last are seen in part, as a rule.
pub fn programmes(recording: &Recording) -> Vec<Programme> {
    let mut programmes: Vec<Programme> = Vec::new();
    let mut last = None;
    for text in &recording.playlists {
        let (playlist, _) = hls_text::read(text);
        for segment in playlist.segments.iter().filter(|segment| Some(segment.msn) > last) {
            if let Some((id, planned)) = begins(text, segment) {
                programmes.push(Programme { id, first: segment.msn, planned, played: 0.0 });
            }
            if let Some(programme) = programmes.last_mut() {
                programme.played += segment.secs;
            }
        }
        last = playlist.segments.last().map(|segment| segment.msn).max(last);
    }
    programmes
}

/// Returns the programme that begins with a segment, by its EXT-X-DATERANGE: identifier and planned length in seconds.
fn begins(playlist: &str, segment: &Segment) -> Option<(String, f64)> {
    let head = playlist.split(&segment.uri).next()?;
    let own = head.rsplit(".ts\n").next()?;
    let range = own.lines().find(|line| line.starts_with("#EXT-X-DATERANGE"))?;
    let id = range.split("ID=\"").nth(1)?.split('"').next()?.to_owned();
    Some((id, range.split("PLANNED-DURATION=").nth(1)?.split(',').next()?.parse().ok()?))
}

/// Asserts that every programme but the first and the last played exactly its length; returns how many those are.
pub fn assert_whole(recording: &Recording, log: &str) -> usize {
    let programmes = programmes(recording);
    let whole = programmes.get(1..programmes.len().saturating_sub(1)).unwrap_or_default();
    for Programme { id, planned, played, .. } in whole {
        assert!((planned - played).abs() < 0.06, "{id}: {played} s of {planned} s\n{log}");
    }
    whole.len()
}

/// Waits until so many programmes more have begun.
pub fn until_programmes_begin(station: &Station, more: usize) {
    let begun = || station.log().lines().filter(|line| line.contains("programme began")).count();
    let due = begun() + more;
    station.until("the programmes begin", || (begun() >= due).then_some(()));
}

/// Returns the digest of each packet of a stream (`v:0`, `a:0`), in order: a copy keeps them.
pub fn packet_digests(path: &Path, stream: &str) -> Vec<String> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "quiet", "-select_streams", stream, "-show_entries", "packet=data_hash"]);
    command.args(["-show_data_hash", "CRC32", "-of", "json", &file(path)]);
    let answer: serde_json::Value = serde_json::from_slice(&run(&mut command).stdout).unwrap();
    let packets = answer["packets"].as_array().unwrap();
    packets.iter().map(|packet| packet["data_hash"].as_str().unwrap().to_owned()).collect()
}

/// Returns the programmes that were fetched from their first segment on, in their order; the last may be cut off.
pub fn whole_programmes(recording: &Recording) -> Vec<Programme> {
    // The first may have begun before the viewer looked: of the first playlist only the newest segment was fetched.
    let fetched = *recording.segments.keys().next().unwrap();
    let whole = |programme: &Programme| programme.first >= fetched;
    programmes(recording).into_iter().skip(1).filter(whole).collect()
}

/// Asserts that the frames seen are those of the items, programme by programme, each once and in its place. The items are
/// at 25 frames a second, and told apart by their lengths.
pub fn assert_every_frame_once(joined: &Path, recording: &Recording, items: &[Vec<String>], log: &str) {
    let programmes = whole_programmes(recording);
    let segments = recording.segments.range(programmes[0].first..);
    std::fs::write(joined, segments.flat_map(|(_, bytes)| bytes).copied().collect::<Vec<u8>>()).unwrap();
    let seen = packet_digests(joined, "v:0");
    let due: Vec<&String> = programmes.iter().flat_map(|programme| item_of(programme, items)).collect();
    let wrong = seen.iter().zip(&due).position(|(frame, due)| frame != *due);
    let place = |frame: &String| items.iter().map(|item| item.iter().position(|one| one == frame)).collect::<Vec<_>>();
    let around: Vec<_> = seen.iter().skip(wrong.unwrap_or(0)).take(3).map(place).collect();
    assert_eq!(wrong, None, "of {} frames; what came: {around:?}\n{programmes:?}\n{log}", seen.len());
    let last = item_of(&programmes[programmes.len() - 1], items).len();
    assert!(seen.len() <= due.len() && seen.len() > due.len() - last, "{} frames of {}", seen.len(), due.len());
}

/// A programme's frames: the item is told by its length.
fn item_of<'a>(programme: &Programme, items: &'a [Vec<String>]) -> &'a [String] {
    let lasts =
        |item: &&Vec<String>| (f64::from(u32::try_from(item.len()).unwrap()) / 25.0 - programme.planned).abs() < 0.001;
    items.iter().find(lasts).unwrap_or_else(|| panic!("no item is as long as {programme:?}"))
}
