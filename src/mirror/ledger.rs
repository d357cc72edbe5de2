//! What a store holds of a channel, and what is to be put there and deleted next. Pure.
//!
//! Two promises, each a law in the tests. A playlist at the store never names what is not there: it is put after all its
//! segments, and what it names is deleted only after a later playlist without it was put, and the time of RFC 8216 §6.2.2
//! has passed. And what is held is bounded, by [`HELD_MAX`] at last.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::names::Name;
use crate::hls::{PlaylistBody, SEGMENT_MAX, Snapshot};
use crate::units::{MediaTime, Msn};

/// How many objects of an earlier life are taken note of at a time; there are more where a station was killed many times
/// while its store could not be written to, and they are found at the next look.
pub const FOUND_MAX: usize = 10_000;

/// How many objects are kept in mind. There are some hundreds as a rule, and more where a store takes everything and deletes
/// nothing: those that have expired are forgotten then, and found again at the next start.
pub const HELD_MAX: usize = 20_000;

/// For how long segments are kept that no playlist names that is known to be there, because their playlist was not taken:
/// one that was given up may still arrive.
pub const UNNAMED_MAX: SignedDuration = SignedDuration::from_mins(10);

/// How often the playlist of the renditions' playlists is put when only its figures changed: they are measured anew with
/// each segment, and a player reads them once.
pub const FIGURES_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// What is known of the objects of a channel.
#[derive(Debug, Default)]
pub struct Ledger {
    objects: BTreeMap<Name, Object>,
    /// What the newest playlist at the store lists.
    published: Option<Published>,
    /// The longest playlist that was put (RFC 8216 §6.2.2 counts by it).
    longest: MediaTime,
    /// The playlists as they are at the store.
    playlists: BTreeMap<Name, Playlist>,
}

/// One object.
#[derive(Clone, Copy, Debug)]
struct Object {
    /// Whether the store has said that it is there; else it may be.
    whole: bool,
    /// How long it plays; of a playlist and of what an earlier life left, as long as any segment may.
    duration: MediaTime,
    /// When nobody may ask for it any more; none while a playlist names it, or may.
    until: Option<Timestamp>,
    /// Whether an earlier life left it.
    found: bool,
}

#[derive(Clone, Debug)]
struct Playlist {
    text: Bytes,
    put: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Published {
    oldest: Msn,
    newest: Msn,
    length: MediaTime,
    at: Timestamp,
}

/// What a published window did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The newest segment that viewers of the store know of.
    pub newest: Msn,
    /// Whether segments came and went at the station that were never listed at the store.
    pub skipped: bool,
}

impl Ledger {
    /// Returns the segments of a window that are not at the store, oldest first, all renditions of one after the other.
    #[must_use]
    pub fn missing(&self, snapshot: &Snapshot) -> Vec<Name> {
        let names = listed(snapshot).flat_map(|(msn, _)| segments(snapshot, msn));
        names.filter(|name| !self.objects.get(name).is_some_and(|object| object.whole)).collect()
    }

    /// Takes note that an object is about to be put: from now on it may be there.
    pub fn tried(&mut self, name: &Name, duration: MediaTime) {
        let object = Object { whole: false, duration, until: None, found: false };
        self.objects.entry(name.clone()).or_insert(object).until = None;
    }

    /// Takes note that the store has it.
    pub fn stored(&mut self, name: &Name) {
        if let Some(object) = self.objects.get_mut(name) {
            object.whole = true;
        }
    }

    /// Returns the playlists to be put, in their order: those of renditions first, and what names them last. None before
    /// every segment is there, and none that are at the store as they are.
    #[must_use]
    pub fn playlists(&self, snapshot: &Snapshot, now: Timestamp) -> Vec<(Name, Bytes)> {
        if snapshot.playlist.is_none() {
            return Vec::new();
        }
        if !self.missing(snapshot).is_empty() {
            return Vec::new();
        }
        let mut wanted: Vec<_> = names(snapshot)
            .filter_map(|name| {
                let text = &text_of(snapshot, &name)?.text;
                Some((name, text))
            })
            .filter(|(name, text)| self.playlists.get(name).is_none_or(|known| known.text != *text))
            .map(|(name, text)| (name, text.clone()))
            .collect();
        if let Some(all) = &snapshot.multivariant {
            let (name, text) = (Name::playlist(None), &all.text);
            let is_new = self.playlists.get(&name).is_none_or(|known| {
                known.text != *text
                    && (now.duration_since(known.put) >= FIGURES_EVERY || !addresses(&known.text).eq(addresses(text)))
            });
            if is_new {
                wanted.push((name, text.clone()));
            }
        }
        wanted
    }

    /// Takes note that a playlist is about to be put: what is there until the store has said so is not known.
    pub fn playlist_tried(&mut self, name: &Name) {
        self.playlists.remove(name);
        self.tried(name, SEGMENT_MAX);
    }

    /// Takes note that a playlist was put.
    pub fn playlist_stored(&mut self, name: &Name, text: Bytes, now: Timestamp) {
        self.stored(name);
        self.playlists.insert(name.clone(), Playlist { text, put: now });
    }

    /// Takes note that every playlist of a window is at the store: what it does not name begins to expire.
    ///
    /// "The Media Segment … MUST remain available for a period of time equal to the duration of the segment plus the
    /// duration of the longest Playlist file distributed by the server containing that segment" (RFC 8216 §6.2.2).
    pub fn published(&mut self, snapshot: &Snapshot, now: Timestamp) -> Option<Progress> {
        let (oldest, newest) = (snapshot.oldest?, snapshot.newest?);
        let length = listed(snapshot).map(|(_, duration)| duration).sum();
        self.longest = self.longest.max(length);
        let longest = self.longest;
        let named = |name: &Name| match name.segment {
            Some(msn) => msn >= oldest && has(snapshot, name.rendition.as_ref()),
            None if snapshot.multivariant.is_some() => {
                name.rendition.is_none() || has(snapshot, name.rendition.as_ref())
            }
            None => name.rendition.is_none(),
        };
        for (name, object) in &mut self.objects {
            let until = (object.duration + longest).after(now);
            object.until = (!named(name)).then(|| object.until.map_or(until, |known| known.min(until)));
        }
        self.playlists.retain(|name, _| named(name));
        // A channel that began anew goes on with other numbers; that takes no longer than a window.
        let skipped = self.published.is_some_and(|before| {
            oldest.0 > before.newest.0 + 1 && now.duration_since(before.at) > before.length.to_duration()
        });
        self.published = Some(Published { oldest, newest, length, at: now });
        self.forget();
        Some(Progress { newest, skipped })
    }

    /// Takes note that a window could not be published: what no playlist at the store names, and this window neither, is
    /// not kept for ever.
    pub fn failed(&mut self, snapshot: &Snapshot, now: Timestamp) {
        let published = self.published;
        let may_be_named = |msn: Msn| {
            snapshot.oldest.is_none_or(|oldest| msn >= oldest)
                || published.is_some_and(|window| (window.oldest..=window.newest).contains(&msn))
        };
        for (name, object) in self.objects.iter_mut().filter(|(_, object)| !object.found && object.until.is_none()) {
            if name.segment.is_some_and(|msn| !may_be_named(msn)) {
                object.until = now.checked_add(UNNAMED_MAX).ok();
            }
        }
    }

    /// Forgets what has begun to expire where there is too much of it.
    fn forget(&mut self) {
        let mut surplus = self.objects.len().saturating_sub(HELD_MAX);
        self.objects.retain(|_, object| {
            let goes = surplus > 0 && object.until.is_some();
            surplus -= usize::from(goes);
            !goes
        });
    }

    /// Takes note of an object that an earlier life left. What is not named again expires with the first playlist.
    pub fn found(&mut self, name: Name) {
        let object = Object { whole: false, duration: SEGMENT_MAX, until: None, found: true };
        self.objects.entry(name).or_insert(object);
    }

    /// Returns the objects nobody may ask for any more, this many at most.
    #[must_use]
    pub fn expired(&self, now: Timestamp, most: usize) -> Vec<Name> {
        let due = self.objects.iter().filter(|(_, object)| object.until.is_some_and(|until| until <= now));
        due.map(|(name, _)| name.clone()).take(most).collect()
    }

    /// Takes note that an object is gone.
    pub fn deleted(&mut self, name: &Name) {
        self.objects.remove(name);
    }

    /// Returns how many objects are at the store, or may be.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

/// Returns the segments that a window lists, with their lengths, oldest first.
fn listed(snapshot: &Snapshot) -> impl Iterator<Item = (Msn, MediaTime)> {
    let range = snapshot.oldest.zip(snapshot.newest).filter(|(oldest, newest)| oldest <= newest);
    let bodies = range.into_iter().flat_map(|(oldest, newest)| snapshot.segments.range(oldest..=newest));
    bodies.map(|(msn, body)| (*msn, body.duration))
}

/// Returns the names of a segment: one for each rendition, and for each language's subtitles.
fn segments(snapshot: &Snapshot, msn: Msn) -> impl Iterator<Item = Name> {
    let single = snapshot.renditions.is_empty().then(|| Name::segment(None, msn));
    single.into_iter().chain(parts(snapshot).map(move |name| Name::segment(Some(name), msn)))
}

/// Returns the names of the media playlists.
fn names(snapshot: &Snapshot) -> impl Iterator<Item = Name> {
    let single = snapshot.renditions.is_empty().then(|| Name::playlist(None));
    single.into_iter().chain(parts(snapshot).map(|name| Name::playlist(Some(name))))
}

/// Returns the names of the renditions, and of each language's subtitles.
fn parts(snapshot: &Snapshot) -> impl Iterator<Item = &Arc<str>> {
    let renditions = snapshot.renditions.iter().map(|one| &one.name);
    renditions.chain(snapshot.subtitles.iter().map(|one| &one.name))
}

/// Returns the media playlist of this name.
fn text_of<'s>(snapshot: &'s Snapshot, name: &Name) -> Option<&'s PlaylistBody> {
    match &name.rendition {
        None => snapshot.playlist.as_ref(),
        Some(part) => snapshot.playlist_of(part).flatten(),
    }
}

/// Whether a window has this rendition, or none where there is one picture.
fn has(snapshot: &Snapshot, rendition: Option<&Arc<str>>) -> bool {
    match rendition {
        None => snapshot.renditions.is_empty(),
        Some(name) => snapshot.playlist_of(name).is_some(),
    }
}

/// Returns what a playlist names.
fn addresses(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#"))
}

#[cfg(test)]
#[path = "ledger_laws.rs"]
mod laws;
