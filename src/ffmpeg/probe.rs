//! What ffprobe said, as facts: which streams would air, or why the file cannot.
//!
//! ffprobe's JSON differs by version and container: every field may be missing, and numbers come as strings.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::child::{Evidence, clean};
use crate::config::Language;
use crate::library::subtitles::{Purpose, SOURCES_MAX, SubtitleTrack};
use crate::library::{AudioInfo, MediaInfo, VideoInfo};
use crate::units::MediaTime;

/// The shortest item that can air: below it there is no whole GOP to cut at.
pub const DURATION_MIN: MediaTime = MediaTime::from_secs(1);

/// The longest item: beyond it the container's length is a mistake, not a film.
pub const DURATION_MAX: MediaTime = MediaTime::from_secs(48 * 3600);

/// The widest and highest picture, in pixels; one frame of it takes 100 MB.
pub const SIDE_MAX: u32 = 8192;

/// The least width and height, in pixels: what smaller pictures hold is not for viewers, and scalers fail on them.
pub const SIDE_MIN: u32 = 16;

/// Version of everything that decides what is accepted and how it is read, whitelists included. Raise it with any such
/// change: verdicts of earlier versions are then forgotten, and every file is looked into once more.
pub const RULES_VERSION: u32 = 2;

/// A file that may be played.
#[derive(Clone, Debug, PartialEq)]
pub struct Probed {
    /// Its streams.
    pub media: MediaInfo,
    /// Its tags, names in lower case.
    pub tags: BTreeMap<String, String>,
}

/// Why a file cannot be played. Each message is a sentence for people.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No byte in it.
    #[error("It is empty (0 bytes).")]
    Empty,
    /// Text, whatever its name says.
    #[error("It is a text file, not a video.")]
    Text,
    /// A playlist or script that names other files.
    #[error("It is a playlist, not a video, and what it names is not opened.")]
    Playlist,
    /// A container that is not opened.
    #[error("It is a \"{format}\" file, which is not a kind of video that is played here.")]
    OtherFormat {
        /// ffmpeg's name of it.
        format: String,
    },
    /// A decoder that is not opened.
    #[error("It holds a stream in the format \"{codec}\", which is not decoded here.")]
    OtherCodec {
        /// ffmpeg's name of it.
        codec: String,
    },
    /// MP4 and relatives keep an index, usually at the end.
    #[error("Its index is missing (no moov atom): the copy was probably cut short.")]
    NoIndex,
    /// Ends before the container's head does.
    #[error("It ends too early: the copy was probably cut short.")]
    EndsEarly,
    /// No demuxer understood it.
    #[error("It is not a video, or it is damaged: nothing in it can be read.")]
    Unreadable,
    /// Sound only.
    #[error("It has sound but no picture.")]
    NoVideo,
    /// The only picture is a still that belongs to music.
    #[error("Its only picture is cover art.")]
    CoverOnly,
    /// Neither the container nor a stream tells a length.
    #[error("Its length is unknown.")]
    NoDuration,
    /// Too short to air.
    #[error("It is {:.2} s long; the shortest that can air is {} s.", duration.as_secs_f64(), DURATION_MIN.as_secs_f64())]
    TooShort {
        /// How long it is.
        duration: MediaTime,
    },
    /// Too long to be true.
    #[error("It claims to be {} hours long; the longest that can air is {} hours.",
        duration.0 / MediaTime::from_secs(3600).0, DURATION_MAX.0 / MediaTime::from_secs(3600).0)]
    TooLong {
        /// How long it says it is.
        duration: MediaTime,
    },
    /// Picture too large.
    #[error("Its picture of {width}x{height} is too large; the largest that can air is {SIDE_MAX}x{SIDE_MAX}.")]
    TooLarge {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// Picture too small.
    #[error("Its picture of {width}x{height} is too small; the smallest that can air is {SIDE_MIN}x{SIDE_MIN}.")]
    TooSmall {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// The system's permissions, not the file's content.
    #[error("The server may not read it (permission denied).")]
    Denied,
    /// Copy protection.
    #[error("It is encrypted.")]
    Encrypted,
    /// The kernel's limit on memory or time ended ffprobe.
    #[error("Looking into it took more time or memory than a file may; it is probably damaged.")]
    TooCostly,
    /// Anything else, in ffprobe's words.
    #[error("It cannot be read; ffprobe says \"{said}\".")]
    Other {
        /// What ffprobe said.
        said: String,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    streams: Vec<Stream>,
    format: Format,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Format {
    #[serde(rename = "format_name")]
    names: String,
    start_time: Option<String>,
    duration: Option<String>,
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stream {
    index: u32,
    codec_type: String,
    codec_name: String,
    codec_tag_string: String,
    profile: Option<String>,
    level: Option<i64>,
    width: u32,
    height: u32,
    sample_aspect_ratio: Option<String>,
    pix_fmt: Option<String>,
    avg_frame_rate: Option<String>,
    r_frame_rate: Option<String>,
    field_order: Option<String>,
    color_transfer: Option<String>,
    sample_rate: Option<String>,
    channels: u32,
    start_time: Option<String>,
    duration: Option<String>,
    bit_rate: Option<String>,
    disposition: BTreeMap<String, i64>,
    tags: BTreeMap<String, String>,
    side_data_list: Vec<SideData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SideData {
    /// Degrees counter-clockwise; newer versions write fractions.
    rotation: Option<f64>,
}

impl Stream {
    fn is(&self, disposition: &str) -> bool {
        self.disposition.get(disposition).is_some_and(|&set| set != 0)
    }

    fn encrypted(&self) -> bool {
        ["encv", "enca", "drmi", "drms"].contains(&self.codec_tag_string.as_str())
    }
}

/// Returns what may air of a file, from ffprobe's JSON.
///
/// # Errors
/// A [`Refusal`] for people where nothing may.
pub fn read(json: &[u8]) -> Result<Probed, Refusal> {
    let answer: Answer = serde_json::from_slice(json)
        .map_err(|error| Refusal::Other { said: format!("ffprobe's answer about it makes no sense ({error})") })?;
    let videos = || answer.streams.iter().filter(|stream| stream.codec_type == "video");
    let covers = |stream: &Stream| stream.is("attached_pic") || stream.is("timed_thumbnails");
    let real = || videos().filter(|stream| !covers(stream));
    let video = real().find(|stream| stream.width > 0 && stream.height > 0);
    let Some(video) = video else {
        let (unclear, any_picture) = (real().next().is_some(), videos().next().is_some());
        let any_sound = answer.streams.iter().any(|stream| stream.codec_type == "audio");
        return Err(match () {
            () if !unclear && any_picture => Refusal::CoverOnly,
            () if !unclear && any_sound => Refusal::NoVideo,
            () => Refusal::Unreadable,
        });
    };
    let sounds = || answer.streams.iter().filter(|stream| stream.codec_type == "audio" && stream.channels > 0);
    let audio = sounds().find(|stream| stream.is("default")).or_else(|| sounds().next());
    if video.encrypted() || audio.is_some_and(Stream::encrypted) {
        return Err(Refusal::Encrypted);
    }
    check_size(video)?;
    let length = |text: &Option<String>| text.as_deref().and_then(seconds).filter(|time| time.0 > 0);
    let duration = length(&answer.format.duration)
        .or_else(|| length(&video.duration))
        .or_else(|| audio.and_then(|audio| length(&audio.duration)));
    let duration = check_duration(duration)?;
    let media = MediaInfo {
        format: answer.format.names.clone(),
        duration,
        video: video_info(video, &answer.format),
        audio: audio.map(|stream| audio_info(stream, &answer.format)),
        subtitles: answer.streams.iter().filter_map(subtitle_track).take(SOURCES_MAX).collect(),
    };
    Ok(Probed { tags: tags(&answer.format, video, audio), media })
}

fn check_size(video: &Stream) -> Result<(), Refusal> {
    let (width, height) = (video.width, video.height);
    if width.max(height) > SIDE_MAX {
        return Err(Refusal::TooLarge { width, height });
    }
    if width.min(height) < SIDE_MIN {
        return Err(Refusal::TooSmall { width, height });
    }
    Ok(())
}

fn check_duration(duration: Option<MediaTime>) -> Result<MediaTime, Refusal> {
    match duration {
        None => Err(Refusal::NoDuration),
        Some(duration) if duration < DURATION_MIN => Err(Refusal::TooShort { duration }),
        Some(duration) if duration > DURATION_MAX => Err(Refusal::TooLong { duration }),
        Some(duration) => Ok(duration),
    }
}

fn video_info(stream: &Stream, format: &Format) -> VideoInfo {
    let fraction_or = |text: &Option<String>, other| text.as_deref().and_then(fraction).unwrap_or(other);
    let sar = fraction_or(&stream.sample_aspect_ratio, (1, 1));
    VideoInfo {
        index: stream.index,
        codec: stream.codec_name.clone(),
        profile: stream.profile.clone().filter(|profile| profile != "unknown"),
        level: stream.level.and_then(|level| u32::try_from(level).ok()).filter(|&level| level > 0),
        width: stream.width,
        height: stream.height,
        sar: if sar.0 == 0 { (1, 1) } else { sar },
        pix_fmt: stream.pix_fmt.clone().unwrap_or_default(),
        fps: fraction_or(&stream.avg_frame_rate, (0, 1)),
        fps_base: fraction_or(&stream.r_frame_rate, (0, 1)),
        interlaced: matches!(stream.field_order.as_deref(), Some("tt" | "bb" | "tb" | "bt")),
        rotation: rotation(stream),
        color_transfer: stream.color_transfer.clone().filter(|transfer| transfer != "unknown"),
        duration: stream.duration.as_deref().and_then(seconds),
        start: start(stream, format),
        bit_rate: stream.bit_rate.as_deref().and_then(|text| text.parse().ok()),
    }
}

fn audio_info(stream: &Stream, format: &Format) -> AudioInfo {
    AudioInfo {
        index: stream.index,
        codec: stream.codec_name.clone(),
        sample_rate: stream.sample_rate.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0),
        channels: stream.channels,
        duration: stream.duration.as_deref().and_then(seconds),
        start: start(stream, format),
    }
}

fn subtitle_track(stream: &Stream) -> Option<SubtitleTrack> {
    if stream.codec_type != "subtitle" || stream.codec_name.is_empty() {
        return None;
    }
    let tag = |name: &str| stream.tags.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(name)).map(|(_, text)| &**text);
    // Where nothing marks a forced track but its title, that says so.
    let is_called_forced = tag("title").is_some_and(|title| title.to_lowercase().contains("forced"));
    let purpose = match () {
        () if stream.is("forced") || is_called_forced => Purpose::Forced,
        () if stream.is("hearing_impaired") => Purpose::Hearing,
        () => Purpose::Full,
    };
    Some(SubtitleTrack {
        index: stream.index,
        codec: stream.codec_name.clone(),
        language: tag("language").and_then(Language::read).unwrap_or_default(),
        purpose,
        default: stream.is("default"),
    })
}

fn start(stream: &Stream, format: &Format) -> MediaTime {
    let of = |text: &Option<String>| text.as_deref().and_then(seconds);
    of(&stream.start_time).or_else(|| of(&format.start_time)).unwrap_or_default()
}

/// Returns the clockwise rotation in quarter turns.
///
/// The display matrix counts counter-clockwise; the `rotate` tag, which some containers have instead, clockwise.
fn rotation(stream: &Stream) -> u32 {
    let matrix = stream.side_data_list.iter().find_map(|data| data.rotation).map(|degrees| -degrees);
    let tag = || stream.tags.get("rotate").and_then(|text| text.parse().ok());
    let degrees: f64 = matrix.or_else(tag).filter(|degrees: &f64| degrees.is_finite()).unwrap_or(0.0);
    let near = |turn: u32| (degrees - f64::from(turn)).rem_euclid(360.0);
    let near = |turn: u32| near(turn) < 45.0 || near(turn) >= 315.0;
    [90, 180, 270].into_iter().find(|&turn| near(turn)).unwrap_or(0)
}

/// Ogg keeps its tags with the streams; elsewhere a stream's title is a track's name, such as "Stereo".
fn tags(format: &Format, video: &Stream, audio: Option<&Stream>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let of_streams = audio.into_iter().chain([video]).filter(|_| format.names == "ogg").map(|stream| &stream.tags);
    for tags in of_streams.chain([&format.tags]) {
        all.extend(tags.iter().map(|(name, value)| (name.to_lowercase(), value.clone())));
    }
    all
}

fn seconds(text: &str) -> Option<MediaTime> {
    let secs: f64 = text.parse().ok()?;
    secs.is_finite().then(|| MediaTime::from_secs_f64(secs))
}

/// Reads `30000/1001` or `4:3`; none where the denominator is zero.
fn fraction(text: &str) -> Option<(u32, u32)> {
    let (over, under) = text.split_once(['/', ':'])?;
    let fraction = (over.parse().ok()?, under.parse().ok()?);
    (fraction.1 > 0).then_some(fraction)
}

/// Returns why ffprobe refused a file, from its last words.
#[must_use]
pub fn refusal(evidence: &Evidence) -> Refusal {
    // SIGXCPU and SIGKILL come from the limits on CPU time, the others from a decoder's own mistake.
    if matches!(evidence.signal, Some(24 | 9)) || evidence.stderr.contains("Cannot allocate memory") {
        return Refusal::TooCostly;
    }
    let said = &evidence.stderr;
    if let Some(format) = name_before(said, "Format not on whitelist") {
        let playlist = ["hls", "dash", "concat", "sdp", "imf", "webm_dash_manifest"].contains(&format);
        return if playlist { Refusal::Playlist } else { Refusal::OtherFormat { format: format.to_owned() } };
    }
    if said.contains("moov atom not found") {
        return Refusal::NoIndex;
    }
    if let Some((before, _)) = said.split_once(") not on whitelist")
        && let Some((_, codec)) = before.rsplit_once('(')
    {
        return Refusal::OtherCodec { codec: codec.to_owned() };
    }
    if said.contains("End of file") {
        return Refusal::EndsEarly;
    }
    if said.contains("Invalid data found") {
        return Refusal::Unreadable;
    }
    let last = said.lines().last().unwrap_or("").trim();
    // The path before the cause is known to whoever reads this, and may hold anything.
    let cause = last.rsplit_once(": ").map_or(last, |(_, cause)| cause);
    if cause == "Permission denied" {
        return Refusal::Denied;
    }
    let said = clean(cause);
    Refusal::Other { said: if said.is_empty() { evidence.ending() } else { said } }
}

/// Returns `hls` of `[hls @ 0x55] Format not on whitelist …`.
fn name_before<'a>(said: &'a str, phrase: &str) -> Option<&'a str> {
    let line = said.lines().find(|line| line.contains(phrase))?;
    line.strip_prefix('[')?.split_once(" @ ").map(|(name, _)| name)
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
