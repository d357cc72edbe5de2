//! Which mezzanines to keep: what airs soonest. Pure.

use jiff::Timestamp;

use super::mezzanine::MezzanineId;

/// One mezzanine in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which.
    pub id: MezzanineId,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was last wanted or made.
    pub used: Timestamp,
    /// When it airs next, where that is known.
    pub due: Option<Timestamp>,
    /// Whether it is on air or about to be: never evicted.
    pub pinned: bool,
}

/// Returns what to remove so that `needed` more bytes fit into `budget`, first to go first: what nobody wants by its age,
/// then what airs latest. May free less than asked for, when everything else is pinned.
#[must_use]
pub fn evict(kept: &[Kept], budget: u64, needed: u64) -> Vec<MezzanineId> {
    let mut total = kept.iter().fold(needed, |sum, one| sum.saturating_add(one.bytes));
    let mut order: Vec<&Kept> = kept.iter().filter(|one| !one.pinned).collect();
    // No due time stands before the farthest one, and there age decides; ids make the order certain.
    order.sort_by(|a, b| {
        let due = |one: &Kept| one.due.map_or(Timestamp::MAX, |due| due);
        due(b).cmp(&due(a)).then(a.used.cmp(&b.used)).then_with(|| a.id.cmp(&b.id))
    });
    let mut evicted = Vec::new();
    for one in order {
        if total <= budget {
            break;
        }
        total -= one.bytes.min(total);
        evicted.push(one.id.clone());
    }
    evicted
}

/// Whether an item that is due at `due` and will take about `bytes` is worth making now: not if only something that airs
/// sooner could be removed for it, for then the two would take turns in removing each other.
#[must_use]
pub fn worth_making(kept: &[Kept], budget: u64, bytes: u64, due: Timestamp) -> bool {
    let stays = |one: &&Kept| one.pinned || one.due.is_some_and(|other| other <= due);
    let staying = kept.iter().filter(stays).fold(bytes, |sum, one| sum.saturating_add(one.bytes));
    staying <= budget
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::ContentKey;

    fn kept(name: &str, bytes: u64, used: i64, due: Option<i64>, pinned: bool) -> Kept {
        let at = |secs| Timestamp::from_second(secs).unwrap();
        let id = MezzanineId { key: ContentKey(name.into()), profile: "p".into() };
        Kept { id, bytes, used: at(used), due: due.map(at), pinned }
    }

    fn names(ids: &[MezzanineId]) -> String {
        ids.iter().map(|id| &*id.key.0).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_airs_latest_goes_first_and_what_nobody_wants_before_it() {
        let cache = [
            kept("soon", 10, 1, Some(100), false),
            kept("later", 10, 1, Some(900), false),
            kept("old", 10, 1, None, false),
            kept("older", 10, 0, None, false),
            kept("onair", 10, 0, None, true),
        ];
        for (budget, needed, expected) in [
            (50, 0, ""),
            (49, 0, "older"),
            (50, 11, "older old"),
            (25, 0, "older old later"),
            (0, 0, "older old later soon"),
        ] {
            assert_eq!(names(&evict(&cache, budget, needed)), expected, "{budget} {needed}");
        }
    }

    #[test]
    fn nothing_is_made_that_would_push_out_what_airs_sooner() {
        let cache = [kept("soon", 60, 1, Some(100), false), kept("late", 30, 1, Some(900), false)];
        let at = |secs| Timestamp::from_second(secs).unwrap();
        assert!(worth_making(&cache, 100, 30, at(500)), "the late one makes room");
        assert!(!worth_making(&cache, 100, 50, at(500)), "the soon one does not");
        assert!(worth_making(&cache, 100, 100, at(50)), "what airs first of all always fits");
    }

    fn caches() -> impl Strategy<Value = Vec<Kept>> {
        let one = (0_u64..100, 0_i64..50, prop::option::of(0_i64..50), any::<bool>());
        prop::collection::vec(one, 0..20).prop_map(|all| {
            let name = |(n, (bytes, used, due, pinned)): (usize, _)| kept(&format!("i{n}"), bytes, used, due, pinned);
            all.into_iter().enumerate().map(name).collect()
        })
    }

    fn total<'k>(kept: impl IntoIterator<Item = &'k Kept>) -> u64 {
        kept.into_iter().map(|one| one.bytes).sum()
    }

    proptest! {
        #[test]
        fn nothing_is_evicted_that_need_not_be(cache in caches(), budget in 0_u64..800, needed in 0_u64..200) {
            let evicted = evict(&cache, budget, needed);
            let all_but_last = &evicted[..evicted.len().saturating_sub(1)];
            let left = cache.iter().filter(|one| !all_but_last.contains(&one.id));
            prop_assert!(evicted.is_empty() || total(left) + needed > budget, "the last of them had to go, too");
        }

        #[test]
        fn the_soonest_due_stays_longest_and_of_what_nobody_wants_the_newest(
            cache in caches(), budget in 0_u64..800, needed in 0_u64..200,
        ) {
            let evicted = evict(&cache, budget, needed);
            let (gone, left): (Vec<&Kept>, Vec<&Kept>) = cache.iter().partition(|one| evicted.contains(&one.id));
            for gone in gone {
                for stays in left.iter().filter(|one| !one.pinned) {
                    match (gone.due, stays.due) {
                        (Some(gone), Some(stays)) => prop_assert!(stays <= gone, "what airs later goes first"),
                        (None, None) => prop_assert!(gone.used <= stays.used, "what is older goes first"),
                        (due, _) => prop_assert!(due.is_none(), "what nobody wants goes before what airs"),
                    }
                }
            }
        }

        #[test]
        fn what_is_worth_making_fits_and_pushes_out_nothing_that_airs_sooner(
            cache in caches(), budget in 0_u64..800, bytes in 0_u64..200, due in 0_i64..50,
        ) {
            let due = Timestamp::from_second(due).unwrap();
            prop_assume!(worth_making(&cache, budget, bytes, due));
            let evicted = evict(&cache, budget, bytes);
            let (gone, left): (Vec<&Kept>, Vec<&Kept>) = cache.iter().partition(|one| evicted.contains(&one.id));
            prop_assert!(total(left) + bytes <= budget, "the budget holds with the new one");
            prop_assert!(gone.iter().all(|one| one.due.is_none_or(|other| other >= due)), "no two take turns");
        }

        #[test]
        fn the_order_in_which_the_cache_is_listed_decides_nothing(
            (cache, shuffled) in caches().prop_flat_map(|cache| (Just(cache.clone()), Just(cache).prop_shuffle())),
            budget in 0_u64..800,
        ) {
            prop_assert_eq!(evict(&cache, budget, 0), evict(&shuffled, budget, 0));
        }

        #[test]
        fn the_pinned_stay_and_the_budget_holds_if_it_can(
            sizes in prop::collection::vec((0_u64..100, 0_i64..50, prop::option::of(0_i64..50), any::<bool>()), 0..20),
            budget in 0_u64..800,
        ) {
            let cache: Vec<Kept> =
                sizes.iter().enumerate().map(|(n, (b, u, d, p))| kept(&format!("i{n}"), *b, *u, *d, *p)).collect();
            let evicted = evict(&cache, budget, 0);
            let left: Vec<&Kept> = cache.iter().filter(|one| !evicted.contains(&one.id)).collect();
            let total: u64 = left.iter().map(|one| one.bytes).sum();
            prop_assert!(cache.iter().filter(|one| one.pinned).all(|one| !evicted.contains(&one.id)));
            prop_assert!(total <= budget || left.iter().all(|one| one.pinned));
            for gone in cache.iter().filter(|one| evicted.contains(&one.id)) {
                for stays in left.iter().filter(|one| !one.pinned) {
                    prop_assert!(stays.due.is_some() || gone.due.is_none(), "what airs stays before what does not");
                }
            }
        }
    }
}
