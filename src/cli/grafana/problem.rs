//! What can go wrong between here and Grafana, and what to do about it.

use std::time::Duration;

use serde_json::Value;

use crate::cli::table::harmless;

/// How much of what a server says about a refusal is told, in letters.
const SAID_MAX: usize = 300;

/// Why something did not reach Grafana, or was refused there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No connection.
    #[error("cannot connect to {at}: {why} (hint: is this Grafana's address, and may this machine reach it?)")]
    Unreachable {
        /// Host and port.
        at: String,
        /// In the words of the system.
        why: String,
    },
    /// A connection that is not to be trusted.
    #[error(
        "no safe connection to {at}: {why} (hint: a certificate of your own authority is trusted when SSL_CERT_FILE names it)"
    )]
    Unsafe {
        /// Host and port.
        at: String,
        /// In the words of the certificate's judge.
        why: String,
    },
    /// No answer in time.
    #[error("{what} took longer than {} s (hint: --timeout gives it more)", limit.as_secs_f64())]
    Slow {
        /// What was asked.
        what: String,
        /// How long it had.
        limit: Duration,
    },
    /// Something came back that is not HTTP.
    #[error("what answers {what} does not speak HTTP: {why} (hint: http:// or https://?)")]
    Garbled {
        /// What was asked.
        what: String,
        /// In the words of the reader.
        why: String,
    },
    /// More came back than is read.
    #[error("the answer to {what} is larger than {limit} bytes: this is no answer of Grafana's")]
    TooLarge {
        /// What was asked.
        what: String,
        /// How much is read.
        limit: usize,
    },
    /// A redirect; following it would carry the token to another place.
    #[error("{what} is redirected to {to} (hint: if that is your Grafana, give its address as --url)")]
    Elsewhere {
        /// What was asked.
        what: String,
        /// Where to.
        to: String,
    },
    /// Something else answers there.
    #[error(
        "what answers at {at} is not Grafana: {why} (hint: --url is where its first page is, with the path below which it is served)"
    )]
    NotGrafana {
        /// The address.
        at: String,
        /// What was strange.
        why: String,
    },
    /// 401.
    #[error(
        "Grafana does not know the token: {said} (hint: make one under Administration, Service accounts, and set GRAFANA_TOKEN)"
    )]
    Token {
        /// In Grafana's words.
        said: String,
    },
    /// 403.
    #[error("the token may not do this: {what}: {said} (hint: its service account needs the role {role})")]
    Forbidden {
        /// What was tried.
        what: String,
        /// In Grafana's words.
        said: String,
        /// Which role may.
        role: &'static str,
    },
    /// 412: another dashboard of that name, or a version that came in between; 409 for folders and data sources.
    #[error("{what}: {said} (hint: {hint})")]
    Conflict {
        /// What was tried.
        what: String,
        /// In Grafana's words.
        said: String,
        /// What to do.
        hint: &'static str,
    },
    /// A dashboard that Grafana reads from a file and lets nobody save.
    #[error(
        "the dashboard \"{title}\" is provisioned from a file of the Grafana server and differs from this program's \
         (hint: renew that file, or take it away and push again)"
    )]
    Provisioned {
        /// Its title.
        title: String,
    },
    /// 5xx.
    #[error(
        "Grafana has trouble of its own: {what}: status {code}: {said} (hint: its log tells more; try again later)"
    )]
    Broken {
        /// What was tried.
        what: String,
        /// The status.
        code: u16,
        /// In Grafana's words.
        said: String,
    },
    /// Any other refusal.
    #[error("Grafana refuses: {what}: status {code}: {said}")]
    Refused {
        /// What was tried.
        what: String,
        /// The status.
        code: u16,
        /// In Grafana's words.
        said: String,
    },
    /// An answer without what it should hold.
    #[error("Grafana's answer to {what} is not understood: {why} (hint: is it a version from 9 to 12?)")]
    Strange {
        /// What was asked.
        what: String,
        /// What was missing.
        why: String,
    },
}

impl Problem {
    /// Returns what an answer other than 2xx means.
    #[must_use]
    pub fn of_status(what: &str, code: u16, body: &[u8]) -> Self {
        let answer: Value = serde_json::from_slice(body).unwrap_or_default();
        let said = shown(answer["message"].as_str().unwrap_or("no reason is given"));
        let what = what.to_owned();
        match code {
            401 => Self::Token { said },
            403 => {
                let role = if what.contains("data source") { "Admin" } else { "Editor" };
                Self::Forbidden { what, said, role }
            }
            409 | 412 => {
                let hint = match answer["status"].as_str() {
                    Some("version-mismatch") => "somebody saved it at this moment: push again, or with --overwrite",
                    Some("name-exists") => {
                        "another dashboard in the folder has this name: rename it, choose another --folder, or put this \
                         one in its place with --overwrite"
                    }
                    _ => "something of this name is there already, where this token may not look",
                };
                Self::Conflict { what, said, hint }
            }
            500.. => Self::Broken { what, code, said },
            _ => Self::Refused { what, code, said },
        }
    }
}

/// Returns a server's words as they may be shown: bounded, and without what a terminal would obey.
#[must_use]
pub fn shown(said: &str) -> String {
    let words: String = harmless(said.trim()).chars().take(SAID_MAX).collect();
    if words.chars().count() < SAID_MAX { words } else { format!("{words}…") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_says_what_was_tried_and_what_to_do() {
        let told = |what: &str, code, body: &str| Problem::of_status(what, code, body.as_bytes()).to_string();
        for (what, code, body, words) in [
            (
                "GET folders",
                401,
                r#"{"message":"Invalid API key"}"#,
                "does not know the token: Invalid API key (hint: make one",
            ),
            (
                "saving \"A\"",
                403,
                r#"{"message":"no"}"#,
                "may not do this: saving \"A\": no (hint: its service account needs the role Editor)",
            ),
            (
                "creating the data source",
                403,
                "",
                "no reason is given (hint: its service account needs the role Admin)",
            ),
            (
                "saving \"A\"",
                412,
                r#"{"status":"version-mismatch","message":"changed"}"#,
                "saving \"A\": changed (hint: somebody saved it",
            ),
            (
                "saving \"A\"",
                412,
                r#"{"status":"name-exists","message":"name"}"#,
                "(hint: another dashboard in the folder",
            ),
            (
                "creating the folder",
                409,
                r#"{"message":"exists"}"#,
                "creating the folder: exists (hint: something of this name",
            ),
            ("saving \"A\"", 503, "<html>", "trouble of its own: saving \"A\": status 503: no reason is given"),
            (
                "saving \"A\"",
                404,
                r#"{"message":"folder not found"}"#,
                "Grafana refuses: saving \"A\": status 404: folder not found",
            ),
            ("saving \"A\"", 400, "{\"message\":\"bad\\u001b[2J\"}", "status 400: bad\u{fffd}[2J"),
        ] {
            let told = told(what, code, body);
            assert!(told.contains(words), "{told}");
        }
    }

    #[test]
    fn long_words_are_cut() {
        assert_eq!(shown(&"é".repeat(1000)).chars().count(), SAID_MAX + 1);
        assert_eq!(shown(" short\n"), "short");
    }
}
