//! The packets by which tuners of the kind HDHomeRun are found: a question and an answer. Pure.
//!
//! A packet is a type and a length of two bytes each, values by tag, and a CRC-32 whose lowest byte comes first.

use super::DeviceId;

/// What asks.
pub const QUESTION: u16 = 2;
/// What answers.
const ANSWER: u16 = 3;

const TAG_DEVICE_TYPE: u8 = 0x01;
const TAG_DEVICE_ID: u8 = 0x02;
const TAG_TUNER_COUNT: u8 = 0x10;
const TAG_LINEUP_URL: u8 = 0x27;
const TAG_BASE_URL: u8 = 0x2a;
const TAG_SEVERAL_TYPES: u8 = 0x2d;

/// A device that tunes; another kind records.
const TUNER: u32 = 1;
/// Any type, any device.
const ANY: u32 = u32::MAX;

/// The longest question that is read, in bytes: real ones have twenty, or some more where they name several types.
pub const QUESTION_BYTES_MAX: usize = 512;

/// The longest answer, in bytes: what asks with a false sender's address gains nothing worth the trouble.
pub const ANSWER_BYTES_MAX: usize = 256;

/// Returns whether a packet asks for tuners, and for this one or any. What is not understood asks for nothing.
#[must_use]
pub fn asks_for(packet: &[u8], device: DeviceId) -> bool {
    question(packet).is_some_and(|asked| asked.tuner && (asked.device == ANY || asked.device == device.number()))
}

#[derive(Debug, PartialEq)]
struct Question {
    tuner: bool,
    device: u32,
}

fn question(packet: &[u8]) -> Option<Question> {
    if packet.len() > QUESTION_BYTES_MAX {
        return None;
    }
    let (covered, sum) = packet.split_last_chunk::<4>()?;
    if crc32fast::hash(covered) != u32::from_le_bytes(*sum) {
        return None;
    }
    let (kind, rest) = covered.split_first_chunk::<2>()?;
    let (len, mut values) = rest.split_first_chunk::<2>()?;
    if u16::from_be_bytes(*kind) != QUESTION || usize::from(u16::from_be_bytes(*len)) != values.len() {
        return None;
    }
    let is_tuner = |value: &[u8; 4]| matches!(u32::from_be_bytes(*value), TUNER | ANY);
    let (mut types, mut device) = (None, ANY);
    while !values.is_empty() {
        let (tag, value, rest) = next_value(values)?;
        values = rest;
        match (tag, value.as_chunks::<4>()) {
            (TAG_DEVICE_TYPE, ([one], [])) => types = Some(types.unwrap_or(false) || is_tuner(one)),
            (TAG_SEVERAL_TYPES, (several, [])) => types = Some(types.unwrap_or(false) || several.iter().any(is_tuner)),
            (TAG_DEVICE_ID, ([one], [])) => device = u32::from_be_bytes(*one),
            _ => {}
        }
    }
    Some(Question { tuner: types.unwrap_or(true), device })
}

/// Returns the first tag, its value, and what follows. A length above 127 has two bytes, seven bits in the first.
fn next_value(values: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = values.split_first()?;
    let (&short, rest) = rest.split_first()?;
    let (len, rest) = if short < 0x80 {
        (usize::from(short), rest)
    } else {
        let (&high, rest) = rest.split_first()?;
        (usize::from(short & 0x7f) | usize::from(high) << 7, rest)
    };
    let (value, rest) = rest.split_at_checked(len)?;
    Some((tag, value, rest))
}

/// Returns the answer of a tuner whose documents are below an address; none where that is longer than any of ours.
#[must_use]
pub fn answer(device: DeviceId, tuners: u8, address: &str) -> Option<Vec<u8>> {
    let lineup = format!("{address}/lineup.json");
    let mut values = Vec::new();
    for (tag, value) in [
        (TAG_DEVICE_TYPE, &TUNER.to_be_bytes()[..]),
        (TAG_DEVICE_ID, &device.number().to_be_bytes()),
        (TAG_TUNER_COUNT, &[tuners]),
        (TAG_BASE_URL, address.as_bytes()),
        (TAG_LINEUP_URL, lineup.as_bytes()),
    ] {
        values.extend([tag, u8::try_from(value.len()).ok().filter(|len| *len < 0x80)?]);
        values.extend(value);
    }
    sealed(ANSWER, &values).filter(|packet| packet.len() <= ANSWER_BYTES_MAX)
}

/// Returns a packet of a type with these values; none where they are longer than a packet can tell.
#[must_use]
pub fn sealed(kind: u16, values: &[u8]) -> Option<Vec<u8>> {
    let len = u16::try_from(values.len()).ok()?.to_be_bytes();
    let covered = [&kind.to_be_bytes()[..], &len, values].concat();
    let sum = crc32fast::hash(&covered).to_le_bytes();
    Some([covered, sum.to_vec()].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What libhdhomerun sends: any tuner, any device.
    const REAL: [u8; 20] = [0, 2, 0, 12, 1, 4, 0, 0, 0, 1, 2, 4, 0xff, 0xff, 0xff, 0xff, 0x4e, 0x50, 0x7f, 0x35];

    fn device() -> DeviceId {
        DeviceId::made_of(0x1234_5678)
    }

    fn asked(values: &[u8]) -> Vec<u8> {
        sealed(QUESTION, values).unwrap()
    }

    /// Goal: every app that asks for tuners is answered, and nobody else. Method: a table of packets.
    #[test]
    fn who_asks_for_tuners_is_understood() {
        let own = device().number().to_be_bytes();
        let with_id = |id: &[u8; 4]| [&[1, 4, 0, 0, 0, 1, 2, 4], &id[..]].concat();
        for (sentence, packet, expected) in [
            ("as the library of the maker asks", REAL.to_vec(), true),
            ("any type", asked(&[1, 4, 255, 255, 255, 255]), true),
            ("nothing said", asked(&[]), true),
            ("several types", asked(&[0x2d, 8, 0, 0, 0, 5, 0, 0, 0, 1]), true),
            ("this device", asked(&with_id(&own)), true),
            ("another device", asked(&with_id(&[1, 2, 3, 4])), false),
            ("recorders", asked(&[1, 4, 0, 0, 0, 5]), false),
            ("an unknown tag beside", asked(&[0x70, 1, 9, 1, 4, 0, 0, 0, 1]), true),
            ("a long unknown value", asked(&[&[0x70, 0x80, 1][..], &[0; 128], &[1, 4, 0, 0, 0, 5]].concat()), false),
            ("a value that ends early", asked(&[1, 4, 0, 0]), false),
            ("a length that ends early", asked(&[1, 0x80]), false),
            ("a wrong sum", [&REAL[..19], &[0]].concat(), false),
            ("cut", REAL[..19].to_vec(), false),
            ("something behind", [&REAL[..], &[0]].concat(), false),
            ("an answer", answer(device(), 2, "http://tv").unwrap(), false),
            ("nothing", Vec::new(), false),
            ("too long", asked(&[0; QUESTION_BYTES_MAX]), false),
        ] {
            assert_eq!(asks_for(&packet, device()), expected, "{sentence}: {packet:?}");
        }
    }

    #[test]
    fn an_answer_is_short_or_none() {
        let packet = answer(device(), 16, "http://192.168.100.100:65535").unwrap();
        assert!(packet.len() <= 110, "{}", packet.len());
        assert_eq!(answer(device(), 16, &"a".repeat(116)), None, "a lineup's address above 127 bytes");
    }

    proptest! {
        #[test]
        fn no_packet_is_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..600), values in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(!asks_for(&bytes, device()) || bytes.len() >= 8);
            let packet = asked(&values);
            let (asks, longer) = (asks_for(&packet, device()), [&packet[..], &[0]].concat());
            prop_assert!(!asks || !asks_for(&longer, device()), "only a whole packet asks");
        }
    }
}
