//! What is fuzzed: each function takes any bytes and fails where a law about them does not hold.
//!
//! `make fuzz` lets libFuzzer look for such bytes; `tests/fuzz_seeds.rs` plays the seeds and every past finding again.

mod http;
mod kept;
mod titles;
mod words;

use std::path::Path;

use nightcast::config::{self, Config, Order, PrepareMode, Preset, Profile, Style};
use nightcast::http::hdhomerun::{DeviceId, packet};
use nightcast::library::metadata::{self, Notes};
use nightcast::library::{Metadata, sidecar, sniff};
use nightcast::prepare::{annexb, gop_index};
use nightcast::units::MediaTime;

/// Takes any bytes; fails where a law does not hold.
pub(crate) type Target = fn(&[u8]);

/// Every target by its name, which is also that of its folder in `fuzz/seeds`.
pub(crate) const TARGETS: [(&str, Target); 12] = [
    ("bytes", bytes),
    ("config", configuration),
    ("http", http::request),
    ("index", index),
    ("live_list", words::live_list),
    ("metadata", sidecars_and_names),
    ("mezzanine", kept::mezzanine),
    ("plan", kept::plan),
    ("probe", words::probe),
    ("subtitles", titles::subtitles),
    ("tuner", tuner),
    ("words", words::said),
];

/// What a report may be long, in bytes: fifty problems of a screen's width each, their hints, and room.
const REPORT_BYTES_MAX: usize = 200_000;

/// A profile as channels have it by default.
pub(crate) fn profile() -> Profile {
    Profile {
        width: 1280,
        height: 720,
        fps: None,
        quality: 23,
        preset: Preset::Veryfast,
        video_kbps_max: 5000,
        style: Style::default(),
        audio_kbps: 160,
        loudness_lufs: Some(-18.0),
        prepare: PrepareMode::Auto,
        renditions: Vec::new(),
        burn: nightcast::config::Burn::default(),
    }
}

/// A configuration is read or told what is wrong, and where, in a report that a terminal can show.
fn configuration(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = || config::parse(text, Path::new("/etc/tv/channels.toml"), 4);
    match read() {
        Ok(config) => {
            usable(&config);
            // Debug, since a weight of NaN would not be equal to itself.
            assert_eq!(format!("{config:?}"), format!("{:?}", read().expect("what was read is read again")));
        }
        Err(problems) => {
            assert!(!problems.list().is_empty(), "refused without a reason");
            for problem in problems.list() {
                let span = &problem.span;
                assert!(span.start <= span.end && span.end <= text.len(), "{span:?} of {} bytes", text.len());
                assert!(!problem.message.is_empty());
            }
            let report = problems.to_string();
            assert!(report.ends_with("nothing was started"), "{report}");
            assert!(report.len() <= REPORT_BYTES_MAX, "a report of {} bytes", report.len());
            let harmful = report.chars().find(|&c| c.is_control() && c != '\n');
            assert_eq!(harmful, None, "in {report:?}");
        }
    }
}

/// What later stages take for granted of a configuration.
fn usable(config: &Config) {
    assert!(!config.channels.is_empty() && config.station.workers > 0);
    let ids: std::collections::BTreeSet<_> = config.channels.iter().map(|channel| &channel.id).collect();
    assert_eq!(ids.len(), config.channels.len(), "an id names one channel");
    for channel in &config.channels {
        assert!(!channel.folders.is_empty() && !channel.name.trim().is_empty());
        let (width, height) = (channel.profile.width, channel.profile.height);
        assert!(width > 0 && height > 0 && width.is_multiple_of(2) && height.is_multiple_of(2), "{width}x{height}");
        if let Order::Weighted { weights, .. } = &channel.order {
            assert!(!weights.is_empty() && weights.iter().all(|(_, weight)| *weight > 0.0 && weight.is_finite()));
        }
    }
}

/// An index's GOPs lie one behind the other, and each lasts.
fn index(data: &[u8]) {
    let Ok(gops) = gop_index::parse(data) else { return };
    let mut end = 0;
    for gop in &gops {
        assert!(gop.offset == end && gop.len > 0 && gop.duration > MediaTime::ZERO, "{gop:?}");
        end += u64::from(gop.len);
    }
    assert_eq!(gop_index::count_on_disk(&gops, end), gops.len());
    assert!(gop_index::count_on_disk(&gops, end / 2) <= gops.len());
    let total: MediaTime = gops.iter().map(|gop| gop.duration).sum();
    assert!(gops.is_empty() || total > MediaTime::ZERO);
}

/// What a sidecar or a name tells is short, clean and never nothing.
fn sidecars_and_names(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let notes = sidecar::read(kind.is_ascii_uppercase(), rest);
    assert_ne!(notes, Some(Notes::default()), "nothing is none");
    let named = metadata::of_name(&String::from_utf8_lossy(rest));
    assert!(!named.title.is_empty());
    let told = metadata::overlay(&named, &notes.unwrap_or_default());
    fits(&told);
}

/// Fails where metadata are longer than pages show, or hold what they must not.
pub(crate) fn fits(told: &Metadata) {
    let parts = [
        (Some(&told.title), metadata::TITLE_LEN_MAX),
        (told.author.as_ref(), metadata::AUTHOR_LEN_MAX),
        (told.date.as_ref(), metadata::DATE_LEN_MAX),
        (told.description.as_ref(), metadata::DESCRIPTION_LEN_MAX),
    ];
    for (text, len_max) in parts {
        let Some(text) = text else { continue };
        assert!(!text.trim().is_empty() && text.chars().count() <= len_max, "{text:?}");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    }
}

/// A packet of the network asks for tuners or not; whoever is answered sent a whole one. What follows its length and sum is
/// made right, so that the values are reached.
fn tuner(data: &[u8]) {
    let device = DeviceId::made_of(7);
    assert!(!packet::asks_for(data, device) || (8..=packet::QUESTION_BYTES_MAX).contains(&data.len()));
    let values = data.get(4..data.len().saturating_sub(4)).unwrap_or_default();
    let Some(whole) = packet::sealed(packet::QUESTION, values) else { return };
    let asks = packet::asks_for(&whole, device);
    assert!(!asks || values.len() < packet::QUESTION_BYTES_MAX);
}

/// Heads of files and of GOPs are known or refused. With a first byte below 128 the rest is made to look like MPEG-TS.
fn bytes(data: &[u8]) {
    let refusal = sniff::refuse_by_head(data);
    assert_eq!(data.is_empty(), refusal == Some(nightcast::ffmpeg::probe::Refusal::Empty));
    if let Some(refusal) = refusal {
        let _known = sniff::refine(refusal, data);
    }
    let Some((kind, rest)) = data.split_first() else { return };
    let mut packets = rest.to_vec();
    if *kind < 128 {
        packets.iter_mut().step_by(188).for_each(|byte| *byte = 0x47);
    }
    for pictures in 1..=2 {
        if let Ok(head) = annexb::head(&packets, pictures) {
            assert!(head.tables_len > 0 && head.tables_len as usize <= packets.len());
            assert_eq!(head.pictures.len(), pictures);
            assert!(head.pictures.iter().all(|picture| !picture.sps.is_empty() && !picture.pps.is_empty()));
            assert_eq!(annexb::signature(&head).len(), 32);
        }
    }
}
