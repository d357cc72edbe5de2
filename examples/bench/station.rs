//! The real program in a folder of its own, asked over plain TCP.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::process;

/// How long one request may take.
const REQUEST_MAX: Duration = Duration::from_secs(5);

/// How long a station may take to end.
const END_MAX: Duration = Duration::from_secs(12);

/// How often a question is asked again.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// A folder with configuration and data, in which a station lives, and may live again.
#[derive(Debug)]
pub(crate) struct Home {
    folder: tempfile::TempDir,
    program: PathBuf,
    /// What every channel's table holds besides.
    each: String,
}

impl Home {
    /// Makes the folder of a station with so many channels of one folder of videos.
    pub(crate) fn new(program: &Path, media: &Path, channels: usize) -> Result<Self> {
        let home = Self { folder: tempfile::tempdir()?, program: program.to_owned(), each: String::new() };
        home.furnish(media, channels)?;
        Ok(home)
    }

    /// The same, with lines of configuration for each channel.
    pub(crate) fn with_each(program: &Path, media: &Path, channels: usize, each: &str) -> Result<Self> {
        let home = Self { folder: tempfile::tempdir()?, program: program.to_owned(), each: each.to_owned() };
        home.furnish(media, channels)?;
        Ok(home)
    }

    /// Writes the configuration of so many channels; what was prepared before stays.
    pub(crate) fn furnish(&self, media: &Path, channels: usize) -> Result<()> {
        let channel = |n| {
            let (media, each) = (media.display(), &self.each);
            format!("\n[[channel]]\nid = \"c{n}\"\nname = \"Channel {n}\"\nfolder = \"{media}\"\n{each}")
        };
        let station =
            "[station]\nname = \"Bench\"\nlisten = \"127.0.0.1:0\"\n\n[metrics]\nlisten = \"127.0.0.1:0\"\n".to_owned();
        let text: Vec<String> = [station].into_iter().chain((0..channels).map(channel)).collect();
        Ok(fs::write(self.folder.path().join("channels.toml"), text.concat())?)
    }

    /// Gives the station so many seats for connections.
    pub(crate) fn with_seats(self, seats: usize) -> Result<Self> {
        let path = self.folder.path().join("channels.toml");
        let text = fs::read_to_string(&path)?;
        fs::write(path, text.replacen("[station]\n", &format!("[station]\nconnections-max = {seats}\n"), 1))?;
        Ok(self)
    }

    /// Starts the station; the clock runs from before the process is made.
    pub(crate) fn start(&self) -> Result<Station> {
        self.start_at(1.0)
    }

    /// The same, with a station that lives so many times faster than the world.
    pub(crate) fn start_at(&self, speed: f64) -> Result<Station> {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.folder.path().join("channels.toml")).args(["--log-format", "json", "run"]);
        command.arg("--clock-speed").arg(speed.to_string());
        command.current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().context("the program could not be started")?;
        let log: Arc<Mutex<Vec<(Duration, String)>>> = Arc::default();
        let stderr = child.stderr.take().context("its log has no pipe")?;
        let writer = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                writer.lock().unwrap_or_else(PoisonError::into_inner).push((started.elapsed(), line));
            }
        });
        let mut station = Station { child, started, log, address: String::new() };
        let line = station.until("it serves", Duration::from_secs(20), |station| {
            Ok(station.said("is on air: open http://").map(|(_, line)| line))
        })?;
        let after = line.split("http://").nth(1).unwrap_or_default();
        after.split('/').next().unwrap_or_default().clone_into(&mut station.address);
        Ok(station)
    }
}

/// A running station; ended when dropped.
#[derive(Debug)]
pub(crate) struct Station {
    child: Child,
    started: Instant,
    log: Arc<Mutex<Vec<(Duration, String)>>>,
    address: String,
}

impl Station {
    /// Returns its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns how long ago it was started.
    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Returns the first log line that holds a text, with its time after the start.
    pub(crate) fn said(&self, text: &str) -> Option<(Duration, String)> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().find(|(_, line)| line.contains(text)).cloned()
    }

    /// Returns the log's last lines.
    fn last_words(&self) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&str> = log.iter().rev().take(30).map(|(_, line)| line.as_str()).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Returns what it warned of, or called an error.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let bad = |line: &&String| line.contains("\"level\":\"WARN\"") || line.contains("\"level\":\"ERROR\"");
        log.iter().map(|(_, line)| line).filter(bad).cloned().collect()
    }

    /// Asks every [`POLL`] until there is an answer; fails when the time is over or the station has ended.
    pub(crate) fn until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&mut Self) -> Result<Option<T>>,
    ) -> Result<T> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(seen) = look(self)? {
                return Ok(seen);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the station ended ({status}) before {what}\n{}", self.last_words());
            }
            if Instant::now() >= deadline {
                bail!("waited {} s in vain until {what}\n{}", limit.as_secs(), self.last_words());
            }
            std::thread::sleep(POLL);
        }
    }

    /// Asks for a page; returns the body of a good answer.
    pub(crate) fn get(&self, path: &str) -> Result<Option<String>> {
        self.get_from(&self.address, path)
    }

    /// Returns where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Asks for a file; returns the bytes of a good answer.
    pub(crate) fn bytes(&self, path: &str, lines: &str) -> Result<Option<Vec<u8>>> {
        let bytes = asked(&self.address, path, lines)?;
        let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").context("an answer without a head")?;
        Ok(bytes.starts_with(b"HTTP/1.1 200").then(|| bytes[head + 4..].to_vec()))
    }

    /// Returns where its metrics are.
    pub(crate) fn metrics_address(&self) -> Result<String> {
        let (_, line) = self.said("metrics are at http://").context("its log does not tell where metrics are")?;
        let after = line.split("http://").nth(1).unwrap_or_default();
        Ok(after.split('/').next().unwrap_or_default().to_owned())
    }

    /// Asks another of its addresses.
    #[expect(clippy::unused_self, reason = "a question to this station")]
    pub(crate) fn get_from(&self, address: &str, path: &str) -> Result<Option<String>> {
        let bytes = asked(address, path, "Connection: close\r\n")?;
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").context("an answer without an end of its head")?;
        Ok(head.starts_with("HTTP/1.1 200").then(|| body.to_owned()))
    }

    /// Returns how many segments a channel's playlist has.
    pub(crate) fn segments(&self, channel: usize) -> Result<usize> {
        let playlist = self.get(&format!("/channels/c{channel}/index.m3u8"))?;
        Ok(playlist.map_or(0, |text| text.matches("#EXTINF").count()))
    }

    /// Waits until every channel's playlist has so many segments, and returns how long after the start that was.
    pub(crate) fn all_have(&mut self, channels: usize, segments: usize, limit: Duration) -> Result<Duration> {
        // One after the other: those that have them keep them, so the last that is asked for has them last.
        let mut asked = 0;
        self.until("every channel has its segments", limit, |station| {
            // A machine that starts hundreds of programs may be slow to answer; that is what is measured.
            while asked < channels && station.segments(asked).unwrap_or_default() >= segments {
                asked += 1;
            }
            Ok((asked == channels).then(|| station.age()))
        })
    }

    /// Returns what the API tells of all channels.
    pub(crate) fn guide(&self) -> Result<serde_json::Value> {
        let text = self.get("/api/channels")?.context("the API did not answer")?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Waits until every channel has all its items prepared and nothing but on-air ffmpegs is running.
    pub(crate) fn wait_prepared(&mut self, items: u64, limit: Duration) -> Result<()> {
        let mut asked = Instant::now();
        self.until("everything is prepared", limit, |station| {
            // Asked every second only: what is being prepared shall not be slowed by the question.
            if asked.elapsed() < Duration::from_secs(1) {
                return Ok(None);
            }
            asked = Instant::now();
            let guide = station.guide()?;
            let channels = guide["channels"].as_array().context("the API tells no channels")?;
            let ready = channels.iter().all(|channel| {
                let library = &channel["library"];
                library["items"] == items && library["prepared"] == items && channel["state"] == "on_air"
            });
            let (carriers, others) = process::carriers(station.pid())?;
            Ok((ready && others == 0 && carriers.len() == channels.len()).then_some(()))
        })
    }

    /// Ends the station as a person would, and waits for it.
    pub(crate) fn stop(mut self) -> Result<()> {
        let told = Command::new("kill").arg("-TERM").arg(self.pid().to_string()).status()?;
        let ended = process::wait_until(&mut self.child, Instant::now() + END_MAX)?;
        match ended {
            Some(status) if told.success() && status.success() => Ok(()),
            other => bail!("the station did not end well: {other:?}\n{}", self.last_words()),
        }
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Returns the whole answer to a request.
fn asked(address: &str, path: &str, lines: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(REQUEST_MAX))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: bench\r\n{lines}\r\n")?;
    // Nothing more is asked: the station closes once it has answered.
    if !lines.contains("close") {
        stream.shutdown(std::net::Shutdown::Write)?;
    }
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    Ok(bytes)
}
