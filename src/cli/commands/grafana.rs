//! `nightcast grafana push`: brings the dashboards to a Grafana that is already there. All is read before anything is
//! written, and nothing is written that is there already.
#![expect(clippy::disallowed_methods, reason = "the token is in the environment, where no list of processes shows it")]

use std::time::Duration;

use hyper::Method;
use serde_json::Value;

use super::{complain, say};
use crate::cli::args::{Exit, PushArgs};
use crate::cli::grafana::boards::{self, Board};
use crate::cli::grafana::client::Client;
use crate::cli::grafana::plan::{self, BoardStep, Difference, FolderStep, SourceStep};
use crate::cli::grafana::problem::Problem;
use crate::cli::grafana::report::{Did, Entry, PushReport, push_json, push_text};

/// The variable that holds the token.
const TOKEN: &str = "GRAFANA_TOKEN";

/// How many folders Grafana is asked for: as many as it tells at once.
const FOLDERS_MAX: usize = 1000;

/// What is to be done, in the order in which it is.
struct Plan {
    source: Option<SourceStep>,
    folder: FolderStep,
    boards: Vec<(Board, BoardStep)>,
}

pub(super) async fn push(args: &PushArgs) -> Exit {
    let token = std::env::var(TOKEN).unwrap_or_default();
    let token = token.trim();
    if token.is_empty() {
        complain(&format!(
            "{TOKEN} is not set (hint: make a token in Grafana under Administration, Service accounts, with the role \
             Editor, and put it into the environment; the command line would show it to everybody on this machine)"
        ));
        return Exit::Configuration;
    }
    if args.url.is_open() {
        complain(&format!("the token travels unencrypted to {} (hint: https://)", args.url));
    }
    let mut report = PushReport { url: args.url.to_string(), dry_run: args.dry_run, ..PushReport::default() };
    let timeout = Duration::from_secs(args.timeout.into());
    let done = match Client::new(args.url.clone(), token, timeout) {
        Ok(client) => work(&client, args, &mut report).await,
        Err(problem) => Err(problem),
    };
    report.failed = done.is_err();
    // What was done before something failed is told, too.
    if done.is_ok() || !report.entries.is_empty() {
        say(&if args.json { push_json(&report) } else { push_text(&report) });
    }
    match done {
        Ok(()) => Exit::Done,
        Err(problem) => {
            complain(&problem.to_string().replace(token, "…"));
            Exit::Failed
        }
    }
}

async fn work(client: &Client, args: &PushArgs, report: &mut PushReport) -> Result<(), Problem> {
    report.version = version(client, args).await?;
    let plan = look(client, args).await?;
    if let Some(step) = &plan.source {
        source(client, args, step, report).await?;
    }
    let folder = folder(client, args, plan.folder, report).await?;
    for (ours, step) in &plan.boards {
        board(client, args, ours, step, &folder, report).await?;
    }
    Ok(())
}

/// Asks something that must be answered with JSON.
async fn asked(
    client: &Client,
    what: &str,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Value, Problem> {
    let answer = client.ask(what, method, path, body).await?;
    if !answer.status.is_success() {
        return Err(Problem::of_status(what, answer.status.as_u16(), &answer.body));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|error| Problem::Strange { what: what.to_owned(), why: error.to_string() })
}

/// Whether Grafana is there, and which.
async fn version(client: &Client, args: &PushArgs) -> Result<String, Problem> {
    let answer = client.ask("the question for its health", Method::GET, "/api/health", None).await?;
    let not = |why: &str| Problem::NotGrafana { at: args.url.to_string(), why: why.to_owned() };
    let status = answer.status.as_u16();
    let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if told.get("database").is_none() {
        return Err(match status {
            500.. => Problem::of_status("the question for its health", status, &answer.body),
            200..300 => not("it answers /api/health with something else"),
            _ => not(&format!("it answers /api/health with status {status}")),
        });
    }
    // Some are told not to tell.
    Ok(told["version"].as_str().unwrap_or("unknown").to_owned())
}

/// Reads all that the plan rests on.
async fn look(client: &Client, args: &PushArgs) -> Result<Plan, Problem> {
    let path = format!("/api/folders?limit={FOLDERS_MAX}");
    let folders = asked(client, "reading the folders", Method::GET, &path, None).await?;
    let folder = plan::folder(&folders, args.folder.as_deref())?;
    let mut steps = Vec::new();
    for ours in boards::all() {
        let what = format!("reading the dashboard {}", ours.uid);
        let answer = client.ask(&what, Method::GET, &format!("/api/dashboards/uid/{}", ours.uid), None).await?;
        let theirs = match answer.status.as_u16() {
            404 => None,
            code if !answer.status.is_success() => return Err(Problem::of_status(&what, code, &answer.body)),
            _ => Some(
                serde_json::from_slice(&answer.body)
                    .map_err(|error| Problem::Strange { what, why: error.to_string() })?,
            ),
        };
        let newest = newest(client, &ours, theirs.as_ref()).await?;
        let step = plan::board(&ours, theirs.as_ref(), newest, &folder)?;
        steps.push((ours, step));
    }
    let mut source = None;
    if args.prometheus.is_some() {
        let list = asked(client, "reading the list of data sources", Method::GET, "/api/datasources", None).await?;
        source = Some(plan::source(&list)?);
    }
    Ok(Plan { source, folder, boards: steps })
}

/// Whether Grafana's history knows the dashboard as the one that this program saved; asked only where that is in doubt.
async fn newest(client: &Client, ours: &Board, theirs: Option<&Value>) -> Result<bool, Problem> {
    if !plan::is_told_otherwise(ours, theirs) {
        return Ok(false);
    }
    let path = format!("/api/dashboards/uid/{}/versions?limit=1", ours.uid);
    let answer = client.ask("reading the history of a dashboard", Method::GET, &path, None).await?;
    // A history that is not to be had decides nothing.
    let history = answer.status.is_success().then(|| serde_json::from_slice(&answer.body).ok()).flatten();
    Ok(history.is_some_and(|history| plan::is_newest(ours, theirs, &history)))
}

async fn source(client: &Client, args: &PushArgs, step: &SourceStep, report: &mut PushReport) -> Result<(), Problem> {
    let url = args.prometheus.as_ref().map(ToString::to_string).unwrap_or_default();
    let (name, did, note) = match step {
        SourceStep::Keep(name) => (name.as_str(), Did::Unchanged, "a Prometheus is known already".to_owned()),
        SourceStep::Create(name) => (*name, Did::Created, url.clone()),
    };
    if did == Did::Created && !args.dry_run {
        let body = plan::source_body(name, &url);
        asked(client, "creating the data source", Method::POST, "/api/datasources", Some(&body)).await?;
    }
    report.entries.push(Entry { kind: "data source", name: name.to_owned(), did, note });
    Ok(())
}

/// Returns the uid of the folder.
async fn folder(
    client: &Client,
    args: &PushArgs,
    step: FolderStep,
    report: &mut PushReport,
) -> Result<String, Problem> {
    let (name, did, uid) = match step {
        FolderStep::Keep(folder) => (folder.title, Did::Unchanged, folder.uid),
        FolderStep::Create { title, .. } if args.dry_run => (title, Did::Created, String::new()),
        FolderStep::Create { title, uid } => {
            let body = plan::folder_body(&title, uid);
            let what = format!("creating the folder \"{title}\"");
            let made = asked(client, &what, Method::POST, "/api/folders", Some(&body)).await?;
            let uid = made["uid"].as_str().unwrap_or_default().to_owned();
            if uid.is_empty() {
                return Err(Problem::Strange { what, why: "it has no uid".to_owned() });
            }
            (title, Did::Created, uid)
        }
    };
    report.entries.push(Entry { kind: "folder", name, did, note: String::new() });
    Ok(uid)
}

async fn board(
    client: &Client,
    args: &PushArgs,
    ours: &Board,
    step: &BoardStep,
    folder: &str,
    report: &mut PushReport,
) -> Result<(), Problem> {
    let at = format!("{}/d/{}", args.url, ours.uid);
    let (did, note) = match step {
        BoardStep::Create => (Did::Created, at),
        BoardStep::Keep => (Did::Unchanged, at),
        BoardStep::Update { difference: Difference::Folder(from), .. } => (Did::Moved, format!("{at} (from {from})")),
        BoardStep::Update { version, by, .. } if by.is_empty() => {
            (Did::Updated, format!("{at} (over version {version})"))
        }
        BoardStep::Update { version, by, .. } => (Did::Updated, format!("{at} (over version {version}, by {by})")),
    };
    if did != Did::Unchanged && !args.dry_run {
        let body = plan::board_body(ours, step, folder, args.overwrite);
        let what = format!("saving the dashboard \"{}\"", ours.title);
        asked(client, &what, Method::POST, "/api/dashboards/db", Some(&body)).await?;
    }
    report.entries.push(Entry { kind: "dashboard", name: ours.title.clone(), did, note });
    Ok(())
}
