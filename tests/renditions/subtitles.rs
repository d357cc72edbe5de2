//! Subtitles beside the picture: files of several kinds, and tracks in a film.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use super::support::aired::until_programmes_begin;
use super::support::ffmpegs;
use super::support::hls_text;
use super::support::media::{file, run};
use super::support::station::{Home, Settings, Station, signal};
use super::support::sync::{Codecs, FlashBeep, measure};
use super::support::viewer::{Recording, watch};

/// How fast the station lives: an ffmpeg that is killed is replaced in the world's time.
const SPEED: f64 = 2.0;

/// How far a cue may be from its picture, in seconds: a frame and the rounding of a cue's milliseconds.
const STEP_MAX: f64 = 0.045;

/// How long a flash's cue stands.
const STANDS: f64 = 0.3;

const CHANNEL: &str = "[[channel]]\nid = \"one\"\nname = \"One\"\nfolder = \"media/one\"\norder = \"sequential\"\non-demand = true\n\
    subtitle-languages = [\"en\", \"de\"]\n[channel.picture]\nsize = \"320x180\"\npreset = \"ultrafast\"\n";

fn time(secs: f64, point: char) -> String {
    format!("00:00:{secs:06.3}").replace('.', &point.to_string())
}

/// A cue for each flash, and one that would stand long after the film.
fn cues(clip: &FlashBeep) -> Vec<(f64, f64, String)> {
    let flashes = clip.flashes_at();
    let one = |(n, at): (usize, &f64)| (*at, at + STANDS, format!("flash {n}"));
    flashes.iter().enumerate().map(one).chain([(flashes[0] + 4.2, 50.0, "the <i>end</i> & more".to_owned())]).collect()
}

fn srt(clip: &FlashBeep) -> String {
    let one = |(n, (start, end, text)): (usize, (f64, f64, String))| {
        format!("{}\r\n{} --> {}\r\n{text}\r\n\r\n", n + 1, time(start, ','), time(end, ','))
    };
    cues(clip).into_iter().enumerate().map(one).collect()
}

fn ass(clip: &FlashBeep) -> String {
    let one = |(start, end, text): (f64, f64, String)| {
        let text = text.replace("<i>", "{\\i1}").replace("</i>", "{\\i0}");
        let time = |secs: f64| format!("0:00:{secs:05.2}");
        format!("Dialogue: 0,{},{},Default,,0,0,0,,{{\\an8}}{text}\n", time(start), time(end))
    };
    let events: String = cues(clip).into_iter().map(one).collect();
    format!(
        "[Script Info]\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n{events}"
    )
}

/// Films of other kinds: a file that fits with an SRT in UTF-16, one with tracks in it, one whose time does not begin at 0
/// with an ASS whose name tells no language, and one with something broken.
fn furnish(home: &Home) {
    let (system, folder) = (ffmpegs::system(), home.path("media/one"));
    let plain = FlashBeep { size: (320, 180), ..FlashBeep::default() };
    plain.make(&system, &folder.join("a fit.mp4"));
    let utf16: Vec<u8> = srt(&plain).encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(folder.join("a fit.en.srt"), [b"\xff\xfe".as_slice(), &utf16].concat()).unwrap();

    let hevc = FlashBeep { codecs: Codecs::HevcAac, fps: (30, 1), ..plain.clone() };
    let (film, text) = (home.path("hevc.mkv"), home.path("hevc.srt"));
    hevc.make(&system, &film);
    fs::write(&text, srt(&hevc)).unwrap();
    let mut mux = Command::new(&system.program);
    mux.args(["-hide_banner", "-nostdin", "-v", "error", "-i", &file(&film), "-i", &file(&text), "-i", &file(&text)]);
    mux.args(["-map", "0", "-map", "1", "-map", "2", "-c", "copy", "-c:s:1", "ass"]);
    mux.args(["-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=ger"]);
    run(mux.arg(file(&folder.join("b tracks.mkv"))));

    let mpeg2 = FlashBeep { codecs: Codecs::Mpeg2Mp2, ..plain.clone() };
    mpeg2.make(&system, &folder.join("c late.ts"));
    fs::write(folder.join("c late.ass"), ass(&mpeg2)).unwrap();
    fs::write(folder.join("c late.de.vtt"), b"WEBVTT\n\n\x00\xff --> broken").unwrap();
}

/// What a segment of subtitles says, in seconds: the timestamp its local times count from, and its cues.
fn read(segment: &[u8]) -> (f64, Vec<(f64, f64, String)>) {
    let text = std::str::from_utf8(segment).unwrap();
    let (head, blocks) = text.split_once("\n\n").unwrap();
    let map =
        head.strip_prefix("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:").and_then(|map| map.strip_suffix(",LOCAL:00:00:00.000"));
    let begins = map.unwrap_or_else(|| panic!("{text}")).parse::<f64>().unwrap() / 90_000.0;
    let secs = |time: &str| time.split(':').fold(0.0, |secs, part| secs * 60.0 + part.parse::<f64>().unwrap());
    let cue = |block: &str| {
        let (times, said) = block.split_once('\n').unwrap();
        let (start, end) = times.split_once(" --> ").unwrap();
        (secs(start), secs(end), said.to_owned())
    };
    (begins, blocks.split("\n\n").filter(|block| !block.is_empty()).map(cue).collect())
}

/// Watches the picture and both languages while the copier is killed once.
fn watched(station: &Station) -> [Recording; 3] {
    /// Ends the watching also when the act fails, so that its failure is told.
    struct Done<'a>(&'a AtomicBool);
    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let viewers = ["picture", "subs-en", "subs-de"].map(|name| {
            let more = |_: &Recording| !done.load(Ordering::Relaxed);
            scope.spawn(move || watch(station, &format!("one/{name}"), super::rules(), more))
        });
        let end = Done(&done);
        until_programmes_begin(station, 2);
        let carrier = station.until("an on-air ffmpeg", || station.children("slots.ffconcat").first().copied());
        signal(carrier, "KILL");
        until_programmes_begin(station, 4);
        drop(end);
        viewers.map(|viewer| viewer.join().unwrap())
    })
}

/// Goal: whoever reads subtitles reads each line when its picture is there, before, at and after every seam, and after the
/// ffmpeg on air was killed; no line outlives its film. Method: films with a flash a second and a line for each flash, as an
/// SRT, as tracks and as ASS; the picture is measured, and each line is where the map to the picture's timestamps puts it.
#[test]
fn each_line_is_read_when_its_picture_is_seen() {
    let home = Home::new(Settings {
        speed: SPEED,
        station: "settle-seconds = 0.1".to_owned(),
        channels: CHANNEL.to_owned(),
        ..Settings::default()
    });
    furnish(&home);
    let station = home.start();
    station.until("everything is prepared", || (station.channel("one")["library"]["prepared"] == 3).then_some(()));
    let list = String::from_utf8(station.get("/channels/one/index.m3u8").body).unwrap();
    assert!(list.contains("LANGUAGE=\"de\"") && list.contains(",SUBTITLES=\"subs\"\npicture/index.m3u8\n"), "{list}");
    // On a busy machine a film may begin before its lines were read for the first time; then they are known.
    until_programmes_begin(&station, 3);
    let recordings = watched(&station);
    for recording in &recordings {
        assert_eq!(recording.violations, Vec::<String>::new(), "{}", station.log());
    }
    super::agree(&recordings);
    assert!(station.log().contains("no subtitles are understood in it"), "{}", station.log());
    ffmpeg_plays_the_rest(&station);
    let plain = FlashBeep { size: (320, 180), ..FlashBeep::default() };
    super::on_demand::lines_stand_beside_the_film(&station, &plain.flashes_at());
    super::on_demand::each_film_plays_whole(&home, &station, &ffmpegs::system(), &["picture"], 2);
    super::on_demand::what_is_damaged_is_not_sent(&home, &station);
    super::on_demand::what_is_watched_outlives_its_file(&home, &station);
    drop(station);
    let [picture, english, german] = recordings;
    let lines = compared(&home, &picture, &english);
    assert!(lines.len() >= 18, "{} lines beside flashes", lines.len());
    let of_tracks: usize = german.segments.values().map(|segment| read(segment).1.len()).sum();
    assert!(of_tracks >= 6, "the German track was not on");
}

/// Compares each stretch without a discontinuity; returns the times of the lines.
fn compared(home: &Home, picture: &Recording, subtitles: &Recording) -> Vec<f64> {
    let told = picture.playlists.iter().flat_map(|text| hls_text::read(text).0.segments);
    let stretches: BTreeSet<(u64, u64)> = told.map(|one| (one.discontinuity_number, one.msn)).collect();
    let numbers: BTreeSet<u64> = stretches.iter().map(|(number, _)| *number).collect();
    let mut lines = Vec::new();
    for number in numbers {
        let both = |msn: &u64| picture.segments.contains_key(msn) && subtitles.segments.contains_key(msn);
        let msns: Vec<u64> =
            stretches.iter().filter(|(of, _)| *of == number).map(|(_, msn)| *msn).filter(both).collect();
        let path = home.path("stretch.ts");
        fs::write(&path, msns.iter().flat_map(|msn| picture.segments[msn].clone()).collect::<Vec<u8>>()).unwrap();
        if msns.is_empty() {
            continue;
        }
        let flashes: Vec<f64> = measure(&ffmpegs::system(), &path).offsets.iter().map(|one| one.video_secs).collect();
        let mut said = BTreeSet::new();
        for msn in &msns {
            let (begins, cues) = read(&subtitles.segments[msn]);
            for (start, end, text) in cues {
                assert!(end < 6.2, "segment {msn}: {text:?} stands until {end}");
                assert!(text.starts_with("flash") || text == "the <i>end</i> &amp; more", "{text}");
                if text.starts_with("flash") {
                    // To the millisecond: what is said again is said alike.
                    said.insert((format!("{:.3}", begins + start), start > 0.0, text));
                }
            }
        }
        // A line that stood when a run began stands from there.
        let whole: Vec<f64> = said.iter().filter(|(_, whole, _)| *whole).map(|(at, ..)| at.parse().unwrap()).collect();
        for flash in &flashes {
            let near = whole.iter().filter(|line| (*line - flash).abs() <= STEP_MAX).count();
            assert_eq!(near, 1, "the flash at {flash} s of stretch {number} has {near} lines: {whole:?}");
        }
        lines.extend(whole);
    }
    lines
}

/// Goal: what knows no subtitles plays the rest. Method: ffprobe, which would wait for the end of a live channel's `WebVTT`, opens
/// the channel as it is.
fn ffmpeg_plays_the_rest(station: &Station) {
    let mut probe = Command::new("ffprobe");
    let address = format!("http://{}/channels/one/index.m3u8", station.address);
    probe.args(["-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0", &address]);
    let told = String::from_utf8(run(&mut probe).stdout).unwrap();
    assert!(told.contains("video") && told.contains("audio"), "{told}");
}
