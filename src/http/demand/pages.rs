//! The page of a film, and that of a channel's films.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::shelf;
use crate::http::error::HttpError;
use crate::http::page::{escape, html};
use crate::http::state::StationView;
use crate::library::Metadata;

/// Answers with the page of a film that can be watched now.
pub(super) async fn film(
    State(view): State<Arc<StationView>>,
    Path((id, item)): Path<(String, String)>,
) -> Result<Response, HttpError> {
    let (channel, shelf) = shelf(&view, &id)?;
    let (entry, mezzanine) = shelf.item(&item)?;
    let seconds = mezzanine.ok_or(HttpError::NotReady)?.duration().as_secs_f64().to_string();
    let metadata = &entry.item.metadata;
    let (station, name) = (escape(&view.roster().name), escape(&channel.status().name));
    let (title, description) = (escape(&metadata.title), escape(metadata.description.as_deref().unwrap_or_default()));
    let values = [
        ("station", &*station),
        ("channel", &*name),
        ("id", channel.id.as_str()),
        ("item", &*entry.id),
        ("title", &*title),
        ("byline", &*escape(&byline(metadata))),
        ("description", &*description),
        ("seconds", &*seconds),
    ];
    html(StatusCode::OK, "film.html", &values)
}

/// Answers with the page of a channel's films; what is in it is asked for by the page.
pub(super) async fn library(
    State(view): State<Arc<StationView>>,
    Path(id): Path<String>,
) -> Result<Response, HttpError> {
    let (channel, _) = shelf(&view, &id)?;
    let (station, name) = (escape(&view.roster().name), escape(&channel.status().name));
    html(StatusCode::OK, "library.html", &[("station", &*station), ("channel", &*name), ("id", channel.id.as_str())])
}

/// Author and year in one line, as the pages' scripts write it.
fn byline(metadata: &Metadata) -> String {
    let year = metadata.date.as_deref().map(|date| match date.split_once('-') {
        Some((year, _)) if year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()) => year,
        _ => date,
    });
    let parts: Vec<&str> = [metadata.author.as_deref(), year].into_iter().flatten().collect();
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byline_tells_what_there_is() {
        for (author, date, expected) in [
            (Some("A"), Some("2024-11-03"), "A · 2024"),
            (None, Some("May 1931"), "May 1931"),
            (Some("A"), None, "A"),
            (None, None, ""),
        ] {
            let metadata =
                Metadata { author: author.map(str::to_owned), date: date.map(str::to_owned), ..Metadata::default() };
            assert_eq!(byline(&metadata), expected);
        }
    }
}
