//! A station's figures, judged: from two looks it is seen how things stand and what grows.

use jiff::SignedDuration;

use super::judge::{FREE_MIN_BYTES, Findings, TAKEN_MAX, gigabytes, moment, number};
use super::samples::Samples;
use super::{ChannelSeen, ConfigSeen, Guide, MachineSeen, Observed, Severity};

/// How much the dates of a channel may differ from the wall clock, in seconds.
const CLOCK_ERROR_MAX: f64 = 0.5;

/// How long the copies of a channel may be behind, in seconds: players hold about as much.
const MIRROR_LAG_MAX: f64 = 20.0;

/// How much media must have been given to an on-air ffmpeg ahead of its time, in seconds.
const LEAD_MIN: f64 = 1.0;

/// How many restarts of an ffmpeg in an hour are borne.
const RESTARTS_PER_HOUR_MAX: f64 = 1.0;

/// How much younger than the configuration the station lives by its file may be: it is read a moment after it is saved.
const READ_LATE_MAX: SignedDuration = SignedDuration::from_secs(5);

/// Two looks at the numbers.
pub(super) struct Figures<'s> {
    pub(super) before: &'s Samples,
    pub(super) after: &'s Samples,
    /// Seconds between them.
    pub(super) apart: f64,
}

impl Figures<'_> {
    pub(super) fn judge(&self, seen: &Observed, guide: Option<&Guide>, findings: &mut Findings) {
        let uptime =
            guide.and_then(|guide| guide.server_time).zip(self.now("process_start_time_seconds").and_then(moment));
        let hours = uptime.map_or(1.0, |(now, begun)| now.duration_since(begun).as_secs_f64() / 3600.0);
        for channel in guide.into_iter().flat_map(|guide| &guide.channels).filter(|channel| channel.state != "off") {
            self.channel(channel, hours, findings);
            self.mirror(channel.id.as_str(), findings);
            self.folders(channel, seen.machine.as_ref(), findings);
        }
        self.clock(findings);
        self.preparing(findings);
        self.disk(findings);
        self.listener(&seen.config, findings);
        self.store_and_configuration(&seen.config, findings);
    }

    fn now(&self, name: &str) -> Option<f64> {
        self.after.sum(name, &[])
    }

    /// How much a counter grew between the looks.
    fn grown(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.after.sum(name, labels).unwrap_or(0.0) - self.before.sum(name, labels).unwrap_or(0.0)
    }

    fn channel(&self, channel: &ChannelSeen, hours: f64, findings: &mut Findings) {
        let id = channel.id.as_str();
        let of = [("channel", id)];
        let reasons = self.after.by("on_air_restarts_total", &of, "reason");
        let reasons: Vec<_> = reasons.into_iter().filter(|(reason, _)| reason != "ended").collect();
        let count: f64 = reasons.iter().map(|(_, count)| count).sum();
        if count > 0.0 {
            let now = self.grown("on_air_restarts_total", &of) > 0.0;
            let often = now || count / hours.max(1.0) > RESTARTS_PER_HOUR_MAX;
            let severity = if often { Severity::Warning } else { Severity::Note };
            let what = format!("The ffmpeg of the channel \"{id}\" was started again");
            let evidence = format!(
                "{} in {hours:.1} h: {}{}",
                counted(count, "time"),
                listed(&reasons),
                if now { "; just now again" } else { "" }
            );
            let remedy = "the log has the last words of each; killed: memory? stalled: is the machine too busy?";
            findings.add(severity, what, evidence, remedy, Some("NightcastEncoderRestarting"));
        }
        let leads = [self.before, self.after].map(|look| look.sum("channel_feed_lead_seconds", &of));
        if let [Some(first), Some(second)] = leads
            && channel.state == "on_air"
            && first.max(second) < LEAD_MIN
        {
            let what = format!("The channel \"{id}\" is fed with too little lead: it may stand still at any moment");
            let evidence = format!("{first:.1} s, and {second:.1} s a moment later; 4 s are usual");
            let remedy = "is the machine too busy, the disk of the data folder too slow?";
            findings.add(Severity::Warning, what, evidence, remedy, Some("NightcastChannelDark"));
        }
        let causes = self.after.by("library_quarantined_items", &of, "cause");
        if !causes.is_empty() {
            let count: f64 = causes.iter().map(|(_, count)| count).sum();
            let what = format!("The channel \"{id}\" has {} set aside", counted(count, "file"));
            let remedy = format!("\"nightcast library {id}\" names each with its reason");
            findings.add(Severity::Note, what, listed(&causes), remedy, Some("NightcastQuarantines"));
        }
    }

    /// What the station itself could not read, where this program can.
    fn folders(&self, channel: &ChannelSeen, machine: Option<&MachineSeen>, findings: &mut Findings) {
        let id = channel.id.as_str();
        let told = machine.is_some_and(|machine| machine.folders.iter().any(|(channel, ..)| channel == id));
        if !told && self.after.sum("library_folder_reachable", &[("channel", id)]) == Some(0.0) {
            let what = format!("A folder of the channel \"{id}\" could not be read by the station");
            let evidence = "at its last look; what was prepared goes on".to_owned();
            let remedy = "mount its disk, or let the user of the station read it; it is noticed by itself";
            findings.add(Severity::Warning, what, evidence, remedy, Some("NightcastFolderAway"));
        }
    }

    fn mirror(&self, id: &str, findings: &mut Findings) {
        let lags = [self.before, self.after].map(|look| look.sum("mirror_lag_seconds", &[("channel", id)]));
        if let [Some(first), Some(second)] = lags
            && first.min(second) > MIRROR_LAG_MAX
        {
            let what = format!("Viewers of the copies of the channel \"{id}\" stand still: the mirror is behind");
            let evidence = format!("{second:.0} s, and {first:.0} s {:.0} s before", self.apart);
            let remedy = "the log tells what the store said, and what to do about it";
            findings.add(Severity::Warning, what, evidence, remedy, Some("NightcastMirrorBehind"));
        }
    }

    /// The clock is one for all channels.
    fn clock(&self, findings: &mut Findings) {
        let errors = [self.before, self.after].map(|look| {
            let sum = look.sum("channel_clock_error_seconds", &[]);
            // Only its sum is asked for: as many equal summands as there are channels.
            sum.map(|sum| sum / f64::from(u32::try_from(look.count("channel_clock_error_seconds")).unwrap_or(1)))
        });
        if let [Some(first), Some(second)] = errors
            && first.abs().min(second.abs()) > CLOCK_ERROR_MAX
        {
            let evidence = format!("{second:.2} s, and {first:.2} s {:.0} s before", self.apart);
            let remedy = "let the machine keep its time by NTP (timedatectl); the station follows by itself";
            let what = "The channels' dates differ from the wall clock";
            findings.add(Severity::Warning, what, evidence, remedy, Some("NightcastClockError"));
        }
    }

    fn preparing(&self, findings: &mut Findings) {
        const SLOW: Option<&str> = Some("NightcastPreparingSlow");
        let look = |look: &Samples| {
            let read = |name| look.sum(name, &[]).unwrap_or(0.0);
            (read("prepare_queue_items"), read("prepare_jobs"), read("prepare_speed_ratio"))
        };
        let ((queue_before, jobs_before, speed_before), (queue, jobs, speed)) = (look(self.before), look(self.after));
        let waits = queue > 0.0 && queue >= queue_before && queue_before > 0.0;
        if jobs_before > 0.0 && jobs > 0.0 && speed_before < 1.0 && speed < 1.0 && speed > 0.0 {
            let evidence = format!("{speed:.2} times real time; {} waiting", counted(queue, "film"));
            let remedy = "give it more processor, a faster preset or a smaller size in [channel.picture]";
            findings.add(Severity::Warning, "Films are made ready slower than they play", evidence, remedy, SLOW);
        } else if waits && jobs_before + jobs == 0.0 {
            let evidence = format!("{} waiting, no job runs", counted(queue, "film"));
            let remedy = "is there room on the disk and in cache-budget, and can the films be read? the log tells";
            findings.add(Severity::Warning, "Films wait to be made ready, and nothing is done", evidence, remedy, SLOW);
        }
    }

    fn disk(&self, findings: &mut Findings) {
        let (cache, budget) = (self.now("cache_bytes").unwrap_or(0.0), self.now("cache_budget_bytes").unwrap_or(0.0));
        if cache > budget {
            let evidence = format!("{} of {}", gigabytes(cache), gigabytes(budget));
            let what = "What was made ready takes more than its budget: what is needed soon does not fit";
            let remedy = "raise cache-budget in [station]";
            findings.add(Severity::Warning, what, evidence, remedy, Some("NightcastCacheTooSmall"));
        }
        let Some(free) = self.now("data_free_bytes") else { return };
        if free < number(FREE_MIN_BYTES) {
            findings.almost_full(free);
        } else if free < budget - cache {
            let evidence =
                format!("{} free; the cache may still grow by {}", gigabytes(free), gigabytes(budget - cache));
            let remedy = "lower cache-budget in [station], free room, or put data on a larger disk";
            findings.add(
                Severity::Warning,
                "The disk cannot hold what the cache may take",
                evidence,
                remedy,
                Some("NightcastDiskBudget"),
            );
        }
    }

    fn listener(&self, config: &ConfigSeen, findings: &mut Findings) {
        const FULL: Option<&str> = Some("NightcastViewersRefused");
        let read = |name| self.now(name).unwrap_or(0.0);
        let (open, most) = (read("http_connections"), read("http_connections_max"));
        let remedy = "raise connections-max and the limit of open files, or put a caching proxy in front";
        if most > 0.0 && open / most > TAKEN_MAX {
            let what = "Nearly all connections that are served at once are taken";
            findings.add(Severity::Warning, what, format!("{open} of {most}"), remedy, FULL);
        }
        let seats = [("reason", "seats")];
        let refused = self.after.sum("http_refusals_total", &seats).unwrap_or(0.0);
        if refused > 0.0 {
            let now = self.grown("http_refusals_total", &seats);
            let severity = if now > 0.0 { Severity::Warning } else { Severity::Note };
            let evidence = format!("{refused} since the start, {now} in the last {:.0} s", self.apart);
            findings.add(severity, "Viewers were turned away, because all seats were taken", evidence, remedy, FULL);
        }
        let (handles, limit) = (read("process_open_handles"), read("process_max_handles"));
        let more = "raise the limit of open files: LimitNOFILE of the service, \"ulimit -n\", ulimits of the container";
        if limit > 0.0 && handles / limit > TAKEN_MAX {
            let what = "Nearly all files that the station may have open are open";
            findings.add(Severity::Warning, what, format!("{handles} of {limit}"), more, None);
        }
        let wanted = config.connections_max.and_then(|count| u32::try_from(count).ok()).map_or(0.0, f64::from);
        if most > 0.0 && most < wanted {
            let evidence = format!("{most} of the {wanted} in the configuration; {limit} files may be open");
            findings.add(Severity::Warning, "Fewer connections are served than were asked for", evidence, more, FULL);
        }
    }

    fn store_and_configuration(&self, config: &ConfigSeen, findings: &mut Findings) {
        let errors = self.now("store_errors_total").unwrap_or(0.0);
        if errors > 0.0 {
            let now = self.grown("store_errors_total", &[]);
            let severity = if now > 0.0 { Severity::Warning } else { Severity::Note };
            let evidence = format!("{errors} since the start, {now} in the last {:.0} s", self.apart);
            let remedy = "is the disk full, read-only or failing? the log names the error";
            findings.add(severity, "The station's database failed", evidence, remedy, Some("NightcastStoreErrors"));
        }
        let taken = self.now("config_last_reload_timestamp_seconds").and_then(moment);
        let Some((saved, taken)) = config.saved.zip(taken) else { return };
        if config.problems.is_none() && saved.duration_since(taken) > READ_LATE_MAX {
            let refused = self.after.sum("config_reloads_total", &[("outcome", "refused")]).unwrap_or(0.0);
            let severity = if refused > 0.0 { Severity::Warning } else { Severity::Note };
            let evidence = format!("saved {saved:.0}, last taken {taken:.0}; refused {}", counted(refused, "time"));
            let what = "The configuration's file is younger than what the station lives by";
            let remedy = "if more than its date changed, have it read: systemctl reload nightcast, or kill -HUP";
            findings.add(severity, what, evidence, remedy, Some("NightcastReloadRefused"));
        }
    }
}

fn counted(count: f64, what: &str) -> String {
    if (count - 1.0).abs() < f64::EPSILON { format!("1 {what}") } else { format!("{count:.0} {what}s") }
}

fn listed(counts: &[(String, f64)]) -> String {
    counts.iter().map(|(word, count)| format!("{count:.0} {word}")).collect::<Vec<_>>().join(", ")
}
