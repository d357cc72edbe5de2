//! The file as written in, a [`Config`] out: defaults, ranges, and what may not stand together.

use std::ops::RangeInclusive;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::file::{At, File, MetricsFile, StationFile};
use super::problem::{Problem, Problems, nearest};
use super::{Admin, Brand, Config, Metrics, Station, channel, defaults, value};

/// What is needed to judge a value and to say where it stands.
pub(super) struct Judge<'p> {
    pub(super) problems: &'p mut Problems,
    /// The folder of the configuration file, which relative paths start from.
    pub(super) base: &'p Path,
    /// The table being judged, for messages.
    pub(super) place: String,
}

/// Turns a file into a configuration. Where something is wrong the default stands in, so that judging can go on.
pub(super) fn config(file: File, base: &Path, cores: usize, problems: &mut Problems) -> Config {
    let mut judge = Judge { problems, base, place: "[station]".to_owned() };
    let colour = file.station.colour.as_ref().and_then(|colour| judge.colour(colour));
    let station = judge.station(file.station, cores);
    "[metrics]".clone_into(&mut judge.place);
    let metrics = judge.metrics(file.metrics, &station);
    "[admin]".clone_into(&mut judge.place);
    let token_file = file.admin.token_file.and_then(|path| judge.path(&path, "token-file"));
    let apps = judge.apps(file.apps);
    let channels = channel::all(file.channels, station.time_zone.as_ref(), &mut judge);
    let mirror = judge.mirror(file.mirror, channels.mirrors);
    let folders = channels.folders;
    for (folder, span, place) in &folders {
        if overlap(folder, &station.data) {
            judge.place.clone_from(place);
            let (folder, data) = (folder.display(), station.data.display());
            let hint = "the station would play its own files: keep films apart from data, which [station] can move";
            judge.complain(
                span,
                format!("the folder {folder} and the data folder {data} overlap"),
                Some(hint.to_owned()),
            );
        }
    }
    if let Some(folder) = mirror.as_ref().and_then(super::Mirror::folder) {
        judge.place.clear();
        let films = folders
            .iter()
            .map(|(films, span, _)| (films, span.clone(), "films would be played twice, or copies of them"));
        let data = (&station.data, 0..0, "the station clears up in its own folder");
        for (other, span, why) in films.chain([data]).filter(|(other, ..)| overlap(other, folder)) {
            let message = format!("the mirror's folder {} and {} overlap", folder.display(), other.display());
            judge.complain(&span, message, Some(format!("{why}: keep the mirror apart, by url in [mirror]")));
        }
    }
    let brand = Brand { colour, channels: channels.brands };
    let (on_demand, rewinds, channels) = (channels.on_demand, channels.rewinds, channels.channels);
    Config { station, metrics, admin: Admin { token_file }, mirror, apps, brand, on_demand, rewinds, channels }
}

impl Judge<'_> {
    fn station(&mut self, file: StationFile, cores: usize) -> Station {
        let name = file.name.as_ref().and_then(|name| self.name(name)).unwrap_or_else(|| defaults::NAME.to_owned());
        let time_zone = file.time_zone.as_ref().and_then(|zone| self.time_zone(zone));
        let listen = file.listen.and_then(|listen| self.listen(&listen, defaults::LISTEN));
        let data =
            file.data.and_then(|data| self.path(&data, "data")).unwrap_or_else(|| self.base.join(defaults::DATA));
        let cache_budget = file.cache_budget.and_then(|budget| self.cache_budget(&budget));
        let workers = file
            .workers
            .and_then(|workers| self.within("workers", &workers, &defaults::WORKERS, "half the cores is a good start"));
        let encoder = file.encoder.and_then(|encoder| self.encoder(&encoder));
        let settle = file.settle_seconds.and_then(|seconds| {
            self.seconds("settle-seconds", &seconds, &defaults::SETTLE_SECONDS_RANGE, "2 suits most ways of copying")
        });
        let rescan = file.rescan_seconds.and_then(|seconds| {
            self.seconds("rescan-seconds", &seconds, &defaults::RESCAN_SECONDS_RANGE, "300 is every five minutes")
        });
        let connections_max = file.connections_max.and_then(|count| {
            self.within("connections-max", &count, &defaults::CONNECTIONS_MAX_RANGE, "a viewer needs one or two")
        });
        Station {
            name,
            time_zone,
            listen: listen.unwrap_or_else(|| defaults::LISTEN.parse().expect("the default address is one")),
            data,
            cache_budget_bytes: cache_budget
                .unwrap_or_else(|| value::bytes(defaults::CACHE_BUDGET).expect("the default budget is one")),
            workers: workers.unwrap_or_else(|| defaults::workers(cores)),
            encoder: encoder.unwrap_or_default(),
            settle: settle.unwrap_or(Duration::from_secs_f64(defaults::SETTLE_SECONDS)),
            rescan: rescan.unwrap_or(Duration::from_secs_f64(defaults::RESCAN_SECONDS)),
            connections_max: connections_max.unwrap_or(narrow(defaults::CONNECTIONS_MAX)),
            ffmpeg: self.program(file.ffmpeg, "ffmpeg", defaults::FFMPEG),
            ffprobe: self.program(file.ffprobe, "ffprobe", defaults::FFPROBE),
        }
    }

    fn metrics(&mut self, file: MetricsFile, station: &Station) -> Metrics {
        let standard = defaults::METRICS_LISTEN.parse().expect("the default address is one");
        let Some(written) = file.listen else { return Metrics { listen: Some(standard) } };
        if written.get_ref().trim() == "off" {
            return Metrics { listen: None };
        }
        let listen = self.listen(&written, "127.0.0.1:9191\", or \"off").unwrap_or(standard);
        if listen == station.listen && listen.port() != 0 {
            let message = format!("{listen} is the address of the pages");
            self.complain(&written.span(), message, Some("metrics need a port of their own, or \"off\"".to_owned()));
        }
        Metrics { listen: Some(listen) }
    }

    pub(super) fn complain(&mut self, span: &std::ops::Range<usize>, message: String, hint: Option<String>) {
        self.problems.push(Problem { span: span.clone(), place: self.place.clone(), message, hint });
    }

    /// Returns a name without surrounding blanks.
    pub(super) fn name(&mut self, name: &At<String>) -> Option<String> {
        let trimmed = name.get_ref().trim();
        let message = if trimmed.is_empty() {
            "name is empty".to_owned()
        } else if trimmed.chars().count() > defaults::NAME_LEN_MAX {
            format!("name is longer than {} letters", defaults::NAME_LEN_MAX)
        } else if trimmed.chars().any(char::is_control) {
            "name holds a line break or another invisible character".to_owned()
        } else {
            return Some(trimmed.to_owned());
        };
        self.complain(&name.span(), message, Some("it is what viewers read".to_owned()));
        None
    }

    /// Returns an address; `such_as` shows what one looks like.
    fn listen(&mut self, listen: &At<String>, such_as: &str) -> Option<std::net::SocketAddr> {
        let text = listen.get_ref().trim();
        if let Ok(address) = text.parse() {
            return Some(address);
        }
        let port = text.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
        let hint = match port {
            Some(port) if text.starts_with("localhost") => format!("write \"127.0.0.1:{port}\""),
            Some(port) => {
                format!("\"127.0.0.1:{port}\" for this machine only, \"0.0.0.0:{port}\" for the whole network")
            }
            None => format!("an address and a port, such as \"{such_as}\""),
        };
        self.complain(&listen.span(), format!("listen is not an address with a port: {text:?}"), Some(hint));
        None
    }

    fn cache_budget(&mut self, budget: &At<String>) -> Option<u64> {
        let text = budget.get_ref();
        match value::bytes(text) {
            Some(bytes) if bytes >= defaults::CACHE_BUDGET_BYTES_MIN => return Some(bytes),
            Some(_) => {
                let hint = "prepared films need about 1 GB an hour".to_owned();
                self.complain(&budget.span(), format!("cache-budget must be at least 100MB, got {text:?}"), Some(hint));
            }
            None => {
                let hint = "a number and MB, GB or TB: \"50GB\"".to_owned();
                self.complain(&budget.span(), format!("cache-budget is not a size: {text:?}"), Some(hint));
            }
        }
        None
    }

    /// Returns a path, relative ones below the folder of the configuration file.
    pub(super) fn path(&mut self, path: &At<String>, key: &str) -> Option<PathBuf> {
        let text = path.get_ref();
        let (message, hint) = if text.trim().is_empty() {
            (format!("{key} is empty"), "name a folder".to_owned())
        } else if text == "~" || text.starts_with("~/") || text.starts_with('$') {
            (
                format!("{key} begins with {}, which only a shell understands", &text[..1]),
                "write the whole path".to_owned(),
            )
        } else if text.contains('\0') {
            (format!("{key} holds a zero character"), "no path can".to_owned())
        } else {
            return Some(self.base.join(text));
        };
        self.complain(&path.span(), message, Some(hint));
        None
    }

    /// Returns a program: a bare name is looked up in PATH later, anything else is a path.
    fn program(&mut self, written: Option<At<String>>, key: &str, default: &str) -> PathBuf {
        let Some(written) = written else { return PathBuf::from(default) };
        let path = self.path(&written, key);
        if written.get_ref().contains('/') { path.unwrap_or_default() } else { PathBuf::from(written.into_inner()) }
    }

    /// Returns a whole number that lies within a range.
    pub(super) fn within<T: TryFrom<i64>>(
        &mut self,
        key: &str,
        number: &At<i64>,
        range: &RangeInclusive<i64>,
        hint: &str,
    ) -> Option<T> {
        if range.contains(number.get_ref()) {
            return T::try_from(*number.get_ref()).ok();
        }
        let (low, high, got) = (range.start(), range.end(), number.get_ref());
        self.complain(
            &number.span(),
            format!("{key} must be between {low} and {high}, got {got}"),
            Some(hint.to_owned()),
        );
        None
    }

    fn seconds(&mut self, key: &str, number: &At<f64>, range: &RangeInclusive<f64>, hint: &str) -> Option<Duration> {
        if range.contains(number.get_ref()) {
            return Some(Duration::from_secs_f64(*number.get_ref()));
        }
        let (low, high, got) = (range.start(), range.end(), number.get_ref());
        self.complain(
            &number.span(),
            format!("{key} must be between {low} and {high}, got {got}"),
            Some(hint.to_owned()),
        );
        None
    }

    /// Returns what a word stands for.
    pub(super) fn word<T: Copy>(&mut self, key: &str, word: &At<String>, words: &[(&'static str, T)]) -> Option<T> {
        if let Some((_, meaning)) = words.iter().find(|(known, _)| known == word.get_ref()) {
            return Some(*meaning);
        }
        let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
        let mut hint = known.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        if let Some(near) = nearest(word.get_ref(), &known) {
            hint = format!("did you mean \"{near}\"? There are {hint}");
        }
        self.complain(&word.span(), format!("{key} cannot be {:?}", word.get_ref()), Some(hint));
        None
    }
}

/// Returns a number known to be in the range of `usize`.
pub(super) fn narrow(number: i64) -> usize {
    usize::try_from(number).expect("defaults and ranges are small and not negative")
}

/// Returns whether one folder is the other, or lies within it, going by their names alone.
pub(super) fn overlap(a: &Path, b: &Path) -> bool {
    let (a, b) = (plain_path(a), plain_path(b));
    a.starts_with(&b) || b.starts_with(&a)
}

/// Returns a path without `.` and, as far as its own text allows, without `..`.
fn plain_path(path: &Path) -> PathBuf {
    let mut plain = PathBuf::from(".");
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Apps, Channel, EncoderChoice, Order, PrepareMode, Preset, Profile, Style, Timetable, parse};
    use crate::units::ChannelId;
    use proptest::prelude::*;

    const SHORTEST: &str = "[[channel]]\nname = \"Cats\"\nfolder = \"cats\"\n";

    fn load(text: &str) -> Config {
        parse(text, Path::new("/etc/tv/channels.toml"), 8).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn a_name_and_a_folder_are_enough() {
        let id = ChannelId::new("cats").unwrap();
        let profile = Profile {
            width: 1280,
            height: 720,
            fps: None,
            quality: 23,
            preset: Preset::Veryfast,
            video_kbps_max: 5000,
            style: Style { video_kbps: None, tune: None, gop_secs: 2 },
            audio_kbps: 160,
            loudness_lufs: Some(-18.0),
            prepare: PrepareMode::Auto,
            renditions: Vec::new(),
            burn: crate::config::Burn::default(),
        };
        let channel = Channel {
            seed: defaults::seed("cats"),
            id,
            name: "Cats".to_owned(),
            folders: vec!["/etc/tv/cats".into()],
            order: Order::Shuffle,
            timetable: Timetable::default(),
            profile,
            audio_only: false,
            subtitles: crate::config::Subtitles::default(),
        };
        let station = Station {
            name: "Nightcast".to_owned(),
            time_zone: None,
            listen: "127.0.0.1:8080".parse().unwrap(),
            data: "/etc/tv/data".into(),
            cache_budget_bytes: 50_000_000_000,
            workers: 4,
            encoder: EncoderChoice::Auto,
            settle: Duration::from_secs(2),
            rescan: Duration::from_mins(5),
            connections_max: 2000,
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
        };
        let metrics = Metrics { listen: Some("127.0.0.1:9191".parse().unwrap()) };
        assert_eq!(
            load(SHORTEST),
            Config {
                station,
                metrics,
                admin: Admin::default(),
                mirror: None,
                apps: Apps::default(),
                on_demand: [].into(),
                brand: Brand::default(),
                rewinds: std::collections::BTreeMap::new(),
                channels: vec![channel]
            }
        );
    }

    #[test]
    fn paths_start_from_the_folder_of_the_file() {
        let text = "[station]\ndata = \"/var/tv\"\nffmpeg = \"bin/ffmpeg\"\nffprobe = \"ffprobe6\"\n\n[[channel]]\n\
                    name = \"Cats\"\nfolder = [\"../cats\", \"/mnt/cats\"]\n";
        let config = load(text);
        assert_eq!(config.station.data, Path::new("/var/tv"));
        assert_eq!(config.station.ffmpeg, Path::new("/etc/tv/bin/ffmpeg"));
        assert_eq!(config.station.ffprobe, Path::new("ffprobe6"), "a bare name is looked up in PATH");
        assert_eq!(config.channels[0].folders, [Path::new("/etc/tv/../cats"), Path::new("/mnt/cats")]);
        let here = parse(SHORTEST, Path::new("channels.toml"), 8).unwrap();
        assert_eq!(here.channels[0].folders, [Path::new("cats")]);
    }

    #[test]
    fn the_token_is_looked_for_from_the_folder_of_the_file() {
        assert_eq!(load(SHORTEST).admin.token_file, None);
        for (written, expected) in
            [("admin-token", "/etc/tv/admin-token"), ("/run/secrets/token", "/run/secrets/token")]
        {
            let config = load(&format!("[admin]\ntoken-file = \"{written}\"\n{SHORTEST}"));
            assert_eq!(config.admin.token_file.as_deref(), Some(Path::new(expected)));
        }
    }

    #[test]
    fn weights_keep_the_order_of_the_file() {
        let text = format!("{SHORTEST}order = \"weighted\"\nweights = {{ \"b/\" = 2, \"a/\" = 0.5, \"c\" = 3 }}\n");
        let weights = [("b/", 2.0), ("a/", 0.5), ("c", 3.0)].map(|(prefix, weight)| (prefix.to_owned(), weight));
        assert_eq!(load(&text).channels[0].order, Order::Weighted { weights: weights.to_vec(), spacing: 10 });
    }

    #[test]
    fn numbers_and_words_may_stand_in_for_one_another_where_that_is_said() {
        let text = format!("{SHORTEST}[channel.picture]\nfps = 25\n[channel.sound]\nloudness = \"off\"\n");
        let profile = load(&text).channels[0].profile.clone();
        assert_eq!((profile.fps, profile.loudness_lufs), (Some(25), None));
        let text = format!("{SHORTEST}[channel.picture]\nfps = \"source\"\n[channel.sound]\nloudness = -23.5\n");
        let profile = load(&text).channels[0].profile.clone();
        assert_eq!((profile.fps, profile.loudness_lufs), (None, Some(-23.5)));
    }

    #[test]
    fn folders_overlap_by_whole_names_only() {
        for (a, b, expected) in [
            ("media", "media", true),
            ("media", "media/cats", true),
            ("./media/", "media/../media/cats", true),
            (".", "data", true),
            ("media", "media2", false),
            // Where the process stands is not known here; whoever touches the disk has to look again.
            ("/media", "media", false),
            ("../media", "media", false),
        ] {
            assert_eq!(overlap(Path::new(a), Path::new(b)), expected, "{a} {b}");
            assert_eq!(overlap(Path::new(b), Path::new(a)), expected, "{b} {a}");
        }
    }

    #[test]
    fn a_file_far_too_long_is_not_read_at_all() {
        let text = "#".repeat(crate::config::TEXT_BYTES_MAX + 1);
        let problems = parse(&text, Path::new("film.mp4"), 1).unwrap_err().to_string();
        assert!(problems.starts_with("error: the file is longer than 4194304 bytes"), "{problems}");
    }

    #[test]
    fn a_station_has_at_most_a_thousand_channels() {
        let channels = |count: usize| {
            let one = |n| format!("[[channel]]\nname = \"C{n}\"\nfolder = \"c{n}\"\n");
            (0..count).map(one).collect::<Vec<_>>().concat()
        };
        assert_eq!(load(&channels(1000)).channels.len(), 1000);
        let problems = parse(&channels(1001), Path::new("c.toml"), 1).unwrap_err();
        assert_eq!(problems.list().len(), 1);
        assert_eq!(problems.list()[0].message, "there are 1001 channels, the most is 1000");
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in ".{0,200}") {
            let _ = parse(&text, Path::new("c.toml"), 1).map_err(|problems| problems.to_string());
        }

        #[test]
        fn no_slip_in_the_example_breaks_the_reader(at in 0.0..1.0_f64, length in 0_usize..40, put in "[ -~\n]{0,3}") {
            let example = include_str!("../../channels.example.toml");
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a test")]
            let start = (at * example.len() as f64) as usize;
            let end = (start + length).min(example.len());
            let text = [&example[..start], &put, &example[end..]].concat();
            if let Err(problems) = parse(&text, Path::new("c.toml"), 1) {
                prop_assert!(!problems.list().is_empty());
                prop_assert!(problems.to_string().ends_with("nothing was started"));
            }
        }
    }
}
