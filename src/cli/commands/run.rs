//! `nightcast run`

use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{complain, load};
use crate::app::{self, Ending, Start};
use crate::cli::args::{Exit, RunArgs};
use crate::cli::check::check_version;
use crate::cli::report::Outcome;
use crate::clock::Clock;
use crate::ffmpeg::{ChildSpec, Family, Limits, Role, task as child};

/// How long a program may take to tell its version: while a machine boots, everything takes long, and a station that gave
/// up would be dark.
const VERSION_MAX: Duration = Duration::from_mins(1);

/// How much of its answer is read, in bytes.
const VERSION_BYTES_MAX: u64 = 64 << 10;

pub(super) async fn run(path: &Path, args: &RunArgs, token: CancellationToken) -> Exit {
    let config = match load(path) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let (ffmpeg, ffprobe) = (&config.station.ffmpeg, &config.station.ffprobe);
    // At once, for viewers wait and each takes a twentieth of a second.
    let answers = tokio::join!(version(ffmpeg, &token), version(ffprobe, &token));
    // "ffmpeg version 5.1.9 Copyright …"
    let told = answers.0.split_whitespace().nth(2).unwrap_or("unknown").to_owned();
    for (program, answer) in [(ffmpeg, answers.0), (ffprobe, answers.1)] {
        let check = check_version(&program.to_string_lossy(), &answer);
        if check.outcome == Outcome::Failed {
            complain(&format!("{}: {} ({})", check.name, check.fact, check.hint.unwrap_or_default()));
            return Exit::Environment;
        }
    }
    let name = config.station.name.clone();
    let on_air = |address| tracing::info!("{name} is on air: open http://{address}/ in a browser (Ctrl-C stops)");
    let start = Start {
        config,
        path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
        clock: Clock::new(args.clock_speed),
        first_timestamp: args.first_timestamp,
        ffmpeg_version: told.into(),
    };
    match app::run(start, token, on_air).await {
        Ok(Ending::Clean) => Exit::Done,
        Ok(Ending::Late) => Exit::Failed,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            complain(&format!("{error}{cause}"));
            Exit::Environment
        }
    }
}

/// Returns what a program answers to `-version`, or nothing where it cannot be started.
pub(super) async fn version(program: &Path, token: &CancellationToken) -> String {
    ask(program, &["-hide_banner", "-version"], token).await
}

/// Returns what an ffmpeg prints when asked about itself.
pub(super) async fn ask(program: &Path, args: &[&str], token: &CancellationToken) -> String {
    let spec = ChildSpec {
        program: program.to_owned(),
        args: args.iter().map(std::ffi::OsString::from).collect(),
        folder: None,
        role: Role::Probe,
        limits: Limits::PROBE,
        family: Family::default(),
    };
    match child::run_to_end(&spec, VERSION_MAX, VERSION_BYTES_MAX, token).await {
        Ok((evidence, answer)) if evidence.success() => String::from_utf8_lossy(&answer).into_owned(),
        _ => String::new(),
    }
}
