//! Faults, and what viewers see of them: each is watched throughout by a strict viewer, and each leaves a row for the table
//! in docs/faults.md.
#![expect(clippy::disallowed_methods, reason = "tests write files")]
#![expect(clippy::print_stdout, reason = "the row of the table is told")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::time::Duration;

use super::viewer::Recording;

/// No playlist may be older than two target durations.
pub const STILL_MAX: Duration = Duration::from_secs(12);

/// What a viewer saw of a fault.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The fault, in a few words, as it stands in the table.
    pub fault: &'a str,
    /// The longest time the playlist stood still.
    pub stood_still: Duration,
    /// What the viewer saw, in a few words: "nothing", "one discontinuity".
    pub saw: String,
}

impl<'a> Seen<'a> {
    /// What a recording tells of a fault.
    pub fn of(fault: &'a str, recording: &Recording) -> Self {
        let saw = match recording.discontinuities {
            0 => "nothing".to_owned(),
            1 => "one discontinuity".to_owned(),
            more => format!("{more} discontinuities"),
        };
        Self { fault, stood_still: recording.stood_still, saw }
    }

    /// The same of a station that lives so many times faster than the world: times are the station's.
    pub fn at_speed(fault: &'a str, recording: &Recording, speed: f64) -> Self {
        Self { stood_still: recording.stood_still.mul_f64(speed), ..Self::of(fault, recording) }
    }

    /// Leaves a row: a file below `target/tmp/faults` and a line on the test's output.
    pub fn tell(&self) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults");
        std::fs::create_dir_all(&folder).unwrap();
        let name: String =
            self.fault.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).collect();
        let row = format!("| {} | {:.1} s | {} |\n", self.fault, self.stood_still.as_secs_f64(), self.saw);
        print!("{row}");
        std::fs::write(folder.join(name), row).unwrap();
    }
}
