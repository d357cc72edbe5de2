//! The commands themselves: they read, ask and print. One file a command.

mod admin;
mod bench;
mod client;
mod demo;
mod doctor;
mod examine;
mod grafana;
mod healthcheck;
mod hours;
mod library;
mod plan;
mod run;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use super::args::{Bench, Cli, Command, Exit, GrafanaCommand};
use super::log;
use crate::app::reload;
use crate::config::{self, Config};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Answers the command line; everything a person must read was printed when it returns.
pub async fn answer(cli: Cli) -> ExitCode {
    let left_out = log::start(cli.log_format, matches!(cli.command, Command::Run(_)));
    let token = CancellationToken::new();
    // Lives as long as the process.
    TaskTracker::new().spawn(left_out.tell());
    match crate::shutdown::Signals::listen() {
        Ok(signals) => {
            // Lives as long as the process; ends it at the second signal.
            TaskTracker::new().spawn(signals.forward(token.clone()));
        }
        Err(error) => tracing::warn!(%error, "signals cannot be heard: an orderly stop is not possible"),
    }
    let exit = match cli.command {
        Command::Run(args) => run::run(&cli.config, &args, token).await,
        Command::Check(args) => examine::run(&cli.config, args.json, &token).await,
        Command::Plan(args) => plan::run(&cli.config, &args, token).await,
        Command::Library(args) => library::run(&cli.config, &args, token).await,
        Command::Healthcheck => healthcheck::run(&cli.config).await,
        Command::Grafana(args) => match args.command {
            GrafanaCommand::Push(args) => grafana::push(&args).await,
        },
        Command::Admin(args) => admin::run(&cli.config, &args).await,
        Command::Doctor(args) => doctor::run(&cli.config, &args, &token).await,
        Command::Demo(args) => demo::run(&cli.config, &args, token).await,
        Command::Bench(Bench::Viewers(args)) => bench::viewers(&args, token).await,
    };
    exit.into()
}

/// Reads and checks the configuration; prints everything that is wrong with it.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the configuration")]
fn load(path: &Path) -> Result<Config, Exit> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = std::fs::read_to_string(&path).map_err(|error| {
        complain(&format!(
            "failed to read the configuration {}: {error} (hint: cp channels.example.toml channels.toml)",
            path.display()
        ));
        Exit::Configuration
    })?;
    reload::parse(&text, &path).map_err(|problems| {
        complain(&problems.to_string());
        Exit::Configuration
    })
}

/// Returns the channels a command is about: the one named, or all.
fn chosen<'c>(config: &'c Config, id: Option<&crate::units::ChannelId>) -> Result<Vec<&'c config::Channel>, Exit> {
    let channels: Vec<_> = config.channels.iter().filter(|channel| id.is_none_or(|id| channel.id == *id)).collect();
    if channels.is_empty() {
        let known: Vec<_> = config.channels.iter().map(|channel| channel.id.as_str()).collect();
        let id = id.map_or("", |id| id.as_str());
        complain(&format!("there is no channel \"{id}\" (hint: there are {})", known.join(", ")));
        return Err(Exit::Configuration);
    }
    Ok(channels)
}

#[expect(clippy::print_stderr, reason = "this is what a person reads")]
fn complain(text: &str) {
    eprintln!("{text}");
}

fn say(text: &str) {
    // A reader that closed its end (`nightcast plan | head`) has what it wanted.
    let _closed = writeln!(std::io::stdout(), "{}", text.trim_end_matches('\n'));
}
