//! Times on the wall's clock in, moments out: which hours it is, and what is bound to begin next.
//!
//! A day has 23 or 25 hours where the clocks are changed. A time that does not exist then is as much later as the clocks
//! were put forward; of a time that comes twice the first counts.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::Candidate;
use crate::config::timetable::{Days, TimeOfDay, Timetable as Wanted};

/// How many days ahead the next bound programme is looked for: one that is weekly is found on the eighth at the latest.
const DAYS_AHEAD: usize = 9;

/// A channel's timetable, and where its clock hangs.
#[derive(Clone, Debug, PartialEq)]
pub struct Timetable {
    wanted: Wanted,
    /// The ident that was drawn for the channel: beside its library, as nothing but an ident may be made of it.
    ident: Option<Candidate>,
    zone: TimeZone,
    /// How much later the wall clock is than the time that the plan is in.
    stepped: SignedDuration,
}

/// What hours it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hours {
    /// The block that is on; none outside of all.
    pub(super) block: Option<usize>,
    /// Until when the channel is off the air, if it is.
    pub(super) off_until: Option<Timestamp>,
    /// From when on it may be otherwise.
    pub(super) until: Timestamp,
}

/// Something that begins at its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Occasion {
    pub(super) due: Timestamp,
    pub(super) what: Bound,
}

/// What begins at its time: by its place in the timetable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Fixed(usize),
    Block(usize),
}

impl Timetable {
    /// Returns the timetable whose clock hangs in a zone, or in its own where it names one; none where nothing stands at a
    /// time of its own.
    #[must_use]
    pub fn new(wanted: &Wanted, zone: TimeZone) -> Option<Self> {
        let zone = wanted.zone.clone().unwrap_or(zone);
        (!wanted.is_empty()).then(|| Self { wanted: wanted.clone(), ident: None, zone, stepped: SignedDuration::ZERO })
    }

    /// Returns the same where the wall clock is so much later than the plan's own time.
    #[must_use]
    pub fn stepped(&self, stepped: SignedDuration) -> Self {
        Self { stepped, ..self.clone() }
    }

    /// Returns the same with the ident that was drawn for the channel, where one is wanted; or without one.
    #[must_use]
    pub fn with_ident(&self, ident: Option<Candidate>) -> Self {
        let wanted = self.wanted.idents.as_ref().is_some_and(|idents| idents.drawn);
        Self { ident: ident.filter(|_| wanted), ..self.clone() }
    }

    pub(super) fn ident(&self) -> Option<&Candidate> {
        self.ident.as_ref()
    }

    pub(super) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Returns a moment as the clock on the wall shows it: `20:00`.
    pub(super) fn shown(&self, moment: Timestamp) -> String {
        self.zone.to_datetime(self.told(moment)).strftime("%H:%M").to_string()
    }

    /// Returns what hours it is at a moment.
    pub(super) fn hours(&self, at: Timestamp) -> Hours {
        let today = self.date(at);
        let mut hours = Hours { block: None, off_until: None, until: self.midnight_after(today).max(at + Self::TICK) };
        for date in self.days_from(today, -1, 3) {
            for (n, block) in self.wanted.blocks.iter().enumerate() {
                if hours.see(self.times(date, block.days, block.from, block.to), at) && hours.block.is_none() {
                    hours.block = Some(n);
                }
            }
            if let Some(off) = self.wanted.sign_off {
                let times = self.times(date, Days::ALL, off.from, off.to);
                if hours.see(times, at) {
                    hours.off_until = times.map(|(_, end)| end);
                }
            }
        }
        hours
    }

    /// Returns what is bound to begin first after a moment, of what `may` be.
    pub(super) fn next_occasion(&self, after: Timestamp, may: impl Fn(Bound) -> bool) -> Option<Occasion> {
        let fixed = self.wanted.fixed.iter().enumerate().map(|(n, fixed)| (fixed.days, fixed.at, Bound::Fixed(n)));
        let sharp = self.wanted.blocks.iter().enumerate().filter(|(_, block)| block.sharp);
        let bound = fixed.chain(sharp.map(|(n, block)| (block.days, block.from, Bound::Block(n))));
        let bound: Vec<_> = bound.filter(|(.., what)| may(*what)).collect();
        if bound.is_empty() {
            return None;
        }
        self.days_from(self.date(after), -1, DAYS_AHEAD + 1).find_map(|date| {
            let day = bound.iter().filter(|(days, ..)| on(*days, date));
            let moments = day.filter_map(|(_, at, what)| Some(Occasion { due: self.moment(date, *at)?, what: *what }));
            moments.filter(|occasion| occasion.due > after).min_by_key(|occasion| occasion.due)
        })
    }

    /// The least that two moments differ by.
    pub(super) const TICK: SignedDuration = SignedDuration::from_nanos(1);

    fn told(&self, moment: Timestamp) -> Timestamp {
        moment.checked_add(self.stepped).unwrap_or(moment)
    }

    fn date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(self.told(at)).date()
    }

    #[expect(clippy::unused_self, reason = "reads like its neighbours")]
    fn days_from(&self, date: Date, first: i64, count: usize) -> impl Iterator<Item = Date> + use<> {
        (first..).take(count).filter_map(move |days| date.checked_add(days.days()).ok())
    }

    fn midnight_after(&self, date: Date) -> Timestamp {
        let end = TimeOfDay::parse("24:00").and_then(|end| self.moment(date, end));
        end.unwrap_or(Timestamp::MAX)
    }

    /// Returns the moment at which the clock shows a time on a date.
    fn moment(&self, date: Date, time: TimeOfDay) -> Option<Timestamp> {
        let minutes = time.minutes();
        let date = if minutes >= TimeOfDay::DAY { date.tomorrow().ok()? } else { date };
        let (hour, minute) = (i8::try_from(minutes / 60 % 24).ok()?, i8::try_from(minutes % 60).ok()?);
        let moment = self.zone.to_ambiguous_timestamp(date.at(hour, minute, 0, 0)).compatible().ok()?;
        moment.checked_sub(self.stepped).ok()
    }

    /// Returns from when to when something lasts that begins on a date, if it does.
    fn times(&self, date: Date, days: Days, from: TimeOfDay, to: TimeOfDay) -> Option<(Timestamp, Timestamp)> {
        if !on(days, date) {
            return None;
        }
        let last = if to > from { date } else { date.tomorrow().ok()? };
        Some((self.moment(date, from)?, self.moment(last, to)?)).filter(|(from, to)| from < to)
    }
}

impl Hours {
    /// Whether a moment is within these times; notes when that changes.
    fn see(&mut self, times: Option<(Timestamp, Timestamp)>, at: Timestamp) -> bool {
        let Some((from, to)) = times else { return false };
        for edge in [from, to].into_iter().filter(|edge| *edge > at) {
            self.until = self.until.min(edge);
        }
        (from..to).contains(&at)
    }
}

fn on(days: Days, date: Date) -> bool {
    u8::try_from(date.weekday().to_monday_zero_offset()).is_ok_and(|day| days.has(day))
}

#[cfg(test)]
#[path = "timetable_tests.rs"]
mod tests;
