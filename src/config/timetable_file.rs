//! A channel's timetable as written in, a [`Timetable`] out.

use std::collections::HashSet;
use std::path::Path;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::channel::Ordering;
use super::file::{At, WeightsFile};
use super::problem::{Problems, nearest};
use super::table::{Section, complain};
use super::timetable::{
    BLOCKS_MAX, Block, Days, FIXED_MAX, Fixed, Idents, PREFIXES_MAX, SignOff, TimeOfDay, Timetable, of_the_week,
};
use super::validate::Judge;

/// The keys of each `[[channel.block]]`.
pub(super) const BLOCK_KEYS: &[&str] =
    &["name", "days", "from", "to", "folder", "order", "spacing", "weights", "sharp"];
/// The keys of each `[[channel.fixed]]`.
pub(super) const FIXED_KEYS: &[&str] = &["name", "at", "days", "folder"];
const IDENTS_KEYS: &[&str] = &["folder", "drawn", "every"];
const SIGN_OFF_KEYS: &[&str] = &["from", "to"];

/// A timetable as it is written.
#[derive(Debug, Default)]
pub(super) struct TimetableFile {
    blocks: Vec<At<BlockFile>>,
    fixed: Vec<At<FixedFile>>,
    fillers: Vec<At<String>>,
    idents: Option<IdentsFile>,
    sign_off: Option<At<SignOffFile>>,
}

#[derive(Debug)]
struct BlockFile {
    name: Option<At<String>>,
    days: Vec<At<String>>,
    from: Option<At<String>>,
    to: Option<At<String>>,
    folders: Vec<At<String>>,
    order: Option<At<String>>,
    spacing: Option<At<i64>>,
    weights: Option<At<WeightsFile>>,
    sharp: Option<At<bool>>,
}

#[derive(Debug)]
struct FixedFile {
    name: Option<At<String>>,
    at: Option<At<String>>,
    days: Vec<At<String>>,
    folders: Vec<At<String>>,
}

#[derive(Debug)]
struct IdentsFile {
    folders: Vec<At<String>>,
    drawn: bool,
    every: Option<At<i64>>,
}

#[derive(Debug)]
struct SignOffFile {
    from: Option<At<String>>,
    to: Option<At<String>>,
}

/// Reads what of a channel's table is its timetable.
pub(super) fn read(channel: &Section<'_>, problems: &mut Problems) -> TimetableFile {
    let blocks = tables(channel, "block", BLOCK_KEYS, BLOCKS_MAX, problems, |section, problems| {
        section.require("from", "when it begins: from = \"18:00\"", problems);
        section.require("to", "when it ends: to = \"20:00\"", problems);
        section.require("folder", "what is on: folder = \"Cartoons/\"", problems);
        BlockFile {
            name: section.text("name", problems),
            days: section.texts("days", problems),
            from: section.text("from", problems),
            to: section.text("to", problems),
            folders: section.texts("folder", problems),
            order: section.text("order", problems),
            spacing: section.whole("spacing", problems),
            weights: section.weights("weights", problems),
            sharp: section.truth("sharp", problems),
        }
    });
    let fixed = tables(channel, "fixed", FIXED_KEYS, FIXED_MAX, problems, |section, problems| {
        section.require("at", "when it begins: at = \"20:00\"", problems);
        section.require("folder", "what is on: folder = \"News/\"", problems);
        FixedFile {
            name: section.text("name", problems),
            at: section.text("at", problems),
            days: section.texts("days", problems),
            folders: section.texts("folder", problems),
        }
    });
    let idents = inline(channel, "idents", "{ folder = \"idents/\", every = 3 }", problems).map(|(table, value)| {
        let section = Section::open(table, value.span(), place(channel, "idents"), IDENTS_KEYS, problems);
        let drawn = section.truth("drawn", problems).map(|drawn| *drawn.get_ref());
        if drawn == Some(false) || section.value("drawn").is_none() {
            let hint = "where they lie: folder = \"idents/\"; or drawn = true for one that the station draws itself";
            section.require("folder", hint, problems);
        }
        let drawn = drawn == Some(true);
        section.require("every", "after how many programmes one comes: every = 3", problems);
        IdentsFile { folders: section.texts("folder", problems), drawn, every: section.whole("every", problems) }
    });
    let sign_off =
        inline(channel, "sign-off", "{ from = \"02:00\", to = \"06:00\" }", problems).map(|(table, value)| {
            let section = Section::open(table, value.span(), place(channel, "sign-off"), SIGN_OFF_KEYS, problems);
            section.require("from", "when the channel goes off the air: from = \"02:00\"", problems);
            section.require("to", "when it is back: to = \"06:00\"", problems);
            Spanned::new(
                value.span(),
                SignOffFile { from: section.text("from", problems), to: section.text("to", problems) },
            )
        });
    TimetableFile { blocks, fixed, fillers: channel.texts("fillers", problems), idents, sign_off }
}

fn place(channel: &Section<'_>, key: &str) -> String {
    format!("{key} of {}", channel.place())
}

/// Reads a list of tables below a channel.
fn tables<T>(
    channel: &Section<'_>,
    key: &str,
    keys: &'static [&'static str],
    most: usize,
    problems: &mut Problems,
    mut read: impl FnMut(&Section<'_>, &mut Problems) -> T,
) -> Vec<At<T>> {
    let wanted = format!("a table with [[channel.{key}]], in double brackets, above it");
    let Some((_, value)) = channel.value(key) else { return Vec::new() };
    let DeValue::Array(array) = value.get_ref() else {
        let hint = format!("write [[channel.{key}]], in double brackets");
        complain(problems, &value.span(), channel.place(), format!("{key} is not a list of tables"), Some(&hint));
        return Vec::new();
    };
    if let Some(surplus) = array.get(most) {
        let message = format!("there are {} of {key}, the most is {most}", array.len());
        complain(problems, &surplus.span(), channel.place(), message, Some("take several folders, or days, together"));
    }
    let mut found = Vec::new();
    for value in array.iter().take(most) {
        let DeValue::Table(table) = value.get_ref() else {
            channel.wrong_type(key, value, &wanted, problems);
            continue;
        };
        let place = format!("[[channel.{key}]] of {}", channel.place());
        let section = Section::open(table, value.span(), place, keys, problems);
        found.push(Spanned::new(value.span(), read(&section, problems)));
    }
    found
}

/// Reads a table written on one line.
fn inline<'t>(
    channel: &Section<'t>,
    key: &str,
    wanted: &str,
    problems: &mut Problems,
) -> Option<(&'t DeTable<'t>, &'t Spanned<DeValue<'t>>)> {
    let (_, value) = channel.value(key)?;
    if let DeValue::Table(table) = value.get_ref() {
        return Some((table, value));
    }
    channel.wrong_type(key, value, &format!("a table, {wanted}"), problems);
    None
}

impl Judge<'_> {
    /// Returns the time zone of the station; none for the system's.
    pub(super) fn time_zone(&mut self, written: &At<String>) -> Option<TimeZone> {
        let name = written.get_ref().trim();
        if name == "system" {
            return None;
        }
        // The one built in: what a configuration means is not to depend on the machine that reads it.
        let zones = TimeZoneDatabase::bundled();
        if let Ok(zone) = zones.get(name) {
            return Some(zone);
        }
        let all: Vec<String> = zones.available().map(|zone| zone.to_string()).collect();
        let city = |zone: &String| zone.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let wanted = name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase().replace(' ', "_");
        let names: Vec<&str> = all.iter().map(String::as_str).collect();
        let near = all.iter().find(|zone| city(zone) == wanted).map(String::as_str).or_else(|| nearest(name, &names));
        let such_as = "a continent and a city, such as \"Europe/Berlin\"; \"UTC\"; or \"system\" for the machine's own";
        let hint = near.map_or_else(|| such_as.to_owned(), |near| format!("did you mean \"{near}\"? It is {such_as}"));
        self.complain(&written.span(), format!("there is no time zone {name:?}"), Some(hint));
        None
    }

    /// Returns a channel's timetable.
    pub(super) fn timetable(&mut self, file: &TimetableFile, zone: Option<&TimeZone>) -> Timetable {
        let channel = self.place.clone();
        let blocks = file.blocks.iter().filter_map(|block| self.block(block.get_ref(), &channel)).collect();
        let fixed = file.fixed.iter().filter_map(|fixed| self.fixed(fixed.get_ref(), &channel)).collect();
        self.place.clone_from(&channel);
        let fillers = self.prefixes("fillers", &file.fillers);
        let idents = file.idents.as_ref().and_then(|idents| {
            let every = idents.every.as_ref()?;
            let every = self.within("every", every, &(1..=1000), "3 is one ident after every three programmes")?;
            Some(Idents { folders: self.prefixes("idents", &idents.folders), drawn: idents.drawn, every })
        });
        let sign_off = file.sign_off.as_ref().and_then(|written| {
            let SignOffFile { from, to } = written.get_ref();
            let (from, to) = (self.time("from", from.as_ref()?)?, self.time("to", to.as_ref()?)?);
            if from == to {
                let hint = "a channel that is never on air needs no timetable: take it out".to_owned();
                self.complain(&written.span(), "sign-off lasts the whole day".to_owned(), Some(hint));
            }
            Some(SignOff { from, to })
        });
        let mut timetable = Timetable { zone: None, blocks, fixed, fillers, idents, sign_off };
        self.clashes(file, &timetable, &channel);
        self.place = channel;
        timetable.zone = zone.filter(|_| !timetable.is_empty()).cloned();
        timetable
    }

    fn block(&mut self, file: &BlockFile, channel: &str) -> Option<Block> {
        self.place = format!("[[channel.block]] of {channel}");
        let ordering = Ordering { order: &file.order, spacing: &file.spacing, weights: &file.weights, seed: &None };
        let order = self.order_of(&ordering);
        let folders = self.prefixes("folder", &file.folders);
        let name = file.name.as_ref().map(|name| self.name(name));
        let days = self.days(&file.days);
        let (from, to) = (self.time("from", file.from.as_ref()?)?, self.time("to", file.to.as_ref()?)?);
        let name = name.flatten().or_else(|| folders.first().cloned())?;
        Some(Block { name, days, from, to, folders, order, sharp: file.sharp.as_ref().is_some_and(|s| *s.get_ref()) })
    }

    fn fixed(&mut self, file: &FixedFile, channel: &str) -> Option<Fixed> {
        self.place = format!("[[channel.fixed]] of {channel}");
        let name = file.name.as_ref().and_then(|name| self.name(name));
        let folders = self.prefixes("folder", &file.folders);
        let days = self.days(&file.days);
        let at = self.time("at", file.at.as_ref()?)?;
        Some(Fixed { name, at, days, folders })
    }

    fn time(&mut self, key: &str, written: &At<String>) -> Option<TimeOfDay> {
        let time = TimeOfDay::parse(written.get_ref());
        if time.is_none() {
            let hint = "hours and minutes, 00:00 to 24:00: \"20:15\"".to_owned();
            self.complain(&written.span(), format!("{key} is not a time of day: {:?}", written.get_ref()), Some(hint));
        }
        time
    }

    fn days(&mut self, written: &[At<String>]) -> Days {
        let mut days: Option<Days> = None;
        for word in written {
            if let Some(more) = Days::parse(word.get_ref()) {
                days = Some(days.map_or(more, |days| days.and(more)));
            } else {
                let hint = "\"mon\" to \"sun\", \"mon-fri\", [\"sat\", \"sun\"]; left out, it is every day".to_owned();
                self.complain(&word.span(), format!("{:?} is no day of the week", word.get_ref()), Some(hint));
            }
        }
        days.unwrap_or(Days::ALL)
    }

    fn prefixes(&mut self, key: &str, written: &[At<String>]) -> Vec<String> {
        if let Some(surplus) = written.get(PREFIXES_MAX) {
            let message = format!("{key} names {} folders, the most is {PREFIXES_MAX}", written.len());
            self.complain(&surplus.span(), message, Some("name the folder above".to_owned()));
        }
        for prefix in written.iter().take(PREFIXES_MAX) {
            let text = prefix.get_ref();
            let inside = !text.is_empty()
                && !text.starts_with(['/', '.'])
                && !Path::new(text).components().any(|part| part.as_os_str() == "..");
            if !inside {
                let message = format!("{key} is a path within the channel's folder, got {text:?}");
                self.complain(&prefix.span(), message, Some("begin below the channel's folder: \"News/\"".to_owned()));
            }
        }
        written.iter().map(|prefix| prefix.get_ref().clone()).collect()
    }

    /// Complains of what cannot be at one time, or be told apart.
    fn clashes(&mut self, file: &TimetableFile, timetable: &Timetable, channel: &str) {
        // What could not be read was complained of, and its place in the list is lost.
        if timetable.blocks.len() == file.blocks.len() {
            self.place = format!("[[channel.block]] of {channel}");
            let mut names = HashSet::new();
            for (n, (block, written)) in timetable.blocks.iter().zip(&file.blocks).enumerate() {
                if !names.insert(&block.name) {
                    let hint = "a block goes on where the block of that name stopped: name them apart".to_owned();
                    self.complain(&written.span(), format!("two blocks have the name {:?}", block.name), Some(hint));
                }
                for other in &timetable.blocks[..n] {
                    if let Some((day, from)) = overlap(block, other) {
                        let message =
                            format!("the blocks {:?} and {:?} overlap on {day} at {from}", other.name, block.name);
                        let hint = "only one can be on: change days, from or to".to_owned();
                        self.complain(&written.span(), message, Some(hint));
                    }
                }
            }
        }
        if timetable.fixed.len() == file.fixed.len() {
            self.place = format!("[[channel.fixed]] of {channel}");
            for (n, (fixed, written)) in timetable.fixed.iter().zip(&file.fixed).enumerate() {
                let twin =
                    timetable.fixed[..n].iter().any(|other| other.at == fixed.at && other.days.meets(fixed.days));
                if twin {
                    let hint = "only one can begin then: change at or days".to_owned();
                    self.complain(&written.span(), format!("two programmes begin at {}", fixed.at), Some(hint));
                }
                if timetable.sign_off.is_some_and(|off| during(off, fixed.at)) {
                    let message = format!("the programme at {} begins while the channel is off the air", fixed.at);
                    let hint = "change at, or sign-off of the channel".to_owned();
                    self.complain(&written.span(), message, Some(hint));
                }
            }
        }
    }
}

fn during(off: SignOff, at: TimeOfDay) -> bool {
    if off.from < off.to { (off.from..off.to).contains(&at) } else { at >= off.from || at < off.to }
}

/// Returns the first day and time of the week at which both are on.
fn overlap(one: &Block, other: &Block) -> Option<(&'static str, TimeOfDay)> {
    let others = of_the_week(other.days, other.from, other.to);
    let times = of_the_week(one.days, one.from, one.to);
    let both = times.iter().flat_map(|(from, to)| others.iter().map(move |(f, t)| (*from.max(f), *to.min(t))));
    let first = both.filter(|(from, to)| from < to).map(|(from, _)| from).min()?;
    let minute = first % TimeOfDay::DAY;
    let time = TimeOfDay::parse(&format!("{}:{:02}", minute / 60, minute % 60))?;
    Some((Days::name(u8::try_from(first / TimeOfDay::DAY).unwrap_or(0)), time))
}
