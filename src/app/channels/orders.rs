//! What the operator orders, carried out one after the other between two looks at the configuration.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Channels, Life};
use crate::channel::task::ask_to_skip;
use crate::channel::{ChannelState, ChannelStatus};
use crate::config;
use crate::http::desk::{Action, Refused, Which};
use crate::library::{Catalogue, Reproach};
use crate::prepare::{MezzanineId, Prepared, Preparer};
use crate::store::Judgements;
use crate::units::ChannelId;

/// How long a channel may take to answer: it looks at its inbox between two GOPs.
const CHANNEL_WAIT: Duration = Duration::from_secs(5);

/// How many files of a channel are listed; the rest is counted.
const LISTED_MAX: usize = 1000;

const IS_OFF: Refused = Refused::NotNow("The channel is off the air.");

/// A file that was set aside.
#[derive(Debug, Serialize)]
struct SetAside {
    /// Its path below the channel's folder.
    file: String,
    /// Its whole path.
    path: String,
    /// Why, in one of a few words.
    cause: &'static str,
    /// Why, for people.
    sentence: String,
    /// Since when, as far as that was noted.
    since: Option<Timestamp>,
    /// Whether it was set aside when it was made ready, and not when it was looked into.
    #[serde(skip)]
    prepared: Option<MezzanineId>,
}

impl Channels {
    /// Does what the operator wants, and returns what is told of it.
    pub(in crate::app) async fn carry_out(&mut self, action: Action) -> Result<Value, Refused> {
        let told = action.clone();
        let outcome = match action {
            Action::Skip(id) => self.skip(&id).await,
            Action::Rescan(id) => self.rescan(id.as_ref()),
            Action::Quarantine => return Ok(self.quarantine().await),
            Action::Requeue(id, which) => self.requeue(&id, &which),
            Action::Off(id) => self.take_off(&id).await,
            Action::On(id) => self.put_on(&id).await,
        };
        match &outcome {
            Ok(done) => tracing::info!(order = ?told, %done, "the operator's order was carried out"),
            Err(refused) => tracing::info!(order = ?told, %refused, "the operator's order was refused"),
        }
        outcome
    }

    async fn skip(&self, id: &ChannelId) -> Result<Value, Refused> {
        let life = self.life(id).ok_or(Refused::NoSuchChannel)?;
        if life.off {
            return Err(IS_OFF);
        }
        let asked = tokio::time::timeout(CHANNEL_WAIT, ask_to_skip(&life.face.outputs)).await;
        match asked.map_err(|_| Refused::Busy)? {
            Some(skipped) => Ok(json!({ "channel": id.as_str(), "skipped": skipped.title, "ends": skipped.ends })),
            None => Err(Refused::NotNow("No item is on air that could be skipped.")),
        }
    }

    fn rescan(&self, id: Option<&ChannelId>) -> Result<Value, Refused> {
        match id.map(|id| self.life(id).ok_or(Refused::NoSuchChannel)).transpose()? {
            Some(life) if life.off => return Err(IS_OFF),
            _ => {}
        }
        let meant = self.lives.iter().filter(|life| !life.off && id.is_none_or(|id| life.config.id == *id));
        let walked: Vec<&str> =
            meant.inspect(|life| life.source.library.rescan()).map(|life| life.config.id.as_str()).collect();
        Ok(json!({ "rescanned": walked }))
    }

    /// Takes a channel off the air until [`Self::put_on`], over restarts and new configurations.
    async fn take_off(&mut self, id: &ChannelId) -> Result<Value, Refused> {
        if self.life(id).ok_or(Refused::NoSuchChannel)?.off {
            return Err(Refused::NotNow("The channel is off the air already."));
        }
        let since = self.common.clock.wall();
        self.off.insert(id.clone(), since);
        let remembered = self.remember(id, Some(since)).await;
        self.begin_anew(id).await;
        self.common.preparer.want(id, Vec::new());
        Ok(json!({ "channel": id.as_str(), "state": "off", "remembered": remembered }))
    }

    /// Puts a channel on the air again that was taken off.
    async fn put_on(&mut self, id: &ChannelId) -> Result<Value, Refused> {
        if !self.life(id).ok_or(Refused::NoSuchChannel)?.off {
            return Err(Refused::NotNow("The channel is not off the air."));
        }
        self.off.remove(id);
        let remembered = self.remember(id, None).await;
        self.begin_anew(id).await;
        Ok(json!({ "channel": id.as_str(), "state": "starting", "remembered": remembered }))
    }

    /// Returns whether it is written down: a restart would do what was done last else.
    async fn remember(&self, id: &ChannelId, off: Option<Timestamp>) -> bool {
        let written = self.common.ground.store.set_off(id.clone(), off).await;
        if let Err(error) = &written {
            tracing::error!(%error, channel = %id, "failed to write down whether the channel is off the air");
        }
        written.is_ok()
    }

    /// Ends a channel and begins it again in its place, on or off the air as is wanted now.
    async fn begin_anew(&mut self, id: &ChannelId) {
        let Some(life) = self.take(id) else { return };
        let (config, was_off) = (life.config.clone(), life.off);
        let face = life.end().await;
        if was_off {
            let starting = ChannelStatus::lifeless(&config.id, &config.name, ChannelState::Starting);
            face.outputs.status.send_replace(Arc::new(starting));
        }
        self.begin(&config, face);
        self.tell();
    }

    fn life(&self, id: &ChannelId) -> Option<&Life> {
        self.lives.iter().find(|life| life.config.id == *id)
    }

    async fn quarantine(&self) -> Value {
        let judged = self.common.ground.store.judgements().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "failed to read since when files are set aside");
            Judgements::default()
        });
        let channels = self.lives.iter().map(|life| {
            let (config, catalogue) = (&life.config, life.source.library.catalogue());
            let mut files = set_aside(config, &catalogue.borrow(), &self.common.preparer, &judged);
            let more = files.len().saturating_sub(LISTED_MAX);
            files.truncate(LISTED_MAX);
            json!({ "id": config.id.as_str(), "name": config.name, "files": files, "more": more })
        });
        json!({ "channels": channels.collect::<Vec<_>>() })
    }

    fn requeue(&self, id: &ChannelId, which: &Which) -> Result<Value, Refused> {
        let life = self.life(id).ok_or(Refused::NoSuchChannel)?;
        if life.off {
            return Err(IS_OFF);
        }
        let catalogue = life.source.library.catalogue();
        let mut files = set_aside(&life.config, &catalogue.borrow(), &self.common.preparer, &Judgements::default());
        if let Which::File(wanted) = which {
            files.retain(|one| one.file == *wanted || one.path == *wanted);
            if files.is_empty() {
                return Err(Refused::NoSuchFile);
            }
        }
        for failed in files.iter().filter_map(|one| one.prepared.as_ref()) {
            self.common.preparer.forget_failure(failed);
        }
        // By the library's own paths: what is told may have lost letters that are none.
        let paths = catalogue.borrow().refused.keys().filter(|path| names(&files, path)).cloned().collect::<Vec<_>>();
        life.source.library.requeue(paths);
        let names: Vec<&str> = files.iter().take(LISTED_MAX).map(|one| one.file.as_str()).collect();
        Ok(json!({ "channel": id.as_str(), "requeued": names, "count": files.len() }))
    }
}

fn names(files: &[SetAside], path: &Path) -> bool {
    let told = path.to_string_lossy();
    files.iter().any(|one| one.prepared.is_none() && one.path == told)
}

/// Returns a channel's files that were set aside, by the library or by the workshop, in the order of their paths.
fn set_aside(
    config: &config::Channel,
    catalogue: &Catalogue,
    preparer: &Preparer,
    judged: &Judgements,
) -> Vec<SetAside> {
    let one = |path: &Path, sentence: &str, since, prepared| SetAside {
        file: below(config, path),
        path: path.to_string_lossy().into_owned(),
        cause: Reproach::of(sentence).label(),
        sentence: sentence.to_owned(),
        since,
        prepared,
    };
    let refused =
        catalogue.quarantined().map(|(path, reason)| one(path, reason, judged.files.get(path).copied(), None));
    let failed = catalogue.items.iter().filter_map(|(path, item)| {
        let id = MezzanineId::of(item, &config.profile);
        let Prepared::Failed(reason) = preparer.state(&id) else { return None };
        Some(one(path, &reason, judged.items.get(&id).copied(), Some(id)))
    });
    let mut files: Vec<SetAside> = refused.chain(failed).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn below(config: &config::Channel, path: &Path) -> String {
    let below = config.folders.iter().find_map(|folder| path.strip_prefix(folder).ok());
    below.unwrap_or(path).to_string_lossy().into_owned()
}
