//! `nightcast library`: every file and what became of it. Works beside a running station.

use std::path::Path;
use std::sync::Arc;

use indicatif::ProgressBar;
use tokio_util::sync::CancellationToken;

use super::{chosen, complain, load, say};
use crate::cli::args::{Exit, LibraryArgs};
use crate::cli::report::{FileState, FolderProblem, LibraryReport, LibraryRow, library_json, library_text};
use crate::clock::Clock;
use crate::config::{Channel, Config};
use crate::ffmpeg::Family;
use crate::library::{Catalogue, LibrarySettings, Refused, scan_once};
use crate::prepare::MezzanineId;
use crate::prepare::burn::{looks_fit, task as burn};
use crate::prepare::folder::task::{Folder, Found};
use crate::prepare::inspection::Inspection;
use crate::prepare::job::sentence;
use crate::prepare::recipe::Recipe;
use crate::store::{Store, StoredFailure};

pub(super) async fn run(path: &Path, args: &LibraryArgs, token: CancellationToken) -> Exit {
    match answer(path, args, token).await {
        Ok(report) => {
            say(&if args.json { library_json(&report) } else { library_text(&report) });
            Exit::Done
        }
        Err(exit) => exit,
    }
}

async fn answer(path: &Path, args: &LibraryArgs, token: CancellationToken) -> Result<LibraryReport, Exit> {
    let config = load(path)?;
    let channels = chosen(&config, args.channel.as_ref())?;
    let store = open_store(&config).await?;
    let failures = store.failures().await.unwrap_or_default();
    let folder = Folder::beside(&config.station.data).ok();
    let mut report = LibraryReport { files: Vec::new(), folder_problems: Vec::new() };
    for channel in channels {
        let catalogue = scan(&config, channel, &store, &token).await;
        let problems = catalogue.folder_problems.iter().cloned();
        report.folder_problems.extend(problems.map(|(folder, reason)| FolderProblem {
            channel: channel.id.clone(),
            folder,
            reason,
        }));
        report.files.extend(rows(channel, &catalogue, &failures, folder.as_ref()));
    }
    store.close().await;
    Ok(report)
}

fn rows(
    channel: &Channel,
    catalogue: &Catalogue,
    failures: &[StoredFailure],
    folder: Option<&Folder>,
) -> Vec<LibraryRow> {
    let profile = burn::possible(&channel.profile, true);
    let items = catalogue.items.values().map(|item| {
        let id = MezzanineId::of(item, &profile);
        let failure = failures.iter().find(|failure| failure.id == id);
        let state = match failure {
            Some(failure) => FileState::Quarantined(failure.reason.clone()),
            None => match folder.and_then(|folder| folder.read(&id)) {
                Some(Found { inspection: Inspection { damage: Some(why), .. }, .. }) => {
                    FileState::Damaged(sentence(&format!("{why}; it airs as it is until it was made anew")))
                }
                Some(found) => match found.recipe.as_ref().and_then(Recipe::without_subtitles) {
                    Some(why) => FileState::Wanting(sentence(&format!("its subtitles could not be burned in: {why}"))),
                    None => FileState::Prepared,
                },
                None if looks_fit(item, &profile) => FileState::Fit,
                None => FileState::Waiting,
            },
        };
        let (file, length) = (item.name.to_string(), Some(item.media.duration));
        LibraryRow { channel: channel.id.clone(), file, length, state }
    });
    let refused = catalogue.refused.iter().map(|(path, refused)| LibraryRow {
        channel: channel.id.clone(),
        file: name_below(channel, path),
        length: None,
        state: match refused {
            Refused::Settling => FileState::Settling,
            Refused::Quarantined(reason) => FileState::Quarantined(reason.clone()),
        },
    });
    let mut rows: Vec<_> = items.chain(refused).collect();
    rows.sort_by(|a, b| a.file.cmp(&b.file));
    rows
}

fn name_below(channel: &Channel, path: &Path) -> String {
    let below = channel.folders.iter().find_map(|folder| path.strip_prefix(folder).ok());
    below.unwrap_or(path).to_string_lossy().into_owned()
}

/// Walks and probes a channel's folders once, with a sign of life on a terminal.
pub(super) async fn scan(
    config: &Config,
    channel: &Channel,
    store: &Store,
    token: &CancellationToken,
) -> Arc<Catalogue> {
    let settings = LibrarySettings {
        channel: channel.id.clone(),
        folders: channel.folders.clone(),
        exclude: vec![config.station.data.clone()],
        settle: config.station.settle,
        rescan: config.station.rescan,
        ffprobe: config.station.ffprobe.clone(),
        family: Family::default(),
    };
    let spinner = ProgressBar::new_spinner();
    let catalogue = scan_once(settings, store.clone(), token.clone(), |seen| {
        spinner.set_message(format!("{}: {} items, {} refused", channel.name, seen.items.len(), seen.refused.len()));
        spinner.tick();
    });
    let catalogue = catalogue.await;
    spinner.finish_and_clear();
    catalogue
}

pub(super) async fn open_store(config: &Config) -> Result<Store, Exit> {
    let path = config.station.data.join("station.sqlite");
    let opened = if config.station.data.is_dir() {
        Store::open(&path, Clock::new(1.0).now()).await
    } else {
        // A station that never ran: nothing is known, and nothing is left behind.
        Store::in_memory().await
    };
    opened.map_err(|error| {
        complain(&format!("failed to open {}: {error}", path.display()));
        Exit::Environment
    })
}
