//! The arguments with which ffprobe looks into a file nobody has checked, and what of it may be opened at all.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// The containers that may be opened: each holds its media itself.
///
/// Playlists and scripts (`hls`, `dash`, `concat`, `sdp`, `image2`), subtitles and pictures are absent on purpose: they
/// name other files or addresses, and ffmpeg recognises them by content, whatever the file is called.
pub const FORMAT_WHITELIST: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,ogg,\
                                    asf,asf_o,wtv,mxf,dv,nut";

/// The decoders that may be opened: those of cameras, discs, broadcasts and the web. Rare decoders of old games and
/// image formats are where most memory errors were found.
///
/// Pictures and subtitles are in it although they never air: ffprobe gives up on the whole file when it may not open
/// the decoder of any one stream.
pub const CODEC_WHITELIST: &str = "h264,hevc,vvc,av1,libdav1d,libaom-av1,vp8,vp9,libvpx,libvpx-vp9,mpeg1video,mpeg2video,\
mpeg4,msmpeg4v1,msmpeg4v2,msmpeg4,h263,h263p,h263i,flv,vp6,vp6f,vp6a,vc1,wmv1,wmv2,wmv3,theora,mjpeg,prores,dnxhd,dvvideo,\
rawvideo,v210,ffv1,huffyuv,ffvhuff,utvideo,qtrle,rpza,cinepak,svq1,svq3,indeo5,\
aac,aac_fixed,aac_latm,ac3,ac3_fixed,eac3,dca,truehd,mlp,mp1,mp1float,mp2,mp2float,mp3,mp3float,opus,libopus,vorbis,\
libvorbis,flac,alac,wmav1,wmav2,wmapro,wmalossless,wmavoice,speex,libspeex,nellymoser,amrnb,amrwb,adpcm_ms,adpcm_ima_wav,\
adpcm_ima_qt,adpcm_swf,adpcm_yamaha,gsm,gsm_ms,qdm2,mace3,mace6,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,\
pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_u8,pcm_s8,pcm_alaw,pcm_mulaw,pcm_bluray,pcm_dvd,s302m,\
png,bmp,gif,webp,tiff,\
srt,subrip,ass,ssa,mov_text,text,webvtt,dvbsub,dvdsub,pgssub,xsub,cc_dec,libzvbi_teletextdec,ttml";

/// How many streams a file may have; discs and broadcasts have up to fifty.
const STREAMS_MAX: &str = "100";

/// How many microseconds of media are looked at to find every stream; broadcasts show a late audio stream within 5 s.
const ANALYZE_MICROSECONDS: &str = "10000000";

/// How many bytes are looked at to find every stream: 10 s at 40 Mbit/s.
const PROBE_BYTES: &str = "50000000";

/// How long looking into one file may take: a healthy file takes 0.1 s, a sleeping network disk some seconds.
pub const PROBE_TIME_MAX: Duration = Duration::from_secs(30);

/// How many bytes ffprobe may say: a hundred streams with long tags stay far below.
pub const PROBE_OUTPUT_MAX: u64 = 2 << 20;

/// Returns ffprobe's arguments for looking into one file: JSON on stdout, errors on stderr.
///
/// The `file:` in front makes any name a name: one that begins with a dash is no option and `concat:` no protocol.
#[must_use]
pub fn probe_args(path: &Path) -> Vec<OsString> {
    let mut args: Vec<OsString> = Vec::new();
    let mut add = |items: &[&str]| args.extend(items.iter().map(OsString::from));
    add(&["-hide_banner", "-v", "error"]);
    // Nothing that the file names may be opened but files, and by the next line nothing names files.
    add(&["-protocol_whitelist", "file"]);
    add(&["-format_whitelist", FORMAT_WHITELIST]);
    add(&["-codec_whitelist", CODEC_WHITELIST]);
    add(&["-max_streams", STREAMS_MAX]);
    add(&["-analyzeduration", ANALYZE_MICROSECONDS, "-probesize", PROBE_BYTES]);
    // Many decoder threads would take more address space than a probe may; none of them decodes anything.
    add(&["-threads", "1"]);
    add(&["-of", "json", "-show_format", "-show_streams", "-i"]);
    let mut input = OsString::from("file:");
    input.push(path);
    args.push(input);
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_an_option_or_a_protocol() {
        for name in ["-y", "concat:a|b", "http://x/a.mp4", "a b.mp4"] {
            let args = probe_args(Path::new(name));
            assert_eq!(args.last().unwrap(), format!("file:{name}").as_str());
        }
    }

    #[test]
    fn nothing_that_names_other_files_may_be_opened() {
        let formats: Vec<_> = FORMAT_WHITELIST.split(',').collect();
        for format in ["hls", "dash", "concat", "sdp", "image2", "lavfi", "tty", "srt", "imf", "webm_dash_manifest"] {
            assert!(!formats.contains(&format), "{format}");
        }
        assert!(!FORMAT_WHITELIST.contains(' ') && !CODEC_WHITELIST.contains(' '), "a blank hides the name after it");
    }
}
