//! The figures of the page in one table, each with what it is held against and the command that repeats it. Pure.

use super::page::table;
use super::tables::{self, cell};

/// A figure of the page.
struct Figure {
    what: &'static str,
    section: &'static str,
    having: &'static [(&'static str, &'static str)],
    heading: &'static str,
    /// What it is to be, or is beside.
    against: Against,
}

/// What a figure is held against.
enum Against {
    /// A promise in words.
    Words(&'static str),
    /// Another row of the same table, under the same heading.
    Rival(&'static [(&'static str, &'static str)]),
}

use Against::{Rival, Words};

const CPU: &str = "CPU a channel, of one core";
const ZAP: &[(&str, &str)] = &[("Rate", "3 Mbit/s"), ("From the click until", "first frame shown")];
const MANY: &[(&str, &str)] = &[("Channels", "200")];

const FIGURES: [Figure; 20] = [
    figure(
        "Cold start, films that keep their picture",
        "start",
        &[("Start", "fit originals, empty data folder")],
        "Median",
        Words("–"),
    ),
    figure("Restart", "start", &[("Start", "warm restart, data folder kept")], "Median", Words("–")),
    figure(
        "CPU of a channel on air, one 720p picture",
        "rivals",
        &[("What", "Nightcast, one picture (720p)")],
        CPU,
        Words("under 0.3 %"),
    ),
    figure(
        "the same, three pictures",
        "rivals",
        &[("What", "Nightcast, three pictures (1080p, 720p, 360p)")],
        CPU,
        Words("under 0.6 %"),
    ),
    figure(
        "beside: one ffmpeg a video, encoding",
        "rivals",
        &[("What", "One ffmpeg a video, encoding in a loop")],
        CPU,
        Words("a rival"),
    ),
    figure("beside: liquidsoap, encoding", "rivals", &[("What", "liquidsoap, encoding")], CPU, Words("a rival")),
    figure("Zap in Chromium, median", "zap", ZAP, "p50", Words("under 250 ms")),
    figure("Zap in Chromium, 95 of 100", "zap", ZAP, "p95", Words("under 400 ms")),
    figure(
        "Segments a second beside nginx, 64 connections",
        "serving",
        &[("What", "segment"), ("Connections", "64")],
        "Ratio",
        Words("at least 1.0"),
    ),
    figure(
        "Segments: CPU a gigabyte beside nginx",
        "serving",
        &[("What", "segment"), ("Connections", "64")],
        "Ratio (2)",
        Words("at most 1.0"),
    ),
    figure(
        "Playlists a second beside nginx, 64 connections",
        "serving",
        &[("What", "playlist"), ("Connections", "64"), ("gzip taken", "no")],
        "Ratio",
        Words("at least 1.0"),
    ),
    figure(
        "Segments a second beside nginx, 1,000 connections",
        "serving",
        &[("What", "segment"), ("Connections", "1000")],
        "Ratio",
        Words("at least 1.0"),
    ),
    figure(
        "Segments: CPU a gigabyte beside nginx, 1,000 connections",
        "serving",
        &[("What", "segment"), ("Connections", "1000")],
        "Ratio (2)",
        Words("at most 1.0"),
    ),
    figure(
        "Playlists a second beside nginx, 1,000 connections",
        "serving",
        &[("What", "playlist"), ("Connections", "1000"), ("gzip taken", "no")],
        "Ratio",
        Words("at least 1.0"),
    ),
    figure(
        "Viewers of one channel at 3 Mbit/s",
        "viewers",
        &[("Rate", "3 Mbit/s")],
        "Viewers held",
        Words("as many as can be"),
    ),
    figure(
        "200 channels: first start until all can be watched",
        "many",
        MANY,
        "First start until all have 3 segments",
        Words("–"),
    ),
    figure("200 channels: CPU, of one core", "many", MANY, "Together", Rival(&[("Channels", "50")])),
    figure("200 channels: memory", "many", MANY, "All, PSS", Rival(&[("Channels", "50")])),
    figure("200 channels: greatest clock error", "many", MANY, "Greatest clock error", Words("under 200 ms")),
    figure("200 channels: segments that came late", "many", MANY, "Late", Words("0")),
];

const fn figure(
    what: &'static str,
    section: &'static str,
    having: &'static [(&'static str, &'static str)],
    heading: &'static str,
    against: Against,
) -> Figure {
    Figure { what, section, having, heading, against }
}

/// Returns the table of all figures that the page has; what was not measured yet is left out.
pub(crate) fn summary(page: &str) -> String {
    let row = |figure: &Figure| {
        let rows = tables::rows(page, figure.section);
        let measured = cell(&rows, figure.having, figure.heading)?;
        let against = match figure.against {
            Words(words) => words.to_owned(),
            Rival(having) => {
                let (head, value) = having.first()?;
                format!("{} at {value} {}", cell(&rows, having, figure.heading)?, head.to_lowercase())
            }
        };
        let (what, section) = (figure.what.to_owned(), figure.section);
        Some(vec![what, format!("**{measured}**"), against, format!("[`make bench ONLY={section}`](#{section})")])
    };
    table(&["What", "Measured", "To be, or beside", "Again by"], &FIGURES.iter().filter_map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the summary tells what the page tells, and nothing that was not measured. Method: a page with one figure and
    /// the one beside it.
    #[test]
    fn what_was_measured_is_told_and_nothing_else() {
        let page = "# x\n\n## many\n\n| Channels | Together |\n| --- | --- |\n| 50 | 15.0 % |\n| 200 | **61.2 %** |\n";
        let told = summary(page);
        assert_eq!(told.lines().count(), 3, "{told}");
        let expected =
            "| 200 channels: CPU, of one core | **61.2 %** | 15.0 % at 50 channels | [`make bench ONLY=many`](#many) |";
        assert!(told.contains(expected), "{told}");
    }
}
