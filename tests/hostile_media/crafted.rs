//! Films made by hand to do harm: each is one known attack.

use std::path::Path;

use crate::mp4::{boxed, insert, set_after};
use crate::support::clips::{make, picture, tone};
use crate::support::films::X264;

/// A name's ending and what is in the file.
pub(crate) type Attack = (String, Vec<u8>);

/// Every attack but [`references`]; `folder` is for the films on the way.
pub(crate) fn attacks(folder: &Path, good: &Good<'_>) -> Vec<Attack> {
    let mut all = sizes_and_times(good);
    all.extend(depths());
    all.extend(bombs(folder));
    all
}

/// Films that are fine.
pub(crate) struct Good<'a> {
    pub(crate) plain: &'a [u8],
    pub(crate) fragments: &'a [u8],
    pub(crate) matroska: &'a [u8],
    pub(crate) transport: &'a [u8],
}

fn attack(name: &str, bytes: Vec<u8>) -> Attack {
    (name.to_owned(), bytes)
}

/// Numbers that cannot be.
fn sizes_and_times(good: &Good<'_>) -> Vec<Attack> {
    let huge = [0xff; 4];
    let plain = |kind: [u8; 4], at: usize, bytes: &[u8]| {
        let mut film = good.plain.to_vec();
        set_after(&mut film, kind, at, bytes);
        film
    };
    let time = |bytes: [u8; 8]| {
        let mut film = good.fragments.to_vec();
        set_after(&mut film, *b"tfdt", 4, &bytes);
        film
    };
    let edit = |duration: i64, start: i64| {
        let entry = [&[1, 0, 0, 0, 0, 0, 0, 1][..], &duration.to_be_bytes(), &start.to_be_bytes(), &[0, 1, 0, 0]];
        insert(good.plain, &[b"moov", b"trak"], &boxed(*b"edts", &boxed(*b"elst", &entry.concat())))
    };
    let mut cluster = good.matroska.to_vec();
    if let Some(at) = cluster.windows(4).position(|four| four == b"\x1f\x43\xb6\x75")
        && let Some(stamp) = cluster[at..].iter().position(|byte| *byte == 0xe7)
    {
        let (from, to) = (at + stamp, at + stamp + 10);
        cluster.splice(from..to, [0xe7, 0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    }
    let mut clock = good.transport.to_vec();
    for packet in
        clock.chunks_exact_mut(188).skip(40).step_by(3).filter(|packet| packet[3] & 0x20 != 0 && packet[4] > 7)
    {
        packet[6..12].fill(0xff);
    }
    vec![
        attack("65535 pixels.mp4", plain(*b"avc1", 24, &huge)),
        attack("no pixels.mp4", plain(*b"avc1", 24, &[0; 4])),
        attack("65535 pixels in the head.mp4", plain(*b"tkhd", 76, &huge)),
        attack("billions of frames.mp4", plain(*b"stts", 4, &[0x7f, 0xff, 0xff, 0xff])),
        attack("billions of frames in one run.mp4", plain(*b"stts", 8, &[0x7f, 0xff, 0xff, 0xff])),
        attack("frames that last for years.mp4", plain(*b"stts", 12, &[0x7f, 0xff, 0xff, 0xff])),
        attack("frames that last nothing.mp4", plain(*b"stts", 12, &[0; 4])),
        attack("billions of sizes.mp4", plain(*b"stsz", 8, &huge)),
        attack("frames of gigabytes.mp4", plain(*b"stsz", 4, &[0x7f, 0xff, 0xff, 0xff])),
        attack("billions of chunks.mp4", plain(*b"stco", 4, &huge)),
        attack("chunks of billions.mp4", plain(*b"stsc", 12, &huge)),
        attack("chunks elsewhere.mp4", plain(*b"stco", 8, &[0xff; 8])),
        attack("a clock of one tick.mp4", plain(*b"mvhd", 12, &[0, 0, 0, 1])),
        attack("a clock that stands.mp4", plain(*b"mvhd", 12, &[0; 4])),
        attack("a track whose clock stands.mp4", plain(*b"mdhd", 12, &[0; 4])),
        attack("a track of years.mp4", plain(*b"mdhd", 16, &huge)),
        attack("the end of time.mp4", time([0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
        attack("the beginning of time.mp4", time([0x80, 0, 0, 0, 0, 0, 0, 0])),
        attack("an edit from the end of time.mp4", edit(i64::MAX, i64::MAX)),
        attack("an edit from before time.mp4", edit(i64::MAX, i64::MIN)),
        attack("an edit of nothing.mp4", edit(0, 0)),
        attack("a cluster at the end of time.mkv", cluster),
        attack("a clock that jumps.ts", clock),
    ]
}

/// Films that name another file or an address.
pub(crate) fn references(good: &Good<'_>, target: &str) -> Vec<Attack> {
    let name = [target.as_bytes(), b"\0"].concat();
    let reference = |kind: [u8; 4]| {
        let entry = boxed(kind, &[&[0, 0, 0, 0][..], &name].concat());
        let table = boxed(*b"dref", &[&[0, 0, 0, 0, 0, 0, 0, 1][..], &entry].concat());
        insert(good.plain, &[b"moov", b"trak", b"mdia", b"minf", b"dinf"], &table)
    };
    // A QuickTime alias: the record's head, then the path by tags 18 (POSIX path) and 19 (volume).
    let mut alias = vec![0; 4 + 150];
    alias[8..10].copy_from_slice(&2_u16.to_be_bytes());
    for (tag, text) in [(2_u16, target), (18, target), (19, "/")] {
        alias.extend_from_slice(&tag.to_be_bytes());
        alias.extend_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
        alias.extend_from_slice(text.as_bytes());
        alias.extend(std::iter::repeat_n(0, text.len() % 2));
    }
    alias.extend_from_slice(&[0xff; 4]);
    let table = boxed(*b"dref", &[&[0, 0, 0, 0, 0, 0, 0, 1][..], &boxed(*b"alis", &alias)].concat());
    let alias = insert(good.plain, &[b"moov", b"trak", b"mdia", b"minf", b"dinf"], &table);
    let url = boxed(
        *b"rdrf",
        &[&[0, 0, 0, 0][..], b"url ", &(u32::try_from(name.len()).unwrap()).to_be_bytes(), &name].concat(),
    );
    let movie = boxed(*b"moov", &boxed(*b"rmra", &boxed(*b"rmda", &url)));
    // PrevFilename and NextFilename, in an Info element of its own at the end of the segment.
    let text = |id: [u8; 3]| [&id[..], &(0x4000 | u16::try_from(name.len()).unwrap()).to_be_bytes(), &name].concat();
    let info =
        [text([0x3c, 0x83, 0xab]), text([0x3e, 0x83, 0xbb]), [&b"\x3e\xb9\x23\x90"[..], &[7; 16]].concat()].concat();
    let info_len = u16::try_from(info.len()).unwrap() | 0x4000;
    let linked = [good.matroska, b"\x15\x49\xa9\x66", &info_len.to_be_bytes(), &info].concat();
    let head = [&b"\0\0\0\x14ftypqt  \0\0\0\0qt  "[..], &movie].concat();
    vec![
        attack("a reference to a file.mp4", reference(*b"url ")),
        attack("a reference by name.mp4", reference(*b"urn ")),
        attack("an alias.mov", alias),
        attack("only a reference.mov", head.clone()),
        attack("a reference before a film.mov", [&head, good.plain].concat()),
        attack("linked segments.mkv", linked),
    ]
}

/// Boxes in boxes in boxes.
fn depths() -> Vec<Attack> {
    let nested = |kinds: &[[u8; 4]], depth: usize| {
        let inner = |bytes: Vec<u8>, n: usize| boxed(kinds[n % kinds.len()], &bytes);
        // Inside out; each is copied, so the depth is bounded by patience.
        [b"\0\0\0\x14ftypisom\0\0\0\0isom".to_vec(), (0..depth).fold(Vec::new(), inner)].concat()
    };
    let mut open = vec![0x1a, 0x45, 0xdf, 0xa3, 0x8b, 0x42, 0x82, 0x88];
    open.extend_from_slice(b"matroska");
    open.extend_from_slice(b"\x18\x53\x80\x67\xff\x12\x54\xc3\x67\xff\x73\x73\xff");
    (0..50_000).for_each(|_| open.extend_from_slice(b"\x67\xc8\xff"));
    let riff = [&b"RIFF\xff\xff\xff\xffAVI "[..], &b"LIST\xff\xff\xff\x7fhdrl".repeat(20_000)].concat();
    vec![
        attack("deep moov.mp4", nested(&[*b"moov"], 3_000)),
        attack("deep trak.mp4", nested(&[*b"trak", *b"mdia", *b"minf", *b"stbl", *b"moov"], 3_000)),
        attack("deep meta.mp4", nested(&[*b"udta", *b"meta", *b"ilst", *b"moov"], 3_000)),
        attack("deep tags.mkv", open),
        attack("deep lists.avi", riff),
        attack("ten thousand tracks.mp4", {
            let tracks = boxed(*b"trak", &boxed(*b"mdia", &[])).repeat(10_000);
            [&b"\0\0\0\x14ftypisom\0\0\0\0isom"[..], &boxed(*b"moov", &tracks)].concat()
        }),
    ]
}

/// Little that becomes much.
fn bombs(folder: &Path) -> Vec<Attack> {
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    // A header of 200 MB in 250 kB, as QuickTime allows.
    let zeros = deflated_zeros(200 << 20);
    let size = u32::to_be_bytes(200 << 20);
    let compressed = [boxed(*b"dcom", b"zlib"), boxed(*b"cmvd", &[&size, &zeros[..]].concat())].concat();
    let header = boxed(*b"moov", &boxed(*b"cmov", &compressed));
    let small = format!("{} -c:v mjpeg -pix_fmt yuvj420p", picture("160x90", "10", 1.0));
    make(folder, "small.avi", &small);
    make(folder, "large.avi", "-f lavfi -i color=s=12000x12000:r=10:d=0.1 -c:v mjpeg -pix_fmt yuvj420p");
    std::fs::write(folder.join("list"), "ffconcat version 1.0\nfile small.avi\nfile large.avi\nfile small.avi\n")
        .unwrap();
    make(folder, "grows.mkv", "-f concat -safe 0 -i list -c copy");
    make(folder, "cover.png", "-f lavfi -i color=s=10000x10000 -frames:v 1");
    let film = format!("{} {} {X264} -g 10 -c:a aac", picture("160x90", "25", 1.4), tone(48_000, 1.4));
    make(folder, "cover.mkv", &format!("{film} -attach cover.png -metadata:s:t mimetype=image/png"));
    std::fs::write(folder.join("words.ass"), "[Script Info]\nScriptType: v4.00+\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,/etc/hostname\n[Fonts]\nfontname: /etc/hostname\n[Events]\nFormat: Start, End, Text\nDialogue: 0:00:00.00,0:00:01.00,{\\fn/etc/hostname}x\n").unwrap();
    let subtitles = "-map 0 -map 1 -map 2 -c:s ass -attach words.ass -metadata:s:t mimetype=application/x-truetype-font \
        -metadata:s:t filename=../../canary.ttf";
    make(
        folder,
        "fonts.mkv",
        &format!(
            "{} {} -i words.ass {X264} -g 10 -c:a aac {subtitles}",
            picture("160x90", "25", 1.4),
            tone(48_000, 1.4)
        ),
    );
    make(folder, "wide.mp4", &format!("-f lavfi -i color=s=8192x16:r=10:d=1.2 {X264}"));
    vec![
        attack("a header of 200 MB in little.mov", [&b"\0\0\0\x14ftypqt  \0\0\0\0qt  "[..], &header].concat()),
        attack("a picture that grows.mkv", read("grows.mkv")),
        attack("too large.avi", read("large.avi")),
        attack("a large cover.mkv", read("cover.mkv")),
        attack("fonts and subtitles.mkv", read("fonts.mkv")),
        attack("wide.mp4", read("wide.mp4")),
        attack("a picture.mp4", read("cover.png")),
    ]
}

/// A zlib stream of so many zeros: one literal and copies of 258 bytes, by the fixed codes of RFC 1951 §3.2.6.
fn deflated_zeros(count: usize) -> Vec<u8> {
    let mut bits: Vec<bool> = vec![true, true, false];
    bits.extend([false, false, true, true, false, false, false, false]);
    // Length 258 is code 285 (11000101), distance 1 is code 0 (00000).
    let copy = [true, true, false, false, false, true, false, true, false, false, false, false, false];
    (0..count.saturating_sub(1) / 258).for_each(|_| bits.extend(copy));
    bits.extend([false; 7]);
    let byte = |eight: &[bool]| eight.iter().enumerate().fold(0_u8, |byte, (n, bit)| byte | u8::from(*bit) << n);
    [vec![0x78, 0x9c], bits.chunks(8).map(byte).collect()].concat()
}
