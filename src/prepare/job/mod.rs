//! One preparation, from original to verified mezzanine.
//!
//! Receives an item, a profile and a folder; gives the mezzanine while it grows and when it is done. Promises that every
//! GOP it tells of was looked at, and that what it calls done was verified. Does not decide what is prepared when.

mod chip;
pub mod growth;
pub(in crate::prepare) mod scan {
    //! Looking through files.
    pub(in crate::prepare) mod task;
}
pub mod task;
pub(in crate::prepare) mod witness {
    //! Seeing all of what was made.
    pub(in crate::prepare) mod task;
}

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::mezzanine::{Mezzanine, MezzanineId};
use super::recipe::Recipe;
use super::trial::Chosen;
use super::verify::Flaw;
use crate::config::Profile;
use crate::ffmpeg::encoders::Codec;
use crate::ffmpeg::{Ending, Evidence, Family, Limits};
use crate::library::Item;

/// The programs, and what they can do.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The ffmpeg program.
    pub ffmpeg: PathBuf,
    /// The ffprobe program.
    pub ffprobe: PathBuf,
    /// Whether ffmpeg can bring HDR to SDR (filters `zscale` and `tonemap`).
    pub can_tone_map: bool,
    /// Whether ffmpeg can write text (filter `drawtext`).
    pub can_write_text: bool,
    /// Whether ffmpeg can burn lines of text in (filter `ass`).
    pub can_burn_text: bool,
    /// What makes pictures, once it is known.
    pub encoder: Chosen,
}

/// What to prepare.
#[derive(Clone, Debug)]
pub struct Request {
    /// The mezzanine's name.
    pub id: MezzanineId,
    /// From what.
    pub item: Arc<Item>,
    /// To what.
    pub profile: Arc<Profile>,
    /// What is wrong with its picture, which was kept before: then it is made anew.
    pub damage: Option<Arc<str>>,
    /// Whether it is due soon.
    pub urgent: bool,
    /// Whether viewers wait for it: nothing goes before it.
    pub awaited: bool,
    /// How many bytes its file may take at the most: an ffmpeg that writes without end is ended.
    pub bytes_max: u64,
    /// Where its files are written.
    pub folder: PathBuf,
    /// Begins the names of its files; another for each preparation.
    pub stem: String,
    /// Whose children its ffmpegs are.
    pub family: Family,
}

impl Request {
    /// Returns the priority of its ffmpegs: what viewers wait for goes before everything else.
    #[must_use]
    pub fn nice(&self) -> u8 {
        match (self.awaited, self.urgent) {
            (true, _) => 0,
            (false, true) => 5,
            (false, false) => Limits::PREPARE.nice,
        }
    }
}

/// How far a preparation has got.
#[derive(Clone, Debug)]
pub struct Growth {
    /// The GOPs on disk.
    pub mezzanine: Arc<Mezzanine>,
    /// Media seconds made in a second.
    pub speed: f64,
    /// Done of the whole, 0 to 1.
    pub progress: f64,
}

/// What a preparation made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Complete and verified, still in the request's folder.
    pub mezzanine: Mezzanine,
    /// How it was made.
    pub recipe: Recipe,
    /// What made its picture; none where it was kept.
    pub codec: Option<Codec>,
}

/// Why a preparation ended without a mezzanine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// The item cannot be prepared; a sentence for people.
    #[error("{0}")]
    Unfit(String),
    /// It ended by no fault of the item.
    #[error("its preparing was interrupted: {0}")]
    Interrupted(String),
    /// The original is not what it was when it was looked into: the library will tell what is there now.
    #[error("its file changed or went away meanwhile")]
    Changed,
    /// The machine has run out of something but room on the disk.
    #[error("the machine has run out of something: {0}")]
    Exhausted(String),
    /// There is no room on the disk.
    #[error("no room on the disk")]
    DiskFull,
    /// The data folder cannot be written in: a full disk, a read-only one, a quota.
    #[error("the data folder takes no files: {0}")]
    Unwritable(String),
    /// The server is stopping, or nobody wants it any more.
    #[error("nobody waits for it any more")]
    Cancelled,
}

/// How long ffmpeg may make no progress before it is ended: a 4K frame on a busy machine takes a second.
pub(in crate::prepare) const STALL_LIMIT: Duration = Duration::from_mins(2);

/// What went wrong with one attempt.
#[derive(Debug, thiserror::Error)]
pub(in crate::prepare) enum AttemptError {
    #[error(transparent)]
    Flaw(#[from] Flaw),
    #[error(transparent)]
    Job(#[from] JobError),
    #[error("failed to read the mezzanine")]
    Io(#[from] io::Error),
    #[error("ffmpeg made no progress for {} s", STALL_LIMIT.as_secs())]
    Stalled,
    #[error("ffmpeg failed: {}", last_words(.0))]
    Ffmpeg(Box<Evidence>),
}

impl AttemptError {
    /// Why an ffmpeg is ended that is in the way of this.
    fn ending(&self) -> Ending {
        match self {
            Self::Stalled => Ending::Stalled,
            Self::Job(JobError::Cancelled) => Ending::Stopped,
            _ => Ending::Failed,
        }
    }
}

/// Returns a reason as a sentence for people, as the library tells its own.
#[must_use]
pub fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let end = if words.ends_with('.') { "" } else { "." };
    first.into_iter().chain(letters).collect::<String>() + end
}

/// What an ffmpeg that failed says of its reason: one line for people, without its internal addresses.
#[must_use]
pub fn last_words(evidence: &Evidence) -> String {
    evidence.last_words()
}

/// Tells an ending that is the item's fault from one that is not.
#[must_use]
pub fn judge(evidence: &Evidence) -> JobError {
    if evidence.stderr.contains("No space left on device") {
        return JobError::DiskFull;
    }
    if evidence.stderr.contains("Too many open files") {
        return JobError::Exhausted(last_words(evidence));
    }
    match evidence.signal {
        // SIGXCPU (24) and SIGXFSZ (25) come from limits that fit its length. Crashes are its fault, too: 4, 6, 7, 8, 11, 31.
        Some(24) => JobError::Unfit("it took far more computing than its length should".to_owned()),
        Some(25) => JobError::Unfit("it became far larger than its length should".to_owned()),
        Some(signal @ (4 | 6 | 7 | 8 | 11 | 31)) => JobError::Unfit(format!("it crashes ffmpeg (signal {signal})")),
        Some(9) => JobError::Interrupted("ffmpeg was killed (signal 9; was memory short?)".to_owned()),
        Some(signal) => JobError::Interrupted(format!("ffmpeg was ended by signal {signal}")),
        // ffmpeg catches SIGTERM and SIGXCPU, cleans up, and ends with this.
        None if evidence.code == Some(255) => JobError::Interrupted("ffmpeg was told to end".to_owned()),
        None if evidence.code == Some(127) => JobError::Interrupted(last_words(evidence)),
        None => JobError::Unfit(format!("it cannot be converted; ffmpeg says \"{}\"", last_words(evidence))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(code: Option<i32>, signal: Option<i32>, stderr: &str) -> Evidence {
        Evidence { command_line: String::new(), code, signal, stderr: stderr.to_owned() }
    }

    #[test]
    fn a_reason_is_told_as_a_sentence() {
        let reason = JobError::Unfit("it lasts only 0.24 s; the shortest that can air is 1 s".to_owned());
        assert_eq!(sentence(&reason.to_string()), "It lasts only 0.24 s; the shortest that can air is 1 s.");
        assert_eq!(sentence("It is encrypted."), "It is encrypted.");
    }

    #[test]
    fn who_is_at_fault_is_told_by_the_ending() {
        let table = [
            (evidence(Some(1), None, "a.ts: No space left on device"), JobError::DiskFull),
            (
                evidence(Some(1), None, "[in#0 @ 0x7f] a.mkv: Too many open files"),
                JobError::Exhausted("a.mkv: Too many open files".to_owned()),
            ),
            (evidence(Some(255), None, ""), JobError::Interrupted("ffmpeg was told to end".to_owned())),
            (
                evidence(None, Some(9), ""),
                JobError::Interrupted("ffmpeg was killed (signal 9; was memory short?)".to_owned()),
            ),
            (evidence(None, Some(15), ""), JobError::Interrupted("ffmpeg was ended by signal 15".to_owned())),
            (evidence(None, Some(25), ""), JobError::Unfit("it became far larger than its length should".to_owned())),
            (evidence(None, Some(11), ""), JobError::Unfit("it crashes ffmpeg (signal 11)".to_owned())),
            (
                evidence(Some(1), None, "[h264 @ 0x55] x\n[in#0 @ 0x7f] moov atom not found\nConversion failed!\n"),
                JobError::Unfit("it cannot be converted; ffmpeg says \"moov atom not found\"".to_owned()),
            ),
            (
                evidence(Some(3), None, ""),
                JobError::Unfit("it cannot be converted; ffmpeg says \"exit code 3\"".to_owned()),
            ),
        ];
        for (evidence, error) in table {
            assert_eq!(judge(&evidence), error);
        }
    }
}
