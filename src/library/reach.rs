//! Whether a folder was emptied or is away. Pure.
//!
//! A file deleted from a folder that can be read is meant to go. A folder that cannot be read, or in whose place there
//! suddenly is another that is empty (the bare mount point of a disk that was unmounted), tells nothing about its files:
//! what was known of them stays, and what was prepared goes on airing, until the folder is back.

use std::path::{Path, PathBuf};

use super::catalogue::Walk;

/// Device and inode of a folder: one made anew or mounted over is another.
pub type FolderId = (u64, u64);

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
        let film = |name: &str| (root.join(name), (0, FileStamp { size: 1, mtime_ns: 0 }));
        let seen = |id, files: &[&str]| Walk {
            ids: vec![id],
            files: files.iter().map(|name| film(name)).collect(),
            ..Walk::default()
        };
        let unread = |path: &str| Walk { unread: vec![path.into()], ..seen(Some((1, 1)), &["b.mp4"]) };
        for (sentence, walk, expected, problems) in [
            ("the same with fewer files", seen(Some((1, 1)), &["b.mp4"]), vec![], 0),
            ("the same and empty", seen(Some((1, 1)), &[]), vec![], 0),
            ("another with files", seen(Some((2, 1)), &["b.mp4"]), vec![], 0),
            ("another and empty", seen(Some((2, 1)), &[]), vec!["/m"], 1),
            ("one below it cannot be read", unread("/m/sub"), vec!["/m/sub"], 0),
            ("it cannot be read", unread("/m"), vec!["/m"], 0),
        ] {
            let mut reach = Reach::new(1);
            reach.away(std::slice::from_ref(&root), &mut seen(Some((1, 1)), &["a.mp4", "b.mp4"]), |_| false);
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
        for (id, files, expected) in [((1, 1), 2, 0), ((2, 1), 0, 1), ((2, 1), 0, 1), ((2, 1), 1, 0), ((2, 1), 0, 0)] {
            assert_eq!(reach.away(&roots, &mut seen(id, files), |_| true).len(), expected, "{id:?} {files}");
        }
    }
}
