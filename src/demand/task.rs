//! Reads films for those who watch them on demand: at their pace, checked, and within named limits.
#![expect(clippy::disallowed_methods, reason = "opens mezzanines, and reads the clock by which idle ones are closed")]

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::held::{Held, IDLE_MAX};
use super::listing::{Asked, Entry, Found, Listing, id_of};
use super::parts::{Part, parts, version};
use super::playlists::{self, Told};
use crate::channel::task::{offers, one_picture};
use crate::config::{self, Language, SubtitleMode};
use crate::hls::h264::Sps;
use crate::hls::ladder::Offer;
use crate::hls::snapshot::SubtitlesTold;
use crate::hls::{cut, subtitles};
use crate::library::Catalogue;
use crate::prepare::subtitles::choice;
use crate::prepare::subtitles::task::Titles;
use crate::prepare::{Gop, Mezzanine, Prepared, Preparer, annexb, gop_index};
use crate::units::ContentKey;

/// How many bytes of films may be in memory at once, on their way to viewers.
const ROOM_BYTES: u64 = 256 << 20;

/// In what that is counted, in bytes.
const ROOM_UNIT: u64 = 64 << 10;

/// How many segments are read and cut at once: no more than a disk and a few cores do well.
const READ_AT_ONCE: usize = 4;

/// How long a request waits for either.
const ROOM_WAIT: Duration = Duration::from_secs(5);

/// How long a request waits for subtitles that are taken out of a film: all of it is read, the first time.
const TITLES_WAIT: Duration = Duration::from_secs(25);

/// Why there is nothing to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no such item.
    NoSuchItem,
    /// It is not prepared now.
    NotReady,
    /// There is no such part of it; or its bytes are others since it was told of.
    NoSuchPart,
    /// Too many want something at once.
    Busy,
}

/// What reads films, for all channels; cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    preparer: Preparer,
    titles: Titles,
    held: Mutex<Held<Film>>,
    /// Permits of [`ROOM_UNIT`] bytes.
    room: Arc<Semaphore>,
    reading: Semaphore,
    begin: Instant,
    tracker: TaskTracker,
    token: CancellationToken,
}

/// A film that is open.
#[derive(Clone, Debug)]
struct Film {
    mezzanine: Arc<Mezzanine>,
    version: Arc<str>,
    parts: Arc<[Part]>,
    file: Arc<File>,
}

/// What of one channel can be watched on demand.
#[derive(Debug)]
pub struct Shelf {
    config: config::Channel,
    offers: Vec<Offer>,
    catalogue: watch::Receiver<Arc<Catalogue>>,
    reader: Reader,
    /// With the catalogue that it was made of.
    listing: Mutex<(Arc<Catalogue>, Arc<Listing>)>,
}

/// Bytes that count as in memory until they are sent.
struct Counted {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Reader {
    /// Returns one that has nothing open.
    #[must_use]
    pub fn new(preparer: Preparer, titles: Titles, tracker: TaskTracker, token: CancellationToken) -> Self {
        let permits = usize::try_from(ROOM_BYTES / ROOM_UNIT).unwrap_or(usize::MAX);
        let (room, reading) = (Arc::new(Semaphore::new(permits)), Semaphore::new(READ_AT_ONCE));
        let (held, begin) = (Mutex::default(), Instant::now());
        Self { shared: Arc::new(Shared { preparer, titles, held, room, reading, begin, tracker, token }) }
    }
}

impl Shared {
    /// Never held over an await.
    fn held(&self) -> MutexGuard<'_, Held<Film>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    /// Keeps a film open while it is watched; whoever opens the first sees to it that they are closed again.
    fn hold(self: &Arc<Self>, film: &Film) {
        let mut held = self.held();
        let first = held.is_empty();
        held.insert(Arc::clone(&film.version), film.clone(), self.now());
        drop(held);
        if first {
            let shared = Arc::clone(self);
            self.tracker.spawn(async move {
                let rest = || tokio::time::sleep(IDLE_MAX / 4);
                while shared.token.run_until_cancelled(rest()).await.is_some() {
                    let watched = shared.held().look_after(shared.now());
                    for film in &watched {
                        shared.preparer.watched(&film.mezzanine.id);
                    }
                    if watched.is_empty() {
                        break;
                    }
                }
            });
        }
    }

    /// Returns these GOPs, which are held against their checksums, and what was made of them. A mezzanine that cannot be
    /// read as it was made is made again.
    async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        film: &Film,
        gops: &[Gop],
        made: impl FnOnce(Vec<u8>) -> T + Send + 'static,
    ) -> Result<T, Trouble> {
        // Never closed.
        let _turn = tokio::time::timeout(ROOM_WAIT, self.reading.acquire()).await.map_err(|_| Trouble::Busy)?;
        let (file, gops) = (Arc::clone(&film.file), gops.to_vec());
        let read = tokio::task::spawn_blocking(move || whole(&file, &gops).map(made));
        read.await.map_err(io::Error::other).flatten().map_err(|error| {
            tracing::error!(%error, item = %film.mezzanine.id.key, "a film could not be read on demand; it is made again");
            self.held().remove(&film.version);
            // It may have been made anew meanwhile.
            if matches!(self.preparer.state(&film.mezzanine.id), Prepared::Ready(one) if version(&one) == film.version) {
                self.preparer.lost(&film.mezzanine.id);
            }
            Trouble::NotReady
        })
    }
}

/// Reads GOPs that lie one after the other, all of them as they were made.
fn whole(file: &File, gops: &[Gop]) -> io::Result<Vec<u8>> {
    let (Some(first), Some(last)) = (gops.first(), gops.last()) else { return Ok(Vec::new()) };
    let len = last.offset + u64::from(last.len) - first.offset;
    let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, first.offset)?;
    let mut rest = &bytes[..];
    for gop in gops {
        let (one, others) = rest.split_at(gop.len as usize);
        if gop.sum.is_some_and(|sum| sum != gop_index::sum(one)) {
            return Err(io::Error::other("its bytes are not what they were"));
        }
        rest = others;
    }
    Ok(bytes)
}

impl Shelf {
    /// Returns what of a channel can be watched.
    #[must_use]
    pub fn new(config: &config::Channel, catalogue: watch::Receiver<Arc<Catalogue>>, reader: Reader) -> Self {
        let mut offers = offers(config);
        if offers.is_empty() {
            offers.push(one_picture(&config.profile));
        }
        Self { config: config.clone(), offers, catalogue, reader, listing: Mutex::default() }
    }

    /// Returns the channel's items as they are now.
    #[must_use]
    pub fn listing(&self) -> Arc<Listing> {
        let catalogue = Arc::clone(&self.catalogue.borrow());
        let mut known = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&known.0, &catalogue) {
            known.1 = Arc::new(Listing::new(&catalogue, &self.config.timetable, &self.config.profile));
            known.0 = catalogue;
        }
        Arc::clone(&known.1)
    }

    /// Returns what fits a question, with what `tell` makes of each: the item, and whether it can be watched now.
    pub fn find<T>(&self, asked: &Asked, tell: impl Fn(&Entry, bool) -> T) -> Found<T> {
        let listing = self.listing();
        let states = self.reader.shared.preparer.states(listing.entries().iter().map(|entry| &entry.mezzanine));
        let standing: Vec<Option<bool>> = states
            .into_iter()
            .map(|state| match state {
                Prepared::Ready(_) => Some(true),
                Prepared::Waiting | Prepared::Growing { .. } => Some(false),
                Prepared::Failed(_) => None,
            })
            .collect();
        let Found { total, ready, listed } = listing.find(asked, &standing);
        Found { total, ready, listed: listed.into_iter().map(|(entry, ready)| tell(entry, ready)).collect() }
    }

    /// Returns an item, and its mezzanine where it can be watched now.
    ///
    /// # Errors
    /// [`Trouble::NoSuchItem`]
    pub fn item(&self, id: &str) -> Result<(Entry, Option<Arc<Mezzanine>>), Trouble> {
        let entry = self.listing().get(id).cloned().ok_or(Trouble::NoSuchItem)?;
        let mezzanine = self.mezzanine(&entry);
        Ok((entry, mezzanine))
    }

    fn mezzanine(&self, entry: &Entry) -> Option<Arc<Mezzanine>> {
        match self.reader.shared.preparer.state(&entry.mezzanine) {
            Prepared::Ready(mezzanine) => Some(mezzanine),
            Prepared::Waiting | Prepared::Growing { .. } | Prepared::Failed(_) => None,
        }
    }

    /// Returns the next item after this one that can be watched now: the next part of a series.
    #[must_use]
    pub fn next(&self, id: &str) -> Option<Entry> {
        self.listing().after(id).find(|entry| self.mezzanine(entry).is_some()).cloned()
    }

    /// Returns the name of the item of these bytes, where it can be watched now.
    #[must_use]
    pub fn playable(&self, key: &ContentKey) -> Option<Arc<str>> {
        let listing = self.listing();
        let entry = listing.get(id_of(key)).filter(|entry| entry.item.key == *key)?;
        self.mezzanine(entry).map(|_| Arc::clone(&entry.id))
    }

    /// Returns the playlist of an item's playlists.
    ///
    /// # Errors
    /// [`Trouble`]
    pub async fn playlist(&self, id: &str) -> Result<String, Trouble> {
        let (entry, mezzanine) = self.item(id)?;
        let film = self.open(mezzanine.ok_or(Trouble::NotReady)?).await?;
        let count = self.config.profile.pictures();
        let gops = &film.mezzanine.gops;
        let pictures = self.reader.shared.read(&film, &gops[..1.min(gops.len())], move |bytes| {
            let head = annexb::head(&bytes, count).ok();
            let read = |n: usize| head.as_ref().and_then(|head| Sps::read(&head.pictures.get(n)?.sps));
            (0..count).map(read).collect::<Vec<_>>()
        });
        let (offers, languages) = (&*self.offers, self.languages(&entry));
        let told = Told { offers, pictures: &pictures.await?, languages: &languages, parts: &film.parts };
        Ok(told.multivariant(&film.version))
    }

    /// Returns the media playlist of one of an item's renditions, or of the subtitles in a language.
    ///
    /// # Errors
    /// [`Trouble`]
    pub async fn media(&self, id: &str, version: &str, name: &str) -> Result<String, Trouble> {
        let film = self.film(id, version).await?;
        if self.offers.iter().any(|offer| *offer.name == *name) {
            return Ok(playlists::media(&film.parts));
        }
        self.language(&self.item(id)?.0, name).ok_or(Trouble::NoSuchPart)?;
        Ok(playlists::subtitles(film.mezzanine.duration()))
    }

    /// Returns a segment of one of an item's renditions.
    ///
    /// # Errors
    /// [`Trouble`]
    pub async fn segment(&self, id: &str, version: &str, name: &str, number: usize) -> Result<Bytes, Trouble> {
        let place = self.offers.iter().position(|offer| *offer.name == *name).ok_or(Trouble::NoSuchPart)?;
        let film = self.film(id, version).await?;
        let part = film.parts.get(number).ok_or(Trouble::NoSuchPart)?;
        let shared = &self.reader.shared;
        let units = u32::try_from(part.bytes.min(ROOM_BYTES).div_ceil(ROOM_UNIT)).unwrap_or(u32::MAX);
        let room = Arc::clone(&shared.room).acquire_many_owned(units);
        // Never closed.
        let room = tokio::time::timeout(ROOM_WAIT, room).await.ok().and_then(Result::ok).ok_or(Trouble::Busy)?;
        let (alone, picture) = (self.offers.len() == 1, (!self.offers[place].audio_only).then_some(place));
        let made = move |bytes: Vec<u8>| match picture {
            // As it lies there.
            Some(_) if alone => bytes.into(),
            Some(picture) => cut::with_picture(&bytes, picture),
            None => cut::without_pictures(&bytes),
        };
        let bytes = shared.read(&film, &film.mezzanine.gops[part.gops.clone()], made).await?;
        Ok(Bytes::from_owner(Counted { bytes, _room: room }))
    }

    /// Returns all subtitles of an item in one language.
    ///
    /// # Errors
    /// [`Trouble`]
    pub async fn captions(&self, id: &str, version: &str, name: &str) -> Result<Bytes, Trouble> {
        let (entry, _) = self.item(id)?;
        let language = self.language(&entry, name).ok_or(Trouble::NoSuchPart)?;
        let film = self.film(id, version).await?;
        let (config, titles) = (&self.config, &self.reader.shared.titles);
        let read = titles.of(&config.id, &entry.item, &config.profile, false);
        let captions = tokio::time::timeout(TITLES_WAIT, read).await.map_err(|_| Trouble::Busy)?;
        let captions = captions.map(|captions| (*captions).clone()).unwrap_or_default();
        let captions = captions.told_as(config.subtitles.languages.first());
        let end = film.mezzanine.duration();
        let first = film.mezzanine.gops.first().map(|gop| gop.len as usize).unwrap_or_default();
        let mut beginning = vec![0; subtitles::whole::BEGINNING.min(first)];
        let file = Arc::clone(&film.file);
        let beginning = tokio::task::spawn_blocking(move || file.read_exact_at(&mut beginning, 0).map(|()| beginning));
        let beginning = beginning.await.map_err(io::Error::other).flatten().map_err(|_| Trouble::NotReady)?;
        let track = captions.track(&language).cloned().unwrap_or_default();
        Ok(subtitles::whole::text(&track, end, &beginning))
    }

    /// The languages that an item has subtitles in.
    fn languages(&self, entry: &Entry) -> Vec<Language> {
        let wanted = &self.config.subtitles;
        if wanted.mode != SubtitleMode::Tracks {
            return Vec::new();
        }
        let mut languages: Vec<Language> = choice::texts(&entry.item).into_keys().cloned().collect();
        // As it airs: what does not tell its language is in the first, where that is not there.
        if let Some(first) = wanted.languages.first()
            && !languages.iter().any(|language| language.is_kin(first))
            && let Some(untold) = languages.iter_mut().find(|language| language.is_not_told())
        {
            *untold = first.clone();
        }
        languages
    }

    fn language(&self, entry: &Entry, name: &str) -> Option<Language> {
        self.languages(entry).into_iter().find(|language| *SubtitlesTold::of(language).name == *name)
    }

    /// Returns a film whose bytes have this name. One that is watched stays for as long as it is, even where it has left the
    /// cache meanwhile.
    async fn film(&self, id: &str, wanted: &str) -> Result<Film, Trouble> {
        let shared = &self.reader.shared;
        let known = shared.held().get(wanted, shared.now());
        if let Some(film) = known.filter(|film| id_of(&film.mezzanine.id.key) == id) {
            return Ok(film);
        }
        let mezzanine = self.item(id)?.1.ok_or(Trouble::NotReady)?;
        let film = self.open(mezzanine).await?;
        if *film.version == *wanted { Ok(film) } else { Err(Trouble::NoSuchPart) }
    }

    async fn open(&self, mezzanine: Arc<Mezzanine>) -> Result<Film, Trouble> {
        let shared = &self.reader.shared;
        let version = version(&mezzanine);
        if let Some(film) = shared.held().get(&version, shared.now()) {
            return Ok(film);
        }
        let path = mezzanine.path.clone();
        let opened = tokio::task::spawn_blocking(move || File::open(path)).await.map_err(io::Error::other).flatten();
        let file = opened.map_err(|error| {
            // It may have been removed a moment ago; whether it is gone the workshop finds out.
            tracing::warn!(%error, item = %mezzanine.id.key, "a film could not be opened on demand");
            Trouble::NotReady
        })?;
        shared.preparer.watched(&mezzanine.id);
        let film = Film { parts: parts(&mezzanine.gops).into(), mezzanine, version, file: Arc::new(file) };
        shared.hold(&film);
        Ok(film)
    }
}
