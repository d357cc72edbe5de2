//! Opens the database, watches over its file, begins anew where there is no help.
#![expect(clippy::disallowed_methods, reason = "the file is its business")]

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use tokio::time::Instant;

use crate::store::{StoreError, schema};

/// What every database of `SQLite` begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How often opening is tried while another program holds the database locked; each try waits five seconds.
const OPEN_TRIES: u32 = 6;

/// A database and the file it is in.
#[derive(Debug)]
pub(in crate::store) struct Database {
    connection: Connection,
    /// Where it is; none for one in memory.
    place: Option<Place>,
    /// How often it was begun anew.
    begun_anew: u64,
}

#[derive(Debug)]
struct Place {
    path: PathBuf,
    /// The file that is open, once more, to look at it. It is never closed while the connection lives: closing any handle of
    /// a file lets go of every lock the process has on it (fcntl(2)), and then the next program that reads the database takes
    /// itself for the last and removes the log.
    file: Option<fs::File>,
    /// When it was opened, by the station's clock and by the machine's.
    opened: (Timestamp, Instant),
}

/// What became of the file beside us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Unchanged,
    /// Removed, or another file has its name.
    Gone,
    /// Emptied or overwritten.
    Damaged,
}

impl Database {
    pub(in crate::store) fn in_memory(connection: Connection) -> Self {
        Self { connection, place: None, begun_anew: 0 }
    }

    /// Opens the database, makes it where there is none, and moves a damaged one aside.
    pub(in crate::store) fn open(path: &Path, now: Timestamp) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
        }
        let connection = match open_patiently(path) {
            Err(error) if schema::is_damage(&error) => begin_anew(path, now, &error)?,
            outcome => outcome?,
        };
        let place = Place { path: path.to_owned(), file: fs::File::open(path).ok(), opened: (now, Instant::now()) };
        Ok(Self { connection, place: Some(place), begun_anew: 0 })
    }

    /// How often it was begun anew, empty.
    pub(in crate::store) fn begun_anew(&self) -> u64 {
        self.begun_anew
    }

    pub(in crate::store) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Looks whether the file is still the one that is open, and sees to it that there is one.
    pub(in crate::store) fn look_after(&mut self) {
        let Some(place) = &mut self.place else { return };
        // There may have been no handle left.
        if place.file.is_none() {
            place.file = fs::File::open(&place.path).ok();
        }
        let outcome = match place.fate() {
            Fate::Unchanged => return,
            Fate::Gone => self.write_again(),
            Fate::Damaged => self.replace(&StoreError::Damaged { said: "its first page was overwritten".to_owned() }),
        };
        if let Err(error) = outcome {
            tracing::debug!(%error, "the database cannot be replaced now; it is tried again");
        }
    }

    /// Looks whether a failure was the file's fault; begins anew where it was.
    pub(in crate::store) fn examine(&mut self) {
        if let Err(error) = schema::check(&self.connection)
            && schema::is_damage(&error)
            && let Err(error) = self.replace(&error)
        {
            tracing::debug!(%error, "the database cannot be begun anew now; it is tried again");
        }
    }

    /// What is open is whole although nobody finds it any more: it is written to a new file.
    fn write_again(&mut self) -> Result<(), StoreError> {
        let Some(place) = &self.place else { return Ok(()) };
        let (path, now) = (place.path.clone(), place.now());
        let half = with(&path, ".half");
        let _gone = fs::remove_file(&half);
        let written = self.connection.execute("VACUUM INTO ?1", [half.to_string_lossy()]);
        if let Err(error) = written {
            return self.replace(&error.into());
        }
        let failed = |source| StoreError::Open { path: path.clone(), source };
        let aside = move_aside(&path, now).map_err(failed)?;
        fs::rename(&half, &path).map_err(failed)?;
        self.take(open(&path)?);
        tracing::warn!(
            path = %path.display(), aside = aside.map(|aside| tracing::field::display(aside.display().to_string())),
            "the database was removed while it was in use; it was written again, nothing is missing"
        );
        Ok(())
    }

    fn replace(&mut self, why: &StoreError) -> Result<(), StoreError> {
        let Some(place) = &self.place else { return Ok(()) };
        let connection = begin_anew(&place.path, place.now(), why)?;
        self.take(connection);
        self.begun_anew += 1;
        Ok(())
    }

    fn take(&mut self, connection: Connection) {
        self.connection = connection;
        if let Some(place) = &mut self.place {
            place.file = fs::File::open(&place.path).ok();
        }
    }
}

impl Place {
    fn now(&self) -> Timestamp {
        let (then, since) = self.opened;
        then + SignedDuration::try_from(since.elapsed()).unwrap_or(SignedDuration::ZERO)
    }

    fn fate(&self) -> Fate {
        let Some(file) = &self.file else { return Fate::Unchanged };
        let mut magic = [0; MAGIC.len()];
        let read = fs::metadata(&self.path).and_then(|named| {
            let same = identity(&named) == identity(&file.metadata()?);
            if same {
                file.read_exact_at(&mut magic, 0)?;
            }
            Ok(same)
        });
        match read {
            Ok(true) if magic == *MAGIC => Fate::Unchanged,
            Ok(true) => Fate::Damaged,
            Ok(false) => Fate::Gone,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Fate::Damaged,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Fate::Gone,
            // A folder that is away: no verdict.
            Err(_) => Fate::Unchanged,
        }
    }
}

/// Returns device and number of a file.
fn identity(about: &fs::Metadata) -> (u64, u64) {
    (about.dev(), about.ino())
}

/// Opens it; waits for a program that holds it locked.
fn open_patiently(path: &Path) -> Result<Connection, StoreError> {
    for tried in 1..=OPEN_TRIES {
        match open(path) {
            Err(StoreError::Sql(error)) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                tracing::warn!(path = %path.display(), tried, "another program holds the database locked; waiting for it");
            }
            outcome => return outcome,
        }
    }
    Err(StoreError::Locked)
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path)?;
    schema::prepare(&mut connection)?;
    Ok(connection)
}

fn begin_anew(path: &Path, now: Timestamp, why: &StoreError) -> Result<Connection, StoreError> {
    let aside = move_aside(path, now).map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
    let connection = open(path)?;
    tracing::warn!(
        error = %why, aside = aside.map(|aside| tracing::field::display(aside.display().to_string())),
        "the database was damaged and is begun anew; videos are looked into again, the plan is made again"
    );
    Ok(connection)
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Renames what lies in the database's place, with its log: a log left behind would be applied to the new database.
/// Returns the new name, or none where nothing lay there.
fn move_aside(path: &Path, now: Timestamp) -> io::Result<Option<PathBuf>> {
    let mut aside = format!(".corrupt-{}", now.as_second());
    for more in 1.. {
        if !with(path, &aside).exists() {
            break;
        }
        aside = format!(".corrupt-{}-{more}", now.as_second());
    }
    let mut moved = None;
    for log in ["", "-wal", "-shm"] {
        let to = with(path, &format!("{aside}{log}"));
        match fs::rename(with(path, log), &to) {
            Ok(()) if log.is_empty() => moved = Some(to),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(moved)
}
