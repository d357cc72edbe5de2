//! Speaks to the store: over the HTTP and TLS that the station has anyway, or with a folder.

pub mod http;
pub mod task;

use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;
use object_store::{Attribute, Attributes, ObjectStore};

use super::names::Name;
use crate::hls;
use crate::units::ChannelId;

/// How long an object may take to be put. A segment lasts two to six seconds: a store that needs longer for one is behind
/// already.
pub const PUT_MAX: Duration = Duration::from_secs(15);

/// How long a list, or the deletion of as many objects as go at once, may take: new segments wait for it.
pub const TIDY_MAX: Duration = Duration::from_secs(10);

/// A store, and where in it.
#[derive(Clone, Debug)]
pub struct Depot {
    /// The store.
    pub store: Arc<dyn ObjectStore>,
    /// What stands before channels' ids.
    pub prefix: Path,
    /// Whether objects have headers: files have none, and the server that shows them must add them.
    pub has_headers: bool,
    /// What the log calls it.
    pub called: Arc<str>,
}

impl Depot {
    /// Returns the path of everything of a channel.
    #[must_use]
    pub fn channel(&self, id: &ChannelId) -> Path {
        self.prefix.clone().join(id.as_str())
    }

    /// Returns the path of an object.
    #[must_use]
    pub fn path(&self, id: &ChannelId, name: &Name) -> Path {
        name.to_string().split('/').fold(self.channel(id), Path::join)
    }

    /// Returns the object that a path is of, where it is one of ours.
    #[must_use]
    pub fn name(&self, id: &ChannelId, path: &Path) -> Option<Name> {
        let folder = self.channel(id);
        Name::read(path.as_ref().strip_prefix(folder.as_ref())?.strip_prefix('/')?)
    }

    /// Returns the headers of an object: as the station itself would send it.
    #[must_use]
    pub fn headers(&self, name: &Name) -> Attributes {
        if !self.has_headers {
            return Attributes::new();
        }
        let (kind, cache) = match (name.is_playlist(), name.is_of_subtitles()) {
            (true, _) => (hls::PLAYLIST_TYPE, hls::PLAYLIST_CACHE),
            (false, true) => (hls::VTT_TYPE, hls::SEGMENT_CACHE),
            (false, false) => (hls::TS_TYPE, hls::SEGMENT_CACHE),
        };
        Attributes::from_iter([(Attribute::ContentType, kind), (Attribute::CacheControl, cache)])
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    /// Goal: only what is ours below a channel's own folder is known as its. Method: a table of paths.
    #[test]
    fn paths_are_of_one_channel() {
        let id = ChannelId::new("one").unwrap();
        for prefix in ["", "tv/first"] {
            let store = Arc::new(InMemory::new());
            let depot = Depot { store, prefix: Path::from(prefix), has_headers: true, called: "memory".into() };
            let below = |text: &str| Path::from(format!("{prefix}/{text}"));
            for name in ["index.m3u8", "segments/7.ts", "720p/segments/7.ts"] {
                let name = Name::read(name).unwrap();
                assert_eq!(depot.path(&id, &name), below(&format!("one/{name}")));
                assert_eq!(depot.name(&id, &depot.path(&id, &name)), Some(name));
            }
            for other in ["one-more/index.m3u8", "index.m3u8", "one/notes.txt", "two/one/index.m3u8", "one"] {
                assert_eq!(depot.name(&id, &below(other)), None, "{other}");
            }
        }
    }
}
