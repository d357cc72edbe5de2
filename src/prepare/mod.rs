//! Items in, mezzanines that can be joined without re-encoding out.
//!
//! Receives wants (an item, a profile, when it is due); gives the state of each. Promises that a mezzanine said to be
//! ready was verified. Does not decide what airs.

pub mod annexb;
pub mod burn;
pub mod cache;
pub mod folder;
pub mod gop_index;
pub mod identity;
pub mod inspection;
pub mod job;
pub mod ladder;
pub mod length;
pub mod mezzanine;
pub mod numbers;
pub mod plan;
pub mod queue;
pub mod recipe;
pub mod sidecar;
pub mod sizes;
pub mod slate;
pub mod subtitles;
pub mod task;
pub mod trial;
pub mod verify;
pub mod workshop;

use std::sync::Arc;

pub use mezzanine::{Gop, Mezzanine, MezzanineId};
pub use numbers::{Numbers, Outcome, Work};
pub use queue::Want;
pub use slate::{Look, SlateCard, SlateError};
pub use task::{Preparer, Settings};

/// How far preparing an item has got.
#[derive(Clone, Debug, PartialEq)]
pub enum Prepared {
    /// Nobody has begun.
    Waiting,
    /// A worker is at it. `mezzanine` lists the GOPs on disk so far, none for recipes that cannot air while growing.
    Growing {
        /// What may already be aired.
        mezzanine: Arc<Mezzanine>,
        /// Media seconds made in a second of the world, so far; 0 when not known yet.
        speed: f64,
        /// Done of the whole, 0 to 1.
        progress: f64,
    },
    /// Complete and verified.
    Ready(Arc<Mezzanine>),
    /// It cannot be prepared: the reason is a sentence for people. The item is quarantined until it changes.
    Failed(Arc<str>),
}
