//! Shows how far the films are: a bar on a terminal, log lines elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};

use super::task::Progress;

/// The bar's look: seconds of film made, and which films are being made.
const LOOK: &str = "{spinner:.cyan} making films {bar:30.cyan/blue} {percent:>3} %  {msg}";

/// Shows progress on stderr.
#[derive(Debug)]
pub struct Bar {
    bar: Option<ProgressBar>,
    /// Titles of the films being made now; at most [`super::task::FILMS_AT_ONCE`].
    making: Mutex<Vec<&'static str>>,
}

impl Bar {
    /// Returns a bar where stderr is a terminal, and one that writes log lines where it is not.
    #[must_use]
    pub fn new() -> Self {
        Self { bar: std::io::stderr().is_terminal().then(ProgressBar::no_length), making: Mutex::default() }
    }

    /// Shows one step.
    pub fn show(&self, step: &Progress) {
        match (&self.bar, step) {
            (Some(bar), step) => self.draw(bar, step),
            (None, Progress::Planned { films, kept, length }) => {
                tracing::info!(films, kept, length = %length, "demo films planned");
            }
            (None, Progress::Begun { title }) => tracing::info!(title, "demo film begun"),
            (None, Progress::Finished { title, took, .. }) => {
                tracing::info!(title, took_seconds = took.as_secs_f64(), "demo film finished");
            }
            (None, Progress::Skipped { title, reason }) => tracing::warn!(title, reason, "demo film skipped"),
            (None, Progress::Note { text }) => tracing::warn!(text, "demo films"),
            (None, Progress::Grown { .. }) => {}
        }
    }

    fn draw(&self, bar: &ProgressBar, step: &Progress) {
        match step {
            Progress::Planned { films: 0, .. } => bar.finish_and_clear(),
            Progress::Planned { length, .. } => {
                bar.set_length(ticks(length.0));
                bar.set_style(ProgressStyle::with_template(LOOK).unwrap_or_else(|_| ProgressStyle::default_bar()));
            }
            Progress::Begun { title } => self.now_making(bar, |making| making.push(title)),
            Progress::Grown { by, .. } => bar.inc(ticks(by.0)),
            Progress::Finished { title, path, took } => {
                self.now_making(bar, |making| making.retain(|other| other != title));
                bar.println(format!("  {:>5.1} s  {}", took.as_secs_f64(), path.display()));
            }
            Progress::Skipped { title, reason } => {
                self.now_making(bar, |making| making.retain(|other| other != title));
                bar.println(format!("  skipped  {title}: {reason}"));
            }
            Progress::Note { text } => bar.println(format!("  note     {text}")),
        }
    }

    fn now_making(&self, bar: &ProgressBar, change: impl FnOnce(&mut Vec<&'static str>)) {
        if let Ok(mut making) = self.making.lock() {
            change(&mut making);
            bar.set_message(making.join(", "));
            if making.is_empty() && bar.length().is_some_and(|length| bar.position() >= length) {
                bar.finish_and_clear();
            }
        }
    }
}

impl Default for Bar {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn ticks(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
