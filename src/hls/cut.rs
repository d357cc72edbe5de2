//! A segment with one of its pictures, or with none. Pure.
//!
//! Without any it is for radios and the weakest lines; of several, players want the one that suits theirs. The packets of the
//! other pictures go; the clock stays, since players set theirs by it and ffmpeg's muxer writes it into the packets of the
//! first picture: where that goes, each becomes one that holds nothing but the clock. The program map names only what is
//! left.

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
    keeping(segment, None)
}

/// Returns a segment of ffmpeg's MPEG-TS with this one of its pictures, counted from 0 in the order of the program map, and
/// without the others; what cannot be read stays as it is.
#[must_use]
pub fn with_picture(segment: &[u8], picture: usize) -> Bytes {
    keeping(segment, Some(picture))
}

fn keeping(segment: &[u8], kept: Option<usize>) -> Bytes {
    let mut out = BytesMut::with_capacity(segment.len() / 4);
    let (mut pictures, mut last) = (Vec::new(), None);
    for packet in segment.chunks_exact(PACKET) {
        let pid = u16::from(packet[1] & 0x1f) << 8 | u16::from(packet[2]);
        if pid == MAP_PID
            && let Some((map, removed)) = map_keeping(packet, kept)
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

/// Returns a program map (ISO/IEC 13818-1 §2.4.4.8) without its pictures but the one that is kept, and the streams of those
/// that went; none where none goes.
fn map_keeping(packet: &[u8], kept: Option<usize>) -> Option<([u8; PACKET], Vec<u16>)> {
    // One whole section that begins where the packet does.
    if packet[1] & 0x40 == 0 || packet[3] & 0x30 != 0x10 || packet[4] != 0 {
        return None;
    }
    let section = packet.get(5..)?;
    let len = |bytes: &[u8]| usize::from(bytes[0] & 0x0f) << 8 | usize::from(bytes[1]);
    let section = section.get(..3 + len(section.get(1..3)?))?;
    let (body, _checksum) = section.split_at_checked(section.len().checked_sub(4)?)?;
    let streams_at = 12 + len(body.get(10..12)?);
    let (mut left, mut gone, mut pictures) = (body.get(..streams_at)?.to_vec(), Vec::new(), 0..);
    let mut rest = body.get(streams_at..)?;
    while let Some(head) = rest.get(..5) {
        let (one, others) = rest.split_at_checked(5 + len(&head[3..5]))?;
        if head[0] == H264 && pictures.next() != kept {
            gone.push(u16::from(head[1] & 0x1f) << 8 | u16::from(head[2]));
        } else {
            left.extend_from_slice(one);
        }
        rest = others;
    }
    if gone.is_empty() {
        return None;
    }
    // A section's length counts what comes after it, with the checksum.
    let [high, low] = u16::try_from(left.len() + 4 - 3).ok()?.to_be_bytes();
    (left[1], left[2]) = (left[1] & 0xf0 | high, low);
    left.extend_from_slice(&checksum(&left).to_be_bytes());
    let mut out = [0xff; PACKET];
    out[..5].copy_from_slice(&packet[..5]);
    out.get_mut(5..5 + left.len())?.copy_from_slice(&left);
    Some((out, gone))
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
        let (map, pictures) = map_keeping(&map(), None).unwrap();
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

    /// A program map of several pictures, on 256 and up, which the sound follows.
    fn map_of(pictures: u16) -> [u8; PACKET] {
        let mut section = vec![0x02, 0xb0, 0, 0, 1, 0xc1, 0, 0, 0xe1, 0, 0xf0, 0];
        for pid in 256..256 + pictures {
            section.extend([H264, 0xe0 | pid.to_be_bytes()[0], pid.to_be_bytes()[1], 0xf0, 0]);
        }
        let sound = 256 + pictures;
        section.extend([0x0f, 0xe0 | sound.to_be_bytes()[0], sound.to_be_bytes()[1], 0xf0, 0]);
        section[2] = u8::try_from(section.len() + 4 - 3).unwrap();
        section.extend(checksum(&section).to_be_bytes());
        let mut packet = [0xff; PACKET];
        packet[..5].copy_from_slice(&[0x47, 0x50, 0, 0x13, 0]);
        packet[5..5 + section.len()].copy_from_slice(&section);
        packet
    }

    /// The streams that a program map names, each with its kind; its checksum must be right.
    fn named(packet: &[u8]) -> Vec<(u8, u16)> {
        let section = &packet[5..8 + usize::from(packet[7])];
        assert_eq!(checksum(section), 0, "the checksum of the map");
        let streams = section[12..section.len() - 4].chunks(5);
        streams.map(|one| (one[0], u16::from(one[1] & 0x1f) << 8 | u16::from(one[2]))).collect()
    }

    proptest! {
        /// Whichever of several pictures is kept: its packets and those of the sound are there, all of them, in their order and
        /// as they were, so their counters are unbroken; of the others nothing is, but for the clock; and the map says so.
        #[test]
        fn the_picture_that_is_kept_is_whole_and_alone(
            pictures in 1_u16..6,
            kept in prop::option::of(0_u16..6),
            sent in prop::collection::vec((0_u16..7, any::<bool>()), 0..200),
        ) {
            let kept = kept.filter(|kept| *kept < pictures);
            let (sound, mut counters, mut time) = (256 + pictures, [0_u8; 8], 0);
            let mut all = vec![packet(0, None), map_of(pictures)];
            for (stream, has_clock) in sent {
                let stream = stream % (pictures + 1);
                // The clock is in the first picture only.
                let clock = (has_clock && stream == 0).then(|| { time += 3_000; time });
                let mut one = packet(256 + stream, clock);
                let counter = &mut counters[usize::from(stream)];
                one[3] = one[3] & 0xf0 | *counter;
                *counter = (*counter + 1) & 0xf;
                all.push(one);
            }
            let segment = all.concat();
            let cut = match kept {
                Some(kept) => with_picture(&segment, usize::from(kept)),
                None => without_pictures(&segment),
            };
            let wanted = kept.map(|kept| 256 + kept);
            let mut expected: Vec<(u8, u16)> = wanted.iter().map(|pid| (H264, *pid)).collect();
            expected.push((0x0f, sound));
            prop_assert_eq!(named(&cut[PACKET..2 * PACKET]), expected);
            let of = |bytes: &[u8], pids: &[u16]| -> Vec<Vec<u8>> {
                let of_one = |one: &&[u8]| pids.contains(&(u16::from(one[1] & 0x1f) << 8 | u16::from(one[2])));
                bytes.chunks(PACKET).filter(of_one).map(<[u8]>::to_vec).collect()
            };
            let whole: Vec<u16> = wanted.into_iter().chain([0, sound]).collect();
            prop_assert_eq!(of(&cut, &whole), of(&segment, &whole));
            for other in cut.chunks(PACKET).filter(|one| of(one, &whole).is_empty() && of(one, &[MAP_PID]).is_empty()) {
                prop_assert!(clock(other).is_some() && other[3] & 0x10 == 0, "nothing but a clock");
            }
        }

        #[test]
        fn no_bytes_are_too_strange_to_be_looked_at(
            mut bytes in prop::collection::vec(any::<u8>(), 0..4 * PACKET), is_map in any::<bool>(),
        ) {
            if is_map && bytes.len() > 5 {
                bytes[..5].copy_from_slice(&map()[..5]);
            }
            prop_assert!(without_pictures(&bytes).len() <= bytes.len());
            prop_assert!(with_picture(&bytes, 1).len() <= bytes.len());
        }
    }
}
