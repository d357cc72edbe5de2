//! What the values mean: numbers and words out of range, and what may not stand together.

use super::{Row, check};

const VALUES: &[Row] = &[
    (
        "a number where text belongs is told the quotes",
        r#"[station]
listen = 8080
[[channel]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: listen must be text in quotes, got the number 8080
  ┌ channels.toml:2:10  [station]
 2│ listen = 8080
  │          ^^^^ (hint: write "127.0.0.1:8080")

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "an address for metrics that is none is told that there may be none",
        r#"[metrics]
listen = "none"
[[channel]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: listen is not an address with a port: "none"
  ┌ channels.toml:2:10  [metrics]
 2│ listen = "none"
  │          ^^^^^^ (hint: an address and a port, such as "127.0.0.1:9191", or "off")

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "pages and metrics need an address each",
        r#"[station]
listen = "127.0.0.1:9191"
[metrics]
listen = "127.0.0.1:9191"
[[channel]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: 127.0.0.1:9191 is the address of the pages
  ┌ channels.toml:4:10  [metrics]
 4│ listen = "127.0.0.1:9191"
  │          ^^^^^^^^^^^^^^^^ (hint: metrics need a port of their own, or "off")

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a mistyped table is told the one that was meant",
        r#"[metric]
listen = "off"
[[channel]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: there is no key "metric" here
  ┌ channels.toml:1:2
 1│ [metric]
  │  ^^^^^^ (hint: did you mean [metrics]?)

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "text where a number belongs is told to leave the quotes out",
        r#"[station]
workers = "2"
[[channel]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: workers must be a whole number, got the text "2"
  ┌ channels.toml:2:11  [station]
 2│ workers = "2"
  │           ^^^ (hint: write 2 without quotes)

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a list of folders may hold text only",
        r#"[[channel]]
name = "Cats"
folder = ["cats", 7]
"#,
        r#"
error: folder must be text in quotes or a list of texts, got the number 7
  ┌ channels.toml:3:19  [[channel]] Cats
 3│ folder = ["cats", 7]
  │                   ^ (hint: write "7")

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "an empty list of folders is no folder",
        r#"[[channel]]
name = "Cats"
folder = []
"#,
        r"
error: folder is an empty list
  ┌ channels.toml:3:10  [[channel]] Cats
 3│ folder = []
  │          ^^ (hint: name at least one)

1 problem in channels.toml, nothing was started",
    ),
    (
        "localhost is told its address",
        r#"[station]
listen = "localhost:8080"
[[channel]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: listen is not an address with a port: "localhost:8080"
  ┌ channels.toml:2:10  [station]
 2│ listen = "localhost:8080"
  │          ^^^^^^^^^^^^^^^^ (hint: write "127.0.0.1:8080")

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a port alone is told both addresses",
        r#"[station]
listen = ":9000"
[[channel]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: listen is not an address with a port: ":9000"
  ┌ channels.toml:2:10  [station]
 2│ listen = ":9000"
  │          ^^^^^^^ (hint: "127.0.0.1:9000" for this machine only, "0.0.0.0:9000" for the whole network)

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a size without a unit is told the units",
        r#"[station]
cache-budget = "50"
[[channel]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: cache-budget is not a size: "50"
  ┌ channels.toml:2:16  [station]
 2│ cache-budget = "50"
  │                ^^^^ (hint: a number and MB, GB or TB: "50GB")

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a cache too small for one film is refused",
        r#"[station]
cache-budget = "5MB"
[[channel]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: cache-budget must be at least 100MB, got "5MB"
  ┌ channels.toml:2:16  [station]
 2│ cache-budget = "5MB"
  │                ^^^^^ (hint: prepared films need about 1 GB an hour)

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a number out of range is told the range",
        r#"[station]
workers = 0
connections-max = 3
rescan-seconds = 0.5
settle-seconds = -1
[[channel]]
name = "Cats"
folder = "cats"
"#,
        r"
error: workers must be between 1 and 64, got 0
  ┌ channels.toml:2:11  [station]
 2│ workers = 0
  │           ^ (hint: half the cores is a good start)

error: connections-max must be between 10 and 100000, got 3
  ┌ channels.toml:3:19  [station]
 3│ connections-max = 3
  │                   ^ (hint: a viewer needs one or two)

error: rescan-seconds must be between 1 and 86400, got 0.5
  ┌ channels.toml:4:18  [station]
 4│ rescan-seconds = 0.5
  │                  ^^^ (hint: 300 is every five minutes)

error: settle-seconds must be between 0.1 and 3600, got -1
  ┌ channels.toml:5:18  [station]
 5│ settle-seconds = -1
  │                  ^^ (hint: 2 suits most ways of copying)

4 problems in channels.toml, nothing was started",
    ),
    (
        "a home folder is told to be written out",
        r#"[[channel]]
name = "Cats"
folder = "~/Videos"
"#,
        r#"
error: folder begins with ~, which only a shell understands
  ┌ channels.toml:3:10  [[channel]] Cats
 3│ folder = "~/Videos"
  │          ^^^^^^^^^^ (hint: write the whole path)

1 problem in channels.toml, nothing was started"#,
    ),
];

#[test]
fn values_of_the_wrong_kind_or_range_are_told_what_is_right() {
    check(VALUES);
}

const CHANNELS: &[Row] = &[
    (
        "a name of another script is told to write an id",
        r#"[[channel]]
name = "Новости"
folder = "news"
"#,
        r#"
error: no id can be made from the name "Новости"
  ┌ channels.toml:2:8  [[channel]] Новости
 2│ name = "Новости"
  │        ^^^^^^^^^ (hint: write one of a-z, 0-9 and -, such as id = "news")

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "an id with capitals is told the id that was meant",
        r#"[[channel]]
name = "Cats"
folder = "cats"
id = "Night Cats"
"#,
        r#"
error: id may hold a-z, 0-9 and - only, and up to 40 of them, got "Night Cats"
  ┌ channels.toml:4:6  [[channel]] Cats
 4│ id = "Night Cats"
  │      ^^^^^^^^^^^^ (hint: write "night-cats")

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "two channels of one name are told apart",
        r#"[[channel]]
name = "Cats"
folder = "cats"

[[channel]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: two channels have the id cats
  ┌ channels.toml:6:8  [[channel]] Cats
 6│ name = "Cats"
  │        ^^^^^^ (hint: the first is made on line 2; give this one an id of its own: id = "cats-2")

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a mistyped order is told the order that was meant",
        r#"[[channel]]
name = "Cats"
folder = "cats"
order = "shufle"
"#,
        r#"
error: order cannot be "shufle"
  ┌ channels.toml:4:9  [[channel]] Cats
 4│ order = "shufle"
  │         ^^^^^^^^ (hint: did you mean "shuffle"? There are "shuffle", "random", "weighted", "sequential")

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "spacing has no meaning in a shuffle",
        r#"[[channel]]
name = "Cats"
folder = "cats"
spacing = 5
"#,
        r"
error: spacing has no meaning with the order shuffle
  ┌ channels.toml:4:11  [[channel]] Cats
 4│ spacing = 5
  │           ^ (hint: it belongs to random or weighted: leave it out, or change order)

1 problem in channels.toml, nothing was started",
    ),
    (
        "weights belong to weighted only, and a seed to chance only",
        r#"[[channel]]
name = "Cats"
folder = "cats"
order = "sequential"
seed = 5
weights = { "a/" = 2 }
"#,
        r#"
error: seed has no meaning with the order sequential
  ┌ channels.toml:5:8  [[channel]] Cats
 5│ seed = 5
  │        ^ (hint: it belongs to shuffle, random or weighted: leave it out, or change order)

error: weights has no meaning with the order sequential
  ┌ channels.toml:6:11  [[channel]] Cats
 6│ weights = { "a/" = 2 }
  │           ^^^^^^^^^^^^ (hint: it belongs to weighted: leave it out, or change order)

2 problems in channels.toml, nothing was started"#,
    ),
    (
        "weighted without weights is random",
        r#"[[channel]]
name = "Cats"
folder = "cats"
order = "weighted"
"#,
        r#"
error: order is weighted, but there are no weights
  ┌ channels.toml:4:9  [[channel]] Cats
 4│ order = "weighted"
  │         ^^^^^^^^^^ (hint: add weights = { "Folder/" = 3.0 }, or choose "random")

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "weights stay within the folder and above zero",
        r#"[[channel]]
name = "Cats"
folder = "cats"
order = "weighted"
weights = { "/a" = 1, "b/" = 0, "c/" = "x" }
"#,
        r#"
error: a weight is for a path within the channel's folder, got "/a"
  ┌ channels.toml:5:13  [[channel]] Cats
 5│ weights = { "/a" = 1, "b/" = 0, "c/" = "x" }
  │             ^^^^ (hint: begin below the channel's folder: "Cartoons/")

error: a weight must be above 0 and at most 1000, got 0
  ┌ channels.toml:5:30  [[channel]] Cats
 5│ weights = { "/a" = 1, "b/" = 0, "c/" = "x" }
  │                              ^ (hint: 1 is ordinary, 2 twice as often, 0.5 half as often)

error: a weight must be a number, got the text "x"
  ┌ channels.toml:5:40  [[channel]] Cats
 5│ weights = { "/a" = 1, "b/" = 0, "c/" = "x" }
  │                                        ^^^

3 problems in channels.toml, nothing was started"#,
    ),
    (
        "folders within one another would play everything twice",
        r#"[[channel]]
name = "Cats"
folder = ["cats", "cats/../cats/kittens"]
"#,
        r#"
error: the folders cats and cats/../cats/kittens overlap
  ┌ channels.toml:3:19  [[channel]] Cats
 3│ folder = ["cats", "cats/../cats/kittens"]
  │                   ^^^^^^^^^^^^^^^^^^^^^^ (hint: folders are read with everything below them: name the upper one only)

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a channel must not play the data folder",
        r#"[station]
data = "media/data"

[[channel]]
name = "All"
folder = "media"
"#,
        r#"
error: the folder media and the data folder media/data overlap
  ┌ channels.toml:6:10  [[channel]] All
 6│ folder = "media"
  │          ^^^^^^^ (hint: the station would play its own files: keep films apart from data, which [station] can move)

1 problem in channels.toml, nothing was started"#,
    ),
];

#[test]
fn what_belongs_to_a_channel_is_judged_by_what_it_means() {
    check(CHANNELS);
}
