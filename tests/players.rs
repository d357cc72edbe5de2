//! What those see who watch with mpv, VLC and GStreamer.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::disallowed_methods, reason = "tests read the clock")]

mod support;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use support::faults::{STILL_MAX, Seen};
use support::ffmpegs::{self, Ffmpeg};
use support::hls_reader::Rules;
use support::players::{Kind, Player};
use support::station::{Home, PATIENCE, Settings, Station, rest, signal};
use support::sync::FlashBeep;
use support::viewer::{Recording, watched};

const CHANNEL: &str = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\norder = \"sequential\"\n\
    [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";

/// The same in three sizes.
const LADDER: &str = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\norder = \"sequential\"\n\
    renditions = [{ name = \"large\", size = \"320x180\", max-kbps = 600 }, \
    { name = \"middle\", size = \"256x144\", max-kbps = 300 }, { name = \"small\", size = \"170x96\", max-kbps = 150 }]\n\
    [channel.picture]\npreset = \"ultrafast\"\n";

/// How long each player plays a channel in several sizes, in seconds: `NIGHTCAST_PLAYERS_SECONDS`, or this.
const LADDER_SECS: f64 = 10.0;

/// A run whose timestamps begin here has them wrap some 36 s later: 2^33 / 90,000 is 95,443.7 s, and ffmpeg adds 1.4 s of
/// its own. The first playlist holds 20 s, so it happens 16 s after the channel came on air.
const BEFORE_THE_WRAP: u32 = 95_406;

/// No player is nearer to the live edge than this, in seconds: it is what `live.ts` begins with.
const BEHIND_SECS: i64 = 4;

/// 33 bits of 90 kHz, in seconds.
const WRAP: f64 = 8_589_934_592.0 / 90_000.0;

/// However far back in the window a player began, what is at the live edge now is before its eyes after this.
const WINDOW_SECS: f64 = 24.0;

/// The longest a picture may stand still for a fault that is not the network's: players take a second to set their clocks
/// anew, and the machine may be busy.
const PICTURE_STILL_MAX: Duration = Duration::from_secs(4);

/// A station with one item, which is prepared, at an address that stays. It follows itself, and needs no tag for that.
fn prepared(ffmpeg: &Ffmpeg, channel: &str, arguments: &[&str]) -> (Home, Station) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let home = Home::new(Settings {
        ffmpeg: ffmpeg.program.clone().into(),
        station: format!("listen = \"127.0.0.1:{port}\"\nsettle-seconds = 0.1\n"),
        channels: channel.to_owned(),
        arguments: arguments.iter().map(Into::into).collect(),
        ..Settings::default()
    });
    let clip = FlashBeep { size: (320, 180), flashes: 40, ..FlashBeep::default() };
    clip.make(ffmpeg, &home.path("media/one/a.mp4"));
    let station = home.start();
    station.until("everything is prepared", || (station.channel("one")["library"]["prepared"] == 1).then_some(()));
    (home, station)
}

fn players(station: &Station, home: &Home, stream: &str) -> Vec<Player> {
    let url = format!("http://{}/channels/one/{stream}", station.address);
    Kind::ALL.iter().map(|kind| Player::start(*kind, &url, &home.path(""))).collect()
}

/// Leaves a row for each player.
fn tell(fault: &str, recording: &Recording, players: &[Player]) {
    for player in players {
        let fault = format!("{fault}, watched with {}", player.kind);
        let still = player.shown().longest_still().as_secs_f64();
        let saw = format!("{}; the picture stood still for {still:.1} s at most", Seen::of(&fault, recording).saw);
        Seen { saw, ..Seen::of(&fault, recording) }.tell();
    }
}

/// The first timestamp of the picture in a segment, in seconds (ISO/IEC 13818-1 §2.4.3.7).
fn first_timestamp(segment: &[u8]) -> f64 {
    let at = segment.windows(4).position(|four| four == [0, 0, 1, 0xe0]).unwrap();
    let bits: Vec<u64> = segment[at + 9..at + 14].iter().map(|byte| u64::from(*byte)).collect();
    let ticks = ((bits[0] >> 1) & 7) << 30 | bits[1] << 22 | (bits[2] >> 1) << 15 | bits[3] << 7 | bits[4] >> 1;
    u32::try_from(ticks >> 1).map(f64::from).unwrap() * 2.0 / 90_000.0
}

/// Goal: nobody sees that the timestamps of MPEG-TS end after 26.5 hours. Method: let them end while every player watches,
/// as HLS and as one endless stream; each must have played through, however far back it was. No tag may say anything.
fn nobody_sees_the_wrap(ffmpeg: &Ffmpeg, streams: &[&str]) {
    let (home, station) = prepared(ffmpeg, CHANNEL, &["--first-timestamp", &BEFORE_THE_WRAP.to_string()]);
    station.signal("TERM");
    station.wait();
    let station = home.start();
    let ((watching, settled), recording) = watched(&station, "one", Rules::default(), || {
        let watching: Vec<Player> = streams.iter().flat_map(|stream| players(&station, &home, stream)).collect();
        watching.iter().for_each(Player::settles);
        let settled = station.now();
        for player in &watching {
            player.plays_until(16.0 + WINDOW_SECS + 2.0);
        }
        (watching, settled)
    });
    let stamps: Vec<(u64, f64)> =
        recording.segments.iter().map(|(msn, bytes)| (*msn, first_timestamp(bytes))).collect();
    let wraps: Vec<u64> = stamps.windows(2).filter(|two| two[1].1 < two[0].1).map(|two| two[1].0).collect();
    assert_eq!(wraps.len(), 1, "{stamps:?}");
    assert!(stamps[0].1 < WRAP && stamps[0].1 > WRAP - 40.0, "{stamps:?}");
    let soonest = recording.begins[&wraps[0]] + SignedDuration::from_secs(BEHIND_SECS);
    assert!(settled < soonest, "the players were ready at {settled}, and it may have passed them at {soonest}");
    for player in &watching {
        let shown = player.shown();
        assert!(shown.longest_still() < PICTURE_STILL_MAX, "{}: {shown:#?}", player.kind);
    }
    assert_eq!(recording.discontinuities, 0);
    assert!(recording.stood_still < STILL_MAX, "{:?}", recording.stood_still);
    assert_eq!(station.channel("one")["restarts"], 0, "{}", station.log());
    tell("Timestamps wrap (26.5 hours of a run)", &recording, &watching[..Kind::ALL.len()]);
    if let Some(endless) = watching.get(Kind::ALL.len()..).filter(|rest| !rest.is_empty()) {
        tell("Timestamps wrap in live.ts (26.5 hours of a run)", &recording, endless);
    }
}

#[test]
fn all_players_play_on_when_the_timestamps_wrap() {
    std::thread::scope(|scope| {
        let [system, newer] = <[Ffmpeg; 2]>::try_from(ffmpegs::all()).unwrap();
        let both = scope.spawn(move || nobody_sees_the_wrap(&system, &["index.m3u8", "live.ts"]));
        scope.spawn(move || nobody_sees_the_wrap(&newer, &["index.m3u8"])).join().unwrap();
        both.join().unwrap();
    });
}

/// Goal: who watches with a player sees nothing of a killed copier. Method: kill it, and have each player play through the
/// seam.
#[test]
fn every_player_plays_on_when_the_copier_is_killed() {
    let (home, station) = prepared(&ffmpegs::system(), CHANNEL, &[]);
    let (watching, recording) = watched(&station, "one", Rules::default(), || {
        let watching = players(&station, &home, "index.m3u8");
        watching.iter().for_each(Player::settles);
        signal(station.children("slots.ffconcat")[0], "KILL");
        let before: Vec<f64> = watching.iter().map(|player| player.shown().played).collect();
        // What the dead run had given back, up to four seconds, is shown first.
        watching.iter().zip(before).for_each(|(player, played)| player.plays_until(played + WINDOW_SECS + 4.0 + 2.0));
        watching
    });
    for player in &watching {
        let shown = player.shown();
        assert!(shown.longest_still() < PICTURE_STILL_MAX, "{}: {shown:#?}", player.kind);
    }
    assert_eq!(recording.discontinuities, 1);
    assert!(recording.stood_still < STILL_MAX, "{:?}", recording.stood_still);
    tell("On-air ffmpeg killed", &recording, &watching);
}

/// Goal: a player that waits for a killed station plays on by itself once it is back. Method: kill it, stay away for longer
/// than players have in store, start it again, and measure from then. mpv and VLC leave when the station cannot be
/// reached; both were told to begin again.
#[test]
fn every_player_comes_back_when_a_killed_station_does() {
    let (home, station) = prepared(&ffmpegs::system(), CHANNEL, &[]);
    let watching = players(&station, &home, "index.m3u8");
    watching.iter().for_each(Player::settles);
    station.signal("KILL");
    station.wait();
    let away = Instant::now() + Duration::from_secs(12);
    while Instant::now() < away {
        rest();
    }
    let station = home.start();
    let back = Instant::now();
    let before: Vec<f64> = watching.iter().map(|player| player.shown().played).collect();
    let mut waited = vec![None; watching.len()];
    while waited.contains(&None) && back.elapsed() < PATIENCE {
        for (player, (before, waited)) in watching.iter().zip(before.iter().zip(&mut waited)) {
            // Half a second of picture is no accident.
            if waited.is_none() && player.shown().played > before + 0.5 {
                *waited = Some(back.elapsed());
            }
        }
        rest();
    }
    for (player, waited) in watching.iter().zip(waited) {
        let waited = waited.unwrap_or_else(|| panic!("{} never came back: {:#?}", player.kind, player.shown()));
        assert!(waited < STILL_MAX, "{} took {waited:?}", player.kind);
        let fault = format!("Station killed, away for 12 s, watched with {}", player.kind);
        let still = player.shown().longest_still().as_secs_f64();
        let saw = format!(
            "plays on {:.1} s after it is back; the picture stood still for {still:.1} s",
            waited.as_secs_f64()
        );
        Seen { fault: &fault, stood_still: Duration::from_secs(12) + waited, saw }.tell();
    }
    drop(station);
}

/// Goal: every player plays a channel that is offered in several sizes, whichever it takes. Method: each is given the one
/// address there is, and plays for a while (`NIGHTCAST_PLAYERS_SECONDS=120 cargo test --test players sizes -- --nocapture`
/// for two minutes); its picture may not stand still.
#[test]
fn every_player_plays_a_channel_in_several_sizes() {
    let secs = std::env::var("NIGHTCAST_PLAYERS_SECONDS").map_or(LADDER_SECS, |text| text.parse().expect("a number"));
    let (home, station) = prepared(&ffmpegs::system(), LADDER, &[]);
    assert!(station.playlist("one").unwrap().contains("small/index.m3u8"));
    let watching = players(&station, &home, "index.m3u8");
    watching.iter().for_each(Player::settles);
    let before: Vec<f64> = watching.iter().map(|player| player.shown().played).collect();
    let begun = Instant::now();
    // In steps, each of which is waited for with a patience of its own.
    let steps = std::iter::successors(Some(LADDER_SECS.min(secs)), |at| (*at < secs).then_some((at + 30.0).min(secs)));
    for at in steps {
        watching.iter().zip(&before).for_each(|(player, before)| player.plays_until(before + at));
    }
    for (player, before) in watching.iter().zip(before) {
        let (shown, wall) = (player.shown(), begun.elapsed().as_secs_f64());
        let (played, still) = (shown.played - before, shown.longest_still());
        println!("{}: {played:.1} s of picture in {wall:.1} s; it stood still for {still:.1?} at most", player.kind);
        assert!(still < PICTURE_STILL_MAX, "{}: {shown:#?}", player.kind);
    }
    assert_eq!(station.channel("one")["restarts"], 0, "{}", station.log());
}
