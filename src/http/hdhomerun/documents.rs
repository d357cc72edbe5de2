//! What the tuner tells over HTTP: who it is, and what there is to tune.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{DeviceId, TUNERS};
use crate::http::api::FRESH;
use crate::http::apps::{CHANNELS_TYPE, Origin, Stream, XmlText, playlist_of};
use crate::http::error::HttpError;
use crate::http::state::{ChannelView, Roster, StationView};

/// The one address that takes a POST: a server asks the tuner to look for channels. There is nothing to look for.
pub(in crate::http) const SCAN: &str = "/lineup.post";

/// The model whose pictures are H.264 as ours are: others are taken for MPEG-2.
const MODEL: &str = "HDTC-2US";
const FIRMWARE: &str = "hdhomeruntc_atsc";
const FIRMWARE_VERSION: &str = "20190621";

/// The least height of a picture that is called HD.
const HD_HEIGHT: u32 = 720;

/// Returns the tuner's addresses. Where there is no tuner there is nothing at them.
pub(in crate::http) fn routes() -> Router<Arc<StationView>> {
    Router::new()
        .route("/discover.json", get(discover))
        .route("/lineup_status.json", get(lineup_status))
        .route("/lineup.json", get(lineup))
        .route("/lineup.m3u", get(lineup_m3u))
        .route("/device.xml", get(device))
        .route(SCAN, post(scan).get(scanned))
}

/// Returns the station and its tuner's id, where it has a tuner.
fn tuner(view: &StationView) -> Result<(Arc<Roster>, DeviceId), HttpError> {
    let roster = view.roster();
    let id = roster.tuner.ok_or(HttpError::NoSuchPage)?;
    Ok((roster, id))
}

fn fresh(told: Value) -> Response {
    ([FRESH], Json(told)).into_response()
}

async fn discover(State(view): State<Arc<StationView>>, uri: Uri, headers: HeaderMap) -> Result<Response, HttpError> {
    let (roster, id) = tuner(&view)?;
    let origin = Origin::of(&roster, &uri, &headers)?;
    Ok(fresh(json!({
        "FriendlyName": &*roster.name,
        "Manufacturer": "Nightcast",
        "ModelNumber": MODEL,
        "FirmwareName": FIRMWARE,
        "FirmwareVersion": FIRMWARE_VERSION,
        "DeviceID": id.to_string(),
        "DeviceAuth": "nightcast",
        "BaseURL": origin.to_string(),
        "LineupURL": format!("{origin}/lineup.json"),
        "TunerCount": TUNERS,
    })))
}

async fn lineup_status(State(view): State<Arc<StationView>>) -> Result<Response, HttpError> {
    tuner(&view)?;
    let told = json!({ "ScanInProgress": 0, "ScanPossible": 1, "Source": "Cable", "SourceList": ["Cable"] });
    Ok(fresh(told))
}

async fn lineup(State(view): State<Arc<StationView>>, uri: Uri, headers: HeaderMap) -> Result<Response, HttpError> {
    let (roster, _) = tuner(&view)?;
    let origin = Origin::of(&roster, &uri, &headers)?;
    let channels = roster.channels.iter().zip(1..).map(|(channel, number): (_, usize)| {
        json!({
            "GuideNumber": number.to_string(),
            "GuideName": &*channel.status().name,
            "VideoCodec": "H264",
            "AudioCodec": "AAC",
            "HD": i32::from(is_hd(channel)),
            "URL": format!("{origin}/channels/{}/{}", channel.id, Stream::Ts.file()),
        })
    });
    Ok(fresh(channels.collect()))
}

/// What is not known yet is taken for HD, as most channels are: servers only choose a symbol by it.
fn is_hd(channel: &ChannelView) -> bool {
    let snapshot = channel.snapshot();
    let first = snapshot.renditions.first().and_then(|rendition| rendition.picture);
    first.is_none_or(|picture| picture.height >= HD_HEIGHT)
}

async fn lineup_m3u(State(view): State<Arc<StationView>>, uri: Uri, headers: HeaderMap) -> Result<Response, HttpError> {
    let (roster, _) = tuner(&view)?;
    let origin = Origin::of(&roster, &uri, &headers)?;
    let kind = (header::CONTENT_TYPE, CHANNELS_TYPE);
    Ok(([FRESH], [kind], playlist_of(&origin, &roster, Stream::Ts)).into_response())
}

async fn device(State(view): State<Arc<StationView>>, uri: Uri, headers: HeaderMap) -> Result<Response, HttpError> {
    let (roster, id) = tuner(&view)?;
    let origin = Origin::of(&roster, &uri, &headers)?;
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<root xmlns=\"urn:schemas-upnp-org:device-1-0\">\n  \
         <specVersion>\n    <major>1</major>\n    <minor>0</minor>\n  </specVersion>\n  <URLBase>{}</URLBase>\n  \
         <device>\n    <deviceType>urn:schemas-upnp-org:device:MediaServer:1</deviceType>\n    \
         <friendlyName>{}</friendlyName>\n    <manufacturer>Nightcast</manufacturer>\n    \
         <modelName>{MODEL}</modelName>\n    <modelNumber>{MODEL}</modelNumber>\n    \
         <serialNumber>{id}</serialNumber>\n    <UDN>uuid:6e696768-7463-6173-7400-0000{id}</UDN>\n  </device>\n</root>\n",
        XmlText(&origin.to_string()),
        XmlText(&roster.name),
    );
    let kind = (header::CONTENT_TYPE, "application/xml; charset=utf-8");
    Ok(([FRESH], [kind], text).into_response())
}

/// Answers who asks for a look for channels: it is done at once, and nothing was changed by it.
async fn scan(State(view): State<Arc<StationView>>) -> Result<Response, HttpError> {
    tuner(&view).map_err(|_| HttpError::ReadOnly)?;
    Ok((StatusCode::OK, [FRESH]).into_response())
}

async fn scanned(State(view): State<Arc<StationView>>) -> Result<Response, HttpError> {
    tuner(&view)?;
    Ok((StatusCode::OK, [FRESH]).into_response())
}
