//! Takes the chunks that the on-air ffmpeg hands back over loopback HTTP: nothing touches the disk.

pub mod task;

use bytes::Bytes;

use crate::hls::source::SourceChunk;

/// One request of the on-air ffmpeg.
#[derive(Debug)]
pub enum Upload {
    /// A closed chunk.
    Chunk {
        /// Its number in the run.
        number: u64,
        /// Its bytes as they came.
        pieces: Vec<Bytes>,
    },
    /// The playlist after it, whose newest line says how long the chunk is.
    Listed(SourceChunk),
}

/// The largest chunk taken, in bytes: 6.5 s at 80 Mbit/s. A larger one ends the run.
pub const CHUNK_BYTES_MAX: usize = 64 << 20;

/// What a request's path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `/SECRET/17.ts`
    Chunk(u64),
    /// `/SECRET/live.m3u8`
    List,
}

/// Returns what a path names, or none for anything but the two names we gave our own child.
#[must_use]
pub fn target(path: &str, secret: &str) -> Option<Target> {
    let name = path.strip_prefix('/')?.strip_prefix(secret)?.strip_prefix('/')?;
    if name == "live.m3u8" {
        return Some(Target::List);
    }
    let digits = name.strip_suffix(".ts")?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok().map(Target::Chunk)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_we_gave_are_taken() {
        let cases = [
            ("/s3cret/17.ts", Some(Target::Chunk(17))),
            ("/s3cret/live.m3u8", Some(Target::List)),
            ("/other/17.ts", None),
            ("/s3cret/../17.ts", None),
            ("/s3cret/+1.ts", None),
            ("/s3cret/99999999999999999999999.ts", None),
            ("/s3cret/.ts", None),
            ("/s3cret17.ts", None),
            ("s3cret/17.ts", None),
            ("/", None),
        ];
        for (path, expected) in cases {
            assert_eq!(target(path, "s3cret"), expected, "{path}");
        }
    }
}
