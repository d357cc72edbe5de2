//! One channel: the stages before, joined.

pub mod air;
pub mod cards;
pub mod core;
pub mod counters;
pub mod director;
pub mod keep;
mod names;
mod report;
pub mod status;
pub mod task;

pub use counters::{Counters, Discontinuity, Numbers};
pub use status::{AiringStatus, ChannelState, ChannelStatus, LibraryCounts};
