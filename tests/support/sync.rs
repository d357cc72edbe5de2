//! Flash and beep: clips in which a white flash and a tone begin at the same instant, and the measurement of how far
//! apart the two are after whatever was done to them.
#![expect(clippy::disallowed_methods, reason = "tests start programs and read what they wrote")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use super::ffmpegs::Ffmpeg;
use super::media::{file, run};

/// How the clip's streams are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codecs {
    /// The usual.
    H264Aac,
    /// HEVC in 8 bits with AAC.
    HevcAac,
    /// VP9 with Opus (48 kHz only). Written by ffmpeg 5.1 the beep is 6.5 ms early from birth: the picture is moved by
    /// the time Opus needs to get going, the sound is not.
    Vp9Opus,
    /// MPEG-2 with MP2.
    Mpeg2Mp2,
    /// MPEG-4 part 2 with MP3, as in old AVI files. AVI counts frames, so a clip written as `.avi` is up to a frame and a
    /// half out of step from birth (30 ms at 25 frames a second): measure the source before judging what came of it.
    Mpeg4Mp3,
}

/// What a flash-and-beep clip is like. Its container is chosen by the name it is written to.
#[derive(Clone, Debug, PartialEq)]
pub struct FlashBeep {
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Frame rate as a fraction.
    pub fps: (u32, u32),
    /// How many flashes: one every round(fps) frames, that is a second but for fractional rates. The clip ends half a
    /// period after the last, as it begins half a period before the first.
    pub flashes: u32,
    /// Samples a second.
    pub sample_rate: u32,
    /// 1, 2 or 6 channels.
    pub channels: u32,
    /// How the streams are encoded.
    pub codecs: Codecs,
    /// B-frames between two references; H.264 and HEVC only.
    pub b_frames: u32,
    /// Frames of a GOP, at most.
    pub gop: u32,
    /// How much later than the flash the beep is made, in milliseconds; negative for earlier.
    pub beep_late_ms: i32,
}

impl Default for FlashBeep {
    /// A small clip of six seconds with nothing unusual.
    fn default() -> Self {
        Self {
            size: (160, 90),
            fps: (25, 1),
            flashes: 6,
            sample_rate: 48_000,
            channels: 2,
            codecs: Codecs::H264Aac,
            b_frames: 2,
            gop: 50,
            beep_late_ms: 0,
        }
    }
}

impl FlashBeep {
    /// Frames from flash to flash.
    fn period_frames(&self) -> u32 {
        (self.fps.0 + self.fps.1 / 2) / self.fps.1
    }

    /// Seconds from flash to flash.
    pub fn period_secs(&self) -> f64 {
        f64::from(self.period_frames()) * f64::from(self.fps.1) / f64::from(self.fps.0)
    }

    /// When the flashes begin, in seconds from the clip's first frame.
    pub fn flashes_at(&self) -> Vec<f64> {
        let frame = f64::from(self.fps.1) / f64::from(self.fps.0);
        let period = self.period_frames();
        (0..self.flashes).map(|nth| f64::from(nth * period + period / 2) * frame).collect()
    }

    /// Writes the clip.
    ///
    /// # Panics
    /// When ffmpeg cannot, with its last words.
    pub fn make(&self, ffmpeg: &Ffmpeg, path: &Path) {
        let (period, half) = (self.period_frames(), self.period_frames() / 2);
        let secs = self.period_secs() * f64::from(self.flashes);
        let picture = format!(
            "color=c=0x202020:s={}x{}:r={}/{}:d={secs:.6},\
             drawbox=w=iw:h=ih:c=white:t=fill:enable='between(mod(n,{period}),{half},{})',format=yuv420p",
            self.size.0,
            self.size.1,
            self.fps.0,
            self.fps.1,
            half + 1,
        );
        // A microsecond early, so that the rounding of an exact instant never costs a whole period.
        let begin =
            f64::from(half) * f64::from(self.fps.1) / f64::from(self.fps.0) + f64::from(self.beep_late_ms) / 1e3;
        let within = format!("mod(t-{begin:.9}+0.000001,{:.9})", self.period_secs());
        let layout = match self.channels {
            1 => "mono",
            2 => "stereo",
            6 => "5.1",
            other => panic!("no layout of {other} channels"),
        };
        let wave = format!("if(lt({within},0.08),0.5*sin(2*PI*1000*{within}),0)");
        let waves = vec![wave; self.channels as usize].join("|");
        let sound = format!("aevalsrc='{waves}':c={layout}:s={}:d={secs:.6}", self.sample_rate);
        let mut command = Command::new(&ffmpeg.program);
        command.args(["-hide_banner", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", &picture]);
        command.args(["-f", "lavfi", "-i", &sound, "-map", "0:v", "-map", "1:a", "-g", &self.gop.to_string()]);
        run(command.args(self.encoders()).arg(file(path)));
    }

    fn encoders(&self) -> Vec<String> {
        let b_frames = self.b_frames.to_string();
        let hevc = format!("bframes={b_frames}:log-level=error");
        let words: &[&str] = match self.codecs {
            Codecs::H264Aac => &["-c:v", "libx264", "-preset", "ultrafast", "-bf", &b_frames, "-c:a", "aac"],
            Codecs::HevcAac => &["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", &hevc, "-c:a", "aac"],
            Codecs::Vp9Opus => &["-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime", "-c:a", "libopus"],
            Codecs::Mpeg2Mp2 => &["-c:v", "mpeg2video", "-q:v", "4", "-c:a", "mp2"],
            Codecs::Mpeg4Mp3 => &["-c:v", "mpeg4", "-q:v", "4", "-c:a", "libmp3lame"],
        };
        words.iter().map(|&word| word.to_owned()).collect()
    }
}

/// One flash and its beep, on the file's own clock.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::struct_field_names, reason = "it is the offset, and the unit must be told")]
pub struct Offset {
    /// When the flash's first frame is shown, in seconds.
    pub video_secs: f64,
    /// When the beep begins, in seconds.
    pub audio_secs: f64,
    /// How much later the beep is, in milliseconds; negative when it is earlier.
    pub offset_ms: f64,
}

/// What was found in a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Every flash that has a beep, in order.
    pub offsets: Vec<Offset>,
    /// Flashes without a beep within [`PAIR_SECS_MAX`], in seconds.
    pub flashes_alone: Vec<f64>,
    /// Beeps without a flash, in seconds.
    pub beeps_alone: Vec<f64>,
}

/// How far apart a flash and its beep may be: beyond half a period it would be another's.
pub const PAIR_SECS_MAX: f64 = 0.4;

/// Finds every flash and every beep and pairs them.
///
/// Times are those of the packets (`-copyts`), so both are on one clock however the streams begin. Resolution: one
/// frame for flashes, half a millisecond for beeps. Half an hour of 320x180 takes half a minute on
/// two busy cores.
///
/// # Panics
/// When ffmpeg cannot decode the file at all, or its timestamps jump back, as they do where a new on-air run begins:
/// each run is to be measured by itself.
pub fn measure(ffmpeg: &Ffmpeg, path: &Path) -> Measured {
    let flashes = flashes(ffmpeg, path);
    assert!(flashes.is_sorted(), "timestamps jump back in {}: measure each run by itself", path.display());
    pair(&flashes, &beeps(ffmpeg, path))
}

fn pair(flashes: &[f64], beeps: &[f64]) -> Measured {
    let mut measured = Measured::default();
    let mut rest = beeps.iter().copied().peekable();
    for &video_secs in flashes {
        while let Some(early) = rest.next_if(|beep| *beep < video_secs - PAIR_SECS_MAX) {
            measured.beeps_alone.push(early);
        }
        match rest.next_if(|beep| *beep <= video_secs + PAIR_SECS_MAX) {
            Some(audio_secs) => {
                let offset_ms = (audio_secs - video_secs) * 1e3;
                measured.offsets.push(Offset { video_secs, audio_secs, offset_ms });
            }
            None => measured.flashes_alone.push(video_secs),
        }
    }
    measured.beeps_alone.extend(rest);
    measured
}

/// Returns when the picture turns white, in seconds.
fn flashes(ffmpeg: &Ffmpeg, path: &Path) -> Vec<f64> {
    /// Luma between the background's and white: the brightest tenth of the picture counts, for a flash in a narrow
    /// picture between black bars is still a flash.
    const WHITE: f64 = 128.0;
    // Counted in ticks, for seconds are printed with six digits, which is too coarse after a few hours.
    let filter =
        "settb=1/90000,scale=64:36,format=gray,signalstats,metadata=mode=print:key=lavfi.signalstats.YHIGH:file=-";
    let mut command = Command::new(&ffmpeg.program);
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-copyts", "-i", &file(path), "-map", "0:v:0"]);
    command.args(["-vf", filter, "-fps_mode", "passthrough", "-f", "null", "-"]);
    let text = String::from_utf8(run(&mut command).stdout).expect("ffmpeg prints metadata in ASCII");
    let (mut found, mut time, mut was_white) = (Vec::new(), 0.0, false);
    for line in text.lines() {
        if let Some((_, value)) = line.split_once(" pts:") {
            let ticks = value.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
            time = ticks.expect("every frame has a time") / 90_000.0;
        } else if let Some(value) = line.strip_prefix("lavfi.signalstats.YHIGH=") {
            let white = value.parse::<f64>().expect("luma is a number") > WHITE;
            if white && !was_white {
                found.push(time);
            }
            was_white = white;
        }
    }
    found
}

/// Samples a second of the sound that is searched.
const RATE: u32 = 48_000;
/// Samples of one window, half a millisecond.
const WINDOW: usize = 24;

/// Returns when a tone begins after quiet, in seconds.
fn beeps(ffmpeg: &Ffmpeg, path: &Path) -> Vec<f64> {
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let times = folder.path().join("times.txt");
    let format = ["-map", "0:a:0", "-ac", "1", "-ar", "48000", "-c:a", "pcm_s16le", "-f"];
    let mut command = Command::new(&ffmpeg.program);
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-y", "-copyts", "-i", &file(path)]);
    command.args(format).args(["s16le", "pipe:1"]).args(format).args(["framecrc", &file(&times)]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let peaks = peaks(child.stdout.take().expect("stdout is piped"));
    let status = child.wait().expect("a child can be waited for");
    assert!(status.success(), "{command:?} ended with {status}");
    let times = std::fs::read_to_string(times).expect("ffmpeg wrote the times");
    let clock = SampleClock::read(&times);
    onsets(&peaks).into_iter().map(|window| clock.secs(window * WINDOW)).collect()
}

/// Returns the peak of every window, 0 to 32,768.
fn peaks(pcm: impl Read) -> Vec<u16> {
    let mut pcm = BufReader::with_capacity(1 << 16, pcm);
    let (mut peaks, mut peak, mut count) = (Vec::new(), 0, 0);
    while let Ok(chunk @ [_, ..]) = pcm.fill_buf() {
        // A pipe may give an odd number of bytes; the last one waits for its other half.
        if chunk.len() == 1 {
            let mut pair = [0; 2];
            if pcm.read_exact(&mut pair).is_err() {
                break;
            }
            tally(&pair, &mut peaks, &mut peak, &mut count);
            continue;
        }
        let even = chunk.len() & !1;
        tally(&chunk[..even], &mut peaks, &mut peak, &mut count);
        pcm.consume(even);
    }
    peaks
}

fn tally(bytes: &[u8], peaks: &mut Vec<u16>, peak: &mut u16, count: &mut usize) {
    for sample in bytes.chunks_exact(2) {
        *peak = (*peak).max(i16::from_le_bytes([sample[0], sample[1]]).unsigned_abs());
        *count += 1;
        if *count == WINDOW {
            peaks.push(std::mem::take(peak));
            *count = 0;
        }
    }
}

/// Returns the windows in which a tone begins.
fn onsets(peaks: &[u16]) -> Vec<usize> {
    /// Louder than this is a tone: 3 % of full scale, for loudness may have been turned down.
    const LOUD: u16 = 1_000;
    /// 200 ms of quiet end a tone.
    const QUIET: usize = 400;
    /// The tone's own peak is looked for in 40 ms, and its beginning from 20 ms before: codecs smear quiet echoes
    /// ahead of a tone, so it begins where a quarter of the peak is reached.
    const AHEAD: usize = 80;
    let mut found = Vec::new();
    let mut quiet = QUIET;
    for (window, &peak) in peaks.iter().enumerate() {
        if peak <= LOUD {
            quiet += 1;
            continue;
        }
        if quiet >= QUIET {
            let tone = &peaks[window..peaks.len().min(window + AHEAD)];
            let quarter = tone.iter().max().map_or(LOUD, |top| top / 4);
            found.push(window + tone.iter().position(|&peak| peak >= quarter).unwrap_or(0));
        }
        quiet = 0;
    }
    found
}

/// Which sample is heard when: (first sample, seconds) of every packet.
struct SampleClock(Vec<(usize, f64)>);

impl SampleClock {
    /// Reads ffmpeg's framecrc: `stream, dts, pts, duration, size, checksum`, with the time base in its head.
    fn read(text: &str) -> Self {
        let base = text.lines().find_map(|line| line.strip_prefix("#tb 0: ")).expect("framecrc tells its time base");
        let (num, den) = base.split_once('/').expect("a time base is a fraction");
        let tick = num.trim().parse::<f64>().expect("a number") / den.trim().parse::<f64>().expect("a number");
        let mut sample = 0;
        let mut packets = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split(',').map(str::trim).collect();
            let pts: f64 = fields[2].parse().expect("a pts is a number");
            let bytes: usize = fields[4].parse().expect("a size is a number");
            packets.push((sample, pts * tick));
            sample += bytes / 2;
        }
        Self(packets)
    }

    fn secs(&self, sample: usize) -> f64 {
        let after = self.0.partition_point(|&(first, _)| first <= sample);
        let (first, secs) = self.0[after.saturating_sub(1)];
        secs + f64::from(u32::try_from(sample - first).expect("a packet is short")) / f64::from(RATE)
    }
}
