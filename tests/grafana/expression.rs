//! What a `PromQL` expression asks for: enough of the language to judge it, while its grammar is left to `promtool`.

/// A metric that an expression names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) metric: String,
    /// Label, operator, value.
    pub(crate) matchers: Vec<(String, String, String)>,
    /// The range in brackets behind it.
    pub(crate) range: Option<String>,
    /// The function it is given to directly.
    pub(crate) function: String,
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// Returns the metrics an expression names: ours, and Prometheus' own `up` and `ALERTS`.
pub(crate) fn selectors(expression: &str) -> Vec<Selector> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(at) = rest.find(|c: char| is_word(c) || c == '"') {
        if rest[at..].starts_with('"') {
            rest = &rest[at + 1..];
            rest = &rest[rest.find('"').unwrap_or(rest.len() - 1) + 1..];
            continue;
        }
        let before = expression[..expression.len() - rest.len() + at].trim_end();
        let word_end = rest[at..].find(|c| !is_word(c)).map_or(rest.len(), |end| at + end);
        let word = &rest[at..word_end];
        rest = &rest[word_end..];
        if !(word.starts_with("nightcast") || ["up", "ALERTS"].contains(&word)) {
            continue;
        }
        let mut matchers = Vec::new();
        if let Some(inside) = rest.strip_prefix('{') {
            let end = inside.find('}').unwrap();
            matchers = inside[..end].split(", ").map(matcher).collect();
            rest = &inside[end + 1..];
        }
        let range = rest.strip_prefix('[').map(|inside| inside.split(']').next().unwrap().to_owned());
        let function = before.strip_suffix('(').map_or("", |call| call.rsplit(|c| !is_word(c)).next().unwrap());
        found.push(Selector { metric: word.to_owned(), matchers, range, function: function.to_owned() });
    }
    found
}

fn matcher(text: &str) -> (String, String, String) {
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let (label, rest) = text.split_at(end);
    let (operator, value) = rest.split_once('"').unwrap_or_else(|| panic!("not a matcher: {text}"));
    (label.to_owned(), operator.to_owned(), value.trim_end_matches('"').to_owned())
}

/// Returns the labels an expression groups by.
pub(crate) fn groupings(expression: &str) -> Vec<&str> {
    let lists = expression.split(" by (").skip(1).map(|after| after.split(')').next().unwrap());
    lists.flat_map(|list| list.split(", ")).collect()
}

#[test]
fn what_an_expression_names_is_found() {
    let text = r#"label_replace(sum by (instance, le) (rate(nightcast_a_total{job=~"$job", reason!="ended"}[5m])), "up", "x") > up"#;
    let of = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    let rate = Selector {
        metric: "nightcast_a_total".to_owned(),
        matchers: vec![of("job", "=~", "$job"), of("reason", "!=", "ended")],
        range: Some("5m".to_owned()),
        function: "rate".to_owned(),
    };
    let up = Selector { metric: "up".to_owned(), matchers: Vec::new(), range: None, function: String::new() };
    assert_eq!(selectors(text), [rate, up]);
    assert_eq!(groupings(text), ["instance", "le"]);
}
