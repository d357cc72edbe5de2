//! What an ffmpeg must be able to do for a station, judged from its own lists. Pure: the caller runs it.

use std::collections::HashSet;
use std::fmt;

use super::report::{Check, Outcome};

/// An ffmpeg's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second.
    pub minor: u32,
    /// The third, zero where there is none.
    pub patch: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { major, minor, patch } = self;
        if *patch == 0 { write!(f, "{major}.{minor}") } else { write!(f, "{major}.{minor}.{patch}") }
    }
}

/// The oldest version that the whole way to the air was tried on (Debian 12's).
pub const VERSION_MIN: Version = Version { major: 5, minor: 1, patch: 0 };

/// Reads the version from the first line of `ffmpeg -version` or `ffprobe -version`: `ffmpeg version n9.0.2-17-g2a57 ...`.
///
/// Builds from between two releases have no number (`N-118000-g1234567`, `2026-01-05-git-...`); they give none.
#[must_use]
pub fn parse_version(output: &str) -> Option<Version> {
    let word = output.lines().next()?.split_whitespace().nth(2)?;
    let word = word.strip_prefix('n').unwrap_or(word);
    let numbers = word.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let mut parts = numbers.split('.').map(str::parse);
    let (major, minor) = (parts.next()?.ok()?, parts.next()?.ok()?);
    let patch = parts.next().and_then(Result::ok).unwrap_or(0);
    Some(Version { major, minor, patch })
}

/// Judges a program by the output of `-version`, empty where it could not be started; `program` is `ffmpeg` or `ffprobe`.
#[must_use]
pub fn check_version(program: &str, output: &str) -> Check {
    let (outcome, fact, hint) = match parse_version(output) {
        None if output.trim().is_empty() => {
            let hint = "apt install ffmpeg, or name the program's path in [station]".to_owned();
            (Outcome::Failed, "does not start".to_owned(), Some(hint))
        }
        Some(version) if version >= VERSION_MIN => (Outcome::Ok, format!("version {version}"), None),
        Some(version) => {
            let hint = "install a newer one, and name it in [station]".to_owned();
            (Outcome::Failed, format!("version {version} is too old, {VERSION_MIN} or newer is needed"), Some(hint))
        }
        None => {
            let first = output.lines().next().unwrap_or_default();
            let hint = "a release is safer than a build from between two releases".to_owned();
            (Outcome::Warning, format!("of unknown version: {first:?}"), Some(hint))
        }
    };
    Check { name: program.to_owned(), outcome, fact, hint }
}

/// What an ffmpeg prints about itself, each with `-hide_banner` and the option named.
#[derive(Clone, Copy, Debug, Default)]
pub struct Abilities<'a> {
    /// `-encoders`
    pub encoders: &'a str,
    /// `-muxers`
    pub muxers: &'a str,
    /// `-demuxers`
    pub demuxers: &'a str,
    /// `-filters`
    pub filters: &'a str,
    /// `-protocols`
    pub protocols: &'a str,
}

/// What is needed from one list, and what can be done without.
struct Needs {
    name: &'static str,
    required: &'static [&'static str],
    /// Each with what is lost without it.
    optional: &'static [(&'static str, &'static str)],
}

const ENCODERS: Needs = Needs { name: "ffmpeg encoders", required: &["libx264", "aac"], optional: &[] };
const MUXERS: Needs = Needs { name: "ffmpeg muxers", required: &["hls", "mpegts"], optional: &[] };
const DEMUXERS: Needs =
    Needs { name: "ffmpeg demuxers", required: &["concat", "mpegts", "mov", "matroska"], optional: &[] };
const HDR: &str = "HDR films will look pale";
const FILTERS: Needs = Needs {
    name: "ffmpeg filters",
    required: &["scale", "pad", "setsar", "fps", "format", "aresample", "apad", "atrim", "loudnorm", "ebur128"],
    optional: &[
        ("drawtext", "the slate will have no words"),
        ("ass", "no subtitles can be burned in"),
        ("zscale", HDR),
        ("tonemap", HDR),
    ],
};
const PROTOCOLS_IN: Needs = Needs { name: "ffmpeg inputs", required: &["file", "unix"], optional: &[] };
const PROTOCOLS_OUT: Needs = Needs { name: "ffmpeg outputs", required: &["file", "http", "tcp"], optional: &[] };

/// Judges an ffmpeg by its lists: one check a list.
#[must_use]
pub fn check_abilities(abilities: &Abilities<'_>) -> Vec<Check> {
    let (protocols_in, protocols_out) = abilities.protocols.split_once("Output:").unwrap_or((abilities.protocols, ""));
    vec![
        judge(&ENCODERS, &listed(abilities.encoders)),
        judge(&MUXERS, &listed(abilities.muxers)),
        judge(&DEMUXERS, &listed(abilities.demuxers)),
        judge(&FILTERS, &listed(abilities.filters)),
        judge(&PROTOCOLS_IN, &protocols_in.split_whitespace().collect()),
        judge(&PROTOCOLS_OUT, &protocols_out.split_whitespace().collect()),
    ]
}

/// Returns the names of a list whose lines are flags, name, description; legends (`V..... = Video`) are left out.
fn listed<'o>(output: &'o str) -> HashSet<&'o str> {
    let name = |line: &'o str| line.split_whitespace().nth(1).filter(|&word| word != "=");
    // One demuxer may have several names: mov,mp4,m4a,3gp,3g2,mj2.
    output.lines().filter_map(name).flat_map(|names| names.split(',')).collect()
}

fn judge(needs: &Needs, present: &HashSet<&str>) -> Check {
    let name = needs.name.to_owned();
    let missing: Vec<&str> = needs.required.iter().copied().filter(|&name| !present.contains(name)).collect();
    if !missing.is_empty() {
        let hint = "install a complete ffmpeg (apt install ffmpeg), or name another one in [station]".to_owned();
        return Check { name, outcome: Outcome::Failed, fact: are_missing(&missing), hint: Some(hint) };
    }
    let wanting: Vec<_> = needs.optional.iter().filter(|(name, _)| !present.contains(name)).collect();
    if wanting.is_empty() {
        return Check { name, outcome: Outcome::Ok, fact: needs.required.join(", "), hint: None };
    }
    let names: Vec<&str> = wanting.iter().map(|(name, _)| *name).collect();
    let mut losses: Vec<&str> = wanting.iter().map(|(_, loss)| *loss).collect();
    losses.dedup();
    Check { name, outcome: Outcome::Warning, fact: are_missing(&names), hint: Some(losses.join("; ")) }
}

fn are_missing(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb} missing", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_every_kind_of_build() {
        for (word, expected) in [
            ("5.1.9-0+deb12u1", Some((5, 1, 9))),
            ("n9.0.2-17-g2a571b6068-20260930", Some((9, 0, 2))),
            ("7.0.2-static", Some((7, 0, 2))),
            ("4.4.2-0ubuntu0.22.04.1", Some((4, 4, 2))),
            ("8.0", Some((8, 0, 0))),
            ("N-118000-g1234567", None),
            ("2026-01-05-git-abcdef-full_build", None),
            ("git-2024-05-01-abcdef", None),
            ("99999999999.1", None),
        ] {
            let line =
                format!("ffmpeg version {word} Copyright (c) 2000-2026 the FFmpeg developers\nbuilt with gcc 12\n");
            let expected = expected.map(|(major, minor, patch)| Version { major, minor, patch });
            assert_eq!(parse_version(&line), expected, "{word}");
        }
        assert_eq!(parse_version(""), None);
        assert_eq!(parse_version("ffmpeg: command not found"), None);
    }

    #[test]
    fn an_old_version_fails_and_an_unknown_one_is_a_warning() {
        for (word, outcome, fact) in [
            ("5.1.9-0+deb12u1", Outcome::Ok, "version 5.1.9"),
            ("5.1", Outcome::Ok, "version 5.1"),
            ("5.0.3", Outcome::Failed, "version 5.0.3 is too old, 5.1 or newer is needed"),
            ("N-1-g2", Outcome::Warning, "of unknown version: \"ffmpeg version N-1-g2\""),
        ] {
            let check = check_version("ffmpeg", &format!("ffmpeg version {word}"));
            assert_eq!((check.outcome, check.fact.as_str()), (outcome, fact), "{word}");
        }
    }

    #[test]
    fn a_program_that_says_nothing_is_missing() {
        let check = check_version("ffmpeg", "");
        assert_eq!((check.outcome, check.fact.as_str()), (Outcome::Failed, "does not start"));
        assert!(check.hint.unwrap().contains("apt install ffmpeg"));
    }

    const ENCODERS_TEXT: &str =
        "Encoders:\n V..... = Video\n ------\n V....D libx264    libx264 H.264\n A....D aac   AAC\n";
    const MUXERS_TEXT: &str = "File formats:\n D. = Demuxing supported\n --\n  E hls   Apple\n  E mpegts   MPEG-TS\n";
    /// As ffmpeg 9 writes it, with a third flag.
    const DEMUXERS_TEXT: &str = "Formats:\n D.. = Demuxing supported\n ---\n D   concat   Virtual\n \
        D   matroska,webm   Matroska\n D   mov,mp4,m4a,3gp,3g2,mj2 QuickTime\n D   mpegts   MPEG-TS\n";
    const PROTOCOLS_TEXT: &str =
        "Supported file protocols:\nInput:\n  file\n  http\n  tcp\n  unix\nOutput:\n  file\n  http\n  tcp\n";

    fn filters_text(without: &[&str]) -> String {
        let optional = FILTERS.optional.iter().map(|(name, _)| *name);
        let all = FILTERS.required.iter().copied().chain(optional).filter(|name| !without.contains(name));
        all.fold("Filters:\n  T.. = Timeline support\n".to_owned(), |text, name| {
            text + " .S. " + name + " V->V  words\n"
        })
    }

    fn checks(filters: &str, protocols: &str) -> Vec<(Outcome, String, Option<String>)> {
        let abilities =
            Abilities { encoders: ENCODERS_TEXT, muxers: MUXERS_TEXT, demuxers: DEMUXERS_TEXT, filters, protocols };
        check_abilities(&abilities).into_iter().map(|check| (check.outcome, check.fact, check.hint)).collect()
    }

    #[test]
    fn a_complete_ffmpeg_passes() {
        let all = checks(&filters_text(&[]), PROTOCOLS_TEXT);
        assert!(all.iter().all(|(outcome, _, hint)| *outcome == Outcome::Ok && hint.is_none()), "{all:?}");
        assert_eq!(all[0].1, "libx264, aac");
    }

    #[test]
    fn what_can_be_done_without_is_a_warning_that_tells_what_is_lost() {
        let all = checks(&filters_text(&["zscale", "tonemap"]), PROTOCOLS_TEXT);
        let expected =
            (Outcome::Warning, "zscale, tonemap are missing".to_owned(), Some("HDR films will look pale".to_owned()));
        assert_eq!(all[3], expected);
    }

    #[test]
    fn what_is_needed_and_missing_fails() {
        let all = checks(&filters_text(&["loudnorm", "zscale"]), PROTOCOLS_TEXT);
        assert_eq!((all[3].0, all[3].1.as_str()), (Outcome::Failed, "loudnorm is missing"));
    }

    #[test]
    fn a_protocol_counts_in_its_own_direction_only() {
        let all = checks(&filters_text(&[]), "Input:\n  file\n  http\n  tcp\nOutput:\n  file\n  unix\n  tcp\n");
        assert_eq!((all[4].0, all[4].1.as_str()), (Outcome::Failed, "unix is missing"));
        assert_eq!((all[5].0, all[5].1.as_str()), (Outcome::Failed, "http is missing"));
    }

    #[test]
    fn an_ffmpeg_that_prints_nothing_fails_in_everything() {
        let all = check_abilities(&Abilities::default());
        assert!(all.iter().all(|check| check.outcome == Outcome::Failed), "{all:?}");
    }
}
