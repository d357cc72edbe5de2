//! Goal: whatever lies in a folder becomes a mezzanine that joins exactly, or is refused with a reason.
//! Method: real films of every kind, prepared by the real service with both ffmpegs, and looked at with ffprobe.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test, with files and processes of its own")]

#[path = "prepare/burning.rs"]
mod burning;
#[path = "prepare/encoders.rs"]
mod encoders;
#[path = "prepare/idents.rs"]
mod idents;
#[path = "support/items.rs"]
mod items;
#[path = "prepare/pgs.rs"]
mod pgs;
#[path = "support/preparing.rs"]
mod preparing;
#[path = "prepare/sounds.rs"]
mod sounds;
mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use items::{item, run};
use nightcast::ffmpeg::rate::Rate;
use nightcast::prepare::{Look, Mezzanine, MezzanineId, Prepared, SlateCard};
use nightcast::units::{ChannelId, MediaTime};
use preparing::{Station, always, ffmpegs, profile};
use support::clips::{make, picture, tone};
use support::films::{X264, films};

/// The packets of one stream: presentation time, decoding time, duration, whether a keyframe.
fn packets(path: &Path, stream: &str) -> Vec<(i64, i64, i64, bool)> {
    let args =
        ["-v", "error", "-select_streams", stream, "-show_entries", "packet=pts,dts,duration,flags", "-of", "csv"];
    let parse = |line: &str| {
        let mut fields = line.strip_prefix("packet,")?.split(',');
        let mut next = || fields.next().unwrap().parse::<i64>().unwrap();
        let (pts, dts, duration) = (next(), next(), next());
        Some((pts, dts, duration, fields.next().unwrap().contains('K')))
    };
    run("ffprobe", &args, path).lines().filter_map(parse).collect()
}

/// Everything a mezzanine promises, seen by ffprobe: `sound_short_max` in ticks.
fn assert_joins_exactly(name: &str, mezzanine: &Mezzanine, sound_short_max: i64) {
    let (video, audio) = (packets(&mezzanine.path, "v:0"), packets(&mezzanine.path, "a:0"));
    let first = video.iter().map(|p| p.0).min().unwrap();
    assert!((audio[0].0 - first).abs() <= 1, "{name}: sound begins {} ticks after the picture", audio[0].0 - first);
    let duration = mezzanine.duration();
    let video_end = first + duration.0;
    let (last, .., last_duration, _) = *audio.last().unwrap();
    let short = video_end - (last + last_duration);
    assert!((-1..=sound_short_max).contains(&short), "{name}: sound ends {short} ticks before the picture");
    for stream in [&video, &audio] {
        assert!(stream.windows(2).all(|pair| pair[0].1 < pair[1].1), "{name}: decoding times rise");
    }
    let starts: Vec<i64> = video.iter().filter(|p| p.3).map(|p| p.0).chain([video_end]).collect();
    let gops: Vec<i64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let told: Vec<i64> = mezzanine.gops.iter().map(|gop| gop.duration.0).collect();
    assert_eq!(told, gops, "{name}: the index is the file's");
    assert!(gops.iter().all(|gop| *gop <= 584_100), "{name}: {gops:?}");
    let bytes = std::fs::read(&mezzanine.path).unwrap();
    let mut offset = 0;
    for gop in mezzanine.gops.iter() {
        assert_eq!(gop.offset, offset, "{name}: contiguous");
        let at = usize::try_from(offset).unwrap();
        let pids: Vec<u16> =
            (0..3).map(|n| u16::from_be_bytes([bytes[at + 188 * n + 1] & 0x1f, bytes[at + 188 * n + 2]])).collect();
        assert_eq!(pids, [17, 0, 4096], "{name}: each GOP begins with its tables");
        offset += u64::from(gop.len);
    }
    assert_eq!(offset, bytes.len() as u64, "{name}: the index covers the file");
    assert!(mezzanine.complete && !mezzanine.signature.is_empty(), "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_film_becomes_a_mezzanine_that_joins_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let films = films();
    let items: Vec<_> = films.iter().map(|(name, args, ..)| item(&make(folder.path(), name, args))).collect();
    for ffmpeg in ffmpegs() {
        let station = Station::start(&ffmpeg).await;
        let ids = station.want(&items, &profile());
        for ((name, _, secs, kept), id) in films.iter().zip(&ids) {
            let name = format!("{name} by {}", ffmpeg.display());
            let mezzanine = station.settled(id).await.unwrap_or_else(|reason| panic!("{name}: {reason}"));
            assert_joins_exactly(&name, &mezzanine, if *kept { 1920 } else { 1320 });
            let apart = (mezzanine.duration() - MediaTime::from_secs_f64(*secs)).0.abs();
            assert!(apart <= 90_000 * 4 / 10, "{name}: lasts {:?}", mezzanine.duration().as_secs_f64());
            let recipe = std::fs::read_to_string(mezzanine.path.with_extension("json")).unwrap();
            assert_eq!(recipe.contains("\"remux\"") || recipe.contains("\"Remux\""), *kept, "{name}: {recipe:.200}");
        }
        station.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transcodes_and_slate_of_one_rate_join_without_a_discontinuity() {
    let folder = tempfile::tempdir().unwrap();
    let hdr = films().into_iter().find(|film| film.0 == "hdr.mp4").unwrap();
    let interlaced = films().into_iter().find(|film| film.0 == "interlaced.ts").unwrap();
    let plain = format!("{} {} {X264} -c:a aac", picture("640x360", "50", 1.5), tone(44_100, 1.5));
    let films = [("a.mp4", plain.as_str()), (hdr.0, &hdr.1), (interlaced.0, &interlaced.1)];
    let items: Vec<_> = films.iter().map(|(name, args)| item(&make(folder.path(), name, args))).collect();
    for ffmpeg in ffmpegs() {
        let station = Station::start(&ffmpeg).await;
        let mut mezzanines = Vec::new();
        for id in station.want(&items, &always()) {
            mezzanines.push(station.settled(&id).await.unwrap());
        }
        let channel = ChannelId::new("test").unwrap();
        let logo = make(folder.path(), "logo.png", "-f lavfi -i color=c=white:s=90x60 -frames:v 1");
        let colour = nightcast::config::Colour([0x4c, 0xc9, 0xd8]);
        let card = SlateCard {
            look: Look { station: "Nightcast".into(), colour, logo: Some((logo, "s".into())) },
            name: "Cats' %d: \"night\"".into(),
            reason: Some("No videos in media/cats yet.".into()),
            profile: Arc::new(always()),
            rate: Some(Rate::whole(25)),
            gop_secs: 2,
        };
        let slate = station.preparer.slate(&channel, &card, true).await.unwrap();
        assert_joins_exactly("slate", &slate, 1);
        assert_eq!(slate.gops.len(), 2);
        assert_eq!(station.preparer.slate(&channel, &card, true).await.unwrap(), slate, "drawn once");
        mezzanines.push(slate);
        let signatures: BTreeSet<_> = mezzanines.iter().map(|mezzanine| &mezzanine.signature).collect();
        assert_eq!(signatures.len(), 1, "{ffmpeg:?}");
        assert_concat_is_clean(folder.path(), &mezzanines);
        station.stop().await;
    }
}

/// Copies mezzanines one after the other, as on air, and then decodes the result: nobody may complain.
fn assert_concat_is_clean(folder: &Path, mezzanines: &[Arc<Mezzanine>]) {
    let lines: Vec<_> = mezzanines.iter().map(|m| format!("file '{}'", m.path.display())).collect();
    let list = lines.join("\n");
    std::fs::write(folder.join("list.ffconcat"), format!("ffconcat version 1.0\n{list}\n{list}\n")).unwrap();
    let joined = folder.join("joined.ts");
    for args in [
        ["-f", "concat", "-safe", "0", "-i", "list.ffconcat", "-map", "0", "-c", "copy", "-y", "joined.ts"].as_slice(),
        ["-i", "joined.ts", "-f", "null", "-"].as_slice(),
    ] {
        let output = std::process::Command::new("ffmpeg")
            .args(["-v", "warning", "-nostdin"])
            .args(args)
            .current_dir(folder)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.trim().is_empty(), "{args:?}: {said}");
    }
    let frames = packets(&joined, "v:0");
    let gaps = frames.windows(2).filter(|pair| pair[1].1 - pair[0].1 > 2 * 3600).count();
    assert_eq!(gaps, 0, "no frame is missed at a seam");
}

#[tokio::test(flavor = "multi_thread")]
async fn flash_and_beep_stay_together() {
    let folder = tempfile::tempdir().unwrap();
    // A white picture and a tone, both from the first second on; nothing before.
    let inputs = "-f lavfi -i 'color=black:s=320x180:r=25:d=3,geq=lum=16+200*gte(T\\,1):cb=128:cr=128' \
                  -f lavfi -i 'aevalsrc=0.2*sin(2765*t)*gte(t\\,1):s=44100:d=3'";
    let kept = ("kept.mp4", "-c:a aac -ac 2 -ar 48000");
    let items = [("fit.mkv", "-c:a pcm_s16le"), ("late.ts", "-c:a mp2 -output_ts_offset 100"), kept]
        .map(|(name, audio)| item(&make(folder.path(), name, &format!("{inputs} {X264} -g 25 {audio}"))));
    for ffmpeg in ffmpegs() {
        let as_it_is = nightcast::config::Profile { loudness_lufs: None, ..profile() };
        for profile in [profile(), always(), as_it_is] {
            let station = Station::start(&ffmpeg).await;
            for id in station.want(&items, &profile) {
                let mezzanine = station.settled(&id).await.unwrap();
                let offset = beep(&mezzanine.path) - flash(&mezzanine.path);
                assert!(offset.abs() < 0.008, "{} {:?} {ffmpeg:?}: {offset}", id.key, profile.prepare);
            }
            station.stop().await;
        }
    }
}

/// Returns when the picture turns white, in the file's seconds.
fn flash(path: &Path) -> f64 {
    detect(path, "-vf", "blackdetect=d=0.1", "black_end:")
}

/// Returns when the tone sets in, in the file's seconds.
fn beep(path: &Path) -> f64 {
    detect(path, "-af", "silencedetect=n=-40dB:d=0.3", "silence_end: ")
}

fn detect(path: &Path, kind: &str, filter: &str, key: &str) -> f64 {
    let output = std::process::Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-nostats", "-copyts", "-i"])
        .arg(path)
        .args([kind, filter, "-f", "null", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let value = said.split(key).nth(1).and_then(|rest| rest.split_whitespace().next()).map(str::to_owned);
    value.unwrap_or_else(|| panic!("{}: {said}", path.display())).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_and_unfit_films_are_aired_as_far_as_they_go_or_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let good = format!("{} {} {X264} -g 25 -c:a aac", picture("320x180", "25", 4.0), tone(48_000, 4.0));
    let whole = make(folder.path(), "whole.mkv", &good);
    let bytes = std::fs::read(&whole).unwrap();
    let half = folder.path().join("half.mkv");
    std::fs::write(&half, &bytes[..bytes.len() / 2]).unwrap();
    let mut noise = bytes.clone();
    noise[bytes.len() / 3..].iter_mut().step_by(997).for_each(|byte| *byte = !*byte);
    let noisy = folder.path().join("noisy.mkv");
    std::fs::write(&noisy, noise).unwrap();
    let short = make(folder.path(), "short.mp4", &format!("{} {X264}", picture("320x180", "25", 0.3)));
    let swapped = make(folder.path(), "swapped.mp4", &format!("{} {X264}", picture("320x180", "25", 2.0)));
    let items = [&half, &noisy, &short, &swapped].map(|path| item(path));
    // As long as the film was, so that nothing but its content tells.
    let length = usize::try_from(swapped.metadata().unwrap().len()).unwrap();
    let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nwhole.mkv\n#EXT-X-ENDLIST\n";
    std::fs::write(&swapped, format!("{playlist}{}", "\n".repeat(length - playlist.len()))).unwrap();
    let station = Station::start(Path::new("ffmpeg")).await;
    let ids = station.want(&items, &profile());
    let half = station.settled(&ids[0]).await.unwrap();
    assert_joins_exactly("half", &half, 1920);
    assert!((1.0..3.5).contains(&half.duration().as_secs_f64()), "{:?}", half.duration());
    if let Ok(noisy) = station.settled(&ids[1]).await {
        assert_joins_exactly("noisy", &noisy, 1920);
    }
    for (id, reason) in [(&ids[2], "It lasts only 0.3"), (&ids[3], "no picture")] {
        let failed = station.settled(id).await.unwrap_err();
        assert!(failed.contains(reason), "{}: {failed}", id.key);
    }
    assert!(station.preparer.failures().len() >= 2);
    station.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_whose_file_goes_away_is_not_judged_and_is_prepared_when_it_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let film = |name: &str| {
        let args = format!("{} {X264}", picture("320x180", "25", 2.0));
        item(&make(folder.path(), name, &args))
    };
    let (gone, other) = (film("a gone.mp4"), film("b other.mp4"));
    let away = folder.path().join("away");
    std::fs::rename(&gone.path, &away).unwrap();
    let station = Station::start_alone(Path::new("ffmpeg")).await;
    // One worker, which takes them in this order.
    let ids = station.want(&[Arc::clone(&gone), other], &profile());
    station.settled(&ids[1]).await.unwrap();
    assert_eq!(station.preparer.failures(), [], "an absent file is no bad one");
    station.want(&[], &profile());
    std::fs::rename(&away, &gone.path).unwrap();
    let ids = station.want(&[gone], &profile());
    station.settled(&ids[0]).await.unwrap();
    station.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recordings_that_jump_or_change_their_size_are_made_whole_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let part = |name: &str, size: &str, offset: u32| {
        let args = format!("{} {} {X264} -g 25 -c:a mp2", picture(size, "25", 2.0), tone(48_000, 2.0));
        let path = make(folder.path(), name, &format!("{args} -output_ts_offset {offset} -f mpegts"));
        std::fs::read(path).unwrap()
    };
    let write = |name: &str, parts: [Vec<u8>; 2]| {
        std::fs::write(folder.path().join(name), parts.concat()).unwrap();
        item(&folder.path().join(name))
    };
    let jump = write("jump.ts", [part("a", "320x180", 5000), part("b", "320x180", 10)]);
    let resized = write("resized.ts", [part("c", "320x180", 0), part("d", "160x120", 2)]);
    for ffmpeg in ffmpegs() {
        let station = Station::start(&ffmpeg).await;
        let ids = station.want(&[Arc::clone(&jump), Arc::clone(&resized)], &profile());
        let jump = station.settled(&ids[0]).await.unwrap();
        assert_joins_exactly("jump", &jump, 1920);
        assert!((jump.duration().as_secs_f64() - 4.0).abs() < 0.5, "{ffmpeg:?}: {:?}", jump.duration());
        match station.settled(&ids[1]).await {
            Ok(resized) => assert_joins_exactly("resized", &resized, 1920),
            Err(reason) => assert!(reason.contains("frames"), "{ffmpeg:?}: {reason}"),
        }
        station.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preparation_whose_ffmpeg_is_killed_is_begun_again_and_given_up_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let item = item(&make(folder.path(), "film.mp4", &format!("{} {X264}", picture("320x180", "25", 2.0))));
    for (kills, survives) in [(2, true), (3, false)] {
        let station = Station::start(&mortal_ffmpeg(folder.path(), kills)).await;
        let id = station.want(std::slice::from_ref(&item), &always()).remove(0);
        let outcome = station.settled(&id).await;
        assert_eq!(outcome.is_ok(), survives, "{kills} kills: {outcome:?}");
        if let Err(reason) = outcome {
            assert!(reason.contains("signal 9"), "{reason}");
        }
        station.stop().await;
    }
}

/// Writes a program that is ffmpeg, but for its first `kills` preparations, which are killed.
fn mortal_ffmpeg(folder: &Path, kills: u32) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join(format!("mortal{kills}"));
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *-progress*)\n  n=$(cat {0}.n 2>/dev/null || echo 0); echo $((n + 1)) > {0}.n\n  \
         [ $n -lt {kills} ] && kill -9 $$;;\nesac\nexec ffmpeg \"$@\"\n",
        path.display()
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_film_stands_upright() {
    let folder = tempfile::tempdir().unwrap();
    // The left half is white: turned by a quarter, the top or the bottom is.
    let upright = format!("{} -vf drawbox=w=160:c=white:t=fill {X264}", "-f lavfi -i color=black:s=320x180:r=25:d=1.2");
    make(folder.path(), "upright.mp4", &upright);
    let turned = make(folder.path(), "turned.mp4", "-i upright.mp4 -c copy -metadata:s:v rotate=90");
    let item = item(&turned);
    assert_ne!(item.media.video.rotation, 0);
    for ffmpeg in ffmpegs() {
        let station = Station::start(&ffmpeg).await;
        let id = station.want(std::slice::from_ref(&item), &profile()).remove(0);
        let mezzanine = station.settled(&id).await.unwrap();
        let frame = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(&mezzanine.path)
            .args(["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"])
            .output()
            .unwrap()
            .stdout;
        let at = |x: usize, y: usize| frame[y * 320 + x] > 128;
        assert_eq!((at(20, 90), at(300, 90)), (false, false), "bars at the sides");
        assert_ne!(at(160, 20), at(160, 160), "one of top and bottom is white");
        station.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_may_air_while_it_grows_and_is_found_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let args = format!("{} {} {X264} -c:a aac", picture("640x360", "25", 40.0), tone(48_000, 40.0));
    let item = item(&make(folder.path(), "long.mp4", &args));
    let station = Station::start(Path::new("ffmpeg")).await;
    let id = station.want(std::slice::from_ref(&item), &always()).remove(0);
    let growing = station
        .wait(&id, |prepared| match prepared {
            Prepared::Growing { mezzanine, .. } if mezzanine.gops.len() >= 2 => Some(mezzanine),
            Prepared::Ready(_) | Prepared::Failed(_) => panic!("it was never seen growing: {prepared:?}"),
            _ => None,
        })
        .await;
    assert!(!growing.complete);
    let ready = station.settled(&id).await.unwrap();
    assert_eq!(ready.signature, growing.signature);
    let listed = growing.gops.len();
    let same = |a: &[nightcast::prepare::Gop], b: &[nightcast::prepare::Gop]| {
        a.iter().zip(b).all(|(a, b)| a.offset == b.offset && a.len == b.len && (a.duration - b.duration).0.abs() <= 1)
    };
    assert!(same(&growing.gops, &ready.gops[..listed]), "what was told while growing stays true");
    let end = usize::try_from(ready.gops[listed - 1].offset).unwrap();
    let (old, new) = (std::fs::read(&growing.path).unwrap(), std::fs::read(&ready.path).unwrap());
    assert_eq!(old[..end], new[..end], "its first path still holds it");
    let data = station.stop().await;
    assert!(!growing.path.exists(), "nothing temporary is left");
    // A program that does nothing: what is ready now was ready before.
    let station = Station::start_in(data, Path::new("/bin/true")).await;
    assert_eq!(station.preparer.state(&id), Prepared::Ready(ready));
    station.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_leaves_no_child_and_no_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    let item = item(&make(folder.path(), "long.mp4", &format!("{} {X264}", picture("640x360", "25", 60.0))));
    let station = Station::start(Path::new("ffmpeg")).await;
    let id: MezzanineId = station.want(std::slice::from_ref(&item), &always()).remove(0);
    station.wait(&id, |prepared| matches!(prepared, Prepared::Growing { .. }).then_some(())).await;
    let data = station.stop().await;
    let left: Vec<_> = walk(data.path());
    assert!(left.is_empty(), "{left:?}");
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// Goal: a film whose picture could be kept is ready at once, is looked through when there is time, and with damage in its
/// middle, at which some players give up for good, is made anew while it stays ready; a whole one is looked through once
/// in its life. Method: the middle keyframe's data are overwritten, which changes no packet's place, length or time; then
/// another life with a program that does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_fit_film_with_damage_in_its_middle_is_ready_and_made_anew_once_that_was_seen() {
    let folder = tempfile::tempdir().unwrap();
    let args = format!("{} {} {X264} -g 25 -c:a aac", picture("320x180", "25", 5.0), tone(48_000, 5.0));
    let whole = make(folder.path(), "whole.mp4", &args);
    let entries = ["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pos,size,flags", "-of", "csv=p=0"];
    let listed = run("ffprobe", &entries, &whole);
    let keys: Vec<Vec<&str>> =
        listed.lines().filter(|line| line.contains('K')).map(|line| line.split(',').collect()).collect();
    let number = |text: &str| text.parse::<usize>().unwrap();
    let (size, place) = (number(keys[2][0]), number(keys[2][1]));
    let mut bytes = std::fs::read(&whole).unwrap();
    bytes[place + size / 2..][..40].fill(0xa5);
    let damaged = folder.path().join("damaged.mp4");
    std::fs::write(&damaged, bytes).unwrap();
    let station = Station::start(Path::new("ffmpeg")).await;
    let ids = station.want(&[item(&whole), item(&damaged)], &profile());
    for (id, kept) in ids.iter().zip([true, false]) {
        station.settled(id).await.unwrap();
        let mezzanine = station
            .wait(id, |prepared| match prepared {
                Prepared::Ready(mezzanine) => station.preparer.is_sound(id).then_some(mezzanine),
                _ => panic!("it stays ready: {prepared:?}"),
            })
            .await;
        assert_joins_exactly(&id.key.to_string(), &mezzanine, if kept { 1920 } else { 1320 });
        let recipe = std::fs::read_to_string(mezzanine.path.with_extension("json")).unwrap();
        assert_eq!(recipe.contains("RemuxFailed"), !kept, "{recipe:.200}");
        let errors = support::media::decode_errors(&support::ffmpegs::system(), &mezzanine.path);
        assert_eq!(errors, Vec::<String>::new(), "{}", id.key);
    }
    let data = station.stop().await;
    let station = Station::start_in(data, Path::new("/bin/true")).await;
    station.want(&[item(&whole), item(&damaged)], &profile());
    assert!(ids.iter().all(|id| station.preparer.is_sound(id)), "what was looked through is known to be sound");
    station.stop().await;
}
