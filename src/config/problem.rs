//! What is wrong with a configuration file, and how a person is told: file, line, column, the line itself, a caret
//! under the culprit, and a hint.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the text, in bytes.
    pub span: Range<usize>,
    /// The table it stands in, for people: `[station]`, `[[channel]] Cats`. Empty at the top of the file.
    pub place: String,
    /// What is wrong: a lower-case fragment without a full stop.
    pub message: String,
    /// What to do about it; may have several lines.
    pub hint: Option<String>,
}

/// Everything that is wrong with one configuration file; its `Display` is the whole report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    path: PathBuf,
    text: String,
    /// Where each line but the first begins, in bytes: a file may have a hundred thousand problems, and each is placed.
    line_starts: Vec<usize>,
    list: Vec<Problem>,
    /// What became of it all, for the last line.
    consequence: &'static str,
}

impl std::error::Error for Problems {}

impl Problems {
    /// How many problems are printed; the rest is counted. More than a screen or two is not read, and a file with more
    /// is most likely not a configuration at all.
    pub const SHOWN_MAX: usize = 50;

    /// How many characters of a line are printed; twice as many would wrap on most terminals and part the caret from
    /// what it points at.
    const LINE_WIDTH_MAX: usize = 110;

    /// How many characters of a message, and of a line of a hint, are printed: they quote what was written, and that may
    /// be a megabyte.
    const WORDS_MAX: usize = 400;

    /// Starts an empty list for the file at `path` that holds `text`.
    pub(super) fn new(path: &Path, text: &str) -> Self {
        let line_starts = text.match_indices('\n').map(|(newline, _)| newline + 1).collect();
        Self {
            path: path.to_path_buf(),
            text: text.to_owned(),
            line_starts,
            list: Vec::new(),
            consequence: "nothing was started",
        }
    }

    /// Returns the same for a station that runs already.
    #[must_use]
    pub fn to_a_running_station(self) -> Self {
        Self { consequence: "nothing was changed", ..self }
    }

    /// Adds a problem.
    pub(super) fn push(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    /// Returns the problems in the order of the file; never empty once [`super::parse`] has given them out.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// Brings them into the order of the file.
    pub(super) fn found(mut self) -> Self {
        self.list.sort_by_key(|problem| problem.span.start);
        self
    }

    /// Returns the number of the line that holds a byte, counted from 1.
    pub(super) fn line_number(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset) + 1
    }

    /// Spans are toml's and lie on character boundaries; any other is brought to one rather than panicking while an
    /// error is being reported.
    fn boundary(&self, offset: usize) -> usize {
        let mut start = offset.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        start
    }

    fn write_problem(&self, f: &mut fmt::Formatter<'_>, problem: &Problem) -> fmt::Result {
        let Excerpt { line_number, column, line, before, marked } = self.excerpt(&problem.span);
        let digits = line_number.to_string().len().max(2);
        let gutter = " ".repeat(digits);
        writeln!(f, "error: {}", shown(&problem.message, Self::WORDS_MAX))?;
        let place = shown(&problem.place, Self::LINE_WIDTH_MAX);
        let head = format!("{gutter}┌ {}:{line_number}:{column}  {place}", self.path.display());
        writeln!(f, "{}", head.trim_end())?;
        writeln!(f, "{}", format!("{line_number:>digits$}│ {line}").trim_end())?;
        write!(f, "{gutter}│ {}{}", " ".repeat(before), "^".repeat(marked))?;
        if let Some(hint) = &problem.hint {
            let lines: Vec<_> = hint.split('\n').map(|line| shown(line, Self::WORDS_MAX)).collect();
            write!(f, " (hint: {})", lines.join(&format!("\n{gutter}│     ")))?;
        }
        writeln!(f)
    }

    fn excerpt(&self, span: &Range<usize>) -> Excerpt {
        let start = self.boundary(span.start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let before = self.text[line_start..start].chars().count();
        let rest = line.get(start - line_start..).unwrap_or_default();
        let within = rest.char_indices().take_while(|(index, _)| start + index < span.end).count();
        let line_number = self.line_number(start);

        // A window of the line that begins early enough to show what leads up to the culprit.
        let skipped = if before > Self::LINE_WIDTH_MAX / 2 { before - Self::LINE_WIDTH_MAX / 4 } else { 0 };
        let mut shown = String::from(if skipped > 0 { "…" } else { "" });
        shown.extend(line.chars().skip(skipped).take(Self::LINE_WIDTH_MAX).map(printable));
        if line.chars().count() > skipped + Self::LINE_WIDTH_MAX {
            shown.push('…');
        }
        let before_shown = before - skipped + usize::from(skipped > 0);
        let room = Self::LINE_WIDTH_MAX.saturating_sub(before - skipped).max(1);
        Excerpt {
            line_number,
            column: before + 1,
            line: shown.trim_end().to_owned(),
            before: before_shown,
            marked: within.clamp(1, room),
        }
    }
}

/// The line of a problem as it is printed.
struct Excerpt {
    /// Counted from 1.
    line_number: usize,
    /// In characters, counted from 1.
    column: usize,
    line: String,
    /// Characters printed before the caret.
    before: usize,
    /// Carets.
    marked: usize,
}

/// One column wide and harmless on a terminal: a tab would part caret and culprit, an escape could do anything.
fn printable(character: char) -> char {
    match character {
        '\t' => ' ',
        other if other.is_control() => '\u{fffd}',
        other => other,
    }
}

/// Returns a text as it is printed: harmless, and cut where it is longer than `len_max` characters.
fn shown(text: &str, len_max: usize) -> String {
    let mut shown: String = text.chars().take(len_max).map(printable).collect();
    if text.chars().nth(len_max).is_some() {
        shown.push('…');
    }
    shown
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in self.list.iter().take(Self::SHOWN_MAX) {
            self.write_problem(f, problem)?;
            f.write_char('\n')?;
        }
        if let more @ 1.. = self.list.len().saturating_sub(Self::SHOWN_MAX) {
            writeln!(f, "and {more} more")?;
        }
        let (count, path) = (self.list.len(), self.path.display());
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "{count} {noun} in {path}, {}", self.consequence)
    }
}

/// Returns the word of `known` that was probably meant, if one is near enough.
pub(super) fn nearest<'k>(written: &str, known: &[&'k str]) -> Option<&'k str> {
    // Comparing costs memory for every letter, and nothing so long is near to a word.
    let longest = known.iter().map(|word| word.len()).max().unwrap_or(0);
    if written.chars().nth(2 * longest).is_some() {
        return None;
    }
    let written = written.to_lowercase().replace('_', "-");
    // A third of the letters may be wrong: more, and short keys would be taken for one another.
    let allowed = (written.chars().count() / 3).max(1);
    known
        .iter()
        .map(|&word| (edit_distance(&written, word), word))
        .filter(|&(distance, _)| distance <= allowed)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, word)| word)
}

/// Returns how many letters must be put in, left out, changed or swapped with their neighbour to get from `a` to `b`
/// (optimal string alignment).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + changed);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(rows[i - 2][j - 2] + 1);
            }
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str, span: Range<usize>) -> String {
        let mut problems = Problems::new(Path::new("c.toml"), text);
        problems.push(Problem { span, place: String::new(), message: "bad".to_owned(), hint: None });
        problems.to_string()
    }

    #[test]
    fn the_caret_stands_under_the_culprit() {
        let cases: &[(&str, &str, Range<usize>, &str)] = &[
            ("in a plain line", "a = 1\nb = 22\n", 10..12, " 2│ b = 22\n  │     ^^"),
            ("after letters of several bytes", "näme = 1", 8..9, " 1│ näme = 1\n  │        ^"),
            ("after a tab", "\tb = 1", 5..6, " 1│  b = 1\n  │      ^"),
            ("at the end of the text", "b = ", 4..4, " 1│ b =\n  │     ^"),
            ("in an empty text", "", 0..0, " 1│\n  │ ^"),
            ("on the first line only", "a = [\n1,\n]", 4..10, " 1│ a = [\n  │     ^"),
            ("not on a carriage return", "ab\r\n", 0..4, " 1│ ab\n  │ ^^"),
            ("inside a character", "é", 1..2, " 1│ é\n  │ ^"),
            ("beyond the text", "é", 9..12, " 1│ é\n  │  ^"),
        ];
        for (sentence, text, span, expected) in cases {
            let whole = rendered(text, span.clone());
            assert!(whole.contains(expected), "{sentence}:\n{whole}");
        }
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_culprit() {
        let text = format!("x = \"{}\" # {}", "a".repeat(300), "b".repeat(300));
        let whole = rendered(&text, 305..306);
        let lines: Vec<&str> = whole.lines().collect();
        let caret = lines[3].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[2].chars().nth(caret), Some('"'), "{whole}");
        assert!(lines.iter().all(|line| line.chars().count() < 120), "{whole}");
    }

    #[test]
    fn only_the_first_fifty_problems_are_printed_and_all_are_counted() {
        let mut problems = Problems::new(Path::new("c.toml"), "");
        for _ in 0..60 {
            problems.push(Problem { span: 0..0, place: String::new(), message: "bad".to_owned(), hint: None });
        }
        let whole = problems.to_string();
        assert_eq!(whole.matches("error: bad").count(), Problems::SHOWN_MAX);
        assert!(whole.ends_with("and 10 more\n60 problems in c.toml, nothing was started"), "{whole}");
    }

    #[test]
    fn what_was_written_never_makes_a_report_long_nor_harmful() {
        let long = "x".repeat(100_000);
        let mut problems = Problems::new(Path::new("c.toml"), &long);
        for span in 0..1000 {
            let (message, place) = (format!("bad\u{1b}{long}"), format!("[[channel]] {long}"));
            problems.push(Problem { span: span..span + 1, place, message, hint: Some(format!("a\r\n{long}")) });
        }
        let report = problems.to_string();
        assert!(report.len() < 100_000, "{} bytes", report.len());
        assert!(!report.contains(['\u{1b}', '\r']), "{report}");
        assert!(report.starts_with("error: bad\u{fffd}xxx") && report.contains("xxx…"), "{report}");
    }

    #[test]
    fn a_megabyte_is_near_to_no_word() {
        assert_eq!(nearest(&"n".repeat(1 << 20), &["name", "listen"]), None);
    }

    #[test]
    fn a_mistyped_word_is_recognised_and_a_foreign_one_is_not() {
        let known = ["name", "listen", "cache-budget", "folder"];
        for (written, expected) in [
            ("nmae", Some("name")),
            ("lsiten", Some("listen")),
            ("cache_budget", Some("cache-budget")),
            ("Folder", Some("folder")),
            ("folders", Some("folder")),
            ("port", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, &known), expected, "{written}");
        }
    }
}
