//! The tables, and how an older database becomes today's.

use std::time::Duration;

use rusqlite::Connection;

use super::StoreError;

/// One script a version; a database of version n has run the first n. Scripts are never changed, only added.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE file (
        path     BLOB PRIMARY KEY,   -- absolute, bytes as the system has them
        size     INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        key      TEXT NOT NULL,
        media    TEXT,               -- JSON; with metadata when accepted
        metadata TEXT,               -- JSON
        reason   TEXT,               -- when refused
        rules    INTEGER NOT NULL    -- of the program that judged it
    ) WITHOUT ROWID;
    CREATE TABLE failure (
        key     TEXT NOT NULL,
        profile TEXT NOT NULL,
        reason  TEXT NOT NULL,
        PRIMARY KEY (key, profile)
    ) WITHOUT ROWID;
    CREATE TABLE plan (
        channel     TEXT PRIMARY KEY,
        next_serial INTEGER NOT NULL,
        picker      TEXT NOT NULL    -- JSON
    ) WITHOUT ROWID;
    CREATE TABLE programme (
        channel  TEXT NOT NULL,
        serial   INTEGER NOT NULL,
        key      TEXT NOT NULL,
        name     TEXT NOT NULL,
        metadata TEXT NOT NULL,      -- JSON
        start_ns INTEGER NOT NULL,
        duration INTEGER NOT NULL,   -- 1/90,000 s
        PRIMARY KEY (channel, serial)
    ) WITHOUT ROWID;
    CREATE TABLE aired (
        id       INTEGER PRIMARY KEY,
        channel  TEXT NOT NULL,
        serial   INTEGER,
        key      TEXT,
        metadata TEXT NOT NULL,      -- JSON
        start_ns INTEGER NOT NULL,
        duration INTEGER NOT NULL,   -- 1/90,000 s, as are the two below
        joined   INTEGER NOT NULL,
        aired    INTEGER NOT NULL
    );
    CREATE INDEX aired_by_time ON aired (channel, start_ns);
    CREATE TABLE continuity (
        channel       TEXT PRIMARY KEY,
        msn           INTEGER NOT NULL,
        discontinuity INTEGER NOT NULL,
        edge_ns       INTEGER NOT NULL
    ) WITHOUT ROWID;
",
    "
    CREATE TABLE off (
        channel  TEXT PRIMARY KEY,   -- taken off the air by the operator
        since_ns INTEGER NOT NULL
    ) WITHOUT ROWID;
    ALTER TABLE file ADD COLUMN judged INTEGER;    -- seconds since the epoch
    ALTER TABLE failure ADD COLUMN judged INTEGER; -- seconds since the epoch
",
    "
    ALTER TABLE programme ADD COLUMN kind TEXT NOT NULL DEFAULT 'item';
    ALTER TABLE programme ADD COLUMN part TEXT NOT NULL DEFAULT ''; -- of the timetable
    ALTER TABLE programme ADD COLUMN due_ns INTEGER;                -- what it is bound to, if it is
",
    "
    ALTER TABLE aired ADD COLUMN kind TEXT NOT NULL DEFAULT 'item';
",
];

/// The tables there are after the last script.
const TABLES: [&str; 7] = ["file", "failure", "plan", "programme", "aired", "continuity", "off"];

/// How long to wait for another program that reads the database, such as the command line beside the server.
const BUSY: Duration = Duration::from_secs(5);

/// Sets the connection up, checks the file and brings it to today's version.
///
/// WAL with `synchronous=NORMAL` may lose the last transactions at a power cut and never damages the file; what may be
/// lost (a probe, the last seconds of continuity) is made again.
///
/// # Errors
/// [`StoreError::Damaged`] or an error of `SQLite` for which [`is_damage`] holds, when the file must be given up;
/// [`StoreError::Newer`] when it must not be touched.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    quick_check(connection)?;
    migrate(connection)?;
    check(connection)
}

/// Checks that the file is sound and holds our tables.
///
/// # Errors
/// As [`prepare`].
pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    quick_check(connection)?;
    match user_tables(connection)? {
        tables if TABLES.iter().all(|table| tables.iter().any(|found| found == table)) => Ok(()),
        tables => Err(foreign(&tables)),
    }
}

fn quick_check(connection: &Connection) -> Result<(), StoreError> {
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if said == "ok" { Ok(()) } else { Err(StoreError::Damaged { said }) }
}

fn user_tables(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut query = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
    let tables = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(tables)
}

fn foreign(tables: &[String]) -> StoreError {
    StoreError::Damaged { said: format!("it is not a station's: its tables are [{}]", tables.join(", ")) }
}

/// Whether an error means that the file itself is damaged.
pub(super) fn is_damage(error: &StoreError) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match error {
        StoreError::Damaged { .. } => true,
        StoreError::Sql(error) => matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)),
        _ => false,
    }
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let known = u32::try_from(MIGRATIONS.len()).expect("there are few versions");
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    let tables = user_tables(connection)?;
    if found == 0 && !tables.is_empty() {
        return Err(foreign(&tables));
    }
    for (version, script) in (1..).zip(MIGRATIONS).skip(found as usize) {
        let change = connection.transaction()?;
        change.execute_batch(script)?;
        change.pragma_update(None, "user_version", version)?;
        change.commit()?;
    }
    Ok(())
}
