//! A week of a channel with a timetable, in a world of its own: what was announced an hour before against what was on.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use jiff::tz::TimeZone;

use super::super::director::tests::{item, mezzanine, profile};
use super::*;
use crate::feed::FedGop;
use crate::library::Catalogue;
use crate::prepare::{Gop, Mezzanine};
use crate::schedule::Kind;
use crate::schedule::{Plan, Timetable};
use crate::units::{ContentKey, Msn, RunId};

/// 2026-11-16, a Monday, at 12:00 in Berlin.
const START: &str = "2026-11-16T11:00:00Z";

/// A sitcom on weekdays, films at the weekend, news at eight, a draw on Saturday, a rest at night.
const CHANNEL: &str = r#"
[station]
time-zone = "Europe/Berlin"
[[channel]]
name = "One"
folder = "one"
fillers = "fillers/"
idents = { folder = "idents/", every = 3 }
sign-off = { from = "02:00", to = "06:00" }
[[channel.block]]
name = "Series"
days = "mon-fri"
from = "16:00"
to = "19:00"
folder = "series/"
order = "sequential"
sharp = true
[[channel.block]]
name = "Weekend"
days = ["sat", "sun"]
from = "22:00"
to = "01:00"
folder = "late/"
[[channel.fixed]]
name = "News"
at = "20:00"
folder = "news/"
[[channel.fixed]]
at = "12:30"
days = "sat"
folder = "draw/"
"#;

/// Groups of pictures of six seconds: a week of them is fewer. The last is shorter.
const GOP: MediaTime = MediaTime::from_secs(6);
const LAST: MediaTime = MediaTime::from_millis(2_370);

/// The items: folder, how many, how many groups of pictures the first has, and by how many each has more.
const ITEMS: [(&str, usize, usize, usize); 7] = [
    ("films", 14, 500, 77),
    ("series", 9, 210, 11),
    ("late", 5, 400, 90),
    ("news", 3, 150, 4),
    ("draw", 1, 70, 0),
    ("fillers", 6, 5, 4),
    ("idents", 2, 2, 0),
];

fn names() -> impl Iterator<Item = (String, usize)> {
    let folder = |(folder, count, first, more): (&'static str, usize, usize, usize)| {
        (0..count).map(move |n| (format!("{folder}/{n}"), first + more * n))
    };
    ITEMS.into_iter().flat_map(folder)
}

/// Items whose files tell a length that is wrong by a twentieth of a second.
fn catalogue() -> Arc<Catalogue> {
    let item = |(name, gops): (String, usize)| {
        let mut item = (*item(&name, 1)).clone();
        let whole: MediaTime = (1..gops).map(|_| GOP).sum();
        item.media.duration = whole + LAST + MediaTime::from_millis(50);
        (name.as_str().into(), Arc::new(item))
    };
    Arc::new(Catalogue { items: names().map(item).collect(), complete: true, ..Catalogue::default() })
}

fn mezzanines() -> BTreeMap<ContentKey, Arc<Mezzanine>> {
    let made = |(name, gops): (String, usize)| {
        let key = ContentKey(name.as_str().into());
        let plain = mezzanine(&key, gops, true);
        let long = |gop: &Gop| Gop { duration: GOP, ..*gop };
        let mut gops: Vec<Gop> = plain.gops.iter().map(long).collect();
        gops.last_mut().expect("there is one").duration = LAST;
        (key, Arc::new(Mezzanine { gops: gops.into(), ..(*plain).clone() }))
    };
    names().map(made).collect()
}

struct Week {
    core: Core,
    now: Timestamp,
    ready: BTreeMap<ContentKey, Arc<Mezzanine>>,
    run: Option<RunId>,
    inside: VecDeque<(u64, FedGop)>,
    chunks: u64,
    /// When each programme was announced to begin, an hour before.
    announced: BTreeMap<u64, Timestamp>,
    /// What began when, each card once.
    begun: Vec<(Programme, Timestamp)>,
    /// Rounds of cards and of the slate.
    slates: usize,
}

impl Week {
    fn new() -> Self {
        let now: Timestamp = START.parse().expect("a moment");
        let config = crate::config::parse(CHANNEL, std::path::Path::new("/channels.toml"), 2).expect("it is right");
        let channel = &config.channels[0];
        let plan = Plan::new(1).with_timetable(Timetable::new(&channel.timetable, TimeZone::UTC));
        let mut director = Director::new(channel.order.clone(), profile(), plan, 1.0);
        director.library_changed(catalogue(), now);
        let mut core = Core::new(director, Air::new(Msn(1), 0, now - BACKLOG * 2, now, 1.0));
        core.slate(mezzanine(&ContentKey("slate".into()), 2, true));
        let (announced, begun) = (BTreeMap::new(), Vec::new());
        let (ready, inside) = (mezzanines(), VecDeque::new());
        let mut week = Self { core, now, ready, run: None, inside, chunks: 0, announced, begun, slates: 0 };
        // The first programme is dated back, so that the first playlist is full.
        week.step();
        week
    }

    /// The card of the timetable is made at once, of groups of a second, as the shell has it made.
    fn make_cards(&mut self) {
        while let Some(told) = self.core.card_wanted(self.now) {
            let plain = mezzanine(&ContentKey(Arc::clone(&told)), 4, true);
            let second = |gop: &Gop| Gop { duration: MediaTime::from_secs(1), ..*gop };
            let gops: Vec<Gop> = plain.gops.iter().map(second).collect();
            self.core.card(told, Arc::new(Mezzanine { gops: gops.into(), ..(*plain).clone() }));
        }
    }

    fn step(&mut self) {
        self.make_cards();
        let ready = &self.ready;
        let workshop =
            |key: &ContentKey| ready.get(key).map_or(Prepared::Waiting, |one| Prepared::Ready(Arc::clone(one)));
        for action in self.core.step(self.now, &workshop) {
            match action {
                Action::Air(AirAction::Start(run)) => {
                    self.run = Some(run);
                    self.chunks = 0;
                }
                Action::Air(AirAction::Feed { gop, .. }) => {
                    self.inside.push_back((self.chunks, gop));
                    self.chunks += 1;
                }
                Action::Air(AirAction::Begun(airing, date)) => match &airing.programme {
                    Some(programme) if self.begun.last().is_none_or(|(last, _)| last.serial != programme.serial) => {
                        self.begun.push((programme.clone(), date));
                    }
                    Some(_) => {}
                    None => self.slates += 1,
                },
                _ => {}
            }
        }
        while self.inside.len() > 1 {
            let (number, gop) = self.inside.pop_front().expect("there is one");
            let (run, duration) = (self.run.expect("it was fed to a run"), gop.duration());
            let renditions = vec![vec![Bytes::from_static(b"x")]];
            self.core.run_event(RunEvent::Chunk { run, number, renditions, duration, last: false }, self.now);
        }
    }

    /// Notes what is announced for the hour after the next.
    fn read_the_plan(&mut self) {
        let hour = SignedDuration::from_hours(1);
        let plan = self.core.plan().plan().programmes().iter();
        for programme in plan.filter(|programme| (self.now + hour..self.now + hour * 2).contains(&programme.start)) {
            self.announced.entry(programme.serial).or_insert(programme.start);
        }
    }

    fn live(&mut self, hours: i64) {
        for _ in 0..hours {
            self.read_the_plan();
            let end = self.now + SignedDuration::from_hours(1);
            while self.now < end {
                self.step();
                self.now = self.core.deadline(self.now).max(self.now + SignedDuration::from_millis(1)).min(end);
            }
        }
    }

    /// Returns the largest difference between what was announced an hour before and what was on, in seconds, of what is
    /// bound to its time and of all; and how many there were of each.
    fn errors(&self) -> [(f64, usize); 2] {
        let mut worst = [(0.0_f64, 0); 2];
        for (programme, date) in self.begun.iter().filter(|(programme, _)| !programme.is_card()) {
            let Some(announced) = self.announced.get(&programme.serial) else { continue };
            let error = date.duration_since(*announced).abs().as_secs_f64();
            let bound = programme.bound_to().map(|due| date.duration_since(due).abs().as_secs_f64());
            for (place, error) in [(0, bound.map(|bound| bound.max(error))), (1, Some(error))] {
                worst[place].0 = worst[place].0.max(error.unwrap_or(0.0));
                worst[place].1 += usize::from(error.is_some());
            }
        }
        worst
    }
}

/// Goal: over a week the plan that was told an hour before is what is on, and what is bound to its time begins at it.
/// Method: a channel with blocks, fixed times, idents, fillers and a rest at night, by a clock that jumps; its items are a
/// little shorter than their files say.
#[test]
fn a_week_airs_as_it_was_announced() {
    let mut week = Week::new();
    week.live(7 * 24);
    let [bound, all] = week.errors();
    println!("bound to its time: {bound:?}; all: {all:?}; {} began", week.begun.len());
    // Seven times the news, five series, one draw, seven mornings; the first hours were not announced.
    assert!(bound.1 >= 12 && bound.0 < 1.0, "{bound:?}");
    assert!(all.1 > 200 && all.0 < 1.0, "{all:?}");
    assert_eq!(week.slates, 0, "the slate is for what was not planned");
    let of = |kind: Kind| week.begun.iter().filter(|(programme, _)| programme.role.kind == kind).count();
    assert!(
        of(Kind::Filler) > 7 && of(Kind::Ident) > 30 && of(Kind::SignOff) == 7,
        "{} {}",
        of(Kind::Filler),
        of(Kind::Ident)
    );
    let mornings = week.begun.windows(2).filter(|pair| pair[0].0.role.kind == Kind::SignOff);
    for pair in mornings {
        let late = pair[1].1.duration_since(pair[0].0.end()).abs();
        assert!(late < SignedDuration::from_secs(1), "{:?}", pair[1]);
    }
    let series: Vec<&str> =
        week.begun.iter().map(|(programme, _)| &*programme.name).filter(|name| name.starts_with("series")).collect();
    let next = |pair: &&[&str]| pair[1].as_bytes()[7] == b'0' + (pair[0].as_bytes()[7] - b'0' + 1) % 9;
    assert!(series.len() > 20 && series.windows(2).all(|pair| next(&pair)), "seasons in order: {series:?}");
}

/// Goal: a wall clock that is set, an item that fails and an operator who skips do not bring a fixed programme out of its
/// time. Method: each in the hours before the news.
#[test]
fn what_goes_wrong_before_the_news_does_not_move_it() {
    let mut week = Week::new();
    week.live(6);
    week.core.director().failed(&ContentKey("films/3".into()), "it is broken".into(), week.now);
    assert!(week.core.skip().is_some());
    week.live(1);
    // The clock in the room is put an hour forward at 19:00: it is eight.
    week.core.follow(SignedDuration::from_hours(1));
    week.live(1);
    let news: Vec<Timestamp> =
        week.begun.iter().filter(|(one, _)| one.name.starts_with("news/")).map(|(_, date)| *date).collect();
    assert_eq!(news.len(), 1, "{:?}", week.begun);
    // What was on at the jump was begun for an hour at most: the news is late by what was left of it.
    let jump = week.now - SignedDuration::from_hours(1);
    assert!(news[0] >= jump && news[0] < jump + SignedDuration::from_hours(1), "{news:?}");
    week.live(24);
    let second = week.begun.iter().filter(|(one, _)| one.name.starts_with("news/")).nth(1).expect("the day after").1;
    let due = jump + SignedDuration::from_hours(24);
    assert!(second.duration_since(due).abs() < SignedDuration::from_secs(1), "{second}, not {due}");
}
