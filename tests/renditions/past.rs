//! Those who go back find in every rendition what was live, to the byte, and find it again after the station was killed.

use std::fs;

use jiff::SignedDuration;

use crate::support::hls_reader::{Reader, Rules};
use crate::support::hls_text;
use crate::support::station::{Home, SILENCE, Station, files_below, talk};
use crate::support::viewer::Recording;

/// Older than this a segment is neither listed live nor promised any more.
const GONE: SignedDuration = SignedDuration::from_secs(54);

/// A station that is started again at speed goes back to the world's time: its clock was set.
const RULES: Rules = Rules {
    future_allowance: SignedDuration::from_secs(1),
    date_time_tolerance: SignedDuration::from_millis(50),
    stale_after: None,
    clock_is_set: true,
};

/// What is listed of the past of a rendition, judged.
fn look(station: &Station, name: &str, reader: &mut Reader) -> Vec<hls_text::Segment> {
    let answer = station.get(&format!("/channels/one/{name}/rewind.m3u8"));
    assert_eq!(answer.status, 200, "{}\n{}", answer.text(), station.log());
    let told = reader.observe(&answer.text(), station.now());
    told.unwrap_or_else(|found| panic!("{found:?}\n{}", answer.text())).segments
}

/// The number a segment had when it was live.
fn number(segment: &hls_text::Segment) -> u64 {
    let name = segment.uri.strip_prefix("segments/").and_then(|name| name.split_once('.')).unwrap();
    name.0.parse().unwrap()
}

/// Compares the past of each rendition with what was recorded of it live.
pub(crate) fn is_what_was_live(station: &Station, names: &[&str], recordings: &[Recording]) {
    let list = station.get("/channels/one/rewind.m3u8").text();
    for (name, recording) in names.iter().zip(recordings) {
        assert!(list.contains(&format!("\n{name}/rewind.m3u8\n")), "{list}");
        let mut reader = Reader::with_rules(RULES);
        let listed = look(station, name, &mut reader);
        let newest = listed.last().and_then(|last| last.date_time).unwrap();
        let mut old = 0;
        for segment in &listed {
            let Some(bytes) = recording.segments.get(&number(segment)) else { continue };
            let answer = station.get(&format!("/channels/one/{name}/{}", segment.uri));
            assert!(answer.status == 200 && answer.body == *bytes, "{name}: {} is another", segment.uri);
            if let Some(begins) = recording.begins.get(&number(segment)) {
                assert_eq!(Some(begins), segment.date_time.as_ref(), "{name}: {}", segment.uri);
            }
            if newest.duration_since(segment.date_time.unwrap()) < GONE {
                continue;
            }
            old += 1;
            let head = format!(
                "GET /channels/one/{name}/{} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nRange: bytes=188-375\r\n\r\n",
                segment.uri
            );
            let part = talk(&station.address, &head, SILENCE).unwrap();
            assert_eq!((part.status, &part.body[..]), (206, &bytes[188..376]), "{name}: {}", part.head);
        }
        assert!(old >= 2, "{name}: {old} of {} are not live any more", listed.len());
        let part = station.get(&format!("/channels/one/{name}/rewind.m3u8?_HLS_skip=YES")).text();
        assert!(part.contains("#EXT-X-SKIP:SKIPPED-SEGMENTS="), "{part}");
    }
    let told = station.channel("one")["rewind"].clone();
    assert_eq!(
        (told["window_seconds"].as_f64(), told["playlist"].as_str()),
        (Some(600.0), Some("/channels/one/rewind.m3u8"))
    );
}

/// Kills the station and starts it again: what was listed still is, and goes on.
pub(crate) fn lives_on(home: &Home, station: Station, name: &str) -> Station {
    let mut reader = Reader::with_rules(RULES);
    let before = look(&station, name, &mut reader);
    let oldest = station.get(&format!("/channels/one/{name}/{}", before[0].uri)).body;
    station.signal("KILL");
    let _killed = station.wait();
    let station = home.start();
    let after = station.until("it goes on", || {
        let listed = station.get("/channels/one/rewind.m3u8").status == 200;
        let after = listed.then(|| look(&station, name, &mut reader))?;
        (after.last()?.msn > before.last()?.msn + 2).then_some(after)
    });
    assert_eq!((&after[0], after.len() > before.len()), (&before[0], true));
    assert_eq!(station.get(&format!("/channels/one/{name}/{}", after[0].uri)).body, oldest);
    let files = files_below(&home.path("data/rewind/one"));
    let taken: u64 =
        files.iter().filter(|path| path.extension().is_some()).map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(taken > 0 && taken <= 100_000_000, "{taken} bytes");
    station
}
