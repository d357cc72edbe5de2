//! Real players that watch a channel: mpv, VLC and GStreamer, without window and loudspeaker, in real time. Each tells how
//! far its picture has come, in its own way.
#![expect(clippy::disallowed_methods, reason = "tests start programs and read the clock")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::VecDeque;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::station::{PATIENCE, rest};

/// Pictures a second of the clips: VLC and GStreamer count pictures.
const FPS: f64 = 25.0;

/// A position that moved further than this at once, or back, was set anew and not played to; in seconds.
const LEAP: f64 = 3.0;

/// How much a player plays before its buffer has found its size, in seconds.
const SETTLED_SECS: f64 = 5.0;

/// How many of its last words are kept of a player.
const WORDS_MAX: usize = 60;

/// Which player. Told to begin again when the stream is over, which mpv and VLC must be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Mpv,
    Vlc,
    Gstreamer,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Mpv, Self::Vlc, Self::Gstreamer];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mpv => "mpv",
            Self::Vlc => "VLC",
            Self::Gstreamer => "GStreamer",
        })
    }
}

/// What a player has shown so far.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Where it says it is, in seconds.
    position: Option<f64>,
    /// How much it has played, in seconds, without what it leapt over.
    pub played: f64,
    /// When its picture last moved.
    moved: Option<Instant>,
    longest_still: Duration,
    /// What it last said.
    words: VecDeque<String>,
}

impl Shown {
    fn at(&mut self, position: f64) {
        let way = self.position.replace(position).map_or(0.0, |before| position - before);
        if way == 0.0 {
            return;
        }
        let now = Instant::now();
        let last = self.moved.replace(now).unwrap_or(now);
        self.longest_still = self.longest_still.max(now.duration_since(last));
        if (0.0..LEAP).contains(&way) {
            self.played += way;
        }
    }

    fn said(&mut self, line: &str) {
        self.words.push_back(line.to_owned());
        if self.words.len() > WORDS_MAX {
            self.words.pop_front();
        }
    }

    /// Begins to count anew how long the picture stands still.
    fn forget_stills(&mut self) {
        self.longest_still = Duration::ZERO;
    }

    /// The longest time for which the picture stood still since the player was settled.
    pub fn longest_still(&self) -> Duration {
        self.moved.map_or(Duration::MAX, |last| self.longest_still.max(last.elapsed()))
    }
}

/// A player at work; ended when dropped. The kernel ends it with the thread that started it.
#[derive(Debug)]
pub struct Player {
    pub kind: Kind,
    child: Child,
    shown: Arc<Mutex<Shown>>,
}

impl Player {
    /// Starts a player; `folder` is where mpv has its socket.
    pub fn start(kind: Kind, url: &str, folder: &Path) -> Self {
        let socket = folder.join(format!("{kind}-{}.sock", url.len()));
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        match kind {
            Kind::Mpv => {
                command.args(["--", "mpv", "--no-config", "--ytdl=no", "--vo=null", "--ao=null", "--term-status-msg="]);
                command.arg(format!("--input-ipc-server={}", socket.display())).args(["--loop-playlist=force", url]);
            }
            Kind::Vlc => {
                // It will not run as root.
                if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
                    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
                }
                command.args(["--", "vlc", "--ignore-config", "-I", "rc", "--rc-fake-tty", "--no-video-title-show"]);
                command.args(["--vout", "dummy", "--aout", "adummy", "--loop", url]).env("HOME", "/nonexistent");
            }
            Kind::Gstreamer => {
                command.args(["--", "gst-launch-1.0", "-v", "uridecodebin", &format!("uri={url}"), "name=channel"]);
                command
                    .args("channel. ! queue ! videoconvert ! fakesink name=picture silent=false sync=true".split(' '));
                command.args("channel. ! queue ! audioconvert ! fakesink name=sound sync=true".split(' '));
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{kind} does not start: {error}"));
        let shown = Arc::new(Mutex::new(Shown::default()));
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        listen(stderr, Arc::clone(&shown), |_| None);
        match kind {
            Kind::Mpv => {
                listen(stdout, Arc::clone(&shown), |_| None);
                watch_mpv(&socket, Arc::clone(&shown));
            }
            Kind::Vlc => {
                listen(stdout, Arc::clone(&shown), vlc_pictures);
                let mut stdin = child.stdin.take().unwrap();
                // Ends with the player, which then reads no more.
                std::thread::spawn(move || {
                    while stdin.write_all(b"stats\n").is_ok() {
                        (0..4).for_each(|_| rest());
                    }
                });
            }
            Kind::Gstreamer => {
                let mut pictures = 0.0;
                listen(stdout, Arc::clone(&shown), move |line| {
                    (line.contains("FakeSink:picture") && line.contains("= chain")).then(|| {
                        pictures += 1.0;
                        pictures / FPS
                    })
                });
            }
        }
        Self { kind, child, shown }
    }

    /// What it has shown so far.
    pub fn shown(&self) -> Shown {
        self.shown.lock().unwrap().clone()
    }

    /// Waits until it has played its first seconds; from here on it counts how long its picture stands still. Near the edge
    /// of a channel, VLC stops once for three seconds after the first two, to begin with a larger buffer.
    pub fn settles(&self) {
        self.plays_until(SETTLED_SECS);
        self.shown.lock().unwrap().forget_stills();
    }

    /// Waits until it has played so many seconds in all.
    ///
    /// # Panics
    /// When that takes too long, with its last words.
    pub fn plays_until(&self, secs: f64) {
        let deadline = Instant::now() + PATIENCE;
        while self.shown().played < secs {
            assert!(Instant::now() < deadline, "{} does not come to {secs} s: {:#?}", self.kind, self.shown());
            rest();
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Reads what a player writes: a line is a position in seconds, or words to be kept.
fn listen(
    from: impl Read + Send + 'static,
    shown: Arc<Mutex<Shown>>,
    mut position: impl FnMut(&str) -> Option<f64> + Send + 'static,
) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            let at = position(&line);
            let mut shown = shown.lock().unwrap();
            match at {
                Some(at) => shown.at(at),
                None => shown.said(&line),
            }
        }
    });
}

/// VLC's count: `| frames displayed :       39`.
fn vlc_pictures(line: &str) -> Option<f64> {
    let count: f64 = line.split_once("frames displayed")?.1.trim_start_matches([' ', ':']).trim().parse().ok()?;
    Some(count / FPS)
}

/// Has mpv tell each change of its position.
fn watch_mpv(socket: &Path, shown: Arc<Mutex<Shown>>) {
    let deadline = Instant::now() + PATIENCE;
    let mut stream = loop {
        match UnixStream::connect(socket) {
            Ok(stream) => break stream,
            Err(error) => assert!(Instant::now() < deadline, "mpv: {error}: {:#?}", shown.lock().unwrap()),
        }
        rest();
    };
    stream.write_all(b"{\"command\":[\"observe_property\",1,\"time-pos\"]}\n").unwrap();
    listen(stream, shown, |line| {
        let event: serde_json::Value = serde_json::from_str(line).ok()?;
        (event["name"] == "time-pos").then(|| event["data"].as_f64())?
    });
}
