//! What the integration tests share. Knows nothing of how the station works, so that it can judge it.
#![expect(dead_code, unreachable_pub, reason = "each test file compiles all of this and uses a part")]

pub mod aired;
pub mod bad_files;
pub mod clips;
pub mod faults;
pub mod ffmpegs;
pub mod films;
pub mod hls_reader;
pub mod hls_text;
pub mod media;
pub mod players;
pub mod scraped;
pub mod shim;
pub mod station;
pub mod sync;
pub mod viewer;
