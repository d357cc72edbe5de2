//! `nightcast demo`: films for a station that has none. Needs no configuration.

use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::{complain, load, say};
use crate::cli::args::{DemoArgs, Exit};
use crate::demo::bar::Bar;
use crate::demo::films;
use crate::demo::task::{DemoError, Settings, run as make};

pub(super) async fn run(path: &Path, args: &DemoArgs, token: CancellationToken) -> Exit {
    // A configuration that is there tells which ffmpeg; without one the usual is taken.
    let ffmpeg = match path.exists().then(|| load(path)) {
        None => PathBuf::from("ffmpeg"),
        Some(Ok(config)) => config.station.ffmpeg,
        Some(Err(exit)) => return exit,
    };
    let settings = Settings { ffmpeg, folder: args.folder.clone(), films: films() };
    let bar = Bar::new();
    match make(settings, |step| bar.show(&step), &token).await {
        Ok(summary) => {
            let (made, kept) = (summary.made.len(), summary.kept.len());
            say(&format!("{made} films made, {kept} were there already, in {}", args.folder.display()));
            Exit::Done
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            complain(&format!("{error}{cause}"));
            if matches!(error, DemoError::Ffmpeg { .. } | DemoError::NoAnswer { .. }) {
                Exit::Environment
            } else {
                Exit::Failed
            }
        }
    }
}
