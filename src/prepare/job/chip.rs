//! What makes the picture of one preparation: a chip until it fails, x264 from then on.

use super::{AttemptError, Request, Tools};
use crate::ffmpeg::encoders::Codec;
use crate::ffmpeg::prepare_args::Picture;
use crate::prepare::verify::Flaw;

/// What is known of the chip in one preparation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chip {
    failed: bool,
}

impl Chip {
    /// Lets a picture that is made anew be made by what was chosen for this machine.
    pub(super) async fn takes(self, picture: &mut Picture, request: &Request, tools: &Tools) {
        if self.failed || picture.encoder().is_none() {
            return;
        }
        // Viewers who wait do not wait for a trial, too.
        let codec = if request.awaited { tools.encoder.now() } else { tools.encoder.get().await };
        picture.make_by(codec);
    }

    /// Takes note that an attempt failed; true where a chip had made the picture, so that x264 is to try.
    pub(super) fn failed(&mut self, picture: &Picture, why: &AttemptError, tools: &Tools) -> bool {
        let codec = picture.encoder().map(|encoder| encoder.manner.codec).unwrap_or_default();
        if !codec.is_hardware() {
            return false;
        }
        self.failed = true;
        if matches!(why, AttemptError::Flaw(Flaw::Frames { .. })) {
            // As a rule the film is shorter than it claims, and no chip is to blame.
            tracing::info!(encoder = codec.name(), error = %why, "x264 tries the item");
            return true;
        }
        tracing::warn!(encoder = codec.name(), error = %why, "the encoder failed; x264 makes this item");
        if tools.encoder.note(false) {
            tracing::warn!(encoder = codec.name(), "it failed too often; x264 makes all items until the next start");
        }
        true
    }

    /// Takes note of what made an item.
    pub(super) fn did_it(codec: Option<Codec>, tools: &Tools) {
        if codec.is_some_and(Codec::is_hardware) {
            let _still_asked = tools.encoder.note(true);
        }
    }
}
