//! `nightcast healthcheck`: asks the running station where the configuration says that it listens.

use std::path::Path;
use std::time::Duration;

use super::client::{Question, ask, here};
use super::{complain, load, say};
use crate::cli::args::Exit;

/// How long the station may take to answer: a busy machine is no dead one.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Docker gives exit code 2 a meaning of its own, so that everything that is not well is 1.
pub(super) async fn run(path: &Path) -> Exit {
    let Ok(config) = load(path) else { return Exit::Failed };
    let station = here(config.station.listen);
    let why = match ask(&station, Question::get("/healthz", ANSWER_MAX)).await {
        // A full house answers 503 and is alive.
        Ok(answer) if matches!(answer.status, 200 | 503) => {
            say("alive");
            return Exit::Done;
        }
        Ok(answer) => format!("it answers with status {}", answer.status),
        Err(error) => error.to_string(),
    };
    complain(&format!(
        "the station does not answer at {}: {why} (hint: is it running, with this configuration?)",
        station.place()
    ));
    Exit::Failed
}
