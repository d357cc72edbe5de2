//! Runs one preparation: look through, measure, make, check.
#![expect(clippy::disallowed_methods, reason = "reads the mezzanine it makes, and the clock for its speed")]

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::chip::Chip;
use super::growth::Grown;
use super::scan::task::{Scanned, scan_lines};
use super::witness::task::{Known, Seen, Witness, given_up};
use super::{AttemptError, Growth, JobError, Made, Request, STALL_LIMIT, Tools, judge};
use crate::ffmpeg::burn_args::Burned;
use crate::ffmpeg::child::{ChildSpec, Limits, Role};
use crate::ffmpeg::extent::{Extent, PacketScan};
use crate::ffmpeg::loudness;
use crate::ffmpeg::prepare_args::{self as args, Job, Loudness, Sound};
use crate::ffmpeg::progress::ProgressReader;
use crate::ffmpeg::task::{self as child, ChildError};
use crate::prepare::burn::{self, task::Laid};
use crate::prepare::gop_index;
use crate::prepare::inspection::task::{self as inspection, Decoder};
use crate::prepare::mezzanine::{Gop, Mezzanine, MezzanineId};
use crate::prepare::plan::{self, Plan};
use crate::prepare::recipe::{self, Recipe};
use crate::prepare::trial::task as trial;
use crate::prepare::verify::{self, Expected, Flaw};
use crate::units::MediaTime;

/// How long an original may be looked through: 3 million packets, an eight-hour film.
const SCAN_LIMIT: Duration = Duration::from_secs(20);
/// The same when somebody waits: a film of two hours (measured: 170,000 packets a second).
const SCAN_LIMIT_URGENT: Duration = Duration::from_secs(5);
/// How many frames at the beginning of a kept picture are decoded before it is ready: half a second, which shows that its
/// parameters and references were kept with it.
const FIRST_FRAMES: u32 = 12;
/// How long loudness may be measured: a day of sound at a hundred times its speed.
const MEASURE_LIMIT: Duration = Duration::from_mins(15);
/// Sound longer than this is not measured first when somebody waits: it takes half a second (measured: 400 times real
/// time with the film's other packets to be skipped).
const MEASURE_URGENT_MAX: MediaTime = MediaTime::from_secs(180);
/// How many bytes a child whose stdout should be empty may write.
const STDOUT_MAX: u64 = 1 << 20;
/// CPU seconds that preparing may take whatever an item's length, and for each second of it.
/// Estimated, and generous: no encode on a machine that can keep a channel on air comes near.
const CPU_SECS_LEAST: u64 = 900;
const CPU_SECS_A_SECOND: u64 = 400;
/// How many preparations of one item are tried: remux with its sound, remux, transcode by a chip, transcode, transcode at its true
/// length, without its subtitles.
const ATTEMPTS_MAX: usize = 6;
/// Progress is logged this often.
const LOG_PAUSE: Duration = Duration::from_secs(10);

/// Prepares an item; `report` is told how far it has got, a few times a second.
///
/// Files of attempts that failed are removed; the mezzanine's own stays in the request's folder.
///
/// # Errors
/// [`JobError`] as its variants tell.
pub async fn run(
    request: &Request,
    tools: &Tools,
    token: &CancellationToken,
    report: &(dyn Fn(Growth) + Send + Sync),
) -> Result<Made, JobError> {
    let worker = Worker { request, tools, token, report };
    let (mut extent, loudness) = tokio::join!(worker.scan(), worker.measure());
    let loudness = loudness?;
    let media = &request.item.media;
    let seen = extent.as_ref().map_err(Clone::clone)?;
    let mut recipe = burn::decided(recipe::decide(media, seen, &request.profile), &request.item, &request.profile);
    if let Some(damage) = request.damage.as_ref().filter(|_| recipe.keeps_picture()) {
        recipe = plan::instead_of_remux(damage.to_string());
    }
    let mut laid = Laid::begin(request, tools, seen, &mut recipe, token).await?;
    let (mut chip, mut keeps_sound) = (Chip::default(), true);
    for attempt in 0..ATTEMPTS_MAX {
        let extent = extent.as_mut().map_err(|error| error.clone())?;
        let mut plan = plan::plan(media, extent, &request.profile, &recipe, tools.can_tone_map)
            .map_err(|unfit| JobError::Unfit(unfit.to_string()))?;
        chip.takes(&mut plan.picture, request, tools).await;
        let files = Files::new(request, attempt);
        let sound = plan::kept_sound(media, extent, &plan, &request.profile).filter(|_| keeps_sound);
        let sound = sound.filter(|_| loudness == Loudness::AsIs);
        let how = How { recipe: &recipe, loudness, sound, burned: laid.burned(plan.shift), folder: laid.folder() };
        let failure = match worker.attempt(&plan, how, extent, &files).await {
            Ok(mezzanine) => {
                let codec = plan.picture.encoder().map(|encoder| encoder.manner.codec);
                Chip::did_it(codec, tools);
                return Ok(Made { mezzanine, recipe, codec });
            }
            Err(failure) => failure,
        };
        files.remove();
        // What was told of this attempt is gone: nobody may begin to air it.
        report(worker.growth(&Grown::default(), MediaTime::ZERO, Instant::now(), &plan, &files));
        tracing::debug!(error = %failure, attempt, "preparing failed");
        match failure {
            AttemptError::Job(
                error @ (JobError::Cancelled | JobError::DiskFull | JobError::Exhausted(_) | JobError::Interrupted(_)),
            ) => {
                return Err(error);
            }
            _ if sound.is_some() => keeps_sound = false,
            // Whatever is wrong with the item, x264 will say so, too.
            failure if chip.failed(&plan.picture, &failure, tools) => {}
            failure if recipe.keeps_picture() => recipe = plan::instead_of_remux(failure.to_string()),
            AttemptError::Flaw(Flaw::Frames { made, wanted }) => match plan::shortened(extent, &plan, made) {
                Some(shorter) => *extent = shorter,
                None if laid.gives_up(&request.item, &failure, &mut recipe) => {}
                None => return Err(JobError::Unfit(miscounted(made, wanted))),
            },
            failure if laid.gives_up(&request.item, &failure, &mut recipe) => {}
            AttemptError::Ffmpeg(evidence) => return Err(judge(&evidence)),
            // Neither is the item's fault before it has happened again and again.
            failure @ (AttemptError::Stalled | AttemptError::Io(_)) => {
                return Err(JobError::Interrupted(failure.to_string()));
            }
            failure => return Err(JobError::Unfit(format!("its conversion failed the check: {failure}"))),
        }
    }
    Err(JobError::Unfit("its length cannot be told".to_owned()))
}

/// Why a film cannot be prepared of which not as many frames came as there should be.
fn miscounted(made: u64, wanted: u64) -> String {
    if made < wanted {
        format!("only {made} of its {wanted} frames can be decoded")
    } else {
        format!("{made} frames came out of it instead of {wanted}; it changes in the middle")
    }
}

/// How one attempt is made.
#[derive(Clone, Copy)]
struct How<'a> {
    recipe: &'a Recipe,
    loudness: Loudness,
    /// Where its sound is copied: how many packets come before the first that is to be heard.
    sound: Option<u64>,
    /// What is burned into its picture, and where that lies.
    burned: Burned,
    folder: Option<&'a Path>,
}

/// The files of one attempt.
struct Files {
    ts: PathBuf,
    playlist: PathBuf,
}

impl Files {
    fn new(request: &Request, attempt: usize) -> Self {
        let name = |ending: &str| request.folder.join(format!("{}.{attempt}.{ending}", request.stem));
        Self { ts: name("ts"), playlist: name("m3u8") }
    }

    /// Removes both; what is not there needs no removing.
    fn remove(&self) {
        for path in [&self.ts, &self.playlist] {
            let _gone = std::fs::remove_file(path);
        }
    }
}

struct Worker<'a> {
    request: &'a Request,
    tools: &'a Tools,
    token: &'a CancellationToken,
    report: &'a (dyn Fn(Growth) + Send + Sync),
}

impl Worker<'_> {
    fn spec(&self, program: &Path, args: Vec<std::ffi::OsString>, role: Role) -> ChildSpec {
        let nice = self.request.nice();
        // Most of them only look.
        let limits = Limits { nice, file_bytes: Limits::PROBE.file_bytes, ..Limits::PREPARE };
        let family = self.request.family.clone();
        ChildSpec { program: program.to_owned(), args, folder: None, role, limits, family }
    }

    fn sound(&self, loudness: Loudness) -> Option<Sound> {
        let audio = self.request.item.media.audio.as_ref()?;
        Some(Sound { index: audio.index, channels: audio.channels, loudness, kept: None })
    }

    /// Looks through the original; the container's word is taken when that takes too long.
    async fn scan(&self) -> Result<Extent, JobError> {
        let item = &self.request.item;
        let limit = if self.request.urgent { SCAN_LIMIT_URGENT } else { SCAN_LIMIT };
        let audio = item.media.audio.as_ref().map(|audio| audio.index);
        let scan = vec![PacketScan::new(item.media.video.index, audio, &item.media.format)];
        let spec = self.spec(&self.tools.ffprobe, args::scan_args(&item.path, &item.media.format), Role::Probe);
        match scan_lines(&spec, scan, limit, self.token).await {
            Ok(_) if self.token.is_cancelled() => Err(JobError::Cancelled),
            Ok(Scanned::Whole(mut extents)) => {
                extents.pop().ok_or_else(|| JobError::Unfit("there is no picture in it".to_owned()))
            }
            // On a busy machine not even the first packet may have been seen: that says nothing of the film.
            Ok(Scanned::TooSlow) => Ok(plan::container_extent(&item.media)),
            Err(error) => Err(error),
        }
    }

    /// Measures the loudness; sound that cannot be measured is left as it is.
    async fn measure(&self) -> Result<Loudness, JobError> {
        let item = &self.request.item;
        let Some((target, sound)) = self.request.profile.loudness_lufs.zip(self.sound(Loudness::AsIs)) else {
            return Ok(Loudness::AsIs);
        };
        if self.request.urgent && item.media.duration > MEASURE_URGENT_MAX {
            return Ok(Loudness::Dynamic(target));
        }
        let command = args::measure_args(&item.path, &item.media.format, sound);
        let spec = self.spec(&self.tools.ffmpeg, command, Role::Prepare);
        let measured = match child::run_to_end(&spec, MEASURE_LIMIT, STDOUT_MAX, self.token).await {
            // Too loud for ever, because it was killed at the wrong moment: no.
            Ok((evidence, _)) if evidence.signal.is_some() => match judge(&evidence) {
                error @ JobError::Interrupted(_) => return Err(error),
                _ => None,
            },
            Ok((evidence, _)) => loudness::integrated_lufs(&evidence.stderr),
            Err(_) => None,
        };
        Ok(measured.and_then(|lufs| loudness::gain_db(lufs, target)).map_or(Loudness::AsIs, Loudness::Gain))
    }

    async fn attempt(
        &self,
        plan: &Plan,
        how: How<'_>,
        extent: &Extent,
        files: &Files,
    ) -> Result<Mezzanine, AttemptError> {
        let item = &self.request.item;
        // A stream that is announced and has not one packet is silence.
        let has_sound = !extent.complete || extent.audio.is_some();
        let job = Job {
            input: &item.path,
            format: &item.media.format,
            shift: plan.shift,
            video: item.media.video.index,
            picture: plan.picture.clone(),
            burned: how.burned,
            audio: self.sound(how.loudness).filter(|_| has_sound).map(|sound| Sound { kept: how.sound, ..sound }),
            audio_packets: plan.audio_packets,
            audio_kbps: self.request.profile.audio_kbps,
            urgent: self.request.urgent,
            ts: &files.ts,
            playlist: &files.playlist,
        };
        let mut spec = self.spec(&self.tools.ffmpeg, args::prepare_args(&job), Role::Prepare);
        spec.folder = how.folder.map(Path::to_owned);
        if let Some(encoder) = plan.picture.encoder() {
            spec.limits = trial::limits(encoder.manner.codec, spec.limits);
        }
        spec.limits.cpu_secs = cpu_limit(plan.expected.length);
        spec.limits.file_bytes = Some(self.request.bytes_max);
        let (known, grows) = watch::channel(Known::default());
        let make = self.make(&spec, plan, files, known);
        // A copy is over as soon as its file is written: it is looked at meanwhile. Where a viewer waits, or the picture is
        // made anew, that has all of the machine.
        let follows = plan.picture == args::Picture::Copy && !self.request.urgent;
        let (grown, seen) = tokio::join!(make, self.see(grows, follows, how, &files.ts));
        let grown = grown?;
        let mezzanine = verified(&self.request.id, plan.expected, &grown, &files.ts, seen?)?;
        let _gone = std::fs::remove_file(&files.playlist);
        Ok(mezzanine)
    }

    /// Sees all that is made, and decodes the ends of a picture that is kept: as it grows, or when it is whole.
    async fn see(
        &self,
        mut grows: watch::Receiver<Known>,
        follows: bool,
        how: How<'_>,
        ts: &Path,
    ) -> Result<Seen, AttemptError> {
        if !follows && grows.wait_for(|known| known.is_whole).await.is_err() {
            return Err(given_up());
        }
        let Request { family, profile, .. } = self.request;
        let (pictures, hears) = (profile.pictures(), how.sound.is_some());
        let (tools, token) = (self.tools, self.token);
        let witness = Witness { ts, pictures, hears, tools, nice: self.request.nice(), family, token };
        // Beside one another: nothing is ready before all of it was seen.
        let (seen, ends) = tokio::join!(witness.see(&grows), self.decode_ends(how, grows.clone(), ts));
        let seen = seen?;
        ends.and(Ok(seen))
    }

    /// Runs ffmpeg to its end and looks at each GOP as it comes, which is told to those who look on.
    async fn make(
        &self,
        spec: &ChildSpec,
        plan: &Plan,
        files: &Files,
        known: watch::Sender<Known>,
    ) -> Result<Grown, AttemptError> {
        let started = Instant::now();
        let (mut running, mut lines) = child::spawn(spec).map_err(interrupted)?;
        let mut progress = ProgressReader::default();
        let mut grown = Grown::of(self.request.profile.pictures());
        let (mut moved, mut made, mut logged) = (started, MediaTime::ZERO, started);
        let outcome = loop {
            let line = tokio::select! {
                biased;
                () = self.token.cancelled() => break Err(JobError::Cancelled.into()),
                () = tokio::time::sleep_until(moved + STALL_LIMIT) => break Err(AttemptError::Stalled),
                line = lines.recv() => line,
            };
            let Some(line) = line else { break Ok(()) };
            let Some(block) = progress.feed(&line) else { continue };
            if block.made > made {
                (made, moved) = (block.made, Instant::now());
            }
            grown = match look(std::mem::take(&mut grown), &files.ts, &files.playlist).await {
                Ok(grown) => grown,
                Err(error) => break Err(error),
            };
            let bytes = tokio::fs::metadata(&files.ts).await.map_or(0, |about| about.len());
            known.send_replace(Known { gops: grown.gops().into(), bytes, is_whole: false });
            let growth = self.growth(&grown, made, started, plan, files);
            if logged.elapsed() >= LOG_PAUSE {
                logged = Instant::now();
                tracing::info!(speed = growth.speed, progress = growth.progress, "preparing");
            }
            (self.report)(growth);
        };
        if let Err(error) = outcome {
            running.terminate(error.ending()).await;
            return Err(error);
        }
        let evidence = running.wait().await.map_err(interrupted)?;
        if !evidence.success() {
            return Err(match judge(&evidence) {
                JobError::Unfit(_) => AttemptError::Ffmpeg(Box::new(evidence)),
                error => error.into(),
            });
        }
        let grown = look(grown, &files.ts, &files.playlist).await?;
        known.send_replace(Known { gops: grown.gops().into(), bytes: 0, is_whole: true });
        Ok(grown)
    }

    /// Decodes a picture's beginning and its last GOP where it was kept, as soon as they are there. All of it is looked
    /// through when there is time.
    async fn decode_ends(
        &self,
        how: How<'_>,
        mut grows: watch::Receiver<Known>,
        ts: &Path,
    ) -> Result<(), AttemptError> {
        if !how.recipe.keeps_picture() {
            return Ok(());
        }
        let (ffmpeg, family) = (self.tools.ffmpeg.as_path(), &self.request.family);
        let decoder = Decoder { ffmpeg, nice: self.request.nice(), family };
        let decode = async |gops: &[Gop], which, frames| {
            inspection::decode(ts, gops, which..=which, frames, decoder, self.token).await
        };
        let mut last = grows.clone();
        let first = async {
            let Some(gops) = there(&mut grows, |known| known.is_whole || !known.gops.is_empty()).await else {
                return Ok(());
            };
            decode(&gops, 0, Some(FIRST_FRAMES)).await
        };
        let last = async {
            let Some(gops) = there(&mut last, |known| known.is_whole).await else { return Ok(()) };
            decode(&gops, gops.len().saturating_sub(1), None).await
        };
        let (first, last) = tokio::join!(first, last);
        first.and(last)
    }

    fn growth(&self, grown: &Grown, made: MediaTime, started: Instant, plan: &Plan, files: &Files) -> Growth {
        let seconds = started.elapsed().as_secs_f64().max(0.001);
        let mezzanine = Mezzanine {
            id: self.request.id.clone(),
            path: files.ts.clone(),
            tables_len: grown.tables_len(),
            gops: grown.gops().into(),
            signature: grown.signature().into(),
            complete: false,
        };
        Growth {
            mezzanine: Arc::new(mezzanine),
            speed: made.as_secs_f64() / seconds,
            progress: (made.as_secs_f64() / plan.expected.length.as_secs_f64().max(0.001)).clamp(0.0, 1.0),
        }
    }
}

/// How many CPU seconds a mezzanine of a length may cost: many times what it takes, so that only an item that means harm
/// comes there.
fn cpu_limit(length: MediaTime) -> Option<u64> {
    let seconds = length.max(MediaTime::ZERO).0.unsigned_abs() / 90_000 + 1;
    let cpu = CPU_SECS_LEAST.saturating_add(seconds.saturating_mul(CPU_SECS_A_SECOND));
    Limits::PREPARE.cpu_secs.map(|most| cpu.min(most))
}

pub(in crate::prepare) fn interrupted(error: ChildError) -> JobError {
    match error {
        ChildError::Cancelled => JobError::Cancelled,
        // The program was there when the station started: a start that fails tells of handles, processes or memory.
        ChildError::Start { source, .. } => JobError::Exhausted(source.to_string()),
        error => JobError::Interrupted(error.to_string()),
    }
}

/// Looks at the GOPs that came since the last time; no index yet means none.
pub(in crate::prepare) async fn look(mut grown: Grown, ts: &Path, playlist: &Path) -> Result<Grown, AttemptError> {
    let (ts, playlist) = (ts.to_owned(), playlist.to_owned());
    let work = tokio::task::spawn_blocking(move || -> Result<Grown, AttemptError> {
        let text = match std::fs::read(&playlist) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(grown),
            Err(error) => return Err(error.into()),
        };
        let index = gop_index::parse(&text).map_err(io::Error::other)?;
        let mut file = std::fs::File::open(&ts)?;
        let on_disk = gop_index::count_on_disk(&index, file.metadata()?.len());
        grown.take(&index[..on_disk], |offset, len| {
            let mut bytes = vec![0; len];
            file.seek(SeekFrom::Start(offset))?;
            file.read_exact(&mut bytes)?;
            Ok::<_, AttemptError>(bytes)
        })?;
        Ok(grown)
    });
    work.await.map_err(io::Error::other)?
}

/// Returns the GOPs that are there once enough of a file is known; none where it is given up before.
async fn there(grows: &mut watch::Receiver<Known>, is_enough: impl FnMut(&Known) -> bool) -> Option<Arc<[Gop]>> {
    grows.wait_for(is_enough).await.ok().map(|known| Arc::clone(&known.gops))
}

/// Checks what was seen of a finished file: its packets against the plan, its heads as they grew.
pub(in crate::prepare) fn verified(
    id: &MezzanineId,
    expected: Expected,
    grown: &Grown,
    ts: &Path,
    seen: Seen,
) -> Result<Mezzanine, AttemptError> {
    if grown.gops().is_empty() {
        return Err(Flaw::Frames { made: 0, wanted: expected.frames }.into());
    }
    if seen.extents.len() != grown.pictures() {
        return Err(Flaw::Streams.into());
    }
    let mut gops = verify::packets(&seen.extents, grown.gops(), expected)?;
    for (gop, sum) in gops.iter_mut().zip(seen.sums) {
        gop.sum = Some(sum);
    }
    Ok(Mezzanine {
        id: id.clone(),
        path: ts.to_owned(),
        tables_len: grown.tables_len(),
        gops: gops.into(),
        signature: grown.signature().into(),
        complete: true,
    })
}
