//! Films watched on demand, from the station that carries them on air.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ladder::strict_readers_take;
use super::support::aired::packet_digests;
use super::support::ffmpegs::Ffmpeg;
use super::support::hls_text;
use super::support::media::{decode_errors, run};
use super::support::station::{Home, Station};
use super::{AUDIO, items};

const PACKET: usize = 188;

/// What is told of a film, and where its mezzanine lies.
struct Film {
    told: serde_json::Value,
    mezzanine: PathBuf,
}

/// Returns the films that are offered: all that the station has prepared.
fn films(home: &Home, station: &Station) -> Vec<Film> {
    let list = station.get("/api/channels/one/library").json();
    let mezzanines = items(home);
    assert_eq!(
        (list["total"].as_u64(), list["ready"].as_u64()),
        (Some(mezzanines.len() as u64), list["total"].as_u64())
    );
    let of = |item: &serde_json::Value| {
        let id = item["id"].as_str().unwrap();
        let told = station.get(&format!("/api/channels/one/library/{id}")).json();
        let begins = |path: &&PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(id);
        Film { told, mezzanine: mezzanines.iter().find(begins).unwrap().clone() }
    };
    list["items"].as_array().unwrap().iter().map(of).collect()
}

/// Goal: each film can be watched by itself, whole, in every rendition, and by players that know nothing of us. Method: what is
/// listed is fetched to its end, and is as long as the film, with unbroken counters. One film is looked into: strict readers
/// take its playlists; packet by packet each rendition is that picture of the mezzanine and its sound; ffmpeg decodes it
/// without a complaint, and once more over the network.
pub(crate) fn each_film_plays_whole(
    home: &Home,
    station: &Station,
    ffmpeg: &Ffmpeg,
    names: &[&str],
    looked_into: usize,
) {
    for (place, film) in films(home, station).iter().enumerate() {
        let address = film.told["playlist"].as_str().unwrap();
        let text = fetched(station, address, "no-cache").1;
        let listed: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(listed.len(), names.len(), "{text}");
        for (n, (uri, name)) in listed.iter().zip(names).enumerate() {
            let media = beside(address, uri);
            assert!(media.ends_with(&format!("/{name}/index.m3u8")), "{media}");
            let segments = segments(station, &media, film.told["duration_seconds"].as_f64().unwrap());
            let picture = (*name != AUDIO).then_some(n);
            assert_eq!(broken(&segments, if picture.is_some() { 2 } else { 1 }), Vec::<String>::new(), "{name}");
            if place == looked_into {
                let joined = home.path("film.ts");
                fs::write(&joined, segments.concat()).unwrap();
                is_of_the_mezzanine(film, picture, &joined);
                assert_eq!(decode_errors(ffmpeg, &joined), Vec::<String>::new(), "{name}");
            }
        }
        if place == looked_into {
            strict_readers_take(home, &text);
            strict_readers_take(home, &fetched(station, &beside(address, listed[0]), "no-cache").1);
            plays_over_the_network(station, ffmpeg, address);
        }
    }
}

/// Whether a rendition is this picture of the mezzanine, where it has one, and its sound.
fn is_of_the_mezzanine(film: &Film, picture: Option<usize>, joined: &Path) {
    assert_eq!(packet_digests(joined, "a:0"), packet_digests(&film.mezzanine, "a:0"));
    if let Some(picture) = picture {
        let whole = packet_digests(&film.mezzanine, &format!("v:{picture}"));
        assert!(whole.len() > 50, "{} frames", whole.len());
        assert_eq!(packet_digests(joined, "v:0"), whole, "of picture {picture}");
    }
}

/// Returns an answer's body, which caches may keep as is said.
fn fetched(station: &Station, path: &str, cache: &str) -> (Vec<u8>, String) {
    let answer = station.get(path);
    assert_eq!(answer.status, 200, "{path}: {}\n{}", answer.text(), station.log());
    assert!(answer.head.to_lowercase().contains(&format!("cache-control: {cache}")), "{path}: {}", answer.head);
    (answer.body.clone(), answer.text())
}

/// Returns an address that is told relative to another.
fn beside(base: &str, uri: &str) -> String {
    format!("{}/{uri}", base.rsplit_once('/').unwrap().0)
}

/// Fetches all segments of a media playlist, which breaks no rule but those for channels, and is as long as the film.
fn segments(station: &Station, address: &str, length: f64) -> Vec<Vec<u8>> {
    let text = fetched(station, address, "no-cache").1;
    let (playlist, violations) = hls_text::read(&text);
    // A channel has no end and dates; and it is no breach that nothing is removed from a film.
    let of_films =
        |one: &hls_text::Violation| one.section != "station" && !one.what.contains("EXT-X-PLAYLIST-TYPE:VOD");
    assert!(!violations.iter().any(of_films), "{violations:?}\n{text}");
    assert!(text.contains("#EXT-X-PLAYLIST-TYPE:VOD\n"), "{text}");
    assert!(text.ends_with("#EXT-X-ENDLIST\n"), "{text}");
    let sum: f64 = playlist.segments.iter().map(|segment| segment.secs).sum();
    assert!((sum - length).abs() < 0.001, "{sum} s of {length} s");
    let immutable = "public, max-age=31536000, immutable";
    playlist.segments.iter().map(|segment| fetched(station, &beside(address, &segment.uri), immutable).0).collect()
}

/// Returns what is wrong with segments as a transport stream: each begins with its tables, the program map names so many
/// streams, only those have a payload, and no packet is missing or doubled (ISO/IEC 13818-1 §2.4.3.3).
fn broken(segments: &[Vec<u8>], streams: usize) -> Vec<String> {
    let (mut counters, mut wrong) = (BTreeMap::<u16, u8>::new(), Vec::new());
    for (n, segment) in segments.iter().enumerate() {
        let packets: Vec<&[u8]> = segment.chunks(PACKET).collect();
        if packets.iter().any(|one| one.len() != PACKET || one[0] != 0x47) {
            return vec![format!("segment {n} is not whole packets")];
        }
        let pid = |packet: &[u8]| u16::from(packet[1] & 0x1f) << 8 | u16::from(packet[2]);
        let map = packets.iter().take(3).find(|one| pid(one) == 4096);
        let (true, Some(map)) = (packets.iter().take(3).any(|one| pid(one) == 0), map) else {
            wrong.push(format!("segment {n} does not begin with its tables"));
            continue;
        };
        let entries = &map[17..8 + usize::from(map[7]) - 4];
        let mut named = Vec::new();
        let mut rest = entries;
        while rest.len() >= 5 {
            named.push(u16::from(rest[1] & 0x1f) << 8 | u16::from(rest[2]));
            rest = &rest[5 + usize::from(rest[4])..];
        }
        if named.len() != streams {
            wrong.push(format!("segment {n} names {named:?}"));
        }
        for packet in packets.iter().filter(|one| one[3] & 0x10 != 0) {
            let (of, counter) = (pid(packet), packet[3] & 0x0f);
            if ![0, 17, 4096].contains(&of) && !named.contains(&of) {
                wrong.push(format!("segment {n} has something of {of}, which nobody named"));
            }
            let before = counters.insert(of, counter);
            if before.is_some_and(|before| (before + 1) & 0x0f != counter) {
                wrong.push(format!("segment {n}, {of}: {before:?}, then {counter}"));
            }
        }
    }
    wrong.truncate(5);
    wrong
}

/// ffmpeg as a player: it opens the film by its address, as a film with an end, and decodes all of it.
fn plays_over_the_network(station: &Station, ffmpeg: &Ffmpeg, address: &str) {
    let mut player = Command::new(&ffmpeg.program);
    player.args(["-hide_banner", "-nostdin", "-v", "error", "-i", &format!("http://{}{address}", station.address)]);
    player.args(["-map", "0:v:0", "-map", "0:a:0", "-fps_mode", "passthrough", "-enc_time_base:v", "1:90000"]);
    let words = run(player.args(["-f", "null", "-"])).stderr;
    assert_eq!(String::from_utf8_lossy(&words), "");
}

/// Goal: what is damaged is never sent, and is made again. Method: a byte in the middle of a film's mezzanine is turned over
/// while the station runs.
pub(crate) fn what_is_damaged_is_not_sent(home: &Home, station: &Station) {
    let Film { told, mezzanine } = films(home, station).pop().unwrap();
    let address = told["playlist"].as_str().unwrap();
    let last = last_segment(station, address);
    turn_over_near_the_end(&mezzanine);
    let answer = station.get(&last);
    assert_eq!(answer.status, 404, "{}", answer.text());
    assert!(answer.text().starts_with("This film is not ready"), "{}", answer.text());
    station.wait_for_log("it is told", |line| line.contains("its bytes are not what they were"));
    station.until("it is made again", || (station.get(address).status == 200).then_some(()));
    assert_eq!(station.get(&last_segment(station, address)).status, 200);
}

/// Goal: a film that leaves the cache while somebody watches it is watched to its end. Method: its file is removed, as an
/// eviction does, after it was asked for the first time.
pub(crate) fn what_is_watched_outlives_its_file(home: &Home, station: &Station) {
    let film = films(home, station).swap_remove(0);
    let address = film.told["playlist"].as_str().unwrap();
    let listed = fetched(station, address, "no-cache").1;
    let media = beside(address, listed.lines().rfind(|line| !line.starts_with('#')).unwrap());
    let length = film.told["duration_seconds"].as_f64().unwrap();
    let before = segments(station, &media, length);
    fs::remove_file(&film.mezzanine).unwrap();
    assert!(before.len() > 1 && before == segments(station, &media, length), "{} segments", before.len());
}

/// Returns the address of a film's last segment, of its last rendition.
fn last_segment(station: &Station, address: &str) -> String {
    let last = |text: &str| text.lines().rfind(|line| !line.starts_with('#')).unwrap().to_owned();
    let media = beside(address, &last(&fetched(station, address, "no-cache").1));
    beside(&media, &last(&fetched(station, &media, "no-cache").1))
}

fn turn_over_near_the_end(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() - 10 * PACKET + 100;
    bytes[at] ^= 0xff;
    // In place: the station has it open.
    let file = fs::File::options().write(true).open(path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &bytes[at..=at], at as u64).unwrap();
}

/// Goal: a film's subtitles stand beside it whole, on the film's own time. Method: the film with an SRT in UTF-16, whose flashes
/// are known; ffmpeg plays picture and lines by the address.
pub(crate) fn lines_stand_beside_the_film(station: &Station, flashes: &[f64]) {
    let items = station.get("/api/channels/one/library?q=a+fit").json();
    let address = items["items"][0]["playlist"].as_str().unwrap().to_owned();
    let list = fetched(station, &address, "no-cache").1;
    let named = list.lines().find(|line| line.contains("LANGUAGE=\"en\"")).unwrap_or_else(|| panic!("{list}"));
    assert_eq!(list.matches("TYPE=SUBTITLES").count(), 1, "those that the film has, and no others: {list}");
    let uri = named.split("URI=\"").nth(1).unwrap().trim_end_matches('"');
    let media = beside(&address, uri);
    let text = fetched(station, &media, "no-cache").1;
    assert!(text.ends_with("\n0.vtt\n#EXT-X-ENDLIST\n"), "{text}");
    let lines = fetched(station, &beside(&media, "0.vtt"), "no-cache").1;
    assert!(lines.starts_with("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:"), "{lines}");
    for at in flashes {
        assert!(lines.contains(&format!("00:00:{at:06.3} --> ")), "a line at {at}: {lines}");
    }
    let length =
        station.get(&format!("/api/channels/one/library/{}", items["items"][0]["id"].as_str().unwrap())).json();
    let end = length["duration_seconds"].as_f64().unwrap();
    assert!(lines.contains(&format!(" --> 00:00:{end:06.3}\nthe <i>end</i>")), "none outlives the film: {end} {lines}");
}
