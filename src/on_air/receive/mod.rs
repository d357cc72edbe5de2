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

/// Bytes of a packet of a transport stream, and what each begins with (ISO/IEC 13818-1 §2.4.3.2).
const TS_PACKET: usize = 188;
const TS_SYNC: u8 = 0x47;

/// Whether a chunk's bytes are whole packets of a transport stream: nothing else may reach viewers.
#[must_use]
pub fn is_transport_stream(pieces: &[Bytes]) -> bool {
    let mut at = 0;
    for piece in pieces {
        let first = (TS_PACKET - at % TS_PACKET) % TS_PACKET;
        if piece.iter().skip(first).step_by(TS_PACKET).any(|byte| *byte != TS_SYNC) {
            return false;
        }
        at += piece.len();
    }
    at > 0 && at % TS_PACKET == 0
}

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
    fn only_whole_packets_that_begin_as_such_are_a_transport_stream() {
        let mut packets = vec![0xff_u8; 3 * TS_PACKET];
        packets.iter_mut().step_by(TS_PACKET).for_each(|byte| *byte = TS_SYNC);
        let cut =
            |bytes: &[u8], at: usize| [Bytes::copy_from_slice(&bytes[..at]), Bytes::copy_from_slice(&bytes[at..])];
        for at in [0, 1, 187, 188, 189, 500] {
            assert!(is_transport_stream(&cut(&packets, at)), "in two pieces at {at}");
            let mut spoilt = packets.clone();
            spoilt[2 * TS_PACKET] = 0x48;
            assert!(!is_transport_stream(&cut(&spoilt, at)), "spoilt, in two pieces at {at}");
        }
        assert!(!is_transport_stream(&cut(&packets[..400], 100)), "half a packet");
        assert!(!is_transport_stream(&[]), "nothing");
    }

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
