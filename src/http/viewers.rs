//! Who watches a channel, without knowing who: how many they are, and what they were sent.
//!
//! A viewer is seen by asking for the playlist. What is kept of that is a number made of address and browser with a key
//! that is drawn when the server starts, and the second; nothing of it can be turned back into an address.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

use axum::http::{HeaderMap, HeaderValue, header};
use tokio::time::Instant;

/// For how long somebody who asked for the playlist is a viewer: three target durations.
pub const SEEN_SECS: u64 = 3 * crate::hls::TARGET_DURATION_SECS.unsigned_abs();

/// How many places a table has; more tables are added when one is full.
const TABLE_LEN: usize = 1024;

/// How many tables there are at the most: beyond sixteen thousand viewers some are not counted.
const TABLES_MAX: usize = 16;

/// How many places of a table are looked at for one viewer.
const LOOKS: usize = 8;

/// The part of a place that tells the second; the rest tells who.
const SECOND: u64 = (1 << 20) - 1;

/// Made when the first viewer comes; nobody outside this process can make the same numbers.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The seconds are counted from here.
#[expect(clippy::disallowed_methods, reason = "begins the clock by which viewers are counted")]
static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The address a request came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// The viewers of one channel.
#[derive(Debug, Default)]
pub struct Viewers {
    tables: [OnceLock<Box<[AtomicU64]>>; TABLES_MAX],
    live_ts: AtomicU64,
    segments: AtomicU64,
    bytes: AtomicU64,
    /// Segments and their bytes.
    on_demand: [AtomicU64; 2],
}

impl Viewers {
    /// Takes note that somebody asked for the playlist.
    pub(super) fn asked(&self, peer: Option<Peer>, headers: &HeaderMap) {
        let forwarded = headers.get("x-forwarded-for").map(HeaderValue::as_bytes);
        let browser = headers.get(header::USER_AGENT).map(HeaderValue::as_bytes);
        self.asked_by(peer.map(|peer| peer.0), forwarded, browser);
    }

    /// The same of somebody with this address, as a proxy tells it, and this browser.
    pub(super) fn asked_by(&self, peer: Option<IpAddr>, forwarded: Option<&[u8]>, browser: Option<&[u8]>) {
        self.seen(KEY.hash_one((peer, forwarded, browser)), second());
    }

    /// Puts a viewer in their place, or in the first one that is free.
    fn seen(&self, who: u64, second: u64) {
        // Never nought, which is an empty place.
        let who = (who | 1 << 63) & !SECOND;
        let begin = (who >> 20) as usize;
        let mut free = None;
        for table in &self.tables {
            let is_new = table.get().is_none();
            if is_new && free.is_some() {
                break;
            }
            let places = table.get_or_init(|| (0..TABLE_LEN).map(|_| AtomicU64::new(0)).collect());
            for look in 0..LOOKS {
                let place = &places[(begin + look) % TABLE_LEN];
                let holds = place.load(Ordering::Relaxed);
                if holds & !SECOND == who {
                    place.store(who | second, Ordering::Relaxed);
                    return;
                }
                if free.is_none() && !is_present(holds, second) {
                    free = Some(place);
                }
            }
        }
        if let Some(place) = free {
            place.store(who | second, Ordering::Relaxed);
        }
    }

    fn count(&self, second: u64) -> u64 {
        let places = self.tables.iter().filter_map(OnceLock::get).flatten();
        places.filter(|place| is_present(place.load(Ordering::Relaxed), second)).count() as u64
    }

    /// Returns how many watch now, those with an open live.ts among them.
    #[must_use]
    pub fn watching(&self) -> u64 {
        self.count(second()) + self.live_ts()
    }

    /// Returns how many have an open live.ts.
    #[must_use]
    pub fn live_ts(&self) -> u64 {
        self.live_ts.load(Ordering::Relaxed)
    }

    /// Takes note that somebody opened live.ts; they watch until what is returned is dropped.
    pub(super) fn opened(self: &Arc<Self>) -> Watching {
        self.live_ts.fetch_add(1, Ordering::Relaxed);
        Watching(Arc::clone(self))
    }

    /// Counts a segment, or a part of one, that is sent.
    pub(super) fn sent(&self, bytes: usize) {
        self.segments.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts a segment, or a part of one, that is sent to somebody who watches on demand.
    pub(super) fn sent_on_demand(&self, bytes: usize) {
        let [segments, sum] = &self.on_demand;
        segments.fetch_add(1, Ordering::Relaxed);
        sum.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Returns how many segments were sent to those who watch on demand, and how many bytes of them.
    #[must_use]
    pub fn sums_on_demand(&self) -> [u64; 2] {
        self.on_demand.each_ref().map(|sum| sum.load(Ordering::Relaxed))
    }

    /// Returns how many segments were sent, and how many bytes of them.
    #[must_use]
    pub fn sums(&self) -> (u64, u64) {
        (self.segments.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

/// Somebody with an open live.ts.
#[derive(Debug)]
pub(super) struct Watching(pub(super) Arc<Viewers>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.live_ts.fetch_sub(1, Ordering::Relaxed);
    }
}

fn second() -> u64 {
    BEGIN.elapsed().as_secs() & SECOND
}

/// Whether a place holds somebody who was seen lately.
fn is_present(holds: u64, second: u64) -> bool {
    holds != 0 && second.wrapping_sub(holds & SECOND) & SECOND <= SEEN_SECS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn who(n: u64) -> u64 {
        RandomState::new().hash_one(n)
    }

    #[test]
    fn a_viewer_counts_once_and_for_three_target_durations() {
        let viewers = Viewers::default();
        let (anna, ben) = (who(1), who(2));
        viewers.seen(anna, 100);
        viewers.seen(anna, 102);
        viewers.seen(ben, 102);
        assert_eq!(viewers.count(102), 2);
        viewers.seen(anna, 110);
        assert_eq!([viewers.count(120), viewers.count(121), viewers.count(129)], [2, 1, 0]);
        viewers.seen(anna, SECOND);
        assert_eq!(viewers.count(3), 1, "the seconds begin again after twelve days");
    }

    #[test]
    fn address_and_browser_make_a_viewer() {
        let viewers = Viewers::default();
        let home = |last| Some(Peer(IpAddr::from([192, 0, 2, last])));
        let browser = |name: &str| HeaderMap::from_iter([(header::USER_AGENT, name.parse().unwrap())]);
        for (peer, headers) in [
            (home(1), browser("a")),
            (home(1), browser("a")),
            (home(1), browser("b")),
            (home(2), browser("a")),
            (None, HeaderMap::new()),
        ] {
            viewers.asked(peer, &headers);
        }
        let _watching = Arc::new(Viewers::default()).opened();
        assert_eq!(viewers.watching(), 4);
    }

    #[test]
    fn live_ts_counts_while_it_is_open() {
        let viewers = Arc::<Viewers>::default();
        let watching = viewers.opened();
        watching.0.sent(1000);
        assert_eq!((viewers.watching(), viewers.live_ts(), viewers.sums()), (1, 1, (1, 1000)));
        drop(watching);
        assert_eq!((viewers.watching(), viewers.sums()), (0, (1, 1000)));
    }

    #[test]
    fn a_crowd_beyond_the_tables_is_counted_as_far_as_there_is_room() {
        let viewers = Viewers::default();
        let key = RandomState::new();
        (0..40_000_u64).for_each(|n| viewers.seen(key.hash_one(n), 5));
        let most = (TABLE_LEN * TABLES_MAX) as u64;
        assert!((most * 9 / 10..=most).contains(&viewers.count(5)), "{}", viewers.count(5));
        viewers.seen(who(1), 100);
        assert_eq!(viewers.count(100), 1, "their places are free again");
    }

    proptest! {
        /// Up to a thousand viewers in any order: each is counted, and none twice.
        #[test]
        fn each_of_a_thousand_is_counted_once(order in prop::collection::vec(0..1000_u64, 1..3000)) {
            let (viewers, key) = (Viewers::default(), RandomState::new());
            for n in &order {
                viewers.seen(key.hash_one(n), 7);
            }
            let distinct = order.iter().collect::<std::collections::BTreeSet<_>>().len() as u64;
            prop_assert_eq!(viewers.count(7), distinct);
        }
    }
}
