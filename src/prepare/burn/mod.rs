//! What is burned into the pictures of an item: which of its subtitles, and the channel's logo. Pure but for [`task`].
//!
//! One language is burned in: the first of the channel's that the item has. Within it everything that is said goes before a
//! part of it; a file, which somebody put there, before a track; text before pictures of text.

pub mod logo;
mod script;
pub mod task;

use std::cmp::Reverse;

use super::recipe::{self, Reason, Recipe, shown_shape};
use super::subtitles::choice::Source;
use crate::config::{Burn, BurnedLogo, Language, Profile};
use crate::ffmpeg::burn_args;
use crate::ffmpeg::extent::Extent;
use crate::library::Item;
use crate::library::subtitles::{FileKind, SubtitleTrack};

/// Counts up with every change of how subtitles are burned in: what was made with them is then made anew.
const LINES_VERSION: u32 = 1;

/// The same for logos.
const LOGO_VERSION: u32 = 1;

/// The discs whose pixels are not square, whatever they say of themselves.
const DVD: &str = "dvd_subtitle";

/// Above this ratio of width and height a DVD's picture was wide.
const WIDE: f64 = 1.5;

/// Returns the subtitles that are burned into an item, and their language; none where there are none.
#[must_use]
pub fn lines<'i>(item: &'i Item, burn: &Burn) -> Option<(&'i Language, Source<'i>)> {
    let wanted = burn.subtitles.as_deref()?;
    let files = item.subtitles.iter().map(|file| (&file.language, Source::File(file)));
    let tracks = item.media.subtitles.iter().filter(|track| track.is_text() || track.is_picture());
    let all = files.chain(tracks.map(|track| (&track.language, Source::Track(track))));
    let ranked =
        all.filter_map(|(language, source)| Some((nearness(language, wanted)?, rank(source), language, source)));
    // The first of those that are alike.
    let best = ranked.min_by_key(|(near, rank, ..)| (*near, *rank))?;
    Some((best.2, best.3))
}

/// Returns how near a language is to those that are wanted, the least first; none where it is none of them. One that is not
/// told counts as the first, where there is nothing better.
fn nearness(language: &Language, wanted: &[Language]) -> Option<(usize, u8)> {
    if wanted.is_empty() || language.is_not_told() {
        return Some((0, if wanted.is_empty() { 0 } else { 2 }));
    }
    let place = |is_it: &dyn Fn(&Language) -> bool| wanted.iter().position(is_it);
    let same = place(&|one| one == language).map(|place| (place, 0));
    same.or_else(|| place(&|one| one.is_kin(language)).map(|place| (place, 1)))
}

/// The best has the least.
fn rank(source: Source<'_>) -> (crate::library::subtitles::Purpose, u8, Reverse<bool>) {
    match source {
        Source::File(file) => (file.purpose, 0, Reverse(false)),
        Source::Track(track) => (track.purpose, if track.is_text() { 1 } else { 2 }, Reverse(track.default)),
    }
}

/// Returns what of an item's subtitles changes the bytes of its pictures: another file, another language, another track. Where
/// a file lies and what it is called is not told: the same words make the same picture.
#[must_use]
pub fn told_of_lines(item: &Item, burn: &Burn) -> Option<String> {
    let (language, source) = lines(item, burn)?;
    Some(match source {
        Source::File(file) => {
            format!("{LINES_VERSION} {language} {:?} {} {}", file.kind, file.stamp.size, file.stamp.mtime_ns)
        }
        Source::Track(track) => format!("{LINES_VERSION} {language} {} {}", track.index, track.codec),
    })
}

/// Returns what of a logo changes the bytes of pictures.
#[must_use]
pub fn told_of_logo(logo: &BurnedLogo) -> String {
    let BurnedLogo { file: _, sum, corner, size, opacity } = logo;
    format!("{LOGO_VERSION} {} {} {size} {opacity}", sum.as_deref().unwrap_or_default(), corner.as_str())
}

/// Why an item's picture is made anew for what is burned into it; nothing where nothing is.
#[must_use]
pub fn reasons(item: &Item, profile: &Profile) -> Vec<Reason> {
    let said = lines(item, &profile.burn).map(|(language, _)| Reason::Subtitles(language.to_string()));
    said.into_iter().chain(profile.burn.logo.as_ref().map(|_| Reason::Logo)).collect()
}

/// Whether an item's picture looks as if it could stay as it is, and nothing is burned into it.
#[must_use]
pub fn looks_fit(item: &Item, profile: &Profile) -> bool {
    reasons(item, profile).is_empty() && recipe::looks_fit(&item.media, profile)
}

/// Returns what must be done to an item when what is burned into it was thought of.
#[must_use]
pub fn decided(kept: Recipe, item: &Item, profile: &Profile) -> Recipe {
    let burned = reasons(item, profile);
    match kept {
        kept if burned.is_empty() => kept,
        Recipe::Transcode { reasons } => Recipe::Transcode { reasons: reasons.into_iter().chain(burned).collect() },
        Recipe::Remux | Recipe::KeepFirst => Recipe::Transcode { reasons: burned },
    }
}

/// Returns a recipe without the subtitles that could not be burned in, which it tells.
#[must_use]
pub fn without_lines(recipe: Recipe, why: String) -> Recipe {
    let Recipe::Transcode { mut reasons } = recipe else { return recipe };
    reasons.retain(|reason| !matches!(reason, Reason::Subtitles(_)));
    reasons.push(Reason::WithoutSubtitles(why));
    Recipe::Transcode { reasons }
}

/// Returns the shape of the screen that a track of pictures was made for, where it is another than the film's own picture.
#[must_use]
pub fn screen(item: &Item, track: &SubtitleTrack, extent: &Extent) -> Option<(u64, u64)> {
    let video = &item.media.video;
    let size = extent.streams.get(track.index as usize)?.size;
    if size == (0, 0) || size == (video.width, video.height) {
        return None;
    }
    if track.codec != DVD {
        return Some((u64::from(size.0), u64::from(size.1)));
    }
    let (width, height) = shown_shape(video);
    #[expect(clippy::cast_precision_loss, reason = "pixels are far below 2^53")]
    let is_wide = width as f64 / height.max(1) as f64 > WIDE;
    Some(if is_wide { (16, 9) } else { (4, 3) })
}

/// Returns what ffmpeg is told of a logo.
#[must_use]
pub fn placed(logo: &BurnedLogo) -> burn_args::Logo {
    burn_args::Logo { corner: logo.corner, size: logo.size, opacity: logo.opacity }
}

/// Returns the script that libass reads, of a file or track of this kind, and whether its places are places in the film's own
/// picture.
///
/// # Errors
/// Why there is none.
fn script_of(kind: FileKind, bytes: &[u8]) -> Result<(String, bool), String> {
    let track = super::subtitles::read::track(kind, bytes).ok_or("nothing in it is understood")?;
    let authored = (kind == FileKind::Ass).then(|| script::authored(bytes)).flatten();
    Ok(authored.map_or_else(|| (script::of_cues(track.cues()), false), |text| (text, true)))
}

#[cfg(test)]
mod tests;
