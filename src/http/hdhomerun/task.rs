//! Answers who asks the network for tuners.
//!
//! The port is known to everybody and senders' addresses can be made up, so: only askers in private networks are answered,
//! in few bytes, few times a second, and nothing is kept of anybody.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket as StdSocket};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::packet::{self, QUESTION_BYTES_MAX};
use super::{DeviceId, Pace, TUNERS};

/// Where tuners are asked for.
pub const PORT: u16 = 65_001;

/// The wait after a failure to receive: such failures pass by themselves, and trying at once would spin.
const RECEIVE_PAUSE: Duration = Duration::from_millis(200);

/// Listens for questions, on the addresses on which the pages are served. Questions come to all of a network at once, and
/// only a listener on all addresses hears those.
///
/// # Errors
/// When the port is taken, or the pages are served by IPv6 on this machine only, where nobody asks.
pub fn listen(pages: SocketAddr) -> io::Result<UdpSocket> {
    let ip = match pages.ip() {
        IpAddr::V4(ip) if ip.is_loopback() => ip,
        IpAddr::V6(ip) if ip.is_loopback() => return Err(io::ErrorKind::Unsupported.into()),
        _ => Ipv4Addr::UNSPECIFIED,
    };
    let socket = StdSocket::bind((ip, PORT))?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// Answers until the token ends. `pages` is where the documents are served.
#[expect(clippy::disallowed_methods, reason = "begins the clock by which answers are held to a rate")]
pub async fn serve(socket: UdpSocket, device: DeviceId, pages: SocketAddr, token: CancellationToken) {
    let (begin, mut pace) = (Instant::now(), Pace::default());
    // One byte more than is read, so that what is cut off is known to be too long.
    let mut bytes = [0; QUESTION_BYTES_MAX + 1];
    loop {
        let received = tokio::select! {
            biased;
            () = token.cancelled() => return,
            received = socket.recv_from(&mut bytes) => received,
        };
        let (len, asker) = match received {
            Ok(received) => received,
            Err(error) => {
                tracing::debug!(%error, "failed to receive who asks for tuners");
                tokio::select! {
                    () = token.cancelled() => return,
                    () = tokio::time::sleep(RECEIVE_PAUSE) => continue,
                }
            }
        };
        let asks = packet::asks_for(&bytes[..len], device) && is_near(asker.ip());
        if !asks || !pace.allows(begin.elapsed()) {
            continue;
        }
        let Some(ip) = seen_by(pages.ip(), asker) else { continue };
        let address = format!("http://{ip}:{}", pages.port());
        if let Some(answer) = packet::answer(device, TUNERS, &address) {
            // Where it cannot be sent at once it is not: whoever asks asks again.
            let _unsent = socket.try_send_to(&answer, asker);
        }
    }
}

/// Whether an asker is in a network of our own kind: nobody further away has a use for a tuner.
fn is_near(asker: IpAddr) -> bool {
    match asker {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(_) => false,
    }
}

/// Returns the address by which an asker reaches the pages, if it can.
fn seen_by(pages: IpAddr, asker: SocketAddr) -> Option<Ipv4Addr> {
    match pages {
        IpAddr::V4(ip) if ip.is_loopback() => asker.ip().is_loopback().then_some(ip),
        IpAddr::V4(ip) if !ip.is_unspecified() => Some(ip),
        // Which of our addresses it is, the system knows: nothing is sent for that.
        _ => {
            let socket = StdSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
            socket.connect(asker).ok()?;
            match socket.local_addr().ok()?.ip() {
                IpAddr::V4(ip) if !ip.is_unspecified() => Some(ip),
                _ => None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_neighbours_are_answered() {
        for (asker, near) in [
            ("192.168.1.7", true),
            ("10.1.2.3", true),
            ("172.31.0.1", true),
            ("169.254.3.4", true),
            ("127.0.0.1", true),
            ("8.8.8.8", false),
            ("172.32.0.1", false),
            ("255.255.255.255", false),
            ("::1", false),
        ] {
            assert_eq!(is_near(asker.parse().unwrap()), near, "{asker}");
        }
    }

    #[test]
    fn an_asker_is_told_an_address_it_can_reach() {
        let asker: SocketAddr = "127.0.0.1:9".parse().unwrap();
        let far: SocketAddr = "192.168.1.7:9".parse().unwrap();
        for (pages, asker, expected) in [
            ("127.0.0.1", asker, Some(Ipv4Addr::LOCALHOST)),
            ("127.0.0.1", far, None),
            ("192.168.1.5", far, Some(Ipv4Addr::new(192, 168, 1, 5))),
            ("0.0.0.0", asker, Some(Ipv4Addr::LOCALHOST)),
            ("::", asker, Some(Ipv4Addr::LOCALHOST)),
        ] {
            assert_eq!(seen_by(pages.parse().unwrap(), asker), expected, "{pages} {asker}");
        }
    }
}
