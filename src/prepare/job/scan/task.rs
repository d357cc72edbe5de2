//! Looks through a file, packet by packet, for as long as that may take.
#![expect(clippy::disallowed_methods, reason = "reads the clock for its deadline")]

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::ffmpeg::child::{ChildSpec, Ending};
use crate::ffmpeg::extent::{Extent, PacketScan};
use crate::ffmpeg::task as child;
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
    let (mut running, mut lines) = child::spawn(spec).map_err(interrupted)?;
    let deadline = Instant::now() + limit;
    loop {
        let line = tokio::select! {
            biased;
            () = token.cancelled() => { running.kill(Ending::Stopped).await; return Err(JobError::Cancelled); }
            () = tokio::time::sleep_until(deadline) => {
                running.kill(Ending::Timeout).await;
                return Ok(Scanned::TooSlow);
            }
            line = lines.recv() => line,
        };
        match line {
            Some(line) => scans.iter_mut().for_each(|scan| scan.feed(&line)),
            None => break,
        }
    }
    let evidence = running.wait().await.map_err(interrupted)?;
    match judge(&evidence) {
        error @ (JobError::Interrupted(_) | JobError::Exhausted(_) | JobError::DiskFull) => Err(error),
        // A damaged end makes ffprobe complain; what it saw before is what there is.
        _ => Ok(Scanned::Whole(scans.into_iter().filter_map(|scan| scan.finish(true)).collect())),
    }
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
