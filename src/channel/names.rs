//! Under which name each item of a channel is in the workshop: by what is burned into it, too. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Profile;
use crate::library::Item;
use crate::prepare::MezzanineId;
use crate::prepare::identity::{item_digest, profile_digest};
use crate::units::ContentKey;

/// The names of a channel's items.
#[derive(Debug)]
pub(super) struct Names {
    /// The digest of an item that has nothing of its own.
    plain: Arc<str>,
    /// Of those that have: as many as there are items at the most.
    own: BTreeMap<ContentKey, Arc<str>>,
}

impl Names {
    /// Returns the names of a channel without items.
    #[must_use]
    pub(super) fn new(profile: &Profile) -> Self {
        Self { plain: profile_digest(profile), own: BTreeMap::new() }
    }

    /// Takes note of which items there are.
    pub(super) fn follow<'i>(&mut self, items: impl Iterator<Item = &'i Arc<Item>>, profile: &Profile) {
        self.own.clear();
        if profile.burn.subtitles.is_some() {
            let named = items.map(|item| (item.key.clone(), item_digest(item, profile)));
            self.own = named.filter(|(_, digest)| *digest != self.plain).collect();
        }
    }

    /// Returns the name of an item.
    #[must_use]
    pub(super) fn of(&self, key: &ContentKey) -> MezzanineId {
        let digest = self.own.get(key).unwrap_or(&self.plain);
        MezzanineId { key: key.clone(), profile: Arc::clone(digest) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::director::tests::{item, profile};
    use super::*;
    use crate::config::Burn;
    use crate::library::sample;
    use crate::library::subtitles::Purpose;

    #[test]
    fn an_item_is_asked_for_under_the_name_that_the_workshop_gives_it() {
        let (plain, burning) = (profile(), Burn { subtitles: Some([].into()), logo: None });
        let burning = Profile { burn: burning, ..Profile::clone(&plain) };
        let mut said = Item::clone(&item("said", 9));
        said.subtitles = [sample::subtitles("/m/said.srt", "und", Purpose::Full, 1)].into();
        let items = [item("silent", 9), Arc::new(said)];
        for profile in [&*plain, &burning] {
            let mut names = Names::new(profile);
            names.follow(items.iter(), profile);
            for item in &items {
                assert_eq!(names.of(&item.key), MezzanineId::of(item, profile), "{}", item.name);
            }
            assert_eq!(names.own.len(), usize::from(profile.burn.subtitles.is_some()));
            names.follow(items[..1].iter(), profile);
            assert!(names.own.is_empty(), "what is gone is forgotten");
        }
    }
}
