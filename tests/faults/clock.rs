//! Goal: the wall clock may be set, drift, change its summer time or lose its time between two lives of the station, and
//! viewers see at worst one discontinuity. Method: the real station under a wall clock that the test sets.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::support::faults::{STILL_MAX, Seen};
use crate::support::ffmpegs;
use crate::support::hls_reader::Rules;
use crate::support::shim::WallClock;
use crate::support::station::{Home, Settings, Station};
use crate::support::sync::FlashBeep;
use crate::support::viewer::{Recording, watched};
use jiff::{SignedDuration, Timestamp};

const CHANNEL: &str = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\norder = \"sequential\"\n\
    [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A station, prepared, whose wall clock is ahead of the system's; `more` is its environment beside.
struct Ground {
    home: Home,
    clock: WallClock,
    _folder: tempfile::TempDir,
}

impl Ground {
    fn new(ahead: SignedDuration, more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = WallClock::new(&folder.path().join("clock"), ahead);
        let more = more.iter().map(|(name, value)| (name.into(), value.into()));
        let environment = clock.environment().into_iter().chain(more).collect();
        let home = Home::new(Settings { channels: CHANNEL.to_owned(), environment, ..Settings::default() });
        for (name, flashes) in [("a.mp4", 8), ("b.mp4", 9), ("c.mp4", 7)] {
            let film = FlashBeep { size: (320, 180), flashes, ..FlashBeep::default() };
            film.make(&ffmpegs::system(), &home.path("media/one").join(name));
        }
        Self { home, clock, _folder: folder }
    }

    fn start(&self) -> Station {
        let station = self.home.start();
        station.until("everything is prepared, and on air", || {
            let channel = station.channel("one");
            (channel["library"]["prepared"] == 3 && channel["state"] == "on_air").then_some(())
        });
        // A film that was not whole when it began, as on a busy machine, begins with a discontinuity of its own: a viewer
        // who comes when that is in the playlist does not count it.
        station.until("its first segment is out", || {
            let begun = self.wall().duration_since(time(&station.channel("one")["now"]["start"]));
            (begun > SignedDuration::from_secs(3)).then_some(())
        });
        station
    }

    /// The wall clock as the station has it.
    fn wall(&self) -> Timestamp {
        Timestamp::now() + self.clock.ahead()
    }

    /// How far the station's own answer is from the wall clock: at least, for the asking takes time.
    fn off(&self, station: &Station) -> SignedDuration {
        let before = self.wall();
        let told = time(&station.channel("one")["server_time"]);
        let after = self.wall();
        if told < before { told.duration_since(before) } else { told.duration_since(told.min(after)) }
    }

    /// The plan as the command line tells it.
    fn plan(&self, hours: &str) -> Vec<serde_json::Value> {
        let (status, answer, said) = self.home.ask(&["plan", "--json", "--hours", hours]);
        assert!(status.success(), "{said}");
        serde_json::from_str(&answer).unwrap()
    }
}

fn time(value: &serde_json::Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// Serial and start of what is on and of what comes.
fn planned(station: &Station) -> BTreeMap<u64, Timestamp> {
    let channel = station.channel("one");
    let rows = std::iter::once(&channel["now"]).chain(channel["next"].as_array().unwrap());
    rows.map(|row| (row["serial"].as_u64().unwrap(), time(&row["start"]))).collect()
}

/// What the viewer's rules are while the clock is set, and where nothing happens to it.
fn rules(clock_is_set: bool) -> Rules {
    Rules { clock_is_set, future_allowance: SignedDuration::from_millis(100), ..Rules::default() }
}

/// How long each programme that was seen from its beginning to its end was planned, and how long it played.
fn programmes(recording: &Recording) -> Vec<(String, f64, f64)> {
    let mut segments = BTreeMap::new();
    for playlist in &recording.playlists {
        let (mut range, mut secs) = (None, 0.0);
        for line in playlist.lines() {
            if line.starts_with("#EXT-X-DATERANGE") {
                let id = line.split("ID=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
                let length = line.split("PLANNED-DURATION=").nth(1).unwrap().split(',').next().unwrap();
                range = Some((id, length.parse::<f64>().unwrap()));
            } else if let Some(length) = line.strip_prefix("#EXTINF:") {
                secs = length.trim_end_matches(',').parse::<f64>().unwrap();
            } else if let Some(uri) = line.strip_prefix("segments/") {
                segments.insert(uri.trim_end_matches(".ts").parse::<u64>().unwrap(), (secs, range.take()));
            }
        }
    }
    let mut programmes: Vec<(String, f64, f64)> = Vec::new();
    for (secs, range) in segments.into_values() {
        programmes.extend(range.map(|(id, length)| (id, length, 0.0)));
        if let Some((_, _, played)) = programmes.last_mut() {
            *played += secs;
        }
    }
    programmes.pop();
    programmes
}

pub(crate) fn nothing_was_lost(recording: &Recording, station: &Station) {
    let whole = programmes(recording);
    assert!(whole.len() >= 2, "{whole:?}");
    for (id, planned, played) in &whole {
        assert!((planned - played).abs() < 0.06, "{id}: {played} s of {planned} s\n{}", station.log());
    }
    assert!(recording.stood_still < STILL_MAX, "{:?}\n{}", recording.stood_still, station.log());
    assert_eq!(station.channel("one")["restarts"], 0, "{}", station.log());
}

/// Goal: a clock that is set while the station runs costs viewers one discontinuity, and dates are right after it.
/// Method: set it under a watched station; the plan must have moved by the step and no programme been cut or dropped.
fn a_set_clock(fault: &str, step: SignedDuration) {
    let ground = Ground::new(SignedDuration::ZERO, &[]);
    let station = ground.start();
    let ((), recording) = watched(&station, "one", rules(true), || {
        station.until("the first programme is over", || (planned(&station).keys().next() >= Some(&2)).then_some(()));
        let before = planned(&station);
        ground.clock.set(step);
        station.wait_for_log("it is noticed", |line| line.contains("the system's clock was set"));
        assert!(ground.off(&station).abs() < SignedDuration::from_millis(200), "{:?}", ground.off(&station));
        station.until("the plan is dated anew", || {
            let after = planned(&station);
            let mut both = before.iter().filter_map(|(serial, was)| Some((*was, *after.get(serial)?))).peekable();
            both.peek()?;
            both.all(|(was, is)| (is.duration_since(was) - step).abs().as_millis() < 300).then_some(())
        });
        // The command line reads the plan that was kept, by the clock as it is now.
        station.until("the plan kept is dated anew", || {
            let (next, rows) = (station.channel("one")["next"][1].clone(), ground.plan("1"));
            let off = |row: &serde_json::Value| time(&row["start"]).duration_since(time(&next["start"])).abs();
            rows.iter().any(|row| row["title"] == next["title"] && off(row).as_millis() < 300).then_some(())
        });
        let on_air = station.channel("one")["now"].clone();
        let serial = on_air["serial"].as_u64().unwrap();
        station.until("two more", || (planned(&station).keys().next() >= Some(&(serial + 2))).then_some(()));
    });
    nothing_was_lost(&recording, &station);
    assert_eq!(recording.discontinuities, 1, "{}", station.log());
    // The newest segment ended at the latest when it was seen, and is no older than a segment and a refresh.
    let newest = *recording.begins.values().next_back().unwrap();
    let age = ground.wall().duration_since(newest).as_secs_f64();
    assert!((1.0..12.0).contains(&age), "the newest segment began {age} s ago");
    Seen::of(fault, &recording).tell();
}

#[test]
fn a_clock_set_an_hour_ahead_is_followed_with_one_discontinuity() {
    a_set_clock("the wall clock is set an hour ahead", HOUR);
}

#[test]
fn a_clock_set_an_hour_back_is_followed_with_one_discontinuity() {
    a_set_clock("the wall clock is set an hour back", -HOUR);
}

/// Goal: a small difference is made good and nobody sees it. Method: set the clock by less than half a second; dates must
/// join throughout, and be right in the end.
#[test]
fn a_small_difference_of_the_clock_is_made_good_without_a_discontinuity() {
    let ground = Ground::new(SignedDuration::ZERO, &[]);
    let station = ground.start();
    let ((), recording) = watched(&station, "one", rules(false), || {
        ground.clock.set(SignedDuration::from_millis(400));
        assert!(ground.off(&station).abs().as_millis() > 250, "{:?}", ground.off(&station));
        let near = SignedDuration::from_millis(200);
        station.until("it is made good", || (ground.off(&station).abs() < near).then_some(()));
    });
    nothing_was_lost(&recording, &station);
    assert_eq!(recording.discontinuities, 0, "{}", station.log());
    Seen::of("the wall clock is 0.4 s off", &recording).tell();
}

/// Goal: summer time comes and goes and viewers see nothing of it; people are told times by their zone. Method: a station
/// in Berlin, prepared in a life before, lives through the change twenty seconds after its start; its plan is read on both
/// sides.
fn a_change_of_summer_time(fault: &str, change: &str, before: i64, after: i64) {
    let change: Timestamp = change.parse().unwrap();
    let ahead = || change.duration_since(Timestamp::now()) - SignedDuration::from_secs(20);
    let ground = Ground::new(ahead(), &[("TZ", "Europe/Berlin")]);
    drop(ground.start());
    ground.clock.set(ahead());
    let station = ground.start();
    let hours = |at: Timestamp| SignedDuration::from_hours(if at < change { before } else { after });
    let ((), recording) = watched(&station, "one", rules(false), || {
        // What the table tells must be the list's dates, as clocks in Berlin show them.
        for side in ["before", "after"] {
            let ((status, table, said), rows) = (ground.home.ask(&["plan", "--hours", "1"]), ground.plan("1"));
            assert!(status.success(), "{said}");
            let mut sides = (0, 0);
            for row in rows.iter().take(100) {
                let start = time(&row["start"]);
                if start < change {
                    sides.0 += 1;
                } else {
                    sides.1 += 1;
                }
                let local = (start + hours(start)).strftime("%a %Y-%m-%d %H:%M:%S").to_string();
                assert!(table.contains(&local), "{side}: {local} is not in\n{table}");
            }
            assert!(sides.1 > 10, "{sides:?}");
            let over = change + SignedDuration::from_secs(if side == "before" { 12 } else { 0 });
            station.until("the change", || (ground.wall() > over).then_some(()));
        }
    });
    assert!(recording.begins.values().any(|at| *at < change) && recording.begins.values().any(|at| *at > change));
    nothing_was_lost(&recording, &station);
    assert_eq!(recording.discontinuities, 0, "{}", station.log());
    Seen::of(fault, &recording).tell();
}

#[test]
fn summer_time_begins_and_viewers_see_nothing() {
    a_change_of_summer_time("summer time begins", "2027-03-28T01:00:00Z", 1, 2);
}

#[test]
fn summer_time_ends_and_viewers_see_nothing() {
    a_change_of_summer_time("summer time ends", "2026-10-25T01:00:00Z", 2, 1);
}

/// Two lives of a station with the wall clock set in between, each watched; returns the second, while it lives.
fn killed_and_started(ground: &Ground, set: SignedDuration) -> (Vec<serde_json::Value>, Recording, Recording, Station) {
    let station = ground.start();
    let (plan, first) = watched(&station, "one", rules(false), || {
        let kept = Instant::now() + Duration::from_secs(8);
        station.until("the plan was kept", || (Instant::now() > kept).then_some(()));
        ground.plan("2")
    });
    station.signal("KILL");
    station.wait();
    ground.clock.set(set);
    let station = ground.home.start();
    let ((), second) = watched(&station, "one", rules(false), || {
        let until = Instant::now() + Duration::from_secs(8);
        station.until("some segments", || (Instant::now() > until).then_some(()));
    });
    let (last, next) = (first.segments.keys().next_back().unwrap(), second.segments.keys().next().unwrap());
    assert!(next > last, "numbers went from {last} to {next}");
    let sequence = |recording: &Recording| -> u64 {
        let line = recording.playlists.last().unwrap().lines().find(|line| line.contains("DISCONTINUITY-SEQUENCE"));
        line.unwrap().split(':').nth(1).unwrap().parse().unwrap()
    };
    assert!(sequence(&second) > sequence(&first));
    assert!(second.stood_still < STILL_MAX, "{:?}", second.stood_still);
    let edge = time(&station.channel("one")["edge"]);
    let age = ground.wall().duration_since(edge).as_secs_f64();
    assert!((-0.1..12.0).contains(&age), "the edge is {age} s old\n{}", station.log());
    (plan, first, second, station)
}

/// A row for two lives: the time between them is the operator's.
fn tell(fault: &str, first: &Recording, second: &Recording) {
    let stood_still = first.stood_still.max(second.stood_still);
    let saw = "a gap while it is off, one discontinuity".to_owned();
    Seen { fault, stood_still, saw }.tell();
}

/// Goal: a station that was off for an hour is where the plan had it. Method: read the plan of two hours, kill the
/// station, start it an hour later by the wall clock, and look the moment up.
#[test]
fn a_station_that_was_off_for_an_hour_is_where_the_plan_had_it() {
    let ground = Ground::new(SignedDuration::ZERO, &[]);
    let (plan, first, second, station) = killed_and_started(&ground, HOUR);
    let now = station.channel("one")["now"].clone();
    let start = time(&now["start"]);
    let row = plan.iter().min_by_key(|row| time(&row["start"]).duration_since(start).abs()).unwrap();
    assert_eq!(row["title"], now["title"], "{row} {now}\n{}", station.log());
    let off = time(&row["start"]).duration_since(start).abs();
    assert!(off.as_millis() < 300, "{row} began {off:?} from its planned time\n{}", station.log());
    tell("off for an hour", &first, &second);
}

/// Goal: a clock that lost an hour between two lives takes nothing from viewers: numbers go on. Method: kill the station,
/// start it with the wall clock an hour earlier.
#[test]
fn a_station_that_starts_an_hour_earlier_goes_on_with_higher_numbers() {
    let ground = Ground::new(SignedDuration::ZERO, &[]);
    let (_, first, second, _station) = killed_and_started(&ground, -HOUR);
    tell("started with the clock an hour back", &first, &second);
}
