//! Text with the markup of any kind of subtitle in, `WebVTT` cue text out. Pure.
//!
//! Of all markup only i, b and u stay: every player knows them, and colours and places are the viewer's to choose. What
//! comes out can neither end its cue nor be taken for a tag.

use super::CUE_LEN_MAX;

/// Tags that stay.
const KEPT: [&str; 3] = ["i", "b", "u"];

/// The longest tag and the longest row of overrides that are known as such, in bytes; those that move letters are long.
const TAG_LEN_MAX: usize = 1024;

/// The longest name of a character that is decoded.
const ENTITY_LEN_MAX: usize = 10;

/// Returns the text of an SRT or `WebVTT` cue: `<i>` stays, other tags and `{\an8}` go, entities are read as what they mean.
#[must_use]
pub(super) fn of_tags(text: &str) -> String {
    let mut out = Writer::default();
    let mut rest = text;
    while let Some(place) = rest.find(['<', '{', '&']) {
        out.text(&rest[..place]);
        let (mark, after) = rest[place..].split_at(1);
        let closing = if mark == "<" { '>' } else { '}' };
        rest = match (mark, near(after, closing)) {
            ("<", Some(end)) if is_tag(&after[..end]) => {
                out.tag(&after[..end]);
                &after[end + 1..]
            }
            ("{", Some(end)) if after.starts_with('\\') => &after[end + 1..],
            ("&", _) => {
                let (meant, after) = entity(after).unwrap_or(('&', after));
                out.text(meant.encode_utf8(&mut [0; 4]));
                after
            }
            _ => {
                out.text(mark);
                after
            }
        };
    }
    out.text(rest);
    out.finish()
}

/// Returns the text of an ASS event: `{\i1}` becomes `<i>`, other overrides go, `\N` is a new line. A drawing is no text.
#[must_use]
pub(super) fn of_overrides(text: &str) -> String {
    let mut out = Writer::default();
    let mut rest = text;
    let mut drawing = false;
    while let Some(place) = rest.find(['{', '\\']) {
        if !drawing {
            out.text(&rest[..place]);
        }
        let after = &rest[place + 1..];
        if rest[place..].starts_with('{')
            && let Some(end) = near(after, '}')
        {
            for one in after[..end].split('\\').skip(1) {
                match one.trim() {
                    "i1" => out.tag("i"),
                    "i0" => out.tag("/i"),
                    "b1" => out.tag("b"),
                    "b0" => out.tag("/b"),
                    "u1" => out.tag("u"),
                    "u0" => out.tag("/u"),
                    one if is_drawing(one) => drawing = !one.ends_with("p0"),
                    _ => {}
                }
            }
            rest = &after[end + 1..];
            continue;
        }
        let (written, len) = match after.bytes().next() {
            Some(b'N' | b'n') => ("\n", 1),
            Some(b'h') => ("\u{a0}", 1),
            _ => (&rest[place..=place], 0),
        };
        if !drawing {
            out.text(written);
        }
        rest = &after[len..];
    }
    if !drawing {
        out.text(rest);
    }
    out.finish()
}

/// Returns where a mark ends, if that is near: nothing is looked through again and again.
fn near(after: &str, closing: char) -> Option<usize> {
    after.bytes().take(TAG_LEN_MAX).position(|byte| char::from(byte) == closing)
}

/// Whether an override begins or ends a drawing: `p1`, and not `pos(1,2)`.
fn is_drawing(one: &str) -> bool {
    one.strip_prefix('p').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether what stands between `<` and `>` is a tag and not a part of a sentence: `1 < 2 > 0`.
fn is_tag(inner: &str) -> bool {
    let name = inner.strip_prefix('/').unwrap_or(inner);
    !inner.contains(['<', '\n']) && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.') || inner == "/"
}

fn entity(after: &str) -> Option<(char, &str)> {
    let end = after.bytes().take(ENTITY_LEN_MAX + 1).position(|byte| byte == b';')?;
    let c = match &after[..end] {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" | "#39" => '\'',
        "nbsp" => '\u{a0}',
        "lrm" => '\u{200e}',
        "rlm" => '\u{200f}',
        _ => return None,
    };
    Some((c, &after[end + 1..]))
}

/// Writes cue text: tags are closed in the order in which they were opened, lines are trimmed, none is empty.
#[derive(Default)]
struct Writer {
    out: String,
    len: usize,
    open: Vec<&'static str>,
    /// A line is begun by the next character that shows: never an empty one, never one at the end.
    line_ended: bool,
    blank: bool,
}

impl Writer {
    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\n' => self.line_ended = true,
                c if c.is_whitespace() && c != '\u{a0}' => self.blank = true,
                c if c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}') => {}
                c => self.shown(c),
            }
        }
    }

    fn shown(&mut self, c: char) {
        if self.len >= CUE_LEN_MAX {
            return;
        }
        let begun = self.len > 0;
        let (line_ended, blank) = (std::mem::take(&mut self.line_ended), std::mem::take(&mut self.blank));
        if line_ended && begun {
            self.out.push('\n');
        } else if blank && begun {
            self.out.push(' ');
        }
        self.len += 1;
        match c {
            '&' => self.out.push_str("&amp;"),
            '<' => self.out.push_str("&lt;"),
            '>' => self.out.push_str("&gt;"),
            c => self.out.push(c),
        }
    }

    fn tag(&mut self, inner: &str) {
        let (closes, name) = inner.strip_prefix('/').map_or((false, inner), |name| (true, name));
        let name = name.split([' ', '.', '\t', '\n']).next().unwrap_or_default();
        let Some(kept) = KEPT.iter().find(|kept| kept.eq_ignore_ascii_case(name)) else { return };
        let is_open = self.open.iter().rposition(|open| open == kept);
        match (closes, is_open) {
            (false, None) if self.len < CUE_LEN_MAX => {
                // The blank before it belongs before it.
                self.space();
                self.out.extend(["<", kept, ">"]);
                self.open.push(kept);
            }
            (true, Some(place)) => {
                for open in self.open.drain(place..).rev() {
                    self.out.extend(["</", open, ">"]);
                }
            }
            _ => {}
        }
    }

    fn space(&mut self) {
        if self.len > 0 && std::mem::take(&mut self.line_ended) {
            self.out.push('\n');
            self.blank = false;
        } else if self.len > 0 && std::mem::take(&mut self.blank) {
            self.out.push(' ');
        }
    }

    fn finish(mut self) -> String {
        for open in self.open.drain(..).rev() {
            self.out.extend(["</", open, ">"]);
        }
        if self.len == 0 { String::new() } else { self.out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_every_player_knows_stays() {
        for (text, expected) in [
            ("<i>Hello</i>\n  there ", "<i>Hello</i>\nthere"),
            ("<font color=\"#fff\">a</font> <b>b", "a <b>b</b>"),
            ("{\\an8}up {kept}", "up {kept}"),
            ("<v Mary><c.loud>a</c></v><00:00:01.000>b", "ab"),
            ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
            ("&lt;i&gt; &amp; &nbsp;&nosuch; 00:01 --> 00:02", "&lt;i&gt; &amp; \u{a0}&amp;nosuch; 00:01 --&gt; 00:02"),
            ("\n\na\n\n\nb\n\n", "a\nb"),
            ("<i><b>a</i>b</b>", "<i><b>a</b></i>b"),
            ("<i></i>", ""),
            ("a\u{0}\u{feff}\tb", "a b"),
        ] {
            assert_eq!(of_tags(text), expected, "{text:?}");
        }
    }

    #[test]
    fn overrides_are_read_as_what_they_mean() {
        for (text, expected) in [
            ("{\\pos(1,2)\\i1}a{\\i0}\\Nb\\hc", "<i>a</i>\nb\u{a0}c"),
            ("{\\p1}m 0 0 l 9 9{\\p0}a", "a"),
            ("{\\p1}m 0 0 l 9 9", ""),
            ("back\\slash {open", "back\\slash {open"),
            ("{a comment}<b>", "&lt;b&gt;"),
        ] {
            assert_eq!(of_overrides(text), expected, "{text:?}");
        }
    }

    #[test]
    fn no_cue_is_longer_than_a_screen() {
        assert_eq!(of_tags(&"<i>x".repeat(3 * CUE_LEN_MAX)).matches('x').count(), CUE_LEN_MAX);
    }
}
