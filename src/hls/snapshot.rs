//! What http serves of a channel: playlist text and segment bytes, immutable and shared.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::h264::Sps;
use super::spool::Content;
use crate::config::{Language, defaults};
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
    /// The media playlist of every language's subtitles: the same as the picture's but for its segments' names.
    pub subtitles_playlist: Option<PlaylistBody>,
    /// What viewers are told of each language's subtitles; their bytes stand after those of the renditions.
    pub subtitles: Arc<[SubtitlesTold]>,
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

    /// Returns where in each segment's bytes a rendition or a language's subtitles stand.
    #[must_use]
    pub fn place_of(&self, name: &str) -> Option<usize> {
        self.rendition(name).or_else(|| self.subtitles_of(name))
    }

    /// Returns the media playlist of a rendition or of a language's subtitles; none where there is neither, and none in it
    /// before the first segment is published.
    #[must_use]
    pub fn playlist_of(&self, name: &str) -> Option<Option<&PlaylistBody>> {
        let of_rendition = self.rendition(name).map(|_| self.playlist.as_ref());
        of_rendition.or_else(|| self.subtitles_of(name).map(|_| self.subtitles_playlist.as_ref()))
    }

    /// Returns which of the segments' renditions are the subtitles of this name.
    #[must_use]
    pub fn subtitles_of(&self, name: &str) -> Option<usize> {
        let place = self.subtitles.iter().position(|known| *known.name == *name)?;
        Some(self.renditions.len().max(1) + place)
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

/// What viewers are told of a language's subtitles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubtitlesTold {
    /// Their name in addresses: `subs-en`.
    pub name: Arc<str>,
    /// The language.
    pub language: Language,
}

impl SubtitlesTold {
    /// Returns what is told of a language.
    #[must_use]
    pub fn of(language: &Language) -> Self {
        let name = format!("{}{language}", defaults::SUBTITLES_BEGIN).into();
        Self { name, language: language.clone() }
    }
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
    /// Wall-clock time of its first frame.
    pub date: Timestamp,
}

impl SegmentBody {
    /// Returns a segment whose bytes are in memory; it has no date yet.
    #[must_use]
    pub fn in_memory(renditions: Vec<Bytes>, duration: MediaTime, discontinuity: bool) -> Self {
        let renditions = renditions.into_iter().map(|bytes| Arc::new(bytes.into())).collect();
        Self { renditions, duration, discontinuity, date: Timestamp::UNIX_EPOCH }
    }

    /// Gives it a date.
    #[must_use]
    pub fn dated(mut self, date: Timestamp) -> Self {
        self.date = date;
        self
    }

    /// Returns the same segment with its bytes elsewhere, or more of them.
    #[must_use]
    pub fn with(&self, renditions: Vec<Arc<Content>>) -> Self {
        Self { renditions, duration: self.duration, discontinuity: self.discontinuity, date: self.date }
    }
}
