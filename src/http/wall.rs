//! The wall as it is before a script has run: every channel, what is on and what is next, as HTML.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::api::airing_at_edge;
use super::page::{escape, fill};
use super::state::Roster;
use super::thumbnail::has_picture;
use crate::channel::{AiringStatus, ChannelState, ChannelStatus};
use crate::units::MediaTime;

/// How many colours of the test card the channels take in turn.
const TINTS: usize = 6;

/// Returns how so many channels are shown: with room for each, close together, or like a page of listings. The page's script
/// says the same when their number changes.
pub(super) fn size(channels: usize) -> &'static str {
    match channels {
        0..=12 => "some",
        13..=24 => "",
        _ => "many",
    }
}

/// Returns the list of a station's channels; `row` is the template of one.
pub(super) fn rows(row: &str, roster: &Roster, now: Timestamp) -> String {
    let mut list = String::new();
    for (place, channel) in roster.channels.iter().enumerate() {
        let status = channel.status();
        let told = Told::of(&status, now);
        let id = channel.id.as_str();
        let picture = if has_picture(status.state) { image(id) } else { String::new() };
        let (number, tint) = ((place + 1).to_string(), (place % TINTS).to_string());
        let name = escape(&status.name);
        let values = [
            ("id", id),
            ("off", if told.showing { "" } else { " off" }),
            ("number", &number),
            ("tint", &tint),
            ("picture", &picture),
            ("name", &name),
            ("title", &told.title),
            ("byline", &told.byline),
            ("next", &told.next),
        ];
        list.push_str(&fill(row, &values));
    }
    list
}

/// Pictures that are not seen yet are not asked for. No words: the title beside it says what it shows.
fn image(id: &str) -> String {
    format!(
        "<img src=\"/channels/{id}/thumbnail.jpg\" alt=\"\" width=\"480\" height=\"270\" loading=\"lazy\" decoding=\"async\">"
    )
}

/// What a row says, as HTML.
struct Told {
    showing: bool,
    title: String,
    byline: String,
    next: String,
}

impl Told {
    fn of(status: &ChannelStatus, now: Timestamp) -> Self {
        let on = airing_at_edge(status, now).filter(|(airing, _)| airing.serial.is_some());
        let on = on.filter(|_| has_picture(status.state));
        let coming = status.announced().next();
        // Times are the viewer's, and only the viewer's clock knows them.
        let next = coming.map_or_else(String::new, |airing| {
            format!("<span class=\"label\">Next</span><b>{}</b>", escape(&airing.metadata.title))
        });
        let Some((airing, position)) = on else {
            let title = match status.state {
                ChannelState::Starting => "Warming up…",
                ChannelState::Recovering => "Back in a moment…",
                ChannelState::Off => "Off the air",
                _ if coming.is_some() => "Starting shortly",
                _ => "Off air for now",
            };
            let reason = status.reason.as_deref().unwrap_or_default();
            return Self { showing: false, title: title.to_owned(), byline: escape(reason), next };
        };
        Self { showing: true, title: escape(&airing.metadata.title), byline: byline(airing, position), next }
    }
}

/// Author, year and how long it goes on, whichever there are.
fn byline(airing: &AiringStatus, position: MediaTime) -> String {
    let metadata = &airing.metadata;
    let mut line = String::new();
    let year = metadata.date.as_deref().map(|date| match date.split_once('-') {
        Some((year, _)) if year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()) => year,
        _ => date,
    });
    for part in [metadata.author.as_deref(), year].into_iter().flatten() {
        let _infallible = write!(line, "{} · ", escape(part));
    }
    let minutes = ((airing.duration - position).as_secs_f64() / 60.0).ceil();
    if minutes <= 1.0 {
        line.push_str("ends\u{a0}soon");
    } else {
        let _infallible = write!(line, "{minutes}\u{a0}minutes\u{a0}left");
    }
    line
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::library::Metadata;
    use crate::schedule::Kind;
    use crate::units::ChannelId;

    fn airing(serial: Option<u64>, title: &str, date: Option<&str>, start: i64) -> AiringStatus {
        let metadata = Metadata {
            title: title.to_owned(),
            author: Some("A & B".to_owned()),
            date: date.map(str::to_owned),
            ..Metadata::default()
        };
        AiringStatus {
            serial,
            key: None,
            kind: Kind::Item,
            metadata: Arc::new(metadata),
            start: Timestamp::from_second(start).unwrap(),
            duration: MediaTime::from_secs(600),
        }
    }

    #[test]
    fn a_row_says_what_is_on_or_why_nothing_is() {
        for (sentence, state, on, next, expected) in [
            (
                "an item",
                ChannelState::OnAir,
                Some(airing(Some(1), "<Tide>", Some("1999-05-02"), 1000)),
                None,
                (true, "&lt;Tide&gt;", "A &amp; B · 1999 · 8\u{a0}minutes\u{a0}left", ""),
            ),
            (
                "the slate, and something comes",
                ChannelState::Slate,
                Some(airing(None, "", None, 1000)),
                Some(airing(Some(2), "Moss", None, 1100)),
                (false, "Starting shortly", "Why.", "<span class=\"label\">Next</span><b>Moss</b>"),
            ),
            ("nothing", ChannelState::Slate, None, None, (false, "Off air for now", "Why.", "")),
            ("off", ChannelState::Off, None, None, (false, "Off the air", "Why.", "")),
            ("a beginning", ChannelState::Starting, None, None, (false, "Warming up…", "Why.", "")),
        ] {
            let id = ChannelId::new("cats").unwrap();
            let status = ChannelStatus {
                reason: Some("Why.".into()),
                aired: on.into_iter().collect(),
                next: next.into_iter().collect(),
                edge: Timestamp::from_second(1130).ok(),
                ..ChannelStatus::lifeless(&id, "Cats", state)
            };
            let told = Told::of(&status, Timestamp::from_second(9).unwrap());
            let (showing, title, byline, next) = expected;
            assert_eq!((told.showing, told.title.as_str(), told.next.as_str()), (showing, title, next), "{sentence}");
            assert_eq!(told.byline, byline, "{sentence}");
        }
    }
}
