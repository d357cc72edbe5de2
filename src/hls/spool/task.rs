//! Writes segments to files and reads them back.
#![expect(clippy::disallowed_methods, reason = "the files are its business")]

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::Place;
use crate::units::ChannelId;

/// A segment in a file; the file goes with this value.
#[derive(Debug)]
pub struct SpoolFile {
    path: PathBuf,
    len: usize,
    /// What was read, while somebody holds it: however many send it, and however slowly, there is one copy.
    read: Arc<Mutex<Weak<Vec<u8>>>>,
}

/// Bytes that all readers of a file share.
struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl SpoolFile {
    /// Writes a segment to a file of its own, on a thread that may block.
    ///
    /// # Errors
    /// When it cannot be written whole; nothing is left then.
    pub async fn write(path: PathBuf, bytes: Bytes) -> io::Result<Self> {
        let work = tokio::task::spawn_blocking(move || {
            // Its Drop removes what was begun.
            let file = Self { path, len: bytes.len(), read: Arc::default() };
            fs::write(&file.path, &bytes).map(|()| file)
        });
        work.await.map_err(io::Error::other)?
    }

    /// Returns how many bytes it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns all of it: what others hold, or read; from the page cache, as a rule.
    ///
    /// # Errors
    /// When it cannot be read whole.
    pub async fn read(&self) -> io::Result<Bytes> {
        let shared = |bytes| Bytes::from_owner(Shared(bytes));
        if let Some(held) = self.read.try_lock().ok().and_then(|held| held.upgrade()) {
            return Ok(shared(held));
        }
        let (path, len, read) = (self.path.clone(), self.len, Arc::clone(&self.read));
        let work = tokio::task::spawn_blocking(move || {
            // Whoever comes while it is being read waits for it, on a thread that may.
            let mut held = read.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(bytes) = held.upgrade() {
                return Ok(bytes);
            }
            let bytes = fs::read(path)?;
            if bytes.len() != len {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            let bytes = Arc::new(bytes);
            *held = Arc::downgrade(&bytes);
            Ok(bytes)
        });
        work.await.map_err(io::Error::other)?.map(shared)
    }
}

impl Drop for SpoolFile {
    fn drop(&mut self) {
        // One that cannot be removed is swept with its folder at the next start.
        let _swept_later = fs::remove_file(&self.path);
    }
}

/// How many written segments may wait for the channel: more than cool between two looks.
pub const WRITTEN_MAX: usize = 64;

/// How long nothing is written after a file could not be: the disk is full, and memory is the better place.
const REST: SignedDuration = SignedDuration::from_secs(30);

/// What came of writing a segment.
pub type Written = (Place, io::Result<SpoolFile>);

/// Writes a channel's cooled segments, each once.
#[derive(Debug)]
pub struct Spooler {
    folder: PathBuf,
    channel: ChannelId,
    tracker: TaskTracker,
    written: mpsc::Sender<Written>,
    busy: BTreeSet<Place>,
    rests_until: Timestamp,
}

impl Spooler {
    /// Returns the spooler of a channel and where it tells what was written.
    #[must_use]
    pub fn new(folder: PathBuf, channel: ChannelId, tracker: TaskTracker) -> (Self, mpsc::Receiver<Written>) {
        let (written, inbox) = mpsc::channel(WRITTEN_MAX);
        let rests_until = Timestamp::UNIX_EPOCH;
        (Self { folder, channel, tracker, written, busy: BTreeSet::new(), rests_until }, inbox)
    }

    /// Begins to write those that are not being written.
    pub fn write(&mut self, cooled: Vec<(Place, Bytes)>, now: Timestamp) {
        if now < self.rests_until {
            return;
        }
        for (place, bytes) in cooled {
            if self.busy.insert(place) {
                let path = self.folder.join(format!("{}-{}-{}.ts", self.channel, place.msn, place.rendition));
                let written = self.written.clone();
                self.tracker.spawn(async move {
                    let file = SpoolFile::write(path, bytes).await;
                    // A channel that is gone needs it no more: the file goes with the value.
                    let _gone = written.send((place, file)).await;
                });
            }
        }
    }

    /// Takes note of what was written; returns the file, or none where the bytes stay in memory.
    pub fn finished(&mut self, (place, file): Written, now: Timestamp) -> Option<SpoolFile> {
        self.busy.remove(&place);
        file.inspect_err(|error| {
            tracing::warn!(%error, "old segments stay in memory: their files cannot be written");
            self.rests_until = now + REST;
        })
        .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Msn;

    #[tokio::test]
    async fn what_is_written_is_read_back_and_the_file_goes_with_the_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.ts");
        let file = SpoolFile::write(path.clone(), Bytes::from_static(b"segment")).await.unwrap();
        assert_eq!((file.read().await.unwrap().as_ref(), file.len()), (b"segment".as_slice(), 7));
        drop(file);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn all_who_read_at_once_share_one_copy_that_goes_with_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let file = SpoolFile::write(folder.path().join("1.ts"), Bytes::from_static(b"segment")).await.unwrap();
        let readers = futures_util::future::join_all((0..20).map(|_| file.read())).await;
        let places: BTreeSet<_> = readers.iter().map(|read| read.as_ref().unwrap().as_ptr()).collect();
        assert_eq!(places.len(), 1);
        drop(readers);
        assert!(file.read.lock().unwrap().upgrade().is_none(), "nobody reads, and nothing is held");
        assert_eq!(file.read().await.unwrap().as_ref(), b"segment", "it is read again");
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_an_error_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing/1.ts");
        assert!(SpoolFile::write(path, Bytes::from_static(b"segment")).await.is_err());
    }

    #[tokio::test]
    async fn a_disk_that_takes_nothing_leaves_segments_in_memory_and_is_not_asked_again_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let channel = ChannelId::new("one").unwrap();
        let (mut spooler, mut inbox) = Spooler::new(folder.path().join("missing"), channel, TaskTracker::new());
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        let cooled = || vec![(Place { msn: Msn(1), rendition: 0 }, Bytes::from_static(b"segment"))];
        spooler.write(cooled(), now);
        let written = inbox.recv().await.unwrap();
        assert!(spooler.finished(written, now).is_none());
        spooler.write(cooled(), now + SignedDuration::from_secs(29));
        assert!(spooler.busy.is_empty(), "it rests");
        spooler.write(cooled(), now + SignedDuration::from_secs(31));
        assert_eq!(spooler.busy.len(), 1, "it tries again");
    }
}
