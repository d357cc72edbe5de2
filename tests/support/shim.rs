//! Small libraries that stand between the station and the system, to make a fault happen that cannot be had for real
//! without being root: a full disk, a clock that jumps, watches that run out.
#![expect(clippy::disallowed_methods, reason = "tests start programs and write files")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};
use std::process::Command;

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
