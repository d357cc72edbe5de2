//! What of a channel stands at a time of its own: blocks, programmes at fixed times, fillers, idents, sign-off.
//!
//! Times are those of a clock on the wall: which moments they are is a matter of days and zones, and of the schedule.

use std::fmt;

use jiff::tz::TimeZone;

use super::Order;

/// How many blocks a channel may have; each is held against each, and looked at for each programme.
pub const BLOCKS_MAX: usize = 100;
/// How many programmes at fixed times a channel may have: one for every hour of a week.
pub const FIXED_MAX: usize = 200;
/// How many folders a block, the fillers or the idents may have; each item is held against each.
pub const PREFIXES_MAX: usize = 100;

/// What of a channel stands at a time of its own. Folders are paths below the channel's folders, by their beginnings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timetable {
    /// Where its clock hangs; none for the system's. Told only where there is something to be told by it.
    pub zone: Option<TimeZone>,
    /// Hours with folders and an order of their own, in the order of the file; no two at one time.
    pub blocks: Vec<Block>,
    /// Programmes that begin at their time.
    pub fixed: Vec<Fixed>,
    /// What fills the hole before a fixed time.
    pub fillers: Vec<String>,
    /// What comes between programmes.
    pub idents: Option<Idents>,
    /// When the channel rests.
    pub sign_off: Option<SignOff>,
}

impl Timetable {
    /// Whether nothing stands at a time of its own: the channel is its folder and its order.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { zone: _, blocks, fixed, fillers, idents, sign_off } = self;
        blocks.is_empty() && fixed.is_empty() && fillers.is_empty() && idents.is_none() && sign_off.is_none()
    }

    /// Returns every folder that is named, with the table or the key that names it.
    pub fn folders(&self) -> impl Iterator<Item = (&str, String)> {
        let blocks = self.blocks.iter().flat_map(|block| {
            block.folders.iter().map(move |folder| (folder.as_str(), format!("the block {}", block.name)))
        });
        let fixed = self.fixed.iter().flat_map(|fixed| {
            fixed.folders.iter().map(move |folder| (folder.as_str(), format!("the programme at {}", fixed.at)))
        });
        let fillers = self.fillers.iter().map(|folder| (folder.as_str(), "fillers".to_owned()));
        let idents = self.idents.iter().flat_map(|idents| &idents.folders);
        blocks.chain(fixed).chain(fillers).chain(idents.map(|folder| (folder.as_str(), "idents".to_owned())))
    }

    /// Returns the pairs of fixed programmes on one day that leave less than this many minutes between them.
    #[must_use]
    pub fn fixed_closer_than(&self, minutes: u16) -> Vec<(&Fixed, &Fixed)> {
        let mut pairs = Vec::new();
        for (n, one) in self.fixed.iter().enumerate() {
            for other in &self.fixed[n + 1..] {
                let apart = one.at.0.abs_diff(other.at.0);
                if one.days.meets(other.days) && apart < minutes {
                    pairs.push(if one.at <= other.at { (one, other) } else { (other, one) });
                }
            }
        }
        pairs
    }
}

/// Hours with folders and an order of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Its name, unique in its channel: by it a series is found again where it stopped.
    pub name: String,
    /// On which days it begins.
    pub days: Days,
    /// When it begins.
    pub from: TimeOfDay,
    /// When it ends; not after `from` where it ends on the day after.
    pub to: TimeOfDay,
    /// What is on.
    pub folders: Vec<String>,
    /// How the next item is picked.
    pub order: Order,
    /// Whether it begins at its time, or when the item before it ends.
    pub sharp: bool,
}

/// A programme that begins at its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixed {
    /// What it is called in the announcement before it; the item's own title where nothing is said.
    pub name: Option<String>,
    /// When it begins.
    pub at: TimeOfDay,
    /// On which days.
    pub days: Days,
    /// What is on: of several items the next by name each time.
    pub folders: Vec<String>,
}

/// What comes between programmes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idents {
    /// Where they lie; none where all there is is drawn.
    pub folders: Vec<String>,
    /// Whether one is drawn by the station, of its names, colours and the channel's logo.
    pub drawn: bool,
    /// After how many programmes one comes.
    pub every: usize,
}

/// When the channel rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignOff {
    /// From when on nothing is begun.
    pub from: TimeOfDay,
    /// When the first programme begins; not after `from` where that is on the day after.
    pub to: TimeOfDay,
}

/// A time on the clock, in minutes since midnight; 24:00 is the end of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// Minutes of a day.
    pub const DAY: u16 = 24 * 60;

    /// Returns the time that a text such as `20:00` tells.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.trim().split_once(':')?;
        let digits = |part: &str, least: usize| {
            let fits = (least..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            fits.then(|| part.parse::<u16>().ok()).flatten()
        };
        let (hours, minutes) = (digits(hours, 1)?, digits(minutes, 2)?);
        let total = hours * 60 + minutes;
        (minutes < 60 && total <= Self::DAY).then_some(Self(total))
    }

    /// Returns the minutes since midnight.
    #[must_use]
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// Days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(u8);

impl Days {
    /// All of them.
    pub const ALL: Self = Self(0x7f);

    /// The names of the days, Monday first; longer ones may be written that begin so.
    const NAMES: [(&str, &str); 7] = [
        ("mon", "monday"),
        ("tue", "tuesday"),
        ("wed", "wednesday"),
        ("thu", "thursday"),
        ("fri", "friday"),
        ("sat", "saturday"),
        ("sun", "sunday"),
    ];

    /// Returns the days that a word tells: `sat`, `saturday`, `mon-fri`, `fri-mon`, `daily`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        if word == "daily" {
            return Some(Self::ALL);
        }
        let day =
            |name: &str| Self::NAMES.iter().position(|(short, long)| name.trim() == *short || name.trim() == *long);
        let (first, last) = match word.split_once('-') {
            Some((first, last)) => (day(first)?, day(last)?),
            None => (day(&word)?, day(&word)?),
        };
        let count = (last + 7 - first) % 7 + 1;
        Some((first..first + count).fold(Self(0), |days, day| Self(days.0 | 1 << (day % 7))))
    }

    /// Returns the days of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a day is one of them; Monday is 0.
    #[must_use]
    pub fn has(self, day: u8) -> bool {
        self.0 & (1 << (day % 7)) != 0
    }

    /// Whether there is a day that is one of both.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns the short name of a day; Monday is 0.
    #[must_use]
    pub fn name(day: u8) -> &'static str {
        Self::NAMES[usize::from(day % 7)].0
    }
}

/// Returns the times of a week that begin on these days and last from one time to another: minutes since Monday's
/// midnight, from and to, the last of the week parted where it crosses Sunday's.
pub(super) fn of_the_week(days: Days, from: TimeOfDay, to: TimeOfDay) -> Vec<(u16, u16)> {
    const WEEK: u16 = 7 * TimeOfDay::DAY;
    let length = if to.0 > from.0 { to.0 - from.0 } else { to.0 + TimeOfDay::DAY - from.0 };
    let mut times = Vec::new();
    for day in (0..7).filter(|day| days.has(*day)) {
        let start = (u16::from(day) * TimeOfDay::DAY + from.0) % WEEK;
        let end = start + length;
        times.push((start, end.min(WEEK)));
        if end > WEEK {
            times.push((0, end - WEEK));
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_clocks_show_them() {
        for (text, minutes) in [
            ("20:00", Some(1200)),
            ("6:05", Some(365)),
            ("00:00", Some(0)),
            ("24:00", Some(1440)),
            ("24:01", None),
            ("12:60", None),
            ("7", None),
            ("7:5", None),
            ("-1:00", None),
            ("8pm", None),
        ] {
            assert_eq!(TimeOfDay::parse(text).map(TimeOfDay::minutes), minutes, "{text}");
        }
    }

    #[test]
    fn days_are_read_as_people_write_them() {
        let told = |word: &str| {
            let days = Days::parse(word)?;
            Some((0..7).filter(|day| days.has(*day)).map(Days::name).collect::<Vec<_>>().join(" "))
        };
        for (word, days) in [
            ("mon", Some("mon")),
            ("Saturday", Some("sat")),
            ("mon-fri", Some("mon tue wed thu fri")),
            ("sat-sun", Some("sat sun")),
            ("fri-mon", Some("mon fri sat sun")),
            ("daily", Some("mon tue wed thu fri sat sun")),
            ("sat, sun", None),
            ("someday", None),
        ] {
            assert_eq!(told(word).as_deref(), days, "{word}");
        }
    }

    #[test]
    fn what_crosses_sundays_midnight_goes_on_on_monday() {
        let time = |text| TimeOfDay::parse(text).unwrap();
        let sunday = Days::parse("sun").unwrap();
        assert_eq!(of_the_week(sunday, time("22:00"), time("02:00")), [(9960, 10080), (0, 120)]);
        assert_eq!(of_the_week(sunday, time("06:00"), time("06:00")), [(9000, 10080), (0, 360)]);
    }
}
