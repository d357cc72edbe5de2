//! Keeps a channel's past on the disk: follows what it publishes, and does what the ledger says.
//!
//! It stands beside the channel and never in its way: what the disk does to it is felt by those who go back, and by nobody
//! else.
#![expect(clippy::disallowed_methods, reason = "the files are its business")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::index;
use super::ledger::{Ledger, Limits};
use super::{Kept, Names, Told, path};
use crate::clock::Clock;
use crate::hls::Snapshot;
use crate::units::{ChannelId, Msn};

/// So much of the disk is left to everything else, in bytes: where less is free the past gets shorter.
const FREE_MIN: u64 = 256 << 20;

/// How much is given up at once where the disk has no more, in bytes.
const SQUEEZE_MIN: u64 = 8 << 20;

/// How often that is done for one segment at the most.
const SQUEEZES_MAX: usize = 32;

/// How long nothing is written after something could not be: what was published meanwhile is still there then.
const REST: Duration = Duration::from_secs(10);

/// The longest list that is read, in bytes: twelve hours of a second each take a tenth.
const INDEX_BYTES_MAX: u64 = 64 << 20;

/// The name of the list.
const INDEX: &str = "index";

/// What is needed to keep a channel's past.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The channel.
    pub id: ChannelId,
    /// Where it is kept: a folder for this alone.
    pub folder: PathBuf,
    /// How much is kept.
    pub limits: Limits,
    /// What the channel publishes.
    pub snapshot: watch::Receiver<Arc<Snapshot>>,
    /// Where it is told.
    pub told: Arc<Told>,
    /// The station's time.
    pub clock: Clock,
    /// Ends it; what is kept stays for the next life.
    pub token: CancellationToken,
}

/// Keeps a channel's past until the token ends.
pub async fn run(mut parts: Parts) {
    parts.snapshot.mark_changed();
    let (folder, limits, now) = (parts.folder.clone(), parts.limits, parts.clock.now());
    let found = blocking(move || Ok(load(&folder))).await.unwrap_or_default();
    let (ledger, gone) = Ledger::restored(limits, found, now);
    let mut keeper = Keeper { ledger, lines: 0, written: None, stale: true, trouble: false, parts };
    keeper.begin(gone).await;
    loop {
        tokio::select! {
            biased;
            () = keeper.parts.token.cancelled() => break,
            changed = keeper.parts.snapshot.changed() => {
                if changed.is_err() {
                    break;
                }
            }
        }
        let target = Arc::clone(&keeper.parts.snapshot.borrow_and_update());
        if let Err(error) = keeper.follow(&target).await {
            keeper.failed(&error);
            let token = keeper.parts.token.clone();
            let _ended = token.run_until_cancelled(tokio::time::sleep(REST)).await;
            keeper.parts.snapshot.mark_changed();
        }
    }
    keeper.end().await;
}

/// Removes a channel's past for good.
///
/// # Errors
/// When something of it stays.
pub async fn remove(folder: PathBuf) -> io::Result<()> {
    blocking(move || match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    })
    .await
}

/// Returns the folders of channels whose past was kept once.
pub async fn folders(above: PathBuf) -> Vec<PathBuf> {
    let found = blocking(move || Ok(fs::read_dir(above)?.filter_map(Result::ok).map(|entry| entry.path()).collect()));
    found.await.unwrap_or_default()
}

struct Keeper {
    parts: Parts,
    ledger: Ledger,
    /// How many lines the list has.
    lines: usize,
    /// What the segment of its last line consists of.
    written: Option<Arc<Names>>,
    /// Whether the list must be written anew before it is gone on with.
    stale: bool,
    /// Whether it was told that nothing can be kept.
    trouble: bool,
}

impl Keeper {
    async fn begin(&mut self, gone: Vec<Msn>) {
        // Files that stay are swept when the next life begins.
        let _swept_later = self.remove(gone).await;
        if let Err(error) = self.write_list().await {
            self.failed(&error);
        }
        self.tell();
        let seconds = self.parts.told.window().length().as_secs_f64();
        if seconds > 0.0 {
            tracing::info!(seconds, "viewers may go back into what was on before");
        }
    }

    /// Keeps what is new.
    async fn follow(&mut self, target: &Snapshot) -> io::Result<()> {
        let mut outcome = Ok(());
        if self.ledger.contradicts(target) {
            tracing::warn!("the channel counts from lower numbers than before: what was kept of its past is let go");
            let gone = self.ledger.forget();
            self.stale = true;
            self.remove(gone).await?;
        }
        let names = Arc::new(Names::of(target));
        let missing = self.ledger.missing(target);
        if missing.is_empty() {
            return Ok(());
        }
        for msn in missing {
            if self.parts.token.is_cancelled() {
                break;
            }
            outcome = self.keep(target, msn, &names).await;
            if outcome.is_err() {
                break;
            }
        }
        let listed = if outcome.is_ok() { self.list_what_is_there().await } else { Ok(()) };
        self.tell();
        outcome.and(listed)?;
        if std::mem::take(&mut self.trouble) {
            tracing::info!("the channel's past is kept again");
        }
        Ok(())
    }

    async fn keep(&mut self, target: &Snapshot, msn: Msn, names: &Arc<Names>) -> io::Result<()> {
        let Some(body) = target.segments.get(&msn) else { return Ok(()) };
        let mut pieces = Vec::with_capacity(body.renditions.len());
        for content in &body.renditions {
            match content.bytes().await {
                Ok(bytes) => pieces.push(bytes),
                // It was let go meanwhile: this was late. What comes after it goes on with a discontinuity.
                Err(error) => {
                    tracing::debug!(%error, %msn, "a segment was gone before it was kept");
                    self.parts.told.failed();
                    return Ok(());
                }
            }
        }
        let lens: Option<Box<[u32]>> = pieces.iter().map(|bytes| u32::try_from(bytes.len()).ok()).collect();
        // A language that came a moment ago is in the segments before it is among the names, or the other way round.
        let Some(lens) = lens.filter(|lens| lens.len() == names.pictures.len().max(1) + names.subtitles.len()) else {
            return Ok(());
        };
        let len: u64 = lens.iter().map(|len| u64::from(*len)).sum();
        if len > self.parts.limits.space {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        let gone = self.ledger.room(len, self.parts.clock.now());
        let mut outcome = self.write(gone, msn, pieces.clone(), len).await;
        for _ in 0..SQUEEZES_MAX {
            let Err(error) = &outcome else { break };
            let gone = if is_full(error) { self.ledger.squeeze(len.max(SQUEEZE_MIN)) } else { Vec::new() };
            if gone.is_empty() {
                break;
            }
            if !std::mem::replace(&mut self.trouble, true) {
                tracing::warn!("the disk is full: viewers can go back less far, the oldest is given up");
            }
            outcome = self.write(gone, msn, pieces.clone(), len).await;
        }
        outcome?;
        let kept = self.ledger.keep(msn, body, names, lens, self.parts.clock.now());
        self.append(&kept).await
    }

    async fn write(&self, gone: Vec<Msn>, msn: Msn, pieces: Vec<Bytes>, len: u64) -> io::Result<()> {
        let folder = self.parts.folder.clone();
        blocking(move || {
            remove_all(&folder, &gone);
            let file = path(&folder, msn);
            let written = write(&folder, &file, &pieces, len);
            if written.is_err() {
                // It may not have been made at all.
                let _unmade = fs::remove_file(&file);
            }
            written
        })
        .await
    }

    async fn remove(&self, gone: Vec<Msn>) -> io::Result<()> {
        let folder = self.parts.folder.clone();
        blocking(move || {
            remove_all(&folder, &gone);
            Ok(())
        })
        .await
    }

    /// Adds a segment to the list. Where that fails the list is written anew with the next: until then a new life would not
    /// know of the newest.
    async fn append(&mut self, kept: &Kept) -> io::Result<()> {
        if self.stale {
            return Ok(());
        }
        let first = self.ledger.first().unwrap_or(kept.number);
        let line = index::line(kept, self.written.as_deref(), first);
        self.lines += 1;
        self.written = Some(Arc::clone(&kept.names));
        let folder = self.parts.folder.clone();
        let outcome = blocking(move || append(&folder, &line)).await;
        self.stale |= outcome.is_err();
        outcome
    }

    /// Writes the list anew where it must be, or has become much longer than what is kept.
    async fn list_what_is_there(&mut self) -> io::Result<()> {
        let long = self.lines > 2 * self.ledger.listed().len() + index::SURPLUS_MAX;
        if self.stale || long { self.write_list().await } else { Ok(()) }
    }

    async fn write_list(&mut self) -> io::Result<()> {
        let first = self.ledger.first().unwrap_or(0);
        let mut text = index::head(&boot());
        let mut before: Option<&Arc<Kept>> = None;
        for kept in self.ledger.listed() {
            text.push_str(&index::line(kept, before.map(|before| &*before.names), first));
            before = Some(kept);
        }
        self.lines = self.ledger.listed().len();
        self.written = before.map(|kept| Arc::clone(&kept.names));
        let folder = self.parts.folder.clone();
        let outcome = blocking(move || {
            fs::create_dir_all(&folder)?;
            let new = folder.join(".index.new");
            fs::write(&new, text)?;
            fs::rename(new, folder.join(INDEX))
        })
        .await;
        self.stale = outcome.is_err();
        outcome
    }

    fn tell(&self) {
        self.parts.told.publish(self.ledger.window(&self.parts.folder));
    }

    fn failed(&mut self, error: &io::Error) {
        self.parts.told.failed();
        if !std::mem::replace(&mut self.trouble, true) {
            tracing::warn!(
                %error,
                folder = %self.parts.folder.display(),
                "the channel's past is not kept for now (hint: is the disk full, the data folder read-only? it goes on by \
                 itself)"
            );
        }
    }

    async fn end(&mut self) {
        let folder = self.parts.folder.clone();
        if !self.stale {
            // Without it a new life in the same boot knows just as much.
            let _unsaid = blocking(move || append(&folder, &index::end())).await;
        }
    }
}

/// Returns what an earlier life kept and told, the oldest first, as far as its files are there; removes all other files.
fn load(folder: &Path) -> Vec<Kept> {
    let read = match fs::metadata(folder.join(INDEX)) {
        Ok(found) if found.len() <= INDEX_BYTES_MAX => fs::read_to_string(folder.join(INDEX)).ok(),
        _ => None,
    };
    let read = read.and_then(|text| index::read(&text)).unwrap_or_default();
    // After a crash of the system nobody knows what of it reached the disk.
    let sound = read.ended || read.boot == boot();
    let is_there = |kept: &&Kept| fs::metadata(path(folder, kept.msn)).is_ok_and(|file| file.len() == kept.bytes());
    let mut kept: Vec<Kept> = read.kept.iter().rev().take_while(|kept| sound && is_there(kept)).cloned().collect();
    kept.reverse();
    let known: BTreeSet<PathBuf> = kept.iter().map(|kept| path(folder, kept.msn)).chain([folder.join(INDEX)]).collect();
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        if !known.contains(&entry.path()) {
            // What cannot be removed now is looked at again when the next life begins.
            let _swept_later = fs::remove_file(entry.path());
        }
    }
    kept
}

fn write(folder: &Path, file: &Path, pieces: &[Bytes], len: u64) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let disk = rustix::fs::statvfs(folder)?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) < FREE_MIN + len {
        return Err(io::Error::from(io::ErrorKind::StorageFull));
    }
    let mut file = File::create(file)?;
    pieces.iter().try_for_each(|bytes| file.write_all(bytes))
}

fn append(folder: &Path, text: &str) -> io::Result<()> {
    File::options().append(true).open(folder.join(INDEX))?.write_all(text.as_bytes())
}

fn remove_all(folder: &Path, gone: &[Msn]) {
    for msn in gone {
        // One that cannot be removed is swept when the next life begins.
        let _swept_later = fs::remove_file(path(folder, *msn));
    }
}

/// What tells one life of the system from another.
fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
#[path = "task_tests.rs"]
mod tests;
