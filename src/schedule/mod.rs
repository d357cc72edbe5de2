//! Items in, what comes next out. Pure and seeded.
//!
//! Receives the catalogue, the history and chance; gives programmes with their planned times, at least
//! [`HORIZON`] ahead. Does not know whether an item is prepared.

mod hole;
#[cfg(test)]
mod laws;
pub mod natural;
mod parts;
pub mod picker;
pub mod plan;
pub mod programme;
pub mod shelf;
mod timed;
pub mod timetable;
mod weave;

pub use picker::{Pick, Picker, PickerState};
pub use plan::Plan;
pub use programme::{Kind, Programme, Role};
pub use shelf::{Candidate, Shelf};
pub use timetable::Timetable;

use jiff::SignedDuration;

/// How far ahead programmes are planned: a day and an hour, so that a guide of a day is always full.
pub const HORIZON: SignedDuration = SignedDuration::from_hours(25);
