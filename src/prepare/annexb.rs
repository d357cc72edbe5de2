//! The head of a GOP in an MPEG-TS file → whether it can be joined, and to what. Pure.
//!
//! Every GOP must begin with tables, then SPS, PPS and an IDR slice: hls.js and hardware decoders begin there. The SPS, the
//! PPS and the sound's header are also the mezzanine's signature.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// How many bytes of the first GOP are looked at: the sound may come after a first frame of hundreds of kilobytes.
pub const HEAD_LEN: usize = 4 << 20;

const PACKET: usize = 188;
const NAL_IDR: u8 = 5;
const NAL_SPS: u8 = 7;
const NAL_PPS: u8 = 8;

/// What stands at the head of a GOP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// How many bytes of tables it begins with.
    pub tables_len: u32,
    /// The parameters of each picture, in the order of their streams.
    pub pictures: Vec<Parameters>,
    /// The fixed part of the first ADTS header: profile, rate and layout. Empty where no sound was met.
    pub adts: Vec<u8>,
}

/// The parameters of one picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// The sequence parameter set.
    pub sps: Vec<u8>,
    /// The picture parameter sets, one after the other.
    pub pps: Vec<u8>,
}

/// The beginning of a picture's stream.
struct Begun {
    pid: u16,
    stream: Vec<u8>,
    /// Whether all of the first frame is there.
    is_whole: bool,
}

/// Why a GOP cannot be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Not MPEG-TS, or its tables do not stand first.
    #[error("a GOP does not begin with its tables")]
    Tables,
    /// The first picture has no SPS or PPS before it.
    #[error("a GOP does not begin with its parameter sets")]
    ParameterSets,
    /// The first picture is no IDR picture.
    #[error("a GOP does not begin with an IDR frame")]
    NotIdr,
    /// The sound is not 48 kHz stereo AAC-LC.
    #[error("the sound is not 48 kHz stereo AAC")]
    Sound,
}

/// Reads the head of a GOP with so many pictures side by side: up to [`HEAD_LEN`] bytes from its first.
///
/// # Errors
/// [`HeadError`] as its variants tell.
pub fn head(bytes: &[u8], pictures: usize) -> Result<Head, HeadError> {
    let mut head = Head::default();
    let mut begun: Vec<Begun> = Vec::with_capacity(pictures);
    for packet in bytes.chunks_exact(PACKET) {
        let (pid, is_start, payload) = payload(packet).ok_or(HeadError::Tables)?;
        if is_table(pid) {
            if begun.is_empty() && head.adts.is_empty() {
                head.tables_len += 188;
            }
            continue;
        }
        if head.tables_len == 0 {
            return Err(HeadError::Tables);
        }
        let Some((id, data)) = (if is_start { pes_payload(payload) } else { Some((0, payload)) }) else { continue };
        let is_awaited = begun.len() < pictures;
        let known = begun.iter_mut().find(|picture| picture.pid == pid);
        match (known, id) {
            (Some(picture), _) if is_start => picture.is_whole = true,
            (Some(picture), _) if !picture.is_whole => picture.stream.extend_from_slice(data),
            (None, 0xe0..=0xef) if is_awaited => {
                begun.push(Begun { pid, stream: data.to_vec(), is_whole: false });
            }
            (None, 0xc0..=0xdf) if head.adts.is_empty() => head.adts = adts(data)?,
            _ => {}
        }
        let all = begun.len() == pictures && begun.iter().all(|picture| picture.is_whole);
        if all && !head.adts.is_empty() {
            break;
        }
    }
    if begun.len() < pictures {
        return Err(HeadError::ParameterSets);
    }
    begun.sort_by_key(|picture| picture.pid);
    head.pictures = begun.iter().map(|picture| parameter_sets(&picture.stream)).collect::<Result<_, _>>()?;
    Ok(head)
}

/// The first picture's pid: ffmpeg's muxer counts the streams from here, and pictures come first.
const PID_FIRST: u16 = 256;

/// Adds to `rest` what is left of whole packets without those of so many pictures: tables and sound, some hundredth of it.
/// What is no packet is left in, for the decoder to stumble over.
pub fn without_pictures(bytes: &[u8], pictures: usize, rest: &mut Vec<u8>) {
    let is_picture = |pid: u16| pid >= PID_FIRST && usize::from(pid - PID_FIRST) < pictures;
    for packet in bytes.chunks(PACKET) {
        if packet[0] != 0x47 || !pid(packet).is_some_and(is_picture) {
            rest.extend_from_slice(packet);
        }
    }
}

/// Returns where in whole packets tables begin: the first of several that follow one another.
pub fn tables(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let mut follows = false;
    bytes.chunks(PACKET).enumerate().filter_map(move |(number, packet)| {
        let is_table = pid(packet).is_some_and(is_table);
        let begins = is_table && !follows;
        follows = is_table;
        begins.then_some(number * PACKET)
    })
}

/// Whether packets with this pid hold tables: PAT 0, SDT 17, PMT 4096 as ffmpeg's muxer counts.
fn is_table(pid: u16) -> bool {
    matches!(pid, 0 | 17 | 4096)
}

/// Returns the pid of a packet; none where it ends before.
fn pid(packet: &[u8]) -> Option<u16> {
    packet.first_chunk().map(|[_, high, low]| u16::from(high & 0x1f) << 8 | u16::from(*low))
}

/// Returns pid, whether a PES begins here, and the payload.
fn payload(packet: &[u8]) -> Option<(u16, bool, &[u8])> {
    if packet[0] != 0x47 {
        return None;
    }
    let pid = pid(packet)?;
    let adaptation = if packet[3] & 0x20 == 0 { 0 } else { usize::from(packet[4]) + 1 };
    let payload = if packet[3] & 0x10 == 0 { &[][..] } else { packet.get(4 + adaptation..).unwrap_or_default() };
    Some((pid, packet[1] & 0x40 != 0, payload))
}

/// Returns stream id and elementary bytes of a PES packet's beginning (ISO/IEC 13818-1 §2.4.3.6).
fn pes_payload(pes: &[u8]) -> Option<(u8, &[u8])> {
    if pes.len() < 9 || pes[..3] != [0, 0, 1] {
        return None;
    }
    Some((pes[3], pes.get(9 + usize::from(pes[8])..)?))
}

/// Returns the fixed header without its changing bits; refuses everything but 48 kHz stereo AAC-LC.
fn adts(data: &[u8]) -> Result<Vec<u8>, HeadError> {
    let fixed = data.get(..4).filter(|fixed| fixed[0] == 0xff && fixed[1] & 0xf6 == 0xf0).ok_or(HeadError::Sound)?;
    let (profile, frequency) = (fixed[2] >> 6, fixed[2] >> 2 & 0xf);
    let layout = (fixed[2] & 1) << 2 | fixed[3] >> 6;
    // AAC-LC is 1, 48 kHz is index 3 (ISO/IEC 14496-3 §1.A.3.2, table 1.16).
    if (profile, frequency, layout) != (1, 3, 2) {
        return Err(HeadError::Sound);
    }
    Ok(vec![profile, frequency, layout])
}

fn parameter_sets(stream: &[u8]) -> Result<Parameters, HeadError> {
    let mut head = Parameters::default();
    for nal in nals(stream) {
        match nal.first().map(|byte| byte & 0x1f) {
            Some(NAL_SPS) => head.sps = nal.to_vec(),
            Some(NAL_PPS) if !head.pps.windows(nal.len().max(1)).any(|have| have == nal) => {
                head.pps.extend_from_slice(nal);
            }
            Some(NAL_IDR) if head.sps.is_empty() || head.pps.is_empty() => return Err(HeadError::ParameterSets),
            Some(NAL_IDR) => return Ok(head),
            Some(1..=4) => return Err(HeadError::NotIdr),
            _ => {}
        }
    }
    Err(if head.sps.is_empty() { HeadError::ParameterSets } else { HeadError::NotIdr })
}

/// Returns the NAL units between start codes (ITU-T H.264 annex B), without trailing zeros.
pub(super) fn nals(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let starts: Vec<usize> =
        stream.windows(3).enumerate().filter(|(_, w)| *w == [0, 0, 1]).map(|(at, _)| at + 3).collect();
    let ends: Vec<usize> = starts.iter().skip(1).map(|start| start - 3).chain([stream.len()]).collect();
    starts.into_iter().zip(ends).map(|(start, end)| {
        let nal = &stream[start..end];
        let trailing = nal.iter().rev().take_while(|byte| **byte == 0).count();
        &nal[..nal.len() - trailing]
    })
}

/// Returns the digest of everything that must be equal for two mezzanines to join without a discontinuity.
#[must_use]
pub fn signature(head: &Head) -> String {
    let mut hash = Sha256::new();
    let pictures = head.pictures.iter().flat_map(|picture| [&picture.sps, &picture.pps]);
    for part in pictures.chain([&head.adts]) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize()[..16])
}

/// Returns bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(pid: u16, is_start: bool, payload: &[u8]) -> Vec<u8> {
        let start = if is_start { 0x40 } else { 0 };
        let stuffing = PACKET - 4 - payload.len();
        let mut packet =
            vec![0x47, start | pid.to_be_bytes()[0], pid.to_be_bytes()[1], if stuffing > 0 { 0x30 } else { 0x10 }];
        if stuffing > 0 {
            packet.push(u8::try_from(stuffing - 1).unwrap());
            packet.resize(4 + stuffing, 0xff);
        }
        packet.extend_from_slice(payload);
        packet
    }

    fn pes(id: u8, data: &[u8]) -> Vec<u8> {
        [&[0, 0, 1, id, 0, 0, 0x80, 0, 0], data].concat()
    }

    const SOUND: [u8; 5] = [0xff, 0xf1, 0x4c, 0x80, 0];

    fn gop(nals: &[u8], sound: &[u8]) -> Vec<u8> {
        let mut stream = Vec::new();
        for nal in nals {
            stream.extend_from_slice(&[0, 0, 0, 1, *nal, 0xaa, 0x55]);
        }
        [
            packet(0, true, &[0; 9]),
            packet(4096, true, &[0; 9]),
            packet(256, true, &pes(0xe0, &stream)),
            packet(257, true, &pes(0xc0, sound)),
        ]
        .concat()
    }

    #[test]
    fn a_gop_that_can_be_joined_tells_its_parameters() {
        let head = head(&gop(&[9, 0x67, 0x68, 6, 0x65], &SOUND), 1).unwrap();
        assert_eq!(head.tables_len, 376);
        let parameters = Parameters { sps: vec![0x67, 0xaa, 0x55], pps: vec![0x68, 0xaa, 0x55] };
        assert_eq!((head.pictures, head.adts), (vec![parameters], vec![1, 3, 2]));
    }

    #[test]
    fn the_parameters_of_several_pictures_are_told_in_the_order_of_their_streams() {
        let frame = |sps: u8| pes(0xe0, &[0, 0, 1, 0x67, sps, 0, 0, 1, 0x68, 1, 0, 0, 1, 0x65, 1]);
        let parts = |first: &[u8], second: &[u8]| {
            let tables = [packet(0, true, &[0; 9]), packet(4096, true, &[0; 9])].concat();
            [&tables, first, &packet(258, true, &pes(0xc0, &SOUND)), second].concat()
        };
        let (one, two) = (packet(256, true, &frame(1)), packet(257, true, &frame(2)));
        for bytes in [parts(&one, &two), parts(&two, &one)] {
            let found = head(&bytes, 2).unwrap();
            let told: Vec<_> = found.pictures.iter().map(|picture| picture.sps[1]).collect();
            assert_eq!((told, found.tables_len), (vec![1, 2], 376));
            assert_ne!(signature(&found), signature(&head(&bytes, 1).unwrap()));
        }
        assert_eq!(head(&parts(&one, &[]), 2), Err(HeadError::ParameterSets), "one is missing");
        let delta = packet(257, true, &pes(0xe0, &[0, 0, 1, 0x61, 1]));
        assert_eq!(head(&parts(&one, &delta), 2), Err(HeadError::NotIdr), "keyframes do not meet");
    }

    #[test]
    fn a_gop_that_cannot_be_joined_tells_why() {
        let good = [0x67, 0x68, 0x65];
        let table = [
            ("no tables", gop(&good, &SOUND)[376..].to_vec(), HeadError::Tables),
            ("not MPEG-TS", vec![0; 376], HeadError::Tables),
            ("no parameter sets", gop(&[0x65], &SOUND), HeadError::ParameterSets),
            ("nothing at all", gop(&[], &SOUND), HeadError::ParameterSets),
            ("recovery point instead of IDR", gop(&[0x67, 0x68, 0x61], &SOUND), HeadError::NotIdr),
            ("44.1 kHz", gop(&good, &[0xff, 0xf1, 0x50, 0x80]), HeadError::Sound),
            ("mono", gop(&good, &[0xff, 0xf1, 0x4c, 0x40]), HeadError::Sound),
            ("no AAC", gop(&good, &[1, 2, 3, 4]), HeadError::Sound),
        ];
        for (sentence, bytes, error) in table {
            assert_eq!(head(&bytes, 1), Err(error), "{sentence}");
        }
    }

    #[test]
    fn the_signature_changes_with_the_parameters_and_nothing_else() {
        let one = head(&gop(&[0x67, 0x68, 0x65], &SOUND), 1).unwrap();
        let same = head(&gop(&[9, 0x67, 0x68, 6, 0x65, 0x65], &SOUND), 1).unwrap();
        let other = head(&gop(&[0x67, 0x28, 0x65], &SOUND), 1).unwrap();
        assert_eq!(signature(&one), signature(&same));
        assert_ne!(signature(&one), signature(&other));
    }

    #[test]
    fn the_sound_may_come_after_a_large_first_frame() {
        let mut bytes = gop(&[0x67, 0x68, 0x65], &SOUND);
        let sound = bytes.split_off(3 * PACKET);
        for _ in 0..1000 {
            bytes.extend(packet(256, false, &[0xaa; 150]));
        }
        bytes.extend(sound);
        let head = head(&bytes, 1).unwrap();
        assert_eq!((head.pictures[0].sps.len(), head.adts.len()), (3, 3));
    }

    #[test]
    fn without_its_pictures_a_gop_is_tables_and_sound_and_whatever_is_no_packet() {
        let rest = |bytes: &[u8], pictures| {
            let mut rest = vec![];
            without_pictures(bytes, pictures, &mut rest);
            rest
        };
        let gop = gop(&[0x67, 0x68, 0x65], &SOUND);
        assert_eq!(rest(&gop, 1), [&gop[..2 * PACKET], &gop[3 * PACKET..]].concat());
        assert_eq!(rest(&gop, 2), gop[..2 * PACKET], "the second picture's pid");
        assert_eq!(rest(&gop, 0), gop);
        let garbage = vec![1; PACKET + 5];
        assert_eq!(rest(&garbage, 1), garbage);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..800)) {
            let mut bytes = bytes;
            bytes.iter_mut().step_by(PACKET).for_each(|byte| *byte = 0x47);
            let _outcome = (head(&bytes, 1), head(&bytes, 2), without_pictures(&bytes, 1, &mut vec![]));
        }
    }
}
