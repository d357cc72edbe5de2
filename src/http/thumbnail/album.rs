//! What is kept of one channel's pictures, and when there is to be a new one. Pure: times are since any one moment.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::units::{ChannelId, Msn};

/// How long lies between the beginnings of two pictures of a channel, at least.
pub(super) const EVERY: Duration = Duration::from_secs(15);

/// How long a picture is shown while no new one can be made: then it tells nothing of what is on.
pub(super) const KEPT: Duration = Duration::from_mins(2);

/// A still picture of what is on.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http) struct Picture {
    /// JPEG.
    pub(in crate::http) jpeg: Bytes,
    /// A strong entity tag, with its quotes.
    pub(in crate::http) etag: String,
    /// The segment whose first frame it is.
    msn: Msn,
}

impl Picture {
    pub(super) fn new(channel: &ChannelId, msn: Msn, jpeg: Bytes) -> Arc<Self> {
        let etag = format!("\"{channel}-{msn}-{}\"", jpeg.len());
        Arc::new(Self { jpeg, etag, msn })
    }
}

/// The pictures of one channel: one.
#[derive(Debug, Default)]
pub(super) struct Album {
    /// With when it was made.
    picture: Option<(Arc<Picture>, Duration)>,
    /// When the last was begun.
    begun: Option<Duration>,
    busy: bool,
}

impl Album {
    /// Takes note that somebody asks; returns whether a new picture is to be begun now, of the channel's newest segment.
    /// Who is told so must tell the end ([`Self::ended`]).
    pub(super) fn asked(&mut self, newest: Msn, now: Duration) -> bool {
        let soon = self.begun.is_some_and(|begun| now.saturating_sub(begun) < EVERY);
        let same = self.picture.as_ref().is_some_and(|(picture, _)| picture.msn == newest);
        let begins = !self.busy && !soon && !same;
        if begins {
            self.begun = Some(now);
            self.busy = true;
        }
        begins
    }

    /// Puts a new picture in.
    pub(super) fn made(&mut self, picture: Arc<Picture>, now: Duration) {
        self.picture = Some((picture, now));
    }

    /// Takes note that whoever was to make a picture has come to an end, with one or without.
    pub(super) fn ended(&mut self) {
        self.busy = false;
    }

    /// Forgets the picture: it shows nothing that is on.
    pub(super) fn forget(&mut self) {
        self.picture = None;
    }

    /// Whether somebody is at it.
    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Returns the picture, if it still tells something.
    pub(super) fn picture(&self, now: Duration) -> Option<Arc<Picture>> {
        let (picture, made) = self.picture.as_ref()?;
        (now.saturating_sub(*made) <= KEPT).then(|| Arc::clone(picture))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn picture(msn: u64) -> Arc<Picture> {
        Picture::new(&ChannelId::new("cats").unwrap(), Msn(msn), Bytes::from_static(b"jpeg"))
    }

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn the_last_picture_is_shown_until_it_tells_nothing_any_more() {
        let mut album = Album::default();
        assert!(album.asked(Msn(1), secs(0)) && album.is_busy() && album.picture(secs(0)).is_none());
        album.made(picture(1), secs(1));
        album.ended();
        assert!(!album.is_busy());
        for (now, shown) in [(1, true), (100, true), (121, true), (122, false)] {
            assert_eq!(album.picture(secs(now)).is_some(), shown, "{now}");
        }
        assert!(!album.asked(Msn(1), secs(200)), "nothing new is on");
        album.forget();
        assert!(album.picture(secs(1)).is_none());
    }

    proptest! {
        /// Whoever asks how often, and whatever becomes of the children: never are two at it at once, and never does one
        /// begin sooner after another than is allowed.
        #[test]
        fn however_many_ask_few_are_made(steps in prop::collection::vec((0..9_u64, 0..4_u8), 1..300)) {
            let (mut album, mut now, mut begun, mut at_it) = (Album::default(), 0, None::<u64>, false);
            for (wait, step) in steps {
                now += wait;
                match step {
                    0 if at_it => {
                        album.made(picture(now), secs(now));
                        album.ended();
                        at_it = false;
                    }
                    1 if at_it => {
                        album.ended();
                        at_it = false;
                    }
                    _ if album.asked(Msn(now), secs(now)) => {
                        prop_assert!(!at_it);
                        prop_assert!(begun.is_none_or(|begun| now - begun >= EVERY.as_secs()));
                        (begun, at_it) = (Some(now), true);
                    }
                    _ => {}
                }
                prop_assert_eq!(album.is_busy(), at_it);
            }
        }
    }
}
