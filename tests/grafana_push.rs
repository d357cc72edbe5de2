//! `nightcast grafana push`, by the real program.
//!
//! Goal: dashboards come to a Grafana, once, and nothing of anybody else's is lost. Method: a fake Grafana that keeps what
//! it is given and refuses whatever its documentation does not name. No real Grafana was met.
#![expect(clippy::disallowed_methods, reason = "tests start programs and touch the disk")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "grafana_push/fake.rs"]
mod fake;

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use fake::{ADMIN, EDITOR, Fake, Fault, Kept, VIEWER};
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

const UIDS: [&str; 3] = ["nightcast-channel", "nightcast-machine", "nightcast-station"];

/// What the program said.
struct Said {
    code: Option<i32>,
    out: String,
    complaints: String,
}

/// Runs `nightcast grafana push`; no token may ever be shown.
fn run(url: &str, token: &str, args: &[&str], certificates: Option<&Path>) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nightcast"));
    command.args(["grafana", "push", "--url", url]).args(args);
    command.env("GRAFANA_TOKEN", token).env("RUST_LOG", "trace").env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    command.envs(certificates.map(|path| ("SSL_CERT_FILE", path)));
    let output = command.output().unwrap();
    let [out, complaints] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(token.trim().is_empty() || !format!("{out}{complaints}").contains(token.trim()), "{out}{complaints}");
    Said { code: output.status.code(), out, complaints }
}

impl Fake {
    fn push(&self, token: &str, args: &[&str]) -> Said {
        let said = run(&format!("http://{}", self.address), token, args, None);
        let violations = std::mem::take(&mut self.known().violations);
        assert!(violations.is_empty(), "{violations:#?}");
        said
    }

    /// Pushes, and returns what was done to each thing.
    fn done(&self, token: &str, args: &[&str]) -> Vec<(String, String)> {
        let said = self.push(token, &[args, &["--json"]].concat());
        assert_eq!(said.code, Some(0), "{}{}", said.out, said.complaints);
        let told: Value = serde_json::from_str(&said.out).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let entries = told["entries"].as_array().unwrap().iter();
        let done: Vec<_> = entries.map(|entry| (text(&entry["name"]), text(&entry["action"]))).collect();
        assert_eq!(told["changed"], done.iter().any(|(_, did)| did != "unchanged"));
        done
    }
}

fn actions(done: &[(String, String)]) -> Vec<&str> {
    done.iter().map(|(_, did)| did.as_str()).collect()
}

/// Goal: pushing is safe to repeat, and puts right what was changed. Method: push; push again; change, remove, move and
/// rename things as people do; push again each time, and compare what is kept with the files.
#[test]
fn a_push_creates_what_is_missing_repairs_what_differs_and_leaves_the_rest() {
    let fake = Fake::start();
    assert_eq!(actions(&fake.done(EDITOR, &[])), ["created"; 4]);
    assert_eq!(fake.writes(), ["/api/folders", "/api/dashboards/db", "/api/dashboards/db", "/api/dashboards/db"]);
    assert_eq!(fake.known().boards.keys().collect::<Vec<_>>(), UIDS);
    let message = fake.known().boards[UIDS[0]].message.clone();
    assert!(message.starts_with(concat!("nightcast ", env!("CARGO_PKG_VERSION"), " (")), "{message}");
    every_board_is_as_its_file(&fake);
    // Again: nothing.
    assert_eq!(actions(&fake.done(EDITOR, &[])), ["unchanged"; 4]);
    let said = fake.push(EDITOR, &[]);
    assert!(said.out.ends_with("Nothing to do: Grafana has all of it already.\n"), "{}", said.out);
    assert_eq!(fake.writes(), Vec::<String>::new());
    // Somebody changes one, throws one away, and moves one.
    {
        let mut known = fake.known();
        let changed = known.boards.get_mut("nightcast-station").unwrap();
        changed.json["panels"][0]["title"] = "Mine".into();
        "better".clone_into(&mut changed.message);
        (changed.version, changed.by) = (5, "ann".to_owned());
        changed.json["version"] = 5.into();
        known.boards.remove("nightcast-channel");
        known.folders.insert("ops".to_owned(), "Ops".to_owned());
        "ops".clone_into(&mut known.boards.get_mut("nightcast-machine").unwrap().folder);
    }
    let said = fake.push(EDITOR, &["--dry-run"]);
    assert_eq!((said.code, fake.writes()), (Some(0), Vec::new()));
    for words in [
        "would update  dashboard  Nightcast: Station",
        "(over version 5, by ann)",
        "would create",
        "(from Ops)",
        "dry run",
    ] {
        assert!(said.out.contains(words), "{words}: {}", said.out);
    }
    assert_eq!(actions(&fake.done(EDITOR, &[])), ["unchanged", "updated", "created", "moved"]);
    every_board_is_as_its_file(&fake);
    assert_eq!(fake.known().boards["nightcast-station"].version, 6);
    // Somebody renames the folder: it is still ours.
    fake.known().folders.insert("nightcast".to_owned(), "Television".to_owned());
    assert_eq!(fake.done(EDITOR, &[])[0], ("Television".to_owned(), "unchanged".to_owned()));
}

fn every_board_is_as_its_file(fake: &Fake) {
    for (uid, kept) in &fake.known().boards {
        let name = uid.strip_prefix("nightcast-").unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("grafana/dashboards/{name}.json"));
        let mut file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        (file["id"], file["version"]) = (77.into(), kept.version.into());
        assert_eq!((&kept.json, kept.folder.as_str()), (&file, "nightcast"), "{uid}");
    }
}

#[test]
fn a_grafana_that_tells_dashboards_in_its_own_words_is_not_pushed_to_again_and_again() {
    let fake = Fake::start();
    fake.set(Fault::Migrates);
    assert_eq!(actions(&fake.done(EDITOR, &[])), ["created"; 4]);
    assert_eq!(actions(&fake.done(EDITOR, &[])), ["unchanged"; 4]);
    // Somebody saved one.
    fake.known().boards.get_mut("nightcast-channel").unwrap().message.clear();
    assert_eq!(actions(&fake.done(EDITOR, &[])), ["unchanged", "unchanged", "updated", "unchanged"]);
}

#[test]
fn a_folder_of_another_name_is_found_or_made() {
    let fake = Fake::start();
    fake.known().folders.insert("x".to_owned(), "Ops".to_owned());
    assert_eq!(fake.done(EDITOR, &["--folder", "Ops"])[0], ("Ops".to_owned(), "unchanged".to_owned()));
    assert!(fake.known().boards.values().all(|kept| kept.folder == "x"));
    let done = fake.done(EDITOR, &["--folder", "Night shift"]);
    assert_eq!(actions(&done), ["created", "moved", "moved", "moved"]);
    assert_eq!(actions(&fake.done(EDITOR, &["--folder", "Night shift"])), ["unchanged"; 4]);
}

#[test]
fn a_data_source_is_made_only_where_no_prometheus_is_known() {
    let fake = Fake::start();
    let args = ["--prometheus", "http://127.0.0.1:9090/"];
    fake.known().sources.push(json!({"name": "Prometheus", "type": "loki", "url": "http://loki"}));
    assert_eq!(fake.done(ADMIN, &args)[0], ("Prometheus (Nightcast)".to_owned(), "created".to_owned()));
    assert_eq!(fake.done(ADMIN, &args)[0], ("Prometheus (Nightcast)".to_owned(), "unchanged".to_owned()));
    {
        let known = fake.known();
        let made = &known.sources[1];
        assert_eq!((&made["url"], &made["type"]), (&json!("http://127.0.0.1:9090"), &json!("prometheus")));
        assert_eq!(known.sources[0]["url"], "http://loki");
    }
    // An editor cannot look; nothing was written before that was found out.
    let fake = Fake::start();
    let said = fake.push(EDITOR, &args);
    assert!(said.complaints.contains("needs the role Admin"), "{}", said.complaints);
    assert_eq!((said.code, fake.writes()), (Some(1), Vec::new()));
}

/// Goal: whatever goes wrong, the message says what it was and what to do, and nothing of others is overwritten.
#[test]
fn refusals_and_faults_are_told_with_their_remedy() {
    let html = "<!doctype html><title>Router</title>";
    for (token, fault, code, words) in [
        ("glsa_wrong-333", Fault::None, 1, "does not know the token: Invalid API key (hint: make one"),
        (
            VIEWER,
            Fault::None,
            1,
            "may not do this: creating the folder \"Nightcast\": You'll need additional permissions",
        ),
        ("", Fault::None, 2, "GRAFANA_TOKEN is not set"),
        ("  \n", Fault::None, 2, "GRAFANA_TOKEN is not set"),
        ("glsa_\u{7f}x", Fault::None, 1, "it holds signs that no token holds"),
        (EDITOR, Fault::Answers("GET /", 200, html), 1, "is not Grafana: it answers /api/health with something else"),
        (EDITOR, Fault::Answers("GET /", 404, html), 1, "is not Grafana: it answers /api/health with status 404"),
        (EDITOR, Fault::Answers("GET /", 502, html), 1, "trouble of its own: the question for its health: status 502"),
        (EDITOR, Fault::Answers("GET /api/folders", 200, html), 1, "answer to reading the folders is not understood"),
        (EDITOR, Fault::Answers("GET /api/folders", 200, "{}"), 1, "is not understood: it is no list"),
        (EDITOR, Fault::Answers("POST /api/folders", 200, "{}"), 1, "is not understood: it has no uid"),
        (EDITOR, Fault::Answers("GET /api/dash", 200, "{}"), 1, "is not understood: it holds no dashboard"),
        (
            EDITOR,
            Fault::Answers("GET /api/dash", 500, "{\"message\":\"locked\"}"),
            1,
            "status 500: locked (hint: its log",
        ),
        (
            EDITOR,
            Fault::Answers("POST /api/dash", 500, EDITOR),
            1,
            "saving the dashboard \"Nightcast: Station\": status 500",
        ),
        (
            EDITOR,
            Fault::Answers("POST /api/dash", 400, "{\"message\":\"token glsa_editor-111\"}"),
            1,
            "status 400: token …",
        ),
        (
            EDITOR,
            Fault::FolderGone,
            1,
            "Grafana refuses: saving the dashboard \"Nightcast: Station\": status 404: folder not found",
        ),
        (
            EDITOR,
            Fault::Redirects("https://login.example.org/"),
            1,
            "is redirected to https://login.example.org/ (hint:",
        ),
        (EDITOR, Fault::Floods, 1, "is larger than 8388608 bytes"),
        (EDITOR, Fault::Silent, 1, "the question for its health took longer than 1 s (hint: --timeout"),
    ] {
        let fake = Fake::start();
        fake.set(fault.clone());
        let said = fake.push(token, &["--timeout", "1"]);
        assert_eq!(said.code, Some(code), "{fault:?}: {}{}", said.out, said.complaints);
        assert!(said.complaints.contains(words), "{fault:?}: {}", said.complaints);
    }
}

#[test]
fn what_was_done_before_something_failed_is_told() {
    let fake = Fake::start();
    fake.set(Fault::Answers("POST /api/dash", 503, ""));
    let said = fake.push(EDITOR, &[]);
    assert!(said.code == Some(1) && said.out.starts_with("created  folder  Nightcast"), "{}", said.out);
    assert!(said.out.ends_with("The rest was not done.\n"), "{}", said.out);
    fake.set(Fault::None);
    assert_eq!(actions(&fake.done(EDITOR, &[])), ["unchanged", "created", "created", "created"]);
}

#[test]
fn dashboards_of_others_are_not_overwritten_unless_asked() {
    let fake = Fake::start();
    fake.known().folders.insert("nightcast".to_owned(), "Nightcast".to_owned());
    let theirs = Kept {
        json: json!({"uid": "theirs", "title": "Nightcast: Station"}),
        folder: "nightcast".to_owned(),
        version: 1,
        by: "ann".to_owned(),
        provisioned: false,
        message: String::new(),
    };
    fake.known().boards.insert("theirs".to_owned(), theirs);
    let said = fake.push(EDITOR, &[]);
    assert!(
        said.code == Some(1) && said.complaints.contains("another dashboard in the folder has this name"),
        "{}",
        said.complaints
    );
    assert!(fake.known().boards.contains_key("theirs"));
    assert_eq!(actions(&fake.done(EDITOR, &["--overwrite"])), ["unchanged", "created", "created", "created"]);
    assert!(!fake.known().boards.contains_key("theirs"));
    // Saved by somebody between the look and the save.
    fake.known().boards.get_mut("nightcast-machine").unwrap().json["refresh"] = "1d".into();
    fake.known().boards.get_mut("nightcast-machine").unwrap().message.clear();
    fake.set(Fault::SavedMeanwhile);
    let said = fake.push(EDITOR, &[]);
    assert!(
        said.code == Some(1) && said.complaints.contains("somebody saved it at this moment"),
        "{}",
        said.complaints
    );
    // One that Grafana reads from a file.
    fake.set(Fault::None);
    fake.known().boards.get_mut("nightcast-machine").unwrap().provisioned = true;
    let _before = fake.writes();
    let said = fake.push(EDITOR, &[]);
    assert!(said.code == Some(1) && said.complaints.contains("is provisioned from a file"), "{}", said.complaints);
    assert_eq!(fake.writes(), Vec::<String>::new());
}

#[test]
fn a_server_that_is_not_there_or_speaks_otherwise_is_told() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = run(&format!("http://{nobody}"), EDITOR, &[], None);
    assert!(
        said.code == Some(1) && said.complaints.contains(&format!("cannot connect to {nobody}: ")),
        "{}",
        said.complaints
    );
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let speaker = std::thread::spawn(move || other.accept().unwrap().0.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap());
    let said = run(&format!("http://{address}"), EDITOR, &[], None);
    assert!(said.code == Some(1) && said.complaints.contains("does not speak HTTP"), "{}", said.complaints);
    speaker.join().unwrap();
    let fake = Fake::start();
    let said = run(&format!("https://{}", fake.address), EDITOR, &[], None);
    assert!(said.code == Some(1) && said.complaints.contains("no safe connection"), "{}", said.complaints);
}

/// Goal: a token travels in private, and only to whom the machine trusts. Method: an authority of our own and a server
/// with its certificate stand before the fake.
#[test]
fn https_is_spoken_with_those_whose_certificate_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let fake = Fake::start();
    let address = in_private(&fake, folder.path());
    let url = format!("https://{address}");
    let stranger = run(&url, EDITOR, &[], None);
    assert!(stranger.code == Some(1) && stranger.complaints.contains("no safe connection"), "{}", stranger.complaints);
    assert!(fake.known().folders.is_empty());
    let trusted = run(&url, EDITOR, &[], Some(&folder.path().join("ca.pem")));
    assert!(trusted.code == Some(0) && trusted.out.contains("Done."), "{}{}", trusted.out, trusted.complaints);
    assert_eq!(fake.known().boards.len(), 3);
    // Another name than the certificate's.
    let other = url.replace("127.0.0.1", "localhost");
    let other = run(&other, EDITOR, &[], Some(&folder.path().join("ca.pem")));
    assert!(other.complaints.contains("not valid for name"), "{}", other.complaints);
}

/// Makes an authority and, by it, a certificate for 127.0.0.1.
fn certificates(folder: &Path) {
    let common = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    let authority = format!("{common} -subj /CN=authority -keyout ca.key -out ca.pem");
    let server = format!(
        "{common} -subj /CN=server -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
         -CA ca.pem -CAkey ca.key -keyout server.key -out server.pem"
    );
    for line in [authority, server] {
        let output = Command::new("openssl").args(line.split_whitespace()).current_dir(folder).output();
        let output = output.expect("openssl is installed: scripts/machine.sh test");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Stands before a fake and speaks TLS.
fn in_private(fake: &Fake, folder: &Path) -> SocketAddr {
    let chain = vec![CertificateDer::from_pem_file(folder.join("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()));
    let listener = fake.runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let behind = fake.address;
    fake.runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            // A stranger who ends the handshake is no failure here.
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut plain = tokio::net::TcpStream::connect(behind).await.unwrap();
                let _ended = tokio::io::copy_bidirectional(&mut stream, &mut plain).await;
            }
        }
    });
    address
}
