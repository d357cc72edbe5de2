//! TOML text in, [`Config`] or every problem at once out.
//!
//! Pure: the caller reads the file. Nothing after this stage sees TOML.

pub mod apps;
pub mod brand;
pub mod burn;
mod change;
mod channel;
pub mod defaults;
mod file;
pub mod language;
pub mod mirror;
pub mod on_demand;
mod picture;
pub mod problem;
pub mod reloads;
mod renditions;
pub mod rewind;
mod style;
pub mod subtitles;
mod syntax;
mod table;
pub mod timetable;
mod timetable_file;
mod validate;
mod value;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use apps::Apps;
pub use brand::{Brand, Colour};
pub use burn::{Burn, BurnedLogo, Corner};
pub use change::Change;
pub use language::Language;
pub use mirror::Mirror;
pub use problem::{Problem, Problems};
pub use rewind::Rewind;
pub use style::{EncoderChoice, Preset, Style, Tune};
pub use subtitles::{SubtitleMode, Subtitles};
pub use timetable::Timetable;

use crate::units::ChannelId;

/// The longest configuration in bytes: a thousand channels with every key take about a quarter, and a film given as the
/// configuration by mistake is far longer.
pub const TEXT_BYTES_MAX: usize = 4 << 20;

/// Reads the text of a configuration file.
///
/// `path` is where the text came from: relative paths in it start from its folder, and messages name it. `cores` is how
/// many the machine has, for the default number of workers.
///
/// # Errors
/// Everything that is wrong with the file at once, ready to print. A file that is not TOML is told line by line, and
/// judged no further.
pub fn parse(text: &str, path: &Path, cores: usize) -> Result<Config, Problems> {
    if text.len() > TEXT_BYTES_MAX {
        let mut problems = Problems::new(path, "");
        let message = format!("the file is longer than {TEXT_BYTES_MAX} bytes");
        table::complain(&mut problems, &(0..0), "", message, Some("is it really a configuration?"));
        return Err(problems.found());
    }
    let mut problems = Problems::new(path, text);
    let (tree, errors) = toml::de::DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        syntax::report(&errors, text, &mut problems);
        return Err(problems.found());
    }
    let file = file::read(tree.get_ref(), &mut problems);
    let base = path.parent().unwrap_or(Path::new(""));
    let config = validate::config(file, base, cores, &mut problems);
    if problems.list().is_empty() { Ok(config) } else { Err(problems.found()) }
}

/// Returns every key there is, after the header of its table: `("[station]", "listen")`.
pub fn known_keys() -> impl Iterator<Item = (&'static str, &'static str)> {
    // The tables within a channel are headers rather than keys.
    file::TABLES
        .iter()
        .flat_map(|(table, keys)| keys.iter().map(move |key| (*table, *key)))
        .filter(|(_, key)| !["picture", "sound", "block", "fixed"].contains(key))
}

/// The whole configuration, checked: every path absolute or relative to the process, every number in range.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What all channels share.
    pub station: Station,
    /// Where the operator's programs read what goes on.
    pub metrics: Metrics,
    /// Who may change what goes on.
    pub admin: Admin,
    /// Where copies of what viewers fetch are kept; none where they are not.
    pub mirror: Option<Mirror>,
    /// What TV apps are told.
    pub apps: Apps,
    /// How station and channels look.
    pub brand: Brand,
    /// Whose items viewers may watch when they like.
    pub on_demand: on_demand::OnDemand,
    /// How far back viewers may go, of the channels where they may: none of these begins anew for it.
    pub rewinds: BTreeMap<ChannelId, Rewind>,
    /// The channels in the order of the file; at least one, ids unique.
    pub channels: Vec<Channel>,
}

/// What all channels share.
#[derive(Clone, Debug, PartialEq)]
pub struct Station {
    /// The name viewers see.
    pub name: String,
    /// Where its clocks hang: what times of day in the timetables mean; none for the system's.
    pub time_zone: Option<jiff::tz::TimeZone>,
    /// Where the public pages and playlists are served.
    pub listen: SocketAddr,
    /// Catalogue, plan, mezzanines and run folders.
    pub data: PathBuf,
    /// How many bytes of mezzanines to keep.
    pub cache_budget_bytes: u64,
    /// How many items are prepared at once.
    pub workers: usize,
    /// What makes pictures.
    pub encoder: EncoderChoice,
    /// How long size and time of a file must rest before it becomes an item.
    pub settle: Duration,
    /// How often every folder is walked although nothing was reported.
    pub rescan: Duration,
    /// How many connections the public listener holds at once.
    pub connections_max: usize,
    /// The ffmpeg program.
    pub ffmpeg: PathBuf,
    /// The ffprobe program.
    pub ffprobe: PathBuf,
}

/// Where the operator's programs read what goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// Where metrics are served; none where they are not.
    pub listen: Option<SocketAddr>,
}

/// Who may change what goes on, at `/api/admin/`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Admin {
    /// The file that holds the operator's token; none where the environment alone may hold it.
    pub token_file: Option<PathBuf>,
}

/// One channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Its name in URLs, logs and metrics.
    pub id: ChannelId,
    /// The name viewers see.
    pub name: String,
    /// Where its videos lie; at least one.
    pub folders: Vec<PathBuf>,
    /// How the next item is picked.
    pub order: Order,
    /// Starts the order's chance; by default derived from the id, so that a station is reproducible.
    pub seed: u64,
    /// What stands at a time of its own.
    pub timetable: Timetable,
    /// What items are prepared to.
    pub profile: Profile,
    /// Whether the sound is offered without a picture, too. Nothing is prepared for it.
    pub audio_only: bool,
    /// What is done with subtitles.
    pub subtitles: Subtitles,
}

/// How the next item is picked.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// A deck of all items: nothing repeats until all were on, nor across the seam of two decks.
    Shuffle,
    /// Any item that was not on within the last `spacing` programmes.
    Random {
        /// How many programmes lie between two airings of one item, as far as the library allows.
        spacing: usize,
    },
    /// Chance in proportion to weights by folder or file pattern; unnamed items weigh 1.
    Weighted {
        /// Path prefixes relative to the channel's folder, with their weights above zero, in the order of the file;
        /// the first that matches counts.
        weights: Vec<(String, f64)>,
        /// As for [`Order::Random`].
        spacing: usize,
    },
    /// By path, numbers within names by value; begins again after the last.
    Sequential,
}

/// What items of a channel are prepared to: part of a mezzanine's identity.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Width of the picture in pixels, even.
    pub width: u32,
    /// Height of the picture in pixels, even.
    pub height: u32,
    /// Frame rate: none keeps the source's (see [`Profile::FPS_MAX`]).
    pub fps: Option<u32>,
    /// x264's constant rate factor, 16 to 35; lower is better and larger.
    pub quality: u8,
    /// x264's preset.
    pub preset: Preset,
    /// Ceiling of the picture's bit rate in kbit/s.
    pub video_kbps_max: u32,
    /// What else the encoder is told.
    pub style: Style,
    /// Bit rate of the sound in kbit/s.
    pub audio_kbps: u32,
    /// Integrated loudness in LUFS (EBU R128), or none to leave it as it is.
    pub loudness_lufs: Option<f64>,
    /// Whether originals that fit may keep their picture.
    pub prepare: PrepareMode,
    /// The sizes and bit rates the picture is made in, largest first; none where it is made in one, as told above. The first
    /// is the one told above.
    pub renditions: Vec<Rendition>,
    /// What becomes part of the picture.
    pub burn: Burn,
}

impl Profile {
    /// Sources above this rate are halved (60 → 30) or brought down to it, unless `fps` says otherwise.
    pub const FPS_MAX: u32 = 30;

    /// Returns how many pictures a mezzanine holds.
    #[must_use]
    pub fn pictures(&self) -> usize {
        self.renditions.len().max(1)
    }

    /// Returns the ceiling of all pictures and the sound together, in kbit/s.
    #[must_use]
    pub fn kbps_max(&self) -> u32 {
        let several: u32 = self.renditions.iter().map(|rendition| rendition.video_kbps_max).sum();
        several.max(self.video_kbps_max) + self.audio_kbps
    }
}

/// One of the sizes and bit rates that a channel's picture is made in.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendition {
    /// Its name in addresses: `[a-z0-9-]`, unique in its channel.
    pub name: Arc<str>,
    /// Width of the frame in pixels, even; smaller pictures are not scaled up to it.
    pub width: u32,
    /// Height of the frame in pixels, even.
    pub height: u32,
    /// x264's constant rate factor.
    pub quality: u8,
    /// Mean bit rate in kbit/s, instead of the quality.
    pub video_kbps: Option<u32>,
    /// Ceiling of the picture's bit rate in kbit/s.
    pub video_kbps_max: u32,
}

impl Rendition {
    /// The most renditions of a channel: each is encoded, fed and kept in memory for as long as it may be asked for.
    pub const COUNT_MAX: usize = 6;
}

/// Whether originals that fit may keep their picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrepareMode {
    /// Keep the picture of originals that fit (recipe remux), encode the rest.
    Auto,
    /// Encode everything, so that every item has the same size and parameters.
    Always,
}
