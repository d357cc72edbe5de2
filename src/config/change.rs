//! What differs between two configurations. Pure.

use super::{Channel, Config, Station};
use crate::units::ChannelId;

/// What a station must do to become what a new configuration says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Channels that were not there before.
    pub added: Vec<Channel>,
    /// Channels of which anything differs; they begin anew, in the middle of the item they were in.
    pub changed: Vec<Channel>,
    /// Channels that are there no more.
    pub removed: Vec<ChannelId>,
    /// Keys beside the channels' that differ and cannot follow before the station is started again.
    pub at_restart: Vec<&'static str>,
    /// Whether anything differs that is only told, or kept beside the channels: the station's name, the channels' order, how
    /// they look, what of them can be watched on demand, how far back one may go.
    pub told_otherwise: bool,
}

impl Change {
    /// Returns what leads from one configuration to another.
    #[must_use]
    pub fn between(old: &Config, new: &Config) -> Self {
        let known = |id: &ChannelId| old.channels.iter().find(|channel| channel.id == *id);
        let differs = |channel: &&Channel| known(&channel.id).is_some_and(|old| old != *channel);
        let stays = |id: &ChannelId| new.channels.iter().any(|channel| channel.id == *id);
        let ids = |config: &Config| config.channels.iter().map(|channel| channel.id.clone()).collect::<Vec<_>>();
        Self {
            added: new.channels.iter().filter(|channel| known(&channel.id).is_none()).cloned().collect(),
            changed: new.channels.iter().filter(differs).cloned().collect(),
            removed: ids(old).into_iter().filter(|id| !stays(id)).collect(),
            at_restart: at_restart(old, new),
            told_otherwise: old.station.name != new.station.name
                || old.brand != new.brand
                || old.on_demand != new.on_demand
                || old.rewinds != new.rewinds
                || old.apps.address != new.apps.address
                || ids(old) != ids(new),
        }
    }

    /// Whether the station goes on as it is.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Returns in a few words what was done: `1 channel added, 2 changed`.
    #[must_use]
    pub fn words(&self) -> String {
        let counts = [(self.added.len(), "added"), (self.changed.len(), "changed"), (self.removed.len(), "removed")];
        let told = counts.iter().filter(|(count, _)| *count > 0);
        let mut words: Vec<String> = told.map(|(count, what)| format!("{count} {what}")).collect();
        if let Some(first) = words.first_mut() {
            let channels = if first.starts_with("1 ") { " channel " } else { " channels " };
            *first = first.replacen(' ', channels, 1);
        }
        if words.is_empty() {
            words.push(
                if self.told_otherwise { "names, order, looks and rewind follow" } else { "nothing to do" }.to_owned(),
            );
        }
        words.join(", ")
    }
}

/// Every key but the name and the colour, which are only told.
fn at_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    // The operator's token is followed at once.
    let (metrics, hdhomerun) = (old.metrics != new.metrics, old.apps.hdhomerun != new.apps.hdhomerun);
    let (old, new) = (&old.station, &new.station);
    // Written out, so that a new key cannot be forgotten.
    let Station {
        name: _,
        // Channels with a timetable have it, and begin anew.
        time_zone: _,
        listen,
        data,
        cache_budget_bytes,
        workers,
        encoder,
        settle,
        rescan,
        connections_max,
        ffmpeg,
        ffprobe,
    } = old;
    let keys = [
        ("listen", *listen != new.listen),
        ("data", *data != new.data),
        ("cache-budget", *cache_budget_bytes != new.cache_budget_bytes),
        ("workers", *workers != new.workers),
        ("encoder", *encoder != new.encoder),
        ("settle-seconds", *settle != new.settle),
        ("rescan-seconds", *rescan != new.rescan),
        ("connections-max", *connections_max != new.connections_max),
        ("ffmpeg", *ffmpeg != new.ffmpeg),
        ("ffprobe", *ffprobe != new.ffprobe),
        ("[metrics] listen", metrics),
        ("[apps] hdhomerun", hdhomerun),
    ];
    keys.iter().filter(|(_, differs)| *differs).map(|(key, _)| *key).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{known_keys, parse};

    fn config(text: &str) -> Config {
        parse(text, Path::new("/home/tv/channels.toml"), 2).unwrap()
    }

    fn channel(id: &str, more: &str) -> String {
        format!("[[channel]]\nid = \"{id}\"\nname = \"{id}\"\nfolder = \"{id}\"\n{more}\n")
    }

    #[test]
    fn what_was_added_changed_and_removed_is_told() {
        let (a, b, c) = (channel("a", ""), channel("b", ""), channel("c", ""));
        let other_b = channel("b", "order = \"sequential\"");
        let cases: [(&str, [&str; 3], bool); 6] = [
            (&[&*a, &b].concat(), ["", "", ""], false),
            (&[&*a, &b, &c].concat(), ["c", "", ""], true),
            (&[&*a, &other_b].concat(), ["", "b", ""], false),
            (&a, ["", "", "b"], true),
            (&[&*other_b, &c].concat(), ["c", "b", "a"], true),
            (&[&*b, &a].concat(), ["", "", ""], true),
        ];
        let old = config(&[&*a, &b].concat());
        for (text, expected, told_otherwise) in cases {
            let change = Change::between(&old, &config(text));
            let ids = |channels: &[Channel]| channels.iter().map(|one| one.id.as_str()).collect::<String>();
            let removed: String = change.removed.iter().map(ChannelId::as_str).collect();
            assert_eq!([&*ids(&change.added), &*ids(&change.changed), &*removed], expected, "{text}");
            assert_eq!(change.told_otherwise, told_otherwise, "{text}");
            assert_eq!(change.is_nothing(), expected == ["", "", ""] && !told_otherwise, "{text}");
        }
    }

    #[test]
    fn the_change_is_told_in_words() {
        let [a, b, c] = ["a", "b", "c"].map(|id| channel(id, ""));
        let old = config(&[&*a, &b].concat());
        for (text, words) in [
            ([&*a, &b].concat(), "nothing to do"),
            ([&*b, &a].concat(), "names, order, looks and rewind follow"),
            ([&*a, &b, &c].concat(), "1 channel added"),
            (c.clone(), "1 channel added, 2 removed"),
        ] {
            assert_eq!(Change::between(&old, &config(&text)).words(), words);
        }
        assert_eq!(Change::between(&config(&a), &config(&[&*a, &b, &c].concat())).words(), "2 channels added");
    }

    #[test]
    fn every_key_of_the_station_but_its_name_colour_and_zone_waits_for_a_restart() {
        let values = [
            ("listen", "\"127.0.0.1:9999\""),
            ("data", "\"elsewhere\""),
            ("cache-budget", "\"7GB\""),
            ("workers", "7"),
            ("encoder", "\"x264\""),
            ("settle-seconds", "7"),
            ("rescan-seconds", "77"),
            ("connections-max", "777"),
            ("ffmpeg", "\"/opt/ffmpeg\""),
            ("ffprobe", "\"/opt/ffprobe\""),
        ];
        let old = config(&channel("a", ""));
        let followed = ["name", "colour", "time-zone"];
        for (_, key) in known_keys().filter(|(table, key)| *table == "[station]" && !followed.contains(key)) {
            let value =
                values.iter().find(|(known, _)| *known == key).unwrap_or_else(|| panic!("{key} has no value here")).1;
            let new = config(&format!("[station]\n{key} = {value}\n{}", channel("a", "")));
            assert_eq!(Change::between(&old, &new).at_restart, [key]);
        }
        let tuner = config(&format!("[apps]\nhdhomerun = true\n{}", channel("a", "")));
        assert_eq!(Change::between(&old, &tuner).at_restart, ["[apps] hdhomerun"]);
        for told in ["[station]\ncolour = \"#ffffff\"\n", "[apps]\naddress = \"http://tv\"\n"] {
            let change = Change::between(&old, &config(&format!("{told}{}", channel("a", ""))));
            assert!(change.at_restart.is_empty() && change.told_otherwise, "{told}");
        }
        let looks = Change::between(&old, &config(&channel("a", "colour = \"#ffffff\"\nlogo = \"a.png\"")));
        assert!(looks.told_otherwise && looks.changed.is_empty(), "no channel begins anew to look otherwise");
        let burned = config(&channel("a", "logo = \"a.png\"\nlogo-burn = \"top-left\""));
        assert_eq!(Change::between(&old, &burned).changed.len(), 1, "but to be prepared otherwise");
        let rewind = Change::between(&old, &config(&channel("a", "rewind = \"2h\"")));
        assert!(rewind.told_otherwise && rewind.changed.is_empty(), "no channel begins anew to be kept");
        let zoned = |more: &str| config(&format!("[station]\ntime-zone = \"Asia/Tokyo\"\n{}", channel("a", more)));
        assert!(Change::between(&old, &zoned("")).is_nothing(), "nothing goes by it");
        let fixed = "[[channel.fixed]]\nat = \"20:00\"\nfolder = \"News/\"";
        assert_eq!(Change::between(&config(&channel("a", fixed)), &zoned(fixed)).words(), "1 channel changed");
        let renamed = config(&format!("[station]\nname = \"Else\"\n{}", channel("a", "")));
        let change = Change::between(&old, &renamed);
        assert!(change.at_restart.is_empty() && change.told_otherwise);
    }
}
