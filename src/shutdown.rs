//! Signals: the first asks for an orderly stop, the second does not wait for it.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code after a second signal: as the shell gives it for an interrupted program.
pub const INTERRUPTED: i32 = 130;

/// The signals that stop the station.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Begins to listen; from now on the signals no longer end the process by themselves.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Cancels the token at the first signal and ends the process at the second; never returns.
    pub async fn forward(mut self, token: CancellationToken) {
        self.next().await;
        tracing::info!("stopping (signal again to stop at once)");
        token.cancel();
        self.next().await;
        tracing::warn!("stopped at once");
        std::process::exit(INTERRUPTED);
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
