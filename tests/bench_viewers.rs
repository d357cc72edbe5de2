//! Goal: simulated viewers see what viewers of a station see, and a limit that they meet is named. Method: the real
//! program against a real station; no figure is judged, since the machine that tests is busy with other things.

mod support;

use serde_json::Value;
use support::clips::{make, picture, tone};
use support::films::X264;
use support::station::{Home, Settings};

/// Lets viewers loose; returns the exit code, the answer and the complaints.
fn viewers(home: &Home, args: &[&str]) -> (Option<i32>, String, String) {
    let (status, answer, complaints) = home.ask(&[&["bench", "viewers"], args].concat());
    (status.code(), answer, complaints)
}

fn json(answer: &str) -> Value {
    serde_json::from_str(answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// Goal: a crowd is let loose on this machine only, and what is wrong is told. Method: addresses elsewhere, and none.
#[test]
fn other_machines_are_left_alone_and_a_missing_station_is_told() {
    let home = Home::new(Settings::default());
    for (url, code, words) in [
        ("http://192.0.2.1:8080", 2, "is another machine"),
        ("http://tv.example", 2, "no name but localhost"),
        ("http://127.0.0.1:9", 3, "no station answers"),
    ] {
        let (got, answer, complaints) = viewers(&home, &["5", "--url", url]);
        assert_eq!((got, answer.as_str()), (Some(code), ""), "{url}: {complaints}");
        assert!(complaints.contains(words), "{url}: {complaints}");
    }
    let (code, _, complaints) = viewers(&home, &["20001"]);
    assert!(code == Some(2) && complaints.contains("20000 viewers at the most"), "{complaints}");
}

/// Goal: viewers fetch playlists and segments as players do, and where the station has no seats left that is said.
/// Method: fewer and more viewers than a small station has seats for.
#[test]
fn a_crowd_is_measured_and_the_stations_own_limit_is_named() {
    let settings = Settings { station: "connections-max = 10\n".to_owned(), ..Settings::default() };
    let home = Home::new(settings);
    let (picture, tone) = (picture("320x180", "25", 8.0), tone(48_000, 8.0));
    make(&home.path("media/one"), "film.mp4", &format!("{picture} {tone} {X264} -g 25 -c:a aac"));
    let station = home.start();
    station.until("a playlist", || station.playlist("one").filter(|text| text.matches("#EXTINF").count() > 3));
    let url = format!("http://{}", station.address);
    let (code, answer, complaints) =
        viewers(&home, &["4", "--url", &url, "--channel", "one", "--seconds", "2", "--json"]);
    let seen = json(&answer);
    let count = |what: &str| seen[what]["count"].as_u64().unwrap();
    assert!(count("playlists") >= 4 && count("segments") >= 1, "{answer}{complaints}");
    assert!(seen["bytes_per_second"].as_f64().unwrap() > 1000.0, "{answer}");
    assert_eq!((seen["viewers"].as_u64(), seen["errors"].as_object().unwrap().len()), (Some(4), 0), "{answer}");
    assert_eq!(code, Some(i32::from(seen["held"] != true)), "{answer}");
    let (code, answer, _) = viewers(&home, &["30", "--url", &url, "--seconds", "1"]);
    assert_eq!(code, Some(1), "{answer}");
    assert!(answer.contains("30 viewers over") && answer.contains("not held"), "{answer}");
    assert!(answer.contains("connections-max"), "{answer}");
    let (code, _, complaints) = viewers(&home, &["5", "--url", &url, "--channel", "nobody"]);
    assert!(code == Some(2) && complaints.contains("it has one"), "{complaints}");
}
