//! The usual ways to make a channel of files, on the same files for the same time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::figures::{megabytes, percent};
use super::page::table;
use super::station::Home;
use super::{Settings, clips, on_air, process};

/// How long preparing may take before the station is measured; three sizes of a film take the longest.
const PREPARED_MAX: Duration = Duration::from_mins(10);

/// How long a killed rival may take to be gone.
const END_MAX: Duration = Duration::from_secs(10);

/// How often a rival's memory is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// How many channels the station has meanwhile: what one takes is too little for the kernel's clock.
const CHANNELS: usize = 10;

/// Three sizes of one channel.
const RENDITIONS: &str = "renditions = [\"1080p\", \"720p\", \"360p\"]\n";

/// One ffmpeg a video, each encoding it again.
const ENCODE: &str = "-re -i FILE -c:v libx264 -preset veryfast -crf 23 -c:a aac -f hls -hls_time 2 -hls_list_size 6 \
    -hls_flags delete_segments out.m3u8";

/// One ffmpeg over a list of videos, encoding: films may differ, the list is fixed.
const CONCAT_ENCODE: &str = "-re -stream_loop -1 -f concat -safe 0 -i list.txt -c:v libx264 -preset veryfast -crf 23 \
    -c:a aac -f hls -hls_time 2 -hls_list_size 6 -hls_flags delete_segments out.m3u8";

/// The same, copying: no seam is mended, one bad file ends it, the list is fixed.
const CONCAT: &str = "-re -stream_loop -1 -f concat -safe 0 -i list.txt -c copy -f hls -hls_time 2 -hls_list_size 6 \
    -hls_flags delete_segments out.m3u8";

/// What liquidsoap is told. `FOLDER` holds the films.
const LIQUIDSOAP: &str = "\
settings.init.allow_root.set(true)
settings.frame.video.width.set(1280)
settings.frame.video.height.set(720)
settings.frame.video.framerate.set(25)
films = playlist(mode=\"normal\", \"FOLDER\")
encoder = %ffmpeg(format=\"mpegts\", %audio(codec=\"aac\", channels=2, ar=48000, b=\"160k\"), \
                  %video(codec=\"libx264\", preset=\"veryfast\", crf=\"23\", g=\"50\"))
output.file.hls(id=\"channel\", fallible=true, playlist=\"out.m3u8\", segment_duration=2.0, segments=6, \".\", [(\"720p\", encoder)], films)
";

/// What a channel takes one way or another.
struct Taken {
    cpu: Duration,
    of: Duration,
    channels: usize,
    /// The most that was resident at once, of a channel, in KiB.
    resident: u64,
}

/// Measures the station and its rivals one after the other.
pub(crate) fn measure(settings: &Settings) -> Result<String> {
    let media = clips::folder(&settings.clips, clips::FIT_3M)?;
    let mut films: Vec<PathBuf> = fs::read_dir(&media)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    films.sort();
    let length = settings.rivals;
    let large = clips::folder(&settings.clips, clips::FULL_HD)?;
    let rows = [
        nightcast(settings, &media, clips::CLIPS, "")?.row("Nightcast, one picture (720p)"),
        nightcast(settings, &large, 1, RENDITIONS)?.row("Nightcast, three pictures (1080p, 720p, 360p)"),
        encode(&films, length)?.row("One ffmpeg a video, encoding in a loop"),
        concat(CONCAT_ENCODE, &films, length)?.row("One ffmpeg over a list, encoding"),
        concat(CONCAT, &films, length)?.row("One ffmpeg over a list, copying"),
        liquidsoap(&media, length)?.row("liquidsoap, encoding"),
    ];
    Ok(format!(
        "CPU time by /proc over {:.0} s at real time, one after the other, on the same files: {}; for three pictures one of \
         1080p25 at 6 Mbit/s. Nightcast has everything prepared and {CHANNELS} channels on air, server and ffmpegs are \
         counted together and divided among them; rivals have one channel. Nobody watches. Memory is resident, the most \
         of all looks; what Nightcast's ffmpegs share is counted once, and its older segments are counted, which lie in \
         memory files.\n\n{}\nEncoding: `ffmpeg {ENCODE}`, again for each \
         file, or over a list: `ffmpeg {CONCAT_ENCODE}`. Copying: `ffmpeg {CONCAT}`, which mends no seam, needs films that \
         are alike, and ends with the first that is broken. liquidsoap is Debian's, with this script:\n\n\
         ```text\n{LIQUIDSOAP}```\n\nThe rivals' figures hold the start of their programs, which weighs in short \
         measurements only.\n",
        length.as_secs_f64(),
        clips::FIT_3M.words,
        table(&["What", "CPU a channel, of one core", "Memory a channel"], &rows)
    ))
}

impl Taken {
    #[expect(clippy::cast_precision_loss, reason = "ten channels")]
    fn row(&self, what: &str) -> Vec<String> {
        let share = percent(self.cpu, self.of) / self.channels as f64;
        vec![what.to_owned(), format!("**{share:.3} %**"), megabytes(self.resident)]
    }
}

/// Measures the station with every channel on the same films.
fn nightcast(settings: &Settings, media: &Path, films: u64, each: &str) -> Result<Taken> {
    let home = Home::with_each(&settings.program, media, CHANNELS, each)?;
    let mut station = home.start()?;
    station.wait_prepared(films, PREPARED_MAX)?;
    let cost = on_air::watch(&station, CHANNELS, settings.rivals)?;
    let server = process::holdings(station.pid())?.proportional + cost.memory.spooled;
    station.stop()?;
    let all = server + cost.holdings.iter().map(|one| one.proportional).sum::<u64>();
    Ok(Taken { cpu: cost.server + cost.carriers, of: cost.lasted, channels: CHANNELS, resident: all / CHANNELS as u64 })
}

fn encode(films: &[PathBuf], length: Duration) -> Result<Taken> {
    let folder = tempfile::tempdir()?;
    let begun = Instant::now();
    let mut all = Taken { cpu: Duration::ZERO, of: length, channels: 1, resident: 0 };
    for film in films.iter().cycle() {
        if (begun + length).saturating_duration_since(Instant::now()) < Duration::from_millis(100) {
            break;
        }
        let one = run(ffmpeg(ENCODE, film), folder.path(), begun + length)?;
        all = Taken {
            cpu: all.cpu + one.cpu,
            of: begun.elapsed(),
            channels: 1,
            resident: all.resident.max(one.resident),
        };
    }
    Ok(all)
}

fn concat(line: &str, films: &[PathBuf], length: Duration) -> Result<Taken> {
    let folder = tempfile::tempdir()?;
    let lines: Vec<String> = films.iter().map(|film| format!("file '{}'", film.display())).collect();
    fs::write(folder.path().join("list.txt"), lines.join("\n"))?;
    run(ffmpeg(line, Path::new("")), folder.path(), Instant::now() + length)
}

fn liquidsoap(media: &Path, length: Duration) -> Result<Taken> {
    let folder = tempfile::tempdir()?;
    let media = media.to_str().context("the path of the clips is not UTF-8")?;
    let script = folder.path().join("channel.liq");
    fs::write(&script, LIQUIDSOAP.replace("FOLDER", media))?;
    let mut command = Command::new("liquidsoap");
    command.arg("--quiet").arg(&script).stdout(Stdio::null());
    let taken = run(command, folder.path(), Instant::now() + length).context("hint: scripts/machine.sh bench")?;
    if !folder.path().join("out.m3u8").exists() {
        bail!("liquidsoap made no playlist in {} s", length.as_secs());
    }
    Ok(taken)
}

fn ffmpeg(line: &str, film: &Path) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-y"]);
    for word in line.split_whitespace() {
        if word == "FILE" {
            command.arg(film)
        } else {
            command.arg(word)
        };
    }
    command
}

/// Runs a program until it ends or the time is over, and returns what it took.
fn run(mut command: Command, folder: &Path, deadline: Instant) -> Result<Taken> {
    let (before, begun) = (process::cpu(std::process::id())?.ended_children, Instant::now());
    let mut child = command.current_dir(folder).stdin(Stdio::null()).spawn().context("it could not be started")?;
    let mut resident = 0;
    let ended = loop {
        let ended = process::wait_until(&mut child, deadline.min(Instant::now() + LOOK))?;
        if ended.is_some() || Instant::now() >= deadline {
            break ended;
        }
        // Where it has just ended there is nothing to read.
        resident = resident.max(process::memory(child.id()).map_or(0, |memory| memory.resident));
    };
    let of = begun.elapsed();
    if ended.is_none() {
        child.kill()?;
        process::wait_until(&mut child, Instant::now() + END_MAX)?.context("it did not end")?;
    }
    if ended.is_some_and(|status| !status.success()) {
        bail!("{} failed", command.get_program().display());
    }
    let cpu = process::cpu(std::process::id())?.ended_children.saturating_sub(before);
    Ok(Taken { cpu, of, channels: 1, resident })
}
