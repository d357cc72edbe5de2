//! The short soak: half a day of channel in minutes. The long one is `make soak`.

mod support;

#[path = "support/soak/mod.rs"]
#[expect(unreachable_pub, dead_code, reason = "shared with the long soak, which uses another part of it")]
mod soak;

use std::path::Path;

use soak::Settings;

/// Half a day and a little.
const HOURS: f64 = 12.2;

/// Five minutes of channel a second: half of what an unoptimised build carries with every law held, for machines that have
/// other work.
const SPEED: f64 = 300.0;

/// The 33-bit time stamps begin anew after five hours and a half.
const FIRST_TIMESTAMP: u32 = 21 * 3600;

/// A run's list ends after some seven hours and a quarter: after the time stamps began anew.
const SLOTS: usize = 350;

/// Goal: over half a day nothing is dark, out of step, lost, repeated or unannounced, and nothing grows. Method: a
/// mixed library of flashes and beeps under a fast clock; everything a viewer gets is judged, and the plan and the
/// station's own history are compared with what aired.
#[test]
fn every_law_holds_for_half_a_day() {
    let settings = Settings {
        program: Path::new(env!("CARGO_BIN_EXE_nightcast")).to_owned(),
        ffmpeg: support::ffmpegs::system(),
        hours: HOURS,
        speed: SPEED,
        first_timestamp: FIRST_TIMESTAMP,
        slots: SLOTS,
        build: "debug",
    };
    let report = soak::run(&settings, |_| {}).expect("the soak can be run");
    println!("{}", report.text());
    assert!(report.holds(), "{}", report.text());
}
