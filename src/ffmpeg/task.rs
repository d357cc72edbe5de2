//! Starts children in their own process group, drains their pipes, ends them politely.
#![expect(clippy::disallowed_methods, reason = "the one place that starts processes")]

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::child::{ChildSpec, Evidence, Tail};

/// How long a child may take to end after SIGTERM before it is killed.
pub const GRACE: Duration = Duration::from_secs(3);

/// How many lines of stdout may wait to be read before the child is made to wait.
const STDOUT_LINES_MAX: usize = 1024;

/// A running child; killed with its whole group when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    group: Option<Pid>,
    stderr: JoinHandle<Tail>,
    command_line: String,
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
    let (mut running, stdout) = start(spec)?;
    let (sender, receiver) = mpsc::channel(STDOUT_LINES_MAX);
    let _forwarder = running_task(forward_lines(stdout, sender));
    running.command_line = spec.command_line();
    Ok((running, receiver))
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
    let (mut running, stdout) = start(spec)?;
    let mut written = Vec::new();
    let mut bounded = stdout.take(stdout_max + 1);
    let outcome = tokio::select! {
        biased;
        () = token.cancelled() => Err(ChildError::Cancelled),
        () = tokio::time::sleep(limit) => Err(ChildError::TimedOut { limit }),
        read = bounded.read_to_end(&mut written) => read.map_err(ChildError::Wait),
    };
    if let Err(error) = outcome {
        running.kill().await;
        return Err(error);
    }
    if written.len() as u64 > stdout_max {
        running.kill().await;
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
        running.kill().await;
        return Err(if token.is_cancelled() { ChildError::Cancelled } else { ChildError::TimedOut { limit } });
    };
    Ok((evidence, written))
}

fn start(spec: &ChildSpec) -> Result<(Running, tokio::process::ChildStdout), ChildError> {
    let line = spec.wrapped();
    let failed = |source| ChildError::Start { program: spec.program.to_string_lossy().into_owned(), source };
    let mut command = Command::new(&line[0]);
    command.args(&line[1..]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    if let Some(folder) = &spec.folder {
        command.current_dir(folder);
    }
    let mut child = command.spawn().map_err(failed)?;
    let pipes = child.stdout.take().zip(child.stderr.take());
    let Some((stdout, stderr)) = pipes else {
        return Err(failed(io::Error::other("its pipes are missing")));
    };
    let group = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
    let stderr = running_task(drain(stderr));
    Ok((Running { child, group, stderr, command_line: spec.command_line() }, stdout))
}

/// Spawns a task that ends by itself when its pipe closes; the pipe closes with the child.
fn running_task<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(future)
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
        let status = self.child.wait().await.map_err(ChildError::Wait)?;
        Ok(self.evidence(status).await)
    }

    /// Ends the child: SIGTERM to its group, [`GRACE`], SIGKILL to its group.
    pub async fn terminate(&mut self) -> Option<Evidence> {
        self.signal_group(Signal::TERM);
        match tokio::time::timeout(GRACE, self.child.wait()).await {
            Ok(Ok(status)) => {
                let evidence = self.evidence(status).await;
                self.signal_group(Signal::KILL);
                Some(evidence)
            }
            Ok(Err(_)) => None,
            Err(_) => self.kill().await,
        }
    }

    /// Kills the child and its group at once.
    pub async fn kill(&mut self) -> Option<Evidence> {
        self.signal_group(Signal::KILL);
        let status = self.child.wait().await.ok()?;
        Some(self.evidence(status).await)
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
        Evidence {
            command_line: self.command_line.clone(),
            code: status.code(),
            signal: status.signal(),
            stderr: tail.text(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.id().is_some() {
            self.signal_group(Signal::KILL);
        }
    }
}

async fn forward_lines(pipe: impl AsyncRead + Unpin, sender: mpsc::Sender<String>) {
    let mut lines = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if sender.send(line).await.is_err() {
            // Nobody listens any more: go on reading, or the full pipe stops the child.
            while let Ok(Some(_)) = lines.next_line().await {}
        }
    }
}

/// Reads a pipe to its end by chunks, so that a line without an end cannot grow without bound.
async fn drain(mut pipe: impl AsyncRead + Unpin) -> Tail {
    let mut tail = Tail::default();
    let mut line = Vec::new();
    let mut chunk = vec![0; 4096];
    while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
        for &byte in &chunk[..read] {
            if matches!(byte, b'\n' | b'\r') {
                if !line.is_empty() {
                    tail.push(&String::from_utf8_lossy(&line));
                    line.clear();
                }
            } else if line.len() < 4 * Tail::LINE_LEN_MAX {
                line.push(byte);
            }
        }
    }
    if !line.is_empty() {
        tail.push(&String::from_utf8_lossy(&line));
    }
    tail
}

#[cfg(test)]
mod tests {
    use super::super::child::{Limits, Role};
    use super::*;

    fn shell(script: &str) -> ChildSpec {
        ChildSpec {
            program: "sh".into(),
            args: vec!["-c".into(), script.into()],
            folder: None,
            role: Role::Probe,
            limits: Limits::PROBE,
        }
    }

    #[tokio::test]
    async fn a_child_tells_how_it_ended_and_what_it_said() {
        let token = CancellationToken::new();
        let spec = shell("echo out; echo err >&2; exit 3");
        let (evidence, out) = run_to_end(&spec, Duration::from_secs(20), 100, &token).await.unwrap();
        assert_eq!((evidence.code, evidence.stderr.as_str(), out.as_slice()), (Some(3), "err", b"out\n".as_slice()));
    }

    #[tokio::test]
    async fn a_child_that_takes_too_long_is_killed_with_its_children() {
        let token = CancellationToken::new();
        let limit = Duration::from_millis(50);
        let outcome = run_to_end(&shell("sleep 60 & wait"), limit, 100, &token).await;
        assert!(matches!(outcome, Err(ChildError::TimedOut { .. })), "{outcome:?}");
    }

    #[tokio::test]
    async fn a_child_that_writes_too_much_is_killed() {
        let token = CancellationToken::new();
        let outcome = run_to_end(&shell("yes"), Duration::from_secs(20), 1000, &token).await;
        assert!(matches!(outcome, Err(ChildError::TooMuchOutput { limit_bytes: 1000 })), "{outcome:?}");
    }

    #[tokio::test]
    async fn a_child_that_ignores_sigterm_is_killed() {
        let (mut running, mut lines) = spawn(&shell("trap '' TERM; echo ready; while :; do sleep 1; done")).unwrap();
        assert_eq!(lines.recv().await.as_deref(), Some("ready"));
        let evidence = running.terminate().await.unwrap();
        assert_eq!(evidence.signal, Some(9));
    }

    #[tokio::test]
    async fn a_missing_program_is_told_by_its_name() {
        let spec = ChildSpec { program: "/no/such/ffmpeg".into(), ..shell("") };
        let token = CancellationToken::new();
        let (evidence, _) = run_to_end(&spec, Duration::from_secs(20), 100, &token).await.unwrap();
        assert_eq!(evidence.code, Some(127));
        assert!(evidence.stderr.contains("/no/such/ffmpeg"), "{}", evidence.stderr);
    }
}
