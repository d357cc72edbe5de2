//! The machine in a sentence: figures without it mean nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Returns the machine's load over the last minute.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}

/// Returns date, program and machine, with the load before and after: a busy machine measures others' work.
pub(crate) fn describe(root: &Path, load_before: &str) -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "CPU of unknown make".to_owned());
    let memory = field("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let memory = memory.map_or_else(|| "unknown".to_owned(), |kib| format!("{:.0} GB", kib * 1024.0 / 1e9));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let ffmpeg = first_line(Command::new("ffmpeg").arg("-version"));
    let ffmpeg = ffmpeg.split(" Copyright").next().unwrap_or_default().to_owned();
    let commit = first_line(Command::new("git").args(["rev-parse", "--short", "HEAD"]).current_dir(root));
    let date = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M %Z").to_string();
    format!(
        "Measured {date} at commit {commit}, on {cores} cores of {cpu}, {memory} of memory, Linux {}, {ffmpeg}; load of \
         the machine {load_before} before, {} after.\n",
        kernel.trim(),
        load()
    )
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn first_line(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or("unknown").to_owned()
}
