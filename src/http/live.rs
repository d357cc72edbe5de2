//! The endless MPEG-TS of a channel, for TV apps, tuners and pushes.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{Stream, unfold};
use serde::Deserialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::error::HttpError;
use super::hls::{TS_TYPE, first_snapshot};
use super::state::StationView;
use super::viewers::Watching;
use crate::channel::{ChannelState, ChannelStatus};
use crate::hls::{SegmentBody, Snapshot};
use crate::units::{MediaTime, Msn};

/// How much of the past a new viewer gets at once: enough for a player's buffer to fill and the picture to start,
/// little enough to stay near the edge. Doubled, every viewer would be that much later for as long as they watch.
const HEAD_START: MediaTime = MediaTime::from_secs(4);

/// Which rendition is asked for, by name; the first where none is.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    rendition: Option<String>,
}

/// Answers with the channel's segments one after another, for as long as the viewer keeps up.
pub(super) async fn live_ts(
    State(view): State<Arc<StationView>>,
    Path(id): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, HttpError> {
    let Query(wanted) = wanted.map_err(|_| HttpError::Malformed)?;
    let channel = view.channel(&id).ok_or(HttpError::NoSuchChannel)?;
    if channel.is_off() {
        return Err(HttpError::OffAir);
    }
    let rendition = match wanted.rendition {
        Some(name) => {
            let snapshot = first_snapshot(channel.snapshot.clone(), &view.token).await?;
            snapshot.rendition(&name).ok_or(HttpError::NoSuchPage)?
        }
        None => 0,
    };
    let headers = [(header::CONTENT_TYPE, TS_TYPE), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    // For HEAD the router drops the body unread, and nothing was looked up for it.
    let (status, watching) = (channel.status.clone(), channel.viewers.opened());
    let stream = segments(channel.snapshot.clone(), status, rendition, watching, view.token.clone());
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// Returns the bytes of every segment from a little before the live edge on. Nothing is read ahead: the next segment
/// is looked up when the viewer has taken the one before.
fn segments(
    snapshot: watch::Receiver<Arc<Snapshot>>,
    status: watch::Receiver<Arc<ChannelStatus>>,
    rendition: usize,
    watching: Watching,
    token: CancellationToken,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let begun = (snapshot, status, None, watching, token);
    unfold(begun, move |(mut snapshot, mut status, mut last, watching, token)| async move {
        loop {
            let step = next_step(&snapshot.borrow_and_update(), last);
            match step {
                Step::Send(msn, segment) => {
                    // A channel that was configured anew may have fewer renditions.
                    let content = segment.renditions.get(rendition)?;
                    let bytes = content.bytes().await;
                    last = Some(if bytes.is_ok() { msn } else { Msn(u64::MAX) });
                    if let Ok(bytes) = &bytes {
                        watching.0.sent(bytes.len());
                    }
                    return Some((bytes, (snapshot, status, last, watching, token)));
                }
                Step::FellBehind => {
                    // An error, so that the connection is cut and the viewer knows that this was no orderly end.
                    let error = io::Error::new(io::ErrorKind::TimedOut, "viewer fell out of the window");
                    last = Some(Msn(u64::MAX));
                    return Some((Err(error), (snapshot, status, last, watching, token)));
                }
                Step::Wait => {}
            }
            let changed = tokio::select! {
                biased;
                () = token.cancelled() => return None,
                _ = status.wait_for(|status| status.state == ChannelState::Off) => return None,
                changed = snapshot.changed() => changed,
            };
            if changed.is_err() {
                return None;
            }
        }
    })
}

/// What an endless answer does next.
enum Step {
    Send(Msn, Arc<SegmentBody>),
    Wait,
    FellBehind,
}

/// Returns what follows the segment sent last; at the start, the newest that has [`HEAD_START`] of media behind it.
fn next_step(snapshot: &Snapshot, last: Option<Msn>) -> Step {
    let (Some(oldest), Some(newest)) = (snapshot.oldest, snapshot.newest) else { return Step::Wait };
    let wanted = match last {
        Some(Msn(last)) => Msn(last.saturating_add(1)),
        None => start(snapshot, oldest, newest),
    };
    match snapshot.segments.range(wanted..=newest.max(wanted)).next() {
        Some((&msn, segment)) if msn == wanted => Step::Send(msn, Arc::clone(segment)),
        Some(_) => Step::FellBehind,
        None => Step::Wait,
    }
}

fn start(snapshot: &Snapshot, oldest: Msn, newest: Msn) -> Msn {
    let mut ahead = MediaTime::ZERO;
    for (&msn, segment) in snapshot.segments.range(oldest..=newest).rev() {
        ahead += segment.duration;
        if ahead >= HEAD_START {
            return msn;
        }
    }
    oldest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(listed: std::ops::RangeInclusive<u64>, expired: u64) -> Snapshot {
        let body =
            |msn: u64| SegmentBody::in_memory(vec![Bytes::from(msn.to_string())], MediaTime::from_secs(2), false);
        Snapshot {
            segments: (listed.start() - expired..=*listed.end()).map(|msn| (Msn(msn), Arc::new(body(msn)))).collect(),
            newest: Some(Msn(*listed.end())),
            oldest: Some(Msn(*listed.start())),
            ..Snapshot::default()
        }
    }

    fn told(step: &Step) -> String {
        match step {
            Step::Send(msn, _) => format!("send {msn}"),
            Step::Wait => "wait".to_owned(),
            Step::FellBehind => "fell behind".to_owned(),
        }
    }

    #[test]
    fn a_viewer_begins_a_head_start_behind_the_edge_and_takes_every_segment_once() {
        for (sentence, snapshot, last, expected) in [
            ("nothing published", Snapshot::default(), None, "wait"),
            ("four seconds behind", snapshot(10..=20, 3), None, "send 19"),
            ("all there is, when there is less", snapshot(10..=10, 0), None, "send 10"),
            ("never an expired one", snapshot(10..=10, 3), None, "send 10"),
            ("the following", snapshot(10..=20, 3), Some(Msn(15)), "send 16"),
            ("an expired one that is still kept", snapshot(10..=20, 3), Some(Msn(6)), "send 7"),
            ("at the edge", snapshot(10..=20, 3), Some(Msn(20)), "wait"),
            ("too late", snapshot(10..=20, 3), Some(Msn(5)), "fell behind"),
            ("the far future", snapshot(10..=20, 3), Some(Msn(u64::MAX)), "wait"),
        ] {
            assert_eq!(told(&next_step(&snapshot, last)), expected, "{sentence}");
        }
    }
}
