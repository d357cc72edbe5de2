//! Where the bytes of a segment are: on the heap while most viewers want them, then in the channel's spool.
//!
//! A segment is asked for most when it is new, and must be served for some forty seconds (RFC 8216 §6.2.2). The spool is
//! memory of the kernel's that holds exactly what is in it, by pages, and that nothing writes to a disk: files did the same,
//! but they lived for longer than the half minute after which the kernel writes what is new, so each channel wore the disk
//! with all it aired (measured: 36 GB a day at 3 Mbit/s), and to make, fill and remove them was a fifth of the server's work.

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
    /// In the spool, until nobody holds this any more.
    Spooled(task::Spooled),
}

impl Content {
    /// Returns how many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::Spooled(spooled) => spooled.len(),
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
    /// When the spool cannot be read.
    pub async fn bytes(&self) -> io::Result<Bytes> {
        match self {
            Self::Memory(bytes) => Ok(bytes.clone()),
            Self::Spooled(spooled) => spooled.read().await,
        }
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Memory(bytes)
    }
}
