//! Writes what is to be kept, one thing after the other; what could not be written is written when it can be.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{AIRED_UNWRITTEN_MAX, Kept, plan_of};
use crate::channel::{AiringStatus, ChannelStatus};
use crate::schedule::{Kind, Plan};
use crate::store::{Aired, Store, StoreError};
use crate::units::ChannelId;

/// How far back a guide looks for what was on in earlier lives.
const BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// How long what could not be written waits for another try.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Returns the plan a channel had in its last life, if it can be read.
pub async fn plan(store: &Store, channel: &ChannelId) -> Option<Plan> {
    let stored = store.load_plan(channel.clone()).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "failed to read the plan that was kept; a new one is made");
        None
    });
    stored.and_then(plan_of)
}

/// Returns what was on in the channel's last lives, oldest first; nothing where it cannot be read.
pub async fn before(store: &Store, channel: &ChannelId, now: Timestamp) -> Arc<[AiringStatus]> {
    let aired = store.aired_since(channel.clone(), now - BEFORE, ChannelStatus::AIRED_MAX).await;
    let aired = aired.unwrap_or_else(|error| {
        tracing::warn!(%error, "failed to read what was on before");
        Vec::new()
    });
    let told = aired.into_iter().map(|one| AiringStatus {
        serial: one.serial,
        key: one.key,
        kind: if one.serial.is_some() { one.kind } else { Kind::Pause },
        metadata: one.metadata,
        start: one.start,
        duration: one.aired,
    });
    told.collect()
}

/// Writes until the channel is gone or the token ends, then writes the newest once more.
pub async fn run(
    channel: ChannelId,
    store: Store,
    mut kept: watch::Receiver<Kept>,
    mut aired: mpsc::Receiver<Aired>,
    token: CancellationToken,
) {
    let mut keeper = Keeper::new(channel, store);
    loop {
        tokio::select! {
            biased;
            () = token.cancelled() => break,
            changed = kept.changed() => {
                if changed.is_err() {
                    break;
                }
            }
            Some(airing) = aired.recv() => keeper.note(airing),
            () = tokio::time::sleep(AGAIN_AFTER), if keeper.trouble => {}
        }
        let newest = kept.borrow_and_update().clone();
        keeper.write(newest).await;
    }
    while let Ok(airing) = aired.try_recv() {
        keeper.note(airing);
    }
    let newest = kept.borrow().clone();
    keeper.write(newest).await;
}

/// What was written, and what could not be yet.
struct Keeper {
    channel: ChannelId,
    store: Store,
    written: Kept,
    unwritten: VecDeque<Aired>,
    /// Whether the store took nothing the last time: told once.
    trouble: bool,
    /// How often the store was begun anew when that was written.
    begun_anew: u64,
}

impl Keeper {
    fn new(channel: ChannelId, store: Store) -> Self {
        let begun_anew = store.begun_anew();
        Self { channel, store, written: Kept::default(), unwritten: VecDeque::new(), trouble: false, begun_anew }
    }

    fn note(&mut self, airing: Aired) {
        if self.unwritten.len() == AIRED_UNWRITTEN_MAX {
            self.unwritten.pop_front();
        }
        self.unwritten.push_back(airing);
    }

    async fn write(&mut self, newest: Kept) {
        let mut outcome = self.try_to_write(newest.clone()).await;
        // A database that was begun anew knows nothing of what was written before.
        if self.begun_anew != self.store.begun_anew() {
            self.begun_anew = self.store.begun_anew();
            self.written = Kept::default();
            outcome = self.try_to_write(newest).await;
        }
        match &outcome {
            Err(error) if !self.trouble => {
                let cause = std::error::Error::source(error).map(ToString::to_string);
                tracing::error!(
                    %error,
                    cause,
                    "plan and history are not kept for now (hint: is the disk full, the data folder read-only, the database \
                     held by another program? it goes on by itself)"
                );
            }
            Ok(()) if self.trouble => tracing::info!("plan and history are kept again"),
            _ => {}
        }
        self.trouble = outcome.is_err();
    }

    /// Writes what is new and what could not be written before; ends at the first failure.
    async fn try_to_write(&mut self, newest: Kept) -> Result<(), StoreError> {
        if let Some(plan) = newest.plan.filter(|plan| self.written.plan.as_ref() != Some(plan)) {
            self.store.save_plan(self.channel.clone(), plan.clone()).await?;
            self.written.plan = Some(plan);
        }
        if let Some(continuity) = newest.continuity.filter(|at| self.written.continuity != Some(*at)) {
            self.store.save_continuity(self.channel.clone(), continuity).await?;
            self.written.continuity = Some(continuity);
        }
        while let Some(airing) = self.unwritten.front() {
            self.store.add_aired(self.channel.clone(), airing.clone()).await?;
            self.unwritten.pop_front();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Metadata;
    use crate::units::MediaTime;

    /// Goal: a guide's past does not begin with the station's life. Method: what was kept in a life before, asked for by the
    /// next: a day of it, oldest first, each for as long as it was on and for
    /// what it was there for.
    #[tokio::test]
    async fn what_was_on_before_is_told_as_long_as_it_was() {
        let (store, cats) = (Store::in_memory().await.unwrap(), ChannelId::new("cats").unwrap());
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        let hours = |hours: i64| now - SignedDuration::from_hours(hours);
        for (serial, since) in [(1, 30), (2, 20), (3, 1)] {
            let one = Aired {
                serial: Some(serial),
                key: None,
                kind: if serial == 3 { Kind::Ident } else { Kind::Item },
                metadata: Arc::new(Metadata { title: serial.to_string(), ..Metadata::default() }),
                start: hours(since),
                duration: MediaTime::from_secs(3600),
                from: MediaTime::from_secs(60),
                aired: MediaTime::from_secs(600),
            };
            store.add_aired(cats.clone(), one).await.unwrap();
        }
        let told = before(&store, &cats, now).await;
        let seen: Vec<_> = told.iter().map(|one| (one.serial, one.kind, one.start, one.duration)).collect();
        let secs = MediaTime::from_secs(600);
        assert_eq!(seen, [(Some(2), Kind::Item, hours(20), secs), (Some(3), Kind::Ident, hours(1), secs)]);
    }
}
