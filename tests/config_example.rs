//! Goal: `channels.example.toml` is a manual that cannot grow stale: complete, true and working.
//! Method: it is parsed as it is, with each comment removed from before a key, and held against the known keys.

use std::collections::HashSet;
use std::path::Path;

use nightcast::config::{Config, Order, defaults, known_keys, parse};

const EXAMPLE: &str = include_str!("../channels.example.toml");

/// Cores for the default number of workers that the example shows.
const CORES: usize = 2;

fn load(text: &str) -> Config {
    parse(text, Path::new("channels.toml"), CORES).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Returns what a comment shows: `key = value`, `[table]` or `[[table]]`; none for prose.
fn shown(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("# ")?;
    let is_key = |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let is_table = rest.starts_with('[') && rest.ends_with(']');
    (is_table || rest.split_once(" = ").is_some_and(|(key, _)| is_key(key))).then_some(rest)
}

/// Returns the text with every shown key and table made active.
fn all_active() -> String {
    EXAMPLE.lines().map(|line| shown(line).unwrap_or(line)).fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn the_example_is_a_working_station_of_two_channels() {
    let config = load(EXAMPLE);
    let channels: Vec<_> = config.channels.iter().map(|c| (c.id.as_str(), c.name.as_str(), &c.folders[0])).collect();
    assert_eq!(
        channels,
        [
            ("night-lights", "Night Lights", &"media/night-lights".into()),
            ("small-hours", "Small Hours", &"media/small-hours".into()),
        ]
    );
    assert_eq!(config.channels[0].order, Order::Shuffle);
    assert_eq!(config.channels[1].order, Order::Sequential);
}

#[test]
fn the_values_shown_in_comments_are_the_defaults() {
    let plain = load(EXAMPLE);
    let full = load(&all_active());
    assert_eq!((&full.station, &full.metrics), (&plain.station, &plain.metrics));
    assert_eq!(full.channels[..2], plain.channels[..]);
    let nothing_said = load("[[channel]]\nname = \"Night Lights\"\nfolder = \"media/night-lights\"\n");
    assert_eq!((&plain.station, &plain.metrics), (&nothing_said.station, &nothing_said.metrics));
    assert_eq!(plain.channels[0], nothing_said.channels[0]);
}

#[test]
fn the_channel_with_a_taste_shows_weights_and_the_default_spacing() {
    let full = load(&all_active());
    let club = &full.channels[2];
    assert_eq!(club.id.as_str(), "cartoon-club");
    assert_eq!(club.folders.len(), 2);
    let weights = vec![("Classics/".to_owned(), 3.0), ("Adverts/".to_owned(), 0.5)];
    assert_eq!(club.order, Order::Weighted { weights, spacing: usize::try_from(defaults::SPACING).unwrap() });
}

#[test]
fn every_key_there_is_appears_in_its_table() {
    let mut seen = Vec::new();
    let mut table = String::new();
    for line in all_active().lines() {
        if line.starts_with('[') {
            line.clone_into(&mut table);
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            seen.push((table.clone(), key.to_owned()));
        }
    }
    for (table, key) in known_keys() {
        assert!(seen.contains(&(table.to_owned(), key.to_owned())), "{table} {key} is not in channels.example.toml");
    }
}

#[test]
fn every_key_is_explained_by_a_comment_above_it() {
    let mut explained = HashSet::new();
    let mut above = "";
    for line in EXAMPLE.lines() {
        let active = (!line.starts_with('#')).then_some(line);
        if let Some((key, _)) = shown(line).or(active).and_then(|line| line.split_once(" = ")) {
            // Where a key comes again, in the later channels, it needs no second explanation.
            assert!(above.starts_with("# ") || explained.contains(key), "nothing is said above {line}");
            explained.insert(key);
        }
        above = line;
    }
}
