//! What is known of a finished mezzanine, kept beside it as JSON, so that a restart need not look at its bytes.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::inspection::Inspection;
use super::mezzanine::{Gop, Mezzanine, MezzanineId};
use super::recipe::{GOP_MAX, Recipe};
use crate::units::MediaTime;

/// Counts up with every change of the format: others are not read, and their mezzanines are made anew.
const FORMAT_VERSION: u32 = 1;

/// The file beside a mezzanine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sidecar {
    version: u32,
    id: MezzanineId,
    /// How it was made; none for the slate.
    pub recipe: Option<Recipe>,
    signature: Arc<str>,
    tables_len: u32,
    /// Length in bytes and duration in ticks of each GOP; the offsets follow from them.
    gops: Vec<(u32, i64)>,
    /// The checksum of each GOP; empty in those written before there were any.
    #[serde(default)]
    sums: Vec<u32>,
    /// How far a kept picture was looked through; nothing in those written before that was noted.
    #[serde(default)]
    inspection: Inspection,
}

/// What a sidecar tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The mezzanine.
    pub mezzanine: Mezzanine,
    /// How it was made; none for the slate.
    pub recipe: Option<Recipe>,
    /// How far its picture was looked through, where it was kept.
    pub inspection: Inspection,
}

impl Sidecar {
    /// Returns what is to be written for a complete mezzanine.
    #[must_use]
    pub fn of(mezzanine: &Mezzanine, recipe: Option<Recipe>, inspection: Inspection) -> Self {
        Self {
            version: FORMAT_VERSION,
            id: mezzanine.id.clone(),
            recipe,
            signature: Arc::clone(&mezzanine.signature),
            tables_len: mezzanine.tables_len,
            gops: mezzanine.gops.iter().map(|gop| (gop.len, gop.duration.0)).collect(),
            sums: mezzanine.gops.iter().filter_map(|gop| gop.sum).collect(),
            inspection,
        }
    }

    /// Returns the mezzanine, or `None` where the text is of another version, another item, or does not fit a file of
    /// `file_len` bytes.
    #[must_use]
    pub fn read(text: &[u8], id: &MezzanineId, path: PathBuf, file_len: u64) -> Option<Known> {
        let sidecar: Self = serde_json::from_slice(text).ok()?;
        let mut offset = 0;
        let mut gops = Vec::with_capacity(sidecar.gops.len());
        if !sidecar.sums.is_empty() && sidecar.sums.len() != sidecar.gops.len() {
            return None;
        }
        for (at, (len, ticks)) in sidecar.gops.into_iter().enumerate() {
            gops.push(Gop { offset, len, duration: MediaTime(ticks), sum: sidecar.sums.get(at).copied() });
            offset += u64::from(len);
        }
        let can_be = |gop: &Gop| gop.len > 0 && (MediaTime(1)..=GOP_MAX).contains(&gop.duration);
        let tables_fit = gops.first().is_some_and(|first| sidecar.tables_len <= first.len);
        let whole = tables_fit && offset == file_len && gops.iter().all(can_be);
        (whole && sidecar.version == FORMAT_VERSION && sidecar.id == *id).then(|| Known {
            mezzanine: Mezzanine {
                id: sidecar.id,
                path,
                tables_len: sidecar.tables_len,
                gops: gops.into(),
                signature: sidecar.signature,
                complete: true,
            },
            recipe: sidecar.recipe,
            inspection: sidecar.inspection,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::ContentKey;

    fn mezzanine() -> Mezzanine {
        let gop = |offset, len| Gop { offset, len, duration: MediaTime::from_secs(2), sum: Some(7) };
        Mezzanine {
            id: MezzanineId { key: ContentKey("k".into()), profile: "p".into() },
            path: "/cache/k-p.ts".into(),
            tables_len: 564,
            gops: [gop(0, 1000), gop(1000, 50)].into(),
            signature: "s".into(),
            complete: true,
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let inspection = Inspection { gops: 1, damage: Some("broken".into()) };
        let text = serde_json::to_vec(&Sidecar::of(&mezzanine(), Some(Recipe::Remux), inspection.clone())).unwrap();
        let read = Sidecar::read(&text, &mezzanine().id, mezzanine().path, 1050);
        assert_eq!(read, Some(Known { mezzanine: mezzanine(), recipe: Some(Recipe::Remux), inspection }));
    }

    #[test]
    fn what_does_not_fit_the_file_is_not_believed() {
        let text = serde_json::to_string(&Sidecar::of(&mezzanine(), None, Inspection::default())).unwrap();
        let other = MezzanineId { key: ContentKey("x".into()), profile: "p".into() };
        let read = |text: &str, id: &MezzanineId, len| Sidecar::read(text.as_bytes(), id, "/p".into(), len);
        assert_eq!(read(&text, &mezzanine().id, 1049), None, "a file cut short");
        assert_eq!(read(&text, &other, 1050), None, "another item's");
        assert_eq!(read(&text.replace("\"version\":1", "\"version\":2"), &other, 1050), None, "another version's");
        assert_eq!(read("{", &mezzanine().id, 1050), None, "half a file");
        for (sentence, from, to, len) in [
            ("an empty GOP", "[50,", "[0,", 1000),
            ("a GOP that lasts for ever", "[50,180000]", "[50,9223372036854775807]", 1050),
            ("tables longer than the first GOP", "564", "1001", 1050),
        ] {
            assert!(text.contains(from), "{text}");
            assert_eq!(read(&text.replace(from, to), &mezzanine().id, len), None, "{sentence}");
        }
        assert_eq!(read(&text.replace("[7,7]", "[7]"), &mezzanine().id, 1050), None, "a checksum short");
        let old = text.replace(",\"sums\":[7,7]", "").replace(",\"inspection\":{\"gops\":0,\"damage\":null}", "");
        assert!(!old.contains("inspection"), "{old}");
        let old = read(&old, &mezzanine().id, 1050).unwrap();
        assert!(old.mezzanine.gops.iter().all(|gop| gop.sum.is_none()), "one from before there were checksums");
    }
}
