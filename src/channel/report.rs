//! What a channel writes into the log of its great moments.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::feed::Airing;
use crate::ffmpeg::Evidence;
use crate::units::{MediaTime, RunId};

/// What is bound to its time and begins later than this is told to be late.
const LATE_TOLD: SignedDuration = SignedDuration::from_secs(1);

/// Tells that an airing began at `since` of the station's own time, which the wall clock calls `date`. Returns whether it is a
/// programme, and not a card.
pub(super) fn begun(airing: &Airing, since: Timestamp, date: Timestamp) -> bool {
    let programme = airing.programme.as_ref().filter(|programme| !programme.is_card());
    if let Some(programme) = programme {
        let due = programme.bound_to().filter(|_| airing.from == MediaTime::ZERO);
        let late = due.map(|due| since.duration_since(due));
        if let Some(late) = late.filter(|late| *late > LATE_TOLD) {
            let (title, seconds) = (programme.metadata.title.as_str(), late.as_secs_f64());
            tracing::warn!(title, seconds, "programme is late: what was on before it lasted longer");
        }
        let title = programme.metadata.title.as_str();
        tracing::info!(serial = programme.serial, title, item = %programme.name, %date, "programme began");
    } else {
        tracing::debug!(%date, "card");
    }
    programme.is_some()
}

/// A run's death keeps its evidence: all that is known, in one event.
pub(super) fn report_end(run: RunId, evidence: Option<&Evidence>, reason: &str, airing: Option<&Arc<Airing>>) {
    let item = airing.and_then(|airing| airing.programme.as_ref()).map_or("", |programme| &*programme.name);
    let (command, stderr) = evidence.map_or(("", ""), |e| (e.command_line.as_str(), e.stderr.as_str()));
    tracing::error!(%run, reason, item, command, stderr, "on-air ffmpeg ended; what it did not return is fed again");
}

/// A run's planned end: viewers see a seam like any other, and nobody has to do anything.
pub(super) fn report_list_end(run: RunId) {
    tracing::info!(%run, "on-air ffmpeg came to the end of its list, as planned; the next goes on from there");
}
