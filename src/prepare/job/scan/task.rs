//! Looks through a file, packet by packet, for as long as that may take.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::ffmpeg::child::{ChildSpec, Ending, Evidence};
use crate::ffmpeg::extent::{Extent, PacketScan};
use crate::ffmpeg::task::{self as child, Running};
use crate::prepare::job::task::interrupted;
use crate::prepare::job::{JobError, judge};

/// What came of looking through a file.
#[derive(Debug)]
pub(in crate::prepare) enum Scanned {
    /// It was read to its end; what each scan has found, but for those that found no picture.
    Whole(Vec<Extent>),
    /// The time was over before.
    TooSlow,
}

/// Feeds scans with ffprobe's lines, for as long as `limit`.
pub(in crate::prepare) async fn scan_lines(
    spec: &ChildSpec,
    mut scans: Vec<PacketScan>,
    limit: Duration,
    token: &CancellationToken,
) -> Result<Scanned, JobError> {
    if !scan_more(spec, &mut scans, tokio::time::sleep(limit), token).await? {
        return Ok(Scanned::TooSlow);
    }
    Ok(Scanned::Whole(scans.into_iter().filter_map(|scan| scan.finish(true)).collect()))
}

/// Feeds scans with ffprobe's lines, which may go on where others ended; whether it was not too late.
pub(in crate::prepare) async fn scan_more(
    spec: &ChildSpec,
    scans: &mut [PacketScan],
    too_late: impl Future<Output = ()>,
    token: &CancellationToken,
) -> Result<bool, JobError> {
    let ffprobe = child::spawn(spec).map_err(interrupted)?;
    let read = |line: &str| scans.iter_mut().for_each(|scan| scan.feed(line));
    let Some(evidence) = read_to_end(ffprobe, read, too_late, token).await? else { return Ok(false) };
    match judge(&evidence) {
        error @ (JobError::Interrupted(_) | JobError::Exhausted(_) | JobError::DiskFull) => Err(error),
        // A damaged end makes ffprobe complain; what it saw before is what there is.
        _ => Ok(true),
    }
}

/// Reads a child's lines until it ends; none where it was killed because it was too late.
pub(in crate::prepare) async fn read_to_end(
    (mut running, mut lines): (Running, mpsc::Receiver<String>),
    mut read: impl FnMut(&str),
    too_late: impl Future<Output = ()>,
    token: &CancellationToken,
) -> Result<Option<Evidence>, JobError> {
    let mut too_late = std::pin::pin!(too_late);
    loop {
        let line = tokio::select! {
            biased;
            () = token.cancelled() => { running.kill(Ending::Stopped).await; return Err(JobError::Cancelled); }
            () = &mut too_late => {
                running.kill(Ending::Timeout).await;
                return Ok(None);
            }
            line = lines.recv() => line,
        };
        match line {
            Some(line) => read(&line),
            None => break,
        }
    }
    Ok(Some(running.wait().await.map_err(interrupted)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_was_not_looked_through_in_time_is_not_said_to_have_no_picture() {
        let (token, scan) = (CancellationToken::new(), || vec![PacketScan::new(0, None, "")]);
        let slow = scan_lines(&ChildSpec::shell("sleep 60"), scan(), Duration::from_millis(50), &token).await.unwrap();
        assert!(matches!(slow, Scanned::TooSlow), "{slow:?}");
        let empty = scan_lines(&ChildSpec::shell("exit 0"), scan(), Duration::from_mins(1), &token).await.unwrap();
        assert!(matches!(&empty, Scanned::Whole(extents) if extents.is_empty()), "{empty:?}");
    }
}
