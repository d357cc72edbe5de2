//! Files that must never air, and traps for whoever reads what they name.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use super::clips::{make, picture, tone};

/// Why a playlist is refused.
pub const PLAYLIST: &str = "It is a playlist, not a video, and what it names is not opened.";

/// Why a file that may not be read is refused.
pub const DENIED: &str = "The server may not read it (permission denied).";

/// Makes files that cannot air in a folder, and returns each name with its reason; `film` is a good one, and `outside`
/// a folder that is not looked into.
pub fn bad_files(folder: &Path, film: &Path, outside: &Path) -> Vec<(&'static str, &'static str)> {
    let film = fs::read(film).unwrap();
    fs::write(folder.join("empty.mp4"), "").unwrap();
    fs::write(folder.join("text.mp4"), "Dear diary,\n").unwrap();
    fs::write(folder.join("truncated.mp4"), &film[..film.len() / 2]).unwrap();
    let noise: Vec<u8> = (0..5000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    fs::write(folder.join("noise.mp4"), &noise).unwrap();
    fs::write(folder.join("noise.avi"), &noise).unwrap();
    make(folder, "sound.mp4", &format!("{} -c:a aac", tone(44_100, 2.0)));
    make(folder, "frame.mp4", &picture("64x48", "10", 0.1));
    make(folder, "short.mkv", &picture("64x48", "10", 0.3));
    let cover = make(outside, "cover.png", &format!("{} -frames:v 1", picture("64x48", "25", 1.0)));
    let tracks = format!("-i sound.mp4 -i '{}' -map 0 -map 1", cover.display());
    make(folder, "cover.mp4", &format!("{tracks} -c copy -disposition:v:0 attached_pic"));
    fs::copy(&cover, folder.join("picture.mp4")).unwrap();
    vec![
        ("empty.mp4", "It is empty (0 bytes)."),
        ("text.mp4", "It is a text file, not a video."),
        ("truncated.mp4", "Its index is missing (no moov atom): the copy was probably cut short."),
        ("noise.mp4", "It is not a video, or it is damaged: nothing in it can be read."),
        ("noise.avi", "It is not a video, or it is damaged: nothing in it can be read."),
        ("sound.mp4", "It has sound but no picture."),
        ("frame.mp4", "It is 0.10 s long; the shortest that can air is 1 s."),
        ("short.mkv", "It is 0.30 s long; the shortest that can air is 1 s."),
        ("cover.mp4", "Its only picture is cover art."),
        ("picture.mp4", "It is a \"png_pipe\" file, which is not a kind of video that is played here."),
    ]
}

/// Makes a playlist that is plainly text, and one with a binary byte that ffprobe must refuse by itself.
pub fn write_playlists(folder: &Path, names: [&str; 2], target: &str) {
    let text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{target}\n#EXT-X-ENDLIST\n");
    fs::write(folder.join(names[0]), &text).unwrap();
    fs::write(folder.join(names[1]), text + "\0\n").unwrap();
}

/// Makes a named pipe.
pub fn make_pipe(path: &Path) {
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
    rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0).unwrap();
}

/// A neighbour that notices when it is read.
#[derive(Debug)]
pub struct Neighbour {
    pipe: PathBuf,
    read_by_somebody: mpsc::Receiver<File>,
}

impl Neighbour {
    /// Lays the trap at a path.
    pub fn new(path: &Path) -> Self {
        make_pipe(path);
        // Opening a pipe for writing returns when somebody opens it for reading, and not before.
        let (sender, read_by_somebody) = mpsc::channel();
        let pipe = path.to_owned();
        std::thread::spawn(move || sender.send(File::options().write(true).open(pipe).unwrap()));
        Self { pipe: path.to_owned(), read_by_somebody }
    }

    /// What a playlist that names it says.
    pub fn address(&self) -> String {
        format!("file:{}", self.pipe.display())
    }

    /// Fails if it was read, or if the trap does not work.
    pub fn was_left_alone(&self) {
        assert!(self.read_by_somebody.try_recv().is_err(), "the neighbour was read");
        let _own = File::open(&self.pipe).unwrap();
        assert!(self.read_by_somebody.recv().is_ok(), "the trap works");
    }
}

/// A server that notices when it is asked.
#[derive(Debug)]
pub struct Address {
    listener: TcpListener,
}

impl Address {
    /// Lays the trap on a port the system chooses.
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { listener }
    }

    /// What a playlist that names it says.
    pub fn address(&self) -> String {
        format!("http://{}/a.ts", self.listener.local_addr().unwrap())
    }

    /// Fails if somebody connected.
    pub fn was_left_alone(&self) {
        let nobody = self.listener.accept().unwrap_err();
        assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
    }
}

/// Writes an ffprobe that notes each call in `log`, and has no privileges even where the test has them.
pub fn unprivileged_ffprobe(script: &Path, log: &Path) {
    fs::write(log, "").unwrap();
    // Whoever it becomes may write there.
    fs::set_permissions(log, fs::Permissions::from_mode(0o666)).unwrap();
    let text = format!(
        "#!/bin/sh\necho call >> '{}'\n[ \"$(id -u)\" = 0 ] && exec setpriv --reuid=65534 --clear-groups ffprobe \"$@\"\n\
         exec ffprobe \"$@\"\n",
        log.display()
    );
    fs::write(script, text).unwrap();
    fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
}
