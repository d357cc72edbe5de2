//! What http serves of a channel: playlist text and segment bytes, immutable and shared.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::h264::Sps;
use super::spool::Content;
use crate::units::{MediaTime, Msn};

/// What a channel offers to viewers at one moment. Rendered once per change, shared by all viewers.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The media playlist, UTF-8, the same for every rendition; none until the first segment is published.
    pub playlist: Option<PlaylistBody>,
    /// The playlist of the renditions' playlists, with the first media playlist; none where there is one picture.
    pub multivariant: Option<PlaylistBody>,
    /// What viewers are told of each rendition, in the order of the segments' bytes; none where there is one picture.
    pub renditions: Arc<[RenditionTold]>,
    /// Every segment that may still be asked for, listed or expired but still promised (RFC 8216 §6.2.2).
    pub segments: BTreeMap<Msn, Arc<SegmentBody>>,
    /// The newest listed segment.
    pub newest: Option<Msn>,
    /// The oldest listed segment.
    pub oldest: Option<Msn>,
}

impl Snapshot {
    /// Returns which of the segments' renditions has this name.
    #[must_use]
    pub fn rendition(&self, name: &str) -> Option<usize> {
        self.renditions.iter().position(|known| *known.name == *name)
    }
}

/// What viewers are told of a rendition.
#[derive(Clone, Debug, PartialEq)]
pub struct RenditionTold {
    /// Its name in addresses.
    pub name: Arc<str>,
    /// The largest picture so far; none until one was read.
    pub picture: Option<Sps>,
    /// Whether it is sound without a picture.
    pub audio_only: bool,
    /// BANDWIDTH: bits a second that a line must carry.
    pub bandwidth: u64,
    /// AVERAGE-BANDWIDTH of what is listed, in bits a second.
    pub average: u64,
}

/// A rendered playlist.
#[derive(Clone, Debug)]
pub struct PlaylistBody {
    /// The text.
    pub text: Bytes,
    /// A strong entity tag, with its quotes: changes with every change of the text.
    pub etag: Arc<str>,
}

/// The bytes of one segment.
#[derive(Debug)]
pub struct SegmentBody {
    /// MPEG-TS, beginning with PAT and PMT and an IDR frame: once for each rendition, one where there are none.
    pub renditions: Vec<Arc<Content>>,
    /// Its EXTINF.
    pub duration: MediaTime,
    /// Whether it carries EXT-X-DISCONTINUITY.
    pub discontinuity: bool,
}

impl SegmentBody {
    /// Returns a segment whose bytes are in memory.
    #[must_use]
    pub fn in_memory(renditions: Vec<Bytes>, duration: MediaTime, discontinuity: bool) -> Self {
        let renditions = renditions.into_iter().map(|bytes| Arc::new(bytes.into())).collect();
        Self { renditions, duration, discontinuity }
    }
}
