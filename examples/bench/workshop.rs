//! Library and workshop without a channel: one film, from its folder to its mezzanine.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use jiff::{SignedDuration, Timestamp};
use nightcast::clock::Clock;
use nightcast::config::{self, Channel, EncoderChoice};
use nightcast::ffmpeg::{Children, Family};
use nightcast::library::{self, LibrarySettings};
use nightcast::prepare::{self, MezzanineId, Prepared, Preparer, Want};
use nightcast::store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How soon a film is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// In ten minutes.
    InTime,
    /// In ten minutes; and it is waited for until its picture was looked through.
    Sound,
    /// Viewers wait.
    Now,
}

/// Prepares the one film in a folder as a channel with such settings would; returns how long it took from the first look
/// into the folder.
pub(crate) fn prepare(media: &Path, settings: &str, need: Need, limit: Duration) -> Result<Duration> {
    let media = media.display();
    let text = format!("[[channel]]\nname = \"Bench\"\nfolder = \"{media}\"\n{settings}\n");
    let config =
        config::parse(&text, Path::new("/channels.toml"), 2).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let channel = config.channels.into_iter().next().context("there is one channel")?;
    let work = async { tokio::time::timeout(limit, prepared(&channel, need)).await.context("it takes too long")? };
    tokio::runtime::Runtime::new()?.block_on(work)
}

async fn prepared(channel: &Channel, need: Need) -> Result<Duration> {
    let data = tempfile::tempdir()?;
    let (token, tracker) = (CancellationToken::new(), TaskTracker::new());
    let settings = prepare::Settings {
        ffmpeg: "ffmpeg".into(),
        ffprobe: "ffprobe".into(),
        data: data.path().to_owned(),
        cache_budget_bytes: 50_000_000_000,
        workers: 1,
        encoder: EncoderChoice::X264,
        devices: prepare::trial::task::DEVICES.into(),
        failures: Vec::new(),
        children: Children::default(),
    };
    let preparer = Preparer::start(settings, Clock::new(1.0), token.clone(), &tracker).await?;
    let settings = LibrarySettings {
        channel: channel.id.clone(),
        folders: channel.folders.clone(),
        exclude: Vec::new(),
        settle: Duration::from_secs(2),
        rescan: Duration::from_hours(1),
        ffprobe: "ffprobe".into(),
        family: Family::default(),
    };
    let (work, library) = library::start(settings, Store::in_memory().await?, token.clone());
    let (mut catalogue, mut changes) = (library.catalogue(), preparer.subscribe());
    let begun = Instant::now();
    tracker.spawn(work);
    let found = catalogue.wait_for(|catalogue| !catalogue.items.is_empty()).await?.clone();
    let item = Arc::clone(found.items.values().next().context("there is a film")?);
    let profile = Arc::new(channel.profile.clone());
    let id = MezzanineId::of(&item, &profile);
    let due = Timestamp::now() + if need == Need::Now { SignedDuration::ZERO } else { SignedDuration::from_mins(10) };
    preparer.want(&channel.id, vec![Want { item, profile, due }]);
    let took = loop {
        changes.borrow_and_update();
        match preparer.state(&id) {
            Prepared::Ready(_) if need != Need::Sound || preparer.is_sound(&id) => break begun.elapsed(),
            Prepared::Failed(why) => bail!("the film could not be prepared: {why}"),
            _ => changes.changed().await?,
        }
    };
    token.cancel();
    tracker.close();
    tracker.wait().await;
    Ok(took)
}
