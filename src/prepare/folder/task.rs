//! Reads, keeps and removes the files of the cache folder.
#![expect(clippy::disallowed_methods, reason = "the cache lives on the disk")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::room;
use crate::prepare::inspection::Inspection;
use crate::prepare::mezzanine::{Mezzanine, MezzanineId};
use crate::prepare::recipe::Recipe;
use crate::prepare::sidecar::{Known, Sidecar};

/// How many bytes are written to see whether the disk takes any.
const TRIAL_BYTES: usize = 64 << 10;

/// The cache folder of a station.
#[derive(Clone, Debug)]
pub struct Folder {
    cache: PathBuf,
    tmp: PathBuf,
}

/// A mezzanine found at start.
#[derive(Clone, Debug)]
pub struct Found {
    /// Whole.
    pub mezzanine: Arc<Mezzanine>,
    /// When its file was last changed.
    pub changed: Timestamp,
    /// How it was made; none for the slate.
    pub recipe: Option<Recipe>,
    /// How far its picture was looked through, where it was kept.
    pub inspection: Inspection,
}

impl Folder {
    /// Opens the cache below a data folder: makes what is missing, removes what preparations of an earlier life left.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub fn open(data: &Path) -> io::Result<Self> {
        let cache = std::path::absolute(data)?.join("cache");
        let folder = Self { tmp: cache.join("tmp"), cache };
        folder.clear_tmp();
        fs::create_dir_all(&folder.tmp)?;
        Ok(folder)
    }

    /// Returns the cache below a data folder to read in, as a station may be using it: nothing is made or removed.
    ///
    /// # Errors
    /// When the working directory is gone and the path is relative.
    pub fn beside(data: &Path) -> io::Result<Self> {
        let cache = std::path::absolute(data)?.join("cache");
        Ok(Self { tmp: cache.join("tmp"), cache })
    }

    /// Returns where preparations write.
    #[must_use]
    pub fn tmp(&self) -> &Path {
        &self.tmp
    }

    /// Removes what preparations left. The folder itself goes, too, and is made again by [`Self::open`].
    pub fn clear_tmp(&self) {
        // Nothing there is what is wanted; anything else shows when the next file cannot be written.
        let _gone = fs::remove_dir_all(&self.tmp);
    }

    /// Tries whether preparations can write: makes the folder for them where somebody removed it, and a file in it.
    ///
    /// # Errors
    /// What the system says: the disk is full, it is read-only, a quota is used up.
    pub fn try_writing(&self) -> io::Result<()> {
        fs::create_dir_all(&self.tmp)?;
        let path = self.tmp.join("trial");
        let outcome = fs::write(&path, vec![0; TRIAL_BYTES]);
        let _gone = fs::remove_file(path);
        outcome
    }

    /// Whether a complete mezzanine's file is there and as long as it was.
    #[must_use]
    pub fn is_whole(mezzanine: &Mezzanine) -> bool {
        let len = mezzanine.gops.last().map_or(0, |gop| gop.offset + u64::from(gop.len));
        fs::metadata(&mezzanine.path).is_ok_and(|about| about.len() == len)
    }

    /// Returns every whole mezzanine; files that belong to none are removed.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn scan(&self) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.cache)? {
            let path = entry?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let (Some(id), Some(ending)) = (MezzanineId::from_file_stem(stem), path.extension()) else { continue };
            match self.read(&id) {
                Some(one) if ending == "ts" => found.push(one),
                None if ending == "ts" || ending == "json" => {
                    let _gone = fs::remove_file(&path);
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// Returns a mezzanine where it is there and whole.
    #[must_use]
    pub fn read(&self, id: &MezzanineId) -> Option<Found> {
        let (ts, json) = self.paths(id);
        let about = fs::metadata(&ts).ok()?;
        let known = Sidecar::read(&fs::read(json).ok()?, id, ts, about.len())?;
        let changed = about.modified().ok().and_then(|time| Timestamp::try_from(time).ok()).unwrap_or_default();
        let Known { mezzanine, recipe, inspection } = known;
        Some(Found { mezzanine: Arc::new(mezzanine), changed, recipe, inspection })
    }

    /// Takes a verified mezzanine into the cache and returns it as it lies there.
    ///
    /// The file gets a second name and keeps its first until [`Self::clear_tmp`] or [`Self::remove`]: whoever airs it while
    /// it grew goes on with the path they know.
    ///
    /// # Errors
    /// When a file cannot be written; nothing is left in the cache then.
    pub fn keep(&self, made: &Mezzanine, recipe: Option<Recipe>) -> io::Result<Mezzanine> {
        self.take_in(made, recipe).inspect_err(|_| {
            let (ts, json) = self.paths(&made.id);
            let _gone = (fs::remove_file(json), fs::remove_file(ts));
        })
    }

    fn take_in(&self, made: &Mezzanine, recipe: Option<Recipe>) -> io::Result<Mezzanine> {
        let (ts, json) = self.paths(&made.id);
        // What lay there before goes by its name only: whoever airs it has it open.
        for old in [&json, &ts] {
            match fs::remove_file(old) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        // A filesystem without hard links: move it.
        fs::hard_link(&made.path, &ts).or_else(|_| fs::rename(&made.path, &ts))?;
        let kept = Mezzanine { path: ts, ..made.clone() };
        self.write(&Sidecar::of(&kept, recipe, Inspection::default()), &made.id)?;
        Ok(kept)
    }

    /// Writes down how far the kept picture of a mezzanine was looked through.
    ///
    /// # Errors
    /// When its sidecar is not there or cannot be written; it is as it was then.
    pub fn note(&self, id: &MezzanineId, inspection: Inspection) -> io::Result<()> {
        let known = self.read(id).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        self.write(&Sidecar::of(&known.mezzanine, known.recipe, inspection), id)
    }

    fn write(&self, sidecar: &Sidecar, id: &MezzanineId) -> io::Result<()> {
        let text = serde_json::to_vec(sidecar).map_err(io::Error::other)?;
        let half = self.tmp.join(format!("{}.json", id.file_stem()));
        fs::write(&half, text)?;
        fs::rename(&half, self.paths(id).1)
    }

    /// Removes a mezzanine, under whichever names it lies; what is not there needs no removing.
    pub fn remove(&self, id: &MezzanineId) {
        let (ts, json) = self.paths(id);
        let _gone = (fs::remove_file(json), fs::remove_file(ts));
        self.remove_tmp(&id.file_stem());
    }

    /// Removes the temporary files whose names begin with a stem.
    pub fn remove_tmp(&self, stem: &str) {
        let Ok(entries) = fs::read_dir(&self.tmp) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.strip_prefix(stem).is_some_and(|rest| rest.starts_with(['.', '-'])) {
                let _gone = fs::remove_file(&path);
            }
        }
    }

    /// Returns how many bytes are free on its disk; none where that cannot be told.
    #[must_use]
    pub fn free(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.cache).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Returns how many more bytes may be written. A disk that cannot tell has room without end.
    #[must_use]
    pub fn room(&self) -> u64 {
        let Ok(disk) = rustix::fs::statvfs(&self.tmp) else { return u64::MAX };
        room(disk.f_blocks.saturating_mul(disk.f_frsize), disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn paths(&self, id: &MezzanineId) -> (PathBuf, PathBuf) {
        let stem = id.file_stem();
        (self.cache.join(format!("{stem}.ts")), self.cache.join(format!("{stem}.json")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prepare::Gop;
    use crate::units::{ContentKey, MediaTime};

    fn made(folder: &Folder, key: &str) -> Mezzanine {
        let path = folder.tmp().join(format!("{key}-p.0.ts"));
        fs::write(&path, b"12345").unwrap();
        Mezzanine {
            id: MezzanineId { key: ContentKey(key.into()), profile: "p".into() },
            path,
            tables_len: 0,
            gops: [Gop { offset: 0, len: 5, duration: MediaTime::from_secs(2), sum: None }].into(),
            signature: "s".into(),
            complete: true,
        }
    }

    #[test]
    fn what_was_kept_is_found_after_a_restart_and_the_rest_is_gone() {
        let data = tempfile::tempdir().unwrap();
        let folder = Folder::open(data.path()).unwrap();
        let kept = folder.keep(&made(&folder, "a"), Some(Recipe::Remux)).unwrap();
        let half = made(&folder, "b");
        fs::write(data.path().join("cache/c-p.ts"), b"no sidecar").unwrap();
        fs::write(data.path().join("cache/README"), b"none of ours").unwrap();
        let folder = Folder::open(data.path()).unwrap();
        let found = folder.scan().unwrap();
        assert_eq!(found.iter().map(|one| (*one.mezzanine).clone()).collect::<Vec<_>>(), [kept]);
        assert!(!half.path.exists() && !data.path().join("cache/c-p.ts").exists());
        assert!(data.path().join("cache/README").exists(), "foreign files are left alone");
    }

    #[test]
    fn how_far_a_picture_was_looked_through_is_found_after_a_restart() {
        let data = tempfile::tempdir().unwrap();
        let folder = Folder::open(data.path()).unwrap();
        let kept = folder.keep(&made(&folder, "a"), Some(Recipe::Remux)).unwrap();
        let inspection = Inspection { gops: 1, damage: Some("broken".into()) };
        folder.note(&kept.id, inspection.clone()).unwrap();
        let found = Folder::open(data.path()).unwrap().read(&kept.id).unwrap();
        assert_eq!((found.recipe, found.inspection), (Some(Recipe::Remux), inspection));
        folder.remove(&kept.id);
        assert_eq!(folder.note(&kept.id, Inspection::default()).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_path_of_a_growing_mezzanine_outlives_its_completion() {
        let data = tempfile::tempdir().unwrap();
        let folder = Folder::open(data.path()).unwrap();
        let growing = made(&folder, "a");
        let kept = folder.keep(&growing, None).unwrap();
        assert!(growing.path.exists() && kept.path.exists() && growing.path != kept.path);
        folder.remove(&kept.id);
        assert!(!growing.path.exists() && !kept.path.exists(), "and frees its bytes when it is evicted");
    }

    #[test]
    fn a_file_that_was_cut_is_not_found() {
        let data = tempfile::tempdir().unwrap();
        let folder = Folder::open(data.path()).unwrap();
        let kept = folder.keep(&made(&folder, "a"), None).unwrap();
        fs::write(&kept.path, b"123").unwrap();
        assert!(folder.scan().unwrap().is_empty());
        assert!(!kept.path.exists());
    }
}
