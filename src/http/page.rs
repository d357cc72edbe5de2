//! The pages and files of `web/`, built into the program (and read from disk in debug builds).

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rust_embed::EmbeddedFile;

use super::caching::{not_modified, takes_gzip};
use super::error::HttpError;
use super::state::StationView;
use super::wall;
use files::Web;

mod files {
    #![cfg_attr(debug_assertions, expect(clippy::disallowed_methods, reason = "debug builds read web/ from disk"))]

    /// The folder `web/`. What is not in it cannot be asked for.
    #[derive(rust_embed::RustEmbed)]
    #[folder = "web/"]
    pub(super) struct Web;
}

/// What a page may load: its own files only, no inline script or style. `blob:` is how hls.js feeds the video element
/// and starts its worker, and an empty `data:` how it begins a track of subtitles.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; worker-src 'self' blob:; style-src 'self'; img-src 'self' data:; \
     media-src 'self' blob: data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'self'",
);

/// Our own files change with the program, so a browser asks each time and mostly hears 304.
pub(super) const ASSET_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// Other people's files are asked for with their version (`?v=`) and never change under it.
const VENDOR_CACHE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Answers with the wall of channels.
pub(super) async fn index(State(view): State<Arc<StationView>>) -> Result<Response, HttpError> {
    let (roster, row) = (view.roster(), known("row.html")?);
    let row = String::from_utf8_lossy(&row.data);
    let list = wall::rows(&row, &roster, view.clock.wall());
    let (station, count) = (escape(&roster.name), roster.channels.len());
    let (size, row, count) = (wall::size(count), fill(&row, &[]), count.to_string());
    let values = [("station", &*station), ("channels", &list), ("count", &count), ("size", size), ("row", &row)];
    html(StatusCode::OK, "index.html", &values)
}

/// Answers with the guide; what is in it is asked for by the page.
pub(super) async fn guide(State(view): State<Arc<StationView>>) -> Result<Response, HttpError> {
    let roster = view.roster();
    let mut list = String::new();
    for channel in &roster.channels {
        let name = escape(&channel.status().name);
        let _infallible = write!(list, "<li><a href=\"/watch/{}\">{name}</a></li>", channel.id);
    }
    html(StatusCode::OK, "guide.html", &[("station", &escape(&roster.name)), ("channels", &list)])
}

/// Answers with a channel's page.
pub(super) async fn watch(State(view): State<Arc<StationView>>, Path(id): Path<String>) -> Result<Response, HttpError> {
    let channel = view.channel(&id).ok_or(HttpError::NoSuchChannel)?;
    let name = escape(&channel.status().name);
    html(
        StatusCode::OK,
        "watch.html",
        &[("station", &escape(&view.roster().name)), ("channel", &name), ("id", channel.id.as_str())],
    )
}

/// Returns the page for a viewer whose request came to nothing.
pub(super) fn failure(view: &StationView, error: HttpError) -> Response {
    let heading = match error.status() {
        _ if error == HttpError::NotReady => "Not ready yet",
        StatusCode::NOT_FOUND => "Nothing on this frequency",
        StatusCode::SERVICE_UNAVAILABLE => "Just a moment",
        _ => "That did not work",
    };
    let text = match error {
        // People have the button; paths are for programs.
        HttpError::NoSuchPage | HttpError::NoSuchChannel => {
            "None of this station\u{2019}s channels is at this address.".into()
        }
        _ => error.to_string(),
    };
    let values = [("station", &*escape(&view.roster().name)), ("heading", heading), ("text", &*escape(&text))];
    html(error.status(), "failure.html", &values).unwrap_or_else(|_| error.status().into_response())
}

/// Answers with one of our own files.
pub(super) async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Result<Response, HttpError> {
    let name = format!("assets/{path}");
    Ok(file(&name, known(&name)?, ASSET_CACHE, &headers))
}

/// Answers with a file of somebody else's that is shipped with the page, compressed beforehand where it is large.
pub(super) async fn vendor(
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let name = format!("vendor/{path}");
    let plain = known(&name)?;
    let cache = if query.is_some_and(|query| query.starts_with("v=")) { VENDOR_CACHE } else { ASSET_CACHE };
    let Ok(packed) = known(&format!("{name}.gz")) else { return Ok(file(&name, plain, cache, &headers)) };
    let gzip = takes_gzip(&headers);
    let mut response = file(&name, if gzip { packed } else { plain }, cache, &headers);
    if gzip && response.status() == StatusCode::OK {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    Ok(response)
}

/// Answers for browsers that ask for the icon without having read the page.
pub(super) async fn favicon(headers: HeaderMap) -> Result<Response, HttpError> {
    Ok(file("assets/icon.svg", known("assets/icon.svg")?, ASSET_CACHE, &headers))
}

/// Adds what makes a browser treat an answer as what it is, and a page as confined to itself.
pub(super) async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    let page = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if page {
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    }
    response
}

/// Returns a file by its exact name below `web/`; a name is looked up in the list, never built into a path.
pub(super) fn known(name: &str) -> Result<EmbeddedFile, HttpError> {
    let listed = Web::iter().any(|listed| listed == name);
    listed.then(|| Web::get(name)).flatten().ok_or(HttpError::NoSuchPage)
}

/// Returns the checksum of every file below `web/`, in the order of their names.
pub(super) fn sums() -> impl Iterator<Item = [u8; 32]> {
    let mut names: Vec<_> = Web::iter().collect();
    names.sort_unstable();
    names.into_iter().filter_map(|name| Some(Web::get(&name)?.metadata.sha256_hash()))
}

fn file(name: &str, file: EmbeddedFile, cache: HeaderValue, headers: &HeaderMap) -> Response {
    let mut etag = String::from("W/\"");
    for byte in &file.metadata.sha256_hash()[..8] {
        let _ = write!(etag, "{byte:02x}");
    }
    etag.push('"');
    let mut response = if not_modified(headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, kind(name))], file.data).into_response()
    };
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    // Weak, because the same file goes out compressed and not.
    response.headers_mut().extend(HeaderValue::try_from(etag).ok().map(|etag| (header::ETAG, etag)));
    response
}

/// Returns the media type by the ending, as browsers need it for modules and styles.
fn kind(name: &str) -> HeaderValue {
    HeaderValue::from_static(match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "html" => "text/html; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    })
}

/// Returns a page with its `{{names}}` filled in. Values are HTML already.
pub(super) fn html(status: StatusCode, name: &str, values: &[(&str, &str)]) -> Result<Response, HttpError> {
    let file = known(name)?;
    let page = fill(&String::from_utf8_lossy(&file.data), values);
    let headers = [(header::CONTENT_TYPE, kind(name)), (header::CACHE_CONTROL, ASSET_CACHE)];
    Ok((status, headers, page).into_response())
}

/// Fills a template in one pass, so that a value that looks like a name is never filled in again.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut page = String::with_capacity(template.len() + 512);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        let Some((name, after)) = after.split_once("}}") else { break };
        page.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = after;
    }
    page.push_str(rest);
    page
}

/// Returns text that is safe between tags and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_once_and_only_once() {
        assert_eq!(fill("<p>{{a}} {{b}} {{a}}</p>", &[("a", "{{b}}"), ("b", "2")]), "<p>{{b}} 2 {{b}}</p>");
        assert_eq!(fill("none", &[]), "none");
        assert_eq!(fill("{{unknown}}.", &[]), ".");
    }

    #[test]
    fn a_channel_name_cannot_break_out_of_the_page() {
        assert_eq!(escape("<b>\"Tom & Jerry's\"</b>"), "&lt;b&gt;&quot;Tom &amp; Jerry&#39;s&quot;&lt;/b&gt;");
    }

    #[test]
    fn every_name_in_a_page_is_one_we_fill_in() {
        for (page, names) in [
            ("index.html", &["station", "channels", "count", "size", "row"][..]),
            ("row.html", &["id", "off", "number", "tint", "picture", "name", "title", "byline", "next"]),
            ("guide.html", &["station", "channels"]),
            ("offline.html", &["station"]),
            ("sw.js", &["version"]),
            ("watch.html", &["station", "channel", "id"]),
            ("film.html", &["station", "channel", "id", "item", "title", "byline", "description", "seconds"]),
            ("library.html", &["station", "channel", "id"]),
            ("failure.html", &["station", "heading", "text"]),
        ] {
            let text = String::from_utf8(Web::get(page).unwrap().data.into_owned()).unwrap();
            for name in text.split("{{").skip(1).map(|rest| rest.split_once("}}").unwrap().0) {
                assert!(names.contains(&name), "{page}: {name}");
            }
        }
    }

    #[test]
    fn pages_hold_no_inline_script_or_style_that_the_policy_would_refuse() {
        for page in [
            "index.html",
            "row.html",
            "guide.html",
            "watch.html",
            "film.html",
            "library.html",
            "failure.html",
            "offline.html",
        ] {
            let text = String::from_utf8(Web::get(page).unwrap().data.into_owned()).unwrap();
            assert!(!text.contains("<style") && !text.contains(" style=") && !text.contains(" onclick"), "{page}");
            for script in text.split("<script").skip(1) {
                assert!(script.split('>').next().unwrap().contains("src="), "{page}: {script}");
            }
        }
    }

    #[test]
    fn the_compressed_player_is_shipped_with_the_plain_one() {
        assert!(Web::get("vendor/hls.min.js").is_some() && Web::get("vendor/hls.min.js.gz").is_some());
    }
}
