//! What makes the pages an app: its manifest, its service worker, and the page that is shown when nothing can be reached.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::error::HttpError;
use super::page::{ASSET_CACHE, escape, fill, html, known, sums};
use super::state::StationView;

/// How many letters of the station's name stand under an icon.
const SHORT_NAME_MAX: usize = 12;

/// Answers with what a browser must know to install the station as an app.
pub(super) async fn manifest(State(view): State<Arc<StationView>>) -> Response {
    let roster = view.roster();
    let icon = |file: &str, size: &str, purpose: &str| serde_json::json!({"src": format!("/assets/{file}"), "sizes": size, "type": "image/png", "purpose": purpose});
    let short: String = roster.name.chars().take(SHORT_NAME_MAX).collect();
    let manifest = serde_json::json!({
        "id": "/",
        "name": &*roster.name,
        "short_name": short.trim(),
        "description": "Television that is always on.",
        "lang": "en",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#07080b",
        "theme_color": "#07080b",
        "categories": ["entertainment"],
        "icons": [
            icon("icon-192.png", "192x192", "any"),
            icon("icon-512.png", "512x512", "any"),
            icon("icon-maskable-512.png", "512x512", "maskable"),
        ],
        "shortcuts": [{"name": "Guide", "url": "/guide"}],
    });
    let kind = HeaderValue::from_static("application/manifest+json");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, ASSET_CACHE)], manifest.to_string()).into_response()
}

/// Answers with the service worker. Its text changes with whatever it may keep, so that a browser that kept an older
/// version finds out, at the latest a day later.
pub(super) async fn service_worker(State(view): State<Arc<StationView>>) -> Result<Response, HttpError> {
    let file = known("sw.js")?;
    let version = version(&view.roster().name);
    let text = fill(&String::from_utf8_lossy(&file.data), &[("version", &version)]);
    let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, ASSET_CACHE)], text).into_response())
}

/// Answers with the page that the service worker keeps for the time when the station is out of reach.
pub(super) async fn offline(State(view): State<Arc<StationView>>) -> Result<Response, HttpError> {
    html(StatusCode::OK, "offline.html", &[("station", &escape(&view.roster().name))])
}

/// Returns what the files of the pages add up to, and the station's name, which stands in them.
fn version(station: &str) -> String {
    let mut sum = Sha256::new();
    sum.update(station.as_bytes());
    sums().for_each(|file| sum.update(file));
    let mut version = String::new();
    for byte in &sum.finalize()[..8] {
        let _infallible = write!(version, "{byte:02x}");
    }
    version
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_changes_with_what_is_kept() {
        assert_eq!(version("Night"), version("Night"));
        assert_ne!(version("Night"), version("Day"));
        assert_eq!(version("Night").len(), 16);
    }
}
