//! The files of a channel's past, on a real disk.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::hls::rewind::{Of, Window};
use crate::hls::{SegmentBody, WINDOW};
use crate::units::MediaTime;

/// A channel that publishes what it is told to, and what is kept of it.
struct Channel {
    folder: tempfile::TempDir,
    snapshot: watch::Sender<Arc<Snapshot>>,
    told: Arc<Told>,
    edge: Timestamp,
    next: u64,
}

impl Channel {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let edge = Timestamp::from_second(1_795_000_000).unwrap();
        Self { folder, snapshot: watch::Sender::default(), told: Arc::default(), edge, next: 1000 }
    }

    fn parts(&self, space: u64) -> Parts {
        Parts {
            id: ChannelId::new("cats").unwrap(),
            folder: self.folder.path().join("cats"),
            limits: Limits { window: MediaTime::from_secs(600), space },
            snapshot: self.snapshot.subscribe(),
            told: Arc::clone(&self.told),
            clock: Clock::new(1.0),
            token: CancellationToken::new(),
        }
    }

    /// Publishes so many segments more, all of them at once.
    fn publish(&mut self, count: u64) {
        let segments = (self.next..self.next + count).map(|msn| {
            let date = self.edge;
            self.edge += SignedDuration::from_secs(2);
            let body = SegmentBody::in_memory(vec![bytes(msn)], MediaTime::from_secs(2), false).dated(date);
            (Msn(msn), Arc::new(body))
        });
        let newest = Some(Msn(self.next + count - 1));
        let oldest = Some(Msn(self.next));
        let snapshot = Snapshot { segments: segments.collect(), newest, oldest, ..Snapshot::default() };
        self.next += count;
        self.snapshot.send_replace(Arc::new(snapshot));
    }

    async fn until(&self, check: impl Fn(&Window) -> bool) -> Arc<Window> {
        let mut window = self.told.window.subscribe();
        let seen = tokio::time::timeout(Duration::from_secs(20), window.wait_for(|window| check(window))).await;
        Arc::clone(&seen.expect("it comes").unwrap())
    }

    /// The numbers of the files there are.
    fn files(&self) -> BTreeSet<u64> {
        let entries = fs::read_dir(self.folder.path().join("cats")).unwrap().filter_map(Result::ok);
        let names = entries.map(|entry| entry.file_name().into_string().unwrap());
        names.filter_map(|name| name.strip_suffix(".segment")?.parse().ok()).collect()
    }
}

fn bytes(msn: u64) -> Bytes {
    Bytes::from(format!("{msn:1000}"))
}

/// Returns the numbers of what is listed.
fn listed(window: &Window) -> Vec<u64> {
    window.listed().iter().map(|kept| kept.msn.0).collect()
}

/// Goal: what is kept lives on over a restart, and what was cut off by it harms nothing. Method: three lives in one folder: one
/// that ends, one that is killed in the middle of a line and leaves a file that nobody knows, and one in another boot.
#[tokio::test]
async fn what_is_kept_is_there_in_the_next_life() {
    let mut channel = Channel::new();
    let parts = channel.parts(1 << 20);
    let life = tokio::task::spawn(run(parts.clone()));
    channel.publish(20);
    let first = channel.until(|window| window.listed().len() == 20).await;
    assert!(first.is_open() && first.length() > WINDOW);
    let kept = first.find(Msn(1007)).unwrap();
    assert_eq!(fs::read(first.path(kept)).unwrap(), bytes(1007));
    parts.token.cancel();
    life.await.unwrap();

    channel.next = 5000;
    channel.told = Arc::default();
    let life = tokio::task::spawn(run(channel.parts(1 << 20)));
    let again = channel.until(|window| !window.listed().is_empty()).await;
    let text = |window: &Window| window.text(Of::Pictures, false).unwrap().plain.text.clone();
    assert_eq!(text(&again), text(&first), "the same to the letter");
    channel.publish(2);
    let more = channel.until(|window| window.listed().len() == 22).await;
    let numbers: Vec<_> = more.listed().iter().map(|kept| kept.number).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1) && more.listed()[20].discontinuity);
    life.abort();
    let _aborted = life.await;

    let folder = channel.folder.path().join("cats");
    append(&folder, "kept 1 2 3").unwrap();
    fs::write(folder.join("77.segment"), "nobody knows it").unwrap();
    fs::write(folder.join("1003.segment"), "cut off").unwrap();
    channel.told = Arc::default();
    let parts = channel.parts(1 << 20);
    let life = tokio::task::spawn(run(parts.clone()));
    let third = channel.until(|window| !window.listed().is_empty()).await;
    assert_eq!(
        listed(&third),
        [(1004..1020).collect::<Vec<_>>(), vec![5000, 5001]].concat(),
        "none has a hole before it"
    );
    assert_eq!(channel.files().into_iter().collect::<Vec<_>>(), listed(&third));
    parts.token.cancel();
    life.await.unwrap();

    let index = folder.join(INDEX);
    let text = fs::read_to_string(&index).unwrap().replace(&boot(), "another-boot");
    fs::write(&index, &text).unwrap();
    assert_eq!(load(&folder).len(), 18, "it had ended before the system did");
    fs::write(&index, text.replace(&index::end(), "")).unwrap();
    assert_eq!(load(&folder), [], "nobody knows what reached the disk");
    assert!(channel.files().is_empty());
}

/// Goal: the budget holds on the disk, too. Method: more is published than there is room for.
#[tokio::test]
async fn no_more_is_on_the_disk_than_may_be() {
    let mut channel = Channel::new();
    let parts = channel.parts(50_000);
    let life = tokio::task::spawn(run(parts.clone()));
    for round in 1..=10_u64 {
        channel.publish(20);
        let newest = 999 + round * 20;
        let window = channel.until(|window| window.find(Msn(newest)).is_some()).await;
        let files = channel.files();
        assert!(window.bytes() <= 50_000 && files.len() <= 50, "{} files", files.len());
        assert!(listed(&window).iter().all(|msn| files.contains(msn)), "everything listed is there");
    }
    parts.token.cancel();
    life.await.unwrap();
}

/// Goal: a disk that takes nothing costs the past and nothing else. Method: a folder that cannot be made; then it can.
#[tokio::test(start_paused = true)]
async fn a_disk_that_takes_nothing_is_asked_again_after_a_while() {
    let mut channel = Channel::new();
    let parts = channel.parts(1 << 20);
    fs::write(&parts.folder, "a file is in the way").unwrap();
    let life = tokio::task::spawn(run(parts.clone()));
    channel.publish(20);
    while channel.told.failures() < 3 {
        tokio::time::advance(REST).await;
        tokio::task::yield_now().await;
    }
    assert!(channel.told.window().listed().is_empty());
    fs::remove_file(&parts.folder).unwrap();
    let window = channel.until(|window| window.listed().len() == 20).await;
    assert!(window.is_open());
    parts.token.cancel();
    life.await.unwrap();
}
