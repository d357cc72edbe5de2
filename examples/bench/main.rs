//! Measures the station as it is built: `make bench`, or one section by `make bench ONLY=start`.
//!
//! Starts the real program in temporary folders on clips made for the purpose, and writes what it finds, with the
//! machine and the moment, into docs/benchmarks.md. It judges nothing: figures only. Sections that are not run keep
//! the figures they have.
//!
//! Settings by environment: `ONLY` (section names), `RUNS` (starts of each kind, pairs of preparing up to 5), `MINUTES` (on
//! air), `CHANNELS` (how many, a list), `SECONDS` (rivals), `ZAPS` (how many).
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measuring program starts processes, reads clocks and talks"
)]

mod clips;
mod figures;
mod load;
mod machine;
mod many;
mod nginx;
mod on_air;
mod page;
mod plot;
mod preparing;
mod process;
mod rivals;
mod samples;
mod scrape;
mod serving;
mod start;
mod station;
mod summary;
mod tables;
mod viewers;
mod workshop;
mod zap;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// The sections in the order of the page.
const SECTIONS: [&str; 9] = ["start", "on-air", "rivals", "many", "zap", "preparing", "scrape", "serving", "viewers"];

/// What is measured, and how thoroughly.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Sections to run.
    pub(crate) only: Vec<String>,
    /// How often each kind of start is measured.
    pub(crate) runs: usize,
    /// How long channels are watched on air.
    pub(crate) on_air: Duration,
    /// How many channels are on air at once, one measurement each.
    pub(crate) channels: Vec<usize>,
    /// How many are on air while the metrics are read, one measurement each.
    pub(crate) scraped: Vec<usize>,
    /// How many are on air at once where they are many, one measurement each, and how long they are watched.
    pub(crate) many: Vec<usize>,
    pub(crate) many_watched: Duration,
    /// How often a viewer zaps.
    pub(crate) zaps: usize,
    /// How long each rival is watched.
    pub(crate) rivals: Duration,
    /// The program that is measured.
    pub(crate) program: PathBuf,
    /// Where the clips lie.
    pub(crate) clips: PathBuf,
}

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let settings = settings(root)?;
    // The workshop is part of this program.
    if !settings.program.exists() && settings.only != ["preparing"] {
        bail!("{} is missing (hint: cargo build --release)", settings.program.display());
    }
    let path = root.join("docs/benchmarks.md");
    for name in &settings.only {
        eprintln!("bench: {name}");
        let before = machine::load();
        let text = match name.as_str() {
            "start" => start::measure(&settings),
            "on-air" => on_air::measure(&settings),
            "rivals" => rivals::measure(&settings),
            "many" => many::measure(&settings),
            "zap" => zap::measure(&settings),
            "scrape" => scrape::measure(&settings),
            "serving" => serving::measure(&settings),
            "viewers" => viewers::measure(&settings),
            _ => preparing::measure(&settings),
        };
        let text = text.with_context(|| format!("failed to measure {name}"))?;
        let told = page::section(name, &text, &machine::describe(root, &before), &command(name));
        println!("{told}");
        // After each section: an hour of measuring is not lost because the last one fails.
        let old = std::fs::read_to_string(&path).unwrap_or_default();
        let page = page::renew(&old, name, &told);
        std::fs::write(path.with_extension("svg"), plot::draw(&page))?;
        std::fs::write(&path, page)?;
    }
    eprintln!("bench: written to {}", path.display());
    Ok(())
}

fn settings(root: &Path) -> Result<Settings> {
    let words = |name: &str, default: &str| {
        let text = std::env::var(name).ok().filter(|text| !text.trim().is_empty());
        let text = text.unwrap_or_else(|| default.to_owned());
        text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let number = |name: &str, default: &str| -> Result<f64> {
        let word = words(name, default).pop().unwrap_or_default();
        let number: f64 = word.parse().with_context(|| format!("{name}={word} is not a number"))?;
        if number > 0.0 && number < 10_000.0 { Ok(number) } else { bail!("{name}={word} is out of range") }
    };
    let only = words("ONLY", &SECTIONS.join(" "));
    if let Some(unknown) = only.iter().find(|name| !SECTIONS.contains(&name.as_str())) {
        bail!("there is no section {unknown} (hint: ONLY may name {})", SECTIONS.join(", "));
    }
    let channels = |default| {
        let all = words("CHANNELS", default).iter().map(|word| word.parse()).collect::<Result<Vec<usize>, _>>();
        all.context("CHANNELS must be whole numbers")
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 10,000")]
    let (runs, zaps) = (number("RUNS", "10")?.ceil() as usize, number("ZAPS", "100")?.ceil() as usize);
    Ok(Settings {
        only,
        runs,
        on_air: Duration::from_secs_f64(number("MINUTES", "20")? * 60.0),
        channels: channels("1 10")?,
        scraped: channels("50")?,
        many: channels("50 100 200")?,
        many_watched: Duration::from_secs_f64(number("MINUTES", "1")? * 60.0),
        zaps,
        rivals: Duration::from_secs_f64(number("SECONDS", "45")?),
        program: root.join("target/release/nightcast"),
        clips: root.join("target/bench-clips"),
    })
}

/// Returns the command that measures a section as it was measured now.
fn command(name: &str) -> String {
    let set = |key: &str| std::env::var(key).ok().map(|value| format!(" {key}=\"{}\"", value.trim()));
    let told: String = ["RUNS", "MINUTES", "CHANNELS", "SECONDS", "ZAPS"].into_iter().filter_map(set).collect();
    format!("make bench ONLY={name}{told}")
}
