//! What was on, is on and will be on, of all channels at once: `/api/guide`.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::api::{FRESH, kind};
use super::apps::logo_path;
use super::demand::page_of;
use super::error::HttpError;
use super::state::StationView;
use crate::channel::{AiringStatus, ChannelState, ChannelStatus};
use crate::units::MediaTime;

/// Where a guide begins that nobody gave a beginning, before now.
const BACK: SignedDuration = SignedDuration::from_hours(2);

/// Where it ends, after now.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// The longest guide. There is nothing beyond: a day is planned, and a day is looked back.
const SPAN_MAX: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How many programmes an answer tells, shared by the channels: some five megabytes.
const PROGRAMMES_MAX: usize = 10_000;

/// How many of one channel, however few or many share. Clips of ten seconds fill a day with 8,640; whoever wants them all
/// asks for shorter times.
const OF_CHANNEL_MIN: usize = 10;
const OF_CHANNEL_MAX: usize = 2000;

/// How many letters of a description are told: a guide shows what an evening holds, and `/api/channels/{id}` tells the rest.
const DESCRIPTION_MAX: usize = 600;

/// What is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    from: Option<String>,
    to: Option<String>,
}

/// A time, from a moment until before another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Span {
    /// Returns what is asked for, whole where only a part of it is.
    fn wanted(wanted: &Wanted, now: Timestamp) -> Option<Self> {
        let (from, to) = (moment(wanted.from.as_deref()).ok()?, moment(wanted.to.as_deref()).ok()?);
        let later = |moment: Timestamp, by: SignedDuration| moment.checked_add(by).ok();
        let (from, to) = match (from, to) {
            (None, None) => (later(now, -BACK)?, later(now, AHEAD)?),
            (Some(from), None) => (from, later(from, BACK + AHEAD)?),
            (None, Some(to)) => (later(to, -(BACK + AHEAD))?, to),
            (Some(from), Some(to)) => (from, to),
        };
        (from < to && to.duration_since(from) <= SPAN_MAX).then_some(Self { from, to })
    }

    fn touches(self, airing: &Told<'_>) -> bool {
        airing.start < self.to && airing.end > self.from
    }
}

/// Reads a moment that may be left out. A plus that was not escaped came as a blank.
fn moment(text: Option<&str>) -> Result<Option<Timestamp>, jiff::Error> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => text.replace(' ', "+").parse().map(Some),
    }
}

/// Where a programme stands in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    /// It was on, just so.
    Aired,
    /// It is on at the live edge.
    OnAir,
    /// It is planned.
    Planned,
}

/// A programme with its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'s> {
    pub(super) airing: &'s AiringStatus,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    stage: Stage,
}

/// Returns all that is known of a channel's programmes, in their order: as they were, as it is, as they are planned.
pub(super) fn programmes(status: &ChannelStatus) -> impl Iterator<Item = Told<'_>> {
    let aired = &status.aired;
    // Of one that was on air when the channel began anew both lives tell; the present one knows more.
    let told_again = |one: &&AiringStatus| {
        let same = |other: &AiringStatus| one.serial.is_some() && other.serial == one.serial;
        aired.iter().any(same) || aired.first().is_some_and(|first| first.start <= one.start)
    };
    let before = status.before.iter().filter(move |one| !told_again(one));
    let before = before.map(|one| told(one, one.duration.after(one.start), Stage::Aired));
    let since = aired.iter().enumerate().map(|(place, one)| {
        let whole = one.duration.after(one.start);
        match aired.get(place + 1) {
            // It may have been cut; and the slate goes on until something comes.
            Some(next) if one.serial.is_none() || next.start < whole => told(one, next.start, Stage::Aired),
            Some(_) => told(one, whole, Stage::Aired),
            None if one.serial.is_none() => told(one, status.edge.unwrap_or(one.start), Stage::OnAir),
            None => told(one, whole, Stage::OnAir),
        }
    });
    let planned = status.next.iter().map(|one| told(one, one.duration.after(one.start), Stage::Planned));
    before.chain(since).chain(planned)
}

fn told(airing: &AiringStatus, end: Timestamp, stage: Stage) -> Told<'_> {
    // One that was joined in its middle began, to itself, before the one before it ended.
    Told { airing, start: airing.start, end: end.max(airing.start), stage }
}

/// Returns how many programmes of each channel fit into an answer.
pub(super) fn share(channels: usize) -> usize {
    (PROGRAMMES_MAX / channels.max(1)).clamp(OF_CHANNEL_MIN, OF_CHANNEL_MAX)
}

#[derive(Serialize)]
struct Guide<'s> {
    station: &'s str,
    server_time: Timestamp,
    from: Timestamp,
    to: Timestamp,
    channels: Vec<Channel<'s>>,
}

#[derive(Serialize)]
struct Channel<'s> {
    id: &'s str,
    /// Its place in the station's list, from 1: what number keys tune to.
    number: usize,
    name: &'s str,
    colour: String,
    state: ChannelState,
    page: String,
    logo: String,
    programmes: Vec<Programme<'s>>,
    /// Whether there are more in the time that was asked for: from the end of the last on.
    truncated: bool,
}

#[derive(Serialize)]
struct Programme<'s> {
    serial: Option<u64>,
    kind: &'static str,
    title: &'s str,
    author: Option<&'s str>,
    date: Option<&'s str>,
    description: Option<Cow<'s, str>>,
    slate: bool,
    stage: Stage,
    start: Timestamp,
    end: Timestamp,
    duration_seconds: f64,
    /// The page on which it can be watched by itself, where it can be now.
    on_demand: Option<String>,
}

impl<'s> Programme<'s> {
    fn new(Told { airing, start, end, stage }: Told<'s>, on_demand: Option<String>) -> Self {
        let metadata = &airing.metadata;
        Self {
            serial: airing.serial,
            kind: kind(airing),
            title: &metadata.title,
            author: metadata.author.as_deref(),
            date: metadata.date.as_deref(),
            description: metadata.description.as_deref().map(|text| shortened(text, DESCRIPTION_MAX)),
            slate: airing.serial.is_none(),
            stage,
            start,
            end,
            duration_seconds: MediaTime::between(start, end).as_secs_f64(),
            on_demand,
        }
    }
}

/// Returns at most so many letters of a text, and a sign that there are more.
pub(super) fn shortened(text: &str, letters_max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(letters_max) {
        Some((end, _)) => Cow::Owned(format!("{}\u{2026}", text[..end].trim_end())),
        None => Cow::Borrowed(text),
    }
}

/// Answers with all channels' programmes of a time.
pub(super) async fn guide(
    State(view): State<Arc<StationView>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, HttpError> {
    let Query(wanted) = wanted.map_err(|_| HttpError::Span)?;
    let now = view.clock.wall();
    let span = Span::wanted(&wanted, now).ok_or(HttpError::Span)?;
    let roster = view.roster();
    let statuses: Vec<_> = roster.channels.iter().map(|channel| channel.status()).collect();
    let share = share(statuses.len());
    let channels = (1..).zip(&statuses).map(|(number, status): (usize, _)| {
        let mut all = programmes(status).filter(|programme| span.touches(programme));
        let shelf = roster.shelves.get(&status.id);
        let page = |told: &Told<'_>| page_of(shelf, status.id.as_str(), told.airing);
        let programmes = all.by_ref().take(share).map(|told| Programme::new(told, page(&told))).collect();
        Channel {
            id: status.id.as_str(),
            number,
            name: &status.name,
            colour: roster.brand.colour_of(&status.id, number - 1).to_string(),
            state: status.state,
            page: format!("/watch/{}", status.id),
            logo: logo_path(&status.id),
            programmes,
            truncated: all.next().is_some(),
        }
    });
    let Span { from, to } = span;
    let body = Guide { station: &roster.name, server_time: now, from, to, channels: channels.collect() };
    Ok(([FRESH], Json(body)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Metadata;
    use crate::schedule::Kind;
    use crate::units::ChannelId;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    fn airing(serial: Option<u64>, start: i64, secs: i64) -> AiringStatus {
        let metadata = Arc::new(Metadata { title: "A".to_owned(), ..Metadata::default() });
        AiringStatus {
            serial,
            key: None,
            kind: Kind::Item,
            metadata,
            start: at(start),
            duration: MediaTime::from_secs(secs),
        }
    }

    fn status(before: &[AiringStatus], aired: &[AiringStatus], next: &[AiringStatus], edge: i64) -> ChannelStatus {
        let id = ChannelId::new("night").unwrap();
        let lifeless = ChannelStatus::lifeless(&id, "Night", ChannelState::OnAir);
        ChannelStatus {
            before: before.into(),
            aired: aired.into(),
            next: next.into(),
            edge: Some(at(edge)),
            ..lifeless
        }
    }

    /// Goal: a guide's past is what was on. Method: a table of lives, each with the beginnings and ends that are told.
    #[test]
    fn what_was_on_is_told_as_it_was() {
        use Stage::{Aired, OnAir, Planned};
        let (one, two, three) = (airing(Some(1), 0, 100), airing(Some(2), 100, 100), airing(Some(3), 200, 100));
        let slate = airing(None, 100, 0);
        for (sentence, status, expected) in [
            (
                "one after the other",
                status(&[], &[one.clone(), two.clone()], std::slice::from_ref(&three), 150),
                vec![(0, 100, Aired), (100, 200, OnAir), (200, 300, Planned)],
            ),
            (
                "cut short",
                status(&[], &[one.clone(), airing(Some(2), 30, 100)], &[], 50),
                vec![(0, 30, Aired), (30, 130, OnAir)],
            ),
            (
                "the slate lasts until something comes",
                status(&[], &[one.clone(), slate.clone(), three.clone()], &[], 210),
                vec![(0, 100, Aired), (100, 200, Aired), (200, 300, OnAir)],
            ),
            (
                "the slate that is on lasts to the edge",
                status(&[], &[one.clone(), slate], &[], 130),
                vec![(0, 100, Aired), (100, 130, OnAir)],
            ),
            (
                "an earlier life, which began what is on",
                status(&[airing(Some(1), 0, 100), airing(Some(2), 100, 20)], std::slice::from_ref(&two), &[], 150),
                vec![(0, 100, Aired), (100, 200, OnAir)],
            ),
            ("nothing yet", status(&[one], &[], &[], 0), vec![(0, 100, Aired)]),
        ] {
            let told: Vec<_> =
                programmes(&status).map(|told| (told.start.as_second(), told.end.as_second(), told.stage)).collect();
            assert_eq!(told, expected, "{sentence}");
        }
    }

    #[test]
    fn a_time_is_understood_or_refused() {
        let now = at(1_000_000);
        let asked = |from: Option<&str>, to: Option<&str>| {
            let wanted = Wanted { from: from.map(str::to_owned), to: to.map(str::to_owned) };
            Span::wanted(&wanted, now).map(|span| (span.from.as_second(), span.to.as_second()))
        };
        let (hour, day) = (3600, 24 * 3600);
        for (from, to, expected) in [
            (None, None, Some((1_000_000 - 2 * hour, 1_000_000 + day))),
            (Some(""), None, Some((1_000_000 - 2 * hour, 1_000_000 + day))),
            (Some("1970-01-01T01:00:00Z"), None, Some((hour, 27 * hour))),
            (None, Some("1970-01-03T00:00:00Z"), Some((22 * hour, 2 * day))),
            (Some("1970-01-02T01:00:00 01:00"), Some("1970-01-02T01:00:00Z"), Some((day, day + hour))),
            (Some("1970-01-01T00:00:00Z"), Some("1970-01-08T00:00:00Z"), Some((0, 7 * day))),
            (Some("1970-01-01T00:00:00Z"), Some("1970-01-08T00:00:01Z"), None),
            (Some("1970-01-02T00:00:00Z"), Some("1970-01-02T00:00:00Z"), None),
            (Some("tomorrow"), None, None),
            (Some("9999-12-30T22:00:00Z"), None, None),
            (None, Some("-009999-01-02T02:00:00Z"), None),
        ] {
            assert_eq!(asked(from, to), expected, "{from:?} {to:?}");
        }
    }

    #[test]
    fn channels_share_the_room_and_long_words_are_cut() {
        for (channels, expected) in [(0, 2000), (1, 2000), (10, 1000), (500, 20), (1000, 10), (100_000, 10)] {
            assert_eq!(share(channels), expected, "{channels}");
        }
        for (text, expected) in [
            ("", ""),
            ("abcd", "abcd"),
            ("abc d", "abc\u{2026}"),
            ("\u{e9}\u{e9}\u{e9}\u{e9}x", "\u{e9}\u{e9}\u{e9}\u{e9}\u{2026}"),
        ] {
            assert_eq!(shortened(text, 4), expected);
        }
    }
}
