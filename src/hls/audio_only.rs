//! A segment's sound without its picture, for radios and the weakest lines. Pure.
//!
//! The picture's packets go; its clock stays, since players set theirs by it and ffmpeg's muxer writes it into the picture's
//! packets: each becomes one that holds nothing but the clock. The program map names the picture's stream no more.

use bytes::{Bytes, BytesMut};

const PACKET: usize = 188;
/// Where ffmpeg's muxer puts the program map.
const MAP_PID: u16 = 4096;
/// H.264 in a program map (ISO/IEC 13818-1 table 2-34).
const H264: u8 = 0x1b;
/// Ticks of 90 kHz between two clocks at least: no more than 100 ms may lie between them (ISO/IEC 13818-1 §2.7.2), and a
/// picture has one in each frame.
const CLOCK_PAUSE: u64 = 5_400;
/// The clock's base has 33 bits.
const CLOCK_BASE: u64 = (1 << 33) - 1;

/// Returns a segment of ffmpeg's MPEG-TS without its pictures; what cannot be read stays as it is.
#[must_use]
pub fn without_pictures(segment: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(segment.len() / 4);
    let (mut pictures, mut last) = (Vec::new(), None);
    for packet in segment.chunks_exact(PACKET) {
        let pid = u16::from(packet[1] & 0x1f) << 8 | u16::from(packet[2]);
        if pid == MAP_PID
            && let Some((map, removed)) = map_without_pictures(packet)
        {
            out.extend_from_slice(&map);
            pictures = removed;
        } else if !pictures.contains(&pid) {
            out.extend_from_slice(packet);
        } else if let Some(clock) = clock(packet)
            && last.is_none_or(|last| clock.wrapping_sub(last) & CLOCK_BASE >= CLOCK_PAUSE)
        {
            last = Some(clock);
            out.extend_from_slice(&only_the_clock(packet));
        }
    }
    out.freeze()
}

/// Returns the 33 bits of 90 kHz of a packet's program clock reference (ISO/IEC 13818-1 §2.4.3.5).
fn clock(packet: &[u8]) -> Option<u64> {
    let has_clock = packet[3] & 0x20 != 0 && packet[4] >= 7 && packet[5] & 0x10 != 0;
    let high = u32::from_be_bytes(*packet.get(6..10)?.first_chunk()?);
    has_clock.then(|| u64::from(high) << 1 | u64::from(packet[10] >> 7))
}

/// Returns a packet without payload that has this one's clock. Its counter stands still, as without payload it must.
fn only_the_clock(packet: &[u8]) -> [u8; PACKET] {
    let mut out = [0xff; PACKET];
    out[..4].copy_from_slice(&[0x47, packet[1] & 0x1f, packet[2], 0x20]);
    // The whole packet is the field; of its marks only the jump of the clock and the clock itself are kept.
    out[4..6].copy_from_slice(&[183, packet[5] & 0x90]);
    out[6..12].copy_from_slice(&packet[6..12]);
    out
}

/// Returns a program map (ISO/IEC 13818-1 §2.4.4.8) without its pictures, and their streams; none where there are none.
fn map_without_pictures(packet: &[u8]) -> Option<([u8; PACKET], Vec<u16>)> {
    // One whole section that begins where the packet does.
    if packet[1] & 0x40 == 0 || packet[3] & 0x30 != 0x10 || packet[4] != 0 {
        return None;
    }
    let section = packet.get(5..)?;
    let len = |bytes: &[u8]| usize::from(bytes[0] & 0x0f) << 8 | usize::from(bytes[1]);
    let section = section.get(..3 + len(section.get(1..3)?))?;
    let (body, _checksum) = section.split_at_checked(section.len().checked_sub(4)?)?;
    let streams_at = 12 + len(body.get(10..12)?);
    let (mut kept, mut pictures) = (body.get(..streams_at)?.to_vec(), Vec::new());
    let mut rest = body.get(streams_at..)?;
    while let Some(head) = rest.get(..5) {
        let (one, others) = rest.split_at_checked(5 + len(&head[3..5]))?;
        if head[0] == H264 {
            pictures.push(u16::from(head[1] & 0x1f) << 8 | u16::from(head[2]));
        } else {
            kept.extend_from_slice(one);
        }
        rest = others;
    }
    if pictures.is_empty() {
        return None;
    }
    // A section's length counts what comes after it, with the checksum.
    let [high, low] = u16::try_from(kept.len() + 4 - 3).ok()?.to_be_bytes();
    (kept[1], kept[2]) = (kept[1] & 0xf0 | high, low);
    kept.extend_from_slice(&checksum(&kept).to_be_bytes());
    let mut out = [0xff; PACKET];
    out[..5].copy_from_slice(&packet[..5]);
    out.get_mut(5..5 + kept.len())?.copy_from_slice(&kept);
    Some((out, pictures))
}

/// CRC-32 as tables of MPEG-TS have it (ISO/IEC 13818-1 annex A): of a section with its checksum it is 0.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |sum, byte| {
        let step = |sum: u32, _| if sum >> 31 == 0 { sum << 1 } else { sum << 1 ^ 0x04c1_1db7 };
        (0..8).fold(sum ^ u32::from(*byte) << 24, step)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A program map as ffmpeg writes it: H.264 on 256, which has the clock, and AAC on 257.
    fn map() -> [u8; PACKET] {
        let mut section = vec![0x02, 0xb0, 23, 0, 1, 0xc1, 0, 0, 0xe1, 0, 0xf0, 0];
        section.extend([H264, 0xe1, 0, 0xf0, 0]);
        section.extend([0x0f, 0xe1, 1, 0xf0, 0]);
        section.extend(checksum(&section).to_be_bytes());
        let mut packet = [0xff; PACKET];
        packet[..5].copy_from_slice(&[0x47, 0x50, 0, 0x13, 0]);
        packet[5..5 + section.len()].copy_from_slice(&section);
        packet
    }

    fn packet(pid: u16, clock: Option<u64>) -> [u8; PACKET] {
        let mut packet = [0xaa; PACKET];
        let [high, low] = pid.to_be_bytes();
        packet[..4].copy_from_slice(&[0x47, 0x40 | high, low, if clock.is_some() { 0x37 } else { 0x17 }]);
        if let Some(clock) = clock {
            packet[4..6].copy_from_slice(&[7, 0x50]);
            packet[6..10].copy_from_slice(&u32::try_from(clock >> 1).unwrap().to_be_bytes());
            packet[10] = if clock & 1 == 0 { 0x7e } else { 0xfe };
        }
        packet
    }

    fn pids(segment: &[u8]) -> Vec<u16> {
        segment.chunks(PACKET).map(|one| u16::from(one[1] & 0x1f) << 8 | u16::from(one[2])).collect()
    }

    #[test]
    fn the_map_names_the_sound_alone_and_its_checksum_is_right() {
        assert_eq!(checksum(&map()[5..31]), 0, "that of the map it is made from");
        let (map, pictures) = map_without_pictures(&map()).unwrap();
        assert_eq!(pictures, [256]);
        assert_eq!(map[..7], [0x47, 0x50, 0, 0x13, 0, 0x02, 0xb0]);
        assert_eq!(map[7], 18, "the length of the section");
        assert_eq!(map[13..22], [0xe1, 0, 0xf0, 0, 0x0f, 0xe1, 1, 0xf0, 0], "the clock stays where it was");
        assert_eq!(checksum(&map[5..26]), 0);
        assert!(map[26..].iter().all(|byte| *byte == 0xff));
    }

    #[test]
    fn the_pictures_clock_goes_on_without_the_pictures() {
        let all = [
            packet(0, None),
            map(),
            packet(256, Some(9_000)),
            packet(256, None),
            packet(257, None),
            // Too soon for another.
            packet(256, Some(9_000 + CLOCK_PAUSE - 1)),
            packet(256, Some(9_000 + CLOCK_PAUSE)),
            packet(257, None),
        ];
        let sound = without_pictures(&all.concat());
        assert_eq!(pids(&sound), [0, MAP_PID, 256, 257, 256, 257]);
        let clocks: Vec<_> = sound.chunks(PACKET).filter_map(clock).collect();
        assert_eq!(clocks, [9_000, 9_000 + CLOCK_PAUSE]);
        let only = &sound[2 * PACKET..3 * PACKET];
        assert_eq!((only[3] & 0x30, usize::from(only[4])), (0x20, PACKET - 5), "no payload in it");
        assert_eq!(sound[3 * PACKET..4 * PACKET], all[4], "the sound is what it was");
    }

    #[test]
    fn a_clock_that_wraps_is_no_clock_that_stands() {
        let all = [map(), packet(256, Some(CLOCK_BASE - 10)), packet(256, Some(CLOCK_PAUSE))];
        assert_eq!(without_pictures(&all.concat()).len(), 3 * PACKET);
    }

    #[test]
    fn what_has_no_picture_stays_as_it_is() {
        let all = [packet(0, None), packet(257, Some(5)), packet(257, None)].concat();
        assert_eq!(without_pictures(&all), all);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange_to_be_looked_at(
            mut bytes in prop::collection::vec(any::<u8>(), 0..4 * PACKET), is_map in any::<bool>(),
        ) {
            if is_map && bytes.len() > 5 {
                bytes[..5].copy_from_slice(&map()[..5]);
            }
            prop_assert!(without_pictures(&bytes).len() <= bytes.len());
        }
    }
}
