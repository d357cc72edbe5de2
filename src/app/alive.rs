//! What stands beside a channel is lived again after a panic.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

/// How long what panicked rests before it begins again.
pub(super) const PANIC_REST: Duration = Duration::from_secs(1);

/// Lives something until it is done or its token ends it; a panic in it is caught here, told, and answered by a new beginning.
pub(super) async fn keep_alive<L>(
    what: &'static str,
    life: impl Fn() -> L,
    token: CancellationToken,
    tracker: TaskTracker,
) where
    L: Future<Output = ()> + Send + 'static,
{
    while !token.is_cancelled() {
        match tracker.spawn(life().in_current_span()).await {
            // The channel is gone.
            Ok(()) => return,
            Err(error) => tracing::error!(%error, "{what} failed inside and begins again"),
        }
        tokio::time::sleep(PANIC_REST).await;
    }
}
