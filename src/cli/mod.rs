//! The command line: what can be asked of nightcast, and the answers.
//!
//! Asking is [`args`], answering is [`report`] (text for people, JSON for scripts), and what an ffmpeg must be able to
//! do is [`check`]; [`bench`] are simulated viewers, and [`grafana`] is about a Grafana elsewhere. Nearly all of it is pure;
//! whoever runs a command does the reading and printing.

pub mod args;
pub mod bench;
pub mod check;
pub mod commands;
pub mod doctor;
mod exchange;
pub mod grafana;
mod log;
pub mod operator;
pub mod report;
mod table;
