//! The figures of the page as a drawing: docs/benchmarks.svg. Bars only, readable on light and dark ground. Pure.

use std::fmt::Write as _;

use super::tables::{self, cell, number};

/// Measures of the drawing, in its own units.
const WIDTH: f64 = 760.0;
const LABELS: f64 = 300.0;
const BARS: f64 = 370.0;
const LINE: f64 = 24.0;
const BAR: f64 = 14.0;

/// Colours follow the ground that the reader chose.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2328}.h{font-weight:600}.n{fill:#59636e}.g{fill:#ffffff}\
    .o{fill:#0969da}.r{fill:#afb8c1}.t{stroke:#cf222e;stroke-width:1.5;stroke-dasharray:3 2}\
    @media(prefers-color-scheme:dark){text{fill:#e6edf3}.n{fill:#9198a1}.g{fill:#0d1117}.o{fill:#4493f8}.r{fill:#656c76}\
    .t{stroke:#f85149}}";

/// One bar.
#[derive(Debug)]
struct Bar {
    label: &'static str,
    value: f64,
    /// As the page tells it.
    told: String,
    ours: bool,
}

/// Bars on one scale.
#[derive(Debug)]
struct Panel {
    title: &'static str,
    /// Each step of the scale is ten times the one before.
    decades: bool,
    bars: Vec<Bar>,
    /// What the figures are to stay below, or above.
    mark: Option<f64>,
}

/// Where a bar's figure stands: label, section, the row, the heading, and whether it is ours.
type Source = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, bool);

const CPU: &str = "CPU a channel, of one core";
const PANELS: [(&str, bool, Option<f64>, &[Source]); 4] = [
    (
        "CPU of one channel on air, in per cent of a core (each line ten times the one before; mark: 0.3 %)",
        true,
        Some(0.3),
        &[
            ("Nightcast, 720p", "rivals", &[("What", "Nightcast, one picture (720p)")], CPU, true),
            (
                "Nightcast, 1080p + 720p + 360p",
                "rivals",
                &[("What", "Nightcast, three pictures (1080p, 720p, 360p)")],
                CPU,
                true,
            ),
            ("ffmpeg over a list, copying", "rivals", &[("What", "One ffmpeg over a list, copying")], CPU, false),
            ("ffmpeg over a list, encoding", "rivals", &[("What", "One ffmpeg over a list, encoding")], CPU, false),
            (
                "one ffmpeg a video, encoding",
                "rivals",
                &[("What", "One ffmpeg a video, encoding in a loop")],
                CPU,
                false,
            ),
            ("liquidsoap, encoding", "rivals", &[("What", "liquidsoap, encoding")], CPU, false),
        ],
    ),
    (
        "Zap in Chromium: click to first frame, in ms (mark: 250 ms)",
        false,
        Some(250.0),
        &[
            ("median", "zap", &[("Rate", "3 Mbit/s"), ("From the click until", "first frame shown")], "p50", true),
            (
                "95 of 100 are faster than",
                "zap",
                &[("Rate", "3 Mbit/s"), ("From the click until", "first frame shown")],
                "p95",
                true,
            ),
        ],
    ),
    (
        "Requests a second beside nginx, which is 1 (mark)",
        false,
        Some(1.0),
        &[
            ("segments, 64 connections", "serving", &[("What", "segment"), ("Connections", "64")], "Ratio", true),
            ("segments, 1000 connections", "serving", &[("What", "segment"), ("Connections", "1000")], "Ratio", true),
            (
                "playlists, 64 connections",
                "serving",
                &[("What", "playlist"), ("Connections", "64"), ("gzip taken", "no")],
                "Ratio",
                true,
            ),
            (
                "playlists, 1000 connections",
                "serving",
                &[("What", "playlist"), ("Connections", "1000"), ("gzip taken", "no")],
                "Ratio",
                true,
            ),
        ],
    ),
    (
        "CPU of all channels together, in per cent of a core",
        false,
        None,
        &[
            ("50 channels", "many", &[("Channels", "50")], "Together", true),
            ("100 channels", "many", &[("Channels", "100")], "Together", true),
            ("200 channels", "many", &[("Channels", "200")], "Together", true),
        ],
    ),
];

/// Draws what the page tells; what was not measured yet is left out.
pub(crate) fn draw(page: &str) -> String {
    let panel = |&(title, decades, mark, sources): &(_, _, _, &[Source])| {
        let bars = sources.iter().filter_map(|&(label, section, having, heading, ours)| {
            let rows = tables::rows(page, section);
            let told = cell(&rows, having, heading)?.to_owned();
            Some(Bar { label, value: number(&told)?, told, ours })
        });
        Panel { title, decades, bars: bars.collect(), mark }
    };
    let panels: Vec<Panel> = PANELS.iter().map(panel).filter(|panel| !panel.bars.is_empty()).collect();
    let (mut drawn, mut y) = (String::new(), 8.0);
    for panel in &panels {
        y = panel.draw(&mut drawn, y);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{y}\" viewBox=\"0 0 {WIDTH} {y}\" role=\"img\">\n\
         <title>Figures of the benchmarks page as bars</title>\n<style>{STYLE}</style>\n\
         <rect class=\"g\" width=\"{WIDTH}\" height=\"{y}\"/>\n{drawn}</svg>\n"
    )
}

impl Panel {
    /// Draws below a height and returns the height below itself.
    fn draw(&self, drawn: &mut String, top: f64) -> f64 {
        let mut y = top + LINE;
        text(drawn, 12.0, y - 7.0, "h", "start", self.title);
        let first = y;
        for bar in &self.bars {
            text(drawn, LABELS - 10.0, y + BAR - 2.0, "l", "end", bar.label);
            let (long, class) = (self.length(bar.value), if bar.ours { "o" } else { "r" });
            let _ = writeln!(
                drawn,
                "<rect class=\"{class}\" x=\"{LABELS}\" y=\"{y}\" width=\"{long:.1}\" height=\"{BAR}\" rx=\"2\"/>"
            );
            text(drawn, LABELS + long + 6.0, y + BAR - 2.0, "n", "start", &bar.told);
            y += LINE;
        }
        if let Some(x) = self.mark.map(|mark| LABELS + self.length(mark)) {
            let last = y - LINE + BAR + 3.0;
            let _ =
                writeln!(drawn, "<line class=\"t\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{}\" y2=\"{last}\"/>", first - 3.0);
        }
        y + 10.0
    }

    /// Returns how long a bar is, by the largest figure of its panel, the mark too.
    fn length(&self, value: f64) -> f64 {
        let all = || self.bars.iter().map(|bar| bar.value).chain(self.mark);
        let most = all().fold(f64::MIN_POSITIVE, f64::max);
        if !self.decades {
            return (value / most).clamp(0.0, 1.0) * BARS;
        }
        // From the power of ten below the least figure.
        let least = all().filter(|value| *value > 0.0).fold(most, f64::min).log10().floor();
        ((value.max(f64::MIN_POSITIVE).log10() - least) / (most.log10() - least).max(0.1)).clamp(0.0, 1.0) * BARS
    }
}

fn text(drawn: &mut String, x: f64, y: f64, class: &str, anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(drawn, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"{anchor}\">{words}</text>");
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# x\n\n## rivals\n\n| What | CPU a channel, of one core |\n| --- | --- |\n\
        | Nightcast, one picture (720p) | **0.250 %** |\n| liquidsoap, encoding | 60.000 % |\n\n\
        ## many\n\n| Channels | Together |\n| --- | --- |\n| 50 | 10.0 % |\n| 200 | 40.0 % |\n";

    /// Goal: bars are as long as their figures say. Method: the drawing of a page with two panels, its widths read back.
    #[test]
    fn bars_are_as_long_as_the_figures_say() {
        let drawn = draw(PAGE);
        let widths: Vec<f64> = drawn
            .lines()
            .filter(|line| line.starts_with("<rect class=\"o\"") || line.starts_with("<rect class=\"r\""))
            .filter_map(|line| line.split("width=\"").nth(1)?.split('"').next()?.parse().ok())
            .collect();
        let [ours, rival, fifty, two_hundred] = widths[..] else { panic!("four bars, not {widths:?}") };
        // From 0.1 to 60 per cent are 2.78 powers of ten; 0.25 is 0.40 of them.
        assert!((ours / rival - 0.398 / 2.778).abs() < 0.01, "{ours} of {rival}");
        assert!((fifty / two_hundred - 0.25).abs() < 0.01, "{fifty} of {two_hundred}");
        assert!((two_hundred - BARS).abs() < 0.1, "{two_hundred}");
    }

    /// Goal: what was not measured is not drawn. Method: the drawing of that page and of an empty one.
    #[test]
    fn only_what_was_measured_is_drawn() {
        let drawn = draw(PAGE);
        assert!(drawn.contains("liquidsoap") && !drawn.contains("Zap") && !drawn.contains("100 channels"), "{drawn}");
        assert!(!draw("# x\n").contains("class=\"h\""));
    }
}
