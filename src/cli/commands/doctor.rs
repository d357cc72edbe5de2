//! `nightcast doctor`: looks at a running station and its machine, and says what is wrong and what to do.
#![expect(clippy::disallowed_methods, reason = "looks at the machine")]

use std::fs::{self, File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::client::{Question, ask, here};
use super::examine::programs;
use super::say;
use crate::app::{reload, token};
use crate::cli::args::Exit;
use crate::cli::doctor::judge::judge;
use crate::cli::doctor::samples::Samples;
use crate::cli::doctor::{ConfigSeen, Guide, MachineSeen, MetricsSeen, Observed, StationSeen, told};
use crate::cli::operator::{DoctorArgs, Url};
use crate::cli::report::Outcome;
use crate::config::{Admin, Config, defaults};

/// How long a page may take to answer: a busy machine is no dead one.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// How far apart the two looks at the figures are, from which it is seen what grows.
const LOOKS_APART: Duration = Duration::from_secs(2);

/// How much of an answer that is none of ours is told, in characters.
const SAID_CHARS_MAX: usize = 60;

pub(super) async fn run(path: &Path, args: &DoctorArgs, end: &CancellationToken) -> Exit {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = fs::read_to_string(&path);
    let (config, problems) = match &text {
        Ok(text) => match reload::parse(text, &path) {
            Ok(config) => (Some(config), None),
            Err(problems) => (None, Some(without_count(&problems.to_string()))),
        },
        Err(error) => (None, Some(format!("{}: {error}", path.display()))),
    };
    let places = places(config.as_ref(), text.as_deref().unwrap_or_default());
    let url = args.url.clone().unwrap_or_else(|| here(places.pages));
    // What is only here says nothing of a station that is elsewhere.
    let local = args.url.is_none() || is_on_this_machine(&url);
    // Whoever names the place need not have the file.
    let told_of = args.url.is_none() || (local && text.is_ok());
    let is_here = config.as_ref().filter(|_| local);
    let (station, metrics, machine) = tokio::join!(
        look_at_station(&url),
        look_at_metrics(places.metrics.filter(|_| told_of), args, config.is_some()),
        async {
            match is_here {
                Some(config) => Some(look_at_machine(config, end).await),
                None => None,
            }
        }
    );
    let seen = Observed {
        config: ConfigSeen {
            problems: problems.filter(|_| told_of),
            saved: saved(&path).filter(|_| is_here.is_some()),
            token: is_here.and_then(|config| unfit_token(&config.admin)),
            connections_max: is_here.and_then(|config| u64::try_from(config.station.connections_max).ok()),
            path: path.display().to_string(),
        },
        machine,
        station,
        metrics,
    };
    let findings = judge(&seen);
    let channels = match &seen.station {
        StationSeen::Answers(guide) => Some(guide.channels.len()),
        _ => None,
    };
    say(&if args.json { told::json(&findings) } else { told::text(&findings, channels) });
    told::exit(&findings)
}

/// Returns the problems of a configuration without their last line, which says what was done about them: nothing here.
fn without_count(problems: &str) -> String {
    problems.trim_end().rsplit_once('\n').map_or(problems, |(all, _)| all).trim_end().to_owned()
}

/// Why the operator's token is of no use; that this user may not read it says nothing of the station.
fn unfit_token(admin: &Admin) -> Option<String> {
    token::written(admin).err().filter(|error| !error.is_denied()).map(|error| error.to_string())
}

/// Where a station is to be asked.
struct Places {
    pages: SocketAddr,
    metrics: Option<SocketAddr>,
}

/// Returns where the configuration says that the station listens; of one with problems, as far as that can be read.
fn places(config: Option<&Config>, text: &str) -> Places {
    if let Some(config) = config {
        return Places { pages: config.station.listen, metrics: config.metrics.listen };
    }
    let table: toml::Table = text.parse().unwrap_or_default();
    let listen =
        |section: &str| table.get(section).and_then(|section| section.get("listen")).and_then(toml::Value::as_str);
    let address = |text: Option<&str>, standard: &str| text.unwrap_or(standard).trim().parse().ok();
    Places {
        pages: address(listen("station"), defaults::LISTEN)
            .unwrap_or_else(|| defaults::LISTEN.parse().expect("the default address is one")),
        metrics: address(listen("metrics"), defaults::METRICS_LISTEN),
    }
}

fn is_on_this_machine(url: &Url) -> bool {
    url.host == "localhost" || url.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn saved(path: &Path) -> Option<Timestamp> {
    Timestamp::try_from(fs::metadata(path).ok()?.modified().ok()?).ok()
}

async fn look_at_station(url: &Url) -> StationSeen {
    let place = url.to_string();
    let health = match ask(url, Question::get("/healthz", ANSWER_MAX)).await {
        Ok(health) => health,
        Err(error) => return StationSeen::Silent { place, why: error.to_string() },
    };
    if (health.status, health.body.as_str()) != (200, "ok\n") {
        let said: String = health.body.lines().next().unwrap_or_default().chars().take(SAID_CHARS_MAX).collect();
        return StationSeen::Stranger { place, said: format!("status {} {said}", health.status) };
    }
    let guide = match ask(url, Question::get("/api/channels", ANSWER_MAX)).await {
        Ok(answer) => serde_json::from_str::<Guide>(&answer.body).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let ready = ask(url, Question::get("/readyz", ANSWER_MAX)).await;
    let not_ready = ready.ok().filter(|ready| ready.status != 200).map(|ready| ready.body).unwrap_or_default();
    match guide {
        Ok(guide) => StationSeen::Answers(Guide { not_ready, ..guide }),
        Err(why) => StationSeen::Stranger { place, said: format!("something else at /api/channels: {why}") },
    }
}

async fn look_at_metrics(listen: Option<SocketAddr>, args: &DoctorArgs, known: bool) -> MetricsSeen {
    let url = match (&args.metrics, listen) {
        (Some(url), _) => url.clone(),
        (None, Some(listen)) => here(listen),
        (None, None) if args.url.is_none() && known => return MetricsSeen::Off,
        (None, None) => return MetricsSeen::NotAsked,
    };
    let before = match read_metrics(&url).await {
        Ok(before) => before,
        Err(why) => return MetricsSeen::Silent(url.to_string(), why),
    };
    tokio::time::sleep(LOOKS_APART).await;
    match read_metrics(&url).await {
        Ok(after) => MetricsSeen::Read(before, after, LOOKS_APART),
        Err(why) => MetricsSeen::Silent(url.to_string(), why),
    }
}

async fn read_metrics(url: &Url) -> Result<Samples, String> {
    let answer = ask(url, Question::get("/metrics", ANSWER_MAX)).await.map_err(|error| error.to_string())?;
    let samples = Samples::read(&answer.body);
    let ours = samples.count("build_info") == 1;
    if ours { Ok(samples) } else { Err(format!("what answers there (status {}) is no station", answer.status)) }
}

async fn look_at_machine(config: &Config, end: &CancellationToken) -> MachineSeen {
    let failed = programs(&config.station, end).await.into_iter().filter(|check| check.outcome == Outcome::Failed);
    let folders =
        config.channels.iter().flat_map(|channel| channel.folders.iter().map(move |folder| (channel, folder)));
    let data = &config.station.data;
    let holder = holder(data);
    // What this user may not do says nothing of what the station may.
    let other = holder.is_some_and(is_of_another_user);
    let says_something = move |error: &io::Error| !(other && error.kind() == io::ErrorKind::PermissionDenied);
    let unreadable = folders.filter_map(|(channel, folder)| {
        let error = fs::read_dir(folder).err().filter(says_something)?;
        Some((channel.id.to_string(), folder.display().to_string(), error.to_string()))
    });
    MachineSeen {
        programs: failed.map(|check| (check.name, check.fact)).collect(),
        folders: unreadable.collect(),
        data: unwritable(data)
            .filter(|(_, error)| says_something(error))
            .map(|(path, error)| format!("{path}: {error}")),
        free: rustix::fs::statvfs(data).ok().map(|space| space.f_bavail * space.f_frsize),
        holder,
        watches: holder.and_then(watches),
    }
}

/// Why the data folder, or the nearest one above it that exists, cannot be written, and which that is.
fn unwritable(data: &Path) -> Option<(String, io::Error)> {
    let there = data.ancestors().find(|path| fs::symlink_metadata(path).is_ok()).unwrap_or(Path::new("."));
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    let error = rustix::fs::access(there, access).err()?;
    Some((there.display().to_string(), error.into()))
}

fn is_of_another_user(pid: u32) -> bool {
    let owner = fs::metadata(format!("/proc/{pid}")).map(|about| about.uid());
    owner.is_ok_and(|owner| owner != rustix::process::geteuid().as_raw())
}

/// Which process holds the data folder. Nothing is taken: a lock that is free is let go at once.
fn holder(data: &Path) -> Option<u32> {
    let path = data.join("lock");
    let file = File::open(&path).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {
            Some(fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0))
        }
        _ => None,
    }
}

/// How many watches on folders a process has, and how many one user may have; none where that cannot be read.
fn watches(pid: u32) -> Option<(u64, u64)> {
    let most = fs::read_to_string("/proc/sys/fs/inotify/max_user_watches").ok()?.trim().parse().ok()?;
    let handles = fs::read_dir(format!("/proc/{pid}/fdinfo")).ok()?.filter_map(Result::ok);
    let texts = handles.filter_map(|handle| fs::read_to_string(handle.path()).ok());
    let used = texts.map(|text| text.lines().filter(|line| line.starts_with("inotify ")).count()).sum::<usize>();
    Some((u64::try_from(used).ok()?, most))
}
