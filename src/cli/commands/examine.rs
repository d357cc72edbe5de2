//! `nightcast check`: looks at everything a station needs and changes nothing.

#![expect(clippy::disallowed_methods, reason = "looks at the folders")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::run::{ask, version};
use super::{load, say};
use crate::app::token;
use crate::cli::args::Exit;
use crate::cli::check::{Abilities, check_abilities, check_version};
use crate::cli::report::{Check, Outcome, check_exit, check_json, check_text};
use crate::config::{Config, EncoderChoice, Station};
use crate::ffmpeg::Family;
use crate::http::apps::read_logo;
use crate::http::hdhomerun::task::PORT;
use crate::prepare::trial::task as trial;

/// Less free space than this is worth a word, in bytes: a film's mezzanine is about as much.
const FREE_MIN_BYTES: u64 = 5 << 30;

pub(super) async fn run(path: &Path, json: bool, token: &CancellationToken) -> Exit {
    let config = match load(path) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let mut checks = vec![ok("configuration", format!("{} channels", config.channels.len()))];
    checks.extend(programs(&config.station, token).await);
    if check_exit(&checks) == Exit::Done {
        checks.push(encoder(&config.station, token).await);
    }
    checks.push(data(&config.station.data));
    checks.extend(operators_token(&config));
    checks.push(port("address", config.station.listen));
    checks.extend(config.metrics.listen.map(|listen| port("metrics address", listen)));
    checks.extend(folders(&config));
    checks.extend(logos(&config).await);
    checks.extend(tuner(&config));
    checks.extend(super::hours::timetables(&config));
    say(&if json { check_json(&checks) } else { check_text(&checks) });
    check_exit(&checks)
}

pub(super) async fn programs(station: &Station, token: &CancellationToken) -> Vec<Check> {
    let mut checks = Vec::new();
    for program in [&station.ffmpeg, &station.ffprobe] {
        checks.push(check_version(&program.to_string_lossy(), &version(program, token).await));
    }
    if checks.iter().all(|check| check.outcome != Outcome::Failed) {
        let list = async |name| ask(&station.ffmpeg, &["-hide_banner", name], token).await;
        let (encoders, muxers, demuxers) = (list("-encoders").await, list("-muxers").await, list("-demuxers").await);
        let (filters, protocols) = (list("-filters").await, list("-protocols").await);
        checks.extend(check_abilities(&Abilities {
            encoders: &encoders,
            muxers: &muxers,
            demuxers: &demuxers,
            filters: &filters,
            protocols: &protocols,
        }));
    }
    for wrapper in ["setpriv", "prlimit", "nice"] {
        if ask(Path::new(wrapper), &["--version"], token).await.is_empty() {
            checks.push(failed(wrapper, "is missing".to_owned(), "apt install util-linux coreutils"));
        }
    }
    checks
}

/// Encodes a little, as the station does when it starts.
async fn encoder(station: &Station, token: &CancellationToken) -> Check {
    let devices = Path::new(trial::DEVICES);
    let tried = trial::choose(station.encoder, &station.ffmpeg, devices, &Family::default(), token).await;
    let asked = !matches!(station.encoder, EncoderChoice::Auto | EncoderChoice::X264);
    let hint = (asked && !tried.codec.is_hardware()).then(|| {
        "is its driver installed, and may the user that runs nightcast use /dev/dri or the card? \"auto\" takes what there is"
            .to_owned()
    });
    let outcome = if hint.is_some() { Outcome::Warning } else { Outcome::Ok };
    Check { name: "encoder".to_owned(), outcome, fact: tried.words(), hint }
}

/// Looks whether the data folder can be written, by its nearest folder that exists, and how much room there is.
fn data(data: &Path) -> Check {
    let there = data.ancestors().find(|path| fs::symlink_metadata(path).is_ok()).unwrap_or(Path::new("."));
    if !there.is_dir() {
        let hint = "move it away, or set \"data\" in [station] to another place";
        return failed("data folder", format!("{} is not a folder", there.display()), hint);
    }
    let writable = rustix::fs::access(there, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK);
    if let Err(error) = writable {
        let fact = format!("{} cannot be written: {error}", there.display());
        return failed("data folder", fact, "the user that runs nightcast must be able to write there");
    }
    match rustix::fs::statvfs(there) {
        Ok(space) => {
            let free = space.f_bavail * space.f_frsize;
            let fact = format!("{}, {} GB free", data.display(), free / 1_000_000_000);
            let hint = (free < FREE_MIN_BYTES).then(|| "prepared films need room: free some, or move data".to_owned());
            let outcome = if hint.is_some() { Outcome::Warning } else { Outcome::Ok };
            Check { name: "data folder".to_owned(), outcome, fact, hint }
        }
        Err(error) => failed("data folder", format!("{}: {error}", there.display()), "is the disk all right?"),
    }
}

fn operators_token(config: &Config) -> Option<Check> {
    match token::written(&config.admin) {
        Ok(None) => None,
        Ok(Some(_)) => Some(ok("admin token", "orders are taken from whoever has it".to_owned())),
        Err(error) => {
            let hint = "the station does not start with it";
            Some(failed("admin token", error.to_string(), hint))
        }
    }
}

fn port(name: &str, listen: SocketAddr) -> Check {
    match TcpListener::bind(listen) {
        Ok(_) => ok(name, format!("http://{listen}/ is free")),
        Err(error) => {
            let hint = "is a station running already? \"listen\" in the configuration sets another port";
            Check { outcome: Outcome::Warning, ..failed(name, format!("{listen}: {error}"), hint) }
        }
    }
}

fn folders(config: &Config) -> Vec<Check> {
    let folders =
        config.channels.iter().flat_map(|channel| channel.folders.iter().map(move |folder| (channel, folder)));
    let look = |(channel, folder): (&crate::config::Channel, &PathBuf)| {
        let name = format!("folder of {}", channel.id);
        match fs::read_dir(folder) {
            Ok(_) => ok(&name, folder.display().to_string()),
            Err(error) => {
                let hint = "make the folder, or correct its path; the channel shows its slate until then";
                Check { outcome: Outcome::Warning, ..failed(&name, format!("{}: {error}", folder.display()), hint) }
            }
        }
    };
    folders.map(look).collect()
}

/// Looks whether each logo is a picture that can be shown.
async fn logos(config: &Config) -> Vec<Check> {
    let mut checks = Vec::new();
    let logos = config.brand.channels.iter().filter_map(|(id, brand)| Some((id, brand.logo.as_ref()?)));
    for (id, path) in logos {
        let name = format!("logo of {id}");
        checks.push(match read_logo(path).await {
            Ok((kind, _)) => ok(&name, format!("{}, {kind}", path.display())),
            Err(reason) => {
                let hint = "until it can be shown, the channel's number is";
                Check { outcome: Outcome::Warning, ..failed(&name, format!("{}: {reason}", path.display()), hint) }
            }
        });
    }
    checks
}

/// Looks whether media servers could find the tuner, where the station is to be one.
fn tuner(config: &Config) -> Option<Check> {
    let listen = config.station.listen;
    config.apps.hdhomerun.then(|| {
        let warning = |fact: String, hint| Check { outcome: Outcome::Warning, ..failed("tuner", fact, hint) };
        let here = listen.ip().is_loopback();
        match UdpSocket::bind((if here { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED }, PORT)) {
            Err(error) => {
                warning(format!("UDP port {PORT}: {error}"), "is a station or another tuner running already?")
            }
            Ok(_) if here => {
                let hint = "set listen = \"0.0.0.0:8080\", so that others reach the station";
                warning(format!("found by this machine only: it listens on {listen}"), hint)
            }
            Ok(_) => ok("tuner", format!("UDP port {PORT} is free")),
        }
    })
}

fn ok(name: &str, fact: String) -> Check {
    Check { name: name.to_owned(), outcome: Outcome::Ok, fact, hint: None }
}

fn failed(name: &str, fact: String, hint: &str) -> Check {
    Check { name: name.to_owned(), outcome: Outcome::Failed, fact, hint: Some(hint.to_owned()) }
}
