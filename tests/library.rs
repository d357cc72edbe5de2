//! Goal: folders of real files become the right catalogue, whatever is in them and whatever happens to them.
//! Method: real ffmpeg makes tiny films, real notify and ffprobe look at them, each wait is for an event with a deadline.
#![expect(clippy::disallowed_methods, reason = "tests touch the disk and start ffmpeg")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "library/changes.rs"]
mod changes;
#[path = "library/folders.rs"]
mod folders;
#[path = "library/hostile.rs"]
mod hostile;
#[path = "library/kinds.rs"]
mod kinds;
#[path = "library/life.rs"]
mod life;
#[path = "library/station.rs"]
mod station;
mod support;
