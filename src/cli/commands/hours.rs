//! What `nightcast check` says of the channels' timetables: folders that hold nothing yet, and times that leave no room.

use std::fs;
use std::path::Path;

use crate::cli::report::{Check, Outcome};
use crate::config::{Channel, Config};

/// Two fixed times that are closer than this are looked at twice: hardly a programme fits between them.
const APART_MIN_MINUTES: u16 = 5;

pub(super) fn timetables(config: &Config) -> Vec<Check> {
    let timed = config.channels.iter().filter(|channel| !channel.timetable.is_empty());
    timed.flat_map(of_channel).collect()
}

fn of_channel(channel: &Channel) -> Vec<Check> {
    let name = format!("timetable of {}", channel.id);
    let warning = |fact: String, hint: &str| Check {
        name: name.clone(),
        outcome: Outcome::Warning,
        fact,
        hint: Some(hint.to_owned()),
    };
    let mut checks = Vec::new();
    for (folder, whose) in channel.timetable.folders() {
        if !channel.folders.iter().any(|top| holds(top, folder)) {
            let fact = format!("there is nothing below the channel's folder that begins with {folder:?}, for {whose}");
            let hint = "is it written as the folder is, with large and small letters? It is looked for again and again";
            checks.push(warning(fact, hint));
        }
    }
    for (one, other) in channel.timetable.fixed_closer_than(APART_MIN_MINUTES) {
        let fact = format!("programmes begin at {} and at {} on one day", one.at, other.at);
        checks.push(warning(fact, "the second is late by what the first lasts longer; leave room between them"));
    }
    let timetable = &channel.timetable;
    if !timetable.fixed.is_empty() && timetable.fillers.is_empty() {
        let hint = "name a folder of short films: fillers = \"fillers/\"";
        checks.push(warning("what is left before a fixed time is filled by the card alone".to_owned(), hint));
    }
    if checks.is_empty() {
        let (blocks, fixed) = (timetable.blocks.len(), timetable.fixed.len());
        let fact = format!("{blocks} blocks, {fixed} fixed times");
        checks.push(Check { name, outcome: Outcome::Ok, fact, hint: None });
    }
    checks
}

/// Whether a folder holds anything whose path begins so.
fn holds(top: &Path, beginning: &str) -> bool {
    let (folder, first) = beginning.rsplit_once('/').unwrap_or(("", beginning));
    let entries = fs::read_dir(top.join(folder)).into_iter().flatten().filter_map(Result::ok);
    entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(first))
}
