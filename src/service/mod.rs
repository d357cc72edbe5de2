//! What the service manager is told: that the station is ready, alive, and stopping.
//!
//! Receives the channels as viewers see them; gives one word now and then to systemd's socket. Promises that the watchdog
//! is fed only while no channel stands still. A channel that is in trouble and knows it, because its ffmpeg dies or its
//! folder is empty, is alive: restarting the station for it would darken the others. One that says it is on air and
//! publishes nothing is stuck inside, and only a restart can help.

pub mod task;

use std::time::Duration;

use jiff::Timestamp;

use crate::channel::ChannelState;

/// How long a channel that says something is going out may publish nothing: ten of the longest segments, and an ffmpeg
/// that stands still is replaced long before.
pub const STILL_MAX: Duration = Duration::from_mins(1);

/// One channel's pulse: its live edge, and when that was last seen to be well.
#[derive(Clone, Copy, Debug)]
pub struct Pulse {
    edge: Option<Timestamp>,
    well: Duration,
}

impl Pulse {
    /// Returns a pulse that is well at `now`, a time since any fixed moment.
    #[must_use]
    pub fn new(now: Duration) -> Self {
        Self { edge: None, well: now }
    }

    /// Looks at the channel as it is at `now`, and returns whether it is alive.
    pub fn beats(&mut self, now: Duration, state: ChannelState, edge: Option<Timestamp>) -> bool {
        let knows_its_trouble = matches!(state, ChannelState::Starting | ChannelState::Recovering | ChannelState::Off);
        if knows_its_trouble || edge != self.edge {
            *self = Self { edge, well: now };
        }
        now.saturating_sub(self.well) <= STILL_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ChannelState::{Off, OnAir, Recovering, Slate, Starting};

    /// Looks at a channel every 20 s and returns whether it was alive each time.
    fn looks(life: &[(ChannelState, i64)]) -> Vec<bool> {
        let mut pulse = Pulse::new(Duration::ZERO);
        let looks = life.iter().zip(1..);
        let look = |(&(state, edge), n): (&(ChannelState, i64), u64)| {
            pulse.beats(Duration::from_secs(20 * n), state, Some(Timestamp::from_second(edge).unwrap()))
        };
        looks.map(look).collect()
    }

    #[test]
    fn a_channel_is_alive_while_its_edge_moves() {
        assert_eq!(looks(&[(OnAir, 1), (OnAir, 2), (Slate, 3), (OnAir, 4), (OnAir, 5), (OnAir, 6)]), [true; 6]);
    }

    #[test]
    fn a_channel_that_says_it_is_on_air_and_publishes_nothing_is_dead_after_a_minute() {
        for state in [OnAir, Slate] {
            assert_eq!(looks(&[(state, 1); 6]), [true, true, true, true, false, false]);
        }
    }

    #[test]
    fn a_channel_that_knows_its_trouble_is_alive() {
        for state in [Starting, Recovering, Off] {
            assert_eq!(looks(&[(state, 1); 10]), [true; 10]);
        }
    }

    #[test]
    fn a_channel_that_publishes_again_is_alive_again() {
        let still = [(OnAir, 1); 6];
        let life: Vec<_> = still.into_iter().chain([(OnAir, 2)]).collect();
        assert_eq!(looks(&life)[5..], [false, true]);
    }

    #[test]
    fn a_channel_that_recovered_has_the_whole_time_again() {
        let life =
            [(OnAir, 1), (OnAir, 1), (OnAir, 1), (Recovering, 1), (OnAir, 1), (OnAir, 1), (OnAir, 1), (OnAir, 1)];
        assert_eq!(looks(&life), [true, true, true, true, true, true, true, false]);
    }
}
