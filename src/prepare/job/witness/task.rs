//! Sees all of a mezzanine, as it grows or when it is whole: an ffprobe lists its packets, piece by piece; it is read once
//! for its checksums and for the ffmpeg that decodes its sound.
#![expect(clippy::disallowed_methods, reason = "reads the mezzanine that is made")]

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::ChildStdin;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::ffmpeg::check_args as args;
use crate::ffmpeg::child::{ChildSpec, Limits, Role};
use crate::ffmpeg::extent::{Extent, PacketScan};
use crate::ffmpeg::family::Family;
use crate::ffmpeg::task as child;
use crate::prepare::annexb;
use crate::prepare::gop_index;
use crate::prepare::inspection::task as inspection;
use crate::prepare::job::scan::task::{read_to_end, scan_more};
use crate::prepare::job::task::interrupted;
use crate::prepare::job::{AttemptError, JobError, Tools};
use crate::prepare::mezzanine::Gop;

/// How long a mezzanine may still be looked through, once it is whole, before it is called unreadable.
const CHECK_LIMIT: Duration = Duration::from_mins(2);

/// How much a file must have grown to be looked through that far, in bytes: another ffprobe takes 0.06 s to begin.
const PIECE_BYTES: u64 = 128 << 20;

/// How much is read at once: whole packets of MPEG-TS, and no more than a processor's cache holds.
const READ_BYTES: usize = 188 * 2000;

/// How much is read before the decoder of the sound is given its part: a hundredth of it, and each gift wakes it.
const TURN_BYTES: u64 = PACKET_BYTES * 80_000;

/// A packet of MPEG-TS.
const PACKET_BYTES: u64 = 188;

/// What is known of a file that is being made.
#[derive(Clone, Debug, Default)]
pub(in crate::prepare) struct Known {
    /// Its GOPs that lie on the disk.
    pub(in crate::prepare) gops: Arc<[Gop]>,
    /// How many bytes lie there; a copy's GOPs are told last.
    pub(in crate::prepare) bytes: u64,
    /// Whether there will be no more.
    pub(in crate::prepare) is_whole: bool,
}

impl Known {
    fn end(&self) -> u64 {
        self.gops.last().map_or(0, |gop| gop.offset + u64::from(gop.len))
    }
}

/// What was seen of a whole file.
#[derive(Debug)]
pub(in crate::prepare) struct Seen {
    /// What the packets tell, for each picture with the sound; fewer where a picture has none.
    pub(in crate::prepare) extents: Vec<Extent>,
    /// The checksum of each GOP.
    pub(in crate::prepare) sums: Vec<u32>,
}

/// Sees a file.
#[derive(Debug)]
pub(in crate::prepare) struct Witness<'a> {
    /// The file.
    pub(in crate::prepare) ts: &'a Path,
    /// How many pictures it has.
    pub(in crate::prepare) pictures: usize,
    /// Whether its sound is decoded.
    pub(in crate::prepare) hears: bool,
    /// The programs.
    pub(in crate::prepare) tools: &'a Tools,
    /// The priority of those that look on while it is made.
    pub(in crate::prepare) nice: u8,
    /// Whose children they are.
    pub(in crate::prepare) family: &'a Family,
    /// Ends it.
    pub(in crate::prepare) token: &'a CancellationToken,
}

impl Witness<'_> {
    /// Sees the file as it becomes known, to its end. Where it is never told to be whole there is no more to be said than
    /// that it was given up.
    pub(in crate::prepare) async fn see(&self, known: &watch::Receiver<Known>) -> Result<Seen, AttemptError> {
        let (extents, sums) = tokio::join!(self.list(known.clone()), self.read(known.clone()));
        Ok(Seen { extents: extents?, sums: sums? })
    }

    /// Lists the packets. A GOP begins a piece as it begins a file: what ffprobe says of them is the same, whole or in
    /// pieces.
    async fn list(&self, mut known: watch::Receiver<Known>) -> Result<Vec<Extent>, AttemptError> {
        let pictures = u32::try_from(self.pictures).map_err(io::Error::other)?;
        // No format, for its timestamps are our own: none may jump.
        let mut scans: Vec<_> = (0..pictures).map(|picture| PacketScan::new(picture, Some(pictures), "")).collect();
        let mut listed = 0;
        loop {
            let now = next(&mut known, |now| now.is_whole || now.end() >= listed + PIECE_BYTES).await?;
            if now.end() > listed {
                // Whoever made it is done: now the machine is never too busy.
                let nice = if now.is_whole { 5 } else { self.nice };
                let args = args::packets_args(self.ts, listed, now.end());
                let spec = self.spec(&self.tools.ffprobe, args, Role::Probe, nice);
                let late = too_late(known.clone(), |_| CHECK_LIMIT);
                if !scan_more(&spec, &mut scans, late, self.token).await? {
                    return Err(JobError::Interrupted("the machine is too busy to check it".to_owned()).into());
                }
                listed = now.end();
            }
            if now.is_whole {
                return Ok(scans.into_iter().filter_map(|scan| scan.finish(true)).collect());
            }
        }
    }

    /// Reads it, and has its sound decoded on the way.
    async fn read(&self, known: watch::Receiver<Known>) -> Result<Vec<u32>, AttemptError> {
        if !self.hears {
            return self.sums(known, None).await;
        }
        let spec = self.spec(&self.tools.ffmpeg, args::sound_args(), Role::Prepare, self.nice);
        let (ffmpeg, lines, stdin) = child::spawn_fed(&spec).map_err(interrupted)?;
        let limit = |now: &Known| inspection::limit(now.gops.iter().map(|gop| gop.duration).sum());
        let heard = read_to_end((ffmpeg, lines), |_| {}, too_late(known.clone(), limit), self.token);
        let (sums, heard) = tokio::join!(self.sums(known, stdin), heard);
        let (sums, heard) = (sums?, heard?);
        match heard {
            Some(evidence) => inspection::decoded(&evidence, 0..=sums.len().saturating_sub(1)).and(Ok(sums)),
            None => Err(JobError::Interrupted("the machine is too busy to decode its sound".to_owned()).into()),
        }
    }

    /// Reads it, whole packets at a time, and feeds the one that decodes the sound. When that has ended its end tells why.
    async fn sums(
        &self,
        mut known: watch::Receiver<Known>,
        mut sound: Option<ChildStdin>,
    ) -> Result<Vec<u32>, AttemptError> {
        let mut reading = Reading { pictures: self.pictures, ..Reading::default() };
        loop {
            let now = next(&mut known, |now| now.is_whole || now.bytes >= reading.sums.read() + PACKET_BYTES).await?;
            let end = if now.is_whole { now.end() } else { now.bytes / PACKET_BYTES * PACKET_BYTES };
            while reading.sums.read() < end {
                let ts = self.ts.to_owned();
                let work = tokio::task::spawn_blocking(move || reading.go_on(end, &ts).map(|()| reading));
                reading = work.await.map_err(io::Error::other)??;
                if let Some(stdin) = &mut sound
                    && stdin.write_all(&reading.sound).await.is_err()
                {
                    sound = None;
                }
            }
            if now.is_whole {
                drop(sound.take());
                let work = tokio::task::spawn_blocking(move || reading.finish(&now.gops));
                return Ok(work.await.map_err(io::Error::other)??);
            }
        }
    }

    fn spec(&self, program: &Path, args: Vec<OsString>, role: Role, nice: u8) -> ChildSpec {
        let limits = Limits { nice, file_bytes: Limits::PROBE.file_bytes, ..Limits::PREPARE };
        ChildSpec { program: program.to_owned(), args, folder: None, role, limits, family: self.family.clone() }
    }
}

/// How far a file was read.
#[derive(Debug, Default)]
struct Reading {
    pictures: usize,
    file: Option<File>,
    sums: gop_index::Sums,
    bytes: Vec<u8>,
    /// What is no picture of what was read last.
    sound: Vec<u8>,
}

impl Reading {
    /// Reads on, as much as is one turn; blocking.
    fn go_on(&mut self, end: u64, ts: &Path) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::open(ts)?,
        };
        self.sound.clear();
        let turn = end.min(self.sums.read().saturating_add(TURN_BYTES));
        while self.sums.read() < turn {
            let len = READ_BYTES.min(usize::try_from(turn - self.sums.read()).unwrap_or(READ_BYTES));
            self.bytes.resize(len, 0);
            file.read_exact_at(&mut self.bytes, self.sums.read())?;
            self.sums.add(&self.bytes);
            annexb::without_pictures(&self.bytes, self.pictures, &mut self.sound);
        }
        self.file = Some(file);
        Ok(())
    }

    /// Returns the checksum of each GOP. One whose place among the tables was not found is read once more; blocking.
    fn finish(self, gops: &[Gop]) -> io::Result<Vec<u32>> {
        let again = |gop: &Gop| -> io::Result<u32> {
            let mut bytes = vec![0; gop.len as usize];
            let file = self.file.as_ref().ok_or(io::ErrorKind::UnexpectedEof)?;
            file.read_exact_at(&mut bytes, gop.offset)?;
            Ok(gop_index::sum(&bytes))
        };
        let sums = self.sums.of(gops);
        sums.iter().zip(gops).map(|(sum, gop)| sum.map_or_else(|| again(gop), Ok)).collect()
    }
}

/// What is to be said of a file that will never be whole: whoever made it knows why.
pub(in crate::prepare) fn given_up() -> AttemptError {
    JobError::Interrupted("it was given up".to_owned()).into()
}

/// Returns what is known once it is enough.
async fn next(
    known: &mut watch::Receiver<Known>,
    is_enough: impl FnMut(&Known) -> bool,
) -> Result<Known, AttemptError> {
    known.wait_for(is_enough).await.map(|now| now.clone()).map_err(|_| given_up())
}

/// Returns when a limit has passed since a file was whole, or given up.
async fn too_late(mut known: watch::Receiver<Known>, limit: impl Fn(&Known) -> Duration) {
    let _given_up = known.wait_for(|now| now.is_whole).await.is_err();
    let limit = limit(&known.borrow());
    tokio::time::sleep(limit).await;
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::prepare::trial::Chosen;
    use crate::prepare::verify::Flaw;

    const FILM: &str = "-v error -f lavfi -i testsrc2=s=320x180:r=25:d=6 -f lavfi -i sine=d=6:r=48000 -ac 2 -c:a aac \
        -c:v libx264 -preset ultrafast -g 25 -bf 2 -pix_fmt yuv420p -f hls -hls_time 0.05 -hls_list_size 0 \
        -hls_playlist_type vod -hls_flags single_file film.m3u8";

    /// Makes a film as preparing does; returns it and its GOPs.
    async fn film(folder: &Path) -> (PathBuf, Arc<[Gop]>) {
        let mut spec = ChildSpec::shell("");
        let args = FILM.split_whitespace().map(Into::into).collect();
        (spec.program, spec.args, spec.folder) = ("ffmpeg".into(), args, Some(folder.to_owned()));
        let made = child::run_to_end(&spec, Duration::from_mins(1), 1000, &CancellationToken::new()).await.unwrap();
        assert!(made.0.success(), "{}", made.0.stderr);
        let index = std::fs::read(folder.join("film.m3u8")).unwrap();
        (folder.join("film.ts"), gop_index::parse(&index).unwrap().into())
    }

    fn tools() -> Tools {
        let (ffmpeg, ffprobe) = ("ffmpeg".into(), "ffprobe".into());
        let encoder = Chosen::default();
        Tools { ffmpeg, ffprobe, can_tone_map: false, can_write_text: false, can_burn_text: false, encoder }
    }

    /// Goal: a file that is seen as it grows is seen as one that was whole from the beginning, to the last packet and bit.
    /// Method: a real film, its packets listed GOP by GOP and at once; seen while its length is told piece by piece.
    #[tokio::test]
    async fn what_is_seen_in_pieces_is_what_is_seen_of_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (ts, gops) = film(folder.path()).await;
        let (tools, family, token) = (tools(), Family::default(), CancellationToken::new());
        let witness =
            Witness { ts: &ts, pictures: 1, hears: true, tools: &tools, nice: 0, family: &family, token: &token };
        let mut scans = vec![PacketScan::new(0, Some(1), "")];
        for gop in &*gops {
            let args = args::packets_args(&ts, gop.offset, gop.offset + u64::from(gop.len));
            let spec = witness.spec(&tools.ffprobe, args, Role::Probe, 0);
            assert!(scan_more(&spec, &mut scans, std::future::pending(), &token).await.unwrap());
        }
        let pieces = scans.pop().unwrap().finish(true).unwrap();
        let (told, known) = watch::channel(Known::default());
        let tell = async {
            for bytes in [1, 188, 100_000] {
                told.send_replace(Known { bytes, ..Known::default() });
                tokio::task::yield_now().await;
            }
            told.send_replace(Known { gops: Arc::clone(&gops), bytes: 0, is_whole: true });
        };
        let (seen, ()) = tokio::join!(witness.see(&known), tell);
        let mut seen = seen.unwrap();
        let whole = seen.extents.pop().unwrap();
        assert_eq!((whole.gops.starts.len(), whole.video.packets), (gops.len(), 150));
        // The last piece begins later than the file; nobody asks when a mezzanine begins for ffmpeg.
        assert_eq!(Extent { container_start: whole.container_start, ..pieces }, whole);
        let bytes = std::fs::read(&ts).unwrap();
        let of = |gop: &Gop| gop_index::sum(&bytes[usize::try_from(gop.offset).unwrap()..][..gop.len as usize]);
        assert_eq!(seen.sums, gops.iter().map(of).collect::<Vec<_>>());
    }

    /// Goal: sound that cannot be decoded is found, and a file that is given up keeps nobody waiting. Method: the same film
    /// with its sound's bytes replaced; and one of which nothing is told but its first bytes.
    #[tokio::test]
    async fn damaged_sound_is_found_and_what_is_given_up_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let (ts, gops) = film(folder.path()).await;
        let (tools, family, token) = (tools(), Family::default(), CancellationToken::new());
        let witness =
            Witness { ts: &ts, pictures: 1, hears: true, tools: &tools, nice: 0, family: &family, token: &token };
        let mut bytes = std::fs::read(&ts).unwrap();
        let middle = bytes.len() / 2;
        for packet in bytes.chunks_mut(188).filter(|packet| packet[1..3] == [1, 1]).skip(40).take(20) {
            packet[100..].fill(0x5a);
        }
        std::fs::write(&ts, &bytes).unwrap();
        let (_told, known) = watch::channel(Known { gops: Arc::clone(&gops), bytes: 0, is_whole: true });
        let seen = witness.see(&known).await.unwrap_err();
        assert!(matches!(seen, AttemptError::Flaw(Flaw::Decode { .. })), "{seen}");
        let (told, known) = watch::channel(Known { gops: [].into(), bytes: middle as u64, is_whole: false });
        drop(told);
        let seen = witness.see(&known).await.unwrap_err();
        assert!(matches!(seen, AttemptError::Job(JobError::Interrupted(_))), "{seen}");
    }
}
