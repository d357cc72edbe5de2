//! Clips to measure with, made once by ffmpeg: always the same picture, moving and grainy enough to need its bits.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, bail};

use super::process;

/// How long a clip is.
pub(crate) const LENGTH: u32 = 60;

/// How many clips a folder has, unless it is of one.
pub(crate) const CLIPS: u64 = 3;

/// How long the making of one may take.
const MAKE_MAX: Duration = Duration::from_mins(15);

/// How old the files pretend to be: a library that lies there, not one that is being copied.
const AGE: Duration = Duration::from_hours(24);

/// A kind of clip: a folder of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// The folder's name.
    pub(crate) folder: &'static str,
    /// In words, for the tables.
    pub(crate) words: &'static str,
    ending: &'static str,
    size: &'static str,
    rate: u32,
    clips: u64,
    /// How often it is played to make one clip.
    rounds: u32,
    codecs: &'static str,
}

/// Keeps its picture: 3 Mbit/s.
pub(crate) const FIT_3M: Kind = Kind {
    folder: "fit-3m",
    words: "H.264 High 720p25, closed GOPs of 2 s, 3 Mbit/s, AAC (mp4)",
    ending: "mp4",
    size: "1280x720",
    rate: 25,
    clips: CLIPS,
    rounds: 1,
    codecs: "-c:v libx264 -preset veryfast -profile:v high -b:v 3000k -minrate 3000k -maxrate 3000k -bufsize 3000k \
        -x264-params nal-hrd=cbr:open-gop=0:keyint=50:min-keyint=50:scenecut=0 -c:a aac -b:a 160k",
};

/// Keeps its picture: 1.5 Mbit/s.
pub(crate) const FIT_1M5: Kind = Kind {
    folder: "fit-1m5",
    words: "the same at 1.5 Mbit/s",
    codecs: "-c:v libx264 -preset veryfast -profile:v high -b:v 1500k -minrate 1500k -maxrate 1500k -bufsize 1500k \
        -x264-params nal-hrd=cbr:open-gop=0:keyint=50:min-keyint=50:scenecut=0 -c:a aac -b:a 160k",
    ..FIT_3M
};

/// Keeps its picture: 6 Mbit/s, segments of 1.5 MB.
pub(crate) const FIT_6M: Kind = Kind {
    folder: "fit-6m",
    words: "the same at 6 Mbit/s",
    codecs: "-c:v libx264 -preset veryfast -profile:v high -b:v 6000k -minrate 6000k -maxrate 6000k -bufsize 6000k \
        -x264-params nal-hrd=cbr:open-gop=0:keyint=50:min-keyint=50:scenecut=0 -c:a aac -b:a 160k",
    ..FIT_3M
};

/// Keeps its picture, alone, and lasts: 4 Mbit/s.
pub(crate) const FIT_LONG: Kind = Kind {
    folder: "fit-long-1080p",
    words: "H.264 High 1080p25, closed GOPs of 2 s, 4 Mbit/s, AAC (mp4)",
    size: "1920x1080",
    clips: 1,
    rounds: 10,
    codecs: "-c:v libx264 -preset veryfast -profile:v high -b:v 4000k -minrate 4000k -maxrate 4000k -bufsize 4000k \
        -x264-params nal-hrd=cbr:open-gop=0:keyint=50:min-keyint=50:scenecut=0 -c:a aac -b:a 160k",
    ..FIT_3M
};

/// Large enough for three sizes of picture, alone: 6 Mbit/s.
pub(crate) const FULL_HD: Kind = Kind {
    folder: "full-hd",
    words: "H.264 High 1080p25, closed GOPs of 2 s, 6 Mbit/s, AAC (mp4)",
    size: "1920x1080",
    clips: 1,
    ..FIT_6M
};

/// Must be made anew, an old kind.
pub(crate) const MPEG4: Kind = Kind {
    folder: "mpeg4",
    words: "MPEG-4 720p25, MP3 (avi)",
    ending: "avi",
    codecs: "-c:v mpeg4 -vtag XVID -b:v 4000k -g 250 -c:a libmp3lame -b:a 160k",
    ..FIT_3M
};

/// Must be made anew, a new kind.
pub(crate) const HEVC: Kind = Kind {
    folder: "hevc",
    words: "HEVC 720p25, AAC (mkv)",
    ending: "mkv",
    codecs: "-c:v libx265 -preset ultrafast -b:v 2500k -x265-params log-level=error:keyint=250 -c:a aac -b:a 160k",
    ..FIT_3M
};

/// Must be made anew, alone: its GOPs are too long.
pub(crate) const LONG_GOPS: Kind = Kind {
    folder: "long-gops",
    words: "H.264 720p30 with keyframes 10 s apart, 4 Mbit/s, AAC (mp4)",
    rate: 30,
    clips: 1,
    codecs: "-c:v libx264 -preset veryfast -b:v 4000k -g 300 -x264-params keyint=300:min-keyint=300:scenecut=0 \
        -c:a aac -b:a 160k",
    ..FIT_3M
};

impl Kind {
    /// Returns how long a clip is.
    pub(crate) fn seconds(self) -> u32 {
        LENGTH * self.rounds
    }
}

/// Returns the folder with a kind's clips, made if they are missing.
pub(crate) fn folder(clips: &Path, kind: Kind) -> Result<PathBuf> {
    let folder = clips.join(kind.folder);
    fs::create_dir_all(&folder)?;
    let first = folder.join(format!("clip 1.{}", kind.ending));
    if !first.exists() {
        eprintln!("bench: makes the clips {}", kind.folder);
        let picture = format!(
            "testsrc2=s={}:r={}:d={LENGTH},noise=alls=10:allf=t:all_seed=7,format=yuv420p",
            kind.size, kind.rate
        );
        let sound = format!("anoisesrc=d={}:c=pink:r=48000:a=0.2:s=7,aformat=channel_layouts=stereo", kind.seconds());
        if kind.rounds == 1 {
            make(&first, &["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound], kind.codecs)?;
        } else {
            // The picture alone goes round: sound a little longer than it would make frames late at each seam.
            let once = clips.join(format!("once {}.{}", kind.folder, kind.ending));
            make(&once, &["-f", "lavfi", "-i", &picture, "-an"], kind.codecs)?;
            let (rounds, path) = ((kind.rounds - 1).to_string(), once.to_str().context("the path is not UTF-8")?);
            let input = ["-stream_loop", &rounds, "-i", path, "-f", "lavfi", "-i", &sound];
            make(&first, &input, "-map 0:v -map 1:a -c:v copy -c:a aac -b:a 160k")?;
            fs::remove_file(&once)?;
        }
    }
    // The others differ in their bytes, so that they are items of their own, and not in what they cost.
    for n in 2..=kind.clips {
        let path = folder.join(format!("clip {n}.{}", kind.ending));
        if !path.exists() {
            let title = format!("title=Clip {n}");
            let first = first.to_str().context("the path of the clips is not UTF-8")?;
            make(&path, &["-i", first, "-metadata", &title], "-c copy")?;
        }
    }
    Ok(folder)
}

/// Returns the first clip of a kind.
pub(crate) fn first(clips: &Path, kind: Kind) -> Result<PathBuf> {
    Ok(folder(clips, kind)?.join(format!("clip 1.{}", kind.ending)))
}

/// Makes a file under another name first: one that was broken off is never taken for whole.
fn make(path: &Path, input: &[&str], codecs: &str) -> Result<()> {
    let folder = path.parent().and_then(Path::parent).context("a clip has a folder")?;
    let name = path.file_name().and_then(OsStr::to_str).context("a clip has a name")?;
    let part = folder.join(format!("part {name}"));
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-y"]).args(input);
    command.args(codecs.split_whitespace()).arg(&part).stdin(Stdio::null());
    let mut child = command.spawn().context("ffmpeg could not be started")?;
    let ended = process::wait_until(&mut child, Instant::now() + MAKE_MAX)?;
    if !ended.is_some_and(|status| status.success()) {
        let _gone = child.kill();
        let _gone = child.wait();
        bail!("ffmpeg could not make {}", path.display());
    }
    fs::File::options().write(true).open(&part)?.set_modified(SystemTime::now() - AGE)?;
    fs::rename(&part, path)?;
    Ok(())
}
