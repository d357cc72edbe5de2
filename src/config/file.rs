//! The file as it is written: every key with its place in the text, nothing judged but names and types.
//!
//! We read toml's tree of spanned values ourselves rather than deriving `Deserialize`: serde stops at the first unknown
//! key or wrong type, and a person who mistyped three keys wants to hear of three.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::burn::{self, LogoBurnFile};
use super::problem::Problems;
use super::table::{Section, complain};
use super::timetable_file::{self, BLOCK_KEYS, FIXED_KEYS, TimetableFile};

/// A value and where it stands.
pub(super) type At<T> = Spanned<T>;

/// The keys of the file itself.
pub(super) const FILE_KEYS: &[&str] = &["station", "metrics", "admin", "mirror", "apps", "channel"];
/// The keys of `[station]`.
pub(super) const STATION_KEYS: &[&str] = &[
    "name",
    "time-zone",
    "listen",
    "data",
    "cache-budget",
    "workers",
    "encoder",
    "settle-seconds",
    "rescan-seconds",
    "connections-max",
    "ffmpeg",
    "ffprobe",
    "colour",
];
/// The keys of `[metrics]`.
pub(super) const METRICS_KEYS: &[&str] = &["listen"];
/// The keys of `[admin]`.
pub(super) const ADMIN_KEYS: &[&str] = &["token-file"];
/// The keys of `[mirror]`.
pub(super) const MIRROR_KEYS: &[&str] = &["url", "endpoint", "region", "credentials-file"];
/// The keys of `[apps]`.
pub(super) const APPS_KEYS: &[&str] = &["hdhomerun", "address"];
/// The keys of each `[[channel]]`.
pub(super) const CHANNEL_KEYS: &[&str] = &[
    "id",
    "name",
    "folder",
    "order",
    "spacing",
    "weights",
    "seed",
    "prepare",
    "renditions",
    "subtitles",
    "subtitle-languages",
    "mirror",
    "on-demand",
    "rewind",
    "rewind-space",
    "logo",
    "logo-burn",
    "colour",
    "fillers",
    "idents",
    "sign-off",
    "block",
    "fixed",
    "picture",
    "sound",
];
/// The keys of each table in `renditions`.
pub(super) const RENDITION_KEYS: &[&str] = &["name", "size", "quality", "kbps", "max-kbps"];
/// The keys of `[channel.picture]`.
pub(super) const PICTURE_KEYS: &[&str] =
    &["size", "fps", "quality", "kbps", "max-kbps", "prefer", "preset", "tune", "gop-seconds"];
/// The keys of `[channel.sound]`.
pub(super) const SOUND_KEYS: &[&str] = &["loudness", "kbps"];

/// The header of each table and its keys.
pub(super) const TABLES: &[(&str, &[&str])] = &[
    ("[station]", STATION_KEYS),
    ("[metrics]", METRICS_KEYS),
    ("[admin]", ADMIN_KEYS),
    ("[mirror]", MIRROR_KEYS),
    ("[apps]", APPS_KEYS),
    ("[[channel]]", CHANNEL_KEYS),
    ("[channel.picture]", PICTURE_KEYS),
    ("[channel.sound]", SOUND_KEYS),
    ("[[channel.block]]", BLOCK_KEYS),
    ("[[channel.fixed]]", FIXED_KEYS),
];

/// A value that may be a number or a word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    /// A number, whole or not.
    Number(f64),
    /// A word in quotes.
    Word(String),
}

/// Path prefixes and their weights, in the order of the file.
pub(super) type WeightsFile = Vec<(At<String>, At<f64>)>;

/// The whole file. Absent keys are `None`; so are ill-typed ones, which have been complained about.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) station: StationFile,
    pub(super) metrics: MetricsFile,
    pub(super) admin: AdminFile,
    pub(super) mirror: Option<MirrorFile>,
    pub(super) apps: AppsFile,
    pub(super) channels: Vec<ChannelFile>,
}

/// `[station]`
#[derive(Debug, Default)]
pub(super) struct StationFile {
    pub(super) name: Option<At<String>>,
    pub(super) time_zone: Option<At<String>>,
    pub(super) listen: Option<At<String>>,
    pub(super) data: Option<At<String>>,
    pub(super) cache_budget: Option<At<String>>,
    pub(super) workers: Option<At<i64>>,
    pub(super) encoder: Option<At<String>>,
    pub(super) settle_seconds: Option<At<f64>>,
    pub(super) rescan_seconds: Option<At<f64>>,
    pub(super) connections_max: Option<At<i64>>,
    pub(super) ffmpeg: Option<At<String>>,
    pub(super) ffprobe: Option<At<String>>,
    pub(super) colour: Option<At<String>>,
}

/// `[metrics]`
#[derive(Debug, Default)]
pub(super) struct MetricsFile {
    pub(super) listen: Option<At<String>>,
}

/// `[admin]`
#[derive(Debug, Default)]
pub(super) struct AdminFile {
    pub(super) token_file: Option<At<String>>,
}

/// `[mirror]`
#[derive(Debug, Default)]
pub(super) struct MirrorFile {
    pub(super) url: Option<At<String>>,
    pub(super) endpoint: Option<At<String>>,
    pub(super) region: Option<At<String>>,
    pub(super) credentials_file: Option<At<String>>,
}

/// `[apps]`
#[derive(Debug, Default)]
pub(super) struct AppsFile {
    pub(super) hdhomerun: Option<At<bool>>,
    pub(super) address: Option<At<String>>,
}

/// `[[channel]]`
#[derive(Debug)]
pub(super) struct ChannelFile {
    /// For messages: `[[channel]] Cats`.
    pub(super) place: String,
    pub(super) id: Option<At<String>>,
    pub(super) name: Option<At<String>>,
    pub(super) folders: Vec<At<String>>,
    pub(super) order: Option<At<String>>,
    pub(super) spacing: Option<At<i64>>,
    pub(super) weights: Option<At<WeightsFile>>,
    pub(super) seed: Option<At<i64>>,
    pub(super) prepare: Option<At<String>>,
    pub(super) renditions: Option<At<Vec<RenditionFile>>>,
    pub(super) subtitles: Option<At<String>>,
    pub(super) subtitle_languages: Vec<At<String>>,
    pub(super) mirror: Option<At<bool>>,
    pub(super) on_demand: Option<At<bool>>,
    pub(super) rewind: Option<At<String>>,
    pub(super) rewind_space: Option<At<String>>,
    pub(super) logo: Option<At<String>>,
    pub(super) logo_burn: Option<LogoBurnFile>,
    pub(super) colour: Option<At<String>>,
    pub(super) timetable: TimetableFile,
    pub(super) picture: PictureFile,
    pub(super) sound: SoundFile,
}

/// `[channel.picture]`
#[derive(Debug, Default)]
pub(super) struct PictureFile {
    pub(super) size: Option<At<String>>,
    pub(super) fps: Option<At<Scalar>>,
    pub(super) quality: Option<At<i64>>,
    pub(super) prefer: Option<At<String>>,
    pub(super) preset: Option<At<String>>,
    pub(super) tune: Option<At<String>>,
    pub(super) gop_seconds: Option<At<i64>>,
    pub(super) kbps: Option<At<Scalar>>,
    pub(super) max_kbps: Option<At<i64>>,
}

/// One of `renditions`
#[derive(Debug)]
pub(super) enum RenditionFile {
    /// `"720p"`
    Preset(At<String>),
    /// `{ name = "720p", size = "1280x720", max-kbps = 3500 }`
    Own(At<OwnRendition>),
}

/// A rendition in every detail.
#[derive(Debug)]
pub(super) struct OwnRendition {
    pub(super) name: Option<At<String>>,
    pub(super) size: Option<At<String>>,
    pub(super) quality: Option<At<i64>>,
    pub(super) kbps: Option<At<i64>>,
    pub(super) max_kbps: Option<At<i64>>,
}

/// `[channel.sound]`
#[derive(Debug, Default)]
pub(super) struct SoundFile {
    pub(super) loudness: Option<At<Scalar>>,
    pub(super) kbps: Option<At<i64>>,
}

/// How many channels a station may have. Each costs a child of 20 MB; ten times as many would need another design.
pub(super) const CHANNELS_MAX: usize = 1000;

/// Reads the tree of a file without syntax errors.
pub(super) fn read(root: &DeTable<'_>, problems: &mut Problems) -> File {
    let top = Section::open(root, 0..0, String::new(), FILE_KEYS, problems);
    let station = top.table("station", problems).map(|(table, span)| {
        let section = Section::open(table, span, "[station]".to_owned(), STATION_KEYS, problems);
        read_station(&section, problems)
    });
    let metrics = top.table("metrics", problems).map(|(table, span)| {
        let section = Section::open(table, span, "[metrics]".to_owned(), METRICS_KEYS, problems);
        MetricsFile { listen: section.text("listen", problems) }
    });
    let admin = top.table("admin", problems).map(|(table, span)| {
        let section = Section::open(table, span, "[admin]".to_owned(), ADMIN_KEYS, problems);
        AdminFile { token_file: section.text("token-file", problems) }
    });
    let mirror = top.table("mirror", problems).map(|(table, span)| {
        let section = Section::open(table, span, "[mirror]".to_owned(), MIRROR_KEYS, problems);
        section.require("url", "where the copies go: url = \"s3://bucket/tv\"", problems);
        MirrorFile {
            url: section.text("url", problems),
            endpoint: section.text("endpoint", problems),
            region: section.text("region", problems),
            credentials_file: section.text("credentials-file", problems),
        }
    });
    let apps = top.table("apps", problems).map(|(table, span)| {
        let section = Section::open(table, span, "[apps]".to_owned(), APPS_KEYS, problems);
        AppsFile { hdhomerun: section.truth("hdhomerun", problems), address: section.text("address", problems) }
    });
    let (station, metrics) = (station.unwrap_or_default(), metrics.unwrap_or_default());
    let (admin, apps) = (admin.unwrap_or_default(), apps.unwrap_or_default());
    File { station, metrics, admin, mirror, apps, channels: read_channels(&top, problems) }
}

fn read_station(section: &Section<'_>, problems: &mut Problems) -> StationFile {
    StationFile {
        name: section.text("name", problems),
        time_zone: section.text("time-zone", problems),
        listen: section.text("listen", problems),
        data: section.text("data", problems),
        cache_budget: section.text("cache-budget", problems),
        workers: section.whole("workers", problems),
        encoder: section.text("encoder", problems),
        settle_seconds: section.number("settle-seconds", problems),
        rescan_seconds: section.number("rescan-seconds", problems),
        connections_max: section.whole("connections-max", problems),
        ffmpeg: section.text("ffmpeg", problems),
        ffprobe: section.text("ffprobe", problems),
        colour: section.text("colour", problems),
    }
}

fn read_channels(top: &Section<'_>, problems: &mut Problems) -> Vec<ChannelFile> {
    const FIRST: &str = "write at least\n[[channel]]\nname = \"Cats\"\nfolder = \"media/cats\"";
    const DOUBLE: &str = "every channel begins with [[channel]], in double brackets";
    let Some((key_span, value)) = top.value("channel") else {
        // A mistyped `[[chanel]]` has been complained about, and is the better message.
        if !top.has_unknown_keys() {
            complain(problems, &(0..0), "", "there is no channel yet".to_owned(), Some(FIRST));
        }
        return Vec::new();
    };
    let DeValue::Array(array) = value.get_ref() else {
        complain(problems, &key_span, "", "channel is not a list of channels".to_owned(), Some(DOUBLE));
        return Vec::new();
    };
    if array.is_empty() {
        complain(problems, &value.span(), "", "there is no channel yet".to_owned(), Some(FIRST));
    }
    if let Some(surplus) = array.get(CHANNELS_MAX) {
        let message = format!("there are {} channels, the most is {CHANNELS_MAX}", array.len());
        complain(problems, &surplus.span(), "", message, Some("run a second station for the rest"));
    }
    let mut channels = Vec::new();
    for value in array.iter().take(CHANNELS_MAX) {
        match value.get_ref() {
            DeValue::Table(table) => channels.push(read_channel(table, value.span(), problems)),
            _ => complain(problems, &value.span(), "", "a channel must be a table".to_owned(), Some(DOUBLE)),
        }
    }
    channels
}

fn read_channel(table: &DeTable<'_>, span: Range<usize>, problems: &mut Problems) -> ChannelFile {
    let written_name = table.iter().find(|(key, _)| key.get_ref() == "name");
    let place = match written_name.map(|(_, value)| value.get_ref()) {
        Some(DeValue::String(name)) if !name.trim().is_empty() => format!("[[channel]] {}", name.escape_debug()),
        _ => "[[channel]]".to_owned(),
    };
    let section = Section::open(table, span, place.clone(), CHANNEL_KEYS, problems);
    section.require("name", "it is what viewers read: name = \"Cats\"", problems);
    section.require("folder", "where the videos lie: folder = \"media/cats\"", problems);
    let picture = section.table("picture", problems).map(|(table, span)| {
        let place = format!("[channel.picture] of {place}");
        let section = Section::open(table, span, place, PICTURE_KEYS, problems);
        PictureFile {
            size: section.text("size", problems),
            fps: section.scalar("fps", "a number or \"source\"", problems),
            quality: section.whole("quality", problems),
            kbps: section.scalar("kbps", "a number or \"off\"", problems),
            prefer: section.text("prefer", problems),
            preset: section.text("preset", problems),
            tune: section.text("tune", problems),
            gop_seconds: section.whole("gop-seconds", problems),
            max_kbps: section.whole("max-kbps", problems),
        }
    });
    let sound = section.table("sound", problems).map(|(table, span)| {
        let section = Section::open(table, span, format!("[channel.sound] of {place}"), SOUND_KEYS, problems);
        SoundFile {
            loudness: section.scalar("loudness", "a number or \"off\"", problems),
            kbps: section.whole("kbps", problems),
        }
    });
    ChannelFile {
        id: section.text("id", problems),
        name: section.text("name", problems),
        folders: section.texts("folder", problems),
        order: section.text("order", problems),
        spacing: section.whole("spacing", problems),
        weights: section.weights("weights", problems),
        seed: section.whole("seed", problems),
        prepare: section.text("prepare", problems),
        renditions: read_renditions(&section, problems),
        subtitles: section.text("subtitles", problems),
        subtitle_languages: section.texts("subtitle-languages", problems),
        mirror: section.truth("mirror", problems),
        on_demand: section.truth("on-demand", problems),
        rewind: section.text("rewind", problems),
        rewind_space: section.text("rewind-space", problems),
        logo: section.text("logo", problems),
        logo_burn: burn::read(&section, problems),
        colour: section.text("colour", problems),
        timetable: timetable_file::read(&section, problems),
        picture: picture.unwrap_or_default(),
        sound: sound.unwrap_or_default(),
        place,
    }
}

fn read_renditions(section: &Section<'_>, problems: &mut Problems) -> Option<At<Vec<RenditionFile>>> {
    const WANTED: &str = "a list of sizes: [\"720p\", \"360p\"]";
    let (_, value) = section.value("renditions")?;
    let DeValue::Array(array) = value.get_ref() else {
        section.wrong_type("renditions", value, WANTED, problems);
        return None;
    };
    let mut renditions = Vec::new();
    for value in array {
        match value.get_ref() {
            DeValue::String(name) => {
                renditions.push(RenditionFile::Preset(Spanned::new(value.span(), name.clone().into_owned())));
            }
            DeValue::Table(table) => {
                let place = format!("renditions of {}", section.place());
                let own = Section::open(table, value.span(), place, RENDITION_KEYS, problems);
                own.require("name", "its part of the address: name = \"phone\"", problems);
                own.require("size", "width x height: size = \"640x360\"", problems);
                own.require("max-kbps", "in thousand bits a second: max-kbps = 900", problems);
                let rendition = OwnRendition {
                    name: own.text("name", problems),
                    size: own.text("size", problems),
                    quality: own.whole("quality", problems),
                    kbps: own.whole("kbps", problems),
                    max_kbps: own.whole("max-kbps", problems),
                };
                renditions.push(RenditionFile::Own(Spanned::new(value.span(), rendition)));
            }
            _ => section.wrong_type("a rendition", value, "a name such as \"720p\", or a table", problems),
        }
    }
    Some(Spanned::new(value.span(), renditions))
}
