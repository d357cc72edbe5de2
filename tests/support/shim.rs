//! Small libraries that stand between the station and the system, to make a fault happen that cannot be had for real
//! without being root: a full disk, a clock that jumps, watches that run out.
#![expect(clippy::disallowed_methods, reason = "tests start programs and write files")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::SignedDuration;

/// Compiles `tests/support/shims/NAME.c` (with the C compiler that the build needs anyway) and returns the library, to be
/// named in `LD_PRELOAD`.
pub fn shim(name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/shims").join(name).with_extension("c");
    // Test programs may compile the same at once: each writes its own, and the name changes hands in one step.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let unfinished = tempfile::NamedTempFile::new_in(folder).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(unfinished.path()).arg(&source);
    let status = compiler.arg("-ldl").status().expect("a C compiler");
    assert!(status.success(), "{} does not compile", source.display());
    let library = folder.join(name).with_extension("so");
    unfinished.persist(&library).unwrap();
    library
}

/// The variable that names the file by which the clock shim is set.
const CLOCK: &str = "NIGHTCAST_TEST_CLOCK";

/// A wall clock that a test sets, of every process that runs in its environment.
#[derive(Clone, Debug)]
pub struct WallClock {
    file: PathBuf,
}

impl WallClock {
    /// Returns a clock that is ahead of the system's; `file` is what sets it.
    pub fn new(file: &Path, ahead: SignedDuration) -> Self {
        std::fs::write(file, [0; 8]).unwrap();
        let clock = Self { file: file.to_owned() };
        clock.set(ahead);
        clock
    }

    /// Returns the clock of an environment, if it has one.
    pub fn of(environment: &[(OsString, OsString)]) -> Option<Self> {
        let named = environment.iter().find(|(name, _)| name == CLOCK);
        named.map(|(_, file)| Self { file: file.into() })
    }

    /// Returns what a process needs to live by it.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        vec![("LD_PRELOAD".into(), shim("clock").into()), (CLOCK.into(), self.file.clone().into())]
    }

    /// Sets it, as far ahead of the system's as is wanted; at once, in place: it is mapped by who lives by it.
    pub fn set(&self, ahead: SignedDuration) {
        let nanos = i64::try_from(ahead.as_nanos()).unwrap();
        File::options().write(true).open(&self.file).unwrap().write_all_at(&nanos.to_ne_bytes(), 0).unwrap();
    }

    /// Returns how far ahead of the system's it is.
    pub fn ahead(&self) -> SignedDuration {
        let mut nanos = [0; 8];
        File::open(&self.file).unwrap().read_exact_at(&mut nanos, 0).unwrap();
        SignedDuration::from_nanos(i64::from_ne_bytes(nanos))
    }
}
