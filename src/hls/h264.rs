//! An H.264 sequence parameter set → what a playlist tells of a picture: codec string, size, rate. Pure.
//!
//! Source: ITU-T H.264 §7.3.2.1.1 (sequence parameter set) and §E.1.1 (its usability information).

/// The largest side of a picture that is believed, in pixels: level 6.2 ends below.
const SIDE_MAX: u32 = 16_384;

/// What a sequence parameter set tells of its picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sps {
    /// `profile_idc`, the constraint flags and `level_idc`.
    pub codec: [u8; 3],
    /// Width of the picture in pixels, without what is cropped.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// Frames a second, where they are told.
    pub fps: Option<f64>,
}

impl Sps {
    /// Returns the name of the codec in a playlist (RFC 6381 §3.3): `avc1.64001f`.
    #[must_use]
    pub fn codec_name(&self) -> String {
        let [profile, constraints, level] = self.codec;
        format!("avc1.{profile:02x}{constraints:02x}{level:02x}")
    }

    /// Reads a NAL unit; none where it is no sequence parameter set that can be.
    #[must_use]
    pub fn read(nal: &[u8]) -> Option<Self> {
        let (header, rest) = nal.split_first()?;
        if header & 0x1f != 7 {
            return None;
        }
        let bytes = unescaped(rest);
        let codec = [*bytes.first()?, *bytes.get(1)?, *bytes.get(2)?];
        let mut bits = Bits { bytes: &bytes, at: 24 };
        bits.ue()?; // seq_parameter_set_id
        let chroma = if has_chroma_format(codec[0]) { chroma_format(&mut bits)? } else { 1 };
        bits.ue()?; // log2_max_frame_num_minus4
        order_count(&mut bits)?;
        bits.ue()?; // max_num_ref_frames
        bits.take(1)?; // gaps_in_frame_num_value_allowed_flag
        let (columns, rows) = (bits.ue()?.checked_add(1)?, bits.ue()?.checked_add(1)?);
        let frames_only = bits.take(1)?;
        if frames_only == 0 {
            bits.take(1)?; // mb_adaptive_frame_field_flag
        }
        bits.take(1)?; // direct_8x8_inference_flag
        let crop = if bits.take(1)? == 1 { [bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?] } else { [0; 4] };
        let fields = 2 - frames_only;
        // Table 6-1: chroma samples are halved in width for 4:2:0 and 4:2:2, in height for 4:2:0.
        let (unit_x, unit_y) = (if matches!(chroma, 1 | 2) { 2 } else { 1 }, if chroma == 1 { 2 } else { 1 });
        let side = |blocks: u32, [from, to]: [u32; 2], unit: u32| {
            let cropped = from.checked_add(to)?.checked_mul(unit)?;
            blocks.checked_mul(16)?.checked_sub(cropped).filter(|side| (1..=SIDE_MAX).contains(side))
        };
        let width = side(columns, [crop[0], crop[1]], unit_x)?;
        let height = side(rows.checked_mul(fields)?, [crop[2], crop[3]], unit_y * fields)?;
        let fps = if bits.take(1)? == 1 { frame_rate(&mut bits) } else { None };
        Some(Self { codec, width, height, fps })
    }
}

/// Whether a profile's parameter sets tell their chroma format (§7.3.2.1.1).
fn has_chroma_format(profile: u8) -> bool {
    matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135)
}

fn chroma_format(bits: &mut Bits<'_>) -> Option<u32> {
    let format = bits.ue()?;
    if format == 3 {
        bits.take(1)?; // separate_colour_plane_flag
    }
    bits.ue()?; // bit_depth_luma_minus8
    bits.ue()?; // bit_depth_chroma_minus8
    bits.take(1)?; // qpprime_y_zero_transform_bypass_flag
    if bits.take(1)? == 1 {
        for list in 0..if format == 3 { 12 } else { 8 } {
            if bits.take(1)? == 1 {
                scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Some(format)
}

/// §7.3.2.1.1.1
fn scaling_list(bits: &mut Bits<'_>, len: u32) -> Option<()> {
    let (mut last, mut next) = (8_i64, 8_i64);
    for _ in 0..len {
        if next != 0 {
            next = (last + bits.se()?).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Some(())
}

fn order_count(bits: &mut Bits<'_>) -> Option<()> {
    match bits.ue()? {
        0 => bits.ue().map(|_| ()), // log2_max_pic_order_cnt_lsb_minus4
        1 => {
            bits.take(1)?; // delta_pic_order_always_zero_flag
            bits.ue()?; // offset_for_non_ref_pic
            bits.ue()?; // offset_for_top_to_bottom_field
            let count = bits.ue().filter(|count| *count <= 255)?;
            (0..count).try_for_each(|_| bits.ue().map(|_| ()))
        }
        _ => Some(()),
    }
}

/// Reads the usability information up to the frame rate.
fn frame_rate(bits: &mut Bits<'_>) -> Option<f64> {
    const EXTENDED_SAR: u32 = 255;
    if bits.take(1)? == 1 && bits.take(8)? == EXTENDED_SAR {
        bits.take(32)?;
    }
    if bits.take(1)? == 1 {
        bits.take(1)?; // overscan_appropriate_flag
    }
    if bits.take(1)? == 1 {
        bits.take(4)?; // video_format, video_full_range_flag
        if bits.take(1)? == 1 {
            bits.take(24)?; // colour_primaries, transfer_characteristics, matrix_coefficients
        }
    }
    if bits.take(1)? == 1 {
        bits.ue()?; // chroma_sample_loc_type_top_field
        bits.ue()?; // chroma_sample_loc_type_bottom_field
    }
    if bits.take(1)? == 0 {
        return None;
    }
    let (units, scale) = (bits.take(32)?, bits.take(32)?);
    // Two ticks a frame (§E.2.1).
    let fps = f64::from(scale) / (2.0 * f64::from(units));
    (1.0..=300.0).contains(&fps).then_some(fps)
}

/// Returns the bytes of a NAL unit without the ones that keep start codes out of it (§7.4.1).
fn unescaped(nal: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(nal.len());
    let mut zeros = 0;
    for &byte in nal {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        bytes.push(byte);
    }
    bytes
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// Returns the next bits as a number, 32 at most.
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0_u32;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    /// Returns an Exp-Golomb code (§9.1).
    fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let rest = self.take(zeros)?;
        (1_u32 << zeros).checked_sub(1)?.checked_add(rest)
    }

    /// Returns a signed one (§9.1.1).
    fn se(&mut self) -> Option<i64> {
        let code = i64::from(self.ue()?);
        Some(if code % 2 == 0 { -(code / 2) } else { (code + 1) / 2 })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn what_x264_writes_is_understood() {
        for (sentence, hex, codec, size, fps) in [
            ("720p", "6764001facd9405005bb016a020202800000030080000019078c18cb", "avc1.64001f", (1280, 720), 25.0),
            (
                "a small one at the rate of NTSC",
                "6764001eacd941419f9f016a020202800001f480007530078b16cb",
                "avc1.64001e",
                (320, 180),
                30_000.0 / 1001.0,
            ),
            (
                "1080p, cropped, main profile",
                "674d4028eca03c0113f2e02d40404050000003001000000303c0f1831960",
                "avc1.4d4028",
                (1920, 1080),
                30.0,
            ),
            (
                "baseline, of odd blocks",
                "6742c015da06c7f93c05a808080a000003000200000300601e2c5d40",
                "avc1.42c015",
                (426, 240),
                24.0,
            ),
            (
                "fields",
                "6764001eacd940d87bcde02d4040405000003e90000bb801f1429960",
                "avc1.64001e",
                (854, 480),
                24_000.0 / 1001.0,
            ),
        ] {
            let sps = Sps::read(&bytes(hex)).unwrap();
            assert_eq!((sps.codec_name().as_str(), (sps.width, sps.height)), (codec, size), "{sentence}");
            assert!((sps.fps.unwrap() - fps).abs() < 0.001, "{sentence}: {:?}", sps.fps);
        }
    }

    #[test]
    fn what_is_cut_short_or_something_else_is_not_believed() {
        let whole = bytes("6764001facd9405005bb016a020202800000030080000019078c18cb");
        assert!((0..6).all(|len| Sps::read(&whole[..len]).is_none()));
        assert_eq!(Sps::read(&[&[0x68], &whole[1..]].concat()), None, "a picture parameter set");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let nal = [&[0x67], &bytes[..]].concat();
            if let Some(sps) = Sps::read(&nal) {
                prop_assert!((1..=SIDE_MAX).contains(&sps.width) && (1..=SIDE_MAX).contains(&sps.height));
            }
        }
    }
}
