//! One `[[channel]]` as written in, a [`Channel`] out; and what holds between channels.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::brand::ChannelBrand;
use super::file::{At, ChannelFile, PictureFile, Scalar, SoundFile, WeightsFile};
use super::mirror::MirrorWish;
use super::on_demand::{self, OnDemand};
use super::validate::{Judge, narrow, overlap};
use super::{Channel, Order, PrepareMode, Profile, Rewind, defaults, value};
use crate::units::ChannelId;
use jiff::tz::TimeZone;

/// The channels, and what of them is needed for the judgements that come after.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) channels: Vec<Channel>,
    pub(super) folders: Vec<(PathBuf, Range<usize>, String)>,
    /// What channels say of the mirror.
    pub(super) mirrors: Vec<MirrorWish>,
    /// How far back viewers may go, of those where they may.
    pub(super) rewinds: BTreeMap<ChannelId, Rewind>,
    /// How those look that have a look of their own.
    pub(super) brands: BTreeMap<ChannelId, ChannelBrand>,
    /// Whose items may be watched on demand.
    pub(super) on_demand: OnDemand,
}

/// What tells how the next item is picked.
pub(super) struct Ordering<'f> {
    pub(super) order: &'f Option<At<String>>,
    pub(super) spacing: &'f Option<At<i64>>,
    pub(super) weights: &'f Option<At<WeightsFile>>,
    pub(super) seed: &'f Option<At<i64>>,
}

#[derive(Clone, Copy, PartialEq)]
enum OrderWord {
    Shuffle,
    Random,
    Weighted,
    Sequential,
}

const ORDERS: &[(&str, OrderWord)] = &[
    ("shuffle", OrderWord::Shuffle),
    ("random", OrderWord::Random),
    ("weighted", OrderWord::Weighted),
    ("sequential", OrderWord::Sequential),
];

const PREPARES: &[(&str, PrepareMode)] = &[("auto", PrepareMode::Auto), ("always", PrepareMode::Always)];

/// Judges all channels. One without a usable id or folder is left out; it has been complained about.
pub(super) fn all(files: Vec<ChannelFile>, zone: Option<&TimeZone>, judge: &mut Judge<'_>) -> Judged {
    let mut all = Judged::default();
    let mut lines_by_id: HashMap<ChannelId, usize> = HashMap::new();
    for file in files {
        file.place.clone_into(&mut judge.place);
        let id = judge.id(&file);
        if let Some((id, span)) = &id {
            let line = judge.problems.line_number(span.start);
            if let Some(first) = lines_by_id.get(id) {
                let hint = format!(
                    "the first is made on line {first}; give this one an id of its own: id = \"{}\"",
                    second(id)
                );
                judge.complain(span, format!("two channels have the id {id}"), Some(hint));
            } else {
                lines_by_id.insert(id.clone(), line);
            }
        }
        let folders = judge.folders(&file.folders);
        all.folders.extend(folders.iter().map(|(path, span)| (path.clone(), span.clone(), file.place.clone())));
        let order = judge.order(&file);
        let seed = file.seed.as_ref().and_then(|seed| judge.seed(seed));
        let timetable = judge.timetable(&file.timetable, zone);
        let profile = judge.profile(&file.picture, &file.sound, file.prepare.as_ref());
        let (profile, audio_only) = judge.with_renditions(profile, &file);
        let subtitles = judge.subtitles(&file);
        let rewind = judge.rewind(&file);
        let name = file.name.as_ref().and_then(|name| judge.name(name));
        let colour = file.colour.as_ref().and_then(|colour| judge.colour(colour));
        let brand = ChannelBrand { colour, logo: file.logo.as_ref().and_then(|logo| judge.logo(logo)) };
        let burn = judge.burn(file.logo_burn.as_ref(), &subtitles, brand.logo.as_deref(), file.logo.is_some());
        let profile = Profile { burn, ..profile };
        if let (Some((id, _)), Some(name)) = (id, name) {
            on_demand::note(&mut all.on_demand, &id, &file);
            let wish = |wish: At<bool>| MirrorWish { id: id.clone(), place: file.place.clone(), wish };
            all.mirrors.extend(file.mirror.map(wish));
            all.rewinds.extend(rewind.map(|rewind| (id.clone(), rewind)));
            if brand != ChannelBrand::default() {
                all.brands.insert(id.clone(), brand);
            }
            let folders = folders.into_iter().map(|(path, _)| path).collect();
            let seed = seed.unwrap_or_else(|| defaults::seed(id.as_str()));
            let channel = Channel { id, name, folders, order, seed, timetable, profile, audio_only, subtitles };
            all.channels.push(channel);
        }
    }
    all
}

/// Returns a free-looking id beside a taken one.
fn second(id: &ChannelId) -> String {
    let short = &id.as_str()[..id.as_str().len().min(ChannelId::LEN_MAX - 2)];
    format!("{}-2", short.trim_end_matches('-'))
}

impl Judge<'_> {
    fn id(&mut self, file: &ChannelFile) -> Option<(ChannelId, Range<usize>)> {
        if let Some(written) = &file.id {
            let id = ChannelId::new(written.get_ref());
            if id.is_none() {
                let hint = match value::slug(written.get_ref()) {
                    Some(near) => format!("write \"{near}\""),
                    None => "1 to 40 of a-z, 0-9 and -, such as \"night-lights\"".to_owned(),
                };
                let message =
                    format!("id may hold a-z, 0-9 and - only, and up to 40 of them, got {:?}", written.get_ref());
                self.complain(&written.span(), message, Some(hint));
            }
            return id.map(|id| (id, written.span()));
        }
        let name = file.name.as_ref()?;
        let id = value::slug(name.get_ref());
        if id.is_none() && !name.get_ref().trim().is_empty() {
            let message = format!("no id can be made from the name {:?}", name.get_ref());
            self.complain(&name.span(), message, Some("write one of a-z, 0-9 and -, such as id = \"news\"".to_owned()));
        }
        id.map(|id| (id, name.span()))
    }

    fn folders(&mut self, written: &[At<String>]) -> Vec<(PathBuf, Range<usize>)> {
        if let Some(surplus) = written.get(defaults::FOLDERS_MAX) {
            let message = format!("a channel has at most {} folders, got {}", defaults::FOLDERS_MAX, written.len());
            let hint = "folders are read with everything below them: name the one above".to_owned();
            self.complain(&surplus.span(), message, Some(hint));
        }
        let mut folders: Vec<(PathBuf, Range<usize>)> = Vec::new();
        for folder in written.iter().take(defaults::FOLDERS_MAX) {
            let Some(path) = self.path(folder, "folder") else { continue };
            if let Some((other, _)) = folders.iter().find(|(other, _)| overlap(other, &path)) {
                let message = format!("the folders {} and {} overlap", other.display(), path.display());
                let hint = "folders are read with everything below them: name the upper one only".to_owned();
                self.complain(&folder.span(), message, Some(hint));
            } else {
                folders.push((path, folder.span()));
            }
        }
        folders
    }

    fn order(&mut self, file: &ChannelFile) -> Order {
        let ChannelFile { order, spacing, weights, seed, .. } = file;
        self.order_of(&Ordering { order, spacing, weights, seed })
    }

    pub(super) fn order_of(&mut self, file: &Ordering<'_>) -> Order {
        let written = file.order.as_ref().map(|order| self.word("order", order, ORDERS));
        // An unknown order is one problem; what belongs to it cannot be judged.
        let known = !matches!(written, Some(None));
        let order = written.flatten().unwrap_or(OrderWord::Shuffle);
        let spaced = matches!(order, OrderWord::Random | OrderWord::Weighted);
        if let Some(spacing) = file.spacing.as_ref().filter(|_| known && !spaced) {
            self.misplaced("spacing", &spacing.span(), "random or weighted", order);
        }
        if let Some(weights) = file.weights.as_ref().filter(|_| known && order != OrderWord::Weighted) {
            self.misplaced("weights", &weights.span(), "weighted", order);
        }
        if let Some(seed) = file.seed.as_ref().filter(|_| known && order == OrderWord::Sequential) {
            self.misplaced("seed", &seed.span(), "shuffle, random or weighted", order);
        }
        let spacing = file.spacing.as_ref().and_then(|spacing| {
            self.within("spacing", spacing, &defaults::SPACING_RANGE, "0 lets anything come again at once")
        });
        let spacing = spacing.unwrap_or(narrow(defaults::SPACING));
        let weights = file.weights.as_ref().map(|weights| self.weights(weights));
        match (order, weights) {
            (OrderWord::Shuffle, _) => Order::Shuffle,
            (OrderWord::Random, _) => Order::Random { spacing },
            (OrderWord::Sequential, _) => Order::Sequential,
            (OrderWord::Weighted, Some(weights)) => Order::Weighted { weights, spacing },
            (OrderWord::Weighted, None) => {
                let span = file.order.as_ref().map_or(0..0, At::span);
                let hint = "add weights = { \"Folder/\" = 3.0 }, or choose \"random\"".to_owned();
                self.complain(&span, "order is weighted, but there are no weights".to_owned(), Some(hint));
                Order::Weighted { weights: Vec::new(), spacing }
            }
        }
    }

    fn misplaced(&mut self, key: &str, span: &Range<usize>, orders: &str, order: OrderWord) {
        let present = ORDERS.iter().find(|(_, meaning)| *meaning == order).map_or("shuffle", |(word, _)| word);
        let message = format!("{key} has no meaning with the order {present}");
        self.complain(span, message, Some(format!("it belongs to {orders}: leave it out, or change order")));
    }

    fn weights(&mut self, written: &At<WeightsFile>) -> Vec<(String, f64)> {
        let all = written.get_ref();
        if all.is_empty() {
            let hint = "such as { \"Folder/\" = 3.0 }".to_owned();
            self.complain(&written.span(), "weights is empty".to_owned(), Some(hint));
        }
        if let Some((surplus, _)) = all.get(defaults::WEIGHTS_MAX) {
            let message = format!("there are {} weights, the most is {}", all.len(), defaults::WEIGHTS_MAX);
            self.complain(&surplus.span(), message, Some("weigh whole folders".to_owned()));
        }
        for (prefix, weight) in all.iter().take(defaults::WEIGHTS_MAX) {
            let inside = !prefix.get_ref().is_empty()
                && !prefix.get_ref().starts_with(['/', '.'])
                && !Path::new(prefix.get_ref()).components().any(|part| part.as_os_str() == "..");
            if !inside {
                let hint = "begin below the channel's folder: \"Cartoons/\"".to_owned();
                let message = format!("a weight is for a path within the channel's folder, got {:?}", prefix.get_ref());
                self.complain(&prefix.span(), message, Some(hint));
            }
            let number = *weight.get_ref();
            if !(number > 0.0 && number <= defaults::WEIGHT_MAX) {
                let message = format!("a weight must be above 0 and at most {}, got {number}", defaults::WEIGHT_MAX);
                let hint = "1 is ordinary, 2 twice as often, 0.5 half as often".to_owned();
                self.complain(&weight.span(), message, Some(hint));
            }
        }
        all.iter().map(|(prefix, weight)| (prefix.get_ref().clone(), *weight.get_ref())).collect()
    }

    fn seed(&mut self, seed: &At<i64>) -> Option<u64> {
        self.within("seed", seed, &(0..=i64::MAX), "any number from 0 upwards; another number, another order")
    }

    fn profile(&mut self, picture: &PictureFile, sound: &SoundFile, prepare: Option<&At<String>>) -> Profile {
        let prepare = prepare.and_then(|word| self.word("prepare", word, PREPARES));
        let channel_place = self.place.clone();
        self.place = format!("[channel.picture] of {channel_place}");
        let (width, height) = picture.size.as_ref().and_then(|size| self.size(size)).unwrap_or(defaults::SIZE);
        let fps = picture.fps.as_ref().and_then(|fps| self.fps(fps));
        let quality = picture.quality.as_ref().and_then(|quality| {
            self.within("quality", quality, &defaults::QUALITY_RANGE, "23 is good; lower is better and larger")
        });
        let preset = self.speed(picture);
        let video_kbps_max = picture.max_kbps.as_ref().and_then(|kbps| {
            self.within("max-kbps", kbps, &defaults::MAX_KBPS_RANGE, "in thousand bits a second: 5000 suits 1280x720")
        });
        let video_kbps_max = video_kbps_max.unwrap_or(defaults::MAX_KBPS);
        let style = self.style(picture, video_kbps_max);
        self.place = format!("[channel.sound] of {channel_place}");
        let loudness_lufs = match &sound.loudness {
            Some(loudness) => self.loudness(loudness),
            None => Some(defaults::LOUDNESS_LUFS),
        };
        let audio_kbps = sound.kbps.as_ref().and_then(|kbps| {
            self.within("kbps", kbps, &defaults::KBPS_RANGE, "in thousand bits a second: 160 is good stereo")
        });
        self.place = channel_place;
        Profile {
            width,
            height,
            fps,
            quality: quality.unwrap_or(defaults::QUALITY),
            preset: preset.unwrap_or(defaults::PRESET),
            video_kbps_max,
            style,
            audio_kbps: audio_kbps.unwrap_or(defaults::KBPS),
            loudness_lufs,
            prepare: prepare.unwrap_or(defaults::PREPARE),
            renditions: Vec::new(),
            burn: super::Burn::default(),
        }
    }

    pub(super) fn size(&mut self, size: &At<String>) -> Option<(u32, u32)> {
        let text = size.get_ref();
        let (message, hint) = match value::picture_size(text) {
            Some((width, height)) if width % 2 == 1 || height % 2 == 1 => (
                format!("size must be of even numbers, got {text:?}"),
                format!("write \"{}x{}\"", width / 2 * 2, height / 2 * 2),
            ),
            Some((width, height))
                if defaults::WIDTH_RANGE.contains(&width) && defaults::HEIGHT_RANGE.contains(&height) =>
            {
                return Some((width, height));
            }
            Some(_) => (
                format!("size must be between 128x96 and 4096x2304, got {text:?}"),
                "\"1280x720\" suits most viewers".to_owned(),
            ),
            None => (format!("size is not width x height: {text:?}"), "\"1280x720\", \"1920x1080\"".to_owned()),
        };
        self.complain(&size.span(), message, Some(hint));
        None
    }

    fn fps(&mut self, fps: &At<Scalar>) -> Option<u32> {
        let hint = match fps.get_ref() {
            Scalar::Word(word) if word == "source" => return None,
            Scalar::Number(number) => {
                if let Some(rate) =
                    defaults::FPS_RANGE.clone().find(|&rate| (f64::from(rate) - number).abs() < f64::EPSILON)
                {
                    return Some(rate);
                }
                if number.fract() == 0.0 { "25 and 30 are usual" } else { "\"source\" keeps rates such as 29.97" }
            }
            Scalar::Word(_) => "\"source\" keeps the rate of each film",
        };
        let message = "fps must be \"source\" or a whole number between 5 and 60".to_owned();
        self.complain(&fps.span(), message, Some(hint.to_owned()));
        None
    }

    fn loudness(&mut self, loudness: &At<Scalar>) -> Option<f64> {
        let hint = match loudness.get_ref() {
            Scalar::Word(word) if word == "off" => return None,
            Scalar::Number(number) if defaults::LOUDNESS_RANGE.contains(number) => return Some(*number),
            Scalar::Number(number) if defaults::LOUDNESS_RANGE.contains(&-number) => {
                format!("it is below zero: write -{number}")
            }
            _ => "-18 suits laptops and phones, -23 is television's".to_owned(),
        };
        self.complain(&loudness.span(), "loudness must be \"off\" or between -31 and -5".to_owned(), Some(hint));
        None
    }
}
