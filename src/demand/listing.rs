//! What of a channel can be watched on demand: its items by the names they have in addresses, searched and in order. Pure.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::config::{Profile, Timetable};
use crate::library::{Catalogue, Item};
use crate::prepare::MezzanineId;
use crate::schedule::natural::natural_cmp;
use crate::units::{ContentKey, MediaTime};

/// How many letters of an item's key are its name in addresses: of a hundred thousand items two are called alike once in two
/// thousand stations, and then one of them is not listed.
const ID_LEN: usize = 12;

/// How many items one answer lists at the most, and how many where nobody says.
pub const LISTED_MAX: usize = 200;
/// The same, where nobody says.
pub const LISTED: usize = 60;

/// How many letters of a search are looked at.
pub const WORDS_MAX: usize = 100;

/// One item as viewers are told of it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name in addresses: it goes with the bytes and tells nothing of where they lie.
    pub id: Arc<str>,
    /// The item.
    pub item: Arc<Item>,
    /// What it is prepared to.
    pub mezzanine: MezzanineId,
    /// What is searched, in small letters.
    text: Arc<str>,
}

/// In which order items are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// As titles are sorted by people.
    #[default]
    Title,
    /// What came last comes first.
    Newest,
}

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Words that must all be there; in any order.
    pub words: String,
    /// In which order.
    pub sort: Sort,
    /// Whether only what can be watched now.
    pub ready: bool,
    /// How many are left out from the beginning.
    pub from: usize,
    /// How many are wanted.
    pub limit: usize,
}

/// What is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// How many fit, whether listed or not.
    pub total: usize,
    /// How many of those that fit the words can be watched now.
    pub ready: usize,
    /// Those that are listed.
    pub listed: Vec<T>,
}

/// The items of a channel, by title.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    entries: Vec<Entry>,
    /// Places in `entries` by id.
    by_id: BTreeMap<Arc<str>, usize>,
    /// Places in `entries` in the order of the items' paths.
    by_name: Vec<usize>,
}

/// Returns what an item of these bytes is called in addresses.
#[must_use]
pub fn id_of(key: &ContentKey) -> &str {
    key.0.get(..ID_LEN).unwrap_or(&key.0)
}

impl Listing {
    /// Returns the items of a catalogue, prepared to a profile. What only stands between programmes is left
    /// out, and of copies all but one.
    #[must_use]
    pub fn new(catalogue: &Catalogue, timetable: &Timetable, profile: &Profile) -> Self {
        let between: Vec<&String> =
            timetable.fillers.iter().chain(timetable.idents.iter().flat_map(|idents| &idents.folders)).collect();
        let mut seen = HashSet::new();
        let mut entries: Vec<Entry> = catalogue
            .items
            .values()
            .filter(|item| !between.iter().any(|folder| item.name.starts_with(folder.as_str())))
            .filter(|item| seen.insert(id_of(&item.key)))
            .map(|item| Entry {
                id: id_of(&item.key).into(),
                item: Arc::clone(item),
                mezzanine: MezzanineId::of(item, profile),
                text: searched(item),
            })
            .collect();
        entries.sort_by(|Entry { item: a, .. }, Entry { item: b, .. }| {
            natural_cmp(&a.metadata.title, &b.metadata.title).then_with(|| natural_cmp(&a.name, &b.name))
        });
        let by_id = entries.iter().enumerate().map(|(place, entry)| (Arc::clone(&entry.id), place)).collect();
        let mut by_name: Vec<usize> = (0..entries.len()).collect();
        by_name.sort_by(|a, b| natural_cmp(&entries[*a].item.name, &entries[*b].item.name));
        Self { entries, by_id, by_name }
    }

    /// Returns the item of this name.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.by_id.get(id).map(|place| &self.entries[*place])
    }

    /// Returns all items, by title.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the items that come after one in the order of their paths, which is that of the parts of a series.
    pub fn after(&self, id: &str) -> impl Iterator<Item = &Entry> {
        let place = self.by_id.get(id).and_then(|place| self.by_name.iter().position(|other| other == place));
        let later = place.map_or(&[][..], |place| &self.by_name[place + 1..]);
        later.iter().map(|place| &self.entries[*place])
    }

    /// Returns what fits, with what `standing` tells of each: whether it can be watched now, or none where it never will be.
    #[must_use]
    pub fn find(&self, asked: &Asked, standing: &[Option<bool>]) -> Found<(&Entry, bool)> {
        let lower = asked.words.chars().take(WORDS_MAX).collect::<String>().to_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        let fits = |entry: &Entry| words.iter().all(|word| entry.text.contains(word));
        let known = self.entries.iter().zip(standing).filter_map(|(entry, standing)| Some((entry, (*standing)?)));
        let mut found: Vec<(&Entry, bool)> = known.filter(|(entry, _)| fits(entry)).collect();
        let ready = found.iter().filter(|(_, ready)| *ready).count();
        if asked.ready {
            found.retain(|(_, ready)| *ready);
        }
        if asked.sort == Sort::Newest {
            // Stable: of one moment, by title.
            found.sort_by_key(|(entry, _)| std::cmp::Reverse(entry.item.stamp.mtime_ns));
        }
        let total = found.len();
        let listed = found.into_iter().skip(asked.from).take(asked.limit.clamp(1, LISTED_MAX)).collect();
        Found { total, ready, listed }
    }
}

impl Entry {
    /// Returns how long it is, as far as its container is to be believed.
    #[must_use]
    pub fn duration(&self) -> MediaTime {
        self.item.media.duration.max(MediaTime::ZERO)
    }
}

/// What viewers read of an item is what they search for; where it lies is nobody's business.
fn searched(item: &Item) -> Arc<str> {
    let told = &item.metadata;
    let more = [&told.author, &told.date, &told.description];
    let more = more.into_iter().flatten().map(String::as_str);
    let all: Vec<&str> = std::iter::once(told.title.as_str()).chain(more).collect();
    all.join("\n").to_lowercase().into()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::Burn;
    use crate::config::timetable::Idents;
    use crate::library::sample;
    use crate::library::subtitles::Purpose;
    use crate::prepare::queue::tests::want;

    /// An item of this path, title and time of change.
    fn item(n: usize, name: &str, title: &str, mtime_ns: i64) -> (PathBuf, Arc<Item>) {
        let mut item = Item::clone(&want("any", 9).item);
        item.key = ContentKey(format!("{n:032x}").chars().rev().collect::<String>().into());
        item.name = name.into();
        item.path = PathBuf::from("/secret").join(name);
        item.stamp.mtime_ns = mtime_ns;
        item.metadata.title = title.to_owned();
        (item.path.clone(), Arc::new(item))
    }

    fn listing(all: &[(&str, &str, i64)], timetable: &Timetable) -> Listing {
        let items = all.iter().enumerate().map(|(n, (name, title, mtime))| item(n + 1, name, title, *mtime));
        let catalogue = Catalogue { items: items.collect(), ..Catalogue::default() };
        Listing::new(&catalogue, timetable, &want("any", 9).profile)
    }

    const FILMS: [(&str, &str, i64); 5] = [
        ("show/2.mkv", "Part 2", 30),
        ("show/10.mkv", "Part 10", 10),
        ("show/1.mkv", "Part 1", 20),
        ("films/b.mkv", "a walk in the Night", 5),
        ("idents/x.mkv", "Ident", 99),
    ];

    fn titles(found: &Found<(&Entry, bool)>) -> String {
        let all: Vec<&str> = found.listed.iter().map(|(entry, _)| entry.item.metadata.title.as_str()).collect();
        all.join(", ")
    }

    fn timetable() -> Timetable {
        Timetable {
            idents: Some(Idents { folders: vec!["idents/".to_owned()], drawn: false, every: 2 }),
            ..Timetable::default()
        }
    }

    #[test]
    fn films_are_found_by_all_words_and_listed_as_people_sort_them() {
        let listing = listing(&FILMS, &timetable());
        let all = [Some(true), Some(false), Some(true), Some(true)];
        let ask = |words: &str| Asked { words: words.to_owned(), limit: 9, ..Asked::default() };
        for (sentence, asked, expected, total, ready) in [
            ("all, without what stands between", ask(""), "a walk in the Night, Part 1, Part 2, Part 10", 4, 3),
            ("every word counts", ask("NIGHT a"), "a walk in the Night", 1, 1),
            ("no path is searched", ask("show"), "", 0, 0),
            ("what is ready", Asked { ready: true, ..ask("part") }, "Part 2, Part 10", 2, 2),
            (
                "the newest",
                Asked { sort: Sort::Newest, ..ask("") },
                "Part 2, Part 1, Part 10, a walk in the Night",
                4,
                3,
            ),
            ("a page", Asked { from: 1, limit: 2, ..ask("") }, "Part 1, Part 2", 4, 3),
            ("beyond the end", Asked { from: 9, ..ask("") }, "", 4, 3),
            ("at least one", Asked { limit: 0, ..ask("") }, "a walk in the Night", 4, 3),
        ] {
            let found = listing.find(&asked, &all);
            assert_eq!((titles(&found).as_str(), found.total, found.ready), (expected, total, ready), "{sentence}");
        }
        let failed = [Some(true), None, Some(true), Some(true)];
        assert_eq!(listing.find(&ask("part"), &failed).total, 2, "what cannot be prepared is not listed");
    }

    #[test]
    fn an_item_is_known_by_its_bytes_and_copies_are_one() {
        let mut items: BTreeMap<PathBuf, Arc<Item>> = [item(1, "a.mkv", "A", 0), item(2, "b.mkv", "B", 0)].into();
        let copy = Item { name: "c.mkv".into(), ..Item::clone(&items[&PathBuf::from("/secret/a.mkv")]) };
        items.insert("/secret/c.mkv".into(), Arc::new(copy));
        let catalogue = Catalogue { items, ..Catalogue::default() };
        let listing = Listing::new(&catalogue, &Timetable::default(), &want("any", 9).profile);
        assert_eq!(listing.entries().len(), 2);
        let id = &listing.entries()[1].id;
        assert_eq!((&**id, id.len()), (id_of(&listing.entries()[1].item.key), ID_LEN));
        assert_eq!(listing.get(id).map(|entry| &*entry.item.metadata.title), Some("B"));
        assert!(listing.get("nothing").is_none());
    }

    /// Goal: films with subtitles in their pictures can be watched, too. Method: two films of a channel that burns them in, of
    /// which one has some; each is looked for under the name that the workshop gives it.
    #[test]
    fn an_item_is_looked_for_by_what_is_burned_into_it() {
        let burn = Burn { subtitles: Some([].into()), logo: None };
        let profile = Profile { burn, ..Profile::clone(&want("any", 9).profile) };
        let (path, silent) = item(1, "a.mkv", "A", 0);
        let mut said = Item::clone(&item(2, "b.mkv", "B", 0).1);
        said.subtitles = [sample::subtitles("/m/b.srt", "en", Purpose::Full, 1)].into();
        let items = [(path, silent), (said.path.clone(), Arc::new(said))].into();
        let listing = Listing::new(&Catalogue { items, ..Catalogue::default() }, &Timetable::default(), &profile);
        let [silent, said] = listing.entries() else { panic!("two items: {listing:?}") };
        assert_ne!(silent.mezzanine.profile, said.mezzanine.profile);
        for Entry { item, mezzanine, .. } in [silent, said] {
            assert_eq!(*mezzanine, MezzanineId::of(item, &profile), "{}", item.name);
        }
    }

    #[test]
    fn after_a_part_of_a_series_comes_the_next() {
        let listing = listing(&FILMS, &timetable());
        let id = |title: &str| {
            let entry = listing.entries().iter().find(|entry| entry.item.metadata.title == title);
            Arc::clone(&entry.unwrap().id)
        };
        let next = |title: &str| listing.after(&id(title)).next().map(|entry| &*entry.item.metadata.title);
        assert_eq!([next("Part 1"), next("Part 2"), next("Part 10")], [Some("Part 2"), Some("Part 10"), None]);
        assert_eq!(listing.after("nothing").count(), 0);
    }
}
