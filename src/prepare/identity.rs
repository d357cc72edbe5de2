//! Which bytes, prepared to what: the names of mezzanines, in memory and in the cache folder.

use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::annexb::hex;
use super::burn;
use super::mezzanine::MezzanineId;
use crate::config::{PrepareMode, Profile, Rendition, Style, Tune, defaults};
use crate::library::Item;
use crate::units::ContentKey;

/// Counts up with every change of this stage that changes the bytes it makes: older mezzanines are then made anew.
pub const PREPARE_VERSION: u32 = 1;

impl MezzanineId {
    /// Returns the name of an item prepared to a profile.
    #[must_use]
    pub fn of(item: &Item, profile: &Profile) -> Self {
        Self { key: item.key.clone(), profile: item_digest(item, profile) }
    }

    /// Returns the name its files have in the cache folder, without ending: letters, digits and a dash.
    #[must_use]
    pub fn file_stem(&self) -> String {
        let clean = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        format!("{}-{}", clean(&self.key.0), clean(&self.profile))
    }

    /// Returns the name that a file in the cache folder stands for, or `None` where it is none of ours.
    #[must_use]
    pub fn from_file_stem(stem: &str) -> Option<Self> {
        let (key, profile) = stem.split_once('-')?;
        let clean = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (clean(key) && clean(profile)).then(|| Self { key: ContentKey(key.into()), profile: profile.into() })
    }
}

/// Returns the digest of everything of a profile that changes the bytes of every item: 16 hexadecimal digits.
#[must_use]
pub fn profile_digest(profile: &Profile) -> Arc<str> {
    digest(&profile_text(profile))
}

/// Returns the same for one item: with those of its subtitles that are burned in.
#[must_use]
pub fn item_digest(item: &Item, profile: &Profile) -> Arc<str> {
    let mut text = profile_text(profile);
    said(&mut text, "lines", burn::told_of_lines(item, &profile.burn));
    digest(&text)
}

fn digest(text: &str) -> Arc<str> {
    hex(&Sha256::digest(text.as_bytes())[..8]).into()
}

fn profile_text(profile: &Profile) -> String {
    let Profile {
        width,
        height,
        fps,
        quality,
        preset,
        video_kbps_max,
        style,
        audio_kbps,
        loudness_lufs,
        prepare,
        renditions,
        burn,
    } = profile;
    let always = *prepare == PrepareMode::Always;
    let mut text = format!(
        "{PREPARE_VERSION} {width}x{height} {fps:?} {quality} {} {video_kbps_max} {audio_kbps} {loudness_lufs:?} {always}",
        preset.as_str()
    );
    // Not their names, which are for viewers; and nothing at all without them, so that older mezzanines stay what they are.
    for Rendition { name: _, width, height, quality, video_kbps, video_kbps_max } in renditions {
        let _infallible = write!(text, " {width}x{height} {quality} {video_kbps_max}");
        said(&mut text, "kbps", *video_kbps);
    }
    // What came later is told only where it was chosen, so that older mezzanines stay what they are. What encodes is not
    // told at all: one item made by another encoder looks the same, and need not be made anew.
    let Style { video_kbps, tune, gop_secs } = style;
    said(&mut text, "kbps", *video_kbps);
    said(&mut text, "tune", tune.map(Tune::as_str));
    said(&mut text, "gop", Some(gop_secs).filter(|secs| **secs != defaults::GOP_SECONDS));
    said(&mut text, "logo", burn.logo.as_ref().map(burn::told_of_logo));
    text
}

fn said(text: &mut String, what: &str, value: Option<impl std::fmt::Display>) {
    if let Some(value) = value {
        let _infallible = write!(text, " {what}={value}");
    }
}

/// Returns the digest of a few texts: 32 hexadecimal digits.
#[must_use]
pub fn texts_digest(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hex(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{BurnedLogo, Preset};

    fn profile() -> Profile {
        Profile {
            width: 1280,
            height: 720,
            fps: None,
            quality: 21,
            preset: Preset::Veryfast,
            video_kbps_max: 4000,
            style: Style::default(),
            audio_kbps: 160,
            loudness_lufs: Some(-23.0),
            prepare: PrepareMode::Auto,
            renditions: Vec::new(),
            burn: crate::config::Burn::default(),
        }
    }

    #[test]
    fn every_setting_of_a_profile_makes_another_mezzanine() {
        let rendition = || Rendition {
            name: "a".into(),
            width: 640,
            height: 360,
            quality: 23,
            video_kbps: None,
            video_kbps_max: 900,
        };
        let several = |change: fn(&mut Rendition)| {
            let mut profile = profile();
            profile.renditions = vec![rendition(), rendition()];
            change(&mut profile.renditions[1]);
            profile_digest(&profile)
        };
        let same = several(|_| {});
        assert_eq!(several(|r| r.name = "b".into()), same, "another name is the same picture");
        let digests = [
            profile_digest(&profile()),
            same,
            several(|r| r.width = 320),
            several(|r| r.height = 180),
            several(|r| r.quality = 24),
            several(|r| r.video_kbps_max = 800),
            several(|r| r.video_kbps = Some(800)),
        ];
        assert_eq!(digests.iter().collect::<std::collections::BTreeSet<_>>().len(), digests.len(), "{digests:?}");
        let changes: [fn(&mut Profile); 13] = [
            |p| p.width = 640,
            |p| p.height = 360,
            |p| p.fps = Some(25),
            |p| p.quality = 22,
            |p| p.preset = Preset::Fast,
            |p| p.video_kbps_max = 1,
            |p| p.style.video_kbps = Some(1),
            |p| p.style.tune = Some(Tune::Grain),
            |p| p.style.gop_secs = 3,
            |p| p.audio_kbps = 1,
            |p| p.loudness_lufs = None,
            |p| p.prepare = PrepareMode::Always,
            |p| {
                let corner = crate::config::Corner::TopLeft;
                p.burn.logo = Some(BurnedLogo { file: "a".into(), sum: None, corner, size: 8, opacity: 75 });
            },
        ];
        for (n, change) in changes.iter().enumerate() {
            let mut changed = profile();
            change(&mut changed);
            assert_ne!(profile_digest(&changed), profile_digest(&profile()), "change {n}");
        }
    }

    #[test]
    fn the_name_of_a_mezzanine_with_one_picture_is_what_it_always_was() {
        assert_eq!(&*profile_digest(&profile()), "d7facb809cd38ee3");
    }

    #[test]
    fn file_names_lead_back_to_the_mezzanine() {
        let id = MezzanineId { key: ContentKey("0123abcd".into()), profile: profile_digest(&profile()) };
        assert_eq!(MezzanineId::from_file_stem(&id.file_stem()), Some(id));
        for foreign in ["", "a", "-", "a-", "../x-y", "a-b-c", "a.b-c"] {
            assert_eq!(MezzanineId::from_file_stem(foreign), None, "{foreign}");
        }
    }
}
