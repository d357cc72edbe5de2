//! The log: lines of text or JSON on standard error, each message only so often.
//!
//! A disk that is full or a folder that flaps can say the same thing a thousand times a second, and a log that fills the
//! disk helps nobody. So a message that came too often is left out for the rest of its minute, and then it is told how
//! many were.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tracing::callsite::Identifier;
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::FilterExt as _;
use tracing_subscriber::layer::{Context, Filter, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry};

use super::args::LogFormat;

/// How often one message is written in one [`WINDOW`]: more than a busy station of a hundred channels needs.
const LINES_MAX: u32 = 300;

/// How long a message that came too often is left out.
const WINDOW: Duration = Duration::from_mins(1);

/// Logs go to standard error, so that answers on standard output can be piped; `RUST_LOG` chooses what is told.
///
/// Each message is limited; the returned teller tells what was left out, and is to live beside everything else.
pub(super) fn start(format: LogFormat, long_lived: bool) -> Teller {
    let default = if long_lived { "info" } else { "warn" };
    let chosen = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let limits = Arc::new(Limits::default());
    let filter = chosen.and(Limited(Arc::clone(&limits)));
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let layer = match format {
        LogFormat::Text => {
            let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
            layer.with_ansi(colours).with_filter(filter).boxed()
        }
        LogFormat::Json => layer.json().with_filter(filter).boxed(),
    };
    Registry::default().with(layer).init();
    Teller(limits)
}

/// How often one message came. Pure.
#[derive(Debug, PartialEq)]
struct Quota {
    since: Instant,
    written: u32,
    left_out: u64,
}

impl Quota {
    fn new(now: Instant) -> Self {
        Self { since: now, written: 0, left_out: 0 }
    }

    /// Whether a message may be written now; counts it either way.
    fn take(&mut self, now: Instant) -> bool {
        if self.left_out == 0 && now.duration_since(self.since) >= WINDOW {
            *self = Self::new(now);
        }
        let fits = self.written < LINES_MAX && self.left_out == 0;
        if fits {
            self.written += 1;
        } else {
            self.left_out += 1;
        }
        fits
    }

    /// Returns how many were left out when their time is over; then a new one begins.
    fn told(&mut self, now: Instant) -> Option<u64> {
        let over = self.left_out > 0 && now.duration_since(self.since) >= WINDOW;
        over.then(|| std::mem::replace(self, Self::new(now)).left_out)
    }

    /// When its time is over, while there is something to tell.
    fn due(&self) -> Option<Instant> {
        (self.left_out > 0).then(|| self.since + WINDOW)
    }
}

/// All messages there are, by their place in the program: a few hundred at most.
#[derive(Debug, Default)]
struct Limits {
    quotas: Mutex<HashMap<Identifier, (&'static Metadata<'static>, Quota)>>,
    left_out: Notify,
}

struct Limited(Arc<Limits>);

impl<S: Subscriber> Filter<S> for Limited {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn callsite_enabled(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::always()
    }

    #[expect(clippy::disallowed_methods, reason = "a log has the time of the world")]
    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let (now, metadata) = (Instant::now(), event.metadata());
        let mut quotas = self.0.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, quota) = quotas.entry(metadata.callsite()).or_insert_with(|| (metadata, Quota::new(now)));
        let fits = quota.take(now);
        if !fits && quota.left_out == 1 {
            self.0.left_out.notify_one();
        }
        fits
    }
}

/// Tells what was left out.
pub(super) struct Teller(Arc<Limits>);

impl Teller {
    /// Never returns; does nothing while nothing is left out.
    #[expect(clippy::disallowed_methods, reason = "a log has the time of the world")]
    pub(super) async fn tell(self) {
        loop {
            let due = self.quotas().values().filter_map(|(_, quota)| quota.due()).min();
            match due {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => self.0.left_out.notified().await,
            }
            let now = Instant::now();
            let told: Vec<_> =
                self.quotas().values_mut().filter_map(|(place, quota)| Some((*place, quota.told(now)?))).collect();
            for (place, left_out) in told {
                let from = format!("{}:{}", place.file().unwrap_or("?"), place.line().unwrap_or(0));
                tracing::warn!(left_out, level = %place.level(), from, "a message came too often and was left out");
            }
        }
    }

    fn quotas(&self) -> std::sync::MutexGuard<'_, HashMap<Identifier, (&'static Metadata<'static>, Quota)>> {
        self.0.quotas.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "some moment to begin with")]

    use super::*;

    #[test]
    fn a_message_is_written_so_often_in_a_minute_and_then_counted() {
        let start = Instant::now();
        let at = |secs: u64| start + Duration::from_secs(secs);
        let mut quota = Quota::new(start);
        for n in 0..LINES_MAX {
            assert!(quota.take(at(1)), "{n}");
        }
        assert_eq!(quota.due(), None);
        assert!(!quota.take(at(2)) && !quota.take(at(50)));
        assert_eq!((quota.due(), quota.told(at(59))), (Some(at(60)), None));
        // Nobody has told yet: what comes is still counted, so that nothing is lost from the sum.
        assert!(!quota.take(at(61)));
        assert_eq!(quota.told(at(62)), Some(3));
        assert!(quota.take(at(63)));
        assert_eq!(quota.due(), None);
    }

    #[test]
    fn messages_that_come_now_and_then_are_never_left_out() {
        let start = Instant::now();
        let mut quota = Quota::new(start);
        for n in 0..100_000_u64 {
            assert!(quota.take(start + Duration::from_millis(250 * n)), "{n}");
        }
    }
}
