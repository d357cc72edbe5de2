//! What is put arrives as it was signed. s3rver looks at who signs and not at the signature, so it is worked out here, from
//! Amazon's description of Signature Version 4 and sharing no code with the program.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use nightcast::config::mirror::{Bucket, Place};
use nightcast::mirror::wire::task::open;
use nightcast::mirror::{Credentials, Name};
use nightcast::units::ChannelId;
use object_store::{PutOptions, PutPayload};
use sha2::{Digest as _, Sha256};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A request as it came.
struct Request {
    line: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let head = loop {
            let mut piece = [0; 4096];
            let len = stream.read(&mut piece).unwrap();
            assert!(len > 0, "it broke off");
            bytes.extend(&piece[..len]);
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
        };
        let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
        let mut lines = text.split("\r\n");
        let line = lines.next().unwrap().to_owned();
        let pair =
            |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
        let headers: BTreeMap<_, _> = lines.filter_map(pair).collect();
        let len: usize = headers["content-length"].parse().unwrap();
        let mut body = bytes[head + 4..].to_vec();
        let had = body.len();
        body.resize(len, 0);
        stream.read_exact(&mut body[had..]).unwrap();
        Self { line, headers, body }
    }

    /// The signature as the store works it out.
    fn signature(&self, signed: &str, scope: &str) -> String {
        let mut words = self.line.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let header = |name: &str| format!("{name}:{}\n", self.headers[name]);
        let headers: String = signed.split(';').map(header).collect();
        let canonical = format!("{method}\n{path}\n\n{headers}\n{signed}\n{}", hex(&Sha256::digest(&self.body)));
        let date = &self.headers["x-amz-date"];
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
        let first = format!("AWS4{SECRET}").into_bytes();
        let key = scope.split('/').fold(first, |key, part| hmac(&key, part.as_bytes()));
        hex(&hmac(&key, text.as_bytes()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// RFC 2104, for keys of no more than a block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let pad = |byte: u8| -> Vec<u8> { (0..64).map(|n| key.get(n).copied().unwrap_or(0) ^ byte).collect() };
    let inner = Sha256::digest([&pad(0x36), text].concat());
    Sha256::digest([&pad(0x5c), &inner[..]].concat()).to_vec()
}

/// Goal: a store that checks signatures takes what is put, with keys of one's own and with lent ones. Method: a listener
/// reads one request each and works out its signature.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_arrives_as_it_was_signed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Some(format!("http://{}", listener.local_addr().unwrap()));
    let (id, name) = (ChannelId::new("one").unwrap(), Name::read("720p/segments/17.ts").unwrap());
    for token in [None, Some("lent".to_owned())] {
        let (bucket, prefix) = ("films".to_owned(), "tv/~a_b".to_owned());
        let (region, endpoint) = (Some("here-1".to_owned()), endpoint.clone());
        let place = Place::Bucket(Bucket { name: bucket, prefix, endpoint, region, credentials_file: None });
        let keys = Credentials { key_id: "AKIA".to_owned(), secret: SECRET.to_owned(), token: token.clone() };
        let depot = open(&place, Some(keys)).unwrap();
        let listener = listener.try_clone().unwrap();
        let store = tokio::task::spawn_blocking(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let request = Request::read(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 0\r\n\r\n").unwrap();
            request
        });
        let options = PutOptions { attributes: depot.headers(&name), ..PutOptions::default() };
        let payload = PutPayload::from(vec![7; 100_000]);
        depot.store.put_opts(&depot.path(&id, &name), payload, options).await.unwrap();
        let request = store.await.unwrap();
        assert!(request.line.ends_with("_b/one/720p/segments/17.ts HTTP/1.1"), "{}", request.line);
        let told = request.headers["authorization"].strip_prefix("AWS4-HMAC-SHA256 ").unwrap();
        let part = |key: &str| told.split(", ").find_map(|part| part.strip_prefix(key)?.strip_prefix('=')).unwrap();
        let (who, scope) = part("Credential").split_once('/').unwrap();
        assert!(who == "AKIA" && scope.ends_with("/here-1/s3/aws4_request"), "{told}");
        let signed = part("SignedHeaders");
        assert!(
            ["host", "x-amz-content-sha256", "x-amz-date"].iter().all(|name| signed.split(';').any(|one| one == *name))
        );
        assert_eq!(request.headers["x-amz-content-sha256"], hex(&Sha256::digest(&request.body)));
        assert_eq!(part("Signature"), request.signature(signed, scope), "{}", request.line);
        assert_eq!(request.headers.get("x-amz-security-token"), token.as_ref(), "an empty one is refused");
        assert_eq!(request.headers["content-type"], "video/mp2t");
        assert!(request.body == vec![7; 100_000], "other bytes");
    }
}
