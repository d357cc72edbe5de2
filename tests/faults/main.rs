//! What happens to viewers when the clock, the folder, the workshop or the disk fails: each fault on a station of its own.
//!
//! Most of a fault is waiting, so all of them are one program, whose tests go on beside one another.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::disallowed_methods, reason = "tests start programs, break files and read the clock")]

#[path = "../support/items.rs"]
mod items;
#[path = "../support/mod.rs"]
mod support;

mod clock;
mod damage;
mod folder;
mod prepare;
mod storage;
