//! `renditions` as written in; sizes and bit rates, largest first, out.

use std::ops::Range;
use std::sync::Arc;

use super::file::{At, ChannelFile, OwnRendition, RenditionFile};
use super::picture::is_number;
use super::validate::Judge;
use super::{Profile, Rendition, defaults};
use crate::units::ChannelId;

/// What no rendition of one's own may be called: what is part of another address, and what is no picture.
const TAKEN: [&str; 2] = ["segments", defaults::AUDIO_ONLY];

impl Judge<'_> {
    /// Adds the renditions of a channel to its profile, whose own size and bit rate are those of the first, and tells whether
    /// the sound is offered alone.
    pub(super) fn with_renditions(&mut self, profile: Profile, file: &ChannelFile) -> (Profile, bool) {
        let Some(written) = &file.renditions else { return (profile, false) };
        self.only_where_there_is_one_picture(file);
        let renditions = self.renditions(written, profile.quality);
        let audio_only = written.get_ref().iter().any(RenditionFile::is_audio_only);
        let Some(first) = renditions.first() else { return (profile, false) };
        let Rendition { width, height, quality, video_kbps_max, .. } = *first;
        (Profile { width, height, quality, video_kbps_max, renditions, ..profile }, audio_only)
    }

    fn only_where_there_is_one_picture(&mut self, file: &ChannelFile) {
        let size = file.picture.size.as_ref().map(|size| ("size", size.span()));
        let most = file.picture.max_kbps.as_ref().map(|kbps| ("max-kbps", kbps.span()));
        let mean = file.picture.kbps.as_ref().filter(|kbps| is_number(kbps)).map(|kbps| ("kbps", kbps.span()));
        let channel_place = self.place.clone();
        self.place = format!("[channel.picture] of {channel_place}");
        for (key, span) in size.into_iter().chain(most).chain(mean) {
            self.each_has_its_own(key, &span);
        }
        self.place = channel_place;
    }

    fn renditions(&mut self, written: &At<Vec<RenditionFile>>, quality: u8) -> Vec<Rendition> {
        let all = written.get_ref();
        if all.is_empty() {
            let hint = "name one or more, such as [\"720p\", \"360p\"], or leave it out".to_owned();
            self.complain(&written.span(), "renditions is an empty list".to_owned(), Some(hint));
        }
        if let Some(surplus) = all.get(Rendition::COUNT_MAX) {
            let message = format!("there are {} renditions, the most is {}", all.len(), Rendition::COUNT_MAX);
            let hint = "three or four suit every line: players choose among them".to_owned();
            self.complain(&surplus.span(), message, Some(hint));
        }
        let mut renditions: Vec<Rendition> = Vec::new();
        for (n, one) in all.iter().enumerate().take(Rendition::COUNT_MAX) {
            if one.is_audio_only() {
                self.sound_stands_last(n, all);
                continue;
            }
            let judged = match one {
                RenditionFile::Preset(name) => self.preset(name, quality),
                RenditionFile::Own(own) => self.own(own.get_ref(), quality),
            };
            if let Some(rendition) = judged
                && self.follows(&renditions, &rendition, &one.span())
            {
                renditions.push(rendition);
            }
        }
        renditions
    }

    /// It is taken from the smallest picture, so there must be one before it, and nothing after it.
    fn sound_stands_last(&mut self, n: usize, all: &[RenditionFile]) {
        let span = all[n].span();
        if n == 0 {
            let message =
                format!("{:?} is sound without a picture, and no picture is named before it", defaults::AUDIO_ONLY);
            self.complain(&span, message, Some("name one first, such as [\"360p\", \"audio\"]".to_owned()));
        } else if n + 1 < all.len() {
            let message = format!("{:?} is not the last of the renditions", defaults::AUDIO_ONLY);
            self.complain(&span, message, Some("the largest comes first, and sound without a picture last".to_owned()));
        }
    }

    fn preset(&mut self, name: &At<String>, quality: u8) -> Option<Rendition> {
        let ((width, height), video_kbps_max) = self.word("a rendition", name, defaults::RENDITIONS)?;
        let name = name.get_ref().as_str().into();
        Some(Rendition { name, width, height, quality, video_kbps: None, video_kbps_max })
    }

    fn own(&mut self, own: &OwnRendition, quality: u8) -> Option<Rendition> {
        let name = own.name.as_ref().and_then(|name| self.rendition_name(name));
        let size = own.size.as_ref().and_then(|size| self.size(size));
        let kbps = own.max_kbps.as_ref().and_then(|kbps| {
            self.within(
                "max-kbps",
                kbps,
                &defaults::RENDITION_KBPS_RANGE,
                "in thousand bits a second: 900 suits 640x360",
            )
        });
        let own_quality = own.quality.as_ref().and_then(|quality| {
            self.within("quality", quality, &defaults::QUALITY_RANGE, "23 is good; lower is better and larger")
        });
        let (name, (width, height), video_kbps_max) = (name?, size?, kbps?);
        let video_kbps = own.kbps.as_ref().and_then(|mean| self.mean(mean, video_kbps_max));
        if let (Some(_), Some(quality)) = (video_kbps, &own.quality) {
            let hint = "leave one of them out".to_owned();
            self.complain(&quality.span(), "quality has no meaning beside kbps".to_owned(), Some(hint));
        }
        let quality = own_quality.unwrap_or(quality);
        Some(Rendition { name, width, height, quality, video_kbps, video_kbps_max })
    }

    /// Names stand in addresses, as those of channels do.
    fn rendition_name(&mut self, name: &At<String>) -> Option<Arc<str>> {
        let text = name.get_ref();
        let is_taken = TAKEN.contains(&text.as_str()) || text.starts_with(defaults::SUBTITLES_BEGIN);
        if ChannelId::new(text).is_some() && !is_taken {
            return Some(text.as_str().into());
        }
        let message = if is_taken {
            format!("a rendition cannot be called {text:?}")
        } else {
            format!("the name of a rendition may hold a-z, 0-9 and - only, and up to 40 of them, got {text:?}")
        };
        self.complain(&name.span(), message, Some("it is part of the address: name = \"phone\"".to_owned()));
        None
    }

    /// Whether a rendition may stand after those before it.
    fn follows(&mut self, before: &[Rendition], one: &Rendition, span: &Range<usize>) -> bool {
        if before.iter().any(|other| other.name == one.name) {
            let message = format!("two renditions have the name {:?}", &*one.name);
            self.complain(span, message, Some("give each a name of its own, or leave one out".to_owned()));
            return false;
        }
        let Some(last) = before.last() else { return true };
        let larger = one.width > last.width || one.height > last.height || one.video_kbps_max > last.video_kbps_max;
        let same = (one.width, one.height, one.video_kbps_max) == (last.width, last.height, last.video_kbps_max);
        if larger || same {
            let message = format!("the rendition {:?} is not smaller than {:?} before it", &*one.name, &*last.name);
            let hint = "the largest comes first: neither size nor max-kbps may grow, and one of them must shrink";
            self.complain(span, message, Some(hint.to_owned()));
        }
        !larger && !same
    }
}

impl RenditionFile {
    /// Whether it is the sound without a picture.
    fn is_audio_only(&self) -> bool {
        matches!(self, Self::Preset(name) if name.get_ref() == defaults::AUDIO_ONLY)
    }

    fn span(&self) -> Range<usize> {
        match self {
            Self::Preset(name) => name.span(),
            Self::Own(own) => own.span(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;

    fn profile(lines: &str) -> Profile {
        let text = format!("[[channel]]\nname = \"Cats\"\nfolder = \"cats\"\n{lines}");
        parse(&text, Path::new("c.toml"), 1).unwrap_or_else(|problems| panic!("{problems}")).channels.remove(0).profile
    }

    #[test]
    fn names_stand_for_sizes_and_tables_for_anything() {
        let profile = profile(
            "renditions = [\"720p\", { name = \"phone\", size = \"320x180\", max-kbps = 200, quality = 28 }, \
             { name = \"train\", size = \"256x144\", kbps = 100, max-kbps = 150 }]\n\
             [channel.picture]\nquality = 20\n",
        );
        let large = Rendition {
            name: "720p".into(),
            width: 1280,
            height: 720,
            quality: 20,
            video_kbps: None,
            video_kbps_max: 3500,
        };
        let small = Rendition {
            name: "phone".into(),
            width: 320,
            height: 180,
            quality: 28,
            video_kbps: None,
            video_kbps_max: 200,
        };
        let train = Rendition {
            name: "train".into(),
            width: 256,
            height: 144,
            quality: 20,
            video_kbps: Some(100),
            video_kbps_max: 150,
        };
        assert_eq!(profile.renditions, [large, small, train]);
        assert_eq!((profile.width, profile.height, profile.video_kbps_max), (1280, 720, 3500), "those of the first");
        assert_eq!((profile.pictures(), profile.kbps_max()), (3, 3500 + 200 + 150 + profile.audio_kbps));
    }

    #[test]
    fn a_channel_without_renditions_has_one_picture() {
        let profile = profile("");
        assert_eq!((profile.renditions.len(), profile.pictures()), (0, 1));
        assert_eq!(profile.kbps_max(), profile.video_kbps_max + profile.audio_kbps);
    }

    #[test]
    fn audio_only_is_no_picture_of_the_profile() {
        let channel = |lines: &str| {
            let text = format!("[[channel]]\nname = \"Cats\"\nfolder = \"cats\"\n{lines}");
            let parsed = parse(&text, Path::new("c.toml"), 1).unwrap_or_else(|problems| panic!("{problems}"));
            parsed.channels.into_iter().next().unwrap()
        };
        let (with, without) = (channel("renditions = [\"360p\", \"audio\"]\n"), channel("renditions = [\"360p\"]\n"));
        assert_eq!((with.audio_only, without.audio_only), (true, false));
        assert_eq!(with.profile, without.profile, "nothing is made anew for it");
    }

    #[test]
    fn every_name_there_is_can_stand_together() {
        let all: Vec<String> = defaults::RENDITIONS.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let profile = profile(&format!("renditions = [{}]\n", all.join(", ")));
        assert_eq!(profile.renditions.len(), defaults::RENDITIONS.len());
    }
}
