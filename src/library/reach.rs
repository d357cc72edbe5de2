//! Whether a folder was emptied or is away. Pure.
//!
//! A file deleted from a folder that can be read is meant to go. A folder that cannot be read, or in whose place there
//! suddenly is another that is empty (the bare mount point of a disk that was unmounted), tells nothing about its files:
//! what was known of them stays, and what was prepared goes on airing, until the folder is back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::catalogue::Walk;

/// Which folder it is, whatever its path: one made anew or mounted over is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderId {
    /// The disk.
    pub device: u64,
    /// The number on it. A folder that was deleted leaves its number to the next.
    pub inode: u64,
    /// When it was made, since the epoch, where the disk tells it.
    pub made: Option<Duration>,
}

/// Remembers which folders they are that files were found in.
#[derive(Debug)]
pub struct Reach {
    ids: Vec<Option<FolderId>>,
}

impl Reach {
    /// Begins with as many folders, none seen yet.
    #[must_use]
    pub fn new(folders: usize) -> Self {
        Self { ids: vec![None; folders] }
    }

    /// Returns the folders (and what could not be read below them) about whose files a walk tells nothing; adds to the
    /// walk's problems why. `had` tells whether there were files in a folder so far.
    pub fn away(&mut self, roots: &[PathBuf], walk: &mut Walk, had: impl Fn(usize) -> bool) -> Vec<PathBuf> {
        let mut away = std::mem::take(&mut walk.unread);
        for (index, (root, known)) in roots.iter().zip(&mut self.ids).enumerate() {
            let Some(id) = walk.ids.get(index).copied().flatten() else { continue };
            let another = known.is_some_and(|known| known != id);
            let empty = !walk.files.values().any(|(place, _)| *place == index);
            if another && empty && had(index) {
                let reason = "It is empty, and not the folder it was: is its disk mounted? What was known stays.";
                walk.problems.push((root.clone(), reason.to_owned()));
                away.push(root.clone());
            } else if !is_below(root, &away) {
                *known = Some(id);
            }
        }
        away
    }
}

/// Whether a path is one of the folders or lies below one.
#[must_use]
pub fn is_below(path: &Path, folders: &[PathBuf]) -> bool {
    folders.iter().any(|folder| path.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::FileStamp;

    #[test]
    fn a_folder_that_was_emptied_is_not_away_and_one_that_cannot_be_told_of_is() {
        let root = PathBuf::from("/m");
        let id = |device| FolderId { device, inode: 1, made: Some(Duration::from_secs(1)) };
        let film = |name: &str| (root.join(name), (0, FileStamp { size: 1, mtime_ns: 0 }));
        let seen = |id, files: &[&str]| Walk {
            ids: vec![Some(id)],
            files: files.iter().map(|name| film(name)).collect(),
            ..Walk::default()
        };
        let unread = |path: &str| Walk { unread: vec![path.into()], ..seen(id(1), &["b.mp4"]) };
        let anew = FolderId { made: Some(Duration::from_secs(2)), ..id(1) };
        for (sentence, walk, expected, problems) in [
            ("the same with fewer files", seen(id(1), &["b.mp4"]), vec![], 0),
            ("the same and empty", seen(id(1), &[]), vec![], 0),
            ("another with files", seen(id(2), &["b.mp4"]), vec![], 0),
            ("another and empty", seen(id(2), &[]), vec!["/m"], 1),
            ("made anew, with the number of the old one", seen(anew, &[]), vec!["/m"], 1),
            ("one below it cannot be read", unread("/m/sub"), vec!["/m/sub"], 0),
            ("it cannot be read", unread("/m"), vec!["/m"], 0),
        ] {
            let mut reach = Reach::new(1);
            reach.away(std::slice::from_ref(&root), &mut seen(id(1), &["a.mp4", "b.mp4"]), |_| false);
            let mut walk = walk;
            let away = reach.away(std::slice::from_ref(&root), &mut walk, |_| true);
            assert_eq!(away, expected.iter().map(PathBuf::from).collect::<Vec<_>>(), "{sentence}");
            assert_eq!(walk.problems.len(), problems, "{sentence}");
        }
    }

    #[test]
    fn an_empty_mount_point_stays_away_until_something_is_in_it() {
        let mut reach = Reach::new(1);
        let roots = [PathBuf::from("/m")];
        let stamp = FileStamp { size: 1, mtime_ns: 0 };
        let seen = |id, files: usize| Walk {
            ids: vec![Some(id)],
            files: (0..files).map(|n| (PathBuf::from(format!("/m/{n}.mp4")), (0, stamp))).collect(),
            ..Walk::default()
        };
        for (device, files, expected) in [(1, 2, 0), (2, 0, 1), (2, 0, 1), (2, 1, 0), (2, 0, 0)] {
            let id = FolderId { device, inode: 1, made: None };
            assert_eq!(reach.away(&roots, &mut seen(id, files), |_| true).len(), expected, "{device} {files}");
        }
    }
}
