//! Serving, beside nginx with the same bytes in the same run: requests a second, and CPU a gigabyte.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::Settings;
use super::clips;
use super::load::{self, Load, Served};
use super::nginx::Nginx;
use super::page::table;
use super::process;
use super::station::{Home, Station};

/// How often each pair is measured.
const PAIRS: usize = 5;

/// How long each server is asked at a time, in seconds.
const SECONDS: u64 = 4;

/// Connections at once.
const CONNECTIONS: [usize; 2] = [64, 1000];

/// How many seats the station has: more than connections are opened.
const SEATS: usize = 8000;

/// How fast the station lives while it is asked: a playlist stands for 20 s and a segment is new for a minute, so that
/// both servers give the same bytes.
const SPEED: f64 = 0.1;

/// How long preparing may take, and the wait for a window of segments: at first in the world's time.
const READY_MAX: Duration = Duration::from_mins(10);

/// What one server did.
#[derive(Clone, Copy, Debug)]
struct Did {
    served: Served,
    cpu: Duration,
}

impl Did {
    /// CPU seconds a gigabyte.
    fn a_gigabyte(self) -> f64 {
        self.cpu.as_secs_f64() / (self.served.all / 1e9)
    }

    /// CPU microseconds a request.
    fn a_request(self, seconds: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "some seconds")]
        let requests = self.served.requests * seconds as f64;
        self.cpu.as_secs_f64() * 1e6 / requests
    }
}

/// Measures segments and playlists, with few and many connections.
pub(crate) fn measure(settings: &Settings) -> Result<String> {
    let threads = std::thread::available_parallelism()?.get();
    let memory = tempfile::tempdir_in("/dev/shm").context("tmpfs is missing at /dev/shm")?;
    let nginx = Nginx::start(memory.path(), threads)?;
    let media = clips::folder(&settings.clips, clips::FIT_6M)?;
    let home = Home::new(&settings.program, &media, 1)?.with_seats(SEATS)?;
    // Prepared at the usual speed, then begun again slowly, at the same place.
    let mut station = home.start()?;
    station.wait_prepared(clips::CLIPS, READY_MAX)?;
    station.until("a window of segments", READY_MAX, |station| {
        let text = station.get(PLAYLIST)?.unwrap_or_default();
        Ok((text.matches("#EXTINF").count() >= 9).then_some(()))
    })?;
    station.stop()?;
    let mut station = home.start_at(SPEED)?;
    let mut rows = Vec::new();
    for (what, gzip) in [("segment", false), ("playlist", false), ("playlist", true)] {
        for connections in CONNECTIONS {
            let mut pairs = Vec::new();
            for n in 0..PAIRS {
                pairs.push(pair(&mut station, &nginx, memory.path(), what, gzip, connections, n % 2 == 0)?);
            }
            let row = row(what, gzip, connections, &pairs);
            eprintln!("bench: {}", row.join(" | "));
            rows.push(row);
        }
    }
    station.stop()?;
    let head = [
        "What",
        "Connections",
        "gzip taken",
        "Requests a second",
        "nginx",
        "Ratio",
        "MB a second",
        "nginx",
        "CPU-s a GB",
        "nginx",
        "Ratio",
        "CPU µs a request",
        "nginx",
    ];
    Ok(format!(
        "Nightcast and nginx (Debian's, from tmpfs by sendfile, `access_log off`, {threads} workers, `tcp_nopush`, no \
         `open_file_cache`, since a playlist is another file every two seconds) give the same bytes to the same \
         `wrk -t2`, in turn, {SECONDS} s each, {PAIRS} pairs; load and servers share the machine. Ratios are medians of \
         the pairs' ratios, so that what else the machine does weighs on both: requests above 1 and CPU below 1 are \
         better than nginx. CPU is that of the server's processes by /proc, without the on-air ffmpeg.\n\n{}",
        table(&head, &rows)
    ))
}

const PLAYLIST: &str = "/channels/c0/index.m3u8";

/// Asks both servers for the same bytes, in turn.
fn pair(
    station: &mut Station,
    nginx: &Nginx,
    memory: &std::path::Path,
    what: &str,
    gzip: bool,
    connections: usize,
    first: bool,
) -> Result<(Did, Did)> {
    let playlist = station.until("a playlist", READY_MAX, |station| station.get(PLAYLIST))?;
    let path = if what == "playlist" {
        PLAYLIST.to_owned()
    } else {
        let newest = playlist.lines().rfind(|line| !line.starts_with('#')).context("no segment is listed")?;
        format!("/channels/c0/{newest}")
    };
    let file = memory.join("files").join(path.trim_start_matches('/'));
    fs::create_dir_all(file.parent().context("a file has a folder")?)?;
    fs::write(&file, station.bytes(&path, "")?.context("what is listed is not there")?)?;
    if gzip {
        let packed = station.bytes(&path, "Accept-Encoding: gzip\r\n")?.context("what is listed is not there")?;
        // Beside the plain file, as nginx looks for it.
        fs::write(memory.join("files").join(format!("{}.gz", path.trim_start_matches('/'))), packed)?;
    }
    let ask = |address: &str, cpu: &dyn Fn() -> Result<Duration>| -> Result<Did> {
        let url = format!("http://{address}{path}");
        let before = cpu()?;
        let served = load::run(Load { connections, seconds: SECONDS, gzip, url: &url })?;
        Ok(Did { served, cpu: cpu()?.saturating_sub(before) })
    };
    let ours = || ask(station.address(), &|| Ok(process::cpu(station.pid())?.own));
    let theirs = || ask(nginx.address(), &|| nginx.cpu());
    if first {
        let ours = ours()?;
        Ok((ours, theirs()?))
    } else {
        let theirs = theirs()?;
        Ok((ours()?, theirs))
    }
}

fn row(what: &str, gzip: bool, connections: usize, pairs: &[(Did, Did)]) -> Vec<String> {
    let ours = |figure: &dyn Fn(Did) -> f64| median(pairs.iter().map(|(ours, _)| figure(*ours)).collect());
    let theirs = |figure: &dyn Fn(Did) -> f64| median(pairs.iter().map(|(_, theirs)| figure(*theirs)).collect());
    let ratio = |figure: &dyn Fn(Did) -> f64| {
        format!("**{:.2}**", median(pairs.iter().map(|(ours, theirs)| figure(*ours) / figure(*theirs)).collect()))
    };
    let requests = |did: Did| did.served.requests;
    let megabytes = |did: Did| did.served.bytes / 1e6;
    let a_request = |did: Did| did.a_request(SECONDS);
    vec![
        what.to_owned(),
        connections.to_string(),
        if gzip { "yes" } else { "no" }.to_owned(),
        format!("{:.0}", ours(&requests)),
        format!("{:.0}", theirs(&requests)),
        ratio(&requests),
        format!("{:.0}", ours(&megabytes)),
        format!("{:.0}", theirs(&megabytes)),
        format!("{:.2}", ours(&Did::a_gigabyte)),
        format!("{:.2}", theirs(&Did::a_gigabyte)),
        ratio(&Did::a_gigabyte),
        format!("{:.1}", ours(&a_request)),
        format!("{:.1}", theirs(&a_request)),
    ]
}

/// Returns the middle one of an odd number of figures.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
