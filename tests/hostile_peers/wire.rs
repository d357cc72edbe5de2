//! Bytes to a station and what comes back, with no HTTP library between that would keep to the rules.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use super::ground::DEADLINE;
use crate::support::station::{Station, rest};

/// What a peer got.
#[derive(Debug, Default)]
pub struct Got {
    pub bytes: Vec<u8>,
    /// Whether the station closed the connection, in order or by a reset.
    pub closed: bool,
}

impl Got {
    /// The status of each answer that came, in order.
    pub fn statuses(&self) -> Vec<u16> {
        let text = String::from_utf8_lossy(&self.bytes);
        let after = |part: &str| part.get(..3).and_then(|code| code.parse().ok());
        ["HTTP/1.1 ", "HTTP/1.0 "].iter().flat_map(|version| text.split(version).skip(1)).filter_map(after).collect()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

pub fn connect(station: &Station) -> TcpStream {
    let stream = TcpStream::connect(&station.address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// A connection whose own side holds next to nothing, so that the station feels how slowly it reads.
pub fn connect_narrow(station: &Station) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&station.address.parse::<SocketAddr>().unwrap().into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Says something and reads until the station closes; where `close` is not expected, until an answer's end is there.
pub fn ask(station: &Station, said: &[u8], until: impl Fn(&[u8]) -> bool) -> Got {
    let mut stream = connect(station);
    // The station may refuse before it has heard everything.
    let _refused_early = stream.write_all(said);
    read_until(&mut stream, until)
}

/// Reads until the station closes or enough has come.
pub fn read_until(stream: &mut TcpStream, enough: impl Fn(&[u8]) -> bool) -> Got {
    let mut got = Got::default();
    let mut piece = vec![0; 65_536];
    while !enough(&got.bytes) {
        match stream.read(&mut piece) {
            Ok(0) => {
                got.closed = true;
                break;
            }
            Ok(read) => got.bytes.extend_from_slice(&piece[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
            Err(_) => {
                got.closed = true;
                break;
            }
        }
    }
    got
}

/// Never enough: until the station closes.
pub fn never(_: &[u8]) -> bool {
    false
}

/// Whether a whole answer without a body in pieces is there.
pub fn whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    bytes.len() >= head.len() + 4 + length.unwrap_or(0)
}

/// Takes so many bytes at each short rest until the station closes, `while_so` ends, or the deadline comes; returns how
/// many it took and whether the station closed.
pub fn drip(stream: &mut TcpStream, bytes: usize, while_so: impl Fn() -> bool) -> (usize, bool) {
    let deadline = Instant::now() + DEADLINE;
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut piece = vec![0; bytes];
    let mut taken = 0;
    while Instant::now() < deadline && while_so() {
        match stream.read(&mut piece) {
            Ok(0) => return (taken, true),
            Ok(read) => taken += read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return (taken, true),
        }
        rest();
    }
    (taken, false)
}
