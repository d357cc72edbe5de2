//! Goal: whatever is to make pictures, items become mezzanines that join exactly, and a chip that fails costs no item.
//! Method: the real service with an ffmpeg that has no chip, and with programs that claim to have one: they encode by
//! x264 what they are told to encode by a chip. No real chip was to be had.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nightcast::config::{EncoderChoice, Preset, Profile, Rendition, Style, Tune};
use nightcast::ffmpeg::Family;
use nightcast::ffmpeg::encoders::Codec;
use nightcast::library::Item;
use nightcast::prepare::Mezzanine;
use nightcast::prepare::trial::task::choose;
use tokio_util::sync::CancellationToken;

use crate::items::item;
use crate::preparing::{Station, always, ffmpegs};
use crate::support::clips::{make, picture, tone};
use crate::support::films::X264;

/// Writes a program that is ffmpeg, but does by x264 what a chip of NVIDIA should do; `before` is shell that comes first.
fn claiming(folder: &Path, name: &str, before: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join(name);
    let script = format!(
        r#"#!/bin/bash
all="$*"
case "$all" in *h264_nvenc*) chip=1;; esac
{before}
args=()
while (($#)); do
  if [ -n "$chip" ]; then
    case "$1" in
      h264_nvenc) echo "$all" >> {log}; args+=(libx264 -x264-params keyint=infinite); shift; continue;;
      -preset) args+=(-preset ultrafast); shift 2; continue;;
      -rc|-b_ref_mode|-no-scenecut|-strict_gop|-b:v*) shift 2; continue;;
      -cq:v*) args+=("-crf${{1#-cq}}" "$2"); shift 2; continue;;
    esac
  fi
  args+=("$1"); shift
done
exec ffmpeg "${{args[@]}}"
"#,
        log = path.with_extension("log").display(),
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// How often a claiming program was told to use its chip.
fn uses(program: &Path) -> usize {
    std::fs::read_to_string(program.with_extension("log")).unwrap_or_default().lines().count()
}

fn devices(data: &tempfile::TempDir, names: &[&str]) {
    let folder = data.path().join("dev");
    std::fs::create_dir_all(&folder).unwrap();
    for name in names {
        std::fs::write(folder.join(name), "").unwrap();
    }
}

fn film(folder: &Path, name: &str) -> Arc<Item> {
    let args = format!("{} {} {X264} -c:a aac", picture("320x180", "25", 3.0), tone(48_000, 3.0));
    item(&make(folder, name, &args))
}

/// The frames at which the GOPs of every picture begin, at 25 a second.
fn starts(mezzanine: &Mezzanine) -> Vec<i64> {
    let mut at = 0;
    let mut starts = vec![0];
    for gop in &mezzanine.gops[..mezzanine.gops.len() - 1] {
        at += gop.duration.0;
        starts.push(at / 3600);
    }
    starts
}

async fn chosen(choice: EncoderChoice, ffmpeg: &Path, devices: &Path) -> (Codec, String) {
    let tried = choose(choice, ffmpeg, devices, &Family::default(), &CancellationToken::new()).await;
    (tried.codec, tried.words())
}

/// Goal: a machine without the chip it is told to use says what is missing, and x264 makes its pictures. Method: both
/// real ffmpegs, which know the chips by name, on a machine that has none.
#[tokio::test]
async fn a_machine_without_a_chip_encodes_by_x264_and_says_why() {
    for ffmpeg in ffmpegs() {
        for choice in [EncoderChoice::Nvenc, EncoderChoice::Vaapi, EncoderChoice::Qsv] {
            let (codec, words) = chosen(choice, &ffmpeg, Path::new("/nowhere")).await;
            let name = format!("{choice:?}").to_lowercase();
            if codec.is_hardware() {
                // This machine has one.
                assert_eq!(words, format!("{name} makes pictures"));
                continue;
            }
            let why = words.strip_prefix(&format!("x264 makes pictures; {name} cannot (")).unwrap_or_default();
            assert!(why.len() > 5, "{words:?}");
        }
        let (codec, words) = chosen(EncoderChoice::Auto, &ffmpeg, Path::new("/nowhere")).await;
        assert_eq!((codec, &*words), (Codec::X264, "x264 makes pictures, by the processor"));
    }
}

/// Goal: an encoder is believed only after it has encoded and kept the law. Method: programs that claim to have a chip:
/// one that works, one that puts keyframes where it likes, one whose chip is not there.
#[tokio::test]
async fn an_encoder_is_used_only_after_it_passed_its_trial() {
    let folder = tempfile::tempdir().unwrap();
    devices(&folder, &["nvidiactl"]);
    let devices = folder.path().join("dev");
    let working = claiming(folder.path(), "working", "");
    let wayward = claiming(folder.path(), "wayward", "[ -n \"$chip\" ] && set -- \"${@//lte(n,50)/lte(n,0)}\"");
    let absent = claiming(folder.path(), "absent", "[ -n \"$chip\" ] && { echo 'No such card' >&2; exit 1; }");
    for (program, expected) in [
        (&working, "nvenc makes pictures"),
        (&wayward, "x264 makes pictures; nvenc cannot (its groups of pictures begin at [0] instead of [0, 50])"),
        (&absent, "x264 makes pictures; nvenc cannot (No such card)"),
    ] {
        for choice in [EncoderChoice::Auto, EncoderChoice::Nvenc] {
            assert_eq!(chosen(choice, program, &devices).await.1, expected);
        }
    }
}

/// Goal: what a chip makes is checked as everything is, and begins its GOPs at the same places as what x264 makes, so
/// neither is made anew when the encoder changes. Method: one item by a claiming program and by x264, alone and in two
/// renditions.
#[tokio::test(flavor = "multi_thread")]
async fn another_encoder_makes_the_same_gops_under_the_same_name() {
    let folder = tempfile::tempdir().unwrap();
    let item = film(folder.path(), "film.mp4");
    let program = claiming(folder.path(), "working", "");
    let rendition = |name: &str, width, height| Rendition {
        name: name.into(),
        width,
        height,
        quality: 28,
        video_kbps: None,
        video_kbps_max: 500,
    };
    let several = Profile { renditions: vec![rendition("a", 320, 180), rendition("b", 160, 90)], ..always() };
    let profiles = [always(), several];
    let data = tempfile::tempdir().unwrap();
    devices(&data, &["nvidiactl"]);
    let station = Station::start_by(data, &program, EncoderChoice::Auto).await;
    let mut by_chip = Vec::new();
    for profile in &profiles {
        let id = station.want(std::slice::from_ref(&item), profile).remove(0);
        by_chip.push(station.settled(&id).await.unwrap());
    }
    assert_eq!(uses(&program), 3, "a trial, and two jobs");
    let kept = Station::start_by(station.stop().await, &program, EncoderChoice::X264).await;
    for (profile, by_chip) in profiles.iter().zip(&by_chip) {
        let id = kept.want(std::slice::from_ref(&item), profile).remove(0);
        assert_eq!(kept.settled(&id).await.unwrap().path, by_chip.path, "it is not made anew");
    }
    assert_eq!(uses(&program), 3);
    kept.stop().await;
    let station = Station::start_by(tempfile::tempdir().unwrap(), &program, EncoderChoice::X264).await;
    for (profile, by_chip) in profiles.iter().zip(&by_chip) {
        let id = station.want(std::slice::from_ref(&item), profile).remove(0);
        let by_x264 = station.settled(&id).await.unwrap();
        assert_eq!(starts(&by_x264), starts(by_chip));
        assert_eq!(starts(&by_x264), [0, 50]);
    }
    station.stop().await;
}

/// Goal: a job whose chip fails is done by x264, alone, and a chip that fails again and again is left alone. Method: a
/// program that passes the trial and fails in every job, with five items.
#[tokio::test(flavor = "multi_thread")]
async fn a_chip_that_fails_in_a_job_costs_no_item() {
    let folder = tempfile::tempdir().unwrap();
    let before = r#"case "$chip$all" in 1*-progress*) echo "$all" >> "$0.log"; echo 'Device lost' >&2; exit 1;; esac"#;
    let program = claiming(folder.path(), "failing", before);
    let data = tempfile::tempdir().unwrap();
    devices(&data, &["nvidiactl"]);
    let station = Station::start_by(data, &program, EncoderChoice::Auto).await;
    let first = film(folder.path(), "film0.mp4");
    let again = |n: usize| {
        let path = folder.path().join(format!("film{n}.mp4"));
        std::fs::copy(&first.path, &path).unwrap();
        item(&path)
    };
    let items: Vec<_> = (1..=5).map(again).collect();
    for id in station.want(&items, &always()) {
        assert_eq!(starts(&station.settled(&id).await.unwrap()), [0, 50]);
    }
    let jobs = std::fs::read_to_string(folder.path().join("failing.log")).unwrap();
    assert_eq!(jobs.lines().filter(|line| line.contains("-progress")).count(), 3, "{jobs}");
    station.stop().await;
}

/// Goal: what a channel says of its picture is what its films become. Method: a tuned film with groups of a second at a
/// mean bit rate, by both ffmpegs; x264 writes into each film what it was told.
#[tokio::test(flavor = "multi_thread")]
async fn films_are_encoded_as_the_channel_says() {
    let folder = tempfile::tempdir().unwrap();
    let item = film(folder.path(), "film.mp4");
    let style = Style { video_kbps: Some(300), tune: Some(Tune::Animation), gop_secs: 1 };
    let profile = Profile { preset: Preset::Medium, style, ..always() };
    for ffmpeg in ffmpegs() {
        let station = Station::start(&ffmpeg).await;
        let id = station.want(std::slice::from_ref(&item), &profile).remove(0);
        let mezzanine = station.settled(&id).await.unwrap();
        assert_eq!(starts(&mezzanine), [0, 25, 50]);
        let bytes = std::fs::read(&mezzanine.path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for told in ["rc=abr", "bitrate=300", "vbv_maxrate=2000", "bframes=2", "ref=4", "keyint=50"] {
            assert!(text.contains(told), "{told}");
        }
        station.stop().await;
    }
}
