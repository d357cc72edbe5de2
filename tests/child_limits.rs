//! Goal: a child that misbehaves is stopped by the kernel, whatever it does. Method: children that do nothing but pass
//! one limit each, started by the one place that starts children, and what became of them.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test, with files and processes of its own")]

use std::path::Path;
use std::time::Duration;

use nightcast::ffmpeg::task::run_to_end;
use nightcast::ffmpeg::{ChildSpec, Evidence, Family, Limits, Role};
use tokio_util::sync::CancellationToken;

/// How long a child may take before the test says that no limit stopped it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Limits that none of the children below passes by itself.
const WIDE: Limits = Limits { nice: 5, ..Limits::PROBE };

/// Runs a shell script under limits to its end and returns how it ended and what it said.
async fn end(script: &str, limits: Limits, folder: &Path) -> (Evidence, String) {
    let args = ["-c", script].map(Into::into).into();
    let (folder, family) = (Some(folder.to_owned()), Family::default());
    let spec = ChildSpec { program: "sh".into(), args, folder, role: Role::Probe, limits, family };
    let (evidence, said) = run_to_end(&spec, PATIENCE, 1 << 20, &CancellationToken::new()).await.unwrap();
    (evidence, String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
async fn a_child_gets_no_more_memory_than_it_may_have() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { memory_bytes: Some(64 << 20), ..WIDE };
    // Looks for the end of one line of half a gigabyte.
    let script = "head -c 512m /dev/zero | sort > /dev/null && echo got it";
    let (evidence, said) = end(&format!("{script}; echo $?"), limits, folder.path()).await;
    assert!(!said.contains("got it"), "{said} {evidence:?}");
    let (evidence, said) = end("head -c 1m /dev/zero | sort > /dev/null && echo got it", limits, folder.path()).await;
    assert!(said.contains("got it"), "a little is allowed: {evidence:?}");
}

#[tokio::test]
async fn a_child_that_computes_without_end_is_told_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { cpu_secs: Some(1), ..WIDE };
    let (evidence, _) = end("while :; do :; done", limits, folder.path()).await;
    assert_eq!(evidence.signal, Some(24), "SIGXCPU: {evidence:?}");
}

#[tokio::test]
async fn a_child_that_does_not_listen_is_killed_some_seconds_of_computing_later() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { cpu_secs: Some(1), ..WIDE };
    let (evidence, said) = end("trap 'echo told' XCPU; while :; do :; done", limits, folder.path()).await;
    assert_eq!(evidence.signal, Some(9), "SIGKILL: {evidence:?}");
    assert!(said.contains("told"), "{said}");
}

#[tokio::test]
async fn a_child_writes_no_file_longer_than_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { file_bytes: Some(1 << 20), ..WIDE };
    let (evidence, _) = end("exec head -c 3000000 /dev/zero > long", limits, folder.path()).await;
    assert_eq!(evidence.signal, Some(25), "SIGXFSZ: {evidence:?}");
    assert_eq!(folder.path().join("long").metadata().unwrap().len(), 1 << 20);
}

#[tokio::test]
async fn a_child_opens_no_more_files_than_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { open_files: Some(8), ..WIDE };
    let open = |last: u32| format!("for n in $(seq 3 {last}); do eval \"exec $n<.\"; done; echo all");
    let (_, said) = end(&open(6), limits, folder.path()).await;
    assert_eq!(said.trim(), "all");
    let (evidence, said) = end(&open(9), limits, folder.path()).await;
    assert!(!said.contains("all") && evidence.stderr.contains("Too many open files"), "{evidence:?}");
}

#[tokio::test]
async fn a_child_that_crashes_leaves_no_core_and_a_child_gains_no_privileges() {
    let folder = tempfile::tempdir().unwrap();
    let script = "ulimit -Hc; ulimit -Sc; grep NoNewPrivs /proc/self/status | tr -dc 01; echo; kill -SEGV $$";
    for limits in [Limits::PROBE, Limits::PREPARE, Limits::ON_AIR, Limits::THUMBNAIL] {
        let (evidence, said) = end(script, limits, folder.path()).await;
        assert_eq!((evidence.signal, said.lines().collect::<Vec<_>>()), (Some(11), vec!["0", "0", "1"]));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
}

/// The same of ffmpeg itself: what it is refused ends it, and does not make it wait.
#[tokio::test]
async fn ffmpeg_ends_when_it_passes_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let film = |size: &str, more: &str| {
        format!("exec ffmpeg -v error -nostdin -f lavfi -i testsrc2=s={size}:d=600 -c:v mpeg4 {more} film.avi")
    };
    let table = [
        ("memory", film("8192x8192", ""), Limits { memory_bytes: Some(400 << 20), ..Limits::PREPARE }),
        ("computing", film("640x360", ""), Limits { cpu_secs: Some(1), ..Limits::PREPARE }),
        ("size", film("640x360", "-b:v 9M"), Limits { file_bytes: Some(300_000), ..Limits::PREPARE }),
        ("files", film("64x48", ""), Limits { open_files: Some(3), ..Limits::PREPARE }),
    ];
    for (what, script, limits) in table {
        let (evidence, _) = end(&script, limits, folder.path()).await;
        assert!(!evidence.success(), "{what}: {evidence:?}");
        let _absent = std::fs::remove_file(folder.path().join("film.avi"));
    }
}
