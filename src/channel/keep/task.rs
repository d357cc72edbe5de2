//! Writes what is to be kept, one thing after the other.

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{Kept, plan_of};
use crate::schedule::Plan;
use crate::store::{Aired, Store};
use crate::units::ChannelId;

/// Returns the plan a channel had in its last life, if it can be read.
pub async fn plan(store: &Store, channel: &ChannelId) -> Option<Plan> {
    let stored = store.load_plan(channel.clone()).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "failed to read the plan that was kept; a new one is made");
        None
    });
    stored.and_then(plan_of)
}

/// Writes until the channel is gone or the token ends, then writes the newest once more.
pub async fn run(
    channel: ChannelId,
    store: Store,
    mut kept: watch::Receiver<Kept>,
    mut aired: mpsc::Receiver<Aired>,
    token: CancellationToken,
) {
    let mut last = Kept::default();
    loop {
        tokio::select! {
            biased;
            () = token.cancelled() => break,
            changed = kept.changed() => {
                if changed.is_err() {
                    break;
                }
                let newest = kept.borrow_and_update().clone();
                write(&channel, &store, newest, &mut last).await;
            }
            Some(airing) = aired.recv() => write_aired(&channel, &store, airing).await,
        }
    }
    while let Ok(airing) = aired.try_recv() {
        write_aired(&channel, &store, airing).await;
    }
    let newest = kept.borrow().clone();
    write(&channel, &store, newest, &mut last).await;
}

async fn write(channel: &ChannelId, store: &Store, newest: Kept, last: &mut Kept) {
    if let Some(plan) = newest.plan.as_ref().filter(|plan| last.plan.as_ref() != Some(plan))
        && let Err(error) = store.save_plan(channel.clone(), plan.clone()).await
    {
        tracing::warn!(%error, "failed to keep the plan (a restart would begin elsewhere)");
    }
    if let Some(continuity) = newest.continuity.filter(|at| last.continuity != Some(*at))
        && let Err(error) = store.save_continuity(channel.clone(), continuity).await
    {
        tracing::warn!(%error, "failed to keep the sequence numbers");
    }
    *last = newest;
}

async fn write_aired(channel: &ChannelId, store: &Store, airing: Aired) {
    if let Err(error) = store.add_aired(channel.clone(), airing).await {
        tracing::warn!(%error, "failed to keep what was on");
    }
}
