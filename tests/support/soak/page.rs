//! The report as one page that needs nothing else: verdicts, then what was measured over time. Pure.

use std::fmt::Write as _;

use super::machine::Sample;
use super::report::Report;
use super::trend::{RULE, binned};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
    table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.35rem .5rem;text-align:left;\
    vertical-align:top}.held{color:#17693b}.broken{color:#b00020;font-weight:bold}small{color:#666}\
    svg{width:100%;height:auto;background:#fafafa;margin:.3rem 0 1.2rem}h2{margin-top:2rem}ul{margin:.2rem 0}";

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 24.0;

/// Returns the page.
pub fn html(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Nightcast: the soak</title><style>{STYLE}</style>\
         <h1>The soak</h1><p>{}</p><table><tr><th>What must hold<th>Held<th>Figures</tr>",
        escaped(&report.summary())
    );
    for verdict in &report.verdicts {
        let (class, word) = if verdict.holds { ("held", "held") } else { ("broken", "broken") };
        let (claim, figures) = (escaped(&verdict.claim), escaped(&verdict.figures));
        let _infallible = write!(page, "<tr><td>{claim}<td class=\"{class}\">{word}<td>{figures}");
        if !verdict.examples.is_empty() {
            page.push_str("<ul>");
            for example in &verdict.examples {
                let _infallible = write!(page, "<li><small>{}</small>", escaped(example));
            }
            page.push_str("</ul>");
        }
        page.push_str("</tr>");
    }
    let _infallible = write!(page, "</table><p><small>Trend: {}</small></p>", escaped(RULE));
    for (title, unit, lines) in plots(report) {
        page.push_str(&plot(title, unit, &lines));
    }
    page.push_str("<h2>What was played</h2><table><tr><th>Item<th>What it is</tr>");
    for kind in super::library::kinds() {
        let _infallible = write!(page, "<tr><td>{}<td>{}</tr>", kind.title, escaped(kind.what));
    }
    page.push_str("</table></html>\n");
    page
}

type Line = (&'static str, Vec<(f64, f64)>);

fn plots(report: &Report) -> Vec<(&'static str, &'static str, Vec<Line>)> {
    let samples = &report.facts.samples;
    let over = |value: &dyn Fn(&Sample) -> f64| {
        samples.iter().map(|sample| (sample.hours / 24.0, value(sample))).collect::<Vec<_>>()
    };
    #[expect(clippy::cast_precision_loss, reason = "for a picture")]
    let number = |value: u64| value as f64;
    let speed = over(&|sample| sample.cpu);
    let cpu: Vec<_> = speed
        .windows(2)
        .filter(|two| two[1].0 > two[0].0)
        .map(|two| (two[1].0, (two[1].1 - two[0].1) / ((two[1].0 - two[0].0) * 86_400.0) * 100.0))
        .collect();
    let hours = &report.facts.seen.hours;
    let lag = |value: &dyn Fn(&super::viewer::Hour) -> f64| {
        hours.iter().map(|hour| (hour.number / 24.0, value(hour))).collect::<Vec<_>>()
    };
    vec![
        (
            "Memory of the server",
            "MB",
            vec![
                ("resident", over(&|s| number(s.resident) / 1024.0)),
                ("its own", over(&|s| number(s.anonymous) / 1024.0)),
            ],
        ),
        ("Memory of the on-air ffmpeg", "MB", vec![("resident", over(&|s| number(s.carrier.unwrap_or(0)) / 1024.0))]),
        (
            "Open files",
            "",
            vec![
                ("server", over(&|s| number(s.files as u64))),
                ("ffmpeg", over(&|s| number(s.carrier_files as u64))),
                ("children", over(&|s| number(s.children as u64))),
            ],
        ),
        (
            "Disk",
            "MB",
            vec![
                ("database", over(&|s| number(s.database) / 1e6)),
                ("its log", over(&|s| number(s.database_log) / 1e6)),
                ("run folder", over(&|s| number(s.run_folder) / 1e6)),
            ],
        ),
        ("CPU of the server, brought down to the world's speed", "% of a core", vec![("server", cpu)]),
        (
            "How far the playlist's edge is behind the clock",
            "s",
            vec![("least in the hour", lag(&|hour| hour.least)), ("most in the hour", lag(&|hour| hour.most))],
        ),
    ]
}

fn plot(title: &str, unit: &str, lines: &[Line]) -> String {
    const COLOURS: [&str; 3] = ["#1f5fa8", "#c05a00", "#3b7d3b"];
    let all = || lines.iter().flat_map(|(_, points)| points);
    let right = all().map(|point| point.0).fold(0.01, f64::max);
    let top = all().map(|point| point.1).fold(0.001, f64::max) * 1.1;
    let x = |value: f64| LEFT + value / right * (WIDTH - LEFT - 10.0);
    let y = |value: f64| (HEIGHT - BOTTOM) * (1.0 - value.max(0.0) / top) + 4.0;
    let mut svg = format!("<h2>{title}</h2><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" font-size=\"12\">");
    for part in [0.0, 0.5, 1.0] {
        let (value, at) = (top * part, y(top * part));
        let _infallible = write!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"4\" y=\"{:.1}\" fill=\"#666\">{value:.2} {unit}</text>\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#666\" text-anchor=\"end\">day {:.1}</text>",
            at.max(12.0),
            x(right * part).max(LEFT + 40.0),
            HEIGHT - 4.0,
            right * part
        );
    }
    for ((name, points), (n, colour)) in lines.iter().zip(COLOURS.iter().enumerate()) {
        // More points than pixels are no use.
        let path = binned(points, right / 480.0).iter().fold(String::new(), |mut path, point| {
            let _infallible = write!(path, "{:.1},{:.1} ", x(point.0), y(point.1));
            path
        });
        #[expect(clippy::cast_precision_loss, reason = "three lines")]
        let at = LEFT + 10.0 + n as f64 * 150.0;
        let _infallible = write!(
            svg,
            "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.3\"/>\
             <text x=\"{at}\" y=\"14\" fill=\"{colour}\">{name}</text>"
        );
    }
    svg.push_str("</svg>");
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_holds_its_lines_and_stays_in_its_frame() {
        let svg = plot("Memory", "MB", &[("server", vec![(0.0, 1.0), (30.0, 20.0)])]);
        assert_eq!(svg.matches("<polyline").count(), 1);
        assert!(svg.contains("day 30.0") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(!plot("Nothing", "", &[("none", Vec::new())]).contains("NaN"));
        assert_eq!(escaped("a<b & c>"), "a&lt;b &amp; c&gt;");
    }
}
