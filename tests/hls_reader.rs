//! Goal: the strict reader the other tests judge the station with does see every fault.
//! Method: one good playlist, and beside it one literal change for each rule.

mod support;

use jiff::{SignedDuration, Timestamp};
use support::hls_reader::{Observation, Reader, Rules, Violation};

/// Two programmes; the second begins at a discontinuity.
const GOOD: &str = "#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:10
#EXT-X-DISCONTINUITY-SEQUENCE:4
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-DATERANGE:ID=\"p7\",START-DATE=\"2026-05-01T20:00:00.000Z\",DURATION=4.0,X-TITLE=\"A, B\"
#EXT-X-PROGRAM-DATE-TIME:2026-05-01T20:00:00.000Z
#EXTINF:2.000,
s10.ts
#EXT-X-PROGRAM-DATE-TIME:2026-05-01T20:00:02.000Z
#EXTINF:2.000,
s11.ts
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-05-01T20:00:04.000Z
#EXTINF:2.000,
s12.ts
#EXT-X-PROGRAM-DATE-TIME:2026-05-01T20:00:06.000Z
#EXTINF:2.000,
s13.ts
";

fn at(secs: i64) -> Timestamp {
    let start: Timestamp = "2026-05-01T20:00:00Z".parse().expect("it is a date");
    start + SignedDuration::from_secs(secs)
}

/// A playlist by the numbers: segments `first..last` of 2 s, tags before `tagged`.
fn listing(first: u64, last: u64, discontinuity_sequence: u64, tagged: &[u64]) -> String {
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n\
         #EXT-X-DISCONTINUITY-SEQUENCE:{discontinuity_sequence}\n"
    );
    let segment = |msn: u64| {
        let tag = if tagged.contains(&msn) { "#EXT-X-DISCONTINUITY\n" } else { "" };
        let start = at(2 * msn.cast_signed());
        format!("{tag}#EXT-X-PROGRAM-DATE-TIME:{start}\n#EXTINF:2.000,\ns{msn}.ts\n")
    };
    text.extend((first..last).map(segment));
    text
}

fn sections(outcome: &Result<Observation, Vec<Violation>>) -> Vec<&'static str> {
    outcome.as_ref().err().into_iter().flatten().map(|violation| violation.section).collect()
}

#[test]
fn a_good_playlist_is_read_without_complaint() {
    let seen = Reader::new().observe(GOOD, at(8)).unwrap();
    assert_eq!((seen.target_secs, seen.media_sequence, seen.discontinuity_sequence), (2, 10, 4));
    assert_eq!((seen.segments.len(), seen.new, seen.missed), (4, 4, 0));
    let numbers: Vec<_> = seen.segments.iter().map(|s| (s.msn, s.discontinuity_number, s.discontinuity)).collect();
    assert_eq!(numbers, [(10, 4, false), (11, 4, false), (12, 5, true), (13, 5, false)]);
    assert_eq!(Reader::new().observe(&GOOD.replace('\n', "\r\n"), at(8)).unwrap().segments, seen.segments);
}

#[test]
fn every_fault_within_one_playlist_is_seen() {
    let faults = [
        ("EXTM3U is missing", "#EXTM3U\n", "", "§4.3.1.1"),
        ("EXTM3U is not first", "#EXTM3U\n", "# comment\n#EXTM3U\n", "§4.3.1.1"),
        ("a byte order mark", "#EXTM3U\n", "\u{feff}#EXTM3U\n", "§4.1"),
        ("a control character", "s10.ts", "s10\u{7}.ts", "§4.1"),
        ("a lone carriage return", "s10.ts\n", "s10.ts\r#c\n", "§4.1"),
        ("the last line is not terminated", "s13.ts\n", "s13.ts", "§4.1"),
        ("white space about a URI", "s10.ts", " s10.ts", "§4.1"),
        ("no version", "#EXT-X-VERSION:3\n", "", "§4.3.1.2"),
        ("a version in words", "VERSION:3", "VERSION:three", "§4.3.1.2"),
        ("a version too old for decimals", "VERSION:3", "VERSION:2", "§7"),
        ("two versions", "#EXT-X-VERSION:3\n", "#EXT-X-VERSION:3\n#EXT-X-VERSION:3\n", "§4.3.3"),
        ("no target duration", "#EXT-X-TARGETDURATION:2\n", "", "§4.3.3.1"),
        ("a decimal target duration", "TARGETDURATION:2", "TARGETDURATION:2.0", "§4.3.3.1"),
        ("a segment that rounds above the target", "EXTINF:2.000,\ns13", "EXTINF:2.500,\ns13", "§4.3.3.1"),
        ("a media sequence number in words", "SEQUENCE:10", "SEQUENCE:ten", "§4.3.3.2"),
        ("a media sequence number after a segment", "s11.ts\n", "s11.ts\n#EXT-X-MEDIA-SEQUENCE:10\n", "§4.3.3.2"),
        (
            "a discontinuity sequence number after a discontinuity",
            "#EXT-X-DISCONTINUITY\n",
            "#EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY-SEQUENCE:4\n",
            "§4.3.3.3",
        ),
        ("no EXTINF", "#EXTINF:2.000,\ns11.ts", "s11.ts", "§4.3.2.1"),
        ("an EXTINF without its comma", "EXTINF:2.000,\ns11", "EXTINF:2.000\ns11", "§4.3.2.1"),
        ("an EXTINF of nothing", "EXTINF:2.000,\ns11", "EXTINF:0.000,\ns11", "§4.3.2.1"),
        ("an EXTINF below nothing", "EXTINF:2.000,\ns11", "EXTINF:-2.000,\ns11", "§4.3.2.1"),
        ("two EXTINF for a segment", "#EXTINF:2.000,\ns11", "#EXTINF:2.000,\n#EXTINF:2.000,\ns11", "§4.3.2"),
        ("a tag for no segment", "s13.ts\n", "s13.ts\n#EXT-X-DISCONTINUITY\n", "§4.3.2"),
        ("a value on a discontinuity", "#EXT-X-DISCONTINUITY\n", "#EXT-X-DISCONTINUITY:1\n", "§4.3.2.3"),
        ("no date-time", "#EXT-X-PROGRAM-DATE-TIME:2026-05-01T20:00:02.000Z\n", "", "station"),
        ("a date-time without a zone", "20:00:02.000Z", "20:00:02.000", "§4.3.2.6"),
        ("a date-time 51 ms late", "20:00:02.000Z", "20:00:02.051Z", "§4.3.2.6"),
        ("a date-time that goes back at a discontinuity", "20:00:04.000Z", "20:00:01.999Z", "§4.3.2.6"),
        ("a date range without an id", "ID=\"p7\",", "", "§4.3.2.7"),
        ("a date range without a start", "START-DATE=\"2026-05-01T20:00:00.000Z\",", "", "§4.3.2.7"),
        ("a date range that lasts below nothing", "DURATION=4.0", "DURATION=-4.0", "§4.3.2.7"),
        ("a date range with an unknown attribute", "X-TITLE", "TITLE", "§4.3.2.7"),
        ("a date range that ends first", "DURATION=4.0", "END-DATE=\"2026-05-01T19:00:00Z\"", "§4.3.2.7"),
        ("a date range that ends on next without a class", "DURATION=4.0", "END-ON-NEXT=YES", "§4.3.2.7"),
        ("an open quote", "B\"\n", "B\n", "§4.2"),
        ("an attribute twice", "DURATION=4.0", "DURATION=4.0,DURATION=4.0", "§4.2"),
        ("a start without an offset", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-START:PRECISE=YES", "§4.3.5.2"),
        ("an end", "s13.ts\n", "s13.ts\n#EXT-X-ENDLIST\n", "station"),
        ("a type that forbids removal", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-PLAYLIST-TYPE:EVENT", "§4.3.3.5"),
        ("an unknown tag", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-ALLOW-CACHE:NO", "§4.3"),
        ("a tag of a multivariant playlist", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-STREAM-INF:BANDWIDTH=1", "§4.3.4"),
        ("one URI twice", "s13.ts", "s12.ts", "§6.2.2"),
    ];
    for (what, from, to, section) in faults {
        assert!(GOOD.contains(from), "{what}: nothing to change");
        let outcome = Reader::new().observe(&GOOD.replacen(from, to, 1), at(8));
        assert!(sections(&outcome).contains(&section), "{what}: expected {section}, got {outcome:?}");
    }
}

#[test]
fn what_the_rfc_allows_is_not_a_fault() {
    let allowed = [
        ("a comment and an empty line", "s10.ts\n", "s10.ts\n\n# Night Lights\n"),
        ("a start", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-START:TIME-OFFSET=-6.0"),
        ("a title", "EXTINF:2.000,\ns11", "EXTINF:2.000,Cats, and dogs\ns11"),
        ("a segment that rounds down to the target", "EXTINF:2.000,\ns13", "EXTINF:2.499,\ns13"),
        ("a date-time 50 ms late", "20:00:02.000Z", "20:00:02.050Z"),
        ("a date-time in another zone", "2026-05-01T20:00:02.000Z", "2026-05-01T22:00:02.000+02:00"),
        (
            "a hole in time at a discontinuity",
            "20:00:04.000Z\n#EXTINF:2.000,\ns12.ts\n#EXT-X-PROGRAM-DATE-TIME:2026-05-01T20:00:06",
            "20:00:05.000Z\n#EXTINF:2.000,\ns12.ts\n#EXT-X-PROGRAM-DATE-TIME:2026-05-01T20:00:07",
        ),
        (
            "a date range after the last segment",
            "s13.ts\n",
            "s13.ts\n#EXT-X-DATERANGE:ID=\"q\",START-DATE=\"2026-05-01T20:00:08Z\"\n",
        ),
    ];
    for (what, from, to) in allowed {
        assert!(GOOD.contains(from), "{what}: nothing to change");
        let outcome = Reader::new().observe(&GOOD.replacen(from, to, 1), at(8));
        assert!(outcome.is_ok(), "{what}: {outcome:?}");
    }
}

#[test]
fn a_date_time_in_the_future_is_a_fault_beyond_the_allowance() {
    assert_eq!(sections(&Reader::new().observe(GOOD, at(5))), ["station"]);
    let rules = Rules { future_allowance: SignedDuration::from_secs(1), ..Rules::default() };
    assert!(Reader::with_rules(rules).observe(GOOD, at(5)).is_ok());
}

/// Reads `first`, then `second`, and returns the faults of the second.
fn faults_between(first: &str, second: &str) -> Vec<&'static str> {
    let mut reader = Reader::new();
    reader.observe(first, at(1_000)).expect("the first is good");
    sections(&reader.observe(second, at(1_002)))
}

#[test]
fn a_window_that_moves_by_the_rules_is_read_without_complaint() {
    let tagged = [3, 4, 9];
    let mut reader = Reader::new();
    let mut gone = 0;
    for first in 0..12 {
        gone += u64::from(first > 0 && tagged.contains(&(first - 1)));
        let seen = reader.observe(&listing(first, first + 5, 7 + gone, &tagged), at(1_000)).unwrap();
        assert_eq!((seen.new, seen.missed), (if first == 0 { 5 } else { 1 }, 0));
        assert_eq!(seen.new_segments()[0].msn, if first == 0 { 0 } else { first + 4 });
    }
    let same = reader.observe(&listing(11, 16, 10, &tagged), at(1_000)).unwrap();
    assert_eq!(same.new, 0, "a refresh that brings nothing is no fault");
}

#[test]
fn segments_that_came_and_went_unseen_are_counted() {
    let mut reader = Reader::new();
    reader.observe(&listing(0, 5, 0, &[]), at(1_000)).unwrap();
    let seen = reader.observe(&listing(9, 14, 2, &[]), at(1_000)).unwrap();
    assert_eq!((seen.new, seen.missed), (5, 4));
}

#[test]
fn every_fault_between_two_refreshes_is_seen() {
    let before = listing(10, 15, 4, &[12]);
    let faults = [
        ("a lower media sequence number", listing(9, 15, 4, &[12]), "§6.2.2"),
        ("one segment removed, two counted", listing(11, 16, 4, &[12]).replace("SEQUENCE:11", "SEQUENCE:12"), "§6.2.2"),
        (
            "one segment removed, none counted",
            listing(11, 16, 4, &[12]).replace("SEQUENCE:11", "SEQUENCE:10"),
            "§6.2.2",
        ),
        ("another URI in the middle", before.replace("s12.ts", "s12b.ts"), "§6.2.2"),
        ("a URI used again", listing(11, 16, 4, &[12]).replace("s15.ts", "s10.ts"), "§6.2.2"),
        ("a segment removed from the end", listing(10, 14, 4, &[12]), "§6.2.1"),
        (
            "a segment put in front",
            before
                .replace("#EXT-X-DISC", "#EXT-X-PROGRAM-DATE-TIME:2026-05-01T20:00:20Z\n#EXTINF:1,\nx.ts\n#EXT-X-DISC"),
            "§6.2.2",
        ),
        ("a tag counted while its segment is listed", listing(12, 17, 5, &[12]), "§4.3.3.3"),
        ("a tag not counted when its segment left", listing(13, 18, 4, &[12]), "§4.3.3.3"),
        ("a tag counted twice", listing(13, 18, 6, &[12]), "§4.3.3.3"),
        ("a tag not counted, nothing left in common", listing(15, 20, 4, &[]), "§4.3.3.3"),
        ("a lower discontinuity sequence number", listing(13, 18, 3, &[12]), "§6.2.2"),
        ("a discontinuity tag that vanished", listing(11, 16, 4, &[]), "§6.2.1"),
        ("a discontinuity tag that appeared", listing(11, 16, 4, &[12, 13]), "§6.2.1"),
        ("a target duration that changed", before.replace("TARGETDURATION:2", "TARGETDURATION:3"), "§6.2.1"),
        ("a version that changed", before.replace("VERSION:3", "VERSION:4"), "§6.2.1"),
        (
            "a tag of the playlist that came",
            before.replace("#EXTM3U\n", "#EXTM3U\n#EXT-X-INDEPENDENT-SEGMENTS\n"),
            "§6.2.1",
        ),
        ("an EXTINF that changed", before.replacen("EXTINF:2.000", "EXTINF:1.990", 1), "§6.2.1"),
        ("a date-time that changed", before.replacen("20:00:20Z", "20:00:20.010Z", 1), "§6.2.1"),
        ("a window of less than three target durations", listing(13, 15, 5, &[12]), "§6.2.2"),
    ];
    for (what, after, section) in faults {
        assert_ne!(before, after, "{what}: nothing changed");
        let found = faults_between(&before, &after);
        assert!(found.contains(&section), "{what}: expected {section}, got {found:?}");
    }
}

#[test]
fn a_uri_is_remembered_long_after_it_left() {
    let mut reader = Reader::new();
    for first in 0..20 {
        reader.observe(&listing(first, first + 4, 0, &[]), at(1_000)).unwrap();
    }
    let again = listing(20, 24, 0, &[]).replace("s23.ts", "s2.ts");
    assert_eq!(sections(&reader.observe(&again, at(1_000))), ["§6.2.2"]);
}

#[test]
fn a_short_window_is_a_fault_only_after_it_was_long() {
    let mut reader = Reader::new();
    for last in 1..=3 {
        reader.observe(&listing(0, last, 0, &[]), at(1_000)).unwrap();
    }
    assert_eq!(sections(&reader.observe(&listing(2, 4, 0, &[]), at(1_000))), ["§6.2.2"]);
}

#[test]
fn a_date_range_may_not_change_what_it_said() {
    let changed = GOOD.replace("DURATION=4.0", "DURATION=5.0");
    assert_eq!(faults_between(GOOD, &changed), ["§4.3.2.7"]);
}

#[test]
fn a_playlist_that_brings_nothing_new_grows_stale() {
    let mut reader = Reader::with_rules(Rules { stale_after: Some(1.5), ..Rules::default() });
    let text = listing(0, 5, 0, &[]);
    reader.observe(&text, at(1_000)).unwrap();
    reader.observe(&text, at(1_003)).unwrap();
    assert_eq!(sections(&reader.observe(&text, at(1_004))), ["§6.2.2"]);
    reader.observe(&listing(1, 6, 0, &[]), at(1_005)).unwrap();
}

#[test]
fn a_fault_is_told_with_its_facts() {
    let told = |after: &str| {
        let mut reader = Reader::new();
        reader.observe(&listing(10, 15, 4, &[12]), at(1_000)).expect("the first is good");
        let faults = reader.observe(after, at(1_000)).expect_err("the second is not");
        faults.iter().map(Violation::to_string).collect::<Vec<_>>()
    };
    let counted_twice = told(&listing(11, 16, 5, &[12]));
    assert!(counted_twice.contains(&"§6.2.2: discontinuity number of s14.ts was 5 and is 6 now".to_owned()));
    let fallen = told(&listing(20, 25, 3, &[]));
    assert!(fallen.contains(&"§6.2.2: DISCONTINUITY-SEQUENCE fell from 4 to 3".to_owned()));
}

#[test]
fn dates_go_back_only_where_the_clock_was_set_and_only_at_a_discontinuity() {
    let set = Rules { clock_is_set: true, ..Rules::default() };
    let back = |at_discontinuity: bool| {
        let from = if at_discontinuity { ["20:00:04", "20:00:06"] } else { ["20:00:06", "20:00:06"] };
        GOOD.replace(from[0], "19:00:04").replace(from[1], "19:00:06")
    };
    for (what, rules, text, expected) in [
        ("set, at a discontinuity", set, back(true), vec![]),
        ("set, in the middle", set, back(false), vec!["§4.3.2.6"]),
        ("not set, at a discontinuity", Rules::default(), back(true), vec!["§4.3.2.6"]),
    ] {
        assert_eq!(sections(&Reader::with_rules(rules).observe(&text, at(8))), expected, "{what}");
    }
}
