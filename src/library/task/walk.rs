//! Walks the folders, and looks at single files again. Blocking.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use walkdir::WalkDir;

use crate::library::catalogue::Walk;
use crate::library::reach::FolderId;
use crate::library::{FileStamp, names, subtitles};

/// How deep folders are followed: real collections have five levels, loops of links are found before.
pub(super) const DEPTH_MAX: usize = 32;

/// How many videos a channel may have; each takes about a kilobyte of memory and a line in every walk.
pub(super) const FILES_MAX: usize = 200_000;

/// How many problems are told; the hundredth unreadable folder tells nothing new.
const PROBLEMS_MAX: usize = 100;

/// Walks the folders, following links, leaving out hidden names and the `excluded` folders.
pub(super) fn walk(roots: &[PathBuf], excluded: &[PathBuf]) -> Walk {
    let mut walk = Walk::default();
    for (index, root) in roots.iter().enumerate() {
        let found = std::fs::metadata(root);
        let id = found.as_ref().ok().and_then(identity);
        walk.ids.push(id);
        match found {
            Ok(_) if id.is_some() => {
                walk_folder(&mut walk, index, root, excluded);
                // Taken away while it was walked: what was not found may be there.
                if id_at(root) != id {
                    walk.unread.push(root.clone());
                }
            }
            Ok(_) => walk.problems.push((root.clone(), "It is a file, not a folder.".to_owned())),
            Err(error) => {
                walk.problems.push((root.clone(), folder_problem(&error)));
                walk.unread.push(root.clone());
            }
        }
    }
    walk.problems.truncate(PROBLEMS_MAX);
    walk
}

/// Returns which folders these are now, `None` where there is none.
pub(super) fn identities(roots: &[PathBuf]) -> Vec<Option<FolderId>> {
    roots.iter().map(|root| id_at(root)).collect()
}

fn id_at(path: &Path) -> Option<FolderId> {
    identity(&std::fs::metadata(path).ok()?)
}

/// Returns which folder it is that the system tells of, `None` where it is none.
pub(super) fn identity(found: &Metadata) -> Option<FolderId> {
    let made = found.created().ok().and_then(|made| made.duration_since(UNIX_EPOCH).ok());
    found.is_dir().then(|| FolderId { device: found.dev(), inode: found.ino(), made })
}

fn walk_folder(walk: &mut Walk, index: usize, root: &Path, excluded: &[PathBuf]) {
    let entries = WalkDir::new(root).follow_links(true).max_depth(DEPTH_MAX).into_iter();
    let wanted = entries.filter_entry(|entry| {
        let excluded = excluded.iter().any(|path| path == entry.path());
        entry.depth() == 0 || !(excluded || names::is_hidden(entry.file_name()))
    });
    for entry in wanted {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                if let Some(problem) = entry_problem(root, &error) {
                    if error.io_error().is_some() {
                        walk.unread.push(problem.0.clone());
                    }
                    walk.problems.push(problem);
                }
                continue;
            }
        };
        let (video, sidecar) = (names::is_video_name(entry.file_name()), is_beside(entry.file_name()));
        if !(video || sidecar) || !entry.file_type().is_file() {
            continue;
        }
        // A file that is gone again is no problem: the next walk does not find it.
        let Some(stamp) = entry.metadata().ok().as_ref().map(stamp_of) else { continue };
        if sidecar {
            walk.sidecars.insert(entry.into_path(), stamp);
        } else if walk.files.len() < FILES_MAX {
            walk.files.entry(entry.into_path()).or_insert((index, stamp));
        } else {
            let reason = format!("It holds more than {FILES_MAX} videos; the rest is left out.");
            walk.problems.push((root.to_owned(), reason));
            return;
        }
    }
}

/// Whether a file of this name may tell about a video, or hold its subtitles.
fn is_beside(name: &std::ffi::OsStr) -> bool {
    names::is_sidecar_name(name) || subtitles::is_subtitle_name(name)
}

fn entry_problem(root: &Path, error: &walkdir::Error) -> Option<(PathBuf, String)> {
    let path = error.path().unwrap_or(root).to_owned();
    if error.loop_ancestor().is_some() {
        return Some((path, "This link leads back to a folder it lies in, so it is not followed.".to_owned()));
    }
    let error = error.io_error()?;
    // Links that lead nowhere, and what was deleted during the walk.
    let gone = error.kind() == io::ErrorKind::NotFound && path != root;
    (!gone).then(|| (path, folder_problem(error)))
}

fn folder_problem(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "The folder does not exist.".to_owned(),
        io::ErrorKind::PermissionDenied => "The server may not read it (permission denied).".to_owned(),
        _ => format!("It cannot be read: {error}."),
    }
}

/// Returns the stamps of files, `None` where there is none.
pub(super) fn stamps(paths: Vec<PathBuf>) -> Vec<(PathBuf, Option<FileStamp>)> {
    paths
        .into_iter()
        .map(|path| {
            let stamp = stamp(&path);
            (path, stamp)
        })
        .collect()
}

/// Returns a file's stamp, or `None` where there is no such file.
pub(super) fn stamp(path: &Path) -> Option<FileStamp> {
    std::fs::metadata(path).ok().filter(Metadata::is_file).as_ref().map(stamp_of)
}

/// Returns the stamp in what the system tells of a file.
pub(super) fn stamp_of(found: &Metadata) -> FileStamp {
    let mtime_ns = found.mtime().saturating_mul(1_000_000_000).saturating_add(found.mtime_nsec());
    FileStamp { size: found.size(), mtime_ns }
}
