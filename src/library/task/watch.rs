//! Listens for changes below the folders. Events only say "look again": moved-in and nested folders hide their content
//! from events, so the walk is the truth.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

use super::walk;
use crate::library::reach::FolderId;

/// How often the nearest existing parent of a missing folder is looked for anew, when it changes while it is looked for.
const PARENT_TRIES_MAX: usize = 40;

/// What the watcher's thread tells the task.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// Something changed, or a walk was asked for.
    pub(super) dirty: Notify,
    /// A folder may have come: what is below it was not watched when it was made.
    pub(super) grew: AtomicBool,
    /// A watched folder itself went or moved: its watch is dead though the path may live on.
    pub(super) lost: AtomicBool,
    /// The system gives no more watches.
    pub(super) exhausted: AtomicBool,
    /// A folder lies on a disk whose changes, made elsewhere, no event tells.
    pub(super) remote: AtomicBool,
    /// Files in quarantine that somebody wants looked into again.
    requeued: Mutex<BTreeSet<PathBuf>>,
}

impl Signals {
    /// Asks for files to be looked into again.
    pub(super) fn requeue(&self, files: impl IntoIterator<Item = PathBuf>) {
        self.requeued.lock().unwrap_or_else(PoisonError::into_inner).extend(files);
        self.dirty.notify_one();
    }

    /// Returns the files that are to be looked into again.
    pub(super) fn take_requeued(&self) -> BTreeSet<PathBuf> {
        std::mem::take(&mut *self.requeued.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is watched for one folder.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    path: PathBuf,
    id: FolderId,
    mode: RecursiveMode,
}

/// The watches on a channel's folders.
#[derive(Debug)]
pub(super) struct Watches {
    watcher: Option<RecommendedWatcher>,
    roots: Vec<PathBuf>,
    targets: Vec<Option<Target>>,
    signals: Arc<Signals>,
}

impl Watches {
    /// Begins with nothing watched. Without a watcher the folders are walked more often.
    ///
    /// What happens below the `excluded` folders is not told: our own work there must not wake us.
    pub(super) fn new(roots: Vec<PathBuf>, excluded: Vec<PathBuf>, signals: Arc<Signals>) -> Self {
        let (told, watched) = (Arc::clone(&signals), roots.clone());
        let watcher = notify::recommended_watcher(move |event| tell(&told, &watched, &excluded, event));
        let watcher = watcher.map_err(|error| give_up(&signals, &error)).ok();
        let targets = roots.iter().map(|_| None).collect();
        Self { watcher, roots, targets, signals }
    }

    /// Watches each folder that exists, and the nearest parent of each that does not. Cheap when nothing changed.
    /// Blocking.
    pub(super) fn refresh(&mut self) {
        let remote = self.roots.iter().any(|root| is_remote(root));
        self.signals.remote.store(remote, Ordering::SeqCst);
        let lost = self.signals.lost.swap(false, Ordering::SeqCst);
        let Some(watcher) = &mut self.watcher else { return };
        for (root, watched) in self.roots.iter().zip(&mut self.targets) {
            for _ in 0..PARENT_TRIES_MAX {
                let target = target(root);
                if *watched == target && !lost {
                    break;
                }
                if let Some(old) = watched.take() {
                    // Fails where the folder is gone, and its watch with it.
                    let _gone = watcher.unwatch(&old.path);
                }
                let Some(new) = target else { break };
                if let Err(error) = watcher.watch(&new.path, new.mode) {
                    give_up(&self.signals, &error);
                    break;
                }
                // A parent that got its child before the watch was set would never tell: look once more.
                let settled = new.mode == RecursiveMode::Recursive;
                *watched = Some(new);
                if settled || lost {
                    break;
                }
            }
        }
    }
}

fn target(root: &Path) -> Option<Target> {
    root.ancestors().find_map(|path| {
        let id = walk::identity(&std::fs::metadata(path).ok()?)?;
        let mode = if path == root { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        Some(Target { path: path.to_owned(), id, mode })
    })
}

/// Whether a folder lies on a network or host-shared disk, where inotify tells only what this machine does.
fn is_remote(root: &Path) -> bool {
    /// Magic numbers of NFS, SMB, CIFS, SMB2, FUSE (with virtiofs), 9p and Ceph. Source: statfs(2).
    const REMOTE: [i128; 7] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x6573_5546, 0x0102_1997, 0x00c3_6400];
    let kind = rustix::fs::statfs(root).map(|found| i128::from(found.f_type) & 0xffff_ffff);
    kind.is_ok_and(|kind| REMOTE.contains(&kind))
}

fn tell(signals: &Signals, roots: &[PathBuf], excluded: &[PathBuf], event: notify::Result<notify::Event>) {
    match event {
        Ok(event) if event.need_rescan() => signals.grew.store(true, Ordering::SeqCst),
        Ok(event) => {
            let ours = |path: &PathBuf| excluded.iter().any(|folder| path.starts_with(folder));
            if !is_change(event.kind) || !event.paths.is_empty() && event.paths.iter().all(ours) {
                return;
            }
            let moved = matches!(event.kind, EventKind::Modify(ModifyKind::Name(_)));
            if moved || matches!(event.kind, EventKind::Create(_)) {
                signals.grew.store(true, Ordering::SeqCst);
            }
            if moved || matches!(event.kind, EventKind::Remove(_)) {
                let own = |path: &PathBuf| roots.iter().any(|root| root.starts_with(path));
                signals.lost.fetch_or(event.paths.iter().any(own), Ordering::SeqCst);
            }
        }
        Err(error) => give_up(signals, &error),
    }
    signals.dirty.notify_one();
}

/// Whether an event means that a walk could find something new.
///
/// Our own reading causes access events, and every write of a long copy a data event; the end of the writing is told by
/// the closing, and a file that is never closed is found by its stamp.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        EventKind::Modify(ModifyKind::Data(_)) => false,
        _ => true,
    }
}

/// Whether it was said that the system gives no more watches: one line tells it for all channels.
static EXHAUSTION_TOLD: AtomicBool = AtomicBool::new(false);

/// Says once that changes are found by walking only.
fn give_up(signals: &Signals, error: &notify::Error) {
    let exhausted = match &error.kind {
        ErrorKind::MaxFilesWatch => true,
        // 24: too many inotify instances; 28: too many watches.
        ErrorKind::Io(error) => matches!(error.raw_os_error(), Some(24 | 28)),
        _ => false,
    };
    if !exhausted {
        tracing::debug!(%error, "a change below a folder was not told; the next walk finds it");
        return;
    }
    if signals.exhausted.swap(true, Ordering::SeqCst) {
        return;
    }
    if EXHAUSTION_TOLD.swap(true, Ordering::SeqCst) {
        tracing::debug!(%error, "the system gives no more file watches");
        return;
    }
    tracing::warn!(
        %error,
        "the system gives no more file watches; the folders of this channel, and of others it has none for, are walked \
         every few seconds instead (hint: raise the sysctl fs.inotify.max_user_watches, or fs.inotify.max_user_instances)"
    );
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, MetadataKind, RemoveKind};

    use super::*;

    #[test]
    fn reading_and_the_middle_of_a_copy_are_no_change() {
        for (kind, expected) in [
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), false),
            (EventKind::Access(AccessKind::Close(AccessMode::Read)), false),
            (EventKind::Access(AccessKind::Close(AccessMode::Write)), true),
            (EventKind::Modify(ModifyKind::Data(DataChange::Any)), false),
            (EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)), true),
            (EventKind::Create(CreateKind::File), true),
            (EventKind::Remove(RemoveKind::File), true),
        ] {
            assert_eq!(is_change(kind), expected, "{kind:?}");
        }
    }

    #[test]
    fn running_out_of_watches_is_noted() {
        let signals = Signals::default();
        give_up(&signals, &notify::Error::generic("x"));
        assert!(!signals.exhausted.load(Ordering::SeqCst));
        tell(&signals, &[], &[], Err(notify::Error::new(ErrorKind::MaxFilesWatch)));
        assert!(signals.exhausted.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn our_own_work_does_not_wake_us() {
        let signals = Signals::default();
        let made = |path: &str| notify::Event::new(EventKind::Create(CreateKind::File)).add_path(path.into());
        tell(&signals, &["/m".into()], &["/m/data".into()], Ok(made("/m/data/cache/a.ts")));
        assert!(!signals.grew.load(Ordering::SeqCst));
        tell(&signals, &["/m".into()], &["/m/data".into()], Ok(made("/m/data2/a.ts")));
        assert!(signals.grew.load(Ordering::SeqCst));
        signals.dirty.notified().await;
    }

    #[test]
    fn a_removed_root_loses_its_watch() {
        let signals = Signals::default();
        let removed = |path: &str| notify::Event::new(EventKind::Remove(RemoveKind::Folder)).add_path(path.into());
        tell(&signals, &["/m/cats".into()], &[], Ok(removed("/m/cats/kittens")));
        assert!(!signals.lost.load(Ordering::SeqCst));
        tell(&signals, &["/m/cats".into()], &[], Ok(removed("/m/cats")));
        assert!(signals.lost.load(Ordering::SeqCst));
    }
}
