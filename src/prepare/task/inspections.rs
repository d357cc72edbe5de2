//! Kept pictures looked through while nothing else is to be done, and what becomes of what was seen.

use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::Instrument as _;

use super::Shared;
use super::rounds::End;
use crate::ffmpeg::family::Family;
use crate::prepare::inspection::{Finding, Inspection, Piece, Seen, task as inspection};
use crate::prepare::mezzanine::MezzanineId;

/// Has a piece decoded.
pub(super) fn start(shared: &Arc<Shared>, piece: Piece, ends: mpsc::Sender<End>) {
    let span = tracing::info_span!("inspect", item = %piece.mezzanine.id.key);
    let shared_look = Arc::clone(shared);
    let work = async move {
        // The station's own work, no channel's.
        let (ffmpeg, family) = (&shared_look.tools.ffmpeg, Family::default());
        let seen = inspection::look(&piece, ffmpeg, &family, &shared_look.token).await;
        // The receiver lives until this has ended.
        let _sent = ends.send(End::Look(piece, seen)).await;
    };
    shared.tracker.spawn(work.instrument(span));
}

/// Notes what was seen, for the lives to come as well, and tells it.
pub(super) async fn note(shared: &Shared, piece: &Piece, seen: Seen) {
    let id = &piece.mezzanine.id;
    let finding = shared.lock().inspected(piece, seen, shared.clock.now());
    match finding {
        Finding::Onward(inspection) => keep(shared, id, inspection).await,
        Finding::Sound(inspection) => {
            tracing::info!(item = %id.key, "its kept picture was looked through: nothing is wrong with it");
            keep(shared, id, inspection).await;
            shared.tell();
        }
        Finding::Damaged(inspection) => {
            let why = inspection.damage.as_deref().unwrap_or_default();
            tracing::warn!(item = %id.key, why, "its kept picture is damaged; it is made anew, and airs as it is until then");
            keep(shared, id, inspection).await;
            shared.tell();
        }
        Finding::Interrupted { over } => tracing::debug!(item = %id.key, over, "looking through it was interrupted"),
        Finding::Spoilt => {
            tracing::error!(item = %id.key, "a prepared file was damaged on its disk; it is made again");
            shared.lost(id);
        }
        Finding::Gone => {}
    }
}

/// Writes it down; what cannot be is looked at again in a later life.
async fn keep(shared: &Shared, id: &MezzanineId, inspection: Inspection) {
    let (folder, known) = (shared.folder.clone(), id.clone());
    let kept = tokio::task::spawn_blocking(move || folder.note(&known, inspection)).await;
    if let Err(error) = kept.map_err(std::io::Error::other).flatten() {
        tracing::debug!(item = %id.key, %error, "how far it was looked through could not be kept");
    }
}
