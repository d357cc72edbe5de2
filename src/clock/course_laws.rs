//! The laws of following the wall clock.

use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::constant(1_795_000_000, 0);

/// Two clocks in a world of its own, looked at as the station does.
struct World {
    follower: Follower,
    elapsed: Duration,
    steps: Vec<SignedDuration>,
}

impl World {
    fn new() -> Self {
        Self { follower: Follower::new(Course::new(START, 1.0)), elapsed: Duration::ZERO, steps: Vec::new() }
    }

    /// Lets time pass until `end`, with a wall clock that shows `wall(elapsed)`; `check` sees what is told before each
    /// correction and after it.
    fn live(&mut self, end: Duration, wall: impl Fn(Duration) -> Timestamp, mut check: impl FnMut(&Course, Duration)) {
        let mut again = LOOK_EVERY;
        while self.elapsed + again <= end {
            self.elapsed += again;
            check(&self.follower.course(), self.elapsed);
            let look = self.follower.look(self.elapsed, wall(self.elapsed));
            check(&self.follower.course(), self.elapsed);
            self.steps.extend(look.step);
            again = look.again;
        }
    }
}

fn secs(secs: f64) -> SignedDuration {
    SignedDuration::from_secs_f64(secs)
}

fn told(course: &Course, elapsed: Duration) -> Timestamp {
    course.at(elapsed) + course.stepped()
}

/// A wall clock that gains or loses so many millionths.
fn drifting(ppm: f64) -> impl Fn(Duration) -> Timestamp {
    move |elapsed| START + secs(elapsed.as_secs_f64() * (1.0 + ppm / 1e6))
}

#[test]
fn for_two_months_a_drifting_wall_clock_is_followed_without_a_step() {
    for ppm in [-500.0, 12.3] {
        let (mut world, wall) = (World::new(), drifting(ppm));
        let mut worst = 0.0_f64;
        world.live(Duration::from_hours(60 * 24), &wall, |course, elapsed| {
            worst = worst.max(told(course, elapsed).duration_since(wall(elapsed)).as_secs_f64().abs());
        });
        println!("{ppm} ppm: at most {:.1} ms off", worst * 1e3);
        assert!(worst < 0.02, "{ppm} ppm: {worst} s off");
        assert_eq!(world.steps, [], "{ppm} ppm");
    }
}

#[test]
fn a_single_wrong_reading_is_no_step() {
    let mut world = World::new();
    let hiccup = |elapsed: Duration| drifting(0.0)(elapsed) + secs(if elapsed.as_secs() == 60 { 3600.0 } else { 0.0 });
    world.live(Duration::from_mins(5), hiccup, |course, elapsed| {
        assert!(told(course, elapsed).duration_since(drifting(0.0)(elapsed)).abs() < secs(0.001));
    });
    assert_eq!(world.steps, []);
}

#[test]
fn a_clock_that_cannot_make_up_its_mind_is_not_followed() {
    let mut world = World::new();
    let wild = |elapsed: Duration| drifting(0.0)(elapsed) + secs(100.0 * f64::from((elapsed.as_secs() % 3) as u32));
    world.live(Duration::from_mins(5), wild, |course, elapsed| {
        assert_eq!(course.at(elapsed), drifting(0.0)(elapsed));
    });
    assert_eq!(world.steps, []);
}

#[test]
fn sleeping_ends_when_the_moment_has_come() {
    for speed in [0.1, 1.0, 20.0, 100.0] {
        let course = Course::new(START, speed);
        let moment = START + secs(1234.5);
        let reached = course.at(course.reaches(moment));
        assert!(reached.duration_since(moment).abs() < secs(0.000_001), "{speed}");
    }
    assert_eq!(Course::new(START, 1.0).reaches(START - secs(5.0)), Duration::ZERO, "what is past was reached");
}

proptest! {
    /// Whatever the wall clock shows, the station's own time goes on, and within a hundredth as fast as the world.
    #[test]
    fn the_own_time_never_jumps_and_never_stands_still(
        shows in prop::collection::vec((1_u64..20_000, -5_000_000_i64..5_000_000), 1..200),
    ) {
        let mut follower = Follower::new(Course::new(START, 1.0));
        let mut elapsed = Duration::ZERO;
        for (millis, wall) in shows {
            let (before, passed) = (follower.course().at(elapsed), Duration::from_millis(millis));
            elapsed += passed;
            let own = follower.course().at(elapsed);
            let rate = own.duration_since(before).as_secs_f64() / passed.as_secs_f64();
            prop_assert!((rate - 1.0).abs() <= SLEW_MAX + 1e-6, "{rate}");
            follower.look(elapsed, START + SignedDuration::from_millis(wall));
            prop_assert_eq!(follower.course().at(elapsed), own, "a correction moves nothing at its moment");
        }
    }

    /// A clock that is set is noticed once, soon and exactly, however far it is set and whatever it drifts by.
    #[test]
    fn a_clock_that_is_set_is_noticed_once_and_exactly(
        by in prop_oneof![-1e9..-2.2_f64, 2.2..1e9_f64],
        at_millis in 10_000_u64..60_000,
        ppm in -500.0..500.0_f64,
    ) {
        let at = Duration::from_millis(at_millis);
        let wall = |elapsed: Duration| drifting(ppm)(elapsed) + secs(if elapsed >= at { by } else { 0.0 });
        let mut world = World::new();
        let noticed_by = at + LOOK_EVERY + LOOK_AGAIN;
        world.live(Duration::from_mins(10), wall, |course, elapsed| {
            let off = told(course, elapsed).duration_since(wall(elapsed)).abs();
            assert!((at..=noticed_by).contains(&elapsed) || off < secs(0.05), "{off:?}");
        });
        prop_assert_eq!(world.steps.len(), 1);
        prop_assert!(world.steps[0].saturating_sub(secs(by)).abs() < secs(0.05), "{:?} of {by}", world.steps);
    }

    /// What is no step is approached: a hundredth a second at most, gone in the end, and never a discontinuity.
    #[test]
    fn a_small_difference_is_made_good_smoothly(by in -1.9..1.9_f64, ppm in -100.0..100.0_f64) {
        let wall = |elapsed: Duration| drifting(ppm)(elapsed) + secs(by);
        let mut world = World::new();
        let mut last = by.abs() + 0.001;
        world.live(Duration::from_mins(10), wall, |course, elapsed| {
            let off = told(course, elapsed).duration_since(wall(elapsed)).as_secs_f64().abs();
            assert!(off <= last + 0.001, "{off} after {last}");
            last = off;
        });
        prop_assert!(last < 0.01, "{last} s are left");
        prop_assert_eq!(world.steps, []);
    }
}
