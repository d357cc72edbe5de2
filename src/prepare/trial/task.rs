//! Tries encoders by encoding with them.

use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{TrialError, candidates, judge};
use crate::config::EncoderChoice;
use crate::ffmpeg::child::{ChildSpec, Limits, Role};
use crate::ffmpeg::encoders::{self, Codec};
use crate::ffmpeg::family::Family;
use crate::ffmpeg::task as child;

/// Where the machine's devices are.
pub const DEVICES: &str = "/dev";
/// How long a trial may take: five seconds of a small picture, and a chip that sleeps.
const LIMIT: Duration = Duration::from_secs(10);
/// How many bytes it may give: many times what its ceiling allows.
const BYTES_MAX: u64 = 16 << 20;

/// What came of trying.
#[derive(Debug)]
pub struct Tried {
    /// What makes pictures.
    pub codec: Codec,
    /// Which failed before, and why.
    pub failed: Vec<(Codec, TrialError)>,
}

impl Tried {
    /// Returns in one line what was found.
    #[must_use]
    pub fn words(&self) -> String {
        let failed: Vec<String> =
            self.failed.iter().map(|(codec, why)| format!("{} cannot ({why})", codec.name())).collect();
        let name = self.codec.name();
        match failed.as_slice() {
            [] if self.codec.is_hardware() => format!("{name} makes pictures"),
            [] => format!("{name} makes pictures, by the processor"),
            _ => format!("{name} makes pictures; {}", failed.join(", ")),
        }
    }
}

/// Returns the first encoder that passes its trial, or x264.
pub async fn choose(
    choice: EncoderChoice,
    ffmpeg: &Path,
    devices: &Path,
    family: &Family,
    token: &CancellationToken,
) -> Tried {
    let mut tried = Tried { codec: Codec::X264, failed: Vec::new() };
    for codec in candidates(choice, &names(devices)) {
        match attempt(codec, ffmpeg, family, token).await {
            Ok(()) => return Tried { codec, ..tried },
            Err(why) => tried.failed.push((codec, why)),
        }
    }
    tried
}

async fn attempt(codec: Codec, ffmpeg: &Path, family: &Family, token: &CancellationToken) -> Result<(), TrialError> {
    let spec = ChildSpec {
        program: ffmpeg.to_owned(),
        args: encoders::trial_args(codec),
        folder: None,
        role: Role::Probe,
        limits: limits(codec, Limits { nice: 10, file_bytes: Limits::PROBE.file_bytes, ..Limits::PREPARE }),
        family: family.clone(),
    };
    let ended = child::run_to_end(&spec, LIMIT, BYTES_MAX, token).await;
    let (evidence, stream) = ended.map_err(|error| TrialError::Ffmpeg(error.to_string()))?;
    if !evidence.success() {
        return Err(TrialError::Ffmpeg(evidence.first_words()));
    }
    judge(&stream)
}

/// Returns the limits of an ffmpeg that encodes by a codec.
#[must_use]
pub fn limits(codec: Codec, limits: Limits) -> Limits {
    if codec == Codec::Nvenc { limits.with_room_to_reserve() } else { limits }
}

/// Returns the names of devices that may be chips.
fn names(devices: &Path) -> Vec<String> {
    let list = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let all = list(devices).chain(list(&devices.join("dri")));
    all.filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with("renderD") || name == "nvidiactl")
        .collect()
}
