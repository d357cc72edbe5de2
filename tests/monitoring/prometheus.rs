//! A real Prometheus with this project's own settings and rules, only quicker, and its HTTP interface.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::read;
use super::support::station::{PATIENCE, rest, talk};

/// How often it asks and judges, in seconds: ten times as often as in `grafana/prometheus.yml`.
pub(crate) const INTERVAL: f64 = 1.0;

/// One series of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) labels: BTreeMap<String, String>,
    /// Moments and what was true then; not what is no number.
    pub(crate) values: Vec<(f64, f64)>,
}

impl Row {
    /// The newest value.
    pub(crate) fn last(&self) -> f64 {
        self.values.last().unwrap().1
    }

    /// The greatest value.
    pub(crate) fn most(&self) -> f64 {
        self.values.iter().map(|(_, value)| *value).fold(f64::MIN, f64::max)
    }
}

/// A running Prometheus; killed when dropped.
#[derive(Debug)]
pub(crate) struct Prometheus {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts one that asks a station, and waits until it has had its first answer.
    pub(crate) fn start(station: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        fs::write(place("prometheus.yml"), quickened(&read("grafana/prometheus.yml"))).unwrap();
        fs::write(place("rules.yml"), read("grafana/rules.yml")).unwrap();
        fs::write(place("targets.yml"), read("grafana/targets.yml").replace("127.0.0.1:9191", station)).unwrap();
        let mut command = Command::new("prometheus");
        command.arg("--config.file=prometheus.yml").arg("--storage.tsdb.path=data");
        command.arg("--web.listen-address=127.0.0.1:0").arg("--log.level=info");
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("prometheus is installed: scripts/machine.sh test");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        let address = loop {
            let line = lines.next().unwrap_or_else(|| panic!("it ended:\n{}", said.join("\n")));
            if line.contains("msg=\"Listening on\"") {
                break line.split("address=").nth(1).unwrap().to_owned();
            }
            said.push(line);
        };
        // What it says further is read to its end, so that it can go on saying it.
        std::thread::spawn(move || lines.for_each(drop));
        let prometheus = Self { child, address, _folder: folder };
        prometheus.until("it has asked the station", |it| it.try_rows("up == 1").is_ok_and(|rows| !rows.is_empty()));
        prometheus
    }

    /// Looks again and again, with a short rest, until something is so.
    pub(crate) fn until(&self, what: &str, mut look: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !look(self) {
            assert!(Instant::now() < deadline, "never came: {what}");
            rest();
        }
    }

    /// Looks again and again, with a short rest, until nothing is wrong; returns what still is when patience ends.
    pub(crate) fn at_last(&self, mut look: impl FnMut(&Self) -> Vec<String>) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE / 3;
        loop {
            let broken = look(self);
            if broken.is_empty() || Instant::now() >= deadline {
                return broken;
            }
            rest();
        }
    }

    /// What it answers to a path of its interface.
    pub(crate) fn ask(&self, path: &str, fields: &[(&str, &str)]) -> Result<Value, String> {
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        // HTTP/1.0: the answer ends where the connection ends.
        let request = format!("GET /api/v1/{path}?{} HTTP/1.0\r\nHost: test\r\n\r\n", fields.join("&"));
        let told = talk(&self.address, &request, Duration::from_secs(20)).map_err(|error| error.to_string())?;
        let answer: Value =
            serde_json::from_slice(&told.body).map_err(|error| format!("{error}: {} {}", told.head, told.text()))?;
        if answer["status"] == "success" { Ok(answer["data"].clone()) } else { Err(answer.to_string()) }
    }

    fn try_rows(&self, expr: &str) -> Result<Vec<Row>, String> {
        Ok(rows(&self.ask("query", &[("query", expr)])?))
    }

    /// What an expression is at this moment.
    pub(crate) fn now(&self, expr: &str) -> Vec<Row> {
        self.try_rows(expr).unwrap_or_else(|error| panic!("{error}\n{expr}"))
    }

    /// What an expression was from one moment to this one, in steps of one scrape.
    pub(crate) fn since(&self, start: f64, expr: &str) -> Vec<Row> {
        let (start, step) = (start.to_string(), INTERVAL.to_string());
        let end = jiff::Timestamp::now().as_second().to_string();
        let fields = [("query", expr), ("start", start.as_str()), ("end", &end), ("step", &step)];
        rows(&self.ask("query_range", &fields).unwrap_or_else(|error| panic!("{error}\n{expr}")))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// The settings as they stand in the tree, but for how often.
fn quickened(settings: &str) -> String {
    let quick = ["scrape_interval: 10s", "scrape_timeout: 5s", "evaluation_interval: 10s"];
    quick.iter().fold(settings.to_owned(), |text, line| {
        assert!(text.contains(line), "{line}");
        text.replace(line, &format!("{}: {INTERVAL}s", line.split(':').next().unwrap()))
    })
}

/// Series with at least one number.
fn rows(data: &Value) -> Vec<Row> {
    let row = |series: &Value| {
        let of = |(name, value): (&String, &Value)| (name.clone(), value.as_str().unwrap().to_owned());
        let labels = series["metric"].as_object().unwrap().iter().map(of).collect();
        let one = series.get("value").map(std::slice::from_ref);
        let all = series["values"].as_array().map(Vec::as_slice);
        let samples = one.or(all).unwrap().iter();
        let number =
            |sample: &Value| (sample[0].as_f64().unwrap(), sample[1].as_str().unwrap().parse::<f64>().unwrap());
        Row { labels, values: samples.map(number).filter(|(_, value)| value.is_finite()).collect() }
    };
    let all = data["result"].as_array().unwrap().iter().map(row);
    all.filter(|row| !row.values.is_empty()).collect()
}

/// A text as it may stand in an address.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Leaves a file below `target/tmp` for a person to look at afterwards.
pub(crate) fn leave(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("monitoring");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), text).unwrap();
}
