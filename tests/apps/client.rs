//! A strict client of tuners of the kind HDHomeRun: reads a packet to its last byte, and believes nothing.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Where tuners are asked for.
const TUNERS: &str = "127.0.0.1:65001";

/// How long an answer may take on a busy machine.
const ANSWER_WAIT: Duration = Duration::from_secs(10);

/// How long nothing must come for it to be nothing.
const SILENCE: Duration = Duration::from_millis(300);

/// How many packets of MPEG-TS are played: the four seconds that a channel gives at once are more.
const TS_PACKETS: usize = 200;

/// Who asks for any tuner, as the library of the maker does.
const QUESTION: [u8; 12] = [1, 4, 0, 0, 0, 1, 2, 4, 255, 255, 255, 255];

/// A tuner that answered.
pub(crate) struct Tuner {
    /// Eight hexadecimal digits.
    pub(crate) device: String,
    pub(crate) tuners: u8,
    pub(crate) base: String,
    pub(crate) lineup: String,
}

/// CRC-32 as in Ethernet, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

fn question(values: &[u8]) -> Vec<u8> {
    let covered = [&[0, 2, 0, u8::try_from(values.len()).unwrap()][..], values].concat();
    let sum = crc(&covered).to_le_bytes();
    [covered, sum.to_vec()].concat()
}

fn asker(wait: Duration) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(TUNERS).unwrap();
    socket.set_read_timeout(Some(wait)).unwrap();
    socket
}

/// Asks for tuners and reads the answer.
pub(crate) fn discovered() -> Result<Tuner, String> {
    let socket = asker(ANSWER_WAIT);
    socket.send(&question(&QUESTION)).unwrap();
    let mut bytes = [0; 1500];
    let len = socket.recv(&mut bytes).map_err(|error| error.to_string())?;
    read(&bytes[..len])
}

fn read(packet: &[u8]) -> Result<Tuner, String> {
    let (covered, sum) = packet.split_last_chunk::<4>().ok_or("no sum")?;
    let [0, 3, high, low, values @ ..] = covered else { return Err(format!("no answer: {covered:?}")) };
    if crc(covered) != u32::from_le_bytes(*sum) || usize::from(*high) << 8 | usize::from(*low) != values.len() {
        return Err("its sum or its length is wrong".to_owned());
    }
    let (mut kind, mut device, mut tuners, mut base, mut lineup) = (None, None, None, None, None);
    let mut rest = values;
    while let [tag, len, following @ ..] = rest {
        let (value, next) = following.split_at_checked(usize::from(*len)).ok_or("a value ends early")?;
        let text = || String::from_utf8(value.to_vec()).map_err(|error| error.to_string());
        match tag {
            0x01 => kind = Some(value.to_vec()),
            0x02 => device = Some(<[u8; 4]>::try_from(value).map_err(|error| error.to_string())?),
            0x10 => tuners = value.first().copied(),
            0x27 => lineup = Some(text()?),
            0x2a => base = Some(text()?),
            other => return Err(format!("an unknown tag: {other}")),
        }
        rest = next;
    }
    if !rest.is_empty() || kind.as_deref() != Some(&[0, 0, 0, 1]) {
        return Err("something is left over, or it is no tuner".to_owned());
    }
    let device = device.map(u32::from_be_bytes).filter(|id| checks(*id)).ok_or("the device's number does not check")?;
    let device = format!("{device:08X}");
    let [base, lineup] = [base, lineup].map(|text| text.ok_or("an address is missing"));
    Ok(Tuner { device, tuners: tuners.ok_or("no count")?, base: base?, lineup: lineup? })
}

/// The check of a device's number, as libhdhomerun makes it.
fn checks(id: u32) -> bool {
    let table = [10, 5, 15, 6, 7, 12, 1, 11, 9, 2, 8, 13, 4, 3, 14, 0];
    let digit = |shift: u32| id >> shift & 15;
    let replaced = [28, 20, 12, 4].map(|shift| table[digit(shift) as usize]);
    let plain = [24, 16, 8, 0].map(digit);
    replaced.into_iter().chain(plain).fold(0, |sum, digit| sum ^ digit) == 0
}

/// Fails where what is no question is answered, or a flood of questions by as many answers; afterwards it answers as before.
pub(crate) fn nobody_is_answered_too_often_or_for_nothing() {
    let socket = asker(SILENCE);
    let mut wrong = question(&QUESTION);
    wrong[19] ^= 1;
    let recorder = question(&[1, 4, 0, 0, 0, 5]);
    for packet in [&b""[..], b"M-SEARCH * HTTP/1.1\r\n", &[0; 1400], &wrong, &recorder] {
        socket.send(packet).unwrap();
        assert!(socket.recv(&mut [0; 1500]).is_err(), "{packet:?} was answered");
    }
    let (begun, asked) = (Instant::now(), question(&QUESTION));
    (0..400).for_each(|_| drop(socket.send(&asked)));
    let (mut answers, mut bytes) = (0_u32, [0; 1500]);
    while let Ok(len) = socket.recv(&mut bytes) {
        assert!(len <= 256, "an answer of {len} bytes");
        answers += 1;
    }
    // Twenty at once, and twenty in each second that it took.
    let most = 20 + 20 * (u32::try_from(begun.elapsed().as_secs()).unwrap() + 1);
    assert!((1..=most).contains(&answers), "{answers} answers to 400 questions in {:?}", begun.elapsed());
    let deadline = Instant::now() + ANSWER_WAIT;
    while let Err(error) = discovered() {
        assert!(Instant::now() < deadline, "{error}");
    }
}

/// Plays a channel: returns the first packets of its MPEG-TS.
pub(crate) fn ts_of(address: &str, url: &str) -> Vec<u8> {
    let path = url.strip_prefix(&format!("http://{address}")).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.0 200") && head.to_lowercase().contains("content-type: video/mp2t"), "{head}");
    let mut bytes = vec![0; 188 * TS_PACKETS];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// Whether bytes are packets of MPEG-TS, one behind the other.
pub(crate) fn looks_whole(bytes: &[u8]) -> bool {
    bytes.len().is_multiple_of(188) && bytes.chunks(188).all(|packet| packet[0] == 0x47)
}

/// Returns the codecs that ffprobe finds in a file, in the order of the alphabet.
pub(crate) fn codecs(file: &Path) -> Vec<String> {
    let arguments = ["-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0"];
    let probed = Command::new("ffprobe").args(arguments).arg(file).output().unwrap();
    let said = String::from_utf8_lossy(&probed.stdout).into_owned();
    let mut codecs: Vec<String> = said.split_whitespace().map(str::to_owned).collect();
    codecs.sort();
    codecs.dedup();
    codecs
}
