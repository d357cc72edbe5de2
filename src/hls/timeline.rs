//! The live window: sequence numbers, discontinuities, dates, expiry.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::ladder::{Ladder, Offer};
use super::packer::Segment;
use super::snapshot::{SegmentBody, Snapshot, SubtitlesTold};
use super::spool::task::Spooled;
use super::spool::{Content, HOT, Place};
use super::subtitles::{self, Subtitler};
use super::{TARGET_DURATION_SECS, WINDOW, playlist};
use crate::config::Language;
use crate::prepare::subtitles::Captions;
use crate::units::{MediaTime, Msn};

/// Up to this many times the world's speed a viewer keeps up with a window of [`WINDOW`]: it lasts 180 ms of the world.
const SPEED_USUAL: f64 = 100.0;

/// What viewers are told of the programme that begins with a segment (EXT-X-DATERANGE, RFC 8216 §4.3.2.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateRange {
    /// Unique over the channel's life.
    pub id: String,
    /// When the programme's first frame is (or would have been) on air.
    pub start: Timestamp,
    /// How long it is planned to be.
    pub planned: MediaTime,
    /// Its title.
    pub title: String,
}

/// One published segment.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number.
    pub msn: Msn,
    /// What is served.
    pub body: Arc<SegmentBody>,
    /// Wall-clock time of its first frame (EXT-X-PROGRAM-DATE-TIME).
    pub date: Timestamp,
    /// The programme that begins with it.
    pub date_range: Option<DateRange>,
}

/// A segment that has left the playlist and is still promised.
#[derive(Clone, Debug)]
struct Expired {
    msn: Msn,
    body: Arc<SegmentBody>,
    until: Timestamp,
}

/// The live window of a channel.
#[derive(Debug)]
pub struct Timeline {
    listed: VecDeque<Entry>,
    expired: VecDeque<Expired>,
    next: Msn,
    discontinuity_sequence: u64,
    /// Where the media edge stands: `anchor` plus `played`, so that ticks are never rounded twice.
    anchor: Timestamp,
    played: MediaTime,
    /// How much later the wall clock is than the station's own time, in which all else is counted.
    stepped: SignedDuration,
    /// Whether the next segment is the first with dates of a wall clock that was set.
    redated: bool,
    /// The longest playlist published so far (RFC 8216 §6.2.2 counts expiry by it).
    longest: MediaTime,
    /// What the playlist lists at least, once it has it.
    window: MediaTime,
    /// What is known of each rendition; none where there is one picture.
    ladder: Ladder,
    subtitler: Subtitler,
}

impl Timeline {
    /// Starts a window whose first segment will have this number and begin at this moment.
    #[must_use]
    pub fn new(first: Msn, discontinuity_sequence: u64, edge: Timestamp) -> Self {
        Self {
            listed: VecDeque::new(),
            expired: VecDeque::new(),
            next: first,
            discontinuity_sequence,
            anchor: edge,
            played: MediaTime::ZERO,
            stepped: SignedDuration::ZERO,
            redated: false,
            longest: MediaTime::ZERO,
            window: WINDOW,
            ladder: Ladder::default(),
            subtitler: Subtitler::default(),
        }
    }

    /// Publishes these renditions side by side.
    #[must_use]
    pub fn with_renditions(mut self, offers: &[Offer]) -> Self {
        self.ladder = Ladder::new(offers);
        self
    }

    /// Offers subtitles in these languages, each for itself; returns whether they can be.
    ///
    /// Before anything was published it is exactly these. Afterwards there are only ever more, and where there is one
    /// picture without a name there are none: whoever watches holds a media playlist, which cannot become another kind.
    /// `one_picture` is what such a picture is called where it has subtitles beside it.
    pub fn offer_subtitles(&mut self, languages: &[Language], one_picture: &Offer) -> bool {
        if self.listed.is_empty() && self.expired.is_empty() {
            if self.ladder.is_single() && !languages.is_empty() {
                self.ladder = Ladder::new(std::slice::from_ref(one_picture));
            }
            self.subtitler.offer(languages);
        } else if self.ladder.is_single() {
            return languages.is_empty();
        } else {
            for _ in 0..self.subtitler.offer_more(languages) {
                self.add_empty_subtitles();
            }
        }
        true
    }

    /// Nobody has asked for these yet: the language was not offered.
    fn add_empty_subtitles(&mut self) {
        let listed = self.listed.iter_mut().map(|entry| &mut entry.body);
        for body in listed.chain(self.expired.iter_mut().map(|expired| &mut expired.body)) {
            let mut renditions = body.renditions.clone();
            renditions.push(Arc::new(subtitles::empty().into()));
            *body = Arc::new(body.with(renditions));
        }
    }

    /// Takes the subtitles of an airing that was begun, and when its item ends, where that is known.
    pub fn hold_subtitles(&mut self, airing: u64, captions: Arc<Captions>, end: Option<MediaTime>) {
        self.subtitler.hold(airing, captions, end);
    }

    /// Adds to a segment that is about to be published what is not made by ffmpeg; its airing began `from` in its item.
    pub fn complete(&mut self, segment: &mut Segment, from: MediaTime) {
        self.ladder.complete(segment);
        self.subtitler.complete(segment, from);
    }

    /// Takes note that a segment that is about to be published is of a programme, and not of the card between two.
    pub fn aired(&mut self, segment: &Segment) {
        self.ladder.aired(segment.duration);
    }

    /// Lists more than [`WINDOW`] where the clock runs faster than [`SPEED_USUAL`] times the world: viewers are no faster
    /// with it, and what came and went between two of their refreshes would never have been listed.
    #[must_use]
    pub fn at_speed(mut self, speed: f64) -> Self {
        self.window = MediaTime::from_secs_f64(WINDOW.as_secs_f64() * (speed / SPEED_USUAL).max(1.0));
        self
    }

    /// Returns where the next segment begins, in the station's own time.
    #[must_use]
    pub fn edge(&self) -> Timestamp {
        self.played.after(self.anchor)
    }

    /// Returns where the next segment begins in wall-clock time: its date.
    #[must_use]
    pub fn date(&self) -> Timestamp {
        self.edge() + self.stepped
    }

    /// Takes how much later the wall clock is than the station's own time. Where it was set, the next segment is dated by
    /// it and carries a discontinuity: across one, dates need not join. What was published keeps its date.
    pub fn follow(&mut self, stepped: SignedDuration) {
        if self.stepped != stepped {
            self.stepped = stepped;
            self.redated = true;
        }
    }

    /// Whether the next segment carries a discontinuity because the wall clock was set.
    #[must_use]
    pub fn is_redated(&self) -> bool {
        self.redated
    }

    /// Moves the edge: the channel lost time it cannot catch up. The next segment must carry a discontinuity.
    ///
    /// The edge never goes back; a wall clock that was set is followed by [`Self::follow`].
    pub fn jump_to(&mut self, edge: Timestamp) {
        if edge > self.edge() {
            self.anchor = edge;
            self.played = MediaTime::ZERO;
        }
    }

    /// Returns the number the next segment will have.
    #[must_use]
    pub fn next_msn(&self) -> Msn {
        self.next
    }

    /// Returns the discontinuity sequence that a playlist after every listed segment has left would have: what a later
    /// life of the server must not fall below.
    #[must_use]
    pub fn discontinuities(&self) -> u64 {
        self.discontinuity_sequence + self.listed.iter().filter(|entry| entry.body.discontinuity).count() as u64
    }

    /// Publishes a segment and lets go of those that are no longer needed.
    pub fn publish(&mut self, segment: Segment, date_range: Option<DateRange>, now: Timestamp) {
        self.ladder.meet(&segment);
        let Segment { renditions, duration, .. } = segment;
        let date = self.date();
        let discontinuity = segment.discontinuity | std::mem::take(&mut self.redated);
        let body = Arc::new(SegmentBody::in_memory(renditions, duration, discontinuity).dated(date));
        self.listed.push_back(Entry { msn: self.next, body, date, date_range });
        self.next = Msn(self.next.0 + 1);
        self.played += duration;
        self.longest = self.longest.max(self.listed_duration());
        self.ladder.measure(&self.listed.iter().rev().map(|entry| &*entry.body));
        self.expire(now);
    }

    /// "The server MUST NOT remove a Media Segment from a Playlist file without EXT-X-ENDLIST if that would produce a
    /// Playlist whose duration is less than three times the target duration", and a removed segment "MUST remain
    /// available for a period of time equal to the duration of the segment plus the duration of the longest Playlist
    /// file distributed" (RFC 8216 §6.2.2).
    fn expire(&mut self, now: Timestamp) {
        let mut total = self.listed_duration();
        while let Some(front) = self.listed.front() {
            let duration = front.body.duration;
            if total - duration < self.window {
                break;
            }
            total = total - duration;
            let until = (duration + self.longest).after(now);
            if let Some(Entry { msn, body, .. }) = self.listed.pop_front() {
                self.discontinuity_sequence += u64::from(body.discontinuity);
                self.expired.push_back(Expired { msn, body, until });
            }
        }
        while self.expired.front().is_some_and(|expired| expired.until <= now) {
            self.expired.pop_front();
        }
    }

    /// Returns the segments that are in memory and no longer hot, oldest first, by rendition: they may go to the spool.
    #[must_use]
    pub fn cooled(&self) -> Vec<(Place, Bytes)> {
        let mut newer = MediaTime::ZERO;
        let mut cooled = Vec::new();
        for entry in self.listed.iter().rev() {
            if newer >= HOT {
                cooled.push((entry.msn, &entry.body));
            }
            newer += entry.body.duration;
        }
        cooled.extend(self.expired.iter().rev().map(|expired| (expired.msn, &expired.body)));
        // Subtitles are a few hundred bytes: a page would cost more.
        let pictures = self.ladder.pictures();
        let places = cooled.into_iter().rev().flat_map(|(msn, body)| {
            let contents = body.renditions.iter().enumerate().take(pictures);
            contents.map(move |(rendition, content)| (Place { msn, rendition }, content))
        });
        let in_memory = places.filter_map(|(place, content)| match &**content {
            Content::Memory(bytes) => Some((place, bytes.clone())),
            Content::Spooled(_) => None,
        });
        in_memory.collect()
    }

    /// Takes note that a segment's bytes are in the spool now. Its number, length and bytes stay what they were.
    pub fn spooled(&mut self, place: Place, spooled: Spooled) {
        let listed = self.listed.iter_mut().map(|entry| (entry.msn, &mut entry.body));
        let expired = self.expired.iter_mut().map(|expired| (expired.msn, &mut expired.body));
        if let Some((_, body)) = listed.chain(expired).find(|(number, _)| *number == place.msn) {
            let mut renditions = body.renditions.clone();
            if let Some(content) = renditions.get_mut(place.rendition) {
                *content = Arc::new(Content::Spooled(spooled));
                *body = Arc::new(body.with(renditions));
            }
        }
    }

    fn listed_duration(&self) -> MediaTime {
        self.listed.iter().map(|entry| entry.body.duration).sum()
    }

    /// Returns what http serves from now on.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let head =
            playlist::Head { target_secs: TARGET_DURATION_SECS, discontinuity_sequence: self.discontinuity_sequence };
        let expired = self.expired.iter().map(|expired| (expired.msn, Arc::clone(&expired.body)));
        let listed = self.listed.iter().map(|entry| (entry.msn, Arc::clone(&entry.body)));
        let segments: BTreeMap<_, _> = expired.chain(listed).collect();
        let renditions = self.ladder.told(&self.listed);
        let told: Arc<[_]> = self.subtitler.languages().iter().map(SubtitlesTold::of).collect();
        let playlist = (!self.listed.is_empty()).then(|| playlist::render(head, &self.listed));
        Snapshot {
            subtitles_playlist: playlist.as_ref().filter(|_| !told.is_empty()).map(playlist::of_subtitles),
            playlist,
            multivariant: Ladder::render(&renditions, &told, &self.listed),
            renditions,
            subtitles: told,
            segments,
            newest: self.listed.back().map(|entry| entry.msn),
            oldest: self.listed.front().map(|entry| entry.msn),
        }
    }
}

#[cfg(test)]
#[path = "timeline_laws.rs"]
mod laws;
