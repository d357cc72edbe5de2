//! What the station keeps of what was on, held to what a viewer saw.

use std::path::Path;

use anyhow::Result;
use rusqlite::{Connection, OpenFlags};

use super::as_run::Airing;
use super::ledger::{Law, Ledger};

/// One row of the station's history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    pub serial: u64,
    /// When its first aired frame was on, in seconds since the epoch.
    pub start: f64,
    /// How long it was on, in seconds.
    pub aired: f64,
}

/// Reads the history from the station's database, in the order it was written.
pub fn read(database: &Path) -> Result<Vec<Row>> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut query =
        connection.prepare("SELECT serial, start_ns, aired FROM aired WHERE serial IS NOT NULL ORDER BY id")?;
    #[expect(clippy::cast_precision_loss, reason = "seconds to a microsecond")]
    let rows = query.query_map([], |row| {
        let (serial, start, aired): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Row { serial: serial.cast_unsigned(), start: start as f64 / 1e9, aired: aired as f64 / 90_000.0 })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Holds the history to what was seen from beginning to end; returns how many airings were compared.
pub fn compare(rows: &[Row], seen: &[Airing], ledger: &mut Ledger) -> usize {
    /// The playlist writes milliseconds.
    const TOLERANCE: f64 = 0.002;
    // The first was joined by the viewer in its middle.
    let Some(seen) = seen.get(1..).filter(|seen| !seen.is_empty()) else { return 0 };
    let Some(first) = rows.iter().position(|row| row.serial == seen[0].begun.serial) else {
        ledger.breach(Law::History, || "the history does not know the first programme that was seen".to_owned());
        return 0;
    };
    let mut compared = 0;
    for (n, airing) in seen.iter().enumerate() {
        let start = airing.date.duration_since(jiff::Timestamp::UNIX_EPOCH).as_secs_f64();
        let row = rows.get(first + n);
        let same = row.is_some_and(|row| {
            let near = (row.start - start).abs() < TOLERANCE && (row.aired - airing.secs).abs() < TOLERANCE;
            row.serial == airing.begun.serial && near
        });
        compared += usize::from(same);
        ledger.holds(Law::History, same, || {
            format!("{} at {start:.3} for {:.3} s is {row:?}", airing.begun.serial, airing.secs)
        });
    }
    compared
}
