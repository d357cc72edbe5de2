//! The workshop's master: begins what is next, notes what ended, looks after what nobody tells of.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{Shared, inspections, one};
use crate::ffmpeg::encoders::Codec;
use crate::prepare::folder::task::Folder;
use crate::prepare::inspection::{Piece, Seen};
use crate::prepare::job::{JobError, Made};
use crate::prepare::mezzanine::{Mezzanine, MezzanineId};
use crate::prepare::recipe::Recipe;
use crate::prepare::workshop::{Begin, Step, Verdict};

/// How often to look again although nothing happened: somebody may have made room on the disk, or removed a mezzanine.
const LOOK_PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// How many ends of preparations may wait to be noted: there are only as many as workers.
const ENDS_MAX: usize = 64;

/// What comes back from those who work.
pub(super) enum End {
    /// A preparation ended.
    Job(MezzanineId, Result<Made, JobError>),
    /// A piece was looked through.
    Look(Piece, Seen),
}

/// What ends each preparation under way.
type Tokens = BTreeMap<MezzanineId, CancellationToken>;

/// Begins what is next whenever something changed, and notes what ended.
pub(super) async fn run(shared: Arc<Shared>) {
    let (ends, mut ended) = mpsc::channel::<End>(ENDS_MAX);
    let (mut running, mut looking) = (Tokens::new(), false);
    let mut look = shared.clock.now() + LOOK_PAUSE;
    loop {
        while let Some(begin) = choose(&shared) {
            shared.tell();
            start(&shared, begin, &mut running, ends.clone());
        }
        let now = shared.clock.now();
        let piece = shared.lock().inspect(now);
        if let Some(piece) = piece {
            looking = true;
            inspections::start(&shared, piece, ends.clone());
        }
        if now >= look {
            look = now + LOOK_PAUSE;
            look_after(&shared, &running, now).await;
        }
        let retry = shared.lock().next_retry(now).map_or(look, |retry| retry.min(look));
        tokio::select! {
            biased;
            () = shared.token.cancelled() => break,
            Some(end) = ended.recv() => match end {
                End::Job(id, outcome) => {
                    running.remove(&id);
                    note(&shared, &id, outcome).await;
                }
                End::Look(piece, seen) => {
                    looking = false;
                    inspections::note(&shared, &piece, seen).await;
                }
            },
            () = shared.wake.notified() => {}
            () = shared.clock.sleep_until(retry) => {}
        }
    }
    // The workers were cancelled by the same token; their files go when the last has ended.
    while (looking || !running.is_empty())
        && let Some(end) = ended.recv().await
    {
        match end {
            End::Job(id, _) => drop(running.remove(&id)),
            End::Look(..) => looking = false,
        }
    }
    shared.folder.clear_tmp();
}

/// Looks after what nobody tells of: files that went away, work that nobody wants, failures that are old.
async fn look_after(shared: &Shared, running: &Tokens, now: Timestamp) {
    let round = shared.lock().look_after(now);
    for id in round.unwanted {
        if let Some(token) = running.get(&id) {
            tracing::info!(item = %id.key, "nobody wants it any more: preparing ends");
            token.cancel();
        }
    }
    if round.forgiven {
        shared.tell();
        shared.wake.notify_one();
    }
    let gone = |all: Vec<Arc<Mezzanine>>| all.into_iter().filter(|one| !Folder::is_whole(one)).collect::<Vec<_>>();
    let gone = tokio::task::spawn_blocking(move || gone(round.watched)).await.unwrap_or_default();
    for one in gone {
        tracing::error!(path = %one.path.display(), "a prepared file went away or was cut; it is made again");
        shared.lost(&one.id);
        shared.wake.notify_one();
    }
}

/// Returns what is to be begun now, having made room for it.
fn choose(shared: &Shared) -> Option<Begin> {
    let step = shared.lock().next(|| shared.folder.room(), shared.clock.now());
    match step? {
        Step::Held { budget, needed } => {
            tracing::warn!(budget, needed, "cache full of what airs sooner; preparing waits");
            None
        }
        Step::Begin(begin) => {
            for id in &begin.evicted {
                tracing::debug!(item = %id.key, "evicted from the cache");
                shared.folder.remove(id);
            }
            Some(*begin)
        }
    }
}

fn start(shared: &Arc<Shared>, begin: Begin, running: &mut Tokens, ends: mpsc::Sender<End>) {
    let Begin { next, stem, damage, .. } = begin;
    let span = tracing::info_span!("prepare", item = %next.want.item.name, urgent = next.urgent);
    let token = shared.token.child_token();
    running.insert(next.id.clone(), token.clone());
    let shared_job = Arc::clone(shared);
    let work = async move {
        let id = next.id.clone();
        let outcome = one::prepare(&shared_job, next, (stem, damage), &token).await;
        // The receiver lives until every worker has ended.
        let _sent = ends.send(End::Job(id, outcome)).await;
    };
    shared.tracker.spawn(work.instrument(span));
}

/// Notes how a preparation ended and tells it.
async fn note(shared: &Shared, id: &MezzanineId, outcome: Result<Made, JobError>) {
    let mut lost = false;
    let outcome = match outcome {
        Ok(made) => {
            let (recipe, encoder) = (made.recipe.clone(), made.codec.map_or("kept", Codec::name));
            // From here on its files take the place of those that were there before.
            shared.lock().replaced(&made.mezzanine);
            let kept = one::keep(shared, made).await;
            lost = kept.is_err();
            kept.map(|mezzanine| (mezzanine, recipe, encoder))
        }
        Err(error) => Err(error),
    };
    let (now, speed) = (shared.clock.now(), shared.clock.speed());
    let ended = outcome.as_ref().map(|(mezzanine, recipe, _)| (mezzanine.clone(), recipe));
    let verdict = shared.lock().ended(id, ended, now, speed);
    tell(id, &outcome, verdict);
    if lost {
        shared.lost(id);
    } else if verdict == (Verdict::Failed { over: true }) && matches!(outcome, Err(JobError::Unfit(_))) {
        // A damaged mezzanine whose item cannot be made anew either.
        shared.folder.remove(id);
    }
    shared.tell();
}

/// Tells how a preparation ended: of a disk that takes nothing once, with what to do, however many items wait for it.
fn tell(id: &MezzanineId, outcome: &Result<(Mezzanine, Recipe, &str), JobError>, verdict: Verdict) {
    match (outcome, verdict) {
        (Ok((mezzanine, recipe, encoder)), verdict) => {
            tracing::info!(item = %id.key, ?recipe, encoder, length = %mezzanine.duration(), "prepared");
            if verdict == (Verdict::Ready { recovered: true }) {
                tracing::info!("the data folder takes files again: preparing goes on");
            }
        }
        (Err(error), Verdict::StillBlocked) => tracing::debug!(item = %id.key, %error, "preparing waits"),
        (Err(error), Verdict::Blocked) => tracing::error!(
            %error,
            "nothing can be prepared (hint: make room on the disk of the data folder, or make it writable; it goes on by itself)"
        ),
        (Err(error), verdict) => {
            let over = verdict == (Verdict::Failed { over: true });
            tracing::warn!(item = %id.key, %error, over, "preparing failed");
        }
    }
}
