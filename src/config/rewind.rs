//! `rewind` and `rewind-space`: how far back viewers of a channel may go, and what disk that may take.

use std::time::Duration;

use super::file::{At, ChannelFile};
use super::validate::Judge;
use super::value;

/// Less is over before one has found the key; more than twelve hours is a library, and players read its whole list.
const WINDOW_MIN: Duration = Duration::from_mins(1);
/// The other end.
const WINDOW_MAX: Duration = Duration::from_hours(12);

/// Two hours of the largest picture there is by default, at its ceiling, take half of it.
pub const SPACE: &str = "10GB";
/// Less than some minutes of a large picture would always be too short.
const SPACE_MIN: u64 = 100_000_000;

/// How far back viewers may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewind {
    /// How long what was on air is kept.
    pub window: Duration,
    /// The most disk it may take, in bytes: then it is kept less long.
    pub space: u64,
}

impl Judge<'_> {
    pub(super) fn rewind(&mut self, file: &ChannelFile) -> Option<Rewind> {
        let off = file.rewind.as_ref().is_none_or(|written| written.get_ref().trim() == "off");
        let window = file.rewind.as_ref().filter(|_| !off).and_then(|written| self.window(written));
        let space = file.rewind_space.as_ref().and_then(|written| self.space(written));
        if let Some(written) = file.rewind_space.as_ref().filter(|_| off) {
            let message = "rewind-space has no meaning where rewind is \"off\"".to_owned();
            self.complain(
                &written.span(),
                message,
                Some("say how far back viewers may go: rewind = \"2h\"".to_owned()),
            );
        }
        let standard = value::bytes(SPACE).expect("the default is a size");
        window.map(|window| Rewind { window, space: space.unwrap_or(standard) })
    }

    fn window(&mut self, written: &At<String>) -> Option<Duration> {
        let text = written.get_ref();
        match value::length(text) {
            Some(length) if (WINDOW_MIN..=WINDOW_MAX).contains(&length) => return Some(length),
            Some(_) => {
                let message = format!("rewind must be between 1min and 12h, got {text:?}");
                self.complain(&written.span(), message, Some("\"2h\" lets viewers go back two hours".to_owned()));
            }
            None => {
                let hint = "a number and min or h, such as \"30min\" or \"2h\", or \"off\"".to_owned();
                self.complain(&written.span(), format!("rewind is not a length: {text:?}"), Some(hint));
            }
        }
        None
    }

    fn space(&mut self, written: &At<String>) -> Option<u64> {
        let text = written.get_ref();
        match value::bytes(text) {
            Some(bytes) if bytes >= SPACE_MIN => return Some(bytes),
            Some(_) => {
                let hint = "an hour of a channel takes about 1 GB".to_owned();
                self.complain(
                    &written.span(),
                    format!("rewind-space must be at least 100MB, got {text:?}"),
                    Some(hint),
                );
            }
            None => {
                let hint = "a number and MB, GB or TB: \"10GB\"".to_owned();
                self.complain(&written.span(), format!("rewind-space is not a size: {text:?}"), Some(hint));
            }
        }
        None
    }
}
