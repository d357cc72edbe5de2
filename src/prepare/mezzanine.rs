//! The prepared, uniform copy of an item: one MPEG-TS file and the index of its GOPs.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::units::{ContentKey, MediaTime};

/// One group of pictures of a mezzanine: begins with an IDR frame and needs nothing before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gop {
    /// Where it begins in the file, in bytes.
    pub offset: u64,
    /// How long it is, in bytes.
    pub len: u32,
    /// How long it plays, from its first frame to the next GOP's first.
    pub duration: MediaTime,
    /// The checksum of its bytes (CRC-32); none while the mezzanine grows, and from before there were any.
    pub sum: Option<u32>,
}

/// An item made ready to air, whole or as far as it has got.
///
/// The file only ever grows; every listed GOP's bytes are on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Mezzanine {
    /// Which bytes, prepared to which profile.
    pub id: MezzanineId,
    /// The MPEG-TS file.
    pub path: PathBuf,
    /// Length of the tables (PAT, PMT …) at the head of the file, in bytes: a reader that begins at a later GOP must be
    /// given them first.
    pub tables_len: u32,
    /// Its GOPs in order; offsets are contiguous. Shared: a two-hour film has 3,600.
    pub gops: Arc<[Gop]>,
    /// Digest of the codec parameters (SPS, PPS, audio configuration): two mezzanines with one signature join without a
    /// discontinuity. Empty while unknown (still growing): then treat it as different from every other.
    pub signature: Arc<str>,
    /// Whether it is complete and verified; otherwise more GOPs follow.
    pub complete: bool,
}

impl Mezzanine {
    /// Returns how long the GOPs listed so far play.
    #[must_use]
    pub fn duration(&self) -> MediaTime {
        self.gops.iter().map(|gop| gop.duration).sum()
    }
}

/// Names a mezzanine: which bytes, prepared to which profile. Also its file name in the cache.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MezzanineId {
    /// The item's bytes.
    pub key: ContentKey,
    /// Digest of everything of the profile that changes the bytes, and of the preparing code's own version.
    pub profile: Arc<str>,
}
