//! What survives a restart, in `SQLite`: known files, the plan, what aired, where the sequence numbers stand.
//!
//! Receives and gives plain records through [`Store`], a handle that is cheap to clone. Promises that a record is either
//! stored whole or not at all, and that a damaged database never keeps the station from starting: it is moved aside and
//! a new one begun. One thread owns the connection, so nothing ever waits for a lock.

mod file;
mod queries;
mod records;
mod schema;
mod task;

use std::path::PathBuf;

pub use queries::{HISTORY_DAYS, HISTORY_ROWS_MAX};
pub use records::{Aired, Continuity, Judgements, KnownFile, StoredFailure, StoredPlan, StoredVerdict};
pub use task::Store;

/// Why something could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file or its folder could not be made or opened.
    #[error("failed to open {} (hint: the data folder must be writable and on a local disk)", path.display())]
    Open {
        /// The database.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The database was written by a later version of this program.
    #[error("the database is of version {found}, this program knows versions up to {known} (hint: was it downgraded?)")]
    Newer {
        /// Version in the file.
        found: u32,
        /// Newest version known here.
        known: u32,
    },
    /// Another program does not let go of it.
    #[error("another program holds the database locked (hint: close it and start again)")]
    Locked,
    /// `SQLite` refused.
    #[error("failed to use the database")]
    Sql(#[from] rusqlite::Error),
    /// The file is not a database, or its pages contradict each other.
    #[error("the database is damaged: {said}")]
    Damaged {
        /// What `SQLite`'s check said.
        said: String,
    },
    /// A record could not be written as, or read from, JSON.
    #[error("failed to convert a stored record")]
    Json(#[from] serde_json::Error),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}
