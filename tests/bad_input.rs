//! Goal: whatever lies in a folder and whatever happens to it, the channel stays on air, and what cannot air is
//! quarantined with a reason a person understands. Method: the real program on real files, watched by a strict viewer.
#![expect(clippy::disallowed_methods, reason = "tests start programs and touch the disk")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

#[path = "bad_input/changes.rs"]
mod changes;
#[path = "bad_input/files.rs"]
mod files;
#[path = "bad_input/folders.rs"]
mod folders;
#[path = "bad_input/ground.rs"]
mod ground;
