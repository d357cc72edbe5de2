//! Goal: whatever peers do, channels stay in step, memory stays bounded, each is refused in the right way, and nothing of
//! them remains. Method: a real station on air, a strict viewer throughout, raw bytes from loopback.
#![expect(clippy::disallowed_methods, reason = "tests start programs, touch the disk and read the clock")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(unreachable_pub, reason = "the parts of this test share their helpers")]

mod support;

#[path = "hostile_peers/crowds.rs"]
mod crowds;
#[path = "hostile_peers/ground.rs"]
mod ground;
#[path = "hostile_peers/private.rs"]
mod private;
#[path = "hostile_peers/requests.rs"]
mod requests;
#[path = "hostile_peers/slow.rs"]
mod slow;
#[path = "hostile_peers/wire.rs"]
mod wire;
