//! A transport stream's segments in, time stamps and digests out: enough of ISO/IEC 13818-1 to see that nothing is
//! missing, repeated or late. Pure, and quick enough for a month in an hour.

use std::collections::BTreeMap;

/// Ticks a second of PTS and DTS.
pub const TICKS: i64 = 90_000;

/// PTS and DTS have 33 bits: they begin anew after 26.5 hours.
pub const WRAP: i64 = 1 << 33;

/// Ticks of one AAC frame at 48 kHz: 1,024 samples.
pub const SOUND_FRAME: i64 = 1_920;

const PACKET: usize = 188;
const H264: u8 = 0x1b;
const AAC: u8 = 0x0f;

/// One frame of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    pub pts: i64,
    pub dts: i64,
}

/// Some frames of sound that came together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    pub pts: i64,
    /// A digest of each frame.
    pub frames: Vec<u64>,
}

/// What is in one segment. Time stamps are as written: 33 bits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    pub pictures: Vec<Picture>,
    pub sounds: Vec<Sound>,
    /// Digest of the picture's bytes.
    pub digest: u64,
    /// Everything that is wrong with it as a transport stream.
    pub faults: Vec<String>,
}

impl Contents {
    /// Orders the pictures as they are shown, also where the stamps begin anew among them.
    pub fn order_as_shown(&mut self) {
        let first = self.pictures.first().map_or(0, |first| first.dts);
        // What is shown before it is decoded cannot be far before.
        self.pictures.sort_by_key(|picture| (picture.pts - first + WRAP / 2).rem_euclid(WRAP));
    }
}

/// Reads segments one after the other; remembers the continuity counters between them.
#[derive(Debug, Default)]
pub struct Demux {
    counters: BTreeMap<u16, u8>,
}

/// One elementary stream while a segment is read.
#[derive(Default)]
struct Stream {
    /// Begin of each PES packet in `bytes`, with its stamps.
    begins: Vec<(usize, i64, i64)>,
    bytes: Vec<u8>,
}

impl Demux {
    /// Forgets the counters: a new run begins.
    pub fn forget(&mut self) {
        self.counters.clear();
    }

    /// Reads a segment.
    pub fn read(&mut self, segment: &[u8]) -> Contents {
        let mut contents = Contents::default();
        let mut streams: BTreeMap<u16, (u8, Stream)> = BTreeMap::new();
        let mut table = None;
        if segment.is_empty() || !segment.len().is_multiple_of(PACKET) {
            contents.faults.push(format!("{} bytes are no whole packets", segment.len()));
        }
        for packet in segment.chunks_exact(PACKET) {
            let Some((pid, begins, payload)) = self.packet(packet, &mut contents.faults) else { continue };
            if pid == 0 {
                table = section(payload, begins).and_then(program_map_pid);
            } else if Some(pid) == table {
                for (pid, kind) in section(payload, begins).map(streams_of).unwrap_or_default() {
                    streams.entry(pid).or_insert_with(|| (kind, Stream::default()));
                }
            } else if let Some((_, stream)) = streams.get_mut(&pid) {
                stream.take(payload, begins, &mut contents.faults);
            }
        }
        for (kind, stream) in streams.into_values() {
            match kind {
                H264 => {
                    contents.digest = digest(&stream.bytes);
                    contents.pictures = stream.begins.iter().map(|&(_, pts, dts)| Picture { pts, dts }).collect();
                }
                AAC => {
                    contents.sounds = stream.sounds(&mut contents.faults);
                }
                other => contents.faults.push(format!("a stream of type {other:#x}")),
            }
        }
        contents
    }

    /// Returns a packet's PID, whether a unit begins in it, and its payload.
    fn packet<'a>(&mut self, packet: &'a [u8], faults: &mut Vec<String>) -> Option<(u16, bool, &'a [u8])> {
        if packet[0] != 0x47 || packet[1] & 0x80 != 0 {
            faults.push("a packet without its sync byte, or marked as damaged".to_owned());
            return None;
        }
        let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
        if packet[3] & 0x10 == 0 || pid == 0x1fff {
            return None;
        }
        let counter = packet[3] & 0x0f;
        if let Some(last) = self.counters.insert(pid, counter)
            && (last + 1) & 0x0f != counter
        {
            faults.push(format!("continuity counter of {pid:#x} went from {last} to {counter}"));
        }
        let adaptation = if packet[3] & 0x20 == 0 { 0 } else { 1 + usize::from(packet[4]) };
        Some((pid, packet[1] & 0x40 != 0, packet.get(4 + adaptation..)?))
    }
}

impl Stream {
    fn take(&mut self, payload: &[u8], begins: bool, faults: &mut Vec<String>) {
        if !begins {
            if self.begins.is_empty() {
                faults.push("a segment begins within a PES packet".to_owned());
            }
            self.bytes.extend_from_slice(payload);
            return;
        }
        let header = payload.get(8).map(|len| 9 + usize::from(*len));
        let Some(header) = header.filter(|header| payload.starts_with(&[0, 0, 1]) && *header <= payload.len()) else {
            faults.push("a PES packet without its head".to_owned());
            return;
        };
        let stamp = |at: usize| payload.get(at..at + 5).map_or(-1, stamp);
        let (pts, dts) = match payload[7] >> 6 {
            2 => (stamp(9), stamp(9)),
            3 => (stamp(9), stamp(14)),
            _ => (-1, -1),
        };
        if pts < 0 {
            faults.push("a PES packet without a time".to_owned());
            return;
        }
        self.begins.push((self.bytes.len(), pts, dts));
        self.bytes.extend_from_slice(&payload[header..]);
    }

    /// Counts the ADTS frames of every PES packet.
    fn sounds(&self, faults: &mut Vec<String>) -> Vec<Sound> {
        let ends = self.begins.iter().skip(1).map(|begin| begin.0).chain([self.bytes.len()]);
        let mut sounds = Vec::new();
        for (&(begin, pts, _), end) in self.begins.iter().zip(ends) {
            let (mut at, mut frames) = (begin, Vec::new());
            while let Some(head) = self.bytes[at..end].get(..7) {
                let len = usize::from(head[3] & 3) << 11 | usize::from(head[4]) << 3 | usize::from(head[5]) >> 5;
                if head[0] != 0xff || head[1] & 0xf6 != 0xf0 || len < 7 || at + len > end {
                    break;
                }
                frames.push(digest(&self.bytes[at..at + len]));
                at += len;
            }
            if at != end {
                faults.push(format!("{} bytes of sound are no whole frames", end - at));
            }
            sounds.push(Sound { pts, frames });
        }
        sounds
    }
}

fn stamp(five: &[u8]) -> i64 {
    let byte = |at: usize| i64::from(five[at]);
    (byte(0) >> 1 & 7) << 30 | byte(1) << 22 | (byte(2) >> 1) << 15 | byte(3) << 7 | byte(4) >> 1
}

/// Returns a section that lies in one packet, from its table id to before its checksum.
fn section(payload: &[u8], begins: bool) -> Option<&[u8]> {
    let section = payload.get(1 + usize::from(*payload.first().filter(|_| begins)?)..)?;
    let len = usize::from(section.get(1)? & 0x0f) << 8 | usize::from(*section.get(2)?);
    section.get(..(3 + len).checked_sub(4)?)
}

fn program_map_pid(section: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes([section.get(10)? & 0x1f, *section.get(11)?]))
}

fn streams_of(section: &[u8]) -> Vec<(u16, u8)> {
    let word =
        |at: usize| section.get(at..at + 2).map_or(0, |two| usize::from(two[0] & 0x0f) << 8 | usize::from(two[1]));
    let mut at = 12 + word(10);
    let mut streams = Vec::new();
    while let Some(entry) = section.get(at..at + 5) {
        streams.push((u16::from_be_bytes([entry[1] & 0x1f, entry[2]]), entry[0]));
        at += 5 + word(at + 3);
    }
    streams
}

/// A quick digest, eight bytes at a time: it meets accidents, not enemies.
fn digest(bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(8);
    let mut sum = bytes.len() as u64;
    let mut stir = |word: u64| sum = (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    for word in &mut words {
        stir(word.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
    }
    stir(words.remainder().iter().fold(1, |sum, byte| sum << 8 | u64::from(*byte)));
    sum
}

/// Carries 33-bit stamps on beyond their end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwrapped {
    last: Option<i64>,
    /// How often they began anew.
    pub wraps: u64,
}

impl Unwrapped {
    /// Returns the stamp that is nearest to the one before.
    pub fn next(&mut self, stamp: i64) -> i64 {
        let Some(last) = self.last else {
            self.last = Some(stamp);
            return stamp;
        };
        let step = (stamp - last).rem_euclid(WRAP);
        let next = if step < WRAP / 2 { last + step } else { last + step - WRAP };
        if next.div_euclid(WRAP) > last.div_euclid(WRAP) {
            self.wraps += 1;
        }
        self.last = Some(next);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(pid: u16, begins: bool, counter: u8, payload: &[u8]) -> Vec<u8> {
        let [high, low] = pid.to_be_bytes();
        let stuffing = 184 - payload.len();
        let mut packet = vec![0x47, high | if begins { 0x40 } else { 0 }, low, counter | 0x10];
        if stuffing > 0 {
            packet[3] |= 0x20;
            packet.push(u8::try_from(stuffing - 1).unwrap());
            packet.extend((1..stuffing).map(|n| if n == 1 { 0 } else { 0xff }));
        }
        packet.extend_from_slice(payload);
        packet
    }

    fn pes(id: u8, pts: i64, body: &[u8]) -> Vec<u8> {
        let bits = |shift: i64, mask: i64| u8::try_from(pts >> shift & mask).unwrap();
        let stamp =
            [0x21 | bits(30, 7) << 1, bits(22, 255), bits(15, 127) << 1 | 1, bits(7, 255), bits(0, 127) << 1 | 1];
        [&[0, 0, 1, id, 0, 0, 0x80, 0x80, 5], &stamp[..], body].concat()
    }

    fn tables() -> Vec<u8> {
        let pat = [0, 0, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xf0, 0, 0, 0, 0, 0];
        let pmt = [0, 2, 0xb0, 23, 0, 1, 0xc1, 0, 0, 0xe1, 0, 0xf0, 0, 0x1b, 0xe1, 0, 0xf0, 0, 0x0f, 0xe1, 1, 0xf0, 0];
        [packet(0, true, 0, &pat), packet(0x1000, true, 0, &[&pmt[..], &[0; 4]].concat())].concat()
    }

    /// Two AAC frames of eight bytes each.
    const TWO_FRAMES: [u8; 16] = [0xff, 0xf1, 0x4c, 0x80, 1, 0x1f, 0xfc, 9, 0xff, 0xf1, 0x4c, 0x80, 1, 0x1f, 0xfc, 9];

    #[test]
    fn stamps_frames_and_digests_are_read() {
        let mut demux = Demux::default();
        let late = WRAP - 1;
        let sound = packet(0x101, true, 0, &pes(0xc0, 5, &TWO_FRAMES));
        let whole = [tables(), packet(0x100, true, 7, &pes(0xe0, late, b"picture")), sound.clone()].concat();
        let contents = demux.read(&whole);
        assert_eq!(contents.pictures, [Picture { pts: late, dts: late }]);
        assert_eq!((contents.sounds[0].pts, contents.sounds[0].frames.len()), (5, 2));
        assert_eq!(contents.faults, Vec::<String>::new());

        // The same bytes in other packets have the same digest.
        let body = pes(0xe0, late, b"picture");
        let (one, two) = body.split_at(17);
        let split = [packet(0x100, true, 0, one), packet(0x100, false, 1, two)].concat();
        let again = Demux::default().read(&[tables(), split, sound].concat());
        assert_eq!((again.digest, &again.sounds), (contents.digest, &contents.sounds));
        assert_eq!(again.faults, Vec::<String>::new());
    }

    #[test]
    fn pictures_are_shown_in_order_also_where_the_stamps_begin_anew() {
        for first in [0, 5 * TICKS, WRAP - 100, WRAP - 2] {
            let picture = |step: i64| Picture { pts: (first + step).rem_euclid(WRAP), dts: first };
            let mut contents = Contents { pictures: [3, 9, 6, 15, 12].map(picture).to_vec(), ..Contents::default() };
            contents.order_as_shown();
            assert_eq!(contents.pictures, [3, 6, 9, 12, 15].map(picture), "from {first}");
        }
    }

    #[test]
    fn every_kind_of_damage_is_told() {
        let video = |counter, bytes: &[u8]| packet(0x100, true, counter, bytes);
        let good = pes(0xe0, 1, b"x");
        let cases = [
            ("no whole packets", vec![0x47; 100]),
            ("sync byte", vec![0; 188]),
            ("continuity counter", [tables(), video(1, &good), video(3, &good)].concat()),
            ("within a PES packet", [tables(), packet(0x100, false, 0, b"rest")].concat()),
            ("without its head", [tables(), video(0, b"no head")].concat()),
            ("no whole frames", [tables(), packet(0x101, true, 0, &pes(0xc0, 1, &TWO_FRAMES[..12]))].concat()),
        ];
        for (expected, bytes) in cases {
            let faults = Demux::default().read(&bytes).faults;
            assert!(faults.iter().any(|fault| fault.contains(expected)), "{expected}: {faults:?}");
        }
    }

    #[test]
    fn stamps_go_on_beyond_their_end() {
        let mut unwrapped = Unwrapped::default();
        let stamps = [WRAP - 10, WRAP - 12, 5, 2, WRAP - 1, 20].map(|stamp| unwrapped.next(stamp));
        assert_eq!(stamps, [WRAP - 10, WRAP - 12, WRAP + 5, WRAP + 2, WRAP - 1, WRAP + 20]);
        assert_eq!(unwrapped.wraps, 2, "it went back over the end once");
    }
}
