//! What becomes of sounds: copied where they are as they must be, else brought to one layout and one loudness.

use std::path::Path;
use std::sync::Arc;

use super::items::item;
use super::preparing::{Station, ffmpegs, profile};
use super::support::clips::{make, picture, tone};
use super::support::films::X264;
use super::{assert_concat_is_clean, assert_joins_exactly};

/// The sound's packets, by a digest of their bytes without the headers of their transport.
fn sound_bytes(path: &Path, filter: &[&str]) -> Vec<String> {
    let output = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args(["-map", "0:a:0", "-c", "copy"])
        .args(filter)
        .args(["-f", "framehash", "-"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let packets = text.lines().filter(|line| !line.starts_with('#'));
    packets.map(|line| line.split(',').nth(5).unwrap().trim().to_owned()).collect()
}

/// Goal: a sound that is as it must be is not made anew: not a bit of it changes, and it joins as exactly. Method: films
/// whose sound may stay and films whose sound may not, beside pictures that stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_sound_that_fits_is_copied_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let film = |name: &str, secs: f64, sound: &str| {
        let args = format!("{} {} {X264} -g 25 {sound}", picture("320x180", "25", 3.0), tone(48_000, secs));
        item(&make(folder.path(), name, &args))
    };
    let items = [
        (film("kept.mp4", 3.0, "-c:a aac -ac 2 -b:a 96k"), true),
        (film("kept.ts", 3.2, "-c:a aac -ac 2 -b:a 96k -muxdelay 0"), true),
        (film("short.mp4", 2.0, "-c:a aac -ac 2 -b:a 96k"), false),
        (film("mono.mp4", 3.0, "-c:a aac -ac 1 -b:a 96k"), false),
        (film("main.mp4", 3.0, "-c:a aac -profile:a aac_main -ac 2 -b:a 96k"), false),
    ];
    let profile = nightcast::config::Profile { loudness_lufs: None, ..profile() };
    let all: Vec<_> = items.iter().map(|(item, _)| Arc::clone(item)).collect();
    for ffmpeg in ffmpegs() {
        let station = Station::start(&ffmpeg).await;
        let mut mezzanines = Vec::new();
        for (id, (item, kept)) in station.want(&all, &profile).iter().zip(&items) {
            let mezzanine = station.settled(id).await.unwrap();
            mezzanines.push(Arc::clone(&mezzanine));
            assert_joins_exactly(&item.name, &mezzanine, 1920);
            let made = sound_bytes(&mezzanine.path, &["-bsf:a", "aac_adtstoasc"]);
            let transport = Path::new(&*item.name).extension().is_some_and(|ending| ending == "ts");
            let original = sound_bytes(&item.path, if transport { &["-bsf:a", "aac_adtstoasc"] } else { &[] });
            let same = original.windows(made.len().max(1)).any(|some| some == made);
            assert_eq!(same, *kept, "{} by {ffmpeg:?}: {} of {} packets", item.name, made.len(), original.len());
        }
        // Copied and made sounds join without a complaint, in any order.
        assert_concat_is_clean(folder.path(), &mezzanines);
        station.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_item_is_equally_loud() {
    let folder = tempfile::tempdir().unwrap();
    let film = |name: &str, volume: &str| {
        let sound = format!("-f lavfi -i 'anoisesrc=d=6:r=44100:c=pink:seed=1,volume={volume}'");
        item(&make(folder.path(), name, &format!("{} {sound} {X264} -g 25 -c:a flac", picture("320x180", "25", 6.0))))
    };
    let items = [film("loud.mkv", "12dB"), film("soft.mkv", "-14dB")];
    for ffmpeg in ffmpegs() {
        let station = Station::start(&ffmpeg).await;
        for id in station.want(&items, &profile()) {
            let mezzanine = station.settled(&id).await.unwrap();
            let output = std::process::Command::new("ffmpeg")
                .args(["-hide_banner", "-nostdin", "-nostats", "-i"])
                .arg(&mezzanine.path)
                .args(["-vn", "-af", "ebur128=framelog=verbose", "-f", "null", "-"])
                .output()
                .unwrap();
            let lufs = nightcast::ffmpeg::loudness::integrated_lufs(&String::from_utf8_lossy(&output.stderr)).unwrap();
            assert!((lufs + 23.0).abs() < 0.7, "{}: {lufs} LUFS", id.key);
        }
        station.stop().await;
    }
}
