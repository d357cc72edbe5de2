//! Speaks to the service manager; without one, nothing is said.
#![expect(clippy::disallowed_methods, reason = "reads the monotonic clock: a life is judged by the world's time")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Pulse;
use crate::http::{ChannelView, Roster};
use crate::units::ChannelId;

/// How often the watchdog is fed within its patience: one word may be late, and even be lost.
const WORDS: u32 = 3;

/// Says that the station serves.
pub fn ready() {
    say(NotifyState::Ready);
}

/// Says that the station was asked to stop.
pub fn stopping() {
    say(NotifyState::Stopping);
}

/// Feeds the watchdog while every channel is alive, until the token ends; returns at once where there is none. Which
/// channels there are may change meanwhile.
pub async fn watch(roster: watch::Receiver<Arc<Roster>>, token: CancellationToken) {
    let Some(patience) = sd_notify::watchdog_enabled() else { return };
    let every = patience / WORDS;
    let start = Instant::now();
    let mut pulses = BTreeMap::new();
    let mut told = false;
    loop {
        let present = Arc::clone(&roster.borrow());
        let still = look(&present.channels, &mut pulses, start.elapsed());
        match still {
            None => say(NotifyState::Watchdog),
            Some(channel) if !told => {
                tracing::error!(%channel, "stands still: the watchdog is fed no more, and will restart the station");
            }
            Some(_) => {}
        }
        told = still.is_some();
        if token.run_until_cancelled(tokio::time::sleep(every)).await.is_none() {
            return;
        }
    }
}

/// Looks at every channel and returns the first that stands still; channels that are gone are forgotten.
fn look<'c>(
    channels: &'c [Arc<ChannelView>],
    pulses: &mut BTreeMap<ChannelId, Pulse>,
    now: Duration,
) -> Option<&'c ChannelId> {
    pulses.retain(|id, _| channels.iter().any(|channel| channel.id == *id));
    let still = channels.iter().filter(|channel| {
        let pulse = pulses.entry(channel.id.clone()).or_insert_with(|| Pulse::new(now));
        let status = channel.status();
        !pulse.beats(now, status.state, status.edge)
    });
    // Each is looked at, not only those before the first that stands still.
    still.fold(None, |first, channel| first.or(Some(&channel.id)))
}

/// A service manager that is gone is none of the viewers' business.
fn say(word: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[word]) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}
