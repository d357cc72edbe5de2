//! Keeps the bytes of segments outside the heap and reads them back.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, memfd_create};
use rustix::io::Errno;

/// Where a segment may begin: a page of every size that Linux has, so that each gives back all of its own.
const PLACE: u64 = 64 * 1024;

/// How many places that were left keep their memory for those to come: a page that is given back and taken again costs
/// more than what is copied into it (measured: a seventh of the server's work).
const LEFT_MAX: usize = 6;

/// How long a memory file grows, in bytes, before the next is begun: no `ulimit -f` that a station can live with is
/// reached. What was given back takes no room in it.
const LENGTH_MAX: u64 = 256 * 1024 * 1024;

/// How long nothing is put into the spool after it took nothing: the heap is the better place then.
const REST: SignedDuration = SignedDuration::from_secs(30);

/// A memory file: its memory goes with the last who holds it.
#[derive(Debug)]
struct Memory {
    file: File,
    left: Mutex<Vec<Room>>,
}

/// Where a segment may lie, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Room {
    offset: u64,
    len: u64,
}

impl Memory {
    /// Returns how many bytes of memory it takes.
    fn taken(&self) -> u64 {
        self.file.metadata().map_or(0, |about| about.blocks() * 512)
    }

    /// Returns the smallest room that was left and that so many bytes fit into, if they fill half of it.
    fn reuse(&self, len: u64) -> Option<Room> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = left.iter().enumerate().filter(|(_, room)| (len..=2 * len).contains(&room.len));
        let (place, _) = fits.min_by_key(|(_, room)| room.len)?;
        Some(left.remove(place))
    }

    /// Keeps room for others; gives the memory of the one that was left longest back where there are enough.
    fn leave(&self, room: Room) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.push(room);
        if left.len() > LEFT_MAX {
            let oldest = left.remove(0);
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            if let Err(error) = fallocate(&self.file, flags, oldest.offset, oldest.len) {
                tracing::warn!(%error, "an old segment's memory is given back later, with that of its neighbours");
            }
        }
    }
}

/// A segment in the spool; its memory is there for others with the end of this value.
#[derive(Debug)]
pub struct Spooled {
    memory: Arc<Memory>,
    room: Room,
    len: usize,
    /// What was read, while somebody holds it: however many send it, and however slowly, there is one copy.
    read: Arc<Mutex<Weak<Vec<u8>>>>,
}

/// Bytes that all readers share.
struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Spooled {
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

    /// Returns all of it: what others hold, or a copy.
    ///
    /// # Errors
    /// When it cannot be read whole.
    pub async fn read(&self) -> io::Result<Bytes> {
        let shared = |bytes| Bytes::from_owner(Shared(bytes));
        if let Some(held) = self.read.try_lock().ok().and_then(|held| held.upgrade()) {
            return Ok(shared(held));
        }
        let (memory, offset, len, read) =
            (Arc::clone(&self.memory), self.room.offset, self.len, Arc::clone(&self.read));
        // Whoever asks holds the segment, so its room is nobody else's while it is read; where he goes, nobody gets what was read.
        let work = tokio::task::spawn_blocking(move || {
            // Whoever comes while it is being read waits for it, on a thread that may.
            let mut held = read.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(bytes) = held.upgrade() {
                return Ok(bytes);
            }
            let mut bytes = vec![0; len];
            memory.file.read_exact_at(&mut bytes, offset)?;
            let bytes = Arc::new(bytes);
            *held = Arc::downgrade(&bytes);
            Ok(bytes)
        });
        work.await.map_err(io::Error::other)?.map(shared)
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        self.memory.leave(self.room);
    }
}

/// A channel's spool: memory files without a name, which go with the process however it ends.
#[derive(Debug)]
pub struct Spool {
    memory: Option<Arc<Memory>>,
    /// The one before, while segments lie in it.
    former: Weak<Memory>,
    end: u64,
    rests_until: Timestamp,
}

impl Default for Spool {
    fn default() -> Self {
        Self { memory: None, former: Weak::new(), end: 0, rests_until: Timestamp::UNIX_EPOCH }
    }
}

impl Spool {
    /// Takes the bytes of a segment; none where they stay on the heap, because the system gives no memory file.
    ///
    /// Copies them on the thread that asks: a quarter of a millisecond a megabyte, less than waking another.
    pub fn put(&mut self, bytes: &[u8], now: Timestamp) -> Option<Spooled> {
        if now < self.rests_until {
            return None;
        }
        self.try_to_put(bytes)
            .inspect_err(|error| {
                tracing::warn!(%error, "old segments stay on the heap: the system gives no memory file");
                self.rests_until = now + REST;
            })
            .ok()
    }

    /// Returns how many bytes of memory the segments in it take, and the room that waits for others.
    #[must_use]
    pub fn taken(&self) -> u64 {
        let files = [self.former.upgrade(), self.memory.clone()];
        files.iter().flatten().map(|memory| memory.taken()).sum()
    }

    fn try_to_put(&mut self, bytes: &[u8]) -> io::Result<Spooled> {
        let memory = if let Some(memory) = self.memory.as_ref().filter(|_| self.end < LENGTH_MAX) {
            Arc::clone(memory)
        } else {
            let memory = Arc::new(Memory { file: memory_file()?, left: Mutex::default() });
            self.end = 0;
            self.former = self.memory.replace(Arc::clone(&memory)).as_ref().map_or_else(Weak::new, Arc::downgrade);
            memory
        };
        let len = (bytes.len() as u64).next_multiple_of(PLACE);
        let room = memory.reuse(len).unwrap_or_else(|| {
            self.end += len;
            Room { offset: self.end - len, len }
        });
        // Its Drop leaves what was taken, however far the writing came.
        let spooled = Spooled { memory, room, len: bytes.len(), read: Arc::default() };
        spooled.memory.file.write_all_at(bytes, room.offset)?;
        Ok(spooled)
    }
}

/// Returns a file that is memory alone and that no child inherits.
fn memory_file() -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC;
    // Some systems insist that nothing in it can be run, and kernels before 6.3 do not know how to promise it.
    let memory = match memfd_create("segments", flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => memfd_create("segments", flags),
        made => made,
    };
    Ok(File::from(memory?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_795_000_000).unwrap()
    }

    /// How much memory a spool takes, in places.
    fn taken(spool: &Spool) -> u64 {
        spool.taken() / PLACE
    }

    #[tokio::test]
    async fn what_is_put_is_read_back() {
        let mut spool = Spool::default();
        let lengths = [7, 0, 65_536, 100_000, 1];
        let segments: Vec<_> = lengths.into_iter().zip(1_u8..).map(|(len, byte)| vec![byte; len]).collect();
        let mut held: Vec<_> = segments.iter().map(|bytes| spool.put(bytes, now()).unwrap()).collect();
        for (spooled, bytes) in held.iter().zip(&segments) {
            assert_eq!((spooled.read().await.unwrap().as_ref(), spooled.len()), (&**bytes, bytes.len()));
        }
        held.remove(2);
        held.push(spool.put(&vec![9; 60_000], now()).unwrap());
        for (spooled, byte) in held.iter().zip([1, 2, 4, 5, 9]) {
            assert!(spooled.read().await.unwrap().iter().all(|one| *one == byte), "its neighbours stay");
        }
    }

    /// Goal: a channel takes memory for what it holds and a little more. Method: a week's segments of all lengths, of which
    /// the newest twenty are held.
    #[test]
    fn memory_is_used_again_and_the_rest_given_back() {
        let (mut spool, mut held) = (Spool::default(), std::collections::VecDeque::new());
        let length = |n: usize| (n * 7919 % 10 + 1) * 65_536;
        for n in 0..2_000 {
            held.push_back(spool.put(&vec![1; length(n)], now()).unwrap());
            if held.len() > 20 {
                held.pop_front();
            }
            let most = held.iter().map(|spooled| spooled.room.len).sum::<u64>() / PLACE + 10 * LEFT_MAX as u64;
            assert!(taken(&spool) <= most, "{} places after {n}, at most {most}", taken(&spool));
        }
        let (grown, short) = (spool.end, vec![1; 65_536]);
        for _ in 0..2_000 {
            held.push_back(spool.put(&short, now()).unwrap());
            held.pop_front();
        }
        assert!(spool.end <= grown + 20 * PLACE, "segments of one length take turns");
        held.clear();
        assert!(taken(&spool) <= 2 * LEFT_MAX as u64, "{} places are kept", taken(&spool));
    }

    #[tokio::test]
    async fn all_who_read_at_once_share_one_copy_that_goes_with_the_last() {
        let spooled = Spool::default().put(b"segment", now()).unwrap();
        let readers = futures_util::future::join_all((0..20).map(|_| spooled.read())).await;
        let places: std::collections::BTreeSet<_> =
            readers.iter().map(|read| read.as_ref().unwrap().as_ptr()).collect();
        assert_eq!(places.len(), 1);
        drop(readers);
        assert!(spooled.read.lock().unwrap().upgrade().is_none(), "nobody reads, and nothing is held");
        assert_eq!(spooled.read().await.unwrap().as_ref(), b"segment", "it is read again");
    }

    #[tokio::test]
    async fn a_memory_file_that_is_long_enough_is_followed_by_another() {
        let mut spool = Spool::default();
        let first = spool.put(b"first", now()).unwrap();
        spool.end = LENGTH_MAX;
        let second = spool.put(b"second", now()).unwrap();
        assert!(!Arc::ptr_eq(&first.memory, &second.memory));
        assert_eq!((first.read().await.unwrap().as_ref(), second.room.offset), (b"first".as_slice(), 0));
        let both = spool.taken();
        drop(first);
        assert!((1..both).contains(&spool.taken()), "the first goes with its last segment: {both}, {}", spool.taken());
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a file that takes nothing")]
    fn a_system_that_takes_nothing_leaves_segments_on_the_heap_and_is_not_asked_again_at_once() {
        // What is open for reading alone takes nothing.
        let memory = Memory { file: File::open("/dev/null").unwrap(), left: Mutex::default() };
        let mut spool = Spool { memory: Some(Arc::new(memory)), ..Spool::default() };
        assert!(spool.put(b"segment", now()).is_none());
        spool.memory = None;
        assert!(spool.put(b"segment", now() + SignedDuration::from_secs(29)).is_none(), "it rests");
        assert!(spool.put(b"segment", now() + SignedDuration::from_secs(31)).is_some(), "it tries again");
    }
}
