//! What children touched, as the shim `opens` noted it, and what they may touch.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use nightcast::ffmpeg::burn_args::{FONTS, SCRIPT};

/// What programs and libraries of the system read of the system.
const SYSTEM: [&str; 12] = [
    "/proc/filesystems",
    "/proc/self/",
    "/proc/sys/",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/",
    "/sys/fs/cgroup/",
    "/etc/fonts/",
    "/etc/gcrypt/",
    "/etc/ssl/",
    "/usr/",
    "/var/cache/fontconfig/",
];

/// Where the library of fonts looks for what it once wrote down, in whoever's home.
const FONT_NOTES: [&str; 2] = ["/.cache/fontconfig/", "/.fontconfig/"];

/// What all children touched, together.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// How many there were, by program.
    pub(crate) programs: BTreeMap<String, usize>,
    /// The largest memory of one that came to its end, in kB, by program.
    pub(crate) memory_kb: BTreeMap<String, u64>,
    /// What none of them may do.
    pub(crate) strayed: Vec<String>,
}

/// Reads all notes; `data` is the folder children may write in.
pub(crate) fn read(notes: &Path, data: &Path) -> Touched {
    let mut touched = Touched::default();
    for entry in fs::read_dir(notes).unwrap().map(Result::unwrap) {
        let bytes = fs::read(entry.path()).unwrap();
        child(&bytes, data, &mut touched);
    }
    touched
}

/// Whether it is what was laid ready for a preparation in its own folder, under a name of ours.
fn is_laid(path: &Path) -> bool {
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    path == Path::new(SCRIPT) || plain && path.starts_with(FONTS)
}

/// A child may read its input, write and read in the station's data, and read what the system's libraries read.
fn child(bytes: &[u8], data: &Path, touched: &mut Touched) {
    let records = || bytes.split(|byte| *byte == 0).filter_map(|record| record.split_first());
    let args: Vec<&[u8]> = records().filter(|(kind, _)| **kind == b'A').map(|(_, text)| text).collect();
    let program = Path::new(OsStr::from_bytes(args.first().copied().unwrap_or(b"unknown")));
    let program = program.file_name().unwrap().to_string_lossy().into_owned();
    let inputs: Vec<PathBuf> =
        args.iter().filter_map(|arg| arg.strip_prefix(b"file:")).map(|path| OsStr::from_bytes(path).into()).collect();
    for (kind, text) in records() {
        let path = Path::new(OsStr::from_bytes(text));
        let own = path.starts_with(data) && !text.windows(4).any(|four| four == b"/../");
        let may = match kind {
            b'A' => true,
            b'R' => {
                own || is_laid(path)
                    || inputs.iter().any(|input| input == path)
                    || FONT_NOTES.iter().any(|notes| path.to_string_lossy().contains(notes))
                    || SYSTEM.iter().any(|known| text.starts_with(known.as_bytes()))
            }
            b'W' => own,
            b'M' => {
                let kb: u64 = std::str::from_utf8(text).unwrap().parse().unwrap();
                let most = touched.memory_kb.entry(program.clone()).or_default();
                *most = kb.max(*most);
                true
            }
            _ => false,
        };
        if !may {
            touched.strayed.push(format!("{program} {}{} for {inputs:?}", char::from(*kind), path.display()));
        }
    }
    *touched.programs.entry(program).or_default() += 1;
}
