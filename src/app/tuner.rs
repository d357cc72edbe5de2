//! The station as a tuner: what it is known by, and its ear on the network.
#![expect(clippy::disallowed_methods, reason = "keeps the tuner's id in the data folder; draws it by chance")]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use rand::RngExt as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Apps;
use crate::http::hdhomerun::DeviceId;
use crate::http::hdhomerun::task::{PORT, listen, serve};

/// The file in the data folder that holds the id: servers know the tuner by it, so it must stay.
const FILE: &str = "hdhomerun-id";

/// Begins to answer who looks for tuners, where that is wanted; returns the id. A port that is taken keeps nobody from being
/// told the address by hand.
pub(super) fn begin(
    apps: &Apps,
    data: &Path,
    pages: SocketAddr,
    tracker: &TaskTracker,
    token: &CancellationToken,
) -> Option<DeviceId> {
    if !apps.hdhomerun {
        return None;
    }
    let device = device(data);
    match listen(pages) {
        Ok(socket) => {
            tracing::info!(%device, "the station is a tuner: servers find it on UDP port {PORT}");
            tracker.spawn(serve(socket, device, pages, token.clone()));
        }
        Err(error) => tracing::warn!(
            %error,
            %device,
            "servers will not find the tuner by themselves: UDP port {PORT} cannot be had (hint: is another tuner or station \
             on this machine? servers can still be told the address by hand)"
        ),
    }
    Some(device)
}

/// Returns the id that was kept, or a new one.
fn device(data: &Path) -> DeviceId {
    let path = data.join(FILE);
    let kept = fs::read_to_string(&path).ok().and_then(|text| DeviceId::read(text.trim()));
    kept.unwrap_or_else(|| {
        let made = DeviceId::made_of(rand::rng().random());
        if let Err(error) = fs::write(&path, format!("{made}\n")) {
            tracing::warn!(%error, "the tuner's id cannot be kept: servers will take it for another after a restart");
        }
        made
    })
}
