//! The demo films, made by real ffmpegs.
//!
//! Goal: every film can be made by every ffmpeg we support and is what it is meant to be. Method: the same films, four
//! seconds long, are made into a temporary folder and looked into with ffprobe.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may look at the disk and run ffprobe")]

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;

use nightcast::demo::task::{DemoError, Progress, Settings, Summary, run};
use nightcast::demo::{Film, films};
use tokio_util::sync::CancellationToken;

/// Long enough for fades and captions.
const SECS: u32 = 4;

fn short_films() -> Vec<Film> {
    let mut films = films();
    for film in &mut films {
        film.secs = SECS;
    }
    films
}

fn settings(ffmpeg: impl Into<PathBuf>, folder: &Path, films: Vec<Film>) -> Settings {
    Settings { ffmpeg: ffmpeg.into(), folder: folder.to_owned(), films }
}

async fn make(settings: Settings) -> Result<Summary, DemoError> {
    run(settings, |_| (), &CancellationToken::new()).await
}

/// Returns `name|profile|width|height|shape|format|rate|sample rate|channels` of each stream, as ffprobe tells them.
fn probed(path: &Path) -> String {
    let entries =
        "stream=codec_name,profile,width,height,sample_aspect_ratio,pix_fmt,r_frame_rate,sample_rate,channels";
    let arguments = ["-v", "error", "-show_entries", entries, "-of", "compact=nokey=1:print_section=0"];
    let output = Command::new("ffprobe").args(arguments).arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim_end_matches('|')).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" + ")
}

fn duration_secs(path: &Path) -> f64 {
    let arguments = ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0"];
    let output = Command::new("ffprobe").args(arguments).arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

const EXPECTED: [(&str, &str); 10] = [
    ("night-lights/Aurora.mp4", "h264|High|1280|720|1:1|yuv420p|25/1 + aac|LC|48000|2|0/0"),
    ("small-hours/Plankton.mp4", "h264|High|1280|720|1:1|yuv420p|25/1 + aac|LC|48000|2|0/0"),
    ("night-lights/Night Train.mpg", "mpeg2video|Main|720|480|32:27|yuv420p|30000/1001 + mp2|unknown|48000|2|0/0"),
    ("small-hours/Tide.avi", "mpeg4|Simple Profile|720|576|64:45|yuv420p|25/1 + mp3|unknown|44100|2|0/0"),
    ("night-lights/Lava.webm", "vp9|Profile 0|640|360|1:1|yuv420p|24/1 + opus|unknown|48000|2|0/0"),
    ("small-hours/Fireflies.mp4", "h264|High|960|540|1:1|yuv420p|50/1"),
    ("night-lights/City Windows.mkv", "h264|High|1920|1080|1:1|yuv420p|30/1 + ac3|unknown|48000|6|0/0"),
    ("small-hours/Slow Snow.mp4", "h264|High|1280|720|1:1|yuv420p|25/1 + aac|LC|44100|1|0/0"),
    ("night-lights/Rain on Glass.mp4", "h264|High|720|1280|1:1|yuv420p|30/1 + aac|LC|48000|2|0/0"),
    ("small-hours/Deep Field.mkv", "hevc|Main 10|1280|544|1:1|yuv420p10le|24000/1001 + aac|LC|48000|2|0/0"),
];

async fn every_film_is_made_by(ffmpeg: impl Into<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let summary = make(settings(ffmpeg, folder.path(), short_films())).await.unwrap();
    assert_eq!(summary.skipped, []);
    for (name, streams) in EXPECTED {
        let path = folder.path().join(name);
        assert_eq!(probed(&path), streams, "{name}");
        let secs = duration_secs(&path);
        assert!((secs - f64::from(SECS)).abs() < 0.2, "{name} is {secs} s long");
    }
    assert_eq!(files_below(folder.path()).len(), EXPECTED.len(), "nothing else is left behind");
}

#[tokio::test]
async fn every_film_is_made_by_the_ffmpeg_of_the_system() {
    every_film_is_made_by("ffmpeg").await;
}

#[tokio::test]
async fn every_film_is_made_by_ffmpeg_9() {
    let ffmpeg = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/ffmpeg9/ffmpeg");
    assert!(ffmpeg.is_file(), "{} is missing (hint: `make tools`)", ffmpeg.display());
    every_film_is_made_by(ffmpeg).await;
}

#[tokio::test]
async fn films_that_are_there_are_kept_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("night-lights/Aurora.mp4");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "mine").unwrap();
    let aurora = vec![short_films().swap_remove(0)];
    let summary = make(settings("/no/such/ffmpeg", folder.path(), aurora)).await.unwrap();
    assert_eq!((summary.kept, summary.made.len()), (vec![path.clone()], 0));
    assert_eq!(std::fs::read_to_string(path).unwrap(), "mine");
}

#[tokio::test]
async fn a_missing_ffmpeg_is_told_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let error = make(settings("/no/such/ffmpeg", folder.path(), short_films())).await.unwrap_err();
    let told = error.to_string();
    assert!(told.contains("/no/such/ffmpeg") && told.contains("apt-get install ffmpeg"), "{told}");
}

#[tokio::test]
async fn a_film_without_its_encoder_is_skipped_and_the_others_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let mut films = short_films();
    films.truncate(2);
    films[0].encoders = &["libdream"];
    let summary = make(settings("ffmpeg", folder.path(), films)).await.unwrap();
    assert_eq!(summary.skipped, [("Aurora", "this ffmpeg has no encoder libdream".to_owned())]);
    assert_eq!(summary.made, [folder.path().join("small-hours/Plankton.mp4")]);
}

#[tokio::test]
async fn progress_adds_up_to_the_whole_length() {
    let folder = tempfile::tempdir().unwrap();
    let film = short_films().swap_remove(5);
    let steps = RefCell::new(Vec::new());
    let token = CancellationToken::new();
    run(settings("ffmpeg", folder.path(), vec![film]), |step| steps.borrow_mut().push(step), &token).await.unwrap();
    let steps = steps.into_inner();
    let grown = steps.iter().filter_map(|step| if let Progress::Grown { by, .. } = step { Some(*by) } else { None });
    let secs = grown.sum::<nightcast::units::MediaTime>().as_secs_f64();
    assert!((secs - f64::from(SECS)).abs() < 0.2, "{secs}");
    assert!(matches!(steps.last(), Some(Progress::Finished { title: "Fireflies", .. })), "{steps:?}");
}

#[tokio::test]
async fn stopping_leaves_no_half_film() {
    let folder = tempfile::tempdir().unwrap();
    let token = CancellationToken::new();
    // As long as it is: it is stopped when the first frames are there.
    let stop_when_begun = |step| {
        if matches!(step, Progress::Grown { .. }) {
            token.cancel();
        }
    };
    let outcome = run(settings("ffmpeg", folder.path(), films()), stop_when_begun, &token).await;
    assert!(matches!(outcome, Err(DemoError::Cancelled)), "{outcome:?}");
    assert_eq!(files_below(folder.path()), Vec::<PathBuf>::new());
}
