//! Reads the subtitles of items, has tracks taken out of films, and keeps what came of it.
#![expect(clippy::disallowed_methods, reason = "reads subtitle files and keeps cues on the disk")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::choice::{self, Source};
use super::{BYTES_MAX, Captions, read};
use crate::config::{Language, Profile};
use crate::ffmpeg::child::{ChildSpec, Limits, Role};
use crate::ffmpeg::extent::PacketScan;
use crate::ffmpeg::family::{Children, Family};
use crate::ffmpeg::subtitle_args as args;
use crate::ffmpeg::task as child;
use crate::library::Item;
use crate::library::subtitles::{FileKind, SubtitleTrack};
use crate::prepare::plan;
use crate::prepare::recipe::{self, Recipe};
use crate::units::{ChannelId, MediaTime};

/// How long the first packets of a film may take to be listed.
const BEGINNING_LIMIT: Duration = Duration::from_secs(20);
/// How much that list may be, in bytes: a few seconds of packets.
const BEGINNING_MAX: u64 = 8 << 20;
/// How long tracks may take to be taken out of a film: all of it is read, from a slow disk at times.
pub(in crate::prepare) const EXTRACT_LIMIT: Duration = Duration::from_mins(10);
/// How many bytes a child whose stdout should be empty may write.
const STDOUT_MAX: u64 = 1 << 20;
/// How much of the disk the cues of all items may take, in bytes: those of two thousand films. The oldest go first.
const KEPT_MAX: u64 = 256 << 20;
/// How many films are read at once for what is on air, and how many for what comes later.
const AT_ONCE: usize = 2;
const AHEAD_AT_ONCE: usize = 1;

/// The subtitles of all channels' items; cheap to clone.
#[derive(Clone, Debug)]
pub struct Titles {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    /// Where what came of them is kept.
    folder: PathBuf,
    children: Children,
    on_air: Arc<Semaphore>,
    ahead: Arc<Semaphore>,
    /// The names of the items that are being read now; no more than there are turns.
    under_way: watch::Sender<BTreeSet<String>>,
    tracker: TaskTracker,
    token: CancellationToken,
}

impl Titles {
    /// Returns the subtitles of a station with this data folder; nothing is read yet. Reading ends with the token, and
    /// `tracker` waits for that.
    #[must_use]
    pub fn new(
        (ffmpeg, ffprobe): (&Path, &Path),
        data: &Path,
        children: &Children,
        (tracker, token): (TaskTracker, CancellationToken),
    ) -> Self {
        let folder = std::path::absolute(data).unwrap_or_else(|_| data.to_owned()).join("subtitles");
        Self {
            shared: Arc::new(Shared {
                ffmpeg: ffmpeg.to_owned(),
                ffprobe: ffprobe.to_owned(),
                folder,
                children: children.clone(),
                on_air: Arc::new(Semaphore::new(AT_ONCE)),
                ahead: Arc::new(Semaphore::new(AHEAD_AT_ONCE)),
                under_way: watch::Sender::default(),
                tracker,
                token,
            }),
        }
    }

    /// Returns the subtitles of an item on its own time: what was kept, or read from its files and tracks now. `soon` says
    /// whether it is on air.
    ///
    /// None where it has none. What cannot be read is left out, and told in the log. Reading that has begun goes on when
    /// nobody waits for it any more: a large film on a slow disk outlasts every patience, and is not begun again and again.
    pub async fn of(
        &self,
        channel: &ChannelId,
        item: &Arc<Item>,
        profile: &Profile,
        soon: bool,
    ) -> Option<Arc<Captions>> {
        let name = choice::name(item, recipe::frame_rate(&item.media.video, profile))?;
        let kept = self.shared.folder.join(format!("{name}.json"));
        if let Some(captions) = self.kept(&kept).await {
            return Some(captions);
        }
        let turns = if soon { &self.shared.on_air } else { &self.shared.ahead };
        // Never closed. Whoever had the turn before may have made these, or makes them now.
        let turn = Arc::clone(turns).acquire_owned().await;
        let reader = Reader::alone(&self.shared, self.shared.children.of(channel), item, name).await;
        if let Some(captions) = self.kept(&kept).await {
            return Some(captions);
        }
        let profile = profile.clone();
        let reading = self.shared.tracker.spawn(async move {
            let _turn = turn;
            reader.read_and_keep(&profile, kept).await
        });
        reading.await.ok()
    }

    async fn kept(&self, path: &Path) -> Option<Arc<Captions>> {
        let path = path.to_owned();
        let read = tokio::task::spawn_blocking(move || Captions::from_json(&fs::read(path).ok()?));
        read.await.ok().flatten().map(Arc::new)
    }
}

/// Reads the subtitles of one item, and nobody else does: what is taken out of it lies under its name, and two would take it
/// from each other.
struct Reader {
    shared: Arc<Shared>,
    family: Family,
    item: Arc<Item>,
    name: String,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.under_way.send_modify(|names| {
            names.remove(&self.name);
        });
    }
}

impl Reader {
    /// Waits until nobody else reads the item of this name.
    async fn alone(shared: &Arc<Shared>, family: Family, item: &Arc<Item>, name: String) -> Self {
        let mut names = shared.under_way.subscribe();
        while !shared.under_way.send_if_modified(|names| names.insert(name.clone())) {
            // The sender outlives this.
            let _free = names.wait_for(|names| !names.contains(&name)).await;
        }
        Self { shared: Arc::clone(shared), family, item: Arc::clone(item), name }
    }

    async fn read_and_keep(&self, profile: &Profile, kept: PathBuf) -> Arc<Captions> {
        let (captions, whole) = self.captions(profile).await;
        if whole {
            let (json, folder) = (captions.to_json(), self.shared.folder.clone());
            let keep = tokio::task::spawn_blocking(move || keep(&folder, &kept, &json));
            if let Err(error) = keep.await.map_err(io::Error::other).flatten() {
                tracing::warn!(%error, "subtitles could not be kept; they are read again");
            }
        }
        Arc::new(captions)
    }

    /// Returns what was understood, and whether nothing was left out that another time might bring.
    async fn captions(&self, profile: &Profile) -> (Captions, bool) {
        let shift = self.shift(profile).await;
        let (mut captions, mut whole) = (Captions::default(), true);
        let mut tracks = Vec::new();
        for (language, source) in choice::texts(&self.item) {
            match source {
                Source::Track(track) => tracks.push((language, track)),
                Source::File(file) => {
                    let (path, kind) = (file.path.clone(), file.kind);
                    let bytes = tokio::task::spawn_blocking(move || file_bytes(&path)).await;
                    match bytes.map_err(io::Error::other).flatten() {
                        Ok(bytes) => self.take(&mut captions, language, kind, &bytes, shift, &file.path),
                        Err(error) => {
                            whole = false;
                            tracing::warn!(path = %file.path.display(), %error, "a subtitle file cannot be read; it is left out");
                        }
                    }
                }
            }
        }
        whole &= self.extract(&mut captions, &tracks, shift).await;
        (captions, whole)
    }

    fn take(
        &self,
        captions: &mut Captions,
        language: &Language,
        kind: FileKind,
        bytes: &[u8],
        shift: MediaTime,
        at: &Path,
    ) {
        let track = read::track(kind, bytes).unwrap_or_default().shifted(shift);
        if track.cues().is_empty() {
            tracing::warn!(
                item = %self.item.name, %language, path = %at.display(),
                "no subtitles are understood in it; they are left out"
            );
        }
        captions.add(language.clone(), track);
    }

    /// Takes tracks out of the film: all in one go, or each for itself where that fails.
    async fn extract(&self, captions: &mut Captions, tracks: &[(&Language, &SubtitleTrack)], shift: MediaTime) -> bool {
        if tracks.is_empty() {
            return true;
        }
        let out = |index: u32| self.shared.folder.join(format!("{}-{index}.vtt", self.name));
        let all: Vec<_> = tracks.iter().map(|(_, track)| (track.index, out(track.index))).collect();
        if let Err(error) = fs::create_dir_all(&self.shared.folder) {
            tracing::warn!(%error, "the data folder takes no subtitles");
            return false;
        }
        let mut done = self.run(&all).await;
        if done == Some(false) && all.len() > 1 {
            for one in &all {
                done = self.run(std::slice::from_ref(one)).await.filter(|_| done.is_some());
            }
        }
        for ((language, track), (_, path)) in tracks.iter().zip(&all) {
            let at = path.clone();
            let bytes = tokio::task::spawn_blocking(move || {
                let bytes = file_bytes(&at);
                let _gone = fs::remove_file(&at);
                bytes.unwrap_or_default()
            });
            if done.is_some() {
                let bytes = bytes.await.unwrap_or_default();
                tracing::debug!(item = %self.item.name, %language, index = track.index, bytes = bytes.len(), "a track was taken out");
                self.take(captions, language, FileKind::Vtt, &bytes, shift, &self.item.path);
            }
        }
        done.is_some()
    }

    /// Runs ffmpeg; whether it did all, or none where that says nothing of the film.
    async fn run(&self, tracks: &[(u32, PathBuf)]) -> Option<bool> {
        let command = args::extract_args(&self.item.path, &self.item.media.format, tracks);
        let limits = Limits { file_bytes: Some(BYTES_MAX as u64), ..Limits::PREPARE };
        let spec = self.spec(&self.shared.ffmpeg, command, Role::Prepare, limits);
        match child::run_to_end(&spec, EXTRACT_LIMIT, STDOUT_MAX, &self.shared.token).await {
            Ok((evidence, _)) if evidence.tells_of_the_machine() => None,
            Ok((evidence, _)) => Some(evidence.success()),
            Err(error) => {
                tracing::warn!(item = %self.item.name, %error, "its subtitle tracks could not be taken out for now");
                None
            }
        }
    }

    /// Returns what is added to times that count from the container's start, as those of the picture are moved.
    async fn shift(&self, profile: &Profile) -> MediaTime {
        let media = &self.item.media;
        let command = args::beginning_args(&self.item.path, &media.format);
        let spec = self.spec(&self.shared.ffprobe, command, Role::Probe, Limits::PROBE);
        let listed = child::run_to_end(&spec, BEGINNING_LIMIT, BEGINNING_MAX, &self.shared.token).await;
        let mut scan = PacketScan::new(media.video.index, media.audio.as_ref().map(|audio| audio.index), &media.format);
        if let Ok((_, lines)) = listed {
            String::from_utf8_lossy(&lines).lines().for_each(|line| scan.feed(line));
        }
        let extent = scan.finish(true).unwrap_or_else(|| plan::container_extent(media));
        // Whatever is done to the item, its time begins here: only what is made anew has sound long before its picture.
        let recipe = Recipe::Transcode { reasons: Vec::new() };
        let rate = recipe::frame_rate(&media.video, profile);
        recipe::timeline(&extent, &recipe, rate).map(|timeline| timeline.shift).unwrap_or_default()
    }

    fn spec(&self, program: &Path, args: Vec<std::ffi::OsString>, role: Role, limits: Limits) -> ChildSpec {
        ChildSpec { program: program.to_owned(), args, folder: None, role, limits, family: self.family.clone() }
    }
}

/// Reads a file as far as it is looked at. Without waiting: a pipe put in its place would keep the thread for ever.
pub(in crate::prepare) fn file_bytes(path: &Path) -> io::Result<Vec<u8>> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    let mut bytes = Vec::new();
    file.take(BYTES_MAX as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Keeps what came of an item, in one stroke, and makes room for it.
fn keep(folder: &Path, path: &Path, json: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let half = path.with_extension("half");
    fs::write(&half, json)?;
    fs::rename(&half, path)?;
    make_room(folder, KEPT_MAX)
}

/// Removes the oldest until no more than this many bytes are left.
fn make_room(folder: &Path, most: u64) -> io::Result<()> {
    let mut all: Vec<(SystemTime, u64, PathBuf)> = fs::read_dir(folder)?
        .flatten()
        .filter_map(|entry| {
            let about = entry.metadata().ok()?;
            Some((about.modified().ok()?, about.len(), entry.path()))
        })
        .collect();
    all.sort();
    let mut held: u64 = all.iter().map(|(_, len, _)| len).sum();
    for (_, len, path) in all {
        if held <= most {
            break;
        }
        fs::remove_file(path)?;
        held -= len;
    }
    Ok(())
}

#[cfg(test)]
#[path = "task_tests.rs"]
mod tests;
