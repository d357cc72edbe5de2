//! Reads the tables of the page again: what was measured earlier is told by the page alone. Pure.

/// A row of a table by its headings. A heading that comes again is told apart: `Ratio`, `Ratio (2)`.
pub(crate) type Row = Vec<(String, String)>;

/// Returns the rows of all tables of a section.
pub(crate) fn rows(page: &str, section: &str) -> Vec<Row> {
    let Some((_, rest)) = page.split_once(&format!("\n## {section}\n")) else { return Vec::new() };
    let text = rest.split("\n## ").next().unwrap_or_default();
    let (mut rows, mut head) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let Some(inner) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else {
            // The rule below the headings begins without a blank; anything else ends the table.
            if !line.starts_with("| ---") {
                head.clear();
            }
            continue;
        };
        let cells: Vec<String> = inner.split(" | ").map(|cell| cell.trim_matches('*').trim().to_owned()).collect();
        if cells.iter().all(|cell| cell.starts_with("---")) {
            continue;
        }
        if head.is_empty() {
            head = unlike(&cells);
        } else {
            rows.push(head.iter().cloned().zip(cells).collect());
        }
    }
    rows
}

fn unlike(cells: &[String]) -> Vec<String> {
    let nth = |n: usize| cells[..n].iter().filter(|cell| **cell == cells[n]).count() + 1;
    (0..cells.len()).map(|n| if nth(n) > 1 { format!("{} ({})", cells[n], nth(n)) } else { cells[n].clone() }).collect()
}

/// Returns the cell under a heading, of the last row that has these cells.
pub(crate) fn cell<'r>(rows: &'r [Row], having: &[(&str, &str)], wanted: &str) -> Option<&'r str> {
    let has = |row: &&Row| having.iter().all(|(head, cell)| row.iter().any(|(h, c)| h == head && c == cell));
    let of = |row: &'r Row| row.iter().find(|(head, _)| head == wanted).map(|(_, cell)| cell.as_str());
    rows.iter().rev().filter(has).find_map(of)
}

/// Returns the number that a cell begins with.
pub(crate) fn number(cell: &str) -> Option<f64> {
    cell.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Benchmarks\n\n## start\n\nText with | in it.\n\n| Start | Median |\n| --- | --- |\n| cold | 0.748 s |\n\n\
        ## serving\n\n| What | Ratio | nginx | Ratio |\n| --- | --- | --- | --- |\n| segment | **1.36** | 931 | **0.89** |\n\
        | playlist | 2 | 3 | 4 |\n\n| What | Held |\n| --- | --- |\n| segment | 7 |\n";

    /// Goal: what the page tells is read as it was written. Method: a page with two sections and three tables, read by
    /// section, row and heading.
    #[test]
    fn figures_are_found_by_section_row_and_heading() {
        for (section, having, wanted, expected) in [
            ("start", ("Start", "cold"), "Median", Some("0.748 s")),
            ("serving", ("What", "segment"), "Ratio", Some("1.36")),
            ("serving", ("What", "segment"), "Ratio (2)", Some("0.89")),
            ("serving", ("What", "segment"), "Held", Some("7")),
            ("serving", ("What", "playlist"), "Held", None),
            ("start", ("What", "segment"), "Held", None),
            ("on-air", ("What", "segment"), "Held", None),
        ] {
            let rows = rows(PAGE, section);
            assert_eq!(cell(&rows, &[having], wanted), expected, "{section} {having:?} {wanted}");
        }
    }

    /// Goal: units are left out and words are no numbers. Method: a table of cells.
    #[test]
    fn a_cell_begins_with_its_number() {
        for (text, expected) in [("0.748 s", Some(0.748)), ("12", Some(12.0)), ("–", None), ("", None)] {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
