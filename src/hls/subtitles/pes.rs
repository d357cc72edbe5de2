//! The timestamp of a segment's first frame. Pure.

/// The length of a packet.
pub(super) const PACKET: usize = 188;

/// How many packets are looked at: the tables and the head of the first frame stand in the first few.
pub(super) const PACKETS_MAX: usize = 64;

/// Returns the presentation time of the first frame of a segment of MPEG-TS, in ticks of 90 kHz and 33 bits.
///
/// A segment begins with a frame that needs no other, and none is shown before it.
///
/// Source: ISO/IEC 13818-1 §2.4.3.2 (packets), §2.4.3.6 and §2.4.3.7 (PES).
pub(super) fn first_timestamp(segment: &[u8]) -> Option<u64> {
    segment.chunks_exact(PACKET).take(PACKETS_MAX).find_map(of_packet)
}

fn of_packet(packet: &[u8]) -> Option<u64> {
    let (begins, has_payload) = (packet[1] & 0x40 != 0, packet[3] & 0x10 != 0);
    if packet[0] != 0x47 || !begins || !has_payload {
        return None;
    }
    let skipped = if packet[3] & 0x20 == 0 { 0 } else { 1 + usize::from(packet[4]) };
    let [0, 0, 1, 0xe0..=0xef, _, _, _, flags, _, time @ ..] = packet.get(4 + skipped..)? else { return None };
    if flags & 0x80 == 0 {
        return None;
    }
    // Three, fifteen and fifteen bits, each with a mark after them.
    let [head, middle @ .., low] = time.first_chunk::<5>()?.map(u64::from);
    let [upper, lower, next] = middle;
    Some((head >> 1 & 7) << 30 | upper << 22 | (lower >> 1) << 15 | next << 7 | low >> 1)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns a packet that begins a frame shown at a time, as ffmpeg writes it: with a clock before it.
    pub(in crate::hls::subtitles) fn frame(time: u64) -> [u8; PACKET] {
        let mut packet = [0xff; PACKET];
        packet[..5].copy_from_slice(&[0x47, 0x41, 0x00, 0x30, 7]);
        let part = |shift: u32, bits: u64| u8::try_from(time >> shift & bits).unwrap();
        let marked = |bits: u8| bits << 1 | 1;
        let written =
            [0x20 | marked(part(30, 7)), part(22, 255), marked(part(15, 127)), part(7, 255), marked(part(0, 127))];
        let head = [[0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5].as_slice(), &written].concat();
        packet[12..26].copy_from_slice(&head);
        packet
    }

    #[test]
    fn tables_and_sound_before_the_first_frame_are_passed_over() {
        let table = {
            let mut packet = [0xff; PACKET];
            packet[..5].copy_from_slice(&[0x47, 0x40, 0x00, 0x10, 0]);
            packet
        };
        let mut sound = frame(1);
        sound[15] = 0xc0;
        assert_eq!(first_timestamp(&[table, sound, frame(126_000), frame(7)].concat()), Some(126_000));
        assert_eq!(first_timestamp(&table), None);
        assert_eq!(first_timestamp(b"G"), None);
    }

    proptest! {
        #[test]
        fn every_time_is_read_as_it_is_written(time in 0_u64..1 << 33) {
            prop_assert_eq!(first_timestamp(&frame(time)), Some(time));
        }

        #[test]
        fn no_bytes_are_too_strange_to_be_looked_at(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Some(first) = bytes.first_mut() {
                *first = 0x47;
            }
            let _any = first_timestamp(&bytes);
        }
    }
}
