//! What `nightcast doctor` saw of a station and its machine, and what it makes of it. Pure; whoever looks is the command.
//!
//! [`judge`] turns what was seen into findings, most serious first; [`told`] writes them down for people and scripts.

mod figures;
pub mod judge;
pub mod samples;
pub mod told;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use samples::Samples;

/// Everything that was seen.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The configuration file.
    pub config: ConfigSeen,
    /// The machine; none where another one was asked about.
    pub machine: Option<MachineSeen>,
    /// What answers where the station should be.
    pub station: StationSeen,
    /// Its numbers.
    pub metrics: MetricsSeen,
}

/// The configuration file.
#[derive(Clone, Debug, Default)]
pub struct ConfigSeen {
    /// Where it is.
    pub path: String,
    /// What is wrong with it, or why it cannot be read.
    pub problems: Option<String>,
    /// When it was last saved.
    pub saved: Option<Timestamp>,
    /// Why the operator's token in it is of no use.
    pub token: Option<String>,
    /// How many connections it wants served at once.
    pub connections_max: Option<u64>,
}

/// The machine.
#[derive(Clone, Debug, Default)]
pub struct MachineSeen {
    /// Programs that cannot be used: which, and why.
    pub programs: Vec<(String, String)>,
    /// Folders of channels that cannot be read: channel, path, why.
    pub folders: Vec<(String, String, String)>,
    /// Why the data folder cannot be written.
    pub data: Option<String>,
    /// How much is free where the data folder is, in bytes.
    pub free: Option<u64>,
    /// Which process holds the data folder: none where nobody does, nought where it is not told.
    pub holder: Option<u32>,
    /// Watches on folders that the holder has, and how many one user may have.
    pub watches: Option<(u64, u64)>,
}

/// What answers where the station should be.
#[derive(Clone, Debug)]
pub enum StationSeen {
    /// Nothing, and why.
    Silent {
        /// Where it was asked.
        place: String,
        /// What the system said.
        why: String,
    },
    /// Something that is no station.
    Stranger {
        /// Where it was asked.
        place: String,
        /// What it answered.
        said: String,
    },
    /// A station, with its channels.
    Answers(Guide),
}

impl Default for StationSeen {
    fn default() -> Self {
        Self::Answers(Guide::default())
    }
}

/// What a station tells of its channels, at `/api/channels`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Guide {
    /// The station's time.
    pub server_time: Option<Timestamp>,
    /// Every channel.
    pub channels: Vec<ChannelSeen>,
    /// What `/readyz` has to say against sending viewers there; empty where nothing.
    #[serde(skip)]
    pub not_ready: String,
}

/// A channel as the station tells of it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ChannelSeen {
    /// Its id.
    pub id: String,
    /// `on_air`, `slate`, `starting`, `recovering`, `off`.
    pub state: String,
    /// Why no item is on.
    pub reason: Option<String>,
    /// When the newest segment ends.
    pub edge: Option<Timestamp>,
    /// Its files.
    pub library: LibrarySeen,
}

/// A channel's files.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LibrarySeen {
    /// Playable.
    pub items: u64,
    /// Of those, prepared.
    pub prepared: u64,
    /// Still being written or looked into.
    pub settling: u64,
    /// Set aside.
    pub quarantined: u64,
}

/// The station's numbers.
#[derive(Clone, Debug, Default)]
pub enum MetricsSeen {
    /// Nobody was asked for them.
    #[default]
    NotAsked,
    /// They are turned off.
    Off,
    /// They cannot be had: where, and why.
    Silent(String, String),
    /// Two looks, and how far apart.
    Read(Samples, Samples, Duration),
}

/// How much a finding matters; the later, the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing is wrong; worth knowing.
    Note,
    /// Something is wrong and viewers may come to see it.
    Warning,
    /// Viewers see it, or will soon.
    Critical,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What it is, in a sentence.
    pub what: String,
    /// What shows it, with figures.
    pub evidence: String,
    /// What to do.
    pub remedy: String,
    /// The section of docs/runbook.md that tells more.
    pub runbook: Option<&'static str>,
}
