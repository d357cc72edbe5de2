//! Every metric there is: one table, from which the page `docs/metrics.md` is made. Data only.
//!
//! Dashboards and alerts rely on these names; one that goes or changes breaks them.

use crate::http::tally::{CODES, METHODS, ROUTES};

/// What a metric is to Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only ever grows, until the server starts again.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations by size.
    Histogram,
}

impl Kind {
    /// Returns Prometheus' word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What a label may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// One of these.
    Among(&'static [&'static str]),
    /// As many as the configuration names; in words, what.
    Configured(&'static str),
}

/// One label of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// What it may say: a bounded set, so that no viewer and no file can make series.
    pub values: Values,
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name, with the prefix and the unit.
    pub name: &'static str,
    /// What it is to Prometheus.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [Label],
    /// In what it is counted: `seconds`, `bytes`, `ratio`, or the things it counts.
    pub unit: &'static str,
    /// What it says, in a sentence.
    pub help: &'static str,
}

const fn among(name: &'static str, values: &'static [&'static str]) -> Label {
    Label { name, values: Values::Among(values) }
}

const fn configured(name: &'static str, what: &'static str) -> Label {
    Label { name, values: Values::Configured(what) }
}

const CHANNEL: Label = configured("channel", "a channel's id");
const NAME: Label = configured("name", "a channel's name");
const ROLE: Label = among("role", &["on_air", "prepare", "probe", "thumbnail"]);
const STATE: Label = among("state", &["starting", "on_air", "slate", "recovering", "off"]);
const END: Label = among("reason", &["done", "stopped", "failed", "killed", "stalled", "timeout", "limit"]);
const RESTART: Label = among("reason", &["ended", "exited", "killed", "stalled", "refused", "internal"]);
const DISCONTINUITY: Label = among("cause", &["restart", "clock_step", "item", "recovery"]);
const STATUS: Label = among("status", &["prepared", "waiting", "preparing", "settling", "quarantined"]);
const QUARANTINE: Label = among(
    "cause",
    &["unreadable", "not_media", "no_video", "no_duration", "too_large", "damaged", "timeout", "limit", "other"],
);
const RECIPE: Label = among("recipe", &["remux", "transcode"]);
const OUTCOME: Label = among("outcome", &["done", "failed", "stopped"]);
const RELOAD: Label = among("outcome", &["ok", "refused"]);
const ROUTE: Label = among("route", &ROUTES);
const METHOD: Label = among("method", &METHODS);
const CODE: Label = among("code", &CODES);
const REFUSAL: Label = among(
    "reason",
    &["seats", "evicted", "head_slow", "head_malformed", "head_too_large", "other_version", "too_slow"],
);
const COPY: Label = among("kind", &["segment", "playlist"]);
const ERRAND: Label = among("errand", &["put", "list", "delete"]);
const VERSION: Label = configured("version", "the server's version");
const FFMPEG: Label = configured("ffmpeg", "ffmpeg's version");

/// Makes a constant of each metric, and the list of all.
macro_rules! metrics {
    ($($constant:ident = $kind:ident $name:literal [$($label:ident)*] $unit:literal $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: &Metric = &Metric {
                name: concat!("nightcast_", $name),
                kind: Kind::$kind,
                labels: &[$($label),*],
                unit: $unit,
                help: $help,
            };
        )*

        /// Every metric, in the order of the page.
        pub const ALL: &[&Metric] = &[$($constant),*];
    };
}

metrics! {
    // The server itself.
    BUILD_INFO = Gauge "build_info" [VERSION FFMPEG] "info"
        "Always 1: which version of the server runs with which ffmpeg.";
    READY = Gauge "ready" [] "boolean"
        "Whether viewers may be sent here: every channel has something to watch, or is off the air on purpose, and no stop was asked for.";
    PROCESS_CPU = Counter "process_cpu_seconds_total" [] "seconds"
        "CPU time the server itself has used, in its own code and in the kernel.";
    PROCESS_MEMORY = Gauge "process_resident_memory_bytes" [] "bytes"
        "Memory the server itself has in use.";
    PROCESS_THREADS = Gauge "process_threads" [] "threads"
        "Threads of the server.";
    PROCESS_HANDLES = Gauge "process_open_handles" [] "handles"
        "Files, sockets and pipes the server has open.";
    PROCESS_HANDLES_MAX = Gauge "process_max_handles" [] "handles"
        "How many files, sockets and pipes the server may have open.";
    PROCESS_READ = Counter "process_read_bytes_total" [] "bytes"
        "Bytes the server has read from disks.";
    PROCESS_WRITTEN = Counter "process_written_bytes_total" [] "bytes"
        "Bytes the server has written to disks.";
    PROCESS_START = Gauge "process_start_time_seconds" [] "seconds"
        "When the server was started, in seconds since the epoch.";

    // Every ffmpeg and ffprobe, by what it is for.
    CHILDREN = Gauge "children" [CHANNEL ROLE] "processes"
        "Children (ffmpeg, ffprobe) that live now, by channel and role.";
    CHILD_CPU = Counter "child_cpu_seconds_total" [CHANNEL ROLE] "seconds"
        "CPU time of the children of a channel and role, those that have ended included.";
    CHILD_MEMORY = Gauge "child_resident_memory_bytes" [CHANNEL ROLE] "bytes"
        "Memory the living children of a channel and role have in use.";
    CHILD_THREADS = Gauge "child_threads" [CHANNEL ROLE] "threads"
        "Threads of the living children of a channel and role.";
    CHILD_HANDLES = Gauge "child_open_handles" [CHANNEL ROLE] "handles"
        "Files, sockets and pipes the living children of a channel and role have open.";
    CHILD_READ = Counter "child_read_bytes_total" [CHANNEL ROLE] "bytes"
        "Bytes the children of a channel and role have read from disks, those that have ended included.";
    CHILD_WRITTEN = Counter "child_written_bytes_total" [CHANNEL ROLE] "bytes"
        "Bytes the children of a channel and role have written to disks, those that have ended included.";
    CHILD_START = Gauge "child_start_time_seconds" [CHANNEL ROLE] "seconds"
        "When the newest living child was started, in seconds since the epoch; absent while there is none.";
    CHILD_STARTS = Counter "child_starts_total" [CHANNEL ROLE] "processes"
        "Children that were started.";
    CHILD_ENDS = Counter "child_ends_total" [CHANNEL ROLE END] "processes"
        "Children that ended: done, stopped by the server, failed, killed by a signal from elsewhere, stalled, over their time, over a limit.";
    ON_AIR_RESTARTS = Counter "on_air_restarts_total" [CHANNEL RESTART] "restarts"
        "Ends of a channel's on-air ffmpeg that were answered by another: its list had ended, it exited, was killed, stalled, would not start, or the channel began anew inside.";

    // Channels.
    CHANNEL_INFO = Gauge "channel_info" [CHANNEL NAME] "info"
        "Always 1: the name viewers read.";
    CHANNEL_STATE = Gauge "channel_state" [CHANNEL STATE] "boolean"
        "1 for the state a channel is in, 0 for the others; off: taken off the air by the operator.";
    CHANNEL_ON_AIR = Counter "channel_on_air_seconds_total" [CHANNEL] "seconds"
        "Time with something going out, an item or the slate.";
    CHANNEL_SLATE = Counter "channel_slate_seconds_total" [CHANNEL] "seconds"
        "Time with the slate going out, because there was nothing to play.";
    CHANNEL_LAST_SEGMENT = Gauge "channel_last_segment_timestamp_seconds" [CHANNEL] "seconds"
        "When the newest segment was published, in seconds since the epoch; absent before the first, and while the channel is off the air on purpose.";
    CHANNEL_EDGE = Gauge "channel_edge_timestamp_seconds" [CHANNEL] "seconds"
        "The date in the playlist at which the newest segment ends, in seconds since the epoch; absent before the first.";
    CHANNEL_MEDIA = Counter "channel_media_seconds_total" [CHANNEL] "seconds"
        "Media published.";
    CHANNEL_FEED_LEAD = Gauge "channel_feed_lead_seconds" [CHANNEL] "seconds"
        "How much media was given to the on-air ffmpeg ahead of its time.";
    CHANNEL_CLOCK_ERROR = Gauge "channel_clock_error_seconds" [CHANNEL] "seconds"
        "How much later the dates of the channel are than the wall clock; negative when they are earlier; absent while the channel is off the air on purpose.";
    CHANNEL_DISCONTINUITIES = Counter "channel_discontinuities_total" [CHANNEL DISCONTINUITY] "discontinuities"
        "Discontinuities in the playlist: by another run of ffmpeg, a clock that was set, an item of other parameters, a gap after something that was not to be had.";
    CHANNEL_AIRINGS = Counter "channel_airings_total" [CHANNEL] "airings"
        "Items that went on air, without the slate.";
    CHANNEL_PROGRAMME_START = Gauge "channel_programme_start_timestamp_seconds" [CHANNEL] "seconds"
        "When the programme on air began, in seconds since the epoch; absent while none is.";
    CHANNEL_SEGMENTS = Counter "channel_segments_total" [CHANNEL] "segments"
        "Segments published.";
    CHANNEL_SEGMENT_BYTES = Counter "channel_segment_bytes_total" [CHANNEL] "bytes"
        "Bytes of the segments published.";
    CHANNEL_SPOOL_BYTES = Gauge "channel_spool_bytes" [CHANNEL] "bytes"
        "Memory that holds a channel's segments but the newest, for players that may still ask; not among what the server has resident.";
    CHANNEL_SENT_SEGMENTS = Counter "channel_sent_segments_total" [CHANNEL] "segments"
        "Segments, or parts of them, sent to viewers, by file and by live.ts.";
    CHANNEL_SENT_BYTES = Counter "channel_sent_bytes_total" [CHANNEL] "bytes"
        "Bytes of segments sent to viewers, by file and by live.ts; one who leaves in the middle has taken less.";
    CHANNEL_ON_DEMAND_SEGMENTS = Counter "channel_on_demand_segments_total" [CHANNEL] "segments"
        "Segments of films, or parts of them, sent to viewers who watch on demand; these are not among the channel's viewers.";
    CHANNEL_ON_DEMAND_BYTES = Counter "channel_on_demand_bytes_total" [CHANNEL] "bytes"
        "Bytes of films sent to viewers who watch on demand.";
    CHANNEL_VIEWERS = Gauge "channel_viewers" [CHANNEL] "viewers"
        "Who watches: distinct askers for the playlist within the last 18 s, and open live.ts.";
    CHANNEL_LIVE_TS_VIEWERS = Gauge "channel_live_ts_viewers" [CHANNEL] "viewers"
        "Of those who watch, the ones with an open live.ts.";

    // What is kept of the past, of the channels where it is.
    REWIND_LENGTH = Gauge "rewind_seconds" [CHANNEL] "seconds"
        "How far back viewers of a channel can go now.";
    REWIND_BYTES = Gauge "rewind_bytes" [CHANNEL] "bytes"
        "Disk taken by what is kept of a channel's past.";
    REWIND_SPACE = Gauge "rewind_space_bytes" [CHANNEL] "bytes"
        "Disk that may be taken by what is kept of a channel's past.";
    REWIND_FAILURES = Counter "rewind_failures_total" [CHANNEL] "failures"
        "Times a channel's past could not be kept: the disk took nothing, or took it too slowly; viewers can go back less far then.";

    // The library.
    LIBRARY_ITEMS = Gauge "library_items" [CHANNEL STATUS] "files"
        "Files of a channel's folders: prepared, waiting to be prepared, being prepared, settling (still being written or looked into), quarantined.";
    LIBRARY_QUARANTINED = Gauge "library_quarantined_items" [CHANNEL QUARANTINE] "files"
        "Files that are in quarantine until they change, by cause.";
    LIBRARY_SCANS = Counter "library_scans_total" [CHANNEL] "scans"
        "Walks through all folders of a channel.";
    LIBRARY_SCAN_DURATION = Gauge "library_scan_duration_seconds" [CHANNEL] "seconds"
        "How long the last walk through all folders of a channel took.";
    LIBRARY_REACHABLE = Gauge "library_folder_reachable" [CHANNEL] "boolean"
        "1 when every folder of a channel could be read at the last walk, 0 when one could not.";

    // Preparing.
    PREPARE_WORKERS = Gauge "prepare_workers" [] "workers"
        "How many items may be prepared at once.";
    PREPARE_RUNNING = Gauge "prepare_jobs" [] "jobs"
        "Items that are being prepared now.";
    PREPARE_QUEUE = Gauge "prepare_queue_items" [] "items"
        "Items that are wanted and wait to be prepared.";
    PREPARE_SPEED = Gauge "prepare_speed_ratio" [CHANNEL] "ratio"
        "Media seconds made in a second by the jobs that run now; 0 when none does.";
    PREPARE_MEDIA = Counter "prepare_media_seconds_total" [CHANNEL RECIPE] "seconds"
        "Media made ready, by whether its picture was kept (remux) or made anew (transcode).";
    PREPARE_SECONDS = Counter "prepare_seconds_total" [CHANNEL RECIPE] "seconds"
        "Time it took to make media ready, by whether its picture was kept (remux) or made anew (transcode).";
    PREPARE_BYTES = Counter "prepare_bytes_total" [CHANNEL] "bytes"
        "Bytes of media made ready.";
    PREPARE_JOBS = Counter "prepare_jobs_total" [CHANNEL OUTCOME] "jobs"
        "Preparations that ended: done, failed, or stopped because nobody waited for them any more.";
    CACHE_BYTES = Gauge "cache_bytes" [] "bytes"
        "Disk taken by what was made ready.";
    CACHE_BUDGET = Gauge "cache_budget_bytes" [] "bytes"
        "Disk that may be taken by what was made ready.";
    CACHE_EVICTIONS = Counter "cache_evictions_total" [] "items"
        "Prepared items that were removed to make room for others.";
    DATA_FREE = Gauge "data_free_bytes" [] "bytes"
        "Disk that is free where the data folder is.";

    // The mirror; nothing of it where there is none.
    MIRROR_UPLOADS = Counter "mirror_uploads_total" [CHANNEL COPY] "objects"
        "Objects the mirror of a channel has put into its store, each rendition by itself.";
    MIRROR_UPLOAD_BYTES = Counter "mirror_upload_bytes_total" [CHANNEL] "bytes"
        "Bytes of the objects the mirror of a channel has put into its store.";
    MIRROR_DELETES = Counter "mirror_deletes_total" [CHANNEL] "objects"
        "Expired objects the mirror of a channel has deleted from its store.";
    MIRROR_FAILURES = Counter "mirror_failures_total" [CHANNEL ERRAND] "failures"
        "What the store of the mirror did not do, by what was asked of it; each is tried again.";
    MIRROR_SKIPS = Counter "mirror_skips_total" [CHANNEL] "skips"
        "Times the mirror of a channel was so far behind that it went on with the newest window and left segments out.";
    MIRROR_OBJECTS = Gauge "mirror_objects" [CHANNEL] "objects"
        "Objects of a channel that are in the store of the mirror, or may be.";
    MIRROR_LAG = Gauge "mirror_lag_seconds" [CHANNEL] "seconds"
        "For how long the playlist in the mirror has been older than the station's; 0 while they are the same.";

    // Viewers' side.
    HTTP_REQUESTS = Counter "http_requests_total" [ROUTE METHOD CODE] "requests"
        "Requests that were answered.";
    HTTP_REQUEST_DURATION = Histogram "http_request_duration_seconds" [ROUTE] "seconds"
        "Time from a request's head to the head of its answer.";
    HTTP_CONNECTIONS = Gauge "http_connections" [] "connections"
        "Connections of viewers that are open.";
    HTTP_CONNECTIONS_MAX = Gauge "http_connections_max" [] "connections"
        "How many connections of viewers are served at once.";
    HTTP_CONNECTIONS_TOTAL = Counter "http_connections_total" [] "connections"
        "Connections of viewers that were accepted.";
    HTTP_REFUSALS = Counter "http_refusals_total" [REFUSAL] "connections"
        "Connections that were refused or cut: no seat left, the seat given to a newcomer, a head that came too slowly, was malformed, too large or of another HTTP version, an answer taken too slowly.";

    // What survives a restart, and the configuration.
    STORE_ERRORS = Counter "store_errors_total" [] "errors"
        "Reads and writes of the station's database that failed.";
    CONFIG_RELOADS = Counter "config_reloads_total" [RELOAD] "reloads"
        "Times the configuration was read anew, and was taken or refused.";
    CONFIG_LAST_RELOAD = Gauge "config_last_reload_timestamp_seconds" [] "seconds"
        "When the configuration was last taken, in seconds since the epoch; the start of the server is the first time.";
}
