//! What makes pictures on this machine: which encoders are tried, and whether one passes.
//!
//! Receives the configuration's choice, the names of devices and what a trial encode gave; gives the encoder. Promises
//! that a chip which passes keeps the law of the mezzanine: its pictures were counted and its keyframes are where they
//! were asked for. Does not decide what becomes of a job whose chip fails later.

pub mod task;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::watch;

use super::annexb;
use crate::config::EncoderChoice;
use crate::ffmpeg::encoders::{self, Codec};

/// How many render nodes are tried: a machine with more graphics cards says which encoder it wants.
const NODES_MAX: usize = 4;

/// After so many jobs in a row whose chip failed, x264 makes the rest.
const FAILURES_MAX: u32 = 3;

/// The first render node's number.
const NODE_FIRST: u16 = 128;

/// The encoder that was found, once it was.
#[derive(Clone, Debug)]
pub struct Chosen {
    found: watch::Sender<Option<Codec>>,
    /// Jobs in a row whose chip failed.
    failures: Arc<AtomicU32>,
}

impl Default for Chosen {
    fn default() -> Self {
        Self { found: watch::Sender::new(None), failures: Arc::default() }
    }
}

impl Chosen {
    /// Returns one that is known from the start.
    #[must_use]
    pub fn of(codec: Codec) -> Self {
        let chosen = Self::default();
        chosen.set(codec);
        chosen
    }

    /// Returns what makes pictures; waits until that was found out.
    pub async fn get(&self) -> Codec {
        let mut found = self.found.subscribe();
        let known = found.wait_for(Option::is_some).await;
        self.unless_it_fails(known.ok().and_then(|codec| *codec).unwrap_or_default())
    }

    /// Returns what makes pictures as far as it is known now.
    #[must_use]
    pub fn now(&self) -> Codec {
        self.unless_it_fails(self.found.borrow().unwrap_or_default())
    }

    fn unless_it_fails(&self, codec: Codec) -> Codec {
        if self.failures.load(Ordering::SeqCst) < FAILURES_MAX { codec } else { Codec::X264 }
    }

    /// Takes note of what was found.
    pub fn set(&self, codec: Codec) {
        self.found.send_replace(Some(codec));
    }

    /// Takes note of a job that the chip did, or could not do; true where it is asked no more from now on.
    #[must_use]
    pub fn note(&self, done: bool) -> bool {
        let count = |before| (before < FAILURES_MAX).then(|| if done { 0 } else { before + 1 });
        let counted = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count);
        counted.is_ok_and(|before| !done && before + 1 == FAILURES_MAX)
    }
}

/// Returns which encoders are tried, the best first, given the names found among the machine's devices. One that was
/// asked for is tried whether or not its device is seen: then the trial says what is missing.
#[must_use]
pub fn candidates(choice: EncoderChoice, devices: &[String]) -> Vec<Codec> {
    let number = |name: &String| name.strip_prefix("renderD").and_then(|number| number.parse::<u16>().ok());
    let mut nodes: Vec<u16> = devices.iter().filter_map(number).collect();
    nodes.sort_unstable();
    nodes.truncate(NODES_MAX);
    let vaapi = nodes.iter().map(|node| Codec::Vaapi(*node));
    match choice {
        EncoderChoice::X264 => Vec::new(),
        EncoderChoice::Nvenc => vec![Codec::Nvenc],
        EncoderChoice::Qsv => vec![Codec::Qsv],
        EncoderChoice::Vaapi if nodes.is_empty() => vec![Codec::Vaapi(NODE_FIRST)],
        EncoderChoice::Vaapi => vaapi.collect(),
        EncoderChoice::Auto => {
            // A card of NVIDIA is there to compute; VA-API is nearer to the chip than Intel's library on top of it.
            let nvidia = devices.iter().any(|name| name == "nvidiactl").then_some(Codec::Nvenc);
            let qsv = (!nodes.is_empty()).then_some(Codec::Qsv);
            nvidia.into_iter().chain(vaapi).chain(qsv).collect()
        }
    }
}

/// Why an encoder is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrialError {
    /// ffmpeg could not encode with it; its last words.
    #[error("{0}")]
    Ffmpeg(String),
    /// Frames were lost or doubled.
    #[error("it made {made} pictures out of {wanted}")]
    Pictures {
        /// Pictures made.
        made: u64,
        /// Pictures given.
        wanted: u64,
    },
    /// GOPs begin where they should not.
    #[error("its groups of pictures begin at {0:?} instead of {1:?}")]
    Keyframes(Vec<u64>, Vec<u64>),
    /// Somebody who begins at a keyframe could not decode.
    #[error("not every one of its keyframes comes with its parameters")]
    Parameters,
}

/// Judges what the trial gave: plain H.264.
///
/// # Errors
/// [`TrialError`] as its variants tell.
pub fn judge(stream: &[u8]) -> Result<(), TrialError> {
    let (mut pictures, mut keys, mut parameters) = (0_u64, Vec::new(), (false, false));
    for nal in annexb::nals(stream) {
        let [kind, rest @ ..] = nal else { continue };
        // The first slice of a picture begins with macroblock nought, which is written as a single one (H.264 §7.3.3).
        let begins = rest.first().is_some_and(|byte| byte & 0x80 != 0);
        match kind & 0x1f {
            7 => parameters.0 = true,
            8 => parameters.1 = true,
            5 if begins => {
                if parameters != (true, true) {
                    return Err(TrialError::Parameters);
                }
                parameters = (false, false);
                keys.push(pictures);
                pictures += 1;
            }
            1 if begins => pictures += 1,
            _ => {}
        }
    }
    let trial = encoders::trial(Codec::X264);
    if pictures != trial.frames {
        return Err(TrialError::Pictures { made: pictures, wanted: trial.frames });
    }
    let wanted: Vec<u64> = (0..=trial.last_key()).step_by(usize::try_from(trial.gop_frames()).unwrap_or(1)).collect();
    if keys == wanted { Ok(()) } else { Err(TrialError::Keyframes(keys, wanted)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPS: &[u8] = &[0, 0, 1, 0x67, 1];
    const PPS: &[u8] = &[0, 0, 1, 0x68, 1];

    /// A stream of so many pictures with keyframes at some of them.
    fn stream(pictures: u64, keys: &[u64], parameters: &[&[u8]]) -> Vec<u8> {
        let one = |n: u64| {
            let key = keys.contains(&n);
            let head = if key { parameters.concat() } else { Vec::new() };
            // Two slices, of which the second begins elsewhere.
            let kind = if key { 0x65 } else { 0x41 };
            [head, vec![0, 0, 1, kind, 0x88, 0, 0, 1, kind, 0x40]].concat()
        };
        (0..pictures).flat_map(one).collect()
    }

    #[test]
    fn an_encoder_passes_only_if_its_groups_begin_where_they_should() {
        let both = [SPS, PPS];
        assert_eq!(judge(&stream(120, &[0, 50], &both)), Ok(()));
        for (sentence, stream, error) in [
            ("nothing came", Vec::new(), TrialError::Pictures { made: 0, wanted: 120 }),
            ("a frame is lost", stream(119, &[0, 50], &both), TrialError::Pictures { made: 119, wanted: 120 }),
            (
                "one key too many",
                stream(120, &[0, 50, 100], &both),
                TrialError::Keyframes(vec![0, 50, 100], vec![0, 50]),
            ),
            ("one too late", stream(120, &[0, 51], &both), TrialError::Keyframes(vec![0, 51], vec![0, 50])),
            ("no parameters", stream(120, &[0, 50], &[SPS]), TrialError::Parameters),
        ] {
            assert_eq!(judge(&stream), Err(error), "{sentence}");
        }
    }

    #[test]
    fn only_chips_that_can_be_there_are_tried_unless_one_was_asked_for() {
        let both = ["nvidiactl", "renderD129", "renderD128", "card0"].map(str::to_owned);
        for (choice, devices, expected) in [
            (EncoderChoice::Auto, &both[..0], vec![]),
            (EncoderChoice::Auto, &both, vec![Codec::Nvenc, Codec::Vaapi(128), Codec::Vaapi(129), Codec::Qsv]),
            (EncoderChoice::Auto, &both[..1], vec![Codec::Nvenc]),
            (EncoderChoice::X264, &both, vec![]),
            (EncoderChoice::Vaapi, &both[1..2], vec![Codec::Vaapi(129)]),
            (EncoderChoice::Vaapi, &both[..0], vec![Codec::Vaapi(128)]),
            (EncoderChoice::Nvenc, &both[..0], vec![Codec::Nvenc]),
            (EncoderChoice::Qsv, &both[..0], vec![Codec::Qsv]),
        ] {
            assert_eq!(candidates(choice, devices), expected, "{choice:?} {devices:?}");
        }
    }

    #[tokio::test]
    async fn a_chip_that_fails_again_and_again_is_asked_no_more() {
        let chosen = Chosen::of(Codec::Nvenc);
        let told: Vec<bool> = [false, false, true, false, false, false, true].map(|done| chosen.note(done)).into();
        assert_eq!(told, [false, false, false, false, false, true, false]);
        assert_eq!(chosen.get().await, Codec::X264);
    }
}
