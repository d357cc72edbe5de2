//! Keeps what a channel must find again after a restart: its plan, its sequence numbers, what was on.
//!
//! Keeping never makes the air wait: the channel hands over its latest and goes on; a store that cannot keep up skips to
//! the newest.

pub mod task;

use jiff::{SignedDuration, Timestamp};

use super::core::Core;
use crate::schedule::{PickerState, Plan, Programme};
use crate::store::{Continuity, StoredPlan};

/// How many airings may wait to be written. More are dropped, with a warning: history is not worth stopping for.
pub const AIRED_WAITING_MAX: usize = 256;

/// How many airings are remembered while the store takes nothing: three days of half-minute clips.
pub const AIRED_UNWRITTEN_MAX: usize = 10_000;

/// How often sequence numbers are kept, in station time.
pub const CONTINUITY_EVERY: SignedDuration = SignedDuration::from_secs(10);

/// How many media sequence numbers a restart skips beyond the last one kept: more than segments are published between
/// two keepings, at one a second.
pub const MSN_MARGIN: u64 = 64;

/// How long the store has rest between two plans, in station time.
pub const PLAN_REST: SignedDuration = SignedDuration::from_secs(2);

/// How far the plan kept may be from the clock: less than one sees.
const PLAN_TOLERANCE: SignedDuration = SignedDuration::from_millis(200);

/// Returns how often a plan of this many programmes is kept while it is right: writing thousands takes tens of
/// milliseconds.
#[must_use]
pub fn plan_every(programmes: usize) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(programmes / 50).unwrap_or(100).clamp(5, 100))
}

/// How many of the coming programmes the plan kept must have right: what a restart would find on air, and the next hours
/// of an ordinary channel.
const PLAN_LOOK: usize = 8;

/// Whether a restart with the plan that was kept would find the programmes now first where they are. What is kept is dated
/// by a wall clock that is `stepped` later than the plan's time.
#[must_use]
pub fn agrees(kept: Option<&StoredPlan>, plan: &Plan, stepped: SignedDuration) -> bool {
    let Some(kept) = kept else { return plan.programmes().is_empty() };
    let first = plan.programmes().front().map(|first| first.serial);
    let found = kept.programmes.iter().skip_while(|programme| Some(programme.serial) != first);
    let mut pairs = 0;
    let same = plan.programmes().iter().take(PLAN_LOOK).zip(found).all(|(now, kept)| {
        pairs += 1;
        let off = kept.start.duration_since(now.start + stepped).abs();
        kept.serial == now.serial && off < PLAN_TOLERANCE && kept.duration == now.duration
    });
    same && pairs == plan.programmes().len().min(PLAN_LOOK)
}

/// Returns the first sequence number of a channel's new life: above every number it ever used.
///
/// Seconds since the epoch rise faster than segments are made, so they hold even where nothing was kept; what was kept
/// holds where the clock was set back.
#[must_use]
pub fn first_number(kept: Option<u64>, now: Timestamp) -> u64 {
    let epoch = u64::try_from(now.as_second()).unwrap_or(0);
    kept.map_or(epoch, |kept| epoch.max(kept.min(NUMBER_MAX) + MSN_MARGIN))
}

/// The highest number that is believed: players count up to 2⁵³, and no channel gets so far.
const NUMBER_MAX: u64 = 1 << 52;

/// How many discontinuities a restart skips beyond the last one kept: more than come between two keepings.
pub const DISCONTINUITY_MARGIN: u64 = 16;

/// Returns the first discontinuity sequence number of a channel's new life: above every number it ever used, and small.
///
/// hls.js 1.7.4 keeps an array with this number as the index and copies it for each discontinuity: counted from the epoch
/// it held the page's thread for twenty seconds at a time, counted from nought it is nothing. Where nothing was kept the
/// media sequence number jumps so far ahead that no player compares the two lives.
#[must_use]
pub fn first_discontinuity(kept: Option<u64>) -> u64 {
    kept.map_or(0, |kept| kept.min(NUMBER_MAX) + DISCONTINUITY_MARGIN)
}

/// Returns a plan as it was kept, or none where it is not understood (an older or newer version wrote it).
#[must_use]
pub fn plan_of(stored: StoredPlan) -> Option<Plan> {
    let picker: PickerState = serde_json::from_value(stored.picker)
        .inspect_err(|error| tracing::warn!(%error, "the plan that was kept is not understood; a new one is made"))
        .ok()?;
    Some(Plan::restore(stored.programmes.into(), stored.next_serial, picker))
}

/// Returns a channel's plan as it is kept, dated by the wall clock: what was on a moment ago, what is on, what comes.
#[must_use]
pub fn to_store(core: &Core) -> Option<StoredPlan> {
    let plan = core.plan().plan();
    let picker = serde_json::to_value(plan.picker()).ok()?;
    let dated = |mut programme: Programme| {
        programme.start = core.dated(programme.start);
        programme.role.due = programme.role.due.map(|due| core.dated(due));
        programme
    };
    let programmes = core.just_aired().into_iter().chain(plan.programmes().iter().cloned()).map(dated).collect();
    Some(StoredPlan { programmes, next_serial: plan.next_serial(), picker })
}

/// What is kept level-triggered: only the newest matters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    /// The plan, when it changed.
    pub plan: Option<StoredPlan>,
    /// The sequence numbers.
    pub continuity: Option<Continuity>,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::Order;
    use crate::schedule::Candidate;
    use crate::units::{ContentKey, MediaTime};

    #[test]
    fn numbers_never_go_back_whatever_the_clock_does() {
        let now = Timestamp::from_second(1_000).expect("in range");
        assert_eq!(first_number(None, now), 1_000);
        assert_eq!(first_number(Some(100), now), 1_000);
        assert_eq!(first_number(Some(5_000), now), 5_064);
        assert_eq!(first_number(Some(u64::MAX), now), NUMBER_MAX + MSN_MARGIN, "what a damaged store says");
    }

    #[test]
    fn discontinuities_are_counted_from_nought_and_never_go_back() {
        assert_eq!(first_discontinuity(None), 0);
        assert_eq!(first_discontinuity(Some(3)), 19);
        assert_eq!(first_discontinuity(Some(u64::MAX)), NUMBER_MAX + DISCONTINUITY_MARGIN);
    }

    #[test]
    fn a_plan_kept_before_the_library_was_whole_does_not_agree() {
        let item = |name: &str| Candidate {
            key: ContentKey(name.into()),
            name: name.into(),
            duration: MediaTime::from_secs(10),
            metadata: Arc::default(),
        };
        let now = Timestamp::from_second(1_795_000_000).expect("in range");
        let mut plan = Plan::new(1);
        plan.extend(&Order::Sequential, &[item("a")], now);
        let programmes = plan.programmes().iter().cloned().collect();
        let kept = StoredPlan { programmes, next_serial: plan.next_serial(), picker: serde_json::Value::Null };
        assert!(agrees(Some(&kept), &plan, SignedDuration::ZERO));
        assert!(!agrees(Some(&kept), &plan, SignedDuration::from_hours(1)), "the wall clock was set since");
        plan.library_changed(&Order::Sequential, &[item("a"), item("b")], 1, now);
        assert!(!agrees(Some(&kept), &plan, SignedDuration::ZERO), "the first is the same, what comes is not");
        assert!(!agrees(None, &plan, SignedDuration::ZERO));
    }

    #[test]
    fn a_long_plan_is_written_less_often() {
        assert_eq!(plan_every(10).as_secs(), 5);
        assert_eq!(plan_every(5_000).as_secs(), 100);
    }
}
