//! Runs one preparation: look through, measure, make, check.
#![expect(clippy::disallowed_methods, reason = "reads the mezzanine it makes, and the clock for its speed")]

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::chip::Chip;
use super::growth::Grown;
use super::scan::task::{Scanned, scan_lines};
use super::{AttemptError, Growth, JobError, Made, Request, STALL_LIMIT, Tools, judge};
use crate::ffmpeg::burn_args::Burned;
use crate::ffmpeg::child::{ChildSpec, Limits, Role};
use crate::ffmpeg::extent::{Extent, PacketScan};
use crate::ffmpeg::family::Family;
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
/// How long a mezzanine may be looked through before it is called unreadable.
const CHECK_LIMIT: Duration = Duration::from_mins(2);
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
        let grown = self.make(&spec, plan, files).await?;
        let probe = (self.tools.ffprobe.as_path(), &self.request.family);
        let check = check(&self.request.id, plan.expected, &grown, &files.ts, probe, self.token);
        // Beside one another: nothing is ready before all of it was seen.
        let (checked, decoded) = tokio::join!(check, self.decode_kept(how, &grown, &files.ts));
        let mezzanine = checked?;
        decoded?;
        let _gone = std::fs::remove_file(&files.playlist);
        Ok(mezzanine)
    }

    /// Runs ffmpeg to its end and looks at each GOP as it comes.
    async fn make(&self, spec: &ChildSpec, plan: &Plan, files: &Files) -> Result<Grown, AttemptError> {
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
        look(grown, &files.ts, &files.playlist).await
    }

    /// Decodes what was kept: all of a sound, and the ends of a picture. The rest of it is looked through when there is
    /// time.
    async fn decode_kept(&self, how: How<'_>, grown: &Grown, ts: &Path) -> Result<(), AttemptError> {
        let kept = how.recipe.keeps_picture();
        let Some(last) = grown.gops().len().checked_sub(1).filter(|_| kept) else { return Ok(()) };
        let (ffmpeg, family) = (self.tools.ffmpeg.as_path(), &self.request.family);
        let decode = |stream, gops| {
            let decoder = Decoder { stream, ffmpeg, nice: self.request.nice(), family };
            inspection::decode(ts, grown.gops(), gops, decoder, self.token)
        };
        let sound = async { if how.sound.is_some() { decode("0:a:0", 0..=last).await } else { Ok(()) } };
        let ends = (decode("0:v:0", 0..=0), decode("0:v:0", last..=last), sound);
        let (first, last, sound) = tokio::join!(ends.0, ends.1, ends.2);
        first.and(last).and(sound)
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

/// Checks a finished file: packets by ffprobe against the plan, heads as they grew.
pub(in crate::prepare) async fn check(
    id: &MezzanineId,
    expected: Expected,
    grown: &Grown,
    ts: &Path,
    (ffprobe, family): (&Path, &Family),
    token: &CancellationToken,
) -> Result<Mezzanine, AttemptError> {
    if grown.gops().is_empty() {
        return Err(Flaw::Frames { made: 0, wanted: expected.frames }.into());
    }
    let limits = Limits { nice: 5, ..Limits::PREPARE };
    let args = args::scan_args(ts, "mpegts");
    let family = family.clone();
    let spec = ChildSpec { program: ffprobe.to_owned(), args, folder: None, role: Role::Probe, limits, family };
    // No format, for its timestamps are our own: none may jump.
    let sound = u32::try_from(grown.pictures()).map_err(io::Error::other)?;
    let scans = (0..sound).map(|picture| PacketScan::new(picture, Some(sound), "")).collect();
    let (scanned, sums) = tokio::join!(scan_lines(&spec, scans, CHECK_LIMIT, token), sums(grown.gops(), ts));
    let Scanned::Whole(extents) = scanned? else {
        return Err(JobError::Interrupted("the machine is too busy to check it".to_owned()).into());
    };
    if extents.len() != grown.pictures() {
        return Err(Flaw::Streams.into());
    }
    let mut gops = verify::packets(&extents, grown.gops(), expected)?;
    for (gop, sum) in gops.iter_mut().zip(sums?) {
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

/// Reads a finished file once more and returns the checksum of each GOP.
async fn sums(gops: &[Gop], ts: &Path) -> Result<Vec<u32>, AttemptError> {
    let (lengths, ts): (Vec<u32>, _) = (gops.iter().map(|gop| gop.len).collect(), ts.to_owned());
    let work = tokio::task::spawn_blocking(move || -> io::Result<Vec<u32>> {
        let mut file = std::fs::File::open(&ts)?;
        let mut bytes = Vec::new();
        let mut sums = Vec::with_capacity(lengths.len());
        for len in lengths {
            bytes.resize(len as usize, 0);
            file.read_exact(&mut bytes)?;
            sums.push(gop_index::sum(&bytes));
        }
        Ok(sums)
    });
    Ok(work.await.map_err(io::Error::other)??)
}
