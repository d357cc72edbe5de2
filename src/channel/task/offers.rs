//! What a channel offers its viewers to choose among.

use std::sync::Arc;

use crate::config::{self, defaults};
use crate::hls::ladder::Offer;

/// What the one picture of a channel is called where it has subtitles beside it.
#[must_use]
pub fn one_picture(profile: &config::Profile) -> Offer {
    let bits_max = bits_max(profile.video_kbps_max, profile.audio_kbps);
    Offer { name: defaults::ONE_PICTURE.into(), bits_max, audio_only: false }
}

/// What the clock of the picture takes that sound alone keeps, in kbit/s: some 15 packets a second.
const SOUND_CLOCK_KBPS: u32 = 25;

/// Returns what picture and sound are held to, in bits a second, with a tenth for the transport stream around them.
fn bits_max(picture_kbps: u32, sound_kbps: u32) -> u64 {
    u64::from(picture_kbps + sound_kbps) * 1100
}

/// What each rendition is held to.
#[must_use]
pub fn offers(config: &config::Channel) -> Vec<Offer> {
    let profile = &config.profile;
    let offer = |name: &Arc<str>, kbps: u32, audio_only: bool| {
        let bits_max = bits_max(kbps, profile.audio_kbps);
        Offer { name: Arc::clone(name), bits_max, audio_only }
    };
    let pictures = profile.renditions.iter().map(|one| offer(&one.name, one.video_kbps_max, false));
    let sound = config.audio_only.then(|| offer(&defaults::AUDIO_ONLY.into(), SOUND_CLOCK_KBPS, true));
    pictures.chain(sound).collect()
}
