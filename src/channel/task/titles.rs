//! The subtitles of what airs: read when it begins, and ahead for what comes.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Shell, offers};
use crate::config::SubtitleMode;
use crate::feed::Airing;
use crate::library::Item;
use crate::prepare::Mezzanine;
use crate::prepare::subtitles::{Captions, choice};
use crate::units::MediaTime;

/// How many answers may wait for the channel.
const CAPTIONED_MAX: usize = 64;

/// For how many of the coming items subtitles are read ahead.
const AHEAD_MAX: usize = 3;

/// Who reads the subtitles of a channel.
#[derive(Debug)]
pub(super) struct Reading {
    answers: mpsc::Sender<Captioned>,
    /// Reads those of what comes.
    ahead: Option<JoinHandle<()>>,
    /// Whether it was said that they are offered later.
    told: bool,
}

impl Reading {
    /// Returns one that reads nothing yet, and where its answers come.
    pub(super) fn new() -> (Self, mpsc::Receiver<Captioned>) {
        let (answers, inbox) = mpsc::channel(CAPTIONED_MAX);
        (Self { answers, ahead: None, told: false }, inbox)
    }
}

/// The subtitles of an airing, and when its item ends, where that is known.
#[derive(Debug)]
pub(super) struct Captioned {
    airing: u64,
    captions: Arc<Captions>,
    end: Option<MediaTime>,
}

impl Shell {
    /// Offers the languages that are configured, or else those that the channel's films have.
    pub(super) fn offer_subtitles(&mut self) {
        let wanted = &self.parts.config.subtitles;
        // What is in the picture is not said a second time.
        if wanted.mode != SubtitleMode::Tracks {
            return;
        }
        let languages = if wanted.languages.is_empty() {
            choice::languages(self.core.plan().catalogue().items.values().map(|item| &**item))
        } else {
            wanted.languages.to_vec()
        };
        let one_picture = offers::one_picture(&self.profile);
        if !self.core.offer_subtitles(&languages, &one_picture) && !self.reading.told {
            self.reading.told = true;
            tracing::info!(
                "the first subtitles came while the channel was on air: they are offered when it next begins (hint: \
                 subtitle-languages offers them from the start)"
            );
        }
    }

    /// Has the subtitles of an airing read that was begun.
    pub(super) fn caption(&self, airing: &Arc<Airing>, mezzanine: &Mezzanine) {
        let item = airing.programme.as_ref().and_then(|_| self.core.plan().item(&airing.key)).cloned();
        let Some(item) = item.filter(|item| self.has_subtitles(item)) else { return };
        // Of one that is still growing the container's word is all there is.
        let end = if mezzanine.complete { mezzanine.duration() } else { item.media.duration };
        let (titles, answers, id) = (self.parts.titles.clone(), self.reading.answers.clone(), airing.id);
        let (channel, profile) = (self.parts.config.id.clone(), Arc::clone(&self.profile));
        let first = self.parts.config.subtitles.languages.first().cloned();
        self.parts.tracker.spawn(async move {
            let Some(captions) = titles.of(&channel, &item, &profile, true).await else { return };
            let captions = Captions::clone(&captions).told_as(first.as_ref());
            let answer = Captioned { airing: id, captions: Arc::new(captions), end: Some(end) };
            let _gone = answers.send(answer).await;
        });
    }

    /// Takes the subtitles of an airing; what of it was published before has none.
    pub(super) fn captioned(&mut self, Captioned { airing, captions, end }: Captioned) {
        self.core.hold_subtitles(airing, captions, end);
    }

    /// Has the subtitles of the next items read, so that they are there when those begin.
    pub(super) fn read_ahead(&mut self) {
        if self.reading.ahead.as_ref().is_some_and(|reading| !reading.is_finished()) {
            return;
        }
        let wants = self.core.plan().wants().into_iter().map(|(item, _)| item);
        let coming: Vec<Arc<Item>> = wants.filter(|item| self.has_subtitles(item)).take(AHEAD_MAX).collect();
        if coming.is_empty() {
            return;
        }
        let (titles, token) = (self.parts.titles.clone(), self.parts.token.clone());
        let (channel, profile) = (self.parts.config.id.clone(), Arc::clone(&self.profile));
        let reading = self.parts.tracker.spawn(async move {
            for item in coming {
                let read = titles.of(&channel, &item, &profile, false);
                if token.run_until_cancelled(read).await.is_none() {
                    return;
                }
            }
        });
        self.reading.ahead = Some(reading);
    }

    fn has_subtitles(&self, item: &Item) -> bool {
        self.parts.config.subtitles.mode == SubtitleMode::Tracks && !choice::texts(item).is_empty()
    }
}
