//! The promises of the ledger as laws over random lives with random stores: some lose what they are given, some take it and
//! do not say so, some stand still for minutes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::hls::ladder::Offer;
use crate::hls::{Segment, Timeline};

const START: i64 = 1_795_000_000;

/// What the store does with one put.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    Takes,
    /// It is there, and the answer was lost.
    TakesSilently,
    Refuses,
}

/// One segment of a life: its length in ticks, what the store does with the puts that follow it, whether it is tidied.
type Step = (i64, Vec<Deed>, bool);

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![6 => Just(Deed::Takes), 1 => Just(Deed::TakesSilently), 1 => Just(Deed::Refuses)]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let deeds =
        prop_oneof![6 => Just(Vec::new()), 3 => prop::collection::vec(deed(), 1..8), 1 => Just(vec![Deed::Refuses])];
    prop::collection::vec((90_000..=SEGMENT_MAX.0, deeds, any::<bool>()), 1..60)
}

/// A store, and what viewers find in it.
#[derive(Default)]
struct Store {
    objects: BTreeMap<String, Bytes>,
}

impl Store {
    /// Fails where a playlist names what is not there.
    fn holds_what_it_names(&self) -> Result<(), TestCaseError> {
        for (name, text) in &self.objects {
            let Some(folder) = name.strip_suffix("index.m3u8") else { continue };
            let text = std::str::from_utf8(text).unwrap();
            for address in text.lines().filter(|line| !line.starts_with('#')) {
                let named = format!("{folder}{address}");
                prop_assert!(self.objects.contains_key(&named), "{name} names {named}, which is not there");
            }
        }
        Ok(())
    }
}

/// A channel, its ledger, and a store.
struct Ground {
    timeline: Timeline,
    ledger: Ledger,
    store: Store,
    now: Timestamp,
    /// Until when each segment is promised that a playlist at the store named.
    promised: BTreeMap<Name, Timestamp>,
    /// The longest playlist that the store took.
    longest: MediaTime,
}

impl Ground {
    fn new(renditions: &[&str]) -> Self {
        let start = Timestamp::from_second(START).unwrap();
        let offer = |name: &&str| Offer { name: Arc::from(*name), bits_max: 1_000_000, audio_only: false };
        let offers: Vec<Offer> = renditions.iter().map(offer).collect();
        let timeline = Timeline::new(Msn(1000), 0, start).with_renditions(&offers);
        Self {
            timeline,
            ledger: Ledger::default(),
            store: Store::default(),
            now: start,
            promised: BTreeMap::new(),
            longest: MediaTime::ZERO,
        }
    }

    /// Airs a segment.
    fn air(&mut self, ticks: i64, renditions: usize) {
        let duration = MediaTime(ticks);
        self.now = self.now.max(duration.after(self.timeline.edge()));
        let renditions = vec![Bytes::from_static(b"segment"); renditions];
        let (airing, first_of_airing, discontinuity, new_run) = (1, false, false, false);
        let segment = Segment { renditions, duration, airing, first_of_airing, discontinuity, new_run };
        self.timeline.publish(segment, None, self.now);
    }

    /// Puts one object as the store will have it; returns whether it said that it took it.
    fn put(&mut self, name: &Name, bytes: Bytes, deed: Deed) -> Result<bool, TestCaseError> {
        if deed != Deed::Refuses {
            self.store.objects.insert(name.to_string(), bytes);
        }
        self.store.holds_what_it_names()?;
        Ok(deed == Deed::Takes)
    }

    /// Does one round as the task does; the deeds are used in turn, and for ever where there are some.
    fn round(&mut self, deeds: &[Deed]) -> Result<(), TestCaseError> {
        let snapshot = self.timeline.snapshot();
        let mut turn = 0;
        let mut next = || {
            turn += 1;
            if deeds.is_empty() { Deed::Takes } else { deeds[(turn - 1) % deeds.len()] }
        };
        for name in self.ledger.missing(&snapshot) {
            let duration = name.segment.map_or(MediaTime::ZERO, |msn| snapshot.segments[&msn].duration);
            self.ledger.tried(&name, duration);
            if !self.put(&name, Bytes::from_static(b"segment"), next())? {
                self.ledger.failed(&snapshot, self.now);
                return Ok(());
            }
            self.ledger.stored(&name);
        }
        let playlists = self.ledger.playlists(&snapshot, self.now);
        let any = !playlists.is_empty();
        for (name, text) in playlists {
            self.ledger.playlist_tried(&name);
            if !self.put(&name, text.clone(), next())? {
                self.ledger.failed(&snapshot, self.now);
                return Ok(());
            }
            self.ledger.playlist_stored(&name, text, self.now);
        }
        if any {
            self.ledger.published(&snapshot, self.now);
            self.longest = self.longest.max(listed(&snapshot).map(|(_, duration)| duration).sum());
            for (msn, duration) in listed(&snapshot) {
                let until = (duration + self.longest).after(self.now);
                self.promised.extend(segments(&snapshot, msn).map(|name| (name, until)));
            }
        }
        Ok(())
    }

    fn tidy(&mut self) -> Result<(), TestCaseError> {
        for name in self.ledger.expired(self.now, 1000) {
            let until = self.promised.get(&name);
            prop_assert!(
                until.is_none_or(|until| self.now >= *until),
                "{name} is deleted and promised until {until:?}"
            );
            self.store.objects.remove(&name.to_string());
            self.ledger.deleted(&name);
        }
        self.store.holds_what_it_names()
    }

    fn addresses(&self) -> BTreeSet<String> {
        self.store.objects.keys().cloned().collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the store does, a playlist in it names only what is there, after each single put and deletion; and what
    /// it named stays for as long as RFC 8216 §6.2.2 promises.
    #[test]
    fn a_playlist_at_the_store_never_names_what_is_not_there(steps in steps(), several in any::<bool>()) {
        let renditions: &[&str] = if several { &["720p", "360p"] } else { &[] };
        let mut ground = Ground::new(renditions);
        for (ticks, deeds, tidies) in &steps {
            ground.air(*ticks, renditions.len().max(1));
            ground.round(deeds)?;
            if *tidies {
                ground.tidy()?;
            }
        }
    }

    /// When the store is well again for a while, it holds the window and what left it lately, and nothing else.
    #[test]
    fn a_store_that_is_well_holds_what_is_promised_and_little_more(steps in steps(), several in any::<bool>()) {
        let renditions: &[&str] = if several { &["720p", "360p"] } else { &[] };
        let mut ground = Ground::new(renditions);
        for (ticks, deeds, _) in &steps {
            ground.air(*ticks, renditions.len().max(1));
            ground.round(deeds)?;
        }
        let well = UNNAMED_MAX.as_secs() / 2 + 60;
        for _ in 0..well {
            ground.air(180_000, renditions.len().max(1));
            ground.round(&[])?;
            ground.tidy()?;
        }
        let snapshot = ground.timeline.snapshot();
        let held = ground.addresses();
        prop_assert!(ground.ledger.missing(&snapshot).is_empty());
        // What left a window of long segments goes with the next tidying.
        let most = (snapshot.segments.len() + 20) * renditions.len().max(1) + 3;
        prop_assert!(held.len() <= most, "{} objects, {most} expected at most", held.len());
        prop_assert_eq!(held.len(), ground.ledger.len());
    }

    /// A store that takes segments and never a playlist does not make the ledger grow for ever.
    #[test]
    fn a_store_without_playlists_is_bounded(length in 400_usize..700) {
        let mut ground = Ground::new(&[]);
        for _ in 0..length {
            ground.air(180_000, 1);
            let snapshot = ground.timeline.snapshot();
            for name in ground.ledger.missing(&snapshot) {
                ground.ledger.tried(&name, MediaTime::from_secs(2));
                ground.ledger.stored(&name);
            }
            ground.ledger.failed(&snapshot, ground.now);
            ground.tidy()?;
        }
        let most = usize::try_from(UNNAMED_MAX.as_secs() / 2).unwrap() + snapshot_len(&ground);
        prop_assert!(ground.ledger.len() <= most, "{} held", ground.ledger.len());
    }
}

fn snapshot_len(ground: &Ground) -> usize {
    ground.timeline.snapshot().segments.len() + 2
}

/// Goal: what an earlier life left goes, but not before viewers who hold its playlist have let go of it. Method: objects are
/// found before the first playlist is put; one of them is in the new window.
#[test]
fn what_an_earlier_life_left_goes_after_the_first_playlist() {
    let mut ground = Ground::new(&[]);
    for number in [900, 901, 1000] {
        ground.ledger.found(Name::segment(None, Msn(number)));
    }
    ground.ledger.found(Name::playlist(Some(&Arc::from("720p"))));
    ground.ledger.found(Name::playlist(None));
    let expired = |ground: &Ground, secs| -> Vec<String> {
        let at = ground.now + SignedDuration::from_secs(secs);
        ground.ledger.expired(at, 1000).iter().map(ToString::to_string).collect()
    };
    ground.air(180_000, 1);
    assert_eq!(expired(&ground, 3600), Vec::<String>::new(), "the playlist of the earlier life still stands");
    ground.round(&[]).unwrap();
    assert_eq!(expired(&ground, 1), Vec::<String>::new());
    assert_eq!(expired(&ground, 60), ["segments/900.ts", "segments/901.ts", "720p/index.m3u8"]);
    assert_eq!(ground.ledger.expired(ground.now + SignedDuration::from_secs(60), 2).len(), 2, "no more than asked for");
}

/// Goal: a store is written to only where something differs. Method: rounds without news, and the playlist of renditions,
/// whose figures change with each segment.
#[test]
fn what_is_there_is_not_put_again() {
    let mut ground = Ground::new(&["720p", "360p"]);
    ground.air(180_000, 2);
    let snapshot = ground.timeline.snapshot();
    let names = |playlists: Vec<(Name, Bytes)>| playlists.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(ground.ledger.playlists(&snapshot, ground.now)), Vec::<String>::new(), "segments come first");
    let missing: Vec<_> = ground.ledger.missing(&snapshot).iter().map(ToString::to_string).collect();
    assert_eq!(missing, ["720p/segments/1000.ts", "360p/segments/1000.ts"]);
    ground.round(&[]).unwrap();
    assert!(ground.ledger.missing(&snapshot).is_empty() && ground.ledger.playlists(&snapshot, ground.now).is_empty());
    ground.air(270_000, 2);
    let wanted = |ground: &mut Ground| {
        let snapshot = ground.timeline.snapshot();
        for name in ground.ledger.missing(&snapshot) {
            ground.ledger.tried(&name, MediaTime::from_secs(2));
            ground.ledger.stored(&name);
        }
        names(ground.ledger.playlists(&snapshot, ground.now))
    };
    assert_eq!(wanted(&mut ground), ["720p/index.m3u8", "360p/index.m3u8"], "its figures can wait");
    ground.now += FIGURES_EVERY;
    assert_eq!(wanted(&mut ground), ["720p/index.m3u8", "360p/index.m3u8", "index.m3u8"]);
}

/// Goal: being behind is told from a channel that began anew with other numbers. Method: both, and a gapless round.
#[test]
fn segments_left_out_are_noticed() {
    for (sentence, silent, aired, skipped) in
        [("in step", 0, 1, false), ("a short outage", 0, 4, false), ("a long one", 60, 40, true)]
    {
        let mut ground = Ground::new(&[]);
        (0..12).for_each(|_| ground.air(180_000, 1));
        ground.round(&[]).unwrap();
        ground.now += SignedDuration::from_secs(silent);
        (0..aired).for_each(|_| ground.air(180_000, 1));
        let snapshot = ground.timeline.snapshot();
        let progress = ground.ledger.published(&snapshot, ground.now).unwrap();
        assert_eq!(progress, Progress { newest: snapshot.newest.unwrap(), skipped }, "{sentence}");
    }
}
