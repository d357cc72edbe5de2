//! The script that libass reads: one of our own for plain lines, or the author's as it is. Pure.

use std::fmt::Write as _;

use crate::prepare::subtitles::{BYTES_MAX, Cue, text};
use crate::units::MediaTime;

/// How the lines look that bring no look of their own: white with a dark edge, within what every television shows (EBU R 95:
/// a twentieth on each side), a seventeenth of the picture high.
const HEAD: &str = "[Script Info]\n\
ScriptType: v4.00+\n\
PlayResX: 640\n\
PlayResY: 360\n\
WrapStyle: 0\n\
ScaledBorderAndShadow: yes\n\
YCbCr Matrix: None\n\
\n\
[V4+ Styles]\n\
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n\
Style: Default,DejaVu Sans,21,&H00F4F4F4,&H00F4F4F4,&H00101010,&H90000000,0,0,0,0,100,100,0,0,1,1.6,0.8,2,32,32,20,1\n\
\n\
[Events]\n\
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n";

/// Stands between a backslash and what would otherwise make an order of it; it is not seen.
const NOTHING: char = '\u{2060}';

/// Returns a script of plain lines.
#[must_use]
pub(super) fn of_cues(cues: &[Cue]) -> String {
    let mut script = HEAD.to_owned();
    for cue in cues {
        // Writing into a String cannot fail.
        let (start, end) = (moment(cue.start), moment(cue.end));
        let _infallible = writeln!(script, "Dialogue: 0,{start},{end},Default,,0,0,0,,{}", said(&cue.text));
    }
    script
}

/// Returns an author's script as text that libass takes; none where it has no styles, so that libass would not.
#[must_use]
pub(super) fn authored(bytes: &[u8]) -> Option<String> {
    let text = text::decoded(&bytes[..bytes.len().min(BYTES_MAX)]);
    let is_styles = |line: &str| line.trim_start().get(..3).is_some_and(|begin| begin.eq_ignore_ascii_case("[v4"));
    // What stands before the first section tells nothing, and a zero would end the file.
    let begin = text.find('[')?;
    text.lines().any(is_styles).then(|| text[begin..].replace('\0', ""))
}

/// Writes `1:02:03.45`.
fn moment(time: MediaTime) -> String {
    let hundredths = (time.0.max(0) + 450) / 900;
    let (secs, rest) = (hundredths / 100, hundredths % 100);
    format!("{}:{:02}:{:02}.{rest:02}", secs / 3600, secs / 60 % 60, secs % 60)
}

/// Brings the text of a cue into libass' words: `<i>` becomes `{\i1}`, a new line `\N`; nothing else is an order.
fn said(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find(['<', '&', '{', '\\', '\n']) {
        out.push_str(&rest[..place]);
        rest = &rest[place..];
        let (len, written) = order(rest);
        out.push_str(&written);
        rest = &rest[len..];
    }
    out + rest
}

/// Returns how many bytes a mark takes, and what is written for it.
fn order(rest: &str) -> (usize, String) {
    const MARKS: [(&str, &str); 11] = [
        ("<i>", "{\\i1}"),
        ("</i>", "{\\i0}"),
        ("<b>", "{\\b1}"),
        ("</b>", "{\\b0}"),
        ("<u>", "{\\u1}"),
        ("</u>", "{\\u0}"),
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("{", "\\{"),
        ("\n", "\\N"),
    ];
    let known = MARKS.iter().find(|(mark, _)| rest.starts_with(mark));
    known.map_or_else(
        || {
            let first = rest.chars().next().unwrap_or_default();
            (first.len_utf8(), if first == '\\' { format!("\\{NOTHING}") } else { first.to_string() })
        },
        |(mark, written)| (mark.len(), (*written).to_owned()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::subtitles::FileKind;
    use crate::prepare::subtitles::read;

    #[test]
    fn lines_are_said_to_libass_as_they_stand_there_and_give_no_orders() {
        for (text, expected) in [
            ("plain, with a comma", "plain, with a comma"),
            ("<i>Well,</i> yes\nno", "{\\i1}Well,{\\i0} yes\\Nno"),
            ("1 &lt; 2 &amp;&gt;", "1 < 2 &>"),
            ("{\\move(0,0)}", "\\{\\\u{2060}move(0,0)}"),
            ("a\\Nb", "a\\\u{2060}Nb"),
            ("< & <x>", "< & <x>"),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn a_script_of_ours_is_read_back_as_what_it_says() {
        let srt = "1\n00:00:01,500 --> 01:00:02,000\n<b>One</b> & two\nthree\n";
        let track = read::track(FileKind::Srt, srt.as_bytes()).unwrap();
        let script = of_cues(track.cues());
        assert!(script.contains("Dialogue: 0,0:00:01.50,0:10:01.50,Default"), "{script}");
        assert_eq!(read::track(FileKind::Ass, script.as_bytes()), Some(track));
        assert_eq!(authored(script.as_bytes()), Some(script), "and libass would take it");
    }

    #[test]
    fn only_a_script_with_styles_is_taken_as_it_is() {
        let styled = "\u{feff}[Script Info]\r\n[v4+ styles]\r\n[Events]\0\n";
        assert_eq!(authored(styled.as_bytes()).as_deref(), Some("[Script Info]\r\n[v4+ styles]\r\n[Events]\n"));
        assert_eq!(authored(b"[Script Info]\n[Events]\n"), None);
        assert_eq!(authored(b"[v4\xe9+\n"), Some("[v4\u{e9}+\n".to_owned()));
        assert_eq!(authored(b"#EXTM3U\n/etc/passwd\n"), None);
    }
}
