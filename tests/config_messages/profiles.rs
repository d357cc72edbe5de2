//! What pictures and sounds may be.

use super::{Row, check};

const PROFILES: &[Row] = &[
    (
        "an odd picture is told the even one",
        r#"[[channel]]
name = "Cats"
folder = "cats"
[channel.picture]
size = "853x481"
"#,
        r#"
error: size must be of even numbers, got "853x481"
  ┌ channels.toml:5:8  [channel.picture] of [[channel]] Cats
 5│ size = "853x481"
  │        ^^^^^^^^^ (hint: write "852x480")

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a picture by its nickname is told its size",
        r#"[[channel]]
name = "Cats"
folder = "cats"
[channel.picture]
size = "720p"
"#,
        r#"
error: size is not width x height: "720p"
  ┌ channels.toml:5:8  [channel.picture] of [[channel]] Cats
 5│ size = "720p"
  │        ^^^^^^ (hint: "1280x720", "1920x1080")

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a fraction of a frame is told of source",
        r#"[[channel]]
name = "Cats"
folder = "cats"
[channel.picture]
fps = 29.97
"#,
        r#"
error: fps must be "source" or a whole number between 5 and 60
  ┌ channels.toml:5:7  [channel.picture] of [[channel]] Cats
 5│ fps = 29.97
  │       ^^^^^ (hint: "source" keeps rates such as 29.97)

1 problem in channels.toml, nothing was started"#,
    ),
    (
        "a slow preset is told those that serve",
        r#"[[channel]]
name = "Cats"
folder = "cats"
[channel.picture]
preset = "slow"
quality = 50
max-kbps = 50
"#,
        r#"
error: preset cannot be "slow"
  ┌ channels.toml:5:10  [channel.picture] of [[channel]] Cats
 5│ preset = "slow"
  │          ^^^^^^ (hint: "ultrafast", "superfast", "veryfast", "faster", "fast", "medium")

error: quality must be between 16 and 35, got 50
  ┌ channels.toml:6:11  [channel.picture] of [[channel]] Cats
 6│ quality = 50
  │           ^^ (hint: 23 is good; lower is better and larger)

error: max-kbps must be between 200 and 50000, got 50
  ┌ channels.toml:7:12  [channel.picture] of [[channel]] Cats
 7│ max-kbps = 50
  │            ^^ (hint: in thousand bits a second: 5000 suits 1280x720)

3 problems in channels.toml, nothing was started"#,
    ),
    (
        "a loudness above zero is told the sign",
        r#"[[channel]]
name = "Cats"
folder = "cats"
[channel.sound]
loudness = 18
kbps = 32
"#,
        r#"
error: loudness must be "off" or between -31 and -5
  ┌ channels.toml:5:12  [channel.sound] of [[channel]] Cats
 5│ loudness = 18
  │            ^^ (hint: it is below zero: write -18)

error: kbps must be between 64 and 320, got 32
  ┌ channels.toml:6:8  [channel.sound] of [[channel]] Cats
 6│ kbps = 32
  │        ^^ (hint: in thousand bits a second: 160 is good stereo)

2 problems in channels.toml, nothing was started"#,
    ),
    (
        "everything wrong is told at once, in the order of the file",
        r#"[station]
nmae = "TV"
workers = "many"

[[channel]]
name = ""
folder = "a"
prepare = "never"

[[channel]]
folder = ""
"#,
        r#"
error: there is no key "nmae" here
  ┌ channels.toml:2:1  [station]
 2│ nmae = "TV"
  │ ^^^^ (hint: did you mean "name"?
  │     the keys are name, listen, data, cache-budget, workers, settle-seconds, rescan-seconds, connections-max, ffmpeg, ffprobe)

error: workers must be a whole number, got the text "many"
  ┌ channels.toml:3:11  [station]
 3│ workers = "many"
  │           ^^^^^^

error: name is empty
  ┌ channels.toml:6:8  [[channel]]
 6│ name = ""
  │        ^^ (hint: it is what viewers read)

error: prepare cannot be "never"
  ┌ channels.toml:8:11  [[channel]]
 8│ prepare = "never"
  │           ^^^^^^^ (hint: "auto", "always")

error: name is missing
  ┌ channels.toml:10:1  [[channel]]
10│ [[channel]]
  │ ^^^^^^^^^^^ (hint: it is what viewers read: name = "Cats")

error: folder is empty
  ┌ channels.toml:11:10  [[channel]]
11│ folder = ""
  │          ^^ (hint: name a folder)

6 problems in channels.toml, nothing was started"#,
    ),
];

#[test]
fn pictures_and_sounds_are_held_to_what_can_be_played() {
    check(PROFILES);
}
