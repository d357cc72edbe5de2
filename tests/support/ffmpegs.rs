//! The ffmpeg versions everything must work with.
#![expect(clippy::disallowed_methods, reason = "tests start programs and read the environment")]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One ffmpeg to test with.
#[derive(Clone, Debug)]
pub struct Ffmpeg {
    /// The program.
    pub program: PathBuf,
    /// As it calls itself: `5.1.9-0+deb12u1`.
    pub version: String,
}

impl Ffmpeg {
    fn at(program: PathBuf) -> Self {
        let output = Command::new(&program).arg("-version").output();
        let output =
            output.unwrap_or_else(|error| panic!("{} does not start: {error} (run: make tools)", program.display()));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text.strip_prefix("ffmpeg version ").and_then(|rest| rest.split_whitespace().next());
        let version = version.unwrap_or_else(|| panic!("{} is not ffmpeg: {text}", program.display()));
        // Builds from the repository call themselves after its tag: `n9.0.2-17-g2a571b6068`.
        let version = version.trim_start_matches('n').to_owned();
        Self { program, version }
    }
}

impl Ffmpeg {
    /// Writes a program that is this ffmpeg in all things but one: `on_air` is a line of shell before it goes on air.
    pub fn that(&self, folder: &Path, on_air: &str) -> PathBuf {
        let first = format!("case \"$*\" in *slots.ffconcat*)\n{on_air}\n;; esac\nexec");
        self.begun_by(folder, "ffmpeg", &first)
    }

    /// Writes a script by that name which starts this ffmpeg after some other words.
    pub fn begun_by(&self, folder: &Path, name: &str, first: &str) -> PathBuf {
        let path = folder.join(name);
        let text = format!("#!/bin/sh\n{first} '{}' \"$@\"\n", self.program.display());
        std::fs::write(&path, text).expect("the folder can be written");
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("it is ours");
        path
    }
}

/// Returns the system's ffmpeg.
pub fn system() -> Ffmpeg {
    Ffmpeg::at("ffmpeg".into())
}

/// Returns every ffmpeg to test with: the system's, and the static 9.x that `NIGHTCAST_TEST_FFMPEG9` names or
/// `make tools` fetched.
///
/// # Panics
/// When one of them is missing: a test that silently leaves a version out proves nothing about it.
pub fn all() -> Vec<Ffmpeg> {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/ffmpeg9/ffmpeg");
    let newer = std::env::var_os("NIGHTCAST_TEST_FFMPEG9").map_or(fetched, PathBuf::from);
    assert!(newer.is_file(), "no ffmpeg 9 at {} (run: make tools)", newer.display());
    let newer = Ffmpeg::at(newer);
    assert!(newer.version.starts_with('9'), "{} is version {}, not 9", newer.program.display(), newer.version);
    vec![system(), newer]
}
