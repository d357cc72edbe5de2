//! The `nightcast` program: reads the command line, answers, and ends with the answer's exit code.

use std::process::ExitCode;

use clap::Parser;
use nightcast::cli::args::Cli;
use nightcast::cli::commands;

#[tokio::main]
async fn main() -> ExitCode {
    commands::answer(Cli::parse()).await
}
