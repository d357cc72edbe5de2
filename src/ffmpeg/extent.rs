//! ffprobe's packet lines → where picture and sound really begin and end, and how the picture's GOPs are made.
//!
//! Containers lie: a film cut in half still tells its whole length, and sound outlasts picture. The packets are the truth.

use crate::units::MediaTime;

/// A jump of timestamps larger than this is a fault of the file and no pause; ffmpeg repairs it in the same way
/// (`-dts_delta_threshold`, 10 s).
const JUMP: MediaTime = MediaTime::from_secs(10);

/// How long a packet of AAC lasts at 48,000 samples a second.
const AAC_PACKET: MediaTime = MediaTime(1920);

/// How far from its place a packet may begin, in ticks: containers that count milliseconds are not exact enough.
const PLACE_ROUNDING: u64 = 9;

/// What to show of a file so that [`PacketScan`] can read it.
pub const SHOW_ENTRIES: &str = "packet=stream_index,pts_time,dts_time,duration_time,size,flags:\
    stream=index,codec_name,codec_type,width,height,has_b_frames,color_space,sample_rate,channels:format=start_time";

/// What the packets of one stream tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Track {
    /// When the first packet is shown, in the container's time.
    pub first: MediaTime,
    /// When the last packet ends.
    pub end: MediaTime,
    /// How many packets there are.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether decoding times never go back.
    pub monotonic: bool,
    /// How many packets before the first are never heard: an encoder's priming.
    pub priming: u64,
    /// Whether each packet begins where a packet of AAC does that follows on the one before, at 48,000 samples a second,
    /// and none is passed over.
    pub seamless: bool,
}

impl Track {
    /// Returns how long the track lasts.
    #[must_use]
    pub fn length(&self) -> MediaTime {
        self.end - self.first
    }
}

/// How the picture's GOPs are made.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a finding of its own")]
pub struct GopShape {
    /// When each GOP's first frame is shown, in the container's time.
    pub starts: Vec<MediaTime>,
    /// The longest, from its first frame to the next GOP's.
    pub longest: MediaTime,
    /// Whether a frame is shown before the keyframe it follows: such a GOP needs the one before.
    pub open: bool,
    /// Whether the stream begins with something else than a keyframe.
    pub headless: bool,
    /// Whether all frames last equally long, within a tenth.
    pub constant_rate: bool,
    /// Whether there are frames that the container says must not be shown.
    pub discarded: bool,
    /// Whether there are packets the container calls damaged, or timestamps jump.
    pub damaged: bool,
}

/// What a stream section tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamLine {
    /// `h264`.
    pub codec: String,
    /// `video`, `audio` …
    pub kind: String,
    /// Width and height, or sample rate and channels.
    pub size: (u32, u32),
    /// By how many frames showing comes after decoding.
    pub reorder: u32,
    /// `bt709`, where known.
    pub color_space: Option<String>,
}

/// Where picture and sound really begin and end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extent {
    /// The picture.
    pub video: Track,
    /// The sound, where there is any.
    pub audio: Option<Track>,
    /// How the picture's GOPs are made.
    pub gops: GopShape,
    /// When the file begins for ffmpeg, which counts all times from there; none when the scan was not finished.
    pub container_start: Option<MediaTime>,
    /// The streams in the order of the file; empty when the scan was not finished.
    pub streams: Vec<StreamLine>,
    /// Whether every packet was seen.
    pub complete: bool,
}

/// Reads ffprobe's CSV lines (`-of csv`, [`SHOW_ENTRIES`]) one by one; memory grows only with the number of GOPs.
#[derive(Debug)]
pub struct PacketScan {
    video: Follow,
    audio: Option<Follow>,
    gops: GopShape,
    streams: Vec<StreamLine>,
    container_start: Option<MediaTime>,
    jumps: bool,
    offset: MediaTime,
    key: Option<MediaTime>,
    deltas: Option<(MediaTime, MediaTime)>,
}

#[derive(Debug, Default)]
struct Follow {
    index: u32,
    track: Option<Track>,
    /// Packets before the first that are never heard.
    priming: u64,
    next_dts: Option<MediaTime>,
    last_dts: Option<MediaTime>,
}

struct Packet<'a> {
    stream: u32,
    pts: Option<MediaTime>,
    dts: Option<MediaTime>,
    duration: Option<MediaTime>,
    size: u64,
    flags: &'a str,
}

impl PacketScan {
    /// More GOPs than this are not kept: a keyframe every frame, for five hours at 60 frames a second.
    pub const GOPS_MAX: usize = 1 << 20;
    /// Streams beyond this are not told: a file with more means harm.
    pub const STREAMS_MAX: usize = 256;

    /// Returns a scan of two streams; `jumps` for formats whose timestamps may jump (MPEG streams).
    #[must_use]
    pub fn new(video: u32, audio: Option<u32>, format: &str) -> Self {
        let follow = |index| Follow { index, ..Follow::default() };
        Self {
            video: follow(video),
            audio: audio.map(follow),
            gops: GopShape { constant_rate: true, ..GopShape::default() },
            streams: Vec::new(),
            container_start: None,
            jumps: matches!(format, "mpegts" | "mpeg" | "mpegvideo"),
            offset: MediaTime::ZERO,
            key: None,
            deltas: None,
        }
    }

    /// Takes one line; lines that mean nothing are passed over.
    pub fn feed(&mut self, line: &str) {
        let Some((section, rest)) = line.split_once(',') else { return };
        match section {
            "packet" => {
                if let Some(packet) = Packet::parse(rest) {
                    self.packet(&packet);
                }
            }
            "stream" => self.stream(rest),
            "format" => self.container_start = time(rest.split(',').next().unwrap_or_default()),
            _ => {}
        }
    }

    /// Returns what was seen; `complete` when every line was fed. None when there was no picture at all.
    #[must_use]
    pub fn finish(mut self, complete: bool) -> Option<Extent> {
        let video = self.video.track?;
        if let Some(key) = self.key {
            self.gops.longest = self.gops.longest.max(video.end - key);
        }
        if let Some((least, most)) = self.deltas {
            // Rounded timestamps (Matroska counts milliseconds) differ by up to two of them.
            self.gops.constant_rate &= (most - least).0.saturating_mul(10) <= most.0.max(1800);
        }
        Some(Extent {
            video,
            audio: self.audio.and_then(|audio| audio.track),
            gops: self.gops,
            container_start: self.container_start,
            streams: self.streams,
            complete,
        })
    }

    fn packet(&mut self, packet: &Packet<'_>) {
        let is_video = packet.stream == self.video.index;
        let follow = match &mut self.audio {
            _ if is_video => &mut self.video,
            Some(audio) if packet.stream == audio.index => audio,
            _ => return,
        };
        if packet.flags.contains('D') {
            // Never shown or heard: lead-in of an edit list, priming of an encoder.
            self.gops.discarded |= is_video;
            follow.passed_over();
            return;
        }
        self.gops.damaged |= is_video && packet.flags.contains('C');
        let Some(dts) = packet.dts.or(packet.pts) else {
            // AVI and damaged files: counted, but it cannot say when it is.
            follow.untimed(packet);
            self.gops.constant_rate &= !is_video;
            return;
        };
        if self.jumps
            && let Some(next) = follow.next_dts
            && (dts + self.offset - next).0.unsigned_abs() > JUMP.0.unsigned_abs()
        {
            self.offset = next - dts;
            self.gops.damaged = true;
        }
        let pts = packet.pts.unwrap_or(dts) + self.offset;
        // Matroska keeps no decoding times: ffprobe has none for the frames before the first that waits for another.
        let known = packet.dts.is_some() || follow.last_dts.is_some();
        let delta = follow.take(pts, known.then_some(dts + self.offset), packet);
        if is_video {
            self.picture(pts, packet.flags.contains('K'), delta);
        }
    }

    /// Follows the GOPs: `delta` is the time since the frame before, in decoding order.
    fn picture(&mut self, pts: MediaTime, is_key: bool, delta: Option<MediaTime>) {
        if let Some(delta) = delta {
            let (least, most) = self.deltas.unwrap_or((delta, delta));
            self.deltas = Some((least.min(delta), most.max(delta)));
        }
        if is_key {
            if let Some(key) = self.key {
                self.gops.longest = self.gops.longest.max(pts - key);
            }
            self.key = Some(pts);
            if self.gops.starts.len() < Self::GOPS_MAX {
                self.gops.starts.push(pts);
            }
        } else {
            match self.key {
                None => self.gops.headless = true,
                Some(key) => self.gops.open |= pts < key,
            }
        }
    }

    fn stream(&mut self, rest: &str) {
        // index,codec_name,codec_type, then width,height,has_b_frames,color_space or sample_rate,channels.
        let fields: Vec<&str> = rest.split(',').collect();
        let number = |at: usize| fields.get(at).and_then(|text| text.parse().ok()).unwrap_or(0);
        let text = |at: usize| fields.get(at).map_or_else(String::new, |text| (*text).to_owned());
        let color_space = fields.get(6).filter(|space| !matches!(**space, "unknown" | "" | "N/A"));
        // ffprobe tells the streams of an MPEG-TS twice: of its programme, and of the file. The index is what counts.
        let Some(index) = fields[0].parse::<usize>().ok().filter(|index| *index < Self::STREAMS_MAX) else { return };
        if self.streams.len() <= index {
            self.streams.resize(index + 1, StreamLine::default());
        }
        self.streams[index] = StreamLine {
            codec: text(1),
            kind: text(2),
            size: (number(3), number(4)),
            reorder: number(5),
            color_space: color_space.map(|space| (*space).to_owned()),
        };
    }
}

impl Follow {
    /// Takes a packet that is never shown or heard.
    fn passed_over(&mut self) {
        match &mut self.track {
            None => self.priming += 1,
            Some(track) => track.seamless = false,
        }
    }

    /// Returns the time since the packet before.
    fn take(&mut self, pts: MediaTime, dts: Option<MediaTime>, packet: &Packet<'_>) -> Option<MediaTime> {
        let delta = dts.zip(self.last_dts).map(|(dts, last)| dts - last);
        let duration = packet.duration.or(delta).unwrap_or_default().max(MediaTime::ZERO);
        let begun =
            Track { first: pts, end: pts, monotonic: true, priming: self.priming, seamless: true, ..Track::default() };
        let track = self.track.get_or_insert(begun);
        let place = AAC_PACKET.0.saturating_mul(i64::try_from(track.packets).unwrap_or(i64::MAX));
        track.seamless &= (pts - track.first).0.abs_diff(place) <= PLACE_ROUNDING;
        track.first = track.first.min(pts);
        track.end = track.end.max(pts + duration);
        track.packets += 1;
        // Both come from the file, which may claim any size.
        track.bytes = track.bytes.saturating_add(packet.size);
        track.monotonic &= delta.is_none_or(|delta| delta > MediaTime::ZERO);
        self.last_dts = dts.or(self.last_dts);
        self.next_dts = dts.map(|dts| dts + duration).or(self.next_dts);
        delta
    }

    fn untimed(&mut self, packet: &Packet<'_>) {
        if let Some(track) = &mut self.track {
            track.end += packet.duration.unwrap_or_default();
            track.packets += 1;
            track.monotonic = false;
            track.seamless = false;
        }
    }
}

impl<'a> Packet<'a> {
    fn parse(rest: &'a str) -> Option<Self> {
        let mut fields = rest.split(',');
        let stream = fields.next()?.parse().ok()?;
        let (pts, dts, duration) = (time(fields.next()?), time(fields.next()?), time(fields.next()?));
        let size = fields.next()?.parse().unwrap_or(0);
        Some(Self { stream, pts, dts, duration, size, flags: fields.next()? })
    }
}

/// Reads seconds with up to six decimals, bounded to thirty years so that sums cannot overflow.
fn time(text: &str) -> Option<MediaTime> {
    let secs: f64 = text.trim().parse().ok()?;
    (secs.is_finite() && secs.abs() < 1e9).then(|| MediaTime::from_secs_f64(secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(format: &str, lines: &str) -> Extent {
        let mut scan = PacketScan::new(0, Some(1), format);
        lines.lines().for_each(|line| scan.feed(line.trim()));
        scan.finish(true).unwrap()
    }

    fn secs(secs: f64) -> MediaTime {
        MediaTime::from_secs_f64(secs)
    }

    #[test]
    fn a_matroska_file_whose_first_frames_have_no_decoding_time_is_in_order() {
        let extent = scan(
            "matroska,webm",
            "packet,0,0.000000,N/A,0.033000,900,K_
             packet,0,0.100000,N/A,0.033000,300,__
             packet,0,0.033000,0.000000,0.033000,100,__
             packet,0,0.067000,0.033000,0.033000,100,__
             packet,0,0.200000,0.067000,0.033000,300,__",
        );
        assert!(extent.video.monotonic && extent.gops.constant_rate && !extent.gops.open);
        assert_eq!(extent.video.end, secs(0.233));
    }

    #[test]
    fn sizes_and_times_that_cannot_be_break_no_sum() {
        let huge = "packet,0,999999999,-999999999,999999999,18446744073709551615,K_\n\
                    packet,0,-999999999,999999999,999999999,18446744073709551615,__\n";
        for format in ["mpegts", "matroska,webm"] {
            assert_eq!(scan(format, huge).video.bytes, u64::MAX, "{format}");
        }
    }

    #[test]
    fn a_sound_is_seamless_where_packet_follows_packet() {
        let sound = |starts: &[&str], duration: &str| {
            let packets: Vec<_> =
                starts.iter().map(|start| format!("packet,1,{start},{start},{duration},300,K_")).collect();
            let lines = format!(
                "packet,0,0.0,0.0,0.04,900,K_\npacket,1,-0.021333,-0.021333,0.021333,258,KD\n{}",
                packets.join("\n")
            );
            let audio = scan("mov", &lines).audio.unwrap();
            (audio.priming, audio.seamless)
        };
        let duration = "0.021333";
        assert_eq!(sound(&["0.000000", "0.021333", "0.042667", "0.064000"], duration), (1, true));
        for (sentence, starts) in [
            ("a packet is missing", ["0.000000", "0.021333", "0.064000"]),
            ("one is there twice", ["0.000000", "0.021333", "0.021334"]),
            ("milliseconds", ["0.000", "0.021", "0.043"]),
            ("2,048 samples", ["0.000000", "0.042667", "0.085333"]),
        ] {
            assert_eq!(sound(&starts, duration), (1, false), "{sentence}");
        }
    }

    #[test]
    fn the_lines_of_a_real_mp4_are_read() {
        let extent = scan(
            "mov,mp4,m4a,3gp,3g2,mj2",
            "packet,0,0.000000,-0.066733,0.033367,4041,K_
             packet,0,0.100100,-0.033367,0.033367,1297,__
             packet,1,-0.023220,-0.023220,0.023220,258,KD,side_data,

             packet,0,0.033367,0.000000,0.033367,852,__
             packet,1,5.665669,5.665669,0.023220,192,K_
             packet,1,5.688889,5.688889,0.011111,186,K_
             stream,0,h264,video,320,180,2,unknown
             stream,1,aac,audio,44100,1
             format,0.000000",
        );
        assert_eq!((extent.video.first, extent.video.end), (secs(0.0), secs(0.133_467)));
        assert_eq!((extent.video.packets, extent.video.bytes, extent.video.monotonic), (3, 6190, true));
        assert_eq!(extent.audio.as_ref().map(|audio| audio.first), Some(secs(5.665_669)), "priming is not heard");
        assert_eq!(extent.container_start, Some(MediaTime::ZERO));
        assert_eq!((extent.streams[0].size, extent.streams[0].reorder), ((320, 180), 2));
        assert_eq!((extent.streams[0].color_space.as_deref(), extent.streams[1].size), (None, (44_100, 1)));
        assert!(extent.gops.constant_rate && !extent.gops.open && !extent.gops.headless);
    }

    #[test]
    fn gops_are_measured_from_keyframe_to_keyframe() {
        let lines = |third: &str| {
            format!("packet,0,1.0,1.0,1.0,9,K_\npacket,0,2.0,2.0,1.0,9,__\npacket,0,4.0,3.0,1.0,9,K_\n{third}")
        };
        let closed = scan("matroska,webm", &lines("packet,0,5.0,4.0,1.0,9,__"));
        assert_eq!((closed.gops.longest, closed.gops.open), (secs(3.0), false));
        assert_eq!(closed.gops.starts, [secs(1.0), secs(4.0)]);
        let open = scan("matroska,webm", &lines("packet,0,3.0,4.0,1.0,9,__"));
        assert!(open.gops.open, "a frame shown before its keyframe needs the GOP before");
    }

    #[test]
    fn faults_of_the_picture_are_told() {
        type Holds = fn(&Extent) -> bool;
        let table: [(&str, &str, Holds); 5] = [
            ("no keyframe first", "packet,0,0.0,0.0,0.04,9,__", |e| e.gops.headless),
            ("time goes back", "packet,0,1.0,1.0,0.04,9,K_\npacket,0,0.5,0.5,0.04,9,__", |e| !e.video.monotonic),
            (
                "uneven frames",
                "packet,0,0.0,0.0,0.04,9,K_\npacket,0,0.04,0.04,0.04,9,__\npacket,0,0.2,0.2,0.04,9,__",
                |e| !e.gops.constant_rate,
            ),
            ("hidden frames", "packet,0,0.0,0.0,0.04,9,KD\npacket,0,0.04,0.04,0.04,9,K_", |e| e.gops.discarded),
            ("damaged", "packet,0,0.0,0.0,0.04,9,KC", |e| e.gops.damaged),
        ];
        for (sentence, lines, holds) in table {
            assert!(holds(&scan("mov", lines)), "{sentence}");
        }
    }

    #[test]
    fn a_jump_in_a_broadcast_recording_is_closed() {
        let lines = "packet,0,1.0,1.0,1.0,9,K_\npacket,0,2.0,2.0,1.0,9,__\npacket,0,7200.0,7200.0,1.0,9,K_";
        assert_eq!(scan("mpegts", lines).video.end, secs(4.0));
        assert_eq!(scan("mov", lines).video.end, secs(7201.0), "a pause in a container with an index is a pause");
    }

    #[test]
    fn a_file_without_picture_has_no_extent() {
        let mut scan = PacketScan::new(0, None, "mov");
        for line in ["packet,1,0.0,0.0,0.02,9,K_", "packet,", "packet,x,1,2,3,4,5", "nonsense", ""] {
            scan.feed(line);
        }
        assert_eq!(scan.finish(true), None);
    }
}
