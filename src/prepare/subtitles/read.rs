//! SRT, `WebVTT` and ASS, as people and programs write them, into cues. Pure.
//!
//! One reader for SRT and `WebVTT`: both are times, text, an empty line. Numbers, names, settings and styles are passed over.

use super::{BYTES_MAX, CUES_MAX, Cue, Track, markup, text};
use crate::library::subtitles::FileKind;
use crate::units::MediaTime;

/// The latest moment that is believed: more than the longest item lasts.
const LATEST: MediaTime = MediaTime::from_secs(100 * 3600);

/// How many lines of a cue are read, and how many bytes of each, with their markup.
const LINES_MAX: usize = 40;
const LINE_LEN_MAX: usize = 16 << 10;

/// The columns of an ASS event, where the file does not tell them.
const ASS_COLUMNS: (usize, usize, usize) = (1, 2, 9);

/// Returns the cues of a file or track, on the time that is written in it; none where nothing is understood.
#[must_use]
pub fn track(kind: FileKind, bytes: &[u8]) -> Option<Track> {
    let text = text::decoded(&bytes[..bytes.len().min(BYTES_MAX)]).replace("\r\n", "\n").replace('\r', "\n");
    let track = Track::new(match kind {
        FileKind::Srt | FileKind::Vtt => timed(&text),
        FileKind::Ass => events(&text),
    });
    (!track.cues().is_empty()).then_some(track)
}

fn timed(text: &str) -> Vec<Cue> {
    let mut cues = Vec::new();
    let mut open: Option<(MediaTime, MediaTime, Vec<&str>)> = None;
    for line in text.lines().map(str::trim_end).chain([""]) {
        let times = span(line);
        // A cue without an empty line after it: what stands before the next times is its number.
        if times.is_some()
            && let Some((_, _, lines)) = &mut open
            && lines.last().is_some_and(|last| !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
        {
            lines.pop();
        }
        // Some leave a line empty before the text, too.
        let ends = times.is_some() || line.is_empty() && open.as_ref().is_some_and(|(.., lines)| !lines.is_empty());
        if ends && let Some((start, end, lines)) = open.take() {
            let text = markup::of_tags(&lines.join("\n"));
            cues.push(Cue { start, end, text });
        }
        match (times, &mut open) {
            (Some((start, end)), _) if cues.len() < CUES_MAX => open = Some((start, end, Vec::new())),
            (None, Some((.., lines))) if !line.is_empty() && lines.len() < LINES_MAX => lines.push(short(line)),
            _ => {}
        }
    }
    cues
}

/// Reads `00:01:02,345 --> 00:01:04.000 line:5`.
fn span(line: &str) -> Option<(MediaTime, MediaTime)> {
    let (start, rest) = line.split_once("-->")?;
    let end = rest.split_whitespace().next()?;
    Some((moment(start.trim())?, moment(end)?))
}

/// Reads `1:02:03.45`, `01:02,345` or `62`: hours and fractions may be missing.
fn moment(text: &str) -> Option<MediaTime> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let digits = |part: &str| !part.is_empty() && part.len() <= 6 && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = whole.split(':').collect();
    if parts.len() > 3 || !parts.iter().all(|part| digits(part)) || !(fraction.is_empty() || digits(fraction)) {
        return None;
    }
    let secs = parts.iter().try_fold(0_i64, |secs, part| Some(secs * 60 + part.parse::<i64>().ok()?))?;
    let millis: i64 = format!("{fraction:0<3.3}").parse().ok()?;
    let moment = MediaTime::from_millis(secs.checked_mul(1000)?.checked_add(millis)?);
    (moment <= LATEST).then_some(moment)
}

/// Reads the events of ASS and of its elder, SSA; styles, fonts and pictures in it are not looked at.
fn events(text: &str) -> Vec<Cue> {
    let (mut within, mut columns, mut cues) = (false, ASS_COLUMNS, Vec::new());
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            within = line.eq_ignore_ascii_case("[events]");
        } else if within && let Some(format) = line.strip_prefix("Format:") {
            let place = |name: &str| format.split(',').position(|column| column.trim().eq_ignore_ascii_case(name));
            if let (Some(start), Some(end), Some(text)) = (place("Start"), place("End"), place("Text")) {
                columns = (start, end, text);
            }
        } else if within
            && cues.len() < CUES_MAX
            && let Some(event) = line.strip_prefix("Dialogue:")
        {
            cues.extend(dialogue(event, columns));
        }
    }
    cues
}

fn dialogue(event: &str, (start, end, text): (usize, usize, usize)) -> Option<Cue> {
    // The text is the last column and may hold commas.
    let parts: Vec<&str> = event.splitn(text.checked_add(1)?, ',').collect();
    let moment = |n: usize| moment(parts.get(n)?.trim());
    Some(Cue { start: moment(start)?, end: moment(end)?, text: markup::of_overrides(short(parts.get(text)?)) })
}

/// Returns as much of a line as is read.
fn short(line: &str) -> &str {
    &line[..line.floor_char_boundary(LINE_LEN_MAX)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a file and returns its cues as `start-end text` in milliseconds.
    fn shown(kind: FileKind, text: &str) -> Vec<String> {
        let track = track(kind, text.as_bytes()).unwrap_or_default();
        let one = |cue: &Cue| format!("{}-{} {}", cue.start.0 / 90, cue.end.0 / 90, cue.text);
        track.cues().iter().map(one).collect()
    }

    #[test]
    fn files_are_read_as_people_write_them() {
        let cases = [
            (
                "an SRT",
                FileKind::Srt,
                "1\n00:00:01,000 --> 00:00:02,500\nOne\ntwo\n\n2\n00:00:03,000 --> 00:00:04,000\nThree\n",
                vec!["1000-2500 One\ntwo", "3000-4000 Three"],
            ),
            (
                "ends of lines of another system",
                FileKind::Srt,
                "1\r\n00:00:01,000 --> 00:00:02,000\r\nOne\r\ntwo\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nThree",
                vec!["1000-2000 One\ntwo", "3000-4000 Three"],
            ),
            (
                "no empty line, places, a point",
                FileKind::Srt,
                "00:00:01.5 --> 00:00:02.000 X1:0 Y1:0\n7\n2\n00:00:03,000 --> 00:00:04,000\nx",
                vec!["1500-2000 7", "3000-4000 x"],
            ),
            (
                "a WebVTT with everything",
                FileKind::Vtt,
                "WEBVTT - a\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE a\nb\n\nintro\n00:01.000 --> 00:02.000 line:0 align:start\n<v Mary>Hi &amp; bye\n\n01:00:00.000 --> 01:00:01.000\nlate\n",
                vec!["1000-2000 Hi &amp; bye", "3600000-3601000 late"],
            ),
            (
                "an ASS",
                FileKind::Ass,
                "[Script Info]\nTitle: x\n[V4+ Styles]\nFormat: Name, Start\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\nComment: 0,0:00:00.00,0:00:09.00,D,,0,0,0,,no\nDialogue: 0,0:00:01.20,0:00:02.00,D,,0,0,0,,{\\i1}Well,{\\i0} yes\\Nno\n[Fonts]\nDialogue: 0,0:00:03.00,0:00:04.00,D,,0,0,0,,no\n",
                vec!["1200-2000 <i>Well,</i> yes\nno"],
            ),
            (
                "other columns",
                FileKind::Ass,
                "[Events]\nFormat: Marked, End, Start, Text\nDialogue: Marked=0,0:00:02.00,0:00:01.00,a,b\n",
                vec!["1000-2000 a,b"],
            ),
            (
                "times that go back, and too late ones",
                FileKind::Srt,
                "00:00:02,000 --> 00:00:01,000\na\n\n999:00:00,000 --> 999:00:01,000\nb\n",
                vec![],
            ),
            ("nothing of the kind", FileKind::Srt, "Dear diary, --> today\n", vec![]),
        ];
        for (sentence, kind, text, expected) in cases {
            assert_eq!(shown(kind, text), expected, "{sentence}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_a_track_that_every_player_takes(
            kind in prop::sample::select(vec![FileKind::Srt, FileKind::Vtt, FileKind::Ass]),
            text in "(00:00:0[0-9],[0-9]{3}|-->| --> |\n|\r|<i>|</b>|[{}]|\\\\[Nip]1?|&[a-z]{2};|\\[Events\\]|Dialogue: |,|é|[0-9:.]| ){0,60}",
        ) {
            for cue in track(kind, text.as_bytes()).unwrap_or_default().cues() {
                prop_assert!(cue.start < cue.end && cue.start >= MediaTime::ZERO);
                prop_assert!(!cue.text.contains("-->") && !cue.text.contains("\n\n") && !cue.text.starts_with('\n'));
                prop_assert!(!cue.text.trim().is_empty());
            }
        }
    }
}
