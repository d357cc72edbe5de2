//! The fuzzer's seeds and past findings, played again.
//!
//! Goal: what once made a reader fail never does again, and the fuzzer's laws hold where no fuzzer runs. Method: the very
//! functions that `make fuzz` calls, over every file of `fuzz/seeds/TARGET`, over what those become by small damage, and
//! over megabytes made to cost time.

#![expect(clippy::disallowed_methods, reason = "a test reads its seeds from the disk")]

#[path = "../fuzz/targets/mod.rs"]
mod targets;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use targets::{TARGETS, Target};

/// How long a megabyte may take in a debug build on a busy machine. What is quadratic takes hours.
const MEGABYTE_DEADLINE: Duration = Duration::from_mins(1);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds")
}

/// Returns the names and bytes of a target's seeds; fails where it has none.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = root().join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut seeds: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.display().to_string(), std::fs::read(&path).expect("a seed is read")))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    seeds
}

/// Calls a target; on a failure says which input it was.
fn play(run: Target, name: &str, bytes: &[u8]) {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]);
    assert!(std::panic::catch_unwind(|| run(bytes)).is_ok(), "{name} breaks a law (see above): {shown:?}");
}

/// Goal: no past finding comes back. Method: every seed as it lies there.
#[test]
fn every_seed_and_every_past_finding_keeps_the_laws() {
    for (target, run) in TARGETS {
        for (name, bytes) in seeds(target) {
            play(run, &name, &bytes);
        }
    }
}

/// Goal: small damage to what is understood breaks nothing. Method: each seed cut at eight places, doubled, and with a
/// byte changed, left out or put in at 24 places.
#[test]
fn seeds_that_were_damaged_keep_the_laws() {
    for (target, run) in TARGETS {
        for (name, bytes) in seeds(target) {
            for damaged in damages(&bytes) {
                play(run, &name, &damaged);
            }
        }
    }
}

fn damages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let places = |count: usize| (0..count).map(move |n| n * bytes.len() / count);
    let mut damaged: Vec<Vec<u8>> = places(8).map(|at| bytes[..at].to_vec()).collect();
    damaged.push([bytes, bytes].concat());
    for (at, new) in places(24).zip([0, b'"', 0xff, b'9', b'-', b'\n', b'{', b'<'].into_iter().cycle()) {
        let (before, after) = bytes.split_at(at);
        damaged.push([before, &[new], after].concat());
        damaged.push([before, &[new], after.get(1..).unwrap_or_default()].concat());
        damaged.push([before, after.get(1..).unwrap_or_default()].concat());
    }
    damaged
}

/// Goal: no megabyte keeps a reader busy, or fills the memory. Method: what makes careless readers quadratic, a megabyte
/// of it for each target, against a deadline that only such a reader misses.
#[test]
fn a_megabyte_of_anything_is_done_with_soon() {
    let (done, told) = mpsc::channel();
    std::thread::spawn(move || {
        for (target, run) in TARGETS {
            for (name, bytes) in megabytes(target) {
                let begun = std::time::Instant::now();
                play(run, &name, &bytes);
                println!("{target}, {name}: {:.2?}", begun.elapsed());
            }
            done.send(target).expect("the test waits");
        }
    });
    for (target, _) in TARGETS {
        assert_eq!(told.recv_timeout(MEGABYTE_DEADLINE), Ok(target), "a megabyte for {target}");
    }
}

fn megabytes(target: &str) -> Vec<(String, Vec<u8>)> {
    const MEGABYTE: usize = 1 << 20;
    let pieces: &[(&str, &str, &str)] = match target {
        "config" => &[
            ("", "[[channel]]\nname = \"a\"\nfolder = \"a\"\n", ""),
            ("", "= “x”\n", ""),
            ("", "x", ""),
            ("", "x", " = 1\n"),
            ("", "[x.", "]"),
            ("x = ", "[", ""),
            ("[[channel]]\nname = \"", "n", "\""),
            ("[[channel]]\nname = \"a\"\nfolder = [", "\"a\",", "]"),
        ],
        "http" => &[("GET /", "%2e/", "\n"), ("GET /\nRange: bytes=", "0-1,", "\n"), ("GET /\n", "a: b\n", "")],
        "index" => &[
            ("#EXTM3U\n", "#EXTINF:2,\n#EXT-X-BYTERANGE:1\nitem.ts\n", ""),
            ("#EXTM3U\n", "#EXT-X-DATERANGE:ID=\"a\",", "\n"),
            ("#EXTM3U\n", "#", "\n"),
        ],
        "live_list" => &[("#EXTM3U\n", "#EXTINF:2,\n1.ts\n", ""), ("#EXTM3U\n#EXTINF:", "2", ",\n1.ts\n")],
        "metadata" => &[
            ("N", "<title/>", ""),
            ("N", "<titlex", ">"),
            ("N", "<title ", "/>"),
            ("N<title>", "&", ";</title>"),
            ("N<title>", "&#x41;", "</title>"),
            ("j", "[", ""),
            ("j{\"title\":\"", "\\u0041 ", "\"}"),
        ],
        "mezzanine" => &[(
            "{\"version\":1,\"id\":{\"key\":\"k\",\"profile\":\"p\"},\"recipe\":null,\"signature\":\"\",\"tables_len\":0,\
             \"gops\":[[1,1]",
            ",[1,1]",
            "]}",
        )],
        "plan" => &[(
            "{\"picker\":{\"seed\":1,\"draws\":1,\"deck\":[],\"last_name\":null,\"recent\":[\"a\"",
            ",\"a\"",
            "]},\"programmes\":[]}",
        )],
        "probe" => &[("{\"streams\":[{}", ",{\"codec_type\":\"video\"}", "]}"), ("", "[", "")],
        "subtitles" => &[
            ("s00:00:01,000 --> 00:00:02,000\n", "<", ""),
            ("s00:00:01,000 --> 00:00:02,000\n", "{\\", ""),
            ("s00:00:01,000 --> 00:00:02,000\n", "&", ";"),
            ("s", "00:00:01,000 --> 00:00:02,000\na\n", ""),
            ("s", "-->", ""),
            ("a[Events]\n", "Dialogue: 0,0:00:01.00,0:00:02.00,,,,,,,{\\i1}a\n", ""),
            ("a[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,,,,,,", "{\\i1", ""),
            ("a[Events]\nFormat: ", "Start,", "End, Text\n"),
        ],
        "words" => &[
            ("", "packet,0,0.5,0.5,0.04,1,K_\n", ""),
            ("", "packet,0,", "\n"),
            ("", "stream,255,", "\n"),
            ("", "I: ", " LUFS"),
            ("", "a: ", "Permission denied"),
            ("", ") not on whitelist", "("),
        ],
        _ => &[("\0", "\0\0\u{1}g", ""), ("\0", "\0\0\u{1}", ""), ("", "a", "")],
    };
    let long = |(before, piece, after): &(&str, &str, &str)| {
        let text = [before, &*piece.repeat(MEGABYTE / piece.len()), after].concat();
        (format!("a megabyte of {piece:?}"), text.into_bytes())
    };
    pieces.iter().map(long).collect()
}

/// Goal: the lists agree. Method: the folders of seeds against the targets.
#[test]
fn every_target_has_seeds_and_every_folder_of_seeds_a_target() {
    let folders: BTreeSet<_> = std::fs::read_dir(root())
        .expect("the seeds are there")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
        .collect();
    let targets: BTreeSet<_> = TARGETS.map(|(name, _)| name.to_owned()).into();
    assert_eq!(folders, targets);
}
