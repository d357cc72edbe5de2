//! Whether a mezzanine is sound: every frame of it decodes, and picture and sound are as long as it says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use nightcast::prepare::Mezzanine;

use crate::Outcome;
use crate::support::media::file;

/// How far picture or sound may end from what the index says, in ticks of 90 kHz: a packet of sound, and for the picture
/// a frame at the least rate there is.
const SOUND_OFF_MAX: i64 = 1920 + 2;
const PICTURE_OFF_MAX: i64 = 90_000;

/// Returns what is wrong with the mezzanines, two being looked at at once.
pub(crate) fn flaws(outcomes: &BTreeMap<PathBuf, Outcome>) -> Vec<String> {
    let made = outcomes.iter().filter_map(|(path, outcome)| outcome.as_ref().ok().map(|mezzanine| (path, mezzanine)));
    let queue = Mutex::new(made.collect::<Vec<_>>());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((path, mezzanine)) = queue.lock().unwrap().pop() else { return };
                    let flaws = flaws_of(mezzanine);
                    if !flaws.is_empty() {
                        crate::keep(path);
                        found.lock().unwrap().push(format!("{}: {flaws:?}", name(path)));
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// Decodes all of it once.
fn flaws_of(mezzanine: &Mezzanine) -> Vec<String> {
    let mut command = Command::new("ffmpeg");
    command.args([
        "-hide_banner",
        "-nostdin",
        "-v",
        "error",
        "-threads",
        "1",
        "-i",
        &file(&mezzanine.path),
        "-map",
        "0",
    ]);
    command.args(["-fps_mode", "passthrough", "-enc_time_base:v", "1:90000", "-f", "framecrc", "-"]);
    let output = command.output().unwrap();
    let mut flaws: Vec<String> = String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned).collect();
    if !output.status.success() {
        flaws.push(format!("ffmpeg ended with {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (picture, sound) = (stream(&text, "0", 90_000), stream(&text, "1", 48_000));
    let length = mezzanine.duration().0;
    match (picture, sound) {
        (Some((start, end)), Some((sound_start, sound_end))) => {
            let off = [("picture", end - start, PICTURE_OFF_MAX), ("sound", sound_end - start, SOUND_OFF_MAX)];
            flaws.extend(
                off.into_iter()
                    .filter(|(_, ends, most)| (ends - length).abs() > *most)
                    .map(|(what, ends, _)| format!("the {what} ends at {ends} and not at {length}")),
            );
            if (sound_start - start).abs() > 2 {
                flaws.push(format!("the sound begins at {sound_start}, the picture at {start}"));
            }
        }
        other => flaws.push(format!("picture or sound is missing: {other:?}")),
    }
    flaws
}

/// When a stream begins and ends, in ticks.
fn stream(text: &str, index: &str, rate: i64) -> Option<(i64, i64)> {
    let frames = text.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        (fields[0] == index).then(|| (fields[2].parse::<i64>().ok(), fields[3].parse::<i64>().ok()))
    });
    let times: Vec<(i64, i64)> = frames.filter_map(|(pts, duration)| Some((pts?, duration?))).collect();
    let start = times.iter().map(|(pts, _)| *pts).min()?;
    let end = times.iter().map(|(pts, duration)| pts + duration).max()?;
    Some((start * 90_000 / rate, end * 90_000 / rate))
}
