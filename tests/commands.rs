//! Goal: each command answers people and scripts, ends with the documented code, and leaves a running station alone.
//! Method: the real program, on configurations, folders and machines that are right and wrong.
#![expect(clippy::disallowed_methods, reason = "tests start programs and touch the disk")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::Value;
use support::bad_files::bad_files;
use support::clips::{make, picture, tone};
use support::films::X264;
use support::station::{Home, Settings, files_below};

/// A channel of small pictures whose films are all made anew.
const SLOW_CHANNEL: &str = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\nprepare = \"always\"\n\
    [channel.picture]\nsize = \"640x360\"\n";

/// Asks with a code expected, and returns the answer and the complaints.
fn ask(home: &Home, args: &[&str], code: i32) -> (String, String) {
    let (status, answer, complaints) = home.ask(args);
    assert_eq!(status.code(), Some(code), "{args:?}: {answer}\n{complaints}");
    (answer, complaints)
}

fn json(home: &Home, args: &[&str], code: i32) -> Value {
    let answer = ask(home, args, code).0;
    serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

fn film(home: &Home, name: &str, secs: f64) -> PathBuf {
    let (picture, tone) = (picture("320x180", "25", secs), tone(48_000, secs));
    make(&home.path("media/one"), name, &format!("{picture} {tone} {X264} -g 25 -c:a aac"))
}

/// Returns name and fact, or hint, of the checks of one outcome.
fn checks(answer: &Value, outcome: &str) -> BTreeMap<String, (String, String)> {
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let some = answer["checks"].as_array().unwrap().iter().filter(|check| check["outcome"] == outcome);
    some.map(|check| (text(check, "name"), (text(check, "fact"), text(check, "hint")))).collect()
}

#[test]
fn check_finds_a_good_machine_good_and_changes_nothing() {
    let home = Home::new(Settings::default());
    let (answer, complaints) = ask(&home, &["check"], 0);
    assert!(answer.ends_with(" 0 failed\n") && complaints.is_empty(), "{answer}{complaints}");
    let answer = json(&home, &["check", "--json"], 0);
    assert_eq!(answer["ok"], true, "{answer}");
    let good = checks(&answer, "ok");
    for name in [
        "configuration",
        "ffmpeg",
        "ffprobe",
        "ffmpeg encoders",
        "ffmpeg filters",
        "encoder",
        "address",
        "folder of one",
    ] {
        assert!(good.contains_key(name), "{name}: {answer}");
    }
    assert!(!home.path("data").exists());
}

/// Goal: whoever sets up a logo or a tuner hears what of it apps will not see. Method: a file that is no picture, and a tuner
/// on an address that only this machine reaches.
#[test]
fn check_tells_of_a_logo_and_a_tuner_that_apps_will_not_see() {
    let channel = Settings::default().channels;
    let channels = format!("[apps]\nhdhomerun = true\n{channel}logo = \"one.png\"\n");
    let home = Home::new(Settings { channels, ..Settings::default() });
    fs::write(home.path("one.png"), "no picture").unwrap();
    let warnings = checks(&json(&home, &["check", "--json"], 0), "warning");
    assert!(warnings["logo of one"].0.contains("neither PNG, JPEG, WebP nor SVG"), "{warnings:?}");
    assert!(warnings.contains_key("tuner"), "{warnings:?}");
}

/// Goal: who asks for a chip that is not there hears it before the station runs without it. Method: VA-API by a program
/// that finds none.
#[test]
fn check_tells_that_a_chip_is_not_there() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let ffmpeg = folder.path().join("ffmpeg");
    let none = "case \"$*\" in *h264_vaapi*) echo 'No VA display found' >&2; exit 1;; esac";
    fs::write(&ffmpeg, format!("#!/bin/sh\n{none}\nexec ffmpeg \"$@\"\n")).unwrap();
    fs::set_permissions(&ffmpeg, fs::Permissions::from_mode(0o755)).unwrap();
    let station = "encoder = \"vaapi\"".to_owned();
    let home = Home::new(Settings { ffmpeg: ffmpeg.into(), station, ..Settings::default() });
    let (fact, hint) = checks(&json(&home, &["check", "--json"], 0), "warning").remove("encoder").unwrap();
    assert_eq!(fact, "x264 makes pictures; vaapi cannot (No VA display found)");
    assert!(hint.contains("driver"), "{hint}");
}

#[test]
fn a_missing_ffmpeg_is_told_with_what_to_do() {
    let settings = Settings { ffmpeg: "/no/such/ffmpeg".into(), ..Settings::default() };
    let home = Home::new(settings);
    let bad = checks(&json(&home, &["check", "--json"], 3), "failed");
    let (fact, hint) = &bad["/no/such/ffmpeg"];
    assert_eq!(fact, "does not start");
    assert!(hint.contains("apt install ffmpeg"), "{hint}");
    assert!(ask(&home, &["check"], 3).0.contains("hint: "));
    let complaints = ask(&home, &["run"], 3).1;
    assert!(complaints.contains("/no/such/ffmpeg: does not start"), "{complaints}");
    assert!(complaints.contains("apt install ffmpeg"), "{complaints}");
    assert!(!home.path("data").exists(), "nothing was begun");
}

#[test]
fn everything_wrong_with_the_configuration_is_told_at_once() {
    let settings = Settings {
        station: "workers = 0".to_owned(),
        channels: "[[channel]]\nname = \"One\"\nfolder = \"media/one\"\norder = \"suffle\"\n".to_owned(),
        ..Settings::default()
    };
    let home = Home::new(settings);
    for command in ["check", "run", "plan", "library"] {
        let complaints = ask(&home, &[command], 2).1;
        for words in ["workers", "suffle", "shuffle", "2 problems in "] {
            assert!(complaints.contains(words), "{command}: {words}: {complaints}");
        }
    }
    let nowhere = home.ask(&["check", "--config", "no/such/file.toml"]);
    assert_eq!(nowhere.0.code(), Some(2), "{}", nowhere.2);
    assert!(nowhere.2.contains("hint: cp channels.example.toml channels.toml"), "{}", nowhere.2);
}

#[test]
fn an_unknown_channel_is_told_which_there_are() {
    let home = Home::new(Settings::default());
    for command in ["plan", "library"] {
        let complaints = ask(&home, &[command, "two"], 2).1;
        assert!(complaints.contains("there is no channel \"two\" (hint: there are one)"), "{complaints}");
    }
}

#[test]
fn a_taken_port_is_told_with_what_to_do_and_nothing_is_touched() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("listen = \"{}\"", taken.local_addr().unwrap());
    let home = Home::new(Settings { station: listen, ..Settings::default() });
    // What a station that runs elsewhere on the same data would be using.
    let used = home.path("data/run/one-1/segments.txt");
    fs::create_dir_all(used.parent().unwrap()).unwrap();
    fs::write(&used, "in use").unwrap();
    let complaints = ask(&home, &["run"], 3).1;
    assert!(complaints.contains("failed to listen on 127.0.0.1:"), "{complaints}");
    assert!(complaints.contains("hint: is another station running?"), "{complaints}");
    assert!(used.exists(), "what is in use stays");
    assert!(checks(&json(&home, &["check", "--json"], 0), "warning").contains_key("address"));
}

#[test]
fn two_stations_never_share_their_data() {
    let home = Home::new(Settings::default());
    film(&home, "a.mp4", 3.0);
    let station = home.start();
    station.until("it is on air", || (station.channel("one")["state"] == "on_air").then_some(()));
    // The same data, and a port of its own.
    let complaints = ask(&home, &["run"], 3).1;
    let by = format!("another station (process {}) is using the data folder", station.pid());
    assert!(complaints.contains(&by), "{complaints}");
    let edge = station.channel("one")["edge"].clone();
    station.until("the first goes on", || (station.channel("one")["edge"] != edge).then_some(()));
    assert_eq!(station.channel("one")["restarts"], 0, "{}", station.log());
    station.signal("KILL");
    drop(station);
    // A killed one leaves no lock behind.
    home.start();
}

#[test]
fn a_data_folder_that_cannot_be_used_is_told_with_what_to_do() {
    for below in ["", "/deeper/still"] {
        let home = Home::new(Settings { station: format!("data = \"data{below}\""), ..Settings::default() });
        fs::write(home.path("data"), "a file where the folder should be").unwrap();
        let complaints = ask(&home, &["run"], 3).1;
        assert!(complaints.contains("failed to use the data folder"), "{complaints}");
        assert!(complaints.contains("hint: it must be writable"), "{complaints}");
        let bad = checks(&json(&home, &["check", "--json"], 3), "failed");
        assert!(bad["data folder"].0.ends_with("is not a folder"), "{bad:?}");
    }
}

#[test]
fn library_tells_every_reason_and_leaves_nothing_behind() {
    let home = Home::new(Settings { station: "settle-seconds = 0.1".to_owned(), ..Settings::default() });
    let media = home.path("media/one");
    let good = film(&home, "good.mp4", 2.0);
    fs::create_dir(home.path("outside")).unwrap();
    let bad = bad_files(&media, &good, &home.path("outside"));
    let report = json(&home, &["library", "--json"], 0);
    let files = report["files"].as_array().unwrap();
    assert!(files.iter().all(|file| file["state"] == "settling"), "they have just been written: {report}");
    for path in files_below(&media) {
        fs::File::options().write(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
    let report = json(&home, &["library", "--json"], 0);
    let files = report["files"].as_array().unwrap();
    assert_eq!(files.len(), bad.len() + 1, "{report}");
    let find = |name: &str| files.iter().find(|file| file["file"] == name).unwrap();
    assert_eq!((&find("good.mp4")["state"], &find("good.mp4")["length_seconds"]), (&"fit".into(), &2.0.into()));
    let text = ask(&home, &["library", "one"], 0).0;
    for (name, reason) in bad {
        assert_eq!((&find(name)["state"], &find(name)["reason"]), (&"quarantined".into(), &reason.into()), "{name}");
        assert!(text.contains(&format!("  {name}\n    why: {reason}\n")), "{name}: {text}");
    }
    let plan = json(&home, &["plan", "--json"], 0);
    assert!(plan.as_array().unwrap().len() > 100, "{plan}");
    assert!(ask(&home, &["plan"], 0).0.lines().nth(1).unwrap().ends_with("good"));
    assert!(!home.path("data").exists(), "a station that never ran has no data");
    fs::rename(&media, home.path("away")).unwrap();
    assert!(ask(&home, &["library"], 0).0.contains("The folder does not exist."));
    assert!(ask(&home, &["plan"], 0).0.starts_with("Nothing is planned"));
}

#[test]
fn plan_and_library_leave_a_running_station_alone() {
    let home = Home::new(Settings {
        station: "settle-seconds = 0.1\nworkers = 1".to_owned(),
        channels: SLOW_CHANNEL.to_owned(),
        ..Settings::default()
    });
    film(&home, "a.mp4", 90.0);
    let station = home.start();
    // The slate, which is made there too, is smaller.
    let growing = station.until("a film is being made", || {
        let large = |path: &PathBuf| path.metadata().is_ok_and(|about| about.len() > 500_000);
        files_below(&home.path("data/cache/tmp")).into_iter().find(large)
    });
    // The slate's ffmpeg ends by itself.
    let before = station.children("a.mp4");
    assert_eq!(before.len(), 1, "{}", station.log());
    let report = json(&home, &["library", "--json"], 0);
    assert_eq!(report["files"][0]["state"], "waiting", "{report}");
    let plan = json(&home, &["plan", "--json"], 0);
    assert_eq!(plan[0]["title"], "a", "{plan}");
    ask(&home, &["plan", "one", "--hours", "1"], 0);
    ask(&home, &["library", "one"], 0);
    assert!(growing.exists(), "{}", station.log());
    assert_eq!(station.children("a.mp4"), before, "{}", station.log());
    station.until("the film is prepared", || (station.channel("one")["library"]["prepared"] == 1).then_some(()));
    assert_eq!(station.channel("one")["restarts"], 0, "{}", station.log());
    let report = json(&home, &["library", "--json"], 0);
    assert_eq!(report["files"][0]["state"], "prepared", "{report}");
    // What is told beside the station is what the station does.
    let told = json(&home, &["plan", "--json"], 0);
    let now = station.channel("one")["now"].clone();
    assert_eq!((&told[0]["title"], &told[0]["on_air"]), (&now["title"], &true.into()), "{told}");
    station.signal("TERM");
    assert!(station.wait().0.success());
    assert_eq!(json(&home, &["library", "--json"], 0)["files"][0]["state"], "prepared", "also without the station");
    assert_eq!(json(&home, &["plan", "--json"], 0)[0]["title"], "a");
}
