//! The operator's desk: who is let in, what they may say, and what others learn of it.

#![expect(clippy::disallowed_methods, reason = "carries out orders beside the test")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use nightcast::http::desk::{Action, Refused, Token, WRONG_MAX, Which};
use nightcast::http::{Desk, router, router_with};
use nightcast::units::ChannelId;
use serde_json::json;
use tokio::sync::watch;
use tower::ServiceExt;

use super::station::{Answer, Station};

const GOOD: &str = "correct-horse-battery";

/// A station with a desk; its orders are noted and answered in a fixed way.
struct Open {
    _station: Station,
    _token: watch::Sender<Option<Token>>,
    router: Router,
    orders: Arc<Mutex<Vec<Action>>>,
}

impl Open {
    fn new() -> Self {
        let station = Station::new();
        let (token, seen) = watch::channel(Some(Token::new(GOOD).unwrap()));
        let (desk, mut taken) = Desk::new(seen);
        let orders = Arc::<Mutex<Vec<Action>>>::default();
        let noted = Arc::clone(&orders);
        tokio::spawn(async move {
            while let Some(order) = taken.recv().await {
                noted.lock().unwrap().push(order.action.clone());
                let answer = match order.action {
                    Action::Off(_) => Err(Refused::NotNow("The channel is off the air already.")),
                    Action::On(id) if id.as_str() == "nobody" => Err(Refused::NoSuchChannel),
                    Action::Requeue(_, Which::File(file)) if file == "none.mp4" => Err(Refused::NoSuchFile),
                    _ => Ok(json!({ "done": true })),
                };
                let _gone = order.answer.send(answer);
            }
        });
        let router = router_with(station.view.clone(), &desk);
        Self { _station: station, _token: token, router, orders }
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        ask(&self.router, method, path, headers, body).await
    }

    async fn order(&self, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {GOOD}");
        self.ask(Method::POST, path, &[("authorization", bearer.as_str())], body).await
    }
}

async fn ask(router: &Router, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    Answer { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
}

const ADDRESSES: [&str; 7] = [
    "/api/admin/rescan",
    "/api/admin/quarantine",
    "/api/admin/channels/night/skip",
    "/api/admin/channels/night/rescan",
    "/api/admin/channels/night/requeue",
    "/api/admin/channels/night/off",
    "/api/admin/channels/night/on",
];

/// Goal: a station without a token does not tell that there could be one. Method: every address and method, compared whole
/// with an address that was never there.
#[tokio::test]
async fn without_a_token_there_is_nothing() {
    let router = router(Station::new().view);
    for path in ADDRESSES {
        for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"] {
            for headers in [&[][..], &[("authorization", "Bearer correct-horse-battery")], &[("accept", "text/html")]] {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let here = ask(&router, method.clone(), path, headers, "").await;
                let nowhere = ask(&router, method.clone(), "/api/nothing/at/all", headers, "").await;
                assert_eq!((here.status, &here.headers), (nowhere.status, &nowhere.headers), "{method} {path}");
                assert_eq!(here.text(), nowhere.text(), "{method} {path}");
            }
        }
    }
}

/// Goal: only the one header with the one token opens, and nothing is told to others. Method: everything else, on each
/// address; each station hears few enough of them.
#[tokio::test]
async fn only_the_token_in_its_header_opens() {
    for path in ADDRESSES {
        let open = Open::new();
        let cases: [(&str, &[(&str, &str)]); 7] = [
            ("nothing", &[]),
            ("another token", &[("authorization", "Bearer correct-horse-batterx")]),
            ("the beginning", &[("authorization", "Bearer correct-horse-batter")]),
            ("another scheme", &[("authorization", "Basic correct-horse-battery")]),
            ("a cookie", &[("cookie", "token=correct-horse-battery")]),
            ("twice", &[("authorization", "Bearer correct-horse-battery"), ("authorization", "Bearer x")]),
            ("with blanks", &[("authorization", "Bearer correct horse battery")]),
        ];
        for (sentence, headers) in cases {
            let got = open.ask(Method::POST, &format!("{path}?token={GOOD}"), headers, "").await;
            assert_eq!(got.status, 401, "{sentence}: {path}");
            assert_eq!(got.header("www-authenticate"), "Bearer realm=\"nightcast admin\"", "{sentence}");
            assert_eq!(got.header("cache-control"), "no-store", "{sentence}");
        }
        assert!(open.orders.lock().unwrap().is_empty(), "{path}");
    }
    assert!(Token::new("correct horse battery").is_err(), "a token with blanks is none");
}

/// Goal: guessing is slow, and never in the way of the operator. Method: wrong tokens beyond the budget, then the right one.
#[tokio::test]
async fn wrong_tokens_are_told_to_wait_and_the_right_one_is_not() {
    let open = Open::new();
    let wrong = [("authorization", "Bearer correct-horse-batterx")];
    for _ in 0..WRONG_MAX {
        assert_eq!(open.ask(Method::GET, "/api/admin/quarantine", &wrong, "").await.status, 401);
    }
    let late = open.ask(Method::GET, "/api/admin/quarantine", &wrong, "").await;
    assert_eq!(late.status, 429);
    assert!((1..=60).contains(&late.header("retry-after").parse::<u64>().unwrap()), "{}", late.header("retry-after"));
    assert_eq!(open.order("/api/admin/rescan", "").await.status, 200);
    assert_eq!(open.ask(Method::GET, "/api/admin/quarantine", &wrong, "").await.status, 429);
}

/// Goal: pages of other sites can do nothing here. Method: the preflight that a browser sends before such a request, and a
/// request with an origin.
#[tokio::test]
async fn other_sites_are_not_let_in() {
    let open = Open::new();
    let ask = [
        ("origin", "https://elsewhere.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization"),
    ];
    for path in ADDRESSES {
        let preflight = open.ask(Method::OPTIONS, path, &ask, "").await;
        let cors = preflight.headers.keys().filter(|name| name.as_str().starts_with("access-control"));
        assert_eq!(cors.count(), 0, "{path}");
        assert!(!preflight.status.is_success(), "{path}");
    }
}

/// Goal: each order arrives as it was meant, and a refusal says why. Method: all of them, by address.
#[tokio::test]
async fn orders_arrive_and_refusals_are_sentences() {
    let open = Open::new();
    let night = || ChannelId::new("night").unwrap();
    for (path, body, status, action) in [
        ("/api/admin/rescan", "", 200, Some(Action::Rescan(None))),
        ("/api/admin/channels/night/rescan", "", 200, Some(Action::Rescan(Some(night())))),
        ("/api/admin/channels/night/skip", "", 200, Some(Action::Skip(night()))),
        ("/api/admin/channels/night/off", "", 409, Some(Action::Off(night()))),
        ("/api/admin/channels/night/on", "", 200, Some(Action::On(night()))),
        ("/api/admin/channels/nobody/on", "", 404, Some(Action::On(ChannelId::new("nobody").unwrap()))),
        ("/api/admin/channels/..%2f/on", "", 404, None),
        ("/api/admin/channels/night/requeue", r#"{"all": true}"#, 200, Some(Action::Requeue(night(), Which::All))),
        (
            "/api/admin/channels/night/requeue",
            r#"{"file": "none.mp4"}"#,
            404,
            Some(Action::Requeue(night(), Which::File("none.mp4".to_owned()))),
        ),
        ("/api/admin/channels/night/requeue", "all", 400, None),
        ("/api/admin/channels/night/requeue", &format!("{{\"file\": \"{}\"}}", "a".repeat(20_000)), 413, None),
        ("/api/admin/quarantine", "", 405, None),
        ("/api/admin/nothing", "", 405, None),
    ] {
        let got = open.order(path, body).await;
        assert_eq!(got.status.as_u16(), status, "{path} {}", got.text());
        if status >= 400 && path != "/api/admin/nothing" {
            let told = got.json()["error"].as_str().unwrap_or_default().to_owned();
            assert!(told.ends_with('.'), "{path}: {told}");
        }
        assert_eq!(got.header("cache-control"), "no-store", "{path}");
        assert_eq!(open.orders.lock().unwrap().pop(), action, "{path}");
    }
    let bearer = format!("Bearer {GOOD}");
    let told = open.ask(Method::GET, "/api/admin/quarantine", &[("authorization", bearer.as_str())], "").await;
    assert_eq!((told.status.as_u16(), told.json()), (200, json!({ "done": true })));
    let changed =
        open.ask(Method::GET, "/api/admin/channels/night/off", &[("authorization", bearer.as_str())], "").await;
    assert_eq!(changed.status, 405, "reading an address changes nothing");
}

/// Goal: with a desk, everything else still only reads. Method: POST with the token to the public addresses.
#[tokio::test]
async fn a_desk_opens_nothing_else() {
    let open = Open::new();
    for path in ["/", "/channels/night/index.m3u8", "/api/channels/night", "/nothing", "/api/admin", "/assets/watch.js"]
    {
        assert_eq!(open.order(path, "").await.status, 405, "{path}");
    }
    let bearer = format!("Bearer {GOOD}");
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let got = open.ask(method.clone(), "/api/admin/rescan", &[("authorization", bearer.as_str())], "").await;
        assert_eq!(got.status, 405, "{method}");
    }
}
