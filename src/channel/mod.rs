//! One channel: the stages before, joined.

pub mod air;
pub mod core;
pub mod director;
pub mod keep;
mod report;
pub mod status;
pub mod task;

pub use status::{AiringStatus, ChannelState, ChannelStatus, LibraryCounts};
