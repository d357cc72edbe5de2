//! What can be asked, and the exit codes it is answered with.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::grafana::address::Address;
use super::operator::{AdminArgs, DoctorArgs};
use crate::clock::Clock;
use crate::units::ChannelId;

const AFTER_HELP: &str = "\
Examples:
  nightcast demo                  make two folders of small films to play with
  nightcast check                 hear whether configuration and machine are right
  nightcast run                   go on air; watch at http://127.0.0.1:8080
  nightcast plan cats --hours 12  what the channel \"cats\" shows until tomorrow
  nightcast library --json        every file of every channel, for a script
  nightcast doctor                what is wrong with the running station, and what to do
  nightcast admin skip cats       have the next programme of the channel \"cats\" begin

Exit codes:
  0  done, or stopped as asked
  1  something failed
  2  the configuration or the command line is wrong; everything wrong is printed
  3  the machine is not ready: ffmpeg missing, folder not writable, port taken
  4  nightcast doctor found something wrong";

const PUSH_HELP: &str = "\
The token is taken from GRAFANA_TOKEN: make one in Grafana under Administration, Service accounts, with the role Editor
(Admin for --prometheus). SSL_CERT_FILE may name certificates of your own authority. Versions of others that are replaced
stay in Grafana's history.

Example:
  GRAFANA_TOKEN=glsa_... nightcast grafana push --url https://grafana.example.org --dry-run";

/// Folders of videos in, television channels out.
///
/// Nightcast plays each folder of videos as a channel that never ends: drop files in, and viewers find them on air.
/// Everything is set in one file, channels.toml; channels.example.toml explains it.
#[derive(Clone, Debug, Parser)]
#[command(name = "nightcast", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// The configuration file; relative paths in it start from its folder.
    #[arg(long, short, global = true, env = "NIGHTCAST_CONFIG", default_value = "channels.toml", value_name = "FILE")]
    pub config: PathBuf,
    /// How log lines are written to standard error.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// What is asked.
    #[command(subcommand)]
    pub command: Command,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for log collectors.
    Json,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Command {
    /// Go on air, until Ctrl-C or SIGTERM; a second one stops at once.
    Run(RunArgs),
    /// Examine the configuration and the machine: ffmpeg, folders, disk, port. Changes nothing.
    Check(JsonArgs),
    /// Show what comes next on a channel, or on all, with times.
    Plan(PlanArgs),
    /// Show every file of a channel, or of all: fit, prepared, waiting, quarantined and why.
    Library(LibraryArgs),
    /// Ask the running station whether it is alive: exit code 0 if so, else 1. For containers and scripts.
    Healthcheck,
    /// Order something of the running station: skip, rescan, requeue, off, on.
    Admin(AdminArgs),
    /// Look at the running station and its machine: what is wrong, and what to do. Changes nothing.
    Doctor(DoctorArgs),
    /// Make two folders of small films, so that there is something to watch. Existing films are kept.
    Demo(DemoArgs),
    /// Bring the dashboards to a Grafana that is already there.
    Grafana(GrafanaArgs),
    /// Measure a station that runs on this machine.
    #[command(subcommand)]
    Bench(Bench),
}

/// `nightcast bench`
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Bench {
    /// Let simulated viewers watch a station of this machine, and tell whether it holds them.
    #[command(after_help = VIEWERS_HELP)]
    Viewers(ViewersArgs),
}

const VIEWERS_HELP: &str = "\
Each viewer does what hls.js does: keeps a connection, asks for the playlist as often as its segments are long, and loads
every segment; what it loads is thrown away. They come spread over two seconds or more; then it is measured. A crowd is
held when 99 of 100 playlists are answered within 100 ms, none later and none that has not changed for two target
durations, no segment takes longer than it plays, and nothing goes wrong. The viewers share the machine with the station:
where they come from elsewhere, it holds more.

Examples:
  nightcast bench viewers 200                two hundred on all channels, for 30 s
  nightcast bench viewers 50 --channel cats  fifty on one
  nightcast bench viewers max                how many are held, found by trying; takes some minutes

Exit codes:
  0  the crowd was held; with max: the largest one was found
  1  it was not held, or was stopped before the end
  2  the command line is wrong: another machine, no such channel, too many viewers
  3  the machine is not ready: no station answers, or too few open files are allowed";

/// `nightcast bench viewers`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ViewersArgs {
    /// How many viewers, up to 20,000; "max" finds the largest crowd that is held.
    #[arg(value_parser = crowd, required_unless_present = "find", conflicts_with = "find", value_name = "N")]
    pub count: Option<Crowd>,
    /// The same as "max".
    #[arg(long)]
    pub find: bool,
    /// Where the station is: an address of this machine.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub url: String,
    /// The channel's id; without it the viewers are shared out among all channels.
    #[arg(long, value_parser = channel_id, value_name = "ID")]
    pub channel: Option<ChannelId>,
    /// How long is measured once all viewers are there, 1 to 3600; with max: each time.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub seconds: u32,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

impl ViewersArgs {
    /// Returns how many viewers are asked for.
    #[must_use]
    pub fn crowd(&self) -> Crowd {
        self.count.unwrap_or(Crowd::Max)
    }
}

/// How many viewers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crowd {
    /// So many.
    Of(usize),
    /// The largest crowd that is held.
    Max,
}

/// `nightcast run`
#[derive(Clone, Debug, PartialEq, Args)]
pub struct RunArgs {
    /// How many times faster than the world the station lives, 0.1 to 2000; for tests.
    #[arg(long, hide = true, default_value_t = 1.0, value_parser = clock_speed, value_name = "FACTOR")]
    pub clock_speed: f64,
    /// What each on-air run's timestamps begin with, in seconds, up to the 26.5 hours after which they wrap; for tests.
    #[arg(long, hide = true, default_value_t = 0, value_name = "SECONDS")]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=FIRST_TIMESTAMP_MAX))]
    pub first_timestamp: u32,
}

/// 33 bits of 90 kHz last 95,443 seconds.
const FIRST_TIMESTAMP_MAX: i64 = 95_443;

/// `nightcast check`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub struct JsonArgs {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `nightcast plan`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct PlanArgs {
    /// The channel's id; all channels without it.
    #[arg(value_parser = channel_id)]
    pub channel: Option<ChannelId>,
    /// How many hours to show, 1 to 168, as far as the plan goes: it always reaches a day ahead.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=168))]
    pub hours: u32,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `nightcast library`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct LibraryArgs {
    /// The channel's id; all channels without it.
    #[arg(value_parser = channel_id)]
    pub channel: Option<ChannelId>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `nightcast demo`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct DemoArgs {
    /// Where the films go; each channel gets a folder in it.
    #[arg(long, default_value = "media")]
    pub folder: PathBuf,
}

/// `nightcast grafana`
#[derive(Clone, Debug, PartialEq, Args)]
pub struct GrafanaArgs {
    /// What is asked.
    #[command(subcommand)]
    pub command: GrafanaCommand,
}

/// What can be done about Grafana.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum GrafanaCommand {
    /// Create or update the dashboards and their folder through Grafana's HTTP interface; what is right already stays.
    #[command(after_help = PUSH_HELP)]
    Push(PushArgs),
}

/// `nightcast grafana push`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct PushArgs {
    /// Where Grafana is, with the path below which it is served.
    #[arg(long, value_parser = Address::read, value_name = "URL")]
    pub url: Address,
    /// The title of the folder, at the top level, into which the dashboards go; "Nightcast" without it.
    #[arg(long, value_parser = folder_title, value_name = "TITLE")]
    pub folder: Option<String>,
    /// Where Prometheus is, as Grafana reaches it: makes a data source of it if Grafana knows no Prometheus yet.
    #[arg(long, value_parser = Address::read, value_name = "URL")]
    pub prometheus: Option<Address>,
    /// Also take the place of another dashboard of the same name in the folder.
    #[arg(long)]
    pub overwrite: bool,
    /// Show what would be created, updated or left as it is, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// How many seconds each answer may take, 1 to 600.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=600), value_name = "SECONDS")]
    pub timeout: u16,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// How a command ended, for whoever called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or stopped as asked.
    Done = 0,
    /// Something failed.
    Failed = 1,
    /// The configuration or the command line is wrong (clap uses the same code).
    Configuration = 2,
    /// The machine is not ready.
    Environment = 3,
    /// `nightcast doctor` found something wrong.
    Unwell = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

pub(super) fn channel_id(text: &str) -> Result<ChannelId, String> {
    ChannelId::new(text)
        .ok_or_else(|| "an id holds a-z, 0-9 and - only (hint: \"nightcast library\" shows them)".to_owned())
}

/// Grafana keeps titles of up to 189 bytes.
fn folder_title(text: &str) -> Result<String, String> {
    let title = text.trim();
    let good = !title.is_empty() && title.len() <= 189 && !title.contains(char::is_control);
    if good { Ok(title.to_owned()) } else { Err("a title has 1 to 189 bytes and no control character".to_owned()) }
}

fn crowd(text: &str) -> Result<Crowd, String> {
    match text.parse() {
        Ok(count @ 1..) => Ok(Crowd::Of(count)),
        _ if text == "max" => Ok(Crowd::Max),
        _ => Err("must be a number of viewers, or \"max\"".to_owned()),
    }
}

fn clock_speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.1..=Clock::SPEED_MAX).contains(&speed) { Ok(speed) } else { Err("must be between 0.1 and 2000".to_owned()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parsed(line: &str) -> Result<Cli, String> {
        Cli::try_parse_from(line.split_whitespace()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_free_of_contradictions() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_are_understood() {
        let cats = ChannelId::new("cats");
        let viewers = |count, find| {
            let url = "http://127.0.0.1:8080".to_owned();
            Command::Bench(Bench::Viewers(ViewersArgs { count, find, url, channel: None, seconds: 30, json: false }))
        };
        let cases: &[(&str, Command)] = &[
            ("nightcast run", Command::Run(RunArgs { clock_speed: 1.0, first_timestamp: 0 })),
            ("nightcast run --clock-speed 20", Command::Run(RunArgs { clock_speed: 20.0, first_timestamp: 0 })),
            ("nightcast check --json", Command::Check(JsonArgs { json: true })),
            ("nightcast healthcheck", Command::Healthcheck),
            ("nightcast plan", Command::Plan(PlanArgs { channel: None, hours: 6, json: false })),
            (
                "nightcast plan cats --hours 24",
                Command::Plan(PlanArgs { channel: cats.clone(), hours: 24, json: false }),
            ),
            ("nightcast library cats --json", Command::Library(LibraryArgs { channel: cats, json: true })),
            ("nightcast bench viewers 200", viewers(Some(Crowd::Of(200)), false)),
            ("nightcast bench viewers max", viewers(Some(Crowd::Max), false)),
            ("nightcast bench viewers --find", viewers(None, true)),
        ];
        for (line, command) in cases {
            assert_eq!(&parsed(line).unwrap().command, command, "{line}");
        }
    }

    #[test]
    fn configuration_and_log_format_may_stand_before_or_after_the_command() {
        for line in ["nightcast --config a.toml --log-format json run", "nightcast run -c a.toml --log-format json"] {
            let cli = parsed(line).unwrap();
            assert_eq!((cli.config, cli.log_format), (PathBuf::from("a.toml"), LogFormat::Json), "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (line, words) in [
            ("nightcast plan ../etc", "an id holds a-z, 0-9 and - only"),
            ("nightcast grafana push", "--url"),
            ("nightcast grafana push --url http://a --token x", "'--token'"),
            ("nightcast grafana push --url a:3000", "neither http:// nor https://"),
            ("nightcast grafana push --url http://a --timeout 0", "0 is not in 1..=600"),
            ("nightcast plan --hours 0", "0 is not in 1..=168"),
            ("nightcast run --clock-speed 2001", "must be between 0.1 and 2000"),
            ("nightcast run --clock-speed NaN", "must be between 0.1 and 2000"),
            ("nightcast bench viewers", "required"),
            ("nightcast bench viewers 0", "must be a number of viewers"),
            ("nightcast bench viewers many", "must be a number of viewers"),
            ("nightcast bench viewers 5 --find", "cannot be used with"),
            ("nightcast rum", "'run'"),
            ("nightcast", "Usage: nightcast"),
        ] {
            let error = parsed(line).unwrap_err();
            assert!(error.contains(words), "{line}: {error}");
        }
    }

    #[test]
    fn the_help_tells_the_exit_codes_and_gives_examples_that_parse() {
        let help = Cli::command().render_long_help().to_string();
        for exit in [Exit::Done, Exit::Failed, Exit::Configuration, Exit::Environment, Exit::Unwell] {
            assert!(help.contains(&format!("\n  {}  ", exit as u8)), "{help}");
        }
        let examples: Vec<&str> = AFTER_HELP.lines().filter(|line| line.starts_with("  nightcast")).collect();
        assert_eq!(examples.len(), 7);
        for line in examples {
            let command = line.trim_start().split("  ").next().unwrap();
            assert!(parsed(command).is_ok(), "{command}");
        }
    }
}
