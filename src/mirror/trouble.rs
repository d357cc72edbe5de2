//! What a store that does not do as it should says, and what the operator may do about it; and how long to wait then. Pure.

use std::error::Error as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use object_store::client::{HttpError, HttpErrorKind};

/// How long the first rest after a failure is.
const REST_FIRST: Duration = Duration::from_millis(500);

/// How long a rest is at most: a store that is back is used within this.
const REST_MAX: Duration = Duration::from_secs(15);

/// How much of what a store said is told, in characters: some answer with pages.
const SAID_MAX: usize = 300;

/// What was asked of the store; a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// To take an object.
    Put,
    /// To list objects.
    List,
    /// To delete objects.
    Delete,
}

impl Errand {
    /// Every errand, in their order.
    pub const ALL: [Self; 3] = [Self::Put, Self::List, Self::Delete];

    /// Returns its name in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::List => "list",
            Self::Delete => "delete",
        }
    }
}

/// What kind of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nobody answers.
    Away,
    /// The answer took too long.
    Slow,
    /// It knows us not, or we may not.
    Refused,
    /// The bucket or folder is not there.
    Missing,
    /// Anything else.
    Other,
}

impl Kind {
    /// Returns what to do about it.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Away => "is \"endpoint\" in [mirror] right, and can this machine reach it?",
            Self::Slow => "the store, or the line to it, is slower than what the channels send",
            Self::Refused => {
                "look at the keys in \"credentials-file\", whether they may put, list and delete in this bucket, and at this \
                 machine's clock"
            }
            Self::Missing => "make the bucket, or mend \"url\" and \"region\" in [mirror]",
            Self::Other => "what it said tells more",
        }
    }
}

/// Something that a store did not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What was asked.
    pub errand: Errand,
    /// What kind it is.
    pub kind: Kind,
    /// What was said, on one line.
    pub said: String,
}

impl Trouble {
    /// Returns the trouble behind a store's error.
    #[must_use]
    pub fn of(errand: Errand, error: &object_store::Error) -> Self {
        use object_store::Error;
        let kind = match error {
            Error::Unauthenticated { .. } | Error::PermissionDenied { .. } => Kind::Refused,
            Error::NotFound { .. } => Kind::Missing,
            other => transport(other).unwrap_or_else(|| by_code(&other.to_string())),
        };
        Self { errand, kind, said: shortened(&error.to_string()) }
    }

    /// Returns the trouble of an answer that did not come in time.
    #[must_use]
    pub fn slow(errand: Errand, limit: Duration) -> Self {
        Self { errand, kind: Kind::Slow, said: format!("no answer within {} s", limit.as_secs_f64()) }
    }
}

/// Returns what went wrong on the way, where it was on the way.
fn transport(error: &object_store::Error) -> Option<Kind> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<HttpError>() {
            return match error.kind() {
                HttpErrorKind::Connect | HttpErrorKind::Request | HttpErrorKind::Interrupted => Some(Kind::Away),
                HttpErrorKind::Timeout => Some(Kind::Slow),
                _ => None,
            };
        }
        source = error.source();
    }
    None
}

/// Returns what S3's own code for an error means, where the status alone does not tell (they come with 400 and 301).
fn by_code(said: &str) -> Kind {
    let has = |codes: &[&str]| codes.iter().any(|code| said.contains(&format!("<Code>{code}</Code>")));
    if has(&[
        "AccessDenied",
        "InvalidToken",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "RequestTimeTooSkewed",
    ]) {
        Kind::Refused
    } else if has(&["PermanentRedirect", "AuthorizationHeaderMalformed", "NoSuchBucket", "InvalidBucketName"]) {
        Kind::Missing
    } else {
        Kind::Other
    }
}

fn shortened(said: &str) -> String {
    let clean = said.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(SAID_MAX).collect()
}

/// Whether the store does as it should, and since when not.
#[derive(Debug, Default)]
pub struct Health {
    since: Option<(Timestamp, Kind)>,
    failures: u32,
}

impl Health {
    /// Takes note of trouble; returns whether it is news.
    pub fn failed(&mut self, kind: Kind, now: Timestamp) -> bool {
        self.failures = self.failures.saturating_add(1);
        let (since, known) = self.since.map_or((now, None), |(since, kind)| (since, Some(kind)));
        self.since = Some((since, kind));
        known != Some(kind)
    }

    /// Takes note that all is well; returns how long it was not, where that is news.
    pub fn well(&mut self, now: Timestamp) -> Option<SignedDuration> {
        self.failures = 0;
        self.since.take().map(|(since, _)| now.duration_since(since))
    }

    /// Returns how long to wait before the next try.
    #[must_use]
    pub fn rest(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(16);
        REST_FIRST.saturating_mul(1 << doublings).min(REST_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    /// Goal: the log is told what changed and nothing twice. Method: a store that is away, refuses, and comes back.
    #[test]
    fn trouble_is_told_once_for_each_kind_of_it() {
        let mut health = Health::default();
        assert_eq!(health.well(at(0)), None);
        let told: Vec<bool> =
            [(Kind::Away, 1), (Kind::Away, 2), (Kind::Refused, 3), (Kind::Refused, 4), (Kind::Away, 5)]
                .map(|(kind, now)| health.failed(kind, at(now)))
                .into();
        assert_eq!(told, [true, false, true, false, true]);
        assert_eq!((health.well(at(9)), health.well(at(10))), (Some(SignedDuration::from_secs(8)), None));
        assert!(health.failed(Kind::Away, at(11)), "it is news again");
    }

    /// Goal: the store is asked ever more rarely, and never too rarely. Method: the rests after 1, 2, 3… failures.
    #[test]
    fn the_rest_grows_up_to_its_limit() {
        let mut health = Health::default();
        let rests: Vec<u128> = (0..40)
            .map(|n| {
                health.failed(Kind::Away, at(n));
                health.rest().as_millis()
            })
            .collect();
        assert_eq!(rests[..7], [500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
        assert!(rests[7..].iter().all(|rest| *rest == REST_MAX.as_millis()));
        health.well(at(50));
        health.failed(Kind::Away, at(51));
        assert_eq!(health.rest(), REST_FIRST);
    }

    /// Goal: an error is told by what can be done about it, on one bounded line. Method: a table of errors.
    #[test]
    fn errors_are_sorted_by_their_remedy() {
        use object_store::Error;
        let source = || Box::<dyn std::error::Error + Send + Sync>::from("page\n".repeat(500));
        let path = || "tv/one/index.m3u8".to_owned();
        let wire = |kind| {
            let source = Box::new(HttpError::new(kind, std::io::Error::other("gone")));
            Error::Generic { store: "S3", source }
        };
        let code = |code: &str| Error::Generic { store: "S3", source: format!("400: <Code>{code}</Code>").into() };
        for (error, kind) in [
            (Error::PermissionDenied { path: path(), source: source() }, Kind::Refused),
            (Error::Unauthenticated { path: path(), source: source() }, Kind::Refused),
            (Error::NotFound { path: path(), source: source() }, Kind::Missing),
            (Error::Generic { store: "S3", source: source() }, Kind::Other),
            (code("ExpiredToken"), Kind::Refused),
            (code("AuthorizationHeaderMalformed"), Kind::Missing),
            (code("InternalError"), Kind::Other),
            (wire(HttpErrorKind::Connect), Kind::Away),
            (wire(HttpErrorKind::Interrupted), Kind::Away),
            (wire(HttpErrorKind::Timeout), Kind::Slow),
            (wire(HttpErrorKind::Decode), Kind::Other),
        ] {
            let trouble = Trouble::of(Errand::Put, &error);
            assert_eq!(trouble.kind, kind, "{error}");
            assert!(trouble.said.chars().count() <= SAID_MAX && !trouble.said.contains('\n'), "{}", trouble.said);
        }
    }
}
