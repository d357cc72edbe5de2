//! The on-air ffmpeg's command line and its concat playlist.
//!
//! The playlist is flat and names two named pipes in turn. ffmpeg opens an entry when it reaches it, so each opening is one
//! slot, and its end is the item's end. There are two because a pipe that is opened again while ffmpeg still reads it would
//! carry the next item into this one. Measured on ffmpeg 5.1.9 and 9.0.2; HTTP entries end the channel after the first item
//! on 9.0, a list that names itself costs quadratic time, and of a socket ffmpeg asks twenty times a second whether there
//! is anything to read.

pub mod task;

use std::ffi::OsString;
use std::path::Path;

use crate::ffmpeg::{ChildSpec, Family, Limits, Role};

/// The pipes' names in the run's folder: slot n is read from the one at n modulo 2.
pub const PIPES: [&str; 2] = ["even.slot", "odd.slot"];

/// The playlist's name in the run's folder.
pub const PLAYLIST: &str = "slots.ffconcat";

/// How many slots a run has: months of items for 42 MB in ffmpeg (1.5 kB an entry would make a million too dear).
/// At the list's end ffmpeg ends, and the next run begins.
pub const SLOTS: usize = 10_000;

/// Returns the concat playlist's text.
#[must_use]
pub fn playlist() -> String {
    let entries = PIPES.map(|name| format!("file {name}\n"));
    let mut text = String::with_capacity(32 + SLOTS * entries[0].len());
    text.push_str("ffconcat version 1.0\n");
    entries.iter().cycle().take(SLOTS).for_each(|entry| text.push_str(entry));
    text
}

/// Returns what to start for a run: `base` is the private address that takes its chunks, `http://127.0.0.1:PORT/SECRET`,
/// `first_timestamp` what its timestamps begin with, in seconds. Each of the `renditions` comes back by itself, with the
/// sound.
#[must_use]
pub fn child(ffmpeg: &Path, folder: &Path, base: &str, first_timestamp: u32, renditions: usize) -> ChildSpec {
    let place = if renditions > 1 { "/%v" } else { "" };
    let (chunks, list) = (format!("{base}{place}/%d.ts"), format!("{base}{place}/live.m3u8"));
    let first_timestamp = first_timestamp.to_string();
    let begin = [
        "-hide_banner",
        "-nostdin",
        "-nostats",
        "-loglevel",
        "warning",
        "-f",
        "concat",
        "-protocol_whitelist",
        "file,http,tcp,concat",
        "-i",
        PLAYLIST,
    ];
    let maps = (0..renditions.max(1)).flat_map(|n| ["-map".into(), format!("0:v:{n}"), "-map".into(), "0:a:0".into()]);
    let copy = [
        "-c",
        "copy",
        "-output_ts_offset",
        &first_timestamp,
        // Shorter than any GOP: one chunk is closed at every keyframe, so a chunk is a GOP.
        "-f",
        "hls",
        "-hls_time",
        "0.05",
        "-hls_list_size",
        "5",
        "-method",
        "PUT",
        // One connection for a run's whole life; without it ffmpeg opens two for every chunk.
        "-http_persistent",
        "1",
    ];
    let pairs: Vec<String> = (0..renditions).map(|n| format!("v:{n},a:{n}")).collect();
    let variants = (renditions > 1).then(|| ["-var_stream_map".to_owned(), pairs.join(" ")]);
    let args = begin.iter().map(OsString::from);
    let args = args.chain(maps.map(OsString::from)).chain(copy.iter().map(OsString::from));
    let args = args.chain(variants.into_iter().flatten().map(OsString::from));
    ChildSpec {
        program: ffmpeg.to_owned(),
        args: args.chain(["-hls_segment_filename".into(), chunks.into(), list.into()]).collect(),
        folder: Some(folder.to_owned()),
        role: Role::OnAir,
        limits: Limits::ON_AIR,
        family: Family::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_slot_is_read_from_the_pipe_of_the_slot_before() {
        let text = playlist();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("ffconcat version 1.0"));
        for (slot, line) in lines.clone().enumerate() {
            assert_eq!(line, ["file even.slot", "file odd.slot"][slot % 2], "slot {slot}");
        }
        assert_eq!(lines.count(), SLOTS);
    }

    #[test]
    fn chunks_go_to_the_private_address_only() {
        let child = child(Path::new("ffmpeg"), Path::new("/run"), "http://127.0.0.1:9/abc", 0, 1);
        let line = child.command_line();
        assert!(
            line.contains(" -i slots.ffconcat -map 0:v:0 -map 0:a:0 -c copy ") && !line.contains("-var_stream_map")
        );
        assert!(line.ends_with("-hls_segment_filename http://127.0.0.1:9/abc/%d.ts http://127.0.0.1:9/abc/live.m3u8"));
        assert_eq!(child.folder.as_deref(), Some(Path::new("/run")));
    }

    #[test]
    fn every_rendition_has_an_address_of_its_own_and_the_same_sound() {
        let child = child(Path::new("ffmpeg"), Path::new("/run"), "http://127.0.0.1:9/abc", 0, 2);
        let args: Vec<_> = child.args.iter().map(|arg| arg.to_string_lossy()).collect();
        let line = args.join(" ");
        assert!(line.contains(" -map 0:v:0 -map 0:a:0 -map 0:v:1 -map 0:a:0 -c copy "), "{line}");
        assert!(args.iter().any(|arg| arg == "v:0,a:0 v:1,a:1"), "one argument: {line}");
        assert!(
            line.ends_with("-hls_segment_filename http://127.0.0.1:9/abc/%v/%d.ts http://127.0.0.1:9/abc/%v/live.m3u8")
        );
    }
}
