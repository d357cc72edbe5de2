//! Where the bytes of a segment are: in memory while most viewers want them, then in a file of the run folder.
//!
//! A segment is asked for most when it is new, and must be served for some forty seconds (RFC 8216 §6.2.2). Keeping all of
//! that in memory costs 22 MB a channel at 3 Mbit/s, keeping the newest ten seconds 12, the newest six 10. The files live
//! for less than the half minute after which the kernel writes them to the disk, so mostly they never get there.

pub mod task;

use std::io;

use bytes::Bytes;

use crate::units::{MediaTime, Msn};

/// The newest segments stay in memory until this much is newer than they are. Players that keep up ask for the newest as
/// soon as it is listed, wherever in their buffer they play; only those who join ask for older ones.
pub const HOT: MediaTime = MediaTime::from_secs(6);

/// Which bytes: one rendition of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The segment's number.
    pub msn: Msn,
    /// Which of its renditions, from 0.
    pub rendition: usize,
}

/// The bytes of a segment, wherever they are.
#[derive(Debug)]
pub enum Content {
    /// In memory, shared by all who send them.
    Memory(Bytes),
    /// In a file that goes when nobody holds this any more.
    Spooled(task::SpoolFile),
}

impl Content {
    /// Returns how many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::Spooled(file) => file.len(),
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes: shared from memory, or read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn bytes(&self) -> io::Result<Bytes> {
        match self {
            Self::Memory(bytes) => Ok(bytes.clone()),
            Self::Spooled(file) => file.read().await,
        }
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Memory(bytes)
    }
}
