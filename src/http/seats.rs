//! Who is connected, and who goes when a newcomer finds every seat taken.
//!
//! An idle connection costs its owner nothing and a viewer a seat, so it goes first: the longest idle of the address
//! that holds the most. Viewers behind one proxy share one address and come and go all the time; to them it only means
//! that a kept connection may be closed and opened again. Nothing is limited while there is room.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The time of [`Seat::idle_since`] when an answer is under way.
const BUSY: u64 = u64::MAX;

/// All seats of a listener.
#[derive(Debug)]
pub(super) struct Seats {
    max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    serial: u64,
    seats: HashMap<u64, Arc<Seat>>,
    /// How many each address holds.
    held: HashMap<IpAddr, Arc<AtomicUsize>>,
}

/// What is known of one connection.
#[derive(Debug)]
pub(super) struct Seat {
    address: IpAddr,
    /// How many seats its address holds.
    held: Arc<AtomicUsize>,
    /// Milliseconds on the listener's clock, or [`BUSY`].
    idle_since: AtomicU64,
    /// Whether an answer is being made or handed over.
    answering: AtomicBool,
    /// Cancelled when the seat is wanted by another.
    pub(super) wanted: CancellationToken,
}

/// A taken seat; given back when dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    seats: Arc<Seats>,
    serial: u64,
    pub(super) seat: Arc<Seat>,
}

impl Seat {
    /// A request has come.
    pub(super) fn asked(&self) {
        self.answering.store(true, Ordering::Relaxed);
        self.idle_since.store(BUSY, Ordering::Relaxed);
    }

    /// The last byte of an answer was handed over; some may still wait to be taken.
    pub(super) fn handed_over(&self) {
        self.answering.store(false, Ordering::Relaxed);
    }

    /// Everything handed over so far was taken.
    pub(super) fn taken(&self, now: Duration) {
        if !self.answering.load(Ordering::Relaxed) && self.idle_since.load(Ordering::Relaxed) == BUSY {
            self.idle_since.store(millis(now), Ordering::Relaxed);
        }
    }
}

impl Seats {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, taken: Mutex::default() })
    }

    /// Seats a newcomer, at another's cost where all seats are taken; none when nobody can be asked to go.
    pub(super) fn seat(self: &Arc<Self>, address: IpAddr, now: Duration) -> Option<Ticket> {
        let mut taken = self.lock();
        if taken.seats.len() >= self.max {
            let leaves = taken.who_leaves(address, self.max)?;
            taken.leave(leaves)?.wanted.cancel();
        }
        let held = Arc::clone(taken.held.entry(address).or_default());
        held.fetch_add(1, Ordering::Relaxed);
        let seat = Arc::new(Seat {
            address,
            held,
            idle_since: AtomicU64::new(millis(now)),
            answering: AtomicBool::new(false),
            wanted: CancellationToken::new(),
        });
        taken.serial += 1;
        let serial = taken.serial;
        taken.seats.insert(serial, Arc::clone(&seat));
        Some(Ticket { seats: Arc::clone(self), serial, seat })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Returns who goes: the longest idle of the address that holds the most; where nobody is idle, the oldest of an
    /// address that holds more than half of all seats, if somebody from elsewhere wants one.
    fn who_leaves(&self, newcomer: IpAddr, max: usize) -> Option<u64> {
        let held = |seat: &Seat| seat.held.load(Ordering::Relaxed);
        let idle = self.seats.iter().filter_map(|(serial, seat)| {
            let since = seat.idle_since.load(Ordering::Relaxed);
            (since != BUSY).then(|| (std::cmp::Reverse(held(seat)), since, *serial))
        });
        if let Some((_, _, serial)) = idle.min() {
            return Some(serial);
        }
        let greedy = self.seats.iter().filter(|(_, seat)| held(seat) * 2 > max && seat.address != newcomer);
        greedy.map(|(serial, _)| *serial).min()
    }

    fn leave(&mut self, serial: u64) -> Option<Arc<Seat>> {
        let seat = self.seats.remove(&serial)?;
        if seat.held.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.held.remove(&seat.address);
        }
        Some(seat)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // None when it had to go and its seat is another's by now.
        let _left = self.seats.lock().leave(self.serial);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(BUSY - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who is seated, as address, idle since which second or busy; then a newcomer's address; then who goes.
    #[test]
    fn the_longest_idle_of_the_address_with_the_most_seats_goes() {
        for (sentence, seated, newcomer, expected) in [
            ("one address: its longest idle", &[(1, Some(3)), (1, Some(1)), (1, Some(2))][..], 1, Some(1)),
            ("one address: never a busy one", &[(1, None), (1, None), (1, Some(9))], 1, Some(2)),
            ("the crowd's, though another is idle for longer", &[(1, Some(1)), (2, Some(5)), (2, Some(4))], 3, Some(2)),
            ("nobody idle, all of one address", &[(1, None), (1, None), (1, None)], 1, None),
            ("nobody idle, one address has most", &[(1, None), (2, None), (2, None)], 3, Some(1)),
            ("nobody idle, seats well shared", &[(1, None), (2, None), (3, None)], 4, None),
        ] {
            let seats = Seats::new(seated.len());
            let address = |last: u8| IpAddr::from([127, 0, 0, last]);
            let tickets: Vec<Ticket> = seated
                .iter()
                .map(|(last, idle)| {
                    let ticket = seats.seat(address(*last), Duration::from_secs(idle.unwrap_or(0))).unwrap();
                    if idle.is_none() {
                        ticket.seat.asked();
                    }
                    ticket
                })
                .collect();
            let new = seats.seat(address(newcomer), Duration::from_secs(20));
            assert_eq!(new.is_some(), expected.is_some(), "{sentence}");
            let gone: Vec<usize> = (0..tickets.len()).filter(|n| tickets[*n].seat.wanted.is_cancelled()).collect();
            assert_eq!(gone, expected.into_iter().collect::<Vec<_>>(), "{sentence}");
            drop((tickets, new));
            let left = seats.lock();
            assert!(left.seats.is_empty() && left.held.is_empty(), "{sentence}: every seat is given back");
        }
    }

    #[test]
    fn an_answer_is_under_way_until_its_last_byte_is_taken() {
        let seats = Seats::new(1);
        let ticket = seats.seat(IpAddr::from([127, 0, 0, 1]), Duration::ZERO).unwrap();
        let idle = || ticket.seat.idle_since.load(Ordering::Relaxed) != BUSY;
        assert!(idle(), "before its first request");
        ticket.seat.asked();
        ticket.seat.taken(Duration::from_secs(1));
        assert!(!idle(), "a piece was taken, more is to come");
        ticket.seat.handed_over();
        assert!(!idle(), "the last piece waits");
        ticket.seat.taken(Duration::from_secs(2));
        assert!(idle());
        ticket.seat.taken(Duration::from_secs(3));
        assert_eq!(ticket.seat.idle_since.load(Ordering::Relaxed), 2000, "counted from the end of the answer");
    }
}
