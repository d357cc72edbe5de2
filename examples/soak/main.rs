//! The long soak: `make soak`, or `make soak DAYS=2 SPEED=400`.
//!
//! Lives through days of channel on the real program and the real ffmpeg under a fast clock, judges all that a viewer
//! gets, and writes what it found into target/soak/: `report.html` for people, `report.json` for programs. Fails when any
//! law is broken.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a measuring program starts processes, reads clocks and talks"
)]

#[path = "../../tests/support/soak/mod.rs"]
#[expect(unreachable_pub, dead_code, reason = "shared with the tests, which use another part of it")]
mod soak;

#[expect(unreachable_pub, dead_code, reason = "shared with the tests, which use another part of it")]
mod support;

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use soak::{Progress, Settings, page};

/// Where there is no terminal, a line this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

fn main() -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let settings = Settings {
        program: root.join("target/release/nightcast"),
        ffmpeg: support::ffmpegs::system(),
        hours: number("DAYS", 30.0, 0.01..=366.0)? * 24.0,
        speed: number("SPEED", 600.0, 1.0..=2000.0)?,
        first_timestamp: 0,
        slots: soak::SLOTS,
        build: "release",
    };
    if !settings.program.exists() {
        bail!("{} is missing (hint: cargo build --release)", settings.program.display());
    }
    eprintln!(
        "soak: {} days at {} times the world's speed; preparing the library",
        settings.hours / 24.0,
        settings.speed
    );
    let report = soak::run(&settings, teller())?;
    let folder = root.join("target/soak");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("report.html"), page::html(&report))?;
    std::fs::write(folder.join("report.json"), serde_json::to_vec_pretty(&report.json())?)?;
    std::fs::write(folder.join("report.txt"), report.text())?;
    println!("{}", report.text());
    println!("written to {}", folder.join("report.html").display());
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn number(name: &str, default: f64, range: std::ops::RangeInclusive<f64>) -> Result<f64> {
    let Some(word) = std::env::var(name).ok().filter(|word| !word.trim().is_empty()) else { return Ok(default) };
    let number: f64 = word.trim().parse().with_context(|| format!("{name}={word} is not a number"))?;
    if range.contains(&number) {
        Ok(number)
    } else {
        bail!("{name}={word} is not between {} and {}", range.start(), range.end())
    }
}

/// Returns what tells people how far it is: a bar on a terminal, lines elsewhere.
fn teller() -> impl FnMut(Progress) {
    let bar = std::io::stderr().is_terminal().then(|| {
        let bar = ProgressBar::new(1000);
        bar.set_style(
            ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar
    });
    let mut last = Instant::now().checked_sub(LINE_EVERY);
    let mut newest = None;
    let mut rate: Option<(Duration, f64)> = None;
    move |now| {
        let (since, begun) = *rate.get_or_insert((now.passed, now.hours));
        let (passed, lived) = (now.passed.saturating_sub(since).as_secs_f64(), (now.hours - begun) * 3600.0);
        let speed = lived / passed.max(0.001);
        let left = Duration::from_secs_f64(((now.of - now.hours).max(0.0) * 3600.0 / speed.max(1.0)).round());
        let text = format!(
            "day {:.2} of {:.2}, {speed:.0} times speed, {} segments, {} airings, {} violations, {} left",
            now.hours / 24.0,
            now.of / 24.0,
            now.segments,
            now.airings,
            now.wrong.0,
            HumanDuration(left)
        );
        if now.wrong.1 != newest {
            newest.clone_from(&now.wrong.1);
            let said = format!("soak: found: {}", newest.as_deref().unwrap_or_default());
            bar.as_ref().map_or_else(|| eprintln!("{said}"), |bar| bar.println(&said));
        }
        if let Some(bar) = &bar {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
            bar.set_position((now.hours / now.of * 1000.0).clamp(0.0, 1000.0) as u64);
            bar.set_message(text);
        } else if last.is_none_or(|last| last.elapsed() >= LINE_EVERY) {
            last = Some(Instant::now());
            eprintln!("soak: {text}");
        }
    }
}
