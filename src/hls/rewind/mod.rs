//! What a channel keeps of its past, so that viewers may go back. Pure.
//!
//! Each segment that was published is kept whole, all renditions and subtitles in one file, for as long as the channel's
//! window says and within its budget of bytes ([`ledger`]). Those who go back read a playlist of their own ([`playlist`]):
//! an ordinary live playlist with a long window. It counts its segments by itself: the live playlist's numbers jump where
//! the station was started again, and within one playlist numbers may not. Names, lengths and dates are the live one's.

pub mod index;
pub mod ledger;
pub mod playlist;
pub mod task;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::{Snapshot, WINDOW};
use crate::units::{MediaTime, Msn};
use playlist::Text;

/// How long the file of a segment stays when it has left the playlist. RFC 8216 §6.2.2 asks for as long as the playlist
/// lasts, which would take the disk twice. It is there for players that still hold an older playlist, and they look for a
/// newer one every few seconds (§6.3.4): a minute is ten looks.
pub const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// What a segment consists of, in the order of its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The renditions; none where there is one picture that has no name.
    pub pictures: Vec<Arc<str>>,
    /// The subtitles: `subs-en`.
    pub subtitles: Vec<Arc<str>>,
}

impl Names {
    /// Returns the names of what a channel offers now.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let pictures = snapshot.renditions.iter().map(|told| Arc::clone(&told.name)).collect();
        let subtitles = snapshot.subtitles.iter().map(|told| Arc::clone(&told.name)).collect();
        Self { pictures, subtitles }
    }

    /// Returns where a picture stands; none of them for the one that has no name.
    fn picture(&self, name: Option<&str>) -> Option<usize> {
        match name {
            None => self.pictures.is_empty().then_some(0),
            Some(name) => self.pictures.iter().position(|known| **known == *name),
        }
    }

    fn subtitles(&self, name: &str) -> Option<usize> {
        let place = self.subtitles.iter().position(|known| **known == *name)?;
        Some(self.pictures.len().max(1) + place)
    }
}

/// A segment that is kept. Some hundred bytes of memory: there are thousands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its media sequence number in the playlist of those who go back.
    pub number: u64,
    /// Its name: its number when it was live.
    pub msn: Msn,
    /// Its EXTINF.
    pub duration: MediaTime,
    /// When its first frame was on air.
    pub date: Timestamp,
    /// Whether it carries EXT-X-DISCONTINUITY.
    pub discontinuity: bool,
    /// How many discontinuities there were up to it, its own with them.
    pub discontinuities: u64,
    /// What it consists of.
    pub names: Arc<Names>,
    /// How many bytes each of that has.
    pub lens: Box<[u32]>,
}

/// Some bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where they begin.
    pub at: u64,
    /// How many they are.
    pub len: u32,
}

impl Kept {
    /// Returns how many bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.lens.iter().map(|len| u64::from(*len)).sum()
    }

    /// Returns when its last frame was over.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.duration.after(self.date)
    }

    /// Returns where the bytes of a rendition are, or of the one picture.
    #[must_use]
    pub fn picture(&self, name: Option<&str>) -> Option<Place> {
        self.place(self.names.picture(name)?)
    }

    /// Returns where the bytes of a language's subtitles are; none where it was not offered then.
    #[must_use]
    pub fn subtitles(&self, name: &str) -> Option<Place> {
        self.place(self.names.subtitles(name)?)
    }

    fn place(&self, content: usize) -> Option<Place> {
        let at = self.lens.get(..content)?.iter().map(|len| u64::from(*len)).sum();
        Some(Place { at, len: *self.lens.get(content)? })
    }
}

/// What is kept at one moment; immutable, shared by all who ask. Its texts are written when somebody asks, once.
#[derive(Debug, Default)]
pub struct Window {
    folder: PathBuf,
    /// By number: first those that have left the playlist, then those listed.
    segments: Vec<Arc<Kept>>,
    /// Where the listed begin.
    first: usize,
    length: MediaTime,
    bytes: u64,
    texts: [OnceLock<Text>; 4],
}

/// Which of the playlists of one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Of pictures and sound: it is the same text for every rendition.
    Pictures,
    /// Of subtitles.
    Subtitles,
}

impl Window {
    /// Returns a window of segments in a folder, the oldest first, of which those before `first` have left the playlist.
    #[must_use]
    pub fn new(folder: PathBuf, segments: Vec<Arc<Kept>>, first: usize) -> Self {
        let length = segments[first..].iter().map(|kept| kept.duration).sum();
        let bytes = segments.iter().map(|kept| kept.bytes()).sum();
        Self { folder, segments, first, length, bytes, texts: Default::default() }
    }

    /// Returns the segments that are listed, the oldest first.
    #[must_use]
    pub fn listed(&self) -> &[Arc<Kept>] {
        &self.segments[self.first..]
    }

    /// Whether one may go back: no playlist may list less than three target durations (RFC 8216 §6.2.2).
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.length >= WINDOW
    }

    /// Returns how much is listed.
    #[must_use]
    pub fn length(&self) -> MediaTime {
        self.length
    }

    /// Returns how many bytes of disk are taken.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns when the oldest of what is listed was on air; none where one may not go back.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        self.listed().first().filter(|_| self.is_open()).map(|kept| kept.date)
    }

    /// Returns the names of the pictures: the same in all that is listed.
    #[must_use]
    pub fn pictures(&self) -> &[Arc<str>] {
        self.segments.last().map_or(&[], |kept| &kept.names.pictures)
    }

    /// Returns a segment that is kept, by the number it had when it was live.
    #[must_use]
    pub fn find(&self, msn: Msn) -> Option<&Arc<Kept>> {
        let at = self.segments.binary_search_by_key(&msn, |kept| kept.msn).ok()?;
        self.segments.get(at)
    }

    /// Returns the file of a segment.
    #[must_use]
    pub fn path(&self, kept: &Kept) -> PathBuf {
        path(&self.folder, kept.msn)
    }

    /// Returns the text of a playlist if it was written already; `skip` leaves out what the asker has.
    #[must_use]
    pub fn written(&self, of: Of, skip: bool) -> Option<&Text> {
        self.texts[slot(of, skip)].get()
    }

    /// Returns the text of a playlist; writing a long one takes some milliseconds.
    #[must_use]
    pub fn text(&self, of: Of, skip: bool) -> Option<&Text> {
        let text = || playlist::render(self.listed(), of, skip);
        self.is_open().then(|| self.texts[slot(of, skip)].get_or_init(text))
    }
}

fn slot(of: Of, skip: bool) -> usize {
    usize::from(of == Of::Subtitles) * 2 + usize::from(skip)
}

/// Returns the file of a segment in a channel's folder.
fn path(folder: &Path, msn: Msn) -> PathBuf {
    folder.join(format!("{msn}.segment"))
}

/// What is told of a channel's past: the window as it stands, and what went wrong with keeping it.
#[derive(Debug, Default)]
pub struct Told {
    window: watch::Sender<Arc<Window>>,
    /// How much is to be kept, in ticks; 0 where nothing is.
    wanted: AtomicU64,
    space: AtomicU64,
    failures: AtomicU64,
}

impl Told {
    /// Returns the window as it stands.
    #[must_use]
    pub fn window(&self) -> Arc<Window> {
        Arc::clone(&self.window.borrow())
    }

    /// Takes a new window.
    pub fn publish(&self, window: Window) {
        self.window.send_replace(Arc::new(window));
    }

    /// Takes what is to be kept; none for nothing.
    pub fn want(&self, limits: Option<ledger::Limits>) {
        let ticks = limits.map_or(0, |limits| limits.window.0.unsigned_abs());
        self.wanted.store(ticks, Ordering::Relaxed);
        self.space.store(limits.map_or(0, |limits| limits.space), Ordering::Relaxed);
    }

    /// Returns what is to be kept; none where nothing is.
    #[must_use]
    pub fn wanted(&self) -> Option<ledger::Limits> {
        let ticks = self.wanted.load(Ordering::Relaxed);
        let window = MediaTime(i64::try_from(ticks).unwrap_or(i64::MAX));
        (ticks > 0).then(|| ledger::Limits { window, space: self.space.load(Ordering::Relaxed) })
    }

    /// Counts a segment that could not be kept.
    pub fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how often a segment could not be kept.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}
