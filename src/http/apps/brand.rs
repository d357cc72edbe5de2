//! The station's colours for the pages: `/brand.css`, made from the configuration.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::{CACHE, tagged};
use crate::http::state::{Roster, StationView};

const TYPE: &str = "text/css; charset=utf-8";

/// Answers with the colours.
pub(super) async fn colours(State(view): State<Arc<StationView>>, headers: HeaderMap) -> Response {
    tagged(TYPE, CACHE, render(&view.roster()), &headers)
}

/// Writes `--accent` for the page, and for everything that stands for a channel by its attribute.
fn render(roster: &Roster) -> String {
    let mut text = String::new();
    let accent = roster.brand.colour.map_or_else(|| "var(--ink, #f1eee7)".to_owned(), |colour| colour.to_string());
    let _infallible = writeln!(text, ":root {{ --accent: {accent}; }}");
    for (place, channel) in roster.channels.iter().enumerate() {
        let (id, colour) = (&channel.id, roster.brand.colour_of(&channel.id, place));
        let _infallible = writeln!(text, "[data-id=\"{id}\"], [data-channel=\"{id}\"] {{ --accent: {colour}; }}");
    }
    text
}
