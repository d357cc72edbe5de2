//! Takes the chunks that the on-air ffmpeg hands back over loopback HTTP: nothing touches the disk.

pub mod task;

use std::net::SocketAddrV4;

use bytes::Bytes;

use crate::hls::source::SourceChunk;

/// One request of the on-air ffmpeg.
#[derive(Debug)]
pub enum Upload {
    /// A closed chunk.
    Chunk {
        /// Which rendition, from 0.
        rendition: usize,
        /// Its number in the run.
        number: u64,
        /// Its bytes as they came.
        pieces: Vec<Bytes>,
    },
    /// The playlist after it, whose newest line says how long the chunk is.
    Listed {
        /// Which rendition, from 0.
        rendition: usize,
        /// The newest line.
        chunk: SourceChunk,
    },
}

/// The largest chunk taken, in bytes: 6.5 s at 80 Mbit/s. A larger one ends the run.
pub const CHUNK_BYTES_MAX: usize = 64 << 20;

/// The largest playlist taken, in bytes: five lines of one chunk each are a few hundred.
pub const LIST_BYTES_MAX: usize = 64 << 10;

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
    /// `/SECRET/17.ts`, or `/SECRET/1/17.ts` where there are several renditions.
    Chunk {
        /// Which rendition, from 0.
        rendition: usize,
        /// The chunk's number.
        number: u64,
    },
    /// `/SECRET/live.m3u8`, or `/SECRET/1/live.m3u8`.
    List {
        /// Which rendition, from 0.
        rendition: usize,
    },
}

/// Returns what a path names, or none for anything but the names we gave our own child.
#[must_use]
pub fn target(path: &str, secret: &str, renditions: usize) -> Option<Target> {
    let (said, name) = path.strip_prefix('/')?.split_once('/')?;
    if !same(said.as_bytes(), secret.as_bytes()) {
        return None;
    }
    let (rendition, name) = match name.split_once('/') {
        Some((rendition, name)) if renditions > 1 => (usize::try_from(number(rendition)?).ok()?, name),
        None if renditions <= 1 => (0, name),
        _ => return None,
    };
    if rendition >= renditions.max(1) {
        return None;
    }
    if name == "live.m3u8" {
        return Some(Target::List { rendition });
    }
    let number = number(name.strip_suffix(".ts")?)?;
    Some(Target::Chunk { rendition, number })
}

/// Returns a number that is written in digits and nothing else.
fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

impl Target {
    /// Returns how many bytes of it are taken.
    #[must_use]
    pub fn bytes_max(self) -> usize {
        match self {
            Self::Chunk { .. } => CHUNK_BYTES_MAX,
            Self::List { .. } => LIST_BYTES_MAX,
        }
    }
}

/// Compares in a time that tells nothing of where the first difference is.
fn same(said: &[u8], secret: &[u8]) -> bool {
    let differences = said.iter().zip(secret).fold(0, |seen, (a, b)| seen | (a ^ b));
    std::hint::black_box(differences) == 0 && said.len() == secret.len()
}

/// Returns the user whose socket is at `theirs`, connected to `ours`, by the system's table of connections
/// (`/proc/net/tcp`). None for a connection that is not there or not open: once it is closed the table says user 0.
#[must_use]
pub fn owner(table: &str, theirs: SocketAddrV4, ours: SocketAddrV4) -> Option<u32> {
    /// As the kernel writes it.
    const ESTABLISHED: &str = "01";
    // The address as the machine holds it, the port as a number.
    let told = |at: SocketAddrV4| format!("{:08X}:{:04X}", u32::from_ne_bytes(at.ip().octets()), at.port());
    let wanted = [told(theirs), told(ours)];
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().take(10).collect();
        let [_, local, remote, state, _, _, _, uid, _, inode] = fields[..] else { return None };
        let open = state == ESTABLISHED && inode != "0";
        (open && local == wanted[0] && remote == wanted[1]).then(|| uid.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_whose_a_connection_is_while_it_is_open() {
        let row = |local: &str, remote: &str, state: &str, uid: u32, inode: u32| {
            format!(
                "   5: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {uid:>5}        0 {inode} 2 0 20 4\n"
            )
        };
        let (theirs, ours): (SocketAddrV4, SocketAddrV4) =
            ("127.0.0.1:34914".parse().unwrap(), "127.0.0.1:37993".parse().unwrap());
        // 127.0.0.1 as this machine holds it.
        let host = format!("{:08X}", u32::from_ne_bytes([127, 0, 0, 1]));
        let (client, server) = (format!("{host}:8862"), format!("{host}:9469"));
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
        for (sentence, rows, expected) in [
            ("theirs", row(&client, &server, "01", 1000, 7), Some(1000)),
            ("our own end is not theirs", row(&server, &client, "01", 1000, 7), None),
            ("another's", row("00000000:0001", &server, "01", 1000, 7), None),
            ("closed, and so nobody's", row(&client, &server, "06", 0, 0), None),
            ("closed by a program that is gone", row(&client, &server, "05", 0, 0), None),
            ("the second", row(&server, &client, "01", 1, 7) + &row(&client, &server, "01", 33, 7), Some(33)),
            ("nothing", String::new(), None),
            ("a line cut short", format!("5: {client} {server} 01"), None),
        ] {
            assert_eq!(owner(&format!("{head}{rows}"), theirs, ours), expected, "{sentence}");
        }
    }

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
            ("/s3cret/17.ts", Some(Target::Chunk { rendition: 0, number: 17 })),
            ("/s3cret/live.m3u8", Some(Target::List { rendition: 0 })),
            ("/s3cret/0/17.ts", None),
            ("/other/17.ts", None),
            ("/s3cre/17.ts", None),
            ("/s3cret2/17.ts", None),
            ("//17.ts", None),
            ("/s3cret/../17.ts", None),
            ("/s3cret/+1.ts", None),
            ("/s3cret/99999999999999999999999.ts", None),
            ("/s3cret/.ts", None),
            ("/s3cret17.ts", None),
            ("s3cret/17.ts", None),
            ("/", None),
        ];
        for (path, expected) in cases {
            assert_eq!(target(path, "s3cret", 1), expected, "{path}");
        }
        let cases = [
            ("/s3cret/2/17.ts", Some(Target::Chunk { rendition: 2, number: 17 })),
            ("/s3cret/0/live.m3u8", Some(Target::List { rendition: 0 })),
            ("/s3cret/3/17.ts", None),
            ("/s3cret/17.ts", None),
            ("/s3cret//17.ts", None),
            ("/s3cret/1/1/17.ts", None),
            ("/s3cret/-1/17.ts", None),
        ];
        for (path, expected) in cases {
            assert_eq!(target(path, "s3cret", 3), expected, "{path}");
        }
    }
}
