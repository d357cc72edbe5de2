//! What toml says of a text that is not TOML, in words that help a person who has never heard of TOML.

use std::ops::Range;

use super::problem::{Problem, Problems};

/// Adds toml's complaints, one a line of the file: what follows on the same line is mostly an echo of the first.
pub(super) fn report(errors: &[toml::de::Error], text: &str, problems: &mut Problems) {
    let mut last_line = 0;
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let line = problems.line_number(span.start);
        if line == last_line {
            continue;
        }
        last_line = line;
        let (message, hint) = explain(error.message(), text, &span);
        problems.push(Problem { span, place: String::new(), message, hint });
    }
}

fn explain(message: &str, text: &str, span: &Range<usize>) -> (String, Option<String>) {
    let culprit = text.get(span.clone()).unwrap_or_default();
    let (message, hint) = match message {
        _ if culprit.contains(['“', '”', '„', '‘', '’']) => {
            ("curly quotes are not understood".to_owned(), "use straight ones: \"".to_owned())
        }
        unquoted if unquoted.starts_with("invalid boolean") || unquoted.starts_with("string values must") => {
            let bare = culprit.trim_matches(['"', '\'']).escape_debug();
            ("text must stand in quotes".to_owned(), format!("write \"{bare}\""))
        }
        escape if escape.starts_with("missing escaped value") || escape.starts_with("invalid escape") => (
            "a backslash in double quotes begins a special character".to_owned(),
            "write paths with / or in single quotes: 'C:\\Videos'".to_owned(),
        ),
        open if open.starts_with("invalid basic string") || open.starts_with("invalid literal string") => {
            ("the text has no closing quote".to_owned(), "close it on the line where it begins".to_owned())
        }
        "duplicate key" if culprit == "channel" => (
            "channel is written in two ways".to_owned(),
            "every channel begins with [[channel]], in double brackets, and its [channel.picture] stands below it"
                .to_owned(),
        ),
        "duplicate key" => {
            let hint = "keep one; a second channel needs its own [[channel]] line".to_owned();
            (format!("{} is written twice", culprit.escape_debug()), hint)
        }
        no_value if no_value.starts_with("key with no value") => {
            ("a key without a value".to_owned(), "write key = value; text after # is a comment".to_owned())
        }
        two if two.starts_with("unexpected key or value") => {
            ("there is more on the line than one key and its value".to_owned(), "one key a line".to_owned())
        }
        other => return (other.replace('`', ""), None),
    };
    (message, Some(hint))
}
