//! A library on real folders, and the small films in them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use nightcast::ffmpeg::Family;
use nightcast::library::{Catalogue, Item, Library, LibrarySettings, Refused, start};
use nightcast::store::Store;
use nightcast::units::ChannelId;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long anything may take on a busy machine; nothing waits so long when all is well.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// A settle time that is over soon.
pub(crate) const SHORT: Duration = Duration::from_millis(300);

/// A settle time that is never over.
pub(crate) const LONG: Duration = Duration::from_hours(24);

/// Runs ffmpeg on `args`, the last of which is the output.
pub(crate) fn ffmpeg(args: &[&str]) {
    let outcome = Command::new("ffmpeg").args(["-v", "error", "-nostdin", "-y"]).args(args).output().unwrap();
    assert!(outcome.status.success(), "{args:?}: {}", String::from_utf8_lossy(&outcome.stderr));
}

/// Makes a film of some seconds with picture and sound; `more` are output arguments.
pub(crate) fn make_film(path: &Path, secs: &str, more: &[&str]) {
    let (picture, sound) = (format!("testsrc2=s=64x48:r=10:d={secs}"), format!("sine=d={secs}"));
    let mut args = vec!["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound];
    args.extend(["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]);
    args.extend(more);
    args.push(path.to_str().unwrap());
    ffmpeg(&args);
}

/// A folder tree for one test: `media` is the channel's folder, `outside` is beside it.
pub(crate) struct Ground {
    tree: TempDir,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let tree = tempfile::tempdir().unwrap();
        // Readable for all, so that a probe without privileges gets as far as the file.
        fs::set_permissions(tree.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(tree.path().join("media")).unwrap();
        fs::create_dir(tree.path().join("outside")).unwrap();
        Self { tree }
    }

    pub(crate) fn media(&self) -> PathBuf {
        self.tree.path().join("media")
    }

    pub(crate) fn outside(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.tree.path().join("outside").join(Path::new(name.as_ref()))
    }

    /// Returns the path of a file below the channel's folder.
    pub(crate) fn at(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.media().join(Path::new(name.as_ref()))
    }

    /// Puts a film of 1.5 s outside the channel's folder; it is encoded once for all tests.
    pub(crate) fn film(&self) -> PathBuf {
        static FILM: OnceLock<Vec<u8>> = OnceLock::new();
        let path = self.outside("film.mp4");
        let bytes = FILM.get_or_init(|| {
            make_film(&path, "1.5", &[]);
            fs::read(&path).unwrap()
        });
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Returns an ffprobe that notes each call, and has no privileges even where the test has them.
    pub(crate) fn counting_ffprobe(&self) -> PathBuf {
        let (script, log) = (self.outside("ffprobe.sh"), self.outside("calls"));
        crate::support::bad_files::unprivileged_ffprobe(&script, &log);
        script
    }

    /// Returns how often the counting ffprobe was called.
    pub(crate) fn calls(&self) -> usize {
        fs::read_to_string(self.outside("calls")).unwrap().lines().count()
    }

    pub(crate) fn settings(&self, settle: Duration) -> LibrarySettings {
        LibrarySettings {
            channel: ChannelId::new("test").unwrap(),
            folders: vec![self.media()],
            exclude: Vec::new(),
            settle,
            // Long, so that what is found is found by being told.
            rescan: LONG,
            ffprobe: "ffprobe".into(),
            family: Family::default(),
        }
    }
}

/// A running library.
pub(crate) struct Running {
    pub(crate) library: Library,
    catalogue: watch::Receiver<Arc<Catalogue>>,
    token: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn new(settings: LibrarySettings) -> Self {
        Self::with_store(settings, Store::in_memory().await.unwrap())
    }

    pub(crate) fn with_store(settings: LibrarySettings, store: Store) -> Self {
        let token = CancellationToken::new();
        let (task, library) = start(settings, store, token.clone());
        Self { catalogue: library.catalogue(), library, token, task: tokio::spawn(task) }
    }

    /// Waits until the catalogue is as wanted.
    pub(crate) async fn until(&mut self, wanted: &str, is: impl Fn(&Catalogue) -> bool) -> Arc<Catalogue> {
        let waiting = tokio::time::timeout(DEADLINE, self.catalogue.wait_for(|catalogue| is(catalogue))).await;
        let found = waiting.ok().and_then(Result::ok).map(|catalogue| Arc::clone(&catalogue));
        found.unwrap_or_else(|| panic!("{wanted}: {:#?}", self.library.catalogue().borrow()))
    }

    /// Waits until a file is an item.
    pub(crate) async fn item(&mut self, path: &Path) -> Arc<Item> {
        let catalogue = self.until("the item", |catalogue| catalogue.items.contains_key(path)).await;
        Arc::clone(&catalogue.items[path])
    }

    /// Waits until a file is quarantined and returns the reason.
    pub(crate) async fn reason(&mut self, path: &Path) -> String {
        let catalogue = self.until("the quarantine", |catalogue| reason_of(catalogue, path).is_some()).await;
        reason_of(&catalogue, path).unwrap()
    }

    /// Waits until the first walk and its probes are done.
    pub(crate) async fn complete(&mut self) -> Arc<Catalogue> {
        self.until("completeness", |catalogue| catalogue.complete).await
    }

    /// Ends the task and waits for it.
    pub(crate) async fn end(self) {
        self.token.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.expect("the library ends in time").unwrap();
    }
}

pub(crate) fn reason_of(catalogue: &Catalogue, path: &Path) -> Option<String> {
    match catalogue.refused.get(path) {
        Some(Refused::Quarantined(reason)) => Some(reason.clone()),
        _ => None,
    }
}
