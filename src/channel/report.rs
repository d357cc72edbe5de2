//! What a channel writes into the log of its great moments.

use std::sync::Arc;

use jiff::Timestamp;

use crate::feed::Airing;
use crate::ffmpeg::Evidence;
use crate::units::RunId;

pub(super) fn begun(airing: &Airing, date: Timestamp) {
    if let Some(programme) = &airing.programme {
        let title = programme.metadata.title.as_str();
        tracing::info!(serial = programme.serial, title, item = %programme.name, %date, "programme began");
    } else {
        tracing::debug!(%date, "slate");
    }
}

/// A run's death keeps its evidence: all that is known, in one event.
pub(super) fn report_end(run: RunId, evidence: Option<&Evidence>, reason: &str, airing: Option<&Arc<Airing>>) {
    let item = airing.and_then(|airing| airing.programme.as_ref()).map_or("", |programme| &*programme.name);
    let (command, stderr) = evidence.map_or(("", ""), |e| (e.command_line.as_str(), e.stderr.as_str()));
    tracing::error!(%run, reason, item, command, stderr, "on-air ffmpeg ended; what it did not return is fed again");
}
