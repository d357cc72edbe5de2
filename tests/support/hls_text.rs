//! Media playlist text in, its segments and every breach of RFC 8216 within one text out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;

/// One rule broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Section of RFC 8216, or the word `station` for a promise of ours that the RFC does not ask for.
    pub section: &'static str,
    /// What is wrong, with the facts.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.section, self.what)
    }
}

/// Tags that may stand in a media playlist of a channel, and how they are read.
const SEGMENT_TAGS: [&str; 7] = [
    "EXTINF",
    "EXT-X-BYTERANGE",
    "EXT-X-DISCONTINUITY",
    "EXT-X-KEY",
    "EXT-X-MAP",
    "EXT-X-PROGRAM-DATE-TIME",
    "EXT-X-DATERANGE",
];

/// Tags about the whole playlist: at most once each, and the same at every refresh, but for the two that count.
const PLAYLIST_TAGS: [&str; 9] = [
    "EXT-X-VERSION",
    "EXT-X-TARGETDURATION",
    "EXT-X-MEDIA-SEQUENCE",
    "EXT-X-DISCONTINUITY-SEQUENCE",
    "EXT-X-ENDLIST",
    "EXT-X-PLAYLIST-TYPE",
    "EXT-X-INDEPENDENT-SEGMENTS",
    "EXT-X-START",
    // Of the RFC's successor: who does not know it ignores it (§6.3.1).
    "EXT-X-SERVER-CONTROL",
];

/// Tags of multivariant playlists.
const MULTIVARIANT_TAGS: [&str; 5] =
    ["EXT-X-MEDIA", "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF", "EXT-X-SESSION-DATA", "EXT-X-SESSION-KEY"];

/// One segment as listed.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its media sequence number.
    pub msn: u64,
    /// As written.
    pub uri: String,
    /// EXTINF in seconds.
    pub secs: f64,
    /// Whether EXT-X-DISCONTINUITY stands before it.
    pub discontinuity: bool,
    /// Its discontinuity sequence number: that of the playlist and one for each tag up to and with its own.
    pub discontinuity_number: u64,
    /// EXT-X-PROGRAM-DATE-TIME, of the segment's first sample.
    pub date_time: Option<Timestamp>,
}

/// One media playlist, as far as it could be read.
#[derive(Clone, Debug, Default)]
pub struct Playlist {
    /// EXT-X-TARGETDURATION in seconds.
    pub target_secs: Option<u64>,
    /// EXT-X-MEDIA-SEQUENCE; 0 when absent.
    pub media_sequence: u64,
    /// EXT-X-DISCONTINUITY-SEQUENCE; 0 when absent.
    pub discontinuity_sequence: u64,
    /// In the order of the list.
    pub segments: Vec<Segment>,
    /// By ID, the attributes of every EXT-X-DATERANGE.
    pub date_ranges: BTreeMap<String, BTreeMap<String, String>>,
    /// Lines about the whole playlist that may never change.
    pub constant_lines: BTreeSet<String>,
}

/// What was read of the segment whose URI has not come yet.
#[derive(Default)]
struct Pending {
    secs: Option<f64>,
    discontinuity: bool,
    date_time: Option<Timestamp>,
    tags: BTreeSet<String>,
}

struct Reading {
    playlist: Playlist,
    pending: Pending,
    seen: BTreeSet<String>,
    version: Option<u64>,
    decimal: bool,
    violations: Vec<Violation>,
}

/// Reads a playlist and returns what it says and every rule it breaks by itself.
pub fn read(text: &str) -> (Playlist, Vec<Violation>) {
    let mut reading = Reading {
        playlist: Playlist::default(),
        pending: Pending::default(),
        seen: BTreeSet::new(),
        version: None,
        decimal: false,
        violations: Vec::new(),
    };
    reading.characters(text);
    for (number, line) in text.lines().enumerate() {
        reading.line(number, line);
    }
    reading.whole();
    (reading.playlist, reading.violations)
}

impl Reading {
    fn fault(&mut self, section: &'static str, what: impl Into<String>) {
        self.violations.push(Violation { section, what: what.into() });
    }

    fn characters(&mut self, text: &str) {
        if text.starts_with('\u{feff}') {
            self.fault("§4.1", "begins with a byte order mark");
        }
        if !text.ends_with('\n') {
            self.fault("§4.1", "the last line is not terminated");
        }
        // What is left of CR after the pairs are gone stands alone, which ends no line.
        let forbidden = |c: char| matches!(c, '\0'..='\x09' | '\x0b'..='\x1f' | '\x7f'..='\u{9f}');
        if let Some(c) = text.replace("\r\n", "\n").chars().find(|&c| forbidden(c)) {
            self.fault("§4.1", format!("holds the control character {c:?}"));
        }
    }

    fn line(&mut self, number: usize, line: &str) {
        if (number == 0) != (line == "#EXTM3U") {
            self.fault("§4.3.1.1", format!("EXTM3U must be the first line and no other; line {number} is {line:?}"));
        }
        if line == "#EXTM3U" || line.is_empty() {
            return;
        }
        let Some(tag) = line.strip_prefix('#') else { return self.uri(line) };
        if !tag.starts_with("EXT") {
            return; // A comment.
        }
        let (name, value) = tag.split_once(':').map_or((tag, None), |(name, value)| (name, Some(value)));
        if MULTIVARIANT_TAGS.contains(&name) {
            self.fault("§4.3.4", format!("{name} belongs into a multivariant playlist"));
        } else if PLAYLIST_TAGS.contains(&name) {
            self.playlist_tag(name, value, line);
        } else if SEGMENT_TAGS.contains(&name) {
            self.segment_tag(name, value.unwrap_or(""), line);
        } else {
            self.fault("§4.3", format!("{name} is not a known tag"));
        }
    }

    fn playlist_tag(&mut self, name: &str, value: Option<&str>, line: &str) {
        if !self.seen.insert(name.to_owned()) {
            self.fault("§4.3.3", format!("{name} stands there twice"));
        }
        let number = value.filter(|text| text.bytes().all(|b| b.is_ascii_digit())).and_then(|text| text.parse().ok());
        let listed = !self.playlist.segments.is_empty();
        match (name, number) {
            ("EXT-X-VERSION", Some(version)) => self.version = Some(version),
            ("EXT-X-VERSION", None) => self.fault("§4.3.1.2", format!("{line} is not a version")),
            ("EXT-X-TARGETDURATION", Some(secs)) => self.playlist.target_secs = Some(secs),
            ("EXT-X-TARGETDURATION", None) => {
                self.fault("§4.3.3.1", format!("{line} is not a whole number of seconds"));
            }
            ("EXT-X-MEDIA-SEQUENCE", Some(_)) if listed => self.fault("§4.3.3.2", format!("{name} after a segment")),
            ("EXT-X-MEDIA-SEQUENCE", Some(first)) => self.playlist.media_sequence = first,
            ("EXT-X-MEDIA-SEQUENCE", None) => self.fault("§4.3.3.2", format!("{line} is not a number")),
            ("EXT-X-DISCONTINUITY-SEQUENCE", Some(_)) if listed || self.pending.discontinuity => {
                self.fault("§4.3.3.3", format!("{name} after a segment or a discontinuity"));
            }
            ("EXT-X-DISCONTINUITY-SEQUENCE", Some(first)) => self.playlist.discontinuity_sequence = first,
            ("EXT-X-DISCONTINUITY-SEQUENCE", None) => self.fault("§4.3.3.3", format!("{line} is not a number")),
            ("EXT-X-ENDLIST", _) => self.fault("station", "EXT-X-ENDLIST: a channel never ends (§4.3.3.4)"),
            ("EXT-X-PLAYLIST-TYPE", _) => self.fault("§4.3.3.5", format!("{line}: a channel removes segments")),
            ("EXT-X-START", _) if !attributes(value.unwrap_or("")).is_ok_and(|a| a.contains_key("TIME-OFFSET")) => {
                self.fault("§4.3.5.2", format!("{line} has no TIME-OFFSET"));
            }
            _ => {}
        }
        if !name.ends_with("-SEQUENCE") {
            self.playlist.constant_lines.insert(line.to_owned());
        }
    }

    fn segment_tag(&mut self, name: &str, value: &str, line: &str) {
        if name == "EXT-X-DATERANGE" {
            return self.date_range(value, line);
        }
        if !self.pending.tags.insert(name.to_owned()) {
            self.fault("§4.3.2", format!("{name} stands twice before one segment"));
        }
        match name {
            "EXTINF" => {
                let duration = value.split_once(',').map(|(duration, _title)| duration);
                let plain = |text: &&str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
                let secs = duration.filter(plain).and_then(|text| text.parse::<f64>().ok());
                self.decimal |= duration.is_some_and(|text| text.contains('.'));
                self.pending.secs = secs;
                if secs.is_none_or(|secs| secs <= 0.0) {
                    self.fault("§4.3.2.1", format!("{line} is not a duration above zero and a comma"));
                }
            }
            "EXT-X-DISCONTINUITY" => {
                self.pending.discontinuity = true;
                if line.contains(':') {
                    self.fault("§4.3.2.3", format!("{line} takes no value"));
                }
            }
            "EXT-X-PROGRAM-DATE-TIME" => {
                self.pending.date_time = value.parse().ok();
                if self.pending.date_time.is_none() {
                    self.fault("§4.3.2.6", format!("{line} is not a date with a time zone"));
                }
            }
            _ => {}
        }
    }

    fn date_range(&mut self, value: &str, line: &str) {
        let attributes = match attributes(value) {
            Ok(attributes) => attributes,
            Err(what) => return self.fault("§4.2", format!("{line}: {what}")),
        };
        let quoted = |name: &str| attributes.get(name).and_then(|v| v.strip_prefix('"')?.strip_suffix('"'));
        let date = |name: &str| quoted(name).map(str::parse::<Timestamp>);
        let (id, begin, end) = (quoted("ID"), date("START-DATE"), date("END-DATE"));
        let mut faults = Vec::new();
        if id.is_none() {
            faults.push("has no ID");
        }
        if !matches!(begin, Some(Ok(_))) {
            faults.push("has no START-DATE that is a date");
        }
        if matches!(end, Some(Err(_))) || matches!((&begin, &end), (Some(Ok(begin)), Some(Ok(end))) if end < begin) {
            faults.push("has an END-DATE that is no date or before START-DATE");
        }
        let secs = |name: &str| attributes.get(name).map(|text| text.parse::<f64>().unwrap_or(-1.0));
        if ["DURATION", "PLANNED-DURATION"].into_iter().filter_map(secs).any(|secs| secs < 0.0) {
            faults.push("has a duration that is no number or negative");
        }
        if attributes.get("END-ON-NEXT").is_some_and(|text| text != "YES" || !attributes.contains_key("CLASS")) {
            faults.push("has END-ON-NEXT other than YES with a CLASS");
        }
        let known = ["ID", "CLASS", "START-DATE", "END-DATE", "DURATION", "PLANNED-DURATION", "END-ON-NEXT"];
        let extra =
            |name: &&String| !known.contains(&name.as_str()) && !name.starts_with("X-") && !name.starts_with("SCTE35-");
        if attributes.keys().any(|name| extra(&name)) {
            faults.push("has an attribute that is neither known nor begins with X-");
        }
        let id = id.map(str::to_owned);
        for fault in faults {
            self.fault("§4.3.2.7", format!("{line} {fault}"));
        }
        let Some(id) = id else { return };
        let known = self.playlist.date_ranges.entry(id).or_default();
        let conflict = attributes.iter().any(|(name, value)| known.get(name).is_some_and(|before| before != value));
        known.extend(attributes);
        if conflict {
            self.fault("§4.3.2.7", format!("{line} says otherwise than the tag of the same ID before"));
        }
    }

    fn uri(&mut self, uri: &str) {
        if uri.contains(char::is_whitespace) {
            self.fault("§4.1", format!("white space in {uri:?}"));
        }
        let pending = std::mem::take(&mut self.pending);
        if pending.secs.is_none() {
            self.fault("§4.3.2.1", format!("{uri} has no EXTINF"));
        }
        if pending.date_time.is_none() {
            self.fault("station", format!("{uri} has no EXT-X-PROGRAM-DATE-TIME (§4.3.2.6)"));
        }
        let playlist = &mut self.playlist;
        let before = playlist.segments.last().map_or(playlist.discontinuity_sequence, |last| last.discontinuity_number);
        playlist.segments.push(Segment {
            msn: playlist.media_sequence + playlist.segments.len() as u64,
            uri: uri.to_owned(),
            secs: pending.secs.unwrap_or(0.0),
            discontinuity: pending.discontinuity,
            discontinuity_number: before + u64::from(pending.discontinuity),
            date_time: pending.date_time,
        });
    }

    /// Checks what can be said only at the end.
    fn whole(&mut self) {
        if !self.pending.tags.is_empty() {
            self.fault("§4.3.2", format!("{:?} stand before no segment", self.pending.tags));
        }
        match self.version {
            None => self.fault("§4.3.1.2", "no EXT-X-VERSION"),
            Some(0..3) if self.decimal => self.fault("§7", "decimal EXTINF needs version 3"),
            Some(_) => {}
        }
        let Some(target) = self.playlist.target_secs else { return self.fault("§4.3.3.1", "no EXT-X-TARGETDURATION") };
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        let long = |segment: &&Segment| (segment.secs + 0.5).floor() > target as f64;
        for segment in self.playlist.segments.clone().iter().filter(long) {
            self.fault("§4.3.3.1", format!("{} lasts {} s, the target is {target} s", segment.uri, segment.secs));
        }
        let dated = self.playlist.segments.iter().any(|segment| segment.date_time.is_some());
        if !self.playlist.date_ranges.is_empty() && !dated {
            self.fault("§4.3.2.7", "EXT-X-DATERANGE without any EXT-X-PROGRAM-DATE-TIME");
        }
    }
}

/// Reads an attribute list (§4.2): names to values, quotes kept.
fn attributes(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    loop {
        let (name, tail) = rest.split_once('=').ok_or_else(|| format!("no = in {rest:?}"))?;
        let clean = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || !name.bytes().all(clean) {
            return Err(format!("{name:?} is not an attribute's name"));
        }
        let len = match tail.strip_prefix('"') {
            Some(quoted) => quoted.find('"').ok_or_else(|| format!("{name} has an open quote"))? + 2,
            None => tail.find(',').unwrap_or(tail.len()),
        };
        let (value, tail) = tail.split_at(len);
        let bare = !value.starts_with('"');
        if value.is_empty() || bare && value.contains([' ', '"']) {
            return Err(format!("{name} has the value {value:?}"));
        }
        if found.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(format!("{name} stands there twice"));
        }
        match tail.strip_prefix(',') {
            Some(tail) => rest = tail,
            None if tail.is_empty() => return Ok(found),
            None => return Err(format!("{tail:?} after the value of {name}")),
        }
    }
}
