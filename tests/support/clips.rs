//! Makes short films of every kind, good and bad, with the machine's ffmpeg.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests start programs")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes a film with Debian's ffmpeg; `args` stand between the global options and the output's name.
pub fn make(folder: &Path, name: &str, args: &str) -> PathBuf {
    let path = folder.join(name);
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y"]).args(split(args)).arg(&path).current_dir(folder);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    path
}

/// Splits at spaces; single quotes keep them.
fn split(args: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in args.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => parts.push(String::new()),
            c => parts.last_mut().unwrap().push(c),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// A moving picture as an input.
pub fn picture(size: &str, rate: &str, secs: f64) -> String {
    format!("-f lavfi -i testsrc2=s={size}:r={rate}:d={secs}")
}

/// A tone as an input.
pub fn tone(sample_rate: u32, secs: f64) -> String {
    format!("-f lavfi -i sine=f=440:r={sample_rate}:d={secs}")
}
