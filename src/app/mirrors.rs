//! The mirrors of the channels: one for each that is to have one, begun and ended as the configuration says.
#![expect(clippy::disallowed_methods, reason = "reads the keys of the store")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::alive::keep_alive;
use crate::clock::Clock;
use crate::config::{self, mirror::Place};
use crate::hls::Snapshot;
use crate::metrics::ChannelSource;
use crate::mirror::task::Parts;
use crate::mirror::wire::Depot;
use crate::mirror::{self, Counters, Credentials};
use crate::units::ChannelId;

/// How much of a file of keys is read, in bytes: more than many sets of keys.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// The rights of those who are neither the file's owner nor in its group.
const OTHERS: u32 = 0o007;

/// Why there is no mirror although one is wanted.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The file cannot be read.
    #[error("failed to read the mirror's keys from {path}: {source} (hint: \"credentials-file\" in [mirror] names it)")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Everybody can read the file.
    #[error("the mirror's keys in {path} are open to others, mode {mode:o} (hint: chmod 600 {path})")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its rights.
        mode: u32,
    },
    /// What is there are no keys.
    #[error(
        "the mirror's keys in {path} are not understood: {why} (hint: two lines, aws_access_key_id = ... and \
         aws_secret_access_key = ...)"
    )]
    Unfit {
        /// The file.
        path: PathBuf,
        /// In words.
        why: String,
    },
    /// The store cannot be used.
    #[error("the mirror cannot be used: {0} (hint: see [mirror])")]
    Store(String),
}

/// What is wanted, with all that had to be read for it.
#[derive(Debug)]
pub(super) struct Wanted {
    mirror: config::Mirror,
    credentials: Option<Credentials>,
}

impl Wanted {
    /// Reads what the configuration names.
    ///
    /// # Errors
    /// [`MirrorError`] where it is of no use.
    pub(super) fn read(mirror: Option<&config::Mirror>) -> Result<Option<Self>, MirrorError> {
        let Some(mirror) = mirror.cloned() else { return Ok(None) };
        let credentials = match &mirror.place {
            Place::Bucket(bucket) => bucket.credentials_file.as_deref().map(in_file).transpose()?,
            Place::Folder(_) => None,
        };
        Ok(Some(Self { mirror, credentials }))
    }
}

/// Returns the keys in a file.
///
/// # Errors
/// [`MirrorError`]
fn in_file(path: &Path) -> Result<Credentials, MirrorError> {
    let unreadable = |source| MirrorError::Unreadable { path: path.to_owned(), source };
    // Opening a pipe would wait for whoever writes into it.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(unreadable(io::Error::other("it is not a file")));
    }
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.mode();
    if mode & OTHERS != 0 {
        return Err(MirrorError::Open { path: path.to_owned(), mode: mode & 0o777 });
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
    Credentials::read(&text).map_err(|why| MirrorError::Unfit { path: path.to_owned(), why })
}

/// What the numbers are read from: the mirrors as they are now.
pub(super) type Numbers = watch::Receiver<Arc<BTreeMap<ChannelId, Arc<Counters>>>>;

/// The mirrors that live.
pub(super) struct Mirrors {
    clock: Clock,
    root: CancellationToken,
    tracker: TaskTracker,
    /// What they were begun with.
    open: Option<(Wanted, Depot)>,
    lives: BTreeMap<ChannelId, Life>,
    told: watch::Sender<Arc<BTreeMap<ChannelId, Arc<Counters>>>>,
}

struct Life {
    snapshot: watch::Receiver<Arc<Snapshot>>,
    counters: Arc<Counters>,
    token: CancellationToken,
}

impl Mirrors {
    /// None yet.
    pub(super) fn new(clock: Clock, root: CancellationToken, tracker: TaskTracker) -> Self {
        let told = watch::Sender::default();
        Self { clock, root, tracker, open: None, lives: BTreeMap::new(), told }
    }

    /// Returns where the numbers come from, now and whenever mirrors come and go.
    pub(super) fn numbers(&self) -> Numbers {
        self.told.subscribe()
    }

    /// Becomes what is wanted, for these channels. Mirrors of which nothing changed are not touched. When the store cannot be
    /// used, nothing but copies is missing: that is said, and there is no mirror.
    pub(super) fn follow(&mut self, wanted: Option<Wanted>, channels: &[ChannelSource]) {
        if let Err(error) = self.become_wanted(wanted, channels) {
            tracing::error!("{error}");
        }
    }

    fn become_wanted(&mut self, wanted: Option<Wanted>, channels: &[ChannelSource]) -> Result<(), MirrorError> {
        let place = |wanted: &Wanted| (wanted.mirror.place.clone(), wanted.credentials.clone());
        let stays = match (&self.open, &wanted) {
            (Some((old, _)), Some(new)) => place(old) == place(new),
            _ => false,
        };
        if !stays {
            self.end(|_, _| true);
        }
        let before = self.open.take().filter(|_| stays).map(|(_, depot)| depot);
        if let Some(wanted) = wanted {
            let depot = match before {
                Some(depot) => depot,
                None => mirror::wire::task::open(&wanted.mirror.place, wanted.credentials.clone())
                    .map_err(MirrorError::Store)?,
            };
            let with: BTreeMap<_, _> = channels
                .iter()
                .filter(|channel| !wanted.mirror.without.contains(&channel.view.id))
                .map(|channel| (channel.view.id.clone(), channel.view.snapshot.clone()))
                .collect();
            self.end(|id, life| !with.get(id).is_some_and(|snapshot| snapshot.same_channel(&life.snapshot)));
            for (id, snapshot) in with {
                if !self.lives.contains_key(&id) {
                    let life = self.begin(&id, depot.clone(), snapshot);
                    self.lives.insert(id, life);
                }
            }
            if !stays {
                tracing::info!(
                    at = &*depot.called,
                    channels = self.lives.len(),
                    "copies for viewers are kept in the mirror"
                );
            }
            self.open = Some((wanted, depot));
        }
        let counters = self.lives.iter().map(|(id, life)| (id.clone(), Arc::clone(&life.counters)));
        self.told.send_replace(Arc::new(counters.collect()));
        Ok(())
    }

    fn end(&mut self, which: impl Fn(&ChannelId, &Life) -> bool) {
        self.lives.retain(|id, life| {
            let goes = which(id, life);
            if goes {
                life.token.cancel();
                tracing::info!(channel = %id, "the mirror of this channel ends; the copies stay as they are");
            }
            !goes
        });
    }

    fn begin(&self, id: &ChannelId, depot: Depot, snapshot: watch::Receiver<Arc<Snapshot>>) -> Life {
        let (counters, token) = (Arc::<Counters>::default(), self.root.child_token());
        let parts = Parts {
            id: id.clone(),
            depot,
            snapshot: snapshot.clone(),
            counters: Arc::clone(&counters),
            clock: self.clock.clone(),
            token: token.clone(),
        };
        let span = tracing::info_span!("channel", id = %id);
        let life = move || mirror::task::run(parts.clone());
        let kept = keep_alive("the mirror", life, token.clone(), self.tracker.clone());
        self.tracker.spawn(kept.instrument(span));
        Life { snapshot, counters, token }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Goal: a file that others can read, or that holds no keys, is refused with what to do. Method: one of each.
    #[test]
    fn a_file_that_is_no_secret_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        assert!(in_file(&path).unwrap_err().to_string().contains("\"credentials-file\" in [mirror] names it"));
        assert!(in_file(folder.path()).unwrap_err().to_string().contains("it is not a file"));
        let keys = "aws_access_key_id = AKIA\naws_secret_access_key = s3cret\n";
        for (text, mode, words) in [
            (keys, 0o600, ""),
            (keys, 0o640, ""),
            (keys, 0o644, "open to others, mode 644 (hint: chmod 600"),
            ("s3cret", 0o600, "line 1 is not \"key = value\" (hint: two lines"),
        ] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            match in_file(&path) {
                Ok(keys) => assert_eq!((words, &*keys.secret), ("", "s3cret")),
                Err(error) => {
                    let told = error.to_string();
                    assert!(!words.is_empty() && told.contains(words) && !told.contains("s3cret"), "{told}");
                }
            }
        }
    }
}
