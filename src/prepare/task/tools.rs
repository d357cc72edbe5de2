//! What the programs of this machine can do: asked once, when the service starts.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Settings;
use crate::config::EncoderChoice;
use crate::ffmpeg::child::{ChildSpec, Limits, Role};
use crate::ffmpeg::family::Family;
use crate::ffmpeg::task as child;
use crate::prepare::job::Tools;
use crate::prepare::trial::{Chosen, task as trial};

/// How long ffmpeg may take to list its filters.
const ABILITIES_LIMIT: Duration = Duration::from_secs(20);
/// How long that list may be, in bytes (9.0: 40 kB).
const ABILITIES_MAX: u64 = 1 << 20;

/// Finds out what makes pictures on this machine, and says so.
pub(super) async fn choose_encoder(settings: Settings, chosen: Chosen, token: CancellationToken) {
    let Settings { ffmpeg, encoder, devices, .. } = settings;
    let tried = trial::choose(encoder, &ffmpeg, &devices, &Family::default(), &token).await;
    let words = tried.words();
    if encoder == EncoderChoice::Auto || encoder == EncoderChoice::X264 || tried.codec.is_hardware() {
        tracing::info!(encoder = tried.codec.name(), "{words}");
    } else {
        tracing::warn!(encoder = tried.codec.name(), "{words}");
    }
    chosen.set(tried.codec);
}

/// Asks ffmpeg which of the filters we could do without it has.
pub(super) async fn abilities(settings: &Settings, token: &CancellationToken) -> Tools {
    let args = ["-hide_banner", "-nostdin", "-v", "error", "-filters"].map(Into::into).into();
    let limits = Limits::PROBE;
    // The station's own question, no channel's.
    let family = Family::default();
    let spec = ChildSpec { program: settings.ffmpeg.clone(), args, folder: None, role: Role::Probe, limits, family };
    let listed = child::run_to_end(&spec, ABILITIES_LIMIT, ABILITIES_MAX, token).await;
    let text = listed.map(|(_, text)| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
    let filters: BTreeSet<&str> = text.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    Tools {
        ffmpeg: settings.ffmpeg.clone(),
        ffprobe: settings.ffprobe.clone(),
        can_tone_map: filters.contains("zscale") && filters.contains("tonemap"),
        can_write_text: filters.contains("drawtext"),
        can_burn_text: filters.contains("ass"),
        encoder: Chosen::default(),
    }
}
