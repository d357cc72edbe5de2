//! The preparing service in a folder of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nightcast::clock::Clock;
use nightcast::config::{EncoderChoice, PrepareMode, Preset, Profile, Style};
use nightcast::ffmpeg::Children;
use nightcast::library::Item;
use nightcast::prepare::{Mezzanine, MezzanineId, Prepared, Preparer, Settings, Want};
use nightcast::units::ChannelId;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long one item may take on a busy machine before the test says that it hangs.
const DEADLINE: Duration = Duration::from_mins(2);

pub(crate) fn profile() -> Profile {
    Profile {
        width: 320,
        height: 180,
        fps: None,
        quality: 28,
        preset: Preset::Ultrafast,
        video_kbps_max: 2000,
        style: Style::default(),
        audio_kbps: 96,
        loudness_lufs: Some(-23.0),
        prepare: PrepareMode::Auto,
        renditions: Vec::new(),
        burn: nightcast::config::Burn::default(),
    }
}

pub(crate) fn always() -> Profile {
    Profile { prepare: PrepareMode::Always, ..profile() }
}

/// Both ffmpegs that must work.
pub(crate) fn ffmpegs() -> Vec<PathBuf> {
    crate::support::ffmpegs::all().into_iter().map(|ffmpeg| ffmpeg.program).collect()
}

pub(crate) struct Station {
    pub(crate) preparer: Preparer,
    token: CancellationToken,
    tracker: TaskTracker,
    pub(crate) data: tempfile::TempDir,
}

impl Station {
    pub(crate) async fn start(ffmpeg: &Path) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), ffmpeg).await
    }

    /// The same with a single worker.
    pub(crate) async fn start_alone(ffmpeg: &Path) -> Self {
        Self::start_with(tempfile::tempdir().unwrap(), ffmpeg, 1, EncoderChoice::X264).await
    }

    pub(crate) async fn start_in(data: tempfile::TempDir, ffmpeg: &Path) -> Self {
        Self::start_with(data, ffmpeg, 2, EncoderChoice::X264).await
    }

    /// The same with an encoder of choice; devices are what lies in the folder `dev`.
    pub(crate) async fn start_by(data: tempfile::TempDir, ffmpeg: &Path, encoder: EncoderChoice) -> Self {
        Self::start_with(data, ffmpeg, 1, encoder).await
    }

    async fn start_with(data: tempfile::TempDir, ffmpeg: &Path, workers: usize, encoder: EncoderChoice) -> Self {
        let settings = Settings {
            ffmpeg: ffmpeg.to_owned(),
            ffprobe: "ffprobe".into(),
            data: data.path().to_owned(),
            cache_budget_bytes: 1 << 30,
            workers,
            encoder,
            devices: data.path().join("dev"),
            failures: Vec::new(),
            children: Children::default(),
        };
        let (token, tracker) = (CancellationToken::new(), TaskTracker::new());
        let preparer = Preparer::start(settings, Clock::new(1.0), token.clone(), &tracker).await.unwrap();
        Self { preparer, token, tracker, data }
    }

    pub(crate) async fn stop(self) -> tempfile::TempDir {
        self.token.cancel();
        self.tracker.close();
        tokio::time::timeout(DEADLINE, self.tracker.wait()).await.unwrap();
        self.data
    }

    pub(crate) fn want(&self, items: &[Arc<Item>], profile: &Profile) -> Vec<MezzanineId> {
        let due = Timestamp::now() + SignedDuration::from_mins(10);
        let profile = Arc::new(profile.clone());
        let want = |item: &Arc<Item>| Want { item: Arc::clone(item), profile: Arc::clone(&profile), due };
        self.preparer.want(&ChannelId::new("test").unwrap(), items.iter().map(want).collect());
        items.iter().map(|item| MezzanineId::of(item, &profile)).collect()
    }

    /// Waits until a mezzanine is ready or has failed.
    pub(crate) async fn settled(&self, id: &MezzanineId) -> Result<Arc<Mezzanine>, String> {
        self.wait(id, |prepared| match prepared {
            Prepared::Ready(mezzanine) => Some(Ok(mezzanine)),
            Prepared::Failed(reason) => Some(Err(reason.to_string())),
            _ => None,
        })
        .await
    }

    pub(crate) async fn wait<T>(&self, id: &MezzanineId, wanted: impl Fn(Prepared) -> Option<T>) -> T {
        let mut changes = self.preparer.subscribe();
        let waiting = async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = wanted(self.preparer.state(id)) {
                    return found;
                }
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("{} hangs", id.key))
    }
}
