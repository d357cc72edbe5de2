//! What moments the times of a timetable are, also on days of 23 and 25 hours.

use super::*;
use crate::config::Order;
use crate::config::timetable::{Block, Fixed, SignOff};

/// A timetable in Berlin, where the clocks are put forward on 2027-03-28 at 02:00 and back on 2026-10-25 at 03:00.
fn berlin(blocks: &[(&str, &str, &str)], fixed: &[(&str, &str)]) -> Timetable {
    let time = |text: &str| TimeOfDay::parse(text).expect("a time");
    let blocks = blocks.iter().map(|(days, from, to)| Block {
        name: (*days).to_owned(),
        days: Days::parse(days).expect("days"),
        from: time(from),
        to: time(to),
        folders: vec!["a/".to_owned()],
        order: Order::Sequential,
        sharp: false,
    });
    let fixed = fixed.iter().map(|(days, at)| Fixed {
        name: None,
        at: time(at),
        days: Days::parse(days).expect("days"),
        folders: vec!["news/".to_owned()],
    });
    let off = SignOff { from: time("02:30"), to: time("04:00") };
    let wanted = Wanted { blocks: blocks.collect(), fixed: fixed.collect(), sign_off: Some(off), ..Wanted::default() };
    Timetable::new(&wanted, zone()).expect("there is something")
}

fn zone() -> TimeZone {
    jiff::tz::TimeZoneDatabase::bundled().get("Europe/Berlin").expect("Berlin is known")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

#[test]
fn what_is_bound_begins_by_the_clock_on_the_wall_whatever_day_it_is() {
    let table = berlin(&[], &[("daily", "20:00"), ("sun", "02:45"), ("sat-sun", "12:00")]);
    for (sentence, after, due) in [
        ("in winter", "2026-12-01T12:00:00Z", "2026-12-01T19:00:00Z"),
        ("in summer", "2026-07-01T12:00:00Z", "2026-07-01T18:00:00Z"),
        ("not twice", "2026-07-01T18:00:00Z", "2026-07-02T18:00:00Z"),
        ("on a day of 25 hours a time that comes twice counts once", "2026-10-25T00:00:00Z", "2026-10-25T00:45:00Z"),
        ("and not an hour later again", "2026-10-25T00:45:00Z", "2026-10-25T11:00:00Z"),
        (
            "on a day of 23 hours a time that is left out is an hour later",
            "2027-03-28T00:00:00Z",
            "2027-03-28T01:45:00Z",
        ),
        ("the evening after", "2027-03-28T11:00:00Z", "2027-03-28T18:00:00Z"),
    ] {
        let found = table.next_occasion(at(after), |_| true).map(|occasion| occasion.due);
        assert_eq!(found, Some(at(due)), "{sentence}");
    }
    assert_eq!(table.next_occasion(at("2026-12-01T12:00:00Z"), |_| false), None);
}

#[test]
fn hours_last_as_long_as_the_clock_says() {
    let table = berlin(&[("sun", "01:00", "04:00"), ("fri", "23:00", "01:00")], &[]);
    for (sentence, moment, block, off, until) in [
        ("before", "2026-11-28T23:00:00Z", None, None, "2026-11-29T00:00:00Z"),
        ("three hours as a rule", "2026-11-29T00:00:00Z", Some(0), None, "2026-11-29T01:30:00Z"),
        ("at rest", "2026-11-29T01:30:00Z", Some(0), Some("2026-11-29T03:00:00Z"), "2026-11-29T03:00:00Z"),
        ("four when the clocks are put back", "2026-10-24T23:30:00Z", Some(0), None, "2026-10-25T00:30:00Z"),
        ("at rest for longer", "2026-10-25T00:30:00Z", Some(0), Some("2026-10-25T03:00:00Z"), "2026-10-25T03:00:00Z"),
        ("two when they are put forward", "2027-03-28T00:30:00Z", Some(0), None, "2027-03-28T01:30:00Z"),
        ("over midnight", "2026-11-27T23:30:00Z", Some(1), None, "2026-11-28T00:00:00Z"),
    ] {
        let hours = table.hours(at(moment));
        let expected = Hours { block, off_until: off.map(at), until: at(until) };
        // Midnight is looked at anew, whether anything changes or not.
        assert_eq!(
            (hours.block, hours.off_until, hours.until.min(at(until))),
            (block, expected.off_until, hours.until),
            "{sentence}"
        );
    }
}

#[test]
fn a_wall_clock_that_was_set_moves_what_is_bound_to_it() {
    let table = berlin(&[], &[("daily", "20:00")]).stepped(SignedDuration::from_hours(1));
    let due = table.next_occasion(at("2026-12-01T12:00:00Z"), |_| true).map(|occasion| occasion.due);
    assert_eq!(due, Some(at("2026-12-01T18:00:00Z")), "it shows 20:00 an hour earlier");
    assert_eq!(table.shown(at("2026-12-01T18:00:00Z")), "20:00");
}
