//! Decodes some of a mezzanine's pictures, to be sure of them.
#![expect(clippy::disallowed_methods, reason = "reads a mezzanine once more before it is called damaged")]

use std::fs::File;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Piece, Seen};
use crate::ffmpeg::check_args as args;
use crate::ffmpeg::child::{ChildSpec, Evidence, Limits, Role};
use crate::ffmpeg::family::Family;
use crate::ffmpeg::task as child;
use crate::prepare::gop_index;
use crate::prepare::job::task::interrupted;
use crate::prepare::job::{AttemptError, JobError, judge, last_words};
use crate::prepare::mezzanine::Gop;
use crate::prepare::verify::Flaw;
use crate::units::MediaTime;

/// How long anything may take to decode: ffmpeg's own beginning, on a busy machine.
const LEAST: Duration = Duration::from_mins(2);

/// How many times its length a piece may take beyond that: on a busy machine it comes last.
const SLOWEST: f64 = 10.0;

/// How many bytes an ffmpeg whose stdout should be empty may write.
const STDOUT_MAX: u64 = 1 << 20;

/// Whoever else has something to do goes first.
const LAST: u8 = 19;

/// Who decodes, and in whose name.
#[derive(Clone, Copy, Debug)]
pub struct Decoder<'a> {
    /// The ffmpeg program.
    pub ffmpeg: &'a Path,
    /// Its niceness.
    pub nice: u8,
    /// Whose child it is.
    pub family: &'a Family,
}

/// Decodes GOPs of a file, or so many frames from the first of them on, and fails at the first error: damage is no more than
/// a flaw to some players, but makes others give up for good.
///
/// # Errors
/// [`Flaw::Decode`] where a picture is damaged; otherwise what kept it from being decoded.
pub(in crate::prepare) async fn decode(
    ts: &Path,
    index: &[Gop],
    gops: RangeInclusive<usize>,
    frames: Option<u32>,
    decoder: Decoder<'_>,
    token: &CancellationToken,
) -> Result<(), AttemptError> {
    let Some(wanted) = index.get(gops.clone()).filter(|wanted| !wanted.is_empty()) else { return Ok(()) };
    let (first, last) = (wanted[0], wanted[wanted.len() - 1]);
    let length: MediaTime = wanted.iter().map(|gop| gop.duration).sum();
    let spec = ChildSpec {
        program: decoder.ffmpeg.to_owned(),
        args: args::decode_args(ts, first.offset, last.offset + u64::from(last.len), frames),
        folder: None,
        role: Role::Prepare,
        limits: Limits { nice: decoder.nice, file_bytes: Limits::PROBE.file_bytes, ..Limits::PREPARE },
        family: decoder.family.clone(),
    };
    let (evidence, _) = child::run_to_end(&spec, limit(length), STDOUT_MAX, token).await.map_err(interrupted)?;
    decoded(&evidence, gops)
}

/// Judges the end of an ffmpeg that decoded GOPs: it must have had nothing to say.
///
/// # Errors
/// [`Flaw::Decode`] where something is damaged; otherwise what kept it from being decoded.
pub(in crate::prepare) fn decoded(evidence: &Evidence, gops: RangeInclusive<usize>) -> Result<(), AttemptError> {
    if evidence.success() && evidence.stderr.trim().is_empty() {
        return Ok(());
    }
    match judge(evidence) {
        error @ JobError::Exhausted(_) => Err(error.into()),
        error @ JobError::Interrupted(_) if evidence.signal.is_some() => Err(error.into()),
        _ => Err(Flaw::Decode { gops: (*gops.start(), *gops.end()), why: last_words(evidence) }.into()),
    }
}

/// How long a piece may take to decode.
pub(in crate::prepare) fn limit(length: MediaTime) -> Duration {
    LEAST + Duration::from_secs_f64(length.as_secs_f64().max(0.0) * SLOWEST)
}

/// Looks through a piece of a mezzanine that is ready, when nobody else has anything to do.
pub(in crate::prepare) async fn look(piece: &Piece, ffmpeg: &Path, family: &Family, token: &CancellationToken) -> Seen {
    let decoder = Decoder { ffmpeg, nice: LAST, family };
    let mezzanine = &piece.mezzanine;
    match decode(&mezzanine.path, &mezzanine.gops, piece.gops.clone(), None, decoder, token).await {
        Ok(()) => Seen::Clean,
        Err(AttemptError::Flaw(flaw)) => {
            let again = piece.clone();
            let as_made = tokio::task::spawn_blocking(move || is_as_made(&again)).await;
            if as_made.unwrap_or(true) { Seen::Damage(flaw.to_string().into()) } else { Seen::Spoilt }
        }
        Err(error) => {
            tracing::debug!(item = %mezzanine.id.key, %error, "looking through it was interrupted");
            Seen::Interrupted
        }
    }
}

/// Whether a piece's bytes are those that were made.
fn is_as_made(piece: &Piece) -> bool {
    let Ok(file) = File::open(&piece.mezzanine.path) else { return false };
    piece.mezzanine.gops[piece.gops.clone()].iter().all(|gop| {
        let mut bytes = vec![0; gop.len as usize];
        let read = file.read_exact_at(&mut bytes, gop.offset).is_ok();
        read && gop.sum.is_none_or(|sum| sum == gop_index::sum(&bytes))
    })
}
