//! The operator asks for the next programme.

use tokio::sync::{mpsc, oneshot};

use super::{Outputs, Shell};
use crate::channel::core::Skipped;

/// How many skips may wait for the channel: the operator asks one after the other.
pub(super) const SKIPS_MAX: usize = 4;

/// Asks for the end of the item on air, and hears what came of it.
#[derive(Debug)]
pub struct Skip(oneshot::Sender<Option<Skipped>>);

/// Where a life of a channel is asked.
pub type Skips = mpsc::Sender<Skip>;

/// Asks a channel for the end of the item on air. Returns what is skipped; none while no item is on air, or while the
/// channel does not listen.
pub async fn ask_to_skip(outputs: &Outputs) -> Option<Skipped> {
    let skips = outputs.skips.borrow().clone()?;
    let (answer, told) = oneshot::channel();
    skips.send(Skip(answer)).await.ok()?;
    told.await.ok()?
}

impl Shell {
    pub(super) fn skip(&mut self, Skip(answer): Skip) {
        let skipped = self.core.skip().map(|skipped| Skipped { ends: self.core.dated(skipped.ends), ..skipped });
        // Whoever asked may have gone; what was done is done.
        let _gone = answer.send(skipped);
    }
}
