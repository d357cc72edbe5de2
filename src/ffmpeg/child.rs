//! What to start and under which limits; how a child's death is told. Data only.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::PathBuf;

use serde::Serialize;

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
}

/// Limits the kernel enforces on a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Scheduling priority, 0 (as the server) to 19 (only what is left over).
    pub nice: u8,
    /// Address space in bytes (`RLIMIT_AS`).
    pub memory_bytes: Option<u64>,
    /// CPU seconds (`RLIMIT_CPU`).
    pub cpu_secs: Option<u64>,
}

impl Limits {
    /// For the on-air copier: its time is not bounded. It uses 270 MB of address space, 62 MB of them real; the largest
    /// chunk takes 64 MB more. One that grows beyond a gigabyte leaks, and is replaced rather than let grow.
    pub const ON_AIR: Self = Self { nice: 0, memory_bytes: Some(1 << 30), cpu_secs: None };
    /// For looking into a file nobody has checked yet.
    pub const PROBE: Self = Self { nice: 10, memory_bytes: Some(2 << 30), cpu_secs: Some(60) };
    /// For encoding: a film takes hours of CPU, and 4K HEVC with its threads takes gigabytes of address space.
    pub const PREPARE: Self = Self { nice: 15, memory_bytes: Some(8 << 30), cpu_secs: Some(24 * 3600) };
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
    /// `setpriv` ends the child when the server dies without a word, `prlimit` and `nice` set what their names say;
    /// each replaces itself, so the pid is the child's own. (util-linux and coreutils: on every Debian.)
    #[must_use]
    pub fn wrapped(&self) -> Vec<OsString> {
        let mut line: Vec<OsString> = vec!["setpriv".into(), "--pdeathsig".into(), "KILL".into(), "--".into()];
        line.extend(["prlimit".into(), "--core=0".into()]);
        if let Some(bytes) = self.limits.memory_bytes {
            line.push(format!("--as={bytes}").into());
        }
        if let Some(secs) = self.limits.cpu_secs {
            line.push(format!("--cpu={secs}").into());
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
            limits: Limits { nice: 10, memory_bytes: Some(1024), cpu_secs: Some(5) },
        };
        let line: Vec<_> = spec.wrapped().iter().map(|a| a.to_string_lossy().into_owned()).collect();
        assert_eq!(
            line.join(" "),
            "setpriv --pdeathsig KILL -- prlimit --core=0 --as=1024 --cpu=5 -- nice -n 10 ffmpeg -nostdin"
        );
    }

    #[test]
    fn the_tail_keeps_the_last_lines_only() {
        let mut tail = Tail::default();
        (0..Tail::LINES_MAX + 3).for_each(|n| tail.push(&n.to_string()));
        assert_eq!(tail.text().lines().next(), Some("3"));
        assert_eq!(tail.last(), (Tail::LINES_MAX + 2).to_string());
    }
}
