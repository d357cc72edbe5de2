//! The programme guide for TV apps, `/guide.xml`: XMLTV, a day ahead.

use std::fmt::{Display, Write as _};
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};

use super::{CACHE, Listed, Origin, XmlText, listed, tagged};
use crate::channel::{AiringStatus, ChannelStatus};
use crate::http::error::HttpError;
use crate::http::guide::{programmes, share, shortened};
use crate::http::state::StationView;
use crate::library::Metadata;
use crate::schedule::HORIZON;

const TYPE: &str = "application/xml; charset=utf-8";

/// How far the guide looks back: what is on began before.
const BACK: SignedDuration = SignedDuration::from_hours(4);

/// How many letters of a description are told: an app shows a page of it.
const DESCRIPTION_MAX: usize = 1200;

/// Answers with the guide of all channels.
pub(super) async fn guide(
    State(view): State<Arc<StationView>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let roster = view.roster();
    let origin = Origin::of(&roster, &uri, &headers)?;
    let statuses: Vec<_> = roster.channels.iter().map(|channel| channel.status()).collect();
    let told: Vec<_> = listed(&roster).into_iter().zip(statuses.iter().map(|status| &**status)).collect();
    Ok(tagged(TYPE, CACHE, render(&origin, &roster.name, &told, view.clock.wall()), &headers))
}

/// Writes the guide of channels as it is known at a moment. `origin` stands before every path.
#[must_use]
pub fn render(
    origin: &impl Display,
    station: &str,
    channels: &[(Listed<'_>, &ChannelStatus)],
    now: Timestamp,
) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE tv SYSTEM \"xmltv.dtd\">\n\
         <tv source-info-name=\"{}\" generator-info-name=\"Nightcast\">\n",
        XmlText(station)
    );
    for (channel, _) in channels {
        let (id, number, name) = (channel.guide_id(), channel.number, XmlText(&channel.name));
        let _infallible = write!(
            text,
            "  <channel id=\"{id}\">\n    <display-name>{name}</display-name>\n    \
             <display-name>{number}</display-name>\n    <icon src=\"{}\"/>\n    <url>{}</url>\n  </channel>\n",
            XmlText(&format!("{origin}{}", channel.logo)),
            XmlText(&format!("{origin}/watch/{}", channel.id)),
        );
    }
    let (from, to, share) = (now - BACK, now + HORIZON, share(channels.len()));
    for (channel, status) in channels {
        let id = channel.guide_id();
        let wanted = programmes(status).filter(|told| is_programme(told.airing) && told.end > from && told.start < to);
        // To the second, and one that would be none is left out.
        let seconds = wanted.map(|told| (told.airing, told.start.as_second(), told.end.as_second()));
        for (airing, start, end) in seconds.filter(|(_, start, end)| start < end).take(share) {
            programme(&mut text, &id, airing, [start, end], &channel.name);
        }
    }
    text.push_str("</tv>\n");
    text
}

/// Whether there is something to watch: apps show nothing where they are told of nothing.
fn is_programme(airing: &AiringStatus) -> bool {
    airing.serial.is_some() && !airing.kind.is_card()
}

fn programme(text: &mut String, channel: &str, airing: &AiringStatus, times: [i64; 2], name: &str) {
    let [start, stop] = times.map(|second| {
        let moment = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        moment.strftime("%Y%m%d%H%M%S +0000").to_string()
    });
    let Metadata { title, author, date, description } = &*airing.metadata;
    let title = if XmlText(title).is_blank() { name } else { title };
    let _infallible = write!(
        text,
        "  <programme start=\"{start}\" stop=\"{stop}\" channel=\"{channel}\">\n    <title>{}</title>\n",
        XmlText(title)
    );
    // An element that says nothing may not be there.
    if let Some(words) = description.as_deref().map(|words| shortened(words, DESCRIPTION_MAX)) {
        let words = XmlText(&words);
        if !words.is_blank() {
            let _infallible = writeln!(text, "    <desc>{words}</desc>");
        }
    }
    if let Some(author) = author.as_deref().map(XmlText).filter(|author| !author.is_blank()) {
        let _infallible = writeln!(text, "    <credits>\n      <director>{author}</director>\n    </credits>");
    }
    if let Some(date) = date.as_deref().and_then(plain_date) {
        let _infallible = writeln!(text, "    <date>{date}</date>");
    }
    text.push_str("  </programme>\n");
}

/// Returns a date without its dashes, where it is one: a year, a month, or a day.
fn plain_date(date: &str) -> Option<String> {
    let parts: Vec<&str> = date.split('-').collect();
    let digits = |part: &&str, len: usize| part.len() == len && part.bytes().all(|byte| byte.is_ascii_digit());
    let whole = parts.iter().zip([4, 2, 2]).all(|(part, len)| digits(part, len));
    (whole && parts.len() <= 3).then(|| parts.concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::*;
    use crate::channel::ChannelState;
    use crate::schedule::Kind;
    use crate::units::{ChannelId, MediaTime};

    const NOW: i64 = 1_795_000_000;

    fn status(programmes: &[(Metadata, i64)]) -> ChannelStatus {
        let mut start = NOW;
        let next = programmes.iter().zip(1..).map(|((metadata, secs), serial)| {
            let begins = Timestamp::from_second(start).unwrap();
            start += secs;
            let (metadata, duration) = (Arc::new(metadata.clone()), MediaTime::from_secs(*secs));
            AiringStatus { serial: Some(serial), key: None, kind: Kind::Item, metadata, start: begins, duration }
        });
        let id = ChannelId::new("cats").unwrap();
        ChannelStatus { next: next.collect(), ..ChannelStatus::lifeless(&id, "Cats", ChannelState::OnAir) }
    }

    fn rendered(station: &str, name: &str, status: &ChannelStatus) -> String {
        let logo = "/channels/cats/logo".to_owned();
        let channel = Listed { id: &status.id, number: 1, name: name.into(), logo };
        render(&"http://tv:80", station, &[(channel, status)], Timestamp::from_second(NOW).unwrap())
    }

    #[test]
    fn a_guide_is_as_apps_read_it() {
        let metadata = Metadata {
            title: "Tom & Co <1>".to_owned(),
            author: Some("A. \"B\" C".to_owned()),
            date: Some("2011-05-02".to_owned()),
            description: Some("One.\nTwo ]]> three.".to_owned()),
        };
        let plain = Metadata { title: "Dogs".to_owned(), date: Some("May 2011".to_owned()), ..Metadata::default() };
        let text = rendered("Late", "Cats", &status(&[(metadata, 90), (plain, 10)]));
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE tv SYSTEM \"xmltv.dtd\">\n\
            <tv source-info-name=\"Late\" generator-info-name=\"Nightcast\">\n\
            \u{20} <channel id=\"cats.nightcast\">\n\
            \u{20}   <display-name>Cats</display-name>\n\
            \u{20}   <display-name>1</display-name>\n\
            \u{20}   <icon src=\"http://tv:80/channels/cats/logo\"/>\n\
            \u{20}   <url>http://tv:80/watch/cats</url>\n\
            \u{20} </channel>\n\
            \u{20} <programme start=\"20261118110640 +0000\" stop=\"20261118110810 +0000\" channel=\"cats.nightcast\">\n\
            \u{20}   <title>Tom &amp; Co &lt;1&gt;</title>\n\
            \u{20}   <desc>One.\nTwo ]]&gt; three.</desc>\n\
            \u{20}   <credits>\n      <director>A. &quot;B&quot; C</director>\n    </credits>\n\
            \u{20}   <date>20110502</date>\n\
            \u{20} </programme>\n\
            \u{20} <programme start=\"20261118110810 +0000\" stop=\"20261118110820 +0000\" channel=\"cats.nightcast\">\n\
            \u{20}   <title>Dogs</title>\n\
            \u{20} </programme>\n\
            </tv>\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_date_is_told_where_it_is_one() {
        for (date, expected) in [
            ("1999", Some("1999")),
            ("1999-07", Some("199907")),
            ("1999-07-20", Some("19990720")),
            ("1999-7", None),
            ("1999-07-20-1", None),
            ("", None),
            ("about 1999", None),
        ] {
            assert_eq!(plain_date(date).as_deref(), expected, "{date}");
        }
    }

    /// Reads XML to its end and returns the texts of every title; fails where it is not well-formed.
    fn titles(text: &str) -> Vec<String> {
        let allowed = |c: char| matches!(c, '\t' | '\n' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
        assert!(text.chars().all(allowed), "{text:?}");
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        (config.check_comments, config.check_end_names) = (true, true);
        let (mut depth, mut within, mut titles) = (0, false, Vec::new());
        loop {
            match reader.read_event().expect("well-formed") {
                Event::Start(tag) => {
                    depth += 1;
                    within = tag.name().as_ref() == b"title";
                    titles.extend(within.then(String::new));
                    for attribute in tag.attributes() {
                        attribute.expect("an attribute");
                    }
                }
                Event::End(_) => {
                    depth -= 1;
                    within = false;
                }
                Event::Text(words) if within => titles.last_mut().unwrap().push_str(&words.decode().unwrap()),
                Event::GeneralRef(name) => {
                    let known = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"')];
                    let name = name.decode().unwrap();
                    let (_, c) = known.into_iter().find(|(known, _)| *known == name).expect("an entity that there is");
                    if within {
                        titles.last_mut().unwrap().push(c);
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(depth, 0);
        titles
    }

    proptest! {
        /// Goal: no text of a film or of the configuration breaks the guide. Method: any text in every place; a reader of XML
        /// reads to the end, and finds the titles that were meant but for what cannot be written.
        #[test]
        fn any_text_gives_well_formed_xml(
            station in any::<String>(),
            name in any::<String>(),
            texts in prop::collection::vec((any::<String>(), any::<Option<String>>(), any::<Option<String>>()), 0..4),
        ) {
            let metadata = |(title, author, description): (String, Option<String>, Option<String>)| {
                (Metadata { title, date: author.clone(), author, description }, 60)
            };
            let programmes: Vec<_> = texts.into_iter().map(metadata).collect();
            let read = titles(&rendered(&station, &name, &status(&programmes)));
            let written = |c: &char| matches!(c, '\t' | '\n') || !(c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'));
            let meant: Vec<String> = programmes.iter().map(|(metadata, _)| {
                let title: String = metadata.title.chars().filter(written).collect();
                if title.trim().is_empty() { name.chars().filter(written).collect() } else { title }
            }).collect();
            prop_assert_eq!(read, meant);
        }
    }

    #[test]
    fn a_guide_ends_a_day_ahead_and_holds_no_more_than_its_share() {
        let film = |secs| (Metadata { title: "A".to_owned(), ..Metadata::default() }, secs);
        let long = rendered("S", "C", &status(&vec![film(3600); 100]));
        assert_eq!(long.matches("<programme ").count(), 25);
        let short = rendered("S", "C", &status(&vec![film(2); 4000]));
        assert_eq!(short.matches("<programme ").count(), 2000);
    }
}
