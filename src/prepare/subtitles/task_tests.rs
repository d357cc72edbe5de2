//! Films are read once, to their end, and what came of them is kept in bounds.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::library::sample;
use crate::library::subtitles::Purpose;
use crate::prepare::queue::tests::{channel, want};

#[test]
fn what_is_kept_is_bounded_and_the_oldest_goes_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = |n: u64| folder.path().join(format!("{n}.json"));
    for n in 0..4 {
        fs::write(path(n), [0; 10]).unwrap();
        let made = SystemTime::UNIX_EPOCH + Duration::from_secs(n);
        File::options().append(true).open(path(n)).unwrap().set_modified(made).unwrap();
    }
    make_room(folder.path(), 25).unwrap();
    assert_eq!([0, 1, 2, 3].map(|n| path(n).exists()), [false, false, true, true]);
}

/// A film with a track, and an ffmpeg that takes its time to take it out; the files that it makes are removed by who
/// reads them.
struct Slow {
    folder: tempfile::TempDir,
    film: Arc<Item>,
    profile: Arc<Profile>,
    children: Children,
    tracker: TaskTracker,
}

impl Slow {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("ffmpeg");
        let script = "#!/bin/sh\nfor out; do :; done\nout=${out#file:}\n: >\"$out\"\nsleep 0.2\n\
                      printf 'WEBVTT\\n\\n00:01.000 --> 00:02.000\\nsaid\\n' >>\"$out\"\n";
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let want = want("film", 9);
        let mut film = Item::clone(&want.item);
        film.media.subtitles = vec![sample::track(2, "subrip", "en", Purpose::Full, true)];
        let (children, tracker) = (Children::default(), TaskTracker::new());
        Self { folder, film: Arc::new(film), profile: want.profile, children, tracker }
    }

    fn titles(&self) -> Titles {
        let (program, life) = (self.folder.path().join("ffmpeg"), (self.tracker.clone(), CancellationToken::new()));
        Titles::new((&program, Path::new("true")), self.folder.path(), &self.children, life)
    }

    /// How many cues there are.
    async fn cues(&self, titles: &Titles, soon: bool) -> usize {
        let captions = titles.of(&channel("one"), &self.film, &self.profile, soon).await.unwrap();
        captions.track(&sample::language("en")).map_or(0, |track| track.cues().len())
    }

    fn starts(&self) -> u64 {
        self.children.of(&channel("one")).sums(Role::Prepare, |_| None).starts
    }
}

#[tokio::test]
async fn what_is_being_read_is_not_read_beside_it() {
    let slow = Slow::new();
    let titles = slow.titles();
    assert_eq!(tokio::join!(slow.cues(&titles, true), slow.cues(&titles, false)), (1, 1));
    assert_eq!(slow.cues(&titles, true).await, 1, "what was kept");
    assert_eq!(slow.starts(), 1);
}

#[tokio::test]
async fn what_is_being_read_is_read_to_its_end_when_nobody_waits_for_it() {
    let slow = Slow::new();
    let titles = slow.titles();
    let asked = slow.cues(&titles, false);
    let begun = async {
        while slow.starts() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        cues = asked => panic!("{cues} cues, before the film was read"),
        () = begun => {}
    }
    assert_eq!(slow.cues(&titles, false).await, 1);
    assert_eq!(slow.starts(), 1);
    slow.tracker.close();
    slow.tracker.wait().await;
}

#[test]
fn what_is_no_plain_file_is_not_waited_for() {
    assert!(file_bytes(Path::new("/dev/zero")).is_err());
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), b"x").unwrap();
    assert_eq!(file_bytes(&folder.path().join("a")).unwrap(), b"x");
}
