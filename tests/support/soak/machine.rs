//! What the kernel tells of the station: memory, handles, children, CPU time, disk.

use std::fs;
use std::path::Path;

/// One look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Hours of the station since the beginning.
    pub hours: f64,
    /// Resident memory of the server, and of it what is its own, in KiB.
    pub resident: u64,
    pub anonymous: u64,
    /// Resident memory of the on-air ffmpeg, in KiB; none while there is none.
    pub carrier: Option<u64>,
    pub carrier_pid: u32,
    pub children: usize,
    pub threads: u64,
    /// Open files of the server and of the on-air ffmpeg.
    pub files: usize,
    pub carrier_files: usize,
    /// CPU time so far, in seconds: the server, and its present on-air ffmpeg.
    pub cpu: f64,
    pub carrier_cpu: f64,
    /// Bytes of the database with its log, of the run folder, of the cache, of what was logged.
    pub database: u64,
    pub database_log: u64,
    pub run_folder: u64,
    pub cache: u64,
    pub log: u64,
}

/// Clock ticks a second in /proc: 100 on every Linux that Debian has.
const TICKS: f64 = 100.0;

impl Sample {
    /// Looks now.
    pub fn take(pid: u32, data: &Path, log: &Path, hours: f64) -> Self {
        let children = children(pid);
        let carrier = children.iter().find(|(_, line)| carries(line)).map(|(pid, _)| *pid);
        let size = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
        Self {
            hours,
            resident: status(pid, "VmRSS").unwrap_or(0),
            anonymous: status(pid, "RssAnon").unwrap_or(0),
            carrier: carrier.and_then(|pid| status(pid, "VmRSS")),
            carrier_pid: carrier.unwrap_or(0),
            children: children.len(),
            threads: status(pid, "Threads").unwrap_or(0),
            files: files(pid),
            carrier_files: carrier.map_or(0, files),
            cpu: cpu(pid),
            carrier_cpu: carrier.map_or(0.0, cpu),
            database: size(&data.join("station.sqlite")),
            database_log: size(&data.join("station.sqlite-wal")),
            run_folder: below(&data.join("run")),
            cache: below(&data.join("cache")),
            log: size(log),
        }
    }
}

/// Whether the on-air ffmpeg is all that a process has begun.
pub fn carries_only(pid: u32) -> bool {
    children(pid).iter().all(|(_, line)| carries(line))
}

fn carries(line: &str) -> bool {
    line.contains("slots.ffconcat")
}

fn status(pid: u32, name: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim_start_matches(':').split_whitespace().next()?.parse().ok()
}

fn files(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

fn cpu(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may hold blanks; counting begins after it, at field 3.
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0.0))
        .collect();
    fields.get(11..13).map_or(0.0, |both| (both[0] + both[1]) / TICKS)
}

/// Returns the living children of a process with their command lines.
fn children(parent: u32) -> Vec<(u32, String)> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().filter_map(Result::ok);
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let pids: Vec<u32> =
        lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect();
    let line = |pid: u32| {
        let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok().filter(|bytes| !bytes.is_empty())?;
        Some((pid, String::from_utf8_lossy(&bytes).replace('\0', " ")))
    };
    pids.into_iter().filter_map(line).collect()
}

fn below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => below(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
