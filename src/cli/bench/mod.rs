//! Simulated viewers: how many of them a station holds.
//!
//! A [`viewer`] decides what a player would do next, [`listing`] reads what it is answered, [`figures`] sums up what all
//! of them saw, and [`search`] finds how many are held: all of it pure. A [`wire`] is the connection of one, and `commands/bench` lets the
//! crowd loose.

pub mod figures;
pub mod listing;
pub mod search;
pub mod viewer;
pub mod wire;
