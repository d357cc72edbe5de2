//! Goal: whoever writes a broken configuration is told everything that is wrong with it, where, and what to do.
//! Method: a table of a sentence, a broken file, and the exact report.

use std::path::Path;

#[path = "config_messages/beside.rs"]
mod beside;
#[path = "config_messages/meaning.rs"]
mod meaning;
#[path = "config_messages/profiles.rs"]
mod profiles;
#[path = "config_messages/timetables.rs"]
mod timetables;

/// A sentence, the file, and the report.
type Row = (&'static str, &'static str, &'static str);

fn check(rows: &[Row]) {
    for (sentence, text, expected) in rows {
        let problems = nightcast::config::parse(text, Path::new("channels.toml"), 4).expect_err(sentence);
        // The expected reports begin with a line break, so that they stand in the table as they stand on a terminal.
        let report = format!("\n{problems}");
        assert!(report == *expected, "{sentence}\n--- expected{expected}\n--- got{report}");
    }
}

const UNKNOWN: &[Row] = &[
    (
        "an empty file is told the lines to write",
        "",
        r#"
error: there is no channel yet
  ┌ channels.toml:1:1
 1│
  │ ^ (hint: write at least
  │     [[channel]]
  │     name = "Cats"
  │     folder = "media/cats")

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a channel without name and folder is told both",
        r"[[channel]]
",
        r#"
error: name is missing
  ┌ channels.toml:1:1  [[channel]]
 1│ [[channel]]
  │ ^^^^^^^^^^^ (hint: it is what viewers read: name = "Cats")

error: folder is missing
  ┌ channels.toml:1:1  [[channel]]
 1│ [[channel]]
  │ ^^^^^^^^^^^ (hint: where the videos lie: folder = "media/cats")

2 problems in channels.toml, nothing was started"#,
    ),
    (
        "a mistyped key is told the key that was meant",
        r#"[station]
lsiten = "127.0.0.1:8080"

[[channel]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: there is no key "lsiten" here
  ┌ channels.toml:2:1  [station]
 2│ lsiten = "127.0.0.1:8080"
  │ ^^^^^^ (hint: did you mean "listen"?
  │     the keys are name, time-zone, listen, data, cache-budget, workers, encoder, settle-seconds, rescan-seconds, connections-max, ffmpeg, ffprobe, colour)

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "an underscore is told the dash",
        r#"[station]
cache_budget = "5GB"
[[channel]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: there is no key "cache_budget" here
  ┌ channels.toml:2:1  [station]
 2│ cache_budget = "5GB"
  │ ^^^^^^^^^^^^ (hint: did you mean "cache-budget"?
  │     the keys are name, time-zone, listen, data, cache-budget, workers, encoder, settle-seconds, rescan-seconds, connections-max, ffmpeg, ffprobe, colour)

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a foreign key is told all keys",
        r#"[[channel]]
name = "Cats"
folder = "cats"
flavour = "red"
"#,
        r#"
error: there is no key "flavour" here
  ┌ channels.toml:4:1  [[channel]] Cats
 4│ flavour = "red"
  │ ^^^^^^^ (hint: the keys are id, name, folder, order, spacing, weights, seed, prepare, renditions, subtitles, subtitle-languages, mirror, on-demand, rewind, rewind-space, logo, logo-burn, colour, fillers, idents, sign-off, block, fixed, picture, sound)

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a key of another table is told its table",
        r#"[station]
order = "random"
[[channel]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: there is no key "order" here
  ┌ channels.toml:2:1  [station]
 2│ order = "random"
  │ ^^^^^ (hint: it belongs to [[channel]])

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a picture before its channel is told where it belongs",
        r#"[picture]
fps = 25
[[channel]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: there is no key "picture" here
  ┌ channels.toml:1:2
 1│ [picture]
  │  ^^^^^^^ (hint: write [channel.picture] below the channel it is meant for)

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a table with a plural name is told its name",
        r#"[[channels]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: there is no key "channels" here
  ┌ channels.toml:1:3
 1│ [[channels]]
  │   ^^^^^^^^ (hint: did you mean [[channel]]?)

1 problem in channels.toml, nothing was started"#,
    ),
];

#[test]
fn a_file_without_channels_or_with_foreign_keys_is_told_what_is_known() {
    check(UNKNOWN);
}

const SYNTAX: &[Row] = &[
    (
        "a channel in single brackets is told of double ones",
        r#"[channel]
name = "Cats"
folder = "cats"
"#,
        r"
error: channel is not a list of channels
  ┌ channels.toml:1:2
 1│ [channel]
  │  ^^^^^^^ (hint: every channel begins with [[channel]], in double brackets)

1 problem in channels.toml, nothing was started",
    ),
    (
        "two channels in single brackets are told of double ones",
        r#"[channel]
name = "Cats"

[channel]
name = "Dogs"
"#,
        r#"
error: channel is written in two ways
  ┌ channels.toml:4:2
 4│ [channel]
  │  ^^^^^^^ (hint: every channel begins with [[channel]], in double brackets, and its [channel.picture] stands below it)

error: name is written twice
  ┌ channels.toml:5:1
 5│ name = "Dogs"
  │ ^^^^ (hint: keep one; a second channel needs its own [[channel]] line)

2 problems in channels.toml, nothing was started"#,
    ),
    (
        "text without quotes is told of quotes",
        r"[[channel]]
name = Cats
folder = cats
",
        r#"
error: text must stand in quotes
  ┌ channels.toml:2:8
 2│ name = Cats
  │        ^^^^ (hint: write "Cats")

error: text must stand in quotes
  ┌ channels.toml:3:10
 3│ folder = cats
  │          ^^^^ (hint: write "cats")

2 problems in channels.toml, nothing was started"#,
    ),
    (
        "curly quotes are told of straight ones",
        r#"[[channel]]
name = “Cats”
folder = "cats"
"#,
        r#"
error: curly quotes are not understood
  ┌ channels.toml:2:8
 2│ name = “Cats”
  │        ^^^^^^ (hint: use straight ones: ")

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a path with backslashes is told of slashes",
        r#"[[channel]]
name = "Cats"
folder = "C:\Videos"
"#,
        r#"
error: a backslash in double quotes begins a special character
  ┌ channels.toml:3:14
 3│ folder = "C:\Videos"
  │              ^ (hint: write paths with / or in single quotes: 'C:\Videos')

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "an open quote is found",
        r#"[[channel]]
name = "Cats
folder = "cats"
"#,
        r#"
error: the text has no closing quote
  ┌ channels.toml:2:13
 2│ name = "Cats
  │             ^ (hint: close it on the line where it begins)

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a key written twice is found",
        r#"[[channel]]
name = "Cats"
folder = "cats"
name = "Dogs"
"#,
        r#"
error: name is written twice
  ┌ channels.toml:4:1
 4│ name = "Dogs"
  │ ^^^^ (hint: keep one; a second channel needs its own [[channel]] line)

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a key without a value is found",
        r#"[[channel]]
name "Cats"
"#,
        r#"
error: a key without a value
  ┌ channels.toml:2:6
 2│ name "Cats"
  │      ^ (hint: write key = value; text after # is a comment)

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "two keys on one line are found",
        r#"[[channel]]
name = "Cats" folder = "cats"
"#,
        r#"
error: there is more on the line than one key and its value
  ┌ channels.toml:2:15
 2│ name = "Cats" folder = "cats"
  │               ^ (hint: one key a line)

1 problem in channels.toml, nothing was started"#,
    ),
];

#[test]
fn text_that_is_not_toml_is_explained_in_plain_words() {
    check(SYNTAX);
}
