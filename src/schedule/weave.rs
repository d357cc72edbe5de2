//! One programme after the other as a timetable wants them: what is bound to its time, what fits before it, and what
//! fills the rest. Pure.
//!
//! Like a picker, the weaver depends on nothing but what was on before: programmes that were planned are told to it by
//! [`Weaver::note`], and it goes on behind them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::hole::{self, Filler};
use super::parts::counted;
use super::picker::Picker;
use super::programme::{Kind, Programme, Role};
use super::timetable::{Bound, Hours, Occasion, Timetable};
use super::{Candidate, PickerState, Shelf};
use crate::config::Order;
use crate::library::Metadata;
use crate::units::MediaTime;

/// What is bound to its time and could not begin for so long has missed it.
pub(super) const LATE_MAX: SignedDuration = SignedDuration::from_hours(2);

/// A plan reaches no further, so nothing later can have had its turn.
const PASSED_AHEAD_MAX: SignedDuration = SignedDuration::from_hours(72);

/// A hole as long as this is worth a programme out of its turn before it is filled.
const HOLE_LONG: MediaTime = MediaTime::from_secs(600);

/// A hole as long as this is worth a programme that was on not long ago, where there are no fillers.
const HOLE_REPEATED: MediaTime = MediaTime::from_secs(60);

/// The parts' names; a block's is followed by its own name, a fixed programme's by its folder.
const BASE: &str = "";
const BLOCK: &str = "block ";
const FIXED: &str = "fixed ";
const FILLER: &str = "filler";
const IDENT: &str = "ident";

/// A part of the library that is picked from on its own.
struct Part {
    name: Arc<str>,
    order: Order,
    candidates: Vec<Candidate>,
}

/// The library, parted as the timetable wants it.
pub(super) struct Stock {
    parts: Vec<Part>,
    /// The part of each fixed programme; those of one folder share one.
    fixed: Vec<usize>,
    fillers: usize,
    idents: usize,
}

impl Stock {
    /// Parts the library; `length` tells how long an item is as far as is known.
    pub(super) fn new(
        table: &Timetable,
        order: &Order,
        candidates: &[Candidate],
        length: impl Fn(&Candidate) -> MediaTime,
    ) -> Self {
        let wanted = table.wanted();
        let measured: Vec<Candidate> =
            candidates.iter().map(|one| Candidate { duration: length(one), ..one.clone() }).collect();
        let within = |folders: &[String]| -> Vec<Candidate> {
            measured.iter().filter(|candidate| lies_in(candidate, folders)).cloned().collect()
        };
        let outside = |folders: &[&[String]]| -> Vec<Candidate> {
            let inside = |candidate: &&Candidate| folders.iter().any(|folders| lies_in(candidate, folders));
            measured.iter().filter(|candidate| !inside(candidate)).cloned().collect()
        };
        let idents: &[String] = wanted.idents.as_ref().map_or(&[], |idents| &idents.folders);
        let between: [&[String]; 2] = [&wanted.fillers, idents];
        let blocks = wanted.blocks.iter().map(|block| block.folders.as_slice());
        let named: Vec<&[String]> =
            blocks.chain(wanted.fixed.iter().map(|fixed| fixed.folders.as_slice())).chain(between).collect();
        // Outside of all blocks is what belongs to none; where nothing is left, rather anything than nothing.
        let choices = [outside(&named), outside(&between), measured.clone()];
        let base = choices.into_iter().find(|some| !some.is_empty()).unwrap_or_default();
        let mut parts = vec![Part { name: BASE.into(), order: order.clone(), candidates: base }];
        for block in &wanted.blocks {
            let name = format!("{BLOCK}{}", block.name).into();
            parts.push(Part { name, order: block.order.clone(), candidates: within(&block.folders) });
        }
        let mut fixed = Vec::new();
        for one in &wanted.fixed {
            let name: Arc<str> = format!("{FIXED}{}", one.folders.join(" ")).into();
            let known = parts.iter().position(|part| part.name == name);
            fixed.push(known.unwrap_or(parts.len()));
            if known.is_none() {
                parts.push(Part { name, order: Order::Sequential, candidates: within(&one.folders) });
            }
        }
        let (fillers, ident_part) = (parts.len(), parts.len() + 1);
        let chance = Order::Random { spacing: 1 };
        parts.push(Part { name: FILLER.into(), order: chance, candidates: within(&wanted.fillers) });
        let idents = within(idents).into_iter().chain(table.ident().cloned()).collect();
        parts.push(Part { name: IDENT.into(), order: Order::Shuffle, candidates: idents });
        Self { parts, fixed, fillers, idents: ident_part }
    }

    /// Lays each part out for picking.
    pub(super) fn shelves(&self) -> Vec<Shelf<'_>> {
        self.parts.iter().map(|part| Shelf::new(&part.order, &part.candidates)).collect()
    }

    /// Returns by the name of each part its spacing and whether it has a deck.
    pub(super) fn kept(&self, shelves: &[Shelf<'_>]) -> BTreeMap<&str, (usize, bool)> {
        let of = |(part, shelf): (&'_ Part, &Shelf<'_>)| (shelf.spacing, matches!(part.order, Order::Shuffle));
        self.parts.iter().zip(shelves).map(|both| (&*both.0.name, of(both))).collect()
    }
}

fn lies_in(candidate: &Candidate, folders: &[String]) -> bool {
    folders.iter().any(|folder| candidate.name.starts_with(folder.as_str()))
}

/// What comes next.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    /// The item; none for the card.
    pub(super) candidate: Option<&'a Candidate>,
    pub(super) role: Role,
    pub(super) opens_deck: bool,
    /// What viewers are told of the card.
    pub(super) card: Arc<Metadata>,
}

impl Piece<'_> {
    fn card(kind: Kind, until: Timestamp, told: &str) -> Self {
        let role = Role { kind, part: BASE.into(), due: Some(until) };
        let card = Arc::new(Metadata { title: told.to_owned(), ..Metadata::default() });
        Self { candidate: None, role, opens_deck: false, card }
    }
}

/// Returns until when everything bound has had its turn: what was due long before has missed it, and no state is believed
/// that says so of the days to come.
fn passed(state: &PickerState, start: Timestamp) -> Timestamp {
    let just_before = start.checked_sub(Timetable::TICK).unwrap_or(start);
    let Some(passed) = state.parts.passed else { return just_before };
    let far = |span: SignedDuration| start.checked_add(span).unwrap_or(start);
    if passed > far(PASSED_AHEAD_MAX) { just_before } else { passed.max(far(-LATE_MAX)) }
}

/// Weaves programmes.
pub(super) struct Weaver<'a> {
    table: &'a Timetable,
    stock: &'a Stock,
    shelves: &'a [Shelf<'a>],
    pickers: Vec<Picker<'a>>,
    since_ident: usize,
    passed: Timestamp,
    /// What is bound to begin next, once it was looked for.
    occasion: Option<Occasion>,
    looked: bool,
    hours: Option<(Timestamp, Hours)>,
    /// What fills the present hole.
    fillers: VecDeque<&'a Candidate>,
}

impl<'a> Weaver<'a> {
    /// Goes on from a state, beginning at `start`.
    pub(super) fn new(
        table: &'a Timetable,
        stock: &'a Stock,
        shelves: &'a [Shelf<'a>],
        state: &PickerState,
        start: Timestamp,
    ) -> Self {
        let picker = |(part, shelf): (&Part, &'a Shelf<'a>)| match state.parts.state(&part.name) {
            _ if part.name.is_empty() => Picker::new(shelf, state),
            Some(state) => Picker::new(shelf, state),
            None => Picker::new(shelf, &state.branch(&part.name)),
        };
        Self {
            table,
            stock,
            shelves,
            pickers: stock.parts.iter().zip(shelves).map(picker).collect(),
            since_ident: state.parts.since_ident,
            passed: passed(state, start),
            occasion: None,
            looked: false,
            hours: None,
            fillers: VecDeque::new(),
        }
    }

    /// Remembers a programme that was planned before.
    pub(super) fn note(&mut self, programme: &Programme, opens_deck: bool) {
        self.since_ident = counted(self.since_ident, programme.role.kind);
        if let Some(due) = programme.bound_to() {
            self.passed = self.passed.max(due);
        }
        let part = self.stock.parts.iter().position(|part| part.name == programme.role.part);
        if let Some(part) = part.filter(|_| !programme.is_card()) {
            self.pickers[part].note(&programme.key, &programme.name, opens_deck);
        }
    }

    /// Whether what fills the present hole is still to come.
    pub(super) fn is_filling(&self) -> bool {
        !self.fillers.is_empty()
    }

    /// Returns what begins at `start`, and remembers it; none where there is nothing at all.
    pub(super) fn next(&mut self, start: Timestamp) -> Option<Piece<'a>> {
        let mut bound = None;
        while let Some(occasion) = self.occasion().filter(|occasion| occasion.due <= start) {
            self.pass(occasion.due);
            if start.duration_since(occasion.due) > LATE_MAX {
                continue;
            }
            match occasion.what {
                Bound::Fixed(n) => return self.by_turn(self.stock.fixed[n], Some(occasion.due)),
                Bound::Block(_) => bound = Some(occasion.due),
            }
        }
        let next = self.occasion();
        let hours = self.hours(start);
        if let Some(end) = hours.off_until {
            let end = next.map_or(end, |next| next.due.min(end));
            return Some(Piece::card(Kind::SignOff, end, &format!("Off the air until {}", self.table.shown(end))));
        }
        let room = next.map_or(MediaTime(i64::MAX), |next| MediaTime::between(start, next.due));
        if let Some(filler) = self.filler(room) {
            return Some(filler);
        }
        if let Some(ident) = self.ident(room, bound) {
            return Some(ident);
        }
        let block = hours.block.map(|n| n + 1).filter(|part| !self.shelves[*part].is_empty());
        let part = block.unwrap_or(0);
        if self.pickers[part].peek()?.duration <= room {
            return self.by_turn(part, bound);
        }
        Some(self.before(next?, part, room, bound))
    }

    /// What is on in a hole that the next in turn is too long for.
    fn before(&mut self, next: Occasion, part: usize, room: MediaTime, bound: Option<Timestamp>) -> Piece<'a> {
        let other = (part != 0 && room >= HOLE_LONG).then_some(0);
        for part in [Some(part), other].into_iter().flatten() {
            if let Some(piece) = self.longest(part, room, false, bound) {
                return piece;
            }
        }
        let (rested, lengths): (Vec<_>, Vec<_>) = self.pickers[self.stock.fillers]
            .rested()
            .map(|(candidate, last_on)| (candidate, Filler { length: candidate.duration, last_on }))
            .unzip();
        self.fillers = hole::fill(room, &lengths).into_iter().map(|at| rested[at]).collect();
        if let Some(filler) = self.filler(room) {
            return filler;
        }
        let repeated = room >= HOLE_REPEATED;
        for part in [part, 0].into_iter().filter(|_| repeated) {
            if let Some(piece) = self.longest(part, room, true, bound) {
                return piece;
            }
        }
        let at = self.table.shown(next.due);
        let told = match self.title(next.what) {
            Some(title) => format!("Next at {at}: {title}"),
            None => format!("The programme goes on at {at}"),
        };
        Piece::card(Kind::Pause, next.due, &told)
    }

    fn by_turn(&mut self, part: usize, due: Option<Timestamp>) -> Option<Piece<'a>> {
        let pick = self.pickers[part].pick()?;
        let candidate = self.shelves[part].candidate(pick.index);
        Some(self.item(candidate, Kind::Item, part, due, pick.opens_deck))
    }

    fn longest(&mut self, part: usize, room: MediaTime, again: bool, due: Option<Timestamp>) -> Option<Piece<'a>> {
        let pick = self.pickers[part].pick_longest(room, again)?;
        let candidate = self.shelves[part].candidate(pick.index);
        Some(self.item(candidate, Kind::Item, part, due, pick.opens_deck))
    }

    /// Returns the next filler of the present hole, as long as it is as it was.
    fn filler(&mut self, room: MediaTime) -> Option<Piece<'a>> {
        let left: MediaTime = self.fillers.iter().map(|filler| filler.duration).sum();
        if left > room {
            self.fillers.clear();
        }
        let filler = self.fillers.pop_front()?;
        let part = self.stock.fillers;
        self.pickers[part].note(&filler.key, &filler.name, false);
        Some(self.item(filler, Kind::Filler, part, None, false))
    }

    fn ident(&mut self, room: MediaTime, due: Option<Timestamp>) -> Option<Piece<'a>> {
        let every = self.table.wanted().idents.as_ref()?.every;
        let part = self.stock.idents;
        if self.since_ident < every || self.pickers[part].peek()?.duration > room {
            return None;
        }
        let pick = self.pickers[part].pick()?;
        let candidate = self.shelves[part].candidate(pick.index);
        Some(self.item(candidate, Kind::Ident, part, due, pick.opens_deck))
    }

    fn item(
        &mut self,
        candidate: &'a Candidate,
        kind: Kind,
        part: usize,
        due: Option<Timestamp>,
        opens_deck: bool,
    ) -> Piece<'a> {
        self.since_ident = counted(self.since_ident, kind);
        let role = Role { kind, part: Arc::clone(&self.stock.parts[part].name), due };
        Piece { candidate: Some(candidate), role, opens_deck, card: Arc::default() }
    }

    fn title(&self, what: Bound) -> Option<&'a str> {
        match what {
            Bound::Fixed(n) => self.table.wanted().fixed[n].name.as_deref(),
            Bound::Block(n) => Some(&self.table.wanted().blocks[n].name),
        }
    }

    /// Returns what is bound to begin next of what has not had its turn; nothing is bound of which there is nothing.
    fn occasion(&mut self) -> Option<Occasion> {
        if !self.looked {
            let may = |what| match what {
                Bound::Fixed(n) => !self.shelves[self.stock.fixed[n]].is_empty(),
                Bound::Block(_) => true,
            };
            self.occasion = self.table.next_occasion(self.passed, may);
            self.looked = true;
        }
        self.occasion
    }

    fn pass(&mut self, due: Timestamp) {
        self.passed = self.passed.max(due);
        self.looked = false;
    }

    fn hours(&mut self, at: Timestamp) -> Hours {
        match self.hours {
            Some((since, hours)) if since <= at && at < hours.until => hours,
            _ => {
                let hours = self.table.hours(at);
                self.hours = Some((at, hours));
                hours
            }
        }
    }
}
