//! The database as a file that people and disks do things to.
//!
//! Promises that a station always has a database to write to, that whatever lies where it should be and is none of ours is
//! moved aside and never deleted, and that what is still open is not lost when its file is.

pub(super) mod task;
