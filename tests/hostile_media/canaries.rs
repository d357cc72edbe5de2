//! Files that nobody may touch, watched by the kernel.

use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};

/// Files in a folder of their own, which notice when one of them is opened or read.
#[derive(Debug)]
pub(crate) struct Canaries {
    files: Vec<PathBuf>,
    watch: OwnedFd,
}

impl Canaries {
    /// Lays a good film and a text in the folder, and watches them.
    pub(crate) fn new(folder: &Path, film: &[u8]) -> Self {
        fs::create_dir_all(folder).unwrap();
        let files = [("canary.ts", film), ("canary.txt", b"a secret\n"), ("canary.key", &[7; 16])];
        let files: Vec<_> = files
            .into_iter()
            .map(|(name, bytes)| {
                let path = folder.join(name);
                fs::write(&path, bytes).unwrap();
                path
            })
            .collect();
        let watch = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        for file in &files {
            inotify::add_watch(&watch, file, WatchFlags::OPEN | WatchFlags::ACCESS).unwrap();
        }
        Self { files, watch }
    }

    /// The one that could be played.
    pub(crate) fn film(&self) -> &Path {
        &self.files[0]
    }

    fn touched(&self) -> usize {
        let mut space = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.watch, &mut space);
        std::iter::from_fn(|| reader.next().ok().map(|_| ())).count()
    }

    /// Fails if one was touched, or if touching one is not noticed.
    pub(crate) fn were_left_alone(&self) {
        assert_eq!(self.touched(), 0, "a canary was opened");
        fs::read(self.film()).unwrap();
        assert!(self.touched() > 0, "the trap works");
    }
}
