//! A real station: the real program, in a folder of its own, on a port the system chose.
#![expect(clippy::disallowed_methods, reason = "tests start programs and read the clock")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, Row};

use super::shim::WallClock;

/// How long anything that a test waits for may take before the test fails and shows the log.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// What a test wants of its station.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The ffmpeg that carries and prepares.
    pub ffmpeg: OsString,
    /// How many times faster than the world it lives.
    pub speed: f64,
    /// TOML below `[station]`, beside what the harness writes itself; `listen` takes the place of its own.
    pub station: String,
    /// TOML of the channels, below `[metrics]` where that is wanted: it is off else. `media/…` are folders in the station's
    /// own.
    pub channels: String,
    /// Variables the station's process gets beside the test's own: `LD_PRELOAD`, as a rule.
    pub environment: Vec<(OsString, OsString)>,
    /// Arguments of `run` beside the harness's own.
    pub arguments: Vec<OsString>,
    /// A program and its arguments that start the station in their own place: `prlimit --nofile=400 --`.
    pub under: Vec<OsString>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ffmpeg: "ffmpeg".into(),
            speed: 1.0,
            station: String::new(),
            channels: "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\n".to_owned(),
            environment: Vec::new(),
            arguments: Vec::new(),
            under: Vec::new(),
        }
    }
}

/// A folder in which a station lives, and may live again.
#[derive(Debug)]
pub struct Home {
    folder: tempfile::TempDir,
    settings: Settings,
}

impl Home {
    pub fn new(settings: Settings) -> Self {
        let home = Self { folder: tempfile::tempdir().unwrap(), settings };
        fs::create_dir_all(home.path("media/one")).unwrap();
        home
    }

    /// A path in the station's folder.
    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Reads what the station keeps, while it lives or after.
    pub fn kept<T>(&self, query: &str, row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database = Connection::open_with_flags(self.path("data/station.sqlite"), flags).unwrap();
        let mut query = database.prepare(query).unwrap();
        query.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn write_configuration(&self) -> PathBuf {
        self.save(&self.settings.channels)
    }

    /// Saves the configuration with these channels, as editors do: a new file takes the old one's place.
    pub fn save(&self, channels: &str) -> PathBuf {
        let Settings { ffmpeg, station, .. } = &self.settings;
        let listen = if station.contains("listen =") { "" } else { "listen = \"127.0.0.1:0\"\n" };
        let metrics = if channels.contains("[metrics]") { "" } else { "[metrics]\nlisten = \"off\"\n\n" };
        let text = format!(
            "[station]\nname = \"Test\"\n{listen}ffmpeg = \"{}\"\n{station}\n\n{metrics}{channels}",
            ffmpeg.to_string_lossy()
        );
        let (path, new) = (self.path("channels.toml"), self.path(".channels.toml.new"));
        fs::write(&new, text).unwrap();
        fs::rename(&new, &path).unwrap();
        path
    }

    /// Runs a command of the program to its end, in the station's environment, and returns how it ended, its answer, and what it complained of.
    pub fn ask(&self, args: &[&str]) -> (ExitStatus, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightcast"));
        command.arg("--config").arg(self.write_configuration()).args(args).current_dir(self.folder.path());
        command.envs(self.settings.environment.iter().cloned());
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status, text(&output.stdout), text(&output.stderr))
    }

    /// Starts the station and waits until it serves.
    pub fn start(&self) -> Station {
        self.start_at(self.settings.speed)
    }

    /// The same at a speed of its own.
    pub fn start_at(&self, speed: f64) -> Station {
        self.start_with(&self.settings.channels, speed)
    }

    /// The same with channels of its own.
    pub fn start_with(&self, channels: &str, speed: f64) -> Station {
        let words = self.settings.under.iter().cloned().chain([env!("CARGO_BIN_EXE_nightcast").into()]);
        let words: Vec<OsString> = words.collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command.arg("--config").arg(self.save(channels)).arg("--log-format").arg("json");
        command.arg("run").arg("--clock-speed").arg(speed.to_string());
        command.args(&self.settings.arguments);
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.envs(self.settings.environment.iter().cloned());
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Log::default());
        let (stderr, writer) = (child.stderr.take().unwrap(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                writer.push(line);
            }
            writer.end();
        });
        let mut station = Station {
            child,
            log,
            address: String::new(),
            speed,
            started: Instant::now(),
            wall: Timestamp::now(),
            clock: WallClock::of(&self.settings.environment),
        };
        let line = station.wait_for_log("it serves", |line| line.contains("is on air: open http://"));
        let after = line.split("http://").nth(1).unwrap();
        after.split('/').next().unwrap().clone_into(&mut station.address);
        station
    }
}

/// What a station has said, as it says it.
#[derive(Debug, Default)]
struct Log {
    lines: Mutex<(Vec<String>, bool)>,
    grown: Condvar,
}

impl Log {
    fn push(&self, line: String) {
        self.lines.lock().unwrap().0.push(line);
        self.grown.notify_all();
    }

    fn end(&self) {
        self.lines.lock().unwrap().1 = true;
        self.grown.notify_all();
    }
}

/// A running station; killed when dropped.
#[derive(Debug)]
pub struct Station {
    child: Child,
    log: Arc<Log>,
    pub address: String,
    speed: f64,
    started: Instant,
    wall: Timestamp,
    /// How far its wall clock is set ahead of the system's, where a test may set it.
    clock: Option<WallClock>,
}

/// An answer to a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

impl Station {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The station's clock at this moment, to within its start-up time: a moment later than the station's own.
    pub fn now(&self) -> Timestamp {
        let passed = self.started.elapsed().mul_f64(self.speed);
        let ahead = self.clock.as_ref().map_or(jiff::SignedDuration::ZERO, WallClock::ahead);
        self.wall + jiff::SignedDuration::try_from(passed).unwrap() + ahead
    }

    /// Waits for a log line.
    pub fn wait_for_log(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.log.lines.lock().unwrap();
        loop {
            if let Some(line) = lines.0.iter().find(|line| wanted(line)) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !lines.1, "never came: {what}\n{}", lines.0.join("\n"));
            lines = self.log.grown.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// Everything said so far.
    pub fn log(&self) -> String {
        self.log.lines.lock().unwrap().0.join("\n")
    }

    /// Asks for a page; connection failures are told as status 0.
    pub fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap_or_else(|error| Answer { status: 0, head: error.to_string(), body: Vec::new() })
    }

    fn try_get(&self, path: &str) -> std::io::Result<Answer> {
        get_from(&self.address, path)
    }

    pub fn playlist(&self, channel: &str) -> Option<String> {
        let answer = self.get(&format!("/channels/{channel}/index.m3u8"));
        (answer.status == 200).then(|| answer.text())
    }

    pub fn channel(&self, channel: &str) -> serde_json::Value {
        self.get(&format!("/api/channels/{channel}")).json()
    }

    /// Opens a channel's endless stream and reads its beginning.
    pub fn live_ts(&self, channel: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(SILENCE)).unwrap();
        write!(stream, "GET /channels/{channel}/live.ts HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
        stream.read_exact(&mut [0; 1000]).unwrap();
        stream
    }

    /// Asks again and again, with a short rest, until something is so.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            assert!(Instant::now() < deadline, "never came: {what}\n{}", self.log());
            rest();
        }
    }

    /// Children of the station whose command line holds a text: their pids.
    pub fn children(&self, holding: &str) -> Vec<u32> {
        children_of(self.pid(), holding)
    }

    /// Sends a signal by name: `TERM`, `KILL`.
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits for the end and returns how it ended and how long that took.
    pub fn wait(mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        let status = self.child.wait().unwrap();
        (status, begun.elapsed())
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// How long a server may be silent in the middle of an answer.
pub const SILENCE: Duration = Duration::from_secs(20);

/// Asks a server for a page.
pub fn get_from(address: &str, path: &str) -> std::io::Result<Answer> {
    talk(address, &format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAccept: */*\r\n\r\n"), SILENCE)
}

/// Sends a request as it is written, and reads the answer up to the end of the connection.
pub fn talk(address: &str, request: &str, silence: Duration) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(silence))?;
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let split = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let split = split.ok_or_else(|| std::io::Error::other("no end of the head"))?;
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = bytes[split + 4..].to_vec();
    Ok(Answer { status, head, body })
}

/// A short rest between two looks at something that cannot tell of itself.
pub fn rest() {
    std::thread::park_timeout(Duration::from_millis(50));
}

/// Sends a signal by name to one process.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status().unwrap();
    assert!(status.success(), "kill -{name} {pid}");
}

/// Children of a process whose command line holds a text: their pids.
pub fn children_of(parent: u32, holding: &str) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after = stat.rsplit(')').next().unwrap_or_default();
        let mut fields = after.split_whitespace();
        let alive = fields.next().is_some_and(|state| state != "Z");
        let ours = fields.next() == Some(&parent.to_string());
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        alive && ours && String::from_utf8_lossy(&command).replace('\0', " ").contains(holding)
    };
    pids.filter(is_child).collect()
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}
