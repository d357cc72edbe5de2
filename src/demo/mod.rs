//! A small library of films made on the spot, for a station whose owner has no video yet.
//!
//! Receives a folder, gives it two sub-folders with ten short films of different codecs, sizes, rates and layouts, all
//! computed by ffmpeg's own sources. Promises that a film appears under its name only when it is whole, and that films
//! already there are left alone. [`films`], [`pictures`] and [`sounds`] are pure; [`task`] runs them.

pub mod bar;
pub mod films;
pub mod pictures;
pub mod sounds;
pub mod task;

pub use films::{Film, films};
