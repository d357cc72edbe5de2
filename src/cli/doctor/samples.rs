//! A station's numbers as Prometheus' text format has them, read as far as a doctor needs them. Pure.

/// One look at a station's numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples(Vec<Sample>);

/// One series.
#[derive(Clone, Debug, PartialEq)]
struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

impl Samples {
    /// Reads the text; a line that is not understood is passed over.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self(text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect())
    }

    /// Returns how many series there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the values of a metric's series that have these labels, without the prefix of all our names.
    fn values(&self, name: &str, labels: &[(&str, &str)]) -> impl Iterator<Item = f64> {
        let has = |sample: &Sample, (label, value): &(&str, &str)| {
            sample.labels.iter().any(|(known, told)| known == label && told == value)
        };
        let fits = move |sample: &&Sample| {
            sample.name.strip_prefix("nightcast_") == Some(name) && labels.iter().all(|pair| has(sample, pair))
        };
        self.0.iter().filter(fits).map(|sample| sample.value)
    }

    /// Returns the sum of a metric's series that have these labels; none where there is none.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.values(name, labels).fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    }

    /// Returns how many series a metric has.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        self.values(name, &[]).count()
    }

    /// Returns the values of one label of a metric with their numbers, where those are above nought.
    #[must_use]
    pub fn by(&self, name: &str, labels: &[(&str, &str)], label: &str) -> Vec<(String, f64)> {
        let with = |(word, value): (String, f64)| (value > 0.0).then_some((word, value));
        let mut words: Vec<&str> = self
            .0
            .iter()
            .flat_map(|sample| &sample.labels)
            .filter(|(known, _)| known == label)
            .map(|(_, word)| word.as_str())
            .collect();
        words.sort_unstable();
        words.dedup();
        let sums = words.into_iter().filter_map(|word| {
            let labels: Vec<_> = labels.iter().copied().chain([(label, word)]).collect();
            Some((word.to_owned(), self.sum(name, &labels)?))
        });
        sums.filter_map(with).collect()
    }
}

/// Reads `name{label="value",...} number`.
fn sample(line: &str) -> Option<Sample> {
    let (name, mut rest) = line.split_at(line.find(['{', ' '])?);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.trim_start_matches(',').split_once("=\"")?;
            let (value, end) = quoted(after)?;
            labels.push((label.to_owned(), value));
            rest = &after[end..];
        }
        rest = &rest[1..];
    }
    Some(Sample { name: name.to_owned(), labels, value: rest.split_whitespace().next()?.parse().ok()? })
}

/// Returns a text up to its closing quote, and where what follows begins.
fn quoted(text: &str) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    loop {
        match letters.next()? {
            (at, '"') => return Some((value, at + 1)),
            (_, '\\') => value.push(match letters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            (_, letter) => value.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_name_and_labels() {
        let samples = Samples::read(
            "# HELP nightcast_x what\nnightcast_x{channel=\"a\",reason=\"killed\"} 2\n\
             nightcast_x{channel=\"a\",reason=\"stal\\\"led\"} 1.5\nnightcast_x{channel=\"b\",reason=\"killed\"} 0\n\
             nightcast_y 1e9\nnonsense\nnightcast_z{open=\"\n",
        );
        assert_eq!(samples.len(), 4);
        assert_eq!(samples.sum("x", &[("channel", "a")]), Some(3.5));
        assert_eq!(samples.sum("y", &[]), Some(1e9));
        assert_eq!(samples.sum("x", &[("channel", "c")]), None);
        let by = samples.by("x", &[("channel", "a")], "reason");
        assert_eq!(by, [("killed".to_owned(), 2.0), ("stal\"led".to_owned(), 1.5)]);
        assert!(samples.by("x", &[("channel", "b")], "reason").is_empty());
    }
}
