//! Speaks to the service manager; without one, nothing is said.
#![expect(clippy::disallowed_methods, reason = "reads the monotonic clock: a life is judged by the world's time")]

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Pulse;
use crate::http::ChannelView;

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

/// Feeds the watchdog while every channel is alive, until the token ends; returns at once where there is none.
pub async fn watch(channels: Arc<[ChannelView]>, token: CancellationToken) {
    let Some(patience) = sd_notify::watchdog_enabled() else { return };
    let every = patience / WORDS;
    let start = Instant::now();
    let mut pulses = vec![Pulse::new(Duration::ZERO); channels.len()];
    let mut told = false;
    loop {
        let still = look(&channels, &mut pulses, start.elapsed());
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

/// Looks at every channel and returns the first that stands still.
fn look<'c>(channels: &'c [ChannelView], pulses: &mut [Pulse], now: Duration) -> Option<&'c crate::units::ChannelId> {
    let mut still = None;
    for (channel, pulse) in channels.iter().zip(pulses) {
        let status = channel.status();
        if !pulse.beats(now, status.state, status.edge) {
            still = still.or(Some(&channel.id));
        }
    }
    still
}

/// A service manager that is gone is none of the viewers' business.
fn say(word: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[word]) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}
