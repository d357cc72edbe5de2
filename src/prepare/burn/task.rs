//! Lays what is burned into an item under names of ours into a folder of the job's own, and clears it away.
#![expect(clippy::disallowed_methods, reason = "reads subtitles and logos, and writes what ffmpeg is to read")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::logo;
use crate::config::{BurnedLogo, Profile};
use crate::ffmpeg::burn_args::{Burned, FONTS, LOGO, Lines, SCRIPT};
use crate::ffmpeg::child::{ChildSpec, Limits, Role};
use crate::ffmpeg::extent::Extent;
use crate::ffmpeg::family::Family;
use crate::ffmpeg::{logo_args, subtitle_args, task as child};
use crate::library::Item;
use crate::library::subtitles::{FileKind, SubtitleTrack};
use crate::prepare::job::task::interrupted;
use crate::prepare::job::{AttemptError, JobError, Request, Tools, judge};
use crate::prepare::recipe::Recipe;
use crate::prepare::subtitles::BYTES_MAX;
use crate::prepare::subtitles::choice::Source;
use crate::prepare::subtitles::task::{EXTRACT_LIMIT, file_bytes};
use crate::units::MediaTime;

/// How many fonts of a film are taken out, and how large one may be in bytes: those for Chinese have 20 MB.
const FONTS_MAX: usize = 32;
const FONT_BYTES_MAX: u64 = 32 << 20;

/// How long a logo may take to be read.
const LOGO_LIMIT: Duration = Duration::from_secs(20);

/// How many bytes a child whose stdout should be empty may write.
const STDOUT_MAX: u64 = 1 << 20;

/// Returns a channel's profile as this machine and the channel's files allow: without subtitles where ffmpeg has no libass, with
/// the logo's digest, or without a logo that cannot be read. What is left out is told, with what to do about it.
#[must_use]
pub fn possible(profile: &Profile, can_burn_text: bool) -> Profile {
    let mut profile = profile.clone();
    if profile.burn.subtitles.is_some() && !can_burn_text {
        tracing::error!(
            "no subtitles are burned in: this ffmpeg has no libass (hint: install a complete ffmpeg, such as Debian's, or name \
             one by ffmpeg in [station])"
        );
        profile.burn.subtitles = None;
    }
    profile.burn.logo = profile.burn.logo.take().and_then(|logo| match logo_bytes(&logo.file) {
        Ok(bytes) => Some(BurnedLogo { sum: Some(logo::sum(&bytes).into()), ..logo }),
        Err(reason) => {
            tracing::error!(
                file = %logo.file.display(), reason,
                "the logo cannot be burned in; films are made without it (hint: a PNG suits best; save channels.toml when \
                 it is there)"
            );
            None
        }
    });
    profile
}

/// Returns the digest of a logo's file; none where it is no logo, which is told.
#[must_use]
pub fn logo_sum(file: &Path) -> Option<Arc<str>> {
    match logo_bytes(file) {
        Ok(bytes) => Some(logo::sum(&bytes).into()),
        Err(reason) => {
            tracing::warn!(file = %file.display(), reason, "a logo cannot be drawn on cards");
            None
        }
    }
}

/// Reads the file of a logo and looks whether it is one.
fn logo_bytes(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = file_bytes(path).map_err(|error| error.to_string())?;
    if bytes.len() > logo::BYTES_MAX {
        return Err(format!("it is larger than {} bytes", logo::BYTES_MAX));
    }
    logo::kind(&bytes)?;
    Ok(bytes)
}

/// What is burned into one item, laid ready; its folder goes with it.
#[derive(Debug)]
pub(in crate::prepare) struct Laid {
    burned: Burned,
    folder: Option<PathBuf>,
}

impl Drop for Laid {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _gone = fs::remove_dir_all(folder);
        }
    }
}

impl Laid {
    /// Lays everything ready. What cannot be burned in is left out and told: of subtitles in the recipe, too.
    ///
    /// # Errors
    /// What says nothing of the item: the disk takes nothing, the station stops.
    pub(in crate::prepare) async fn begin(
        request: &Request,
        tools: &Tools,
        extent: &Extent,
        recipe: &mut Recipe,
        token: &CancellationToken,
    ) -> Result<Self, JobError> {
        let mut laid = Self { burned: Burned::default(), folder: None };
        let (item, burn) = (&request.item, &request.profile.burn);
        let lines = super::lines(item, burn).map(|(_, source)| source);
        if lines.is_none() && burn.logo.is_none() {
            return Ok(laid);
        }
        let folder = request.folder.join(format!("{}.burn", request.stem));
        let unwritable = |error: io::Error| JobError::Unwritable(error.to_string());
        fs::create_dir_all(folder.join(FONTS)).map_err(unwritable)?;
        laid.folder = Some(folder.clone());
        let layer = Layer { folder: &folder, tools, family: &request.family, nice: request.nice(), token };
        if let Some(source) = lines {
            match layer.lines(item, source, extent).await? {
                Ok(lines) => laid.burned.lines = Some(lines),
                Err(why) => give_up(item, &why, recipe),
            }
        }
        if let Some(logo) = &burn.logo {
            match layer.logo(&logo.file).await? {
                Ok(()) => laid.burned.logo = Some(super::placed(logo)),
                Err(why) => tracing::warn!(
                    file = %logo.file.display(), why,
                    "the logo could not be burned in; the item is made without it (hint: a PNG suits best)"
                ),
            }
        }
        Ok(laid)
    }

    /// Returns what is burned in, for an item whose times are moved by so much; nothing into a picture that is kept.
    pub(in crate::prepare) fn burned(&self, by: MediaTime) -> Burned {
        let lines = self.burned.lines.map(|lines| match lines {
            Lines::Script { placed, fonts, .. } => Lines::Script { shift: by, placed, fonts },
            lines @ Lines::Pictures { .. } => lines,
        });
        Burned { lines, ..self.burned }
    }

    /// Returns the folder in which ffmpeg finds it; none where there is nothing.
    pub(in crate::prepare) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Takes note that an attempt failed; true where subtitles were burned in, which are now left out.
    pub(in crate::prepare) fn gives_up(&mut self, item: &Item, why: &AttemptError, recipe: &mut Recipe) -> bool {
        if self.burned.lines.take().is_none() {
            return false;
        }
        give_up(item, &why.to_string(), recipe);
        true
    }
}

fn give_up(item: &Item, why: &str, recipe: &mut Recipe) {
    tracing::warn!(item = %item.name, why, "its subtitles could not be burned in; it is made without them");
    *recipe = super::without_lines(recipe.clone(), why.to_owned());
}

/// Lays things into a folder.
struct Layer<'a> {
    folder: &'a Path,
    tools: &'a Tools,
    family: &'a Family,
    nice: u8,
    token: &'a CancellationToken,
}

/// What was laid, or why nothing was; beside what says nothing of the item.
type Outcome<T> = Result<Result<T, String>, JobError>;

impl Layer<'_> {
    async fn lines(&self, item: &Item, source: Source<'_>, extent: &Extent) -> Outcome<Lines> {
        match source {
            Source::Track(track) if track.is_picture() => {
                let shape = super::screen(item, track, extent);
                Ok(Ok(Lines::Pictures { stream: track.index, shape }))
            }
            Source::Track(track) => {
                let kind = kind_of(track);
                let out = self.folder.join("track");
                let attached = if kind == FileKind::Ass { attached(item, extent) } else { 0 };
                let mut done = self.take_out(item, Some((track.index, kind)), &out, attached).await?;
                if done.is_err() && attached > 0 {
                    // A font may have been too large.
                    done = self.take_out(item, Some((track.index, kind)), &out, 0).await?;
                }
                match done {
                    Ok(()) => self.script(kind, file_bytes(&out)),
                    Err(why) => Ok(Err(why)),
                }
            }
            Source::File(file) => {
                let attached = attached(item, extent);
                if file.kind == FileKind::Ass && attached > 0 {
                    // Without them it has those of the machine.
                    let _told = self.take_out(item, None, Path::new("/dev/null"), attached).await?;
                }
                let path = file.path.clone();
                let bytes = tokio::task::spawn_blocking(move || file_bytes(&path)).await;
                self.script(file.kind, bytes.map_err(io::Error::other).flatten())
            }
        }
    }

    /// Writes the script that libass reads.
    fn script(&self, kind: FileKind, bytes: io::Result<Vec<u8>>) -> Outcome<Lines> {
        let script = bytes.map_err(|error| error.to_string()).and_then(|bytes| super::script_of(kind, &bytes));
        let (text, placed) = match script {
            Ok(script) => script,
            Err(why) => return Ok(Err(why)),
        };
        fs::write(self.folder.join(SCRIPT), text).map_err(|error| JobError::Unwritable(error.to_string()))?;
        let fonts = fs::read_dir(self.folder.join(FONTS)).is_ok_and(|mut all| all.next().is_some());
        Ok(Ok(Lines::Script { shift: MediaTime::ZERO, placed, fonts }))
    }

    /// Takes a track out of a film, and the fonts that are attached to it, each under a number.
    async fn take_out(&self, item: &Item, track: Option<(u32, FileKind)>, out: &Path, attached: usize) -> Outcome<()> {
        let fonts: Vec<PathBuf> = (0..attached).map(|n| self.folder.join(FONTS).join(n.to_string())).collect();
        let track = track.map(|(index, kind)| (index, if kind == FileKind::Ass { "ass" } else { "webvtt" }));
        let args = subtitle_args::script_args(&item.path, &item.media.format, track, out, &fonts);
        let most = if attached > 0 { FONT_BYTES_MAX } else { BYTES_MAX as u64 };
        let limits = Limits { nice: self.nice, file_bytes: Some(most), ..Limits::PREPARE };
        run(args, limits, EXTRACT_LIMIT, (self.tools, self.family, self.token)).await
    }

    /// Makes a clean picture of a logo.
    async fn logo(&self, file: &Path) -> Outcome<()> {
        make_logo(file, &self.folder.join(LOGO), self.tools, self.family, self.token).await
    }
}

/// Makes a clean picture of a logo, with no more memory and time than looking into a file may take.
pub(in crate::prepare) async fn make_logo(
    file: &Path,
    out: &Path,
    tools: &Tools,
    family: &Family,
    token: &CancellationToken,
) -> Outcome<()> {
    let path = file.to_owned();
    let bytes = tokio::task::spawn_blocking(move || logo_bytes(&path)).await.map_err(|error| error.to_string());
    let kind = match bytes.flatten().and_then(|bytes| Ok(logo::kind(&bytes)?)) {
        Ok(kind) => kind,
        Err(why) => return Ok(Err(why)),
    };
    let limits = Limits { file_bytes: Some(8 << 20), ..Limits::PROBE };
    run(logo_args::logo_args(file, kind, out), limits, LOGO_LIMIT, (tools, family, token)).await
}

async fn run(
    args: Vec<std::ffi::OsString>,
    limits: Limits,
    limit: Duration,
    (tools, family, token): (&Tools, &Family, &CancellationToken),
) -> Outcome<()> {
    let (program, family) = (tools.ffmpeg.clone(), family.clone());
    let spec = ChildSpec { program, args, folder: None, role: Role::Prepare, limits, family };
    match child::run_to_end(&spec, limit, STDOUT_MAX, token).await {
        Ok((evidence, _)) if evidence.success() => Ok(Ok(())),
        Ok((evidence, _)) => match judge(&evidence) {
            JobError::Unfit(_) => Ok(Err(evidence.last_words())),
            error => Err(error),
        },
        Err(error @ (child::ChildError::TimedOut { .. } | child::ChildError::TooMuchOutput { .. })) => {
            Ok(Err(error.to_string()))
        }
        Err(error) => Err(interrupted(error)),
    }
}

/// How a track is written when it was taken out.
fn kind_of(track: &SubtitleTrack) -> FileKind {
    if matches!(track.codec.as_str(), "ass" | "ssa") { FileKind::Ass } else { FileKind::Vtt }
}

/// Returns how many files are attached to a film, of those that are taken out.
fn attached(item: &Item, extent: &Extent) -> usize {
    if extent.complete {
        extent.streams.iter().filter(|stream| stream.kind == "attachment").count().min(FONTS_MAX)
    } else if item.media.format.contains("matroska") {
        FONTS_MAX
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Burn, Corner};
    use crate::prepare::queue::tests::want;

    /// Goal: what this machine or a file does not allow is left out, and what it allows is known by its bytes. Method: an ffmpeg
    /// without libass, and logos that are none.
    #[test]
    fn what_is_not_possible_is_left_out_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let with = |name: &str, bytes: &[u8]| {
            let file = folder.path().join(name);
            fs::write(&file, bytes).unwrap();
            let logo = BurnedLogo { file, sum: None, corner: Corner::TopLeft, size: 8, opacity: 75 };
            let burn = Burn { subtitles: Some([].into()), logo: Some(logo) };
            Profile { burn, ..Profile::clone(&want("a", 9).profile) }
        };
        let png = possible(&with("a.png", b"\x89PNG 1"), true).burn;
        assert!(png.subtitles.is_some() && png.logo.as_ref().is_some_and(|logo| logo.sum.is_some()), "{png:?}");
        assert_ne!(possible(&with("a.png", b"\x89PNG 2"), true).burn, png, "another picture under the same name");
        let plain = possible(&with("b.png", b"\x89PNG 1"), false).burn;
        assert!(plain.subtitles.is_none() && plain.logo.is_some(), "no libass");
        let large = vec![0x89; logo::BYTES_MAX + 9];
        for (name, bytes) in [("c.png", &b"#EXTM3U"[..]), ("d.png", &large), ("e.png", b"")] {
            assert_eq!(possible(&with(name, bytes), true).burn.logo, None, "{name}");
        }
    }
}
