//! Reads one TOML table: complains about every unknown key and every value of the wrong type, and goes on.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::{At, Scalar, TABLES, WeightsFile};
use super::problem::{Problem, Problems, nearest};

/// Adds a problem.
pub(super) fn complain(problems: &mut Problems, span: &Range<usize>, place: &str, message: String, hint: Option<&str>) {
    let problem = Problem { span: span.clone(), place: place.to_owned(), message, hint: hint.map(str::to_owned) };
    problems.push(problem);
}

/// A table whose keys are known.
pub(super) struct Section<'t> {
    table: &'t DeTable<'t>,
    /// Its header.
    span: Range<usize>,
    place: String,
    known: &'static [&'static str],
}

impl<'t> Section<'t> {
    /// Opens a table and complains about each key that is not known.
    pub(super) fn open(
        table: &'t DeTable<'t>,
        span: Range<usize>,
        place: String,
        known: &'static [&'static str],
        problems: &mut Problems,
    ) -> Self {
        let section = Self { table, span, place, known };
        for key in section.unknown_keys() {
            let hint = section.hint_for(key.get_ref());
            let message = format!("there is no key \"{}\" here", key.get_ref().escape_debug());
            complain(problems, &key.span(), &section.place, message, Some(&hint));
        }
        section
    }

    /// Returns whether [`Self::open`] complained.
    pub(super) fn has_unknown_keys(&self) -> bool {
        self.unknown_keys().next().is_some()
    }

    fn unknown_keys(&self) -> impl Iterator<Item = &'t Spanned<std::borrow::Cow<'t, str>>> {
        let known = self.known;
        self.table.keys().filter(move |key| !known.contains(&key.get_ref().as_ref()))
    }

    fn hint_for(&self, written: &str) -> String {
        if let Some((home, _)) = TABLES.iter().find(|(_, keys)| keys.contains(&written)) {
            return match written {
                "picture" | "sound" => format!("write [channel.{written}] below the channel it is meant for"),
                "block" | "fixed" => format!("write [[channel.{written}]] below the channel it is meant for"),
                _ => format!("it belongs to {home}"),
            };
        }
        match nearest(written, self.known) {
            Some("channel") => "did you mean [[channel]]?".to_owned(),
            Some(table @ ("station" | "metrics" | "admin" | "mirror" | "apps")) if self.place.is_empty() => {
                format!("did you mean [{table}]?")
            }
            Some(word) => format!("did you mean \"{word}\"?\nthe keys are {}", self.known.join(", ")),
            None => format!("the keys are {}", self.known.join(", ")),
        }
    }

    /// Returns a value and the span of its key.
    pub(super) fn value(&self, key: &str) -> Option<(Range<usize>, &'t Spanned<DeValue<'t>>)> {
        let (found, value) = self.table.iter().find(|(found, _)| found.get_ref() == key)?;
        Some((found.span(), value))
    }

    /// Complains where a key is missing.
    pub(super) fn require(&self, key: &str, hint: &str, problems: &mut Problems) {
        if self.value(key).is_none() {
            complain(problems, &self.span, &self.place, format!("{key} is missing"), Some(hint));
        }
    }

    /// Returns the header, for messages.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Complains of a value of the wrong type.
    pub(super) fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str, problems: &mut Problems) {
        let message = format!("{key} must be {wanted}, got {}", kind(value.get_ref()));
        // The commonest slip deserves the whole answer.
        let hint = match value.get_ref() {
            DeValue::Integer(port) if key == "listen" => Some(format!("write \"127.0.0.1:{port}\"")),
            DeValue::Integer(number) if wanted.starts_with("text") => Some(format!("write \"{number}\"")),
            DeValue::String(text) if text.parse::<f64>().is_ok() => Some(format!("write {text} without quotes")),
            _ => None,
        };
        complain(problems, &value.span(), &self.place, message, hint.as_deref());
    }

    /// Returns a text in quotes.
    pub(super) fn text(&self, key: &str, problems: &mut Problems) -> Option<At<String>> {
        let (_, value) = self.value(key)?;
        if let DeValue::String(text) = value.get_ref() {
            return Some(Spanned::new(value.span(), text.clone().into_owned()));
        }
        self.wrong_type(key, value, "text in quotes", problems);
        None
    }

    /// Returns `true` or `false`.
    pub(super) fn truth(&self, key: &str, problems: &mut Problems) -> Option<At<bool>> {
        let (_, value) = self.value(key)?;
        if let DeValue::Boolean(truth) = value.get_ref() {
            return Some(Spanned::new(value.span(), *truth));
        }
        self.wrong_type(key, value, "true or false, without quotes", problems);
        None
    }

    /// Returns one text or a list of them.
    pub(super) fn texts(&self, key: &str, problems: &mut Problems) -> Vec<At<String>> {
        let Some((_, value)) = self.value(key) else { return Vec::new() };
        let all = match value.get_ref() {
            DeValue::Array(array) => array.iter().collect(),
            _ => vec![value],
        };
        if all.is_empty() {
            complain(
                problems,
                &value.span(),
                &self.place,
                format!("{key} is an empty list"),
                Some("name at least one"),
            );
        }
        let mut texts = Vec::new();
        for value in all {
            match value.get_ref() {
                DeValue::String(text) => texts.push(Spanned::new(value.span(), text.clone().into_owned())),
                _ => self.wrong_type(key, value, "text in quotes or a list of texts", problems),
            }
        }
        texts
    }

    /// Returns a whole number.
    pub(super) fn whole(&self, key: &str, problems: &mut Problems) -> Option<At<i64>> {
        let (_, value) = self.value(key)?;
        if let DeValue::Integer(number) = value.get_ref() {
            if let Ok(parsed) = i64::from_str_radix(number.as_str(), number.radix()) {
                return Some(Spanned::new(value.span(), parsed));
            }
            let message = format!("{key} is too large a number");
            complain(problems, &value.span(), &self.place, message, None);
            return None;
        }
        self.wrong_type(key, value, "a whole number", problems);
        None
    }

    /// Returns a number, whole or not.
    pub(super) fn number(&self, key: &str, problems: &mut Problems) -> Option<At<f64>> {
        let (_, value) = self.value(key)?;
        let number = number(value.get_ref());
        if number.is_none() {
            self.wrong_type(key, value, "a number", problems);
        }
        number.map(|number| Spanned::new(value.span(), number))
    }

    /// Returns a number or a word; `wanted` says which, for messages.
    pub(super) fn scalar(&self, key: &str, wanted: &str, problems: &mut Problems) -> Option<At<Scalar>> {
        let (_, value) = self.value(key)?;
        let scalar = match value.get_ref() {
            DeValue::String(word) => Some(Scalar::Word(word.clone().into_owned())),
            other => number(other).map(Scalar::Number),
        };
        if scalar.is_none() {
            self.wrong_type(key, value, wanted, problems);
        }
        scalar.map(|scalar| Spanned::new(value.span(), scalar))
    }

    /// Returns a table of the channel's or the file's, and the span of its header.
    pub(super) fn table(&self, key: &str, problems: &mut Problems) -> Option<(&'t DeTable<'t>, Range<usize>)> {
        let (_, value) = self.value(key)?;
        if let DeValue::Table(table) = value.get_ref() {
            return Some((table, value.span()));
        }
        let of_channel = matches!(key, "picture" | "sound");
        let header = if of_channel { format!("[channel.{key}]") } else { format!("[{key}]") };
        self.wrong_type(key, value, &format!("a table, {header}"), problems);
        None
    }

    /// Returns a table of numbers in the order of the file.
    pub(super) fn weights(&self, key: &str, problems: &mut Problems) -> Option<At<WeightsFile>> {
        let (_, value) = self.value(key)?;
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(key, value, "a table, { \"Folder/\" = 3.0 }", problems);
            return None;
        };
        let mut weights = Vec::new();
        for (prefix, weight) in table {
            match number(weight.get_ref()) {
                Some(number) => weights.push((
                    Spanned::new(prefix.span(), prefix.get_ref().clone().into_owned()),
                    Spanned::new(weight.span(), number),
                )),
                None => self.wrong_type("a weight", weight, "a number", problems),
            }
        }
        // toml sorts its tables by key; the first weight that matches counts, so the file's order matters.
        weights.sort_by_key(|(prefix, _)| prefix.span().start);
        Some(Spanned::new(value.span(), weights))
    }
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        // Through i64, as numbers may be written to another base, and then exactly: f64 is read from decimal text.
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().and_then(|whole| whole.to_string().parse().ok())
        }
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    }
}

fn kind(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text {text:?}"),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(boolean) => format!("{boolean}"),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
