//! How fast the station prepares, against plain ffmpeg on the same film.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::page::table;
use super::station::Home;
use super::{Settings, clips, process};

/// How long one preparation may take.
const PREPARED_MAX: Duration = Duration::from_mins(10);

/// What a person would type for the same output: same codec, preset, quality and ceiling, keyframes every 2 s.
const PLAIN: &str = "-i FILE -c:v libx264 -preset veryfast -crf 23 -maxrate 5000k -bufsize 10000k -g 60 -bf 2 \
    -sc_threshold 0 -c:a aac -b:a 160k -ar 48000 -ac 2 -f hls -hls_time 2 -hls_list_size 0 -hls_flags single_file out.m3u8";

/// Measures both.
pub(crate) fn measure(settings: &Settings) -> Result<String> {
    let (station, station_cpu) = by_the_station(settings)?;
    let (plain, plain_cpu) = by_plain_ffmpeg(settings)?;
    let row = |what: &str, took: Duration, cpu: Duration| {
        let speed = f64::from(clips::LENGTH) / took.as_secs_f64().max(0.001);
        let cpu = cpu.as_secs_f64();
        vec![what.to_owned(), format!("{:.2} s", took.as_secs_f64()), format!("{speed:.1} ×"), format!("{cpu:.1} s")]
    };
    let rows = [
        row("Nightcast: looked through, levelled, made, checked, while the channel is on air", station, station_cpu),
        row("Plain ffmpeg: made", plain, plain_cpu),
    ];
    let ratio = 100.0 * plain.as_secs_f64() / station.as_secs_f64().max(0.001);
    let work = 100.0 * station_cpu.as_secs_f64() / plain_cpu.as_secs_f64().max(0.001);
    Ok(format!(
        "One clip of {} s: {}.\n\n{}\nNightcast prepares at {ratio:.0} % of plain ffmpeg's speed, with {work:.0} % of its CPU time; on a busy machine \
         only the latter means anything. Plain: `ffmpeg \
         {PLAIN}`.\n",
        clips::LENGTH,
        clips::LONG_GOPS.words,
        table(&["What", "Took", "Speed", "CPU time of ffmpegs"], &rows)
    ))
}

fn by_the_station(settings: &Settings) -> Result<(Duration, Duration)> {
    let media = clips::folder(&settings.clips, clips::LONG_GOPS)?;
    let home = Home::new(&settings.program, &media, 1)?;
    let mut station = home.start()?;
    let (begun, _) = station.until("preparing begins", PREPARED_MAX, |station| Ok(station.said("preparing begins")))?;
    let (ended, _) = station.until("it is prepared", PREPARED_MAX, |station| Ok(station.said("\"prepared\"")))?;
    // What was waited for by now: ffmpegs and ffprobes of probing, preparing and the slate.
    let cpu = process::cpu(station.pid())?.ended_children;
    station.stop()?;
    Ok((ended.saturating_sub(begun), cpu))
}

fn by_plain_ffmpeg(settings: &Settings) -> Result<(Duration, Duration)> {
    let film = clips::first(&settings.clips, clips::LONG_GOPS)?;
    let folder = tempfile::tempdir()?;
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-y"]).current_dir(folder.path()).stdin(Stdio::null());
    for word in PLAIN.split_whitespace() {
        if word == "FILE" {
            command.arg(&film)
        } else {
            command.arg(word)
        };
    }
    let before = process::cpu(std::process::id())?.ended_children;
    let begun = Instant::now();
    let mut child = command.spawn().context("ffmpeg could not be started")?;
    let ended = process::wait_until(&mut child, begun + PREPARED_MAX)?;
    if !ended.is_some_and(|status| status.success()) {
        let _gone = child.kill();
        let _gone = child.wait();
        bail!("plain ffmpeg failed");
    }
    Ok((begun.elapsed(), process::cpu(std::process::id())?.ended_children.saturating_sub(before)))
}
