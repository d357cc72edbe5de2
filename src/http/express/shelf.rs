//! What several viewers want at once, laid ready: segments in the kernel's memory, playlists compressed.
//!
//! A segment that is asked for a second time is copied once into a file of the kernel's memory; from there the kernel
//! sends it to everybody without another copy. One that a single viewer watches is sent from where it lies.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::fs::{MemfdFlags, memfd_create};

use crate::hls::PlaylistBody;
use crate::hls::spool::Content;

/// How many segments are remembered: each may hold a file handle, of those the station keeps for itself.
const FILES_MAX: usize = 64;

/// How many bytes the files may hold together. Beyond it segments are sent from where they lie.
const BYTES_MAX: usize = 256 << 20;

/// Shorter segments are sent from where they lie: a file would cost more than it saves.
const FILE_MIN: usize = 32 << 10;

/// How many compressed playlists are kept; the oldest goes first.
const PACKED_MAX: usize = 256;

/// Everything laid ready; each entry goes with the segment it belongs to.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    files: Mutex<VecDeque<Entry>>,
    packed: Mutex<VecDeque<(Arc<str>, Bytes)>>,
}

#[derive(Debug)]
struct Entry {
    segment: Weak<Content>,
    len: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    Asked,
    Making,
    File(Arc<File>),
}

/// How a segment is to be sent.
#[derive(Debug)]
pub(super) enum Found {
    /// From this file.
    File(Arc<File>),
    /// From this file once [`Shelf::make`] has made it: the second who asks makes it.
    Make,
    /// From where it lies.
    Elsewhere,
}

impl Shelf {
    /// Returns how a segment that is asked for is to be sent.
    pub(super) fn find(&self, segment: &Arc<Content>) -> Found {
        let len = segment.len();
        if len < FILE_MIN {
            return Found::Elsewhere;
        }
        let mut files = lock(&self.files);
        if let Some(entry) = files.iter_mut().find(|entry| entry.is_of(segment)) {
            return match &entry.state {
                State::File(file) => Found::File(Arc::clone(file)),
                State::Making => Found::Elsewhere,
                State::Asked => {
                    entry.state = State::Making;
                    Found::Make
                }
            };
        }
        files.retain(|entry| entry.segment.strong_count() > 0);
        let held = files.iter().map(|entry| entry.len).sum::<usize>();
        if held + len > BYTES_MAX {
            return Found::Elsewhere;
        }
        if files.len() >= FILES_MAX {
            files.pop_front();
        }
        files.push_back(Entry { segment: Arc::downgrade(segment), len, state: State::Asked });
        Found::Elsewhere
    }

    /// Copies a segment into a file, on a thread that may block; none where the system has none to give.
    pub(super) async fn make(self: &Arc<Self>, segment: Arc<Content>, bytes: Bytes) -> Option<Arc<File>> {
        let shelf = Arc::clone(self);
        let work = tokio::task::spawn_blocking(move || {
            let file = in_memory(&bytes).map(Arc::new).ok()?;
            if let Some(entry) = lock(&shelf.files).iter_mut().find(|entry| entry.is_of(&segment)) {
                entry.state = State::File(Arc::clone(&file));
            }
            Some(file)
        });
        work.await.ok().flatten()
    }

    /// Returns a playlist compressed: once for all who take it so.
    pub(super) fn packed(&self, playlist: &PlaylistBody) -> Option<Bytes> {
        let mut packed = lock(&self.packed);
        // Each rendering has a tag of its own, which stays where it is as long as it is held here.
        if let Some((_, bytes)) = packed.iter().rev().find(|(etag, _)| Arc::ptr_eq(etag, &playlist.etag)) {
            return Some(bytes.clone());
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let bytes = Bytes::from(encoder.write_all(&playlist.text).and_then(|()| encoder.finish()).ok()?);
        if packed.len() >= PACKED_MAX {
            packed.pop_front();
        }
        packed.push_back((Arc::clone(&playlist.etag), bytes.clone()));
        Some(bytes)
    }
}

impl Entry {
    fn is_of(&self, segment: &Arc<Content>) -> bool {
        std::ptr::eq(self.segment.as_ptr(), Arc::as_ptr(segment))
    }
}

fn in_memory(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("nightcast-segment", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    Ok(file)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use super::*;

    fn segment(len: usize) -> Arc<Content> {
        Arc::new(Bytes::from(vec![7; len]).into())
    }

    fn held(shelf: &Shelf) -> usize {
        lock(&shelf.files).len()
    }

    #[tokio::test]
    async fn the_second_who_asks_lays_a_segment_ready_and_it_goes_with_the_segment() {
        let (shelf, one) = (Arc::<Shelf>::default(), segment(FILE_MIN));
        assert!(matches!(shelf.find(&one), Found::Elsewhere), "the first");
        assert!(matches!(shelf.find(&one), Found::Make), "the second");
        assert!(matches!(shelf.find(&one), Found::Elsewhere), "while it is being made");
        let made = shelf.make(Arc::clone(&one), Bytes::from(vec![7; FILE_MIN])).await.unwrap();
        assert!(matches!(shelf.find(&one), Found::File(file) if Arc::ptr_eq(&file, &made)), "all others");
        let mut read = vec![0; FILE_MIN];
        made.read_exact_at(&mut read, 0).unwrap();
        assert_eq!(read, vec![7; FILE_MIN]);
        drop(one);
        shelf.find(&segment(FILE_MIN));
        assert_eq!(held(&shelf), 1, "only the new one is remembered");
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let shelf = Shelf::default();
        shelf.find(&segment(FILE_MIN - 1));
        assert_eq!(held(&shelf), 0, "too short");
        let many: Vec<_> = (0..=FILES_MAX).map(|_| segment(FILE_MIN)).collect();
        for segment in &many {
            shelf.find(segment);
        }
        assert_eq!(held(&shelf), FILES_MAX, "the oldest went");
        assert!(matches!(shelf.find(&many[1]), Found::Make) && matches!(shelf.find(&many[0]), Found::Elsewhere));
        let (shelf, huge) = (Shelf::default(), segment(BYTES_MAX));
        shelf.find(&huge);
        let little = segment(FILE_MIN);
        assert!((0..3).all(|_| matches!(shelf.find(&little), Found::Elsewhere)), "no room beside it");
        drop(huge);
        shelf.find(&little);
        assert!(matches!(shelf.find(&little), Found::Make), "there is room again");
    }

    #[test]
    fn a_playlist_is_compressed_once_for_each_time_it_is_rendered() {
        let shelf = Shelf::default();
        let playlist = |n: usize| PlaylistBody { text: vec![b'a'; 9000 + n].into(), etag: n.to_string().into() };
        let one = playlist(1);
        let (first, second) = (shelf.packed(&one).unwrap(), shelf.packed(&one.clone()).unwrap());
        assert_eq!(first.as_ptr(), second.as_ptr(), "the same bytes");
        let mut read = String::new();
        io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&first[..]), &mut read).unwrap();
        assert_eq!(read.as_bytes(), &one.text[..]);
        let others: Vec<_> = (0..PACKED_MAX).map(playlist).collect();
        for playlist in &others {
            shelf.packed(playlist);
        }
        assert_eq!(lock(&shelf.packed).len(), PACKED_MAX);
    }
}
