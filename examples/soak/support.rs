//! The part of what the tests share that the soak needs.

#[path = "../../tests/support/ffmpegs.rs"]
pub mod ffmpegs;
#[path = "../../tests/support/hls_reader.rs"]
pub mod hls_reader;
#[path = "../../tests/support/hls_text.rs"]
pub mod hls_text;
#[path = "../../tests/support/media.rs"]
pub mod media;
#[path = "../../tests/support/sync.rs"]
pub mod sync;
