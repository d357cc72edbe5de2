//! One run: starts the copier, gives it GOPs slot by slot, hands its chunks to the channel, tells its end.
#![expect(clippy::disallowed_methods, reason = "makes the run's folder and its secret")]

use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::RngExt;
use tokio::net::TcpSocket;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::pairing::{Pairing, Whole};
use super::receive::{self, Upload};
use super::slots::task::Slots;
use super::{Cause, GopOrder, RunEvent, slots};
use crate::ffmpeg::{Ending, Evidence, Family, task as child};
use crate::prepare::gop_index;
use crate::units::RunId;

/// How long an ffmpeg that closed its slot may take to end: what it says in ending tells more than that.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What a run needs to know.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// The ffmpeg program.
    pub ffmpeg: PathBuf,
    /// A folder of the run's own: made at its start, removed at its end.
    pub folder: PathBuf,
    /// Its number.
    pub run: RunId,
    /// What its timestamps begin with, in seconds.
    pub first_timestamp: u32,
    /// How many pictures what it is fed holds; each comes back as chunks of its own.
    pub renditions: usize,
    /// Whose child its ffmpeg is.
    pub family: Family,
    /// Set before its token ends where that is because it made no progress.
    pub stalled: Arc<AtomicBool>,
}

/// How a run came to its end.
struct End {
    evidence: Option<Evidence>,
    cause: Cause,
    reason: String,
}

/// Lives one run to its end and reports it; the end of the token ends it at once.
///
/// Every end is reported as [`RunEvent::Ended`], also a cancelled one: the channel then feeds what did not come back to
/// the next run.
pub async fn run(
    settings: RunSettings,
    gops: mpsc::Receiver<GopOrder>,
    events: mpsc::Sender<RunEvent>,
    token: CancellationToken,
) {
    let run = settings.run;
    let end = match live(&settings, gops, &events, &token).await {
        Ok(end) => end,
        Err(error) => End { evidence: None, cause: Cause::Refused, reason: format!("could not be started: {error}") },
    };
    if let Err(error) = std::fs::remove_dir_all(&settings.folder) {
        tracing::debug!(%error, folder = %settings.folder.display(), "run folder was not removed");
    }
    let End { evidence, cause, reason } = end;
    // Nobody listens only when the channel is gone, and then nobody needs to know.
    let _gone = events.send(RunEvent::Ended { run, evidence, cause, reason }).await;
}

async fn live(
    settings: &RunSettings,
    gops: mpsc::Receiver<GopOrder>,
    events: &mpsc::Sender<RunEvent>,
    token: &CancellationToken,
) -> io::Result<End> {
    std::fs::create_dir_all(&settings.folder)?;
    std::fs::write(settings.folder.join(slots::PLAYLIST), slots::playlist())?;
    let slots = Slots::make(&settings.folder)?;
    let socket = TcpSocket::new_v4()?;
    socket.bind((std::net::Ipv4Addr::LOCALHOST, 0).into())?;
    let listener = socket.listen(receive::task::QUEUE_MAX)?;
    let secret: Arc<str> = format!("{:032x}", rand::rng().random::<u128>()).into();
    let base = format!("http://{}/{secret}", listener.local_addr()?);
    let mut spec =
        slots::child(&settings.ffmpeg, &settings.folder, &base, settings.first_timestamp, settings.renditions);
    spec.family = settings.family.clone();
    let (mut ffmpeg, _stdout) = child::spawn(&spec).map_err(io::Error::other)?;
    tracing::info!(pid = ffmpeg.pid(), "on-air ffmpeg started");

    let (sender, uploads) = mpsc::channel(receive::task::UPLOADS_MAX);
    let reason = tokio::select! {
        biased;
        () = token.cancelled() => "was told to stop".to_owned(),
        evidence = ffmpeg.wait() => {
            let evidence = evidence.ok();
            let reason = evidence.as_ref().map_or_else(|| "ended".to_owned(), Evidence::ending);
            let cause = ffmpeg.ending().map_or(Cause::Internal, Cause::of);
            return Ok(End { evidence, cause, reason });
        }
        reason = pair_uploads(settings, uploads, events) => reason,
        () = receive::task::serve(listener, secret, settings.renditions, sender) => {
            "ffmpeg closed the connection its chunks come by".to_owned()
        }
        reason = feed_slots(settings.run, slots, gops, events) => reason,
    };
    let stalled = settings.stalled.load(Ordering::Relaxed);
    let evidence = ffmpeg.kill(if stalled { Ending::Stalled } else { Ending::Stopped }).await;
    Ok(End { evidence, cause: ffmpeg.ending().map_or(Cause::Internal, Cause::of), reason })
}

/// Gives GOPs to ffmpeg, slot by slot. Ends only when something is wrong, and says what.
async fn feed_slots(
    run: RunId,
    mut slots: Slots,
    mut gops: mpsc::Receiver<GopOrder>,
    events: &mpsc::Sender<RunEvent>,
) -> String {
    let mut buffer = Vec::new();
    while let Some(order) = gops.recv().await {
        let airing = order.airing;
        if order.new_slot
            && let Err(error) = slots.open_next().await
        {
            return format!("a slot could not be opened: {error}");
        }
        let GopOrder { file, offset, len, sum, .. } = order;
        let read = tokio::task::spawn_blocking(move || {
            buffer.resize(len as usize, 0);
            file.read_exact_at(&mut buffer, offset)?;
            // A picture that a failing disk has changed is no picture: viewers would see it smear.
            let whole = sum.is_none_or(|sum| sum == gop_index::sum(&buffer));
            whole.then_some(buffer).ok_or_else(|| io::Error::other("its bytes are not what they were"))
        });
        buffer = match read.await.map_err(io::Error::other).flatten() {
            Ok(buffer) => buffer,
            Err(error) => {
                let reason = error.to_string();
                let _gone = events.send(RunEvent::Unreadable { run, airing, reason }).await;
                return format!("mezzanine could not be read: {error}");
            }
        };
        if let Err(error) = slots.write(&buffer).await {
            tokio::time::sleep(LAST_WORDS).await;
            return format!("ffmpeg closed its slot: {error}");
        }
    }
    "feed was closed".to_owned()
}

/// Hands on each GOP that came back in all its renditions. Ends only when something is wrong.
async fn pair_uploads(
    settings: &RunSettings,
    mut uploads: mpsc::Receiver<Upload>,
    events: &mpsc::Sender<RunEvent>,
) -> String {
    let mut pairing = Pairing::new(settings.renditions);
    while let Some(upload) = uploads.recv().await {
        let whole = match pairing.take(upload) {
            Ok(Some(whole)) => whole,
            Ok(None) => continue,
            Err(reason) => return reason,
        };
        let Whole { number, renditions, duration, last } = whole;
        if events.send(RunEvent::Chunk { run: settings.run, number, renditions, duration, last }).await.is_err() {
            return "channel is gone".to_owned();
        }
    }
    "no more uploads".to_owned()
}
