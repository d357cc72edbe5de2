//! The channels and their libraries.

use jiff::SignedDuration;

use super::names::{self, Metric};
use super::sheet::Sheet;
use super::{number, seconds};
use crate::channel::{ChannelState, ChannelStatus, Discontinuity, LibraryCounts, Numbers};
use crate::hls::rewind::Told;
use crate::http::Viewers;
use crate::library::{Catalogue, Reproach, Tally};
use crate::on_air::Cause;

const STATES: [(ChannelState, &str); 5] = [
    (ChannelState::Starting, "starting"),
    (ChannelState::OnAir, "on_air"),
    (ChannelState::Slate, "slate"),
    (ChannelState::Recovering, "recovering"),
    (ChannelState::Off, "off"),
];

/// Writes down how a channel stands and what it has done.
pub(super) fn channel(sheet: &mut Sheet, status: &ChannelStatus, numbers: &Numbers, clock_error: SignedDuration) {
    let id = status.id.as_str();
    sheet.add(names::CHANNEL_INFO, &[id, &status.name], 1.0);
    for (state, name) in STATES {
        sheet.add(names::CHANNEL_STATE, &[id, name], f64::from(u8::from(status.state == state)));
    }
    let published = &numbers.published;
    let rows: [(&'static Metric, f64); 7] = [
        (names::CHANNEL_ON_AIR, numbers.on_air.as_secs_f64()),
        (names::CHANNEL_SLATE, numbers.slate.as_secs_f64()),
        (names::CHANNEL_MEDIA, published.media.as_secs_f64()),
        (names::CHANNEL_AIRINGS, number(numbers.airings)),
        (names::CHANNEL_SEGMENTS, number(published.segments)),
        (names::CHANNEL_SEGMENT_BYTES, number(published.bytes)),
        (names::CHANNEL_SPOOL_BYTES, number(numbers.spooled)),
    ];
    for (metric, value) in rows {
        sheet.add(metric, &[id], value);
    }
    let on_air = status.aired.last().filter(|airing| status.state == ChannelState::OnAir && airing.serial.is_some());
    // What would only tell how long it has been off says nothing, and must raise no alert.
    let on = status.state != ChannelState::Off;
    let lead = numbers.feed_lead.filter(|_| on && status.state != ChannelState::Starting);
    let maybe: [(&'static Metric, Option<f64>); 5] = [
        (names::CHANNEL_LAST_SEGMENT, numbers.published_at.filter(|_| on).map(seconds)),
        (names::CHANNEL_CLOCK_ERROR, on.then(|| clock_error.as_secs_f64())),
        (names::CHANNEL_EDGE, status.edge.map(seconds)),
        (names::CHANNEL_FEED_LEAD, lead.map(|lead| lead.as_secs_f64())),
        (names::CHANNEL_PROGRAMME_START, on_air.map(|airing| seconds(airing.start))),
    ];
    for (metric, value) in maybe {
        if let Some(value) = value {
            sheet.add(metric, &[id], value);
        }
    }
    for (cause, count) in Discontinuity::ALL.into_iter().zip(published.discontinuities) {
        sheet.add(names::CHANNEL_DISCONTINUITIES, &[id, cause.label()], number(count));
    }
    for (cause, count) in Cause::ALL.into_iter().zip(numbers.restarts) {
        sheet.add(names::ON_AIR_RESTARTS, &[id, cause.label()], number(count));
    }
}

/// Writes down who watches a channel.
pub(super) fn viewers(sheet: &mut Sheet, id: &str, viewers: &Viewers) {
    let (segments, bytes) = viewers.sums();
    sheet.add(names::CHANNEL_SENT_SEGMENTS, &[id], number(segments));
    sheet.add(names::CHANNEL_SENT_BYTES, &[id], number(bytes));
    let [segments, bytes] = viewers.sums_on_demand();
    sheet.add(names::CHANNEL_ON_DEMAND_SEGMENTS, &[id], number(segments));
    sheet.add(names::CHANNEL_ON_DEMAND_BYTES, &[id], number(bytes));
    sheet.add(names::CHANNEL_VIEWERS, &[id], number(viewers.watching()));
    sheet.add(names::CHANNEL_LIVE_TS_VIEWERS, &[id], number(viewers.live_ts()));
}

/// Writes down what is kept of a channel's past, where it is.
pub(super) fn rewind(sheet: &mut Sheet, id: &str, told: &Told) {
    let Some(wanted) = told.wanted() else { return };
    let window = told.window();
    let length = if window.is_open() { window.length().as_secs_f64() } else { 0.0 };
    sheet.add(names::REWIND_LENGTH, &[id], length);
    sheet.add(names::REWIND_BYTES, &[id], number(window.bytes()));
    sheet.add(names::REWIND_SPACE, &[id], number(wanted.space));
    sheet.add(names::REWIND_FAILURES, &[id], number(told.failures()));
}

/// Writes down what a channel's folders hold.
pub(super) fn library(sheet: &mut Sheet, id: &str, counts: &LibraryCounts, catalogue: &Catalogue, tally: &Tally) {
    let waiting = counts.items.saturating_sub(counts.prepared + counts.preparing);
    for (status, count) in [
        ("prepared", counts.prepared),
        ("waiting", waiting),
        ("preparing", counts.preparing),
        ("settling", counts.settling),
        ("quarantined", counts.quarantined),
    ] {
        sheet.add(names::LIBRARY_ITEMS, &[id, status], number(count as u64));
    }
    for (reproach, count) in Reproach::ALL.into_iter().zip(counts.reproaches) {
        sheet.add(names::LIBRARY_QUARANTINED, &[id, reproach.label()], number(count as u64));
    }
    sheet.add(names::LIBRARY_SCANS, &[id], number(tally.scans()));
    if let Some(last) = tally.last() {
        sheet.add(names::LIBRARY_SCAN_DURATION, &[id], last.as_secs_f64());
        let reachable = catalogue.folder_problems.is_empty();
        sheet.add(names::LIBRARY_REACHABLE, &[id], f64::from(u8::from(reachable)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::channel::AiringStatus;
    use crate::units::{ChannelId, MediaTime, RunId};

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    fn status(state: ChannelState) -> ChannelStatus {
        let film = AiringStatus {
            serial: Some(1),
            key: None,
            kind: crate::schedule::Kind::Item,
            metadata: Arc::default(),
            start: at(1_795_000_000),
            duration: MediaTime::from_secs(60),
        };
        ChannelStatus {
            id: ChannelId::new("cats").unwrap(),
            name: "Cats".into(),
            state,
            reason: None,
            aired: [film].into(),
            before: [].into(),
            next: [].into(),
            run: RunId(1),
            restarts: 0,
            library: LibraryCounts::default(),
            edge: Some(at(1_795_000_010)),
        }
    }

    fn told(state: ChannelState) -> Vec<String> {
        let mut numbers = Numbers {
            airings: 3,
            spooled: 65_536,
            feed_lead: Some(SignedDuration::from_millis(-1500)),
            ..Numbers::default()
        };
        numbers.published.discontinuities[Discontinuity::Item as usize] = 2;
        numbers.restarts[Cause::Killed as usize] = 1;
        let mut sheet = Sheet::default();
        channel(&mut sheet, &status(state), &numbers, SignedDuration::from_millis(20));
        sheet.lines()
    }

    #[test]
    fn a_channel_is_in_one_state_and_tells_what_it_has_done() {
        let lines = told(ChannelState::OnAir);
        for line in [
            "nightcast_channel_info{channel=\"cats\",name=\"Cats\"} 1",
            "nightcast_channel_state{channel=\"cats\",state=\"on_air\"} 1",
            "nightcast_channel_state{channel=\"cats\",state=\"slate\"} 0",
            "nightcast_channel_feed_lead_seconds{channel=\"cats\"} -1.5",
            "nightcast_channel_clock_error_seconds{channel=\"cats\"} 0.02",
            "nightcast_channel_spool_bytes{channel=\"cats\"} 65536",
            "nightcast_channel_discontinuities_total{channel=\"cats\",cause=\"item\"} 2",
            "nightcast_on_air_restarts_total{channel=\"cats\",reason=\"killed\"} 1",
            "nightcast_channel_programme_start_timestamp_seconds{channel=\"cats\"} 1795000000",
            "nightcast_channel_edge_timestamp_seconds{channel=\"cats\"} 1795000010",
        ] {
            assert!(lines.iter().any(|found| found == line), "{line}\n{lines:#?}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_told() {
        let holds = |lines: &[String], name: &str| lines.iter().any(|line| line.contains(name));
        let slate = told(ChannelState::Slate);
        assert!(!holds(&slate, "programme_start") && !holds(&slate, "last_segment") && holds(&slate, "feed_lead"));
        assert!(!holds(&told(ChannelState::Starting), "feed_lead"));
        let off = told(ChannelState::Off);
        let silent = ["feed_lead", "last_segment", "clock_error", "programme_start"];
        assert!(silent.iter().all(|name| !holds(&off, name)), "{off:#?}");
        assert!(off.iter().any(|line| line == "nightcast_channel_state{channel=\"cats\",state=\"off\"} 1"));
    }

    #[test]
    fn a_file_is_in_one_status() {
        let mut counts = LibraryCounts {
            items: 10,
            prepared: 4,
            preparing: 1,
            settling: 2,
            quarantined: 3,
            ..LibraryCounts::default()
        };
        counts.reproaches[Reproach::Damaged as usize] = 3;
        let (catalogue, tally) = (Catalogue::default(), Tally::default());
        let mut sheet = Sheet::default();
        library(&mut sheet, "cats", &counts, &catalogue, &tally);
        let lines = sheet.lines();
        assert!(!lines.iter().any(|line| line.contains("reachable")), "nobody has looked yet");
        tally.walked(Duration::from_millis(250));
        let away = Catalogue { folder_problems: vec![("a".into(), "gone".to_owned())], ..Catalogue::default() };
        let mut sheet = Sheet::default();
        library(&mut sheet, "cats", &counts, &away, &tally);
        let lines = sheet.lines();
        for line in [
            "nightcast_library_items{channel=\"cats\",status=\"waiting\"} 5",
            "nightcast_library_items{channel=\"cats\",status=\"quarantined\"} 3",
            "nightcast_library_quarantined_items{channel=\"cats\",cause=\"damaged\"} 3",
            "nightcast_library_scans_total{channel=\"cats\"} 1",
            "nightcast_library_scan_duration_seconds{channel=\"cats\"} 0.25",
            "nightcast_library_folder_reachable{channel=\"cats\"} 0",
        ] {
            assert!(lines.iter().any(|found| found == line), "{line}\n{lines:#?}");
        }
    }
}
