//! The usual ways to make a channel of files, on the same files for the same time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::figures::share;
use super::page::table;
use super::station::Home;
use super::{Settings, clips, on_air, process};

/// How long preparing may take before the station is measured.
const PREPARED_MAX: Duration = Duration::from_mins(10);

/// How long a killed ffmpeg may take to be gone.
const END_MAX: Duration = Duration::from_secs(10);

/// One ffmpeg a video, each encoding it again.
const ENCODE: &str = "-re -i FILE -c:v libx264 -preset veryfast -crf 23 -c:a aac -f hls -hls_time 2 -hls_list_size 6 \
    -hls_flags delete_segments out.m3u8";

/// One ffmpeg over a list of videos, copying: no seam is mended, one bad file ends it, the list is fixed.
const CONCAT: &str = "-re -stream_loop -1 -f concat -safe 0 -i list.txt -c copy -f hls -hls_time 2 -hls_list_size 6 \
    -hls_flags delete_segments out.m3u8";

/// Measures the station and its rivals one after the other.
pub(crate) fn measure(settings: &Settings) -> Result<String> {
    let media = clips::folder(&settings.clips, clips::FIT_3M)?;
    let mut films: Vec<PathBuf> = fs::read_dir(&media)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    films.sort();
    let length = settings.rivals;

    let home = Home::new(&settings.program, &media, 1)?;
    let mut station = home.start()?;
    station.wait_prepared(clips::CLIPS, PREPARED_MAX)?;
    let cost = on_air::watch(&station, 1, length)?;
    station.stop()?;

    let encoded = encode(&films, length)?;
    let copied = concat(&films, length)?;
    let row =
        |what: &str, cpu: Duration| vec![what.to_owned(), format!("{:.2} s", cpu.as_secs_f64()), share(cpu, length)];
    let rows = [
        row("Nightcast, one channel, server and ffmpeg together", cost.server + cost.carriers),
        row("One ffmpeg a video, encoding in a loop", encoded),
        row("One ffmpeg over a list, copying", copied),
    ];
    Ok(format!(
        "CPU time over {:.0} s at real time, one after the other on the same files: {}.\n\n{}\nEncoding: `ffmpeg \
         {ENCODE}`, again for each file. Copying: `ffmpeg {CONCAT}`. The rivals' figures hold \
         the start of their ffmpeg, which weighs in short measurements only.\n",
        length.as_secs_f64(),
        clips::FIT_3M.words,
        table(&["What", "CPU time", "Share of one core"], &rows)
    ))
}

fn encode(films: &[PathBuf], length: Duration) -> Result<Duration> {
    let folder = tempfile::tempdir()?;
    let deadline = Instant::now() + length;
    let mut cpu = Duration::ZERO;
    for film in films.iter().cycle() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left < Duration::from_millis(100) {
            break;
        }
        cpu += run(folder.path(), ENCODE, film, deadline)?;
    }
    Ok(cpu)
}

fn concat(films: &[PathBuf], length: Duration) -> Result<Duration> {
    let folder = tempfile::tempdir()?;
    let lines: Vec<String> = films.iter().map(|film| format!("file '{}'", film.display())).collect();
    fs::write(folder.path().join("list.txt"), lines.join("\n"))?;
    run(folder.path(), CONCAT, Path::new(""), Instant::now() + length)
}

/// Runs an ffmpeg until it ends or the time is over, and returns the CPU time it took.
fn run(folder: &Path, line: &str, film: &Path, deadline: Instant) -> Result<Duration> {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-y"]).current_dir(folder).stdin(Stdio::null());
    for word in line.split_whitespace() {
        if word == "FILE" {
            command.arg(film)
        } else {
            command.arg(word)
        };
    }
    let before = process::cpu(std::process::id())?.ended_children;
    let mut child = command.spawn().context("ffmpeg could not be started")?;
    let ended = process::wait_until(&mut child, deadline)?;
    if ended.is_none() {
        child.kill()?;
        process::wait_until(&mut child, Instant::now() + END_MAX)?.context("ffmpeg did not end")?;
    }
    if ended.is_some_and(|status| !status.success()) {
        bail!("ffmpeg {line} failed");
    }
    Ok(process::cpu(std::process::id())?.ended_children.saturating_sub(before))
}
