//! `nightcast doctor` before real stations, well and ill.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests start programs and write files")]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use support::ffmpegs;
use support::station::{Home, Settings, Station};
use support::sync::FlashBeep;

/// The widest line that a terminal shows whole.
const COLUMNS: usize = 80;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn channel(id: &str) -> String {
    format!(
        "[[channel]]\nid = \"{id}\"\nname = \"{id}\"\nfolder = \"media/{id}\"\n[channel.picture]\nsize = \"320x180\"\n\
         preset = \"ultrafast\"\n\n"
    )
}

/// A station's home with addresses that its configuration tells.
fn home() -> (Home, String) {
    let top = format!("[metrics]\nlisten = \"127.0.0.1:{}\"\n\n", free_port());
    let settings = Settings {
        station: format!("listen = \"127.0.0.1:{}\"\ncache-budget = \"200MB\"\nconnections-max = 50", free_port()),
        channels: top.clone() + &channel("one"),
        ..Settings::default()
    };
    let home = Home::new(settings);
    let film = FlashBeep { size: (320, 180), flashes: 8, ..FlashBeep::default() };
    film.make(&ffmpegs::system(), &home.path("media/one/a.mp4"));
    (home, top)
}

/// A text whose lines were broken to fit, in one.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Asks about the configuration as it lies there; returns the exit code and what was said.
fn doctor(home: &Home, more: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nightcast"));
    command.arg("--config").arg(home.path("channels.toml")).arg("doctor").args(more);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // A path cannot be broken.
    let is_wide = |line: &&str| line.chars().count() > COLUMNS && line.trim().contains(' ');
    let wide = text.lines().filter(is_wide).filter(|_| !more.contains(&"--json"));
    assert_eq!(wide.collect::<Vec<_>>(), Vec::<&str>::new(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), text)
}

fn in_state(station: &Station, id: &str, state: &str) {
    station.until(state, || (station.channel(id)["state"] == state).then_some(()));
}

/// Goal: a healthy station has nothing wrong, and each trouble is named with what to do. Method: one station that is given
/// a channel without films, then a broken configuration, and is killed at last.
#[test]
fn a_station_is_told_what_it_lacks() {
    let (home, top) = home();
    let station = home.start();
    in_state(&station, "one", "on_air");
    let (code, text) = doctor(&home, &[]);
    assert_eq!((code, text.trim()), (0, "Nothing is wrong (1 channel)."), "{}", station.log());

    fs::create_dir_all(home.path("media/two")).unwrap();
    home.save(&(top + &channel("one") + &channel("two")));
    station.until("it is followed", || (station.get("/api/channels/two").status == 200).then_some(()));
    in_state(&station, "two", "slate");
    let (code, text) = doctor(&home, &["--json"]);
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &told["ok"]), (4, &false.into()), "{text}");
    let first = &told["findings"][0];
    assert_eq!((&first["severity"], &first["runbook"]), (&"warning".into(), &"NightcastSlateTooLong".into()), "{text}");
    assert_eq!(first["what"], "The channel \"two\" has nothing to play and shows a card");
    assert_eq!(first["remedy"], "put films into its folder");

    let good = fs::read_to_string(home.path("channels.toml")).unwrap();
    fs::write(home.path("channels.toml"), good.replace("preset = ", "pre-set = ")).unwrap();
    station.wait_for_log("it is refused", |line| line.contains("not followed"));
    let (code, text) = doctor(&home, &[]);
    assert_eq!(code, 4, "{text}");
    let words = joined(&text);
    assert!(words.contains("WARNING The configuration is refused: the station goes on with an older one"), "{text}");
    assert!(words.contains("pre-set") && words.contains("nothing to play"), "the station is still found:\n{text}");

    fs::write(home.path("channels.toml"), good).unwrap();
    station.signal("KILL");
    let (_, _) = station.wait();
    let (code, text) = doctor(&home, &[]);
    assert_eq!(code, 4, "{text}");
    assert!(text.starts_with("CRITICAL  The station is not running\n"), "{text}");
    let words = joined(&text);
    assert!(words.contains("nobody holds the data folder") && words.contains("NightcastServerDown"), "{text}");
}

/// Goal: a port that something else has is told for what it is, and a folder that is away as well. Method: another server
/// at the station's address; the channel's folder is removed.
#[test]
fn a_stranger_at_the_port_is_no_station() {
    let (home, _) = home();
    let text = fs::read_to_string(home.save(&channel("one"))).unwrap();
    fs::remove_dir_all(home.path("media/one")).unwrap();
    let listen = text.split("listen = \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let stranger = TcpListener::bind(&listen).unwrap();
    let serving = std::thread::spawn(move || {
        let (mut peer, _) = stranger.accept().unwrap();
        let _asked = peer.read(&mut [0; 4096]).unwrap();
        peer.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nNo, sorry").unwrap();
    });
    let (code, text) = doctor(&home, &[]);
    serving.join().unwrap();
    assert_eq!(code, 4, "{text}");
    assert!(text.starts_with("CRITICAL  Something else has the station's port\n"), "{text}");
    let words = joined(&text);
    assert!(words.contains("status 404 No, sorry"), "{text}");
    assert!(words.contains("A folder of the channel \"one\" cannot be read"), "{text}");
}
