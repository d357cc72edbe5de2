//! An S3-compatible store of its own: s3rver, from a Node package, on a port the system chose. What it holds survives its end.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::station::{Answer, PATIENCE, get_from, rest, talk};

/// The bucket that is there.
const BUCKET: &str = "films";

/// How long the store may be silent in the middle of an answer.
const SILENCE: Duration = Duration::from_secs(20);

/// A running store; killed when dropped.
#[derive(Debug)]
pub(crate) struct Store {
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Store {
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut store = Self { folder: tempfile::tempdir().unwrap(), port, child: None };
        fs::create_dir_all(store.folder.path().join(BUCKET)).unwrap();
        store.start_again();
        store
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Kills it: connections break, and nobody listens.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn start_again(&mut self) {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/node_modules/s3rver/bin/s3rver.js");
        assert!(program.exists(), "s3rver is installed by scripts/tools.sh");
        let mut command = Command::new("node");
        command.arg(program).arg("--directory").arg(self.folder.path()).args(["--address", "127.0.0.1", "--silent"]);
        command.args(["--port", &self.port.to_string(), "--no-vhost-buckets"]).stdin(Stdio::null());
        self.child = Some(command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap());
        let deadline = Instant::now() + PATIENCE;
        while self.get("nothing").status != 404 {
            assert!(Instant::now() < deadline, "the store does not serve");
            rest();
        }
    }

    /// What anybody gets who asks for an object; status 0 where nobody answers.
    pub(crate) fn get(&self, name: &str) -> Answer {
        let answer = get_from(&self.address(), &format!("/{BUCKET}/{name}"));
        answer.unwrap_or_else(|error| Answer { status: 0, head: error.to_string(), body: Vec::new() })
    }

    /// What a viewer gets who asks for a playlist that is there. S3 gives an object whole, as it was before a put or after;
    /// this store writes in place, so what is just being written is asked for again until two answers are the same.
    pub(crate) fn playlist(&self, name: &str) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        let mut last = self.get(name);
        loop {
            let answer = self.get(name);
            assert_ne!(answer.status, 404, "{name} was there");
            if answer.status == 200
                && answer.body == last.body
                && answer.body.ends_with(b"\n")
                && answer.head == last.head
            {
                return answer;
            }
            assert!(Instant::now() < deadline, "{name} is never whole: {}", answer.head);
            last = answer;
        }
    }

    /// Puts an object there as anybody else would.
    pub(crate) fn put(&self, name: &str, text: &str) {
        let len = text.len();
        let request = format!(
            "PUT /{BUCKET}/{name} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n{text}"
        );
        assert_eq!(talk(&self.address(), &request, SILENCE).unwrap().status, 200, "{name}");
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.stop();
    }
}
