//! What a mezzanine must be before it may air. Pure: packets and heads in, the exact GOPs or what is wrong out.

use super::annexb::{Head, HeadError};
use super::mezzanine::Gop;
use super::recipe::GOP_MAX;
use crate::ffmpeg::extent::Extent;
use crate::units::MediaTime;

/// How far two times that ought to be equal may lie apart: ffprobe rounds to microseconds, we to ticks.
const ROUNDING: MediaTime = MediaTime(2);

/// How much earlier than the picture the sound may end: one packet (1,920 ticks), for copied pictures end anywhere.
const SOUND_SHORT_MAX: MediaTime = MediaTime(1920 + 2);

/// What was to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Frames of picture.
    pub frames: u64,
    /// How long the picture is.
    pub length: MediaTime,
}

/// What is wrong with a mezzanine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Something else than its pictures and one sound.
    #[error("it does not hold exactly its H.264 pictures and one 48 kHz stereo AAC sound")]
    Streams,
    /// The keyframes of its pictures do not meet.
    #[error("the GOPs of its renditions do not begin together")]
    Apart,
    /// Too few frames, or too many.
    #[error("it has {made} frames instead of {wanted}")]
    Frames {
        /// Frames made.
        made: u64,
        /// Frames that were to be made.
        wanted: u64,
    },
    /// Decoding times go back.
    #[error("its decoding times go back")]
    Order,
    /// Picture and sound do not begin together.
    #[error("sound and picture begin {0:?} ticks apart")]
    Begin(i64),
    /// The sound ends too early or after the picture.
    #[error("the sound ends {0} ticks before the picture")]
    End(i64),
    /// The index does not fit the packets.
    #[error("the index has {index} GOPs, the file {file}")]
    Index {
        /// GOPs in the index.
        index: usize,
        /// Keyframes in the file.
        file: usize,
    },
    /// A GOP is too long, or empty.
    #[error("a GOP lasts {:.2} s", .0.as_secs_f64())]
    Gop(MediaTime),
    /// A GOP needs the one before.
    #[error("a GOP needs the one before")]
    Open,
    /// A GOP's head is not as it must be.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// SPS, PPS or sound change within.
    #[error("its parameters change in the middle")]
    Change,
    /// A kept picture could not be decoded.
    #[error("not all of its GOPs {} to {} can be decoded ({why})", gops.0, gops.1)]
    Decode {
        /// Which were decoded, from 0.
        gops: (usize, usize),
        /// ffmpeg's last words.
        why: String,
    },
}

/// Checks what ffprobe saw of a mezzanine against its index and what was to be made; returns the GOPs with durations to
/// the tick. There is an extent for each picture, all with the one sound.
///
/// # Errors
/// [`Flaw`] as its variants tell, the first that is found.
pub fn packets(extents: &[Extent], index: &[Gop], expected: Expected) -> Result<Vec<Gop>, Flaw> {
    let Some((first, others)) = extents.split_first() else { return Err(Flaw::Streams) };
    let kinds = first.streams.iter().map(|s| (s.codec.as_str(), s.kind.as_str()));
    let wanted = extents.iter().map(|_| ("h264", "video")).chain([("aac", "audio")]);
    let sound_fits = first.streams.get(extents.len()).is_some_and(|sound| sound.size == (48_000, 2));
    if !sound_fits || !kinds.eq(wanted) {
        return Err(Flaw::Streams);
    }
    let gops = picture(first, index, expected)?;
    for other in others {
        picture(other, index, expected)?;
        if other.gops.starts != first.gops.starts {
            return Err(Flaw::Apart);
        }
    }
    Ok(gops)
}

fn picture(extent: &Extent, index: &[Gop], expected: Expected) -> Result<Vec<Gop>, Flaw> {
    let (video, Some(audio)) = (&extent.video, &extent.audio) else { return Err(Flaw::Streams) };
    if video.packets != expected.frames {
        return Err(Flaw::Frames { made: video.packets, wanted: expected.frames });
    }
    if !video.monotonic || !audio.monotonic {
        return Err(Flaw::Order);
    }
    let apart = audio.first - video.first;
    if apart.0.abs() > ROUNDING.0 {
        return Err(Flaw::Begin(apart.0));
    }
    let end = video.first + expected.length;
    let short = end - audio.end;
    if short > SOUND_SHORT_MAX || short.0 < -ROUNDING.0 {
        return Err(Flaw::End(short.0));
    }
    let starts = &extent.gops.starts;
    if starts.len() != index.len() || starts.is_empty() {
        return Err(Flaw::Index { index: index.len(), file: starts.len() });
    }
    if extent.gops.open || extent.gops.headless {
        return Err(Flaw::Open);
    }
    let ends = starts.iter().skip(1).copied().chain([end]);
    let durations = starts.iter().zip(ends).map(|(start, end)| end - *start);
    let gops: Vec<Gop> = index.iter().zip(durations).map(|(gop, duration)| Gop { duration, ..*gop }).collect();
    match gops.iter().find(|gop| gop.duration > GOP_MAX || gop.duration <= MediaTime::ZERO) {
        Some(gop) => Err(Flaw::Gop(gop.duration)),
        None => Ok(gops),
    }
}

/// Checks that a later GOP's head has the parameters of the first.
///
/// # Errors
/// [`Flaw::Change`] when it has not.
pub fn same_parameters(first: &Head, later: &Head) -> Result<(), Flaw> {
    // A copied original's first GOP repeats its parameter sets, which is no change; sound may stand after the head's end.
    let same_sound = first.adts == later.adts || later.adts.is_empty();
    if first.pictures == later.pictures && same_sound { Ok(()) } else { Err(Flaw::Change) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffmpeg::extent::{GopShape, StreamLine, Track};

    const EXPECTED: Expected = Expected { frames: 104, length: MediaTime(374_400) };

    fn extent() -> Extent {
        let track = |packets| Track {
            first: MediaTime(133_200),
            end: MediaTime(133_200 + 374_400),
            packets,
            bytes: 0,
            monotonic: true,
            ..Track::default()
        };
        let stream = |codec: &str, kind: &str, size| StreamLine {
            codec: codec.to_owned(),
            kind: kind.to_owned(),
            size,
            reorder: 0,
            color_space: None,
        };
        Extent {
            video: track(104),
            audio: Some(track(195)),
            gops: GopShape { starts: vec![MediaTime(133_200), MediaTime(313_200)], ..GopShape::default() },
            container_start: None,
            streams: vec![stream("h264", "video", (320, 180)), stream("aac", "audio", (48_000, 2))],
            complete: true,
        }
    }

    fn index() -> Vec<Gop> {
        let gop = |offset| Gop { offset, len: 1000, duration: MediaTime(1), sum: None };
        vec![gop(0), gop(1000)]
    }

    #[test]
    fn a_good_mezzanine_gets_the_exact_durations_of_its_gops() {
        let gops = packets(&[extent()], &index(), EXPECTED).unwrap();
        let durations: Vec<_> = gops.iter().map(|gop| gop.duration.0).collect();
        assert_eq!(durations, [180_000, 194_400]);
        assert_eq!(durations.iter().sum::<i64>(), EXPECTED.length.0);
    }

    #[test]
    fn several_pictures_begin_their_gops_together() {
        let several = |second: Extent| {
            let mut first = extent();
            first.streams.insert(1, first.streams[0].clone());
            packets(&[first, second], &index(), EXPECTED)
        };
        assert_eq!(several(extent()), packets(&[extent()], &index(), EXPECTED));
        let mut late = extent();
        late.gops.starts[1].0 += 3600;
        assert_eq!(several(late), Err(Flaw::Apart));
        let mut short = extent();
        short.video.packets = 103;
        assert_eq!(several(short), Err(Flaw::Frames { made: 103, wanted: 104 }));
        assert_eq!(packets(&[extent(), extent()], &index(), EXPECTED), Err(Flaw::Streams), "there is only one");
        assert_eq!(packets(&[], &index(), EXPECTED), Err(Flaw::Streams));
    }

    #[test]
    fn each_flaw_is_found() {
        type Change = fn(&mut Extent);
        let table: [(&str, Change, Flaw); 11] = [
            ("no sound", |e| e.audio = None, Flaw::Streams),
            ("44.1 kHz", |e| e.streams[1].size = (44_100, 2), Flaw::Streams),
            ("a third stream", |e| e.streams.push(StreamLine::default()), Flaw::Streams),
            ("cut short", |e| e.video.packets = 90, Flaw::Frames { made: 90, wanted: 104 }),
            ("time goes back", |e| e.video.monotonic = false, Flaw::Order),
            ("priming", |e| e.audio.as_mut().unwrap().first.0 -= 1920, Flaw::Begin(-1920)),
            ("sound too long", |e| e.audio.as_mut().unwrap().end.0 += 3, Flaw::End(-3)),
            ("sound too short", |e| e.audio.as_mut().unwrap().end.0 -= 1923, Flaw::End(1923)),
            ("a keyframe too many", |e| e.gops.starts.push(MediaTime(400_000)), Flaw::Index { index: 2, file: 3 }),
            ("open", |e| e.gops.open = true, Flaw::Open),
            ("too long", |e| e.gops.starts[0].0 -= 500_000, Flaw::Gop(MediaTime(680_000))),
        ];
        for (sentence, change, flaw) in table {
            let mut extent = extent();
            change(&mut extent);
            assert_eq!(packets(&[extent], &index(), EXPECTED), Err(flaw), "{sentence}");
        }
    }
}
