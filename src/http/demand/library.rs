//! The list of a channel's films, and one of them: `/api/channels/{id}/library`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::shelf;
use crate::demand::listing::{LISTED, LISTED_MAX};
use crate::demand::{Asked, Entry, Sort};
use crate::http::api::FRESH;
use crate::http::error::HttpError;
use crate::http::guide::shortened;
use crate::http::state::StationView;

/// How many letters of a description a list tells.
const DESCRIPTION_MAX: usize = 240;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    q: Option<String>,
    order: Option<String>,
    ready: Option<bool>,
    from: Option<usize>,
    limit: Option<usize>,
}

impl Wanted {
    fn asked(self) -> Option<Asked> {
        let sort = match self.order.as_deref() {
            None | Some("" | "title") => Sort::Title,
            Some("newest") => Sort::Newest,
            Some(_) => return None,
        };
        let limit = self.limit.unwrap_or(LISTED);
        let (words, ready, from) =
            (self.q.unwrap_or_default(), self.ready.unwrap_or_default(), self.from.unwrap_or_default());
        (1..=LISTED_MAX).contains(&limit).then_some(Asked { words, sort, ready, from, limit })
    }
}

#[derive(Serialize)]
struct Library {
    channel: String,
    name: Arc<str>,
    server_time: Timestamp,
    /// How many fit what was asked.
    total: usize,
    /// How many of those with these words can be watched now.
    ready: usize,
    from: usize,
    items: Vec<Item>,
}

#[derive(Serialize)]
struct Item {
    id: Arc<str>,
    title: String,
    author: Option<String>,
    date: Option<String>,
    description: Option<String>,
    duration_seconds: f64,
    /// Whether it can be watched now.
    ready: bool,
    page: String,
    playlist: String,
}

#[derive(Serialize)]
struct One {
    #[serde(flatten)]
    item: Item,
    server_time: Timestamp,
    /// What comes after it, of what can be watched now.
    next: Option<Item>,
}

fn told(channel: &str, entry: &Entry, ready: bool, letters_max: usize) -> Item {
    let (id, metadata) = (&entry.id, &entry.item.metadata);
    Item {
        id: Arc::clone(id),
        title: metadata.title.clone(),
        author: metadata.author.clone(),
        date: metadata.date.clone(),
        description: metadata.description.as_deref().map(|text| shortened(text, letters_max).into_owned()),
        duration_seconds: entry.duration().as_secs_f64(),
        ready,
        page: format!("/watch/{channel}/{id}"),
        playlist: format!("/vod/{channel}/{id}/index.m3u8"),
    }
}

/// Answers with the films of a channel that fit what is asked.
pub(super) async fn list(
    State(view): State<Arc<StationView>>,
    Path(id): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, HttpError> {
    let (channel, shelf) = shelf(&view, &id)?;
    let Query(wanted) = wanted.map_err(|_| HttpError::Question)?;
    let asked = wanted.asked().ok_or(HttpError::Question)?;
    let found = shelf.find(&asked, |entry, ready| told(&id, entry, ready, DESCRIPTION_MAX));
    let body = Library {
        channel: id,
        name: Arc::clone(&channel.status().name),
        server_time: view.clock.wall(),
        total: found.total,
        ready: found.ready,
        from: asked.from,
        items: found.listed,
    };
    Ok(([FRESH], Json(body)).into_response())
}

/// Answers with one film, whole, and the next.
pub(super) async fn one(
    State(view): State<Arc<StationView>>,
    Path((id, item)): Path<(String, String)>,
) -> Result<Response, HttpError> {
    let (_, shelf) = shelf(&view, &id)?;
    let (entry, mezzanine) = shelf.item(&item)?;
    let mut own = told(&id, &entry, mezzanine.is_some(), usize::MAX);
    if let Some(mezzanine) = mezzanine {
        // To the tick, and no longer the container's word.
        own.duration_seconds = mezzanine.duration().as_secs_f64();
    }
    let next = shelf.next(&item).map(|entry| told(&id, &entry, true, DESCRIPTION_MAX));
    let body = One { item: own, server_time: view.clock.wall(), next };
    Ok(([FRESH], Json(body)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_library_does_not_understand_is_refused() {
        let ask = |order: &str, limit| Wanted { order: Some(order.to_owned()), limit, ..Wanted::default() }.asked();
        assert_eq!(ask("newest", None).map(|asked| (asked.sort, asked.limit)), Some((Sort::Newest, LISTED)));
        assert_eq!(ask("", Some(LISTED_MAX)).map(|asked| asked.sort), Some(Sort::Title));
        for (order, limit) in [("oldest", None), ("title", Some(0)), ("title", Some(LISTED_MAX + 1))] {
            assert!(ask(order, limit).is_none(), "{order} {limit:?}");
        }
    }
}
