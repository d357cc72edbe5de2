//! Still pictures of what is on: how many are made, what becomes of those that are not. Method: in ffmpeg's place stands a
//! line of shell; a real one is asked for pictures in `tests/metrics.rs`.

use std::os::unix::fs::PermissionsExt as _;

use futures_util::future::join_all;
use nightcast::ffmpeg::{Children, Ending, Role};
use nightcast::http::Thumbnails;
use nightcast::units::ChannelId;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::station::{DEADLINE, Station};

const NIGHT: &str = "/channels/night/thumbnail.jpg";

/// A station whose pictures this script makes, and what is to be known of its children.
struct Studio {
    station: Station,
    children: Children,
    tracker: TaskTracker,
    _folder: tempfile::TempDir,
}

#[expect(clippy::disallowed_methods, reason = "writes the script")]
fn studio(script: &str) -> Studio {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("ffmpeg");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (children, tracker) = (Children::default(), TaskTracker::new());
    let mut station = Station::new();
    station.view.thumbnails = Thumbnails::new(program, children.clone(), tracker.clone(), CancellationToken::new());
    Studio { station, children, tracker, _folder: folder }
}

impl Studio {
    /// How many children were started for a channel, and how many of them ended so.
    fn children(&self, id: &str, ending: Ending) -> (u64, u64) {
        let sums = self.children.of(&ChannelId::new(id).unwrap()).sums(Role::Thumbnail, |_| None);
        (sums.starts, sums.ends[ending as usize])
    }

    /// Returns when nobody is at work any more.
    async fn rests(&self) {
        self.tracker.close();
        tokio::time::timeout(DEADLINE, self.tracker.wait()).await.unwrap();
    }
}

/// Goal: a crowd costs one child. Method: fifty ask at once for the first picture of a channel, and again afterwards.
#[tokio::test]
async fn however_many_ask_one_child_makes_the_picture() {
    let studio = studio("head -c 17 >/dev/null; printf '\\377\\330 a picture'");
    let answers = join_all((0..50).map(|_| studio.station.get(NIGHT, &[]))).await;
    for got in &answers {
        assert_eq!((got.status.as_u16(), got.header("content-type")), (200, "image/jpeg"));
        assert_eq!(got.header("cache-control"), "public, max-age=10");
        assert!(got.body.starts_with(&[0xff, 0xd8]) && got.header("etag") == answers[0].header("etag"));
    }
    let tag = answers[0].header("etag");
    let again = studio.station.get(NIGHT, &[("if-none-match", tag)]).await;
    assert_eq!((again.status.as_u16(), again.body.len(), again.header("etag")), (304, 0, tag));
    studio.rests().await;
    assert_eq!(studio.children("night", Ending::Done), (1, 1));
}

/// Goal: a channel that shows nothing has no picture, and costs nothing. Method: one that is starting is asked for.
#[tokio::test]
async fn a_channel_with_nothing_on_has_no_picture() {
    let studio = studio("printf '\\377\\330'");
    assert_eq!(studio.station.get("/channels/new/thumbnail.jpg", &[]).await.status.as_u16(), 404);
    studio.rests().await;
    assert_eq!(studio.children("new", Ending::Done), (0, 0));
}

/// Goal: whatever becomes of a child, whoever asks is answered, and no other follows at once. Method: children that fail,
/// write something else, write too much.
#[tokio::test]
async fn a_child_that_gives_no_picture_is_not_followed_by_another_at_once() {
    for (script, ending) in [("exit 1", Ending::Failed), ("echo nothing", Ending::Done), ("yes", Ending::Limit)] {
        let studio = studio(script);
        for _ in 0..3 {
            let got = studio.station.get(NIGHT, &[]).await;
            assert_eq!((got.status.as_u16(), got.header("cache-control")), (204, "no-store"), "{script}");
        }
        studio.rests().await;
        assert_eq!(studio.children("night", ending), (1, 1), "{script}");
    }
}

/// Goal: a child that hangs is ended, and who waits is answered. Method: one that sleeps.
#[tokio::test]
async fn a_child_that_hangs_ends_by_its_time() {
    let studio = studio("sleep 600");
    assert_eq!(studio.station.get(NIGHT, &[]).await.status.as_u16(), 204);
    studio.rests().await;
    assert_eq!(studio.children("night", Ending::Timeout), (1, 1));
}
