//! What a channel does with subtitles, as written in; judged.

use std::sync::Arc;

use super::file::{At, ChannelFile};
use super::language::Language;
use super::validate::Judge;

/// How many languages a channel offers at the most: each is a list in every player's menu, and a playlist of its own.
pub const LANGUAGES_MAX: usize = 12;

/// What a channel does with subtitles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subtitles {
    /// What is done with them.
    pub mode: SubtitleMode,
    /// The languages that are offered, the dearest first; where there are none, those that the films have.
    pub languages: Arc<[Language]>,
}

/// What is done with subtitles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubtitleMode {
    /// Viewers choose among them.
    #[default]
    Tracks,
    /// Those of one language become part of the picture.
    Burn,
    /// Nothing.
    Off,
}

const MODES: &[(&str, SubtitleMode)] =
    &[("tracks", SubtitleMode::Tracks), ("burn", SubtitleMode::Burn), ("off", SubtitleMode::Off)];

impl Judge<'_> {
    pub(super) fn subtitles(&mut self, file: &ChannelFile) -> Subtitles {
        let mode = file.subtitles.as_ref().and_then(|word| self.word("subtitles", word, MODES)).unwrap_or_default();
        let written = &file.subtitle_languages;
        if let Some(first) = written.first()
            && mode == SubtitleMode::Off
        {
            let message = "subtitle-languages has no meaning where subtitles is \"off\"".to_owned();
            self.complain(&first.span(), message, Some("leave one of them out".to_owned()));
        }
        if let Some(surplus) = written.get(LANGUAGES_MAX) {
            let message = format!("there are {} subtitle-languages, the most is {LANGUAGES_MAX}", written.len());
            self.complain(&surplus.span(), message, Some("name those that your viewers read".to_owned()));
        }
        let mut languages: Vec<Language> = Vec::new();
        for one in written.iter().take(LANGUAGES_MAX) {
            if let Some(language) = self.language(one) {
                if languages.contains(&language) {
                    let message = format!("the language {language} is named twice");
                    self.complain(&one.span(), message, Some("leave one of them out".to_owned()));
                }
                languages.push(language);
            }
        }
        Subtitles { mode, languages: languages.into() }
    }

    fn language(&mut self, written: &At<String>) -> Option<Language> {
        let text = written.get_ref();
        let read = Language::read(text).filter(|language| !language.is_not_told());
        if read.is_none() {
            let hint = match Language::named(text) {
                Some(near) => format!("write {:?}", near.tag()),
                None => "two or three letters, such as \"en\", \"de\" or \"pt-BR\"".to_owned(),
            };
            self.complain(&written.span(), format!("no language is called {text:?}"), Some(hint));
        }
        read
    }
}
