//! Where the operator's orders come in: the token that opens it, how many wrong ones are heard, and what may be asked.

use std::fmt;
use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot, watch};

use crate::units::ChannelId;

/// The shortest token in characters: of letters and digits nobody guesses it in the life of the universe.
pub const TOKEN_CHARS_MIN: usize = 16;

/// The longest token in characters: it must fit into a request's head with everything else.
pub const TOKEN_CHARS_MAX: usize = 1024;

/// How many tries without the right token are answered as such in [`WRONG_WITHIN`]; further ones are told to wait.
pub const WRONG_MAX: u32 = 10;

/// For how long wrong tries are counted together.
pub const WRONG_WITHIN: Duration = Duration::from_mins(1);

/// How many orders may wait while one is carried out.
pub const ORDERS_MAX: usize = 8;

/// What the operator must send along. Only its digest is held.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    /// Takes a token as it was written, without the blanks around it.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub fn new(written: &str) -> Result<Self, String> {
        let token = written.trim();
        let chars = token.chars().count();
        if chars == 0 {
            return Err("it is empty".to_owned());
        }
        if chars < TOKEN_CHARS_MIN {
            return Err(format!("it has {chars} characters, and {TOKEN_CHARS_MIN} is the least"));
        }
        if chars > TOKEN_CHARS_MAX {
            return Err(format!("it is longer than {TOKEN_CHARS_MAX} characters"));
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it holds something other than letters, digits and signs of ASCII".to_owned());
        }
        Ok(Self(Sha256::digest(token).into()))
    }

    /// Whether these bytes are the token; takes as long for any bytes of that length.
    #[must_use]
    pub fn is(&self, said: &[u8]) -> bool {
        let said: [u8; 32] = Sha256::digest(said).into();
        let differ = self.0.iter().zip(said).fold(0, |differ, (a, b)| differ | (a ^ b));
        black_box(differ) == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// What the operator wants done, or wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The item on air ends, the next programme begins.
    Skip(ChannelId),
    /// The folders of a channel, or of all, are walked.
    Rescan(Option<ChannelId>),
    /// Which files are set aside, and why?
    Quarantine,
    /// Files that were set aside are looked at again.
    Requeue(ChannelId, Which),
    /// A channel goes off the air until [`Action::On`].
    Off(ChannelId),
    /// A channel that was taken off the air goes on again.
    On(ChannelId),
}

/// Which of the files that were set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of the channel.
    All,
    /// One, by its whole path or by the one below the channel's folder.
    File(String),
}

/// Why an order is not carried out; told to the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The station has no such channel.
    #[error("This station has no such channel. They are listed at /api/channels.")]
    NoSuchChannel,
    /// The file is not among those set aside.
    #[error("No such file is set aside on this channel. GET /api/admin/quarantine lists them.")]
    NoSuchFile,
    /// Not as the channel stands.
    #[error("{0}")]
    NotNow(&'static str),
    /// The station has its hands full, or is stopping.
    #[error("The station cannot do this now. Try again in a few seconds.")]
    Busy,
}

/// An order on its way, with the place for its answer.
#[derive(Debug)]
pub struct Order {
    /// What is wanted.
    pub action: Action,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Result<Value, Refused>>,
}

/// The desk at which orders are taken; cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk {
    token: watch::Receiver<Option<Token>>,
    orders: mpsc::Sender<Order>,
    wrong: Arc<Mutex<Wrong>>,
}

impl Desk {
    /// Returns a desk that opens to whom the present token has, and where its orders come out.
    #[must_use]
    pub fn new(token: watch::Receiver<Option<Token>>) -> (Self, mpsc::Receiver<Order>) {
        let (orders, taken) = mpsc::channel(ORDERS_MAX);
        (Self { token, orders, wrong: Arc::default() }, taken)
    }

    /// Returns a desk that is never open.
    #[must_use]
    pub fn closed() -> Self {
        Self::new(watch::channel(None).1).0
    }

    /// Whether there is a token.
    pub(super) fn is_open(&self) -> bool {
        self.token.borrow().is_some()
    }

    /// Whether these bytes are the present token.
    pub(super) fn admits(&self, said: &[u8]) -> bool {
        self.token.borrow().as_ref().is_some_and(|token| token.is(said))
    }

    /// Takes note of a try without the right token, `now` since any fixed moment. Returns how many seconds to wait where
    /// there were too many.
    pub(super) fn refuse(&self, now: Duration) -> Option<u64> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).one_more(now)
    }

    /// Has an order carried out, within `patience`.
    pub(super) async fn order(&self, action: Action, patience: Duration) -> Result<Value, Refused> {
        let (answer, told) = oneshot::channel();
        self.orders.try_send(Order { action, answer }).map_err(|_| Refused::Busy)?;
        match tokio::time::timeout(patience, told).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(Refused::Busy),
        }
    }
}

/// Tries without the right token.
#[derive(Debug, Default)]
struct Wrong {
    since: Duration,
    count: u32,
}

impl Wrong {
    fn one_more(&mut self, now: Duration) -> Option<u64> {
        if self.count == 0 || now.saturating_sub(self.since) >= WRONG_WITHIN {
            *self = Self { since: now, count: 0 };
        }
        self.count = self.count.saturating_add(1);
        let left = WRONG_WITHIN.saturating_sub(now.saturating_sub(self.since));
        (self.count > WRONG_MAX).then(|| left.as_secs().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "0123456789abcdef";

    #[test]
    fn a_token_is_long_and_plain() {
        for (sentence, written, words) in [
            ("sixteen characters", GOOD, ""),
            ("a line's end", "0123456789abcdef\n", ""),
            ("nothing", "", "empty"),
            ("blanks", " \n\t ", "empty"),
            ("one too few", "0123456789abcde", "has 15 characters"),
            ("two lines", "0123456789abcdef\n0123456789abcdef", "other than letters"),
            ("a letter of elsewhere", "0123456789abcdefé", "other than letters"),
            ("a book", &"a".repeat(TOKEN_CHARS_MAX + 1), "longer than 1024"),
        ] {
            let refused = Token::new(written).err().unwrap_or_default();
            assert!(
                if words.is_empty() { refused.is_empty() } else { refused.contains(words) },
                "{sentence}: {refused}"
            );
        }
    }

    #[test]
    fn only_the_token_itself_opens() {
        let token = Token::new("0123456789abcdef\n").unwrap();
        for (said, opens) in [(GOOD, true), ("0123456789abcde", false), ("0123456789abcdefg", false), ("", false)] {
            assert_eq!(token.is(said.as_bytes()), opens, "{said:?}");
        }
        assert_eq!(format!("{token:?}"), "Token", "nothing of it gets into a log");
    }

    #[test]
    fn ten_wrong_tries_a_minute_are_heard() {
        let mut wrong = Wrong::default();
        let at = Duration::from_secs;
        for n in 0..10 {
            assert_eq!(wrong.one_more(at(100 + n)), None, "{n}");
        }
        assert_eq!((wrong.one_more(at(110)), wrong.one_more(at(159))), (Some(50), Some(1)));
        assert_eq!(wrong.one_more(at(160)), None, "a minute after the first");
    }
}
