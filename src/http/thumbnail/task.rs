//! Makes the pictures: one ffmpeg at a time, fed from memory.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::album::{Album, Picture};
use super::{has_picture, smallest};
use crate::ffmpeg::thumbnail_args::thumbnail_args;
use crate::ffmpeg::{ChildSpec, Children, Limits, Role, task as child};
use crate::http::ChannelView;
use crate::units::{ChannelId, Msn};

/// How many pictures are made at once in the whole station.
const AT_ONCE: usize = 1;

/// How long whoever asks first waits for a channel's first picture: the turns before it take a tenth of a second each,
/// and more where films are being prepared.
const FIRST_WAIT: Duration = Duration::from_secs(8);

/// How long an ffmpeg may take. It takes a tenth of a second of CPU, and has the lowest priority but for preparing.
const LIMIT: Duration = Duration::from_secs(8);

/// How much of a segment is given to it, in bytes: the first frame lies at its beginning.
const INPUT_MAX: usize = 4 << 20;

/// How large a picture may be, in bytes.
const JPEG_MAX: u64 = 256 << 10;

/// What there is to be seen of a channel.
#[derive(Debug)]
pub(in crate::http) enum Still {
    /// This.
    Picture(Arc<Picture>),
    /// Something is on, and there is no picture of it yet.
    NotYet,
    /// Nothing is on of which there could be one.
    Nothing,
}

/// The pictures of all channels; cheap to clone. The default makes none.
#[derive(Clone, Debug, Default)]
pub struct Thumbnails(Option<Arc<Studio>>);

#[derive(Debug)]
struct Studio {
    ffmpeg: PathBuf,
    children: Children,
    tracker: TaskTracker,
    token: CancellationToken,
    turn: Semaphore,
    begin: Instant,
    /// As many as there are channels.
    albums: Mutex<BTreeMap<ChannelId, Arc<watch::Sender<Album>>>>,
}

impl Thumbnails {
    /// Returns pictures that are made by this ffmpeg, by children that are counted and tasks that are waited for.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "begins the clock by which pictures age")]
    pub fn new(ffmpeg: PathBuf, children: Children, tracker: TaskTracker, token: CancellationToken) -> Self {
        let (turn, begin) = (Semaphore::new(AT_ONCE), Instant::now());
        Self(Some(Arc::new(Studio { ffmpeg, children, tracker, token, turn, begin, albums: Mutex::default() })))
    }

    /// Returns the picture of a channel. Where it is old, a new one is begun for those who come later; where there is none
    /// yet, all who ask wait for the same.
    pub(in crate::http) async fn of(&self, channel: &Arc<ChannelView>) -> Still {
        let Some(studio) = &self.0 else { return Still::Nothing };
        let album = studio.album(&channel.id);
        let newest = channel.snapshot().newest.filter(|_| has_picture(channel.status().state));
        let Some(newest) = newest else {
            album.send_modify(Album::forget);
            return Still::Nothing;
        };
        if album.send_if_modified(|album| album.asked(newest, studio.begin.elapsed())) {
            let work = Arc::clone(studio).make(Arc::clone(channel), Arc::clone(&album));
            studio.tracker.spawn(work);
        }
        let last = album.borrow().picture(studio.begin.elapsed());
        if let Some(picture) = last {
            return Still::Picture(picture);
        }
        let mut ended = album.subscribe();
        // Too long: whoever asks again finds it.
        let _late = tokio::time::timeout(FIRST_WAIT, ended.wait_for(|album| !album.is_busy())).await;
        let made = album.borrow().picture(studio.begin.elapsed());
        made.map_or(Still::NotYet, Still::Picture)
    }
}

/// Whoever makes a picture; tells the end, however it comes.
struct AtWork(Arc<watch::Sender<Album>>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.send_modify(Album::ended);
    }
}

impl Studio {
    fn album(&self, id: &ChannelId) -> Arc<watch::Sender<Album>> {
        let mut albums = self.albums.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(albums.entry(id.clone()).or_default())
    }

    async fn make(self: Arc<Self>, channel: Arc<ChannelView>, album: Arc<watch::Sender<Album>>) {
        let at_work = AtWork(album);
        let turn = tokio::select! {
            biased;
            () = self.token.cancelled() => return,
            turn = self.turn.acquire() => turn,
        };
        match self.draw(&channel).await {
            Ok(picture) => at_work.0.send_modify(|album| album.made(picture, self.begin.elapsed())),
            Err(why) => tracing::debug!(channel = %channel.id, why, "no thumbnail was made"),
        }
        drop(turn);
    }

    /// Draws the first frame of the newest segment.
    async fn draw(&self, channel: &ChannelView) -> Result<Arc<Picture>, String> {
        // Now and not when it was asked for: the turn may have come late.
        let snapshot = channel.snapshot();
        let newest: Option<(Msn, _)> = snapshot.newest.and_then(|msn| Some((msn, snapshot.segments.get(&msn)?)));
        let place = smallest(&snapshot);
        let content = newest.zip(place).and_then(|((msn, segment), place)| Some((msn, segment.renditions.get(place)?)));
        let (msn, content) = content.ok_or("there is no segment with a picture")?;
        let bytes = content.bytes().await.map_err(|error| error.to_string())?;
        let input = bytes.slice(..bytes.len().min(INPUT_MAX));
        let spec = ChildSpec {
            program: self.ffmpeg.clone(),
            args: thumbnail_args(),
            folder: None,
            role: Role::Thumbnail,
            limits: Limits::THUMBNAIL,
            family: self.children.of(&channel.id),
        };
        let ended = child::run_fed(&spec, Some(input), LIMIT, JPEG_MAX, &self.token).await;
        let (evidence, jpeg) = ended.map_err(|error| error.to_string())?;
        if !evidence.success() || !jpeg.starts_with(&[0xff, 0xd8]) {
            return Err(evidence.last_words());
        }
        Ok(Picture::new(&channel.id, msn, jpeg.into()))
    }
}
