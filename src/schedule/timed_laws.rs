//! What holds of plans with a timetable whatever happens: laws over random timetables, libraries and operations.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::super::laws::{key, start};
use super::super::parts::counted;
use super::*;
use crate::config::timetable::{Block, Days, Fixed, Idents, SignOff, TimeOfDay, Timetable as Wanted};

const FOLDERS: [&str; 6] = ["films/", "series/", "cartoons/", "news/", "fillers/", "idents/"];

/// An item of one of the folders; fillers and idents are short.
fn item(id: usize) -> Candidate {
    let folder = FOLDERS[id % FOLDERS.len()];
    let secs = match folder {
        "fillers/" => 20 + 7 * (id / 6) % 50,
        "idents/" => 8,
        "films/" => 2_400 + 311 * (id / 6),
        _ => 700 + 97 * (id / 6),
    };
    Candidate {
        key: key(id),
        name: format!("{folder}{id:03}.mp4").into(),
        duration: MediaTime::from_millis(1_000 * i64::try_from(secs).unwrap() + 40),
        metadata: Arc::default(),
    }
}

/// What the station draws: no item of the library.
fn drawn() -> Candidate {
    let (key, name) = (ContentKey("slate0".into()), "drawn ident".into());
    Candidate { key, name, duration: MediaTime::from_millis(5_120), metadata: Arc::default() }
}

fn items(ids: impl IntoIterator<Item = usize>) -> Vec<Candidate> {
    ids.into_iter().map(item).collect()
}

fn time(minutes: u16) -> TimeOfDay {
    TimeOfDay::parse(&format!("{}:{:02}", minutes / 60, minutes % 60)).unwrap()
}

/// A day of random hours: two blocks that do not meet, some fixed times, a rest or none.
fn timetables() -> impl Strategy<Value = Wanted> {
    let block = |from: std::ops::Range<u16>| {
        (from, 30..240_u16, any::<bool>(), prop_oneof![Just(Order::Sequential), Just(Order::Shuffle)])
    };
    let fixed = prop::collection::btree_set((360..1_320_u16).prop_map(|minute| minute / 5 * 5), 0..6);
    let rest = prop::option::of((0..120_u16, 60..200_u16));
    (block(400..600), block(900..1_100), fixed, any::<bool>(), prop::option::of(1..5_usize), rest).prop_map(
        |(first, second, fixed, fillers, every, rest)| {
            let block = |name: &str, (from, length, sharp, order): (u16, u16, bool, Order)| Block {
                name: name.to_owned(),
                days: Days::ALL,
                from: time(from),
                to: time(from + length),
                folders: vec![format!("{name}/")],
                order,
                sharp,
            };
            let at =
                |minute: u16| Fixed { name: None, at: time(minute), days: Days::ALL, folders: vec!["news/".into()] };
            Wanted {
                zone: None,
                blocks: vec![block("series", first), block("cartoons", second)],
                fixed: fixed.into_iter().map(at).collect(),
                fillers: if fillers { vec!["fillers/".to_owned()] } else { Vec::new() },
                idents: every.map(|every| Idents { folders: vec!["idents/".to_owned()], drawn: every % 2 == 0, every }),
                sign_off: rest.map(|(from, length)| SignOff { from: time(from), to: time(from + length) }),
            }
        },
    )
}

#[derive(Clone, Debug)]
enum Happening {
    Ended,
    Changed { ids: Vec<usize>, announced: usize },
    Measured { id: usize, secs: i64 },
    Retimed { millis: i64 },
    Promoted { index: usize },
    Gone { id: usize },
    Repeated { id: usize },
    Restarted { after_secs: i64 },
    Stepped { minutes: i64 },
    Drawn { there: bool },
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let ids = prop::collection::btree_set(0..30_usize, 0..30).prop_map(|ids| ids.into_iter().collect());
    let happening = prop_oneof![
        6 => Just(Happening::Ended),
        1 => (ids, 0..3_usize).prop_map(|(ids, announced)| Happening::Changed { ids, announced }),
        1 => (0..30_usize, 1..4_000_i64).prop_map(|(id, secs)| Happening::Measured { id, secs }),
        2 => (-900..90_000_i64).prop_map(|millis| Happening::Retimed { millis }),
        1 => (0..20_usize).prop_map(|index| Happening::Promoted { index }),
        1 => (0..30_usize).prop_map(|id| Happening::Gone { id }),
        1 => (0..30_usize).prop_map(|id| Happening::Repeated { id }),
        1 => (0..200_000_i64).prop_map(|after_secs| Happening::Restarted { after_secs }),
        1 => (-90..90_i64).prop_map(|minutes| Happening::Stepped { minutes }),
        1 => any::<bool>().prop_map(|there| Happening::Drawn { there }),
    ];
    prop::collection::vec(happening, 0..20)
}

/// A plan, the library it is made from, and the station's time.
struct World {
    plan: Plan,
    table: Timetable,
    stepped: SignedDuration,
    order: Order,
    library: Vec<Candidate>,
    now: Timestamp,
}

impl World {
    fn new(seed: u64, wanted: &Wanted) -> Self {
        let table = Timetable::new(wanted, TimeZone::UTC).expect("something").with_ident(Some(drawn()));
        let plan = Plan::new(seed).with_timetable(Some(table.clone()));
        let (order, stepped) = (Order::Shuffle, SignedDuration::ZERO);
        let mut world = Self { plan, table, stepped, order, library: items(0..30), now: start() };
        world.plan.extend(&world.order, &world.library, world.now);
        world
    }

    fn restart(&mut self) {
        let picker = serde_json::to_string(self.plan.picker()).unwrap();
        let picker = serde_json::from_str(&picker).unwrap();
        let plan = Plan::restore(self.plan.programmes().clone(), self.plan.next_serial(), picker);
        self.plan = plan.with_timetable(Some(self.table.stepped(self.stepped)));
    }

    fn end_one(&mut self) {
        self.now = self.plan.pop_front().map_or(self.now, |ended| ended.end());
        self.plan.extend(&self.order, &self.library, self.now);
    }

    fn apply(&mut self, happening: &Happening) {
        match happening {
            Happening::Ended => self.end_one(),
            Happening::Changed { ids, announced } => {
                self.library = items(ids.iter().copied());
                self.plan.library_changed(&self.order, &self.library, *announced, self.now);
            }
            Happening::Measured { id, secs } => self.plan.set_duration(&key(*id), MediaTime::from_secs(*secs)),
            Happening::Retimed { millis } => {
                let first = self.plan.programmes().front().map_or(self.now, |first| first.start);
                self.plan.retime(first + SignedDuration::from_millis(*millis));
            }
            Happening::Promoted { index } => {
                let free = |programme: &&Programme| programme.role.due.is_none();
                let serial = self.plan.programmes().get(*index).filter(free).map_or(0, |programme| programme.serial);
                self.plan.promote(serial, 1);
            }
            Happening::Gone { id } => {
                let on_air = self.plan.programmes().front().map(|first| first.serial);
                self.library.retain(|candidate| candidate.key != key(*id));
                self.plan.remove_item(&key(*id), on_air);
            }
            Happening::Repeated { id } => {
                self.plan.insert(&item(*id), 1, self.now);
            }
            Happening::Restarted { after_secs } => {
                self.now += SignedDuration::from_secs(*after_secs);
                self.restart();
                self.plan.catch_up(&self.order, &self.library, self.now);
            }
            Happening::Stepped { minutes } => {
                let stepped = SignedDuration::from_mins(*minutes);
                self.plan.follow(stepped, self.stepped);
                self.stepped = stepped;
            }
            Happening::Drawn { there } => {
                let ident = there.then(drawn);
                self.table = self.table.with_ident(ident.clone());
                self.plan.draw_ident(ident);
                self.plan.library_changed(&self.order, &self.library, 1, self.now);
            }
        }
        if self.plan.take_loose() {
            self.plan.library_changed(&self.order, &self.library, 1, self.now);
            self.plan.take_loose();
        }
    }
}

fn told(plan: &Plan) -> Vec<(ContentKey, Timestamp, Kind)> {
    let told = |programme: &Programme| (programme.key.clone(), programme.start, programme.role.kind);
    plan.programmes().iter().map(told).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

    /// Goal: a plan joins without a hole, and what is bound to its time has it, or the time at which what was begun before
    /// it ends. Method: everything that may happen to a plan, in any order, over random timetables.
    #[test]
    fn whatever_happens_programmes_join_and_what_is_bound_keeps_its_time(
        seed: u64, wanted in timetables(), happenings in happenings(),
    ) {
        let mut world = World::new(seed, &wanted);
        for happening in &happenings {
            world.apply(happening);
            let programmes: Vec<_> = world.plan.programmes().iter().collect();
            for (n, pair) in programmes.windows(2).enumerate() {
                prop_assert_eq!(pair[0].end(), pair[1].start, "after {:?}", happening);
                let Some(due) = pair[1].bound_to() else { continue };
                let late = pair[1].start.duration_since(due);
                prop_assert!(late >= SignedDuration::ZERO, "{:?} early after {:?}", late, happening);
                let was_promised = n == 0 || pair[0].bound_to().is_some();
                prop_assert!(late <= LOOSE_LATE || was_promised, "{:?} late after {:?}, {:?}", late, happening, pair);
            }
            prop_assert!(programmes.iter().all(|programme| programme.duration > MediaTime::ZERO));
            prop_assert!(programmes.iter().all(|programme| !programme.is_card() || programme.role.due.is_some()));
            for programme in programmes.iter().filter(|programme| programme.key == drawn().key) {
                let is_ident = programme.role.kind == Kind::Ident && programme.bound_to().is_none_or(|due| due <= programme.start);
                prop_assert!(is_ident, "what is drawn is nothing but an ident: {:?}", programme);
            }
            let is_drawn = |programme: &&&Programme| world.plan.draws(&programme.key);
            let planned = programmes.iter().skip(1).filter(|programme| programme.key == drawn().key);
            prop_assert_eq!(planned.clone().filter(is_drawn).count(), planned.count(), "what is not there is not planned");
            let serials: HashSet<u64> = programmes.iter().map(|programme| programme.serial).collect();
            prop_assert_eq!(serials.len(), programmes.len(), "a serial names one airing");
            prop_assert!(serials.iter().all(|serial| *serial < world.plan.next_serial()));
        }
    }

    /// Goal: in an undisturbed plan each fixed programme begins at its time to the nanosecond unless another still is on,
    /// blocks show what is theirs, and nothing begins while the channel is off the air. Method: read a plan of a day.
    #[test]
    fn a_plan_is_what_the_timetable_says(seed: u64, wanted in timetables()) {
        let world = World::new(seed, &wanted);
        let programmes: Vec<_> = world.plan.programmes().iter().collect();
        let mut fixed = 0;
        for (n, programme) in programmes.iter().enumerate() {
            let hours = world.table.hours(programme.start);
            if let Some(due) = programme.bound_to() {
                let promised = n > 0 && programmes[n - 1].bound_to().is_some();
                prop_assert!(programme.start == due || promised, "{:?}", programme);
                fixed += usize::from(programme.role.part.starts_with("fixed"));
            } else if programme.role.kind != Kind::Pause {
                prop_assert_eq!(programme.role.kind == Kind::SignOff, hours.off_until.is_some(), "{:?}", programme);
            }
            let block = hours.block.map(|n| &wanted.blocks[n].name);
            let free = programme.role.kind == Kind::Item && programme.bound_to().is_none();
            if let Some(block) = block.filter(|_| free && !programme.role.part.is_empty()) {
                prop_assert!(programme.name.starts_with(block.as_str()), "{:?} in {}", programme, block);
            }
            let is_named = wanted.folders().any(|(folder, _)| programme.name.starts_with(folder));
            prop_assert!(block.is_some() || !free || !is_named, "{:?} outside of blocks", programme);
        }
        // A day and an hour holds each time of day once, and those of one hour twice; two may be one after the other.
        prop_assert!(fixed >= wanted.fixed.len().saturating_sub(1), "{} of {}", fixed, wanted.fixed.len());
        let mut since = 0;
        for programme in &programmes {
            since = counted(since, programme.role.kind);
            let most = wanted.idents.as_ref().map_or(usize::MAX, |idents| idents.every + 12);
            prop_assert!(since <= most, "idents come as often as there is room");
        }
    }

    /// Goal: a restart in any place goes on with the same plan. Method: two stations live for days; one is restarted
    /// between all programmes.
    #[test]
    fn restarts_change_nothing(seed: u64, wanted in timetables()) {
        let (mut steady, mut restless) = (World::new(seed, &wanted), World::new(seed, &wanted));
        for _ in 0..80 {
            steady.end_one();
            restless.end_one();
            restless.restart();
            restless.plan.catch_up(&restless.order, &restless.library, restless.now);
            prop_assert_eq!(told(&steady.plan), told(&restless.plan));
        }
    }

    /// Goal: planning anew without a reason changes nothing. Method: the same library is announced again, behind any
    /// programme but within a hole, whose rest is filled as well as it can be.
    #[test]
    fn the_same_library_gives_the_same_plan(seed: u64, wanted in timetables(), lived in 0..60_usize, behind in 1..40_usize) {
        let mut world = World::new(seed, &wanted);
        (0..lived).for_each(|_| world.end_one());
        let before = world.plan.clone();
        let last = before.programmes().get(behind - 1).map(|last| last.role.kind);
        if last != Some(Kind::Filler) {
            world.plan.library_changed(&world.order, &world.library, behind, world.now);
            prop_assert_eq!(world.plan.programmes(), before.programmes());
        }
    }

    /// Goal: what would have been on while the station was away is what a station that was on air shows. Method: one lives
    /// on, the other is restored after hours.
    #[test]
    fn a_downtime_is_lived_through_as_if_on_air(seed: u64, wanted in timetables(), away in 60..160_000_i64) {
        let (mut steady, mut away_for) = (World::new(seed, &wanted), World::new(seed, &wanted));
        let until = start() + SignedDuration::from_secs(away);
        while steady.plan.programmes()[0].end() <= until {
            steady.end_one();
        }
        away_for.restart();
        away_for.plan.catch_up(&away_for.order, &away_for.library, until);
        let (here, there) = (&steady.plan.programmes()[0], &away_for.plan.programmes()[0]);
        // Where the horizon parted a hole, its fillers may be others.
        if here.role.kind != Kind::Filler && there.role.kind != Kind::Filler {
            prop_assert_eq!((&here.key, here.start, &here.role), (&there.key, there.start, &there.role));
        }
    }
}

/// Goal: a channel without ident films has the one that is drawn at their places, and only where it is there. Method: a plan
/// with nothing but films in its library, before it is drawn, with it, and when its file is lost.
#[test]
fn a_drawn_ident_comes_where_ident_films_come() {
    let idents = Idents { folders: Vec::new(), drawn: true, every: 3 };
    let wanted = Wanted { idents: Some(idents), ..Wanted::default() };
    let mut world = World::new(7, &wanted);
    let kinds = |world: &World| -> Vec<Kind> {
        world.plan.programmes().iter().take(9).map(|programme| programme.role.kind).collect()
    };
    let (films, ident) = ([Kind::Item; 3], [Kind::Ident]);
    let with_ident = [&films[..], &ident, &films, &ident, &films[..1]].concat();
    assert_eq!(kinds(&world), with_ident);
    assert!(world.plan.programmes().iter().all(|one| (one.key == drawn().key) == (one.role.kind == Kind::Ident)));
    world.restart();
    world.plan.catch_up(&world.order, &world.library, world.now);
    assert_eq!(kinds(&world), with_ident, "it is found again");
    world.apply(&Happening::Drawn { there: false });
    assert_eq!(kinds(&world), [Kind::Item; 9]);
    world.apply(&Happening::Drawn { there: true });
    assert_eq!(kinds(&world), with_ident);
    world.library.clear();
    let mut empty = Plan::new(7).with_timetable(Some(world.table.clone()));
    empty.extend(&world.order, &world.library, world.now);
    assert!(empty.programmes().is_empty(), "a channel is not made of idents");
}
