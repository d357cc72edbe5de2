//! `nightcast healthcheck`: asks the running station where the configuration says that it listens.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{complain, load, say};
use crate::cli::args::Exit;

/// How long the station may take to answer: a busy machine is no dead one.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// How much of the answer is read, in bytes: its first line says all.
const HEAD_BYTES: usize = 12;

/// Docker gives exit code 2 a meaning of its own, so that everything that is not well is 1.
pub(super) async fn run(path: &Path) -> Exit {
    let Ok(config) = load(path) else { return Exit::Failed };
    let address = here(config.station.listen);
    let asked = tokio::time::timeout(ANSWER_MAX, ask(address)).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()));
    match asked.as_deref() {
        // A full house answers 503 and is alive.
        Ok("HTTP/1.1 200" | "HTTP/1.1 503") => {
            say("alive");
            Exit::Done
        }
        Ok(other) => failed(address, &format!("it answers \"{other}\"")),
        Err(error) => failed(address, &error.to_string()),
    }
}

fn failed(address: SocketAddr, why: &str) -> Exit {
    complain(&format!(
        "the station does not answer at {address}: {why} (hint: is it running, with this configuration?)"
    ));
    Exit::Failed
}

async fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut head = [0; HEAD_BYTES];
    stream.read_exact(&mut head).await?;
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Returns where this machine reaches an address that it listens on: "everywhere" is nowhere to go.
fn here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_station_that_listens_everywhere_is_asked_on_this_machine() {
        for (listen, asked) in
            [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:8080", "[::1]:8080"), ("192.0.2.1:8080", "192.0.2.1:8080")]
        {
            assert_eq!(here(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
