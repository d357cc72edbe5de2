//! Prepared items in, films that viewers watch when they like out.
//!
//! Receives a channel's catalogue and the workshop's mezzanines; gives the list of what can be watched, and for each item
//! playlists of the kind VOD with segments cut from its mezzanine. Promises that an address always has the same bytes, that
//! what is damaged is never sent, and that memory, open files and lists have named limits. Does not prepare anything: what
//! is not ready cannot be watched, and a channel's air never waits for those who watch on demand.

pub mod held;
pub mod listing;
pub mod parts;
pub mod playlists;
pub mod task;

pub use listing::{Asked, Entry, Listing, Sort};
pub use parts::Part;
pub use task::{Reader, Shelf, Trouble};
