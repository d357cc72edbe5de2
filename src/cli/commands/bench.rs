//! `nightcast bench viewers`: lets simulated viewers loose on a station of this machine and tells what they saw.
#![expect(clippy::disallowed_methods, reason = "measures how long answers take")]

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{complain, say};
use crate::app::handles_max;
use crate::cli::args::{Crowd, Exit, ViewersArgs};
use crate::cli::bench::figures::{Fault, Summary, Tally};
use crate::cli::bench::listing::{self, Listing};
use crate::cli::bench::search::Search;
use crate::cli::bench::viewer::{News, Step, Viewer};
use crate::cli::bench::wire::{Body, Wire};

/// How many viewers there may be: each takes one of the 28,000 ports that a machine has for calling itself.
const VIEWERS_MAX: usize = 20_000;

/// The handles that are needed beside the viewers' connections.
const HANDLES_BESIDE: usize = 64;

/// Within this the viewers come; longer where more than [`JOINS_A_SECOND`] would come.
const JOIN: Duration = Duration::from_secs(2);

/// Viewers who join load three segments at once: not more than so many in one second.
const JOINS_A_SECOND: usize = 200;

/// How long after the last one came it is measured.
const SETTLE: Duration = Duration::from_secs(1);

/// How often progress is shown.
const SHOW: Duration = Duration::from_secs(1);

pub(super) async fn viewers(args: &ViewersArgs, token: CancellationToken) -> Exit {
    match answer(args, &token).await {
        Ok(exit) => exit,
        Err((exit, why)) => {
            complain(&why);
            exit
        }
    }
}

async fn answer(args: &ViewersArgs, token: &CancellationToken) -> Result<Exit, (Exit, String)> {
    let address = listing::station(&args.url).map_err(|why| (Exit::Configuration, why))?;
    let fits = usize::try_from(handles_max()).unwrap_or(usize::MAX).saturating_sub(HANDLES_BESIDE);
    let wanted = match args.crowd() {
        Crowd::Of(count) if count > VIEWERS_MAX => {
            return Err((Exit::Configuration, format!("one machine can act as {VIEWERS_MAX} viewers at the most")));
        }
        Crowd::Of(count) if count > fits => {
            let why = format!(
                "{count} viewers need as many open files, and {fits} are allowed beside our own (hint: raise the limit, \
                 \"ulimit -Hn\", or ask for fewer)"
            );
            return Err((Exit::Environment, why));
        }
        wanted => wanted,
    };
    let paths = playlists(address, args.channel.as_ref().map(crate::units::ChannelId::as_str)).await?;
    let length = Duration::from_secs(u64::from(args.seconds));
    let stopped = || (Exit::Failed, "stopped before the end: nothing was measured".to_owned());
    match wanted {
        Crowd::Of(count) => {
            let summary = crowd(address, &paths, count, length, token).await.ok_or_else(stopped)?;
            tell(args.json, &summary, &summary.text());
            Ok(if summary.held { Exit::Done } else { Exit::Failed })
        }
        Crowd::Max => {
            let mut search = Search::up_to(VIEWERS_MAX.min(fits));
            let mut trials: Vec<Summary> = Vec::new();
            while let Some(count) = search.next() {
                let summary = crowd(address, &paths, count, length, token).await.ok_or_else(stopped)?;
                search.tried(count, summary.held);
                complain(&format!("{count} viewers: {}", if summary.held { "held" } else { "not held" }));
                trials.push(summary);
            }
            let best = trials.iter().find(|trial| trial.viewers == search.held());
            let least = trials.iter().filter(|trial| !trial.held).min_by_key(|trial| trial.viewers);
            let part = |what: &str, trial: Option<&Summary>| {
                trial.map(|trial| format!("{what}\n{}\n", trial.text())).unwrap_or_default()
            };
            let text = format!(
                "{}{}The largest crowd that was held: {} viewers.",
                part("The largest crowd that was held:", best),
                part("The smallest that was not:", least),
                search.held()
            );
            tell(args.json, &serde_json::json!({ "held": search.held(), "trials": trials }), &text);
            Ok(if search.held() > 0 { Exit::Done } else { Exit::Failed })
        }
    }
}

fn tell(json: bool, value: &impl serde::Serialize, text: &str) {
    say(&if json { serde_json::to_string_pretty(value).unwrap_or_default() } else { text.to_owned() });
}

/// Returns the playlists of the channel that is named, or of all.
async fn playlists(address: SocketAddr, channel: Option<&str>) -> Result<Vec<String>, (Exit, String)> {
    let mut wire = Wire::new(address, 0);
    let asked = wire.get("/api/channels", Body::Read).await;
    let guide: serde_json::Value =
        asked.ok().and_then(|_| serde_json::from_str(wire.text()).ok()).ok_or_else(|| {
            (
                Exit::Environment,
                format!("no station answers at http://{address}/ (hint: is it running? --url says where)"),
            )
        })?;
    let channels = guide["channels"].as_array().map(Vec::as_slice).unwrap_or_default();
    let named = channels.iter().filter(|found| channel.is_none_or(|id| found["id"] == id));
    let paths: Vec<String> =
        named.filter_map(|found| found["id"].as_str()).map(|id| format!("/channels/{id}/index.m3u8")).collect();
    if paths.is_empty() {
        let known: Vec<_> = channels.iter().filter_map(|found| found["id"].as_str()).collect();
        let why = format!("the station has no such channel (hint: it has {})", known.join(", "));
        return Err((Exit::Configuration, why));
    }
    Ok(paths)
}

/// What all viewers of a crowd share.
struct Scene {
    address: SocketAddr,
    begun: Instant,
    tally: Mutex<Tally>,
}

impl Scene {
    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets a crowd watch, and returns what it saw once all had come; nothing where it was stopped.
async fn crowd(
    address: SocketAddr,
    paths: &[String],
    count: usize,
    length: Duration,
    token: &CancellationToken,
) -> Option<Summary> {
    let scene = Arc::new(Scene { address, begun: Instant::now(), tally: Mutex::default() });
    let join = JOIN.max(Duration::from_secs((count / JOINS_A_SECOND) as u64));
    let (viewers, end) = (TaskTracker::new(), token.child_token());
    for n in 0..count {
        let (scene, path, end) = (Arc::clone(&scene), paths[n % paths.len()].clone(), end.clone());
        let begins = join.mul_f64(jitter(n));
        viewers.spawn(async move { end.run_until_cancelled(watch(&scene, n, path, begins)).await });
    }
    let bar = std::io::stderr().is_terminal().then(ProgressBar::new_spinner);
    let mut measuring = None;
    while let now = scene.now()
        && now < join + SETTLE + length
        && !token.is_cancelled()
    {
        if measuring.is_none() && now >= join + SETTLE {
            measuring = Some(now);
            scene.tally().begin();
        }
        let until = if measuring.is_some() { join + SETTLE + length } else { join + SETTLE };
        if let Some(bar) = &bar {
            let (shown, left) = (scene.tally().clone(), until.saturating_sub(now).as_secs());
            let what = if measuring.is_some() { "measuring" } else { "viewers come" };
            let p99 = shown.playlists.within(990).as_secs_f64() * 1e3;
            let (playlists, faults) = (shown.playlists.count(), shown.faults());
            let megabytes = shown.bytes / 1_000_000;
            bar.set_message(format!(
                "{count} viewers, {what}, {left} s left: {playlists} playlists, p99 {p99:.1} ms, {megabytes} MB, {faults} \
                 errors"
            ));
            bar.tick();
        }
        let _stopped = token.run_until_cancelled(tokio::time::sleep(SHOW.min(until.saturating_sub(now)))).await;
    }
    let summary = measuring.map(|since| scene.tally().summary(count, scene.now().saturating_sub(since)));
    end.cancel();
    viewers.close();
    viewers.wait().await;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    summary.filter(|_| !token.is_cancelled())
}

/// Returns where between nought and one a viewer comes: spread evenly however many there are, and in no order.
fn jitter(n: usize) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    (f64::from(u32::try_from(n).unwrap_or(u32::MAX)) * GOLDEN).fract()
}

/// One viewer; watches for ever.
async fn watch(scene: &Scene, n: usize, mut path: String, begins: Duration) {
    let (mut viewer, mut wire) = (Viewer::new(begins), Wire::new(scene.address, n));
    loop {
        let asked = scene.now();
        match viewer.next(asked) {
            Step::Wait(until) => tokio::time::sleep_until(scene.begun + until).await,
            Step::Playlist => {
                let came = wire.get(&path, Body::Read).await;
                let now = scene.now();
                let read = came.and_then(|bytes| {
                    scene.tally().playlist(now.saturating_sub(asked), bytes);
                    listing::read(wire.text(), &path).map_err(|_| Fault::Unclear)
                });
                match read {
                    Ok(Listing::Media { target, segments }) => {
                        let old = viewer.took(target, &segments, now) == News::Old;
                        scene.tally().old += u64::from(old);
                    }
                    Ok(Listing::Variants(paths)) => path = paths.into_iter().next().unwrap_or(path),
                    Err(fault) => {
                        scene.tally().fault(fault);
                        viewer.failed(now);
                    }
                }
            }
            Step::Segment(segment) => {
                let came = wire.get(&segment.path, Body::Discard).await;
                let now = scene.now();
                match came {
                    Ok(bytes) => scene.tally().segment(now.saturating_sub(asked), segment.length, bytes),
                    Err(fault) => {
                        scene.tally().fault(fault);
                        viewer.failed(now);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_come_spread_over_the_time_they_have() {
        let mut comes: Vec<f64> = (0..100).map(jitter).collect();
        comes.sort_by(f64::total_cmp);
        assert!(comes.windows(2).all(|pair| pair[1] - pair[0] < 0.03) && comes[0] < 0.03 && comes[99] > 0.97);
    }
}
