//! What a station kept of itself: after a crash, a full disk or an older version it may be anything.

use std::sync::Arc;

use jiff::Timestamp;
use nightcast::channel::keep;
use nightcast::config::Order;
use nightcast::prepare::MezzanineId;
use nightcast::prepare::sidecar::Sidecar;
use nightcast::schedule::{Candidate, Plan, Programme, Role};
use nightcast::store::StoredPlan;
use nightcast::units::{ContentKey, MediaTime};
use serde_json::Value;

/// A mezzanine's sidecar: what is believed fits the file, and can be played.
pub(super) fn mezzanine(data: &[u8]) {
    let id = MezzanineId { key: ContentKey("k".into()), profile: "p".into() };
    let told = serde_json::from_slice::<Value>(data).unwrap_or_default();
    let lengths = told["gops"].as_array().into_iter().flatten().filter_map(|gop| gop[0].as_u64());
    let file_len = lengths.fold(0, u64::saturating_add);
    let Some(known) = Sidecar::read(data, &id, "/cache/k-p.ts".into(), file_len) else { return };
    let mezzanine = known.mezzanine;
    let mut end = 0;
    for gop in mezzanine.gops.iter() {
        assert!(gop.offset == end && gop.len > 0 && gop.duration > MediaTime::ZERO, "{gop:?}");
        end += u64::from(gop.len);
    }
    assert_eq!(end, file_len);
    let first = mezzanine.gops.first().expect("a mezzanine has a GOP");
    assert!(mezzanine.tables_len <= first.len, "the tables stand within the first GOP");
    assert!(mezzanine.duration() >= first.duration && mezzanine.complete);
}

/// A stored plan, as JSON `{"next": 1, "picker": {…}, "programmes": [[serial, key, start in ns, ticks], …]}`: a channel
/// that finds it goes on with a plan without a hole.
pub(super) fn plan(data: &[u8]) {
    let Ok(mut told) = serde_json::from_slice::<Value>(data) else { return };
    let programmes = told["programmes"].as_array().into_iter().flatten().take(64).filter_map(programme).collect();
    let next_serial = told["next"].as_u64().unwrap_or(1);
    let picker = told.get_mut("picker").map(Value::take).unwrap_or_default();
    let Some(plan) = keep::plan_of(StoredPlan { programmes, next_serial, picker }) else { return };
    joined(&plan);
    let library: Vec<_> = ["a", "b", "c"].map(candidate).into();
    let now = Timestamp::from_second(1_800_000_000).expect("in range");
    for order in [Order::Shuffle, Order::Sequential, Order::Random { spacing: 2 }] {
        let mut plan = plan.clone();
        let offset = plan.catch_up(&order, &library, now);
        assert!(offset.is_some_and(|offset| offset >= MediaTime::ZERO));
        joined(&plan);
        let first = &plan.programmes()[0];
        assert!(first.start <= now && now < first.end(), "{} to {}, {now}", first.start, first.end());
        plan.library_changed(&order, &library[1..], 2, now);
        let ended = plan.pop_front().map_or(now, |first| first.end());
        plan.extend(&order, &library, ended);
        joined(&plan);
    }
}

fn programme(told: &Value) -> Option<Programme> {
    Some(Programme {
        serial: told[0].as_u64()?,
        key: ContentKey(told[1].as_str()?.into()),
        name: told[1].as_str()?.into(),
        metadata: Arc::default(),
        start: Timestamp::from_nanosecond(told[2].as_i64()?.into()).ok()?,
        duration: MediaTime(told[3].as_i64()?),
        role: Role::default(),
    })
}

fn candidate(name: &str) -> Candidate {
    let duration = MediaTime::from_secs(600);
    Candidate { key: ContentKey(name.into()), name: name.into(), duration, metadata: Arc::default() }
}

/// Fails where programmes leave a hole, overlap, last nothing or share a serial.
fn joined(plan: &Plan) {
    let programmes: Vec<_> = plan.programmes().iter().collect();
    for pair in programmes.windows(2) {
        assert_eq!(pair[0].end(), pair[1].start);
    }
    assert!(programmes.iter().all(|programme| programme.duration > MediaTime::ZERO));
    let serials: std::collections::BTreeSet<_> = programmes.iter().map(|programme| programme.serial).collect();
    assert_eq!(serials.len(), programmes.len(), "a serial names one airing");
    assert!(serials.last().is_none_or(|last| *last < plan.next_serial()));
}
