//! Timetables: times, days, zones and folders that cannot be, and what cannot be at one time.

use super::{Row, check};

const TIMETABLES: &[Row] = &[
    (
        "a zone that is not is told the nearest",
        r#"[station]
time-zone = "Berlin"
[[channel]]
name = "Cats"
folder = "cats"
"#,
        r#"
error: there is no time zone "Berlin"
  ┌ channels.toml:2:13  [station]
 2│ time-zone = "Berlin"
  │             ^^^^^^^^ (hint: did you mean "Europe/Berlin"? It is a continent and a city, such as "Europe/Berlin"; "UTC"; or "system" for the machine's own)

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "days, times and folders are told what they look like",
        r#"[[channel]]
name = "Cats"
folder = "cats"
[[channel.block]]
days = ["mon-fri", "caturday"]
from = "6pm"
to = "20:00"
folder = "/Series"
"#,
        r#"
error: "caturday" is no day of the week
  ┌ channels.toml:5:20  [[channel.block]] of [[channel]] Cats
 5│ days = ["mon-fri", "caturday"]
  │                    ^^^^^^^^^^ (hint: "mon" to "sun", "mon-fri", ["sat", "sun"]; left out, it is every day)

error: from is not a time of day: "6pm"
  ┌ channels.toml:6:8  [[channel.block]] of [[channel]] Cats
 6│ from = "6pm"
  │        ^^^^^ (hint: hours and minutes, 00:00 to 24:00: "20:15")

error: folder is a path within the channel's folder, got "/Series"
  ┌ channels.toml:8:10  [[channel.block]] of [[channel]] Cats
 8│ folder = "/Series"
  │          ^^^^^^^^^ (hint: begin below the channel's folder: "News/")

3 problems in channels.toml, nothing was started"#,
    ),
    (
        "blocks that overlap are told where",
        r#"[[channel]]
name = "Cats"
folder = "cats"
[[channel.block]]
name = "Late"
days = "sun"
from = "22:00"
to = "02:00"
folder = "Late/"
[[channel.block]]
name = "Early"
days = "mon"
from = "01:30"
to = "06:00"
folder = "Early/"
"#,
        r#"
error: the blocks "Late" and "Early" overlap on mon at 01:30
  ┌ channels.toml:10:1  [[channel.block]] of [[channel]] Cats
10│ [[channel.block]]
  │ ^^^^^^^^^^^^^^^^^ (hint: only one can be on: change days, from or to)

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "two programmes at one time, and one at night, are told apart",
        r#"[[channel]]
name = "Cats"
folder = "cats"
sign-off = { from = "23:00", to = "05:00" }
[[channel.fixed]]
at = "20:00"
folder = "News/"
[[channel.fixed]]
at = "20:00"
days = "sat"
folder = "Draw/"
[[channel.fixed]]
at = "04:00"
folder = "Early/"
"#,
        r"
error: two programmes begin at 20:00
  ┌ channels.toml:8:1  [[channel.fixed]] of [[channel]] Cats
 8│ [[channel.fixed]]
  │ ^^^^^^^^^^^^^^^^^ (hint: only one can begin then: change at or days)

error: the programme at 04:00 begins while the channel is off the air
  ┌ channels.toml:12:1  [[channel.fixed]] of [[channel]] Cats
12│ [[channel.fixed]]
  │ ^^^^^^^^^^^^^^^^^ (hint: change at, or sign-off of the channel)

2 problems in channels.toml, nothing was started",
    ),
    (
        "what is missing or of another kind is told how it is written",
        r#"[[channel]]
name = "Cats"
folder = "cats"
idents = "idents/"
sign-off = { from = "02:00" }
[channel.fixed]
at = "20:00"
"#,
        r#"
error: idents must be a table, { folder = "idents/", every = 3 }, got the text "idents/"
  ┌ channels.toml:4:10  [[channel]] Cats
 4│ idents = "idents/"
  │          ^^^^^^^^^

error: to is missing
  ┌ channels.toml:5:12  sign-off of [[channel]] Cats
 5│ sign-off = { from = "02:00" }
  │            ^^^^^^^^^^^^^^^^^^ (hint: when it is back: to = "06:00")

error: fixed is not a list of tables
  ┌ channels.toml:6:1  [[channel]] Cats
 6│ [channel.fixed]
  │ ^^^^^^^^^^^^^^^ (hint: write [[channel.fixed]], in double brackets)

3 problems in channels.toml, nothing was started"#,
    ),
    (
        "idents of which nothing is said are told that one can be drawn",
        r#"[[channel]]
name = "Cats"
folder = "cats"
idents = { every = 3 }
[[channel]]
name = "Dogs"
folder = "dogs"
idents = { drawn = "yes" }
"#,
        r#"
error: folder is missing
  ┌ channels.toml:4:10  idents of [[channel]] Cats
 4│ idents = { every = 3 }
  │          ^^^^^^^^^^^^^ (hint: where they lie: folder = "idents/"; or drawn = true for one that the station draws itself)

error: every is missing
  ┌ channels.toml:8:10  idents of [[channel]] Dogs
 8│ idents = { drawn = "yes" }
  │          ^^^^^^^^^^^^^^^^^ (hint: after how many programmes one comes: every = 3)

error: drawn must be true or false, without quotes, got the text "yes"
  ┌ channels.toml:8:20  idents of [[channel]] Dogs
 8│ idents = { drawn = "yes" }
  │                    ^^^^^

3 problems in channels.toml, nothing was started"#,
    ),
];

#[test]
fn a_timetable_that_cannot_be_is_told_what_to_change() {
    check(TIMETABLES);
}
