//! Who the children are: by channel and role, those that live and what those used that have ended.
//!
//! Every child is entered when it starts and taken out when it ends; what it used is kept, so that sums never go back.
//! Whoever wants to know asks for sums and brings the eyes to look at the living with. Touches nothing of the world.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::child::{Ending, Role};
use crate::units::ChannelId;

/// The children of all channels; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Children(Arc<Mutex<BTreeMap<ChannelId, Family>>>);

impl Children {
    /// Returns the children of a channel. There are as many families as channels were ever configured.
    #[must_use]
    pub fn of(&self, channel: &ChannelId) -> Family {
        let mut families = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        families.entry(channel.clone()).or_default().clone()
    }
}

/// The children of one channel; cheap to clone. A new one belongs to no channel, and nobody asks for it.
#[derive(Clone, Debug, Default)]
pub struct Family(Arc<[Book; Role::ALL.len()]>);

/// What is known of the children of one role.
#[derive(Debug, Default)]
struct Book {
    entries: Mutex<Entries>,
    starts: AtomicU64,
    ends: [AtomicU64; Ending::ALL.len()],
}

#[derive(Debug, Default)]
struct Entries {
    living: Vec<Living>,
    /// By those that have ended.
    used: Usage,
}

#[derive(Debug)]
struct Living {
    pid: u32,
    started: Timestamp,
    /// As it was last seen.
    used: Usage,
}

/// What a process has used up to now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time, its own and the kernel's for it.
    pub cpu: Duration,
    /// Bytes read from disks.
    pub read_bytes: u64,
    /// Bytes written to disks.
    pub written_bytes: u64,
}

impl Usage {
    /// Adds what another used.
    fn add(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.read_bytes += other.read_bytes;
        self.written_bytes += other.written_bytes;
    }

    /// Never less than before: the system may tell less of one that is just ending.
    fn at_least(self, before: Self) -> Self {
        Self {
            cpu: self.cpu.max(before.cpu),
            read_bytes: self.read_bytes.max(before.read_bytes),
            written_bytes: self.written_bytes.max(before.written_bytes),
        }
    }
}

/// What a process uses and has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What it has used.
    pub used: Usage,
    /// Resident memory in bytes.
    pub memory_bytes: u64,
    /// Its threads.
    pub threads: u64,
    /// Its open files, sockets and pipes.
    pub handles: u64,
}

/// The children of a channel and role at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many live.
    pub living: u64,
    /// What they have used, and all before them.
    pub used: Usage,
    /// What the living have in memory, in bytes.
    pub memory_bytes: u64,
    /// The threads of the living.
    pub threads: u64,
    /// The open handles of the living.
    pub handles: u64,
    /// When the newest of them was started.
    pub newest: Option<Timestamp>,
    /// How many were ever started.
    pub starts: u64,
    /// How many ended, in the order of [`Ending::ALL`].
    pub ends: [u64; Ending::ALL.len()],
}

impl Family {
    fn book(&self, role: Role) -> &Book {
        &self.0[role as usize]
    }

    /// Enters a child that was started.
    pub fn begun(&self, role: Role, pid: u32, now: Timestamp) {
        let book = self.book(role);
        book.starts.fetch_add(1, Ordering::Relaxed);
        book.lock().living.push(Living { pid, started: now, used: Usage::default() });
    }

    /// Takes out a child that is ending, with what it used where that is known. Call it before it is waited for: from
    /// then on its pid may be another's.
    pub fn leaves(&self, role: Role, pid: u32, used: Option<Usage>) {
        let mut entries = self.book(role).lock();
        if let Some(place) = entries.living.iter().position(|one| one.pid == pid) {
            let last = entries.living.swap_remove(place).used;
            entries.used.add(used.map_or(last, |used| used.at_least(last)));
        }
    }

    /// Notes how a child ended.
    pub fn ended(&self, role: Role, ending: Ending) {
        self.book(role).ends[ending as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the sums of a role; `look` reads what one of the living uses.
    #[must_use]
    pub fn sums(&self, role: Role, look: impl Fn(u32) -> Option<Reading>) -> Sums {
        let book = self.book(role);
        let mut sums = Sums {
            starts: book.starts.load(Ordering::Relaxed),
            ends: book.ends.each_ref().map(|count| count.load(Ordering::Relaxed)),
            ..Sums::default()
        };
        let mut entries = book.lock();
        sums.used = entries.used;
        for one in &mut entries.living {
            let seen = look(one.pid).unwrap_or_default();
            one.used = seen.used.at_least(one.used);
            sums.used.add(one.used);
            sums.living += 1;
            sums.memory_bytes += seen.memory_bytes;
            sums.threads += seen.threads;
            sums.handles += seen.handles;
            sums.newest = sums.newest.max(Some(one.started));
        }
        sums
    }
}

impl Book {
    /// Held for as long as it takes to look at the few that live, and never over an await.
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    fn used(millis: u64) -> Usage {
        Usage { cpu: Duration::from_millis(millis), read_bytes: millis * 2, written_bytes: millis * 3 }
    }

    fn reading(millis: u64) -> Reading {
        Reading { used: used(millis), memory_bytes: 10, threads: 2, handles: 5 }
    }

    #[test]
    fn the_living_are_summed_and_the_dead_are_kept() {
        let children = Children::default();
        let family = children.of(&ChannelId::new("cats").unwrap());
        family.begun(Role::OnAir, 1, at(10));
        family.begun(Role::OnAir, 2, at(20));
        family.begun(Role::Probe, 3, at(30));
        let sums = children.of(&ChannelId::new("cats").unwrap()).sums(Role::OnAir, |pid| Some(reading(pid.into())));
        assert_eq!((sums.living, sums.used, sums.newest), (2, used(3), Some(at(20))));
        assert_eq!((sums.memory_bytes, sums.threads, sums.handles), (20, 4, 10));
        family.leaves(Role::OnAir, 2, Some(used(7)));
        family.ended(Role::OnAir, Ending::Killed);
        let sums = family.sums(Role::OnAir, |_| Some(reading(1)));
        assert_eq!((sums.living, sums.used, sums.newest, sums.starts), (1, used(8), Some(at(10)), 2));
        assert_eq!(sums.ends[Ending::Killed as usize], 1);
        assert_eq!(family.sums(Role::Probe, |_| None).living, 1, "one that cannot be looked at lives all the same");
        assert_eq!(children.of(&ChannelId::new("dogs").unwrap()).sums(Role::OnAir, |_| None), Sums::default());
    }

    proptest! {
        /// Whatever comes and goes, whatever the system tells or does not: no sum of what was used ever goes back.
        #[test]
        fn what_was_used_never_goes_back(steps in prop::collection::vec((0..4_u8, 1..5_u32, 0..100_u64), 1..100)) {
            let family = Family::default();
            let mut before = Usage::default();
            for (step, pid, millis) in steps {
                let told = (millis % 3 != 0).then_some(millis);
                match step {
                    0 => family.begun(Role::Prepare, pid, at(0)),
                    1 => family.leaves(Role::Prepare, pid, told.map(used)),
                    _ => {}
                }
                let sums = family.sums(Role::Prepare, |_| told.map(reading));
                prop_assert_eq!(sums.used.at_least(before), sums.used);
                before = sums.used;
            }
        }
    }
}
