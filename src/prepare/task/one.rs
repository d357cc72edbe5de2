//! One preparation within the service: its place on the disk, its files, its end.

use std::io;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::library::Item;
use crate::prepare::Prepared;
use crate::prepare::job::{Growth, JobError, Made, Request, task as job};
use crate::prepare::mezzanine::Mezzanine;
use crate::prepare::queue::Next;
use crate::prepare::sizes::{endless, estimate};

/// Prepares an item; what is left of a failure is removed.
pub(super) async fn prepare(
    shared: &Shared,
    next: Next,
    (stem, damage): (String, Option<Arc<str>>),
    token: &CancellationToken,
) -> Result<Made, JobError> {
    try_writing(shared).await?;
    if shared.folder.room() < estimate(&next.want) {
        return Err(JobError::DiskFull);
    }
    let bytes_max = endless(&next.want);
    let request = Request {
        id: next.id,
        item: next.want.item,
        profile: next.want.profile,
        damage,
        urgent: next.urgent,
        awaited: next.awaited,
        bytes_max,
        folder: shared.folder.tmp().to_owned(),
        stem,
        family: shared.settings.children.of(&next.channel),
    };
    tracing::info!("preparing begins");
    let report = |growth: Growth| {
        let Growth { mezzanine, speed, progress } = growth;
        shared.lock().grown(&request.id, Prepared::Growing { mezzanine, speed, progress });
        shared.tell();
    };
    let mut outcome = job::run(&request, &shared.tools, token, &report).await;
    if outcome.is_err() && !is_as_looked_into(&request.item).await {
        // What went wrong is no verdict on the item, which may come back as it was.
        outcome = Err(JobError::Changed);
    }
    if outcome.is_err() {
        shared.folder.remove_tmp(&request.stem);
    }
    match outcome {
        // An ffmpeg that cannot write says so in many ways; none of them is a verdict on the item.
        Err(JobError::Unfit(_) | JobError::Interrupted(_)) => try_writing(shared).await.and(outcome),
        outcome => outcome,
    }
}

async fn try_writing(shared: &Shared) -> Result<(), JobError> {
    let folder = shared.folder.clone();
    let tried = tokio::task::spawn_blocking(move || folder.try_writing()).await;
    tried.map_err(io::Error::other).flatten().map_err(|error| JobError::Unwritable(error.to_string()))
}

/// Whether an item's file is there with the size it had.
async fn is_as_looked_into(item: &Item) -> bool {
    tokio::fs::metadata(&item.path).await.is_ok_and(|about| about.len() == item.stamp.size)
}

/// Takes what was made into the cache.
pub(super) async fn keep(shared: &Shared, made: Made) -> Result<Mezzanine, JobError> {
    let (folder, stem) = (shared.folder.clone(), made.mezzanine.id.file_stem());
    let keep = tokio::task::spawn_blocking(move || folder.keep(&made.mezzanine, Some(made.recipe)));
    let kept = keep.await.map_err(io::Error::other).and_then(|kept| kept);
    if kept.is_err() {
        shared.folder.remove_tmp(&stem);
    }
    kept.map_err(|error| JobError::Unwritable(error.to_string()))
}
