//! Stands between the on-air ffmpeg and the station's private listener, and spoils a chunk.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::support::ffmpegs;

/// What is done to the next chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoil {
    /// Half of it, and then silence.
    Half,
    /// Other bytes, as many.
    Garbage,
    /// The list says that it is twice as long.
    Duration,
}

/// The meddler; it lives as long as the test program.
#[derive(Clone, Debug)]
pub(crate) struct Meddler {
    next: Arc<Mutex<Option<Spoil>>>,
    port: u16,
}

/// One request, read whole.
struct Upload {
    path: String,
    body: Vec<u8>,
}

impl Meddler {
    /// Begins to listen.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let meddler = Self { next: Arc::default(), port: listener.local_addr().unwrap().port() };
        let own = meddler.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let own = own.clone();
                // A side that hangs up ends it, as it would end without a third between the two.
                std::thread::spawn(move || own.pass_on(&stream));
            }
        });
        meddler
    }

    /// Writes an ffmpeg that sends its chunks by way of the meddler: the station's port becomes part of the path.
    pub(crate) fn ffmpeg(&self, folder: &Path) -> PathBuf {
        let by_way = format!("http://127.0.0.1:{}/", self.port);
        let line = format!(
            "for word; do shift; case $word in http://127.0.0.1:*) word={by_way}${{word#http://127.0.0.1:}};; esac; \
             set -- \"$@\" \"$word\"; done"
        );
        ffmpegs::system().that(folder, &line)
    }

    /// Spoils the next chunk in this way.
    pub(crate) fn spoil(&self, how: Spoil) {
        *self.next.lock().unwrap() = Some(how);
    }

    /// Takes what is to be done if it is one of these.
    fn take(&self, ways: &[Spoil]) -> Option<Spoil> {
        self.next.lock().unwrap().take_if(|next| ways.contains(next))
    }

    fn pass_on(&self, from: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(from.try_clone().ok()?);
        let mut to: Option<BufReader<TcpStream>> = None;
        loop {
            let mut upload = read_upload(&mut reader)?;
            let (port, path) = upload.path.trim_start_matches('/').split_once('/')?;
            if to.is_none() {
                to = Some(BufReader::new(TcpStream::connect(("127.0.0.1", port.parse().ok()?)).ok()?));
            }
            let station = to.as_mut()?;
            let head = format!("PUT /{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", upload.body.len());
            let is_list = path.ends_with("/live.m3u8");
            let spoil = self.take(if is_list { &[Spoil::Duration] } else { &[Spoil::Half, Spoil::Garbage] });
            match spoil {
                Some(Spoil::Half) => {
                    station.get_mut().write_all(head.as_bytes()).ok()?;
                    station.get_mut().write_all(&upload.body[..upload.body.len() / 2]).ok()?;
                    station.get_mut().shutdown(Shutdown::Both).ok()?;
                    // ffmpeg hears no answer, as if the line were cut.
                    return from.shutdown(Shutdown::Both).ok();
                }
                Some(Spoil::Garbage) => upload.body.iter_mut().for_each(|byte| *byte ^= 0x5a),
                Some(Spoil::Duration) => upload.body = twice_as_long(&upload.body),
                None => {}
            }
            let head = format!("PUT /{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", upload.body.len());
            station.get_mut().write_all(head.as_bytes()).ok()?;
            station.get_mut().write_all(&upload.body).ok()?;
            let status = read_head(station)?;
            (&*from).write_all(format!("{}\r\nContent-Length: 0\r\n\r\n", status[0]).as_bytes()).ok()?;
        }
    }
}

/// The newest length in ffmpeg's list, doubled.
fn twice_as_long(list: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(list).into_owned();
    let Some((before, after)) = text.rsplit_once("#EXTINF:") else { return list.to_vec() };
    let (secs, rest) = after.split_once(',').unwrap();
    format!("{before}#EXTINF:{},{rest}", 2.0 * secs.parse::<f64>().unwrap()).into_bytes()
}

/// Reads the lines of a head up to the empty one.
fn read_head(reader: &mut impl BufRead) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => return Some(lines),
            words => lines.push(words.to_owned()),
        }
    }
}

/// Reads one request of ffmpeg's, which sends its body in pieces.
fn read_upload(reader: &mut impl BufRead) -> Option<Upload> {
    let head = read_head(reader)?;
    let path = head.first()?.split(' ').nth(1)?.to_owned();
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let len = usize::from_str_radix(line.trim(), 16).ok()?;
        let start = body.len();
        body.resize(start + len, 0);
        reader.read_exact(&mut body[start..]).ok()?;
        reader.read_line(&mut line).ok()?;
        if len == 0 {
            return Some(Upload { path, body });
        }
    }
}
