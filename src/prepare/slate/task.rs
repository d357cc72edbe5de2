//! Draws slates and idents, once for each text and profile.
#![expect(clippy::disallowed_methods, reason = "writes the texts that ffmpeg draws")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{KEPT_MAX, KEY_PREFIX, SlateCard, SlateError};
use crate::config::{Profile, Style};
use crate::ffmpeg::burn_args::LOGO;
use crate::ffmpeg::child::{ChildSpec, Limits, Role};
use crate::ffmpeg::family::Family;
use crate::ffmpeg::ident_args::ident_args;
use crate::ffmpeg::slate_args::{Slate, SlateText, slate_args};
use crate::ffmpeg::task as child;
use crate::prepare::burn::task::make_logo;
use crate::prepare::folder::task::{Folder, Found};
use crate::prepare::job::growth::Grown;
use crate::prepare::job::task as job;
use crate::prepare::job::witness::task::{Known, Witness};
use crate::prepare::job::{Tools, last_words};
use crate::prepare::mezzanine::{Mezzanine, MezzanineId};
use crate::prepare::verify::Expected;
use crate::prepare::{ladder, plan};

/// How long drawing may take: a second on an idle machine. One that only lies ready leaves the machine to others.
const LIMIT: Duration = Duration::from_mins(1);
const LIMIT_SPARE: Duration = Duration::from_mins(5);

/// How loud an ident takes films to be that are left as they are, in LUFS (EBU R 128).
const LUFS: f64 = -23.0;

/// How many bytes ffmpeg may write to stdout while drawing.
const STDOUT_MAX: u64 = 1 << 16;

/// Where Debian keeps the fonts, of names and of all else; ffmpeg asks fontconfig where they are not.
const FONTS: [&str; 2] =
    ["/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"];

/// Returns the slate from the cache, or draws it; without its texts where ffmpeg cannot write them.
///
/// # Errors
/// [`SlateError`] as its variants tell.
pub async fn make(
    card: &SlateCard,
    shown: bool,
    folder: &Folder,
    tools: &Tools,
    family: &Family,
    token: &CancellationToken,
) -> Result<Arc<Mezzanine>, SlateError> {
    let id = card.id();
    if let Some(found) = folder.read(&id) {
        return Ok(found.mezzanine);
    }
    let (name, reason, station) = card.texts();
    // Two channels may ask for one slate at once: each draws in its own folder.
    fs::create_dir_all(folder.tmp())?;
    let place = tempfile_in(folder.tmp(), &id)?;
    fs::write(place.join("name.txt"), &name)?;
    fs::write(place.join("reason.txt"), &reason)?;
    fs::write(place.join("station.txt"), &station)?;
    let logo = lay_logo(card, &place, tools, family, token).await;
    let font = |path: &'static str| Path::new(path).exists().then_some(Path::new(path));
    let fonts = (font(FONTS[0]).or_else(|| font(FONTS[1])), font(FONTS[1]));
    let (name_len, reason_len) = (name.chars().count(), reason.chars().count());
    let texts = SlateText { name_len, reason_len, station_len: station.chars().count(), fonts };
    let mut outcome = Err(SlateError::Draw("ffmpeg writes no text, and there is no logo".to_owned()));
    // A slate that says nothing is better than none; an ident is not.
    for (texts, logo) in [(tools.can_write_text.then_some(texts), logo), (None, logo && card.is_ident())] {
        let bare = texts.is_none() && !logo;
        if bare && card.is_ident() {
            break;
        }
        outcome = draw(card, shown, (texts, logo), &place, tools, family, token).await;
        if outcome.is_ok() || bare || (texts.is_none() && card.is_ident()) {
            break;
        }
    }
    let kept = outcome.and_then(|drawn| Ok(Arc::new(folder.keep(&drawn, None)?)));
    let _gone = fs::remove_dir_all(&place);
    kept
}

/// Makes a clean picture of the logo beside the texts; whether there is one. A card without is a card, too.
async fn lay_logo(card: &SlateCard, place: &Path, tools: &Tools, family: &Family, token: &CancellationToken) -> bool {
    let Some((file, _)) = &card.look.logo else { return false };
    match make_logo(file, &place.join(LOGO), tools, family, token).await {
        Ok(Ok(())) => true,
        Ok(Err(why)) => {
            tracing::warn!(file = %file.display(), why, "the logo cannot be drawn on the card (hint: a PNG suits best)");
            false
        }
        Err(_) => false,
    }
}

/// Takes the slates out of what was found at start, for they are no items and are not evicted, and removes the oldest
/// where there are too many.
#[must_use]
pub fn retain_newest(found: Vec<Found>, folder: &Folder) -> Vec<Found> {
    let is_slate = |one: &Found| one.mezzanine.id.key.0.starts_with(KEY_PREFIX);
    let (mut slates, items): (Vec<Found>, Vec<Found>) = found.into_iter().partition(is_slate);
    slates.sort_by_key(|one| std::cmp::Reverse(one.changed));
    for old in slates.iter().skip(KEPT_MAX) {
        folder.remove(&old.mezzanine.id);
    }
    items
}

fn tempfile_in(tmp: &Path, id: &MezzanineId) -> Result<std::path::PathBuf, SlateError> {
    for n in 0..100 {
        let place = tmp.join(format!("{}-{n}", id.file_stem()));
        match fs::create_dir(&place) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
            Ok(()) => return Ok(place),
        }
    }
    Err(SlateError::Draw("too many draw it at once".to_owned()))
}

async fn draw(
    card: &SlateCard,
    shown: bool,
    (texts, logo): (Option<SlateText<'_>>, bool),
    place: &Path,
    tools: &Tools,
    family: &Family,
    token: &CancellationToken,
) -> Result<Mezzanine, SlateError> {
    let (ts, playlist) = (place.join("slate.ts"), place.join("slate.m3u8"));
    let length = card.length();
    // It is to be gone as soon as there is something better, however long the GOPs of films are.
    let style = Style { gop_secs: card.gop_secs, ..card.profile.style };
    let profile = Profile { style, ..Profile::clone(&card.profile) };
    let renditions = ladder::of_card(&profile, card.frame_rate(), length.frames);
    let slate = Slate {
        renditions: &renditions,
        encoder: plan::encoder(&profile, card.frame_rate(), length.frames),
        audio_packets: length.audio_packets,
        audio_kbps: card.profile.audio_kbps,
        colour: card.look.colour,
        logo,
        texts,
        ts: &ts,
        playlist: &playlist,
    };
    let lufs = card.profile.loudness_lufs.unwrap_or(LUFS);
    let spec = ChildSpec {
        program: tools.ffmpeg.clone(),
        args: if card.is_ident() { ident_args(&slate, lufs) } else { slate_args(&slate) },
        folder: Some(place.to_owned()),
        role: Role::Prepare,
        limits: if shown { Limits { nice: 0, ..Limits::PREPARE } } else { Limits::PREPARE },
        family: family.clone(),
    };
    let failed = |why: String| SlateError::Draw(why);
    let ended = child::run_to_end(&spec, if shown { LIMIT } else { LIMIT_SPARE }, STDOUT_MAX, token).await;
    let (evidence, _) = ended.map_err(|error| failed(error.to_string()))?;
    if !evidence.success() {
        return Err(failed(last_words(&evidence)));
    }
    let expected = Expected { frames: length.frames, length: card.frame_rate().length_of(length.frames) };
    let grown = job::look(Grown::of(card.profile.pictures()), &ts, &playlist)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let (pictures, nice) = (grown.pictures(), spec.limits.nice);
    let witness = Witness { ts: &ts, pictures, hears: false, tools, nice, family, token };
    let (_whole, known) = watch::channel(Known { gops: grown.gops().into(), bytes: 0, is_whole: true });
    let seen = witness.see(&known).await.map_err(|error| failed(error.to_string()))?;
    job::verified(&card.id(), expected, &grown, &ts, seen).map_err(|error| failed(error.to_string()))
}
