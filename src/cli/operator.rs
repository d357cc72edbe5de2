//! What the operator's two commands are asked with: `nightcast admin` and `nightcast doctor`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::args::channel_id;
use crate::units::ChannelId;

const ADMIN_HELP: &str = "\
The token comes from --token-file, else from the environment variable NIGHTCAST_ADMIN_TOKEN, else from the file that
token-file in [admin] of the configuration names.

Examples:
  nightcast admin skip cats             the next programme of the channel \"cats\" begins
  nightcast admin quarantine            which files are set aside, and why
  nightcast admin requeue cats --all    look at all of them again
  nightcast admin off cats --url http://127.0.0.1:8080

Exit codes: 0 done; 1 refused, or the station cannot be reached; 2 no token, or a command line that is wrong";

/// `nightcast admin`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[command(after_help = ADMIN_HELP)]
pub struct AdminArgs {
    /// Where the station is: http://HOST:PORT. Left out, it is where the configuration says that it listens.
    #[arg(long, global = true, value_parser = station_url, value_name = "URL")]
    pub url: Option<Url>,
    /// The file with the operator's token.
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Print the station's answer as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What is ordered.
    #[command(subcommand)]
    pub order: AdminOrder,
}

const DOCTOR_HELP: &str = "\
Looks at the station where the configuration says that it listens, at its metrics twice within two seconds, and
at this machine. Nothing is changed.

Exit codes: 0 nothing is wrong; 4 something is; notes do not count";

/// `nightcast doctor`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[command(after_help = DOCTOR_HELP)]
pub struct DoctorArgs {
    /// Where the station is: http://HOST:PORT. Left out, it is where the configuration says that it listens.
    #[arg(long, value_parser = station_url, value_name = "URL")]
    pub url: Option<Url>,
    /// Where its metrics are: http://HOST:PORT. Left out, as the configuration says.
    #[arg(long, value_parser = station_url, value_name = "URL")]
    pub metrics: Option<Url>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What is ordered.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum AdminOrder {
    /// End the item on air: the next programme begins within a few seconds.
    Skip(OneChannel),
    /// Walk through the folders of a channel, or of all, now.
    Rescan {
        /// The channel's id; all channels without it.
        #[arg(value_parser = channel_id)]
        channel: Option<ChannelId>,
    },
    /// List the files that are set aside, with the reasons.
    Quarantine,
    /// Look again at a file that was set aside, or at all of a channel.
    Requeue {
        /// The channel's id.
        #[arg(value_parser = channel_id)]
        channel: ChannelId,
        /// The file: its path below the channel's folder, or its whole path.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        file: Option<String>,
        /// All files of the channel that are set aside.
        #[arg(long)]
        all: bool,
    },
    /// Take a channel off the air, until "on": also over restarts.
    Off(OneChannel),
    /// Put a channel on the air again that was taken off.
    On(OneChannel),
}

/// The channel that an order is about.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct OneChannel {
    /// The channel's id.
    #[arg(value_parser = channel_id)]
    pub channel: ChannelId,
}

/// Where a station is: host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Url {
    /// Returns host and port as they are written together.
    #[must_use]
    pub fn place(&self) -> String {
        let Self { host, port } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}", self.place())
    }
}

/// Reads `http://HOST:PORT`, with or without a slash at the end.
fn station_url(text: &str) -> Result<Url, String> {
    if text.starts_with("https://") {
        return Err("https is not spoken here: ask the station itself, not the proxy before it".to_owned());
    }
    let wrong = || "must be like http://127.0.0.1:8080".to_owned();
    let place = text.strip_prefix("http://").ok_or_else(wrong)?;
    let place = place.strip_suffix('/').unwrap_or(place);
    let (host, port) = match place.strip_prefix('[') {
        Some(literal) => {
            let (host, rest) = literal.split_once(']').ok_or_else(wrong)?;
            (host, rest.strip_prefix(':'))
        }
        None => match place.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let fits = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte));
    let port = port.map_or(Ok(80), str::parse).map_err(|_| wrong())?;
    if fits { Ok(Url { host: host.to_owned(), port }) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_station_is_found_by_its_address() {
        for (text, told) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://tv.example/", "http://tv.example:80"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
        ] {
            assert_eq!(station_url(text).unwrap().to_string(), told);
        }
        for (text, words) in [
            ("https://tv.example", "https is not spoken"),
            ("127.0.0.1:8080", "must be like"),
            ("http://", "must be like"),
            ("http://tv:port", "must be like"),
            ("http://a/b:80", "must be like"),
            ("http://user@a:80", "must be like"),
        ] {
            assert!(station_url(text).unwrap_err().contains(words), "{text}");
        }
    }
}
