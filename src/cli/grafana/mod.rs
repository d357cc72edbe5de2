//! Dashboards for a Grafana that is already there, brought to it through its HTTP interface.
//!
//! What is brought is [`boards`], what must be done about it is [`plan`], what Grafana says to that is [`problem`], and
//! what a person or a script is told is [`report`]. All of these are pure; [`client`] speaks to Grafana.

pub mod address;
pub mod boards;
pub(super) mod client;
pub mod plan;
pub mod problem;
pub mod report;
