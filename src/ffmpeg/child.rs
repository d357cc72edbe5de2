//! What to start and under which limits; how a child's death is told. Data only.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::PathBuf;

use serde::Serialize;

use super::family::Family;

/// What a child is for; a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The one persistent copier of a channel.
    OnAir,
    /// Makes a mezzanine, a slate or a demo film.
    Prepare,
    /// Looks into a file.
    Probe,
    /// Makes a still picture of what is on, for the wall.
    Thumbnail,
}

impl Role {
    /// Every role, in their order.
    pub const ALL: [Self; 4] = [Self::OnAir, Self::Prepare, Self::Probe, Self::Thumbnail];

    /// Returns its name in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::OnAir => "on_air",
            Self::Prepare => "prepare",
            Self::Probe => "probe",
            Self::Thumbnail => "thumbnail",
        }
    }
}

/// How a child ended, in one word; a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with code 0.
    Done,
    /// We asked it to, and nothing was wrong with it.
    Stopped,
    /// By itself, with another code or a crash.
    Failed,
    /// By a signal that was not ours.
    Killed,
    /// We ended it because it made no progress.
    Stalled,
    /// We ended it because its time was over.
    Timeout,
    /// It went beyond a limit: of CPU time, of what it may write.
    Limit,
}

impl Ending {
    /// Every ending, in their order.
    pub const ALL: [Self; 7] =
        [Self::Done, Self::Stopped, Self::Failed, Self::Killed, Self::Stalled, Self::Timeout, Self::Limit];

    /// Returns its name in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Killed => "killed",
            Self::Stalled => "stalled",
            Self::Timeout => "timeout",
            Self::Limit => "limit",
        }
    }

    /// Judges the end of a child that we did not end.
    #[must_use]
    pub fn of(evidence: &Evidence) -> Self {
        match (evidence.code, evidence.signal) {
            (Some(0), _) => Self::Done,
            // SIGXCPU and SIGXFSZ. ffmpeg catches the first, cleans up, and ends with code 255, as after SIGTERM.
            (_, Some(24 | 25)) => Self::Limit,
            (Some(255), _) if evidence.stderr.contains("received signal 24") => Self::Limit,
            (Some(255), _) if evidence.stderr.contains("received signal") => Self::Killed,
            // Crashes: SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS.
            (Some(_), _) | (_, Some(4..=8 | 11 | 31)) => Self::Failed,
            (None, _) => Self::Killed,
        }
    }
}

/// Limits the kernel enforces on a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Scheduling priority, 0 (as the server) to 19 (only what is left over).
    pub nice: u8,
    /// Address space in bytes (`RLIMIT_AS`).
    pub memory_bytes: Option<u64>,
    /// Writable memory of its own in bytes (`RLIMIT_DATA`), for programs that reserve far more addresses than they use.
    pub data_bytes: Option<u64>,
    /// CPU seconds (`RLIMIT_CPU`): SIGXCPU at this many, SIGKILL [`Self::CPU_GRACE_SECS`] later.
    pub cpu_secs: Option<u64>,
    /// The longest file it may write, in bytes (`RLIMIT_FSIZE`).
    pub file_bytes: Option<u64>,
    /// How many files it may have open (`RLIMIT_NOFILE`).
    pub open_files: Option<u64>,
}

impl Limits {
    /// How many CPU seconds lie between the signal that can be caught and the one that cannot. With none between them
    /// the kernel would send only SIGKILL, which tells nothing of its reason.
    pub const CPU_GRACE_SECS: u64 = 5;

    /// For the on-air copier: its time is not bounded. It uses 270 MB of address space, 62 MB of them real; the largest
    /// chunk takes 64 MB more. One that grows beyond two gigabytes leaks, and is replaced rather than let grow.
    pub const ON_AIR: Self = Self {
        nice: 0,
        memory_bytes: Some(2 << 30),
        data_bytes: None,
        cpu_secs: None,
        file_bytes: None,
        open_files: None,
    };
    /// For looking into a file nobody has checked yet. It has one file open, and writes none.
    pub const PROBE: Self = Self {
        nice: 10,
        memory_bytes: Some(2 << 30),
        data_bytes: None,
        cpu_secs: Some(60),
        file_bytes: Some(1 << 20),
        open_files: Some(64),
    };
    /// For one frame out of a segment. It opens no file and writes none; a 2160p frame and what it refers to take 300 MB.
    pub const THUMBNAIL: Self = Self {
        nice: 10,
        memory_bytes: Some(1 << 30),
        data_bytes: None,
        cpu_secs: Some(5),
        file_bytes: Some(0),
        open_files: Some(32),
    };
    /// Returns the same for a program that reserves addresses for all memory of machine and chip at once, as NVIDIA's
    /// library does: what it writes to is bounded instead.
    #[must_use]
    pub fn with_room_to_reserve(self) -> Self {
        Self { memory_bytes: None, data_bytes: self.memory_bytes, ..self }
    }

    /// For encoding: a film takes hours of CPU, and 4K HEVC with its threads takes gigabytes of address space. How much
    /// an item may take of time and disk follows from its length, where there is one.
    pub const PREPARE: Self = Self {
        nice: 15,
        memory_bytes: Some(8 << 30),
        data_bytes: None,
        cpu_secs: Some(24 * 3600),
        file_bytes: None,
        open_files: Some(256),
    };
}

/// What to start.
#[derive(Clone, Debug)]
pub struct ChildSpec {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its working directory; the server's own where none is given.
    pub folder: Option<PathBuf>,
    /// What it is for.
    pub role: Role,
    /// Limits the kernel enforces.
    pub limits: Limits,
    /// Whose children it is counted with.
    pub family: Family,
}

impl ChildSpec {
    /// Returns the program and arguments as one line for logs; not quoted for a shell.
    #[must_use]
    pub fn command_line(&self) -> String {
        let mut line = self.program.to_string_lossy().into_owned();
        for arg in &self.args {
            line.push(' ');
            line.push_str(&arg.to_string_lossy());
        }
        line
    }

    /// Returns the whole argument vector with the small programs that set the limits in front.
    ///
    /// `setpriv` ends the child when the server dies without a word, and lets no program it may start gain privileges;
    /// `prlimit` and `nice` set what their names say; each replaces itself, so the pid is the child's own. (util-linux
    /// and coreutils: on every Debian.)
    #[must_use]
    pub fn wrapped(&self) -> Vec<OsString> {
        let mut line: Vec<OsString> = ["setpriv", "--no-new-privs", "--pdeathsig", "KILL", "--"].map(Into::into).into();
        line.extend(["prlimit".into(), "--core=0".into()]);
        let Limits { memory_bytes, data_bytes, file_bytes, open_files, cpu_secs, .. } = self.limits;
        for (limit, value) in
            [("as", memory_bytes), ("data", data_bytes), ("fsize", file_bytes), ("nofile", open_files)]
        {
            line.extend(value.map(|value| format!("--{limit}={value}").into()));
        }
        if let Some(secs) = cpu_secs {
            line.push(format!("--cpu={secs}:{}", secs.saturating_add(Limits::CPU_GRACE_SECS)).into());
        }
        line.push("--".into());
        if self.limits.nice > 0 {
            line.extend(["nice".into(), "-n".into(), self.limits.nice.to_string().into()]);
        }
        line.push(self.program.clone().into());
        line.extend(self.args.iter().cloned());
        line
    }
}

/// The last lines a child wrote, bounded.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    lines: VecDeque<String>,
}

impl Tail {
    /// How many lines are kept: ffmpeg's last words are the ones that matter.
    pub const LINES_MAX: usize = 200;
    /// How long a kept line may be, in characters.
    pub const LINE_LEN_MAX: usize = 500;

    /// Adds a line and forgets the oldest where there are too many.
    pub fn push(&mut self, line: &str) {
        if self.lines.len() == Self::LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(line.chars().take(Self::LINE_LEN_MAX).collect());
    }

    /// Returns the kept lines, oldest first, joined by newlines.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Returns the newest line, or an empty string.
    #[must_use]
    pub fn last(&self) -> &str {
        self.lines.back().map_or("", String::as_str)
    }
}

/// What is known of a child that ended.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Program and arguments.
    pub command_line: String,
    /// Exit code, or none when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The last lines of its stderr.
    pub stderr: String,
}

impl Evidence {
    /// Whether it ended with code 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Whether the machine was at fault and not what the child was given: its program was not to be had (126 and 127 are
    /// the shell's words for it), or there were no more file handles.
    #[must_use]
    pub fn tells_of_the_machine(&self) -> bool {
        matches!(self.code, Some(126 | 127)) || self.stderr.contains("Too many open files")
    }

    /// Returns how it ended, in words: `exit code 1` or `signal 9`.
    #[must_use]
    pub fn ending(&self) -> String {
        match (self.code, self.signal) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "an unknown ending".to_owned(),
        }
    }

    /// Returns what it says of its reason: one line for people, without the program's internal addresses.
    #[must_use]
    pub fn last_words(&self) -> String {
        let says_nothing = |line: &str| line.trim().is_empty() || line.starts_with("Conversion failed");
        let line = self.stderr.lines().rev().find(|line| !says_nothing(line)).unwrap_or_default();
        let words = clean(line);
        if words.is_empty() { self.ending() } else { words }
    }

    /// Returns what it said first, as a line for people: where a thing cannot even begin, the rest only follows from it.
    #[must_use]
    pub fn first_words(&self) -> String {
        let words = self.stderr.lines().map(clean).find(|words| !words.is_empty());
        words.unwrap_or_else(|| self.ending())
    }
}

/// Returns what a line of ffmpeg's or ffprobe's says without who says it and without addresses in memory.
#[must_use]
pub fn clean(line: &str) -> String {
    const WORDS_MAX: usize = 160;
    let line = line.rsplit_once("] ").map_or(line, |(_, words)| words);
    let is_address = |word: &&str| word.trim_start_matches(|c: char| !c.is_alphanumeric()).starts_with("0x");
    let words: Vec<_> = line.split_whitespace().filter(|word| !is_address(word)).collect();
    let words: String = words.join(" ").chars().filter(|c| !c.is_control() && *c != '"').take(WORDS_MAX).collect();
    words.trim_end_matches(['.', ':', ',']).to_owned()
}

#[cfg(test)]
impl ChildSpec {
    /// A line of shell in a probe's place.
    pub(crate) fn shell(script: &str) -> Self {
        Self {
            program: "sh".into(),
            args: vec!["-c".into(), script.into()],
            folder: None,
            role: Role::Probe,
            limits: Limits::PROBE,
            family: Family::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_stand_before_the_program_and_arguments_after() {
        let spec = ChildSpec {
            program: "ffmpeg".into(),
            args: vec!["-nostdin".into()],
            folder: None,
            role: Role::Probe,
            limits: Limits {
                nice: 10,
                memory_bytes: Some(1024),
                data_bytes: None,
                cpu_secs: Some(5),
                file_bytes: Some(9),
                open_files: Some(7),
            },
            family: Family::default(),
        };
        let line: Vec<_> = spec.wrapped().iter().map(|a| a.to_string_lossy().into_owned()).collect();
        assert_eq!(
            line.join(" "),
            "setpriv --no-new-privs --pdeathsig KILL -- prlimit --core=0 --as=1024 --fsize=9 --nofile=7 --cpu=5:10 \
             -- nice -n 10 ffmpeg -nostdin"
        );
    }

    #[test]
    fn an_end_is_told_in_one_word() {
        for (code, signal, stderr, expected) in [
            (Some(0), None, "", Ending::Done),
            (Some(1), None, "moov atom not found", Ending::Failed),
            (Some(255), None, "", Ending::Failed),
            (Some(255), None, "Exiting normally, received signal 15.", Ending::Killed),
            (Some(255), None, "Exiting normally, received signal 24.", Ending::Limit),
            (None, Some(9), "", Ending::Killed),
            (None, Some(11), "", Ending::Failed),
            (None, Some(25), "", Ending::Limit),
        ] {
            let evidence = Evidence { command_line: String::new(), code, signal, stderr: stderr.to_owned() };
            assert_eq!(Ending::of(&evidence), expected, "{code:?} {signal:?} {stderr}");
        }
    }

    #[test]
    fn the_tail_keeps_the_last_lines_only() {
        let mut tail = Tail::default();
        (0..Tail::LINES_MAX + 3).for_each(|n| tail.push(&n.to_string()));
        assert_eq!(tail.text().lines().next(), Some("3"));
        assert_eq!(tail.last(), (Tail::LINES_MAX + 2).to_string());
    }
}
