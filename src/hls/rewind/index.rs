//! What is kept, written down beside it, so that a station that is started again still knows. Pure.
//!
//! A line for each segment, added behind the others as soon as its file is there. Each line ends with a full stop: one that
//! was cut off is none. What is not understood ends what is believed, and only what lies before it is lost.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Kept, Names};
use crate::units::{MediaTime, Msn};

/// How the first line begins; another version is not read.
const HEAD: &str = "nightcast-rewind 1";

/// What a channel wrote down when it ended.
const END: &str = "end .";

/// How many lines beyond those of what is kept there may be before it is written anew.
pub const SURPLUS_MAX: usize = 1000;

/// What was written down.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// The boot of the system in which it was.
    pub boot: String,
    /// Whether the channel had ended: then nothing was told that is not written here.
    pub ended: bool,
    /// What was listed, the oldest first, by numbers without a gap.
    pub kept: Vec<Kept>,
}

/// Returns the first line.
#[must_use]
pub fn head(boot: &str) -> String {
    format!("{HEAD} {boot} .\n")
}

/// Returns the line of a segment, and before it one of what it consists of where that is not the same as in the line before;
/// `first` is the number of the oldest that is listed with it.
#[must_use]
pub fn line(kept: &Kept, before: Option<&Names>, first: u64) -> String {
    let mut text = String::new();
    if before != Some(&*kept.names) {
        let list = |names: &[Arc<str>]| if names.is_empty() { "-".to_owned() } else { names.join(",") };
        let _infallible = writeln!(text, "names {} {} .", list(&kept.names.pictures), list(&kept.names.subtitles));
    }
    let Kept { number, msn, duration, discontinuities, .. } = *kept;
    let (date, discontinuity) = (kept.date.as_microsecond(), u8::from(kept.discontinuity));
    let lens: Vec<String> = kept.lens.iter().map(u32::to_string).collect();
    // Writing into a String cannot fail.
    let _infallible = writeln!(
        text,
        "kept {first} {number} {msn} {} {date} {discontinuity} {discontinuities} {} .",
        duration.0,
        lens.join(",")
    );
    text
}

/// Returns what is written when a channel ends.
#[must_use]
pub fn end() -> String {
    format!("{END}\n")
}

/// Reads all that was written; nothing where it is not ours.
#[must_use]
pub fn read(text: &str) -> Option<Read> {
    // The last may have been cut off.
    let mut lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    let boot = lines.next()?.strip_prefix(HEAD)?.strip_suffix(" .")?.trim().to_owned();
    let (mut names, mut kept, mut oldest, mut ended) = (Arc::<Names>::default(), VecDeque::new(), 0, false);
    for line in lines {
        ended = line == END;
        if ended {
            continue;
        }
        if let Some(new) = read_names(line) {
            names = Arc::new(new);
            continue;
        }
        let last: Option<&Kept> = kept.back();
        match read_kept(line, &names) {
            Some((first, one)) => {
                if last.is_some_and(|last| last.number + 1 != one.number || last.msn >= one.msn) {
                    kept.clear();
                }
                oldest = first.max(oldest);
                kept.push_back(one);
            }
            None => kept.clear(),
        }
    }
    kept.retain(|kept| kept.number >= oldest);
    Some(Read { boot, ended, kept: kept.into() })
}

fn read_names(line: &str) -> Option<Names> {
    let mut words = line.strip_prefix("names ")?.strip_suffix(" .")?.split(' ');
    let mut list = || -> Option<Vec<Arc<str>>> {
        let word = words.next()?;
        Some(if word == "-" { Vec::new() } else { word.split(',').map(Into::into).collect() })
    };
    Some(Names { pictures: list()?, subtitles: list()? })
}

fn read_kept(line: &str, names: &Arc<Names>) -> Option<(u64, Kept)> {
    let mut words = line.strip_prefix("kept ")?.strip_suffix(" .")?.split(' ');
    let first = words.next()?.parse().ok()?;
    let number = words.next()?.parse().ok()?;
    let msn = Msn(words.next()?.parse().ok()?);
    let duration = words.next()?.parse().ok().filter(|ticks| *ticks > 0).map(MediaTime)?;
    let date = Timestamp::from_microsecond(words.next()?.parse().ok()?).ok()?;
    let discontinuity = match words.next()? {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    let discontinuities = words.next()?.parse().ok().filter(|all| *all >= u64::from(discontinuity))?;
    let lens: Box<[u32]> = words.next()?.split(',').map(|len| len.parse().ok()).collect::<Option<_>>()?;
    let whole = lens.len() == names.pictures.len().max(1) + names.subtitles.len() && words.next().is_none();
    let names = Arc::clone(names);
    let kept = Kept { number, msn, duration, date, discontinuity, discontinuities, names, lens };
    whole.then_some((first, kept))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(pictures: &[&str], subtitles: &[&str]) -> Arc<Names> {
        let list = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect();
        Arc::new(Names { pictures: list(pictures), subtitles: list(subtitles) })
    }

    fn kept(number: u64, names: &Arc<Names>) -> Kept {
        Kept {
            number,
            msn: Msn(number * 2),
            duration: MediaTime(180_001),
            date: Timestamp::from_microsecond(1_795_000_000_123_456).unwrap(),
            discontinuity: number.is_multiple_of(3),
            discontinuities: number,
            names: Arc::clone(names),
            lens: vec![7; names.pictures.len().max(1) + names.subtitles.len()].into(),
        }
    }

    /// Returns the text of these segments, and each line's end.
    fn written(all: &[Kept], first: u64) -> String {
        let mut text = head("boot");
        let mut before: Option<&Kept> = None;
        for one in all {
            text.push_str(&line(one, before.map(|before| &*before.names), first));
            before = Some(one);
        }
        text
    }

    #[test]
    fn what_is_written_is_read_back() {
        let (plain, several) = (names(&[], &[]), names(&["720p", "audio"], &["subs-en"]));
        let all = [kept(3, &plain), kept(4, &plain), kept(5, &several), kept(6, &several)];
        let text = written(&all, 3);
        assert_eq!(text.matches("names ").count(), 2, "once for what follows: {text}");
        let read_back = read(&text).unwrap();
        assert_eq!(read_back, Read { boot: "boot".to_owned(), ended: false, kept: all.to_vec() });
        assert!(read(&(text.clone() + &end())).unwrap().ended);
        assert!(!read(&(text.clone() + &end() + &line(&kept(7, &several), None, 3))).unwrap().ended, "it went on");
        assert_eq!(read(&written(&all, 5)).unwrap().kept, all[2..], "what had left is not listed again");
    }

    #[test]
    fn what_is_not_understood_ends_what_is_believed() {
        let plain = names(&[], &[]);
        let all = [kept(3, &plain), kept(4, &plain)];
        let text = written(&all, 3);
        for broken in [
            text.replace("kept 3 4 ", "kept 3 x "),
            text.replace("kept 3 4 ", "kept 3 6 "),
            text.replace(" 7 .\nkept", " 7\nkept"),
            text.replace(" 7 .\nkept", " 7,7 .\nkept"),
            text.replace(" 7 .\nkept", " 7 .\n\nkept"),
        ] {
            assert!(read(&broken).unwrap().kept.len() < 2, "{broken}");
        }
        for other in ["", "nightcast-rewind 2 boot .\n", "something else\n"] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    proptest! {
        /// Wherever the writing was cut off, what is read is a beginning of what was written, or nothing.
        #[test]
        fn a_text_that_was_cut_off_holds_nothing_that_was_not_written(count in 1..12_u64, cut in 0.0..1.0_f64) {
            let plain = names(&[], &["subs-en"]);
            let all: Vec<_> = (1..=count).map(|number| kept(number, &plain)).collect();
            let text = written(&all, 1);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short text")]
            let at = (text.len() as f64 * cut) as usize;
            if let Some(found) = read(&text[..at]) {
                prop_assert!(found.kept.is_empty() || all.starts_with(&found.kept), "{}", &text[..at]);
            }
        }

        #[test]
        fn no_text_is_too_strange_to_be_read(lines in "(nightcast-rewind 1 b \\.\n)?((kept|names|end)[ 0-9,.-]{0,40}\n?){0,9}") {
            let _whatever = read(&lines);
        }
    }
}
