//! The station as a tuner of the kind HDHomeRun, which Plex, Jellyfin and Emby find and tune by themselves.
//!
//! They ask over UDP who is there ([`packet`], [`task`]), then read over HTTP what there is to tune ([`documents`]). What they
//! tune to is a channel's `live.ts`. Nothing here can be changed from outside, and where it is not switched on nothing answers.

pub(super) mod documents;
pub mod packet;
pub mod task;

use std::fmt;
use std::time::Duration;

/// How many channels may be watched through the tuner at once, as it tells. Servers keep to it; the station's own limit is
/// that of its connections.
pub const TUNERS: u8 = 16;

/// How many questions are answered in a second, and how many at once: a network has few who ask, each now and then.
pub const ANSWERS_A_SECOND: u32 = 20;

/// What a tuner is known by for ever: eight hexadecimal digits, the last of which checks the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceId(u32);

impl DeviceId {
    /// By which half of the digits are replaced before they are summed.
    const CHECK: [u32; 16] = [0xa, 0x5, 0xf, 0x6, 0x7, 0xc, 0x1, 0xb, 0x9, 0x2, 0x8, 0xd, 0x4, 0x3, 0xe, 0x0];

    /// What the numbers of tuners begin with.
    const BEGINNING: u32 = 0x105;

    /// Returns the id that is made of a number by chance.
    #[must_use]
    pub fn made_of(chance: u32) -> Self {
        let seven = Self::BEGINNING << 20 | chance & 0x000f_fff0;
        Self(seven | Self::sum(seven))
    }

    /// Reads eight hexadecimal digits; none where they do not check.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| u32::from_str_radix(text, 16).ok()).flatten()?;
        (Self::sum(number) == 0).then_some(Self(number))
    }

    /// Returns it as a number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }

    /// The last digit counts as it is, so the sum of a number that ends with nought is the digit it lacks.
    fn sum(number: u32) -> u32 {
        let digit = |place: u32| number >> (4 * place) & 0xf;
        (0..8).fold(0, |sum, place| {
            let digit = digit(place);
            sum ^ if place % 2 == 1 { Self::CHECK[digit as usize] } else { digit }
        })
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}", self.0)
    }
}

/// Holds answers to a rate: a store of [`ANSWERS_A_SECOND`] that fills up again in a second. Pure.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// What is in store, in answers, at the moment.
    store: f64,
    at: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { store: f64::from(ANSWERS_A_SECOND), at: Duration::ZERO }
    }
}

impl Pace {
    /// Returns whether one more may be answered at a moment, counted from any beginning.
    pub fn allows(&mut self, now: Duration) -> bool {
        let most = f64::from(ANSWERS_A_SECOND);
        let filled = now.saturating_sub(self.at).as_secs_f64() * most;
        self.store = (self.store + filled).min(most);
        self.at = self.at.max(now);
        let allowed = self.store >= 1.0;
        if allowed {
            self.store -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_id_is_not_read() {
        for text in ["1234567", "123456789", "+1234567", "1050000\u{e9}", "1050000g", ""] {
            assert_eq!(DeviceId::read(text), None, "{text}");
        }
        // Wherever it lies: the replacement of one digit is not undone by that of its neighbour.
        assert_eq!(
            [DeviceId::sum(0x0000_000f), DeviceId::sum(0x0000_00f0), DeviceId::sum(0xf000_0000)],
            [0xf, 0xa, 0xa]
        );
    }

    proptest! {
        #[test]
        fn an_id_made_by_chance_is_read_again_and_no_digit_may_be_another(chance in any::<u32>(), place in 0_u32..8, by in 1_u32..16) {
            let id = DeviceId::made_of(chance);
            prop_assert_eq!(DeviceId::read(&id.to_string()), Some(id));
            let slip = format!("{:08X}", id.number() ^ by << (4 * place));
            prop_assert_eq!(DeviceId::read(&slip), None);
        }

        #[test]
        fn no_second_has_more_answers_than_it_may(steps in prop::collection::vec(0_u64..200, 1..400)) {
            let (mut pace, mut now, mut given) = (Pace::default(), 0, Vec::new());
            for step in steps {
                now += step;
                if pace.allows(Duration::from_millis(now)) {
                    given.push(now);
                }
            }
            let most = 2 * ANSWERS_A_SECOND as usize;
            for begin in &given {
                let within = given.iter().filter(|at| (*begin..begin + 1000).contains(*at)).count();
                prop_assert!(within <= most, "{within}");
            }
        }
    }
}
