//! The whole corpus: names, texts, attacks, and damaged films up to the number that is asked for.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::crafted::{Good, attacks, references};
use crate::mutate::damage;
use crate::scripts::{disguises, scripts, targets};
use crate::seeds::{Seed, seeds};
use crate::support::bad_files::make_pipe;

/// Names that are only names.
const NAMES: [&[u8]; 16] = [
    b"-i.mp4",
    b"-y -f lavfi.mp4",
    b"file:x.mp4",
    b"http:.mp4",
    b"concat:a|b.mp4",
    b"subfile,,start,0,end,1,,:x.mp4",
    b"pipe:0.mp4",
    b"%d.mp4",
    b"%03d %s %n.mp4",
    b"it's \"quoted\".mp4",
    b"`id` $(id) ;id.mp4",
    b"new\nline.mp4",
    b"\x1b[2Jscreen.mp4",
    b"\xff\xfe\xfd.mp4",
    b"[0:v]movie=x,y;z.mp4",
    "\u{202e}4pm.\u{1f408}.mp4".as_bytes(),
];

/// Makes the corpus in `media` and returns how many of its files the library must judge.
pub(crate) fn make(media: &Path, workshop: &Path, canary: &Path, port: &str, files: usize, seed: u64) -> Vec<PathBuf> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let seeds = seeds(workshop);
    let mut corpus = Corpus { media: media.to_owned(), files: Vec::new() };
    let by = |ending: &str| seeds.iter().find(|seed| seed.ending == ending).unwrap().bytes.as_slice();
    for (number, name) in (0_u8..).zip(NAMES) {
        // A tail of its own makes each another film.
        corpus.add(OsStr::from_bytes(name), &[by("mp4"), &[0, 0, 0, 9, b'f', b'r', b'e', b'e', number]].concat());
    }
    corpus.add(OsStr::new(&format!("{}.mp4", "n".repeat(251))), by("mp4"));
    let targets = targets(canary, port);
    let good = Good { plain: by("mp4"), fragments: &seeds[1].bytes, matroska: by("mkv"), transport: by("ts") };
    for target in [&targets[0], &targets[10]] {
        let scheme = target.split(':').next().unwrap();
        for (name, bytes) in references(&good, target) {
            corpus.add(OsStr::new(&format!("{scheme} {name}")), &bytes);
        }
    }
    for (name, bytes) in attacks(workshop, &good) {
        corpus.add(OsStr::new(&name), &bytes);
    }
    corpus.traps(canary);
    let texts: Vec<_> = targets.iter().flat_map(|target| scripts(target)).collect();
    for _ in 0..files / 6 {
        let (kind, text) = &texts[rng.random_range(0..texts.len())];
        let (how, bytes) = &disguises(text)[rng.random_range(0..4)];
        let ending = ["mp4", "mkv", "ts", "avi", "mov"][rng.random_range(0..5)];
        let name = format!("script {:04} {kind} {how}.{ending}", corpus.files.len());
        corpus.add(OsStr::new(&name), bytes);
    }
    while corpus.files.len() < files {
        let (film, other) = (&seeds[rng.random_range(0..seeds.len())], &seeds[rng.random_range(0..seeds.len())]);
        corpus.damaged(&mut rng, film, other);
    }
    corpus.files
}

struct Corpus {
    media: PathBuf,
    files: Vec<PathBuf>,
}

impl Corpus {
    fn add(&mut self, name: &OsStr, bytes: &[u8]) {
        let path = self.media.join(name);
        if !path.exists() {
            fs::write(&path, bytes).unwrap();
            self.files.push(path);
        }
    }

    fn damaged(&mut self, rng: &mut ChaCha8Rng, film: &Seed, other: &Seed) {
        let mut bytes = film.bytes.clone();
        let how = damage(rng, &mut bytes, &other.bytes);
        let mut name = OsString::from(format!("film {:04} {how}.{}", self.files.len(), film.ending));
        if rng.random_range(0..20) == 0 {
            let notes = [&b"{\"title\":"[..], &b"[".repeat(10_000), b"\xff\xfe"].concat();
            fs::write(self.media.join(&name).with_extension("info.json"), notes).unwrap();
            let lol = "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/hostname\"><!ENTITY b \"&a;&a;&a;\">]><movie><title>&b;</title></movie>";
            fs::write(self.media.join(&name).with_extension("nfo"), lol).unwrap();
            name = OsString::from(format!("film {:04} {how}.{}", self.files.len(), film.ending));
        }
        self.add(&name, &bytes);
    }

    /// What is no file, and what leads elsewhere. A link to a text is followed and the text refused; no child sees it.
    fn traps(&mut self, canary: &Path) {
        make_pipe(&self.media.join("pipe.mp4"));
        symlink("/dev/zero", self.media.join("zero.mp4")).unwrap();
        symlink("/dev/stdin", self.media.join("stdin.mp4")).unwrap();
        symlink("/no/such/file", self.media.join("nowhere.mp4")).unwrap();
        symlink(&self.media, self.media.join("loop")).unwrap();
        let (kind, mode) = (rustix::fs::FileType::CharacterDevice, rustix::fs::Mode::RWXU);
        // Only root may, and not everywhere.
        let _may_not = rustix::fs::mknodat(rustix::fs::CWD, self.media.join("device.mp4"), kind, mode, 0x0105);
        let text = canary.with_file_name("linked.txt");
        fs::write(&text, "another secret\n").unwrap();
        symlink(text, self.media.join("a link to a text.mp4")).unwrap();
        self.files.push(self.media.join("a link to a text.mp4"));
    }
}
