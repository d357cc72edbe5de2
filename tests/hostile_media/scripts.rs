//! Texts that pass for films and name something else: another file, an address, a device.

use std::path::Path;

/// What a script names.
pub(crate) fn targets(canary: &Path, port: &str) -> Vec<String> {
    let canary = canary.display();
    vec![
        format!("http://127.0.0.1:{port}/a.ts"),
        format!("https://127.0.0.1:{port}/a.ts"),
        format!("tcp://127.0.0.1:{port}"),
        format!("udp://127.0.0.1:{port}"),
        format!("rtp://127.0.0.1:{port}"),
        format!("rtsp://127.0.0.1:{port}/a"),
        format!("rtmp://127.0.0.1:{port}/a/b"),
        format!("hls+http://127.0.0.1:{port}/a.m3u8"),
        format!("ftp://127.0.0.1:{port}/a.ts"),
        "unix:/tmp/a.socket".to_owned(),
        format!("file:{canary}"),
        format!("{canary}"),
        "../outside/canary.ts".to_owned(),
        format!("concat:{canary}|{canary}"),
        format!("subfile,,start,0,end,0,,:{canary}"),
        format!("crypto:{canary}"),
        format!("async:{canary}"),
        format!("cache:{canary}"),
        "data:video/mp2t;base64,RwAAAA==".to_owned(),
        "/dev/zero".to_owned(),
        "/dev/stdin".to_owned(),
        "pipe:0".to_owned(),
        "fd:0".to_owned(),
        "/proc/self/environ".to_owned(),
    ]
}

/// Every kind of script ffmpeg or a player knows, each naming `target`: kind and text.
pub(crate) fn scripts(target: &str) -> Vec<(&'static str, String)> {
    let t = target;
    vec![
        ("hls", format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{t}\n#EXT-X-ENDLIST\n")),
        ("hls key", format!("#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"{t}\"\n#EXTINF:2,\n{t}\n#EXT-X-ENDLIST\n")),
        ("hls map", format!("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-MAP:URI=\"{t}\"\n#EXTINF:2,\n{t}\n#EXT-X-ENDLIST\n")),
        ("hls master", format!("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{t}\n")),
        ("concat", format!("ffconcat version 1.0\nfile '{t}'\nduration 2\n")),
        (
            "sdp",
            format!(
                "v=0\no=- 0 0 IN IP4 127.0.0.1\ns={t}\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=control:{t}\n"
            ),
        ),
        (
            "dash",
            format!(
                "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" mediaPresentationDuration=\"PT2S\"><Period><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\" bandwidth=\"1\"><BaseURL>{t}</BaseURL></Representation></AdaptationSet></Period></MPD>\n"
            ),
        ),
        (
            "imf",
            format!(
                "<?xml version=\"1.0\"?>\n<CompositionPlaylist xmlns=\"http://www.smpte-ra.org/schemas/2067-3/2016\"><Id>{t}</Id></CompositionPlaylist>\n"
            ),
        ),
        ("pls", format!("[playlist]\nFile1={t}\nNumberOfEntries=1\n")),
        ("asx", format!("<asx version=\"3.0\"><entry><ref href=\"{t}\"/></entry></asx>\n")),
        ("asf reference", format!("[Reference]\nRef1={t}\n")),
        ("rtsp text", format!("RTSPtext\r\n{t}\r\n")),
        ("smil", format!("<smil><body><video src=\"{t}\"/></body></smil>\n")),
        (
            "xspf",
            format!(
                "<?xml version=\"1.0\"?><playlist><trackList><track><location>{t}</location></track></trackList></playlist>\n"
            ),
        ),
        (
            "vobsub",
            format!(
                "# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\n# {t}\ntimestamp: 00:00:00:000, filepos: 000000000\n"
            ),
        ),
        ("avisynth", format!("AviSource(\"{t}\")\n")),
        ("lua", format!("vlc.msg.info(\"x\")\nfunction parse() return {{ {{ path = \"{t}\" }} }} end\n")),
        (
            "ass",
            format!(
                "[Script Info]\nScriptType: v4.00+\n[Fonts]\nfontname: {t}\n[Events]\nDialogue: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,{{\\fn{t}}}x\n"
            ),
        ),
        ("srt", format!("1\n00:00:00,000 --> 00:00:01,000\n<font face=\"{t}\">x</font>\n")),
        ("webvtt", format!("WEBVTT\n\nSTYLE\n::cue {{ background: url({t}) }}\n\n00:00.000 --> 00:01.000\nx\n")),
        ("metadata", format!(";FFMETADATA1\ntitle={t}\n")),
        ("filter", format!("movie={t}[out0]\n")),
        ("svg", format!("<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"{t}\"/></svg>\n")),
    ]
}

/// How a text hides that it is one.
pub(crate) fn disguises(text: &str) -> [(&'static str, Vec<u8>); 4] {
    let bytes = text.as_bytes();
    [
        ("plain", bytes.to_vec()),
        ("with a mark", [b"\xef\xbb\xbf", bytes].concat()),
        // Not a text for whoever looks at its bytes, and one for whoever looks at its lines.
        ("binary", [bytes, b"\0\n"].concat()),
        ("in a tail", [bytes, &[0xff; 2000]].concat()),
    ]
}
