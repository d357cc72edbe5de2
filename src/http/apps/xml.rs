//! Text in XML 1.0.

use std::fmt::{self, Display, Write as _};

/// A text between tags or in an attribute's double quotes. What XML has no way to write is left out, and so are control
/// characters that readers take for a wrong encoding (U+0080 to U+009F).
pub(in crate::http) struct Text<'t>(pub(in crate::http) &'t str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                // "]]>" may not stand between tags.
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\t' | '\n' => f.write_char(c)?,
                c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

impl Text<'_> {
    /// Whether nothing can be read of it.
    pub(in crate::http) fn is_blank(&self) -> bool {
        self.to_string().trim().is_empty()
    }
}
