//! Everything that knows ffmpeg's language, and the one place that starts children.
//!
//! Files are hostile: arguments are built from enums and numbers, paths are `file:`-prefixed and never options, and
//! every child runs in its own process group under kernel limits.

pub mod burn_args;
pub mod check_args;
pub mod child;
pub mod encoders;
pub mod extent;
pub mod family;
pub mod ident_args;
pub mod input;
pub mod logo_args;
pub mod loudness;
mod pipes;
pub mod prepare_args;
pub mod probe;
pub mod probe_args;
pub mod progress;
pub mod rate;
pub mod renditions;
pub mod slate_args;
pub mod subtitle_args;
pub mod task;
pub mod thumbnail_args;

pub use child::{ChildSpec, Ending, Evidence, Limits, Role};
pub use family::{Children, Family};
