//! The pasts of the channels: one is kept of each whose viewers may go back, as the configuration says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::alive::keep_alive;
use super::channels::Channels;
use crate::clock::Clock;
use crate::hls::rewind::ledger::Limits;
use crate::hls::rewind::task::{self, Parts};
use crate::hls::rewind::{Told, Window};
use crate::metrics::ChannelSource;
use crate::units::{ChannelId, MediaTime};

/// The folder below the data folder.
const FOLDER: &str = "rewind";

/// Those who keep.
pub(super) struct Rewinds {
    folder: PathBuf,
    clock: Clock,
    root: CancellationToken,
    tracker: TaskTracker,
    lives: BTreeMap<ChannelId, Life>,
}

struct Life {
    limits: Limits,
    told: Arc<Told>,
    token: CancellationToken,
    task: JoinHandle<()>,
}

impl Rewinds {
    /// Begins to keep what is wanted; what is left of channels that are kept no more is removed.
    pub(super) async fn begin(
        data: &Path,
        clock: &Clock,
        root: &CancellationToken,
        tracker: &TaskTracker,
        channels: &Channels,
    ) -> Self {
        let (clock, root, tracker) = (clock.clone(), root.clone(), tracker.clone());
        let mut rewinds = Self { folder: data.join(FOLDER), clock, root, tracker, lives: BTreeMap::new() };
        let (wanted, _) = channels.rewinds();
        for folder in task::folders(rewinds.folder.clone()).await {
            let name = folder.file_name().and_then(|name| name.to_str()).and_then(ChannelId::new);
            if name.is_none_or(|id| !wanted.contains_key(&id)) {
                remove(folder).await;
            }
        }
        rewinds.follow(channels).await;
        rewinds
    }

    /// Becomes what is wanted. Those of which nothing changed are not touched.
    pub(super) async fn follow(&mut self, channels: &Channels) {
        let (wanted, channels) = channels.rewinds();
        let with: BTreeMap<_, _> = channels
            .iter()
            .filter_map(|channel| {
                let rewind = wanted.get(&channel.view.id)?;
                let window = MediaTime::from_secs_f64(rewind.window.as_secs_f64());
                Some((channel.view.id.clone(), (Limits { window, space: rewind.space }, channel)))
            })
            .collect();
        let stays = |id: &ChannelId, life: &Life| {
            let is = |(limits, channel): &(Limits, &ChannelSource)| {
                *limits == life.limits && Arc::ptr_eq(&channel.view.rewind, &life.told)
            };
            with.get(id).is_some_and(is)
        };
        let ended: Vec<_> = self.lives.extract_if(.., |id, life| !stays(id, life)).collect();
        for (id, life) in ended {
            life.token.cancel();
            // It was told when it failed.
            let _failed = life.task.await;
            if !with.contains_key(&id) {
                life.told.want(None);
                life.told.publish(Window::default());
                remove(self.folder.join(id.as_str())).await;
                tracing::info!(channel = %id, "viewers can no longer go back: what was kept is removed");
            }
        }
        for (id, (limits, channel)) in with {
            if !self.lives.contains_key(&id) {
                let life = self.keep(&id, limits, channel);
                self.lives.insert(id, life);
            }
        }
    }

    fn keep(&self, id: &ChannelId, limits: Limits, channel: &ChannelSource) -> Life {
        let (told, token) = (Arc::clone(&channel.view.rewind), self.root.child_token());
        told.want(Some(limits));
        let parts = Parts {
            id: id.clone(),
            folder: self.folder.join(id.as_str()),
            limits,
            snapshot: channel.view.snapshot.clone(),
            told: Arc::clone(&told),
            clock: self.clock.clone(),
            token: token.clone(),
        };
        let span = tracing::info_span!("channel", id = %id);
        let life = move || task::run(parts.clone());
        let kept = keep_alive("keeping the channel's past", life, token.clone(), self.tracker.clone());
        let task = self.tracker.spawn(kept.instrument(span));
        Life { limits, told, token, task }
    }
}

async fn remove(folder: PathBuf) {
    let told = folder.display().to_string();
    if let Err(error) = task::remove(folder).await {
        tracing::warn!(%error, folder = told, "what was kept of a channel's past could not be removed (hint: remove it by hand)");
    }
}
