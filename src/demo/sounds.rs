//! What the films sound like: one source graph each, stereo. Pure text; the pieces are data.
//!
//! Chords and bells are computed at 24 kHz, which is all that soft sounds need and half the work.

/// A piece: layers with their shares, what is done to the sum, and by how much it is turned down to about -22 LUFS.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// What sounds together.
    pub(super) layers: &'static [(Layer, f64)],
    /// Filters on the sum.
    pub(super) effects: &'static str,
    /// Gain in decibels, found by measuring.
    pub(super) gain_db: f64,
}

/// One layer of a piece. Notes are MIDI numbers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Layer {
    /// Chords that melt into each other over the whole length.
    Pad {
        /// The chords.
        chords: &'static [&'static [u8]],
        /// By how many hertz left and right differ.
        detune_hz: f64,
        /// The share of the octave above.
        bright: f64,
    },
    /// Single notes, one every so many seconds, on alternating sides.
    Bells {
        /// The notes.
        notes: &'static [u8],
        /// Seconds from one to the next.
        every_secs: f64,
        /// How fast they die away, in 1/s.
        decay: f64,
    },
    /// Wheels over rail joints.
    Rails,
    /// Coloured noise through filters.
    Noise {
        /// ffmpeg's name of the colour.
        colour: &'static str,
        /// The filters.
        through: &'static str,
    },
}

impl Piece {
    /// Returns the source graph of `secs` seconds.
    pub(super) fn graph(&self, secs: u32) -> String {
        let layers = self.layers.iter().enumerate();
        let sources = layers.map(|(n, (layer, share))| format!("{},volume={share}[a{n}];", layer.source(secs)));
        let sources = sources.collect::<Vec<_>>().concat();
        let count = self.layers.len();
        let inputs = (0..count).map(|n| format!("[a{n}]")).collect::<Vec<_>>().concat();
        let (effects, gain_db, out) = (self.effects, self.gain_db, f64::from(secs) - 1.5);
        format!(
            "{sources}{inputs}amix=inputs={count}:normalize=0,{effects},volume={gain_db}dB,alimiter=limit=0.7:level=0,\
             afade=in:d=1,afade=out:st={out}:d=1.5,aresample=48000,atrim=end={secs}"
        )
    }
}

impl Layer {
    fn source(&self, secs: u32) -> String {
        match *self {
            Self::Pad { chords, detune_hz, bright } => {
                let (left, right) = (pad(chords, secs, detune_hz, bright), pad(chords, secs, -detune_hz, bright));
                format!("aevalsrc='{left}|{right}':s=24000:d={secs}")
            }
            Self::Bells { notes, every_secs, decay } => {
                let left = bells(notes, every_secs, decay, 0.0, 3);
                let right = bells(notes, every_secs, decay, every_secs / 2.0, 2);
                format!("aevalsrc='{left}|{right}':s=24000:d={secs}")
            }
            Self::Rails => format!(
                "aevalsrc='0.7*(exp(-mod(t,1.54)*26)+exp(-mod(t+1.29,1.54)*26))*(sin(2*PI*t*82)+0.6*sin(2*PI*t*123))'\
                 :s=24000:d={secs},aformat=channel_layouts=stereo"
            ),
            Self::Noise { colour, through } => {
                format!("anoisesrc=c={colour}:r=24000:d={secs}:a=0.7:seed=11,{through},aformat=channel_layouts=stereo")
            }
        }
    }
}

/// Returns a MIDI note's frequency in hertz.
fn hertz(note: u8) -> f64 {
    440.0 * ((f64::from(note) - 69.0) / 12.0).exp2()
}

/// One side of a pad: each chord swells and fades over 1.7 steps, so that two sound at any moment.
fn pad(chords: &[&[u8]], secs: u32, detune_hz: f64, bright: f64) -> String {
    let secs = f64::from(secs);
    let mut terms = Vec::new();
    let mut start = 0.0;
    let step = secs / f64::from(u32::try_from(chords.len()).unwrap_or(1));
    for chord in chords {
        let (from, to) = (f64::max(0.0, start - 0.35 * step), f64::min(secs, start + 1.35 * step));
        let tone = |(n, note): (usize, &u8)| {
            let weight = if n == 0 { 1.3 } else { 1.0 };
            let off = if n % 2 == 1 { detune_hz } else { -detune_hz };
            let hertz = hertz(*note);
            format!("{weight}*(sin(2*PI*t*{:.3})+{bright}*sin(4*PI*t*{hertz:.3}))", hertz + off)
        };
        let tones = chord.iter().enumerate().map(tone).collect::<Vec<_>>().join("+");
        terms.push(format!(
            "if(between(t,{from:.2},{to:.2}),pow(sin(PI*(t-{from:.2})/{:.2}),1.5)*({tones})/{},0)",
            to - from,
            chord.len() + 1
        ));
        start += step;
    }
    terms.join("+")
}

/// One side of the bells: `stride` through the notes, so that the two sides do not walk together.
fn bells(notes: &[u8], every_secs: f64, decay: f64, offset_secs: f64, stride: usize) -> String {
    let count = notes.len();
    let clock = format!("t+{offset_secs}");
    let note = |(n, note): (usize, &u8)| {
        format!("eq(mod(floor(({clock})/{every_secs})*{stride},{count}),{n})*sin(2*PI*t*{:.3})", hertz(*note))
    };
    let notes = notes.iter().enumerate().map(note).collect::<Vec<_>>().join("+");
    format!("exp(-mod({clock},{every_secs})*{decay})*min(1,mod({clock},{every_secs})*40)*({notes})")
}

/// Wide chords and far bells.
pub(super) const AURORA: Piece = Piece {
    layers: &[
        (
            Layer::Pad {
                chords: &[&[45, 52, 57, 64, 71], &[41, 53, 57, 60, 67], &[48, 55, 60, 64, 71], &[43, 55, 59, 62, 69]],
                detune_hz: 0.25,
                bright: 0.25,
            },
            1.0,
        ),
        (Layer::Bells { notes: &[76, 79, 83, 86, 81], every_secs: 3.7, decay: 1.2 }, 0.1),
    ],
    effects: "tremolo=f=0.25:d=0.25,aecho=0.8:0.7:190|310|470:0.35|0.28|0.2,lowpass=f=3200",
    gain_db: -8.0,
};

/// Slow chords over far traffic.
pub(super) const CITY_WINDOWS: Piece = Piece {
    layers: &[
        (
            Layer::Pad {
                chords: &[&[50, 57, 60, 64, 69], &[46, 53, 57, 62, 65], &[43, 50, 58, 62, 65]],
                detune_hz: 0.25,
                bright: 0.35,
            },
            1.0,
        ),
        (Layer::Noise { colour: "brown", through: "lowpass=f=220" }, 0.45),
    ],
    effects: "tremolo=f=0.17:d=0.3,aecho=0.8:0.7:230|370:0.3|0.2,lowpass=f=2600",
    gain_db: -8.0,
};

/// A low hum that turns over.
pub(super) const LAVA: Piece = Piece {
    layers: &[(
        Layer::Pad { chords: &[&[38, 45, 50, 57], &[36, 43, 52, 55], &[41, 48, 53, 57]], detune_hz: 0.6, bright: 0.4 },
        1.0,
    )],
    effects: "tremolo=f=0.35:d=0.4,aphaser=speed=0.2:decay=0.4,lowpass=f=1200",
    gain_db: -2.0,
};

/// Rain, and a piano two rooms away.
pub(super) const RAIN_ON_GLASS: Piece = Piece {
    layers: &[
        (Layer::Noise { colour: "pink", through: "highpass=f=700,lowpass=f=7000" }, 0.35),
        (
            Layer::Pad {
                chords: &[&[53, 57, 60, 64], &[50, 57, 60, 65], &[48, 55, 59, 64]],
                detune_hz: 0.25,
                bright: 0.25,
            },
            0.8,
        ),
        (Layer::Bells { notes: &[72, 76, 79, 81, 84], every_secs: 2.9, decay: 1.6 }, 0.12),
    ],
    effects: "aecho=0.8:0.7:170|290:0.25|0.2",
    gain_db: -6.0,
};

/// Rolling, rail joints, and a chord.
pub(super) const NIGHT_TRAIN: Piece = Piece {
    layers: &[
        (Layer::Noise { colour: "brown", through: "lowpass=f=400,tremolo=f=2.6:d=0.35" }, 0.8),
        (Layer::Rails, 0.5),
        (
            Layer::Pad {
                chords: &[&[45, 52, 60, 64], &[41, 52, 57, 60], &[43, 50, 59, 62]],
                detune_hz: 0.25,
                bright: 0.25,
            },
            0.8,
        ),
    ],
    effects: "aecho=0.8:0.6:60|110:0.2|0.12,lowpass=f=2600",
    gain_db: -5.0,
};

/// Bells under water.
pub(super) const PLANKTON: Piece = Piece {
    layers: &[
        (
            Layer::Pad {
                chords: &[&[48, 55, 62, 64], &[45, 52, 60, 64], &[50, 57, 62, 65]],
                detune_hz: 0.25,
                bright: 0.25,
            },
            0.8,
        ),
        (Layer::Bells { notes: &[72, 74, 76, 79, 81], every_secs: 1.3, decay: 2.6 }, 0.24),
    ],
    effects: "aecho=0.8:0.6:260|520|780:0.4|0.3|0.2,lowpass=f=3500",
    gain_db: -9.0,
};

/// Wind in the trees, and a music box.
pub(super) const SLOW_SNOW: Piece = Piece {
    layers: &[
        (Layer::Noise { colour: "pink", through: "lowpass=f=520,tremolo=f=0.13:d=0.7" }, 0.4),
        (
            Layer::Pad {
                chords: &[&[52, 59, 64, 68], &[49, 56, 61, 64], &[45, 57, 61, 64]],
                detune_hz: 0.25,
                bright: 0.15,
            },
            0.9,
        ),
        (Layer::Bells { notes: &[76, 80, 83, 88, 85], every_secs: 2.4, decay: 1.5 }, 0.16),
    ],
    effects: "aecho=0.8:0.7:210|430:0.3|0.2",
    gain_db: -6.0,
};

/// Very low, very wide.
pub(super) const DEEP_FIELD: Piece = Piece {
    layers: &[
        (
            Layer::Pad {
                chords: &[&[36, 48, 55, 62, 67], &[39, 46, 55, 63, 67], &[34, 46, 53, 60, 65]],
                detune_hz: 0.4,
                bright: 0.3,
            },
            1.0,
        ),
        (Layer::Noise { colour: "brown", through: "lowpass=f=150" }, 0.4),
    ],
    effects: "tremolo=f=0.11:d=0.4,aecho=0.8:0.7:410|670|990:0.4|0.3|0.25,lowpass=f=2400",
    gain_db: -7.0,
};

/// Waves come in and go out.
pub(super) const TIDE: Piece = Piece {
    layers: &[
        (Layer::Noise { colour: "pink", through: "lowpass=f=1500,tremolo=f=0.16:d=0.85" }, 0.9),
        (
            Layer::Pad {
                chords: &[&[50, 57, 62, 66], &[47, 54, 62, 66], &[43, 55, 59, 62]],
                detune_hz: 0.25,
                bright: 0.25,
            },
            0.7,
        ),
    ],
    effects: "aecho=0.8:0.7:200|330:0.25|0.2",
    gain_db: -6.0,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_tuned_to_concert_pitch() {
        assert!((hertz(69) - 440.0).abs() < 1e-9);
        assert!((hertz(57) - 220.0).abs() < 1e-9);
    }

    #[test]
    fn a_piece_is_as_long_as_it_is_told_to_be() {
        let graph = TIDE.graph(25);
        assert!(graph.contains("d=25") && graph.ends_with("atrim=end=25"), "{graph}");
    }
}
