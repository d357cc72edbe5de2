//! What viewers are told of a channel's programmes: what was, what is, what comes.

use std::sync::Arc;

use jiff::Timestamp;

use super::Core;
use crate::channel::status::AiringStatus;
use crate::feed::Airing;
use crate::library::Metadata;
use crate::schedule::Kind;
use crate::units::{ContentKey, MediaTime};

/// Serial, item, kind, metadata, beginning and length of something that comes.
type Coming<'c> = (Option<u64>, Option<&'c ContentKey>, Kind, &'c Arc<Metadata>, Timestamp, MediaTime);

impl Core {
    /// Returns what was and is on air at the live edge, newest last, by the wall clock as it is now.
    #[must_use]
    pub fn aired(&self) -> Arc<[AiringStatus]> {
        self.aired.iter().map(|(airing, date)| airing_status(airing, self.dated(*date))).collect()
    }

    /// Returns all that comes after what is on air at the live edge, by the wall clock as it is now. A plan of a day is
    /// told every other second and changes every few minutes: as long as it has not, it is the same slice.
    pub fn what_comes(&mut self) -> Arc<[AiringStatus]> {
        let told = self.coming.iter();
        let told = told.map(|one| (one.serial, one.key.as_ref(), one.kind, &one.metadata, one.start, one.duration));
        if !self.all_coming().eq(told) {
            let told = self.all_coming().map(|(serial, key, kind, metadata, start, duration)| AiringStatus {
                serial,
                key: key.cloned(),
                kind,
                metadata: Arc::clone(metadata),
                start,
                duration,
            });
            self.coming = told.collect();
        }
        Arc::clone(&self.coming)
    }

    /// Serial, item, kind, metadata, beginning and length of all that comes.
    fn all_coming(&self) -> impl Iterator<Item = Coming<'_>> {
        let edge = self.aired.back().map(|(airing, _)| airing);
        // Short items leave the plan before they are at the edge: they are fed, and wait for their time.
        let on = edge.and_then(|airing| airing.programme.as_ref()).map(|programme| programme.serial);
        let fed = move || {
            let coming = self.air.coming(edge.map_or(0, |airing| airing.id));
            coming.filter_map(|airing| Some((airing, airing.programme.as_ref()?)))
        };
        let known = fed().next_back().map(|(_, programme)| programme.serial).or(on);
        let planned = self.director.plan().programmes().iter().filter(move |one| Some(one.serial) != known);
        // A card is fed round by round, and is one programme.
        let mut last = on;
        let fed = fed().filter(move |(_, programme)| last.replace(programme.serial) != Some(programme.serial));
        let fed = fed.map(|(airing, programme)| (programme, airing.begins - airing.from.to_duration()));
        let all = fed.chain(planned.map(|programme| (programme, programme.start)));
        all.map(|(one, start)| {
            // A card lasts until its moment, whenever it began.
            let duration = if one.is_card() { MediaTime::between(start, one.end()) } else { one.duration };
            (Some(one.serial), Some(&one.key), one.role.kind, &one.metadata, self.dated(start), duration)
        })
    }
}

fn airing_status(airing: &Airing, date: Timestamp) -> AiringStatus {
    let start = date - airing.from.to_duration();
    match &airing.programme {
        Some(programme) => AiringStatus {
            serial: Some(programme.serial),
            key: Some(airing.key.clone()),
            kind: programme.role.kind,
            metadata: Arc::clone(&programme.metadata),
            start,
            duration: programme.duration,
        },
        None => AiringStatus {
            serial: None,
            key: None,
            kind: Kind::Pause,
            metadata: Arc::new(Metadata { title: "Back soon".to_owned(), ..Metadata::default() }),
            start,
            duration: MediaTime::ZERO,
        },
    }
}
