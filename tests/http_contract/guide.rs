//! `/api/guide`: what was on, is on and will be on.

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::station::Station;

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// Goal: a page draws its grid from one answer. Method: a channel with a past, a present and a future, and one with nothing.
#[tokio::test]
async fn the_guide_tells_past_present_and_future_of_all_channels() {
    let station = Station::new();
    let got = station.get("/api/guide", &[]).await;
    assert_eq!((got.status, got.header("cache-control")), (StatusCode::OK, "no-store"));
    let guide = got.json();
    assert_eq!(guide["station"], "Tom & Co");
    let now = time(&guide["server_time"]);
    assert_eq!(time(&guide["from"]), now - SignedDuration::from_hours(2));
    assert_eq!(time(&guide["to"]), now + SignedDuration::from_hours(24));
    let night = &guide["channels"][0];
    assert_eq!((&night["id"], &night["number"], &night["page"]), (&"night".into(), &1.into(), &"/watch/night".into()));
    assert_eq!((&night["state"], &night["truncated"]), (&"on_air".into(), &false.into()));
    let told = |key: &str| {
        let programmes = night["programmes"].as_array().unwrap().iter();
        programmes.map(|one| one[key].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told("title"), ["Nought", "One", "Two", "Three", "Four", "Five"]);
    assert_eq!(told("stage"), ["aired", "aired", "on_air", "planned", "planned", "planned"]);
    assert_eq!(told("end")[..5], told("start")[1..], "each begins when the one before it ends");
    let two = &night["programmes"][2];
    assert_eq!((&two["serial"], &two["slate"], &two["duration_seconds"]), (&2.into(), &false.into(), &100.0.into()));
    assert_eq!(guide["channels"][1]["programmes"], serde_json::json!([]));
}

/// Goal: whoever scrolls asks for what they see. Method: a part of the time, also with an unescaped plus, and times that are
/// none.
#[tokio::test]
async fn a_guide_may_be_asked_for_a_time() {
    let station = Station::new();
    let whole = station.get("/api/guide", &[]).await.json();
    let of = |at: usize| time(&whole["channels"][0]["programmes"][at]["start"]);
    let path = format!("/api/guide?from={}&to={}", of(1), of(3));
    let part = station.get(&path, &[]).await.json();
    let titles = |guide: &Value| {
        let programmes = guide["channels"][0]["programmes"].as_array().unwrap().clone();
        programmes.iter().map(|one| one["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(titles(&part), ["One", "Two"]);
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(1));
    let local = |moment: Timestamp| moment.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string();
    let path = format!("/api/guide?from={}&to={}", local(of(1)), local(of(3)));
    assert_eq!(titles(&station.get(&path, &[]).await.json()), ["One", "Two"], "{path}");
    for refused in ["from=now", "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to=%ff", "from=a&from=b"] {
        let got = station.get(&format!("/api/guide?{refused}"), &[]).await;
        assert_eq!(got.status, StatusCode::BAD_REQUEST, "{refused}");
        assert!(got.text().contains("such as 2026-01-31T20:00:00Z"), "{}", got.text());
    }
}
