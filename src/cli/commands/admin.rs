//! `nightcast admin`: orders for the running station.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Answer, Question, ask, here};
use super::{complain, load, say};
use crate::app::token;
use crate::cli::args::Exit;
use crate::cli::operator::{AdminArgs, AdminOrder};
use crate::cli::table::harmless;
use crate::config::Admin;

/// How long an order may take: a channel that ends may take some seconds, and orders are carried out one by one.
const ORDER_MAX: Duration = Duration::from_secs(30);

pub(super) async fn run(path: &Path, args: &AdminArgs) -> Exit {
    match order(path, args).await {
        Ok(told) => {
            say(&if args.json { format!("{told:#}") } else { in_words(&args.order, &told) });
            Exit::Done
        }
        Err((exit, why)) => {
            complain(&why);
            exit
        }
    }
}

async fn order(path: &Path, args: &AdminArgs) -> Result<Value, (Exit, String)> {
    let unreadable = || (Exit::Configuration, "nothing was ordered".to_owned());
    // Whoever names the place and the token need not have the configuration.
    let config = match &args.url {
        Some(_) if args.token_file.is_some() || std::env::var_os(token::VARIABLE).is_some() => None,
        _ => Some(load(path).map_err(|_| unreadable())?),
    };
    let token = match &args.token_file {
        Some(path) => token::in_file(path).map(Some),
        None => token::written(&config.as_ref().map_or_else(Admin::default, |config| config.admin.clone())),
    };
    let token = token.map_err(|error| (Exit::Configuration, error.to_string()))?;
    let token = token.ok_or_else(|| {
        let why = format!(
            "there is no token to show the station (hint: set {}, or --token-file, or token-file in [admin])",
            token::VARIABLE
        );
        (Exit::Configuration, why)
    })?;
    let station = match (&args.url, &config) {
        (Some(url), _) => url.clone(),
        (None, Some(config)) => here(config.station.listen),
        (None, None) => return Err(unreadable()),
    };
    let (method, path, body) = request(&args.order);
    let question = Question { method, path: &path, token: Some(&token), body: &body, patience: ORDER_MAX };
    let answer = ask(&station, question).await.map_err(|error| {
        let why = format!("the station does not answer at {station}: {error} (hint: ask \"nightcast doctor\")");
        (Exit::Failed, why)
    })?;
    understand(&answer).map_err(|why| (Exit::Failed, format!("{station}: {why}")))
}

/// Returns method, path and body of an order.
fn request(order: &AdminOrder) -> (&'static str, String, String) {
    let about = |channel: &str, what: &str| format!("/api/admin/channels/{channel}/{what}");
    let post = |path: String| ("POST", path, String::new());
    match order {
        AdminOrder::Skip(one) => post(about(one.channel.as_str(), "skip")),
        AdminOrder::Off(one) => post(about(one.channel.as_str(), "off")),
        AdminOrder::On(one) => post(about(one.channel.as_str(), "on")),
        AdminOrder::Rescan { channel: Some(channel) } => post(about(channel.as_str(), "rescan")),
        AdminOrder::Rescan { channel: None } => post("/api/admin/rescan".to_owned()),
        AdminOrder::Quarantine => ("GET", "/api/admin/quarantine".to_owned(), String::new()),
        AdminOrder::Requeue { channel, file, .. } => {
            let which = file.as_ref().map_or_else(|| json!({ "all": true }), |file| json!({ "file": file }));
            ("POST", about(channel.as_str(), "requeue"), which.to_string())
        }
    }
}

/// Returns what the station told, or why it did not do it.
fn understand(answer: &Answer) -> Result<Value, String> {
    let told: Option<Value> = serde_json::from_str(&answer.body).ok();
    match (answer.status, told) {
        (200, Some(told)) => Ok(told),
        (_, Some(Value::Object(told))) if told.contains_key("error") => {
            Err(told["error"].as_str().unwrap_or_default().to_owned())
        }
        (404 | 405, _) => Err("this station takes no orders (hint: give it a token, see [admin] in \
                               channels.example.toml)"
            .to_owned()),
        (status, _) => Err(format!("it answers with status {status}")),
    }
}

fn in_words(order: &AdminOrder, told: &Value) -> String {
    let text = |key: &str| harmless(told[key].as_str().unwrap_or_default());
    let forgotten =
        if told["remembered"] == false { "\n(not written down: a restart forgets it; see the log)" } else { "" };
    match order {
        AdminOrder::Skip(one) => {
            format!("{}: \"{}\" is skipped; the next begins at {}", one.channel, text("skipped"), text("ends"))
        }
        AdminOrder::Off(one) => {
            format!("{} is off the air until \"nightcast admin on {}\"{forgotten}", one.channel, one.channel)
        }
        AdminOrder::On(one) => format!("{} goes on the air again{forgotten}", one.channel),
        AdminOrder::Rescan { .. } => format!("the folders are walked now of: {}", words(&told["rescanned"])),
        AdminOrder::Requeue { .. } if told["count"] == 0 => "nothing is set aside".to_owned(),
        AdminOrder::Requeue { .. } => format!("looked at again: {}", words(&told["requeued"])),
        AdminOrder::Quarantine => quarantine(told),
    }
}

fn words(list: &Value) -> String {
    let list = list.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
    if list.is_empty() { "none".to_owned() } else { harmless(&list.join(", ")) }
}

fn quarantine(told: &Value) -> String {
    let mut lines = Vec::new();
    for channel in told["channels"].as_array().into_iter().flatten() {
        let files = channel["files"].as_array().map_or(&[][..], Vec::as_slice);
        if files.is_empty() {
            continue;
        }
        lines.push(format!("{}:", channel["id"].as_str().unwrap_or_default()));
        for file in files {
            let since = file["since"].as_str().map(|since| format!(", since {since}")).unwrap_or_default();
            let text = |key: &str| harmless(file[key].as_str().unwrap_or_default());
            lines.push(format!("  {}\n    {} ({}{since})", text("file"), text("sentence"), text("cause")));
        }
        if channel["more"] != 0 {
            lines.push(format!("  and {} more", channel["more"]));
        }
    }
    if lines.is_empty() { "nothing is set aside".to_owned() } else { lines.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::ChannelId;

    #[test]
    fn what_is_set_aside_is_told_with_its_reasons() {
        let file = json!({ "file": "a.mp4", "sentence": "It is cut off.", "cause": "damaged", "since": null });
        let told = json!({ "channels": [
            { "id": "cats", "files": [file], "more": 3 },
            { "id": "dogs", "files": [], "more": 0 },
        ] });
        let expected = "cats:\n  a.mp4\n    It is cut off. (damaged)\n  and 3 more";
        assert_eq!(in_words(&AdminOrder::Quarantine, &told), expected);
        assert_eq!(in_words(&AdminOrder::Quarantine, &json!({ "channels": [] })), "nothing is set aside");
    }

    #[test]
    fn an_order_is_written_as_the_station_reads_it() {
        let channel = ChannelId::new("cats").unwrap();
        let one = AdminOrder::Requeue { channel: channel.clone(), file: Some("a \"b\".mp4".to_owned()), all: false };
        let (method, path, body) = request(&one);
        assert_eq!((method, path.as_str()), ("POST", "/api/admin/channels/cats/requeue"));
        assert_eq!(body, r#"{"file":"a \"b\".mp4"}"#);
        let all = AdminOrder::Requeue { channel, file: None, all: true };
        assert_eq!(request(&all).2, r#"{"all":true}"#);
    }

    #[test]
    fn why_nothing_was_done_is_told() {
        let told = |status, body: &str| understand(&Answer { status, body: body.to_owned() }).unwrap_err();
        assert_eq!(told(409, r#"{"error":"No item is on air."}"#), "No item is on air.");
        assert!(told(404, "There is nothing at this address.").contains("takes no orders"));
        assert_eq!(told(500, "oh"), "it answers with status 500");
    }
}
