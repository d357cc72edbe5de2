//! Looks into one file: its content's name, its first bytes, ffprobe.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::walk;
use crate::ffmpeg::probe::{self, Probed, Refusal};
use crate::ffmpeg::probe_args::{PROBE_OUTPUT_MAX, PROBE_TIME_MAX, probe_args};
use crate::ffmpeg::task::{ChildError, run_to_end};
use crate::ffmpeg::{ChildSpec, Family, Limits, Role};
use crate::library::catalogue::{Outcome, SidecarWant};
use crate::library::key::{KeyDigest, sample_ranges};
use crate::library::metadata::{self, Notes};
use crate::library::{FileStamp, sidecar, sniff};
use crate::units::ContentKey;

/// How many files are looked into at once in the whole server: more would only make the disk seek.
pub const PROBES_MAX: usize = 2;

/// All channels share it.
static PROBES: Semaphore = Semaphore::const_new(PROBES_MAX);

/// How long a file is left alone after ffprobe itself failed (missing, timed out, killed): it is not the file's fault,
/// and each try may cost half a minute.
const TROUBLE_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// Why there is no answer about a file although it may be good.
#[derive(Debug, thiserror::Error)]
pub enum ProbeTrouble {
    /// ffprobe did not run to its end.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// It had no file handles to work with.
    #[error("failed to look into it: too many open files")]
    Exhausted,
    /// There is no ffprobe under the configured path.
    #[error("failed to start {} (hint: is it installed, and is its path right in the configuration?)", ffprobe.display())]
    Missing {
        /// The program.
        ffprobe: PathBuf,
    },
}

/// Asks ffprobe about one file.
///
/// # Errors
/// [`ProbeTrouble`] when it gave no answer; a [`Refusal`] inside is its answer.
pub async fn probe_file(
    path: &Path,
    ffprobe: &Path,
    family: &Family,
    token: &CancellationToken,
) -> Result<Result<Probed, Refusal>, ProbeTrouble> {
    let spec = ChildSpec {
        program: ffprobe.to_owned(),
        args: probe_args(path),
        folder: None,
        role: Role::Probe,
        limits: Limits::PROBE,
        family: family.clone(),
    };
    let (evidence, said) = match run_to_end(&spec, PROBE_TIME_MAX, PROBE_OUTPUT_MAX, token).await {
        Err(ChildError::TooMuchOutput { .. }) => return Ok(Err(Refusal::TooCostly)),
        outcome => outcome?,
    };
    // What a shell and `nice` say when there is no such program or it may not be run.
    if matches!(evidence.code, Some(126 | 127)) {
        return Err(ProbeTrouble::Missing { ffprobe: ffprobe.to_owned() });
    }
    if evidence.tells_of_the_machine() {
        return Err(ProbeTrouble::Exhausted);
    }
    Ok(if evidence.success() { probe::read(&said) } else { Err(probe::refusal(&evidence)) })
}

/// Looks into one file that has settled; `None` when the server is stopping.
pub(super) async fn examine(
    path: PathBuf,
    stamp: FileStamp,
    ffprobe: PathBuf,
    family: Family,
    token: CancellationToken,
) -> Option<Outcome> {
    let _permit = tokio::select! {
        biased;
        () = token.cancelled() => return None,
        permit = PROBES.acquire() => permit.expect("the semaphore is never closed"),
    };
    let read = on_thread({
        let path = path.clone();
        move || read_head_and_key(&path)
    })
    .await?;
    let (key, head) = match read {
        Ok(read) => read,
        Err(error) => return Some(unreadable(&error)),
    };
    let answer = match sniff::refuse_by_head(&head) {
        Some(refusal) => Err(refusal),
        None => match probe_file(&path, &ffprobe, &family, &token).await {
            Ok(answer) => answer.map_err(|refusal| sniff::refine(refusal, &head)),
            Err(ProbeTrouble::Child(ChildError::Cancelled)) => return None,
            Err(trouble) => {
                tracing::warn!(path = %path.display(), error = %trouble, "a file could not be looked into");
                let reason = format!("It could not be looked into: {trouble}. It is tried again.");
                return Some(Outcome::Failed { reason, pause: TROUBLE_PAUSE });
            }
        },
    };
    let after = on_thread({
        let path = path.clone();
        move || walk::stamp(&path)
    })
    .await?;
    if after != Some(stamp) {
        return Some(Outcome::Changed(after));
    }
    Some(judge(&path, key, answer))
}

/// What becomes of a file whose probe broke off for a mistake of our own.
pub(super) fn broken() -> Outcome {
    let reason = "It could not be looked into, by a mistake of this program. It is tried again.".to_owned();
    Outcome::Failed { reason, pause: TROUBLE_PAUSE }
}

fn judge(path: &Path, key: ContentKey, answer: Result<Probed, Refusal>) -> Outcome {
    match answer {
        Ok(probed) => {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let metadata = metadata::overlay(&metadata::of_name(&stem), &Notes::of_tags(&probed.tags));
            Outcome::Accepted { key, media: Box::new(probed.media), metadata }
        }
        Err(Refusal::Denied) => unreadable(&io::ErrorKind::PermissionDenied.into()),
        Err(refusal) => Outcome::Refused { key, reason: refusal.to_string() },
    }
}

fn unreadable(error: &io::Error) -> Outcome {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => return Outcome::Changed(None),
        io::ErrorKind::PermissionDenied => Refusal::Denied.to_string(),
        _ => format!("It cannot be read: {error}."),
    };
    // Trying again costs one failing call, and permissions change without changing the stamp.
    Outcome::Failed { reason, pause: SignedDuration::ZERO }
}

/// Reads the samples that name the content, and the first bytes.
fn read_head_and_key(path: &Path) -> io::Result<(ContentKey, Vec<u8>)> {
    let mut file = open(path)?;
    let size = file.metadata()?.len();
    let mut digest = KeyDigest::new(size);
    let (mut head, mut block) = (Vec::new(), Vec::new());
    for (offset, len) in sample_ranges(size) {
        block.clear();
        file.seek(SeekFrom::Start(offset))?;
        (&mut file).take(len).read_to_end(&mut block)?;
        digest.add(&block);
        if offset == 0 {
            head = block[..block.len().min(sniff::HEAD_BYTES)].to_vec();
        }
    }
    Ok((digest.finish(), head))
}

/// Opens a file for reading. Without waiting: a pipe put in a file's place would keep the thread for ever.
fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a plain file")) }
}

/// Reads sidecars; blocking.
pub(super) fn read_sidecars(wants: Vec<SidecarWant>) -> Vec<(SidecarWant, Option<Notes>)> {
    wants
        .into_iter()
        .map(|want| {
            let notes = read_sidecar(&want.path).unwrap_or_else(|error| {
                tracing::debug!(path = %want.path.display(), %error, "a sidecar could not be read");
                None
            });
            (want, notes)
        })
        .collect()
}

fn read_sidecar(path: &Path) -> io::Result<Option<Notes>> {
    let is_nfo = path.extension().is_some_and(|ending| ending == "nfo");
    let len_max = if is_nfo { sidecar::NFO_BYTES_MAX } else { sidecar::JSON_BYTES_MAX };
    let mut bytes = Vec::new();
    open(path)?.take(len_max).read_to_end(&mut bytes)?;
    Ok(sidecar::read(is_nfo, &bytes))
}

/// Runs something that blocks; `None` when the runtime is going down.
pub(super) async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
