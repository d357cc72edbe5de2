//! Subtitle files and tracks.

use nightcast::library::subtitles::FileKind;
use nightcast::prepare::subtitles::{CUE_LEN_MAX, CUE_MAX, CUES_MAX, read};
use nightcast::units::MediaTime;

/// How much longer the markup of a cue is than what it shows: each character an entity, each between two tags.
const MARKUP_MAX: usize = 16;

/// Whatever a file says, what is taken of it can be shown: in order, bounded, and none can end its cue or open a tag.
pub(crate) fn subtitles(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let kind = match kind {
        b'a' => FileKind::Ass,
        b'v' => FileKind::Vtt,
        _ => FileKind::Srt,
    };
    let Some(track) = read::track(kind, rest) else { return };
    let cues = track.cues();
    assert!((1..=CUES_MAX).contains(&cues.len()) && cues.is_sorted_by_key(|cue| cue.start));
    for cue in cues {
        assert!(cue.start >= MediaTime::ZERO && cue.end > cue.start && cue.end - cue.start <= CUE_MAX);
        assert!(cue.text.len() <= CUE_LEN_MAX * MARKUP_MAX && !cue.text.trim().is_empty(), "{:?}", cue.text);
        assert!(cue.text.lines().all(|line| !line.trim().is_empty()) && !cue.text.contains("-->"), "{:?}", cue.text);
        let plain = ["i", "b", "u"].iter().fold(cue.text.clone(), |text, tag| {
            text.replace(&format!("<{tag}>"), "").replace(&format!("</{tag}>"), "")
        });
        assert!(!plain.contains(['<', '>', '\r']), "{:?}", cue.text);
    }
}
