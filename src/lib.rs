//! Nightcast turns folders of videos into television channels.
//!
//! The modules stand in the order the data flows; none knows a later one:
//!
//! - [`units`] and [`clock`]: the words and the time of the field.
//! - [`config`]: TOML text → `Config`, or every problem at once.
//! - [`store`]: what survives a restart, in `SQLite`.
//! - [`ffmpeg`]: everything that knows ffmpeg's language; runs the children.
//! - [`library`]: folders → the items that may be played.
//! - [`schedule`]: items → what comes next.
//! - [`prepare`]: item → mezzanine that can be joined without re-encoding.
//! - [`feed`], [`on_air`]: mezzanines → one never-ending ffmpeg → chunks.
//! - [`hls`]: chunks → segments and playlists.
//! - [`channel`]: one channel, the stages above joined.
//! - [`demand`]: what viewers watch when they like.
//! - [`mirror`]: copies of playlists and segments, kept in an S3-compatible store.
//! - [`http`]: pages, playlists, segments, API.
//! - [`metrics`]: numbers about all of it, for Prometheus.
//! - [`service`]: what the service manager is told.
//! - [`app`]: the composition root; [`shutdown`]: signals.
//! - [`demo`]: films for a station that has none; [`cli`]: the commands.

pub mod app;
pub mod channel;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demand;
pub mod demo;
pub mod feed;
pub mod ffmpeg;
pub mod hls;
pub mod http;
pub mod library;
pub mod metrics;
pub mod mirror;
pub mod on_air;
pub mod prepare;
pub mod schedule;
pub mod service;
pub mod shutdown;
pub mod store;
pub mod units;
