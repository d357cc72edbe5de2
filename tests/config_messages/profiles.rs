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
        "an encoder, a preference and a kind of picture are told those there are",
        r#"[station]
encoder = "nvidia"
[[channel]]
name = "Cats"
folder = "cats"
[channel.picture]
prefer = "smal"
tune = "cartoon"
gop-seconds = 6
kbps = 2500.5
"#,
        r#"
error: encoder cannot be "nvidia"
  ┌ channels.toml:2:11  [station]
 2│ encoder = "nvidia"
  │           ^^^^^^^^ (hint: "auto", "x264", "vaapi", "nvenc", "qsv")

error: prefer cannot be "smal"
  ┌ channels.toml:7:10  [channel.picture] of [[channel]] Cats
 7│ prefer = "smal"
  │          ^^^^^^ (hint: did you mean "small"? There are "fast", "balanced", "small")

error: tune cannot be "cartoon"
  ┌ channels.toml:8:8  [channel.picture] of [[channel]] Cats
 8│ tune = "cartoon"
  │        ^^^^^^^^^ (hint: "none", "film", "animation", "grain", "still")

error: gop-seconds must be between 1 and 4, got 6
  ┌ channels.toml:9:15  [channel.picture] of [[channel]] Cats
 9│ gop-seconds = 6
  │               ^ (hint: 2 is usual: players begin, and change their rendition, where a group begins)

error: kbps must be "off" or a whole number
  ┌ channels.toml:10:8  [channel.picture] of [[channel]] Cats
10│ kbps = 2500.5
  │        ^^^^^^ (hint: in thousand bits a second: 2500 suits 1280x720)

5 problems in channels.toml, nothing was started"#,
    ),
    (
        "settings that contradict each other are told which to leave out",
        r#"[[channel]]
name = "Cats"
folder = "cats"
[channel.picture]
quality = 20
kbps = 2500
prefer = "small"
preset = "veryfast"
[[channel]]
name = "Dogs"
folder = "dogs"
renditions = ["480p", { name = "train", size = "256x144", kbps = 200, max-kbps = 150 }]
[channel.picture]
kbps = 900
[[channel]]
name = "Birds"
folder = "birds"
[channel.picture]
kbps = 6000
"#,
        r#"
error: quality has no meaning beside kbps
  ┌ channels.toml:5:11  [channel.picture] of [[channel]] Cats
 5│ quality = 20
  │           ^^ (hint: leave one of them out: films of one quality, or of one bit rate)

error: prefer stands for the preset "medium", and preset says otherwise
  ┌ channels.toml:7:10  [channel.picture] of [[channel]] Cats
 7│ prefer = "small"
  │          ^^^^^^^ (hint: leave one of them out)

error: kbps must not be above max-kbps, which is 150
  ┌ channels.toml:12:66  [[channel]] Dogs
12│ …, size = "256x144", kbps = 200, max-kbps = 150 }]
  │                             ^^^ (hint: it is what films take on the mean)

error: kbps has no meaning beside renditions
  ┌ channels.toml:14:8  [channel.picture] of [[channel]] Dogs
14│ kbps = 900
  │        ^^^ (hint: every rendition has its own: leave it out)

error: kbps must not be above max-kbps, which is 5000
  ┌ channels.toml:19:8  [channel.picture] of [[channel]] Birds
19│ kbps = 6000
  │        ^^^^ (hint: it is what films take on the mean)

5 problems in channels.toml, nothing was started"#,
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
  │     the keys are name, time-zone, listen, data, cache-budget, workers, encoder, settle-seconds, rescan-seconds, connections-max, ffmpeg, ffprobe, colour)

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
    (
        "renditions are told one by one what is wrong with them",
        r#"[[channel]]
name = "Cats"
folder = "cats"
renditions = ["721p", "480p", "480p", "720p", 360, { name = "Phone", size = "320x180" }]
[channel.picture]
size = "1280x720"
max-kbps = 3000
"#,
        r#"
error: a rendition cannot be "721p"
  ┌ channels.toml:4:15  [[channel]] Cats
 4│ renditions = ["721p", "480p", "480p", "720p", 360, { name = "Phone", size = "320x180" }]
  │               ^^^^^^ (hint: did you mean "720p"? There are "1080p", "720p", "480p", "360p", "240p")

error: two renditions have the name "480p"
  ┌ channels.toml:4:31  [[channel]] Cats
 4│ renditions = ["721p", "480p", "480p", "720p", 360, { name = "Phone", size = "320x180" }]
  │                               ^^^^^^ (hint: give each a name of its own, or leave one out)

error: the rendition "720p" is not smaller than "480p" before it
  ┌ channels.toml:4:39  [[channel]] Cats
 4│ renditions = ["721p", "480p", "480p", "720p", 360, { name = "Phone", size = "320x180" }]
  │                                       ^^^^^^ (hint: the largest comes first: neither size nor max-kbps may grow, and one of them must shrink)

error: a rendition must be a name such as "720p", or a table, got the number 360
  ┌ channels.toml:4:47  [[channel]] Cats
 4│ renditions = ["721p", "480p", "480p", "720p", 360, { name = "Phone", size = "320x180" }]
  │                                               ^^^

error: max-kbps is missing
  ┌ channels.toml:4:52  renditions of [[channel]] Cats
 4│ renditions = ["721p", "480p", "480p", "720p", 360, { name = "Phone", size = "320x180" }]
  │                                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ (hint: in thousand bits a second: max-kbps = 900)

error: the name of a rendition may hold a-z, 0-9 and - only, and up to 40 of them, got "Phone"
  ┌ channels.toml:4:61  [[channel]] Cats
 4│ …0p", "720p", 360, { name = "Phone", size = "320x180" }]
  │                             ^^^^^^^ (hint: it is part of the address: name = "phone")

error: size has no meaning beside renditions
  ┌ channels.toml:6:8  [channel.picture] of [[channel]] Cats
 6│ size = "1280x720"
  │        ^^^^^^^^^^ (hint: every rendition has its own: leave it out)

error: max-kbps has no meaning beside renditions
  ┌ channels.toml:7:12  [channel.picture] of [[channel]] Cats
 7│ max-kbps = 3000
  │            ^^^^ (hint: every rendition has its own: leave it out)

8 problems in channels.toml, nothing was started"#,
    ),
    (
        "a list of no renditions is told what it may hold",
        r#"[[channel]]
name = "Cats"
folder = "cats"
renditions = []
[[channel]]
name = "Dogs"
folder = "dogs"
renditions = "720p"
"#,
        r#"
error: renditions is an empty list
  ┌ channels.toml:4:14  [[channel]] Cats
 4│ renditions = []
  │              ^^ (hint: name one or more, such as ["720p", "360p"], or leave it out)

error: renditions must be a list of sizes: ["720p", "360p"], got the text "720p"
  ┌ channels.toml:8:14  [[channel]] Dogs
 8│ renditions = "720p"
  │              ^^^^^^

2 problems in channels.toml, nothing was started"#,
    ),
    (
        "sound without a picture comes after pictures",
        r#"[[channel]]
name = "Cats"
folder = "cats"
renditions = ["audio", "360p"]

[[channel]]
name = "Dogs"
folder = "dogs"
renditions = ["360p", "audio", "240p"]
"#,
        r#"
error: "audio" is sound without a picture, and no picture is named before it
  ┌ channels.toml:4:15  [[channel]] Cats
 4│ renditions = ["audio", "360p"]
  │               ^^^^^^^ (hint: name one first, such as ["360p", "audio"])

error: "audio" is not the last of the renditions
  ┌ channels.toml:9:23  [[channel]] Dogs
 9│ renditions = ["360p", "audio", "240p"]
  │                       ^^^^^^^ (hint: the largest comes first, and sound without a picture last)

2 problems in channels.toml, nothing was started"#,
    ),
    (
        "a ladder has a top and no more than six rungs",
        r#"[[channel]]
name = "Cats"
folder = "cats"
renditions = [
    "1080p", "720p", "480p", "360p", "240p",
    { name = "segments", size = "256x144", max-kbps = 150, preset = "fast" },
    { name = "least", size = "128x96", max-kbps = 20 },
]
"#,
        r#"
error: a rendition cannot be called "segments"
  ┌ channels.toml:6:14  [[channel]] Cats
 6│     { name = "segments", size = "256x144", max-kbps = 150, preset = "fast" },
  │              ^^^^^^^^^^ (hint: it is part of the address: name = "phone")

error: there is no key "preset" here
  ┌ channels.toml:6:60  renditions of [[channel]] Cats
 6│ …"256x144", max-kbps = 150, preset = "fast" },
  │                             ^^^^^^ (hint: it belongs to [channel.picture])

error: there are 7 renditions, the most is 6
  ┌ channels.toml:7:5  [[channel]] Cats
 7│     { name = "least", size = "128x96", max-kbps = 20 },
  │     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ (hint: three or four suit every line: players choose among them)

3 problems in channels.toml, nothing was started"#,
    ),
    (
        "subtitles in languages that nobody can name",
        r#"[[channel]]
name = "Cats"
folder = "a"
subtitles = "yes"
subtitle-languages = ["english", "en", "eng"]
"#,
        r#"
error: subtitles cannot be "yes"
  ┌ channels.toml:4:13  [[channel]] Cats
 4│ subtitles = "yes"
  │             ^^^^^ (hint: "tracks", "burn", "off")

error: no language is called "english"
  ┌ channels.toml:5:23  [[channel]] Cats
 5│ subtitle-languages = ["english", "en", "eng"]
  │                       ^^^^^^^^^ (hint: write "en")

error: the language en is named twice
  ┌ channels.toml:5:40  [[channel]] Cats
 5│ subtitle-languages = ["english", "en", "eng"]
  │                                        ^^^^^ (hint: leave one of them out)

3 problems in channels.toml, nothing was started"#,
    ),
    (
        "languages where there are no subtitles",
        r#"[[channel]]
name = "Cats"
folder = "a"
subtitles = "off"
subtitle-languages = "en"
"#,
        r#"
error: subtitle-languages has no meaning where subtitles is "off"
  ┌ channels.toml:5:22  [[channel]] Cats
 5│ subtitle-languages = "en"
  │                      ^^^^ (hint: leave one of them out)

1 problem in channels.toml, nothing was started"#,
    ),
];

#[test]
fn pictures_and_sounds_are_held_to_what_can_be_played() {
    check(PROFILES);
}
