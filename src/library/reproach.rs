//! Why a file is in quarantine, in one word: a metric label. The sentences for people are the source, for they are what
//! is kept over a restart.

/// Why a file is in quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reproach {
    /// It may not or cannot be read.
    Unreadable,
    /// It is no video, or none of a kind that is opened here.
    NotMedia,
    /// It has no picture.
    NoVideo,
    /// It does not tell its length.
    NoDuration,
    /// Its picture is too large.
    TooLarge,
    /// Its bytes are damaged.
    Damaged,
    /// Looking into it took too long.
    Timeout,
    /// It took or made more than a file may.
    Limit,
    /// Anything else.
    Other,
}

/// What the sentences hold, and what that means; the first that fits counts.
const WORDS: [(&str, Reproach); 33] = [
    ("permission denied", Reproach::Unreadable),
    ("It cannot be read: ", Reproach::Unreadable),
    ("It could not be looked into: took longer", Reproach::Timeout),
    ("It could not be looked into", Reproach::Other),
    ("It is empty", Reproach::NotMedia),
    ("It is a text file", Reproach::NotMedia),
    ("It is a playlist", Reproach::NotMedia),
    ("which is not a kind of video", Reproach::NotMedia),
    ("which is not decoded here", Reproach::NotMedia),
    ("It is not a video", Reproach::NotMedia),
    ("no moov atom", Reproach::Damaged),
    ("It ends too early", Reproach::Damaged),
    ("but no picture", Reproach::NoVideo),
    ("cover art", Reproach::NoVideo),
    ("here is no picture in it", Reproach::NoVideo),
    ("Its length is unknown", Reproach::NoDuration),
    ("ts length cannot be told", Reproach::NoDuration),
    ("is too large", Reproach::TooLarge),
    ("is too small", Reproach::Other),
    ("It is encrypted", Reproach::Other),
    ("more time or memory than a file may", Reproach::Limit),
    ("far more computing", Reproach::Limit),
    ("far larger than its length", Reproach::Limit),
    ("made no progress", Reproach::Timeout),
    ("It crashes ffmpeg", Reproach::Damaged),
    ("It cannot be converted", Reproach::Damaged),
    ("failed the check", Reproach::Damaged),
    ("frames can be decoded", Reproach::Damaged),
    ("it changes in the middle", Reproach::Damaged),
    ("It cannot be read; ffprobe", Reproach::Damaged),
    ("the shortest that can air", Reproach::Other),
    ("the longest that can air", Reproach::Other),
    ("Its preparing was interrupted", Reproach::Other),
];

impl Reproach {
    /// Every reproach, in their order.
    pub const ALL: [Self; 9] = [
        Self::Unreadable,
        Self::NotMedia,
        Self::NoVideo,
        Self::NoDuration,
        Self::TooLarge,
        Self::Damaged,
        Self::Timeout,
        Self::Limit,
        Self::Other,
    ];

    /// Returns its name in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NotMedia => "not_media",
            Self::NoVideo => "no_video",
            Self::NoDuration => "no_duration",
            Self::TooLarge => "too_large",
            Self::Damaged => "damaged",
            Self::Timeout => "timeout",
            Self::Limit => "limit",
            Self::Other => "other",
        }
    }

    /// Returns what a sentence for people says.
    #[must_use]
    pub fn of(sentence: &str) -> Self {
        WORDS.iter().find(|(words, _)| sentence.contains(words)).map_or(Self::Other, |(_, reproach)| *reproach)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffmpeg::probe::Refusal;
    use crate::units::MediaTime;

    #[test]
    fn every_refusal_has_its_word() {
        let duration = MediaTime::from_secs(1);
        for (refusal, expected) in [
            (Refusal::Empty, Reproach::NotMedia),
            (Refusal::Text, Reproach::NotMedia),
            (Refusal::Playlist, Reproach::NotMedia),
            (Refusal::OtherFormat { format: "gif".to_owned() }, Reproach::NotMedia),
            (Refusal::OtherCodec { codec: "theora".to_owned() }, Reproach::NotMedia),
            (Refusal::NoIndex, Reproach::Damaged),
            (Refusal::EndsEarly, Reproach::Damaged),
            (Refusal::Unreadable, Reproach::NotMedia),
            (Refusal::NoVideo, Reproach::NoVideo),
            (Refusal::CoverOnly, Reproach::NoVideo),
            (Refusal::NoDuration, Reproach::NoDuration),
            (Refusal::TooShort { duration }, Reproach::Other),
            (Refusal::TooLong { duration }, Reproach::Other),
            (Refusal::TooLarge { width: 9000, height: 9000 }, Reproach::TooLarge),
            (Refusal::TooSmall { width: 2, height: 2 }, Reproach::Other),
            (Refusal::Denied, Reproach::Unreadable),
            (Refusal::Encrypted, Reproach::Other),
            (Refusal::TooCostly, Reproach::Limit),
            (Refusal::Other { said: "odd".to_owned() }, Reproach::Damaged),
        ] {
            assert_eq!(Reproach::of(&refusal.to_string()), expected, "{refusal}");
        }
    }

    #[test]
    fn what_the_workshop_says_has_its_word_too() {
        for (sentence, expected) in [
            ("It cannot be read: Input/output error (os error 5).", Reproach::Unreadable),
            ("It could not be looked into: took longer than 30 s. It is tried again.", Reproach::Timeout),
            ("It crashes ffmpeg (signal 11).", Reproach::Damaged),
            ("It cannot be converted; ffmpeg says \"exit code 3\".", Reproach::Damaged),
            ("Its conversion failed the check: streams are missing.", Reproach::Damaged),
            ("Only 3 of its 9 frames can be decoded.", Reproach::Damaged),
            ("There is no picture in it.", Reproach::NoVideo),
            ("It took far more computing than its length should.", Reproach::Limit),
            ("It became far larger than its length should.", Reproach::Limit),
            ("Its preparing was interrupted: ffmpeg made no progress for 120 s, 3 times in a row", Reproach::Timeout),
            ("Its preparing was interrupted: ffmpeg was killed", Reproach::Other),
            ("Something new.", Reproach::Other),
        ] {
            assert_eq!(Reproach::of(sentence), expected, "{sentence}");
        }
    }
}
