//! What was seen, judged. Every figure that decides has a name.

use jiff::{SignedDuration, Timestamp};

use super::figures::Figures;
use super::{ChannelSeen, ConfigSeen, Finding, Guide, MachineSeen, MetricsSeen, Observed, Severity, StationSeen};

/// How old the newest segment of a channel may be: two target durations.
const STILL_MAX: SignedDuration = SignedDuration::from_secs(12);

/// How long a channel may take to begin: the first item of a new library is made ready first.
const STARTING_MAX: SignedDuration = SignedDuration::from_mins(1);

/// How much must be free where the data folder is, in bytes.
pub(super) const FREE_MIN_BYTES: u64 = 1_000_000_000;

/// Which part of something limited may be taken.
pub(super) const TAKEN_MAX: f64 = 0.8;

/// Returns what is wrong and what is worth knowing, most serious first.
#[must_use]
pub fn judge(seen: &Observed) -> Vec<Finding> {
    let mut findings = Findings::default();
    let runs = matches!(seen.station, StationSeen::Answers(_));
    station(&seen.station, seen.machine.as_ref(), &mut findings);
    config(&seen.config, runs, &mut findings);
    if let Some(machine) = &seen.machine {
        look_at_machine(machine, &mut findings);
        let told = matches!(seen.metrics, MetricsSeen::Read(..));
        if let Some(free) = machine.free.filter(|free| !told && *free < FREE_MIN_BYTES) {
            findings.almost_full(number(free));
        }
    }
    let guide = match &seen.station {
        StationSeen::Answers(guide) => Some(guide),
        _ => None,
    };
    match &seen.metrics {
        MetricsSeen::Read(before, after, apart) => {
            let apart = apart.as_secs_f64();
            Figures { before, after, apart }.judge(seen, guide, &mut findings);
        }
        MetricsSeen::Off if runs => {
            let evidence = "\"listen\" in [metrics] is \"off\"".to_owned();
            findings.note("The station's figures are not to be had", evidence, "set it to an address to hear more");
        }
        MetricsSeen::Silent(place, why) if runs => {
            let remedy =
                "is the file the one the station was started with? \"listen\" in [metrics] waits for a restart";
            findings.add(
                Severity::Warning,
                "The station's figures are not to be had",
                format!("{place}: {why}"),
                remedy,
                None,
            );
        }
        _ => {}
    }
    if let Some(guide) = guide {
        channels(guide, &seen.metrics, &mut findings);
    }
    findings.0.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings.0
}

#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn add(
        &mut self,
        severity: Severity,
        what: impl Into<String>,
        evidence: String,
        remedy: impl Into<String>,
        runbook: Option<&'static str>,
    ) {
        self.0.push(Finding { severity, what: what.into(), evidence, remedy: remedy.into(), runbook });
    }

    pub(super) fn almost_full(&mut self, free: f64) {
        let what = "The disk of the data folder is almost full";
        let remedy = "free room now: soon nothing more can be made ready";
        let evidence = format!("{} free", gigabytes(free));
        self.add(Severity::Critical, what, evidence, remedy, Some("NightcastDiskAlmostFull"));
    }

    fn note(&mut self, what: impl Into<String>, evidence: String, remedy: impl Into<String>) {
        self.add(Severity::Note, what, evidence, remedy, None);
    }
}

fn station(seen: &StationSeen, machine: Option<&MachineSeen>, findings: &mut Findings) {
    const DOWN: Option<&str> = Some("NightcastServerDown");
    let holder = machine.and_then(|machine| machine.holder);
    match seen {
        StationSeen::Silent { place, why } => {
            let (what, evidence, remedy) = match holder {
                Some(pid) => (
                    "The station does not answer, though it, or another one, is at work on the data folder",
                    format!("{place}: {why}; process {pid} holds the data folder"),
                    "if it was started this moment, ask again; else look at its log, and start it anew",
                ),
                None => (
                    "The station is not running",
                    format!("{place}: {why}; nobody holds the data folder"),
                    "start it; if it ends at once, \"nightcast check\" tells what is missing",
                ),
            };
            findings.add(Severity::Critical, what, evidence, remedy, DOWN);
        }
        StationSeen::Stranger { place, said } => {
            let remedy = "end the program that has the port, or choose another port with \"listen\" in [station]";
            let evidence = format!("{place} answers: {said}");
            findings.add(Severity::Critical, "Something else has the station's port", evidence, remedy, DOWN);
        }
        // What it has to say of its channels is seen from their states.
        StationSeen::Answers(guide) => {
            for said in guide.not_ready.lines().filter(|line| line.starts_with("the station ")) {
                let remedy = "if it was not asked to stop, look at its log, and start it anew";
                let evidence = format!("/readyz: {said}");
                findings.add(Severity::Warning, "The station wants no viewers", evidence, remedy, DOWN);
            }
        }
    }
}

fn config(seen: &ConfigSeen, runs: bool, findings: &mut Findings) {
    if let Some(problems) = &seen.problems {
        let severity = if runs { Severity::Warning } else { Severity::Critical };
        let what = if runs {
            "The configuration is refused: the station goes on with an older one, and would not start with this"
        } else {
            "The configuration is refused: a station does not start with it"
        };
        let remedy = format!("correct {}", seen.path);
        findings.add(severity, what, problems.clone(), remedy, Some("NightcastReloadRefused"));
    }
    if let Some(why) = &seen.token {
        let what = "The operator's token is refused: a station does not start with it";
        findings.add(Severity::Warning, what, why.clone(), "correct it as told", None);
    }
}

fn look_at_machine(machine: &MachineSeen, findings: &mut Findings) {
    for (program, why) in &machine.programs {
        let what = format!("{program} cannot be used: nothing can be aired or made ready");
        let remedy = "install ffmpeg, or correct its path in [station]; \"nightcast check\" tells more";
        findings.add(Severity::Critical, what, why.clone(), remedy, Some("NightcastChannelDark"));
    }
    if let Some(why) = &machine.data {
        let remedy = "make the data folder writable for the user that runs the station";
        let what = "The data folder cannot be written: nothing is made ready, the plan is not kept";
        findings.add(Severity::Critical, what, why.clone(), remedy, Some("NightcastStoreErrors"));
    }
    for (channel, path, why) in &machine.folders {
        let what = format!("A folder of the channel \"{channel}\" cannot be read");
        let remedy = "mount its disk, make the folder, or correct its path; it is noticed by itself";
        findings.add(Severity::Warning, what, format!("{path}: {why}"), remedy, Some("NightcastFolderAway"));
    }
    if let Some((used, max)) = machine.watches.filter(|(used, max)| share(*used, *max) > TAKEN_MAX) {
        let what = "The system's watches on folders are nearly all taken: new files will be noticed late";
        let remedy = "raise it: sysctl fs.inotify.max_user_watches=524288";
        findings.add(Severity::Warning, what, format!("{used} of {max}"), remedy, None);
    }
}

fn share(used: u64, max: u64) -> f64 {
    number(used) / number(max.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "exact up to nine thousand million million")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

pub(super) fn gigabytes(bytes: f64) -> String {
    format!("{:.1} GB", bytes / 1e9)
}

fn channels(guide: &Guide, metrics: &MetricsSeen, findings: &mut Findings) {
    let now = guide.server_time;
    let begun = match metrics {
        MetricsSeen::Read(_, after, _) => after.sum("process_start_time_seconds", &[]).and_then(moment),
        _ => None,
    };
    let age = |since: Option<Timestamp>| now.zip(since).map(|(now, since)| now.duration_since(since));
    for channel in &guide.channels {
        let ChannelSeen { id, state, reason, edge, library } = channel;
        let reason = reason.as_deref().unwrap_or("no reason is told");
        match state.as_str() {
            "off" => {
                let what = format!("The channel \"{id}\" is off the air, by the operator's order");
                findings.note(what, reason.to_owned(), format!("\"nightcast admin on {id}\" puts it on again"));
            }
            "starting" | "recovering" => {
                let young = state == "starting" && age(begun).is_none_or(|age| age < STARTING_MAX);
                let severity = if young { Severity::Warning } else { Severity::Critical };
                let what = format!("The channel \"{id}\" has nothing to send: it is {state}");
                let remedy = "ask again in a moment; if it stays so, the log has the last words of its ffmpeg";
                findings.add(severity, what, files(channel, reason), remedy, Some("NightcastChannelDark"));
            }
            _ => {
                if let Some(age) = age(*edge).filter(|age| *age > STILL_MAX) {
                    let what = format!("The channel \"{id}\" stands still: viewers see no new picture");
                    let evidence =
                        format!("its newest segment ended {} s ago; it says that it is {state}", age.as_secs());
                    let remedy = "look at the log; if it does not begin again by itself, restart the station";
                    findings.add(Severity::Critical, what, evidence, remedy, Some("NightcastChannelDark"));
                }
                if state == "slate" {
                    let what = format!("The channel \"{id}\" has nothing to play and shows a card");
                    let remedy = match (library.items, library.quarantined, library.settling) {
                        (0, 0, 0) => "put films into its folder",
                        (0, 0, _) => "wait until the files have stopped growing",
                        (0, ..) => "replace the files that are set aside; \"nightcast library\" names them",
                        _ => "wait until the first film is made ready; if that takes long, see the runbook",
                    };
                    let evidence = files(channel, reason);
                    findings.add(Severity::Warning, what, evidence, remedy, Some("NightcastSlateTooLong"));
                }
            }
        }
    }
}

fn files(channel: &ChannelSeen, reason: &str) -> String {
    let library = &channel.library;
    format!(
        "{reason} Files: {} playable, {} prepared, {} arriving, {} set aside",
        library.items, library.prepared, library.settling, library.quarantined
    )
}

#[expect(clippy::cast_possible_truncation, reason = "seconds since the epoch")]
pub(super) fn moment(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_second(seconds as i64).ok()
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
