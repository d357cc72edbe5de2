//! The page of figures: a heading, then one part for each section. Pure.

/// What stands above all sections.
const HEAD: &str = "\
# Benchmarks

`make bench` measures these on the machine it runs on and writes them here, each section with its machine, date and
command; `make bench ONLY=start` measures one section. The clips are made once, by ffmpeg, into `target/bench-clips`.

![The figures of this page as bars](benchmarks.svg)
";

/// Returns a section's part of the page.
pub(crate) fn section(name: &str, text: &str, machine: &str, command: &str) -> String {
    format!("## {name}\n\n{machine}\nCommand: `{command}`\n\n{}\n", text.trim())
}

/// Returns the page with one section in its new words; the others stay, in the order of [`super::SECTIONS`].
pub(crate) fn renew(page: &str, name: &str, told: &str) -> String {
    let mut renewed = HEAD.to_owned();
    for section in super::SECTIONS {
        let old = format!("## {section}\n");
        let kept = page.split_once(&old).map(|(_, rest)| {
            let end = rest.find("\n## ").map_or(rest.len(), |end| end + 1);
            format!("{old}{}", &rest[..end])
        });
        if let Some(text) = if section == name { Some(told.to_owned()) } else { kept } {
            renewed.push('\n');
            renewed.push_str(text.trim_end());
            renewed.push('\n');
        }
    }
    // The table of all figures is made from the sections that follow it.
    let table = super::summary::summary(&renewed);
    renewed.replacen(HEAD, &format!("{HEAD}\n## All figures\n\n{table}"), 1)
}

/// Returns a table in Markdown.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let rule = format!("|{}\n", " --- |".repeat(head.len()));
    let rows = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    [line(head.to_vec()), rule].into_iter().chain(rows).collect()
}
