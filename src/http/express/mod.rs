//! The short way for what nearly every request is: a player that wants a playlist or a whole segment.
//!
//! A kept connection begins here. A head that is as plain as players write it, and asks for something that is there, is
//! answered with one look-up and one write; the bytes of a segment that several want go from the kernel's memory to the
//! kernel's socket ([`shelf`]). Everything else (pages, errors, ranges, conditions, other methods, whatever is written
//! unusually) is left unread to hyper and the router, which have the connection from then on. So there is one answer to
//! each question, whoever gives it: `tests/http_contract` asks both and compares.

mod answer;
mod line;
mod request;
mod shelf;

use std::sync::Arc;

pub(super) use line::{Express, Leaves};
use shelf::Shelf;

use super::state::StationView;
use super::tally::Tally;

/// What all connections of a listener share.
#[derive(Debug)]
pub(super) struct Hot {
    view: StationView,
    tally: Arc<Tally>,
    shelf: Arc<Shelf>,
}

impl Hot {
    pub(super) fn new(view: StationView, tally: Arc<Tally>) -> Self {
        Self { view, tally, shelf: Arc::default() }
    }
}
