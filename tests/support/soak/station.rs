//! The real program in a folder of its own, asked over one lasting connection; and its clock, as seen from outside.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jiff::{SignedDuration, Timestamp};

use super::{SLOTS, Settings, library, machine};
use crate::support::ffmpegs::Ffmpeg;

/// So many looks in a row without a child but the on-air ffmpeg: half a second, many times what lies between two films.
const RESTING_LOOKS: usize = 25;

/// How long anything waited for may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// A folder in which the station lives twice: at the world's speed to prepare everything, then fast.
#[derive(Debug)]
pub struct Home {
    folder: tempfile::TempDir,
    program: PathBuf,
}

impl Home {
    pub fn new(settings: &Settings) -> Result<Self> {
        let Settings { program, ffmpeg, slots, .. } = settings;
        // A disk that is busy with other work keeps a writer waiting for a tenth of a second now and then, which nobody
        // notices; at such speeds it is a minute of channel.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }?;
        let home = Self { folder, program: program.clone() };
        let media = home.path("media");
        fs::create_dir_all(&media)?;
        library::make(ffmpeg, &media);
        let text = format!(
            "[station]\nname = \"Soak\"\nlisten = \"127.0.0.1:0\"\nsettle-seconds = 0.1\nworkers = 2\nffmpeg = \"{}\"\n\n\
             [metrics]\nlisten = \"off\"\n\n\
             [[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media\"\n\
             [channel.picture]\nsize = \"{}\"\npreset = \"ultrafast\"\n[channel.sound]\nkbps = 64\n",
            home.ffmpeg_with_slots(ffmpeg, *slots).display(),
            library::SIZE
        );
        fs::write(home.path("channels.toml"), text)?;
        Ok(home)
    }

    /// Returns an ffmpeg whose list, where it has one, ends after so many lines.
    fn ffmpeg_with_slots(&self, ffmpeg: &Ffmpeg, slots: usize) -> PathBuf {
        if slots >= SLOTS {
            return ffmpeg.program.clone();
        }
        let lines = slots + 1;
        ffmpeg.that(&self.path(""), &format!("head -n {lines} slots.ffconcat > short && mv short slots.ffconcat"))
    }

    /// Returns an ffmpeg that takes what others leave: where the soak runs at real-time priority, one that decodes for a
    /// tenth of a second would keep the viewer from seeing two minutes of channel.
    pub fn patient(&self, ffmpeg: &Ffmpeg) -> Ffmpeg {
        let program = ffmpeg.begun_by(&self.path(""), "patient", "exec chrt --other 0 nice -n 10");
        Ffmpeg { program, version: ffmpeg.version.clone() }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Starts the station at a speed, its runs' stamps beginning with `first` seconds; its log goes to a file.
    pub fn start(&self, speed: f64, first: u32, log: &str) -> Result<Station> {
        let log = self.path(log);
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.path("channels.toml")).args(["--log-format", "json", "run"]);
        command.arg("--clock-speed").arg(speed.to_string());
        command.arg("--first-timestamp").arg(first.to_string()).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        let child = command.spawn().with_context(|| format!("{} does not start", self.program.display()))?;
        let mut station = Station { child, log, address: String::new() };
        station.address = station.until("it serves", |station| {
            let text = fs::read_to_string(&station.log).unwrap_or_default();
            let after = text.split("is on air: open http://").nth(1)?;
            Some(after.split_once('/')?.0.to_owned())
        })?;
        Ok(station)
    }
}

/// A running station; killed when dropped.
#[derive(Debug)]
pub struct Station {
    child: Child,
    pub log: PathBuf,
    pub address: String,
}

impl Station {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn client(&self) -> Client {
        Client { address: self.address.clone(), stream: None, body: Vec::new() }
    }

    /// Waits until the channel is on air.
    pub fn on_air(&self) -> Result<Client> {
        let mut client = self.client();
        let deadline = Instant::now() + PATIENCE;
        while client.get("/channels/one/index.m3u8")?.0 != 200 {
            ensure!(Instant::now() < deadline, "the channel is not on air");
            std::thread::park_timeout(Duration::from_millis(1));
        }
        Ok(client)
    }

    /// Asks again and again until something is so.
    fn until<T>(&mut self, what: &str, mut look: impl FnMut(&mut Self) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(seen) = look(self) {
                return Ok(seen);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the station ended ({status}) before {what}: {}", self.last_words());
            }
            if Instant::now() > deadline {
                bail!("waited in vain until {what}: {}", self.last_words());
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(10).collect();
        lines.join("\n")
    }

    /// Waits until every item is prepared.
    pub fn prepared(&mut self, items: usize) -> Result<()> {
        let mut client = self.client();
        self.until("everything is prepared", |_| {
            let told = client.json("/api/channels/one").ok()?;
            (told["library"]["prepared"].as_u64()? == items as u64).then_some(())
        })
    }

    /// Waits until the workshop rests, too: prepared films are looked through afterwards, and a station that is stopped
    /// before goes on with that when it lives again.
    pub fn rests(&mut self) -> Result<()> {
        let mut looks = 0;
        self.until("the workshop rests", |station| {
            looks = if machine::carries_only(station.pid()) { looks + 1 } else { 0 };
            (looks >= RESTING_LOOKS).then_some(())
        })
    }

    /// Ends the station as a person would.
    pub fn stop(mut self) -> Result<()> {
        let told = Command::new("kill").arg("-TERM").arg(self.pid().to_string()).status()?;
        let status = self.until("it ended", |station| station.child.try_wait().ok().flatten());
        // `until` tells an end as an error when it sees it first.
        match (told.success(), status) {
            (true, Ok(status)) if status.success() => Ok(()),
            (_, other) => bail!("the station did not end well: {other:?}"),
        }
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// One connection that lasts, as a player's does.
#[derive(Debug)]
pub struct Client {
    address: String,
    stream: Option<BufReader<TcpStream>>,
    body: Vec<u8>,
}

impl Client {
    /// Asks for a path; returns status and body.
    pub fn get(&mut self, path: &str) -> io::Result<(u16, &[u8])> {
        let kept = self.stream.is_some();
        let status = match self.try_get(path) {
            // A connection that was kept may have been closed meanwhile, as HTTP allows.
            Err(_) if kept => {
                self.stream = None;
                self.try_get(path)
            }
            outcome => outcome,
        };
        if status.is_err() {
            self.stream = None;
        }
        Ok((status?, &self.body))
    }

    pub fn json(&mut self, path: &str) -> Result<serde_json::Value> {
        let (status, body) = self.get(path)?;
        if status != 200 {
            bail!("{path} answered {status}");
        }
        Ok(serde_json::from_slice(body)?)
    }

    fn try_get(&mut self, path: &str) -> io::Result<u16> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(&self.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(20)))?;
            self.stream = Some(BufReader::with_capacity(64 << 10, stream));
        }
        let stream = self.stream.as_mut().ok_or_else(|| io::Error::other("no connection"))?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: soak\r\nAccept: */*\r\n\r\n");
        stream.get_mut().write_all(request.as_bytes())?;
        let (mut status, mut len, mut line) = (0, 0, String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            if status == 0 {
                let word = text.split(' ').nth(1).and_then(|word| word.parse().ok());
                status = word.ok_or_else(|| io::Error::other("not HTTP"))?;
            } else if let Some((name, value)) = text.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                len = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        self.body.resize(len, 0);
        stream.read_exact(&mut self.body)?;
        Ok(status)
    }
}

/// The station's clock as it can be known from outside: it lies between two bounds, some milliseconds of station time
/// apart.
#[derive(Clone, Copy, Debug)]
pub struct StationClock {
    origin: Instant,
    epoch: Timestamp,
    /// Seconds after `epoch` that the station's clock showed at `origin`, at least and at most.
    bounds: (f64, f64),
    pub speed: f64,
}

impl StationClock {
    /// Asks the station for its time until the bounds are close.
    pub fn ask(client: &mut Client, speed: f64) -> Result<Self> {
        /// How many answers are enough: the quickest of them sets the bounds.
        const QUESTIONS: usize = 300;
        let origin = Instant::now();
        let mut clock = Self { origin, epoch: Timestamp::UNIX_EPOCH, bounds: (f64::MIN, f64::MAX), speed };
        for n in 0..QUESTIONS {
            let before = origin.elapsed().as_secs_f64() * speed;
            let told = client.json("/api/channels")?;
            let after = origin.elapsed().as_secs_f64() * speed;
            let time: Timestamp = told["server_time"].as_str().context("no server_time")?.parse()?;
            if n == 0 {
                clock.epoch = time;
            }
            let time = time.duration_since(clock.epoch).as_secs_f64();
            clock.bounds = (clock.bounds.0.max(time - after), clock.bounds.1.min(time - before));
        }
        // Rounding may cross bounds that meet.
        if clock.bounds.0 > clock.bounds.1 + 1e-6 {
            bail!("the station's clock does not run {speed} times as fast as the world: {:?}", clock.bounds);
        }
        Ok(clock)
    }

    /// Returns how far the bounds are apart, in seconds of the station.
    pub fn uncertainty(&self) -> f64 {
        self.bounds.1 - self.bounds.0
    }

    pub fn earliest(&self, at: Instant) -> Timestamp {
        self.at(at, self.bounds.0)
    }

    pub fn latest(&self, at: Instant) -> Timestamp {
        self.at(at, self.bounds.1)
    }

    fn at(&self, at: Instant, offset: f64) -> Timestamp {
        let secs = at.duration_since(self.origin).as_secs_f64() * self.speed + offset;
        self.epoch + SignedDuration::try_from_secs_f64(secs).unwrap_or_default()
    }
}
