//! What TV apps and media servers see: a real station, and the programs that people watch and tune with.
//!
//! Goal: whoever gives an app the one address watches. Method: one station; mpv and VLC are given its list of channels,
//! GStreamer and streamlink the address from it; XMLTV's own judge reads the guide; the tuner is looked for by the program of
//! its maker and by a strict client of our own, which reads every document and plays what they name.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::disallowed_methods, reason = "tests start programs, read the clock and write files")]
#![expect(clippy::print_stdout, reason = "tells what each program played")]

#[path = "apps/client.rs"]
mod client;
mod support;

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use client::{codecs, discovered, looks_whole, ts_of};
use support::ffmpegs;
use support::players::{Kind, Player};
use support::station::{Home, Settings, Station, rest, talk};
use support::sync::FlashBeep;

const CHANNELS: &str = "[apps]\nhdhomerun = true\n\n[[channel]]\nid = \"one\"\nname = \"One & <Only>\"\nfolder = \"media/one\"\n\
    logo = \"one.svg\"\ncolour = \"#ffaa00\"\norder = \"sequential\"\n[channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";

const LOGO: &str =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><rect width=\"9\" height=\"9\"/></svg>";

/// How much each player plays, in seconds.
const PLAYED_SECS: f64 = 4.0;

/// How many bytes of streamlink's are looked at: some seconds of a small picture.
const STREAMED_BYTES: u64 = 100_000;

fn station() -> (Home, Station) {
    let ffmpeg = ffmpegs::system();
    let home = Home::new(Settings {
        ffmpeg: ffmpeg.program.clone().into(),
        station: "settle-seconds = 0.1\n".to_owned(),
        channels: CHANNELS.to_owned(),
        ..Settings::default()
    });
    std::fs::write(home.path("one.svg"), LOGO).unwrap();
    let clip = FlashBeep { size: (320, 180), flashes: 30, ..FlashBeep::default() };
    clip.make(&ffmpeg, &home.path("media/one/Tom & Jerry <1>.mp4"));
    let station = home.start();
    station.until("it is on air", || station.playlist("one"));
    station.until("the film is prepared", || (station.channel("one")["library"]["prepared"] == 1).then_some(()));
    (home, station)
}

#[test]
fn apps_play_what_they_are_told_of() {
    let (home, station) = station();
    std::thread::scope(|scope| {
        let claims: [fn(&Home, &Station); 6] = [
            players_play_the_list_of_channels,
            streamlink_takes_the_stream,
            the_guide_is_valid,
            pictures_and_colours_are_those_of_the_configuration,
            the_tuner_is_found_and_plays,
            a_port_that_is_taken_ends_nothing,
        ];
        for claim in claims {
            let (home, station) = (&home, &station);
            scope.spawn(move || claim(home, station));
        }
    });
    a_new_look_is_followed_at_once(&home, &station);
    assert_eq!(station.channel("one")["restarts"], 0, "{}", station.log());
}

/// Goal: whoever chooses another colour sees it, and nobody who watches notices. Method: save it, and look until it is there.
fn a_new_look_is_followed_at_once(home: &Home, station: &Station) {
    let serial = station.channel("one")["now"]["serial"].clone();
    home.save(&CHANNELS.replace("#ffaa00", "#00ffaa").replace("logo =", "# logo ="));
    station.until("the new colour", || station.get_as("/brand.css").contains("#00ffaa").then_some(()));
    assert!(station.get_as("/channels.m3u").contains("/channels/one/logo.png\""), "the file's logo is gone");
    station.wait_for_log("what was done", |line| line.contains("names, order, looks and rewind follow"));
    let now = station.channel("one")["now"]["serial"].clone();
    assert!(now.as_u64() >= serial.as_u64() && !station.log().contains("1 changed"), "{}", station.log());
}

/// Returns what stands behind the channels of the list.
fn addresses(station: &Station, path: &str) -> Vec<String> {
    let list = station.get_as(path);
    assert!(list.starts_with("#EXTM3U "), "{list}");
    list.lines().filter(|line| line.starts_with("http://")).map(str::to_owned).collect()
}

/// Goal: one address in a player is enough. Method: mpv and VLC are given the list, and GStreamer, which knows no such
/// lists, the address that stands in it; each plays some seconds.
fn players_play_the_list_of_channels(home: &Home, station: &Station) {
    let list = format!("http://{}/channels.m3u", station.address);
    let hls = addresses(station, "/channels.m3u");
    assert_eq!(hls, [format!("http://{}/channels/one/index.m3u8", station.address)]);
    let watching = [(Kind::Mpv, &list), (Kind::Vlc, &list), (Kind::Gstreamer, &hls[0])];
    let watching = watching.map(|(kind, url)| (Player::start(kind, url, &home.path("")), url));
    for (player, url) in &watching {
        player.plays_until(PLAYED_SECS);
        println!("{} on {url}: played {:.1} s", player.kind, player.shown().played);
    }
}

/// Goal: streamlink, which others are built on, takes a channel. Method: its best stream to a file; what ffprobe says of it.
fn streamlink_takes_the_stream(home: &Home, station: &Station) {
    let url = format!("hls://{}", addresses(station, "/channels.m3u")[0]);
    let arguments = ["--pdeathsig", "KILL", "--", "streamlink", "--stdout", &url, "best"];
    let mut child =
        Command::new("setpriv").args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut bytes = Vec::new();
    child.stdout.take().unwrap().take(STREAMED_BYTES).read_to_end(&mut bytes).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let file = home.path("streamlink.ts");
    std::fs::write(&file, &bytes).unwrap();
    assert_eq!(codecs(&file), ["aac", "h264"], "{} bytes", bytes.len());
    println!("streamlink --stdout {url} best: {} bytes of H.264 and AAC", bytes.len());
}

/// Goal: apps understand the guide. Method: XMLTV's own judge, by its own DTD.
fn the_guide_is_valid(home: &Home, station: &Station) {
    let guide = station.get_as("/guide.xml");
    assert!(
        guide.contains("<title>Tom &amp; Jerry &lt;1&gt;</title>") && guide.contains("id=\"one.nightcast\""),
        "{guide}"
    );
    let file = home.path("guide.xml");
    std::fs::write(&file, &guide).unwrap();
    // Beside it, too, where a reader looks that follows the document's own word.
    let dtd = Path::new("/usr/share/xmltv/xmltv.dtd");
    std::fs::copy(dtd, home.path("xmltv.dtd")).unwrap();
    let judged = Command::new("tv_validate_file").arg("--dtd-file").arg(dtd).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&[judged.stdout, judged.stderr].concat()).into_owned();
    assert!(judged.status.success() && said.contains("Validated ok."), "{said}");
    println!("tv_validate_file: {} programmes, valid", guide.matches("<programme ").count());
}

/// Goal: the owner's logo and colours arrive. Method: the addresses that the list and the API name.
fn pictures_and_colours_are_those_of_the_configuration(_: &Home, station: &Station) {
    let list = station.get_as("/channels.m3u");
    let logo = list.split("tvg-logo=\"").nth(1).unwrap().split('"').next().unwrap();
    let path = logo.strip_prefix(&format!("http://{}", station.address)).unwrap();
    assert_eq!(station.get_as(path), LOGO);
    assert!(station.get_as("/brand.css").contains("[data-id=\"one\"], [data-channel=\"one\"] { --accent: #ffaa00; }"));
    assert_eq!(station.channel("one")["colour"], "#ffaa00");
}

/// Goal: media servers find the tuner and play it. Method: the maker's own program; our strict client finds it by UDP, reads
/// every document that it names, and plays the channel; what asks too often, or wrongly, is not answered.
fn the_tuner_is_found_and_plays(home: &Home, station: &Station) {
    let found = Command::new("hdhomerun_config").args(["discover", "127.0.0.1"]).output().unwrap();
    let said = String::from_utf8_lossy(&found.stdout).into_owned();
    let tuner = discovered().unwrap();
    assert!(said.contains(&format!("hdhomerun device {} found at 127.0.0.1", tuner.device)), "{said}");
    assert_eq!(tuner.base, format!("http://{}", station.address));
    assert_eq!(tuner.lineup, format!("{}/lineup.json", tuner.base));
    let json = |path: &str| -> serde_json::Value { serde_json::from_str(&station.get_as(path)).unwrap() };
    let discover = json("/discover.json");
    assert_eq!((&discover["DeviceID"], &discover["TunerCount"]), (&tuner.device.clone().into(), &tuner.tuners.into()));
    assert_eq!(
        (&discover["BaseURL"], &discover["LineupURL"]),
        (&tuner.base.clone().into(), &tuner.lineup.clone().into())
    );
    assert_eq!(json("/lineup_status.json")["ScanInProgress"], 0);
    let device = station.get_as("/device.xml");
    assert!(device.contains(&format!("<serialNumber>{}</serialNumber>", tuner.device)), "{device}");
    let lineup = json("/lineup.json");
    let channel = &lineup[0];
    assert_eq!((&channel["GuideNumber"], &channel["GuideName"]), (&"1".into(), &"One & <Only>".into()));
    let url = channel["URL"].as_str().unwrap();
    assert_eq!(addresses(station, "/lineup.m3u"), [url]);
    let (bytes, file) = (ts_of(&station.address, url), home.path("tuned.ts"));
    assert!(looks_whole(&bytes), "packets of 188 bytes, each with its beginning");
    std::fs::write(&file, &bytes).unwrap();
    assert_eq!(codecs(&file), ["aac", "h264"]);
    client::nobody_is_answered_too_often_or_for_nothing();
    let kept = std::fs::read_to_string(home.path("data/hdhomerun-id")).unwrap();
    assert_eq!(kept.trim(), tuner.device, "it is the same after a restart");
    println!("hdhomerun_config: {}; tuned {} bytes of H.264 and AAC from {url}", said.trim(), bytes.len());
}

/// Goal: two stations on one machine get along. Method: a second one with a tuner, whose port the first has.
fn a_port_that_is_taken_ends_nothing(_: &Home, _: &Station) {
    let home = Home::new(Settings { channels: CHANNELS.to_owned(), ..Settings::default() });
    let second = home.start();
    second.wait_for_log("a warning", |line| line.contains("WARN") && line.contains("UDP port 65001 cannot be had"));
    assert!(second.get_as("/discover.json").contains("\"DeviceID\""));
    second.signal("TERM");
    let (status, took) = second.wait();
    assert!(status.success() && took < Duration::from_secs(10), "{status} after {took:?}");
}

impl Station {
    /// Asks by the address that apps use: it stands in what they are told.
    fn get_as(&self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match talk(&self.address, &request, Duration::from_secs(20)) {
                Ok(answer) if answer.status == 200 => return answer.text(),
                other => assert!(Instant::now() < deadline, "{path}: {other:?}"),
            }
            rest();
        }
    }
}
