//! Folders in, the items that may be played out.
//!
//! Receives the channel's folders; gives a [`Catalogue`] snapshot by `watch`. Promises that every item in it has
//! settled and was accepted by ffprobe. Does not decide what is played, and does not decode.

pub mod catalogue;
pub mod item;
pub mod key;
pub mod metadata;
pub mod names;
pub mod pace;
pub mod reach;
pub mod reproach;
#[cfg(test)]
pub(crate) mod sample;
pub mod sidecar;
pub mod sniff;
pub mod subtitles;
pub mod tally;
pub mod task;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use item::{AudioInfo, FileStamp, Item, MediaInfo, Metadata, VideoInfo};
pub use reproach::Reproach;
pub use tally::Tally;
pub use task::{Library, LibrarySettings, scan_once, start};

/// What a channel's folders hold at one moment; immutable, shared.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Every playable file by path.
    pub items: BTreeMap<PathBuf, Arc<Item>>,
    /// Every file that looks like a video and may not be played, by path.
    pub refused: BTreeMap<PathBuf, Refused>,
    /// Problems with whole folders: missing, unreadable. Path and reason for people.
    pub folder_problems: Vec<(PathBuf, String)>,
    /// Whether every folder was walked and every settled file probed at least once since start.
    pub complete: bool,
}

impl Catalogue {
    /// Returns the files in quarantine with the reasons, by path.
    pub fn quarantined(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.refused.iter().filter_map(|(path, refused)| match refused {
            Refused::Quarantined(reason) => Some((path.as_path(), reason.as_str())),
            Refused::Settling => None,
        })
    }
}

/// Why a file is not (or not yet) an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is still being written.
    Settling,
    /// It failed to probe or to prepare and waits until it changes. The reason is a sentence for people.
    Quarantined(String),
}
