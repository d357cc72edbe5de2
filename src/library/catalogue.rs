//! How far each file of the folders has got: settling, waiting to be probed, an item, refused.
//!
//! Pure: walks and probe results go in with the time, wants and snapshots come out. Times are those of the world, never
//! of a faster station clock: files are written by the world.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::metadata::{self, Notes};
use super::reach::{FolderId, Reach, is_below};
use super::subtitles::{self, SubtitleFile};
use super::{Catalogue, FileStamp, Item, MediaInfo, Metadata, Refused, names};
use crate::store::{KnownFile, StoredVerdict};
use crate::units::ContentKey;

/// A file first seen with a change at least so long ago is settled at once, so that a start need not wait. Copying
/// programs that set an old time do so at the end, when the size stays.
pub const OLD_AGE: SignedDuration = SignedDuration::from_secs(10);

/// The shortest settle time: below it looking again would be a busy loop.
pub const SETTLE_MIN: SignedDuration = SignedDuration::from_millis(200);

/// How many verdicts on files that are gone are kept, for folders that come back; a little memory each.
pub const ABSENT_MAX: usize = 50_000;

/// What a walk through the folders found.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    /// Files with a video's name: which folder they were found in, by index, and their stamps.
    pub files: BTreeMap<PathBuf, (usize, FileStamp)>,
    /// Files that may tell about a video beside them.
    pub sidecars: BTreeMap<PathBuf, FileStamp>,
    /// Folders that could not be walked, with reasons for people.
    pub problems: Vec<(PathBuf, String)>,
    /// Which folders they were, in their order; none where there was none.
    pub ids: Vec<Option<FolderId>>,
    /// What could not be read: nothing is known of files there.
    pub unread: Vec<PathBuf>,
}

/// What came of looking into a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It may be played.
    Accepted {
        /// Its bytes.
        key: ContentKey,
        /// Its streams.
        media: Box<MediaInfo>,
        /// What its tags and its name tell.
        metadata: Metadata,
    },
    /// It may not, until it changes.
    Refused {
        /// Its bytes.
        key: ContentKey,
        /// A sentence for people.
        reason: String,
    },
    /// Not the file, but the way to it failed: tried again at a walk, not before `pause` has passed.
    Failed {
        /// A sentence for people.
        reason: String,
        /// How long to leave it alone.
        pause: SignedDuration,
    },
    /// It changed meanwhile, or is gone.
    Changed(Option<FileStamp>),
}

/// A sidecar that is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SidecarWant {
    /// The video it is about.
    pub video: PathBuf,
    /// Where it lies.
    pub path: PathBuf,
    /// Its stamp in the walk.
    pub stamp: FileStamp,
}

#[derive(Debug)]
struct Entry {
    root: usize,
    stamp: FileStamp,
    state: State,
    /// Shown while it is tried again.
    last_reason: Option<String>,
    sidecar: Option<Sidecar>,
    subtitles: Arc<[SubtitleFile]>,
}

#[derive(Debug)]
enum State {
    /// Unchanged since then.
    Settling(Timestamp),
    Waiting,
    Probing,
    Item {
        item: Arc<Item>,
        /// Without the sidecar.
        metadata: Metadata,
    },
    Quarantined(ContentKey),
    Failed(Timestamp),
}

#[derive(Debug)]
struct Sidecar {
    path: PathBuf,
    stamp: FileStamp,
    read: bool,
    /// Empty while it was not read, and where nothing in it is understood.
    notes: Notes,
}

/// The files of one channel's folders.
#[derive(Debug)]
pub struct Inventory {
    roots: Vec<PathBuf>,
    settle: SignedDuration,
    reach: Reach,
    files: BTreeMap<PathBuf, Entry>,
    /// The paths of the entries in these states, so that finding them does not cost a pass over a large library.
    settling: BTreeSet<PathBuf>,
    waiting: BTreeSet<PathBuf>,
    probing: usize,
    /// Verdicts on files that are not there now.
    absent: HashMap<PathBuf, KnownFile>,
    problems: Vec<(PathBuf, String)>,
    walked: bool,
    complete: bool,
    changed: bool,
}

impl Inventory {
    /// Begins with nothing walked; `known` are the verdicts of earlier runs.
    #[must_use]
    pub fn new(roots: Vec<PathBuf>, settle: SignedDuration, known: Vec<KnownFile>) -> Self {
        Self {
            reach: Reach::new(roots.len()),
            roots,
            settle: settle.max(SETTLE_MIN),
            files: BTreeMap::new(),
            settling: BTreeSet::new(),
            waiting: BTreeSet::new(),
            probing: 0,
            absent: known.into_iter().map(|file| (file.path.clone(), file)).collect(),
            problems: Vec::new(),
            walked: false,
            complete: false,
            changed: true,
        }
    }

    /// Takes in a walk through all folders. Returns the files whose verdicts are to be forgotten, as a rule none.
    pub fn walked(&mut self, mut walk: Walk, now: Timestamp) -> Vec<PathBuf> {
        let had = |root| self.files.values().any(|entry| entry.root == root);
        let away = self.reach.away(&self.roots, &mut walk, had);
        let is_gone = |path: &&PathBuf| !walk.files.contains_key(*path) && !is_below(path, &away);
        let gone: Vec<PathBuf> = self.files.keys().filter(is_gone).cloned().collect();
        for path in gone {
            self.remove(&path);
        }
        for (path, (root, stamp)) in walk.files {
            self.see(path, root, stamp, now, true);
        }
        self.see_sidecars(&walk.sidecars, &away);
        self.changed |= !self.walked || self.problems != walk.problems;
        self.problems = walk.problems;
        self.walked = true;
        self.update_complete();
        if self.absent.len() <= ABSENT_MAX {
            return Vec::new();
        }
        self.absent.drain().map(|(path, _)| path).collect()
    }

    /// Takes in the stamps of files that were looked at again, `None` where a file is gone.
    pub fn restamped(&mut self, stamps: Vec<(PathBuf, Option<FileStamp>)>, now: Timestamp) {
        for (path, stamp) in stamps {
            match (stamp, self.files.get(&path).map(|entry| entry.root)) {
                (Some(stamp), Some(root)) => self.see(path, root, stamp, now, false),
                (None, Some(_)) => self.remove(&path),
                (_, None) => {}
            }
        }
        self.update_complete();
    }

    /// Returns when the next file will have settled if it stays as it is.
    #[must_use]
    pub fn next_settled(&self) -> Option<Timestamp> {
        self.settling.iter().filter_map(|path| self.settled_at(path)).min()
    }

    /// Returns the files that have settled by now if they stayed as they were: look at their stamps again.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Vec<PathBuf> {
        self.settling.iter().filter(|path| self.settled_at(path).is_some_and(|at| at <= now)).cloned().collect()
    }

    fn settled_at(&self, path: &Path) -> Option<Timestamp> {
        match self.files.get(path)?.state {
            State::Settling(since) => Some(since.saturating_add(self.settle).unwrap_or(Timestamp::MAX)),
            _ => None,
        }
    }

    /// Returns the next file to probe, with the stamp to hand back, while fewer than `at_once` are being probed.
    pub fn next_probe(&mut self, at_once: usize) -> Option<(PathBuf, FileStamp)> {
        if self.probing >= at_once {
            return None;
        }
        let path = self.waiting.pop_first()?;
        let entry = self.files.get_mut(&path)?;
        entry.state = State::Probing;
        self.probing += 1;
        Some((path, entry.stamp))
    }

    /// Takes in what came of a probe. Returns what is to be stored.
    pub fn probed(&mut self, path: &Path, stamp: FileStamp, outcome: Outcome, now: Timestamp) -> Option<KnownFile> {
        self.probing = self.probing.saturating_sub(1);
        let verdict = self.judge(path, stamp, outcome, now);
        self.update_complete();
        verdict
    }

    fn judge(&mut self, path: &Path, stamp: FileStamp, outcome: Outcome, now: Timestamp) -> Option<KnownFile> {
        let entry = self.files.get_mut(path)?;
        if !matches!(entry.state, State::Probing) || entry.stamp != stamp {
            return None;
        }
        self.changed = true;
        let stored = |key, verdict| Some(KnownFile { path: path.to_owned(), stamp, key, verdict });
        match outcome {
            Outcome::Accepted { key, media, metadata } => {
                entry.accept(&self.roots, path, key.clone(), &media, metadata.clone());
                stored(key, StoredVerdict::Accepted { media, metadata })
            }
            Outcome::Refused { key, reason } => {
                entry.state = State::Quarantined(key.clone());
                entry.last_reason = Some(reason.clone());
                stored(key, StoredVerdict::Quarantined { reason })
            }
            Outcome::Failed { reason, pause } => {
                entry.state = State::Failed(now.saturating_add(pause).unwrap_or(Timestamp::MAX));
                entry.last_reason = Some(reason);
                None
            }
            Outcome::Changed(Some(stamp)) => {
                (entry.stamp, entry.state, entry.last_reason) = (stamp, State::Settling(now), None);
                self.settling.insert(path.to_owned());
                None
            }
            Outcome::Changed(None) => {
                self.remove(path);
                None
            }
        }
    }

    /// Has files in quarantine looked into again, as if they were new.
    pub fn requeue(&mut self, files: &BTreeSet<PathBuf>) {
        for path in files {
            let Some(entry) = self.files.get_mut(path) else { continue };
            if matches!(entry.state, State::Quarantined(_) | State::Failed(_)) {
                (entry.state, entry.last_reason) = (State::Waiting, None);
                self.waiting.insert(path.clone());
                self.changed = true;
            }
        }
    }

    /// Returns the sidecars that were found and not read.
    #[must_use]
    pub fn sidecars_to_read(&self) -> Vec<SidecarWant> {
        let unread = |(video, entry): (&PathBuf, &Entry)| {
            let sidecar = entry.sidecar.as_ref().filter(|sidecar| !sidecar.read)?;
            Some(SidecarWant { video: video.clone(), path: sidecar.path.clone(), stamp: sidecar.stamp })
        };
        self.files.iter().filter_map(unread).collect()
    }

    /// Takes in what a sidecar tells; `None` where nothing in it is understood.
    pub fn sidecar_read(&mut self, want: &SidecarWant, notes: Option<Notes>) {
        let Some(entry) = self.files.get_mut(&want.video) else { return };
        if let Some(sidecar) =
            entry.sidecar.as_mut().filter(|found| found.path == want.path && found.stamp == want.stamp)
        {
            (sidecar.read, sidecar.notes) = (true, notes.unwrap_or_default());
            entry.retell();
            self.changed = true;
        }
    }

    /// Returns the folders that are away or were not read, with reasons for people, as of the last walk.
    #[must_use]
    pub fn problems(&self) -> &[(PathBuf, String)] {
        &self.problems
    }

    /// Whether the catalogue differs from the one last taken.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.changed
    }

    /// Returns the catalogue when something changed since the last call.
    pub fn take_changed(&mut self) -> Option<Catalogue> {
        std::mem::take(&mut self.changed).then(|| self.snapshot())
    }

    /// Returns how many files have settled and were not probed yet.
    #[must_use]
    pub fn unprobed(&self) -> usize {
        self.waiting.len() + self.probing
    }

    fn snapshot(&self) -> Catalogue {
        let mut catalogue =
            Catalogue { folder_problems: self.problems.clone(), complete: self.complete, ..Catalogue::default() };
        for (path, entry) in &self.files {
            let refused = match (&entry.state, &entry.last_reason) {
                (State::Item { item, .. }, _) => {
                    catalogue.items.insert(path.clone(), Arc::clone(item));
                    continue;
                }
                (State::Settling(_), _) | (_, None) => Refused::Settling,
                (_, Some(reason)) => Refused::Quarantined(reason.clone()),
            };
            catalogue.refused.insert(path.clone(), refused);
        }
        catalogue
    }

    fn update_complete(&mut self) {
        if !self.complete && self.walked && self.unprobed() == 0 {
            (self.complete, self.changed) = (true, true);
        }
    }

    fn see(&mut self, path: PathBuf, root: usize, stamp: FileStamp, now: Timestamp, in_walk: bool) {
        let settled = |since: Timestamp| now.duration_since(since) >= self.settle;
        let Some(entry) = self.files.get_mut(&path) else {
            return self.see_first(path, root, stamp, now);
        };
        if entry.stamp != stamp {
            self.changed = true;
            self.waiting.remove(&path);
            (entry.stamp, entry.state, entry.last_reason) = (stamp, State::Settling(now), None);
            self.settling.insert(path);
            return;
        }
        match entry.state {
            State::Settling(since) if settled(since) => self.settling.remove(&path),
            State::Failed(retry) if in_walk && retry <= now => true,
            _ => return,
        };
        entry.state = State::Waiting;
        self.waiting.insert(path);
    }

    fn see_first(&mut self, path: PathBuf, root: usize, stamp: FileStamp, now: Timestamp) {
        self.changed = true;
        let mut entry =
            Entry { root, stamp, state: State::Settling(now), last_reason: None, sidecar: None, subtitles: [].into() };
        match self.absent.remove(&path).filter(|known| known.stamp == stamp) {
            Some(KnownFile { key, verdict: StoredVerdict::Accepted { media, metadata }, .. }) => {
                entry.accept(&self.roots, &path, key, &media, metadata);
            }
            Some(KnownFile { key, verdict: StoredVerdict::Quarantined { reason }, .. }) => {
                (entry.state, entry.last_reason) = (State::Quarantined(key), Some(reason));
            }
            None if is_old(stamp, now, self.settle) => {
                entry.state = State::Waiting;
                self.waiting.insert(path.clone());
            }
            None => {
                self.settling.insert(path.clone());
            }
        }
        self.files.insert(path, entry);
    }

    /// A file that left takes its verdict to the absent: should it come back unchanged, it is not probed again.
    fn remove(&mut self, path: &Path) {
        let Some(entry) = self.files.remove(path) else { return };
        self.changed = true;
        self.settling.remove(path);
        self.waiting.remove(path);
        let (key, verdict) = match entry.state {
            State::Item { item, metadata } => {
                (item.key.clone(), StoredVerdict::Accepted { media: Box::new(item.media.clone()), metadata })
            }
            State::Quarantined(key) => {
                (key, StoredVerdict::Quarantined { reason: entry.last_reason.unwrap_or_default() })
            }
            _ => return,
        };
        self.absent.insert(path.to_owned(), KnownFile { path: path.to_owned(), stamp: entry.stamp, key, verdict });
    }

    fn see_sidecars(&mut self, sidecars: &BTreeMap<PathBuf, FileStamp>, away: &[PathBuf]) {
        for (video, entry) in self.files.iter_mut().filter(|(video, _)| !is_below(video, away)) {
            let found = if sidecars.is_empty() { Vec::new() } else { subtitles::beside(video, sidecars) };
            self.changed |= entry.subtitled(found);
            let found = if sidecars.is_empty() { Vec::new() } else { names::sidecar_paths(video) };
            let found = found.into_iter().find_map(|path| sidecars.get(&path).map(|&stamp| (path, stamp)));
            let had = entry.sidecar.as_ref().map(|sidecar| (&sidecar.path, sidecar.stamp));
            if found.as_ref().map(|(path, stamp)| (path, *stamp)) == had {
                continue;
            }
            entry.sidecar = found.map(|(path, stamp)| Sidecar { path, stamp, read: false, notes: Notes::default() });
            entry.retell();
            self.changed = true;
        }
    }
}

impl Entry {
    fn accept(&mut self, roots: &[PathBuf], path: &Path, key: ContentKey, media: &MediaInfo, metadata: Metadata) {
        let root = roots.get(self.root).map_or(Path::new(""), PathBuf::as_path);
        let item = Item {
            key,
            path: path.to_owned(),
            name: names::name_below(root, path).into(),
            stamp: self.stamp,
            media: media.clone(),
            subtitles: Arc::clone(&self.subtitles),
            metadata: metadata.clone(),
        };
        self.state = State::Item { item: Arc::new(item), metadata };
        self.last_reason = None;
        self.retell();
    }

    /// Takes the subtitle files that were found; returns whether they are others than before.
    fn subtitled(&mut self, found: Vec<SubtitleFile>) -> bool {
        let differs = *self.subtitles != *found;
        if differs {
            self.subtitles = found.into();
            if let State::Item { item, .. } = &mut self.state {
                Arc::make_mut(item).subtitles = Arc::clone(&self.subtitles);
            }
        }
        differs
    }

    /// Puts what the sidecar tells over what the file tells.
    fn retell(&mut self) {
        let State::Item { item, metadata } = &mut self.state else { return };
        let told = self.sidecar.as_ref().map(|sidecar| metadata::overlay(metadata, &sidecar.notes));
        let told = told.unwrap_or_else(|| metadata.clone());
        if item.metadata != told {
            Arc::make_mut(item).metadata = told;
        }
    }
}

fn is_old(stamp: FileStamp, now: Timestamp, settle: SignedDuration) -> bool {
    let Ok(changed) = Timestamp::from_nanosecond(stamp.mtime_ns.into()) else { return false };
    now.duration_since(changed) >= settle.max(OLD_AGE)
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
