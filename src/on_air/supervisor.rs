//! When to start the on-air ffmpeg, and when to give it up. Pure.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::units::RunId;

/// The supervisor's patience, in station time (a clock that runs fast makes it longer: the machine does not).
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A chunk is overdue this long after the *next* GOP was fed, which closes it. A seam may need one GOP more while
    /// ffmpeg looks into the new item, so it must be longer than a GOP.
    pub stall: SignedDuration,
    /// The same for a run's first chunk: a program must be loaded first, and on a machine with eight times the work it
    /// can do, that alone takes seconds.
    pub first: SignedDuration,
    /// First wait before another start, doubled with each failure.
    pub back_off_min: SignedDuration,
    /// Longest wait.
    pub back_off_max: SignedDuration,
}

impl Patience {
    /// Returns the patience for a clock that runs `speed` times as fast as the world.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a few minutes in milliseconds")]
    pub fn at_speed(speed: f64) -> Self {
        let scaled = |millis: f64| SignedDuration::from_millis((millis * speed.max(1.0)) as i64);
        Self {
            stall: scaled(5_000.0),
            first: scaled(7_500.0),
            back_off_min: scaled(250.0),
            back_off_max: scaled(5_000.0),
        }
    }
}

/// Whether there is a child, and since or until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Down { until: Timestamp },
    Up { delivered: bool },
}

/// Decides about the one child of a channel.
#[derive(Debug)]
pub struct Supervisor {
    patience: Patience,
    state: State,
    run: RunId,
    /// Runs in a row that ended without giving anything back.
    barren: u32,
    /// When each GOP not yet returned was fed, oldest first.
    fed: VecDeque<Timestamp>,
}

impl Supervisor {
    /// Returns a supervisor that starts its first run at once.
    #[must_use]
    pub fn new(patience: Patience, now: Timestamp) -> Self {
        Self { patience, state: State::Down { until: now }, run: RunId(0), barren: 0, fed: VecDeque::new() }
    }

    /// Returns the present or last run.
    #[must_use]
    pub fn run(&self) -> RunId {
        self.run
    }

    /// Whether a child lives.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    /// Returns the run to start now, if it is time; the caller must start it and report its end.
    pub fn start(&mut self, now: Timestamp) -> Option<RunId> {
        match self.state {
            State::Down { until } if until <= now => {
                self.run = RunId(self.run.0 + 1);
                self.state = State::Up { delivered: false };
                self.fed.clear();
                Some(self.run)
            }
            _ => None,
        }
    }

    /// Takes note that a GOP was given to the run.
    pub fn fed(&mut self, now: Timestamp) {
        self.fed.push_back(now);
    }

    /// Takes note that a GOP came back.
    pub fn returned(&mut self) {
        self.fed.pop_front();
        if self.is_up() {
            self.state = State::Up { delivered: true };
        }
    }

    /// Returns how many runs in a row ended without giving anything back.
    #[must_use]
    pub fn barren(&self) -> u32 {
        self.barren
    }

    /// Takes note that the run is over, by itself or because it was given up, and plans the next.
    ///
    /// The death of a run that gave something back is answered at once: each such run carries the channel on, so it
    /// cannot spin. Runs that give nothing back are answered ever later, never not at all.
    pub fn ended(&mut self, now: Timestamp) {
        let State::Up { delivered } = self.state else { return };
        self.barren = if delivered { 0 } else { self.barren.saturating_add(1) };
        let doublings = self.barren.saturating_sub(1).min(16);
        let wait = match self.barren {
            0 => SignedDuration::ZERO,
            _ => (self.patience.back_off_min * (1 << doublings)).min(self.patience.back_off_max),
        };
        self.state = State::Down { until: now + wait };
        self.fed.clear();
    }

    /// Whether the run makes no progress: the oldest GOP was closed by the one after it and has not come back.
    #[must_use]
    pub fn stalled(&self, now: Timestamp) -> bool {
        self.is_up() && self.stall_at().is_some_and(|at| at <= now)
    }

    fn stall_at(&self) -> Option<Timestamp> {
        let delivered = self.state == State::Up { delivered: true };
        let patience = if delivered { self.patience.stall } else { self.patience.first };
        self.fed.get(1).map(|closed| *closed + patience)
    }

    /// Returns when something is to be done if nothing happens before: start, or give up.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        match self.state {
            State::Down { until } => Some(until),
            State::Up { .. } => self.stall_at(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn after(millis: i64) -> Timestamp {
        START + SignedDuration::from_millis(millis)
    }

    fn supervisor() -> Supervisor {
        Supervisor::new(Patience::at_speed(1.0), START)
    }

    #[test]
    fn runs_that_give_nothing_back_are_answered_ever_later() {
        let mut supervisor = supervisor();
        let mut now = START;
        let mut waits = Vec::new();
        for _ in 0..8 {
            assert!(supervisor.start(now).is_some());
            supervisor.ended(now);
            let until = supervisor.deadline().unwrap();
            waits.push(until.duration_since(now).as_millis());
            now = until;
        }
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
    }

    #[test]
    fn the_death_of_a_run_that_gave_something_back_is_answered_at_once() {
        let mut supervisor = supervisor();
        for at in [0, 250] {
            assert!(supervisor.start(after(at)).is_some());
            supervisor.ended(after(at));
        }
        assert!(supervisor.start(after(750)).is_some());
        supervisor.fed(after(750));
        supervisor.returned();
        supervisor.ended(after(800));
        assert_eq!((supervisor.deadline(), supervisor.barren()), (Some(after(800)), 0));
    }

    #[test]
    fn a_run_is_stalled_when_a_closed_gop_does_not_come_back() {
        let mut supervisor = supervisor();
        assert!(supervisor.start(START).is_some());
        supervisor.fed(START);
        assert!(!supervisor.stalled(after(60_000)), "the last GOP fed is still open");
        supervisor.fed(after(2_000));
        assert_eq!(supervisor.deadline(), Some(after(9_500)), "the first takes longer");
        assert!(!supervisor.stalled(after(9_499)) && supervisor.stalled(after(9_500)));
        supervisor.returned();
        assert!(!supervisor.stalled(after(9_500)));
        supervisor.fed(after(4_000));
        assert!(!supervisor.stalled(after(8_999)) && supervisor.stalled(after(9_000)));
    }

    proptest! {
        /// Whatever happens: at most one child, no start before its time, and always a child or a date for one.
        #[test]
        fn there_is_always_a_child_or_a_date_for_one(steps in prop::collection::vec((0..4_u8, 0..8_000_i64), 1..200)) {
            let mut supervisor = supervisor();
            let mut now = START;
            let mut alive = false;
            let mut run = 0;
            for (step, millis) in steps {
                now += SignedDuration::from_millis(millis);
                let due = supervisor.deadline();
                match step {
                    0 => if let Some(started) = supervisor.start(now) {
                        prop_assert!(!alive && due.is_some_and(|due| due <= now));
                        prop_assert_eq!(started.0, run + 1);
                        (alive, run) = (true, started.0);
                    },
                    1 if alive => supervisor.fed(now),
                    2 => supervisor.returned(),
                    _ => { supervisor.ended(now); alive = false; }
                }
                prop_assert_eq!(alive, supervisor.is_up());
                prop_assert!(alive || supervisor.deadline().is_some());
            }
        }

        /// A run that delivered is replaced at once; the wait after one that did not is never shorter than the one before
        /// it, and never longer than the limit.
        #[test]
        fn the_wait_grows_with_barren_runs_up_to_its_limit_and_is_none_after_a_delivery(
            runs in prop::collection::vec((prop::bool::ANY, 0..20_000_i64), 1..60),
            speed in 1.0..100.0_f64,
        ) {
            let patience = Patience::at_speed(speed);
            let mut supervisor = Supervisor::new(patience, START);
            let (mut now, mut before) = (START, SignedDuration::ZERO);
            for (delivers, millis) in runs {
                prop_assert!(supervisor.start(now).is_some());
                prop_assert!(supervisor.start(now).is_none(), "never two lives at once");
                now += SignedDuration::from_millis(millis);
                if delivers {
                    supervisor.fed(now);
                    supervisor.returned();
                }
                supervisor.ended(now);
                let until = supervisor.deadline().unwrap();
                let wait = until.duration_since(now);
                if delivers {
                    prop_assert_eq!(wait, SignedDuration::ZERO);
                } else {
                    prop_assert!(wait >= before.max(patience.back_off_min) && wait <= patience.back_off_max);
                }
                prop_assert_eq!(supervisor.barren() == 0, delivers);
                (before, now) = (wait, until);
            }
        }
    }
}
