//! The named pipes that ffmpeg reads its slots from. Both ends wait in the kernel: neither asks again and again.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use rustix::pipe::fcntl_setpipe_size;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe;
use tokio::task::JoinHandle;

use super::PIPES;

/// How much a pipe is asked to hold, in bytes: the most that Linux gives to everybody, and a GOP of two seconds at 4 Mbit/s.
/// With its own 64 KiB, feeder and reader wake each other a dozen times for each GOP.
const PIPE_BYTES: usize = 1 << 20;

/// The slots of a run, one after the other.
#[derive(Debug)]
pub struct Slots {
    pipes: [PathBuf; 2],
    /// How many were opened.
    opened: usize,
    open: Option<pipe::Sender>,
    waiting: Option<Waiting>,
}

/// A thread that waits until ffmpeg opens its end.
#[derive(Debug)]
struct Waiting {
    thread: JoinHandle<io::Result<File>>,
    pipe: PathBuf,
    /// Lets the thread go where ffmpeg never comes; lives as long as the thread waits.
    other_end: Arc<OnceLock<File>>,
}

impl Slots {
    /// Makes the pipes in a run's folder.
    ///
    /// # Errors
    /// When the folder takes none.
    pub fn make(folder: &Path) -> io::Result<Self> {
        let pipes = PIPES.map(|name| folder.join(name));
        for pipe in &pipes {
            mknodat(CWD, pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        }
        Ok(Self { pipes, opened: 0, open: None, waiting: None })
    }

    /// Ends the slot that is open, which ends its item, and waits until ffmpeg has opened the next.
    ///
    /// # Errors
    /// When the pipe cannot be opened.
    pub async fn open_next(&mut self) -> io::Result<()> {
        self.open = None;
        let pipe = self.pipes[self.opened % self.pipes.len()].clone();
        self.opened += 1;
        let waiting = self.waiting.insert(Waiting::for_reader_of(pipe));
        let opened = (&mut waiting.thread).await.map_err(io::Error::other).flatten();
        self.waiting = None;
        self.open = Some(pipe::Sender::from_file(opened?)?);
        Ok(())
    }

    /// Writes to the open slot, as fast as ffmpeg reads.
    ///
    /// # Errors
    /// When ffmpeg has closed its end, or no slot was opened.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let slot = self.open.as_mut().ok_or_else(|| io::Error::other("no slot is open"))?;
        slot.write_all(bytes).await
    }
}

impl Waiting {
    fn for_reader_of(pipe: PathBuf) -> Self {
        let other_end = Arc::new(OnceLock::new());
        let (kept, path) = (Arc::clone(&other_end), pipe.clone());
        let thread = tokio::task::spawn_blocking(move || {
            let opened = OpenOptions::new().write(true).open(path);
            drop(kept);
            if let Ok(pipe) = &opened {
                // Many channels of a user who is not root may ask for more than he may have: the small pipe serves, too.
                let _refused = fcntl_setpipe_size(pipe, PIPE_BYTES);
            }
            opened
        });
        Self { thread, pipe, other_end }
    }
}

impl Drop for Waiting {
    /// A reader that goes at once would be missed by a thread that is about to wait: it is left to that thread.
    fn drop(&mut self) {
        let mut reader = OpenOptions::new();
        reader.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        if !self.thread.is_finished()
            && let Ok(reader) = reader.open(&self.pipe)
        {
            let _kept = self.other_end.set(reader);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::time::Duration;

    use super::*;

    /// Longer than any machine needs.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Reads slots as ffmpeg does: the next is opened when the one before has come to its end.
    fn reader(folder: &Path, slots: usize) -> JoinHandle<Vec<String>> {
        let pipes = PIPES.map(|name| folder.join(name));
        tokio::task::spawn_blocking(move || {
            (0..slots)
                .map(|slot| {
                    let mut text = String::new();
                    OpenOptions::new().read(true).open(&pipes[slot % 2]).unwrap().read_to_string(&mut text).unwrap();
                    text
                })
                .collect()
        })
    }

    #[tokio::test]
    async fn each_slot_is_read_to_its_end_and_then_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let mut slots = Slots::make(folder.path()).unwrap();
        let read = reader(folder.path(), 3);
        for gops in [&["a", "b"][..], &["c"], &["d", "e", "f"]] {
            slots.open_next().await.unwrap();
            for gop in gops {
                slots.write(gop.as_bytes()).await.unwrap();
            }
        }
        drop(slots);
        assert_eq!(read.await.unwrap(), ["ab", "c", "def"]);
    }

    #[tokio::test]
    async fn a_reader_that_has_gone_is_told_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut slots = Slots::make(folder.path()).unwrap();
        let path = folder.path().join(PIPES[0]);
        let gone = tokio::task::spawn_blocking(move || drop(OpenOptions::new().read(true).open(path).unwrap()));
        slots.open_next().await.unwrap();
        gone.await.unwrap();
        assert_eq!(slots.write(b"a").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    /// Goal: no thread is left behind by a run whose ffmpeg never opened its slot. Method: a runtime of one thread for
    /// waiting, which must be free again.
    #[test]
    fn a_slot_that_nobody_opens_holds_no_thread() {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            for _ in 0..100 {
                let folder = tempfile::tempdir().unwrap();
                let mut slots = Slots::make(folder.path()).unwrap();
                tokio::select! {
                    biased;
                    opened = slots.open_next() => panic!("nobody reads: {opened:?}"),
                    () = tokio::task::yield_now() => {}
                }
                drop(slots);
                tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(|| ())).await.unwrap().unwrap();
            }
        });
    }
}
