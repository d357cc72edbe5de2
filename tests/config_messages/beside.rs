//! What a channel has beside its films: a logo, a past.

use super::{Row, check};

const BESIDE: &[Row] = &[
    (
        "a logo at a corner that is none, and no logo",
        r#"[[channel]]
name = "Cats"
folder = "a"
logo-burn = "top-right"

[[channel]]
name = "Dogs"
folder = "b"
logo = "dogs.png"
logo-burn = { corner = "topright", size = 50 }
"#,
        r#"
error: there is no logo that could be burned in
  ┌ channels.toml:4:13  [[channel]] Cats
 4│ logo-burn = "top-right"
  │             ^^^^^^^^^^^ (hint: name its file, too: logo = "logos/cats.png")

error: logo-burn cannot be "topright"
  ┌ channels.toml:10:24  [[channel]] Dogs
10│ logo-burn = { corner = "topright", size = 50 }
  │                        ^^^^^^^^^^ (hint: did you mean "top-right"? There are "top-left", "top-right", "bottom-left", "bottom-right", "off")

error: size must be between 3 and 30, got 50
  ┌ channels.toml:10:43  [[channel]] Dogs
10│ logo-burn = { corner = "topright", size = 50 }
  │                                           ^^ (hint: in hundredths of the picture's height: 8 is usual)

3 problems in channels.toml, nothing was started"#,
    ),
    (
        "a past that is no length, too long, too little, or of no use",
        r#"[[channel]]
name = "Cats"
folder = "a"
rewind = "2"
rewind-space = "much"

[[channel]]
name = "Dogs"
folder = "b"
rewind = "2 days"

[[channel]]
name = "Owls"
folder = "c"
rewind = "24h"
rewind-space = "5MB"

[[channel]]
name = "Mice"
folder = "d"
rewind-space = "5GB"
"#,
        r#"
error: rewind is not a length: "2"
  ┌ channels.toml:4:10  [[channel]] Cats
 4│ rewind = "2"
  │          ^^^ (hint: a number and min or h, such as "30min" or "2h", or "off")

error: rewind-space is not a size: "much"
  ┌ channels.toml:5:16  [[channel]] Cats
 5│ rewind-space = "much"
  │                ^^^^^^ (hint: a number and MB, GB or TB: "10GB")

error: rewind is not a length: "2 days"
  ┌ channels.toml:10:10  [[channel]] Dogs
10│ rewind = "2 days"
  │          ^^^^^^^^ (hint: a number and min or h, such as "30min" or "2h", or "off")

error: rewind must be between 1min and 12h, got "24h"
  ┌ channels.toml:15:10  [[channel]] Owls
15│ rewind = "24h"
  │          ^^^^^ (hint: "2h" lets viewers go back two hours)

error: rewind-space must be at least 100MB, got "5MB"
  ┌ channels.toml:16:16  [[channel]] Owls
16│ rewind-space = "5MB"
  │                ^^^^^ (hint: an hour of a channel takes about 1 GB)

error: rewind-space has no meaning where rewind is "off"
  ┌ channels.toml:21:16  [[channel]] Mice
21│ rewind-space = "5GB"
  │                ^^^^^ (hint: say how far back viewers may go: rewind = "2h")

6 problems in channels.toml, nothing was started"#,
    ),
];

#[test]
fn what_a_channel_has_beside_its_films_is_held_to_what_makes_sense() {
    check(BESIDE);
}
