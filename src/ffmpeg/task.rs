//! Starts children in their own process group, drains their pipes, ends them politely.
#![expect(clippy::disallowed_methods, reason = "the one place that starts processes")]

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use procfs::process::Process;
use rustix::pipe::fcntl_setpipe_size;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::child::{ChildSpec, Ending, Evidence, Role, Tail};
use super::family::{Family, Reading, Usage};
use super::pipes;

/// How long a child may take to end after SIGTERM before it is killed.
pub const GRACE: Duration = Duration::from_secs(3);

/// How many lines of stdout may wait to be read before the child is made to wait.
const STDOUT_LINES_MAX: usize = 1024;

/// How much may wait in the pipe to a child that is fed as it goes: with less, writer and reader wait for one another.
const STDIN_BYTES: usize = 1 << 20;

/// A running child; killed with its whole group when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    group: Option<Pid>,
    stderr: JoinHandle<Tail>,
    command_line: String,
    account: Account,
    /// Why we ended it, if we did.
    because: Option<Ending>,
}

/// A child's place among its family: what it used and how it ended is told there once, whatever becomes of it.
#[derive(Debug)]
struct Account {
    family: Family,
    role: Role,
    pid: Option<u32>,
    left: bool,
    ending: Option<Ending>,
}

/// Why a child gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// The program could not be started at all.
    #[error("failed to start {program} (hint: is it installed, and is its path right in the configuration?)")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It ran longer than it may.
    #[error("took longer than {} s", limit.as_secs())]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// The server is stopping.
    #[error("stopped because the server is stopping")]
    Cancelled,
    /// It wrote more than it may.
    #[error("wrote more than {limit_bytes} bytes")]
    TooMuchOutput {
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// Waiting for it failed.
    #[error("failed to wait for a child")]
    Wait(#[source] io::Error),
}

/// Starts a child with stdin closed and stderr drained into a bounded tail.
///
/// Returns the child and the lines of its stdout, which must be read or dropped: the child waits while
/// [`STDOUT_LINES_MAX`] lines are unread.
///
/// # Errors
/// [`ChildError::Start`] when there is no such program.
pub fn spawn(spec: &ChildSpec) -> Result<(Running, mpsc::Receiver<String>), ChildError> {
    let (running, stdout) = start(spec, false)?;
    Ok((running, lines_of(stdout)))
}

/// The same with a stdin to be written to: the child's input ends when that is dropped. It takes up to [`STDIN_BYTES`]
/// before the child has read any.
///
/// # Errors
/// As [`spawn`].
pub fn spawn_fed(spec: &ChildSpec) -> Result<(Running, mpsc::Receiver<String>, Option<ChildStdin>), ChildError> {
    let (mut running, stdout) = start(spec, true)?;
    let stdin = running.child.stdin.take();
    if let Some(pipe) = &stdin {
        // A user who is not root may have only so many: the small pipe serves, too.
        let _refused = fcntl_setpipe_size(pipe, STDIN_BYTES);
    }
    Ok((running, lines_of(stdout), stdin))
}

fn lines_of(stdout: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(STDOUT_LINES_MAX);
    let _forwarder = running_task(pipes::forward_lines(stdout, sender));
    receiver
}

/// Runs a child to its end and returns how it ended and what it wrote to stdout.
///
/// # Errors
/// As [`ChildError`] tells; the child and its group are gone in every case.
pub async fn run_to_end(
    spec: &ChildSpec,
    limit: Duration,
    stdout_max: u64,
    token: &CancellationToken,
) -> Result<(Evidence, Vec<u8>), ChildError> {
    run_fed(spec, None, limit, stdout_max, token).await
}

/// The same of a child that is given bytes on its stdin, as many of them as it wants to read.
/// # Errors
/// As [`run_to_end`].
pub async fn run_fed(
    spec: &ChildSpec,
    input: Option<Bytes>,
    limit: Duration,
    stdout_max: u64,
    token: &CancellationToken,
) -> Result<(Evidence, Vec<u8>), ChildError> {
    let (mut running, stdout) = start(spec, input.is_some())?;
    let mut written = Vec::new();
    let mut bounded = stdout.take(stdout_max + 1);
    let stdin = running.child.stdin.take();
    let outcome = tokio::select! {
        biased;
        () = token.cancelled() => Err(ChildError::Cancelled),
        () = tokio::time::sleep(limit) => Err(ChildError::TimedOut { limit }),
        (read, ()) = futures_util::future::join(bounded.read_to_end(&mut written), feed(stdin, input)) => {
            read.map_err(ChildError::Wait)
        }
    };
    if let Err(error) = outcome {
        running.kill(error.ending()).await;
        return Err(error);
    }
    if written.len() as u64 > stdout_max {
        running.kill(Ending::Limit).await;
        return Err(ChildError::TooMuchOutput { limit_bytes: stdout_max });
    }
    // stdout is closed: the end is near, but a child may close it and stay.
    let evidence = tokio::select! {
        biased;
        () = token.cancelled() => None,
        () = tokio::time::sleep(limit) => None,
        evidence = running.wait() => Some(evidence?),
    };
    let Some(evidence) = evidence else {
        let error = if token.is_cancelled() { ChildError::Cancelled } else { ChildError::TimedOut { limit } };
        running.kill(error.ending()).await;
        return Err(error);
    };
    Ok((evidence, written))
}

/// Gives a child what it is to read, and then an end.
async fn feed(stdin: Option<ChildStdin>, input: Option<Bytes>) {
    let Some((mut stdin, input)) = stdin.zip(input) else { return };
    // One that has read enough closes its end: that is its business.
    let _read_enough = stdin.write_all(&input).await;
}

fn start(spec: &ChildSpec, fed: bool) -> Result<(Running, ChildStdout), ChildError> {
    let line = spec.wrapped();
    let failed = |source| ChildError::Start { program: spec.program.to_string_lossy().into_owned(), source };
    let mut command = Command::new(&line[0]);
    let stdin = if fed { Stdio::piped() } else { Stdio::null() };
    command.args(&line[1..]).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    if let Some(folder) = &spec.folder {
        command.current_dir(folder);
    }
    let mut child = command.spawn().map_err(failed)?;
    let account = Account::open(&spec.family, spec.role, child.id());
    let pipes = child.stdout.take().zip(child.stderr.take());
    let Some((stdout, stderr)) = pipes else {
        return Err(failed(io::Error::other("its pipes are missing")));
    };
    let group = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
    let stderr = running_task(pipes::drain(stderr));
    Ok((Running { child, group, stderr, command_line: spec.command_line(), account, because: None }, stdout))
}

/// Spawns a task that ends by itself when its pipe closes; the pipe closes with the child.
fn running_task<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(future)
}

impl ChildError {
    /// Why a child is ended that is in the way of this.
    fn ending(&self) -> Ending {
        match self {
            Self::TimedOut { .. } => Ending::Timeout,
            Self::TooMuchOutput { .. } => Ending::Limit,
            Self::Cancelled => Ending::Stopped,
            Self::Start { .. } | Self::Wait(_) => Ending::Failed,
        }
    }
}

/// Returns what a process uses by `/proc`, also of one that has ended and was not waited for; none where it is gone.
#[must_use]
pub fn look(pid: u32) -> Option<Reading> {
    let process = Process::new(pid.cast_signed()).ok()?;
    let stat = process.stat().ok()?;
    let used = usage(&process, stat.utime + stat.stime);
    Some(Reading {
        used,
        memory_bytes: stat.rss.saturating_mul(procfs::page_size()),
        threads: stat.num_threads.max(0).unsigned_abs(),
        handles: process.fd_count().map_or(0, |count| count as u64),
    })
}

fn usage(process: &Process, ticks: u64) -> Usage {
    // Kernels without this accounting tell nothing: the rest is worth having.
    let (read_bytes, written_bytes) = process.io().map_or((0, 0), |io| (io.read_bytes, io.write_bytes));
    let tick = Duration::from_secs(1) / u32::try_from(procfs::ticks_per_second()).unwrap_or(100).max(1);
    Usage { cpu: tick.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX)), read_bytes, written_bytes }
}

impl Account {
    fn open(family: &Family, role: Role, pid: Option<u32>) -> Self {
        if let Some(pid) = pid {
            family.begun(role, pid, Timestamp::now());
        }
        Self { family: family.clone(), role, pid, left: false, ending: None }
    }

    /// Returns when the child has ended; it is still there to be waited for.
    async fn over(&self) {
        // Heard from before the first look on, so that no end falls between the two. Where signals cannot be heard, the
        // child is simply waited for.
        let Ok(mut ends) = signal(SignalKind::child()) else { return };
        while !self.has_ended() {
            ends.recv().await;
        }
    }

    /// Whether the child has ended, as far as the system can tell without forgetting it.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let pid = self.pid.and_then(|pid| Pid::from_raw(pid.cast_signed()));
        pid.is_none_or(|pid| !matches!(waitid(WaitId::Pid(pid), options), Ok(None)))
    }

    /// Closes the part that goes by the pid, with the last that is to be known of what it used.
    fn leave(&mut self) {
        if let Some(pid) = self.pid.filter(|_| !self.left) {
            self.left = true;
            self.family.leaves(self.role, pid, look(pid).map(|reading| reading.used));
        }
    }

    fn end(&mut self, ending: Ending) {
        if self.pid.is_some() && self.ending.is_none() {
            self.ending = Some(ending);
            self.family.ended(self.role, ending);
        }
    }
}

impl Drop for Account {
    /// For children nobody waited for: they are killed with their handle.
    fn drop(&mut self) {
        self.leave();
        self.end(Ending::Stopped);
    }
}

impl Running {
    /// Returns the process id, while it has not been waited for.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for the end and returns what is known of it.
    ///
    /// # Errors
    /// [`ChildError::Wait`] when the system cannot tell.
    ///
    /// # Cancel safety
    /// May be dropped and called again until it has returned.
    pub async fn wait(&mut self) -> Result<Evidence, ChildError> {
        let status = self.reap().await.map_err(ChildError::Wait)?;
        Ok(self.evidence(status).await)
    }

    /// Returns how it ended, in one word, once that is known.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        self.account.ending
    }

    /// Waits for the end, and looks at what it used between the end and the moment when its pid may be another's.
    async fn reap(&mut self) -> io::Result<ExitStatus> {
        self.account.over().await;
        self.account.leave();
        self.child.wait().await
    }

    /// Ends the child: SIGTERM to its group, [`GRACE`], SIGKILL to its group.
    pub async fn terminate(&mut self, why: Ending) -> Option<Evidence> {
        self.note_why(why);
        self.signal_group(Signal::TERM);
        match tokio::time::timeout(GRACE, self.reap()).await {
            Ok(Ok(status)) => {
                let evidence = self.evidence(status).await;
                self.signal_group(Signal::KILL);
                Some(evidence)
            }
            Ok(Err(_)) => None,
            Err(_) => self.kill(why).await,
        }
    }

    /// Kills the child and its group at once.
    pub async fn kill(&mut self, why: Ending) -> Option<Evidence> {
        self.note_why(why);
        self.signal_group(Signal::KILL);
        let status = self.reap().await.ok()?;
        Some(self.evidence(status).await)
    }

    /// Takes note of why we end it, unless it has ended before by itself.
    fn note_why(&mut self, why: Ending) {
        if self.because.is_none() && !self.account.has_ended() {
            self.because = Some(why);
        }
    }

    fn signal_group(&self, signal: Signal) {
        if let Some(group) = self.group {
            // Fails only when the group is gone, which is what was wanted.
            let _gone = kill_process_group(group, signal);
        }
    }

    async fn evidence(&mut self, status: ExitStatus) -> Evidence {
        // A grandchild may hold the pipe open: what it says later is of no use.
        let tail = tokio::time::timeout(Duration::from_millis(500), &mut self.stderr).await;
        let tail = tail.ok().and_then(Result::ok).unwrap_or_default();
        let evidence = Evidence {
            command_line: self.command_line.clone(),
            code: status.code(),
            signal: status.signal(),
            stderr: tail.text(),
        };
        self.account.end(self.because.unwrap_or_else(|| Ending::of(&evidence)));
        evidence
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.id().is_some() {
            self.signal_group(Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::child::Role;
    use super::*;

    /// The sums of the family's probes, and how they ended.
    fn sums(family: &Family) -> (crate::ffmpeg::family::Sums, Vec<Ending>) {
        let sums = family.sums(Role::Probe, look);
        (sums, Ending::ALL.into_iter().filter(|ending| sums.ends[*ending as usize] > 0).collect())
    }

    #[tokio::test]
    async fn what_a_child_used_is_known_while_it_lives_and_when_it_is_gone() {
        let spec = ChildSpec::shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo ready; sleep 60");
        let (mut running, mut lines) = spawn(&spec).unwrap();
        assert_eq!(lines.recv().await.as_deref(), Some("ready"));
        let (living, _) = sums(&spec.family);
        assert_eq!((living.living, living.starts), (1, 1));
        assert!(living.used.cpu > Duration::ZERO && living.memory_bytes > 0 && living.handles > 0, "{living:?}");
        signal_from_elsewhere(running.pid().unwrap());
        running.wait().await.unwrap();
        let (gone, endings) = sums(&spec.family);
        assert_eq!((gone.living, gone.memory_bytes, endings), (0, 0, vec![Ending::Killed]));
        assert!(gone.used.cpu >= living.used.cpu, "{gone:?}");
    }

    fn signal_from_elsewhere(pid: u32) {
        rustix::process::kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
    }

    #[tokio::test]
    async fn every_child_is_counted_once_by_how_it_ended() {
        let token = CancellationToken::new();
        let (long, short) = (Duration::from_secs(20), Duration::from_millis(50));
        for (script, limit, expected) in [
            ("exit 0", long, Ending::Done),
            ("exit 3", long, Ending::Failed),
            ("sleep 60", short, Ending::Timeout),
            ("yes", long, Ending::Limit),
            ("kill -KILL $$", long, Ending::Killed),
        ] {
            let spec = ChildSpec::shell(script);
            let _outcome = run_to_end(&spec, limit, 1000, &token).await;
            let (sums, endings) = sums(&spec.family);
            assert_eq!((sums.starts, sums.living, endings), (1, 0, vec![expected]), "{script}");
        }
        let spec = ChildSpec::shell("sleep 60");
        drop(spawn(&spec).unwrap());
        assert_eq!(sums(&spec.family).1, [Ending::Stopped], "dropped");
        let spec = ChildSpec::shell("exit 0");
        let (mut running, _lines) = spawn(&spec).unwrap();
        running.account.over().await;
        running.kill(Ending::Stopped).await;
        assert_eq!((sums(&spec.family).1, running.ending()), (vec![Ending::Done], Some(Ending::Done)), "it was first");
    }

    #[tokio::test]
    async fn a_child_tells_how_it_ended_and_what_it_said() {
        let token = CancellationToken::new();
        let spec = ChildSpec::shell("echo out; echo err >&2; exit 3");
        let (evidence, out) = run_to_end(&spec, Duration::from_secs(20), 100, &token).await.unwrap();
        assert_eq!((evidence.code, evidence.stderr.as_str(), out.as_slice()), (Some(3), "err", b"out\n".as_slice()));
    }

    #[tokio::test]
    async fn a_child_is_given_what_it_reads_and_no_more() {
        let token = CancellationToken::new();
        let input = Bytes::from(vec![b'a'; 1 << 20]);
        for (script, expected) in [("wc -c", "1048576"), ("head -c 3", "aaa"), ("echo none", "none")] {
            let (spec, limit) = (ChildSpec::shell(script), Duration::from_secs(20));
            let run = run_fed(&spec, Some(input.clone()), limit, 100, &token).await;
            assert_eq!(String::from_utf8_lossy(&run.unwrap().1).trim(), expected, "{script}");
        }
    }

    #[tokio::test]
    async fn a_child_that_takes_too_long_or_writes_too_much_is_killed_with_its_children() {
        let token = CancellationToken::new();
        for input in [None, Some(Bytes::from(vec![b'a'; 1 << 20]))] {
            let limit = Duration::from_millis(50);
            let outcome = run_fed(&ChildSpec::shell("sleep 60 & wait"), input, limit, 100, &token).await;
            assert!(matches!(outcome, Err(ChildError::TimedOut { .. })), "{outcome:?}");
        }
        let outcome = run_to_end(&ChildSpec::shell("yes"), Duration::from_secs(20), 1000, &token).await;
        assert!(matches!(outcome, Err(ChildError::TooMuchOutput { limit_bytes: 1000 })), "{outcome:?}");
    }

    #[tokio::test]
    async fn a_child_that_ignores_sigterm_is_killed() {
        let (mut running, mut lines) =
            spawn(&ChildSpec::shell("trap '' TERM; echo ready; while :; do sleep 1; done")).unwrap();
        assert_eq!(lines.recv().await.as_deref(), Some("ready"));
        let evidence = running.terminate(Ending::Stopped).await.unwrap();
        assert_eq!(evidence.signal, Some(9));
    }

    #[tokio::test]
    async fn a_missing_program_is_told_by_its_name() {
        let spec = ChildSpec { program: "/no/such/ffmpeg".into(), ..ChildSpec::shell("") };
        let token = CancellationToken::new();
        let (evidence, _) = run_to_end(&spec, Duration::from_secs(20), 100, &token).await.unwrap();
        assert_eq!(evidence.code, Some(127));
        assert!(evidence.stderr.contains("/no/such/ffmpeg"), "{}", evidence.stderr);
    }
}
