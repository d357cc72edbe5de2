//! What the kernel tells of processes: CPU time, memory, children.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// Clock ticks a second in /proc: 100 on every Linux that Debian has (`getconf CLK_TCK`).
const TICKS: f64 = 100.0;

/// CPU time of a process so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpu {
    /// Its own, of all its threads.
    pub(crate) own: Duration,
    /// That of its children which have ended and were waited for.
    pub(crate) ended_children: Duration,
}

/// Reads a process's CPU time.
pub(crate) fn cpu(pid: u32) -> Result<Cpu> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid} is gone"))?;
    // The name in brackets may hold blanks; counting begins after it, at field 3.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    if fields.first() == Some(&"Z") {
        bail!("process {pid} has ended");
    }
    let ticks = |n: usize| fields.get(n - 3).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default() / TICKS;
    Ok(Cpu {
        own: Duration::from_secs_f64(ticks(14) + ticks(15)),
        ended_children: Duration::from_secs_f64(ticks(16) + ticks(17)),
    })
}

/// Memory of a process, in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Everything that is resident, also the program's own file.
    pub(crate) resident: u64,
    /// What is its own: heap and stacks.
    pub(crate) anonymous: u64,
    /// The most that was ever resident.
    pub(crate) peak: u64,
    /// What its memory files hold (`memfd`), which is in none of the above.
    pub(crate) spooled: u64,
}

/// Reads a process's memory.
pub(crate) fn memory(pid: u32) -> Result<Memory> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid} is gone"))?;
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').split_whitespace().next()?.parse().ok()
    };
    let value = |name: &str| value(name).with_context(|| format!("process {pid} has no {name}"));
    Ok(Memory {
        resident: value("VmRSS")?,
        anonymous: value("RssAnon")?,
        peak: value("VmHWM")?,
        spooled: memory_files(pid)?,
    })
}

/// Returns what a process's memory files take, in KiB.
fn memory_files(pid: u32) -> Result<u64> {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).with_context(|| format!("process {pid} is gone"))?;
    let open = files.filter_map(|entry| Some(entry.ok()?.path()));
    // Its name goes on with a word about its being no file of any folder.
    let is_ours = |path: &PathBuf| {
        fs::read_link(path).is_ok_and(|target| target.to_string_lossy().starts_with("/memfd:segments"))
    };
    let in_memory = open.filter(is_ours);
    Ok(in_memory.filter_map(|path| fs::metadata(path).ok()).map(|file| file.blocks() / 2).sum())
}

/// What else a process has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Holdings {
    /// Resident memory in KiB, what it shares with others divided among all who have it.
    pub(crate) proportional: u64,
    /// Files, sockets and pipes that are open.
    pub(crate) handles: usize,
    /// Its threads.
    pub(crate) threads: usize,
}

/// Reads what a process holds.
pub(crate) fn holdings(pid: u32) -> Result<Holdings> {
    let gone = || format!("process {pid} is gone");
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).with_context(gone)?;
    let proportional =
        rollup.lines().find_map(|line| line.strip_prefix("Pss:")?.split_whitespace().next()?.parse().ok());
    Ok(Holdings {
        proportional: proportional.with_context(|| format!("process {pid} has no Pss"))?,
        handles: fs::read_dir(format!("/proc/{pid}/fd")).with_context(gone)?.count(),
        threads: fs::read_dir(format!("/proc/{pid}/task")).with_context(gone)?.count(),
    })
}

/// Returns the living children of a process with their command lines.
pub(crate) fn children(parent: u32) -> Result<Vec<(u32, String)>> {
    let processes = fs::read_dir("/proc")?.filter_map(Result::ok);
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut found = Vec::new();
    for pid in pids {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let alive = fields.next().is_some_and(|state| state != "Z");
        if alive && fields.next() == Some(&parent.to_string()) {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            found.push((pid, String::from_utf8_lossy(&line).replace('\0', " ")));
        }
    }
    Ok(found)
}

/// Splits a station's children: those that carry a channel, and how many others there are (preparing, probing).
pub(crate) fn carriers(station: u32) -> Result<(BTreeSet<u32>, usize)> {
    let children = children(station)?;
    let carriers: BTreeSet<u32> =
        children.iter().filter(|(_, line)| line.contains("slots.ffconcat")).map(|(pid, _)| *pid).collect();
    let others = children.len() - carriers.len();
    Ok((carriers, others))
}

/// Waits for a child we started; `None` when the time is over before it ends.
pub(crate) fn wait_until(child: &mut Child, deadline: Instant) -> Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
