//! Load by wrk, the same for every server.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load<'a> {
    /// Connections at once.
    pub(crate) connections: usize,
    /// Whole seconds.
    pub(crate) seconds: u64,
    /// Whether the client takes gzip.
    pub(crate) gzip: bool,
    /// Where.
    pub(crate) url: &'a str,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Served {
    /// Answers a second.
    pub(crate) requests: f64,
    /// Bytes a second, heads too.
    pub(crate) bytes: f64,
    /// Bytes in all.
    pub(crate) all: f64,
}

/// Runs wrk to its end.
pub(crate) fn run(load: Load<'_>) -> Result<Served> {
    let threads = if load.connections < 2 { 1 } else { 2 };
    let mut command = Command::new("wrk");
    command.args(["-t", &threads.to_string(), "-c", &load.connections.to_string()]);
    command.args(["-d", &format!("{}s", load.seconds), "--timeout", "20s"]);
    if load.gzip {
        command.args(["-H", "Accept-Encoding: gzip"]);
    }
    let output = command.arg(load.url).output().context("wrk is missing (hint: scripts/machine.sh bench)")?;
    read(&String::from_utf8_lossy(&output.stdout)).with_context(|| load.url.to_owned())
}

/// Reads what wrk tells.
fn read(text: &str) -> Result<Served> {
    if let Some(wrong) = text.lines().find(|line| line.contains("Non-2xx") || line.contains("Socket errors")) {
        bail!("the load met errors: {}", wrong.trim());
    }
    // "  1234 requests in 4.00s, 1.23GB read"
    let line = text.lines().find(|line| line.contains(" requests in ")).context("wrk tells no sum")?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |n: usize| words.get(n).copied().unwrap_or_default();
    let seconds: f64 = number(3).trim_end_matches([',', 's']).parse().context("wrk tells no time")?;
    let requests: f64 = number(0).parse().context("wrk tells no requests")?;
    let all = bytes(number(4)).context("wrk tells no bytes")?;
    Ok(Served { requests: requests / seconds, bytes: all / seconds, all })
}

/// Returns bytes from wrk's units, which count in 1024s.
fn bytes(text: &str) -> Option<f64> {
    let units = [("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10), ("B", 0)];
    let (number, power) = units.iter().find_map(|(unit, power)| Some((text.strip_suffix(unit)?, *power)))?;
    Some(number.parse::<f64>().ok()? * f64::from(power).exp2())
}
