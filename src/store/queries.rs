//! One function a question: SQL in, records out. The connection is an argument.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;

use super::StoreError;
use super::records::{Aired, Continuity, Judgements, KnownFile, StoredFailure, StoredPlan, StoredVerdict};
use crate::ffmpeg::probe::RULES_VERSION;
use crate::library::FileStamp;
use crate::prepare::MezzanineId;
use crate::schedule::{Kind, Programme, Role};
use crate::units::{ChannelId, ContentKey, MediaTime};

/// How many days of airings are kept: a quarter, for reports; shuffle and spacing need far less.
pub const HISTORY_DAYS: i64 = 92;

/// How many airings a channel keeps whatever their age: a channel of half-minute clips makes 2,880 a day.
pub const HISTORY_ROWS_MAX: u64 = 100_000;

/// How many airings pass between two prunings by number, which read that many index entries.
const PRUNE_EVERY: i64 = 64;

type Answer<T> = Result<T, StoreError>;

/// Returns the known files at or below a folder, by path, as far as they were judged by today's rules.
pub(super) fn known_files(connection: &Connection, root: &Path) -> Answer<Vec<KnownFile>> {
    // '0' is the byte after '/': everything below the folder lies between the two.
    let root = root.as_os_str().as_bytes();
    let root = root.strip_suffix(b"/").unwrap_or(root);
    let (low, high) = ([root, b"/"].concat(), [root, b"0"].concat());
    let mut query = connection.prepare_cached(
        "SELECT path, size, mtime_ns, key, media, metadata, reason FROM file WHERE rules = ?4 AND (path = ?1 OR (path > ?2 AND path < ?3))",
    )?;
    let rows = query.query_map(params![root, low, high, RULES_VERSION], known_file)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn known_file(row: &Row<'_>) -> rusqlite::Result<KnownFile> {
    let reason: Option<String> = row.get(6)?;
    let verdict = match reason {
        Some(reason) => StoredVerdict::Quarantined { reason },
        None => StoredVerdict::Accepted { media: json(row, 4)?, metadata: json(row, 5)? },
    };
    let path: Vec<u8> = row.get(0)?;
    let stamp = FileStamp { size: row.get::<_, i64>(1)?.cast_unsigned(), mtime_ns: row.get(2)? };
    Ok(KnownFile { path: PathBuf::from(std::ffi::OsString::from_vec(path)), stamp, key: key(row, 3)?, verdict })
}

/// Adds files or replaces what was known of them, all or none.
pub(super) fn put_files(connection: &mut Connection, files: &[KnownFile]) -> Answer<()> {
    let change = connection.transaction()?;
    {
        let mut put =
            change.prepare_cached("REPLACE INTO file VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, unixepoch())")?;
        for file in files {
            let (media, metadata, reason) = match &file.verdict {
                StoredVerdict::Accepted { media, metadata } => {
                    (Some(serde_json::to_string(media)?), Some(serde_json::to_string(metadata)?), None)
                }
                StoredVerdict::Quarantined { reason } => (None, None, Some(reason)),
            };
            let (size, mtime_ns) = (file.stamp.size.cast_signed(), file.stamp.mtime_ns);
            put.execute(params![
                bytes(&file.path),
                size,
                mtime_ns,
                &*file.key.0,
                media,
                metadata,
                reason,
                RULES_VERSION
            ])?;
        }
    }
    Ok(change.commit()?)
}

/// Forgets files, all or none.
pub(super) fn forget_files(connection: &mut Connection, paths: &[PathBuf]) -> Answer<()> {
    let change = connection.transaction()?;
    for path in paths {
        change.prepare_cached("DELETE FROM file WHERE path = ?1")?.execute([bytes(path)])?;
    }
    Ok(change.commit()?)
}

/// Notes that an item cannot be prepared to a profile.
pub(super) fn put_failure(connection: &Connection, id: &MezzanineId, reason: &str) -> Answer<()> {
    let put = "REPLACE INTO failure VALUES (?1, ?2, ?3, unixepoch())";
    connection.execute(put, params![&*id.key.0, &*id.profile, reason])?;
    Ok(())
}

/// Returns every failure to prepare.
pub(super) fn failures(connection: &Connection) -> Answer<Vec<StoredFailure>> {
    let mut query = connection.prepare_cached("SELECT key, profile, reason FROM failure")?;
    let rows = query.query_map([], |row| {
        let id = MezzanineId { key: key(row, 0)?, profile: row.get::<_, String>(1)?.into() };
        Ok(StoredFailure { id, reason: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Forgets a failure, so that it is tried again.
pub(super) fn forget_failure(connection: &Connection, id: &MezzanineId) -> Answer<()> {
    connection.execute("DELETE FROM failure WHERE key = ?1 AND profile = ?2", params![&*id.key.0, &*id.profile])?;
    Ok(())
}

/// Replaces a channel's plan, all or none.
///
/// Only rows that differ are written: a plan is saved at each programme, and of its thousands all but a few are as they
/// were. Writing them all would wear a disk with gigabytes a day.
pub(super) fn save_plan(connection: &mut Connection, channel: &ChannelId, plan: &StoredPlan) -> Answer<()> {
    let change = connection.transaction()?;
    let (channel, picker) = (channel.as_str(), serde_json::to_string(&plan.picker)?);
    change
        .execute("REPLACE INTO plan VALUES (?1, ?2, ?3)", params![channel, plan.next_serial.cast_signed(), picker])?;
    let planned: HashSet<i64> = plan.programmes.iter().map(|programme| programme.serial.cast_signed()).collect();
    {
        let mut query = change.prepare_cached("SELECT serial FROM programme WHERE channel = ?1")?;
        let stored = query.query_map([channel], |row| row.get::<_, i64>(0))?.collect::<Result<Vec<_>, _>>()?;
        let mut forget = change.prepare_cached("DELETE FROM programme WHERE channel = ?1 AND serial = ?2")?;
        for serial in stored.iter().filter(|serial| !planned.contains(serial)) {
            forget.execute(params![channel, serial])?;
        }
        let mut put = change.prepare_cached(
            "INSERT INTO programme VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO UPDATE SET
             (key, name, metadata, start_ns, duration, kind, part, due_ns) = (?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             WHERE (key, name, metadata, start_ns, duration, kind, part, due_ns)
             IS NOT (?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        for programme in &plan.programmes {
            let metadata = serde_json::to_string(&programme.metadata)?;
            let (serial, start_ns) = (programme.serial.cast_signed(), nanos(programme.start));
            let (key, name, duration) = (&*programme.key.0, &*programme.name, programme.duration.0);
            let Role { kind, part, due } = &programme.role;
            let (kind, part, due_ns) = (kind.as_str(), &**part, due.map(nanos));
            put.execute(params![channel, serial, key, name, metadata, start_ns, duration, kind, part, due_ns])?;
        }
    }
    Ok(change.commit()?)
}

/// Returns a channel's plan, if it ever had one.
pub(super) fn load_plan(connection: &Connection, channel: &ChannelId) -> Answer<Option<StoredPlan>> {
    let head = connection
        .query_row("SELECT next_serial, picker FROM plan WHERE channel = ?1", [channel.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?.cast_unsigned(), json(row, 1)?))
        })
        .optional()?;
    let Some((next_serial, picker)) = head else { return Ok(None) };
    let mut query = connection.prepare_cached(
        "SELECT serial, key, name, metadata, start_ns, duration, kind, part, due_ns FROM programme WHERE channel = ?1
         ORDER BY start_ns, serial",
    )?;
    let rows = query.query_map([channel.as_str()], |row| {
        Ok(Programme {
            serial: row.get::<_, i64>(0)?.cast_unsigned(),
            key: key(row, 1)?,
            name: row.get::<_, String>(2)?.into(),
            metadata: Arc::new(json(row, 3)?),
            start: timestamp(row, 4)?,
            duration: MediaTime(row.get(5)?),
            role: Role {
                kind: Kind::from_word(row.get_ref(6)?.as_str()?),
                part: row.get::<_, String>(7)?.into(),
                due: row.get::<_, Option<i64>>(8)?.map(|_| timestamp(row, 8)).transpose()?,
            },
        })
    })?;
    Ok(Some(StoredPlan { programmes: rows.collect::<Result<_, _>>()?, next_serial, picker }))
}

/// Adds an airing and forgets those that are too old or too many.
pub(super) fn add_aired(connection: &Connection, channel: &ChannelId, aired: &Aired) -> Answer<()> {
    let (channel, start_ns) = (channel.as_str(), nanos(aired.start));
    let (serial, key) = (aired.serial.map(u64::cast_signed), aired.key.as_ref().map(|key| &*key.0));
    let metadata = serde_json::to_string(&aired.metadata)?;
    connection.prepare_cached("INSERT INTO aired VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?.execute(
        params![
            channel,
            serial,
            key,
            metadata,
            start_ns,
            aired.duration.0,
            aired.from.0,
            aired.aired.0,
            aired.kind.as_str()
        ],
    )?;
    let row = connection.last_insert_rowid();
    let oldest = start_ns.saturating_sub(HISTORY_DAYS * 86_400 * 1_000_000_000);
    connection
        .prepare_cached("DELETE FROM aired WHERE channel = ?1 AND start_ns < ?2")?
        .execute(params![channel, oldest])?;
    if row % PRUNE_EVERY == 0 {
        keep_newest(connection, channel, HISTORY_ROWS_MAX)?;
    }
    Ok(())
}

/// Forgets all but a channel's newest airings.
pub(super) fn keep_newest(connection: &Connection, channel: &str, rows_max: u64) -> Answer<()> {
    connection
        .prepare_cached(
            "DELETE FROM aired WHERE channel = ?1 AND start_ns <=
             (SELECT start_ns FROM aired WHERE channel = ?1 ORDER BY start_ns DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![channel, rows_max.cast_signed()])?;
    Ok(())
}

/// Returns the airings that began at or after a moment, the newest `limit` of them, oldest first.
pub(super) fn aired_since(
    connection: &Connection,
    channel: &ChannelId,
    since: Timestamp,
    limit: usize,
) -> Answer<Vec<Aired>> {
    let mut query = connection.prepare_cached(
        "SELECT serial, key, metadata, start_ns, duration, joined, aired, kind FROM aired
         WHERE channel = ?1 AND start_ns >= ?2 ORDER BY start_ns DESC, id DESC LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = query.query_map(params![channel.as_str(), nanos(since), limit], |row| {
        Ok(Aired {
            serial: row.get::<_, Option<i64>>(0)?.map(i64::cast_unsigned),
            key: row.get::<_, Option<String>>(1)?.map(|text| ContentKey(text.into())),
            metadata: Arc::new(json(row, 2)?),
            start: timestamp(row, 3)?,
            duration: MediaTime(row.get(4)?),
            from: MediaTime(row.get(5)?),
            aired: MediaTime(row.get(6)?),
            kind: Kind::from_word(row.get_ref(7)?.as_str()?),
        })
    })?;
    let mut aired = rows.collect::<Result<Vec<_>, _>>()?;
    aired.reverse();
    Ok(aired)
}

/// Replaces where a channel's playlist stands.
pub(super) fn save_continuity(connection: &Connection, channel: &ChannelId, at: &Continuity) -> Answer<()> {
    let (msn, discontinuity) = (at.msn.cast_signed(), at.discontinuity_sequence.cast_signed());
    connection.prepare_cached("REPLACE INTO continuity VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        channel.as_str(),
        msn,
        discontinuity,
        nanos(at.edge)
    ])?;
    Ok(())
}

/// Returns where a channel's playlist stood, if it ever had one.
pub(super) fn load_continuity(connection: &Connection, channel: &ChannelId) -> Answer<Option<Continuity>> {
    let mut query =
        connection.prepare_cached("SELECT msn, discontinuity, edge_ns FROM continuity WHERE channel = ?1")?;
    let found = query.query_row([channel.as_str()], |row| {
        Ok(Continuity {
            msn: row.get::<_, i64>(0)?.cast_unsigned(),
            discontinuity_sequence: row.get::<_, i64>(1)?.cast_unsigned(),
            edge: timestamp(row, 2)?,
        })
    });
    Ok(found.optional()?)
}

/// Returns since when each refused file is refused, and each item that cannot be prepared, as far as that was noted.
pub(super) fn judgements(connection: &Connection) -> Answer<Judgements> {
    let moment = |row: &Row<'_>, column| {
        let seconds = row.get(column)?;
        Timestamp::from_second(seconds)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, Box::new(error)))
    };
    let mut files =
        connection.prepare_cached("SELECT path, judged FROM file WHERE reason IS NOT NULL AND judged IS NOT NULL")?;
    let files = files.query_map([], |row| {
        let path: Vec<u8> = row.get(0)?;
        Ok((PathBuf::from(std::ffi::OsString::from_vec(path)), moment(row, 1)?))
    })?;
    let mut items = connection.prepare_cached("SELECT key, profile, judged FROM failure WHERE judged IS NOT NULL")?;
    let items = items.query_map([], |row| {
        Ok((MezzanineId { key: key(row, 0)?, profile: row.get::<_, String>(1)?.into() }, moment(row, 2)?))
    })?;
    Ok(Judgements { files: files.collect::<Result<_, _>>()?, items: items.collect::<Result<_, _>>()? })
}

/// Notes that a channel is off the air since a moment, or that it is not.
pub(super) fn set_off(connection: &Connection, channel: &ChannelId, since: Option<Timestamp>) -> Answer<()> {
    match since {
        Some(since) => {
            connection.execute("REPLACE INTO off VALUES (?1, ?2)", params![channel.as_str(), nanos(since)])?
        }
        None => connection.execute("DELETE FROM off WHERE channel = ?1", [channel.as_str()])?,
    };
    Ok(())
}

/// Returns the channels that are off the air, and since when.
pub(super) fn off(connection: &Connection) -> Answer<Vec<(ChannelId, Timestamp)>> {
    let mut query = connection.prepare_cached("SELECT channel, since_ns FROM off")?;
    let rows = query.query_map([], |row| Ok((ChannelId::new(&row.get::<_, String>(0)?), timestamp(row, 1)?)))?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    Ok(rows.into_iter().filter_map(|(channel, since)| Some((channel?, since))).collect())
}

fn bytes(path: &Path) -> &[u8] {
    let path: &OsStr = path.as_os_str();
    path.as_bytes()
}

fn key(row: &Row<'_>, column: usize) -> rusqlite::Result<ContentKey> {
    Ok(ContentKey(row.get::<_, String>(column)?.into()))
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

/// Nanoseconds since the epoch; times beyond the year 2262 are brought back to it.
fn nanos(moment: Timestamp) -> i64 {
    i64::try_from(moment.as_nanosecond()).unwrap_or(i64::MAX)
}

fn timestamp(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let nanos: i64 = row.get(column)?;
    Timestamp::from_nanosecond(nanos.into())
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, Box::new(error)))
}
