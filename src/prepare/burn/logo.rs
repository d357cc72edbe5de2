//! The file of a logo: what kind of picture it is, by its bytes. Pure.

use sha2::{Digest, Sha256};

use crate::ffmpeg::logo_args::Kind;
use crate::prepare::annexb::hex;

/// The largest file that is a logo, in bytes; the pages show no larger one.
pub const BYTES_MAX: usize = 1 << 20;

/// How much of an SVG is looked through for its beginning: comments may stand before it.
const SVG_BEGIN: usize = 4096;

/// Returns the kind of a logo by how it begins.
///
/// # Errors
/// Why it can be none, for people.
pub fn kind(bytes: &[u8]) -> Result<Kind, &'static str> {
    let begin = &bytes[..bytes.len().min(SVG_BEGIN)];
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Ok(Kind::Png),
        [0xff, 0xd8, 0xff, ..] => Ok(Kind::Jpeg),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(Kind::Webp),
        _ if begin.windows(4).any(|four| four == b"<svg") => Ok(Kind::Svg),
        _ => Err("it is neither PNG, JPEG, WebP nor SVG"),
    }
}

/// Returns the digest of a logo's bytes: 16 hexadecimal digits.
#[must_use]
pub fn sum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_is_known_by_its_bytes_and_not_by_its_name() {
        for (bytes, expected) in [
            (&b"\x89PNG\r\n\x1a\n"[..], Ok(Kind::Png)),
            (b"\xff\xd8\xff\xe0", Ok(Kind::Jpeg)),
            (b"RIFF\0\0\0\0WEBPVP8 ", Ok(Kind::Webp)),
            (b"<?xml version=\"1.0\"?>\n<!-- a -->\n<svg xmlns=\"x\"/>", Ok(Kind::Svg)),
            (b"#EXTM3U\nfile:///etc/passwd\n", Err("it is neither PNG, JPEG, WebP nor SVG")),
            (b"GIF89a", Err("it is neither PNG, JPEG, WebP nor SVG")),
            (b"", Err("it is neither PNG, JPEG, WebP nor SVG")),
        ] {
            assert_eq!(kind(bytes), expected, "{bytes:?}");
        }
        assert_ne!(sum(b"a"), sum(b"b"));
    }
}
