//! Makes the films that are not there yet, two at a time.
#![expect(clippy::disallowed_methods, reason = "looks for films and fonts, measures how long making them takes")]

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use super::films::{Captions, Film, LINE_FONT, TITLE_FONT};
use crate::ffmpeg::child::{ChildSpec, Ending, Evidence, Limits, Role};
use crate::ffmpeg::family::Family;
use crate::ffmpeg::task::{ChildError, run_to_end, spawn};
use crate::units::MediaTime;

/// How many films are made at once: each uses little more than one core.
pub const FILMS_AT_ONCE: usize = 2;

/// How long one film may take: a hundred times what it takes on two idle cores.
const FILM_TIME_MAX: Duration = Duration::from_mins(15);

/// How long ffmpeg may take to list what it can do.
const LIST_TIME_MAX: Duration = Duration::from_secs(20);

/// How long that list may be; it is about 50 kB.
const LIST_BYTES_MAX: u64 = 1 << 20;

/// Where everything happens until a film is whole, in a folder for each process: hidden from the library, and on the
/// same file system, so that a film appears at once.
const WORK_FOLDER: &str = ".demo";

/// Fonts looked for, best first: thin letters suit the night. Title, then lines.
const FONTS: [(&str, &str); 4] = [
    ("/usr/share/fonts/truetype/dejavu/DejaVuSans-ExtraLight.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    (
        "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
        "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
    ),
    ("/usr/share/fonts/truetype/freefont/FreeSans.ttf", "/usr/share/fonts/truetype/freefont/FreeSans.ttf"),
];

/// What to make and where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The ffmpeg program.
    pub ffmpeg: PathBuf,
    /// The folder the channels' folders are made in.
    pub folder: PathBuf,
    /// The films, in the order they are begun.
    pub films: Vec<Film>,
}

/// What is told while it goes on. Titles are those of the films.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// How much there is to do.
    Planned {
        /// How many films are to be made.
        films: usize,
        /// How many are there already.
        kept: usize,
        /// Their length together.
        length: MediaTime,
    },
    /// A film is begun.
    Begun {
        /// Its title.
        title: &'static str,
    },
    /// A film has grown.
    Grown {
        /// Its title.
        title: &'static str,
        /// By how much.
        by: MediaTime,
    },
    /// A film is whole.
    Finished {
        /// Its title.
        title: &'static str,
        /// Where it lies.
        path: PathBuf,
        /// How long it took.
        took: Duration,
    },
    /// A film cannot be made.
    Skipped {
        /// Its title.
        title: &'static str,
        /// Why, in words.
        reason: String,
    },
    /// Something worth knowing.
    Note {
        /// In words.
        text: String,
    },
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Films made now.
    pub made: Vec<PathBuf>,
    /// Films that were there before.
    pub kept: Vec<PathBuf>,
    /// Films that could not be made: title and reason.
    pub skipped: Vec<(&'static str, String)>,
}

/// Why there are no films.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A folder or file could not be made.
    #[error("failed to write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// ffmpeg could not be asked what it can do.
    #[error("failed to ask {} what it can do (hint: `apt-get install ffmpeg`)", ffmpeg.display())]
    Ffmpeg {
        /// The program.
        ffmpeg: PathBuf,
        /// What happened.
        #[source]
        source: ChildError,
    },
    /// ffmpeg ended without an answer.
    #[error("failed to ask {} what it can do: {} (hint: `apt-get install ffmpeg`)", ffmpeg.display(), evidence.ending())]
    NoAnswer {
        /// The program.
        ffmpeg: PathBuf,
        /// How it ended.
        evidence: Box<Evidence>,
    },
    /// Not one film could be made and none was there.
    #[error("failed to make any film: {reason}")]
    Nothing {
        /// Why the first could not.
        reason: String,
    },
    /// Asked to stop.
    #[error("stopped before all films were made")]
    Cancelled,
}

/// Makes what is missing; films that are there are kept as they are.
///
/// # Errors
/// As [`DemoError`] tells. A film that cannot be made is no error while there are others.
///
/// # Cancel safety
/// Cancel by the token: children are ended and unfinished files removed before this returns.
pub async fn run(
    settings: Settings,
    progress: impl Fn(Progress),
    token: &CancellationToken,
) -> Result<Summary, DemoError> {
    let mut summary = Summary::default();
    let (kept, missing): (Vec<_>, Vec<_>) = settings.films.iter().partition(|film| place(&settings, film).is_file());
    summary.kept = kept.iter().map(|film| place(&settings, film)).collect();
    let length = missing.iter().map(|film| MediaTime::from_secs(film.secs.into())).sum();
    progress(Progress::Planned { films: missing.len(), kept: kept.len(), length });
    if missing.is_empty() {
        return Ok(summary);
    }
    let abilities = abilities(&settings.ffmpeg, token).await?;
    let work = settings.folder.join(WORK_FOLDER).join(std::process::id().to_string());
    let fonts = if abilities.captions { fonts() } else { None };
    if fonts.is_none() {
        let text = if abilities.captions { "no font was found" } else { "this ffmpeg cannot write text" };
        progress(Progress::Note { text: format!("{text}: the films have no captions") });
    }
    let making = Making { settings: &settings, work: &work, fonts, abilities: &abilities, token };
    let outcomes: Vec<_> = stream::iter(missing)
        .map(|film| make(&making, film, &progress))
        .buffer_unordered(FILMS_AT_ONCE)
        .collect()
        .await;
    clear(&settings.folder.join(WORK_FOLDER));
    for outcome in outcomes {
        match outcome? {
            Ok(path) => summary.made.push(path),
            Err(skipped) => summary.skipped.push(skipped),
        }
    }
    match summary.skipped.first() {
        Some((_, reason)) if summary.made.is_empty() && summary.kept.is_empty() => {
            Err(DemoError::Nothing { reason: reason.clone() })
        }
        _ => Ok(summary),
    }
}

/// What every film's making needs.
struct Making<'a> {
    settings: &'a Settings,
    work: &'a Path,
    fonts: Option<(&'static str, &'static str)>,
    abilities: &'a Abilities,
    token: &'a CancellationToken,
}

/// A film's path, or its title and why there is none.
type Outcome = Result<PathBuf, (&'static str, String)>;

fn place(settings: &Settings, film: &Film) -> PathBuf {
    settings.folder.join(film.folder).join(film.file)
}

async fn make(making: &Making<'_>, film: &Film, progress: &impl Fn(Progress)) -> Result<Outcome, DemoError> {
    let title = film.title;
    if let Some(missing) = film.encoders.iter().find(|name| !making.abilities.encoders.iter().any(|has| has == *name)) {
        let reason = format!("this ffmpeg has no encoder {missing}");
        progress(Progress::Skipped { title, reason: reason.clone() });
        return Ok(Err((title, reason)));
    }
    let begun = Instant::now();
    let work = making.work.join(film.file);
    let path = place(making.settings, film);
    prepare_folders(film, &work, &path, making.fonts)?;
    progress(Progress::Begun { title });
    let spec = ChildSpec {
        program: making.settings.ffmpeg.clone(),
        args: film.args(if making.fonts.is_some() { Captions::Drawn } else { Captions::None }),
        folder: Some(work.clone()),
        role: Role::Prepare,
        limits: Limits::PREPARE,
        family: Family::default(),
    };
    let failure = match encode(&spec, making.token, |by| progress(Progress::Grown { title, by })).await {
        Ok(evidence) if evidence.success() => {
            let unfinished = work.join(film.unfinished());
            std::fs::rename(&unfinished, &path).map_err(|source| DemoError::Write { path: path.clone(), source })?;
            progress(Progress::Finished { title, path: path.clone(), took: begun.elapsed() });
            return Ok(Ok(path));
        }
        Ok(evidence) => {
            let said = evidence.stderr.lines().last().unwrap_or("it said nothing").to_owned();
            format!("ffmpeg ended with {}: {said}", evidence.ending())
        }
        Err(ChildError::Cancelled) => return Err(DemoError::Cancelled),
        Err(error) => error.to_string(),
    };
    progress(Progress::Skipped { title, reason: failure.clone() });
    Ok(Err((title, failure)))
}

/// Runs ffmpeg and tells by how much the film grows.
async fn encode(
    spec: &ChildSpec,
    token: &CancellationToken,
    mut grown: impl FnMut(MediaTime),
) -> Result<Evidence, ChildError> {
    let (mut child, mut lines) = spawn(spec)?;
    let deadline = tokio::time::sleep(FILM_TIME_MAX);
    tokio::pin!(deadline);
    let mut reached = MediaTime::ZERO;
    loop {
        let line = tokio::select! {
            biased;
            () = token.cancelled() => Err(ChildError::Cancelled),
            () = &mut deadline => Err(ChildError::TimedOut { limit: FILM_TIME_MAX }),
            line = lines.recv() => Ok(line),
        };
        match line {
            Err(error) => {
                child.terminate(Ending::Stopped).await;
                return Err(error);
            }
            Ok(None) => return child.wait().await,
            Ok(Some(line)) => {
                let micros = line.strip_prefix("out_time_us=").and_then(|value| value.parse::<i64>().ok());
                if let Some(now) =
                    micros.map(|micros| MediaTime::from_millis(micros / 1000)).filter(|now| *now > reached)
                {
                    grown(now - reached);
                    reached = now;
                }
            }
        }
    }
}

fn prepare_folders(
    film: &Film,
    work: &Path,
    path: &Path,
    fonts: Option<(&'static str, &'static str)>,
) -> Result<(), DemoError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| DemoError::Write { path, source }
    };
    for folder in [Some(work), path.parent()].into_iter().flatten() {
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
    }
    for (name, text) in film.texts() {
        let path = work.join(name);
        std::fs::write(&path, text).map_err(failed(&path))?;
    }
    if let Some((title, line)) = fonts {
        for (name, font) in [(TITLE_FONT, title), (LINE_FONT, line)] {
            let path = work.join(name);
            std::fs::copy(font, &path).map_err(failed(&path))?;
        }
    }
    Ok(())
}

/// Removes the working folders of processes that are gone, and ours; where one cannot be removed it is hidden and
/// harmless.
fn clear(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let owner = entry.file_name().to_string_lossy().parse::<u32>().ok();
        let alive = |pid: u32| pid != std::process::id() && Path::new("/proc").join(pid.to_string()).exists();
        if owner.is_some_and(|pid| !alive(pid)) {
            let _harmless = std::fs::remove_dir_all(entry.path());
        }
    }
    // Only where it is empty now.
    let _others = std::fs::remove_dir(folder);
}

fn fonts() -> Option<(&'static str, &'static str)> {
    FONTS.into_iter().find(|(title, line)| Path::new(title).is_file() && Path::new(line).is_file())
}

/// What this ffmpeg can do, as far as the films need it.
#[derive(Debug)]
struct Abilities {
    captions: bool,
    encoders: Vec<String>,
}

async fn abilities(ffmpeg: &Path, token: &CancellationToken) -> Result<Abilities, DemoError> {
    let filters = listed(ffmpeg, "-filters", token).await?;
    let encoders = listed(ffmpeg, "-encoders", token).await?;
    Ok(Abilities { captions: filters.iter().any(|name| name == "drawtext"), encoders })
}

/// Returns the names of a list ffmpeg prints: flags, name, description on each line.
async fn listed(ffmpeg: &Path, what: &str, token: &CancellationToken) -> Result<Vec<String>, DemoError> {
    let spec = ChildSpec {
        program: ffmpeg.to_owned(),
        args: ["-hide_banner", "-nostdin", what].map(Into::into).to_vec(),
        folder: None,
        role: Role::Probe,
        limits: Limits::PROBE,
        family: Family::default(),
    };
    match run_to_end(&spec, LIST_TIME_MAX, LIST_BYTES_MAX, token).await {
        Ok((evidence, out)) if evidence.success() => {
            let names = String::from_utf8_lossy(&out);
            Ok(names.lines().filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned).collect())
        }
        Ok((evidence, _)) => Err(DemoError::NoAnswer { ffmpeg: ffmpeg.to_owned(), evidence: Box::new(evidence) }),
        Err(ChildError::Cancelled) => Err(DemoError::Cancelled),
        Err(source) => Err(DemoError::Ffmpeg { ffmpeg: ffmpeg.to_owned(), source }),
    }
}
