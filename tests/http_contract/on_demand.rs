//! What can be watched on demand: nothing, where nobody said so.

use axum::http::StatusCode;

use crate::station::Station;

/// Goal: a channel that does not allow it has nothing on demand, and says so to people and programs. Method: every address
/// there would be, of a channel that does not and of one that there is not.
#[tokio::test]
async fn nothing_is_on_demand_where_no_channel_says_so() {
    let station = Station::new();
    let told = station.get("/api/channels", &[]).await.json();
    let first = &told["channels"][0];
    assert!(first["on_demand"] == false && first["urls"]["library"].is_null(), "{first}");
    for path in [
        "/watch/night/0123456789ab",
        "/library/night",
        "/api/channels/night/library",
        "/api/channels/night/library/0123456789ab",
        "/vod/night/0123456789ab/index.m3u8",
        "/vod/night/0123456789ab/v/picture/index.m3u8",
        "/vod/night/0123456789ab/v/picture/0.ts",
    ] {
        let answer = station.get(path, &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(
            answer.text(),
            "The films of this channel cannot be watched on demand, only when they are on.\n",
            "{path}"
        );
        let answer = station.get(&path.replace("night", "nothing"), &[]).await;
        assert!(answer.text().starts_with("This station has no such channel"), "{path}: {}", answer.text());
    }
    let page = station.get("/library/night", &[("accept", "text/html")]).await;
    assert!(page.text().contains("cannot be watched on demand"), "{}", page.text());
}
