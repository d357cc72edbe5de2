//! The operator's orders, carried out by a real station.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests write files and speak to sockets")]

mod support;

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use support::ffmpegs;
use support::hls_reader::Rules;
use support::scraped::scrape;
use support::station::{Answer, Home, Settings, Station, talk};
use support::sync::FlashBeep;
use support::viewer::watched;

const TOKEN: &str = "0123456789abcdef0123";

/// No playlist may be older than two target durations.
const STILL_MAX: Duration = Duration::from_secs(12);

/// Above the channels: a desk, and metrics where the system likes.
const TOP: &str = "[metrics]\nlisten = \"127.0.0.1:0\"\n\n[admin]\ntoken-file = \"token\"\n\n";

fn channel(id: &str, folder: &str) -> String {
    format!(
        "[[channel]]\nid = \"{id}\"\nname = \"Channel {id}\"\nfolder = \"media/{folder}\"\norder = \"sequential\"\n\
         [channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n\n"
    )
}

fn home(channels: &[(&str, &str)]) -> Home {
    let channels: String = channels.iter().map(|(id, folder)| channel(id, folder)).collect();
    let home = Home::new(Settings { channels: format!("{TOP}{channels}"), ..Settings::default() });
    fs::write(home.path("token"), format!("{TOKEN}\n")).unwrap();
    fs::set_permissions(home.path("token"), fs::Permissions::from_mode(0o600)).unwrap();
    home
}

fn film(path: &Path, seconds: u32) {
    let film = FlashBeep { size: (320, 180), flashes: seconds, ..FlashBeep::default() };
    film.make(&ffmpegs::system(), path);
}

fn send(station: &Station, method: &str, path: &str, token: &str, body: &str) -> Answer {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    talk(&station.address, &request, Duration::from_secs(30)).unwrap()
}

fn order(station: &Station, path: &str, body: &str) -> Answer {
    send(station, "POST", &format!("/api/admin/{path}"), TOKEN, body)
}

fn on_air(station: &Station, id: &str) {
    station.until("it is on air", || (station.channel(id)["state"] == "on_air").then_some(()));
}

/// The serials of what was and is on, oldest first.
fn aired(station: &Station, id: &str) -> Vec<u64> {
    let told = station.channel(id);
    told["aired"].as_array().unwrap().iter().filter_map(|one| one["serial"].as_u64()).collect()
}

fn first_number(playlist: &str, tag: &str) -> u64 {
    let line = playlist.lines().find_map(|line| line.strip_prefix(tag)).unwrap_or("0");
    line.parse().unwrap()
}

/// Goal: a skip ends the item at once, with one ordinary seam; nothing on the slate can be skipped; the history is true.
/// Method: a strict viewer watches two films of a minute while the first is skipped.
#[test]
fn a_skipped_item_gives_way_to_the_next_in_one_seam() {
    let home = home(&[("a", "one"), ("empty", "none")]);
    fs::create_dir_all(home.path("media/none")).unwrap();
    film(&home.path("media/one/1.mp4"), 60);
    film(&home.path("media/one/2.mp4"), 60);
    let station = home.start();
    station.until("both are prepared", || (station.channel("a")["library"]["prepared"] == 2).then_some(()));
    on_air(&station, "a");
    let (skipped, recording) = watched(&station, "a", Rules::default(), || {
        // What is near its end ends by itself.
        let is_young = || (station.channel("a")["position_seconds"].as_f64()? < 45.0).then_some(());
        station.until("its item is young", is_young);
        let on = aired(&station, "a");
        let told = station.channel("a");
        let (title, next) = (told["now"]["title"].clone(), told["next"][0]["title"].clone());
        let answer = order(&station, "channels/a/skip", "");
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.head.to_lowercase().contains("cache-control: no-store"), "{}", answer.head);
        station.until("the next is on", || (aired(&station, "a").len() > on.len()).then_some(()));
        assert_eq!(aired(&station, "a")[on.len()], on[on.len() - 1] + 1, "the very next programme");
        let edge = station.channel("a")["edge"].clone();
        station.until("it goes on", || (station.channel("a")["edge"] != edge).then_some(()));
        assert_eq!(answer.json()["skipped"], title);
        assert_eq!(station.channel("a")["now"]["title"], next, "what was announced");
        answer.json()
    });
    assert_eq!(recording.discontinuities, 0, "both films are alike");
    assert!(recording.stood_still < STILL_MAX, "it stood still for {:?}", recording.stood_still);
    assert_eq!(station.channel("a")["restarts"], 0);
    let told = station.channel("a");
    let [.., before, last] = &told["aired"].as_array().unwrap()[..] else { panic!("two were on: {told}") };
    let [since, begun, foretold] = [&before["start"], &last["start"], &skipped["ends"]]
        .map(|text| text.as_str().unwrap().parse::<Timestamp>().unwrap());
    let cut = begun.duration_since(since).as_secs_f64() < before["duration_seconds"].as_f64().unwrap() - 1.0;
    assert!(cut, "it ended before its time: {told}");
    assert!(
        begun.duration_since(foretold).abs() < SignedDuration::from_millis(200),
        "{begun}, foretold for {foretold}"
    );

    station.until("the slate is on", || (station.channel("empty")["state"] == "slate").then_some(()));
    let refused = order(&station, "channels/empty/skip", "");
    assert_eq!(
        (refused.status, refused.json()["error"].as_str().unwrap()),
        (409, "No item is on air that could be skipped.")
    );
    assert_eq!(send(&station, "POST", "/api/admin/channels/a/skip", "wrong", "").status, 401);
    assert!(!station.log().contains(TOKEN), "the token is in no log");
    let orders = station.log().matches("the operator's order was carried out").count();
    assert_eq!(orders, 1, "each order is told once\n{}", station.log());
}

/// Goal: a channel taken off the air ends, says so, is remembered and comes back; the other does not flicker. Method: a
/// strict viewer watches the other through all of it; then the station is started again.
#[test]
fn a_channel_is_taken_off_the_air_and_put_on_again() {
    let home = home(&[("a", "one"), ("b", "one")]);
    film(&home.path("media/one/1.mp4"), 20);
    let station = home.start();
    on_air(&station, "a");
    on_air(&station, "b");
    let before = station.until("b has a playlist", || station.playlist("b"));
    let ((), recording) = watched(&station, "a", Rules::default(), || {
        let live = station.live_ts("b");
        let answer = order(&station, "channels/b/off", "");
        assert_eq!((answer.status, answer.json()["remembered"].as_bool()), (200, Some(true)), "{}", answer.text());
        is_off(&station, "b");
        assert!(ends(live), "an endless stream ends with it");
        assert_eq!(order(&station, "channels/b/off", "").status, 409);
        assert_eq!(order(&station, "channels/b/skip", "").status, 409);
        assert_eq!(station.get("/readyz").status, 200, "nobody waits for it");
        assert!(station.children("b-1").is_empty(), "its ffmpeg has ended");
        let told = scrape(&station);
        assert_eq!(told.get("nightcast_channel_state", &[("channel", "b"), ("state", "off")]), Some(1.0));
        assert_eq!(told.get("nightcast_channel_last_segment_timestamp_seconds", &[("channel", "b")]), None);
        assert_eq!(told.get("nightcast_ready", &[]), Some(1.0));
        home.save(&format!("{TOP}{}{}", channel("a", "one"), channel("b", "one").replace("Channel b", "Else")));
        station.until("the new name is told", || (station.channel("b")["name"] == "Else").then_some(()));
        is_off(&station, "b");
        assert_eq!(order(&station, "channels/b/on", "").status, 200);
        let after = station.until("it is back", || station.playlist("b"));
        let numbers = [&before, &after].map(|text| first_number(text, "#EXT-X-MEDIA-SEQUENCE:"));
        assert!(numbers[1] > numbers[0] + 3, "its numbers go on: {numbers:?}");
        let seams = [&before, &after].map(|text| first_number(text, "#EXT-X-DISCONTINUITY-SEQUENCE:"));
        assert!(seams[1] > seams[0], "{seams:?}");
        assert_eq!(after.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "one seam, where it comes back\n{after}");
        assert_eq!(order(&station, "channels/b/on", "").status, 409);
    });
    assert_eq!(recording.discontinuities, 0);
    assert!(recording.stood_still < STILL_MAX, "it stood still for {:?}", recording.stood_still);
    assert_eq!(station.channel("a")["restarts"], 0);

    assert_eq!(order(&station, "channels/a/off", "").status, 200);
    station.signal("TERM");
    assert!(station.wait().0.success());
    let station = home.start();
    station.until("b is on air", || station.playlist("b"));
    is_off(&station, "a");
    assert_eq!(order(&station, "channels/a/on", "").status, 200);
    station.until("a is back", || station.playlist("a"));
}

/// Whether a stream comes to the end that its own format has, and no other.
fn ends(mut stream: TcpStream) -> bool {
    let (mut last, mut bytes) = (Vec::new(), [0; 8192]);
    while !last.ends_with(b"\r\n0\r\n\r\n") {
        match stream.read(&mut bytes) {
            Ok(read @ 1..) => last.extend_from_slice(&bytes[..read]),
            _ => return false,
        }
    }
    true
}

fn is_off(station: &Station, id: &str) {
    let playlist = station.get(&format!("/channels/{id}/index.m3u8"));
    assert_eq!((playlist.status, playlist.text().trim()), (503, "This channel is off the air for now."));
    assert!(playlist.head.to_lowercase().contains("retry-after: 10"), "{}", playlist.head);
    assert_eq!(station.get(&format!("/channels/{id}/live.ts")).status, 503);
    let told = station.channel(id);
    assert_eq!((&told["state"], &told["reason"]), (&"off".into(), &"This channel is off the air for now.".into()));
}

/// Goal: a file that is set aside is told with its reason and since when, and looked at again when that is ordered. Method: a film whose bytes
/// are mended while its size and time stay as they were, so that nothing else could notice; the orders come from the
/// command line.
#[test]
fn a_mended_file_is_looked_at_again_when_that_is_ordered() {
    let home = home(&[("a", "one")]);
    let (good, bad) = (home.path("good.mp4"), home.path("media/one/bad.mp4"));
    film(&good, 6);
    film(&home.path("media/one/1.mp4"), 6);
    fs::write(&bad, vec![7_u8; usize::try_from(fs::metadata(&good).unwrap().len()).unwrap()]).unwrap();
    let changed = fs::metadata(&bad).unwrap().modified().unwrap();
    let station = home.start();
    let told = station.until("it is set aside", || {
        let answer = send(&station, "GET", "/api/admin/quarantine", TOKEN, "").json();
        let file = answer["channels"][0]["files"][0].clone();
        file.is_object().then_some(file)
    });
    assert_eq!((&told["file"], &told["cause"]), (&"bad.mp4".into(), &"not_media".into()), "{told}");
    assert!(told["path"].as_str().unwrap().ends_with("/media/one/bad.mp4"), "{told}");
    assert!(told["sentence"].as_str().unwrap().ends_with('.'), "{told}");
    station.until("since when is noted", || {
        let answer = send(&station, "GET", "/api/admin/quarantine", TOKEN, "").json();
        answer["channels"][0]["files"][0]["since"].as_str().map(str::to_owned)
    });

    fs::copy(&good, &bad).unwrap();
    fs::File::options().write(true).open(&bad).unwrap().set_modified(changed).unwrap();
    let url = format!("http://{}", station.address);
    let token = home.path("token");
    let admin = |more: &[&str]| {
        let args = [&["admin", "--url", &url, "--token-file", token.to_str().unwrap()], more].concat();
        home.ask(&args)
    };
    let (status, answer, _) = admin(&["rescan"]);
    assert_eq!((status.code(), answer.trim()), (Some(0), "the folders are walked now of: a"));
    let (status, answer, _) = admin(&["quarantine"]);
    assert!(status.success() && answer.contains("bad.mp4") && answer.contains("(not_media, since "), "{answer}");
    let (status, _, complaint) = admin(&["requeue", "a", "1.mp4"]);
    assert_eq!(status.code(), Some(1), "it is not set aside");
    assert!(complaint.contains("No such file is set aside"), "{complaint}");
    let (status, answer, complaint) = admin(&["requeue", "a", "bad.mp4"]);
    assert_eq!((status.code(), answer.trim()), (Some(0), "looked at again: bad.mp4"), "{complaint}");
    station.until("it is an item", || (station.channel("a")["library"]["prepared"] == 2).then_some(()));

    // One that passes the look and fails the workshop: what is between its ends is gone.
    on_air(&station, "a");
    let (bytes, torn) = (fs::read(&good).unwrap(), home.path("media/one/torn.mp4"));
    let mut without = bytes.clone();
    let (from, to) = (bytes.len() / 10, bytes.len() * 8 / 10);
    without[from..to].fill(0);
    fs::write(home.path("torn"), &without).unwrap();
    fs::rename(home.path("torn"), &torn).unwrap();
    let told = station.until("it is set aside, too", || {
        let answer = send(&station, "GET", "/api/admin/quarantine", TOKEN, "").json();
        let file = answer["channels"][0]["files"][0].clone();
        file.is_object().then_some(file)
    });
    assert_eq!((&told["file"], &told["cause"]), (&"torn.mp4".into(), &"damaged".into()), "{told}");
    let changed = fs::metadata(&torn).unwrap().modified().unwrap();
    fs::write(&torn, &bytes).unwrap();
    fs::File::options().write(true).open(&torn).unwrap().set_modified(changed).unwrap();
    let (status, answer, complaint) = admin(&["requeue", "a", "--all"]);
    assert_eq!((status.code(), answer.trim()), (Some(0), "looked at again: torn.mp4"), "{complaint}");
    station.until("it is prepared", || (station.channel("a")["library"]["prepared"] == 3).then_some(()));

    let (status, answer, _) = admin(&["quarantine", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert!(status.success() && listed["channels"][0]["files"].as_array().unwrap().is_empty(), "{answer}");
    let (status, _, complaint) = home.ask(&["admin", "skip", "a", "--url", &url, "--token-file", "good.mp4"]);
    assert_eq!(status.code(), Some(2), "a film is no token: {complaint}");
    assert!(complaint.contains("good.mp4 is") && complaint.contains("(hint: "), "{complaint}");
}

/// Goal: a token that everybody can read keeps the station from starting, and from following a configuration; a new one is
/// taken with it. Method: widen the file's rights before the start, then while the station runs.
#[test]
fn a_token_that_is_no_secret_is_refused() {
    let home = home(&[("a", "one")]);
    let mode = |mode| fs::set_permissions(home.path("token"), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    let (status, _, complaint) = home.ask(&["run"]);
    assert_eq!(status.code(), Some(3), "{complaint}");
    assert!(complaint.contains("is open to others, mode 644 (hint: chmod 600"), "{complaint}");
    mode(0o600);
    let station = home.start();
    assert_eq!(order(&station, "rescan", "").status, 200);
    mode(0o604);
    station.signal("HUP");
    station.wait_for_log("it is refused", |line| line.contains("not followed") && line.contains("mode 604"));
    assert_eq!(order(&station, "rescan", "").status, 200, "the old one still opens");
    mode(0o600);
    fs::write(home.path("token"), "another-token-of-good-length").unwrap();
    station.signal("HUP");
    station.wait_for_log("it is read", |line| line.contains("configuration was read again"));
    station.until("the old one opens no more", || (order(&station, "rescan", "").status == 401).then_some(()));
    assert_eq!(send(&station, "POST", "/api/admin/rescan", "another-token-of-good-length", "").status, 200);
    home.save(&channel("a", "one"));
    station.until("without a token there is nothing", || (order(&station, "rescan", "").status == 405).then_some(()));
}
