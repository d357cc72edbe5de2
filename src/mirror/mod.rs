//! Copies of what viewers fetch, kept in a store that speaks S3 (or a folder), so that viewers need not come here.
//!
//! Receives a channel's snapshots, as `http` does; puts each new segment, then the playlists that name it, and deletes what
//! has expired. What to put and delete is decided by [`ledger`], pure. Promises that a playlist at the store never names what
//! is not there, and that the store, whatever it does, disturbs neither the air nor the station's own viewers: each channel
//! has a task of its own that holds one window at most.

pub mod counters;
pub mod credentials;
pub mod ledger;
pub mod names;
pub mod task;
pub mod trouble;
pub mod wire;

pub use counters::{Counters, Numbers};
pub use credentials::Credentials;
pub use ledger::Ledger;
pub use names::Name;
